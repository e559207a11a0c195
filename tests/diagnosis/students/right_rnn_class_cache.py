"""Plain RNN as a class: forward() fills self.cache, backward() empties it from the end."""

import numpy as np


class VanillaRNN:
    def __init__(self, params):
        self.p = params
        self.cache = []
        self.grads = {name: np.zeros_like(value) for name, value in params.items()}

    def forward(self, xs, targets, h):
        self.losses = []
        for x, y in zip(xs, targets, strict=True):
            h_old = h
            h = np.tanh(x @ self.p["W_xh"] + h_old @ self.p["W_hh"] + self.p["b_h"])
            logits = h @ self.p["W_hy"] + self.p["b_y"]
            logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
            self.losses.append(-logp[np.arange(len(y)), y])
            self.cache.append((x, h_old, h, np.exp(logp), y))
        return np.array(self.losses)

    def backward(self):
        grad_h = 0
        while self.cache:
            x, h_old, h, probs, y = self.cache.pop()
            probs[np.arange(len(y)), y] -= 1
            self.grads["W_hy"] += h.T @ probs
            self.grads["b_y"] += probs.sum(0)
            grad_h = grad_h + probs @ self.p["W_hy"].T
            grad_a = grad_h - grad_h * h**2
            self.grads["W_xh"] += x.T @ grad_a
            self.grads["W_hh"] += h_old.T @ grad_a
            self.grads["b_h"] += grad_a.sum(0)
            grad_h = grad_a @ self.p["W_hh"].T
        self.grads["h0"] = grad_h
        return self.grads


def loss_and_grads(params, xs, targets, state):
    net = VanillaRNN(params)
    losses = net.forward(xs, targets, state[0])
    return losses, net.backward()
