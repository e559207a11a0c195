"""Exercises of notebook 17: look inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..bptt import unroll
from ..cells import RNNCell
from ..data import lamp, laugh
from ..layers import Recurrent
from ..looking import gradient_flow, remove_directions, step_jacobians
from ..looking.flow import GradientFlow
from ..models import SequenceModel
from .marking import Exercise

_CELL = RNNCell(3, 2)


def _flow() -> GradientFlow:
    """The laugh's, from its own loss."""
    example = laugh()
    model = SequenceModel(Recurrent(_CELL, engine="stepwise"), 3)
    logits, _, cache = model.forward(example.params, example.xs, example.state)
    dhs, _ = model.output.backward(example.params["output"], model.loss(logits, example.targets)[1], cache.output)
    return gradient_flow(_CELL, example.params["recurrent"], example.xs, dhs, example.state)


def _future(t: int = 2) -> Array:
    future: Array = _flow().dh_future[t - 1, 0]
    return future


def _delta(t: int) -> Array:
    flow = _flow()
    delta: Array = flow.delta_here[t - 1, 0] + flow.delta_future[t - 1, 0]
    return delta


def _recurrent() -> Array:
    matrix: Array = laugh().params["recurrent"]["W_hh"]
    return matrix


def _h(t: int) -> Array:
    example = laugh()
    hidden: Array = unroll(_CELL, example.params["recurrent"], example.xs, example.state)[0][t - 1, 0]
    return hidden


def _jacobian(t: int = 3) -> Array:
    example = laugh()
    found: Array = step_jacobians(_CELL, example.params["recurrent"], example.xs, example.state)[t - 1, 0]
    return found


def _hold() -> float:
    """What one hold multiplies the lamp's gradient by."""
    example = lamp()
    hold = step_jacobians(RNNCell(1, 1), example.params["recurrent"], example.xs[1:2], (np.array([[0.6]]),))
    return float(hold.item())


def _holds(share: float = 1e-3, factor: Callable[[], float] = _hold) -> Callable[[], int]:
    return lambda: int(np.ceil(np.log(share) / np.log(factor())))


# 17-remove

Remove = Callable[[Array, Array, Array], Any]


def _along(h: Array, direction: Array, mean: Array) -> Array:
    """What h − mean has along the direction."""
    unit = direction / np.linalg.norm(direction)
    part: Array = ((h - mean) @ unit)[:, None] * unit
    return part


def _in_place(h: Array, direction: Array, mean: Array) -> Array:
    h -= _along(h, direction, mean)
    return h


_SAYS: dict[str, Remove] = {
    "the direction is taken as if its length were 1": lambda h, d, mean: h - ((h - mean) @ d)[:, None] * d,
    "divided by the length once: the direction stands there twice":
        lambda h, d, mean: h - ((h - mean) @ d)[:, None] * d / np.linalg.norm(d),
    "held at 0 along the direction, not at the mean": lambda h, d, mean: h - _along(h, d, 0 * mean),
    "the other way round: the direction is all that is left": lambda h, d, mean: mean + _along(h, d, mean),
    "taken away twice: h is mirrored, and as far from the mean as before":
        lambda h, d, mean: h - 2 * _along(h, d, mean),
    "added, where it should be taken away": lambda h, d, mean: h + _along(h, d, mean),
    "the mean is not put back": lambda h, d, mean: h - mean - _along(h, d, mean),
    "every unit is at its mean: all directions are gone, not one": lambda h, d, mean: np.tile(mean, (len(h), 1)),  # noqa: ARG005
}


def _prove_remove(function: Remove) -> str | None:
    rng = np.random.default_rng(17)
    for H in (4, 2, 5):
        h, direction, mean = rng.standard_normal((3, H)), 1.7 * rng.standard_normal(H), rng.standard_normal(H)
        given = [array.copy() for array in (h, direction, mean)]
        answer = function(*given)
        if not all(np.array_equal(a, b) for a, b in zip(given, (h, direction, mean), strict=True)):
            return "It changes what is passed in: the caller's h is spoilt. Return a new array."
        if not isinstance(answer, np.ndarray) or answer.shape != h.shape:
            return f"It should return an array of h's shape, {h.shape}: one state a row."
        (expected,) = remove_directions(direction[None], mean)(1, (h,))
        if np.allclose(answer, expected, rtol=1e-9, atol=1e-12):
            continue
        for says, wrong in _SAYS.items():
            if np.allclose(answer, wrong(h.copy(), direction, mean), rtol=1e-9, atol=1e-12):
                return f"That is wrong in one thing: {says}."
        left = np.abs((answer - mean) @ direction).max() / np.linalg.norm(direction)
        if left > 1e-9:
            return f"Along the direction h is still up to {left:.2g} away from the mean."
        return "Along the direction h is at the mean, as it should be; but across it something else was changed too."
    return None


