"""GRU with the reset after the product, plain rows, a tuple kept for each step."""

import numpy as np


def sig(v):
    return 1.0 / (1.0 + np.exp(-v))


def forward(params, xs, targets, h):
    H = h.shape[1]
    Wr, Wz, Wn = params["W_xh"][:, :H], params["W_xh"][:, H : 2 * H], params["W_xh"][:, 2 * H :]
    Ur, Uz, Un = params["W_hh"][:, :H], params["W_hh"][:, H : 2 * H], params["W_hh"][:, 2 * H :]
    br, bz, bn = params["b_h"][:H], params["b_h"][H : 2 * H], params["b_h"][2 * H :]
    kept, losses = [], []
    for t in range(len(xs)):
        r = sig(xs[t] @ Wr + h @ Ur + br)
        z = sig(xs[t] @ Wz + h @ Uz + bz)
        q = h @ Un + params["b_hn"]
        n = np.tanh(xs[t] @ Wn + bn + r * q)
        new = (1 - z) * n + z * h
        logits = new @ params["W_hy"] + params["b_y"]
        e = np.exp(logits - logits.max(axis=1)[:, None])
        p = e / e.sum(axis=1)[:, None]
        rows = np.arange(len(p))
        losses.append(-np.log(p[rows, targets[t]]))
        p[rows, targets[t]] -= 1
        kept.append((xs[t], h, r, z, q, n, new, p))
        h = new
    return np.array(losses), kept, (Ur, Uz, Un)


def zeros(params):
    return {k: np.zeros(v.shape) for k, v in params.items()}


def add(grads, x, h, r, dr, dz, dn):
    da = np.hstack([dr, dz, dn])
    grads["W_xh"] += x.T @ da
    grads["W_hh"] += h.T @ np.hstack([dr, dz, dn * r])
    grads["b_h"] += da.sum(0)
    grads["b_hn"] += (dn * r).sum(0)


def reset_delta_of_the_other_gru(params, xs, targets, state):
    losses, kept, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, _q, n, new, dy in reversed(kept):
        grads["W_hy"] += new.T @ dy
        grads["b_y"] += dy.sum(0)
        dh = dh + dy @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n**2)
        dz = dh * (h - n) * z * (1 - z)
        dr = (dn @ Un.T) * h * r * (1 - r)
        add(grads, x, h, r, dr, dz, dn)
        dh = dh * z + (dn * r) @ Un.T + dz @ Uz.T + dr @ Ur.T
    return losses, grads


def reset_delta_forgets_bhn(params, xs, targets, state):
    losses, kept, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, _, n, new, dy in reversed(kept):
        grads["W_hy"] += new.T @ dy
        grads["b_y"] += dy.sum(0)
        dh = dh + dy @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n**2)
        dz = dh * (h - n) * z * (1 - z)
        dr = dn * (h @ Un) * r * (1 - r)
        add(grads, x, h, r, dr, dz, dn)
        dh = dh * z + (dn * r) @ Un.T + dz @ Uz.T + dr @ Ur.T
    return losses, grads


def parentheses_forgotten(params, xs, targets, state):
    losses, kept, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, q, n, new, dy in reversed(kept):
        grads["W_hy"] += new.T @ dy
        grads["b_y"] += dy.sum(0)
        dh = dh + dy @ params["W_hy"].T
        dn = (dh * 1 - z) * (1 - n**2)
        dz = dh * (h - n) * z * (1 - z)
        dr = dn * q * r * (1 - r)
        add(grads, x, h, r, dr, dz, dn)
        dh = dh * z + (dn * r) @ Un.T + dz @ Uz.T + dr @ Ur.T
    return losses, grads


def z_derivative_of_tanh(params, xs, targets, state):
    def dsigmoid(v):
        return v * (1 - v)

    def dtanh(v):
        return 1 - v**2

    losses, kept, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, q, n, new, dy in reversed(kept):
        grads["W_hy"] += new.T @ dy
        grads["b_y"] += dy.sum(0)
        dh = dh + dy @ params["W_hy"].T
        dn = dh * (1 - z) * dtanh(n)
        dz = dh * (h - n) * dtanh(z)
        dr = dn * q * dsigmoid(r)
        add(grads, x, h, r, dr, dz, dn)
        dh = dh * z + (dn * r) @ Un.T + dz @ Uz.T + dr @ Ur.T
    return losses, grads


def sign_of_r_and_no_bhn(params, xs, targets, state):
    losses, kept, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, q, n, new, dy in reversed(kept):
        grads["W_hy"] += new.T @ dy
        grads["b_y"] += dy.sum(0)
        dh = dh + dy @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n**2)
        dz = dh * (h - n) * z * (1 - z)
        dr = dn * q * r * (r - 1)
        da = np.hstack([dr, dz, dn])
        grads["W_xh"] += x.T @ da
        grads["W_hh"] += h.T @ np.hstack([dr, dz, dn * r])
        grads["b_h"] += da.sum(0)
        dh = dh * z + (dn * r) @ Un.T + dz @ Uz.T + dr @ Ur.T
    return losses, grads
