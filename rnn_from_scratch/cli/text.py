"""train text: a character language model of the bundled text or of one's own, with samples while it trains."""

from __future__ import annotations

import argparse
import math
import sys
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import plots, validate
from ..arrays import Array, Params, leaves
from ..cells import GRUCell, LSTMCell, MinGRUCell, RNNCell
from ..data import Streams, TextSplits, Vocabulary, bundled_text, load_text, text_splits, text_streams
from ..layers import Recurrent, Stacked
from ..metrics import bits_per_character
from ..models import LanguageModel, NGramModel
from ..optim import Adam, Constant, Cosine
from ..training import History, Step, evaluate, train
from .console import counted, tell
from .runs import Option, Run, add_keeping, add_options, check_sizes, how_to_go_on, save_figure, set_up

COMMAND, DEFAULT = "train text", "text.npz"
CELLS: dict[str, Any] = {"lstm": LSTMCell, "gru": GRUCell, "rnn": RNNCell, "mingru": MinGRUCell}
SEPARATORS = ("\n\n\n", "\n\n", "\n", " ")
LONGEST_FOR_NGRAMS = 3_000_000
OFTEN = 500  # updates between two checkpoints at most: an epoch of a long text takes hours

MODEL_OPTIONS = {
    "cell": Option("lstm", "kind of cell", tuple(CELLS)),
    "hidden": Option(128, "hidden units of each layer"),
    "layers": Option(1, "layers above each other"),
    "embedding": Option(32, "numbers that stand for a character"),
    "dropout": Option(0.0, "share of units left out while training, on the embedding and before the output"),
    "batch": Option(32, "streams that are read side by side"),
    "steps": Option(64, "steps between two updates; the state is carried on, the gradient stops here"),
    "clip": Option(1.0, "largest norm of the gradient"),
    "seed": Option(0, "draws the start, dropout and the samples"),
    "encoding": Option("utf-8", "of FILE"),
}
OPTIONS = {
    **MODEL_OPTIONS,
    "epochs": Option(5, "times through the text"),
    "rate": Option(0.003, "learning rate of Adam"),
    "schedule": Option("cosine", "how the rate goes: down along a cosine, or constant", ("cosine", "constant")),
    "temperature": Option(0.7, "of the samples: below 1 bolder, above 1 more varied"),
    "sample_length": Option(160, "characters of each sample; 0: none"),
    "prompt": Option("The ", "what the samples begin with"),
}


class TextData(NamedTuple):
    """A text in three parts, as tokens."""

    vocabulary: Vocabulary
    train: Array
    validation: Array
    test: Array
    name: str


