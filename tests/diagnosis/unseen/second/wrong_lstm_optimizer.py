"""LSTM whose answer is what the optimizer would take: momentum's velocity."""

import numpy as np

velocity = {}


def velocity_returned(params, xs, targets, state, momentum=0.9):
    T, N, _ = xs.shape
    H = state[0].shape[1]
    h, c = np.zeros((T + 1, N, H)), np.zeros((T + 1, N, H))
    h[0], c[0] = state
    gates = np.zeros((T, N, 4 * H))
    for t in range(T):
        a = xs[t] @ params["W_xh"] + h[t] @ params["W_hh"] + params["b_h"]
        gates[t] = 1 / (1 + np.exp(-a))
        gates[t][:, 2 * H : 3 * H] = np.tanh(a[:, 2 * H : 3 * H])
        i, f, g, o = np.split(gates[t], 4, axis=1)
        c[t + 1] = f * c[t] + i * g
        h[t + 1] = o * np.tanh(c[t + 1])
    scores = h[1:] @ params["W_hy"] + params["b_y"]
    p = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    tt, nn = np.indices(targets.shape)
    losses = -np.log(p[tt, nn, targets])
    p[tt, nn, targets] -= 1

    da = np.zeros_like(gates)
    dh_next, dc_next = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        i, f, g, o = np.split(gates[t], 4, axis=1)
        tc = np.tanh(c[t + 1])
        dh = p[t] @ params["W_hy"].T + dh_next
        dc = dh * o * (1 - tc**2) + dc_next
        da[t] = np.hstack([dc * g * i * (1 - i), dc * c[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)])
        dh_next, dc_next = da[t] @ params["W_hh"].T, dc * f
    grads = {
        "W_xh": np.tensordot(xs, da, axes=([0, 1], [0, 1])),
        "W_hh": np.tensordot(h[:-1], da, axes=([0, 1], [0, 1])),
        "b_h": da.sum(axis=(0, 1)),
        "W_hy": np.tensordot(h[1:], p, axes=([0, 1], [0, 1])),
        "b_y": p.sum(axis=(0, 1)),
    }
    for k in grads:
        if k not in velocity or velocity[k].shape != grads[k].shape:
            velocity[k] = np.zeros_like(grads[k])
        velocity[k] = momentum * velocity[k] + grads[k]
    return losses, dict(velocity)
