r"""Claim C11 (article §5 Q4, §4.4): for long sequences gates, attention, a TRNN, depth and better optimisation help.

The task: at every step one of four symbols; one of them, at a random place, is marked, and at the end it is to be
named. The mark stands at least `lag` and at most 1.5 · lag steps before the end, so that nothing can be learned from
where it is, and all other symbols disturb. Chance is 1/4.

Networks of about 2000 parameters each train for equal CPU seconds, on the same stream of sequences, each kind at the
best of its rates on another seed. The plain RNN, trained by Adam with clipping, is what the others are compared with:
does it learn longer lags with gates, with attention, with truncated backpropagation (the fair reading of the TRNN) or
with a second layer, and does it learn shorter ones by plain gradient descent?

CPU seconds depend on the machine, and a little on what else runs there: kinds take turns, the one that has used the
least time goes next, so that whatever slows one slows all.

Source: article §5 Q4; notebook 13; benchmarks/claim_c11.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params, leaves
from ...attention import AdditiveAttention
from ...cells import GRUCell, LSTMCell, RNNCell, chrono_params
from ...data import one_hot
from ...layers import AttentionLayer, Recurrent, Stacked
from ...metrics import wilson_interval
from ...models import SequenceModel
from ...optim import Adam, GradientDescent, clip_by_global_norm
from ...validate import ArgumentError, option, size
from .c6 import clock
from .c7 import enough_seeds
from .c11_models import AttentionReader, Truncated

SYMBOLS, INPUTS, SEQUENCES, TEST = 4, 5, 16, 500
LAGS = (12, 25, 50, 100, 200, 400)
RATES, DESCENT_RATES = (0.003, 0.01), (0.1, 0.5)
SECONDS = 3.0  # CPU seconds of each training, at most
ENOUGH = 0.1  # training ends when the mean loss of the last 20 updates is below; ln 4 = 1.386 is chance
LEARNED = 0.9  # accuracy on fresh sequences; 0.25 is chance

#: What is kept for each kind, along the lags.
KEYS = ("rate", "learned", "interval", "seconds", "updates", "accuracy", "tuning")


def one_layer(cell: Any) -> SequenceModel:
    """Return a model with the cell as its one recurrent layer."""
    return SequenceModel(Recurrent(cell), SYMBOLS, outputs="many-to-one")


_RNN, _LSTM, _GRU = (one_layer(cell) for cell in (RNNCell(INPUTS, 40), LSTMCell(INPUTS, 19), GRUCell(INPUTS, 22)))
_LAYERS: Any = Stacked((Recurrent(RNNCell(INPUTS, 24)), Recurrent(RNNCell(24, 24))))
_DEEP = SequenceModel(_LAYERS, SYMBOLS, outputs="many-to-one")
_READER = AttentionReader(
    Recurrent(RNNCell(INPUTS, 27)), AttentionLayer(AdditiveAttention(27, 27, 16)), SYMBOLS
)


class Kind(NamedTuple):
    """A network at a lag, how it starts and how it is trained."""

    model: Callable[[int], Any]  # of the lag
    chrono: bool = False  # the gates' biases are told the lag
    optimizer: Callable[[float], Any] = Adam
    rates: tuple[float, ...] = RATES
    clip: float | None = 1.0


#: Truncated: through half the lag, so that the mark is never among the steps that the gradient sees.
KINDS: dict[str, Kind] = {
    "RNN": Kind(lambda _: _RNN),
    "RNN (gradient descent)": Kind(lambda _: _RNN, optimizer=GradientDescent, rates=DESCENT_RATES, clip=None),
    "RNN (two layers)": Kind(lambda _: _DEEP),
    "RNN (truncated)": Kind(lambda lag: Truncated(_RNN, lag // 2)),
    "RNN with attention": Kind(lambda _: _READER),
    "LSTM (forget bias 1)": Kind(lambda _: _LSTM),
    "LSTM (chrono start)": Kind(lambda _: _LSTM, chrono=True),
    "GRU (chrono start)": Kind(lambda _: _GRU, chrono=True),
    "LSTM (truncated)": Kind(lambda lag: Truncated(_LSTM, lag // 2), chrono=True),
}


class Outcome(NamedTuple):
    """How one training ended."""

    seconds: float  # used
    updates: int  # made
    accuracy: float  # on 500 fresh sequences

    @property
    def learned(self) -> bool:
        """Whether nearly all were named."""
        return self.accuracy >= LEARNED


def draw(lag: int, N: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return inputs (⌊1.5·lag⌋ + 1, N, 5), four columns for the symbols and one for the mark, and the symbols (N,)."""
    lag, N = size("claim C11", "lag", lag), size("claim C11", "N", N)
    T, rows = lag + lag // 2 + 1, np.arange(N)
    symbols = rng.integers(0, SYMBOLS, (T, N))
    marked = rng.integers(0, T - lag, N)  # lag to ⌊1.5·lag⌋ steps before the last
    xs = np.concatenate([one_hot(symbols, SYMBOLS), np.zeros((T, N, 1))], axis=2).astype(np.float32)
    xs[marked, rows, SYMBOLS] = 1.0
    return xs, symbols[marked, rows]


