"""A user's own files: what is read, what is told, and every way in which a file can be wrong."""

import io
import os
import re
import struct
import zipfile

import numpy as np
import pytest

from rnn_from_scratch.data import load_series, load_text, numpy_files
from rnn_from_scratch.validate import ArgumentError

NAN = np.nan


def write(folder, content, name="file.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def refused(path, message, load=load_series, **choices):
    with pytest.raises(ArgumentError, match=f"(?s)^{load.__name__}: .*{message}"):
        load(path, **choices)


# Texts


@pytest.mark.parametrize(("content", "encoding", "text"), [
    (b"h\xc3\xa4!\n", "utf-8", "hä!\n"), (b"\xef\xbb\xbfha", "utf-8", "ha"), (b"\xef\xbb\xbfha", "utf-8-sig", "ha"),
    (b"h\xe4!", "cp1252", "hä!"), ("日期".encode("gb18030"), "gb18030", "日期"),
    ("hä".encode("utf-16"), "utf-16", "hä"),
    ("hä".encode("utf-16-le"), "UTF-16-LE", "hä"), (b"a\r\nb\rc\n\n", "utf-8", "a\nb\nc\n\n"), (b" ", "utf-8", " "),
    ("hä".encode("utf-32"), "utf-32", "hä"),
])  # fmt: skip
def test_texts_are_read_as_they_stand(tmp_path, content, encoding, text):
    assert load_text(str(write(tmp_path, content, "a.txt")), encoding) == text


@pytest.mark.parametrize(("content", "encoding", "message"), [
    (b"", "utf-8", r"'a.txt' is empty \(0 bytes\)"), (b"\xef\xbb\xbf", "utf-8", "empty but for a byte order mark"),
    (b"one\ntwo\r\nh\xe4!", "utf-8", r"the byte 0xe4 at offset 10 \(line 3\), expected text in utf-8 because "
     r"invalid continuation byte. It can be read as cp1252 or latin-1"),
    (b"\xef\xbb\xbfa\n\xff", "utf-8", r"0xff at offset 5 \(line 2\)"),
    (b"\xef\xbb\xbfa\n\xff", "utf-8-sig", r"0xff at offset 5 \(line 2\)"),
    ("日期".encode("gb18030"), "utf-8", "It can be read as gb18030"), ("hä".encode(), "ascii", "as utf-8 or gb18030"),
    ("hä".encode("utf-16"), "utf-8", r"begins with the mark of UTF-16, expected utf-8.*encoding='utf-16'"),
    ("hä".encode("utf-32"), "utf-8", "mark of UTF-32"),
    (b"\xef\xbb\xbfha", "cp1252", "mark of UTF-8.*encoding='utf-8'"),
    ("hello".encode("utf-16-le"), "utf-8", r"NUL character at 1 \(line 1\).*Try encoding='utf-16-le'"),
    (b"ab\nc\0defghij", "utf-8", r"NUL character at 4 \(line 2\).*binary file, or another encoding\.$"),
    (b"abc", "utf-16-le", "0x63 at offset 2.*truncated data"), (b"\x89PNG\r\n\x1a\n\0", "utf-8", "is a PNG picture"),
    (b"PK\x03\x04xyz", "utf-8", "is a ZIP archive"), (b"\x1f\x8b\x08", "utf-8", "compressed by gzip"),
    (b"%PDF-1.4", "utf-8", "is a PDF"), (npy(np.zeros(2)), "utf-8", "is a NumPy array.*load_series reads"),
    (b"a", "klingon", "encoding is 'klingon', expected an encoding that Python knows"), (b"a", "rot13", "is 'rot13'"),
    (b"a", "hex", "is 'hex'"), (b"a", 8, "encoding is 8"), (b"a", None, "encoding is None"),
    (b"a", "a\0b", "encoding is"),
    (b"a", "undefined", "cannot be read"), (b"a", "", "encoding is ''"),
])  # fmt: skip
def test_texts_that_cannot_be_read(tmp_path, content, encoding, message):
    refused(write(tmp_path, content, "a.txt"), message, load_text, encoding=encoding)


@pytest.mark.parametrize("load", [load_text, load_series])
def test_paths_that_are_no_files(tmp_path, load):
    refused(tmp_path, "is a folder, expected a file", load)
    for path in ("", 5, None, True, b"a.txt", "a\0b", ["a"], "long " * 60):
        refused(path, "path is", load)
    refused("long " * 60, "Text itself needs no loading", load)
    for name in ("none.txt", "none.npy", "none.csv"):
        with pytest.raises(FileNotFoundError, match=name):
            load(tmp_path / name)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        refused(tmp_path / "pipe", "a device or a pipe", load)


# Tables


def test_a_table_with_names_times_and_gaps(tmp_path):
    content = "Date,price,volume\n2020-01-01,1.5,\n2020-01-02, NaN ,1e3\n2020-01-03,-.5,NA\n2020-01-04,null,+7.\n"
    series = load_series(write(tmp_path, content))
    np.testing.assert_array_equal(series.values, [[1.5, NAN], [NAN, 1000], [-0.5, NAN], [NAN, 7]])
    np.testing.assert_array_equal(series.observed, [[True, False], [False, True], [True, False], [False, True]])
    assert series.values.dtype == np.float64
    assert series.names == ("price", "volume")
    assert series.times == ("2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04")
    assert series.notes == (
        "delimiter: comma", "header: line 1", "times: 'Date', the first column, by its name", "4 of 8 cells are missing"
    )


@pytest.mark.parametrize(("content", "values", "names", "times", "notes"), [
    ("1,2\n3,4\n", [[1, 2], [3, 4]], ("column 1", "column 2"), None, ["delimiter: comma", "header: none"]),
    ("a;b\n1;2\n", [[1, 2]], ("a", "b"), None, ["delimiter: semicolon", "header: line 1"]),
    ("a\tb\r\n1\t2\r\n", [[1, 2]], ("a", "b"), None, ["line ends", "delimiter: tab", "header: line 1"]),
    ("price\n1\n2", [[1], [2]], ("price",), None, ["no delimiter: one column", "header: line 1"]),
    ("1\n\n3\n\n\n", [[1], [NAN], [3]], ("column 1",), None, ["no delimiter", "header: none", "1 of 3 cells"]),
    ("1,2\n\n3,4\n", [[1, 2], [3, 4]], ("column 1", "column 2"), None, ["comma", "1 blank line.*line 2", "header"]),
    ("# from X\n#\na,b\n1,2\n", [[1, 2]], ("a", "b"), None, ["2 first line.*begin with # left out: '# from X'",
     "comma", "header: line 3"]),
    ("\ufeffa,b\n1,2\n", [[1, 2]], ("a", "b"), None, ["byte order mark", "comma", "header: line 1"]),
    ('"a, b";c\n1;"2"\n', [[1, 2]], ("a, b", "c"), None, ["semicolon", "header"]),
    ("price; net,volume\n1,2\n3,4\n", [[1, 2], [3, 4]], ("price; net", "volume"), None, ["comma", "header"]),
    ("19-Sep-03,5\n18-Sep-03,6\n", [[5], [6]], ("column 2",), ("19-Sep-03", "18-Sep-03"), ["comma", "header: none",
     "'column 1', the first column, which holds no numbers"]),
    ("when,x\nnoon,5\nnight,6\n", [[5], [6]], ("x",), ("noon", "night"), ["comma", "header: line 1", "times: 'when'"]),
    ("time,x\n0.5,5\n1,6\n", [[5], [6]], ("x",),
    ("0.5", "1"), ["comma", "header: line 1", "times: 'time'.*by its name"]),
    ("年,日期\n1,6\n", [[1, 6]], ("年", "日期"), None, ["comma", "header: line 1"]),
    (",x\n1,5\n2,6\n", [[1, 5], [2, 6]], ("column 1", "x"), None, ["comma", "header: line 1"]),
    ("a,b\n,\n-,N/A\n1,2\n", [[NAN, NAN], [NAN, NAN], [1, 2]], ("a", "b"), None, ["comma", "header", "4 of 6"]),
    ("Date,x\n2020-01-02,5\n2020-01-01,6\n", [[5], [6]], ("x",), ("2020-01-02", "2020-01-01"), ["comma", "header",
     "times", "times are descending: reversed_series"]),
    ("2020-01-01,5", [[5]], ("column 2",), ("2020-01-01",), ["comma", "header: none", "times"]),
    ("7", [[7]], ("column 1",), None, ["one column", "header: none"]),
    ("day,\n2020-01-01,4\n", [[4]], ("column 2",), ("2020-01-01",), ["comma", "header: line 1", "times: 'day'"]),
    ("Date,\nMay,4\n", [[4]], ("column 2",), ("May",), ["comma", "header: line 1", "times"]),
    ("May,4\nJune,5\n", [[4], [5]], ("column 2",), ("May", "June"), ["comma", "header: none", "times"]),
    ("Date,\n2020-01-01,4\n", [[4]], ("column 2",), ("2020-01-01",), ["comma", "header: line 1", "times"]),
])  # fmt: skip
def test_tables_of_many_kinds(tmp_path, content, values, names, times, notes):
    series = load_series(write(tmp_path, content))
    np.testing.assert_array_equal(series.values, values)
    np.testing.assert_array_equal(series.observed, ~np.isnan(series.values))
    assert (series.names, series.times) == (names, times)
    assert len(series.notes) == len(notes), series.notes
    for note, pattern in zip(series.notes, notes, strict=True):
        assert re.search(pattern, note), (pattern, note)


@pytest.mark.parametrize(("content", "choices", "values", "names", "times"), [
    ("1|2\n3|4", {"delimiter": "|"}, [[1, 2], [3, 4]], ("column 1", "column 2"), None),
    ("1 2\n3 4", {"delimiter": " "}, [[1, 2], [3, 4]], ("column 1", "column 2"), None),
    ("  a    b \n 1   2\n30   -\n", {"delimiter": " "}, [[1, 2], [30, NAN]], ("a", "b"), None),
    ("2019,x,2020\n1,2,3", {"header": True}, [[1, 2, 3]], ("2019", "x", "2020"), None),
    ("1,2\n3,4", {"header": True}, [[3, 4]], ("1", "2"), None),
    ("year,x\n2019,5", {"times": True}, [[5]], ("x",), ("2019",)),
    ("x,year\n5,2019", {"times": "year"}, [[5]], ("x",), ("2019",)),
    ("x,year\n5,2019", {"times": 1}, [[5]], ("x",), ("2019",)),
    ("time,x\n5,6", {"times": False}, [[5, 6]], ("time", "x"), None),
    ("5,2019", {"times": 1, "header": False}, [[5]], ("column 1",), ("2019",)),
])
def test_what_is_said_is_not_guessed(tmp_path, content, choices, values, names, times):
    series = load_series(write(tmp_path, content), **choices)
    np.testing.assert_array_equal(series.values, values)
    assert (series.names, series.times) == (names, times)
    told = {"delimiter": "delimiter", "header": "header", "times": "times"}
    for name in choices:
        assert not any(note.startswith(told[name]) for note in series.notes)


@pytest.mark.parametrize(("content", "message"), [
    ("", r"'file.csv' is empty \(0 bytes\)"), ("\n\n", "holds no row"), ("# only\n", "holds no row"),
    ("  \n", "holds no row"),
    ("a,b\n", r"holds a header alone, \['a', 'b'\]"), ("price", "holds a header alone"),
    ("a,b\n1,2\n3\n", "line 3 has 1 cell, expected 2, as line 1 has because every row"),
    ("# x\na,b\n1,2\n\n3,4,5\n", "line 5 has 3 cells, expected 2, as line 2 has"),
    ('"a\nb",c\n1,2\n3\n', "line 4 has 1 cell"), ("a,b\n1,2,\n", "line 2 has 3 cells, expected 2"),
    ("a,b\n1,2\n3,x\n", r"line 3, column 2 \('b'\) holds 'x', expected a number"),
    ("1,2\n3,4\n5,6\n7,1.2.3\n", r"line 4, column 2 \('column 2'\) holds '1\.2\.3'"),
    ("1,2\nx,3\n4,5\n6,7\n", r"line 2, column 1 \('column 1'\) holds 'x'"),
    ("1\n2\nx\n4\n", r"line 3, column 1 \('column 1'\) holds 'x'"),
    ("a;b\n1,5;2\n", r"line 2, column 1 \('a'\) holds '1,5', expected a number.*A decimal comma\? Write"),
    ("1,5;2,5\n3;4\n", "line 1.*holds '1,5'.*decimal comma"), ("1,5\t2\n", "decimal comma"),
    ("x;y\ninf;1\n-inf;1\n", "line 2, column 1 .'x'. holds 'inf', expected a finite"),
    ("a;b\n10000,5;2\n", "decimal comma"), ('1,"1.234,5"\n2,3', "line 1, column 2 .*holds '1.234,5'.*decimal comma"),
    ('a,b\n1,"1,234,567.5"\n', "without a mark between the thousands"), ("1.0 2.0\n3.0 4.0\n", r"delimiter=' '"),
    ("a,b\n1,inf\n", r"line 2, column 2 \('b'\) holds 'inf', expected a finite"),
    ("a,b\n1,-Infinity\n", "a finite number"),
    ("a,b\n1,1e999\n", "holds '1e999', expected a finite"), ("a,b\n1,1_000\n", "holds '1_000'"),
    ("a,b\n1,１２\n", "holds '１２'"),
    ("a,b\n1,0x1F\n", "holds '0x1F'"), ("a,b\n1,True\n", "holds 'True'"), ("a,b\n1,1+2j\n", "holds"),
    ("a,b\n1,5%\n", "'5%'"),
    ("a,a\n1,2\n", "two columns are named 'a'"), ("a, a \n1,2\n", "two columns are named 'a'"),
    ("1,2,x\n3,4,5\n", "line 1 holds 'x' and the number '2', expected names, or numbers.*header=True or header=False"),
    ('a,b\n1,"2\n3,4\n', "no row of a table.*quotation mark left open"),
    ('a,b\n"1"5,2\n', "line 2 is no row of a table"),
    (b"a,b\n1,\xe4\n", r"0xe4 at offset 6 \(line 2\)"), (b"a,b\n1,\x00\n", r"NUL character at 6 \(line 2\)"),
    (npy(np.zeros(3)), "is a NumPy array.*load_series reads NumPy's files by the ending"),
    (b"PK\x03\x04", "ZIP archive"),
    ("a,b\n1," + "9" * 200000 + "\n", "finite|no row of a table"),
])  # fmt: skip
def test_tables_that_cannot_be_read(tmp_path, content, message):
    refused(write(tmp_path, content), message)


@pytest.mark.parametrize(("choices", "message"), [
    ({"delimiter": ",,"}, "delimiter is ',,', expected one character"), ({"delimiter": ""}, "delimiter is ''"),
    ({"delimiter": 5}, "delimiter is 5"), ({"delimiter": '"'}, "delimiter is"),
    ({"header": 1}, "header is 1, expected True"),
    ({"header": "yes"}, "header is 'yes'"), ({"times": "c"}, "times is 'c', expected one of 'a', 'b'"),
    ({"times": 2}, r"times is 2, expected.*number 0 … 1"), ({"times": -1}, "times is -1"),
    ({"times": 1.0}, "times is 1.0"),
    ({"times": "a", "header": False}, "Without a header there are no names"),
    ({"array": "a"}, "array is 'a' for 'file.csv'"),
    ({"encoding": "klingon"}, "klingon"),
])  # fmt: skip
def test_choices_that_do_not_fit(tmp_path, choices, message):
    refused(write(tmp_path, "a,b\n1,2\n"), message, **choices)


def test_names_are_looked_at_before_one_of_them_is_the_times(tmp_path):
    refused(write(tmp_path, "a,a\n1,2\n"), "two columns are named 'a'", times=0)


def test_a_file_of_times_alone(tmp_path):
    refused(write(tmp_path, "1\n2\n"), "times alone.*times=False", times=True)


# Arrays


@pytest.mark.parametrize(("array", "notes"), [
    (np.array([[1.5, NAN], [3, 4]]), ["1 of 4 entries are missing (NaN)"]),
    (np.arange(3.0), ["one dimension: one column"]),
    (np.array([[1, 2]], np.int16), ["int16 became float64, exactly"]),
    (np.array([[0.1]], np.float32), ["float32 became float64, exactly"]), (np.array([[1.5, 2.5]], ">f8"), None),
    (np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]), []),
    (np.array([[2**53]], np.int64), ["int64 became float64, exactly"]),
])  # fmt: skip
def test_arrays_are_read(tmp_path, array, notes):
    for name, content in (("a.npy", npy(array)), ("A.NPY", npy(array))):
        series = load_series(write(tmp_path, content, name))
        np.testing.assert_array_equal(series.values, array.reshape(len(array), -1).astype(float))
        assert series.values.dtype == np.dtype("float64")
        np.testing.assert_array_equal(series.observed, ~np.isnan(series.values))
        assert series.times is None
        assert series.names == tuple(f"column {d}" for d in range(1, series.values.shape[1] + 1))
        assert notes is None or series.notes == tuple(notes)


