"""Colours by name: frozen as they were, split without two spellings of one name, and possible to learn."""

import importlib.util
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell
from rnn_from_scratch.data import color_data, minibatches, named_colors, similar_names
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.optim import Adam
from rnn_from_scratch.validate import DtypeError

TOOL = Path(__file__).parents[2] / "tools" / "freeze_colors.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("freeze_colors", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def splits():
    return color_data()


def test_the_names_are_the_frozen_ones():
    colors = named_colors()
    assert len(colors) == 919
    assert list(colors) == sorted(colors)
    assert colors["acid green"] == (0x8F / 255, 0xFE / 255, 0x09 / 255)
    assert (colors["black"], colors["white"]) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    assert set("".join(colors)) == set("abcdefghijklmnopqrstuvwxyz '/")
    assert max(map(len, colors)) == 26
    assert all(name == name.strip() and "  " not in name for name in colors)
    colors.clear()
    assert len(named_colors()) == 919


def test_the_script_writes_them_again(tool):
    matplotlib = pytest.importorskip("matplotlib.colors", reason="the names come from it")
    text = files("rnn_from_scratch.data").joinpath("bundled", "colors.txt").read_text(encoding="ascii")
    assert tool.freeze(matplotlib.XKCD_COLORS) == text


def test_what_is_left_out(tool):
    given = {"xkcd:b": "#0000FF", "xkcd:a b": "#00ff00", "xkcd:poop b": "#000001", "xkcd:indian red": "#000002"}
    frozen = tool.freeze(given)
    assert frozen == "a b\t#00ff00\nb\t#0000ff\n"
    assert not [name for name in named_colors() if tool.RUDE & set(name.split()) or name in tool.ABOUT_PEOPLE]
    assert not [name for name in named_colors() for word in ("shit", "piss", "puke", "vomit", "poo") if word in name]


def test_the_notice_says_where_they_are_from():
    notice = files("rnn_from_scratch.data").joinpath("bundled", "NOTICE").read_text(encoding="utf-8")
    own = notice.split("\ncolors.txt\n")[1]
    for words in ("https://blog.xkcd.com/2010/05/03/color-survey-results/", "919 of its 949 names", "CC0 1.0",
                  "SPDX-License-Identifier: CC0-1.0", "tools/freeze_colors.py"):
        assert words in own


@pytest.mark.parametrize(("names", "groups"), [
    (["lightblue", "light blue", "red"], [["light blue", "lightblue"], ["red"]]),
    (["lilac", "liliac"], [["lilac", "liliac"]]), (["ochre", "ocher", "ocre"], [["ocher", "ochre", "ocre"]]),
    (["periwinkle", "perrywinkle"], [["periwinkle", "perrywinkle"]]), (["blue/green", "green/blue"],
     [["blue/green"], ["green/blue"]]),
    (["robin egg blue", "robin's egg blue"], [["robin egg blue", "robin's egg blue"]]),
    (["cat", "cart", "carts", "dog"], [["cart", "carts", "cat"], ["dog"]]), (["b", "a", "b"], [["a", "b"]]),
    (["forest green", "dark forest green"], [["dark forest green"], ["forest green"]]), ([], []),
    (["aubergine", "eggplant"], [["aubergine"], ["eggplant"]]),
])  # fmt: skip
def test_spellings_of_one_name(names, groups):
    assert similar_names(names) == groups
    assert similar_names(names[::-1]) == groups


@pytest.mark.parametrize("names", ["red", 5, None, b"red", ["red", 5], [None]])
def test_names_that_are_none(names):
    with pytest.raises(DtypeError, match="similar_names: names"):
        similar_names(names)


def nearly(one, other):
    """The rule again, by trying: equal with a letter less in one or in both."""
    plain = ["".join(c for c in name if c.isalpha()).replace("y", "i") for name in (one, other)]
    plain = ["".join(c for n, c in enumerate(name) if not n or name[n - 1] != c) for name in plain]
    shorter = [{name, *(name[:n] + name[n + 1 :] for n in range(len(name)))} for name in plain]
    return bool(shorter[0] & shorter[1])


def test_no_test_name_is_a_spelling_of_a_training_name(splits):
    parts = [part.names for part in splits[:3]]
    assert sorted(sum(parts, ())) == list(named_colors())
    assert [len(part) for part in parts] == [736, 92, 91]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not [(a, b) for a in parts[one] for b in parts[other] if abs(len(a) - len(b)) < 4 and nearly(a, b)]
    where = {name: n for n, part in enumerate(parts) for name in part}
    for pair in (("light blue", "lightblue"), ("grey/blue", "greyblue"), ("taupe", "toupe"), ("cream", "creme"),
                 ("terra cotta", "terracota"), ("light purple", "light urple"), ("golden rod", "goldenrod")):
        assert where[pair[0]] == where[pair[1]]


def test_names_are_letters_and_colours_are_theirs(splits):
    colors = named_colors()
    assert len(splits.vocabulary) == 33
    for part in splits[:3]:
        assert part.xs.shape == part.mask.shape == (max(map(len, part.names)), len(part.names))
        assert [splits.vocabulary.decode(column) for column in part.xs.T] == list(part.names)
        assert part.mask.sum(axis=0).tolist() == [len(name) for name in part.names]
        np.testing.assert_array_equal(part.colors, [colors[name] for name in part.names])
        assert part.colors.min() >= 0.0
        assert part.colors.max() <= 1.0
    again = color_data()
    assert [part.names for part in again[:3]] == [part.names for part in splits[:3]]


def test_the_mean_colour_has_the_error_it_says(splits):
    mean = splits.train.colors.mean(axis=0)
    errors = [((part.colors - mean) ** 2).mean() for part in (splits.validation, splits.test)]
    assert [f"{error:.4f}" for error in errors] == ["0.0940", "0.0997"]


def test_a_network_learns_what_names_look_like(splits):
    train, validation = splits.train, splits.validation
    model = SequenceModel(Recurrent(GRUCell(len(splits.vocabulary), 24)), 3, "regression", "many-to-one")
    rng = np.random.default_rng(0)
    params, optimizer = model.init_params(rng=rng), Adam(0.01)
    params["output"]["b_y"] = train.colors.mean(axis=0)
    memory = optimizer.init(params)
    for _ in range(8):
        for batch in minibatches(train.xs, train.colors, 32, mask=train.mask, over_time=False, rng=rng):
            _, grads, _ = model.loss_and_grads(params, batch.xs, batch.targets, None, batch.mask)
            params, memory = optimizer.update(params, grads, memory)
    error = ((model.predict(params, validation.xs, None, validation.mask) - validation.colors) ** 2).mean()
    assert error < 0.7 * 0.0940
