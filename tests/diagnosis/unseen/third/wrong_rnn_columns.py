"""Plain RNN in columns: matrices are turned at the start and turned back at the end; p kept by step."""

import numpy as np


def turn(params):
    Wxh, Whh, Why = params["W_xh"].T, params["W_hh"].T, params["W_hy"].T
    return Wxh, Whh, Why, params["b_h"][:, None], params["b_y"][:, None]


def forward(params, xs, targets, h0):
    Wxh, Whh, Why, bh, by = turn(params)
    h = {-1: h0.T}
    p, loss = {}, 0.0
    for t in range(len(xs)):
        h[t] = np.tanh(Wxh @ xs[t].T + Whh @ h[t - 1] + bh)
        y = Why @ h[t] + by
        e = np.exp(y - y.max(axis=0))
        p[t] = e / e.sum(axis=0)
        loss += -np.log(p[t][targets[t], np.arange(len(targets[t]))]).sum()
    return h, p, loss


def turned_back(dWxh, dWhh, dWhy, dbh, dby):
    return {"W_xh": dWxh.T, "W_hh": dWhh.T, "W_hy": dWhy.T, "b_h": dbh.ravel(), "b_y": dby.ravel()}


def tanh_derivative_applied_twice(params, xs, targets, state):
    def dtanh(dout, out):
        return dout * (1 - out**2)

    Wxh, Whh, Why, bh, by = turn(params)
    h, p, loss = forward(params, xs, targets, state[0])
    dWxh, dWhh, dWhy, dbh, dby = (np.zeros_like(a) for a in (Wxh, Whh, Why, bh, by))
    dh_next = np.zeros_like(h[-1])
    for t in reversed(range(len(xs))):
        dy = p[t].copy()
        dy[targets[t], np.arange(dy.shape[1])] -= 1
        dWhy += dy @ h[t].T
        dby += dy.sum(axis=1, keepdims=True)
        dh = Why.T @ dy + dh_next
        da = dtanh(dh, h[t]) * (1 - h[t] ** 2)
        dWxh += da @ xs[t]
        dWhh += da @ h[t - 1].T
        dbh += da.sum(axis=1, keepdims=True)
        dh_next = Whh.T @ da
    return loss, turned_back(dWxh, dWhh, dWhy, dbh, dby)


def loop_not_reversed(params, xs, targets, state):
    Wxh, Whh, Why, bh, by = turn(params)
    h, p, loss = forward(params, xs, targets, state[0])
    dWxh, dWhh, dWhy, dbh, dby = (np.zeros_like(a) for a in (Wxh, Whh, Why, bh, by))
    dh_next = np.zeros_like(h[-1])
    for t in range(len(xs)):
        dy = p[t].copy()
        dy[targets[t], np.arange(dy.shape[1])] -= 1
        dWhy += dy @ h[t].T
        dby += dy.sum(axis=1, keepdims=True)
        da = (1 - h[t] ** 2) * (Why.T @ dy + dh_next)
        dWxh += da @ xs[t]
        dWhh += da @ h[t - 1].T
        dbh += da.sum(axis=1, keepdims=True)
        dh_next = Whh.T @ da
    return loss, turned_back(dWxh, dWhh, dWhy, dbh, dby)


def one_taken_from_p_twice(params, xs, targets, state):
    def cross_entropy_backward(p, y):
        p[y, np.arange(len(y))] -= 1
        return p

    Wxh, Whh, Why, bh, by = turn(params)
    h, p, loss = forward(params, xs, targets, state[0])
    dWxh, dWhh, dWhy, dbh, dby = (np.zeros_like(a) for a in (Wxh, Whh, Why, bh, by))
    for t in p:
        p[t] = cross_entropy_backward(p[t], targets[t])
    dh_next = np.zeros_like(h[-1])
    for t in reversed(range(len(xs))):
        dy = p[t]
        dy[targets[t], np.arange(dy.shape[1])] -= 1  # backprop into y
        dWhy += dy @ h[t].T
        dby += dy.sum(axis=1, keepdims=True)
        da = (1 - h[t] ** 2) * (Why.T @ dy + dh_next)
        dWxh += da @ xs[t]
        dWhh += da @ h[t - 1].T
        dbh += da.sum(axis=1, keepdims=True)
        dh_next = Whh.T @ da
    return loss, turned_back(dWxh, dWhh, dWhy, dbh, dby)
