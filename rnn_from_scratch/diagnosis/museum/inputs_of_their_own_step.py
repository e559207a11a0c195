"""The layer below is told what its output did to the loss of the same step, and of no later one."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params, State
from .exhibit import Exhibit
from .styles import cross_entropy_rows, rnn_forward_rows


def wrong(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a row a sequence."""
    states, ps = rnn_forward_rows(params, xs, state[0])
    accum_grad = ps - np.eye(ps.shape[2])[targets]
    grads: Params = {name: np.zeros_like(array) for name, array in params.items()}
    accum_grad_next = np.zeros_like(xs)
    for t in reversed(range(len(xs))):
        grads["W_hy"] += states[t + 1].T @ accum_grad[t]
        grads["b_y"] += accum_grad[t].sum(axis=0)
        grad_wrt_state = accum_grad[t] @ params["W_hy"].T * (1 - states[t + 1] ** 2)
        # The loss of step t reaches x_t here, and every earlier x on the way back.
        accum_grad_next[t] = grad_wrt_state @ params["W_xh"].T
        for s in range(t, -1, -1):
            grads["W_xh"] += xs[s].T @ grad_wrt_state
            grads["W_hh"] += states[s].T @ grad_wrt_state
            grads["b_h"] += grad_wrt_state.sum(axis=0)
            grad_wrt_state = grad_wrt_state @ params["W_hh"].T * (1 - states[s] ** 2)
    return cross_entropy_rows(ps, targets), grads | {"xs": accum_grad_next}


def right(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a row a sequence."""
    states, ps = rnn_forward_rows(params, xs, state[0])
    accum_grad = ps - np.eye(ps.shape[2])[targets]
    grads: Params = {name: np.zeros_like(array) for name, array in params.items()}
    accum_grad_next = np.zeros_like(xs)
    for t in reversed(range(len(xs))):
        grads["W_hy"] += states[t + 1].T @ accum_grad[t]
        grads["b_y"] += accum_grad[t].sum(axis=0)
        grad_wrt_state = accum_grad[t] @ params["W_hy"].T * (1 - states[t + 1] ** 2)
        # The loss of step t reaches x_t here, and every earlier x on the way back.
        for s in range(t, -1, -1):
            accum_grad_next[s] += grad_wrt_state @ params["W_xh"].T
            grads["W_xh"] += xs[s].T @ grad_wrt_state
            grads["W_hh"] += states[s].T @ grad_wrt_state
            grads["b_h"] += grad_wrt_state.sum(axis=0)
            grad_wrt_state = grad_wrt_state @ params["W_hh"].T * (1 - states[s] ** 2)
    return cross_entropy_rows(ps, targets), grads | {"xs": accum_grad_next}


EXHIBIT = Exhibit(
    name="inputs_of_their_own_step",
    title="Inputs that matter to their own step alone",
    provenance="eriklindernoren's ML-From-Scratch, the RNN layer",
    source="eriklindernoren/ML-From-Scratch, mlfromscratch/deep_learning/layers.py",
    confirmed="Read at commits 0c1e547 and 19b7c25: accum_grad_next[:, t] is set once, before the loop that goes back "
    "in time. Its bptt_trunc is not ignored; it covers one step more than it says (see window_of_k_plus_one).",
    wrong_for="unknown; so in both versions read",
    what="x_t changes h_t and so every later loss; the gradient that is passed to the layer below has the loss of "
    "step t alone. The layer's own weights are right where the window covers everything.",
    missed_by="The example that uses the layer puts it first, where what it returns goes to nobody.",
    kind="carry-dropped",
    reference="rnn",
    where="xs, every step but the last",
    wrong=wrong,
    right=right,
    line_wrong='accum_grad_next[t] = grad_wrt_state @ params["W_xh"].T',
    line_right='accum_grad_next[s] += grad_wrt_state @ params["W_xh"].T',
)
