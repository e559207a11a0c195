"""LSTM with dictionaries by gate and lists by time: W["f"], U["f"], b["f"], one loop over the gates' names."""

import numpy as np

NAMES = "ifgo"


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def unpack(params):
    parts = []
    for name, axis in (("W_xh", 1), ("W_hh", 1), ("b_h", 0)):
        parts.append(dict(zip(NAMES, np.split(params[name], 4, axis=axis), strict=False)))
    return parts


def forward(params, xs, targets, state):
    W, U, b = unpack(params)
    h, c = state
    steps, losses = [], []
    for x, y in zip(xs, targets, strict=False):
        a = {k: x @ W[k] + h @ U[k] + b[k] for k in NAMES}
        gate = {k: np.tanh(a[k]) if k == "g" else sigmoid(a[k]) for k in NAMES}
        c_new = gate["f"] * c + gate["i"] * gate["g"]
        h_new = gate["o"] * np.tanh(c_new)
        s = h_new @ params["W_hy"] + params["b_y"]
        p = np.exp(s - s.max(axis=1, keepdims=True))
        p = p / p.sum(axis=1, keepdims=True)
        losses.append(-np.log(p[np.arange(len(y)), y]))
        steps.append({"x": x, "h": h, "c": c, "h_new": h_new, "c_new": c_new, "p": p, "y": y, **gate})
        h, c = h_new, c_new
    return np.array(losses), steps


def dscores(step):
    d = step["p"].copy()
    d[np.arange(len(d)), step["y"]] -= 1
    return d


def gate_deltas(s, dh, dc):
    return {
        "i": dc * s["g"] * s["i"] * (1 - s["i"]),
        "f": dc * s["c"] * s["f"] * (1 - s["f"]),
        "g": dc * s["i"] * (1 - s["g"] ** 2),
        "o": dh * np.tanh(s["c_new"]) * s["o"] * (1 - s["o"]),
    }


def empty(params):
    dW, dU, db = unpack({k: np.zeros_like(v) for k, v in params.items()})
    return dW, dU, db, np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])


def pack(dW, dU, db, dV, dc):
    join = [np.concatenate([d[k] for k in NAMES], axis=-1) for d in (dW, dU, db)]
    return {"W_xh": join[0], "W_hh": join[1], "b_h": join[2], "W_hy": dV, "b_y": dc}


def forget_matrix_assigned(params, xs, targets, state):
    losses, steps = forward(params, xs, targets, state)
    _, U, _ = unpack(params)
    dW, dU, db, dV, dbv = empty(params)
    dh_next = dc_next = 0
    for s in steps[::-1]:
        dy = dscores(s)
        dV, dbv = dV + s["h_new"].T @ dy, dbv + dy.sum(0)
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * s["o"] * (1 - np.tanh(s["c_new"]) ** 2)
        d = gate_deltas(s, dh, dc)
        dU["i"] += s["h"].T @ d["i"]
        dU["f"] = s["h"].T @ d["f"]
        dU["g"] += s["h"].T @ d["g"]
        dU["o"] += s["h"].T @ d["o"]
        for k in NAMES:
            dW[k] += s["x"].T @ d[k]
            db[k] += d[k].sum(0)
        dh_next = sum(d[k] @ U[k].T for k in NAMES)
        dc_next = dc * s["f"]
    return losses, pack(dW, dU, db, dV, dbv)


def carry_overwritten_by_each_gate(params, xs, targets, state):
    losses, steps = forward(params, xs, targets, state)
    _, U, _ = unpack(params)
    dW, dU, db, dV, dbv = empty(params)
    dh_next = dc_next = 0
    for s in steps[::-1]:
        dy = dscores(s)
        dV, dbv = dV + s["h_new"].T @ dy, dbv + dy.sum(0)
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * s["o"] * (1 - np.tanh(s["c_new"]) ** 2)
        d = gate_deltas(s, dh, dc)
        for k in NAMES:
            dW[k] += s["x"].T @ d[k]
            dU[k] += s["h"].T @ d[k]
            db[k] += d[k].sum(0)
            dh_next = d[k] @ U[k].T
        dc_next = dc * s["f"]
    return losses, pack(dW, dU, db, dV, dbv)


def i_times_one_minus_g(params, xs, targets, state):
    losses, steps = forward(params, xs, targets, state)
    _, U, _ = unpack(params)
    dW, dU, db, dV, dbv = empty(params)
    dh_next = dc_next = 0
    for s in steps[::-1]:
        dy = dscores(s)
        dV, dbv = dV + s["h_new"].T @ dy, dbv + dy.sum(0)
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * s["o"] * (1 - np.tanh(s["c_new"]) ** 2)
        i, f, g, o = (s[k] for k in NAMES)
        d = {
            "i": dc * g * i * (1 - g),
            "f": dc * s["c"] * f * (1 - f),
            "g": dc * i * (1 - g * g),
            "o": dh * np.tanh(s["c_new"]) * o * (1 - o),
        }
        for k in NAMES:
            dW[k] += s["x"].T @ d[k]
            dU[k] += s["h"].T @ d[k]
            db[k] += d[k].sum(0)
        dh_next = sum(d[k] @ U[k].T for k in NAMES)
        dc_next = dc * f
    return losses, pack(dW, dU, db, dV, dbv)


def c0_taken_as_zero(params, xs, targets, state):
    losses, steps = forward(params, xs, targets, state)
    _, U, _ = unpack(params)
    dW, dU, db, dV, dbv = empty(params)
    dh_next = dc_next = 0
    cs = [s["c_new"] for s in steps]
    for t in range(len(steps) - 1, -1, -1):
        s = steps[t]
        dy = dscores(s)
        dV, dbv = dV + s["h_new"].T @ dy, dbv + dy.sum(0)
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * s["o"] * (1 - np.tanh(cs[t]) ** 2)
        c_prev = cs[t - 1] if t > 0 else np.zeros_like(cs[t])
        d = gate_deltas({**s, "c": c_prev}, dh, dc)
        for k in NAMES:
            dW[k] += s["x"].T @ d[k]
            dU[k] += s["h"].T @ d[k]
            db[k] += d[k].sum(0)
        dh_next = sum(d[k] @ U[k].T for k in NAMES)
        dc_next = dc * s["f"]
    return losses, pack(dW, dU, db, dV, dbv)


def candidate_matrix_not_turned_and_by_last_step(params, xs, targets, state):
    losses, steps = forward(params, xs, targets, state)
    _, U, _ = unpack(params)
    dW, dU, db, dV, _ = empty(params)
    dh_next = dc_next = 0
    for s in steps[::-1]:
        dy = dscores(s)
        dV = dV + s["h_new"].T @ dy
        dh = dy @ params["W_hy"].T + dh_next
        dc = dc_next + dh * s["o"] * (1 - np.tanh(s["c_new"]) ** 2)
        d = gate_deltas(s, dh, dc)
        for k in NAMES:
            dW[k] += s["x"].T @ d[k]
            dU[k] += s["h"].T @ d[k]
            db[k] += d[k].sum(0)
        dh_next = d["i"] @ U["i"].T + d["f"] @ U["f"].T + d["g"] @ U["g"] + d["o"] @ U["o"].T
        dc_next = dc * s["f"]
    return losses, pack(dW, dU, db, dV, dscores(steps[-1]).sum(0))
