"""Plain RNN as the textbook writes it: products of Jacobians dh_t/dh_k, and a double sum over t and k <= t."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    W_x, W_h, W_y = params["W_xh"].T, params["W_hh"].T, params["W_hy"].T  # the book has columns: a = W_x x + W_h h + b
    b, b_y = params["b_h"], params["b_y"]
    T, N, _ = xs.shape
    K = len(b_y)
    losses = np.zeros((T, N))
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    for n in range(N):
        h = [state[0][n]]
        diag = []  # dh_t/da_t, a diagonal matrix
        step = []  # dh_t/dh_{t-1} = diag(1 - h^2) W_h
        dL_dh = []  # of the loss at t alone
        for t in range(T):
            h.append(np.tanh(W_x @ xs[t, n] + W_h @ h[-1] + b))
            diag.append(np.diag(1 - h[-1] ** 2))
            step.append(diag[-1] @ W_h)
            logits = W_y @ h[-1] + b_y
            p = np.exp(logits - logits.max())
            p /= p.sum()
            e = p - np.eye(K)[targets[t, n]]
            losses[t, n] = -np.log(p[targets[t, n]])
            grads["W_hy"] += np.outer(e, h[-1]).T
            grads["b_y"] += e
            dL_dh.append(W_y.T @ e)
        for t in range(T):
            jacobian = np.eye(len(b))  # dh_t/dh_k, starting with k = t
            for k in range(t, -1, -1):
                da = dL_dh[t] @ jacobian @ diag[k]
                grads["W_xh"] += np.outer(da, xs[k, n]).T
                grads["W_hh"] += np.outer(da, h[k]).T
                grads["b_h"] += da
                jacobian = jacobian @ step[k]
    return losses, grads
