"""Plain RNN on one long vector theta, as an optimiser wants it; tanh' is 1/cosh^2 of the pre-activation."""

import numpy as np

ORDER = ("b_h", "W_hh", "W_xh", "b_y", "W_hy")


def pack(tree):
    return np.concatenate([np.ravel(tree[k]) for k in ORDER])


def unpack(theta, like):
    out, start = {}, 0
    for k in ORDER:
        size = like[k].size
        out[k] = theta[start : start + size].reshape(like[k].shape)  # a view into theta
        start += size
    return out


def objective(theta, like, X, Y, h0):
    w = unpack(theta, like)
    A, S = [], [h0]
    for x in X:
        A.append(x @ w["W_xh"] + S[-1] @ w["W_hh"] + w["b_h"])
        S.append(np.tanh(A[-1]))
    S = np.array(S)
    Z = S[1:] @ w["W_hy"] + w["b_y"]
    E = np.exp(Z)
    P = E / E.sum(axis=2, keepdims=True)
    picked = np.take_along_axis(P, Y[:, :, None], axis=2)
    value = -np.log(picked).sum()

    dtheta = np.zeros_like(theta)
    g = unpack(dtheta, like)  # writing into g writes into dtheta
    np.put_along_axis(P, Y[:, :, None], picked - 1.0, axis=2)
    g["b_y"][:] = P.sum(axis=(0, 1))
    g["W_hy"][:] = np.tensordot(S[1:], P, axes=([0, 1], [0, 1]))
    back = np.zeros_like(h0)
    for t in range(len(X) - 1, -1, -1):
        da = (P[t] @ w["W_hy"].T + back) / np.cosh(A[t]) ** 2
        g["b_h"][:] += da.sum(axis=0)
        g["W_hh"][:] += S[t].T @ da
        g["W_xh"][:] += X[t].T @ da
        back = da @ w["W_hh"].T
    return value, dtheta


def loss_and_grads(params, xs, targets, state):
    value, dtheta = objective(pack(params), params, xs, targets, state[0])
    return value, unpack(dtheta, params)
