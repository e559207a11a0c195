r"""The V curve of a gradient check: the error of a gradient against the step of the derivative it is compared with.

A difference of a *right* gradient is off by rounding, about ε|L|/h, which falls as h grows (slope −1 where both axes
are logarithmic), and by truncation, about h (forward) or h² (central), which rises (slope 1 or 2). Their sum is a V.
The complex step subtracts nothing and has no left branch. A *wrong* gradient is off by its own error whatever the step:
its curve is flat there. That is the picture that tells "wrong" from "rounding".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Tree, leaves, tree_copy, tree_map
from ..plots import v_curve
from .metric import relative_error
from .numerical import METHODS, STEPS, NotFiniteError, derivative
from .purity import drifted

#: Error terms of the Taylor series: forward differences leave h, central ones h², Richardson's three levels h⁶.
ORDERS = {"forward": 1, "central": 2, "richardson": 6, "complex": 2}
#: As many entries of an array are measured: the worst and the largest.
MOST_ENTRIES = 8
#: A curve is flat where it stays within a tenth of its value at the usual step, over this many decades of steps.
FLAT_DECADES = 2.0
#: The usual steps for a loss that computes in float32; checks take the central one.
STEPS32 = {"forward": 3.5e-4, "central": 1e-2, "richardson": 1e-1}
EPS32, EPS64 = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class StepCurve:
    """Errors of one array's gradient by method and step; `print` it for the figures, `plot` it for the picture."""

    name: str
    steps: Array  # (n,), times max(1, |w|) for all but the complex step
    errors: dict[str, Array]  # by method (n,): relative_error over the entries measured; NaN: the loss is not finite
    defaults: dict[str, float]  # the usual steps, where rounding and truncation balance
    rounding: float  # ε|L| / max|gradient|: rounding alone makes an error of about this divided by h
    entries: int  # measured of this many
    size: int
    notes: list[str] = field(default_factory=list)

    def slopes(self, method: str) -> tuple[float, float]:
        """Return the slopes of a method's left and right branch, log error against log h; NaN where there is none.

        A branch reaches from 10 times the smallest error to 0.1; on the right, where later terms of the series count
        further up, to 0.001 or 3000 times the smallest. It needs three points.
        """
        return self._slope(method, -1), self._slope(method, 1)

    def flat(self, method: str) -> float | None:
        """Return the error at which a method's curve is flat (the gradient is off by it), or None where it is a V."""
        errors = self.errors[method]
        near = int(np.argmin(np.abs(np.log(self.steps / self.defaults.get(method, self.steps[0])))))
        level = errors[near]
        if not level > 1e-12:  # the complex step's own rounding, NaN, or exactly right
            return None
        same = np.abs(errors - level) <= 0.1 * level
        first, last = near, near
        while first > 0 and same[first - 1]:
            first -= 1
        while last + 1 < len(same) and same[last + 1]:
            last += 1
        wide = np.log10(self.steps[last] / self.steps[first]) >= FLAT_DECADES
        return float(np.median(errors[first : last + 1])) if wide else None

    def plot(self, title: str | None = None) -> Any:
        """Return a Figure: the curves, each method's usual step, and the slopes of rounding and truncation."""
        shown = f"{self.name or 'gradient'}: error against step size\n{self._told()}".rstrip()
        errors = {method: y for method, y in self.errors.items() if np.isfinite(y).any()}
        return v_curve(
            self.steps, errors, title=shown if title is None else title, xlabel="step size h, times max(1, |w|)",
            defaults={method: h for method, h in self.defaults.items() if method in errors},
            branches=self._branches(),
        )

    def __str__(self) -> str:
        table = [("method", "best step", "error there", "usual step", "error there", "slopes")]
        for method, errors in self.errors.items():
            best = int(np.nanargmin(errors)) if np.isfinite(errors).any() else 0
            usual = self.defaults.get(method)
            at = "" if usual is None else self._at(method, usual)
            left, right = self.slopes(method)
            slopes = " and ".join(f"{slope:.1f}" for slope in (left, right) if np.isfinite(slope))
            table.append((
                method, f"{self.steps[best]:.1e}", f"{errors[best]:.1e}", "" if usual is None else f"{usual:.1e}", at,
                slopes or "none",
            ))
        widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table]
        which = f"{self.entries} of {self.size} entries" if self.entries < self.size else "all entries"
        told = self._told() or "no curve is flat: what is left is rounding (slope −1) and truncation"
        head = f"{self.name or 'gradient'}: error by step, {which}"
        return "\n".join([head, *(line.rstrip() for line in lines), *(f"note: {note}" for note in self.notes), told])

    def _told(self) -> str:
        """Say what is flat."""
        levels = {method: self.flat(method) for method in self.errors}
        flat = [method for method, level in levels.items() if level is not None]
        if not flat:
            return ""
        if flat == ["complex"] and len(levels) > 1:
            return f"complex step flat at {levels['complex']:.1e}, differences not: it loses a part of the derivative"
        by = "" if len(flat) == len(levels) else f" by {' and '.join(flat)}"
        return f"flat at {levels[flat[0]]:.1e}{by}: the gradient is wrong, whatever the step"

    def _at(self, method: str, usual: float) -> str:
        inside = self.steps.min() <= usual <= self.steps.max()
        near = int(np.argmin(np.abs(np.log(self.steps / usual))))
        return f"{self.errors[method][near]:.1e}" if inside else "(not shown)"

    def _branch(self, method: str, side: int) -> Array:
        """Return the indices of one branch's points."""
        errors = self.errors[method]
        known = np.isfinite(errors) & (errors > 0)
        if not known.any():
            return np.zeros(0, int)
        order = np.argsort(self.steps)
        best = int(np.argmin(np.where(known, errors, np.inf)[order]))
        beside = order[:best] if side < 0 else order[best + 1 :]
        least = errors[order[best]]
        top = 0.1 if side < 0 else min(0.1, max(1e-3, 3000 * least))
        return np.array([i for i in beside if known[i] and 10 * least < errors[i] < top], dtype=int)

    def _slope(self, method: str, side: int) -> float:
        points = self._branch(method, side)
        if len(points) < 3:
            return np.nan
        return float(np.polyfit(np.log(self.steps[points]), np.log(self.errors[method][points]), 1)[0])

    def _branches(self) -> dict[str, tuple[float, float, float]]:
        """Return the lines that theory draws under the curves: text: (slope, h, error)."""
        lines: dict[str, tuple[float, float, float]] = {}
        differences = {method: y for method, y in self.errors.items() if method != "complex" and np.isfinite(y).any()}
        if differences and 0 < self.rounding < np.inf:
            least = max(float(np.nanmin(y)) for y in differences.values())
            middle = float(np.clip(np.sqrt(0.1 * least), 1e-4, 0.1))
            lines["slope −1: ε|L|/h"] = (-1.0, self.rounding / middle, middle)
        level = next((level for level in map(self.flat, self.errors) if level is not None), None)
        if level is not None:
            centre = float(np.exp(np.log(self.steps[[0, -1]]).mean()))
            lines["flat: neither rounding nor truncation"] = (0.0, centre, level)
        for method in differences:
            points, order = self._branch(method, 1), ORDERS[method]
            if len(points) >= 2:
                h, e = np.log(self.steps[points]), np.log(self.errors[method][points])
                height = float(np.mean(e - order * (h - h.mean())))
                lines[f"slope {order}"] = (float(order), float(np.exp(h.mean())), float(np.exp(height)))
        return lines


