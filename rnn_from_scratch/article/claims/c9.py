"""Claim C9 (article §5 Q2): a small learning rate avoids overfitting but is slow; a large one overfits.

A fading sum's sign after twelve steps, with one label in five turned round: whoever fits the training labels exactly
has overfitted. Plain gradient descent, batches of 8, a grid of rates. Runs are compared where their *training losses
are equal*, since after equal updates a smaller rate has only learned less of everything. The gap is the loss on 2000
other sequences (with their own wrong labels) minus the training loss.

Source: article §5 Q2; notebook 06; benchmarks/claim_c9.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params
from ...cells import RNNCell
from ...data import minibatches
from ...layers import Recurrent
from ...metrics import mean_interval
from ...models import SequenceModel
from ...optim import GradientDescent
from ...validate import ArgumentError

STEPS, INPUTS, HIDDEN, BATCH_SIZE, TEST = 12, 4, 32, 8, 2000
TURNED = 0.2  # the share of wrong labels: no model has a test loss below 0.5004, the entropy of 0.2
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
SIZES = (64, 256)
LEVELS = (0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05)
SHOWN = (0.4, 0.2, 0.05)
EQUAL_UPDATES = 200
WAY = 60.0  # rate times updates, after which a run is given up


class Run(NamedTuple):
    """One training, where it crossed each level of the training loss."""

    updates: list[float | None]  # at which update, between two by interpolation; None: never
    test: list[float | None]  # the test loss there
    after: tuple[float | None, float | None]  # training and test loss after 200 updates; None: it diverged before


def noisy_data(*, rng: np.random.Generator, N: int, turned: float = TURNED) -> tuple[Array, Array]:
    """Return inputs (12, N, 4) and one label a sequence (N,): the sign of a fading sum, a share turned round."""
    xs = rng.standard_normal((STEPS, N, INPUTS))
    fading = np.zeros(N)
    for x in xs:
        fading = 0.8 * fading + x[:, 0]
    labels = (fading > 0).astype(int)
    return xs, np.where(rng.uniform(size=N) < turned, 1 - labels, labels)


def train(rate: float, size: int, seed: int, levels: Sequence[float] = LEVELS) -> Run:
    """Train until the last level is reached; the same data, start and order for every rate.

    The training loss is that of all sequences, after each update (at rates below 0.03 after as many as make 0.03).
    Between the last loss above a level and the first one at or below it, updates and test loss are interpolated along a
    line, so that the training losses are equal indeed.
    """
    rng = np.random.default_rng([seed, size])
    xs, targets = noisy_data(rng=rng, N=size)
    test_xs, test_targets = noisy_data(rng=rng, N=TEST)
    model = SequenceModel(Recurrent(RNNCell(INPUTS, HIDDEN)), 2, outputs="many-to-one")
    params = model.init_params(rng=rng)
    optimizer = GradientDescent(rate)
    state = optimizer.init(params)

    def loss(params: Params, xs: Array, targets: Array) -> float:
        return float(model.loss(model.forward(params, xs)[0], targets)[0])

    updates: list[float | None] = []
    test: list[float | None] = []
    after: tuple[float | None, float | None] = (None, None)
    k, now, before = 0, loss(params, xs, targets), params
    every, most = max(1, round(0.03 / rate)), max(EQUAL_UPDATES, round(WAY / rate))
    try:
        while (len(test) < len(levels) or k < EQUAL_UPDATES) and k < most:
            for batch in minibatches(xs, targets, BATCH_SIZE, over_time=False, rng=rng):
                _, grads, _ = model.loss_and_grads(params, batch.xs, batch.targets)
                params, state = optimizer.update(params, grads, state)
                k += 1
                if k == EQUAL_UPDATES:
                    after = loss(params, xs, targets), loss(params, test_xs, test_targets)
                if k % every:
                    continue
                above, now = now, loss(params, xs, targets)
                if len(test) < len(levels) and now <= levels[len(test)]:
                    ends = [loss(weights, test_xs, test_targets) for weights in (before, params)]
                    while len(test) < len(levels) and now <= levels[len(test)]:
                        share = (above - levels[len(test)]) / (above - now)  # the level lies between the two
                        updates.append(k - every * (1.0 - share))
                        test.append(ends[0] + share * (ends[1] - ends[0]))
                before = params
    except ArgumentError:  # a loss or a gradient that is not finite: the rate was too large
        pass
    for found in (updates, test):
        found.extend([None] * (len(levels) - len(found)))
    return Run(updates, test, after)


def run(
    *, seeds: Sequence[int] = tuple(range(8)), rates: Sequence[float] = RATES, sizes: Sequence[int] = SIZES,
    levels: Sequence[float] = LEVELS, report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds : list of int
        At least two; each draws data, start and order, the same for every rate.
    rates : list of float
        Ascending.
    sizes : list of int
        Training sequences.
    levels : list of float
        Training losses at which runs are compared, descending.
    report : callable, optional
        Called with a line after each size and rate.

    Returns
    -------
    dict
        By size, along `rates`: `updates` and `test`, by seed and level (None: never reached); `after`, training and
        test loss by seed after 200 updates. And the verdict.
    """
    result: dict[str, Any] = {
        "claim": "C9", "turned": TURNED, "equal_updates": EQUAL_UPDATES, "seeds": list(seeds), "rates": list(rates),
        "levels": list(levels), "sizes": {},
    }
    for size in sizes:
        rows: dict[str, Any] = {"updates": [], "test": [], "after": []}
        for rate in rates:
            runs = [train(rate, size, seed, levels) for seed in seeds]
            for name, found in rows.items():
                found.append([list(getattr(one, name)) for one in runs])
            result["sizes"][str(size)] = rows
            if report is not None:
                reached = sum(one.test[-1] is not None for one in runs)
                report(f"{size} sequences, rate {rate}: {reached} of {len(runs)} reach {levels[-1]}")
    result["verdict"] = verdict(result)
    return result


