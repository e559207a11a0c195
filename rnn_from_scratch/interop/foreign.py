"""Arrays that come from another library: taken over as they are, or refused with the key and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params, leaves
from ..cells.base import Cell

KINDS = {1: "an RNN", 3: "a GRU", 4: "an LSTM"}  # by the number of blocks in its matrices


class Slot(NamedTuple):
    """One array that is expected under a key."""

    key: str
    shape: tuple[int, ...]
    because: str  # what makes it this shape
    is_bias: bool = False  # then it may be missing, if every other bias is too
    is_recurrent: bool = False  # its shape tells the kind of cell and its hidden_size


def blocks(cell: Cell) -> int:
    """Return how many blocks of H columns the matrices have: RNN 1, GRU 3, LSTM 4."""
    columns: int = cell.param_shapes()["b_h"][0]
    return columns // cell.hidden_size


def entries(where: str, name: str, value: Any, hint: str) -> dict[str, Any]:
    """Return a mapping as a plain dictionary; refuse anything else, and keys that are no text."""
    if not isinstance(value, Mapping):
        validate.fail(
            where, f"{name} is a {type(value).__name__}", "a dictionary of arrays by name",
            "the names say which array is which", hint, validate.DtypeError,
        )
    for key in value:
        if not isinstance(key, str):
            validate.fail(where, f"{name} has the key {key!r:.60}", "names as keys", hint=hint)
    return dict(value)


def real_array(where: str, name: str, value: Any) -> Array:
    """Return anything that NumPy can read as an array of float32 or float64, finite and plain.

    Raises
    ------
    DtypeError
        If NumPy cannot read it (a tensor that requires a gradient, or lives on a GPU), or it holds whole numbers,
        complex ones, or floats of another size: nothing is converted silently.
    ArgumentError
        If it holds NaN or infinity.
    """
    if not isinstance(value, np.ndarray):  # an array is never converted: np.asarray would drop a MaskedArray's mask
        try:
            value = np.asarray(value)
        except (TypeError, ValueError, RuntimeError) as fault:
            validate.fail(
                where, f"{name} is a {type(value).__name__} that NumPy cannot read ({str(fault)[:160]})",
                "an array of numbers", "",
                f"From a PyTorch tensor pass {name}.detach().cpu().numpy(), after .float() if it is bfloat16.",
                validate.DtypeError,
            )
    hint = "Try .astype(np.float32), or np.float64 for every array."
    if value.dtype.kind == "c":
        hint = "The other libraries' layers take real weights: pass .real if a complex step added the rest."
    array = validate.float_array(where, name, value, hint=hint, complex_ok=False)
    validate.finite(where, name, array, hint="Did the training diverge before the weights were saved?")
    return array


def take(
    where: str, name: str, given: Mapping[str, Any], slots: Sequence[Slot], because: str, hint: str = ""
) -> dict[str, Array]:
    """Return the array for every slot, zeros for biases that the other library's layer was made without.

    Parameters
    ----------
    where, name : str
        The function that was called and its argument, for messages.
    given : mapping of arrays by key
        Nothing but the slots' keys may be in it.
    slots : sequence of Slot
        What is expected.
    because, hint : str
        Why these keys, and what to try if one is missing or one too many.

    Returns
    -------
    dict of arrays by key, in the order of the slots. They may be the caller's own: convert into new ones.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        With the key: if it is missing, unknown, of another shape (a transpose and another kind of cell are told),
        not of real floats, not finite, or float32 beside float64.
    """
    keys = [slot.key for slot in slots]
    unknown = [key for key in given if key not in keys]
    some_biases = any(slot.is_bias and slot.key in given for slot in slots)
    for slot in slots:
        if slot.key not in given and not (slot.is_bias and not some_biases):
            reason = "a layer has all its biases or none" if slot.is_bias else because
            instead = f" and has {_listed(unknown)} instead" if unknown else ""
            validate.fail(where, f"{name} lacks {slot.key!r}{instead}", _listed(keys), reason, hint)
    if unknown:
        validate.fail(where, f"{name} has {_listed(unknown)} beside what is needed", _listed(keys), because, hint)
    found = {}
    for slot in sorted(slots, key=lambda slot: not slot.is_recurrent):  # the recurrent matrix tells most
        if slot.key in given:
            full = f"{name}[{slot.key!r}]"
            found[slot.key] = real_array(where, full, given[slot.key])
            validate.shape(where, full, found[slot.key], slot.shape, slot.because, _told(slot, found[slot.key].shape))
    validate.same_dtype(where, **{f"{name}[{key!r}]": array for key, array in found.items()})
    dtype = next(iter(found.values())).dtype
    return {slot.key: found[slot.key] if slot.key in found else np.zeros(slot.shape, dtype) for slot in slots}


def check_own(where: str, layer: Any, params: Params) -> None:
    """Check the parameters of a layer of this package before they go out: keys, shapes, one real dtype, finite."""
    validate.params(where, params, layer.param_shapes(), f"This layer is {layer}.")
    for path, array in leaves(params):
        real_array(where, f"params.{path}", array)
    validate.same_dtype(where, params=params)


def two_biases(cell: Cell, params: Params) -> tuple[Array, Array]:
    """Return what is added to x W_xh and what to h W_hh, each (blocks·H,): b_h all in the first, b_hn in the second."""
    with_x, with_h = np.array(params["b_h"]), np.zeros_like(params["b_h"])
    if "b_hn" in params:
        with_h[2 * cell.hidden_size :] = params["b_hn"]
    return with_x, with_h


def one_bias(cell: Cell, with_x: Array, with_h: Array) -> Params:
    """Return {"b_h"}, the sum of the two biases; in a GRU with reset_after, b_hn stays apart.

    There r multiplies the second bias of the candidate's block and not the first: r ⊙ (h W_hn + b_hn).
    """
    b_h: Array = with_x + with_h
    if "b_hn" not in cell.param_shapes():
        return {"b_h": b_h}
    candidate = slice(2 * cell.hidden_size, None)
    b_h[candidate] = with_x[candidate]
    return {"b_h": b_h, "b_hn": np.array(with_h[candidate])}


def _listed(keys: Sequence[str]) -> str:
    """Name at most eight keys."""
    text = ", ".join(repr(key) for key in keys[:8])
    return text + (f" … ({len(keys)} in all)" if len(keys) > 8 else "")


def _told(slot: Slot, shape: tuple[int, ...]) -> str:
    """Say what an array of the wrong shape looks like."""
    if shape == slot.shape[::-1]:
        return "That is the transpose: try .T."
    if slot.is_recurrent and len(shape) == 2 and min(shape) > 0:
        H, columns = sorted(shape)
        if columns % H == 0 and columns // H in KINDS:
            return f"It would fit {KINDS[columns // H]} of hidden_size={H}."
    return ""
