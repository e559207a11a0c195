"""Claim C2: the networks that are compared, and how long an update and a pass of each take.

Seconds are this process's own CPU time, of the plain engine in float32. An update is all of it: loss, gradients,
clipping, Adam. A pass is the equations alone (`logits_of`), without the checks that `model.forward` makes of every
weight.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...arrays import Array, Params, tree_copy
from ...cells import CoupledLSTMCell, IndRNNCell, LowRankLSTMCell, LowRankRNNCell, LSTMCell, RNNCell
from ...compression import count
from ...data import date_vocabularies
from ...layers import Recurrent
from ...models import LanguageModel, SequenceClassifier
from ...optim import Adam, clip_by_global_norm
from .c2_formats import FORMATS, FULL, logits_of

STEPS = 6  # of the sequences that are timed
SAMPLE = 0.05  # seconds that a sample takes at least
#: What is timed: units, sequences in the batch, and whether an update is timed beside a pass.
POINTS = ((32, 32, True), (128, 32, True), (512, 32, True), (512, 1, False))


#: Makes a call that is timed, with copies of its own of all that it reads.
Side: TypeAlias = Callable[[], Callable[[], object]]


class Kind(NamedTuple):
    """A network to compare."""

    family: str  # the kind with the full recurrent matrix
    cell: Callable[[int], Any]  # for D = H units
    tied: bool = False  # whether the output's matrix is the embedding's
    shrinks: bool = False  # whether a step multiplies smaller matrices than the family's


KINDS: Mapping[str, Kind] = {
    "LSTM": Kind("LSTM", lambda H: LSTMCell(H, H)),
    "LSTM, rank H/4": Kind("LSTM", lambda H: LowRankLSTMCell(H, H, H // 4), shrinks=True),
    "LSTM, rank H/16": Kind("LSTM", lambda H: LowRankLSTMCell(H, H, H // 16), shrinks=True),
    "LSTM, i = 1 − f": Kind("LSTM", lambda H: CoupledLSTMCell(H, H), shrinks=True),
    "LSTM, tied embedding": Kind("LSTM", lambda H: LSTMCell(H, H), tied=True),
    "RNN": Kind("RNN", lambda H: RNNCell(H, H)),
    "RNN, rank H/8": Kind("RNN", lambda H: LowRankRNNCell(H, H, H // 8), shrinks=True),
    "RNN, diagonal": Kind("RNN", lambda H: IndRNNCell(H, H, "tanh"), shrinks=True),  # f as in the RNN
}


def model_of(kind: str, units: int) -> LanguageModel:
    """Return the language model of a kind, with D = H = `units`."""
    one = KINDS[kind]
    return LanguageModel(Recurrent(one.cell(units), engine="stepwise"), len(date_vocabularies()[0]), tied=one.tied)


def in_turns(sides: Mapping[str, Side], reference: str, rounds: int) -> tuple[float, dict[str, float]]:
    """Return the median seconds of the reference and, for every side, the median of its ratio to it, round by round.

    A busy moment meets all sides of a round alike. Each round has an order of its own, copies of its own, since two
    copies of the same weights can differ by a tenth in time, by where they lie, and a call before each sample that
    does not count.
    """
    calls: dict[str, int] = {}
    for name, fresh in sides.items():
        side = fresh()
        side()  # the first call prepares
        began = time.process_time()
        side()
        calls[name] = max(1, round(SAMPLE / max(time.process_time() - began, 1e-6)))
    rng = np.random.default_rng(0)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name in rng.permutation(list(sides)):
            side = sides[name]()
            side()
            began = time.process_time()
            for _ in range(calls[name]):
                side()
            times[name].append((time.process_time() - began) / calls[name])
    ratios = {name: float(np.median(np.divide(found, times[reference]))) for name, found in times.items()}
    return float(np.median(times[reference])), ratios


def drawn(V: int, N: int) -> Array:
    """Return indices to time with: their values change no time."""
    return np.random.default_rng(0).integers(0, V, (STEPS, N))


def update_of(model: Any, N: int) -> Side:
    """Return a maker of calls that make one update: loss, gradients, clipping, Adam."""
    params = model.init_params(rng=np.random.default_rng(0), dtype=np.float32)
    xs, rule = drawn(model.vocabulary_size, N), Adam(0.001)
    targets = np.zeros(N, int) if isinstance(model, SequenceClassifier) else drawn(model.vocabulary_size, N)

    def fresh() -> Callable[[], object]:
        weights = deepcopy(params)
        memory = rule.init(weights)

        def update() -> None:
            _, grads, _ = model.loss_and_grads(weights, xs, targets)
            rule.update(weights, clip_by_global_norm(grads, 1.0)[0], memory)

        return update

    return fresh


def pass_of(model: Any, N: int, load: Callable[[Params], Params] = tree_copy) -> Side:
    """Return a maker of calls that make one pass, with the weights that `load` makes of the model's."""
    loaded = load(model.init_params(rng=np.random.default_rng(0), dtype=np.float32))
    xs = drawn(model.vocabulary_size, N)

    def fresh() -> Callable[[], object]:
        weights = deepcopy(loaded)
        return lambda: logits_of(model, weights, xs)

    return fresh


