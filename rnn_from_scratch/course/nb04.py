"""Exercises of notebook 04: backpropagation through time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..bptt import unroll, unroll_backward
from ..cells import RNNCell
from ..cells.rnn import RNNCache
from ..data import lamp, laugh
from ..layers import Recurrent
from ..losses import softmax_cross_entropy
from ..models import SequenceModel
from .comparing import unchanged
from .marking import Exercise

# 2: the lamp with its last target met


def _lamp_deltas() -> Array:
    """δ_2 and δ_1 of the lamp whose last target is 0, from the package's loop."""
    example = lamp()
    targets = example.targets.copy()
    targets[2] = 0.0
    model = SequenceModel(Recurrent(RNNCell(1, 1), engine="stepwise"), 1, "regression")
    ys, _, cache = model.forward(example.params, example.xs, example.state)
    _, dys = model.loss(ys, targets)
    dhs, _ = model.output.backward(example.params["output"], dys, cache.output)
    caches = cache.recurrent.caches
    _, deltas = unroll_backward(RNNCell(1, 1), example.params["recurrent"], dhs, caches)
    return np.array([deltas[1].item(), deltas[0].item()])


def _lamp_by_hand(
    slope: float = 0.64, *, carry: str = "delta", last: float = 0.0, factor: float = 1.0
) -> Callable[[], Array]:
    """The same two numbers with a typical mistake."""
    W_hh = lamp().params["recurrent"]["W_hh"].item()

    def values() -> Array:
        here = {2: factor * 5 / 24, 1: factor * 5 / 12}
        future = W_hh * (last if carry == "dh" else slope * last)
        dh_2 = here[2] + future
        delta_2 = dh_2 * slope
        carried = {"delta": delta_2 * W_hh, "dh": dh_2 * W_hh, "none": 0.0, "minus": -delta_2 * W_hh}[carry]
        return np.array([delta_2, (here[1] + carried) * slope])

    return values


# 3: the laugh's beginning


def _start(kind: str) -> Callable[[], Array]:
    def value() -> Array:
        word = laugh()
        W_hh, W_hy = word.params["recurrent"]["W_hh"], word.params["output"]["W_hy"]
        hs, _, caches = unroll(RNNCell(3, 2), word.params["recurrent"], word.xs, word.state)
        _, dys = softmax_cross_entropy(hs @ W_hy + word.params["output"]["b_y"], word.targets)
        dhs = dys @ W_hy.T
        dstates, deltas = unroll_backward(RNNCell(3, 2), word.params["recurrent"], dhs, caches)
        delta = deltas[0][0]
        return np.asarray({
            "right": dstates[0][0][0], "plain": delta @ W_hh, "delta": delta, "sum": delta + dstates[0][0][0],
            "dh": (dhs[0] + deltas[1] @ W_hh.T)[0] @ W_hh.T, "slope": dstates[0][0][0] * (1 - word.state[0][0] ** 2),
            "input": (delta @ word.params["recurrent"]["W_xh"].T)[:2],
        }[kind])

    return value


# 4: the backward loop


def _loop_point() -> tuple[Array, Array, Array, Array]:
    """W_hh, dhs, hs and the state before them, at a proper probe point."""
    rng = np.random.default_rng(4)
    T, N, H = 5, 3, 4
    return (
        rng.standard_normal((H, H)) / 2, rng.standard_normal((T, N, H)), np.tanh(rng.standard_normal((T, N, H))),
        np.tanh(rng.standard_normal((N, H))),
    )


def _run_loop(loop: Callable[[Array, Array, Array], Any]) -> Any:
    W_hh, dhs, hs, _ = _loop_point()
    given = (W_hh.copy(), dhs.copy(), hs.copy())
    deltas = loop(*given)
    unchanged(W_hh=(given[0], W_hh), dhs=(given[1], dhs), hs=(given[2], hs))
    return deltas


