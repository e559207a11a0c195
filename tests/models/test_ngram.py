"""N-grams: the formula by hand and in fractions, sums of 1, unseen contexts, drawing, refusals."""

import itertools
import math
import re
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from rnn_from_scratch.models import NGramCounts, NGramModel
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

ABRA = [0, 1, 2, 0, 3, 0, 1, 2, 0]  # "abracabra" without one of its a: a b r a c a b r a


def slow(text, order, V, context, token):
    """p(token | context), from the definition alone: a scan of the text for each count, exact."""
    context = tuple(context)[max(0, len(context) - order + 1):]
    below = slow(text, order, V, context[1:], token) if context else Fraction(1, V)
    m = len(context)
    after = Counter(text[t] for t in range(m, len(text)) if tuple(text[t - m:t]) == context)
    if not after:
        return below
    return (after[token] + len(after) * below) / (after.total() + len(after))


def test_by_hand():
    """After "a": b twice, c once, so c(h) = 3, N1+ = 2; "a" ends the text once more, with nothing after it."""
    model = NGramModel(order=2, vocabulary_size=5)
    counts = model.fit(ABRA)
    below = np.array([(4 + 4 / 5) / 13, (2 + 4 / 5) / 13, (2 + 4 / 5) / 13, (1 + 4 / 5) / 13, (4 / 5) / 13])
    np.testing.assert_allclose(model.probabilities(counts, []), below, rtol=0, atol=1e-15)
    after_a = (np.array([0, 2, 0, 1, 0]) + 2 * below) / 5
    np.testing.assert_allclose(model.probabilities(counts, [0]), after_a, rtol=0, atol=1e-15)
    np.testing.assert_allclose(model.probabilities(counts, [2, 1, 0]), after_a, rtol=0, atol=1e-15)
    np.testing.assert_allclose(model.probabilities(counts, [4]), below, rtol=0, atol=1e-15)  # never seen: passed on
    found = model.log_probabilities(counts, [0, 1])
    np.testing.assert_allclose(found, [math.log(below[0]), math.log(after_a[1])], rtol=0, atol=1e-14)
    assert model.bits_per_character(counts, [0, 1]) == pytest.approx(-found.mean() / math.log(2), abs=1e-14)


@pytest.mark.parametrize("order", range(1, 9))
def test_every_probability_is_the_definitions(order):
    rng = np.random.default_rng(order)
    V = 3
    text, other = rng.integers(0, V - 1, 60).tolist(), rng.integers(0, V, 40).tolist()  # token 2 is new
    model = NGramModel(order, V)
    counts = model.fit(text)
    wanted = [float(slow(text, order, V, other[:t], token)) for t, token in enumerate(other)]
    np.testing.assert_allclose(np.exp(model.log_probabilities(counts, other)), wanted, rtol=1e-12)
    for length in range(min(order, 4) + 1):
        for context in itertools.product(range(V), repeat=length):
            found = model.probabilities(counts, context)
            assert found.sum() == pytest.approx(1.0, abs=1e-12)
            assert (found > 0).all()
            exact = [slow(text, order, V, context, token) for token in range(V)]
            assert sum(exact) == 1
            np.testing.assert_allclose(found, [float(p) for p in exact], rtol=1e-12)


def test_log_probabilities_are_those_of_one_token_at_a_time():
    rng = np.random.default_rng(0)
    text = rng.integers(0, 6, 300)
    model = NGramModel(5, 6)
    counts = model.fit(text[:200])
    found = model.log_probabilities(counts, text[200:])
    steps = [np.log(model.probabilities(counts, text[200:200 + t])[text[200 + t]]) for t in range(100)]
    np.testing.assert_allclose(found, steps, rtol=0, atol=1e-13)


def test_counts_of_a_high_order_serve_lower_ones():
    rng = np.random.default_rng(1)
    text, other = rng.integers(0, 4, 200), rng.integers(0, 4, 50)
    counts = NGramModel(8, 4).fit(text)
    for order in (1, 2, 5):
        model = NGramModel(order, 4)
        assert np.array_equal(model.log_probabilities(counts, other), model.log_probabilities(model.fit(text), other))


def test_a_text_shorter_than_the_order():
    model = NGramModel(8, 3)
    counts = model.fit([1])
    np.testing.assert_allclose(model.probabilities(counts, [0, 1, 2, 1]), np.array([1 / 3, 4 / 3, 1 / 3]) / 2)
    assert model.log_probabilities(counts, [1, 1, 0]).shape == (3,)
    assert len(counts.lengths) == 8


def test_order_1_is_the_smoothed_frequency_and_a_long_context_learns_a_rule():
    text = [0, 1, 2, 3] * 200
    assert NGramModel(1, 4).bits_per_character(NGramModel(1, 4).fit(text), text) == pytest.approx(2.0, abs=1e-12)
    assert NGramModel(2, 4).bits_per_character(NGramModel(2, 4).fit(text), text) < 0.02
    parity = [0, 0, 1, 1] * 200  # what follows depends on two tokens
    bits = [NGramModel(n, 2).bits_per_character(NGramModel(n, 2).fit(parity), parity) for n in (1, 2, 3)]
    assert bits[0] == pytest.approx(1.0, abs=1e-4)
    assert bits[1] == pytest.approx(1.0, abs=1e-2)
    assert bits[2] < 0.02


# Drawing


