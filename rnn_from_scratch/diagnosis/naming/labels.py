"""Tiers 4 to 6: what a wrong block of numbers is, seen beside the right one alone.

A label says one thing that holds exactly: "the right one times −1", "its transpose", "zero". A block gets the labels
that hold at every point, so that a coincidence at one of them names nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from ...arrays import Array
from .reference import Forward, Gradients, blocks, gates_of, off
from .shares import Pattern, by_sequence, patterns, triangle

MATCH = 1e-6  # two gradients are the same below this
COLLINEAR = 1e-5  # what is left of a gradient beside its multiple of another
SIZES = "TNKHD"


class Label(NamedTuple):
    """One thing that a block is: `what`, and `which` of its kind."""

    what: str
    which: str = ""


class Bench(NamedTuple):
    """The reference at one point, everything that a label may need, by block."""

    at: Forward
    truth: dict[str, Array]
    shares: dict[str, Array]  # (T, T, ·)
    sequences: dict[str, Array]  # (N, ·)
    sizes: dict[str, int]


def bench(at: Forward, truth: Gradients) -> Bench:
    """Prepare a point."""
    gates = gates_of(at.cell)
    return Bench(at, blocks(gates, truth), blocks(gates, triangle(at)), blocks(gates, by_sequence(at)), sizes_of(at))


def labels(on: Bench, name: str, mine: Array) -> dict[Label, float]:
    """Return what holds of one block at one point, each with the number that belongs to it (NaN for none)."""
    right = on.truth[name]
    if mine.shape != right.shape:
        return {}
    found: dict[Label, float] = {}
    size = float(np.linalg.norm(mine))
    if size <= 1e-12 * float(np.linalg.norm(right)):
        return {Label("zero"): np.nan}
    found |= _multiples(on.sizes, mine, right)
    found |= {label: np.nan for label in _elsewhere(on, name, mine)}
    found |= _limits(mine, right)
    found |= _decay(on, name, mine - right)
    if name in on.shares:
        for pattern in patterns(on.sizes["T"]):
            if off(mine, np.tensordot(pattern.weights, on.shares[name], 2)) < MATCH:
                found[Label("steps", pattern.name)] = np.nan
    for n in (0, len(on.sequences[name]) - 1):
        if off(mine, on.sequences[name][n]) < MATCH:
            found[Label("sequence", "last" if n else "first")] = np.nan
    return found


def _multiples(sizes: Mapping[str, int], mine: Array, right: Array) -> dict[Label, float]:
    """Tier 4: a = c·n, with c read as a sign, a power of two and powers of the sizes."""
    square = float(np.vdot(right, right))
    if square == 0.0:
        return {}
    factor = float(np.vdot(mine, right)) / square
    if float(np.linalg.norm(mine - factor * right)) > COLLINEAR * float(np.linalg.norm(mine)):
        return {}
    found = {Label("multiple"): factor}
    for name in formulas_of(factor, sizes):
        found[Label("factor", name)] = factor
    return found


def formulas_of(factor: float, sizes: Mapping[str, int]) -> Iterator[str]:
    """Yield the products of −1, powers of two and sizes that a factor is, the simplest first."""
    for name, exponents in _formulas():
        value = exponents[0] * 2.0 ** exponents[1]
        for letter, power in zip(SIZES, exponents[2:], strict=True):
            value *= float(sizes[letter]) ** power
        if abs(value - factor) < COLLINEAR * abs(factor):
            yield name


def read_factor(factors: Iterable[tuple[float, Forward]]) -> str | None:
    """Return the simplest formula that gives all these factors, each at its own sizes."""
    common: list[str] | None = None
    for factor, at in factors:
        found = list(formulas_of(factor, sizes_of(at)))
        common = found if common is None else [name for name in common if name in found]
    return common[0] if common else None


def sizes_of(at: Forward) -> dict[str, int]:
    """Return T, N, K, H and D by letter."""
    (T, N, D), (_, _, K) = at.xs.shape, at.logits.shape
    return dict(zip(SIZES, (T, N, K, at.hs.shape[-1], D), strict=True))


@cache
def _formulas() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the factors that are looked for, the simplest first: −1, 1/T, 2/(T·N), …."""
    found = []
    for sign, two, T, N, K, H, D in itertools.product(
        (1, -1), range(-3, 4), range(-2, 3), range(-2, 3), range(-1, 2), range(-1, 2), range(-1, 2)
    ):
        powers = (T, N, K, H, D)
        if sum(map(abs, powers)) > 3 or (sign, two, *powers) == (1, 0, 0, 0, 0, 0, 0):
            continue
        above = [letter for letter, power in zip(SIZES, powers, strict=True) for _ in range(max(power, 0))]
        below = [letter for letter, power in zip(SIZES, powers, strict=True) for _ in range(max(-power, 0))]
        above = [str(2**two)] * (two > 0) + above
        below = [str(2**-two)] * (two < 0) + below
        name = "·".join(above) or "1"
        if below:
            name += "/" + ("·".join(below) if len(below) == 1 else f"({'·'.join(below)})")
        found.append((sum(map(abs, (two, *powers))), "−" * (sign < 0) + name, (sign, two, *powers)))
    return tuple((name, exponents) for _, name, exponents in sorted(found))


def _elsewhere(on: Bench, name: str, mine: Array) -> Iterator[Label]:
    """Tier 5: the numbers of another place: the transpose, another block, the same numbers in another order."""
    right = on.truth[name]
    if right.ndim == 2 and right.shape[0] == right.shape[1] > 1:
        for sign, label in ((1.0, Label("transposed")), (-1.0, Label("transposed", "−"))):
            if off(mine, sign * right.T) < MATCH:
                yield label
    for other, array in on.truth.items():
        if other != name and array.shape == mine.shape and off(mine, array) < MATCH:
            yield Label("copy", other)
    if mine.size > 1 and off(np.sort(mine, axis=None), np.sort(right, axis=None)) < MATCH:
        yield Label("reordered")


def _limits(mine: Array, right: Array) -> dict[Label, float]:
    """Tier 5: a = clip(n, ±m)."""
    limit = float(np.max(np.abs(mine)))
    if limit < float(np.max(np.abs(right))) * (1 - MATCH) and off(mine, np.clip(right, -limit, limit)) < MATCH:
        return {Label("clip"): limit}
    return {}


def _decay(on: Bench, name: str, rest: Array) -> dict[Label, float]:
    """Tier 5: a − n = λ θ, or λ sign θ."""
    parameters = blocks(gates_of(on.at.cell), on.at.params)
    if name not in parameters:
        return {}
    found = {}
    for which, shape in (("θ", parameters[name]), ("sign θ", np.sign(parameters[name]))):
        square = float(np.vdot(shape, shape))
        if square > 0.0:
            rate = float(np.vdot(rest, shape)) / square
            if float(np.linalg.norm(rest - rate * shape)) < COLLINEAR * float(np.linalg.norm(rest)):
                found[Label("decay", which)] = rate
    return found


def pattern_named(name: str, T: int) -> Pattern:
    """Return the pattern of this name."""
    return next(pattern for pattern in patterns(T) if pattern.name == name)