def _package_loop() -> Array:
    W_hh, dhs, hs, h_0 = _loop_point()
    caches = [RNNCache(h_prev, h) for h_prev, h in zip([h_0, *hs[:-1]], hs, strict=True)]
    _, deltas = unroll_backward(RNNCell(2, 4), {"W_hh": W_hh}, dhs, caches)
    return np.stack(deltas)


def _wrong_loop(mistake: str) -> Callable[[], Array]:
    def deltas() -> Array:
        W_hh, dhs, hs, _ = _loop_point()
        T, found, future = len(dhs), np.zeros_like(dhs), np.zeros_like(dhs[0])
        for t in range(T) if mistake == "forwards" else reversed(range(T)):
            slope = {"1 - h": 1 - hs[t], "none": np.ones_like(hs[t])}.get(mistake, 1 - hs[t] ** 2)
            if mistake == "previous":
                slope = 1 - hs[max(t - 1, 0)] ** 2
            dh = dhs[t] + future
            found[t] = dh if mistake == "dh" else dh * slope
            if mistake == "no carry":
                continue
            carried = dh if mistake == "dh carried" else dh * slope
            future = carried @ (W_hh if mistake == "matrix" else W_hh.T)
            if mistake == "sign":
                future = -future
        return found[::-1] if mistake == "order" else found

    return deltas


# 5: forward mode

_HS = np.array([0.3, -0.7, 0.5, 0.2, -0.4])
_HERE = np.array([0.8, -0.5, 0.4, 0.9])


def _forward(mistake: str = "") -> Array:
    W_hh, p, contributions = 1.3, 0.0, []
    for t in range(1, len(_HS)):
        slope = 1.0 if mistake == "slope" else 1 - _HS[t] ** 2
        use = _HS[t] if mistake == "use" else _HS[t - 1]
        through = {"direct": 0.0, "weight": p}.get(mistake, W_hh * p)
        p = slope * use + through if mistake == "outside" else slope * (use + through)
        contributions.append(_HERE[t - 1] * p)
    return np.array(contributions)


def _by_columns() -> Array:
    delta, found = 0.0, []
    for t in range(len(_HERE), 0, -1):
        delta = (_HERE[t - 1] + delta * 1.3) * (1 - _HS[t] ** 2)
        found.append(_HS[t - 1] * delta)
    return np.array(found[::-1])


_SHAPES = {"deltas": (7, 5, 4), "dW_hh": (4, 4), "dW_xh": (3, 4), "db_y": (2,), "dh_0": (5, 4)}

