"""The matrix product of one step, cut into blocks where that is faster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ..arrays import Array

# (call, operand, out): `matrix.dot(operand, out)` with a method that is bound once costs 0.25 µs, np.dot 0.5,
# np.matmul 0.8.
Product: TypeAlias = tuple[Callable[[Array, Array], Any], Array, Array]

SMALL = 1_000_000  # rows · K · N up to which OpenBLAS takes its kernel for small matrices
ROWS = 12  # that this kernel works on at a time
COLUMNS = 64  # of a block, where twelve rows of all columns are too many


def has_avx512() -> bool:
    """Tell whether NumPy finds AVX-512 (the set of Skylake servers) on this processor."""
    build = np.show_config(mode="dicts")
    found = build["SIMD Extensions"].get("found", []) if build else []
    return bool({"X86_V4", "AVX512_SKX"} & set(found))


def blas_threads() -> int:
    """Return how many threads OpenBLAS uses: what the environment says, in its own order, else the cores allowed."""
    for name in ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"):
        asked = os.environ.get(name, "")
        if asked.isdecimal() and int(asked) > 0:
            return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


AVX512 = has_avx512()
BLAS_THREADS = blas_threads()


def small_pays(dtype: np.dtype[Any]) -> bool:
    """Tell whether there is a kernel for small matrices that beats the one for large ones."""
    return AVX512 and BLAS_THREADS == 1 and dtype.kind != "c"


def row_blocks(rows: int, K: int, N: int, dtype: np.dtype[Any]) -> list[slice]:
    """Cut a product (rows, K) times (K, N) into small ones by rows; one block where that does not pay.

    With AVX-512, OpenBLAS multiplies small matrices without packing them first: 104 to 113 GFLOP/s in float32 where its
    way for large ones reaches 77 to 103, and 54 where that reaches 24 to 47 in float64. It works on twelve rows at a
    time. Without AVX-512 it has no such kernel, and blocks would be mere calls. With two threads or more the large way
    is the faster one, since small products run on one: 0.5 to 0.85 of the blocks' time with two.

    Other blocks round differently, so the choice hangs on shape, dtype, processor and threads, never on a clock.
    """
    size = SMALL // (K * N) // ROWS * ROWS
    if not small_pays(dtype) or N < 2 or rows * K * N <= SMALL or size == 0:
        return [slice(0, rows)]
    number = -(-rows // size)
    size = -(-rows // number // ROWS) * ROWS  # blocks of about one size
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]


def step_products(
    matrix: Array, operands: Iterable[Array], results: Iterable[Array], dtype: np.dtype[Any], N: int
) -> list[list[Product]]:
    """Return, for each step, the calls that write matrix @ operand (K, N) to its result (rows, N).

    For N = 1 the matrix is C-contiguous, or the transpose of one that is: either is one product with a vector.
    """
    pairs = zip(operands, results, strict=False)
    if N == 1 and matrix.strides[0] < matrix.strides[1]:  # a row times the matrix as it lies in memory
        lying = matrix.T
        return [[(operand[:, 0].dot, lying, result[:, 0])] for operand, result in pairs]
    rows, K = matrix.shape
    dots = [(matrix[cut].dot, cut) for cut in row_blocks(rows, K, N, dtype)]
    return [[(dot, operand, result[cut]) for dot, cut in dots] for operand, result in pairs]


def row_products(
    lefts: Iterable[Array], matrix: Array, results: Iterable[Array], dtype: np.dtype[Any]
) -> list[list[Product]]:
    """Return, for each step, the calls that write left (N, K) @ matrix (K, M) to its result (N, M).

    Where twelve rows are too many for a small product, the columns are cut too: 103 GFLOP/s instead of 80 at N = 32,
    K = M = 512. A block of columns is no array that `dot` could write to, so those are calls of `matmul`.
    """
    pairs = list(zip(lefts, results, strict=False))
    N, (K, M) = len(pairs[0][0]), matrix.shape
    if N == 1:
        return [[(left[0].dot, matrix, result[0])] for left, result in pairs]
    if not small_pays(dtype) or min(N, ROWS) * K * M <= SMALL:
        cuts = row_blocks(N, K, M, dtype)
        return [[(left[cut].dot, matrix, result[cut]) for cut in cuts] for left, result in pairs]
    blocks = [
        (cut, slice(first, min(first + COLUMNS, M)))
        for first in range(0, M, COLUMNS) for cut in row_blocks(N, K, COLUMNS, dtype)
    ]
    return [
        [(partial(np.matmul, left[rows]), matrix[:, columns], result[rows, columns]) for rows, columns in blocks]
        for left, result in pairs
    ]


def multiply(left: Array, right: Array, out: Array) -> Array:
    """Write left @ right to out. Some columns of a wider matrix `dot` would copy first; `matmul` takes 0.4 µs more."""
    product: Array = (np.dot if left.flags.forc and right.flags.forc else np.matmul)(left, right, out)
    return product


def multiply_rows(matrix: Array, operand: Array, out: Array) -> None:
    """Write matrix (rows, K) @ operand (K, N) to out, in blocks of rows where that is faster."""
    K, N = operand.shape
    for cut in row_blocks(len(matrix), K, N, out.dtype):
        multiply(matrix[cut], operand, out[cut])


def split(calls: list[Product]) -> tuple[Any, Array, Array, tuple[Product, ...]]:
    """Return the first call in three parts, and the others, mostly none: a loop over one call would cost 0.1 µs."""
    (call, operand, out), *others = calls
    return call, operand, out, tuple(others)