@dataclass(frozen=True, eq=False)
class Checked:
    """What a row needs to draw its own V: the loss, the point, the value there.

    It keeps the loss and whatever that closes over as long as the report lives. It is not pickled (a report from a file
    has rows and no loss), and copies share the loss.
    """

    loss: Callable[[Tree], Any]
    params: Tree
    path: str  # of the row's array in params
    value: float
    dtype: Any = None  # of the value
    single: bool = False  # the loss computes in float32

    def __reduce__(self) -> tuple[Any, ...]:
        """Become None in a file: a lambda and its model have no place there."""
        return type(None), ()

    def __deepcopy__(self, memo: Any) -> Checked:
        """Copy the point and share the loss: what that closes over is the caller's."""
        return replace(self, params=tree_copy(self.params))


def of_one_array(loss: Callable[[Tree], Any], params: Tree, path: str, dtype: Any) -> Callable[[Array], Any]:
    """Return the loss as a function of one array. It may write into what it is handed: everything is copied.

    For the complex step all arrays go in as complex: a loss that does not depend on this one stays complex too.
    """

    def loss_of(entry: Array) -> Any:
        paths = iter([place for place, _ in leaves(params)])
        return loss(tree_map(lambda array: entry if next(paths) == path else array.astype(dtype), params))

    return loss_of


