"""`train` is the loop that one would write by hand, with a schedule, clipping, validation and a carried state."""

import io
import pickle
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from rnn_from_scratch.arrays import global_norm, leaves, tree_copy
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.data import Fresh, Pairs, Sequences, Streams, Vocabulary, adding_data, text_streams
from rnn_from_scratch.layers import Bidirectional, Recurrent
from rnn_from_scratch.models import EncoderDecoder, LanguageModel, SequenceModel
from rnn_from_scratch.optim import Adam, GradientDescent, Momentum, clip_by_global_norm, clip_by_value
from rnn_from_scratch.optim.schedules import Cosine, ReduceOnPlateau, StepDecay
from rnn_from_scratch.training import Step, TrainingStopped, evaluate, load_checkpoint, range_test, train
from rnn_from_scratch.validate import ArgumentError

MODEL = SequenceModel(Recurrent(RNNCell(2, 4)), 2)


def problem(seed=0, T=5, N=12):
    rng = np.random.default_rng(seed)
    xs = rng.standard_normal((T, N, 2))
    return Sequences(xs, (np.cumsum(xs[..., 0], axis=0) > 0).astype(int), 5)


def start(model=MODEL, seed=1):
    return model.init_params(rng=np.random.default_rng(seed))


def identical(first, second):
    for (name, a), (_, b) in zip(leaves(first), leaves(second), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_train_is_the_loop_by_hand():
    source, schedule, seen = problem(), StepDecay(every=2, factor=0.5), []
    result = train(
        MODEL, start(), source, Adam(0.1), epochs=2, schedule=schedule, clip=0.3, rng=np.random.default_rng(2),
        callbacks=[seen.append],
    )
    rng, params, optimizer, memory = np.random.default_rng(2), start(), Adam(0.1), Adam(0.1).init(start())
    for k, batch in enumerate([*source.epoch(rng), *source.epoch(rng)]):
        loss, grads, _ = MODEL.loss_and_grads(params, batch.xs, batch.targets)
        norm, before = global_norm(grads), params
        own = replace(optimizer, learning_rate=0.1 * 0.5 ** (k // 2))
        params, memory = own.update(params, clip_by_global_norm(grads, 0.3)[0], memory)
        step = seen[k]
        assert (step.update, step.epoch, step.validation) == (k + 1, (k + 1) // 3, None)
        assert (step.loss, step.norm, step.rate) == (loss, norm, own.learning_rate)
        identical(step.params, params)
        identical(step.before, before)
        assert result.history.losses[k] == loss
        assert result.history.norms[k] == norm
        assert result.history.rates[k] == own.learning_rate
    assert isinstance(seen[0], Step)
    assert len(seen) == len(result.history.losses) == 6
    assert len(result.history.epoch_losses) == 2
    identical(result.params, params)
    identical(result.last_params, params)
    assert (result.best, result.history.validations) == (None, [])
    assert result.stopped == "6 updates were made"


def test_a_streams_state_is_carried_and_begins_anew_with_each_epoch():
    rng = np.random.default_rng(0)
    source = Streams(rng.standard_normal((7, 3, 2)), rng.integers(0, 2, (7, 3)), 3)
    model = SequenceModel(Recurrent(LSTMCell(2, 4)), 2)
    result = train(model, start(model), source, Momentum(0.1), updates=5)
    params, memory, state = start(model), Momentum(0.1).init(start(model)), None
    for k, batch in enumerate([*source.epoch(), *source.epoch()][:5]):
        if k == 3:
            state = None
        loss, grads, state = model.loss_and_grads(params, batch.xs, batch.targets, state)
        params, memory = Momentum(0.1).update(params, grads, memory)
        assert result.history.losses[k] == loss
    identical(result.params, params)
    assert len(result.history.epoch_losses) == 1
    assert result.history.epoch_losses[0] == pytest.approx(np.dot(result.history.losses[:3], [3 / 7, 3 / 7, 1 / 7]))


def test_validation_keeps_the_best_parameters_and_patience_ends_the_run():
    train_on, other = problem(0), problem(5)
    seen = []
    result = train(
        MODEL, start(), train_on, GradientDescent(3.0), epochs=50, validation=other, patience=4,
        callbacks=[seen.append], clip=lambda grads: clip_by_value(grads, 1.0),
    )
    measured = [evaluate(MODEL, step.params, other) for step in seen if step.update % 3 == 0]
    assert result.history.validations == [(3 * (n + 1), loss) for n, loss in enumerate(measured)]
    assert [step.validation for step in seen if step.update % 3 == 0] == measured
    assert all(step.validation is None for step in seen if step.update % 3)
    best = int(np.argmin(measured))
    assert len(measured) == best + 5 < 50  # four without a lower one
    assert (result.best.loss, result.best.update) == (measured[best], 3 * (best + 1))
    identical(result.params, seen[3 * (best + 1) - 1].params)
    identical(result.last_params, seen[-1].params)
    assert result.stopped == "no lower validation loss in 4 validations (patience=4)"


def test_validate_every_counts_updates():
    result = train(MODEL, start(), problem(), Adam(0.1), updates=7, validation=problem(5), validate_every=2)
    assert [update for update, _ in result.history.validations] == [2, 4, 6]


def test_a_plateaus_schedule_sees_the_validation_losses():
    schedule, other = ReduceOnPlateau(factor=0.5, patience=1), problem(5)
    result = train(MODEL, start(), problem(), GradientDescent(4.0), epochs=20, schedule=schedule, validation=other)
    state, rates = schedule.init(), []
    for _, loss in result.history.validations:
        rates += [4.0 * state.factor] * 3
        state = schedule.update(state, loss)
    assert result.history.rates == rates
    assert len(set(rates)) > 1


def test_callbacks_are_all_called_and_true_ends_the_run():
    seen = []

    callbacks = [lambda step: step.update == 4, lambda step: seen.append(step.update)]
    result = train(MODEL, start(), problem(), Adam(0.1), epochs=9, callbacks=callbacks)
    assert seen == [1, 2, 3, 4]
    assert result.stopped == "a callback asked for it after 4 updates"
    result = train(MODEL, start(), problem(), Adam(0.1), epochs=2, callbacks=[lambda step: 1])  # only True
    assert len(result.history.losses) == 6


def test_fresh_data_and_pairs_are_trained_on():
    model = SequenceModel(Recurrent(GRUCell(2, 12)), 1, "regression", "many-to-one")
    source = Fresh(lambda rng: adding_data(rng=rng, T=4, N=16), 50)
    result = train(model, start(model), source, Adam(0.02), epochs=8, rng=np.random.default_rng(0))
    assert result.history.epoch_losses[-1] < 0.02 < 0.1 < result.history.epoch_losses[0]

    words = [f"{a}{b}" for a in "abc" for b in "abc"]
    vocabulary = Vocabulary.of(words)
    layer = Recurrent(LSTMCell(6, 24))
    model = EncoderDecoder(layer, layer, len(vocabulary), len(vocabulary))
    source = Pairs(words, [word[::-1] for word in words], (vocabulary, vocabulary), 3)
    result = train(model, start(model), source, Adam(0.02), epochs=60, clip=1.0, rng=np.random.default_rng(0))
    assert result.history.epoch_losses[-1] < 0.1 < 1.5 < result.history.epoch_losses[0]
    assert evaluate(model, result.params, source) < 0.1


def test_evaluate_is_the_loss_on_all_of_it():
    rng = np.random.default_rng(0)
    mask = np.arange(5)[:, None] < rng.integers(1, 6, 12)
    whole = problem()
    full, _, _ = MODEL.loss_and_grads(start(), whole.xs, whole.targets, mask=mask)
    for size in (1, 5, 12):
        value = evaluate(MODEL, start(), Sequences(whole.xs, whole.targets, size, mask))
        assert value == pytest.approx(full, abs=1e-14)
    tokens = rng.integers(0, 5, 50)
    model = LanguageModel(Recurrent(LSTMCell(3, 4)), 5, dropout=0.5)
    loss, _, _ = model.loss_and_grads(start(model), tokens[:-1, None], tokens[1:, None])
    for steps in (1, 7, 100):
        assert evaluate(model, start(model), text_streams(tokens, 1, steps)) == pytest.approx(loss, abs=1e-13)
    one = SequenceModel(Recurrent(RNNCell(2, 3)), 2, outputs="many-to-one")
    mask[:, 3] = False
    targets = rng.integers(0, 2, 12)
    loss, _, _ = one.loss_and_grads(start(one), whole.xs, targets, mask=mask)
    assert evaluate(one, start(one), Sequences(whole.xs, targets, 5, mask)) == pytest.approx(loss, abs=1e-14)
    with pytest.raises(ArgumentError, match="evaluate: no target of the source is counted"):
        evaluate(MODEL, start(), Sequences(whole.xs, whole.targets, 5, np.zeros((5, 12), bool)))


def test_nothing_passed_in_changes():
    params, source = start(), problem()
    before = tree_copy([params, source.xs, source.targets])
    train(MODEL, params, source, Momentum(0.1), epochs=2, rng=np.random.default_rng(0), validation=problem(5))
    identical([params, source.xs, source.targets], before)


# What is not finite


class Bad:
    """A model whose gradient or loss breaks at one call."""

    outputs = "many-to-many"

    def __init__(self, at, value=np.nan, loss=None):
        self.at, self.value, self.bad_loss, self.calls = at, value, loss, 0

    def __repr__(self):
        return "Bad()"

    def loss_and_grads(self, params, xs, targets, mask=None, target_mask=None, rng=None):
        self.calls += 1
        loss, grads, state = MODEL.loss_and_grads(params, xs, targets)
        if self.calls == self.at:
            grads = tree_copy(grads)
            if self.bad_loss is None:
                grads["recurrent"]["W_hh"][2, 1] = self.value
            else:
                loss = self.bad_loss
        return loss, grads, state


@pytest.mark.parametrize(
    ("value", "loss", "said"),
    [
        (np.nan, None, "the gradient of recurrent.W_hh is not finite (1 of 16 entries, recurrent.W_hh[2, 1] is nan)"),
        (np.inf, None, "recurrent.W_hh[2, 1] is inf"),
        (0.0, np.inf, "the loss is inf"), (0.0, np.nan, "the loss is nan"),
    ],
)
@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_number_that_is_not_finite_stops_training_and_keeps_what_was_good(tmp_path, value, loss, said, clip):
    seen, path = [], tmp_path / "run.npz"
    with pytest.raises(TrainingStopped) as caught:
        train(Bad(5, value, loss), start(), problem(), GradientDescent(0.1), epochs=9, clip=clip, checkpoint=path,
              checkpoint_every=1, callbacks=[seen.append])
    text = str(caught.value)
    assert said in text
    assert text.startswith("train: update 5 (epoch 2) failed: ")
    losses, norms = [step.loss for step in seen], [step.norm for step in seen]
    assert f"from {losses[0]:.4g} at update 1 to {losses[3]:.4g} at update 4" in text
    assert f"norm from {norms[0]:.4g} to {norms[3]:.4g}, its largest {max(norms):.4g}" in text
    assert ("Clip the gradient" if clip is None else "clipped already") in text
    assert "The parameters after update 3 are kept in this error's .params and in run.npz." in text
    identical(caught.value.params, seen[2].params)  # whose loss and gradient, at update 4, were finite
    assert (caught.value.update, caught.value.history.losses) == (3, losses)
    kept = load_checkpoint(path)
    assert kept.updates == 3
    identical(kept.params, seen[2].params)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.update) == (text, 3)


def test_at_the_first_update_the_arguments_are_to_blame():
    with pytest.raises(ArgumentError, match=r"the gradient of recurrent.W_hh is not finite") as caught:
        train(Bad(1), start(), problem(), GradientDescent(0.1), epochs=9)
    assert not isinstance(caught.value, TrainingStopped)


def test_real_divergence_is_told():
    model = SequenceModel(Recurrent(RNNCell(2, 4, "relu")), 1, "regression")
    rng = np.random.default_rng(0)
    source = Sequences(rng.standard_normal((8, 6, 2)), rng.standard_normal((8, 6, 1)))
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(TrainingStopped, match="range_test") as caught:
        train(model, start(model), source, GradientDescent(1e3), epochs=50)
    assert all(np.isfinite(array).all() for _, array in leaves(caught.value.params))
    assert np.isfinite(caught.value.history.norms).all()


def test_a_validation_loss_that_is_not_finite_stops_too():
    other = problem(5)
    other.xs[2, 1, 0] = np.nan
    with pytest.raises(ArgumentError, match=r"xs\[2, 1, 0\] is nan"):
        train(MODEL, start(), problem(), GradientDescent(0.1), epochs=2, validation=other)


def test_a_state_is_not_carried_backwards():
    layer = Recurrent(RNNCell(2, 3))
    model = SequenceModel(Bidirectional(layer, layer), 2)
    source = problem()
    streams = Streams(source.xs, source.targets, 2)
    for call in (
        lambda: train(model, start(model), streams, Adam(0.1), epochs=1),
        lambda: train(model, start(model), source, Adam(0.1), epochs=1, validation=streams),
        lambda: range_test(model, start(model), streams, Adam(0.1)),
        lambda: evaluate(model, start(model), streams),
    ):
        with pytest.raises(ArgumentError, match="a model that also reads backwards meets a source that carries"):
            call()
    assert np.isfinite(evaluate(model, start(model), source))


def test_a_source_that_ends_too_early_is_told():
    class Short(Sequences):
        @property
        def updates(self):
            return 9

    source = problem()
    with pytest.raises(ArgumentError, match="the source ended its epoch after 3 batches, expected 9 batches"):
        train(MODEL, start(), Short(source.xs, source.targets, 5), GradientDescent(0.1), epochs=2)


# Progress


def test_without_a_terminal_progress_is_plain_lines(monkeypatch):
    from rnn_from_scratch.training import progress

    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    result = train(MODEL, start(), problem(), Adam(0.1), updates=4, progress=True)
    lines = sys.stderr.getvalue().splitlines()
    assert lines == [f"  update {k + 1} of 4: loss {loss:.4f}" for k, loss in enumerate(result.history.losses)]


def test_in_a_terminal_progress_is_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    train(MODEL, start(), problem(), Adam(0.1), updates=4, progress=True)
    assert "/4 [" in terminal.getvalue()


# Bad arguments


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": None}, "train: model is None, expected an object with loss_and_grads()"),
        ({"model": SequenceModel}, "train: model is <class"),
        ({"optimizer": "adam"}, "train: optimizer is 'adam'"),
        ({"optimizer": Adam}, "train: optimizer is <class"),
        ({"source": np.zeros((5, 4, 2))}, "train: source is array("),
        ({"source": Sequences}, "train: source is <class"),
        ({"epochs": None}, "train: there is neither epochs nor updates, expected one of the two"),
        ({"updates": 3}, "train: there is both epochs=1 and updates=3"),
        ({"epochs": 0}, "train: epochs is 0"), ({"epochs": True}, "train: epochs is True"),
        ({"epochs": None, "updates": -1}, "train: updates is -1"),
        ({"schedule": 0.1}, "train: schedule is 0.1, expected a schedule. Try Cosine(updates=1000)."),
        ({"schedule": Cosine}, "train: schedule is <class"),
        ({"schedule": ReduceOnPlateau()}, "without validation, expected a source to validate on"),
        ({"clip": "norm"}, "train: clip is 'norm'"), ({"clip": True}, "train: clip is True"),
        ({"clip": 0.0}, "train: clip is 0.0, expected a finite number above 0.0"),
        ({"clip": np.nan}, "train: clip is nan"),
        ({"clip": lambda grads: grads}, "train: clip returned a dict, expected grads, norm_before"),
        ({"patience": 3}, "train: patience is 3 without validation"),
        ({"validate_every": 3}, "train: validate_every is 3 without validation"),
        ({"validation": "x"}, "train: validation is 'x'"),
        ({"validation": problem(), "patience": 0}, "train: patience is 0"),
        ({"validation": problem(), "validate_every": 1.5}, "train: validate_every is 1.5"),
        ({"rng": 3}, "train: rng is 3, expected a numpy.random.Generator"),
        ({"callbacks": print}, "train: callbacks is <built-in function print>, expected a list of functions"),
        ({"callbacks": [3]}, "train: callbacks is [3]"),
        ({"checkpoint": "run.pkl"}, "train: path is 'run.pkl', expected a name that ends in .npz"),
        ({"checkpoint": 3}, "train: path is 3"),
        ({"checkpoint": "no/such/folder/run.npz"}, "expected a file in a folder that exists"),
        ({"checkpoint_every": 3}, "train: checkpoint_every is 3 without a checkpoint"),
        ({"resume": True}, "train: resume is True without a checkpoint"),
        ({"notes": {}}, "train: notes is {} without a checkpoint"),
        ({"checkpoint": "x.npz", "checkpoint_every": 0}, "train: checkpoint_every is 0"),
        ({"checkpoint": "x.npz", "notes": {"a": np.ones(2)}}, "notes is a dict that JSON cannot hold (Object of"),
        ({"checkpoint": "x.npz", "notes": {"a": (1, 2)}}, "a tuple would come back as a list"),
        ({"checkpoint": "x.npz", "notes": {1: 2}}, "train: notes is {1: 2}"),
        ({"checkpoint": "x.npz", "notes": [1]}, "train: notes is [1]"),
        ({"params": {"recurrent": {}}}, "params has the keys"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {
        "model": MODEL, "params": start(), "source": problem(), "optimizer": GradientDescent(0.1), "epochs": 1,
        "rng": np.random.default_rng(0), **change,
    }
    with pytest.raises(ArgumentError, match=re.escape(message)):
        train(arguments.pop("model"), arguments.pop("params"), arguments.pop("source"), arguments.pop("optimizer"),
              **arguments)
