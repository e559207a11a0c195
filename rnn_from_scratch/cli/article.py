"""train article: the program of the article's §3, repaired."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from ..cells import RNNCell
from ..data import article_data, fading_sum_data
from ..layers import Recurrent
from ..models import SequenceModel
from ..optim import GradientDescent
from ..training import fit, progress_bar


def add_command(programs: Any) -> None:
    """Add it."""
    article = programs.add_parser(
        "article", help="the program of the article's §3, repaired",
        description="Input 10, hidden 5, 2 classes, 32 sequences of 100 steps, gradient descent at 0.01: first with "
        "the article's random labels, then with labels that depend on the sequence.",
    )
    article.add_argument("--updates", type=int, default=2000, help="for each kind of labels; default 2000")
    article.add_argument("--seed", type=int, default=0, help="draws the data and the start; default 0")
    article.set_defaults(run=_train_article)


def _train_article(options: argparse.Namespace) -> tuple[int, str]:
    validate.size("train article", "--updates", options.updates)
    if options.seed < 0:
        validate.fail("train article", f"--seed is {options.seed}", "a whole number of at least 0")
    model = SequenceModel(Recurrent(RNNCell(input_size=10, hidden_size=5)), output_size=2)
    print(
        "The article's program, repaired: input 10, hidden 5, 2 classes, 32 sequences of 100 steps, "
        f"gradient descent at 0.01, {options.updates} updates."
    )
    print(_train_on(model, article_data, "The article's labels, drawn without looking at the inputs", options))
    print(
        f"With these labels no model has an expected loss below ln 2 = {np.log(2):.4f} on fresh data: they are "
        "independent of\nthe inputs, so nothing beats the answer 1/2. What a training loss gains below it is memorised."
    )
    title = "Labels that depend on the sequence: is the fading sum of the first input positive?"
    return 0, _train_on(model, fading_sum_data, title, options)


def _train_on(model: SequenceModel, draw: Callable[..., Any], title: str, options: argparse.Namespace) -> str:
    rng = np.random.default_rng(options.seed)
    xs, targets = draw(rng=rng)
    fresh_xs, fresh_targets = draw(rng=rng, N=512)
    params = model.init_params(rng=rng)
    print(f"\n{title}")
    before = float(model.loss_and_grads(params, fresh_xs, fresh_targets)[0])
    with progress_bar(options.updates) as advance:
        params, history = fit(
            model, params, xs, targets, GradientDescent(0.01), epochs=options.updates, on_update=advance
        )
    after = float(model.loss_and_grads(params, fresh_xs, fresh_targets)[0])
    right = float((model.predict(params, fresh_xs).argmax(axis=-1) == fresh_targets).mean())
    marks = sorted({0, *(max(0, options.updates * quarter // 4 - 1) for quarter in (1, 2, 3, 4))})
    return "\n".join([
        "  update           " + "".join(f"{mark + 1:>9}" for mark in marks),
        "  training loss    " + "".join(f"{history.losses[mark]:>9.4f}" for mark in marks),
        f"  512 fresh sequences: loss {before:.4f} before, {after:.4f} after; {100 * right:.1f} % right",
    ])
