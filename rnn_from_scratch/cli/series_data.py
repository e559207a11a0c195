"""A series ready for a model: read, changed, cut in time's order, standardised, filled, in windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from ..cells import GRUCell, LSTMCell, RNNCell
from ..data import (
    LastValueFilling,
    MaskAndTime,
    Scaling,
    Sequences,
    Series,
    SeriesSplits,
    Windows,
    chronological_split,
    load_series,
    log_returns,
    reversed_series,
    sample_prices,
    series_windows,
    standardize,
)
from ..data.series import time_order
from ..layers import Recurrent
from ..models import SequenceModel
from .console import tell
from .runs import Option, check_sizes

CELLS: dict[str, Any] = {"gru": GRUCell, "lstm": LSTMCell, "rnn": RNNCell}
CHANGES = ("none", "differences", "returns")
PRICES = "monthly prices from matplotlib's sample data"

MODEL_OPTIONS = {
    "target": Option(None, "the column to forecast, by name, or the first"),
    "window": Option(24, "steps that the model reads before it forecasts"),
    "horizon": Option(1, "how many steps ahead"),
    "change": Option(None, "what is forecast: the values themselves (none), their differences, or returns, the "
                     "differences of their logarithms; for the prices returns, else none", CHANGES),
    "cell": Option("gru", "kind of cell", tuple(CELLS)),
    "hidden": Option(24, "hidden units"),
    "batch": Option(32, "windows in a batch"),
    "clip": Option(1.0, "largest norm of the gradient"),
    "seed": Option(0, "draws the start and the order of the windows"),
    "encoding": Option("utf-8", "of FILE"),
}


class SeriesData(NamedTuple):
    """A series in three parts as windows, filled, in units of training's standard deviations."""

    train: Sequences
    validation: Sequences
    test: Sequences
    scaling: Scaling
    target: str
    change: str  # one of CHANGES
    last: Array  # (window, D) the series' last rows, standardised, NaN where nothing is known
    fill: Array  # (D,) what stands before the first value
    name: str

    @property
    def what(self) -> str:
        """What is forecast, in words."""
        return self.target if self.change == "none" else f"{self.change} of {self.target}"


def series_data(where: str, file: str | None, chosen: dict[str, Any]) -> SeriesData:
    """Return a file's numbers (or the prices), ready for a model."""
    check_sizes(where, chosen, "window", "horizon", "hidden", "batch")
    series = sample_prices() if file is None else load_series(file, encoding=chosen["encoding"])
    if file is not None:
        for note in series.notes:
            tell(f"{Path(file).name}: {note}")
    if time_order(series.times) == "descending":
        tell("the file begins with the newest row: it is turned round")
        series = reversed_series(series)
    target = series.names[0] if chosen["target"] is None else chosen["target"]
    if target not in series.names:
        listed = ", ".join(map(repr, series.names[:12])) + (", …" if len(series.names) > 12 else "")
        validate.fail(where, f"--target is {target!r}", f"one of {listed}")
    change = chosen["change"] or ("returns" if file is None else "none")
    series = _known(where, _changed(series, change), target)
    parts = chronological_split(series)
    if change == "none":
        _warn_of_new_heights(parts, series.names.index(target))
    splits, scaling = standardize(parts)
    windows = [
        series_windows(part, chosen["window"], horizon=chosen["horizon"], columns=[target]) for part in splits
    ]
    filler = MaskAndTime(LastValueFilling(), time_unit=float(chosen["window"]))
    statistics = filler.fit(splits.train.values[:, None])
    sources = [
        _sequences(where, name, filler, statistics, part, chosen["batch"])
        for name, part in zip(("training", "validation", "test"), windows, strict=True)
    ]
    last = splits.test.values[-chosen["window"] :]
    name = PRICES if file is None else Path(file).name
    return SeriesData(
        sources[0], sources[1], sources[2], scaling, target, change, last, statistics.fill, name
    )


def _changed(series: Series, change: str) -> Series:
    """Return a series, its differences, or its returns."""
    if change == "returns":
        return log_returns(series)
    if change == "none":
        return series
    values = np.diff(series.values, axis=0)
    times = None if series.times is None else series.times[1:]
    return Series(values, series.names, times, ~np.isnan(values), series.notes)


def _warn_of_new_heights(parts: SeriesSplits, column: int) -> None:
    """Say so where the test part lies outside what training saw: no network follows a trend there by itself."""
    seen, test = parts.train.values[:, column], parts.test.values[:, column]
    test = test[~np.isnan(test)]
    outside = float(np.mean((test < np.nanmin(seen)) | (test > np.nanmax(seen)))) if test.size else 0.0
    if outside > 0.1:
        tell(
            f"{100 * outside:.0f} % of the test part lies outside what training saw, where a network cannot know what "
            "to say: try --change differences (or returns)"
        )


def _known(where: str, series: Series, target: str) -> Series:
    """Leave out columns of which the training part knows nothing; say so."""
    cut = chronological_split(series).train
    seen: Array = np.any(cut.observed, axis=0)
    if not seen[series.names.index(target)]:
        validate.fail(
            where, f"{target!r} has no known value in the first 70 % of {len(series.values)} steps", "one at least",
            "a model learns from them", "Choose another --target, or leave rows out at the beginning.",
        )
    dropped = [name for name, one in zip(series.names, seen, strict=True) if not one]
    if dropped:
        tell(f"left out, since the first 70 % hold no value of them: {', '.join(dropped)}")
    chosen = np.flatnonzero(seen)
    return Series(
        series.values[:, chosen], tuple(series.names[d] for d in chosen), series.times, series.observed[:, chosen],
        series.notes,
    )


def _sequences(
    where: str, name: str, filler: MaskAndTime, statistics: Any, windows: Windows, batch: int
) -> Sequences:
    """Fill the windows; what to predict is the last target of each, where it is known."""
    counted_targets = windows.target_mask[-1]
    if not counted_targets.any():
        got = f"the {name} part has no window with a known target"
        validate.fail(where, got, "one at least", "it is what is learned and scored")
    xs = filler.transform(statistics, windows.xs)[:, counted_targets]
    targets = windows.targets[-1][counted_targets]
    return Sequences(xs, targets, min(batch, len(targets)), over_time=False)


def series_model(chosen: dict[str, Any], D: int) -> SequenceModel:
    """Return the model that the options describe; D columns, each with its mask and time since last seen."""
    cell = CELLS[chosen["cell"]](3 * D, chosen["hidden"])
    return SequenceModel(Recurrent(cell), 1, "regression", "many-to-one")
