"""Exercises of notebook 01: one recurrent step."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from ..activations import sigmoid
from ..arrays import Array
from ..cells import RNNCell
from ..data import laugh
from .comparing import difference, show
from .marking import Exercise
from .own_numbers import fixed_points

_LAUGH = laugh()
_W_XH, _W_HH, _B_H = (_LAUGH.params["recurrent"][name] for name in ("W_xh", "W_hh", "b_h"))
_H_0 = _LAUGH.state[0]
_X = _LAUGH.xs  # h, a, h, a
_LN2 = np.log(2.0)

# Two words side by side, for the step in columns: D = 3, H = N = 2.
_X_COLUMNS = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
_H_COLUMNS = np.array([[0.1, 0.3], [-0.5, 0.2]])


def _step(x: Array, h_prev: Array) -> Array:
    cell = RNNCell(3, 2)
    params = _LAUGH.params["recurrent"]
    (h,), _ = cell.step(params, cell.project(params, x[None])[0], (h_prev,))
    return h


def _h_1() -> Array:
    return _step(_X[0], _H_0)


def _h_2() -> Array:
    return _step(_X[1], _h_1())


def _columns(step: Callable[..., Array]) -> Array:
    return step(_W_HH.T.copy(), _W_XH.T.copy(), _B_H.copy(), _X_COLUMNS.copy(), _H_COLUMNS.copy())


_FOUR_FIFTHS = Fraction(4, 5)
_NOT_FIXED: dict[str, Callable[[Any], Any]] = {
    "That is the pre-activation ln r: divide it by h*, since the step computes W_hh h.": lambda h: np.arctanh(float(h)),
    "That is h* ln r: h* is divided by, not multiplied with.": lambda h: float(h) * np.arctanh(float(h)),
    "That is the lamp's own weight, 5/3 ln 2, whose fixed point is 3/5.": lambda _: 5 / 3 * _LN2,
    "That is 5/3 ln r: W_hh · h must be ln r at the new h*, not at 3/5.": lambda h: 5 / 3 * np.arctanh(float(h)),
    "That is ln 2 / h*: tanh(ln 2) is 3/5. Which r gives (r² − 1)/(r² + 1) = h*?": lambda h: _LN2 / float(h),
    "That is tanh(h*): the other way round, W_hh h* must be the number whose tanh is h*.": lambda h: np.tanh(float(h)),
    "That is right but for the sign: with −W_hh the state jumps to −h*.": lambda h: -np.arctanh(float(h)) / float(h),
    "That is right but for ln: tanh(ln r) = h*, so W_hh h* is ln r, not r.":
        lambda h: np.exp(np.arctanh(float(h))) / float(h),
    "That is 2 ln r / h*, from r² in place of r: take the root first.": lambda h: 2 * np.arctanh(float(h)) / float(h),
}


def _prove_fixed(answer: Any) -> str | None:
    """W_hh h* = artanh h* for the student's own h*."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two things: (h_star, W_hh)."
    h, weight = answer
    if h not in fixed_points():
        return 'Leave h_star as it is drawn: h_star = own_fixed_point("your name").'
    if callable(weight):
        return "The second, W_hh, is a function, and should be a number."
    right = np.arctanh(float(h)) / float(h)
    if difference(right, weight, 1e-4, exact_shape=False) is None:
        return None
    for says, wrong in _NOT_FIXED.items():
        if difference(wrong(h), weight, 1e-4, exact_shape=False) is None:
            return f"You got {show(weight)}. {says}"
    return f"You got {show(weight)}, and tanh(W_hh h*) is not h*. Put it in, and look."


