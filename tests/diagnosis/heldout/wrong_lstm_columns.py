"""LSTM in columns on concat = [a_prev; x], as in the programming assignment, with something lost on the way."""

import numpy as np


def gates_forward(params, x_t, a_prev, c_prev):
    W = np.concatenate([params["W_hh"], params["W_xh"]], axis=0).T  # (4 n_a, n_a + n_x)
    concat = np.concatenate([a_prev, x_t], axis=0)
    z = W @ concat + params["b_h"][:, None]
    zi, zf, zc, zo = np.split(z, 4)
    it, ft, cct, ot = 1 / (1 + np.exp(-zi)), 1 / (1 + np.exp(-zf)), np.tanh(zc), 1 / (1 + np.exp(-zo))
    c_next = ft * c_prev + it * cct
    return ot * np.tanh(c_next), c_next, (concat, c_prev, c_next, it, ft, cct, ot)


def forward(params, xs, targets, state):
    a, c = state[0].T, state[1].T
    caches, a_list, dy_list, losses = [], [], [], []
    for x, y in zip(xs, targets, strict=True):
        a, c, cache = gates_forward(params, x.T, a, c)
        s = params["W_hy"].T @ a + params["b_y"][:, None]
        p = np.exp(s - s.max(axis=0)) / np.exp(s - s.max(axis=0)).sum(axis=0)
        losses.append(-np.log(p[y, np.arange(len(y))]))
        p[y, np.arange(len(y))] -= 1
        caches.append(cache)
        a_list.append(a)
        dy_list.append(p)
    return np.array(losses), caches, a_list, dy_list


def result(params, dW, db, dWy, dby):
    n_a = params["W_hh"].shape[0]
    return {"W_hh": dW[:, :n_a].T, "W_xh": dW[:, n_a:].T, "b_h": db[:, 0], "W_hy": dWy.T, "b_y": dby[:, 0]}


def blocks_in_other_order(params, xs, targets, state):
    losses, caches, a_list, dy_list = forward(params, xs, targets, state)
    dW, db, dWy, dby = 0, 0, 0, 0
    da_prevt, dc_prevt = np.zeros_like(state[0].T), np.zeros_like(state[1].T)
    for t in reversed(range(len(xs))):
        concat, c_prev, c_next, it, ft, cct, ot = caches[t]
        dWy = dWy + dy_list[t] @ a_list[t].T
        dby = dby + dy_list[t].sum(axis=1, keepdims=True)
        da_next = params["W_hy"] @ dy_list[t] + da_prevt
        dc_next = dc_prevt + da_next * ot * (1 - np.tanh(c_next) ** 2)
        dot = da_next * np.tanh(c_next) * ot * (1 - ot)
        dcct = dc_next * it * (1 - cct**2)
        dit = dc_next * cct * it * (1 - it)
        dft = dc_next * c_prev * ft * (1 - ft)
        da_prevt = params["W_hh"] @ np.concatenate([dit, dft, dcct, dot])
        dc_prevt = dc_next * ft
        dz = np.concatenate([dit, dft, dot, dcct])
        dW = dW + dz @ concat.T
        db = db + dz.sum(axis=1, keepdims=True)
    return losses, result(params, dW, db, dWy, dby)


def sign_of_candidate(params, xs, targets, state):
    losses, caches, a_list, dy_list = forward(params, xs, targets, state)
    dW, db, dWy, dby = 0, 0, 0, 0
    da_prevt, dc_prevt = np.zeros_like(state[0].T), np.zeros_like(state[1].T)
    for t in reversed(range(len(xs))):
        concat, c_prev, c_next, it, ft, cct, ot = caches[t]
        dWy = dWy + dy_list[t] @ a_list[t].T
        dby = dby + dy_list[t].sum(axis=1, keepdims=True)
        da_next = params["W_hy"] @ dy_list[t] + da_prevt
        dc_next = dc_prevt + da_next * ot * (1 - np.tanh(c_next) ** 2)
        dot = da_next * np.tanh(c_next) * ot * (1 - ot)
        dcct = dc_next * it * (cct**2 - 1)
        dit = dc_next * cct * it * (1 - it)
        dft = dc_next * c_prev * ft * (1 - ft)
        dz = np.concatenate([dit, dft, dcct, dot])
        dW = dW + dz @ concat.T
        db = db + dz.sum(axis=1, keepdims=True)
        da_prevt, dc_prevt = params["W_hh"] @ dz, dc_next * ft
    return losses, result(params, dW, db, dWy, dby)
