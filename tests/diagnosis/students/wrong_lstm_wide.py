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


def forget_gate_of_step_before(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dys[t] @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) + dc_next * f  # here f belongs to this step, the carry came through t + 1
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc
    return losses, grads


def output_path_at_last_step_only(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh_next, dc_next = np.zeros_like(hs[0]), None
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dys[t] @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dh * o * (1 - tc**2) if dc_next is None else dc_next
        da = np.hstack([dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def peephole_terms(params, xs, targets, state):
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
        di, df = dc * g * i * (1 - i), dc * cs[t] * f * (1 - f)
        da = np.hstack([di, df, dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f + di + df  # the gates look at the cell
    return losses, grads


def decay_on_why(params, xs, targets, state, lam=1e-3):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        grads["W_hy"] += hs[t + 1].T @ dys[t] + lam * params["W_hy"]
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


def whh_never_filled(params, xs, targets, state):
    losses, dys, hs, cs, gates = forward(params, xs, targets, state)
    grads = zeros(params)
    dW_hh = grads["W_hh"]
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
        dW_hh = dW_hh + hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads
