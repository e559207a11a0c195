"""An n-gram model with Witten–Bell smoothing: what counting alone can do, the baseline of a language model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array

LARGEST = 2**31  # vocabulary


class ContextCounts(NamedTuple):
    """Everything counted after the contexts h of one length, m tokens.

    A context is known by its row. Its key is (row of its last m − 1 tokens)·V + (the token before those), so rows are
    found from short to long, each by a binary search, and no key grows with the length.
    """

    contexts: Array  # (C,) int64, the keys of all contexts that were seen, sorted
    totals: Array  # (C,) c(h), how many tokens followed each
    kinds: Array  # (C,) N1+(h), how many different ones
    grams: Array  # (G,) int64, row of h · V + token, sorted
    counts: Array  # (G,) c(h, w)


class NGramCounts(NamedTuple):
    """What `fit` counted: one entry a length of context, 0 … order − 1."""

    vocabulary_size: int
    lengths: tuple[ContextCounts, ...]


@dataclass(frozen=True)
class NGramModel:
    r"""Predict a token from the `order` − 1 before it, by interpolated counts.

    .. math:: p(w \mid h) = \frac{c(h, w) + N_{1+}(h)\, p(w \mid h')}{c(h) + N_{1+}(h)}, \qquad
              p(w \mid \text{below the empty context}) = \frac{1}{V}

    h' is h without its first token, c counts in the training text, N1+(h) is the number of different tokens that were
    seen after h. So h' is believed as often as something new came after h. A context that was never seen passes h'
    through unchanged, and no token has the probability 0.

    Parameters
    ----------
    order : int
        n: 1 ignores what came before, 2 looks at one token.
    vocabulary_size : int
        V; tokens are 0 … V − 1.

    Source: Witten & Bell (1991), method C; Chen & Goodman (1998), §2, the interpolated form; notebook 18;
    tests/models/test_ngram.py.
    """

    order: int
    vocabulary_size: int

    def __post_init__(self) -> None:
        validate.sizes("NGramModel", self, "order", "vocabulary_size")
        if self.vocabulary_size > LARGEST:
            validate.fail("NGramModel", f"vocabulary_size is {self.vocabulary_size}", f"at most {LARGEST}",
                          "a key (row · V + token) must fit into 64 bits")

    def fit(self, tokens: Any) -> NGramCounts:
        """Count a text, its first tokens with the shorter contexts that they have.

        The counts serve every model of this order or a lower one.

        Parameters
        ----------
        tokens : (L,) int
            The training text, array or list.

        Returns
        -------
        NGramCounts

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            Tokens that are no whole numbers, not in one row, outside the vocabulary, or none.
        """
        V, text = self.vocabulary_size, self._tokens("NGramModel.fit", "tokens", tokens)
        lengths = []
        rows = np.zeros(len(text), np.int64)  # of each token's context, first the empty one
        for m in range(min(self.order, len(text))):
            if m:
                keys = rows[1:] * V + text[:-m]  # rows[1:]: the first token left has no context of length m
                contexts, rows = np.unique(keys, return_inverse=True)
            else:
                contexts = np.zeros(1, np.int64)
            grams, counts = np.unique(rows * V + text[m:], return_counts=True)
            totals = np.bincount(rows, minlength=len(contexts))
            kinds = np.bincount(grams // V, minlength=len(contexts))
            lengths.append(ContextCounts(contexts, totals, kinds, grams, counts))
        nothing = ContextCounts(*(np.zeros(0, np.int64) for _ in ContextCounts._fields))
        return NGramCounts(V, (*lengths, *[nothing] * (self.order - len(lengths))))

    def log_probabilities(self, counts: NGramCounts, tokens: Any) -> Array:
        """Return ln p of each token given the tokens before it, (L,) nats.

        Parameters
        ----------
        counts : NGramCounts
            From `fit` of this model, or of one of a higher order.
        tokens : (L,) int
            Any text; its first tokens have the shorter contexts that there are.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            As `fit`; counts of a lower order or another vocabulary.
        """
        where = "NGramModel.log_probabilities"
        lengths = self._lengths(where, counts)
        text = self._tokens(where, "tokens", tokens)
        p = np.full(len(text), 1.0 / self.vocabulary_size)
        rows = np.zeros(len(text), np.int64)
        for m, level in enumerate(lengths[: len(text)]):
            if m:
                rows = _extended(level, rows[1:], text[:-m], self.vocabulary_size)
            p[m:] = _interpolated(level, rows, text[m:], p[m:], self.vocabulary_size)
        log_p: Array = np.log(p)
        return log_p

    def bits_per_character(self, counts: NGramCounts, tokens: Any) -> float:
        """Return the mean of −log₂ p over a text: per character where tokens are characters.

        Parameters
        ----------
        counts, tokens
            As `log_probabilities`.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            As `log_probabilities`.
        """
        return float(-self.log_probabilities(counts, tokens).mean() / math.log(2.0))

    def probabilities(self, counts: NGramCounts, context: Sequence[int] | Array) -> Array:
        """Return the probability of every token after a context, (V,); they sum to 1.

        Parameters
        ----------
        counts : NGramCounts
            As `log_probabilities`.
        context : list of int, may be empty
            What came before; only the last order − 1 matter.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            As `log_probabilities`.
        """
        where = "NGramModel.probabilities"
        lengths = self._lengths(where, counts)
        return self._next(lengths, self._tokens(where, "context", context, empty_ok=True))

    def generate(
        self, counts: NGramCounts, prompt: Sequence[int] | Array, length: int, *,
        rng: np.random.Generator | None = None, temperature: float = 1.0,
    ) -> list[int]:
        """Go on after a prompt, token by token.

        Parameters
        ----------
        counts : NGramCounts
            As `log_probabilities`.
        prompt : list of int, may be empty
            What came before.
        length : int
            How many tokens to add.
        rng : Generator, optional
            Draws each token from its probabilities; None takes the most probable.
        temperature : float
            p is raised to 1/temperature before the draw, as in `LanguageModel.generate`.

        Returns
        -------
        list of `length` int

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            As `log_probabilities`; a length below 1, a temperature that is not above 0.
        """
        where = "NGramModel.generate"
        lengths = self._lengths(where, counts)
        tokens: list[int] = self._tokens(where, "prompt", prompt, empty_ok=True).tolist()
        validate.size(where, "length", length)
        temperature = validate.number(where, "temperature", temperature, above=0.0)
        if rng is not None:
            validate.generator(where, rng)
        start = len(tokens)
        for _ in range(length):
            p = self._next(lengths, np.array(tokens[-self.order:], dtype=np.int64))
            if rng is not None and temperature != 1.0:
                with np.errstate(under="ignore", over="ignore"):
                    p = np.exp((np.log(p) - np.log(p.max())) / temperature)
            tokens.append(int(p.argmax()) if rng is None else int(rng.choice(len(p), p=p / p.sum())))
        return tokens[start:]

    def _next(self, lengths: Sequence[ContextCounts], context: Array) -> Array:
        """Return p (V,) after a context."""
        V = self.vocabulary_size
        every, p = np.arange(V), np.full(V, 1.0 / V)
        row = np.zeros(1, np.int64)
        for m, level in enumerate(lengths[: len(context) + 1]):
            if m:
                row = _extended(level, row, context[-m:][:1], V)
            if row[0] < 0:
                break  # what was never seen is seen in no longer form
            p = _interpolated(level, np.repeat(row, V), every, p, V)
        return p

    def _tokens(self, where: str, name: str, value: Any, empty_ok: bool = False) -> Array:
        array = validate.as_array(where, name, value)
        if array.ndim != 1:
            validate.fail(where, f"{name} has shape {array.shape}", "(L,), one text",
                          "each token follows the one before it", "Text goes through a Vocabulary first.",
                          validate.ShapeError)
        if not array.size:
            if not empty_ok:
                validate.fail(where, f"{name} is empty", "at least one token", "there is nothing to count")
            return np.zeros(0, np.int64)
        if not np.issubdtype(array.dtype, np.integer):
            validate.fail(where, f"{name} has dtype {array.dtype}", "whole numbers", "a token is an index",
                          "Text goes through a Vocabulary first.", validate.DtypeError)
        validate.indices(where, name, array, self.vocabulary_size, counts="vocabulary_size")
        return array.astype(np.int64)

    def _lengths(self, where: str, counts: Any) -> tuple[ContextCounts, ...]:
        if not isinstance(counts, NGramCounts):
            validate.fail(where, f"counts is a {type(counts).__name__}", "the NGramCounts that fit returned",
                          hint="counts = model.fit(tokens).", error=validate.DtypeError)
        if counts.vocabulary_size != self.vocabulary_size:
            validate.fail(where, f"counts is of {counts.vocabulary_size} tokens", f"of {self.vocabulary_size}",
                          f"vocabulary_size={self.vocabulary_size}")
        if len(counts.lengths) < self.order:
            validate.fail(where, f"counts is of order {len(counts.lengths)}", f"order {self.order} or more",
                          f"order={self.order} looks at {self.order - 1} tokens before", "fit counts them.")
        return counts.lengths[: self.order]


def _extended(level: ContextCounts, rows: Array, before: Array, V: int) -> Array:
    """Return the rows of contexts one token longer to the left, −1 where such a one was never seen."""
    return _place(level.contexts, rows * V + before)  # row −1 makes a key below 0, which no context has


def _interpolated(level: ContextCounts, rows: Array, tokens: Array, p: Array, V: int) -> Array:
    """Return (c(h, w) + N1+(h)·p) / (c(h) + N1+(h)), and p itself where h was never seen."""
    seen = rows >= 0
    row, token, below = rows[seen], tokens[seen], p[seen]
    place = _place(level.grams, row * V + token)
    count = np.where(place >= 0, level.counts[place], 0)
    found = p.copy()
    found[seen] = (count + level.kinds[row] * below) / (level.totals[row] + level.kinds[row])
    return found


def _place(keys: Array, wanted: Array) -> Array:
    """Return where each wanted key stands among the sorted ones, −1 where it doesn't."""
    if not len(keys):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)