def measure_steps(
    where: str, checked: Checked, name: str, gradient: Array, worst: tuple[int, ...], *,
    methods: Sequence[str] | None = None, steps: Any = None, dtype: Any = np.float64,
) -> StepCurve:
    """Measure the curve of one array's gradient; arguments as in `step_curve`, which says what it raises."""
    kind = validate.float_dtype(where, dtype)
    asked = tuple(METHODS if methods is None else methods)
    for method in asked:
        validate.option(where, "methods", method, METHODS)
    single = kind == np.float32 or checked.single
    grid = 10.0 ** np.arange(-8.0 if single else -14.0, 0.25, 0.5) if steps is None else _steps(where, steps)
    value = checked.loss(tree_copy(checked.params))
    if drifted(where, checked.value, value, checked.dtype, "the loss"):
        validate.fail(
            where, f"the loss gives {value!r:.30} where the check had {checked.value!r}", "the loss that was checked",
            "it has changed since: something that it reads is another one by now", "Check again.",
        )
    array = dict(leaves(checked.params))[checked.path].astype(kind)
    entries = _entries(gradient, worst)
    shown = np.array([gradient[index] for index in entries])
    if not entries or not np.isfinite(shown).all():
        validate.fail(where, f"the gradient of {name or 'the array'} has no finite entry to follow", "finite numbers",
                      "an error is a distance from a number")
    errors, notes = {}, []
    for method in asked:
        if method == "complex" and methods is None and (kind == np.float32 or not _takes_complex(checked, array)):
            notes.append("without the complex step: the loss does not take complex numbers" if kind == np.float64
                         else "without the complex step, which has no float32")
            continue
        errors[method] = np.array([
            _error(shown, values) for values in _derivatives(where, checked, array, entries, method, grid)
        ])
    largest = float(np.max(np.abs(shown)))
    eps = EPS32 if single else EPS64
    return StepCurve(
        name, grid, errors, dict(STEPS32 if single else STEPS),
        eps * abs(checked.value) / largest if largest > 0 else np.inf, len(entries), gradient.size, notes,
    )


def _steps(where: str, steps: Any) -> Array:
    grid = validate.as_array(where, "steps", steps)
    if grid.ndim != 1 or grid.size == 0 or grid.dtype.kind not in "iuf" or not (np.isfinite(grid) & (grid > 0)).all():
        validate.fail(where, f"steps is {steps!r:.60}", "a list of numbers above 0", "each is a distance")
    return np.sort(grid.astype(np.float64))


def _entries(gradient: Array, worst: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the worst entry and the largest, at most as many as are measured."""
    by_size = np.argsort(-np.abs(gradient), axis=None, kind="stable")
    largest = [tuple(int(i) for i in np.unravel_index(place, gradient.shape)) for place in by_size[:MOST_ENTRIES]]
    return list(dict.fromkeys([*([worst] if len(worst) == gradient.ndim else []), *largest]))[:MOST_ENTRIES]


def _takes_complex(checked: Checked, array: Array) -> bool:
    loss = of_one_array(checked.loss, checked.params, checked.path, np.complex128)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            return bool(np.iscomplexobj(loss(array.astype(np.complex128))))
    except Exception:  # whatever it is: then it does not
        return False


def _derivatives(
    where: str, checked: Checked, array: Array, entries: list[tuple[int, ...]], method: str, grid: Array
) -> Iterator[Array]:
    """Yield the entries' derivatives for each step; losses that two steps share are computed once."""
    dtype = np.complex128 if method == "complex" else array.dtype
    loss = of_one_array(checked.loss, checked.params, checked.path, dtype)
    known: dict[tuple[tuple[int, ...], complex], Any] = {}
    for step in grid:
        values = np.full(len(entries), np.nan)
        for place, index in enumerate(entries):

            def at(point: Array, index: tuple[int, ...] = index) -> Any:
                key = (index, complex(point[index]))
                if key not in known:
                    known[key] = loss(point)
                return known[key]

            h = float(step) * (1.0 if method == "complex" else max(1.0, abs(float(array[index]))))
            with suppress(NotFiniteError):
                values[place] = derivative(where, at, array, index, h, method)
        yield values


def _error(analytic: Array, numeric: Array) -> float:
    if not np.isfinite(numeric).all():
        return np.nan
    if not numeric.any():  # no step moved the loss: all of the gradient is missed
        return 1.0 if analytic.any() else 0.0
    return relative_error(analytic, numeric)[0]
