"""LSTM that keeps the pre-activations only; the backward computes the gates again, with sigma'(a) and tanh'(a)."""

import numpy as np


def sigma(a):
    return 1.0 / (1.0 + np.exp(-a))


def sigma_prime(a):
    return np.exp(-a) / (1.0 + np.exp(-a)) ** 2


def tanh_prime(a):
    return 4.0 / (np.exp(a) + np.exp(-a)) ** 2


def loss_and_grads(params, xs, targets, state):
    H, K = params["W_hy"].shape
    T, N, _ = xs.shape
    hs, cs, pre = [state[0]], [state[1]], []
    for t in range(T):
        a = (xs[t] @ params["W_xh"] + hs[t] @ params["W_hh"] + params["b_h"]).reshape(N, 4, H)
        pre.append(a)
        cs.append(sigma(a[:, 1]) * cs[t] + sigma(a[:, 0]) * np.tanh(a[:, 2]))
        hs.append(sigma(a[:, 3]) * np.tanh(cs[t + 1]))

    loss = 0.0
    grads = {name: np.zeros(value.shape) for name, value in params.items()}
    dh, dc = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        logits = hs[t + 1] @ params["W_hy"] + params["b_y"]
        e = np.exp(logits)
        target = np.zeros((N, K))
        target[np.arange(N), targets[t]] = 1
        loss += (np.log(e.sum(axis=1)) - (target * logits).sum(axis=1)).sum()
        dlogits = e / e.sum(axis=1, keepdims=True) - target
        grads["W_hy"] += hs[t + 1].T @ dlogits
        grads["b_y"] += dlogits.sum(axis=0)

        a_i, a_f, a_g, a_o = pre[t].transpose(1, 0, 2)
        dh = dh + dlogits @ params["W_hy"].T
        dc = dc + dh * sigma(a_o) * tanh_prime(cs[t + 1])
        da = np.zeros((N, 4, H))
        da[:, 0] = dc * np.tanh(a_g) * sigma_prime(a_i)
        da[:, 1] = dc * cs[t] * sigma_prime(a_f)
        da[:, 2] = dc * sigma(a_i) * tanh_prime(a_g)
        da[:, 3] = dh * np.tanh(cs[t + 1]) * sigma_prime(a_o)
        da = da.reshape(N, 4 * H)
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh = da @ params["W_hh"].T
        dc = dc * sigma(a_f)
    grads["h0"], grads["c0"] = dh, dc
    return loss, grads
