"""The adding problem over 150 steps: an IRNN beside an LSTM and a tanh RNN (Le, Jaitly & Hinton 2015, section 4.1).

Run as `python -m benchmarks.irnn_adding` (about a quarter of an hour of one core); an interrupted run goes on where it
was. `--quick` takes one seed at T = 20 for at most 1500 updates, and saves nothing. Saves
benchmarks/results/irnn_adding.json.

From the paper: T = 150, two numbers marked anywhere; 100 units, so that the LSTM has four times the weights; batches of
16; the IRNN starts with W_hh = I, biases 0, all other weights from N(0, 0.001²).
Not from the paper: it trains by gradient descent with clipping, each kind at the best of a grid of rates and
thresholds. Here it is Adam, each kind at one rate, chosen on seed 100; and once gradient descent for the IRNN, at one
rate. The LSTM's forget biases start at 1. The global norm is clipped at 1; at most 20,000 updates with fresh sequences;
float32.

A run is looked at every 500 updates on 500 sequences; below 0.01 it ends, and 2000 fresh sequences tell its error.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: one thread
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from functools import partial
from typing import Any

import numpy as np

from benchmarks.jobs import forget, run_jobs
from benchmarks.machine import save_result
from rnn_from_scratch.arrays import Array, Params
from rnn_from_scratch.cells import LSTMCell, RNNCell, irnn_params
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.optim import Adam, GradientDescent, clip_by_global_norm
from rnn_from_scratch.validate import ArgumentError

T, H, N, UPDATES, EVERY, LOOK, FRESH = 150, 100, 16, 20_000, 500, 500, 2000
SEEDS, CONSTANT, LEARNED, TARGET = (0, 1, 2), 2 / 12, 0.1, 0.01

#: By kind: the cell, the optimiser and its rate.
KINDS: dict[str, tuple[Any, Any, float]] = {
    "IRNN": (RNNCell(2, H, "relu"), Adam, 0.0001),
    "LSTM": (LSTMCell(2, H), Adam, 0.01),
    "tanh RNN": (RNNCell(2, H), Adam, 0.0001),
    "IRNN, gradient descent": (RNNCell(2, H, "relu"), GradientDescent, 0.01),
}


def draw(rng: np.random.Generator, steps: int, count: int) -> tuple[Array, Array]:
    """Return float32 sequences (steps, count, 2) with two marks at different steps, and the sums (count, 1)."""
    rows = np.arange(count)
    first = rng.integers(0, steps, count)
    second = (first + rng.integers(1, steps, count)) % steps
    numbers, marks = rng.uniform(size=(steps, count)), np.zeros((steps, count))
    marks[first, rows] = marks[second, rows] = 1.0
    sums = (numbers[first, rows] + numbers[second, rows])[:, None]
    return np.stack([numbers, marks], axis=2).astype(np.float32), sums.astype(np.float32)


def start(kind: str, model: SequenceModel, rng: np.random.Generator) -> Params:
    """Return the cell's own start; for the IRNN the paper's."""
    params = model.init_params(rng=rng, dtype=np.float32)
    if kind.startswith("IRNN"):
        W_hy = (0.001 * rng.standard_normal((model.hidden_size, 1))).astype(np.float32)
        params["recurrent"] = irnn_params(model.recurrent.cell, rng=rng, dtype=np.float32)
        params["output"] = {**params["output"], "W_hy": W_hy}
    return params


def train(kind: str, seed: int, updates: int = UPDATES, steps: int = T, rate: float | None = None) -> dict[str, Any]:
    """Train from one seed; all kinds see the same sequences.

    Returns {"error": mean squared, on 2000 fresh sequences at the end, None if not finite; "learned": updates until the
    error looked at was first below 0.1, or None; "updates": made; "curve": the error on 500 sequences, every 500
    updates; "seconds": CPU seconds of the updates}.
    """
    cell, optimize, own_rate = KINDS[kind]
    model = SequenceModel(Recurrent(cell), 1, task="regression", outputs="many-to-one")
    weights, stream, tests = (np.random.default_rng([seed, part]) for part in range(3))
    params = start(kind, model, weights)
    optimizer = optimize(own_rate if rate is None else rate)
    memory = optimizer.init(params)
    look = draw(tests, steps, LOOK)
    curve: list[float] = []
    made, seconds, error = 0, 0.0, None
    try:
        while made < updates and not (curve and curve[-1] < TARGET):
            began = time.process_time()
            _, grads, _ = model.loss_and_grads(params, *draw(stream, steps, N))
            params, memory = optimizer.update(params, clip_by_global_norm(grads, 1.0)[0], memory)
            seconds += time.process_time() - began
            made += 1
            if made % EVERY == 0:
                curve.append(float(f"{squared_error(model, params, *look):.4g}"))
        error = float(f"{squared_error(model, params, *draw(tests, steps, FRESH)):.4g}")
    except ArgumentError:  # a loss or a gradient that is not finite
        pass
    below = [mark for mark, value in enumerate(curve, 1) if value < LEARNED]
    return {
        "error": error, "learned": below[0] * EVERY if below else None, "updates": made, "curve": curve,
        "seconds": round(seconds, 1),
    }


def squared_error(model: SequenceModel, params: Params, xs: Array, targets: Array) -> float:
    """Return the mean squared error."""
    return float(np.mean((model.predict(params, xs) - targets) ** 2))


def verdict(result: dict[str, Any]) -> str:
    """Say for each kind how many seeds learned it and how well, and how that stands to the paper's figure."""
    lines, learned = [], {}
    for kind, rows in result["kinds"].items():
        errors = [run["error"] for run in rows["runs"] if run["error"] is not None]
        needed = [run["learned"] for run in rows["runs"] if run["learned"] is not None]
        learned[kind] = len(needed)
        line = f"{kind} (rate {rows['rate']:g}): {len(needed)} of {len(rows['runs'])} seeds below {LEARNED}"
        if needed:
            line += f", first after {min(needed):,} to {max(needed):,} updates"
        if errors:
            line += f", at the end {min(errors):.3f} to {max(errors):.3f}"
        lines.append(line)
    seeds, order = len(result["settings"]["seeds"]), "not reached"
    if learned["tanh RNN"] == 0 and learned["IRNN"] and learned["LSTM"]:
        order = "reached" if learned["IRNN"] == learned["LSTM"] == seeds else "reached in some seeds"
    descent = learned["IRNN, gradient descent"]
    return (
        f"{'; '.join(lines)}. A constant has {result['constant']:.3f}. The paper's order at T = 150, the IRNN and the "
        f"LSTM learn it and the tanh RNN does not, is {order} with Adam in at most "
        f"{result['settings']['updates']:,} updates; gradient descent, which the paper has, taught the IRNN in "
        f"{descent} of {seeds} seeds."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed, T = 20, 1500 updates; nothing is saved")
    quick = parser.parse_args().quick
    steps, seeds, updates = (T, SEEDS, UPDATES) if not quick else (20, SEEDS[:1], 1500)
    settings: dict[str, Any] = {
        "T": steps, "H": H, "N": N, "updates": updates, "every": EVERY, "look": LOOK, "fresh": FRESH,
        "clip": "global norm at 1", "dtype": "float32", "learned": LEARNED, "target": TARGET,
        "seeds": list(seeds), "rates": {kind: rate for kind, (_, _, rate) in KINDS.items()},
        "seconds": "CPU time of one thread on a machine in use by others",
    }
    jobs = {f"{kind}, seed {seed}": partial(train, kind, seed, updates, steps) for kind in KINDS for seed in seeds}
    found = run_jobs("irnn_adding", settings, jobs, keep=not quick)
    result: dict[str, Any] = {
        "settings": settings, "constant": CONSTANT,
        "kinds": {
            kind: {"rate": rate, "runs": [found[f"{kind}, seed {seed}"] for seed in seeds]}
            for kind, (_, _, rate) in KINDS.items()
        },
    }
    result["verdict"] = verdict(result)
    print(result["verdict"])
    if not quick:
        print(save_result("irnn_adding", result).name)
        forget("irnn_adding")


if __name__ == "__main__":
    main()
