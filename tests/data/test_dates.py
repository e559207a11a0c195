"""Dates: as Babel writes them, each text of one day alone, and nothing tested that was trained on."""

import json
import re
import unicodedata
from collections import Counter
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.data import (
    DateFormat,
    collisions,
    date_data,
    date_formats,
    date_vocabularies,
    dates,
    held_out_formats,
    render_date,
    split_dates,
)
from rnn_from_scratch.data.date_patterns import BY_HAND, LEFT_OUT, WINDOW, locales
from rnn_from_scratch.validate import ArgumentError

BABEL = json.loads(Path(__file__).with_name("dates_babel.json").read_text(encoding="utf-8"))
DAYS = [date.fromisoformat(text) for text in BABEL["dates"]]
ALL_DAYS = [date(1970, 1, 1) + timedelta(n) for n in range((date(2070, 1, 1) - date(1970, 1, 1)).days)]
LEAP_YEAR = [day for day in ALL_DAYS if day.year == 2000]
FROM_CLDR = [DateFormat(locale, name, pattern) for locale, found in locales().items()
             for name, pattern in found.patterns.items()]
CANDIDATES = [*FROM_CLDR, *(DateFormat(*entry) for entry in BY_HAND)]
KEPT_IN_TRAINING = [one for one in date_formats() if one not in held_out_formats()]


def fields(date_format):
    """The pattern's letters in order, read with another reader than the package's; E is EEE."""
    letters = re.findall(r"do|y+|M+|L+|d+|E+|c+", re.sub(r"'[^']*'", "", date_format.pattern))
    return ["EEE" if field == "E" else field for field in letters]


@cache
def in_a_leap_year(date_format):
    """The texts of its 366 days in turn; several tests ask for those of every format."""
    return [render_date(day, date_format) for day in LEAP_YEAR]


def formats_of(*wanted):
    found = {(one.locale, one.name): one for one in CANDIDATES}
    return [found[key] for key in wanted]


# Rendering


@pytest.mark.parametrize("locale", locales())
def test_every_pattern_of_cldr_is_written_as_babel_writes_it(locale):
    ours = {one.name: [render_date(day, one) for day in DAYS] for one in FROM_CLDR if one.locale == locale}
    assert ours == BABEL["texts"][locale]


def test_babels_values_see_every_month_every_weekday_and_both_ends_of_the_window():
    assert {day.month for day in DAYS} == set(range(1, 13))
    assert {day.weekday() for day in DAYS} == set(range(7))
    assert {WINDOW[0], WINDOW[1]} <= {day.year for day in DAYS}
    assert min(day.day for day in DAYS) < 10 <= max(day.day for day in DAYS)
    texts = [text for found in BABEL["texts"].values() for written in found.values() for text in written]
    assert len(texts) == 12 * len(FROM_CLDR) > 1000


BY_HAND_ON_17_MARCH_1998 = {
    ("en_US", "ordinal"): "March 17th, 1998",
    ("en_US", "weekday and ordinal"): "Tuesday, March 17th, 1998",
    ("en_US", "weekday and slashes"): "Tuesday, 3/17/98",
    ("en_US", "no comma"): "Mar 17 1998",
    ("en_GB", "ordinal"): "17th March 1998",
    ("en_GB", "the ordinal of"): "the 17th of March 1998",
    ("en_GB", "two-digit year"): "17 Mar 98",
    ("en_GB", "apostrophe"): "17 Mar '98",
    ("en_GB", "hyphens"): "17-Mar-1998",
}


def test_the_formats_by_hand():
    made = {entry[:2]: render_date(date(1998, 3, 17), DateFormat(*entry)) for entry in BY_HAND}
    assert made == BY_HAND_ON_17_MARCH_1998
    ordinal = DateFormat("en_GB", "of the month", "do/M/y")
    endings = [render_date(date(2001, 1, day), ordinal).split("/")[0] for day in range(1, 32)]
    assert " ".join(endings) == (
        "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th 15th 16th 17th 18th 19th 20th 21st 22nd 23rd "
        "24th 25th 26th 27th 28th 29th 30th 31st"
    )


