"""Claim C12 (article §4.5): visualisation makes hidden states and outputs explainable.

Laughs with asides: the letters h, a, ! drawn at random, and now and then a bracket, "(" where none is open and ")"
where one is. To predict the next sign a network must know whether a bracket is open, for any number of letters; which
letters it has read is of no use, since the next one does not depend on them. So there are two variables of which it is
known beforehand whether a network needs them: `open`, and `letter`, the one before the letter that was just read.

Each is *shown* by a linear probe of h_t, beside a probe of the same network before training. Its *use* is measured by
holding h at its mean along the directions in which the variable's class means differ, at every step, and counting how
often the network still gives the right bracket more probability than the wrong one, after a letter (guessing: half).
Beside that stand as many random directions; what the same probe reads then; and what a new one does, since a variable
that is gone from where it was shown may be kept elsewhere too. Single units are looked at and clamped in the same way.

Source: article §4.5; Hewitt & Liang (2019); Elazar et al. (2021); notebook 17; benchmarks/claim_c12.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params
from ...cells import LSTMCell, RNNCell
from ...cells.base import Cell
from ...data import one_hot
from ...layers import Recurrent
from ...looking import clamp_units, class_directions, fit_classifier, remove_directions, unroll_changed
from ...looking.probes import Probe
from ...metrics import mean_interval
from ...models import SequenceModel
from ...optim import Adam
from ...validate import option

SIGNS = "ha!()"
LETTERS, BRACKET = 3, 0.15
HIDDEN, STEPS, SEQUENCES, RATE, UPDATES = 24, 30, 32, 0.005, 1000
TEST_STEPS, TEST_SEQUENCES, FIRST = 50, 100, 10  # states of the first steps are not looked at
DRAWS = 5
SEEN, UNUSED = 0.9, 0.01  # |r| from which a unit shows a variable; share of right brackets whose loss is none
CELLS: dict[str, Cell] = {"RNN": RNNCell(5, HIDDEN), "LSTM": LSTMCell(5, HIDDEN)}
CHANCE = {"open": 0.5, "letter": 1 / 3}


class Text(NamedTuple):
    """Signs, and whether a bracket is open after each."""

    signs: Array  # (T, N) int, places in SIGNS
    open: Array  # (T, N) int, 0 or 1


class States(NamedTuple):
    """What is looked at: states after a letter whose sign before is a letter too, and what they could show."""

    hs: Array  # (M, H)
    open: Array  # (M,)
    letter: Array  # (M,), the letter before


def asides(*, rng: np.random.Generator, T: int, N: int) -> Text:
    """Return N texts of T signs; each is a bracket with probability 0.15, in turn "(" and ")", else a letter."""
    letters = rng.integers(0, LETTERS, (T, N))
    brackets = rng.uniform(size=(T, N)) < BRACKET
    inside = np.cumsum(brackets, axis=0) % 2
    return Text(np.where(brackets, np.where(inside == 1, LETTERS, LETTERS + 1), letters), inside)


def lowest_loss() -> float:
    """Return the loss in nats of who knows whether a bracket is open: the entropy of a sign."""
    return float(-BRACKET * np.log(BRACKET) - (1 - BRACKET) * np.log((1 - BRACKET) / LETTERS))


def model_of(name: str) -> SequenceModel:
    """Return the model of a name in `CELLS`."""
    option("claim C12", "name", name, CELLS)
    return SequenceModel(Recurrent(CELLS[name]), len(SIGNS))


def train(name: str, seed: int, updates: int = UPDATES) -> tuple[Params, Params]:
    """Return the parameters before and after training on fresh texts, each sign predicted from those before it."""
    rng = np.random.default_rng(seed)
    model = model_of(name)
    start = params = model.init_params(rng=rng)
    optimizer = Adam(RATE)
    state = optimizer.init(params)
    for _ in range(updates):
        signs = asides(rng=rng, T=STEPS + 1, N=SEQUENCES).signs
        _, grads, _ = model.loss_and_grads(params, signs[:-1], signs[1:])
        params, state = optimizer.update(params, grads, state)
    return start, params


def run_text(name: str, params: Params, text: Text, change: Callable[..., Any] | None = None) -> Array:
    """Return h for each sign of a text (T, N, H), the state changed on the way if there is a `change`."""
    xs = one_hot(text.signs, len(SIGNS))
    keep = (lambda t, state: state) if change is None else change  # noqa: ARG005 - nothing is changed
    return unroll_changed(CELLS[name], params["recurrent"], xs, keep)[0]


def mean_of(hs: Array) -> Array:
    """Return the mean state (H,), where removed directions and clamped units are held."""
    mean: Array = hs[FIRST:].reshape(-1, HIDDEN).mean(axis=0)
    return mean


def states_of(hs: Array, text: Text) -> States:
    """Pick the states that are looked at."""
    letter = text.signs < LETTERS
    picked = np.zeros(letter.shape, bool)
    picked[FIRST:] = letter[FIRST:] & letter[FIRST - 1 : -1]
    before = np.concatenate([text.signs[:1], text.signs[:-1]])
    return States(hs[picked], text.open[picked], before[picked])


def right_brackets(params: Params, hs: Array, text: Text) -> float:
    """Return how often, after a letter, the bracket that can come has the larger logit."""
    logits = hs @ params["output"]["W_hy"] + params["output"]["b_y"]
    closes = logits[..., LETTERS + 1] > logits[..., LETTERS]
    counted = text.signs < LETTERS
    counted[:FIRST] = False
    return float(np.mean(closes[counted] == text.open[counted]))


def fit_probe(variable: str, states: States) -> Probe:
    """Fit a linear probe of the variable."""
    return fit_classifier(states.hs, getattr(states, variable), ridge=1e-4)


def reads(probe: Probe, variable: str, states: States) -> float:
    """Return the share of states whose variable a probe reads rightly; they are not those that it was fitted to."""
    return float(np.mean(probe.classes(states.hs) == getattr(states, variable)))


def directions_of(variable: str, states: States) -> Array:
    """Return the directions in which the variable's class means differ, other things equal.

    They are averaged over the values of the other variable. From all states at once, a few more open brackets among one
    letter's states than another's would put much of `open` into the letter's directions.
    """
    other = {"open": states.letter, "letter": states.open}[variable]
    values = getattr(states, variable)
    apart = [class_directions(states.hs[other == value], values[other == value]) for value in np.unique(other)]
    directions: Array = np.mean(apart, axis=0)
    return directions


def remove(name: str, params: Params, variable: str, fit: Text, test: Text) -> dict[str, Any]:
    """Return what a probe reads, and what reading and right brackets come to when the variable's directions are out."""
    before = run_text(name, params, fit)
    states = states_of(before, fit)
    directions = directions_of(variable, states)
    change = remove_directions(directions, mean_of(before))
    fitted, tested = (run_text(name, params, text, change) for text in (fit, test))
    probe, after = fit_probe(variable, states), states_of(tested, test)
    return {
        "read": reads(probe, variable, states_of(run_text(name, params, test), test)),
        "same": reads(probe, variable, after),
        "again": reads(fit_probe(variable, states_of(fitted, fit)), variable, after),
        "right": right_brackets(params, tested, test), "directions": len(directions),
    }


