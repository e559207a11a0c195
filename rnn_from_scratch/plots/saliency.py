"""Inputs by how much an output depends on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import DtypeError, fail
from . import checks
from .style import BLACK, BLUE, VERMILION, drawn, has_letter, new_figure, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_INPUTS, MOST_ROWS = 48, 4
SPACE = "\N{OPEN BOX}"


@drawn
def saliency(inputs: Sequence[str], rows: Mapping[str, Any], *, title: str = "", ylabel: str = "") -> Figure:
    """Draw a bar for each input, once for each way of asking: gradient, gradient times input, input taken away.

    Bars upwards are plain and blue, bars downwards hatched and vermilion. Each row has its own scale: the rows differ
    in what they measure, and are compared by their shape.

    Parameters
    ----------
    inputs : T symbols
        A str, read character by character, or a list of labels; a space is drawn as an open box.
    rows : {label: (T,)}
        Up to 4 ways.
    title, ylabel : str
        The words around the picture.

    Raises
    ------
    ArgumentError
        If lengths differ, there are more inputs than 48 or rows than 4, or the font lacks a letter.

    Source: article §4.5; notebook 17; tests/plots/test_looking.py.
    """
    where = "saliency"
    if not isinstance(rows, Mapping):
        fail(where, f"rows is a {type(rows).__name__}", "a dictionary of label: numbers", "every row has a name",
             f'Try {{"gradient": {rows!r:.20}}}.', DtypeError)
    if not 1 <= len(rows) <= MOST_ROWS:
        fail(where, f"rows has {len(rows)} entries", f"1 to {MOST_ROWS}", "more are too small to read")
    T = len(inputs)
    if not 1 <= T <= MOST_INPUTS:
        fail(where, f"there are {T} inputs", f"1 to {MOST_INPUTS}", "every one is written out", "Draw a part.")
    named = checks.names(where, "inputs", inputs, T, "each input has one")
    for index, label in enumerate(named):
        if not all(map(has_letter, label)):
            fail(where, f"inputs[{index}] is {label!r}", "letters of DejaVu Sans", "the figure's font is that one")
    named = [label.replace(" ", SPACE) for label in named]
    data = {str(label): checks.numbers(where, f"rows[{label!r}]", each, (T,), because=f"there are {T} inputs")
            for label, each in rows.items()}
    wide = max(0.2, *(text_width(label, 10) + 0.08 for label in named))
    figure = new_figure(min(max(T * wide + 1.2, text_width(title, 11) + 0.3, 4.5), 10.4), 1.35 * len(data) + 0.7)
    first = None
    for index, (label, each) in enumerate(data.items()):
        axes = first = figure.add_subplot(len(data), 1, index + 1, sharex=first)
        place = np.arange(T)
        up = each >= 0
        axes.bar(place[up], each[up], color=BLUE, width=0.75, zorder=2)
        axes.bar(place[~up], each[~up], color="white", edgecolor=VERMILION, hatch="////", width=0.75, zorder=2)
        axes.axhline(0.0, color=BLACK, linewidth=0.8)
        axes.set_title(label, fontsize=10)
        axes.set_xticks(place, named, fontsize=10, rotation=90 if wide > 0.45 else 0)
        axes.tick_params(axis="x", length=0, labelbottom=index == len(data) - 1)
        axes.grid(visible=False, axis="x")
        axes.locator_params(axis="y", nbins=3)
        axes.set_xlim(-0.6, T - 0.4)
    if ylabel:
        figure.supylabel(ylabel, fontsize=10)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure
