"""The students' set in a folder of its own: nothing of a solution in it, a name of one's own in the variant."""

import json
import re
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import v4

from rnn_from_scratch.course import ReleaseError, hand_out, hand_out_solutions, own_fixed_point
from rnn_from_scratch.course.handing_out import for_student, holds_name, saved_results
from rnn_from_scratch.course.marking import judge
from rnn_from_scratch.course.nb01 import EXERCISES
from rnn_from_scratch.course.own_numbers import fixed_points
from rnn_from_scratch.course.stripping import refuse_leaks, release_notebook
from rnn_from_scratch.validate import ArgumentError

REAL = Path(__file__).parents[2] / "notebooks"
SOLUTION = {"schema_version": 3, "solution": True, "grade": False, "locked": False, "task": False, "grade_id": "a"}
CHECK = {**SOLUTION, "solution": False, "grade": True, "locked": True, "grade_id": "b", "points": 1}
WRITTEN = {**SOLUTION, "grade": True, "points": 1, "grade_id": "c"}
SECRET = "answer = 6 * 7 + 0.125"


def silent(line):
    pass


def code(source, nbgrader=None, **metadata):
    return v4.new_code_cell(source, metadata={**({"nbgrader": nbgrader} if nbgrader else {}), **metadata})


def source(*more):
    return v4.new_notebook(cells=[
        v4.new_markdown_cell("# Title"),
        code(f"answer = ...\n### BEGIN SOLUTION\n{SECRET}\n### END SOLUTION", SOLUTION),
        code("print(answer)\n### BEGIN HIDDEN TESTS\nassert answer == 42.125\n### END HIDDEN TESTS", CHECK),
        v4.new_markdown_cell("because of forty-two", metadata={"nbgrader": WRITTEN}),
        *more,
    ])


def write(root, name, node):
    """A repository with notebooks/solutions/NN_name.ipynb and two saved results."""
    folder = root / "notebooks"
    (folder / "solutions").mkdir(parents=True, exist_ok=True)
    nbformat.write(node, folder / "solutions" / f"{name}.ipynb")
    results = root / "benchmarks" / "results"
    results.mkdir(parents=True, exist_ok=True)
    for file in ("claim_c1.json", "claim_c2.json", "net_a.npz", "net_b.npz"):
        (results / file).write_text("{}", encoding="utf-8")
    return folder


def everything(folder):
    return "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.ipynb"))


def test_the_set_holds_no_solution_and_stands_by_itself(tmp_path):
    reads = 'import json\nfrom pathlib import Path\njson.loads(Path("../benchmarks/results/claim_c1.json").read_text())'
    folder = write(tmp_path, "01_name", source(code(reads)))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    written = hand_out(tmp_path / "set", folder, progress=silent)
    assert written == [tmp_path / "set" / "01_name.ipynb"]
    text = everything(tmp_path / "set")
    for hidden in (SECRET, "42.125", "forty-two", "BEGIN", "../benchmarks"):
        assert hidden not in text
    assert 'Path(\\"results/claim_c1.json\\")' in text
    assert [path.name for path in (tmp_path / "set" / "results").iterdir()] == ["claim_c1.json"]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.notebooks
def test_it_is_run_where_that_is_asked(tmp_path):
    reads = 'from pathlib import Path\nprint(Path("../benchmarks/results/claim_c2.json").read_text())'
    folder = write(tmp_path, "01_name", source(code(reads)))
    (path,) = hand_out(tmp_path / "set", folder, execute=True, progress=silent)
    node = nbformat.read(path, 4)
    assert [cell.outputs[0].text for cell in node.cells if cell.cell_type == "code" and cell.outputs] == [
        "Ellipsis\n", "{}\n",
    ]


