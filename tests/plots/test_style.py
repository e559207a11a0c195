"""One style for the whole course: a palette that survives colour blindness and a grey printer; nothing beside it."""

import ast
import base64
import inspect
import itertools
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from rnn_from_scratch import plots
from rnn_from_scratch.plots import style

ROOT = Path(__file__).parents[2]
DRAWING = sorted(path for path in (ROOT / "rnn_from_scratch/plots").glob("*.py") if path.name != "style.py")
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
PLAIN = {"white", "black", "none"}
MAPS = {"Blues": True, "Greys": True, "PuOr_r": False}  # True: from light to dark, so that grey keeps the order

# Machado, Oliveira & Fernandes (2009), table 1, severity 1.0: linear RGB as seen without one kind of cone.
BLIND = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(color):
    """Linear RGB of "#RRGGBB"."""
    parts = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* (D65) of linear RGB."""
    rgb = np.clip(rgb, 0.0, 1.0)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    ratio = xyz / [0.9505, 1.0, 1.089]
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(color):
    """WCAG 2's contrast with white."""
    return 1.05 / (linear(color) @ [0.2126, 0.7152, 0.0722] + 0.05)


@pytest.mark.parametrize("kind", BLIND)
def test_lines_side_by_side_differ_whatever_the_eye(kind):
    """At least 15 units of CIELAB apart, several times what an eye just notices; dashes and markers differ besides."""
    seen = [lab(np.asarray(BLIND[kind]) @ linear(look.color)) for look in style.LOOKS]
    for (one, a), (other, b) in itertools.combinations(zip(style.LOOKS, seen, strict=True), 2):
        assert np.linalg.norm(a - b) > 15, (one.color, other.color)


def test_colour_is_never_all_that_tells_two_lines_apart():
    """Each has a marker of its own, and a dash pattern: only the eighth line is solid as the first is."""
    dashes = [str(look.linestyle) for look in style.LOOKS]
    assert len(set(dashes[:-1])) == len(dashes) - 1
    assert len({look.marker for look in style.LOOKS}) == len({look.color for look in style.LOOKS}) == len(style.LOOKS)
    assert len(set(style.HATCHES)) == len(style.HATCHES) == len(style.LOOKS)


def test_letters_have_the_contrast_that_small_text_needs():
    for color in (style.BLACK, style.GREY, style.DARK_VERMILION, style.BLUE):
        assert contrast(color) >= 4.5, color
    for color in (style.VERMILION, style.GREEN, style.MIDDLE_GREY):  # lines
        assert contrast(color) >= 3.0, color


@pytest.mark.parametrize("name", plots.__all__)
def test_every_figure_is_drawn_in_the_style(name):
    function = getattr(plots, name)
    assert hasattr(function, "__wrapped__"), f"{name} lacks @drawn"
    assert "style()" in inspect.getsource(function.__code__)


def literals(path):
    """(keyword, text) of every text that a call gets, and "" for other texts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for word in node.keywords:
                values = [word.value.body, word.value.orelse] if isinstance(word.value, ast.IfExp) else [word.value]
                for part in values:
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield word.arg, part.value
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield "", node.value


@pytest.mark.parametrize("path", DRAWING, ids=lambda path: path.stem)
def test_colours_come_from_the_palette(path):
    for word, text in literals(path):
        assert not re.search(r"#[0-9A-Fa-f]{6}\b", text), f"{path.name}: {text} belongs into style.py"
        if word and re.search(r"color|^fc$|^ec$", word):
            assert text in PLAIN, f"{path.name}: {word}={text!r}"
        if word == "cmap":
            assert text in MAPS, f"{path.name}: {text}"
    assert "rcParams" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MAPS)
def test_shades_keep_their_order_in_grey(name):
    matplotlib = pytest.importorskip("matplotlib")
    colors = matplotlib.colormaps[name](np.linspace(0, 1, 33))[:, :3]
    light = np.array([lab(linear("#" + "".join(f"{round(255 * part):02x}" for part in color)))[0] for color in colors])
    falls, rises = np.diff(light) < 0, np.diff(light) > 0
    assert falls.all() if MAPS[name] else (rises[:15].all() and falls[17:].all())


# The notebooks

OTHERS = {"matplotlib", "pylab", "seaborn", "plotly", "bokeh", "altair", "PIL", "cv2", "imageio", "importlib"}
NAMES, PARTS = {"plt", "matplotlib", "__import__"}, {"savefig", "add_subplot", "rcParams"}


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def modules_of(source):
    """What a cell imports, by any way that Python has, and where it reaches for matplotlib by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
        elif getattr(node, "id", None) in NAMES or getattr(node, "attr", None) in PARTS:
            yield "matplotlib"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_picture_of_the_course_is_made_by_plots(path):
    for cell in code_cells(path):
        used = set(modules_of(cell.source)) & OTHERS
        assert not used, f"{used} in\n{cell.source}"
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                png = base64.b64decode(output.data["image/png"])
                assert b"Software" not in png[:400], cell.source  # whoever else writes a PNG signs it
                assert set(output.data) <= {"image/png", "text/plain"}


def test_what_reaches_for_matplotlib_is_found():
    for source in (
        "import matplotlib.pyplot as plt", "from matplotlib import cm", "figure.savefig('a')", "__import__('x')",
        "plt.plot([1])", "from PIL import Image",
    ):
        assert set(modules_of(source)) & OTHERS, source
    assert not set(modules_of("from rnn_from_scratch import plots\nplots.bars({})")) & OTHERS
