"""LSTM in columns, examples side by side: concat = [a_prev; x_t], gates Gu, Gf, Go and the candidate cct."""

import numpy as np


def cell_forward(xt, a_prev, c_prev, p):
    concat = np.concatenate([a_prev, xt], axis=0)  # (n_a + n_x, m)
    ft = 1 / (1 + np.exp(-(p["Wf"] @ concat + p["bf"])))
    it = 1 / (1 + np.exp(-(p["Wi"] @ concat + p["bi"])))
    cct = np.tanh(p["Wc"] @ concat + p["bc"])
    ot = 1 / (1 + np.exp(-(p["Wo"] @ concat + p["bo"])))
    c_next = ft * c_prev + it * cct
    a_next = ot * np.tanh(c_next)
    return a_next, c_next, (concat, c_prev, c_next, ft, it, cct, ot)


def cell_backward(da_next, dc_next, cache, p):
    concat, c_prev, c_next, ft, it, cct, ot = cache
    n_a = c_prev.shape[0]
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    inner = dc_next + da_next * ot * (1 - np.square(np.tanh(c_next)))
    dcct = inner * it * (1 - np.square(cct))
    dit = inner * cct * it * (1 - it)
    dft = inner * c_prev * ft * (1 - ft)
    dconcat = p["Wf"].T @ dft + p["Wi"].T @ dit + p["Wc"].T @ dcct + p["Wo"].T @ dot
    grads = {}
    for name, d in (("f", dft), ("i", dit), ("c", dcct), ("o", dot)):
        grads["W" + name] = d @ concat.T
        grads["b" + name] = np.sum(d, axis=1, keepdims=True)
    return dconcat[:n_a], inner * ft, dconcat[n_a:], grads


def loss_and_grads(params, xs, targets, state):
    T, m, _ = xs.shape
    H = params["W_hh"].shape[0]
    p = {}
    for k, name in enumerate("ifco"):
        cols = slice(k * H, (k + 1) * H)
        p["W" + name] = np.concatenate([params["W_hh"][:, cols], params["W_xh"][:, cols]], axis=0).T
        p["b" + name] = params["b_h"][cols].reshape(H, 1)
    Wy, by = params["W_hy"].T, params["b_y"].reshape(-1, 1)

    a, c = state[0].T, state[1].T
    total, caches, outputs = 0.0, [], []
    for t in range(T):
        a, c, cache = cell_forward(xs[t].T, a, c, p)
        z = Wy @ a + by
        z = z - z.max(axis=0)
        y = np.exp(z) / np.exp(z).sum(axis=0)
        total -= np.log(y[targets[t], np.arange(m)]).sum()
        caches.append(cache)
        outputs.append((a, y))

    sums = {name: np.zeros_like(value) for name, value in p.items()}
    dWy, dby = np.zeros_like(Wy), np.zeros_like(by)
    da, dc = np.zeros((H, m)), np.zeros((H, m))
    dx = np.zeros_like(xs)
    for t in reversed(range(T)):
        a_t, y = outputs[t]
        y[targets[t], np.arange(m)] -= 1
        dWy += y @ a_t.T
        dby += y.sum(axis=1, keepdims=True)
        da, dc, dxt, grads = cell_backward(Wy.T @ y + da, dc, caches[t], p)
        dx[t] = dxt.T
        for name in sums:
            sums[name] += grads[name]
    return total, {
        "W_hh": np.concatenate([sums["W" + k][:, :H].T for k in "ifco"], axis=1),
        "W_xh": np.concatenate([sums["W" + k][:, H:].T for k in "ifco"], axis=1),
        "b_h": np.concatenate([sums["b" + k].ravel() for k in "ifco"]),
        "W_hy": dWy.T, "b_y": dby.ravel(), "xs": dx, "h0": da.T, "c0": dc.T,
    }
