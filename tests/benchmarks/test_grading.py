"""The script that marks ten submissions: what they hand in is what their names say, and the saved result is right."""

from pathlib import Path

import nbformat

from benchmarks import grading as benchmark
from benchmarks.machine import load_result
from rnn_from_scratch.course.aligning import align
from rnn_from_scratch.course.running import Step

SOLUTIONS = Path(__file__).parents[2] / "notebooks" / "solutions"
SOURCES = {name: nbformat.read(SOLUTIONS / f"{name}.ipynb", 4) for name in benchmark.NOTEBOOKS}


def test_ten_submissions_of_which_four_misbehave():
    classroom = benchmark.submissions(SOURCES)
    assert len(classroom) == 10
    first = benchmark.NOTEBOOKS[0]
    pasted = classroom["cut_and_pasted"][0][first]
    names = [benchmark.name_of(cell) for cell in pasted.cells]
    assert names.count("01-columns-answer") == 3
    assert "01-h1-answer" not in names
    assert "01-shapes-check" not in names
    plan = align(SOURCES[first], pasted)
    columns = [step for step in plan.steps if step.exercise == "01-columns"]
    assert [step.kind for step in columns] == ["answer", "check"]
    assert "np.tanh(W_hh @ h_prev" in columns[0].source
    for student, source in (("loop", benchmark.LOOP), ("vandal", benchmark.VANDAL)):
        assert any(step == Step("answer", source, step.exercise) for step in
                   align(SOURCES[first], classroom[student][0][first]).steps)


def test_the_saved_result_has_every_mark_that_is_due():
    saved = load_result("grading")
    assert saved["faults"] == []
    assert saved["course unchanged"] is True
    assert saved["seconds"] < 300
    for student, (handed_in, other) in benchmark.submissions(SOURCES).items():
        assert saved["marks"][student] == benchmark.points_due(SOURCES, handed_in, other), student
