"""The dots of a range test stand at their losses, those above the axis at its top."""

import numpy as np

from rnn_from_scratch import plots


def test_dots_the_line_and_the_suggestion_stand_where_they_belong():
    rates, losses = np.array([0.01, 0.1, 1.0, 10.0]), np.array([1.0, 0.5, 0.25, 7.0])
    (axes,) = plots.range_test(rates, losses, losses / 2, 0.1).axes
    dots, above, line, mark = axes.lines
    np.testing.assert_array_equal(dots.get_xdata(), rates[:3])
    np.testing.assert_array_equal(dots.get_ydata(), losses[:3])
    assert axes.get_ylim() == (0.0, 2.0)
    np.testing.assert_array_equal([above.get_xdata()[0], above.get_ydata()[0]], [10.0, 2.0])
    np.testing.assert_array_equal(line.get_ydata(), losses / 2)
    assert list(mark.get_xdata()) == [0.1, 0.1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "each batch", "above the axis", "smoothed", "suggestion: 0.1"]
    assert len(plots.range_test(rates[:3], losses[:3], losses[:3]).axes[0].lines) == 2
