"""Windows of a series: stretches to read, and what comes after each of their steps.

Source: notebook 15; tests/data/test_windows.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from .series import Series, checked_series, column_indices


class Windows(NamedTuple):
    """N stretches of a series as a batch, time first, with the value `horizon` steps after each input."""

    xs: Array  # (length, N, D), NaN where nothing is known
    targets: Array  # (length, N, K); targets[-1] is what a many-to-one model predicts
    observed: Array  # (length, N, D) bool, for xs
    target_mask: Array  # (length, N) bool: all K targets are known
    starts: Array  # (N,) int: the row of the series that each window begins with


def series_windows(
    series: Series, length: int, *, horizon: int = 1, stride: int = 1, columns: Sequence[str] | None = None
) -> Windows:
    """Cut a series into windows to forecast from.

    Parameters
    ----------
    series : Series
        One part of a split: windows of the whole would show training what the test asks.
    length : int
        Steps that a model reads.
    horizon : int
        How many steps ahead it predicts; length + horizon ≤ T.
    stride : int
        Steps from one window to the next. 1: all windows; length: none overlap in what they read.
    columns : sequence of str, optional
        The K columns to predict; default all D.

    Returns
    -------
    Windows
        xs[t, n] is row starts[n] + t, and targets[t, n] row starts[n] + t + horizon: later than everything that was
        read until then. Missing values are NaN still: fill them before, and let `target_mask` leave targets out.

    Raises
    ------
    ArgumentError
        Sizes below 1, windows longer than the series, a column that there is not.

    Source: notebook 15; tests/data/test_windows.py.
    """
    where = "series_windows"
    T = len(checked_series(where, series).values)
    length, horizon = validate.size(where, "length", length), validate.size(where, "horizon", horizon)
    stride = validate.size(where, "stride", stride)
    if length + horizon > T:
        got, expected = f"length + horizon is {length + horizon}", f"at most {T}"
        validate.fail(where, got, expected, f"the series has {T} steps", "Try shorter windows or a longer part.")
    chosen = column_indices(where, series, columns)
    starts = np.arange(0, T - length - horizon + 1, stride)
    rows = np.arange(length)[:, None] + starts
    known: Array = np.all(series.observed[:, chosen], axis=1)
    return Windows(
        series.values[rows], series.values[:, chosen][rows + horizon], series.observed[rows], known[rows + horizon],
        starts,
    )
