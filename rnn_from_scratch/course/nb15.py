"""Exercises of notebook 15: live with missing values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..cells import GRUDCell
from ..data import InterpolationFilling, time_since_seen
from .marking import Exercise

NAN = np.nan
_LINE = np.array([3.0, NAN, NAN, 9.0, NAN])[:, None]
_TIMES = np.array([0.0, 1.0, 3.0, 4.0, 6.0, 7.0])
_SEEN = np.array([5.0, NAN, NAN, 5.0, NAN, 5.0])[:, None]
_HALVES = (2.0, 10.0, 4.0, float(np.log(2)) / 2)  # mean, last value, time since, weight


def _line() -> Array:
    return InterpolationFilling().transform(InterpolationFilling().fit(_LINE), _LINE)[:, 0]


def _delta() -> Array:
    return time_since_seen(_SEEN, times=_TIMES)[:, 0]


def _decayed() -> list[float]:
    """The decayed value, and its slope by the weight, from the cell itself: the complex step through `mixed_inputs`."""
    mean, last, delta, weight = _HALVES
    cell = GRUDCell(3, 2)
    params = {name: np.zeros(shape, complex) for name, shape in cell.param_shapes().items()}
    params["w_gamma_x"] = np.array([weight + 1e-20j])
    mixed = cell.mixed_inputs(params, np.array([[[last - mean, 0.0, delta]]])).mixed.item()
    return [mean + mixed.real, mixed.imag / 1e-20]


# 15-write: the last value, forwards


def _held(xs: Array, before: Array) -> Array:
    """Hold each column's last value; `before` stands where there is none."""
    filled, last = np.empty_like(xs), before.copy()
    for t in range(len(xs)):
        last = np.where(np.isnan(xs[t]), last, xs[t])
        filled[t] = last
    return filled


def _prove_hold(function: Callable[[Array, Array], Any]) -> str | None:
    rng = np.random.default_rng(0)
    for xs in (
        np.array([[NAN, 1.0], [2.0, NAN], [NAN, NAN], [0.0, NAN], [NAN, 5.0]]), np.full((3, 2), NAN),
        np.where(rng.random((7, 2)) < 0.5, NAN, rng.standard_normal((7, 2))), np.arange(6.0).reshape(3, 2),
    ):
        given, before = xs.copy(), np.array([10.0, -20.0])
        answer = function(given, before)
        if not isinstance(answer, np.ndarray):
            return "It should return an array. Is the return line missing?"
        if not np.array_equal(given, xs, equal_nan=True) or before.tolist() != [10.0, -20.0]:
            return "It changes what is passed in: the holes of the caller's series are gone. Fill a copy."
        if answer.shape != xs.shape:
            return f"It returns the shape {answer.shape}, and should return {xs.shape}."
        expected = _held(xs, np.array([10.0, -20.0]))
        if np.allclose(answer, expected, equal_nan=True):
            continue
        typical = {
            "the next value, held backwards: it is the future.": _backwards(xs, before),
            "the last value of the wrong column, or one for both.": _one_for_all(xs, before),
            "the training value everywhere: it belongs before the first value alone.":
                np.where(np.isnan(xs), before, xs),
            "taken from the step before alone: a gap of two stays half open.": _one_step(xs, before),
            "0 taken for missing: 0 is a value.": _held(np.where(xs == 0.0, NAN, xs), np.array([10.0, -20.0])),
            "0 for what is missing: 0 is a value.": _zeros(xs, before),
        }
        for says, wrong in typical.items():
            if np.allclose(answer, wrong, equal_nan=True):
                return f"That is {says}"
        if np.array_equal(answer, xs, equal_nan=True):
            return "Nothing is filled. `x == np.nan` is False even for NaN itself: ask np.isnan(x)."
        if np.isnan(answer).any():
            return "There is still a NaN in it. What stands before the first value of a column?"
        return "A value differs from the last one seen in its column."
    return None


def _backwards(xs: Array, before: Array) -> Array:
    return _held(xs[::-1], before)[::-1]


def _one_for_all(xs: Array, before: Array) -> Array:
    return _held(xs.reshape(-1, 1), before[:1]).reshape(xs.shape)


def _one_step(xs: Array, before: Array) -> Array:
    shifted = np.concatenate([before[None], xs[:-1]])
    return np.where(np.isnan(xs), shifted, xs)


def _everywhere(xs: Array, before: Array) -> Array:
    return np.where(np.isnan(xs), before, xs)


def _zero_is_missing(xs: Array, before: Array) -> Array:
    return _held(np.where(xs == 0.0, NAN, xs), before)


def _zeros(xs: Array, _before: Array) -> Array:
    return np.where(np.isnan(xs), 0.0, xs)


def _as_it_is(xs: Array, _before: Array) -> Array:
    return xs.copy()


def _in_place(xs: Array, before: Array) -> Array:
    xs[...] = _held(xs, before)
    return xs


def _left_open(xs: Array, _before: Array) -> Array:
    return _held(xs, np.full(xs.shape[1], NAN))


