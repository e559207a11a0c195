"""Plain RNN written for speed: buffers that are filled with out=, operations in place."""

import numpy as np


def forward(params, xs, targets, h0):
    T, _N, _ = xs.shape
    hs = np.empty((T + 1, *h0.shape))
    hs[0] = h0
    proj = xs @ params["W_xh"]
    proj += params["b_h"]
    for t in range(T):
        np.matmul(hs[t], params["W_hh"], out=hs[t + 1])
        hs[t + 1] += proj[t]
        np.tanh(hs[t + 1], out=hs[t + 1])
    prob = hs[1:] @ params["W_hy"]
    prob += params["b_y"]
    prob -= prob.max(axis=2, keepdims=True)
    np.exp(prob, out=prob)
    prob /= prob.sum(axis=2, keepdims=True)
    picked = np.take_along_axis(prob, targets[:, :, None], 2)
    losses = -np.log(picked[:, :, 0])
    np.put_along_axis(prob, targets[:, :, None], picked - 1, 2)
    return losses, hs, prob


def one_buffer_for_all_steps(params, xs, targets, state):
    losses, hs, dlogits = forward(params, xs, targets, state[0])
    dh_out = dlogits @ params["W_hy"].T
    delta, dh = np.empty_like(state[0]), np.zeros_like(state[0])
    deltas = []
    for t in reversed(range(len(xs))):
        dh += dh_out[t]
        np.multiply(dh, 1 - hs[t + 1] ** 2, out=delta)
        deltas.append(delta)
        np.matmul(delta, params["W_hh"].T, out=dh)
    deltas = np.stack(deltas[::-1])
    return losses, {
        "W_xh": np.einsum("tnd,tnh->dh", xs, deltas), "W_hh": np.einsum("tng,tnh->gh", hs[:-1], deltas),
        "b_h": np.einsum("tnh->h", deltas), "W_hy": np.einsum("tnh,tnk->hk", hs[1:], dlogits),
        "b_y": np.einsum("tnk->k", dlogits), "xs": deltas @ params["W_xh"].T, "h0": dh,
    }


def relu_derivative_and_h_of_same_step(params, xs, targets, state):
    losses, hs, dlogits = forward(params, xs, targets, state[0])
    dh_out = dlogits @ params["W_hy"].T
    dh = np.zeros_like(state[0])
    deltas = np.empty_like(hs[1:])
    for t in reversed(range(len(xs))):
        dh += dh_out[t]
        np.multiply(dh, hs[t + 1] > 0, out=deltas[t])
        np.matmul(deltas[t], params["W_hh"].T, out=dh)
    return losses, {
        "W_xh": np.einsum("tnd,tnh->dh", xs, deltas), "W_hh": np.einsum("tng,tnh->gh", hs[1:], deltas),
        "b_h": np.einsum("tnh->h", deltas), "W_hy": np.einsum("tnh,tnk->hk", hs[1:], dlogits),
        "b_y": np.einsum("tnk->k", dlogits),
    }
