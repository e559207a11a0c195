"""The loss on a plane through the parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, leaves, tree_map


def loss_surface(
    loss: Callable[[Params], Any], params: Params, first: Params, second: Params, along_first: Any, along_second: Any
) -> Array:
    r"""Return the loss at θ + a·u + b·v, for every a and b: a plane through the parameters.

    .. math:: S_{ij} = L(\theta + a_j\, u + b_i\, v)

    Parameters
    ----------
    loss : params -> number
        The loss of fixed data.
    params : dict
        θ, where a = b = 0.
    first, second : dict
        u and v, with the keys and shapes of params: two parameters of a small network, or random directions.
    along_first, along_second : (A,), (B,)
        The numbers a and b.

    Returns
    -------
    losses : (B, A)
        Row i belongs to b_i, column j to a_j, as in a picture with a across and b up.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If the directions do not fit params, a number is not finite, or the loss is no number (an infinite loss is one).

    Source: Pascanu, Mikolov & Bengio (2013), §2.3, fig. 6; notebook 17; tests/looking/test_surface.py.
    """
    where = "loss_surface"
    if not callable(loss):
        validate.fail(where, f"loss is a {type(loss).__name__}", "a function of params", "it is called at every point",
                      error=validate.DtypeError)
    shapes = {path: array.shape for path, array in leaves(params)}
    for name, tree in (("params", params), ("first", first), ("second", second)):
        found = {path: validate.float_array(where, f"{name}.{path}", array).shape for path, array in leaves(tree)}
        if found != shapes:
            validate.fail(where, f"{name} has {found}", f"{shapes}", "a direction has a number for each parameter",
                          "Try tree_map(np.zeros_like, params), and set what should move.", validate.ShapeError)
        for path, array in leaves(tree):
            validate.finite(where, f"{name}.{path}", array)
    across, up = (_places(where, name, value) for name, value in (
        ("along_first", along_first), ("along_second", along_second)))
    losses = np.empty((len(up), len(across)))
    for i, b in enumerate(up):
        for j, a in enumerate(across):
            moved = tree_map(lambda x, u, v, a=a, b=b: (x + a * u + b * v).astype(x.dtype), params, first, second)
            value = np.asarray(loss(moved))
            if value.size != 1 or value.dtype.kind not in "iuf":
                validate.fail(where, f"loss returned {value!r:.60}", "one real number", "it is the height of a surface",
                              error=validate.DtypeError)
            losses[i, j] = value.item()
    return losses


def _places(where: str, name: str, value: Any) -> Array:
    array = validate.as_array(where, name, value)
    if array.dtype.kind not in "iuf":
        validate.fail(where, f"{name} has dtype {array.dtype}", "real numbers", error=validate.DtypeError)
    validate.shape(where, name, array, ("n",), "the points stand on a line")
    if not array.size:
        validate.fail(where, f"{name} is empty", "at least one number", error=validate.ShapeError)
    validate.finite(where, name, array)
    return array.astype(np.float64)
