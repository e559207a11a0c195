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


def rnn_raises(params, xs, targets, state):
    hs = rnn_forward(params, xs, state[0])
    losses, dys = softmax_loss(hs[1:] @ params["W_hy"] + params["b_y"], targets)
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dh = np.zeros_like(state[0])
    for t in reversed(range(len(xs))):
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        da = (dys[t] @ params["W_hy"].T + dh) * (1 - hs[t + 1] ** 2)
        grads["W_xh"] += xs[t + 1].T @ da  # there is no x after the last
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh = da @ params["W_hh"].T
    return losses, grads


def rnn_fails_for_one_step(params, xs, targets, state):
    h0, *hs = rnn_forward(params, xs, state[0])
    losses, dys = softmax_loss(np.array(hs) @ params["W_hy"] + params["b_y"], targets)
    das, dh = [], np.zeros_like(h0)
    for h, dy in zip(hs[::-1], dys[::-1], strict=True):
        das.insert(0, (dy @ params["W_hy"].T + dh) * (1 - h**2))
        dh = das[0] @ params["W_hh"].T
    return losses, {
        "W_xh": np.concatenate(xs).T @ np.concatenate(das),
        "W_hh": h0.T @ das[0] + np.concatenate(hs[:-1]).T @ np.concatenate(das[1:]),  # h0 is not in the list
        "b_h": np.concatenate(das).sum(axis=0),
        "W_hy": np.concatenate(hs).T @ np.concatenate(dys),
        "b_y": np.concatenate(dys).sum(axis=0),
    }


def rnn_lists(params, xs, targets, state):
    hs = rnn_forward(params, xs, state[0])
    losses, dys = softmax_loss(hs[1:] @ params["W_hy"] + params["b_y"], targets)
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dh = np.zeros_like(state[0])
    for t in reversed(range(len(xs))):
        grads["W_hy"] += hs[t + 1].T @ dys[t]
        grads["b_y"] += dys[t].sum(axis=0)
        da = (dys[t] @ params["W_hy"].T + dh) * (1 - hs[t + 1] ** 2)
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += hs[t].T @ da
        grads["b_h"] += da.sum(axis=0)
        dh = da @ params["W_hh"].T
    return losses.tolist(), {name: g.tolist() for name, g in grads.items()}


def lstm_run(params, xs, targets, state):
    (h, c), tape, losses = state, [], []
    for x, y in zip(xs, targets, strict=True):
        i, f, g, o = np.split(x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"], 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c_new = f * c + i * g
        h_new = o * np.tanh(c_new)
        loss, dy = softmax_loss(h_new @ params["W_hy"] + params["b_y"], y)
        losses.append(loss)
        tape.append((x, h, c, i, f, g, o, h_new, c_new, dy))
        h, c = h_new, c_new
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dh = dc = np.zeros_like(h)
    for x, h_prev, c_prev, i, f, g, o, h, c, dy in reversed(tape):
        grads["W_hy"] += h.T @ dy
        grads["b_y"] += dy.sum(axis=0)
        dh = dh + dy @ params["W_hy"].T
        tc = np.tanh(c)
        dc = dc + dh * o * (1 - tc**2)
        da = np.hstack([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        grads["W_xh"] += x.T @ da
        grads["W_hh"] += h_prev.T @ da
        grads["b_h"] += da.sum(axis=0)
        dh, dc = da @ params["W_hh"].T, dc * f
    return np.array(losses), grads


def lstm_other_keys(params, xs, targets, state):
    losses, grads = lstm_run(params, xs, targets, state)
    return losses, {"d" + name: g for name, g in grads.items()}


class LSTM:
    def loss_and_grads(self, params, xs, targets, state):
        self.losses, self.grads = lstm_run(params, xs, targets, state)


def lstm_returns_none(params, xs, targets, state):
    return LSTM().loss_and_grads(params, xs, targets, state)


def gru_fails_for_one_sequence(params, xs, targets, state):
    H = len(params["b_hn"])
    h, tape, losses = np.squeeze(state[0]), [], []
    for t in range(len(xs)):
        x, y = np.squeeze(xs[t]), np.squeeze(targets[t])
        x_r, x_z, x_n = np.split(x @ params["W_xh"] + params["b_h"], 3, axis=1)
        h_r, h_z, h_n = np.split(h @ params["W_hh"], 3, axis=1)
        r, z, u = sigmoid(x_r + h_r), sigmoid(x_z + h_z), h_n + params["b_hn"]
        n = np.tanh(x_n + r * u)
        h_prev, h = h, (1 - z) * n + z * h
        loss, dy = softmax_loss(h @ params["W_hy"] + params["b_y"], y)
        losses.append(loss)
        tape.append((x, h_prev, r, z, n, u, h, dy))
    g = {k: np.zeros_like(v) for k, v in params.items()}
    dh = 0
    for x, h_prev, r, z, n, u, h, dy in tape[::-1]:
        g["W_hy"] += h.T @ dy
        g["b_y"] += dy.sum(axis=0)
        dh = dh + dy @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n**2)
        to_x = np.hstack([dn * u * r * (1 - r), dh * (h_prev - n) * z * (1 - z), dn])
        to_h = np.hstack([to_x[:, : 2 * H], dn * r])
        g["W_xh"] += x.T @ to_x
        g["W_hh"] += h_prev.T @ to_h
        g["b_h"] += to_x.sum(axis=0)
        g["b_hn"] += (dn * r).sum(axis=0)
        dh = dh * z + to_h @ params["W_hh"].T
    return np.array(losses), g