def parameters(kind: str) -> int:
    """Return how many numbers the kind trains."""
    option("claim C11", "kind", kind, KINDS)
    params = KINDS[kind].model(LAGS[0]).init_params(rng=np.random.default_rng(0))
    return sum(array.size for _, array in leaves(params))


def start(kind: str, lag: int, rng: np.random.Generator) -> tuple[Any, Params]:
    """Return the model and its first parameters."""
    model = KINDS[kind].model(lag)
    params = model.init_params(rng=rng, dtype=np.float32)
    if KINDS[kind].chrono:
        cell: Any = (model.model if isinstance(model, Truncated) else model).recurrent.cell
        params["recurrent"] = chrono_params(cell, rng=rng, longest=1.5 * lag, dtype=np.float32)
    return model, params


def training(kind: str, rate: float, lag: int, seed: int) -> Iterator[tuple[float, float, Any, Params]]:
    """Yield (seconds spent, loss before it, model, parameters) after every update, until something is not finite."""
    weights, stream = np.random.default_rng([seed, lag, 0]), np.random.default_rng([seed, lag, 1])
    model, params = start(kind, lag, weights)
    _, _, optimize, _, clip = KINDS[kind]
    optimizer = optimize(rate)
    memory = optimizer.init(params)
    while True:
        xs, symbols = draw(lag, SEQUENCES, stream)
        began = clock()
        try:
            loss, grads, _ = model.loss_and_grads(params, xs, symbols)
            if clip is not None:
                grads = clip_by_global_norm(grads, clip)[0]
            params, memory = optimizer.update(params, grads, memory)
        except ArgumentError:  # a loss or a gradient that is not finite: the rate was too large
            return
        yield clock() - began, float(loss), model, params


def race(
    lag: int, entries: Mapping[str, tuple[str, float]], *, seconds: float, seed: int
) -> dict[str, Outcome]:
    """Train all entries, {label: (kind, rate)}, until each has learned or used its seconds; return how they ended.

    The one that has used the least time goes next. Only updates are timed: no data, no testing.
    """
    runs = {label: training(kind, rate, lag, seed) for label, (kind, rate) in entries.items()}
    used = dict.fromkeys(runs, 0.0)
    losses: dict[str, list[float]] = {label: [] for label in runs}
    last: dict[str, tuple[Any, Params]] = {}
    racing = dict(used)
    while racing:
        label = min(racing, key=lambda entry: used[entry])
        step = next(runs[label], None)
        if step is None:
            del racing[label]
            last.pop(label, None)
            continue
        used[label] += step[0]
        losses[label].append(step[1])
        last[label] = step[2:]
        recent = losses[label][-20:]
        if used[label] >= seconds or (len(recent) == 20 and np.mean(recent) < ENOUGH):
            del racing[label]
    xs, symbols = draw(lag, TEST, np.random.default_rng([seed, lag, 2]))
    accuracies = {label: accuracy(*last[label], xs, symbols) if label in last else 1 / SYMBOLS for label in runs}
    return {label: Outcome(round(used[label], 3), len(losses[label]), accuracies[label]) for label in runs}


def accuracy(model: Any, params: Params, xs: Array, symbols: Array) -> float:
    """Return the share of sequences whose marked symbol is named."""
    return float((model.predict(params, xs).argmax(axis=-1) == symbols).mean())


def best_rates(
    lag: int, kinds: Sequence[str], seeds: Sequence[int], seconds: float
) -> dict[str, tuple[float, dict[str, list[float]]]]:
    """Return for each kind its best rate at the lag, and the accuracies by rate.

    Best is the rate that teaches the most seeds, in the least time; where none teaches any, that of the highest
    accuracy. One race a seed for all kinds and rates.
    """
    entries = {f"{kind} at {rate}": (kind, rate) for kind in kinds for rate in KINDS[kind].rates}
    races = [race(lag, entries, seconds=seconds, seed=seed) for seed in seeds]

    def merit(kind: str, rate: float) -> tuple[int, float, float]:
        rows = [found[f"{kind} at {rate}"] for found in races]
        learned = [row.seconds for row in rows if row.learned]
        return len(learned), -sum(learned), sum(row.accuracy for row in rows)

    best = {}
    for kind in kinds:
        merits = {rate: merit(kind, rate) for rate in KINDS[kind].rates}
        by_rate = {str(rate): [found[f"{kind} at {rate}"].accuracy for found in races] for rate in merits}
        best[kind] = max(merits, key=merits.__getitem__), by_rate
    return best


