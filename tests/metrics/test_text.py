"""Perplexity, exact match and BLEU: sacreBLEU's values, the paper's, a slow second computation, and every refusal."""

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.losses import softmax_cross_entropy
from rnn_from_scratch.metrics import (
    BLEU,
    bits_per_character,
    corpus_bleu,
    exact_match,
    perplexity,
    sentence_bleu,
    tokenize_13a,
)
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

FILE = Path(__file__).parents[1] / "reference" / "bleu.json"
SAVED = json.loads(FILE.read_text(encoding="utf-8"))
CORPORA, CASES = SAVED["corpora"], SAVED["cases"]


# Against sacreBLEU (tests/reference/make_bleu.py)


def ours(case):
    corpus, index = CORPORA[case["corpus"]], case["sentence"]
    if index is None:
        return corpus_bleu(corpus["hypotheses"], corpus["references"], **case["options"])
    return sentence_bleu(corpus["hypotheses"][index], corpus["references"][index], **case["options"])


def label(case):
    chosen = " ".join(f"{key}={value}" for key, value in case["options"].items())
    return f"{case['corpus']} {'' if case['sentence'] is None else case['sentence']} {chosen}"


@pytest.mark.parametrize("case", CASES, ids=label)
def test_the_score_is_sacrebleus(case):
    found = ours(case)
    assert found.score == pytest.approx(case["score"], rel=0, abs=1e-10)
    assert found.precisions == pytest.approx(case["precisions"], rel=0, abs=1e-10)
    assert found.brevity_penalty == pytest.approx(case["brevity_penalty"], rel=0, abs=1e-10)
    assert (found.system_length, found.reference_length) == (case["system_length"], case["reference_length"])
    assert str(found) == case["line"]
    k = case["options"].get("smoothing_value", 1.0) if case["options"].get("smoothing") == "add-k" else 0.0
    if not any(found.counts):
        k = 0.0
    assert [count + k * (n > 0) for n, count in enumerate(found.counts)] == case["counts"]  # sacreBLEU's hold the k
    assert [total + k * (n > 0) for n, total in enumerate(found.totals)] == case["totals"]


def test_the_cases_cover_the_choices():
    assert len(CASES) >= 300
    seen = {key: {case["options"].get(key) for case in CASES} for key in
            ("smoothing", "smoothing_value", "tokenize", "effective_order", "max_order")}
    assert seen["smoothing"] == {None, "none", "exp", "floor", "add-k"}
    assert seen["tokenize"] == {None, "none", "char", "13a"}
    assert seen["effective_order"] == {None, True, False}
    assert seen["max_order"] == {None, 1, 2, 3, 6}
    assert seen["smoothing_value"] == {None, 0.01, 0.5}
    assert {len(own) for corpus in CORPORA.values() for own in corpus["references"]} == {1, 2, 3, 4}
    assert len({round(case["score"], 6) for case in CASES}) > 50  # not all 0 or 100


def test_the_tokens_are_sacrebleus():
    assert len(SAVED["tokens"]) > 100
    wrong = [(line, tokenize_13a(line), tokens) for line, tokens in SAVED["tokens"] if tokenize_13a(line) != tokens]
    assert not wrong


@pytest.mark.parametrize("name", CORPORA)
def test_words_and_indices_score_as_their_text(name):
    hypotheses = [text.split() for text in CORPORA[name]["hypotheses"]]
    references = [[text.split() for text in own] for own in CORPORA[name]["references"]]
    sentences = hypotheses + [words for own in references for words in own]
    number = {word: index for index, word in enumerate(sorted({word for words in sentences for word in words}))}

    def arrays(words):
        return np.array([number[word] for word in words], dtype=np.int32)

    def indices(words):
        return tuple(number[word] for word in words)

    expected = corpus_bleu(CORPORA[name]["hypotheses"], CORPORA[name]["references"], tokenize="none")
    assert corpus_bleu(hypotheses, references) == expected
    assert corpus_bleu(hypotheses, references, tokenize="none") == expected
    for one, other in ((arrays, arrays), (indices, arrays), (arrays, indices)):
        turned = [[other(words) for words in own] for own in references]
        assert corpus_bleu([one(words) for words in hypotheses], turned) == expected


