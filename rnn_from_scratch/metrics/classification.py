r"""Metrics of classification (article §5 Q5): confusion matrix, accuracy, precision, recall, F1.

Targets come first, then predictions, as in scikit-learn, whose values these are; a mask (True where a target counts)
comes third, so that padding never does. What divides by zero is told, never silently 0: precision has no value for a
class that was never predicted, recall none for a class that never occurs.

Source: van Rijsbergen (1979), ch. 7; Sokolova & Lapalme (2009), table 3; notebook 14;
tests/metrics/test_classification.py, against values from scikit-learn (tests/reference/make_metrics.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array
from . import dividing
from .labels import Label, classes, pair, shown

AVERAGES = ("binary", "macro", "micro", "weighted", None)


def confusion_matrix(targets: Any, predictions: Any, mask: Array | None = None, *, labels: Any = None) -> Array:
    r"""Count how often each class was taken for each: the true class by row, the predicted one by column.

    .. math:: M_{ij} = \sum_t [\text{target}_t = i][\text{prediction}_t = j]

    Everything else here is made of it, and matrices of batches may simply be added (with `labels` given, so that
    they have one shape).

    Parameters
    ----------
    targets, predictions : (T, N), (N,) or any one shape
        Labels: whole numbers (bool counts as 0 and 1) or strings, as lists or arrays; targets first.
    mask : the same shape, bool, optional
        True where a target counts. Elsewhere both may hold anything.
    labels : list of K labels, optional
        The classes in the order of rows and columns; by default all that occur, sorted. All that occur must be there.

    Returns
    -------
    (K, K) int64

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Shapes that differ, logits or probabilities in place of labels, numbers beside strings, nothing that counts,
        a class that is not among `labels`.

    Source: Sokolova & Lapalme (2009), table 1; notebook 14; tests/metrics/test_classification.py.
    """
    return confusion("confusion_matrix", targets, predictions, mask, labels)[0]


def confusion(where: str, targets: Any, predictions: Any, mask: Array | None, labels: Any) -> tuple[Array, Array]:
    """Return the confusion matrix (K, K) and its classes (K,); errors name `where`."""
    wanted, found = pair(where, targets, predictions, mask)
    known = classes(where, labels, wanted, found)
    order = np.argsort(known)  # labels may come in any order; a binary search needs them sorted
    rows, columns = (order[np.searchsorted(known, part, sorter=order)] for part in (wanted, found))
    K = len(known)
    return np.bincount(rows * K + columns, minlength=K * K).reshape(K, K).astype(np.int64), known


def accuracy(targets: Any, predictions: Any, mask: Array | None = None) -> float:
    r"""Return the share, 0 … 1, of counted targets that were predicted.

    .. math:: \mathrm{accuracy} = \frac{1}{n} \sum_t [\text{prediction}_t = \text{target}_t]
              = \frac{\sum_k M_{kk}}{\sum_{ij} M_{ij}}

    Where one class is frequent, always naming it scores high: look at the recall of each class too (the mean of those
    is called balanced accuracy).

    Parameters
    ----------
    targets, predictions, mask
        As `confusion_matrix`.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `confusion_matrix`.

    Source: article §5 Q5; notebook 14; tests/metrics/test_classification.py.
    """
    wanted, found = pair("accuracy", targets, predictions, mask)
    return int((wanted == found).sum()) / wanted.size


def precision(
    targets: Any, predictions: Any, mask: Array | None = None, *, average: str | None = "binary",
    pos_label: Label = 1, labels: Any = None, zero_division: float | None = None,
) -> Any:
    r"""Return what share of the predictions of a class are right.

    .. math:: P_k = \frac{TP_k}{TP_k + FP_k} = \frac{M_{kk}}{\sum_i M_{ik}}

    Parameters
    ----------
    targets, predictions, mask, labels
        As `confusion_matrix`.
    average : "binary", "macro", "micro", "weighted" or None
        "binary": of the class `pos_label` alone, where there are two. None: one value a class, in the order of
        `labels`. "macro": their mean, each class alike. "weighted": their mean, each class by its number of targets.
        "micro": TP and FP summed over the classes first, which with one label a target is the accuracy.
    pos_label : label
        For "binary": the class that is looked for.
    zero_division : None, 0, 1 or nan
        The value of 0/0. None raises and names the class; 0, 1 or nan is taken in its place, and nan is left out of
        a mean. (scikit-learn warns and takes 0.)

    Returns
    -------
    float, or (K,) float64 for average=None

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `confusion_matrix`; a class that was never predicted; more than two classes with "binary".

    Source: van Rijsbergen (1979), ch. 7; Sokolova & Lapalme (2009), table 3; notebook 14;
    tests/metrics/test_classification.py.
    """
    return _score("precision", targets, predictions, mask, average, pos_label, labels, zero_division)


def recall(
    targets: Any, predictions: Any, mask: Array | None = None, *, average: str | None = "binary",
    pos_label: Label = 1, labels: Any = None, zero_division: float | None = None,
) -> Any:
    r"""Return what share of the targets of a class were found.

    .. math:: R_k = \frac{TP_k}{TP_k + FN_k} = \frac{M_{kk}}{\sum_j M_{kj}}

    Parameters
    ----------
    targets, predictions, mask, average, pos_label, labels, zero_division
        As `precision`.

    Returns
    -------
    float, or (K,) float64 for average=None

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `precision`; 0/0 is a class that never occurs among the targets.

    Source: van Rijsbergen (1979), ch. 7; Sokolova & Lapalme (2009), table 3; notebook 14;
    tests/metrics/test_classification.py.
    """
    return _score("recall", targets, predictions, mask, average, pos_label, labels, zero_division)


def f1(
    targets: Any, predictions: Any, mask: Array | None = None, *, average: str | None = "binary",
    pos_label: Label = 1, labels: Any = None, zero_division: float | None = None,
) -> Any:
    r"""Return the harmonic mean of precision and recall: high only where both are.

    .. math:: F_1 = \frac{2 P R}{P + R} = \frac{2\,TP}{2\,TP + FP + FN}

    By the second form it is 0 where a class is never predicted but occurs; 0/0 is a class that does neither.
    Averages are means of the classes' F1, not the F1 of averages.

    Parameters
    ----------
    targets, predictions, mask, average, pos_label, labels, zero_division
        As `precision`.

    Returns
    -------
    float, or (K,) float64 for average=None

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `precision`.

    Source: van Rijsbergen (1979), ch. 7 (F with β = 1); Opitz & Burst (2019) on the two macro F1; notebook 14;
    tests/metrics/test_classification.py.
    """
    return _score("f1", targets, predictions, mask, average, pos_label, labels, zero_division)


_LACKING = {  # metric: what a class lacks where its value is 0/0, and what is divided by
    "precision": ("no prediction is {}", "precision divides by the number of such predictions"),
    "recall": ("no target is {}", "recall divides by the number of such targets"),
    "f1": ("neither a target nor a prediction is {}", "F1 divides by the number of both"),
}


def fraction(metric: str, matrix: Array) -> tuple[Array, Array]:
    """Return numerator and denominator (K,) of "precision", "recall" or "f1" for each class of a confusion matrix."""
    right, actual, predicted = np.diagonal(matrix).copy(), matrix.sum(axis=1), matrix.sum(axis=0)
    if metric == "f1":
        return 2 * right, actual + predicted
    return right, (predicted if metric == "precision" else actual)


def _score(
    where: str, targets: Any, predictions: Any, mask: Array | None, average: str | None, pos_label: Label,
    labels: Any, zero_division: float | None,
) -> Any:
    validate.option(where, "average", average, AVERAGES)
    zero = dividing.zero_division(where, zero_division)
    matrix, known = confusion(where, targets, predictions, mask, labels)
    numerator, denominator = fraction(where, matrix)
    if average == "binary":
        one = _positive(where, pos_label, known)
        numerator, denominator = (np.zeros(1, np.int64), np.zeros(1, np.int64)) if one is None else (
            numerator[one], denominator[one])
        known = np.array([pos_label])
    elif isinstance(pos_label, bool) or pos_label != 1:
        validate.fail(where, f"pos_label is {pos_label!r} with average={average!r}", "average='binary'",
                      "an average over the classes has no positive one")
    if average == "micro":
        numerator, denominator = numerator.sum(keepdims=True), denominator.sum(keepdims=True)
    empty = np.flatnonzero(denominator == 0)
    if empty.size and zero is None:
        lacking, because = _LACKING[where]
        names = ", ".join(shown(known[index]) for index in empty[:5]) + (", …" if empty.size > 5 else "")
        validate.fail(where, lacking.format(names), "at least one", f"{because}, and 0/0 has no value",
                      "Say what it shall count as: zero_division=0, 1 or nan.")
    values = dividing.divide(numerator, denominator, 0.0 if zero is None else zero)
    if average is None:
        return values
    return dividing.mean(values, matrix.sum(axis=1) if average == "weighted" else None)


def _positive(where: str, pos_label: Any, known: Array) -> Array | None:
    """Return the positive class's place (1,), or None where only the other one occurs."""
    if len(known) > 2:
        validate.fail(
            where, f"average is 'binary' with the {len(known)} classes {known.tolist()!r:.60}", "two classes",
            "binary looks for one class against the other",
            "Try average='macro', 'weighted' or None. Padding belongs in the mask.",
        )
    same_kind = isinstance(pos_label, str) == (known.dtype.kind == "U")
    whole = isinstance(pos_label, str | int | np.integer)
    if not whole or not same_kind or (len(known) == 2 and pos_label not in known.tolist()):
        validate.fail(where, f"pos_label is {pos_label!r}", f"one of {known.tolist()!r}", "those are the classes")
    place = np.flatnonzero(known == pos_label)
    return place if place.size else None
