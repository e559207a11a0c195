"""Programs that do not come as far as a wrong gradient, or give back something else than arrays of the right shape."""

import numpy as np


def softmax_loss(y, target):
    p = np.exp(y - y.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    loss = -np.log(np.take_along_axis(p, target[..., None], axis=-1)[..., 0])
    return loss, p - (np.arange(p.shape[-1]) == target[..., None])


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def rnn_forward(params, xs, h):
    hs = [h]
    for x in xs:
        hs.append(np.tanh(x @ params["W_xh"] + hs[-1] @ params["W_hh"] + params["b_h"]))
    return np.stack(hs)


def rnn_nan(params, xs, targets, state):
    hs = rnn_forward(params, xs, state[0])
    losses, dys = softmax_loss(hs[1:] @ params["W_hy"] + params["b_y"], targets)
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dh = np.zeros_like(state[0])
    for t in reversed(range(len(xs))):
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        dh = dh / np.linalg.norm(dh)  # keep it from exploding; at the last step it is still zero
        da = (dys[t] @ params["W_hy"].T + dh) * (1 - hs[t + 1] ** 2)
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh = da @ params["W_hh"].T
    return losses, grads


def gru_before_forward(params, xs, targets, h):
    U_r, U_z, U_n = np.split(params["W_hh"], 3, axis=1)
    tape, losses = [], []
    for x, y in zip(xs, targets, strict=True):
        x_r, x_z, x_n = np.split(x @ params["W_xh"] + params["b_h"], 3, axis=1)
        r, z = sigmoid(x_r + h @ U_r), sigmoid(x_z + h @ U_z)
        n = np.tanh(x_n + (r * h) @ U_n)
        h_prev, h = h, (1 - z) * n + z * h
        loss, dy = softmax_loss(h @ params["W_hy"] + params["b_y"], y)
        losses.append(loss)
        tape.append((x, h_prev, r, z, n, h, dy))
    return np.array(losses), tape


def gru_before_gradients_by_step(params, xs, targets, state):
    U_r, U_z, U_n = np.split(params["W_hh"], 3, axis=1)
    losses, tape = gru_before_forward(params, xs, targets, state[0])
    by_step = {name: [] for name in params}
    dh = np.zeros_like(state[0])
    for x, h_prev, r, z, n, h, dy in reversed(tape):
        dh = dh + dy @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n**2)
        drh = dn @ U_n.T
        dr, dz = drh * h_prev * r * (1 - r), dh * (h_prev - n) * z * (1 - z)
        by_step["W_xh"].insert(0, x.T @ np.hstack([dr, dz, dn]))
        by_step["W_hh"].insert(0, np.hstack([h_prev.T @ dr, h_prev.T @ dz, (r * h_prev).T @ dn]))
        by_step["b_h"].insert(0, np.hstack([dr, dz, dn]).sum(axis=0))
        by_step["W_hy"].insert(0, h.T @ dy)
        by_step["b_y"].insert(0, dy.sum(axis=0))
        dh = dh * z + drh * r + dr @ U_r.T + dz @ U_z.T
    return losses, {name: np.array(g) for name, g in by_step.items()}


def gru_before_noise(params, xs, targets, state):
    losses, _ = gru_before_forward(params, xs, targets, state[0])
    rng = np.random.default_rng(0)
    return losses, {name: rng.standard_normal(value.shape) for name, value in params.items()}  # not written yet
