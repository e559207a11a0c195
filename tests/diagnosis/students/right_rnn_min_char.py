"""Plain RNN, one sequence at a time: column vectors, dictionaries by time, the state before the start is hs[-1]."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    Wxh, Whh, Why = params["W_xh"].T, params["W_hh"].T, params["W_hy"].T
    bh, by = params["b_h"][:, None], params["b_y"][:, None]
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    steps, sequences, _ = xs.shape
    losses = np.zeros((steps, sequences))

    for n in range(sequences):
        x, hs, ps = {}, {}, {}
        hs[-1] = np.copy(state[0][n].reshape(-1, 1))
        # forward
        for t in range(steps):
            x[t] = xs[t, n].reshape(-1, 1)
            hs[t] = np.tanh(Wxh @ x[t] + Whh @ hs[t - 1] + bh)
            y = Why @ hs[t] + by
            e = np.exp(y - np.max(y))
            ps[t] = e / np.sum(e)
            losses[t, n] = -np.log(ps[t][targets[t, n], 0])
        # backward
        dhnext = np.zeros_like(hs[-1])
        for t in reversed(range(steps)):
            dy = np.copy(ps[t])
            dy[targets[t, n]] -= 1  # p - y
            dWhy += dy @ hs[t].T
            dby += dy
            dh = Why.T @ dy + dhnext
            dhraw = (1 - hs[t] * hs[t]) * dh
            dbh += dhraw
            dWxh += dhraw @ x[t].T
            dWhh += dhraw @ hs[t - 1].T
            dhnext = Whh.T @ dhraw

    grads = {"W_xh": dWxh.T, "W_hh": dWhh.T, "W_hy": dWhy.T, "b_h": dbh[:, 0], "b_y": dby[:, 0]}
    return losses, grads
