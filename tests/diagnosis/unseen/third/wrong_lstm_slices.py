"""LSTM with all gates of a step in one array (N, 4H), read by slices; everything over time in arrays."""

import numpy as np


def forward(params, xs, targets, state):
    T, N = targets.shape
    H = state[0].shape[1]
    hs, cs = np.zeros((T + 1, N, H)), np.zeros((T + 1, N, H))
    hs[0], cs[0] = state
    gates = np.zeros((T, N, 4 * H))
    dys, losses = np.zeros((T, N, len(params["b_y"]))), np.zeros((T, N))
    n = np.arange(N)
    for t in range(T):
        a = xs[t] @ params["W_xh"] + hs[t] @ params["W_hh"] + params["b_h"]
        gates[t] = 1 / (1 + np.exp(-a))
        gates[t, :, 2 * H : 3 * H] = np.tanh(a[:, 2 * H : 3 * H])
        i, f, g, o = cut(gates[t])
        cs[t + 1] = f * cs[t] + i * g
        hs[t + 1] = o * np.tanh(cs[t + 1])
        y = hs[t + 1] @ params["W_hy"] + params["b_y"]
        y -= y.max(axis=1)[:, None]
        logp = y - np.log(np.exp(y).sum(axis=1))[:, None]
        losses[t] = -logp[n, targets[t]]
        dys[t] = np.exp(logp)
        dys[t, n, targets[t]] -= 1
    return hs, cs, gates, dys, losses


def cut(a):
    H = a.shape[1] // 4
    return a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :]


def products(xs, hs, das, dys):
    return {
        "W_xh": np.tensordot(xs, das, axes=([0, 1], [0, 1])),
        "W_hh": np.tensordot(hs[:-1], das, axes=([0, 1], [0, 1])),
        "b_h": das.sum(axis=(0, 1)),
        "W_hy": np.tensordot(hs[1:], dys, axes=([0, 1], [0, 1])),
        "b_y": dys.sum(axis=(0, 1)),
    }


def derivatives_for_the_order_i_f_o_g(params, xs, targets, state):
    hs, cs, gates, dys, losses = forward(params, xs, targets, state)
    das = np.zeros_like(gates)
    H = hs.shape[2]
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in range(len(xs))[::-1]:
        i, f, g, o = cut(gates[t])
        tc = np.tanh(cs[t + 1])
        dh = dys[t] @ params["W_hy"].T + dh_next
        dc = dh * o * (1 - tc**2) + dc_next
        d = np.concatenate([dc * g, dc * cs[t], dc * i, dh * tc], axis=1)
        s, u = gates[t, :, : 3 * H], gates[t, :, 3 * H :]
        das[t, :, : 3 * H] = d[:, : 3 * H] * s * (1 - s)  # the sigmoids
        das[t, :, 3 * H :] = d[:, 3 * H :] * (1 - u**2)  # the tanh
        dh_next, dc_next = das[t] @ params["W_hh"].T, dc * f
    return losses, products(xs, hs, das, dys)


def tanh_of_candidate_again(params, xs, targets, state):
    def dsigmoid(s):
        return s * (1 - s)

    def dtanh(x):
        return 1 - np.tanh(x) ** 2

    hs, cs, gates, dys, losses = forward(params, xs, targets, state)
    das = np.zeros_like(gates)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in range(len(xs))[::-1]:
        i, f, g, o = cut(gates[t])
        dh = dys[t] @ params["W_hy"].T + dh_next
        dc = dh * o * dtanh(cs[t + 1]) + dc_next
        di, df = dc * g * dsigmoid(i), dc * cs[t] * dsigmoid(f)
        dg, do = dc * i * dtanh(g), dh * np.tanh(cs[t + 1]) * dsigmoid(o)
        das[t] = np.concatenate([di, df, dg, do], axis=1)
        dh_next, dc_next = das[t] @ params["W_hh"].T, dc * f
    return losses, products(xs, hs, das, dys)


def one_plus_tanh_squared(params, xs, targets, state):
    hs, cs, gates, dys, losses = forward(params, xs, targets, state)
    das = np.zeros_like(gates)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in range(len(xs))[::-1]:
        i, f, g, o = cut(gates[t])
        tc = np.tanh(cs[t + 1])
        dh = dys[t] @ params["W_hy"].T + dh_next
        dc = dh * o * (1 + tc**2) + dc_next
        di, df = dc * g * i * (1 - i), dc * cs[t] * f * (1 - f)
        dg, do = dc * i * (1 - g**2), dh * tc * o * (1 - o)
        das[t] = np.concatenate([di, df, dg, do], axis=1)
        dh_next, dc_next = das[t] @ params["W_hh"].T, dc * f
    return losses, products(xs, hs, das, dys)


def gradients_of_h0_and_c0_swapped(params, xs, targets, state):
    hs, cs, gates, dys, losses = forward(params, xs, targets, state)
    das = np.zeros_like(gates)
    dc_next, dh_next = np.zeros_like(cs[0]), np.zeros_like(hs[0])
    for t in range(len(xs))[::-1]:
        i, f, g, o = cut(gates[t])
        tc = np.tanh(cs[t + 1])
        dh = dys[t] @ params["W_hy"].T + dh_next
        dc = dh * o * (1 - tc**2) + dc_next
        di, df = dc * g * i * (1 - i), dc * cs[t] * f * (1 - f)
        dg, do = dc * i * (1 - g**2), dh * tc * o * (1 - o)
        das[t] = np.concatenate([di, df, dg, do], axis=1)
        dc_next, dh_next = dc * f, das[t] @ params["W_hh"].T
    dstate = dc_next, dh_next
    grads = products(xs, hs, das, dys)
    grads["xs"] = das @ params["W_xh"].T
    grads["h0"], grads["c0"] = dstate
    return losses, grads


def only_h_detached_between_chunks(params, xs, targets, state, chunk=2):
    hs, cs, gates, dys, losses = forward(params, xs, targets, state)
    das = np.zeros_like(gates)
    dh_next, dc_next = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in range(len(xs))[::-1]:
        i, f, g, o = cut(gates[t])
        tc = np.tanh(cs[t + 1])
        dh = dys[t] @ params["W_hy"].T + dh_next
        dc = dh * o * (1 - tc**2) + dc_next
        di, df = dc * g * i * (1 - i), dc * cs[t] * f * (1 - f)
        dg, do = dc * i * (1 - g**2), dh * tc * o * (1 - o)
        das[t] = np.concatenate([di, df, dg, do], axis=1)
        dh_next, dc_next = das[t] @ params["W_hh"].T, dc * f
        if t % chunk == 0:
            dh_next = np.zeros_like(dh_next)  # h.detach() at the start of a chunk
    return losses, products(xs, hs, das, dys)
