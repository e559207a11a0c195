r"""The learning-rate range test: one short training in which the rate rises at every update.

At rates far too small the loss stays where it was; at good ones it falls; at too large ones it rises. A single sweep of
some hundred updates shows all three, and says where to begin looking, not what is best: the rates near the suggestion
still have to be tried.

Source: Smith (2017), §3.3, whose rate rises along a line (a geometric rise as here is fast.ai's); notebook 06;
tests/training/test_range_test.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params, leaves
from .calling import check_fits, gradients
from .plan import Clip, check_rate, checked_clip, clipped

FEWEST = 20  # updates: with fewer, a curve cannot be told from its noise
EXPLODED = 2.0  # times the first loss
SURE = 4.0  # standard errors
SHARE = 0.8  # of the fall


class RangeTest(NamedTuple):
    """What a range test saw."""

    rates: Array  # (n,) of each update that was made or tried
    losses: Array  # (n,) of each update's batch, before the update: a rate's harm shows one entry later
    smoothed: Array  # (n,) the mean of the losses around
    suggestion: float | None  # a rate to begin with; None where the curve gives none
    reason: str  # how it was chosen, or why there is none

    def plot(self) -> Any:
        """Return a matplotlib Figure: the losses against the rate, with the suggestion."""
        from ..plots import range_test as draw

        return draw(self.rates, self.losses, self.smoothed, self.suggestion)


def range_test(
    model: Any, params: Params, source: Any, optimizer: Any, *, lowest: float = 1e-5, highest: float = 10.0,
    updates: int = 100, clip: Clip | float | None = None,
    rng: np.random.Generator | None = None,
) -> RangeTest:
    """Raise the learning rate from `lowest` to `highest` over some updates, and suggest one.

    Parameters
    ----------
    model, params, optimizer, clip, rng
        As in `train`; params stay as they are. The optimiser's own rate does not matter.
    source : a source, or batches
        `Sequences`, `Streams`, …, or anything that gives batches again and again, such as a list of what `minibatches`
        gives. It starts anew when it ends; an iterator that cannot must have one batch for each update.
    lowest, highest : float
        The first and the last rate; the ones between grow by one factor.
    updates : int
        At least 20. With more, each rate acts for longer and the curve is smoother.

    Returns
    -------
    RangeTest
        The sweep ends early where a loss or gradient is not finite, or the mean of the last three losses is above twice
        the mean of the first three.

    Raises
    ------
    ArgumentError
        Bad arguments or batches; batches that end too early; a first loss that is not finite.

    Source: Smith (2017), §3.3; notebook 06; tests/training/test_range_test.py.
    """
    where = "range_test"
    for name, value, needed in (
        ("model", model, "loss_and_grads"), ("optimizer", optimizer, "update"), ("optimizer", optimizer, "init"),
    ):
        if not hasattr(value, needed) or isinstance(value, type):
            validate.fail(where, f"{name} is {value!r:.60}", f"an object with {needed}()", error=validate.DtypeError)
    check_rate(where, optimizer, "its learning_rate is what is tested")
    lowest = validate.number(where, "lowest", lowest, above=0.0)
    highest = validate.number(where, "highest", highest, above=lowest, because=f"the rates rise from lowest={lowest:g}")
    if validate.size(where, "updates", updates) < FEWEST:
        because = "with fewer a fall cannot be told from noise"
        validate.fail(where, f"updates is {updates}", f"at least {FEWEST}", because)
    if rng is not None:
        validate.generator(where, rng)
    clip = checked_clip(where, clip)
    carries, batches = _batches(where, model, source, rng)

    rates = np.geomspace(lowest, highest, updates)
    first, state, carried = params, optimizer.init(params), None
    losses: list[float] = []
    exploded = False
    for rate in rates:
        batch, anew = next(batches, (None, False))
        if batch is None:
            validate.fail(
                where, f"the batches ended after {len(losses)}", f"{updates}, one for each update",
                "an iterator gives each batch once", "Pass a list of them, or a source such as Sequences.",
            )
        carried = None if anew else carried
        try:
            with np.errstate(all="ignore"):  # a rate that is too large is what is looked for
                loss, grads, carried = _gradients(model, params, batch, carries, carried, rng)
                if clip is not None:
                    grads = clipped(where, clip, grads)
                params, state = replace(optimizer, learning_rate=float(rate)).update(params, grads, state)
        except validate.ArgumentError:
            if not losses:
                raise
            _gradients(model, first, batch, carries, None, rng)  # raises where the batch is at fault, not the rate
            exploded = True
            break
        losses.append(loss)
        if len(losses) > 3 and _mean(losses[-3:]) > EXPLODED * _mean(losses[:3]):
            exploded = True
            break
        if not all(np.isfinite(array).all() for _, array in leaves(params)):
            exploded = True
            break
    seen = np.array(losses)
    smoothed, suggestion, reason = suggest(rates[: len(seen)], seen, exploded)
    return RangeTest(rates[: len(seen)], seen, smoothed, suggestion, reason)


def suggest(rates: Array, losses: Array, exploded: bool) -> tuple[Array, float | None, str]:
    """Return the smoothed losses, a rate or None, and the sentence that says why.

    The rate suggested is the first at which the smoothed loss has made four fifths of its fall: beyond the small rates
    that only begin to act, and before the lowest point, where the edge is near. In benchmarks/range_suggestions.py, on
    whose tasks the four fifths were chosen, it ends lower on average than the two usual choices, the place of the
    steepest fall and a tenth of the lowest point's rate.

    A fall counts if it is more than four standard errors of the smoothing, and more than a hundredth of the loss.
    """
    n = len(losses)
    half = max(1, n // 20)
    smoothed = np.array([_mean(losses[max(0, k - half) : k + half + 1]) for k in range(n)])
    lowest_at = int(smoothed.argmin())
    start = float(smoothed[min(half, n - 1)])
    fall = start - float(smoothed[lowest_at])
    jumps = np.abs(np.diff(losses[: max(lowest_at, 2 * half) + 1]))
    noise = float(np.median(jumps)) / 0.954 if n > 1 else 0.0  # of two normal numbers' difference: 0.954 σ
    error = noise * np.sqrt(2.0 / (2 * half + 1))
    if fall <= max(SURE * error, 0.01 * abs(start)) or lowest_at <= half:
        if exploded:
            return smoothed, None, (
                f"No suggestion: the loss exploded at a rate of {rates[-1]:.2g} and had not fallen before. Every rate "
                f"tried may be too large: try lowest={rates[0] / 1000:.1g}, more updates, or clipping."
            )
        return smoothed, None, (
            f"No suggestion: from {rates[0]:.2g} to {rates[-1]:.2g} the loss did not fall by more than its noise. Try "
            "a higher `highest`, more updates or larger batches; if nothing helps, look for a mistake in the data or "
            "the gradient."
        )
    at = half + int(np.argmax(smoothed[half:] <= start - SHARE * fall))
    reason = (
        f"{rates[at]:.2g} is the first rate at which the smoothed loss has made four fifths of its fall, from "
        f"{start:.3g} to {smoothed[lowest_at]:.3g}; it is lowest at {rates[lowest_at]:.2g}, "
        + (f"and explodes at {rates[-1]:.2g}." if exploded else f"and was followed up to {rates[-1]:.2g}.")
    )
    late = float(smoothed[max(0, n - 1 - 4 * half)] - smoothed[lowest_at])
    if not exploded and lowest_at >= n - 1 - half and late > 0.1 * fall:
        reason += " It still falls at the end: try a higher `highest`."
    return smoothed, float(rates[at]), reason


def _mean(losses: Any) -> float:
    """Return the mean, without an overflow where losses are near the largest number."""
    return float(np.sum(np.asarray(losses) / len(losses)))


def _gradients(
    model: Any, params: Params, batch: Any, carries: bool, carried: Any, rng: np.random.Generator | None
) -> tuple[float, Params, Any]:
    """Return loss, gradients and final state; raise if the loss is not finite."""
    loss, grads, final = gradients("range_test", model, params, batch, carries, carried, rng)
    validate.finite("range_test", "the loss", np.asarray(loss))
    return loss, grads, final


def _batches(
    where: str, model: Any, source: Any, rng: np.random.Generator | None
) -> tuple[bool, Iterator[tuple[Any, bool]]]:
    """Return whether the state is carried, and batches without end, each with whether it begins an epoch."""
    of_source = hasattr(source, "epoch") and not isinstance(source, type)
    if not of_source and (isinstance(source, str | dict | np.ndarray) or not isinstance(source, Iterable)):
        validate.fail(
            where, f"source is a {type(source).__name__}", "a source such as Sequences, or a list of batches", "",
            "Try Sequences(xs, targets, batch_size=32).", validate.DtypeError,
        )

    carries = bool(getattr(source, "carries", False))

    def endless() -> Iterator[tuple[Any, bool]]:
        while True:
            got = False
            for batch in source.epoch(rng) if of_source else source:
                if not got:
                    check_fits(where, model, batch, carries)
                yield batch, not got
                got = True
            if not got or (not of_source and iter(source) is source):
                return

    return carries, endless()
