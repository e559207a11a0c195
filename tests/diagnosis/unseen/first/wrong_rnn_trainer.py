"""Plain RNN as a network class with a trainer's extras: clipping, weight decay, windows."""

import numpy as np


class RNN:
    def __init__(self, params):
        self.Wx, self.Wh, self.b = params["W_xh"], params["W_hh"], params["b_h"]
        self.Wy, self.by = params["W_hy"], params["b_y"]
        self.zero_grad()

    def zero_grad(self):
        self.dWx, self.dWh, self.db = np.zeros(self.Wx.shape), np.zeros(self.Wh.shape), np.zeros(self.b.shape)
        self.dWy, self.dby = np.zeros(self.Wy.shape), np.zeros(self.by.shape)

    def forward(self, xs, targets, h):
        self.cache, losses = [], []
        for x, y in zip(xs, targets, strict=False):
            h_next = np.tanh(x.dot(self.Wx) + h.dot(self.Wh) + self.b)
            e = np.exp(h_next.dot(self.Wy) + self.by)
            prob = e / e.sum(axis=1, keepdims=True)
            losses.append(-np.log(prob[range(len(y)), y]))
            self.cache.append((x, y, h, h_next, prob))
            h = h_next
        self.h = h
        return losses

    def backward(self):
        dh_next = np.zeros_like(self.h)
        for x, y, h, h_next, prob in self.cache[::-1]:
            dscore = prob.copy()
            dscore[range(len(y)), y] -= 1
            self.dWy += h_next.T.dot(dscore)
            self.dby += dscore.sum(axis=0)
            dt = (dscore.dot(self.Wy.T) + dh_next) * (1 - h_next**2)
            self.db += dt.sum(axis=0)
            self.dWh += h.T.dot(dt)
            self.dWx += x.T.dot(dt)
            dh_next = dt.dot(self.Wh.T)

    def grads(self):
        return {"W_xh": self.dWx, "W_hh": self.dWh, "b_h": self.db, "W_hy": self.dWy, "b_y": self.dby}


def clip_grads(grads, max_norm):
    total_norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    rate = max_norm / (total_norm + 1e-6)
    if rate < 1:
        for g in grads.values():
            g *= rate
    return grads


def clipped_by_norm(params, xs, targets, state):
    net = RNN(params)
    losses = net.forward(xs, targets, state[0])
    net.backward()
    return np.array(losses), clip_grads(net.grads(), 0.25)


def decay_on_recurrent_only(params, xs, targets, state, weight_decay=0.01):
    net = RNN(params)
    losses = net.forward(xs, targets, state[0])
    net.backward()
    grads = net.grads()
    grads["W_hh"] = grads["W_hh"] + weight_decay * net.Wh
    return np.array(losses), grads


def windows_of_two(params, xs, targets, state, window=2):
    net = RNN(params)
    losses, h = [], state[0]
    for start in range(0, len(xs), window):
        losses += net.forward(xs[start : start + window], targets[start : start + window], h)
        net.backward()
        h = net.h
    return np.array(losses), net.grads()
