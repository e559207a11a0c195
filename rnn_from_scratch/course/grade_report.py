"""Marks, as a report for each student and one table for all."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple


class Mark(NamedTuple):
    """One exercise: the points it earned of how many, what the check said, and what else was noticed."""

    exercise: str
    points: float
    of: int
    says: str
    notes: list[str]


class Written(NamedTuple):
    """An answer in words, to be marked by hand; text is "" where nothing was written."""

    name: str
    of: int
    text: str


class NotebookMarks(NamedTuple):
    """What one notebook earned; `notes` say why if it could not be marked."""

    file: str
    marks: list[Mark]
    written: list[Written]
    notes: list[str]


class StudentMarks(NamedTuple):
    """All of a student's notebooks."""

    student: str
    notebooks: list[NotebookMarks]

    @property
    def points(self) -> float:
        """The points of all checks."""
        return round(sum(mark.points for notebook in self.notebooks for mark in notebook.marks), 2)

    @property
    def of(self) -> int:
        """How many there were to earn."""
        return sum(mark.of for notebook in self.notebooks for mark in notebook.marks)


def report(student: StudentMarks, changed: list[str]) -> str:
    """Return a student's report as Markdown."""
    lines = [f"# {student.student}", "", f"{student.points:g} of {student.of} points by the checks."]
    if changed:
        lines += ["", f"While this ran, files of the course changed: {', '.join(changed)}. Ask why."]
    if not student.notebooks:
        lines += ["", "No notebook was handed in."]
    for notebook in student.notebooks:
        lines += ["", f"## {notebook.file}", "", *(f"- {_line(note)}" for note in notebook.notes)]
        if notebook.marks:
            lines += ["| exercise | points | of | what the check says |", "|---|---|---|---|"]
        for mark in notebook.marks:
            says = "; ".join([mark.says, *(f"note: {note}" for note in mark.notes)])
            lines.append(f"| {mark.exercise} | {mark.points:g} | {mark.of} | {_line(says)} |")
        for written in notebook.written:
            lines += ["", f"**{written.name}**, {written.of} points to give by hand:", ""]
            lines += [f"> {line}" for line in (written.text or "(nothing written)").split("\n")]
    return "\n".join(lines) + "\n"


def write_reports(folder: Path, students: list[StudentMarks], changed: dict[str, list[str]]) -> None:
    """Write STUDENT.md for each, and grades.csv: a row a student, a column an exercise, "" where none was handed in."""
    folder.mkdir(parents=True, exist_ok=True)
    for student in students:
        text = report(student, changed.get(student.student, []))
        (folder / f"{student.student}.md").write_text(text, encoding="utf-8", newline="\n")
    exercises = sorted({mark.exercise for s in students for notebook in s.notebooks for mark in notebook.marks})
    with (folder / "grades.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["student", "points", "of", *exercises, "written answers to mark"])
        for student in students:
            marks = {mark.exercise: mark.points for notebook in student.notebooks for mark in notebook.marks}
            waiting = sum(bool(written.text) for notebook in student.notebooks for written in notebook.written)
            row = [marks.get(exercise, "") for exercise in exercises]
            table.writerow([_cell(student.student), student.points, student.of, *row, waiting])


def _line(text: str) -> str:
    """Return any text as one line that breaks no table and is no HTML."""
    return re.sub(r"\s+", " ", text).replace("|", r"\|").replace("<", "&lt;").strip()


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@" else text
