"""hs[t − 1] at t = 0 is hs[−1]: the state before the first is the last."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import cross_entropy, one_hot, rnn_in_columns, softmax_columns, zeros


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    state, states, ps = h0, [], []
    for x in xs:
        state = np.tanh(p["Wxh"] @ x + p["Whh"] @ state + p["bh"])
        states.append(state)
        ps.append(softmax_columns(p["Why"] @ state + p["by"]))
    grads, d_h_next = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        d_o = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Why"] += d_o @ states[t].T
        grads["by"] += d_o.sum(axis=1, keepdims=True)
        d_f = (1 - states[t] ** 2) * (p["Why"].T @ d_o + d_h_next)
        grads["bh"] += d_f.sum(axis=1, keepdims=True)
        grads["Wxh"] += d_f @ xs[t].T
        # The list starts with the state after the first step; what came before it is not in it.
        grads["Whh"] += d_f @ states[t - 1].T
        d_h_next = p["Whh"].T @ d_f
    return cross_entropy(ps, targets), grads


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    state, states, ps = h0, [], []
    for x in xs:
        state = np.tanh(p["Wxh"] @ x + p["Whh"] @ state + p["bh"])
        states.append(state)
        ps.append(softmax_columns(p["Why"] @ state + p["by"]))
    grads, d_h_next = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        d_o = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Why"] += d_o @ states[t].T
        grads["by"] += d_o.sum(axis=1, keepdims=True)
        d_f = (1 - states[t] ** 2) * (p["Why"].T @ d_o + d_h_next)
        grads["bh"] += d_f.sum(axis=1, keepdims=True)
        grads["Wxh"] += d_f @ xs[t].T
        # The list starts with the state after the first step; what came before it is not in it.
        grads["Whh"] += d_f @ (states[t - 1] if t > 0 else h0).T
        d_h_next = p["Whh"].T @ d_f
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="negative_index",
    title="The state before the first is the last",
    provenance="nicklashansen's notebook; a reader's proposal to mend the (right) WildML tutorial; copies of that",
    source="nicklashansen/rnn_lstm_from_scratch, RNN_LSTM_from_scratch.ipynb; dennybritz/rnn-tutorial-rnnlm, pull "
    "request 21",
    confirmed="nicklashansen (commit 0a292c4): hidden_states holds what forward_pass appended, and d_V takes "
    "hidden_states[t-1] at t = 0 too. The tutorial keeps T + 1 states so that index −1 stays the zero before the "
    "start; pull request 21 (19 January 2018, open; commit 0c7fd26) makes it T and calls that a very minor point.",
    wrong_for="at least since October 2019 in the notebook",
    what="At the first step W_hh's gradient pairs the delta with the last state of all, since a Python list counts "
    "−1 from its end. Neither an error nor a warning tells.",
    missed_by="The notebook has no gradient check. The tutorial has one: computed again with T states, all 100 "
    "entries of W fail it. Whoever proposed the change did not run it.",
    kind="wrong-time-index",
    reference="rnn",
    where="W_hh, the first step alone",
    wrong=wrong,
    right=right,
    line_wrong='grads["Whh"] += d_f @ states[t - 1].T',
    line_right='grads["Whh"] += d_f @ (states[t - 1] if t > 0 else h0).T',
)
