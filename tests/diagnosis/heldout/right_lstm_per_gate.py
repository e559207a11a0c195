"""LSTM with a matrix for every gate, as in the lecture: W_i, U_i, b_i and so on. The slices are glued at the end."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def loss_and_grads(params, xs, targets, state):
    T, N, _ = xs.shape
    W_i, W_f, W_g, W_o = np.split(params["W_xh"], 4, axis=1)
    U_i, U_f, U_g, U_o = np.split(params["W_hh"], 4, axis=1)
    b_i, b_f, b_g, b_o = np.split(params["b_h"], 4)
    hs, cs = [state[0]], [state[1]]
    i_s, f_s, g_s, o_s, probs = [], [], [], [], []
    losses = np.zeros((T, N))
    for t in range(T):
        x, h = xs[t], hs[-1]
        i_s.append(sigmoid(x @ W_i + h @ U_i + b_i))
        f_s.append(sigmoid(x @ W_f + h @ U_f + b_f))
        g_s.append(np.tanh(x @ W_g + h @ U_g + b_g))
        o_s.append(sigmoid(x @ W_o + h @ U_o + b_o))
        cs.append(f_s[t] * cs[-1] + i_s[t] * g_s[t])
        hs.append(o_s[t] * np.tanh(cs[-1]))
        y = hs[-1] @ params["W_hy"] + params["b_y"]
        p = np.exp(y - y.max(axis=1, keepdims=True))
        p = p / p.sum(axis=1, keepdims=True)
        losses[t] = -np.log(p[range(N), targets[t]])
        probs.append(p)

    dW = {k: np.zeros_like(W_i) for k in "ifgo"}
    dU = {k: np.zeros_like(U_i) for k in "ifgo"}
    db = {k: np.zeros_like(b_i) for k in "ifgo"}
    dW_hy, db_y = np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(T)):
        dy = probs[t].copy()
        dy[range(N), targets[t]] -= 1
        dW_hy += hs[t + 1].T @ dy
        db_y += dy.sum(axis=0)
        dh = dy @ params["W_hy"].T + dh_next
        tc = np.tanh(cs[t + 1])
        dc = dc_next + dh * o_s[t] * (1 - tc**2)
        dz = {
            "i": dc * g_s[t] * i_s[t] * (1 - i_s[t]),
            "f": dc * cs[t] * f_s[t] * (1 - f_s[t]),
            "g": dc * i_s[t] * (1 - g_s[t] ** 2),
            "o": dh * tc * o_s[t] * (1 - o_s[t]),
        }
        for k in "ifgo":
            dW[k] += xs[t].T @ dz[k]
            dU[k] += hs[t].T @ dz[k]
            db[k] += dz[k].sum(axis=0)
        dh_next = dz["i"] @ U_i.T + dz["f"] @ U_f.T + dz["g"] @ U_g.T + dz["o"] @ U_o.T
        dc_next = dc * f_s[t]

    def glue(d):
        return np.concatenate([d[k] for k in "ifgo"], axis=-1)

    return losses, {
        "W_xh": glue(dW), "W_hh": glue(dU), "b_h": glue(db), "W_hy": dW_hy, "b_y": db_y, "h0": dh_next, "c0": dc_next,
    }
