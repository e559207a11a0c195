"""GRU of the well-known blog post: W times [h, x] for the gates, W times [r * h, x] for the candidate."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    T, N, _ = xs.shape
    H = params["W_hh"].shape[0]
    stacked = np.concatenate([params["W_hh"], params["W_xh"]])
    W_r, W_z, W_c = stacked[:, :H], stacked[:, H : 2 * H], stacked[:, 2 * H :]
    b_r, b_z, b_c = params["b_h"][:H], params["b_h"][H : 2 * H], params["b_h"][2 * H :]
    h = state[0]
    saved = []
    loss = 0
    for t in range(T):
        hx = np.concatenate([h, xs[t]], axis=1)
        r = 1 / (1 + np.exp(-(hx @ W_r + b_r)))
        z = 1 / (1 + np.exp(-(hx @ W_z + b_z)))
        rhx = np.concatenate([r * h, xs[t]], axis=1)
        c = np.tanh(rhx @ W_c + b_c)
        h_next = (1 - z) * c + z * h
        y = h_next @ params["W_hy"] + params["b_y"]
        y = np.exp(y - y.max(axis=1, keepdims=True))
        y = y / y.sum(axis=1, keepdims=True)
        loss = loss - np.log(y[np.arange(N), targets[t]]).sum()
        saved.append((hx, rhx, h, r, z, c, h_next, y))
        h = h_next

    dW = np.zeros_like(stacked)  # W_r | W_z | W_c next to each other
    db = np.zeros_like(params["b_h"])
    dV, dby = np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])
    dx = np.zeros(xs.shape)
    dh = np.zeros_like(h)
    for t in reversed(range(T)):
        hx, rhx, h, r, z, c, h_next, y = saved[t]
        y[np.arange(N), targets[t]] -= 1
        dV += h_next.T @ y
        dby += y.sum(axis=0)
        dh = dh + y @ params["W_hy"].T
        da_c = dh * (1 - z) * (1 - c**2)
        drhx = da_c @ W_c.T
        drh = drhx[:, :H]
        da_r = drh * h * r * (1 - r)
        da_z = dh * (h - c) * z * (1 - z)
        dhx = da_r @ W_r.T + da_z @ W_z.T
        dW += np.hstack([hx.T @ da_r, hx.T @ da_z, rhx.T @ da_c])
        db += np.hstack([da_r, da_z, da_c]).sum(axis=0)
        dx[t] = dhx[:, H:] + drhx[:, H:]
        dh = dh * z + drh * r + dhx[:, :H]
    return loss, {"W_hh": dW[:H], "W_xh": dW[H:], "b_h": db, "W_hy": dV, "b_y": dby, "xs": dx, "h0": dh}
