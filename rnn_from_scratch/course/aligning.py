"""Lay a submission beside the course's notebook, and say which cells are to be run in which order.

The course's notebook leads. Checks are the course's, with their hidden tests, whatever a student made of them. Answers
are the student's; of several copies of an answer the last counts that is no longer the stub. A given cell that a
student changed runs as changed and then as given; one that was deleted runs as given, a deleted answer as its stub.
Cells that a student added run where they stand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .handing_out import SAVED, for_student, holds_name
from .notebook_files import Notebook
from .stripping import CODE_STUB, WRITTEN_STUB, release_notebook

_CHECKED = re.compile(r"""\bcheck\(\s*["']([^"']+)["']""")
_MARKS = re.compile(r"(?m)^\s*### (BEGIN|END) (SOLUTION|HIDDEN TESTS)\s*$\n?")


class Step(NamedTuple):
    """A cell to run; `exercise` names what a check checks, or what an answer is for."""

    kind: str  # "given", "own" (the student's), "answer" or "check"
    source: str
    exercise: str = ""


@dataclass(frozen=True)
class Plan:
    """The cells of a submission in their order, and what was noticed while they were put in order."""

    steps: list[Step]
    points: dict[str, int]  # of each exercise that a check marks
    written: dict[str, tuple[int, str]]  # of each written answer: its points, and the text
    notes: dict[str, list[str]] = field(default_factory=dict)  # by exercise, "" for the whole notebook


def align(course: Notebook, submitted: Notebook, student: str | None = None) -> Plan:
    """Return the plan by which a submission is marked.

    Parameters
    ----------
    course : nbformat.NotebookNode
        The source, with solutions and hidden tests.
    submitted : nbformat.NotebookNode
        What a student handed in.
    student : str, optional
        Draw the cells and numbers of a variant from this name; None leaves the name that the submission has.
    """
    given = release_notebook(course)
    if student is not None:
        given = for_student(given, student)
    names = {cell.get("id", ""): _name(cell) for cell in given.cells}
    order = {_name(cell): index for index, cell in enumerate(given.cells)}
    found, extras, notes = _theirs(submitted, names, order)
    exercises = _exercise_of_each(given)
    steps, points, written = [Step("own", source) for source in extras[""]], {}, {}
    for with_tests, cell in zip(course.cells, given.cells, strict=True):
        name, graded = _name(cell), cell.metadata.get("nbgrader", {})
        exercise, theirs = exercises.get(name, ""), _chosen(found.get(name, []), cell.source)
        if len(found.get(name, [])) > 1 and graded:
            notes[exercise].append(f"{len(found[name])} cells {name}: one was taken")
        if cell.cell_type != "code":
            if graded.get("grade"):
                written[name] = (int(graded["points"]), theirs or "")
        elif graded.get("grade"):
            points[exercise] = int(graded["points"])
            steps.append(Step("check", _MARKS.sub("", with_tests.source).rstrip(), exercise))
            if theirs is None:
                notes[exercise].append("the check's cell was missing; the course's was run")
        elif graded.get("solution"):
            if theirs is None:  # the stub, lest an earlier cell's value of that name be taken for an answer
                notes[exercise].append(f"the cell {name} is missing")
            steps.append(Step("answer", cell.source if theirs is None else theirs, exercise))
        else:
            steps += _given(cell.source, theirs, student)
        steps += [Step("own", source) for source in extras[name]]
    return Plan(steps, points, written, {key: value for key, value in notes.items() if value})


def _given(source: str, theirs: str | None, student: str | None) -> list[Step]:
    as_given = Step("given", source)
    if theirs is None or _plain(theirs) == _plain(source):
        return [as_given]
    own_name = holds_name(source) and student is None
    return [Step("own", theirs)] if own_name else [Step("own", theirs), as_given]


def _chosen(sources: list[str], stub: str) -> str | None:
    """Return the last that somebody has worked on, else the last, else None."""
    worked_on = [source for source in sources if _plain(source) != _plain(stub)]
    return (worked_on or sources or [None])[-1]  # type: ignore[list-item]


def _theirs(
    submitted: Notebook, names: dict[str, str], order: dict[str, int]
) -> tuple[dict[str, list[str]], defaultdict[str, list[str]], defaultdict[str, list[str]]]:
    """Return the submission's cells by the course's name, those that a student added by what they follow, and notes."""
    found: dict[str, list[str]] = {}
    extras: defaultdict[str, list[str]] = defaultdict(list)
    after = ""
    for cell in submitted.cells:
        name = _name(cell)
        if name not in order:  # its metadata are gone, or it is the student's own
            name = names.get(cell.get("id", ""), "")
        if name in order:
            found.setdefault(name, []).append(cell.source)
            if order[name] >= order.get(after, -1):
                after = name
        elif cell.cell_type == "code" and cell.source.strip():
            extras[after].append(cell.source)
    return found, extras, defaultdict(list)


def _exercise_of_each(given: Notebook) -> dict[str, str]:
    """Return by name of a cell which exercise it belongs to: an answer to the next check."""
    exercises: dict[str, str] = {}
    waiting: list[str] = []
    for cell in given.cells:
        graded: dict[str, Any] = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or not graded:
            continue
        waiting.append(_name(cell))
        if graded.get("grade"):
            checked = _CHECKED.search(cell.source)
            exercises |= dict.fromkeys(waiting, checked[1] if checked else _name(cell))
            waiting = []
    return exercises


def _name(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", ""))


def _plain(source: str) -> str:
    """Return a source without what a hand-out or nbgrader changes: paths of saved results, stubs, space at the ends."""
    stubs = (CODE_STUB, "raise NotImplementedError")
    lines = [line.rstrip() for line in source.replace(SAVED, "results").split("\n")]
    return "\n".join(line for line in lines if line and not line.strip().startswith(stubs))


def is_unwritten(text: str) -> bool:
    """Say whether a written answer is still the stub."""
    return text.strip() in ("", WRITTEN_STUB)
