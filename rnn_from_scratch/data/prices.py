"""Real prices with real gaps, read where matplotlib keeps its examples' data; nothing of them is copied here.

Source: matplotlib's sample data (from finance.yahoo.com, says the file); notebook 15; tests/data/test_prices.py.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .. import validate
from ..arrays import Array
from .loading import load_series
from .series import Series, checked_series

FILES = {"monthly": "Stocks.csv", "daily": "goog.npz"}
FIELDS = ("open", "high", "low", "close", "adj_close", "volume")


def sample_prices(which: str = "monthly") -> Series:
    """Return prices from the installed matplotlib's sample data.

    Parameters
    ----------
    which : "monthly" or "daily"
        Monthly: eight shares and two indices, January 1990 to June 2022. The gaps are whole beginnings: a share has
        no price before it is listed (AMZN, GOOGL, DELL; of Dell's earlier listing there is nothing). Rows inside a
        month, which hold no price or repeat the month's, are left out.
        Daily: open, high, low, close, adjusted close and volume of GOOG, from August 2004 to October 2008, on all
        days from Monday to Friday. The gaps are whole days when the exchange was closed: holidays, and 2007-01-02, a
        day of mourning.

    Returns
    -------
    Series
        `times` are ISO dates; `notes` says which gaps there are, as counted in the file.

    Raises
    ------
    ArgumentError
        If matplotlib is not installed, has no such file, or the file holds something else.

    Source: notebook 15; tests/data/test_prices.py.
    """
    where = "sample_prices"
    validate.option(where, "which", which, FILES)
    path = _sample_file(where, FILES[which])
    return _monthly(where, path) if which == "monthly" else _daily(where, path)


def _sample_file(where: str, name: str) -> Path:
    """Locate a file of matplotlib's sample data without importing matplotlib."""
    try:
        spec = find_spec("matplotlib")
    except ValueError:  # a module of that name was put together by hand
        spec = None
    folders = [] if spec is None or spec.submodule_search_locations is None else list(spec.submodule_search_locations)
    if not folders:
        validate.fail(where, "matplotlib is not installed", "it", "the prices are part of its sample data",
                      "Try python -m pip install matplotlib, or load_series with a file of your own.")
    for folder in folders:
        path = Path(folder) / "mpl-data" / "sample_data" / name
        if path.is_file():
            return path
    validate.fail(where, f"matplotlib's sample data hold no {name}", f"mpl-data/sample_data/{name}",
                  "another version may have moved it", "Try load_series with a file of your own.")


def _monthly(where: str, path: Path) -> Series:
    whole = load_series(path, delimiter=",", header=True, times=0)
    if whole.times is None or not all(_is_date(label) for label in whole.times):
        got = f"{path.name} holds other times than ISO dates"
        validate.fail(where, got, "prices by month", "", "Update matplotlib.")
    first_days = np.array([label.endswith("-01") for label in whole.times])
    within = ~first_days
    empty = within & ~whole.observed.any(axis=1)
    times = tuple(label for label, first in zip(whole.times, first_days, strict=True) if first)
    values = whole.values[first_days]
    months = np.array([label[:7] for label in times], "datetime64[M]")
    if not times or (np.diff(months) != np.timedelta64(1, "M")).any():
        validate.fail(where, f"{path.name} leaves months out", "one row a month", "", "Update matplotlib.")
    notes = [
        f"{len(times)} months; {int(within.sum())} rows inside a month left out, {int(empty.sum())} of them without "
        "any price"
    ]
    observed = ~np.isnan(values)
    for name, known in zip(whole.names, observed.T, strict=True):
        begin = int(known.argmax()) if known.any() else len(known)
        if begin:
            notes.append(f"{name}: no price in the first {begin} months, before {times[min(begin, len(times) - 1)]}")
        later = int((~known[begin:]).sum())
        if later:
            notes.append(f"{name}: {later} months without a price since {times[begin]}")
    return checked_series(where, Series(values, whole.names, times, observed, tuple(notes)))


def _is_date(label: str) -> bool:
    try:
        np.datetime64(label, "D")
    except ValueError:
        return False
    return len(label) == 10


def _daily(where: str, path: Path) -> Series:
    try:
        with np.load(path, allow_pickle=False) as file:
            rows = file["price_data"]
            dates: Array = rows["date"].astype("datetime64[D]")
            traded = np.stack([rows[name].astype(np.float64) for name in FIELDS], axis=1)
    except (ValueError, KeyError, TypeError, IndexError, OSError) as fault:
        validate.fail(where, f"{path.name} holds something else ({fault})", "an array price_data with date and prices",
                      "", "Update matplotlib.")
    every = np.arange(dates[0], dates[-1] + 1)
    weekdays = every[np.is_busday(every)]
    place = np.searchsorted(weekdays, dates)
    if (place >= len(weekdays)).any() or (weekdays[place] != dates).any() or (np.diff(place) < 1).any():
        validate.fail(where, f"{path.name} holds days out of order or at weekends", "ascending weekdays", "",
                      "Update matplotlib.")
    values = np.full((len(weekdays), len(FIELDS)), np.nan)
    values[place] = traded
    closed = len(weekdays) - len(dates)
    notes = (f"{len(weekdays)} days from Monday to Friday, {closed} of them without trade (the exchange was closed)",)
    times = tuple(str(day) for day in weekdays)
    return checked_series(where, Series(values, FIELDS, times, ~np.isnan(values), notes))
