"""One function gives σ or, with a flag, σ′; for one gate the flag was forgotten."""

from __future__ import annotations

import numpy as np

from ... import activations
from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


def _sigmoid(x: Array, derivative: bool = False) -> Array:
    """σ(x); with the flag, σ′ written from σ's output x."""
    return x * (1 - x) if derivative else activations.sigmoid(x)


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dh_next, dc_next = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_prev, i, f, g, o, c, h = steps[t]
        dv = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dv @ h.T
        grads["by"] += dv.sum(axis=1, keepdims=True)
        dh = p["Wy"].T @ dv + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
        d = {"o": _sigmoid(o, derivative=True) * dh * np.tanh(c)}
        d["c"] = (1 - g**2) * dc * i
        d["i"] = _sigmoid(i, derivative=True) * dc * g
        # σ of a gate lies between 0.5 and 0.73, σ′ below 0.25: the forget gate learns too fast, in the right direction.
        d["f"] = _sigmoid(f) * dc * c_prev
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        dh_next = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)
        dc_next = f * dc
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, dh_next, dc_next = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_prev, i, f, g, o, c, h = steps[t]
        dv = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dv @ h.T
        grads["by"] += dv.sum(axis=1, keepdims=True)
        dh = p["Wy"].T @ dv + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
        d = {"o": _sigmoid(o, derivative=True) * dh * np.tanh(c)}
        d["c"] = (1 - g**2) * dc * i
        d["i"] = _sigmoid(i, derivative=True) * dc * g
        # σ of a gate lies between 0.5 and 0.73, σ′ below 0.25: the forget gate learns too fast, in the right direction.
        d["f"] = _sigmoid(f, derivative=True) * dc * c_prev
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        dh_next = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)
        dc_next = f * dc
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="flag_forgotten",
    title="σ for σ′: a flag forgotten once in four",
    provenance="nicklashansen's 'How to build RNNs and LSTMs from scratch', made for a course at a university",
    source="nicklashansen/rnn_lstm_from_scratch, RNN_LSTM_from_scratch.ipynb, and issue 1; "
    "CaptainE/RNN-LSTM-in-numpy, issue 1",
    confirmed="Read at commit 0a292c4: sigmoid(f[t]) * df, while o and i have derivative=True. Issue 1 (15 October "
    "2019, open) shows the code failing a gradient check; issue 1 of the other repository (22 October 2023) "
    "quotes the very line. The original's flag also applies σ to the gate once more, which is another mistake.",
    wrong_for="at least since October 2019",
    what="The forget gate's gradient is multiplied by σ of the gate instead of σ′. It keeps its sign and is two "
    "and a half times too large or more, so training goes on and merely gets worse.",
    missed_by="No gradient check: the text says that the backward pass is already done for you, and the loss falls.",
    kind="activation-derivative",
    reference="lstm",
    where="the gate f of W_xh, W_hh, b_h; through dh all gates from two steps on",
    wrong=wrong,
    right=right,
    line_wrong='d["f"] = _sigmoid(f) * dc * c_prev',
    line_right='d["f"] = _sigmoid(f, derivative=True) * dc * c_prev',
)
