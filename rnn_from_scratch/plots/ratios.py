"""Ratios of times: who is faster, place by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import fail
from . import checks
from .style import GREY, LOOKS, drawn, new_figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


@drawn
def ratio_dots(
    places: Sequence[str], panels: Mapping[str, Mapping[str, Any]], *, xlabel: str, ylabel: str = "", title: str = "",
) -> Figure:
    """Draw for each place one dot per series on a logarithmic axis, with a line where both sides are equal.

    Parameters
    ----------
    places : m strings
        From top to bottom, at most 18.
    panels : {title: {label: (m,)}}
        One or two side by side, of at most 3 series, each in its own colour in every panel. A series has one ratio
        above 0 for each place, NaN where there is none; its geometric mean stands above the panel.
    xlabel : str
        What is divided by what.
    ylabel : str
        What a place is.
    title : str
        Written above the picture.

    Raises
    ------
    ArgumentError
        If lengths differ, there is too much to draw, a ratio is not above 0, or a series has no ratio at all.

    Source: benchmarks/speed/figure.py.
    """
    where = "ratio_dots"
    listed = [str(place) for place in places]
    if not 1 <= len(listed) <= 18:
        fail(where, f"places has {len(listed)} entries", "1 to 18", "the rows must stay legible")
    if not isinstance(panels, Mapping) or not 1 <= len(panels) <= 2:
        got = f"{len(panels)} entries" if isinstance(panels, Mapping) else f"type {type(panels).__name__}"
        fail(where, f"panels has {got}", "a dictionary of 1 or 2 entries, title: series", "more are too small to read")
    names = list(dict.fromkeys(str(label) for series in panels.values() for label in series))
    figure = new_figure(8.0 if len(panels) == 1 else 10.0, 2.2 + 0.27 * len(listed))
    rows = np.arange(len(listed))
    first: Axes | None = None
    handles: dict[str, Line2D] = {}
    for index, (name, series) in enumerate(panels.items()):
        because = f"there are {len(listed)} places"
        data = checks.lines(where, f"panels[{name!r}]", series, (len(listed),), because=because, nan_ok=True)
        axes = first = figure.add_subplot(1, len(panels), index + 1, sharey=first)
        axes.set_xscale("log")
        axes.axvline(1.0, color=GREY, linewidth=1.0, linestyle=(0, (5, 3)))
        means: dict[str, str] = {}
        if len(data) > 3:
            fail(where, f"panels[{name!r}] has {len(data)} entries", "at most 3", "more dots in a row hide each other")
        everything = np.concatenate(list(data.values()))
        for label, ratios in data.items():
            look = LOOKS[names.index(label)]
            known = ratios[~np.isnan(ratios)]
            if len(known) == 0:
                fail(where, f"panels[{name!r}][{label!r}] is NaN everywhere", "at least one ratio", "a name needs dots")
            checks.positive(where, f"panels[{name!r}][{label!r}]", known)
            means[label] = number(float(np.exp(np.log(known).mean())), 3)  # 1.04 is not 1
            axes.plot(
                ratios, rows, look.marker, color=look.color, markersize=6, markeredgecolor="white", markeredgewidth=0.5,
                linestyle="none",
            )
        low, high = min(0.5, float(np.nanmin(everything)) / 1.2), max(2.0, float(np.nanmax(everything)) * 1.2)
        ticks = [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0) if low <= tick <= high]
        axes.set(xlabel=xlabel, xlim=(low, high))
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set_yticks(rows, listed)
        axes.set_ylim(len(listed) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0, labelleft=index == 0)
        axes.set_ylabel(ylabel if index == 0 else "")
        axes.set_title(name, pad=22)
        axes.annotate(
            "geometric mean: " + ", ".join(f"{label} {mean}" for label, mean in means.items()), (0, 1), xytext=(0, 7),
            xycoords="axes fraction", textcoords="offset points", fontsize=9,
        )
        handles |= {label: dots for label, dots in zip(data, axes.lines[1:], strict=True) if label not in handles}
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=4, handletextpad=0.3)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure
