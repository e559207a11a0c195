r"""Series of numbers over time: one type, and what every forecast does with it before a model sees it.

A `Series` keeps what is known (`observed`) beside the numbers, NaN where nothing is. Parts are cut in time's order;
scaling.py fits on the training part alone, windows.py makes inputs and what comes after them.

Source: notebook 15; tests/data/test_series.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array


class Series(NamedTuple):
    """D quantities at T times, in rows."""

    values: Array  # (T, D) float64, NaN where nothing is known
    names: tuple[str, ...]  # D
    times: tuple[str, ...] | None  # T labels as they were written
    observed: Array  # (T, D) bool, False where values is NaN
    notes: tuple[str, ...] = ()  # what was assumed, and what was left out


class SeriesSplits(NamedTuple):
    """One series in three parts, the earliest first; no step is in two of them."""

    train: Series
    validation: Series
    test: Series


def make_series(values: Any, names: Sequence[str] | None = None, times: Sequence[str] | None = None) -> Series:
    """Return numbers of your own as a Series; NaN means missing.

    Parameters
    ----------
    values : (T, D) or (T,) float or int
        Copied, as float64.
    names : sequence of D str, optional
        Default "column 1", "column 2", …
    times : sequence of T str, optional
        Labels.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        No step or no column, values that are no real numbers or not finite, names that are not D different texts,
        times that are not T texts.
    """
    where = "make_series"
    array = validate.as_array(where, "values", values)
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
        hint = "Missing values are NaN: try np.asarray(values, dtype=np.float64)."
        validate.fail(where, f"values has dtype {array.dtype}", "real numbers", "", hint, validate.DtypeError)
    if array.ndim == 1:
        array = array[:, None]
    return checked_series(where, Series(array.astype(np.float64), *_labels(where, array, names, times)))


def _labels(where: str, array: Array, names: Any, times: Any) -> tuple[tuple[str, ...], tuple[str, ...] | None, Array]:
    """Return names, times and the mask for values (T, D)."""
    validate.shape(where, "values", array, ("T", "D"), "time comes first, a quantity is a column")
    for name, labels in (("names", names), ("times", times)):
        if isinstance(labels, str | bytes) or not (labels is None or isinstance(labels, Sequence)):
            got = f"{name} is {labels!r:.60}"
            validate.fail(where, got, "a list of texts", error=validate.DtypeError)
    if names is None:
        names = [f"column {d}" for d in range(1, array.shape[1] + 1)]
    return tuple(names), None if times is None else tuple(times), ~np.isnan(array)


def checked_series(where: str, series: Any) -> Series:
    """Return a series if it is whole, or say what is wrong with it: every helper here asks first."""
    if not isinstance(series, Series):
        hint = "make_series(values) turns an array (T, D) into one; load_series and sample_prices read one."
        got = f"the series is a {type(series).__name__}"
        validate.fail(where, got, "a Series", "its gaps and names belong to it", hint, validate.DtypeError)
    values = validate.float_array(where, "values", series.values, complex_ok=False)
    sizes = validate.shape(where, "values", values, ("T", "D"), "time comes first, a quantity is a column")
    T, D = sizes.get("T", values.shape[0]), sizes.get("D", values.shape[1])
    if not values.size:
        validate.fail(where, f"values has shape {values.shape}", "a step and a column", error=validate.ShapeError)
    if values.dtype != np.float64:
        validate.fail(where, f"values has dtype {values.dtype}", "float64", error=validate.DtypeError)
    for name, labels, count in (("names", series.names, D), ("times", series.times, T)):
        if labels is None and name == "times":
            continue
        if not isinstance(labels, tuple) or not all(isinstance(label, str) for label in labels):
            validate.fail(where, f"{name} is {labels!r:.60}", "a tuple of texts", error=validate.DtypeError)
        if len(labels) != count:
            got, expected = f"there are {len(labels)} {name}", f"{count}, as values has shape {values.shape}"
            validate.fail(where, got, expected, error=validate.ShapeError)
    twice = [name for d, name in enumerate(series.names) if name in series.names[:d]]
    if twice:
        validate.fail(where, f"two columns are named {twice[0]!r}", "different names", "a column is found by its name")
    observed = validate.mask(where, "observed", series.observed, values.shape)
    if observed is None or (observed != ~np.isnan(values)).any():
        validate.fail(where, "observed does not fit values", "False where values is NaN, True elsewhere")
    validate.finite(where, "values", values, observed, hint="Infinity is no value; missing values are NaN.")
    return series


def time_order(times: Sequence[str] | None) -> str | None:
    """Return "ascending", "descending" or "mixed" for labels that can be compared, and None for others.

    Numbers and ISO dates can be ("1990-01-31", "1990-01-31T12:00"); "31-Jan-90" cannot without guessing. Equal
    neighbours fit either order; if all are equal, or there is one, it is "ascending".
    """
    keys = _sortable(times or ())
    if not keys:
        return None
    pairs = list(pairwise(keys))
    if all(earlier <= later for earlier, later in pairs):
        return "ascending"
    return "descending" if all(earlier >= later for earlier, later in pairs) else "mixed"


def _sortable(times: Sequence[str]) -> list[Any]:
    """Return keys to compare, or none where one label cannot be read."""
    for read in (float, datetime.fromisoformat):
        try:
            keys: list[Any] = [read(label) for label in times]
            sorted(keys)  # a time with a zone and one without cannot be compared
        except (ValueError, TypeError):
            continue
        return [] if any(key != key for key in keys) else keys
    return []


def chronological_split(series: Series, fractions: Sequence[float] = (0.7, 0.15, 0.15)) -> SeriesSplits:
    """Cut a series into training, validation and test, the earliest first.

    Shuffled steps would let a model look at its test from both sides. Cut before you fill, standardise or make
    windows: windows of one part never reach into another.

    Parameters
    ----------
    series : Series
        T steps, the earliest first: that is checked where times are numbers or ISO dates, and trusted elsewhere.
    fractions : three float
        Shares that sum to 1, each giving a step at least. The parts end at the whole steps nearest to T·f₁ and
        T·(f₁ + f₂).

    Returns
    -------
    SeriesSplits
        Copies, one after the other the whole series.

    Raises
    ------
    ArgumentError
        Fractions that are not three positive numbers with sum 1, a part without a step, or times that can be compared
        and do not ascend.

    Source: notebook 15; tests/data/test_series.py.
    """
    where = "chronological_split"
    checked_series(where, series)
    if isinstance(fractions, str) or not isinstance(fractions, Sequence | np.ndarray) or len(fractions) != 3:
        validate.fail(where, f"fractions is {fractions!r}", "three shares: training, validation, test")
    shares = [validate.number(where, f"fractions[{n}]", share, above=0) for n, share in enumerate(fractions)]
    if abs(sum(shares) - 1) > 1e-9:
        validate.fail(where, f"fractions sums to {sum(shares):.6g}", "1", "every step is in one part")
    order = time_order(series.times)
    if series.times is not None and order in ("descending", "mixed"):
        hint = "Turn it round with reversed_series." if order == "descending" else "Sort its rows by time first."
        validate.fail(where, f"times are {order}: {series.times[0]!r} … {series.times[-1]!r}", "ascending ones",
                      "the test must come after what a model learns from", hint)
    T = len(series.values)
    ends = [0, round(T * shares[0]), round(T * (shares[0] + shares[1])), T]
    parts = []
    for name, first, last in zip(SeriesSplits._fields, ends, ends[1:], strict=False):
        if first == last:
            validate.fail(where, f"{name} has no step (T = {T}, fractions {shares})", "one step at least in each part")
        parts.append(_rows(series, slice(first, last)))
    return SeriesSplits(*parts)


def _rows(series: Series, rows: slice) -> Series:
    times = None if series.times is None else series.times[rows]
    values, observed = series.values[rows].copy(), series.observed[rows].copy()
    return Series(values, series.names, times, observed, series.notes)


def select_series(
    series: Series, columns: Sequence[str] | None = None, *, first: int | None = None, last: int | None = None
) -> Series:
    """Return some columns and a stretch of the steps of a series.

    Parameters
    ----------
    series : Series
        T steps and D columns.
    columns : sequence of str, optional
        Names, in the order to have them; default all.
    first, last : int, optional
        The first and the last row to have, counted from 0, both included; default all. With times:
        `first=series.times.index("2004-09-01")`.

    Returns
    -------
    Series
        Copies.

    Raises
    ------
    ArgumentError
        A name that there is not or that stands there twice, or rows that there are not.

    Source: tests/data/test_series.py.
    """
    where = "select_series"
    T = len(checked_series(where, series).values)
    chosen = column_indices(where, series, columns)
    bounds = [0 if first is None else first, T - 1 if last is None else last]
    for name, row in zip(("first", "last"), bounds, strict=True):
        if isinstance(row, bool) or not isinstance(row, int | np.integer) or not 0 <= row < T:
            validate.fail(where, f"{name} is {row!r}", f"a row, 0 … {T - 1}", f"the series has {T} steps")
    if bounds[0] > bounds[1]:
        validate.fail(where, f"first is {bounds[0]} and last {bounds[1]}", "first ≤ last", "both are included")
    rows = _rows(series, slice(bounds[0], bounds[1] + 1))
    names = tuple(series.names[d] for d in chosen)
    return rows._replace(values=rows.values[:, chosen], names=names, observed=rows.observed[:, chosen])


def column_indices(where: str, series: Series, columns: Any) -> list[int]:
    """Return the numbers of columns by name, or of all; refuse a name that there is not, or one that comes twice."""
    if columns is None:
        return list(range(len(series.names)))
    if isinstance(columns, str) or not isinstance(columns, Sequence) or not columns:
        validate.fail(where, f"columns is {columns!r:.60}", "a list of names, with at least one")
    for n, name in enumerate(columns):
        validate.option(where, f"columns[{n}]", name, series.names)
        if name in columns[:n]:
            validate.fail(where, f"columns has {name!r} twice", "each name once")
    return [series.names.index(name) for name in columns]


def reversed_series(series: Series) -> Series:
    """Return a series with its last row first, for a file that begins with the newest."""
    return _rows(checked_series("reversed_series", series), slice(None, None, -1))


def log_returns(series: Series) -> Series:
    r"""Return what prices change by from one step to the next, in logarithms.

    .. math:: r_t = \ln p_t - \ln p_{t-1}

    Returns add up over time and no longer grow with the price. One is known where both of its prices are.

    Parameters
    ----------
    series : Series
        Positive prices, T ≥ 2 steps.

    Returns
    -------
    Series
        T − 1 steps, each under the time of the later price.

    Raises
    ------
    ShapeError, ArgumentError
        One step alone; a price that is not positive (with its column and time).
    """
    where = "log_returns"
    values = checked_series(where, series).values
    if len(values) < 2:
        validate.fail(where, "the series has one step", "two at least", "a return is a change", "", validate.ShapeError)
    bad = series.observed & ~(values > 0)
    if bad.any():
        t, d = (int(i) for i in np.argwhere(bad)[0])
        at = f"row {t}" if series.times is None else f"row {t} ({series.times[t]})"
        got = f"{series.names[d]!r} is {values[t, d]:.6g} in {at}"
        validate.fail(where, got, "positive prices", "others have no logarithm")
    returns = np.diff(np.log(values), axis=0)
    times = None if series.times is None else series.times[1:]
    return Series(returns, series.names, times, ~np.isnan(returns), series.notes)
