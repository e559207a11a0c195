r"""Missing values: what is there and what is not, described; and the time since each feature was last seen.

NaN marks a missing value. Where another sign is used, pass `observed`, True where a number was seen; what stands in xs
elsewhere is then never read. `mask` says where there is a step at all: padding is neither seen nor missing.

Source: article §5 Q3, claim C10; Che et al. (2018) for δ; notebook 15; tests/data/test_missing.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array


class Entries(NamedTuple):
    """Checked values, with the batch axis that a single series lacks."""

    values: Array  # (T, N, D), zeros where nothing was seen
    seen: Array  # (T, N, D) bool
    real: Array  # (T, N) bool, False on padding
    single: bool  # True if the series came as (T, D)

    def shaped(self, array: Array) -> Array:
        """Return (T, N, …) in the form in which xs came: (T, …) for a single series."""
        return array[:, 0] if self.single else array


def observed_entries(where: str, xs: Any, observed: Any = None, mask: Any = None) -> Entries:
    """Check a series with missing values, (T, D), or a batch, (T, N, D).

    Parameters
    ----------
    where : str
        The function that an error names.
    xs : (T, N, D) or (T, D) of float
        NaN where a value is missing, unless `observed` says so.
    observed : bool of the same shape, optional
        True where a number was seen; default: where xs is not NaN.
    mask : (T, N) or (T,) bool, optional
        True where there is a step; padding may hold anything.

    Returns
    -------
    Entries

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Other shapes or dtypes; infinity, or NaN at an entry that `observed` says was seen.
    """
    hint = "Integers have no NaN: pass xs.astype(np.float64), and observed= for another sign of a missing value."
    xs = validate.float_array(where, "xs", xs, hint=hint if isinstance(xs, np.ndarray) else "", complex_ok=False)
    single = xs.ndim == 2
    validate.shape(
        where, "xs", xs, ("T", "D") if single else ("T", "N", "D"), "time comes first, the features last",
        "A series of one feature is xs[:, None].",
    )
    if xs.shape[-1] == 0:
        validate.fail(where, f"xs has shape {xs.shape}", "at least one feature", error=validate.ShapeError)
    given = validate.mask(where, "mask", mask, xs.shape[:-1])
    real = np.ones(xs.shape[:-1], bool) if given is None else given
    if observed is None:
        seen = ~np.isnan(xs)
    else:
        if not isinstance(observed, np.ndarray) or observed.dtype != np.bool_:
            got = f"dtype {observed.dtype}" if isinstance(observed, np.ndarray) else f"type {type(observed).__name__}"
            validate.fail(
                where, f"observed has {got}", "a boolean array", "it says of each value whether it was seen",
                "Try observed = ~np.isnan(xs).", validate.DtypeError,
            )
        validate.shape(where, "observed", observed, xs.shape, "it says of each value whether it was seen")
        seen = observed
    seen = seen & real[..., None]
    validate.finite(where, "xs", xs, seen, "A missing value is NaN, or False in observed.")
    values = np.where(seen, xs, np.zeros((), xs.dtype))
    if single:
        return Entries(values[:, None], seen[:, None], real[:, None], True)
    return Entries(values, seen, real.copy(), False)


def feature_names(where: str, names: Any, count: int) -> list[str]:
    """Return the features' names: those given, one for each, or "feature 0", "feature 1", …"""
    if names is None:
        return [f"feature {d}" for d in range(count)]
    listed = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    if not listed or len(names) != count:
        validate.fail(where, f"names is {names!r:.80}", f"a list of {count} words", "each feature has a name")
    return list(names)


def refuse_empty_features(where: str, seen: Array, names: Sequence[str] | None = None) -> None:
    """Refuse a feature of which no value was seen: nothing says what it might have been. `seen` is (T, N, D)."""
    empty = np.flatnonzero(~seen.any(axis=(0, 1)))
    if len(empty):
        called = feature_names(where, names, seen.shape[-1])
        listed = ", ".join(called[d] for d in empty)
        validate.fail(
            where, f"every value of {listed} is missing", "at least one seen value of each feature",
            "nothing says what it could have been", "Leave the feature out, or fit on data that has it.",
        )


def refuse_overflow(where: str, statistics: Array, names: Sequence[str] | None = None) -> None:
    """Refuse a feature (D,) whose mean or scale is beyond the largest number of its dtype."""
    beyond = np.flatnonzero(~np.isfinite(statistics))
    if len(beyond):
        called = feature_names(where, names, len(statistics))[int(beyond[0])]
        validate.fail(
            where, f"the values of {called} sum to {statistics[beyond[0]]}", "values whose sum and squares are finite",
            f"{statistics.dtype} ends at {np.finfo(statistics.dtype).max:.2g}", "Measure in a larger unit.",
        )


