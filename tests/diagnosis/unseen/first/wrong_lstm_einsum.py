"""LSTM with an axis for the gates: W (D, 4, H), U (H, 4, H), whole arrays (T, N, 4, H), einsum for the sums."""

import numpy as np


def forward(params, xs, targets, state):
    T, N, D = xs.shape
    h0, c0 = state
    H = h0.shape[1]
    W, U, b = params["W_xh"].reshape(D, 4, H), params["W_hh"].reshape(H, 4, H), params["b_h"].reshape(4, H)
    h, c, G = np.zeros((T + 1, N, H)), np.zeros((T + 1, N, H)), np.zeros((T, N, 4, H))
    h[0], c[0] = h0, c0
    for t in range(T):
        a = np.einsum("nd,dgh->ngh", xs[t], W) + np.einsum("nk,kgh->ngh", h[t], U) + b
        G[t] = 1 / (1 + np.exp(-a))
        G[t, :, 2] = np.tanh(a[:, 2])
        c[t + 1] = G[t, :, 1] * c[t] + G[t, :, 0] * G[t, :, 2]
        h[t + 1] = G[t, :, 3] * np.tanh(c[t + 1])
    s = np.einsum("tnh,hk->tnk", h[1:], params["W_hy"]) + params["b_y"]
    p = np.exp(s - s.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    y = np.eye(p.shape[-1])[targets]
    return h, c, G, U, -np.log((p * y).sum(axis=-1)), p - y


def deltas(h, c, G, U, dh_out, c_for_tanh):
    """Return the gates' deltas (T, N, 4, H)."""
    delta = np.zeros_like(G)
    dh, dc = np.zeros_like(h[0]), np.zeros_like(c[0])
    for t in range(len(G) - 1, -1, -1):
        i, f, g, o = G[t].swapaxes(0, 1)
        dh = dh + dh_out[t]
        dc = dc + dh * o * (1 - np.tanh(c_for_tanh[t]) ** 2)
        delta[t, :, 0] = dc * g * i * (1 - i)
        delta[t, :, 1] = dc * c[t] * f * (1 - f)
        delta[t, :, 2] = dc * i * (1 - g**2)
        delta[t, :, 3] = dh * np.tanh(c[t + 1]) * o * (1 - o)
        dh, dc = np.einsum("ngh,kgh->nk", delta[t], U), dc * f
    return delta


def collect(params, xs, h, delta, ds):
    return {
        "W_xh": np.einsum("tnd,tngh->dgh", xs, delta).reshape(params["W_xh"].shape),
        "W_hh": np.einsum("tnk,tngh->kgh", h[:-1], delta).reshape(params["W_hh"].shape),
        "b_h": np.einsum("tngh->gh", delta).ravel(),
        "W_hy": np.einsum("tnh,tnk->hk", h[1:], ds),
        "b_y": np.einsum("tnk->k", ds),
    }


def gate_axis_first_when_reshaped(params, xs, targets, state):
    h, c, G, U, losses, ds = forward(params, xs, targets, state)
    delta = deltas(h, c, G, U, ds @ params["W_hy"].T, c[1:])
    grads = collect(params, xs, h, delta, ds)
    grads["W_hh"] = np.einsum("tnk,tngh->gkh", h[:-1], delta).reshape(params["W_hh"].shape)
    return losses, grads


def last_gate_not_filled(params, xs, targets, state):
    h, c, G, U, losses, ds = forward(params, xs, targets, state)
    delta = deltas(h, c, G, U, ds @ params["W_hy"].T, c[1:])
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    H = h.shape[-1]
    for k in range(3):
        block = slice(k * H, (k + 1) * H)
        grads["W_xh"][:, block] = np.einsum("tnd,tnh->dh", xs, delta[:, :, k])
        grads["W_hh"][:, block] = np.einsum("tnk,tnh->kh", h[:-1], delta[:, :, k])
        grads["b_h"][block] = delta[:, :, k].sum(axis=(0, 1))
    grads["W_hy"] = np.einsum("tnh,tnk->hk", h[1:], ds)
    grads["b_y"] = ds.sum(axis=(0, 1))
    return losses, grads


def last_loss_does_not_reach_h(params, xs, targets, state):
    h, c, G, U, losses, ds = forward(params, xs, targets, state)
    dh_out = np.zeros_like(h[1:])
    for t in range(len(xs) - 1):
        dh_out[t] = np.einsum("nk,hk->nh", ds[t], params["W_hy"])
    delta = deltas(h, c, G, U, dh_out, c[1:])
    return losses, collect(params, xs, h, delta, ds)


def tanh_of_old_c_and_decay_on_why(params, xs, targets, state):
    h, c, G, U, losses, ds = forward(params, xs, targets, state)
    delta = deltas(h, c, G, U, ds @ params["W_hy"].T, c[:-1])
    grads = collect(params, xs, h, delta, ds)
    grads["W_hy"] = grads["W_hy"] + 0.02 * params["W_hy"]
    return losses, grads
