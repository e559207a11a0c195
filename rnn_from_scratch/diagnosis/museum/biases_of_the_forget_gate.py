"""Two gates' biases were given the forget gate's delta: a line copied twice and not changed."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dh, dc = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_prev, i, f, g, o, c, h = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        dh = dh + p["Wy"].T @ dy
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        delta_f, delta_i = dc * c_prev * f * (1 - f), dc * g * i * (1 - i)
        delta_c, delta_o = dc * i * (1 - g**2), dh * np.tanh(c) * o * (1 - o)
        for k, delta in zip(GATES, (delta_i, delta_f, delta_c, delta_o), strict=True):
            grads["W" + k] += delta @ z.T
        grads["bf"] += delta_f.sum(axis=1, keepdims=True)
        # All four biases have one shape, so each takes any of these.
        grads["bi"] += delta_f.sum(axis=1, keepdims=True)
        grads["bo"] += delta_f.sum(axis=1, keepdims=True)
        grads["bc"] += delta_c.sum(axis=1, keepdims=True)
        back = zip(GATES, (delta_i, delta_f, delta_c, delta_o), strict=True)
        dh, dc = sum(p["W" + k][:, : len(h)].T @ delta for k, delta in back), dc * f
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dh, dc = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_prev, i, f, g, o, c, h = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        dh = dh + p["Wy"].T @ dy
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        delta_f, delta_i = dc * c_prev * f * (1 - f), dc * g * i * (1 - i)
        delta_c, delta_o = dc * i * (1 - g**2), dh * np.tanh(c) * o * (1 - o)
        for k, delta in zip(GATES, (delta_i, delta_f, delta_c, delta_o), strict=True):
            grads["W" + k] += delta @ z.T
        grads["bf"] += delta_f.sum(axis=1, keepdims=True)
        # All four biases have one shape, so each takes any of these.
        grads["bi"] += delta_i.sum(axis=1, keepdims=True)
        grads["bo"] += delta_o.sum(axis=1, keepdims=True)
        grads["bc"] += delta_c.sum(axis=1, keepdims=True)
        back = zip(GATES, (delta_i, delta_f, delta_c, delta_o), strict=True)
        dh, dc = sum(p["W" + k][:, : len(h)].T @ delta for k, delta in back), dc * f
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="biases_of_the_forget_gate",
    title="Three biases, one gate's delta",
    provenance="hanbt's learn_dl, the code of a well-known Chinese introduction to deep learning",
    source="hanbt/learn_dl, lstm.py, issue 53 and pull request 63",
    confirmed="Read at commit eff712e: in calc_gradient_t bi_grad and bo_grad are delta_f_list[t]. Issue 53 of "
    "25 September 2019 names the two lines; pull request 63 of 25 May 2026, merged, mends them.",
    wrong_for="at least 6 years and 8 months: reported in September 2019, mended in May 2026",
    what="The biases of the input and the output gate get the forget gate's gradient. Their weights' gradients are "
    "right, so most of the layer learns.",
    missed_by="gradient_check perturbs W_fh alone, one array of twelve, and prints two numbers for a reader to "
    "compare instead of asserting anything.",
    kind="wrong-gate",
    reference="lstm",
    where="b_h, the gates i and o",
    wrong=wrong,
    right=right,
    line_wrong='grads["bi"] += delta_f.sum(axis=1, keepdims=True)\ngrads["bo"] += delta_f.sum(axis=1, keepdims=True)',
    line_right='grads["bi"] += delta_i.sum(axis=1, keepdims=True)\ngrads["bo"] += delta_o.sum(axis=1, keepdims=True)',
)
