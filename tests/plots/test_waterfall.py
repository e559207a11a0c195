"""Each bar begins where the one before it ended, and all together is the product."""

import numpy as np
import pytest

from rnn_from_scratch import plots
from rnn_from_scratch.validate import ArgumentError, ShapeError


def test_bars_begin_where_the_last_one_ended():
    factors = [1.0, 2.0, 0.5, 3.0]
    (axes,) = plots.waterfall(["first", "a", "b", "c"], {"size": factors}, xlabel="times").axes
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    np.testing.assert_allclose(spans, [(1, 1), (1, 2), (1, 2), (1, 3), (1, 3)])
    assert [text.get_text() for text in axes.texts] == ["1", "×2", "×0.5", "×3", "×3"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["first", "a", "b", "c", "all together"]
    assert axes.get_xscale() == "log"
    assert axes.yaxis.get_inverted()  # the first on top


def test_a_step_back_is_told_by_more_than_its_colour():
    (axes,) = plots.waterfall(["first", "on", "back"], {"": [1.0, 2.0, 0.8]}).axes
    on, back = axes.patches[1:3]
    assert on.get_hatch() != back.get_hatch()
    assert on.get_facecolor() != back.get_facecolor()
    assert axes.texts[2].get_text() == "×0.8"
    assert back.get_x() + back.get_width() == pytest.approx(2.0)  # it goes from 2 down to 1.6
    assert back.get_x() == pytest.approx(1.6)


def test_panels_share_their_rows():
    figure = plots.waterfall(["a", "b"], {"small": [1, 4], "large": [1, 2]})
    small, large = figure.axes
    assert [axes.get_title(loc="left") for axes in (small, large)] == ["small", "large"]
    assert small.get_ylim() == large.get_ylim()
    assert small.get_xlim() == large.get_xlim()
    for axes in (small, large):
        low, high = axes.get_xlim()
        assert low < 1 < high


def test_what_rounds_to_one_is_no_step_back():
    (axes,) = plots.waterfall(["a", "b", "c"], {"": [1, 0.9999, 0.5]}).axes
    assert [text.get_text() for text in axes.texts] == ["1", "×1", "×0.5", "×0.5"]
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, False, True, True]


@pytest.mark.parametrize(("steps", "panels", "error"), [
    (["a"], {"": [1.0]}, ArgumentError), (["a", "b"], {"": [1.0, 0.0]}, ArgumentError),
    (["a", "b"], {"": [2.0, 1.0]}, ArgumentError), (["a", "b"], {"": [1.0]}, ShapeError),
    (["a", "b"], {str(k): [1.0, 2.0] for k in range(4)}, ArgumentError), (["a", "b"], {}, ArgumentError),
])
def test_what_it_cannot_draw_it_refuses(steps, panels, error):
    with pytest.raises(error, match="waterfall"):
        plots.waterfall(steps, panels)
