"""Compare gradients with numerical ones, array by array, and say where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Tree, leaves, tree_copy, tree_map
from .numerical import METHODS, real_value
from .purity import drifted, first_calls, reached, shared
from .report import NOT_JUDGED, GradientReport, GradientRow
from .steps import EPS32, STEPS32
from .verdict import TOLERANCES, _Judge

FLOAT32_TOLERANCE = 1e-3
#: A loss that draws something may give the same twice by chance; before a gradient is called wrong it is asked again.
CALLS_BEFORE_WRONG = 16


def check_gradients(
    loss: Callable[[Tree], Any],
    params: Tree,
    grads: Tree,
    method: str = "auto",
    tolerance: float | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> GradientReport:
    """Compare `grads` with numerical gradients of `loss` at `params`.

    Parameters
    ----------
    loss : callable
        Takes a tree like params, gives one number. It is handed copies. Two calls more than the derivatives need ask
        whether it gives the same number twice, before and after; some more do, before a gradient is called wrong.
    params : array, or nested dicts, lists, tuples of arrays
        Where to check. float32 is promoted to float64; if the loss still computes in float32, nothing below 1e-3
        can be certified, and the report says so.
    grads : the same tree
        The gradients to check.
    method : "auto", "complex", "central", "richardson" or "forward"
        "auto" takes the complex step for every array where real differences along one random direction confirm it,
        otherwise central differences. Where rounding hides what a method would have to see, the sharper ones are
        asked too; where they can't see it either, the verdict is "cannot tell", and the report is not ok. Where the
        function bends within a step, so that differences are off, disputed entries are measured at smaller steps.
    tolerance : float, optional
        Pass below this relative error; by default that of the method.
    rng : Generator, optional
        For those directions; default seed 0.

    Returns
    -------
    GradientReport
        One row an array; its `findings` tell what else is wrong: keys that don't fit, a loss that is random (then no
        row is judged), that writes into what it is handed or into the caller's arrays, or a gradient in the memory of
        a parameter. It never raises for a wrong gradient: `report.raise_if_wrong()` does.

    Raises
    ------
    ArgumentError
        An unknown method, a tolerance not above 0, params that are no floats or none at all, two arrays of one name,
        a loss that is no finite number, or, for method "complex", one that comes back real.

    Source: notebook 03; tests/gradcheck/test_compare.py, test_verdict.py, test_steep.py, test_impure.py.
    """
    return compared("check_gradients", loss, params, grads, method, tolerance, rng)


def compared(
    where: str, loss: Callable[[Tree], Any], params: Tree, grads: Tree, method: str = "auto",
    tolerance: float | None = None, rng: np.random.Generator | None = None, *, called: str = "the loss",
    what: str = "grads",
) -> GradientReport:
    """Do what `check_gradients` says, for a check of another name: `called` and `what` stand in its findings."""
    validate.option(where, "method", method, ("auto", *METHODS))
    if tolerance is not None:
        validate.number(where, "tolerance", tolerance, above=0.0)
    arrays = _named(where, "params", params)
    check_point(where, arrays)
    given = _named(where, what, grads)
    findings = _few([f"{what} has no {name or 'array'}" for name in arrays if name not in given])
    findings += _few([f"{what} has {name!r}, which is no parameter" for name in given if name not in arrays])
    findings += shared(given, arrays, what)

    params = tree_map(lambda array: np.array(array, dtype=np.float64), params)
    analytic = {name: _kept(given[name], arrays[name].shape) for name in arrays if name in given}
    largest = max((float(np.max(np.abs(a), initial=0.0)) for a in analytic.values() if a is not None), default=0.0)
    base, impure, steady = first_calls(where, loss, params, called)
    findings += impure
    value, dtype = real_value(where, base), getattr(base, "dtype", None)
    if dtype == np.float16:
        because = "differences of three digits certify nothing"
        validate.fail(where, f"{called} is float16", "float64 (or float32)", because, error=validate.DtypeError)
    judge = _Judge(
        loss, params, value, method, tolerance, rng or np.random.default_rng(0),
        largest if np.isfinite(largest) else 0.0, dtype=dtype,
    )
    if steady and _computes_in_float32(loss, params, base):
        judge.method, judge.tolerance = "central", tolerance or FLOAT32_TOLERANCE
        judge.step, judge.eps, judge.alone = STEPS32["central"], EPS32, True
        judge.notes.append("the loss computes in float32: nothing below 1e-3 can be certified; use float64 to be sure")
    single = [name for name, entries in analytic.items() if getattr(given[name], "dtype", None) == np.float32]
    coarse = replace(judge, coarse=True, tolerance=tolerance or FLOAT32_TOLERANCE)  # it shares what they all tell
    rows = [
        _no_gradient(name, arrays[name], given[name]) if entries is None
        else _not_judged(name, arrays[name]) if not steady
        else (coarse if name in single else judge).row(name, entries)
        for name, entries in analytic.items()
    ]
    weak = [row.name for row in rows if row.name in single and row.ok and row.error >= TOLERANCES[row.method]]
    if weak:
        which = f"the gradients of {', '.join(weak)}" if any(weak) else "the gradient"
        judge.notes.append(f"{which} came in float32: nothing below 1e-3 can be certified; use float64 to be sure")
    if steady:
        calls = 1 if all(row.ok for row in rows) else CALLS_BEFORE_WRONG
        lasts = (loss(tree_copy(params)) for _ in range(calls))
        drift = next((told for last in lasts if (told := drifted(where, value, last, dtype, called))), [])
        findings += drift
        rows = [_not_judged(row.name, arrays[row.name]) if drift else row for row in rows]
    findings += reached(dict(leaves(params)), arrays, "params", called)
    findings += reached({name: a for name, a in analytic.items() if a is not None}, given, what, called)
    measured = [row.measured for row in rows if row.measured is not None and row.measured.size]
    if measured and not any(array.any() for array in measured) and largest > 0.0:
        judge.notes.append(f"{called} has the same value wherever it is asked: does it read the params it is handed?")
    methods = " and ".join(dict.fromkeys(judge.methods)) or method
    return GradientReport(rows, methods, findings, judge.told_notes())


def check_point(where: str, arrays: dict[str, Any]) -> None:
    """Refuse params at which no gradient can be checked."""
    if not arrays:
        validate.fail(where, "params has no array", "at least one", "with nothing to check nothing is right")
    for name, array in arrays.items():
        validate.finite(where, name or "params", validate.float_array(where, name or "params", array, complex_ok=False))
    if not any(array.size for array in arrays.values()):
        validate.fail(where, "params has no entry", "at least one", "with nothing to check nothing is right")


def _named(where: str, what: str, tree: Tree) -> dict[str, Any]:
    """Return the arrays by path, or say which two share one: {"a.b": …, "a": {"b": …}}."""
    pairs = list(leaves(tree))
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        validate.fail(
            where, f"{what} has two arrays called {twice[0]!r}", "a name for each", "a row is known by its name"
        )
    return dict(pairs)


def as_real(gradient: Any, shape: tuple[int, ...]) -> Array | None:
    """Return a gradient of real numbers as float64; None for another kind or shape (float16 has three digits)."""
    kind = getattr(gradient, "dtype", np.asarray(gradient).dtype if isinstance(gradient, int | float) else None)
    if kind is None or kind.kind not in "fiu" or kind == np.float16 or np.shape(gradient) != shape:
        return None
    return np.asarray(gradient, np.float64)


def _few(findings: list[str]) -> list[str]:
    """Return the first five and how many more there are: a list in place of an array would fill pages."""
    return findings if len(findings) <= 6 else [*findings[:5], f"and {len(findings) - 5} more like these"]


def _kept(gradient: Any, shape: tuple[int, ...]) -> Array | None:
    """Return a copy, for the loss may write into the caller's."""
    real = as_real(gradient, shape)
    return None if real is None else real.copy()


