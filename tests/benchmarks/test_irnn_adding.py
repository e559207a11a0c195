"""The IRNN's script: its task, the paper's start, when a run has learned, and the saved result's own words."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import global_norm, leaves

ROOT = Path(__file__).parents[2]
SAVED = json.loads((ROOT / "benchmarks" / "results" / "irnn_adding.json").read_text(encoding="utf-8"))


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.irnn_adding")


@pytest.fixture
def small(script, monkeypatch):
    for name, value in (("EVERY", 20), ("LOOK", 100), ("FRESH", 200)):
        monkeypatch.setattr(script, name, value)
    return script


def model_of(script, kind):
    return script.SequenceModel(
        script.Recurrent(script.KINDS[kind][0]), 1, task="regression", outputs="many-to-one")


def test_two_different_steps_anywhere_are_marked_and_summed(script):
    xs, sums = script.draw(np.random.default_rng(0), 6, 3000)
    assert xs.dtype == sums.dtype == np.float32
    marks = xs[:, :, 1]
    np.testing.assert_array_equal(np.unique(marks), [0, 1])
    np.testing.assert_array_equal(marks.sum(axis=0), 2)
    np.testing.assert_allclose((xs[:, :, 0] * marks).sum(axis=0), sums[:, 0], rtol=1e-6)
    pairs = np.array([np.flatnonzero(column) for column in marks.T])
    counts = np.unique(6 * pairs[:, 0] + pairs[:, 1], return_counts=True)[1]
    assert len(counts) == 15  # every pair of steps
    assert counts.min() > 150  # of 200 on average
    assert sums.var() == pytest.approx(script.CONSTANT, rel=0.1)


def test_the_starts(script):
    rng = np.random.default_rng(0)
    params = dict(leaves(script.start("IRNN", model_of(script, "IRNN"), rng)))
    assert all(array.dtype == np.float32 for array in params.values())
    np.testing.assert_array_equal(params["recurrent.W_hh"], np.eye(100))
    assert not params["recurrent.b_h"].any()
    assert not params["output.b_y"].any()
    for name in ("recurrent.W_xh", "output.W_hy"):
        assert np.std(params[name]) == pytest.approx(0.001, rel=0.2), name
    params = script.start("IRNN, gradient descent", model_of(script, "IRNN, gradient descent"), rng)
    np.testing.assert_array_equal(params["recurrent"]["W_hh"], np.eye(100))
    params = script.start("tanh RNN", model_of(script, "tanh RNN"), rng)
    assert np.std(params["output"]["W_hy"]) > 0.05
    params = script.start("LSTM", model_of(script, "LSTM"), rng)
    np.testing.assert_array_equal(params["recurrent"]["b_h"][100:200], 1)
    assert {kind: cell.hidden_size for kind, (cell, _, _) in script.KINDS.items()} == dict.fromkeys(script.KINDS, 100)


def test_all_kinds_see_the_same_sequences(small, monkeypatch):
    seen = []
    draw = small.draw

    def noted(*arguments):
        found = draw(*arguments)
        seen.append(found[0])
        return found

    monkeypatch.setattr(small, "draw", noted)
    for kind in small.KINDS:
        small.train(kind, seed=3, updates=2, steps=8)
    first, *others = (seen[part : part + 4] for part in range(0, len(seen), 4))
    assert [xs.shape for xs in first] == [(8, 100, 2), (8, 16, 2), (8, 16, 2), (8, 200, 2)]
    for other in others:
        for xs, same in zip(other, first, strict=True):
            np.testing.assert_array_equal(xs, same)
    numbers = np.concatenate([xs[0, :, 0] for xs in first])
    assert len(np.unique(numbers)) == len(numbers)


def test_a_run_says_when_it_has_learned_and_ends_below_the_target(small):
    found = small.train("LSTM", seed=0, updates=1000, steps=6)
    assert found["updates"] == 20 * len(found["curve"]) < 1000
    assert found["curve"][-1] < 0.01 <= min(found["curve"][:-1])
    assert found["learned"] == 20 * (1 + [value < 0.1 for value in found["curve"]].index(True))
    assert found["error"] < 0.02
    again = small.train("LSTM", seed=0, updates=40, steps=6)
    assert again["curve"] == found["curve"][:2]


def test_the_gradient_is_clipped_at_1(small, monkeypatch):
    norms = []
    update = small.GradientDescent.update

    def noted(self, params, grads, state):
        norms.append(global_norm(grads))
        return update(self, params, grads, state)

    monkeypatch.setattr(small.GradientDescent, "update", noted)
    small.train("IRNN, gradient descent", seed=0, updates=20, steps=30)
    np.testing.assert_allclose(max(norms), 1.0, rtol=1e-5)


def test_a_run_that_is_not_finite_has_no_error(small):
    with np.errstate(all="ignore"):
        found = small.train("IRNN", seed=0, updates=100, steps=6, rate=1e38)
    assert (found["error"], found["learned"]) == (None, None)


def test_the_verdict_names_what_was_reached(script):
    good, bad = {"error": 0.014, "learned": 10_000}, {"error": 0.16, "learned": None}

    def said(**kinds):
        rows = {
            kind: {"rate": 0.01, "runs": kinds[name]}
            for kind, name in (("IRNN", "irnn"), ("LSTM", "lstm"), ("tanh RNN", "tanh"),
                               ("IRNN, gradient descent", "descent"))
        }
        settings = {"seeds": [0, 1], "updates": 20_000, "T": 150}
        return script.verdict({"settings": settings, "constant": 1 / 6, "kinds": rows})

    text = said(irnn=[good, {**good, "learned": 9000}], lstm=[good, good], tanh=[bad, bad], descent=[bad, good])
    assert text.startswith(
        "IRNN (rate 0.01): 2 of 2 seeds below 0.1, first after 9,000 to 10,000 updates, at the end 0.014 to 0.014; ")
    assert "does not, is reached with Adam" in text
    assert text.endswith("which the paper has, taught the IRNN in 1 of 2 seeds.")
    assert "is reached in some seeds with" in said(irnn=[good, bad], lstm=2 * [good], tanh=2 * [bad], descent=2 * [bad])
    assert "is not reached with" in said(irnn=2 * [good], lstm=2 * [good], tanh=[bad, good], descent=2 * [bad])
    lost = {"error": None, "learned": None}
    assert "is not reached with" in said(irnn=2 * [lost], lstm=2 * [good], tanh=2 * [bad], descent=2 * [bad])
    json.dumps(lost, allow_nan=False)


def test_saved_the_runs_and_the_words(script):
    assert SAVED["verdict"] == script.verdict(SAVED)
    assert list(SAVED["kinds"]) == list(script.KINDS)
    settings = SAVED["settings"]
    assert (settings["T"], settings["updates"], settings["seeds"]) == (150, 20_000, [0, 1, 2])
    for kind, rows in SAVED["kinds"].items():
        assert rows["rate"] == script.KINDS[kind][2]
        assert len(rows["runs"]) == 3
        for run in rows["runs"]:
            assert len(run["curve"]) == run["updates"] // 500
            assert run["updates"] == 20_000 or run["curve"][-1] < 0.01
            below = [value < 0.1 for value in run["curve"]]
            assert run["learned"] == (500 * (1 + below.index(True)) if True in below else None)


def test_saved_the_irnn_learns_150_steps_and_the_tanh_rnn_does_not():
    learned = {kind: sum(run["learned"] is not None for run in rows["runs"]) for kind, rows in SAVED["kinds"].items()}
    assert learned["IRNN"] == 3
    assert learned["LSTM"] >= 2
    assert learned["tanh RNN"] == learned["IRNN, gradient descent"] == 0


def test_saved_runs_are_those_of_the_code(script):
    now = script.train("LSTM", seed=0, updates=0)
    assert now["curve"] == []
    model = model_of(script, "IRNN")
    params = script.start("IRNN", model, np.random.default_rng([0, 0]))
    assert 0.1 < script.squared_error(model, params, *script.draw(np.random.default_rng([0, 2]), 150, 500)) < 2
