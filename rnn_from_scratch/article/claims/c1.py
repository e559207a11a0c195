r"""Claim C1 (article §1): recurrent networks remember long-range dependencies.

Two questions, which are not one. *Can hold*: are there weights with which a network remembers? The lamp's hold for
ever. *Can learn*: does training find such weights? Networks of 32 units learn to name, after a lag, which of four
symbols they were shown; the steps between are silent, or they carry noise. Kinds differ in the cell and in how it
starts; the first is the textbooks' RNN, by plain gradient descent. All have equal updates, and each takes the best of
its grid of rates at each lag, chosen on other seeds.

Source: article §1; Le, Jaitly & Hinton (2015) and Tallec & Ollivier (2018) for the starts; notebook 11;
benchmarks/claim_c1.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params
from ...bptt import unroll, unroll_backward
from ...cells import GRUCell, LSTMCell, RNNCell, chrono_params
from ...cells.base import Cell
from ...data import lamp, recall_data
from ...layers import Recurrent
from ...metrics import wilson_interval
from ...models import SequenceModel
from ...optim import Adam, GradientDescent, clip_by_global_norm
from ...validate import ArgumentError, option
from .c7 import enough_seeds, random_matrix

SYMBOLS, HIDDEN, SEQUENCES = 4, 32, 16
LAGS = (5, 10, 20, 40, 80)
RATES = (0.003, 0.01, 0.03)  # of Adam
DESCENT_RATES = (0.1, 0.3, 1.0)  # of gradient descent
ENOUGH = 0.1  # training ends when the mean loss of the last 20 updates is below; ln 4 = 1.386 is chance
LEARNED = 0.9  # accuracy on fresh sequences; 0.25 is chance

#: "silence": nothing between the cue and the question, so the task has four sequences in all.
#: "noise": normal numbers (0.3) on every input between them: what is remembered is disturbed at each step.
TASKS = ("silence", "noise")
NOISE = 0.3

#: What is kept for each kind, along the lags.
KEYS = ("rate", "learned", "interval", "updates", "accuracy", "tuning")


class Outcome(NamedTuple):
    """How one training ended."""

    updates: int  # made
    accuracy: float  # on 500 fresh sequences

    @property
    def learned(self) -> bool:
        """Whether nearly all were named."""
        return self.accuracy >= LEARNED


def _own(cell: Cell, _lag: int, rng: np.random.Generator) -> Params:
    return cell.init_params(rng=rng)


def _small(cell: Cell, _lag: int, rng: np.random.Generator) -> Params:
    return {**cell.init_params(rng=rng), "W_hh": random_matrix(HIDDEN, 0.8, rng=rng)}


def _chrono(cell: Any, lag: int, rng: np.random.Generator) -> Params:
    return chrono_params(cell, rng=rng, longest=lag + 1)


class Kind(NamedTuple):
    """A network, its start at a lag, and how it is trained."""

    cell: Cell
    start: Callable[[Any, int, np.random.Generator], Params]
    optimizer: Callable[[float], Adam | GradientDescent] = Adam
    rates: tuple[float, ...] = RATES


_RNN, _LSTM, _GRU = (cell(SYMBOLS + 1, HIDDEN) for cell in (RNNCell, LSTMCell, GRUCell))

#: The chrono starts are told the lag.
KINDS: dict[str, Kind] = {
    "RNN, radius 0.8, gradient descent": Kind(_RNN, _small, GradientDescent, DESCENT_RATES),
    "RNN, radius 0.8": Kind(_RNN, _small),
    "RNN, orthogonal": Kind(_RNN, _own),
    "LSTM, forget bias 1": Kind(_LSTM, _own),
    "LSTM, chrono start": Kind(_LSTM, _chrono),
    "GRU, zero biases": Kind(_GRU, _own),
    "GRU, chrono start": Kind(_GRU, _chrono),
}


def can_hold(holds: Sequence[int] = (1, 10, 100, 1000)) -> dict[str, list[float]]:
    """Switch the lamp on and off, and hold for so many steps.

    Returns {"holds", "on", "off": the state after them, ±3/5 where nothing is lost; "disturbed": the same from 0.5, a
    wrong state; "gradient": ∂h_end/∂h_start}.
    """
    example = lamp()
    cell, params = RNNCell(1, 1), example.params["recurrent"]
    found: dict[str, list[float]] = {"holds": list(holds), "on": [], "off": [], "disturbed": [], "gradient": []}
    for count in holds:
        xs = np.full((count, 3, 1), 0.5)  # the input that holds
        state = (np.array([[0.6], [-0.6], [0.5]]),)
        hs, (h,), caches = unroll(cell, params, xs, state)
        dstates, _ = unroll_backward(cell, params, np.zeros_like(hs), caches, (np.ones_like(h),))
        for name, value in zip(("on", "off", "disturbed"), h[:, 0], strict=True):
            found[name].append(float(value))
        found["gradient"].append(float(dstates[0][0][0, 0]))
    return found


def draw(task: str, lag: int, N: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return inputs (lag + 1, N, 5) and the symbols to name, (N,)."""
    xs, targets, _ = recall_data(rng=rng, lag=lag, N=N, symbols=SYMBOLS)
    if task == "noise":  # the cue and the question stay clean
        xs[1:-1] += NOISE * rng.standard_normal(xs[1:-1].shape)
    return xs, targets[-1]


