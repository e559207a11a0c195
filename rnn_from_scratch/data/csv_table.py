"""Text with one row a line as numbers, names and times; what is wrong is told with its line and column.

Source: RFC 4180 by way of Python's csv module; tests/data/test_loading.py.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array

MISSING = ("", "nan", "na", "n/a", "#n/a", "null", "none", "-")  # in small letters, without blanks around
DELIMITERS = ("\t", ";", ",")
CALLED = {"\t": "tab", ";": "semicolon", ",": "comma", " ": "blank"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})*,\d+|[+-]?\d+,\d+", re.ASCII)
THOUSANDS = re.compile(r"[+-]?\d{1,3}([,' ]\d{3})+(\.\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
TIMES = ("date", "time", "datetime", "timestamp", "日期", "时间")  # a first column of one of these names holds labels


class Row(NamedTuple):
    """The cells of one record, and the line that it begins on."""

    line: int
    cells: list[str]


class Table(NamedTuple):
    """What a file says, before it is a Series."""

    values: Array  # (T, D), NaN where a cell is missing
    names: tuple[str, ...]
    times: tuple[str, ...] | None
    notes: tuple[str, ...]


def read_table(where: str, text: str, delimiter: Any, header: Any, times: Any) -> Table:
    """Read a table: `load_series` says what the choices mean."""
    if header is not None and not isinstance(header, bool):
        validate.fail(where, f"header is {header!r:.60}", "True, False or None (told from the first row)")
    comments, text = _without_comments(text)
    notes = [f"{len(comments)} first line(s) that begin with # left out: {comments[0]!r:.60}"] if comments else []
    if not text.strip():
        validate.fail(where, "the file holds no row", "one row of numbers at least", "there is nothing to read")
    if delimiter is None:
        delimiter = _sniffed(text)
        notes.append(f"delimiter: {CALLED[delimiter]}" if delimiter else "no delimiter: one column")
    elif not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in "\"\n\r":
        validate.fail(where, f"delimiter is {delimiter!r:.60}", "one character, such as ',' ';' or a tab")
    rows, blank = _rows(where, text, delimiter or ",", len(comments))
    if blank:
        notes.append(f"{len(blank)} blank line(s) left out, the first in line {blank[0]}")
    width = len(rows[0].cells)
    for row in rows:
        if len(row.cells) != width:
            validate.fail(
                where, f"line {row.line} has {_count(len(row.cells))}", f"{width}, as line {rows[0].line} has",
                "every row has one cell for each column",
                "A text with the delimiter in it is put in quotes; a missing value leaves its cell empty.",
            )
    names: list[str] | None = None
    if header is None:
        header = _looks_like_header(where, rows)
        notes.append(f"header: {'line ' + str(rows[0].line) if header else 'none'}")
    if header:
        names = [cell or f"column {d}" for d, cell in enumerate(rows[0].cells, 1)]
        rows = rows[1:]
        if not rows:
            validate.fail(where, f"the file holds a header alone, {names!r:.60}", "one row of numbers at least",
                          "there is nothing to learn from", "Say header=False if these are the numbers.")
        twice = [name for d, name in enumerate(names) if name in names[:d]]
        if twice:
            validate.fail(where, f"two columns are named {twice[0]!r}", "different names",
                          "a column is found by its name")
    shown = names or [f"column {d}" for d in range(1, width + 1)]
    column = _time_column(where, rows, shown, times, names is not None, notes)
    labels = None if column is None else tuple(row.cells[column] for row in rows)
    kept = [d for d in range(width) if d != column]
    if not kept:
        validate.fail(where, "the file holds times alone", "a column of numbers", "",
                      "Say times=False if the one column holds the numbers.")
    values = np.array([[_number(where, row, d, shown[d]) for d in kept] for row in rows])
    missing = int(np.isnan(values).sum())
    if missing:
        notes.append(f"{missing} of {values.size} cells are missing")
    return Table(values, tuple(shown[d] for d in kept), labels, tuple(notes))


def _count(cells: int) -> str:
    return f"{cells} cell{'s' * (cells != 1)}"


def _without_comments(text: str) -> tuple[list[str], str]:
    """Take off the lines before the table that begin with #, as NumPy's savetxt and many sources write them."""
    lines = []
    while text.startswith("#"):
        line, _, text = text.partition("\n")
        lines.append(line)
    return lines, text


def _sniffed(text: str) -> str:
    """Return the delimiter that cuts the most of the first rows into as many cells as the first; "" where none does.

    At a tie a tab wins, then the semicolon: a comma may stand inside a number, they do not.
    """
    best, most = "", 0
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        widths = []
        try:
            for cells in reader:
                if cells:
                    widths.append(len(cells))
                if len(widths) == 50:
                    break
        except csv.Error:  # told when the rows are read
            pass
        fitting = widths.count(widths[0]) if widths and widths[0] > 1 else 0
        if fitting > most:
            best, most = delimiter, fitting
    return best


