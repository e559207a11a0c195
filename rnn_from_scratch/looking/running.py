"""A cell run over a sequence, its arguments checked as a layer checks them."""

from __future__ import annotations

from typing import Any

from .. import validate
from ..arrays import Array, Params, State
from ..layers import Recurrent
from ..layers.arguments import checked_arguments


def checked(
    where: str, cell: Any, params: Params, xs: Array, state: State | None, mask: Array | None
) -> tuple[Params, Array, State, Array | None]:
    """Return what `unroll` takes, with zeros on padding and a state; indices are refused, since cells take none."""
    if isinstance(cell, type) or not hasattr(cell, "step_backward"):
        validate.fail(
            where, f"cell is {cell!r:.60}", "a cell, such as RNNCell(3, 4)", "one time step is looked into",
            "Of a layer it is layer.cell.", validate.DtypeError,
        )
    if getattr(xs, "ndim", None) == 2 and xs.dtype.kind in "iu":
        validate.fail(
            where, f"xs is an array of {xs.dtype} of shape {xs.shape}", "inputs (T, N, D)", "a cell takes no indices",
            f"Try one_hot(xs, {cell.input_size}).", validate.ShapeError,
        )
    return checked_arguments(where, Recurrent(cell, engine="stepwise"), params, xs, state, mask)
