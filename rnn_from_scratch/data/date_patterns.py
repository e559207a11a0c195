r"""Dates as people write them: formats of fourteen languages and regions, and how each writes a day.

Month names, weekday names and patterns are CLDR's, frozen by tools/freeze_dates.py (bundled/dates.json; its licence is
in bundled/NOTICE); a few patterns are written by hand. A pattern's letters mean what Unicode TS 35, part 4 says:

========  ===================================  ========  ==========================================
y yy      year; its last two digits            E EEE     weekday, short, as in a date
M MM      month's number; with two digits      EEEE      weekday, as in a date
MMM       month, short, as in a date           ccc cccc  weekday, short and whole, standing alone
MMMM      month, as in a date (a genitive)     do        day with its ending (1st, 22nd): not CLDR's
LLL LLLL  month, short and whole, alone        '…' ''    text as it is; an apostrophe
d dd      day; with two digits
========  ===================================  ========  ==========================================

Digits are 0 … 9 in every locale. A two-digit year is one of 1970 … 2069. Letters are composed (Unicode NFC).

Source: Unicode CLDR; notebook 13; tests/data/test_dates.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from .. import validate

WINDOW = (1970, 2069)  # a hundred years, no two of them with the same last two digits

BY_HAND = (  # as English is also written: locale, name, pattern
    ("en_US", "ordinal", "MMMM do, y"),
    ("en_US", "weekday and ordinal", "EEEE, MMMM do, y"),
    ("en_US", "weekday and slashes", "EEEE, M/d/yy"),
    ("en_US", "no comma", "MMM d y"),
    ("en_GB", "ordinal", "do MMMM y"),
    ("en_GB", "the ordinal of", "'the' do 'of' MMMM y"),
    ("en_GB", "two-digit year", "d MMM yy"),
    ("en_GB", "apostrophe", "d MMM ''yy"),
    ("en_GB", "hyphens", "dd-MMM-y"),
)
LEFT_OUT = (("en_US", "short"), ("en_US", "yMd"), ("en_US", "yMEd"))  # M/d/yy, M/d/y and E, M/d/y: see date_formats


class Locale(NamedTuple):
    """What one locale calls the months and the weekdays, and its patterns."""

    names: Mapping[str, tuple[str, ...]]  # by pattern letters: 12 months from January, 7 weekdays from Monday
    patterns: Mapping[str, str]  # by CLDR's name: a length (full, …), or a skeleton: the fields that were asked for


@cache
def locales() -> Mapping[str, Locale]:
    """Return the frozen part of CLDR by locale: read once, and read-only."""
    text = files("rnn_from_scratch.data").joinpath("bundled", "dates.json").read_text(encoding="utf-8")
    found = {}
    for locale, saved in json.loads(text)["locales"].items():
        names = {letters: tuple(words) for letters, words in saved["names"].items()}
        found[locale] = Locale(MappingProxyType(names), MappingProxyType(saved["patterns"]))
    return MappingProxyType(found)


class _Fields(NamedTuple):
    """A day's fields one by one, so that a weekday may stand beside any date."""

    year: int
    month: int
    day: int
    weekday: int  # 0 is Monday


def _ordinal(day: int) -> str:
    return f"{day}{'th' if 11 <= day <= 13 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


_DIGITS: dict[str, Callable[[_Fields], str]] = {
    "y": lambda fields: str(fields.year),
    "yy": lambda fields: f"{fields.year % 100:02}",
    "M": lambda fields: str(fields.month),
    "MM": lambda fields: f"{fields.month:02}",
    "d": lambda fields: str(fields.day),
    "dd": lambda fields: f"{fields.day:02}",
    "do": lambda fields: _ordinal(fields.day),
}
_KINDS = {"y": "year", "M": "month", "L": "month", "d": "day", "E": "weekday", "c": "weekday"}
_NAMED = ("MMM", "MMMM", "LLL", "LLLL", "E", "EEE", "EEEE", "ccc", "cccc")
_TOKEN = re.compile(r"(?P<quoted>''|'(?:[^']|'')+')|(?P<field>do(?![A-Za-z])|([A-Za-z])\3*)|(?P<plain>[^A-Za-z']+)")


