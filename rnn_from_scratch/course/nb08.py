"""Exercises of notebook 08: truncate backpropagation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array, Params, tree_add, tree_scale
from ..cells import RNNCell
from ..data import laugh
from ..layers import Recurrent
from ..models import SequenceModel, Window, truncated_bptt, window_loss_and_grads, windows
from .marking import Exercise

_MODEL = SequenceModel(Recurrent(RNNCell(3, 2), "stepwise"), 3)


def _triples(k1: int, k2: int) -> Array:
    return np.array([window[:3] for window in windows(7, k1, k2)])


def _laugh(k1: int = 2, k2: int = 2) -> Array:
    example = laugh()
    parts = truncated_bptt(_MODEL, example.params, example.xs, example.targets, k1, k2, example.state)
    return np.asarray(tree_add(*(one.grads for one in parts))["recurrent"]["W_hh"])


def _laugh_window(index: int, state: Any = "carried") -> Array:
    """dW_hh of one window at (2, 2), from the carried state or from another one."""
    example = laugh()
    window = windows(4, 2, 2)[index]
    if isinstance(state, str):
        state = _MODEL.forward(example.params, example.xs[: window.start], example.state)[1] if index else example.state
    found = window_loss_and_grads(_MODEL, example.params, example.xs, example.targets, window, state)
    return np.asarray(found.grads["recurrent"]["W_hh"])


def _frozen_case() -> tuple[Params, Array, Array, Window, Array]:
    """Seven steps, two sequences, other weights than those that made the state."""
    rng = np.random.default_rng(8)
    xs, targets = rng.standard_normal((7, 2, 3)), rng.integers(0, 3, (7, 2))
    window = windows(7, 2, 4)[1]._replace(start=1, new=3, end=5, next_start=5)
    return tree_scale(laugh().params, 1.5), xs, targets, window, rng.uniform(-0.9, 0.9, (2, 2))


def _frozen(
    divide_by: int | None = 14, new: int = 3, start: int = 1, moving: bool = False, reset: bool = False
) -> float:
    params, xs, targets, window, state = _frozen_case()
    before = _MODEL.forward(params, xs[: window.start])[1] if moving else (np.zeros_like(state) if reset else state,)
    logits, _, _ = _MODEL.forward(params, xs[start : window.end], before)
    counted = np.broadcast_to(np.arange(start, window.end)[:, None] >= new, logits.shape[:2])
    return float(_MODEL.loss(logits, targets[start : window.end], np.array(counted), divide_by)[0])


def _run_frozen(answer: Callable[..., Any]) -> Any:
    params, xs, targets, window, state = _frozen_case()
    found = answer(_MODEL, params, xs, targets, window, state)
    if isinstance(found, tuple):
        raise AssertionError("Your function returned a tuple. `model.loss` gives loss and gradient: return the first")
    return found


_H = (-0.5, 0.3, -0.7, 0.9, 0.2, -0.4)
_DH_HERE = (0.4, -0.3, 0.5, 0.7, -0.6)
_W_HH = 1.3


_REACHES = (1, 2, 3, 5)


def _slope(step: int) -> float:
    return 1 - _H[step] ** 2


def _bands(
    *, further: int = 0, slope: Callable[[int], float] = _slope, carry: Callable[[int], float] = _slope,
    weight: float = _W_HH, own_state: bool = False, wraps: bool = False, joins: bool = False,
) -> list[float]:
    """dW_hh with k1 = 1 for each k2 of _REACHES, by notebook 04's recursion; the arguments make typical mistakes."""
    found = []
    for k2 in _REACHES:
        total = 0.0
        for t in range(1, len(_DH_HERE) + 1):
            delta = _DH_HERE[t - 1] * slope(t)
            for use in range(t, t - k2 - further, -1):
                total += delta * _H[use if own_state else use - 1]
                if use == 1 and not wraps:
                    break
                delta = (delta * weight + (_DH_HERE[use - 2] if joins else 0.0)) * carry(use - 1)
        found.append(total)
    return found


