"""The temporal order script: the paper's start, what is trained on, when a run ends, and the saved result's words."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves

ROOT = Path(__file__).parents[2]


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
    later, lost = {**solved, "solved": 60_000}, {"solved": None, "wrong": None}

    def said(without, clipped):
        runs = {"30": {"without clipping": without, "clipped": clipped}}
        return script.verdict({"settings": {"seeds": [0, 1], "updates": 60_000}, "runs": runs})

    assert said([open_, lost], [solved, later]) == (
        "T = 30, without clipping: 0 of 2 seeds, the others end with 50% to 50% wrong; "
        "T = 30, clipped: 2 of 2 seeds after 4,000 to 60,000 updates. At T = 30 clipping makes the difference: 0 of 2 "
        "without clipping, 2 with it, within 60,000 updates where the paper allows 5,000,000."
    )
    assert "none finite" in said([lost, lost], [open_, open_])
    assert "clipping shows no gain: 0 of 2" in said([open_, open_], [open_, open_])
    assert "clipping shows no gain: 2 of 2" in said([solved, solved], [solved, open_])