def test_archives_are_read(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, only=np.arange(6.0).reshape(3, 2))
    series = load_series(path)
    assert (series.values.tolist(), series.notes) == ([[0, 1], [2, 3], [4, 5]], ("array: 'only'",))
    np.savez(path, open=np.arange(3.0), close=np.arange(3) + 1)
    series = load_series(path)
    assert (series.names, series.values.tolist()) == (("open", "close"), [[0, 1], [1, 2], [2, 3]])
    assert series.notes[0] == "columns: the 2 arrays of the file"
    series = load_series(path, array="close")
    assert (series.names, series.values.tolist()) == (("close",), [[1], [2], [3]])
    refused(path, "array is 'x', expected one of 'open', 'close'", array="x")
    refused(path, "array is 5", array=5)
    np.savez(path, a=np.zeros(4), b=np.zeros(3))
    refused(path, r"holds a \(4,\), b \(3,\), expected one array, or arrays \(T,\) of one length")
    np.savez(path, a=np.zeros((3, 2)), b=np.zeros(3))
    refused(path, r"holds a \(3, 2\), b \(3,\), expected one array.*array='…'")
    assert load_series(path, array="a").values.shape == (3, 2)
    refused(path, "delimiter is ',' for 'a.npz', expected None", delimiter=",")


