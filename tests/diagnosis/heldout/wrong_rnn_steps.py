"""Plain RNN in the form of the homework, step functions with a cache, batch first: steps that went wrong."""

import numpy as np


def forward(params, x, h0):
    hs, caches, h = [], [], h0
    for t in range(x.shape[1]):
        a = x[:, t] @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]
        caches.append((x[:, t], h, np.tanh(a)))
        h = caches[-1][2]
        hs.append(h)
    return np.stack(hs, axis=1), caches


def output(params, h, y):
    scores = h @ params["W_hy"] + params["b_y"]
    p = np.exp(scores - scores.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    right = np.take_along_axis(p, y[:, :, None], axis=2)
    dscores = p - (np.arange(p.shape[2]) == y[:, :, None])
    grads = {"W_hy": np.einsum("nth,ntk->hk", h, dscores), "b_y": dscores.sum(axis=(0, 1))}
    return -np.log(right[:, :, 0]).T, dscores @ params["W_hy"].T, grads


def backward(step_backward, params, dh_out, caches):
    """Run the given step from the last to the first and add up."""
    grads = {k: np.zeros_like(params[k]) for k in ("W_xh", "W_hh", "b_h")}
    dx, dh = np.zeros(dh_out.shape[:2] + caches[0][0].shape[1:]), 0.0
    for t in reversed(range(len(caches))):
        dx[:, t], dh, dWx, dWh, db = step_backward(params, dh_out[:, t] + dh, caches[t])
        grads["W_xh"] += dWx
        grads["W_hh"] += dWh
        grads["b_h"] += db
    return {**grads, "xs": dx.transpose(1, 0, 2), "h0": dh}


def run(step_backward, params, xs, targets, state):
    h, caches = forward(params, xs.transpose(1, 0, 2), state[0])
    losses, dh_out, grads = output(params, h, targets.T)
    return losses, {**grads, **backward(step_backward, params, dh_out, caches)}


def derivative_of_h_prev(params, xs, targets, state):
    def step_backward(params, dnext_h, cache):
        x, prev_h, _ = cache
        da = dnext_h * (1 - prev_h**2)
        return da @ params["W_xh"].T, da @ params["W_hh"].T, x.T @ da, prev_h.T @ da, da.sum(axis=0)

    return run(step_backward, params, xs, targets, state)
