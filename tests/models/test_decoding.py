"""Greedy decoding and beam search: chains of known probabilities, brute force, teacher forcing, batches, refusals."""

import itertools
import math

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_map
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LSTMCell, LuongCell, RNNCell
from rnn_from_scratch.layers import Bidirectional, Recurrent, Stacked
from rnn_from_scratch.models import EncoderDecoder, Hypothesis, LanguageModel, beam_search, greedy
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

S, N, V, K = 5, 4, 4, 4
START, END = 1, 2
READER = Recurrent(RNNCell(2, 3))
MODELS = {
    "rnn": EncoderDecoder(READER, Recurrent(RNNCell(2, 3)), V, K),
    "stacked": EncoderDecoder(READER, Stacked((Recurrent(LSTMCell(2, 2)), Recurrent(GRUCell(2, 3)))), V, K),
    "bahdanau": EncoderDecoder(READER, Recurrent(BahdanauCell(GRUCell(2, 3), AdditiveAttention(3, 3, 2))), V, K),
    "luong, both ways": EncoderDecoder(
        Bidirectional(Recurrent(GRUCell(2, 2)), Recurrent(GRUCell(2, 1))),
        Recurrent(LuongCell(LSTMCell(2, 3), MultiplicativeAttention(3, 3))), V, K),
}
SOURCES = np.random.default_rng(0).integers(0, V, (S, N))
SOURCE_MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool).T


def draw(model, seed=0):
    rng = np.random.default_rng(seed)
    return tree_map(lambda array: 1.5 * rng.standard_normal(array.shape), model.init_params(rng=rng))


def chain(probabilities):
    """Return a model whose next token depends on the last one alone, with these probabilities {token: row}.

    The embedding's rows are far apart, so h is exactly the last token's one-hot row, and W_hy holds log p.
    """
    model = EncoderDecoder(READER, Recurrent(RNNCell(K, K)), V, K)
    params = tree_map(np.zeros_like, model.init_params(rng=np.random.default_rng(0)))
    params["decoder"]["embedding"]["W_embed"] += 20.0 * np.eye(K)
    params["decoder"]["recurrent"]["W_xh"] += np.eye(K)
    rows = [probabilities.get(token, np.full(K, 1 / K)) for token in range(K)]
    params["output"]["W_hy"] += np.log(rows)
    return model, params


def log_probability(model, params, source, mask, hypothesis):
    """Recompute a sequence's log-probability under teacher forcing, summed over its tokens."""
    tokens = [*hypothesis.tokens, *[model.end] * hypothesis.finished]
    return -model.loss_and_grads(params, source, np.array(tokens)[:, None], mask, divide_by=1.0)[0]


