"""GRU with the gates on an axis of their own, (3, N, H), and einsum everywhere; reset after."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    T, N, D = xs.shape
    H, K = params["W_hy"].shape
    W = params["W_xh"].reshape(D, 3, H)  # index g runs over r, z, n
    U = params["W_hh"].reshape(H, 3, H)
    b = params["b_h"].reshape(3, 1, H)
    h = np.zeros((T + 1, N, H))
    h[0] = state[0]
    gate = np.zeros((T, 3, N, H))
    inner = np.zeros((T, N, H))
    for t in range(T):
        ax = np.einsum("nd,dgh->gnh", xs[t], W) + b
        ah = np.einsum("nj,jgh->gnh", h[t], U)
        inner[t] = ah[2] + params["b_hn"]
        gate[t, :2] = 1 / (1 + np.exp(-ax[:2] - ah[:2]))
        gate[t, 2] = np.tanh(ax[2] + gate[t, 0] * inner[t])
        h[t + 1] = gate[t, 1] * h[t] + (1 - gate[t, 1]) * gate[t, 2]
    y = np.einsum("tnh,hk->tnk", h[1:], params["W_hy"]) + params["b_y"]
    p = np.exp(y) / np.einsum("tnk->tn", np.exp(y))[..., None]
    q = np.eye(K)[targets]
    loss = -np.einsum("tnk,tnk->", q, np.log(p))

    e = p - q
    back = np.einsum("tnk,hk->tnh", e, params["W_hy"])
    slope = gate * (1 - gate)
    slope[:, 2] = 1 - gate[:, 2] ** 2
    dx_side, dh_side = np.zeros((T, 3, N, H)), np.zeros((T, 3, N, H))
    carry = np.zeros((N, H))
    for t in reversed(range(T)):
        r, z, n = gate[t]
        dh = back[t] + carry
        dn = dh * (1 - z) * slope[t, 2]
        dx_side[t] = dn * inner[t] * slope[t, 0], dh * (h[t] - n) * slope[t, 1], dn
        dh_side[t] = dx_side[t, 0], dx_side[t, 1], dn * r
        carry = dh * z + np.einsum("gnh,jgh->nj", dh_side[t], U)
    return loss, {
        "W_xh": np.einsum("tnd,tgnh->dgh", xs, dx_side).reshape(D, 3 * H),
        "W_hh": np.einsum("tnj,tgnh->jgh", h[:-1], dh_side).reshape(H, 3 * H),
        "b_h": np.einsum("tgnh->gh", dx_side).reshape(3 * H),
        "b_hn": np.einsum("tnh->h", dh_side[:, 2]),
        "W_hy": np.einsum("tnh,tnk->hk", h[1:], e),
        "b_y": np.einsum("tnk->k", e),
        "xs": np.einsum("tgnh,dgh->tnd", dx_side, W),
        "h0": carry,
    }
