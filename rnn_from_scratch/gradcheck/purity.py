"""Before any derivative: is the loss a function? The same twice, and nothing that was given to it changed.

A loss that draws its dropout anew makes noise of every difference, and a gradient that was added to while it was
checked is wrong by then. Neither is a wrong gradient, so neither is called one: each is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..arrays import Array, Tree, leaves, tree_copy
from ..validate import ArgumentError
from .direction import SLACK
from .numerical import real_value

#: How hard to look for an overlap of two arrays; what is harder than that counts as none.
MOST_WORK = 10_000


def first_calls(where: str, loss: Callable[[Tree], Any], params: Tree, called: str) -> tuple[Any, list[str], bool]:
    """Call a loss twice at one point: its value, findings, and whether it was the same both times."""
    handed = tree_copy(params)
    value = loss(handed)
    number = real_value(where, value)
    findings = written(handed, params, called)
    try:
        second = loss(tree_copy(params))
    except Exception as fault:
        told = f"called a second time, at the same point, {called} raised {type(fault).__name__}: {fault}".rstrip(": ")
        return value, [*findings, f"{told}. Differences need it at many points: does it use something up?"], False
    changed = _unsteady(where, number, second, getattr(value, "dtype", None), called)
    return value, findings + changed, not changed


def first_gradients(
    gradient: Callable[[Tree], Tree], params: Tree, fits: Callable[[Any], None]
) -> tuple[list[str], bool]:
    """Call a gradient twice at one point: findings, and whether it was the same both times; `fits` may refuse it."""
    called, handed = "the gradient", tree_copy(params)
    first = gradient(handed)
    fits(first)
    findings, kept = written(handed, params, called), tree_copy(first)
    second = gradient(tree_copy(params))
    fits(second)
    pairs = list(zip(leaves(kept), leaves(second), strict=True))
    if any(_overlap(one, two) for (_, one), (_, two) in zip(leaves(first), leaves(second), strict=True)):
        findings.append(
            f"{called} returns the same memory at each call, so that a later call overwrites what an earlier one "
            "returned. Return new arrays"
        )
    if any(_overlap(one, two) for _, one in leaves(first) for _, two in leaves(handed)):
        findings.append(
            f"{called} shares memory with the params it is handed: an update in place changes both. Return an array "
            "of its own: copy()"
        )
    for (name, one), (_, two) in pairs:
        told = _difference(one, two, name)
        rounding = SLACK * float(np.finfo(one.dtype).eps) * float(np.max(np.abs(one), initial=0.0))
        if told is not None and not float(np.max(np.abs(one - two))) <= rounding:
            noise = f"{called} is not the same twice, at one point: {told}. Draw what is random once, before the check"
            return [*findings, noise], False
    return findings, True


def _unsteady(
    where: str, first: float, second: Any, dtype: Any, called: str, how: str = "draws dropout, a batch or noise anew"
) -> list[str]:
    """Say so where a second value at the same point is another number, by more than rounding."""
    eps = float(np.finfo(np.float32 if dtype == np.float32 else np.float64).eps)
    try:
        apart = abs(real_value(where, second) - first)
    except ArgumentError:
        apart = np.inf
    if apart <= SLACK * eps * abs(first):
        return []
    one, two = _both(first, second)
    return [
        f"{called} is not the same twice: at one point it gave {one} and then {two}, so that differences of it are "
        f"noise. If it {how}, do that once before the check, or from a generator that each call makes from one seed"
    ]


def drifted(where: str, first: float, last: Any, dtype: Any, called: str) -> list[str]:
    """Say so where the value after the check is not the one before it, at the same point."""
    if not _unsteady(where, first, last, dtype, called):
        return []
    one, two = _both(first, last)
    return [
        f"{called} changes from call to call: at one point it gave {one} before the check and {two} after it. "
        "If it keeps something (a running mean, a counter, a state), start each call from the same; if it draws "
        "something (dropout), from one seed"
    ]


def written(handed: Tree, params: Tree, called: str) -> list[str]:
    """Say so where a function has changed the copy that it was handed."""
    told = _difference(params, handed)
    return [] if told is None else [
        f"{called} writes into the params it is handed: {told} after the call. Here these are copies; in training it "
        "spoils the weights. Copy before writing"
    ]


def reached(before: Mapping[str, Array], after: Mapping[str, Any], what: str, called: str) -> list[str]:
    """Say so where the caller's own arrays have changed while the loss was called."""
    for name, array in before.items():
        told = _difference(array, after[name], name)
        if told is not None:
            adds = "Does it add to them at each call? " if what == "grads" else ""
            entry, rest = told.split(" ", 1)
            return [
                f"{entry} of the {what} given to the check {rest}: {called} writes into them. {adds}Let it return "
                f"arrays of its own, or give the check copies (what was checked is what they held at first)"
            ]
    return []


def shared(grads: Mapping[str, Any], params: Mapping[str, Array], what: str) -> list[str]:
    """Say so where a gradient lies in the memory of a parameter."""
    return [
        f"{f'{what} {name}'.strip()} and {f'params {other}'.strip()} share memory: an update in place changes both. "
        "Return an array of its own: copy()"
        for name, gradient in grads.items() for other, array in params.items() if _overlap(gradient, array)
    ]


def _overlap(one: Any, two: Any) -> bool:
    """Tell whether two arrays have an entry in common; two columns of one matrix have none."""
    if not isinstance(one, np.ndarray) or not isinstance(two, np.ndarray):
        return False
    try:
        return np.shares_memory(one, two, max_work=MOST_WORK)  # type: ignore[arg-type]  # any number may stand there
    except np.exceptions.TooHardError:
        return False


def _difference(before: Tree, after: Tree, path: str = "") -> str | None:
    """Return the first difference in words, "W[1, 0] was 0.5 and is 7", or None; NaN is equal to NaN."""
    one, two = dict(leaves(before, path)), dict(leaves(after, path))
    for name in [*one, *two]:
        if name not in two:
            return f"{name!r} is gone"
        if name not in one:
            return f"{name!r} is new"
        then, now = np.asarray(one[name]), np.asarray(two[name])
        if then.shape != now.shape:
            return f"{name or 'it'} had shape {then.shape} and has {now.shape}"
        if now.dtype.kind not in "biufc":
            return f"{name or 'it'} had dtype {then.dtype} and has {now.dtype}"
        unequal = (then != now) & ~((then != then) & (now != now))
        if unequal.any():
            index = tuple(int(i) for i in np.argwhere(unequal)[0])
            was, is_now = _both(then[index], now[index])
            place = f"[{', '.join(map(str, index))}]" if index else ""
            return f"{f'{name}{place}' or 'it'} was {was} and is {is_now}"
    return None


def _both(first: Any, second: Any) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to tell them apart."""
    try:
        for digits in (6, 17):
            one, two = f"{first:.{digits}g}", f"{second:.{digits}g}"
            if one != two:
                break
    except (TypeError, ValueError):  # no number
        one, two = f"{first!r:.60}", f"{second!r:.60}"
    return one, two