def test_sacrebleus_streams_are_turned_by_zip():
    streams = [["a b c d e", "f g h i"], ["a b c x e", "f g h j"]]  # one list for each annotator
    hypotheses = ["a b c d y", "f g h i"]
    turned = corpus_bleu(hypotheses, list(zip(*streams, strict=True)))
    assert turned == corpus_bleu(hypotheses, [["a b c d e", "a b c x e"], ["f g h i", "f g h j"]])
    assert turned != corpus_bleu(hypotheses, streams)  # two streams for two sentences: cannot be noticed


# By hand


GUIDE = [
    "it is a guide to action that ensures that the military will forever heed party commands",
    "it is the guiding principle which guarantees the military forces always being under the command of the party",
    "it is the practical guide for the army always to heed the directions of the party",
]
FIRST = "it is a guide to action which ensures that the military always obeys the commands of the party"
SECOND = "it is to insure the troops forever hearing the activity guidebook that party direct"


@pytest.mark.parametrize(("hypothesis", "references", "expected"), [
    ("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"], [(2, 7), (0, 6)]),
    (FIRST, GUIDE, [(17, 18), (10, 17)]),
    (SECOND, GUIDE, [(8, 14), (1, 13)]),
    ("of the", GUIDE, [(2, 2), (1, 1)]),
])
def test_the_papers_modified_precisions(hypothesis, references, expected):
    """Papineni et al. (2002), §2.1 and §2.2: 2/7; 17/18 and 10/17; 8/14 and 1/13; 2/2 and 1/1."""
    found = sentence_bleu(hypothesis, references, max_order=2, smoothing="none")
    assert list(zip(found.counts, found.totals, strict=True)) == expected
    assert found.precisions == pytest.approx([100 * matched / total for matched, total in expected], abs=1e-12)


def test_the_papers_first_candidate_is_better_than_its_second():
    first, second = (corpus_bleu([candidate], [GUIDE]).score for candidate in (FIRST, SECOND))
    assert first > 50 > 10 > second


def test_a_corpus_by_hand():
    # orders 1 … 4 match 5 + 2, 4 + 1, 3 + 0, 2 + 0 of 5 + 3, 4 + 2, 3 + 1, 2 + 0; c = 8, r = 5 + 4
    found = corpus_bleu(["a b c d e", "x y z"], [["a b c d e"], ["x y w v"]])
    assert found.counts == (7, 5, 3, 2)
    assert found.totals == (8, 6, 4, 2)
    assert found.precisions == pytest.approx((87.5, 500 / 6, 75.0, 100.0), abs=1e-12)
    assert (found.system_length, found.reference_length) == (8, 9)
    assert found.score == pytest.approx(100 * math.exp(-1 / 8) * (7 / 8 * 5 / 6 * 3 / 4) ** 0.25, abs=1e-12)
    assert str(found) == "BLEU = 75.89 87.5/83.3/75.0/100.0 (BP = 0.882 ratio = 0.889 hyp_len = 8 ref_len = 9)"


def test_clipping_is_by_the_largest_count_in_one_reference_not_their_sum():
    found = sentence_bleu("a a a a a", ["a a b", "a b a a", "b a"], max_order=1)
    assert (found.counts, found.totals) == ((3,), (5,))


@pytest.mark.parametrize(("c", "lengths", "r"), [
    (6, [8, 4], 4), (6, [4, 8], 4), (6, [7, 4], 7), (6, [5, 7], 5), (6, [6, 1], 6), (3, [9, 10], 9), (9, [1, 2], 2),
])
def test_brevity_penalty_by_its_formula_and_the_closest_length(c, lengths, r):
    words = [str(index) for index in range(20)]
    found = sentence_bleu(words[:c], [words[:length] for length in lengths], max_order=1)
    assert (found.system_length, found.reference_length) == (c, r)
    expected = 1.0 if c > r else math.exp(1 - r / c)
    assert found.brevity_penalty == pytest.approx(expected, abs=1e-15)
    assert found.score == pytest.approx(expected * found.precisions[0], abs=1e-12)


def test_the_penalty_is_the_corpus_not_each_sentences():
    balanced = corpus_bleu(["a b c d e f", "g h i j"], [["a b c d e"], ["g h i j k"]])
    assert (balanced.system_length, balanced.reference_length, balanced.brevity_penalty) == (10, 10, 1.0)
    mean = sum(sentence_bleu(one, [other]).score for one, other in
               (("a b c d e f", "a b c d e"), ("g h i j", "g h i j k"))) / 2
    assert abs(balanced.score - mean) > 1.0


