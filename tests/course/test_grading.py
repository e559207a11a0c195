"""`course grade`: what is run in which order, what an endless loop costs, and where the marks stand."""

import csv
import os
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbformat import v4

from rnn_from_scratch.cli import main
from rnn_from_scratch.course import ReleaseError, grade, grading
from rnn_from_scratch.course.aligning import align
from rnn_from_scratch.course.grade_report import Mark, NotebookMarks, StudentMarks, report, write_reports
from rnn_from_scratch.course.grading import PACKAGE, course_hashes
from rnn_from_scratch.course.marking import Exercise, exercises, judge, partly, rows_right
from rnn_from_scratch.course.running import Limits, Outcome, Place, Step, Stopped, Worker, run_steps
from rnn_from_scratch.validate import ArgumentError

H_1 = "h_1 = np.array([-0.345214, 0.446244])"
HIDDEN = "### BEGIN HIDDEN TESTS\nassert len(h_1) == 2\n### END HIDDEN TESTS"
FIXED = "W_hh_brighter = 5 / 4 * np.log(3)"


def code(source, name="", **nbgrader):
    cell = v4.new_code_cell(source, id=f"id-{name or abs(hash(source))}")
    if name and nbgrader:
        cell.metadata.nbgrader = {"schema_version": 3, "task": False, "grade_id": name, "cell_type": "code", **nbgrader}
    return cell


def answer(source, name):
    return code(source, name, solution=True, grade=False, locked=False)


def solved(name, stub, solution):
    return answer(f"{stub}\n### BEGIN SOLUTION\n{solution}\n### END SOLUTION", name)


def checks(source, name, points=2):
    return code(source, name, solution=False, grade=True, locked=True, points=points)


def course():
    """Two exercises of notebook 01, one with a hidden test, and one in words."""
    words = v4.new_markdown_cell("because", id="id-words", metadata={"nbgrader": {
        "schema_version": 3, "task": False, "grade_id": "01-words", "solution": True, "grade": True, "points": 3,
        "locked": False, "cell_type": "markdown"}})
    return v4.new_notebook(cells=[
        v4.new_markdown_cell("# Title", id="id-title"),
        code("import numpy as np\nfrom rnn_from_scratch.course import check, own_fixed_point", "imports"),
        solved("01-h1-answer", "h_1 = ...", H_1),
        checks(f'check("01-h1", h_1)\n{HIDDEN}', "01-h1-check"),
        code('h_star = own_fixed_point("Alan Turing")  # your name', "number"),
        solved("01-fixed-answer", "W_hh_brighter = ...", FIXED),
        checks('check("01-fixed", (h_star, W_hh_brighter))', "01-fixed-check", 1),
        words,
    ])


def handed_in(h_1=H_1, fixed=FIXED, drop=(), add=()):
    """What a student hands in; `add` are (position, cell)."""
    node = v4.new_notebook(cells=[
        code("import numpy as np\nfrom rnn_from_scratch.course import check, own_fixed_point", "imports"),
        answer(h_1, "01-h1-answer"), checks('check("01-h1", h_1)', "01-h1-check"),
        code('h_star = own_fixed_point("Alan Turing")  # your name', "number"),
        answer(fixed, "01-fixed-answer"), checks('check("01-fixed", (h_star, W_hh_brighter))', "01-fixed-check", 1),
    ])
    for position, cell in add:
        node.cells.insert(position, cell)
    node.cells = [cell for cell in node.cells if cell.metadata.get("nbgrader", {}).get("grade_id") not in drop]
    return node


def order(plan):
    return [(step.kind, step.source.split("\n")[0]) for step in plan.steps]


# What is run, and in which order


def test_the_courses_checks_and_the_students_answers_are_run():
    changed = handed_in(h_1="h_1 = 1")
    changed.cells[2].source = 'print("01-h1: correct")'
    plan = align(course(), changed)
    assert [step.kind for step in plan.steps] == ["given", "answer", "check", "given", "answer", "check"]
    assert plan.steps[1] == ("answer", "h_1 = 1", "01-h1")
    assert plan.steps[2] == ("check", 'check("01-h1", h_1)\nassert len(h_1) == 2', "01-h1")
    assert plan.points == {"01-h1": 2, "01-fixed": 1}
    assert plan.written == {"01-words": (3, "")}
    assert plan.notes == {}


def test_of_copies_the_last_that_was_worked_on_counts():
    copies = [answer("h_1 = 1", "01-h1-answer"), answer("h_1 = 2", "01-h1-answer"), answer("h_1 = ...", "01-h1-answer")]
    plan = align(course(), handed_in(h_1="h_1 = 0", add=[(2, copy) for copy in reversed(copies)]))
    assert [step.source for step in plan.steps if step.kind == "answer"] == ["h_1 = 2", FIXED]
    assert plan.notes == {"01-h1": ["4 cells 01-h1-answer: one was taken"]}
    twice = handed_in(add=[(6, checks('check("01-h1", h_1)', "01-h1-check"))])
    assert len([step for step in align(course(), twice).steps if step.kind == "check"]) == 2


