"""What a hypothesis is, and the scopes in which a changed step back can be in force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params, State
from .reference import Change, Loop, Step
from .suspects import Where

#: The parts of a state, in order.
PARTS = ("h", "c")


class Hypothesis(NamedTuple):
    """A mistake, and the reference's backward pass with it."""

    kind: str
    where: Where
    says: str
    hint: str
    change: Change
    line: Any = None  # the Mutant of the reference's source, where it is one
    part: str = ""  # where a changed line is in force only in part
    odd: bool = False  # True for what fits now and then, and is seldom what somebody wrote


def original(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
    """Take the cell's own step back."""
    answer: tuple[State, Any] = cell.step_backward(params, dstate, cache)
    return answer


# Scopes: where and when a changed step is in force


def to_parameters(step: Step) -> Step:
    """Use the changed step for the parameters' gradients alone; what goes back in time is right."""
    return lambda cell, params, dstate, cache: (
        original(cell, params, dstate, cache)[0], step(cell, params, dstate, cache)[1])


def to_carry(step: Step) -> Step:
    """Use the changed step for what goes back in time alone."""
    return lambda cell, params, dstate, cache: (
        step(cell, params, dstate, cache)[0], original(cell, params, dstate, cache)[1])


def at_times(step: Step, chosen: Callable[[Any], bool]) -> Step:
    """Use the changed step where `chosen` says so of the cache."""
    return lambda cell, params, dstate, cache: (
        step if chosen(cache) else original)(cell, params, dstate, cache)


def from_part(step: Step, number: int) -> Step:
    """Use the changed step for what comes from one part of the state alone (a step back is linear in dstate)."""

    def mixed(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        one = tuple(part if k == number else np.zeros_like(part) for k, part in enumerate(dstate))
        rest = tuple(np.zeros_like(part) if k == number else part for k, part in enumerate(dstate))
        (first, delta), (second, other) = step(cell, params, one, cache), original(cell, params, rest, cache)
        return tuple(a + b for a, b in zip(first, second, strict=True)), delta + other

    return mixed


def from_later(step: Step) -> Loop:
    """Use the changed step for what comes from later steps alone; each step's own loss goes back rightly."""
    return _split(original, step)


def from_own_loss(step: Step) -> Loop:
    """Use the changed step for what comes from a step's own loss alone."""
    return _split(step, original)


def _split(own: Step, later: Step) -> Loop:
    def loop(edited: Any, params: Params, dhs: Array, caches: Sequence[Any], dstate: State) -> tuple[Any, Any]:
        cell, dstates, deltas = edited.cell, [dstate], []
        for dh, cache in zip(dhs[::-1], caches[::-1], strict=True):
            here = (dh, *(np.zeros_like(part) for part in dstate[1:]))
            (first, delta), (second, other) = own(cell, params, here, cache), later(cell, params, dstate, cache)
            dstate = tuple(a + b for a, b in zip(first, second, strict=True))
            deltas.append(delta + other)
            dstates.append(dstate)
        return dstates[::-1], deltas[::-1]

    return loop


TIMES: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("every step but the last", lambda cache: not cache.last),
    ("the last step", lambda cache: bool(cache.last)),
    ("the first step", lambda cache: cache.t == 0),
)


def parts_of(cell: Any) -> int:
    """Return how many arrays the cell's state has: 1, or 2 with a cell state c."""
    return len(cell.initial_state(1))


def shifts(name: str) -> list[tuple[str, Callable[[Array], Array]]]:
    """Ways to be off in time for a stack (T, …)."""

    def moved(by: int, wrap: bool) -> Callable[[Array], Array]:
        def shift(stack: Array) -> Array:
            rolled = np.roll(stack, by, axis=0)
            if not wrap:
                rolled[0 if by > 0 else -1] = 0.0
            return rolled

        return shift

    return [
        (f"{name} is that of the step before (at the first step zero)", moved(1, False)),
        (f"{name} is that of the step before (at the first step the last one's: index −1)", moved(1, True)),
        (f"{name} is that of the step after (at the last step zero)", moved(-1, False)),
        (f"{name} is that of the step after (at the last step the first one's)", moved(-1, True)),
        (f"{name} is in the reverse order of time", lambda stack: np.ascontiguousarray(stack[::-1])),
        (f"{name} of the first step is used at every step", lambda stack: np.repeat(stack[:1], len(stack), axis=0)),
        (f"{name} of the last step is used at every step", lambda stack: np.repeat(stack[-1:], len(stack), axis=0)),
    ]