@pytest.mark.parametrize("place", ["source", "metadata", "output", "notebook", "alt", "pictures"])
def test_a_solution_that_is_left_anywhere_is_refused(place):
    node = source()
    if place == "source":
        return_early = release_notebook(node)
        return_early.cells[0].source += f"\n\nHint: `{SECRET}`"
    else:
        return_early = release_notebook(node)
        cell = return_early.cells[2]
        if place == "metadata":
            cell.metadata["old"] = {"deep": [f"x; {SECRET}"]}
        if place == "alt":
            cell.metadata["alt"] = "assert answer == 42.125"
        if place == "output":
            cell.outputs = [v4.new_output("stream", text=f"1\n{SECRET}\n")]
        if place == "notebook":
            return_early.metadata["solution"] = SECRET
        if place == "pictures":  # base64 may hold anything
            cell.outputs = [v4.new_output("display_data", data={"image/png": SECRET})]
            return refuse_leaks(node, return_early, "01_name")
    with pytest.raises(ReleaseError, match=r"01_name.* hold.*, a line of a solution, expected no such line"):
        refuse_leaks(node, return_early, "01_name")
    return None


def test_metadata_and_attachments_of_a_source_stay_behind(tmp_path):
    node = source()
    node.cells[1].metadata["solution"] = "x"
    node.cells[3]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    folder = write(tmp_path, "01_name", node)
    hand_out(tmp_path / "set", folder, progress=silent)
    written = nbformat.read(tmp_path / "set" / "01_name.ipynb", 4)
    assert list(written.cells[1].metadata) == ["nbgrader"]
    assert "attachments" not in written.cells[3]


def test_a_line_that_the_text_shows_too_is_no_secret():
    node = source(v4.new_markdown_cell(f"as in `{SECRET}`"))
    assert SECRET in str(release_notebook(node))


def test_solutions_are_handed_out_as_they_are(tmp_path):
    folder = write(tmp_path, "01_name", source(code('x = "../benchmarks/results/claim_c1.json"')))
    (path,) = hand_out_solutions(tmp_path / "all", folder, ["01"], progress=silent)
    node = nbformat.read(path, 4)
    assert [cell.source for cell in node.cells[:4]] == [cell.source for cell in source().cells]
    assert node.cells[4].source == 'x = "results/claim_c1.json"'
    assert (tmp_path / "all" / "results" / "claim_c1.json").exists()
    node.cells[1].source = "answer = 1"  # no marks: nbgrader would hand it out
    nbformat.write(node, folder / "solutions" / "01_name.ipynb")
    with pytest.raises(ReleaseError, match="marks no solution"):
        hand_out_solutions(tmp_path / "all", folder, progress=silent)


def test_answers_in_the_folder_are_kept(tmp_path):
    folder = write(tmp_path, "01_name", source())
    (path,) = hand_out(tmp_path / "set", folder, progress=silent)
    node = nbformat.read(path, 4)
    node.cells[1].source = "answer = 'mine'"
    nbformat.write(node, path)
    hand_out(tmp_path / "set", folder, progress=silent)
    assert "mine" in (tmp_path / "set" / "01_name.answers-1.ipynb").read_text(encoding="utf-8")
    assert "mine" not in path.read_text(encoding="utf-8")


def test_the_releases_themselves_are_not_written_over(tmp_path):
    folder = write(tmp_path, "01_name", source())
    for target in (folder, folder / "solutions", folder / "set", folder / ".." / "notebooks"):
        for write_to in (hand_out, hand_out_solutions):
            with pytest.raises(ReleaseError, match="a folder outside that of the releases"):
                write_to(target, folder, progress=silent)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ReleaseError, match="a file, expected a folder"):
        hand_out(tmp_path / "file", folder, progress=silent)


@pytest.mark.parametrize("student", ["Ada Lovelace", "Zoë \"Q\" O'Neil\\", "吴 \\1 \\g<0>", '"""', "\\", "a\nb"])
def test_a_variant_puts_the_students_name_and_nothing_else(student):
    drawn = 'n = draw("Alan Turing", size=3, kind="b")  # your name'
    lines = ['x = "keep"', drawn, 'say = "# your name"', 'k = draw("B")']
    node = v4.new_notebook(cells=[code("\n".join(lines)), v4.new_markdown_cell('draw("Alan Turing")  # your name')])
    named = for_student(node, student)
    space = {"draw": lambda name, size=0, kind="": name + kind.removeprefix("b")}
    exec(named.cells[0].source, space)
    assert space["n"] == student
    assert (space["x"], space["say"], space["k"]) == ("keep", "# your name", "B")
    assert named.cells[1].source == node.cells[1].source
    assert node.cells[0].source == "\n".join(lines)
    assert holds_name(node.cells[0].source)
    assert not holds_name(lines[0])


