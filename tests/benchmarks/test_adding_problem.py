"""The adding problem's script: what it trains on and tests, and that its saved figures are those of its code."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SAVED = json.loads((ROOT / "benchmarks" / "results" / "adding_problem.json").read_text(encoding="utf-8"))


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.adding_problem")


@pytest.fixture
def small(script, monkeypatch):
    """Six steps, which any kind learns, and a curve with more points."""
    for name, value in (("T", 6), ("EVERY", 10), ("FRESH", 200)):
        monkeypatch.setattr(script, name, value)
    return script


def test_all_kinds_see_the_same_sequences_and_none_twice(small, monkeypatch):
    seen = []
    draw = small.draw

    def noted(rng, count):
        found = draw(rng, count)
        seen.append(found[0])
        return found

    monkeypatch.setattr(small, "draw", noted)
    for kind in small.KINDS:
        small.train(kind, 0.001, seed=0, updates=2)
    by_kind = [seen[start : start + 4] for start in range(0, len(seen), 4)]  # fresh, two batches, fresh at the end
    assert len(by_kind) == len(small.KINDS) == 7
    assert [xs.shape for xs in by_kind[0]] == [(6, 200, 2), (6, 32, 2), (6, 32, 2), (6, 1000, 2)]
    for arrays in by_kind:
        for xs, first in zip(arrays, by_kind[0], strict=True):
            np.testing.assert_array_equal(xs, first)
    numbers = np.concatenate([xs[0, :, 0] for xs in by_kind[0]])
    assert len(np.unique(numbers)) == len(numbers)
    assert numbers.dtype == np.float32


def test_training_learns_and_says_when(small):
    found = small.train("LSTM, chrono start", 0.01, seed=0, updates=400)
    assert len(found["curve"]) == 41
    assert found["curve"][0] > 0.1
    assert found["final"] < small.TARGET
    below = [mark for mark, value in enumerate(found["curve"]) if value < small.TARGET]
    assert found["to_target"]["sequences"] == below[0] * small.EVERY * small.N
    assert 0 < found["to_target"]["seconds"] <= found["seconds"]
    again = small.train("LSTM, chrono start", 0.01, seed=0, updates=20)
    assert again["curve"] == found["curve"][:3]
    assert again["to_target"] is None


def test_a_run_that_is_not_finite_has_no_final_error(small):
    with np.errstate(all="ignore"):
        found = small.train("IRNN", 1e38, seed=0, updates=20)
    assert found["final"] is None
    json.dumps(found, allow_nan=False)


def test_the_best_rate_is_the_lowest_mean_error(small, monkeypatch):
    errors = {0.01: [0.1, None], 0.003: [0.05, 0.07], 0.001: [0.01, 0.2]}
    monkeypatch.setattr(small, "train", lambda kind, rate, seed: {"final": errors[rate][seed - 100]})
    assert small.best_rate("RNN") == (0.003, {str(rate): finals for rate, finals in errors.items()})
    assert small.best_rate("LSTM, chrono start") == (0.01, {})


def test_the_verdict_counts_seeds(script):
    runs = [
        {"final": 0.004, "to_target": {"sequences": 800, "seconds": 3.2}},
        {"final": 0.002, "to_target": {"sequences": 1600, "seconds": 2.0}}, {"final": None, "to_target": None},
    ]
    result = {"target": 0.01, "kinds": {"A": {"rate": 0.01, "runs": runs}, "B": {"rate": 0.1, "runs": runs[2:]}}}
    assert script.verdict(result) == (
        "A (rate 0.01): 2 of 3 seeds below 0.01, the worst of them at 0.0040, after at most 1600 sequences and 3 s; "
        "B (rate 0.1): 0 of 1 seeds below 0.01."
    )


def test_saved_the_lstm_is_below_the_target_on_every_seed_within_the_bounds(script):
    runs = SAVED["kinds"]["LSTM, chrono start"]["runs"]
    assert len(runs) == 5
    for run in runs:
        assert run["final"] < 0.01
        assert run["to_target"]["sequences"] < 40_000
        assert SAVED["settings"]["sequences"] < 40_000
        assert run["seconds"] < 60
    assert SAVED["machine"]["blas_threads"] == 1
    assert (SAVED["settings"]["T"], SAVED["settings"]["H"]) == (100, 64)
    assert SAVED["kinds"]["LSTM, chrono start"]["rate"] == 0.01
    assert not set(SAVED["settings"]["seeds"]) & set(SAVED["settings"]["tuning_seeds"])


def test_saved_figures_are_those_of_the_code(script):
    assert list(SAVED["kinds"]) == list(script.KINDS)
    assert SAVED["verdict"] == script.verdict(SAVED)
    assert SAVED["constant"] == pytest.approx(1 / 6)
    for kind, rows in SAVED["kinds"].items():
        assert all(len(run["curve"]) == len(SAVED["marks"]) for run in rows["runs"])
        rates = script.KINDS[kind][2]
        assert rows["rate"] in rates
        if len(rates) > 1:
            assert rows["rate"] == min(rates, key=lambda rate, rows=rows: np.mean(rows["tuning"][str(rate)]))
    now = script.train("LSTM, chrono start", 0.01, seed=0, updates=script.EVERY)
    assert now["curve"] == pytest.approx(SAVED["kinds"]["LSTM, chrono start"]["runs"][0]["curve"][:2], rel=0.01)
