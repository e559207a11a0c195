"""Exercises of notebook 14: measure a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..metrics import recall, report_of_confusion
from .comparing import unchanged
from .marking import Exercise

# 2: from a confusion matrix

_MATRICES = [[[50, 3, 2], [4, 20, 6], [5, 0, 10]], [[8, 2, 0], [1, 9, 0], [3, 1, 0]]]  # the last class is never named


def _over_matrices(score: Callable[[Array], Any]) -> Array:
    """Return a student's score of each matrix, given a copy of its own."""
    found = []
    for matrix in _MATRICES:
        given = np.array(matrix)
        found.append(score(given))
        unchanged(matrix=(given, np.array(matrix)))
    return np.array(found)


def _scored(name: str) -> Callable[[], Array]:
    """What a typical mistake scores."""

    def score(matrix: Array) -> Any:
        right, actual, predicted = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        P, R, f = right / np.maximum(predicted, 1), right / actual, 2 * right / (actual + predicted)
        never = np.where((predicted == 0).any(), np.nan, 0.0)  # what 0/0 makes of a mean
        return {
            "of means": 2 * P.mean() * R.mean() / (P.mean() + R.mean()), "weighted": np.average(f, weights=actual),
            "accuracy": right.sum() / actual.sum(), "named": f[predicted > 0].mean(), "half": f.mean() / 2,
            "recall": R.mean(), "precision": P.mean(), "each": f, "through P": f.mean() + never,
            "0/0 for P": P.mean() + never,
        }[name]

    return lambda: _over_matrices(score)


# 4: recall with padding

_T, _N = 6, 3
_MASK = np.arange(_T)[:, None] < np.array([6, 3, 4])


def _padded() -> tuple[Array, Array]:
    """Targets and predictions (T, N) of two classes; on padding the target is 1 and the prediction 0."""
    rng = np.random.default_rng(14)
    targets, predictions = rng.integers(0, 2, (_T, _N)), rng.integers(0, 2, (_T, _N))
    return np.where(_MASK, targets, 1), np.where(_MASK, predictions, 0)


def _masked(score: Callable[..., Any]) -> Array:
    """Return a student's score of both classes, given arrays of its own."""
    found = []
    for k in (0, 1):
        given = (*_padded(), _MASK.copy())
        found.append(score(*given, k))
        unchanged(**{name: (array, before) for name, array, before in
                     zip(("targets", "predictions", "mask"), given, (*_padded(), _MASK), strict=True)})
    return np.array(found)


def _quotient(name: str, padding: bool = False) -> Callable[[], Array]:
    """What a typical mistake gives, with padding or without."""

    def score(targets: Array, predictions: Array, mask: Array, k: int) -> Any:
        keep = np.ones_like(mask) if padding else mask
        t, p = targets[keep], predictions[keep]
        found = np.sum((t == k) & (p == k))
        return {
            "recall": found / np.sum(t == k), "precision": found / np.sum(p == k), "accuracy": np.mean(t == p),
            "of all": found / len(t), "of cells": found / targets.size, "said": np.mean(p == k),
            "F1": 2 * found / (np.sum(t == k) + np.sum(p == k)), "other": np.sum((t != k) & (p != k)) / np.sum(t != k),
        }[name]

    return lambda: _masked(score)


