"""One look for every figure: a palette safe for the colour-blind, line styles that also read in grey.

Matplotlib is imported inside functions only, and pyplot never: a figure here belongs to whoever
holds it, no global state knows of it, and it shows itself in a notebook.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, cast

import numpy as np

from ..arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 100

# Okabe and Ito, "Color universal design" (2008).
BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)
GREY, MIDDLE_GREY, PALE_GREY = "#595959", "#8C8C8C", "#D9D9D9"
DARK_VERMILION = "#A34700"  # for text: small letters need more contrast than lines
PALE_BLUE, PALE_VERMILION = "#E3F0F8", "#FCEADF"


class Look(NamedTuple):
    """How one line of several is drawn: any one of the three tells it from the others."""

    color: str
    linestyle: Any
    marker: str


LOOKS = (
    Look(BLUE, "-", "o"), Look(VERMILION, "--", "s"), Look(GREEN, "-.", "^"), Look(ORANGE, ":", "D"),
    Look(PURPLE, (0, (6, 1, 1, 1, 1, 1)), "v"), Look(SKY, (0, (1, 1)), "P"), Look(BLACK, (0, (8, 2)), "X"),
    Look(GREY, "-", "*"),
)
HATCHES = ("", "///", "...", "xx", "\\\\\\", "++", "oo", "--")

_STYLE: dict[str, Any] = {
    "figure.dpi": DPI, "savefig.dpi": DPI, "font.family": "DejaVu Sans", "mathtext.fontset": "dejavusans",
    "font.size": 10, "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titlepad": 10, "axes.labelsize": 10,
    "xtick.labelsize": 9, "ytick.labelsize": 9, "legend.fontsize": 9, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY, "axes.linewidth": 0.8,
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": BLACK, "ytick.labelcolor": BLACK,
    "axes.grid": True, "grid.color": PALE_GREY, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "lines.linewidth": 1.8, "lines.markersize": 5, "hatch.linewidth": 0.7, "svg.hashsalt": "rnn_from_scratch",
}

P = ParamSpec("P")


def style() -> AbstractContextManager[None]:
    """Give the style as a context; the reader's own matplotlib settings neither reach in nor change."""
    try:
        import matplotlib.style
    except ImportError as error:
        raise ImportError("rnn_from_scratch.plots needs matplotlib: python -m pip install matplotlib") from error
    return cast(AbstractContextManager[None], matplotlib.style.context(["default", _STYLE]))


def _repr_png_(figure: Figure) -> bytes:
    """Return the picture as PNG: the same bytes each time (no date, no version inside)."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


@functools.cache
def figure_class() -> type[Figure]:
    """Make the Figure that shows itself in a notebook; matplotlib's own needs pyplot for that."""
    from matplotlib.figure import Figure as Base

    return cast("type[Figure]", type("Figure", (Base,), {"_repr_png_": _repr_png_, "__doc__": Base.__doc__}))


def new_figure(width: float = 8.0, height: float = 4.0) -> Figure:
    """Return an empty figure of this size in inches."""
    return figure_class()(figsize=(width, height), layout="constrained")


def drawn(function: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run a drawing function in the style, and fix the layout so that every rendering is the same."""

    @functools.wraps(function)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with style():
            figure = function(*args, **kwargs)
            if figure.get_layout_engine() is not None:
                figure.draw_without_rendering()  # the layout engine moves the axes here, once
                figure.set_layout_engine("none")
        return figure

    return in_style


def drawing(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure whose one axes measures in inches, without frame or ticks: for diagrams."""
    figure = new_figure(width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return figure, axes


def number(value: float, digits: int = 3) -> str:
    """Write a number with at most `digits` significant digits and a true minus sign: −0.267, 0.6, 1.2e−14."""
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    if exponent and -1 < int(exponent) < 6:
        return f"{float(f'{value:.{digits}g}'):.0f}".replace("-", "−")
    return (mantissa + (f"e{int(exponent)}" if exponent else "")).replace("-", "−")


def text_width(text: str, size: float = 10.0) -> float:
    """Return the width of a text in inches."""
    return max(sum(_advance(letter) for letter in line) for line in text.split("\n")) * size / 100 * 1.03


def has_letter(letter: str) -> bool:
    """Say whether the figures' font can write a letter; matplotlib would draw an empty box and warn."""
    return bool(_font().get_char_index(ord(letter)))


@functools.cache
def _advance(letter: str) -> float:
    """Return how far a letter of 100 points moves the pen, in inches."""
    font = _font()
    font.set_size(100.0, 72)  # each time: matplotlib shares the object, and draws with it
    return float(font.load_char(ord(letter)).linearHoriAdvance / 65536 / 72)


def _font() -> Any:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family="DejaVu Sans")))


def spread(positions: Array, gap: float) -> Array:
    """Push positions apart to at least `gap`, in their order, moving the group's centre as little as possible."""
    order = np.argsort(positions, kind="stable")
    placed = np.array(positions, dtype=np.float64)
    ranks = np.arange(len(placed)) * gap
    # Least squares under "each at least `gap` above the one below" is isotonic regression: merge offending runs.
    runs: list[list[float]] = []
    for value in placed[order] - ranks:
        runs.append([value, 1])
        while len(runs) > 1 and runs[-2][0] > runs[-1][0]:
            (a, n), (b, m) = runs[-2], runs.pop()
            runs[-1] = [(a * n + b * m) / (n + m), n + m]
    placed[order] = np.concatenate([np.full(int(n), mean) for mean, n in runs]) + ranks
    return placed