def test_what_was_deleted_is_the_courses_or_missing():
    plan = align(course(), handed_in(drop=("01-h1-check", "01-fixed-answer")))
    assert [step.kind for step in plan.steps] == ["given", "answer", "check", "given", "answer", "check"]
    assert plan.steps[4].source == "W_hh_brighter = ...\n# YOUR CODE HERE"
    assert plan.notes == {
        "01-h1": ["the check's cell was missing; the course's was run"],
        "01-fixed": ["the cell 01-fixed-answer is missing"],
    }
    empty = align(course(), v4.new_notebook())
    assert [step.source[:5] for step in empty.steps if step.kind == "answer"] == ["h_1 =", "W_hh_"]


def test_cells_of_ones_own_run_where_they_stand_and_changed_ones_before_the_given():
    node = handed_in(add=[(1, code("helper = 3")), (0, code("first = 1"))])
    node.cells[1].source = "import math, numpy as np"
    assert order(align(course(), node))[:4] == [
        ("own", "first = 1"), ("own", "import math, numpy as np"), ("given", "import numpy as np"),
        ("own", "helper = 3"),
    ]


def test_a_cell_of_ones_own_comes_after_all_that_stood_above_it():
    node = handed_in()
    node.cells = [*node.cells[1:], node.cells[0], code("last = h_1")]  # the imports were moved to the end
    assert order(align(course(), node))[-1] == ("own", "last = h_1")


def test_the_name_is_the_students_unless_variants_were_given():
    node = handed_in()
    node.cells[3].source = 'h_star = own_fixed_point("Somebody")  # your name'
    assert ("own", 'h_star = own_fixed_point("Somebody")  # your name') in order(align(course(), node))
    assert len(align(course(), node).steps) == 6
    kinds = order(align(course(), node, "Ada"))
    assert kinds[3:5] == [
        ("own", 'h_star = own_fixed_point("Somebody")  # your name'),
        ("given", 'h_star = own_fixed_point("Ada")  # your name'),
    ]


def test_cells_without_their_metadata_are_known_by_their_ids():
    node = handed_in(h_1="h_1 = 5")
    for cell in node.cells:
        cell.metadata = {}
        cell.id = {"id-01-h1-answer": "id-01-h1-answer"}.get(cell.id, cell.id)
    assert ("answer", "h_1 = 5") in order(align(course(), node))


def test_handed_out_paths_are_no_change():
    source = course()
    source.cells.insert(2, code('open("../benchmarks/results/a.json")', "reads"))
    node = handed_in(add=[(1, code('open("results/a.json")', "reads"))])
    assert order(align(source, node))[1] == ("given", 'open("../benchmarks/results/a.json")')


# Running


@pytest.fixture
def here(tmp_path):
    return Place(tmp_path, PACKAGE.parent)


def run(here, *sources, seconds=20.0, mebibytes=4096, kinds=None):
    steps = [Step((kinds or {}).get(number, "own"), source, "01-h1") for number, source in enumerate(sources)]
    return run_steps(steps, lambda: here, Limits(seconds, mebibytes))


def test_a_cell_that_ends_the_process_or_takes_too_long_is_left_out_and_nothing_else(here):
    outcomes = run(
        here, "a = 1", "import os; os._exit(3)", "a += 1",
        "while True:\n    try:\n        a = 7\n    except BaseException: pass",
        "import sys; sys.exit()", "print('x' * 10**6); a += 1; 1 / 0", "assert a == 3, a", seconds=1.5,
    )
    assert [(outcome.stopped, outcome.error) for outcome in outcomes] == [
        ("", ""), ("it ended the process (exit code 3)", ""), ("", ""), ("it took more than 1.5 s", ""),
        ("", "SystemExit"), ("", "ZeroDivisionError: division by zero"), ("", ""),
    ]
    assert set(outcomes[5].printed[:100]) == {"x"}
    assert len(outcomes[5].printed) == 4000


def test_memory_is_bounded_and_given_back(here):
    worker = Worker(here, Limits(20.0, 1024))
    limited = worker.memory_limited
    worker.close()
    if not limited:
        pytest.skip("this system has no such limit")
    hungry = "kept = []\nwhile True:\n    kept.append(bytearray(10**8))"
    outcomes = run(here, hungry, "b = bytearray(10**8)", mebibytes=1024)
    assert [(o.stopped, o.error) for o in outcomes] == [("it needed more than 1024 MiB of memory", ""), ("", "")]


def test_a_worker_that_was_ended_says_so_and_ends_its_children(here):
    worker = Worker(here, Limits(1.0, 4096))
    spawn = "import pathlib, subprocess\nchild = subprocess.Popen(['sleep', '60'])\n"
    with pytest.raises(Stopped, match="it took more than"):
        worker.run(Step("own", spawn + "pathlib.Path('child').write_text(str(child.pid)); child.wait()"))
    status = Path("/proc") / (here.folder / "child").read_text(encoding="utf-8") / "status"
    if Path("/proc/self/status").exists():
        assert not status.exists() or "zombie" in status.read_text(encoding="utf-8")
    worker.close()


def test_a_check_is_judged_whatever_the_name_has_become(here):
    verdicts = run(
        here, "import numpy as np; check = lambda *_: print('01-h1: correct (2 points)'); h_1 = [0, 0]",
        'check("01-h1", h_1)', H_1, 'check("01-h1", h_1)', kinds={1: "check", 3: "check"},
    )
    assert verdicts[1].verdicts["01-h1"]["right"] is False
    assert verdicts[1].error.startswith("01-h1: not right. You got [0, 0].")
    assert verdicts[3].verdicts["01-h1"] == {"right": True, "says": "correct (2 points)", "share": 1.0}


# A class


@pytest.fixture
def classroom(tmp_path):
    folder = tmp_path / "course" / "notebooks"
    (folder / "solutions").mkdir(parents=True)
    nbformat.write(course(), folder / "solutions" / "01_name.ipynb")

    def hand_in(student, node, name="01_name.ipynb"):
        path = tmp_path / "in" / student / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(node, path)

    return tmp_path, folder, hand_in


def test_a_class_is_marked(classroom):
    root, folder, hand_in = classroom
    overwrite = (
        "import rnn_from_scratch, pathlib, numpy as np\nplace = pathlib.Path(rnn_from_scratch.__file__).parent\n"
        "(place / 'course' / 'nb01.py').write_text('')\n" + H_1
    )
    hand_in("ada", handed_in())
    hand_in("loop", handed_in(h_1="while True: pass", drop=("01-fixed-check",)))
    hand_in("vandal", handed_in(h_1=overwrite, fixed="W_hh_brighter = np.log(3)"), "my solution.ipynb")
    (root / "in" / "nobody").mkdir()
    before = course_hashes(folder)
    said = []
    grades = grade(root / "in", None, folder, seconds=2.0, progress=said.append)
    assert course_hashes(folder) == before or grades.changed  # somebody may be working on the package
    assert [(s.student, s.points, s.of) for s in grades.students] == [
        ("ada", 3.0, 3), ("loop", 1.0, 3), ("nobody", 0, 0), ("vandal", 2.0, 3),
    ]
    assert not said[0].endswith("CHANGED")
    with (root / "in-graded" / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["student"], row["01-h1"], row["01-fixed"]) for row in rows] == [
        ("ada", "2.0", "1.0"), ("loop", "0.0", "1.0"), ("nobody", "", ""), ("vandal", "2.0", "0.0"),
    ]
    loop = (root / "in-graded" / "loop.md").read_text(encoding="utf-8")
    assert "`while True: pass`: it took more than 2 s" in loop
    assert "the check's cell was missing; the course's was run" in loop
    assert "That is the pre-activation ln r" in (root / "in-graded" / "vandal.md").read_text(encoding="utf-8")
    assert "No notebook was handed in" in (root / "in-graded" / "nobody.md").read_text(encoding="utf-8")


def test_hidden_tests_broken_files_and_older_copies(classroom):
    root, folder, hand_in = classroom
    hand_in("ada", handed_in(h_1=H_1.replace("np.array([", "np.array([[").replace("])", "]])")))  # shape (1, 2)
    hand_in("ada", handed_in(h_1="1 / 0"), "01_name-old.ipynb")
    (root / "in" / "ada" / "01_name-old.ipynb").touch()
    newer = (root / "in" / "ada" / "01_name-old.ipynb").stat().st_mtime + 10
    os.utime(root / "in" / "ada" / "01_name.ipynb", (newer, newer))
    (root / "in" / "ada" / "broken.ipynb").write_text("{", encoding="utf-8")
    hand_in("ada", v4.new_notebook(), "holiday.ipynb")
    (student,) = grade(root / "in", root / "out", folder, progress=lambda line: None).students
    assert (student.points, student.of) == (1.0, 3)
    text = (root / "out" / "ada.md").read_text(encoding="utf-8")
    assert "the check passes, a hidden test does not: AssertionError" in text
    assert "not marked: 01_name.ipynb is the same notebook, and newer" in text
    assert "cannot be read as a notebook" in text
    assert "it is no notebook of this course" in text


