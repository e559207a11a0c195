"""Check an exercise's answer and say in one line what it is.

`check("01-h1", answer)` prints "01-h1: correct (2 points)", "01-h1: not solved yet", or what is not
right. A typical wrong answer is known by its value, so that the line can say which mistake leads to
it. In a notebook nothing raises: an unsolved notebook runs from top to bottom. Under nbgrader a check
that fails raises `NotRight`, which shows as its message alone, since nbgrader takes a cell without an
error for full marks.
"""

from __future__ import annotations

import importlib
import os
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..gradcheck import GradientReport
from ..validate import fail, number, size
from .comparing import difference, show, unsolved


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise:
    """One exercise: what is right, and what each typical wrong answer means.

    Exactly one of `expected` and `prove` is given.

    Parameters
    ----------
    title : str
        What is asked, in a few words.
    points : int
        The marks, the same as in the check cell's nbgrader metadata.
    expected : value, or function without arguments
        The right answer: a number, text, bool, an array, or a dictionary or tuple of arrays. A function
        computes it from the package when the answer is checked.
    tolerance : float
        A number may be off by tolerance · max(1, |expected|). The default takes four decimals.
    wrong : {sentence: value, or function without arguments}
        Typical wrong answers. The sentence completes "That is …": "h_1 with W_hh transposed: …".
        With `prove`: whole wrong answers, that is functions a student might hand in; `prove` must
        answer each with a message that holds the sentence (tests/test_notebooks.py checks it).
    hint : str
        Added to every line that says "not right".
    run : function of the answer, optional
        For answers that are functions: calls the student's function on arrays it makes afresh, and
        returns what is compared with `expected`. Shapes must then agree exactly.
    prove : function of the answer, optional
        Returns None if the answer is right; returns, or raises AssertionError with, what is wrong
        (`partly` where a part of it is right).

    Raises
    ------
    ArgumentError
        If both or neither of `expected` and `prove` are given, or points or tolerance are not positive.
    """

    title: str
    points: int = 1
    expected: Any = None
    tolerance: float = 1e-4
    wrong: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""
    run: Callable[[Any], Any] | None = None
    prove: Callable[[Any], str | None] | None = None

    def __post_init__(self) -> None:
        size("Exercise", "points", self.points, "marks are counted")
        number("Exercise", "tolerance", self.tolerance, above=0)
        if (self.expected is None) == (self.prove is None):
            got = "neither expected nor prove is given" if self.prove is None else "expected and prove are both given"
            fail("Exercise", got, "exactly one of them", "an answer is compared or proven, not both")
        if self.prove is not None and self.run is not None:
            fail("Exercise", "run and prove are both given", "one of them", "prove calls the answer itself")

    def value(self) -> Any:
        """The right answer, computed if it is given as a function."""
        return self.expected() if callable(self.expected) else self.expected

    def wrong_values(self) -> dict[str, Any]:
        """The typical wrong answers by their sentences, computed where they are functions."""
        return {says: value() if callable(value) else value for says, value in self.wrong.items()}


