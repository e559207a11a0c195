"""GRU with the reset before the product, from small functions that return their value and their way back."""

import numpy as np


def linear(x, W):
    return x @ W, lambda d: (d @ W.T, x.T @ d)


def squash(a):
    s = 1 / (1 + np.exp(-a))
    return s, lambda d: d * s * (1 - s)


def tanh(a):
    y = np.tanh(a)
    return y, lambda d: d * (1 - y * y)


def cross_entropy(scores, y):
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))

    def back():
        d = np.exp(logp)
        d[rows, y] -= 1
        return d

    return -logp[rows, y], back


def cell(params, candidate, x, h):
    """candidate(r, h, Un) is r and h through the candidate's matrix, with its way back."""
    Ur, Uz, Un = np.split(params["W_hh"], 3, axis=1)
    a, x_back = linear(x, params["W_xh"])
    a_r, a_z, a_n = np.split(a + params["b_h"], 3, axis=1)
    hr, hr_back = linear(h, Ur)
    hz, hz_back = linear(h, Uz)
    r, r_back = squash(a_r + hr)
    z, z_back = squash(a_z + hz)
    hn, hn_back = candidate(r, h, Un)
    n, n_back = tanh(a_n + hn)

    def back(dh):
        dn, dz = n_back(dh * (1 - z)), z_back(dh * (h - n))
        d_reset, dh_n, dUn = hn_back(dn)
        dr = r_back(d_reset)
        dh_r, dUr = hr_back(dr)
        dh_z, dUz = hz_back(dz)
        da = np.hstack([dr, dz, dn])
        _, dW = x_back(da)
        return dh * z + dh_n + dh_r + dh_z, {"W_xh": dW, "W_hh": np.hstack([dUr, dUz, dUn]), "b_h": da.sum(0)}

    return z * h + (1 - z) * n, back


def run(params, xs, targets, state, candidate):
    h, backs, losses = state[0], [], []
    for x, y in zip(xs, targets, strict=False):
        h, cell_back = cell(params, candidate, x, h)
        s, s_back = linear(h, params["W_hy"])
        loss, loss_back = cross_entropy(s + params["b_y"], y)
        losses.append(loss)
        backs.append((cell_back, s_back, loss_back))
    total = {k: np.zeros_like(v) for k, v in params.items()}
    carry = np.zeros_like(h)
    for cell_back, s_back, loss_back in reversed(backs):
        ds = loss_back()
        dh, dV = s_back(ds)
        carry, grads = cell_back(dh + carry)
        for k, v in {**grads, "W_hy": dV, "b_y": ds.sum(0)}.items():
            total[k] += v
    return np.stack(losses), total


def candidate_matrix_of_the_other_gru(params, xs, targets, state):
    def candidate(r, h, Un):
        def back(d):
            through = d @ Un.T
            return through * h, through * r, h.T @ (d * r)

        return (r * h) @ Un, back

    return run(params, xs, targets, state, candidate)


def way_back_of_the_other_gru(params, xs, targets, state):
    def candidate(r, h, Un):
        def back(d):
            return (d @ Un.T) * h, (d * r) @ Un.T, (r * h).T @ d

        return (r * h) @ Un, back

    return run(params, xs, targets, state, candidate)
