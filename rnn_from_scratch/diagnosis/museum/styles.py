"""The styles in which the exhibits' originals were written, and the forward passes they share.

Most tutorials let x_t and h_t stand as columns, one a sequence, and keep their weights in a dictionary; an LSTM has
one matrix a gate, over [h, x] stacked. Two decorators adapt them to this package's rows and stacked gates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from ...activations import sigmoid, softmax
from ...arrays import Array, Params, State
from .exhibit import LossAndGrads

GATES = "ifco"  # input, forget, candidate, output: the order of the columns in the package's stacked matrices


def zeros(p: Params) -> Params:
    """Return an array of zeros for every parameter."""
    return {name: np.zeros_like(array) for name, array in p.items()}


# Columns


def one_hot(targets: Array, classes: int) -> Array:
    """Return (K, N), a column a sequence, from (N,) class indices."""
    hot: Array = np.eye(classes)[:, targets]
    return hot


def softmax_columns(y: Array) -> Array:
    """Return the softmax of every column of (K, N)."""
    p: Array = softmax(y.T).T
    return p


def cross_entropy(ps: Sequence[Array], targets: Array) -> Array:
    """Return (T, N) losses from the probabilities of every step, each (K, N)."""
    sequences = np.arange(targets.shape[1])
    return np.stack([-np.log(p[target, sequences]) for p, target in zip(ps, targets, strict=True)])


def rnn_forward(p: Params, xs: Array, h0: Array) -> tuple[dict[int, Array], list[Array]]:
    """Return the states by step, hs[-1] the initial one, and the probabilities of every step."""
    hs, ps = {-1: h0}, []
    for t, x in enumerate(xs):
        hs[t] = np.tanh(p["Wxh"] @ x + p["Whh"] @ hs[t - 1] + p["bh"])
        ps.append(softmax_columns(p["Why"] @ hs[t] + p["by"]))
    return hs, ps


class Step(NamedTuple):
    """What one step of the LSTM leaves for its backward; each (H, N), z = [h_prev, x] (H + D, N)."""

    z: Array
    c_prev: Array
    i: Array
    f: Array
    g: Array
    o: Array
    c: Array
    h: Array


def lstm_forward(p: Params, xs: Array, h0: Array, c0: Array) -> tuple[list[Step], list[Array]]:
    """Return every step's values and probabilities; one matrix a gate, over [h, x]."""
    h, c, steps, ps = h0, c0, [], []
    for x in xs:
        z, c_prev = np.vstack([h, x]), c
        i, f, o = (sigmoid(p["W" + k] @ z + p["b" + k]) for k in "ifo")
        g = np.tanh(p["Wc"] @ z + p["bc"])
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        steps.append(Step(z, c_prev, i, f, g, o, c, h))
        ps.append(softmax_columns(p["Wy"] @ h + p["by"]))
    return steps, ps


def rnn_in_columns(run: Callable[[Params, Array, Array, Array], tuple[Array, Params]]) -> LossAndGrads:
    """Adapt run(p, xs, targets, h0) with p {"Wxh", "Whh", "bh", "Why", "by"}, xs (T, D, N), h0 (H, N)."""
    names = {"W_xh": "Wxh", "W_hh": "Whh", "b_h": "bh", "W_hy": "Why", "b_y": "by"}

    @wraps(run)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
        p = {short: np.atleast_2d(params[name]).T for name, short in names.items()}
        losses, d = run(p, xs.transpose(0, 2, 1), targets, state[0].T)
        return losses, {name: d[short].T.reshape(params[name].shape).copy() for name, short in names.items()}

    return adapted


def lstm_in_columns(run: Callable[[Params, Array, Array, Array, Array], tuple[Array, Params]]) -> LossAndGrads:
    """Adapt run(p, xs, targets, h0, c0) with p {"Wi", "bi", … (one matrix a gate, over [h, x]), "Wy", "by"}."""

    @wraps(run)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
        H = state[0].shape[1]
        whole = np.vstack([params["W_hh"], params["W_xh"]]).T  # (4H, H + D)
        p: Params = {"Wy": params["W_hy"].T, "by": params["b_y"][:, None]}
        for k, rows in zip(GATES, np.split(whole, 4), strict=True):
            p["W" + k] = rows
        for k, rows in zip(GATES, np.split(params["b_h"], 4), strict=True):
            p["b" + k] = rows[:, None]
        losses, d = run(p, xs.transpose(0, 2, 1), targets, state[0].T, state[1].T)
        matrix = np.vstack([d["W" + k] for k in GATES]).T  # (H + D, 4H)
        return losses, {
            "W_xh": matrix[H:].copy(),
            "W_hh": matrix[:H].copy(),
            "b_h": np.concatenate([d["b" + k][:, 0] for k in GATES]),
            "W_hy": d["Wy"].T.copy(),
            "b_y": d["by"][:, 0].copy(),
        }

    return adapted


# Rows


def cross_entropy_rows(ps: Array, targets: Array) -> Array:
    """Return (T, N) losses from (T, N, K) probabilities."""
    losses: Array = -np.log(np.take_along_axis(ps, targets[..., None], axis=2)[..., 0])
    return losses


def rnn_forward_rows(params: Params, xs: Array, h0: Array) -> tuple[Array, Array]:
    """Return the states (T + 1, N, H), the initial one first, and the probabilities (T, N, K)."""
    hs = [h0]
    for x in xs:
        hs.append(np.tanh(x @ params["W_xh"] + hs[-1] @ params["W_hh"] + params["b_h"]))
    return np.stack(hs), softmax(np.stack(hs[1:]) @ params["W_hy"] + params["b_y"])


def gru_forward_rows(params: Params, xs: Array, h0: Array) -> tuple[list[tuple[Any, ...]], Array, Array]:
    """Return (h_prev, r, z, n) of every step, the states (T, N, H) and the probabilities; reset gate before."""
    h, steps, hs = h0, [], []
    W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
    for x in xs:
        x_r, x_z, x_n = np.split(x @ params["W_xh"] + params["b_h"], 3, axis=1)
        r, z = sigmoid(x_r + h @ W_hr), sigmoid(x_z + h @ W_hz)
        n = np.tanh(x_n + (r * h) @ W_hn)
        steps.append((h, r, z, n))
        h = (1 - z) * n + z * h
        hs.append(h)
    return steps, np.stack(hs), softmax(np.stack(hs) @ params["W_hy"] + params["b_y"])