EXERCISES: dict[str, Exercise] = {
    "14-by-hand": Exercise(
        title="Precision, recall and F1 of an event",
        expected=(5 / 9, 5 / 8, 10 / 17),
        wrong={
            "precision and recall exchanged: precision divides by a column, recall by a row.": (5 / 8, 5 / 9, 10 / 17),
            "the arithmetic mean for F1: it is the harmonic one.": (5 / 9, 5 / 8, (5 / 9 + 5 / 8) / 2),
            "the scores of the class \"no event\".": (880 / 910, 880 / 920, 2 * 880 / 1830),
            "divided by all 1000 targets: each score has a denominator of its own.": (0.05, 0.05, 0.05),
            "the geometric mean for F1: it is the harmonic one.": (5 / 9, 5 / 8, 5 / np.sqrt(72)),
            "PR/(P + R) for F1: twice that.": (5 / 9, 5 / 8, 5 / 17),
            "the accuracy for F1.": (5 / 9, 5 / 8, 0.93),
            "for recall the share of \"no event\" that was kept: recall asks how many events were found.":
                (5 / 9, 880 / 920, 2 * (5 / 9) * (880 / 920) / (5 / 9 + 880 / 920)),
        },
        hint="TP = 50. What stands beside it in its column, what in its row?",
    ),
    "14-macro": Exercise(
        title="Macro F1 of a confusion matrix",
        points=2,
        run=_over_matrices,
        expected=lambda: np.array([report_of_confusion(matrix).macro.f1 for matrix in _MATRICES]),
        tolerance=1e-10,
        wrong={
            "the F1 of mean precision and mean recall: macro F1 is the mean of the classes' F1.": _scored("of means"),
            "weighted F1: in the macro mean each class counts alike.": _scored("weighted"),
            "the accuracy, which is micro F1.": _scored("accuracy"),
            "without the class that is never predicted: its F1 is 0, and that counts.": _scored("named"),
            "half of it: F1 has 2 TP above.": _scored("half"),
            "the mean recall.": _scored("recall"),
            "the mean precision.": _scored("precision"),
            "the mean precision, which is 0/0 for a class that is never predicted.": _scored("0/0 for P"),
            "right but for a class that is never predicted: its precision is 0/0, but 2 TP / (2 TP + FP + FN) is 0.":
                _scored("through P"),
            "the F1 of each class: their mean is asked for.": _scored("each"),
        },
        hint="F1 of class k is 2·M[k, k] / (row k + column k).",
    ),
    "14-threshold": Exercise(
        title="Where a miss costs twenty false alarms",
        expected=1 / 21,
        wrong={
            "the threshold of equal costs.": 0.5,
            "1/20: compare 20·p with 1 − p, not with 1.": 1 / 20,
            "the costs exchanged: with a dear miss one says \"event\" earlier, not later.": 20 / 21,
            "the odds p / (1 − p), inverted: solve for p.": 20.0,
            "the threshold of the text: there a miss cost ten false alarms.": 1 / 11,
            "1 − 1/20: with a dear miss one says \"event\" earlier, not later.": 19 / 20,
            "from 20·p = 1 + p: to call costs only where nothing was, with probability 1 − p.": 1 / 19,
        },
        hint="Saying \"event\" costs (1 − p)·1 on average, saying nothing p·20. Where are they equal?",
    ),
    "14-masked": Exercise(
        title="Recall without padding",
        points=2,
        run=_masked,
        expected=lambda: _masked(lambda t, p, mask, k: recall(t, p, mask, pos_label=k)),
        tolerance=1e-10,
        wrong={
            "the recall with padding: where the mask is False nothing counts.": _quotient("recall", padding=True),
            "the precision: recall divides by the targets of class k.": _quotient("precision"),
            "the accuracy: recall asks about class k alone.": _quotient("accuracy"),
            "divided by all counted targets, not by those of class k.": _quotient("of all"),
            "the accuracy with padding.": _quotient("accuracy", padding=True),
            "the precision with padding: recall divides by targets, and padding does not count.":
                _quotient("precision", padding=True),
            "the F1: the share of the targets alone is asked for.": _quotient("F1"),
            "the recall of the other class.": _quotient("other"),
            "divided by all cells, padding too: divide by the targets of class k that count.": _quotient("of cells"),
            "the share of the predictions that are class k: were they right?": _quotient("said"),
        },
        hint="targets[mask] and predictions[mask] are what counts.",
    ),
    "14-joined": Exercise(
        title="The perplexity of two batches",
        expected=2**2.5,
        wrong={
            "the perplexity of the plain mean: the first batch has three times as many targets.": 8.0,
            "the mean of the perplexities, weighted: join the cross-entropies first.": 7.0,
            "the plain mean of the perplexities: join the cross-entropies first, by their counts.": 10.0,
            "the mean cross-entropy in bits: perplexity is 2 to that power.": 2.5,
            "the mean cross-entropy in nats: perplexity is e to that power.": 2.5 * np.log(2.0),
            "2 to the power of nats: nats go with e.": 2 ** (2.5 * np.log(2.0)),
            "e to the power of bits: bits go with 2.": np.exp(2.5),
            "the counts exchanged: the perplexity 4 belongs to 30 letters.": 2**3.5,
        },
        hint="First the mean over all 40 targets.",
    ),
}
