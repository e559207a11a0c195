"""A waterfall of factors: how a gain comes together, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import fail
from . import checks
from .style import BLUE, DARK_VERMILION, GREY, HATCHES, VERMILION, drawn, new_figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOTAL = "all together"


@drawn
def waterfall(
    steps: Sequence[str], panels: Mapping[str, Any], *, xlabel: str = "times as fast as the first", title: str = "",
) -> Figure:
    """Draw for each step a bar from where the one before it ended to where it ends, on a logarithmic axis.

    What is multiplied is added on such an axis: equal factors are equally long. Beside each bar stands its factor, and
    the last bar is all of them together. A factor below 1, a step back, is hatched and said in another colour. All
    panels have one scale, so that lengths can be compared across them.

    Parameters
    ----------
    steps : m strings
        From top to bottom, at most 14. The first is what the others are compared with.
    panels : {title: (m,)}
        One to three side by side: each step's factor, 1 for the first.
    xlabel : str
        What the axis measures.
    title : str
        Written above the picture.

    Raises
    ------
    ArgumentError
        If lengths differ, there is too much to draw, a factor is not above 0, or the first is not 1.

    Source: notebook 16 (from the textbook to the kernel).
    """
    where = "waterfall"
    listed = [str(step) for step in steps]
    if not 2 <= len(listed) <= 14:
        fail(where, f"steps has {len(listed)} entries", "2 to 14", "the rows must stay legible")
    data = checks.lines(where, "panels", panels, (len(listed),), because=f"there are {len(listed)} steps")
    if len(data) > 3:
        fail(where, f"panels has {len(data)} entries", "1 to 3", "more are too small to read")
    figure = new_figure(8.0 if len(data) == 1 else 10.4, 1.5 + 0.34 * len(listed))
    first: Axes | None = None
    for index, (name, factors) in enumerate(data.items()):
        checks.positive(where, f"panels[{name!r}]", factors)
        if factors[0] != 1:
            fail(where, f"panels[{name!r}][0] is {factors[0]:g}", "1", "the first step is what the others start from")
        axes = first = figure.add_subplot(1, len(data), index + 1, sharex=first, sharey=first)
        _draw(axes, np.cumprod(factors), factors)
        axes.set_yticks(range(len(listed) + 1), [*listed, TOTAL])
        axes.set_ylim(len(listed) + 0.5, -0.5)
        axes.tick_params(axis="y", length=0, labelleft=index == 0)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set(title=name, xlabel=xlabel)
    _scale(first, np.concatenate([np.cumprod(factors) for factors in data.values()]))
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def _draw(axes: Axes, ends: Any, factors: Any) -> None:
    """Draw one panel's bars, their factors, and thin lines from each end to the next bar's start."""
    axes.set_xscale("log")
    m, starts = len(ends), np.concatenate([[1.0], ends[:-1]])
    back = [round(float(factor), 2) < 1 for factor in (*factors, ends[-1])]  # what is written as 1 is no step back
    rows = [(starts[k], ends[k], factors[k], VERMILION if back[k] else BLUE) for k in range(m)]
    for y, (start, end, factor, color) in enumerate([*rows, (1.0, ends[-1], ends[-1], GREY)]):
        low, high = min(start, end), max(start, end)
        hatch = HATCHES[1] if back[y] else ""
        axes.barh(y, high - low, 0.62, left=low, color=color, hatch=hatch, edgecolor="white", linewidth=0.5)
        axes.annotate(
            f"×{number(round(float(factor), 2))}" if y else "1", (high, y), xytext=(4, 0), va="center",
            textcoords="offset points", fontsize=9, color=DARK_VERMILION if back[y] else "black",
            fontweight="bold" if y == m else "normal",
        )
        if y < m:
            axes.plot([end, end], [y, y + 1], color=GREY, linewidth=0.7, zorder=0.5)
    axes.plot([1.0, 1.0], [-0.4, m + 0.4], color=GREY, linewidth=0.8)


def _scale(axes: Axes | None, ends: Any) -> None:
    """Set the axis that all panels share, with room for a factor beside the longest bar."""
    assert axes is not None
    low, high = min(1.0, float(ends.min())), max(1.0, float(ends.max()))
    span = max(high / low, 1.6)
    axes.set_xlim(low / span**0.04, low * span**1.5)
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if low * 0.9 <= tick <= low * span**1.2]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
