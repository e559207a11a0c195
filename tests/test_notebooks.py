"""The notebooks: structure, exercises and releases (fast), and fresh runs (marked `notebooks`)."""

import re
import time
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest

from rnn_from_scratch.course import nb11, nb12
from rnn_from_scratch.course.marking import exercises, judge, judge_value
from rnn_from_scratch.course.release import execute_notebook, release_notebook
from rnn_from_scratch.diagnosis import check_cell

FOLDER = Path(__file__).parents[1] / "notebooks"
SOURCES = sorted((FOLDER / "solutions").glob("*.ipynb"))
RELEASES = sorted(path for path in FOLDER.glob("*.ipynb") if ".answers-" not in path.name)
NAMES = [path.stem for path in SOURCES]
BOTH = [f"{where}{name}" for name in NAMES for where in ("", "solutions/")]
REGISTERED = [
    exercise_id
    for path in sorted((Path(__file__).parents[1] / "rnn_from_scratch" / "course").glob("nb[0-9][0-9].py"))
    for exercise_id in exercises(path.stem.removeprefix("nb"))
]

CHECKS = re.compile(r"""\bcheck\(\s*["']([^"']+)["']""")
FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1[^\n]*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*$", re.MULTILINE)
MACHINE = re.compile(
    r"/home/|/root/|/Users/|/tmp/|/work/|/var/folders|/usr/lib|/opt/|site-packages|[A-Z]:\\\\?Users"
    r"|\bat 0x[0-9a-fA-F]{6,}|\blocalhost\b"
)
NUMBER = re.compile(r"(?<![\w.)\]])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+\.?\d*(?:[eE][-+]?\d+)?")

by_name = pytest.mark.parametrize("name", NAMES)
by_form = pytest.mark.parametrize("name", BOTH)


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(node):
    return [cell for cell in node.cells if cell.cell_type == "code" and cell.source.strip()]


def grading(cell):
    return cell.metadata.get("nbgrader", {})


def headings(node):
    """(level, title) of every heading, outside fenced code."""
    text = "\n\n".join(FENCE.sub("", cell.source) for cell in node.cells if cell.cell_type == "markdown")
    return [(len(marks), title) for marks, title in HEADING.findall(text)]


def texts(output):
    """The texts of an output by kind; a picture counts by its presence alone."""
    if output.output_type == "stream":
        return {output.name: output.text}
    if output.output_type == "error":
        return {"error": output.evalue}
    return {kind: "" if kind.startswith("image/") else str(data) for kind, data in output.data.items()}


def printed(node):
    return "".join(text for cell in code_cells(node) for output in cell.outputs for text in texts(output).values())


# Structure of both forms


def test_every_source_has_its_release_and_every_release_its_source():
    assert [path.stem for path in RELEASES] == NAMES
    numbers = [name[:2] for name in NAMES]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"\d\d_[a-z0-9_]+", name) for name in NAMES)


@by_name
def test_the_release_is_made_from_the_source(name):
    expected = release_notebook(read(f"solutions/{name}"), name)
    released = read(name)
    for cell in code_cells(released):
        cell.outputs, cell.execution_count = [], None
    assert nbformat.writes(released) == nbformat.writes(expected)
    assert "BEGIN SOLUTION" not in str(released)
    assert "HIDDEN TESTS" not in str(released)


@by_form
def test_committed_with_the_outputs_of_one_clean_run(name):
    node = read(name)
    nbformat.validate(node)
    cells = code_cells(node)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", f"{cell.source}\nprints on stderr: {output.get('text')}"
    assert not any("execution" in cell.metadata for cell in node.cells)
    assert sorted(node.metadata.language_info) == ["file_extension", "mimetype", "name"]


@by_form
def test_cells_are_short_and_import_no_matplotlib(name):
    for cell in code_cells(read(name)):
        assert len(cell.source.split("\n")) <= 20, cell.source
        assert not re.search(r"^\s*(import|from)\s+matplotlib|^\s*%|\bpyplot\b", cell.source, re.MULTILINE), cell.source


@by_form
def test_every_figure_has_words(name):
    cells = read(name).cells
    for index, cell in enumerate(cells):
        kinds = [kind for output in cell.get("outputs", []) for kind in texts(output)]
        if "image/png" in kinds:
            assert len(cell.metadata.get("alt", "").strip()) >= 20, f"alternative text is missing:\n{cell.source}"
            assert index + 1 < len(cells), cell.source
            below = cells[index + 1]
            says = below.cell_type == "markdown" and not below.source.lstrip().startswith("#")
            assert says, f"no sentence says what to see:\n{cell.source}"


