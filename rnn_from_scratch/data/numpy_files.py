"""Arrays of a user's own .npy or .npz file: never pickle, and nothing is allocated that the file does not hold.

Source: NumPy's format description (NEP 1); tests/data/test_loading.py.
"""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array

GROWS = 100  # times its compressed size; more than that and …
LARGE = 2**26  # … more than these bytes is taken for an archive that was made to fill the memory


class Columns(NamedTuple):
    """What a file holds, before it is a Series."""

    values: Array  # (T, D) float64
    names: tuple[str, ...] | None
    notes: tuple[str, ...]


def read_npy(where: str, path: Path) -> Columns:
    """Return the array of an .npy file."""
    array = _array(where, path.name, path.read_bytes())
    values, notes = _as_columns(where, path.name, array)
    return Columns(values, None, notes)


def read_npz(where: str, path: Path, key: Any) -> Columns:
    """Return one array of an .npz file, or all of its one-dimensional arrays as columns."""
    if key is not None and not isinstance(key, str):
        validate.fail(where, f"array is {key!r:.60}", "the name of an array in the file, or None")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            if not entries or len(entries) < len(archive.infolist()):
                raise ValueError("it holds no array" if not entries else "two of its arrays have one name")
            if key is not None:
                validate.option(where, "array", key, entries)
                entries = {key: entries[key]}
            contents = {name: _entry(archive, entry) for name, entry in entries.items()}
    except (validate.ArgumentError, OSError):
        raise
    except Exception as fault:  # a damaged archive raises nearly anything
        reason = " ".join(str(fault).split())[:200] or type(fault).__name__
        validate.fail(where, f"{path.name!r} cannot be read ({reason})", "an .npz file, as numpy.savez writes it")
    arrays = {name: _array(where, f"{path.name}: {name}", content) for name, content in contents.items()}
    if len(arrays) == 1:
        (name, array), = arrays.items()
        values, notes = _as_columns(where, f"{path.name}: {name}", array)
        return Columns(values, (name,) if values.shape[1] == 1 else None, (f"array: {name!r}", *notes))
    shapes = {name: array.shape for name, array in arrays.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        validate.fail(where, f"{path.name!r} holds {listed:.200}", "one array, or arrays (T,) of one length",
                      "each is a column then", "Say which: array='…'.", validate.ShapeError)
    columns = [_as_columns(where, f"{path.name}: {name}", array) for name, array in arrays.items()]
    found = tuple(dict.fromkeys(note for _, notes in columns for note in notes))
    joined = np.concatenate([values for values, _ in columns], axis=1)
    return Columns(joined, tuple(arrays), (f"columns: the {len(arrays)} arrays of the file", *found))


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return an entry's bytes; raise ValueError where it is no array or would fill the memory."""
    if not entry.filename.endswith(".npy"):
        raise ValueError(f"its entry {entry.filename!r:.60} is no array")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{entry.filename!r:.60} is compressed in a way that NumPy does not write")
    if entry.file_size > max(LARGE, GROWS * entry.compress_size):
        raise ValueError(f"{entry.filename!r:.60} would grow from {entry.compress_size} bytes to {entry.file_size}; "
                         "numpy.savez without compression is read at any size")
    return archive.read(entry)


def _array(where: str, name: str, content: bytes) -> Array:
    """Return the array of an .npy file's bytes, whose header must claim as many bytes as there are."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in reader:
            raise ValueError(f"version {version[0]}.{version[1]} of the format, which only names of fields need")
        shape, _, dtype = reader[version](file)
        claimed, there = math.prod(shape) * dtype.itemsize, len(content) - file.tell()
        if min(shape, default=0) < 0 or (claimed != there and not dtype.hasobject):
            raise ValueError(f"its header claims {claimed} bytes where there are {there}")
    except Exception as fault:  # a damaged header raises nearly anything
        reason = " ".join(str(fault).split())[:200] or type(fault).__name__
        validate.fail(where, f"{name!r} cannot be read ({reason})", "an .npy file, as numpy.save writes it")
    if dtype.hasobject:
        validate.fail(where, f"{name!r} holds Python objects", "numbers", "reading them would run code from the file",
                      "Save array.astype(float).", validate.DtypeError)
    if dtype.names or dtype.kind not in "fiu" or dtype.itemsize > 8:
        hint = {
            "V": "Save one array (T, D) of its fields: np.column_stack([array[name] for name in array.dtype.names]).",
            "M": "Times are labels: a CSV file has room for them.", "b": "Save array.astype(float).",
            "c": "Save real and imaginary part as two columns.",
        }.get(dtype.kind, "Save array.astype(np.float64).")
        kind = f"fields {', '.join(dtype.names):.60}" if dtype.names else f"dtype {dtype}"
        validate.fail(where, f"{name!r} has {kind}", "real numbers of 64 bits at most", "", hint, validate.DtypeError)
    file.seek(0)
    array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _as_columns(where: str, name: str, array: Array) -> tuple[Array, tuple[str, ...]]:
    """Return (T, D) float64 and what was done to make it that."""
    notes = []
    if array.ndim not in (1, 2) or 0 in array.shape:
        validate.fail(where, f"{name!r} has shape {array.shape}", "(T, D), or (T,) for one quantity",
                      "time comes first, a quantity is a column", error=validate.ShapeError)
    if array.ndim == 1:
        array = array[:, None]
        notes.append("one dimension: one column")
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and (
        int(array.max()) > 2**53 or int(array.min()) < -(2**53)
    ):
        validate.fail(where, f"{name!r} holds an integer beyond 2^53", "numbers that float64 holds exactly",
                      "others would be rounded silently", "Subtract an offset first.")
    values = array.astype(np.float64)
    if array.dtype != np.float64:
        notes.append(f"{array.dtype} became float64, exactly")
    bad = np.isinf(values)
    if bad.any():
        t, d = (int(i) for i in np.argwhere(bad)[0])
        validate.fail(where, f"{name!r} holds {values[t, d]} in row {t}, column {d}", "finite numbers, NaN for missing",
                      "one infinity spreads to every parameter in a single update")
    missing = int(np.isnan(values).sum())
    if missing:
        notes.append(f"{missing} of {values.size} entries are missing (NaN)")
    return values, tuple(notes)