def run(
    *, seeds: Sequence[int] = (0, 1, 2, 3, 4), tuning_seeds: Sequence[int] = (100,), lags: Sequence[int] = LAGS,
    kinds: Sequence[str] = tuple(KINDS), seconds: float = SECONDS, report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds, tuning_seeds : list of int
        Each draws a start and a stream of sequences; the rates are chosen on the second.
    lags : list of int
        The least steps from the mark to the end, ascending.
    kinds : list of str
        Of `KINDS`; "RNN", which the others are compared with, among them.
    seconds : float
        CPU seconds of each training, at most.
    report : callable, optional
        Called with a line after each lag.

    Returns
    -------
    dict
        `parameters` by kind; by kind, along `lags`: `rate`, `learned` (how many seeds), `interval` (Wilson, 95 %, of
        their share), `seconds`, `updates` and `accuracy` (by seed), `tuning` (accuracies by rate). And the verdict.
    """
    for kind in kinds:
        option("claim C11", "kind", kind, KINDS)
    result: dict[str, Any] = {
        "claim": "C11", "chance": 1 / SYMBOLS, "learned_from": LEARNED, "seconds": seconds, "seeds": list(seeds),
        "tuning_seeds": list(tuning_seeds), "lags": list(lags),
        "parameters": {kind: parameters(kind) for kind in kinds},
        "kinds": {kind: {key: [] for key in KEYS} for kind in kinds},
    }
    for lag in lags:
        chosen = best_rates(lag, kinds, tuning_seeds, seconds)
        entries = {kind: (kind, chosen[kind][0]) for kind in kinds}
        races = [race(lag, entries, seconds=seconds, seed=seed) for seed in seeds]
        for kind in kinds:
            rows = [found[kind] for found in races]
            learned = sum(row.learned for row in rows)
            values = (
                chosen[kind][0], learned, [round(end, 4) for end in wilson_interval(learned, len(rows))],
                [row.seconds for row in rows], [row.updates for row in rows], [row.accuracy for row in rows],
                chosen[kind][1],
            )
            for key, value in zip(KEYS, values, strict=True):
                result["kinds"][kind][key].append(value)
        if report is not None:
            counts = ", ".join(f"{kind} {result['kinds'][kind]['learned'][-1]}" for kind in kinds)
            report(f"lag {lag}, of {len(seeds)} seeds: {counts}")
    result["verdict"] = verdict(result)
    return result


def reach(result: dict[str, Any], kind: str) -> int:
    """Return the longest lag up to which, at every lag, enough seeds learned it; 0 if not even the first."""
    longest = 0
    for lag, learned in zip(result["lags"], result["kinds"][kind]["learned"], strict=True):
        if learned < enough_seeds(result):
            break
        longest = lag
    return longest


def verdict(result: dict[str, Any]) -> str:
    """Say in words which of the article's cures reach further than the plain RNN, and how far each gets."""
    reaches = {kind: reach(result, kind) for kind in result["kinds"]}
    plain = reaches["RNN"]
    better = [kind for kind, lag in reaches.items() if lag > plain]
    equal = [kind for kind, lag in reaches.items() if lag == plain and kind != "RNN"]
    worse = [kind for kind, lag in reaches.items() if lag < plain]
    said = [f"longer lags than the RNN with Adam: {', '.join(better) or 'none'}"]
    said += [f"the same: {', '.join(equal)}"] * bool(equal) + [f"shorter ones: {', '.join(worse)}"] * bool(worse)
    counts = {kind: sum(rows["learned"]) for kind, rows in result["kinds"].items()}
    runs = len(result["seeds"]) * len(result["lags"])
    figures = ", ".join(f"{kind} {lag or 'none'} ({counts[kind]})" for kind, lag in reaches.items())
    holds = "holds in part" if better and (equal or worse) else "holds" if better else "does not hold"
    return (
        f"{holds[0].upper()}{holds[1:]}. At equal parameters and {result['seconds']:g} CPU seconds: {'; '.join(said)}. "
        f"Longest lag, of {result['lags'][0]} to {result['lags'][-1]}, up to which at least {enough_seeds(result)} of "
        f"{len(result['seeds'])} seeds learned it (in brackets: how many of {runs} runs at all lags "
        f"did): {figures}."
    )