def add_command(programs: Any) -> None:
    """Add it."""
    parser = programs.add_parser(
        "text", help="a character language model: the bundled text, or your own",
        description="Train a language model, character by character, on Python's own reference topics (bundled) or on "
        "a text file of yours. The text is cut into parts to train (90 %), to choose (5 %) and to test (5 %). After "
        "each epoch it prints bits per character and a sample. Stop with Ctrl-C and go on with --resume; then write "
        "with `sample`.",
        epilog="A first try: `train text --hidden 64 --epochs 2` takes about a minute.",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a text file; default the bundled text")
    add_options(parser, OPTIONS)
    add_keeping(parser, DEFAULT)
    parser.set_defaults(run=_train)


def text_data(where: str, file: str | None, encoding: str, known: str | None = None) -> TextData:
    """Return a file's text (or the bundled one) in parts; `known` are the characters of a run that goes on."""
    text = bundled_text() if file is None else load_text(file, encoding)
    if len(text) < 1000:
        validate.fail(
            where, f"the text has {counted(len(text), 'character')}", "1000 at least",
            "it is cut into parts to train, to choose and to test",
        )
    strange = sorted(set(text) - set(text if known is None else known))
    if strange:
        validate.fail(
            where, f"the text holds {strange[0]!r}, which the run's text did not", "the run's own text",
            "a run that goes on must be the same run",
        )
    splits = _cut(text)
    vocabulary = Vocabulary.of([text]) if known is None else Vocabulary(known)
    train_part, validation, test = (vocabulary.encode(part) for part in splits)
    return TextData(vocabulary, train_part, validation, test, "the bundled text" if file is None else Path(file).name)


def _cut(text: str) -> TextSplits:
    """Cut a text into 90, 5 and 5 %, between documents if it has any, else paragraphs, lines, words, characters."""
    for separator in SEPARATORS:
        with suppress(validate.ArgumentError):  # it has no two places for this
            splits = text_splits(text, between=separator)
            if text.count(separator) >= 20 and min(map(len, splits)) >= len(text) / 40:
                return splits
    first, second = (round(share * len(text)) for share in (0.9, 0.95))
    return TextSplits(text[:first], text[first:second], text[second:])


def text_model(chosen: dict[str, Any], V: int) -> LanguageModel:
    """Return the model that the options describe."""
    sizes = [chosen["embedding"], *[chosen["hidden"]] * chosen["layers"]]
    layers = [Recurrent(CELLS[chosen["cell"]](D, H)) for D, H in pairwise(sizes)]
    return LanguageModel(layers[0] if len(layers) == 1 else Stacked(tuple(layers)), V, dropout=chosen["dropout"])


def text_source(where: str, chosen: dict[str, Any], data: TextData) -> Streams:
    """Return the streams to train on."""
    check_sizes(where, chosen, "hidden", "layers", "embedding", "batch", "steps")
    return text_streams(data.train, chosen["batch"], chosen["steps"])


def _train(options: argparse.Namespace) -> tuple[int, str]:
    run = set_up(COMMAND, "text", options, OPTIONS, DEFAULT)
    chosen = run.chosen
    data = text_data(COMMAND, options.file, chosen["encoding"], None if run.notes is None else run.notes["characters"])
    source = text_source(COMMAND, chosen, data)
    check_sizes(COMMAND, chosen, "epochs")
    validate.number(COMMAND, "--temperature", chosen["temperature"], above=0.0)
    prompt = data.vocabulary.encode(chosen["prompt"] or data.vocabulary.characters[0], unknown=True)
    model = text_model(chosen, len(data.vocabulary))
    rng = np.random.default_rng(chosen["seed"])
    params = model.init_params(rng=rng, dtype=np.float32)
    notes = run.notes or {
        "kind": "text", "options": chosen, "characters": data.vocabulary.characters, "file": data.name,
    }
    updates = chosen["epochs"] * source.updates
    yardsticks = _heading(run, data, params, updates)

    begun = [] if run.kept is None else run.kept.history.losses
    losses = begun[len(begun) - len(begun) % source.updates :]  # of this epoch

    def report(step: Step) -> None:
        losses.append(step.loss)
        if step.validation is not None:
            _report(run, model, data, prompt, step, float(np.mean(losses)))
            losses.clear()

    try:
        result = train(
            model, params, source, Adam(chosen["rate"]), updates=updates, rng=rng, clip=chosen["clip"],
            schedule=Cosine(updates) if chosen["schedule"] == "cosine" else Constant(),
            validation=text_streams(data.validation, min(8, len(data.validation) - 1), 256),
            checkpoint=run.path, checkpoint_every=min(source.updates, OFTEN), resume=options.resume, notes=notes,
            callbacks=[report], progress=True,
        )
    except KeyboardInterrupt:
        if run.path.exists():
            again = how_to_go_on(COMMAND, run.path, options.file, DEFAULT)
            print(f"\nkept in {run.path}; to go on: {again}", file=sys.stderr)
        raise
    test = bits_per_character(evaluate(model, result.params, text_streams(data.test, 1, 512)))
    return 0, "\n".join(_ending(run, data.name, result, test, yardsticks, source.updates))


def _heading(run: Run, data: TextData, params: Params, updates: int) -> dict[str, float]:
    """Print what is trained on what; return what to compare with: bits per character of guessing and of n-grams."""
    total = sum(array.size for _, array in leaves(params))
    tell(
        f"{data.name}: {len(data.train)} characters to train, {len(data.validation)} to choose, {len(data.test)} to "
        f"test; {len(data.vocabulary.characters)} different ones"
    )
    tell(
        f"{counted(run.chosen['layers'], 'layer')} of {counted(run.chosen['hidden'], 'unit')} ({run.chosen['cell']}), "
        f"{total} parameters, {updates} updates" + (", going on" if run.kept is not None else "")
    )
    yardsticks = {"guessing": math.log2(len(data.vocabulary.characters))}
    if len(data.train) <= LONGEST_FOR_NGRAMS:
        for order in (1, 3, 5):
            counter = NGramModel(order, len(data.vocabulary))
            nats = -counter.log_probabilities(counter.fit(data.train), data.test)[1:].mean()
            yardsticks[f"{order}-grams"] = bits_per_character(float(nats))
    tell("test, bits per character: " + ", ".join(f"{name} {bits:.2f}" for name, bits in yardsticks.items()))
    tell("")
    return yardsticks


def _report(run: Run, model: LanguageModel, data: TextData, prompt: Array, step: Step, loss: float) -> None:
    """Print an epoch's figures and a sample."""
    chosen = run.chosen
    tell(
        f"epoch {step.epoch} of {chosen['epochs']}, update {step.update}: bits per character in training "
        f"{bits_per_character(loss):.3f}, in validation {bits_per_character(step.validation or 0.0):.3f}"
    )
    if chosen["sample_length"] > 0:
        rng = np.random.default_rng([chosen["seed"], step.update])  # its own: training draws the same with and without
        made = model.generate(
            step.params, prompt.tolist(), chosen["sample_length"], rng=rng, temperature=chosen["temperature"]
        )
        text = chosen["prompt"] + data.vocabulary.decode([token for token in made if token > 3])
        tell("  | " + text.replace("\n", "\n  | ") + "\n")


def _ending(
    run: Run, name: str, result: Any, test: float, yardsticks: dict[str, float], every: int
) -> list[str]:
    """Return the last lines, and save the figure."""
    best = result.best
    lines = [
        f"{result.stopped}; lowest validation loss at update {best.update}",
        f"test: {test:.3f} bits per character (" + ", ".join(f"{k} {v:.2f}" for k, v in yardsticks.items()) + ")",
        f"run: {run.path}",
    ]
    if len(result.history.validations) > 1:
        draw = partial(_drawn, result.history, every, yardsticks, f"A language model of {_short(name)}")
        lines.append(save_figure(run.path.with_suffix(".png"), draw))
    lines.append(f"to write with it: python -m rnn_from_scratch sample {run.path}")
    return lines


def _drawn(history: History, every: int, yardsticks: dict[str, float], title: str) -> Any:
    """Return the figure of a training: bits per character in each epoch, beside what n-grams need."""
    updates = [update for update, _ in history.validations]
    means = [float(np.mean(history.losses[max(0, update - every) : update])) for update in updates]
    return plots.curves(
        updates, {
            "training": [bits_per_character(loss) for loss in means],
            "validation": [bits_per_character(loss) for _, loss in history.validations],
        }, "updates", "bits per character", title,
        hlines={f"{one} (test)": bits for one, bits in yardsticks.items() if one != "guessing"},
    )


def _short(name: str) -> str:
    return name if len(name) < 40 else name[:37] + "…"
