"""GRU with the reset before, time by recursion: backprop(t) first runs the rest, then adds its own part."""

import numpy as np


def loss_and_grads(params, xs, targets, state):
    H = len(params["W_hh"])
    Ur, Uz, Un = params["W_hh"][:, :H], params["W_hh"][:, H : 2 * H], params["W_hh"][:, 2 * H :]
    grads = {k: 0.0 for k in params}
    losses = np.empty(targets.shape)
    batch = np.arange(targets.shape[1])

    def backprop(t, h):
        """Run step t and all later ones from state h; return dL/dh."""
        if t == len(xs):
            return np.zeros_like(h)
        a = xs[t] @ params["W_xh"] + params["b_h"]
        r = 1 / (1 + np.exp(-a[:, :H] - h @ Ur))
        z = 1 / (1 + np.exp(-a[:, H : 2 * H] - h @ Uz))
        n = np.tanh(a[:, 2 * H :] + (r * h) @ Un)
        new = h + (1 - z) * (n - h)
        logits = new @ params["W_hy"] + params["b_y"]
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        losses[t] = -np.log(p[batch, targets[t]])
        p[batch, targets[t]] -= 1

        dnew = p @ params["W_hy"].T + backprop(t + 1, new)

        dan = dnew * (1 - z) * (1 - n**2)
        drh = dan @ Un.T
        dar = drh * h * r * (1 - r)
        daz = -dnew * (n - h) * z * (1 - z)
        da = np.hstack([dar, daz, dan])
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += np.hstack([h.T @ dar, h.T @ daz, (r * h).T @ dan])
        grads["b_h"] += da.sum(axis=0)
        grads["W_hy"] += new.T @ p
        grads["b_y"] += p.sum(axis=0)
        return z * dnew + r * drh + dar @ Ur.T + daz @ Uz.T

    grads["h0"] = backprop(0, state[0])
    return losses, grads
