"""What a figure accepts: real, finite numbers of the right shape, copied, so that nothing passed in can change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Array
from ..validate import DtypeError, ShapeError, fail, finite, shape

MOST_LINES = 8


def numbers(
    where: str, name: str, value: Any, pattern: Sequence[int | str], *, because: str = "", nan_ok: bool = False
) -> Array:
    """Return a float64 copy of an array or a list of real numbers, checked against a shape pattern."""
    array = _read(where, name, value)
    shape(where, name, array, pattern, because)
    _not_empty(where, name, array)
    finite(
        where, name, np.where(np.isnan(array), 0.0, array) if nan_ok else array,
        hint="Draw the part before it, or leave that line out and say so in the title.",
    )
    return array


def _read(where: str, name: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        fail(where, f"{name} has rows of unequal lengths", "a rectangle of numbers", error=ShapeError)
    if array.dtype.kind not in "biuf" and array.size:
        fail(
            where, f"{name} has dtype {array.dtype}", "real numbers", "only these have a place on an axis",
            error=DtypeError,
        )
    return np.array(array, dtype=np.float64)


def _not_empty(where: str, name: str, array: Array) -> None:
    if array.size == 0:
        fail(
            where, f"{name} has shape {array.shape}", "at least one number", "there is nothing to draw",
            error=ShapeError,
        )


def steps(where: str, name: str, value: Any, T: int | None = None, width: int | None = None) -> Array:
    """Return one sequence as (T, ·): numbers (T,) become (T, 1)."""
    array = _read(where, name, value)
    if array.ndim == 1:
        array = array[:, None]
    shape(
        where, name, array, ("T" if T is None else T, "n" if width is None else width), "it has one row per time step",
        f"One sequence of a batch is {name}[:, 0]." if array.ndim == 3 else "",
    )
    _not_empty(where, name, array)
    finite(where, name, array)
    return array


def lines(
    where: str, name: str, value: Any, pattern: Sequence[int | str], *, because: str = "", nan_ok: bool = False
) -> dict[str, Array]:
    """Return {label: numbers}, each of the same shape, at most as many as can be told apart."""
    if not isinstance(value, Mapping):
        fail(
            where, f"{name} is a {type(value).__name__}", "a dictionary of label: numbers",
            "every line needs a name beside it", f'Try {{"loss": {name}}}.', DtypeError,
        )
    if not 1 <= len(value) <= MOST_LINES:
        fail(
            where, f"{name} has {len(value)} entries", f"1 to {MOST_LINES}",
            "more line styles than that cannot be told apart" if value else "there is nothing to draw",
        )
    return {
        str(label): numbers(where, f"{name}[{label!r}]", y, pattern, because=because, nan_ok=nan_ok)
        for label, y in value.items()
    }


def names(where: str, name: str, value: Any, count: int, because: str) -> list[str]:
    """Return `count` labels as strings."""
    if isinstance(value, str) and len(value) == 1:
        value = [value]
    listed = [str(label) for label in value]
    if len(listed) != count:
        fail(where, f"{name} has {len(listed)} entries", str(count), because, error=ShapeError)
    return listed


def positive(where: str, name: str, array: Array, *, zero_ok: bool = False) -> None:
    """Refuse what a logarithmic axis cannot show."""
    bad = array < 0 if zero_ok else array <= 0
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f"[{', '.join(map(str, index))}]" if index else ""
        fail(
            where, f"{name}{place} is {array[index]:g}", "numbers of at least 0" if zero_ok else "numbers above 0",
            "the axis is logarithmic", "Draw the absolute value, or set the axis linear.",
        )
