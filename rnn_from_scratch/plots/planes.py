"""Things in a plane: points that compare two measures, trajectories of states, and the loss along two directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..validate import DtypeError, as_array, fail
from ..validate import number as valid_number
from . import checks
from .style import BLACK, GREY, LOOKS, PALE_GREY, drawn, new_figure, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_TRAJECTORIES = 40


@drawn
def scatter(
    points: Mapping[str, tuple[Any, Any]], xlabel: str, ylabel: str, title: str = "", *,
    hlines: Mapping[str, float] | None = None, vlines: Mapping[str, float] | None = None,
) -> Figure:
    """Draw points of two measures, such as what a probe shows against what its removal costs, one marker a group.

    Parameters
    ----------
    points : {label: ((n,), (n,))}
        Across and up; up to 8 groups, whose sizes may differ. Every second group is hollow, so that groups on top of
        each other stay apart in grey.
    xlabel, ylabel, title : str
        The words around the picture.
    hlines, vlines : {label: number}, optional
        Levels to compare with, thin and grey.

    Raises
    ------
    ArgumentError
        If lengths differ, a number is not finite, or there are more groups than 8.

    Source: notebook 17; tests/plots/test_looking.py.
    """
    where = "scatter"
    groups = _groups(where, "points", points)
    figure = new_figure(8.0, 4.2)
    axes = figure.add_subplot()
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    for index, ((label, pair), look) in enumerate(zip(groups.items(), LOOKS, strict=False)):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            fail(where, f"points[{label!r}] is {pair!r:.40}", "a pair (across, up)", "a point has two measures")
        x = checks.numbers(where, f"points[{label!r}] across", pair[0], ("n",))
        y = checks.numbers(where, f"points[{label!r}] up", pair[1], (len(x),), because=f"across has {len(x)} entries")
        axes.plot(x, y, look.marker, color=look.color, fillstyle="none" if index % 2 else "full", markersize=6.5,
                  markeredgewidth=1.2, linestyle="none", label=label, zorder=3, clip_on=False)
    for levels, line in ((hlines, axes.axhline), (vlines, axes.axvline)):
        for label, level in (levels or {}).items():
            line(valid_number(where, f"the level {label!r}", level), color=GREY, linewidth=1.0, linestyle=(0, (4, 3)),
                 label=label, zorder=1)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


@drawn
def trajectories(
    paths: Mapping[str, Any], *, xlabel: str = "first component", ylabel: str = "second component", title: str = "",
) -> Figure:
    """Draw how hidden states move in a plane: a line for each sequence, from a hollow start to a filled end.

    Parameters
    ----------
    paths : {label: (T, 2) or (T, N, 2)}
        Of one or more sequences, time first, such as `Components.project` gives; up to 8 groups, 40 lines in all. NaN
        is a gap: what a group leaves to another.
    xlabel, ylabel, title : str
        The words around the picture.

    Raises
    ------
    ArgumentError
        If a path has no two coordinates, a number is infinite, or there are too many.

    Source: Elman (1991); article §4.5; notebook 17; tests/plots/test_looking.py.
    """
    where = "trajectories"
    groups: dict[str, Array] = {}
    for label, given in _groups(where, "paths", paths).items():
        array = as_array(where, f"paths[{label!r}]", given)
        whole = array[:, None] if array.ndim == 2 else array
        groups[label] = checks.numbers(where, f"paths[{label!r}]", whole, ("T", "N", 2), nan_ok=True)
        if np.isnan(groups[label]).all():
            fail(where, f"paths[{label!r}] is NaN everywhere", "at least one point", "there is nothing to draw")
    count = sum(group.shape[1] for group in groups.values())
    if count > MOST_TRAJECTORIES:
        fail(where, f"there are {count} lines", f"at most {MOST_TRAJECTORIES}", "more hide each other")
    figure = new_figure(8.0, 4.8)
    axes = figure.add_subplot()
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    for (label, group), look in zip(groups.items(), LOOKS, strict=False):
        for n in range(group.shape[1]):
            x, y = group[:, n].T
            known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
            if not len(known):
                continue
            axes.plot(x, y, color=look.color, linestyle=look.linestyle, marker=look.marker, markersize=3.5,
                      linewidth=1.1, label=label if n == 0 else None, zorder=2)
            start, end = known[0], known[-1]
            axes.plot(x[start], y[start], look.marker, color=look.color, fillstyle="none", markersize=9, zorder=3)
            axes.plot(x[end], y[end], look.marker, color=look.color, markeredgecolor=BLACK, markersize=9, zorder=3)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=3.2)
    return figure


@drawn
def loss_surface(
    across: Any, up: Any, losses: Any, paths: Mapping[str, Any] | None = None, *, xlabel: str = "a", ylabel: str = "b",
    title: str = "", log: bool = False, unit: str = "loss",
) -> Figure:
    """Draw the loss over a plane of parameters as shades with contour lines, and how training walked on it.

    Dark is high. Where contour lines lie on top of each other stands a cliff: the gradient there is as long as the
    cliff is steep, and a step as long as the gradient ends far away.

    Parameters
    ----------
    across, up : (A,), (B,)
        Ascending places of the columns and rows.
    losses : (B, A)
        Such as `looking.loss_surface` returns.
    paths : {label: (n, 2)}, optional
        Places (a, b) after each update, up to 8 paths, from a hollow start. What leaves the picture is cut off, and the
        list says so.
    xlabel, ylabel, title, unit : str
        The words around the picture and beside its scale.
    log : bool
        Shades and lines by logarithm; the losses must be above 0.

    Raises
    ------
    ArgumentError
        If shapes do not fit, places do not ascend, a loss is not finite, or the losses are all equal.

    Source: Pascanu, Mikolov & Bengio (2013), fig. 6; notebook 17; tests/plots/test_looking.py.
    """
    from matplotlib.colors import LogNorm, Normalize

    where = "loss_surface"
    x, y = checks.numbers(where, "across", across, ("A",)), checks.numbers(where, "up", up, ("B",))
    heights = checks.numbers(where, "losses", losses, (len(y), len(x)), because="rows go up, columns across")
    for name, places in (("across", x), ("up", y)):
        if len(places) < 2 or not (np.diff(places) > 0).all():
            fail(where, f"{name} does not ascend", "at least two ascending places", "it is an axis")
    if log:
        checks.positive(where, "losses", heights)
    low, top = float(heights.min()), float(heights.max())
    if low == top:
        fail(where, f"losses are all {low:g}", "numbers that differ", "there is no surface to see")
    walked = {} if paths is None else _groups(where, "paths", paths)
    figure = new_figure(8.0, 4.8)
    axes = figure.add_subplot()
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title, xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    levels = np.geomspace(low, top, 13) if log else np.linspace(low, top, 13)
    norm = LogNorm(low, top) if log else Normalize(low, top)
    axes.grid(visible=False)
    shades = axes.contourf(x, y, heights, levels=levels, norm=norm, cmap="Greys", alpha=0.6)
    axes.contour(x, y, heights, levels=levels[1:-1], colors=PALE_GREY, linewidths=0.6)
    for (label, given), look in zip(walked.items(), LOOKS, strict=False):
        path = checks.numbers(where, f"paths[{label!r}]", given, ("n", 2))
        inside = ((path >= [x[0], y[0]]) & (path <= [x[-1], y[-1]])).all()
        axes.plot(*path.T, color=look.color, linestyle=look.linestyle, marker=look.marker, markersize=4.5,
                  markeredgecolor="white", markeredgewidth=0.5,
                  label=label if inside else f"{label}\n(leaves the picture)")
        axes.plot(*path[:1].T, look.marker, color=look.color, fillstyle="none", markersize=10, markeredgewidth=1.5)
    if walked:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=min(3, len(walked)),
                      handlelength=3.2)
    bar = figure.colorbar(shades, ax=axes, label=unit)
    bar.ax.set_yticks(levels[::3], [number(float(level), 2) for level in levels[::3]])
    bar.ax.minorticks_off()
    return figure


def _groups(where: str, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        fail(where, f"{name} is a {type(value).__name__}", "a dictionary by label", "every group has a name",
             error=DtypeError)
    if not 1 <= len(value) <= checks.MOST_LINES:
        fail(where, f"{name} has {len(value)} entries", f"1 to {checks.MOST_LINES}",
             "more markers than that cannot be told apart" if value else "there is nothing to draw")
    return {str(label): each for label, each in value.items()}
