"""One random direction: a whole gradient against real differences of the loss, for a handful of evaluations.

It says that something is wrong, not where. It guards the complex step: abs, norms, var and round quietly give a
derivative of 0 for a complex argument, and only a real difference sees what they drop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Tree, global_norm, leaves, tree_map
from .numerical import NotFiniteError, real_value

#: Two derivatives along a direction are the same below this share of the gradient's length.
SAME_SHARE = 1e-7
#: How many times the rounding floor a difference may be off.
SLACK = 10.0
#: Richardson's weights for the steps h/4, h/2 and h: they cancel h² and h⁴.
RICHARDSON = ((4.0, 64.0 / 45.0), (2.0, -20.0 / 45.0), (1.0, 1.0 / 45.0))
CENTRAL = ((1.0, 1.0),)
#: What is tried, in this order, until one agrees and is sharp. The last ones are for functions that bend within 1e-5.
RULES = (
    (CENTRAL, 1e-5), (RICHARDSON, 1e-2), (CENTRAL, 1e-7), (RICHARDSON, 1e-4), (RICHARDSON, 1e-6), (RICHARDSON, 1e-8),
)


class Comparison(NamedTuple):
    """A gradient beside real differences, both along one direction."""

    expected: float  # Σ gradient · direction
    measured: float
    allowed: float  # what rounding and truncation may make of the difference
    weights: tuple[tuple[float, float], ...] = CENTRAL
    step: float = 0.0

    @property
    def gap(self) -> float:
        """How far the two are apart."""
        return abs(self.expected - self.measured)


class Verdict(NamedTuple):
    """What the directions tell: `fault` where they contradict the gradient, `certain` to this share of its length."""

    fault: Comparison | None
    certain: float


def compare_along(loss: Callable[[Tree], Any], tree: Tree, gradient: Tree, rng: np.random.Generator) -> Verdict:
    """Compare a gradient with real differences of the loss along one random direction.

    Several steps are tried, since each can be right to be ignored: a large one crosses kinks, a small one drowns in
    rounding, and a weight of 1e-6 wants another step than one of 1. The gradient is contradicted where no step agrees,
    or where one disagrees by so little that those which agree could not have seen it. That is, unless half its step
    disagrees by half as much or less: then it is truncation. What a gradient lacks stays, however small the step.
    """
    size = global_norm(gradient)
    direction = tree_map(lambda array: rng.standard_normal(np.shape(array)), tree)
    agreeing, disagreeing = [], []
    for found in _comparisons(loss, tree, gradient, direction, size):
        if not found.gap <= found.allowed:
            disagreeing.append(found)
            continue
        agreeing.append(found)
        if found.allowed <= 10.0 * SAME_SHARE * size:  # sharp enough: the other steps could only say the same
            break
    bound = min((found.allowed for found in agreeing), default=np.inf)

    def stays(found: Comparison) -> bool:
        nearer = _difference(loss, tree, gradient, direction, size, found.weights, found.step / 2)
        return not nearer.gap <= max(found.gap / 2, found.allowed)

    hidden = [found for found in disagreeing if not found.gap > bound and (not agreeing or stays(found))]
    return Verdict(hidden[0] if hidden else None, bound / size if size > 0 else 0.0)


def _comparisons(
    loss: Callable[[Tree], Any], tree: Tree, gradient: Tree, direction: Tree, size: float
) -> Iterator[Comparison]:
    scale = max(float(np.max(np.abs(array), initial=0.0)) for _, array in leaves(tree))
    scales = [1.0] if 0.1 <= scale <= 10.0 or scale == 0.0 else [1.0, scale]
    for weights, step in RULES:
        for unit in scales:
            try:
                yield _difference(loss, tree, gradient, direction, size, weights, step * unit)
            except NotFiniteError:  # the loss is not finite so far away; a smaller step tells
                continue


def _difference(
    loss: Callable[[Tree], Any], tree: Tree, gradient: Tree, direction: Tree, size: float,
    weights: tuple[tuple[float, float], ...], step: float,
) -> Comparison:
    """Combine central differences of the loss, and of the gradient's own prediction of them.

    The prediction uses the points as they are stored, so rounding of w ± h d does not count against it.
    """
    expected = measured = floor = 0.0
    for divisor, weight in weights:
        h = step / divisor

        def moved(sign: float, h: float = h) -> Tree:
            return tree_map(lambda array, d: np.asarray(array + sign * h * d), tree, direction)

        ahead, behind = moved(1.0), moved(-1.0)
        change = tree_map(lambda up, down, h=h: (up - down) / (2 * h), ahead, behind)
        above, below = (real_value("check_gradients", loss(point)) for point in (ahead, behind))
        expected += weight * sum(float(np.sum(part)) for _, part in leaves(tree_map(np.multiply, gradient, change)))
        measured += weight * (above - below) / (2 * h)
        floor = max(floor, rounding_floor(max(abs(above), abs(below)), h))
    return Comparison(expected, measured, SAME_SHARE * max(size, abs(expected)) + SLACK * floor, weights, step)


def rounding_floor(loss: float, h: float, eps: float = float(np.finfo(np.float64).eps)) -> float:
    """Return eps·|loss| / h: differences of a loss cannot tell a derivative below this from zero."""
    return eps * abs(loss) / h
