"""Write the students' set, or the set with solutions, into a folder of its own.

The set stands by itself: the saved results that a notebook reads, in benchmarks/results/ of the repository, are
copied into results/ beside it, and its cells read them there. So a folder can be zipped, put on a server, or be an
assignment of nbgrader.

A line of a source that ends in `# your name` draws something from the name in it: a cell (notebook 12), a number
(notebook 01). A variant puts a student's name there.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from ..diagnosis import own_cell
from ..validate import fail
from .notebook_files import Notebook, ReleaseError, needed, read, write
from .release import execute_notebook, keep_answers, sources
from .stripping import refuse_leaks, release_notebook

SAVED = "../benchmarks/results"  # as a source names it
_NAMED = re.compile(r'^([^"#]*)"(?:[^"\\]|\\.)*"(.*#\s*your name\s*)$')  # the first text of its line
_SAVED_FILE = re.compile(re.escape(SAVED) + r"""(?:/([^"\n]+))?""")


def hand_out(
    to: str | Path, folder: str | Path = "notebooks", names: Iterable[str] | None = None, *, variant: str | None = None,
    execute: bool = False, progress: Callable[[str], None] = print, timeout: int = 120,
) -> list[Path]:
    """Write the students' notebooks into a folder of their own: exercises unsolved, no hidden tests, no outputs.

    A notebook that is there already and holds answers is kept beside the new one, as NN_name.answers-1.ipynb.

    Parameters
    ----------
    to : path
        Made if it is not there; neither the folder of the releases nor one inside it.
    folder, names : as for `release`
        The sources are folder/solutions/NN_name.ipynb.
    variant : str, optional
        A student's name: lines that end in `# your name` get it, so that cells and numbers are drawn from it.
    execute : bool
        True: run each from top to bottom, and keep its outputs (up to half a minute a notebook).
    progress : function of a line
        Told each step.
    timeout : int
        The seconds a cell may take.

    Returns
    -------
    written : list of paths

    Raises
    ------
    ReleaseError
        If there is no such source, it cannot be released or run, or a line of a solution would be handed out.
    ArgumentError
        If the variant is no name.
    """
    to, folder = _target("release", to, folder)
    if variant is not None:
        own_cell(variant)  # it refuses what is no name
    nbformat = needed("nbformat")
    written = []
    for path in sources(folder, names):
        source = read(nbformat, path)
        released = standing_alone(release_notebook(source, path.stem))
        if variant is not None:
            released = for_student(released, variant)
        copied = _copy_results(source, folder, to)
        if execute:
            progress(f"{path.stem}: running")
            released = execute_notebook(released, to, timeout, path.stem)
            refuse_leaks(source, released, path.stem)
        if kept := keep_answers(nbformat, to / path.name, released):
            progress(f"{path.stem}: holds answers; kept as {kept.name}")
        write(nbformat, to / path.name, released)
        progress(f"{path.stem}: written" + (f", with {', '.join(copied)}" if copied else ""))
        written.append(to / path.name)
    return written


def hand_out_solutions(
    to: str | Path, folder: str | Path = "notebooks", names: Iterable[str] | None = None,
    *, progress: Callable[[str], None] = print,
) -> list[Path]:
    """Write the notebooks with their solutions, hidden tests and outputs into a folder: nbgrader's source.

    Returns and Raises: as for `hand_out`.
    """
    to, folder = _target("solutions", to, folder)
    nbformat = needed("nbformat")
    written = []
    for path in sources(folder, names):
        source = read(nbformat, path)
        release_notebook(source, path.stem)  # what cannot be released is of no use to nbgrader either
        _copy_results(source, folder, to)
        write(nbformat, to / path.name, standing_alone(source))
        progress(f"{path.stem}: written")
        written.append(to / path.name)
    return written


def for_student(notebook: Notebook, student: str) -> Notebook:
    """Return a copy in which each line that ends in `# your name` draws from the student's."""
    named = copy.deepcopy(notebook)
    literal = json.dumps(student, ensure_ascii=False)  # in double quotes, and Python reads it as JSON does
    for cell in named.cells:
        if cell.cell_type == "code":
            lines = cell.source.split("\n")
            cell.source = "\n".join(_NAMED.sub(lambda found: found[1] + literal + found[2], line) for line in lines)
    return named


def holds_name(source: str) -> bool:
    """Say whether a cell has a line that draws from a name."""
    return any(_NAMED.search(line) for line in source.split("\n"))


def standing_alone(notebook: Notebook) -> Notebook:
    """Return a copy whose cells read saved results from results/ beside it."""
    alone = copy.deepcopy(notebook)
    for cell in alone.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace(SAVED, "results")
    return alone


def saved_results(notebook: Notebook, folder: Path) -> list[Path]:
    """Return the saved results that the notebook's cells name, where a name may be a pattern with {…} in it.

    A notebook that names their whole folder reads those whose names are among its texts.
    """
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    named = [match[1] for match in _SAVED_FILE.finditer(code)]
    if None in named:
        named += [ending for text in re.findall(r'"([\w{}.-]+)"', code) for ending in (text, f"{text}.json")]
    patterns = {re.sub(r"\{.*\}", "*", name) for name in named if name is not None} - {"*", "*.json", "*.npz"}
    found = {path for pattern in patterns for path in (folder / SAVED).glob(pattern)}
    return sorted(path for path in found if path.suffix in (".json", ".npz"))


def _copy_results(notebook: Notebook, folder: Path, to: Path) -> list[str]:
    copied = saved_results(notebook, folder)
    to.mkdir(parents=True, exist_ok=True)
    for path in copied:
        (to / "results").mkdir(exist_ok=True)
        shutil.copyfile(path, to / "results" / path.name)
    return [f"results/{path.name}" for path in copied]


def _target(where: str, to: str | Path, folder: str | Path) -> tuple[Path, Path]:
    to, folder = Path(to), Path(folder)
    if folder.resolve() in (to.resolve(), *to.resolve().parents):
        fail(where, f"DIR is {str(to)!r}", "a folder outside that of the releases",
             "it would write over the course's own notebooks", "Try a new one, such as ../for-students.", ReleaseError)
    if to.exists() and not to.is_dir():
        fail(where, f"DIR is {str(to)!r}, a file", "a folder", error=ReleaseError)
    return to, folder
