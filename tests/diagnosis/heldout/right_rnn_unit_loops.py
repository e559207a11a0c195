"""Plain RNN without one matrix product: every sum is a for loop, so that I see each index."""

import math

import numpy as np


def loss_and_grads(params, xs, targets, state):
    T, N, D = xs.shape
    H, K = params["W_hy"].shape
    wx, wh, wy = params["W_xh"].tolist(), params["W_hh"].tolist(), params["W_hy"].tolist()
    bias, out_bias = params["b_h"].tolist(), params["b_y"].tolist()
    g = {name: np.zeros(value.shape) for name, value in params.items()}
    total = 0.0
    for n in range(N):
        h = [state[0][n].tolist()]  # h[0] is the start, h[t + 1] comes after step t
        prob = []
        for t in range(T):
            row = []
            for j in range(H):
                a = bias[j]
                for i in range(D):
                    a += xs[t, n, i] * wx[i][j]
                for i in range(H):
                    a += h[t][i] * wh[i][j]
                row.append(math.tanh(a))
            h.append(row)
            scores = [out_bias[k] + sum(row[j] * wy[j][k] for j in range(H)) for k in range(K)]
            norm = sum(math.exp(s) for s in scores)
            prob.append([math.exp(s) / norm for s in scores])
            total -= math.log(prob[t][targets[t, n]])

        later = [0.0] * H  # what comes back from step t + 1
        for t in range(T - 1, -1, -1):
            err = [prob[t][k] - (1.0 if k == targets[t, n] else 0.0) for k in range(K)]
            delta = [0.0] * H
            for j in range(H):
                back = later[j]
                for k in range(K):
                    back += wy[j][k] * err[k]
                    g["W_hy"][j, k] += h[t + 1][j] * err[k]
                delta[j] = back * (1.0 - h[t + 1][j] ** 2)
            for k in range(K):
                g["b_y"][k] += err[k]
            for j in range(H):
                g["b_h"][j] += delta[j]
                for i in range(D):
                    g["W_xh"][i, j] += xs[t, n, i] * delta[j]
                for i in range(H):
                    g["W_hh"][i, j] += h[t][i] * delta[j]
            later = [sum(wh[i][j] * delta[j] for j in range(H)) for i in range(H)]
    return total, g