EXERCISES: dict[str, Exercise] = {
    "17-future": Exercise(
        title="dh_future of the laugh at t = 2",
        points=2,
        expected=_future,
        wrong={
            "δ_3 times W_hh: on the way back it is W_hh transposed.": lambda: _delta(3) @ _recurrent(),
            "dh_here: what comes through y_2.": lambda: _flow().dh_here[1, 0],
            "dh, the sum of both sources.": lambda: _flow().dh_here[1, 0] + _future(),
            "made from δ_2: what reaches h_2 from the future comes from step 3.": lambda: _delta(2) @ _recurrent().T,
            "made from δ_4: between h_2 and step 4 stands step 3.": lambda: _delta(4) @ _recurrent().T,
            "δ_2, the gradient of the pre-activation.": lambda: _delta(2),
            "times tanh′ of h_2: that makes δ of dh, one station later.": lambda: _future() * (1 - _h(2) ** 2),
        },
        hint="h_2 enters step 3 through W_hh alone.",
    ),
    "17-jacobian": Exercise(
        title="The Jacobian of the laugh's third step",
        points=2,
        expected=_jacobian,
        wrong={
            "the transposed: row i says what h_3's unit i depends on.": lambda: _jacobian().T,
            "made with tanh′ of h_2: the slope is that of the step's own output, h_3.":
                lambda: (1 - _h(2) ** 2)[:, None] * _recurrent().T,
            "W_hh transposed alone: tanh′ is missing.": lambda: _recurrent().T,
            "W_hh not transposed: h_2's unit j reaches unit i of h_3 through W_hh[j, i].":
                lambda: (1 - _h(3) ** 2)[:, None] * _recurrent(),
            "tanh′ on the columns: it belongs to the unit that comes out, the row.":
                lambda: _recurrent().T * (1 - _h(3) ** 2),
            "1 − h: the square is missing.": lambda: (1 - _h(3))[:, None] * _recurrent().T,
            "of the fourth step: h_3 comes out of the third.": lambda: _jacobian(4),
        },
        hint="Two rows: (1 − h²) of the unit that comes out, times the weights that lead to it.",
    ),
    "17-holds": Exercise(
        title="How many holds until a thousandth is left",
        expected=_holds(),
        wrong={
            "one hold too few: there is still a little more than a thousandth left.": lambda: _holds()() - 1,
            "made with tanh′ alone, 16/25: W_hh belongs to the factor.": _holds(factor=lambda: 0.64),
            "made with 3/5: h is no factor of the gradient.": _holds(factor=lambda: 0.6),
            "as if every hold took the same amount: each takes the same share.":
                lambda: int(np.ceil(0.999 / (1 - _hold()))),
            "for a millionth.": _holds(1e-6),
            "for a tenth.": _holds(0.1),
            "not a whole number of holds.": lambda: float(np.log(1e-3) / np.log(_hold())),
        },
        hint="0.739357 to which power is 0.001?",
    ),
    "17-remove": Exercise(
        title="Hold h at its mean along a direction",
        points=3,
        prove=_prove_remove,
        wrong={**_SAYS, "It changes what is passed in": _in_place,
               "It should return an array of h's shape": lambda h, direction, mean: h @ direction - mean @ direction},
    ),
    "17-follows": Exercise(
        title="What follows",
        expected="d",
        wrong={
            "more than was shown: that the probe reads it does not say that the network does.": "a",
            "not so: before training the probe read it as well, so training need not have put it there.": "b",
            "not so: the probe reads it at 97 %, and guessing gives 33 %.": "c",
            "more than was shown: one set of directions was taken out, and a new probe still finds the letter.": "e",
            "not so: two random directions took more of the right brackets, not less.": "f",
        },
        hint="Which sentence says no more than the five numbers?",
    ),
}
