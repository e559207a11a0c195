"""Schedules: by hand, against PyTorch's schedulers, at their ends, and what they refuse."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.optim import (
    Adam,
    Constant,
    Cosine,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    StepDecay,
    WarmUp,
)
from rnn_from_scratch.validate import ArgumentError

SCHEDULES = {
    "constant": Constant(),
    "step": StepDecay(7, 0.5),
    "exponential": ExponentialDecay(0.93),
    "cosine": Cosine(59, 0.05),
    "warm-up": WarmUp(12, start=0.1),
    "warm-up cosine": WarmUp(12, Cosine(47, 0.05), 0.1),
    "one-cycle": OneCycle(60),
    "one-cycle linear": OneCycle(60, 0.45, 0.1, 0.005, "linear"),
}
PLATEAUS = {
    "plateau": ReduceOnPlateau(0.5, 3, lowest=1e-9),
    "plateau max": ReduceOnPlateau(0.3, 2, 0.05, 4, 1e-12, "max"),
    "plateau lowest": ReduceOnPlateau(0.1, 0, 0.2, lowest=0.02),
}


@pytest.fixture(scope="module")
def reference():
    with np.load(Path(__file__).parents[1] / "reference" / "optimisers.npz") as saved:
        return {name.removeprefix("schedule/"): saved[name] for name in saved.files
                if name.startswith("schedule/") or name == "scores"}


def walk(plateau, scores):
    state, states = plateau.init(), []
    for score in scores:
        state = plateau.update(state, score)
        states.append(state)
    return states


def test_every_schedule_of_the_reference_is_compared(reference):
    assert set(reference) == {*SCHEDULES, *PLATEAUS, "scores"}


@pytest.mark.parametrize("name", SCHEDULES)
def test_factors_are_pytorchs(name, reference):
    ours = [SCHEDULES[name](k) for k in range(60)]
    np.testing.assert_allclose(ours, reference[name], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", PLATEAUS)
def test_plateaus_are_pytorchs(name, reference):
    ours = [state.factor for state in walk(PLATEAUS[name], reference["scores"])]
    np.testing.assert_allclose(ours, reference[name], rtol=1e-12)
    assert len(set(ours)) > 2, "a case in which something happens"


def test_by_hand():
    assert [StepDecay(2, 0.5)(k) for k in range(5)] == [1, 1, 0.5, 0.5, 0.25]
    assert [ExponentialDecay(0.5)(k) for k in range(4)] == [1, 0.5, 0.25, 0.125]
    np.testing.assert_allclose([Cosine(4, 0.2)(k) for k in (0, 2, 4, 5, 400)], [1, 0.6, 0.2, 0.2, 0.2], rtol=1e-15)
    np.testing.assert_allclose([WarmUp(4, start=0.2)(k) for k in range(6)], [0.2, 0.4, 0.6, 0.8, 1, 1], rtol=1e-15)
    assert WarmUp(3, StepDecay(1, 0.5))(4) == 0.5, "the schedule after it counts from its own start"
    cycle = OneCycle(10, 0.5, 0.2, 0.1, "linear")  # up over updates 0 … 4, down over 4 … 9
    np.testing.assert_allclose(
        [cycle(k) for k in range(11)], [0.2, 0.4, 0.6, 0.8, 1, 0.82, 0.64, 0.46, 0.28, 0.1, 0.1], rtol=1e-14)
    assert Constant(0.3)(7) == 0.3


def test_the_plateau_by_hand():
    states = walk(ReduceOnPlateau(0.5, 1, 0.1, cooldown=1), [1.0, 0.95, 0.92, 0.91, 0.91, 0.91, 0.5])
    #             first best; no; no: reduce; resting; no; no: reduce; better, while resting
    assert [state.factor for state in states] == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert [state.best for state in states] == [1.0] * 6 + [0.5]
    assert [state.waited for state in states] == [0, 1, 0, 0, 1, 0, 0]
    assert [state.resting for state in states] == [0, 0, 1, 0, 0, 1, 0]
    assert states[-1].scores == 7
    below_zero = walk(ReduceOnPlateau(0.5, 0, 0.1), [-1.0, -1.05, -1.2])  # a loss may be negative
    assert [state.best for state in below_zero] == [-1.0, -1.0, -1.2]
    assert [state.factor for state in walk(ReduceOnPlateau(0.5, 0, 0.0, mode="max"), [0, 1, 1])] == [1, 1, 0.5]
    assert all(isinstance(part, int | float) and math.isfinite(part) for state in states for part in state)


def test_a_plateau_never_falls_below_its_lowest():
    assert min(state.factor for state in walk(ReduceOnPlateau(0.1, 0, lowest=0.05), [1.0] * 9)) == 0.05


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_factor_makes_a_rate_that_an_optimiser_takes(name):
    schedule, optimizer = SCHEDULES[name], Adam(0.3)
    for k in (0, 1, 5, 59, 60, 61, 10**3, np.int64(10**6)):
        factor = schedule(k)
        assert type(factor) is float
        assert 0.0 < factor <= 1.0
    assert dataclasses.replace(optimizer, learning_rate=optimizer.learning_rate * schedule(9)).learning_rate > 0.0


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("update", [-1, 1.0, True, None, "3", np.nan, [1]])
def test_an_update_that_is_no_count_is_refused(name, update):
    message = rf"{type(SCHEDULES[name]).__name__}: update is .*expected a whole number of at least 0 because"
    with pytest.raises(ArgumentError, match=message):
        SCHEDULES[name](update)


SHARE = "expected a finite number above 0.0"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0.0), f"Constant: factor is 0.0, {SHARE}"),
        (lambda: Constant(1.5), f"Constant: factor is 1.5, {SHARE} and at most 1.0"),
        (lambda: StepDecay(0), "StepDecay: every is 0, expected a whole number of at least 1"),
        (lambda: StepDecay(2.5), "StepDecay: every is 2.5"),
        (lambda: StepDecay(2, -0.1), f"StepDecay: factor is -0.1, {SHARE}"),
        (lambda: StepDecay(2, 1.1), "StepDecay: factor is 1.1"),
        (lambda: ExponentialDecay(np.nan), "ExponentialDecay: factor is nan"),
        (lambda: ExponentialDecay(True), "ExponentialDecay: factor is True"),
        (lambda: ExponentialDecay("half"), "ExponentialDecay: factor is 'half'"),
        (lambda: Cosine(0), "Cosine: updates is 0"),
        (lambda: Cosine(True), "Cosine: updates is True"),
        (lambda: Cosine(10, 0.0), "Cosine: lowest is 0.0"),
        (lambda: Cosine(10, 2), "Cosine: lowest is 2.0"),
        (lambda: WarmUp(-3), "WarmUp: updates is -3"),
        (lambda: WarmUp(3, start=0), "WarmUp: start is 0"),
        (lambda: WarmUp(3, 0.5), "WarmUp: then is 0.5, expected a schedule"),
        (lambda: WarmUp(3, Cosine), "WarmUp: then is <class"),
        (lambda: OneCycle(3), "OneCycle: updates is 3, expected more than 3.33333 because rise=0.3 of them"),
        (lambda: OneCycle(30, 1.0), "OneCycle: rise is 1.0"),
        (lambda: OneCycle(30, start=0.0), "OneCycle: start is 0.0"),
        (lambda: OneCycle(30, end=1.5), "OneCycle: end is 1.5"),
        (lambda: OneCycle(30, shape="triangle"), "OneCycle: shape is 'triangle', expected one of 'cosine', 'linear'"),
        (lambda: ReduceOnPlateau(1.0), "ReduceOnPlateau: factor is 1.0, expected a number above 0 and below 1"),
        (lambda: ReduceOnPlateau(patience=-1), "ReduceOnPlateau: patience is -1"),
        (lambda: ReduceOnPlateau(cooldown=0.5), "ReduceOnPlateau: cooldown is 0.5"),
        (lambda: ReduceOnPlateau(threshold=-1e-3), "ReduceOnPlateau: threshold is -0.001"),
        (lambda: ReduceOnPlateau(lowest=0.0), "ReduceOnPlateau: lowest is 0.0"),
        (lambda: ReduceOnPlateau(mode="least"), "ReduceOnPlateau: mode is 'least', expected one of 'min', 'max'"),
        (lambda: ReduceOnPlateau().update((0, 1.0), 1.0), "update: state is a tuple, expected a PlateauState"),
        (lambda: walk(ReduceOnPlateau(), [np.nan]), "update: score is nan, expected a finite number"),
        (lambda: walk(ReduceOnPlateau(), [np.inf]), "update: score is inf"),
        (lambda: walk(ReduceOnPlateau(), ["0.5"]), "update: score is '0.5'"),
    ],
)
def test_choices_that_make_no_schedule_are_refused(make, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        make()
