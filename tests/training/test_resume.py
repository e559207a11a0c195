"""A run that was stopped anywhere and goes on gives, byte for byte, the file of the run that was not."""

import errno
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import kill_and_resume
from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.optim import Adam, Momentum
from rnn_from_scratch.optim.schedules import Constant
from rnn_from_scratch.training import archive, checkpoint, load_checkpoint, loop, train, updating
from rnn_from_scratch.validate import ArgumentError

UPDATES = 11


def begin(kind, path, updates=UPDATES, every=1, **change):
    return train(**{**kill_and_resume.start(kind), **change}, updates=updates, checkpoint=path, checkpoint_every=every,
                 resume=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of runs that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    files = {}
    for kind in kill_and_resume.KINDS:
        begin(kind, folder / "run.npz")
        files[kind] = (folder / "run.npz").read_bytes()
        (folder / "run.npz").unlink()
    return files


@pytest.mark.parametrize("kind", kill_and_resume.KINDS)
@pytest.mark.parametrize("every", [1, 4])
def test_stopped_after_each_update_and_gone_on_with(tmp_path, whole, kind, every):
    """In every run `updates` grows by one or two, so that epochs are entered at their beginning, middle and end."""
    path = tmp_path / "run.npz"
    results = [begin(kind, path, updates, every) for updates in (1, 2, 4, 5, 6, 7, 8, 10, UPDATES)]
    assert path.read_bytes() == whole[kind]
    assert [len(result.history.losses) for result in results] == [1, 2, 4, 5, 6, 7, 8, 10, UPDATES]
    again = begin(kind, path)  # nothing is left to do
    assert path.read_bytes() == whole[kind]
    for (name, a), (_, b) in zip(leaves(again.params), leaves(results[-1].params), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("kind", kill_and_resume.KINDS)
@pytest.mark.parametrize("call", [3, 6])
@pytest.mark.parametrize("place", ["before the update", "after it", "in the validation", "while it is written"])
def test_ctrl_c_in_the_middle_keeps_the_last_whole_update(tmp_path, whole, kind, call, place, monkeypatch):
    path, calls = tmp_path / "run.npz", 0
    change = {}
    owner, name = {
        "before the update": (type(kill_and_resume.start(kind)["model"]), "loss_and_grads"),
        "after it": (type(kill_and_resume.start(kind)["optimizer"]), "update"),
        "in the validation": (updating, "evaluate"), "while it is written": (os, "fsync"),
    }[place]
    original = getattr(owner, name)

    def interrupted(*arguments, **choices):
        nonlocal calls
        result = original(*arguments, **choices)
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        try:
            begin(kind, path, every=1000 if place != "while it is written" else 1, **change)
        except KeyboardInterrupt:
            assert path.exists()
        else:
            assert place == "in the validation"  # fewer validations than calls
    begin(kind, path)
    assert path.read_bytes() == whole[kind]
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]


def test_a_callbacks_own_error_loses_nothing(tmp_path, whole):
    path = tmp_path / "run.npz"

    def broken(step):
        if step.update == 5:
            raise RuntimeError("a callback's own")

    with pytest.raises(RuntimeError, match="a callback's own"):
        begin("text", path, every=1000, callbacks=[broken])
    assert load_checkpoint(path).updates == 5
    begin("text", path)
    assert path.read_bytes() == whole["text"]


@pytest.mark.parametrize("kind", kill_and_resume.KINDS)
def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, whole, kind, monkeypatch):
    path, writes = tmp_path / "run.npz", 0
    original = archive.write_entries

    def full(file, arrays, texts):
        nonlocal writes
        writes += 1
        if writes == 5:
            file.write(b"the beginning")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(file, arrays, texts)

    with monkeypatch.context() as patch:
        patch.setattr(archive, "write_entries", full)
        with pytest.raises(OSError, match="No space left"):
            begin(kind, path)
    assert load_checkpoint(path).updates == 3  # the first write is that of the beginning
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]
    begin(kind, path)
    assert path.read_bytes() == whole[kind]


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and limits of a file's size are POSIX's")
@pytest.mark.parametrize("kind", kill_and_resume.KINDS)
def test_a_process_that_is_killed(tmp_path, kind, monkeypatch):
    """One kill -9 each, in a process of its own; benchmarks/kill_and_resume.py does fifty stops."""
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    monkeypatch.setattr(kill_and_resume, "WAYS", ("kill -9",))
    path, rng = tmp_path / "run.npz", np.random.default_rng(1)
    whole = kill_and_resume.uninterrupted(kind, tmp_path / "whole.npz")
    found = kill_and_resume.interrupted(kind, path, 1, whole, rng)
    assert found["equal"], found
    assert [stop["readable"] for stop in found["stops"]] == [True]
    assert found["stops"][0]["update"] < kill_and_resume.UPDATES


