"""Plain RNN in columns, one sequence after another, dictionaries by time."""

import numpy as np


def loss_fun(params, inputs, targets, hprev, dhraw_of):
    """One sequence; dhraw_of(hs, t, dh, dhnext) is the step through tanh."""
    Wxh, Whh, Why = params["W_xh"].T, params["W_hh"].T, params["W_hy"].T
    bh, by = params["b_h"].reshape(-1, 1), params["b_y"].reshape(-1, 1)
    xs, hs, ps, loss = {}, {-1: hprev.reshape(-1, 1)}, {}, 0.0
    for t in range(len(inputs)):
        xs[t] = inputs[t].reshape(-1, 1)
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        y = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby, dhnext = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dhraw = dhraw_of(hs, t, np.dot(Why.T, dy), dhnext)
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return loss, {"W_xh": dWxh.T, "W_hh": dWhh.T, "b_h": dbh.ravel(), "W_hy": dWhy.T, "b_y": dby.ravel()}


def over_the_batch(params, xs, targets, state, dhraw_of):
    total, grads = 0.0, {k: np.zeros_like(v) for k, v in params.items()}
    for n in range(xs.shape[1]):
        loss, g = loss_fun(params, xs[:, n], targets[:, n], state[0][n], dhraw_of)
        total += loss
        for k in g:
            grads[k] += g[k]
    return total, grads


def carry_added_after_tanh(params, xs, targets, state):
    def dhraw_of(hs, t, dh, dhnext):
        return (1 - hs[t] * hs[t]) * dh + dhnext

    return over_the_batch(params, xs, targets, state, dhraw_of)


def tanh_derivative_at_h_before(params, xs, targets, state):
    def dhraw_of(hs, t, dh, dhnext):
        return (1 - hs[t - 1] * hs[t - 1]) * (dh + dhnext)

    return over_the_batch(params, xs, targets, state, dhraw_of)
