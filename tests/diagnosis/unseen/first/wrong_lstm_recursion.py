"""LSTM by recursion: a call makes one step, calls itself for the rest, and adds its own share to what comes back."""

import numpy as np


def logistic(a):
    return 1 / (1 + np.exp(-a))


def step(params, x, h, c):
    i, f, g, o = np.hsplit(x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"], 4)
    i, f, g, o = logistic(i), logistic(f), np.tanh(g), logistic(o)
    c_next = f * c + i * g
    return i, f, g, o, c_next, o * np.tanh(c_next)


def output(params, h, y):
    z = h @ params["W_hy"] + params["b_y"]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    hit = np.arange(p.shape[1]) == y[:, None]
    return -np.log(p[hit]), p - hit


def nothing_left(params, h, c):
    return [], {k: np.zeros_like(v) for k, v in params.items()}, np.zeros_like(h), np.zeros_like(c)


def dc_goes_back_unchanged(params, xs, targets, state):
    def rest(t, h, c):
        if t == len(xs):
            return nothing_left(params, h, c)
        i, f, g, o, c_next, h_next = step(params, xs[t], h, c)
        loss, dy = output(params, h_next, targets[t])
        losses, grads, dh, dc = rest(t + 1, h_next, c_next)
        dh = dh + dy @ params["W_hy"].T
        dc = dc + dh * o * (1 - np.tanh(c_next) ** 2)
        da = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2),
                        dh * np.tanh(c_next) * o * (1 - o)])
        mine = {"W_xh": xs[t].T @ da, "W_hh": h.T @ da, "b_h": da.sum(0), "W_hy": h_next.T @ dy, "b_y": dy.sum(0)}
        # constant error carousel: the cell hands the error on as it is
        return [loss, *losses], {k: grads[k] + mine[k] for k in grads}, da @ params["W_hh"].T, dc

    losses, grads, _, _ = rest(0, *state)
    return np.array(losses), grads


def g_as_sigmoid_and_bias_mean(params, xs, targets, state):
    def rest(t, h, c):
        if t == len(xs):
            return nothing_left(params, h, c)
        i, f, g, o, c_next, h_next = step(params, xs[t], h, c)
        loss, dy = output(params, h_next, targets[t])
        losses, grads, dh, dc = rest(t + 1, h_next, c_next)
        dh = dh + dy @ params["W_hy"].T
        dc = dc + dh * o * (1 - np.tanh(c_next) ** 2)
        da = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * g * (1 - g),
                        dh * np.tanh(c_next) * o * (1 - o)])
        mine = {"W_xh": xs[t].T @ da, "W_hh": h.T @ da, "b_h": da.mean(0), "W_hy": h_next.T @ dy, "b_y": dy.sum(0)}
        return [loss, *losses], {k: grads[k] + mine[k] for k in grads}, da @ params["W_hh"].T, dc * f

    losses, grads, _, _ = rest(0, *state)
    return np.array(losses), grads
