"""Compare an answer with what is expected, and say in words where and how they differ.

An answer may be a number, text, True or False, an array (or lists and tuples of numbers), or a
dictionary or tuple of arrays such as the gradients of a layer. What is expected is never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..arrays import Array, leaves


class Mismatch(Exception):  # noqa: N818 - not an error: the sentence a student reads
    """The answer is of another kind or shape than what is expected; the message says which."""


def unsolved(answer: Any) -> bool:
    """Say whether an answer is still the placeholder: None, ..., "" or a container that holds one."""
    if answer is None or answer is Ellipsis or answer is NotImplemented:
        return True
    if isinstance(answer, str):
        return not answer.strip()
    if isinstance(answer, Mapping):
        return any(unsolved(value) for value in answer.values())
    if isinstance(answer, list | tuple):
        return any(unsolved(value) for value in answer)
    return isinstance(answer, np.ndarray) and answer.dtype == object and any(unsolved(v) for v in answer.ravel())


def difference(expected: Any, answer: Any, tolerance: float, *, exact_shape: bool) -> str | None:
    """Return None if the answer is right, else one or two sentences on how it differs.

    A number is right if it is off by at most `tolerance` · max(1, |expected|). Without `exact_shape`
    axes of size 1 do not count: (1, 2) is as good as (2,), and one number as good as [[number]].
    """
    try:
        pairs = list(_pairs(expected, answer, ""))
        arrays = [(place, *_comparable(want, got, place, exact_shape)) for place, want, got in pairs]
    except Mismatch as mismatch:
        return str(mismatch)
    for place, want, got in arrays:
        if got.dtype.kind == "f" and (np.isfinite(want) & ~np.isfinite(got)).any():
            return _not_finite(place, got)
    wrong = [(place, want, got) for place, want, got in arrays if not _near(want, got, tolerance).all()]
    return _numbers_differ(wrong, arrays, tolerance) if wrong else None


def show(answer: Any) -> str:
    """Show an answer in a few words: its numbers if there are few, its shape otherwise."""
    if isinstance(answer, Mapping):
        return "a dictionary of " + ", ".join(f"{key}: {show(value)}" for key, value in answer.items())
    if _holds_arrays(answer):
        return "(" + ", ".join(show(value) for value in answer) + ")"
    if isinstance(answer, str | bool | np.bool_):
        return repr(answer if isinstance(answer, str) else bool(answer))
    try:
        array = np.asarray(answer)
    except ValueError:
        return f"a {type(answer).__name__}"
    if array.dtype.kind not in "iufcb":
        return f"a {type(answer).__name__}"
    if array.size > 12:
        return f"an array of shape {array.shape}"
    if array.ndim == 0:
        return f"{array[()]:.6g}"
    text = np.array2string(
        array, separator=", ", formatter={"float_kind": lambda number: f"{number:.6g}", "int_kind": str}
    )
    return " ".join(text.split())


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(
        isinstance(part, Mapping) or (isinstance(part, np.ndarray) and part.ndim > 0) for part in value
    )


def _pairs(expected: Any, answer: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield (place, expected, answer) for each array or number, or raise Mismatch."""
    here = f"{place} " if place else "It "
    if isinstance(expected, Mapping):
        if not isinstance(answer, Mapping):
            raise Mismatch(f"{here}should be a dictionary with the keys {_listed(expected)}.")
        if set(answer) != set(expected):
            raise Mismatch(f"{here}has the keys {_listed(answer)}, and should have {_listed(expected)}.")
        for key, value in expected.items():
            yield from _pairs(value, answer[key], f"{place}[{key!r}]")
    elif _holds_arrays(expected):
        if not isinstance(answer, list | tuple) or len(answer) != len(expected):
            raise Mismatch(f"{here}should be {len(expected)} arrays, one after the other, in a tuple.")
        for index, value in enumerate(expected):
            yield from _pairs(value, answer[index], f"{place}[{index}]")
    else:
        yield place, expected, answer


def _listed(mapping: Mapping[Any, Any]) -> str:
    return ", ".join(sorted(map(str, mapping))) or "(none)"


def _comparable(expected: Any, answer: Any, place: str, exact_shape: bool) -> tuple[Array, Array]:
    """Return both as arrays of one shape and kind, or raise Mismatch."""
    here = f"{place} " if place else "It "
    if unsolved(answer):
        raise Mismatch(f"{here}is {answer!r}, so there is nothing to compare yet.")
    if isinstance(expected, str):
        if not isinstance(answer, str):
            raise Mismatch(f"{here}is a {type(answer).__name__}, and should be text in quotation marks.")
        return np.array(expected.strip().casefold()), np.array(answer.strip().casefold())
    want = np.asarray(expected)
    try:
        got = np.asarray(answer)
    except ValueError:
        raise Mismatch(f"{here}has rows of different lengths, and should have shape {want.shape}.") from None
    if want.dtype.kind == "b" and got.dtype.kind != "b":
        raise Mismatch(f"{here}is a {type(answer).__name__}, and should be True or False.")
    if want.dtype.kind != "b" and got.dtype.kind not in "iuf":
        other = "text" if isinstance(answer, str) else f"a {type(answer).__name__}"
        kind = {"b": "True or False", "c": "complex"}.get(got.dtype.kind, other)
        raise Mismatch(f"{here}is {kind}, and should be {'a number' if want.size == 1 else 'real numbers'}.")
    if got.shape != want.shape and (exact_shape or np.squeeze(got).shape != np.squeeze(want).shape):
        if not exact_shape and max(np.squeeze(want).ndim, np.squeeze(got).ndim) <= 1:
            # The answer may itself be a shape, and "has shape (2,)" would then be read as its value.
            count = f"{got.size} number{'' if got.size == 1 else 's'}"
            raise Mismatch(f"{here}has {count}, and should have {want.size}.")
        message = f"{here}has shape {got.shape}, and should have {want.shape}."
        if got.shape == want.shape[::-1]:
            message += " Rows and columns are exchanged."
        raise Mismatch(message)
    return want, got.reshape(want.shape)


def _near(want: Array, got: Array, tolerance: float) -> Array:
    if want.dtype.kind not in "iuf":
        return np.asarray(want == got)
    near = np.abs(got - want) <= tolerance * np.maximum(1.0, np.abs(want))
    return np.asarray(near | (np.isnan(got) & np.isnan(want)))  # a wrong answer may be known by its NaN


def _not_finite(place: str, got: Array) -> str:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(got))[0])
    where = place + (f"[{', '.join(map(str, index))}]" if index else "")
    what = "not a number (NaN)" if np.isnan(got[index]) else "infinite"
    cause = "0 / 0, ∞ - ∞ or the log of a negative number" if np.isnan(got[index]) else "an overflow or a division by 0"
    return f"{where or 'It'} is {what}: that comes from {cause}."


def _numbers_differ(
    wrong: list[tuple[str, Array, Array]], arrays: list[tuple[str, Array, Array]], tolerance: float
) -> str:
    """Say what the numbers show without showing what is expected."""
    if any(want.dtype.kind not in "iuf" for _, want, _ in wrong):
        return ""
    if all(_near(-want, got, tolerance).all() for _, want, got in arrays):
        return "The size is right, and the sign is reversed."
    counts = all(want.dtype.kind in "iu" for _, want, _ in arrays)  # no digits to keep in a whole number
    if not counts and all(np.abs(got - want).max() <= 0.01 * np.abs(want).max() for _, want, got in arrays):
        return "That is close, but not close enough: keep more digits on the way."
    if len(wrong) < len(arrays):
        return "Right: " + ", ".join(p for p, w, g in arrays if _near(w, g, tolerance).all()) + (
            ". Wrong: " + ", ".join(place for place, _, _ in wrong) + "."
        )
    total = sum(want.size for _, want, _ in arrays)
    right = sum(int(_near(want, got, tolerance).sum()) for _, want, got in arrays)
    if not right:
        return ""
    return f"{right} of its {total} entries {'is' if right == 1 else 'are'} right."


def _same(now: Any, then: Any) -> bool:
    """Compare bit for bit, so to speak: a NaN that was there before is no change."""
    return np.array_equal(now, then, equal_nan=np.asarray(now).dtype.kind in "fc")


def unchanged(**pairs: tuple[Any, Any]) -> None:
    """Raise in words if a student's function wrote into what it was given: name=(after, before), arrays or trees."""
    for name, (after, before) in pairs.items():
        both = zip(leaves(after), leaves(before), strict=True)
        if not all(_same(now, then) for (_, now), (_, then) in both):
            raise AssertionError(f"Your function changed {name}: what is passed in belongs to the caller. Copy first")