def test_the_most_probable_goes_on_with_the_rule():
    model = NGramModel(3, 4)
    counts = model.fit([0, 1, 2, 3] * 50)
    assert model.generate(counts, [1], 6) == [2, 3, 0, 1, 2, 3]
    assert NGramModel(3, 2).generate(NGramModel(3, 2).fit([0, 0, 1, 1] * 9), [0, 0], 6) == [1, 1, 0, 0, 1, 1]
    assert [type(token) for token in model.generate(counts, np.array([1]), 2)] == [int, int]


def test_draws_have_their_probabilities():
    model, rng = NGramModel(2, 5), np.random.default_rng(4)
    counts = model.fit(ABRA)
    for prompt, temperature in (([0], 1.0), ([], 1.0), ([2], 0.5)):
        p = model.probabilities(counts, prompt) ** (1 / temperature)
        draws = [model.generate(counts, prompt, 1, rng=rng, temperature=temperature)[0] for _ in range(3000)]
        np.testing.assert_allclose(np.bincount(draws, minlength=5) / 3000, p / p.sum(), atol=0.03)


def test_draws_depend_on_the_drawn_and_on_rng_alone():
    model = NGramModel(2, 4)
    counts = model.fit([0, 1, 2, 3] * 5)
    first = model.generate(counts, [0], 200, rng=np.random.default_rng(0))
    assert first == model.generate(counts, [0], 200, rng=np.random.default_rng(0))
    assert first != model.generate(counts, [0], 200, rng=np.random.default_rng(1))
    follows = np.mean([(b - a) % 4 == 1 for a, b in itertools.pairwise(first)])
    assert follows > 0.7
    cold = model.generate(counts, [0], 50, rng=np.random.default_rng(0), temperature=1e-300)
    assert cold == model.generate(counts, [0], 50)


# Refusals


MODEL = NGramModel(3, 4)
COUNTS = MODEL.fit([0, 1, 2, 3])


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ([], ArgumentError, "is empty, expected at least one token"),
        ([0.0, 1.0], DtypeError, "has dtype float64, expected whole numbers"),
        ("abc", ShapeError, "has shape (), expected (L,), one text"),
        (["a"], DtypeError, "has dtype <U1, expected whole numbers because a token is an index. Text goes through"),
        ([True], DtypeError, "has dtype bool"),
        (None, ShapeError, "has shape ()"),
        ([[0, 1]], ShapeError, "has shape (1, 2), expected (L,)"),
        ([[0], [1, 2]], ShapeError, "every row has one length"),
        ([0, 4], ArgumentError, "[1] is 4, expected 0 … 3 because vocabulary_size=4"),
        ([0, -1], ArgumentError, "[1] is -1, expected 0 … 3"),
        ([np.nan], DtypeError, "has dtype float64"),
    ],
)
def test_refusals_of_tokens(tokens, error, message):
    calls = {
        "fit": lambda: MODEL.fit(tokens), "log_probabilities": lambda: MODEL.log_probabilities(COUNTS, tokens),
        "bits_per_character": lambda: MODEL.bits_per_character(COUNTS, tokens),
    }
    if tokens != []:
        calls |= {"probabilities": lambda: MODEL.probabilities(COUNTS, tokens),
                  "generate": lambda: MODEL.generate(COUNTS, tokens, 3)}
    for name, call in calls.items():
        with pytest.raises(error, match=re.escape(message)) as told:
            call()
        assert str(told.value).startswith("NGramModel.")
        assert name == "bits_per_character" or str(told.value).startswith(f"NGramModel.{name}: ")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NGramModel(0, 4), "NGramModel: order is 0, expected a whole number of at least 1"),
        (lambda: NGramModel(True, 4), "NGramModel: order is True"),
        (lambda: NGramModel(2.0, 4), "NGramModel: order is 2.0"),
        (lambda: NGramModel(2, "4"), "NGramModel: vocabulary_size is '4'"),
        (lambda: NGramModel(2, 10**12), "NGramModel: vocabulary_size is 1000000000000, expected at most 2147483648"),
        (lambda: NGramModel(4, 4).probabilities(COUNTS, []), "counts is of order 3, expected order 4 or more"),
        (lambda: NGramModel(3, 5).probabilities(COUNTS, []), "counts is of 4 tokens, expected of 5"),
        (lambda: MODEL.probabilities([1], []), "counts is a list, expected the NGramCounts that fit returned"),
        (lambda: MODEL.log_probabilities(None, [1]), "counts is a NoneType"),
        (lambda: MODEL.generate(COUNTS, [], 0), "NGramModel.generate: length is 0"),
        (lambda: MODEL.generate(COUNTS, [], 1, rng=3), "NGramModel.generate: rng is 3"),
        (lambda: MODEL.generate(COUNTS, [], 1, temperature=0), "NGramModel.generate: temperature is 0"),
        (lambda: MODEL.generate(COUNTS, [], 1, temperature=math.nan), "NGramModel.generate: temperature is nan"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.uint64])
def test_kinds_of_whole_numbers_are_the_same_text(kind):
    text = (np.arange(120) * 7 % 113).astype(kind)  # 113·112 overflows int8
    model = NGramModel(4, 113)
    for found, wanted in zip(model.fit(text).lengths, model.fit(text.tolist()).lengths, strict=True):
        assert all(np.array_equal(*pair) for pair in zip(found, wanted, strict=True))
    assert isinstance(model.fit(text), NGramCounts)