@pytest.mark.parametrize("name", ["01_one_recurrent_step", "12_find_the_bug_in_the_gates"])
def test_the_course_offers_a_variant_in_these(tmp_path, name):
    hand_out(tmp_path, REAL, [name], variant="Ada Lovelace", progress=silent)
    text = everything(tmp_path)
    assert text.count("Ada Lovelace\\\")  # your name") == 1
    assert "Alan Turing\\\")" not in text


@pytest.mark.parametrize("variant", ["", "  ", 3])
def test_a_variant_is_a_name(tmp_path, variant):
    with pytest.raises(ArgumentError, match="own_cell: name is"):
        hand_out(tmp_path / "set", REAL, ["01"], variant=variant, progress=silent)
    assert not (tmp_path / "set").exists()


def test_every_source_finds_its_results(tmp_path):
    for path in (REAL / "solutions").glob("*.ipynb"):
        node = nbformat.read(path, 4)
        code_only = "".join(cell.source for cell in node.cells if cell.cell_type == "code")
        found = {result.name for result in saved_results(node, REAL)}
        assert bool(found) <= ("benchmarks/results" in code_only), path.name
        named = set(re.findall(r"benchmarks/results/(\w+\.\w+)", code_only))
        assert found >= {name for name in named if (REAL.parent / "benchmarks" / "results" / name).exists()}
    names = [path.name for path in saved_results(
        v4.new_notebook(cells=[code("load(f\"../benchmarks/results/net_{kind.replace('_', ' ')}.npz\")")]),
        write(tmp_path, "01_name", source()),
    )]
    assert names == ["net_a.npz", "net_b.npz"]


def test_own_fixed_points():
    drawn = {own_fixed_point(f"student {number}") for number in range(200)}
    assert drawn == set(fixed_points())
    assert len(drawn) == 12
    assert own_fixed_point("Alan Turing") == own_fixed_point("  alan   TURING ") == Fraction(4, 5)
    assert own_fixed_point("Zoe\u0308") == own_fixed_point("Zoë")
    assert Fraction(3, 5) not in drawn
    for bad in ("", None, 3):
        with pytest.raises(ArgumentError, match="name is"):
            own_fixed_point(bad)


def test_the_fixed_point_of_every_draw_is_marked():
    exercise = EXERCISES["01-fixed"]
    for h in fixed_points():
        weight = np.arctanh(float(h)) / float(h)
        assert judge(exercise, (h, weight)).right
        assert abs(np.tanh(weight * float(h)) - float(h)) < 1e-12
        assert judge(exercise, (h, -weight)).says.startswith("not right. You got -")
        assert "Put it in, and look" in judge(exercise, (h, weight + 0.01)).says
    assert judge(exercise, (Fraction(4, 5), ...)).says == "not solved yet"
    assert "Give two things" in judge(exercise, 1.25).says


def test_commands(tmp_path, capsys):
    from rnn_from_scratch.cli import main

    folder = write(tmp_path, "01_name", source(code('x = len("Alan")  # your name')))
    where = ["--folder", str(folder)]
    assert main(["course", "release", str(tmp_path / "set"), "01", "--variant", "Grace", *where]) == 0
    assert "Grace" in everything(tmp_path / "set")
    assert main(["course", "solutions", str(tmp_path / "all"), *where]) == 0
    assert SECRET in json.dumps(json.loads((tmp_path / "all" / "01_name.ipynb").read_text(encoding="utf-8")))
    assert "1 notebook written" in capsys.readouterr().out
    for wrong, says in (
        (["release", "--variant", "Grace"], "--variant STUDENT without DIR"),
        (["release", "01", "--run"], "--run without DIR"),
        (["solutions", "01"], "DIR is missing"),
        (["release", str(tmp_path / "set"), "07"], "the notebook is '07', expected one of 01_name"),
    ):
        assert main(["course", *wrong, *where]) == 2
        assert says in capsys.readouterr().err
