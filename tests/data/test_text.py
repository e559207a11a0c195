"""The vocabulary: there and back without loss, padding that means nothing, and words for every wrong call."""

import re
import unicodedata

import numpy as np
import pytest

from rnn_from_scratch.data import END, PAD, START, UNKNOWN, Vocabulary, date_vocabularies, pair_batches
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

ABC = Vocabulary("cab")


def test_indices_follow_the_characters_order_after_the_four_symbols():
    assert (PAD, START, END, UNKNOWN) == (0, 1, 2, 3)
    assert ABC.encode("abca").tolist() == [5, 6, 4, 5]
    assert len(ABC) == 7
    assert Vocabulary.of(["cab", "bad"]) == Vocabulary("abcd")
    assert Vocabulary.of(text for text in ("ab", "")).characters == "ab"
    assert ABC.encode("").shape == (0,)
    assert ABC.encode("").dtype == ABC.encode("a").dtype == np.int64


@pytest.mark.parametrize("vocabulary", [ABC, *date_vocabularies()], ids=["abc", "dates", "ISO dates"])
def test_every_character_goes_there_and_back(vocabulary):
    indices = vocabulary.encode(vocabulary.characters)
    assert indices.tolist() == list(range(4, len(vocabulary)))
    assert vocabulary.decode(indices) == vocabulary.characters
    saved = Vocabulary(str(vocabulary.characters))
    assert saved == vocabulary
    assert saved.decode(indices[::-1]) == vocabulary.characters[::-1]


def test_decoding_ends_at_end_and_drops_what_is_no_character():
    assert ABC.decode([START, 5, PAD, 6, END, 4, 99]) == "ab"
    assert ABC.decode(np.array([5, UNKNOWN, 6], np.int32)) == "a\ufffdb"
    assert ABC.decode([]) == ABC.decode([END]) == ABC.decode([PAD, START]) == ""


def test_a_batch_stands_time_first_with_end_inside_the_mask():
    indices, mask = ABC.encode_batch(["ab", "", "bca"])
    assert indices.tolist() == [[5, END, 6], [6, PAD, 4], [END, PAD, 5], [PAD, PAD, END]]
    assert mask.tolist() == [[True, True, True], [True, False, True], [True, False, True], [False, False, True]]
    assert (indices.dtype, mask.dtype) == (np.int64, np.bool_)
    indices, mask = ABC.encode_batch(["ab", "", "bca"], end=False)
    assert indices.tolist() == [[5, PAD, 6], [6, PAD, 4], [PAD, PAD, 5]]
    assert mask.sum(axis=0).tolist() == [2, 0, 3]
    assert [ABC.decode(indices[:, n]) for n in range(3)] == ["ab", "", "bca"]


def test_an_unknown_character_is_unknown_only_where_asked():
    assert ABC.encode("axb", unknown=True).tolist() == [5, UNKNOWN, 6]
    assert ABC.encode_batch(["x"], unknown=True)[0].tolist() == [[UNKNOWN], [END]]
    assert ABC.decode(ABC.encode("axb", unknown=True)) == "a\ufffdb"


def test_a_composed_letter_and_its_two_parts_are_different_characters():
    composed, parts = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    assert len(Vocabulary.of([composed])) == 5
    assert len(Vocabulary.of([parts])) == 6
    with pytest.raises(ArgumentError, match=r"Vocabulary.encode: text\[1\] is "):
        Vocabulary("e").encode(parts)


def test_a_vocabulary_does_not_change():
    for name in ("characters", "_index"):
        with pytest.raises(AttributeError):
            setattr(ABC, name, "")
    first = ABC.encode("abc")
    first[:] = 0
    assert ABC.encode("abc").tolist() == [5, 6, 4]
    assert hash(Vocabulary("cab")) == hash(ABC)