def at_level(result: dict[str, Any], what: str, size: int, rate: float, level: float) -> list[Any]:
    """Return `what` ("updates" or "test") by seed, where the training loss is `level`; None: never."""
    at = result["levels"].index(level)
    return [row[at] for row in result["sizes"][str(size)][what][result["rates"].index(rate)]]


def gaps(result: dict[str, Any], size: int, rate: float, level: float) -> list[float]:
    """Return test loss minus training loss by seed, where the training loss is `level`; every seed must reach it."""
    return [test - level for test in at_level(result, "test", size, rate, level)]


def usable_rates(result: dict[str, Any], size: int, level: float) -> list[float]:
    """Return the rates at which every seed reaches the level."""
    return [rate for rate in result["rates"] if None not in at_level(result, "test", size, rate, level)]


def more_gap(
    result: dict[str, Any], size: int, rate: float, level: float, than: float | None = None
) -> tuple[float, float, float]:
    """Return by how much the gap at `rate` is above that at another (default: the smallest): mean, 95 % interval."""
    other = gaps(result, size, usable_rates(result, size, level)[0] if than is None else than, level)
    return mean_interval([a - b for a, b in zip(gaps(result, size, rate, level), other, strict=True)])


def median_updates(result: dict[str, Any], size: int, rate: float, level: float) -> float:
    """Return the median number of updates until the training loss is `level`."""
    return float(np.median(at_level(result, "updates", size, rate, level)))


def sure_levels(result: dict[str, Any], size: int) -> tuple[int, int, float]:
    """Compare the largest usable rate with the smallest at each level.

    Returns at how many levels its gap is surely larger (the interval is above 0), how many levels two rates reach, and
    the mean difference over these.
    """
    differences = []
    for level in result["levels"]:
        usable = usable_rates(result, size, level)
        if len(usable) > 1:
            differences.append(more_gap(result, size, usable[-1], level))
    sure = sum(low > 0.0 for _, low, _ in differences)
    return sure, len(differences), float(np.mean([mean for mean, _, _ in differences])) if differences else 0.0


def gap_after(result: dict[str, Any], size: int, rate: float) -> float | None:
    """Return the mean gap after equal updates, where training losses differ; None if a seed diverged before."""
    rows = result["sizes"][str(size)]["after"][result["rates"].index(rate)]
    return None if any(None in row for row in rows) else float(np.mean([test - train for train, test in rows]))


def verdict(result: dict[str, Any]) -> str:
    """Say in words whether small is slow, whether small avoids overfitting, and whether large overfits more."""
    level = result["levels"][-1]
    sentences, slow, avoids, overfits = [], [], [], []
    for size in map(int, result["sizes"]):
        usable = usable_rates(result, size, level)
        if len(usable) < 2:
            sentences.append(f"{size} sequences: fewer than two rates reach {level}.")
            continue
        smallest, largest = usable[0], usable[-1]
        times = median_updates(result, size, smallest, level) / median_updates(result, size, largest, level)
        slow.append(times > 1.0)
        gap, low, high = mean_interval(gaps(result, size, smallest, level))
        avoids.append(low <= 0.0)
        sure, among, mean = sure_levels(result, size)
        overfits.append(2 * sure > among)
        sentences.append(
            f"{size} sequences: to a training loss of {level} the rate {smallest:g} takes {times:.0f} times the "
            f"updates of {largest:g}, and its gap there is {gap:.2f} ({low:.2f} to {high:.2f}) all the same. The "
            f"largest rate that reaches a level has a surely larger gap than {smallest:g} at {sure} of {among} "
            f"levels, by {mean:.2f} on average."
        )
        first, last = gap_after(result, size, smallest), gap_after(result, size, largest)
        if first is not None and last is not None:
            updates = result["equal_updates"]
            sentences.append(f"After {updates} updates each the gaps are {first:.2f} and {last:.2f}.")
    parts = [
        "Slow: holds" if slow and all(slow) else "Slow: does not hold",
        "a small rate avoids overfitting: " + ("holds" if avoids and all(avoids) else "does not hold"),
        "a large one overfits more at equal training loss: "
        + ("holds at the largest usable rate" if overfits and all(overfits)
           else "holds for some data, at the largest usable rate" if any(overfits) else "does not hold"),
    ]
    return "; ".join(parts) + ". " + " ".join(sentences)
