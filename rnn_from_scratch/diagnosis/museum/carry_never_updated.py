"""The gradients carried back in time are initialised, passed on, and never updated."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, Step, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


def _cell_backward(p: Params, da_next: Array, dc_next: Array, step: Step) -> tuple[Array, Array, dict[str, Array]]:
    """One step, right: ∂L/∂a and ∂L/∂c of the step before, and ∂L/∂(pre-activation) of every gate."""
    _, c_prev, i, f, g, o, c, a = step
    dc = dc_next + da_next * o * (1 - np.tanh(c) ** 2)
    d = {
        "f": dc * c_prev * f * (1 - f),
        "i": dc * g * i * (1 - i),
        "c": dc * i * (1 - g**2),
        "o": da_next * np.tanh(c) * o * (1 - o),
    }
    da_prev: Array = sum(p["W" + k][:, : len(a)].T @ d[k] for k in GATES)
    return da_prev, dc * f, d


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, da_prevt, dc_prevt = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ steps[t].h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        da_prev, dc_prev, d = _cell_backward(p, p["Wy"].T @ dy + da_prevt, dc_prevt, steps[t])
        for k in GATES:
            grads["W" + k] += d[k] @ steps[t].z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        _ = da_prev, dc_prev  # never handed on: da_prevt and dc_prevt stay zero
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, da_prevt, dc_prevt = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ steps[t].h.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        da_prev, dc_prev, d = _cell_backward(p, p["Wy"].T @ dy + da_prevt, dc_prevt, steps[t])
        for k in GATES:
            grads["W" + k] += d[k] @ steps[t].z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        da_prevt, dc_prevt = da_prev, dc_prev
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="carry_never_updated",
    title="Expected values from a backward pass without its carry",
    provenance="Coursera's Sequence Models, exercise 'Building a recurrent neural network step by step', versions 2, 3",
    source="Kulbear/deep-learning-coursera, Sequence Models/Building a Recurrent Neural Network - Step by Step - "
    "v2.ipynb; sagarnildass/andrew_ng_deep_learning, issue 1 (version 3)",
    confirmed="Read at commit 8347ce0. The exercise's own numbers, computed again from its seed: dx, da0 and the four "
    "dW that it prints as expected for lstm_backward come out without the carry, to every digit; with the carry "
    "comes out what a later version prints. rnn_backward's expected values are right. Three of the four db agree "
    "with neither. Issue of 19 April 2019.",
    wrong_for="versions 2 and 3; put right in a later one",
    what="Each step is differentiated alone: the zeros that da_prevt and dc_prevt start as are what every step gets "
    "from the future. Nothing goes back in time at all.",
    missed_by="The expected values were made with the same mistake, so whoever derived it correctly was marked wrong; "
    "copies of the solution leave the carry out, one by turning its two lines into comments.",
    kind="carry-dropped",
    reference="lstm",
    where="W_xh, W_hh, b_h, from two steps on: both carries, of h and of c",
    wrong=wrong,
    right=right,
    line_wrong="_ = da_prev, dc_prev  # never handed on: da_prevt and dc_prevt stay zero",
    line_right="da_prevt, dc_prevt = da_prev, dc_prev",
)
