"""Classification: scikit-learn's values, a case counted by hand, padding that never counts, 0/0, every refusal."""

import json
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.metrics import accuracy, confusion_matrix, f1, precision, recall
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

FILE = Path(__file__).parents[1] / "reference" / "sklearn_metrics.json"
CASES = json.loads(FILE.read_text(encoding="utf-8"))["classification"]
SCORES = {"precision": precision, "recall": recall, "f1": f1}
ALL = {"confusion_matrix": confusion_matrix, "accuracy": accuracy, **SCORES}


def same(found, wanted):
    wanted = np.array(wanted, dtype=float)  # null is NaN
    assert np.shape(found) == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12, equal_nan=True)


# Against scikit-learn (tests/reference/make_metrics.py)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_the_values_are_scikit_learns(number):
    case = CASES[number]
    targets, predictions = np.array(case["targets"]), np.array(case["predictions"])
    assert confusion_matrix(targets, predictions).tolist() == case["confusion"]
    same(accuracy(targets, predictions), case["accuracy"])
    same(recall(targets, predictions, average="macro", zero_division=math.nan), case["balanced"])
    for name, average, label, zero, value in case["scores"]:
        choice = {} if label is None else {"pos_label": label}
        zero = math.nan if zero is None else zero
        same(SCORES[name](targets, predictions, average=average, zero_division=zero, **choice), value)


def test_the_cases_hold_what_can_go_wrong():
    assert len(CASES) >= 80
    assert sum(isinstance(case["labels"][0], str) for case in CASES) >= 10
    assert sum(len(case["labels"]) == 2 for case in CASES) >= 10
    assert sum(len(case["labels"]) == 1 for case in CASES) >= 2
    for axis in (0, 1):  # a class never predicted, a class that never occurs
        assert sum((np.sum(case["confusion"], axis=axis) == 0).any() for case in CASES) >= 10
    assert any(value is None for case in CASES for *_, value in case["scores"])


@pytest.mark.parametrize("number", range(0, len(CASES), 7))
def test_the_values_are_the_definitions_counted_with_fractions(number):
    """A second way: loops over pairs, exact arithmetic, no matrix."""
    case = CASES[number]
    both = list(zip(case["targets"], case["predictions"], strict=True))
    found = {name: score(*zip(*both, strict=True), average=None, zero_division=0) for name, score in SCORES.items()}
    for place, k in enumerate(case["labels"]):
        right = sum(t == k == p for t, p in both)
        actual, predicted = sum(t == k for t, _ in both), sum(p == k for _, p in both)
        P, R = Fraction(right, predicted or 1), Fraction(right, actual or 1)
        F = 2 * P * R / (P + R) if P + R else Fraction(0)
        assert [found[name][place] for name in SCORES] == pytest.approx([float(v) for v in (P, R, F)], abs=1e-15)


# By hand: 10 targets, class 1 is rare

TARGETS, PREDICTIONS = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1, 1, 1, 1, 0]


def test_by_hand():
    assert confusion_matrix(TARGETS, PREDICTIONS).tolist() == [[5, 2], [1, 2]]  # true by row, predicted by column
    assert accuracy(TARGETS, PREDICTIONS) == 0.7
    assert precision(TARGETS, PREDICTIONS) == 2 / 4
    assert recall(TARGETS, PREDICTIONS) == 2 / 3
    assert f1(TARGETS, PREDICTIONS) == pytest.approx(4 / 7, abs=1e-15)
    assert precision(TARGETS, PREDICTIONS, pos_label=0) == 5 / 6
    assert precision(TARGETS, PREDICTIONS, average=None).tolist() == [5 / 6, 0.5]
    assert recall(TARGETS, PREDICTIONS, average="macro") == pytest.approx((5 / 7 + 2 / 3) / 2, abs=1e-15)
    assert recall(TARGETS, PREDICTIONS, average="weighted") == pytest.approx(0.7, abs=1e-15)
    assert precision(TARGETS, PREDICTIONS, average="weighted") == pytest.approx((7 * 5 / 6 + 3 / 2) / 10, abs=1e-15)
    assert f1(TARGETS, PREDICTIONS, average="micro") == 0.7


def test_what_comes_back_is_plain():
    assert type(accuracy(TARGETS, PREDICTIONS)) is float
    assert {type(score(TARGETS, PREDICTIONS)) for score in SCORES.values()} == {float}
    assert confusion_matrix(TARGETS, PREDICTIONS).dtype == np.int64
    assert precision(TARGETS, PREDICTIONS, average=None).dtype == np.float64


