"""A sieve before the full comparison: most hypotheses are far off, and one small point shows it more cheaply."""

from __future__ import annotations

import numpy as np

from ...arrays import Array
from .labels import MATCH
from .matching import RIGHT, Trial
from .reference import Change, gates_of, hidden_gradient, recursion


class Sieve:
    """The student's b_h and W_xh at one small point, by gate.

    Both are sums over the deltas alone. A hypothesis that changes both, and neither to the student's, contradicts two
    parameters, and is then no candidate at any other point either (see `matching`).
    """

    def __init__(self, trial: Trial) -> None:
        self.trial, self.at = trial, trial.bench.at
        count = max(len(gates_of(self.at.cell)), 1)
        self.shape = (count, self.at.hs.shape[-1])
        self.mine = [self._joined(trial.mine, name) for name in ("b_h", "W_xh")]
        self.truth = [self._joined(trial.bench.truth, name) for name in ("b_h", "W_xh")]

    def _joined(self, blocks: dict[str, Array], name: str) -> Array:
        names = [f"{name}:{gate}" for gate in gates_of(self.at.cell)] or [name]
        return np.stack([blocks[block].reshape(-1, self.shape[1]) for block in names])  # (G, ·, H)

    def rejects(self, change: Change) -> bool:
        """Tell that a change of the recursion contradicts both; False also where it cannot be told so cheaply."""
        if change.dense is not None or change.collect is not None or change.after is not None:
            return False
        try:
            _, deltas = recursion(self.at, hidden_gradient(self.at, change), change.step, change.loop)
            stack = np.stack(deltas)
        except Exception:  # the full comparison says no to what cannot run
            return False
        T, N, D = self.at.xs.shape
        if stack.shape != (T, N, self.shape[0] * self.shape[1]):
            return False
        rows, xs = stack.reshape(T * N, *self.shape), self.at.xs.reshape(T * N, D)
        found = (rows.sum(axis=0)[:, None], np.einsum("rd,rgh->gdh", xs, rows))
        slack = self.trial.slack
        return all(
            bool((_apart(theirs, mine, MATCH * slack) & _apart(theirs, right, RIGHT * slack)).any())
            for theirs, mine, right in zip(found, self.mine, self.truth, strict=True)
        )


def _apart(one: Array, other: Array, limit: float) -> Array:
    """Tell by gate which blocks differ; NaN does."""
    gap = ((one - other) ** 2).sum(axis=(1, 2))
    apart: Array = ~(gap <= limit**2 * ((one**2).sum(axis=(1, 2)) + (other**2).sum(axis=(1, 2))))
    return apart


def made(trials: list[Trial], size: tuple[int, int]) -> Sieve | None:
    """Return the sieve for the trial of this size; None without one, or for a cell whose deltas are no plain arrays."""
    for trial in trials:
        names = {name.partition(":")[0] for name in trial.mine}
        cell = trial.bench.at.cell
        fits = cell.param_shapes().get("b_h", ())[-1:] == (max(len(gates_of(cell)), 1) * cell.hidden_size,)
        if (trial.bench.sizes["T"], trial.bench.sizes["N"]) == size and {"b_h", "W_xh"} <= names and fits:
            return Sieve(trial) if isinstance(_one_delta(trial), np.ndarray) else None
    return None


def _one_delta(trial: Trial) -> object:
    at = trial.bench.at
    return recursion(at, np.zeros_like(at.hs))[1][0]
