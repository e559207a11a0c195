"""Regression: scikit-learn's values, a case by hand, padding that never counts, constant targets, every refusal."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.losses import mean_squared_error
from rnn_from_scratch.metrics import mae, mse, r2, rmse
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

FILE = Path(__file__).parents[1] / "reference" / "sklearn_metrics.json"
CASES = json.loads(FILE.read_text(encoding="utf-8"))["regression"]
ALL = {"mse": mse, "rmse": rmse, "mae": mae, "r2": r2}


@pytest.mark.parametrize("number", range(len(CASES)))
def test_the_values_are_scikit_learns(number):
    case = CASES[number]
    targets, predictions = np.array(case["targets"]), np.array(case["predictions"])
    for name, function in ALL.items():
        assert function(targets, predictions) == pytest.approx(case[name], rel=1e-12, abs=1e-12)
        if targets.ndim == 2:
            found = function(targets, predictions, per_output=True)
            assert found == pytest.approx(np.array(case[f"{name} per output"]), rel=1e-12, abs=1e-12)


def test_by_hand():
    targets, predictions = [1.0, 2.0, 3.0, 6.0], [1.0, 4.0, 2.0, 2.0]  # errors 0, 2, −1, −4; mean of targets 3
    assert mse(targets, predictions) == 21 / 4
    assert rmse(targets, predictions) == math.sqrt(21 / 4)
    assert mae(targets, predictions) == 7 / 4
    assert r2(targets, predictions) == 1 - 21 / 14
    assert r2(predictions, targets) != r2(targets, predictions)  # which comes first matters here
    assert {type(function(targets, predictions)) for function in ALL.values()} == {float}


def test_several_outputs_have_their_own_units():
    targets = np.array([[1.0, 100.0], [3.0, 300.0]])
    errors = np.array([[1.0, 20.0], [-2.0, 0.0]])
    assert mse(targets, targets + errors, per_output=True).tolist() == [2.5, 200.0]
    assert mae(targets, targets + errors, per_output=True).tolist() == [1.5, 10.0]
    assert r2(targets, targets + errors, per_output=True).tolist() == pytest.approx([-1.5, 0.98])
    assert mse(targets, targets + errors) == 101.25


def test_it_is_the_losss_value():
    rng = np.random.default_rng(0)
    targets, predictions, mask = rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 3, 2)), rng.random((5, 3)) < 0.6
    wanted = mean_squared_error(predictions, targets, mask)[0]
    assert mse(targets, predictions, mask) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("name", ALL)
def test_padding_never_counts(name):
    rng = np.random.default_rng(1)
    targets, predictions = rng.normal(size=(6, 4, 2)), rng.normal(size=(6, 4, 2))
    mask = np.arange(6)[:, None] < np.array([6, 2, 4, 3])
    wanted = ALL[name](targets[mask], predictions[mask])
    each = ALL[name](targets[mask], predictions[mask], per_output=True)
    for garbage in (0.0, 1e300, np.nan, np.inf):
        padded = [np.where(mask[..., None], array, garbage) for array in (targets, predictions)]
        assert ALL[name](*padded, mask) == pytest.approx(wanted, rel=1e-14)
        assert ALL[name](*padded, np.repeat(mask[..., None], 2, axis=2)) == pytest.approx(wanted, rel=1e-14)
        assert ALL[name](*padded, mask, per_output=True) == pytest.approx(each, rel=1e-14)
        if garbage == 0.0:
            assert ALL[name](*padded) != pytest.approx(wanted, rel=1e-6)  # the test would see padding that counts
    steps = ALL[name](targets[..., 0], predictions[..., 0], mask)  # (T, N) without an axis of outputs
    assert steps == pytest.approx(each[0], rel=1e-14)


@pytest.mark.parametrize("constant", [0.1, 0.0, 1 / 3, -1e9, 1e-300])
def test_constant_targets_are_told(constant):
    targets = [constant] * 7  # whose rounded mean may differ from each, and then R² would be some −1e31
    for predictions in (np.arange(7.0), targets):
        with pytest.raises(ArgumentError, match=re.escape(
            f"r2: every counted target is {constant}, expected targets that differ because R² divides by their variance"
        )):
            r2(targets, predictions)
        assert [r2(targets, predictions, zero_division=zero) for zero in (0, 1)] == [0.0, 1.0]
        assert math.isnan(r2(targets, predictions, zero_division=math.nan))


def test_one_constant_output_among_others_is_named():
    targets = np.array([[1.0, 5.0], [2.0, 5.0]])
    with pytest.raises(ArgumentError, match=re.escape("every targets[..., 1] is 5.0")):
        r2(targets, targets + 1, per_output=True)
    found = r2(targets, targets + 1, per_output=True, zero_division=math.nan)
    assert found.tolist() == pytest.approx([-3.0, math.nan], nan_ok=True)


def test_a_single_target_is_constant():
    with pytest.raises(ArgumentError, match=re.escape("every counted target is 2.0")):
        r2([2.0], [2.0])


def test_whole_numbers_and_float32_are_taken_as_float64():
    assert mse([100], np.array([-100], np.int8)) == 40000.0  # int8 would overflow
    assert mse(np.array([200], np.uint8), np.array([201], np.uint8)) == 1.0
    assert mae(np.array([0, 3], np.uint8), np.array([1, 1], np.uint8)) == 1.5
    small = np.array([1e-30, 3e-30], np.float32)
    assert mse(small, np.zeros(2, np.float32)) == pytest.approx(5e-60, rel=1e-6, abs=0)  # float32 would give 0
    assert mse(np.full(10, 0.1), np.full(10, 0.1, np.float32)) < 1e-17


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, 2.0], [[1.0], [2.0]]), ShapeError, "predictions has shape (2, 1), expected (2,), the shape of targets"),
        (([1.0, 2.0], [[1.0], [2.0]]), ShapeError, "predictions[..., 0]"),
        ((np.ones((2, 1)), np.ones(2)), ShapeError, "targets[..., 0]"),
        (([1.0, 2.0], [1.0]), ShapeError, "predictions has shape (1,), expected (2,)"),
        (([], []), ShapeError, "targets has shape (0,)"),
        ((1.0, 2.0), ShapeError, "targets has shape ()"),
        ((["1", "2"], [1, 2]), DtypeError, "targets has dtype <U1, expected real numbers"),
        (([True, False], [1, 0]), DtypeError, "Labels have metrics of their own"),
        (([1.0, None], [1, 0]), DtypeError, "targets has dtype object"),
        (([1j, 2], [1, 0]), DtypeError, "targets has dtype complex128"),
        (("12", "12"), DtypeError, "targets has dtype"),
        (([[1.0], [1.0, 2.0]], [1.0]), ShapeError, "targets is [[1.0], [1.0, 2.0]]"),
        (([1.0, np.nan], [1.0, 2.0]), ArgumentError, "targets has 1 counted entries that are not finite"),
        (([1.0, 2.0], [np.inf, 2.0]), ArgumentError, "predictions has 1 counted entries that are not finite"),
        (([1e200, 2.0], [-1e308, 2.0]), ArgumentError, "the sum of the errors is beyond float64"),
        (([1.0, 2.0], [1.0, 2.0], [True, True]), DtypeError, "mask has type list"),
        (([1.0, 2.0], [1.0, 2.0], np.array([1, 0])), DtypeError, "mask has dtype int64"),
        (([1.0, 2.0], [1.0, 2.0], np.array([True])), ShapeError, "mask has shape (1,), expected (2,)"),
        (([1.0, 2.0], [1.0, 2.0], np.zeros(2, bool)), ArgumentError, "mask is False everywhere"),
    ],
)
def test_refusals(name, arguments, error, message):
    if name == "mae" and "beyond" in message:
        arguments = ([1.7e308, 2.0], [-1.7e308, 2.0])
    with pytest.raises(error, match=re.escape(message)) as told:
        ALL[name](*arguments)
    assert str(told.value).startswith(f"{name}: ")


def test_one_value_an_output_takes_a_mask_of_its_targets():
    with pytest.raises(ShapeError, match=re.escape("mask has shape (2, 3), expected (2,)")):
        mse(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 3), bool), per_output=True)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"per_output": 1}, "per_output is 1, expected one of False, True"),
        ({"per_output": True}, "targets has shape (2,) with per_output=True, expected (…, K)"),
        ({"zero_division": 2}, "zero_division is 2, expected None, 0, 1 or nan"),
    ],
)
def test_refusals_of_choices(choices, message):
    with pytest.raises(ArgumentError, match=re.escape(f"r2: {message}")):
        r2([1.0, 2.0], [1.0, 3.0], **choices)
