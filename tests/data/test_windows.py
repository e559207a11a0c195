"""Windows hold the rows that they say, and nothing of the future."""

import numpy as np
import pytest

from rnn_from_scratch.data import chronological_split, make_series, series_windows
from rnn_from_scratch.validate import ArgumentError

NAN = np.nan


def counting(T=20, D=2):
    """Row t holds t, t + 100, …: a number says where it comes from."""
    return make_series(np.arange(T)[:, None] + 100.0 * np.arange(D), times=[f"2020-01-{t + 1:02d}" for t in range(T)])


@pytest.mark.parametrize(("length", "horizon", "stride", "starts"), [
    (3, 1, 1, range(17)), (3, 2, 5, [0, 5, 10, 15]), (19, 1, 1, [0]), (1, 19, 1, [0]), (4, 1, 4, [0, 4, 8, 12]),
])
def test_windows_hold_the_rows_that_they_say(length, horizon, stride, starts):
    windows = series_windows(counting(20), length, horizon=horizon, stride=stride, columns=["column 2"])
    assert windows.starts.tolist() == list(starts)
    assert windows.xs.shape == (length, len(starts), 2)
    for t in range(length):
        for n, start in enumerate(starts):
            assert windows.xs[t, n].tolist() == [start + t, start + t + 100]
            assert windows.targets[t, n].tolist() == [start + t + horizon + 100]
    assert windows.targets.max() <= 119
    assert windows.target_mask.all()


def test_windows_tell_what_is_missing():
    series = make_series([[0.0, 10.0], [1.0, NAN], [2.0, 12.0], [NAN, 13.0], [4.0, 14.0]])
    both = series_windows(series, 2)
    np.testing.assert_array_equal(both.observed[:, 0], [[True, True], [True, False]])
    np.testing.assert_array_equal(np.isnan(both.xs), ~both.observed)
    np.testing.assert_array_equal(both.target_mask, [[False, True, False], [True, False, True]])
    second = series_windows(series, 2, columns=["column 2"])
    np.testing.assert_array_equal(second.target_mask, [[False, True, True], [True, True, True]])
    swapped = series_windows(series, 2, columns=["column 2", "column 1"])
    np.testing.assert_array_equal(swapped.targets, both.targets[..., ::-1])


def test_windows_of_the_training_part_hold_nothing_of_the_test():
    """What comes later is replaced: nothing that training sees may change."""
    series = counting(40)
    later = series.values.copy()
    later[28:] = -1.0
    changed = make_series(later, series.names, series.times)
    seen = [series_windows(chronological_split(each).train, 5, horizon=3) for each in (series, changed)]
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one, other)
    assert series_windows(chronological_split(changed).train, 5, horizon=3).targets.min() >= 0


@pytest.mark.parametrize(("arguments", "choices", "message"), [
    ((20,), {}, r"length \+ horizon is 21, expected at most 20"), ((0,), {}, "length is 0"),
    ((True,), {}, "length is True"),
    ((3,), {"horizon": 0}, "horizon is 0"), ((3,), {"stride": 1.0}, "stride is 1.0"),
    ((3,), {"columns": []}, "columns is"),
    ((3,), {"columns": "column 1"}, "columns is 'column 1'"),
    ((3,), {"columns": ["x"]}, "is 'x', expected one of 'column 1'"),
])  # fmt: skip
def test_windows_refuse(arguments, choices, message):
    with pytest.raises(ArgumentError, match=f"series_windows: .*{message}"):
        series_windows(counting(20), *arguments, **choices)
