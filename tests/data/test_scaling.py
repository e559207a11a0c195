"""Standardising with training's statistics alone."""

import numpy as np
import pytest

from rnn_from_scratch.data import chronological_split, fit_scaling, make_series, standardize
from rnn_from_scratch.validate import ArgumentError

NAN = np.nan


def test_statistics_by_hand_leave_missing_values_out():
    scaling = fit_scaling(make_series([[1.0, 5.0], [NAN, 5.0], [3.0, 5.0], [8.0, NAN]], ["a", "b"]))
    np.testing.assert_allclose(scaling.mean, [4.0, 5.0], rtol=1e-15)
    np.testing.assert_allclose(scaling.scale, [np.sqrt((9 + 1 + 16) / 3), 1.0], rtol=1e-15)
    assert (scaling.constant, scaling.names) == (("b",), ("a", "b"))
    back = scaling.transform(make_series([[4.0, 5.0], [NAN, 7.0]], ["a", "b"]))
    np.testing.assert_array_equal(back.values, [[0.0, 0.0], [NAN, 2.0]])
    np.testing.assert_array_equal(back.observed, [[True, True], [False, True]])


@pytest.mark.parametrize("value", [0.1, 0.0, -1e300, 1e-300, 123456.789])
def test_a_constant_column_is_told_and_becomes_exactly_zero(value):
    series = make_series(np.full(7, value), ["still"])
    scaling = fit_scaling(series)
    assert scaling.constant == ("still",)
    assert (scaling.transform(series).values == 0.0).all()


@pytest.mark.parametrize("size", [1e-200, 1e-5, 1.0, 1e200])
def test_the_units_do_not_matter(size):
    numbers = np.random.default_rng(0).standard_normal(50)
    values = fit_scaling(make_series(numbers * size)).transform(make_series(numbers * size)).values[:, 0]
    np.testing.assert_allclose(values, (numbers - numbers.mean()) / numbers.std(), rtol=1e-12, atol=1e-14)


def walk(seed=0):
    return make_series(np.cumsum(np.random.default_rng(seed).standard_normal((100, 3)), axis=0), ["x", "y", "z"])


def test_training_alone_is_standard_and_the_way_back_is_exact():
    splits = chronological_split(walk())
    scaled, scaling = standardize(splits)
    np.testing.assert_allclose(scaled.train.values.mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_allclose(scaled.train.values.std(axis=0), 1.0, rtol=1e-14)
    assert np.abs(scaled.test.values.mean(axis=0)).max() > 0.3  # a walk goes away: it would be 0 if the test were used
    for part, before in zip(scaled, splits, strict=True):
        np.testing.assert_allclose(scaling.inverse(part).values, before.values, atol=1e-13)
    predicted = scaled.test.values[None, :, [2, 0]]
    back = scaling.inverse_array(predicted, ["z", "x"])
    np.testing.assert_allclose(back[0], splits.test.values[:, [2, 0]], atol=1e-13)
    np.testing.assert_array_equal(scaling.inverse_array(scaled.test.values), scaling.inverse(scaled.test).values)


def test_whatever_comes_after_training_changes_nothing_in_it():
    series = walk()
    later = series.values.copy()
    later[70:] = 1e6
    (one, first), (other, second) = (
        standardize(chronological_split(make_series(values, series.names))) for values in (series.values, later)
    )
    np.testing.assert_array_equal(one.train.values, other.train.values)
    for before, after in zip(first, second, strict=True):
        np.testing.assert_array_equal(before, after)


def test_what_scaling_refuses():
    with pytest.raises(ArgumentError, match=r"fit_scaling: 'b' has no known value in 2 steps"):
        fit_scaling(make_series([[1.0, NAN], [2.0, NAN]], ["a", "b"]))
    scaling = fit_scaling(walk())
    with pytest.raises(ArgumentError, match=r"Scaling.transform: the columns are \('a',.*expected \('x', 'y', 'z'\)"):
        scaling.transform(make_series(np.zeros((2, 3)), ["a", "b", "c"]))
    with pytest.raises(ArgumentError, match=r"Scaling.inverse: the columns"):
        scaling.inverse(make_series(np.zeros((2, 3)), ["y", "x", "z"]))
    with pytest.raises(ArgumentError, match=r"values has shape \(2, 2\), expected \(…, 3\)"):
        scaling.inverse_array(np.zeros((2, 2)))
    with pytest.raises(ArgumentError, match="is 'q', expected one of 'x', 'y', 'z'"):
        scaling.inverse_array(np.zeros((2, 1)), ["q"])
    with pytest.raises(ArgumentError, match="a list"):
        scaling.inverse_array([[0.0] * 3])
    with pytest.raises(ArgumentError, match="splits is a list, expected a SeriesSplits"):
        standardize([walk(), walk(), walk()])
