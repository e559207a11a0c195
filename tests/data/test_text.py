"""The vocabulary: there and back without loss, padding that means nothing, and words for every wrong call."""

import re
import unicodedata

import numpy as np
import pytest

from rnn_from_scratch.data import END, PAD, START, UNKNOWN, Vocabulary, date_vocabularies
from rnn_from_scratch.validate import ArgumentError, DtypeError

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
