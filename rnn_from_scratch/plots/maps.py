"""Small matrices as annotated maps: contributions to a gradient, error by entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..validate import ShapeError, fail
from . import checks
from .style import BLACK, drawn, new_figure, number, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 0.42  # inches: height of a cell with its number
MOST_ANNOTATED = 12  # rows or columns


@drawn
def triangle(
    contributions: Any, *, title: str = "Contributions to the gradient", rows: str = "loss at t",
    columns: str = "use of the weight at τ", digits: int = 3,
) -> Figure:
    """Draw the lower triangle of contributions: the loss at step t through the weight's use at step τ ≤ t.

    Sums stand in the margins: down a column is what backpropagation through time adds up at τ, along
    a row is what forward mode adds up at t. Both end in the same total, the gradient.

    Parameters
    ----------
    contributions : (T, T)
        Row t, column τ; NaN (or 0) above the diagonal, where the future would act on the past. T at most 12.
    title, rows, columns : str
        The words around the picture.
    digits : int
        Significant digits of the numbers.

    Raises
    ------
    ArgumentError
        If the matrix is not square, has a number above the diagonal or NaN on or below it.

    Source: E-BPTT; notebook 04.
    """
    where = "triangle"
    matrix = checks.numbers(where, "contributions", contributions, ("T", "T"), nan_ok=True)
    T = len(matrix)
    if T > MOST_ANNOTATED:
        fail(where, f"contributions has shape {matrix.shape}", f"at most {MOST_ANNOTATED} steps",
             "every number is written out", "heat_map draws larger ones.", ShapeError)
    later, inside = np.triu(np.ones((T, T), dtype=bool), 1), np.tril(np.ones((T, T), dtype=bool))
    if np.isnan(matrix[inside]).any():
        fail(where, "contributions has NaN on or below the diagonal", "numbers there",
             "each loss sees each earlier use")
    if (np.nan_to_num(matrix[later]) != 0).any():
        fail(where, "contributions has numbers above the diagonal", "NaN there", "no loss depends on a later use",
             "Rows are losses, columns are uses: try the transpose.")
    matrix[later] = np.nan
    by_use, by_loss = np.nansum(matrix, 0), np.nansum(matrix, 1)

    cells = [[number(v, digits) if not np.isnan(v) else "" for v in row] for row in matrix]
    sums = [[number(float(v), digits) for v in side] for side in (by_use, by_loss, [matrix[inside].sum()])]
    wide = max(0.8, *(text_width(t, 9.5) + 0.2 for row in [*cells, *sums] for t in row))
    width = 1.3 + (T + 1) * wide + 0.3
    figure = new_figure(max(width, text_width(title, 11) + 0.4), 1.3 + (T + 1) * CELL)
    axes = figure.add_subplot()
    draw_cells(axes, matrix, cells, diverging=True)
    for index in range(T):
        axes.text(T + 0.05, index, sums[1][index], ha="center", va="center", fontsize=9.5)
        axes.text(index, T + 0.05, sums[0][index], ha="center", va="center", fontsize=9.5)
    axes.text(T + 0.05, T + 0.05, sums[2][0], ha="center", va="center", fontsize=9.5, fontweight="bold")
    axes.plot([T - 0.5, T - 0.5], [-0.5, T + 0.5], color=BLACK, linewidth=1.2)
    axes.plot([-0.5, T + 0.5], [T - 0.5, T - 0.5], color=BLACK, linewidth=1.2)
    axes.set(xlim=(-0.5, T + 0.55), ylim=(T + 0.55, -0.5), title=title, xlabel=columns, ylabel=rows)
    axes.set_xticks(range(T + 1), [*(f"τ = {i + 1}" for i in range(T)), "sum"])
    axes.set_yticks(range(T + 1), [*(f"t = {i + 1}" for i in range(T)), "sum"])
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    return figure


@drawn
def heat_map(
    matrix: Any, row_labels: Sequence[str] | None = None, column_labels: Sequence[str] | None = None, *,
    title: str = "", xlabel: str = "", ylabel: str = "", unit: str = "", log: bool = False, digits: int = 3,
) -> Figure:
    """Draw a matrix as coloured cells, each with its number where it has at most 12 rows and columns.

    Negative numbers are purple, positive ones orange, with white between; numbers of one sign go from white to blue.

    Parameters
    ----------
    matrix : (R, C)
        NaN is drawn as an empty cell.
    row_labels, column_labels : R and C strings, optional
        By default 0, 1, 2, …: the entries' indices.
    title, xlabel, ylabel : str
        The words around the picture.
    unit : str
        What the colour means, beside its scale.
    log : bool
        Colours by logarithm, for errors over many powers of ten; the numbers must be at least 0.
    digits : int
        Significant digits of the numbers.

    Raises
    ------
    ArgumentError
        If the rank or a number of labels is wrong, or there is nothing to draw.

    Source: notebook 10 (error by entry).
    """
    where = "heat_map"
    values = checks.numbers(where, "matrix", matrix, ("R", "C"), nan_ok=True)
    R, C = values.shape
    if np.isnan(values).all():
        fail(where, "matrix is NaN everywhere", "at least one number", "there is nothing to draw")
    if log:
        checks.positive(where, "matrix", values, zero_ok=True)
    row_labels = [str(row) for row in range(R)] if row_labels is None else row_labels
    column_labels = [str(column) for column in range(C)] if column_labels is None else column_labels
    named_rows = checks.names(where, "row_labels", row_labels, R, "each row has one")
    named_columns = checks.names(where, "column_labels", column_labels, C, "each column has one")
    annotated = max(R, C) <= MOST_ANNOTATED
    cells = [["" if np.isnan(v) else number(float(v), digits) for v in row] for row in values] if annotated else []
    wide = max([0.3, *(text_width(t, 9.5) + 0.2 for row in cells for t in row),
                *(text_width(t, 9) + 0.15 for t in named_columns if annotated)])
    width = C * wide if annotated else 5.0
    height = R * CELL if annotated else float(np.clip(5.0 * R / C, 1.5, 6.0))
    room = max(text_width(name, 9) for name in named_rows)
    figure = new_figure(max(width + room + 1.8, text_width(title, 11) + 0.4), height + 1.3)
    axes = figure.add_subplot()
    image = draw_cells(axes, values, cells, diverging=bool((np.nan_to_num(values) < 0).any()), log=log)
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    for axis, labels in ((axes.xaxis, named_columns), (axes.yaxis, named_rows)):
        every = 1 if annotated else max(1, len(labels) // 8)
        axis.set_ticks(range(0, len(labels), every), labels[::every])
    if unit or not annotated:
        figure.colorbar(image, ax=axes, label=unit, shrink=0.9)
    return figure


def draw_cells(
    axes: Axes, matrix: Array, cells: Sequence[Sequence[str]], *, diverging: bool = False, log: bool = False,
    top: float | None = None,
) -> Any:
    """Colour the cells of a matrix and write their texts, dark on light and light on dark.

    `top` is the number of the darkest colour, by default the largest that there is.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    known = matrix[~np.isnan(matrix)]
    largest = (float(np.abs(known).max()) or 1.0) if top is None else top
    norm: Normalize
    if log:
        above = known[known > 0]
        low = float(above.min()) if len(above) else 0.1
        norm = LogNorm(low, max(float(above.max()) if len(above) else 1.0, low * 10), clip=True)
        matrix = np.where(matrix == 0, low, matrix)
    elif diverging:
        norm = Normalize(-largest * 1.3, largest * 1.3)
    else:
        norm = Normalize(min(0.0, float(known.min())), largest * 1.15)
    palette = colormaps["PuOr_r" if diverging else "Blues"]
    image = axes.imshow(np.ma.masked_invalid(matrix), cmap=palette, norm=norm, aspect="auto")
    for (row, column), value in np.ndenumerate(matrix):
        if cells and cells[row][column]:
            red, green, blue, _ = palette(float(norm(value)))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            axes.text(column, row, cells[row][column], ha="center", va="center", fontsize=9.5,
                      color="white" if dark else "black")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    if cells:
        rows, columns = matrix.shape
        axes.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, color="white", linewidth=2)
        axes.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, color="white", linewidth=2)
    return image
