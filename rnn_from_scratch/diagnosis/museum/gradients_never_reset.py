"""The gradients are kept with the model and added to; what should have reset them resets the weights."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import GATES, cross_entropy, lstm_forward, lstm_in_columns, one_hot, zeros

KEPT: dict[tuple[int, ...], Params] = {}  # what the original keeps in its object, here by (H, D, K)


@lstm_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    sizes = (len(h0), xs.shape[1], len(ps[0]))
    # Sizes stand for one model: who keeps its gradients keeps those of the call before.
    grads = KEPT.setdefault(sizes, zeros(p))
    ds, dc = np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_old, i, f, g, o, c, s = steps[t]
        delta_y = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += delta_y @ s.T
        grads["by"] += delta_y.sum(axis=1, keepdims=True)
        ds = ds + p["Wy"].T @ delta_y
        dc = dc + ds * o * (1 - np.tanh(c) ** 2)
        d = {"f": dc * c_old * f * (1 - f), "i": dc * g * i * (1 - i)}
        d |= {"c": dc * i * (1 - g**2), "o": ds * np.tanh(c) * o * (1 - o)}
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        ds, dc = sum(p["W" + k][:, : len(s)].T @ d[k] for k in GATES), dc * f
    return cross_entropy(ps, targets), grads


@lstm_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array, c0: Array) -> tuple[Array, Params]:
    """Losses and gradients of an LSTM, one matrix a gate over [h, x]; a column a sequence."""
    steps, ps = lstm_forward(p, xs, h0, c0)
    sizes = (len(h0), xs.shape[1], len(ps[0]))
    # Sizes stand for one model: who keeps its gradients keeps those of the call before.
    grads = KEPT[sizes] = zeros(p)
    ds, dc = np.zeros_like(h0), np.zeros_like(c0)
    for t in reversed(range(len(xs))):
        z, c_old, i, f, g, o, c, s = steps[t]
        delta_y = ps[t] - one_hot(targets[t], len(ps[t]))
        grads["Wy"] += delta_y @ s.T
        grads["by"] += delta_y.sum(axis=1, keepdims=True)
        ds = ds + p["Wy"].T @ delta_y
        dc = dc + ds * o * (1 - np.tanh(c) ** 2)
        d = {"f": dc * c_old * f * (1 - f), "i": dc * g * i * (1 - i)}
        d |= {"c": dc * i * (1 - g**2), "o": ds * np.tanh(c) * o * (1 - o)}
        for k in GATES:
            grads["W" + k] += d[k] @ z.T
            grads["b" + k] += d[k].sum(axis=1, keepdims=True)
        ds, dc = sum(p["W" + k][:, : len(s)].T @ d[k] for k in GATES), dc * f
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="gradients_never_reset",
    title="Never reset",
    provenance="tianyic's LSTM and GRU on a language model, published with a DOI in 2016",
    source="tianyic/LSTM-GRU, LSTM.py and testLSTM.py",
    confirmed="LSTM.py at commit 1423bc3: backwardpropagation adds to arrays made in __init__, and reset(), which "
    "testLSTM.py calls after every iteration, sets the weights W and U to zero, not their gradients. The other "
    "stored version (ea8ce4f) resets the gradients.",
    wrong_for="unknown; 2 May 2016 stands in the file",
    what="The second call returns the sum of two gradients, the third of three. Without the reset of the weights that "
    "the original has too, it looks like momentum.",
    missed_by="testLSTM.py prints a loss at every iteration and asserts nothing; what it prints is the loss after the "
    "update and before the weights are wiped.",
    kind="not-reset",
    reference="lstm",
    where="every array, from the second call on",
    wrong=wrong,
    right=right,
    line_wrong="grads = KEPT.setdefault(sizes, zeros(p))",
    line_right="grads = KEPT[sizes] = zeros(p)",
)
