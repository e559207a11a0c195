r"""Metrics of regression (article §5 Q5): MSE, RMSE, MAE and R².

Targets come first, then predictions, as in scikit-learn (where they are called mean_squared_error,
root_mean_squared_error, mean_absolute_error and r2_score); the mask comes third. All counted numbers are taken
together, unless `per_output` asks for one value for each entry of the last axis. Everything is computed in float64.

Source: notebook 14; tests/metrics/test_regression.py, against values from scikit-learn
(tests/reference/make_metrics.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array
from . import dividing


def mse(targets: Any, predictions: Any, mask: Array | None = None, *, per_output: bool = False) -> Any:
    r"""Return the mean squared error (article E-MSE as a metric; the loss with its gradient is in `losses`).

    .. math:: \mathrm{MSE} = \frac1n \sum_i (y_i - t_i)^2

    The constant that scores best is the mean of the targets. One error of 10 weighs as much as a hundred of 1.

    Parameters
    ----------
    targets, predictions : (T, N, K), (T, N), (N,) or any one shape
        Numbers, as arrays or lists; targets first.
    mask : their shape, or without the last axis, bool, optional
        True where a target counts. Elsewhere both may hold anything, NaN included.
    per_output : bool
        One value for each entry of the last axis (K), in its own unit; the mask then goes without that axis.

    Returns
    -------
    float, or (K,) float64

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Shapes that differ (nothing is broadcast), no numbers, numbers that are not finite where they count, nothing
        that counts, errors whose squares are beyond float64.

    Source: article §5 Q5; notebook 14; tests/metrics/test_regression.py.
    """
    wanted, found = _pair("mse", targets, predictions, mask, per_output)
    return _result(_mean("mse", wanted, found, np.square), per_output)


def rmse(targets: Any, predictions: Any, mask: Array | None = None, *, per_output: bool = False) -> Any:
    r"""Return the root of the mean squared error, in the unit of the targets.

    .. math:: \mathrm{RMSE} = \sqrt{\frac1n \sum_i (y_i - t_i)^2}

    The mean over batches of RMSE is not the RMSE of all: join the squares.

    Parameters
    ----------
    targets, predictions, mask, per_output
        As `mse`.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `mse`.

    Source: notebook 14; tests/metrics/test_regression.py.
    """
    wanted, found = _pair("rmse", targets, predictions, mask, per_output)
    return _result(np.sqrt(_mean("rmse", wanted, found, np.square)), per_output)


def mae(targets: Any, predictions: Any, mask: Array | None = None, *, per_output: bool = False) -> Any:
    r"""Return the mean absolute error, in the unit of the targets.

    .. math:: \mathrm{MAE} = \frac1n \sum_i |y_i - t_i|

    The constant that scores best is the median of the targets, so one outlier moves it little.

    Parameters
    ----------
    targets, predictions, mask, per_output
        As `mse`.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `mse`.

    Source: article §5 Q5; notebook 14; tests/metrics/test_regression.py.
    """
    wanted, found = _pair("mae", targets, predictions, mask, per_output)
    return _result(_mean("mae", wanted, found, np.abs), per_output)


def r2(
    targets: Any, predictions: Any, mask: Array | None = None, *, per_output: bool = False,
    zero_division: float | None = None,
) -> Any:
    r"""Return what share of the targets' variance the predictions explain.

    .. math:: R^2 = 1 - \frac{\sum_i (y_i - t_i)^2}{\sum_i (t_i - \bar t)^2}

    1 is perfect, 0 is what the targets' own mean would score, below 0 is worse than that. Targets that are all equal
    have no variance to explain, so R² has no value.

    Parameters
    ----------
    targets, predictions, mask, per_output
        As `mse`. scikit-learn's default for several outputs is the mean of `per_output=True`.
    zero_division : None, 0, 1 or nan
        The value where the targets are constant. None raises. (scikit-learn takes 1 if every prediction is right, 0
        otherwise.)

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `mse`; constant targets, of which a single one is a case.

    Source: Kvålseth (1985), eq. 1; notebook 14; tests/metrics/test_regression.py.
    """
    where = "r2"
    zero = dividing.zero_division(where, zero_division)
    wanted, found = _pair(where, targets, predictions, mask, per_output)
    errors = _mean(where, wanted, found, np.square)
    low, high = wanted.min(axis=0), wanted.max(axis=0)
    spread = _mean(where, wanted, wanted.mean(axis=0), np.square)
    spread = np.where(low == high, 0.0, spread)  # the rounded mean of constant targets may not be the constant
    constant = spread == 0.0
    if constant.any() and zero is None:
        place = int(np.flatnonzero(constant)[0])
        which = f"every targets[..., {place}]" if per_output else "every counted target"
        validate.fail(
            where, f"{which} is {float(low[place] if per_output else low)}", "targets that differ",
            "R² divides by their variance, which is 0", "mse and mae need none; or say zero_division=0, 1 or nan.",
        )
    value = 1.0 - errors / np.where(constant, 1.0, spread)
    return _result(np.where(constant, zero, value) if constant.any() else value, per_output)


def _pair(where: str, targets: Any, predictions: Any, mask: Any, per_output: bool) -> tuple[Array, Array]:
    """Return the counted numbers of both, (n,), or (n, K) for one value an output."""
    validate.option(where, "per_output", per_output, (False, True))
    wanted, found = _numbers(where, "targets", targets), _numbers(where, "predictions", predictions)
    if wanted.shape != found.shape:
        longer = "predictions" if found.ndim > wanted.ndim else "targets"
        hint = f"A column of one output goes by {longer}[..., 0]." if found.ndim != wanted.ndim else ""
        validate.fail(where, f"predictions has shape {found.shape}", f"{wanted.shape}, the shape of targets",
                      "broadcasting would compare each with all", hint, validate.ShapeError)
    if per_output and wanted.ndim < 2:
        validate.fail(where, f"targets has shape {wanted.shape} with per_output=True", "(…, K)",
                      "the last axis holds the outputs", error=validate.ShapeError)
    whole = isinstance(mask, np.ndarray) and mask.shape == wanted.shape and not per_output
    leading = wanted.shape[:-1] if wanted.ndim > 1 and not whole else wanted.shape
    mask = validate.mask(where, "mask", mask, leading)
    if mask is None:
        flat = (-1, wanted.shape[-1]) if per_output else (-1,)
        wanted, found = wanted.reshape(flat), found.reshape(flat)
    else:
        wanted, found = wanted[mask], found[mask]
        if not per_output:
            wanted, found = wanted.ravel(), found.ravel()
    if wanted.size == 0:
        validate.fail(where, "mask is False everywhere", "at least one target that counts",
                      "there is nothing to measure")
    for name, array in (("targets", wanted), ("predictions", found)):
        if not np.isfinite(array).all():
            bad = array[~np.isfinite(array)]
            validate.fail(
                where, f"{name} has {bad.size} counted entries that are not finite, the first {bad[0]}",
                "finite numbers", "one of them is the whole mean", "Where a value is missing, the mask is False.",
            )
    return wanted, found


def _numbers(where: str, name: str, value: Any) -> Array:
    """Return an array or a list of numbers as float64, a copy or not."""
    array = validate.as_array(where, name, value)
    if array.dtype.kind not in "iuf":
        hint = "Labels have metrics of their own: accuracy, f1." if array.dtype.kind in "bU" else ""
        validate.fail(where, f"{name} has dtype {array.dtype}", "real numbers", "errors are differences of numbers",
                      hint, validate.DtypeError)
    if array.ndim == 0 or array.size == 0:
        validate.fail(where, f"{name} has shape {array.shape}", "at least one number, in a list or an array",
                      "there is nothing to measure", error=validate.ShapeError)
    return array.astype(np.float64)


def _mean(where: str, wanted: Array, found: Array, size: Callable[[Array], Array]) -> Any:
    """Return the mean over the first axis of the errors' squares or absolute values."""
    with np.errstate(over="ignore"):
        value = size(found - wanted).mean(axis=0)
    if not np.isfinite(value).all():
        validate.fail(where, "the sum of the errors is beyond float64", "errors below about 1e150",
                      "infinity measures nothing", "Did the model diverge? Are the units right?")
    return value


def _result(value: Any, per_output: bool) -> Any:
    return np.array(value) if per_output else float(value)
