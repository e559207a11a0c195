"""The temporal order script: the paper's start, what is trained on, when a run ends, and the saved result's words."""

import importlib
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves

ROOT = Path(__file__).parents[2]
SAVED = json.loads((ROOT / "benchmarks" / "results" / "temporal_order.json").read_text(encoding="utf-8"))


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.temporal_order")


@pytest.fixture
def small(script, monkeypatch):
    """Ten steps, ten units, a higher rate, looked at often."""
    model = script.SequenceModel(script.Recurrent(script.RNNCell(6, 10)), 4, outputs="many-to-one")
    for name, value in (("MODEL", model), ("RATE", 0.3), ("EVERY", 50), ("LOOK", 100), ("FRESH", 1000)):
        monkeypatch.setattr(script, name, value)
    return script


def test_the_start_is_the_papers(script):
    params = dict(leaves(script.start(np.random.default_rng(0))))
    assert {name: array.shape for name, array in params.items()} == {
        "recurrent.W_xh": (6, 50), "recurrent.W_hh": (50, 50), "recurrent.b_h": (50,),
        "output.W_hy": (50, 4), "output.b_y": (4,),
    }
    for name, array in params.items():
        assert array.dtype == np.float64
        if array.ndim == 2:
            assert np.std(array) == pytest.approx(0.1, rel=0.15), name
            assert abs(np.mean(array)) < 0.02
        else:
            assert not array.any()


def test_both_ways_see_the_same_sequences_and_no_test_among_them(small, monkeypatch):
    seen = []
    draw = small.temporal_order_data

    def noted(*, rng, T, N):
        found = draw(rng=rng, T=T, N=N)
        seen.append(found[0])
        return found

    monkeypatch.setattr(small, "temporal_order_data", noted)
    for way in small.WAYS:
        small.train(20, way, seed=0, updates=3)
    first, second = seen[:4], seen[4:]
    assert [xs.shape for xs in first] == [(20, 100, 6)] + 3 * [(20, 20, 6)]
    for xs, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(xs, other)
    sequences = [sequence.tobytes() for xs in first for sequence in xs.swapaxes(0, 1)]
    assert len(set(sequences)) == len(sequences)


def test_a_run_ends_when_fresh_sequences_confirm_it(small, monkeypatch):
    found = small.train(10, "clipped", seed=0, updates=4000)
    assert found["solved"] == found["updates"] == 50 * len(found["curve"]) < 4000
    assert found["wrong"] < 0.01
    assert found["curve"][-1] < 0.01 <= min(found["curve"][:-1])
    assert found["largest"] > 0
    asked = []
    share_wrong = small.share_wrong
    monkeypatch.setattr(small, "share_wrong", lambda params, *data: asked.append(data[0]) or share_wrong(params, *data))
    small.train(10, "clipped", seed=0, updates=found["updates"])
    looks, decisive = asked[: len(found["curve"])], asked[len(found["curve"]) :]
    assert all(xs is looks[0] for xs in looks)
    assert sum(xs.shape[1] for xs in decisive) == 1000
    assert not any(np.array_equal(xs, other) for xs, other in itertools.pairwise([looks[0], *decisive]))
    shares = iter([0.5, 0.001, *10 * [0.02], 0.002, *10 * [0.008]])  # the second look is luck, the third is not
    monkeypatch.setattr(small, "share_wrong", lambda params, xs, targets: next(shares))
    found = small.train(10, "clipped", seed=0, updates=4000)
    assert (found["solved"], found["wrong"], found["curve"]) == (150, 0.008, [0.5, 0.001, 0.002])


def test_clipping_bounds_the_step_alone(small, monkeypatch):
    steps = []
    update = small.GradientDescent.update

    def noted(self, params, grads, state):
        steps.append(small.global_norm(grads))
        return update(self, params, grads, state)

    monkeypatch.setattr(small.GradientDescent, "update", noted)
    monkeypatch.setattr(small, "THRESHOLD", 0.1)
    monkeypatch.setitem(small.WAYS, "clipped", 0.1)
    free, clipped = small.train(20, "without clipping", 0, 150), small.train(20, "clipped", 0, 150)
    assert max(steps[:150]) == pytest.approx(free["largest"], rel=1e-3)
    assert free["largest"] > 0.2
    assert 0 < free["above"] == pytest.approx(np.mean(np.array(steps[:150]) > 0.1), abs=1e-4)
    assert max(steps[150:]) <= 0.1 + 1e-12
    assert clipped["largest"] > 0.2


def test_a_run_that_is_not_finite_is_not_solved(small, monkeypatch):
    monkeypatch.setattr(small, "RATE", 1e308)
    with np.errstate(all="ignore"):
        found = small.train(10, "without clipping", seed=0, updates=100)
    assert (found["solved"], found["wrong"]) == (None, None)
    assert found["updates"] < 100


def test_the_verdict_counts_and_compares(script):
    solved, open_ = {"solved": 4000, "wrong": 0.002}, {"solved": None, "wrong": 0.5}
    later, lost = {**solved, "solved": 60_000}, {**open_, "wrong": None}

    def said(without, clipped):
        runs = {"30": {"without clipping": without, "clipped": clipped}}
        return script.verdict({"settings": {"seeds": [0, 1], "updates": 60_000}, "runs": runs})

    assert said([open_, lost], [solved, later]) == (
        "T = 30, without clipping: 0 of 2 seeds (95 % interval 0% to 66%), the rest ends with 50%, not finite wrong; "
        "T = 30, clipped: 2 of 2 seeds (95 % interval 34% to 100%) after 4,000 to 60,000 updates. At T = 30 clipping "
        "helps, 0 of 2 without it and 2 with it. Within 60,000 updates, where the paper allows 5,000,000; 2 seeds tell "
        "large differences alone."
    )
    assert "clipping changes nothing, 0 of 2" in said([open_, open_], [open_, open_])
    assert "clipping does not help, 2 of 2 without it and 1 with it" in said([solved, solved], [solved, open_])


def test_saved_the_runs_are_the_papers_and_the_words_are_theirs(script):
    settings = SAVED["settings"]
    assert {name: settings[name] for name in ("H", "N", "rate", "sigma", "threshold", "updates", "fresh")} == {
        "H": 50, "N": 20, "rate": 0.01, "sigma": 0.1, "threshold": 1.0, "updates": 60_000, "fresh": 10_000,
    }
    assert (settings["lengths"], settings["seeds"]) == ([20, 30], [0, 1, 2, 3, 4])
    assert SAVED["verdict"] == script.verdict(SAVED)
    for ways in SAVED["runs"].values():
        assert list(ways) == list(script.WAYS)
        for runs in ways.values():
            assert len(runs) == 5
            for run in runs:
                assert len(run["curve"]) == run["updates"] // 500
                assert (run["solved"] is not None) == (run["wrong"] < 0.01)
                assert run["solved"] in (None, run["updates"])
                assert run["solved"] is not None or run["updates"] == 60_000
    at_30 = {way: sum(run["solved"] is not None for run in runs) for way, runs in SAVED["runs"]["30"].items()}
    assert at_30["clipped"] >= 4
    assert at_30["clipped"] > at_30["without clipping"]


def test_saved_runs_are_those_of_the_code(script):
    now = script.train(20, "clipped", seed=0, updates=500)
    assert now["curve"][0] == pytest.approx(SAVED["runs"]["20"]["clipped"][0]["curve"][0], abs=0.005)
