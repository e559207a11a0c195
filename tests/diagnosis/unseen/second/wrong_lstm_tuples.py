"""LSTM, rows, one product for the four gates, a tuple kept by step."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(params, xs, targets, state, forget_bias=0.0):
    h, c = state
    caches, losses = [], []
    for t in range(len(xs)):
        a = xs[t] @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]
        ai, af, ag, ao = np.hsplit(a, 4)
        i, f, g, o = sigmoid(ai), sigmoid(af + forget_bias), np.tanh(ag), sigmoid(ao)
        c_next = f * c + i * g
        h_next = o * np.tanh(c_next)
        s = h_next @ params["W_hy"] + params["b_y"]
        e = np.exp(s - np.max(s, axis=1, keepdims=True))
        p = e / np.sum(e, axis=1, keepdims=True)
        idx = np.arange(p.shape[0]), targets[t]
        losses.append(-np.log(p[idx]))
        p[idx] -= 1
        caches.append((xs[t], h, c, a, i, f, g, o, h_next, c_next, p))
        h, c = h_next, c_next
    return np.stack(losses), caches


def zero_grads(params):
    return {k: np.zeros_like(v) for k, v in params.items()}


def accumulate(grads, x, h, da, h_next, dy):
    grads["W_xh"] += x.T @ da
    grads["W_hh"] += h.T @ da
    grads["b_h"] += da.sum(axis=0)
    grads["W_hy"] += h_next.T @ dy
    grads["b_y"] += dy.sum(axis=0)


def dc_from_own_output_only(params, xs, targets, state):
    losses, caches = lstm(params, xs, targets, state)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for x, h, c, _a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        dh = dy @ params["W_hy"].T
        tc = np.tanh(c_next)
        dc = dc_next + dh * o * (1 - tc**2)
        dh = dh + dh_next
        do = dh * tc * o * (1 - o)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2)
        da = np.hstack([di, df, dg, do])
        accumulate(grads, x, h, da, h_next, dy)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def one_minus_h_squared(params, xs, targets, state):
    losses, caches = lstm(params, xs, targets, state)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for x, h, c, _a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * o * (1 - h_next**2)
        do = dh * np.tanh(c_next) * o * (1 - o)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2)
        da = np.hstack([di, df, dg, do])
        accumulate(grads, x, h, da, h_next, dy)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def dc_without_output_gate(params, xs, targets, state):
    losses, caches = lstm(params, xs, targets, state)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for x, h, c, _a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * (1 - np.tanh(c_next) ** 2)
        do = dh * np.tanh(c_next) * o * (1 - o)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2)
        da = np.hstack([di, df, dg, do])
        accumulate(grads, x, h, da, h_next, dy)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def recurrent_matrix_reshaped(params, xs, targets, state):
    losses, caches = lstm(params, xs, targets, state)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    H = dh_next.shape[1]
    for x, h, c, _a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c_next) ** 2)
        do = dh * np.tanh(c_next) * o * (1 - o)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2)
        da = np.hstack([di, df, dg, do])
        accumulate(grads, x, h, da, h_next, dy)
        dh_next = da @ params["W_hh"].reshape(4 * H, H)
        dc_next = dc * f
    return losses, grads


def f_stacked_before_i(params, xs, targets, state):
    losses, caches = lstm(params, xs, targets, state)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for x, h, c, _a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c_next) ** 2)
        df = dc * c * f * (1 - f)
        di = dc * g * i * (1 - i)
        dg = dc * i * (1 - g**2)
        do = dh * np.tanh(c_next) * o * (1 - o)
        da = np.concatenate((df, di, dg, do), axis=1)
        accumulate(grads, x, h, da, h_next, dy)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def cell_carry_from_own_share_only(params, xs, targets, state):
    losses, caches = lstm(params, xs, targets, state)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for x, h, c, _a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        dh = dy @ params["W_hy"].T + dh_next
        dtanh = dh * o * (1 - np.tanh(c_next) ** 2)
        dc = dtanh + dc_next
        do = dh * np.tanh(c_next) * o * (1 - o)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2)
        da = np.hstack([di, df, dg, do])
        accumulate(grads, x, h, da, h_next, dy)
        dh_next, dc_next = da @ params["W_hh"].T, dtanh * f
    return losses, grads


def forget_bias_of_one(params, xs, targets, state):
    losses, caches = lstm(params, xs, targets, state, forget_bias=1.0)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for x, h, c, _a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c_next) ** 2)
        do = dh * np.tanh(c_next) * o * (1 - o)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2)
        da = np.hstack([di, df, dg, do])
        accumulate(grads, x, h, da, h_next, dy)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def activity_term_in_dh(params, xs, targets, state, beta=0.05):
    losses, caches = lstm(params, xs, targets, state)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for x, h, c, _a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        dh = dy @ params["W_hy"].T + dh_next + 2 * beta * h_next
        dc = dc_next + dh * o * (1 - np.tanh(c_next) ** 2)
        do = dh * np.tanh(c_next) * o * (1 - o)
        di, df, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2)
        da = np.hstack([di, df, dg, do])
        accumulate(grads, x, h, da, h_next, dy)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads


def f_derivative_of_preactivation_and_by_twice(params, xs, targets, state):
    losses, caches = lstm(params, xs, targets, state)
    grads = zero_grads(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for x, h, c, a, i, f, g, o, h_next, c_next, dy in caches[::-1]:
        grads["b_y"] += dy.sum(axis=0)
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c_next) ** 2)
        af = np.hsplit(a, 4)[1]
        do = dh * np.tanh(c_next) * o * (1 - o)
        di, df, dg = dc * g * i * (1 - i), dc * c * af * (1 - af), dc * i * (1 - g**2)
        da = np.hstack([di, df, dg, do])
        accumulate(grads, x, h, da, h_next, dy)
        dh_next, dc_next = da @ params["W_hh"].T, dc * f
    return losses, grads
