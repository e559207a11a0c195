r"""The bundled text, and a text cut into parts to train, to choose and to test with.

The text is technical English: 57 of Python's own reference topics, what `help("assignment")` shows, with grammar,
tables and examples in Python. bundled/NOTICE has source, licence and what was changed; tools/freeze_text.py froze it.

Notebook 18; benchmarks/language_model.py; tests/data/test_corpus.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from .. import validate

BETWEEN_TOPICS = "\n\n\n"


class TextSplits(NamedTuple):
    """Three parts of a text, which joined are the text again."""

    train: str
    validation: str
    test: str


@cache
def bundled_text() -> str:
    """Return Python's reference topics: 371,871 characters of printable ASCII and line ends.

    The topics stand in alphabetical order with two empty lines between them. No paragraph of 40 characters or more
    stands there twice: what one topic shares with another was left out, so that a part to test with holds no copy of
    what was trained on. (Single lines, such as a table's rule, do repeat.)

    Source: `pydoc_data.topics` of Python 3.11.7; bundled/NOTICE; notebook 18; tests/data/test_corpus.py.
    """
    return files(__package__).joinpath("bundled", "python_topics.txt").read_text(encoding="ascii")


def text_splits(
    text: str, shares: Sequence[float] = (0.9, 0.05, 0.05), *, between: str = BETWEEN_TOPICS
) -> TextSplits:
    r"""Cut a text into training, validation and test parts, in this order, each in one piece.

    Cuts fall behind the `between` nearest to where the shares would have them, so no document (here: no topic) is
    cut in two: a model that is tested on the second half of what it has read the first half of is tested on less than
    something new. Documents that copy each other have to be dealt with before.

    Parameters
    ----------
    text : str
        Such as `bundled_text()`.
    shares : three numbers above 0 that sum to 1
        Of the characters. How close the parts come depends on where documents end.
    between : str
        What stands between two documents; it stays with the one before. "\n\n" cuts between paragraphs, "\n" between
        lines.

    Raises
    ------
    DtypeError
        If text or between is no str.
    ArgumentError
        If shares are not three positive numbers that sum to 1, `between` is empty, or there are not two cuts apart.

    Source: notebook 18; tests/data/test_corpus.py.
    """
    where = "text_splits"
    for name, value in (("text", text), ("between", between)):
        if not isinstance(value, str):
            got = f"{name} is a {type(value).__name__}"
            validate.fail(where, got, "a str", hint="Bytes: text.decode('utf-8').", error=validate.DtypeError)
    if not between:
        validate.fail(where, "between is empty", "what stands between two documents", "parts end behind it")
    listed = list(shares) if isinstance(shares, tuple | list) else []
    parts = [validate.number(where, f"shares[{n}]", share, above=0.0, below=1.0) for n, share in enumerate(listed)]
    if len(parts) != 3 or abs(sum(parts) - 1.0) > 1e-9:
        hint = "Try (0.9, 0.05, 0.05)."
        validate.fail(where, f"shares is {shares!r:.60}", "three that sum to 1", "there are three parts", hint)
    ends = _ends(text, between)
    cuts = [min(ends, key=lambda end: abs(end - share * len(text)), default=0) for share in (parts[0], sum(parts[:2]))]
    if not 0 < cuts[0] < cuts[1] < len(text):
        validate.fail(
            where, f"{between!r} ends {len(ends)} parts of {len(text)} characters, cut at {cuts[0]} and {cuts[1]}",
            "two cuts apart", "each part needs a character", r"Try between='\n\n', paragraphs, or '\n', lines.",
        )
    return TextSplits(text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :])


def _ends(text: str, between: str) -> list[int]:
    """Return where each document but the last ends, what stands between included."""
    *documents, _ = text.split(between)
    ends, end = [], 0
    for document in documents:
        end += len(document) + len(between)
        ends.append(end)
    return ends
