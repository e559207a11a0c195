"""GRU with the reset before the product, a function for the gates and a list of steps; the way back is not right."""

import numpy as np


def forward(params, xs, targets, h):
    U_r, U_z, U_n = np.split(params["W_hh"], 3, axis=1)
    steps, losses = [], []
    for x, y in zip(xs, targets, strict=True):
        a_r, a_z, a_n = np.split(x @ params["W_xh"] + params["b_h"], 3, axis=1)
        reset = 1 / (1 + np.exp(-(a_r + h @ U_r)))
        update = 1 / (1 + np.exp(-(a_z + h @ U_z)))
        cand = np.tanh(a_n + (reset * h) @ U_n)
        h_new = update * h + (1 - update) * cand
        prob = np.exp(h_new @ params["W_hy"] + params["b_y"])
        prob /= prob.sum(axis=1, keepdims=True)
        losses.append(-np.log(prob[np.arange(len(y)), y]))
        prob[np.arange(len(y)), y] -= 1
        steps.append((x, h, reset, update, cand, h_new, prob))
        h = h_new
    return np.array(losses), steps, (U_r, U_z, U_n)


def r_without_whn(params, xs, targets, state):
    losses, steps, (U_r, U_z, U_n) = forward(params, xs, targets, state[0])
    dW, dU, db = np.zeros_like(params["W_xh"]), np.zeros_like(params["W_hh"]), np.zeros_like(params["b_h"])
    dV, dc = np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])
    dh = np.zeros_like(state[0])
    while steps:
        x, h, reset, update, cand, h_new, dy = steps.pop()
        dV += h_new.T @ dy
        dc += dy.sum(axis=0)
        dh += dy @ params["W_hy"].T
        d_update = dh * (h - cand) * update * (1 - update)
        d_cand = dh * (1 - update) * (1 - cand**2)
        d_gated = d_cand @ U_n.T  # of reset * h
        d_reset = d_cand * h * reset * (1 - reset)
        d_all = np.hstack([d_reset, d_update, d_cand])
        dW += x.T @ d_all
        dU += np.hstack([h.T @ d_reset, h.T @ d_update, (reset * h).T @ d_cand])
        db += d_all.sum(axis=0)
        dh = dh * update + d_gated * reset + d_reset @ U_r.T + d_update @ U_z.T
    return losses, {"W_xh": dW, "W_hh": dU, "b_h": db, "W_hy": dV, "b_y": dc}


def whn_without_r(params, xs, targets, state):
    losses, steps, (U_r, U_z, U_n) = forward(params, xs, targets, state[0])
    dW, dU, db = np.zeros_like(params["W_xh"]), np.zeros_like(params["W_hh"]), np.zeros_like(params["b_h"])
    dV, dc = np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])
    dh = np.zeros_like(state[0])
    while steps:
        x, h, reset, update, cand, h_new, dy = steps.pop()
        dV += h_new.T @ dy
        dc += dy.sum(axis=0)
        dh += dy @ params["W_hy"].T
        d_update = dh * (h - cand) * update * (1 - update)
        d_cand = dh * (1 - update) * (1 - cand**2)
        d_gated = d_cand @ U_n.T  # of reset * h
        d_reset = d_gated * h * reset * (1 - reset)
        d_all = np.hstack([d_reset, d_update, d_cand])
        dW += x.T @ d_all
        dU += np.hstack([h.T @ d_reset, h.T @ d_update, h.T @ d_cand])
        db += d_all.sum(axis=0)
        dh = dh * update + d_gated * reset + d_reset @ U_r.T + d_update @ U_z.T
    return losses, {"W_xh": dW, "W_hh": dU, "b_h": db, "W_hy": dV, "b_y": dc}
