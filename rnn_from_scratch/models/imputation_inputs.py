"""What an imputation model reads: standardised values with a first filling, what was seen, and how near it is.

Also the holes that its training makes, anew at each update.

Source: article §5 Q3; notebook 15; tests/models/test_imputation.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from ..data.filling import interpolated, last_seen
from ..data.missing import Entries, refuse_empty_features, refuse_overflow

BASES = ("interpolation", "last value", "mean")


class ImputationStatistics(NamedTuple):
    """What is kept of the training part to bring values to a common scale."""

    mean: Array  # (F,)
    scale: Array  # (F,), the standard deviation; 1 for a feature that never changes
    counted: Array  # (F,) int, how many values of each were seen


def imputation_statistics(where: str, entries: Entries) -> ImputationStatistics:
    """Return mean and standard deviation of what was seen; refuse a feature of which less than two values were."""
    values, seen = entries.values, entries.seen
    refuse_empty_features(where, seen)
    counted = seen.sum(axis=(0, 1))
    if (counted < 2).any():
        few = int(counted.argmin())
        validate.fail(
            where, f"feature {few} has {counted[few]} value seen", "at least two of each feature",
            "one value says nothing of how they change", "Leave the feature out.",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        mean = values.sum(axis=(0, 1)) / counted
        scale = np.sqrt((np.where(seen, values - mean, 0.0) ** 2).sum(axis=(0, 1)) / counted)
    refuse_overflow(where, scale.astype(values.dtype))
    flat = scale <= 1e-12 * np.abs(mean)  # equal values leave a rounding error or nothing
    return ImputationStatistics(
        mean.astype(values.dtype), np.where(flat | (scale == 0.0), 1.0, scale).astype(values.dtype), counted
    )


def standardised(statistics: ImputationStatistics, entries: Entries) -> Array:
    """Return (value − mean) / scale where something was seen, zeros elsewhere, (T, N, F)."""
    return np.where(
        entries.seen, (entries.values - statistics.mean) / statistics.scale, np.zeros((), entries.values.dtype)
    )


def imputation_inputs(values: Array, seen: Array, real: Array, base: str) -> Array:
    r"""Return what the model reads, (T, N, 4F): the four columns of each feature, block by block.

    [first filling, m, nearness of the last value, nearness of the next]. m is 1 where a value was seen. A nearness is
    1 / (1 + steps to it): 1 for one seen now, 1/2 for a neighbour, 0 where there is none; padded steps do not count.

    Parameters
    ----------
    values : (T, N, F)
        Standardised.
    seen : (T, N, F) bool
        True where a value may be read.
    real : (T, N) bool
        False on padding.
    base : str
        The first filling: "interpolation", "last value" or "mean" (which is 0 here).

    Source: tests/models/test_imputation.py.
    """
    T, dtype = len(values), values.dtype
    none = np.zeros((), dtype)
    before, after = last_seen(seen), T - 1 - last_seen(seen[::-1])[::-1]  # −1 and T where there is none
    position = np.broadcast_to(np.cumsum(real, axis=0)[..., None], seen.shape)
    ago = position - np.take_along_axis(position, np.maximum(before, 0), axis=0)
    ahead = np.take_along_axis(position, np.minimum(after, T - 1), axis=0) - position
    near = [np.where(before >= 0, 1.0 / (1.0 + ago), 0.0), np.where(after < T, 1.0 / (1.0 + ahead), 0.0)]
    if base == "interpolation":
        filled = interpolated(values, seen, real, np.zeros(values.shape[-1], dtype))
    elif base == "last value":
        held = np.take_along_axis(values, np.maximum(before, 0), axis=0)
        filled = np.where(before >= 0, held, none)
    else:
        filled = np.where(seen, values, none)
    columns = [filled, seen.astype(dtype), *(column.astype(dtype) for column in near)]
    return np.where(real[..., None], np.concatenate(columns, axis=-1), none)


def holes_to_learn(seen: Array, share: tuple[float, float], block: int, rng: np.random.Generator) -> Array:
    """Choose seen values to hide at one update, (T, N, F) bool.

    Each sequence has a share of its own, uniform over the range; the holes of one update all have one length, uniform
    over 1 … block. Places are drawn independently, so that the share holds on average.
    """
    T, N, F = seen.shape
    length = int(rng.integers(1, block + 1))
    wanted = rng.uniform(*share, (N, 1))
    starts = rng.random((T + length - 1, N, F)) < 1.0 - (1.0 - wanted) ** (1.0 / length)
    hidden = np.zeros(seen.shape, bool)
    for offset in range(length):
        hidden |= starts[offset : offset + T]
    return hidden & seen


def windows_to_learn(
    entries: Entries, window: int, count: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw the steps and the sequences of `count` windows: two index arrays (window, count)."""
    T, N = entries.real.shape
    columns = rng.permutation(N)[:count] if count <= N else rng.integers(0, N, count)
    starts = rng.integers(0, T - window + 1, len(columns))
    return starts + np.arange(window)[:, None], np.broadcast_to(columns, (window, len(columns)))
