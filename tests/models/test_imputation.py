"""The imputation model: what it reads, its loss on single entries, every gradient, how it starts."""

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell, GRUDCell, LSTMCell
from rnn_from_scratch.data import InterpolationFilling, LastValueFilling
from rnn_from_scratch.data.missing import observed_entries
from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import ImputationModel, SequenceModel, bidirectional_imputer
from rnn_from_scratch.models.imputation_inputs import (
    holes_to_learn,
    imputation_inputs,
    imputation_statistics,
    standardised,
)
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

NAN = np.nan
SERIES = np.array([NAN, 2.0, NAN, NAN, 8.0, NAN])[:, None]
MODELS = [bidirectional_imputer(2, 3), ImputationModel(Recurrent(LSTMCell(8, 3)), "mean"),
          ImputationModel(Recurrent(GRUCell(8, 5)), "last value")]


def read(xs, base, mask=None):
    entries = observed_entries("here", xs, None, mask)
    return imputation_inputs(entries.values, entries.seen, entries.real, base)


def test_what_the_model_reads_by_hand():
    inputs = read(SERIES, "interpolation")[:, 0]
    np.testing.assert_allclose(inputs[:, 0], [2, 2, 4, 6, 8, 8])
    np.testing.assert_array_equal(inputs[:, 1], [0, 1, 0, 0, 1, 0])
    np.testing.assert_allclose(inputs[:, 2], [0, 1, 1 / 2, 1 / 3, 1, 1 / 2])
    np.testing.assert_allclose(inputs[:, 3], [1 / 2, 1, 1 / 3, 1 / 2, 1, 0])
    np.testing.assert_array_equal(read(SERIES, "last value")[:, 0, 0], [0, 2, 2, 2, 8, 8])
    np.testing.assert_array_equal(read(SERIES, "mean")[:, 0, 0], [0, 2, 0, 0, 8, 0])
    for base in ("interpolation", "last value", "mean"):
        np.testing.assert_array_equal(read(SERIES, base)[..., 1:], read(SERIES, "mean")[..., 1:])


@pytest.mark.parametrize("base", ["interpolation", "last value", "mean"])
def test_a_padded_sequence_reads_what_it_reads_alone(base):
    rng = np.random.default_rng(0)
    xs = np.where(rng.random((9, 2, 3)) < 0.5, NAN, rng.standard_normal((9, 2, 3)))
    mask = np.ones((9, 2), bool)
    mask[[0, 1, 4, 8], 1] = False
    xs[~mask] = np.inf
    inputs = read(xs, base, mask)
    assert not inputs[~mask].any()
    np.testing.assert_allclose(inputs[mask[:, 1], 1], read(xs[mask[:, 1], 1], base)[:, 0], rtol=0, atol=1e-14)


def test_statistics_are_of_what_was_seen():
    xs = np.array([[1.0, 7.0], [NAN, 7.0], [3.0, NAN]])
    entries = observed_entries("here", xs)
    found = imputation_statistics("here", entries)
    np.testing.assert_allclose(found.mean, [2, 7])
    np.testing.assert_allclose(found.scale, [1, 1])  # the second never changes
    assert found.counted.tolist() == [2, 2]
    np.testing.assert_array_equal(standardised(found, entries)[:, 0], [[-1, 0], [0, 0], [1, 0]])
    third = imputation_statistics("here", observed_entries("here", np.full((3, 1), 0.1)))
    assert third.scale.tolist() == [1.0]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.base)
def test_conformance(model):
    report = check_layer(model, rng=np.random.default_rng(0))
    report.raise_if_wrong()
    assert report.worst < 1e-12


@pytest.mark.parametrize(("method", "limit"), [("complex", 1e-12), ("central", 1e-7)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.base)
def test_the_gradient_of_a_loss_on_single_entries(model, masked, method, limit):
    rng = np.random.default_rng(1)
    params = {"recurrent": model.recurrent.init_params(rng=rng),
              "output": {"W_hy": rng.standard_normal((model.hidden_size, 2)), "b_y": rng.standard_normal(2)}}
    xs, targets = rng.standard_normal((5, 3, 8)), rng.standard_normal((5, 3, 2))
    counted = rng.random((5, 3, 2)) < 0.5
    mask = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 1, 0]], bool) if masked else None
    if masked:
        counted &= mask[..., None]
        targets[~counted], xs[~mask] = NAN, NAN
    state = tuple(rng.standard_normal(part.shape) for part in model.initial_state(3))
    loss, grads, _ = model.loss_and_grads(params, xs, targets, state, mask, counted)
    ys, _, _ = model.forward(params, xs, state, mask)
    assert loss == pytest.approx(((ys - np.nan_to_num(targets))[counted] ** 2).sum() / counted.sum(), rel=1e-14)
    report = check_gradients(
        lambda at: model.loss_and_grads(at, xs, targets, state, mask, counted)[0], params, grads, method=method)
    report.raise_if_wrong()
    assert report.worst < limit


