"""GRU with the reset after the product, in columns, dictionaries by time, a matrix for every gate."""

import numpy as np


def forward(params, xs, targets, h0, order="rzn"):
    W = dict(zip(order, np.split(params["W_xh"].T, 3), strict=False))
    U = dict(zip(order, np.split(params["W_hh"].T, 3), strict=False))
    b = dict(zip(order, np.split(params["b_h"][:, None], 3), strict=False))
    v = {"x": {}, "h": {-1: h0.T}, "r": {}, "z": {}, "n": {}, "u": {}, "dy": {}}
    loss = 0.0
    for t in range(len(xs)):
        x, h = xs[t].T, v["h"][t - 1]
        v["x"][t] = x
        v["r"][t] = 1 / (1 + np.exp(-W["r"] @ x - U["r"] @ h - b["r"]))
        v["z"][t] = 1 / (1 + np.exp(-W["z"] @ x - U["z"] @ h - b["z"]))
        v["u"][t] = U["n"] @ h + params["b_hn"][:, None]
        v["n"][t] = np.tanh(W["n"] @ x + b["n"] + v["r"][t] * v["u"][t])
        v["h"][t] = v["z"][t] * h + (1 - v["z"][t]) * v["n"][t]
        e = np.exp(params["W_hy"].T @ v["h"][t] + params["b_y"][:, None])
        p = e / e.sum(axis=0)
        columns = np.arange(p.shape[1])
        loss -= np.log(p[targets[t], columns]).sum()
        p[targets[t], columns] -= 1
        v["dy"][t] = p
    return loss, v, U


def start(params, order="rzn"):
    g = {k: {gate: 0 for gate in order} for k in ("W", "U", "b")}
    return {**g, "V": 0, "c": 0, "hn": 0}


def finish(g, order="rzn"):
    return {
        "W_xh": np.vstack([g["W"][k] for k in order]).T, "W_hh": np.vstack([g["U"][k] for k in order]).T,
        "b_h": np.concatenate([g["b"][k] for k in order]), "b_hn": g["hn"], "W_hy": g["V"].T, "b_y": g["c"],
    }


def through_gates(v, t, dh):
    n, z, r = v["n"][t], v["z"][t], v["r"][t]
    d = {"n": dh * (1 - z) * (1 - n * n), "z": dh * (v["h"][t - 1] - n) * z * (1 - z)}
    d["r"] = d["n"] * v["u"][t] * r * (1 - r)
    return d, {"r": d["r"], "z": d["z"], "n": d["n"] * r}


def z_of_earlier_step_on_the_way_back(params, xs, targets, state):
    loss, v, U = forward(params, xs, targets, state[0])
    g = start(params)
    dh, through = 0, 0  # of step t + 1: all of dh, and what came through its gates
    for t in reversed(range(len(xs))):
        dy = v["dy"][t]
        g["V"], g["c"] = g["V"] + dy @ v["h"][t].T, g["c"] + dy.sum(axis=1)
        dh = params["W_hy"] @ dy + through + v["z"][t] * dh
        d, d_rec = through_gates(v, t, dh)
        for k in "rzn":
            g["W"][k] = g["W"][k] + d[k] @ v["x"][t].T
            g["U"][k] = g["U"][k] + d_rec[k] @ v["h"][t - 1].T
            g["b"][k] = g["b"][k] + d[k].sum(axis=1)
        g["hn"] = g["hn"] + d_rec["n"].sum(axis=1)
        through = sum(U[k].T @ d_rec[k] for k in "rzn")
    return loss, finish(g)


def blocks_read_z_r_n(params, xs, targets, state):
    loss, v, U = forward(params, xs, targets, state[0], order="zrn")
    g = start(params)
    dh = np.zeros_like(state[0].T)
    for t in reversed(range(len(xs))):
        dy = v["dy"][t]
        g["V"], g["c"] = g["V"] + dy @ v["h"][t].T, g["c"] + dy.sum(axis=1)
        dh = dh + params["W_hy"] @ dy
        d, d_rec = through_gates(v, t, dh)
        for k in "zrn":
            g["W"][k] = g["W"][k] + d[k] @ v["x"][t].T
            g["U"][k] = g["U"][k] + d_rec[k] @ v["h"][t - 1].T
            g["b"][k] = g["b"][k] + d[k].sum(axis=1)
        g["hn"] = g["hn"] + d_rec["n"].sum(axis=1)
        dh = v["z"][t] * dh + sum(U[k].T @ d_rec[k] for k in "zrn")
    return loss, finish(g, order="zrn")


def outer_product_left_of_the_loop(params, xs, targets, state):
    loss, v, U = forward(params, xs, targets, state[0])
    g = start(params)
    dh = np.zeros_like(state[0].T)
    for t in reversed(range(len(xs))):
        dy = v["dy"][t]
        g["V"], g["c"] = g["V"] + dy @ v["h"][t].T, g["c"] + dy.sum(axis=1)
        dh = dh + params["W_hy"] @ dy
        d, d_rec = through_gates(v, t, dh)
        for k in "rzn":
            for m in range(xs.shape[1]):
                share = np.outer(d[k][:, m], xs[t, m])
                g["U"][k] = g["U"][k] + np.outer(d_rec[k][:, m], v["h"][t - 1][:, m])
                g["b"][k] = g["b"][k] + d[k][:, m]
            g["W"][k] = g["W"][k] + share
        g["hn"] = g["hn"] + d_rec["n"].sum(axis=1)
        dh = v["z"][t] * dh + sum(U[k].T @ d_rec[k] for k in "rzn")
    return loss, finish(g)
