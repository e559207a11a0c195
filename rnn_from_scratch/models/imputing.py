"""Prediction of missing values by a model: a recurrent network trained on what is there fills what is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params
from ..data.missing import Entries, observed_entries
from ..optim import Adam, clip_by_global_norm
from .imputation import ImputationModel, bidirectional_imputer
from .imputation_inputs import (
    ImputationStatistics,
    holes_to_learn,
    imputation_inputs,
    imputation_statistics,
    standardised,
    windows_to_learn,
)


class ImputationFit(NamedTuple):
    """A trained model's weights and scales, and how training went."""

    params: Params
    statistics: ImputationStatistics
    losses: tuple[float, ...]  # at each update, on the values hidden there, in standard deviations squared


@dataclass(frozen=True)
class ModelFilling:
    """Filling by a model, with `fit` and `transform` as the methods of `data/filling.py` have them.

    Parameters
    ----------
    model : ImputationModel
        `bidirectional_imputer(F)` makes one.
    updates, batch_size : int
        Each update takes so many windows; where there are fewer sequences, one gives several.
    window : int, optional
        Steps of a window; default all T, at most 64.
    share : (float, float)
        Of each window, between these shares of what is there are hidden. Hide as much as will be missing.
    block : int
        Hidden stretches have up to so many steps. Holes of another kind than those to fill teach another task.
    optimizer
        Anything with init and update.
    schedule : callable, optional
        schedule(update) -> factor of the learning rate.
    clip : float
        The gradient's largest global norm.

    Source: article §5 Q3, claim C10; notebook 15; tests/models/test_imputing.py.
    """

    model: ImputationModel
    updates: int = 400
    batch_size: int = 32
    window: int | None = None
    share: tuple[float, float] = (0.1, 0.6)
    block: int = 1
    optimizer: Any = field(default_factory=lambda: Adam(0.01))
    schedule: Callable[[int], float] | None = None
    clip: float = 1.0

    def __post_init__(self) -> None:
        where = "ModelFilling"
        if not isinstance(self.model, ImputationModel):
            validate.fail(where, f"model is {self.model!r:.60}", "an ImputationModel", "it predicts the values",
                          "Try bidirectional_imputer(features).", validate.DtypeError)
        validate.sizes(where, self, "updates", "batch_size", "block")
        if self.window is not None:
            validate.sizes(where, self, "window")
        if not isinstance(self.share, tuple | list) or len(self.share) != 2:
            validate.fail(where, f"share is {self.share!r}", "two numbers, the lowest and the highest share to hide",
                          "each window draws its own", "For one share say (0.3, 0.3).")
        low, high = (validate.number(where, "share", part, above=0.0, below=1.0) for part in self.share)
        if low > high:
            validate.fail(where, f"share is {self.share!r}", "the lowest share first")
        object.__setattr__(self, "share", (low, high))
        if not hasattr(self.optimizer, "update"):
            validate.fail(where, f"optimizer is {self.optimizer!r:.60}", "an object with init() and update()",
                          error=validate.DtypeError)
        if self.schedule is not None and not callable(self.schedule):
            validate.fail(where, f"schedule is {self.schedule!r:.60}", "a function of the update",
                          error=validate.DtypeError)
        validate.number(where, "clip", self.clip, above=0.0, because="it is the largest norm allowed")

    def fit(
        self, xs: Array, observed: Array | None = None, mask: Array | None = None, *, rng: np.random.Generator
    ) -> ImputationFit:
        """Train on what is there.

        Parameters
        ----------
        xs : (T, N, F), or (T, F) for one long series
            The training part, with its holes.
        observed, mask
            As in `data.missing.observed_entries`.
        rng : Generator
            Draws the start, the windows and what is hidden: the same generator gives the same model.

        Returns
        -------
        ImputationFit

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            Bad arguments; a feature of which less than two values were seen; fewer than three steps, or than the
            window has; a loss that is not finite.
        """
        where = "ModelFilling.fit"
        validate.generator(where, rng)
        entries = self._entries(where, xs, observed, mask)
        T = len(entries.values)
        if T < 3:
            validate.fail(where, f"xs has {T} steps", "at least 3", "a value in between is learned from its neighbours")
        steps = min(T, 64) if self.window is None else self.window
        if not 3 <= steps <= T:
            validate.fail(where, f"window is {steps}", f"3 … {T}", f"xs has {T} steps")
        statistics = imputation_statistics(where, entries)
        values = standardised(statistics, entries)
        params = self.model.init_params(rng=rng, dtype=values.dtype)
        state = self.optimizer.init(params)
        losses: list[float] = []
        for update in range(self.updates):
            at = windows_to_learn(entries, steps, self.batch_size, rng)
            here, seen, real = values[at], entries.seen[at], entries.real[at]
            hidden = holes_to_learn(seen, self.share, self.block, rng)
            inputs = imputation_inputs(here, seen & ~hidden, real, self.model.base)
            loss, grads, _ = self.model.loss_and_grads(params, inputs, here, None, real, hidden, rng=rng)
            if not np.isfinite(loss):
                validate.fail(where, f"update {update + 1} has a loss of {loss}", "a finite loss", "training diverged",
                              "Lower the learning rate or the clip.")
            optimizer = self.optimizer
            if self.schedule is not None:
                rate = optimizer.learning_rate * self.schedule(update)
                optimizer = dataclasses.replace(optimizer, learning_rate=rate)
            params, state = optimizer.update(params, clip_by_global_norm(grads, self.clip)[0], state)
            losses.append(float(loss))
        return ImputationFit(params, statistics, tuple(losses))

    def transform(
        self, statistics: ImputationFit, xs: Array, observed: Array | None = None, mask: Array | None = None
    ) -> Array:
        """Fill xs, of any length, with the model's predictions; what was seen comes out bit for bit as it went in.

        Parameters
        ----------
        statistics : ImputationFit
            From `fit`, on the training part.
        xs, observed, mask
            As in `fit`. A feature that this part never shows is predicted from the others.

        Returns
        -------
        filled : as xs
            Zeros on padding.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            As in `fit`; something else than an ImputationFit.
        """
        where = "ModelFilling.transform"
        if not isinstance(statistics, ImputationFit):
            validate.fail(where, f"statistics is a {type(statistics).__name__}", "the ImputationFit that fit returned",
                          error=validate.DtypeError)
        entries = self._entries(where, xs, observed, mask)
        params, scales, _ = statistics
        validate.same_dtype(where, xs=entries.values, statistics=scales.mean)
        inputs = imputation_inputs(standardised(scales, entries), entries.seen, entries.real, self.model.base)
        filling = self.model.predict(params, inputs, mask=entries.real) * scales.scale + scales.mean
        filled = np.where(entries.seen, entries.values, filling)
        return entries.shaped(np.where(entries.real[..., None], filled, np.zeros((), filled.dtype)))

    def _entries(self, where: str, xs: Array, observed: Array | None, mask: Array | None) -> Entries:
        entries = observed_entries(where, xs, observed, mask)
        F = self.model.features
        if entries.values.shape[-1] != F:
            validate.fail(where, f"xs has {entries.values.shape[-1]} features", f"{F}",
                          f"the model reads 4 · {F} columns", "", validate.ShapeError)
        return entries


def impute(
    xs: Array, observed: Array | None = None, mask: Array | None = None, *, rng: np.random.Generator,
    hidden_size: int = 16, base: str = "interpolation", **choices: Any,
) -> Array:
    """Fit a model on xs and fill xs with it: the short way where there is no separate training part.

    Parameters
    ----------
    xs : (T, N, F), or (T, F) for one long series
        With its holes.
    observed, mask
        As in `data.missing.observed_entries`.
    rng : Generator
        As in `ModelFilling.fit`.
    hidden_size : int
        Of the GRU in each direction.
    base : str
        The first filling, see `ImputationModel`.
    **choices
        Of `ModelFilling`: updates, share, block, …

    Returns
    -------
    filled : as xs
        What was seen is untouched.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As in `ModelFilling.fit`.

    Source: article §5 Q3; notebook 15; tests/models/test_imputing.py.
    """
    features = observed_entries("impute", xs, observed, mask).values.shape[-1]
    method = ModelFilling(bidirectional_imputer(features, hidden_size, base), **choices)
    return method.transform(method.fit(xs, observed, mask, rng=rng), xs, observed, mask)