def train(task: str, kind: str, lag: int, rate: float, seed: int, updates: int) -> Outcome:
    """Train on new sequences at each update, the gradient's global norm clipped at 1; then test."""
    option("claim C1", "task", task, TASKS)
    option("claim C1", "kind", kind, KINDS)
    cell, start, optimize, _ = KINDS[kind]
    rng, stream = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    model = SequenceModel(Recurrent(cell, engine="stepwise"), SYMBOLS, outputs="many-to-one")
    params = {**model.init_params(rng=rng), "recurrent": start(cell, lag, rng)}
    optimizer: Any = optimize(rate)
    state = optimizer.init(params)
    losses: list[float] = []
    try:
        while len(losses) < updates and not (len(losses) >= 20 and np.mean(losses[-20:]) < ENOUGH):
            loss, grads, _ = model.loss_and_grads(params, *draw(task, lag, SEQUENCES, stream))
            params, state = optimizer.update(params, clip_by_global_norm(grads, 1.0)[0], state)
            losses.append(float(loss))
        xs, symbols = draw(task, lag, 500, stream)
        named = model.forward(params, xs)[0].argmax(axis=-1)
    except ArgumentError:  # a loss or a gradient that is not finite: the rate was too large
        return Outcome(len(losses), 1 / SYMBOLS)
    return Outcome(len(losses), float((named == symbols).mean()))


def best_rate(
    task: str, kind: str, lag: int, seeds: Sequence[int], updates: int
) -> tuple[float, dict[float, list[float]]]:
    """Return the rate that teaches the most tuning seeds, in the fewest updates; and the accuracies by rate.

    Where no rate teaches any, the one with the highest accuracy. Once a rate has taught a seed, another is given up
    there at twice as many updates.
    """
    found: dict[float, list[Outcome]] = {rate: [] for rate in KINDS[kind].rates}
    for seed in seeds:
        limit = updates
        for rate in found:
            outcome = train(task, kind, lag, rate, seed, limit)
            found[rate].append(outcome)
            limit = min(limit, 2 * outcome.updates) if outcome.learned else limit

    def merit(rate: float) -> tuple[int, int, float]:
        learned = [outcome.updates for outcome in found[rate] if outcome.learned]
        return len(learned), -sum(learned), sum(outcome.accuracy for outcome in found[rate])

    return max(found, key=merit), {rate: [outcome.accuracy for outcome in rows] for rate, rows in found.items()}


