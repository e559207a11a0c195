"""The conformance suite rejects every single-edit mutant that changes a gradient.

All of them were judged by `python -m benchmarks.mutation`, which takes some minutes; its saved result is read here, and
must be that of the present code. A sample, the same at every run, is judged afresh.
"""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAVED = json.loads((ROOT / "benchmarks" / "results" / "mutation.json").read_text(encoding="utf-8"))["functions"]
STALE = "the saved result is of other code: run `python -m benchmarks.mutation`"


@pytest.fixture(scope="module")
def judging():
    """Import what stands beside this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        yield importlib.import_module("judging")


def test_every_mutant_that_changes_a_gradient_was_rejected():
    assert [f"{row['function']}: {label}" for row in SAVED for label in row["alive"]] == []
    assert all(row["rejected"] == row["changing"] <= row["mutants"] for row in SAVED)
    assert sum(row["changing"] for row in SAVED) > 12000


def test_there_were_enough_mutants_of_every_backward_pass(judging):
    assert [row["function"] for row in SAVED] == list(judging.SUBJECTS), STALE
    assert len(SAVED) == 92
    for row in SAVED:
        assert row["changing"] >= judging.SUBJECTS[row["function"]].at_least, row["function"]


@pytest.mark.parametrize("row", SAVED, ids=lambda row: row["function"])
def test_a_sample_is_rejected_and_the_saved_result_is_of_this_code(row, judging):
    subject = judging.SUBJECTS[row["function"]]
    assert judging.fingerprint(subject.function) == row["fingerprint"], STALE
    found = judging.judge(subject, share=0.1, least=8)
    assert found.mutants == row["mutants"], STALE
    assert len(found.effects) >= min(8, found.mutants)
    assert found.alive == []
