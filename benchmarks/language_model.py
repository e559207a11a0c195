"""A character LSTM of real text beside n-grams. `python -m benchmarks.language_model` (fifteen minutes of one core).

The text is `bundled_text()`, cut between its topics (`text_splits`): 331,674 characters to train on, 15,052 to choose
with, 25,145 to test with. Every model is measured on the same characters, all of a part but its first, in one stream.

The LSTM reads 16 streams side by side, 64 characters an update, and carries its state on (truncated backpropagation).
Its parameters are those of the lowest validation loss, and the n-gram's order is chosen by the validation part too; the
test part chooses nothing. The settings lie among a few tried on seed 100 (judged by the validation part); reported are
seeds 0 and 1.

Saves benchmarks/results/language_model.json, which notebook 18 shows, and the first seed's parameters,
language_model.npz. `--quick` takes half a minute and saves nothing. float32, one thread. Seconds are of training, with
the validation that chooses; what is measured for the curves and the samples is not counted.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.machine import RESULTS, save_result
from benchmarks.text_measures import by_kind, character_bits, describe, known_forms, shown
from rnn_from_scratch.arrays import Array, Params, leaves
from rnn_from_scratch.cells import LSTMCell
from rnn_from_scratch.data import TextSplits, Vocabulary, bundled_text, text_splits, text_streams
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import LanguageModel, NGramModel
from rnn_from_scratch.optim import Adam, Cosine, WarmUp
from rnn_from_scratch.training import evaluate, save_params, train

ORDERS = tuple(range(1, 9))
START = "\n"  # what the samples on the way go on from
PROMPT = "\n\nThe "  # and those of the trained models: the beginning of a paragraph


class Settings(NamedTuple):
    """Sizes and budgets; --quick changes some."""

    H: int = 256
    D: int = 64  # the embedding
    streams: int = 16
    steps: int = 64
    rate: float = 0.005
    warm_up: int = 100  # updates; then half a cosine down to 1/100
    dropout: float = 0.25  # on the embedded characters and on the outputs
    recurrent_dropout: float = 0.15
    clip: float = 1.0
    epochs: int = 26
    validate_every: int = 200  # updates
    seeds: tuple[int, ...] = (0, 1)
    marks: int = 24  # points of the curve after the first ones
    stages: tuple[int, ...] = (0, 10, 40, 160, 640)  # updates after which to sample; and at the end
    sampled: int = 4000  # characters that a sample on the way, or at a temperature, is judged by
    written: int = 20_000  # and those that judge the trained models
    kept: int = 400  # of them in the result
    temperatures: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
    contexts: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # characters between two resets


QUICK = Settings(H=32, epochs=1, seeds=(0,), marks=2, stages=(0, 40), sampled=300, written=300, kept=100,
                 temperatures=(1.0,), contexts=(1, 20))  # fmt: skip


class Text(NamedTuple):
    """The parts, as text and as tokens."""

    parts: TextSplits
    vocabulary: Vocabulary
    train: Array
    validation: Array
    test: Array
    known: frozenset[str]  # the training part's words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed, a small network, one epoch; nothing is saved")
    quick = parser.parse_args().quick
    result, params = run(QUICK if quick else Settings(), read_text(), print)
    print(result["verdict"])
    if not quick:
        print(save_params(RESULTS / "language_model.npz", params).name, save_result("language_model", result).name)


def read_text(text: str | None = None) -> Text:
    """Return the bundled text, or another one, cut and encoded."""
    whole = bundled_text() if text is None else text
    parts, vocabulary = text_splits(whole), Vocabulary.of([whole])
    return Text(parts, vocabulary, *(vocabulary.encode(part) for part in parts), known_forms(parts.train))


def model_of(settings: Settings, text: Text) -> LanguageModel:
    """Return the network."""
    layer = Recurrent(LSTMCell(settings.D, settings.H), recurrent_dropout=settings.recurrent_dropout)
    return LanguageModel(layer, len(text.vocabulary), dropout=settings.dropout)


def run(settings: Settings, text: Text, report: Callable[[str], Any]) -> tuple[dict[str, Any], Params]:
    """Train for every seed and measure; return the result and the first seed's parameters."""
    ngrams, counted = count_ngrams(settings, text)
    report(f"n-gram of order {ngrams['chosen']}: test {ngrams['test'][ngrams['chosen'] - 1]:.3f} bits a character")
    model = model_of(settings, text)
    runs, first = [], None
    for seed in settings.seeds:
        params, found = learn(settings, text, model, seed, sampling=first is None)
        runs.append(found)
        report(f"seed {seed}: {found['chosen']}")
        first = params if first is None else first
    assert first is not None
    result = {
        "settings": {
            **settings._asdict(), "cell": "LSTM, one layer", "optimizer": "Adam", "dtype": "float32",
            "parameters": sum(array.size for _, array in leaves(first)), "tuned on seed": 100,
        },
        "text": {
            "characters": [len(part) for part in text.parts], "vocabulary": len(text.vocabulary),
            **{name: describe(part, text.known) for name, part in text.parts._asdict().items()},
        },
        "ngrams": ngrams, "runs": runs,
        "train": rounded(evaluate(model, first, text_streams(text.train, settings.streams, 500)) / np.log(2.0)),
        "written": {"n-gram": counted, "LSTM": write(settings, text, model, first, PROMPT, settings.written)},
        "temperatures": temperatures(settings, text, model, first),
        "kinds": by_kind(text.parts.test, character_bits(model, first, text.test)),
        "contexts": [
            {"reset every": every, "bits": rounded(character_bits(model, first, text.test, every).mean())}
            for every in settings.contexts
        ],
    }
    return {**result, "verdict": verdict(result)}, first


