"""Fillings by hand on a series of six steps, beside loops, under padding, and what each refuses."""

import numpy as np
import pytest

from rnn_from_scratch.data import (
    FillStatistics,
    InterpolationFilling,
    LastValueFilling,
    MaskAndTime,
    MeanFilling,
    MedianFilling,
    ModeFilling,
    time_since_seen,
)
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

NAN = np.nan
SERIES = np.array([NAN, 2.0, NAN, NAN, 8.0, NAN])[:, None]
TRAIN = np.array([1.0, 1.0, 1.0, 4.0, 4.0, NAN, 13.0])[:, None]  # mean 4, median 2.5, mode 1
FILLINGS = [MeanFilling(), MedianFilling(), ModeFilling(), LastValueFilling(), InterpolationFilling()]
every_filling = pytest.mark.parametrize("filling", FILLINGS, ids=lambda f: type(f).__name__)
BY_HAND = [
    (MeanFilling(), [4, 2, 4, 4, 8, 4]), (MedianFilling(), [2.5, 2, 2.5, 2.5, 8, 2.5]),
    (ModeFilling(), [1, 2, 1, 1, 8, 1]), (LastValueFilling(), [4, 2, 2, 2, 8, 8]),
    (InterpolationFilling(), [2, 2, 4, 6, 8, 8]),
]


@pytest.mark.parametrize(("filling", "expected"), BY_HAND, ids=lambda value: type(value).__name__)
def test_by_hand(filling, expected):
    """Fitted on one part, used on another: the fill is the training part's, the lines are the series' own."""
    statistics = filling.fit(TRAIN)
    assert statistics.counted.tolist() == [6]
    filled = filling.transform(statistics, SERIES)
    np.testing.assert_allclose(filled[:, 0], expected, rtol=1e-15)
    np.testing.assert_array_equal(filled[[1, 4]], SERIES[[1, 4]])


def test_a_sequence_that_never_shows_a_feature_gets_the_training_mean():
    xs = np.full((3, 1, 2), NAN)
    xs[1, 0, 1] = 5.0
    train = np.array([[1.0, 2.0], [3.0, 6.0]])
    for filling, second in ((LastValueFilling(), [4, 5, 5]), (InterpolationFilling(), [5, 5, 5])):
        filled = filling.transform(filling.fit(train), xs)
        np.testing.assert_array_equal(filled[:, 0], np.stack([[2, 2, 2], second], axis=1))


def test_interpolation_is_numpys_column_by_column():
    rng = np.random.default_rng(0)
    xs = rng.standard_normal((15, 4, 3))
    xs[rng.random(xs.shape) < 0.5] = NAN
    filled = InterpolationFilling().transform(InterpolationFilling().fit(xs), xs)
    for n in range(4):
        for d in range(3):
            seen = np.flatnonzero(~np.isnan(xs[:, n, d]))
            expected = np.interp(np.arange(15), seen, xs[seen, n, d])
            np.testing.assert_allclose(filled[:, n, d], expected, rtol=0, atol=1e-14)


def test_a_line_from_the_smallest_number_to_the_largest():
    xs = np.array([[-1.7e308], [NAN], [NAN], [NAN], [1.7e308]])
    filled = InterpolationFilling().transform(InterpolationFilling().fit(xs), xs)
    np.testing.assert_allclose(filled[:, 0] / 1e308, [-1.7, -0.85, 0.0, 0.85, 1.7], atol=1e-15)


def test_the_mode_takes_the_smallest_of_those_on_a_par():
    assert ModeFilling().fit(np.array([[3.0], [3.0], [1.0], [1.0], [2.0]])).fill.tolist() == [1.0]
    with pytest.raises(ArgumentError, match="feature 1 has 4 values seen, 4 of which occur once, expected quantised"):
        ModeFilling().fit(np.array([[1.0, 0.1], [1.0, 0.2], [2.0, 0.3], [2.0, 0.4]]))


@every_filling
def test_padding_is_not_counted_and_comes_out_as_zeros(filling):
    rng = np.random.default_rng(2)
    xs = np.round(rng.standard_normal((10, 3, 2)))
    xs[rng.random(xs.shape) < 0.3] = NAN
    mask = np.ones((10, 3), bool)
    mask[[0, 3, 9], 1] = False
    xs[~mask] = 1e6
    statistics = filling.fit(xs, mask=mask)
    rows = xs[mask]
    np.testing.assert_allclose(statistics.fill, filling.fit(rows).fill)
    assert statistics.counted.tolist() == (~np.isnan(rows)).sum(axis=0).tolist()
    filled = filling.transform(statistics, xs, mask=mask)
    assert not filled[~mask].any()
    alone = filling.transform(statistics, xs[mask[:, 1], 1])
    np.testing.assert_allclose(filled[mask[:, 1], 1], alone, rtol=0, atol=1e-14)


@every_filling
def test_another_sign_of_a_missing_value(filling):
    marked = np.where(np.isnan(TRAIN), -1.0, TRAIN)
    statistics = filling.fit(marked, marked != -1.0)
    np.testing.assert_array_equal(statistics.fill, filling.fit(TRAIN).fill)
    test = np.where(np.isnan(SERIES), 1e9, SERIES)
    np.testing.assert_array_equal(
        filling.transform(statistics, test, test < 1e9), filling.transform(statistics, SERIES))


