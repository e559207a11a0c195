"""Take the solutions and hidden tests out of a notebook, and see that nothing of them is left.

Regions are marked as nbgrader marks them:

    ### BEGIN SOLUTION ... ### END SOLUTION            in a cell with nbgrader's "solution": true
    ### BEGIN HIDDEN TESTS ... ### END HIDDEN TESTS    in a cell with nbgrader's "grade": true
"""

from __future__ import annotations

import re
from typing import Any

from ..validate import fail
from .notebook_files import Notebook, ReleaseError, place, tidied

CODE_STUB = "# YOUR CODE HERE"
RAISES = 'raise NotImplementedError("your code here")'
WRITTEN_STUB = "YOUR ANSWER HERE"
SHORTEST_SECRET = 12  # a shorter line, `y = 2`, says nothing by itself and stands within others
_MARKER = re.compile(r"^\s*#+\s*(BEGIN|END)[\s_-]+(SOLUTION|HIDDEN[\s_-]+TEST)S?\b.*$", re.IGNORECASE)
_MARKERS = {f"### {edge} {region}" for edge in ("BEGIN", "END") for region in ("SOLUTION", "HIDDEN TESTS")}


def release_notebook(source: Notebook, name: str = "the notebook") -> Notebook:
    """Return the students' form of a notebook: no solutions, no hidden tests, no outputs.

    A solution becomes `# YOUR CODE HERE`, where it is indented with a line that raises
    NotImplementedError. A written answer becomes "YOUR ANSWER HERE", and pictures in it go. Cell ids stay, and of the
    metadata what `notebook_files.KEPT` names.

    Raises
    ------
    ReleaseError
        If a marker is misspelt, unbalanced or nested, or stands in a cell without nbgrader's metadata; if a line of
        a solution or hidden test is left anywhere.
    """
    released = tidied(source)
    for index, cell in enumerate(released.cells):
        where = place(name, released, index)
        graded = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.source = _without_regions(cell.source, where, graded)
        elif cell.cell_type == "markdown" and graded.get("solution") and graded.get("grade"):
            cell.source = WRITTEN_STUB
            cell.pop("attachments", None)
        elif any(_MARKER.match(line) for line in cell.source.split("\n")):
            fail(where, "a region is marked in text", "marked regions in code cells", error=ReleaseError)
    refuse_leaks(source, released, name)
    return released


def refuse_leaks(source: Notebook, released: Notebook, name: str = "the notebook") -> None:
    """Raise if a line that only a solution, hidden test or written answer holds stands in the text or metadata of
    the release, or in what its cells put out.

    Raises
    ------
    ReleaseError
        Naming the cell and the line. Lines of fewer than `SHORTEST_SECRET` characters are not looked for.
    """
    hidden = _secrets(source)
    for index, cell in enumerate(released.cells):
        texts = [cell.source, *_strings(cell.metadata), *_strings(cell.get("outputs", []))]
        for line in hidden:
            if any(line in text for text in texts):
                fail(place(name, released, index), f"it holds {line!r}, a line of a solution", "no such line",
                     "students would read it", error=ReleaseError)
    if left := [line for line in hidden if any(line in text for text in _strings(released.metadata))]:
        fail(name, f"its metadata hold {left[0]!r}, a line of a solution", "no such line", error=ReleaseError)


def _secrets(source: Notebook) -> list[str]:
    """Return the lines that stand in solutions, hidden tests and written answers alone."""
    secret: list[str] = []
    public: list[str] = []
    for cell in source.cells:
        graded = cell.metadata.get("nbgrader", {})
        region = cell.cell_type == "markdown" and bool(graded.get("solution"))
        for line in cell.source.split("\n"):
            marker = _MARKER.match(line) if cell.cell_type == "code" else None
            if marker:
                region = marker[1].upper() == "BEGIN"
            else:
                (secret if region else public).append(line.strip())
    return [line for line in secret if len(line) >= SHORTEST_SECRET and not any(line in text for text in public)]


def _strings(value: Any) -> list[str]:
    """Return every text within nested lists and dictionaries, pictures left out."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, part in value.items() if not key.startswith("image/") for text in _strings(part)]
    return [text for part in value for text in _strings(part)] if isinstance(value, list) else []


def _without_regions(source: str, where: str, graded: dict[str, Any]) -> str:
    """Return a code cell's source with its marked regions replaced (solutions) or removed (tests)."""
    lines: list[str] = []
    region, solutions = "", 0
    for line in source.split("\n"):
        if not _MARKER.match(line):
            if not region:
                lines.append(line)
            continue
        marker = line.strip()
        if marker not in _MARKERS:
            fail(where, f"a line reads {marker!r}", "one of " + ", ".join(sorted(_MARKERS)),
                 "a misspelt mark would hand out the solution", error=ReleaseError)
        edge, _, kind = marker.removeprefix("### ").partition(" ")
        if edge == "END":
            if region != kind:
                fail(where, f"### END {kind} without its beginning", f"### BEGIN {kind} above it", error=ReleaseError)
            region = ""
            continue
        if region:
            fail(where, f"### BEGIN {kind} inside a {region} region", f"### END {region} above it", error=ReleaseError)
        key = "solution" if kind == "SOLUTION" else "grade"
        if not graded.get(key):
            fail(where, f"### BEGIN {kind} in a cell that is not nbgrader's", f'metadata nbgrader with "{key}": true',
                 "nbgrader refuses it too", error=ReleaseError)
        region = kind
        if kind == "SOLUTION":
            solutions += 1
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + CODE_STUB, indent + RAISES] if indent else [CODE_STUB]
    if region:
        fail(where, f"### BEGIN {region} without its end", f"### END {region} below it", error=ReleaseError)
    if graded.get("solution") and not solutions:
        fail(where, "a solution cell marks no solution", "### BEGIN SOLUTION and ### END SOLUTION in it",
             "otherwise the solution would be handed out", error=ReleaseError)
    text = "\n".join(lines)
    return text if text == source else text.rstrip()
