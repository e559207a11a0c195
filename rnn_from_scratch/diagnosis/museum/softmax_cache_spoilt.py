"""A loss's backward writes into the softmax it keeps: the second call subtracts the target once more."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params, State
from .exhibit import Exhibit
from .styles import cross_entropy_rows, rnn_forward_rows


def wrong(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a row a sequence."""
    hs, ys = rnn_forward_rows(params, xs, state[0])
    losses = cross_entropy_rows(ys, targets)
    cache = (targets, ys)

    def loss_backward() -> Array:
        ts, ys = cache
        # dx is what the forward kept, by another name.
        dx = ys
        dx -= np.eye(dx.shape[2])[ts]
        return dx

    def backward() -> Params:
        dy, dh = loss_backward(), np.zeros_like(state[0])
        grads: Params = {"W_hy": np.einsum("tnh,tnk->hk", hs[1:], dy), "b_y": dy.sum(axis=(0, 1))}
        deltas = np.zeros_like(hs[1:])
        for t in reversed(range(len(xs))):
            deltas[t] = (dy[t] @ params["W_hy"].T + dh) * (1 - hs[t + 1] ** 2)
            dh = deltas[t] @ params["W_hh"].T
        grads |= {"W_xh": np.einsum("tnd,tnh->dh", xs, deltas), "W_hh": np.einsum("tng,tnh->gh", hs[:-1], deltas)}
        return grads | {"b_h": deltas.sum(axis=(0, 1)), "xs": deltas @ params["W_xh"].T, "h0": dh}

    # Twice: once for an update, once more for a look at what the inputs did.
    first, second = backward(), backward()
    return losses, {name: first[name] for name in params} | {name: second[name] for name in ("xs", "h0")}


def right(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a vanilla network; a row a sequence."""
    hs, ys = rnn_forward_rows(params, xs, state[0])
    losses = cross_entropy_rows(ys, targets)
    cache = (targets, ys)

    def loss_backward() -> Array:
        ts, ys = cache
        # dx is what the forward kept, by another name.
        dx = ys.copy()
        dx -= np.eye(dx.shape[2])[ts]
        return dx

    def backward() -> Params:
        dy, dh = loss_backward(), np.zeros_like(state[0])
        grads: Params = {"W_hy": np.einsum("tnh,tnk->hk", hs[1:], dy), "b_y": dy.sum(axis=(0, 1))}
        deltas = np.zeros_like(hs[1:])
        for t in reversed(range(len(xs))):
            deltas[t] = (dy[t] @ params["W_hy"].T + dh) * (1 - hs[t + 1] ** 2)
            dh = deltas[t] @ params["W_hh"].T
        grads |= {"W_xh": np.einsum("tnd,tnh->dh", xs, deltas), "W_hh": np.einsum("tng,tnh->gh", hs[:-1], deltas)}
        return grads | {"b_h": deltas.sum(axis=(0, 1)), "xs": deltas @ params["W_xh"].T, "h0": dh}

    # Twice: once for an update, once more for a look at what the inputs did.
    first, second = backward(), backward()
    return losses, {name: first[name] for name in params} | {name: second[name] for name in ("xs", "h0")}


EXHIBIT = Exhibit(
    name="softmax_cache_spoilt",
    title="A cache that its own backward spoils",
    provenance="The code of O'Reilly Japan's 'Deep Learning from Scratch 2'",
    source="oreilly-japan/deep-learning-from-scratch-2, common/time_layers.py and common/layers.py",
    confirmed="Read at commit 39c84ac: TimeSoftmaxWithLoss.backward takes dx = ys from its cache and works on it in "
    "place. SoftmaxWithLoss of the same book copies first (common/layers.py, commit 5473be8). Found by reading; no "
    "issue about it was found.",
    wrong_for="unknown",
    what="The first backward is right. Its in-place work turns the kept probabilities p into p − y, so the second one "
    "starts from p − 2y, and says so to nobody.",
    missed_by="Training calls backward once after each forward. Nothing in the book calls it twice.",
    kind="nondeterministic",
    reference="rnn",
    where="xs, h0: whatever is taken from the second backward",
    wrong=wrong,
    right=right,
    line_wrong="dx = ys",
    line_right="dx = ys.copy()",
)
