"""Plain RNN in the form of the homework: step_forward, step_backward, and a loop for each; the batch comes first."""

import numpy as np


def step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dtanh = dnext_h * (1 - next_h**2)  # (N, H)
    return dtanh.dot(Wx.T), dtanh.dot(Wh.T), x.T.dot(dtanh), prev_h.T.dot(dtanh), dtanh.sum(axis=0)


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, _ = x.shape
    h = np.zeros((N, T, h0.shape[1]))
    caches = []
    prev = h0
    for t in range(T):
        prev, cache = step_forward(x[:, t], prev, Wx, Wh, b)
        h[:, t] = prev
        caches.append(cache)
    return h, caches


def rnn_backward(dh, caches):
    N, T, H = dh.shape
    D = caches[0][0].shape[1]
    dx, dWx, dWh, db = np.zeros((N, T, D)), np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    dprev = np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        dx[:, t], dprev, dwx, dwh, dbias = step_backward(dh[:, t] + dprev, caches[t])
        dWx += dwx
        dWh += dwh
        db += dbias
    return dx, dprev, dWx, dWh, db


def softmax_loss(scores, y):
    N, T, K = scores.shape
    flat, labels = scores.reshape(N * T, K), y.reshape(N * T)
    probs = np.exp(flat - np.max(flat, axis=1, keepdims=True))
    probs /= np.sum(probs, axis=1, keepdims=True)
    losses = -np.log(probs[np.arange(N * T), labels])
    dflat = probs.copy()
    dflat[np.arange(N * T), labels] -= 1
    return losses.reshape(N, T), dflat.reshape(N, T, K)


def loss_and_grads(params, xs, targets, state):
    x, y = xs.transpose(1, 0, 2), targets.T
    h, caches = rnn_forward(x, state[0], params["W_xh"], params["W_hh"], params["b_h"])
    losses, dscores = softmax_loss(h.dot(params["W_hy"]) + params["b_y"], y)
    dh = dscores.dot(params["W_hy"].T)
    dx, dh0, dWx, dWh, db = rnn_backward(dh, caches)
    grads = {"W_xh": dWx, "W_hh": dWh, "b_h": db, "xs": dx.transpose(1, 0, 2), "h0": dh0}
    H, K = params["W_hy"].shape
    grads["W_hy"] = h.reshape(-1, H).T.dot(dscores.reshape(-1, K))
    grads["b_y"] = dscores.sum(axis=(0, 1))
    return losses.T, grads
