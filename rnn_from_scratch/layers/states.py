"""The state of a layer over time, checked part by part."""

from __future__ import annotations

from typing import Any

from .. import validate
from ..arrays import State


def check_state(where: str, name: str, state: Any, expected: State) -> None:
    """Compare a state with one of the right form; raise if the number of its parts or a shape differs."""
    if not isinstance(state, tuple) or len(state) != len(expected):
        got = f"a tuple of {len(state)}" if isinstance(state, tuple) else f"of type {type(state).__name__}"
        parts = ", ".join(["h", *(f"part {index}" for index in range(1, len(expected)))])
        validate.fail(
            where, f"{name} is {got}", f"a tuple of {len(expected)} array{'s' * (len(expected) > 1)}",
            "state[0] is what the cell puts out, and some cells carry more",
            f"Try {name}=({parts}{',' * (len(expected) == 1)}).", validate.DtypeError,
        )
    for index, (part, like) in enumerate(zip(state, expected, strict=True)):
        array = validate.float_array(where, f"{name}[{index}]", part)
        validate.shape(where, f"{name}[{index}]", array, like.shape, "there is one row a sequence")
        validate.finite(where, f"{name}[{index}]", array)
