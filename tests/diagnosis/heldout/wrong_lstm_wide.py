"""LSTM with one wide matrix for the four gates, rows for the batch; lists by time. Each backward is off."""

import numpy as np


def forward(params, xs, targets, state):
    """Return losses, dlogits, all h and all c (one more than steps), and the four gates of each step."""
    H = params["W_hh"].shape[0]
    hs, cs, gates, dys, losses = [state[0]], [state[1]], [], [], []
    for t in range(len(xs)):
        a = xs[t] @ params["W_xh"] + hs[t] @ params["W_hh"] + params["b_h"]
        ifo = 1 / (1 + np.exp(-a))
        i, f, g, o = ifo[:, :H], ifo[:, H : 2 * H], np.tanh(a[:, 2 * H : 3 * H]), ifo[:, 3 * H :]
        cs.append(f * cs[t] + i * g)
        hs.append(o * np.tanh(cs[t + 1]))
        gates.append((i, f, g, o))
        y = hs[t + 1] @ params["W_hy"] + params["b_y"]
        logp = y - np.log(np.exp(y).sum(axis=1, keepdims=True))
        hot = np.eye(y.shape[1])[targets[t]]
        losses.append(-(logp * hot).sum(axis=1))
        dys.append(np.exp(logp) - hot)
    return np.array(losses), dys, hs, cs, gates


def zeros(params):
    return {name: np.zeros(value.shape) for name, value in params.items()}


def cell_carry_from_dc_next(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dys[t] @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) + dc_next
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc_next * f
    return losses, grads


def dh_overwritten_before_dc(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh += dys[t] @ params["W_hy"].T
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) + dc_next
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh[...] = da @ params["W_hh"].T
        dc_next = (dh * o * (1 - tc**2) + dc_next) * f
    return losses, grads


def windows_of_three(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        if t % 3 == 2:  # end of a window
            dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dys[t] @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) + dc_next
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def global_norm_clipped(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dys[t] @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) + dc_next
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    if norm > 1:
        grads = {name: g / norm for name, g in grads.items()}
    return losses, grads


def why_with_h_before(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dys[t] @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) + dc_next
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def h0_c0_swapped(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dys[t] @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) + dc_next
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    grads["h0"], grads["c0"] = dc_next, dh_next
    return losses, grads


def two_biases_added(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    db_ih, db_hh = np.zeros_like(params["b_h"]), np.zeros_like(params["b_h"])
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dys[t] @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) + dc_next
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        db_ih += da.sum(axis=0)
        db_hh += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    grads["b_h"] = db_ih + db_hh
    return losses, grads