class NotRight(AssertionError):  # noqa: N818 - it is a mark, and shows as its message alone
    """A failed check under nbgrader."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines in place of a traceback (InteractiveShell.showtraceback).
        return [str(self)]


class Verdict(NamedTuple):
    """Whether an answer is right, what to say about it, and which share of its points it has earned."""

    right: bool
    says: str
    share: float = 0.0


class Partly(str):
    """What `prove` says of an answer of which a part is right; `share` of the points go to that part."""

    share: float = 0.0


def partly(says: str, right: Sequence[bool]) -> Partly:
    """Return what is wrong, with the share of the rows of a gradient report that are right.

    `check` shows the words alone; `course grade` gives the points.
    """
    text = Partly(says)
    text.share = sum(map(bool, right)) / len(right) if right else 0.0
    return text


def rows_right(report: GradientReport) -> list[bool]:
    """Return row by row whether a report says right; a finding counts as a row that is wrong."""
    return [row.ok for row in report.rows] + [False] * len(report.findings)


def check(exercise_id: str, answer: Any) -> None:
    """Say in one line whether `answer` solves the exercise, and if not, what it is.

    Parameters
    ----------
    exercise_id : str
        Such as "01-h1": an exercise of notebook 01, defined in course/nb01.py.
    answer : value or function
        None or ... means: not solved yet.

    Raises
    ------
    ArgumentError
        If there is no such exercise.
    NotRight
        Under nbgrader alone: if the answer is not right or not there.
    """
    verdict = judge(find(exercise_id), answer)
    line = f"{exercise_id}: {verdict.says}"
    if not verdict.right and under_nbgrader():
        raise NotRight(line)
    print(line)


def find(exercise_id: str) -> Exercise:
    """Return the exercise with this id from the file of its notebook."""
    notebook = str(exercise_id).partition("-")[0]
    known = exercises(notebook)
    if exercise_id not in known:
        listed = ", ".join(known) if known else f"none, since course/nb{notebook}.py does not exist"
        fail("check", f"the exercise is {exercise_id!r}", f"one of notebook {notebook!r}: {listed}")
    return known[exercise_id]


def exercises(notebook: str) -> dict[str, Exercise]:
    """Return the exercises of a notebook ("01") by id; none if it has no file course/nb01.py."""
    if not (notebook.isdigit() and len(notebook) == 2):
        return {}
    module = f"{__package__}.nb{notebook}"
    try:
        found: dict[str, Exercise] = importlib.import_module(module).EXERCISES
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return {}
    return found


def under_nbgrader() -> bool:
    """Say whether nbgrader runs this notebook to mark it or to validate it.

    nbgrader 0.9.6 sets NBGRADER_EXECUTION to "autograde" (nbgrader/converters/autograde.py,
    convert_single_notebook) and to "validate" (nbgrader/validator.py, _preprocess) in its own
    environment, which the kernel inherits.
    """
    return os.environ.get("NBGRADER_EXECUTION", "") in ("autograde", "validate")


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Return the verdict on an answer, without printing it."""
    if unsolved(answer):
        return Verdict(False, "not solved yet")
    takes_function = exercise.run is not None or exercise.prove is not None
    if exercise.run is not None and not callable(answer):
        return _not_right(exercise, f"You got {show(answer)}. Give the function itself, without calling it.")
    if not takes_function and callable(answer):
        return _not_right(exercise, "You gave a function. Call it, and give the value it returns.")
    try:
        # A warning would go to stderr, which nbgrader marks as failed (nbgrader/utils.py, determine_grade).
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if exercise.prove is not None:
                says = exercise.prove(answer)
                return _correct(exercise) if says is None else _not_right(exercise, says)
            value = answer if exercise.run is None else exercise.run(answer)
    except NotImplementedError:
        return Verdict(False, "not solved yet")
    except Exception as error:  # whatever a student's function raises is explained
        return _not_right(exercise, _explained(error))
    if exercise.run is not None and unsolved(value):
        return _not_right(exercise, f"Your function returned {value!r}. Is the return line missing?")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a masked array warns when it becomes a plain one
        return judge_value(exercise, value)


def judge_value(exercise: Exercise, value: Any) -> Verdict:
    """Return the verdict on a value, which for exercises with `run` is what `run` returned."""
    exact_shape = exercise.run is not None
    differs = difference(exercise.value(), value, exercise.tolerance, exact_shape=exact_shape)
    if differs is None:
        return _correct(exercise)
    got = f"You got {show(value)}."
    for says, wrong in exercise.wrong_values().items():
        if difference(wrong, value, exercise.tolerance, exact_shape=exact_shape) is None:
            return _not_right(exercise, f"{got} That is {says}")
    return _not_right(exercise, f"{got} {differs}")


def _correct(exercise: Exercise) -> Verdict:
    return Verdict(True, f"correct ({exercise.points} point{'' if exercise.points == 1 else 's'})", 1.0)


def _not_right(exercise: Exercise, says: str) -> Verdict:
    text = says.strip()
    if text[-1:] not in (".", "!", "?", ":"):
        text += "."
    text = f"not right. {text}" + (f" Hint: {exercise.hint}" if exercise.hint else "")
    return Verdict(False, text, min(getattr(says, "share", 0.0), 0.99))  # what is not right never has it all


def _explained(error: Exception) -> str:
    """Say in words what was raised, and at which line of the student's."""
    message = str(error).strip() or "without a message"
    frame = _students_frame(error)
    if frame is not None:
        place = f" (`{frame.line.strip()}`)" if frame.line else ""
        return f"Line {frame.lineno} of {frame.name}{place} raised {type(error).__name__}: {message}"
    if isinstance(error, AssertionError):
        return message  # what `prove` found
    return f"Using your answer raised {type(error).__name__}: {message}"


_LIBRARIES = (
    str(Path(__file__).parents[1]) + os.sep,  # this package
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    "<frozen",
)


def _students_frame(error: Exception) -> traceback.FrameSummary | None:
    """The innermost frame below `judge` and the exercise, outside this package and Python's libraries."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)[2:]):
        if not frame.filename.startswith(_LIBRARIES):
            return frame
    return None
