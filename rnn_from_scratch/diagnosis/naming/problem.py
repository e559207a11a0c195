"""What a student's function is asked to compute, and the points at which it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import validate
from ...arrays import Array, Params
from ...cells import GRUCell, LSTMCell, RNNCell
from ..probe import random_params
from .reference import Forward, Point, cross_entropy, forward

#: T and N are distinct small primes; D, H and K are none of them and no powers of two: a factor tells its source.
SIZES = ((5, 3), (7, 2))
#: The least sizes: what is wrong there already, and what begins to be wrong from two steps or two sequences on?
LEAST = ((1, 1), (1, 3), (2, 1), (3, 3))
INPUTS, HIDDEN, CLASSES = 17, 6, 11
REFERENCES = ("rnn", "lstm", "gru")


@dataclass(frozen=True)
class Problem:
    """The task around the cell; an adapter that changes it says so in its `problem` attribute.

    squared_error : None for softmax and cross-entropy, else f in the loss of a step, f · Σ_k (y_k − t_k)².
    last_step_only : True where the loss of the last step alone counts.
    one_hot : True where every x_t is a one-hot row.
    input_size : D, where it is fixed.
    """

    squared_error: float | None = None
    last_step_only: bool = False
    one_hot: bool = False
    input_size: int | None = None

    def loss(self, logits: Array, targets: Array) -> tuple[Array, Array]:
        """Return the losses (T, N) and ∂L/∂logits."""
        if self.squared_error is None:
            return cross_entropy(logits, targets)
        error = logits - targets
        losses: Array = self.squared_error * (error * error).sum(axis=-1)
        return losses, 2.0 * self.squared_error * error

    def counted(self, T: int) -> Array | None:
        """Return which steps' losses count, None for all."""
        return (np.arange(T) == T - 1).astype(float) if self.last_step_only else None

    def forward(self, cell: Any, point: Point) -> Forward:
        """Run the reference on this task."""
        return forward(cell, point, self.loss, self.counted(len(point.xs)))


def problem_of(function: Any) -> Problem:
    """Return the task that an adapter wrote on a function; an attribute of that name may also be the student's own."""
    problem = getattr(function, "problem", None)
    return problem if isinstance(problem, Problem) else Problem()


def sized(reference: Any, problem: Problem) -> Any:
    """Return the reference as a cell of definite sizes; None stays None.

    Raises
    ------
    ArgumentError
        A name that is none of "rnn", "lstm", "gru", or something that is no cell.
    """
    D = problem.input_size or INPUTS
    makers: dict[str, Callable[[int, int], Any]] = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}
    if reference is None or isinstance(reference, str):
        if reference is not None:
            validate.option("diagnose", "reference", reference, makers)
        return None if reference is None else makers[reference](D, HIDDEN)
    if isinstance(reference, type) or not hasattr(reference, "step") or not hasattr(reference, "param_shapes"):
        validate.fail(
            "diagnose", f"reference is {reference!r:.60}",
            '"rnn", "lstm", "gru", a cell such as GRUCell(16, 5), or None', "the function is compared with it",
            error=validate.DtypeError,
        )
    if problem.input_size not in (None, reference.input_size):
        validate.fail(
            "diagnose", f"reference has input_size={reference.input_size}", f"{problem.input_size}",
            "the function's one-hot inputs have that size", "Make the two equal.",
        )
    return reference


def shapes(cell: Any, input_size: int | None = None) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all parameters; without a reference those of a vanilla cell's layout."""
    if cell is None:
        cell = RNNCell(input_size or INPUTS, HIDDEN)
    return {**dict(cell.param_shapes()), "W_hy": (cell.hidden_size, CLASSES), "b_y": (CLASSES,)}


def make_point(cell: Any, problem: Problem, sizes: tuple[int, int], rng: np.random.Generator) -> Point:
    """Draw a point: weights from N(0, 1/fan_in), biases and states random and not zero."""
    T, N = sizes
    params: Params = random_params(
        {name: np.empty(shape) for name, shape in shapes(cell, problem.input_size).items()}, rng
    )
    D = params["W_xh"].shape[0] if cell is None else cell.input_size  # W_xh need not have a row for each input
    H = params["W_hy"].shape[0]
    xs = np.eye(D)[rng.integers(D, size=(T, N))] if problem.one_hot else rng.standard_normal((T, N, D))
    targets: Array = rng.integers(CLASSES, size=(T, N))
    if problem.squared_error is not None:
        targets = rng.standard_normal((T, N, CLASSES))
    parts = 1 if cell is None else len(cell.initial_state(N))
    return Point(params, xs, targets, tuple(rng.standard_normal((N, H)) for _ in range(parts)))


def orthonormal_point(cell: Any, problem: Problem, rng: np.random.Generator) -> Point | None:
    """Return a point whose inputs' T·N rows are orthonormal, the largest that D has room for; None if T < 3 is all."""
    sizes = next((s for s in ((5, 3), (5, 2), (4, 3), (3, 2), (3, 1)) if s[0] * s[1] <= cell.input_size), None)
    if sizes is None:
        return None
    point = make_point(cell, problem, sizes, rng)
    T, N, D = point.xs.shape
    if problem.one_hot:
        rows = np.eye(D)[rng.permutation(D)[: T * N]]
    else:
        rows = np.linalg.qr(rng.standard_normal((D, D)))[0][: T * N]
    return point._replace(xs=np.ascontiguousarray(rows.reshape(T, N, D)))
