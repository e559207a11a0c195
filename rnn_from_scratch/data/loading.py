"""A user's own files: a text to model, a series to forecast.

Source: notebooks 15 and 18; tests/data/test_loading.py.
"""

from __future__ import annotations

import os

import numpy as np

from .. import validate
from .csv_table import read_table
from .files import checked_path, decode
from .numpy_files import read_npy, read_npz
from .series import Series, checked_series, time_order


def load_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> str:
    r"""Return a file's text.

    Parameters
    ----------
    path : str or Path
        The file.
    encoding : str
        "utf-8", "cp1252" (Western Europe, Windows), "gb18030" (Chinese), "utf-16", …

    Returns
    -------
    str
        As it stands in the file, but for a byte order mark, which is taken off, and line ends: \r\n and \r become \n,
        as in Python's text mode.

    Raises
    ------
    ArgumentError
        A folder, a device, an empty file, a picture or an archive; an encoding that Python does not know; bytes that
        are no text in it (with offset, line and what to try); NUL characters.
    OSError
        If there is no such file, or it cannot be read.

    Source: notebook 18; tests/data/test_loading.py.
    """
    where = "load_text"
    return decode(where, checked_path(where, path), encoding).text


def load_series(
    path: str | os.PathLike[str], *, delimiter: str | None = None, header: bool | None = None,
    times: bool | int | str | None = None, encoding: str = "utf-8", array: str | None = None,
) -> Series:
    """Return the numbers of a .csv, .npy or .npz file, one row a time step; other endings are read as CSV.

    Parameters
    ----------
    path : str or Path
        The file.
    delimiter : str, optional
        Default: whichever of tab, semicolon and comma fits most rows. " " stands for one blank or more.
    header : bool, optional
        Whether the first row holds names; default: told from the rows, or refused where it could be either.
    times : bool, int or str, optional
        The column that holds times, by name or number from 0; True: the first; False: none. Default: the first one,
        if it is called date, time, datetime or timestamp, or if most of it is no number.
    encoding : str
        As in `load_text`.
    array : str, optional
        Which array of an .npz file. Default: the only one, or all of them as columns if each is (T,).

    Returns
    -------
    Series
        Missing cells (empty, NaN, NA, N/A, null, None, -) are NaN and False in `observed`; `notes` says what was
        assumed. Numbers have a decimal point. Lines before the table that begin with # are left out.

    Raises
    ------
    ArgumentError
        What `load_text` refuses; rows of unequal lengths; a cell that is no number, with its line and column; an
        infinite one; no rows, or a header alone; two columns of one name; an array of objects, of another rank, or
        whose header claims more than the file holds.
    OSError
        If there is no such file, or it cannot be read.

    Source: notebook 15; tests/data/test_loading.py.
    """
    where = "load_series"
    path = checked_path(where, path)
    kind = path.suffix.lower()
    numpy_file = kind in (".npy", ".npz")
    given = {"delimiter": delimiter, "header": header, "times": times, "array": array}
    for name, value in given.items():
        if value is not None and (name == "array") != (kind == ".npz") and (name == "array" or numpy_file):
            validate.fail(where, f"{name} is {value!r:.60} for {path.name!r}", "None", "such a file has none")
    if not path.stat().st_size:
        validate.fail(where, f"{path.name!r} is empty (0 bytes)", "rows of numbers", "there is nothing to read")
    if numpy_file:
        columns = read_npy(where, path) if kind == ".npy" else read_npz(where, path, array)
        values, notes, labels = columns.values, columns.notes, None
        names = columns.names or tuple(f"column {d}" for d in range(1, values.shape[1] + 1))
    else:
        decoded = decode(where, path, encoding)
        table = read_table(where, decoded.text, delimiter, header, times)
        values, names, labels, notes = table.values, table.names, table.times, decoded.notes + table.notes
        order = time_order(labels)
        if order in ("descending", "mixed"):
            notes += (f"times are {order}" + (": reversed_series puts the oldest first" if order[0] == "d" else ""),)
    return checked_series(where, Series(values, names, labels, ~np.isnan(values), notes))
