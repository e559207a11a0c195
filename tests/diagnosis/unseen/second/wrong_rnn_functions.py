"""Plain RNN after the assignment with rnn_step_backward, temporal affine and softmax layers as functions."""

import numpy as np


def softmax_loss(scores, y):
    shifted = scores - scores.max(axis=-1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    T, N = y.shape
    i, j = np.arange(T)[:, None], np.arange(N)
    dx = np.exp(logp)
    dx[i, j, y] -= 1
    return -logp[i, j, y], dx


def rnn_forward(x, h, Wx, Wh, b):
    caches, out = [], []
    for t in range(x.shape[0]):
        next_h = np.tanh(x[t].dot(Wx) + h.dot(Wh) + b)
        caches.append((x[t], h, next_h))
        out.append(next_h)
        h = next_h
    return np.stack(out), caches


def affine_backward(dout, h, W):
    flat = dout.reshape(-1, dout.shape[-1])
    return dout.dot(W.T), h.reshape(-1, h.shape[-1]).T.dot(flat), flat.sum(axis=0)


def dh_not_started_anew(params, xs, targets, state):
    h, caches = rnn_forward(xs, state[0], params["W_xh"], params["W_hh"], params["b_h"])
    losses, dscores = softmax_loss(h.dot(params["W_hy"]) + params["b_y"], targets)
    dout, dWy, dby = affine_backward(dscores, h, params["W_hy"])
    dWx, dWh, db = np.zeros_like(params["W_xh"]), np.zeros_like(params["W_hh"]), np.zeros_like(params["b_h"])
    dh = np.zeros_like(state[0])
    for t in range(len(caches) - 1, -1, -1):
        x, prev_h, next_h = caches[t]
        dh += dout[t]
        da = dh * (1 - next_h**2)
        dWx += x.T.dot(da)
        dWh += prev_h.T.dot(da)
        db += da.sum(axis=0)
        dh += da.dot(params["W_hh"].T)
    return losses, {"W_xh": dWx, "W_hh": dWh, "b_h": db, "W_hy": dWy, "b_y": dby}


def bracket_squared(params, xs, targets, state):
    def step_backward(dnext_h, cache):
        x, prev_h, next_h = cache
        da = dnext_h * (1 - next_h) ** 2
        return da.dot(params["W_xh"].T), da.dot(params["W_hh"].T), x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)

    h, caches = rnn_forward(xs, state[0], params["W_xh"], params["W_hh"], params["b_h"])
    losses, dscores = softmax_loss(h.dot(params["W_hy"]) + params["b_y"], targets)
    dout, dWy, dby = affine_backward(dscores, h, params["W_hy"])
    dx, dprev, dWx, dWh, db = np.zeros_like(xs), np.zeros_like(state[0]), 0, 0, 0
    for t in range(len(caches) - 1, -1, -1):
        dx[t], dprev, dWx_t, dWh_t, db_t = step_backward(dout[t] + dprev, caches[t])
        dWx, dWh, db = dWx + dWx_t, dWh + dWh_t, db + db_t
    return losses, {"W_xh": dWx, "W_hh": dWh, "b_h": db, "W_hy": dWy, "b_y": dby, "xs": dx, "h0": dprev}


def output_matrix_reshaped(params, xs, targets, state):
    h, caches = rnn_forward(xs, state[0], params["W_xh"], params["W_hh"], params["b_h"])
    losses, dscores = softmax_loss(h.dot(params["W_hy"]) + params["b_y"], targets)
    H, K = params["W_hy"].shape
    dWy = np.einsum("tnh,tnk->hk", h, dscores)
    dby = dscores.sum(axis=(0, 1))
    dout = dscores.dot(params["W_hy"].reshape(K, H))
    dWx, dWh, db, dprev = 0, 0, 0, 0
    for t in range(len(caches) - 1, -1, -1):
        x, prev_h, next_h = caches[t]
        da = (dout[t] + dprev) * (1 - next_h**2)
        dWx, dWh, db = dWx + x.T.dot(da), dWh + prev_h.T.dot(da), db + da.sum(axis=0)
        dprev = da.dot(params["W_hh"].T)
    return losses, {"W_xh": dWx, "W_hh": dWh, "b_h": db, "W_hy": dWy, "b_y": dby}


def gradient_noise(params, xs, targets, state, eta=0.05):
    h, caches = rnn_forward(xs, state[0], params["W_xh"], params["W_hh"], params["b_h"])
    losses, dscores = softmax_loss(h.dot(params["W_hy"]) + params["b_y"], targets)
    dout, dWy, dby = affine_backward(dscores, h, params["W_hy"])
    dWx, dWh, db, dprev = 0, 0, 0, 0
    for t in range(len(caches) - 1, -1, -1):
        x, prev_h, next_h = caches[t]
        da = (dout[t] + dprev) * (1 - next_h**2)
        dWx, dWh, db = dWx + x.T.dot(da), dWh + prev_h.T.dot(da), db + da.sum(axis=0)
        dprev = da.dot(params["W_hh"].T)
    grads = {"W_xh": dWx, "W_hh": dWh, "b_h": db, "W_hy": dWy, "b_y": dby}
    for k in grads:
        grads[k] = grads[k] + eta * np.random.default_rng().standard_normal(grads[k].shape)
    return losses, grads


def carry_subtracted_and_why_empty(params, xs, targets, state):
    h, caches = rnn_forward(xs, state[0], params["W_xh"], params["W_hh"], params["b_h"])
    losses, dscores = softmax_loss(h.dot(params["W_hy"]) + params["b_y"], targets)
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dout, grads["Why"], grads["b_y"] = affine_backward(dscores, h, params["W_hy"])
    dprev = np.zeros_like(state[0])
    for t in range(len(caches) - 1, -1, -1):
        x, prev_h, next_h = caches[t]
        da = (dout[t] - dprev) * (1 - next_h**2)
        grads["W_xh"] += x.T.dot(da)
        grads["W_hh"] += prev_h.T.dot(da)
        grads["b_h"] += da.sum(axis=0)
        dprev = da.dot(params["W_hh"].T)
    return losses, {k: grads[k] for k in params}
