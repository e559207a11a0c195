"""What holds for every figure: legible, deterministic, without global state, arguments unchanged."""

import copy
import functools
import itertools
import subprocess
import sys

import numpy as np
import pytest

from rnn_from_scratch import plots
from rnn_from_scratch.plots import style
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

pytest.importorskip("matplotlib")

NAN = float("nan")
LN2 = float(np.log(2.0))
x5 = np.array([0.003, 0.01, 0.03, 0.1, 0.3])
h29 = np.logspace(-14, 0, 29)
angles = np.linspace(0, 2 * np.pi, 12, endpoint=False) + 0.1
circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
shares = np.zeros((10, 16))  # an attention map: the first two rows, and one of padding
shares[:9, :4] = [0.1, 0.2, 0.7, 0.0]

LAMP = {
    "xs": np.array([1.5, 0.5, -0.5]), "hs": np.array([0.6, 0.6, -0.6]),
    "deltas": np.array([0.219475, -0.063829, -4 / 15]), "h0": -0.6, "ys": np.array([1.0, 1.0, 0.0]),
    "targets": np.array([0.25, 0.625, 0.75]), "dh_here": np.array([0.416667, 0.208333, -0.416667]),
    "dh_future": np.array([-0.073738, -0.308065, 0.0]), "dh0": 0.253547,
}
LAUGH = {
    "xs": np.eye(3)[[0, 1, 0, 1]],
    "hs": np.array([[-0.345214, 0.446244], [-0.651470, -0.108002], [-0.507422, 0.113531], [-0.484409, -0.411835]]),
    "deltas": np.array([[-0.144305, 0.012548], [0.107809, -0.006059], [-0.100750, 0.057112], [0.061808, 0.017938]]),
    "ys": np.array([
        [0.488542, 0.451811, -0.682769], [0.345575, 0.415359, -0.585065], [0.385409, 0.436420, -0.634936],
        [-0.000757, 0.495861, -0.698979],
    ]),
    "h0": np.array([0.1, -0.5]), "targets": list("aha!"), "labels": list("haha"),
    "dh_here": np.array([[-0.148200, 0.094770], [0.131538, -0.110923], [-0.143855, 0.090361], [0.080758, 0.021602]]),
    "dh_future": np.array([[-0.015628, -0.079102], [0.055765, 0.104792], [0.008169, -0.032503], [0.000000, 0.000000]]),
    "dh0": np.array([0.024469, 0.108542]), "losses": np.array([0.858, 0.903, 0.830, 1.841]),
}
POCKET = {
    "c_prev": 0.8, "a_i": LN2, "i": 2 / 3, "a_f": np.log(3.0), "f": 0.75, "a_g": LN2, "g": 0.6, "a_o": 0.0, "o": 0.5,
    "c": 1.0, "tanh_c": 0.761594, "h": 0.380797,
}
POCKET_BACK = {
    "dh": 1.0, "do": 0.761594, "delta_o": 0.190399, "dtanh_c": 0.5, "dc_here": 0.209987, "dc_future": 0.0,
    "dc": 0.209987, "di": 0.125992, "delta_i": 0.027998, "df": 0.167990, "delta_f": 0.031498, "dg": 0.139991,
    "delta_g": 0.089595, "dc_prev": 0.157490,
}
FIGURES = {
    "lamp": (plots.unrolled, (), LAMP),
    "laugh": (plots.unrolled, (), LAUGH),
    "laugh forward": (plots.unrolled, (LAUGH["xs"], LAUGH["hs"]), {"labels": list("haha"), "title": "The laugh"}),
    "wide numbers": (plots.unrolled, (np.full(3, -0.000123), np.full((3, 2), -1.23e-11), np.full((3, 2), -1.23e-11)),
                     {"dh_here": np.full((3, 2), -0.000123), "dh_future": np.full((3, 2), -1.23e-11)}),
    "lstm_cell": (plots.lstm_cell, (POCKET, POCKET_BACK), {"title": "The pocket"}),
    "lstm_cell forward": (plots.lstm_cell, (POCKET,), {}),
    "lstm_cell wide numbers": (
        plots.lstm_cell, (dict.fromkeys(POCKET, -0.000123), dict.fromkeys(POCKET_BACK, -1.23e-11)), {}
    ),
    "cobweb": (plots.cobweb, (lambda h: np.tanh(5 / 3 * LN2 * h), np.array([0.1, 1.0]), 20),
               {"fixed_points": np.array([-0.6, 0.0, 0.6]), "title": "The lamp's hold"}),
    "curves": (plots.curves, (x5, {"a": x5, "b": 2 * x5}, "rate", "loss (nats)", "Loss"),
               {"bands": {"a": (x5 / 2, x5 * 2)}, "hlines": {"ln 2": LN2}}),
    "crowded curves": (plots.curves, (x5, {"a": x5, "b": 1.001 * x5, "c": 0 * x5}, "rate", "loss (nats)"),
                       {"logx": True, "logy": True, "vlines": {"chosen": 0.02}}),
    "panels": (plots.panels, (
        {"x": x5, "lines": {"a": x5, "b": x5 + 1}, "xlabel": "T", "ylabel": "time (ms)", "title": "Time"},
        {"x": x5, "lines": {"a": x5, "b": x5 + 1}, "xlabel": "T", "ylabel": "memory (MB)", "title": "Memory"},
    ), {"title": "Both"}),
    "v_curve": (plots.v_curve, (h29, {
        "float64": 1e-16 / h29 + h29**2, "float32": 6e-8 / h29 + h29**2, "complex": np.where(h29 < 1e-4, 0, h29**2),
    }), {"title": "V"}),
    "v_curve with slopes": (plots.v_curve, (h29, {
        "forward": 1e-16 / h29 + h29, "central": 1e-16 / h29 + h29**2, "complex": 1e-16 + h29**2,
    }), {"title": "V\nwith slopes", "defaults": {"forward": 1.5e-8, "central": 1e-5, "complex": 1e-20}, "branches": {
        "slope −1: ε|L|/h": (-1, 1e-12, 1e-4), "slope 1": (1, 1e-4, 1e-4), "slope 2": (2, 1e-3, 1e-6),
    }}),
    "flat v_curve": (plots.v_curve, (h29, {"central": np.hypot(1e-3, 1e-16 / h29 + h29**2)}), {
        "branches": {"flat: neither rounding nor truncation": (0, 1e-6, 1e-3)},
    }),
    "one v_curve": (plots.v_curve, (h29, {"float64": 1e-16 / h29 + h29**2}), {}),
    "deltas_by_step": (plots.deltas_by_step, ({"a": 0.7 ** np.arange(30.0), "b": 0.9 ** np.arange(30.0)},), {}),
    "triangle": (plots.triangle, (np.array([
        [-0.16, NAN, NAN], [-0.059149, 0.08, NAN], [0.087464, -0.118297, -0.16],
    ]),), {}),
    "heat_map": (plots.heat_map, (np.array([[1e-10, 0.1], [2e-9, NAN], [0.0, 0.3]]), ["h", "a", "!"]),
                 {"log": True, "unit": "relative error", "title": "Error by entry", "xlabel": "unit"}),
    "large heat_map": (plots.heat_map, (np.outer(np.arange(30.0) - 9, np.ones(20)),), {"unit": "error"}),
    "confusion_matrix": (plots.confusion_matrix, ([[9612, 88], [121, 179]], ["no event", "event"]), {"title": "0.5"}),
    "confusion_matrix of many": (plots.confusion_matrix, (3000 * np.eye(8, dtype=int) + 1,), {}),
    "confusion_matrix of more": (plots.confusion_matrix, (3000 * np.eye(9) + 1,), {"title": "Nine classes"}),
    "attention_map": (plots.attention_map, (shares, "17 марта 1998 г.", "1998-03-17"), {"title": "Where it looked"}),
    "attention_map with words": (plots.attention_map, (
        shares[:, :4], ["1998", "year", "3", "month"], "1998-03-17",
    ), {}),
    "weighted_mean": (plots.weighted_mean, (
        [[2, 0], [2, -2], [-1, 1]], [0.5, 0.25, 0.25], ["$m_1$", "$m_2$", "$m_3$"],
    ), {"title": "The context"}),
    "bars": (plots.bars, ({"dW_xh": 0.0, "dW_hh": -0.33, "db_h": 0.75},), {"xlabel": "norm", "title": "Zeros"}),
    "log bars": (plots.bars, ({"dW_xh": 0.0, "dW_hh": 1e-12, "db_h": 0.75},), {"xlabel": "norm", "log": True}),
    "grouped_bars": (plots.grouped_bars, (["carry dropped", "scale"], {
        "small": np.array([0.9, 1.0]), "proper": np.array([0.0, 0.01]),
    }), {"xlabel": "missed (%)", "percent": True}),
    "ratio_dots": (plots.ratio_dots, (["1, 100, 10, 5", "128, 100, 64, 128"], {
        "training": {"RNN": [0.02, 0.9], "LSTM": np.array([NAN, 1.3])}, "inference": {"LSTM": [1.0, 3.0]},
    }), {"xlabel": "our time / PyTorch's", "ylabel": "N, T, D, H", "title": "float32, one thread"}),
    "long ratio_dots": (plots.ratio_dots, ([f"128, 100, 64, {k}" for k in range(100, 118)], {"training": {
        "RNN": np.geomspace(0.1, 1, 18), "LSTM": np.geomspace(0.5, 1, 18), "GRU": np.geomspace(1, 0.3, 18),
    }}), {"xlabel": "our time / PyTorch's"}),
    "range_test": (plots.range_test, (
        np.geomspace(1e-4, 10.0, 30), np.r_[np.full(15, 1.4), np.linspace(1.4, 0.4, 10), [0.5, 0.8, 1.5, 3.1, 9.0]],
        np.r_[np.full(15, 1.4), np.linspace(1.4, 0.5, 10), [0.6, 0.9, 1.5, 2.0, 4.0]], 0.1,
    ), {}),
    "plain range_test": (plots.range_test, ([0.1, 0.2, 0.4], [1.0, 1.1, 0.9], [1.0, 1.0, 1.0]), {"title": "Nothing"}),
    "waterfall": (plots.waterfall, (["gate by gate", "one matrix", "in place", "the kernel"], {
        "small\nN, T, D, H = 1, 100, 10, 5": [1.0, 2.0, 0.9, 5.5], "middle": [1.0, 1.25, 1.0, 1.5],
        "large\nN, T, D, H = 64, 100, 128, 256": np.array([1.0, 1.1, 1.02, 1.2]),
    }), {"title": "What each trick gains"}),
    "one waterfall": (plots.waterfall, (["a", "b"], {"": [1.0, 0.5]}), {}),
    "surprise": (plots.surprise, (
        "If a *b*,\n   then (c) Wq.\nEnd", np.array([NAN, *np.arange(28) % 11.0]),
    ), {"title": "Cost"}),
    "hidden_units": (plots.hidden_units, ("haha(a!)\n a!", np.stack([np.linspace(-1, 1, 12), np.zeros(12)])), {
        "title": "Two units", "columns": 6, "labels": ["unit 3", "unit 17"],
    }),
    "one of hidden_units": (plots.hidden_units, ("ha", [0.0, 2.0]), {"low": 0.0, "high": 2.0}),
    "singular_values": (plots.singular_values, ({
        "RNN": np.array([0.9, 0.5, 0.1]) ** np.arange(9.0)[:, None],
        "LSTM": np.where(np.arange(9)[:, None] < [9, 7, 2], [1.0, 0.5, 0.001], 0.0),
    },), {"title": "How the last state depends on earlier ones"}),
    "one of singular_values": (plots.singular_values, (np.array([[1.0], [0.5]]),), {}),
    "gradient_flow": (plots.gradient_flow, ({
        name: (np.append(np.zeros(9), 1.0), size * 0.5 ** np.arange(9, -1, -1.0))
        for name, size in (("h", 1.0), ("gate i", 0.1), ("gate f", 0.01), ("gate g", 0.1), ("gate o", 0.2))
    },), {"title": "A loss at the end alone"}),
    "one gradient_flow": (plots.gradient_flow, ({"h": ([0.1, 0.2], [0.3, 0.0])},), {"logy": False}),
    "saliency": (plots.saliency, ("ha(h a", {
        "gradient": [0.1, -0.2, 0.0, 1.0, 0.3, 0.1], "taken away": np.array([1e-9, -2e-9, 0.0, 3e-9, 0.0, 0.0]),
    }), {"title": "What the choice depends on", "ylabel": "change of the logit"}),
    "saliency of words": (plots.saliency, (["switch on", "hold", "hold"], {"gradient": [1e-5, 0.5, 1.0]}), {}),
    "trajectories": (plots.trajectories, ({
        "open": np.stack([circle, 0.5 * circle], axis=1), "none": np.where(angles[:, None] > 2, circle - 3, NAN),
    },), {"title": "States in the plane"}),
    "loss_surface": (plots.loss_surface, (
        np.linspace(0, 1, 9), np.linspace(-1, 1, 7), np.add.outer(np.linspace(-1, 1, 7) ** 2, np.linspace(0, 1, 9)),
        {"without a clip": [[0.9, -0.5], [0.4, -0.2], [-3.0, 0.5]], "by norm": [[0.9, -0.5], [0.5, 0.0]]},
    ), {"title": "A valley", "xlabel": "w", "ylabel": "b"}),
    "log loss_surface": (plots.loss_surface, ([0, 1], [0, 1], [[1e-6, 1e-2], [1.0, 10.0]]), {"log": True}),
    "scatter": (plots.scatter, ({
        "RNN, open": ([1.0, 0.99], [0.5, 0.45]), "RNN, letter": ([0.98, 1.0, 0.97], [0.0, 0.0, 0.01]),
    }, "read by a probe", "right brackets lost", "Shown and used"), {"vlines": {"guess": 0.5}, "hlines": {"none": 0}}),
    "windows": (plots.windows, ([(0, 0, 4), (0, 4, 8), (4, 8, 12)], 12), {"title": "(4, 8)"}),
    "clips": (plots.clips_on_circle, ({
        "as printed": (circle, np.sign(circle)), "by norm": (circle, 0.3 * circle),
    }, 0.3), {"title": "Clips"}),
    "course_map": (plots.course_map, ([
        ("E2.1a", "01 one recurrent step", "cells.RNNCell", "check_cell"),
        ("E2.1b", "01 one recurrent step", "layers.Dense", "check_layer"),
        ("E-BPTT", "04 backpropagation through time", "bptt.unroll_backward", "check_cell"),
    ],), {"title": "The map"}),
}


