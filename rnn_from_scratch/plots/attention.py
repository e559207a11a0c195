"""Attention: where a decoder looked for each symbol it wrote, and the mean that it read there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import fail
from . import checks
from .style import BLACK, BLUE, GREY, PALE_BLUE, PALE_GREY, VERMILION, drawn, has_letter, new_figure, number, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL = 0.27  # inches: room for one letter
MOST_ROWS, MOST_COLUMNS = 24, 34  # what stays legible
SPACE = "\N{OPEN BOX}"


@drawn
def attention_map(weights: Any, source: Sequence[str], target: Sequence[str], *, title: str = "") -> Figure:
    """Draw attention weights as cells: a row for each symbol that was written, a column for each that was read.

    White is 0 and dark blue is 1, in every such map. A dot marks the largest weight of each row.

    Parameters
    ----------
    weights : (T, S)
        Each row sums to 1, or is all 0 (padding).
    source, target : S and T symbols
        A str, read character by character, or a list of labels. A space is drawn as an open box.
    title : str
        Written above the picture.

    Raises
    ------
    ArgumentError
        If shapes do not fit, a row is no share of 1, the map is too large to read, or the font lacks a letter.

    Source: Bahdanau et al. (2015), fig. 3; notebook 13.
    """
    where = "attention_map"
    values = checks.numbers(where, "weights", weights, ("T", "S"))
    T, S = values.shape
    sums = values.sum(axis=1)
    if values.min() < 0 or not ((np.abs(sums - 1) < 1e-3) | (sums == 0)).all():
        row = int(np.argmax((values < 0).any(axis=1) | ((np.abs(sums - 1) >= 1e-3) & (sums != 0))))
        fail(where, f"row {row} of weights sums to {sums[row]:.4g}", "shares of 1, none negative",
             "a softmax makes such rows", "Rows are targets, columns are sources: try the transpose.")
    if T > MOST_ROWS or S > MOST_COLUMNS:
        fail(where, f"weights has shape {values.shape}", f"at most {MOST_ROWS} rows and {MOST_COLUMNS} columns",
             "every symbol is written out", "heat_map draws larger ones.")
    columns = checks.names(where, "source", source, S, "each column has one")
    rows = checks.names(where, "target", target, T, "each row has one")
    for name, labels in (("source", columns), ("target", rows)):
        for index, label in enumerate(labels):
            if not all(map(has_letter, label)):
                fail(where, f"{name}[{index}] is {label!r}", "letters of DejaVu Sans", "the figure's font is that one",
                     "Give a list of labels, such as [*'1998', 'year', …].")
    columns, rows = ([label.replace(" ", SPACE) for label in labels] for labels in (columns, rows))
    widest = max(text_width(label, 10) for label in columns)
    upright = widest > CELL  # whole words stand on their side
    room = max(text_width(label, 10) for label in rows)
    figure = new_figure(
        max(S * CELL + room + 1.5, text_width(title, 11) + 0.3), T * CELL + 1.0 + (widest if upright else 0.0)
    )
    axes = figure.add_subplot(aspect="equal")
    image = axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.0)
    axes.set(title=title, ylabel="written", xlabel="read")
    axes.set_xticks(range(S), columns, fontsize=10, rotation=90 if upright else 0)
    axes.set_yticks(range(T), rows, fontsize=10)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.hlines(np.arange(T + 1) - 0.5, -0.5, S - 0.5, color=PALE_GREY, linewidth=0.5)
    axes.vlines(np.arange(S + 1) - 0.5, -0.5, T - 0.5, color=PALE_GREY, linewidth=0.5)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    for line in np.flatnonzero(sums):
        best = int(values[line].argmax())
        axes.plot([best], [line], "o", markersize=3.5, color="white" if values[line, best] > 0.5 else BLACK)
    figure.colorbar(image, ax=axes, label="weight", shrink=0.9, aspect=16, ticks=[0.0, 0.5, 1.0])
    return figure


@drawn
def weighted_mean(points: Any, weights: Any, labels: Sequence[str], *, title: str = "", mean: str = "c") -> Figure:
    """Draw points of the plane, as large as their weights, and their weighted mean among them.

    Parameters
    ----------
    points : (S, 2)
        The memory; at most 6.
    weights : (S,)
        At least 0, with sum 1.
    labels : S strings
        What stands beside each point, before its weight.
    title : str
        Written above the picture.
    mean : str
        What the mean is called.

    Raises
    ------
    ArgumentError
        If shapes do not fit, or the weights are no shares of 1.

    Source: E-ATT; notebook 13.
    """
    where = "weighted_mean"
    places = checks.numbers(where, "points", points, ("S", 2))
    S = len(places)
    shares = checks.numbers(where, "weights", weights, (S,), because=f"there are {S} points")
    if S > 6:
        fail(where, f"points has {S} entries", "at most 6", "more hide each other")
    if shares.min() < 0 or abs(shares.sum() - 1) > 1e-6:
        fail(where, f"weights sum to {shares.sum():.4g}", "shares of 1, none negative", "a softmax makes such weights")
    named = checks.names(where, "labels", labels, S, "each point has one")
    centre = shares @ places
    figure = new_figure(7.0, 4.2)
    axes = figure.add_subplot(aspect="equal")
    for place in places:
        axes.plot(*np.stack([place, centre]).T, color=GREY, linewidth=1.0, linestyle=(0, (5, 3)), zorder=1)
    x, y = places.T
    axes.scatter(x, y, s=1500 * shares + 1e-9, color=PALE_BLUE, edgecolor=BLUE, linewidth=1.5, zorder=2)
    axes.scatter(x, y, s=12, color=BLUE, zorder=3)
    axes.scatter(centre[:1], centre[1:], marker="D", s=70, color=VERMILION, zorder=4)
    written: dict[str, Any] = {"textcoords": "offset points", "fontsize": 10, "zorder": 5}
    for place, label, share in zip(places, named, shares, strict=True):
        side = 1 if place[0] >= centre[0] else -1  # outwards
        gap = side * (6 + float(np.sqrt(1500 * share / np.pi)))
        axes.annotate(f"{label}, weight {number(float(share))}", (place[0], place[1]), xytext=(gap, 0), va="center",
                      ha="left" if side > 0 else "right", **written)
    text = f"{mean} = ({', '.join(number(float(v)) for v in centre)})"
    nearest = places[np.argmin(((places - centre) ** 2).sum(axis=1))]
    side, above = (-1 if towards > 0 else 1 for towards in nearest - centre)  # away from the nearest point
    axes.annotate(text, (centre[0], centre[1]), xytext=(8 * side, 8 * above), ha="left" if side > 0 else "right",
                  va="bottom" if above > 0 else "top", fontweight="bold", **written)
    low, high = places.min(axis=0), places.max(axis=0)
    room = 0.62 * float((high - low).max() or 1.0)  # for the words on both sides
    axes.set(xlim=(low[0] - room, high[0] + room), ylim=(low[1] - room / 3, high[1] + room / 3), title=title)
    axes.set(xlabel="first number", ylabel="second number")
    return figure
