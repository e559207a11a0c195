"""What benchmarks.language_model measures: bits of each character, by kind and by context, and what samples are like.

Every model is measured on the same characters: all of a part but its first, in one stream, with the state carried.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from rnn_from_scratch.arrays import Array, Params
from rnn_from_scratch.data import Vocabulary
from rnn_from_scratch.data.text import UNKNOWN
from rnn_from_scratch.models import LanguageModel

CHUNK = 2000  # steps at a time, so that no logits of a whole text stand in memory
BRACKETS = {")": "(", "]": "[", "}": "{"}
WORD = re.compile(r"[A-Za-z]{3,}")  # of shorter ones any noise holds some
KINDS = (
    "a word's first letter", "a word's other letters", "a digit", "a line's end", "the first blank of a line",
    "a blank after a blank", "another blank", "a closing bracket", "a double quote", "a sign like the one before",
    "any other sign",
)


def character_bits(model: LanguageModel, params: Params, tokens: Array, reset_every: int | None = None) -> Array:
    """Return −log2 p of each token but the first, given those before it (L − 1,).

    With `reset_every` = k the model forgets everything before every k-th target: it reads the k inputs before them from
    the initial state. (The first input of such a piece is the token before its first target.)
    """
    inputs, targets = tokens[:-1], tokens[1:]
    if reset_every is None:
        return _bits(model, params, inputs[:, None], targets[:, None])[:, 0]
    pieces = len(targets) // reset_every
    whole = pieces * reset_every
    bits = []
    if pieces:
        side_by_side = (array[:whole].reshape(pieces, reset_every).T for array in (inputs, targets))
        bits.append(_bits(model, params, *side_by_side).T.ravel())
    if whole < len(targets):
        bits.append(_bits(model, params, inputs[whole:, None], targets[whole:, None])[:, 0])
    return np.concatenate(bits)


def _bits(model: LanguageModel, params: Params, xs: Array, targets: Array) -> Array:
    """Return −log2 p of targets (T, N)."""
    state, found = None, []
    steps = max(1, CHUNK // xs.shape[1])
    for first in range(0, len(xs), steps):
        logits, state, _ = model.forward(params, xs[first : first + steps], state)
        z = logits.astype(np.float64)
        z -= z.max(axis=-1, keepdims=True)
        wanted = np.take_along_axis(z, targets[first : first + steps, :, None], axis=-1)[..., 0]
        found.append((np.log(np.exp(z).sum(axis=-1)) - wanted) / np.log(2.0))
    return np.concatenate(found)


def kind(before: str, c: str) -> str:
    """Return what a character is, one of KINDS."""
    if c.isalpha():
        return KINDS[1 if before.isalpha() else 0]
    if c.isdigit():
        return KINDS[2]
    if c == "\n":
        return KINDS[3]
    if c == " ":
        return KINDS[{"\n": 4, " ": 5}.get(before, 6)]
    if c in BRACKETS:
        return KINDS[7]
    return KINDS[8 if c == '"' else 9 if c == before else 10]


def by_kind(text: str, bits: Array) -> dict[str, dict[str, float]]:
    """Return how many characters of each kind there are, and their mean bits."""
    found = np.array([kind(before, c) for before, c in pairwise(text)])
    counts = {name: int((found == name).sum()) for name in KINDS}
    return {
        name: {"count": count, "bits": round(float(bits[found == name].mean()), 4)}
        for name, count in counts.items() if count
    }


def known_forms(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(WORD.findall(text))


def known_words(text: str, known: frozenset[str]) -> float | None:
    """Return the share of a text's words (three letters or more) that are known; the last one may be cut off."""
    words = WORD.findall(text)[:-1]
    return sum(word in known for word in words) / len(words) if words else None


def closed_brackets(text: str) -> dict[str, int]:
    """Return how many brackets are opened, and how many of them are closed by their own kind, rightly nested."""
    opened, closed, still = 0, 0, []
    for c in text:
        if c in BRACKETS.values():
            opened += 1
            still.append(c)
        elif c in BRACKETS and BRACKETS[c] in still:
            while still.pop() != BRACKETS[c]:
                pass  # what stood inside stays open
            closed += 1
    return {"opened": opened, "closed": closed}


def long_lines(text: str, longest: int = 70) -> dict[str, int]:
    """Return how many whole lines with words there are, tables left out, and how many are longer than `longest`.

    The text is wrapped at 70 characters.
    """
    lines = [line for line in text.split("\n")[1:-1] if WORD.search(line) and line.lstrip()[0] not in "|+"]
    return {"lines": len(lines), "long": sum(len(line) > longest for line in lines)}


def describe(text: str, known: frozenset[str]) -> dict[str, Any]:
    """Return what a text, sampled or real, is like."""
    share = known_words(text, known)
    return {
        "characters": len(text), "known words": None if share is None else round(share, 4),
        "brackets": closed_brackets(text), "lines": long_lines(text),
    }


def shown(vocabulary: Vocabulary, tokens: Sequence[int]) -> str:
    """Return tokens as text, without the symbols that are no characters (an untrained model draws them too)."""
    return vocabulary.decode([token for token in tokens if token > UNKNOWN])
