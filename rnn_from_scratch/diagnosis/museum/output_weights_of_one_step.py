"""An = where a += is meant: of the output weights' gradient the step visited last remains, the first in time."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, grad_s, grad_c = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_old, i, f, g, o, c, s = steps[t]
        delta_y = ps[t] - one_hot(targets[t], len(ps[t]))
        # Every step has an output of its own, and one matrix makes them all.
        grads["Wy"] = delta_y @ s.T
        grads["by"] += delta_y.sum(axis=1, keepdims=True)
        grad_s = grad_s + p["Wy"].T @ delta_y
        grad_c = grad_c + grad_s * o * (1 - np.tanh(c) ** 2)
        d = {"f": grad_c * c_old * f * (1 - f), "i": grad_c * g * i * (1 - i)}
        d |= {"c": grad_c * i * (1 - g**2), "o": grad_s * np.tanh(c) * o * (1 - o)}
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        grad_s, grad_c = sum(p["W" + k][:, : len(s)].T @ d[k] for k in GATES), grad_c * f
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, grad_s, grad_c = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_old, i, f, g, o, c, s = steps[t]
        delta_y = ps[t] - one_hot(targets[t], len(ps[t]))
        # Every step has an output of its own, and one matrix makes them all.
        grads["Wy"] += delta_y @ s.T
        grads["by"] += delta_y.sum(axis=1, keepdims=True)
        grad_s = grad_s + p["Wy"].T @ delta_y
        grad_c = grad_c + grad_s * o * (1 - np.tanh(c) ** 2)
        d = {"f": grad_c * c_old * f * (1 - f), "i": grad_c * g * i * (1 - i)}
        d |= {"c": grad_c * i * (1 - g**2), "o": grad_s * np.tanh(c) * o * (1 - o)}
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        grad_s, grad_c = sum(p["W" + k][:, : len(s)].T @ d[k] for k in GATES), grad_c * f
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="output_weights_of_one_step",
    title="= where += is meant",
    provenance="tianyic's LSTM and GRU on a language model, published with a DOI in 2016",
    source="tianyic/LSTM-GRU, LSTM.py",
    confirmed="Both stored versions (commits 1423bc3, ea8ce4f): self.grad_V = np.outer(…) inside the loop over time, "
    "where every other array has +=. Neither uses grad_V afterwards: V is not updated at all.",
    wrong_for="unknown; so in both versions read",
    what="The gradient of the output weights is set anew at every step. The loop goes backwards, so what remains is "
    "the first step's; the others are lost.",
    missed_by="An array that is computed and never used is missed by nothing. The loss falls by the other weights.",
    kind="output-layer",
    reference="lstm",
    where="W_hy: the first step's share alone; right at T = 1",
    wrong=wrong,
    right=right,
    line_wrong='grads["Wy"] = delta_y @ s.T',
    line_right='grads["Wy"] += delta_y @ s.T',
)
