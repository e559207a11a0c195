"""The report: its numbers are the metrics', 0/0 stands in the table and in a note, and batches are joined by counts."""

import math
import re

import numpy as np
import pytest

from rnn_from_scratch.metrics import (
    accuracy,
    classification_report,
    confusion_matrix,
    f1,
    precision,
    recall,
    report_of_confusion,
)
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

TARGETS, PREDICTIONS = ["cat", "cat", "dog", "owl", "owl", "owl"], ["cat", "owl", "owl", "owl", "owl", "cat"]


def test_the_table_as_it_prints():
    assert str(classification_report(TARGETS, PREDICTIONS)) == (
        "               precision  recall      F1  targets  predicted\n"
        "cat               0.5000  0.5000  0.5000        2          2\n"
        "dog                  0/0  0.0000  0.0000        1          0\n"
        "owl               0.5000  0.6667  0.5714        3          4\n"
        "accuracy                          0.5000        6          6\n"
        "macro mean        0.5000  0.3889  0.3571        6          6\n"
        "weighted mean     0.5000  0.5000  0.4524        6          6\n"
        "No prediction is 'dog': precision is 0/0 there, no number, and left out of the means."
    )


def test_a_class_without_targets_is_noted_and_one_with_all_is_not():
    report = classification_report([0, 0], [0, 1])
    assert report.notes == ("No target is 1: recall is 0/0 there, no number, and left out of the means.",)
    assert math.isnan(report.of(1).recall)
    assert report.of(1).precision == 0.0
    assert classification_report([0, 1], [1, 0]).notes == ()


@pytest.mark.parametrize("seed", range(5))
def test_its_numbers_are_the_metrics(seed):
    rng = np.random.default_rng(seed)
    targets, predictions = rng.integers(0, 4, (2, 7, 3))
    mask = rng.random((7, 3)) < 0.5
    report = classification_report(targets, predictions, mask, labels=range(5))
    for name, score in (("precision", precision), ("recall", recall), ("f1", f1)):
        choices = {"labels": range(5), "zero_division": math.nan}
        each = score(targets, predictions, mask, average=None, **choices)
        np.testing.assert_array_equal([getattr(row, name) for row in report.classes], each)
        for average in ("macro", "weighted"):
            value = score(targets, predictions, mask, average=average, **choices)
            assert getattr(getattr(report, average), name) == value
    assert report.accuracy == accuracy(targets, predictions, mask)
    np.testing.assert_array_equal(report.confusion, confusion_matrix(targets, predictions, mask, labels=range(5)))
    assert [row.targets for row in report.classes] == report.confusion.sum(axis=1).tolist()
    assert [row.predicted for row in report.classes] == report.confusion.sum(axis=0).tolist()


def test_batches_are_joined_by_their_counts():
    parts = (slice(0, 2), slice(2, 6))
    total = sum(confusion_matrix(TARGETS[p], PREDICTIONS[p], labels=["cat", "dog", "owl"]) for p in parts)
    assert str(report_of_confusion(total, ["cat", "dog", "owl"])) == str(classification_report(TARGETS, PREDICTIONS))
    assert report_of_confusion([[1, 0], [1, 2]]).of(1) == (1, 1.0, 2 / 3, 0.8, 3, 2)


def test_it_shows_as_a_table_in_a_session():
    report = classification_report(TARGETS, PREDICTIONS)
    assert repr(report) == str(report)


def test_it_shows_as_a_table_in_a_notebook():
    found = classification_report(["<b>", "x"], ["x", "x"])._repr_html_()
    assert found.count('<th scope="col">') == 6
    assert found.count('<th scope="row">') == 5
    assert "&lt;b&gt;" in found
    assert "<b>" not in found
    assert "<td>0/0</td>" in found
    assert "<p>No prediction is &#x27;&lt;b&gt;&#x27;" in found


def test_the_report_keeps_its_own_matrix():
    matrix = np.array([[1, 2], [3, 4]])
    report = report_of_confusion(matrix)
    matrix[:] = 0
    assert report.confusion.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0, 0.0], [0.0, 1.0]],), DtypeError, "confusion has dtype float64, expected whole numbers"),
        (([[1, 2, 3], [4, 5, 6]],), ShapeError, "confusion has shape (2, 3), expected (K, K)"),
        (([1, 2],), ShapeError, "confusion has shape (2,), expected (K, K)"),
        (([[1, -1], [0, 1]],), ArgumentError, "expected counts of at least 0, not all 0"),
        (([[0, 0], [0, 0]],), ArgumentError, "expected counts of at least 0, not all 0"),
        ((np.zeros((0, 0), int),), ArgumentError, "confusion"),
        (([[True]],), DtypeError, "confusion has dtype bool"),
        (([[1, 0], [0, 1]], ["a"]), ShapeError, "labels has shape (1,), expected (2,)"),
        (([[1, 0], [0, 1]], ["a", "a"]), ArgumentError, "labels has 'a' twice"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)) as told:
        report_of_confusion(*arguments)
    assert str(told.value).startswith("report_of_confusion: ")


def test_refusals_name_the_report():
    with pytest.raises(DtypeError, match="classification_report: predictions has dtype float64"):
        classification_report([0, 1], [0.2, 0.8])
    report = classification_report(TARGETS, PREDICTIONS)
    for label in ("cow", 1, None):
        message = f"label is {label!r}, expected one of ['cat', 'dog', 'owl']"
        with pytest.raises(ArgumentError, match=re.escape(message)):
            report.of(label)
    with pytest.raises(ArgumentError, match=re.escape("label is True, expected one of [0, 1]")):
        report_of_confusion([[1, 0], [0, 1]]).of(True)