EXERCISES: dict[str, Exercise] = {
    "08-windows": Exercise(
        title="the windows of (3, 5) over seven steps",
        expected=lambda: _triples(3, 5),
        wrong={
            "a reach of k2 + 1 steps: from the start to the end there are k2.": lambda: _triples(3, 6),
            "a reach of k2 − 1 steps: from the start to the end there are k2.": lambda: _triples(3, 4),
            "without a reach back: each window starts at its new steps. That is (3, 3).": lambda: _triples(3, 3),
            "counted from 1 as in the text: in code the first step is 0.": lambda: np.add(_triples(3, 5), [1, 1, 0]),
            "right but for the order: start comes first, then new.": lambda: np.array(_triples(3, 5))[:, [1, 0, 2]],
            "with the last window ending at 9: the sequence has 7 steps.": [(0, 0, 3), (1, 3, 6), (4, 6, 9)],
            "with the last window cut from where it would end if T were 9: it ends at 7, and starts 5 steps before "
            "that.": [(0, 0, 3), (1, 3, 6), (4, 6, 7)],
        },
        hint="Ends first, then back k2 from each end, not before 0.",
    ),
    "08-laugh": Exercise(
        title="dW_hh of the laugh, truncated at (2, 2)",
        points=2,
        expected=_laugh,
        tolerance=1e-5,
        wrong={
            "the full gradient: k2 = 2 must stop the second window at h_2.": lambda: _laugh(4, 4),
            "the state reset between the windows to the h_0 of the laugh: carry the state, stop the gradient alone.":
                lambda: _laugh_window(0) + _laugh_window(1, laugh().state),
            "the state reset to zero between the windows: carry the state, stop the gradient alone.":
                lambda: _laugh_window(0) + _laugh_window(1, None),
            "the last window alone: add the gradients of both.": lambda: _laugh_window(1),
            "the first window alone: add the gradients of both.": lambda: _laugh_window(0),
            "a reach of three steps: k2 = 2.": lambda: _laugh(2, 3),
            "(1, 2): a window after each step. Here k1 = 2.": lambda: _laugh(1, 2),
            "(1, 1), nothing carried back at all: k2 = 2.": lambda: _laugh(1, 1),
            "the transpose: rows are h_{t−1}, columns are δ_t.": lambda: _laugh().T,
            "the mean of the two windows: they are added.": lambda: _laugh() / 2,
        },
        hint="Two windows side by side; the second starts from the h_2 that the forward pass reached.",
    ),
    "08-frozen": Exercise(
        title="the loss of a window with its state frozen",
        points=2,
        run=_run_frozen,
        expected=_frozen,
        tolerance=1e-10,
        wrong={
            "the loss of all the window's steps: count the new ones only, or each loss counts more than once.":
                lambda: _frozen(new=0),
            "the mean over all the window's steps: count the new ones, divide by the targets of the whole sequence.":
                lambda: _frozen(divide_by=None, new=0),
            "divided by the window's own count: divide by the number of targets in the whole sequence.":
                lambda: _frozen(divide_by=None),
            "from the new steps on: the window begins at its start, and reaches back.":
                lambda: _frozen(start=3),
            "from a state computed again with these weights: that one is not frozen.": lambda: _frozen(moving=True),
            "from a state of zeros: the state is handed in.": lambda: _frozen(reset=True),
            "with the new steps counted from the sequence's start: the window's first step has the number `start`.":
                lambda: _frozen(new=4),
            "the sum of the losses: divide by the number of targets in the whole sequence.":
                lambda: _frozen(divide_by=1),
            "divided by T alone: there are T·N targets.": lambda: _frozen(divide_by=7),
        },
        hint="The handed-in state, the steps from start to end, the losses from new to end, divided by T·N.",
    ),
    "08-share": Exercise(
        title="the share of losses that reach their input",
        expected=lambda: sum(p >= 6 for p in range(10)) / 10,
        tolerance=1e-9,
        wrong={
            "the share that does not reach it.": 0.6,
            "one too few: at p = 6 the input is the window's first step, which is inside.": 0.3,
            "one too many: at p = 5 the input is the step before the window.": 0.5,
            "what (1, 10) gives: there every loss has a window of its own. Here ten losses share one window, "
            "and the early ones reach back less.": 1.0,
            "the number of losses: give the share.": 4.0,
            "the share in per cent: give it as a number up to 1.": 40.0,
        },
        hint="The loss at p asks about p − 6, which is inside the window from p = 6 on.",
    ),
    "08-backward": Exercise(
        title="the truncated backward for scalars",
        points=3,
        run=lambda answer: [answer(list(_H), list(_DH_HERE), _W_HH, k2) for k2 in _REACHES],
        expected=_bands,
        tolerance=1e-10,
        wrong={
            "a reach of k2 + 1 uses: the loss's own step is the first.": lambda: _bands(further=1),
            "a reach of k2 − 1 uses: the loss's own step is the first.": lambda: _bands(further=-1),
            "the full gradient, whatever k2 is.": lambda: [_bands()[-1]] * len(_REACHES),
            "a walk past the first step: there h[−1] is Python's word for the last state. Stop at h[0].":
                lambda: _bands(wraps=True),
            "with the other losses' dh_here added on the way: here each loss goes back on its own.":
                lambda: _bands(joins=True),
            "without tanh′ on the way back: each step back multiplies by W_hh and by 1 − h².":
                lambda: _bands(carry=lambda _: 1.0),
            "without tanh′ at all: delta is at the pre-activation, and has the factor 1 − h² of its step.":
                lambda: _bands(slope=lambda _: 1.0, carry=lambda _: 1.0),
            "without tanh′ of the loss's own step: delta begins with dh_here · (1 − h²).":
                lambda: _bands(slope=lambda _: 1.0),
            "with 1 − h where 1 − h² belongs.":
                lambda: _bands(slope=lambda step: 1 - _H[step], carry=lambda step: 1 - _H[step]),
            "without W_hh on the way back.": lambda: _bands(weight=1.0),
            "h_t where h_{t−1} belongs: the weight multiplied the state before.": lambda: _bands(own_state=True),
        },
        hint="It is the band of the triangle: loss t, uses t, t − 1, … down to t − k2 + 1. (Tried: k2 = 1, 2, 3, 5.)",
    ),
}
