"""`course grade` on ten submissions of notebooks 01 and 03, four of which misbehave.

Run as `python -m benchmarks.grading` (a few minutes) in a tree that nobody works on. Six hand in ordinary work:
right, unsolved, wrong, partly right, in words alone, and one notebook of two. Four misbehave: an endless loop (which
catches what would interrupt it), memory without end, cells deleted and duplicated, and a cell that writes over files of
the course and then ends its process. All ten must get the marks that are due, and the course's files must be the same
before and after.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import save_result
from rnn_from_scratch.course import grade
from rnn_from_scratch.course.grading import Grades, course_hashes
from rnn_from_scratch.course.stripping import release_notebook

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ("01_one_recurrent_step", "03_check_a_gradient_by_hand")
SECONDS, MEBIBYTES = 10.0, 2048

LOOP = "import time\nwhile True:\n    try:\n        time.sleep(0.01)\n    except BaseException:\n        pass"
MEMORY = "hoard = []\nwhile True:\n    hoard.append(bytearray(50_000_000))"
VANDAL = (
    "import os\nfrom pathlib import Path\nimport rnn_from_scratch\nhere = Path(rnn_from_scratch.__file__).parent\n"
    "for path in [*here.glob('course/*.py'), *Path('.').glob('*/*.json'), *Path('..').glob('benchmarks/results/*')]:\n"
    "    path.write_text('nothing')\nos._exit(1)"
)
# dh_prev lacks the direct way: four of the five gradients of 03-own are right.
PARTLY = (
    "def leaky_backward(params, x, h_prev, dh):\n"
    "    z = np.tanh(x @ params['W_xh'] + h_prev @ params['W_hh'] + params['b_h'])\n"
    "    delta = 0.3 * dh * (1 - z**2)\n"
    "    grads = {'W_xh': x.T @ delta, 'W_hh': h_prev.T @ delta, 'b_h': delta.sum(axis=0)}\n"
    "    return delta @ params['W_xh'].T, delta @ params['W_hh'].T, grads"
)


def name_of(cell: Any) -> str:
    """Return a cell's grade_id, "" if it has none."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def solve(source: Any) -> Any:
    """Return what a student hands in who has solved everything."""
    node = release_notebook(source)
    for cell, solved in zip(node.cells, source.cells, strict=True):
        graded = cell.metadata.get("nbgrader", {})
        if graded.get("solution"):
            cell.source = re.sub(r"(?m)^ *### (BEGIN|END) SOLUTION\n?", "", solved.source)
    return node


def replaced(node: Any, **sources: str) -> Any:
    """Return a copy in which the cells of these names, _ for -, hold something else."""
    changed = copy.deepcopy(node)
    for name, source in sources.items():
        (cell,) = [cell for cell in changed.cells if name_of(cell) == name.replace("_", "-")]
        cell.source = source
    return changed


def cut_and_pasted(node: Any) -> Any:
    """Return a copy without an answer, without a check, without the imports, and with another answer three times."""
    changed = copy.deepcopy(node)
    gone = ("01-h1-answer", "01-shapes-check")
    imports = next(index for index, cell in enumerate(changed.cells) if cell.source.startswith("import numpy"))
    changed.cells = [cell for index, cell in enumerate(changed.cells) if name_of(cell) not in gone and index != imports]
    place = next(index for index, cell in enumerate(changed.cells) if name_of(cell) == "01-columns-answer")
    for number in (1, 2):
        again = copy.deepcopy(changed.cells[place])
        again.id = f"again-{number}"
        again.source = again.source if number == 1 else "def article_step(W_hh, W_xh, b_h, x, h_prev):\n    ..."
        changed.cells.insert(place, again)  # the one that is right stays the last
    return changed


