"""The conformance suite rejects every single-edit mutant that changes a gradient: 100 %, with the counts printed."""

import json

import pytest

SUBJECTS = 50


@pytest.fixture(scope="module")
def results(mutation):
    """What `tests/diagnosis/mutation.py` found, a dictionary for each backward pass (conftest.py runs it)."""
    return [json.loads(line) for line in mutation.splitlines()]


def test_every_mutant_that_changes_a_gradient_is_rejected(results, capsys):
    keys = ("mutants", "changing", "raising", "rejected")
    rows = [{**found, "rejected": found["changing"] - len(found["alive"])} for found in results]
    total = {"function": "together", **{key: sum(row[key] for row in rows) for key in keys}}
    with capsys.disabled():
        print("\nSingle-edit mutants of each backward pass, those that change a gradient, and those the checks reject:")
        print(f"{'backward pass':32s}" + "".join(f"{key:>10s}" for key in keys))
        for row in [*rows, total]:
            print(f"{row['function']:32s}" + "".join(f"{row[key]:10d}" for key in keys))
    assert [f"{row['function']}: {label}" for row in rows for label in row["alive"]] == []
    assert total["rejected"] == total["changing"] > 6200


def test_there_are_enough_mutants_of_every_backward_pass(results):
    assert len(results) == SUBJECTS
    for found in results:
        assert found["changing"] >= found["at least"], found["function"]
