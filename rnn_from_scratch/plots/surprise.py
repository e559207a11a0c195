"""A text whose characters are shaded by what each cost a model: where a language model was surprised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import DtypeError, fail
from ..validate import number as valid_number
from . import checks
from .style import BLACK, drawn, has_letter, new_figure, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, HIGH = 0.105, 0.235  # inches: room for one letter
MOST_ROWS, MOST_COLUMNS = 24, 80  # what stays legible
RETURN = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"


@drawn
def surprise(text: str, bits: Any, *, most: float = 8.0, title: str = "", unit: str = "bits") -> Figure:
    """Draw a text in its own lines, each character shaded by its bits: white cost nothing, dark blue much.

    Parameters
    ----------
    text : str of n characters
        At most 24 lines of 80. A line's end is drawn as ↵, since it is predicted like any other character; a blank is
        an empty cell.
    bits : (n,)
        −log2 p of each character, at least 0; NaN where there is none (a text's first character): an empty cell.
    most : float
        What the darkest shade stands for; more is as dark.
    title : str
        Written above the picture.
    unit : str
        What the shade means, beside its scale.

    Raises
    ------
    ArgumentError
        If text is no str, has too many or too long lines or a letter that the font lacks, or bits do not fit.

    Source: notebook 18; tests/plots/test_surprise.py.
    """
    where = "surprise"
    if not isinstance(text, str):
        fail(where, f"text is a {type(text).__name__}", "a str", "its characters are drawn", error=DtypeError)
    costs = checks.numbers(where, "bits", bits, (len(text),), because=f"text has {len(text)} characters", nan_ok=True)
    most = valid_number(where, "most", most, above=0.0)
    if (costs < 0).any():
        fail(where, f"bits holds {np.nanmin(costs):.4g}", "numbers of at least 0", "no probability is above 1")
    lines = text.splitlines(keepends=True)
    R, C = len(lines), max(map(len, lines))
    if R > MOST_ROWS or C > MOST_COLUMNS:
        fail(where, f"text has {R} lines of up to {C} characters", f"at most {MOST_ROWS} lines of {MOST_COLUMNS}",
             "every character is written out", "Draw a part of it.")
    for place, letter in enumerate(text):
        if letter != "\n" and not has_letter(letter):
            fail(where, f"text[{place}] is {letter!r}", "letters of DejaVu Sans", "the figure's font is that one")
    shades = np.full((R, C), np.nan)
    letters = {}
    place = 0
    for row, line in enumerate(lines):
        shades[row, : len(line)] = costs[place : place + len(line)]
        letters.update({(row, column): letter.replace("\n", RETURN) for column, letter in enumerate(line)})
        place += len(line)
    figure = new_figure(max(C * WIDE + 1.4, text_width(title, 11) + 0.3, 4.0), max(R * HIGH + 0.6, 1.8))
    axes = figure.add_subplot()
    image = axes.imshow(np.ma.masked_invalid(shades), cmap="Blues", vmin=0.0, vmax=most, aspect="auto")
    for (row, column), letter in letters.items():
        if letter != " ":
            dark = np.nan_to_num(shades[row, column]) > 0.6 * most
            axes.text(column, row, letter, ha="center", va="center_baseline", fontsize=9, family="DejaVu Sans Mono",
                      color="white" if dark else BLACK)
    axes.set(title=title, xticks=[], yticks=[])
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    figure.colorbar(image, ax=axes, label=unit, shrink=0.9, aspect=16, pad=0.02,
                    extend="max" if np.nanmax(costs, initial=0.0) > most else "neither")
    return figure
