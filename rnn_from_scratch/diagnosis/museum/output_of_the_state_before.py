"""The forward puts out the state before the step, the backward takes it for the state after."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import cross_entropy, one_hot, rnn_in_columns, softmax_columns, zeros


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    s, ps = {-1: h0}, []
    for t, x in enumerate(xs):
        prev_s = s[t - 1]
        s[t] = np.tanh(p["Whh"] @ prev_s + p["Wxh"] @ x + p["bh"])
        mulv = p["Why"] @ prev_s + p["by"]
        ps.append(softmax_columns(mulv))
    grads, dprev_s = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        dmulv = ps[t] - one_hot(targets[t], len(ps[t]))
        # The backward has the network that was meant: y_t from s_t.
        grads["Why"] += dmulv @ s[t].T
        grads["by"] += dmulv.sum(axis=1, keepdims=True)
        dadd = (1 - s[t] ** 2) * (p["Why"].T @ dmulv + dprev_s)
        grads["Whh"] += dadd @ s[t - 1].T
        grads["Wxh"] += dadd @ xs[t].T
        grads["bh"] += dadd.sum(axis=1, keepdims=True)
        dprev_s = p["Whh"].T @ dadd
    return cross_entropy(ps, targets), grads


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    s, ps = {-1: h0}, []
    for t, x in enumerate(xs):
        prev_s = s[t - 1]
        s[t] = np.tanh(p["Whh"] @ prev_s + p["Wxh"] @ x + p["bh"])
        mulv = p["Why"] @ s[t] + p["by"]
        ps.append(softmax_columns(mulv))
    grads, dprev_s = zeros(p), np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        dmulv = ps[t] - one_hot(targets[t], len(ps[t]))
        # The backward has the network that was meant: y_t from s_t.
        grads["Why"] += dmulv @ s[t].T
        grads["by"] += dmulv.sum(axis=1, keepdims=True)
        dadd = (1 - s[t] ** 2) * (p["Why"].T @ dmulv + dprev_s)
        grads["Whh"] += dadd @ s[t - 1].T
        grads["Wxh"] += dadd @ xs[t].T
        grads["bh"] += dadd.sum(axis=1, keepdims=True)
        dprev_s = p["Whh"].T @ dadd
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="output_of_the_state_before",
    title="A forward and a backward of two networks",
    provenance="gy910210's 'Implementing Recurrent Neural Network from Scratch'",
    source="gy910210/rnn-from-scratch, layer.py and README.md",
    confirmed="layer.py at commit 47548a8 has mulv = V·prev_s in the forward and V's gradient from self.s in the "
    "backward; so has the README at 0a59e2a. At commit 622c423 the file has V·self.s.",
    wrong_for="unknown; put right in the repository",
    what="y_t is computed from h_{t−1}, so the network never sees the word it stands at; the gradient is that of a "
    "network that does. Against its own losses every array but b_y is wrong.",
    missed_by="There was no gradient check. The README calls gradients from a computation graph more reliable than "
    "those by hand; here the graph was not the one that ran.",
    kind="forward-wrong",
    reference="rnn",
    where="the losses, and with them every gradient",
    wrong=wrong,
    right=right,
    line_wrong='mulv = p["Why"] @ prev_s + p["by"]',
    line_right='mulv = p["Why"] @ s[t] + p["by"]',
)
