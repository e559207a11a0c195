"""Points for whole-sequence kernels, and what lets tiny sequences visit all of their code.

A chunk of time has hundreds of steps. Here it has one to four, and a group in it no more; new buffers are full of NaN,
so that what nobody wrote is not right by chance; and none is used again, since a mutant may have spoilt it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from points import Gradients, Point, draw, start
from rejecting import Check

from rnn_from_scratch.arrays import tree_copy
from rnn_from_scratch.fused import layout, passes, scanned
from rnn_from_scratch.fused.pool import POOL
from rnn_from_scratch.layers import Recurrent

ALIGNED = layout.aligned
PLACES = (
    (layout, "CHUNK_COLUMNS"), (layout, "GROUP_NUMBERS"), (scanned, "CHUNK"), (passes, "aligned"), (POOL, "most_sets"),
    (layout, "NARROW"),
)


def full_of_nan(shape: tuple[int, ...], dtype: Any) -> Any:
    array = ALIGNED(shape, dtype)
    array[...] = np.nan
    return array


@contextmanager
def cut(columns: int, numbers: int) -> Iterator[None]:
    """Cut time into chunks of so many columns (steps times sequences), and groups of so many numbers."""
    before = [getattr(owner, name) for owner, name in PLACES]
    POOL.clear()
    for (owner, name), value in zip(PLACES, (columns, numbers, numbers, full_of_nan, 0, 1), strict=True):
        setattr(owner, name, value)
    try:
        yield
    finally:
        for (owner, name), value in zip(PLACES, before, strict=True):
            setattr(owner, name, value)


def cutting(columns: int, numbers: int, check: Check) -> Check:
    """Return the check, with time cut while it runs."""

    def checked() -> Any:
        with cut(columns, numbers):
            return check()

    return checked


def fused_point(kind: Any, masked: bool, engine: str = "fused", segments: bool = False) -> Point:
    """For a layer of any cell with a kernel, in chunks of any length, or in segments."""

    def point(rng: np.random.Generator) -> Gradients:
        T, N, H, chunk, group = (int(size) for size in rng.integers(1, (8, 5, 5, 5, 4)))
        D = int(rng.choice([1, 2, 3, 4, 16, 17]))
        layer = Recurrent(kind(D, H), engine, recompute_every=chunk if segments else None)
        params, xs = draw(rng, layer.init_params(rng=rng)), rng.normal(size=(T, N, D))
        mask = rng.random((T, N)) < 0.6 if masked else None
        dhs, state, dfinal = rng.normal(0.0, 0.7, (T, N, H)), start(rng, layer, xs), start(rng, layer, xs)
        if masked and rng.random() < 0.5:
            xs, dhs = (np.where(mask[..., None], array, np.nan) for array in (xs, dhs))

        def gradients() -> Any:
            with cut(chunk * N, group * N * H):
                at = tree_copy(params)
                _, _, cache = layer.forward(at, xs.copy(), tree_copy(state), mask)
                found = [layer.backward(at, dhs.copy(), cache, after) for after in (tree_copy(dfinal), None)]
                without = layer.backward(at, dhs.copy(), cache, input_grad=False)
                return [*found, without[1:], without[0] is None]

        return gradients

    return point
