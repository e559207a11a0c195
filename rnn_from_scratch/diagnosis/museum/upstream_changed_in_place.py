"""A right gradient that fails its check, because it changed the array the check goes on to use."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params, State
from .exhibit import Exhibit
from .styles import cross_entropy_rows, rnn_forward_rows


def wrong(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a row a sequence."""
    hs, ps = rnn_forward_rows(params, xs, state[0])
    T = len(xs)

    def rnn_backward(dh: Array) -> dict[str, Array]:
        dx, dprev_h = np.zeros_like(xs), np.zeros_like(state[0])
        dWx, dWh, db = (np.zeros_like(params[name]) for name in ("W_xh", "W_hh", "b_h"))
        for t in reversed(range(T)):
            # dh belongs to the caller: it came in as ∂L/∂h_t through y_t alone.
            dh[t] = dprev_h + dh[t]
            da = (1 - hs[t + 1] ** 2) * dh[t]
            dx[t], dprev_h = da @ params["W_xh"].T, da @ params["W_hh"].T
            dWx += xs[t].T @ da
            dWh += hs[t].T @ da
            db += da.sum(axis=0)
        return {"W_xh": dWx, "W_hh": dWh, "b_h": db, "xs": dx, "h0": dprev_h}

    dy = ps - np.eye(ps.shape[2])[targets]  # (T, N, K)
    upstream = dy @ params["W_hy"].T  # (T, N, H)
    grads: Params = {"W_hy": np.einsum("tnh,tnk->hk", hs[1:], dy), "b_y": dy.sum(axis=(0, 1))}
    first, second = rnn_backward(upstream), rnn_backward(upstream)  # whoever uses upstream again, as a check does
    grads |= {name: first[name] for name in ("W_xh", "W_hh", "b_h")} | {name: second[name] for name in ("xs", "h0")}
    return cross_entropy_rows(ps, targets), grads


def right(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a row a sequence."""
    hs, ps = rnn_forward_rows(params, xs, state[0])
    T = len(xs)

    def rnn_backward(dh: Array) -> dict[str, Array]:
        dx, dprev_h = np.zeros_like(xs), np.zeros_like(state[0])
        dWx, dWh, db = (np.zeros_like(params[name]) for name in ("W_xh", "W_hh", "b_h"))
        for t in reversed(range(T)):
            # dh belongs to the caller: it came in as ∂L/∂h_t through y_t alone.
            dcurrent = dprev_h + dh[t]
            da = (1 - hs[t + 1] ** 2) * dcurrent
            dx[t], dprev_h = da @ params["W_xh"].T, da @ params["W_hh"].T
            dWx += xs[t].T @ da
            dWh += hs[t].T @ da
            db += da.sum(axis=0)
        return {"W_xh": dWx, "W_hh": dWh, "b_h": db, "xs": dx, "h0": dprev_h}

    dy = ps - np.eye(ps.shape[2])[targets]  # (T, N, K)
    upstream = dy @ params["W_hy"].T  # (T, N, H)
    grads: Params = {"W_hy": np.einsum("tnh,tnk->hk", hs[1:], dy), "b_y": dy.sum(axis=(0, 1))}
    first, second = rnn_backward(upstream), rnn_backward(upstream)  # whoever uses upstream again, as a check does
    grads |= {name: first[name] for name in ("W_xh", "W_hh", "b_h")} | {name: second[name] for name in ("xs", "h0")}
    return cross_entropy_rows(ps, targets), grads


EXHIBIT = Exhibit(
    name="upstream_changed_in_place",
    title="The upstream gradient changed in place",
    provenance="A student's rnn_backward for CS231n, asked about in an issue of someone else's solutions",
    source="Burton2000/CS231n-2017, issue 7",
    confirmed="The issue (14 November 2018, closed) shows dh[:,t,:] = dprev_h + dh[:,t,:] and tells of correct steps "
    "and wrong numbers for x, Wx, Wh. The answers find nothing wrong and the reason is not told there: that the "
    "course's check hands the same dh to its numerical gradient afterwards is our reading. Here the second use of "
    "the array is a second backward, which gives ∂L/∂xs and ∂L/∂h_0.",
    wrong_for="unknown",
    what="The gradient that comes back is right. But the caller's array now holds the sums with what came from later "
    "steps, so whoever uses it again, a check or a second backward, computes with another upstream gradient.",
    missed_by="The step function was checked, and passed. A check that compares its inputs before and after would "
    "have named the line.",
    kind="mutates-input",
    reference="rnn",
    where="xs, h0: whatever is computed from the same upstream array afterwards",
    wrong=wrong,
    right=right,
    line_wrong="dh[t] = dprev_h + dh[t]\nda = (1 - hs[t + 1] ** 2) * dh[t]",
    line_right="dcurrent = dprev_h + dh[t]\nda = (1 - hs[t + 1] ** 2) * dcurrent",
)
