"""One derivative at several steps: right, and honest about how right."""

import numpy as np
import pytest

from rnn_from_scratch.gradcheck.ladder import derivative_at


def error_and_doubt(loss, slope, w):
    point = np.array([w, 2.0])
    found = derivative_at(lambda w: loss(w[0]) + w[1], point, (0,), float(loss(w) + 2.0))
    return abs(found.value - slope), found.doubt


@pytest.mark.parametrize("width", 10.0 ** np.arange(-9.0, 1.0))
@pytest.mark.parametrize("centre", [0.0, 0.7, -3.0])
def test_the_doubt_covers_the_error(width, centre):
    """√((w − c)² + width²) bends over `width`: the steps that suit it are the shorter, the narrower it is."""
    for at in (-1.7, -0.4, 0.3, 0.9, 2.2):
        w = centre + at * width
        u = w - centre  # as it is stored
        error, doubt = error_and_doubt(
            lambda w: np.sqrt((w - centre) ** 2 + width**2), u / np.sqrt(u**2 + width**2), w
        )
        assert error <= doubt
        if width >= 1e-6:
            assert doubt < 1e-5
        if width >= 1e-2:
            assert doubt < 1e-9


@pytest.mark.parametrize("width", [1e-6, 1e-4, 1e-2])
def test_it_is_not_taken_in_by_what_large_steps_jump_over(width):
    """A dent in a slope: from further off there is the slope alone."""
    slope = 0.5 - 2 * 0.8 / width * np.exp(-(0.8**2))
    error, doubt = error_and_doubt(lambda w: 0.5 * w + np.exp(-((w / width) ** 2)), slope, 0.8 * width)
    assert error <= doubt < 1e-4 * abs(slope)


def test_a_step_is_as_long_as_it_is_stored():
    """Where the loss is nearly 0 its own rounding is no excuse: w ± h is off by a millionth of the shortest h."""
    for w in np.random.default_rng(0).uniform(0.5, 1.0, 50):
        found = derivative_at(lambda at, w=w: at[0] - w, np.array([w]), (0,), 0.0)
        assert abs(found.value - 1.0) <= 1e-14


def test_where_the_loss_is_nowhere_finite():
    found = derivative_at(lambda w: np.nan, np.ones(1), (0,), 1.0)
    assert np.isnan(found.value)
    assert found.doubt == np.inf
