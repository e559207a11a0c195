"""Argument errors that teach: where, what came, what was expected, why, and what to try.

Every check here raises an `ArgumentError` whose message reads

    Recurrent.forward: xs has shape (7, 3), expected (T, N, 10) because time comes first, then the
    batch. For one sequence use xs[:, None, :].

Checks run once, where a caller's arrays come in, never inside a time loop.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, cast

import numpy as np

from .arrays import Array, leaves


class ArgumentError(ValueError):
    """A caller's argument cannot be used; the message says why and what to try."""


class ShapeError(ArgumentError):
    """An array has the wrong number of axes or the wrong sizes."""


class DtypeError(ArgumentError, TypeError):
    """An array's numbers are of a kind that cannot be used here."""


def fail(
    where: str, got: str, expected: str, because: str = "", hint: str = "", error: type[ArgumentError] = ArgumentError
) -> NoReturn:
    """Raise `error` with the five parts of a message that helps."""
    got = " ".join(line.strip() for line in got.splitlines())  # an array's repr has lines of its own
    message = f"{where}: {got}, expected {expected}"
    if because:
        message += f" because {because}"
    raise error(f"{message}. {hint}".rstrip())


FLOATS = tuple(np.dtype(kind) for kind in (np.float32, np.float64, np.complex128))


def float_array(where: str, name: str, value: Any, *, hint: str = "", complex_ok: bool = True) -> Array:
    """Return `value` if it is an array of float32, float64 or (for the complex step) complex128."""
    if not isinstance(value, np.ndarray):
        fail(
            where, f"{name} is a {type(value).__name__}", "a NumPy array", "nothing is converted silently",
            hint or f"Try np.asarray({name}, dtype=np.float64).", DtypeError,
        )
    _plain(where, name, value)
    allowed = FLOATS if complex_ok else FLOATS[:2]
    if value.dtype not in allowed:
        fail(
            where, f"{name} has dtype {value.dtype}", "float64 (or float32)", "gradients need real numbers",
            hint or f"Try {name}.astype(np.float64); letters and other indices go in as one_hot(indices, D).",
            DtypeError,
        )
    return cast(Array, value)


def as_array(where: str, name: str, value: Any) -> Array:
    """Return a list (or what else NumPy can read) as an array; rows of unequal lengths are told as such."""
    try:
        array: Array = value if isinstance(value, np.ndarray) else np.asarray(value)
    except ValueError:  # also what NumPy makes of a list of lists of unequal lengths
        because = "every row has one length"
        fail(where, f"{name} is {value!r:.60}", "an array, or a list of numbers", because, error=ShapeError)
    _plain(where, name, array)
    return array


def _plain(where: str, name: str, value: Array) -> None:
    """Refuse the two subclasses whose operators mean something else."""
    if type(value) is np.ndarray:
        return
    if isinstance(value, np.ma.MaskedArray | np.matrix):
        hint = "Pass its data, and mask=~array.mask." if isinstance(value, np.ma.MaskedArray) else "Try np.asarray."
        fail(
            where, f"{name} is a {type(value).__name__}", "a plain NumPy array",
            "its operators follow other rules", hint, DtypeError,
        )


def shape(
    where: str, name: str, array: Array, expected: Sequence[int | str], because: str = "", hint: str = ""
) -> dict[str, int]:
    """Check an array's shape against a pattern such as ("T", "N", 10) and return the named sizes.

    A name stands for any size of at least 1; the same name twice must be the same size.
    """
    sizes: dict[str, int] = {}
    if array.shape == expected:  # a parameter of the right shape: the most frequent call, and nothing to name
        return sizes
    fits = array.ndim == len(expected)
    for got, want in zip(array.shape, expected, strict=False):
        fits = fits and got == (sizes.setdefault(want, got) if isinstance(want, str) else want)
    if fits and 0 not in sizes.values():  # nearly every call: no words to look for
        return sizes
    pattern = "(" + ", ".join(str(size) for size in expected) + ("," if len(expected) == 1 else "") + ")"
    if not fits:
        fail(where, f"{name} has shape {array.shape}", pattern, because, hint, ShapeError)
    leave_out = "Leave empty batches out before the call."
    for size, meaning, advice in (
        ("T", "time steps", leave_out), ("N", "sequences in the batch", leave_out),
        ("S", "steps of the memory", "A memory that a sequence does not have is padding in its mask."),
    ):
        if sizes.get(size) == 0:
            fail(
                where, f"{name} has shape {array.shape}", f"{pattern} with {size} ≥ 1",
                f"with no {meaning} there is nothing to compute", advice, ShapeError,
            )
    return sizes


