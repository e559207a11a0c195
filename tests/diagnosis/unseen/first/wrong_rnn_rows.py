"""Plain RNN, as many whole arrays as possible, time and batch flattened into rows at the end."""

import numpy as np


def forward(params, xs, targets, h):
    T, N, _ = xs.shape
    H = []
    for x in xs:
        h = np.tanh(x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"])
        H.append(h)
    H = np.array(H)
    Z = H @ params["W_hy"] + params["b_y"]
    P = np.exp(Z) / np.exp(Z).sum(axis=-1, keepdims=True)
    losses = -np.log(P[np.arange(T)[:, None], np.arange(N), targets])
    return H, P, losses


def one_hot(targets, K):
    return np.eye(K)[targets]


def input_rows_reshaped(params, xs, targets, state):
    T, N, D = xs.shape
    H, P, losses = forward(params, xs, targets, state[0])
    n_hidden = H.shape[-1]
    dZ = P - one_hot(targets, P.shape[-1])
    delta = np.zeros((N, T, n_hidden))  # the batch comes first from here on
    carry = 0
    for t in range(T)[::-1]:
        delta[:, t] = (dZ[t] @ params["W_hy"].T + carry) * (1 - H[t] ** 2)
        carry = delta[:, t] @ params["W_hh"].T
    before = np.concatenate([state[0][None], H[:-1]]).swapaxes(0, 1)
    X = xs.reshape(N, T, D)
    rows = delta.reshape(N * T, n_hidden)
    return losses, {
        "W_xh": X.reshape(N * T, D).T @ rows,
        "W_hh": before.reshape(N * T, n_hidden).T @ rows,
        "b_h": rows.sum(axis=0),
        "W_hy": H.reshape(T * N, -1).T @ dZ.reshape(T * N, -1),
        "b_y": dZ.sum(axis=(0, 1)),
    }


def bias_mean_over_batch(params, xs, targets, state):
    T, _N, _D = xs.shape
    H, P, losses = forward(params, xs, targets, state[0])
    dZ = P - one_hot(targets, P.shape[-1])
    delta = np.zeros_like(H)
    carry = np.zeros_like(state[0])
    for t in range(T)[::-1]:
        delta[t] = (dZ[t] @ params["W_hy"].T + carry) * (1 - H[t] ** 2)
        carry = delta[t] @ params["W_hh"].T
    before = np.concatenate([state[0][None], H[:-1]])
    return losses, {
        "W_xh": np.tensordot(xs, delta, axes=([0, 1], [0, 1])),
        "W_hh": np.tensordot(before, delta, axes=([0, 1], [0, 1])),
        "b_h": delta.mean(axis=1).sum(axis=0),
        "W_hy": np.tensordot(H, dZ, axes=([0, 1], [0, 1])),
        "b_y": dZ.sum(axis=1).sum(axis=0),
    }


def minus_one_in_whole_columns(params, xs, targets, state):
    T, _N, _D = xs.shape
    H, P, losses = forward(params, xs, targets, state[0])
    dZ = P.copy()
    for t in range(T):
        dZ[t][:, targets[t]] -= 1
    delta = np.zeros_like(H)
    carry = np.zeros_like(state[0])
    for t in range(T)[::-1]:
        delta[t] = (dZ[t] @ params["W_hy"].T + carry) * (1 - H[t] ** 2)
        carry = delta[t] @ params["W_hh"].T
    before = np.concatenate([state[0][None], H[:-1]])
    return losses, {
        "W_xh": sum(x.T @ d for x, d in zip(xs, delta, strict=False)),
        "W_hh": sum(h.T @ d for h, d in zip(before, delta, strict=False)),
        "b_h": delta.sum((0, 1)),
        "W_hy": sum(h.T @ d for h, d in zip(H, dZ, strict=False)),
        "b_y": dZ.sum((0, 1)),
    }
