r"""Smaller weights after training: what is nearly zero left out, and eight bits instead of thirty-two.

Both make a network smaller (article §1.2, §4.3: fewer parameters). Neither makes NumPy faster: a product with zeros
takes the time of a product, and no BLAS multiplies integers. `benchmarks/compression.py` measures that.

tests/test_compression.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import validate
from .arrays import Array, Params, Tree, leaves, tree_map

LARGEST = 127  # of 8 bits with a sign; −128 has no partner and is left out, so that −w is −q


def magnitude_mask(array: Array, sparsity: float) -> Array:
    """Return which entries to keep: all but the smallest in size.

    Parameters
    ----------
    array : float array of any shape
        Weights.
    sparsity : float
        The share to leave out, 0 ≤ sparsity < 1. The nearest whole number of entries goes; among entries of equal size
        those that come first.

    Returns
    -------
    mask : bool array of the same shape
        True where the entry stays.

    Raises
    ------
    DtypeError, ArgumentError
        If array is not one of real, finite numbers, or sparsity outside its bounds.

    Source: Han, Pool, Tran & Dally (2015), who go on training what is left: this alone is the first half.
    """
    where = "magnitude_mask"
    _checked(where, "array", array)
    share = validate.number(
        where, "sparsity", sparsity, at_least=0.0, below=1.0, because="it is the share of the entries to leave out",
    )
    mask = np.ones(array.shape, bool)
    gone = int(np.floor(share * array.size + 0.5))
    mask.ravel()[np.argsort(np.abs(array), axis=None, kind="stable")[:gone]] = False  # ravel: a view, mask being new
    return mask


def prune(params: Params, sparsity: float) -> Params:
    """Return parameters with zeros for the smallest entries of each matrix; vectors (biases, gains) stay whole.

    Every matrix loses the same share (`magnitude_mask`), so that none whose numbers are all small is lost as a whole.
    The arrays keep their shapes: a pruned network runs wherever the full one does, in the same time.

    Parameters
    ----------
    params : dict
        Arrays, nested by layer.
    sparsity : float
        As in `magnitude_mask`.

    Raises
    ------
    DtypeError, ArgumentError
        As in `magnitude_mask`.

    Source: Han et al. (2015): one threshold a layer.
    """

    def pruned(array: Array) -> Array:
        if np.ndim(array) < 2:
            return np.array(_checked("prune", "params", array), copy=True)
        return np.where(magnitude_mask(array, sparsity), array, np.zeros((), array.dtype))

    pruned_params: Params = tree_map(pruned, params)
    return pruned_params


class Quantized(NamedTuple):
    """An array of 8-bit whole numbers and what one of them stands for."""

    values: Array  # int8, −127 … 127
    scale: Array  # of the array's dtype; 1 along the axis that shares a scale


def quantize(array: Array, axis: int = 0) -> Quantized:
    r"""Return the array in 8 bits: whole numbers, and a scale for every column.

    .. math:: s_j = \max_i |w_{ij}| / 127, \qquad q_{ij} = \operatorname{round}(w_{ij} / s_j)

    No entry moves by more than s_j / 2. The zero stays the zero, and pruned weights stay pruned, since there is no
    offset.

    Parameters
    ----------
    array : float array
        Weights, such as (D, H).
    axis : int
        Along which entries share a scale. 0, the default, gives a code matrix (fan_in, fan_out) one for each column:
        one large weight then costs the precision of its own unit alone, and x @ q is scaled after the product.

    Returns
    -------
    Quantized
        values int8 of the array's shape, scale (1, H). A quarter of float32's bytes, an eighth of float64's, and the
        scales.

    Raises
    ------
    DtypeError, ShapeError, ArgumentError
        If array is not one of real, finite numbers, or has no such axis.

    Source: Jacob et al. (2018), with an offset beside the scale; without one, and a scale for each output:
    Krishnamoorthi (2018).
    """
    where = "quantize"
    _checked(where, "array", array)
    whole = isinstance(axis, int | np.integer) and not isinstance(axis, bool)
    if not whole or not -array.ndim <= axis < array.ndim:
        because = f"the array has {array.ndim} axes"
        validate.fail(where, f"axis is {axis!r}", f"a whole number from {-array.ndim} to {array.ndim - 1}", because,
                      error=validate.ShapeError)
    largest = np.max(np.abs(array), axis=int(axis), keepdims=True, initial=0.0)
    # Zeros, and numbers so small that s would lose its own precision, count in units of the smallest normal number.
    scale = np.maximum(largest / LARGEST, np.finfo(array.dtype).tiny)
    return Quantized(np.rint(array / scale).astype(np.int8), scale)


def dequantize(quantized: Quantized) -> Array:
    """Return the numbers that 8 bits stand for, q s, in the dtype of the scale.

    Raises
    ------
    DtypeError
        If it is not what `quantize` returned.
    """
    values = getattr(quantized, "values", None)
    if not isinstance(quantized, Quantized) or not isinstance(values, np.ndarray) or values.dtype != np.int8:
        got = f"a {type(quantized).__name__}" + (f" of {values.dtype}" if isinstance(values, np.ndarray) else "")
        validate.fail("dequantize", f"quantized is {got}", "the Quantized that quantize returned, values of int8",
                      error=validate.DtypeError)
    numbers: Array = values * validate.float_array("dequantize", "scale", quantized.scale, complex_ok=False)
    return numbers


def count(tree: Tree) -> int:
    """Return how many numbers a tree of arrays holds."""
    return sum(int(np.size(array)) for _, array in leaves(tree))


def size_in_bytes(tree: Tree) -> int:
    """Return how many bytes the numbers of a tree of arrays take, also of one that holds `Quantized` arrays."""
    return sum(int(np.asarray(array).nbytes) for _, array in leaves(tree))


def _checked(where: str, name: str, array: Array) -> Array:
    """Return an array of real, finite numbers, or say why it is none."""
    checked = validate.float_array(where, name, array, complex_ok=False)
    validate.finite(where, name, checked)
    return checked
