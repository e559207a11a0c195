r"""What a metric of text takes: str, tokens or indices; and how a str becomes tokens.

A *sequence* is a str, which still has to be tokenised, or its tokens: a list, tuple or one-dimensional array of str
or of int, as a decoder gives them. The three never match each other, so a score of 0 would be all one saw of a
mistake: `same_kind` refuses them side by side.

Source: Post (2018), §2, on why the tokenisation belongs to the score; notebook 13; tests/metrics/test_text.py.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from .. import validate
from ..arrays import Array

Sentence: TypeAlias = str | Sequence[str] | Sequence[int] | Array
Tokens: TypeAlias = tuple[Any, ...]  # of str or of int

_ENTITIES = {"&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}  # in this order: &amp;lt; ends as <
_ALWAYS_APART = re.compile("([" + re.escape("".join(sorted(set(string.punctuation) - set("'-.,")))) + "])")
_IN_TURN = (  # each reads what the one before it wrote, and digits are 0 … 9
    (_ALWAYS_APART, r" \1 "),
    (re.compile("([^0-9])([.,])"), r"\1 \2 "),
    (re.compile("([.,])([^0-9])"), r" \1 \2"),
    (re.compile("([0-9])(-)"), r"\1 \2 "),
)


def tokenize_13a(text: str) -> list[str]:
    """Split text as NIST's mteval-v13a does, sacreBLEU's default.

    ASCII punctuation becomes a token of its own, except that an apostrophe never does, a full stop or a comma does not
    between digits (3.14), and a hyphen does only after a digit (2-year, but well-known). A word broken by a hyphen at
    a line's end is joined, four HTML entities are read, "<skipped>" is dropped. Other scripts' punctuation stays with
    its word, and so do Chinese sentences as a whole: use "char" there.
    """
    if not isinstance(text, str):
        validate.fail("tokenize_13a", f"text is a {type(text).__name__}", "a str", error=validate.DtypeError)
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "")
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    text = f" {text} "  # so that a full stop at either end has a neighbour
    for pattern, replacement in _IN_TURN:
        text = pattern.sub(replacement, text)
    return text.split()


def _characters(text: str) -> list[str]:
    return [character for character in text if not character.isspace()]


TOKENIZERS: dict[str, Callable[[str], list[str]]] = {"13a": tokenize_13a, "none": str.split, "char": _characters}


def list_of(where: str, name: str, value: Any, expected: str, because: str = "", hint: str = "") -> list[Any]:
    """Return a sequence's items. A str is refused (its items are letters), and so is what has no order."""
    listed = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if not listed and not (isinstance(value, np.ndarray) and value.ndim > 0):
        got = f"{name} is a {type(value).__name__}"
        validate.fail(where, got, expected, because, hint, validate.DtypeError)
    return list(value)


def sequence(where: str, name: str, value: Any, hint: str = "") -> str | Tokens:
    """Return a str as it is, and a list or array of str or of int as a tuple."""
    if isinstance(value, str):
        return value
    because = "a metric compares text, tokens or indices"
    tokens = list_of(where, name, value, "a str, or a list of str or int", because, hint)
    if isinstance(value, np.ndarray):
        validate.shape(where, name, value, ("tokens",), "it is one sequence", hint)
        tokens = value.tolist()  # Python's own int and str
    for index, token in enumerate(tokens):
        kind = type(tokens[0])
        if isinstance(token, bool) or not isinstance(token, str | int | np.integer):
            validate.fail(
                where, f"{name}[{index}] is a {type(token).__name__}", "a token, str or int", because, hint,
                validate.DtypeError,
            )
        if isinstance(token, str) != issubclass(kind, str):
            validate.fail(
                where, f"{name}[{index}] is a {type(token).__name__} after a {kind.__name__}", "tokens of one kind",
                "the word and its index never match", hint, validate.DtypeError,
            )
    return tuple(tokens)


def same_kind(where: str, named: Iterable[tuple[str, str | Tokens]], hint: str = "") -> bool:
    """Refuse text beside tokens, and words beside indices; return whether all is text, which needs a tokeniser."""
    first: dict[str, str] = {}  # kind -> the first sequence of that kind
    for name, value in named:
        first.setdefault(_kind(value), name)
    if "text" not in first:
        first.pop(_NO_TOKENS, None)  # goes with words and with indices; beside text it would have to be ""
    if len(first) > 1:
        (kind, name), (other_kind, other_name) = list(first.items())[:2]
        validate.fail(
            where, f"{other_name} is {other_kind}", f"the kind of {name}, which is {kind}",
            "text, words and indices never match each other, so the score would be 0", hint, validate.DtypeError,
        )
    return "text" in first


_NO_TOKENS = "an empty list of tokens"


def _kind(value: str | Tokens) -> str:
    if isinstance(value, str):
        return "text"
    if not value:
        return _NO_TOKENS
    return "a list of words" if isinstance(value[0], str) else "a list of indices"
