r"""Claim C10 (article §5 Q3): three ways with missing values, and what each costs.

Deleting what is incomplete loses data; filling with mean, median or mode keeps it and costs accuracy; a model (an RNN)
can predict missing values: so says the article.

Known values are hidden, 5 to 60 % of them, one by one or in blocks of one feature, in the training and in the test
part alike. Two scores, on the same test sequences and the same holes for every method:

- *filling*: root mean square error on the test values that were hidden, in standard deviations of the training part.
- *forecast*: the error of a network, trained on the training part as that method leaves it, that predicts the step
  after each test sequence. The targets are complete. Deleting, and telling the network what is missing (mask and time,
  GRU-D), fill nothing and have this score alone.

Source: article §5 Q3; Che et al. (2018); notebook 15; benchmarks/claim_c10.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array
from ...cells import GRUCell, GRUDCell
from ...data import (
    Deletion,
    InterpolationFilling,
    LastValueFilling,
    MaskAndTime,
    MeanFilling,
    MedianFilling,
    ModeFilling,
    hide,
    make_holes,
)
from ...layers import Recurrent
from ...models import ModelFilling, SequenceModel, bidirectional_imputer
from ...optim import Adam, Cosine, clip_by_global_norm
from ...validate import ArgumentError
from .c10_data import DATA, STEPS, complete_data
from .c10_verdict import verdict

MISSING = (0.05, 0.2, 0.4, 0.6)
PATTERNS = {"at random": 1, "in blocks": 6}  # steps of a hole
HIDDEN, BATCH = 16, 32

#: The simple fillings; "mode" is refused where values are not quantised.
SIMPLE: dict[str, Any] = {
    "mean": MeanFilling(), "median": MedianFilling(), "mode": ModeFilling(), "last value": LastValueFilling(),
    "interpolation": InterpolationFilling(),
}
FILLINGS = (*SIMPLE, "model")
FORECASTS = ("complete", "delete sequences", "delete steps", *FILLINGS, "mask and time", "GRU-D")


class Condition(NamedTuple):
    """One data set with holes, in units of what was seen in its training part, and the truth."""

    train: Array  # (T, N, D), NaN where hidden
    test: Array
    train_targets: Array  # (N, D), complete
    test_targets: Array
    train_truth: Array  # the two parts without holes
    truth: Array
    hidden: Array  # where the test part has some


class Inputs(NamedTuple):
    """What a forecaster reads, as one method leaves it."""

    train: Array
    test: Array
    train_mask: Array | None = None
    test_mask: Array | None = None
    train_chosen: Array | None = None  # which sequences are left; default all
    test_chosen: Array | None = None


def condition(data: str, share: float, block: int, seed: int, sequences: int) -> Condition:
    """Hide that share of a data set; the truth and the places depend on the seed alone."""
    parts = complete_data(data, rng=np.random.default_rng([seed, 0]), sequences=sequences)
    holes = np.random.default_rng([seed, 1])
    places = [np.zeros(part.shape, bool) for part in (parts.train, parts.test)]
    for place, part in zip(places, (parts.train, parts.test), strict=True):
        place[parts.known :] = make_holes(part[parts.known :], share, rng=holes, block=block)
    train, hidden = hide(parts.train, places[0]), places[1]
    mean, scale = np.nanmean(train, axis=(0, 1)), np.nanstd(train, axis=(0, 1))
    train_truth, truth = (parts.train - mean) / scale, (parts.test - mean) / scale
    return Condition(
        (train - mean) / scale, hide(truth, hidden), (parts.train_targets - mean) / scale,
        (parts.test_targets - mean) / scale, train_truth, truth, hidden,
    )


def fill_both(method: str, at: Condition, block: int, seed: int, updates: int) -> tuple[Array, Array]:
    """Fit a filling on the training part; return both parts filled.

    Raises ArgumentError where the method refuses the data.
    """
    if method in SIMPLE:
        statistics = SIMPLE[method].fit(at.train)
        return SIMPLE[method].transform(statistics, at.train), SIMPLE[method].transform(statistics, at.test)
    model = ModelFilling(
        bidirectional_imputer(at.train.shape[2], HIDDEN), updates, BATCH, share=(0.1, 0.6), block=block,
        optimizer=Adam(0.01), schedule=Cosine(updates),
    )
    fitted = model.fit(at.train, rng=np.random.default_rng([seed, 2]))
    return model.transform(fitted, at.train), model.transform(fitted, at.test)


def deleted(unit: str, at: Condition) -> Inputs:
    """Delete in the training part, and in the test part as far as a forecast for every sequence allows.

    Deleting steps closes test sequences up too; whole ones can't be deleted there, and their gaps hold the last value.
    """
    method = Deletion(unit)
    left = method.transform(method.fit(at.train), at.train)
    if unit == "sequences":
        last = SIMPLE["last value"]
        return Inputs(left.xs, last.transform(last.fit(at.train), at.test), left.mask, None, left.sequences)
    test = method.transform(method.fit(at.test), at.test)
    return Inputs(left.xs, test.xs, left.mask, test.mask, left.sequences, test.sequences)


def forecast_error(at: Condition, inputs: Inputs, seed: int, updates: int, *, decaying: bool = False) -> float:
    """Train a forecaster and return its root mean square error on all test sequences.

    A test sequence of which nothing is left gets the training part's mean target.
    """
    size, D = inputs.train.shape[2], at.train_targets.shape[1]
    cell = GRUDCell(size, HIDDEN) if decaying else GRUCell(size, HIDDEN)
    model = SequenceModel(Recurrent(cell), D, "regression", "many-to-one")
    rng = np.random.default_rng([seed, 3])
    params: Any = model.init_params(rng=rng)
    rates, optimizer = Cosine(updates), Adam(0.01)
    state = optimizer.init(params)
    targets = at.train_targets if inputs.train_chosen is None else at.train_targets[inputs.train_chosen]
    mask = inputs.train_mask
    for update in range(updates):
        rows = rng.integers(0, len(targets), BATCH)
        _, grads, _ = model.loss_and_grads(
            params, inputs.train[:, rows], targets[rows], mask=None if mask is None else mask[:, rows]
        )
        optimizer = Adam(0.01 * rates(update))
        params, state = optimizer.update(params, clip_by_global_norm(grads, 1.0)[0], state)
    predicted = np.repeat(at.train_targets.mean(axis=0, keepdims=True), len(at.test_targets), axis=0)
    chosen = slice(None) if inputs.test_chosen is None else inputs.test_chosen
    predicted[chosen] = model.predict(params, inputs.test, mask=inputs.test_mask)
    return float(np.sqrt(np.mean((predicted - at.test_targets) ** 2)))


def told(at: Condition, relative: bool) -> Inputs:
    """Return values, mask and time since seen; for GRU-D relative to the mean."""
    method = MaskAndTime(time_unit=4.0, relative=relative)
    statistics = method.fit(at.train)
    return Inputs(method.transform(statistics, at.train), method.transform(statistics, at.test))


def run(
    *, seeds: Sequence[int] = (0, 1, 2, 3, 4), data: Sequence[str] = DATA, missing: Sequence[float] = MISSING,
    patterns: Sequence[str] = tuple(PATTERNS), forecasts: Sequence[str] = FORECASTS, sequences: int = 250,
    filling_updates: int = 300, forecast_updates: int = 150, report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds : list of int
        Each draws the data (but for the prices), the holes and the starts; methods are paired on them.
    data, missing, patterns : lists
        Of `DATA`, of shares between 0 and 1, of `PATTERNS`.
    forecasts : list of str
        Of `FORECASTS`, those to train a forecaster for; fillings are scored in any case.
    sequences : int
        Of each part, at most (prices have fewer).
    filling_updates, forecast_updates : int
        Of the filling model and of each forecaster.
    report : callable, optional
        Called with a line after each share.

    Returns
    -------
    dict
        `kept`, by data and pattern, along `missing`: the share of the sequences that are complete, by seed. `filling`
        and `forecast`, by data, pattern and method, along `missing`: errors by seed; None where the method refuses
        the data or nothing is left. And the verdict.
    """
    result: dict[str, Any] = {
        "claim": "C10", "seeds": list(seeds), "missing": list(missing), "steps": STEPS, "sequences": sequences,
        "blocks": {name: PATTERNS[name] for name in patterns}, "filling_updates": filling_updates,
        "forecast_updates": forecast_updates, "kept": {}, "filling": {}, "forecast": {}, "refused": {},
    }
    for name in data:
        for score in ("kept", "filling", "forecast"):
            result[score][name] = {pattern: {} for pattern in patterns}
        for pattern in patterns:
            block = PATTERNS[pattern]
            kept: list[list[float]] = []
            filling: dict[str, list[Any]] = {method: [] for method in FILLINGS}
            forecast: dict[str, list[Any]] = {method: [] for method in forecasts}
            for share in missing:
                here = [condition(name, share, block, seed, sequences) for seed in seeds]
                kept.append([float(np.isfinite(at.train).all(axis=(0, 2)).mean()) for at in here])
                filled: dict[str, list[Inputs] | None] = {}
                for method in FILLINGS:
                    try:
                        pairs = [fill_both(method, at, block, seed, filling_updates)
                                 for at, seed in zip(here, seeds, strict=True)]
                    except ArgumentError as refusal:
                        result["refused"].setdefault(name, {})[method] = str(refusal)
                        filled[method] = None
                        filling[method].append(None)
                        continue
                    filled[method] = [Inputs(*pair) for pair in pairs]
                    filling[method].append([
                        float(np.sqrt(np.mean((test - at.truth)[at.hidden] ** 2)))
                        for (_, test), at in zip(pairs, here, strict=True)
                    ])
                for method in forecasts:
                    forecast[method].append(_forecasts(method, here, filled, seeds, forecast_updates))
                if report is not None:
                    report(_line(name, pattern, share, filling, forecast))
            result["kept"][name][pattern] = kept
            result["filling"][name][pattern], result["forecast"][name][pattern] = filling, forecast
    result["verdict"] = verdict(result)
    return result


def _forecasts(
    method: str, here: list[Condition], filled: dict[str, list[Inputs] | None], seeds: Sequence[int], updates: int
) -> list[float] | None:
    """Return the forecast error of one method by seed, or None where it can't be used."""
    errors: list[float] = []
    for index, (at, seed) in enumerate(zip(here, seeds, strict=True)):
        if method in FILLINGS:
            ready = filled[method]
            if ready is None:
                return None
            inputs = ready[index]
        elif method.startswith("delete"):
            try:
                inputs = deleted(method.removeprefix("delete "), at)
            except ArgumentError:  # nothing is left
                return None
        elif method == "complete":
            inputs = Inputs(at.train_truth, at.truth)
        else:
            inputs = told(at, method == "GRU-D")
        errors.append(forecast_error(at, inputs, seed, updates, decaying=method == "GRU-D"))
    return errors


def _line(name: str, pattern: str, share: float, filling: dict[str, Any], forecast: dict[str, Any]) -> str:
    def means(rows: dict[str, Any]) -> str:
        return ", ".join(f"{method} {np.mean(row[-1]):.3f}" for method, row in rows.items() if row[-1] is not None)

    return f"{name}, {pattern}, {share:.0%}: filling {means(filling)}; forecast {means(forecast)}"
