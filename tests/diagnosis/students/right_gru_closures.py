"""GRU where each forward step leaves a function that undoes it: the backward calls them, the last one first."""

import numpy as np


def gru_step(p, g, x, h):
    H = h.shape[1]
    wx, wh = x @ p["W_xh"] + p["b_h"], h @ p["W_hh"]
    rz = 1 / (1 + np.exp(-(wx + wh)[:, : 2 * H]))
    r, z = rz[:, :H], rz[:, H:]
    m = wh[:, 2 * H :] + p["b_hn"]
    n = np.tanh(wx[:, 2 * H :] + r * m)

    def backward(dout):
        dn = dout * (1 - z)
        dz = dout * (h - n)
        dan = dn * (1 - n * n)
        dr, dm = dan * m, dan * r
        darz = np.hstack([dr, dz]) * rz * (1 - rz)
        to_x, to_h = np.hstack([darz, dan]), np.hstack([darz, dm])
        g["W_xh"] += x.T @ to_x
        g["W_hh"] += h.T @ to_h
        g["b_h"] += to_x.sum(axis=0)
        g["b_hn"] += dm.sum(axis=0)
        return dout * z + to_h @ p["W_hh"].T

    return (1 - z) * n + z * h, backward


def output_step(p, g, h, target):
    s = h @ p["W_hy"] + p["b_y"]
    lse = s.max(axis=1) + np.log(np.exp(s - s.max(axis=1, keepdims=True)).sum(axis=1))
    rows = np.arange(len(target))

    def backward():
        ds = np.exp(s - lse[:, None])
        ds[rows, target] -= 1
        g["W_hy"] += h.T @ ds
        g["b_y"] += ds.sum(axis=0)
        return ds @ p["W_hy"].T

    return lse - s[rows, target], backward


def loss_and_grads(params, xs, targets, state):
    grads = {k: np.zeros(v.shape) for k, v in params.items()}
    h = state[0]
    stack, losses = [], []
    for x, target in zip(xs, targets, strict=True):
        h, undo_cell = gru_step(params, grads, x, h)
        loss, undo_output = output_step(params, grads, h, target)
        losses.append(loss)
        stack.append((undo_cell, undo_output))
    dh = np.zeros_like(h)
    while stack:
        undo_cell, undo_output = stack.pop()
        dh = undo_cell(dh + undo_output())
    grads["h0"] = dh
    return np.vstack(losses), grads