def remove_random(name: str, params: Params, k: int, fit: Text, test: Text, *, rng: np.random.Generator) -> float:
    """Return the share of right brackets with k random directions removed, the mean of five draws."""
    mean = mean_of(run_text(name, params, fit))
    return float(np.mean([
        right_brackets(params, run_text(name, params, test, remove_directions(out, mean)), test)
        for out in rng.standard_normal((DRAWS, k, HIDDEN))
    ]))


def units(name: str, params: Params, fit: Text, test: Text) -> dict[str, list[float]]:
    """Return, by unit, |r| with `open` and what clamping the unit to its mean takes from the right brackets."""
    hs = run_text(name, params, fit)
    states, mean = states_of(hs, fit), mean_of(hs)
    whole = right_brackets(params, run_text(name, params, test), test)
    drops = [
        whole - right_brackets(params, run_text(name, params, test, clamp_units([unit], mean)), test)
        for unit in range(HIDDEN)
    ]
    return {"shown": [abs(_correlation(row, states.open)) for row in states.hs.T], "drop": drops}


def look(name: str, seed: int, updates: int = UPDATES) -> dict[str, Any]:
    """Train one network and look into it: the figures that `run` gathers."""
    start, params = train(name, seed, updates)
    rng = np.random.default_rng([seed, 12])
    fit, test = (asides(rng=rng, T=TEST_STEPS, N=TEST_SEQUENCES) for _ in range(2))
    model = model_of(name)
    loss = model.loss(model.forward(params, test.signs[:-1])[0], test.signs[1:])[0]
    removed = {variable: remove(name, params, variable, fit, test) for variable in CHANCE}
    for rows in removed.values():
        rows["random"] = remove_random(name, params, rows["directions"], fit, test, rng=rng)
    untrained = [states_of(run_text(name, start, text), text) for text in (fit, test)]
    for variable, rows in removed.items():
        rows["untrained"] = reads(fit_probe(variable, untrained[0]), variable, untrained[1])
    return {
        "loss": float(loss), "right": right_brackets(params, run_text(name, params, test), test), "removed": removed,
        "units": units(name, params, fit, test),
    }


