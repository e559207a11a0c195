"""Gradients: the V of the step size, and the size of δ by time step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..validate import fail
from ..validate import number as valid_number
from . import checks
from .curves import draw_lines
from .style import BLACK, GREY, LOOKS, PALE_GREY, drawn, new_figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@drawn
def v_curve(
    step_sizes: Any, errors: Mapping[str, Any], *, title: str = "", xlabel: str = "step size h",
    ylabel: str = "relative error of the gradient", defaults: Mapping[str, float] | None = None,
    branches: Mapping[str, tuple[float, float, float]] | None = None,
) -> Figure:
    """Draw the error of a numerical gradient against its step size: the V of rounding and truncation.

    On the left the subtraction loses digits (rounding), on the right the Taylor series is cut off
    too early (truncation). A large hollow marker is each curve's best step; its size stands beside the label.

    Parameters
    ----------
    step_sizes : (n,)
        Above 0.
    errors : {label: (n,)}
        At least 0, by method or dtype. An exact 0 is a hollow marker on the axis, NaN a gap.
    title, xlabel, ylabel : str
        The words around the picture.
    defaults : {label: h}, optional
        The step that is usually taken, by the labels of `errors`: a large black-edged marker on the curve.
    branches : {text: (slope, h, error)}, optional
        What theory says of a branch: a pale line of this slope under the curves, through (h, error), with its text.

    Raises
    ------
    ArgumentError
        If lengths differ, a step size is not above 0, an error is negative or all of a curve is NaN, a default belongs
        to no curve or is not above 0, or a branch is not three numbers, h and error above 0.

    Source: notebook 03.
    """
    where = "v_curve"
    h = checks.numbers(where, "step_sizes", step_sizes, ("n",))
    because = "there is one error for each step size"
    data = checks.lines(where, "errors", errors, (len(h),), because=because, nan_ok=True)
    for label, y in data.items():
        if np.isnan(y).all():
            fail(where, f"errors[{label!r}] is NaN everywhere", "at least one number", "there is nothing to draw")
    usual = {str(label): _above(where, f"defaults[{label!r}]", step) for label, step in (defaults or {}).items()}
    for label in usual:
        if label not in data:
            fail(where, f"defaults has {label!r}", f"one of {sorted(data)}", "a default belongs to a curve")
    guides = {str(text): _guide(where, str(text), line) for text, line in (branches or {}).items()}
    figure = new_figure(8.0, 4.2 + 0.35 * bool(usual))
    axes = figure.add_subplot()
    named = {f"{label}\n{_best(h, y)}{_usual(h, usual.get(label))}": y for label, y in data.items()}
    draw_lines(where, axes, h, named, xlabel, ylabel, title, logx=True, logy=True, gaps=True)
    for (label, y), look in zip(data.items(), LOOKS, strict=False):
        best = int(np.nanargmin(y))
        if y[best] > 0:
            axes.plot(
                [h[best]], [y[best]], look.marker, color=look.color, markersize=12, fillstyle="none",
                markeredgewidth=1.5,
            )
        if label in usual and h.min() <= usual[label] <= h.max():
            _mark_usual(axes, h, y, usual[label], look)
    bottom, top = axes.transAxes.transform([(0, 0), (0, 1.25)])[:, 1]  # room for two captions above both arms
    low, high = axes.transData.inverted().transform([(0, bottom), (0, top)])[:, 1]
    axes.set_ylim(float(low), float(high))
    for text, line in guides.items():
        _draw_guide(axes, text, line)
    written: dict[str, Any] = {"transform": axes.transAxes, "va": "top", "fontsize": 9}
    axes.text(0.02, 0.98, "← rounding:\nthe difference loses digits", **written)
    axes.text(0.98, 0.98, "truncation: →\nthe series is cut off", ha="right", **written)
    return figure


def _above(where: str, name: str, value: Any) -> float:
    return valid_number(where, name, value, above=0.0, because="the axis is logarithmic")


def _guide(where: str, text: str, line: Any) -> tuple[float, float, float]:
    if not isinstance(line, tuple | list) or len(line) != 3:
        fail(where, f"branches[{text!r}] is {line!r:.60}", "(slope, h, error)", "a line has a slope and a point")
    slope = valid_number(where, f"branches[{text!r}][0]", line[0])
    return slope, _above(where, f"branches[{text!r}][1]", line[1]), _above(where, f"branches[{text!r}][2]", line[2])


def _mark_usual(axes: Axes, h: Array, y: Array, step: float, look: Any) -> None:
    """Mark the curve at its usual step, between two points on the straight line that is drawn there."""
    known = np.flatnonzero(np.isfinite(y) & (y > 0))
    if not len(known):
        return
    order = known[np.argsort(h[known])]
    height = np.exp(np.interp(np.log(step), np.log(h[order]), np.log(y[order])))
    axes.plot(
        [step], [height], look.marker, color=look.color, markersize=10, markeredgecolor=BLACK, markeredgewidth=1.6,
        zorder=5,
    )


def _draw_guide(axes: Axes, text: str, line: tuple[float, float, float]) -> None:
    """Draw a pale line of this slope through a point, a power of ten of h to both sides, and its text beside it."""
    slope, h, error = line
    (left, right), (low, high) = np.log10(axes.get_xlim()), np.log10(axes.get_ylim())
    at, height = np.log10(h), np.log10(error)
    reach = np.linspace(max(left, at - 1.2), min(right, at + 1.2), 61)
    heights = height + slope * (reach - at)
    inside = (heights > low) & (heights < high - 0.15 * (high - low))
    if not inside.any():
        return
    axes.plot(
        10 ** reach[inside], 10 ** heights[inside], color=PALE_GREY, linewidth=9, solid_capstyle="butt", zorder=0.5
    )
    middle = int(np.flatnonzero(inside)[inside.sum() // 2])
    side = {-1.0: ((9, 5), "left", "bottom"), 0.0: ((0, 9), "center", "bottom")}.get(np.sign(slope))
    offset, across, along = side or ((9, -5), "left", "top")
    axes.annotate(
        text, (10 ** reach[middle], 10 ** heights[middle]), offset, textcoords="offset points", ha=across, va=along,
        fontsize=9, color=GREY, zorder=6, bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"},
    )


@drawn
def deltas_by_step(
    norms: Any, *, logy: bool = True, title: str = "", ylabel: str = "size of δ at step t, ‖∂L/∂a_t‖",
    hlines: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the size of δ by time step: how far back the gradient reaches.

    The backward pass runs from right to left. On the logarithmic axis a straight fall is a gradient
    that shrinks by the same factor at each step.

    Parameters
    ----------
    norms : (T,) or {label: (T,)}
        ‖δ_t‖ for t = 1 … T, at least 0 on a logarithmic axis.
    logy : bool
        Logarithmic axis. An exact 0 is a hollow marker on the axis.
    title, ylabel : str
        The words around the picture.
    hlines : {label: number}, optional
        Levels to compare with.

    Raises
    ------
    ArgumentError
        If lengths differ, or a number is not finite or negative.

    Source: E-BPTT; notebook 04.
    """
    where = "deltas_by_step"
    given = norms if isinstance(norms, Mapping) else {"‖δ‖": norms}
    data = checks.lines(where, "norms", given, ("T",))
    T = len(next(iter(data.values())))
    figure = new_figure(8.0, 4.0)
    axes = figure.add_subplot()
    draw_lines(
        where, axes, np.arange(1, T + 1), data, "time step t      (← the backward pass runs this way)", ylabel, title,
        logy=logy, hlines=hlines,
    )
    axes.set_xticks(np.unique(np.linspace(1, T, min(T, 8)).round().astype(int)))
    if not isinstance(norms, Mapping) and not hlines:
        axes.texts[0].remove()  # a single line needs no name
    return figure


def _best(h: Array, errors: Array) -> str:
    exact = int((errors == 0).sum())
    return f"exactly 0 at {exact} of {len(h)} steps" if exact else f"best h = {number(h[int(np.nanargmin(errors))], 2)}"


def _usual(h: Array, step: float | None) -> str:
    if step is None:
        return ""
    beyond = " (further left)" if step < h.min() else " (further right)" if step > h.max() else ""
    return f"\nusual h = {number(step, 2)}{beyond}"
