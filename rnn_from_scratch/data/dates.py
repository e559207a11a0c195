r"""The date task: dates as people write them, to be translated character by character into ISO form.

"17. März 1998", "17 de marzo de 1998", "Tuesday, 3/17/98", "1998年3月17日" → "1998-03-17". A month is a word or a
number, it comes first, second or last, and a weekday means nothing: a small task that an encoder–decoder solves only if
it looks in the right places. The formats are those of `date_formats`.

Notebook 13; benchmarks/date_translation.py; tests/data/test_dates.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

import numpy as np

from .. import validate
from .date_patterns import WINDOW, DateFormat, check_formats, date_formats, render_date
from .text import Vocabulary

HELD_OUT = (  # locale and name; held_out_formats says why these
    ("en_US", "weekday and ordinal"), ("en_GB", "yMMMEd"), ("de_DE", "yMMMEd"), ("fr_FR", "yMMMEd"),
    ("es_ES", "yMMMMEd"), ("it_IT", "yMEd"), ("pt_BR", "medium"), ("nl_NL", "yMMMEd"), ("sv_SE", "yMMMEd"),
    ("pl_PL", "long"), ("ru_RU", "yMMMEd"), ("fi_FI", "long"), ("zh_CN", "yMMMEd"), ("ja_JP", "yMMMEd"),
)  # fmt: skip


class DateData(NamedTuple):
    """Pairs to translate, and the format that each source is written in."""

    sources: list[str]  # N texts
    targets: list[str]  # N texts such as "1998-03-17"
    formats: list[DateFormat]


class DateSplits(NamedTuple):
    """Four sets; the days of the last three are never in `train`, in any format."""

    train: DateData  # 80 % of the days
    validation: DateData  # 10 % of the days, training's formats
    test: DateData  # the last 10 %, training's formats
    new_formats: DateData  # the test's days in formats that training never saw


@cache
def held_out_formats() -> tuple[DateFormat, ...]:
    """Return one format of each locale that a model is tested on and never trained on.

    They ask for parts that are known in a combination that is new, and for nothing else. What they write is

    - in known words: each month's and weekday's name is written by a format of the same locale that stays in training,
      and so is every other character, and each form of a number (1 or 01, 98 or 1998);
    - in a known order: some format in training, of any locale, has the same fields one after the other
      (weekday, day, month's name, year, for example);
    - never seen: no text of theirs is one that a format in training writes. French "17 mars 1998" would be no test,
      since Swedish writes it too.

    So most put a weekday where training has the same date without one, three take it away, and one puts it before
    numbers. The only format with whole weekdays of a locale cannot be held out: nobody guesses a weekday's name.
    """
    return tuple(one for one in date_formats() if (one.locale, one.name) in HELD_OUT)


def date_data(
    *, rng: np.random.Generator, N: int, formats: Sequence[DateFormat] | None = None, years: tuple[int, int] = WINDOW
) -> DateData:
    """Draw N days and a format for each, all equally likely.

    Parameters
    ----------
    rng : Generator
        Draws both, with replacement.
    N : int
        Pairs.
    formats : sequence of DateFormat, optional
        Default `date_formats()`. Your own may hold some that collide: `collisions` finds them.
    years : (first, last)
        Both included; within 1970 … 2069, what a two-digit year can mean.

    Raises
    ------
    ArgumentError
        No formats, something else than formats, or years outside 1970 … 2069 or in the wrong order.
    """
    where = "date_data"
    validate.generator(where, rng)
    validate.size(where, "N", N)
    chosen = date_formats() if formats is None else formats
    check_formats(where, chosen)
    return _drawn(rng, N, chosen, _days(where, years))


def split_dates(
    *, rng: np.random.Generator, sizes: tuple[int, int, int] = (20_000, 1_000, 1_000), years: tuple[int, int] = WINDOW
) -> DateSplits:
    """Draw sets to train, to choose and to test with, so that a test asks for what was never seen.

    Two things are held out. *Days*: those of `years` are shuffled and cut 80 : 10 : 10, so that a day in `validation`,
    `test` or `new_formats` is in `train` in no format at all: a model that learned days by heart fails. *Formats*:
    `new_formats` is written in `held_out_formats()`, the other three in all the others.

    Parameters
    ----------
    rng : Generator
        Cuts the days and draws the pairs.
    sizes : (training, validation, test)
        Pairs; `new_formats` has as many as `test`.
    years : (first, last)
        As in `date_data`; one whole year at least.

    Raises
    ------
    ArgumentError
        Sizes that are not three whole numbers of at least 1; years as in `date_data`.
    """
    where = "split_dates"
    validate.generator(where, rng)
    if not isinstance(sizes, tuple | list) or len(sizes) != 3:
        validate.fail(where, f"sizes is {sizes!r}", "three numbers", "they are for training, validation and test")
    for name, size in zip(("training", "validation", "test"), sizes, strict=True):
        validate.size(where, f"the size for {name}", size)
    days = _days(where, years)
    shuffled = [days[n] for n in rng.permutation(len(days))]
    first, second = round(0.8 * len(days)), round(0.9 * len(days))
    held_out = held_out_formats()
    kept = tuple(one for one in date_formats() if one not in held_out)
    return DateSplits(
        _drawn(rng, sizes[0], kept, shuffled[:first]),
        _drawn(rng, sizes[1], kept, shuffled[first:second]),
        _drawn(rng, sizes[2], kept, shuffled[second:]),
        _drawn(rng, sizes[2], held_out, shuffled[second:]),
    )


@cache
def date_vocabularies() -> tuple[Vocabulary, Vocabulary]:
    """Return the vocabularies of all sources and of all targets.

    They depend on the formats alone, not on a draw: a small training set has the same, and saved weights keep their
    meaning. (The held-out formats need no character that training's formats do not write.)
    """
    days = _days("date_vocabularies", (2000, 2000))
    sources = Vocabulary.of([render_date(day, one) for one in date_formats() for day in days])
    return sources, Vocabulary("-0123456789")


def _drawn(rng: np.random.Generator, N: int, formats: Sequence[DateFormat], days: Sequence[date]) -> DateData:
    chosen_days = [days[n] for n in rng.integers(0, len(days), N)]
    chosen = [formats[n] for n in rng.integers(0, len(formats), N)]
    sources = [render_date(day, one) for day, one in zip(chosen_days, chosen, strict=True)]
    return DateData(sources, [day.isoformat() for day in chosen_days], chosen)


def _days(where: str, years: tuple[int, int]) -> list[date]:
    pair = isinstance(years, tuple | list) and len(years) == 2
    whole = pair and all(isinstance(year, int | np.integer) and not isinstance(year, bool) for year in years)
    if not whole or not WINDOW[0] <= years[0] <= years[1] <= WINDOW[1]:
        expected = f"(first, last) with {WINDOW[0]} ≤ first ≤ last ≤ {WINDOW[1]}"
        validate.fail(where, f"years is {years!r}", expected, "a two-digit year means one of these")
    start = date(int(years[0]), 1, 1)
    return [start + timedelta(n) for n in range((date(int(years[1]), 12, 31) - start).days + 1)]
