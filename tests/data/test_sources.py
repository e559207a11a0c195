"""Sources give the batches that one would cut by hand, and an epoch can be entered in its middle."""

import re

import numpy as np
import pytest

from rnn_from_scratch.cells import LSTMCell, RNNCell
from rnn_from_scratch.data import (
    Fresh,
    Pairs,
    Sequences,
    Streams,
    Vocabulary,
    adding_data,
    minibatches,
    recall_data,
    text_streams,
)
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import EncoderDecoder, LanguageModel, SequenceModel
from rnn_from_scratch.validate import ArgumentError


def draw(seed=0, T=7, N=10, D=2):
    rng = np.random.default_rng(seed)
    mask = np.arange(T)[:, None] < rng.integers(1, T + 1, N)
    return rng.standard_normal((T, N, D)), rng.integers(0, 3, (T, N)), mask


def words():
    read, written = ["one", "twenty", "a", "four", "ninety-nine"], ["1", "20", "?", "4", "99"]
    return Pairs(read, written, (Vocabulary.of(read), Vocabulary.of(written)), 2)


XS, TARGETS, MASK = draw()
SOURCES = {
    "sequences": Sequences(XS, TARGETS, 4, MASK),
    "sequences, all at once": Sequences(XS, TARGETS),
    "streams": Streams(XS, TARGETS, 3, MASK),
    "text": text_streams(np.arange(32) % 5, 3, 4),
    "pairs": words(),
    "fresh": Fresh(lambda rng: recall_data(rng=rng, lag=2, N=3), updates=4),
}


def same(first, second):
    assert len(first) == len(second)
    for one, two in zip(first, second, strict=True):
        assert one.weight == two.weight
        assert one.arguments().keys() == two.arguments().keys()
        for name, value in one.arguments().items():
            np.testing.assert_array_equal(value, two.arguments()[name])


@pytest.mark.parametrize("name", SOURCES)
def test_an_epoch_has_as_many_batches_as_it_says_and_their_weights_are_shares(name):
    source = SOURCES[name]
    batches = list(source.epoch(np.random.default_rng(0)))
    assert len(batches) == source.updates > 0
    total = sum(batch.weight for batch in batches)
    assert total == pytest.approx(12 if name == "pairs" else 1, abs=1e-15)  # 7 characters and 5 ENDs


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "fresh"])
@pytest.mark.parametrize("start", [0, 1, 2])
def test_an_epoch_is_entered_in_its_middle(name, start):
    source = SOURCES[name]
    whole = list(source.epoch(np.random.default_rng(7)))
    rng = np.random.default_rng(7)
    entered = source.epoch(rng, start)
    after = rng.bit_generator.state  # what shuffles was drawn already
    same(list(entered), whole[start:])
    assert rng.bit_generator.state == after


def test_sequences_are_minibatches():
    same(list(SOURCES["sequences"].epoch(np.random.default_rng(3))),
         list(minibatches(XS, TARGETS, 4, mask=MASK, rng=np.random.default_rng(3))))
    first, second = (list(SOURCES["sequences"].epoch(rng)) for rng in [np.random.default_rng(3)] * 2)
    assert not np.array_equal(first[0].xs, second[0].xs)  # shuffled anew
    assert next(SOURCES["sequences"].epoch(None)).indices.tolist() == [0, 1, 2, 3]


def test_streams_are_windows_of_time_weighted_by_what_counts():
    batches = list(SOURCES["streams"].epoch())
    assert [batch.xs.shape[0] for batch in batches] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate([batch.xs for batch in batches]), XS)
    np.testing.assert_array_equal(np.concatenate([batch.targets for batch in batches]), TARGETS)
    assert [batch.weight for batch in batches] == [MASK[cut].sum() / MASK.sum() for cut in (
        slice(0, 3), slice(3, 6), slice(6, 7))]
    counted = MASK & (TARGETS == 1)
    weights = [batch.weight for batch in Streams(XS, TARGETS, 3, MASK, counted).epoch()]
    assert weights == [counted[cut].sum() / counted.sum() for cut in (slice(0, 3), slice(3, 6), slice(6, 7))]


def test_the_windows_of_a_stream_give_the_whole_sequences_loss_if_the_state_is_carried():
    model = SequenceModel(Recurrent(LSTMCell(2, 4)), 3)
    params, state, loss = model.init_params(rng=np.random.default_rng(0)), None, 0.0
    for batch in SOURCES["streams"].epoch():
        own, _, state = model.loss_and_grads(params, **batch.arguments(), state=state)
        loss += batch.weight * own
    assert loss == pytest.approx(model.loss_and_grads(params, XS, TARGETS, mask=MASK)[0], abs=1e-14)


def test_a_text_is_cut_by_hand():
    source = text_streams(np.arange(12), 3, 2)  # 11 inputs, 3 streams of 3: 0 1 2 | 3 4 5 | 6 7 8
    assert source.xs.tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert source.targets.tolist() == [[1, 4, 7], [2, 5, 8], [3, 6, 9]]
    assert [batch.xs.tolist() for batch in source.epoch()] == [[[0, 3, 6], [1, 4, 7]], [[2, 5, 8]]]
    alone = text_streams(np.arange(12), 1, 100)
    assert (alone.steps, alone.updates) == (11, 1)
    assert alone.targets[:, 0].tolist() == list(range(1, 12))


def test_a_streams_text_and_a_language_model_fit():
    model = LanguageModel(Recurrent(RNNCell(3, 4)), 5)
    params = model.init_params(rng=np.random.default_rng(0))
    state = None
    for batch in SOURCES["text"].epoch():
        loss, _, state = model.loss_and_grads(params, **batch.arguments(), state=state)
    assert 0 < float(loss) < 10


