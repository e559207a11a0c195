"""notebooks/TEACHING.md: its table is the saved one, and what it names is there."""

import re
import shlex

import nbformat
import pytest

from benchmarks.machine import load_result
from benchmarks.notebook_times import FOLDER, minutes, table
from rnn_from_scratch.cli import _parser
from rnn_from_scratch.course.marking import exercises

GUIDE = (FOLDER / "TEACHING.md").read_text(encoding="utf-8")
NUMBERS = [path.stem[:2] for path in sorted((FOLDER / "solutions").glob("*.ipynb"))]
PATHS = {  # COURSE's
    "Gradients": "01 02 03 04 05 07 08 10", "Practice": "01 02 05 06 09 11 14 15 18", "Speed": "01 04 08 11 16",
}


def section(title):
    return GUIDE.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]


def first_column(text):
    return re.findall(r"^\| (\d\d)\b", text, re.MULTILINE)


def test_the_table_is_that_of_the_saved_result():
    """The minutes may be off by a few: a sentence more in a notebook does not change a course."""
    due = table(load_result("notebook_times")["notebooks"]).split("\n")
    rows = section("The notebooks: time and points").strip().split("\n")[-len(due):]
    assert rows[:2] == due[:2]
    for row, other in zip(rows[2:], due[2:], strict=True):
        mine, theirs = row.split(" | "), other.split(" | ")
        assert (mine[0], mine[1], mine[3]) == (theirs[0], theirs[1], theirs[3])
        assert abs(int(mine[2]) - int(theirs[2])) <= 10


def test_every_notebook_runs_in_time():
    for name, seconds in load_result("notebook_times")["notebooks"].items():
        assert seconds["processor"] < 50, f"{name}: 25 s on each of two cores"


@pytest.mark.parametrize("title", ["The notebooks", "What needs what", "Misconceptions to expect"])
def test_every_notebook_has_its_row(title):
    assert first_column(section(title)) == NUMBERS


def test_needs_come_before():
    for number, needs in re.findall(r"^\| (\d\d) \| ([^|]*) \|", section("What needs what"), re.MULTILINE):
        assert all(other < number for other in re.findall(r"\b\d\d\b", needs))


def test_paths_and_syllabi():
    for name, numbers in PATHS.items():
        (line,) = re.findall(rf"^- \*\*{name}\*\*[^:]*: ([\d, ]+)\.", GUIDE, re.MULTILINE)
        assert line.replace(",", "") == numbers
    weeks = re.findall(r"^\| \d+ \| ([\d, ]+) \|", section("Two syllabi"), re.MULTILINE)
    assert len(weeks) == 10
    assert sorted(", ".join(weeks).split(", ")) == NUMBERS


def test_exercises_that_are_named_exist():
    named = set(re.findall(r"\b(\d\d-[a-z][a-z0-9-]*)\b", GUIDE))
    assert len(named) > 40
    for name in named:
        assert name in exercises(name[:2]), name
    for row in re.findall(r"^\| \d\d \| .*$", section("Misconceptions to expect"), re.MULTILINE):
        number = row[2:4]
        assert {name[:2] for name in re.findall(r"\d\d-[a-z]", row)} == {number}


def test_commands_are_read_and_files_exist():
    commands = re.findall(r"python -m rnn_from_scratch (course [^\n`#]*)", GUIDE)
    assert len(commands) >= 5
    for command in commands:
        _parser().parse_args(shlex.split(command))
    for module in re.findall(r"python -m (benchmarks\.\w+)", GUIDE):
        assert (FOLDER.parent / f"{module.replace('.', '/')}.py").exists()
    for path in re.findall(r"`((?:rnn_from_scratch/|course/)[\w/]+\.py)`", GUIDE):
        if "NN" not in path:
            assert any((FOLDER.parent / root / path).exists() for root in ("", "rnn_from_scratch"))


def test_the_code_runs(capsys):
    for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
        exec(block, {})
    assert "Ada Lovelace 2027" in capsys.readouterr().out


def test_minutes_grow_with_what_there_is_to_do():
    cells = [nbformat.v4.new_markdown_cell("word " * 1000), nbformat.v4.new_code_cell("x = 1")]
    short = nbformat.v4.new_notebook(cells=cells[:1])
    assert minutes(short) == 10
    cells += [nbformat.v4.new_code_cell("check()", metadata={"nbgrader": {"grade": True, "points": 3}})]
    assert minutes(nbformat.v4.new_notebook(cells=cells)) == 25  # 10 + 1 + 15, to five


def test_it_says_what_it_is_not():
    assert "It is no sandbox" in section("Marking")
    assert "container" in section("Marking")
