"""Series, their splits, returns and windows: values by hand, and nothing of the future in the past."""

import numpy as np
import pytest

from rnn_from_scratch.data import (
    Series,
    chronological_split,
    log_returns,
    make_series,
    reversed_series,
    select_series,
    series_windows,
    time_order,
)
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

NAN = np.nan


def counting(T=20, D=2):
    """Row t holds t, t + 100, …: a number says where it comes from."""
    return make_series(np.arange(T)[:, None] + 100.0 * np.arange(D), times=[f"2020-01-{t + 1:02d}" for t in range(T)])


def test_make_series_fills_in_names_and_finds_what_is_missing():
    given = np.array([[1.0, NAN], [3.0, 4.0]])
    series = make_series(given)
    given[0, 0] = 9.0
    np.testing.assert_array_equal(series.values, [[1, NAN], [3, 4]])
    np.testing.assert_array_equal(series.observed, [[True, False], [True, True]])
    assert (series.names, series.times, series.notes) == (("column 1", "column 2"), None, ())
    one = make_series([1, 2, 3], ["price"], ["a", "b", "c"])
    assert one.values.dtype == np.float64
    assert (one.values.tolist(), one.names, one.times) == ([[1], [2], [3]], ("price",), ("a", "b", "c"))


@pytest.mark.parametrize(("arguments", "message", "error"), [
    ((["a", "b"],), "dtype <U1, expected real numbers", DtypeError), (([True],), "dtype bool", DtypeError),
    (([1j],), "dtype complex128", DtypeError), (([None],), "dtype object", DtypeError),
    (([[1.0], [1.0, 2.0]],), "every row has one length", ShapeError),
    ((np.zeros((2, 2, 2)),), r"\(2, 2, 2\), expected \(T, D\)", ShapeError),
    ((np.zeros((0, 2)),), r"\(0, 2\)", ShapeError),
    ((np.zeros((2, 0)),), r"\(2, 0\)", ShapeError), (([1.0, np.inf],), r"values\[1, 0\] is inf", ArgumentError),
    (([1.0], ["a", "b"]), "there are 2 names, expected 1", ShapeError),
    (([[1.0, 2.0]], ["a", "a"]), "two columns are named 'a'", ArgumentError),
    (([1.0], "a"), "names is 'a'", DtypeError),
    (([1.0], [1]), r"names is \(1,\), expected a tuple of texts", DtypeError),
    (([1.0], None, ["x", "y"]), "there are 2 times, expected 1", ShapeError),
    (([1.0], None, 5), "times is 5", DtypeError),
    ((np.ma.array([1.0]),), "MaskedArray", DtypeError),
])  # fmt: skip
def test_make_series_refuses(arguments, message, error):
    with pytest.raises(error, match=f"make_series: .*{message}"):
        make_series(*arguments)


@pytest.mark.parametrize(("change", "message"), [
    ({"observed": np.ones((20, 2), int)}, "observed has dtype int64"),
    ({"observed": np.zeros((20, 2), bool)}, "observed does not fit values"),
    ({"values": np.zeros((20, 2), np.float32)}, "values has dtype float32, expected float64"),
    ({"values": np.zeros(20)}, r"values has shape \(20,\)"), ({"names": ["a", "b"]}, "names is .*a tuple of texts"),
    ({"observed": None}, "observed does not fit"),
])  # fmt: skip
def test_a_series_put_together_wrongly_is_refused_by_every_helper(change, message):
    broken = counting()._replace(**change)
    for call in (chronological_split, log_returns, reversed_series, select_series, lambda one: series_windows(one, 3)):
        with pytest.raises(ArgumentError, match=message):
            call(broken)
        with pytest.raises(DtypeError, match=r"the series is a ndarray, expected a Series.*make_series"):
            call(np.zeros((20, 2)))


@pytest.mark.parametrize(("times", "order"), [
    (["1990-01-01", "1990-02-01", "1990-02-01"], "ascending"), (["1990-02-01", "1990-01-01"], "descending"),
    (["1990-02-01", "1990-01-01", "1990-03-01"], "mixed"), (["9", "10", "11.5"], "ascending"),
    (["10", "9"], "descending"),
    (["1-Feb-90", "1-Jan-90"], None), ([], None), (None, None), (["x"], None), (["5"], "ascending"),
    (["5", "5"], "ascending"),
    (["2020-01-01T10:00", "2020-01-01T09:00"], "descending"), (["2020-01-01T10:00+01:00", "2020-01-01T09:00"], None),
    (["nan", "1"], None),
])  # fmt: skip
def test_the_order_of_times(times, order):
    assert time_order(times) == order


def test_a_split_is_the_whole_series_in_its_order():
    series = counting(20)
    parts = chronological_split(series)
    assert [len(part.values) for part in parts] == [14, 3, 3]
    for field in ("values", "observed"):
        np.testing.assert_array_equal(np.concatenate([getattr(part, field) for part in parts]), getattr(series, field))
    assert sum((part.times for part in parts), ()) == series.times
    assert parts.train.times[-1] < parts.validation.times[0] <= parts.validation.times[-1] < parts.test.times[0]
    parts.train.values[:] = -1.0
    np.testing.assert_array_equal(series.values[:, 0], np.arange(20))


