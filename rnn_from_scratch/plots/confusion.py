"""A confusion matrix as a picture: counts, and what share of each true class they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..validate import ShapeError, fail
from . import checks
from .maps import CELL, draw_cells, heat_map
from .style import BLACK, GREY, drawn, new_figure, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 8  # classes whose counts are written out
FRAME = 0.46 * np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]])  # around a cell's middle


@drawn
def confusion_matrix(
    matrix: Any, labels: Sequence[Any] | None = None, *, title: str = "", xlabel: str = "predicted",
    ylabel: str = "true",
) -> Figure:
    """Draw how often each class was taken for each: the true class by row, the predicted one by column.

    Each cell holds its count and the share of its row; the colour is that share, so that a rare class is seen as well
    as a frequent one. Right ones, on the diagonal, stand in a frame; beside a row stands how many targets it has. A
    class without targets is an empty row. More than 8 classes are drawn by their shares alone.

    Parameters
    ----------
    matrix : (K, K)
        Counts, such as `metrics.confusion_matrix` returns.
    labels : K labels, optional
        By default 0 … K − 1.
    title, xlabel, ylabel : str
        The words around the picture.

    Raises
    ------
    ArgumentError
        If the matrix is not square, has anything but whole numbers of at least 0, or labels do not fit.

    Source: notebook 14; tests/plots/test_confusion.py.
    """
    where = "confusion_matrix"
    counts = checks.numbers(where, "matrix", matrix, ("K", "C"))
    K = len(counts)
    if counts.shape != (K, K):
        fail(where, f"matrix has shape {counts.shape}", "(K, K)", "the classes are the rows and the columns",
             error=ShapeError)
    if (counts < 0).any() or (counts != np.round(counts)).any():
        fail(where, "matrix has entries that are no counts", "whole numbers of at least 0", "shares are made of them",
             "Give the counts themselves, not shares of rows.")
    names = checks.names(where, "labels", range(K) if labels is None else labels, K, "each class has one")
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    if not totals.any():
        fail(where, "matrix is 0 everywhere", "at least one count", "there is nothing to draw")
    if K > MOST:
        return heat_map(shares, names, names, title=title, xlabel=xlabel, ylabel=ylabel, unit="share of the true class")
    cells = [
        [f"{int(count)}\n{_percent(share)}" if total else "" for count, share in zip(row, part, strict=True)]
        for row, part, total in zip(counts, shares, totals[:, 0], strict=True)
    ]
    sums = [f"of {int(total)}" for total in totals[:, 0]]
    wide = max(0.75, *(text_width(text, 9.5) + 0.25 for row in cells for text in row),
               *(text_width(name, 9) + 0.2 for name in names))
    room = max(text_width(name, 9) for name in names) + max(text_width(text, 9) for text in sums) + 1.1
    figure = new_figure(max(K * wide + room, text_width(title, 11) + 0.4), K * 1.5 * CELL + 1.25)
    axes = figure.add_subplot()
    draw_cells(axes, shares, cells, top=1.0)
    for place, text in enumerate(sums):
        axes.text(K - 0.4, place, text, ha="left", va="center", fontsize=9, color=GREY)
        if totals[place]:
            axes.plot(place + FRAME[0], place + FRAME[1], color=BLACK, linewidth=1.4)
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.set_xticks(range(K), names)
    axes.set_yticks(range(K), names)
    return figure


def _percent(share: float) -> str:
    """Write a share with as many digits as tell it from 0 and from all."""
    if share in (0.0, 1.0) or 0.01 <= share <= 0.99:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.1f} %" if 0.001 <= share <= 0.999 else ("< 0.1 %" if share < 0.5 else "> 99.9 %")
