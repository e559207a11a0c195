"""Quotients of counts and their means, where a denominator may be 0: told, and never silently 0.

Source: notebook 14; tests/metrics/test_classification.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array


def zero_division(where: str, value: Any) -> float | None:
    """Return what 0/0 shall count as: None (an error), 0, 1 or nan."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if value is not None and not (number and (value in (0, 1) or np.isnan(value))):
        validate.fail(where, f"zero_division is {value!r}", "None, 0, 1 or nan", "it stands for the value of 0/0")
    return None if value is None else float(value)


def divide(numerator: Array, denominator: Array, zero: float) -> Array:
    """Return the quotients of counts (K,), and `zero` for each 0/0."""
    return np.where(denominator > 0, numerator / np.maximum(denominator, 1), zero)


def mean(values: Array, weights: Array | None = None) -> float:
    """Return the mean of the values that are not NaN: NaN if there are none, the plain mean if all weights are 0."""
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    if weights is None or not weights[known].any():
        return float(values[known].mean())
    return float(np.average(values[known], weights=weights[known]))
