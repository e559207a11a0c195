"""How time is cut, what a call's buffers depend on, and how arrays go from rows to features first and back.

Features first: an array of one step is (features, N), so that each gate is a contiguous slab (H, N). On those NumPy's
element-wise functions take 0.2 µs a call, on slices of a row-major (N, 4H) 0.9. With a single sequence (N = 1) the same
memory is a row as well. The layer's own arrays are row-major, (T, N, features), and so are the RNN's, which has no
gates: `transpose_into` goes from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array

# Time is cut twice. A chunk is what one product for the weights' gradients takes, in columns (steps times sequences),
# as many times more as x and W_hh are narrower than 128. A group is what goes through element-wise functions many steps
# at once, in numbers of an array (steps, H, N): small enough that what one of them writes the next still finds in the
# cache. Both optima are flat.
CHUNK_COLUMNS = 768
NARROW = 128
GROUP_NUMBERS = 32768

FAR = 2048  # bytes


class Plan(NamedTuple):
    """What the buffers of a call depend on, and so their key in the pool."""

    kernel: str
    choices: Any  # of the cell, where they matter
    steps: int  # that the forward's buffers hold: all T where they are kept for a backward, else one group
    chunk: int
    group: int  # at most a chunk
    N: int
    D: int
    H: int
    dtype: np.dtype[Any]
    projected: bool  # x W_xh + b is computed for a group beforehand; else every step multiplies [x; 1; h]


def pieces(start: int, stop: int, size: int) -> list[tuple[int, int]]:
    """Cut the steps start … stop − 1 into pieces of a size, the last one shorter."""
    return [(first, min(first + size, stop)) for first in range(start, stop, size)]


def make_plan(kernel: str, choices: Any, cell: Any, xs: Array, dtype: Any, keep: bool) -> Plan:
    """Choose by shape and dtype alone, never by a clock: a run repeats bit for bit."""
    T, N = xs.shape[:2]
    D, H = cell.input_size, cell.hidden_size
    columns = CHUNK_COLUMNS * max(1, NARROW // max(D, cell.param_shapes()["W_hh"][1]))
    chunk = min(T, max(1, columns // N))
    group = min(chunk, max(1, GROUP_NUMBERS // (H * N)))
    # A product with one to three columns is bound by reading the weights: W_xh is then read once a group instead of
    # at every step. And indices have no x to multiply: their rows of W_xh are looked up.
    projected = xs.ndim == 2 or (N < 4 and D >= 16)
    return Plan(kernel, choices, T if keep else group, chunk, group, N, D, H, np.dtype(dtype), projected)


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an uninitialised array that starts at a cache line (64 bytes)."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + 64, np.uint8)
    first = -raw.ctypes.data % 64
    array: Array = raw[first : first + size].view(dtype).reshape(shape)
    return array


def transpose_into(out: Array, array: Array) -> None:
    """Write array (…, a, b) to out (…, b, a).

    NumPy writes out's rows one after the other, each from a column of the array. Where the array's rows lie far apart,
    the lines of a column push each other out of the cache, and it goes by strips of 16 or 8 rows: 0.5 to 0.8 ns an
    element instead of 0.9 to 2.9. Elsewhere all at once is the fastest, 0.3 to 0.6.
    """
    rows, apart = array.shape[-2], array.strides[-2]
    if apart < FAR:
        out[...] = array.swapaxes(-1, -2)
        return
    strip = 16 if apart < 2 * FAR else 8
    for first in range(0, rows, strip):
        out[..., first : first + strip] = array[..., first : first + strip, :].swapaxes(-1, -2)


def paddings(mask: Array | None) -> list[Array | None] | None:
    """Return, for each step, where its padding is, (N,) bool, or None where it has none; None without a mask."""
    if mask is None:
        return None
    full: list[bool] = np.all(mask, axis=1).tolist()
    return [None if everybody else ~row for row, everybody in zip(mask, full, strict=True)]


def add_index_rows(dW: Array, indices: Array, rows: Array) -> None:
    """Add each row (of t·N) to the row of dW (D, ·) that its index names, rows of equal indices summed."""
    order = np.argsort(indices, axis=None, kind="stable")
    ordered = indices.ravel()[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))  # where a new index begins
    dW[ordered[starts]] += np.add.reduceat(rows[order], starts, axis=0)


@contextmanager
def slab_by_slab(slab: int) -> Iterator[None]:
    """Let NumPy's element-wise functions work on a group's slabs where they stand.

    Over slabs of less than 4096 numbers with gaps between them, they would copy operands to a buffer first, and take
    0.5 ns an element instead of 0.2. With a small buffer they don't. Below 128 numbers the copies are worth it.
    """
    if slab < 128:
        yield
    else:
        with np.errstate():  # its end restores the buffer's size
            np.setbufsize(16)
            yield
