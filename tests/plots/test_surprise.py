"""Every character stands in its place, in the shade of its bits, readable on it."""

import numpy as np

from rnn_from_scratch import plots

TEXT = "ab c\n d"
BITS = [np.nan, 1.0, 2.0, 7.0, 0.5, 3.0, 9.0]


def test_characters_stand_where_the_text_has_them_in_the_shade_of_their_bits():
    axes, scale = plots.surprise(TEXT, BITS, most=8.0, title="Cost").axes
    (image,) = axes.images
    shades = np.ma.filled(image.get_array(), np.nan)
    np.testing.assert_array_equal(shades, [[np.nan, 1.0, 2.0, 7.0, 0.5], [3.0, 9.0, np.nan, np.nan, np.nan]])
    assert image.get_clim() == (0.0, 8.0)
    found = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axes.texts}
    assert found == {(0, 0): "a", (0, 1): "b", (0, 3): "c", (0, 4): "↵", (1, 1): "d"}
    assert scale.get_ylabel() == "bits"


def test_letters_are_light_on_dark_and_dark_on_light():
    axes = plots.surprise(TEXT, BITS).axes[0]
    colors = {text.get_text(): text.get_color() for text in axes.texts}
    assert colors == {"a": "#000000", "b": "#000000", "c": "white", "↵": "#000000", "d": "white"}
