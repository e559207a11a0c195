"""Plain RNN with a single matrix: z = [h, x, 1] times W, the bias is its last row."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    T, N, D = xs.shape
    H = params["W_hh"].shape[0]
    W = np.vstack([params["W_hh"], params["W_xh"], params["b_h"]])
    V = np.vstack([params["W_hy"], params["b_y"]])
    one = np.ones((N, 1))
    h = state[0]
    Z, A, P = [], [], []
    loss = 0.0
    for t in range(T):
        z = np.hstack([h, xs[t], one])
        h = np.tanh(z @ W)
        q = np.hstack([h, one])
        s = q @ V
        s = s - s.max(axis=1)[:, None]
        p = np.exp(s)
        p /= p.sum(axis=1)[:, None]
        loss += -np.log(p[np.arange(N), targets[t]]).sum()
        Z.append(z)
        A.append(q)
        P.append(p)

    dW, dV = np.zeros_like(W), np.zeros_like(V)
    dx = np.zeros(xs.shape)
    dh = np.zeros((N, H))
    for t in range(T)[::-1]:
        ds = P[t]
        ds[np.arange(N), targets[t]] -= 1.0
        dV += A[t].T @ ds
        dq = ds @ V.T
        dh = dh + dq[:, :H]  # the last column belongs to the constant 1
        da = dh * (1.0 - A[t][:, :H] ** 2)
        dW += Z[t].T @ da
        dz = da @ W.T
        dh = dz[:, :H]
        dx[t] = dz[:, H : H + D]
    return loss, {
        "W_hh": dW[:H], "W_xh": dW[H : H + D], "b_h": dW[H + D], "W_hy": dV[:H], "b_y": dV[H], "xs": dx, "h0": dh,
    }
