"""Two hundred damaged, foreign and hostile checkpoints: each is refused in one line, runs no code, takes no memory."""

import io
import json
import pickle
import re
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.kill_and_resume import start
from rnn_from_scratch.training import archive, load_checkpoint, save_params, train
from rnn_from_scratch.validate import ArgumentError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A checkpoint with every kind of entry, as bytes."""
    path = tmp_path_factory.mktemp("whole") / "run.npz"
    train(**start("text"), updates=9, checkpoint=path, notes={"characters": "abc"})
    return path.read_bytes()


def entries_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


def sealed(entries, compression=zipfile.ZIP_STORED):
    """An archive of these entries that has the right digest, as whoever wants to deceive would make it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as opened:
        for name, content in entries.items():
            opened.writestr(zipfile.ZipInfo(name), content, compression)
        opened.comment = b"0" * archive.DIGEST
    archive.seal(file)
    return file.getvalue()


def rewritten(whole, **changes):
    """The checkpoint with other entries, its manifest and digest made to fit; None leaves one out."""
    entries = entries_of(whole) | {name.replace("__", "."): content for name, content in changes.items()}
    entries = {name: content for name, content in entries.items() if content is not None}
    arrays = {}
    for name, content in entries.items():
        if name.endswith(".npy"):
            try:
                arrays[name.removesuffix(".npy")] = np.lib.format.read_array(io.BytesIO(content))
            except ValueError:
                continue
    entries["manifest.json"] = json.dumps(archive.described(arrays)).encode()
    return sealed(entries)


def said(whole, **changes):
    """The checkpoint with other values in run.json, digest made to fit; ... leaves one out."""
    saved = json.loads(entries_of(whole)["run.json"]) | changes
    saved = {name: value for name, value in saved.items() if value is not ...}
    return rewritten(whole, run__json=json.dumps(saved).encode())


class Planted:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def header(text):
    """An .npy file with this header and 24 bytes of data."""
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + bytes(24)