def same_dtype(where: str, **arrays: Any) -> None:
    """Refuse float32 beside float64; complex128 may meet float64 (that is the complex step)."""
    kinds: set[Any] = set()
    _collect_dtypes(arrays, kinds)
    if len(kinds) == 1:
        return
    seen: dict[str, str] = {}
    for name, tree in arrays.items():
        for path, array in leaves(tree):
            if array is not None and array.dtype != np.bool_:
                kind = "float32" if array.dtype == np.float32 else "float64"
                seen.setdefault(kind, f"{name}{'.' + path if path and path[0] != '[' else path}")
    if len(seen) > 1:
        fail(
            where, f"{seen['float32']} is float32 beside {seen['float64']} of float64", "one dtype throughout",
            "a silent promotion hides where precision was lost", "Try .astype(np.float64) on the float32 one.",
            DtypeError,
        )


def _collect_dtypes(tree: Any, found: set[Any]) -> None:
    """Add the dtype of every array of a tree; without the paths that `leaves` puts together, a fifth of the time."""
    if isinstance(tree, np.ndarray):
        found.add(tree.dtype)
    elif isinstance(tree, dict):
        for child in tree.values():
            _collect_dtypes(child, found)
    elif isinstance(tree, list | tuple):
        for child in tree:
            _collect_dtypes(child, found)


def _sum_is_finite(array: Array) -> bool:
    """Tell in half the time that all numbers are finite; False says nothing, since the sum of squares may overflow."""
    return cmath.isfinite(np.vdot(array, array))


def finite(where: str, name: str, array: Array, mask: Array | None = None, hint: str = "") -> None:
    """Refuse NaN and infinity, except on padding (where `mask` is False over the leading axes)."""
    if _sum_is_finite(array):
        return
    bad = ~np.isfinite(array)
    if mask is not None:
        bad = bad & mask.reshape(mask.shape + (1,) * (array.ndim - mask.ndim))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f"[{', '.join(map(str, index))}]" if index else ""
        fail(
            where, f"{name}{place} is {array[index]} ({int(bad.sum())} of {array.size} entries are not finite)",
            "finite numbers", "one NaN spreads to every parameter in a single update",
            hint or "Fill missing values first, or mark them as padding in the mask.",
        )


def mask(where: str, name: str, value: Any, expected: Sequence[int]) -> Array | None:
    """Return a boolean mask of exactly the expected shape, or None if there is none."""
    if value is None:
        return None
    if not isinstance(value, np.ndarray) or value.dtype != np.bool_:
        got = f"dtype {value.dtype}" if isinstance(value, np.ndarray) else f"type {type(value).__name__}"
        fail(
            where, f"{name} has {got}", "a boolean array", "0 and 1 would index instead of select",
            f"Try np.asarray({name}, dtype=bool).", DtypeError,
        )
    _plain(where, name, value)
    shape(
        where, name, value, tuple(expected), "it has one entry per time step and sequence, True where there is one"
    )
    return value


def integer_targets(where: str, targets: Array, classes: int, counted: Array | None) -> None:
    """Refuse a class index outside 0 … K − 1 where the loss counts it."""
    _plain(where, "targets", targets)
    bad = (targets < 0) | (targets >= classes)
    if counted is not None:
        bad &= counted
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f"[{', '.join(map(str, index))}]" if index else ""
        fail(
            where, f"targets{place} is {targets[index]}", f"0 … {classes - 1}",
            f"the logits have {classes} classes, counted from 0",
            "Are the labels counted from 1? Padding belongs in the mask.",
        )


def indices(
    where: str, name: str, array: Array, size: int, mask: Array | None = None, *,
    counts: str = "input_size", padding: str = "any number will do",
) -> None:
    """Refuse indices outside 0 … size − 1, except on padding; `counts` is the size's name."""
    bad = (array < 0) | (array >= size)
    if mask is not None:
        bad &= mask
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f"[{', '.join(map(str, index))}]" if index else ""
        negative = f"NumPy would read it from the end. On padding {padding}."
        fail(
            where, f"{name}{place} is {array[index]}", f"0 … {size - 1}", f"{counts}={size}, counted from 0",
            negative if array[index] < 0 else "Are they counted from 1?",
        )