def submissions(sources: dict[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, float]]]:
    """Return by student the notebooks handed in, and the marks that differ from full ones."""
    one, three = NOTEBOOKS
    solved = {name: solve(node) for name, node in sources.items()}
    unsolved = {name: release_notebook(node) for name, node in sources.items()}
    wrong = replaced(
        solved[one], **{"01_h1_answer": "h_1 = np.array([0.1, 0.2])", "01_fixed_answer": "W_hh_brighter = np.log(3)"}
    )
    ones = ("01-h1", "01-h2", "01-shapes", "01-columns", "01-fixed")
    threes = ("03-matrix", "03-richardson", "03-step", "03-norm", "03-own")
    nothing = dict.fromkeys([*ones, *threes], 0.0)
    return {
        "right": (solved, {}),
        "unsolved": (unsolved, nothing),
        "wrong": ({**solved, one: wrong}, {"01-h1": 0.0, "01-h2": 0.0, "01-fixed": 0.0}),  # h_2 begins with h_1
        "partly": ({**solved, three: replaced(solved[three], **{"03_own_answer": PARTLY})}, {"03-own": 2.4}),
        "words": ({**unsolved, one: replaced(unsolved[one], **{"01_memory": "It forgets."})}, nothing),
        "one_of_two": ({one: solved[one]}, {}),
        "loop": ({**solved, one: replaced(solved[one], **{"01_columns_answer": LOOP})}, {"01-columns": 0.0}),
        "memory": ({**solved, three: replaced(solved[three], **{"03_matrix_answer": MEMORY})}, {"03-matrix": 0.0}),
        "cut_and_pasted": ({**solved, one: cut_and_pasted(solved[one])}, {"01-h1": 0.0, "01-h2": 0.0}),
        "vandal": ({**solved, one: replaced(solved[one], **{"01_shapes_answer": VANDAL})}, {"01-shapes": 0.0}),
    }


def points_due(sources: dict[str, Any], handed_in: dict[str, Any], other: dict[str, float]) -> dict[str, float]:
    """Return the points of every check of the notebooks handed in."""
    due = {}
    for name in handed_in:
        for cell in sources[name].cells:
            if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
                exercise = name_of(cell).removesuffix("-check")
                due[exercise] = other.get(exercise, float(cell.metadata.nbgrader.points))
    return due


def run(folder: Path, seconds: float = SECONDS) -> dict[str, Any]:
    """Hand in, mark and compare in an empty folder; return the result."""
    nbformat = importlib.import_module("nbformat")
    notebooks = folder / "course" / "notebooks"
    (notebooks / "solutions").mkdir(parents=True)
    shutil.copytree(ROOT / "benchmarks" / "results", folder / "course" / "benchmarks" / "results")
    sources = {}
    for name in NOTEBOOKS:
        path = shutil.copy2(ROOT / "notebooks" / "solutions" / f"{name}.ipynb", notebooks / "solutions")
        sources[name] = nbformat.read(path, 4)
    classroom = submissions(sources)
    for student, (handed_in, _) in classroom.items():
        (folder / "in" / student).mkdir(parents=True)
        for name, node in handed_in.items():
            nbformat.write(node, folder / "in" / student / f"{name}.ipynb")
    before, start = course_hashes(notebooks), time.perf_counter()
    grades = grade(
        folder / "in", folder / "out", notebooks, seconds=seconds, mebibytes=MEBIBYTES,
        progress=lambda line: print(line, flush=True),
    )
    spent = time.perf_counter() - start
    return {
        "submissions": len(classroom), "seconds per cell": seconds, "MiB": MEBIBYTES, "seconds": round(spent, 1),
        "files hashed": len(before), "course unchanged": course_hashes(notebooks) == before and not grades.changed,
        **compared(grades, {s: points_due(sources, *classroom[s]) for s in classroom}),
    }


def compared(grades: Grades, due: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return the marks by student, and in words each that is not due."""
    marks = {
        student.student: {mark.exercise: mark.points for notebook in student.notebooks for mark in notebook.marks}
        for student in grades.students
    }
    faults = [
        f"{student}: {exercise} has {marks[student].get(exercise)} points, due {due[student].get(exercise)}"
        for student in due for exercise in sorted(due[student].keys() | marks[student].keys())
        if marks[student].get(exercise) != due[student].get(exercise)
    ]
    says = {
        f"{student.student}, {mark.exercise}": [mark.says, *mark.notes]
        for student in grades.students for notebook in student.notebooks for mark in notebook.marks
        if mark.points < mark.of and student.student not in ("unsolved", "words")
    }
    return {"marks": marks, "says": says, "faults": faults}


def main() -> int:
    """Print what is not as it is due; exit with 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="save the result under benchmarks/results/")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder))
    for case, says in result["says"].items():
        print(f"{case}: {'; '.join(says)}"[:300])
    print("\n".join(result["faults"]) or "every mark is the one that is due")
    unchanged = "unchanged" if result["course unchanged"] else "CHANGED"
    print(f"{result['submissions']} submissions in {result['seconds']} s; the course's files are {unchanged}")
    if options.save:
        save_result("grading", result)
    return int(bool(result["faults"]) or not result["course unchanged"])


if __name__ == "__main__":
    sys.exit(main())
