"""Plain RNN by real-time recurrent learning: no backward pass, the derivative of h by every weight goes forward.

S[name] holds dh_j / dw for each unit j and each weight w of that name. Only for tiny networks.
"""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    T, N, D = xs.shape
    H, K = params["W_hy"].shape
    losses = np.zeros((T, N))
    grads = {k: np.zeros(v.shape) for k, v in params.items()}
    grads["h0"] = np.zeros((N, H))
    for n in range(N):
        h = state[0][n]
        S = {"W_xh": np.zeros((H, D, H)), "W_hh": np.zeros((H, H, H)), "b_h": np.zeros((H, H)), "h0": np.eye(H)}
        for t in range(T):
            x = xs[t, n]
            a = x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]
            h_new = np.tanh(a)
            slope = 1.0 / np.cosh(a) ** 2
            for name in S:
                # through the old state ...
                S[name] = np.tensordot(params["W_hh"].T, S[name], axes=1)
            # ... and directly: a_j contains x_i * W_xh[i, j], h_i * W_hh[i, j], b_j
            for j in range(H):
                S["W_xh"][j, :, j] += x
                S["W_hh"][j, :, j] += h
                S["b_h"][j, j] += 1.0
            for name in S:
                S[name] = slope.reshape((H,) + (1,) * (S[name].ndim - 1)) * S[name]
            h = h_new

            y = h @ params["W_hy"] + params["b_y"]
            p = np.exp(y) / np.exp(y).sum()
            losses[t, n] = -np.log(p[targets[t, n]])
            e = p - np.eye(K)[targets[t, n]]
            grads["W_hy"] += np.outer(h, e)
            grads["b_y"] += e
            dL_dh = params["W_hy"] @ e  # through this step's output only: the rest is in S
            for name in ("W_xh", "W_hh", "b_h"):
                grads[name] += np.tensordot(dL_dh, S[name], axes=1)
            grads["h0"][n] += dL_dh @ S["h0"]
    return losses, grads
