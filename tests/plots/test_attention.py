"""An attention map has its weights in its cells and a dot on each row's largest; the mean lies where it should."""

import numpy as np
import pytest

from rnn_from_scratch import plots

WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.0, 0.0, 0.0]])


def test_attention_map_shows_the_weights_on_one_scale():
    axes, scale = plots.attention_map(WEIGHTS, "a b", "cd.").axes
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), WEIGHTS)
    assert image.get_clim() == (0.0, 1.0)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "␣", "b"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["c", "d", "."]
    assert scale.get_ylabel() == "weight"


def test_attention_map_marks_the_largest_weight_of_each_row_but_not_of_padding():
    axes = plots.attention_map(WEIGHTS, "abc", "cd.").axes[0]
    dots = [(line.get_xdata()[0], line.get_ydata()[0], line.get_color()) for line in axes.lines]
    assert dots == [(0, 0, "white"), (2, 1, "#000000")]  # white on dark, black on light


def test_a_long_word_stands_upright():
    axes = plots.attention_map(WEIGHTS, ["year", "3", "month"], "cd.").axes[0]
    assert {tick.get_rotation() for tick in axes.get_xticklabels()} == {90.0}


@pytest.mark.parametrize("weights", [[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])
def test_weighted_mean_draws_points_by_weight_and_their_mean(weights):
    points = np.array([[2.0, 0.0], [2.0, -2.0], [-1.0, 1.0]])
    (axes,) = plots.weighted_mean(points, weights, ["m1", "m2", "m3"]).axes
    circles, _, mean = axes.collections
    np.testing.assert_allclose(circles.get_offsets(), points)
    np.testing.assert_allclose(circles.get_sizes() / 1500, weights, atol=1e-9)
    np.testing.assert_allclose(mean.get_offsets()[0], np.array(weights) @ points)
    assert axes.texts[0].get_text() == f"m1, weight {weights[0]:g}"
    assert axes.texts[-1].get_text() == ("c = (1.25, −0.25)" if weights[0] else "c = (−1, 1)")
