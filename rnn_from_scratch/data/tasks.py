"""The course's running examples with their own numbers, and small synthetic tasks; the field's are in benchmark_tasks.

Every number of the lamp and of the laugh that the notebooks print is recomputed in tests/data/test_tasks.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params, State
from .batching import one_hot


class Example(NamedTuple):
    """A sequence, its targets, and parameters to follow by hand."""

    params: Params  # {"recurrent": {…}, "output": {…}}
    xs: Array  # (T, 1, D)
    targets: Array
    state: State


def lamp() -> Example:
    r"""Return the lamp: a memory of one number that can be followed on paper, since tanh(ln 2) = 3/5.

    x = 1.5 switches it on, −0.5 switches it off, 0.5 holds: at ±3/5 a hold changes nothing. T = 3, N = D = H = K = 1;
    mean squared error over the three steps. a = (ln 2, ln 2, −ln 2), h = (3/5, 3/5, −3/5), y = (1, 1, 0), L = 27/64.
    """
    ln2 = np.log(2.0)
    params = {
        "recurrent": {"W_xh": np.array([[2 * ln2]]), "W_hh": np.array([[5 / 3 * ln2]]), "b_h": np.array([-ln2])},
        "output": {"W_hy": np.array([[5 / 6]]), "b_y": np.array([0.5])},
    }
    xs = np.array([1.5, 0.5, -0.5]).reshape(3, 1, 1)
    targets = np.array([0.25, 0.625, 0.75]).reshape(3, 1, 1)
    return Example(params, xs, targets, (np.array([[-0.6]]),))


LAUGH_LETTERS = "ha!"


def laugh() -> Example:
    """Return the laugh: reads h a h a and must say a h a !, so "a" has two successors. T = 4, D = K = 3, H = 2.

    No model that sees one letter alone gets below ln 2 / 2 = 0.346574. The start was searched for, so that
    right and wrong gradients tell each other apart in its loss curve.
    """
    params = {
        "recurrent": {
            "W_xh": np.array([[0.1, 0.2], [0.3, -0.6], [-1.0, 0.3]]),
            "W_hh": np.array([[-0.1, 0.8], [-0.7, 0.6]]),
            "b_h": np.array([-0.8, 0.5]),
        },
        "output": {
            "W_hy": np.array([[-0.8, 0.3, -0.5], [0.7, -0.1, 0.1]]),
            "b_y": np.array([-0.1, 0.6, -0.9]),
        },
    }
    xs, targets = laugh_letters("haha!")
    return Example(params, xs, targets, (np.array([[0.1, -0.5]]),))


def laugh_letters(word: str) -> tuple[Array, Array]:
    """Return a word over "ha!" as one-hot inputs (T, 1, 3) and next-letter targets (T, 1)."""
    if not isinstance(word, str) or len(word) < 2 or set(word) - set(LAUGH_LETTERS):
        validate.fail("laugh_letters", f"the word is {word!r}", f"two or more letters of {LAUGH_LETTERS!r}")
    indices = np.array([LAUGH_LETTERS.index(letter) for letter in word])
    return one_hot(indices[:-1], 3)[:, None, :], indices[1:, None]


def article_data(
    *, rng: np.random.Generator, T: int = 100, N: int = 32, D: int = 10, classes: int = 2
) -> tuple[Array, Array]:
    """Return the article's data (§3): normal inputs (T, N, D) and labels (T, N) drawn without looking at them.

    Since the labels are independent of the inputs, no model has a loss below ln(classes) on fresh data.
    """
    check_drawing("article_data", rng, T=T, N=N, D=D, classes=classes)
    return rng.standard_normal((T, N, D)), rng.integers(0, classes, (T, N))


def fading_sum_data(
    *, rng: np.random.Generator, T: int = 100, N: int = 32, D: int = 10
) -> tuple[Array, Array]:
    """Return the article's inputs with labels that depend on the sequence, so that there is something to learn.

    The label at t is 1 where the first input's fading sum s_t = 0.8 s_{t−1} + x_t[0] is positive: a model must
    remember, the last input alone does not tell.
    """
    check_drawing("fading_sum_data", rng, T=T, N=N, D=D)
    xs = rng.standard_normal((T, N, D))
    fading = np.zeros(N)
    targets = np.zeros((T, N), int)
    for t in range(T):
        fading = 0.8 * fading + xs[t, :, 0]
        targets[t] = fading > 0
    return xs, targets


def recall_data(
    *, rng: np.random.Generator, lag: int, N: int, symbols: int = 4, at: int = 0
) -> tuple[Array, Array, Array]:
    """Return the recall task: name, at the end, the symbol that was shown `lag` steps before.

    Parameters
    ----------
    rng : Generator
        Draws the symbols.
    lag : int
        Steps between the cue and the answer; T = lag + 1 + at.
    N : int
        Sequences.
    symbols : int
        How many there are; chance is 1/symbols.
    at : int
        Steps before the cue.

    Returns
    -------
    xs : (T, N, symbols + 1)
        The cue one-hot at step `at`; a 1 in the last column at the step that asks; zeros elsewhere.
    targets : (T, N) int
        The symbol at the last step, 0 elsewhere.
    target_mask : (T, N) bool
        True at the last step alone.
    """
    where = "recall_data"
    validate.generator(where, rng)
    lag, N = validate.size(where, "lag", lag), validate.size(where, "N", N)
    symbols = validate.size(where, "symbols", symbols)
    if isinstance(at, bool) or not isinstance(at, int | np.integer) or at < 0:
        validate.fail(where, f"at is {at!r}", "a whole number of at least 0", "it counts the steps before the cue")
    cue = rng.integers(0, symbols, N)
    T = lag + 1 + int(at)
    xs = np.zeros((T, N, symbols + 1))
    xs[at, np.arange(N), cue] = 1.0
    xs[-1, :, -1] = 1.0
    targets = np.zeros((T, N), int)
    targets[-1] = cue
    target_mask = np.zeros((T, N), bool)
    target_mask[-1] = True
    return xs, targets, target_mask


def check_drawing(where: str, rng: np.random.Generator, **sizes: int) -> None:
    """Refuse what is no generator, and sizes that are no whole numbers of at least 1."""
    validate.generator(where, rng)
    for name, value in sizes.items():
        validate.size(where, name, value)
