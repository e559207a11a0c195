"""Tier 3: a gradient whose shape is not its parameter's, and what its numbers are all the same."""

from __future__ import annotations

import numpy as np

from ...arrays import Array
from .labels import MATCH, Bench
from .reference import STATES, Gradients, Point, off
from .suspects import Suspect, Where


def shape_suspects(point: Point, grads: Gradients, bench: Bench) -> list[Suspect]:
    """Return a suspect for every array of the wrong shape."""
    expected = {**point.params, "xs": point.xs, **dict(zip(STATES, point.state, strict=False))}
    T, N = point.xs.shape[:2]
    return [
        _suspect(name, array, expected[name].shape, _whole(bench, name), T, N)
        for name, array in grads.items() if array.shape != expected[name].shape
    ]


def _whole(bench: Bench, name: str) -> Array:
    """Put the blocks of an array together again."""
    parts = [array for block, array in bench.truth.items() if block.partition(":")[0] == name]
    return np.concatenate(parts, axis=-1)


def _suspect(name: str, mine: Array, shape: tuple[int, ...], right: Array, T: int, N: int) -> Suspect:
    evidence = f"{name} has shape {mine.shape}, expected {shape}"
    where = Where(name)
    for axes, kind, what in (
        ((0,), "not-summed-over-batch" if mine.shape[:1] == (N,) else "not-summed-over-time", "the first axis"),
        ((0, 1), "not-summed-over-batch", "the first two axes"),
        ((1,), "not-summed-over-batch", "the second axis"),
    ):
        if max(axes) < mine.ndim and all(mine.shape[axis] in (T, N) for axis in axes):
            summed = mine.sum(axis=axes)
            if summed.shape == shape and off(summed, right) < MATCH:
                hint = "Sum over the batch, delta.sum(axis=0), and over time: a parameter serves them all."
                return Suspect(kind, where, f"{evidence}; summed over {what} it is right.", hint)
    if mine.size == right.size:
        if mine.ndim == 2 and mine.T.shape == shape and off(mine.T, right) < MATCH:
            return Suspect("shape", where, f"{evidence}; its transpose is right.",
                           "Rows or columns: dW = xᵀ · delta has the shape of W where x stands in rows.")
        if off(mine.ravel(), right.ravel()) < MATCH:
            return Suspect("shape", where, f"{evidence}; the numbers are right.",
                           "keepdims=True, or an axis of size 1 left over: reshape to the parameter's shape.")
    return Suspect("shape", where, f"{evidence}.", "Which product gives an array of that shape, and what was summed?")
