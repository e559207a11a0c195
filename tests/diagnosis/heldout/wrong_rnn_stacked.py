"""Plain RNN with whole arrays: the deltas of all steps first, then one product for each weight. Seldom all right."""

import numpy as np


def forward(params, xs, targets, h0):
    h = [h0]
    for x in xs:
        h.append(np.tanh(x @ params["W_xh"] + h[-1] @ params["W_hh"] + params["b_h"]))
    h = np.array(h)  # (T + 1, N, H), h[0] is the start
    y = h[1:] @ params["W_hy"] + params["b_y"]
    logp = y - np.log(np.exp(y).sum(axis=2, keepdims=True))
    hot = np.eye(y.shape[2])[targets]
    return h, -(hot * logp).sum(axis=2), np.exp(logp) - hot


def deltas(params, h, here):
    """delta_t = (here_t + delta_{t+1} W^T) * tanh'"""
    out, later = np.zeros_like(here), np.zeros_like(here[0])
    for t in reversed(range(len(here))):
        out[t] = (here[t] + later) * (1 - h[t + 1] ** 2)
        later = out[t] @ params["W_hh"].T
    return out


def outer(a, b):
    """Sum over time and batch of the outer products."""
    return np.einsum("tni,tnj->ij", a, b)


def whh_transposed(params, xs, targets, state):
    h, losses, dy = forward(params, xs, targets, state[0])
    d = deltas(params, h, dy @ params["W_hy"].T)
    return losses, {
        "W_xh": outer(xs, d), "W_hh": outer(d, h[:-1]), "b_h": d.sum((0, 1)),
        "W_hy": outer(h[1:], dy), "b_y": dy.sum((0, 1)),
    }


def wxh_reshaped(params, xs, targets, state):
    h, losses, dy = forward(params, xs, targets, state[0])
    d = deltas(params, h, dy @ params["W_hy"].T)
    return losses, {
        "W_xh": outer(d, xs).reshape(params["W_xh"].shape), "W_hh": outer(h[:-1], d), "b_h": d.sum((0, 1)),
        "W_hy": outer(h[1:], dy), "b_y": dy.sum((0, 1)),
    }


def mean_over_batch(params, xs, targets, state):
    h, losses, dy = forward(params, xs, targets, state[0])
    dy = dy / xs.shape[1]  # average over the batch
    d = deltas(params, h, dy @ params["W_hy"].T)
    return losses, {
        "W_xh": outer(xs, d), "W_hh": outer(h[:-1], d), "b_h": d.sum((0, 1)),
        "W_hy": outer(h[1:], dy), "b_y": dy.sum((0, 1)),
    }


def bias_keeps_row(params, xs, targets, state):
    h, losses, dy = forward(params, xs, targets, state[0])
    d = deltas(params, h, dy @ params["W_hy"].T)
    rows = d.reshape(-1, d.shape[2])
    return losses, {
        "W_xh": outer(xs, d), "W_hh": outer(h[:-1], d), "b_h": np.sum(rows, axis=0, keepdims=True),
        "W_hy": outer(h[1:], dy), "b_y": np.sum(dy.reshape(-1, dy.shape[2]), axis=0),
    }
