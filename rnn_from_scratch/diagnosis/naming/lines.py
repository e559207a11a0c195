"""Tier 8: the deltas themselves, and each line of the backward pass by itself.

Where the inputs' rows are orthonormal (D ≥ T·N), X · ∂W_xh is δ for every step and sequence: the student's own, and the
right one. So each line can be asked alone whether it holds between the student's *own* values: δ of a gate given ∂L/∂h
and ∂L/∂c, ∂L/∂h at a step given the deltas of the step after. Two mistakes at once are then two lines.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array
from ...cells import GRUCell, LSTMCell, RNNCell
from .curated import Hypothesis
from .dictionary import PREFIX, source_line
from .labels import MATCH
from .reference import Forward, Gradients, gates_of, off
from .suspects import SourceLine, Suspect, Where


class Own(NamedTuple):
    """A student's own values, recovered from the gradient of W_xh."""

    at: Forward
    deltas: Array  # (T, N, G·H)
    dhs: list[Array]  # ∂L/∂h_t given the student's own deltas of the step after, (N, H) each
    dcs: list[Array | None]  # likewise ∂L/∂c_t from later steps
    consistent: bool  # the other parameters' gradients belong to these deltas


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
    return sum(term for _, term in paths(at, t, dh, delta))  # type: ignore[return-value]


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


def line_suspects(own: Own, hypotheses: Iterable[Hypothesis]) -> list[Suspect]:
    """Return a suspect for each line that does not hold between the student's own values."""
    steps = [h for h in hypotheses if h.change.step is not None]
    gates = gates_of(own.at.cell) or ("",)
    last = len(own.deltas) - 1
    bad = {gate: _times(own, k) for k, gate in enumerate(gates)}
    wrong_at_last = [gate for gate in gates if last in bad[gate]]
    if wrong_at_last:
        found = []
        for gate in wrong_at_last:
            found.append(_delta_line(own, gates, gate, bad[gate], steps))
        if isinstance(own.at.cell, LSTMCell) and set("ifg") <= set(wrong_at_last):
            shared = _shared_line(own, steps)
            if shared is not None:
                found = [shared, *(s for s, gate in zip(found, wrong_at_last, strict=True) if gate == "o")]
        return [*found, *_carry_lines(own, bad, wrong_at_last)]
    return _carry_lines(own, bad, [])


def _expected(own: Own, t: int) -> list[Array]:
    """Return the deltas of a step by gate, each given the student's own values of everything else."""
    at, cell = own.at, own.at.cell
    dstate = (own.dhs[t],) if own.dcs[t] is None else (own.dhs[t], own.dcs[t])
    _, delta = cell.step_backward(at.weights, dstate, at.caches[t])
    parts = np.split(delta, max(len(gates_of(cell)), 1), axis=1)
    if isinstance(cell, GRUCell):  # δ_r is written from δ_n
        cache, mine = at.caches[t], np.split(own.deltas[t], 3, axis=1)[2]
        W_hn = np.split(at.params["W_hh"], 3, axis=1)[2]
        product = mine if cell.reset_after else mine @ W_hn.T
        parts[0] = product * cache.gated * cache.r * (1.0 - cache.r)
    return parts


def _times(own: Own, k: int) -> set[int]:
    """Return the steps at which the line of one gate's delta does not hold."""
    count = max(len(gates_of(own.at.cell)), 1)
    return {
        t for t in range(len(own.deltas))
        if off(np.split(own.deltas[t], count, axis=1)[k], _expected(own, t)[k]) > MATCH
    }


def _delta_line(own: Own, gates: Iterable[str], gate: str, times: set[int], steps: list[Hypothesis]) -> Suspect:
    """Name a gate's delta line by whatever gives the student's numbers from the student's own ∂L/∂h and ∂L/∂c."""
    gates = list(gates)
    k = gates.index(gate)
    for hypothesis in steps:
        if all(_gives(own, hypothesis, t, [k], len(gates)) for t in range(len(own.deltas))):
            line = source_line(hypothesis) or _source(own, f"delta_{gate}" if gate else "delta", "")
            where = hypothesis.where._replace(gate=hypothesis.where.gate or gate or None)
            return Suspect(
                hypothesis.kind, where, f"Given your own ∂L/∂h and ∂L/∂c, δ{f' of {gate}' if gate else ''} at every "
                f"step is what comes out where {hypothesis.says}.", hypothesis.hint, (line,) if line else (),
            )
    at_steps = "every step" if len(times) == len(own.deltas) else f"step {', '.join(str(t + 1) for t in sorted(times))}"
    line = _source(own, f"delta_{gate}" if gate else "delta", "another value")
    return Suspect(
        "activation-derivative", Where(None, gate or None, at_steps),
        f"δ{f' of {gate}' if gate else ''} is wrong at {at_steps}, the last one included, where nothing has come back "
        f"from later steps yet; the deltas of the other gates are {'right' if len(gates) > 1 else 'not to be had'} "
        "there. Which wrong factor it is, no known line tells.", "The line of this delta, factor by factor.",
        (line,) if line else (), certain=False,
    )


