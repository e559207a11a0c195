"""The V curve for the arguments of a check, as one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arrays import Tree
from .compare import compared
from .steps import StepCurve


def step_curve(
    loss: Callable[[Tree], Any],
    params: Tree,
    grads: Tree,
    name: str | None = None,
    *,
    methods: Sequence[str] | None = None,
    steps: Any = None,
    dtype: Any = np.float64,
) -> StepCurve:
    r"""Return the error of a gradient against the step size of the derivative it is compared with: the V curve.

    The arguments are those of `check_gradients`. Of a right gradient every difference makes a V: on the left rounding,
    about :math:`\varepsilon |L| / h` (slope −1), on the right truncation, about h (forward: slope 1), h² (central: 2)
    or h⁶ (Richardson). The complex step has no left branch, down to h = 1e-100 and below. A wrong gradient is off by
    its own error at every step: its curve is flat there, and the V's arms stand above it on both sides. So a curve
    tells a wrong gradient from rounding and from a step that does not suit the function.

    Parameters
    ----------
    loss, params, grads
        As in `check_gradients`: nested dicts, lists or a single array.
    name : str, optional
        Which array: its path, "recurrent.W_hh". By default the one with the largest error.
    methods : of "forward", "central", "richardson", "complex"
        By default all that the loss allows.
    steps : (n,), optional
        Above 0; by default two for each power of ten from 1e-14 (float32: 1e-8) to 1. As in checks they count times
        max(1, |w|), except for the complex step.
    dtype : float64 or float32
        What the arrays are handed as. Checks promote float32; with float32 here one sees the V of a loss that computes
        in the kind it is given. A loss that computes in float32 anyway has its own V in either case.

    Returns
    -------
    StepCurve
        The errors (`relative_error`, over the worst and the largest entries, at most 8), slopes and levels; `plot()`
        draws them, with the usual steps marked. Of a report that is at hand, `report.step_curve(name)` is the same.

    Raises
    ------
    ArgumentError
        As `check_gradients`; an unknown method or dtype, steps that are not above 0, a loss that is random, a gradient
        without finite entries or of the wrong shape.
    KeyError
        No array of that name.

    Source: Squire & Trapp (1998) for the complex step; notebook 03; tests/gradcheck/test_steps.py.
    """
    report = compared("step_curve", loss, params, grads)
    return report.step_curve(name, methods=methods, steps=steps, dtype=dtype)