@by_name
def test_headings_are_in_order(name):
    levels = [level for level, _ in headings(read(name))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


@by_name
def test_opening_and_ending(name):
    node = read(name)
    sections = [title for level, title in headings(node) if level == 2]
    opening = ["What you will do", "What you will learn", "What you need"] + ["Recall"] * (name[:2] != "00")
    assert sections[: len(opening)] == opening
    assert sections[-1] == "Roads not taken"
    if "Recall" in opening:
        text = "\n\n".join(cell.source for cell in node.cells if cell.cell_type == "markdown")
        recall = re.split(r"^#+\s", text.split("## Recall", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
        assert re.findall(r"^(\d)\. ", recall, re.MULTILINE) == ["1", "2", "3"]


@by_form
def test_no_machine_is_named(name):
    node = read(name)
    for cell in node.cells:
        assert not MACHINE.search(cell.source), (MACHINE.search(cell.source), cell.source)
    assert not MACHINE.search(printed(node)), MACHINE.search(printed(node))


# Exercises


@by_form
def test_nbgraders_metadata_is_valid(name):
    seen = set()
    for cell in read(name).cells:
        meta = grading(cell)
        if not meta:
            assert not CHECKS.search(cell.source), f"a check outside nbgrader's cells:\n{cell.source}"
            continue
        assert meta["schema_version"] == 3
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", meta["grade_id"])
        assert meta["grade_id"] not in seen
        seen.add(meta["grade_id"])
        grade, solution = meta["grade"], meta["solution"]
        assert grade or solution
        assert meta["locked"] == (grade and not solution)
        assert meta["task"] is False
        assert meta["cell_type"] == cell.cell_type
        assert ("points" in meta) == grade
        assert not grade or meta["points"] > 0
        assert cell.cell_type == "code" or (grade and solution), "a written answer is graded by hand"
        if cell.cell_type == "code":
            assert not (grade and solution)
            assert len(CHECKS.findall(cell.source)) == int(grade), cell.source


@by_name
def test_exercises_are_registered_and_worth_the_same(name):
    number = name[:2]
    cells = [cell for cell in read(f"solutions/{name}").cells if grading(cell).get("grade")]
    assert len(cells) <= 6
    assert len(cells) >= 3 or number == "00"
    checked = {CHECKS.search(cell.source)[1]: grading(cell)["points"] for cell in cells if cell.cell_type == "code"}
    assert checked == {exercise_id: exercise.points for exercise_id, exercise in exercises(number).items()}


@by_name
def test_solutions_are_correct_and_releases_unsolved(name):
    for where, says in (("solutions/", "correct ("), ("", "not solved yet")):
        for cell in code_cells(read(f"{where}{name}")):
            for exercise_id in CHECKS.findall(cell.source):
                output = "".join(text for output in cell.outputs for text in texts(output).values())
                assert output.startswith(f"{exercise_id}: {says}"), output
                assert output.count("\n") == 1, output


def test_every_exercise_has_its_notebook():
    assert {exercise_id[:2] for exercise_id in REGISTERED} <= {name[:2] for name in NAMES}
    assert all(re.fullmatch(r"\d\d-[a-z0-9-]+", exercise_id) for exercise_id in REGISTERED)


@pytest.fixture
def undiagnosed(monkeypatch):
    """Checks of cells without the diagnosis at the end of a report: no verdict of these notebooks shows it."""
    for module in (nb11, nb12):
        monkeypatch.setattr(module, "check_cell", check_cell.__wrapped__)


@pytest.mark.usefixtures("undiagnosed")
@pytest.mark.parametrize("exercise_id", REGISTERED)
def test_typical_wrong_answers_are_told_apart(exercise_id):
    exercise = exercises(exercise_id[:2])[exercise_id]
    if exercise.prove is not None:
        for says, answer in exercise.wrong.items():
            verdict = judge(exercise, answer)
            assert not verdict.right
            assert says.rstrip(".") in verdict.says
        return
    assert judge_value(exercise, exercise.value()).right
    for says, value in exercise.wrong_values().items():
        verdict = judge_value(exercise, value)
        assert not verdict.right, f"within tolerance of what is right: {says}"
        assert f"That is {says}" in verdict.says


# Fresh runs


def differs(before, after):
    """Compare texts: words exactly, numbers within 2 %, rounding errors only in being small."""
    before, after = (re.sub(r"\s+", " ", text.replace("−", "-")).strip() for text in (before, after))
    words = [NUMBER.sub("#", text) for text in (before, after)]
    if words[0] != words[1]:
        return f"{before!r} became {after!r}"
    for was, now in zip(NUMBER.findall(before), NUMBER.findall(after), strict=True):
        small = [abs(float(number)) < 1e-6 for number in (was, now)]
        if small[0] != small[1] or not (small[0] or np.isclose(float(now), float(was), rtol=0.02, atol=0)):
            return f"{was} became {now} in {after!r}"
    return ""


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("loss 1.1083", "loss  1.1084", True),
        ("loss 1.10", "loss 1.13", False),
        ("h_1 is 3", "h_2 is 3", False),
        ("error 2.2e-16", "error -7e-17", True),
        ("error 2.2e-16", "error 0.0", True),
        ("error 2e-16", "error 2e-5", False),
        ("passes", "fails", False),
        ("a-1", "a-1", True),
        ("[0.1, -0.2]", "[0.1, 0.2]", False),
        ("[1, 2]", "[1]", False),
        ("x −0.5", "x -0.501", True),
        ("5 of 100", "7 of 100", False),
        ("nan", "0.0", False),
    ],
)
def test_texts_are_compared_as_they_should_be(before, after, same):
    assert (differs(before, after) == "") == same


@pytest.mark.notebooks
@by_form
def test_a_fresh_run_repeats_the_outputs(name):
    committed = read(name)
    start = time.perf_counter()
    fresh = execute_notebook(committed, FOLDER, timeout=60, name=name)
    seconds = time.perf_counter() - start
    assert seconds < 60, f"{name} took {seconds:.0f} s"
    for was, now in zip(code_cells(committed), code_cells(fresh), strict=True):
        before, after = [texts(output) for output in was.outputs], [texts(output) for output in now.outputs]
        assert [sorted(kinds) for kinds in before] == [sorted(kinds) for kinds in after], was.source
        for kinds, kinds_now in zip(before, after, strict=True):
            for kind, text in kinds.items():
                assert not differs(text, kinds_now[kind]), f"{kind} of\n{was.source}"
