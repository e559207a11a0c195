r"""Colour names and what they look like: a small task of real words, names to be read letter by letter.

"dusty rose" → (0.753, 0.451, 0.478). Many names are made of parts that others have too ("dark", "olive", "greenish"): a
model can learn what the parts do. The names are those that people typed in xkcd's colour survey, the values what the
survey made of their answers; bundled/NOTICE has source and licence, tools/freeze_colors.py froze them.

Source: xkcd's colour survey (2010), CC0; tests/data/test_colors.py.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array
from .text import Vocabulary

SHARES = (0.8, 0.9)  # where training ends, and validation


class ColorData(NamedTuple):
    """Names to read and colours to say, the batch second."""

    names: tuple[str, ...]  # N
    xs: Array  # (T, N) int: letters as indices, PAD after a name's end
    mask: Array  # (T, N) bool: True where there is a letter
    colors: Array  # (N, 3): red, green, blue (sRGB) from 0 to 1


class ColorSplits(NamedTuple):
    """Three sets of names; no name of one is a spelling of a name in another."""

    train: ColorData
    validation: ColorData
    test: ColorData
    vocabulary: Vocabulary  # of the letters, for all three


def named_colors() -> dict[str, tuple[float, float, float]]:
    """Return the 919 bundled names and their colours: red, green, blue (sRGB) from 0 to 1.

    Names are in small letters, blanks, "/" and "'", the longest of 26. Rude ones are left out.

    Source: bundled/NOTICE; tests/data/test_colors.py.
    """
    return dict(_frozen())


@cache
def _frozen() -> tuple[tuple[str, tuple[float, float, float]], ...]:
    text = files(__package__).joinpath("bundled", "colors.txt").read_text(encoding="ascii")
    lines = [line.split("\t") for line in text.splitlines()]
    values = [[int(value[n : n + 2], 16) / 255 for n in (1, 3, 5)] for _, value in lines]
    return tuple((name, (red, green, blue)) for (name, _), (red, green, blue) in zip(lines, values, strict=True))


def similar_names(names: Iterable[str]) -> list[list[str]]:
    """Group names that are spellings of one another, or nearly.

    "light blue" and "lightblue", "lilac" and "liliac" are one name to whoever tests a model on the second after it was
    trained on the first. Two names belong together if, written without blanks and signs, with i for y and with one
    letter for two, they are equal or become equal when a letter is taken from one or from both; and so on from name to
    name. The rule errs on the safe side: "pea", "sea" and "tea" are in one group as well.

    Parameters
    ----------
    names : iterable of str
        Each counts once.

    Returns
    -------
    list of list of str
        Every name is in one group; groups and names in alphabetical order.

    Raises
    ------
    DtypeError
        A single str, or a name that is none.

    Source: tests/data/test_colors.py.
    """
    where = "similar_names"
    if isinstance(names, str | bytes) or not isinstance(names, Iterable):
        validate.fail(where, f"names is {names!r:.60}", "a list of names", error=validate.DtypeError)
    listed = list(names)
    for n, name in enumerate(listed):
        if not isinstance(name, str):
            validate.fail(where, f"names[{n}] is {name!r:.60}", "a str", error=validate.DtypeError)
    group = {name: name for name in sorted(listed)}  # a name of the same group, or itself

    def first_of(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    seen: dict[str, str] = {}
    for name in group:
        key = re.sub(r"(.)\1+", r"\1", re.sub(r"[^\w]|_", "", name.casefold()).replace("y", "i"))
        for spelling in {key, *(key[:n] + key[n + 1 :] for n in range(len(key)))}:
            one, other = sorted((first_of(name), first_of(seen.setdefault(spelling, name))))
            group[other] = one
    found = defaultdict(list)
    for name in group:
        found[first_of(name)].append(name)
    return list(found.values())


def color_data() -> ColorSplits:
    """Return the bundled colours as a task: a name's letters in, red, green and blue out, one answer a name.

    Always the same split, about 80, 10 and 10 % of the names: groups of `similar_names` stay together, and come in the
    order of the SHA-256 of their first name, which has nothing to do with colours. What a test name shares with
    training are its words: "dark forest green" may be asked after "forest green" was learned, and that is the task.

    The mean squared error of always answering training's mean colour is 0.0940 on validation and 0.0997 on test.

    Returns
    -------
    ColorSplits
        Read xs as tokens with input_size = len(vocabulary), in a model with outputs="many-to-one".

    Source: xkcd's colour survey (2010); tests/data/test_colors.py.
    """
    colors = named_colors()
    groups = sorted(similar_names(colors), key=lambda group: sha256(group[0].encode()).digest())
    vocabulary = Vocabulary.of(colors)
    parts: list[list[str]] = [[], [], []]
    dealt = 0
    for group in groups:
        parts[sum(dealt >= share * len(colors) for share in SHARES)] += group
        dealt += len(group)
    train, validation, test = (_as_arrays(vocabulary, sorted(part), colors) for part in parts)
    return ColorSplits(train, validation, test, vocabulary)


def _as_arrays(vocabulary: Vocabulary, names: list[str], colors: dict[str, tuple[float, float, float]]) -> ColorData:
    xs, mask = vocabulary.encode_batch(names, end=False)
    return ColorData(tuple(names), xs, mask, np.array([colors[name] for name in names]))