class MissingDescription(NamedTuple):
    """What is missing, and how; prints as a table."""

    names: tuple[str, ...]
    steps: int  # steps of all sequences together, without padding
    missing: Array  # (D,) int, how many values of each feature
    by_feature: Array  # (D,), their share of the steps
    by_step: Array  # (T,), the share of the values at each step that is missing; NaN where all is padding
    longest: Array  # (D,) int, steps: the longest run without a value of that feature, in any sequence
    patterns: tuple[tuple[tuple[str, ...], int], ...]  # (features missing together, at how many steps), most first
    complete_steps: int  # steps where nothing is missing
    sequences: int  # with at least one step
    complete_sequences: int  # sequences where nothing is missing

    def __str__(self) -> str:
        width = max(len("feature"), *(len(name) for name in self.names))
        rows = [f"{'feature':<{width}}  missing   share  longest run"]
        for name, missing, share, longest in zip(self.names, self.missing, self.by_feature, self.longest, strict=True):
            rows.append(f"{name:<{width}}  {missing:>7}  {100 * share:>4.1f} %  {longest:>11}")
        rows.append(
            f"complete: {self.complete_steps} of {self.steps} steps, "
            f"{self.complete_sequences} of {self.sequences} sequences"
        )
        for together, count in self.patterns[:5]:
            what = ", ".join(together) if together else "nothing"
            rows.append(f"missing together at {count} step{'' if count == 1 else 's'}: {what}")
        if len(self.patterns) > 5:
            rows.append(f"and {len(self.patterns) - 5} patterns more")
        return "\n".join(rows)


def describe_missing(
    xs: Array, observed: Array | None = None, mask: Array | None = None, *, names: Sequence[str] | None = None
) -> MissingDescription:
    """Count what is missing: by feature, by step, in runs, and which features miss together.

    Parameters
    ----------
    xs, observed, mask
        As in `observed_entries`.
    names : list of D str, optional
        The features' names.

    Returns
    -------
    MissingDescription
        A feature that was never seen is no error here: this is how one finds it.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As in `observed_entries`; no step at all; names that are not one for each feature.

    Source: article §5 Q3; notebook 15; tests/data/test_missing.py.
    """
    where = "describe_missing"
    _, seen, real, _ = observed_entries(where, xs, observed, mask)
    called = feature_names(where, names, seen.shape[-1])
    if not real.any():
        validate.fail(where, "the mask is False everywhere", "at least one step", "padding is neither seen nor missing")
    gone = ~seen & real[..., None]
    steps = int(real.sum())
    missing = gone.sum(axis=(0, 1))
    at_step = real.sum(axis=1) * seen.shape[-1]
    by_step = np.full(len(seen), np.nan)
    np.divide(gone.sum(axis=(1, 2)), at_step, out=by_step, where=at_step > 0)
    run, longest = np.zeros(gone.shape[1:], int), np.zeros(gone.shape[1:], int)
    for here, step in zip(gone, real, strict=True):  # a padded step neither ends a run nor makes it longer
        run = np.where(step[:, None], (run + 1) * here, run)
        longest = np.maximum(longest, run)
    counts = Counter(map(tuple, gone[real].tolist()))
    patterns = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    whole = ~gone.any(axis=(0, 2)) & real.any(axis=0)
    return MissingDescription(
        tuple(called), steps, missing, missing / steps, by_step, longest.max(axis=0),
        tuple((tuple(n for n, is_gone in zip(called, pattern, strict=True) if is_gone), count)
              for pattern, count in patterns),
        int((~gone.any(axis=-1) & real).sum()), int(real.any(axis=0).sum()), int(whole.sum()),
    )


def time_since_seen(
    xs: Array, observed: Array | None = None, mask: Array | None = None, *, times: Array | None = None
) -> Array:
    r"""Return δ, for each entry the time since its feature was last seen *before* that step (Che et al. 2018).

    .. math::
        \delta_1 = 0, \qquad \delta_t = s_t - s_{t-1} + \begin{cases}
            0 & \text{seen at } t-1 \\ \delta_{t-1} & \text{missing at } t-1 \end{cases}

    Whether the feature is seen at t itself does not matter: δ says how old the last value is that was there before.
    Before the first one it counts from the sequence's first step.

    Parameters
    ----------
    xs, observed, mask
        As in `observed_entries`. A padded step takes no time: δ is what it is for the sequence alone.
    times : (T,) or, beside (T, N, D), (T, N), optional
        s_t, the time of each step, in any unit, never falling; default: steps are 1 apart.

    Returns
    -------
    delta : as xs
        0 on padding.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As in `observed_entries`; times of another shape, not finite, or falling.

    Source: Che et al. (2018), the equation of δ in "Notations"; notebook 15; tests/data/test_missing.py.
    """
    where = "time_since_seen"
    entries = observed_entries(where, xs, observed, mask)
    seen, real = entries.seen, entries.real
    at = _times(where, times, entries)
    delta = np.zeros(seen.shape, entries.values.dtype)
    last = np.zeros(seen.shape[1:])
    started = np.zeros(real.shape[1], bool)
    for t in range(len(seen)):
        here = real[t][:, None]
        last = np.where(here & ~started[:, None], at[t][:, None], last)
        started = started | real[t]
        delta[t] = np.where(here, at[t][:, None] - last, 0.0)
        last = np.where(seen[t], at[t][:, None], last)
    return entries.shaped(delta)


def _times(where: str, times: Any, entries: Entries) -> Array:
    """Return the time of each step of each sequence, (T, N)."""
    real = entries.real
    if times is None:
        return np.cumsum(real, axis=0).astype(np.float64)
    array = validate.float_array(where, "times", times, complex_ok=False)
    if array.ndim == 2 and not entries.single:
        validate.shape(where, "times", array, real.shape, "each step of each sequence has its time")
    else:
        validate.shape(where, "times", array, (len(real),), "each step has its time")
        array = np.broadcast_to(array[:, None], real.shape)
    validate.finite(where, "times", array, real, "Time itself can't be missing.")
    for n in range(real.shape[1]):
        if (np.diff(array[real[:, n], n]) < 0).any():
            validate.fail(where, "times falls from one step to the next", "times that never fall", "time goes on",
                          "Sort the steps by time first.")
    return np.where(real, array, 0.0).astype(np.float64)