class Bomb:
    """An object whose unpickling would leave a trace."""

    def __reduce__(self):
        return (os.mkdir, ("bomb-went-off",))


def header(shape, descr="<f8", version=1):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text


@pytest.mark.parametrize(("content", "message"), [
    (header("(1000000000000, 10)"), "claims 80000000000000 bytes where there are 0"),
    (header("(-5, 2)") + bytes(80), "claims|shape"),
    (header("(2, 2)") + bytes(24), "claims 32 bytes where there are 24"),
    (header("(2, 2)") + bytes(40), "claims 32 bytes where there are 40"),
    (header("(1, 1)", version=3) + bytes(8), "version 3.0"),
    (b"\x93NUMPY", "cannot be read"), (b"hello", "cannot be read.*numpy.save"), (b"", r"empty \(0 bytes\)"),
    (header("(1, 1)", "<q9") + bytes(8), "cannot be read"), (header("(1,", "<f8"), "cannot be read"),
    (header("(__import__('os').mkdir('bomb-went-off'),)"), "cannot be read"),
    (header("(1,)", "|O") + b"cos\n", "objects"),
    (npy(np.array([[1 + 2j]])), "dtype complex128, expected real numbers.*imaginary"),
    (npy(np.array([True])), "dtype bool"),
    (npy(np.array(["a"])), "dtype <U1"), (npy(np.array(["2020-01-01"], "M8[D]")), r"dtype datetime64\[D\].*labels"),
    (npy(np.zeros(2, [("a", float), ("b", int)])), "has fields a, b.*column_stack"),
    (npy(np.zeros((2, 2, 2))), r"\(2, 2, 2\)"),
    (npy(np.array(1.0)), r"shape \(\), expected \(T, D\)"), (npy(np.zeros((0, 2), int)), r"shape \(0, 2\)"),
    (npy(np.zeros((2, 0))), r"shape \(2, 0\)"),
    (npy(np.array([[1.0, 2.0], [NAN, -np.inf]])), "holds -inf in row 1, column 1"),
    (npy(np.array([2**53 + 1])), "an integer beyond 2\\^53"), (npy(np.array([-(2**63)])), "beyond"),
    (npy(np.array([2**64 - 1], np.uint64)), "beyond"),
])  # fmt: skip
def test_arrays_that_cannot_be_read(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    refused(write(tmp_path, content, "a.npy"), message)
    if content:
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("x.npy", content)
        refused(tmp_path / "a.npz", message)
    assert not (tmp_path / "bomb-went-off").exists()


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="there are no longer numbers here")
def test_numbers_too_long_for_float64_are_not_rounded(tmp_path):
    refused(write(tmp_path, npy(np.ones(2, np.longdouble)), "a.npy"), "expected real numbers of 64 bits at most")


