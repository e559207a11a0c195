"""GRU, one sequence at a time in column vectors, as on my sheet of paper; the reset gate comes after the product."""

import numpy as np


def s(v):
    return 1 / (1 + np.exp(-v))


def one_sequence(P, xs, targets, h0):
    W_r, W_z, W_n, U_r, U_z, U_n, b_r, b_z, b_n, c_n, V, d = P
    h, r, z, n, u, p, losses = {-1: h0}, {}, {}, {}, {}, {}, []
    for t, x in enumerate(xs):
        r[t] = s(W_r @ x + U_r @ h[t - 1] + b_r)
        z[t] = s(W_z @ x + U_z @ h[t - 1] + b_z)
        u[t] = U_n @ h[t - 1] + c_n
        n[t] = np.tanh(W_n @ x + b_n + r[t] * u[t])
        h[t] = (1 - z[t]) * n[t] + z[t] * h[t - 1]
        q = V @ h[t] + d
        p[t] = np.exp(q - q.max()) / np.exp(q - q.max()).sum()
        losses.append(-np.log(p[t][targets[t], 0]))

    G = [np.zeros_like(w) for w in P]
    dh = np.zeros_like(h0)
    for t in range(len(xs) - 1, -1, -1):
        dq = p[t] * 1.0
        dq[targets[t], 0] -= 1.0
        dh = dh + V.T @ dq
        dn = (1 - n[t] ** 2) * (1 - z[t]) * dh
        dz = z[t] * (1 - z[t]) * (h[t - 1] - n[t]) * dh
        dr = r[t] * (1 - r[t]) * u[t] * dn
        du = r[t] * dn
        for k, delta in enumerate((dr, dz, dn)):
            G[k] += delta @ xs[t].T
            G[6 + k] += delta
        for k, delta in enumerate((dr, dz, du)):
            G[3 + k] += delta @ h[t - 1].T
        G[9] += du
        G[10] += dq @ h[t].T
        G[11] += dq
        dh = z[t] * dh + U_r.T @ dr + U_z.T @ dz + U_n.T @ du
    return losses, G


def loss_and_grads(params, xs, targets, state):
    P = [w.T for w in np.split(params["W_xh"], 3, axis=1)] + [w.T for w in np.split(params["W_hh"], 3, axis=1)]
    P += [b[:, None] for b in np.split(params["b_h"], 3)] + [params["b_hn"][:, None]]
    P += [params["W_hy"].T, params["b_y"][:, None]]
    losses, total = [], None
    for k in range(xs.shape[1]):
        loss, G = one_sequence(P, [x[k][:, None] for x in xs], targets[:, k], state[0][k][:, None])
        losses.append(loss)
        total = G if total is None else [a + b for a, b in zip(total, G, strict=True)]
    return np.array(losses).T, {
        "W_xh": np.vstack(total[0:3]).T, "W_hh": np.vstack(total[3:6]).T, "b_h": np.vstack(total[6:9])[:, 0],
        "b_hn": total[9][:, 0], "W_hy": total[10].T, "b_y": total[11][:, 0],
    }