@pytest.mark.parametrize(("T", "fractions", "sizes"), [
    (10, (0.5, 0.25, 0.25), [5, 3, 2]), (3, (0.3, 0.3, 0.4), [1, 1, 1]), (1000, (0.7, 0.1, 0.2), [700, 100, 200]),
    (10, np.array([0.8, 0.1, 0.1]), [8, 1, 1]),
])
def test_where_a_split_cuts(T, fractions, sizes):
    assert [len(part.values) for part in chronological_split(make_series(np.arange(T)), fractions)] == sizes


@pytest.mark.parametrize(("fractions", "message"), [
    ((0.5, 0.5), "three shares"), ("abc", "three shares"), (0.7, "three shares"),
    ((0.7, 0.2, 0.2), "sums to 1.1, expected 1"),
    ((1.0, 0.0, 0.0), r"fractions\[1\] is 0.0"), ((1.2, -0.1, -0.1), r"fractions\[1\] is -0.1"),
    ((0.98, 0.01, 0.01), "validation has no step"), ((True, 0.1, 0.1), r"fractions\[0\] is True"),
    ((NAN, 0.5, 0.5), "nan"),
])  # fmt: skip
def test_a_split_refuses(fractions, message):
    with pytest.raises(ArgumentError, match=f"chronological_split: .*{message}"):
        chronological_split(counting(), fractions)


def test_a_series_that_runs_backwards_is_not_split():
    newest_first = reversed_series(counting())
    assert newest_first.times[0] == "2020-01-20"
    with pytest.raises(ArgumentError, match=r"times are descending: '2020-01-20' … '2020-01-01'.*reversed_series"):
        chronological_split(newest_first)
    np.testing.assert_array_equal(reversed_series(newest_first).values, counting().values)
    mixed = counting(4)._replace(times=("1", "3", "2", "4"))
    with pytest.raises(ArgumentError, match=r"times are mixed.*Sort"):
        chronological_split(mixed)


def test_returns_by_hand_and_beside_gaps():
    prices = make_series([[1.0, 2.0], [np.e, NAN], [np.e**3, 8.0], [1.0, 4.0]], times=list("abcd"))
    returns = log_returns(prices)
    np.testing.assert_allclose(returns.values, [[1, NAN], [2, NAN], [-3, -np.log(2)]], atol=1e-15)
    np.testing.assert_array_equal(returns.observed, [[True, False], [True, False], [True, True]])
    assert returns.times == ("b", "c", "d")
    np.testing.assert_allclose(np.cumsum(returns.values[:, 0]), np.log(prices.values[1:, 0]), atol=1e-15)


@pytest.mark.parametrize(("values", "message"), [
    ([1.0], "one step"), ([1.0, 0.0], r"'column 1' is 0 in row 1 \(t1\), expected positive"),
    ([1.0, NAN, -2.0], r"is -2 in row 2 \(t2\)"),
])  # fmt: skip
def test_returns_refuse(values, message):
    with pytest.raises(ArgumentError, match=f"log_returns: .*{message}"):
        log_returns(make_series(values, times=[f"t{t}" for t in range(len(values))]))


def test_a_return_knows_nothing_of_later_prices():
    rng = np.random.default_rng(0)
    prices = np.exp(rng.standard_normal((30, 2)))
    changed = prices.copy()
    changed[20:] *= 7.0
    before, after = (log_returns(make_series(values)).values for values in (prices, changed))
    np.testing.assert_array_equal(before[:19], after[:19])
    assert (before[19] != after[19]).all()


def test_a_part_of_a_series_is_a_copy():
    series = make_series([[0.0, 10.0, 20.0], [1.0, NAN, 21.0], [2.0, 12.0, 22.0]], ["a", "b", "c"], ["x", "y", "z"])
    part = select_series(series, ["c", "b"], first=1)
    np.testing.assert_array_equal(part.values, [[21, NAN], [22, 12]])
    np.testing.assert_array_equal(part.observed, [[True, False], [True, True]])
    assert (part.names, part.times) == (("c", "b"), ("y", "z"))
    part.values[:] = 0.0
    assert series.values[2, 2] == 22.0
    one = select_series(series, last=0)
    assert (one.values.tolist(), one.times) == ([[0.0, 10.0, 20.0]], ("x",))
    np.testing.assert_array_equal(select_series(series).values, series.values)
    np.testing.assert_array_equal(select_series(series, first=1, last=1).values, series.values[1:2])


@pytest.mark.parametrize(("choices", "message"), [
    ({"columns": "column 1"}, "columns is 'column 1'"), ({"columns": []}, "columns is"),
    ({"columns": 5}, "columns is 5"),
    ({"columns": ["z"]}, r"columns\[0\] is 'z', expected one of 'column 1'"),
    ({"columns": ["column 2", "column 2"]}, "'column 2' twice"),
    ({"first": -1}, "first is -1, expected a row, 0 … 19"),
    ({"first": True}, "first is True"), ({"last": 20}, "last is 20"), ({"last": 1.0}, "last is 1.0"),
    ({"first": 5, "last": 4}, "first is 5 and last 4"),
])  # fmt: skip
def test_parts_that_there_are_not(choices, message):
    with pytest.raises(ArgumentError, match=f"select_series: .*{message}"):
        select_series(counting(), **choices)


def test_a_series_is_a_tuple_of_plain_parts():
    values, names, times, observed, notes = counting(3)
    assert Series(values, names, times, observed, notes).names == ("column 1", "column 2")
