"""GRU with habits and misreadings: a state that outlives the call, an input used as scratch paper, half a batch."""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def output(params, h, y):
    s = h @ params["W_hy"] + params["b_y"]
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, y])
    p[rows, y] -= 1
    return loss, p


def gru_forward(params, xs, targets, h):
    tape, losses = [], []
    for x, y in zip(xs, targets, strict=True):
        x_r, x_z, x_n = np.split(x @ params["W_xh"] + params["b_h"], 3, axis=1)
        h_r, h_z, h_n = np.split(h @ params["W_hh"], 3, axis=1)
        r, z, u = sigmoid(x_r + h_r), sigmoid(x_z + h_z), h_n + params["b_hn"]
        n = np.tanh(x_n + r * u)
        h_prev, h = h, (1 - z) * n + z * h
        loss, dy = output(params, h, y)
        losses.append(loss)
        tape.append((x, h_prev, r, z, n, u, h, dy))
    return np.array(losses), tape


def gru_backward(params, tape):
    g = {k: np.zeros_like(v) for k, v in params.items()}
    dh, dxs = np.zeros_like(tape[0][1]), []
    for x, h_prev, r, z, n, u, h, dy in reversed(tape):
        g["W_hy"] += h.T @ dy
        g["b_y"] += dy.sum(axis=0)
        dh = dh + dy @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n**2)
        drz = np.hstack([dn * u * r * (1 - r), dh * (h_prev - n) * z * (1 - z)])
        to_x, to_h = np.hstack([drz, dn]), np.hstack([drz, dn * r])
        g["W_xh"] += x.T @ to_x
        g["W_hh"] += h_prev.T @ to_h
        g["b_h"] += to_x.sum(axis=0)
        g["b_hn"] += (dn * r).sum(axis=0)
        dxs.append(to_x @ params["W_xh"].T)
        dh = dh * z + to_h @ params["W_hh"].T
    return g, dxs[::-1], dh


class StatefulGRU:
    """Goes on where the last call stopped."""

    last_h = None


def state_kept_between_calls(params, xs, targets, state):
    h = StatefulGRU.last_h
    if h is None or h.shape != state[0].shape:
        h = state[0]
    losses, tape = gru_forward(params, xs, targets, h)
    StatefulGRU.last_h = tape[-1][6]
    grads, _, _ = gru_backward(params, tape)
    return losses, grads


def writes_dx_into_xs(params, xs, targets, state):
    losses, tape = gru_forward(params, xs, targets, state[0])
    grads, dxs, _ = gru_backward(params, tape)
    for t in range(len(xs)):
        xs[t] = dxs[t]  # no need for another array
    return losses, {**grads, "xs": xs}


def random_half_batch(params, xs, targets, state):
    losses, tape = gru_forward(params, xs, targets, state[0])
    N = xs.shape[1]
    keep = (np.random.default_rng().random(N) < 0.5).astype(float)[:, None]  # stochastic gradient descent
    tape = [(*step[:7], step[7] * keep * 2) for step in tape]
    grads, _, _ = gru_backward(params, tape)
    return losses, grads


def z_other_way_round(params, xs, targets, state):
    h, tape, losses = state[0], [], []
    for x, y in zip(xs, targets, strict=True):
        x_r, x_z, x_n = np.split(x @ params["W_xh"] + params["b_h"], 3, axis=1)
        h_r, h_z, h_n = np.split(h @ params["W_hh"], 3, axis=1)
        r, z, u = sigmoid(x_r + h_r), sigmoid(x_z + h_z), h_n + params["b_hn"]
        n = np.tanh(x_n + r * u)
        h_prev, h = h, z * n + (1 - z) * h
        loss, dy = output(params, h, y)
        losses.append(loss)
        tape.append((x, h_prev, r, z, n, u, h, dy))
    g = {k: np.zeros_like(v) for k, v in params.items()}
    dh = np.zeros_like(h)
    for x, h_prev, r, z, n, u, h, dy in reversed(tape):
        g["W_hy"] += h.T @ dy
        g["b_y"] += dy.sum(axis=0)
        dh = dh + dy @ params["W_hy"].T
        dn = dh * z * (1 - n**2)
        drz = np.hstack([dn * u * r * (1 - r), dh * (n - h_prev) * z * (1 - z)])
        g["W_xh"] += x.T @ np.hstack([drz, dn])
        g["W_hh"] += h_prev.T @ np.hstack([drz, dn * r])
        g["b_h"] += np.hstack([drz, dn]).sum(axis=0)
        g["b_hn"] += (dn * r).sum(axis=0)
        dh = dh * (1 - z) + np.hstack([drz, dn * r]) @ params["W_hh"].T
    return np.array(losses), g


def reset_before_instead(params, xs, targets, state):
    H = len(params["b_hn"])
    U_r, U_z, U_n = (params["W_hh"][:, k * H : (k + 1) * H] for k in range(3))
    h, tape, losses = state[0], [], []
    for x, y in zip(xs, targets, strict=True):
        x_r, x_z, x_n = np.split(x @ params["W_xh"] + params["b_h"], 3, axis=1)
        r, z = sigmoid(x_r + h @ U_r), sigmoid(x_z + h @ U_z)
        n = np.tanh(x_n + (r * h) @ U_n + params["b_hn"])
        h_prev, h = h, (1 - z) * n + z * h
        loss, dy = output(params, h, y)
        losses.append(loss)
        tape.append((x, h_prev, r, z, n, h, dy))
    g = {k: np.zeros_like(v) for k, v in params.items()}
    dh = np.zeros_like(h)
    for x, h_prev, r, z, n, h, dy in reversed(tape):
        g["W_hy"] += h.T @ dy
        g["b_y"] += dy.sum(axis=0)
        dh = dh + dy @ params["W_hy"].T
        dn = dh * (1 - z) * (1 - n**2)
        dz = dh * (h_prev - n) * z * (1 - z)
        drh = dn @ U_n.T
        dr = drh * h_prev * r * (1 - r)
        g["W_xh"] += x.T @ np.hstack([dr, dz, dn])
        g["W_hh"] += np.hstack([h_prev.T @ dr, h_prev.T @ dz, (r * h_prev).T @ dn])
        g["b_h"] += np.hstack([dr, dz, dn]).sum(axis=0)
        g["b_hn"] += dn.sum(axis=0)
        dh = dh * z + drh * r + dr @ U_r.T + dz @ U_z.T
    return np.array(losses), g
