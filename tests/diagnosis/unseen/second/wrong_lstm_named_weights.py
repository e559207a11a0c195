"""LSTM in columns, a matrix by gate under its own name, dictionaries by time."""

import numpy as np

sig = lambda u: 1 / (1 + np.exp(-u))  # noqa: E731


def cut(params):
    Wi, Wf, Wg, Wo = np.split(params["W_xh"].T, 4)
    Ui, Uf, Ug, Uo = np.split(params["W_hh"].T, 4)
    bi, bf, bg, bo = np.split(params["b_h"].reshape(-1, 1), 4)
    return (Wi, Wf, Wg, Wo), (Ui, Uf, Ug, Uo), (bi, bf, bg, bo)


def forward(params, xs, targets, state):
    (Wi, Wf, Wg, Wo), (Ui, Uf, Ug, Uo), (bi, bf, bg, bo) = cut(params)
    x, i, f, g, o, dy = {}, {}, {}, {}, {}, {}
    h, c = {-1: state[0].T}, {-1: state[1].T}
    loss = 0
    for t in range(len(xs)):
        x[t] = xs[t].T
        i[t] = sig(Wi @ x[t] + Ui @ h[t - 1] + bi)
        f[t] = sig(Wf @ x[t] + Uf @ h[t - 1] + bf)
        g[t] = np.tanh(Wg @ x[t] + Ug @ h[t - 1] + bg)
        o[t] = sig(Wo @ x[t] + Uo @ h[t - 1] + bo)
        c[t] = f[t] * c[t - 1] + i[t] * g[t]
        h[t] = o[t] * np.tanh(c[t])
        y = np.exp(params["W_hy"].T @ h[t] + params["b_y"].reshape(-1, 1))
        y /= y.sum(axis=0)
        n = range(y.shape[1])
        loss += np.sum(-np.log(y[targets[t], n]))
        y[targets[t], n] -= 1
        dy[t] = y
    return loss, x, h, c, i, f, g, o, dy


def output_gate_not_in_dh_prev(params, xs, targets, state):
    loss, x, h, c, i, f, g, o, dy = forward(params, xs, targets, state)
    _, (Ui, Uf, Ug, _Uo), _ = cut(params)
    dW, dU, db, dV, dby, dhn, dcn = 0, 0, 0, 0, 0, 0, 0
    for t in reversed(range(len(xs))):
        dV, dby = dV + dy[t] @ h[t].T, dby + dy[t].sum(axis=1)
        dh = params["W_hy"] @ dy[t] + dhn
        do = dh * np.tanh(c[t]) * o[t] * (1 - o[t])
        dc = dcn + dh * o[t] * (1 - np.tanh(c[t]) ** 2)
        di = dc * g[t] * i[t] * (1 - i[t])
        df = dc * c[t - 1] * f[t] * (1 - f[t])
        dg = dc * i[t] * (1 - g[t] ** 2)
        d = np.vstack([di, df, dg, do])
        dW, dU, db = dW + d @ x[t].T, dU + d @ h[t - 1].T, db + d.sum(axis=1)
        dhn = Ui.T @ di + Uf.T @ df + Ug.T @ dg
        dcn = dc * f[t]
    return loss, {"W_xh": dW.T, "W_hh": dU.T, "b_h": db, "W_hy": dV.T, "b_y": dby}


def output_gate_takes_old_cell(params, xs, targets, state):
    loss, x, h, c, i, f, g, o, dy = forward(params, xs, targets, state)
    _, (Ui, Uf, Ug, Uo), _ = cut(params)
    dW, dU, db, dV, dby, dhn, dcn = 0, 0, 0, 0, 0, 0, 0
    for t in reversed(range(len(xs))):
        dV, dby = dV + dy[t] @ h[t].T, dby + dy[t].sum(axis=1)
        dh = params["W_hy"] @ dy[t] + dhn
        do = dh * np.tanh(c[t - 1]) * o[t] * (1 - o[t])
        dc = dcn + dh * o[t] * (1 - np.tanh(c[t]) ** 2)
        di = dc * g[t] * i[t] * (1 - i[t])
        df = dc * c[t - 1] * f[t] * (1 - f[t])
        dg = dc * i[t] * (1 - g[t] ** 2)
        d = np.vstack([di, df, dg, do])
        dW, dU, db = dW + d @ x[t].T, dU + d @ h[t - 1].T, db + d.sum(axis=1)
        dhn = Ui.T @ di + Uf.T @ df + Ug.T @ dg + Uo.T @ do
        dcn = dc * f[t]
    return loss, {"W_xh": dW.T, "W_hh": dU.T, "b_h": db, "W_hy": dV.T, "b_y": dby}


