r"""Characters as numbers: the vocabulary between texts and arrays, and batches of pairs to translate.

Four symbols stand before the characters: PAD fills a batch up, START is what a decoder reads first, END is what it says
last, UNKNOWN stands for a character that the vocabulary does not have.

Notebook 13; tests/data/test_text.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from .batching import bucketed_batches

PAD, START, END, UNKNOWN = range(4)
SPECIAL = 4  # how many there are: the first character's index
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # how a decoded UNKNOWN looks


@dataclass(frozen=True)
class Vocabulary:
    """Characters and their indices: PAD = 0, START = 1, END = 2, UNKNOWN = 3, then the characters from 4 on.

    Parameters
    ----------
    characters : str
        Each once; their order is that of the indices, so a saved string gives the same vocabulary again.

    A character is one code point. "é" may be one or two of them (e and an accent): the vocabulary does not change what
    it is given, `unicodedata.normalize("NFC", text)` makes them one.

    Raises
    ------
    ArgumentError
        Characters that are no str, none, or one twice.
    """

    characters: str

    def __post_init__(self) -> None:
        where = "Vocabulary"
        if not isinstance(self.characters, str) or not self.characters:
            validate.fail(where, f"characters is {self.characters!r}", "a str of one character or more")
        for n, character in enumerate(self.characters):
            if character in self.characters[:n]:
                validate.fail(
                    where, f"{character!r} is there twice", "every character once", "each has one index",
                    "Vocabulary.of(texts) picks them.",
                )

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """Return the vocabulary of all characters in some texts, in the order of their code points."""
        found: set[str] = set()
        for text in _texts("Vocabulary.of", texts):
            found.update(text)
        if not found:
            validate.fail("Vocabulary.of", "texts has no character", "one at least")
        return cls("".join(sorted(found)))

    def __len__(self) -> int:
        """Return V: the characters and the four symbols."""
        return SPECIAL + len(self.characters)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {character: SPECIAL + n for n, character in enumerate(self.characters)}

    def encode(self, text: str, *, unknown: bool = False) -> Array:
        """Return a text's indices (T,), without START and END.

        Parameters
        ----------
        text : str
            T characters; "" gives (0,).
        unknown : bool
            Whether a character that the vocabulary lacks becomes UNKNOWN; else it is an error.

        Raises
        ------
        ArgumentError
            No str; an unknown character, named with its position.
        """
        return np.array(self._encoded("Vocabulary.encode", "text", text, unknown), np.int64)

    def decode(self, indices: Array | Sequence[int]) -> str:
        """Return the text of indices (T,): up to the first END, without PAD and START; UNKNOWN as "\ufffd".

        Raises
        ------
        DtypeError, ShapeError, ArgumentError
            Indices that are no integers, that have more axes than time, or that are outside 0 … V − 1.
        """
        where = "Vocabulary.decode"
        array = validate.as_array(where, "indices", indices)
        if array.ndim != 1:
            hint = "One sequence at a time: indices[:, n]."
            validate.fail(where, f"indices has shape {array.shape}", "(T,)", "", hint, validate.ShapeError)
        if array.size and not np.issubdtype(array.dtype, np.integer):
            hint = "From logits: logits.argmax(axis=-1)."
            validate.fail(where, f"indices has dtype {array.dtype}", "integers", "", hint, validate.DtypeError)
        text = ""
        for t, index in enumerate(array.tolist()):
            if not 0 <= index < len(self):
                because = f"the vocabulary has {len(self)} symbols, counted from 0"
                validate.fail(where, f"indices[{t}] is {index}", f"0 … {len(self) - 1}", because)
            if index == END:
                break
            if index >= UNKNOWN:
                text += REPLACEMENT if index == UNKNOWN else self.characters[index - SPECIAL]
        return text

    def encode_batch(self, texts: Sequence[str], end: bool = True, *, unknown: bool = False) -> tuple[Array, Array]:
        """Put texts of different lengths into one batch, time first.

        Parameters
        ----------
        texts : sequence of N str
            Some may be empty, not all of them without END.
        end : bool
            Whether END follows each text.
        unknown : bool
            As in `encode`.

        Returns
        -------
        indices : (T, N) int
            T is the longest; PAD after each sequence's end.
        mask : (T, N) bool
            True where there is a character or END.

        Raises
        ------
        ArgumentError
            No texts, one that is no str, an unknown character, or not a single step in all of them.
        """
        where = "Vocabulary.encode_batch"
        rows = [
            self._encoded(where, f"texts[{n}]", text, unknown) + [END] * bool(end)
            for n, text in enumerate(_texts(where, texts))
        ]
        lengths = np.array([len(row) for row in rows])
        if lengths.max(initial=0) == 0:
            got = "every text is empty" if rows else "texts is empty"
            validate.fail(where, got, "one step at least", "there is nothing to make a batch of")
        mask = np.arange(lengths.max())[:, None] < lengths
        indices = np.full(mask.shape, PAD, np.int64)
        for n, row in enumerate(rows):
            indices[: len(row), n] = row
        return indices, mask

    def _encoded(self, where: str, name: str, text: str, unknown: bool) -> list[int]:
        if not isinstance(text, str):
            validate.fail(where, f"{name} is a {type(text).__name__}", "a str", error=validate.DtypeError)
        if unknown:
            return [self._index.get(character, UNKNOWN) for character in text]
        try:
            return [self._index[character] for character in text]
        except KeyError:
            place = next(t for t, character in enumerate(text) if character not in self._index)
        validate.fail(
            where, f"{name}[{place}] is {text[place]!r}", f"one of the vocabulary's {len(self.characters)} characters",
            f"{text!r:.60} has to be read whole", "Pass unknown=True to read it as UNKNOWN.",
        )


class PairBatch(NamedTuple):
    """Some pairs of texts as an encoder–decoder takes them: `model.loss_and_grads(params, *batch[1:])`."""

    indices: Array  # (B,) which pairs
    sources: Array  # (S, B) int, END after each, then PAD
    targets: Array  # (T, B) int, likewise
    source_mask: Array  # (S, B) bool
    target_mask: Array  # (T, B) bool

    def arguments(self) -> dict[str, Array]:
        """Return the keywords of `EncoderDecoder.loss_and_grads`."""
        return {name: value for name, value in self._asdict().items() if name != "indices"}

    @property
    def weight(self) -> float:
        """How many target tokens count; an epoch's loss is Σ weight·loss / Σ weight."""
        return float(self.target_mask.sum())


