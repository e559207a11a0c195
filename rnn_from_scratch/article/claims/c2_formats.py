"""Claim C2, the second half: trained weights kept in less room, and what a pass through them takes.

Each format turns the parameters of a language model into others, with which the same pass runs: floats with zeros in
them, a pruned matrix as its entries alone, 8 bits made floats again, 8 bits multiplied as whole numbers. The last two
kinds of matrix stand where an array stood, since `x @ W` asks W when x does not know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params, leaves, tree_copy, tree_map
from ...bptt import unroll
from ...compression import dequantize, prune, quantize, size_in_bytes
from ...models import LanguageModel, SequenceClassifier

#: Of `SparseColumns`: up to how many products a column the entries are gathered, and how many in one go (what the
#: processor's caches hold).
GATHER, AT_ONCE = 2000, 400_000


class SparseColumns:
    """A pruned matrix as its entries that are not zero, column by column, and a product by hand.

    NumPy has no sparse product. Two ways were timed, and the quicker is taken by size: gather what all entries
    multiply, multiply, and sum each column's part (few products a column); or a small dense product for each column.
    """

    __array_ufunc__ = None  # so that x @ sparse comes to __rmatmul__

    def __init__(self, W: Array) -> None:
        columns, self.rows = np.nonzero(W.T)
        self.shape, self.values = W.shape, W[self.rows, columns]
        self.filled = np.unique(columns)  # the others give zeros
        self.starts = np.searchsorted(columns, self.filled)
        parts = np.split(np.arange(len(columns)), self.starts[1:]) if len(columns) else []
        self.parts = [(self.rows[part], self.values[part]) for part in parts]

    @property
    def nbytes(self) -> int:
        """The room of values, row numbers and column starts, in the smallest whole numbers that hold them."""
        row, start = (np.min_scalar_type(largest).itemsize for largest in (self.shape[0] - 1, len(self.values)))
        return int(len(self.values) * (self.values.itemsize + row) + (self.shape[1] + 1) * start)

    def __rmatmul__(self, x: Array) -> Array:
        """Return x @ W for x (…, K)."""
        by_row: Array = np.ascontiguousarray(x.reshape(-1, self.shape[0]).T)  # (K, N): what is gathered is contiguous
        N = by_row.shape[1]
        y = np.zeros((self.shape[1], N), x.dtype)
        if len(self.values) * N <= GATHER * self.shape[1]:
            some = max(1, AT_ONCE // max(1, len(self.values)))
            for start in range(0, N, some):
                products = by_row[:, start : start + some].take(self.rows, axis=0) * self.values[:, None]
                y[self.filled, start : start + some] = np.add.reduceat(products, self.starts)
        else:
            for column, (rows, values) in zip(self.filled, self.parts, strict=True):
                np.dot(values, by_row[rows], y[column])
        return y.T.reshape(*x.shape[:-1], self.shape[1])


class WholeNumbers:
    """8-bit weights that are multiplied as whole numbers: x, too, is rounded to 8 bits, row by row.

    The sums need 32 bits. For whole numbers NumPy calls no BLAS, and has loops of its own.
    """

    __array_ufunc__ = None

    def __init__(self, W: Array) -> None:
        values, self.scale = quantize(W)
        self.values = values.astype(np.int32)

    def __rmatmul__(self, x: Array) -> Array:
        """Return x @ W for x (…, K)."""
        values, scale = quantize(x, axis=-1)
        sums: Array = (values.astype(np.int32) @ self.values).astype(x.dtype)
        return sums * scale * self.scale


class Format(NamedTuple):
    """A way to keep weights."""

    load: Callable[[Params], Params]  # to what a pass takes
    nbytes: Callable[[Params], int]  # of the file
    sparsity: float = 0.0  # the share of each matrix that is left out


def _matrices(params: Params, kind: Callable[[Array], Any]) -> Params:
    """Put `kind` of it where a matrix is multiplied; the embedding's table is looked up, and vectors are added."""
    return {
        name: {key: kind(array) if array.ndim == 2 and key != "W_embed" else array for key, array in part.items()}
        for name, part in params.items()
    }


def in_eight_bits(params: Params) -> Params:
    """Return parameters whose matrices went to 8 bits and back."""
    rounded: Params = tree_map(lambda array: dequantize(quantize(array)) if array.ndim == 2 else array, params)
    return rounded


def eight_bit_bytes(params: Params) -> int:
    """Return the bytes of the matrices in 8 bits with their scales, and of the vectors as they are."""
    return sum(size_in_bytes(quantize(array) if array.ndim == 2 else array) for _, array in leaves(params))


def sparse_bytes(params: Params) -> int:
    """Return the bytes of the matrices as their entries alone, and of the vectors as they are."""
    return sum(SparseColumns(array).nbytes if array.ndim == 2 else array.nbytes for _, array in leaves(params))


def _pruned(sparsity: float, alone: bool) -> Format:
    if alone:
        return Format(
            lambda params: _matrices(prune(params, sparsity), SparseColumns),
            lambda params: sparse_bytes(prune(params, sparsity)), sparsity,
        )
    return Format(lambda params: prune(params, sparsity), size_in_bytes, sparsity)


FULL, AGAIN = "32-bit floats", "32-bit floats, once more"  # the second tells how exact the clock is
FORMATS: Mapping[str, Format] = {
    FULL: Format(tree_copy, size_in_bytes),
    AGAIN: Format(tree_copy, size_in_bytes),
    "50 % pruned, with the zeros": _pruned(0.5, alone=False),
    "50 % pruned, entries alone": _pruned(0.5, alone=True),
    "90 % pruned, with the zeros": _pruned(0.9, alone=False),
    "90 % pruned, entries alone": _pruned(0.9, alone=True),
    "8 bits, made floats when loaded": Format(in_eight_bits, eight_bit_bytes),
    "8 bits, whole-number products": Format(
        lambda params: _matrices(in_eight_bits(params), WholeNumbers), eight_bit_bytes),
}


def logits_of(model: LanguageModel | SequenceClassifier, params: Params, xs: Array) -> Array:
    """Return what `model.forward` returns first, with matrices of any kind: no array of params is looked into.

    The engine is the plain one, step by step. xs are indices (T, N); the initial state is zero.
    """
    table, output = params["embedding"]["W_embed"], params["output"]
    state = model.initial_state(xs.shape[1], table.dtype)
    hs, _, _ = unroll(model.recurrent.cell, params["recurrent"], np.take(table, xs, axis=0), state)
    read = hs if isinstance(model, LanguageModel) else hs[-1]
    logits: Array = read @ output.get("W_hy", table.T) + output["b_y"]
    return logits