@pytest.mark.parametrize(
    ("locale", "pattern", "text"),
    [
        ("pl_PL", "d LLLL y", "17 marzec 1998"),  # standing alone, where MMMM is the genitive
        ("pl_PL", "d MMMM y", "17 marca 1998"),
        ("de_DE", "d LLL y", "17 Mär 1998"),
        ("fi_FI", "d.M.y EEEE", "17.3.1998 tiistaina"),
        ("fi_FI", "d.M.y cccc", "17.3.1998 tiistai"),
        ("de_DE", "ccc d.M.y", "Di 17.3.1998"),
        ("fr_FR", "'l''an' y, 'le' d MMM", "l'an 1998, le 17 mars"),
        ("en_GB", "yy''''MM''dd", "98''03'17"),
        ("ja_JP", "y年MMMd日", "1998年3月17日"),
        ("en_GB", "dMMMy", "17Mar1998"),
    ],
)
def test_letters_and_quotes(locale, pattern, text):
    assert render_date(date(1998, 3, 17), DateFormat(locale, "my own", pattern)) == text


def test_two_digits_mean_1970_to_2069():
    short = DateFormat("de_DE", "short", "dd.MM.yy")
    assert [render_date(date(year, 5, 4), short) for year in (1970, 1999, 2000, 2069)] == [
        "04.05.70", "04.05.99", "04.05.00", "04.05.69"]
    for year in (1969, 2070):
        with pytest.raises(ArgumentError, match=f"render_date: the year is {year}, expected 1970 … 2069 because"):
            render_date(date(year, 5, 4), short)
    assert render_date(date(1789, 7, 14), DateFormat("fr_FR", "long", "d MMMM y")) == "14 juillet 1789"


# What was frozen


def test_the_frozen_data_cannot_be_spoiled():
    with pytest.raises(TypeError):
        locales()["en_US"] = None
    with pytest.raises(TypeError):
        locales()["en_US"].names["MMM"] = ()
    with pytest.raises(TypeError):
        locales()["en_US"].patterns["full"] = ""
    for locale in locales().values():
        for letters, names in locale.names.items():
            assert isinstance(names, tuple)
            assert len(set(names)) == len(names) == (12 if letters[0] in "ML" else 7)
    assert date_formats() is date_formats()
    assert isinstance(date_formats(), tuple)


def test_the_data_are_small_composed_and_in_western_digits():
    text = files("rnn_from_scratch.data").joinpath("bundled", "dates.json").read_text(encoding="utf-8")
    assert len(text.encode()) < 60_000
    assert unicodedata.is_normalized("NFC", text)
    assert {character for character in text if character.isdecimal()} <= set("0123456789")


def test_the_notice_says_where_the_data_are_from():
    bundled = files("rnn_from_scratch.data").joinpath("bundled")
    notice = bundled.joinpath("NOTICE").read_text(encoding="utf-8")
    frozen = json.loads(bundled.joinpath("dates.json").read_text(encoding="utf-8"))
    assert f"version {frozen['cldr']}," in notice
    assert f"Babel {frozen['babel']}," in notice
    assert BABEL["babel"] == frozen["babel"]
    for line in ("UNICODE LICENSE V3", "Copyright © 2004-2025 Unicode, Inc.", "Permission is hereby granted, free of",
                 "this copyright and permission notice appear with all copies", "SPDX-License-Identifier: Unicode-3.0"):
        assert line in notice


# One text, one day


def brute_force(formats, days):
    """The pairs of formats that write one text for two days, by writing every day."""
    writers = {}
    for one in formats:
        for day in days:
            writers.setdefault(render_date(day, one), []).append((one, day))
    return {frozenset((one, other)) for found in writers.values() for one, day in found for other, again in found
            if day != again}