def test_smoothing_by_hand():
    # "a b c d" against "a x c y": 2/4, then 0/3, 0/2, 0/1
    def precisions(**choice):
        return [p / 100 for p in sentence_bleu("a b c d", ["a x c y"], **choice).precisions]

    assert precisions(smoothing="none") == [1 / 2, 0, 0, 0]
    assert precisions() == pytest.approx([1 / 2, 1 / 6, 1 / 8, 1 / 8], abs=1e-15)
    assert precisions(smoothing="floor") == pytest.approx([1 / 2, 0.1 / 3, 0.1 / 2, 0.1], abs=1e-15)
    assert precisions(smoothing="floor", smoothing_value=0.3) == pytest.approx([1 / 2, 0.1, 0.15, 0.3], abs=1e-15)
    assert precisions(smoothing="add-k") == pytest.approx([1 / 2, 1 / 4, 1 / 3, 1 / 2], abs=1e-15)
    assert precisions(smoothing="add-k", smoothing_value=3) == pytest.approx([1 / 2, 3 / 6, 3 / 5, 3 / 4], abs=1e-15)
    assert sentence_bleu("a b c d", ["a x c y"]).score == pytest.approx(100 * (1 / 2 / 6 / 64) ** 0.25, abs=1e-12)


@pytest.mark.parametrize("smoothing", ["none", "exp", "floor", "add-k"])
def test_without_a_match_every_smoothing_scores_zero(smoothing):
    found = sentence_bleu("a b c d e", ["p q r s t"], smoothing=smoothing)
    assert found == BLEU(0.0, (0.0,) * 4, 1.0, 5, 5, (0,) * 4, (5, 4, 3, 2))


def test_effective_order():
    assert corpus_bleu(["a b"], [["a b"]]).score == 0.0
    assert corpus_bleu(["a b"], [["a b"]], effective_order=True).score == 100.0
    assert sentence_bleu("a b", ["a b"]).score == 100.0
    assert sentence_bleu("a b", ["a b"], effective_order=False).score == 0.0
    assert sentence_bleu("a b", ["a b"]).precisions == (100.0, 100.0, 0.0, 0.0)
    # An order without a match stays in: only an order without an n-gram goes.
    assert sentence_bleu("a b", ["b a"], smoothing="none").score == 0.0
    assert sentence_bleu("a b", ["b a"]).score == pytest.approx(100 * math.sqrt(1 / 2), abs=1e-12)


def test_add_k_counts_an_order_longer_than_the_sentence_as_full():
    found = sentence_bleu("a b", ["a c"], smoothing="add-k")
    assert found.precisions == pytest.approx((50.0, 50.0, 100.0, 100.0), abs=1e-12)
    assert (found.counts, found.totals) == ((1, 0, 0, 0), (2, 1, 0, 0))  # as counted, without the k


# Properties, and a second computation