def test_labels_give_the_order_and_classes_that_do_not_occur():
    found = confusion_matrix(["b", "a", "b"], ["b", "b", "a"], labels=["b", "c", "a"])
    assert found.tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 0]]
    values = recall(["b", "a", "b"], ["b", "b", "a"], labels=["b", "c", "a"], average=None, zero_division=math.nan)
    same(values, [0.5, None, 0.0])
    batches = [confusion_matrix(TARGETS[part], PREDICTIONS[part], labels=[0, 1]) for part in (slice(4), slice(4, 10))]
    assert sum(batches).tolist() == [[5, 2], [1, 2]]


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64, bool])
def test_kinds_of_whole_numbers_are_the_same_labels(kind):
    targets, predictions = np.array(TARGETS, dtype=kind), np.array(PREDICTIONS)
    assert f1(targets, predictions) == f1(TARGETS, PREDICTIONS)
    assert confusion_matrix(targets, predictions).tolist() == [[5, 2], [1, 2]]


def test_large_labels_are_exact():
    """Beside signed numbers NumPy makes floats of unsigned ones, and 2⁶⁰ + 1 is none."""
    targets, predictions = np.array([2**60, 2**60 + 1], np.uint64), np.array([2**60, 2**60])
    assert accuracy(targets, predictions) == 0.5
    assert confusion_matrix(targets, predictions).tolist() == [[1, 0], [1, 0]]


def test_many_small_labels_do_not_overflow():
    targets = np.arange(200, dtype=np.uint8)
    assert np.trace(confusion_matrix(targets, targets)) == 200


# Sequences and padding


@pytest.mark.parametrize("name", ALL)
def test_padding_never_counts(name):
    rng = np.random.default_rng(3)
    T, N = 6, 4
    targets, predictions = rng.integers(0, 2, (T, N)), rng.integers(0, 2, (T, N))
    mask = np.arange(T)[:, None] < np.array([6, 2, 4, 3])
    wanted = ALL[name](targets[mask], predictions[mask])
    for garbage in (-1, -100, 7, 1):
        padded = [np.where(mask, array, garbage) for array in (targets, predictions)]
        assert np.array_equal(ALL[name](*padded, mask), wanted)
    alone = [ALL[name](targets[mask].tolist(), predictions[mask].tolist())]
    assert np.array_equal(alone[0], wanted)
    assert not np.array_equal(ALL[name](targets, predictions), wanted)  # the test would see padding that counts


# 0/0


def test_zero_over_zero_is_told_not_0():
    with pytest.raises(ArgumentError, match=re.escape(
        "precision: no prediction is 1, expected at least one because precision divides by the number of such "
        "predictions, and 0/0 has no value. Say what it shall count as: zero_division=0, 1 or nan."
    )):
        precision([0, 0, 1], [0, 0, 0])
    with pytest.raises(ArgumentError, match="recall: no target is 'b'"):
        recall(["a", "a"], ["a", "b"], average="macro")
    with pytest.raises(ArgumentError, match="f1: neither a target nor a prediction is 2"):
        f1([0, 1], [0, 1], average=None, labels=[0, 1, 2])
    with pytest.raises(ArgumentError, match="precision: no prediction is 1, 2, 3, 4, 5, …"):
        precision(range(8), [0] * 8, average="weighted")
    assert recall([0, 0, 1], [0, 0, 0]) == 0.0  # found none of one: a number
    assert f1([0, 0, 1], [0, 0, 0]) == 0.0


def test_zero_division_stands_in():
    arguments = ([0, 0, 1], [0, 0, 0])
    assert [precision(*arguments, zero_division=zero) for zero in (0, 1)] == [0.0, 1.0]
    assert math.isnan(precision(*arguments, zero_division=math.nan))
    assert precision(*arguments, average="macro", zero_division=math.nan) == 2 / 3  # NaN is left out of a mean
    assert precision(*arguments, average="macro", zero_division=0) == 1 / 3
    assert precision([0, 0], [0, 0], zero_division=1) == 1.0  # only the other class occurs


