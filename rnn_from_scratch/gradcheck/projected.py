r"""Large models: gradients against numerical ones along random directions, array by array.

Entry by entry a gradient of P numbers costs 2P losses. Along k directions v it costs 2k an array:

.. math:: \frac{d}{ds} L(W + s v)\Big|_{s=0} = \sum_{ij} \frac{\partial L}{\partial W_{ij}} v_{ij}

With v standard normal, the mean square of the difference of the two sides is ‖a − n‖²: what is compared is how far the
whole array is off. It says that something is wrong in an array, and how much, not where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Tree, leaves, tree_copy, tree_map
from .compare import _named, as_real, check_point, compared
from .purity import reached, shared, written
from .report import GradientReport


def check_along_directions(
    loss: Callable[[Tree], Any],
    params: Tree,
    grads: Tree,
    method: str = "auto",
    tolerance: float | None = None,
    *,
    rng: np.random.Generator,
    directions: int = 3,
) -> GradientReport:
    """Compare `grads` with numerical derivatives of `loss` along random directions of each array.

    Parameters
    ----------
    loss, params, grads, method, tolerance
        As in `check_gradients`.
    rng : Generator
        Draws the directions.
    directions : int
        How many an array, at least 1. Each costs two losses (one by the complex step, and a few for its guard).

    Returns
    -------
    GradientReport
        As that of `check_gradients`: one row an array. The entry shown is a direction's number, and beside it stand
        the two derivatives along it.

    Raises
    ------
    ArgumentError
        As `check_gradients`.

    Source: tests/gradcheck/test_projected.py.
    """
    where = "check_along_directions"
    validate.generator(where, rng)
    validate.size(where, "directions", directions)
    arrays, given = _named(where, "params", params), _named(where, "grads", grads)
    check_point(where, arrays)
    params = tree_map(lambda array: np.array(array, dtype=np.float64), params)  # the caller's may change meanwhile
    kept = {name: tree_copy(given[name]) for name in given if isinstance(given[name], np.ndarray)}
    handed = tree_copy(params)
    loss(handed)
    findings = shared(given, arrays, "grads") + written(handed, params, "the loss")
    drawn = {name: rng.standard_normal((directions, *array.shape)) for name, array in arrays.items()}

    def moved(coefficients: Any) -> Any:
        names = iter(drawn)

        def along(array: Array) -> Array:
            name = next(names)
            return np.asarray(array + np.tensordot(coefficients[name], drawn[name], 1))

        return loss(tree_map(along, params))

    projected: dict[str, Any] = dict(given)  # what does not fit is told as it is
    for name, array in arrays.items():
        gradient = as_real(kept.get(name, given.get(name)), array.shape)
        if gradient is not None:
            along_each = np.tensordot(drawn[name], gradient, array.ndim)
            single = getattr(given[name], "dtype", None) == np.float32  # and so is what is made of it
            projected[name] = along_each.astype(np.float32) if single else along_each
    zeros = {name: np.zeros(directions) for name in arrays}
    report = compared(where, moved, zeros, projected, method, tolerance, rng)
    findings += reached(dict(leaves(params)), arrays, "params", "the loss") + reached(kept, given, "grads", "the loss")
    rows = [replace(row, shape=arrays[row.name].shape) for row in report.rows]
    note = f"along {directions} random direction{'s' * (directions > 1)} of each array: it tells which array, not where"
    return replace(report, rows=rows, findings=[*findings, *report.findings], notes=[*report.notes, note])
