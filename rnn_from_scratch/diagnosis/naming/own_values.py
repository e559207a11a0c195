"""Tier 8: a student's own deltas, and what they say of ∂L/∂h and ∂L/∂c.

Where the inputs' rows are orthonormal (D ≥ T·N), X · ∂W_xh is δ for every step and sequence, since each row of X picks
out its own term of Σ xᵀ δ.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import NamedTuple

import numpy as np

from ...arrays import Array
from ...cells import GRUCell, LSTMCell, RNNCell
from .dictionary import PREFIX
from .labels import MATCH
from .reference import Forward, Gradients, Step, gates_of, off
from .slices import lines_of
from .suspects import SourceLine


class Own(NamedTuple):
    """A student's own values, recovered from the gradient of W_xh."""

    at: Forward
    deltas: Array  # (T, N, G·H)
    dhs: list[Array]  # ∂L/∂h_t given the student's own deltas of the step after, (N, H) each
    dcs: list[Array | None]  # likewise ∂L/∂c_t from later steps
    consistent: bool  # the other parameters' gradients belong to these deltas

    def lines_of(self, gate: str) -> tuple[SourceLine, ...]:
        """The reference's lines that this gate's delta hangs on, and the others' do not."""
        gates = gates_of(self.at.cell)
        if not gates:
            return _existing(source(self, "delta", ""))
        others = {f"b_h:{other}" for other in gates if other != gate}
        return lines_of(self.at.cell, {f"W_xh:{gate}", f"b_h:{gate}"}, others)


def _existing(line: SourceLine | None) -> tuple[SourceLine, ...]:
    return () if line is None else (line,)


def recovered(at: Forward, grads: Gradients) -> Own | None:
    """Recover the deltas; None where the cell is none of the three, or the inputs are not orthonormal."""
    cell, (T, N, D) = at.cell, at.xs.shape
    if type(cell) not in (RNNCell, LSTMCell, GRUCell) or getattr(cell, "peepholes", False) or D < T * N:
        return None
    if grads["W_xh"].shape != (D, at.params["W_xh"].shape[1]):
        return None
    deltas = (at.xs.reshape(T * N, D) @ grads["W_xh"]).reshape(T, N, -1)
    dhs_here = at.dlogits @ at.params["W_hy"].T
    carry: Array | float = 0.0
    cell_carry: Array | None = np.zeros((N, cell.hidden_size)) if isinstance(cell, LSTMCell) else None
    dhs: list[Array] = []
    dcs: list[Array | None] = []
    for t in reversed(range(T)):
        dh = dhs_here[t] + carry
        dhs.append(dh)
        dcs.append(cell_carry)
        carry = back_to_h(at, t, dh, deltas[t])
        if cell_carry is not None:
            cache = at.caches[t]
            cell_carry = (cell_carry + dh * cache.o * (1.0 - cache.tanh_c**2)) * cache.f
    own = Own(at, deltas, dhs[::-1], dcs[::-1], False)
    return own._replace(consistent=_consistent(own, grads))


def _consistent(own: Own, grads: Gradients) -> bool:
    _, found = own.at.cell.param_grads(own.at.weights, own.at.xs, own.at.caches, list(own.deltas))
    return all(grads[name].shape == array.shape and off(grads[name], array) < MATCH for name, array in found.items())


def back_to_h(at: Forward, t: int, dh: Array, delta: Array) -> Array:
    """Return what reaches h_{t−1} through a step, given its deltas."""
    total: Array = np.sum([term for _, term in paths(at, t, dh, delta)], axis=0)
    return total


def paths(at: Forward, t: int, dh: Array, delta: Array) -> list[tuple[str, Array]]:
    """Return the terms of ∂L/∂h_{t−1}, by gate ("" for the vanilla cell, "direct" for the GRU's dh ⊙ z)."""
    gates, cache = gates_of(at.cell), at.caches[t]
    matrices = np.split(at.params["W_hh"], max(len(gates), 1), axis=1)
    parts = np.split(delta, max(len(gates), 1), axis=1)
    if not isinstance(at.cell, GRUCell):
        return [(gate, part @ W.T) for gate, part, W in zip(gates or [""], parts, matrices, strict=True)]
    (r, z, n), (W_hr, W_hz, W_hn) = parts, matrices
    through = (n * cache.r) @ W_hn.T if at.cell.reset_after else (n @ W_hn.T) * cache.r
    return [("direct", dh * cache.z), ("r", r @ W_hr.T), ("z", z @ W_hz.T), ("n", through)]


def implied_dc(own: Own, t: int) -> Array | None:
    """Return the ∂L/∂c that i, f and g agree on, None where they don't."""
    cache, (i, f, g, _) = own.at.caches[t], np.split(own.deltas[t], 4, axis=1)
    found = [
        i / (cache.g * cache.i * (1 - cache.i)), f / (cache.c_prev * cache.f * (1 - cache.f)),
        g / (cache.i * (1 - cache.g**2)),
    ]
    return found[0] if off(found[0], found[1]) < MATCH and off(found[0], found[2]) < MATCH else None


def implied_dh(own: Own, t: int, gate: str, step: Step | None = None) -> Array:
    """Return the ∂L/∂h_t that a gate's delta was written from, its line being right (or that of `step`)."""
    cell, gates = own.at.cell, gates_of(own.at.cell)
    ones = np.ones_like(own.dhs[t])
    dstate = (ones, *(np.zeros_like(part) for part in own.at.state[1:]))
    if step is None:
        _, factors = cell.step_backward(own.at.weights, dstate, own.at.caches[t])
    else:
        _, factors = step(cell, own.at.weights, dstate, own.at.caches[t])
    k, count = (gates.index(gate), len(gates)) if gates else (0, 1)
    factor, mine = (np.split(array, count, axis=1)[k] for array in (factors, own.deltas[t]))
    implied: Array = mine / factor
    return implied


def source(own: Own, target: str, yours: str) -> SourceLine | None:
    """Return the reference's line that assigns a name in step_backward."""
    function = type(own.at.cell).step_backward
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == target:
            file = function.__module__.partition(".")[2].replace(".", "/") + ".py"
            number = node.lineno + function.__code__.co_firstlineno - 1
            return SourceLine(f"{PREFIX}{file}:{number}", ast.unparse(node), f"{target} = {yours}" if yours else "")
    return None