def count_ngrams(settings: Settings, text: Text) -> tuple[dict[str, Any], dict[str, Any]]:
    """Count n-grams of every order, measure them, choose one by the validation part; return figures and its writing."""
    V = len(text.vocabulary)
    counts = NGramModel(max(ORDERS), V).fit(text.train)
    bits = {
        name: {n: -NGramModel(n, V).log_probabilities(counts, part)[1:] / np.log(2.0) for n in ORDERS}
        for name, part in (("validation", text.validation), ("test", text.test))
    }
    chosen = min(ORDERS, key=lambda n: bits["validation"][n].mean())
    fitted = -NGramModel(chosen, V).log_probabilities(counts, text.train)[1:] / np.log(2.0)
    tokens = NGramModel(chosen, V).generate(
        counts, text.vocabulary.encode(PROMPT), settings.written, rng=np.random.default_rng(0)
    )
    return {
        "orders": list(ORDERS), "chosen": chosen,
        **{name: [rounded(own[n].mean()) for n in ORDERS] for name, own in bits.items()},
        "train": rounded(fitted.mean()), "kinds": by_kind(text.parts.test, bits["test"][chosen]),
    }, judged(settings, text, tokens)


def learn(
    settings: Settings, text: Text, model: LanguageModel, seed: int, sampling: bool
) -> tuple[Params, dict[str, Any]]:
    """Train from one seed; return the parameters that the validation part chose, and what was measured."""
    params = model.init_params(rng=np.random.default_rng([seed, 0]), dtype=np.float32)
    source = text_streams(text.train, settings.streams, settings.steps)
    total = settings.epochs * source.updates
    marks = {10, 20, 40, 80, 160, 320, *np.linspace(0, total, settings.marks + 1).astype(int)[1:].tolist()}
    curve: dict[str, list[float]] = {name: [] for name in ("update", "seconds", "CPU seconds", "validation", "test")}
    stages: list[dict[str, Any]] = []
    clock = Clock()

    def measure(update: int, now: Params) -> None:
        clock.pause()
        curve["update"].append(update)
        curve["seconds"].append(round(clock.wall, 1))
        curve["CPU seconds"].append(round(clock.cpu, 1))
        for name in ("validation", "test"):
            curve[name].append(rounded(character_bits(model, now, getattr(text, name)).mean()))
        if sampling and (update in settings.stages or update == total):
            found = write(settings, text, model, now, START, settings.sampled)
            stages.append({"update": update, "validation": curve["validation"][-1], **found})
        clock.go_on()

    def look(step: Any) -> None:
        if step.update in marks or (sampling and step.update in settings.stages):
            measure(step.update, step.params)

    measure(0, params)
    schedule = WarmUp(min(settings.warm_up, total // 2), Cosine(total - min(settings.warm_up, total // 2)))
    trained = train(
        model, params, source, Adam(settings.rate), epochs=settings.epochs, schedule=schedule, clip=settings.clip,
        validation=text_streams(text.validation, 1, 2000), validate_every=min(settings.validate_every, total),
        rng=np.random.default_rng([seed, 1]), callbacks=[look],
    )
    clock.pause()
    assert trained.best is not None
    found = {
        "seed": seed, "updates": total, "characters": total * settings.streams * settings.steps,
        "chosen": {
            "update": trained.best.update, "seconds": round(clock.wall, 1), "CPU seconds": round(clock.cpu, 1),
            **{
                name: rounded(character_bits(model, trained.params, getattr(text, name)).mean())
                for name in ("validation", "test")
            },
        },
        "curve": curve,
    }
    return trained.params, {**found, "stages": stages} if sampling else found


class Clock:
    """Wall and processor seconds, without the pauses."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self.go_on()

    def go_on(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def pause(self) -> None:
        self.wall += time.perf_counter() - self._since[0]
        self.cpu += time.process_time() - self._since[1]


def write(
    settings: Settings, text: Text, model: LanguageModel, params: Params, prompt: str, length: int,
    temperature: float = 1.0,
) -> dict[str, Any]:
    """Let the model go on after a prompt, always with the same draws; return the sample and what it is like."""
    tokens = model.generate(
        params, text.vocabulary.encode(prompt).tolist(), length, rng=np.random.default_rng(0), temperature=temperature
    )
    return judged(settings, text, tokens)


def judged(settings: Settings, text: Text, tokens: list[int]) -> dict[str, Any]:
    """Return the beginning of a sample, and what the whole of it is like."""
    sample = shown(text.vocabulary, tokens)
    return {"sample": sample[: settings.kept], "described": describe(sample, text.known)}


def temperatures(settings: Settings, text: Text, model: LanguageModel, params: Params) -> list[dict[str, Any]]:
    """Sample at every temperature."""
    return [
        {"temperature": tau, **write(settings, text, model, params, PROMPT, settings.sampled, tau)}
        for tau in settings.temperatures
    ]


def rounded(value: Any) -> float:
    """Return a figure with four decimals, which is more than a repeated run would keep."""
    return round(float(value), 4)


def verdict(result: dict[str, Any]) -> str:
    """Say in a sentence what was found."""
    ngrams, runs = result["ngrams"], [run["chosen"] for run in result["runs"]]
    tests, seconds = [one["test"] for one in runs], [one["CPU seconds"] for one in runs]
    best = ngrams["test"][ngrams["chosen"] - 1]
    between = f"{min(tests):.3f}" if min(tests) == max(tests) else f"{min(tests):.3f} to {max(tests):.3f}"
    total = sum(row["count"] for row in result["kinds"].values())
    gains = {
        kind: (ngrams["kinds"][kind]["bits"] - row["bits"]) * row["count"] / total
        for kind, row in result["kinds"].items()
    }
    most = max(gains, key=lambda kind: gains[kind])
    return (
        f"Test part, bits a character: the best n-gram (order {ngrams['chosen']}) {best:.3f}, the LSTM {between} in "
        f"{len(runs)} seed{'s' * (len(runs) > 1)} after at most {max(seconds):.0f} s of one core. Of the first seed's "
        f"gain of {sum(gains.values()):.3f} the largest part, {gains[most]:.3f}, is on {most}."
    )


if __name__ == "__main__":
    main()
