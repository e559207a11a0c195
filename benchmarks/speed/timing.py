"""The race: several callables in turn, and the median of their paired ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

SAMPLE = 0.05  # seconds of one sample, where a call takes less: long beside the clock, short beside a disturbance
AFTER_SPINNING = 0.05  # seconds: OpenBLAS's waiting threads spin for 2²⁶ cycles before they sleep, some 25 ms


class Race(NamedTuple):
    """What was measured. Seconds are those of one call."""

    ours: float  # the median
    theirs: dict[str, float]  # by name
    ratios: dict[str, float]  # ours / theirs: the median of the rounds' ratios, by name
    quartiles: dict[str, tuple[float, float]]  # of the same ratios
    rounds: int

    @property
    def against(self) -> str:
        """The name of the quickest of the others: the one that counts."""
        return max(self.ratios, key=lambda name: self.ratios[name])

    @property
    def ratio(self) -> float:
        """Our time divided by that of the quickest of the others."""
        return self.ratios[self.against]


def race(
    ours: Callable[[], object],
    theirs: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    seconds: float,
    clock: Callable[[], float],
    rest: Callable[[], object] | None = None,
) -> Race:
    """Time `ours` and every one of `theirs` in turn.

    Each round takes one sample of every side, a sample being as many calls as fill `SAMPLE` seconds, at least one. The
    side that starts changes from round to round, so that none always runs on the caches another has just filled.

    Parameters
    ----------
    rounds, seconds
        It goes on until there are at least so many rounds and the samples together took at least so long.
    clock
        Seconds, of the processor or of the wall.
    rest
        Called before each sample, outside the time.
    """
    sides: list[Callable[[], object]] = [ours, *theirs.values()]
    # With a rest before each sample, fewer and longer samples: else most of the run would be rests.
    sample = min(SAMPLE, seconds / rounds / len(sides)) if rest is None else seconds / rounds / len(sides)
    calls = [_calls_for(side, sample, clock) for side in sides]
    times: list[list[float]] = [[] for _ in sides]
    total = 0.0
    while len(times[0]) < rounds or total < seconds:
        first = len(times[0]) % len(sides)
        for index in [*range(first, len(sides)), *range(first)]:
            if rest is not None:
                rest()
            side, count = sides[index], calls[index]
            start = clock()
            for _ in range(count):
                side()
            took = clock() - start
            total += took
            times[index].append(took / count)
    others = dict(zip(theirs, times[1:], strict=True))
    pairs = {name: [a / b for a, b in zip(times[0], other, strict=True)] for name, other in others.items()}
    return Race(
        statistics.median(times[0]),
        {name: statistics.median(other) for name, other in others.items()},
        {name: statistics.median(ratios) for name, ratios in pairs.items()},
        {name: quartiles(ratios) for name, ratios in pairs.items()},
        len(times[0]),
    )


def _calls_for(side: Callable[[], object], sample: float, clock: Callable[[], float]) -> int:
    """Return how many calls fill a sample. The first call, which may prepare buffers, does not count."""
    side()
    once = math.inf
    for _ in range(3):
        start = clock()
        side()
        once = min(once, clock() - start)
        if once >= sample:
            return 1
    # A coarse clock may not see one call at all: then a thousand of them are looked at.
    if once <= 0.0:
        start = clock()
        for _ in range(1000):
            side()
        once = max((clock() - start) / 1000, 1e-9)
    return max(1, round(sample / once))


def quartiles(values: list[float]) -> tuple[float, float]:
    """Return the lower and the upper quartile: how far the rounds disagree."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the mean that treats twice as fast and half as fast alike."""
    listed = list(ratios)
    return math.exp(math.fsum(math.log(ratio) for ratio in listed) / len(listed))


def worst(ratios: Iterable[float]) -> float:
    """Return the largest ratio of our time to theirs."""
    return max(ratios)
