"""Claim C7 (article §2.5): truncating (that is, clipping) the gradient avoids explosion.

A recall task over a lag of fifteen steps, with a recurrent matrix of spectral radius 1.8, so that gradients explode.
Plain gradient descent at five rates, with no clip, with the article's as printed (both readings), by value and by
global norm. A run is solved if its mean loss over the last 20 updates is below 0.1.

Source: article §2.5; Pascanu, Mikolov & Bengio (2013); notebook 07; benchmarks/claim_c7.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params, global_norm
from ...cells import RNNCell
from ...data import recall_data
from ...layers import Recurrent
from ...models import SequenceModel
from ...optim import GradientDescent, clip_as_printed, clip_as_printed_by_norm, clip_by_global_norm, clip_by_value
from ...validate import ArgumentError

RADIUS, LAG, SYMBOLS, HIDDEN, SEQUENCES = 1.8, 15, 4, 32, 16
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
SOLVED = 0.1

#: C = 0.1 for an entry, 1 for the norm.
CLIPS: dict[str, Callable[[Params], tuple[Params, float]]] = {
    "none": lambda grads: (grads, global_norm(grads)),
    "as printed, entries": lambda grads: clip_as_printed(grads, 0.1),
    "as printed, norm": lambda grads: clip_as_printed_by_norm(grads, 1.0),
    "by value": lambda grads: clip_by_value(grads, 0.1),
    "by norm": lambda grads: clip_by_global_norm(grads, 1.0),
}


class Outcome(NamedTuple):
    """How one training ended."""

    loss: float | None  # mean of the last 20 updates; None if it was not finite
    largest_norm: float  # of the raw gradient, before any clip


def random_matrix(H: int, radius: float, *, rng: np.random.Generator) -> Array:
    """Return a random normal (H, H) matrix scaled to this spectral radius."""
    W: Array = rng.standard_normal((H, H))
    scaled: Array = W * (radius / np.abs(np.linalg.eigvals(W)).max())
    return scaled


def exploding_start(seed: int, radius: float = RADIUS) -> tuple[SequenceModel, Params, np.random.Generator]:
    """Return a model whose W_hh is a random normal matrix scaled to this spectral radius, and the generator."""
    rng = np.random.default_rng(seed)
    model = SequenceModel(Recurrent(RNNCell(SYMBOLS + 1, HIDDEN), engine="stepwise"), SYMBOLS)
    params = model.init_params(rng=rng)
    params["recurrent"]["W_hh"] = random_matrix(HIDDEN, radius, rng=rng)
    return model, params, rng


def train(clip: str, rate: float, seed: int, updates: int) -> Outcome:
    """Train from `exploding_start(seed)` on fresh sequences at each update."""
    model, params, rng = exploding_start(seed)
    optimizer = GradientDescent(rate)
    state = optimizer.init(params)
    losses: list[float] = []
    largest = 0.0
    try:
        for _ in range(updates):
            xs, targets, mask = recall_data(rng=rng, lag=LAG, N=SEQUENCES, symbols=SYMBOLS)
            loss, grads, _ = model.loss_and_grads(params, xs, targets, target_mask=mask)
            grads, norm = CLIPS[clip](grads)
            params, state = optimizer.update(params, grads, state)
            losses.append(float(loss))
            largest = max(largest, norm)
    except ArgumentError:  # a loss or a gradient that is not finite
        return Outcome(None, largest)
    return Outcome(float(np.mean(losses[-20:])), largest)


def run(
    *, seeds: Sequence[int] = tuple(range(10)), rates: Sequence[float] = RATES, clips: Sequence[str] = tuple(CLIPS),
    updates: int = 500, report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds : list of int
        Each draws a start and a stream of sequences; the same for every clip and rate.
    rates : list of float
        Learning rates, ascending.
    clips : list of str
        Names of `CLIPS`.
    updates : int
        Of each run.
    report : callable, optional
        Called with a line after each clip and rate.

    Returns
    -------
    dict
        By clip, along `rates`: `solved` (how many seeds), `losses` (by seed; None: not finite), `largest_norm` (the
        largest raw gradient norm, median over seeds). And the verdict.
    """
    result: dict[str, Any] = {
        "claim": "C7", "radius": RADIUS, "lag": LAG, "updates": updates, "solved_below": SOLVED, "seeds": list(seeds),
        "rates": list(rates), "clips": {},
    }
    for clip in clips:
        rows: dict[str, Any] = {"solved": [], "losses": [], "largest_norm": []}
        for rate in rates:
            outcomes = [train(clip, rate, seed, updates) for seed in seeds]
            rows["losses"].append([outcome.loss for outcome in outcomes])
            rows["solved"].append(sum(outcome.loss is not None and outcome.loss < SOLVED for outcome in outcomes))
            rows["largest_norm"].append(float(np.median([outcome.largest_norm for outcome in outcomes])))
            if report is not None:
                report(f"{clip}, rate {rate}: {rows['solved'][-1]} of {len(seeds)} solved")
        result["clips"][clip] = rows
    result["verdict"] = verdict(result)
    return result


def enough_seeds(result: dict[str, Any]) -> int:
    """Return how many solved seeds make a rate usable: eight of ten."""
    return int(np.ceil(0.8 * len(result["seeds"])))


def usable_rates(result: dict[str, Any], clip: str) -> list[float]:
    """Return the rates at which enough seeds are solved."""
    enough = enough_seeds(result)
    solved = result["clips"][clip]["solved"]
    return [rate for rate, count in zip(result["rates"], solved, strict=True) if count >= enough]


def verdict(result: dict[str, Any]) -> str:
    """Say in words what each clip does to the usable rates, and whether the raw gradient still explodes."""
    ranges = []
    for clip in result["clips"]:
        usable = usable_rates(result, clip)
        ranges.append(f"{clip}: " + (f"{usable[0]:g} to {usable[-1]:g}" if usable else "none"))
    top = {clip: max(usable_rates(result, clip), default=0.0) for clip in result["clips"]}
    real = [top[clip] for clip in ("by value", "by norm") if clip in top]
    printed = [top[clip] for clip in ("as printed, entries", "as printed, norm") if clip in top]
    plain = top.get("none", 0.0)
    if real and min(real) > plain and all(value <= plain for value in printed):
        word = "Holds for clips that keep to C; does not hold for the formula as printed"
    elif real and min(real) > plain:
        word = "Holds"
    else:
        word = "Does not hold"
    norms = [max(rows["largest_norm"]) for clip, rows in result["clips"].items() if clip in ("by value", "by norm")]
    sizes = f"norms up to {max(norms):.0f}, median over seeds" if norms else ""
    explodes = f" The raw gradient still explodes ({sizes}); the step does not." if norms else ""
    enough = f"at least {enough_seeds(result)} of {len(result['seeds'])} seeds solved"
    return f"{word}. Usable rates ({enough}): {'; '.join(ranges)}.{explodes}"
