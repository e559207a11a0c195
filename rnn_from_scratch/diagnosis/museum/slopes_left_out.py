"""The weights' gradients have the gates' slopes, the way back to h_{t−1} has not."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dfhs, dfcs = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, pcs, i, f, g, o, cs, h = steps[t]
        error = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += error @ h.T
        grads["by"] += error.sum(axis=1, keepdims=True)
        e = p["Wy"].T @ error + dfhs
        dcs = e * o * (1 - np.tanh(cs) ** 2) + dfcs
        d = {"o": np.tanh(cs) * e, "c": dcs * i, "i": dcs * g, "f": dcs * pcs}
        slope = {"o": o * (1 - o), "c": 1 - g**2, "i": i * (1 - i), "f": f * (1 - f)}
        for k in GATES:
            grads["W" + k] += (d[k] * slope[k]) @ z.T
            grads["b" + k] += (d[k] * slope[k]).sum(axis=1, keepdims=True)
        # d is ∂L/∂(gate); a matrix takes it back only from ∂L/∂(pre-activation).
        dfhs = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)
        dfcs = dcs * f
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dfhs, dfcs = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, pcs, i, f, g, o, cs, h = steps[t]
        error = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += error @ h.T
        grads["by"] += error.sum(axis=1, keepdims=True)
        e = p["Wy"].T @ error + dfhs
        dcs = e * o * (1 - np.tanh(cs) ** 2) + dfcs
        d = {"o": np.tanh(cs) * e, "c": dcs * i, "i": dcs * g, "f": dcs * pcs}
        slope = {"o": o * (1 - o), "c": 1 - g**2, "i": i * (1 - i), "f": f * (1 - f)}
        for k in GATES:
            grads["W" + k] += (d[k] * slope[k]) @ z.T
            grads["b" + k] += (d[k] * slope[k]).sum(axis=1, keepdims=True)
        # d is ∂L/∂(gate); a matrix takes it back only from ∂L/∂(pre-activation).
        dfhs = sum(p["W" + k][:, : len(h)].T @ (d[k] * slope[k]) for k in GATES)
        dfcs = dcs * f
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="slopes_left_out",
    title="Slopes for the weights, none for the way back",
    provenance="llSourcell's LSTM demo, and its copies",
    source="llSourcell/LSTM_Networks, LSTM Demo.ipynb, and issue 4",
    confirmed="Read at commit 4e8b17d: the updates of the four weight matrices multiply by dsigmoid or dtangent, dphs "
    "is np.dot(dc, self.c) + … of the same dc, do, di, df without them. Issue 4 (25 July 2018, open) asks. Several "
    "copies have that line, letter for letter. The original also clips within the loop and applies σ twice.",
    wrong_for="at least since July 2018",
    what="On its way to h_{t−1} the gradient passes the gates' matrices but not the gates: the shares of "
    "the three gates come back four times too large or more, where they should have shrunk.",
    missed_by="No gradient check, and the clipping to ±6 inside the loop hides that the gradient grows. One cell of "
    "the notebook does not even parse.",
    kind="activation-derivative",
    reference="lstm",
    where="W_xh, W_hh, b_h, all gates, from two steps on",
    wrong=wrong,
    right=right,
    line_wrong='dfhs = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)',
    line_right='dfhs = sum(p["W" + k][:, : len(h)].T @ (d[k] * slope[k]) for k in GATES)',
)
