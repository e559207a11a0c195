"""`fit` is the loop that one would write by hand."""

import re

import numpy as np
import pytest

from rnn_from_scratch.arrays import global_norm, leaves, tree_copy, tree_map
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import minibatches
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import EncoderDecoder, LanguageModel, SequenceClassifier, SequenceModel
from rnn_from_scratch.optim import Adam, GradientDescent, Momentum, clip_by_global_norm
from rnn_from_scratch.training import fit
from rnn_from_scratch.validate import ArgumentError, DtypeError

T, N, D = 5, 33, 2
MODEL = SequenceModel(Recurrent(RNNCell(D, 4)), 2)


def problem(seed=0):
    rng = np.random.default_rng(seed)
    xs = rng.standard_normal((T, N, D))
    mask = np.arange(T)[:, None] < rng.integers(1, T + 1, N)
    return MODEL.init_params(rng=rng), xs, (np.cumsum(xs[..., 0], axis=0) > 0).astype(int), mask


def identical(first, second):
    for (name, a), (_, b) in zip(leaves(first), leaves(second), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("batch_size", [1, 32, None])
@pytest.mark.parametrize("optimizer", [GradientDescent(0.1), Momentum(0.05), Adam(0.01)])
def test_fit_is_the_loop_by_hand(batch_size, optimizer):
    params, xs, targets, mask = problem()

    def clip(grads):
        return clip_by_global_norm(grads, 0.2)

    seen = []
    trained, history = fit(
        MODEL, params, xs, targets, optimizer, epochs=2, batch_size=batch_size, mask=mask, clip=clip,
        rng=np.random.default_rng(1), on_update=lambda update, loss: seen.append((update, loss)),
    )
    rng, by_hand, state = np.random.default_rng(1), params, optimizer.init(params)
    losses, norms, epoch_losses = [], [], []
    for _ in range(2):
        order, epoch = rng.permutation(N), 0.0
        for first in range(0, N, batch_size or N):
            chosen = order[first : first + (batch_size or N)]
            loss, grads, _ = MODEL.loss_and_grads(by_hand, xs[:, chosen], targets[:, chosen], mask=mask[:, chosen])
            norm = np.sqrt(sum(float((grad**2).sum()) for _, grad in leaves(grads)))
            by_hand, state = optimizer.update(by_hand, clip(grads)[0], state)
            losses.append(float(loss))
            norms.append(norm)
            epoch += float(loss) * mask[:, chosen].sum() / mask.sum()
        epoch_losses.append(epoch)
    identical(trained, by_hand)
    assert history.losses == losses
    assert seen == list(enumerate(losses, start=1))
    np.testing.assert_allclose(history.norms, norms, rtol=1e-13)
    np.testing.assert_allclose(history.epoch_losses, epoch_losses, rtol=1e-13)
    assert len(losses) == 2 * {1: 33, 32: 2, None: 1}[batch_size]


def test_the_epochs_loss_weighs_batches_by_their_targets():
    params, xs, targets, mask = problem()
    still = GradientDescent(1e-300)  # nothing moves, so the epoch's loss is the full loss
    _, history = fit(MODEL, params, xs, targets, still, epochs=1, batch_size=4, mask=mask)
    full, _, _ = MODEL.loss_and_grads(params, xs, targets, mask=mask)
    assert history.epoch_losses == [pytest.approx(full, abs=1e-14)]
    assert abs(np.mean(history.losses) - full) > 1e-4  # a plain mean is another number
    norms = [global_norm(MODEL.loss_and_grads(params, b.xs, b.targets, mask=b.mask)[1])
             for b in minibatches(xs, targets, 4, mask=mask)]
    np.testing.assert_allclose(history.norms, norms, rtol=1e-13)  # without a clip too


def test_it_learns():
    params, xs, targets, _ = problem()
    trained, history = fit(
        MODEL, params, xs, targets, Adam(0.05), epochs=60, batch_size=8, rng=np.random.default_rng(0)
    )
    assert history.epoch_losses[-1] < 0.15 < 0.6 < history.losses[0]
    assert (MODEL.predict(trained, xs).argmax(axis=2) == targets).mean() > 0.95


def test_without_a_generator_the_order_is_kept():
    params, xs, targets, _ = problem()
    first = [batch.indices.tolist() for batch in minibatches(xs, targets, 10)]
    assert first[0] == list(range(10))
    one, _ = fit(MODEL, params, xs, targets, GradientDescent(0.1), epochs=2, batch_size=10)
    two, _ = fit(MODEL, params, xs, targets, GradientDescent(0.1), epochs=2, batch_size=10)
    identical(one, two)


def test_nothing_passed_in_changes():
    params, xs, targets, mask = problem()
    before = tree_copy([params, xs, targets, mask])
    fit(MODEL, params, xs, targets, Momentum(0.1), epochs=2, batch_size=8, mask=mask, rng=np.random.default_rng(0))
    identical([params, xs, targets, mask], before)


VOCABULARY = 4
TOKENS = {
    "language": LanguageModel(Recurrent(RNNCell(D, 3)), VOCABULARY),
    "tied, with dropout": LanguageModel(Recurrent(RNNCell(D, D)), VOCABULARY, tied=True, dropout=0.3),
    "classifier": SequenceClassifier(Recurrent(RNNCell(D, 3)), VOCABULARY, 2),
    "classifier, with dropout": SequenceClassifier(Recurrent(RNNCell(D, 3), None, 0.3), VOCABULARY, 2, 0.2),
}


@pytest.mark.parametrize("name", TOKENS)
def test_fit_is_the_loop_by_hand_on_tokens(name):
    model, rng, (_, _, _, mask) = TOKENS[name], np.random.default_rng(3), problem()
    params = model.init_params(rng=rng)
    xs = np.where(mask, rng.integers(0, VOCABULARY, (T, N)), -1)  # padding is no token
    targets = rng.integers(0, 2, (T, N) if model.outputs == "many-to-many" else N)
    trained, history = fit(
        model, params, xs, targets, Adam(0.01), epochs=2, batch_size=8, mask=mask, rng=np.random.default_rng(1))
    rng, by_hand, state, losses = np.random.default_rng(1), params, Adam(0.01).init(params), []
    for _ in range(2):
        order = rng.permutation(N)
        for chosen in (order[first : first + 8] for first in range(0, N, 8)):
            own = targets[..., chosen]
            loss, grads, _ = model.loss_and_grads(by_hand, xs[:, chosen], own, mask=mask[:, chosen], rng=rng)
            by_hand, state = Adam(0.01).update(by_hand, grads, state)
            losses.append(float(loss))
    identical(trained, by_hand)
    assert history.losses == losses


def test_dropout_is_trained_with_a_generator_and_left_out_without():
    model, (_, _, targets, mask) = TOKENS["tied, with dropout"], problem()
    params, xs = model.init_params(rng=np.random.default_rng(0)), targets
    plain = LanguageModel(model.recurrent, VOCABULARY, tied=True)
    still = GradientDescent(1e-300)
    for rng, dropped in ((None, False), (np.random.default_rng(0), True)):
        _, history = fit(model, params, xs, targets, still, epochs=1, mask=mask, rng=rng)
        loss = plain.loss_and_grads(params, xs, targets, mask=mask)[0]
        assert (abs(history.losses[0] - loss) > 1e-3) == dropped


def test_a_classifier_of_tokens_learns():
    rng = np.random.default_rng(0)
    xs = rng.integers(0, VOCABULARY, (T, 64))
    targets = (xs == 1).any(axis=0).astype(int)  # does a 1 occur?
    model = SequenceClassifier(Recurrent(RNNCell(3, 6)), VOCABULARY, 2)
    trained, history = fit(
        model, model.init_params(rng=rng), xs, targets, Adam(0.03), epochs=40, batch_size=16, rng=rng)
    assert history.epoch_losses[-1] < 0.1 < 0.5 < history.losses[0]
    assert (model.predict(trained, xs).argmax(axis=1) == targets).all()


def test_an_encoder_decoder_is_told_apart():
    layer = Recurrent(RNNCell(D, 4))
    with pytest.raises(DtypeError) as caught:
        fit(EncoderDecoder(layer, layer, 3, 3), {}, np.zeros((T, N), int), np.zeros((T, N), int), Adam(0.1), epochs=1)
    assert str(caught.value).startswith("fit: model is EncoderDecoder(encoder=Recurrent(")
    assert str(caught.value).endswith(
        "expected a model with outputs: many-to-many or many-to-one because an encoder–decoder has sources and targets "
        "of other lengths. Call train with a source of pairs: train(model, params, Pairs(…), optimizer, epochs=…)."
    )


def test_divergence_is_an_error_that_says_so():
    model = SequenceModel(Recurrent(RNNCell(D, 4, "relu")), 1, "regression")
    rng = np.random.default_rng(0)
    params = tree_map(lambda array: 3.0 * array, model.init_params(rng=rng))
    xs = rng.standard_normal((T, 4, D))
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ArgumentError) as caught:
        fit(model, params, xs, rng.standard_normal((T, 4, 1)), GradientDescent(1e3), epochs=50)
    text = str(caught.value)
    assert re.search(r"update \d+", text), text
    assert "learning rate" in text
    assert "clip" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "fit: epochs is 0, expected a whole number of at least 1"),
        ({"epochs": 1.5}, "fit: epochs is 1.5"),
        ({"batch_size": 34}, "batch_size is 34, expected at most 33"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"rng": 0}, "rng is 0, expected a numpy.random.Generator"),
        ({"mask": np.ones((N, T), bool)}, "mask has shape (33, 5), expected (5, 33)"),
    ],
)
def test_bad_arguments(change, message):
    params, xs, targets, _ = problem()
    with pytest.raises(ArgumentError, match=re.escape(message)):
        fit(MODEL, params, xs, targets, GradientDescent(0.1), **{"epochs": 1, **change})
