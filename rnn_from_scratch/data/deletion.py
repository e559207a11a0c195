"""Deletion: what is left when everything incomplete is thrown away.

Source: article §5 Q3, claim C10; notebook 15; tests/data/test_deletion.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from .batching import pad_sequences
from .missing import observed_entries


class NoStatistics(NamedTuple):
    """What deletion keeps of the training part: nothing."""


class Kept(NamedTuple):
    """What a deletion leaves."""

    xs: Array  # (T', N', D): complete, and zeros on padding
    mask: Array  # (T', N') bool, True where there is a step
    sequences: Array  # (N',) int, which of the sequences they were
    kept: int  # steps or sequences that are left
    of: int  # of so many

    def __str__(self) -> str:
        return f"{self.kept} of {self.of} left ({100 * self.kept / self.of:.1f} %)"


@dataclass(frozen=True)
class Deletion:
    """Delete each sequence, or each step, at which anything is missing.

    unit : "sequences" or "steps"
        "sequences" keeps those without a single gap: where a share p of the steps is missing at random, (1 − p)^T of
        them. "steps" keeps every sequence and closes it up over the gaps: more is left, and the steps that are left
        are no longer equally far apart, which nothing tells the network.

    There is nothing to learn from the training part: `fit` only checks it. Sequences with nothing left are gone, so
    targets that stand one a sequence are picked by `Kept.sequences`.

    Source: article §5 Q3; notebook 15; tests/data/test_deletion.py.
    """

    unit: str = "sequences"

    def __post_init__(self) -> None:
        validate.option("Deletion", "unit", self.unit, ("sequences", "steps"))

    def fit(self, xs: Array, observed: Array | None = None, mask: Array | None = None) -> NoStatistics:
        """Return nothing, in the form that `transform` takes; errors as in `observed_entries`."""
        observed_entries("Deletion.fit", xs, observed, mask)
        return NoStatistics()

    def transform(
        self, statistics: NoStatistics, xs: Array, observed: Array | None = None, mask: Array | None = None
    ) -> Kept:
        """Return what is left of xs (T, N, D) or (T, D); a single series counts as N = 1.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            As in `observed_entries`; statistics that are not of `fit`; nothing is left.
        """
        where = "Deletion.transform"
        if not isinstance(statistics, NoStatistics):
            validate.fail(
                where, f"statistics is a {type(statistics).__name__}", "what Deletion.fit returned",
                error=validate.DtypeError,
            )
        values, seen, real, _ = observed_entries(where, xs, observed, mask)
        whole: Array = np.all(seen, axis=-1)  # (T, N); False on padding
        if self.unit == "sequences":
            chosen = np.flatnonzero((whole | ~real).all(axis=0) & real.any(axis=0))
            kept, of = len(chosen), int(real.any(axis=0).sum())
            pieces = [values[real[:, n], n] for n in chosen]
        else:
            chosen = np.flatnonzero(whole.any(axis=0))
            kept, of = int(whole.sum()), int(real.sum())
            pieces = [values[whole[:, n], n] for n in chosen]
        if kept == 0:
            validate.fail(
                where, f"each of the {of} {self.unit} lacks a value", "at least one that is complete",
                "deletion would leave nothing", "Fill the values instead, or delete steps instead of sequences.",
            )
        left, steps = pad_sequences(pieces)
        return Kept(left, steps, chosen, kept, of)