def close(found, expected):
    """Hold that two lists of hypotheses are the same, their numbers within rounding."""
    assert [line.tokens for line in found] == [line.tokens for line in expected]
    assert [line.finished for line in found] == [line.finished for line in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.log_probability == pytest.approx(other.log_probability, abs=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_greedy_is_a_beam_of_one_and_a_batch_is_its_sequences(name):
    model, unlike = MODELS[name], set()
    for seed, masked in itertools.product((1, 5), (False, True)):
        params, mask = draw(model, seed), SOURCE_MASK if masked else None
        found = greedy(model, params, SOURCES, mask, max_length=5)
        for penalty in (0.0, 1.3):
            beams = beam_search(
                model, params, SOURCES, mask, max_length=5, beam_width=1, length_penalty=penalty)
            assert [len(lines) for lines in beams] == [1] * N
            close([lines[0] for lines in beams], found)
        for n in range(N):
            own = SOURCES[:, n : n + 1], mask[:, n : n + 1] if masked else None
            close(greedy(model, params, *own, max_length=5), found[n : n + 1])
            if masked and mask[:, n].any():  # and without its padding
                close(greedy(model, params, own[0][mask[:, n]], max_length=5), found[n : n + 1])
        unlike |= {(tuple(line.tokens), line.finished) for line in found}
    assert len(unlike) > 2
    assert {finished for _, finished in unlike} == {False, True}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("width", [1, 3])
def test_log_probabilities_are_those_of_teacher_forcing(name, width):
    model = MODELS[name]
    params = draw(model, 1)
    beams = beam_search(model, params, SOURCES, SOURCE_MASK, max_length=4, beam_width=width)
    for n, lines in enumerate(beams):
        own = SOURCES[:, n : n + 1], SOURCE_MASK[:, n : n + 1]
        assert len(lines) == width
        for line in lines:
            assert line.log_probability == pytest.approx(log_probability(model, params, *own, line), abs=1e-13)


def every_sequence(max_length):
    """Return every way to write: all that end within max_length tokens, the end among them, and all that do not."""
    others = [token for token in range(K) if token != END]
    ended = [(list(line), True) for length in range(max_length) for line in itertools.product(others, repeat=length)]
    return ended + [(list(line), False) for line in itertools.product(others, repeat=max_length)]


@pytest.mark.parametrize("name", MODELS)
def test_a_beam_as_wide_as_everything_is_brute_force(name):
    model = MODELS[name]
    params, own = draw(model, 2), (SOURCES[:, :1], SOURCE_MASK[:, :1])
    known = {
        (*tokens, finished): log_probability(model, params, *own, Hypothesis(tokens, 0.0, finished))
        for tokens, finished in every_sequence(3)
    }
    assert len(known) == 40
    assert sum(math.exp(log_p) for log_p in known.values()) == pytest.approx(1.0, abs=1e-14)
    for penalty in (0.0, 0.6, 1.0):
        (lines,) = beam_search(model, params, *own, max_length=3, beam_width=100, length_penalty=penalty)
        assert {(*line.tokens, line.finished) for line in lines} == set(known)
        assert len(lines) == 40
        scores = []
        for line in lines:
            alone = known[*line.tokens, line.finished]
            assert line.log_probability == pytest.approx(alone, abs=1e-13)
            scores.append(alone / (len(line.tokens) + line.finished) ** penalty)
        assert all(one >= other - 1e-12 for one, other in itertools.pairwise(scores))
        assert scores[0] > scores[-1] + 1.0


def test_greedy_is_beaten():
    model, params = chain({START: [0.6, 0.01, 0.01, 0.38], 0: [0.35, 0.01, 0.34, 0.3], 3: [0.02, 0.01, 0.95, 0.02]})
    (first,) = greedy(model, params, SOURCES[:, :1], max_length=3)
    assert first.tokens == [0, 0, 0]  # p = 0.6 · 0.35 · 0.35
    assert not first.finished
    assert math.exp(first.log_probability) == pytest.approx(0.0735, rel=1e-12)
    ((best, second),) = beam_search(model, params, SOURCES[:, :1], max_length=3, beam_width=2)
    assert best.tokens == [3]
    assert best.finished
    assert math.exp(best.log_probability) == pytest.approx(0.38 * 0.95, rel=1e-12)
    assert second.tokens == [0, 0, 0]  # [0] and its end, p = 0.204, was third in the second step


def test_the_length_penalty_changes_the_order_where_the_formula_says():
    model, params = chain({START: [0.3, 0.01, 0.45, 0.24], 0: [0.01, 0.01, 0.01, 0.97], 3: [0.01, 0.01, 0.97, 0.01]})
    short, long = math.log(0.45), math.log(0.3 * 0.97 * 0.97)  # [] and [0, 3], with their ends 1 and 3 tokens
    turn = math.log(long / short) / math.log(3 / 1)  # where log p / length^α are equal
    for penalty, expected in ((0.0, []), (turn - 0.01, []), (turn + 0.01, [0, 3]), (1.0, [0, 3])):
        ((best, *_),) = beam_search(
            model, params, SOURCES[:, :1], max_length=4, beam_width=8, length_penalty=penalty)
        assert best.tokens == expected
        assert best.finished
        assert best.log_probability == pytest.approx(long if expected else short, rel=1e-12)  # not the score
    ((best, *_),) = beam_search(model, params, SOURCES[:, :1], max_length=4, beam_width=8, length_penalty=50.0)
    assert len(best.tokens) + best.finished == 4  # at last the longest
    beam_search(model, params, SOURCES, max_length=4, length_penalty=1e6)  # no overflow
    one = beam_search(model, params, SOURCES, max_length=4, length_penalty=1.0)
    for penalty in (1, np.int64(1), np.uint8(1), np.float32(1.0)):  # 3 ** -np.uint8(1) is 3 ** 255
        assert beam_search(model, params, SOURCES, max_length=4, length_penalty=penalty) == one


def test_the_end_at_once_writes_nothing():
    model, params = chain({START: [0.1, 0.1, 0.7, 0.1]})
    found = greedy(model, params, SOURCES, max_length=5)
    assert [(line.tokens, line.finished) for line in found] == [([], True)] * N
    assert found[0].log_probability == pytest.approx(math.log(0.7), rel=1e-12)
    beams = beam_search(model, params, SOURCES, max_length=1, beam_width=9)
    assert [(line.tokens, line.finished) for line in beams[0]] == [([], True), ([0], False), ([1], False), ([3], False)]


def test_max_length_counts_the_end():
    model, params = chain({START: [0.9, 0.02, 0.02, 0.06], 0: [0.1, 0.1, 0.1, 0.7], 3: [0.1, 0.1, 0.7, 0.1]})
    for length, tokens, finished in ((1, [0], False), (2, [0, 3], False), (3, [0, 3], True), (9, [0, 3], True)):
        (line,) = greedy(model, params, SOURCES[:, :1], max_length=length)
        assert (line.tokens, line.finished) == (tokens, finished)
        ((line,),) = beam_search(model, params, SOURCES[:, :1], max_length=length, beam_width=1)
        assert (line.tokens, line.finished) == (tokens, finished)


def test_a_finished_sequence_stays_while_others_go_on():
    model, params = chain({START: [0.45, 0.01, 0.5, 0.04], 0: [0.96, 0.02, 0.01, 0.01]})
    ((best, second),) = beam_search(model, params, SOURCES[:, :1], max_length=4, beam_width=2)
    assert (best.tokens, best.finished) == ([], True)
    assert (second.tokens, second.finished) == ([0, 0, 0, 0], False)


def test_a_finished_sequence_is_remembered_when_better_ones_end_worse():
    model, params = chain({START: [0.6, 0.1, 0.2, 0.1], 0: [0.45, 0.05, 0.05, 0.45], 3: [0.25, 0.25, 0.25, 0.25]})
    beams = [beam_search(model, params, SOURCES[:, :1], max_length=length, beam_width=2)[0] for length in (1, 2, 5)]
    assert [line.tokens for line in beams[0]] == [[0], []]
    assert [line.tokens for line in beams[1]] == [[0, 0], [0, 3]]  # 0.27 each, better than the end at once, 0.2
    best, _ = beams[2]
    assert (best.tokens, best.finished) == ([], True)  # what came of those is worse
    assert math.exp(best.log_probability) == pytest.approx(0.2, rel=1e-12)


def test_a_chain_does_not_know_its_source():
    one, other = greedy(*chain({START: [0.5, 0.1, 0.3, 0.1]}), SOURCES[:, :2], max_length=3)
    assert one == other


def test_among_equals_the_lowest_token_wins():
    model, params = chain({START: [0.1, 0.1, 0.4, 0.4], 3: [0.3, 0.3, 0.3, 0.1]})
    assert greedy(model, params, SOURCES[:, :1], max_length=2)[0].finished
    ((*lines,),) = beam_search(model, params, SOURCES[:, :1], max_length=2, beam_width=3)
    assert [line.tokens for line in lines] == [[], [3, 0], [3, 1]]


def test_the_batch_ends_where_each_of_its_sequences_does():
    model = MODELS["luong, both ways"]
    for seed in range(20):
        found = greedy(model, draw(model, seed), SOURCES, SOURCE_MASK, max_length=8)
        lengths = {len(line.tokens) for line in found if line.finished}
        assert all(END not in line.tokens for line in found)
        if len(lengths) > 1:
            return
    pytest.fail("no seed has sequences that end at different steps")


@pytest.mark.parametrize("name", MODELS)
def test_float32_writes_the_same(name):
    model = MODELS[name]
    params = draw(model, 3)
    single = tree_map(lambda array: array.astype(np.float32), params)
    exact = beam_search(model, params, SOURCES, SOURCE_MASK, max_length=4, beam_width=2)
    rounded = beam_search(model, single, SOURCES, SOURCE_MASK, max_length=4, beam_width=2)
    for one, other in zip(itertools.chain(*rounded), itertools.chain(*exact), strict=True):
        assert one.tokens == other.tokens
        assert one.log_probability == pytest.approx(other.log_probability, abs=1e-4)


def test_dropout_is_left_out():
    plain = MODELS["bahdanau"]
    model = EncoderDecoder(plain.encoder, plain.decoder, V, K, dropout=0.9)
    params = draw(model, 1)
    assert greedy(model, params, SOURCES, max_length=4) == greedy(plain, params, SOURCES, max_length=4)


# Refusals

MODEL = MODELS["bahdanau"]
BOTH = {
    "max_length": ({"max_length": 0}, ArgumentError, "max_length is 0, expected a whole number of at least 1"),
    "no max_length": ({"max_length": None}, ArgumentError, "max_length is None, expected a whole number"),
    "list": ({"sources": SOURCES.tolist()}, DtypeError, "sources is a list, expected an integer array (T, N) because"),
    "floats": ({"sources": SOURCES.astype(float)}, DtypeError, "sources is of dtype float64 and shape (5, 4), exp"),
    "one source": ({"sources": SOURCES[:, 0]}, ShapeError,
                   "sources has shape (5,), expected (T, N) because time comes first, then the batch. For a single "
                   "sequence use sources[:, None]; from batch-first use sources.T."),
    "none": ({"sources": SOURCES[:, :0]}, ShapeError, "sources has shape (5, 0), expected (T, N) with N ≥ 1"),
    "wide mask": ({"source_mask": np.ones((S, N + 1), bool)}, ShapeError,
                  "source_mask has shape (5, 5), expected (5, 4) because it has one entry per time step and sequence"),
    "narrow mask": ({"source_mask": np.ones((S, N - 1), bool)}, ShapeError, "source_mask has shape (5, 3), expected"),
    "list of masks": ({"source_mask": [[True]]}, DtypeError, "source_mask has type list, expected a boolean array"),
    "another model": ({"model": LanguageModel(READER, V)}, DtypeError, "model is LanguageModel(recurrent=Recurrent("),
}
BEAM = {
    "width": ({"beam_width": 0}, ArgumentError, "beam_width is 0, expected a whole number of at least 1"),
    "half a width": ({"beam_width": 2.5}, ArgumentError, "beam_width is 2.5, expected a whole number of at least 1"),
    "penalty": ({"length_penalty": -0.5}, ArgumentError, "length_penalty is -0.5, expected a finite number"),
    "no number": ({"length_penalty": math.nan}, ArgumentError, "length_penalty is nan, expected a finite number"),
}


@pytest.mark.parametrize(("function", "case"), [
    *itertools.product((greedy, beam_search), BOTH), *((beam_search, case) for case in BEAM),
])
def test_bad_arguments_are_refused(function, case):
    changed, error, message = {**BOTH, **BEAM}[case]
    arguments = {"model": MODEL, "params": draw(MODEL), "sources": SOURCES, "max_length": 3, **changed}
    with pytest.raises(error) as caught:
        function(**arguments)
    assert str(caught.value).startswith(f"{function.__name__}: {message}")


@pytest.mark.parametrize("function", [greedy, beam_search])
def test_bad_tokens_and_parameters_are_refused(function):
    with pytest.raises(ArgumentError, match=r"^Embedding.forward: indices\[0, 0\] is 7, expected 0 … 3"):
        function(MODEL, draw(MODEL), np.full((S, N), 7), max_length=3)
    with pytest.raises(ArgumentError, match=r"^EncoderDecoder.encode: params has the keys \[\], expected \['bridge', "):
        function(MODEL, {}, SOURCES, max_length=3)
