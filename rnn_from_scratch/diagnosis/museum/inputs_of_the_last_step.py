"""The recurrent weights' gradient is summed over time, the input weights' is the last step's alone."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dh, dc, H = zeros(p), np.zeros_like(h0), np.zeros_like(c0), len(h0)
    deltas: list[dict[str, Array]] = [{} for _ in xs]
    for t in reversed(range(len(xs))):
        z, c_prev, i, f, g, o, c, h = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        dh = dh + p["Wy"].T @ dy
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        deltas[t] = {"f": dc * c_prev * f * (1 - f), "i": dc * g * i * (1 - i)}
        deltas[t] |= {"c": dc * i * (1 - g**2), "o": dh * np.tanh(c) * o * (1 - o)}
        for k in GATES:
            grads["W" + k][:, :H] += deltas[t][k] @ z[:H].T
            grads["b" + k] += deltas[t][k].sum(axis=1, keepdims=True)
        dh, dc = sum(p["W" + k][:, :H].T @ deltas[t][k] for k in GATES), dc * f
    for k in GATES:
        # The columns behind the first H belong to x: every step has its own.
        grads["W" + k][:, H:] = deltas[-1][k] @ xs[-1].T
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dh, dc, H = zeros(p), np.zeros_like(h0), np.zeros_like(c0), len(h0)
    deltas: list[dict[str, Array]] = [{} for _ in xs]
    for t in reversed(range(len(xs))):
        z, c_prev, i, f, g, o, c, h = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        dh = dh + p["Wy"].T @ dy
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        deltas[t] = {"f": dc * c_prev * f * (1 - f), "i": dc * g * i * (1 - i)}
        deltas[t] |= {"c": dc * i * (1 - g**2), "o": dh * np.tanh(c) * o * (1 - o)}
        for k in GATES:
            grads["W" + k][:, :H] += deltas[t][k] @ z[:H].T
            grads["b" + k] += deltas[t][k].sum(axis=1, keepdims=True)
        dh, dc = sum(p["W" + k][:, :H].T @ deltas[t][k] for k in GATES), dc * f
    for k in GATES:
        # The columns behind the first H belong to x: every step has its own.
        grads["W" + k][:, H:] = sum(delta[k] @ x.T for delta, x in zip(deltas, xs, strict=True))
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="inputs_of_the_last_step",
    title="Input weights that see the last step alone",
    provenance="hanbt's learn_dl, the code of a well-known Chinese introduction to deep learning",
    source="hanbt/learn_dl, lstm.py",
    confirmed="Read at commit eff712e: calc_gradient adds up the gradients of W_fh, W_ih, W_oh, W_ch and the biases "
    "over all steps, then sets those of W_fx, W_ix, W_ox, W_cx from delta_…_list[-1] and the x that backward was "
    "given, the last one. No issue about it was found.",
    wrong_for="unknown",
    what="x_t multiplies W_xh at every step, so its gradient is a sum over the steps; here it is one term of that "
    "sum. The text treats the inputs as the layer below, of which there is one at each step.",
    missed_by="gradient_check perturbs W_fh alone, one array of twelve and one that is summed; it asserts nothing "
    "about it either, but prints.",
    kind="not-summed-over-time",
    reference="lstm",
    where="W_xh, all four gates; right at T = 1",
    wrong=wrong,
    right=right,
    line_wrong='grads["W" + k][:, H:] = deltas[-1][k] @ xs[-1].T',
    line_right='grads["W" + k][:, H:] = sum(delta[k] @ x.T for delta, x in zip(deltas, xs, strict=True))',
)
