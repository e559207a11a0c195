"""Batches (E2.3): every sequence once, weights that add up to the full gradient; padding; one-hot rows."""

import itertools
import re

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_add, tree_copy, tree_map
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import bucketed_batches, minibatches, one_hot, pad_sequences
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import LanguageModel, SequenceClassifier, SequenceModel
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, D, K = 4, 7, 3, 5


def problem(outputs="many-to-many", seed=0):
    rng = np.random.default_rng(seed)
    model = SequenceModel(Recurrent(RNNCell(D, 6)), K, outputs=outputs)
    params = tree_map(lambda array: rng.normal(0.0, 0.7, array.shape), model.init_params(rng=rng))
    shape = (T, N) if outputs == "many-to-many" else (N,)
    return model, params, rng.standard_normal((T, N, D)), rng.integers(0, K, shape)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, None])
@pytest.mark.parametrize("seed", [None, 5])
def test_each_sequence_comes_once_with_its_own_targets(batch_size, seed):
    _, _, xs, targets = problem()
    rng = None if seed is None else np.random.default_rng(seed)
    batches = list(minibatches(xs, targets, batch_size, rng=rng))
    order = np.concatenate([batch.indices for batch in batches])
    np.testing.assert_array_equal(np.sort(order), np.arange(N))
    assert (order.tolist() == list(range(N))) == (seed is None)
    B = batch_size or N
    assert [len(batch.indices) for batch in batches] == [B] * (N // B) + [N % B] * (N % B > 0)
    for batch in batches:
        np.testing.assert_array_equal(batch.xs, xs[:, batch.indices])
        np.testing.assert_array_equal(batch.targets, targets[:, batch.indices])
        assert batch.mask is None
        assert batch.weight == pytest.approx(len(batch.indices) / N, rel=1e-15)
    assert sum(batch.weight for batch in batches) == pytest.approx(1.0, abs=1e-15)


def test_the_shuffle_repeats_by_seed_and_is_new_each_epoch():
    _, _, xs, targets = problem()

    def orders(seed, epochs=3):
        rng = np.random.default_rng(seed)
        return [[batch.indices.tolist() for batch in minibatches(xs, targets, 3, rng=rng)] for _ in range(epochs)]

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)
    assert orders(1)[0] != orders(1)[1]