def test_what_is_left_out_is_what_the_computation_leaves_out():
    left, found = [], collisions(CANDIDATES)
    assert len(found) == 8
    while found:
        times = Counter(one for collision in found for one in (collision.one, collision.other))
        worst = max(CANDIDATES, key=lambda one: times[one])  # the first of several
        left.append((worst.locale, worst.name))
        found = [collision for collision in found if worst not in (collision.one, collision.other)]
    assert sorted(left) == sorted(LEFT_OUT)
    assert set(date_formats()) == {one for one in CANDIDATES if (one.locale, one.name) not in left}
    assert collisions(date_formats()) == ()


def test_every_day_of_the_window_has_its_own_text_among_the_numeric_formats():
    """The same by brute force: all days where the year has two digits, four years of them where it has four."""
    numeric = {one.pattern: one for one in date_formats() if set(fields(one)) <= {"y", "yy", "M", "MM", "d", "dd"}}
    assert len(numeric) > 10
    days = {}
    for pattern, one in numeric.items():
        for day in ALL_DAYS if "y" not in fields(one) else ALL_DAYS[: 4 * 365 + 1]:
            assert days.setdefault(render_date(day, one), day) == day, (pattern, day)


def test_formats_with_names_have_their_own_text_too():
    days = {}
    for one in date_formats():
        for day in LEAP_YEAR:
            text = render_date(day, one)
            assert days.setdefault(text, day) == day, (one, text)


def test_collisions_are_those_that_brute_force_finds():
    formats = [*formats_of(("en_US", "short"), ("it_IT", "short"), ("fr_FR", "short"), ("fr_FR", "medium")),
               DateFormat("fr_FR", "year first", "yy/MM/dd")]  # a year in another place: all hundred are tried
    found = collisions(formats)
    expected = brute_force(formats, [day for day in ALL_DAYS if 2000 <= day.year < 2013])
    assert {frozenset((one.one, one.other)) for one in found} == expected
    assert len(found) == len(expected) == 3
    for one in found:
        assert one.day != one.other_day
        assert render_date(one.day, one.one) == render_date(one.other_day, one.other)


def test_a_weekday_is_no_way_out():
    """10/12 and 12/10 never fall on the same weekday, so brute force finds nothing: a model would have to calculate."""
    formats = formats_of(("en_US", "yMEd"), ("en_GB", "yMEd"))
    assert not brute_force(formats, [day for day in ALL_DAYS if day.year < 1998])
    (found,) = collisions(formats)
    texts = render_date(found.day, found.one), render_date(found.other_day, found.other)
    assert texts[0][5:] == texts[1][5:]
    assert texts[0][:3] != texts[1][:3]
    for one, other in (("es_ES", "pt_BR"), ("pt_BR", "es_ES")):  # they share two weekdays' names, and Monday's is none
        formats = [DateFormat(one, "mine", "EEEE d/M/y"), DateFormat(other, "mine", "EEEE M/d/y")]
        assert [(found.one, found.other) for found in collisions(formats)] == [tuple(formats)]
    formats = [DateFormat("es_ES", "mine", "EEEE d/M/y"), DateFormat("pl_PL", "mine", "EEEE M/d/y")]
    assert collisions(formats) == ()  # and these share none


# The data


def test_the_docstrings_examples_are_dates_of_this_data():
    sources, target = dates.__doc__.split(" → ", 1)
    examples = re.findall('"([^"]+)"', sources)
    assert len(examples) == 4
    day = date.fromisoformat(target.split('"')[1])
    assert set(examples) <= {render_date(day, one) for one in date_formats()}


PYTHONS = {"E": "%a", "EEE": "%a", "EEEE": "%A", "MMM": "%b", "MMMM": "%B", "M": "%m", "MM": "%m", "d": "%d",
           "dd": "%d", "y": "%Y"}


def test_targets_are_the_days_that_python_reads():
    """English sources are read back by datetime, which knows nothing of this package."""
    english = [one for one in date_formats() if one.locale.startswith("en_") and set(fields(one)) <= set(PYTHONS)
               and "'" not in one.pattern]
    assert len(english) >= 10
    data = date_data(rng=np.random.default_rng(0), N=2000, formats=english)
    for source, target, one in zip(*data, strict=True):
        pattern = re.sub(r"[A-Za-z]+", lambda match: PYTHONS[match[0]], one.pattern)
        read = datetime.strptime(source.replace("Sept ", "Sep ").replace("Sept-", "Sep-"), pattern)
        assert read.strftime("%Y-%m-%d") == target


def test_a_draw_has_every_format_and_both_ends_of_its_years():
    data = date_data(rng=np.random.default_rng(0), N=20_000, years=(1999, 2000))
    assert set(data.formats) == set(date_formats())
    assert (min(data.targets), max(data.targets)) == ("1999-01-01", "2000-12-31")
    assert len(set(data.targets)) == 365 + 366
    for source, target, one in zip(*data, strict=True):
        assert source == render_date(date.fromisoformat(target), one)
    counts = Counter(data.formats)
    assert max(counts.values()) < 1.6 * min(counts.values())  # all equally likely: about 200 each
    assert all(source == target for source, target, one in zip(*data, strict=True) if one.pattern == "y-MM-dd")


def test_a_seed_is_a_draw():
    draws = [date_data(rng=np.random.default_rng(seed), N=50) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    splits = [split_dates(rng=np.random.default_rng(seed), sizes=(50, 20, 20)) for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]


# What is held out


@pytest.fixture(scope="module")
def splits():
    return split_dates(rng=np.random.default_rng(0), sizes=(30_000, 3_000, 3_000), years=(2000, 2001))


def test_held_out_days_are_in_training_in_no_format(splits):
    days = [set(part.targets) for part in splits]
    train, validation, test, new = days
    assert train.isdisjoint(validation | test)
    assert validation.isdisjoint(test)
    assert new == test
    assert [len(part) for part in days] == [585, 73, 73, 73]  # 731 days: each is in one part
    assert [len(part.sources) for part in splits] == [30_000, 3_000, 3_000, 3_000]
    assert not set(splits.train.sources) & {text for part in splits[1:] for text in part.sources}


def test_days_are_held_out_all_over_the_window_not_at_its_end():
    whole = split_dates(rng=np.random.default_rng(0), sizes=(1, 1, 3_000))
    decades = Counter(target[:3] for target in whole.test.targets)
    assert len(decades) == 10
    assert min(decades.values()) > 200


def test_held_out_formats_are_in_training_on_no_day(splits):
    for part in splits[:3]:
        assert set(part.formats) == set(KEPT_IN_TRAINING)
    assert set(splits.new_formats.formats) == set(held_out_formats())
    assert not set(KEPT_IN_TRAINING) & set(held_out_formats())
    assert set(KEPT_IN_TRAINING) | set(held_out_formats()) == set(date_formats())
    assert sorted(one.locale for one in held_out_formats()) == sorted(locales())  # one of each


@pytest.mark.parametrize("held_out", held_out_formats(), ids=lambda one: f"{one.locale} {one.name}")
def test_a_held_out_format_is_a_new_combination_of_known_parts(held_out):
    same = [one for one in KEPT_IN_TRAINING if one.locale == held_out.locale]
    names = locales()[held_out.locale].names
    known = {name for one in same for letters in fields(one) for name in names.get(letters, ())}
    for letters in fields(held_out):
        if letters in names:
            assert set(names[letters]) <= known, letters
        else:
            assert letters in {letters for one in same for letters in fields(one)}

    written = {text for one in KEPT_IN_TRAINING for text in in_a_leap_year(one)}
    ours = set(in_a_leap_year(held_out))
    in_its_locale = {character for one in same for text in in_a_leap_year(one) for character in text}
    assert {character for text in ours for character in text} <= in_its_locale
    assert not ours & written

    def order(one):
        return [{"L": "M", "c": "E"}.get(letters[0], letters[0]) + "name" * (letters in ("MMM", "MMMM"))
                for letters in fields(one)]

    assert order(held_out) in [order(one) for one in KEPT_IN_TRAINING]


def test_the_vocabularies_hold_every_text_and_no_more(splits):
    sources, targets = date_vocabularies()
    assert set(targets.characters) == {character for day in ALL_DAYS for character in day.isoformat()}
    needed = {character for one in KEPT_IN_TRAINING for text in in_a_leap_year(one) for character in text}
    assert set(sources.characters) == needed
    for part in splits:
        indices, _ = sources.encode_batch(part.sources[:100])
        assert [sources.decode(indices[:, n]) for n in range(100)] == part.sources[:100]


# Refused


def of(pattern, locale="en_US", name="mine"):
    return lambda: DateFormat(locale, name, pattern)


LONG = DateFormat("en_GB", "long", "d MMMM y")
RNG = np.random.default_rng(0)
REFUSED = {
    "locale": (of("d/M/y", "en_XX"), r"DateFormat: locale is 'en_XX', expected one of 'en_US', 'en_GB'"),
    "no name": (of("d/M/y", name=""), "DateFormat: name is '', expected some text"),
    "no pattern": (of(None), "DateFormat: pattern is None, expected some text"),
    "letter": (of("d/M/y G"), "pattern is 'd/M/y G' with the field 'G', expected fields of y, .* quotes"),
    "text": (of("d de MMMM de y"), "with the field 'e', expected fields of"),
    "three y": (of("d/M/yyy"), "with the field 'yyy'"),
    "open quote": (of("d 'de MMMM y"), r"expected its quotes in pairs\. An apostrophe is written '' there"),
    "no year": (of("d MMMM"), "with 0 fields for the year, expected one because it must say which day it is"),
    "two months": (of("d M MMMM y"), "with 2 fields for the month, expected one"),
    "two weekdays": (of("E EEEE d/M/y"), "with 2 fields for the weekday, expected at most one"),
    "digits touch": (of("yMMdd"), "digits in its fields alone, and something between two of them because nobody"),
    "digits touch in Chinese": (of("d日yMMM", "zh_CN"), "something between two of them"),
    "digits as text": (of("d/M/y '3'"), "digits in its fields alone"),
    "ordinal": (of("do MMMM y", "de_DE"), "in de_DE, expected an English locale because 1st, 2nd, 3rd are English"),
    "day": (lambda: render_date("1998-03-17", LONG), "day is '1998-03-17', expected a datetime.date. Try"),
    "format": (lambda: render_date(date(1998, 3, 17), "long"), "date_format is 'long', expected a DateFormat"),
    "no formats": (lambda: collisions([]), "collisions: formats is empty, expected a list of one DateFormat or more"),
    "one format": (lambda: date_data(rng=RNG, N=1, formats=LONG), r"date_data: formats is DateFormat\("),
    "formats by name": (lambda: date_data(rng=RNG, N=1, formats=[LONG, "full"]), r"date_data: formats\[1\] is 'full'"),
    "no rng": (lambda: date_data(rng=0, N=1), "date_data: rng is 0, expected a numpy.random.Generator"),
    "no pairs": (lambda: date_data(rng=RNG, N=0), "date_data: N is 0, expected a whole number"),
    "years": (lambda: date_data(rng=RNG, N=1, years=(1969, 2000)), r"years is \(1969, 2000\), expected \(first,"),
    "years the other way": (lambda: date_data(rng=RNG, N=1, years=(2000, 1999)), "1970 ≤ first ≤ last ≤ 2069"),
    "one year": (lambda: split_dates(rng=RNG, years=2000), "split_dates: years is 2000, expected"),
    "half years": (lambda: split_dates(rng=RNG, years=(1999.5, 2000)), r"split_dates: years is \(1999.5, 2000\)"),
    "sizes": (lambda: split_dates(rng=RNG, sizes=100), "split_dates: sizes is 100, expected three numbers"),
    "a size": (lambda: split_dates(rng=RNG, sizes=(9, 0, 9)), "the size for validation is 0, expected a whole number"),
    "split rng": (lambda: split_dates(rng=None), "split_dates: rng is None"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_words(case):
    call, message = REFUSED[case]
    with pytest.raises(ArgumentError) as caught:
        call()
    assert re.search(message, str(caught.value)), str(caught.value)