EXERCISES: dict[str, Exercise] = {
    "01-h1": Exercise(
        title="h_1 of the laugh by hand",
        points=2,
        expected=_h_1,
        wrong={
            "h_1 with W_hh transposed: the row h_0 comes first and meets the columns of W_hh.":
                lambda: np.tanh(_X[0] @ _W_XH + _H_0 @ _W_HH.T + _B_H),
            "h_1 from h_0 = 0: the laugh starts from (0.1, −0.5).": lambda: _step(_X[0], np.zeros((1, 2))),
            "h_1 without the bias b_h.": lambda: np.tanh(_X[0] @ _W_XH + _H_0 @ _W_HH),
            "the pre-activation a_1: tanh is still to come.": lambda: _X[0] @ _W_XH + _H_0 @ _W_HH + _B_H,
            "the step for the letter a: x_1 is h, the first row of W_xh.": lambda: _step(_X[1], _H_0),
            "σ(a_1): here f is tanh.": lambda: sigmoid(_X[0] @ _W_XH + _H_0 @ _W_HH + _B_H),
            "h_1 without W_hh: h_0 goes through the matrix before it is added.":
                lambda: np.tanh(_X[0] @ _W_XH + _H_0 + _B_H),
        },
        hint="Write down the three parts of a_1, each with two numbers, before adding them.",
    ),
    "01-h2": Exercise(
        title="h_2 of the laugh by hand",
        points=2,
        expected=_h_2,
        wrong={
            "the step from h_0: the state was reset. The second step starts from h_1.": lambda: _step(_X[1], _H_0),
            "the step from zeros: the state was reset. The second step starts from h_1.":
                lambda: _step(_X[1], np.zeros((1, 2))),
            "the step for the letter h again: x_2 is a, the second row of W_xh.": lambda: _step(_X[0], _h_1()),
            "the right step from a_1 in place of h_1: the state is what comes out of tanh.":
                lambda: _step(_X[1], np.arctanh(_h_1())),
            "h_2 with W_hh transposed in this step.": lambda: np.tanh(_X[1] @ _W_XH + _h_1() @ _W_HH.T + _B_H),
            "the pre-activation a_2: tanh is still to come.": lambda: np.arctanh(_h_2()),
        },
        hint="Keep six decimals of h_1.",
    ),
    "01-shapes": Exercise(
        title="shapes in column form",
        expected={
            "x_t": (3, 2), "h_t": (2, 2), "W_xh": (2, 3), "W_hh": (2, 2), "b_h": (2, 1), "W_hy": (3, 2), "y_t": (3, 2),
        },
        wrong={
            "the code's form, a word in each row: the article's matrices are the transposes.": {
                "x_t": (2, 3), "h_t": (2, 2), "W_xh": (3, 2), "W_hh": (2, 2), "b_h": (2,), "W_hy": (2, 3),
                "y_t": (2, 3),
            },
            "the code's matrices with the article's columns: W_xh x_t would be (3, 2)(3, 2), which does not fit.": {
                "x_t": (3, 2), "h_t": (2, 2), "W_xh": (3, 2), "W_hh": (2, 2), "b_h": (2, 1), "W_hy": (2, 3),
                "y_t": (3, 2),
            },
            "the form of a single word: two words side by side make two columns.": {
                "x_t": (3, 1), "h_t": (2, 1), "W_xh": (2, 3), "W_hh": (2, 2), "b_h": (2, 1), "W_hy": (3, 2),
                "y_t": (3, 1),
            },
            "right but for b_h: the bias does not grow with the batch.": {
                "x_t": (3, 2), "h_t": (2, 2), "W_xh": (2, 3), "W_hh": (2, 2), "b_h": (2, 2), "W_hy": (3, 2),
                "y_t": (3, 2),
            },
            "right but for W_hy and y_t, with a word in each row: a word is a column of K = 3 numbers.": {
                "x_t": (3, 2), "h_t": (2, 2), "W_xh": (2, 3), "W_hh": (2, 2), "b_h": (2, 1), "W_hy": (2, 3),
                "y_t": (2, 3),
            },
            "right but for b_h: an array (2,) would be added as a row, across the words.": {
                "x_t": (3, 2), "h_t": (2, 2), "W_xh": (2, 3), "W_hh": (2, 2), "b_h": (2,), "W_hy": (3, 2),
                "y_t": (3, 2),
            },
        },
        hint="D = 3, H = 2, K = 3, N = 2; a word is a column.",
    ),
    "01-columns": Exercise(
        title="E2.1a in columns",
        points=2,
        run=_columns,
        expected=lambda: _step(_X_COLUMNS.T, _H_COLUMNS.T).T,
        tolerance=1e-10,
        wrong={
            "h with b_h added across the words: as a row, b_h gives its first entry to the first word.":
                lambda: np.tanh(_W_HH.T @ _H_COLUMNS + _W_XH.T @ _X_COLUMNS + _B_H),
            "h with W_hh transposed: what you are given is the article's W_hh already.":
                lambda: np.tanh(_W_HH @ _H_COLUMNS + _W_XH.T @ _X_COLUMNS + _B_H[:, None]),
            "h with W_hh behind h_prev: columns have the matrix in front.":
                lambda: np.tanh(_H_COLUMNS @ _W_HH.T + _W_XH.T @ _X_COLUMNS + _B_H[:, None]),
            "h without the bias.": lambda: np.tanh(_W_HH.T @ _H_COLUMNS + _W_XH.T @ _X_COLUMNS),
            "the pre-activation: tanh is still to come.":
                lambda: _W_HH.T @ _H_COLUMNS + _W_XH.T @ _X_COLUMNS + _B_H[:, None],
            "h with a word in each row: the words stand side by side.": lambda: _step(_X_COLUMNS.T, _H_COLUMNS.T),
        },
    ),
    "01-fixed": Exercise(
        title="a fixed point of one's own",
        prove=_prove_fixed,
        wrong={says: (_FOUR_FIFTHS, wrong(_FOUR_FIFTHS)) for says, wrong in _NOT_FIXED.items()}
        | {
            'Leave h_star as it is drawn: h_star = own_fixed_point("your name")': (0.6, 5 / 3 * _LN2),
            "The second, W_hh, is a function, and should be a number": (_FOUR_FIFTHS, np.arctanh),
        },
    ),
}
