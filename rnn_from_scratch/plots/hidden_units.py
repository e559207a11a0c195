"""A text whose characters are shaded by what a hidden unit is at them: what units do as the network reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import DtypeError, as_array, fail
from ..validate import number as valid_number
from ..validate import size as valid_size
from . import checks
from .style import BLACK, drawn, has_letter, new_figure, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, HIGH = 0.115, 0.235  # inches: room for one letter
MOST_ROWS, MOST_COLUMNS = 24, 72  # what stays legible
RETURN = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"


@drawn
def hidden_units(
    text: str, values: Any, labels: Sequence[str] | None = None, *, low: float = -1.0, high: float = 1.0,
    columns: int = 64, title: str = "", unit: str = "h",
) -> Figure:
    """Draw a text once for each unit, every character shaded by the unit's value after reading it.

    White is `low` and dark blue `high`, so that the shade rises with the value in grey too. What a unit seems to follow
    is there; whether the network uses it, no picture of it says.

    Parameters
    ----------
    text : str of n characters
        It is cut into lines of `columns`; a line's end is drawn as ↵.
    values : (n,) or (U, n)
        h_t of one unit, or of several.
    labels : U strings, optional
        What stands before each unit's lines; by default "unit 0", "unit 1", …
    low, high : float
        The ends of the scale; −1 and 1 are those of tanh. What is beyond is drawn as the end.
    columns : int
        At most 72. All units together have at most 24 lines.
    title, unit : str
        Above the picture, and beside its scale.

    Raises
    ------
    ArgumentError
        If text is no str, is too long or has a letter that the font lacks, or values or labels do not fit.

    Source: Karpathy, Johnson & Fei-Fei (2016), fig. 2; article §4.5; notebook 17; tests/plots/test_looking.py.
    """
    where = "hidden_units"
    if not isinstance(text, str):
        fail(where, f"text is a {type(text).__name__}", "a str", "its characters are drawn", error=DtypeError)
    given = as_array(where, "values", values)
    rows = checks.numbers(where, "values", given[None] if given.ndim == 1 else given, ("U", len(text)),
                          because=f"text has {len(text)} characters")
    U = len(rows)
    named = checks.names(where, "labels", [f"unit {k}" for k in range(U)] if labels is None else labels, U,
                         "each unit has one")
    low = valid_number(where, "low", low)
    high = valid_number(where, "high", high, above=low)
    C = min(valid_size(where, "columns", columns), len(text))
    lines = -(-len(text) // C)
    if C > MOST_COLUMNS or U * (lines + 1) - 1 > MOST_ROWS:
        fail(where, f"{len(text)} characters for {U} units in lines of {C}",
             f"at most {MOST_ROWS} lines of {MOST_COLUMNS} in all", "every character is written out", "Draw a part.")
    for place, letter in enumerate(text):
        if letter != "\n" and not has_letter(letter):
            fail(where, f"text[{place}] is {letter!r}", "letters of DejaVu Sans", "the figure's font is that one")
    shades = np.full((U * (lines + 1) - 1, C), np.nan)  # an empty line between two units
    room = max(text_width(name, 9) for name in named)
    width = max(C * WIDE + room + 1.4, text_width(title, 11) + 0.3, 4.0)
    figure = new_figure(width, max(len(shades) * HIGH + 0.6, 1.8))
    axes = figure.add_subplot()
    for k, row in enumerate(rows):
        for place, letter in enumerate(text):
            line, column = k * (lines + 1) + place // C, place % C
            shades[line, column] = row[place]
            if letter != " ":
                dark = row[place] > low + 0.6 * (high - low)
                axes.text(column, line, RETURN if letter == "\n" else letter, ha="center", va="center_baseline",
                          fontsize=9, family="DejaVu Sans Mono", color="white" if dark else BLACK)
    image = axes.imshow(np.ma.masked_invalid(shades), cmap="Blues", vmin=low, vmax=high, aspect="auto")
    axes.set(title=title, xticks=[])
    axes.set_yticks([k * (lines + 1) for k in range(U)], named)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    figure.colorbar(image, ax=axes, label=unit, shrink=0.9, aspect=16, pad=0.02, ticks=[low, (low + high) / 2, high])
    return figure
