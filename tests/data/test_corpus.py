"""The bundled text is the one that was frozen, and no test part holds what was trained on."""

import hashlib
import importlib.util
import platform
import re
from importlib.resources import files
from pathlib import Path

import pytest

from rnn_from_scratch.data import bundled_text, text_splits
from rnn_from_scratch.data.corpus import BETWEEN_TOPICS
from rnn_from_scratch.validate import ArgumentError, DtypeError

SHA256 = "413f3dc6e3ef2d08da85ba4a44a28508cab02e62494ac57ab9dbde1f013ace50"
TOOL = Path(__file__).parents[2] / "tools" / "freeze_text.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("freeze_text", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The text


def test_the_text_is_the_frozen_one():
    text = bundled_text()
    assert hashlib.sha256(text.encode("ascii")).hexdigest() == SHA256
    assert len(text) == 371_871
    assert set(text) <= {"\n", *map(chr, range(32, 127))}
    assert text.startswith('The "assert" statement\n**********************\n')
    assert len(text.split(BETWEEN_TOPICS)) == 57


def test_the_notice_says_where_the_text_is_from_and_what_was_changed(tool):
    notice = files("rnn_from_scratch.data").joinpath("bundled", "NOTICE").read_text(encoding="utf-8")
    own = notice.split("\npython_topics.txt\n")[1]
    for words in (f"Python {tool.VERSION}", "Summary of the changes made", "Copyright © 2001-2023 Python Software",
                  "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2", "include in any such work a brief summary of",
                  "SPDX-License-Identifier: PSF-2.0", f"{tool.SHORTEST_COPY} characters or more"):
        assert words in own


def test_the_script_writes_it_again(tool):
    if platform.python_version() != tool.VERSION:
        pytest.skip(f"Python {tool.VERSION} has the topics that were frozen")
    from pydoc_data.topics import topics

    assert tool.freeze(topics) == bundled_text()


def test_no_paragraph_stands_there_twice():
    paragraphs = [" ".join(one.split()) for one in re.split(r"\n\n+", bundled_text())]
    long = [one for one in paragraphs if len(one) >= 40]
    assert len(long) > 1000
    assert len(set(long)) == len(long)


def test_freezing_by_hand(tool):
    """Copies go, the longest topic keeps them; odd characters go or become ASCII."""
    copied = "A paragraph that stands in two topics, word for word."
    topics = {
        "b": f"Two\n***\n\n  {copied.replace(' ', '  ')}  \n\n\nIt’s “new” – yes… — ok, and rather longer than that\n"
             "\n+---+\n\nanother paragraph, which makes this topic the longest of them all, by far\n",
        "a": f"One\n***\n\n{copied}\n\nSomething of its own, so much of it that the topic stays where it was.\n\n+---+",
        "copy": f"\nThree\n\n{copied}\n",
        "c": "Four\n\n\n  \nnaïve, so left out\n\nbut this stays",
    }
    assert tool.freeze(topics) == (
        "One\n***\n\nSomething of its own, so much of it that the topic stays where it was.\n\n+---+\n\n\n"
        "Two\n***\n\n  A  paragraph  that  stands  in  two  topics,  word  for  word.\n\n"
        "It's \"new\" - yes... -- ok, and rather longer than that\n\n+---+\n\n"
        "another paragraph, which makes this topic the longest of them all, by far\n\n\n"
        "Four\n\nbut this stays\n"
    )


# Parts


def test_parts_of_the_text_are_whole_topics():
    parts = text_splits(bundled_text())
    assert "".join(parts) == bundled_text()
    assert [len(part) for part in parts] == [331_674, 15_052, 25_145]
    assert all(part.endswith(BETWEEN_TOPICS) for part in parts[:2])
    assert parts.validation.startswith("Mapping Types")
    assert parts.test.startswith("Sequence Types")


def test_cuts_fall_at_the_nearest_end():
    text = "aaaa|bb|c|dd|e"  # ends at 5, 8, 10 and 13 of 14
    assert text_splits(text, (0.5, 0.25, 0.25), between="|") == ("aaaa|bb|", "c|", "dd|e")
    assert text_splits(text, (0.4, 0.55, 0.05), between="|") == ("aaaa|", "bb|c|dd|", "e")
    assert text_splits("ab\n" * 10, (0.8, 0.1, 0.1), between="\n") == ("ab\n" * 8, "ab\n", "ab\n")


REFUSED = {
    "bytes": ({"text": b"abc"}, DtypeError, "text is a bytes, expected a str. Bytes: text.decode('utf-8')."),
    "nothing": ({"text": None}, DtypeError, "text is a NoneType, expected a str"),
    "between": ({"between": 1}, DtypeError, "between is a int, expected a str"),
    "no between": ({"between": ""}, ArgumentError, "between is empty, expected what stands between two documents"),
    "two": ({"shares": (0.9, 0.1)}, ArgumentError, "shares is (0.9, 0.1), expected three that sum to 1 because"),
    "one": ({"shares": 0.9}, ArgumentError, "shares is 0.9, expected three that sum to 1"),
    "sum": ({"shares": (0.9, 0.09, 0.05)}, ArgumentError, "shares is (0.9, 0.09, 0.05), expected three that sum to 1"),
    "zero": ({"shares": (1.0, 0.0, 0.0)}, ArgumentError, "shares[0] is 1.0, expected a finite number above 0.0 and"),
    "text share": ({"shares": ("a", 0.5, 0.5)}, ArgumentError, "shares[0] is 'a', expected a finite number"),
    "nan": ({"shares": (float("nan"), 0.5, 0.5)}, ArgumentError, "shares[0] is nan, expected a finite number"),
    "empty": ({"text": ""}, ArgumentError, "'|' ends 0 parts of 0 characters, cut at 0 and 0, expected two cuts apart"),
    "one document": ({"text": "abc"}, ArgumentError, "'|' ends 0 parts of 3 characters, cut at 0 and 0, expected two"),
    "two documents": ({"text": "abc|d"}, ArgumentError, "'|' ends 1 parts of 5 characters, cut at 4 and 4, expected"),
    "empty last": ({"text": "a|b|"}, ArgumentError, "'|' ends 2 parts of 4 characters, cut at 4 and 4, expected two"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    changed, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        text_splits(**{"text": "aaaa|bb|c|dd|e", "between": "|", **changed})
    assert str(caught.value).startswith(f"text_splits: {message}")
