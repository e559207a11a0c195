"""The cell writes every number it is given at what it belongs to, and draws each way back beside its way forward."""

import matplotlib.patches
import numpy as np

from rnn_from_scratch import plots

VALUES = {
    "c_prev": 0.8, "a_i": 0.11, "i": 0.12, "a_f": 0.21, "f": 0.22, "a_g": 0.31, "g": 0.32, "a_o": 0.41, "o": 0.42,
    "c": 1.5, "tanh_c": 1.6, "h": 1.7,
}
GRADIENTS = {name: -value for name, value in {
    "dc_prev": 0.8, "di": 0.11, "delta_i": 0.12, "df": 0.21, "delta_f": 0.22, "dg": 0.31, "delta_g": 0.32, "do": 0.41,
    "delta_o": 0.42, "dc": 1.5, "dtanh_c": 1.6, "dh": 1.7, "dc_here": 1.8, "dc_future": 1.9,
}.items()}
SYMBOLS = {
    "$c_0$": "0.8", "$c_1$": "1.5", "tanh $c_1$": "1.6", "$h_1$": "1.7",
    **{f"$a_{gate}$": f"0.{n}1" for n, gate in enumerate("ifgo", start=1)},
    **{f"${gate}$": f"0.{n}2" for n, gate in enumerate("ifgo", start=1)},
}
BACK = {
    "$dc_0$": "−0.8", "$dc_1$": "−1.5", "$d$tanh": "−1.6", "$dh_1$": "−1.7",
    **{f"$d{gate}$": f"−0.{n}1" for n, gate in enumerate("ifgo", start=1)},
    **{rf"$\delta_{gate}$": f"−0.{n}2" for n, gate in enumerate("ifgo", start=1)},
}


def _texts(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def _arrows(figure, solid):
    """Start and end of every solid (or dashed) arrow but the one that explains them."""
    ways = []
    for patch in figure.axes[0].patches:
        if isinstance(patch, matplotlib.patches.FancyArrowPatch) and (patch.get_linestyle() == "-") == solid:
            path = patch.get_path().vertices
            ways.append((path[0], path[-1]))
    return [way for way in ways if way[0][1] > 0.3]


def test_forward_has_every_number_and_no_way_back():
    figure = plots.lstm_cell(VALUES, title="The pocket")
    texts = _texts(figure)
    assert {symbol: texts[texts.index(symbol) + 1] for symbol in SYMBOLS} == SYMBOLS
    assert {"The pocket", "the additive path", "forget gate", "input gate", "candidate", "output gate"} <= set(texts)
    assert (texts.count("×"), texts.count("+")) == (3, 1)
    assert len(_arrows(figure, solid=True)) == 12
    assert not _arrows(figure, solid=False)
    assert not set(texts) & set(BACK)


def test_backward_has_every_gradient_and_the_two_parts_of_dc():
    figure = plots.lstm_cell(VALUES, GRADIENTS)
    texts = _texts(figure)
    assert {symbol: texts[texts.index(symbol) + 1] for symbol in {**SYMBOLS, **BACK}} == {**SYMBOLS, **BACK}
    assert {"here −1.8", "future −1.9"} <= set(texts)
    assert texts.count("−1.5") == 3  # in its box, and handed on to both sides of the sum


def test_each_way_back_runs_beside_its_way_forward():
    figure = plots.lstm_cell(VALUES, GRADIENTS)
    solid, dashed = _arrows(figure, solid=True), _arrows(figure, solid=False)
    assert len(solid) == len(dashed) == 12
    for (start, end), (back_start, back_end) in zip(solid, dashed, strict=True):
        assert np.hypot(*(start - back_end)) < 0.35
        assert np.hypot(*(end - back_start)) < 0.35
        assert (end - start) @ (back_end - back_start) < 0
