"""A list of T + 1 states, the initial one first, is read as if it had T."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    h_s = [h0, *(step.h for step in steps)]
    grads, dh_next, dC_next = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, C_prev, i, f, g, o, C, _ = steps[t]
        dv = ps[t] - one_hot(targets[t], len(ps[t]))
        # Everything else that step t has left is at t in its list; the states' list starts one earlier.
        grads["Wy"] += dv @ h_s[t].T
        grads["by"] += dv.sum(axis=1, keepdims=True)
        dh = p["Wy"].T @ dv + dh_next
        dC = dC_next + dh * o * (1 - np.tanh(C) ** 2)
        d = {"o": dh * np.tanh(C) * o * (1 - o), "c": dC * i * (1 - g**2)}
        d |= {"i": dC * g * i * (1 - i), "f": dC * C_prev * f * (1 - f)}
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        dh_next = sum(p["W" + k][:, : len(h0)].T @ d[k] for k in GATES)
        dC_next = f * dC
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    h_s = [h0, *(step.h for step in steps)]
    grads, dh_next, dC_next = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, C_prev, i, f, g, o, C, _ = steps[t]
        dv = ps[t] - one_hot(targets[t], len(ps[t]))
        # Everything else that step t has left is at t in its list; the states' list starts one earlier.
        grads["Wy"] += dv @ h_s[t + 1].T
        grads["by"] += dv.sum(axis=1, keepdims=True)
        dh = p["Wy"].T @ dv + dh_next
        dC = dC_next + dh * o * (1 - np.tanh(C) ** 2)
        d = {"o": dh * np.tanh(C) * o * (1 - o), "c": dC * i * (1 - g**2)}
        d |= {"i": dC * g * i * (1 - i), "f": dC * C_prev * f * (1 - f)}
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        dh_next = sum(p["W" + k][:, : len(h0)].T @ d[k] for k in GATES)
        dC_next = f * dC
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="index_one_off",
    title="An index one off: the list starts with the state before",
    provenance="nicklashansen's 'How to build RNNs and LSTMs from scratch', made for a course at a university",
    source="nicklashansen/rnn_lstm_from_scratch, RNN_LSTM_from_scratch.ipynb",
    confirmed="Read at commit 0a292c4: the LSTM's forward appends the initial h and C to their lists before the loop, "
    "and the text above backward says that these have size m+1. backward takes h[t] for W_v, C[t] for the cell state "
    "and C[t-1] for the one before, each one step too early. Here the first of these stands alone.",
    wrong_for="unknown; so in the version read",
    what="y_t is read from h_t, but its error is multiplied with h_{t−1}. At the first step that is the initial state: "
    "with zeros to start from, the first step's share is lost.",
    missed_by="The text above forward says that all its lists have size m, two have m + 1. No gradient check: the "
    "backward pass is already done for you, it says, and the loss falls.",
    kind="output-layer",
    reference="lstm",
    where="W_hy, at every step",
    wrong=wrong,
    right=right,
    line_wrong='grads["Wy"] += dv @ h_s[t].T',
    line_right='grads["Wy"] += dv @ h_s[t + 1].T',
)
