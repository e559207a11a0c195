"""Archives on disk: .npz, never pickle, never half written, never read wrongly.

An archive holds one entry an array ("recurrent.W_hh.npy"); `manifest.json`, which tells the shape, dtype and SHA-256 of
each; and texts, if it was given any. The archive's comment is the SHA-256 of all that stands before it: one flipped bit
anywhere is seen. `numpy.load` reads it too, and gives the texts as bytes.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import os
import secrets
import shutil
import stat
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from .. import validate
from ..arrays import Array

MANIFEST = "manifest.json"
DIGEST = 64  # hexadecimal digits of a SHA-256
PIECE = 1 << 20
ABANDONED = 600.0  # seconds after which a temporary file is nobody's: its writer was killed

Arrays: TypeAlias = dict[str, Array]
Texts: TypeAlias = dict[str, str]


def checked_path(where: str, path: Any, *, to_write: bool = False) -> Path:
    """Return a path as `Path`; one to write must end in .npz."""
    if not isinstance(path, str | os.PathLike) or "\0" in str(path):
        validate.fail(where, f"path is {path!r}", "the name of a file, as str or Path")
    checked = Path(path)
    if to_write and checked.suffix != ".npz":
        validate.fail(where, f"path is {str(path)!r}", "a name that ends in .npz", "the format is NumPy's own")
    return checked


def write_archive(path: Path, arrays: Mapping[str, Array], texts: Mapping[str, str] | None = None) -> None:
    """Write an archive in place of what stands at `path`; see `write_whole`."""

    def write(file: BinaryIO) -> None:
        write_entries(file, arrays, texts or {})
        seal(file)

    write_whole(path, write)


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file beside its place under another name, sync it and rename it.

    Whatever happens, the file at `path` is the old one or the new one, whole. It keeps the mode of a file it replaces;
    a link is followed. What a killed writer left behind is cleared away by a later one.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written, or `path` is a folder.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    own = "." + hashlib.sha256(target.name.encode(errors="surrogateescape")).hexdigest()[:16]
    _clear(target.parent, own)
    temporary = target.with_name(f"{own}.{secrets.token_hex(8)}.tmp")
    try:
        file = temporary.open("x+b")
    except OSError as fault:  # name the caller's path, not a name made up here
        raise OSError(fault.errno, fault.strerror, str(path)) from None
    try:
        with file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _clear(folder: Path, own: str) -> None:
    """Remove what writers of this very file left behind when they were killed."""
    for left in folder.glob(f"{own}.*.tmp"):
        try:
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()
        except OSError:  # another process was faster, or it is not ours to remove: it harms nobody
            continue


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where a system can: the file itself is whole in any case."""
    if os.name != "posix":  # Windows opens no folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems know no such thing
            raise
    finally:
        os.close(handle)


def described(arrays: Mapping[str, Array]) -> dict[str, dict[str, Any]]:
    """Return what the manifest says of the arrays."""
    return {
        name: {
            "shape": list(array.shape), "dtype": array.dtype.name, "sha256": hashlib.sha256(array.tobytes()).hexdigest()
        }
        for name, array in arrays.items()
    }


def write_entries(file: BinaryIO, arrays: Mapping[str, Array], texts: Mapping[str, str]) -> None:
    """Write the entries and the manifest, and a comment of zeros for `seal`; without dates: equal runs, equal files."""
    with zipfile.ZipFile(file, "w") as archive:  # np.savez would trip over a parameter named "file"
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:  # may pass 2 GiB
                np.lib.format.write_array(entry, array, allow_pickle=False)
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name), text)
        archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(described(arrays), indent=1))
        archive.comment = b"0" * DIGEST


def seal(file: BinaryIO) -> None:
    """Put the SHA-256 of all that stands before the comment into the comment."""
    digest, _ = _digest(file)
    file.seek(-DIGEST, os.SEEK_END)
    file.write(digest)


def _digest(file: BinaryIO) -> tuple[bytes, bytes]:
    """Return the SHA-256 of a file without its last 64 bytes, and these."""
    left = file.seek(0, os.SEEK_END) - DIGEST
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0:
        piece = file.read(min(PIECE, left))
        if not piece:
            break  # somebody cut it while it was read; the digest will not fit
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest().encode(), file.read(DIGEST)


def read_archive(where: str, path: Path, kind: str, texts: tuple[str, ...] = ()) -> tuple[Arrays, Texts]:
    """Return an archive's arrays and the texts of these names; never run code from it, never take more than its size.

    Raises
    ------
    ArgumentError
        If it is damaged, or none that was written here: `kind` says what was expected.
    OSError
        If there is no such file, or it cannot be read.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # to open a pipe would wait for ever
        validate.fail(where, f"{str(path)!r} is no regular file", kind)
    with path.open("rb") as file:
        try:
            return _read(file, texts)
        except Exception as fault:  # a damaged archive raises nearly anything: zipfile, json and NumPy all read here
            reason = " ".join(str(fault).split())[:200] or type(fault).__name__
            validate.fail(where, f"{str(path)!r} cannot be read ({reason})", kind)


def _read(file: BinaryIO, texts: tuple[str, ...]) -> tuple[Arrays, Texts]:
    """Return the arrays if they are what the manifest says, and the texts; raise anything at all if not."""
    with zipfile.ZipFile(file) as archive:
        size = file.seek(0, os.SEEK_END)
        if archive.comment or texts:  # an archive of parameters alone may come from before there was a digest
            digest, comment = _digest(file)
            if digest != comment or archive.comment != comment:
                raise ValueError("it was changed after it was written: its SHA-256 is another")
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        for name in (MANIFEST, *texts):
            if name not in names:
                raise ValueError(f"it holds no {name}")
        if len(set(names)) < len(names):
            raise ValueError("two of its entries have the same name")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("it is compressed")  # a few bytes could grow to any size
        if sum(entry.file_size for entry in entries) > size:
            raise ValueError("its entries claim more bytes than it has")  # the same bytes, many times
        arrays = {}
        for name in names:
            if name not in (MANIFEST, *texts):
                if not name.endswith(".npy"):
                    raise ValueError(f"its entry {name!r} is no array")
                arrays[name.removesuffix(".npy")] = _read_array(archive.read(name))
        if described(arrays) != json.loads(archive.read(MANIFEST)):
            raise ValueError(f"its arrays are not those of its {MANIFEST}")
        return arrays, {name: archive.read(name).decode() for name in texts}


def _read_array(content: bytes) -> Array:
    """Read an .npy file whose header claims as many bytes as there are; a false claim would take any memory."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array is not in version 1.0 of the .npy format")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    claimed, there = math.prod(shape) * dtype.itemsize, len(content) - file.tell()
    if claimed != there or min(shape, default=0) < 0:
        raise ValueError(f"an array's header claims {claimed} bytes where there are {there}")
    file.seek(0)
    array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array
