"""Three printed equations lack their brackets, so that σ′ multiplies one term of two."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, da_next, dc_next = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_prev, it, ft, cct, ot, c_next, a_next = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ a_next.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        da_next = da_next + p["Wy"].T @ dy
        dc_here = da_next * ot * (1 - np.tanh(c_next) ** 2)
        d = {"o": da_next * np.tanh(c_next) * ot * (1 - ot)}
        # dc_next is zero at the last step alone, which is where a single step would be checked.
        d["c"] = dc_next * it + dc_here * it * cct * (1 - np.tanh(cct) ** 2)
        d["i"] = dc_next * cct + dc_here * cct * it * (1 - it)
        d["f"] = dc_next * c_prev + dc_here * c_prev * ft * (1 - ft)
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        da_next = sum(p["W" + k][:, : len(a_next)].T @ d[k] for k in GATES)
        dc_next = (dc_next + dc_here) * ft
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    grads, da_next, dc_next = zeros(p), np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_prev, it, ft, cct, ot, c_next, a_next = steps[t]
        dy = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += dy @ a_next.T
        grads["by"] += dy.sum(axis=1, keepdims=True)
        da_next = da_next + p["Wy"].T @ dy
        dc_here = da_next * ot * (1 - np.tanh(c_next) ** 2)
        d = {"o": da_next * np.tanh(c_next) * ot * (1 - ot)}
        # dc_next is zero at the last step alone, which is where a single step would be checked.
        d["c"] = (dc_next * it + dc_here * it) * (1 - cct**2)
        d["i"] = (dc_next * cct + dc_here * cct) * it * (1 - it)
        d["f"] = (dc_next * c_prev + dc_here * c_prev) * ft * (1 - ft)
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        da_next = sum(p["W" + k][:, : len(a_next)].T @ d[k] for k in GATES)
        dc_next = (dc_next + dc_here) * ft
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="brackets_left_out",
    title="Equations that lost their brackets",
    provenance="Coursera's Sequence Models, the equations printed above the exercise lstm_cell_backward, version 2",
    source="Kulbear/deep-learning-coursera, Sequence Models/Building a Recurrent Neural Network - Step by Step - "
    "v2.ipynb, equations 8, 9, 10; jinzishuai/learn2deeplearn, issue 44",
    confirmed="Read at commit 8347ce0: 8, 9 and 10 have no brackets around their two terms, 8 has a factor c̃ too many "
    "and takes tanh of c̃, which is a tanh already. The expected values below them are those of the right "
    "equations. Issue 44, 7 February 2018, says the formula is wrong.",
    wrong_for="unknown; printed in version 2",
    what="Read as they stand, the equations multiply the slope of the gate into one term of two: what comes back "
    "through the cell goes into the gates as if they had no squashing.",
    missed_by="Text is not run. The solution in the same notebook has the brackets, put there until its numbers "
    "agreed with the expected ones.",
    kind="activation-derivative",
    reference="lstm",
    where="W_xh, W_hh, b_h: the gates f and i from two steps on, the candidate at every step, all through the carry",
    wrong=wrong,
    right=right,
    line_wrong='d["c"] = dc_next * it + dc_here * it * cct * (1 - np.tanh(cct) ** 2)\n'
    'd["i"] = dc_next * cct + dc_here * cct * it * (1 - it)\n'
    'd["f"] = dc_next * c_prev + dc_here * c_prev * ft * (1 - ft)',
    line_right='d["c"] = (dc_next * it + dc_here * it) * (1 - cct**2)\n'
    'd["i"] = (dc_next * cct + dc_here * cct) * it * (1 - it)\n'
    'd["f"] = (dc_next * c_prev + dc_here * c_prev) * ft * (1 - ft)',
)
