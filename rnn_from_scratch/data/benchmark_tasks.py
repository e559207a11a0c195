"""The field's synthetic tasks with a long lag, to their papers' definitions.

Time comes first. Each docstring names the loss that a model without a memory reaches; a model has learned something
when it is below. Tasks with an answer at every step are in running_tasks.

Source: the papers named below; tests/data/test_benchmark_tasks.py computes each loss and solves each task.
"""

from __future__ import annotations

import numpy as np

from .. import validate
from ..arrays import Array
from .batching import one_hot
from .tasks import check_drawing

ORDER_SYMBOLS = "ABcdef"  # temporal_order_data's columns
ORDER_6A_SYMBOLS = "EBXYabcd"  # temporal_order_6a_data's


def adding_data(*, rng: np.random.Generator, T: int, N: int) -> tuple[Array, Array]:
    """Return the adding problem: at the end, the sum of the two numbers that were marked on the way.

    Always to answer 1, the mean, has a mean squared error of 2/12 = 0.1667, the variance of the sum.

    This is the form of Arjovsky, Shah & Bengio (2016): one mark in each half, so that the first number must be kept
    over at least T/2 steps. Le, Jaitly & Hinton (2015) have the same numbers, and both marks anywhere. Hochreiter &
    Schmidhuber (1997), experiment 4, where the problem comes from, draw the numbers from U(−1, 1) and the length from
    T to 1.1 T, put one mark among the first ten steps and the other among the first T/2 − 1 still unmarked, mark the
    first and the last step with −1, and ask for 0.5 + sum/4.

    Parameters
    ----------
    rng : Generator
        Draws the numbers and the places of the marks.
    T : int
        Steps, at least 2; with T odd the second half is the longer one.
    N : int
        Sequences.

    Returns
    -------
    xs : (T, N, 2)
        A number from U(0, 1) at each step, and beside it 1 where it is marked, else 0.
    targets : (N, 1)
        The sum of the two marked numbers.

    Source: notebook 11; benchmarks/adding_problem.py; tests/data/test_benchmark_tasks.py.
    """
    where = "adding_data"
    check_drawing(where, rng, T=T, N=N)
    if T < 2:
        validate.fail(where, f"T is {T}", "at least 2", "each half holds a mark")
    rows = np.arange(N)
    marked = (rng.integers(0, T // 2, N), rng.integers(T // 2, T, N))
    numbers, marks = rng.uniform(size=(T, N)), np.zeros((T, N))
    for steps in marked:
        marks[steps, rows] = 1.0
    targets = numbers[marked[0], rows] + numbers[marked[1], rows]
    return np.stack([numbers, marks], axis=2), targets[:, None]


def temporal_order_data(*, rng: np.random.Generator, T: int, N: int) -> tuple[Array, Array]:
    """Return the temporal order task: two letters, A or B each, among distractors; which came first and second?

    Four classes of equal chance: without a memory the loss is ln 4 = 1.3863, and 25 % are right.

    This is the form of Pascanu, Mikolov & Bengio (2013), who train on lengths of 20 to 200, as their own program
    (TempOrderTask) draws it: six symbols, the first letter at a step from T/10 to 2T/10 − 1, the second from 5T/10 to
    6T/10 − 1 (both rounded down, counted from 0), the answer after the last step. The classes are numbered as the
    program's description lists them, AA, AB, BA, BB; its code exchanges the middle two. `temporal_order_6a_data` has
    the form of 1997.

    Parameters
    ----------
    rng : Generator
        Draws places, letters and distractors.
    T : int
        Steps, at least 10.
    N : int
        Sequences.

    Returns
    -------
    xs : (T, N, 6)
        One-hot, in the order of ORDER_SYMBOLS: A, B and the distractors c, d, e, f.
    targets : (N,) int
        0 for A A, 1 for A B, 2 for B A, 3 for B B.

    Raises
    ------
    ArgumentError
        T below 10 (the first letter's range would be empty), N below 1, no generator.

    Source: Pascanu, Mikolov & Bengio (2013), the temporal order problem; tests/data/test_benchmark_tasks.py.
    """
    where = "temporal_order_data"
    check_drawing(where, rng, T=T, N=N)
    if T < 10:
        validate.fail(where, f"T is {T}", "at least 10", "the first letter has a tenth of the steps for itself")
    rows = np.arange(N)
    letters = rng.integers(0, 2, (2, N))
    symbols = rng.integers(2, 6, (T, N))
    for letter, start in zip(letters, (T // 10, T // 2), strict=True):
        symbols[rng.integers(start, start + T // 10, N), rows] = letter
    return one_hot(symbols, 6), 2 * letters[0] + letters[1]


def temporal_order_6a_data(*, rng: np.random.Generator, N: int) -> tuple[Array, Array, Array]:
    """Return the temporal order task of 1997: X or Y twice among distractors, in about a hundred steps.

    A sequence begins with E, ends with B (the trigger) and has between them letters from a, b, c, d, but for X or Y at
    step t₁, 10 to 20, and at t₂, 50 to 60. Its length is 100 to 110. All are drawn uniformly; the paper leaves open
    whether the ends belong to the ranges: here they do, and E is at step 1. Without a memory the loss is ln 4 = 1.3863.

    Departures: the paper has squared errors of four sigmoid outputs, one sequence at a time; here it is a class.

    Parameters
    ----------
    rng : Generator
        Draws lengths, places and letters.
    N : int
        Sequences.

    Returns
    -------
    xs : (110, N, 8)
        One-hot, in the order of ORDER_6A_SYMBOLS; zeros after each sequence's end.
    targets : (N,) int
        0 for X X (the paper's Q), 1 for X Y (R), 2 for Y X (S), 3 for Y Y (U).
    mask : (110, N) bool
        True where there is an input.

    Raises
    ------
    ArgumentError
        N below 1, no generator.

    Source: Hochreiter & Schmidhuber (1997), experiment 6a; tests/data/test_benchmark_tasks.py.
    """
    where = "temporal_order_6a_data"
    check_drawing(where, rng, N=N)
    rows, longest = np.arange(N), 110
    lengths = rng.integers(100, longest + 1, N)
    letters = rng.integers(0, 2, (2, N))
    symbols = rng.integers(4, 8, (longest, N))
    symbols[0], symbols[lengths - 1, rows] = 0, 1
    for letter, (first, last) in zip(letters, ((10, 20), (50, 60)), strict=True):
        symbols[rng.integers(first - 1, last, N), rows] = 2 + letter
    mask = np.arange(longest)[:, None] < lengths
    return one_hot(symbols, 8) * mask[..., None], 2 * letters[0] + letters[1], mask


def copying_data(
    *, rng: np.random.Generator, T: int, N: int, symbols: int = 8, length: int = 10
) -> tuple[Array, Array, Array]:
    """Return the copying memory task: ten symbols, a long blank, then a sign to say all ten in their order.

    Whoever counts the steps but forgets the symbols says blank T + 10 times and guesses ten times: a mean loss over
    all T + 20 steps of 10 ln 8 / (T + 20), the paper's baseline, and of ln 8 = 2.0794 over the ten alone.

    Parameters
    ----------
    rng : Generator
        Draws the symbols.
    T : int
        The paper's T: T − 1 blanks and the delimiter stand between the symbols and the first answer.
    N : int
        Sequences.
    symbols : int
        How many there are to choose from; the paper has 8.
    length : int
        How many are to be remembered; the paper has 10.

    Returns
    -------
    xs : (T + 2·length, N, symbols + 2)
        One-hot: the symbols (columns 0 to 7), T − 1 blanks (8), the delimiter (9), `length` blanks.
    targets : (T + 2·length, N) int
        Blank (8) T + length times, then the symbols.
    answers : (T + 2·length, N) bool
        True at the last `length` steps: a target_mask that counts the answers alone. The paper's loss counts every
        step: leave it out for that.

    Raises
    ------
    ArgumentError
        A size below 1, no generator.

    Source: Arjovsky, Shah & Bengio (2016), the copying memory problem, and their program for where things stand;
    tests/data/test_benchmark_tasks.py.
    """
    where = "copying_data"
    check_drawing(where, rng, T=T, N=N, symbols=symbols, length=length)
    blank, delimiter = symbols, symbols + 1
    shown = rng.integers(0, symbols, (length, N))
    read = np.full((T + 2 * length, N), blank)
    read[:length], read[length + T - 1] = shown, delimiter
    targets = np.full((T + 2 * length, N), blank)
    targets[-length:] = shown
    answers = np.zeros((T + 2 * length, N), bool)
    answers[-length:] = True
    return one_hot(read, symbols + 2), targets, answers