# Refusals


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], [0.2, 0.9]), DtypeError, "predictions has dtype float64, expected labels: whole numbers or strings"),
        (([0, 1], np.ones((2, 2))), DtypeError, "predictions.argmax(axis=-1)"),
        ((np.ones(2, np.float32), [0, 1]), DtypeError, "(targets > 0.5).astype(int)"),
        (([0, 1], np.array([1j, 0])), DtypeError, "predictions has dtype complex128"),
        (([0, 1], [[1, 0], [0, 1]]), ShapeError, "One row a class becomes a label by predictions.argmax(axis=-1)"),
        (([[0], [1]], [0, 1]), ShapeError, "a column by targets[..., 0]"),
        (([0, 1], [0, 1, 1]), ShapeError, "predictions has shape (3,), expected (2,)"),
        (([0, 1], [1]), ShapeError, "predictions has shape (1,), expected (2,)"),
        (([], []), ArgumentError, "targets is empty"),
        ((np.zeros((0, 3), int), np.zeros((0, 3), int)), ArgumentError, "targets is empty"),
        (([0, 1], ["0", "1"]), DtypeError, "targets are whole numbers beside predictions that are strings"),
        (([0, "a"], [0, 1]), DtypeError, "targets holds int and str"),
        (([True, 2], [0, 1]), DtypeError, "targets holds bool and int"),
        (([0, None], [0, 1]), DtypeError, "targets has dtype object"),
        (([[0, 1], [1]], [0, 1]), ShapeError, "targets is [[0, 1], [1]]"),
        (("01", "01"), DtypeError, "targets is a str"),
        ((1, 1), DtypeError, "targets is a int"),
        ((None, [0]), DtypeError, "targets is a NoneType"),
        ((np.array(1), np.array(1)), DtypeError, "targets"),
        (({0: 1}, [0]), DtypeError, "targets"),
        ((np.array([0, 2**63], np.uint64), [0, 1]), ArgumentError, "targets goes up to 9223372036854775808"),
        ((np.ma.array([0, 1]), [0, 1]), DtypeError, "targets is a MaskedArray"),
        ((np.array(["2020-01-01"], "M8[D]"), [0]), DtypeError, "targets has dtype datetime64[D]"),
        (([0, 1], [0, 1], [True, True]), DtypeError, "mask has type list, expected a boolean array"),
        (([0, 1], [0, 1], np.array([1, 1])), DtypeError, "mask has dtype int64"),
        (([0, 1], [0, 1], np.array([True])), ShapeError, "mask has shape (1,), expected (2,)"),
        (([0, 1], [0, 1], np.array([False, False])), ArgumentError, "mask is False everywhere"),
    ],
)
def test_refusals_of_every_metric(name, arguments, error, message):
    with pytest.raises(error, match=re.escape(message)) as told:
        ALL[name](*arguments)
    assert str(told.value).startswith(f"{name}: ")


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(
    ("arguments", "choices", "message"),
    [
        (([0, 1, 2], [0, 1, 1]), {}, "average is 'binary' with the 3 classes [0, 1, 2], expected two classes"),
        (([0, 1], [0, 1]), {"pos_label": 2}, "pos_label is 2, expected one of [0, 1]"),
        (([0, 1], [0, 1]), {"pos_label": "1"}, "pos_label is '1', expected one of [0, 1]"),
        (([0, 1], [0, 1]), {"pos_label": 1.0}, "pos_label is 1.0, expected one of [0, 1]"),
        ((["a", "b"], ["a", "b"]), {}, "pos_label is 1, expected one of ['a', 'b']"),
        (([0, 1], [0, 1]), {"pos_label": 0, "average": "macro"}, "pos_label is 0 with average='macro'"),
        (([0, 1], [0, 1]), {"average": "samples"}, "average is 'samples', expected one of 'binary', 'macro', 'micro'"),
        (([0, 1], [0, 1]), {"average": 1}, "average is 1, expected one of"),
        (([0, 1], [0, 1]), {"zero_division": "warn"}, "zero_division is 'warn', expected None, 0, 1 or nan"),
        (([0, 1], [0, 1]), {"zero_division": 0.5}, "zero_division is 0.5, expected None, 0, 1 or nan"),
        (([0, 1], [0, 1]), {"zero_division": True}, "zero_division is True, expected None, 0, 1 or nan"),
        (([0, 2], [0, 2]), {"labels": [0, 1], "average": None}, "labels is [0, 1], without 2"),
        (([0, 1], [0, 1]), {"labels": [0, 1, 1], "average": None}, "labels has 1 twice"),
        (([0, 1], [0, 1]), {"labels": ["0", "1"], "average": None}, "labels are strings, expected whole numbers"),
        (([0, 1], [0, 1]), {"labels": 2, "average": None}, "labels is a int"),
        (([0, 1], [0, 1]), {"labels": [], "average": None}, "labels has shape (0,)"),
        (([0, 1], [0, 1]), {"labels": [[0], [1]], "average": None}, "labels has shape (2, 1)"),
        (([0, 1], [0, 1]), {"labels": [0.0, 1.0], "average": None}, "labels has dtype float64"),
    ],
)
def test_refusals_of_choices(name, arguments, choices, message):
    with pytest.raises(ArgumentError, match=re.escape(f"{name}: {message}")):
        SCORES[name](*arguments, **choices)


def test_what_padding_holds_is_not_refused():
    mask = np.array([True, True, False])
    assert accuracy(np.array([0, 1, 2**63], np.uint64), np.array([0, 1, -1]), mask) == 1.0
