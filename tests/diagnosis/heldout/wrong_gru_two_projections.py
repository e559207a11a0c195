"""GRU as the libraries name it, gi and gh, reset after the product: a tape of steps, unwound with one mistake each."""

import numpy as np


def forward(params, xs, targets, h):
    H = h.shape[1]
    tape, losses = [], []
    for x, y in zip(xs, targets, strict=True):
        gi, gh = x @ params["W_xh"] + params["b_h"], h @ params["W_hh"]
        rz = 1 / (1 + np.exp(-(gi + gh)[:, : 2 * H]))
        r, z = rz[:, :H], rz[:, H:]
        h_n = gh[:, 2 * H :] + params["b_hn"]
        n = np.tanh(gi[:, 2 * H :] + r * h_n)
        hy = (1 - z) * n + z * h
        p = np.exp(hy @ params["W_hy"] + params["b_y"])
        p /= p.sum(axis=1, keepdims=True)
        losses.append(-np.log(p[np.arange(len(y)), y]))
        p[np.arange(len(y)), y] -= 1
        tape.append((x, h, r, z, n, h_n, hy, p))
        h = hy
    return tape, np.array(losses), {k: np.zeros_like(v) for k, v in params.items()}


def whn_untransposed_back(params, xs, targets, state):
    tape, losses, grads = forward(params, xs, targets, state[0])
    H = len(params["b_hn"])
    dhy = np.zeros_like(state[0])
    for x, hx, r, z, n, h_n, hy, dy in reversed(tape):
        grads["W_hy"] += hy.T @ dy
        grads["b_y"] += dy.sum(axis=0)
        dhy = dhy + dy @ params["W_hy"].T
        dn = dhy * (1 - z) * (1 - n**2)
        dz = dhy * (hx - n) * z * (1 - z)
        dr = dn * h_n * r * (1 - r)
        dgi = np.hstack([dr, dz, dn])
        dgh = np.hstack([dr, dz, dn * r])
        grads["W_xh"] += x.T @ dgi
        grads["W_hh"] += hx.T @ dgh
        grads["b_h"] += dgi.sum(axis=0)
        grads["b_hn"] += dgh[:, 2 * H :].sum(axis=0)
        W_r, W_z, W_n = np.split(params["W_hh"], 3, axis=1)
        dhy = dhy * z + dr @ W_r.T + dz @ W_z.T + (dn * r) @ W_n
    return losses, grads


def bn_and_bhn_swapped(params, xs, targets, state):
    tape, losses, grads = forward(params, xs, targets, state[0])
    H = len(params["b_hn"])
    dhy = np.zeros_like(state[0])
    for x, hx, r, z, n, h_n, hy, dy in reversed(tape):
        grads["W_hy"] += hy.T @ dy
        grads["b_y"] += dy.sum(axis=0)
        dhy = dhy + dy @ params["W_hy"].T
        dn = dhy * (1 - z) * (1 - n**2)
        dz = dhy * (hx - n) * z * (1 - z)
        dr = dn * h_n * r * (1 - r)
        dgi = np.hstack([dr, dz, dn])
        dgh = np.hstack([dr, dz, dn * r])
        grads["W_xh"] += x.T @ dgi
        grads["W_hh"] += hx.T @ dgh
        grads["b_h"] += dgh.sum(axis=0)
        grads["b_hn"] += dgi[:, 2 * H :].sum(axis=0)
        dhy = dhy * z + dgh @ params["W_hh"].T
    return losses, grads
