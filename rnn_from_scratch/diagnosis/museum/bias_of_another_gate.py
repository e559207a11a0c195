"""The backward computes the pre-activations again, with the output gate's bias in two gates more."""

from __future__ import annotations

import numpy as np

from ...activations import sigmoid, sigmoid_derivative, softmax
from ...arrays import Array, Params, State
from .exhibit import Exhibit
from .styles import cross_entropy_rows


def _sigmoid_grad(a: Array) -> Array:
    """σ′ from the pre-activation."""
    return sigmoid_derivative(sigmoid(a))


def wrong(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM; a row a sequence."""
    W = np.vstack([params["W_hh"], params["W_xh"]])  # (H + D, 4H), for [A, X]
    Wu, Wf, Wc, Wo = np.split(W, 4, axis=1)
    bu, bf, bc, bo = np.split(params["b_h"], 4)
    A, C, Z = [state[0]], [state[1]], []
    for x in xs:
        Z.append(np.hstack([A[-1], x]))
        C.append(sigmoid(Z[-1] @ Wf + bf) * C[-1] + sigmoid(Z[-1] @ Wu + bu) * np.tanh(Z[-1] @ Wc + bc))
        A.append(sigmoid(Z[-1] @ Wo + bo) * np.tanh(C[-1]))
    ps = softmax(np.stack(A[1:]) @ params["W_hy"] + params["b_y"])
    dy, H = ps - np.eye(ps.shape[2])[targets], state[0].shape[1]
    dA, dC, dW, db = np.zeros_like(A[0]), np.zeros_like(C[0]), np.zeros_like(W), np.zeros_like(params["b_h"])
    for t in reversed(range(len(xs))):
        _Go, _Gc = Z[t] @ Wo + bo, Z[t] @ Wc + bc
        # The forward above has the right ones; σ′ is taken here.
        _Gf = Z[t] @ Wf + bo
        _Gu = Z[t] @ Wu + bo
        i, f, g, o = sigmoid(Z[t] @ Wu + bu), sigmoid(Z[t] @ Wf + bf), np.tanh(_Gc), sigmoid(_Go)
        dA = dA + dy[t] @ params["W_hy"].T
        dC = dC + dA * o * (1 - np.tanh(C[t + 1]) ** 2)
        d = [dC * g * _sigmoid_grad(_Gu), dC * C[t] * _sigmoid_grad(_Gf), dC * i * (1 - g**2)]
        delta = np.hstack([*d, dA * np.tanh(C[t + 1]) * _sigmoid_grad(_Go)])
        dW += Z[t].T @ delta
        db += delta.sum(axis=0)
        dA, dC = delta @ W[:H].T, dC * f
    grads: Params = {"W_xh": dW[H:], "W_hh": dW[:H], "b_h": db}
    grads |= {"W_hy": np.einsum("tnh,tnk->hk", np.stack(A[1:]), dy), "b_y": dy.sum(axis=(0, 1))}
    return cross_entropy_rows(ps, targets), grads


def right(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM; a row a sequence."""
    W = np.vstack([params["W_hh"], params["W_xh"]])  # (H + D, 4H), for [A, X]
    Wu, Wf, Wc, Wo = np.split(W, 4, axis=1)
    bu, bf, bc, bo = np.split(params["b_h"], 4)
    A, C, Z = [state[0]], [state[1]], []
    for x in xs:
        Z.append(np.hstack([A[-1], x]))
        C.append(sigmoid(Z[-1] @ Wf + bf) * C[-1] + sigmoid(Z[-1] @ Wu + bu) * np.tanh(Z[-1] @ Wc + bc))
        A.append(sigmoid(Z[-1] @ Wo + bo) * np.tanh(C[-1]))
    ps = softmax(np.stack(A[1:]) @ params["W_hy"] + params["b_y"])
    dy, H = ps - np.eye(ps.shape[2])[targets], state[0].shape[1]
    dA, dC, dW, db = np.zeros_like(A[0]), np.zeros_like(C[0]), np.zeros_like(W), np.zeros_like(params["b_h"])
    for t in reversed(range(len(xs))):
        _Go, _Gc = Z[t] @ Wo + bo, Z[t] @ Wc + bc
        # The forward above has the right ones; σ′ is taken here.
        _Gf = Z[t] @ Wf + bf
        _Gu = Z[t] @ Wu + bu
        i, f, g, o = sigmoid(Z[t] @ Wu + bu), sigmoid(Z[t] @ Wf + bf), np.tanh(_Gc), sigmoid(_Go)
        dA = dA + dy[t] @ params["W_hy"].T
        dC = dC + dA * o * (1 - np.tanh(C[t + 1]) ** 2)
        d = [dC * g * _sigmoid_grad(_Gu), dC * C[t] * _sigmoid_grad(_Gf), dC * i * (1 - g**2)]
        delta = np.hstack([*d, dA * np.tanh(C[t + 1]) * _sigmoid_grad(_Go)])
        dW += Z[t].T @ delta
        db += delta.sum(axis=0)
        dA, dC = delta @ W[:H].T, dC * f
    grads: Params = {"W_xh": dW[H:], "W_hh": dW[:H], "b_h": db}
    grads |= {"W_hy": np.einsum("tnh,tnk->hk", np.stack(A[1:]), dy), "b_y": dy.sum(axis=(0, 1))}
    return cross_entropy_rows(ps, targets), grads


EXHIBIT = Exhibit(
    name="bias_of_another_gate",
    title="Right until the first update: another gate's bias",
    provenance="ddbourgin's numpy-ml, LSTMCell.backward",
    source="ddbourgin/numpy-ml, numpy_ml/neural_nets/layers/layers.py, and issue 42",
    confirmed="Read at commit 4aacd92: _Gf = Zt @ Wf + bo and _Gu = Zt @ Wu + bo, in backward. Issue 42 (19 December "
    "2019) quotes them as a mistake of the forward pass; the forward has bf and bu. The maintainer agreed the next "
    "day, with a word on copying and pasting.",
    wrong_for="unknown; until December 2019",
    what="σ′ of the forget and the update gate is taken where these gates would be with the output gate's bias. "
    "Everything else, the forward included, is right.",
    missed_by="All biases start at zero, where bo, bf and bu are the same numbers: a check before training passes, "
    "and the gradient goes wrong with the first update.",
    kind="wrong-gate",
    reference="lstm",
    where="the gates i and f of W_xh, W_hh, b_h; through dh all gates from two steps on; nothing while biases are 0",
    wrong=wrong,
    right=right,
    line_wrong="_Gf = Z[t] @ Wf + bo\n_Gu = Z[t] @ Wu + bo",
    line_right="_Gf = Z[t] @ Wf + bf\n_Gu = Z[t] @ Wu + bu",
)