def random_tokens(seed, sentences=8, words=4, shortest=0):
    rng = np.random.default_rng(seed)
    hypotheses = [rng.integers(0, words, rng.integers(shortest, 12)) for _ in range(sentences)]
    references = [
        [rng.integers(0, words, rng.integers(shortest, 12)) for _ in range(rng.integers(1, 4))] for _ in hypotheses
    ]
    return hypotheses, references


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("smoothing", ["none", "exp", "floor", "add-k"])
def test_identical_is_exactly_one_hundred(seed, smoothing):
    hypotheses, references = random_tokens(seed, shortest=4)
    for one, own in zip(hypotheses, references, strict=True):
        own.insert(len(own) // 2, one.copy())
    found = corpus_bleu(hypotheses, references, smoothing=smoothing)
    assert (found.score, found.precisions, found.brevity_penalty) == (100.0, (100.0,) * 4, 1.0)


def test_the_order_of_sentences_and_of_references_is_the_same_to_it():
    hypotheses, references = random_tokens(3)
    turned = corpus_bleu(hypotheses[::-1], [own[::-1] for own in references[::-1]])
    assert turned == corpus_bleu(hypotheses, references)
    assert 0 < turned.score < 100


def slow_bleu(hypotheses, references, max_order, smoothing, value, effective_order):
    """Papineni's definitions by loops over positions, exact fractions, a product and a root."""
    product, used, halving = 1.0, 0, 1
    c = sum(len(one) for one in hypotheses)
    r = 0
    for one, own in zip(hypotheses, references, strict=True):
        best = None
        for other in own:
            if best is None or abs(len(other) - len(one)) < abs(best - len(one)):
                best = len(other)
            if abs(len(other) - len(one)) == abs(best - len(one)) and len(other) < best:
                best = len(other)
        r += best
    any_match = any(word in list(other) for one, own in zip(hypotheses, references, strict=True)
                    for other in own for word in one)
    for n in range(1, max_order + 1):
        matched = total = 0
        for one, own in zip(hypotheses, references, strict=True):
            left = [[list(other[i:i + n]) for i in range(len(other) - n + 1)] for other in own]
            total += max(0, len(one) - n + 1)
            for i in range(len(one) - n + 1):  # an occurrence counts while some reference has one left
                gram, found = list(one[i:i + n]), False
                for grams in left:
                    if gram in grams:
                        grams.remove(gram)
                        found = True
                matched += found
        if smoothing == "add-k" and n > 1:
            matched, total = matched + Fraction(value), total + Fraction(value)
        if total == 0:
            product = product if effective_order else 0.0
            continue
        used += 1
        if matched == 0 and smoothing == "exp":
            halving *= 2
            matched = Fraction(1, halving)
        elif matched == 0 and smoothing == "floor":
            matched = Fraction(value)
        product *= float(Fraction(matched) / total)
    if not any_match:
        return 0.0
    penalty = 1.0 if c > r else math.exp(1 - r / c)
    return 100 * penalty * product ** (1 / (used if effective_order else max_order))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("smoothing", "value"), [("none", None), ("exp", None), ("floor", 0.25), ("add-k", 2.0)])
def test_a_slow_second_computation(seed, smoothing, value):
    scores = set()
    for trial in range(5):
        hypotheses, references = random_tokens((seed, trial), sentences=1 + trial * 3, words=2 + seed % 4)
        for max_order, effective_order in ((4, False), (4, True), (2, False), (6, True)):
            found = corpus_bleu(
                hypotheses, references, max_order=max_order, smoothing=smoothing, smoothing_value=value,
                effective_order=effective_order,
            )
            lists = [one.tolist() for one in hypotheses], [[one.tolist() for one in own] for own in references]
            expected = slow_bleu(*lists, max_order, smoothing, value, effective_order)
            assert found.score == pytest.approx(expected, abs=1e-10)
            scores.add(found.score)
    assert len(scores) >= 5


def test_a_sentence_is_a_corpus_of_one_with_effective_order():
    for name in ("papineni", "short", "chinese"):
        corpus = CORPORA[name]
        for one, own in zip(corpus["hypotheses"], corpus["references"], strict=True):
            assert sentence_bleu(one, own) == corpus_bleu([one], [own], effective_order=True)


# Empty, numpy, and other ways to pass sentences


def test_an_empty_hypothesis_counts_in_the_lengths_alone():
    full = corpus_bleu(["a b c d e"], [["a b c d f"]])
    with_empty = corpus_bleu(["a b c d e", ""], [["a b c d f"], ["g h i"]])
    assert with_empty.counts == full.counts
    assert with_empty.reference_length == 8
    assert with_empty.score == pytest.approx(full.score * math.exp(1 - 8 / 5), abs=1e-12)
    assert with_empty == corpus_bleu([list("abcde"), []], [[list("abcdf")], [list("ghi")]])
    assert sentence_bleu("", ["a b"]) == BLEU(0.0, (0.0,) * 4, 0.0, 0, 2, (0,) * 4, (0,) * 4)
    assert sentence_bleu([], [np.array([], dtype=int)]).brevity_penalty == 1.0
    assert str(sentence_bleu("", [""])).endswith("ratio = 0.000 hyp_len = 0 ref_len = 0)")


