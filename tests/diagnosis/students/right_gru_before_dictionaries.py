"""GRU with the reset before, after the paper: columns, dictionaries by time, targets as one-hot columns."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def loss_and_grads(params, xs, targets, state):
    Wr, Wz, W = (w.T for w in np.split(params["W_xh"], 3, axis=1))
    Ur, Uz, U = (u.T for u in np.split(params["W_hh"], 3, axis=1))
    br, bz, b = (v.reshape(-1, 1) for v in np.split(params["b_h"], 3))
    V, c = params["W_hy"].T, params["b_y"].reshape(-1, 1)
    T, N, _ = xs.shape
    K = V.shape[0]
    losses = np.zeros((T, N))
    dWr, dWz, dW, dUr, dUz, dU = (np.zeros_like(a) for a in (Wr, Wz, W, Ur, Uz, U))
    dbr, dbz, db, dV, dc = (np.zeros_like(a) for a in (br, bz, b, V, c))
    for j in range(N):
        x, y, r, z, ht, h, yhat = {}, {}, {}, {}, {}, {}, {}
        h[-1] = state[0][j].reshape(-1, 1)
        for t in range(T):
            x[t] = xs[t, j].reshape(-1, 1)
            y[t] = np.zeros((K, 1))
            y[t][targets[t, j]] = 1
            r[t] = sigmoid(np.dot(Wr, x[t]) + np.dot(Ur, h[t - 1]) + br)
            z[t] = sigmoid(np.dot(Wz, x[t]) + np.dot(Uz, h[t - 1]) + bz)
            ht[t] = np.tanh(np.dot(W, x[t]) + np.dot(U, r[t] * h[t - 1]) + b)
            h[t] = z[t] * h[t - 1] + (1 - z[t]) * ht[t]
            e = np.exp(np.dot(V, h[t]) + c)
            yhat[t] = e / e.sum()
            losses[t, j] = -np.log(np.dot(y[t].T, yhat[t]))[0, 0]  # one-hot picks the probability
        dhnext = np.zeros_like(h[-1])
        for t in reversed(range(T)):
            dy = yhat[t] - y[t]
            dV += np.dot(dy, h[t].T)
            dc += dy
            dh = np.dot(V.T, dy) + dhnext
            dht_raw = dh * (1 - z[t]) * (1 - ht[t] ** 2)
            drh = np.dot(U.T, dht_raw)  # gradient of the product r * h[t-1]
            dr_raw = drh * h[t - 1] * r[t] * (1 - r[t])
            dz_raw = dh * (h[t - 1] - ht[t]) * z[t] * (1 - z[t])
            dW += np.dot(dht_raw, x[t].T)
            dU += np.dot(dht_raw, (r[t] * h[t - 1]).T)
            db += dht_raw
            dWr += np.dot(dr_raw, x[t].T)
            dUr += np.dot(dr_raw, h[t - 1].T)
            dbr += dr_raw
            dWz += np.dot(dz_raw, x[t].T)
            dUz += np.dot(dz_raw, h[t - 1].T)
            dbz += dz_raw
            dhnext = dh * z[t] + drh * r[t] + np.dot(Ur.T, dr_raw) + np.dot(Uz.T, dz_raw)
    return losses, {
        "W_xh": np.vstack([dWr, dWz, dW]).T, "W_hh": np.vstack([dUr, dUz, dU]).T,
        "b_h": np.vstack([dbr, dbz, db]).ravel(), "W_hy": dV.T, "b_y": dc.ravel(),
    }
