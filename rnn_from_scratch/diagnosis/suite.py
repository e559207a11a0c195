"""How a check tells what went wrong: a student's exception is a finding, with its line, and never ends the report."""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np

from ..gradcheck import GradientReport
from ..gradcheck.report import ZERO
from ..validate import ArgumentError
from .rules import joined

_P = ParamSpec("_P")
_OURS = (str(Path(__file__).parents[1]), str(Path(np.__file__).parent))


class BrokenError(Exception):
    """The code under test breaks the contract so that nothing more can be checked; the message is the finding."""


class Suite:
    """Collects the reports and findings of one check."""

    def __init__(self) -> None:
        self.reports: list[GradientReport] = []
        self.findings: list[str] = []
        self.notes: list[str] = []

    @contextmanager
    def attempt(self, case: str = "") -> Iterator[None]:
        """Turn an exception of the code under test into a finding; what comes after is still checked."""
        try:
            yield
        except Exception as fault:
            self.findings.append(told(fault) + case)

    @property
    def fine(self) -> bool:
        """True while nothing is wrong: only then is it worth asking for what a first look does not see."""
        return not self.findings and all(report.ok for report in self.reports)

    def report(self, *, zeros_told: bool = True) -> GradientReport:
        """Return everything in one report, with a note on gradients that are zero everywhere."""
        whole = joined(self.reports, self.findings)
        whole.notes.extend(self.notes)
        zeros = [row.name for row in whole.rows if row.verdict == ZERO]
        if zeros and zeros_told:
            whole.notes.append(f"zero everywhere at this point, which proves little: {', '.join(zeros)}")
        return whole


def telling(check: Callable[_P, GradientReport]) -> Callable[_P, GradientReport]:
    """Make a check that reports exceptions of the code under test; only wrong arguments are still raised."""
    signature = inspect.signature(check)

    @functools.wraps(check)
    def telling_check(*arguments: _P.args, **keywords: _P.kwargs) -> GradientReport:
        signature.bind(*arguments, **keywords)  # a call with wrong arguments is the caller's TypeError, no finding
        try:
            return check(*arguments, **keywords)
        except ArgumentError:
            raise
        except Exception as fault:
            return joined([], [told(fault)])

    return telling_check


def ending_with(
    explain: Callable[..., str],
) -> Callable[[Callable[_P, GradientReport]], Callable[_P, GradientReport]]:
    """Make a check whose report, where it is not ok, ends with a text; `explain` takes the check's arguments."""

    def decorate(check: Callable[_P, GradientReport]) -> Callable[_P, GradientReport]:
        @functools.wraps(check)
        def ending_check(*arguments: _P.args, **keywords: _P.kwargs) -> GradientReport:
            report = check(*arguments, **keywords)
            if report.ok or not report.rows:  # without a row the code did not run far enough to be diagnosed
                return report
            return replace(report, explanation=explain(*arguments, **keywords))

        return ending_check

    return decorate


@contextmanager
def students() -> Iterator[None]:
    """Mark calls into the code under test: whatever they raise, also an ArgumentError, is theirs."""
    try:
        yield
    except Exception as fault:
        raise BrokenError(told(fault)) from fault


def told(fault: BaseException) -> str:
    """Say what was raised and at which line of the code under test."""
    if isinstance(fault, BrokenError):
        return str(fault)
    frames = traceback.extract_tb(fault.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(_OURS) and "contextlib" not in frame.filename]
    try:
        message = (str(fault).splitlines() or [""])[0]
    except Exception:  # an exception of theirs may not even say what it is
        message = ""
    text = f"it raised {type(fault).__name__}: {message}" if message else f"it raised {type(fault).__name__}"
    return f"{text} (in {theirs[-1].name}, line {theirs[-1].lineno}: {theirs[-1].line})" if theirs else text


def lacking(thing: Any, kind: str, needed: Sequence[str]) -> None:
    """Raise BrokenError where `thing` lacks what a cell, layer or model must have."""
    if isinstance(thing, type):
        a = "an" if kind[0] in "aeiou" else "a"
        raise BrokenError(f"{thing.__name__} is a class, not {a} {kind}: make one, such as {thing.__name__}(3, 4)")
    missing = [name for name in needed if not hasattr(thing, name)]
    if missing:
        raise BrokenError(f"{type(thing).__name__} is no {kind}: it has no {', '.join(missing)}")


def returned(value: Any, what: str, expected: str, count: int) -> tuple[Any, ...]:
    """Return a tuple of `count` things, or say what came instead."""
    if not isinstance(value, tuple) or len(value) != count:
        raise BrokenError(f"{what} must return {expected}, got {described(value)}")
    return value


def described(value: Any) -> str:
    """Name a value by its kind and size: "an array of shape (3, 4)", "a tuple of 2", "NoneType"."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    kind = type(value).__name__
    return f"a {kind} of {len(value)}" if isinstance(value, tuple | list | dict) else kind


def array_of(value: Any, what: str, shape: Sequence[int]) -> None:
    """Raise BrokenError unless `value` is an array of this shape."""
    if not isinstance(value, np.ndarray) or value.shape != tuple(shape):
        raise BrokenError(f"{what} must be an array of shape {tuple(shape)}, got {described(value)}")