def test_arrays_of_indices_as_a_decoder_gives_them():
    hypotheses = np.array([[1, 2, 3, 4, 5], [6, 7, 8, 9, 9]])
    references = np.array([[[1, 2, 3, 4, 6]], [[6, 7, 8, 9, 1]]])  # (N, references of each, T)
    as_text = corpus_bleu(["1 2 3 4 5", "6 7 8 9 9"], [["1 2 3 4 6"], ["6 7 8 9 1"]])
    assert corpus_bleu(hypotheses, references) == as_text
    assert corpus_bleu(hypotheses.astype(np.uint8), [[list(own[0])] for own in references]) == as_text
    assert sentence_bleu(hypotheses[0], references[0]).counts == (4, 3, 2, 1)
    assert sentence_bleu(np.array(["a", "b"]), [["a", "c"]]).counts == (1, 0, 0, 0)
    assert type(as_text.score) is float


def test_a_token_with_a_space_stays_one_token():
    assert sentence_bleu(["New York", "is"], [["New York", "was"]]).totals == (2, 1, 0, 0)


# Exact match


def test_exact_match():
    assert exact_match(["a b", "c", ""], ["a b", "C", ""]) == 2 / 3
    assert exact_match([[1, 2], [3], []], [[1, 2], [3, 4], []]) == 2 / 3
    assert exact_match(np.array([[1, 2], [3, 4]]), [[1, 2], (3, 5)]) == 0.5
    assert exact_match([["a", "b"]], [("a", "b")]) == 1.0
    assert exact_match(["a b"], ["a b "]) == 0.0  # as it is, spaces included
    assert exact_match([[1, 2]], [[1]]) == 0.0  # a prefix is not the whole


# Perplexity


@pytest.mark.parametrize("K", [1, 2, 27, 10_000])
def test_perplexity_of_the_uniform_is_the_number_of_choices(K):
    loss, _ = softmax_cross_entropy(np.full((5, 3, K), 0.7), np.zeros((5, 3), dtype=int))
    assert perplexity(loss) == pytest.approx(K, rel=1e-13)
    assert bits_per_character(loss) == pytest.approx(math.log2(K), abs=1e-13)


def test_perplexity_is_the_geometric_mean_of_one_over_p():
    p = np.array([0.5, 0.125, 0.25])
    loss = -np.log(p).mean()
    assert perplexity(loss) == pytest.approx((2 * 8 * 4) ** (1 / 3), rel=1e-14)
    assert bits_per_character(loss) == pytest.approx((1 + 3 + 2) / 3, rel=1e-14)
    assert 2 ** bits_per_character(loss) == pytest.approx(perplexity(loss), rel=1e-14)
    assert perplexity(0) == 1.0
    assert bits_per_character(0.0) == 0.0
    assert perplexity(np.float32(1.0)) == pytest.approx(math.e, rel=1e-15)
    assert type(perplexity(np.float64(1.0))) is float
    assert math.isfinite(perplexity(709.78))
    assert bits_per_character(800.0) == pytest.approx(800 / math.log(2), rel=1e-15)


@pytest.mark.parametrize("metric", [perplexity, bits_per_character])
@pytest.mark.parametrize("value", [
    math.nan, np.float64("nan"), math.inf, -0.1, "1.0", None, True, 1j, np.array([1.0, 2.0]), (1.0, np.zeros(3)),
])
def test_a_cross_entropy_that_is_none(metric, value):
    message = rf"^{metric.__name__}: cross_entropy is .*, expected a finite number at least 0\.0 because it is a mean"
    with pytest.raises(ArgumentError, match=message):
        metric(value)


def test_perplexity_never_overflows_silently():
    message = r"^perplexity: cross_entropy is 709\.79, expected at most 709\.78 because .* Is it a sum\?"
    with pytest.raises(ArgumentError, match=message):
        perplexity(709.79)


# Refusals


