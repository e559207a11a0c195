"""What a run refuses before it is trained, what it says when it fails, and what it keeps whatever happens."""

import errno
import io
import os
import re
import sys
import time
from typing import NamedTuple

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.cells import LSTMCell, RNNCell
from rnn_from_scratch.data import Fresh, Pairs, Sequences, Streams, Vocabulary, adding_data
from rnn_from_scratch.layers import Recurrent, Stacked
from rnn_from_scratch.models import EncoderDecoder, SequenceModel
from rnn_from_scratch.optim import Constant, GradientDescent, Momentum, ReduceOnPlateau, WarmUp
from rnn_from_scratch.training import TrainingStopped, evaluate, load_checkpoint, progress, range_test, train
from rnn_from_scratch.validate import ArgumentError

MODEL = SequenceModel(Recurrent(RNNCell(2, 4)), 2)


def problem(seed=0, dtype=np.float64):
    xs = np.random.default_rng(seed).standard_normal((5, 12, 2)).astype(dtype)
    return Sequences(xs, (np.cumsum(xs[..., 0], axis=0) > 0).astype(int), 5)


def begin(path=None, updates=4, **change):
    return train(**{
        "model": MODEL, "params": MODEL.init_params(rng=np.random.default_rng(1)), "source": problem(),
        "optimizer": Momentum(0.1), "rng": np.random.default_rng(2), "updates": updates, "checkpoint": path, **change,
    })


REGRESSION = SequenceModel(Recurrent(RNNCell(2, 4, "relu")), 1, "regression")


def steep():
    """A regression whose gradient is far above 1."""
    rng = np.random.default_rng(0)
    xs, targets = rng.standard_normal((8, 6, 2)), 1000.0 * rng.standard_normal((8, 6, 1))
    return {"model": REGRESSION, "params": REGRESSION.init_params(rng=rng), "source": Sequences(xs, targets)}


def never(step):
    pytest.fail("something was trained")


# Refused at the beginning


class Listed:
    """A model whose parameters are a list of layers."""

    def loss_and_grads(self, params, xs, targets, mask=None, target_mask=None, rng=None):
        loss, grads, state = MODEL.loss_and_grads(params["layers"][0], xs, targets)
        return loss, {"layers": [grads]}, state

    def init_params(self):
        return {"layers": [MODEL.init_params(rng=np.random.default_rng(1))]}


class Remembering(NamedTuple):
    """An optimiser's state that is no tree of dictionaries."""

    updates: int
    memory: object


class Own:
    """An optimiser of one's own."""

    def __init__(self, state):
        self.state = state

    def __repr__(self):
        return "Own()"

    def init(self, params):
        return self.state

    def update(self, params, grads, state):
        return tree_map(lambda a, g: a - 0.1 * g, params, grads), state


