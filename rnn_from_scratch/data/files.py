"""A user's own file as bytes and as text: what can be wrong with it, and where.

Source: tests/data/test_loading.py.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
from pathlib import Path
from typing import Any, NamedTuple

from .. import validate

KINDS = {  # how files begin that are no text
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture", b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive (as .npz, .xlsx, .docx and .epub are)", b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2", b"\xfd7zXZ": "compressed by xz", b"\x93NUMPY": "a NumPy array",
    b"\xd0\xcf\x11\xe0": "an old Office document", b"SQLite format 3": "a database", b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet file", b"\x7fELF": "a program",
}  # fmt: skip
MARKS = {  # a byte order mark, and the encoding that it stands for; UTF-32's begins with UTF-16's
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
GUESSES = ("utf-8", "gb18030", "cp1252", "latin-1")  # tried for a hint alone; the last one reads anything


class Decoded(NamedTuple):
    """A file's text and what was done to it."""

    text: str  # lines end in "\n"
    notes: tuple[str, ...]


def checked_path(where: str, path: Any) -> Path:
    """Return a path to an ordinary file; a folder or a device is refused, and a missing file raises OSError."""
    if not isinstance(path, str | os.PathLike) or not str(path) or "\0" in str(path):
        validate.fail(where, f"path is {path!r:.60}", "the name of a file, as str or Path")
    file = Path(path)
    try:
        kind = file.stat().st_mode
    except OSError as fault:
        if fault.errno != errno.ENAMETOOLONG:
            raise
        hint = "Text itself needs no loading."
        validate.fail(where, f"path is {str(path)!r:.60}", "the name of a file", "a name is not so long", hint)
    if stat.S_ISDIR(kind):
        validate.fail(where, f"{str(file)!r} is a folder", "a file", "one file is read at a time")
    if not stat.S_ISREG(kind):  # a pipe or a device may never end
        validate.fail(where, f"{str(file)!r} is a device or a pipe", "a file", "it has an end")
    return file


def decode(where: str, path: Path, encoding: Any) -> Decoded:
    r"""Return a file's text, or say which byte is none.

    A byte order mark is taken off, and line ends of Windows or old Macs become "\n", as Python's text mode does it.
    """
    _checked_encoding(where, encoding)
    content, name = path.read_bytes(), path.name
    if not content:
        validate.fail(where, f"{name!r} is empty (0 bytes)", "a text", "there is nothing to read")
    for start, kind in KINDS.items():
        if content.startswith(start):
            loads = kind == KINDS[b"\x93NUMPY"] or path.suffix == ".npz"
            hint = "load_series reads NumPy's files by the ending .npy or .npz." if loads else ""
            validate.fail(where, f"{name!r} is {kind}", "a text", "it begins as one does", hint)
    mark = next((mark for mark in MARKS if content.startswith(mark)), b"")
    notes = []
    if mark:
        codec = codecs.lookup(encoding).name
        if not codec.startswith(MARKS[mark]):
            hint = f"Try encoding={MARKS[mark]!r}."
            validate.fail(where, f"{name!r} begins with the mark of {MARKS[mark].upper()}",
                          f"{encoding}, as encoding says", "", hint)
        if codec.startswith("utf-8"):
            content = content[len(mark):]
            notes.append("a byte order mark was taken off")
    try:
        text = content.decode("utf-8" if codecs.lookup(encoding).name == "utf-8-sig" else encoding)
    except UnicodeDecodeError as fault:
        offset = fault.start + (len(mark) if notes else 0)
        before = content[: fault.start].decode(encoding, "replace")
        wrong = " ".join(f"0x{byte:02x}" for byte in content[fault.start : fault.start + 1])
        validate.fail(
            where, f"{name!r} has the byte {wrong} at offset {offset} (line {_line(before)})", f"text in {encoding}",
            fault.reason, _guess(content, encoding),
        )
    except UnicodeError as fault:
        validate.fail(where, f"{name!r} cannot be read ({fault})", f"text in {encoding}", "", _guess(content, encoding))
    if "\0" in text:
        at = text.index("\0")
        hint = "" if content.count(b"\0") * 3 < len(content) else "UTF-16 without a mark? Try encoding='utf-16-le'."
        got = f"{name!r} holds a NUL character at {at} (line {_line(text[:at])})"
        validate.fail(where, got, "a text", "texts have none: this is a binary file, or another encoding", hint)
    if not text:
        validate.fail(where, f"{name!r} is empty but for a byte order mark", "a text", "there is nothing to read")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        notes.append(r"line ends \r\n or \r became \n")
    return Decoded(text, tuple(notes))


def _line(before: str) -> int:
    """Return the number of the line that begins or goes on after this text."""
    return before.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1


def _checked_encoding(where: str, encoding: Any) -> None:
    hint = "Try 'utf-8', 'cp1252', 'gb18030' or 'utf-16'."
    if not isinstance(encoding, str):
        validate.fail(where, f"encoding is {encoding!r:.60}", "the name of an encoding", "", hint)
    try:
        codecs.lookup(encoding)
        bytes(4).decode(encoding)  # refuses rot13 and others that do not turn bytes into text
    except (LookupError, ValueError) as fault:
        if not isinstance(fault, UnicodeError):
            validate.fail(where, f"encoding is {encoding!r:.60}", "an encoding that Python knows", "", hint)


def _guess(content: bytes, tried: str) -> str:
    """Name encodings that could read it: a hint, since nothing tells them apart for certain."""
    able = []
    for encoding in GUESSES:
        if codecs.lookup(encoding).name != codecs.lookup(tried).name:
            try:
                content.decode(encoding)
            except UnicodeError:
                continue
            able.append(encoding)
    return f"It can be read as {' or '.join(able[:3])}: give encoding=… and look at the letters."