@pytest.mark.parametrize(("hypotheses", "references", "error", "message"), [
    ("a b", ["a b"], DtypeError, r"hypotheses is a str, expected a list of sentences because a str would be read "
                                 r"letter by letter\. For one sentence there is sentence_bleu"),
    (["a b"], "a b", DtypeError, r"references is a str, expected one list of references for each hypothesis because"),
    (["a b"], ["a b"], DtypeError, r"references\[0\] is a str, expected a list of sent.* try \[\[reference\], …\]"),
    ([["a", "b"]], [["a", "b"]], DtypeError, r"references\[0\]\[0\] is text, expected the kind of hypotheses\[0\], "
                                             r"which is a list of words because .* try \[\[reference\], …\]"),
    ([[1, 2]], [[1, 2]], DtypeError, r"references\[0\]\[0\] is a int, expected a str, or a list of str or int because"),
    (np.ones((2, 3), int), np.ones((2, 3), int), DtypeError, r"references\[0\]\[0\] is a int64, expected a str, or a"),
    ([1, 2], [[1, 2]], DtypeError, r"hypotheses\[0\] is a int, expected .* For one sentence there is sentence_bleu"),
    ([], [], ShapeError, r"hypotheses is empty, expected at least one sentence because there is nothing to compare"),
    (np.zeros((0, 3), int), [], ShapeError, r"hypotheses is empty"),
    (["a"], [[]], ShapeError, r"references\[0\] is empty, expected at least one sentence"),
    (["a", "b", "c"], [["a", "b", "c"]], ShapeError, r"references has 1 entries, expected 3, as many as hypotheses "
                                                     r"because .* list\(zip\(\*streams\)\)"),
    (["a"], [["a"], ["b"]], ShapeError, r"references has 2 entries, expected 1"),
    (["a"], [["a", None]], DtypeError, r"references\[0\]\[1\] is a NoneType, expected a str, or a list"),
    (["a"], [None], DtypeError, r"references\[0\] is a NoneType, expected a list of sentences"),
    (["a"], None, DtypeError, r"references is a NoneType, expected one list of references for each hypothesis"),
    ({"a"}, [["a"]], DtypeError, r"hypotheses is a set, expected a list of sentences"),
    ((one for one in "a"), [["a"]], DtypeError, r"hypotheses is a generator, expected a list of sentences"),
    ([b"a"], [["a"]], DtypeError, r"hypotheses\[0\] is a bytes, expected a str"),
    ([[1.0, 2.0]], [[[1, 2]]], DtypeError, r"hypotheses\[0\]\[0\] is a float, expected a token, str or int"),
    ([np.array([1.0])], [[[1]]], DtypeError, r"hypotheses\[0\]\[0\] is a float, expected a token"),
    ([[1, True]], [[[1, 1]]], DtypeError, r"hypotheses\[0\]\[1\] is a bool, expected a token"),
    ([[1, "a"]], [[[1, 1]]], DtypeError, r"hypotheses\[0\]\[1\] is a str after a int, expected tokens of one kind"),
    ([np.ones((1, 2), int)], [[[1, 1]]], ShapeError, r"hypotheses\[0\] has shape \(1, 2\), expected \(tokens,\)"),
    ([np.array(3)], [[[3]]], DtypeError, r"hypotheses\[0\] is a ndarray, expected a str, or a list"),
    ([[1, 2]], [[["1", "2"]]], DtypeError, r"references\[0\]\[0\] is a list of words, expected the kind of "
                                           r"hypotheses\[0\], which is a list of indices because .* score would be 0"),
    (["a", ["a"]], [["a"], [["a"]]], DtypeError, r"hypotheses\[1\] is a list of words, expected the kind of hyp"),
    ([[], [1]], [[[]], [["1"]]], DtypeError, r"references\[1\]\[0\] is a list of words, expected the kind of hyp"),
    (["a"], [[[]]], DtypeError, r"references\[0\]\[0\] is an empty list of tokens, expected the kind of hypotheses"),
    ([[]], [["a"]], DtypeError, r"references\[0\]\[0\] is text, expected the kind of .*, which is an empty list"),
])
def test_corpus_bleu_refuses(hypotheses, references, error, message):
    with pytest.raises(error, match="^corpus_bleu: " + message):
        corpus_bleu(hypotheses, references)


