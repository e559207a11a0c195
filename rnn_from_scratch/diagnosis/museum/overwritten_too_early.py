"""∂L/∂h is overwritten one line before ∂L/∂c needs it."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dh_prev, dc_prev = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_before, i, f, g, o, c, h = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        dh_prev = dh_prev + p["Wy"].T @ dy
        through = o * (1 - np.tanh(c) ** 2)
        d = {
            "f": (dc_prev * c_before + through * c_before * dh_prev) * f * (1 - f),
            "i": (dc_prev * g + through * g * dh_prev) * i * (1 - i),
            "c": (dc_prev * i + through * i * dh_prev) * (1 - g**2),
            "o": dh_prev * np.tanh(c) * o * (1 - o),
        }
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        # One name for two moments: before these lines dh_prev is ∂L/∂h_t, after the one that sets it, of h_{t−1}.
        dh_prev = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)
        dc_prev = dc_prev * f + through * f * dh_prev
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dh_prev, dc_prev = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_before, i, f, g, o, c, h = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        dh_prev = dh_prev + p["Wy"].T @ dy
        through = o * (1 - np.tanh(c) ** 2)
        d = {
            "f": (dc_prev * c_before + through * c_before * dh_prev) * f * (1 - f),
            "i": (dc_prev * g + through * g * dh_prev) * i * (1 - i),
            "c": (dc_prev * i + through * i * dh_prev) * (1 - g**2),
            "o": dh_prev * np.tanh(c) * o * (1 - o),
        }
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        # One name for two moments: before these lines dh_prev is ∂L/∂h_t, after the one that sets it, of h_{t−1}.
        dc_prev = dc_prev * f + through * f * dh_prev
        dh_prev = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="overwritten_too_early",
    title="Overwritten one line too early",
    provenance="NumPy's own tutorial on sentiment analysis with an LSTM, formerly on numpy.org",
    source="numpy/numpy-tutorials, content/tutorial-nlp-from-scratch.md",
    confirmed="Read at commit 028b593 and, rewritten into functions, at 732952b (content/articles/…): both set dh_prev "
    "and use it in the next line for dc_prev. Proposed in pull request 105 (2021), still edited in pull request 275 "
    "(10 November 2025); deleted since. There the loss stands at the last step alone, here at every step.",
    wrong_for="about four years",
    what="dc_{t−1} needs ∂L/∂h_t, but the line above has just put ∂L/∂h_{t−1} into that name. The cell's gradient is "
    "wrong from the second step back, and through it everything else.",
    missed_by="There was no gradient check, and the text says why results cannot be expected to be accurate. One name "
    "served two time steps, and exchanging two lines mends it.",
    kind="wrong-time-index",
    reference="lstm",
    where="W_xh, W_hh, b_h, all four gates",
    wrong=wrong,
    right=right,
    line_wrong='dh_prev = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)\n'
    "dc_prev = dc_prev * f + through * f * dh_prev",
    line_right="dc_prev = dc_prev * f + through * f * dh_prev\n"
    'dh_prev = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)',
)
