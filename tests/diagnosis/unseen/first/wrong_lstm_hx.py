"""LSTM with one matrix for the rows [h, x], the bias added, gradients cut apart at the end."""

import numpy as np


def sigm(a):
    return 0.5 * (1 + np.tanh(a / 2))


def forward(params, xs, targets, state):
    W = np.vstack((params["W_hh"], params["W_xh"]))  # (H + D, 4H)
    h, c = state
    H = h.shape[1]
    tape, losses = [], np.zeros(targets.shape)
    for t in range(xs.shape[0]):
        hx = np.hstack((h, xs[t]))
        a = hx.dot(W) + params["b_h"]
        i, f, g, o = sigm(a[:, :H]), sigm(a[:, H : 2 * H]), np.tanh(a[:, 2 * H : 3 * H]), sigm(a[:, 3 * H :])
        c_old, c = c, f * c + i * g
        tc = np.tanh(c)
        h = o * tc
        y = h.dot(params["W_hy"]) + params["b_y"]
        e = np.exp(y)
        losses[t] = np.log(e.sum(1)) - y[np.arange(len(y)), targets[t]]
        dy = e / e.sum(1, keepdims=True)
        dy[np.arange(len(y)), targets[t]] -= 1.0
        tape.append((hx, i, f, g, o, c_old, tc, h, dy))
    return W, tape, losses


def carry_from_wrong_columns(params, xs, targets, state):
    W, tape, losses = forward(params, xs, targets, state)
    D, H = params["W_xh"].shape[0], params["W_hh"].shape[0]
    dW, db = np.zeros_like(W), np.zeros_like(params["b_h"])
    dWy, dby = np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])
    dh, dc = np.zeros_like(state[0]), np.zeros_like(state[1])
    while tape:
        hx, i, f, g, o, c_old, tc, h, dy = tape.pop()
        dWy += h.T.dot(dy)
        dby += dy.sum(0)
        dh = dh + dy.dot(params["W_hy"].T)
        dc = dc + dh * o * (1 - tc * tc)
        da = np.hstack((dc * g * i * (1 - i), dc * c_old * f * (1 - f), dc * i * (1 - g * g), dh * tc * o * (1 - o)))
        dW += hx.T.dot(da)
        db += da.sum(0)
        dhx = da.dot(W.T)
        dh = dhx[:, D:]
        dc = dc * f
    return losses, {"W_xh": dW[H:], "W_hh": dW[:H], "b_h": db, "W_hy": dWy, "b_y": dby}


def g_and_o_stacked_the_other_way(params, xs, targets, state):
    W, tape, losses = forward(params, xs, targets, state)
    H = params["W_hh"].shape[0]
    Wi, Wf, Wg, Wo = np.split(W[:H], 4, axis=1)
    dW, db = np.zeros_like(W), np.zeros_like(params["b_h"])
    dWy, dby = np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])
    dh, dc = np.zeros_like(state[0]), np.zeros_like(state[1])
    while tape:
        hx, i, f, g, o, c_old, tc, h, dy = tape.pop()
        dWy += h.T.dot(dy)
        dby += dy.sum(0)
        dh = dh + dy.dot(params["W_hy"].T)
        dc = dc + dh * o * (1 - tc * tc)
        di, df = dc * g * i * (1 - i), dc * c_old * f * (1 - f)
        do, dg = dh * tc * o * (1 - o), dc * i * (1 - g * g)
        da = np.hstack((di, df, do, dg))
        dW += hx.T.dot(da)
        db += da.sum(0)
        dh = di.dot(Wi.T) + df.dot(Wf.T) + dg.dot(Wg.T) + do.dot(Wo.T)
        dc = dc * f
    return losses, {"W_xh": dW[H:], "W_hh": dW[:H], "b_h": db, "W_hy": dWy, "b_y": dby}
