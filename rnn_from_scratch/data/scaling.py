r"""Standardising: each column minus its mean, divided by its standard deviation, both of the training part alone.

.. math:: z_{td} = (x_{td} - \mu_d) / \sigma_d

Statistics of all data would tell the training something about the test. `fit_scaling` sees one part; `standardize`
does the three parts of a split in one call that cannot be made with the wrong part.

Source: notebook 15; tests/data/test_scaling.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from .series import Series, SeriesSplits, checked_series


class Scaling(NamedTuple):
    """What `fit_scaling` measured on the training part."""

    mean: Array  # (D,)
    scale: Array  # (D,) the standard deviation; 1 where the column is constant
    constant: tuple[str, ...]  # columns that never change in training: they become 0 there
    names: tuple[str, ...]

    def transform(self, series: Series) -> Series:
        """Return a series with the same columns in units of training's standard deviations. NaN stays."""
        where = "Scaling.transform"
        return _with_values(series, (self._checked(where, series) - self.mean) / self.scale)

    def inverse(self, series: Series) -> Series:
        """Return a standardised series in its own units again."""
        where = "Scaling.inverse"
        return _with_values(series, self._checked(where, series) * self.scale + self.mean)

    def inverse_array(self, values: Array, columns: Any = None) -> Array:
        """Return predictions (…, D), or (…, K) for K `columns` by name, in their own units.

        Raises ShapeError, DtypeError or ArgumentError for another last axis, no floats, or a name that is unknown.
        """
        where = "Scaling.inverse_array"
        names = self.names if columns is None else tuple(columns)
        for name in names:
            validate.option(where, "a name in columns", name, self.names)
        array = validate.float_array(where, "values", values, complex_ok=False)
        if array.ndim < 1 or array.shape[-1] != len(names):
            got, expected = f"values has shape {array.shape}", f"(…, {len(names)})"
            validate.fail(where, got, expected, "each column has its own unit", "", validate.ShapeError)
        chosen = [self.names.index(name) for name in names]
        scaled: Array = array * self.scale[chosen] + self.mean[chosen]
        return scaled

    def _checked(self, where: str, series: Series) -> Array:
        if checked_series(where, series).names != self.names:
            got = f"the columns are {series.names!r:.80}"
            validate.fail(where, got, f"{self.names!r:.80}, in this order", "the statistics are theirs")
        return series.values


def _with_values(series: Series, values: Array) -> Series:
    return series._replace(values=values, observed=~np.isnan(values))


def fit_scaling(series: Series) -> Scaling:
    """Measure mean and standard deviation (divided by the count) of each column's known values.

    Parameters
    ----------
    series : Series
        The training part, and nothing later.

    Returns
    -------
    Scaling
        A column that never changes is named in `constant` and keeps its unit.

    Raises
    ------
    ArgumentError
        A column without any known value.

    Source: tests/data/test_scaling.py.
    """
    where = "fit_scaling"
    values = checked_series(where, series).values
    seen: Array = np.any(series.observed, axis=0)
    unknown = [name for name, one in zip(series.names, seen, strict=True) if not one]
    if unknown:
        validate.fail(
            where, f"{unknown[0]!r} has no known value in {len(values)} steps", "one at least",
            "nothing has no mean", "Leave the column out, or let the training part begin later.",
        )
    size = np.nanmax(np.abs(values), axis=0)
    # In units of the largest, squares of huge numbers do not overflow, and the mean of equal numbers is not rounded.
    unit = np.where(size > 0, size, 1.0)
    mean = np.nanmean(values / unit, axis=0)
    same = np.nanmin(values, axis=0) == np.nanmax(values, axis=0)
    spread = np.sqrt(np.nanmean((values / unit - mean) ** 2, axis=0)) * unit
    still = same | (spread == 0.0)
    constant = tuple(name for name, one in zip(series.names, still, strict=True) if one)
    return Scaling(mean * unit, np.where(still, 1.0, spread), constant, series.names)


def standardize(splits: SeriesSplits) -> tuple[SeriesSplits, Scaling]:
    """Standardise all three parts with the statistics of the first.

    Returns
    -------
    splits : SeriesSplits
        In training every column that changes has mean 0 and standard deviation 1; in the others about that, or not.
    scaling : Scaling
        To take predictions back into their own units.

    Raises
    ------
    DtypeError, ArgumentError
        Anything but a SeriesSplits, or a column of training without any known value.
    """
    where = "standardize"
    if not isinstance(splits, SeriesSplits):
        got, hint = f"splits is a {type(splits).__name__}", "chronological_split(series) makes them."
        validate.fail(where, got, "a SeriesSplits", "statistics are of its first part", hint, validate.DtypeError)
    scaling = fit_scaling(splits.train)
    return SeriesSplits(*(scaling.transform(part) for part in splits)), scaling
