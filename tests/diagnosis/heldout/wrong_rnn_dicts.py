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


def carry_never_added(params, xs, targets, state):
    T, N, _ = xs.shape
    losses, d = np.zeros((T, N)), zeros(params)
    for n in range(N):
        x, hs, ps, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        for t in reversed(range(T)):
            dy = np.copy(ps[t])
            dy[targets[t, n]] -= 1
            d["W_hy"] += hs[t] @ dy.T
            d["b_y"] += dy.ravel()
            dh = params["W_hy"] @ dy  # into h through y
            dhraw = (1 - hs[t] ** 2) * dh
            d["b_h"] += dhraw.ravel()
            d["W_xh"] += x[t] @ dhraw.T
            d["W_hh"] += hs[t - 1] @ dhraw.T
    return losses, d


def gradients_overwritten(params, xs, targets, state):
    T, N, _ = xs.shape
    losses, d = np.zeros((T, N)), zeros(params)
    for n in range(N):
        x, hs, ps, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        mine = zeros(params)
        dhnext = np.zeros_like(hs[-1])
        for t in reversed(range(T)):
            dy = np.copy(ps[t])
            dy[targets[t, n]] -= 1
            mine["W_hy"] = hs[t] @ dy.T
            mine["b_y"] = dy.ravel()
            dh = params["W_hy"] @ dy + dhnext
            dhraw = (1 - hs[t] ** 2) * dh
            mine["b_h"] = dhraw.ravel()
            mine["W_xh"] = x[t] @ dhraw.T
            mine["W_hh"] = hs[t - 1] @ dhraw.T
            dhnext = params["W_hh"] @ dhraw
        for name in d:
            d[name] += mine[name]
    return losses, d


def only_last_sequence(params, xs, targets, state):
    T, N, _ = xs.shape
    losses = np.zeros((T, N))
    for n in range(N):
        x, hs, ps, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        d = zeros(params)  # start with clean gradients
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
    return losses, d


def wraps_to_last_h(params, xs, targets, state):
    T, N, _ = xs.shape
    losses, d = np.zeros((T, N)), zeros(params)
    for n in range(N):
        x, hs, ps, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        states = [hs[t] for t in range(T)]
        dhnext = np.zeros_like(states[0])
        for t in reversed(range(T)):
            dy = np.copy(ps[t])
            dy[targets[t, n]] -= 1
            d["W_hy"] += states[t] @ dy.T
            d["b_y"] += dy.ravel()
            dh = params["W_hy"] @ dy + dhnext
            dhraw = (1 - states[t] ** 2) * dh
            d["b_h"] += dhraw.ravel()
            d["W_xh"] += x[t] @ dhraw.T
            d["W_hh"] += states[t - 1] @ dhraw.T
            dhnext = params["W_hh"] @ dhraw
    return losses, d
