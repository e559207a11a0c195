"""A derivative written for the pre-activation is fed the output: 1 − tanh²(tanh a)."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import cross_entropy, one_hot, rnn_in_columns, softmax_columns, zeros


def _tanh(x: Array, derivative: bool = False) -> Array:
    """tanh(x); with the flag, its derivative at x."""
    return 1 - np.tanh(x) ** 2 if derivative else np.tanh(x)


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    hs, sums, ps = {-1: h0}, [], []
    for t, x in enumerate(xs):
        sums.append(p["Wxh"] @ x + p["Whh"] @ hs[t - 1] + p["bh"])
        hs[t] = _tanh(sums[t])
        ps.append(softmax_columns(p["Why"] @ hs[t] + p["by"]))
    grads, d_h_next = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        d_o = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Why"] += d_o @ hs[t].T
        grads["by"] += d_o.sum(axis=1, keepdims=True)
        d_h = p["Why"].T @ d_o + d_h_next
        # The same function, with another idea of what its argument is, would be right for either.
        d_f = _tanh(hs[t], derivative=True) * d_h
        grads["bh"] += d_f.sum(axis=1, keepdims=True)
        grads["Wxh"] += d_f @ xs[t].T
        grads["Whh"] += d_f @ hs[t - 1].T
        d_h_next = p["Whh"].T @ d_f
    return cross_entropy(ps, targets), grads


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    hs, sums, ps = {-1: h0}, [], []
    for t, x in enumerate(xs):
        sums.append(p["Wxh"] @ x + p["Whh"] @ hs[t - 1] + p["bh"])
        hs[t] = _tanh(sums[t])
        ps.append(softmax_columns(p["Why"] @ hs[t] + p["by"]))
    grads, d_h_next = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        d_o = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Why"] += d_o @ hs[t].T
        grads["by"] += d_o.sum(axis=1, keepdims=True)
        d_h = p["Why"].T @ d_o + d_h_next
        # The same function, with another idea of what its argument is, would be right for either.
        d_f = _tanh(sums[t], derivative=True) * d_h
        grads["bh"] += d_f.sum(axis=1, keepdims=True)
        grads["Wxh"] += d_f @ xs[t].T
        grads["Whh"] += d_f @ hs[t - 1].T
        d_h_next = p["Whh"].T @ d_f
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="tanh_of_tanh",
    title="tanh′ at tanh a instead of at a",
    provenance="nicklashansen's 'How to build RNNs and LSTMs from scratch', made for a course at a university",
    source="nicklashansen/rnn_lstm_from_scratch, RNN_LSTM_from_scratch.ipynb, and issue 1",
    confirmed="Read at commit 0a292c4: tanh(x, derivative=True) is 1 − tanh(x)² at x, and the vanilla network's "
    "backward calls it with hidden_states[t]; the LSTM's calls it with g[t] and even with tanh(C[t]). Issue 1 of "
    "15 October 2019 tells of the LSTM alone.",
    wrong_for="at least since October 2019",
    what="The hidden state has gone through tanh once; its derivative is 1 − h². Here h goes through tanh again, and "
    "the slope comes out too large, the more so the further h is from 0.",
    missed_by="No gradient check. Near h = 0 both slopes are 1, so it is small where training starts.",
    kind="activation-derivative",
    reference="rnn",
    where="W_xh, W_hh, b_h, at every step, one step alone included",
    wrong=wrong,
    right=right,
    line_wrong="d_f = _tanh(hs[t], derivative=True) * d_h",
    line_right="d_f = _tanh(sums[t], derivative=True) * d_h",
)
