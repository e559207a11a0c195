r"""Claim C4, the ladder's first rungs: an LSTM's training step as it is written first, with a batch in rows.

A rung is a whole training step, `rung(params, xs, dhs) -> Found`: forward from a state of zeros, and backward. Each
does one thing differently from the rung below it, and all give the same gradients (tests/article/test_claims_c4.py).
The equations are those of cells/lstm.py. The rungs above are in c4_columns.py.

Source: article §1.2, §4.1; notebook 16.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params

GATES = "ifgo"  # in the order of the package's blocks


class Found(NamedTuple):
    """What every rung returns."""

    hs: Array  # (T, N, H)
    dxs: Array  # (T, N, D)
    grads: Params


class Step(NamedTuple):
    """What the backward pass needs of one step, (N, H) each."""

    h_prev: Array
    c_prev: Array
    i: Array
    f: Array
    g: Array
    o: Array
    c: Array


def textbook(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 1: gate by gate, and every gradient added up step by step."""
    W_x, W_h, b = ({k: W for k, W in zip(GATES, np.split(params[name], 4, axis=-1), strict=True)} for name in params)
    h = c = np.zeros_like(dhs[0])
    hs, steps = [], []
    for x in xs:
        h_prev, c_prev = h, c
        i = sigmoid(x @ W_x["i"] + h_prev @ W_h["i"] + b["i"])
        f = sigmoid(x @ W_x["f"] + h_prev @ W_h["f"] + b["f"])
        g = np.tanh(x @ W_x["g"] + h_prev @ W_h["g"] + b["g"])
        o = sigmoid(x @ W_x["o"] + h_prev @ W_h["o"] + b["o"])
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        hs.append(h)
        steps.append(Step(h_prev, c_prev, i, f, g, o, c))

    dW_x, dW_h, db = ({k: np.zeros_like(W) for k, W in gates.items()} for gates in (W_x, W_h, b))
    dxs = np.zeros_like(xs)
    dh_future = dc_future = np.zeros_like(dhs[0])
    for t in reversed(range(len(xs))):
        deltas, dc_future = _deltas(dhs[t] + dh_future, dc_future, steps[t])
        dh_future = np.zeros_like(dhs[0])
        for k, delta in zip(GATES, deltas, strict=True):
            dW_x[k] += xs[t].T @ delta
            dW_h[k] += steps[t].h_prev.T @ delta
            db[k] += delta.sum(axis=0)
            dxs[t] += delta @ W_x[k].T
            dh_future = dh_future + delta @ W_h[k].T
    grads = {
        name: np.concatenate(list(gates.values()), axis=-1)
        for name, gates in zip(("W_xh", "W_hh", "b_h"), (dW_x, dW_h, db), strict=True)
    }
    return Found(np.stack(hs), dxs, grads)


def one_matrix(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 2: the four gates' matrices side by side, so that one product serves all four."""
    W_xh, W_hh, b_h = params["W_xh"], params["W_hh"], params["b_h"]
    h = c = np.zeros_like(dhs[0])
    hs, steps = [], []
    for x in xs:
        h, c, step = _step(x @ W_xh + h @ W_hh + b_h, h, c)
        hs.append(h)
        steps.append(step)

    dxs, grads = np.zeros_like(xs), {name: np.zeros_like(W) for name, W in params.items()}
    dh_future = dc_future = np.zeros_like(dhs[0])
    for t in reversed(range(len(xs))):
        deltas, dc_future = _deltas(dhs[t] + dh_future, dc_future, steps[t])
        delta = np.concatenate(deltas, axis=1)  # (N, 4H)
        grads["W_xh"] += xs[t].T @ delta
        grads["W_hh"] += steps[t].h_prev.T @ delta
        grads["b_h"] += delta.sum(axis=0)
        dxs[t] = delta @ W_xh.T
        dh_future = delta @ W_hh.T
    return Found(np.stack(hs), dxs, grads)


def out_of_the_loop(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 3: what waits for no other step leaves the loop. Inputs before it; weights' and inputs' gradients after it.

    The sum over time of h_{t−1}ᵀ δ_t is one product of all steps and sequences below each other.
    """
    W_xh, W_hh = params["W_xh"], params["W_hh"]
    x_proj = xs @ W_xh + params["b_h"]
    h = c = np.zeros_like(dhs[0])
    hs, steps = [], []
    for a in x_proj:
        h, c, step = _step(a + h @ W_hh, h, c)
        hs.append(h)
        steps.append(step)

    stacked = []
    dh_future = dc_future = np.zeros_like(dhs[0])
    for dh_here, step in zip(dhs[::-1], steps[::-1], strict=True):
        deltas, dc_future = _deltas(dh_here + dh_future, dc_future, step)
        stacked.append(np.concatenate(deltas, axis=1))
        dh_future = stacked[-1] @ W_hh.T
    delta = np.concatenate(stacked[::-1])  # (T·N, 4H)
    h_prevs = np.concatenate([step.h_prev for step in steps])  # (T·N, H)
    grads = {"W_xh": xs.reshape(len(delta), -1).T @ delta, "W_hh": h_prevs.T @ delta, "b_h": delta.sum(axis=0)}
    return Found(np.stack(hs), (delta @ W_xh.T).reshape(xs.shape), grads)


def sigmoid(a: Array) -> Array:
    """Return σ(a) as it is printed."""
    s: Array = 1 / (1 + np.exp(-a))
    return s


def _step(a: Array, h_prev: Array, c_prev: Array) -> tuple[Array, Array, Step]:
    """Return h, c and what the backward needs, from the pre-activations of all gates (N, 4H)."""
    H = h_prev.shape[1]
    i, f, g, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
    c = f * c_prev + i * g
    return o * np.tanh(c), c, Step(h_prev, c_prev, i, f, g, o, c)


def _deltas(dh: Array, dc_future: Array, step: Step) -> tuple[list[Array], Any]:
    """Return ∂L/∂(pre-activation) of i, f, g, o, and what reaches c_{t−1}."""
    _, c_prev, i, f, g, o, c = step
    tanh_c = np.tanh(c)
    dc = dc_future + dh * o * (1 - tanh_c**2)
    deltas = [dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)]
    return deltas, dc * f
