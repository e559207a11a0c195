"""What is measured of translated dates: errors, where the attention looks, dates in a row. For date_translation.py."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks import translating
from benchmarks.translating import Vocabularies, share
from rnn_from_scratch.arrays import Params
from rnn_from_scratch.data import DateData, Vocabulary, date_vocabularies
from rnn_from_scratch.models import EncoderDecoder

LENGTHS = (10, 14, 18, 24)  # where the bins of source lengths begin, after the first
GOAL = 0.98
SEPARATORS = ("; ", ";")  # between dates, in a source and in a target


def right(found: Sequence[str], targets: Sequence[str]) -> int:
    return sum(one == other for one, other in zip(found, targets, strict=True))


def reaches(points: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the first point at which both curves are at the goal."""
    for point in points:
        if min(point["validation"], point["new_formats"]) >= GOAL:
            return {"share": GOAL, "updates": point["updates"], "seconds": point["seconds"]}
    return None


def summary(by_seed: list[tuple[DateData, list[str]]]) -> dict[str, Any]:
    """Return what is counted over all seeds, and the errors of the first."""
    entries = [
        (source, target, line, f"{one.locale}: {one.pattern}")
        for data, lines in by_seed for source, target, one, line in zip(*data, lines, strict=True)
    ]
    by_length, wrong = {}, [entry for entry in entries if entry[1] != entry[2]]
    for low, high in zip((1, *LENGTHS), (*LENGTHS, 1000), strict=True):
        these = [target == line for source, target, line, _ in entries if low <= len(source) < high]
        if these:
            lengths = [len(source) for source, *_ in entries if low <= len(source) < high]
            by_length[f"{min(lengths)}–{max(lengths)}"] = share(sum(these), len(these))
    fields = Counter(field for _, target, line, _ in wrong for field in wrong_fields(target, line))
    data, lines = by_seed[0]
    errors = [(x, y, z) for x, y, z in zip(data.sources, data.targets, lines, strict=True) if y != z]
    return {
        "all seeds": share(len(entries) - len(wrong), len(entries)), "by length": by_length,
        "wrong fields": dict(fields.most_common()), "day and month exchanged": sum(map(exchanged, wrong)),
        "wrong formats": dict(Counter(one for *_, one in wrong).most_common(8)),
        "errors of the first seed": [dict(zip(("source", "wanted", "got"), one, strict=True)) for one in errors[:40]],
    }


def wrong_fields(target: str, line: str) -> list[str]:
    """Say which of year, month and day differ, or that the line has not the form of a date."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", line):
        return ["form"]
    pairs = zip(("year", "month", "day"), target.split("-"), line.split("-"), strict=True)
    return [name for name, wanted, got in pairs if wanted != got]


def exchanged(entry: Sequence[str]) -> bool:
    """Tell whether an entry's line (source, target, line, …) is its target with month and day in each other's place."""
    year, month, day = entry[1].split("-")
    return entry[2] == f"{year}-{day}-{month}" and day != month


# Attention


def digit_places(source: str, target: str) -> dict[str, dict[int, int]]:
    """Return where a target's digits stand in the source: {"year": {t: s}, "day": {t: s}}.

    For sources with a year of four digits; else {}. The day is left out where it is not the only number of its value
    (5/5/1998), and its leading zero where the source has none.
    """
    years = [match.start() for match in re.finditer(re.escape(target[:4]), source)]
    if len(years) != 1:
        return {}
    found = {"year": {t: years[0] + t for t in range(4)}}
    numbers = [m for m in re.finditer(r"\d+", source) if m.start() != years[0] and int(m[0]) == int(target[8:])]
    if len(numbers) == 1:
        digits = range(10 - len(numbers[0][0]), 10)  # the last one or two of the target
        found["day"] = {t: s for t, s in zip(digits, range(*numbers[0].span()), strict=True)}
    return found


def digits_attended(
    model: EncoderDecoder, params: Params, data: DateData, vocabularies: Vocabularies
) -> dict[str, Any]:
    """Count the target digits whose attention has its maximum on the digit itself, under teacher forcing.

    Of sources with a year of four digits: for the year's four digits and the day's. `beside` counts the neighbours of
    the digit too (an encoder's state knows of them), `weight` is the mean weight on the digit itself. `by digit` says
    how often each of them is looked at itself, and where, that many characters further on, most often.
    """
    offsets: dict[str, dict[int, Counter[int]]] = {"year": {}, "day": {}}  # by target digit: looked at − its place
    weights: dict[str, list[float]] = {"year": [], "day": []}
    whole: list[bool] = []  # of each source with such a year: whether all four digits are hit
    for chosen in translating.chunks(data.sources):
        texts = [data.sources[n] for n in chosen], [data.targets[n] for n in chosen]
        maps = translating.weights_of(model, params, *texts, vocabularies)
        for n, (source, target) in enumerate(zip(*texts, strict=True)):
            places = digit_places(source, target)
            for field, pairs in places.items():
                for t, s in pairs.items():
                    offsets[field].setdefault(t, Counter())[int(maps[t, :, n].argmax()) - s] += 1
                    weights[field].append(float(maps[t, s, n]))
            if places:
                whole.append(all(maps[t, :, n].argmax() == s for t, s in places["year"].items()))
    found: dict[str, Any] = {"whole years": share(sum(whole), len(whole))}
    for field, by_digit in offsets.items():
        every = sum(by_digit.values(), Counter[int]())
        found[field] = {
            "digits": share(every[0], every.total()),
            "beside": share(every[-1] + every[0] + every[1], every.total()),
            "weight": round(float(np.mean(weights[field])), 4),
            "by digit": [
                {"on it": round(own[0] / own.total(), 4), "most often": own.most_common(1)[0][0],
                 "there": round(own.most_common(1)[0][1] / own.total(), 4)} for _, own in sorted(by_digit.items())
            ],
        }
    return found


# Dates in a row


def rows(data: DateData, k: int) -> tuple[list[str], list[str]]:
    """Put k dates in a row: sources "…; …", targets "…;…". No date is used twice; what is left over falls away."""
    sources, targets = (
        [separator.join(texts[n : n + k]) for n in range(0, len(texts) - k + 1, k)]
        for separator, texts in zip(SEPARATORS, data[:2], strict=True)
    )
    return sources, targets


def row_vocabularies() -> Vocabularies:
    """Return the vocabularies of dates in a row: with the separator, and with the space that all sources know."""
    sources, targets = date_vocabularies()
    return (
        Vocabulary("".join(sorted({*sources.characters, *SEPARATORS[0]}))),
        Vocabulary("".join(sorted({*targets.characters, *SEPARATORS[1]}))),
    )


def judge_rows(found: Sequence[str], targets: Sequence[str], k: int) -> dict[str, Any]:
    """Return the shares of whole rows and of single dates that are right; a date must stand in its place."""
    separator = SEPARATORS[1]
    pairs = [(line.split(separator), target.split(separator)) for line, target in zip(found, targets, strict=True)]
    dates = [sum(one == other for one, other in zip(line, target, strict=False)) for line, target in pairs]
    places = [sum(len(line) > n and line[n] == target[n] for line, target in pairs) / len(pairs) for n in range(k)]
    return {
        "rows": share(right(found, targets), len(targets)), "dates": share(sum(dates), k * len(targets)),
        "right by place": [round(place, 4) for place in places],
        "dates written": round(float(np.mean([len(line) for line, _ in pairs])), 2),
    }
