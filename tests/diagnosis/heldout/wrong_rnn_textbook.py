"""Plain RNN after the textbook, every loss carried back on its own through Jacobians; the book was misread."""

import numpy as np


def forward(params, xs, targets, h0):
    """One sequence: the states (h[0] is the start), the probabilities and the losses."""
    h, p = [h0], []
    for x in xs:
        h.append(np.tanh(x @ params["W_xh"] + h[-1] @ params["W_hh"] + params["b_h"]))
        s = np.exp(h[-1] @ params["W_hy"] + params["b_y"])
        p.append(s / s.sum())
    return h, p, [-np.log(p[t][targets[t]]) for t in range(len(xs))]


def target_not_subtracted(params, xs, targets, state):
    T, N, _ = xs.shape
    losses, grads = np.zeros((T, N)), {k: np.zeros_like(v) for k, v in params.items()}
    for n in range(N):
        h, p, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        for t in range(T):
            e = p[t]
            grads["W_hy"] += np.outer(h[t + 1], e)
            grads["b_y"] += e
            dh = params["W_hy"] @ e
            for k in range(t, -1, -1):
                da = np.diag(1 - h[k + 1] ** 2) @ dh
                grads["W_xh"] += np.outer(xs[k, n], da)
                grads["W_hh"] += np.outer(h[k], da)
                grads["b_h"] += da
                dh = params["W_hh"] @ da
    return losses, grads


def tanh_of_tanh(params, xs, targets, state):
    def tanh_prime(a):
        return 1 - np.tanh(a) ** 2

    T, N, _ = xs.shape
    losses, grads = np.zeros((T, N)), {k: np.zeros_like(v) for k, v in params.items()}
    for n in range(N):
        h, p, losses[:, n] = forward(params, xs[:, n], targets[:, n], state[0][n])
        for t in range(T):
            e = p[t] - np.eye(len(p[t]))[targets[t, n]]
            grads["W_hy"] += np.outer(h[t + 1], e)
            grads["b_y"] += e
            dh = params["W_hy"] @ e
            for k in range(t, -1, -1):
                da = np.diag(tanh_prime(h[k + 1])) @ dh
                grads["W_xh"] += np.outer(xs[k, n], da)
                grads["W_hh"] += np.outer(h[k], da)
                grads["b_h"] += da
                dh = params["W_hh"] @ da
    return losses, grads
