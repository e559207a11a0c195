"""Parameters on disk, and the names that arrays have in an archive ("recurrent.W_hh")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import validate
from ..arrays import Array, Params
from .archive import checked_path, read_archive, write_archive

LONGEST_NAME = 200  # bytes, with the layers; an archive has room for 65,535


def save_params(path: str | Path, params: Params) -> Path:
    r"""Write parameters to an .npz file, one entry an array ("recurrent.W_hh").

    The file is written beside its place under another name, synced and renamed: whatever happens, the file at
    `path` is the old one or the new one, whole. It keeps the mode of a file it replaces; a link is followed.

    Raises
    ------
    ArgumentError
        If `path` does not end in .npz, params or a layer is empty, holds anything but arrays of floats, or has a
        name that is not text of at most 200 bytes, printable and without any of . / \ [
    OSError
        If the folder does not exist or cannot be written, or `path` is a folder.
    """
    where = "save_params"
    path = checked_path(where, path, to_write=True)
    write_archive(path, named_arrays(where, params))
    return path


def load_params(path: str | Path) -> Params:
    """Read parameters that `save_params` wrote, nested by layer as they were. Never runs code from the file.

    Raises
    ------
    ArgumentError
        If the file is damaged, or is none that `save_params` wrote.
    OSError
        If there is no such file, or it cannot be read.
    """
    where = "load_params"
    path = checked_path(where, path)
    arrays, _ = read_archive(where, path, "a file that save_params wrote")
    return nested_arrays(where, path.name, arrays)


def nested_arrays(where: str, name: str, arrays: dict[str, Array]) -> Params:
    """Return arrays nested by layer again; `name` is that of the file."""
    params: Params = {}
    for whole, array in arrays.items():
        *layers, key = whole.split(".")
        inner: Any = params
        for layer in layers:
            inner = inner.setdefault(layer, {})
            if not isinstance(inner, dict):
                break
        if not isinstance(inner, dict) or key in inner:
            validate.fail(where, f"{name} holds {whole!r} beside an array of that layer's name", "layers or arrays")
        inner[key] = array
    named_arrays(f"{where}: {name}", params)
    return params


def named_arrays(where: str, layer: Any, prefix: str = "") -> dict[str, Array]:
    """Return a layer's arrays by their whole names ("recurrent.W_hh"), and refuse what cannot be kept under one."""
    if not isinstance(layer, dict) or not layer:
        validate.fail(where, f"{prefix or 'params'} is {layer!r:.60}", "a dictionary of arrays, with at least one")
    arrays: dict[str, Array] = {}
    for key, child in layer.items():
        if not isinstance(key, str) or not key or not key.isprintable() or any(mark in key for mark in "./\\["):
            validate.fail(
                where, f"a parameter is named {key!r:.60}", "printable text without any of . / \\ [",
                "it becomes a name in an archive, where a dot joins layer and name",
            )
        name = f"{prefix}.{key}" if prefix else key
        if len(name.encode()) > LONGEST_NAME:
            validate.fail(
                where, f"a parameter is named {name!r:.60}… ({len(name.encode())} bytes)",
                f"a name of at most {LONGEST_NAME} bytes with its layers",
            )
        if isinstance(child, dict):
            arrays.update(named_arrays(where, child, name))
        elif isinstance(child, list | tuple):
            validate.fail(where, f"{name} is a {type(child).__name__}", "an array, or a dictionary of arrays by name")
        else:
            arrays[name] = validate.float_array(where, name, child, complex_ok=False)
    return arrays