def test_pickled_objects_are_never_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "a.npy", np.array([Bomb()], object))
    refused(tmp_path / "a.npy", "holds Python objects, expected numbers because reading them would run code")
    np.savez(tmp_path / "a.npz", x=np.array([Bomb()], object))
    refused(tmp_path / "a.npz", "holds Python objects")
    assert not (tmp_path / "bomb-went-off").exists()


def archive_of(path, entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_archives_that_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    refused(write(tmp_path, b"PK\x03\x04 and no more", "a.npz"), "cannot be read")
    refused(write(tmp_path, b"1,2\n", "a.npz"), "cannot be read.*numpy.savez")
    refused(archive_of(path, []), "it holds no array")
    refused(archive_of(path, [("notes.txt", b"hello")]), "'notes.txt' is no array")
    refused(archive_of(path, [("x.npy", npy(np.zeros(3)))], zipfile.ZIP_BZIP2), "compressed in a way")
    with pytest.warns(UserWarning, match="Duplicate"):
        archive_of(path, [("x.npy", npy(np.zeros(3)))] * 2)
    refused(path, "two of its arrays have one name")
    monkeypatch.setattr(numpy_files, "LARGE", 2**16)  # a bomb of 1 MB stands for one of any size
    archive_of(path, [("x.npy", npy(np.zeros(2**17)))], zipfile.ZIP_DEFLATED)
    refused(path, r"would grow from \d+ bytes to 1048704")
    damaged = bytearray(archive_of(path, [("x.npy", npy(np.arange(9.0)))]).read_bytes())
    damaged[200] ^= 1
    refused(write(tmp_path, bytes(damaged), "a.npz"), "Bad CRC")


def test_damaged_files_are_refused_or_read_and_nothing_else_happens(tmp_path):
    """Any single byte changed or everything after it cut off: an answer or an ArgumentError, never another fault."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=np.arange(4.0), y=np.arange(4))
    whole = {"a.npy": npy(np.arange(6.0).reshape(3, 2)), "a.npz": (tmp_path / "a.npz").read_bytes(),
             "a.csv": b'Date,"a",b\n2020-01-01,1,2\n2020-01-02,NA,-3e5\n'}
    refusals = 0
    for name, content in whole.items():
        for _ in range(80):
            changed = bytearray(content)
            place = int(rng.integers(len(content)))
            if rng.integers(4):
                changed[place] = int(rng.integers(256))
            else:
                del changed[place:]
            try:
                series = load_series(write(tmp_path, bytes(changed), name))
            except ArgumentError:
                refusals += 1
            else:
                assert series.values.shape == series.observed.shape
    assert refusals > 100
