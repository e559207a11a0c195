"""nbgrader from end to end on two notebooks of the course, unchanged: assignment, marks, feedback.

Run as `python -m benchmarks.nbgrader_marks` (a minute or two) in an environment of its own that holds nbgrader 0.9.6
and this package. `course solutions` gives nbgrader its source; four students hand in right, wrong, missing and mixed
answers; then nbgrader marks them and writes the feedback, with its own settings throughout. Every mark is compared with
the one that is due, and a failed check must show its message and no traceback.
"""

from __future__ import annotations

import argparse
import html
import importlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import save_result

NOTEBOOKS = ("01_one_recurrent_step", "07_clip_the_gradient")
RIGHT, WRONG, MISSING = "right", "wrong", "missing"

# By exercise: what a student with a typical wrong answer writes in the place of the stub.
WRONG_ANSWERS = {
    "01-h1": "h_1 = np.tanh(np.array([0.1, 0.2]) + W_hh @ np.array([0.1, -0.5]) + b_h)",
    "01-h2": "h_2 = np.tanh(np.array([0.3, -0.6]) + np.array([0.1, -0.5]) @ W_hh + b_h)",
    "01-shapes": 'shapes = {"x_t": (3, 1), "h_t": (2, 1), "W_xh": (2, 3), "W_hh": (2, 2), "b_h": (2, 1), '
    '"W_hy": (3, 2), "y_t": (3, 1)}',
    "01-columns": "def article_step(W_hh, W_xh, b_h, x, h_prev):\n    return np.tanh(W_hh @ h_prev + W_xh @ x + b_h)",
    "01-fixed": "W_hh_brighter = np.log(3)",
    "07-lamp": "clipped_lamp = [0.4, 0.329982, 0.111021, 0.4, 0.25]",
    "07-global": "clipped_b = 6.5",
    "07-exactly": "as_printed = [1, -1, 1, -1]",
    "07-turn": "turned = 1.0",
    "07-write": "def clip(grads, C):\n    return {name: np.clip(g, -C, C) for name, g in grads.items()}, 1.0",
}
# What the feedback on some of them must say.
HINTS = {
    "01-h1": "h_1 with W_hh transposed", "01-h2": "the state was reset", "01-fixed": "the pre-activation ln r",
    "01-columns": "b_h added across the words",
}
STUDENTS = {"rita": [RIGHT], "willem": [WRONG], "mira": [MISSING], "max": [RIGHT, WRONG, MISSING]}


def kinds_of(student: str, exercises: list[str]) -> dict[str, str]:
    """Return what a student's answer to each exercise is: right, wrong or missing, in turn."""
    turn = STUDENTS[student]
    return {exercise: turn[number % len(turn)] for number, exercise in enumerate(exercises)}


def exercise_of(cell: Any) -> str:
    """Return "01-h1" of a cell 01-h1-answer or 01-h1-check, and "" of any other."""
    name = str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
    return re.sub(r"-(answer|check)$", "", name) if name.endswith(("-answer", "-check")) else ""


def submission(released: Any, solved: Any, kinds: dict[str, str]) -> Any:
    """Return the released notebook with a student's answers in it."""
    solutions = {exercise_of(cell): cell.source for cell in solved.cells if cell.metadata.nbgrader_solution}
    for cell in released.cells:
        exercise = exercise_of(cell)
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader") and MISSING not in kinds.values():
            cell.source = "In my own words."
        if not exercise or not cell.metadata.nbgrader.solution:
            continue
        if kinds[exercise] == RIGHT:
            cell.source = re.sub(r"(?m)^ *### (BEGIN|END) SOLUTION\n?", "", solutions[exercise])
        elif kinds[exercise] == WRONG:
            cell.source = WRONG_ANSWERS[exercise]
    return released