def run(
    *, seeds: Sequence[int] = (0, 1, 2, 3, 4), tuning_seeds: Sequence[int] = (100, 101), lags: Sequence[int] = LAGS,
    kinds: Sequence[str] = tuple(KINDS), tasks: Sequence[str] = TASKS, updates: int = 600,
    report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds, tuning_seeds : list of int
        Each draws a start and a stream of sequences; the rates are chosen on the second.
    lags : list of int
        Steps from the cue to the question, ascending.
    kinds, tasks : list of str
        Of `KINDS` and `TASKS`.
    updates : int
        Of each run, at most.
    report : callable, optional
        Called with a line after each kind and lag.

    Returns
    -------
    dict
        `hold`; and by task and kind, along `lags`: `rate`, `learned` (how many seeds), `interval` (Wilson, 95 %, of
        their share), `updates` and `accuracy` (by seed), `tuning` (accuracies by rate). And the verdict.
    """
    result: dict[str, Any] = {
        "claim": "C1", "hidden": HIDDEN, "chance": 1 / SYMBOLS, "updates": updates, "learned_from": LEARNED,
        "seeds": list(seeds), "tuning_seeds": list(tuning_seeds), "lags": list(lags),
        "noise": NOISE, "hold": can_hold(), "tasks": {task: {} for task in tasks},
    }
    for task in tasks:
        for kind in kinds:
            rows: dict[str, list[Any]] = {key: [] for key in KEYS}
            for lag in lags:
                rate, tuning = best_rate(task, kind, lag, tuning_seeds, updates)
                outcomes = [train(task, kind, lag, rate, seed, updates) for seed in seeds]
                learned = sum(outcome.learned for outcome in outcomes)
                interval = [round(end, 4) for end in wilson_interval(learned, len(outcomes))]
                made, accuracy = [outcome.updates for outcome in outcomes], [outcome.accuracy for outcome in outcomes]
                by_rate = {str(tried): found for tried, found in tuning.items()}
                for key, value in zip(KEYS, (rate, learned, interval, made, accuracy, by_rate), strict=True):
                    rows[key].append(value)
                if report is not None:
                    report(f"{task}, {kind}, lag {lag}: rate {rate}, {learned} of {len(outcomes)}, {accuracy}")
            result["tasks"][task][kind] = rows
    result["verdict"] = verdict(result)
    return result


def reach(result: dict[str, Any], task: str, kind: str) -> int:
    """Return the longest lag up to which, at every lag, enough seeds learned it; 0 if not even the first."""
    longest = 0
    for lag, learned in zip(result["lags"], result["tasks"][task][kind]["learned"], strict=True):
        if learned < enough_seeds(result):
            break
        longest = lag
    return longest


def verdict(result: dict[str, Any]) -> str:
    """Say in words whether the memory can be held, and by which kinds, up to which lag, it was learned."""
    hold, lags = result["hold"], result["lags"]
    lost = max(abs(abs(value) - 0.6) for name in ("on", "off") for value in hold[name])
    reaches = {task: {kind: reach(result, task, kind) for kind in kinds} for task, kinds in result["tasks"].items()}
    worst = {kind: min(kinds[kind] for kinds in reaches.values()) for kinds in reaches.values() for kind in kinds}
    shortest, longest = min(worst.values()), max(worst.values())
    if not longest:
        learned = "does not hold"
    elif shortest == longest:
        learned = f"holds up to lag {longest}"
    else:
        best = " and ".join(kind for kind in worst if worst[kind] == longest)
        common = f"up to lag {shortest} for all kinds" if shortest else "for some kinds"
        learned = f"holds {common}, up to lag {longest} for {best}"
    figures = "; ".join(
        f"{task}: " + ", ".join(f"{lag or 'none'} ({kind})" for kind, lag in kinds.items())
        for task, kinds in reaches.items()
    )
    return (
        f"Can hold: {'holds' if lost < 1e-9 else 'does not hold'} (the lamp, {hold['holds'][-1]} steps). "
        f"Can learn: {learned}. Longest lag, of {lags[0]} to {lags[-1]}, up to which at least "
        f"{enough_seeds(result)} of {len(result['seeds'])} seeds learned it: {figures}."
    )
