"""An array for the gates' gradients is allocated, used at the end, and never written to."""

from __future__ import annotations

import numpy as np

from ...activations import sigmoid, softmax
from ...arrays import Array, Params, State
from .exhibit import Exhibit
from .styles import cross_entropy_rows


def _forward(params: Params, xs: Array, state: State) -> tuple[Array, Array, Array]:
    """Return the gates (T, N, 4H) as they came out, and h and c (T + 1, N, H), the initial ones first."""
    G, Y, C = [], [state[0]], [state[1]]
    for x in xs:
        a_i, a_f, a_g, a_o = np.split(x @ params["W_xh"] + Y[-1] @ params["W_hh"] + params["b_h"], 4, axis=1)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        C.append(f * C[-1] + i * g)
        Y.append(o * np.tanh(C[-1]))
        G.append(np.hstack([i, f, g, o]))
    return np.stack(G), np.stack(Y), np.stack(C)


def _gates_backward(dY: Array, dC: Array, gates: Array, C: Array, C_prev: Array) -> tuple[Array, Array]:
    """One step, right: ∂L/∂(pre-activations) (N, 4H), and ∂L/∂c of the step before."""
    i, f, g, o = np.split(gates, 4, axis=1)
    dC = dC + dY * o * (1 - np.tanh(C) ** 2)
    d = (dC * g * i * (1 - i), dC * C_prev * f * (1 - f), dC * i * (1 - g**2), dY * np.tanh(C) * o * (1 - o))
    return np.hstack(d), dC * f


def wrong(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM; a row a sequence."""
    G, Y, C = _forward(params, xs, state)
    ps = softmax(Y[1:] @ params["W_hy"] + params["b_y"])
    dy = ps - np.eye(ps.shape[2])[targets]
    dY, dG, dC = dy @ params["W_hy"].T, np.zeros_like(G), np.zeros_like(state[1])
    for t in reversed(range(len(xs))):
        dGt, dC = _gates_backward(dY[t], dC, G[t], C[t + 1], C[t])
        if t > 0:
            dY[t - 1] += dGt @ params["W_hh"].T
        # dGt was used for the carry, and is gone with the next step.
    grads: Params = {"W_xh": np.einsum("tnd,tng->dg", xs, dG), "W_hh": np.einsum("tnh,tng->hg", Y[:-1], dG)}
    grads |= {"b_h": dG.sum(axis=(0, 1)), "W_hy": np.einsum("tnh,tnk->hk", Y[1:], dy), "b_y": dy.sum(axis=(0, 1))}
    return cross_entropy_rows(ps, targets), grads


def right(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM; a row a sequence."""
    G, Y, C = _forward(params, xs, state)
    ps = softmax(Y[1:] @ params["W_hy"] + params["b_y"])
    dy = ps - np.eye(ps.shape[2])[targets]
    dY, dG, dC = dy @ params["W_hy"].T, np.zeros_like(G), np.zeros_like(state[1])
    for t in reversed(range(len(xs))):
        dGt, dC = _gates_backward(dY[t], dC, G[t], C[t + 1], C[t])
        if t > 0:
            dY[t - 1] += dGt @ params["W_hh"].T
        dG[t] = dGt
    grads: Params = {"W_xh": np.einsum("tnd,tng->dg", xs, dG), "W_hh": np.einsum("tnh,tng->hg", Y[:-1], dG)}
    grads |= {"b_h": dG.sum(axis=(0, 1)), "W_hy": np.einsum("tnh,tnk->hk", Y[1:], dy), "b_y": dy.sum(axis=(0, 1))}
    return cross_entropy_rows(ps, targets), grads


EXHIBIT = Exhibit(
    name="zeros_never_filled",
    title="Zeros, behind tests that compare shapes",
    provenance="Thinc, the library under spaCy: the LSTM of its base class for array operations",
    source="explosion/thinc, thinc/backends/ops.py, pull requests 304 and 459; tests as in the fork shadeMe/thinc, "
    "thinc/tests/layers/test_lstm.py",
    confirmed="Read at commit a9498a2: backprop_lstm allocates dG as zeros, computes dGt3 for every step, and takes "
    "dWx, dWh, d_bias and dX from dG, which is not written to. The LSTM came with pull request 459 (20 January "
    "2021); the benchmark in 304 calls the backward's speed a bit too good to be true. NumpyOps has another "
    "implementation, in C++. The tests were read at 4bf063f.",
    wrong_for="unknown; from January 2021 on",
    what="Every gradient of the layer, the one for its inputs included, is exactly zero. What is computed at each step "
    "is used for the step before and thrown away.",
    missed_by="For this class of operations the tests compare .shape of the gradients. The one test that looks at a "
    "loss falling takes the default operations, which are the other implementation.",
    kind="zero",
    reference="lstm",
    where="W_xh, W_hh, b_h: all zero",
    wrong=wrong,
    right=right,
    line_wrong="# dGt was used for the carry, and is gone with the next step.",
    line_right="dG[t] = dGt",
)
