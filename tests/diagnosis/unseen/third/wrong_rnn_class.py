"""Plain RNN as a class with weights as attributes, fit's backward written in different ways below it."""

import numpy as np


class Net:
    def __init__(self, params):
        self.U, self.W, self.b = params["W_xh"], params["W_hh"], params["b_h"]
        self.V, self.c = params["W_hy"], params["b_y"]

    def forward(self, X, Y, h):
        self.S, self.O = [h], []
        losses = np.zeros(Y.shape)
        for t, x in enumerate(X):
            h = np.tanh(x.dot(self.U) + h.dot(self.W) + self.b)
            z = h.dot(self.V) + self.c
            z = z - z.max(1, keepdims=True)
            o = np.exp(z) / np.exp(z).sum(1, keepdims=True)
            losses[t] = -np.log(o[range(len(o)), Y[t]])
            self.S.append(h)
            self.O.append(o)
        return losses

    def start(self):
        self.dU, self.dW, self.db = np.zeros_like(self.U), np.zeros_like(self.W), np.zeros_like(self.b)
        self.dV, self.dc = np.zeros_like(self.V), np.zeros_like(self.c)

    def output(self, t, y):
        do = self.O[t] - np.eye(len(self.c))[y]
        self.dV += self.S[t + 1].T.dot(do)
        self.dc += do.sum(0)
        return do.dot(self.V.T)

    def add(self, x, h, delta):
        self.dU += x.T.dot(delta)
        self.dW += h.T.dot(delta)
        self.db += delta.sum(0)

    def grads(self):
        return {"W_xh": self.dU, "W_hh": self.dW, "b_h": self.db, "W_hy": self.dV, "b_y": self.dc}


def only_the_carry_goes_through_tanh(params, xs, targets, state):
    net = Net(params)
    losses = net.forward(xs, targets, state[0])
    net.start()
    carry = np.zeros_like(state[0])
    for t in range(len(xs) - 1, -1, -1):
        delta = net.output(t, targets[t]) + carry * (1 - net.S[t + 1] ** 2)
        net.add(xs[t], net.S[t], delta)
        carry = delta.dot(net.W.T)
    return losses, net.grads()


def carry_added_twice(params, xs, targets, state):
    def step(dh, carry, h):
        return (dh + carry) * (1 - h**2)

    net = Net(params)
    losses = net.forward(xs, targets, state[0])
    net.start()
    carry = np.zeros_like(state[0])
    for t in range(len(xs) - 1, -1, -1):
        dh = net.output(t, targets[t]) + carry
        delta = step(dh, carry, net.S[t + 1])
        net.add(xs[t], net.S[t], delta)
        carry = delta.dot(net.W.T)
    return losses, net.grads()


def each_array_clipped_by_its_own_norm(params, xs, targets, state, limit=0.5):
    net = Net(params)
    losses = net.forward(xs, targets, state[0])
    net.start()
    carry = np.zeros_like(state[0])
    for t in range(len(xs) - 1, -1, -1):
        delta = (net.output(t, targets[t]) + carry) * (1 - net.S[t + 1] ** 2)
        net.add(xs[t], net.S[t], delta)
        carry = delta.dot(net.W.T)
    grads = net.grads()
    for g in grads.values():
        norm = np.sqrt((g**2).sum())
        if norm > limit:
            g *= limit / norm
    return losses, grads


def many_to_one_backward(params, xs, targets, state):
    net = Net(params)
    losses = net.forward(xs, targets, state[0])
    net.start()
    dh = net.output(len(xs) - 1, targets[-1])
    for t in range(len(xs) - 1, -1, -1):
        delta = dh * (1 - net.S[t + 1] ** 2)
        net.add(xs[t], net.S[t], delta)
        dh = delta.dot(net.W.T)
    return losses, net.grads()


def input_gradients_not_put_back_in_order(params, xs, targets, state):
    net = Net(params)
    losses = net.forward(xs, targets, state[0])
    net.start()
    carry, dxs = np.zeros_like(state[0]), []
    for t in range(len(xs) - 1, -1, -1):
        delta = (net.output(t, targets[t]) + carry) * (1 - net.S[t + 1] ** 2)
        net.add(xs[t], net.S[t], delta)
        dxs.append(delta.dot(net.U.T))
        carry = delta.dot(net.W.T)
    return losses, {**net.grads(), "xs": np.array(dxs), "h0": carry}
