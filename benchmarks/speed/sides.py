"""What is timed on our side, and the arrays that both sides get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.speed import textbook
from benchmarks.speed.points import Point
from rnn_from_scratch.arrays import Array, Params
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.layers import Recurrent

STREAM_STEPS = 100  # of one call where streaming is timed: the loop around them is the same on every side
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}  # relative to each array's largest number


class Side(NamedTuple):
    """One of those who race: what is timed, and what it computes, for the check before."""

    run: Callable[[], object]
    values: Callable[[], dict[str, Array]]


class Problem(NamedTuple):
    """One point: the cell, and the arrays that every side gets."""

    kind: str
    cell: Any
    params: Params
    xs: Array  # (T, N, D)
    upstream: Array  # (T, N, H), ∂L/∂hs of the check: with ones alone a mistake could hide


def make_cell(kind: str, D: int, H: int) -> Any:
    """Return the cell of this name."""
    if kind == "mingru":
        from rnn_from_scratch.cells import MinGRUCell

        return MinGRUCell(D, H)
    return {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}[kind](D, H)


def make_problem(kind: str, point: Point, dtype: str) -> Problem:
    """Draw weights as PyTorch starts them, uniform within ±1/√H, biases too, and normal inputs."""
    N, T, D, H = point
    rng = np.random.default_rng(0)
    cell = make_cell(kind, D, H)
    bound = H**-0.5
    params = {name: rng.uniform(-bound, bound, shape).astype(dtype) for name, shape in cell.param_shapes().items()}
    xs, upstream = (rng.standard_normal((T, N, size), dtype=dtype) for size in (D, H))
    return Problem(kind, cell, params, xs, upstream)


def layer_side(problem: Problem, what: str, engine: str | None = None) -> Side:
    """A `Recurrent`; `engine` None is its own choice, the fused one wherever there is a kernel."""
    layer = Recurrent(problem.cell, engine)
    params, xs = problem.params, problem.xs
    if what == "stream":
        return _stream_side(layer, params, xs)

    def train() -> object:
        hs, _, cache = layer.forward(params, xs)
        loss = hs.sum()
        layer.backward(params, np.ones_like(hs), cache)
        return loss

    def trained() -> dict[str, Array]:
        hs, _, cache = layer.forward(params, xs)
        dxs, _, grads = layer.backward(params, problem.upstream, cache)
        return {"hs": hs, "dxs": dxs, **grads}

    def infer() -> object:
        return layer.infer(params, xs)

    def inferred() -> dict[str, Array]:
        hs, final_state = layer.infer(params, xs)
        return {"hs": hs, **dict(zip(("h", "c"), final_state, strict=False))}

    return Side(train, trained) if what == "train" else Side(infer, inferred)


def _stream_side(layer: Any, params: Params, xs: Array) -> Side:
    """One step at a time, the weights packed once, as whoever streams would: they don't change."""
    steps = list(xs)
    running = layer.stream(params, xs.shape[1])

    def run() -> object:
        for x in steps:
            h = running(x)
        return h

    def values() -> dict[str, Array]:
        fresh = layer.stream(params, xs.shape[1])
        return {"hs": np.stack([fresh(x) for x in steps])}

    return Side(run, values)


def textbook_side(problem: Problem, what: str) -> Side:
    """The program of textbook.py, its weights taken apart beforehand: it keeps them so."""
    kind, xs = problem.kind, problem.xs
    params = textbook.split(kind, problem.params)

    def train() -> object:
        hs, saved = textbook.forward(kind, params, xs)
        loss = hs.sum()
        textbook.backward(kind, params, np.ones_like(hs), saved)
        return loss

    def trained() -> dict[str, Array]:
        hs, saved = textbook.forward(kind, params, xs)
        dxs, grads = textbook.backward(kind, params, problem.upstream, saved)
        return {"hs": hs, "dxs": dxs, **textbook.join(kind, grads)}

    def infer() -> object:
        return textbook.forward(kind, params, xs)

    def inferred() -> dict[str, Array]:
        return {"hs": textbook.forward(kind, params, xs)[0]}

    return Side(train, trained) if what == "train" else Side(infer, inferred)


def disagreement(ours: dict[str, Array], theirs: dict[str, Array], tolerance: float) -> tuple[float, str | None]:
    """Compare every array that both sides have.

    Returns
    -------
    difference
        The largest, relative to the largest number of the array it is in.
    refusal
        None where all is within the tolerance, else a sentence that names the worst array.

    Raises
    ------
    KeyError
        If the other side has an array that ours lacks: then something would go unchecked.
    """
    found = {}
    for name, other in theirs.items():
        own = ours[name]
        if own.shape != other.shape or own.dtype != other.dtype:
            return np.inf, f"{name} is {own.dtype} {own.shape}, theirs {other.dtype} {other.shape}"
        scale = float(np.abs(other).max()) or 1.0
        found[name] = float(np.abs(own - other).max()) / scale
    name = max(found, key=lambda key: found[key] if np.isfinite(found[key]) else np.inf)
    difference = found[name]
    if not difference <= tolerance:  # NaN too
        return difference, f"{name} differs by {difference:.1e} of its largest number, more than {tolerance:.0e}"
    return difference, None
