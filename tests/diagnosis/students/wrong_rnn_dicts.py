"""Plain RNN with columns and dictionaries by time, one sequence after the other: backward passes that went wrong."""

import numpy as np


def forward(params, x_seq, y_seq, h0):
    x, hs, ps, losses = {}, {-1: h0.reshape(-1, 1)}, {}, []
    for t in range(len(x_seq)):
        x[t] = x_seq[t].reshape(-1, 1)
        hs[t] = np.tanh(params["W_xh"].T @ x[t] + params["W_hh"].T @ hs[t - 1] + params["b_h"].reshape(-1, 1))
        y = params["W_hy"].T @ hs[t] + params["b_y"].reshape(-1, 1)
        ps[t] = np.exp(y - y.max()) / np.sum(np.exp(y - y.max()))
        losses.append(-np.log(ps[t][y_seq[t], 0]))
    return x, hs, ps, losses


def zeros(params):
    return {name: np.zeros_like(value) for name, value in params.items()}


def clipped_elementwise(params, xs, targets, state):
    T, N, _ = xs.shape
    losses, d = np.zeros((T, N)), zeros(params)
    for n in range(N):
        x, hs, ps, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        dhnext = np.zeros_like(hs[-1])
        for t in reversed(range(T)):
            dy = np.copy(ps[t])
            dy[targets[t, n]] -= 1
            d["W_hy"] += hs[t] @ dy.T
            d["b_y"] += dy.ravel()
            dh = params["W_hy"] @ dy + dhnext
            dhraw = (1 - hs[t] ** 2) * dh
            d["b_h"] += dhraw.ravel()
            d["W_xh"] += x[t] @ dhraw.T
            d["W_hh"] += hs[t - 1] @ dhraw.T
            dhnext = params["W_hh"] @ dhraw
    for dparam in d.values():
        np.clip(dparam, -0.5, 0.5, out=dparam)  # to mitigate exploding gradients
    return losses, d


def last_three_steps_only(params, xs, targets, state, bptt_truncate=3):
    T, N, _ = xs.shape
    losses, d = np.zeros((T, N)), zeros(params)
    for n in range(N):
        x, hs, ps, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        for t in range(T):
            dy = np.copy(ps[t])
            dy[targets[t, n]] -= 1
            d["W_hy"] += hs[t] @ dy.T
            d["b_y"] += dy.ravel()
        dh = np.zeros_like(hs[-1])
        for t in range(T - 1, max(-1, T - 1 - bptt_truncate), -1):
            dy = np.copy(ps[t])
            dy[targets[t, n]] -= 1
            dhraw = (1 - hs[t] ** 2) * (params["W_hy"] @ dy + dh)
            d["b_h"] += dhraw.ravel()
            d["W_xh"] += x[t] @ dhraw.T
            d["W_hh"] += hs[t - 1] @ dhraw.T
            dh = params["W_hh"] @ dhraw
    return losses, d
