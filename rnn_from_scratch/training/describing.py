"""Models as plain data and back: what a checkpoint says of the model whose parameters it holds.

Only the package's own cells, layers, attentions and models are built from a description: a file names no code to run.
"""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any

from .. import attention, cells, layers, models, validate

#: What may be built, by name.
KNOWN: dict[str, Any] = {
    name: part
    for module in (attention, cells, layers, models) for name, part in vars(module).items()
    if isinstance(part, type) and is_dataclass(part)
}


def describe(model: Any) -> dict[str, Any] | None:
    """Return a model as nested dictionaries of plain values, ready for JSON; None if a part is of somebody's own.

    {"class": "Recurrent", "cell": {"class": "RNNCell", "input_size": 3, …}, …}; a tuple is {"tuple": […]}.
    """
    try:
        described: dict[str, Any] = _described(model)
    except _OwnPartError:
        return None
    return described


class _OwnPartError(Exception):
    """A part that no description can stand for."""


def _described(value: Any) -> Any:
    part = KNOWN.get(type(value).__name__)
    if part is type(value):
        return {"class": part.__name__} | {
            field.name: _described(getattr(value, field.name)) for field in fields(part)
        }
    if isinstance(value, tuple):
        return {"tuple": [_described(item) for item in value]}
    if value is None or isinstance(value, str | bool) or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    raise _OwnPartError


def build(description: Any, where: str = "build") -> Any:
    """Return the model that `describe` described.

    Raises
    ------
    ArgumentError
        If it is no description, names something that the package does not have, or has values that the part's own
        constructor refuses.
    """
    try:
        return _built(description, where)
    except RecursionError:
        validate.fail(where, "a description is nested without end", "a model's, a few parts deep")


def _built(description: Any, where: str) -> Any:
    if isinstance(description, dict) and set(description) == {"tuple"} and isinstance(description["tuple"], list):
        return tuple(_built(item, where) for item in description["tuple"])
    if not isinstance(description, dict):
        if description is None or isinstance(description, str | bool | int | float):
            return description
        validate.fail(where, f"a description holds {description!r:.60}", "plain values")
    name = description.get("class")
    part = KNOWN.get(name) if isinstance(name, str) else None
    if part is None:
        validate.fail(
            where, f"a description is of {name!r:.60}", "one of the package's cells, layers and models",
            "nothing else is ever built from a file", "Make the model yourself, and take the parameters alone.",
        )
    known = {field.name for field in fields(part)}
    given = {key: value for key, value in description.items() if key != "class"}
    if not set(given) <= known:
        validate.fail(where, f"{name} has {sorted(set(given) - known)!r:.80}", f"some of {sorted(known)}")
    try:
        return part(**{key: _built(value, where) for key, value in given.items()})
    except TypeError as fault:  # a field missing; a value of a kind that no constructor foresaw
        validate.fail(where, f"{name} cannot be made ({fault})", "the fields that its constructor takes")
