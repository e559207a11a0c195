"""GRU with the reset before the product, arrays over all steps, h[0] the first state."""

import numpy as np


def sigma(x):
    return 1.0 / (1.0 + np.exp(-x))


class Gru:
    def __init__(self, params, xs, targets, h0):
        T, N = targets.shape
        H = h0.shape[1]
        self.Ur, self.Uz, self.Un = (params["W_hh"][:, k * H : (k + 1) * H] for k in range(3))
        a = xs @ params["W_xh"] + params["b_h"]
        self.h = np.zeros((T + 1, N, H))
        self.r, self.z, self.n = np.zeros((3, T, N, H))
        self.h[0] = h0
        for t in range(T):
            h = self.h[t]
            self.r[t] = sigma(a[t, :, :H] + h @ self.Ur)
            self.z[t] = sigma(a[t, :, H : 2 * H] + h @ self.Uz)
            self.n[t] = np.tanh(a[t, :, 2 * H :] + (self.r[t] * h) @ self.Un)
            self.h[t + 1] = (1 - self.z[t]) * self.n[t] + self.z[t] * h
        scores = self.h[1:] @ params["W_hy"] + params["b_y"]
        scores -= scores.max(axis=2, keepdims=True)
        self.p = np.exp(scores)
        self.p /= self.p.sum(axis=2, keepdims=True)
        self.losses = -np.log(np.take_along_axis(self.p, targets[:, :, None], 2))[:, :, 0]
        self.dy = self.p - np.eye(self.p.shape[2])[targets]

    def at(self, t):
        return self.h[t], self.r[t], self.z[t], self.n[t]


def candidate_matrix_without_r(params, xs, targets, state):
    net = Gru(params, xs, targets, state[0])
    g = {"W_hy": np.einsum("tnh,tnk->hk", net.h[1:], net.dy), "b_y": net.dy.sum((0, 1)), "W_xh": 0, "W_hh": 0, "b_h": 0}
    dh = np.zeros_like(state[0])
    for t in range(len(xs))[::-1]:
        h, r, z, n = net.at(t)
        dh = dh + net.dy[t] @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (h - n) * z * (1 - z)
        drh = dn @ net.Un.T
        dr = drh * h * r * (1 - r)
        d = np.hstack((dr, dz, dn))
        g["W_xh"] = g["W_xh"] + xs[t].T @ d
        g["W_hh"] = g["W_hh"] + h.T @ d
        g["b_h"] = g["b_h"] + d.sum(0)
        dh = dh * z + drh * r + dr @ net.Ur.T + dz @ net.Uz.T
    return net.losses, g


def reset_delta_with_new_h(params, xs, targets, state):
    net = Gru(params, xs, targets, state[0])
    g = {"W_hy": np.einsum("tnh,tnk->hk", net.h[1:], net.dy), "b_y": net.dy.sum((0, 1)), "W_xh": 0, "W_hh": 0, "b_h": 0}
    dh = np.zeros_like(state[0])
    for t in range(len(xs))[::-1]:
        h, r, z, n = net.at(t)
        dh = dh + net.dy[t] @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (h - n) * z * (1 - z)
        drh = dn @ net.Un.T
        dr = drh * net.h[t + 1] * r * (1 - r)
        d = np.hstack((dr, dz, dn))
        g["W_xh"] = g["W_xh"] + xs[t].T @ d
        g["W_hh"] = g["W_hh"] + np.hstack((h.T @ dr, h.T @ dz, (r * h).T @ dn))
        g["b_h"] = g["b_h"] + d.sum(0)
        dh = dh * z + drh * r + dr @ net.Ur.T + dz @ net.Uz.T
    return net.losses, g


def divided_by_batch_size(params, xs, targets, state):
    net = Gru(params, xs, targets, state[0])
    dy = net.dy / len(state[0])
    g = {"W_hy": np.einsum("tnh,tnk->hk", net.h[1:], dy), "b_y": dy.sum((0, 1)), "W_xh": 0, "W_hh": 0, "b_h": 0}
    dh = np.zeros_like(state[0])
    for t in range(len(xs))[::-1]:
        h, r, z, n = net.at(t)
        dh = dh + dy[t] @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (h - n) * z * (1 - z)
        drh = dn @ net.Un.T
        dr = drh * h * r * (1 - r)
        d = np.hstack((dr, dz, dn))
        g["W_xh"] = g["W_xh"] + xs[t].T @ d
        g["W_hh"] = g["W_hh"] + np.hstack((h.T @ dr, h.T @ dz, (r * h).T @ dn))
        g["b_h"] = g["b_h"] + d.sum(0)
        dh = dh * z + drh * r + dr @ net.Ur.T + dz @ net.Uz.T
    return net.losses, g


def z_matrix_not_turned_and_first_x_only(params, xs, targets, state):
    net = Gru(params, xs, targets, state[0])
    g = {"W_hy": np.einsum("tnh,tnk->hk", net.h[1:], net.dy), "b_y": net.dy.sum((0, 1)), "W_xh": 0, "W_hh": 0, "b_h": 0}
    dh = np.zeros_like(state[0])
    for t in range(len(xs))[::-1]:
        h, r, z, n = net.at(t)
        dh = dh + net.dy[t] @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (h - n) * z * (1 - z)
        drh = dn @ net.Un.T
        dr = drh * h * r * (1 - r)
        d = np.hstack((dr, dz, dn))
        g["W_xh"] = g["W_xh"] + np.outer(xs[t, 0], d[0])
        g["W_hh"] = g["W_hh"] + np.hstack((h.T @ dr, h.T @ dz, (r * h).T @ dn))
        g["b_h"] = g["b_h"] + d.sum(0)
        dh = dh * z + drh * r + dr @ net.Ur.T + dz @ net.Uz
    return net.losses, g
