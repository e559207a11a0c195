"""GRU as the libraries compute it: gi from the input, gh from the state with a bias of its own, reset after."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    w_ih, w_hh, b_ih = params["W_xh"], params["W_hh"], params["b_h"]
    hidden = w_hh.shape[0]
    b_hh = np.concatenate([np.zeros(2 * hidden), params["b_hn"]])
    hx = state[0]
    tape = []
    losses = np.zeros(targets.shape)
    for step, (x, y) in enumerate(zip(xs, targets, strict=True)):
        gi, gh = x @ w_ih + b_ih, hx @ w_hh + b_hh
        i_r, i_z, i_n = np.split(gi, 3, axis=1)
        h_r, h_z, h_n = np.split(gh, 3, axis=1)
        resetgate = 1 / (1 + np.exp(-(i_r + h_r)))
        updategate = 1 / (1 + np.exp(-(i_z + h_z)))
        newgate = np.tanh(i_n + resetgate * h_n)
        hy = newgate + updategate * (hx - newgate)
        logits = hy @ params["W_hy"] + params["b_y"]
        prob = np.exp(logits - logits.max(1, keepdims=True))
        prob /= prob.sum(1, keepdims=True)
        losses[step] = -np.log(prob[np.arange(len(y)), y])
        tape.append((x, y, hx, resetgate, updategate, newgate, h_n, hy, prob))
        hx = hy

    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dhy = np.zeros_like(hx)
    dxs = []
    for x, y, hx, resetgate, updategate, newgate, h_n, hy, prob in reversed(tape):
        prob[np.arange(len(y)), y] -= 1
        grads["W_hy"] += hy.T @ prob
        grads["b_y"] += prob.sum(0)
        dhy = dhy + prob @ params["W_hy"].T
        dnew = dhy * (1 - updategate) * (1 - newgate**2)
        dupdate = dhy * (hx - newgate) * updategate * (1 - updategate)
        dreset = dnew * h_n * resetgate * (1 - resetgate)
        dgi = np.hstack([dreset, dupdate, dnew])
        dgh = np.hstack([dreset, dupdate, dnew * resetgate])
        grads["W_xh"] += x.T @ dgi
        grads["W_hh"] += hx.T @ dgh
        grads["b_h"] += dgi.sum(0)
        grads["b_hn"] += dgh.sum(0)[2 * hidden :]
        dxs.insert(0, dgi @ w_ih.T)
        dhy = dhy * updategate + dgh @ w_hh.T
    return losses, {**grads, "xs": np.array(dxs), "h0": dhy}