def _shared_line(own: Own, steps: list[Hypothesis]) -> Suspect | None:
    """An LSTM's ∂L/∂c: one line under i, f and g."""
    for hypothesis in steps:
        if all(_gives(own, hypothesis, t, [0, 1, 2], 4) for t in range(len(own.deltas))):
            line = source_line(hypothesis) or _source(own, "dc", "")
            return Suspect(
                hypothesis.kind, hypothesis.where._replace(gate="c"), "Given your own ∂L/∂h, the deltas of i, f and g "
                f"are what comes out where {hypothesis.says}.", hypothesis.hint, (line,) if line else (),
            )
    implied = _implied_dc(own, len(own.deltas) - 1)
    if implied is None:
        return None
    line = _source(own, "dc", "another value")
    return Suspect(
        "wrong-gate", Where(None, "c"), "The deltas of i, f and g belong to one and the same ∂L/∂c at the last step, "
        "and that is wrong.", "The line of ∂L/∂c: dc_future + dh · o · (1 − tanh² c).", (line,) if line else (), False,
    )


def _implied_dc(own: Own, t: int) -> Array | None:
    """Return the ∂L/∂c that i, f and g agree on, None where they don't."""
    cache, (i, f, g, _) = own.at.caches[t], np.split(own.deltas[t], 4, axis=1)
    found = [
        i / (cache.g * cache.i * (1 - cache.i)), f / (cache.c_prev * cache.f * (1 - cache.f)),
        g / (cache.i * (1 - cache.g**2)),
    ]
    return found[0] if off(found[0], found[1]) < MATCH and off(found[0], found[2]) < MATCH else None


def _gives(own: Own, hypothesis: Hypothesis, t: int, which: list[int], count: int) -> bool:
    at = own.at
    dstate = (own.dhs[t],) if own.dcs[t] is None else (own.dhs[t], own.dcs[t])
    try:
        assert hypothesis.change.step is not None
        _, delta = hypothesis.change.step(at.cell, at.weights, dstate, at.caches[t])  # type: ignore[arg-type]
        parts, mine = np.split(delta, count, axis=1), np.split(own.deltas[t], count, axis=1)
    except Exception:  # an edit that cannot run is no explanation
        return False
    return all(parts[k].shape == mine[k].shape and off(parts[k], mine[k]) < MATCH for k in which)


# What goes back in time


def _carry_lines(own: Own, bad: dict[str, set[int]], known: list[str]) -> Iterator[Suspect] | list[Suspect]:
    """Fit what reaches h (and c) at a step from the values of the step after."""
    at, T = own.at, len(own.deltas)
    reveal = {RNNCell: "", LSTMCell: "o", GRUCell: "z"}[type(at.cell)]
    if reveal in known or T < 3:
        return []
    found = []
    implied = [_implied_dh(own, t, reveal) for t in range(T)]
    if bad[reveal]:
        found.append(_h_line(own, implied))
    if isinstance(at.cell, LSTMCell) and not set("ifg") & set(known) and bad["i"] | bad["f"] | bad["g"]:
        dcs = [_implied_dc(own, t) for t in range(T)]
        if all(dc is not None for dc in dcs):
            line = _c_line(own, implied, dcs)  # type: ignore[arg-type]
            if line is not None:
                found.append(line)
    return [line for line in found if line is not None]


def _implied_dh(own: Own, t: int, gate: str) -> Array:
    """Return the ∂L/∂h_t that a gate's delta was written from, its line being right."""
    cache = own.at.caches[t]
    if gate == "":
        ones = np.ones_like(own.dhs[t])
        slope = own.at.cell.step_backward(own.at.weights, (ones,), cache)[1]
        with np.errstate(all="ignore"):
            return np.where(slope != 0, own.deltas[t] / slope, 0.0)
    count = len(gates_of(own.at.cell))
    mine = np.split(own.deltas[t], count, axis=1)[gates_of(own.at.cell).index(gate)]
    if gate == "o":
        return mine / (cache.tanh_c * cache.o * (1 - cache.o))
    return mine / ((cache.h_prev - cache.n) * cache.z * (1 - cache.z))


def _h_line(own: Own, implied: list[Array]) -> Suspect | None:
    at, T = own.at, len(own.deltas)
    here = at.dlogits @ at.params["W_hy"].T
    target = np.stack([implied[t] - here[t] for t in range(T - 1)])
    terms: dict[str, list[Array]] = {}
    for t in range(1, T):
        for name, array in _h_basis(at, t, implied[t], own.deltas[t]):
            terms.setdefault(name, []).append(array)
    right = {name for name, _ in paths(at, 1, implied[1], own.deltas[1])}
    return _fitted(own, target, terms, right, "h", "dh_prev")


def _h_basis(at: Forward, t: int, dh: Array, delta: Array) -> Iterator[tuple[str, Array]]:
    gates = gates_of(at.cell)
    yield from paths(at, t, dh, delta)
    matrices = np.split(at.params["W_hh"], max(len(gates), 1), axis=1)
    for gate, part, W in zip(gates or [""], np.split(delta, max(len(gates), 1), axis=1), matrices, strict=True):
        yield f"{gate} through W", part @ W
        yield f"{gate} alone", part
    yield "dh", dh


