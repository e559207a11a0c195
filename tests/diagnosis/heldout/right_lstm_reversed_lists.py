"""LSTM whose backward appends the deltas to lists from the end, turns them round and multiplies once at last."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    W, U, b, V, d = params["W_xh"], params["W_hh"], params["b_h"], params["W_hy"], params["b_y"]
    H = len(U)
    T, N = targets.shape
    h, c = state
    record = []
    for x in xs:
        z = x @ W + h @ U + b
        s = 1 / (1 + np.exp(-z))
        i, f, o = s[:, :H], s[:, H : 2 * H], s[:, 3 * H :]  # s of the third block is never used
        g = np.tanh(z[:, 2 * H : 3 * H])
        c_new = f * c + i * g
        record.append((h, c, i, f, g, o, np.tanh(c_new)))
        h, c = o * np.tanh(c_new), c_new

    hs = np.array([r[5] * r[6] for r in record])
    logits = hs @ V + d
    logits -= logits.max(axis=-1, keepdims=True)
    probs = np.exp(logits)
    probs /= probs.sum(axis=-1, keepdims=True)
    tt, nn = np.meshgrid(np.arange(T), np.arange(N), indexing="ij")
    losses = -np.log(probs[tt, nn, targets])
    probs[tt, nn, targets] -= 1.0

    deltas, before = [], []
    dh = dc = np.zeros((N, H))
    for dlogits, (h_old, c_old, i, f, g, o, tc) in zip(probs[::-1], record[::-1], strict=True):
        dh = dh + dlogits @ V.T
        dc = dc + dh * o * (1 - tc * tc)
        deltas.append(np.concatenate([dc * g * i * (1 - i), dc * c_old * f * (1 - f), dc * i * (1 - g * g),
                                      dh * tc * o * (1 - o)], axis=1))
        before.append(h_old)
        dh, dc = deltas[-1] @ U.T, dc * f
    deltas.reverse()
    before.reverse()

    deltas = np.concatenate(deltas)  # (T N, 4H)
    return losses, {
        "W_xh": np.concatenate(list(xs)).T @ deltas,
        "W_hh": np.concatenate(before).T @ deltas,
        "b_h": deltas.sum(0),
        "W_hy": hs.reshape(T * N, H).T @ probs.reshape(T * N, -1),
        "b_y": probs.reshape(T * N, -1).sum(0),
        "c0": dc,
    }
