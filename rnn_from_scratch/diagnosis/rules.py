"""The rules beside the numbers: nothing changes, twice is the same twice; and reports put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import Tree, leaves
from ..gradcheck import GradientReport
from ..gradcheck.direction import compare_along

SAME = 1e-12  # two ways to compute the same float64 number


def distance(first: Tree, second: Tree) -> float:
    """Return the largest absolute difference between two trees; a difference in structure or a NaN is infinite."""
    # None stands for the gradient of an index; where both trees have it, they agree.
    one, two = (dict((name, array) for name, array in leaves(tree) if array is not None) for tree in (first, second))
    if set(one) != set(two) or any(np.shape(one[key]) != np.shape(two[key]) for key in one):
        return np.inf
    gaps = [float(np.max(np.abs(one[key] - two[key]), initial=0.0)) for key in one]
    return np.inf if np.isnan(gaps).any() else max(gaps, default=0.0)  # max() alone would pass over a NaN


def differs_twice(gradients: Callable[[], Tree]) -> list[str]:
    """Call twice; a second answer that differs from the first is a finding."""
    return [] if distance(gradients(), gradients()) == 0 else ["backward twice differs"]


def changed(after: Sequence[Tree], before: Sequence[Tree], names: Sequence[str]) -> list[str]:
    """Compare what was passed in with copies made before; every change is a finding."""
    return [
        f"{name} changed during the call: nothing passed in may be written to"
        for now, then, name in zip(after, before, names, strict=True)
        if distance(now, then) != 0
    ]


def contradicted(
    loss: Callable[[Tree], Any], tree: Tree, gradient: Tree, rng: np.random.Generator, case: str
) -> list[str]:
    """Compare a whole gradient along one random direction, which costs two losses; a contradiction is a finding."""
    one, two = dict(leaves(tree)), dict(leaves(gradient))
    if set(one) != set(two) or any(np.shape(one[key]) != np.shape(two[key]) for key in one):
        return [f"the gradients {case} do not have the names and shapes of what they belong to"]
    fault = compare_along(loss, tree, gradient, rng).fault
    if fault is None:
        return []
    told = f"along one direction they give {fault.expected:.6g}, differences of the loss {fault.measured:.6g}"
    return [f"the gradients are wrong {case}: {told}"]


def renamed(report: GradientReport, rename: Callable[[str], str]) -> GradientReport:
    """Return the report with every row's name changed, and the parameters' names short in its findings."""
    findings = [text.replace("params.", "") for text in report.findings]
    return replace(report, rows=[replace(row, name=rename(row.name)) for row in report.rows], findings=findings)


def joined(reports: Sequence[GradientReport], findings: Sequence[str]) -> GradientReport:
    """Put reports and findings into one report."""
    methods = list(dict.fromkeys(method for report in reports for method in report.method.split(" and ")))
    notes = list(dict.fromkeys(note for report in reports for note in report.notes))
    rows = [row for report in reports for row in report.rows]
    every = [finding for report in reports for finding in report.findings]
    explanations = dict.fromkeys(report.explanation for report in reports if report.explanation)
    findings = list(dict.fromkeys([*every, *findings]))
    return GradientReport(rows, " and ".join(methods), findings, notes, "\n\n".join(explanations))