@pytest.mark.parametrize("outputs", ["many-to-many", "many-to-one"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_the_weighted_gradients_add_up_to_the_full_one(outputs, masked, batch_size):
    model, params, xs, targets = problem(outputs)
    mask = np.arange(T)[:, None] < np.array([4, 1, 3, 2, 4, 0, 1]) if masked else None
    loss, grads, _ = model.loss_and_grads(params, xs, targets, mask=mask)
    total_loss, parts = 0.0, []
    for batch in minibatches(xs, targets, batch_size, mask=mask, rng=np.random.default_rng(2)):
        part, part_grads, _ = model.loss_and_grads(params, batch.xs, batch.targets, mask=batch.mask)
        total_loss += batch.weight * part
        parts.append(tree_map(lambda g, w=batch.weight: w * g, part_grads))
    assert total_loss == pytest.approx(loss, abs=1e-12)
    for (name, whole), (_, added) in zip(leaves(grads), leaves(tree_add(*parts)), strict=True):
        np.testing.assert_allclose(added, whole, rtol=0, atol=1e-12, err_msg=name)
        assert np.abs(whole).max() > 1e-3, name  # the comparison means something


@pytest.mark.parametrize("kind", [np.uint8, np.int64])
@pytest.mark.parametrize("batch_size", [1, 3, None])
@pytest.mark.parametrize("classes", [None, 2])
def test_tokens_are_batched_and_the_weighted_gradients_add_up(classes, batch_size, kind):
    rng = np.random.default_rng(8)
    layer = Recurrent(RNNCell(D, 6))
    model = LanguageModel(layer, K) if classes is None else SequenceClassifier(layer, K, classes)
    params = model.init_params(rng=rng)
    mask = np.arange(T)[:, None] < np.array([4, 1, 3, 2, 4, 0, 1])
    xs = np.where(mask, rng.integers(0, K, (T, N)), 77).astype(kind)
    targets = rng.integers(0, K, (T, N)) if classes is None else rng.integers(0, classes, N)
    loss, grads, _ = model.loss_and_grads(params, xs, targets, mask=mask)
    total_loss, parts = 0.0, []
    for batch in minibatches(xs, targets, batch_size, mask=mask, rng=np.random.default_rng(2)):
        assert batch.xs.dtype == kind
        np.testing.assert_array_equal(batch.xs, xs[:, batch.indices])
        part, part_grads, _ = model.loss_and_grads(params, batch.xs, batch.targets, mask=batch.mask)
        total_loss += batch.weight * part
        parts.append(tree_map(lambda g, w=batch.weight: w * g, part_grads))
    assert total_loss == pytest.approx(loss, abs=1e-12)
    for (name, whole), (_, added) in zip(leaves(grads), leaves(tree_add(*parts)), strict=True):
        np.testing.assert_allclose(added, whole, rtol=0, atol=1e-12, err_msg=name)


def test_a_plain_mean_over_unequal_batches_is_not_the_full_gradient():
    model, params, xs, targets = problem()
    _, grads, _ = model.loss_and_grads(params, xs, targets)
    parts = [model.loss_and_grads(params, b.xs, b.targets)[1] for b in minibatches(xs, targets, 3)]
    plain = tree_map(lambda g: g / len(parts), tree_add(*parts))
    assert np.abs(plain["output"]["W_hy"] - grads["output"]["W_hy"]).max() > 1e-3


def test_the_mean_of_the_examples_gradients_is_the_batchs():
    """E2.3: 1/B Σ ∇L_i for equal lengths; Σ n_i ∇L_i / Σ n_i for unequal ones, where the plain mean is wrong."""
    model, params, xs, targets = problem()
    lengths = np.array([4, 1, 3, 2, 4, 2, 1])
    for mask, counts in ((None, np.full(N, T)), (np.arange(T)[:, None] < lengths, lengths)):
        whole = model.loss_and_grads(params, xs, targets, mask=mask)[1]["recurrent"]["W_hh"]
        each = np.array([
            model.loss_and_grads(params, xs[:n_i, [i]], targets[:n_i, [i]])[1]["recurrent"]["W_hh"]
            for i, n_i in enumerate(counts)
        ])
        np.testing.assert_allclose(np.average(each, axis=0, weights=counts), whole, rtol=0, atol=1e-14)
        assert (np.abs(each.mean(axis=0) - whole).max() < 1e-12) == (mask is None)


def test_nothing_counted_weighs_nothing():
    _, _, xs, targets = problem()
    batches = list(minibatches(xs, targets, 3, mask=np.zeros((T, N), bool)))
    assert [batch.weight for batch in batches] == [0.0, 0.0, 0.0]


def test_minibatches_change_nothing():
    _, _, xs, targets = problem()
    mask = np.ones((T, N), bool)
    before = tree_copy([xs, targets, mask])
    for batch in minibatches(xs, targets, 3, mask=mask, rng=np.random.default_rng(0)):
        batch.xs[:] = 9.0
        batch.targets[:] = 0
        batch.mask[:] = False
    np.testing.assert_equal([xs, targets, mask], before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0, expected a whole number of at least 1"),
        ({"batch_size": 8}, "batch_size is 8, expected at most 7 because there are 7 sequences"),
        ({"batch_size": 2.0}, "batch_size is 2.0, expected a whole number"),
        ({"targets": np.zeros((3, 5), int)}, "targets has shape (3, 5), expected (T, N, …) = (4, 7, …)"),
        ({"targets": np.array(1)}, "targets has shape ()"),
        ({"xs": np.zeros((4, 7))}, "xs has shape (4, 7), expected (T, N, D)"),
        ({"xs": np.zeros((4, 0, 3))}, "with no sequences in the batch there is nothing"),
        ({"xs": np.zeros((4, 7))}, "then the batch. Tokens, (T, N), are integers."),
        (
            {"xs": np.zeros((4, 7, 3), int)},
            "minibatches: xs has dtype int64 and shape (4, 7, 3), expected floats (T, N, D), or tokens (T, N) because "
            "integers are tokens, one a step and sequence. Try xs.astype(np.float64); from one-hot rows to tokens "
            "xs.argmax(axis=-1).",
        ),
        ({"xs": np.zeros(4, int)}, "xs has shape (4,), expected (T, N) because time comes first, then the batch."),
        ({"xs": np.zeros((7, 4), int), "over_time": True}, "targets has shape (4, 7), expected (T, N, …) = (7, 4, …)"),
        ({"xs": np.zeros((4, 0), int)}, "with no sequences in the batch there is nothing"),
        ({"xs": np.ones((4, 7), bool)}, "xs has dtype bool, expected float64"),
        ({"xs": np.ma.zeros((4, 7), int)}, "xs is a MaskedArray, expected a plain NumPy array"),
        ({"xs": [[1, 2]]}, "xs is a list, expected a NumPy array"),
        ({"mask": np.ones((7, 4), bool)}, "mask has shape (7, 4), expected (4, 7)"),
        ({"mask": np.ones((4, 7))}, "mask has dtype float64, expected a boolean array"),
        ({"rng": 3}, "rng is 3, expected a numpy.random.Generator"),
    ],
)
def test_bad_batches_are_refused(change, message):
    _, _, xs, targets = problem()
    arguments = {"xs": xs, "targets": targets, **change}
    with pytest.raises(ArgumentError, match=re.escape(message)):
        list(minibatches(**arguments))


def test_pad_sequences_puts_zeros_after_each_end():
    rng = np.random.default_rng(0)
    sequences = [rng.standard_normal((length, 2)) for length in (3, 0, 1)]
    xs, mask = pad_sequences(sequences)
    np.testing.assert_array_equal(mask.T, [[True, True, True], [False] * 3, [True, False, False]])
    for n, sequence in enumerate(sequences):
        np.testing.assert_array_equal(xs[: len(sequence), n], sequence)
        np.testing.assert_array_equal(xs[len(sequence) :, n], 0.0)
    xs[:] = 5.0
    assert sequences[0].max() < 5.0
    assert pad_sequences([np.ones((2, 1), np.float32)])[0].dtype == np.float32


@pytest.mark.parametrize(
    ("sequences", "error", "message"),
    [
        ([], ArgumentError, "sequences is an empty list"),
        (np.zeros((2, 3, 1)), ArgumentError, "sequences is one ndarray"),
        ([np.zeros(3)], ShapeError, "sequences[0] has shape (3,), expected (T_n, D)"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], ShapeError, "sequences[1] has shape (3, 1), expected (T_n, 2)"),
        ([np.zeros((3, 2)), np.zeros((3, 2), np.float32)], DtypeError, "sequences[1] is float32, expected float64"),
        ([np.zeros((0, 2)), np.zeros((0, 2))], ShapeError, "every sequence is empty"),
        ([[[1.0, 2.0]]], DtypeError, "sequences[0] is a list"),
    ],
)
def test_bad_sequences_are_refused(sequences, error, message):
    with pytest.raises(error, match=re.escape(message)):
        pad_sequences(sequences)