@functools.cache
def drawn(name):
    """Draw a figure, as PNG too, once for all tests: most of their time is drawing. `before` has its arguments."""
    function, args, options = FIGURES[name]
    before = copy.deepcopy((args, options))
    figure = function(*args, **options)
    return args, options, before, figure._repr_png_(), figure


@pytest.fixture(params=FIGURES, scope="module")
def case(request):
    """One figure, with what it was drawn from."""
    return drawn(request.param)


def _texts(figure):
    """The texts that are seen, each with its box; the figure was drawn before, which put them into their places."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    renderer = FigureCanvasAgg(figure).get_renderer()
    with style.style():
        # Tick labels outside the view stay as objects that are not drawn.
        hidden = set()
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                drawn = axis._update_ticks() if axes.axison else []
                every = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
                hidden |= {id(t) for tick in every if tick not in drawn for t in (tick.label1, tick.label2)}
        found = [
            text for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip() and id(text) not in hidden
        ]
        return [(text.get_text(), text.get_window_extent(renderer)) for text in found]


def test_no_texts_overlap_and_none_is_cut_off(case):
    figure = case[-1]
    boxes = _texts(figure)
    assert len(boxes) >= 4
    for text, box in boxes:
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= figure.bbox.x1 + 1, text
        assert box.y1 <= figure.bbox.y1 + 1, text
    for (first, a), (second, b) in itertools.combinations(boxes, 2):
        wide, tall = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 1 or tall <= 1, f"{first!r} and {second!r} overlap by {wide:.1f} × {tall:.1f} pixels"


def test_png_without_version_and_arguments_unchanged(case):
    args, options, before, png, _ = case
    assert png.startswith(b"\x89PNG")
    assert b"Software" not in png
    assert _equal(before, (args, options))


# A diagram placed by hand, curves with a list outside, two axes, a scale.
@pytest.mark.parametrize("name", ["lamp", "crowded curves", "panels", "heat_map"])
def test_same_png_shown_again_and_drawn_again(name):
    function, args, options = FIGURES[name]
    *_, first, figure = drawn(name)
    assert first == figure._repr_png_()
    assert first == function(*args, **options)._repr_png_()


def test_fits_a_notebook(case):
    width, height = case[-1].get_size_inches()
    assert width <= 10.6
    assert height <= 7.4


def _equal(a, b):
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=True)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    return callable(a) or a == b


def test_the_readers_settings_neither_change_nor_reach_in():
    import matplotlib

    plain = plots.bars({"a": 1.0, "b": 0.0}, xlabel="size")._repr_png_()
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "figure.facecolor": "red"}):
        assert plots.bars({"a": 1.0, "b": 0.0}, xlabel="size")._repr_png_() == plain
    assert dict(matplotlib.rcParams) == before


def test_import_needs_numpy_alone_and_pyplot_is_never_imported():
    code = (
        "import sys, rnn_from_scratch.plots as p; assert 'matplotlib' not in sys.modules; "
        "p.deltas_by_step([1.0, 0.5])._repr_png_(); assert 'matplotlib' in sys.modules; "
        "p.cobweb(lambda h: h / 2, 1.0, 3); p.heat_map([[1.0]]); p.windows([(0, 0, 1)], 1); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_function_is_here():
    assert {function.__name__ for function, _, _ in FIGURES.values()} == set(plots.__all__)


def test_without_matplotlib_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    with pytest.raises(ImportError, match="needs matplotlib: python -m pip install matplotlib"):
        plots.deltas_by_step([1.0])


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "0"), (-0.0, "0"), (0.6, "0.6"), (-4 / 15, "−0.267"), (7.7e-14, "7.7e−14"), (12345.0, "12300"),
    (1.5e9, "1.5e9"), (-0.000757, "−0.000757"), (999.9, "1000"),
])
def test_number(value, text):
    assert style.number(value) == text


def test_spread_keeps_order_and_gap_and_moves_only_what_touches():
    np.testing.assert_allclose(style.spread(np.array([0.0, 5.0, 5.0, 9.0]), 1.0), [0.0, 4.5, 5.5, 9.0])
    np.testing.assert_allclose(style.spread(np.array([3.0, 1.0, 3.0]), 2.0), [3 - 2 / 3, 1 - 2 / 3, 5 - 2 / 3])


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: plots.unrolled(np.ones((3, 1, 1)), np.ones(3)), ShapeError,
     r"unrolled: xs has shape \(3, 1, 1\), expected \(3, n\).*One sequence of a batch is xs\[:, 0\]"),
    (lambda: plots.unrolled(np.ones(3), np.ones(4)), ShapeError, r"xs has shape \(3, 1\), expected \(4, n\)"),
    (lambda: plots.unrolled([], []), ShapeError, r"hs has shape \(0, 1\)"),
    (lambda: plots.unrolled([1.0], [NAN]), ArgumentError, r"hs\[0, 0\] is nan"),
    (lambda: plots.unrolled(["h"], [1.0]), DtypeError, "xs has dtype <U1, expected real numbers"),
    (lambda: plots.unrolled([1j], [1.0]), DtypeError, "xs has dtype complex128"),
    (lambda: plots.unrolled(np.ones(9), np.ones(9)), ShapeError, "hs has 9 time steps, expected at most 8"),
    (lambda: plots.unrolled(np.ones(2), np.ones((2, 5))), ShapeError, "H is 5, expected at most 4"),
    (lambda: plots.unrolled([1.0], [1.0], dh_here=[1.0], dh_future=[0.0]), ArgumentError, "given without deltas"),
    (lambda: plots.unrolled([1.0], [1.0], [1.0], dh_here=[1.0]), ArgumentError, "expected both or neither"),
    (lambda: plots.unrolled([1.0], [1.0], dh0=1.0), ArgumentError, "dh0 is given alone"),
    (lambda: plots.unrolled([1.0], [1.0], labels=["a", "b"]), ShapeError, "labels has 2 entries, expected 1"),
    (lambda: plots.unrolled([1.0], [1.0], targets=["a", "b"]), ShapeError, "targets has 2 entries, expected 1"),
    (lambda: plots.lstm_cell({**POCKET, "z": 1.0}), ArgumentError, "values has an unknown 'z', expected the names c"),
    (lambda: plots.lstm_cell(POCKET, {"dh": 1.0}), ArgumentError, "gradients has no 'dc_prev', no 'dc'"),
    (lambda: plots.lstm_cell([1.0]), ArgumentError, "values has a list"),
    (lambda: plots.lstm_cell({**POCKET, "c": NAN}), ArgumentError, r"values\['c'\] is nan"),
    (lambda: plots.lstm_cell({**POCKET, "c": [1.0, 2.0]}), ShapeError, r"values\['c'\] has shape \(2,\)"),
    (lambda: plots.cobweb(np.tanh, 2.0, 3), ArgumentError, r"start is \[2.0\], expected inside the limits"),
    (lambda: plots.cobweb(np.tanh, 0.5, 0), ArgumentError, "steps is 0, expected a whole number of at least 1"),
    (lambda: plots.cobweb(np.tanh, 0.5, 3, fixed_points=[0.5]), ArgumentError, r"fixed_points has 0.5, expected fun"),
    (lambda: plots.cobweb(lambda h: h[:1], 0.5, 3), ArgumentError, r"function returns shape \(1,\)"),
    (lambda: plots.cobweb(lambda h: h * NAN, 0.5, 3), ArgumentError, "is nan"),
    (lambda: plots.curves([1, 2], {"a": [1, 2, 3]}, "x", "y"), ShapeError,
     r"lines\['a'\] has shape \(3,\), expected \(2,\) because x has 2 entries"),
    (lambda: plots.curves([1, 2], [1, 2], "x", "y"), DtypeError, "lines is a list, expected a dictionary"),
    (lambda: plots.curves([1, 2], {}, "x", "y"), ArgumentError, "there is nothing to draw"),
    (lambda: plots.curves([1, 2], {str(k): [1, 2] for k in range(9)}, "x", "y"), ArgumentError, "lines has 9 entries"),
    (lambda: plots.curves([1, 2], {"a": [1, NAN]}, "x", "y"), ArgumentError, r"lines\['a'\]\[1\] is nan"),
    (lambda: plots.curves([0, 2], {"a": [1, 2]}, "x", "y", logx=True), ArgumentError, r"x\[0\] is 0, expected num"),
    (lambda: plots.curves([1, 2], {"a": [1, -2]}, "x", "y", logy=True), ArgumentError, "the axis is logarithmic"),
    (lambda: plots.curves([1], {"a": [1]}, "x", "y", bands={"b": ([1], [2])}), ArgumentError, "bands has 'b'"),
    (lambda: plots.curves([1], {"a": [1]}, "x", "y", logy=True, bands={"a": ([0], [2])}), ArgumentError,
     r"bands\['a'\]\[0, 0\] is 0"),
    (lambda: plots.curves([1], {"a": [[1], [2, 3]]}, "x", "y"), ShapeError, "rows of unequal lengths"),
    (lambda: plots.panels(), ArgumentError, "0 panels given, expected 1 to 3"),
    (lambda: plots.panels({"x": [1]}), ArgumentError, r"parts\[0\] has the keys \['x'\]"),
    (lambda: plots.v_curve([0.1, -0.1], {"a": [1, 1]}), ArgumentError, r"x\[1\] is -0.1"),
    (lambda: plots.v_curve([0.1, 0.2], {"a": [NAN, NAN]}), ArgumentError, r"errors\['a'\] is NaN everywhere"),
    (lambda: plots.v_curve([0.1], {"a": [1]}, defaults={"b": 0.1}), ArgumentError, r"defaults has 'b', expected one"),
    (lambda: plots.v_curve([0.1], {"a": [1]}, defaults={"a": 0.0}), ArgumentError, r"defaults\['a'\] is 0.0"),
    (lambda: plots.v_curve([0.1], {"a": [1]}, branches={"s": (1, 2)}), ArgumentError,
     r"branches\['s'\] is \(1, 2\), expected \(slope, h, error\)"),
    (lambda: plots.v_curve([0.1], {"a": [1]}, branches={"s": (1, 2, -1)}), ArgumentError, r"\['s'\]\[2\] is -1"),
    (lambda: plots.deltas_by_step([[1.0]]), ShapeError, r"norms\['‖δ‖'\] has shape \(1, 1\)"),
    (lambda: plots.triangle(np.ones((2, 3))), ShapeError, r"contributions has shape \(2, 3\), expected \(T, T\)"),
    (lambda: plots.triangle(np.ones((2, 2))), ArgumentError, "numbers above the diagonal.*try the transpose"),
    (lambda: plots.triangle([[NAN]]), ArgumentError, "NaN on or below the diagonal"),
    (lambda: plots.triangle(np.eye(13)), ShapeError, "at most 12 steps"),
    (lambda: plots.heat_map([1.0]), ShapeError, r"matrix has shape \(1,\), expected \(R, C\)"),
    (lambda: plots.heat_map([[NAN]]), ArgumentError, "NaN everywhere"),
    (lambda: plots.heat_map([[1.0]], ["a", "b"]), ShapeError, "row_labels has 2 entries, expected 1"),
    (lambda: plots.heat_map([[-1.0]], log=True), ArgumentError, r"matrix\[0, 0\] is -1"),
    (lambda: plots.confusion_matrix([[1, 2]]), ShapeError, r"matrix has shape \(1, 2\), expected \(K, K\)"),
    (lambda: plots.confusion_matrix([1, 2]), ShapeError, r"matrix has shape \(2,\)"),
    (lambda: plots.confusion_matrix([[0.5, 0.5], [0, 1]]), ArgumentError, "no counts.*not shares of rows"),
    (lambda: plots.confusion_matrix([[1, -1], [0, 1]]), ArgumentError, "no counts, expected whole numbers"),
    (lambda: plots.confusion_matrix([[1, NAN], [0, 1]]), ArgumentError, r"matrix\[0, 1\] is nan"),
    (lambda: plots.confusion_matrix(np.zeros((2, 2))), ArgumentError, "matrix is 0 everywhere"),
    (lambda: plots.confusion_matrix([[1, 0], [0, 1]], ["a"]), ShapeError, "labels has 1 entries, expected 2"),
    (lambda: plots.attention_map([[0.5, 0.4]], "ab", "c"), ArgumentError, "row 0 of weights sums to 0.9.*transpose"),
    (lambda: plots.attention_map([[1.5, -0.5]], "ab", "c"), ArgumentError, "shares of 1, none negative"),
    (lambda: plots.attention_map(np.eye(3)[:, [0, 1]], "ab", "cd"), ShapeError, "target has 2 entries, expected 3"),
    (lambda: plots.attention_map(np.eye(1, 35), "a" * 35, "b"), ArgumentError, "at most 24 rows and 34 columns"),
    (lambda: plots.attention_map([[1.0, 0.0]], "1年", "1"), ArgumentError, r"source\[1\] is '年', expected letters"),
    (lambda: plots.weighted_mean([[1, 2]], [0.9], ["m"]), ArgumentError, "weights sum to 0.9"),
    (lambda: plots.weighted_mean([[1, 2]], [0.5, 0.5], ["m"]), ShapeError, r"expected \(1,\) because there are 1"),
    (lambda: plots.weighted_mean(np.ones((7, 2)), np.full(7, 1 / 7), list("abcdefg")), ArgumentError, "at most 6"),
    (lambda: plots.bars({}, xlabel=""), ArgumentError, "values has 0 entries"),
    (lambda: plots.bars({"a": [1.0]}, xlabel=""), ShapeError, r"values\['a'\] has shape \(1,\)"),
    (lambda: plots.bars({"a": -1.0}, xlabel="", log=True), ArgumentError, "the axis is logarithmic"),
    (lambda: plots.grouped_bars(["a"], {"s": [1, 2]}, xlabel=""), ShapeError, "because there are 1 groups"),
    (lambda: plots.ratio_dots([], {"a": {"b": []}}, xlabel=""), ArgumentError, "places has 0 entries, expected 1 to"),
    (lambda: plots.ratio_dots(["p"], {}, xlabel=""), ArgumentError, "panels has 0 entries, expected a dictionary of 1"),
    (lambda: plots.ratio_dots(["p"], {"a": {k: [1] for k in "bcde"}}, xlabel=""), ArgumentError, "at most 3"),
    (lambda: plots.ratio_dots(["p"], {"a": {"b": [1, 2]}}, xlabel=""), ShapeError, "because there are 1 places"),
    (lambda: plots.ratio_dots(["p"], {"a": {"b": [0.0]}}, xlabel=""), ArgumentError, r"\['b'\]\[0\] is 0, expected"),
    (lambda: plots.ratio_dots(["p"], {"a": {"b": [NAN]}}, xlabel=""), ArgumentError, "is NaN everywhere"),
    (lambda: plots.range_test([0.1, 0.2], [1.0], [1.0, 1.0]), ShapeError, r"losses has shape \(1,\), expected \(2,\)"),
    (lambda: plots.range_test([0.1, 0.2], [1.0, 1.0], [1.0]), ShapeError, r"smoothed has shape \(1,\), exp"),
    (lambda: plots.range_test([0.2, 0.1], [1.0, 1.0], [1.0, 1.0]), ArgumentError, "rates do not rise"),
    (lambda: plots.range_test([0.0, 0.1], [1.0, 1.0], [1.0, 1.0]), ArgumentError, r"rates\[0\] is 0"),
    (lambda: plots.range_test([0.1, 0.2], [1.0, NAN], [1.0, 1.0]), ArgumentError, r"losses\[1\] is nan"),
    (lambda: plots.range_test([0.1], [1.0], [1.0], -0.1), ArgumentError, "suggestion is -0.1"),
    (lambda: plots.surprise(b"a", [1.0]), DtypeError, "text is a bytes, expected a str"),
    (lambda: plots.surprise("ab", [1.0]), ShapeError, r"bits has shape \(1,\), expected \(2,\) because text has 2"),
    (lambda: plots.surprise("", []), ShapeError, "at least one number"),
    (lambda: plots.surprise("ab", [1.0, -0.5]), ArgumentError, "bits holds -0.5, expected numbers of at least 0"),
    (lambda: plots.surprise("ab", [1.0, np.inf]), ArgumentError, r"bits\[1\] is inf"),
    (lambda: plots.surprise("a" * 81, np.ones(81)), ArgumentError, "text has 1 lines of up to 81 characters"),
    (lambda: plots.surprise("a\n" * 25, np.ones(50)), ArgumentError, "text has 25 lines of up to 2 characters"),
    (lambda: plots.surprise("年", [1.0]), ArgumentError, r"text\[0\] is '年', expected letters of DejaVu Sans"),
    (lambda: plots.surprise("a", [1.0], most=0.0), ArgumentError, "most is 0.0, expected a finite number above 0"),
    (lambda: plots.windows([(0, 2, 2)], 4), ArgumentError, r"windows\[0\] is \(0, 2, 2\)"),
    (lambda: plots.windows([(0, 2, 5)], 4), ArgumentError, "end ≤ T = 4"),
    (lambda: plots.windows([], 4), ShapeError, "windows has shape"),
    (lambda: plots.clips_on_circle({"a": (circle, circle[:2])}, 0.3), ShapeError, r"expected \(12, 2\)"),
    (lambda: plots.clips_on_circle({"a": (circle, circle)}, 0.0), ArgumentError, "threshold is 0.0"),
    (lambda: plots.clips_on_circle({"a": circle}, 0.3), ArgumentError, "is not a pair"),
    (lambda: plots.course_map([]), ArgumentError, "rows has 0 entries"),
    (lambda: plots.course_map([("a", "b", "c")]), ShapeError, "4 texts: article, notebook, code, proof"),
])
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
