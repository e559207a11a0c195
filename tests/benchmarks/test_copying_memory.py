"""The copying script: the baseline, what is measured, when a length is crossed, and the saved result's own words."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import global_norm

ROOT = Path(__file__).parents[2]
SAVED = json.loads((ROOT / "benchmarks" / "results" / "copying_memory.json").read_text(encoding="utf-8"))


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.copying_memory")


@pytest.fixture
def small(script, monkeypatch):
    for name, value in (("EVERY", 2), ("LOOK", 20), ("FRESH", 60), ("N", 4)):
        monkeypatch.setattr(script, name, value)
    return script


class Told:
    """A model whose logits are known: it counts and guesses, or it also remembers."""

    def __init__(self, remembers):
        self.remembers = remembers

    def forward(self, params, xs):
        logits = np.zeros((*xs.shape[:2], 9))
        logits[:-10, :, 8] = 1e6  # blank, for certain
        logits[-10:, :, 8] = -1e6
        if self.remembers:
            logits[-10:] += 1e6 * xs[:10, :, :9]
        return logits, None, None

    def loss(self, logits, targets):
        from rnn_from_scratch.losses import softmax_cross_entropy

        return softmax_cross_entropy(logits, targets)


def test_the_baseline_is_the_loss_of_counting_and_guessing(script):
    assert script.baseline(100) == pytest.approx(10 * np.log(8) / 120)
    data = script.copying_data(rng=np.random.default_rng(0), T=7, N=450)
    loss, right = script.measure(Told(False), {}, 7, *data)
    assert loss == pytest.approx(1.0, rel=1e-9)
    assert right == pytest.approx(1 / 8, abs=0.02)
    loss, right = script.measure(Told(True), {}, 7, *data)
    assert loss == pytest.approx(0.0, abs=1e-9)
    assert right == 1.0


def test_all_kinds_see_the_same_sequences(small, monkeypatch):
    seen = []
    draw = small.copying_data

    def noted(*, rng, T, N):
        found = draw(rng=rng, T=T, N=N)
        seen.append(found[1])
        return found

    monkeypatch.setattr(small, "copying_data", noted)
    for kind in small.KINDS:
        small.train(kind, 5, seed=1, updates=3)
    first, *others = (seen[part : part + 5] for part in range(0, len(seen), 5))
    assert [targets.shape for targets in first] == [(25, 20), (25, 4), (25, 4), (25, 4), (25, 60)]
    for other in others:
        for targets, same in zip(other, first, strict=True):
            np.testing.assert_array_equal(targets, same)


def test_the_chrono_start_is_told_the_length(small, monkeypatch):
    told = {}
    for kind, (cell, begin) in small.KINDS.items():
        if begin is None:
            continue

        def noted(cell, *, rng, longest, dtype, kind=kind, begin=begin):
            told[kind] = longest
            return begin(cell, rng=rng, longest=longest, dtype=dtype)

        monkeypatch.setitem(small.KINDS, kind, (cell, noted))
        small.train(kind, 8, seed=0, updates=1)
    assert told == dict.fromkeys(("LSTM, chrono start", "GRU, chrono start"), 12.0)


def test_a_length_is_crossed_where_fresh_sequences_agree(small, monkeypatch):
    values = iter([1.0, 0.94, 0.96, 0.93, 0.90, 0.5, 0.05, 0.06])
    monkeypatch.setattr(small, "measure", lambda *_: (next(values), 0.7))
    found = small.train("GRU, chrono start", 4, seed=0, updates=100)
    # looks: 1.0; 0.94, but 0.96 on fresh ones; 0.93, and 0.90 on fresh ones; 0.5; 0.05 ends it; then the final measure
    assert found["curve"] == [1.0, 0.94, 0.93, 0.5, 0.05]
    assert (found["crossed"], found["updates"]) == (6, 10)
    assert (found["loss"], found["right"]) == (0.06, 0.7)


def test_training_lowers_the_loss_and_repeats(small):
    found = small.train("LSTM, forget bias 1", 3, seed=0, updates=40)
    assert found["curve"][-1] < 0.7 * found["curve"][0]
    again = small.train("LSTM, forget bias 1", 3, seed=0, updates=6)
    assert again["curve"] == found["curve"][:3]


def test_the_gradient_is_clipped_at_1(small, monkeypatch):
    thresholds = []
    clip, update = small.clip_by_global_norm, small.Adam.update
    monkeypatch.setattr(small, "clip_by_global_norm", lambda grads, C: (thresholds.append(C), clip(grads, C / 100))[1])

    def noted(self, params, grads, state):
        assert global_norm(grads) <= 0.01 * (1 + 1e-5)
        return update(self, params, grads, state)

    monkeypatch.setattr(small.Adam, "update", noted)
    small.train("LSTM, forget bias 1", 3, seed=0, updates=3)
    assert thresholds == [1.0, 1.0, 1.0]


def test_a_run_that_is_not_finite_has_no_loss(small):
    with np.errstate(all="ignore"):
        found = small.train("LSTM, forget bias 1", 3, seed=0, updates=10, rate=1e38)
    assert (found["loss"], found["right"], found["crossed"]) == (None, None, None)


def test_the_verdict_says_which_lengths_were_crossed(script):
    crossed, open_ = {"crossed": 750, "loss": 0.05, "right": 1.0}, {"crossed": None, "loss": 1.0, "right": 0.125}
    lost = {"crossed": None, "loss": None, "right": None}
    kinds = {
        "A": {"50": [crossed, {**crossed, "crossed": 1000}], "100": [crossed, open_]},
        "B": {"50": 2 * [open_], "100": 2 * [lost]},
    }
    settings = {"seeds": [0, 1], "updates": 3000, "enough": 0.1}
    assert script.verdict({"settings": settings, "kinds": kinds}).startswith(
        "A: T = 50 2 of 2 after at most 1000 updates (at the end, medians: 0.05 of the baseline, 100% of the symbols "
        "right), T = 100 1 of 2 after at most 750 updates (at the end, medians: 0.53 of the baseline, 56% of the "
        "symbols right); B: T = 50 0 of 2 (at the end, medians: 1.00 of the baseline, 12% of the symbols right), "
        "T = 100 0 of 2. T = 50 is the longest that all seeds of a kind crossed, within 3000 updates; 3 of 6 runs end "
        "below 0.1 of the baseline. "
    )
    assert "No length was crossed" in script.verdict({"settings": settings, "kinds": {"B": kinds["B"]}})


def test_saved_the_runs_and_the_words(script):
    assert SAVED["verdict"] == script.verdict(SAVED)
    assert list(SAVED["kinds"]) == list(script.KINDS)
    assert SAVED["settings"]["lengths"] == list(script.LENGTHS)
    assert SAVED["baseline"] == {str(T): pytest.approx(10 * np.log(8) / (T + 20)) for T in script.LENGTHS}
    for lengths in SAVED["kinds"].values():
        for runs in lengths.values():
            assert len(runs) == 3
            for run in runs:
                assert len(run["curve"]) == run["updates"] // 250
                assert run["updates"] == SAVED["settings"]["updates"] or run["curve"][-1] < 0.1
                assert run["crossed"] is None or run["curve"][run["crossed"] // 250 - 1] < 0.95


def test_saved_a_told_start_crosses_what_the_other_does_not():
    for kind in ("LSTM, chrono start", "GRU, chrono start"):
        for T in ("50", "100"):
            assert all(run["crossed"] is not None for run in SAVED["kinds"][kind][T]), (kind, T)
    assert sum(run["crossed"] is not None for run in SAVED["kinds"]["LSTM, forget bias 1"]["100"]) < 3


def test_saved_runs_are_those_of_the_code(script, monkeypatch):
    monkeypatch.setattr(script, "FRESH", 200)
    now = script.train("GRU, chrono start", 50, seed=0, updates=250)
    assert now["curve"] == pytest.approx(SAVED["kinds"]["GRU, chrono start"]["50"][0]["curve"][:1], rel=0.01)