def run(
    *, seeds: Sequence[int] = tuple(range(8)), names: Sequence[str] = tuple(CELLS), updates: int = UPDATES,
    report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds : list of int
        At least two; each draws a start, texts to train with, to fit probes and to test.
    names : list of str
        Of `CELLS`.
    updates : int
        Of each training.
    report : callable, optional
        Called with a line after each network.

    Returns
    -------
    dict
        By cell, a list by seed: `loss` (nats, beside `lowest_loss`), `right` (brackets), `units`, and `removed` by
        variable: what a probe reads (`read`), before training (`untrained`), the same probe after the removal (`same`),
        a new one (`again`), right brackets after the removal (`right`) of so many `directions`, and of as many random
        ones (`random`). And the verdict.
    """
    result: dict[str, Any] = {
        "claim": "C12", "seeds": list(seeds), "updates": updates, "hidden": HIDDEN, "lowest_loss": lowest_loss(),
        "chance": CHANCE, "cells": {},
    }
    for name in names:
        result["cells"][name] = []
        for seed in seeds:
            found = look(name, seed, updates)
            result["cells"][name].append(_rounded(found))
            if report is not None:
                parts = [
                    f"{variable} read {rows['read']:.2f}, removed: right {rows['right']:.2f}"
                    for variable, rows in found["removed"].items()
                ]
                report(f"{name}, seed {seed}: right {found['right']:.3f}; {'; '.join(parts)}")
    result["verdict"] = verdict(result)
    return result


def by_seed(result: dict[str, Any], name: str, variable: str, what: str) -> list[float]:
    """Return a figure of `removed` by seed."""
    return [row["removed"][variable][what] for row in result["cells"][name]]


def drop(result: dict[str, Any], name: str, variable: str, what: str = "right") -> list[float]:
    """Return what the removal (or, with "random", one of random directions) took from the right brackets, by seed."""
    before = [row["right"] for row in result["cells"][name]]
    return [a - b for a, b in zip(before, by_seed(result, name, variable, what), strict=True)]


def showing_units(result: dict[str, Any], name: str) -> tuple[int, int, float]:
    """Return how many units show `open` (|r| of 0.9 or more), how many of them can be clamped at no cost, and the rank
    correlation over all units of showing with use (its mean over seeds).
    """
    seen = idle = 0
    ranks = []
    for row in result["cells"][name]:
        r, lost = (np.array(row["units"][what]) for what in ("shown", "drop"))
        seen += int((r >= SEEN).sum())
        idle += int(((r >= SEEN) & (lost < UNUSED)).sum())
        ranks.append(_correlation(_ranks(r), _ranks(lost)))
    return seen, idle, float(np.mean(ranks))


def verdict(result: dict[str, Any]) -> str:
    """Say in words what looking shows, what an untrained network shows as well, and what of it is used."""
    sentences, shows, explains = [], [], []
    for name in result["cells"]:
        needed, idle = (mean_interval(drop(result, name, variable)) for variable in ("open", "letter"))
        read = {
            key: [np.mean(by_seed(result, name, key, what)) for what in ("read", "untrained", "same", "again")]
            for key in CHANCE
        }
        more, there = (mean_interval(np.subtract(a, b)) for a, b in (
            (by_seed(result, name, "open", "read"), by_seed(result, name, "open", "untrained")),
            (by_seed(result, name, "letter", "read"), CHANCE["letter"])))
        shows.append(more[1] > 0.0)
        explains.append(not (there[1] > 0.0 and idle[2] < 0.1 * needed[1]))
        seen, free, ranks = showing_units(result, name)
        sentences.append(
            f"{name}: a probe reads whether a bracket is open at {read['open'][0]:.1%} (untrained "
            f"{read['open'][1]:.1%}, guessing 50 %) and the letter before at {read['letter'][0]:.1%} (untrained "
            f"{read['letter'][1]:.1%}, guessing 33 %). Removed, the one takes {100 * needed[0]:.1f} points "
            f"({100 * needed[1]:.1f} to {100 * needed[2]:.1f}) of the right brackets, the other {100 * idle[0]:.1f} "
            f"({100 * idle[1]:.1f} to {100 * idle[2]:.1f}); the same probes then read {read['open'][2]:.0%} and "
            f"{read['letter'][2]:.0%}, new ones, elsewhere, {read['open'][3]:.0%} and {read['letter'][3]:.0%}. Of "
            f"{seen} units that show an open bracket (|r| at least {SEEN}) {free} can be clamped at no cost; showing "
            f"and use have a rank correlation of {ranks:.2f}."
        )
    first = "holds" if all(shows) else "holds for some cells" if any(shows) else "does not hold"
    second = "holds" if all(explains) else "holds for some cells" if any(explains) else "does not hold"
    but = "" if all(explains) else "; shown is not used"
    return (
        f"That looking shows what training has put there: {first}. That what is shown explains the output: {second}"
        f"{but}. {' '.join(sentences)}"
    )


def _correlation(x: Array, y: Array) -> float:
    """Return Pearson's r; 0 where one of the two never changes, such as a dead unit."""
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0 and np.ptp(y) > 0 else 0.0


def _ranks(values: Array) -> Array:
    """Return ranks from 0, equal values sharing the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    means: Array = ends - (count + 1) / 2
    return means[place]


def _rounded(thing: Any) -> Any:
    """Keep four digits behind the point of every float."""
    if isinstance(thing, dict):
        return {key: _rounded(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [_rounded(value) for value in thing]
    return round(thing, 4) if isinstance(thing, float) else thing