@every_filling
def test_float32_stays_and_what_was_seen_is_untouched(filling):
    xs = (np.arange(12) // 4 / 3).astype(np.float32).reshape(6, 2)
    xs[2, 0] = NAN
    filled = filling.transform(filling.fit(xs), xs)
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled[~np.isnan(xs)], xs[~np.isnan(xs)])


@every_filling
def test_a_feature_never_seen_is_refused_by_its_name(filling):
    xs = np.array([[1.0, NAN], [1.0, NAN]])
    with pytest.raises(ArgumentError, match=r"\.fit: every value of feature 1 is missing, .*nothing says what"):
        filling.fit(xs)
    with pytest.raises(ArgumentError, match=r"feature 1 is missing"):  # all that was seen is padding
        filling.fit(np.array([[1.0, NAN], [1.0, NAN], [1.0, 2.0]]), mask=np.array([True, True, False]))


@pytest.mark.parametrize("filling", [*FILLINGS, MaskAndTime()], ids=lambda f: type(f).__name__)
@pytest.mark.parametrize(("statistics", "error", "message"), [
    (np.zeros(1), DtypeError, "statistics is a ndarray, expected the FillStatistics"),
    (FillStatistics(np.zeros(2), np.ones(2, int)), ShapeError, r"statistics.fill has shape \(2,\)"),
    (FillStatistics(np.zeros(1, np.float32), np.ones(1, int)), DtypeError, "float32 beside"),
    (FillStatistics(np.full(1, NAN), np.ones(1, int)), ArgumentError, r"statistics.fill\[0\] is nan"),
])
def test_foreign_statistics_are_refused(filling, statistics, error, message):
    with pytest.raises(error, match=message):
        filling.transform(statistics, SERIES)


@pytest.mark.parametrize("filling", [MeanFilling(), LastValueFilling(), InterpolationFilling()])
def test_a_mean_beyond_the_largest_number_is_refused(filling):
    xs = np.array([[1.0, 1.7e308], [2.0, 1.7e308]])
    with pytest.raises(ArgumentError, match=r"\.fit: the values of feature 1 sum to inf, .*1\.8e\+308"):
        filling.fit(xs)
    with pytest.raises(ArgumentError, match=r"float32 ends at 3\.4e\+38"):
        filling.fit(np.full((2, 1), 3.4e38, np.float32))
    assert MedianFilling().fit(xs[:1]).fill.tolist() == [1.0, 1.7e308]


@every_filling
def test_bad_xs(filling):
    for xs, error in ((np.ones(3), ShapeError), (np.ones((3, 1), int), DtypeError), ([1.0], DtypeError)):
        with pytest.raises(error, match=f"{type(filling).__name__}.fit: xs"):
            filling.fit(xs)
        with pytest.raises(error, match=f"{type(filling).__name__}.transform: xs"):
            filling.transform(filling.fit(TRAIN), xs)


def test_mask_and_time_by_hand():
    method = MaskAndTime(time_unit=2.0)
    inputs = method.transform(method.fit(TRAIN), SERIES)
    np.testing.assert_array_equal(inputs[:, 0], [4, 2, 2, 2, 8, 8])
    np.testing.assert_array_equal(inputs[:, 1], [0, 1, 0, 0, 1, 0])
    np.testing.assert_array_equal(inputs[:, 2], [0, 0.5, 0.5, 1, 1.5, 0.5])
    relative = MaskAndTime(relative=True).transform(method.fit(TRAIN), SERIES)
    np.testing.assert_array_equal(relative[:, 0], [0, -2, -2, -2, 4, 4])


def test_mask_and_time_of_a_batch_with_padding():
    rng = np.random.default_rng(0)
    xs = rng.standard_normal((8, 2, 3))
    xs[rng.random(xs.shape) < 0.4] = NAN
    mask = np.ones((8, 2), bool)
    mask[5:, 0] = False
    times = np.cumsum(rng.random(8))
    for filling in (MeanFilling(), InterpolationFilling()):
        method = MaskAndTime(filling, relative=True)
        statistics = method.fit(xs, mask=mask)
        inputs = method.transform(statistics, xs, mask=mask, times=times)
        assert inputs.shape == (8, 2, 9)
        assert not inputs[~mask].any()
        filled = filling.transform(filling.fit(xs, mask=mask), xs, mask=mask)
        np.testing.assert_allclose(inputs[mask][:, :3], filled[mask] - statistics.fill)
        np.testing.assert_array_equal(inputs[mask][:, 3:6], ~np.isnan(xs[mask]))
        np.testing.assert_array_equal(inputs[..., 6:], time_since_seen(xs, mask=mask, times=times))


def test_mask_and_time_refuses():
    for choices, message in (
        ({"filling": "mean"}, "filling is 'mean'.*MeanFilling"), ({"time_unit": 0}, "time_unit is 0"),
        ({"relative": 1}, "relative is 1"), ({"time_unit": NAN}, "time_unit is nan"),
    ):
        with pytest.raises(ArgumentError, match=f"MaskAndTime: {message}"):
            MaskAndTime(**choices)
    with pytest.raises(ArgumentError, match=r"LastValueFilling\.fit: every value of feature 0"):
        MaskAndTime().fit(np.full((3, 1), NAN))
