"""The language model's script: every character counted once with the right state, and its saved figures its own."""

import importlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.cells import LSTMCell
from rnn_from_scratch.data import Vocabulary, bundled_text, text_splits
from rnn_from_scratch.data.corpus import BETWEEN_TOPICS
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import LanguageModel, NGramModel
from rnn_from_scratch.training import load_params

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
SMALL = LanguageModel(Recurrent(LSTMCell(2, 3)), 7)
TOKENS = np.array([1, 4, 2, 2, 6, 0, 3, 5, 5, 1, 0, 2])


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.language_model")


@pytest.fixture
def measures(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.text_measures")


@pytest.fixture(scope="module")
def saved():
    return json.loads((RESULTS / "language_model.json").read_text(encoding="utf-8"))


# Measures


def alone(params, context, target):
    """−log2 p of one token after a context, read from the initial state."""
    p = SMALL.predict(params, np.array(context)[:, None])[-1, 0]
    return -np.log2(p[target])


@pytest.mark.parametrize("chunk", [3, 2000])
def test_bits_carry_the_state_over_chunks(measures, monkeypatch, chunk):
    monkeypatch.setattr(measures, "CHUNK", chunk)
    params = SMALL.init_params(rng=np.random.default_rng(0))
    expected = [alone(params, TOKENS[:t], TOKENS[t]) for t in range(1, len(TOKENS))]
    np.testing.assert_allclose(measures.character_bits(SMALL, params, TOKENS), expected, rtol=1e-12)


@pytest.mark.parametrize("every", [1, 4, 11, 50])
def test_bits_with_a_reset_see_the_tokens_since_it_alone(measures, every):
    """Eleven targets: pieces of 4 leave a shorter one at the end."""
    params = SMALL.init_params(rng=np.random.default_rng(1))
    expected = [
        alone(params, TOKENS[(t - 1) // every * every : t], TOKENS[t]) for t in range(1, len(TOKENS))
    ]
    np.testing.assert_allclose(measures.character_bits(SMALL, params, TOKENS, every), expected, rtol=1e-12)


def test_kinds_of_characters_by_hand(measures):
    text = 'a Bc\n  1,\n"f()--'
    found = [measures.kind(before, c) for before, c in pairwise(text)]
    first, other, digit, end, start, again, blank, closing, quote, same, sign = measures.KINDS
    assert found == [blank, first, other, end, start, again, digit, sign, end, quote, first, sign, closing, sign, same]
    table = measures.by_kind(text, np.arange(15.0))
    assert table[end] == {"count": 2, "bits": 5.5}
    assert sum(row["count"] for row in table.values()) == 15


def test_what_a_text_is_like_by_hand(measures):
    known = measures.known_forms("the cat's hat is on")
    assert known == {"the", "cat", "hat"}
    assert measures.known_words("the dog's hat is the. hats", known) == 3 / 4  # the last may be cut off
    assert measures.known_words("hat is", known) is None
    assert measures.closed_brackets("(a [b) c] {}") == {"opened": 3, "closed": 2}  # the [ was left open inside
    assert measures.closed_brackets(")(") == {"opened": 1, "closed": 0}
    lines = "cut off\n" + "w" * 71 + "\n+" + "-" * 90 + "\n  | " + "w" * 90 + "\n\n" + "w" * 70 + "\ncut off"
    assert measures.long_lines(lines) == {"lines": 2, "long": 1}


def test_symbols_are_not_shown(measures):
    vocabulary = Vocabulary("ab")
    assert measures.shown(vocabulary, [4, 0, 2, 1, 3, 5]) == "ab"


# The script


@pytest.fixture(scope="module")
def topics():
    """Some short topics: 25,000 characters."""
    listed = [topic for topic in bundled_text().split(BETWEEN_TOPICS) if 300 < len(topic) < 1600]
    return BETWEEN_TOPICS.join(listed)


def test_a_short_run_chooses_by_validation_and_repeats(script, topics):
    settings = script.QUICK._replace(H=16, D=8, streams=8, steps=32, epochs=2, validate_every=20, seeds=(3, 4))
    text = script.read_text(topics)
    assert (len(text.train), len(text.validation), len(text.test)) == tuple(map(len, text_splits(topics)))
    result, params = script.run(settings, text, lambda line: None)
    again, _ = script.run(settings._replace(seeds=(3,)), text, lambda line: None)
    first, second = result["runs"]
    for name in ("update", "validation", "test"):
        assert first["curve"][name] == again["runs"][0]["curve"][name]
    assert first["chosen"]["test"] != second["chosen"]["test"]
    assert first["curve"]["test"][-1] < first["curve"]["test"][0]
    assert first["curve"]["test"][0] == pytest.approx(np.log2(len(text.vocabulary)), abs=0.8)
    chosen = script.character_bits(script.model_of(settings, text), params, text.test).mean()
    assert first["chosen"]["test"] == pytest.approx(chosen, abs=1e-4)
    assert [one["update"] for one in first["stages"]] == [0, 40, first["updates"]]
    assert "stages" not in second
    V, counts = len(text.vocabulary), result["ngrams"]
    one = NGramModel(2, V)
    expected = -one.log_probabilities(one.fit(text.train), text.test)[1:].mean() / np.log(2)
    assert counts["test"][1] == pytest.approx(expected, abs=1e-4)
    assert counts["chosen"] == 1 + int(np.argmin(counts["validation"]))
    assert counts["train"] < counts["test"][counts["chosen"] - 1]
    whole = script.character_bits(script.model_of(settings, text), params, text.train).mean()
    assert result["train"] == pytest.approx(whole, abs=0.05)  # 8 streams begin at the initial state, not one
    assert sum(row["count"] for row in result["kinds"].values()) == len(text.test) - 1
    json.dumps(result, allow_nan=False)


def test_the_clock_stands_in_pauses(script, monkeypatch):
    now = iter(range(0, 1000, 10))
    monkeypatch.setattr(script.time, "perf_counter", lambda: next(now))
    monkeypatch.setattr(script.time, "process_time", lambda: 0.0)
    clock = script.Clock()  # at 0
    clock.pause()  # at 10
    clock.go_on()  # at 20
    clock.pause()  # at 30
    assert clock.wall == 20


# What is saved


def test_saved_the_lstm_is_below_every_n_gram_within_ten_minutes(saved):
    best = min(saved["ngrams"]["test"])
    for run in saved["runs"]:
        assert run["chosen"]["test"] < best - 0.2
        assert run["chosen"]["CPU seconds"] < 600
    assert saved["ngrams"]["train"] < saved["train"] < saved["runs"][0]["chosen"]["test"]
    assert len(saved["runs"]) == len(saved["settings"]["seeds"])
    assert saved["machine"]["blas_threads"] == 1
    assert saved["settings"]["tuned on seed"] not in saved["settings"]["seeds"]


def test_saved_figures_are_those_of_the_code(script, saved):
    assert saved["verdict"] == script.verdict(saved)
    settings = {name: saved["settings"][name] for name in script.Settings._fields}
    assert settings == json.loads(json.dumps(script.Settings()._asdict()))
    text = script.read_text()
    assert saved["text"]["characters"] == [331_674, 15_052, 25_145]
    counts = script.NGramModel(3, len(text.vocabulary)).fit(text.train)
    bits = -script.NGramModel(3, len(text.vocabulary)).log_probabilities(counts, text.test)[1:].mean() / np.log(2)
    assert saved["ngrams"]["test"][2] == pytest.approx(bits, abs=1e-4)
    assert saved["ngrams"]["chosen"] == 1 + int(np.argmin(saved["ngrams"]["validation"]))


def test_saved_parameters_have_the_saved_figure(script, saved):
    text = script.read_text()
    params = load_params(RESULTS / "language_model.npz")
    assert sum(array.size for _, array in leaves(params)) == saved["settings"]["parameters"]
    assert (RESULTS / "language_model.npz").stat().st_size < 2_000_000
    bits = script.character_bits(script.model_of(script.Settings(), text), params, text.test)
    assert bits.mean() == pytest.approx(saved["runs"][0]["chosen"]["test"], abs=2e-4)
    assert len(bits) == len(text.test) - 1 == sum(row["count"] for row in saved["kinds"].values())
