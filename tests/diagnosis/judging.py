"""The conformance suite against single-edit mutants of every backward pass.

Whether a mutant changes a gradient is judged without the suite: at 20 random points of other sizes, masked and
unmasked, its gradients are compared with the original's. Every mutant that changes one must be rejected.

`python -m benchmarks.mutation` judges them all and saves what it found; test_mutation.py judges a sample. The subjects
are in subjects.py, newer_subjects.py and fused_subjects.py, the points in files of like names; diagnosis/mutants.py of
the package makes the mutants and rejecting.py stops the suite as soon as its verdict is settled.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import itertools
import textwrap
import warnings
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from fused_subjects import FUSED
from newer_subjects import NEWER
from points import Gradients, same
from rejecting import Known, rejected_by, stopping_early
from subjects import PLAIN, Subject

from rnn_from_scratch.diagnosis.mutants import Mutant, mutants

POINTS = 20


def name_of(function: FunctionType) -> str:
    """A private function's module stands before its name: two kernels have a `_deltas` each."""
    name = function.__qualname__
    return f"{function.__module__.rpartition('.')[2]}.{name}" if name.startswith("_") else name


SUBJECTS = {name_of(subject.function): subject for subject in [*PLAIN, *NEWER, *FUSED]}


class Judged(NamedTuple):
    """How many mutants there are, what those that were judged do, and which of them no check rejects."""

    mutants: int
    effects: list[str]  # "none", "changed" or "raised"
    alive: list[str]  # those with an effect that passed every check

    @property
    def changing(self) -> int:
        """How many have an effect."""
        return len(self.effects) - self.effects.count("none")


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


def sample_of(made: list[Mutant], share: float, least: int) -> list[Mutant]:
    """Draw a share of them, always the same, but not fewer than `least` while there are any."""
    count = min(len(made), max(least, round(share * len(made))))
    return [made[number] for number in sorted(np.random.default_rng(0).choice(len(made), count, replace=False))]


def judge(subject: Subject, share: float = 1.0, least: int = 0) -> Judged:
    """Judge the mutants of a function, or a sample of them."""
    with np.errstate(all="ignore"), warnings.catch_warnings(), stopping_early():
        warnings.simplefilter("ignore")
        visited = [(gradients, gradients()) for gradients in visits(subject)]
        made = mutants(subject.function, lambda: [gradients() for gradients, _ in visited[: len(subject.points)]])
        return Judged(len(made), *_judged(subject, sample_of(made, share, least), visited))


def _judged(subject: Subject, chosen: list[Mutant], visited: list[Any]) -> tuple[list[str], list[str]]:
    """Return each one's effect, and those that have one and that no check rejects."""
    code, keep, effects = subject.function.__code__, None if subject.in_forward else Known(), []
    waiting = chosen
    for first_pass in (True, False) if subject.in_forward else (False,):
        checks, used, left = list(subject.checks), 0, []
        for mutant in waiting:
            subject.function.__code__ = mutant.code  # wherever the function is known by name
            try:
                if waiting is chosen:
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


def fingerprint(function: FunctionType) -> str:
    """Tell a function's code from any other, whatever its docstring, its comments and the version of Python."""
    definition: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    statements = definition.body[ast.get_docstring(definition) is not None :]
    words = []
    for node in itertools.chain.from_iterable(map(ast.walk, statements)):
        values = (value for _, value in ast.iter_fields(node))
        words += [type(node).__name__, *(str(value) for value in values if isinstance(value, str | int | float))]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]
