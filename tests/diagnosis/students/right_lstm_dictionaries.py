"""LSTM with dictionaries by time and one sequence at a time; gradients are collected by the gate's letter."""

import numpy as np


def sigm(v):
    return 0.5 * (1 + np.tanh(0.5 * v))


def loss_and_grads(params, xs, targets, state):
    steps, batch, _ = xs.shape
    H, K = params["W_hy"].shape
    W, U, b = {}, {}, {}
    for k, gate in enumerate(["i", "f", "g", "o"]):
        W[gate] = params["W_xh"][:, k * H : (k + 1) * H]
        U[gate] = params["W_hh"][:, k * H : (k + 1) * H]
        b[gate] = params["b_h"][k * H : (k + 1) * H]
    out = {name: np.zeros(value.shape) for name, value in params.items()}
    loss = np.zeros((steps, batch))

    for s in range(batch):
        h, c, gates, p = {-1: state[0][s]}, {-1: state[1][s]}, {}, {}
        for t in range(steps):
            pre = {k: xs[t, s].dot(W[k]) + h[t - 1].dot(U[k]) + b[k] for k in W}
            gates[t] = {k: np.tanh(v) if k == "g" else sigm(v) for k, v in pre.items()}
            c[t] = gates[t]["f"] * c[t - 1] + gates[t]["i"] * gates[t]["g"]
            h[t] = gates[t]["o"] * np.tanh(c[t])
            u = np.exp(h[t].dot(params["W_hy"]) + params["b_y"])
            p[t] = u / u.sum()
            loss[t, s] = -np.log(p[t].dot(np.eye(K)[targets[t, s]]))  # one-hot dot product

        dh, dc = np.zeros(H), np.zeros(H)
        for t in sorted(gates, reverse=True):
            q = gates[t]
            dy = p[t] - np.eye(K)[targets[t, s]]
            out["W_hy"] += np.outer(h[t], dy)
            out["b_y"] += dy
            dh = dh + params["W_hy"].dot(dy)
            dc = dc + dh * q["o"] * (1 - np.tanh(c[t]) ** 2)
            d = {
                "i": dc * q["g"] * q["i"] * (1 - q["i"]),
                "f": dc * c[t - 1] * q["f"] * (1 - q["f"]),
                "g": dc * q["i"] * (1 - q["g"] ** 2),
                "o": dh * np.tanh(c[t]) * q["o"] * (1 - q["o"]),
            }
            for k, gate in enumerate(["i", "f", "g", "o"]):
                out["W_xh"][:, k * H : (k + 1) * H] += np.outer(xs[t, s], d[gate])
                out["W_hh"][:, k * H : (k + 1) * H] += np.outer(h[t - 1], d[gate])
                out["b_h"][k * H : (k + 1) * H] += d[gate]
            dh = sum(U[k].dot(d[k]) for k in d)
            dc = dc * q["f"]
    return loss, out
