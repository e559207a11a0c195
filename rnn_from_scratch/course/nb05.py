"""Exercises of notebook 05: gradient descent."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..cells import RNNCell
from ..data import lamp
from ..layers import Recurrent
from ..models import SequenceModel
from ..optim import GradientDescent
from .comparing import unchanged
from .marking import Exercise

_THETA = np.array([[0.5, -1.0, 2.0], [0.25, 1.5, -0.75]])
_G = np.cos(_THETA) + _THETA / 2  # the gradient of _loss at _THETA
_GRADIENTS = [np.array([1.0, -2.0]), np.array([4.0, 0.5]), np.array([-3.0, 8.0])]
_COUNTS = [4, 2, 1]


def _lamp_step(rate: float, sign: float = 1.0) -> float:
    """W_xh of the lamp after one update; sign −1 climbs."""
    example = lamp()
    model = SequenceModel(Recurrent(RNNCell(1, 1)), 1, task="regression")
    _, grads, _ = model.loss_and_grads(example.params, example.xs, example.targets, example.state)
    optimizer = GradientDescent(rate)
    stepped, _ = optimizer.update(example.params, grads, optimizer.init(example.params))
    before, after = (tree["recurrent"]["W_xh"].item() for tree in (example.params, stepped))
    return float(before + sign * (after - before))


def _loss(theta: Array) -> float:
    return float(np.sum(np.sin(theta)) + np.sum(theta**2) / 4)


def _ratios(function: Callable[..., Any]) -> list[Any]:
    found = []
    for eta in (0.1, 0.01):
        theta, g = _THETA.copy(), _G.copy()
        found.append(function(_loss, theta, g, eta))
        unchanged(theta=(theta, _THETA), g=(g, _G))
    return found


def _ratio(loss: Callable[[Array], float], theta: Array, g: Array, eta: float) -> float:
    return float((loss(theta) - loss(theta - eta * g)) / (eta * np.sum(g**2)))


def _combined(combine: Callable[..., Any]) -> Any:
    gradients = [g.copy() for g in _GRADIENTS]
    found = combine(gradients, list(_COUNTS))
    unchanged(gradients=(np.array(gradients), np.array(_GRADIENTS)))
    return found


def _weighted() -> Array:
    total = sum(n * g for n, g in zip(_COUNTS, _GRADIENTS, strict=True))
    return np.asarray(total) / sum(_COUNTS)


EXERCISES: dict[str, Exercise] = {
    "05-step": Exercise(
        title="W_xh of the lamp after one update",
        expected=lambda: _lamp_step(0.5),
        wrong={
            "a step up the gradient: the rule has a minus sign.": lambda: _lamp_step(0.5, -1.0),
            "the whole gradient: it has to be multiplied by η.": lambda: _lamp_step(1.0),
            "the step alone: it is taken from where the weight stood.": lambda: _lamp_step(0.5) - 2 * np.log(2),
            "a step with η = 0.1: here it is 0.5.": lambda: _lamp_step(0.1),
            "the gradient divided by η: it is multiplied by it.": lambda: _lamp_step(1 / 0.5),
            "a step from ln 2: the weight is 2 ln 2.": lambda: _lamp_step(0.5) - np.log(2),
            "the weight times η, less the gradient: η belongs to the gradient.":
                lambda: np.log(2) + _lamp_step(1.0) - 2 * np.log(2),
        },
        hint="E2.2, with θ = 2 ln 2.",
    ),
    "05-ratio": Exercise(
        title="The fall of the loss against its first order",
        points=2,
        run=_ratios,
        expected=lambda: _ratios(_ratio),
        tolerance=1e-10,
        wrong={
            "‖g‖ where ‖g‖² belongs: the step has the length η‖g‖, and the slope along it is ‖g‖ once more.":
                lambda: _ratios(lambda f, w, g, eta: (f(w) - f(w - eta * g)) / (eta * np.sqrt(np.sum(g**2)))),
            "the rise of the loss: the fall is before minus after.":
                lambda: _ratios(lambda f, w, g, eta: (f(w - eta * g) - f(w)) / (eta * np.sum(g**2))),
            "a step up the gradient, w + ηg.":
                lambda: _ratios(lambda f, w, g, eta: (f(w) - f(w + eta * g)) / (eta * np.sum(g**2))),
            "the fall not divided by η.":
                lambda: _ratios(lambda f, w, g, eta: (f(w) - f(w - eta * g)) / np.sum(g**2)),
            "the promise divided by the fall: it is asked for the other way round.":
                lambda: _ratios(lambda f, w, g, eta: eta * np.sum(g**2) / (f(w) - f(w - eta * g))),
            "the fall divided by ‖ηg‖²: there is one η too many.":
                lambda: _ratios(lambda f, w, g, eta: (f(w) - f(w - eta * g)) / np.sum((eta * g) ** 2)),
            "the largest singular value for the norm: np.linalg.norm(g, 2) of a matrix is another number.":
                lambda: _ratios(lambda f, w, g, eta: (f(w) - f(w - eta * g)) / (eta * np.linalg.norm(g, 2) ** 2)),
            "the mean of g² for its sum.":
                lambda: _ratios(lambda f, w, g, eta: (f(w) - f(w - eta * g)) / (eta * np.mean(g**2))),
        },
        hint="For a small η it comes close to 1. (Tried with η = 0.1 and 0.01.)",
    ),
    "05-partial": Exercise(
        title="The loss of an epoch with a partial batch",
        expected=(32 * 0.8 + 32 * 0.6 + 32 * 0.4 + 4 * 1.6) / 100,
        wrong={
            "the plain mean of the four batches: the last one has 4 sequences, not 32.": (0.8 + 0.6 + 0.4 + 1.6) / 4,
            "the mean of the three full batches: the last four sequences count too.": (0.8 + 0.6 + 0.4) / 3,
            "the sum of the four losses: an average is asked for.": 0.8 + 0.6 + 0.4 + 1.6,
            "the last batch's loss: an epoch's is over all its batches.": 1.6,
            "the weighted sum: divide by the 100 sequences.": 32 * (0.8 + 0.6 + 0.4) + 4 * 1.6,
            "the weighted sum with 32 for the last batch: it has 4 sequences.": 32 * (0.8 + 0.6 + 0.4 + 1.6) / 100,
            "the weighted sum divided by 128: there are 100 sequences.": (32 * (0.8 + 0.6 + 0.4) + 4 * 1.6) / 128,
        },
        hint="Each batch weighs as many sequences as it has.",
    ),
    "05-updates": Exercise(
        title="Updates with B = 1, 64 and 500",
        expected=(1500, 24, 3),
        wrong={
            "the updates of one epoch: you train for three.": (500, 8, 1),
            "without the last partial batch: 500 / 64 is rounded up.": (1500, 21, 3),
            "one update for each step of each sequence: an update comes once a batch.": (30000, 480, 60),
            "batches of steps: 500 sequences are divided into batches, not 10,000 steps.": (30000, 471, 60),
            "3 · 500 / 64 rounded once at the end: each epoch has a last partial batch of its own.": (1500, 23, 3),
            "500 / 64 not rounded: the last batch is smaller, and is an update too.": (1500, 3 * 500 / 64, 3),
        },
        hint="Into how many batches do 500 sequences go, a partial one included?",
    ),
    "05-unequal": Exercise(
        title="The gradient of a batch of unequal sequences",
        points=2,
        run=_combined,
        expected=_weighted,
        tolerance=1e-10,
        wrong={
            "the plain mean: right for equal counts alone.": lambda: np.mean(_GRADIENTS, axis=0),
            "the weighted sum, not yet divided by all counts.": lambda: _weighted() * sum(_COUNTS),
            "the weighted sum divided by the number of sequences: divide by the number of targets.":
                lambda: _weighted() * sum(_COUNTS) / len(_COUNTS),
            "the sum of the gradients.": lambda: np.sum(_GRADIENTS, axis=0),
            "the weights the wrong way round: a sequence with more targets weighs more, not less.":
                lambda: sum(g / n for n, g in zip(_COUNTS, _GRADIENTS, strict=True)) / sum(1 / n for n in _COUNTS),
            "each gradient divided by its count: it is a mean already, so multiply by the count.":
                lambda: sum(g / n for n, g in zip(_COUNTS, _GRADIENTS, strict=True)),
        },
        hint="A sequence with twice as many targets weighs twice as much.",
    ),
}
