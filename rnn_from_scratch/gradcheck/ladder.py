"""One entry's derivative, at the step that suits the function there: for a function that bends within the usual one.

A derivative is a limit, so small steps have the first word. They are rough, for rounding. A larger step may sharpen
what they say; where it contradicts them it has jumped over something, and is not believed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array
from .direction import SLACK, rounding_floor
from .numerical import NotFiniteError, real_value

#: From small to large, times max(1, |w|). The usual steps are among them: they sharpen where nothing bends.
LADDER = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)


class Estimate(NamedTuple):
    """A derivative, and how far it may be off."""

    value: float
    doubt: float  # NaN and infinity: the loss is finite at none of the steps


def derivative_at(loss: Callable[[Array], Any], array: Array, index: tuple[int, ...], value: float) -> Estimate:
    """Return ∂loss/∂array[index] by Richardson (h, h/2, h/4) at several h; `value` is the loss itself.

    How far one h is off: what the last level changed (truncation, and noise of the loss), and rounding.
    """
    known = Estimate(np.nan, np.inf)
    for step in LADDER:
        h = step * max(1.0, abs(float(array[index])))
        try:
            coarse, middle, fine = (_central(loss, array, index, h / divisor) for divisor in (1, 2, 4))
        except NotFiniteError:  # so far away: and no larger step will do
            break
        two, before = (4 * fine - middle) / 3, (4 * middle - coarse) / 3
        three = (16 * two - before) / 15
        found = Estimate(three, 2 * abs(three - two) + SLACK * rounding_floor(value, h / 4))
        if np.isfinite(known.doubt) and not abs(found.value - known.value) <= found.doubt + known.doubt:
            break
        if found.doubt < known.doubt:
            known = found
    return known


def _central(loss: Callable[[Array], Any], array: Array, index: tuple[int, ...], h: float) -> float:
    """Divide by the distance of the points as they are stored: w ± 1e-10 is off by a millionth of the step."""
    ahead, behind = array.copy(), array.copy()
    ahead[index] += h
    behind[index] -= h
    distance = float(ahead[index] - behind[index])
    above, below = (real_value("check_gradients", loss(point)) for point in (ahead, behind))
    return (above - below) / distance
