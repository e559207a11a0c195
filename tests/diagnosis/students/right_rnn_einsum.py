"""Plain RNN with einsum: first all deltas, then every weight's gradient in one line."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    U, W, b, V, c = (params[k] for k in ("W_xh", "W_hh", "b_h", "W_hy", "b_y"))
    T, N, _ = xs.shape
    H, K = V.shape
    h = np.empty((T + 1, N, H))  # h[0] is the initial state
    h[0] = state[0]
    ux = np.einsum("tnd,dh->tnh", xs, U) + b
    for t in range(T):
        h[t + 1] = np.tanh(ux[t] + np.einsum("ni,ij->nj", h[t], W))
    o = np.einsum("tnh,hk->tnk", h[1:], V) + c
    o -= o.max(-1, keepdims=True)
    logZ = np.log(np.einsum("tnk->tn", np.exp(o)))
    onehot = (targets[:, :, None] == np.arange(K)).astype(float)
    loss = logZ - np.einsum("tnk,tnk->tn", onehot, o)

    do = np.exp(o - logZ[:, :, None]) - onehot
    delta = np.zeros((T + 1, N, H))  # delta[T] stays zero: nothing comes after the end
    here = np.einsum("tnk,hk->tnh", do, V)
    for t in range(T - 1, -1, -1):
        delta[t] = (here[t] + np.einsum("nj,ij->ni", delta[t + 1], W)) * (1 - h[t + 1] ** 2)
    d = delta[:T]
    return loss, {
        "W_xh": np.einsum("tnd,tnh->dh", xs, d),
        "W_hh": np.einsum("tni,tnj->ij", h[:-1], d),
        "b_h": np.einsum("tnh->h", d),
        "W_hy": np.einsum("tnh,tnk->hk", h[1:], do),
        "b_y": np.einsum("tnk->k", do),
        "xs": np.einsum("tnh,dh->tnd", d, U),
        "h0": np.einsum("nj,ij->ni", delta[0], W),
    }
