"""Notebooks as HTML pages, to read without Jupyter: every picture with its alternative text.

nbconvert's own page (its template "lab") leaves out the text that a cell's metadata hold; here each picture is written
down with it, so that every template shows it.
"""

from __future__ import annotations

import copy
import html
from collections.abc import Callable, Iterable
from pathlib import Path

from .notebook_files import Notebook, ReleaseError, needed, read
from .release import sources

PICTURES = ("image/png", "image/jpeg")


def write_pages(
    to: str | Path, folder: str | Path = "notebooks", names: Iterable[str] | None = None, *, solutions: bool = False,
    progress: Callable[[str], None] = print,
) -> list[Path]:
    """Write the notebooks, as they are with their outputs, as NN_name.html into a folder.

    Parameters
    ----------
    to : path
        Made if it is not there.
    folder : path
        The folder of the releases, with solutions/ inside.
    names : iterable of str, optional
        "01" and the like; all if None.
    solutions : bool
        True: those of folder/solutions.
    progress : function of a line
        Told each page.

    Returns
    -------
    written : list of paths

    Raises
    ------
    ReleaseError
        If a notebook is not there, cannot be read, or has a picture without alternative text.
    """
    nbformat, nbconvert = needed("nbformat"), needed("nbconvert")
    exporter = nbconvert.HTMLExporter()
    to, folder = Path(to), Path(folder)
    written = []
    for path in sources(folder, names):
        node = read(nbformat, path if solutions else folder / path.name)
        page, _ = exporter.from_notebook_node(with_alternative_texts(node, path.stem))
        to.mkdir(parents=True, exist_ok=True)
        target = to / f"{path.stem}.html"
        target.write_text(page, encoding="utf-8", newline="\n")
        progress(f"{path.stem}: written")
        written.append(target)
    return written


def with_alternative_texts(notebook: Notebook, name: str = "the notebook") -> Notebook:
    """Return a copy whose pictures are HTML with their cell's alternative text.

    Raises
    ------
    ReleaseError
        If a picture has none.
    """
    told = copy.deepcopy(notebook)
    for cell in told.cells:
        for output in cell.get("outputs", []):
            for kind in PICTURES:
                if kind not in output.get("data", {}):
                    continue
                text = str(cell.metadata.get("alt", "")).strip()
                if not text:
                    raise ReleaseError(f"{name}: a picture has no alternative text; its cell's metadata need \"alt\"")
                picture = "".join(str(output.data.pop(kind)).split())
                source = f"data:{kind};base64,{picture}"
                output.data["text/html"] = f'<img alt="{html.escape(text)}" src="{source}">'
    return told