def mutated(whole, planted):
    """Yield (what was done, content) of two hundred hostile files and more."""
    rng = np.random.default_rng(0)
    for n in range(70):
        flipped = bytearray(whole)
        for place in rng.integers(len(whole), size=1 + n % 3):
            flipped[place] ^= 1 << rng.integers(8)
        yield "bits flipped", bytes(flipped)
    for size in rng.integers(len(whole), size=40):
        yield "cut", whole[:size]
    for size in rng.integers(1, 2000, size=10):
        yield "something behind", whole + rng.bytes(size)
    for size in rng.integers(1, 2000, size=10):
        yield "something before", rng.bytes(size) + whole
    for _ in range(10):
        first, second = sorted(rng.integers(len(whole), size=2))
        yield "a piece of zeros", whole[:first] + bytes(second - first) + whole[second:]
    for _ in range(5):
        yield "noise", rng.bytes(5000)
    for content in (b"", b"PK", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"{}", bytes(1000), npy(np.ones(3))):
        yield "another sort of file", content

    evil = pickle.dumps(Planted(planted))
    objects = npy(np.array([Planted(planted)], dtype=object))
    yield "a pickle", evil
    for name in ("params.output.b_y.npy", "history.losses.npy", "optimizer.mean.output.b_y.npy", "params.new.npy"):
        yield "an array of objects", sealed(entries_of(whole) | {name: objects})
        yield "a pickle for an array", sealed(entries_of(whole) | {name: evil})
    for name in ("run.json", "manifest.json", "data.pkl"):
        yield "a pickle beside", sealed(entries_of(whole) | {name: evil})

    yield "a bomb", sealed(entries_of(whole) | {"params.bomb.npy": npy(np.zeros(10_000_000))}, zipfile.ZIP_DEFLATED)
    yield "a bomb", sealed({"run.json": b" " * 50_000_000, "manifest.json": b"{}"}, zipfile.ZIP_DEFLATED)
    yield "deep JSON", rewritten(whole, run__json=b"[" * 100_000 + b"]" * 100_000)
    yield "deep JSON", rewritten(whole, run__json=b'{"model":' * 50_000 + b"1" + b"}" * 50_000)
    yield "a long number", rewritten(whole, run__json=b'{"updates": ' + b"9" * 100_000 + b"}")
    for shape in ("(1000000000000,)", "(-1,)", "(-1, -3)", "(3, 1000000000000)", "(2**62,)", "(1e3,)", "(True,)", "x"):
        for descr in ("<f8", "<f4"):
            false = header(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
            yield "a false header", sealed(entries_of(whole) | {"params.output.b_y.npy": false})
    for descr in ("'|O'", "'<i8'", "'<c16'", "'<U3'", "[('a', '<f8')]", "'>f8'", "'<f2'", "'<M8[s]'", "exit()"):
        false = header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (3,), }}")
        yield "a wrong dtype", sealed(entries_of(whole) | {"params.output.b_y.npy": false})
    for dtype in (np.int64, np.float16, np.complex128, bool, np.uint8):
        yield "a wrong dtype", rewritten(whole, params__output__b_y__npy=npy(np.zeros(12, dtype)))
        yield "a wrong dtype", rewritten(whole, history__losses__npy=npy(np.zeros((9, 1), dtype)))
    for array in (np.zeros(9), np.zeros((8, 1)), np.zeros((9, 2)), np.zeros(()), np.zeros((9, 1), np.float32)):
        yield "a wrong shape", rewritten(whole, history__losses__npy=npy(array))
    for name in ("params__npy", "params__output__npy", "params__output__b_y__x__npy", "params____npy"):
        yield "names that collide", rewritten(whole, **{name: npy(np.ones(2))})
    for name in ("run__json", "manifest__json", "history__losses__npy"):
        entries = entries_of(whole)
        entries.pop(name.replace("__", "."))
        yield "an entry left out", sealed(entries)
    yield "no parameters", rewritten(whole, **{
        name.replace(".", "__"): None for name in entries_of(whole) if name.startswith("params.")})
    for name in ("../../etc/passwd", "/etc/passwd", "C:\\x", "x.txt", "x.npy/../y", ""):
        yield "a foreign entry", sealed(entries_of(whole) | {name: b"hello"})

    for name in ("updates", "epoch", "batch", "waited", "settings", "best", "rng", "optimizer", "asked", "epoch_loss"):
        for value in (..., "1", [], -1):
            yield f"{name} of another sort", said(whole, **{name: value})
    for value in ("2", 2, None, ..., True, 1.0 + 1e-9):
        yield "another version", said(whole, version=value)
    for value in ("PyTorch", None, ..., 1):
        yield "another format", said(whole, format=value)
    for value in (2**60, 10**30, 8, 1e9, float("nan"), True):
        yield "another count", said(whole, updates=value)
    for value in ({}, {"loss": "0", "update": 7}, {"loss": float("nan"), "update": 7}, {"loss": 1.0, "update": -1}):
        yield "another best", said(whole, best=value)