def timed(kinds: Sequence[str], formats: Sequence[str], points: Sequence[tuple[int, int, bool]], rounds: int) -> Any:
    """Return the ratios by point: of kinds and of formats, a pass and (of kinds) an update."""
    found = []
    for units, N, updates in points:
        models = {kind: model_of(kind, units) for kind in kinds}
        row: dict[str, Any] = {"units": units, "sequences": N, "steps": STEPS, "seconds": {}, "pass": {}}
        if updates:
            row["update"] = {}
        for family in dict.fromkeys(KINDS[kind].family for kind in kinds):
            members = {kind: model for kind, model in models.items() if KINDS[kind].family == family}
            for what, make in (("pass", pass_of), ("update", update_of)):
                if what in row:
                    sides = {kind: make(model, N) for kind, model in members.items()}
                    row["seconds"][f"{family}, {what}"], ratios = in_turns(sides, family, rounds)
                    row[what] |= ratios
        loaded = {name: pass_of(models["LSTM"], N, FORMATS[name].load) for name in formats}
        row["seconds"]["formats, pass"], row["formats"] = in_turns(loaded, FULL, rounds)
        found.append(row)
    return found


def count_of(model: Any) -> int:
    """Return how many parameters a model has."""
    return count(model.init_params(rng=np.random.default_rng(0), dtype=np.float32))


def counterexample(units: int, N: int, rounds: int) -> dict[str, Any]:
    """Return the counts and ratios of models that part count and time.

    The first two have as many parameters, to one row of a table, the second most of them in a vocabulary's table, where
    a step looks one row up; the third has the first one's cell and a hundred times its vocabulary.
    """
    V, half = len(date_vocabularies()[0]), units // 2

    def classifier(H: int, vocabulary: int) -> SequenceClassifier:
        return SequenceClassifier(Recurrent(LSTMCell(H, H), engine="stepwise"), vocabulary, 2)

    full = classifier(units, V)
    larger = (count_of(full) - count_of(classifier(half, 1))) // half + 1
    models = {
        f"{units} units, vocabulary {V}": full,
        f"{half} units, vocabulary {larger}": classifier(half, larger),
        f"{units} units, vocabulary {100 * V}": classifier(units, 100 * V),
    }
    reference = next(iter(models))
    seconds, passes = in_turns({name: pass_of(model, N) for name, model in models.items()}, reference, rounds)
    _, updates = in_turns({name: update_of(model, N) for name, model in models.items()}, reference, rounds)
    rows = {name: {"parameters": count_of(model), "pass": passes[name], "update": updates[name]}
            for name, model in models.items()}
    return {"sequences": N, "steps": STEPS, "seconds": seconds, "models": rows}
