"""The script that runs nbgrader: its answers are what their names say, and its saved result is without a fault."""

from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np

from benchmarks import nbgrader_marks as benchmark
from benchmarks.machine import load_result
from rnn_from_scratch.course.marking import exercises, judge
from rnn_from_scratch.data import laugh

SOLUTIONS = Path(__file__).parents[2] / "notebooks" / "solutions"


def test_the_wrong_answers_are_wrong_as_the_hints_say():
    for exercise, source in benchmark.WRONG_ANSWERS.items():
        space = {"np": np, **laugh().params["recurrent"]}
        exec(source, space)
        answer = space[source.split(" = ")[0].removeprefix("def ").split("(")[0]]
        if exercise == "01-fixed":
            answer = (Fraction(4, 5), answer)
        verdict = judge(exercises(exercise[:2])[exercise], answer)
        assert verdict.says.startswith("not right."), exercise
        assert benchmark.HINTS.get(exercise, "") in verdict.says


def test_the_saved_result_is_about_these_notebooks_and_has_no_fault():
    saved = load_result("nbgrader_marks")
    assert saved["nbgrader"] == "0.9.6"
    assert saved["faults"] == []
    due = {"right": 1.0, "wrong": 0.0, "missing": 0.0}
    marks = {(row["student"], row["cell"]): row["auto"] for row in saved["marks"]}
    for name in benchmark.NOTEBOOKS:
        cells = nbformat.read(SOLUTIONS / f"{name}.ipynb", 4).cells
        checks = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"]
        points = {benchmark.exercise_of(cell): cell.metadata.nbgrader.points for cell in checks}
        assert saved["notebooks"][name] == points
        for student in benchmark.STUDENTS:
            for exercise, kind in benchmark.kinds_of(student, list(points)).items():
                assert marks[student, f"{exercise}-check"] == due[kind] * points[exercise]
    assert {kind for student in benchmark.STUDENTS.values() for kind in student} == set(due)
