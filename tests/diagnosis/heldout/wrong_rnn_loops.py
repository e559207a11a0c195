"""Plain RNN with a for loop over every unit; one of the many lines is wrong."""

import math

import numpy as np


def forward(params, xs, targets, h0):
    """Return the states of one sequence (T + 1 lists), its probabilities, its losses."""
    H, K = params["W_hy"].shape
    h, probs, losses = [list(h0)], [], []
    for x, target in zip(xs, targets, strict=True):
        new = []
        for j in range(H):
            a = params["b_h"][j]
            for i in range(len(x)):
                a += x[i] * params["W_xh"][i, j]
            for i in range(H):
                a += h[-1][i] * params["W_hh"][i, j]
            new.append(math.tanh(a))
        h.append(new)
        e = [math.exp(params["b_y"][k] + sum(new[j] * params["W_hy"][j, k] for j in range(H))) for k in range(K)]
        probs.append([v / sum(e) for v in e])
        losses.append(-math.log(probs[-1][target]))
    return h, probs, losses


def whh_counted_twice(params, xs, targets, state):
    T, N, D = xs.shape
    H, K = params["W_hy"].shape
    losses, grads = np.zeros((T, N)), {k: np.zeros(v.shape) for k, v in params.items()}
    for n in range(N):
        h, probs, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        carry = [0.0] * H
        for t in range(T - 1, -1, -1):
            err = [probs[t][k] - (1.0 if k == targets[t, n] else 0.0) for k in range(K)]
            delta = []
            for j in range(H):
                dh = carry[j]
                for k in range(K):
                    dh += params["W_hy"][j, k] * err[k]
                    grads["W_hy"][j, k] += h[t + 1][j] * err[k]
                delta.append(dh * (1 - h[t + 1][j] ** 2))
            for j in range(H):
                grads["b_h"][j] += delta[j]
                for i in range(D):
                    grads["W_xh"][i, j] += xs[t, n, i] * delta[j]
                for i in range(H):
                    grads["W_hh"][i, j] += h[t][i] * delta[j]
            for k in range(K):
                grads["b_y"][k] += err[k]
            carry = [0.0] * H
            for i in range(H):
                for j in range(H):
                    carry[i] += params["W_hh"][i, j] * delta[j]
                    grads["W_hh"][i, j] += h[t][i] * delta[j]
    return losses, grads
