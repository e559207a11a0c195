"""Read, tidy and write notebook files: what the rest of the course shares."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path
from typing import Any, TypeAlias

from ..validate import ArgumentError

Notebook: TypeAlias = Any  # an nbformat.NotebookNode: a dictionary whose keys are attributes too

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},  # no version
}
KEPT = ("nbgrader", "alt", "tags", "slideshow")  # a cell's metadata; whatever else an editor left there is dropped


class ReleaseError(ArgumentError):
    """A notebook cannot be released; the message names the notebook and the cell."""


def tidied(notebook: Notebook) -> Notebook:
    """Return a copy without what a run leaves by accident."""
    tidy = copy.deepcopy(notebook)
    tidy.metadata = type(tidy)({k: v for k, v in tidy.metadata.items() if k not in ("widgets", "jupytext", *METADATA)})
    tidy.metadata.update(_as_nodes(type(tidy), METADATA))
    count = 0
    for cell in tidy.cells:
        cell.metadata = type(cell.metadata)({key: value for key, value in cell.metadata.items() if key in KEPT})
        if cell.cell_type != "code":
            continue
        count += bool(cell.source.strip())
        cell.execution_count = count if cell.execution_count is not None else None
        merged: list[Any] = []
        for output in cell.outputs:
            output.pop("transient", None)
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
            if merged and output.output_type == "stream" == merged[-1].output_type and output.name == merged[-1].name:
                merged[-1].text += output.text
            else:
                merged.append(output)
        cell.outputs = merged
    return tidy


def _as_nodes(node: Any, value: Any) -> Any:
    return node({key: _as_nodes(node, child) for key, child in value.items()}) if isinstance(value, dict) else value


def place(name: str, notebook: Notebook, index: int) -> str:
    """Name a cell: its number counted from 1 among all cells, and its id."""
    return f"{name}, cell {index + 1} ({notebook.cells[index].get('id', 'without id')})"


def needed(module: str) -> Any:
    """Import nbformat or nbclient, which only notebooks need."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ReleaseError(install(str(error.name))) from None


def install(what: str) -> str:
    """Say what to install."""
    return f"release: {what} is not installed, and notebooks need it. Try: pip install -r requirements.txt"


def read(nbformat: Any, path: Path) -> Notebook:
    """Read a notebook of any version as one of version 4."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many kinds: bad JSON, bad schema, no file
        raise ReleaseError(f"release: {path} cannot be read as a notebook: {error}") from error


def write(nbformat: Any, path: Path, notebook: Notebook) -> None:
    """Write beside and rename, so that a notebook is never half written."""
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
