"""Filling missing values: mean, median, mode, last value, interpolation; and telling a network instead of filling.

Each method is a frozen dataclass with two functions. `fit(xs, observed, mask)` takes statistics from the training part
alone; `transform(statistics, xs, observed, mask)` fills any part with them, so that nothing of a test set leaks in.
What was seen comes out bit for bit as it went in, and padding comes out as zeros. xs is (T, N, D) or (T, D), see
`missing.observed_entries` for what marks a missing value.

Source: article §5 Q3, claim C10; notebook 15; tests/data/test_filling.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from .missing import Entries, observed_entries, refuse_empty_features, refuse_overflow, time_since_seen


class FillStatistics(NamedTuple):
    """What a method keeps of the training part."""

    fill: Array  # (D,), a value for each feature
    counted: Array  # (D,) int, how many values of each were seen


def _fit(
    where: str, xs: Array, observed: Array | None, mask: Array | None, function: Callable[[Array], Any]
) -> FillStatistics:
    """Reduce each feature's seen values to one number."""
    values, seen, _, _ = observed_entries(where, xs, observed, mask)
    refuse_empty_features(where, seen)
    with np.errstate(over="ignore"):
        fill = np.array([function(values[..., d][seen[..., d]]) for d in range(values.shape[-1])], values.dtype)
    refuse_overflow(where, fill)
    return FillStatistics(fill, seen.sum(axis=(0, 1)))


def _open(
    where: str, statistics: Any, xs: Array, observed: Array | None, mask: Array | None
) -> tuple[Entries, Array]:
    """Check what a transform is given; return the entries and the fill values (D,)."""
    if not isinstance(statistics, FillStatistics):
        validate.fail(
            where, f"statistics is a {type(statistics).__name__}", "the FillStatistics that fit returned",
            "they come from the training part alone", error=validate.DtypeError,
        )
    entries = observed_entries(where, xs, observed, mask)
    fill = validate.float_array(where, "statistics.fill", statistics.fill, complex_ok=False)
    because = f"xs has {entries.values.shape[-1]} features"
    validate.shape(where, "statistics.fill", fill, (entries.values.shape[-1],), because)
    validate.same_dtype(where, statistics=fill, xs=entries.values)
    validate.finite(where, "statistics.fill", fill)
    return entries, fill


def _put(entries: Entries, filling: Array) -> Array:
    """Put a filling where nothing was seen, and zeros on padding."""
    filled = np.where(entries.seen, entries.values, filling)
    return entries.shaped(np.where(entries.real[..., None], filled, np.zeros((), filled.dtype)))


@dataclass(frozen=True)
class MeanFilling:
    """Every missing value becomes the feature's training mean: no bias on average, no variance, no memory.

    Source: article §5 Q3; notebook 15; tests/data/test_filling.py.
    """

    def fit(self, xs: Array, observed: Array | None = None, mask: Array | None = None) -> FillStatistics:
        """Return each feature's mean over what was seen.

        Raises the errors of `observed_entries`, and ArgumentError for a feature of which nothing was seen.
        """
        return _fit("MeanFilling.fit", xs, observed, mask, np.mean)

    def transform(
        self, statistics: FillStatistics, xs: Array, observed: Array | None = None, mask: Array | None = None
    ) -> Array:
        """Return xs with the means where values are missing; errors as in `fit`, and for foreign statistics."""
        entries, fill = _open("MeanFilling.transform", statistics, xs, observed, mask)
        return _put(entries, fill)


@dataclass(frozen=True)
class MedianFilling:
    """Every missing value becomes the feature's training median, which a few wild values do not move.

    Source: article §5 Q3; notebook 15; tests/data/test_filling.py.
    """

    def fit(self, xs: Array, observed: Array | None = None, mask: Array | None = None) -> FillStatistics:
        """Return each feature's median over what was seen; errors as in `MeanFilling.fit`."""
        return _fit("MedianFilling.fit", xs, observed, mask, np.median)

    def transform(
        self, statistics: FillStatistics, xs: Array, observed: Array | None = None, mask: Array | None = None
    ) -> Array:
        """Return xs with the medians where values are missing; errors as in `MeanFilling.transform`."""
        entries, fill = _open("MedianFilling.transform", statistics, xs, observed, mask)
        return _put(entries, fill)


