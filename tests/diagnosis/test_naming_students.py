"""`diagnose` on what others wrote, in styles that are not the package's: a sample, one seed.

benchmarks/diagnosing.py does all of them with five seeds, the held-out third among them, which no test here names.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell
from rnn_from_scratch.diagnosis import diagnose

HERE = Path(__file__).parent
REFERENCES = {"gru-before": GRUCell(17, 6, reset_after=False)}


def module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    loaded = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


student_case = module("student_case")
measuring = module("test_students")  # how the students' own arrays are measured
UNSEEN = [case for batch in ("first", "second", "third")
          for case in student_case.load(HERE / "unseen" / batch / "index.py").CASES]
STUDENTS = student_case.load_cases("students")
WRONG = [case for case in STUDENTS if case.kind not in (None, "broken")] + UNSEEN
RIGHT = [case for case in STUDENTS if case.kind is None]
BROKEN = [case for case in STUDENTS if case.kind == "broken"]


def diagnosed(case):
    return diagnose(case.function, REFERENCES.get(case.reference, case.reference), rng=np.random.default_rng(7))


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_right_ones_are_accepted(case):
    assert diagnosed(case).ok


@pytest.mark.parametrize("case", WRONG[4::18], ids=lambda case: case.name)
def test_a_sample_of_the_wrong_ones_is_named(case):
    found = diagnosed(case)
    assert found.suspects[0].kind in {case.kind, *case.also}


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_broken_ones_are_explained(case):
    suspect = diagnosed(case).suspects[0]
    words = {
        "rnn-raises": "IndexError", "rnn-fails-for-one-step": "T = 1", "rnn-lists": "a list",
        "lstm-other-keys": "lacks", "lstm-returns-none": "NoneType", "gru-fails-for-one-sequence": "N = 1",
    }[case.name]
    assert words in suspect.evidence
    assert suspect.hint


HABITS = ("not-reset", "nondeterministic", "mutates-input", "forward-wrong")  # their first arrays are right


@pytest.mark.parametrize("case", [case for case in UNSEEN if case.kind not in HABITS], ids=lambda case: case.name)
def test_the_unseen_are_wrong_in_the_arrays_that_they_claim(case):
    arguments, losses, expected = measuring.truth(case.reference, 1)
    mine, grads = measuring.call(case, arguments)
    assert measuring.same_losses(mine, losses)
    assert measuring.off(case, grads, expected) == student_case.wrong_blocks(case)
