"""LSTM after torch's LSTMCell: a Cell object that keeps a cache by step, sums its gradients in .grad."""

import numpy as np


def sigmoid(a):
    return np.where(a >= 0, 1 / (1 + np.exp(-np.abs(a))), np.exp(-np.abs(a)) / (1 + np.exp(-np.abs(a))))


class Cell:
    def __init__(self, params):
        self.p = params
        self.cache = []
        self.grad = {k: np.zeros(params[k].shape) for k in ("W_xh", "W_hh", "b_h")}

    def __call__(self, x, hc):
        h, c = hc
        i, f, g, o = np.split(x @ self.p["W_xh"] + h @ self.p["W_hh"] + self.p["b_h"], 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        new_c = f * c + i * g
        self.cache.append((x, h, c, i, f, g, o, new_c))
        return o * np.tanh(new_c), new_c

    def add(self, x, h, d):
        self.grad["W_xh"] += x.T @ d
        self.grad["W_hh"] += h.T @ d
        self.grad["b_h"] += d.sum(0)
        return d @ self.p["W_hh"].T

    def backward(self, dh, dc):
        x, h, c, i, f, g, o, new_c = self.cache.pop()
        dc = dc + dh * o * (1 - np.tanh(new_c) ** 2)
        di = dc * g * i * (1 - i)
        df = dc * c * f * (1 - f)
        dg = dc * i * (1 - g * g)
        do = dh * np.tanh(new_c) * o * (1 - o)
        return self.add(x, h, np.hstack((di, df, dg, do))), dc * f


class Head:
    def __init__(self, params):
        self.W, self.b = params["W_hy"], params["b_y"]
        self.grad = {"W_hy": np.zeros(self.W.shape), "b_y": np.zeros(self.b.shape)}

    def __call__(self, h, y):
        s = h @ self.W + self.b
        m = s.max(1, keepdims=True)
        lse = m + np.log(np.exp(s - m).sum(1, keepdims=True))
        d = np.exp(s - lse) - (np.arange(s.shape[1]) == y[:, None])
        self.grad["W_hy"] += h.T @ d
        self.grad["b_y"] += d.sum(0)
        return (lse - s)[np.arange(len(y)), y], d @ self.W.T


def run(cell, head, xs, targets, state):
    losses, dhs = [], []
    for x, y in zip(xs, targets, strict=False):
        state = cell(x, state)
        loss, dh = head(state[0], y)
        losses.append(loss)
        dhs.append(dh)
    return np.stack(losses), dhs


def back(cell, head, dhs, state):
    dh, dc = (np.zeros(s.shape) for s in state)
    for own in reversed(dhs):
        dh, dc = cell.backward(own + dh, dc)
    return {**cell.grad, **head.grad}


def candidate_times_itself(params, xs, targets, state):
    class Mine(Cell):
        def backward(self, dh, dc):
            x, h, c, i, f, g, o, new_c = self.cache.pop()
            dc = dc + dh * o * (1 - np.tanh(new_c) ** 2)
            di = dc * g * i * (1 - i)
            df = dc * c * f * (1 - f)
            dg = dc * g * (1 - g * g)
            do = dh * np.tanh(new_c) * o * (1 - o)
            return self.add(x, h, np.hstack((di, df, dg, do))), dc * f

    cell, head = Mine(params), Head(params)
    losses, dhs = run(cell, head, xs, targets, state)
    return losses, back(cell, head, dhs, state)


def f_overwritten_by_its_delta(params, xs, targets, state):
    class Mine(Cell):
        def backward(self, dh, dc):
            x, h, c, i, f, g, o, new_c = self.cache.pop()
            tc = np.tanh(new_c)
            dc = dc + dh * o * (1 - tc**2)
            i, f, g, o = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * tc * o * (1 - o)
            return self.add(x, h, np.hstack((i, f, g, o))), dc * f

    cell, head = Mine(params), Head(params)
    losses, dhs = run(cell, head, xs, targets, state)
    return losses, back(cell, head, dhs, state)


def bias_assigned(params, xs, targets, state):
    class Mine(Cell):
        def add(self, x, h, d):
            self.grad["W_xh"] += x.T @ d
            self.grad["W_hh"] += h.T @ d
            self.grad["b_h"] = d.sum(0)
            return d @ self.p["W_hh"].T

    cell, head = Mine(params), Head(params)
    losses, dhs = run(cell, head, xs, targets, state)
    return losses, back(cell, head, dhs, state)


def output_share_added_twice(params, xs, targets, state):
    cell, head = Cell(params), Head(params)
    losses, dhs = run(cell, head, xs, targets, state)
    dh, dc = np.zeros(state[0].shape), np.zeros(state[1].shape)
    for t in reversed(range(len(xs))):
        dh = dh + dhs[t]
        dh, dc = cell.backward(dh + dhs[t], dc)
    return losses, {**cell.grad, **head.grad}


def h_and_c_swapped_in_the_cache(params, xs, targets, state):
    class Mine(Cell):
        def backward(self, dh, dc):
            x, c, h, i, f, g, o, new_c = self.cache.pop()
            dc = dc + dh * o * (1 - np.tanh(new_c) ** 2)
            di = dc * g * i * (1 - i)
            df = dc * c * f * (1 - f)
            dg = dc * i * (1 - g * g)
            do = dh * np.tanh(new_c) * o * (1 - o)
            return self.add(x, h, np.hstack((di, df, dg, do))), dc * f

    cell, head = Mine(params), Head(params)
    losses, dhs = run(cell, head, xs, targets, state)
    return losses, back(cell, head, dhs, state)


def cell_carry_added_after_the_gates(params, xs, targets, state):
    class Mine(Cell):
        def backward(self, dh, dc_next):
            x, h, c, i, f, g, o, new_c = self.cache.pop()
            dc = dh * o * (1 - np.tanh(new_c) ** 2)
            di = dc * g * i * (1 - i)
            df = dc * c * f * (1 - f)
            dg = dc * i * (1 - g * g)
            do = dh * np.tanh(new_c) * o * (1 - o)
            dc += dc_next
            return self.add(x, h, np.hstack((di, df, dg, do))), dc * f

    cell, head = Mine(params), Head(params)
    losses, dhs = run(cell, head, xs, targets, state)
    return losses, back(cell, head, dhs, state)
