"""The conformance suite against every single-edit mutant of every backward pass.

Whether a mutant changes a gradient is judged without the suite: at 20 random points of other sizes, masked and
unmasked, its gradients are compared with the original's. Every mutant that changes one must be rejected.

`python tests/diagnosis/mutation.py` runs all of it and prints a JSON object a function; with numbers, only those of
SUBJECTS. test_mutation.py asserts what it found; conftest.py runs it beside the other tests. The subjects are in
subjects.py and newer_subjects.py, the points in points.py and newer_points.py; diagnosis/mutants.py of the package
makes the mutants and rejecting.py stops the suite as soon as its verdict is settled.
"""

from __future__ import annotations

import gc
import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from newer_subjects import NEWER
from points import Gradients, same
from rejecting import Known, rejected_by
from subjects import PLAIN, Subject

from rnn_from_scratch.diagnosis.mutants import mutants

POINTS = 20
SUBJECTS = [*PLAIN, *NEWER]


def visits(subject: Subject) -> Iterator[Gradients]:
    """Every configuration in turn, each at points of its own: POINTS unmasked and POINTS masked, or more."""
    for number in range(max(2 * POINTS, len(subject.points))):
        yield subject.points[number % len(subject.points)](np.random.default_rng(1000 + number))


def effect(visited: list[tuple[Gradients, Any]]) -> str:
    """Judge a mutant: "none", or "changed", or "raised". A point that tells goes to the front, for the next one."""
    for number, (gradients, original) in enumerate(visited):
        try:
            told = "none" if same(original, gradients()) else "changed"
        except Exception:
            told = "raised"
        if told != "none":
            visited.insert(0, visited.pop(number))
            return told
    return "none"


def survivors(subject: Subject) -> tuple[list[str], list[str]]:
    """Return every mutant's effect, and those that have one and that no check rejects."""
    visited = [(gradients, gradients()) for gradients in visits(subject)]
    made = mutants(subject.function, lambda: [gradients() for gradients, _ in visited[: len(subject.points)]])
    code, keep, effects = subject.function.__code__, None if subject.in_forward else Known(), []
    waiting = made
    for first_pass in (True, False) if subject.in_forward else (False,):
        checks, used, left = list(subject.checks), 0, []
        for mutant in waiting:
            subject.function.__code__ = mutant.code  # wherever the function is known by name
            try:
                if waiting is made:
                    effects.append(effect(visited))
                    if effects[-1] == "none":
                        continue
                number = rejected_by(checks, first_pass, keep)
            finally:
                subject.function.__code__ = code
            if number is None:
                left.append(mutant)
            used = max(used, len(checks) - 1 if number is None else number)
            if number is not None:  # mutants of one line are often rejected by one check
                checks.insert(0, checks.pop(number))
        for check in checks[: used + 1] if waiting else []:  # whatever went to the front stays among these
            assert rejected_by([check], first_pass, keep) is None, "the original itself is rejected"
        waiting = left
    return effects, [mutant.label for mutant in waiting]


def main(numbers: list[int]) -> None:
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")
    gc.set_threshold(200_000)  # thousands of exceptions, each with its frames: rarer collections take less time
    for subject in [SUBJECTS[number] for number in numbers] if numbers else SUBJECTS:
        effects, alive = survivors(subject)
        found = {
            "function": subject.function.__qualname__, "mutants": len(effects),
            "changing": len(effects) - effects.count("none"), "raising": effects.count("raised"),
            "alive": alive, "at least": subject.at_least,
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]])
