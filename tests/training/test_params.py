"""Parameters on disk: bit for bit there and back, never pickle, never half written."""

import hashlib
import io
import json
import os
import pickle
import re
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.training import archive, load_params, save_params
from rnn_from_scratch.validate import ArgumentError


def identical(first, second):
    one, two = list(leaves(first)), list(leaves(second))
    assert [name for name, _ in one] == [name for name, _ in two]
    for (_, a), (_, b) in zip(one, two, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive_of(entries, compression=zipfile.ZIP_STORED):
    """Return an archive with these (name, bytes), whatever they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def forged(path, arrays):
    """Write arrays as `save_params` does, manifest and all, under names that it would refuse."""
    with path.open("w+b") as file:
        archive.write_entries(file, arrays, {})
        archive.seal(file)
    return path


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_models_parameters_come_back_bit_for_bit(tmp_path, dtype):
    model = SequenceModel(Recurrent(RNNCell(3, 4)), 2)
    params = model.init_params(rng=np.random.default_rng(0), dtype=dtype)
    path = save_params(tmp_path / "model.npz", params)
    assert path == tmp_path / "model.npz"
    identical(load_params(path), params)


def test_any_nesting_any_shape_any_number(tmp_path):
    params = {
        "a": {"b": {"c": np.array([np.nan, np.inf, -0.0, 5e-324])}, "file": np.zeros((0, 3))},
        "scalar": np.array(2.5), "not contiguous": np.arange(12.0).reshape(3, 4)[:, ::2], "中文": np.ones(1),
    }
    identical(load_params(save_params(str(tmp_path / "odd.npz"), params)), params)


def test_the_file_is_plain_npz_and_leaves_nothing_beside_it(tmp_path):
    path = save_params(tmp_path / "p.npz", {"recurrent": {"W_hh": np.eye(2)}})
    with np.load(path, allow_pickle=False) as archive:
        assert archive.files == ["recurrent.W_hh", "manifest.json"]
        np.testing.assert_array_equal(archive["recurrent.W_hh"], np.eye(2))
        assert json.loads(archive["manifest.json"])["recurrent.W_hh"] == {
            "shape": [2, 2], "dtype": "float64", "sha256": hashlib.sha256(np.eye(2).tobytes()).hexdigest(),
        }
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.npz"]


class Planted:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_in_the_file_is_refused_and_not_run(tmp_path):
    planted = tmp_path / "planted"
    evil = npy(np.array([Planted(planted)], dtype=object))
    (tmp_path / "evil.npz").write_bytes(archive_of([("W.npy", evil), ("manifest.json", "{}")]))
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Planted(planted)))
    for name in ("evil.npz", "bare.npz"):
        with pytest.raises(ArgumentError, match=rf"load_params: .*{name}.* cannot be read") as caught:
            load_params(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert not planted.exists()


def test_a_damaged_or_foreign_file_is_refused(tmp_path):
    path = save_params(tmp_path / "good.npz", {"W": np.random.default_rng(0).standard_normal((40, 40))})
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    good, manifest = npy(np.eye(3)), ("manifest.json", "{}")
    cases = {
        "cut": (whole[: len(whole) // 2], "not a zip file"), "flipped": (bytes(flipped), "it was changed after it was"),
        "empty": (b"", "not a zip file"), "letter": (b"Dear reader", "not a zip file"),
        "npy": (good, "not a zip file"), "empty zip": (archive_of([]), "it holds no manifest.json"),
        "foreign": (archive_of([("W.npy", good)]), "it holds no manifest.json"),
        "text": (archive_of([("readme.txt", "no array"), manifest]), "its entry 'readme.txt' is no array"),
        "compressed": (archive_of([("W.npy", good), manifest], zipfile.ZIP_DEFLATED), "it is compressed"),
        "unlisted": (archive_of([("W.npy", good), manifest]), "its arrays are not those of its manifest.json"),
        "no json": (archive_of([("W.npy", good), ("manifest.json", "?")]), "Expecting value"),
    }
    for name, (content, reason) in cases.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
        with pytest.raises(ArgumentError, match=f"load_params: .*{name}.npz' cannot be read .*{reason}") as caught:
            load_params(tmp_path / f"{name}.npz")
        assert "\n" not in str(caught.value), name
    with pytest.raises(FileNotFoundError):
        load_params(tmp_path / "nowhere.npz")


def test_no_flipped_byte_raises_anything_else_or_loads_anything_else(tmp_path):
    rng = np.random.default_rng(0)
    params = {"recurrent": {"W": rng.standard_normal((2, 2)), "b": np.ones(2, np.float32)}, "scale": np.array(2.0)}
    whole = save_params(tmp_path / "p.npz", params).read_bytes()
    refused = []
    for place in rng.integers(len(whole), size=300):
        damaged = bytearray(whole)
        damaged[place] ^= rng.integers(1, 256)
        (tmp_path / "p.npz").write_bytes(damaged)
        try:
            loaded = load_params(tmp_path / "p.npz")
        except ArgumentError as fault:
            refused.append(str(fault))
        else:
            identical(loaded, params)
    assert len(refused) == 300  # the digest covers every byte
    assert all("cannot be read" in line and "\n" not in line for line in refused)


def test_an_array_left_out_or_changed_under_a_right_crc_is_seen(tmp_path):
    path = save_params(tmp_path / "p.npz", {"W": np.eye(2), "b": np.ones(2)})
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    without = {name: content for name, content in entries.items() if name != "b.npy"}
    for changed in (without, entries | {"b.npy": npy(np.zeros(2))}, entries | {"b.npy": npy(np.ones((2, 1)))}):
        path.write_bytes(archive_of(changed.items()))
        with pytest.raises(ArgumentError, match=r"its arrays are not those of its manifest"):
            load_params(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(tmp_path):
    path = tmp_path / "p.npz"
    path.write_bytes(archive_of([("W.npy", npy(np.eye(2))), ("manifest.json", "{}"), ("W.npy", npy(np.eye(2)))]))
    with pytest.raises(ArgumentError, match="two of its entries have the same name"):
        load_params(path)


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(-1,)", "(-1, -3)", "()"])
def test_a_header_that_claims_other_than_is_there_takes_no_memory(tmp_path, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    false = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(24)
    (tmp_path / "p.npz").write_bytes(archive_of([("W.npy", false), ("manifest.json", "{}")]))
    with pytest.raises(ArgumentError, match=r"an array's header claims -?\d+ bytes where there are 24"):
        load_params(tmp_path / "p.npz")


def test_integers_in_the_file_are_refused(tmp_path):
    forged(tmp_path / "ints.npz", {"W": np.arange(3)})
    with pytest.raises(ArgumentError, match=r"ints.npz: W has dtype int64, expected float64"):
        load_params(tmp_path / "ints.npz")


@pytest.mark.parametrize("names", [("a", "a.b"), ("a.b", "a")])
def test_names_that_collide_are_refused(tmp_path, names):
    forged(tmp_path / "clash.npz", {name: np.ones(1) for name in names})
    with pytest.raises(ArgumentError, match=r"load_params: clash.npz holds .* beside an array"):
        load_params(tmp_path / "clash.npz")


@pytest.mark.parametrize("name", ["a..b", "", "a.", "a[0]", "a\\b"])
def test_names_in_the_file_that_cannot_have_been_saved_are_refused(tmp_path, name):
    forged(tmp_path / "names.npz", {name: np.ones(1)})
    with pytest.raises(ArgumentError, match=r"load_params: names.npz: a parameter is named"):
        load_params(tmp_path / "names.npz")


@pytest.mark.parametrize("step", ["write_array", "fsync", "replace"])
def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = save_params(tmp_path / "p.npz", {"W": np.ones(3)})
    before = path.read_bytes()

    def disk_full(*arguments, **choices):
        raise OSError("no space left on device")

    owner = {"write_array": np.lib.format, "fsync": os, "replace": Path}[step]
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, disk_full)
        with pytest.raises(OSError, match="no space left"):
            save_params(path, {"W": np.zeros(3)})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.npz"]


def test_what_the_system_refuses_names_the_path_that_was_given(tmp_path):
    for path, error in ((tmp_path / "no" / "p.npz", FileNotFoundError), (tmp_path / "folder.npz", IsADirectoryError)):
        (tmp_path / "folder.npz").mkdir(exist_ok=True)
        with pytest.raises(error) as caught:
            save_params(path, {"W": np.ones(1)})
        assert caught.value.filename == str(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.npz"]


@pytest.mark.parametrize("path", [None, 3, b"p.npz", "a\0b.npz"])
def test_a_path_is_text_or_a_path(path):
    with pytest.raises(ArgumentError, match=r"save_params: path is .*, expected the name of a file"):
        save_params(path, {"W": np.ones(1)})
    with pytest.raises(ArgumentError, match=r"load_params: path is .*, expected the name of a file"):
        load_params(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path):
    (tmp_path / "usual").touch()
    path = save_params(tmp_path / "p.npz", {"W": np.ones(1)})
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode
    path.chmod(0o640)
    save_params(path, {"W": np.zeros(1)})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for rights to make a link")
def test_a_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "run7.npz", tmp_path / "latest.npz"
    link.symlink_to(target)
    for number in (1.0, 2.0):  # a link to nothing yet, then to a file
        assert save_params(link, {"W": np.array(number)}) == link
        assert link.is_symlink()
        assert load_params(target)["W"] == number
    assert [entry.name for entry in target.parent.iterdir()] == ["run7.npz"]


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("p.pkl", {"W": np.ones(1)}, "expected a name that ends in .npz"),
        ("p.npz", {}, "expected a dictionary of arrays"),
        ("p.npz", np.ones(1), "expected a dictionary of arrays"),
        ("p.npz", {"a.b": np.ones(1)}, "a parameter is named 'a.b', expected printable text without any of . / \\ ["),
        ("p.npz", {"layer": {"": np.ones(1)}}, "a parameter is named ''"),
        *(
            ("p.npz", {key: np.ones(1)}, f"a parameter is named {key!r:.60}, expected printable text")
            for key in (1, None, True, (1, 2), "\0", "a\0b", "\ud800", "W[0]", "a/b", "a\\b", "a\nb", b"W")
        ),
        ("p.npz", {"W" * 70_000: np.ones(1)}, "(70000 bytes), expected a name of at most 200 bytes"),
        ("p.npz", {"é" * 60: {"é" * 60: np.ones(1)}}, "(241 bytes), expected a name of at most 200 bytes"),
        ("p.npz", {"W": np.ones(1), "layer": {}}, "layer is {}, expected a dictionary of arrays, with at least one"),
        ("p.npz", {"W": (np.ones(1),)}, "W is a tuple, expected an array"),
        ("p.npz", {"W": np.ones(1, int)}, "W has dtype int64"),
        ("p.npz", {"W": np.ones(1, complex)}, "W has dtype complex128"),
        ("p.npz", {"W": np.array([None])}, "W has dtype object"),
        ("p.npz", {"W": [1.0, 2.0]}, "W is a list, expected an array"),
        ("p.npz", {"W": 1.0}, "W is a float"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_writes_nothing(tmp_path, name, params, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        save_params(tmp_path / name, params)
    assert list(tmp_path.iterdir()) == []
