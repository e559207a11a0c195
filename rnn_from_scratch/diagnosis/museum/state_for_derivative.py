"""The copy was meant to become the derivative; the derivative went into the list of states, and the copy into delta."""

from __future__ import annotations

from ...arrays import Array, Params
from .exhibit import Exhibit
from .styles import cross_entropy, one_hot, rnn_forward, rnn_in_columns, zeros


@rnn_in_columns
def wrong(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    state_list, ps = rnn_forward(p, xs, h0)
    grads, last = zeros(p), len(xs) - 1
    errors = [p_t - one_hot(target, len(p_t)) for p_t, target in zip(ps, targets, strict=True)]
    for k, d_y in enumerate(errors):
        grads["Why"] += d_y @ state_list[k].T
        grads["by"] += d_y.sum(axis=1, keepdims=True)
    delta = {last: p["Why"].T @ errors[last] * (1 - state_list[last] ** 2)}
    for k in range(last - 1, -1, -1):
        # delta_k is W_hhᵀ delta_{k+1} times the slope at step k.
        state = state_list[k + 1].copy()
        state_list[k + 1] = 1 - state_list[k + 1] ** 2
        delta[k] = (p["Whh"].T @ delta[k + 1] + p["Why"].T @ errors[k]) * state
    for k in range(last, -1, -1):
        grads["Whh"] += delta[k] @ state_list[k - 1].T
        grads["Wxh"] += delta[k] @ xs[k].T
        grads["bh"] += delta[k].sum(axis=1, keepdims=True)
    return cross_entropy(ps, targets), grads


@rnn_in_columns
def right(p: Params, xs: Array, targets: Array, h0: Array) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a column a sequence."""
    state_list, ps = rnn_forward(p, xs, h0)
    grads, last = zeros(p), len(xs) - 1
    errors = [p_t - one_hot(target, len(p_t)) for p_t, target in zip(ps, targets, strict=True)]
    for k, d_y in enumerate(errors):
        grads["Why"] += d_y @ state_list[k].T
        grads["by"] += d_y.sum(axis=1, keepdims=True)
    delta = {last: p["Why"].T @ errors[last] * (1 - state_list[last] ** 2)}
    for k in range(last - 1, -1, -1):
        # delta_k is W_hhᵀ delta_{k+1} times the slope at step k.
        slope = 1 - state_list[k] ** 2
        delta[k] = (p["Whh"].T @ delta[k + 1] + p["Why"].T @ errors[k]) * slope
    for k in range(last, -1, -1):
        grads["Whh"] += delta[k] @ state_list[k - 1].T
        grads["Wxh"] += delta[k] @ xs[k].T
        grads["bh"] += delta[k].sum(axis=1, keepdims=True)
    return cross_entropy(ps, targets), grads


EXHIBIT = Exhibit(
    name="state_for_derivative",
    title="The state where its derivative is meant, and the states spoilt",
    provenance="hanbt's learn_dl, the code of a well-known Chinese introduction to deep learning",
    source="hanbt/learn_dl, rnn.py, issues 7, 16 and 29",
    confirmed="Read at commit eff712e: calc_delta_k copies state_list[k+1], turns the original in the list into its "
    "derivative, element by element in place, and multiplies by the copy. Issues of 11 October 2017, 16 January "
    "2018 and 20 September 2018; the last has a gradient check with three steps before and after mending it.",
    wrong_for="at least since October 2017",
    what="Delta is multiplied by h_{k+1} instead of by f′ at step k: the wrong thing of the wrong step. And the states "
    "from which W_hh's gradient is taken afterwards have become derivatives.",
    missed_by="gradient_check has two steps, a zero start and the identity for f: what it perturbs, W, has a zero "
    "gradient at the first of the two, where delta is wrong. It asserts nothing either.",
    kind="activation-derivative",
    reference="rnn",
    where="W_xh, W_hh, b_h, from two steps on",
    wrong=wrong,
    right=right,
    line_wrong="state = state_list[k + 1].copy()\n"
    "state_list[k + 1] = 1 - state_list[k + 1] ** 2\n"
    'delta[k] = (p["Whh"].T @ delta[k + 1] + p["Why"].T @ errors[k]) * state',
    line_right="slope = 1 - state_list[k] ** 2\n"
    'delta[k] = (p["Whh"].T @ delta[k + 1] + p["Why"].T @ errors[k]) * slope',
)
