"""LSTM that keeps only h and c and computes the gates once more on the way back, to save memory."""

import numpy as np


def gates(params, x, h):
    H = h.shape[-1]
    a = x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]
    s = 1 / (1 + np.exp(-a))
    return s[:, :H], s[:, H : 2 * H], np.tanh(a[:, 2 * H : 3 * H]), s[:, 3 * H :]


def forward(params, xs, state):
    hs, cs = [state[0]], [state[1]]
    for x in xs:
        i, f, g, o = gates(params, x, hs[-1])
        cs.append(f * cs[-1] + i * g)
        hs.append(o * np.tanh(cs[-1]))
    return hs, cs


def head(params, hs, targets):
    losses, dh, dV, dv = [], [], 0, 0
    for h, y in zip(hs[1:], targets, strict=False):
        s = h @ params["W_hy"] + params["b_y"]
        lse = np.log(np.exp(s).sum(1, keepdims=True))
        losses.append((lse - np.take_along_axis(s, y[:, None], 1))[:, 0])
        ds = np.exp(s - lse)
        ds[np.arange(len(y)), y] -= 1
        dV, dv = dV + h.T @ ds, dv + ds.sum(0)
        dh.append(ds @ params["W_hy"].T)
    return np.array(losses), dh, {"W_hy": dV, "b_y": dv}


def gates_computed_again_from_new_h(params, xs, targets, state):
    hs, cs = forward(params, xs, state)
    losses, dh_out, grads = head(params, hs, targets)
    dW, dU, db, dh, dc = 0, 0, 0, 0, 0
    for t in range(len(xs), 0, -1):
        i, f, g, o = gates(params, xs[t - 1], hs[t])
        dh = dh + dh_out[t - 1]
        tc = np.tanh(cs[t])
        dc = dc + dh * o * (1 - tc**2)
        da = np.concatenate(
            [dc * g * i * (1 - i), dc * cs[t - 1] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)], axis=1
        )
        dW, dU, db = dW + xs[t - 1].T @ da, dU + hs[t - 1].T @ da, db + da.sum(0)
        dh, dc = da @ params["W_hh"].T, dc * f
    return losses, {**grads, "W_xh": dW, "W_hh": dU, "b_h": db}


def cell_cut_at_checkpoints(params, xs, targets, state, every=2):
    hs, cs = forward(params, xs, state)
    losses, dh_out, grads = head(params, hs, targets)
    dW, dU, db, dh = 0, 0, 0, 0
    for start in reversed(range(0, len(xs), every)):  # one piece between two checkpoints
        dc = np.zeros_like(state[1])
        for t in reversed(range(start, min(start + every, len(xs)))):
            i, f, g, o = gates(params, xs[t], hs[t])
            dh = dh + dh_out[t]
            tc = np.tanh(cs[t + 1])
            dc = dc + dh * o * (1 - tc**2)
            da = np.concatenate(
                [dc * g * i * (1 - i), dc * cs[t] * f * (1 - f), dc * i * (1 - g**2), dh * tc * o * (1 - o)], axis=1
            )
            dW, dU, db = dW + xs[t].T @ da, dU + hs[t].T @ da, db + da.sum(0)
            dh, dc = da @ params["W_hh"].T, dc * f
    return losses, {**grads, "W_xh": dW, "W_hh": dU, "b_h": db}