def test_the_test_can_fail(tmp_path, whole, monkeypatch):
    """What is not put back is seen: the generator, the carried state, the epoch's loss so far, the momentum."""
    original = checkpoint.restore_run
    forgotten = {
        "rng": ("sequences", lambda state: np.random.default_rng(1).bit_generator.state),
        "carried": ("text", lambda state: None), "epoch_loss": ("text", lambda state: 0.0),
        "optimizer": ("sequences", lambda state: Momentum(0.1).init(state.params)._replace(updates=5)),
        "batch": ("text", lambda state: 0), "plateau": ("fresh data", lambda state: state.plateau._replace(factor=0.5)),
    }
    for name, (kind, forget) in forgotten.items():
        path = tmp_path / f"{name}.npz"
        begin(kind, path, 5)

        def forgets(plan, start, name=name, forget=forget):
            state = original(plan, start)
            return state._replace(**{name: forget(state)})

        with monkeypatch.context() as patch:
            patch.setattr(loop, "restore_run", forgets)
            begin(kind, path)
        assert path.read_bytes() != whole[kind], name


def test_a_run_goes_on_longer_than_was_first_asked(tmp_path):
    path = tmp_path / "run.npz"
    begin("sequences", path, 5)
    result = begin("sequences", path, 9)
    assert len(result.history.losses) == 9
    assert result.stopped == "9 updates were made"
    early = begin("sequences", path, 3)  # and one that is asked for less changes nothing
    assert (len(early.history.losses), early.stopped) == (9, "9 updates were made")


def test_a_file_that_is_there_is_never_overwritten_by_another_run(tmp_path):
    path = tmp_path / "run.npz"
    begin("sequences", path, 3)
    before = path.read_bytes()
    given = kill_and_resume.start("sequences")
    with pytest.raises(ArgumentError, match=r"run.npz' exists, expected a new name, or resume=True"):
        train(**given, updates=5, checkpoint=path)
    changes = {
        "optimizer": {"optimizer": Momentum(0.2)}, "schedule": {"schedule": Constant()}, "clip": {"clip": 1.0},
        "data": {"source": kill_and_resume.start("fresh data")["validation"]},
        "validate_every": {"validate_every": 2}, "model": {"model": kill_and_resume.start("fresh data")["model"]},
        "validation data": {"validation": given["source"]},
    }
    for name, change in changes.items():
        with pytest.raises(ArgumentError) as caught:
            begin("sequences", path, 5, **change)
        assert f"train: run.npz is of a run whose {name} was " in str(caught.value)
        assert "a new checkpoint" in str(caught.value)
    wide = {name: {key: array.astype(np.float32) for key, array in layer.items()}
            for name, layer in given["params"].items()}
    with pytest.raises(ArgumentError, match=re.escape(
        "run.npz: params.recurrent.W_xh has shape (3, 12) and dtype float64, expected shape (3, 12) and dtype float32"
    )):
        begin("sequences", path, 5, params=wide)
    with pytest.raises(ArgumentError, match="the run was begun with a generator and goes on without"):
        begin("sequences", path, 5, rng=None)
    with pytest.raises(ArgumentError, match="rng draws by SFC64 and the run by 'PCG64'"):
        begin("sequences", path, 5, rng=np.random.Generator(vars(np.random)["SFC64"](0)))
    assert path.read_bytes() == before


def test_a_checkpoint_can_be_read_by_anybody(tmp_path):
    path = tmp_path / "run.npz"
    given = kill_and_resume.start("text")
    result = train(**given, updates=8, checkpoint=path, notes={"characters": "abc", "n": [1, 2.5, None, "é"]})
    read = load_checkpoint(path)
    assert (read.updates, read.epoch, read.notes) == (8, 0, {"characters": "abc", "n": [1, 2.5, None, "é"]})
    assert read.history == result.history
    assert (read.best.loss, read.best.update) == (result.best.loss, 7)
    assert read.build_model() == given["model"]
    assert read.settings["optimizer"] == repr(Adam(0.01))
    for tree, other in ((read.params, result.last_params), (read.best.params, result.params)):
        for (name, a), (_, b) in zip(leaves(tree), leaves(other), strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
            assert a.dtype == b.dtype == np.float32
    with np.load(path, allow_pickle=False) as entries:  # plain NumPy reads it too
        assert {"params.embedding.W_embed", "best.output.W_hy", "history.losses", "run.json"} <= set(entries.files)


def test_a_model_of_ones_own_can_be_trained_and_kept(tmp_path):
    class Own:
        outputs = "many-to-many"

        def __init__(self):
            self.inner = kill_and_resume.start("sequences")["model"]

        def __repr__(self):
            return "Own()"

        def __getattr__(self, name):
            return getattr(self.__dict__["inner"], name)

    for updates in (2, 4):
        begin("sequences", tmp_path / "run.npz", updates, model=Own())
    read = load_checkpoint(tmp_path / "run.npz")
    assert (read.updates, read.model) == (4, None)
    with pytest.raises(ArgumentError, match=r"Checkpoint.build_model: the model has parts of one's own \('Own\(\)'\)"):
        read.build_model()