@dataclass(frozen=True)
class DateFormat:
    """One way to write dates: a locale's names in the order of a pattern.

    Parameters
    ----------
    locale : str
        One of `locales()`: whose month and weekday names.
    name : str
        CLDR's name of the pattern ("full", "long", "medium", "short", or a skeleton such as "yMMMEd"), or any other.
    pattern : str
        Letters as in this module's table; year, month and day once each, a weekday at most once.

    Raises
    ------
    ArgumentError
        An unknown locale or letter; a field that is missing or there twice; digits that touch or that are literal text
        (nobody could tell where one field ends); English endings in another language.
    """

    locale: str
    name: str
    pattern: str

    def __post_init__(self) -> None:
        where = "DateFormat"
        validate.option(where, "locale", self.locale, locales())
        for what, value in (("name", self.name), ("pattern", self.pattern)):
            if not isinstance(value, str) or not value:
                validate.fail(where, f"{what} is {value!r}", "some text")
        got = f"pattern is {self.pattern!r}"
        tokens = list(_TOKEN.finditer(self.pattern))
        if "".join(token[0] for token in tokens) != self.pattern:
            validate.fail(where, got, "its quotes in pairs", hint="An apostrophe is written '' there.")
        parts = _pieces(self.pattern)
        known = (*_DIGITS, *_NAMED)
        for letters, _ in parts:
            if letters and letters not in known:
                hint = "Text of its own stands between quotes: 'de'."
                validate.fail(where, f"{got} with the field {letters!r}", f"fields of {', '.join(known)}", hint=hint)
        kinds = [_KINDS[letters[0]] for letters, _ in parts if letters]
        for kind in ("year", "month", "day", "weekday"):
            if kinds.count(kind) not in ((0, 1) if kind == "weekday" else (1,)):
                times, fits = kinds.count(kind), "at most one" if kind == "weekday" else "one"
                validate.fail(where, f"{got} with {times} fields for the {kind}", fits, "it must say which day it is")
        if "do" in (letters for letters, _ in parts) and not self.locale.startswith("en_"):
            validate.fail(where, f"{got} in {self.locale}", "an English locale", "1st, 2nd, 3rd are English")
        names = locales()[self.locale].names  # in Chinese a month's short name begins with a digit
        sample = "".join("0" if field in _DIGITS else names[field][0] if field else text for field, text in parts)
        if re.search(r"\d", "".join(text for _, text in parts)) or re.search(r"\d\d", sample):
            because = "nobody could tell where one number ends"
            validate.fail(where, got, "digits in its fields alone, and something between two of them", because)


@cache
def _pieces(pattern: str) -> tuple[tuple[str, str], ...]:
    """Return a pattern's pieces in order: ("MMMM", "") for a field, ("", " de ") for text."""
    found: list[tuple[str, str]] = []
    for token in _TOKEN.finditer(pattern):
        if token["field"]:
            found.append(("EEE" if token[0] == "E" else token[0], ""))
        else:
            quoted = token["quoted"]
            text = token[0] if not quoted else "'" if quoted == "''" else quoted[1:-1].replace("''", "'")
            found.append(("", text))
    return tuple(found)


def _text(fields: _Fields, date_format: DateFormat) -> str:
    names = locales()[date_format.locale].names
    text = ""
    for letters, literal in _pieces(date_format.pattern):
        if letters in _DIGITS:
            text += _DIGITS[letters](fields)
        elif letters:
            text += names[letters][fields.month - 1 if letters[0] in "ML" else fields.weekday]
        else:
            text += literal
    return text


def render_date(day: date, date_format: DateFormat) -> str:
    """Write a day in a format: Tuesday 17 March 1998 as "17. März 1998".

    Raises
    ------
    ArgumentError
        `day` is no date, `date_format` no DateFormat; or two digits for a year outside 1970 … 2069.
    """
    where = "render_date"
    if not isinstance(day, date):
        validate.fail(where, f"day is {day!r}", "a datetime.date", hint="Try datetime.date.fromisoformat.")
    if not isinstance(date_format, DateFormat):
        validate.fail(where, f"date_format is {date_format!r}", "a DateFormat", hint="date_formats() has them.")
    if ("yy", "") in _pieces(date_format.pattern) and not WINDOW[0] <= day.year <= WINDOW[1]:
        because = f"the pattern {date_format.pattern!r} writes two digits of it"
        validate.fail(where, f"the year is {day.year}", f"{WINDOW[0]} … {WINDOW[1]}", because)
    return _text(_Fields(day.year, day.month, day.day, day.weekday()), date_format)


class Collision(NamedTuple):
    """Two formats and two days: what `one` writes for `day`, `other` writes for `other_day` (but for the weekday)."""

    one: DateFormat
    other: DateFormat
    day: date
    other_day: date


def collisions(formats: Sequence[DateFormat]) -> tuple[Collision, ...]:
    """Find the pairs of formats that write the same text for different days of 1970 … 2069: one example of each.

    A weekday does not count as a way out. It could tell 10/12 from 12/10, but only to someone who does the calendar's
    arithmetic, and that is not reading: every weekday is tried beside every day.

    A year of four digits is the only such number in its text, since digits of two fields never touch. Two digits of a
    year are, say, the last number of every text (if not, all hundred years are tried). So texts that agree are of the
    same year, and the days of one leap year stand for all.

    Raises
    ------
    ArgumentError
        `formats` is no list of formats, or an empty one.
    """
    check_formats("collisions", formats)
    places = {_numbers_after_short_year(date_format) for date_format in formats} - {None}
    first, last = WINDOW if len(places) > 1 else (2000, 2000)
    every = [date(first, 1, 1) + timedelta(n) for n in range((date(last, 12, 31) - date(first, 1, 1)).days + 1)]
    seen: dict[str, int] = {}  # who wrote a text first and for which day, as one number: there are many
    again: dict[str, list[int]] = {}  # and who wrote it after that
    found: dict[tuple[int, int], Collision] = {}
    for n, date_format in enumerate(formats):
        short_year = _numbers_after_short_year(date_format) is not None
        weekdays = range(7 if any(letters[:1] in ("E", "c") for letters, _ in _pieces(date_format.pattern)) else 1)
        for today, day in enumerate(every):
            if not short_year and day.year != 2000:
                continue
            this = n * len(every) + today
            for weekday in weekdays:
                text = _text(_Fields(day.year, day.month, day.day, weekday), date_format)
                first = seen.setdefault(text, this)
                if first != this:
                    for m, that_day in (divmod(that, len(every)) for that in again.setdefault(text, [first])):
                        if that_day != today and (m, n) not in found:
                            found[m, n] = Collision(formats[m], date_format, every[that_day], day)
                    again[text].append(this)
    return tuple(found.values())


def check_formats(where: str, formats: Any) -> None:
    """Refuse anything but a list or tuple of one DateFormat or more."""
    hint = "date_formats() has them."
    if not isinstance(formats, tuple | list) or not formats:
        got = "empty" if isinstance(formats, tuple | list) else repr(formats)
        validate.fail(where, f"formats is {got}", "a list of one DateFormat or more", hint=hint)
    for n, one in enumerate(formats):
        if not isinstance(one, DateFormat):
            validate.fail(where, f"formats[{n}] is {one!r}", "a DateFormat", hint=hint)


def _numbers_after_short_year(date_format: DateFormat) -> int | None:
    """Count the numbers behind a two-digit year; None if the year has four digits."""
    names, numbers = locales()[date_format.locale].names, 0
    for letters, _ in reversed(_pieces(date_format.pattern)):
        if letters == "yy":
            return numbers
        numbers += letters in _DIGITS or (letters != "" and names[letters][0][0].isdigit())
    return None


@cache
def date_formats() -> tuple[DateFormat, ...]:
    """Return all formats that can be told apart: CLDR's of every locale, and those written by hand for English.

    "11/10/2000" is 10 November in the United States and 11 October in Britain, France, Italy and Brazil: no model can
    tell without the locale. So formats go until no two collide (`collisions`), each time the one that collides with the
    most others, the first of them where several do. That leaves out three, all American: short (M/d/yy, which collides
    with Spain's and Italy's), yMd (M/d/y, with five), yMEd (E, M/d/y, with Britain's: "Fri, 11/10/2000").
    tests/data/test_dates.py repeats the computation.

    "Wednesday, 9/4/96" stays, since of these formats only the American one writes an English weekday in full before
    numbers. That is so in this data, not among people.

    Formats that write the same text for the same day (fr_FR short, en_GB short) do no harm: both stay.
    """
    every = [
        *((locale, name, pattern) for locale, found in locales().items() for name, pattern in found.patterns.items()),
        *BY_HAND,
    ]
    return tuple(DateFormat(*entry) for entry in every if entry[:2] not in LEFT_OUT)
