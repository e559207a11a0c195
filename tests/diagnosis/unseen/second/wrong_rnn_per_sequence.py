"""Plain RNN after min-char-rnn: columns, a loop over the sequences of the batch outside the loop over time."""

import numpy as np


def unpack(params):
    Wxh, Whh, Why = params["W_xh"].T, params["W_hh"].T, params["W_hy"].T
    return Wxh, Whh, Why, params["b_h"].reshape(-1, 1), params["b_y"].reshape(-1, 1)


def sequence_forward(weights, inputs, ys, hprev):
    Wxh, Whh, Why, bh, by = weights
    xs, hs, os, ps, loss = {}, {-1: hprev}, {}, {}, 0
    for t in range(len(inputs)):
        xs[t] = inputs[t].reshape(-1, 1)
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        os[t] = Why @ hs[t] + by
        ps[t] = np.exp(os[t]) / np.sum(np.exp(os[t]))
        loss += -np.log(ps[t][ys[t], 0])
    return xs, hs, os, ps, loss


def result(dWxh, dWhh, dWhy, dbh, dby):
    return {"W_xh": dWxh.T, "W_hh": dWhh.T, "b_h": dbh.ravel(), "W_hy": dWhy.T, "b_y": dby.ravel()}


def dhnext_leaks_into_next_sequence(params, xs, targets, state):
    weights = _Wxh, Whh, Why, bh, _by = unpack(params)
    dWxh, dWhh, dWhy, dbh, dby = [np.zeros(w.shape) for w in weights]
    total = 0
    dhnext = np.zeros((len(bh), 1))
    for n in range(xs.shape[1]):
        x, hs, _, ps, loss = sequence_forward(weights, xs[:, n], targets[:, n], state[0][n].reshape(-1, 1))
        total += loss
        for t in reversed(range(len(x))):
            dy = ps[t].copy()
            dy[targets[t, n]] -= 1
            dWhy += dy @ hs[t].T
            dby += dy
            dh = Why.T @ dy + dhnext
            dhraw = (1 - hs[t] * hs[t]) * dh
            dbh += dhraw
            dWxh += dhraw @ x[t].T
            dWhh += dhraw @ hs[t - 1].T
            dhnext = Whh.T @ dhraw
    return total, result(dWxh, dWhh, dWhy, dbh, dby)


def scores_minus_one_hot(params, xs, targets, state):
    weights = _Wxh, Whh, Why, bh, _by = unpack(params)
    dWxh, dWhh, dWhy, dbh, dby = [np.zeros(w.shape) for w in weights]
    total = 0
    for n in range(xs.shape[1]):
        x, hs, os, _ps, loss = sequence_forward(weights, xs[:, n], targets[:, n], state[0][n].reshape(-1, 1))
        total += loss
        dhnext = np.zeros((len(bh), 1))
        for t in reversed(range(len(x))):
            dy = np.copy(os[t])
            dy[targets[t, n]] -= 1
            dWhy += dy @ hs[t].T
            dby += dy
            dh = Why.T @ dy + dhnext
            dhraw = (1 - hs[t] * hs[t]) * dh
            dbh += dhraw
            dWxh += dhraw @ x[t].T
            dWhh += dhraw @ hs[t - 1].T
            dhnext = Whh.T @ dhraw
    return total, result(dWxh, dWhh, dWhy, dbh, dby)


def carry_clipped_in_the_loop(params, xs, targets, state):
    weights = _Wxh, Whh, Why, bh, _by = unpack(params)
    dWxh, dWhh, dWhy, dbh, dby = [np.zeros(w.shape) for w in weights]
    total = 0
    for n in range(xs.shape[1]):
        x, hs, _, ps, loss = sequence_forward(weights, xs[:, n], targets[:, n], state[0][n].reshape(-1, 1))
        total += loss
        dhnext = np.zeros((len(bh), 1))
        for t in reversed(range(len(x))):
            dy = ps[t].copy()
            dy[targets[t, n]] -= 1
            dWhy += dy @ hs[t].T
            dby += dy
            dh = Why.T @ dy + dhnext
            dhraw = (1 - hs[t] * hs[t]) * dh
            dbh += dhraw
            dWxh += dhraw @ x[t].T
            dWhh += dhraw @ hs[t - 1].T
            dhnext = Whh.T @ dhraw
            np.clip(dhnext, -0.1, 0.1, out=dhnext)  # exploding gradients
    return total, result(dWxh, dWhh, dWhy, dbh, dby)
