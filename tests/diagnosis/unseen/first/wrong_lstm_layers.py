"""LSTM as layer objects: LSTMStep has forward and backward and keeps what it needs on self; TimeLSTM holds them."""

import numpy as np


class Affine:
    def __init__(self, W, b):
        self.W, self.b, self.dW, self.db = W, b, np.zeros_like(W), np.zeros_like(b)

    def forward(self, h):
        return h @ self.W + self.b

    def backward(self, h, d):
        self.dW += h.T @ d
        self.db += np.sum(d, axis=0)
        return d @ self.W.T


class SoftmaxWithLoss:
    def forward(self, s, y):
        m = s.max(axis=1, keepdims=True)
        self.p = np.exp(s - m) / np.exp(s - m).sum(axis=1, keepdims=True)
        self.y = y
        return -np.log(self.p[np.arange(len(y)), y])

    def backward(self):
        d = self.p.copy()
        d[np.arange(len(d)), self.y] -= 1
        return d


class LSTMStep:
    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h_prev, c_prev):
        A = x @ self.Wx + h_prev @ self.Wh + self.b
        H = h_prev.shape[1]
        self.i = 1 / (1 + np.exp(-A[:, 0:H]))
        self.f = 1 / (1 + np.exp(-A[:, H : 2 * H]))
        self.g = np.tanh(A[:, 2 * H : 3 * H])
        self.o = 1 / (1 + np.exp(-A[:, 3 * H :]))
        self.x, self.h_prev, self.c_prev = x, h_prev, c_prev
        self.c = self.f * c_prev + self.g * self.i
        self.h = self.o * np.tanh(self.c)
        return self.h, self.c

    def through_h(self, dh, dc):
        """What reaches c, and the output gate's gradient."""
        return dc + dh * self.o * (1 - np.tanh(self.c) ** 2), dh * np.tanh(self.c)

    def backward(self, dh, dc):
        ds, do = self.through_h(dh, dc)
        di, df, dg = ds * self.g, ds * self.c_prev, ds * self.i
        dA = np.hstack((
            di * self.i * (1 - self.i), df * self.f * (1 - self.f), dg * (1 - self.g**2), do * self.o * (1 - self.o)
        ))
        self.dWx, self.dWh, self.db = self.x.T @ dA, self.h_prev.T @ dA, dA.sum(axis=0)
        return dA @ self.Wx.T, dA @ self.Wh.T, ds * self.f


class TimeLSTM:
    step_class = LSTMStep

    def __init__(self):
        self.dh = self.dc = None

    def run(self, params, xs, targets, state):
        affine = Affine(params["W_hy"], params["b_y"])
        h, c = state
        layers, losses = [], []
        for x, y in zip(xs, targets, strict=False):
            step, loss = self.step_class(params["W_xh"], params["W_hh"], params["b_h"]), SoftmaxWithLoss()
            h, c = step.forward(x, h, c)
            losses.append(loss.forward(affine.forward(h), y))
            layers.append((step, loss))
        self.start_backward(h)
        dWx, dWh, db, dxs = 0, 0, 0, []
        for step, loss in reversed(layers):
            dh = affine.backward(step.h, loss.backward())
            dx, self.dh, self.dc = step.backward(dh + self.dh, self.dc)
            dWx, dWh, db = dWx + step.dWx, dWh + step.dWh, db + step.db
            dxs.insert(0, dx)
        return np.array(losses), {
            "W_xh": dWx, "W_hh": dWh, "b_h": db, "W_hy": affine.dW, "b_y": affine.db, "xs": np.array(dxs),
            "h0": self.dh, "c0": self.dc,
        }

    def start_backward(self, h):
        self.dh, self.dc = np.zeros_like(h), np.zeros_like(h)


class WithoutTanh(LSTMStep):
    def through_h(self, dh, dc):
        return dc + dh * self.o, dh * np.tanh(self.c)


class DcForO(LSTMStep):
    def through_h(self, dh, dc):
        dc = dc + dh * self.o * (1 - np.tanh(self.c) ** 2)
        return dc, dc * np.tanh(self.c)


def dc_not_through_tanh(params, xs, targets, state):
    layer = TimeLSTM()
    layer.step_class = WithoutTanh
    return layer.run(params, xs, targets, state)


def o_takes_dc(params, xs, targets, state):
    layer = TimeLSTM()
    layer.step_class = DcForO
    return layer.run(params, xs, targets, state)


class KeepsGradients(TimeLSTM):
    def start_backward(self, h):
        if self.dh is None or self.dh.shape != h.shape:  # made once
            self.dh, self.dc = np.zeros_like(h), np.zeros_like(h)


model = KeepsGradients()


def carry_left_from_last_call(params, xs, targets, state):
    return model.run(params, xs, targets, state)