def pair_batches(
    sources: Sequence[str], targets: Sequence[str], vocabularies: tuple[Vocabulary, Vocabulary], batch_size: int, *,
    rng: np.random.Generator, pool: int = 20,
) -> Iterator[PairBatch]:
    """Yield one epoch of pairs, those of about one length together (`bucketed_batches`).

    Parameters
    ----------
    sources, targets : N str each
        What is read, and what is to be written.
    vocabularies : (Vocabulary, Vocabulary)
        Of the sources and of the targets, as `date_vocabularies()` gives them.
    batch_size, rng, pool
        As in `bucketed_batches`. Pairs are sorted by the source's length, then by the target's.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Not as many sources as targets, no two vocabularies, a character that one lacks; and as `bucketed_batches`.

    Source: notebook 13; tests/data/test_text.py.
    """
    where = "pair_batches"
    read, written = _texts(where, sources), _texts(where, targets)
    if len(read) != len(written):
        validate.fail(
            where, f"there are {len(read)} sources and {len(written)} targets", "one target for each source",
            error=validate.ShapeError,
        )
    two = isinstance(vocabularies, tuple | list) and len(vocabularies) == 2
    if not two or not all(isinstance(one, Vocabulary) for one in vocabularies):
        hint = "date_vocabularies() gives both."
        got = f"vocabularies is {vocabularies!r:.60}"
        validate.fail(where, got, "two of them, the sources' and the targets'", "", hint, validate.DtypeError)
    longest = max(map(len, written), default=0)
    lengths = np.array([len(x) * (longest + 1) + len(y) for x, y in zip(read, written, strict=True)], np.int64)

    def encoded() -> Iterator[PairBatch]:
        for chosen in batches:
            xs, source_mask = vocabularies[0].encode_batch([read[n] for n in chosen])
            ys, target_mask = vocabularies[1].encode_batch([written[n] for n in chosen])
            yield PairBatch(chosen, xs, ys, source_mask, target_mask)

    batches = bucketed_batches(lengths, batch_size, rng=rng, pool=pool)
    return encoded()


def _texts(where: str, texts: Iterable[str]) -> list[str]:
    """Return the texts as a list; a single str would be taken for its letters."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        got = f"texts is {texts!r}" if isinstance(texts, str) else f"texts is a {type(texts).__name__}"
        validate.fail(where, got, "a list of texts", hint="For one text: [text].", error=validate.DtypeError)
    listed = list(texts)
    for n, text in enumerate(listed):
        if not isinstance(text, str):
            got = f"texts[{n}] is a {type(text).__name__}"
            validate.fail(where, got, "a str", error=validate.DtypeError)
    return listed
