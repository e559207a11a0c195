"""Plain RNN, lists by time, the sums over time made after the loop from lists."""

import numpy as np


def run(params, xs, targets, h0):
    hs, ps, losses = [h0], [], []
    for x, y in zip(xs, targets, strict=False):
        hs.append(np.tanh(x @ params["W_xh"] + hs[-1] @ params["W_hh"] + params["b_h"]))
        z = hs[-1] @ params["W_hy"] + params["b_y"]
        z = z - z.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        losses.append(-np.log(p[np.arange(len(y)), y]))
        ps.append(p)
    return hs, ps, np.array(losses)


def deltas_appended_backwards(params, xs, targets, state):
    hs, ps, losses = run(params, xs, targets, state[0])
    onehot = np.eye(len(params["b_y"]))
    dys = [p - onehot[y] for p, y in zip(ps, targets, strict=False)]
    deltas = []
    carry = np.zeros_like(state[0])
    for t in reversed(range(len(xs))):
        delta = (dys[t] @ params["W_hy"].T + carry) * (1 - hs[t + 1] ** 2)
        deltas.append(delta)
        carry = delta @ params["W_hh"].T
    return losses, {
        "W_xh": sum(x.T @ d for x, d in zip(xs, deltas, strict=False)),
        "W_hh": sum(h.T @ d for h, d in zip(hs, deltas, strict=False)),
        "b_h": sum(d.sum(axis=0) for d in deltas),
        "W_hy": sum(h.T @ dy for h, dy in zip(hs[1:], dys, strict=False)),
        "b_y": sum(dy.sum(axis=0) for dy in dys),
    }


def targets_of_step_before(params, xs, targets, state):
    hs, ps, losses = run(params, xs, targets, state[0])
    onehot = np.eye(len(params["b_y"]))
    dys = [p - onehot[targets[t - 1]] for t, p in enumerate(ps)]
    deltas = [None] * len(xs)
    carry = np.zeros_like(state[0])
    for t in reversed(range(len(xs))):
        deltas[t] = (dys[t] @ params["W_hy"].T + carry) * (1 - hs[t + 1] ** 2)
        carry = deltas[t] @ params["W_hh"].T
    return losses, {
        "W_xh": sum(x.T @ d for x, d in zip(xs, deltas, strict=False)),
        "W_hh": sum(h.T @ d for h, d in zip(hs, deltas, strict=False)),
        "b_h": sum(d.sum(axis=0) for d in deltas),
        "W_hy": sum(h.T @ dy for h, dy in zip(hs[1:], dys, strict=False)),
        "b_y": sum(dy.sum(axis=0) for dy in dys),
    }


def whh_delta_first(params, xs, targets, state):
    hs, ps, losses = run(params, xs, targets, state[0])
    onehot = np.eye(len(params["b_y"]))
    dys = [p - onehot[y] for p, y in zip(ps, targets, strict=False)]
    deltas = [None] * len(xs)
    carry = np.zeros_like(state[0])
    for t in reversed(range(len(xs))):
        deltas[t] = (dys[t] @ params["W_hy"].T + carry) * (1 - hs[t + 1] ** 2)
        carry = deltas[t] @ params["W_hh"].T
    return losses, {
        "W_xh": sum(x.T @ d for x, d in zip(xs, deltas, strict=False)),
        "W_hh": sum(d.T @ h for h, d in zip(hs, deltas, strict=False)),
        "b_h": sum(d.sum(axis=0) for d in deltas),
        "W_hy": sum(h.T @ dy for h, dy in zip(hs[1:], dys, strict=False)),
        "b_y": sum(dy.sum(axis=0) for dy in dys),
        "h0": carry,
    }
