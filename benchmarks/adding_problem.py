"""The adding problem over 100 steps: mean squared error on fresh sequences against sequences trained on.

Run as `python -m benchmarks.adding_problem` (about ten minutes of CPU time); `--quick` takes one seed of the LSTM and
of the RNN, and saves nothing. Saves benchmarks/results/adding_problem.json, which notebook 11 shows.

64 units, Adam, the gradient's global norm clipped at 1, 1000 updates with 32 new sequences each; for one seed all kinds
see the same sequences. One thread, float32. Seconds are this process's own CPU time, data included, tests not; what
else runs on the machine still takes its share of the caches.

Chosen on seeds 100 to 105, which are not among those reported: the LSTM's start (forget biases 1, 3 and 5, smaller
recurrent weights, the chrono start's forget biases alone, the chrono start), the batch size (32 and 50; 16 to 100 for
the clock alone) and float32. The gated kinds take Adam's rate 0.01, the others the best of `RATES` on the seeds of
`TUNING`. The chrono start is told the length, T.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: one thread, so that CPU seconds are one core's
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.machine import save_result
from rnn_from_scratch.cells import GRUCell, IndRNNCell, LSTMCell, RNNCell, chrono_params, irnn_params
from rnn_from_scratch.data import adding_data
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.optim import Adam, clip_by_global_norm
from rnn_from_scratch.validate import ArgumentError

T, H, N, UPDATES, EVERY, FRESH = 100, 64, 32, 1000, 25, 400
CONSTANT = 2 / 12  # the error of always answering 1
TARGET = 0.01
SEEDS, TUNING = (0, 1, 2, 3, 4), (100, 101)
RATES = (0.01, 0.003, 0.001)
DTYPE = np.float32

#: By kind: the cell, its start (None: the cell's own), the rates to choose from.
KINDS: dict[str, tuple[Any, Callable[..., Any] | None, tuple[float, ...]]] = {
    "LSTM, chrono start": (LSTMCell(2, H), partial(chrono_params, longest=T), RATES[:1]),
    "LSTM, forget bias 1": (LSTMCell(2, H), None, RATES[:1]),
    "GRU, chrono start": (GRUCell(2, H), partial(chrono_params, longest=T), RATES[:1]),
    "GRU, zero biases": (GRUCell(2, H), None, RATES[:1]),
    "RNN": (RNNCell(2, H), None, RATES),
    "IRNN": (RNNCell(2, H, "relu"), irnn_params, RATES),
    "IndRNN": (IndRNNCell(2, H), None, RATES),
}


def train(kind: str, rate: float, seed: int, updates: int = UPDATES) -> dict[str, Any]:
    """Train from one seed; `final` is None if it was not finite.

    Returns {"final": the error on 2000 fresh sequences; "curve": on 400 others, every `EVERY` updates from 0 on;
    "to_target": sequences and seconds until the curve was first below the target, or None; "seconds": of all updates}.
    """
    cell, start, _ = KINDS[kind]
    model = SequenceModel(Recurrent(cell, engine="stepwise"), 1, task="regression", outputs="many-to-one")
    weights, stream, fresh = (np.random.default_rng([seed, part]) for part in range(3))
    params = model.init_params(rng=weights, dtype=DTYPE)
    if start is not None:
        params["recurrent"] = start(cell, rng=weights, dtype=DTYPE)
    optimizer = Adam(rate)
    memory = optimizer.init(params)
    xs, targets = draw(fresh, FRESH)

    curve = [error(model, params, xs, targets)]
    seconds, needed = 0.0, None
    try:
        for update in range(1, updates + 1):
            began = time.process_time()
            _, grads, _ = model.loss_and_grads(params, *draw(stream, N))
            params, memory = optimizer.update(params, clip_by_global_norm(grads, 1.0)[0], memory)
            seconds += time.process_time() - began
            if update % EVERY == 0:
                curve.append(error(model, params, xs, targets))
                if needed is None and curve[-1] < TARGET:
                    needed = {"sequences": update * N, "seconds": round(seconds, 2)}
        final = error(model, params, *draw(fresh, 5 * FRESH))
    except ArgumentError:  # a loss or a gradient that is not finite: the rate was too large
        final = None
    return {
        "final": final, "to_target": needed, "seconds": round(seconds, 2),
        "curve": [float(f"{value:.4g}") for value in curve],
    }


def draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return new sequences and their sums as float32."""
    xs, targets = adding_data(rng=rng, T=T, N=count)
    return xs.astype(DTYPE), targets.astype(DTYPE)


def error(model: SequenceModel, params: dict[str, Any], xs: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean squared error."""
    return float(model.loss(model.forward(params, xs)[0], targets)[0])


def best_rate(kind: str, seeds: Sequence[int] = TUNING) -> tuple[float, dict[str, list[float | None]]]:
    """Return the rate with the lowest mean final error on the tuning seeds, and all those errors."""
    rates = KINDS[kind][2]
    if len(rates) == 1:
        return rates[0], {}
    found = {rate: [train(kind, rate, seed)["final"] for seed in seeds] for rate in rates}
    means = {rate: np.mean([np.inf if final is None else final for final in finals]) for rate, finals in found.items()}
    return min(means, key=lambda rate: means[rate]), {str(rate): finals for rate, finals in found.items()}


def verdict(result: dict[str, Any]) -> str:
    """Say for each kind how many seeds were below the target at the end, after how many sequences and seconds."""
    lines = []
    for kind, rows in result["kinds"].items():
        below = [run for run in rows["runs"] if run["final"] is not None and run["final"] < result["target"]]
        line = f"{kind} (rate {rows['rate']:g}): {len(below)} of {len(rows['runs'])} seeds below {result['target']:g}"
        if below:
            needed = [run["to_target"] for run in below if run["to_target"] is not None]
            worst = max(run["final"] for run in below)
            line += f", the worst of them at {worst:.4f}"
            if needed:
                most, seconds = (max(one[key] for one in needed) for key in ("sequences", "seconds"))
                line += f", after at most {most} sequences and {seconds:.0f} s"
        lines.append(line)
    return "; ".join(lines) + "."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed, two kinds, 500 updates; nothing is saved")
    quick = parser.parse_args().quick
    kinds, seeds, updates = (list(KINDS), SEEDS, UPDATES) if not quick else (["LSTM, chrono start", "RNN"], (0,), 500)
    result: dict[str, Any] = {
        "settings": {
            "T": T, "H": H, "N": N, "updates": updates, "sequences": updates * N, "optimizer": "Adam",
            "clip": "global norm at 1", "dtype": DTYPE.__name__, "engine": "stepwise", "seeds": list(seeds),
            "tuning_seeds": list(TUNING), "fresh": FRESH, "fresh_at_the_end": 5 * FRESH,
            "seconds": "CPU time of one thread on a machine that others used at the same time",
        },
        "constant": CONSTANT, "target": TARGET, "marks": [update * N for update in range(0, updates + 1, EVERY)],
        "kinds": {},
    }
    for kind in kinds:
        rate, tuning = (KINDS[kind][2][-1], {}) if quick else best_rate(kind)
        result["kinds"][kind] = rows = {"rate": rate, "tuning": tuning, "runs": []}
        for seed in seeds:
            run = train(kind, rate, seed, updates)
            rows["runs"].append(run)
            print(f"{kind}, {rate}, seed {seed}: {run['final']} in {run['seconds']} s, {run['to_target']}", flush=True)
    result["verdict"] = verdict(result)
    print(result["verdict"])
    if not quick:
        print(save_result("adding_problem", result).name)


if __name__ == "__main__":
    main()
