"""Mark a folder of submissions, each in a process and a temporary copy of its own. It is no sandbox.

DIR holds a folder for each student, with notebooks anywhere in it; nbgrader's submitted/ is one. Each notebook is laid
beside the course's (aligning.py), run under limits (running.py), and its checks are worth the points that their cells
say: all of them, none, or for an answer with a gradient report a share by rows. A submission can read and write what
its user can: mark strangers' code in a container.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..validate import fail, number, size
from .aligning import Plan, Step, align, is_unwritten
from .grade_report import Mark, NotebookMarks, StudentMarks, Written, write_reports
from .handing_out import SAVED
from .notebook_files import Notebook, ReleaseError, needed, read
from .release import sources
from .running import Limits, Outcome, Place, run_steps

PACKAGE = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(".ipynb_checkpoints", ".git", "*.answers-*")


class Grades(NamedTuple):
    """What `grade` found: a row of marks for each student, and the course's files that changed meanwhile."""

    students: list[StudentMarks]
    changed: dict[str, list[str]]  # by student while whose submission ran


class _Course(NamedTuple):
    sources: dict[str, Notebook]  # by number, "04"
    copy: Path  # a copy of all that a submission may read


def grade(
    submissions: str | Path, to: str | Path | None = None, folder: str | Path = "notebooks", *, seconds: float = 30.0,
    mebibytes: int = 4096, variants: bool = False, progress: Callable[[str], None] = print,
) -> Grades:
    """Mark every student's notebooks; write a report for each and grades.csv.

    Parameters
    ----------
    submissions : path
        A folder with a folder for each student, whose name is the student's.
    to : path, optional
        Where the reports go; the submissions' path with "-graded" behind it if None.
    folder : path
        The course's notebooks, with solutions/ inside.
    seconds, mebibytes : float, int
        What one cell may take, and one process (where the system has such a limit: Linux has).
    variants : bool
        True: cells and numbers are drawn from the names of the students' folders, whatever a notebook says.
    progress : function of a line
        Told each notebook.

    Returns
    -------
    Grades

    Raises
    ------
    ReleaseError
        If there are no submissions, or no sources.
    ArgumentError
        If a limit is no positive number.
    """
    limits = Limits(number("grade", "seconds", seconds, above=0), size("grade", "mebibytes", mebibytes))
    submissions, folder = Path(submissions), Path(folder)
    students = sorted(path for path in submissions.iterdir() if path.is_dir()) if submissions.is_dir() else []
    students = [path for path in students if not path.name.startswith(".")]
    if not students:
        fail("grade", f"{str(submissions)!r} holds no folders", "a folder for each student, with notebooks in it",
             hint="nbgrader's submitted/ is such a folder.", error=ReleaseError)
    nbformat = needed("nbformat")
    marked: list[StudentMarks] = []
    changed: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="grading-") as temporary:
        course = _copied({path.stem[:2]: read(nbformat, path) for path in sources(folder)}, folder, Path(temporary))
        before = course_hashes(folder)
        for student in students:
            marks = []
            for path, found in _notebooks(nbformat, student, course):
                progress(f"{student.name}: {path.name}")
                with tempfile.TemporaryDirectory(prefix="submission-") as place:
                    name = student.name if variants else None
                    marks.append(_mark(path, found, course, Path(place), limits, name))
            marked.append(StudentMarks(student.name, marks))
            after = course_hashes(folder)
            if different := sorted(str(p) for p in before.keys() | after.keys() if before.get(p) != after.get(p)):
                changed[student.name] = different
                progress(f"{student.name}: files of the course CHANGED while this ran: {', '.join(different)}")
            before = after
    target = Path(to) if to is not None else submissions.with_name(f"{submissions.resolve().name}-graded")
    write_reports(target, marked, changed)
    return Grades(marked, changed)


def course_hashes(folder: Path) -> dict[Path, str]:
    """Return the SHA-256 of every file of the package, the notebooks and the saved results, compiled ones left out."""
    roots = (PACKAGE, folder, _results(folder))
    files = (path for root in roots if root.is_dir() for path in root.rglob("*"))
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts
    }


def _copied(sources_by_number: dict[str, Notebook], folder: Path, temporary: Path) -> _Course:
    """Copy what a submission reads: the package and the saved results. The solutions stay where they are."""
    shutil.copytree(PACKAGE, temporary / PACKAGE.name, ignore=LEFT_OUT)
    (temporary / "notebooks").mkdir()
    results = _results(folder)
    for place in ("benchmarks/results", "notebooks/results"):  # as the course's notebooks name it, and as handed out
        if results.is_dir():
            shutil.copytree(results, temporary / place, ignore=LEFT_OUT)
    return _Course(sources_by_number, temporary)


