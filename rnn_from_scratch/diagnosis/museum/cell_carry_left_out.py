"""The cell's own path back in time is left out: all that an LSTM was invented for."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, delta_h, delta_c = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_prev, i, f, g, o, c, h = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        delta_h = delta_h + p["Wy"].T @ dy
        # c_t reaches the loss in two ways: through h_t, and through c_{t+1} = f ⊙ c_t + …
        delta_c = delta_h * o * (1 - np.tanh(c) ** 2)
        d = {"f": delta_c * c_prev * f * (1 - f), "i": delta_c * g * i * (1 - i)}
        d |= {"c": delta_c * i * (1 - g**2), "o": delta_h * np.tanh(c) * o * (1 - o)}
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        delta_h, delta_c = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES), delta_c * f
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, delta_h, delta_c = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_prev, i, f, g, o, c, h = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        delta_h = delta_h + p["Wy"].T @ dy
        # c_t reaches the loss in two ways: through h_t, and through c_{t+1} = f ⊙ c_t + …
        delta_c = delta_c + delta_h * o * (1 - np.tanh(c) ** 2)
        d = {"f": delta_c * c_prev * f * (1 - f), "i": delta_c * g * i * (1 - i)}
        d |= {"c": delta_c * i * (1 - g**2), "o": delta_h * np.tanh(c) * o * (1 - o)}
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        delta_h, delta_c = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES), delta_c * f
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="cell_carry_left_out",
    title="An LSTM without its carousel",
    provenance="hanbt's learn_dl, the code of a well-known Chinese introduction to deep learning",
    source="hanbt/learn_dl, lstm.py",
    confirmed="Read at commit eff712e: in calc_delta_k every gate's delta starts from delta_k, ∂L/∂h_k, alone, and "
    "only delta_h_prev goes on to k − 1; nothing is kept for the cell. No issue about it was found.",
    wrong_for="unknown",
    what="What reaches c_t through c_{t+1} is dropped, so the gradient goes back through the gates' matrices only: "
    "the path on which it neither vanishes nor explodes is missing.",
    missed_by="gradient_check has two steps, a zero start and the loss on the last output, and perturbs W_fh alone: "
    "at the first step h_0 = 0 and c_0 = 0 make that array's gradient zero, so the carry is never needed.",
    kind="cell-carry-dropped",
    reference="lstm",
    where="W_xh, W_hh, b_h, from two steps on; with two steps the gate o is right",
    wrong=wrong,
    right=right,
    line_wrong="delta_c = delta_h * o * (1 - np.tanh(c) ** 2)",
    line_right="delta_c = delta_c + delta_h * o * (1 - np.tanh(c) ** 2)",
)