EXERCISES: dict[str, Exercise] = {
    "15-left": Exercise(
        title="What deletion leaves",
        expected=lambda: 0.8**10,
        wrong={
            "the share of the steps that are complete, not of the sequences.": 0.8,
            "the share of the sequences that are lost.": lambda: 1 - 0.8**10,
            "p^T: the share of the sequences in which nothing is there.": lambda: 0.2**10,
            "1 − T·p, which here is below 0: gaps of one sequence overlap.": -1.0,
            "the share for 5 steps; there are 10.": lambda: 0.8**5,
            "1 − p^T: the share of the sequences in which something is there.": lambda: 1 - 0.2**10,
            "10 · 0.8: probabilities of independent things are multiplied.": 8.0,
        },
        hint="Each of the 10 steps must be there.",
    ),
    "15-line": Exercise(
        title="Interpolate by hand",
        expected=_line,
        wrong={
            "the last value held.": np.array([3.0, 3.0, 3.0, 9.0, 9.0]),
            "the line drawn on beyond the last value: nothing is known there, and the value is held.":
                np.array([3.0, 5.0, 7.0, 9.0, 11.0]),
            "the mean of both ends at every gap: the line goes from the one to the other.":
                np.array([3.0, 6.0, 6.0, 9.0, 9.0]),
            "the mean of what is there.": np.array([3.0, 6.0, 6.0, 9.0, 6.0]),
            "the next value.": np.array([3.0, 9.0, 9.0, 9.0, 9.0]),
            "a quarter of the way at each step: from 3 to 9 it is three steps.": np.array([3.0, 4.5, 6.0, 9.0, 9.0]),
            "0 for what is missing: 0 is a value.": np.array([3.0, 0.0, 0.0, 9.0, 0.0]),
            "right but for the end, which is left open: the last value is held there.":
                np.array([3.0, 5.0, 7.0, 9.0, NAN]),
        },
        hint="From 3 to 9 it is three steps.",
    ),
    "15-delta": Exercise(
        title="The time since it was seen",
        points=2,
        expected=_delta,
        wrong={
            "δ set to 0 where a value is seen: it says how old the one before is.":
                np.array([0.0, 1.0, 3.0, 0.0, 2.0, 0.0]),
            "counted in steps: the times are not 1 apart.": np.array([0.0, 1.0, 2.0, 3.0, 1.0, 2.0]),
            "the time since the step before, whether or not it had a value.":
                np.array([0.0, 1.0, 2.0, 1.0, 2.0, 1.0]),
            "the times themselves.": _TIMES,
            "counted in steps, and 0 where a value is seen.": np.array([0.0, 1.0, 2.0, 0.0, 1.0, 0.0]),
            "the time until the next value: δ looks back.": np.array([0.0, 3.0, 1.0, 0.0, 1.0, 0.0]),
        },
        hint="δ_4 is 4 − 0: the value at time 0 was the last one before.",
    ),
    "15-decay": Exercise(
        title="A decayed value, and its slope",
        points=2,
        expected=_decayed,
        wrong={
            "γ taken to the left: γ of the mean and 1 − γ of the last value.": [8.0, -8.0],
            "decayed towards 0: the mean is 2.": [2.5, -10.0],
            "the slope without its sign: a larger w decays faster, and the value falls.": [4.0, 8.0],
            "the slope without δ: the exponent is −wδ.": [4.0, -2.0],
            "the slope of γ alone: it multiplies last value − mean.": [4.0, -1.0],
            "the last value as it is: nothing has decayed.": [10.0, 0.0],
            "the slope with w for δ: the exponent is −wδ, and its slope by w is −δ.":
                [4.0, float(-np.log(2) / 2 * 2)],
            "the slope without γ: the slope of exp is exp.": [4.0, -32.0],
            "γ for one hour: four have gone by.": [2 + 8 / np.sqrt(2), -8 / np.sqrt(2)],
            "γ·(last value − mean) alone: the mean comes on top.": [2.0, -8.0],
            "γ = wδ: the decay is exp(−wδ).": [2 + 8 * 2 * float(np.log(2)), 32.0],
        },
        hint="γ = exp(−wδ) = 1/4.",
    ),
    "15-write": Exercise(
        title="Hold the last value",
        points=3,
        prove=_prove_hold,
        wrong={
            "the next value, held backwards: it is the future.": _backwards,
            "the last value of the wrong column, or one for both.": _one_for_all,
            "the training value everywhere: it belongs before the first value alone.": _everywhere,
            "taken from the step before alone: a gap of two stays half open.": _one_step,
            "0 taken for missing: 0 is a value.": _zero_is_missing,
            "0 for what is missing: 0 is a value.": _zeros,
            "Nothing is filled": _as_it_is,
            "It changes what is passed in": _in_place,
            "There is still a NaN in it": _left_open,
            "It should return an array": lambda xs, before: None,  # noqa: ARG005 - a student's signature
        },
    ),
}