def params(where: str, value: Any, expected: Mapping[str, Any], hint: str = "", name: str = "params") -> None:
    """Check that a dictionary of parameters has these arrays and shapes, nested as expected; extra keys are refused."""
    if not isinstance(value, dict):
        fail(where, f"{name} is a {type(value).__name__}", "a dictionary of arrays", hint=hint, error=DtypeError)
    if value.keys() != expected.keys():
        fail(
            where, f"{name} has the keys {sorted(map(str, value))}", f"{sorted(expected)}",
            "each parameter has its name in the equations", hint or "init_params() makes them.",
        )
    for key, size in expected.items():
        array = value[key]
        if type(array) is np.ndarray and array.shape == size and array.dtype in FLOATS and _sum_is_finite(array):
            continue  # nearly every one: no name to put together
        inner = f"{name}[{key!r}]"
        if isinstance(size, Mapping):
            params(where, value[key], size, hint, inner)
            continue
        array = float_array(where, inner, value[key])
        shape(where, inner, array, size, hint=hint)
        diverged = "Did an earlier update diverge? Try a lower learning rate or clipping."
        finite(where, inner, array, hint=diverged)


def size(where: str, name: str, value: Any, because: str = "it counts something") -> int:
    """Return a whole number of at least 1 (a bool is none)."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        fail(where, f"{name} is {value!r}", "a whole number of at least 1", because)
    return int(value)


def sizes(where: str, owner: Any, *names: str) -> None:
    """Check these sizes of a frozen dataclass and keep each as Python's int, since 4·np.int8(40) is −96."""
    for name in names:
        object.__setattr__(owner, name, size(where, name, getattr(owner, name)))


def number(
    where: str, name: str, value: Any, *, above: float | None = None, at_least: float | None = None,
    below: float | None = None, because: str = "", hint: str = "",
) -> float:
    """Return a finite real number inside the bounds given."""
    bounds = [
        text
        for limit, text in ((above, f"above {above}"), (at_least, f"at least {at_least}"), (below, f"below {below}"))
        if limit is not None
    ]
    expected = "a finite number" + (" " + " and ".join(bounds) if bounds else "")
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if (
        not real or not _finite(value)
        or (above is not None and not value > above)
        or (at_least is not None and not value >= at_least)
        or (below is not None and not value < below)
    ):
        fail(where, f"{name} is {value!r}", expected, because, hint)
    return float(value)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # Python's integers have no end, its floats have
        return False


def option(where: str, name: str, value: Any, options: Iterable[Any]) -> None:
    """Refuse a choice that is not among the options, and name them."""
    known = list(options)
    if not any(isinstance(value, type(choice)) and value == choice for choice in known):  # 1 == True, yet is no choice
        listed = ", ".join(repr(choice) for choice in known)
        fail(where, f"{name} is {value!r}", f"one of {listed}")


def cache(where: str, value: Any, kind: type) -> None:
    """Refuse a cache that is not the one which the same layer's forward returned."""
    if not isinstance(value, kind):
        fail(
            where, f"cache is a {type(value).__name__}", f"the {kind.__name__} that forward returned",
            "backward needs what forward computed", "forward returns it last.", DtypeError,
        )


def float_dtype(where: str, value: Any) -> np.dtype[Any]:
    """Return float32 or float64 as a dtype."""
    try:
        dtype: np.dtype[Any] | None = np.dtype(value)
    except TypeError:  # not the name of any dtype
        dtype = None
    if dtype is None or dtype not in FLOATS[:2]:
        because = "weights are real numbers"
        got = repr(value) if dtype is None else str(dtype)
        fail(where, f"dtype is {got}", "float64 or float32", because, error=DtypeError)
    return dtype


def generator(where: str, rng: Any) -> np.random.Generator:
    """Return a NumPy Generator; there is no global seed here."""
    if not isinstance(rng, np.random.Generator):
        fail(
            where, f"rng is {rng!r}", "a numpy.random.Generator", "there is no global seed: a run repeats by its own",
            "Try rng=np.random.default_rng(0).", DtypeError,
        )
    return rng
