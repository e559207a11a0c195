"""GRU with the reset after the product, rows, gates written out, dictionaries kept by step."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(params, xs, targets, h, bias_inside=True):
    Wr, Wz, Wn = np.split(params["W_xh"], 3, axis=1)
    Ur, Uz, Un = np.split(params["W_hh"], 3, axis=1)
    br, bz, bn = np.split(params["b_h"], 3)
    steps, losses = [], []
    for x, y in zip(xs, targets, strict=False):
        r, z = sigmoid(x @ Wr + h @ Ur + br), sigmoid(x @ Wz + h @ Uz + bz)
        if bias_inside:
            m = h @ Un + params["b_hn"]
            n = np.tanh(x @ Wn + bn + r * m)
        else:
            m = h @ Un
            n = np.tanh(x @ Wn + bn + r * m + params["b_hn"])
        new = (1 - z) * n + z * h
        s = new @ params["W_hy"] + params["b_y"]
        p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
        losses.append(-np.log(p[np.arange(len(y)), y]))
        d = p.copy()
        d[np.arange(len(y)), y] -= 1
        steps.append(dict(x=x, h=h, r=r, z=z, m=m, n=n, new=new, p=p, d=d))
        h = new
    return np.array(losses), steps, (Ur, Uz, Un)


def zeros_like(params):
    return {k: np.zeros_like(v) for k, v in params.items()}


def add(g, s, dr, dz, dn):
    g["W_xh"] += s["x"].T @ np.hstack([dr, dz, dn])
    g["W_hh"] += s["h"].T @ np.hstack([dr, dz, dn * s["r"]])
    g["b_h"] += np.hstack([dr, dz, dn]).sum(axis=0)
    g["b_hn"] += (dn * s["r"]).sum(axis=0)


def reset_delta_skips_the_tanh(params, xs, targets, state):
    losses, steps, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    g, dh_next = zeros_like(params), 0
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        g["W_hy"] += s["new"].T @ s["d"]
        g["b_y"] += s["d"].sum(axis=0)
        dh = s["d"] @ params["W_hy"].T + dh_next
        dnt = dh * (1 - z)  # dL/dn
        dz = dh * (h - n) * z * (1 - z)
        dn = dnt * (1 - n**2)
        dr = dnt * s["m"] * r * (1 - r)
        add(g, s, dr, dz, dn)
        dh_next = dh * z + dr @ Ur.T + dz @ Uz.T + (dn * r) @ Un.T
    return losses, g


def one_delta_for_x_and_h(params, xs, targets, state):
    losses, steps, _ = forward(params, xs, targets, state[0])
    g, dh_next = zeros_like(params), 0
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        g["W_hy"] += s["new"].T @ s["d"]
        g["b_y"] += s["d"].sum(axis=0)
        dh = s["d"] @ params["W_hy"].T + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        da = np.concatenate([dr, dz, dn * r], axis=1)
        g["W_xh"] += s["x"].T @ da
        g["W_hh"] += h.T @ da
        g["b_h"] += da.sum(axis=0)
        g["b_hn"] += (dn * r).sum(axis=0)
        dh_next = dh * z + da @ params["W_hh"].T
    return losses, g


def matrices_of_r_and_z_crossed(params, xs, targets, state):
    losses, steps, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    g, dh_next = zeros_like(params), 0
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        g["W_hy"] += s["new"].T @ s["d"]
        g["b_y"] += s["d"].sum(axis=0)
        dh = s["d"] @ params["W_hy"].T + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        add(g, s, dr, dz, dn)
        dh_next = dh * z + dz @ Ur.T + dr @ Uz.T + (dn * r) @ Un.T
    return losses, g


def two_biases_of_n_exchanged(params, xs, targets, state):
    losses, steps, (_Ur, _Uz, _Un) = forward(params, xs, targets, state[0])
    g, dh_next = zeros_like(params), 0
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        g["W_hy"] += s["new"].T @ s["d"]
        g["b_y"] += s["d"].sum(axis=0)
        dh = s["d"] @ params["W_hy"].T + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        gi, gh = np.hstack([dr, dz, dn]), np.hstack([dr, dz, dn * r])  # of W_ih and of W_hh, as in PyTorch
        g["W_xh"] += s["x"].T @ gi
        g["W_hh"] += h.T @ gh
        g["b_h"] += gh.sum(axis=0)
        g["b_hn"] += gi[:, -len(g["b_hn"]) :].sum(axis=0)
        dh_next = dh * z + gh @ params["W_hh"].T
    return losses, g


def bhn_outside_the_reset(params, xs, targets, state):
    losses, steps, (Ur, Uz, Un) = forward(params, xs, targets, state[0], bias_inside=False)
    g, dh_next = zeros_like(params), 0
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        g["W_hy"] += s["new"].T @ s["d"]
        g["b_y"] += s["d"].sum(axis=0)
        dh = s["d"] @ params["W_hy"].T + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        g["W_xh"] += s["x"].T @ np.hstack([dr, dz, dn])
        g["W_hh"] += h.T @ np.hstack([dr, dz, dn * r])
        g["b_h"] += np.hstack([dr, dz, dn]).sum(axis=0)
        g["b_hn"] += dn.sum(axis=0)
        dh_next = dh * z + dr @ Ur.T + dz @ Uz.T + (dn * r) @ Un.T
    return losses, g


def sums_stand_left_of_the_loop(params, xs, targets, state):
    losses, steps, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    g, dh_next = zeros_like(params), 0
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        g["W_hy"] += s["new"].T @ s["d"]
        g["b_y"] += s["d"].sum(axis=0)
        dh = s["d"] @ params["W_hy"].T + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        dh_next = dh * z + dr @ Ur.T + dz @ Uz.T + (dn * r) @ Un.T
    add(g, s, dr, dz, dn)
    return losses, g


def straight_path_without_carry(params, xs, targets, state):
    losses, steps, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    g, dh_next = zeros_like(params), 0
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        g["W_hy"] += s["new"].T @ s["d"]
        g["b_y"] += s["d"].sum(axis=0)
        dhy = s["d"] @ params["W_hy"].T
        dh = dhy + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        add(g, s, dr, dz, dn)
        dh_next = dhy * z + dr @ Ur.T + dz @ Uz.T + (dn * r) @ Un.T
    return losses, g


def biases_keep_a_row(params, xs, targets, state):
    losses, steps, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    dWx, dWh, dWy, db, dbn, dby, dh_next = 0, 0, 0, 0, 0, 0, 0
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        dWy = dWy + s["new"].T @ s["d"]
        dby = dby + np.sum(s["d"], axis=0, keepdims=True)
        dh = s["d"] @ params["W_hy"].T + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        dWx = dWx + s["x"].T @ np.hstack([dr, dz, dn])
        dWh = dWh + h.T @ np.hstack([dr, dz, dn * r])
        db = db + np.sum(np.hstack([dr, dz, dn]), axis=0, keepdims=True)
        dbn = dbn + np.sum(dn * r, axis=0, keepdims=True)
        dh_next = dh * z + dr @ Ur.T + dz @ Uz.T + (dn * r) @ Un.T
    return losses, {"W_xh": dWx, "W_hh": dWh, "b_h": db, "b_hn": dbn, "W_hy": dWy, "b_y": dby}


def last_state_written_into_h0(params, xs, targets, state):
    h0 = state[0]
    losses, steps, (Ur, Uz, Un) = forward(params, xs, targets, h0.copy())
    g, dh_next = zeros_like(params), np.zeros_like(h0)
    for s in reversed(steps):
        r, z, n, h = s["r"], s["z"], s["n"], s["h"]
        g["W_hy"] += s["new"].T @ s["d"]
        g["b_y"] += s["d"].sum(axis=0)
        dh = s["d"] @ params["W_hy"].T + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        add(g, s, dr, dz, dn)
        dh_next = dh * z + dr @ Ur.T + dz @ Uz.T + (dn * r) @ Un.T
    h0[:] = steps[-1]["new"]  # stateful: the next batch goes on from here
    return losses, g


def detached_in_the_middle_and_why_from_p(params, xs, targets, state):
    losses, steps, (Ur, Uz, Un) = forward(params, xs, targets, state[0])
    g, dh_next = zeros_like(params), np.zeros_like(state[0])
    for t in range(len(steps) - 1, -1, -1):
        s = steps[t]
        r, z, n, h, dy = s["r"], s["z"], s["n"], s["h"], s["p"]
        g["W_hy"] += s["new"].T @ dy
        dy[np.arange(len(dy)), targets[t]] -= 1
        g["b_y"] += dy.sum(axis=0)
        dh = dy @ params["W_hy"].T + dh_next
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * s["m"] * r * (1 - r)
        add(g, s, dr, dz, dn)
        dh_next = dh * z + dr @ Ur.T + dz @ Uz.T + (dn * r) @ Un.T
        if t == len(steps) // 2:
            dh_next = np.zeros_like(dh_next)  # detach
    return losses, g
