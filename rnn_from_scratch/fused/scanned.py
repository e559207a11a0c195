r"""What the kernels of cells without W_hh share: the products around the recurrence, and the recurrence as a scan.

Such a cell's gates are functions of the input alone, and h_t = a_t ⊙ h_{t−1} + b_t. So many steps at once are three
things, none of which waits for the step before: a product of all inputs, element-wise functions of all
pre-activations, and `scan.py`. Padding is a step with a = 1 and b = 0, which carries the state to the last bit.

Arrays are row-major and flat, (t·N, ·). Each block of W_xh has a product of its own, which leaves each gate contiguous.

Time is cut into chunks. They change no number's meaning (the last state of one is the initial state of the next, and
backwards the gradient of that), but what one operation writes the next finds in the cache.

A cell's own part is two functions: `gates` takes the pre-activations of every block to a, b and what is to be kept;
`deltas` takes ∂L/∂a, ∂L/∂b and what was kept to ∂L/∂(pre-activations), written block by block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, Params, State
from ..scan import scan, scan_backward
from .layout import add_index_rows

# Numbers in an array of a chunk, (t·N, H), of which about ten are in use at a time. The optimum is flat.
CHUNK = 65536

Gates = Callable[[list[Array]], tuple[Array, Array, Any]]
Deltas = Callable[[Array, Array, Any, list[Array]], None]


class Chunk(NamedTuple):
    """What the backward pass needs of t steps."""

    xs: Array  # (t, N, D), or indices (t, N)
    mask: Array | None  # (t, N)
    a: Array  # (t, N, H), 1 on padding
    states: Array  # (t, N, H), carried over padding
    h0: Array  # (N, H), the state before
    kept: Any  # the cell's own


def scan_forward(
    cell: Any, gates: Gates, factors: tuple[float, ...], params: Params, xs: Array, state: State, mask: Array | None,
    keep: bool,
) -> tuple[Array, State, list[Chunk] | None]:
    """Return hs (T, N, H), the final state, and the chunks unless `keep` is False.

    `factors` has a number for each block of W_xh: its pre-activations are multiplied by that.
    """
    (h,) = state
    (T, N), H = xs.shape[:2], cell.hidden_size
    W_xh, b_h = params["W_xh"], params["b_h"]
    dtype = np.result_type(W_xh, b_h, xs if xs.ndim == 3 else W_xh)
    weights = [
        (np.multiply(W_xh[:, block], factor, dtype=dtype), np.multiply(b_h[block], factor, dtype=dtype))
        for block, factor in zip(_blocks(len(factors), H), factors, strict=True)
    ]
    hs_size = T * N * H
    # Less than forward and backward have in use together, more than half of it.
    _warm_heap(((4 if keep else 1) * hs_size + 5 * min(hs_size, CHUNK)) * dtype.itemsize)
    hs = np.empty((T, N, H), np.result_type(dtype, h))
    chunks = []
    for steps in _chunks(T, N * H):
        x = xs[steps]
        a, b, kept = gates([_projected(_rows(x), W, bias) for W, bias in weights])
        here = None if mask is None else mask[steps]
        a, b = _or(1, a.reshape(-1, N, H), here), _or(0, b.reshape(-1, N, H), here)
        states = scan(a, b, h)
        hs[steps] = _or(0, states, here)
        if keep:
            chunks.append(Chunk(x, here, a, states, h, kept))
        h = states[-1]
    return hs, (h.copy(),), chunks if keep else None


def scan_chunks_backward(
    cell: Any, deltas: Deltas, params: Params, dhs: Array, chunks: list[Chunk], dfinal_state: State | None,
    input_grad: bool,
) -> tuple[Array | None, State, Params]:
    """Return dxs, the initial state's gradient and the gradients by name, from the last chunk to the first.

    y = xW gives dW = xᵀ dy; dxs is None unless `input_grad`, and for indices.
    """
    W_xh, b_h = params["W_xh"], params["b_h"]
    (T, N), H = dhs.shape[:2], cell.hidden_size
    dh = np.zeros((N, H), dhs.dtype) if dfinal_state is None else dfinal_state[0]
    dtype = np.result_type(dhs, dh, chunks[0].states)
    dW, db_h = np.zeros(W_xh.shape, dtype), np.zeros(b_h.shape, dtype)
    indices = chunks[0].xs.ndim == 2
    dxs = None if indices or not input_grad else np.empty((T, N, len(W_xh)), dtype)
    for steps, (x, here, a, states, h0, kept) in zip(_chunks(T, N * H)[::-1], chunks[::-1], strict=True):
        da, db, dh = scan_backward(a, states, h0, _or(0, dhs[steps], here), dh)
        da, db = _or(0, da, here), _or(0, db, here)
        delta = np.empty((len(x) * N, len(b_h)), dtype)  # (t·N, all blocks)
        out = [delta[:, block] for block in _blocks(len(b_h) // H, H)]
        deltas(da.reshape(-1, H), db.reshape(-1, H), kept, out)
        rows = _rows(x)
        if indices:
            add_index_rows(dW, rows, delta)
        else:
            dW += rows.T @ delta
        # A product with ones adds the rows up at the speed of memory; sum(axis=0) takes four times as long.
        db_h += np.ones(len(delta), dtype) @ delta
        if dxs is not None:
            np.matmul(delta, W_xh.T, out=_rows(dxs[steps]))
    return dxs, (dh,), {"W_xh": dW, "b_h": db_h}


def _warm_heap(nbytes: int) -> None:
    """Make memory that is freed after a call stay with the process, for the next call.

    glibc returns freed memory to the system at once while a program has only ever used small blocks, and every page of
    it that comes back is a fault: half the time of a call with 1000 steps of 32 numbers. Once a block of some size has
    been mapped and freed, it keeps twice as much (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD; at most 32 MiB
    count). The block is never touched, so it costs no memory. Elsewhere this does nothing.
    """
    np.empty(min(nbytes, 2**25 - 2**16), np.uint8)


def _blocks(number: int, H: int) -> list[slice]:
    """Return the columns of each block of W_xh."""
    return [slice(k * H, (k + 1) * H) for k in range(number)]


def _chunks(T: int, M: int) -> list[slice]:
    """Return slices of time, as equal as can be, of about CHUNK numbers where a step has M."""
    number = min(T, max(1, round(T * M / CHUNK)))
    return [slice(k * T // number, (k + 1) * T // number) for k in range(number)]


def _rows(xs: Array) -> Array:
    """Return the inputs of every step and sequence below each other, (t·N, D), or (t·N,) indices."""
    rows: Array = xs.ravel() if xs.ndim == 2 else xs.reshape(-1, xs.shape[2])
    return rows


def _projected(rows: Array, W: Array, b: Array) -> Array:
    """Return x W + b; where the inputs are indices, x is one-hot and x W a row of W."""
    projected: Array = np.take(W, rows, axis=0) if rows.ndim == 1 else rows @ W
    projected += b
    return projected


def _or(padding: int, array: Array, mask: Array | None) -> Array:
    """Return the array with that number on padding."""
    return array if mask is None else np.where(mask[..., None], array, np.full((), padding, array.dtype))