@dataclass(frozen=True)
class ModeFilling:
    """Every missing value becomes the feature's most frequent training value, the smallest of those on a par.

    It is refused where more than half of the values seen occur once alone: among measured, continuous numbers the most
    frequent one is an accident of rounding.

    Source: article §5 Q3; notebook 15; tests/data/test_filling.py.
    """

    def fit(self, xs: Array, observed: Array | None = None, mask: Array | None = None) -> FillStatistics:
        """Return each feature's mode over what was seen; errors as in `MeanFilling.fit`, and as said at the class."""
        where = "ModeFilling.fit"
        values, seen, _, _ = observed_entries(where, xs, observed, mask)
        for d in range(values.shape[-1]):
            column = values[..., d][seen[..., d]]
            alone = int((np.unique(column, return_counts=True)[1] == 1).sum())
            if 2 * alone > len(column):
                validate.fail(
                    where, f"feature {d} has {len(column)} values seen, {alone} of which occur once",
                    "quantised values", "among continuous ones the most frequent is an accident",
                    "Round them first, or take MedianFilling.",
                )

        def mode(column: Array) -> Any:
            distinct, counts = np.unique(column, return_counts=True)
            return distinct[counts.argmax()]

        return _fit(where, xs, observed, mask, mode)

    def transform(
        self, statistics: FillStatistics, xs: Array, observed: Array | None = None, mask: Array | None = None
    ) -> Array:
        """Return xs with the modes where values are missing; errors as in `MeanFilling.transform`."""
        entries, fill = _open("ModeFilling.transform", statistics, xs, observed, mask)
        return _put(entries, fill)


@dataclass(frozen=True)
class LastValueFilling:
    """Every missing value becomes the last one seen in its sequence; before the first, the training mean.

    The first value seen would do as well before it, but it is the future: a forecast must not know it.

    Source: article §5 Q3; notebook 15; tests/data/test_filling.py.
    """

    def fit(self, xs: Array, observed: Array | None = None, mask: Array | None = None) -> FillStatistics:
        """Return each feature's mean, for what comes before the first value; errors as in `MeanFilling.fit`."""
        return _fit("LastValueFilling.fit", xs, observed, mask, np.mean)

    def transform(
        self, statistics: FillStatistics, xs: Array, observed: Array | None = None, mask: Array | None = None
    ) -> Array:
        """Return xs with last values where values are missing; errors as in `MeanFilling.transform`."""
        entries, fill = _open("LastValueFilling.transform", statistics, xs, observed, mask)
        before = last_seen(entries.seen)
        held = np.take_along_axis(entries.values, np.maximum(before, 0), axis=0)
        return _put(entries, np.where(before >= 0, held, fill))


@dataclass(frozen=True)
class InterpolationFilling:
    """Every missing value lies on the line between the values seen before and after it in its sequence.

    At the edges the nearest value is held; a sequence without any value of a feature gets the training mean. Steps
    count as equally far apart, padded ones not at all. It looks ahead: between values it needs the one that comes next.

    Source: article §5 Q3; notebook 15; tests/data/test_filling.py.
    """

    def fit(self, xs: Array, observed: Array | None = None, mask: Array | None = None) -> FillStatistics:
        """Return each feature's mean, for sequences that never show it; errors as in `MeanFilling.fit`."""
        return _fit("InterpolationFilling.fit", xs, observed, mask, np.mean)

    def transform(
        self, statistics: FillStatistics, xs: Array, observed: Array | None = None, mask: Array | None = None
    ) -> Array:
        """Return xs with interpolated values where values are missing; errors as in `MeanFilling.transform`."""
        entries, fill = _open("InterpolationFilling.transform", statistics, xs, observed, mask)
        return _put(entries, interpolated(entries.values, entries.seen, entries.real, fill))


