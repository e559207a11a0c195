"""Exercises of notebook 02: losses."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..activations import softmax
from ..arrays import Array
from ..cells import RNNCell
from ..data import laugh, laugh_letters
from ..layers import Recurrent
from ..losses import softmax_cross_entropy
from ..models import SequenceModel
from .comparing import unchanged
from .marking import Exercise

_Y = np.log([1.0, 2.0, 5.0])
_TARGET = np.array([1])
_LOGITS = np.log([[1.0, 2.0, 5.0], [6.0, 1.0, 3.0]])  # the rows have different sums
_TARGETS = np.array([1, 2])
_HOT = np.eye(3)[_TARGETS]
_MASK = np.array([[True, True], [True, True], [True, False], [True, False]])


def _losses() -> Array:
    """Each letter's loss in the batch of "haha!" and "ah!", zeros on padding."""
    example = laugh()
    model = SequenceModel(Recurrent(RNNCell(3, 2)), 3)
    losses = np.zeros(_MASK.shape)
    for n, word in enumerate(("haha!", "ah!")):
        xs, targets = laugh_letters(word)
        p = model.predict(example.params, xs, example.state)[:, 0]
        losses[: len(xs), n] = -np.log(p[np.arange(len(xs)), targets[:, 0]])
    return losses


def _masked(mean: Callable[[Array, Array], Any]) -> tuple[Any, Any, Any]:
    losses = _losses()
    none = np.zeros(_MASK.shape, bool)
    return (
        mean(losses.copy(), _MASK.copy()), mean(np.where(_MASK, losses, np.nan), _MASK.copy()), mean(losses, none),
    )


def _gradient(gradient: Callable[[Array, Array], Any]) -> Any:
    y, targets = _LOGITS.copy(), _TARGETS.copy()
    found = gradient(y, targets)
    unchanged(y=(y, _LOGITS), targets=(targets, _TARGETS))
    return found


def _three(value: float) -> tuple[float, float, float]:
    return value, value, 0.0


def _every_column() -> Array:
    p = softmax(_LOGITS)
    p[:, _TARGETS] -= 1
    return p / 2


EXERCISES: dict[str, Exercise] = {
    "02-softmax": Exercise(
        title="a softmax by hand",
        expected=lambda: softmax(_Y),
        wrong={
            "each logit divided by their sum: the exponentials are missing.": lambda: _Y / _Y.sum(),
            "the exponentials: divide by their sum, so that they add up to 1.": lambda: np.exp(_Y),
            "the logarithm of the probabilities.": lambda: np.log(softmax(_Y)),
            "the softmax of the probabilities: once is enough.": lambda: softmax(softmax(_Y)),
            "0, 2 and 5 divided by their sum: e⁰ is 1, not 0.": np.array([0.0, 2.0, 5.0]) / 7,
            "a softmax to base 2: the exponentials are powers of e.": lambda: 2.0**_Y / np.sum(2.0**_Y),
            "each exponential divided by the largest: divide by their sum.": lambda: np.exp(_Y - _Y.max()),
        },
    ),
    "02-loss": Exercise(
        title="a cross-entropy by hand",
        expected=lambda: softmax_cross_entropy(_Y[None], _TARGET)[0],
        wrong={
            "2, the loss to base 2: this course takes the natural logarithm.": 2.0,
            "the softmax taken twice: the loss wants logits, or probabilities and no second softmax.":
                lambda: softmax_cross_entropy(softmax(_Y)[None], _TARGET)[0],
            "log p: the minus sign is missing. A loss of this kind is never negative.": lambda: np.log(softmax(_Y)[1]),
            "the loss for class 0: Python counts from 0, class 1 is the second.": lambda: -np.log(softmax(_Y)[0]),
            "the loss for the most likely class: what counts is the target.": lambda: -np.log(softmax(_Y)[2]),
            "1 − p, which is no cross-entropy: the logarithm is missing.": lambda: 1 - softmax(_Y)[1],
            "the probability of the target: the loss is minus its logarithm.": lambda: softmax(_Y)[1],
        },
    ),
    "02-masked": Exercise(
        title="the loss of a masked batch",
        points=2,
        run=_masked,
        expected=lambda: _three(_losses()[_MASK].mean()),
        tolerance=1e-10,
        wrong={
            "the mean of the words' means: the short word's letters weigh more than the long one's.":
                lambda: _three((_losses().sum(axis=0) / _MASK.sum(axis=0)).mean()),
            "the sum divided by all T · N places: padding is counted.": lambda: _three(_losses().mean()),
            "the sum: divide by the number of places that count.": lambda: _three(_losses().sum()),
            "the sum divided by the number of words.": lambda: _three(_losses().sum() / 2),
            "the sum divided by the number of steps.": lambda: _three(_losses().sum() / 4),
            "the mean of the steps' means: a step at which one word has ended weighs as much as one with both.":
                lambda: _three((_losses().sum(axis=1) / _MASK.sum(axis=1)).mean()),
            "the mean over the letters behind the mask: True is where there is something.":
                lambda: _three(_losses()[~_MASK].mean()),
        },
        hint="Called with zeros on padding, with NaN there (NaN · 0 is NaN), and with a mask that is False everywhere.",
    ),
    "02-gradient": Exercise(
        title="the gradient of the mean cross-entropy",
        points=2,
        run=_gradient,
        expected=lambda: softmax_cross_entropy(_LOGITS, _TARGETS)[1],
        tolerance=1e-10,
        wrong={
            "the gradient of the sum: the loss is the mean over N rows, so divide by N.":
                lambda: softmax(_LOGITS) - _HOT,
            "the gradient with the sign turned: what the model says, minus what is true.":
                lambda: (_HOT - softmax(_LOGITS)) / 2,
            "p / N: nothing was subtracted at the target.": lambda: softmax(_LOGITS) / 2,
            "divided by N · K: the mean is over the N targets, not over all numbers.":
                lambda: (softmax(_LOGITS) - _HOT) / 6,
            "divided by K: the mean is over the N targets.": lambda: (softmax(_LOGITS) - _HOT) / 3,
            "one softmax over the whole array: each row is a choice of its own.":
                lambda: (np.exp(_LOGITS) / np.exp(_LOGITS).sum() - _HOT) / 2,
            "1 subtracted in every row at every target: p[:, targets] takes whole columns.": _every_column,
            "a softmax down the columns: it belongs to each row, axis=1.":
                lambda: (softmax(_LOGITS.T).T - _HOT) / 2,
        },
    ),
    "02-coin": Exercise(
        title="the best loss on an unfair coin",
        expected=lambda: float(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))),
        wrong={
            "ln 2, the bound of a fair coin: here one can do better.": np.log(2.0),
            "−log(3/4), the loss when 1 comes up: in a quarter of the cases it is the other.": -np.log(0.75),
            "the first half alone: the label 0 costs too, with weight 1/4.": -0.75 * np.log(0.75),
            "the bound in bits, to base 2.": float(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))),
            "3/4, the p that is best: the question is what it costs.": 0.75,
            "the weights exchanged: label 1, with p = 3/4, comes up three times in four.":
                -(0.25 * np.log(0.75) + 0.75 * np.log(0.25)),
            "the mean of both losses at p = 3/4 as for a fair coin: 1 comes up three times as often.":
                -(np.log(0.75) + np.log(0.25)) / 2,
        },
    ),
}
