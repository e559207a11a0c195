"""Real prices from the installed matplotlib, located and never imported."""

import importlib.machinery
import subprocess
import sys

import numpy as np
import pytest

from rnn_from_scratch.data import prices, sample_prices
from rnn_from_scratch.validate import ArgumentError

pytest.importorskip("matplotlib", reason="the prices are in matplotlib's sample data")


def test_months_and_the_shares_that_were_not_listed_yet():
    series = sample_prices()
    assert series.values.shape == (390, 10)
    assert (series.times[0], series.times[1], series.times[-1]) == ("1990-01-01", "1990-02-01", "2022-06-01")
    assert series.names == ("IBM", "AAPL", "MSFT", "XRX", "AMZN", "DELL", "GOOGL", "ADBE", "^GSPC", "^IXIC")
    first = dict(zip(series.names, series.observed.argmax(axis=0), strict=True))
    assert {name: series.times[t] for name, t in first.items() if t} == {
        "AMZN": "1997-06-01", "DELL": "2016-09-01", "GOOGL": "2004-09-01"
    }
    assert (np.diff(series.observed.astype(int), axis=0) >= 0).all()  # listed once, never gone
    assert (series.values[0, 0], series.values[-1, 8]) == (10.970438003540039, 3821.550048828125)
    assert "134 rows inside a month left out, 133 of them without any price" in series.notes[0]
    assert series.notes[1] == "AMZN: no price in the first 89 months, before 1997-06-01"
    assert len(series.notes) == 4


def test_days_and_the_days_without_trade():
    series = sample_prices("daily")
    assert series.values.shape == (1084, 6)
    closed = [day for day, known in zip(series.times, series.observed.all(axis=1), strict=True) if not known]
    assert len(closed) == 37
    assert {"2004-11-25", "2007-01-02", "2007-12-25", "2008-07-04"} <= set(closed)
    assert (series.observed.any(axis=1) == series.observed.all(axis=1)).all()
    assert series.values[0].tolist() == [100.0, 104.06, 95.96, 100.34, 100.34, 22351900.0]
    assert not np.isin(np.array(series.times, "datetime64[D]").astype(int) % 7, [2, 3]).any()  # day 0 was a Thursday
    assert "37 of them without trade" in series.notes[0]


def test_matplotlib_is_not_imported():
    command = (
        "import sys; from rnn_from_scratch.data import sample_prices as f; f(); f('daily'); "
        "print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    with pytest.raises(ArgumentError, match=r"which is 'weekly', expected one of 'monthly', 'daily'"):
        sample_prices("weekly")
    monkeypatch.setattr(prices, "find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match=r"sample_prices: matplotlib is not installed.*pip install matplotlib"):
        sample_prices()
    spec = importlib.machinery.ModuleSpec("matplotlib", None, is_package=True)
    spec.submodule_search_locations.append(str(tmp_path))
    monkeypatch.setattr(prices, "find_spec", lambda name: spec)
    with pytest.raises(ArgumentError, match=r"sample data hold no Stocks.csv.*another version may have moved it"):
        sample_prices()


def at(monkeypatch, tmp_path, name, content):
    """Put a file where matplotlib would have it."""
    folder = tmp_path / "mpl-data" / "sample_data"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    spec = importlib.machinery.ModuleSpec("matplotlib", None, is_package=True)
    spec.submodule_search_locations.append(str(tmp_path))
    monkeypatch.setattr(prices, "find_spec", lambda name: spec)


def test_rows_inside_a_month_are_left_out_and_gaps_told(monkeypatch, tmp_path):
    content = b"# from X\nDate,A,B\n1990-01-01,3,\n1990-01-11,5,\n1990-01-31,,\n1990-02-01,4,7\n1990-03-01,,8\n"
    at(monkeypatch, tmp_path, "Stocks.csv", content)
    series = sample_prices()
    np.testing.assert_array_equal(series.values, [[3, np.nan], [4, 7], [np.nan, 8]])
    assert series.times == ("1990-01-01", "1990-02-01", "1990-03-01")
    assert series.notes == (
        "3 months; 2 rows inside a month left out, 1 of them without any price",
        "A: 1 months without a price since 1990-01-01", "B: no price in the first 1 months, before 1990-02-01",
    )


@pytest.mark.parametrize(("name", "content", "message"), [
    ("Stocks.csv", b"Date,A\n1.1.1990,3\n", "other times than ISO dates"),
    ("Stocks.csv", b"Date,A\n1990-01-01,3\n1990-03-01,4\n", "leaves months out"),
    ("Stocks.csv", b"Date,A\n1990-01-01,x\n", r"line 2, column 2 \('A'\) holds 'x'"),
    ("goog.npz", b"PK", "holds something else"), ("goog.npz", b"hello", "holds something else"),
])
def test_a_file_that_changed_is_told(monkeypatch, tmp_path, name, content, message):
    at(monkeypatch, tmp_path, name, content)
    with pytest.raises(ArgumentError, match=message):
        sample_prices({"Stocks.csv": "monthly", "goog.npz": "daily"}[name])
