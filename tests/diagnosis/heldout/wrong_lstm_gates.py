"""LSTM with a matrix for every gate, one class for what a step leaves behind. Each backward has its own slip."""

import numpy as np


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


class Step:
    def __init__(self, p, x, y, h, c):
        H = h.shape[1]
        self.x, self.y, self.h_prev, self.c_prev = x, y, h, c
        a = [x @ p["W_xh"][:, k : k + H] + h @ p["W_hh"][:, k : k + H] + p["b_h"][k : k + H]
             for k in range(0, 4 * H, H)]
        self.i, self.f, self.g, self.o = sigmoid(a[0]), sigmoid(a[1]), np.tanh(a[2]), sigmoid(a[3])
        self.c = self.f * c + self.i * self.g
        self.tc = np.tanh(self.c)
        self.h = self.o * self.tc
        s = np.exp(self.h @ p["W_hy"] + p["b_y"])
        self.dy = s / s.sum(axis=1, keepdims=True)
        self.loss = -np.log(self.dy[np.arange(len(y)), y])
        self.dy[np.arange(len(y)), y] -= 1


def forward(params, xs, targets, state):
    steps, (h, c) = [], state
    for x, y in zip(xs, targets, strict=True):
        steps.append(Step(params, x, y, h, c))
        h, c = steps[-1].h, steps[-1].c
    return steps, np.array([s.loss for s in steps]), np.split(params["W_hh"], 4, axis=1)


def empty(params):
    """A gradient for each gate, to be glued together at the end."""
    D, H = params["W_xh"].shape[0], params["W_hh"].shape[0]
    G = {"W_hy": np.zeros_like(params["W_hy"]), "b_y": np.zeros_like(params["b_y"])}
    for k in "ifgo":
        G |= {"W" + k: np.zeros((D, H)), "U" + k: np.zeros((H, H)), "b" + k: np.zeros(H)}
    return G


def glued(G):
    W, U, b = (np.concatenate([G[name + k] for k in "ifgo"], axis=-1) for name in "WUb")
    return {"W_xh": W, "W_hh": U, "b_h": b, "W_hy": G["W_hy"], "b_y": G["b_y"]}


def cell_carry_without_f(params, xs, targets, state):
    steps, losses, (Ui, Uf, Ug, Uo) = forward(params, xs, targets, state)
    G = empty(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for s in reversed(steps):
        G["W_hy"] += s.h.T @ s.dy
        G["b_y"] += s.dy.sum(axis=0)
        dh = s.dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * s.o * (1 - s.tc**2)
        di = dc * s.g * s.i * (1 - s.i)
        df = dc * s.c_prev * s.f * (1 - s.f)
        dg = dc * s.i * (1 - s.g**2)
        do = dh * s.tc * s.o * (1 - s.o)
        for k, d in (("i", di), ("f", df), ("g", dg), ("o", do)):
            G["W" + k] += s.x.T @ d
            G["U" + k] += s.h_prev.T @ d
            G["b" + k] += d.sum(axis=0)
        dh_next = di @ Ui.T + df @ Uf.T + dg @ Ug.T + do @ Uo.T
        dc_next = dc
    return losses, glued(G)


def dh_prev_overwritten(params, xs, targets, state):
    steps, losses, (Ui, Uf, Ug, Uo) = forward(params, xs, targets, state)
    G = empty(params)
    dh_next, dc_next = np.zeros_like(state[0]), np.zeros_like(state[1])
    for s in reversed(steps):
        G["W_hy"] += s.h.T @ s.dy
        G["b_y"] += s.dy.sum(axis=0)
        dh = s.dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * s.o * (1 - s.tc**2)
        di = dc * s.g * s.i * (1 - s.i)
        df = dc * s.c_prev * s.f * (1 - s.f)
        dg = dc * s.i * (1 - s.g**2)
        do = dh * s.tc * s.o * (1 - s.o)
        for k, d in (("i", di), ("f", df), ("g", dg), ("o", do)):
            G["W" + k] += s.x.T @ d
            G["U" + k] += s.h_prev.T @ d
            G["b" + k] += d.sum(axis=0)
        dh_next = di @ Ui.T
        dh_next = df @ Uf.T
        dh_next = dg @ Ug.T
        dh_next = do @ Uo.T
        dc_next = dc * s.f
    return losses, glued(G)
