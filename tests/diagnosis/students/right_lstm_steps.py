"""LSTM in the form of the homework: one wide pre-activation, step functions with a cache, the batch comes first."""

import numpy as np


def sigmoid(x):
    """The stable one: never exp of a large positive number."""
    out = np.empty_like(x)
    pos = x >= 0
    out[pos] = 1 / (1 + np.exp(-x[pos]))
    e = np.exp(x[~pos])
    out[~pos] = e / (1 + e)
    return out


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 3 * H :])
    g = np.tanh(a[:, 2 * H : 3 * H])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, g, o, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, g, o, next_c = cache
    tanh_c = np.tanh(next_c)
    dnext_c = dnext_c + dnext_h * o * (1 - tanh_c**2)  # not +=, the caller still owns it
    di, df, dg, do = dnext_c * g, dnext_c * prev_c, dnext_c * i, dnext_h * tanh_c
    da = np.hstack([i * (1 - i) * di, f * (1 - f) * df, (1 - g**2) * dg, o * (1 - o) * do])
    return da @ Wx.T, da @ Wh.T, dnext_c * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def loss_and_grads(params, xs, targets, state):
    x = np.swapaxes(xs, 0, 1)  # (N, T, D)
    N, T, _ = x.shape
    h, c = state
    caches, hs = [], []
    for t in range(T):
        h, c, cache = lstm_step_forward(x[:, t], h, c, params["W_xh"], params["W_hh"], params["b_h"])
        hs.append(h)
        caches.append(cache)
    hs = np.stack(hs, axis=1)  # (N, T, H)
    scores = hs @ params["W_hy"] + params["b_y"]
    scores = scores - scores.max(axis=2, keepdims=True)
    logp = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    n, t = np.ogrid[:N, :T]
    losses = -logp[n, t, targets.T]
    dscores = np.exp(logp)
    dscores[n, t, targets.T] -= 1

    grads = {k: np.zeros_like(params[k]) for k in ("W_xh", "W_hh", "b_h")}
    grads["W_hy"] = np.einsum("nth,ntk->hk", hs, dscores)
    grads["b_y"] = dscores.sum(axis=(0, 1))
    dhs = dscores @ params["W_hy"].T
    dx = np.zeros(x.shape)
    dh, dc = np.zeros_like(h), np.zeros_like(c)
    for t in range(T - 1, -1, -1):
        dx[:, t], dh, dc, dWx, dWh, db = lstm_step_backward(dh + dhs[:, t], dc, caches[t])
        grads["W_xh"] += dWx
        grads["W_hh"] += dWh
        grads["b_h"] += db
    grads.update(xs=np.swapaxes(dx, 0, 1), h0=dh, c0=dc)
    return losses.T, grads
