"""Plain RNN with habits that no formula shows: state kept between calls, arrays written over, chance, another loss."""

import numpy as np


def softmax_loss(y, target):
    p = np.exp(y - y.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(target))
    loss = -np.log(p[rows, target])
    p[rows, target] -= 1
    return loss, p


class AccumulatingRNN:
    grads = {}  # noqa: RUF012

    def __init__(self, params):
        self.params = params
        for name, value in params.items():
            if name not in self.grads or self.grads[name].shape != value.shape:
                self.grads[name] = np.zeros_like(value)

    def run(self, xs, targets, h):
        P, cache, losses = self.params, [], []
        for x, y in zip(xs, targets, strict=True):
            h_prev, h = h, np.tanh(x @ P["W_xh"] + h @ P["W_hh"] + P["b_h"])
            loss, dy = softmax_loss(h @ P["W_hy"] + P["b_y"], y)
            losses.append(loss)
            cache.append((x, h_prev, h, dy))
        dh = np.zeros_like(h)
        for x, h_prev, h, dy in cache[::-1]:
            self.grads["W_hy"] += h.T @ dy
            self.grads["b_y"] += dy.sum(axis=0)
            da = (dy @ P["W_hy"].T + dh) * (1 - h**2)
            self.grads["W_xh"] += x.T @ da
            self.grads["W_hh"] += h_prev.T @ da
            self.grads["b_h"] += da.sum(axis=0)
            dh = da @ P["W_hh"].T
        return np.array(losses), {name: g.copy() for name, g in self.grads.items()}


def class_accumulates(params, xs, targets, state):
    return AccumulatingRNN(params).run(xs, targets, state[0])


def dropout_left_on(params, xs, targets, state):
    W, U, V = params["W_xh"], params["W_hh"], params["W_hy"]
    keep = np.random.default_rng().random((len(xs), *state[0].shape)) < 0.8
    losses, hs, dys = [], [state[0]], []
    for t, (x, y) in enumerate(zip(xs, targets, strict=True)):
        hs.append(np.tanh(x @ W + hs[-1] @ U + params["b_h"]))
        loss, dy = softmax_loss((hs[-1] * keep[t] / 0.8) @ V + params["b_y"], y)
        losses.append(loss)
        dys.append(dy)
    dW, dU, db, dV, dc, back = (np.zeros_like(a) for a in (W, U, params["b_h"], V, params["b_y"], state[0]))
    for t in reversed(range(len(xs))):
        da = (dys[t] @ V.T * keep[t] / 0.8 + back) * (1 - hs[t + 1] ** 2)
        dW += xs[t].T @ da
        dU += hs[t].T @ da
        db += da.sum(axis=0)
        dV += (hs[t + 1] * keep[t] / 0.8).T @ dys[t]
        dc += dys[t].sum(axis=0)
        back = da @ U.T
    return np.array(losses), {"W_xh": dW, "W_hh": dU, "b_h": db, "W_hy": dV, "b_y": dc}


def state_ignored(params, xs, targets, state):
    W, U, V = params["W_xh"], params["W_hh"], params["W_hy"]
    losses, hs, dys = [], [np.zeros_like(state[0])], []  # every sequence starts from zero
    for x, y in zip(xs, targets, strict=True):
        hs.append(np.tanh(x @ W + hs[-1] @ U + params["b_h"]))
        loss, dy = softmax_loss(hs[-1] @ V + params["b_y"], y)
        losses.append(loss)
        dys.append(dy)
    dW, dU, db, dV, dc, back = (np.zeros_like(a) for a in (W, U, params["b_h"], V, params["b_y"], state[0]))
    for t in reversed(range(len(xs))):
        da = (dys[t] @ V.T + back) * (1 - hs[t + 1] ** 2)
        dW += xs[t].T @ da
        dU += hs[t].T @ da
        db += da.sum(axis=0)
        dV += hs[t + 1].T @ dys[t]
        dc += dys[t].sum(axis=0)
        back = da @ U.T
    return np.array(losses), {"W_xh": dW, "W_hh": dU, "b_h": db, "W_hy": dV, "b_y": dc}


def mean_loss(params, xs, targets, state):
    W, U, V = params["W_xh"], params["W_hh"], params["W_hy"]
    losses, hs, dys = [], [state[0]], []
    for x, y in zip(xs, targets, strict=True):
        hs.append(np.tanh(x @ W + hs[-1] @ U + params["b_h"]))
        loss, dy = softmax_loss(hs[-1] @ V + params["b_y"], y)
        losses.append(loss)
        dys.append(dy / targets.size)
    dW, dU, db, dV, dc, back = (np.zeros_like(a) for a in (W, U, params["b_h"], V, params["b_y"], state[0]))
    for t in reversed(range(len(xs))):
        da = (dys[t] @ V.T + back) * (1 - hs[t + 1] ** 2)
        dW += xs[t].T @ da
        dU += hs[t].T @ da
        db += da.sum(axis=0)
        dV += hs[t + 1].T @ dys[t]
        dc += dys[t].sum(axis=0)
        back = da @ U.T
    return np.mean(losses), {"W_xh": dW, "W_hh": dU, "b_h": db, "W_hy": dV, "b_y": dc}
