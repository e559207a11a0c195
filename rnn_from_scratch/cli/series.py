"""train series: forecast a column of numbers, and say honestly whether that beats the last value and the mean."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from .. import plots
from ..arrays import Array, Params, leaves
from ..metrics import mae, rmse
from ..models import SequenceModel
from ..optim import Adam, Cosine
from ..training import train
from .console import counted, tell
from .runs import Option, add_keeping, add_options, check_sizes, how_to_go_on, save_figure, set_up
from .series_data import MODEL_OPTIONS, SeriesData, series_data, series_model

COMMAND, DEFAULT = "train series", "series.npz"
OPTIONS = {
    **MODEL_OPTIONS,
    "epochs": Option(60, "times through the windows"),
    "rate": Option(0.005, "learning rate of Adam, which then goes down along a cosine"),
    "patience": Option(15, "epochs without a lower validation loss before it ends"),
}


def add_command(programs: Any) -> None:
    """Add it."""
    parser = programs.add_parser(
        "series", help="forecast a series: prices with real gaps, or your own numbers",
        description="Forecast one column of a CSV, .npy or .npz file (default: monthly share prices that come with "
        "matplotlib). The series is cut in time's order, 70 % to train, 15 % to choose, 15 % to test; gaps are filled "
        "with the last value, and the model is told which values were. It prints errors on the test part beside those "
        "of the last value and of the mean: what does not beat these has learned nothing of use.",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a .csv, .npy or .npz file; default the prices")
    add_options(parser, OPTIONS)
    add_keeping(parser, DEFAULT)
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> tuple[int, str]:
    run = set_up(COMMAND, "series", options, OPTIONS, DEFAULT)
    chosen = run.chosen
    check_sizes(COMMAND, chosen, "epochs", "patience")
    data = series_data(COMMAND, options.file, chosen)
    updates = chosen["epochs"] * data.train.updates
    model = series_model(chosen, len(data.scaling.names))
    rng = np.random.default_rng(chosen["seed"])
    params = model.init_params(rng=rng)
    notes = run.notes or {
        "kind": "series", "options": chosen, "file": data.name, "target": data.target,
        "what": data.what,
        "names": list(data.scaling.names), "mean": data.scaling.mean.tolist(), "scale": data.scaling.scale.tolist(),
        "fill": data.fill.tolist(), "last": [[_plain(x) for x in row] for row in data.last.tolist()],
    }
    total = sum(array.size for _, array in leaves(params))
    tell(
        f"{data.name}: {data.what}, {chosen['horizon']} ahead, from "
        f"{counted(len(data.scaling.names), 'column')} over {counted(chosen['window'], 'step')}; windows to train "
        f"{data.train.xs.shape[1]}, to choose {data.validation.xs.shape[1]}, to test {data.test.xs.shape[1]}; "
        f"{total} parameters"
        + (", going on" if run.kept is not None else "")
    )
    try:
        result = train(
            model, params, data.train, Adam(chosen["rate"]), updates=updates, rng=rng, clip=chosen["clip"],
            schedule=Cosine(updates), validation=data.validation, patience=chosen["patience"],
            checkpoint=run.path, resume=options.resume, notes=notes, progress=True,
        )
    except KeyboardInterrupt:
        if run.path.exists():
            again = how_to_go_on(COMMAND, run.path, options.file, DEFAULT)
            print(f"\nkept in {run.path}; to go on: {again}", file=sys.stderr)
        raise
    lines = [f"{result.stopped}; lowest validation loss at update {result.best.update}" if result.best else ""]
    lines += _scores(data, model, result.params)
    lines.append(f"run: {run.path}")
    lines.append(save_figure(run.path.with_suffix(".png"), lambda: _drawn(data, model, result.params)))
    lines.append(f"to forecast with it: python -m rnn_from_scratch sample {run.path}")
    return 0, "\n".join(lines)


def _plain(value: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else value


def _predictions(data: SeriesData, model: SequenceModel, params: Params) -> dict[str, Array]:
    """Return the truth of the test part (N,), the model's forecasts and the yardsticks', in their own units."""
    column = data.scaling.names.index(data.target)
    found = {
        "truth": data.test.targets[:, 0], "model": model.predict(params, data.test.xs)[:, 0],
        "last value": data.test.xs[-1, :, column], "training mean": np.zeros(len(data.test.targets)),
    }
    if data.change != "none":
        found["no change"] = np.full(len(data.test.targets), -data.scaling.mean[column] / data.scaling.scale[column])
    return {
        name: data.scaling.inverse_array(values[:, None], [data.target])[:, 0] for name, values in found.items()
    }


def _scores(data: SeriesData, model: SequenceModel, params: Params) -> list[str]:
    """Return the table of errors, and a sentence that says who is ahead."""
    found = _predictions(data, model, params)
    truth = found.pop("truth")
    errors = {name: (rmse(truth, values), mae(truth, values)) for name, values in found.items()}
    lines = [f"{'on the test part':<20}{'RMSE':>12}{'MAE':>12}"]
    lines += [f"{name:<20}{first:>12.4g}{second:>12.4g}" for name, (first, second) in errors.items()]
    model_error = errors.pop("model")[0]
    best = min(errors, key=lambda name: errors[name][0])
    rest = errors[best][0]
    if rest == 0.0:
        lines.append(f"The {best} has no error: nothing is left to learn, or the numbers are too small to be squared.")
    elif model_error <= rest:
        lines.append(f"The model's RMSE is {100 * (1 - model_error / rest):.1f} % below the better yardstick's.")
    else:
        lines.append(f"The {best} does better than the model: nothing of use was learned beyond it.")
    return lines


def _drawn(data: SeriesData, model: SequenceModel, params: Params) -> Any:
    """Return the figure of the test part: what was measured, and the model's forecasts."""
    found = _predictions(data, model, params)
    shown = {"measured": found["truth"], "model": found["model"]}
    steps = np.arange(len(found["truth"]))
    return plots.curves(steps, shown, "step of the test part", data.what, f"Forecasts of {data.what}")
