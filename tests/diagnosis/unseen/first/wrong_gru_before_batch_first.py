"""GRU with the reset before the product, arrays (batch, time, units), a loop over time with += everywhere."""

import numpy as np


def forward(params, xs, targets, h0):
    x, y = xs.transpose(1, 0, 2), targets.T
    B, T, _ = x.shape
    H = h0.shape[1]
    h = np.zeros((B, T + 1, H))
    h[:, 0] = h0
    r, z, n = np.zeros((B, T, H)), np.zeros((B, T, H)), np.zeros((B, T, H))
    xw = x @ params["W_xh"] + params["b_h"]
    for t in range(T):
        rz = xw[:, t, : 2 * H] + h[:, t] @ params["W_hh"][:, : 2 * H]
        r[:, t], z[:, t] = np.split(1 / (1 + np.exp(-rz)), 2, axis=1)
        n[:, t] = np.tanh(xw[:, t, 2 * H :] + (r[:, t] * h[:, t]) @ params["W_hh"][:, 2 * H :])
        h[:, t + 1] = (1 - z[:, t]) * n[:, t] + z[:, t] * h[:, t]
    s = h[:, 1:] @ params["W_hy"] + params["b_y"]
    p = np.exp(s) / np.exp(s).sum(axis=2, keepdims=True)
    losses = -np.log(np.take_along_axis(p, y[:, :, None], axis=2))[:, :, 0]
    ds = p - np.eye(p.shape[2])[y]
    return x, h, r, z, n, ds, losses.T


def setup(params, h, ds):
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    grads["W_hy"] += np.einsum("bth,btk->hk", h[:, 1:], ds)
    grads["b_y"] += ds.sum(axis=(0, 1))
    return grads, np.split(params["W_hh"], 3, axis=1)


def dh_times_z_in_place(params, xs, targets, state):
    x, h, r, z, n, ds, losses = forward(params, xs, targets, state[0])
    grads, (Ur, Uz, Un) = setup(params, h, ds)
    dh_next = np.zeros_like(state[0])
    for t in reversed(range(x.shape[1])):
        dh = dh_next
        dh += ds[:, t] @ params["W_hy"].T
        dz = dh * (h[:, t] - n[:, t]) * z[:, t] * (1 - z[:, t])
        dh_next *= z[:, t]  # the straight path
        dn = dh * (1 - z[:, t]) * (1 - n[:, t] ** 2)
        drh = dn @ Un.T
        dr = drh * h[:, t] * r[:, t] * (1 - r[:, t])
        grads["W_xh"] += x[:, t].T @ np.hstack([dr, dz, dn])
        grads["W_hh"] += np.hstack([h[:, t].T @ dr, h[:, t].T @ dz, (r[:, t] * h[:, t]).T @ dn])
        grads["b_h"] += np.hstack([dr, dz, dn]).sum(axis=0)
        dh_next += drh * r[:, t] + dr @ Ur.T + dz @ Uz.T
    return losses, grads


def dropout_on_the_carry(params, xs, targets, state, keep=0.5):
    x, h, r, z, n, ds, losses = forward(params, xs, targets, state[0])
    grads, (Ur, Uz, Un) = setup(params, h, ds)
    carry = np.zeros_like(state[0])
    for t in reversed(range(x.shape[1])):
        dh = ds[:, t] @ params["W_hy"].T + carry
        dz = dh * (h[:, t] - n[:, t]) * z[:, t] * (1 - z[:, t])
        dn = dh * (1 - z[:, t]) * (1 - n[:, t] ** 2)
        drh = dn @ Un.T
        dr = drh * h[:, t] * r[:, t] * (1 - r[:, t])
        grads["W_xh"] += x[:, t].T @ np.hstack([dr, dz, dn])
        grads["W_hh"] += np.hstack([h[:, t].T @ dr, h[:, t].T @ dz, (r[:, t] * h[:, t]).T @ dn])
        grads["b_h"] += np.hstack([dr, dz, dn]).sum(axis=0)
        carry = dh * z[:, t] + drh * r[:, t] + dr @ Ur.T + dz @ Uz.T
        carry *= (np.random.default_rng().random(carry.shape) < keep) / keep
    return losses, grads


def three_matrices_stacked(params, xs, targets, state):
    x, h, r, z, n, ds, losses = forward(params, xs, targets, state[0])
    grads, (Ur, Uz, Un) = setup(params, h, ds)
    dUr, dUz, dUn = np.zeros_like(Ur), np.zeros_like(Uz), np.zeros_like(Un)
    carry = np.zeros_like(state[0])
    for t in reversed(range(x.shape[1])):
        dh = ds[:, t] @ params["W_hy"].T + carry
        dz = dh * (h[:, t] - n[:, t]) * z[:, t] * (1 - z[:, t])
        dn = dh * (1 - z[:, t]) * (1 - n[:, t] ** 2)
        drh = dn @ Un.T
        dr = drh * h[:, t] * r[:, t] * (1 - r[:, t])
        grads["W_xh"] += x[:, t].T @ np.hstack([dr, dz, dn])
        grads["b_h"] += np.hstack([dr, dz, dn]).sum(axis=0)
        dUr += h[:, t].T @ dr
        dUz += h[:, t].T @ dz
        dUn += (r[:, t] * h[:, t]).T @ dn
        carry = dh * z[:, t] + drh * r[:, t] + dr @ Ur.T + dz @ Uz.T
    grads["W_hh"] = np.array([dUr, dUz, dUn])
    return losses, grads


def z_matrix_skipped_and_output_mean(params, xs, targets, state):
    x, h, r, z, n, ds, losses = forward(params, xs, targets, state[0])
    grads, (Ur, _, Un) = setup(params, h, ds / len(x))
    carry = np.zeros_like(state[0])
    for t in reversed(range(x.shape[1])):
        dh = ds[:, t] @ params["W_hy"].T + carry
        dz = dh * (h[:, t] - n[:, t]) * z[:, t] * (1 - z[:, t])
        dn = dh * (1 - z[:, t]) * (1 - n[:, t] ** 2)
        drh = dn @ Un.T
        dr = drh * h[:, t] * r[:, t] * (1 - r[:, t])
        grads["W_xh"] += x[:, t].T @ np.hstack([dr, dz, dn])
        grads["W_hh"] += np.hstack([h[:, t].T @ dr, h[:, t].T @ dz, (r[:, t] * h[:, t]).T @ dn])
        grads["b_h"] += np.hstack([dr, dz, dn]).sum(axis=0)
        carry = dh * z[:, t] + drh * r[:, t] + dr @ Ur.T
    return losses, grads
