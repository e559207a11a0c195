"""GRU with torch's names: gi = x W_ih, gh = h W_hh, cut in chunks; what backward needs is kept in a list of tuples."""

import numpy as np


def sig(x):
    return 0.5 * (1 + np.tanh(x / 2))


def chunk(a):
    return np.array_split(a, 3, axis=-1)


def forward(params, xs, targets, h):
    w_ih, w_hh, b_ih = params["W_xh"], params["W_hh"], params["b_h"]
    b_hh = np.concatenate([np.zeros(2 * h.shape[1]), params["b_hn"]])
    tape, losses = [], []
    for x, y in zip(xs, targets, strict=False):
        i_r, i_z, i_n = chunk(x @ w_ih + b_ih)
        h_r, h_z, h_n = chunk(h @ w_hh + b_hh)
        r, z = sig(i_r + h_r), sig(i_z + h_z)
        n = np.tanh(i_n + r * h_n)
        hy = n + z * (h - n)
        logits = hy @ params["W_hy"] + params["b_y"]
        logits = logits - logits.max(-1, keepdims=True)
        logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        onehot = np.eye(logp.shape[1])[y]
        losses.append(-(logp * onehot).sum(-1))
        tape.append((x, h, r, z, n, h_n, hy, np.exp(logp) - onehot))
        h = hy
    return np.stack(losses), tape


def zeros(params):
    return {k: np.zeros_like(v) for k, v in params.items()}


def head(grads, params, hy, dl):
    grads["W_hy"] += hy.T @ dl
    grads["b_y"] += dl.sum(0)
    return dl @ params["W_hy"].T


def body(grads, params, x, h, d_gi, d_gh):
    H = h.shape[1]
    grads["W_xh"] += x.T @ d_gi
    grads["W_hh"] += h.T @ d_gh
    grads["b_h"] += d_gi.sum(0)
    grads["b_hn"] += d_gh[:, 2 * H :].sum(0)
    return d_gh @ params["W_hh"].T


def z_delta_forgets_the_candidate(params, xs, targets, state):
    losses, tape = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, n, h_n, hy, dl in reversed(tape):
        dh = dh + head(grads, params, hy, dl)
        d_n = dh * (1 - z) * (1 - n**2)
        d_z = dh * h * z * (1 - z)
        d_r = d_n * h_n * r * (1 - r)
        back = body(grads, params, x, h, np.hstack([d_r, d_z, d_n]), np.hstack([d_r, d_z, d_n * r]))
        dh = dh * z + back
    return losses, grads


def r_twice_in_the_parameters(params, xs, targets, state):
    losses, tape = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    H = dh.shape[1]
    for x, h, r, z, n, h_n, hy, dl in reversed(tape):
        dh = dh + head(grads, params, hy, dl)
        d_n = dh * (1 - z) * (1 - n**2)
        d_z = dh * (h - n) * z * (1 - z)
        d_r = d_n * h_n * r * (1 - r)
        d_hn = d_n * r
        grads["W_xh"] += x.T @ np.hstack([d_r, d_z, d_n])
        grads["b_h"] += np.hstack([d_r, d_z, d_n]).sum(0)
        grads["W_hh"][:, : 2 * H] += h.T @ np.hstack([d_r, d_z])
        grads["W_hh"][:, 2 * H :] += h.T @ (d_hn * r)
        grads["b_hn"] += (d_hn * r).sum(0)
        dh = dh * z + np.hstack([d_r, d_z, d_hn]) @ params["W_hh"].T
    return losses, grads


def candidate_matrix_takes_r_times_h(params, xs, targets, state):
    losses, tape = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, n, h_n, hy, dl in reversed(tape):
        dh = dh + head(grads, params, hy, dl)
        d_n = dh * (1 - z) * (1 - n**2)
        d_z = dh * (h - n) * z * (1 - z)
        d_r = d_n * h_n * r * (1 - r)
        grads["W_xh"] += x.T @ np.hstack([d_r, d_z, d_n])
        grads["b_h"] += np.hstack([d_r, d_z, d_n]).sum(0)
        grads["W_hh"] += np.hstack([h.T @ d_r, h.T @ d_z, (r * h).T @ d_n])
        grads["b_hn"] += (r * d_n).sum(0)
        dh = dh * z + np.hstack([d_r, d_z, d_n * r]) @ params["W_hh"].T
    return losses, grads


def backward_in_the_papers_convention(params, xs, targets, state):
    losses, tape = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, n, h_n, hy, dl in reversed(tape):
        dh = dh + head(grads, params, hy, dl)
        # h_t = (1 - z) * h_{t-1} + z * n
        d_n = dh * z * (1 - n**2)
        d_z = dh * (n - h) * z * (1 - z)
        d_r = d_n * h_n * r * (1 - r)
        back = body(grads, params, x, h, np.hstack([d_r, d_z, d_n]), np.hstack([d_r, d_z, d_n * r]))
        dh = dh * (1 - z) + back
    return losses, grads


def straight_path_without_z(params, xs, targets, state):
    losses, tape = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for x, h, r, z, n, h_n, hy, dl in reversed(tape):
        dh = dh + head(grads, params, hy, dl)
        d_n = dh * (1 - z) * (1 - n**2)
        d_z = dh * (h - n) * z * (1 - z)
        d_r = d_n * h_n * r * (1 - r)
        back = body(grads, params, x, h, np.hstack([d_r, d_z, d_n]), np.hstack([d_r, d_z, d_n * r]))
        dh = dh + back
    return losses, grads


def class_zero_ignored_as_padding(params, xs, targets, state, pad=0):
    losses, tape = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    for t in reversed(range(len(tape))):
        x, h, r, z, n, h_n, hy, dl = tape[t]
        dl = dl * (targets[t] != pad)[:, None]
        dh = dh + head(grads, params, hy, dl)
        d_n = dh * (1 - z) * (1 - n**2)
        d_z = dh * (h - n) * z * (1 - z)
        d_r = d_n * h_n * r * (1 - r)
        back = body(grads, params, x, h, np.hstack([d_r, d_z, d_n]), np.hstack([d_r, d_z, d_n * r]))
        dh = dh * z + back
    return losses, grads


def bhn_for_all_three_gates(params, xs, targets, state):
    losses, tape = forward(params, xs, targets, state[0])
    grads, dh = zeros(params), np.zeros_like(state[0])
    grads["b_hn"] = np.zeros_like(params["b_h"])
    for x, h, r, z, n, h_n, hy, dl in reversed(tape):
        dh = dh + head(grads, params, hy, dl)
        d_n = dh * (1 - z) * (1 - n**2)
        d_z = dh * (h - n) * z * (1 - z)
        d_r = d_n * h_n * r * (1 - r)
        d_gi, d_gh = np.hstack([d_r, d_z, d_n]), np.hstack([d_r, d_z, d_n * r])
        grads["W_xh"] += x.T @ d_gi
        grads["b_h"] += d_gi.sum(0)
        grads["W_hh"] += h.T @ d_gh
        grads["b_hn"] += d_gh.sum(0)
        dh = dh * z + d_gh @ params["W_hh"].T
    return losses, grads