REFUSED = {
    "unknown": (lambda: ABC.encode("abx"), r"Vocabulary.encode: text\[2\] is 'x', expected one of the vocabulary's 3"),
    "unknown's way out": (lambda: ABC.encode("x"), r"because 'x' has to be read whole\. Pass unknown=True"),
    "unknown in a batch": (lambda: ABC.encode_batch(["ab", "cx"]), r"Vocabulary.encode_batch: texts\[1\]\[1\] is 'x'"),
    "no text": (lambda: ABC.encode(7), "Vocabulary.encode: text is a int, expected a str"),
    "no texts": (lambda: ABC.encode_batch([]), "Vocabulary.encode_batch: texts is empty, expected one step at least"),
    "empty texts": (lambda: ABC.encode_batch(["", ""], end=False), "every text is empty, expected one step at least"),
    "one text": (lambda: ABC.encode_batch("abc"), r"texts is 'abc', expected a list of texts\. For one text: \[text\]"),
    "a number in the batch": (lambda: ABC.encode_batch(["a", 7]), r"encode_batch: texts\[1\] is a int, expected a str"),
    "of one text": (lambda: Vocabulary.of("abc"), "Vocabulary.of: texts is 'abc', expected a list of texts"),
    "of a number": (lambda: Vocabulary.of(7), "Vocabulary.of: texts is a int, expected a list of texts"),
    "of nothing": (lambda: Vocabulary.of(["", ""]), "Vocabulary.of: texts has no character, expected one at least"),
    "of numbers": (lambda: Vocabulary.of([1, 2]), r"Vocabulary.of: texts\[0\] is a int, expected a str"),
    "twice": (lambda: Vocabulary("aba"), "Vocabulary: 'a' is there twice, expected every character once"),
    "no characters": (lambda: Vocabulary(""), "Vocabulary: characters is '', expected a str of one character or more"),
    "a list": (lambda: Vocabulary(["a"]), r"Vocabulary: characters is \['a'\], expected a str"),
    "too large": (lambda: ABC.decode([4, 7]), r"Vocabulary.decode: indices\[1\] is 7, expected 0 … 6"),
    "negative": (lambda: ABC.decode([-1]), r"indices\[0\] is -1, expected 0 … 6 because the vocabulary has 7"),
    "logits": (lambda: ABC.decode(np.ones(7)), r"indices has dtype float64, expected integers\. From logits"),
    "a mask": (lambda: ABC.decode(np.ones(3, bool)), "indices has dtype bool, expected integers"),
    "a whole batch": (lambda: ABC.decode(np.ones((2, 3), int)), r"indices has shape \(2, 3\), expected \(T,\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_words(case):
    call, message = REFUSED[case]
    with pytest.raises(ArgumentError) as caught:
        call()
    assert re.search(message, str(caught.value)), str(caught.value)


def test_a_wrong_kind_is_a_type_error_too():
    with pytest.raises(DtypeError):
        ABC.encode(7)
    with pytest.raises(TypeError):
        ABC.decode(np.ones(2))


# Pairs

TWO = (ABC, Vocabulary("xyz"))
READ = ["abc", "a", "ab", "cc", "b", "aaaa", "ba"]
WRITTEN = ["x", "xyz", "", "yx", "z", "zz", "zzzz"]


def test_pairs_stay_together_and_are_encoded_with_their_ends():
    batches = list(pair_batches(READ, WRITTEN, TWO, 2, rng=np.random.default_rng(0)))
    assert [len(batch.indices) for batch in batches].count(2) == 3
    seen = {}
    for batch in batches:
        for column, n in enumerate(batch.indices.tolist()):
            for text, indices, mask, vocabulary in (
                (READ[n], batch.sources, batch.source_mask, TWO[0]),
                (WRITTEN[n], batch.targets, batch.target_mask, TWO[1]),
            ):
                length = len(text) + 1  # END
                assert indices[:length, column].tolist() == [*vocabulary.encode(text), END]
                assert mask[:, column].tolist() == [t < length for t in range(len(mask))]
                assert set(indices[length:, column].tolist()) <= {PAD}
            seen[n] = READ[n], WRITTEN[n]
        longest = [max(len(texts[n]) for n in batch.indices) + 1 for texts in (READ, WRITTEN)]
        assert [len(batch.sources), len(batch.targets)] == longest
    assert sorted(seen) == list(range(7))


def test_pairs_are_sorted_by_source_and_then_by_target():
    read, written = ["aa"] * 4 + ["b"] * 4, ["x", "yyyy"] * 4
    batches = list(pair_batches(read, written, TWO, 2, rng=np.random.default_rng(5)))
    shapes = sorted((len(batch.sources), len(batch.targets)) for batch in batches)
    assert shapes == [(2, 2), (2, 5), (3, 2), (3, 5)]
    assert all(batch.source_mask.all() and batch.target_mask.all() for batch in batches)  # no padding at all


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((READ, WRITTEN[1:], TWO, 2), ShapeError, "there are 7 sources and 6 targets, expected one target for each"),
        ((READ, WRITTEN, ABC, 2), DtypeError, "expected two of them, the sources' and the targets'"),
        ((READ, WRITTEN, (ABC, "xyz"), 2), DtypeError, "expected two of them, the sources' and the targets'"),
        (("abc", WRITTEN, TWO, 2), DtypeError, "texts is 'abc', expected a list of texts"),
        ((READ, WRITTEN, TWO, 8), ArgumentError, "batch_size is 8, expected at most 7"),
    ],
)
def test_bad_pairs(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        pair_batches(*arguments, rng=np.random.default_rng(0))


def test_a_character_that_is_unknown_is_named():
    with pytest.raises(ArgumentError, match="'d'"):
        list(pair_batches(["abd"], ["x"], TWO, 1, rng=np.random.default_rng(0)))
