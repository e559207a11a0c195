"""Exercises of notebook 09: the article's program, repaired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..activations import softmax
from ..arrays import Array, leaves
from ..cells import RNNCell
from ..data import one_hot
from ..layers import Recurrent
from ..losses import softmax_cross_entropy
from ..models import SequenceModel
from .comparing import unchanged
from .marking import Exercise


def _parameters() -> int:
    params = SequenceModel(Recurrent(RNNCell(10, 5)), 2).init_params(rng=np.random.default_rng(0))
    return sum(array.size for _, array in leaves(params))


_CLASSES = (2, 3, 10)


def _floors() -> list[float]:
    """The loss of a perfect first softmax, through the second."""
    return [float(softmax_cross_entropy(np.eye(K)[:1], np.array([0]))[0]) for K in _CLASSES]


_Z = np.array([[0.4, -1.2, 0.9], [2.0, 0.3, -0.5]])
_TARGETS = np.array([1, 0])


def _twice(
    divide: float = 2.0, *, outer: bool = True, inner: bool = True, centred: bool = True, by_row: bool = True,
    wrong_p: bool = False,
) -> Array:
    """The gradient through both softmaxes; the flags leave a part out."""
    p = softmax(_Z)
    dp = ((softmax(p) if outer else p) - one_hot(_TARGETS, 3)) / divide
    if not inner:
        return np.asarray(dp)
    p = softmax(p) if wrong_p else p
    return np.asarray(p * (dp - (p * dp).sum(axis=1 if by_row else None, keepdims=True) * centred))


def _diagonal() -> Array:
    p = softmax(_Z)
    return np.asarray(p * (1 - p) * _twice(inner=False))


def _run_twice(answer: Callable[..., Any]) -> Any:
    z, targets = _Z.copy(), _TARGETS.copy()
    found = answer(z, targets)
    unchanged(z=(z, _Z), targets=(targets, _TARGETS))
    return found


EXERCISES: dict[str, Exercise] = {
    "09-count": Exercise(
        title="the parameters of the repaired network",
        expected=_parameters,
        tolerance=1e-9,
        wrong={
            "the count without the biases: b_h has 5 and b_y has 2.": 10 * 5 + 5 * 5 + 5 * 2,
            "the printed model's, where W1 goes from state to state and x is not used.": 5 * 5 + 5 + 5 * 2 + 2,
            "the count without W_hh, the 5 × 5 from state to state.": 10 * 5 + 5 + 5 * 2 + 2,
            "the count without the output layer: W_hy has 5 × 2 and b_y has 2.": 10 * 5 + 5 * 5 + 5,
            "what counts the weights once for every step: they are shared, the same at all 100.": 100 * 92,
            "the count with two biases in the hidden layer, as PyTorch has: here there is one b_h.": 97,
        },
        hint="Three matrices and two biases: W_xh, W_hh, b_h, W_hy, b_y.",
    ),
    "09-batches": Exercise(
        title="updates and batches",
        points=2,
        expected=[250 // 32, 250 % 32, 320 // 32, 250, 32],
        tolerance=1e-9,
        wrong={
            "with the printed program's updates rounded up: // rounds down, and the rest is never used.":
                [8, 0, 10, 250, 32],
            "with 250 / 32 not rounded: // rounds down, and the rest is never used.": [250 / 32, 26, 10, 250, 32],
            "with all 320 sequences in each batch: there are 32.": [7, 26, 10, 250, 320],
            "with batches cut along time: the repaired ones keep all 250 steps of 32 sequences.":
                [7, 26, 10, 32, 320],
            "with the sequences first: time comes first here.": [7, 26, 10, 32, 250],
            "with the axes mixed up: the printed program cuts the 250, the repaired one the 320.":
                [10, 0, 7, 250, 32],
            "with as many updates in an epoch as the printed program makes: the repaired one cuts the 320 sequences.":
                [7, 26, 7, 250, 32],
        },
        hint="The printed program cuts the first axis, the repaired one the second.",
    ),
    "09-zeros": Exercise(
        title="which gradients are exactly zero",
        expected=np.array([True, False, False, False, False]),
        wrong={
            "the printed program's first update, with a state of zeros: now the state is ones.":
                np.array([True, True, False, True, False]),
            "the printed program's third update, with a state of zeros: now the state is ones.":
                np.array([True, True, False, False, False]),
            "without x: it is still not used.": np.array([False, False, False, False, False]),
            "with W2's kernel: its input is tanh of the ones times W1, which is not zero.":
                np.array([True, False, False, True, False]),
            "the other way round: True stands for a gradient that is exactly zero.":
                np.array([False, True, True, True, True]),
            "with the biases: a bias starts at zero, but its gradient is the sum of dy.":
                np.array([True, False, True, False, True]),
            "zero for all: the outputs are not the labels, so dy is not zero.": np.array([True] * 5),
        },
        hint="What multiplies a zero has no gradient, and what is in no equation has none either.",
    ),
    "09-floor": Exercise(
        title="the floor of softmax twice for K classes",
        points=2,
        run=lambda answer: [answer(K) for K in _CLASSES],
        expected=_floors,
        tolerance=1e-10,
        wrong={
            "the floor for two classes, whatever K is.": [float(np.log(1 + np.exp(-1))) for _ in _CLASSES],
            "the loss of guessing, ln K.": [float(np.log(K)) for K in _CLASSES],
            "the floor of the right loss: with softmax twice it is above zero.": [0.0 for _ in _CLASSES],
            "the largest loss, with the 1 on a wrong class: the floor has it on the right one.":
                [float(np.log(np.e + K - 1)) for K in _CLASSES],
            "with e⁰ = 1 for all K classes: the other classes are K − 1, the right one has e¹ alone.":
                [float(np.log(1 + K / np.e)) for K in _CLASSES],
            "the probability and not its loss: take −ln.": [float(np.e / (np.e + K - 1)) for K in _CLASSES],
        },
        hint="Put (1, 0, …, 0) through softmax, and take −ln of what the right class gets.",
    ),
    "09-twice": Exercise(
        title="the backward through two softmaxes",
        points=3,
        run=_run_twice,
        expected=_twice,
        tolerance=1e-10,
        wrong={
            "the gradient with respect to p: the inner softmax is still to come.": lambda: _twice(inner=False),
            "(p − y)/N, the gradient with softmax once.": lambda: _twice(outer=False, inner=False),
            "with p − y where softmax(p) − y belongs: the loss takes p as its logits.": lambda: _twice(outer=False),
            "p · dp alone: softmax mixes its entries, so Σ p · dp must be taken off.": lambda: _twice(centred=False),
            "the diagonal of the inner Jacobian alone, p(1 − p): each p depends on every z of its row.": _diagonal,
            "with one sum over all rows: Σ p · dp is taken row by row.": lambda: _twice(by_row=False),
            "with softmax(p) in the inner Jacobian: the inner softmax put out p.": lambda: _twice(wrong_p=True),
            "the gradient of the sum: divide by N.": lambda: _twice(1.0),
            "divided by N·K: divide by the number of targets, N.": lambda: _twice(6.0),
        },
        hint="dp = (softmax(p) − y)/N, then the Jacobian of the inner softmax, row by row.",
    ),
}
