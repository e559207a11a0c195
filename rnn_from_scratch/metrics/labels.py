r"""What a metric of classification takes: one label for each target, whole numbers or strings, and a mask.

A label is a class's number or name. Scores, probabilities and one-hot rows are no labels, and each is told how it
becomes one. Single-label classification only: several labels for one target (multi-label) are not covered, and a
(T, N) array is T steps of N sequences, never N rows of indicators.

Source: notebook 14; tests/metrics/test_classification.py.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from .. import validate
from ..arrays import Array

Label: TypeAlias = int | str

_KINDS = {"b": "whole numbers", "i": "whole numbers", "u": "whole numbers", "U": "strings"}
_EXPECTED = "labels: whole numbers or strings"


def pair(where: str, targets: Any, predictions: Any, mask: Array | None) -> tuple[Array, Array]:
    """Return the counted labels of both, flat, int64 or str; what the mask leaves out is never looked at.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Shapes that differ, scores in place of labels, numbers beside strings, nothing that counts.
    """
    wanted, found = _labels(where, "targets", targets), _labels(where, "predictions", predictions)
    if wanted.shape != found.shape:
        longer = "predictions" if found.ndim > wanted.ndim else "targets"
        hint = "Both are (T, N), or both flat: broadcasting would compare each with all."
        if found.ndim != wanted.ndim:
            hint = f"One row a class becomes a label by {longer}.argmax(axis=-1), a column by {longer}[..., 0]."
        validate.fail(
            where, f"predictions has shape {found.shape}", f"{wanted.shape}, the shape of targets",
            "each target has one prediction", hint, validate.ShapeError,
        )
    mask = validate.mask(where, "mask", mask, wanted.shape)
    wanted, found = (wanted.ravel(), found.ravel()) if mask is None else (wanted[mask], found[mask])
    if wanted.size == 0:
        got = "targets is empty" if mask is None else "mask is False everywhere"
        validate.fail(where, got, "at least one target that counts", "there is nothing to measure")
    kinds = [_KINDS[array.dtype.kind] for array in (wanted, found)]
    if kinds[0] != kinds[1]:
        validate.fail(
            where, f"targets are {kinds[0]} beside predictions that are {kinds[1]}", "labels of one kind",
            "a number and its name never match, so everything would count as wrong", error=validate.DtypeError,
        )
    return _as_int(where, "targets", wanted), _as_int(where, "predictions", found)


def classes(where: str, labels: Any, *occurring: Array) -> Array:
    """Return the classes in order: `labels` as given, by default all that occur, sorted.

    Raises
    ------
    DtypeError, ArgumentError
        Labels that are none, a label twice, or a class that occurs and is not among them.
    """
    present = np.unique(np.concatenate(occurring)) if occurring else None
    if labels is None:
        assert present is not None
        return present
    given = _labels(where, "labels", labels)
    if given.ndim != 1 or given.size == 0:
        validate.fail(where, f"labels has shape {given.shape}", "a list of at least one class",
                      error=validate.ShapeError)
    given = _as_int(where, "labels", given)
    values, counts = np.unique(given, return_counts=True)
    if (counts > 1).any():
        validate.fail(where, f"labels has {shown(values[counts > 1][0])} twice", "each class once")
    if present is None:
        return given
    if _KINDS[present.dtype.kind] != _KINDS[given.dtype.kind]:
        validate.fail(where, f"labels are {_KINDS[given.dtype.kind]}", f"{_KINDS[present.dtype.kind]}",
                      "the targets are", error=validate.DtypeError)
    unknown = np.setdiff1d(present, given)
    if unknown.size:
        validate.fail(
            where, f"labels is {given.tolist()!r:.60}, without {shown(unknown[0])}", "every class that occurs",
            "what is dropped would count nowhere", "Padding belongs in the mask.",
        )
    return given


def shown(label: Any) -> str:
    """Return a label as it is written in a program: 2, 'noun'."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def _labels(where: str, name: str, value: Any) -> Array:
    """Return an array of labels, or say why these are none."""
    if isinstance(value, str | bytes) or not hasattr(value, "__len__"):
        got = f"{name} is a {type(value).__name__}"
        validate.fail(where, got, "a list or an array of labels", "there is one for each target",
                      "Even one label goes in as a list.", validate.DtypeError)
    array = validate.as_array(where, name, value)
    if array.size == 0 and not isinstance(value, np.ndarray):
        array = array.astype(np.int64)  # NumPy makes floats of []
    if array.dtype.kind in "fc":
        hint = f"Of one row a class: {name}.argmax(axis=-1). Of one probability: ({name} > 0.5).astype(int)."
        validate.fail(
            where, f"{name} has dtype {array.dtype}", _EXPECTED, "logits and probabilities are not yet a decision",
            hint + " Labels stored as floats: .astype(int).", validate.DtypeError,
        )
    if array.dtype.kind not in _KINDS or array.ndim == 0:
        validate.fail(where, f"{name} has dtype {array.dtype} and shape {array.shape}", _EXPECTED,
                      "there is one for each target", error=validate.DtypeError)
    if not isinstance(value, np.ndarray):  # NumPy reads [1, "a"] as two strings, [True, 2] as two numbers
        kinds = sorted({_kind(item) for item in np.asarray(value, dtype=object).ravel()})
        if len(kinds) > 1:
            validate.fail(where, f"{name} holds {' and '.join(kinds)}", "labels of one kind",
                          "they would be converted silently", error=validate.DtypeError)
    return array


def _kind(item: Any) -> str:
    return {"bool": "bool", "bool_": "bool", "str": "str", "str_": "str"}.get(type(item).__name__, "int")


def _as_int(where: str, name: str, array: Array) -> Array:
    if array.dtype.kind == "U":
        return array
    if array.dtype == np.uint64 and (array > np.iinfo(np.int64).max).any():
        validate.fail(where, f"{name} goes up to {array.max()}", f"at most {np.iinfo(np.int64).max}",
                      "beside signed numbers NumPy would round it to a float")
    return array.astype(np.int64)
