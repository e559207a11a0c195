"""Exercises of notebook 00: start here."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array, leaves
from ..data import laugh
from .marking import Exercise

# A PyTorch layer with D = 3, H = 2.
_WEIGHT_IH = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
_WEIGHT_HH = np.array([[1.0, 2.0], [3.0, 4.0]])
_BIAS_IH = np.array([0.5, -0.5])
_BIAS_HH = np.array([0.25, 0.75])


def _from_pytorch(convert: Callable[..., Any]) -> Any:
    return convert(_WEIGHT_IH.copy(), _WEIGHT_HH.copy(), _BIAS_IH.copy(), _BIAS_HH.copy())


def _weights(W_xh: Array, W_hh: Array, b_h: Array) -> dict[str, Array]:
    return {"W_xh": W_xh, "W_hh": W_hh, "b_h": b_h}


EXERCISES: dict[str, Exercise] = {
    "00-shape": Exercise(
        title="the order of the axes",
        expected=(100, 32, 10),
        wrong={
            "Keras' order: here time comes first.": (32, 100, 10),
            "Coursera's order: here the numbers of one input come last.": (10, 32, 100),
            "time first, but the batch stands before the numbers of one input.": (100, 10, 32),
            "the numbers of one input first: they come last, time comes first.": (10, 100, 32),
            "two of the three axes: each input is ten numbers.": (100, 32),
            "one sequence: thirty-two of them stand side by side.": (100, 10),
            "steps and sequences on one axis: a loop over time needs an axis of its own.": (3200, 10),
        },
    ),
    "00-count": Exercise(
        title="count the weights",
        expected=lambda: sum(array.size for _, array in leaves(laugh().params)),
        wrong={
            "the count without the biases b_h and b_y.": 16,
            "the hidden layer alone: W_hy and b_y belong to the network too.": 12,
            "the count without W_hh, which makes it recurrent.": 17,
            "the count with a second hidden bias, as PyTorch has.": 23,
            "the count without b_y.": 18,
            "a count for each of the four steps: all steps share the same weights.": 84,
        },
    ),
    "00-pytorch": Exercise(
        title="weights from PyTorch",
        points=2,
        run=_from_pytorch,
        expected=lambda: _weights(_WEIGHT_IH.T, _WEIGHT_HH.T, _BIAS_IH + _BIAS_HH),
        tolerance=1e-10,
        wrong={
            "right but for W_hh, which must be transposed too: it is square, so nothing else tells.":
                lambda: _weights(_WEIGHT_IH.T, _WEIGHT_HH, _BIAS_IH + _BIAS_HH),
            "right but for b_h: only one of the two biases is in it.":
                lambda: _weights(_WEIGHT_IH.T, _WEIGHT_HH.T, _BIAS_IH),
            "right but for b_h: only the second of the two biases is in it.":
                lambda: _weights(_WEIGHT_IH.T, _WEIGHT_HH.T, _BIAS_HH),
            "right but for b_h: the biases are added, not averaged.":
                lambda: _weights(_WEIGHT_IH.T, _WEIGHT_HH.T, (_BIAS_IH + _BIAS_HH) / 2),
            "PyTorch's own form: it multiplies by the transpose, so both matrices must be transposed.":
                lambda: _weights(_WEIGHT_IH, _WEIGHT_HH, _BIAS_IH + _BIAS_HH),
            "right but for W_xh and W_hh, which are reshaped: transposing changes places, reshaping breaks rows.":
                lambda: _weights(_WEIGHT_IH.reshape(3, 2), _WEIGHT_HH, _BIAS_IH + _BIAS_HH),
        },
    ),
}
