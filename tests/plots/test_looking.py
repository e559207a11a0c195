"""Figures of the inside: every number stands where it belongs, and bad input is explained."""

import numpy as np
import pytest

from rnn_from_scratch import plots
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

NAN = float("nan")


def test_characters_stand_once_for_each_unit_in_the_shade_of_its_value():
    values = np.array([[-1.0, 0.0, 1.0, 0.5, -2.0], [0.1, 0.2, 0.3, 0.4, 0.5]])
    axes, scale = plots.hidden_units("ab c\n", values, ["u", "v"], columns=3, unit="h").axes
    (image,) = axes.images
    shades = np.ma.filled(image.get_array(), NAN)
    expected = [[-1.0, 0.0, 1.0], [0.5, -2.0, NAN], [NAN] * 3, [0.1, 0.2, 0.3], [0.4, 0.5, NAN]]
    np.testing.assert_array_equal(shades, expected)
    assert image.get_clim() == (-1.0, 1.0)
    found = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axes.texts}
    assert found == {(row + line, column): letter for row in (0, 3) for (line, column), letter in (
        ((0, 0), "a"), ((0, 1), "b"), ((1, 0), "c"), ((1, 1), "↵"))}
    assert [(tick.get_position()[1], tick.get_text()) for tick in axes.get_yticklabels()] == [(0, "u"), (3, "v")]
    assert scale.get_ylabel() == "h"
    colors = [text.get_color() for text in axes.texts[:4]]
    assert colors == ["#000000", "#000000", "white", "#000000"]


def test_singular_values_end_where_they_are_lost():
    values = np.array([[1.0, 0.5, 0.2], [0.8, 0.1, 0.0]])
    figure = plots.singular_values({"one": values, "two": 2 * values})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["one", "two"]
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[1].lines}
    np.testing.assert_allclose(lines["largest"], [2.0, 1.6])
    np.testing.assert_array_equal(lines["smallest"], [0.4, NAN])
    between = [line for line in figure.axes[1].lines if line.get_linewidth() == 0.7]
    np.testing.assert_allclose(between[0].get_ydata(), [1.0, 0.2])
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_gradient_flow_has_both_sources_on_one_scale():
    figure = plots.gradient_flow({"h": ([0.1, 0.2], [4.0, 0.0]), "gate f": ([1e-3, 1e-3], [2e-3, 1e-3])})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["h", "gate f"]
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    np.testing.assert_array_equal(lines["from the loss here"], [0.1, 0.2])
    np.testing.assert_array_equal(lines["from the future"], [4.0, NAN])
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    low, high = figure.axes[0].get_ylim()
    assert low < 1e-3
    assert high > 4.0


def test_bars_of_saliency_point_as_their_numbers_do():
    (axes,) = plots.saliency("ab", {"gradient": [0.5, -0.25]}).axes
    heights = {round(bar.get_center()[0]): (bar.get_height(), bool(bar.get_hatch())) for bar in axes.patches}
    assert heights == {0: (0.5, False), 1: (-0.25, True)}
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "b"]


def test_trajectories_start_hollow_and_end_filled():
    path = np.array([[0.0, 1.0], [NAN, NAN], [2.0, 3.0], [NAN, NAN]])
    (axes,) = plots.trajectories({"a": path, "b": np.ones((2, 3, 2))}).axes
    line, start, end = axes.lines[:3]
    np.testing.assert_array_equal(line.get_xydata(), path)
    assert (start.get_fillstyle(), start.get_xydata().tolist()) == ("none", [[0.0, 1.0]])
    assert (end.get_fillstyle(), end.get_xydata().tolist()) == ("full", [[2.0, 3.0]])
    assert len(axes.lines) == 3 + 9
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]


def test_what_leaves_the_surface_is_said():
    figure = plots.loss_surface([0, 1], [0, 2], [[1, 2], [3, 4]], {"in": [[0, 0], [1, 2]], "out": [[0, 0], [1.1, 1]]})
    axes = figure.axes[0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["in", "out\n(leaves the picture)"]
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, 1.0), (0.0, 2.0))
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[0, 0], [1, 2]])
    assert [tick.get_text() for tick in figure.axes[1].get_yticklabels()] == ["1", "1.8", "2.5", "3.2", "4"]