def _not_judged(name: str, array: Array) -> GradientRow:
    return GradientRow(name, array.shape, np.inf, (), np.nan, np.nan, 0.0, False, NOT_JUDGED)


def _no_gradient(name: str, array: Array, gradient: Any) -> GradientRow:
    shape = np.shape(gradient) if hasattr(gradient, "shape") else ()
    dtype = getattr(gradient, "dtype", np.dtype(float))
    kind = f" of {dtype}" if dtype.kind not in "fiu" or dtype == np.float16 else ""
    got = f"{type(gradient).__name__}{kind} of shape {shape}"
    return GradientRow(name, array.shape, np.inf, (), np.nan, np.nan, 0.0, False, f"WRONG: {got}")


def _computes_in_float32(loss: Callable[[Tree], Any], params: Tree, value: Any) -> bool:
    """Tell a loss of float32, also where float() hides it: then float32 holds its value at every point."""
    if getattr(value, "dtype", np.dtype(float)) == np.float32:
        return True
    if _rounded(float(value)) != float(value):
        return False
    rng, values = np.random.default_rng(0), [float(value)]
    for _ in range(3):
        moved = tree_map(lambda array: np.asarray(array + 1e-3 * rng.standard_normal(array.shape)), params)
        values.append(float(loss(moved)))
        if _rounded(values[-1]) != values[-1]:
            return False
    return len(set(values)) == len(values)


def _rounded(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(value))