def test_which_entries_count():
    model, rng = MODELS[0], np.random.default_rng(0)
    params = model.init_params(rng=rng)
    xs, targets = rng.standard_normal((4, 2, 8)), rng.standard_normal((4, 2, 2))
    mask = np.array([[1, 1], [1, 1], [1, 0], [1, 0]], bool)
    squares = (xs[..., :2] - targets) ** 2  # an untrained model is its first filling
    assert model.loss_and_grads(params, xs, targets)[0] == pytest.approx(squares.mean())
    assert model.loss_and_grads(params, xs, targets, mask=mask)[0] == pytest.approx(squares[mask].mean())
    one = np.zeros((4, 2, 2), bool)
    one[1, 0, 1] = True
    assert model.loss_and_grads(params, xs, targets, target_mask=one)[0] == pytest.approx(squares[1, 0, 1])
    assert model.loss_and_grads(params, xs, targets, target_mask=one, divide_by=4.0)[0] == pytest.approx(
        squares[1, 0, 1] / 4)
    loss, grads, _ = model.loss_and_grads(params, xs, targets, target_mask=np.zeros((4, 2, 2), bool))
    assert loss == 0
    assert not grads["output"]["b_y"].any()


@pytest.mark.parametrize(("base", "filling"), [
    ("interpolation", InterpolationFilling()), ("last value", LastValueFilling())])
def test_an_untrained_model_is_its_first_filling(base, filling):
    model = bidirectional_imputer(1, 4, base)
    params = model.init_params(rng=np.random.default_rng(0))
    entries = observed_entries("here", SERIES)
    statistics = imputation_statistics("here", entries)  # mean 5, deviation 3
    inputs = imputation_inputs(standardised(statistics, entries), entries.seen, entries.real, base)
    filled = model.predict(params, inputs) * statistics.scale + statistics.mean
    np.testing.assert_allclose(filled[:, 0], filling.transform(filling.fit(SERIES), SERIES), rtol=1e-14)
    np.testing.assert_array_equal(model.predict(params, inputs), model.forward(params, inputs)[0])


@pytest.mark.parametrize("block", [1, 4])
def test_the_holes_of_training(block):
    seen = np.random.default_rng(0).random((50, 200, 2)) < 0.8
    hidden = holes_to_learn(seen, (0.1, 0.5), block, np.random.default_rng(1))
    assert not (hidden & ~seen).any()
    shares = hidden.sum(axis=(0, 2)) / seen.sum(axis=(0, 2))  # a share for each sequence
    assert shares.mean() == pytest.approx(0.3, abs=0.03)
    assert shares.min() < 0.15
    assert shares.max() > 0.4
    fixed = holes_to_learn(np.ones((400, 50, 1), bool), (0.25, 0.25), block, np.random.default_rng(2))
    assert fixed.mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: ImputationModel(GRUCell(4, 3)), DtypeError, "recurrent is GRUCell.*Try Recurrent"),
    (lambda: ImputationModel(Recurrent(GRUDCell(6, 3))), ArgumentError, "input_size is 6, expected a multiple of 4"),
    (lambda: ImputationModel(Recurrent(GRUCell(4, 3)), "spline"), ArgumentError, "base is 'spline'"),
    (lambda: bidirectional_imputer(0), ArgumentError, "features is 0"),
    (lambda: bidirectional_imputer(2, True), ArgumentError, "hidden_size is True"),
    (lambda: MODELS[0].forward({"recurrent": {}}, np.ones((3, 1, 8))), ArgumentError, "forward: params has the keys"),
    (lambda: call_loss(targets=np.ones((3, 1, 1))), ShapeError, r"targets has shape \(3, 1, 1\)"),
    (lambda: call_loss(target_mask=np.ones((3, 1), bool)), ShapeError, r"mask has shape \(3, 1\)"),
    (lambda: call_loss(target_mask=np.ones((3, 1, 2))), DtypeError, "mask has dtype float64"),
    (lambda: call_loss(targets=np.full((3, 1, 2), NAN)), ArgumentError, "targets.* is nan"),
    (lambda: call_loss(xs=np.full((3, 1, 8), NAN)), ArgumentError, r"xs\[0, 0, 0\] is nan"),
])
def test_refusals(call, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        call()


def call_loss(xs=None, targets=None, target_mask=None):
    params = MODELS[0].init_params(rng=np.random.default_rng(0))
    xs = np.ones((3, 1, 8)) if xs is None else xs
    return MODELS[0].loss_and_grads(
        params, xs, np.ones((3, 1, 2)) if targets is None else targets, target_mask=target_mask)


def test_another_models_cache_is_refused():
    other = SequenceModel(Recurrent(LSTMCell(8, 3)), 2, "regression")
    params = other.init_params(rng=np.random.default_rng(0))
    ys, _, cache = other.forward(params, np.ones((3, 1, 8)))
    with pytest.raises(DtypeError, match=r"ImputationModel\.backward: cache is a SequenceCache"):
        MODELS[1].backward(params, ys, cache)
