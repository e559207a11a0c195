"""Claim C13 (article §5 Q2): the right learning rate depends on the model's complexity and the amount of data.

The task of C9 with one label in ten turned round; networks of several widths on training sets of several sizes, and for
each pair a grid of rates: plain gradient descent, batches of 16, 200 updates. A run's score is its lowest loss on 1000
other sequences on the way, as if it had been stopped there; a seed's best rate is where a parabola through the scores
of the best rate and its two neighbours is lowest, over the logarithm of the rate.

Two questions. By what factor does the best rate change with the width, and with the data? And what does it cost to take
one rate for all?

Source: article §5 Q2; notebook 06; benchmarks/claim_c13.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...arrays import Array
from ...cells import RNNCell
from ...data import minibatches
from ...layers import Recurrent
from ...metrics import mean_interval
from ...models import SequenceModel
from ...optim import GradientDescent
from ...validate import ArgumentError, fail
from .c9 import INPUTS, noisy_data

BATCH_SIZE, UPDATES, TEST, TURNED = 16, 200, 1000, 0.1
WIDTHS = (4, 16, 64)
SIZES = (64, 512, 4096)  # from fewer than 64 sequences no rate learned anything worth comparing
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
LOOKS = (0, 1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 57, 80, 113, 160, 200)  # updates after which the test loss is measured


def score(width: int, size: int, rate: float, seed: int) -> float:
    """Return the lowest test loss on the way; same data, start and order for every rate."""
    rng = np.random.default_rng([seed, size, width])
    xs, targets = noisy_data(rng=rng, N=size, turned=TURNED)
    test_xs, test_targets = noisy_data(rng=np.random.default_rng([seed, 1]), N=TEST, turned=TURNED)
    model = SequenceModel(Recurrent(RNNCell(INPUTS, width)), 2, outputs="many-to-one")
    params = model.init_params(rng=rng)
    optimizer = GradientDescent(rate)
    state = optimizer.init(params)
    losses = []
    k = 0
    try:
        while True:
            for batch in minibatches(xs, targets, BATCH_SIZE, over_time=False, rng=rng):
                if k in LOOKS:
                    losses.append(float(model.loss(model.forward(params, test_xs)[0], test_targets)[0]))
                if k == UPDATES:
                    return min(losses)
                _, grads, _ = model.loss_and_grads(params, batch.xs, batch.targets)
                params, state = optimizer.update(params, grads, state)
                k += 1
    except ArgumentError:  # a loss or a gradient that is not finite: the run ended there
        return min(losses)


def best_rate(rates: Sequence[float], scores: Sequence[float]) -> float:
    """Return the rate of the lowest score, refined by a parabola over log rate through it and its neighbours."""
    if len(rates) != len(scores) or len(rates) < 2:
        fail("claim C13", f"{len(rates)} rates and {len(scores)} scores", "as many of each, two at least")
    x, at = np.log(rates), int(np.argmin(scores))
    if at in (0, len(rates) - 1):
        return float(rates[at])
    slopes = [(scores[k + 1] - scores[k]) / (x[k + 1] - x[k]) for k in (at - 1, at)]
    curvature = (slopes[1] - slopes[0]) / (x[at + 1] - x[at - 1])
    if curvature <= 0.0:  # all three alike
        return float(rates[at])
    return float(np.exp((x[at - 1] + x[at]) / 2 - slopes[0] / (2 * curvature)))


def run(
    *, seeds: Sequence[int] = tuple(range(8)), widths: Sequence[int] = WIDTHS, sizes: Sequence[int] = SIZES,
    rates: Sequence[float] = RATES, report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds : list of int
        At least two; each draws data, start and order.
    widths, sizes : list of int
        Hidden units; training sequences; ascending, two of each at least.
    rates : list of float
        One grid for all, ascending.
    report : callable, optional
        Called with a line after each pair.

    Returns
    -------
    dict
        `scores`, nested by width, size, rate and seed; `best`, the best rate by width, size and seed; `factors`: by how
        much the best rate is multiplied from the smallest to the largest width ("width") and size ("data"): the mean
        over the other, over seeds a geometric mean and its 95 % interval; `common`: see `common_rate`. And the verdict.
    """
    scores: list[list[list[list[float]]]] = []
    for width in widths:
        scores.append([])
        for size in sizes:
            cell = [[score(width, size, rate, seed) for seed in seeds] for rate in rates]
            scores[-1].append(cell)
            if report is not None:
                best = rates[int(np.mean(cell, axis=1).argmin())]
                report(f"{width} units, {size} sequences: best rate {best}, loss {np.mean(cell, axis=1).min():.3f}")
    result: dict[str, Any] = {
        "claim": "C13", "turned": TURNED, "updates": UPDATES, "seeds": list(seeds), "widths": list(widths),
        "sizes": list(sizes), "rates": list(rates), "scores": scores,
    }
    result.update(measured(result))
    result["verdict"] = verdict(result)
    return result


def measured(result: dict[str, Any]) -> dict[str, Any]:
    """Return `best`, `factors` and `common` from the scores."""
    scores = np.array(result["scores"])  # (widths, sizes, rates, seeds)
    best = np.array([
        [[best_rate(result["rates"], cell[:, seed]) for seed in range(cell.shape[1])] for cell in row] for row in scores
    ])
    logs: Array = np.log(best)
    factors = {
        name: [float(np.exp(end)) for end in mean_interval((logs.take(-1, axis) - logs.take(0, axis)).mean(axis=0))]
        for name, axis in (("width", 0), ("data", 1))
    }
    return {"best": best.tolist(), "factors": factors, "common": common_rate(result["rates"], scores)}


def common_rate(rates: Sequence[float], scores: Array) -> dict[str, Any]:
    """Return the one rate of the grid with the lowest mean score, and what it costs each pair against its own best.

    `costs` holds for each width and size the mean difference over seeds to that pair's best rate of the grid (the best
    of the means over seeds), with its 95 % interval.
    """
    common = int(scores.mean(axis=(0, 1, 3)).argmin())
    costs = []
    for row in scores:
        costs.append([list(mean_interval(cell[common] - cell[int(cell.mean(axis=1).argmin())])) for cell in row])
    return {"rate": float(rates[common]), "costs": costs}


def verdict(result: dict[str, Any]) -> str:
    """Say in words by what factors the best rate changes, whether that is more than chance, and what one rate costs."""
    words, sentences = [], []
    for name, ends in (("width", result["widths"]), ("data", result["sizes"])):
        factor, low, high = result["factors"][name]
        sure = low > 1.0 or high < 1.0
        words.append(sure)
        unit = "units" if name == "width" else "sequences"
        sentences.append(
            f"From {ends[0]} to {ends[-1]} {unit} the best rate is multiplied by {factor:.2g} (95 %: {low:.2g} to "
            f"{high:.2g})" + ("." if sure else ", which may be chance.")
        )
    common = result["common"]
    costs = np.array(common["costs"])[:, :, 0]
    width, size = np.unravel_index(int(costs.argmax()), costs.shape)
    sentences.append(
        f"One rate for all, {common['rate']:g}, costs {costs.mean():.3f} of loss on average and {costs.max():.3f} at "
        f"most ({result['widths'][width]} units, {result['sizes'][size]} sequences)."
    )
    word = (
        "Holds" if all(words) else "Holds for the model's width, not shown for the amount of data" if words[0]
        else "Holds for the amount of data, not shown for the model's width" if words[1] else "Does not hold here"
    )
    return f"{word}. {' '.join(sentences)}"
