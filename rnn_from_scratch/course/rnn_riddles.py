"""The programs of notebook 10 that it does not show: networks with mistakes, five to be told apart, six patients."""

from __future__ import annotations

import numpy as np

from ..activations import softmax
from ..arrays import Array, Params, State
from ..diagnosis.adapters import LossAndGrads
from ..diagnosis.museum import EXHIBITS

_WINDOW = EXHIBITS["window_of_k_plus_one"].wrong


def network(*mistakes: str) -> LossAndGrads:
    """Return `loss_and_grads` of a vanilla network, with these mistakes in its backward pass."""

    def loss_and_grads(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
        h = [state[0]]
        for x in xs:
            h.append(np.tanh(x @ params["W_xh"] + h[-1] @ params["W_hh"] + params["b_h"]))
        p = softmax(np.stack(h[1:]) @ params["W_hy"] + params["b_y"])
        losses = -np.log(np.take_along_axis(p, targets[..., None], axis=2)[..., 0])
        dy, future = p - np.eye(p.shape[2])[targets], np.zeros_like(state[0])
        grads = {name: np.zeros_like(array) for name, array in params.items()}
        W_back = params["W_hh"] if "matrix" in mistakes else params["W_hh"].T
        for t in reversed(range(len(xs))):
            dh = dy[t] @ params["W_hy"].T + (0.0 if "no carry" in mistakes else future)
            delta = dh * (1.0 - h[t + 1] if "slope" in mistakes else 1.0 - h[t + 1] ** 2)
            future = (dh if "dh carried" in mistakes else delta) @ W_back
            if "last visited" in mistakes:
                grads["W_xh"] = np.zeros_like(params["W_xh"])
            grads["W_xh"] += xs[t].T @ delta
            grads["W_hh"] += h[t + 1 if "h_t" in mistakes else t].T @ delta
            grads["b_h"] += delta[0] if "one sequence" in mistakes else delta.sum(axis=0)
            grads["W_hy"] += h[t + 1].T @ dy[t]
            grads["b_y"] += dy[t].sum(axis=0)
        return losses, grads

    return loss_and_grads


def five_programs() -> dict[str, LossAndGrads]:
    """Return five programs that train the laugh; the gradient of one of them is right."""
    return {
        "A": network("dh carried"), "B": network("h_t"), "C": _WINDOW, "D": network(), "E": network("no carry"),
    }


def patients() -> dict[str, LossAndGrads]:
    """Return the six patients of exercise 1."""
    return {
        "A": network("h_t"), "B": _WINDOW, "C": network("one sequence"), "D": network("slope"),
        "E": network("matrix"), "F": network("last visited"),
    }


def column_rnn(p: Params, xs: Array, y: Array, state: State) -> tuple[float, Params]:
    """One sequence in columns: xs (T, D, 1), y (T, 1), state (h0,) with h0 (H, 1). Its mean loss, and the gradients."""
    h, loss, d = {-1: state[0]}, 0.0, {name: np.zeros_like(array) for name, array in p.items()}
    probabilities, dh_next = {}, np.zeros_like(state[0])
    for t in range(len(xs)):
        h[t] = np.tanh(p["Wxh"] @ xs[t] + p["Whh"] @ h[t - 1] + p["bh"])
        e = np.exp(p["Why"] @ h[t] + p["by"])
        probabilities[t] = e / e.sum()
        loss -= np.log(probabilities[t][y[t]].item()) / len(xs)
    for t in reversed(range(len(xs))):
        dy = probabilities[t] / len(xs)
        dy[y[t]] -= 1 / len(xs)
        draw = (p["Why"].T @ dy + dh_next) * (1 - h[t] ** 2)
        d["Why"], d["by"] = d["Why"] + dy @ h[t].T, d["by"] + dy
        d["Wxh"], d["Whh"], d["bh"] = d["Wxh"] + draw @ xs[t].T, d["Whh"] + draw @ h[t - 1].T, d["bh"] + draw
        dh_next = p["Whh"].T @ draw
    return loss, d


def slopes(h: Array, h_prev: Array) -> dict[str, Array]:
    """Return what may stand for tanh′, by name; "1 - h²" is right."""
    return {
        "1 - h²": 1 - h**2, "1": np.ones_like(h), "1 - h": 1 - h, "h (1 - h)": h * (1 - h),
        "1 - a²": 1 - np.arctanh(h) ** 2, "1 - h_prev²": 1 - h_prev**2, "1 - tanh(h)²": 1 - np.tanh(h) ** 2,
    }
