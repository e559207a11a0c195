"""LSTM with bad habits: memory between calls, arrays of the caller written over, chance, and other forward passes."""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def cross_entropy(logits, y):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(y)), y])
    p[np.arange(len(y)), y] -= 1
    return loss, p


def step(P, x, h, c):
    i, f, g, o = np.split(x @ P["W_xh"] + h @ P["W_hh"] + P["b_h"], 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new, (x, h, c, i, f, g, o, c_new)


def step_back(P, g_sum, dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, c = cache
    tc = np.tanh(c)
    dc = dc + dh * o * (1 - tc**2)
    da = np.hstack([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
    g_sum["W_xh"] += x.T @ da
    g_sum["W_hh"] += h_prev.T @ da
    g_sum["b_h"] += da.sum(axis=0)
    return da @ P["W_hh"].T, dc * f


def usual(P, g_sum, xs, targets, state):
    """Forward and backward as they should be; adds to g_sum."""
    (h, c), caches, losses = state, [], []
    for x, y in zip(xs, targets, strict=True):
        h, c, cache = step(P, x, h, c)
        loss, dy = cross_entropy(h @ P["W_hy"] + P["b_y"], y)
        losses.append(loss)
        caches.append((cache, h, dy))
    dh = dc = np.zeros_like(h)
    for cache, h, dy in reversed(caches):
        g_sum["W_hy"] += h.T @ dy
        g_sum["b_y"] += dy.sum(axis=0)
        dh, dc = step_back(P, g_sum, dh + dy @ P["W_hy"].T, dc, cache)
    return np.array(losses)


def learns_inside(params, xs, targets, state, learning_rate=0.1):
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    losses = usual(params, grads, xs, targets, state)
    for name in params:
        params[name] -= learning_rate * grads[name]  # gradient descent
    return losses, grads


def c0_in_place(params, xs, targets, state):
    h, c = state
    H = h.shape[1]
    caches, losses = [], []
    for x, y in zip(xs, targets, strict=True):
        a = x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]
        i, f, g, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), np.tanh(a[:, 2 * H : 3 * H]), sigmoid(a[:, 3 * H :])
        c_prev, h_prev = c.copy(), h
        c *= f
        c += i * g
        h = o * np.tanh(c)
        loss, dy = cross_entropy(h @ params["W_hy"] + params["b_y"], y)
        losses.append(loss)
        caches.append(((x, h_prev, c_prev, i, f, g, o, c.copy()), h, dy))
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    dh = dc = np.zeros_like(h)
    for cache, h, dy in reversed(caches):
        grads["W_hy"] += h.T @ dy
        grads["b_y"] += dy.sum(axis=0)
        dh, dc = step_back(params, grads, dh + dy @ params["W_hy"].T, dc, cache)
    return np.array(losses), grads


def gates_read_i_f_o_g(params, xs, targets, state):
    P = params
    (h, c), caches, losses = state, [], []
    for x, y in zip(xs, targets, strict=True):
        i, f, o, g = np.split(x @ P["W_xh"] + h @ P["W_hh"] + P["b_h"], 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        c_new = f * c + i * g
        h_new = o * np.tanh(c_new)
        loss, dy = cross_entropy(h_new @ P["W_hy"] + P["b_y"], y)
        losses.append(loss)
        caches.append((x, h, c, i, f, o, g, h_new, c_new, dy))
        h, c = h_new, c_new
    grads = {name: np.zeros_like(value) for name, value in P.items()}
    dh, dc = np.zeros_like(h), np.zeros_like(c)
    for x, h_prev, c_prev, i, f, o, g, h, c, dy in reversed(caches):
        grads["W_hy"] += h.T @ dy
        grads["b_y"] += dy.sum(axis=0)
        dh = dh + dy @ P["W_hy"].T
        tc = np.tanh(c)
        dc = dc + dh * o * (1 - tc**2)
        da = np.hstack([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh * tc * o * (1 - o), dc * i * (1 - g**2)])
        grads["W_xh"] += x.T @ da
        grads["W_hh"] += h_prev.T @ da
        grads["b_h"] += da.sum(axis=0)
        dh, dc = da @ P["W_hh"].T, dc * f
    return np.array(losses), grads


def h_without_tanh(params, xs, targets, state):
    P = params
    (h, c), caches, losses = state, [], []
    for x, y in zip(xs, targets, strict=True):
        i, f, g, o = np.split(x @ P["W_xh"] + h @ P["W_hh"] + P["b_h"], 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c_new = f * c + i * g
        h_new = o * c_new
        loss, dy = cross_entropy(h_new @ P["W_hy"] + P["b_y"], y)
        losses.append(loss)
        caches.append((x, h, c, i, f, g, o, h_new, c_new, dy))
        h, c = h_new, c_new
    grads = {name: np.zeros_like(value) for name, value in P.items()}
    dh, dc = np.zeros_like(h), np.zeros_like(c)
    for x, h_prev, c_prev, i, f, g, o, h, c, dy in reversed(caches):
        grads["W_hy"] += h.T @ dy
        grads["b_y"] += dy.sum(axis=0)
        dh = dh + dy @ P["W_hy"].T
        dc = dc + dh * o
        da = np.hstack([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * c * o * (1 - o)])
        grads["W_xh"] += x.T @ da
        grads["W_hh"] += h_prev.T @ da
        grads["b_h"] += da.sum(axis=0)
        dh, dc = da @ P["W_hh"].T, dc * f
    return np.array(losses), grads
