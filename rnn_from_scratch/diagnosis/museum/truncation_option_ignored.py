"""The length of the window is an argument, and what is kept of it is the default."""

from __future__ import annotations

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import cross_entropy, one_hot, rnn_forward, rnn_in_columns, zeros


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""

    class Model:
        def __init__(self, bptt_truncate: int = 3) -> None:
            # The originals' default is 4 or 5: with three, four steps are enough to show it.
            self.bptt_truncate = 3

    model = Model(bptt_truncate=1000)  # all the way back, as a gradient check needs it
    s, o = rnn_forward(p, xs, h0)
    grads = zeros(p)
    for t in reversed(range(len(xs))):
        delta_o = o[t] - one_hot(targets[t], len(o[t]))
        grads["Why"] += delta_o @ s[t].T
        grads["by"] += delta_o.sum(axis=1, keepdims=True)
        delta_t = p["Why"].T @ delta_o * (1 - s[t] ** 2)
        for step in range(t, max(-1, t - model.bptt_truncate), -1):
            grads["Whh"] += delta_t @ s[step - 1].T
            grads["Wxh"] += delta_t @ xs[step].T
            grads["bh"] += delta_t.sum(axis=1, keepdims=True)
            delta_t = p["Whh"].T @ delta_t * (1 - s[step - 1] ** 2)
    return cross_entropy(o, targets), grads


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""

    class Model:
        def __init__(self, bptt_truncate: int = 3) -> None:
            # The originals' default is 4 or 5: with three, four steps are enough to show it.
            self.bptt_truncate = bptt_truncate

    model = Model(bptt_truncate=1000)  # all the way back, as a gradient check needs it
    s, o = rnn_forward(p, xs, h0)
    grads = zeros(p)
    for t in reversed(range(len(xs))):
        delta_o = o[t] - one_hot(targets[t], len(o[t]))
        grads["Why"] += delta_o @ s[t].T
        grads["by"] += delta_o.sum(axis=1, keepdims=True)
        delta_t = p["Why"].T @ delta_o * (1 - s[t] ** 2)
        for step in range(t, max(-1, t - model.bptt_truncate), -1):
            grads["Whh"] += delta_t @ s[step - 1].T
            grads["Wxh"] += delta_t @ xs[step].T
            grads["bh"] += delta_t.sum(axis=1, keepdims=True)
            delta_t = p["Whh"].T @ delta_t * (1 - s[step - 1] ** 2)
    return cross_entropy(o, targets), grads


EXHIBIT = Exhibit(
    name="truncation_option_ignored",
    title="A thousand steps are asked for, the default is taken",
    provenance="Three programs written after published teaching code; none of them is named here",
    source="two after dennybritz/rnn-tutorial-rnnlm, RNNLM.ipynb, one after eriklindernoren/ML-From-Scratch, "
    "mlfromscratch/deep_learning/layers.py. These two, which can be read, do use the option.",
    confirmed="Three public files were read whole, in an index that shows a file's text without its repository, so no "
    "name and no commit can be given. Two have self.bptt_truncate = 4 in a constructor with the argument "
    "bptt_truncate=4 (one of the two does not run as it stands), one has self.bptt_trunc = 5 under bptt_trunc=5. "
    "All three use the attribute on their way back, and the argument nowhere. Their windows also have one step more "
    "than they say (see window_of_k_plus_one).",
    wrong_for="unknown",
    what="Whoever asks for another window, or for none at all by a large number, gets the default without a word: the "
    "gradient of each loss goes back over a few steps, whatever was asked for.",
    missed_by="Whoever leaves the argument out gets the default, as intended. The tutorial's gradient check asks for "
    "1000 steps, and fails with this line; the two programs written after the tutorial leave the check out.",
    kind="truncated",
    reference="rnn",
    where="W_xh, W_hh, b_h, from four steps on",
    wrong=wrong,
    right=right,
    line_wrong="self.bptt_truncate = 3",
    line_right="self.bptt_truncate = bptt_truncate",
)
