"""The loss is a mean over the classes, its gradient that of the sum: K times too large for it."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import one_hot, rnn_forward, rnn_in_columns, zeros


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    hs, outputs = rnn_forward(p, xs, h0)
    grads, d_h_next, losses = zeros(p), np.zeros_like(h0), np.zeros(targets.shape)
    for t in reversed(range(len(xs))):
        hot = one_hot(targets[t], len(outputs[t]))
        # One of the K products is not zero: their mean is the cross-entropy divided by K.
        losses[t] = -np.mean(hot * np.log(outputs[t]), axis=0)
        d_o = outputs[t] - hot
        grads["Why"] += d_o @ hs[t].T
        grads["by"] += d_o.sum(axis=1, keepdims=True)
        d_f = (1 - hs[t] ** 2) * (p["Why"].T @ d_o + d_h_next)
        grads["bh"] += d_f.sum(axis=1, keepdims=True)
        grads["Wxh"] += d_f @ xs[t].T
        grads["Whh"] += d_f @ hs[t - 1].T
        d_h_next = p["Whh"].T @ d_f
    return losses, grads


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    hs, outputs = rnn_forward(p, xs, h0)
    grads, d_h_next, losses = zeros(p), np.zeros_like(h0), np.zeros(targets.shape)
    for t in reversed(range(len(xs))):
        hot = one_hot(targets[t], len(outputs[t]))
        # One of the K products is not zero: their mean is the cross-entropy divided by K.
        losses[t] = -np.sum(hot * np.log(outputs[t]), axis=0)
        d_o = outputs[t] - hot
        grads["Why"] += d_o @ hs[t].T
        grads["by"] += d_o.sum(axis=1, keepdims=True)
        d_f = (1 - hs[t] ** 2) * (p["Why"].T @ d_o + d_h_next)
        grads["bh"] += d_f.sum(axis=1, keepdims=True)
        grads["Wxh"] += d_f @ xs[t].T
        grads["Whh"] += d_f @ hs[t - 1].T
        d_h_next = p["Whh"].T @ d_f
    return losses, grads


EXHIBIT = Exhibit(
    name="mean_over_classes",
    title="The loss divided, its gradient not",
    provenance="nicklashansen's 'How to build RNNs and LSTMs from scratch'; gy910210's RNN from scratch likewise",
    source="nicklashansen/rnn_lstm_from_scratch, RNN_LSTM_from_scratch.ipynb; gy910210/rnn-from-scratch, rnn.py",
    confirmed="Read at commit 0a292c4: the loss adds −mean(log(outputs[t]) · targets[t]), four classes, and the "
    "gradient beside it is p minus the target's row. The text calls the mean optional and names no change to the "
    "gradient. gy910210 (commit 47548a8) divides the loss by the sentence's length and the gradient by nothing.",
    wrong_for="at least since October 2019",
    what="Loss and gradient belong to two functions that differ by a factor, here the number of classes K. The "
    "direction is right, so nothing shows in training but a learning rate K times what it says.",
    missed_by="Two lines of one loop, each right alone. A gradient check would have shown the same ratio everywhere.",
    kind="scale",
    reference="rnn",
    where="the losses, against which every gradient is K times too large",
    wrong=wrong,
    right=right,
    line_wrong="losses[t] = -np.mean(hot * np.log(outputs[t]), axis=0)",
    line_right="losses[t] = -np.sum(hot * np.log(outputs[t]), axis=0)",
)
