"""Claim C2 (article §1.2, §4.3): with fewer parameters a network is faster.

A language model of dates as people write them, character by character. Every kind of cell reads the same batches from
the same seeds; each takes the best rate of one grid, on a seed that is not reported. Three things are told of each:
its size, the loss on days held out after equal updates, and the time of an update and of a pass, as ratios to the full
cell of its family, measured in turns in one process (c2_times.py, where the kinds stand too). Weights kept in less
room after training stand in c2_formats.py. The counterexample: networks with the same count and another time, and with
another count and the same time.

Times are those of the plain engine (`engine="stepwise"`), in float32, by the clock of this process's own CPU time.

Source: article §1.2, §4.3; benchmarks/compression.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params, leaves
from ...compression import count, prune, size_in_bytes
from ...data import START, bucketed_batches, date_vocabularies, split_dates
from ...models import LanguageModel
from ...optim import Adam, clip_by_global_norm
from .c2_formats import AGAIN, FORMATS, FULL, logits_of
from .c2_times import KINDS, POINTS, counterexample, model_of, timed

UNITS, BATCH, UPDATES, HELD_OUT = 128, 32, 300, 500
RATES = (0.003, 0.01, 0.03, 0.1)
TUNING_SEED = 100
SAME = 0.1  # a ratio this close to 1 is no difference: two copies of the same weights can differ as much

#: Two-sided 95 % quantile of Student's t by the number of seeds.
T_QUANTILE = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}


class Trained(NamedTuple):
    """How one training ended."""

    params: Params
    loss: float  # on the held-out days, nats a character


def batch_of(texts: Sequence[str]) -> tuple[Array, Array, Array]:
    """Return what the model reads, what it must say next, and the mask: (T, N) each."""
    targets, mask = date_vocabularies()[0].encode_batch(texts)
    return np.vstack([np.full((1, len(texts)), START), targets[:-1]]), targets, mask


@cache
def texts() -> tuple[list[str], list[str]]:
    """Return dates to train on and dates of days held out."""
    splits = split_dates(rng=np.random.default_rng(0), sizes=(8000, HELD_OUT, 1))
    return splits.train.sources, splits.validation.sources


def held_out_loss(logits: Callable[[Array], Array]) -> float:
    """Return the loss on the held-out dates of a function from indices to logits."""
    xs, targets, mask = batch_of(texts()[1])
    return float(LanguageModel.loss(logits(xs), targets, mask)[0])


def train(kind: str, rate: float, seed: int, updates: int = UPDATES, units: int = UNITS) -> Trained:
    """Train from one seed: Adam, the gradient's norm clipped at 1; for one seed all kinds read the same batches."""
    model = model_of(kind, units)
    weights, order = (np.random.default_rng([seed, part]) for part in range(2))
    params = model.init_params(rng=weights, dtype=np.float32)
    rule = Adam(rate)
    memory = rule.init(params)
    sources = texts()[0]
    done = 0
    while done < updates:
        for chosen in bucketed_batches([len(text) for text in sources], BATCH, rng=order):
            xs, targets, mask = batch_of([sources[n] for n in chosen])
            _, grads, _ = model.loss_and_grads(params, xs, targets, mask=mask)
            params, memory = rule.update(params, clip_by_global_norm(grads, 1.0)[0], memory)
            done += 1
            if done == updates:
                break
    return Trained(params, held_out_loss(lambda xs: model.forward(params, xs)[0]))


def best_rate(kind: str, rates: Sequence[float], updates: int, units: int) -> float:
    """Return the rate with the lowest loss on the tuning seed, climbing up or down from the middle of the grid."""
    losses: dict[int, float] = {}

    def loss(place: int) -> float:
        if place not in losses:
            losses[place] = train(kind, rates[place], TUNING_SEED, updates, units).loss
        return losses[place]

    best = (len(rates) - 1) // 2
    for way in (1, -1):
        while 0 <= best + way < len(rates) and loss(best + way) < loss(best):
            best += way
    return rates[best]


