"""The checks behind `verify` for gates and attention (article §5, Q1 and Q4); otherwise as `proofs.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..activations import sigmoid
from ..arrays import Array, Params, Tree
from ..attention import AdditiveAttention, Attention, MultiplicativeAttention, attend
from ..bptt import unroll, unroll_backward
from ..cells import BahdanauCell, GRUCell, LSTMCell, LuongCell
from ..cells.base import Cell
from ..diagnosis.probe import make_probe
from .points import Context, Outcome, worst

AGREE = 1e-14
T, N, D, H, M = 3, 2, 4, 3, 5


def lstm(peepholes: bool) -> Callable[[Context], Outcome]:
    """E-LSTM: one step entry by entry from the equations, and every gradient over time, padded and not."""

    def by_hand(params: Params, x: Array, state: list[Array]) -> Array:
        h_prev, c_prev = state
        H = len(h_prev)
        see = {name: params[name] if peepholes else np.zeros(H) for name in ("w_ci", "w_cf", "w_co")}
        h = np.empty(H)
        for j in range(H):
            i, f, g, o = (_unit(params, x, h_prev, gate * H + j) for gate in range(4))
            i = sigmoid(i + see["w_ci"][j] * c_prev[j])
            f = sigmoid(f + see["w_cf"][j] * c_prev[j])
            c = f * c_prev[j] + i * np.tanh(g)
            h[j] = sigmoid(o + see["w_co"][j] * c) * np.tanh(c)
        return h

    return lambda context: _cell_outcome(context, LSTMCell(D, H, peepholes=peepholes), by_hand)


def gru(reset_after: bool) -> Callable[[Context], Outcome]:
    """E-GRU: one step entry by entry from the equations, and every gradient over time, padded and not."""

    def by_hand(params: Params, x: Array, state: list[Array]) -> Array:
        (h_prev,) = state
        H = len(h_prev)
        r = np.array([sigmoid(_unit(params, x, h_prev, j)) for j in range(H)])
        h = np.empty(H)
        for j in range(H):
            z = sigmoid(_unit(params, x, h_prev, H + j))
            column = params["W_hh"][:, 2 * H + j]
            recurrent = r[j] * (h_prev @ column + params["b_hn"][j]) if reset_after else r * h_prev @ column
            n = np.tanh(x @ params["W_xh"][:, 2 * H + j] + params["b_h"][2 * H + j] + recurrent)
            h[j] = (1.0 - z) * n + z * h_prev[j]
        return h

    return lambda context: _cell_outcome(context, GRUCell(D, H, reset_after=reset_after), by_hand)


def _unit(params: Params, x: Array, h_prev: Array, column: int) -> Any:
    """One pre-activation, the dot products of one column."""
    return x @ params["W_xh"][:, column] + h_prev @ params["W_hh"][:, column] + params["b_h"][column]


def attention(scores: str) -> Callable[[Context], Outcome]:
    """E-ATT: the weights and the context from the equations, and every gradient of a decoder that attends."""
    kinds: dict[str, tuple[Attention, Cell]] = {}
    kinds["additive"] = (additive := AdditiveAttention(H, M, 4), BahdanauCell(GRUCell(D, H), additive))
    kinds["general"] = (general := MultiplicativeAttention(H, M), LuongCell(LSTMCell(D, H), general))
    kinds["dot"] = (dot := MultiplicativeAttention(H, H, "dot"), LuongCell(LSTMCell(D, H), dot))
    score, cell = kinds[scores]

    def check(context: Context) -> Outcome:
        probe = make_probe(cell, context.rng, context.rng.standard_normal((T, N, D)), "verify")
        params, memory, mask = probe.params["attention"], probe.params["memory"], probe.memory_mask
        assert mask is not None
        query = context.rng.standard_normal((memory.shape[1], H))
        keys = score.project_memory(params, memory)
        found, cache = attend(score, params, query, keys, memory, mask)
        difference = 0.0
        for n in range(memory.shape[1]):
            steps = np.flatnonzero(mask[:, n])  # alone: without the padding
            e = np.array([_score(scores, params, query[n], memory[s, n]) for s in steps])
            alpha = np.exp(e) / np.exp(e).sum()
            wanted = sum(a * memory[s, n] for a, s in zip(alpha, steps, strict=True))
            difference = max(difference, float(np.abs(found[n] - wanted).max()))
            difference = max(difference, float(np.abs(cache.weights[steps, n] - alpha).max()))
        padding = not cache.weights[~mask].any()
        errors = _gradients(context, cell, probe)
        measured = f"loops agree to {difference:.0e}; padding {'weighs 0' if padding else 'WEIGHS'}"
        return Outcome(errors, measured, difference < AGREE and padding)

    return check


def _score(scores: str, params: Params, query: Array, memory: Array) -> Any:
    if scores == "additive":
        return params["v"] @ np.tanh(query @ params["W_q"] + memory @ params["W_m"])
    return query @ (memory @ params["W_m"] if scores == "general" else memory)


def _cell_outcome(context: Context, cell: Cell, by_hand: Callable[[Params, Array, list[Array]], Array]) -> Outcome:
    probe = make_probe(cell, context.rng, context.rng.standard_normal((T, N, D)), "verify")
    (h, *_), _ = cell.step(probe.params, cell.project(probe.params, probe.xs)[0], probe.state)
    wanted = [by_hand(probe.params, probe.xs[0, n], [part[n] for part in probe.state]) for n in range(len(h))]
    difference = float(np.abs(h - np.stack(wanted)).max())
    return Outcome(_gradients(context, cell, probe), f"loops agree to {difference:.0e}", difference < AGREE)


def _gradients(context: Context, cell: Cell, probe: Any) -> dict[str, float]:
    """Compare every gradient of a sequence, its final state's among them, without and with masks."""
    errors: dict[str, float] = {}
    tree = {"params": probe.params, "xs": probe.xs, "state": probe.state}
    for mask in (None, probe.mask):
        beside = probe.beside(mask is not None)

        def run(at: Tree, mask: Array | None = mask, beside: Params = beside) -> Any:
            return unroll(cell, {**at["params"], **beside}, at["xs"], at["state"], mask)

        hs, final, caches = run(tree)
        upstream = [context.rng.standard_normal(part.shape) for part in (hs, *final)]

        def loss(at: Tree, run: Any = run, upstream: list[Array] = upstream) -> Any:
            hs, final, _ = run(at)
            return sum((weight * part).sum() for weight, part in zip(upstream, (hs, *final), strict=True))

        params = {**probe.params, **beside}
        dstates, deltas = unroll_backward(cell, params, upstream[0], caches, tuple(upstream[1:]), mask)
        dxs, grads = cell.param_grads(params, probe.xs, caches, deltas)
        worst(errors, context, loss, tree, {"params": grads, "xs": dxs, "state": dstates[0]})
    return errors
