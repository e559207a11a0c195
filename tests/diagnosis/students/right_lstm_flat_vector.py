"""LSTM on one flat vector of weights; inside, a matrix M of shape (1 + D + H, 4H) takes [1, x, h]."""

import numpy as np


class FlatLSTM:
    def __init__(self, D, H, K):
        self.D, self.H, self.K = D, H, K
        self.cut = (1 + D + H) * 4 * H

    def split(self, theta):
        return theta[: self.cut].reshape(1 + self.D + self.H, 4 * self.H), theta[self.cut :].reshape(1 + self.H, self.K)

    def value_and_gradient(self, theta, xs, targets, h, c):
        M, R = self.split(theta)
        T, N, _ = xs.shape
        H = self.H
        v = np.ones((T, N, 1 + self.D + H))
        r = np.ones((T, N, 1 + H))
        act = np.zeros((T, N, 4 * H))
        C = np.zeros((T + 1, N, H))
        C[0] = c
        for t in range(T):
            v[t, :, 1 : 1 + self.D] = xs[t]
            v[t, :, 1 + self.D :] = h
            a = v[t] @ M
            act[t] = 1 / (1 + np.exp(-a))
            act[t, :, 2 * H : 3 * H] = np.tanh(a[:, 2 * H : 3 * H])
            C[t + 1] = act[t, :, H : 2 * H] * C[t] + act[t, :, :H] * act[t, :, 2 * H : 3 * H]
            h = act[t, :, 3 * H :] * np.tanh(C[t + 1])
            r[t, :, 1:] = h
        logits = r @ R
        logp = logits - np.log(np.exp(logits).sum(axis=2))[:, :, None]
        hot = np.eye(self.K)[targets]
        losses = -np.sum(hot * logp, axis=2)

        gradient = np.zeros_like(theta)
        dM, dR = self.split(gradient)
        dlogits = np.exp(logp) - hot
        dr = dlogits @ R.T
        dh = dc = 0.0
        for t in range(T)[::-1]:
            i, f, g, o = (act[t, :, k * H : (k + 1) * H] for k in range(4))
            dh = dh + dr[t, :, 1:]
            dc = dc + dh * o / np.cosh(C[t + 1]) ** 2
            dact = np.hstack([dc * g, dc * C[t], dc * i, dh * np.tanh(C[t + 1])])
            slope = act[t] * (1 - act[t])
            slope[:, 2 * H : 3 * H] = 1 - g**2
            da = dact * slope
            dM += v[t].T @ da
            dR += r[t].T @ dlogits[t]
            dh = da @ M[1 + self.D :].T
            dc = dc * f
        return losses, gradient


def loss_and_grads(params, xs, targets, state):
    D, H, K = xs.shape[2], *params["W_hy"].shape
    net = FlatLSTM(D, H, K)
    theta = np.concatenate([params[k].ravel() for k in ("b_h", "W_xh", "W_hh", "b_y", "W_hy")])
    losses, gradient = net.value_and_gradient(theta, xs, targets, *state)
    dM, dR = net.split(gradient)
    return losses, {"b_h": dM[0], "W_xh": dM[1 : 1 + D], "W_hh": dM[1 + D :], "b_y": dR[0], "W_hy": dR[1:]}