EXERCISES: dict[str, Exercise] = {
    "04-shapes": Exercise(
        title="the shapes of the gradients",
        expected=_SHAPES,
        wrong={
            "right but for dW_xh, which is written as for columns: here x stands in rows, x @ W_xh, so W_xh is (D, H).":
                {**_SHAPES, "dW_xh": (4, 3)},
            "right but for the deltas, with the batch first: time comes first here.": {**_SHAPES, "deltas": (5, 7, 4)},
            "right but for the deltas, with the inputs' size: δ belongs to a_t, which has H entries.":
                {**_SHAPES, "deltas": (7, 5, 3)},
            "right but for dW_hh, with a time axis: W_hh is one matrix, and the steps' parts are added up.":
                {**_SHAPES, "dW_hh": (7, 4, 4)},
            "right but for db_y, which is added up over steps and sequences.": {**_SHAPES, "db_y": (7, 5, 2)},
            "right but for dh_0: every sequence begins with a state of its own.": {**_SHAPES, "dh_0": (4,)},
        },
        hint="A gradient has the shape of what it belongs to.",
    ),
    "04-delta": Exercise(
        title="δ_2 and δ_1 of the lamp with another target",
        points=2,
        expected=_lamp_deltas,
        wrong={
            "δ with the carry dropped: δ_1 must also have δ_2 · W_hh.": _lamp_by_hand(carry="none"),
            "δ_1 and δ_2 in the wrong order: δ_2 comes first here.": lambda: _lamp_by_hand()()[::-1],
            "dh in place of δ in what is carried: the slope comes before W_hh.": _lamp_by_hand(carry="dh"),
            "δ with the slope 1 − h in place of 1 − h².": _lamp_by_hand(0.4),
            "dh, not δ: the slope 16/25 is missing.": _lamp_by_hand(1.0),
            "δ with the carry subtracted: the two ways add up.": _lamp_by_hand(carry="minus"),
            "the lamp's old δ, with the old target 0.75 at t = 3: now nothing comes from there.":
                _lamp_by_hand(last=-5 / 12),
            "δ without the mean: dy_t has 2/3, not 2.": _lamp_by_hand(factor=3.0),
            "δ with half of dy: the derivative of a square has a 2.": _lamp_by_hand(factor=0.5),
        },
        hint="dh_2 has its here part alone; dh_1 has both, and its future is made of δ_2.",
    ),
    "04-start": Exercise(
        title="∂L/∂h_0 of the laugh",
        expected=_start("right"),
        wrong={
            "δ_1 W_hh: the matrix must be transposed on the way back.": _start("plain"),
            "δ_1 itself: it has yet to go through W_hhᵀ.": _start("delta"),
            "δ_1 W_hhᵀ with δ_1 added: h_0 has no output of its own and reaches the loss through W_hh alone.":
                _start("sum"),
            "δ_1 W_xhᵀ: that is the gradient of the input.": _start("input"),
            "dh_1 W_hhᵀ: on its way back dh_1 passes tanh first, and becomes δ_1.": _start("dh"),
            "δ_1 W_hhᵀ times 1 − h_0²: h_0 is given, there is no tanh before it.": _start("slope"),
        },
        hint="Entry i: δ_1 times row i of W_hh.",
    ),
    "04-loop": Exercise(
        title="the backward loop",
        points=3,
        run=_run_loop,
        expected=_package_loop,
        tolerance=1e-10,
        wrong={
            "every δ from its own step alone: the carry is dropped. Add what comes from t + 1.":
                _wrong_loop("no carry"),
            "the recursion through W_hh in place of its transpose.": _wrong_loop("matrix"),
            "the recursion run forwards: the future is only known if you start at the end.": _wrong_loop("forwards"),
            "the right recursion with the slope 1 − h: the square is missing.": _wrong_loop("1 - h"),
            "the right recursion without any slope.": _wrong_loop("none"),
            "the right recursion with the slope of the step before, 1 − h_{t−1}².": _wrong_loop("previous"),
            "dh carried in place of δ: the slope comes before W_hhᵀ.": _wrong_loop("dh carried"),
            "dh, not δ: multiply by the slope before you store it.": _wrong_loop("dh"),
            "the recursion with the carry subtracted: the two ways add up.": _wrong_loop("sign"),
            "right, in the wrong order: it runs from the last step to the first.": _wrong_loop("order"),
        },
        hint="At each step: add the two parts, multiply by the slope, and take it back through W_hh.",
    ),
    "04-forward": Exercise(
        title="forward mode",
        points=3,
        run=lambda forward_mode: forward_mode(1.3, _HS.copy(), _HERE.copy()),
        expected=_forward,
        tolerance=1e-10,
        wrong={
            "the diagonal alone: h_{t−1} depends on W_hh too, which adds W_hh · p.": lambda: _forward("direct"),
            "p carried without its factor W_hh.": lambda: _forward("weight"),
            "the slope on the direct term alone: it multiplies both, since both are inside tanh.":
                lambda: _forward("outside"),
            "p without the slope 1 − h_t².": lambda: _forward("slope"),
            "h_t where h_{t−1} belongs: W_hh multiplies the state before.": lambda: _forward("use"),
            "the columns of the triangle: right in the sum, but that is backward mode.": _by_columns,
            "p alone: multiply each by its dh_here.": lambda: _forward() / _HERE,
            "in the wrong order: it runs from the last step to the first.": lambda: _forward()[::-1],
            "the running sum: give each step's own contribution.": lambda: np.cumsum(_forward()),
        },
        hint="Differentiate h_t = tanh(… + W_hh · h_{t−1}) with respect to W_hh, with the product rule inside.",
    ),
}
