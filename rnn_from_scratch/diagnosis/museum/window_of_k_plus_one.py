"""Truncated by default: a window of k steps that has k + 1, checked with a window of a thousand."""

from __future__ import annotations

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import cross_entropy, one_hot, rnn_forward, rnn_in_columns, zeros

BPTT_TRUNCATE = 1  # the original's default is 4: with one, three steps are enough to show it


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    s, o = rnn_forward(p, xs, h0)
    grads = zeros(p)
    for t in reversed(range(len(xs))):
        delta_o = o[t] - one_hot(targets[t], len(o[t]))
        grads["Why"] += delta_o @ s[t].T
        grads["by"] += delta_o.sum(axis=1, keepdims=True)
        delta_t = p["Why"].T @ delta_o * (1 - s[t] ** 2)
        # From t down to t − 1, both included: two steps for a window of one.
        for step in range(t, max(0, t - BPTT_TRUNCATE) - 1, -1):
            grads["Whh"] += delta_t @ s[step - 1].T
            grads["Wxh"] += delta_t @ xs[step].T
            grads["bh"] += delta_t.sum(axis=1, keepdims=True)
            delta_t = p["Whh"].T @ delta_t * (1 - s[step - 1] ** 2)
    return cross_entropy(o, targets), grads


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    s, o = rnn_forward(p, xs, h0)
    grads = zeros(p)
    for t in reversed(range(len(xs))):
        delta_o = o[t] - one_hot(targets[t], len(o[t]))
        grads["Why"] += delta_o @ s[t].T
        grads["by"] += delta_o.sum(axis=1, keepdims=True)
        delta_t = p["Why"].T @ delta_o * (1 - s[t] ** 2)
        # All the way, which is what the loss is the sum of.
        for step in range(t, -1, -1):
            grads["Whh"] += delta_t @ s[step - 1].T
            grads["Wxh"] += delta_t @ xs[step].T
            grads["bh"] += delta_t.sum(axis=1, keepdims=True)
            delta_t = p["Whh"].T @ delta_t * (1 - s[step - 1] ** 2)
    return cross_entropy(o, targets), grads


EXHIBIT = Exhibit(
    name="window_of_k_plus_one",
    title="At most k steps, which are k + 1",
    provenance="WildML's RNN tutorial, and the layers written after it",
    source="dennybritz/rnn-tutorial-rnnlm, RNNLM.ipynb; eriklindernoren/ML-From-Scratch, "
    "mlfromscratch/deep_learning/layers.py; gy910210/rnn-from-scratch, rnn.py",
    confirmed="RNNLM.ipynb (commits 8e43b76, 0c7fd26): 'for at most self.bptt_truncate steps' above a range from "
    "max(0, t − bptt_truncate) to t, both included. ML-From-Scratch (0c1e547) has the same range and the same "
    "words, gy910210 (47548a8) the step t and bptt_truncate more. None of them ignores the option.",
    wrong_for="unknown; by design, but for the one step",
    what="The gradient of each loss goes back over a window only, so it is not the gradient of the loss. That is "
    "wanted; a default of 4 in a function called bptt, and a window one longer than its text, are not seen.",
    missed_by="The tutorial does check its gradient, at a threshold of 0.01, with bptt_truncate=1000 on four steps, "
    "and then trains with the default.",
    kind="truncated",
    reference="rnn",
    where="W_xh, W_hh, b_h, from three steps on",
    wrong=wrong,
    right=right,
    line_wrong="# From t down to t − 1, both included: two steps for a window of one.\n"
    "for step in range(t, max(0, t - BPTT_TRUNCATE) - 1, -1):",
    line_right="# All the way, which is what the loss is the sum of.\nfor step in range(t, -1, -1):",
)
