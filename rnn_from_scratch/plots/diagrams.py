"""Diagrams: the course's map, truncated windows, where each clip sends a gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import ShapeError, fail, size
from ..validate import number as valid_number
from . import checks
from .style import (
    BLACK,
    BLUE,
    GREY,
    LOOKS,
    PALE_BLUE,
    PALE_GREY,
    PALE_VERMILION,
    VERMILION,
    drawing,
    drawn,
    new_figure,
    number,
    spread,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("article", "notebook", "code", "proof")


@drawn
def course_map(rows: Sequence[Sequence[str]], *, title: str = "", columns: Sequence[str] = COLUMNS) -> Figure:
    """Draw the way from each part of the article to its proof: boxes in columns, joined by lines.

    A name that stands in several rows is one box. Lines take one of eight colours and dash patterns
    by their first entry, so that its line can be followed through.

    Parameters
    ----------
    rows : list of tuples of strings
        One (article id, notebook, code, proof) for each line, at most 30.
    title : str
        Written above the picture.
    columns : strings
        The headings, as many as a row has entries.

    Raises
    ------
    ArgumentError
        If a row has another number of entries than there are columns, an empty one, or there are no rows.

    Source: notebook 00.
    """
    from matplotlib.patches import FancyBboxPatch, PathPatch
    from matplotlib.path import Path

    where = "course_map"
    if not 1 <= len(rows) <= 30:
        fail(where, f"rows has {len(rows)} entries", "1 to 30", "the boxes must stay legible")
    table = [tuple(str(entry) for entry in row) for row in rows]
    for index, row in enumerate(table):
        if len(row) != len(columns) or not all(row):
            fail(
                where, f"rows[{index}] is {row!r}", f"{len(columns)} texts: {', '.join(columns)}",
                "each part of the article leads to a proof", error=ShapeError,
            )
    tall, step, gap, pad, head = 0.27, 0.37, 0.75, 0.12, 0.42
    widths = [max([text_width(str(name), 10), *(text_width(row[i], 9) for row in table)]) + 2 * pad
              for i, name in enumerate(columns)]
    height = len(table) * step + head + 0.12 + (0.38 if title else 0.0)
    width = max(sum(widths) + gap * (len(columns) - 1) + 0.24, text_width(title, 11) + 0.24)
    figure, axes = drawing(width, height)
    axes.text(0.12, height - 0.12, title, fontsize=11, va="top")
    top = height - (0.38 if title else 0.0)
    lefts = 0.12 + np.concatenate([[0.0], np.cumsum(np.array(widths[:-1]) + gap)])
    line_y = np.array([top - head - step * (index + 0.5) for index in range(len(table))])
    places: list[dict[str, float]] = []
    for i, name in enumerate(columns):
        axes.text(lefts[i] + widths[i] / 2, top - 0.14, name, ha="center", va="top", fontsize=10, fontweight="bold")
        boxes = list(dict.fromkeys(row[i] for row in table))
        middles = np.array([np.mean(line_y[[row[i] == box for row in table]]) for box in boxes])
        places.append(dict(zip(boxes, spread(middles, step), strict=True)))
        for box, y in places[i].items():
            axes.add_patch(FancyBboxPatch(
                (lefts[i], y - tall / 2), widths[i], tall, boxstyle="round,pad=0,rounding_size=0.07", zorder=3,
                facecolor=PALE_BLUE if i in (0, len(columns) - 1) else "white", edgecolor=GREY, linewidth=1.0,
            ))
            axes.text(lefts[i] + pad, y, box, fontsize=9, va="center_baseline", zorder=4)
    starts = list(dict.fromkeys(row[0] for row in table))
    for row in dict.fromkeys(table):
        look = LOOKS[starts.index(row[0]) % len(LOOKS)]
        for i in range(len(columns) - 1):
            a, b = (lefts[i] + widths[i], places[i][row[i]]), (lefts[i + 1], places[i + 1][row[i + 1]])
            curve = Path([a, (a[0] + gap / 2, a[1]), (b[0] - gap / 2, b[1]), b], [1, 4, 4, 4])
            axes.add_patch(PathPatch(
                curve, facecolor="none", edgecolor=look.color, linestyle=look.linestyle, linewidth=1.4, zorder=2
            ))
    return figure


@drawn
def windows(windows: Any, T: int, *, title: str = "") -> Figure:
    """Draw the windows of truncated backpropagation on a line of time.

    In each row the solid blue steps are new: their loss counts, once. The hatched steps before them
    are the reach back: computed again so that the gradient can flow through them, their loss not
    counted again. Before the bar the state is a constant, and no gradient passes.

    Parameters
    ----------
    windows : list of (start, new, end)
        Window j covers steps [start, end), of which [new, end) are new; counted from 0, as in code.
        At most 16.
    T : int
        Steps in the whole sequence, at most 60.
    title : str
        Written above the picture.

    Raises
    ------
    ArgumentError
        If not 0 ≤ start ≤ new < end ≤ T.

    Source: E2.4; Williams & Peng (1990); notebook 08.
    """
    from matplotlib.patches import Patch

    where = "windows"
    T = size(where, "T", T, "it counts time steps")
    table = checks.numbers(where, "windows", [tuple(row) for row in windows], ("n", 3), because="each is a triple")
    if len(table) > 16 or T > 60:
        fail(where, f"{len(table)} windows over T = {T}", "at most 16 windows and 60 steps", "they must stay legible",
             "A short sequence shows the same pattern.")
    for index, (start, new, end) in enumerate(table):
        if not 0 <= start <= new < end <= T or any(value != round(value) for value in (start, new, end)):
            fail(where, f"windows[{index}] is ({start:g}, {new:g}, {end:g})", f"whole start ≤ new < end ≤ T = {T}",
                 "the new steps are the last ones of their window")
    figure = new_figure(8.0, 1.5 + 0.42 * len(table))
    axes = figure.add_subplot()
    for row, (start, new, end) in enumerate(table):
        for step in range(T):
            axes.barh(row, 1, 0.66, left=step + 0.5, color="white", edgecolor=PALE_GREY, linewidth=0.6, zorder=2)
        if new > start:
            axes.barh(row, new - start, 0.66, left=start + 0.5, facecolor=PALE_VERMILION, edgecolor=VERMILION,
                      hatch="////", linewidth=1.0, zorder=3)
        axes.barh(row, end - new, 0.66, left=new + 0.5, facecolor=BLUE, edgecolor=BLUE, linewidth=1.0, zorder=3)
        axes.plot([start + 0.5] * 2, [row - 0.42, row + 0.42], color=BLACK, linewidth=2.6, zorder=4,
                  solid_capstyle="butt")
    axes.set(xlim=(0.3, T + 0.7), ylim=(len(table) - 0.4, -0.6), xlabel="time step t", ylabel="window", title=title)
    axes.set_yticks(range(len(table)), [str(row + 1) for row in range(len(table))])
    axes.set_xticks(range(1, T + 1) if T <= 20 else [1, *range(5, T + 1, 5)])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(
        handles=[
            Patch(facecolor=BLUE, edgecolor=BLUE, label="new steps: their loss counts"),
            Patch(facecolor=PALE_VERMILION, edgecolor=VERMILION, hatch="////", label="reach back: computed again"),
            axes.plot([], [], color=BLACK, linewidth=2.6, label="state held constant here")[0],
        ],
        loc="outside lower center", ncols=3, handlelength=2.0, handleheight=1.1,
    )
    return figure


@drawn
def clips_on_circle(
    clips: Mapping[str, tuple[Any, Any]], threshold: float, *, title: str = "", unit: str = ""
) -> Figure:
    """Draw where each way of clipping sends gradients of two entries, one small picture for each way.

    An arrow goes from each gradient to what clipping makes of it. An arrow to the origin keeps the
    direction; any other changes it. The dashed circle has the threshold as radius.

    Parameters
    ----------
    clips : {label: (before (P, 2), after (P, 2))}
        At most 4, all drawn to the same scale.
    threshold : float
        C, above 0.
    title, unit : str
        The words above the picture and in brackets after the axes' names.

    Raises
    ------
    ArgumentError
        If before and after differ in shape, are not (P, 2) or not finite, or the threshold is not above 0.

    Source: E2.5; notebook 07.
    """
    from matplotlib.patches import Circle

    where = "clips_on_circle"
    C = valid_number(where, "threshold", threshold, above=0.0)
    if not isinstance(clips, Mapping) or not 1 <= len(clips) <= 4:
        fail(where, "clips is not a dictionary of 1 to 4 entries", "{label: (before, after)}", "each has its picture")
    pairs = {}
    for label, pair in clips.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            fail(where, f"clips[{label!r}] is not a pair", "(before, after)")
        before = checks.numbers(where, f"clips[{label!r}] before", pair[0], ("P", 2))
        pairs[str(label)] = (before, checks.numbers(where, f"clips[{label!r}] after", pair[1], before.shape))
    reach = 1.12 * max(C, *(float(np.abs(side).max()) for pair in pairs.values() for side in pair))
    n = len(pairs)
    figure = new_figure(max(2.6 * n + 0.4, 4.0), 3.6)
    for index, (label, (before, after)) in enumerate(pairs.items()):
        axes = figure.add_subplot(1, n, index + 1, aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
        axes.set_title(label, fontsize=10)
        axes.add_patch(Circle((0, 0), C, fill=False, linestyle=(0, (5, 3)), edgecolor=GREY, zorder=1))
        for start, end in zip(before, after, strict=True):
            if np.hypot(*(end - start)) > 0.02 * reach:
                axes.annotate("", end, start, zorder=2, arrowprops={
                    "arrowstyle": "-|>", "color": GREY, "linewidth": 0.8, "mutation_scale": 8, "shrinkA": 0,
                    "shrinkB": 0,
                })
        axes.plot(*before.T, "o", color=BLUE, fillstyle="none", markersize=5, linestyle="none", label="before")
        axes.plot(*after.T, "s", color=VERMILION, markersize=4, linestyle="none", label="after")
        axes.plot([], [], color=GREY, linestyle=(0, (5, 3)), linewidth=1.0, label=f"threshold C = {number(C)}")
        axes.set_xlabel(f"entry 1 {unit}".strip())
        if index == 0:
            axes.set_ylabel(f"entry 2 {unit}".strip())
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure
