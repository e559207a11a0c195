"""Claim C13: the best rate of a curve, the factors and what one rate for all costs, the verdict, the saved result."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article.claims import c13
from rnn_from_scratch.validate import ArgumentError

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "claim_c13.json"
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


@pytest.mark.parametrize("truth", [0.02, 0.03, 0.06, 0.1, 0.15])
def test_the_best_rate_of_a_parabola_is_its_lowest_point(truth):
    scores = 0.4 + 0.01 * (np.log(RATES) - np.log(truth)) ** 2
    assert c13.best_rate(RATES, scores) == pytest.approx(truth, rel=1e-9)


def test_the_best_rate_at_an_edge_and_of_a_flat_curve():
    assert c13.best_rate(RATES, range(6)) == 0.003
    assert c13.best_rate(RATES, range(6, 0, -1)) == 1.0
    assert c13.best_rate(RATES, [2.0, 1.0, 1.0, 1.0, 1.0, 1.0]) == pytest.approx(np.sqrt(0.01 * 0.03), rel=1e-9)
    with pytest.raises(ArgumentError, match="6 rates and 3 scores"):
        c13.best_rate(RATES, [1.0, 2.0, 3.0])


def made_up(best):
    """Scores whose best rates are these: by width, size and seed, three seeds; the curve's height differs by pair."""
    best = np.array(best)
    height = np.arange(best[..., 0].size).reshape(best.shape[:2])
    scores = height[..., None, None] + (np.log(RATES)[:, None] - np.log(best)[:, :, None, :]) ** 2
    result = {"widths": [4, 64], "sizes": [32, 2048], "rates": list(RATES), "scores": scores.tolist()}
    return {**result, **c13.measured(result)}


def test_factors_are_paired_by_seed_and_geometric():
    """From width to width × 1/4 for each size and seed; from size to size × 2, × 2 and × 1: ∛4 on average."""
    narrow = np.array([[0.12, 0.14, 0.1], [0.24, 0.28, 0.1]])
    found = made_up([narrow, narrow / 4])
    factor, low, high = found["factors"]["width"]
    assert (factor, low, high) == pytest.approx((0.25, 0.25, 0.25), rel=1e-9)
    assert found["factors"]["data"][0] == pytest.approx(4 ** (1 / 3), rel=1e-9)
    assert found["factors"]["data"][1] < 1.0 < found["factors"]["data"][2]
    text = c13.verdict(found)
    assert text.startswith("Holds for the model's width, not shown for the amount of data.")
    assert "From 4 to 64 units the best rate is multiplied by 0.25 (95 %: 0.25 to 0.25)." in text
    assert "which may be chance" in text


def test_what_one_rate_for_all_costs():
    scores = np.zeros((1, 2, 3, 2))  # one width, two sizes, three rates, two seeds
    scores[0, 0] = [[1.0, 1.0], [2.0, 2.0], [5.0, 5.0]]
    scores[0, 1] = [[3.0, 3.2], [1.5, 1.7], [1.0, 1.0]]
    found = c13.common_rate((0.01, 0.1, 1.0), scores)
    assert found["rate"] == 0.1
    assert found["costs"][0][0] == pytest.approx([1.0, 1.0, 1.0])
    assert found["costs"][0][1][0] == pytest.approx(0.6)
    assert found["costs"][0][1][1] < 0.5 < 0.7 < found["costs"][0][1][2]


def test_verdicts():
    both = made_up([[[0.1, 0.12, 0.1], [0.2, 0.25, 0.2]], [[0.02, 0.02, 0.03], [0.04, 0.05, 0.06]]])
    assert c13.verdict(both).startswith("Holds. ")
    neither = made_up([[[0.1, 0.12, 0.02]] * 2, [[0.02, 0.12, 0.1]] * 2])
    assert c13.verdict(neither).startswith("Does not hold here. ")
    data = made_up([[[0.02, 0.02, 0.03], [0.1, 0.12, 0.1]], [[0.02, 0.03, 0.02], [0.1, 0.1, 0.12]]])
    assert c13.verdict(data).startswith("Holds for the amount of data, not shown for the model's width. ")


@pytest.fixture
def few_tests(monkeypatch):
    monkeypatch.setattr(c13, "TEST", 50)
    monkeypatch.setattr(c13, "UPDATES", 40)


@pytest.mark.usefixtures("few_tests")
def test_a_score_is_the_lowest_on_the_way():
    good = c13.score(4, 32, 0.1, 0)
    with np.errstate(all="ignore"):  # the weights overflow, and the next forward pass refuses them
        wild = c13.score(4, 32, 1e308, 0)
    assert good < wild, "a run that ends at once keeps the loss it began with"
    assert c13.score(4, 32, 0.1, 0) == good
    assert c13.LOOKS[0] == 0
    assert c13.LOOKS[-1] == 200


@pytest.mark.usefixtures("few_tests")
def test_a_short_version():
    lines = []
    found = c13.run(seeds=(0, 1), widths=(4, 8), sizes=(32, 64), rates=(0.03, 0.3), report=lines.append)
    assert np.array(found["scores"]).shape == (2, 2, 2, 2)
    assert np.array(found["best"]).shape == (2, 2, 2)
    assert len(lines) == 4
    assert found["scores"][0][0][1][1] == c13.score(4, 32, 0.3, 1)


def test_saved_result_is_what_the_code_gives():
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    assert found["verdict"] == c13.verdict(found)
    assert (found["widths"], found["sizes"], found["rates"]) == (list(c13.WIDTHS), list(c13.SIZES), list(c13.RATES))
    again = c13.measured(found)
    np.testing.assert_allclose(again["best"], found["best"], rtol=1e-9)
    assert again["common"]["rate"] == found["common"]["rate"]
    assert c13.score(16, 64, 0.1, 2) == pytest.approx(found["scores"][1][0][3][2], rel=0.01)
