"""The curated list: mistakes that need one cell's own equations, and gates that are computed again wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...activations import sigmoid_derivative, tanh_derivative
from ...arrays import Array, Params, State
from ...cells import GRUCell, LSTMCell
from .hypotheses import Hypothesis, original
from .reference import Change, Step, gates_of
from .suspects import Where


def in_cells(cell: Any) -> Iterator[Hypothesis]:
    """Yield an LSTM's and a GRU's own mistakes."""
    if type(cell) is LSTMCell:
        yield _output_gate_takes_dc()
    if type(cell) is GRUCell:
        yield from _two_resets(cell.reset_after)
        yield _other_update()
    if gates_of(cell):
        yield from _computed_again(gates_of(cell))


def _output_gate_takes_dc() -> Hypothesis:
    def step(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        before, delta = original(cell, params, dstate, cache)
        dc = dstate[1] + dstate[0] * cache.o * tanh_derivative(cache.tanh_c)
        wrong = dc * cache.tanh_c * sigmoid_derivative(cache.o)
        parts = np.split(delta, 4, axis=1)
        carried = before[0] + (wrong - parts[3]) @ np.split(params["W_hh"], 4, axis=1)[3].T
        return (carried, before[1]), np.concatenate([*parts[:3], wrong], axis=1)

    return Hypothesis(
        "wrong-gate", Where(None, "o"), "δ of o is written from ∂L/∂c, not from ∂L/∂h",
        "The output gate's line: h = o · tanh(c), so its delta starts from dh; only i, f and g start from dc.",
        Change(step=step))


def _other_update() -> Hypothesis:
    def step(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        (carried,), delta = original(cell, params, dstate, cache._replace(z=1.0 - cache.z))
        dr, dz, dn = np.split(delta, 3, axis=1)
        W_hz = np.split(params["W_hh"], 3, axis=1)[1]
        return (carried - 2.0 * dz @ W_hz.T,), np.concatenate([dr, -dz, dn], axis=1)

    return Hypothesis(
        "wrong-gate", Where(None, "z"), "the backward is that of h = (1 − z) h_{t−1} + z n, z and 1 − z exchanged",
        "The update gate's convention: here h = (1 − z) n + z h_{t−1}, forward and backward.", Change(step=step))


def _two_resets(after: bool) -> Iterator[Hypothesis]:
    """The reset gate's lines of the other of the two published GRUs, one by one, and what is left out of them."""
    here, other = ("after", "before") if after else ("before", "after")
    hint = f"This GRU resets {here} the matrix product. The order of r and W_hn decides δ_r, the way back and dW_hn."
    for says, product in (
        (f"δ of r is that of a reset {other} the product", _other_product),
        ("δ of r is δ of n times h_{t−1}, without W_hn", _without_matrix),
        *([("δ of r is δ of n times h_{t−1} W_hn, without b_hn", _without_bias)] if after else []),
    ):
        yield Hypothesis("wrong-gate", Where(None, "r"), says, hint, Change(step=_gru_step(product, None)))
    yield Hypothesis("wrong-gate", Where(None, "n"), f"δ of n goes back to h as with a reset {other} the product", hint,
                     Change(step=_gru_step(None, _other_way)))
    yield Hypothesis("wrong-gate", Where(None, "rn"), f"δ of r and the way back of δ of n are those of a reset {other} "
                     "the product", hint, Change(step=_gru_step(_other_product, _other_way)))


class _Reset(NamedTuple):
    """What the reset gate's lines are made of."""

    after: bool
    cache: Any
    delta_n: Array
    W_hn: Array
    b_hn: Array


def _other_product(q: _Reset) -> Array:
    product: Array = (q.delta_n @ q.W_hn.T) * q.cache.h_prev if q.after else q.delta_n * (q.cache.h_prev @ q.W_hn)
    return product


def _without_matrix(q: _Reset) -> Array:
    product: Array = q.delta_n * q.cache.h_prev
    return product


def _without_bias(q: _Reset) -> Array:
    product: Array = q.delta_n * (q.cache.gated - q.b_hn)
    return product


def _other_way(q: _Reset) -> Array:
    way: Array = (q.delta_n @ q.W_hn.T) * q.cache.r if q.after else (q.delta_n * q.cache.r) @ q.W_hn.T
    return way


def _gru_step(product: Callable[[_Reset], Array] | None, back: Callable[[_Reset], Array] | None) -> Step:
    """A GRU's step back with another ∂L/∂r ("product"), another way from δ_n to h ("back"), or both."""

    def step(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        (carried,), delta = original(cell, params, dstate, cache)
        (dr, dz, dn), (W_hr, _, W_hn) = np.split(delta, 3, axis=1), np.split(params["W_hh"], 3, axis=1)
        q = _Reset(cell.reset_after, cache, dn, W_hn, params.get("b_hn", np.zeros(W_hn.shape[1])))
        if product is not None:
            wrong = product(q) * sigmoid_derivative(cache.r)
            carried, dr = carried + (wrong - dr) @ W_hr.T, wrong
        if back is not None:
            carried = carried + back(q) - _other_way(q._replace(after=not q.after))
        return (carried,), np.concatenate([dr, dz, dn], axis=1)

    return step


# Gates that are computed again in the backward


def _computed_again(gates: str) -> Iterator[Hypothesis]:
    """Gates of a backward that computes them again, from another input or state, or without the bias."""
    hint = "Where the gates are computed again in the backward: from x_t, h_{t−1} and every bias, as in the forward."
    for kind, says, inputs in AGAIN:
        for chosen in (gates, *gates):
            every = chosen == gates
            which = "the gates are" if every else f"{chosen} is"
            told = f"{which} computed again in the backward with {says}"
            step = _with_gates(inputs, chosen)
            yield Hypothesis(kind, Where(None, None if every else chosen), told, hint, Change(step=step))


AGAIN: tuple[tuple[str, str, Callable[[Any, Params], tuple[Array, Array, Params]]], ...] = (
    ("wrong-time-index", "h_t in place of h_{t−1}", lambda cache, p: (cache.x, cache.after.h_prev, p)),
    ("wrong-time-index", "zero in place of h_{t−1}", lambda cache, p: (cache.x, 0 * cache.h_prev, p)),
    ("wrong-time-index", "x_{t−1} in place of x_t", lambda cache, p: (cache.before.x, cache.h_prev, p)),
    ("wrong-time-index", "x_{t−1} in place of x_t (index −1)", lambda cache, p: (cache.wrapped.x, cache.h_prev, p)),
    ("wrong-time-index", "x_{t+1} in place of x_t", lambda cache, p: (cache.after.x, cache.h_prev, p)),
    ("wrong-gate", "no bias", lambda cache, p: (cache.x, cache.h_prev, {**p, "b_h": 0 * p["b_h"]})),
)  # fmt: skip


def _with_gates(inputs: Callable[[Any, Params], tuple[Array, Array, Params]], gates: str) -> Step:
    def step(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        x, h, weights = inputs(cache, params)
        state = (h, *((cache.c_prev,) if len(dstate) > 1 else ()))
        _, again = cell.step(weights, cell.project(weights, x), state)
        fresh = {name: getattr(again, name) for name in cache._fields if name in tuple(gates)}
        return original(cell, params, dstate, cache._replace(**fresh))

    return step
