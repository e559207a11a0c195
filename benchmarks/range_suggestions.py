"""How good are a range test's suggestions? Three ways to read its curve, against the best rate of a grid.

Six tasks, gradient descent and Adam, two seeds. Each way's rate, and each of eight rates from 0.001 to 3, trains the
same start for 200 updates; a run's loss is the mean of its last 20. What a rate misses is its loss above the best of
the grid, divided by the fall from the first loss to that best one: 0 is as good as the grid's best (below 0: better), 1
has learned nothing, and a run that diverged counts as 1.

Run as `python -m benchmarks.range_suggestions` (about four minutes).
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.machine import save_result
from rnn_from_scratch.arrays import Array
from rnn_from_scratch.article.claims import c5, c9
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.data import Fresh, Sequences, Vocabulary, adding_data, bundled_text, text_streams
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import LanguageModel, SequenceModel
from rnn_from_scratch.optim import Adam, GradientDescent
from rnn_from_scratch.training import RangeTest, range_test, train
from rnn_from_scratch.validate import ArgumentError

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
UPDATES, CLIP = 200, 1.0
WAYS = ("four fifths of the fall", "steepest fall", "a tenth of the lowest")


def tasks(seed: int) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield name, model, start and source of each task."""
    rng = np.random.default_rng(seed)
    for name in c5.TASKS:
        begin = c5.start(name, seed)
        yield name, begin.model, begin.params, Sequences(begin.xs, begin.targets, 32)
    for width in (4, 64):
        xs, targets = c9.noisy_data(rng=rng, N=512, turned=0.1)
        model: Any = SequenceModel(Recurrent(RNNCell(4, width)), 2, outputs="many-to-one")
        yield f"fading sum, {width} units", model, model.init_params(rng=rng), Sequences(xs, targets, 32)
    text = bundled_text()[:60000]
    vocabulary = Vocabulary.of([text])
    tokens = np.array(vocabulary.encode(text))
    model = LanguageModel(Recurrent(LSTMCell(16, 48)), int(tokens.max()) + 1)
    yield "text", model, model.init_params(rng=rng, dtype=np.float32), text_streams(tokens, 16, 25)
    model = SequenceModel(Recurrent(GRUCell(2, 24)), 1, "regression", "many-to-one")
    yield "adding", model, model.init_params(rng=rng), Fresh(lambda rng: adding_data(rng=rng, T=20, N=32))


def readings(found: RangeTest) -> dict[str, float]:
    """Return the rate that each way reads off a sweep's curve."""
    if found.suggestion is None:
        return {}
    smoothed: Array = found.smoothed
    half = max(1, len(smoothed) // 20)
    lowest = int(smoothed.argmin())
    slopes = [smoothed[min(k + half, len(smoothed) - 1)] - smoothed[k - half] for k in range(half, lowest + 1)]
    steepest = float(found.rates[half + int(np.argmin(slopes))])
    return dict(zip(WAYS, (found.suggestion, steepest, float(found.rates[lowest]) / 10), strict=True))


def final_loss(model: Any, params: Any, source: Any, optimizer: Any) -> float | None:
    """Return the mean of the last 20 losses; None if training diverged."""
    try:
        with np.errstate(all="ignore"):
            done = train(model, params, source, optimizer, updates=UPDATES, clip=CLIP, rng=np.random.default_rng(1))
    except ArgumentError:
        return None
    return float(np.mean(done.history.losses[-20:]))


def run(seeds: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    """Return every task's sweep, grid and ways, and what each way misses, on average and at worst."""
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        for name, model, params, source in tasks(seed):
            for kind, highest in ((GradientDescent, 100.0), (Adam, 10.0)):
                found = range_test(
                    model, params, source, kind(1.0), highest=highest, clip=CLIP, rng=np.random.default_rng(seed)
                )
                row: dict[str, Any] = {
                    "task": name, "seed": seed, "optimizer": kind.__name__, "first": float(found.losses[0]),
                    "reason": found.reason, "grid": [], "ways": {},
                }
                for way, rate in readings(found).items():
                    row["ways"][way] = {"rate": rate, "loss": final_loss(model, params, source, kind(rate))}
                row["grid"] = [final_loss(model, params, source, kind(rate)) for rate in RATES]
                rows.append(row)
                print(f"{seed} {name}, {kind.__name__}: " + "; ".join(
                    f"{way} {one['rate']:.2g} misses {missed(row, way):.2f}" for way, one in row["ways"].items()
                ), flush=True)
    with_one = [row for row in rows if row["ways"]]
    summary = {
        way: {"mean": float(np.mean([missed(row, way) for row in with_one])),
              "worst": max(missed(row, way) for row in with_one)}
        for way in WAYS
    }
    return {"rates": list(RATES), "updates": UPDATES, "clip": CLIP, "rows": rows, "silent": len(rows) - len(with_one),
            "missed": summary}


def missed(row: dict[str, Any], way: str) -> float:
    """Return the share of the possible fall that a way's rate misses."""
    best = min(loss for loss in row["grid"] if loss is not None)
    loss = row["ways"][way]["loss"]
    return 1.0 if loss is None else min(1.0, (loss - best) / (row["first"] - best))


if __name__ == "__main__":
    result = run()
    for way, found in result["missed"].items():
        print(f"{way}: misses {found['mean']:.3f} of the fall on average, {found['worst']:.2f} at worst")
    print(f"without a suggestion: {result['silent']} of {len(result['rows'])}")
    print(save_result("range_suggestions", result).name)
