r"""Schedules: how the learning rate changes on the way.

A schedule is a frozen dataclass; `schedule(update) -> factor`, with updates counted from 0. The factor multiplies the
optimiser's own rate: update k is made with η · schedule(k),

    optimizer = dataclasses.replace(optimizer, learning_rate=optimizer.learning_rate * schedule(k))

Every factor is above 0 (a rate of 0 would be no update) and at most 1, so that the optimiser's rate is the largest one
used. Past its last update a schedule stays where it ended. `ReduceOnPlateau` looks at scores instead, and has a state.

Source: notebook 06; tests/optim/test_schedules.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from .. import validate


class Schedule(Protocol):
    """What a training loop needs of a schedule."""

    def __call__(self, update: int) -> float:
        """Return the factor for this update, counted from 0."""
        ...


@dataclass(frozen=True)
class Constant:
    """The same factor always. Source: tests/optim/test_schedules.py."""

    factor: float = 1.0

    def __post_init__(self) -> None:
        _check_factors(self, "factor")

    def __call__(self, update: int) -> float:
        """Return the factor."""
        _counted(self, update)
        return self.factor


@dataclass(frozen=True)
class StepDecay:
    r"""A lower rate every so many updates: factor^⌊k / every⌋.

    Source: PyTorch's StepLR; tests/optim/test_schedules.py.
    """

    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        validate.sizes("StepDecay", self, "every")
        _check_factors(self, "factor")

    def __call__(self, update: int) -> float:
        """Return factor^⌊k / every⌋ for update k."""
        return _power(self.factor, _counted(self, update) // self.every)


@dataclass(frozen=True)
class ExponentialDecay:
    r"""A rate that falls by the same share at every update: factor^k.

    To fall to a tenth over K updates: factor = 0.1 ** (1 / K).

    Source: PyTorch's ExponentialLR; tests/optim/test_schedules.py.
    """

    factor: float

    def __post_init__(self) -> None:
        _check_factors(self, "factor")

    def __call__(self, update: int) -> float:
        """Return factor^k for update k."""
        return _power(self.factor, _counted(self, update))


@dataclass(frozen=True)
class Cosine:
    r"""From 1 to `lowest` along half a cosine: slow at first and at the end.

    .. math:: \text{lowest} + \tfrac12 (1 - \text{lowest}) (1 + \cos(\pi k / K))

    Parameters
    ----------
    updates : int
        K, where `lowest` is reached.
    lowest : float
        Above 0 and at most 1.

    Source: Loshchilov & Hutter (2017), eq. 5, without restarts; tests/optim/test_schedules.py.
    """

    updates: int
    lowest: float = 0.01

    def __post_init__(self) -> None:
        validate.sizes("Cosine", self, "updates")
        _check_factors(self, "lowest")

    def __call__(self, update: int) -> float:
        """Return the factor for update k; `lowest` from K on."""
        share = min(_counted(self, update) / self.updates, 1.0)
        return _along_cosine(1.0, self.lowest, share)


@dataclass(frozen=True)
class WarmUp:
    r"""From `start` to 1 along a straight line, then another schedule that counts its own updates from 0.

    Adam's first steps have full length although its running means rest on a few gradients: a warm-up keeps them short.

    Parameters
    ----------
    updates : int
        Of the warm-up; the first update has the factor `start`, the one after the last the other schedule's first.
    then : schedule
        Any callable of the update's number; default constant.
    start : float
        Above 0 and at most 1.

    Source: Goyal et al. (2017), §2.2; PyTorch's LinearLR and SequentialLR; tests/optim/test_schedules.py.
    """

    updates: int
    then: Schedule = field(default_factory=Constant)
    start: float = 0.01

    def __post_init__(self) -> None:
        validate.sizes("WarmUp", self, "updates")
        _check_factors(self, "start")
        if not callable(self.then) or isinstance(self.then, type):
            validate.fail(
                "WarmUp", f"then is {self.then!r:.60}", "a schedule", "it is called with the update's number",
                "Try then=Cosine(updates=1000).", validate.DtypeError,
            )

    def __call__(self, update: int) -> float:
        """Return the factor for update k."""
        k = _counted(self, update)
        if k < self.updates:
            return self.start + (1.0 - self.start) * k / self.updates
        return self.then(k - self.updates)


@dataclass(frozen=True)
class OneCycle:
    r"""Up from `start` to 1, then down to `end`, far below: one cycle for the whole training.

    Parameters
    ----------
    updates : int
        K, of the whole training; the rate is highest at update rise·K − 1, and lowest at K − 1.
    rise : float
        The share of the updates on the way up.
    start, end : float
        The first and the last factor.
    shape : "cosine" or "linear"
        Of both ways.

    Raises
    ------
    ArgumentError
        Shares outside 0 … 1, or so few updates that none is on the way up, or on the way down.

    Source: Smith & Topin (2019), whose cycle is linear and changes the momentum too (this one does not); numbers and
    places as in PyTorch's OneCycleLR; tests/optim/test_schedules.py.
    """

    updates: int
    rise: float = 0.3
    start: float = 0.04
    end: float = 4e-6
    shape: str = "cosine"

    def __post_init__(self) -> None:
        validate.sizes("OneCycle", self, "updates")
        _check_factors(self, "start", "end")
        rise = validate.number("OneCycle", "rise", self.rise, above=0.0, below=1.0, because="it is a share")
        object.__setattr__(self, "rise", rise)
        validate.option("OneCycle", "shape", self.shape, ("cosine", "linear"))
        if rise * self.updates <= 1.0:
            because = f"rise={rise:g} of them are on the way up, and the first one stands at its foot"
            validate.fail("OneCycle", f"updates is {self.updates}", f"more than {1 / rise:g}", because)

    def __call__(self, update: int) -> float:
        """Return the factor for update k; `end` from K − 1 on."""
        k = _counted(self, update)
        top, last = self.rise * self.updates - 1.0, self.updates - 1.0
        path = _along_cosine if self.shape == "cosine" else _along_line
        if k <= top:
            return path(self.start, 1.0, k / top)
        return path(1.0, self.end, min((k - top) / (last - top), 1.0))


class PlateauState(NamedTuple):
    """What ReduceOnPlateau remembers: plain numbers, all finite."""

    scores: int  # how many it has seen
    factor: float  # multiplies the optimiser's rate
    best: float  # score so far; 0 before the first
    waited: int  # scores since the best one, or since the last reduction
    resting: int  # scores for which it still rests


@dataclass(frozen=True)
class ReduceOnPlateau:
    r"""A lower rate once a score (a validation loss) has stopped getting better.

    After more than `patience` scores without a new best one the rate is multiplied by `factor`. A score is better if
    it is below the best one by more than `threshold` of its size (with mode "max": above).

    Parameters
    ----------
    factor : float
        Of one reduction.
    patience : int
        Scores that are waited for; 0 reduces at the first that is no better.
    threshold : float
        The least improvement, as a share of the best score.
    cooldown : int
        Scores after a reduction that count as no failure.
    lowest : float
        The rate never goes below this share of the optimiser's.
    mode : "min" or "max"
        Whether low or high scores are good.

    Source: PyTorch's ReduceLROnPlateau with a relative threshold, which there is meant for scores above 0;
    tests/optim/test_schedules.py.
    """

    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    cooldown: int = 0
    lowest: float = 1e-4
    mode: str = "min"

    def __post_init__(self) -> None:
        where = "ReduceOnPlateau"
        _check_factors(self, "factor", "lowest")
        if self.factor == 1.0:
            validate.fail(where, "factor is 1.0", "a number above 0 and below 1", "1 would reduce nothing")
        for name in ("patience", "cooldown"):
            object.__setattr__(self, name, _count(where, name, getattr(self, name), "it counts scores"))
        threshold = validate.number(where, "threshold", self.threshold, at_least=0.0, below=1.0)
        object.__setattr__(self, "threshold", threshold)
        validate.option(where, "mode", self.mode, ("min", "max"))

    def init(self) -> PlateauState:
        """Return the state before the first score."""
        return PlateauState(0, 1.0, 0.0, 0, 0)

    def update(self, state: PlateauState, score: float) -> PlateauState:
        """Return the state after one more score.

        Raises ArgumentError if the score is not a finite number, or the state is not ReduceOnPlateau's.
        """
        where = "ReduceOnPlateau.update"
        if not isinstance(state, PlateauState):
            hint = "Start with state = plateau.init()."
            validate.fail(where, f"state is a {type(state).__name__}", "a PlateauState", "", hint, validate.DtypeError)
        score = validate.number(where, "score", score, because="nothing is better or worse than NaN")
        sign = 1.0 if self.mode == "min" else -1.0
        margin = self.threshold * abs(state.best)
        better = state.scores == 0 or sign * score < sign * state.best - margin
        best, waited, resting, factor = state.best, state.waited + 1, state.resting, state.factor
        if better:
            best, waited = score, 0
        if resting > 0:
            resting, waited = resting - 1, 0
        if waited > self.patience:
            factor, waited, resting = max(factor * self.factor, min(self.lowest, factor)), 0, self.cooldown
        return PlateauState(state.scores + 1, factor, best, waited, resting)


def _along_line(first: float, last: float, share: float) -> float:
    return first + (last - first) * share


def _along_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * share))


def _power(factor: float, exponent: int) -> float:
    """Return factor^exponent, or the smallest number above 0 where that would round to 0."""
    return max(factor**exponent, math.ulp(0.0))


def _counted(schedule: Any, update: int) -> int:
    return _count(type(schedule).__name__, "update", update, "updates are counted from 0")


def _count(where: str, name: str, value: Any, because: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        validate.fail(where, f"{name} is {value!r}", "a whole number of at least 0", because)
    return int(value)


def _check_factors(schedule: Any, *names: str) -> None:
    """Check that these choices are above 0 and at most 1, and keep them as Python floats."""
    where = type(schedule).__name__
    because = "a factor of 0 would stop training, one above 1 belongs in the optimiser's rate"
    for name in names:
        value = validate.number(where, name, getattr(schedule, name), above=0.0, because=because)
        if value > 1.0:
            validate.fail(where, f"{name} is {value}", "a finite number above 0.0 and at most 1.0", because)
        object.__setattr__(schedule, name, value)
