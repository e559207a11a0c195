r"""Precision, recall and F1 of every class as one table, and what has no value said in words.

Source: article §5 Q5; notebook 14; tests/metrics/test_report.py.
"""

from __future__ import annotations

import html
import math
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from .classification import confusion, fraction
from .dividing import divide, mean
from .labels import Label, classes, shown

NO_VALUE = "0/0"
_HEAD = ("precision", "recall", "F1", "targets", "predicted")


class ClassScores(NamedTuple):
    """One class, or an average over classes; NaN where the value is 0/0."""

    label: Label
    precision: float
    recall: float
    f1: float
    targets: int  # how many targets are of this class (scikit-learn's support)
    predicted: int  # how many predictions are


class ClassificationReport(NamedTuple):
    """A row a class, the averages under them, and `notes`: which values have none. Prints, and shows, as a table."""

    classes: tuple[ClassScores, ...]
    accuracy: float
    macro: ClassScores  # the mean over classes, each alike; a class without a value is left out and noted
    weighted: ClassScores  # the mean over classes, each by its targets
    confusion: Array  # (K, K), true class by row
    notes: tuple[str, ...]

    def of(self, label: Label) -> ClassScores:
        """Return the scores of one class."""
        found = [row for row in self.classes if row.label == label]
        if not found or isinstance(label, bool):
            known = [row.label for row in self.classes]
            validate.fail("ClassificationReport.of", f"label is {label!r}", f"one of {known!r}")
        return found[0]

    def __str__(self) -> str:
        """Return the table as text."""
        rows = [("", *_HEAD), *self._rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [
            "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        """Return the same table: what a session shows of a value."""
        return str(self)

    def _repr_html_(self) -> str:
        """Return the table for a notebook, with header scope for screen readers."""
        head = "".join(f'<th scope="col">{name}</th>' for name in ("class", *_HEAD))
        body = "".join(
            f'<tr><th scope="row">{html.escape(name)}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
            for name, *cells in self._rows()
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def _rows(self) -> list[tuple[str, ...]]:
        total = str(sum(row.targets for row in self.classes))
        return [
            *(_cells(str(row.label), row) for row in self.classes),
            ("accuracy", "", "", _text(self.accuracy), total, total),
            _cells("macro mean", self.macro), _cells("weighted mean", self.weighted),
        ]


def _cells(name: str, row: ClassScores) -> tuple[str, ...]:
    return (name, *map(_text, (row.precision, row.recall, row.f1)), str(row.targets), str(row.predicted))


def _text(value: float) -> str:
    return NO_VALUE if math.isnan(value) else f"{value:.4f}"


def classification_report(
    targets: Any, predictions: Any, mask: Array | None = None, *, labels: Any = None
) -> ClassificationReport:
    """Return precision, recall and F1 of every class, their means and the accuracy, as a table.

    A value that is 0/0 is NaN, reads 0/0 in the table, is left out of the means, and a note names the class: the
    report never raises for it, and never takes 0 silently. (scikit-learn's report with zero_division=nan has the same
    numbers.)

    Parameters
    ----------
    targets, predictions, mask, labels
        As `confusion_matrix`: targets first.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `confusion_matrix`.

    Source: article §5 Q5; Sokolova & Lapalme (2009), table 3; notebook 14; tests/metrics/test_report.py.
    """
    matrix, known = confusion("classification_report", targets, predictions, mask, labels)
    return _report(matrix, known)


def report_of_confusion(confusion: Any, labels: Any = None) -> ClassificationReport:
    """Return the report of a confusion matrix, such as the sum of those of many batches.

    So nothing is averaged over batches: a mean of their F1 is not the F1 of all.

    Parameters
    ----------
    confusion : (K, K) int
        Counts, the true class by row.
    labels : list of K labels, optional
        By default 0 … K − 1.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        A matrix that is not square or not of counts, all of it 0, or labels that do not fit.

    Source: notebook 14; tests/metrics/test_report.py.
    """
    where = "report_of_confusion"
    matrix = validate.as_array(where, "confusion", confusion)
    if not np.issubdtype(matrix.dtype, np.integer):
        validate.fail(where, f"confusion has dtype {matrix.dtype}", "whole numbers", "its entries are counts",
                      "Shares of rows lose how many there are.", validate.DtypeError)
    validate.shape(where, "confusion", matrix, ("K", "K"), "the true class is the row, the predicted one the column")
    matrix = matrix.astype(np.int64)
    if matrix.size == 0 or (matrix < 0).any() or not matrix.any():
        validate.fail(where, f"confusion is {matrix.tolist()!r:.60}", "counts of at least 0, not all 0",
                      "there is nothing to measure")
    known = classes(where, np.arange(len(matrix)) if labels is None else labels)
    validate.shape(where, "labels", known, (len(matrix),), "each row has one")
    return _report(matrix, known)


def _report(matrix: Array, known: Array) -> ClassificationReport:
    actual, predicted, total = matrix.sum(axis=1), matrix.sum(axis=0), int(matrix.sum())
    P, R, F = (divide(*fraction(name, matrix), np.nan) for name in ("precision", "recall", "f1"))
    rows = tuple(
        ClassScores(label, float(P[k]), float(R[k]), float(F[k]), int(actual[k]), int(predicted[k]))
        for k, label in enumerate(known.tolist())
    )
    macro, weighted = (
        ClassScores(name, mean(P, weights), mean(R, weights), mean(F, weights), total, total)
        for name, weights in (("macro mean", None), ("weighted mean", actual))
    )
    notes = tuple(
        f"No {what} is {', '.join(map(shown, known[counts == 0]))}: {metric} is 0/0 there, no number, and left out "
        "of the means."
        for what, metric, counts in (("prediction", "precision", predicted), ("target", "recall", actual))
        if (counts == 0).any()
    )
    return ClassificationReport(rows, float(np.trace(matrix)) / total, macro, weighted, matrix, notes)
