"""The recurrent matrix goes back the way it came: W_hh δ where W_hhᵀ δ is meant."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import cross_entropy, one_hot, rnn_forward, rnn_in_columns, zeros


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    hs, ps = rnn_forward(p, xs, h0)
    grads, d_future = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        d_y = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Why"] += d_y @ hs[t].T
        grads["by"] += d_y.sum(axis=1, keepdims=True)
        d_h = p["Why"].T @ d_y + d_future
        temp = (1 - hs[t] ** 2) * d_h
        grads["bh"] += temp.sum(axis=1, keepdims=True)
        grads["Whh"] += temp @ hs[t - 1].T
        grads["Wxh"] += temp @ xs[t].T
        # W_hh is square: no shape error tells W_hh from its transpose.
        d_future = p["Whh"] @ temp
    return cross_entropy(ps, targets), grads


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    hs, ps = rnn_forward(p, xs, h0)
    grads, d_future = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        d_y = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Why"] += d_y @ hs[t].T
        grads["by"] += d_y.sum(axis=1, keepdims=True)
        d_h = p["Why"].T @ d_y + d_future
        temp = (1 - hs[t] ** 2) * d_h
        grads["bh"] += temp.sum(axis=1, keepdims=True)
        grads["Whh"] += temp @ hs[t - 1].T
        grads["Wxh"] += temp @ xs[t].T
        # W_hh is square: no shape error tells W_hh from its transpose.
        d_future = p["Whh"].T @ temp
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="whh_not_transposed",
    title="W_hh δ where W_hhᵀ δ is meant",
    provenance="vzhou842's RNN from scratch, the code of a widely read introduction to recurrent networks",
    source="vzhou842/rnn-from-scratch, rnn.py",
    confirmed="Both stored versions (commits 4aa2a8c and b22cc39) end the loop over time with Whh @ temp; the comment "
    "above it in the later one derives it so. There the loss stands at the last step alone, here at every step.",
    wrong_for="unknown; no version read has it right",
    what="The gradient goes from h_t to h_{t−1} through W_hh instead of its transpose. The shape is the same, and at "
    "the last step everything is right; further back the direction is another.",
    missed_by="There was no gradient check. The weights start at a thousandth, so that the carry, right or wrong, "
    "starts near nothing.",
    kind="recurrent-matrix",
    reference="rnn",
    where="W_xh, W_hh, b_h, from two steps on",
    wrong=wrong,
    right=right,
    line_wrong='d_future = p["Whh"] @ temp',
    line_right='d_future = p["Whh"].T @ temp',
)
