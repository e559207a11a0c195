"""One number for the difference of two gradients: by array, not by entry."""

from __future__ import annotations

import numpy as np

from ..arrays import Array


def relative_error(analytic: Array, numeric: Array) -> tuple[float, tuple[int, ...]]:
    """Return the larger of ‖a − n‖ / (‖a‖ + ‖n‖) and max|a − n| / max|n|, and the index of the worst entry.

    By array, not by entry: an entry that is nearly zero has a huge relative error of its own in a gradient that
    is right. NaN counts as infinitely wrong. Neither very small nor very large gradients lose precision.
    """
    if analytic.size == 0:
        return 0.0, ()
    bad = ~(np.isfinite(analytic) & np.isfinite(numeric))
    a, n = np.where(bad, 0.0, analytic), np.where(bad, 0.0, numeric)
    _, exponent = np.frexp(max(np.max(np.abs(a)), np.max(np.abs(n))))
    a, n = np.ldexp(a, -exponent), np.ldexp(n, -exponent)  # by a power of two: exact, and no square over- or underflows
    difference = np.where(bad, np.inf, np.abs(a - n))
    index = tuple(int(i) for i in np.unravel_index(np.argmax(difference), difference.shape))
    if bad.any():
        return np.inf, index
    if not difference.any():
        return 0.0, index
    normwise = np.linalg.norm(difference) / (np.linalg.norm(a) + np.linalg.norm(n))
    largest = np.max(np.abs(n))
    entrywise = np.max(difference) / largest if largest > 0 else np.inf
    return float(max(normwise, entrywise)), index


def largest_gap(first: Array, second: Array) -> float:
    """Return the largest difference of two entries; NaN counts as infinite."""
    largest = float(np.max(np.abs(first / 2 - second / 2), initial=0.0)) * 2
    return largest if largest == largest else np.inf


def largest_entry(numeric: Array) -> tuple[int, ...]:
    """Return the first entry of (about) the largest size: rounding must not decide between two that are equal."""
    if numeric.size == 0:
        return ()
    size = np.abs(numeric)
    return tuple(int(i) for i in np.unravel_index(np.argmax(size >= (1 - 1e-6) * size.max()), size.shape))
