"""The gradients are clipped inside the function that returns them, and then checked."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import cross_entropy, one_hot, rnn_forward, rnn_in_columns, zeros

LIMIT = 0.1  # the original's is 5: a small problem would not reach it


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    hs, ps = rnn_forward(p, xs, h0)
    grads, dhnext = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Why"] += dy @ hs[t].T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        dh = p["Why"].T @ dy + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        grads["bh"] += dhraw.sum(axis=1, keepdims=True)
        grads["Wxh"] += dhraw @ xs[t].T
        grads["Whh"] += dhraw @ hs[t - 1].T
        dhnext = p["Whh"].T @ dhraw
    # Clipping belongs to the update, after whoever wants to check has seen the gradient.
    return cross_entropy(ps, targets), {name: np.clip(d, -LIMIT, LIMIT) for name, d in grads.items()}


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    hs, ps = rnn_forward(p, xs, h0)
    grads, dhnext = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Why"] += dy @ hs[t].T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        dh = p["Why"].T @ dy + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        grads["bh"] += dhraw.sum(axis=1, keepdims=True)
        grads["Wxh"] += dhraw @ xs[t].T
        grads["Whh"] += dhraw @ hs[t - 1].T
        dhnext = p["Whh"].T @ dhraw
    # Clipping belongs to the update, after whoever wants to check has seen the gradient.
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="clipped_inside",
    title="Clipped before anyone could check it",
    provenance="min-char-rnn, the best known of all small RNNs (right but for this), and those who follow it",
    source="eliben/deep-learning-samples, min-char-rnn/min-char-rnn.py (a commented copy of the gist); "
    "vzhou842/rnn-from-scratch, rnn.py",
    confirmed="The copy (commit 0c76591) clips every array to ±5 in place inside lossFun, just before the return, and "
    "its gradCheck calls that lossFun. vzhou842's backprop clips to ±10 (commit 4aa2a8c), to ±1 in b22cc39.",
    wrong_for="unknown",
    what="What is returned as the gradient is the gradient clipped entry by entry. Larger entries are all the same "
    "number, and the direction of descent is another one.",
    missed_by="The copy checks its gradient once, before training, with weights of 0.01·randn and no bias: there "
    "hardly an entry reaches the limit. It would fail where training needs the clipping.",
    kind="clipped",
    reference="rnn",
    where="every array with an entry beyond the limit",
    wrong=wrong,
    right=right,
    line_wrong="return cross_entropy(ps, targets), {name: np.clip(d, -LIMIT, LIMIT) for name, d in grads.items()}",
    line_right="return cross_entropy(ps, targets), grads",
)
