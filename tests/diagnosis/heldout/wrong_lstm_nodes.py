"""LSTM as a chain of objects, each with its own backward; the chain is walked, or added up, the wrong way."""

import numpy as np


class Cell:
    def __init__(self, params, prev, x, h, c):
        self.p, self.x, self.h_prev, self.c_prev = params, x, h, c
        self.prev = prev
        a = x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]
        self.i, self.f, self.g, self.o = np.split(a, 4, axis=1)
        for gate in "ifo":
            setattr(self, gate, 1 / (1 + np.exp(-getattr(self, gate))))
        self.g = np.tanh(self.g)
        self.c = c * self.f + self.g * self.i
        self.h = np.tanh(self.c) * self.o

    def loss(self, y):
        logits = self.h @ self.p["W_hy"] + self.p["b_y"]
        self.error = np.exp(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
        loss = -np.log(self.error[np.arange(len(y)), y])
        self.error[np.arange(len(y)), y] -= 1
        return loss

    def back(self, dh, dc):
        """Set self.da, return what goes to the cell before."""
        th = np.tanh(self.c)
        dc = dc + dh * self.o * (1 - th**2)
        self.da = np.hstack([
            dc * self.g * self.i * (1 - self.i), dc * self.c_prev * self.f * (1 - self.f),
            dc * self.i * (1 - self.g**2), dh * th * self.o * (1 - self.o),
        ])
        return self.da @ self.p["W_hh"].T, dc * self.f


def chain(params, xs, targets, state):
    cells, losses, (h, c) = [], [], state
    for x, y in zip(xs, targets, strict=True):
        cells.append(Cell(params, cells[-1] if cells else None, x, h, c))
        losses.append(cells[-1].loss(y))
        h, c = cells[-1].h, cells[-1].c
    return cells, np.array(losses)


def bias_overwritten(params, xs, targets, state):
    cells, losses = chain(params, xs, targets, state)
    g = {k: np.zeros_like(v) for k, v in params.items()}
    dh = dc = np.zeros_like(state[0])
    cell = cells[-1]
    while cell is not None:
        g["W_hy"] += cell.h.T @ cell.error
        g["b_y"] += cell.error.sum(axis=0)
        dh, dc = cell.back(dh + cell.error @ params["W_hy"].T, dc)
        g["W_xh"] += cell.x.T @ cell.da
        g["W_hh"] += cell.h_prev.T @ cell.da
        g["b_h"] = cell.da.sum(axis=0)
        cell = cell.prev
    return losses, g


def first_step_left_out(params, xs, targets, state):
    cells, losses = chain(params, xs, targets, state)
    g = {k: np.zeros_like(v) for k, v in params.items()}
    for cell in cells:
        g["W_hy"] += cell.h.T @ cell.error
        g["b_y"] += cell.error.sum(axis=0)
    dh = dc = np.zeros_like(state[0])
    for t in range(len(cells) - 1, 0, -1):
        cell = cells[t]
        dh, dc = cell.back(dh + cell.error @ params["W_hy"].T, dc)
        g["W_xh"] += cell.x.T @ cell.da
        g["W_hh"] += cell.h_prev.T @ cell.da
        g["b_h"] += cell.da.sum(axis=0)
    return losses, g


def last_loss_only(params, xs, targets, state):
    cells, losses = chain(params, xs, targets, state)
    g = {k: np.zeros_like(v) for k, v in params.items()}
    cell = cells[-1]
    g["W_hy"] = cell.h.T @ cell.error
    g["b_y"] = cell.error.sum(axis=0)
    dh, dc = cell.error @ params["W_hy"].T, np.zeros_like(state[1])
    while cell is not None:
        dh, dc = cell.back(dh, dc)
        g["W_xh"] += cell.x.T @ cell.da
        g["W_hh"] += cell.h_prev.T @ cell.da
        g["b_h"] += cell.da.sum(axis=0)
        cell = cell.prev
    return losses, g
