"""LSTM unit by unit: numbers and lists, a for loop for each index, nothing hidden in a matrix product."""

from math import exp, log, tanh

import numpy as np


def logistic(a):
    return 1.0 / (1.0 + exp(-a))


def loss_and_grads(params, xs, targets, state):
    T, N, D = xs.shape
    H, K = params["W_hy"].shape
    Wx, Wh, bh, Wy, by = (params[k].tolist() for k in ("W_xh", "W_hh", "b_h", "W_hy", "b_y"))
    grad = {k: np.zeros(v.shape) for k, v in params.items()}
    losses = np.zeros((T, N))
    for n in range(N):
        h, c = [state[0][n].tolist()], [state[1][n].tolist()]
        gates, errors = [], []
        for t in range(T):
            x = xs[t][n].tolist()
            z = []
            for m in range(4 * H):
                z.append(bh[m] + sum(x[d] * Wx[d][m] for d in range(D)) + sum(h[t][j] * Wh[j][m] for j in range(H)))
            gate = [tanh(a) if 2 * H <= m < 3 * H else logistic(a) for m, a in enumerate(z)]
            c.append([gate[H + j] * c[t][j] + gate[j] * gate[2 * H + j] for j in range(H)])
            h.append([gate[3 * H + j] * tanh(c[t + 1][j]) for j in range(H)])
            y = [by[k] + sum(h[t + 1][j] * Wy[j][k] for j in range(H)) for k in range(K)]
            z_sum = sum(exp(v) for v in y)
            losses[t, n] = log(z_sum) - y[targets[t, n]]
            errors.append([exp(y[k]) / z_sum - (k == targets[t, n]) for k in range(K)])
            gates.append(gate)

        dh_later, dc_later = [0.0] * H, [0.0] * H
        for t in reversed(range(T)):
            delta = [0.0] * (4 * H)
            for j in range(H):
                i, f, g, o = (gates[t][q * H + j] for q in range(4))
                th = tanh(c[t + 1][j])
                dh = dh_later[j] + sum(Wy[j][k] * errors[t][k] for k in range(K))
                dc = dc_later[j] + dh * o * (1 - th * th)
                delta[j] = dc * g * i * (1 - i)
                delta[H + j] = dc * c[t][j] * f * (1 - f)
                delta[2 * H + j] = dc * i * (1 - g * g)
                delta[3 * H + j] = dh * th * o * (1 - o)
                dc_later[j] = dc * f
                for k in range(K):
                    grad["W_hy"][j, k] += h[t + 1][j] * errors[t][k]
            for k in range(K):
                grad["b_y"][k] += errors[t][k]
            for m in range(4 * H):
                grad["b_h"][m] += delta[m]
                for d in range(D):
                    grad["W_xh"][d, m] += xs[t, n, d] * delta[m]
                for j in range(H):
                    grad["W_hh"][j, m] += h[t][j] * delta[m]
            dh_later = [sum(Wh[j][m] * delta[m] for m in range(4 * H)) for j in range(H)]
    return losses, grad
