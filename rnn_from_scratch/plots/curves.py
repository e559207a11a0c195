"""Lines: one quantity against another, alone or side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..validate import fail
from ..validate import number as valid_number
from . import checks
from .style import GREY, LOOKS, drawn, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEAR = 0.075  # of the axes' height: labels closer than that would touch


@drawn
def curves(
    x: Any, lines: Mapping[str, Any], xlabel: str, ylabel: str, title: str = "", *, logx: bool = False,
    logy: bool = False, bands: Mapping[str, tuple[Any, Any]] | None = None,
    hlines: Mapping[str, float] | None = None, vlines: Mapping[str, float] | None = None,
    markers: bool | None = None,
) -> Figure:
    """Draw lines over one axis, each named beside its end (or in a list, if the ends lie too close).

    Parameters
    ----------
    x : (n,)
        The same for every line.
    lines : {label: (n,)}
        Up to 8; each has a colour, a dash pattern and a marker of its own.
    xlabel, ylabel : str
        What the axes measure, with the unit: "time (ms)".
    title : str
        Written above the picture.
    logx, logy : bool
        Logarithmic axes. An exact 0 on a logarithmic y axis is drawn as a hollow marker on the axis and named.
    bands : {label: ((n,), (n,))}, optional
        A shaded range (low, high) around the line of the same label: spread over seeds.
    hlines, vlines : {label: number}, optional
        Levels to compare with, thin and grey: {"ln 2 (guessing)": 0.693}.
    markers : bool, optional
        Mark the points; by default where there are at most 30.

    Raises
    ------
    ArgumentError
        If lengths differ, a number is not finite, or a logarithm has no value.
    """
    figure = new_figure(8.0, 4.0)
    draw_lines(
        "curves", figure.add_subplot(), x, lines, xlabel, ylabel, title, logx=logx, logy=logy, bands=bands,
        hlines=hlines, vlines=vlines, markers=markers,
    )
    return figure


@drawn
def panels(*parts: Mapping[str, Any], title: str = "") -> Figure:
    """Draw two or three `curves` side by side: seconds to target beside throughput, time beside memory.

    Parameters
    ----------
    parts : dictionaries
        The arguments of `curves` by name, one dictionary for each panel, from left to right.
    title : str
        Above them all.

    Raises
    ------
    ArgumentError
        As `curves` does; or with other than 1 to 3 panels, or an argument that `curves` does not have.
    """
    if not 1 <= len(parts) <= 3:
        fail("panels", f"{len(parts)} panels given", "1 to 3", "more are too small to read")
    needed = {"x", "lines", "xlabel", "ylabel"}
    known = needed | {"title", "logx", "logy", "bands", "hlines", "vlines", "markers"}
    figure = new_figure(4.3 * len(parts) if len(parts) > 1 else 8.0, 4.0)
    for index, part in enumerate(parts):
        if not isinstance(part, Mapping) or not needed <= set(part) <= known:
            got = f"the keys {sorted(map(str, part))}" if isinstance(part, Mapping) else f"type {type(part).__name__}"
            fail(
                "panels", f"parts[{index}] has {got}", f"a dictionary with {', '.join(sorted(needed))}",
                "they go to curves", f"Optional: {', '.join(sorted(known - needed))}.",
            )
        axes = figure.add_subplot(1, len(parts), index + 1)
        draw_lines(f"panels: parts[{index}]", axes, **part, beside=len(parts) == 1)
    keys = [axes.get_legend() for axes in figure.axes]
    texts = [[text.get_text() for text in key.get_texts()] if key else [] for key in keys]
    if len(parts) > 1 and texts[0] and all(sorted(names) == sorted(texts[0]) for names in texts):
        # The same names everywhere: say them once.
        handles = [handle for handle in keys[0].legend_handles if handle] if keys[0] else []
        for key in keys:
            if key:
                key.remove()
        figure.legend(handles, texts[0], loc="outside lower center", ncols=min(4, len(texts[0])), handlelength=3.2)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def draw_lines(
    where: str, axes: Axes, x: Any, lines: Mapping[str, Any], xlabel: str, ylabel: str, title: str = "", *,
    logx: bool = False, logy: bool = False, bands: Mapping[str, tuple[Any, Any]] | None = None,
    hlines: Mapping[str, float] | None = None, vlines: Mapping[str, float] | None = None,
    markers: bool | None = None, beside: bool = True, gaps: bool = False,
) -> None:
    """Draw what `curves` says into one axes; names stand beside the lines, or else in a list below.

    With `gaps` a NaN is a gap in its line.
    """
    x = checks.numbers(where, "x", x, ("n",))
    data = checks.lines(where, "lines", lines, (len(x),), because=f"x has {len(x)} entries", nan_ok=gaps)
    levels = {k: valid_number(where, f"hlines[{k!r}]", v) for k, v in (hlines or {}).items()}
    places = {k: valid_number(where, f"vlines[{k!r}]", v) for k, v in (vlines or {}).items()}
    if logx:
        checks.positive(where, "x", x)
        checks.positive(where, "vlines", np.array(list(places.values())))
    if logy:
        checks.positive(where, "hlines", np.array(list(levels.values())))
        for label, y in data.items():
            checks.positive(where, f"lines[{label!r}]", y, zero_ok=True)
        logy = any((y > 0).any() for y in data.values())  # nothing but zeros: no logarithm to show
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axes.set_xscale("log" if logx else "linear")
    axes.set_yscale("log" if logy else "linear")

    if logx:
        _ticks_at(axes, x)
    handles: list[tuple[str, Any, float]] = []
    points = len(x) <= 30 if markers is None else markers
    zeros = False
    for (label, y), look in zip(data.items(), LOOKS, strict=False):
        shown = np.where(y == 0, np.nan, y) if logy else y
        (line,) = axes.plot(
            x, shown, color=look.color, linestyle=look.linestyle, marker=look.marker, markeredgecolor="white",
            markeredgewidth=0.5, markevery=1 if points else max(1, len(x) // 8), label=label,
        )
        ends = np.flatnonzero(np.isfinite(shown))
        handles.append((label, line, float(shown[ends[-1]]) if len(ends) else np.nan))
        if logy and (y == 0).any():
            zeros = True
            axes.plot(
                x[y == 0], np.zeros(int((y == 0).sum())), look.marker, color=look.color, fillstyle="none",
                transform=axes.get_xaxis_transform(), clip_on=False, markersize=7, zorder=4,
            )
    for label, band in (bands or {}).items():
        if label not in data:
            fail(where, f"bands has {label!r}", f"one of {sorted(data)}", "a band belongs to a line")
        low, high = (checks.numbers(where, f"bands[{label!r}]", edge, (len(x),)) for edge in _pair(where, label, band))
        if logy:
            checks.positive(where, f"bands[{label!r}]", np.stack([low, high]))
        look = LOOKS[list(data).index(label)]
        axes.fill_between(x, low, high, color=look.color, alpha=0.18, linewidth=0)
    for label, level in levels.items():
        line = axes.axhline(level, color=GREY, linewidth=1.0, linestyle=(0, (5, 3)))
        handles.append((label, line, level))
    upright = [
        (label, axes.axvline(place, color=GREY, linewidth=1.0, linestyle=(0, (1, 2))))
        for label, place in places.items()
    ]
    if zeros:
        (hollow,) = axes.plot([], [], "o", color=GREY, fillstyle="none")
        handles.append(("hollow, on the axis:\nexactly 0", hollow, np.nan))
    _name(axes, handles, upright, beside)


def _ticks_at(axes: Axes, x: Array) -> None:
    """Mark the points themselves on a logarithmic axis (1, 8, 32, 128) where they are few and far apart."""
    places = np.unique(x)
    if 2 <= len(places) <= 8 and np.diff(np.log(places)).min() > 0.09 * np.log(places[-1] / places[0]):
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.set_xticks([], minor=True)


def _pair(where: str, label: str, band: Any) -> tuple[Any, Any]:
    if not isinstance(band, tuple | list) or len(band) != 2:
        fail(where, f"bands[{label!r}] is not a pair", "(low, high)")
    return band[0], band[1]


def _name(axes: Axes, handles: list[tuple[str, Any, float]], upright: list[tuple[str, Any]], beside: bool) -> None:
    """Write each line's label beside its end, or, where these would touch, list them by height."""
    values = np.array([value for *_, value in handles])
    axes.set_ylim(axes.get_ylim())
    if beside and not upright and np.isfinite(values).all():
        pixels = axes.transData.transform(np.column_stack([np.full(len(values), axes.get_xlim()[1]), values]))
        heights = axes.transAxes.inverted().transform(pixels)[:, 1]
        lines = max(1 + label.count("\n") for label, *_ in handles)
        if len(handles) == 1 or np.diff(np.sort(heights)).min() > NEAR * lines:
            for label, line, value in handles:
                color = GREY if line.get_color() == GREY else "black"
                axes.text(
                    1.015, value, label, transform=axes.get_yaxis_transform(), va="center", fontsize=9, color=color
                )
            return
    entries = sorted(handles, key=lambda entry: -entry[2] if np.isfinite(entry[2]) else np.inf)
    shown = [(line, label) for label, line, _ in entries] + [(line, label) for label, line in upright]
    if len(shown) == 1 and not beside:
        return
    place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    if not beside:
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2)}
    axes.legend([line for line, _ in shown], [label for _, label in shown], handlelength=3.2, **place)
