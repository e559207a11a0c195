"""The temporal order problem of Pascanu, Mikolov & Bengio (2013), with and without clipping the gradient's norm.

Run as `python -m benchmarks.temporal_order` (about half an hour of one core); an interrupted run goes on where it was.
`--quick` takes one seed at T = 20 for at most 3000 updates, and saves nothing. Saves
benchmarks/results/temporal_order.json.

From the paper (section 4.1.1, "basic tanh"): 50 tanh units; W_xh, W_hh and W_hy from N(0, σ = 0.1), biases 0; batches
of 20 fresh sequences; gradient descent at 0.01 without momentum; the global norm clipped at 1; a run is successful if
under 1 % of 10,000 fresh sequences are misclassified; five seeds. Not from the paper: at most 60,000 updates where it
allows 5 million. And a run is looked at every 500 updates: if fewer than 1 % of 1000 sequences are wrong, 10,000 fresh
ones decide, and if they agree it ends there. The paper shows its success rates as curves without numbers.

For one seed and length both ways start from the same weights and see the same sequences. float64: batches so small take
their time in calls, which cost the same in either precision, and a gradient that explodes has more room.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: matrices this small gain nothing from more
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from functools import partial
from typing import Any

import numpy as np

from benchmarks.jobs import forget, run_jobs
from benchmarks.machine import save_result
from rnn_from_scratch.arrays import Params, global_norm, tree_map
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import temporal_order_data
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.metrics import wilson_interval
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.optim import GradientDescent, clip_by_global_norm
from rnn_from_scratch.validate import ArgumentError

H, N, RATE, SIGMA, THRESHOLD = 50, 20, 0.01, 0.1, 1.0
LENGTHS, SEEDS, UPDATES = (20, 30), (0, 1, 2, 3, 4), 60_000
EVERY, LOOK, FRESH, WRONG = 500, 1000, 10_000, 0.01
WAYS = {"without clipping": None, "clipped": THRESHOLD}
MODEL = SequenceModel(Recurrent(RNNCell(6, H)), 4, outputs="many-to-one")


def start(rng: np.random.Generator) -> Params:
    """Return the paper's "basic tanh" start: every matrix from N(0, 0.1²), every bias 0."""
    like = MODEL.init_params(rng=np.random.default_rng(0))
    return tree_map(lambda array: SIGMA * rng.standard_normal(array.shape) if array.ndim == 2 else 0.0 * array, like)


def train(T: int, way: str, seed: int, updates: int = UPDATES) -> dict[str, Any]:
    """Train until it is solved, or `updates` were made, or the gradient is not finite.

    Returns {"solved": after how many updates, or None; "wrong": the share of 10,000 fresh sequences at the end, None if
    not finite; "updates": made; "curve": the share wrong of 1000, every 500 updates; "largest": the largest norm of a
    gradient before clipping; "above": the share of updates with a norm above 1}.
    """
    threshold = WAYS[way]
    weights, stream, tests = (np.random.default_rng([seed, T, part]) for part in range(3))
    params = start(weights)
    optimizer = GradientDescent(RATE)
    memory = optimizer.init(params)
    look = temporal_order_data(rng=tests, T=T, N=LOOK)
    curve: list[float] = []
    largest, above, made, wrong = 0.0, 0, 0, None
    try:
        while made < updates and (wrong is None or wrong >= WRONG):
            _, grads, _ = MODEL.loss_and_grads(params, *temporal_order_data(rng=stream, T=T, N=N))
            clipped, norm = (grads, global_norm(grads)) if threshold is None else clip_by_global_norm(grads, threshold)
            params, memory = optimizer.update(params, clipped, memory)
            made += 1
            largest, above = max(largest, norm), above + (norm > THRESHOLD)
            if made % EVERY == 0:
                curve.append(share_wrong(params, *look))
                if curve[-1] < WRONG or made == updates:
                    wrong = np.mean([
                        share_wrong(params, *temporal_order_data(rng=tests, T=T, N=LOOK)) for _ in range(FRESH // LOOK)
                    ])
    except ArgumentError:  # a loss or a gradient that is not finite
        wrong = None
    return {
        "solved": made if wrong is not None and wrong < WRONG else None,
        "wrong": None if wrong is None else round(float(wrong), 4), "updates": made, "curve": curve,
        "largest": float(f"{largest:.4g}"), "above": round(above / max(made, 1), 4),
    }


def share_wrong(params: Params, xs: np.ndarray, targets: np.ndarray) -> float:
    """Return the share of sequences that are given another class than theirs."""
    return float((MODEL.predict(params, xs).argmax(axis=-1) != targets).mean())


def verdict(result: dict[str, Any]) -> str:
    """Say for each length and way how many seeds solved it, after how many updates, and what clipping changed."""
    lines, solved, seeds = [], {}, len(result["settings"]["seeds"])
    for T, ways in result["runs"].items():
        for way, runs in ways.items():
            needed = [run["solved"] for run in runs if run["solved"] is not None]
            low, high = wilson_interval(len(needed), seeds)
            solved[T, way] = len(needed)
            line = f"T = {T}, {way}: {len(needed)} of {seeds} seeds (95 % interval {low:.0%} to {high:.0%})"
            if needed:
                line += f" after {min(needed):,} to {max(needed):,} updates"
            left = [f"{run['wrong']:.0%}" if run["wrong"] is not None else "not finite" for run in runs
                    if run["solved"] is None]
            lines.append(line + (f", the rest ends with {', '.join(left)} wrong" if left else ""))
    said = []
    for T, ways in result["runs"].items():
        without, clipped = (solved[T, way] for way in ways)
        told = "helps" if clipped > without else "changes nothing" if clipped == without else "does not help"
        said.append(f"at T = {T} clipping {told}, {without} of {seeds} without it and {clipped} with it")
    return (
        f"{'; '.join(lines)}. {'; '.join(said)[0].upper()}{'; '.join(said)[1:]}. Within "
        f"{result['settings']['updates']:,} updates, where the paper allows 5,000,000; {seeds} seeds tell large "
        "differences alone."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed, T = 20, 3000 updates; nothing is saved")
    quick = parser.parse_args().quick
    lengths, seeds, updates = (LENGTHS, SEEDS, UPDATES) if not quick else (LENGTHS[:1], SEEDS[:1], 3000)
    settings: dict[str, Any] = {
        "lengths": list(lengths), "H": H, "N": N, "rate": RATE, "sigma": SIGMA, "threshold": THRESHOLD,
        "optimizer": "GradientDescent", "dtype": "float64", "updates": updates, "every": EVERY, "look": LOOK,
        "fresh": FRESH, "success": f"under {WRONG:.0%} of {FRESH} fresh sequences wrong", "seeds": list(seeds),
    }
    jobs = {
        f"T = {T}, {way}, seed {seed}": partial(train, T, way, seed, updates)
        for T in lengths[::-1] for seed in seeds for way in WAYS
    }
    found = run_jobs("temporal_order", settings, jobs, keep=not quick)
    runs = {str(T): {way: [found[f"T = {T}, {way}, seed {seed}"] for seed in seeds] for way in WAYS} for T in lengths}
    result: dict[str, Any] = {"settings": settings, "chance": 0.75, "runs": runs}
    result["verdict"] = verdict(result)
    print(result["verdict"])
    if not quick:
        print(save_result("temporal_order", result).name)
        forget("temporal_order")


if __name__ == "__main__":
    main()