def test_one_hot():
    np.testing.assert_array_equal(one_hot(np.array([[2, 0]]), 3), [[[0, 0, 1], [1, 0, 0]]])
    assert one_hot(np.array([1]), 2, np.float32).dtype == np.float32
    np.testing.assert_array_equal(one_hot(np.arange(4), 4), np.eye(4))


@pytest.mark.parametrize(
    ("indices", "size", "message"),
    [
        (np.array([0.0]), 2, "indices has dtype float64, expected integers"),
        (np.array([0, 3]), 3, "indices[1] is 3, expected 0 … 2"),
        (np.array([-1]), 3, "indices[0] is -1"),
        (np.array([0]), 0, "size is 0"),
    ],
)
def test_bad_indices_are_refused(indices, size, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        one_hot(indices, size)


# Buckets

LENGTHS = np.random.default_rng(7).integers(1, 60, 500)


@pytest.mark.parametrize("batch_size", [1, 32, 499, 500])
@pytest.mark.parametrize("pool", [1, 3, 20])
def test_buckets_hold_each_sequence_once(batch_size, pool):
    batches = list(bucketed_batches(LENGTHS, batch_size, rng=np.random.default_rng(0), pool=pool))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(500))
    sizes = sorted(map(len, batches))
    assert sizes == sorted([batch_size] * (500 // batch_size) + [500 % batch_size] * (500 % batch_size > 0))


def padding(batches):
    return sum(LENGTHS[batch].max() * len(batch) - LENGTHS[batch].sum() for batch in batches)


def test_buckets_save_padding_and_come_in_no_order():
    rng = np.random.default_rng(1)
    unsorted, bucketed = (list(bucketed_batches(LENGTHS, 16, rng=rng, pool=pool)) for pool in (1, 16))
    assert padding(bucketed) < 0.2 * padding(unsorted)
    spans = sorted((LENGTHS[batch].min(), LENGTHS[batch].max()) for batch in bucketed[:16])  # the first pool
    assert all(high <= low for (_, high), (low, _) in itertools.pairwise(spans))  # cut from one sorted list
    means = [LENGTHS[batch].mean() for batch in bucketed[:16]]
    assert means != sorted(means)
    assert means != sorted(means, reverse=True)


def test_buckets_repeat_by_seed_and_are_new_each_epoch():
    def epochs(seed):
        rng = np.random.default_rng(seed)
        return [[frozenset(batch.tolist()) for batch in bucketed_batches(LENGTHS, 8, rng=rng)] for _ in range(2)]

    assert epochs(3) == epochs(3)
    first, second = epochs(3)
    assert len(set(first) & set(second)) < 5  # not only their order: other sequences meet
    equal = {frozenset(batch.tolist()) for batch in bucketed_batches([4] * 60, 2, rng=np.random.default_rng(0))}
    assert len(equal & {frozenset((n, n + 1)) for n in range(0, 60, 2)}) < 3  # equal lengths are shuffled


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1, 2]], 1), ShapeError, "lengths has shape (1, 2), expected (N,)"),
        (([[1], [1, 2]], 1), ShapeError, "lengths is [[1], [1, 2]], expected an array, or a list of numbers because"),
        (([1.0, 2.0], 1), DtypeError, "lengths has dtype float64, expected integers"),
        (([1, 2], 3), ArgumentError, "batch_size is 3, expected at most 2"),
        (([1, 2], 0), ArgumentError, "batch_size is 0, expected a whole number of at least 1"),
    ],
)
def test_bad_lengths(arguments, error, message):
    with pytest.raises(error, match=re.escape(f"bucketed_batches: {message}")):
        bucketed_batches(*arguments, rng=np.random.default_rng(0))


def test_bad_pools():
    with pytest.raises(ArgumentError, match="pool is 0, expected a whole number of at least 1"):
        bucketed_batches([1, 2], 1, rng=np.random.default_rng(0), pool=0)
    with pytest.raises(ArgumentError, match="Generator"):
        bucketed_batches([1, 2], 1, rng=0)
