"""range-test: which learning rate to begin with, for the models of `train text` and `train series`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import validate
from ..optim import AdaGrad, Adam, GradientDescent, Momentum, Nesterov, RMSprop
from ..training.range_test import range_test
from .console import tell
from .runs import Option, add_options, save_figure
from .series_data import MODEL_OPTIONS as SERIES_OPTIONS
from .series_data import series_data, series_model
from .text import MODEL_OPTIONS as TEXT_OPTIONS
from .text import text_data, text_model, text_source

OPTIMIZERS = {
    "adam": Adam(0.001), "rmsprop": RMSprop(0.001), "adagrad": AdaGrad(0.01), "momentum": Momentum(0.01),
    "nesterov": Nesterov(0.01), "sgd": GradientDescent(0.01),
}
OWN = {
    "optimizer": Option("adam", "whose rate is tested", tuple(OPTIMIZERS)),
    "lowest": Option(1e-5, "first rate"),
    "highest": Option(1.0, "last rate"),
    "updates": Option(150, "updates of the sweep; more: smoother"),
}


def add_command(commands: Any) -> None:
    """Add it, with a program each for texts and series."""
    parser = commands.add_parser(
        "range-test", help="find a learning rate to begin with (Smith 2017)",
        description="One short training in which the learning rate rises from update to update, from far too small to "
        "far too large. It prints how the loss went, a suggestion and how that was chosen, and saves the picture.",
    )
    programs = parser.add_subparsers(dest="program", metavar="PROGRAM", required=True)
    for name, known, run in (
        ("text", TEXT_OPTIONS, _text), ("series", SERIES_OPTIONS, _series),
    ):
        one = programs.add_parser(
            name, help=f"for the model of `train {name}`",
            description=f"Find a rate for `train {name}`, with the same model and the same batches: pass the "
            "suggestion on as its --rate, and try a third and three times as much as well.",
        )
        one.add_argument("file", nargs="?", metavar="FILE", help=f"as in `train {name}`")
        add_options(one, {**OWN, **known})
        one.add_argument(
            "--figure", metavar="PATH", default="range_test.png",
            help="where the picture is written, under a new name if there is such a file; default range_test.png",
        )
        one.set_defaults(run=run)


def _chosen(options: argparse.Namespace, known: Mapping[str, Option]) -> dict[str, Any]:
    """Return every option, with defaults where nothing was given."""
    return {
        name: option.default if getattr(options, name) is None else getattr(options, name)
        for name, option in known.items()
    }


def _text(options: argparse.Namespace) -> tuple[int, str]:
    where, chosen = "range-test text", _chosen(options, {**OWN, **TEXT_OPTIONS})
    data = text_data(where, options.file, chosen["encoding"])
    source = text_source(where, chosen, data)
    return _test(where, options, chosen, source, text_model(chosen, len(data.vocabulary)), np.float32)


def _series(options: argparse.Namespace) -> tuple[int, str]:
    where, chosen = "range-test series", _chosen(options, {**OWN, **SERIES_OPTIONS})
    data = series_data(where, options.file, chosen)
    return _test(where, options, chosen, data.train, series_model(chosen, len(data.scaling.names)), np.float64)


def _test(
    where: str, options: argparse.Namespace, chosen: dict[str, Any], source: Any, model: Any, dtype: Any
) -> tuple[int, str]:
    path = Path(options.figure)
    if path.suffix != ".png" or not path.parent.is_dir():
        validate.fail(where, f"--figure is {str(path)!r}", "a name that ends in .png, in a folder that exists")
    rng = np.random.default_rng(chosen["seed"])
    params = model.init_params(rng=rng, dtype=dtype)
    tell(f"{chosen['updates']} updates of {chosen['optimizer']}, from {chosen['lowest']:g} to {chosen['highest']:g}")
    found = range_test(
        model, params, source, OPTIMIZERS[chosen["optimizer"]], lowest=chosen["lowest"], highest=chosen["highest"],
        updates=chosen["updates"], clip=chosen["clip"], rng=rng,
    )
    lines = [f"{'rate':>10}{'loss, smoothed':>18}"]
    for k in np.unique(np.linspace(0, len(found.rates) - 1, 10).astype(int)):
        lines.append(f"{found.rates[k]:>10.2g}{found.smoothed[k]:>18.4f}")
    lines.append(found.reason)
    lines.append(save_figure(path, found.plot))
    return 0, "\n".join(lines)
