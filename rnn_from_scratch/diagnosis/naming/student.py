"""Calling a student's function: on copies, with its answer's form checked, so that a fault of its is a finding."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array
from ..suite import described, told
from .reference import STATES, Gradients, Point, off
from .suspects import Suspect, Where

HUGE = 1e100  # whose squares can no longer be added up
SAME = 1e-12  # two answers of one function to one question
FEWEST, MOST, SETTLED = 3, 40, 8  # calls, to tell what grows or settles from what is random


class Answer(NamedTuple):
    """What a function returned, as plain arrays of its own."""

    losses: Array  # as returned: (T, N), or () for a total
    grads: Gradients
    single: bool = False  # True where a gradient came as float32, of which no more than some six digits can be told


class BrokenAnswerError(Exception):
    """The answer is none: `suspect` says why."""

    def __init__(self, suspect: Suspect) -> None:
        super().__init__(suspect.evidence)
        self.suspect = suspect


@dataclass
class Student:
    """A student's loss_and_grads, called on copies.

    single : one loss a sequence, (N,), is as good as (T, N).
    written : the arguments that it wrote to, by name.
    """

    function: Callable[..., Any]
    single: bool = False
    written: dict[str, str] = field(default_factory=dict)

    def __call__(self, point: Point) -> Answer:
        """Call it once.

        Raises
        ------
        BrokenAnswerError
            It raised, or its answer has another form than (losses, {name: array of the parameter's shape}).
        """
        sizes = f"T = {point.xs.shape[0]}, N = {point.xs.shape[1]}"
        given = copy.deepcopy(point)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                returned = self.function(*given)
        except (Exception, SystemExit) as fault:  # a notebook's exit() is no reason to end the diagnosis
            hint = f"The line named. It was called with {sizes}: every size of at least 1 has to work."
            raise BrokenAnswerError(
                Suspect("unknown", Where(), f"Called with {sizes}, {told(fault)}.", hint)
            ) from None
        self._compare(point, given)
        return self._checked(returned, point, sizes)

    def _compare(self, before: Point, after: Point) -> None:
        left = dict(_named(after))
        for name, one in _named(before):
            two = left.pop(name, None)
            if not isinstance(two, np.ndarray) or np.shape(one) != two.shape or two.dtype.kind not in "fiu":
                self.written.setdefault(name, f"{name} is {described(two) if two is not None else 'gone'}")
            elif not np.array_equal(one, two, equal_nan=True):
                with np.errstate(all="ignore"):
                    gap = float(np.max(np.abs(np.subtract(one, two))))
                moved = f"moved by up to {gap:.3g}" if np.isfinite(gap) else "holds NaN or infinite numbers"
                self.written.setdefault(name, f"{name} {moved}")
        for name in left:
            self.written.setdefault(str(name), f"{name} is among the parameters")

    def _checked(self, returned: Any, point: Point, sizes: str) -> Answer:
        if not isinstance(returned, tuple | list) or len(returned) != 2:
            self._broken("shape", f"It returned {described(returned)}, expected (losses, grads); {sizes}.",
                         "The return statement: is it there, and reached?")
        losses, grads = returned
        if not isinstance(grads, dict):
            self._broken("shape", f"grads is {described(grads)}, expected a dictionary of arrays.",
                         'Return {"W_xh": …, "W_hh": …, "b_h": …, "W_hy": …, "b_y": …}.')
        missing = [name for name in point.params if name not in grads]
        if missing:
            names = ", ".join(map(str, grads)) or "nothing"
            self._broken("shape", f"grads holds {names}; it lacks {', '.join(missing)}.",
                         f"The keys are those of params: {', '.join(point.params)}.")
        steps, batch = point.xs.shape[:2]
        values = self._array("losses", losses)
        if values.shape not in ((steps, batch), (), *(((batch,),) if self.single else ())):
            self._broken(
                "shape", f"losses has shape {values.shape}, expected (T, N) = {(steps, batch)}, or one number.",
                "The loss of each step of each sequence, not yet added up; or their sum as one number.",
            )
        self._finite("losses", values, sizes)
        expected = {**point.params, "xs": point.xs, **dict(zip(STATES, point.state, strict=False))}
        found = {}
        for name, gradient in grads.items():
            if name in expected:
                found[name] = self._array(name, gradient)
                self._finite(name, found[name], sizes)
        single = any(getattr(grads[name], "dtype", None) in (np.float32, np.float16) for name in found)
        return Answer(values, found, single)

    def _array(self, name: str, value: Any) -> Array:
        """Return an array of its own; what is none is a finding, since a list adds by appending."""
        kind = getattr(value, "dtype", None)
        number = name == "losses" and isinstance(value, int | float)
        if not number and getattr(kind, "kind", "no dtype of NumPy's") not in tuple("fiu"):
            of = f" of {kind}" if kind is not None else ""
            self._broken("shape", f"{name} is {described(value)}{of}, expected an array of real numbers.",
                         f"np.asarray({name}, dtype=np.float64), where it is returned.", name)
        with np.errstate(over="ignore"):  # of a longdouble: told as infinite
            return np.array(value, dtype=np.float64)

    def _finite(self, name: str, array: Array, sizes: str) -> None:
        bad = int(np.sum(~np.isfinite(array)))
        if bad:
            self._broken(
                "unknown", f"{name} holds {bad} of {array.size} entries that are NaN or infinite; {sizes}.",
                "A division by zero, log(0), an exp that overflows, or an array from np.empty that was never filled.",
                name,
            )
        beyond = int(np.sum(np.abs(array) > HUGE))
        if beyond:
            self._broken(
                "unknown", f"{name} holds {beyond} of {array.size} entries that are larger than {HUGE:g}; {sizes}.",
                "An array from np.empty that was never filled, or a factor that is applied again and again.", name,
            )

    def _broken(self, kind: str, evidence: str, hint: str, name: str | None = None) -> None:
        raise BrokenAnswerError(Suspect(kind, Where(name), evidence, hint))


def _named(point: Point) -> list[tuple[str, Any]]:
    states = zip(STATES, point.state, strict=False)
    return [*point.params.items(), ("xs", point.xs), ("targets", point.targets), *states]


def apart(one: Answer, two: Answer) -> dict[str, float]:
    """Return what differs between two answers, and by how much."""
    none = np.empty(0)  # a key that is there in one of the two
    names = {**one.grads, **two.grads}
    pairs = {"losses": (one.losses, two.losses), **{k: (one.grads.get(k, none), two.grads.get(k, none)) for k in names}}
    found = {name: off(a, b) if a.shape == b.shape else np.inf for name, (a, b) in pairs.items()}
    return {name: gap for name, gap in found.items() if gap > SAME}


def purity(student: Student, point: Point) -> tuple[Answer, list[Suspect]]:
    """Tier 1: call it several times; return the first answer, and what is not as it should be."""
    answers = [student(point) for _ in range(FEWEST)]
    differing = {name: gap for later in answers[1:] for name, gap in apart(answers[0], later).items()}
    suspects = []
    if differing:
        suspects.append(_kept(student, point, answers, differing))
    if student.written:
        what = "; ".join(student.written.values())
        names = list(student.written)
        suspects.append(Suspect(
            "mutates-input", Where(names[0] if len(names) == 1 else None), f"After one call {what}.",
            "Operations in place on what was handed in: +=, *=, out=, x[t] = …. Take a copy first, or write h = h + … "
            "for h += …. A check that uses the same array afterwards compares with other numbers.",
        ))
    return answers[0], suspects


def _kept(student: Student, point: Point, answers: list[Answer], differing: dict[str, float]) -> Suspect:
    """Tell what is left over from the call before (it grows by the same, or settles) from what is random."""
    name = max(differing, key=lambda key: differing[key])
    worst = f"{', '.join(differing)} differ between two calls with the same arguments, {name} by {differing[name]:.2g}"
    one, two, three = answers[:FEWEST]
    factor = None
    if np.inf not in (*apart(one, two).values(), *apart(two, three).values()):  # else nothing to subtract
        factor = _factor(_difference(one, two), _difference(two, three))
    if factor is not None:
        more = "the same again" if abs(factor - 1.0) < SAME else f"{factor:.3g} times what the one before added"
        return Suspect(
            "not-reset", Where(), f"{worst}; each call adds {more}.",
            "Arrays of gradients that live longer than a call (on a class, a module, as a default argument): set them "
            "to zero at the start of every call.",
        )
    calls = list(answers)
    equal = 0  # in a row: chance gives two, or three
    while len(calls) < MOST and equal < SETTLED:
        calls.append(student(point))
        equal = 0 if apart(calls[-2], calls[-1]) else equal + 1
    if equal == SETTLED:
        return Suspect(
            "not-reset", Where(), f"{worst}; after {len(calls) - 1 - SETTLED} calls they stay the same.",
            "A state or a cache of the call before is used in the next one: start every call from the state that is "
            "handed in.",
        )
    return Suspect(
        "nondeterministic", Where(), f"{worst}; {MOST} calls never settled.",
        "Dropout, a random part of the batch, or np.random anywhere in it: a gradient check needs one fixed function. "
        "Turn it off, or draw from a generator with the same seed at each call.",
    )


def _factor(added: Answer, again: Answer) -> float | None:
    """Return what every array of `again` is `added` times, None where there is no such number."""
    square = sum(float(np.vdot(array, array)) for array in added.grads.values())
    factor = sum(float(np.vdot(added.grads[k], again.grads[k])) for k in added.grads) / square if square else 0.0
    scaled = Answer(factor * added.losses, {name: factor * array for name, array in added.grads.items()})
    return factor if factor and not any(gap > 1e-9 for gap in apart(scaled, again).values()) else None


def _difference(one: Answer, two: Answer) -> Answer:
    return Answer(two.losses - one.losses, {name: two.grads[name] - one.grads[name] for name in one.grads})
