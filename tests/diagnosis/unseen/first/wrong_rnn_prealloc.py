"""Plain RNN with the states in one array made beforehand; indices and places that went wrong."""

import numpy as np


def unroll(params, xs, targets, hs, first):
    """Fill hs[first], hs[first + 1], …; hs[first - 1] is the initial state."""
    T, N, _ = xs.shape
    losses = np.empty((T, N))
    dlogits = np.empty((T, N, len(params["b_y"])))
    for t in range(T):
        hs[first + t] = np.tanh(xs[t] @ params["W_xh"] + hs[first + t - 1] @ params["W_hh"] + params["b_h"])
        scores = hs[first + t] @ params["W_hy"] + params["b_y"]
        scores = scores - scores.max(1)[:, None]
        logp = scores - np.log(np.exp(scores).sum(1))[:, None]
        losses[t] = -logp[np.arange(N), targets[t]]
        dlogits[t] = np.exp(logp)
        dlogits[t, np.arange(N), targets[t]] -= 1
    return losses, dlogits


def minus_one_is_the_last(params, xs, targets, state):
    T, N, _ = xs.shape
    hs = np.zeros((T, N, state[0].shape[1]))
    hs[-1] = np.copy(state[0])  # as in min-char-rnn
    losses, dlogits = unroll(params, xs, targets, hs, 0)
    dWxh, dWhh, dWhy = np.zeros_like(params["W_xh"]), np.zeros_like(params["W_hh"]), np.zeros_like(params["W_hy"])
    dbh, dby = np.zeros_like(params["b_h"]), np.zeros_like(params["b_y"])
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(T)):
        dy = dlogits[t]
        dWhy += hs[t].T @ dy
        dby += dy.sum(0)
        dh = dy @ params["W_hy"].T + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw.sum(0)
        dWxh += xs[t].T @ dhraw
        dWhh += hs[t - 1].T @ dhraw
        dhnext = dhraw @ params["W_hh"].T
    return losses, {"W_xh": dWxh, "W_hh": dWhh, "b_h": dbh, "W_hy": dWhy, "b_y": dby}


def loop_stops_before_zero(params, xs, targets, state):
    T, N, _ = xs.shape
    hs = np.zeros((T + 1, N, state[0].shape[1]))
    hs[0] = state[0]
    losses, dlogits = unroll(params, xs, targets, hs, 1)
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    for t in range(T):
        grads["W_hy"] += hs[t + 1].T @ dlogits[t]
        grads["b_y"] += dlogits[t].sum(0)
    carry = np.zeros_like(hs[0])
    for t in range(T - 1, 0, -1):
        da = (dlogits[t] @ params["W_hy"].T + carry) * (1 - hs[t + 1] ** 2)
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(0)
        carry = da @ params["W_hh"].T
    return losses, grads


def why_with_h_before(params, xs, targets, state):
    T, N, _ = xs.shape
    hs = np.zeros((T + 1, N, state[0].shape[1]))
    hs[0] = state[0]
    losses, dlogits = unroll(params, xs, targets, hs, 1)
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    carry = np.zeros_like(hs[0])
    for t in range(T - 1, -1, -1):
        grads["W_hy"] += hs[t].T @ dlogits[t]
        grads["b_y"] += dlogits[t].sum(0)
        da = (dlogits[t] @ params["W_hy"].T + carry) * (1 - hs[t + 1] ** 2)
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(0)
        carry = da @ params["W_hh"].T
    return losses, grads