def test_a_variant_is_drawn_from_the_folders_name(classroom):
    root, folder, hand_in = classroom
    ada = handed_in(fixed="W_hh_brighter = np.arctanh(float(h_star)) / float(h_star)")
    hand_in("ada", ada)
    (student,) = grade(root / "in", root / "out", folder, variants=True, progress=lambda line: None).students
    assert student.points == 3.0
    hand_in("ada", handed_in())  # Alan Turing's answer
    (student,) = grade(root / "in", root / "out", folder, variants=True, progress=lambda line: None).students
    assert student.points == 2.0


def test_what_is_no_class_is_refused(classroom):
    root, folder, hand_in = classroom
    for place in (root / "nowhere", folder / "solutions"):
        with pytest.raises(ReleaseError, match="holds no folders, expected a folder for each student"):
            grade(place, None, folder)
    hand_in("ada", handed_in())
    for wrong in ({"seconds": 0}, {"seconds": float("nan")}, {"seconds": "3"}, {"mebibytes": 0}, {"mebibytes": 1.5}):
        with pytest.raises(ArgumentError, match="grade: "):
            grade(root / "in", None, folder, **wrong)
    with pytest.raises(ReleaseError, match="holds no notebook"):
        grade(root / "in", None, root / "in")


# Points and reports


def test_points_by_rows_of_a_gradient_report():
    exercise = exercises("03")["03-own"]
    right_but_dh_prev = next(iter(exercise.wrong.values()))
    verdict = judge(exercise, right_but_dh_prev)
    assert not verdict.right
    assert verdict.share == 4 / 5  # dx and three parameters of five
    own = exercises("12")["12-own"]
    shares = {says: judge(own, wrong).share for says, wrong in own.wrong.items()}
    assert shares["With one step dh_prev is right, and wrong are: W_xh, W_hh, b_h, xs"] > 0.5
    assert shares["That is Ada Lovelace's cell"] == 0  # its gradient is right, and not the student's
    assert judge(exercises("01")["01-h1"], [0.0, 0.0]).share == 0
    assert judge(exercises("01")["01-h1"], np.array([-0.345214, 0.446244])).share == 1


def test_a_share_of_the_points_is_given_and_all_only_for_what_is_right():
    plan = align(course(), handed_in())
    says = {"01-h1": {"right": False, "says": "not right", "share": 0.8}}
    outcomes = [Outcome(verdicts=says) if step.exercise == "01-h1" else Outcome() for step in plan.steps]
    marks, _ = grading._marks(plan, outcomes)
    assert [(mark.exercise, mark.points, mark.of) for mark in marks] == [("01-h1", 1.6, 2), ("01-fixed", 0.0, 1)]
    all_rows = Exercise(title="x", prove=lambda answer: partly("right, and it breaks a rule", [True] * 3))
    verdict = judge(all_rows, 1)
    assert not verdict.right
    assert verdict.share == 0.99
    assert judge(Exercise(title="x", prove=lambda answer: partly("nothing", [])), 1).share == 0
    rows = [SimpleNamespace(ok=True), SimpleNamespace(ok=False)]
    assert rows_right(SimpleNamespace(rows=rows, findings=["it writes into x"])) == [True, False, False]


def test_a_report_breaks_on_nothing(tmp_path):
    mark = Mark("01-h1", 0.5, 2, "a | b\n<script>", ["c|d"])
    student = StudentMarks("=ada", [NotebookMarks("01.ipynb", [mark], [], ["late"])])
    text = report(student, ["nb01.py"])
    assert r"| 01-h1 | 0.5 | 2 | a \| b &lt;script>; note: c\|d |" in text
    assert "files of the course changed: nb01.py" in text
    write_reports(tmp_path / "out", [student], {})
    assert (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8").splitlines()[1] == "'=ada,0.5,2,0.5,0"


def test_the_command_says_so_when_a_file_of_the_course_has_changed(classroom, monkeypatch, capsys):
    root, folder, hand_in = classroom
    hand_in("ada", v4.new_notebook(), "holiday.ipynb")  # nothing to run
    call = ["course", "grade", str(root / "in"), "--to", str(root / "out"), "--folder", str(folder)]
    same = {folder / "a.py": "1"}
    for after, code in ((same, 0), ({**same, folder / "b.py": "2"}, 1), ({folder / "a.py": "3"}, 1), ({}, 1)):
        found = iter([same, after])
        monkeypatch.setattr(grading, "course_hashes", lambda _, found=found: next(found))
        assert main(call) == code
        said = capsys.readouterr().out
        assert "ada: 0 of 0 points" in said
        assert ("files of the course changed while ada's ran" in said) == bool(code)
        assert ("Ask why" in (root / "out" / "ada.md").read_text(encoding="utf-8")) == bool(code)
    assert main(["course", "grade", str(root / "nowhere")]) == 2
    assert "a folder for each student" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["course", "grade", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "NO SANDBOX" in words
    assert "container" in words