class NoName(np.random.PCG64):
    """A bit generator that NumPy does not have."""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": Listed(), "params": Listed().init_params()}, "layers is a list, expected an array, or a dictionary"),
        ({"optimizer": Own({"updates": 0})}, "the optimiser's init returned a dict, expected a NamedTuple"),
        ({"optimizer": Own(Remembering(0, [np.zeros(2)]))}, "optimizer.memory is a list, expected a number or"),
        ({"optimizer": Own(Remembering(0, np.zeros(2)))}, "optimizer.memory is a ndarray, expected a number or"),
        ({"optimizer": Own(Remembering(True, 0.0))}, "no number optimizer.updates"),
        ({"rng": np.random.Generator(NoName(0))}, "rng draws by NoName"),
        ({"notes": {"deep": 10**5000}}, "notes is a dict that JSON cannot hold (Exceeds the limit"),
        ({"notes": {"nan": float("nan")}}, "notes is {'nan': nan}, expected a dictionary of what JSON can hold"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_trained(tmp_path, change, message):
    with pytest.raises(ArgumentError, match=re.escape(message)) as caught:
        begin(tmp_path / "run.npz", **change, callbacks=[never])
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    if "notes" not in change:
        begin(updates=1, **change)  # without a checkpoint it is no matter


def test_notes_as_deep_as_json_goes_not(tmp_path):
    notes = {}
    for _ in range(100_000):
        notes = {"a": notes}
    with pytest.raises(ArgumentError, match="notes is a dict that JSON cannot hold"):
        begin(tmp_path / "run.npz", notes=notes, callbacks=[never])


def test_a_place_that_cannot_be_written_is_told_before_anything_is_trained(tmp_path, monkeypatch):
    with pytest.raises(OSError, match="File name too long"):
        begin(tmp_path / ("x" * 300 + ".npz"), callbacks=[never])

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        begin(tmp_path / "run.npz", callbacks=[never])
    assert list(tmp_path.iterdir()) == []


def test_two_runs_of_one_name(tmp_path):
    path, second = tmp_path / "run.npz", []

    def another(step):
        with pytest.raises(ArgumentError, match=r"run.npz' exists, expected a new name, or resume=True"):
            begin(path, rng=np.random.default_rng(9), callbacks=[never])
        second.append(step.update)

    result = begin(path, callbacks=[another])
    assert second == [1, 2, 3, 4]
    assert load_checkpoint(path).history == result.history


class Interrupted:
    """A model that Ctrl-C meets in its first gradient."""

    def loss_and_grads(self, *arguments, **choices):
        raise KeyboardInterrupt


def test_a_run_that_never_learned_leaves_no_file(tmp_path):
    with pytest.raises(ArgumentError):
        begin(tmp_path / "run.npz", params={"output": {"b_y": np.zeros(2)}})
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path / "run.npz", model=Interrupted())
    assert list(tmp_path.iterdir()) == []
    begin(tmp_path / "run.npz", 1)
    before = (tmp_path / "run.npz").read_bytes()
    with pytest.raises(KeyboardInterrupt):  # but one that has is left as it was
        begin(tmp_path / "run.npz", 2, model=type("RNN", (Interrupted,), {"__repr__": lambda self: repr(MODEL)})(),
              resume=True)
    assert (tmp_path / "run.npz").read_bytes() == before


def test_killed_before_its_first_update_it_goes_on_with_its_own_generator(tmp_path):
    path, whole = tmp_path / "run.npz", begin()
    copy = {}

    def look(step):
        copy.setdefault("file", path.read_bytes())  # what kill -9 would have left

    begin(path, callbacks=[look])
    path.write_bytes(copy["file"])
    assert load_checkpoint(path).updates == 0
    again = begin(path, resume=True, rng=np.random.default_rng(77))
    assert again.history == whole.history


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedule": ReduceOnPlateau(mode="max"), "validation": problem(5)}, 'expected mode="min" because'),
        ({"source": [1, 2]}, "source is [1, 2] without epoch, carries, updates, expected a source of batches"),
        ({"validation": problem(5).xs}, "expected a source of batches"),
        ({"validation": problem(5, np.float32)}, "train: the validation source cannot be measured: Recurrent.f"),
        ({"validation": Fresh(lambda rng: adding_data(rng=rng, T=4, N=3))}, "To validate, draw once"),
        ({"schedule": lambda k: float("nan")}, "train: schedule(0) is nan, expected a finite number above 0.0"),
        ({"schedule": lambda k: None}, "train: schedule(0) is None"),
        ({**steep(), "optimizer": GradientDescent(1e308)}, "train: the new "),
    ],
)
def test_what_was_wrong_from_the_first_is_told_at_the_first_update(change, message):
    with pytest.raises(ArgumentError, match=re.escape(message)) as caught:
        begin(updates=100, **change, callbacks=[never])
    assert not isinstance(caught.value, TrainingStopped)


VOCABULARY = Vocabulary("ab")
PAIRS = Pairs(["a", "b"], ["b", "a"], (VOCABULARY, VOCABULARY), 1)
TRANSLATOR = EncoderDecoder(Recurrent(LSTMCell(3, 4)), Recurrent(LSTMCell(3, 4)), 6, 6)


