"""Recurrent networks as tutorials write them: a matrix for every gate, and every gradient added up step by step.

Nothing here is slow on purpose. It is the plain program that a reader of the equations writes first, in the batch's
usual layout, and it is what the layers are compared with to show what arranging the same arithmetic gains. Its
gradients are the package's own to the last digits (tests/benchmarks/test_speed.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_from_scratch.arrays import Array, Params

GATES = {"rnn": "h", "lstm": "ifgo", "gru": "rzn"}  # in the order of the package's blocks


class Steps(NamedTuple):
    """What the backward pass looks up, a dictionary for each step."""

    xs: Array
    steps: list[dict[str, Array]]


def split(kind: str, params: Params) -> Params:
    """Take the package's blocks apart: {"W_xi": (D, H), "W_hi": (H, H), "b_i": (H,), …}."""
    gates, H = GATES[kind], len(params["W_hh"])
    apart = {}
    for k, gate in enumerate(gates):
        block = slice(k * H, (k + 1) * H)
        apart[f"W_x{gate}"] = np.ascontiguousarray(params["W_xh"][:, block])
        apart[f"W_h{gate}"] = np.ascontiguousarray(params["W_hh"][:, block])
        apart[f"b_{gate}"] = params["b_h"][block].copy()
    if kind == "gru":
        apart["b_hn"] = params["b_hn"].copy()
    return apart


def join(kind: str, grads: Params) -> Params:
    """Put gradients by gate together again, as the package has them."""
    gates = GATES[kind]
    joined = {
        "W_xh": np.hstack([grads[f"W_x{gate}"] for gate in gates]),
        "W_hh": np.hstack([grads[f"W_h{gate}"] for gate in gates]),
        "b_h": np.hstack([grads[f"b_{gate}"] for gate in gates]),
    }
    return joined | {"b_hn": grads["b_hn"]} if kind == "gru" else joined


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def forward(kind: str, params: Params, xs: Array) -> tuple[Array, Steps]:
    """Return hs (T, N, H) from xs (T, N, D) and a state of zeros."""
    h = np.zeros((xs.shape[1], len(params["b_h" if kind == "rnn" else f"b_{GATES[kind][0]}"])), xs.dtype)
    c = np.zeros_like(h)
    hs, steps = [], []
    for x in xs:
        step: dict[str, Array] = {"h_prev": h}
        if kind == "lstm":
            step["c_prev"] = c
            step["i"] = sigmoid(x @ params["W_xi"] + h @ params["W_hi"] + params["b_i"])
            step["f"] = sigmoid(x @ params["W_xf"] + h @ params["W_hf"] + params["b_f"])
            step["g"] = np.tanh(x @ params["W_xg"] + h @ params["W_hg"] + params["b_g"])
            step["o"] = sigmoid(x @ params["W_xo"] + h @ params["W_ho"] + params["b_o"])
            step["c"] = c = step["f"] * c + step["i"] * step["g"]
            h = step["o"] * np.tanh(c)
        elif kind == "gru":
            step["r"] = sigmoid(x @ params["W_xr"] + h @ params["W_hr"] + params["b_r"])
            step["z"] = sigmoid(x @ params["W_xz"] + h @ params["W_hz"] + params["b_z"])
            step["gated"] = h @ params["W_hn"] + params["b_hn"]
            step["n"] = np.tanh(x @ params["W_xn"] + params["b_n"] + step["r"] * step["gated"])
            h = (1 - step["z"]) * step["n"] + step["z"] * h
        else:
            step["h"] = h = np.tanh(x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"])
        hs.append(h)
        steps.append(step)
    return np.stack(hs), Steps(xs, steps)


def backward(kind: str, params: Params, dhs: Array, saved: Steps) -> tuple[Array, Params]:
    """Return dxs (T, N, D) and the gradients by gate."""
    grads: Params = {name: np.zeros_like(array) for name, array in params.items()}
    dxs = np.zeros_like(saved.xs)
    dh_future = np.zeros_like(dhs[0])
    dc_future = np.zeros_like(dhs[0])
    for t in reversed(range(len(saved.steps))):
        step = saved.steps[t]
        dh = dhs[t] + dh_future
        deltas, dh_future, dc_future = _deltas(kind, dh, dc_future, step)
        for gate, delta in deltas.items():
            through_h = delta * step["r"] if gate == "n" else delta  # the reset gate stands behind the product
            grads[f"W_x{gate}"] += saved.xs[t].T @ delta
            grads[f"W_h{gate}"] += step["h_prev"].T @ through_h
            grads[f"b_{gate}"] += delta.sum(axis=0)
            dxs[t] += delta @ params[f"W_x{gate}"].T
            dh_future = dh_future + through_h @ params[f"W_h{gate}"].T
            if gate == "n":
                grads["b_hn"] += through_h.sum(axis=0)
    return dxs, grads


def _deltas(
    kind: str, dh: Array, dc_future: Array, step: dict[str, Array]
) -> tuple[dict[str, Array], Array, Array]:
    """Return ∂L/∂(pre-activation) by gate, and what reaches h_{t−1} and c_{t−1} past the gates."""
    nothing = np.zeros_like(dh)
    if kind == "lstm":
        i, f, g, o, tanh_c = step["i"], step["f"], step["g"], step["o"], np.tanh(step["c"])
        dc = dc_future + dh * o * (1 - tanh_c**2)
        deltas = {
            "i": dc * g * i * (1 - i), "f": dc * step["c_prev"] * f * (1 - f), "g": dc * i * (1 - g**2),
            "o": dh * tanh_c * o * (1 - o),
        }  # fmt: skip
        return deltas, nothing, dc * f
    if kind == "gru":
        r, z, n = step["r"], step["z"], step["n"]
        delta_n = dh * (1 - z) * (1 - n**2)
        delta_r = delta_n * step["gated"] * r * (1 - r)
        delta_z = dh * (step["h_prev"] - n) * z * (1 - z)
        return {"r": delta_r, "z": delta_z, "n": delta_n}, dh * z, nothing
    return {"h": dh * (1 - step["h"] ** 2)}, nothing, nothing
