"""One step of an LSTM with its own numbers: values forward, gradients back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..validate import fail
from . import checks
from .nodes import Point, Row, backward, box, box_width, forward, height, key
from .style import BLACK, BLUE, DARK_VERMILION, GREY, PALE_BLUE, drawing, drawn, number, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The boxes: (name, symbol) of their values, and below these of their gradients.
_BOXES = {
    "c_prev": ([("c_prev", "$c_0$")], [("dc_prev", "$dc_0$")]),
    "c": ([("c", "$c_1$")], [("dc", "$dc_1$")]),
    "tanh_c": ([("tanh_c", "tanh $c_1$")], [("dtanh_c", "$d$tanh")]),
    "h": ([("h", "$h_1$")], [("dh", "$dh_1$")]),
    **{
        gate: (
            [(f"a_{gate}", f"$a_{gate}$"), (gate, f"${gate}$")],
            [(f"d{gate}", f"$d{gate}$"), (f"delta_{gate}", rf"$\delta_{gate}$")],
        )
        for gate in "figo"
    },
}
_NAMES = {"f": "forget gate", "i": "input gate", "g": "candidate", "o": "output gate"}
_PARTS = ("dc_here", "dc_future")  # of dc, written at their arrows
RADIUS, ASIDE, MARGIN = 0.16, 0.08, 0.12  # inches: a circle; an arrow beside its middle line; around the picture


@drawn
def lstm_cell(
    values: Mapping[str, float], gradients: Mapping[str, float] | None = None, *, title: str = "", digits: int = 3
) -> Figure:
    r"""Draw one step of an LSTM with one unit, each place with its own numbers.

    Along the top runs the additive path, :math:`c_1 = f c_0 + i g`: times f, plus something, no matrix and no
    squashing. Solid blue arrows are the forward pass; with `gradients`, dashed vermilion arrows are the backward
    pass and every box has a second part below. A circle multiplies or adds: going back, a sum hands its gradient to
    both sides, a product hands to each side its gradient times the *other* side.

    Parameters
    ----------
    values : {name: number}
        "c_prev", "i", "f", "g", "o", "c", "tanh_c", "h", and the pre-activations "a_i", "a_f", "a_g", "a_o".
    gradients : {name: number}, optional
        ∂L/∂ of each of them: "dc_prev", "di", "df", "dg", "do", "dc", "dtanh_c", "dh"; at the pre-activations
        "delta_i", "delta_f", "delta_g", "delta_o"; and the two parts of dc, "dc_here" (through h) and "dc_future".
    title : str
        Written above the picture.
    digits : int
        Significant digits of every number.

    Raises
    ------
    ArgumentError
        If a name is missing or unknown, or a number is not finite.

    Source: E-LSTM; notebook 11; tests/plots/test_cells.py.
    """
    named = [name for upper, _ in _BOXES.values() for name, _ in upper]
    texts = _texts("values", values, named, digits)
    back = gradients is not None
    if gradients is not None:
        named = [name for _, lower in _BOXES.values() for name, _ in lower]
        texts |= _texts("gradients", gradients, [*named, *_PARTS], digits)
        texts |= {part: f"{part.removeprefix('dc_')} {texts[part]}" for part in _PARTS}
    rows = {box: [Row(symbol, [texts[name]]) for name, symbol in upper] for box, (upper, _) in _BOXES.items()}
    below = {
        box: [Row(symbol, [texts[name]], DARK_VERMILION) for name, symbol in lower] if back else []
        for box, (_, lower) in _BOXES.items()
    }
    wide = {name: box_width(rows[name] + below[name]) for name in _BOXES}
    wide["tanh_c"] += 0.25  # its name is a long one
    wide |= dict.fromkeys("figo", max(wide[gate] for gate in "figo"))
    tall = height(rows["c"]) + height(below["c"])
    gates_high = 0.72 + height(rows["f"]) + height(below["f"])
    middle = gates_high + 0.7 + tall / 2
    top = middle + 0.62 + tall
    x_f = MARGIN + wide["c_prev"] + 0.85
    x_sum = x_f + wide["f"] / 2 + wide["i"] + 0.3
    x_c = x_sum + wide["g"] + 0.6
    x_o = x_c + wide["tanh_c"] / 2 + 0.85
    x_h = x_o + 0.75 + wide["h"] / 2
    x_end = max(x_h + wide["h"] / 2, x_c + wide["c"] / 2 + 1.2)
    places = {
        "c_prev": (MARGIN + wide["c_prev"] / 2, top), "c": (x_c, top), "tanh_c": (x_c, middle), "h": (x_h, middle),
        "f": (x_f, 0.0), "i": (x_sum - wide["i"] / 2 - 0.07, 0.0), "g": (x_sum + wide["g"] / 2 + 0.07, 0.0),
        "o": (x_o, 0.0),
    }
    high = top + tall / 2 + 0.3 + (0.34 if title else 0.0)
    figure, axes = drawing(max(x_end, text_width(title, 11) + MARGIN) + MARGIN, high)
    axes.text(MARGIN, high - MARGIN, title, fontsize=11, va="top")
    key(axes, 0.18, [("forward", False)] + [("backward: ∂L/∂ of what it points at", True)] * back)
    for name, (x, y) in places.items():
        is_gate = name in "figo"
        low = (gates_high if is_gate else y + tall / 2) - height(rows[name])
        box(axes, x - wide[name] / 2, low, wide[name], rows[name], below[name], face="white" if is_gate else PALE_BLUE,
            edge=BLACK if is_gate else BLUE)
        if is_gate:
            axes.text(x, 0.62, _NAMES[name], ha="center", va="center", fontsize=9, color=GREY)
    axes.text((x_f + x_sum) / 2, top + 0.3, "the additive path", ha="center", fontsize=9, color=GREY)

    def link(start: Point, end: Point, back_text: str = "") -> None:
        _link(axes, start, end, texts.get(back_text, ""), back)

    link((MARGIN + wide["c_prev"], top), (x_f - RADIUS, top))
    link((x_f + RADIUS, top), (x_sum - RADIUS, top), "dc")
    link((x_sum + RADIUS, top), (x_c - wide["c"] / 2, top))
    link((x_c + wide["c"] / 2, top), (x_c + wide["c"] / 2 + 1.2, top), "dc_future")
    link((x_f, gates_high), (x_f, top - RADIUS))
    link((x_sum, middle + RADIUS), (x_sum, top - RADIUS), "dc")
    for gate, side in (("i", -1), ("g", 1)):
        link((places[gate][0], gates_high), (x_sum + side * 0.6 * RADIUS, middle - 0.8 * RADIUS))
    link((x_c, top - tall / 2), (x_c, middle + tall / 2), "dc_here")
    link((x_c + wide["tanh_c"] / 2, middle), (x_o - RADIUS, middle))
    link((x_o, gates_high), (x_o, middle - RADIUS))
    link((x_o + RADIUS, middle), (x_h - wide["h"] / 2, middle))
    for x, y, sign in ((x_f, top, "×"), (x_sum, top, "+"), (x_sum, middle, "×"), (x_o, middle, "×")):
        _circle(axes, x, y, sign)
    return figure


def _texts(name: str, given: Mapping[str, float], needed: list[str], digits: int) -> dict[str, str]:
    """Return every needed number as text; nothing may be missing, nothing be left over."""
    if not isinstance(given, Mapping) or set(given) != set(needed):
        got = "a " + type(given).__name__ if not isinstance(given, Mapping) else ", ".join(
            [f"no {entry!r}" for entry in needed if entry not in given]
            + [f"an unknown {entry!r}" for entry in given if entry not in needed]
        )
        fail("lstm_cell", f"{name} has {got}", f"the names {', '.join(needed)}", "every place in the picture has one")
    return {
        entry: number(float(checks.numbers("lstm_cell", f"{name}[{entry!r}]", np.squeeze(given[entry]), ())), digits)
        for entry in needed
    }


def _link(axes: Axes, start: Point, end: Point, back_text: str, back: bool) -> None:
    """Draw an arrow forward and, beside it, one backward: below a level one, to the right of any other."""
    level = start[1] == end[1]
    x, y = (0.0, ASIDE * back) if level else (-ASIDE * back, 0.0)
    forward(axes, (start[0] + x, start[1] + y), (end[0] + x, end[1] + y))
    if not back:
        return
    backward(axes, (end[0] - x, end[1] - y), (start[0] - x, start[1] - y))
    middle = ((start[0] + end[0]) / 2 - x, (start[1] + end[1]) / 2 - y)
    if level:
        axes.text(middle[0], middle[1] - 0.06, back_text, ha="center", va="top", fontsize=9, color=DARK_VERMILION)
    else:
        axes.text(middle[0] + 0.08, middle[1], back_text, ha="left", va="center", fontsize=9, color=DARK_VERMILION)


def _circle(axes: Axes, x: float, y: float, sign: str) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle((x, y), RADIUS, facecolor="white", edgecolor=BLACK, linewidth=1.2, zorder=3))
    axes.text(x, y - 0.01, sign, ha="center", va="center", fontsize=12, zorder=4)