def no_whh_at_first_step(params, xs, targets, state):
    loss, x, h, c, i, f, g, o, dy = forward(params, xs, targets, state)
    _, (Ui, Uf, Ug, Uo), _ = cut(params)
    dW, db, dV, dby, dhn, dcn = 0, 0, 0, 0, 0, 0
    dU = np.zeros(params["W_hh"].T.shape)
    for t in reversed(range(len(xs))):
        dV, dby = dV + dy[t] @ h[t].T, dby + dy[t].sum(axis=1)
        dh = params["W_hy"] @ dy[t] + dhn
        do = dh * np.tanh(c[t]) * o[t] * (1 - o[t])
        dc = dcn + dh * o[t] * (1 - np.tanh(c[t]) ** 2)
        di = dc * g[t] * i[t] * (1 - i[t])
        df = dc * c[t - 1] * f[t] * (1 - f[t])
        dg = dc * i[t] * (1 - g[t] ** 2)
        d = np.vstack([di, df, dg, do])
        dW, db = dW + d @ x[t].T, db + d.sum(axis=1)
        if t > 0:  # no previous h at t = 0
            dU += d @ h[t - 1].T
        dhn = Ui.T @ di + Uf.T @ df + Ug.T @ dg + Uo.T @ do
        dcn = dc * f[t]
    return loss, {"W_xh": dW.T, "W_hh": dU.T, "b_h": db, "W_hy": dV.T, "b_y": dby}


def c0_before_the_forget_gate(params, xs, targets, state):
    loss, x, h, c, i, f, g, o, dy = forward(params, xs, targets, state)
    _, (Ui, Uf, Ug, Uo), _ = cut(params)
    dW, dU, db, dV, dby, dhn, dcn = 0, 0, 0, 0, 0, 0, 0
    for t in reversed(range(len(xs))):
        dV, dby = dV + dy[t] @ h[t].T, dby + dy[t].sum(axis=1)
        dh = params["W_hy"] @ dy[t] + dhn
        do = dh * np.tanh(c[t]) * o[t] * (1 - o[t])
        dc = dcn + dh * o[t] * (1 - np.tanh(c[t]) ** 2)
        di = dc * g[t] * i[t] * (1 - i[t])
        df = dc * c[t - 1] * f[t] * (1 - f[t])
        dg = dc * i[t] * (1 - g[t] ** 2)
        d = np.vstack([di, df, dg, do])
        dW, dU, db = dW + d @ x[t].T, dU + d @ h[t - 1].T, db + d.sum(axis=1)
        dhn = Ui.T @ di + Uf.T @ df + Ug.T @ dg + Uo.T @ do
        dcn = dc * f[t]
    return loss, {"W_xh": dW.T, "W_hh": dU.T, "b_h": db, "W_hy": dV.T, "b_y": dby, "h0": dhn.T, "c0": dc.T}


def cell_carry_missing_and_wxh_reshaped(params, xs, targets, state):
    loss, x, h, c, i, f, g, o, dy = forward(params, xs, targets, state)
    _, (Ui, Uf, Ug, Uo), _ = cut(params)
    dW, dU, db, dV, dby, dhn = 0, 0, 0, 0, 0, 0
    for t in reversed(range(len(xs))):
        dV, dby = dV + dy[t] @ h[t].T, dby + dy[t].sum(axis=1)
        dh = params["W_hy"] @ dy[t] + dhn
        do = dh * np.tanh(c[t]) * o[t] * (1 - o[t])
        dc = dh * o[t] * (1 - np.tanh(c[t]) ** 2)
        di = dc * g[t] * i[t] * (1 - i[t])
        df = dc * c[t - 1] * f[t] * (1 - f[t])
        dg = dc * i[t] * (1 - g[t] ** 2)
        d = np.vstack([di, df, dg, do])
        dW, dU, db = dW + d @ x[t].T, dU + d @ h[t - 1].T, db + d.sum(axis=1)
        dhn = Ui.T @ di + Uf.T @ df + Ug.T @ dg + Uo.T @ do
    dW = dW.reshape(params["W_xh"].shape)
    return loss, {"W_xh": dW, "W_hh": dU.T, "b_h": db, "W_hy": dV.T, "b_y": dby}
