"""Two places where a derivative says less than it seems: a kink, and a zero that may be only hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from .direction import SLACK, rounding_floor
from .numerical import STEPS, NotFiniteError, real_value


def at_kink(
    loss: Callable[[Array], Any], array: Array, analytic: Array, index: tuple[int, ...], value: float, eps: float
) -> str | None:
    """Say so where this entry stands at a kink: the slopes on its two sides differ, however small the step."""
    slopes = []
    for h in (STEPS["central"], STEPS["central"] / 10):
        h *= max(1.0, abs(float(array[index])))
        nudge = np.zeros_like(array)
        nudge[index] = h
        try:
            here, below, above = (real_value("check_gradients", loss(array + s * nudge)) for s in (0, -1, 1))
        except NotFiniteError:
            return None
        slopes.append(((here - below) / h, (above - here) / h))
    (left, right), nearer = slopes
    gap = abs(right - left)
    floor = 2 * SLACK * rounding_floor(value, STEPS["central"] / 10, eps)
    stays = all(abs(near - far) <= 0.05 * gap for near, far in zip(nearer, (left, right), strict=True))
    if not stays or gap <= floor or gap < 1e-3 * max(abs(left), abs(right)):
        return None
    between = min(left, right) - floor <= analytic[index] <= max(left, right) + floor
    return f"{'' if between else 'WRONG: '}at a kink: slope {left:.4g} below, {right:.4g} above"


def reach_of(loss: Callable[[Array], Any], array: Array, value: float, eps: float, rng: np.random.Generator) -> float:
    """Return how far the loss moves when an array moves by about 1, by the size of that move; 0 where by rounding only.

    A loss that an array does not reach at all has the gradient 0, whatever rounding hides.
    """
    moves = []
    for _ in range(2):
        direction = rng.standard_normal(array.shape)
        for length in (1.0, 1e-1, 1e-2):
            try:
                moved = real_value("check_gradients", loss(np.asarray(array + length * direction)))
            except NotFiniteError:
                continue
            apart = abs(moved - value)
            moves.append(apart / length if apart > SLACK * eps * max(abs(value), abs(moved)) else 0.0)
            break
    return max(moves, default=np.inf)
