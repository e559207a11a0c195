"""GRU with the reset before, as objects: a layer keeps what it needs on itself, every step pushes and pops."""

import numpy as np


class Linear:
    """y = x W, remembers its inputs in a list."""

    def __init__(self, W):
        self.W, self.dW, self.seen = W, np.zeros(W.shape), []

    def __call__(self, x):
        self.seen.append(x)
        return x @ self.W

    def back(self, dy):
        self.dW += self.seen.pop().T @ dy
        return dy @ self.W.T


class Bias:
    def __init__(self, b):
        self.b, self.db = b, np.zeros(b.shape)

    def __call__(self, x):
        return x + self.b

    def back(self, dy):
        self.db += dy.sum(axis=0)
        return dy


class Squash:
    """Sigmoid or tanh, remembers its outputs."""

    def __init__(self, kind):
        self.kind, self.seen = kind, []

    def __call__(self, a):
        self.seen.append(np.tanh(a) if self.kind == "tanh" else 1 / (1 + np.exp(-a)))
        return self.seen[-1]

    def back(self, dy):
        y = self.seen.pop()
        return dy * (1 - y**2) if self.kind == "tanh" else dy * y * (1 - y)


class Gate:
    def __init__(self, W, U, b, kind):
        self.x, self.h, self.b, self.f = Linear(W), Linear(U), Bias(b), Squash(kind)

    def __call__(self, x, h):
        return self.f(self.b(self.x(x) + self.h(h)))

    def back(self, dy):
        da = self.b.back(self.f.back(dy))
        return self.x.back(da), self.h.back(da)


def loss_and_grads(params, xs, targets, state):
    parts = zip(*(np.split(params[k], 3, axis=-1) for k in ("W_xh", "W_hh", "b_h")), strict=True)
    r_gate, z_gate, n_gate = (Gate(*part, kind) for part, kind in zip(parts, ("sig", "sig", "tanh"), strict=True))
    read, bias = Linear(params["W_hy"]), Bias(params["b_y"])
    rows = np.arange(xs.shape[1])
    h, memory, losses = state[0], [], []
    for x, y in zip(xs, targets, strict=True):
        r, z = r_gate(x, h), z_gate(x, h)
        n = n_gate(x, r * h)
        memory.append((h, r, z, n, y))
        h = z * h + (1 - z) * n
        scores = bias(read(h))
        logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        losses.append(-logp[rows, y])
        memory[-1] += (np.exp(logp),)

    dh, dxs = np.zeros_like(h), np.zeros_like(xs)
    for t in range(len(xs) - 1, -1, -1):
        h, r, z, n, y, p = memory.pop()
        p[rows, y] -= 1
        dh = dh + read.back(bias.back(p))
        dx_n, drh = n_gate.back(dh * (1 - z))
        dx_z, dh_z = z_gate.back(dh * (h - n))
        dx_r, dh_r = r_gate.back(drh * h)
        dxs[t] = dx_n + dx_z + dx_r
        dh = dh * z + drh * r + dh_z + dh_r
    gates = (r_gate, z_gate, n_gate)
    return np.array(losses), {
        "W_xh": np.hstack([g.x.dW for g in gates]), "W_hh": np.hstack([g.h.dW for g in gates]),
        "b_h": np.hstack([g.b.db for g in gates]), "W_hy": read.dW, "b_y": bias.db, "xs": dxs, "h0": dh,
    }
