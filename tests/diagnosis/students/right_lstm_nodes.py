"""LSTM as a chain of node objects: each knows its own values, and passes its differences down to the one before."""

import numpy as np


class Weights:
    def __init__(self, params):
        self.wi, self.wf, self.wg, self.wo = np.split(np.vstack([params["W_xh"], params["W_hh"]]), 4, axis=1)
        self.bi, self.bf, self.bg, self.bo = np.split(params["b_h"], 4)
        for name in ("wi", "wf", "wg", "wo", "bi", "bf", "bg", "bo"):
            setattr(self, name + "_diff", np.zeros(getattr(self, name).shape))


class Node:
    def __init__(self, weights):
        self.w = weights

    def bottom_data_is(self, x, h_prev, s_prev):
        w = self.w
        self.s_prev = s_prev
        self.xc = np.hstack((x, h_prev))
        self.g = np.tanh(self.xc @ w.wg + w.bg)
        self.i = 1.0 / (1.0 + np.exp(-(self.xc @ w.wi + w.bi)))
        self.f = 1.0 / (1.0 + np.exp(-(self.xc @ w.wf + w.bf)))
        self.o = 1.0 / (1.0 + np.exp(-(self.xc @ w.wo + w.bo)))
        self.s = self.g * self.i + s_prev * self.f
        self.h = np.tanh(self.s) * self.o

    def top_diff_is(self, top_diff_h, top_diff_s):
        w = self.w
        squashed = np.tanh(self.s)
        ds = self.o * top_diff_h * (1 - squashed**2) + top_diff_s
        do_input = self.o * (1 - self.o) * squashed * top_diff_h
        di_input = self.i * (1 - self.i) * self.g * ds
        dg_input = (1 - self.g**2) * self.i * ds
        df_input = self.f * (1 - self.f) * self.s_prev * ds
        w.wi_diff += self.xc.T @ di_input
        w.wf_diff += self.xc.T @ df_input
        w.wo_diff += self.xc.T @ do_input
        w.wg_diff += self.xc.T @ dg_input
        w.bi_diff += di_input.sum(axis=0)
        w.bf_diff += df_input.sum(axis=0)
        w.bo_diff += do_input.sum(axis=0)
        w.bg_diff += dg_input.sum(axis=0)
        dxc = di_input @ w.wi.T + df_input @ w.wf.T + do_input @ w.wo.T + dg_input @ w.wg.T
        self.bottom_diff_s = ds * self.f
        self.bottom_diff_h = dxc[:, -self.h.shape[1] :]


def loss_and_grads(params, xs, targets, state):
    weights = Weights(params)
    nodes, h, s = [], *state
    for x in xs:
        node = Node(weights)
        node.bottom_data_is(x, h, s)
        nodes.append(node)
        h, s = node.h, node.s

    rows = np.arange(xs.shape[1])
    losses = []
    dWy, dby = np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])
    diff_h, diff_s = np.zeros_like(h), np.zeros_like(s)
    for node, y in zip(nodes[::-1], targets[::-1], strict=True):
        scores = node.h @ params["W_hy"] + params["b_y"]
        probs = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        losses.insert(0, -np.log(probs[rows, y]))
        probs[rows, y] -= 1
        dWy += node.h.T @ probs
        dby += probs.sum(axis=0)
        node.top_diff_is(probs @ params["W_hy"].T + diff_h, diff_s)
        diff_h, diff_s = node.bottom_diff_h, node.bottom_diff_s

    D = xs.shape[2]
    both = np.hstack([weights.wi_diff, weights.wf_diff, weights.wg_diff, weights.wo_diff])
    bias = np.concatenate([weights.bi_diff, weights.bf_diff, weights.bg_diff, weights.bo_diff])
    return np.array(losses), {"W_xh": both[:D], "W_hh": both[D:], "b_h": bias, "W_hy": dWy, "b_y": dby}
