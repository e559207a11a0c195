"""Claim C1: what can be held, what is learned, and how both are judged."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article.claims import c1
from rnn_from_scratch.data import recall_data
from rnn_from_scratch.optim import GradientDescent
from rnn_from_scratch.validate import ArgumentError

SAVED = json.loads((Path(__file__).parents[2] / "benchmarks" / "results" / "claim_c1.json").read_text(encoding="utf-8"))


def test_the_lamp_holds_for_ever_and_mends_itself_and_passes_no_gradient():
    found = c1.can_hold((1, 7, 1000))
    np.testing.assert_allclose(found["on"], 0.6, rtol=1e-14)
    np.testing.assert_allclose(found["off"], -0.6, rtol=1e-14)
    h = 0.5
    for _ in range(7):
        h = np.tanh(5 / 3 * np.log(2) * h)
    assert found["disturbed"][1] == pytest.approx(h, rel=1e-13)
    assert found["disturbed"][2] == pytest.approx(0.6, rel=1e-14)
    factor = 5 / 3 * np.log(2) * (1 - 0.36)  # 0.739357 a hold
    np.testing.assert_allclose(found["gradient"], [factor, factor**7, factor**1000], rtol=1e-10)


def test_noise_falls_between_the_cue_and_the_question():
    silent, symbols = c1.draw("silence", 6, 400, np.random.default_rng(0))
    noisy, same = c1.draw("noise", 6, 400, np.random.default_rng(0))
    xs, targets, _ = recall_data(rng=np.random.default_rng(0), lag=6, N=400)
    np.testing.assert_array_equal(silent, xs)
    np.testing.assert_array_equal(symbols, targets[-1])
    np.testing.assert_array_equal(same, symbols)
    np.testing.assert_array_equal(noisy[[0, -1]], silent[[0, -1]])
    assert noisy[1:-1].std() == pytest.approx(0.3, abs=0.01)
    assert np.abs(noisy[1:-1].mean(axis=1)).max() < 0.06
    assert len(np.unique(silent, axis=1)[0]) == 4


def test_every_kind_starts_and_is_trained_as_its_name_says():
    lag = 30
    for name, kind in c1.KINDS.items():
        params = kind.start(kind.cell, lag, np.random.default_rng(0))
        assert kind.cell.hidden_size == 32
        radius = np.abs(np.linalg.eigvals(params["W_hh"][:, :32]))
        keeps = params["b_h"][32:64]
        assert (kind.optimizer is GradientDescent) == ("gradient descent" in name)
        if "radius" in name:
            assert radius.max() == pytest.approx(0.8)
        else:
            np.testing.assert_allclose(radius, 1.0)
        if "chrono" in name:  # memories of up to lag + 1 steps
            assert 20 < (1 + np.exp(keeps)).max() <= lag + 1
        elif "bias" in name:
            np.testing.assert_array_equal(keeps, 1.0 if "bias 1" in name else 0.0)


def test_the_start_decides_what_the_same_network_learns():
    found = c1.run(seeds=(0,), tuning_seeds=(100,), lags=(5, 60), tasks=("silence",), updates=150,
                   kinds=("RNN, radius 0.8, gradient descent", "RNN, orthogonal"))
    small, orthogonal = found["tasks"]["silence"].values()
    assert small["learned"] == [1, 0]
    assert orthogonal["learned"] == [1, 1]
    assert small["updates"][1] == [150]
    assert orthogonal["updates"][1][0] < 150  # it ends when it has learned
    assert small["interval"] == [[0.2065, 1.0], [0.0, 0.7935]]
    assert small["accuracy"][1][0] < 0.6
    assert found["verdict"] == c1.verdict(found)


def test_a_training_ends_by_its_loss_and_is_judged_by_its_accuracy(monkeypatch):
    outcome = c1.train("silence", "RNN, orthogonal", 5, 0.03, 0, 100)
    assert outcome.learned
    assert 20 <= outcome.updates < 60
    assert c1.train("silence", "RNN, orthogonal", 5, 0.03, 0, 100) == outcome
    monkeypatch.setattr(c1, "ENOUGH", 0.0)
    assert c1.train("silence", "RNN, orthogonal", 5, 0.03, 0, 40).updates == 40
    assert not c1.Outcome(10, 0.89).learned
    with np.errstate(all="ignore"):
        lost = c1.train("silence", "RNN, radius 0.8, gradient descent", 5, 1e308, 0, 40)
    assert lost.accuracy == 0.25
    assert lost.updates < 40
    with pytest.raises(ArgumentError, match="task"):
        c1.train("din", "RNN, orthogonal", 5, 0.03, 0, 40)
    with pytest.raises(ArgumentError, match="kind"):
        c1.train("noise", "MLP", 5, 0.03, 0, 40)


@pytest.mark.parametrize(("outcomes", "rate", "limits"), [
    # the accuracies and updates of 0.003, 0.01, 0.03 on seed 7, then on seed 8
    ([(300, 1.0), (50, 1.0), (100, 0.3), (200, 1.0), (90, 0.95), (150, 0.9)], 0.01, [600, 600, 100, 600, 400, 180]),
    ([(600, 0.3), (600, 0.5), (600, 0.2), (600, 0.3), (600, 0.25), (600, 0.6)], 0.03, [600] * 6),
    ([(500, 1.0), (600, 0.3), (600, 0.2), (500, 1.0), (90, 1.0), (180, 0.3)], 0.003, [600, 600, 600, 600, 600, 180]),
])
def test_the_best_rate(monkeypatch, outcomes, rate, limits):
    asked, rest = [], iter(outcomes)

    def train(task, kind, lag, rate, seed, updates):
        asked.append((rate, seed, updates))
        return c1.Outcome(*next(rest))

    monkeypatch.setattr(c1, "train", train)
    best, accuracies = c1.best_rate("noise", "RNN, orthogonal", 5, (7, 8), 600)
    assert best == rate
    assert asked == [(rate, seed, limit) for (seed, rate), limit in
                     zip([(seed, rate) for seed in (7, 8) for rate in c1.RATES], limits, strict=True)]
    assert accuracies == {rate: [outcomes[i][1], outcomes[i + 3][1]] for i, rate in enumerate(c1.RATES)}


def result(**learned):
    tasks = {"silence": {kind: {"learned": row} for kind, row in learned.items()}}
    return {"seeds": [0, 1, 2, 3, 4], "lags": [5, 10, 20], "hold": c1.can_hold((1, 10)), "tasks": tasks}


@pytest.mark.parametrize(("learned", "words"), [
    ({"A": [5, 5, 4], "B": [4, 4, 4]}, "Can learn: holds up to lag 20."),
    ({"A": [5, 5, 5], "B": [5, 3, 5]}, "Can learn: holds up to lag 5 for all kinds, up to lag 20 for A."),
    ({"A": [5, 4, 0], "B": [5, 5, 1], "C": [3, 3, 3]}, "holds for some kinds, up to lag 10 for A and B."),
    ({"A": [3, 5, 5]}, "Can learn: does not hold."),
])
def test_the_verdict_follows_the_counts(learned, words):
    found = result(**learned)
    text = c1.verdict(found)
    assert text.startswith("Can hold: holds (the lamp, 10 steps). ")
    assert words in text
    assert "at least 4 of 5 seeds" in text


def test_the_verdict_takes_the_worse_of_the_tasks():
    found = result(A=[5, 5, 5], B=[5, 5, 0])
    found["tasks"]["noise"] = {"A": {"learned": [5, 0, 0]}, "B": {"learned": [5, 5, 5]}}
    assert "holds up to lag 5 for all kinds, up to lag 10 for B." in c1.verdict(found)
    assert c1.verdict(found).endswith("silence: 20 (A), 10 (B); noise: 5 (A), 20 (B).")
    found["hold"]["off"][-1] = -0.5
    assert c1.verdict(found).startswith("Can hold: does not hold")


def test_the_saved_result_is_what_the_code_gives():
    assert SAVED["verdict"] == c1.verdict(SAVED)
    assert SAVED["lags"] == list(c1.LAGS)
    assert not set(SAVED["seeds"]) & set(SAVED["tuning_seeds"])
    assert list(SAVED["tasks"]) == list(c1.TASKS)
    for task, kinds in SAVED["tasks"].items():
        assert list(kinds) == list(c1.KINDS)
        for kind, rows in kinds.items():
            assert set(rows) == set(c1.KEYS)
            assert rows["learned"] == [sum(value >= 0.9 for value in values) for values in rows["accuracy"]]
            assert all(rate in c1.KINDS[kind].rates for rate in rows["rate"])
            for updates, accuracies in zip(rows["updates"], rows["accuracy"], strict=True):
                assert len(updates) == len(accuracies) == len(SAVED["seeds"])
                assert max(updates) <= SAVED["updates"]
            again = c1.train(task, kind, 5, rows["rate"][0], 0, SAVED["updates"])
            assert again.updates == pytest.approx(rows["updates"][0][0], abs=2)
            assert again.accuracy == pytest.approx(rows["accuracy"][0][0], abs=0.02)