@pytest.mark.parametrize(("hypothesis", "references", "error", "message"), [
    ("a b", "a b", DtypeError, r"references is a str, expected a list of sentences because a str would be read letter "
                               r"by letter\. Even one reference is a list: try \[reference\]"),
    ("a b", [], ShapeError, r"references is empty, expected at least one sentence"),
    (["a b"], ["a b"], DtypeError, r"references\[0\] is text, expected the kind of hypothesis, which is a list of w"),
    (["a", "b"], ["a", "b"], DtypeError, r"references\[0\] is text, .* Is a list missing around the reference\?"),
    ([1, 2], [1, 2], DtypeError, r"references\[0\] is a int, expected .* Even one reference is a list: try \[ref"),
    ("a b", [["a b"]], DtypeError, r"references\[0\] is a list of words, expected the kind of hypothesis, which is te"),
    (None, ["a"], DtypeError, r"hypothesis is a NoneType, expected a str, or a list of str or int"),
    (3, ["a"], DtypeError, r"hypothesis is a int, expected a str"),
])
def test_sentence_bleu_refuses(hypothesis, references, error, message):
    with pytest.raises(error, match="^sentence_bleu: " + message):
        sentence_bleu(hypothesis, references)


@pytest.mark.parametrize(("choice", "message"), [
    ({"max_order": 0}, r"max_order is 0, expected a whole number of at least 1 because it is the length of the long"),
    ({"max_order": 2.0}, r"max_order is 2\.0, expected a whole number"),
    ({"smoothing": "exponential"}, r"smoothing is 'exponential', expected one of 'exp', 'floor', 'add-k', 'none'"),
    ({"smoothing": None}, r"smoothing is None, expected one of"),
    ({"smoothing_value": 0.1}, r"smoothing_value is 0\.1, expected None with smoothing='exp' because it has no number"),
    ({"smoothing": "none", "smoothing_value": 1}, r"smoothing_value is 1, expected None with smoothing='none'"),
    ({"smoothing": "floor", "smoothing_value": 0.0}, r"smoothing_value is 0\.0, expected a finite number above 0\.0"),
    ({"smoothing": "floor", "smoothing_value": 1}, r"smoothing_value is 1, expected .* below 1\.0 because it stands"),
    ({"smoothing": "add-k", "smoothing_value": -1}, r"smoothing_value is -1, expected .* above 0\.0 and below"),
    ({"smoothing": "add-k", "smoothing_value": math.nan}, r"smoothing_value is nan, expected a finite number"),
    ({"tokenize": "zh"}, r"tokenize is 'zh', expected one of '13a', 'none', 'char', None"),
    ({"tokenize": str.split}, r"tokenize is .*, expected one of '13a'"),
    ({"effective_order": "yes"}, r"effective_order is 'yes', expected one of True, False"),
])
def test_choices_that_are_none(choice, message):
    with pytest.raises(ArgumentError, match="^corpus_bleu: " + message):
        corpus_bleu(["a b"], [["a b"]], **choice)
    with pytest.raises(ArgumentError, match="^sentence_bleu: " + message):
        sentence_bleu("a b", ["a b"], **choice)


@pytest.mark.parametrize("tokenize", ["13a", "char"])
def test_a_tokenisation_for_tokens_is_not_silently_ignored(tokenize):
    message = rf"^corpus_bleu: tokenize is '{tokenize}' and hypotheses\[0\] a list of tokens, expected text to tokenise"
    with pytest.raises(ArgumentError, match=message):
        corpus_bleu([["a"]], [[["a"]]], tokenize=tokenize)


@pytest.mark.parametrize(("hypotheses", "references", "error", "message"), [
    ("ab", "ab", DtypeError, r"hypotheses is a str, expected a list of sentences .* goes in as a list: \[hypothesis\]"),
    (["ab"], "ab", DtypeError, r"references is a str, expected a list of sentences"),
    ([], [], ShapeError, r"hypotheses is empty"),
    (["a"], ["a", "b"], ShapeError, r"references has 2 entries, expected 1, as many as hypotheses because each"),
    ([[1]], [[[1]]], DtypeError, r"references\[0\]\[0\] is a list, expected a token, .* not a list of them"),
    (["a"], [["a"]], DtypeError, r"references\[0\] is a list of words, expected the kind of hypotheses\[0\], which"),
    ([[1, 2]], [["1", "2"]], DtypeError, r"references\[0\] is a list of words, expected the kind of hypotheses\[0\]"),
])
def test_exact_match_refuses(hypotheses, references, error, message):
    with pytest.raises(error, match="^exact_match: " + message):
        exact_match(hypotheses, references)


def test_tokenize_13a_takes_text():
    with pytest.raises(DtypeError, match=r"^tokenize_13a: text is a list, expected a str"):
        tokenize_13a(["a"])
