"""Claim C10's data: two synthetic ones and real prices, complete, cut into sequences with the step after each.

Nothing is missing here; `c10.py` makes the holes, so that the truth is known everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...arrays import Array
from ...data import sample_prices
from ...validate import option

STEPS, SEQUENCES = 20, 250

#: "sines": two sines of random periods and phases in each sequence, rounded to quarters; one feature.
#: "factors": four features that two hidden oscillations drive, and noise on each: they inform each other.
#: "prices": monthly log prices of four shares and an index, relative to the month before the window: real, and close
#: to random walks. That month stands first, 0 in every window, and is never hidden: otherwise a model could learn that
#: walks begin at 0, which no line would know.
DATA = ("sines", "factors", "prices")
SHARES = ("IBM", "AAPL", "MSFT", "ADBE", "^GSPC")


class Parts(NamedTuple):
    """A training and a test part: sequences (T, N, D) and the values one step after each, (N, D)."""

    train: Array
    train_targets: Array
    test: Array
    test_targets: Array
    known: int = 0  # so many steps at the beginning are never to be hidden


def complete_data(name: str, *, rng: np.random.Generator, sequences: int = SEQUENCES) -> Parts:
    """Return the data of that name; prices are the same for every generator.

    Raises ArgumentError for another name.
    """
    option("complete_data", "name", name, DATA)
    if name == "prices":
        return _prices(sequences)
    make = _sines if name == "sines" else _factors
    train, test = make(rng, sequences), make(rng, sequences)
    return Parts(train[:-1], train[-1], test[:-1], test[-1])


def _sines(rng: np.random.Generator, N: int) -> Array:
    steps = np.arange(STEPS + 1.0)[:, None, None]
    periods, phases = rng.uniform(6.0, 24.0, (N, 2)), rng.uniform(0.0, 2 * np.pi, (N, 2))
    waves = np.sin(2 * np.pi * steps / periods + phases).sum(axis=2, keepdims=True)
    return np.asarray(np.round(4 * waves) / 4)


def _factors(rng: np.random.Generator, N: int) -> Array:
    angle = 2 * np.pi / 7
    turn = 0.95 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    loadings = np.array([[1.0, 0.0, 0.7, -0.7], [0.0, 1.0, 0.7, 0.7]])
    hidden, xs = np.zeros((N, 2)), []
    for _ in range(60 + STEPS + 1):  # 60 to forget the start: 0.95^60 = 0.046
        hidden = hidden @ turn + 0.5 * rng.standard_normal((N, 2))
        xs.append(hidden @ loadings + 0.3 * rng.standard_normal((N, 4)))
    return np.stack(xs[60:])


def _prices(most: int) -> Parts:
    """Cut log prices into overlapping windows, the earlier 70 % of the months for training, the rest for the test."""
    series = sample_prices("monthly")
    logs = np.log(series.values[:, [series.names.index(name) for name in SHARES]])
    cut = int(0.7 * len(logs))

    def windows(part: Array) -> tuple[Array, Array]:
        starts = np.arange(1, len(part) - STEPS)[:most]
        stack = np.stack([part[s - 1 : s + STEPS + 1] - part[s - 1] for s in starts], axis=1)  # (STEPS + 2, N, D)
        return stack[:-1], stack[-1]

    return Parts(*windows(logs[:cut]), *windows(logs[cut:]), known=1)