def difference(losses: Sequence[float], reference: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean of the paired differences and half the width of its 95 % interval (None for one seed)."""
    paired = np.subtract(losses, reference)
    n = len(paired)
    half = T_QUANTILE[n] * float(paired.std(ddof=1)) / n**0.5 if n > 1 else None
    return float(paired.mean()), half


def run(
    *, seeds: Sequence[int] = (0, 1, 2, 3, 4), kinds: Sequence[str] = tuple(KINDS),
    formats: Sequence[str] = tuple(FORMATS), rates: Sequence[float] = RATES, updates: int = UPDATES,
    units: int = UNITS, points: Sequence[tuple[int, int, bool]] = POINTS, rounds: int = 11,
    report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds : list of int
        Up to ten. Each draws a start and the order of the batches.
    kinds, formats : list of str
        Of `KINDS` and `FORMATS`; "LSTM" among the kinds, and the full cell of every other's family.
    rates : list of float
        One grid for all, ascending.
    updates, units : int
        Of each training.
    points : list of (units, sequences, whether updates are timed)
        What is timed.
    rounds : int
        Of every measurement in turns.
    report : callable, optional
        Called with a line after each kind.

    Returns
    -------
    dict
        `kinds` and `formats`, each with counts, bytes, losses by seed and their difference from the full ones;
        `points`, `counterexample`, `verdict`.
    """
    result: dict[str, Any] = {
        "claim": "C2", "engine": "stepwise", "dtype": "float32", "units": units, "updates": updates, "batch": BATCH,
        "seeds": list(seeds), "rates": list(rates), "tuning_seed": TUNING_SEED, "kinds": {}, "formats": {},
    }
    full: list[Params] = []
    for kind in kinds:
        rate = best_rate(kind, rates, updates, units)
        runs = [train(kind, rate, seed, updates, units) for seed in seeds]
        if kind == "LSTM":
            full = [one.params for one in runs]
        losses = [one.loss for one in runs]
        shapes = runs[0].params
        result["kinds"][kind] = {
            "parameters": count(shapes), "recurrent": recurrent_count(shapes), "bytes": size_in_bytes(shapes),
            "rate": rate, "losses": losses,
            "difference": difference(losses, result["kinds"].get(KINDS[kind].family, {"losses": losses})["losses"]),
        }
        if report is not None:
            report(f"{kind}: {count(shapes)} parameters, rate {rate:g}, loss {np.mean(losses):.4f}")
    model = model_of("LSTM", units)
    for name in formats:
        loads = [FORMATS[name].load(params) for params in full]
        losses = [held_out_loss(lambda xs, at=at: logits_of(model, at, xs)) for at in loads]  # type: ignore[misc]
        plain = result["kinds"]["LSTM"]["losses"]
        result["formats"][name] = {
            "parameters": not_zero(prune(full[0], FORMATS[name].sparsity)), "bytes": FORMATS[name].nbytes(full[0]),
            "losses": losses, "difference": difference(losses, plain),
        }
        if report is not None:
            report(f"{name}: {result['formats'][name]['bytes']} bytes, loss {np.mean(losses):.4f}")
    result["points"] = timed(kinds, formats, points, rounds)
    result["counterexample"] = counterexample(units, BATCH, rounds)
    result["verdict"] = verdict(result)
    return result


def recurrent_count(params: Params) -> int:
    """Return how many of the parameters stand between h_{t−1} and h_t."""
    return sum(array.size for name, array in params["recurrent"].items() if name in ("W_hh", "U", "V", "u"))


def not_zero(params: Params) -> int:
    """Return how many parameters are not zero."""
    return sum(int(np.count_nonzero(array)) for _, array in leaves(params))


def ratios_of(result: dict[str, Any], what: str) -> dict[str, list[tuple[int, float]]]:
    """Return (units, ratio) at each point of a "pass" or an "update", by every name but those of the full ones."""
    points = [row for row in result["points"] if what in row]
    found = {kind: [(row["units"], row[what][kind]) for row in points]
             for kind in result["kinds"] if kind != KINDS[kind].family}
    if what == "pass":
        found |= {name: [(row["units"], row["formats"][name]) for row in points]
                  for name in result["formats"] if name not in (FULL, AGAIN)}
    return found


def word_for(ratios: dict[str, list[tuple[int, float]]]) -> str:
    """Say whether fewer parameters save time: everywhere, nowhere, or under which condition."""
    shrinking = [name for name in ratios if name in KINDS and KINDS[name].shrinks]
    others = [name for name in ratios if name not in shrinking]

    def saves(names: Sequence[str], units: int = 0) -> list[bool]:
        """Whether time is saved, by name and point, from so many units on."""
        return [ratio < 1 - SAME for name in names for size, ratio in ratios[name] if size >= units]

    if all(saves(list(ratios))):
        return "holds"
    if not any(saves(list(ratios))):
        return "does not hold"
    sizes = sorted({size for found in ratios.values() for size, _ in found})
    all_from = [units for units in sizes if all(saves(shrinking, units))]
    if not all_from or any(saves(others)):
        return "holds for some ways to have fewer"
    large = f" and are large, here from {all_from[0]} units on" if all_from[0] > sizes[0] else ""
    return f"holds where a step's dense products become smaller{large}"


def verdict(result: dict[str, Any]) -> str:
    """Say in words which ways to have fewer parameters save time, by all points measured, and which cost loss."""
    passes, updates = ratios_of(result, "pass"), ratios_of(result, "update")
    by_gain: dict[str, list[str]] = {"Faster at every point": [], "Faster at some points": [], "Not faster": []}
    for name, found in passes.items():
        ratios = [ratio for _, ratio in found + updates.get(name, [])]
        saved = [ratio < 1 - SAME for ratio in ratios]
        head = list(by_gain)[0 if all(saved) else 1 if any(saved) else 2]
        by_gain[head].append(f"{name} ({min(ratios):.2f} to {max(ratios):.2f})")
    by_gain["A higher loss than the full one's (95 % interval)"] = [
        name for name, row in (result["kinds"] | result["formats"]).items()
        if row["difference"][1] is not None and row["difference"][0] > row["difference"][1]
    ]
    first, second, third = result["counterexample"]["models"].values()
    counts = first["parameters"], second["parameters"], third["parameters"]
    sentences = [f"{head}: {'; '.join(names)}." for head, names in by_gain.items() if names]
    return (
        f"For a pass it {word_for(passes)}; for an update it {word_for(updates)}. Time as a ratio to the full "
        f"network's. {' '.join(sentences)} The count decides nothing by itself: a pass of {counts[1]} parameters takes "
        f"{second['pass']:.2f} of the time of one of {counts[0]}, and one of {counts[2]} parameters "
        f"{third['pass']:.2f} (an update, which goes over all of them, {third['update']:.2f})."
    )
