"""Claim C10: the data, the holes that all methods share, what is compared with what, and how it is judged."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article.claims import c10, c10_data, c10_verdict
from rnn_from_scratch.validate import ArgumentError

SAVED = Path(__file__).parents[2] / "benchmarks" / "results" / "claim_c10.json"
QUICK = {"missing": (0.2,), "sequences": 60, "filling_updates": 12, "forecast_updates": 8}


@pytest.mark.parametrize("name", c10_data.DATA)
def test_the_data_are_complete_and_repeat(name):
    parts = c10_data.complete_data(name, rng=np.random.default_rng(0), sequences=50)
    again = c10_data.complete_data(name, rng=np.random.default_rng(0), sequences=50)
    D = {"sines": 1, "factors": 4, "prices": 5}[name]
    assert parts.known == (name == "prices")
    assert parts.train.shape == parts.test.shape == (20 + parts.known, 50, D)
    assert parts.train_targets.shape == parts.test_targets.shape == (50, D)
    for one, other in zip(parts[:4], again[:4], strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, other)
    other = c10_data.complete_data(name, rng=np.random.default_rng(1), sequences=50)
    assert np.array_equal(parts.train, other.train) == (name == "prices")


def test_what_each_data_set_is():
    sines = c10_data.complete_data("sines", rng=np.random.default_rng(0), sequences=400)
    np.testing.assert_array_equal(4 * sines.train, np.round(4 * sines.train))  # quantised: the mode has a meaning
    assert sines.train.std() == pytest.approx(1.0, abs=0.05)
    factors = c10_data.complete_data("factors", rng=np.random.default_rng(0), sequences=400).train
    rows = factors.reshape(-1, 4)
    rest = rows[:, :1] - rows[:, 1:] @ np.linalg.lstsq(rows[:, 1:], rows[:, :1], rcond=None)[0]
    assert rest.std() < 0.45 * rows[:, 0].std()  # the other features tell most of the first
    prices = c10_data.complete_data("prices", rng=np.random.default_rng(0))
    steps = np.diff(prices.train, axis=0)
    assert np.abs(np.mean(steps[1:] * steps[:-1]) / steps.var()) < 0.1  # a random walk's steps do not tell the next
    first, second = prices.train[:, 0], prices.train[:, 1]  # windows a month apart show the same months
    np.testing.assert_allclose(second[:-1] - second[0], first[1:] - first[1])
    assert not prices.train[0].any()
    assert not prices.test[0].any()
    target = prices.train_targets[0] - first[-1]  # the month after is the last step's next
    np.testing.assert_allclose(target, second[-1] - second[-2], rtol=0, atol=1e-12)
    assert prices.train.shape[1] + prices.test.shape[1] < 350
    with pytest.raises(ArgumentError, match="name is 'weather'"):
        c10_data.complete_data("weather", rng=np.random.default_rng(0))


def test_a_condition_hides_the_same_places_for_everybody_and_keeps_the_truth():
    at = c10.condition("factors", 0.3, 6, 0, 50)
    assert np.isnan(at.train).sum() == round(0.3 * at.train.size)
    np.testing.assert_array_equal(np.isnan(at.test), at.hidden)
    np.testing.assert_array_equal(at.test[~at.hidden], at.truth[~at.hidden])
    np.testing.assert_allclose(np.nanmean(at.train, axis=(0, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(at.train, axis=(0, 1)), 1)
    seen = ~np.isnan(at.train)
    np.testing.assert_array_equal(at.train[seen], at.train_truth[seen])
    assert np.isfinite(at.train_targets).all()
    assert np.isfinite(at.test_targets).all()
    start = c10.condition("prices", 0.5, 1, 0, 50)
    assert not start.hidden[0].any()  # the month before is known
    assert start.hidden.sum() == round(0.5 * start.hidden[1:].size)
    assert np.isfinite(start.train[0]).all()
    more = c10.condition("factors", 0.5, 6, 0, 50)
    assert np.corrcoef(at.truth[..., 0].ravel(), more.truth[..., 0].ravel())[0, 1] > 0.999999  # other units alone


def test_a_short_run_gives_each_method_what_its_name_says():
    found = c10.run(seeds=(0, 1), data=("sines", "prices"), patterns=("at random",), **QUICK)
    filling, forecast = found["filling"]["sines"]["at random"], found["forecast"]["sines"]["at random"]
    assert set(filling) == set(c10.FILLINGS)
    assert set(forecast) == set(c10.FORECASTS)
    assert list(found["refused"]) == ["prices"]
    assert "occur once" in found["refused"]["prices"]["mode"]
    assert found["filling"]["prices"]["at random"]["mode"] == [None]
    for seed in (0, 1):
        at = c10.condition("sines", 0.2, 1, seed, 60)
        truth = at.truth[at.hidden]
        assert filling["mean"][0][seed] == pytest.approx(np.sqrt((truth**2).mean()))
        assert filling["interpolation"][0][seed] < 0.6 * filling["mean"][0][seed]
        kept = np.isfinite(at.train).all(axis=(0, 2)).mean()
        assert found["kept"]["sines"]["at random"][0][seed] == kept
    assert found["verdict"] == c10.verdict(found)
    json.dumps(found, allow_nan=False)
    again = c10.run(seeds=(0, 1), data=("sines",), patterns=("at random",), forecasts=("GRU-D",), **QUICK)
    assert again["filling"]["sines"] == found["filling"]["sines"]
    assert again["forecast"]["sines"]["at random"]["GRU-D"] == forecast["GRU-D"]


def test_deletion_keeps_the_share_it_must():
    kept = np.mean([np.isfinite(c10.condition("sines", 0.05, 1, seed, 250).train).all(axis=(0, 2)).mean()
                    for seed in range(8)])
    expected = 0.95**20  # 0.358
    assert kept == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 2000))


def test_where_nothing_is_left_there_is_no_forecast_or_the_mean():
    at = c10.condition("factors", 0.6, 1, 0, 30)
    with pytest.raises(ArgumentError, match="deletion would leave nothing"):
        c10.deleted("sequences", at)
    at = c10.condition("factors", 0.6, 1, 0, 60)
    inputs = c10.deleted("steps", at)
    assert len(inputs.test_chosen) < 60  # the others' forecast is the training part's mean
    gone = np.setdiff1d(np.arange(60), inputs.test_chosen)
    error = c10.forecast_error(at, inputs, 0, 1)
    only = at._replace(test_targets=at.test_targets.copy())
    only.test_targets[gone] = at.train_targets.mean(axis=0)
    rest = c10.forecast_error(only, inputs, 0, 1)
    constant = ((at.test_targets[gone] - at.train_targets.mean(axis=0)) ** 2).sum() / at.test_targets.size
    assert error**2 - rest**2 == pytest.approx(constant)


def test_ratios_are_paired():
    middle, low, high = c10_verdict.ratio_interval([1.0, 10.0, 100.0], [2.0, 20.0, 200.0])
    np.testing.assert_allclose([middle, low, high], 0.5)
    middle, low, high = c10_verdict.ratio_interval([1.0, 2.0], [2.0, 2.0])
    half = 12.706 * (math.log(2) / math.sqrt(2)) / math.sqrt(2)
    np.testing.assert_allclose([middle, low, high], [0.5**0.5, 0.5**0.5 * math.exp(-half), 0.5**0.5 * math.exp(half)])
    assert c10_verdict.ratio_interval([1.0], [2.0]) == (0.5, 0.0, math.inf)
    for pair in (([1.0], []), ([], [])):
        with pytest.raises(ArgumentError, match="ratio_interval"):
            c10_verdict.ratio_interval(*pair)
    assert c10_verdict.judged([1, 1.1, 1], [2, 2.1, 2.2]) == "better"
    assert c10_verdict.judged([2, 2.1, 2.2], [1, 1.1, 1]) == "worse"
    assert c10_verdict.judged([2, 1, 2], [1, 2, 2]) == "open"


def invented(model, mean=(1.0, 1.01), kept=0.5):
    simple = {"mean": [list(mean)], "mode": [None], "interpolation": [[0.5, 0.5]]}
    return {
        "missing": [0.2], "kept": {"sines": {"at random": [[kept, kept]]}},
        "filling": {"sines": {"at random": {**simple, "model": [list(model)]}}},
        "forecast": {"sines": {"at random": {
            **simple, "complete": [[0.3, 0.3]], "delete sequences": [[2.0, 2.02]], "last value": [[0.6, 0.61]]}}},
    }


def test_the_verdict_follows_the_numbers():
    good = c10.verdict(invented((0.3, 0.3)))
    assert "Deletion loses data: holds. Of the sequences at most so many are complete: 50.0% with 20% missing" in good
    assert "in 0 of 1 cases some seed has nothing left" in good.lower()
    assert "worse than after filling with the last value in 1, better in 0" in good
    assert "Mean filling costs accuracy: holds; its forecasts are worse than from complete data in 1 of 1" in good
    assert "worse in 1 and better in 0 as a filling, and worse in 1 and better in 0 for the forecast" in good
    assert "best simple filling: holds, in 1 of 1 cases, worse in 0 (sines at random 1 of 1)" in good
    bad = c10.verdict(invented((0.7, 0.7), kept=1.0))
    assert "Deletion loses data: does not hold" in bad
    assert "does not hold, in 0 of 1 cases, worse in 1 (sines at random 0 of 1 (worse in 1))" in bad
    assert c10_verdict.against_best(invented((0.25, 0.25)), "sines", "at random") == [("interpolation", 0.5, "better")]


def test_the_saved_result_is_whole_and_says_what_it_is_judged_by():
    saved = json.loads(SAVED.read_text(encoding="utf-8"))
    assert saved["verdict"] == c10.verdict(saved)
    assert len(saved["seeds"]) >= 5
    assert (min(saved["missing"]), max(saved["missing"])) == (0.05, 0.6)
    assert set(saved["filling"]) == set(c10_data.DATA)
    for patterns in saved["forecast"].values():
        assert set(patterns) == set(c10.PATTERNS)
        for rows in patterns.values():
            assert set(rows) == set(c10.FORECASTS)
            assert all(len(row) == 4 for row in rows.values())
