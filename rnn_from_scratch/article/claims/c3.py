"""Claim C3 (article §1.2): more parallelism makes training and inference faster.

Three ways to do more at once on a processor, each with its own price:

- **more sequences** side by side, N from 1 to 256: sequences per second, for training and for inference; and what a
  learner cares for, seconds until the loss on unseen sequences is below a target;
- **all steps** at once: a recurrence that is linear in the state, as a scan beside the loop over T; and the cell that
  it allows, minGRU beside the GRU. A scan does more arithmetic than the loop, and fewer operations;
- **two threads** of BLAS beside one (c3_threads.py).

Times are this process's own CPU time, but for the threads; all sides in turns, in float32 (the learner in float64).
Seconds to the target are updates, which repeat exactly, times the time of an update; each N takes the best rate of one
grid.

Source: article §1.2; Blelloch (1990); notebook 16; benchmarks/claim_c3.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from ...arrays import Array
from ...cells import GRUCell, LSTMCell, MinGRUCell
from ...data import recall_data
from ...layers import Recurrent
from ...models import SequenceModel
from ...optim import Adam
from ...scan import scan_blelloch, scan_loop
from ...validate import ArgumentError
from . import c3_threads
from .c2_times import Side, in_turns
from .c4_ladder import Size

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LAYER = (50, 32, 64)  # T, D, H of the LSTM whose throughput is measured
LEARNERS = (1, 4, 16, 64, 256)
RATES = (0.01, 0.03, 0.1, 0.3)
TARGET, LAG, SYMBOLS, NOISE, UNITS = 0.1, 5, 4, 0.3, 32  # name the symbol of five steps before, inputs with noise
MOST_SEQUENCES, MOST_UPDATES = 32768, 6000  # after either a run is given up
SCANS = tuple((T, M) for T in (100, 1000, 8000) for M in (8, 32, 128, 512, 2048))  # steps, and N·H numbers a step
CELLS: Sequence[Size] = (
    (1, 100, 32, 32), (1, 1000, 32, 32), (1, 1000, 32, 128), (32, 1000, 32, 32), (32, 1000, 32, 128),
)
THREADED: Sequence[Size] = ((1, 100, 64, 128), (32, 100, 64, 64), (64, 50, 128, 256), (128, 20, 128, 512))
FASTER = 1.1  # a ratio below that is no difference


# More sequences


def throughput(batches: Sequence[int], layer: tuple[int, int, int], rounds: int) -> dict[str, list[float]]:
    """Return seconds of a training step and of an inference pass along the batch sizes."""
    found = {}
    for what, make in (("training", _train_side), ("inference", _infer_side)):
        sides = {str(N): make(LSTMCell(*layer[1:]), N, layer[0]) for N in batches}
        seconds, ratios = in_turns(sides, str(batches[0]), rounds)
        found[what] = [seconds * ratios[str(N)] for N in batches]
    return found


def updates_to_target(N: int, rate: float, seed: int, most: int) -> int | None:
    """Train on fresh sequences, N at a time; return the updates until the loss on 256 unseen ones is below the target.

    The loss is judged every 64 sequences or at every update, whichever is later.
    """
    weights, stream, unseen = (np.random.default_rng([seed, part]) for part in range(3))
    model, every = _learner(), max(1, 64 // N)
    params = model.init_params(rng=weights)
    xs_unseen, targets_unseen = _sequences(unseen, 256)
    rule = Adam(rate)
    memory = rule.init(params)
    try:
        for update in range(1, most + 1):
            _, grads, _ = model.loss_and_grads(params, *_sequences(stream, N))
            params, memory = rule.update(params, grads, memory)
            if update % every == 0:
                loss, _ = model.loss(model.forward(params, xs_unseen)[0], targets_unseen)
                if loss < TARGET:
                    return update
    except ArgumentError:  # a loss that is not finite: the rate was too large
        return None
    return None


def to_the_target(
    learners: Sequence[int], rates: Sequence[float], seeds: Sequence[int], rounds: int,
    report: Callable[[str], None] | None = None,
) -> dict[str, list[Any]]:
    """Return along the batch sizes the best rate, its updates (median over the seeds), and the seconds these take."""
    seconds, ratios = in_turns({str(N): _update_side(N) for N in learners}, str(learners[0]), rounds)
    clock = [seconds * ratios[str(N)] for N in learners]
    found: dict[str, list[Any]] = {"rate": [], "updates": [], "seconds_per_update": clock, "seconds": []}
    for N, update in zip(learners, clock, strict=True):
        most = min(MOST_UPDATES, MOST_SEQUENCES // N)
        medians = {rate: _median([updates_to_target(N, rate, seed, most) for seed in seeds]) for rate in rates}
        reached = {rate: value for rate, value in medians.items() if value is not None}
        best = min(reached, key=lambda rate: reached[rate]) if reached else None
        found["rate"].append(best)
        found["updates"].append(None if best is None else reached[best])
        found["seconds"].append(None if best is None else reached[best] * update)
        if report is not None:
            report(f"N = {N}: rate {best}, {found['updates'][-1]} updates, {found['seconds'][-1]} s")
    return found


def _sequences(rng: np.random.Generator, N: int) -> tuple[Array, Array]:
    xs, targets, _ = recall_data(rng=rng, lag=LAG, N=N, symbols=SYMBOLS)
    return xs + NOISE * rng.standard_normal(xs.shape), targets[-1]


def _learner() -> SequenceModel:
    return SequenceModel(Recurrent(LSTMCell(SYMBOLS + 1, UNITS)), SYMBOLS, outputs="many-to-one")


def _median(counts: Sequence[int | None]) -> float | None:
    """Return the median, a run that never arrived counting as the longest; None if the median run never did."""
    value = float(np.median([np.inf if count is None else count for count in counts]))
    return value if np.isfinite(value) else None


# All steps at once


def scans(shapes: Sequence[tuple[int, int]], rounds: int) -> list[dict[str, Any]]:
    """Return for each (T, N·H) the seconds of Blelloch's scan, and the loop's time as a ratio to it."""
    found = []
    for T, M in shapes:
        rng = np.random.default_rng(0)
        a, b = rng.uniform(0, 1, (T, M)).astype(np.float32), rng.standard_normal((T, M), dtype=np.float32)
        h0 = np.zeros(M, np.float32)
        sides = {"loop": _call(scan_loop, a, b, h0), "scan": _call(scan_blelloch, a, b, h0)}
        seconds, ratios = in_turns(sides, "scan", rounds)
        found.append({"T": T, "numbers": M, "seconds": seconds, "loop": ratios["loop"]})
    return found


def cells(sizes: Sequence[Size], rounds: int) -> list[dict[str, Any]]:
    """Return for each size the seconds of minGRU's training step, and the GRU's as a ratio to it."""
    found = []
    for N, T, D, H in sizes:
        sides = {"minGRU": _train_side(MinGRUCell(D, H), N, T), "GRU": _train_side(GRUCell(D, H), N, T)}
        seconds, ratios = in_turns(sides, "minGRU", rounds)
        found.append({"size": [N, T, D, H], "seconds": seconds, "GRU": ratios["GRU"]})
    return found


# The sides


def _call(function: Callable[..., object], *arrays: Any) -> Side:
    def fresh() -> Callable[[], object]:
        own = deepcopy(arrays)
        return lambda: function(*own)

    return fresh


def _train_side(cell: Any, N: int, T: int) -> Side:
    """A forward and a backward pass."""
    layer, rng = Recurrent(cell), np.random.default_rng(0)
    params = layer.init_params(rng=rng, dtype=np.float32)
    xs, dhs = (rng.standard_normal((T, N, size), dtype=np.float32) for size in (cell.input_size, cell.hidden_size))

    def train(params: Any, xs: Any, dhs: Any) -> object:
        return layer.backward(params, dhs, layer.forward(params, xs)[2])

    return _call(train, params, xs, dhs)


def _infer_side(cell: Any, N: int, T: int) -> Side:
    layer, rng = Recurrent(cell), np.random.default_rng(0)
    params = layer.init_params(rng=rng, dtype=np.float32)
    return _call(layer.infer, params, rng.standard_normal((T, N, cell.input_size), dtype=np.float32))


def _update_side(N: int) -> Side:
    """An update of the learner, with the sequences drawn for it."""
    model, rule, rng = _learner(), Adam(0.01), np.random.default_rng(0)

    def update(params: Any, memory: Any) -> object:
        _, grads, _ = model.loss_and_grads(params, *_sequences(rng, N))
        return rule.update(params, grads, memory)

    params = model.init_params(rng=rng)
    return _call(update, params, rule.init(params))


# The experiment


def run(
    *, batches: Sequence[int] = BATCHES, layer: tuple[int, int, int] = LAYER, learners: Sequence[int] = LEARNERS,
    rates: Sequence[float] = RATES, seeds: Sequence[int] = (0, 1, 2), shapes: Sequence[tuple[int, int]] = SCANS,
    sizes: Sequence[Size] = CELLS, threaded: Sequence[Size] = THREADED, rounds: int = 9,
    report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    batches, learners : list of int
        N, ascending: of the throughput, and of the training to a target.
    layer : (T, D, H)
        Of the LSTM whose throughput is measured.
    rates, seeds : list
        One grid for all N; each seed draws a start and a stream of sequences.
    shapes : list of (T, N·H)
        Of the scans.
    sizes, threaded : list of (N, T, D, H)
        Of minGRU and GRU; of the LSTM with one and two threads ([] leaves the threads out).
    rounds : int
        Of every measurement in turns.
    report : callable, optional
        Called with a line now and then.

    Returns
    -------
    dict
        `batches` and `seconds` along them, `sequences_per_second`; `learning`; `scan`; `minGRU`; `threads`; `verdict`.
    """
    seconds = throughput(batches, layer, rounds)
    result: dict[str, Any] = {
        "claim": "C3", "dtype": "float32", "T, D, H": list(layer), "batches": list(batches), "seconds": seconds,
        "sequences_per_second": {
            what: [N / took for N, took in zip(batches, times, strict=True)] for what, times in seconds.items()
        },
        "target": TARGET, "lag": LAG, "noise": NOISE, "learners": list(learners), "rates": list(rates),
        "seeds": list(seeds),
    }
    if report is not None:
        report(f"sequences per second: {[round(found) for found in result['sequences_per_second']['training']]}")
    result["learning"] = to_the_target(learners, rates, seeds, rounds, report)
    result["scan"] = scans(shapes, rounds)
    result["minGRU"] = cells(sizes, rounds)
    if report is not None:
        told = (f"{row['T']}, {row['numbers']}: {row['loop']:.2f}" for row in result["scan"])
        report("loop / scan: " + ", ".join(told))
        report("GRU / minGRU: " + ", ".join(f"{row['size']}: {row['GRU']:.2f}" for row in result["minGRU"]))
    result["threads"] = c3_threads.compare(threaded, rounds=rounds, report=report) if threaded else []
    result["verdict"] = verdict(result)
    return result


def verdict(result: dict[str, Any]) -> str:
    """Say in words, way by way, whether doing more at once is faster."""
    parts = [_batch_words(result), _scan_words(result["scan"], result["minGRU"]), _thread_words(result["threads"])]
    return " ".join(part for part in parts if part)


def _batch_words(result: dict[str, Any]) -> str:
    batches, learning = result["batches"], result["learning"]
    grows = {what: found[-1] / found[0] for what, found in result["sequences_per_second"].items()}
    word = "holds" if min(grows.values()) > FASTER else "does not hold"
    times = " and ".join(f"{times:.0f} times ({what})" for what, times in grows.items())
    span = f"from N = {batches[0]} to N = {batches[-1]}"
    first = f"More sequences at once: for sequences per second it {word}, {span} {times}"
    arrived = {N: s for N, s in zip(result["learners"], learning["seconds"], strict=True) if s is not None}
    if not arrived:
        return f"{first}; no N reached the target."
    fastest, largest = min(arrived, key=lambda N: arrived[N]), result["learners"][-1]
    if largest in arrived and arrived[largest] <= FASTER * arrived[fastest]:
        return f"{first}; for seconds to a given loss it holds up to N = {largest}."
    ratio = f"takes {arrived[largest] / arrived[fastest]:.1f} times as long" if largest in arrived else "never does"
    held = "does not hold" if fastest == result["learners"][0] else f"holds up to N = {fastest} alone"
    return f"{first}; for seconds to a given loss it {held}: N = {fastest} arrives first, N = {largest} {ratio}."


def _scan_words(found: Sequence[dict[str, Any]], minimal: Sequence[dict[str, Any]]) -> str:
    faster = [row for row in found if row["loop"] > FASTER]
    most = max((row["loop"] for row in found), default=0.0)
    if not faster:
        word = "does not hold"
    elif len(faster) == len(found):
        word = "holds"
    else:
        widest = max((row["numbers"] for row in found
                      if all(other in faster for other in found if other["numbers"] <= row["numbers"])), default=None)
        few = f"holds where a step has few numbers, here up to N·H = {widest}"
        word = "holds for some shapes" if widest is None else few
    ratios, cell = [row["GRU"] for row in minimal], ""
    if ratios:
        cell = f" A minGRU, which allows it, trains {min(ratios):.1f} to {max(ratios):.1f} times as fast as a GRU."
    return f"All steps at once: it {word}; the loop takes up to {most:.1f} times as long as the scan.{cell}"


def _thread_words(found: Sequence[dict[str, Any]]) -> str:
    if not found:
        return ""
    count = list(found[0]["times"])[-1]
    gains = [(row["size"], 1 / row["times"][count]) for row in found]
    faster = [size for size, gain in gains if gain > FASTER]
    word = "holds" if len(faster) == len(gains) else "does not hold" if not faster else "holds at some sizes"
    told = ", ".join(f"{gain:.2f} at N·H = {size[0] * size[3]}" for size, gain in gains)
    return f"{count} threads of BLAS: it {word}; times as fast as one: {told}."
