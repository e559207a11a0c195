"""The backward loop over time runs forwards."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params, State
from .exhibit import Exhibit
from .styles import cross_entropy_rows, gru_forward_rows


def wrong(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a GRU, its reset gate before the product; a row a sequence."""
    steps, hs, ps = gru_forward_rows(params, xs, state[0])
    W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
    dy, dh = ps - np.eye(ps.shape[2])[targets], np.zeros_like(state[0])
    grads: Params = {name: np.zeros_like(array) for name, array in params.items()}
    # Each turn takes dh through the Jacobian of one step; the last step's has to come first.
    for t in range(len(xs)):
        h_prev, r, z, n = steps[t]
        grads["W_hy"] += hs[t].T @ dy[t]
        grads["b_y"] += dy[t].sum(axis=0)
        dh = dh + dy[t] @ params["W_hy"].T
        delta_n = dh * (1 - z) * (1 - n**2)
        delta_z = dh * (h_prev - n) * z * (1 - z)
        dproduct = delta_n @ W_hn.T
        delta_r = dproduct * h_prev * r * (1 - r)
        delta = np.hstack([delta_r, delta_z, delta_n])
        grads["W_xh"] += xs[t].T @ delta
        grads["W_hh"] += np.hstack([h_prev.T @ delta_r, h_prev.T @ delta_z, (r * h_prev).T @ delta_n])
        grads["b_h"] += delta.sum(axis=0)
        dh = dh * z + delta_r @ W_hr.T + delta_z @ W_hz.T + dproduct * r
    return cross_entropy_rows(ps, targets), grads


def right(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a GRU, its reset gate before the product; a row a sequence."""
    steps, hs, ps = gru_forward_rows(params, xs, state[0])
    W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
    dy, dh = ps - np.eye(ps.shape[2])[targets], np.zeros_like(state[0])
    grads: Params = {name: np.zeros_like(array) for name, array in params.items()}
    # Each turn takes dh through the Jacobian of one step; the last step's has to come first.
    for t in reversed(range(len(xs))):
        h_prev, r, z, n = steps[t]
        grads["W_hy"] += hs[t].T @ dy[t]
        grads["b_y"] += dy[t].sum(axis=0)
        dh = dh + dy[t] @ params["W_hy"].T
        delta_n = dh * (1 - z) * (1 - n**2)
        delta_z = dh * (h_prev - n) * z * (1 - z)
        dproduct = delta_n @ W_hn.T
        delta_r = dproduct * h_prev * r * (1 - r)
        delta = np.hstack([delta_r, delta_z, delta_n])
        grads["W_xh"] += xs[t].T @ delta
        grads["W_hh"] += np.hstack([h_prev.T @ delta_r, h_prev.T @ delta_z, (r * h_prev).T @ delta_n])
        grads["b_h"] += delta.sum(axis=0)
        dh = dh * z + delta_r @ W_hr.T + delta_z @ W_hz.T + dproduct * r
    return cross_entropy_rows(ps, targets), grads


EXHIBIT = Exhibit(
    name="loop_runs_forwards",
    title="Backpropagation through time, forwards",
    provenance="Nx, the arrays of Elixir: the gradient of a while loop, and with it every recurrent layer of Axon",
    source="elixir-nx/nx, issue 1747 and pull requests 570 and 1785; elixir-nx/axon, pull requests 644 and 646",
    confirmed="Pull request 644 (15 August 2026): the steps' Jacobians were multiplied in forward order, and dynamic "
    "unrolling was the default for LSTM, GRU and ConvLSTM. 646: a GRU's weight has 0.40509 for 0.09149. Issue 1747 "
    "(21 April 2026): for the loop acc·x the gradient is Σ x^(2k), which is what a loop forwards gives. The code "
    "itself, in Elixir, was not read; this is a re-creation from these figures.",
    wrong_for="4 years and 8 months: pull request 570, 30 November 2021, to 1785, 20 July 2026",
    what="The gradient is handed from the first step to the last. With one step that is the same; where the steps' "
    "Jacobians commute, it still is for the initial state, but not for what every step adds. A cell's do not commute.",
    missed_by="Loops like acc + x, sin(acc) and acc·acc agree: the step's Jacobian does not depend on what is "
    "differentiated. The layers trained, badly (axon, issue 530, 2023); finite differences settled it in 2026.",
    kind="wrong-time-index",
    reference="gru-before",
    where="W_xh, W_hh, b_h, from two steps on",
    wrong=wrong,
    right=right,
    line_wrong="for t in range(len(xs)):",
    line_right="for t in reversed(range(len(xs))):",
)