class Answers:
    """A model that answers what it is told to."""

    def __init__(self, change):
        self.change = change

    def loss_and_grads(self, params, xs, targets, mask=None, target_mask=None, rng=None):
        return self.change(*MODEL.loss_and_grads(params, xs, targets))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": PAIRS}, "the model's loss_and_grads has no argument source_mask, sources, expected those of a P"),
        ({"model": TRANSLATOR, "params": {}}, "loss_and_grads has no argument mask, xs, expected those of a Batch"),
        ({"validation": PAIRS}, "loss_and_grads has no argument source_mask, sources"),
        ({"model": Answers(tuple), "source": Streams(problem().xs, problem().targets, 2)}, "has no argument state"),
        ({"model": Answers(lambda loss, grads, state: (loss, grads))}, "loss_and_grads returned a tuple of 2, exp"),
        ({"model": Answers(lambda loss, grads, state: loss)}, "loss_and_grads returned a float64, expected (loss, "),
        ({"model": Answers(lambda loss, grads, state: (np.ones(2), grads, state))}, "type ndarray and shape (2,)"),
        ({"model": Answers(lambda loss, grads, state: (loss + 0j, grads, state))}, "expected one real number"),
        ({"model": Answers(lambda loss, grads, state: ("1", grads, state))}, "a loss of type str"),
        ({"model": Answers(lambda loss, grads, state: (loss, None, state))}, "returned gradients of type NoneType"),
        ({"optimizer": type("O", (), {"update": 1})()}, "expected an object with init()"),
        ({"optimizer": type("O", (Own,), {"learning_rate": 0.1})(0), "schedule": Constant()}, "expected a dataclass"),
    ],
)
def test_a_model_that_does_not_fit_its_source_or_answers_otherwise(change, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        begin(**change, callbacks=[never])
    given = {"model": MODEL, "params": MODEL.init_params(rng=np.random.default_rng(1)), "source": problem(), **change}
    given = {name: given[name] for name in ("model", "params", "source")}
    if "validation" in change:
        given["source"] = change["validation"]
    optimizer = change.get("optimizer", GradientDescent(0.1))
    with pytest.raises(ArgumentError, match=re.escape(message)):
        range_test(**given, optimizer=optimizer)


def test_what_is_measured_must_be_a_model_and_a_source():
    params = MODEL.init_params(rng=np.random.default_rng(1))
    for model, source, message in (
        (MODEL, [], "evaluate: source is [] without epoch, carries"), (MODEL, Sequences, "evaluate: source is <class"),
        (None, problem(), "evaluate: model is None, expected an object with loss_and_grads()"),
        (TRANSLATOR, problem(), "evaluate: the model's loss_and_grads has no argument mask, xs"),
    ):
        with pytest.raises(ArgumentError, match=re.escape(message)):
            evaluate(model, params, source)


def test_a_source_of_ones_own_may_weigh_by_any_number(tmp_path):
    """float32 weights made a loss that JSON does not take; the run was lost when it was to be kept."""
    class Weighed(Sequences):
        def epoch(self, rng, start=0):
            return (batch._replace(weight=np.float32(batch.weight)) for batch in super().epoch(rng, start))

    source = Weighed(problem().xs, problem().targets, 5)
    for updates in (2, 4):
        result = begin(tmp_path / "run.npz", updates, source=source, validation=source, resume=True)
    assert result.history.losses == begin(source=source, validation=source).history.losses
    assert type(result.best.loss) is float


def test_texts_that_can_be_read_once_are_read_once():
    source = Pairs(iter(["a", "b"]), (word for word in ["b", "a"]), (VOCABULARY, VOCABULARY), 1)
    assert [source.updates, len(list(source.epoch(None))), len(list(source.epoch(None)))] == [2, 2, 2]
    assert source.fingerprint() == PAIRS.fingerprint()


# What is said


def test_parameters_that_overflow_in_the_last_update_are_not_returned():
    with pytest.raises(TrainingStopped, match=r"update 3 \(epoch 3\) failed: the new .* is not finite") as caught:
        begin(updates=3, **steep(), optimizer=GradientDescent(1.0), schedule=lambda k: 1e308 if k == 2 else 1e-6)
    assert all(np.isfinite(array).all() for _, array in leaves(caught.value.params))


def test_a_bad_batch_is_not_called_divergence():
    source = problem()
    source.xs[2, 11, 0] = np.nan  # in the third batch, since nothing shuffles
    with pytest.raises(TrainingStopped) as caught:
        begin(source=source, rng=None)
    text = str(caught.value)
    assert "update 3 (epoch 1) failed: Recurrent.forward: xs[2, 1, 0] is nan" in text
    assert "Training did not diverge: with the first parameters it fails as well" in text
    assert "Clip" not in text
    assert caught.value.update == 1


def test_divergence_is_told_in_one_error_without_numpys_warnings():
    with pytest.raises(TrainingStopped, match="If they grew, training diverged"):  # a warning would be another error
        begin(updates=50, **steep(), validation=steep()["source"], optimizer=GradientDescent(1.0))


def test_what_another_run_had_is_shown_where_it_differs(tmp_path):
    def deep(last):
        return SequenceModel(Stacked((*[Recurrent(LSTMCell(2, 2)) for _ in range(6)], Recurrent(LSTMCell(2, last)))), 2)

    path, first, second = tmp_path / "run.npz", deep(3), deep(4)
    begin(path, 1, model=first, params=first.init_params(rng=np.random.default_rng(0)))
    with pytest.raises(ArgumentError) as caught:
        begin(path, 2, model=second, params=second.init_params(rng=np.random.default_rng(0)), resume=True)
    told = re.search(r"""whose model was ["'](.*)["']; now it is ["'](.*)["'], expected the same""", str(caught.value))
    assert "hidden_size=3" in told[1]
    assert "hidden_size=4" in told[2]
    assert len(str(caught.value)) < 800


# What is kept


def test_notes_are_kept_where_a_run_goes_on_without(tmp_path):
    path = tmp_path / "run.npz"
    notes = {"characters": "abc"}
    begin(path, 2, notes=notes, callbacks=[lambda step: notes.clear()])
    assert load_checkpoint(path).notes == {"characters": "abc"}
    begin(path, 4, resume=True)
    assert load_checkpoint(path).notes == {"characters": "abc"}
    begin(path, 5, resume=True, notes={"characters": "abcd"})
    assert load_checkpoint(path).notes == {"characters": "abcd"}


def test_functions_and_plain_objects_are_the_same_next_time(tmp_path):
    """Their repr has an address; so has that of a schedule which holds one."""
    class Plain:
        def loss_and_grads(self, params, xs, targets, mask=None, target_mask=None, rng=None):
            return MODEL.loss_and_grads(params, xs, targets)

    models = [Plain(), Plain()]
    assert repr(models[0]) != repr(models[1])
    for updates, model in zip((2, 4), models, strict=True):
        result = begin(tmp_path / "run.npz", updates, model=model, schedule=WarmUp(3, lambda k: 0.5), resume=True)
    assert len(result.history.losses) == 4


@pytest.mark.parametrize(("first", "second"), [(1, 1.0), (np.float64(1.0), 1), (np.float32(0.5), 0.5)])
def test_a_number_for_clip_is_the_same_in_any_type(tmp_path, first, second):
    begin(tmp_path / "run.npz", 2, clip=first)
    assert len(begin(tmp_path / "run.npz", 4, clip=second, resume=True).history.losses) == 4
    with pytest.raises(ArgumentError, match="whose clip was "):
        begin(tmp_path / "run.npz", 5, clip=2.0, resume=True)


def test_a_callbacks_own_oserror_loses_nothing(tmp_path):
    """A full disk for somebody's log, or a pipe that nobody reads: the checkpoint's disk has room."""
    def broken(step):
        if step.update == 3:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        begin(tmp_path / "run.npz", 9, checkpoint_every=100, callbacks=[broken])
    assert load_checkpoint(tmp_path / "run.npz").updates == 3


def test_progress_that_nobody_reads_stops_nothing(tmp_path, monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", Closed())
    assert len(begin(updates=4, progress=True).history.losses) == 4


def test_a_run_that_has_ended_writes_nothing_when_it_is_called_again(tmp_path):
    path = tmp_path / "run.npz"
    begin(path, validation=problem(5))
    before = path.stat()
    result = begin(path, validation=problem(5), resume=True)
    assert len(result.history.losses) == 4
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_each_update_is_written_once(tmp_path, monkeypatch):
    writes, original = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (writes.append(handle), original(handle)))
    begin(tmp_path / "run.npz", 6, checkpoint_every=3)
    assert len(writes) == 3 * (2 if os.name == "posix" else 1)  # at the beginning, after 3, after 6: file and folder


def test_long_histories_cost_no_more_than_short_ones():
    """Where each validation went through all earlier ones, the last thousand of ten took eighteen times the first."""
    class Free:
        outputs = "many-to-many"

        def loss_and_grads(self, params, xs, targets, mask=None, target_mask=None, rng=None):
            return 1.0, {"w": np.zeros(1)}, None

    one = Sequences(np.zeros((1, 1, 1)), np.zeros((1, 1), int), over_time=True)
    times = []

    def clock(step):
        if step.update in (1000, 2000, 9000, 10_000):
            times.append(time.perf_counter())

    train(Free(), {"w": np.zeros(1)}, one, GradientDescent(0.1), updates=10_000, validation=one, callbacks=[clock])
    early, late = times[1] - times[0], times[3] - times[2]
    assert late < 3.0 * early + 0.3