def _results(folder: Path) -> Path:
    return Path(os.path.normpath(folder / SAVED))


def _notebooks(nbformat: Any, student: Path, course: _Course) -> Iterator[tuple[Path, tuple[str, Notebook] | str]]:
    """Yield (path, (number, notebook)) of each notebook handed in, or (path, why it cannot be marked)."""
    best: dict[str, tuple[Path, Notebook]] = {}
    older: dict[str, list[str]] = {}
    for path in sorted(student.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        try:
            notebook = read(nbformat, path)
        except ReleaseError as error:
            yield path, str(error)
            continue
        which = _number(path, notebook, course)
        if which is None:
            yield path, "it is no notebook of this course: neither its name nor its cells say which"
            continue
        known = best.get(which)
        if known is None or (path.stat().st_mtime, path.name) > (known[0].stat().st_mtime, known[0].name):
            best[which] = (path, notebook)
        loser = path if best[which][0] != path else known[0] if known else None
        if loser is not None:
            older.setdefault(which, []).append(loser.name)
    for which, (path, notebook) in sorted(best.items()):
        for name in older.get(which, []):
            yield path.with_name(name), f"not marked: {path.name} is the same notebook, and newer"
        yield path, (which, notebook)


def _number(path: Path, notebook: Notebook, course: _Course) -> str | None:
    """Return "04" by the ids of its exercise cells, or else by its name."""
    ids = [str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))[:2] for cell in notebook.cells]
    known = [found for found in [*ids, path.name[:2]] if found in course.sources]
    return max(known, key=known.count) if known else None


def _mark(
    path: Path, found: tuple[str, Notebook] | str, course: _Course, place: Path, limits: Limits, student: str | None
) -> NotebookMarks:
    """Run one notebook in its own copy of the course, and return its marks."""
    if isinstance(found, str):
        return NotebookMarks(path.name, [], [], [found])
    which, notebook = found
    plan = align(course.sources[which], notebook, student)
    numbers = itertools.count(1)

    def prepare() -> Place:
        root = place / str(next(numbers))
        shutil.copytree(course.copy, root)
        for beside in path.parent.iterdir():  # data that a student has added
            if beside.is_file() and beside.suffix != ".ipynb":
                shutil.copyfile(beside, root / "notebooks" / beside.name)
        return Place(root / "notebooks", root)

    outcomes = run_steps(plan.steps, prepare, limits)
    marks, notes = _marks(plan, outcomes)
    written = [Written(name, of, "" if is_unwritten(text) else text) for name, (of, text) in plan.written.items()]
    return NotebookMarks(path.name, marks, written, [*plan.notes.get("", []), *notes])


def _marks(plan: Plan, outcomes: list[Outcome]) -> tuple[list[Mark], list[str]]:
    """Return one mark for each check, in their order, and what went wrong in cells of no exercise."""
    marks = []
    trouble: dict[str, list[str]] = {}
    for step, outcome in zip(plan.steps, outcomes, strict=True):
        if step.kind != "check":
            if outcome.stopped or outcome.error:
                where = f"the cell which begins `{_first_line(step)}`"
                trouble.setdefault(step.exercise, []).append(f"{where}: {outcome.stopped or outcome.error}")
            continue
        share, says = _verdict(step, outcome)
        notes = [*plan.notes.get(step.exercise, []), *(trouble.get(step.exercise, []) if share < 1 else [])]
        of = plan.points[step.exercise]
        marks.append(Mark(step.exercise, round(share * of, 2), of, says, notes))
    return marks, trouble.get("", [])


def _verdict(step: Step, outcome: Outcome) -> tuple[float, str]:
    """Return the share of its points that a check gives, and what it says."""
    if outcome.stopped:
        return 0.0, f"not marked: {outcome.stopped}"
    verdict = outcome.verdicts.get(step.exercise)
    if verdict is None:
        return 0.0, f"the check could not begin: {outcome.error}"
    if verdict["right"] and outcome.error:
        return 0.0, f"the check passes, a hidden test does not: {outcome.error}"
    return float(verdict["share"]), str(verdict["says"])


def _first_line(step: Step) -> str:
    return next((line.strip() for line in step.source.split("\n") if line.strip()), "")