def test_points_stand_where_their_measures_are():
    (axes,) = plots.scatter({"a": ([1, 2], [3, 4]), "b": ([0.5], [0.1])}, "shown", "used", hlines={"none": 0.0}).axes
    first, second, level = axes.lines
    np.testing.assert_array_equal(first.get_xydata(), [[1, 3], [2, 4]])
    assert (first.get_fillstyle(), second.get_fillstyle()) == ("full", "none")
    assert level.get_ydata() == [0.0, 0.0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("shown", "used")


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: plots.hidden_units(3, [1.0]), DtypeError, "text is a int, expected a str"),
    (lambda: plots.hidden_units("ab", [1.0]), ShapeError, r"values has shape \(1, 1\), expected \(U, 2\)"),
    (lambda: plots.hidden_units("ab", [1.0, NAN]), ArgumentError, "is nan"),
    (lambda: plots.hidden_units("ab", [[1.0], [1.0, 2.0]]), ShapeError, "every row has one length"),
    (lambda: plots.hidden_units("", []), ShapeError, "at least one number"),
    (lambda: plots.hidden_units("ab", [1.0, 2.0], ["u", "v"]), ShapeError, "labels has 2 entries, expected 1"),
    (lambda: plots.hidden_units("ab", [1.0, 2.0], low=1.0, high=1.0), ArgumentError, "high is 1.0"),
    (lambda: plots.hidden_units("a" * 73, np.ones(73), columns=73), ArgumentError, "73 characters for 1 units"),
    (lambda: plots.hidden_units("ab" * 65, np.ones((9, 130))), ArgumentError, "at most 24 lines of 72 in all"),
    (lambda: plots.hidden_units("年", [1.0]), ArgumentError, r"text\[0\] is '年'"),
    (lambda: plots.singular_values([1.0]), ShapeError, r"has shape \(1,\), expected \(n, S\)"),
    (lambda: plots.singular_values([[1.0, 2.0]]), ArgumentError, "rises along S.*try the transpose"),
    (lambda: plots.singular_values([[-1.0]]), ArgumentError, "is -1"),
    (lambda: plots.singular_values([[0.0]]), ArgumentError, "is 0 everywhere"),
    (lambda: plots.singular_values({}), ArgumentError, "values has 0 entries, expected 1 to 3"),
    (lambda: plots.gradient_flow([1.0]), DtypeError, "flows is a list"),
    (lambda: plots.gradient_flow({}), ArgumentError, "flows has 0 entries"),
    (lambda: plots.gradient_flow({"h": [1.0]}), ArgumentError, r"flows\['h'\] is \[1.0\], expected a pair"),
    (lambda: plots.gradient_flow({"h": ([1.0], [1.0, 2.0])}), ShapeError, r"from the future has shape \(2,\)"),
    (lambda: plots.gradient_flow({"h": ([1.0], [1.0]), "f": ([1.0, 1.0],) * 2}), ShapeError, r"expected \(1,\)"),
    (lambda: plots.gradient_flow({"h": ([1.0], [-1.0])}), ArgumentError, "is -1"),
    (lambda: plots.saliency("ab", [1.0, 2.0]), DtypeError, "rows is a list, expected a dictionary"),
    (lambda: plots.saliency("ab", {"g": [1.0]}), ShapeError, "because there are 2 inputs"),
    (lambda: plots.saliency("ab", {}), ArgumentError, "rows has 0 entries"),
    (lambda: plots.saliency("", {"g": []}), ArgumentError, "there are 0 inputs"),
    (lambda: plots.saliency("a" * 49, {"g": np.ones(49)}), ArgumentError, "there are 49 inputs"),
    (lambda: plots.saliency("年", {"g": [1.0]}), ArgumentError, r"inputs\[0\] is '年'"),
    (lambda: plots.trajectories([[1, 2]]), DtypeError, "paths is a list"),
    (lambda: plots.trajectories({"a": [1.0, 2.0]}), ShapeError, r"expected \(T, N, 2\)"),
    (lambda: plots.trajectories({"a": [[NAN, NAN]]}), ArgumentError, "is NaN everywhere"),
    (lambda: plots.trajectories({"a": np.ones((2, 41, 2))}), ArgumentError, "there are 41 lines, expected at most 40"),
    (lambda: plots.loss_surface([0, 1], [0, 1], [[1, 2]]), ShapeError, r"losses has shape \(1, 2\), expected \(2, 2\)"),
    (lambda: plots.loss_surface([1, 0], [0, 1], np.eye(2)), ArgumentError, "across does not ascend"),
    (lambda: plots.loss_surface([0, 1], [0, 1], np.ones((2, 2))), ArgumentError, "losses are all 1"),
    (lambda: plots.loss_surface([0, 1], [0, 1], np.eye(2), log=True), ArgumentError, "the axis is logarithmic"),
    (lambda: plots.loss_surface([0, 1], [0, 1], np.eye(2), {"a": [1, 2]}), ShapeError, r"paths\['a'\] has shape"),
    (lambda: plots.loss_surface([0, 1], [0, 1], [[1, NAN], [2, 3]]), ArgumentError, "is nan"),
    (lambda: plots.scatter({"a": [1.0]}, "", ""), ArgumentError, "expected a pair"),
    (lambda: plots.scatter({"a": ([1.0], [1.0, 2.0])}, "", ""), ShapeError, "because across has 1 entries"),
    (lambda: plots.scatter({}, "", ""), ArgumentError, "points has 0 entries"),
])
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