def last_seen(seen: Array) -> Array:
    """Return for each entry of seen (T, …) bool the last step up to t, t included, at which it is True; −1 if none."""
    steps = np.arange(len(seen)).reshape(-1, *[1] * (seen.ndim - 1))
    return np.maximum.accumulate(np.where(seen, steps, -1), axis=0)


def interpolated(values: Array, seen: Array, real: Array, fill: Array) -> Array:
    """Interpolate between what was seen: values and seen (T, N, D), real (T, N), fill (D,) where nothing was."""
    T = len(seen)
    before = last_seen(seen)
    after = T - 1 - last_seen(seen[::-1])[::-1]  # T where none comes
    earlier = np.take_along_axis(values, np.maximum(before, 0), axis=0)
    later = np.take_along_axis(values, np.minimum(after, T - 1), axis=0)
    position = np.broadcast_to(np.cumsum(real, axis=0)[..., None], seen.shape).astype(values.dtype)
    start = np.take_along_axis(position, np.maximum(before, 0), axis=0)
    span = np.take_along_axis(position, np.minimum(after, T - 1), axis=0) - start
    way = (position - start) / np.where(span > 0, span, 1.0).astype(values.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        between = earlier + (later - earlier) * way
    between = np.where(np.isfinite(between), between, earlier * (1.0 - way) + later * way)  # later − earlier overflowed
    edges = np.where(before >= 0, earlier, np.where(after < T, later, fill))
    filled: Array = np.where((before >= 0) & (after < T), between, edges)
    return filled


@dataclass(frozen=True)
class MaskAndTime:
    """Fill, and tell the network what was filled: beside each value whether it was seen, and since when it was not.

    The inputs become (T, N, 3D), in columns [values filled, m, δ]: m is 1 where a value was seen and 0 where not, δ the
    time since it was last seen before that step (`time_since_seen`), in units of `time_unit`.

    Parameters
    ----------
    filling : a method of this module
        How the values are filled; default the last value.
    time_unit : float
        δ is divided by it. A network learns best from numbers of about 1: take the length of a usual gap.
    relative : bool
        Subtract the training mean from the values. `GRUDCell` needs that: it lets values decay towards 0, which is then
        the mean. A bias takes up the shift, so that nothing else changes.

    Source: Che et al. (2018), whose GRU-simple this is; notebook 15; tests/data/test_filling.py.
    """

    filling: Any = field(default_factory=LastValueFilling)
    time_unit: float = 1.0
    relative: bool = False

    def __post_init__(self) -> None:
        kinds = (MeanFilling, MedianFilling, ModeFilling, LastValueFilling, InterpolationFilling)
        if not isinstance(self.filling, kinds):
            validate.fail(
                "MaskAndTime", f"filling is {self.filling!r:.60}", f"one of {', '.join(k.__name__ for k in kinds)}",
                "the values must be filled with something", "Try LastValueFilling().", validate.DtypeError,
            )
        validate.number("MaskAndTime", "time_unit", self.time_unit, above=0.0, because="δ is divided by it")
        validate.option("MaskAndTime", "relative", self.relative, (True, False))

    def fit(self, xs: Array, observed: Array | None = None, mask: Array | None = None) -> FillStatistics:
        """Return the filling's statistics; errors as in its own fit."""
        statistics: FillStatistics = self.filling.fit(xs, observed, mask)
        return statistics

    def transform(
        self, statistics: FillStatistics, xs: Array, observed: Array | None = None, mask: Array | None = None, *,
        times: Array | None = None,
    ) -> Array:
        """Return [values, m, δ], (T, N, 3D) or (T, 3D), zeros on padding.

        `times` as in `time_since_seen`; errors as in the filling's own transform and there.
        """
        entries, fill = _open("MaskAndTime.transform", statistics, xs, observed, mask)
        values = self.filling.transform(statistics, xs, observed, mask)
        if self.relative:
            values = np.where(entries.shaped(entries.real)[..., None], values - fill, np.zeros((), values.dtype))
        delta = time_since_seen(xs, observed, mask, times=times) / np.asarray(self.time_unit, values.dtype)
        return np.concatenate([values, entries.shaped(entries.seen).astype(values.dtype), delta], axis=-1)
