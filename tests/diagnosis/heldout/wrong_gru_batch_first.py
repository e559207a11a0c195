"""GRU with arrays (batch, time, units) and a matrix for each gate, reset after; one thing is wrong in each backward."""

import numpy as np


class Pass:
    """The forward pass, kept whole: index 0 of h is the start, a is the candidate's pre-activation."""

    def __init__(self, params, xs, targets, h0):
        self.x, y = xs.transpose(1, 0, 2), targets.T
        B, T, _ = self.x.shape
        H, K = params["W_hy"].shape
        Wr, Wz, Wn = np.split(params["W_xh"], 3, axis=1)
        self.Ur, self.Uz, self.Un = np.split(params["W_hh"], 3, axis=1)
        br, bz, bn = np.split(params["b_h"], 3)
        self.h = np.zeros((B, T + 1, H))
        self.h[:, 0] = h0
        self.r, self.z, self.n, self.a, self.m = (np.zeros((B, T, H)) for _ in range(5))
        for t in range(T):
            x, h = self.x[:, t], self.h[:, t]
            self.r[:, t] = 1 / (1 + np.exp(-(x @ Wr + h @ self.Ur + br)))
            self.z[:, t] = 1 / (1 + np.exp(-(x @ Wz + h @ self.Uz + bz)))
            self.m[:, t] = h @ self.Un + params["b_hn"]
            self.a[:, t] = x @ Wn + bn + self.r[:, t] * self.m[:, t]
            self.n[:, t] = np.tanh(self.a[:, t])
            self.h[:, t + 1] = (1 - self.z[:, t]) * self.n[:, t] + self.z[:, t] * h
        s = self.h[:, 1:] @ params["W_hy"] + params["b_y"]
        self.p = np.exp(s - s.max(axis=2, keepdims=True))
        self.p /= self.p.sum(axis=2, keepdims=True)
        self.hot = np.eye(K)[y]
        self.losses = -np.log((self.p * self.hot).sum(axis=2)).T


def over_time(a, b):
    return np.einsum("bti,btj->ij", a, b)


def mean_bias(params, xs, targets, state):
    f = Pass(params, xs, targets, state[0])
    dy = f.p - f.hot
    dhy = dy @ params["W_hy"].T
    dar, daz, dan, dm = (np.zeros_like(f.r) for _ in range(4))
    dh = np.zeros_like(state[0])
    for t in range(len(xs) - 1, -1, -1):
        h, r, z, n = f.h[:, t], f.r[:, t], f.z[:, t], f.n[:, t]
        dh = dh + dhy[:, t]
        daz[:, t] = dh * (h - n) * z * (1 - z)
        dan[:, t] = dh * (1 - z) * (1 - n**2)
        dar[:, t] = dan[:, t] * f.m[:, t] * r * (1 - r)
        dm[:, t] = dan[:, t] * r
        dh = dh * z + dar[:, t] @ f.Ur.T + daz[:, t] @ f.Uz.T + dm[:, t] @ f.Un.T
    da = np.concatenate([dar, daz, dan], axis=2)
    grads = {
        "W_xh": over_time(f.x, da),
        "W_hh": np.hstack([over_time(f.h[:, :-1], d) for d in (dar, daz, dm)]),
        "b_h": da.mean(axis=0).sum(axis=0),
        "b_hn": dm.mean(axis=0).sum(axis=0),
        "W_hy": over_time(f.h[:, 1:], dy),
        "b_y": dy.mean(axis=0).sum(axis=0),
    }
    return f.losses, grads


def dh_clipped_each_step(params, xs, targets, state):
    f = Pass(params, xs, targets, state[0])
    dy = f.p - f.hot
    dhy = dy @ params["W_hy"].T
    dar, daz, dan, dm = (np.zeros_like(f.r) for _ in range(4))
    dh = np.zeros_like(state[0])
    for t in range(len(xs) - 1, -1, -1):
        h, r, z, n = f.h[:, t], f.r[:, t], f.z[:, t], f.n[:, t]
        dh = np.clip(dh + dhy[:, t], -0.5, 0.5)  # against exploding gradients
        daz[:, t] = dh * (h - n) * z * (1 - z)
        dan[:, t] = dh * (1 - z) * (1 - n**2)
        dar[:, t] = dan[:, t] * f.m[:, t] * r * (1 - r)
        dm[:, t] = dan[:, t] * r
        dh = dh * z + dar[:, t] @ f.Ur.T + daz[:, t] @ f.Uz.T + dm[:, t] @ f.Un.T
    da = np.concatenate([dar, daz, dan], axis=2)
    grads = {
        "W_xh": over_time(f.x, da),
        "W_hh": np.hstack([over_time(f.h[:, :-1], d) for d in (dar, daz, dm)]),
        "b_h": da.sum(axis=(0, 1)),
        "b_hn": dm.sum(axis=(0, 1)),
        "W_hy": over_time(f.h[:, 1:], dy),
        "b_y": dy.sum(axis=(0, 1)),
    }
    return f.losses, grads
