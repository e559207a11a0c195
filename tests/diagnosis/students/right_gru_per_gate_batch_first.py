"""GRU with a matrix for every gate, arrays (batch, time, units); reset after the product."""

import numpy as np


def sig(a):
    return 1.0 / (1.0 + np.exp(-a))


def loss_and_grads(params, xs, targets, state):
    X, Y = np.transpose(xs, (1, 0, 2)), targets.T
    B, T, _ = X.shape
    H, K = params["W_hy"].shape
    Wr, Wz, Wn = (params["W_xh"][:, k * H : (k + 1) * H] for k in range(3))
    Ur, Uz, Un = (params["W_hh"][:, k * H : (k + 1) * H] for k in range(3))
    br, bz, bn = (params["b_h"][k * H : (k + 1) * H] for k in range(3))
    bm = params["b_hn"]

    Hs = np.zeros((B, T + 1, H))
    R, Z, N_, M = (np.zeros((B, T, H)) for _ in range(4))
    Hs[:, 0] = state[0]
    for t in range(T):
        h = Hs[:, t]
        R[:, t] = sig(X[:, t] @ Wr + h @ Ur + br)
        Z[:, t] = sig(X[:, t] @ Wz + h @ Uz + bz)
        M[:, t] = h @ Un + bm
        N_[:, t] = np.tanh(X[:, t] @ Wn + bn + R[:, t] * M[:, t])
        Hs[:, t + 1] = (1 - Z[:, t]) * N_[:, t] + Z[:, t] * h

    S = Hs[:, 1:] @ params["W_hy"] + params["b_y"]
    S = S - S.max(axis=2, keepdims=True)
    P = np.exp(S) / np.exp(S).sum(axis=2, keepdims=True)
    onehot = np.eye(K)[Y]
    losses = -np.log((P * onehot).sum(axis=2))
    dS = P - onehot

    dUr, dUz, dUn = np.zeros_like(Ur), np.zeros_like(Uz), np.zeros_like(Un)
    dar, daz, dan, dM = (np.zeros((B, T, H)) for _ in range(4))
    dh = np.zeros((B, H))
    for t in reversed(range(T)):
        h, r, z, n = Hs[:, t], R[:, t], Z[:, t], N_[:, t]
        dh += dS[:, t] @ params["W_hy"].T
        daz[:, t] = dh * (h - n) * z * (1 - z)
        dan[:, t] = dh * (1 - z) * (1 - n**2)
        dM[:, t] = dan[:, t] * r
        dar[:, t] = dan[:, t] * M[:, t] * r * (1 - r)
        dUr += h.T @ dar[:, t]
        dUz += h.T @ daz[:, t]
        dUn += h.T @ dM[:, t]
        dh = dh * z + dar[:, t] @ Ur.T + daz[:, t] @ Uz.T + dM[:, t] @ Un.T

    d_all = np.concatenate([dar, daz, dan], axis=2)
    return losses.T, {
        "W_xh": np.einsum("btd,btg->dg", X, d_all),
        "W_hh": np.concatenate([dUr, dUz, dUn], axis=1),
        "b_h": d_all.sum(axis=(0, 1)),
        "b_hn": dM.sum(axis=(0, 1)),
        "W_hy": np.einsum("bth,btk->hk", Hs[:, 1:], dS),
        "b_y": dS.sum(axis=(0, 1)),
    }