def test_pairs_go_into_an_encoder_decoder():
    source = words()
    layer = Recurrent(RNNCell(3, 4))
    model = EncoderDecoder(layer, layer, *map(len, source.vocabularies))
    params = model.init_params(rng=np.random.default_rng(0))
    batches = list(source.epoch(np.random.default_rng(0)))
    assert [model.loss_and_grads(params, **batch.arguments())[0] > 0 for batch in batches] == [True] * 3
    same(list(source.epoch(None)), list(source.epoch(None)))


def test_fresh_data_are_the_generators():
    source = SOURCES["fresh"]
    rng = np.random.default_rng(5)
    drawn = list(source.epoch(rng))
    rng = np.random.default_rng(5)
    for batch in drawn:
        xs, targets, target_mask = recall_data(rng=rng, lag=2, N=3)
        np.testing.assert_array_equal(batch.xs, xs)
        np.testing.assert_array_equal(batch.targets, targets)
        np.testing.assert_array_equal(batch.target_mask, target_mask)
    assert len(list(source.epoch(rng, 3))) == 1
    batch = next(Fresh(lambda rng: adding_data(rng=rng, T=4, N=3)).epoch(rng))
    assert batch.target_mask is None


@pytest.mark.parametrize("name", SOURCES)
def test_a_fingerprint_is_that_of_the_data(name):
    again = {
        "sequences": Sequences(XS.copy(), TARGETS.copy(), 4, MASK.copy()),
        "sequences, all at once": Sequences(XS.copy(), TARGETS),
        "streams": Streams(np.asfortranarray(XS), TARGETS, 3, MASK), "text": text_streams(np.arange(32) % 5, 3, 4),
        "pairs": words(), "fresh": Fresh(lambda rng: recall_data(rng=rng, lag=2, N=3), updates=4),
    }[name]
    assert again.fingerprint() == SOURCES[name].fingerprint()
    xs = XS.copy()
    xs[-1, -1, -1] += 1e-12
    others = [
        Sequences(xs, TARGETS, 4, MASK), Sequences(XS, TARGETS, 5, MASK), Sequences(XS, TARGETS, 4),
        Sequences(XS, TARGETS, 4, target_mask=MASK), Streams(xs, TARGETS, 3, MASK), Streams(XS, TARGETS, 2, MASK),
        Sequences(XS.astype(np.float32), TARGETS), text_streams(np.arange(32) % 6, 3, 4),
        Sequences(XS[:, ::-1], TARGETS),
        Pairs(["a\nb"], ["1"], (Vocabulary("ab\n"), Vocabulary("1")), 1),  # one text of two lines
        Pairs(["a", "b"], ["1", "1"], (Vocabulary("ab\n"), Vocabulary("1")), 1),
        *(Fresh(lambda rng, lag=lag: recall_data(rng=rng, lag=lag, N=3), updates) for lag, updates in ((2, 5), (3, 4))),
    ]
    prints = [source.fingerprint() for source in (*others, *SOURCES.values())]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Sequences(XS, TARGETS, 11), "minibatches: batch_size is 11, expected at most 10"),
        (lambda: Sequences(XS, TARGETS[:, :9]), "minibatches: targets has shape (7, 9)"),
        (lambda: Streams(XS, TARGETS, 8), "Streams: steps is 8, expected at most 7"),
        (lambda: Streams(XS, TARGETS, 0), "Streams: steps is 0"),
        (lambda: Streams(XS, TARGETS, True), "Streams: steps is True"),
        (lambda: Streams(XS, TARGETS[0], 2), "minibatches: targets has shape (10,)"),
        (lambda: Streams(XS, TARGETS, 2, np.zeros_like(MASK)), "Streams: no target is counted"),
        (lambda: text_streams("abc", 1, 1), "text_streams: tokens has shape () and dtype <U3"),
        (lambda: text_streams(np.zeros(5), 1, 1), "text_streams: tokens has shape (5,) and dtype float64"),
        (lambda: text_streams(np.zeros((2, 5), int), 1, 1), "text_streams: tokens has shape (2, 5)"),
        (lambda: text_streams(np.arange(5), 5, 1), "text_streams: tokens has 5 entries, expected 6 at least"),
        (lambda: text_streams(np.arange(5), 0, 1), "text_streams: batch_size is 0"),
        (lambda: text_streams(np.arange(5), 1, -1), "text_streams: steps is -1"),
        (lambda: Pairs(["a"], ["b", "c"], words().vocabularies, 1), "pair_batches: there are 1 sources and 2 targets"),
        (lambda: Fresh(3), "Fresh: draw is 3, expected a function of rng"),
        (lambda: Fresh(len, 0), "Fresh: updates is 0"),
        (lambda: next(Fresh(len).epoch(None)), "Fresh.epoch: rng is None, expected a numpy.random.Generator"),
        (lambda: next(Fresh(lambda rng: XS).epoch(np.random.default_rng())), "Fresh: draw returned a ndarray"),
        (lambda: next(Fresh(lambda rng: (XS,)).epoch(np.random.default_rng())), "Fresh: draw returned a tuple of 1"),
        (lambda: next(Fresh(lambda rng: ([1], TARGETS)).epoch(np.random.default_rng())),
         "Fresh: draw returned a list of shape (1,) and a ndarray of shape (7, 10)"),
        (lambda: Fresh(lambda rng: (XS, [1])).fingerprint(), "and a list of shape (1,), expected arrays (xs, targets)"),
    ],
)
def test_bad_sources(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()
