"""The suite's verdict on a mutant, as soon as it is settled.

Three things save time and none changes a verdict. A report with one finding or one wrong row is not ok, whatever else
it says: the suite is stopped there. Numerical derivatives do not depend on a backward pass, so they are measured once
for all its mutants. And where a mutant is part of the forward pass too, so that they must be measured anew, a first
pass compares entry by entry only what one direction makes suspect, the smallest array first; what it does not reject
gets the whole suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from inspect import unwrap
from typing import Any
from unittest.mock import patch

import numpy as np

from rnn_from_scratch.arrays import global_norm, leaves, tree_map
from rnn_from_scratch.diagnosis import attention, conformance, functions, models, translation
from rnn_from_scratch.diagnosis.suite import Suite
from rnn_from_scratch.gradcheck import GradientReport, check_gradients
from rnn_from_scratch.gradcheck.report import GradientRow
from rnn_from_scratch.gradcheck.verdict import Measured, _Judge

CHECKING = (attention, conformance, functions, models, translation)
Check = Callable[[], Any]  # returns a GradientReport
NOT_SUSPECT = GradientReport([GradientRow("one direction", (), 0.0, (), 0.0, 0.0, 0.0, True, "right")], "central")


class Settled(BaseException):
    """The report cannot be ok any more. Nothing that catches an Exception catches this."""


def seeded(check: Any, *arguments: Any, **keywords: Any) -> Check:
    """Return a check that is ready to run; the code's exceptions come out of it, which are findings otherwise."""
    return lambda: unwrap(check)(*arguments, rng=np.random.default_rng(1), **keywords)


@contextmanager
def attempt(suite: Suite, case: str = "") -> Iterator[None]:
    """For Suite.attempt: what would become a finding ends the check."""
    try:
        yield
    except Exception as fault:
        raise Settled from fault
    if not suite.fine:
        raise Settled


def row(judge: _Judge, name: str, analytic: Any, judged: Any = _Judge.row) -> GradientRow:
    """For a judge's row: a wrong one ends the check."""
    found: GradientRow = judged(judge, name, analytic)
    if not found.ok:
        raise Settled
    return found


def kink(*_: Any) -> None:
    """For the words that a judge looks for where a row is wrong already."""
    raise Settled


class Known:
    """Numerical derivatives by check, comparison, array and value of the loss; `by_complex` may be None, not safe."""

    def __init__(self) -> None:
        self.measured: dict[Any, Measured | None] = {}
        self.check: Check | None = None
        self.comparison = 0

    def once(self, judge: _Judge, key: Any, array: Any, measure: Callable[[], Measured | None]) -> Measured | None:
        key = (self.check, self.comparison, judge.value, array.tobytes(), *key)
        if key not in self.measured:
            self.measured[key] = measure()
        return self.measured[key]


known: Known | None = None  # while forward passes are the original's


def by_complex(judge: _Judge, name: str, array: Any, measured: Any = _Judge._by_complex) -> Measured | None:
    if known is None:
        return measured(judge, name, array)
    found = known.once(judge, (name, "complex"), array, lambda: measured(judge, name, array))
    if found is None:
        judge.unsafe.setdefault(name, "as it was before")
    return found


def measure(judge: _Judge, method: str, name: str, array: Any, measured: Any = _Judge._measure) -> Measured:
    if known is None:
        return measured(judge, method, name, array)
    return known.once(judge, (name, method), array, lambda: measured(judge, method, name, array))


def whole(loss: Any, params: Any, grads: Any, **keywords: Any) -> GradientReport:
    """For check_gradients: with a generator of its own, so that the suite's next draws do not hang on what is known."""
    if known is not None:
        known.comparison += 1
    return check_gradients(loss, params, grads, **{**keywords, "rng": np.random.default_rng(2)})


def if_suspect(loss: Any, params: Any, grads: Any, **keywords: Any) -> GradientReport:
    """For check_gradients on the first pass."""
    arrays, given = dict(leaves(params)), dict(leaves(grads))
    fits = {name: np.shape(array) for name, array in arrays.items()} == {k: np.shape(a) for k, a in given.items()}
    if fits and not suspect(loss, params, grads):
        return NOT_SUSPECT
    by_size = dict(sorted(arrays.items(), key=lambda item: np.size(item[1])))

    def at(flat: Any) -> Any:
        names = iter(arrays)
        return loss(tree_map(lambda _: flat[next(names)], params))

    return whole(at, by_size, given, **keywords)


def suspect(loss: Any, params: Any, grads: Any) -> bool:
    rng, h = np.random.default_rng(0), 1e-6
    direction = tree_map(lambda array: rng.standard_normal(np.shape(array)), params)
    ahead, behind = (loss(tree_map(lambda array, d, s=s: array + s * h * d, params, direction)) for s in (1, -1))
    expected = sum(np.sum(array) for _, array in leaves(tree_map(np.multiply, grads, direction)))
    return not abs((ahead - behind) / (2 * h) - expected) <= 1e-6 * global_norm(grads)


@contextmanager
def stopping_early() -> Iterator[None]:
    """While this lasts, the suite is as this module changes it: for `rejected_by`, and for nothing else."""
    changes = [
        (Suite, "attempt", attempt), (_Judge, "row", row), (_Judge, "_kink", kink), (_Judge, "_by_complex", by_complex),
        (_Judge, "_measure", measure), *((module, "check_gradients", check_gradients) for module in CHECKING),
    ]
    with ExitStack() as stack:
        for owner, name, changed in changes:
            stack.enter_context(patch.object(owner, name, changed))
        yield


def rejected_by(checks: list[Check], first_pass: bool, keep: Known | None) -> int | None:
    """Return the number of the first check that rejects, or None. `keep` holds what forward passes have told.

    It runs inside `stopping_early`, which puts back what it replaces.
    """
    global known
    known = keep
    for module in CHECKING:
        module.check_gradients = if_suspect if first_pass else whole  # type: ignore[attr-defined]
    for number, check in enumerate(checks):
        if known is not None:
            known.check, known.comparison = check, 0
        try:
            if not check().ok:
                return number
        except (Exception, Settled):
            return number
    return None