def nbgrader(course: Path, *arguments: str) -> str:
    """Run one command of nbgrader in the course's folder; return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=course, capture_output=True, text=True, timeout=900,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"nbgrader {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def prepare(course: Path) -> dict[str, dict[str, int]]:
    """Write the source with the course's own command and let nbgrader make the assignment; return the points."""
    nbformat = importlib.import_module("nbformat")
    command = ["course", "solutions", str(course / "source" / "ps1"), *(name[:2] for name in NOTEBOOKS)]
    subprocess.run([sys.executable, "-m", "rnn_from_scratch", *command], check=True, capture_output=True)
    settings = "c = get_config()\nc.CourseDirectory.course_id = 'rnn'\n"
    (course / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    nbgrader(course, "generate_assignment", "ps1")
    points: dict[str, dict[str, int]] = {}
    for name in NOTEBOOKS:
        solved = nbformat.read(course / "source" / "ps1" / f"{name}.ipynb", 4)
        points[name] = {
            exercise_of(cell): cell.metadata.nbgrader.points
            for cell in solved.cells if exercise_of(cell) and cell.metadata.nbgrader.grade
        }
    return points


def hand_in(course: Path, points: dict[str, dict[str, int]]) -> None:
    """Write every student's submission."""
    nbformat = importlib.import_module("nbformat")
    for name in NOTEBOOKS:
        solved = nbformat.read(course / "source" / "ps1" / f"{name}.ipynb", 4)
        for cell in solved.cells:
            cell.metadata.nbgrader_solution = bool(cell.metadata.get("nbgrader", {}).get("solution"))
        for student in STUDENTS:
            released = nbformat.read(course / "release" / "ps1" / f"{name}.ipynb", 4)
            folder = course / "submitted" / student / "ps1"
            folder.mkdir(parents=True, exist_ok=True)
            filled_in = submission(released, solved, kinds_of(student, list(points[name])))
            nbformat.write(filled_in, folder / f"{name}.ipynb")


def marks_given(course: Path) -> list[dict[str, Any]]:
    """Read nbgrader's own gradebook: a row for each check."""
    api = importlib.import_module("nbgrader.api")
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return [
            {"student": student, "notebook": notebook.name, "cell": grade.name, "auto": grade.auto_score,
             "by hand": bool(grade.needs_manual_grade)}
            for student in STUDENTS
            for notebook in book.find_submission("ps1", student).notebooks
            for grade in notebook.grades
        ]


def faults(course: Path, points: dict[str, dict[str, int]], given: list[dict[str, Any]]) -> list[str]:
    """Return in words everything that is not as it should be; an empty list if all is well."""
    wrong = []
    for name, exercises in points.items():
        for student in STUDENTS:
            page = (course / "feedback" / student / "ps1" / f"{name}.html").read_text(encoding="utf-8")
            text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())
            kinds = kinds_of(student, list(exercises))
            wrong += tracebacks(course / "autograded" / student / "ps1" / f"{name}.ipynb", student)
            rows = {row["cell"]: row for row in given if row["student"] == student and row["notebook"] == name}
            for exercise, kind in kinds.items():
                due, mark = exercises[exercise] if kind == RIGHT else 0, rows[f"{exercise}-check"]
                if mark["auto"] != due or mark["by hand"]:
                    wrong.append(f"{student}, {exercise} ({kind}): {mark}, due {due}")
                says = {RIGHT: "correct", WRONG: "not right", MISSING: "not solved yet"}[kind]
                wanted = [f"{exercise}: {says}", *([HINTS[exercise]] if kind == WRONG and exercise in HINTS else [])]
                wrong += [f"{student}, {exercise}: the feedback lacks {part!r}" for part in wanted if part not in text]
            by_hand = MISSING not in kinds.values()
            wrong += [
                f"{student}, {cell}: to mark by hand is {row['by hand']}"
                for cell, row in rows.items() if not cell.endswith("-check") and row["by hand"] != by_hand
            ]
    return wrong


def tracebacks(path: Path, student: str) -> list[str]:
    """Return the checks of a marked notebook that show more than their message."""
    found = []
    for cell in importlib.import_module("nbformat").read(path, 4).cells:
        if exercise_of(cell) and cell.metadata.nbgrader.grade:
            for output in cell.outputs:
                shown = "\n".join(output.get("traceback", []))
                if output.output_type == "error" and shown != output.evalue:
                    found.append(f"{student}, {exercise_of(cell)}: it shows {shown!r}")
    return found


def unsolved_assignment_leaks(course: Path) -> list[str]:
    """Return what of a solution stands in nbgrader's own release."""
    words = ("BEGIN SOLUTION", "BEGIN HIDDEN", "np.hypot(3, 3)", "factor = 1.0 if norm")
    text = "".join(path.read_text(encoding="utf-8") for path in (course / "release" / "ps1").glob("*.ipynb"))
    return [f"nbgrader's release holds {word!r}" for word in words if word in text]


def run(course: Path) -> dict[str, Any]:
    """Do everything in an empty folder; return the result."""
    start = time.perf_counter()
    points = prepare(course)
    hand_in(course, points)
    nbgrader(course, "autograde", "ps1", "--create")
    nbgrader(course, "generate_feedback", "ps1")
    given = marks_given(course)
    wrong = unsolved_assignment_leaks(course) + faults(course, points, given)
    return {
        "nbgrader": importlib.import_module("nbgrader").__version__, "notebooks": points, "marks": given,
        "faults": wrong, "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> int:
    """Print one line for each student; exit with 1 if a mark or a message is not the one that is due."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="save the result under benchmarks/results/")
    options = parser.parse_args()
    # nbgrader calls alembic by its name, which stands beside the interpreter
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder))
    for student in STUDENTS:
        rows = [row for row in result["marks"] if row["student"] == student]
        total = sum(row["auto"] or 0 for row in rows)
        of = sum(sum(points.values()) for points in result["notebooks"].values())
        waiting = sum(row["by hand"] for row in rows)
        print(f"{student:7} {total:3.0f} of {of} points, {waiting} written answers to mark by hand")
    print("\n".join(result["faults"]) or "every mark is the one that is due, and every failed check shows its message")
    if options.save:
        save_result("nbgrader_marks", result)
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
