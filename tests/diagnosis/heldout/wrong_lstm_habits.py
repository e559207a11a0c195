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


def default_argument_accumulates(params, xs, targets, state, grads={}):  # noqa: B006
    for name, value in params.items():
        if np.shape(grads.get(name)) != value.shape:
            grads[name] = np.zeros(value.shape)
    losses = usual(params, grads, xs, targets, state)
    return losses, dict(grads)


def gradient_noise(params, xs, targets, state):
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    losses = usual(params, grads, xs, targets, state)
    rng = np.random.default_rng()
    return losses, {name: g + 0.01 * rng.standard_normal(g.shape) for name, g in grads.items()}  # helps to explore