def _c_line(own: Own, implied: list[Array], dcs: list[Array]) -> Suspect | None:
    at, T = own.at, len(own.deltas)
    rest = [
        dcs[t] - implied[t] * at.caches[t].o * (1 - at.caches[t].tanh_c ** 2) for t in range(T - 1)
    ]
    terms: dict[str, list[Array]] = {}
    for t in range(1, T):
        cache, deltas = at.caches[t], np.split(own.deltas[t], 4, axis=1)
        for name, array in (
            ("dc ⊙ f", dcs[t] * cache.f), ("dc", dcs[t]), ("dc ⊙ i", dcs[t] * cache.i), ("dc ⊙ g", dcs[t] * cache.g),
            ("dc ⊙ o", dcs[t] * cache.o), ("dh", implied[t]), *((f"δ_{gate}", d) for gate, d in zip("ifgo", deltas, strict=True)),
        ):
            terms.setdefault(name, []).append(array)
    return _fitted(own, np.stack(rest), terms, {"dc ⊙ f"}, "c", "dc_prev")


def _fitted(
    own: Own, target: Array, terms: dict[str, list[Array]], right: set[str], what: str, name: str
) -> Suspect | None:
    """Write what was carried as a sum of known terms, and name the coefficients that are not as they should be."""
    columns = np.stack([np.stack(arrays).ravel() for arrays in terms.values()], axis=1)
    found, _, rank, _ = np.linalg.lstsq(columns, target.ravel(), rcond=None)
    gate = "c" if what == "c" else None
    line = _source(own, name, "")
    if rank < columns.shape[1] or off(columns @ found, target.ravel()) > MATCH:
        off_line = _source(own, name, "another value")
        return Suspect(
            "cell-carry-dropped" if what == "c" else "recurrent-matrix", Where(None, gate, "every step but the last"),
            f"At the last step every delta is right; what reaches {what} from the step after is not, and no sum of "
            "known terms gives it.", f"The line that takes the gradient back to {what} at the step before.",
            (off_line,) if off_line else (), certain=False,
        )
    odd = {
        term: float(c) for term, c in zip(terms, found, strict=True) if abs(c - (1.0 if term in right else 0.0)) > MATCH
    }
    if not odd:
        return None
    kind, hint = _named_carry(odd, right, what)
    missing = [term for term in odd if term in right]
    gates = [term for term in missing if term in gates_of(own.at.cell)]
    if what == "h" and len(gates) == 1:
        gate = gates[0]
    whole = " + ".join(f"{c:.4g} · {_term(term)}" for term, c in zip(terms, found, strict=True) if abs(c) > MATCH)
    meant = " + ".join(_term(term) for term in terms if term in right)
    shown = (line._replace(yours=f"{name} = {whole or '0'}"),) if line else ()
    return Suspect(
        kind, Where(None, gate, "every step but the last"),
        f"Given your own deltas, what reaches {what} from the step after is {whole or '0'}; it should be {meant}.",
        hint, shown,
    )


def _term(name: str) -> str:
    """Write a term of the fit as a product."""
    if name in ("direct", "dh"):
        return "dh ⊙ z" if name == "direct" else "dh"
    if name.startswith(("δ_", "dc")):
        return name
    gate, _, how = name.partition(" ")
    delta, W = (f"δ_{gate}", f"W_h{gate}") if gate else ("δ", "W_hh")
    if how == "alone":
        return delta
    return f"{delta} {W}" if how else f"{delta} {W}ᵀ"


def _named_carry(odd: dict[str, float], right: set[str], what: str) -> tuple[str, str]:
    missing = [term for term in odd if term in right and abs(odd[term]) < MATCH]
    extra = [term for term in odd if term not in right]
    if any(term.endswith("through W") for term in extra):
        return "recurrent-matrix", "delta @ W_hh.T: the transpose."
    if missing and any(term.endswith("alone") for term in extra):
        return "recurrent-matrix", "delta @ W_hh.T: the product with the matrix."
    if missing and not extra:
        kind = "cell-carry-dropped" if what == "c" else "carry-dropped"
        return kind, f"Every path from {what} at the step before belongs in it."
    if not missing and not extra:
        negative = all(abs(value + 1.0) < MATCH for value in odd.values())
        return ("sign", "The signs in this line.") if negative else ("scale", "The factors in this line.")
    return "wrong-gate", "A term in this line belongs to another one."


def _source(own: Own, target: str, yours: str) -> SourceLine | None:
    """Return the reference's line that assigns a name in step_backward."""
    function = type(own.at.cell).step_backward
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == target:
            file = function.__module__.partition(".")[2].replace(".", "/") + ".py"
            number = node.lineno + function.__code__.co_firstlineno - 1
            return SourceLine(f"{PREFIX}{file}:{number}", ast.unparse(node), f"{target} = {yours}" if yours else "")
    return None


def known_places(cell: Any) -> bool:
    """True for a cell whose deltas this tier can read."""
    return type(cell) in (RNNCell, LSTMCell, GRUCell) and not getattr(cell, "peepholes", False)