def shared_bytes():
    """An archive whose entries all point at the same million bytes: 500 million, if one believed it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr(zipfile.ZipInfo("a.npy"), bytes(1_000_000))
        first = opened.infolist()[0]
        for n in range(500):
            copy = zipfile.ZipInfo(f"b{n}.npy")
            copy.CRC, copy.file_size, copy.compress_size = first.CRC, first.file_size, first.compress_size
            copy.header_offset = first.header_offset
            opened.filelist.append(copy)
            opened.NameToInfo[copy.filename] = copy
        opened.writestr(zipfile.ZipInfo("run.json"), "{}")
        opened.writestr(zipfile.ZipInfo("manifest.json"), "{}")
        opened.comment = b"0" * archive.DIGEST
    archive.seal(file)
    return file.getvalue()


def test_every_hostile_file_is_refused_in_one_line(tmp_path, whole):
    planted, path, done = tmp_path / "planted", tmp_path / "run.npz", 0
    cases = [*mutated(whole, planted), ("the same bytes many times", shared_bytes())]
    tracemalloc.start()
    try:
        for what, content in cases:
            path.write_bytes(content)
            tracemalloc.reset_peak()
            try:
                load_checkpoint(path)
            except ArgumentError as fault:
                message = str(fault)
            else:
                pytest.fail(f"it was read: {what}")
            assert message.startswith("load_checkpoint: "), (what, message)
            assert "run.npz" in message, (what, message)
            assert "\n" not in message, (what, message)
            assert len(message) < 600, (what, message)
            assert tracemalloc.get_traced_memory()[1] < 40_000_000, what
            assert not planted.exists(), what
            done += 1
    finally:
        tracemalloc.stop()
    assert done == len(cases) >= 200


def test_the_rewritten_file_itself_is_read(tmp_path, whole):
    """What the other test changes is otherwise right: made to fit without a change, it is accepted."""
    path = tmp_path / "run.npz"
    for content in (whole, sealed(entries_of(whole)), rewritten(whole), said(whole)):
        path.write_bytes(content)
        assert load_checkpoint(path).updates == 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rng": {"bit_generator": "PCG64"}}, "a generator's state cannot be used"),
        ({"rng": {"bit_generator": "os.system"}}, "rng draws by PCG64 and the run by 'os.system'"),
        ({"rng": {}}, "rng draws by PCG64 and the run by None"),
        ({"rng": {"bit_generator": "PCG64", "state": {"state": "x", "inc": 1}, "has_uint32": 0, "uinteger": 0}},
         "a generator's state cannot be used"),
        ({"optimizer": {}}, "its run.json has no number optimizer.updates"),
        ({"optimizer": {"updates": 2.5}}, "its run.json has no number optimizer.updates"),
        ({"carried": 7}, "it has no array 'carried.[4]'"),
        ({"settings": {}}, "run.npz is of a run whose model was 'None'"),
    ],
)
def test_what_only_going_on_needs_is_checked_there(tmp_path, whole, change, message):
    path = tmp_path / "run.npz"
    path.write_bytes(said(whole, **change))
    load_checkpoint(path)
    with pytest.raises(ArgumentError, match=re.escape(message)):
        train(**start("text"), updates=12, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"class": "Popen", "args": "ls"}, "a description is of 'Popen', expected one of the package's"),
        ({"class": "os.system"}, "a description is of 'os.system'"), ({"class": ["LSTMCell"]}, "a description is of"),
        ({}, "a description is of None"), ({"class": "LSTMCell"}, "LSTMCell cannot be made ("),
        ({"class": "LSTMCell", "input_size": -1, "hidden_size": 3}, "LSTMCell: input_size is -1"),
        ({"class": "LSTMCell", "input_size": "3", "hidden_size": 3}, "input_size is '3'"),
        ({"class": "LSTMCell", "input_size": 3, "hidden_size": 3, "init_params": 1}, "LSTMCell has ['init_params']"),
        ({"class": "Recurrent", "cell": [1]}, "a description holds [1]"),
        ({"class": "Recurrent", "cell": {"tuple": 3}}, "a description is of None"),
    ],
)
def test_a_description_builds_nothing_else(tmp_path, whole, description, message):
    path = tmp_path / "run.npz"
    path.write_bytes(said(whole, model=description))
    with pytest.raises(ArgumentError, match=re.escape(message)):
        load_checkpoint(path).build_model()


def test_sizes_that_no_machine_has_take_no_memory(tmp_path, whole):
    path = tmp_path / "run.npz"
    huge = {"class": "LSTMCell", "input_size": 10**15, "hidden_size": 10**15}
    path.write_bytes(said(whole, model=huge))
    assert load_checkpoint(path).build_model().hidden_size == 10**15  # sizes alone; arrays come from the file


def test_parameters_alone_and_other_paths_are_told_apart(tmp_path, whole):
    save_params(tmp_path / "p.npz", {"W": np.ones(2)})
    with pytest.raises(ArgumentError, match=r"p.npz' cannot be read \(it holds no run.json\)"):
        load_checkpoint(tmp_path / "p.npz")
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.npz")
    with pytest.raises(IsADirectoryError):
        load_checkpoint(tmp_path)
    with pytest.raises(ArgumentError, match="load_checkpoint: path is 3"):
        load_checkpoint(3)


def test_a_pipe_is_not_waited_for(tmp_path):
    os = pytest.importorskip("os")
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(tmp_path / "run.npz")
    with pytest.raises(ArgumentError, match="is no regular file"):
        load_checkpoint(tmp_path / "run.npz")


def test_a_flip_anywhere_is_seen(tmp_path, whole):
    """Also in a date or in a field that zip readers ignore: the digest covers every byte."""
    path = tmp_path / "run.npz"
    for place in range(0, len(whole), 997):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(ArgumentError):
            load_checkpoint(path)
