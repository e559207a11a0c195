"""GRU with the reset before the product, one matrix by gate for the row [h, x, 1], as in many lecture notes."""

import numpy as np


def logistic(a):
    return 1 / (1 + np.exp(-a))


def hard(a):
    return np.clip(0.2 * a + 0.5, 0, 1)


def join(h, x):
    return np.concatenate([h, x, np.ones((len(x), 1))], axis=1)


def unpack(params):
    parts = (np.split(params[k], 3, axis=-1) for k in ("W_hh", "W_xh", "b_h"))
    return [np.vstack([w, u, b]) for w, u, b in zip(*parts, strict=False)]


def pack(dR, dZ, dC, dV, dby):
    H = dR.shape[1]
    M = np.hstack([dR, dZ, dC])
    return {"W_hh": M[:H], "W_xh": M[H:-1], "b_h": M[-1], "W_hy": dV, "b_y": dby}


def forward(params, xs, targets, h, gate=logistic):
    R, Z, C = unpack(params)
    memory, losses = [], []
    for x, y in zip(xs, targets, strict=False):
        q = join(h, x)
        r, z = gate(q @ R), gate(q @ Z)
        rq = join(r * h, x)
        c = np.tanh(rq @ C)
        new = z * h + (1 - z) * c
        u = new @ params["W_hy"] + params["b_y"]
        p = np.exp(u - u.max(axis=1, keepdims=True))
        p = p / p.sum(axis=1, keepdims=True)
        losses.append([-np.log(p[k, label]) for k, label in enumerate(y)])
        memory.append((h, q, rq, r, z, c, new, p))
        h = new
    return np.array(losses), memory, (R, Z, C)


def one_hot(y, K):
    out = np.zeros((len(y), K))
    out[np.arange(len(y)), y] = 1
    return out


def candidate_path_without_r(params, xs, targets, state):
    losses, memory, (R, Z, C) = forward(params, xs, targets, state[0])
    H, K = params["W_hy"].shape
    dR, dZ, dC, dV, dby, dh = 0, 0, 0, 0, 0, 0
    for y, (h, q, rq, r, z, c, new, p) in zip(targets[::-1], memory[::-1], strict=False):
        e = p - one_hot(y, K)
        dV, dby = dV + new.T @ e, dby + e.sum(0)
        dh = dh + e @ params["W_hy"].T
        gc = dh * (1 - z) * (1 - c**2)
        gz = dh * (h - c) * z * (1 - z)
        drh = (gc @ C.T)[:, :H]
        gr = drh * h * r * (1 - r)
        dR, dZ, dC = dR + q.T @ gr, dZ + q.T @ gz, dC + rq.T @ gc
        dh = dh * z + drh + (gr @ R.T + gz @ Z.T)[:, :H]
    return losses, pack(dR, dZ, dC, dV, dby)


def packed_in_keras_order(params, xs, targets, state):
    losses, memory, (R, Z, C) = forward(params, xs, targets, state[0])
    H, K = params["W_hy"].shape
    dR, dZ, dC, dV, dby, dh = 0, 0, 0, 0, 0, 0
    for y, (h, q, rq, r, z, c, new, p) in zip(targets[::-1], memory[::-1], strict=False):
        e = p - one_hot(y, K)
        dV, dby = dV + new.T @ e, dby + e.sum(0)
        dh = dh + e @ params["W_hy"].T
        gc = dh * (1 - z) * (1 - c**2)
        gz = dh * (h - c) * z * (1 - z)
        drh = (gc @ C.T)[:, :H]
        gr = drh * h * r * (1 - r)
        dR, dZ, dC = dR + q.T @ gr, dZ + q.T @ gz, dC + rq.T @ gc
        dh = dh * z + drh * r + (gr @ R.T + gz @ Z.T)[:, :H]
    return losses, pack(dZ, dR, dC, dV, dby)


def label_smoothing_in_the_gradient_only(params, xs, targets, state, eps=0.1):
    losses, memory, (R, Z, C) = forward(params, xs, targets, state[0])
    H, K = params["W_hy"].shape
    dR, dZ, dC, dV, dby, dh = 0, 0, 0, 0, 0, 0
    for y, (h, q, rq, r, z, c, new, p) in zip(targets[::-1], memory[::-1], strict=False):
        e = p - ((1 - eps) * one_hot(y, K) + eps / K)
        dV, dby = dV + new.T @ e, dby + e.sum(0)
        dh = dh + e @ params["W_hy"].T
        gc = dh * (1 - z) * (1 - c**2)
        gz = dh * (h - c) * z * (1 - z)
        drh = (gc @ C.T)[:, :H]
        gr = drh * h * r * (1 - r)
        dR, dZ, dC = dR + q.T @ gr, dZ + q.T @ gz, dC + rq.T @ gc
        dh = dh * z + drh * r + (gr @ R.T + gz @ Z.T)[:, :H]
    return losses, pack(dR, dZ, dC, dV, dby)


def hard_sigmoid_gates(params, xs, targets, state):
    losses, memory, (R, Z, C) = forward(params, xs, targets, state[0], gate=hard)
    H, K = params["W_hy"].shape
    dR, dZ, dC, dV, dby, dh = 0, 0, 0, 0, 0, 0
    for y, (h, q, rq, r, z, c, new, p) in zip(targets[::-1], memory[::-1], strict=False):
        e = p - one_hot(y, K)
        dV, dby = dV + new.T @ e, dby + e.sum(0)
        dh = dh + e @ params["W_hy"].T
        gc = dh * (1 - z) * (1 - c**2)
        gz = dh * (h - c) * 0.2 * ((z > 0) & (z < 1))
        drh = (gc @ C.T)[:, :H]
        gr = drh * h * 0.2 * ((r > 0) & (r < 1))
        dR, dZ, dC = dR + q.T @ gr, dZ + q.T @ gz, dC + rq.T @ gc
        dh = dh * z + drh * r + (gr @ R.T + gz @ Z.T)[:, :H]
    return losses, pack(dR, dZ, dC, dV, dby)
