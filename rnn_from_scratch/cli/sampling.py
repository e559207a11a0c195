"""sample: text, or a series' next steps, from a run that was kept."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import validate
from ..data import Vocabulary
from ..models import LanguageModel
from ..training import Checkpoint, load_checkpoint
from .forecasting import forecast
from .runs import check_kind
from .series import OPTIONS as SERIES_OPTIONS
from .text import OPTIONS as TEXT_OPTIONS


def add_command(commands: Any) -> None:
    """Add it."""
    parser = commands.add_parser(
        "sample", help="write with a language model, or forecast a series, from a run that was kept",
        description="Read a run that `train text` or `train series` kept. Of a text: go on after a prompt, character "
        "by character. Of a series: its next steps, each forecast from those before.",
    )
    parser.add_argument("checkpoint", metavar="RUN", help="the .npz file that train wrote")
    parser.add_argument("--prompt", default=None, help="text to go on after; default that of the run")
    parser.add_argument("--length", type=int, default=None, metavar="N",
                        help="characters (default 500), or steps (default 12)")
    parser.add_argument("--temperature", type=float, default=0.7, metavar="X",
                        help="below 1 bolder, above 1 more varied; default 0.7; text alone")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draws the characters; default 0")
    parser.add_argument(
        "--last", action="store_true", help="take the last parameters, not those of the lowest validation loss"
    )
    parser.set_defaults(run=_sample)


def _sample(options: argparse.Namespace) -> tuple[int, str]:
    where = "sample"
    kept = load_checkpoint(options.checkpoint)
    kind = (kept.notes or {}).get("kind")
    known, expected = {"text": TEXT_OPTIONS, "series": SERIES_OPTIONS}, "one of `train text` or `train series`"
    if not isinstance(kind, str) or kind not in known:
        validate.fail(where, f"{options.checkpoint!r} is of another kind of run", expected)
    check_kind(where, kept, kind, known[kind], options.checkpoint, expected)
    if options.length is not None:
        validate.size(where, "--length", options.length)
    params = kept.params if options.last or kept.best is None else kept.best.params
    if kind == "series":
        return 0, forecast(kept, params, options.length or 12)
    if options.seed < 0:
        validate.fail(where, f"--seed is {options.seed}", "a whole number of at least 0")
    return 0, _text(kept, params, options)


def _text(kept: Checkpoint, params: Any, options: argparse.Namespace) -> str:
    notes = kept.notes or {}
    vocabulary, model = Vocabulary(notes["characters"]), kept.build_model()
    if not isinstance(model, LanguageModel) or model.vocabulary_size != len(vocabulary):
        validate.fail("sample", f"the run's model is {model!r:.60}", f"a LanguageModel of {len(vocabulary)} characters")
    prompt = notes["options"].get("prompt", "") if options.prompt is None else options.prompt
    unknown = sorted({character for character in prompt if character not in vocabulary.characters})
    if unknown and options.prompt is not None:
        validate.fail(
            "sample", f"--prompt holds {unknown[0]!r}", f"the text's {len(vocabulary.characters)} characters",
            "the model has never seen it",
        )
    tokens = vocabulary.encode(prompt or vocabulary.characters[0], unknown=True)
    made = model.generate(
        params, tokens.tolist(), options.length or 500, rng=np.random.default_rng(options.seed),
        temperature=validate.number("sample", "--temperature", options.temperature, above=0.0),
    )
    written: str = prompt + vocabulary.decode([token for token in made if token > 3])
    return written
