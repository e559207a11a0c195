"""Tier 3: a gradient whose shape is not its parameter's, and what its numbers are all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from ...arrays import Array
from .dictionary import source_line
from .hypotheses import Hypothesis
from .labels import MATCH, Bench
from .reference import STATES, Gradients, Point, gradients, off
from .slices import lines_of
from .suspects import SourceLine, Suspect, Where


def shape_suspects(
    point: Point, grads: Gradients, bench: Bench, edits: Callable[[], Iterable[Hypothesis]] = tuple
) -> list[Suspect]:
    """Return a suspect for every array of the wrong shape; `edits` of the reference may give the very same array."""
    expected = {**point.params, "xs": point.xs, **dict(zip(STATES, point.state, strict=False))}
    T, N = point.xs.shape[:2]
    found = []
    for name, array in grads.items():
        if array.shape != expected[name].shape:
            suspect = _suspect(name, array, expected[name].shape, _whole(bench, name), T, N)
            lines = tuple(_giving(name, array, bench, edits()))
            found.append(replace(suspect, lines=lines or lines_of(bench.at.cell, {name}, set(grads) - {name})))
    return found


def _giving(name: str, mine: Array, bench: Bench, edits: Iterable[Hypothesis]) -> Iterator[SourceLine]:
    for edit in edits:
        if edit.change.collect is None and edit.change.dense is None:
            continue
        try:
            with np.errstate(all="ignore"):
                theirs = np.asarray(gradients(bench.at, edit.change)[name])
        except Exception:  # an edit that cannot run is no explanation
            continue
        line = source_line(edit)
        if line is not None and theirs.shape == mine.shape and off(mine, theirs) < MATCH:
            yield line


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
        fits = max(axes) < mine.ndim and all(mine.shape[axis] in (T, N) for axis in axes)
        if fits and any(mine.shape[axis] > 1 for axis in axes):  # over a single row there is nothing to sum
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
