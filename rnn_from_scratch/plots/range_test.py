"""The picture of a learning-rate range test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import fail
from ..validate import number as valid_number
from . import checks
from .style import BLUE, DARK_VERMILION, GREY, drawn, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@drawn
def range_test(
    rates: Any, losses: Any, smoothed: Any, suggestion: float | None = None, title: str = "Learning-rate range test"
) -> Figure:
    """Draw each update's loss as a dot and the smoothed losses as a line, over the rate of the update.

    Parameters
    ----------
    rates : (n,)
        Ascending, above 0.
    losses, smoothed : (n,)
        As `training.range_test` returns them. The vertical axis ends at twice the highest of the first losses, so that
        an explosion does not flatten everything else; dots above it are drawn at its top as triangles.
    suggestion : float, optional
        Marked by a vertical line.
    title : str
        Above the picture.

    Raises
    ------
    ArgumentError
        Lengths that differ, numbers that are not finite, rates that do not rise from above 0.
    """
    where = "range_test"
    rates = checks.numbers(where, "rates", rates, ("n",))
    losses = checks.numbers(where, "losses", losses, (len(rates),))
    smoothed = checks.numbers(where, "smoothed", smoothed, (len(rates),))
    checks.positive(where, "rates", rates)
    if np.any(np.diff(rates) <= 0.0):
        fail(where, "rates do not rise", "each above the one before", "a range test sweeps upwards")
    if suggestion is not None:
        suggestion = valid_number(where, "suggestion", suggestion, above=0.0)
    early = losses[: max(3, len(losses) // 4)]
    low, high = min(0.0, float(losses.min())), 2.0 * max(float(early.max()), 1e-12)
    figure = new_figure(8.0, 4.0)
    axes = figure.add_subplot()
    axes.set(xlabel="learning rate η", ylabel="loss of the update's batch", title=title, xscale="log")
    inside = losses <= high
    axes.plot(rates[inside], losses[inside], "o", color=GREY, markersize=3.5, alpha=0.7, label="each batch")
    if not inside.all():
        axes.plot(
            rates[~inside], np.full(int((~inside).sum()), high), "^", color=DARK_VERMILION, clip_on=False,
            label="above the axis", zorder=4,
        )
    axes.plot(rates, smoothed, "-", color=BLUE, label="smoothed")
    if suggestion is not None:
        label = f"suggestion: {suggestion:.2g}"
        axes.axvline(suggestion, color=DARK_VERMILION, linewidth=1.4, linestyle=(0, (5, 2)), label=label)
    axes.set_ylim(low, high)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