def _rows(where: str, text: str, delimiter: str, before: int) -> tuple[list[Row], list[int]]:
    """Return the records with cells stripped of blanks, and the lines that are blank between them."""
    if delimiter == " ":  # columns are lined up with as many as it takes
        text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    reader = csv.reader(io.StringIO(text.rstrip("\n"), newline=""), delimiter=delimiter, strict=True)
    rows, blank = [], []
    line = before + 1
    try:
        for cells in reader:
            if cells:
                rows.append(Row(line, [cell.strip() for cell in cells]))
            else:
                blank.append(line)
            line = before + reader.line_num + 1
    except csv.Error as fault:
        hint = "Is a quotation mark left open?" if "end of data" in str(fault) or "expected after" in str(fault) else ""
        validate.fail(where, f"line {line} is no row of a table ({fault})", "cells, in quotes or not", "", hint)
    if rows and len(rows[0].cells) == 1 and blank:  # in a single column a blank line is an empty cell
        rows, blank = sorted([*rows, *(Row(line, [""]) for line in blank)]), []
    return rows, blank


def _missing(cell: str) -> bool:
    return cell.casefold() in MISSING


def _is_number(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is not None


def _is_meant_as_number(cell: str) -> bool:
    """Tell a number, also one that is refused for how it is written, from a name or a time."""
    return any(pattern.fullmatch(cell) for pattern in (NUMBER, DECIMAL_COMMA, THOUSANDS, INFINITE))


def _looks_like_header(where: str, rows: list[Row]) -> bool:
    """Tell whether the first row holds names; refuse to guess where it holds numbers as well."""
    first = rows[0].cells
    beside = [cell for cell in first[1:] if not _missing(cell)]
    words = [cell for cell in beside if not _is_meant_as_number(cell)]
    if words and len(words) < len(beside):
        number = next(cell for cell in beside if _is_meant_as_number(cell))
        validate.fail(
            where, f"line {rows[0].line} holds {words[0]!r:.40} and the number {number!r:.40}", "names, or numbers",
            "it may be a header with a number for a name, or numbers with an error",
            "Say header=True or header=False.",
        )
    if words:
        return True
    if _missing(first[0]) or _is_meant_as_number(first[0]):
        return False
    if len(rows) == 1:  # "price" alone is a name, "2020-01-01,3.5" a row
        return not beside
    below = rows[1].cells[0]
    if _is_meant_as_number(below) or _missing(below):
        return True
    named = not any(letter.isdigit() for letter in first[0]) and any(letter.isdigit() for letter in below)
    return named or first[0].casefold() in TIMES


def _time_column(
    where: str, rows: list[Row], names: list[str], times: Any, named: bool, notes: list[str]
) -> int | None:
    """Return which column holds times: as said, or told from the first column."""
    if isinstance(times, bool):
        return 0 if times else None
    if times is not None:
        if isinstance(times, str) and named:
            validate.option(where, "times", times, names)
            return names.index(times)
        if not isinstance(times, int | np.integer) or not 0 <= times < len(names):
            expected = "True, False, None, a column's name" + f" or number 0 … {len(names) - 1}"
            hint = "" if named or not isinstance(times, str) else "Without a header there are no names."
            validate.fail(where, f"times is {times!r:.60}", expected, "", hint)
        return int(times)
    given = [row.cells[0] for row in rows if not _missing(row.cells[0])]
    texts = sum(not _is_meant_as_number(cell) for cell in given)
    called = named and names[0].casefold() in TIMES
    if len(names) > 1 and (called or 2 * texts > len(given)):
        notes.append(f"times: {names[0]!r}, the first column, {'by its name' if called else 'which holds no numbers'}")
        return 0
    return None


def _number(where: str, row: Row, d: int, name: str) -> float:
    cell = row.cells[d]
    if _missing(cell):
        return np.nan
    value = float(cell) if _is_number(cell) else None
    if value is not None and abs(value) < np.inf:
        return value
    at = f"line {row.line}, column {d + 1} ({name!r:.40}) holds {cell!r:.40}"
    if value is not None or INFINITE.fullmatch(cell):
        validate.fail(where, at, "a finite number", "one infinity spreads to every parameter in a single update",
                      "A missing value is an empty cell or NaN.")
    hint = ""
    if DECIMAL_COMMA.fullmatch(cell):
        hint = "A decimal comma? Write the numbers with a point first; nothing here guesses which it is."
    elif THOUSANDS.fullmatch(cell):
        hint = "Write it without a mark between the thousands."
    elif len(cell.split()) > 1 and all(map(_is_number, cell.split())):
        hint = "Are its columns parted by blanks? Say delimiter=' ' (one blank or more)."
    validate.fail(where, at, "a number", "the columns hold quantities", hint or
                  f"Missing values are one of {', '.join(map(repr, MISSING))}; times=… names a column of labels.")
