"""Claim C9: runs are compared where training losses are equal indeed; the verdict; the saved result."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article.claims import c9
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import minibatches
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.optim import GradientDescent

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "claim_c9.json"


def test_one_label_in_five_is_wrong():
    xs, labels = c9.noisy_data(rng=np.random.default_rng(0), N=4000)
    weights = 0.8 ** np.arange(11, -1, -1)
    truth = np.einsum("t,tn->n", weights, xs[:, :, 0]) > 0
    assert 0.18 < (truth != labels).mean() < 0.22
    _, clean = c9.noisy_data(rng=np.random.default_rng(0), N=4000, turned=0.0)
    np.testing.assert_array_equal(clean, truth)


@pytest.fixture
def few_tests(monkeypatch):
    monkeypatch.setattr(c9, "TEST", 100)


@pytest.mark.usefixtures("few_tests")
@pytest.mark.parametrize(("rate", "every"), [(0.1, 1), (0.01, 3)])
def test_levels_are_crossed_where_a_plain_loop_crosses_them(rate, every):
    levels = (0.6, 0.5, 0.45)
    found = c9.train(rate, 64, 3, levels)
    rng = np.random.default_rng([3, 64])
    xs, targets = c9.noisy_data(rng=rng, N=64)
    test_xs, test_targets = c9.noisy_data(rng=rng, N=c9.TEST)
    model = SequenceModel(Recurrent(RNNCell(4, 32)), 2, outputs="many-to-one")
    params, rule, train, test = model.init_params(rng=rng), GradientDescent(rate), [], []

    def measure():
        for losses, x, y in ((train, xs, targets), (test, test_xs, test_targets)):
            losses.append(float(model.loss(model.forward(params, x)[0], y)[0]))

    measure()
    k = 0
    while k < c9.EQUAL_UPDATES:
        for batch in minibatches(xs, targets, 8, over_time=False, rng=rng):
            _, grads, _ = model.loss_and_grads(params, batch.xs, batch.targets)
            params, _ = rule.update(params, grads, rule.init(params))
            k += 1
            if k % every == 0 or k == c9.EQUAL_UPDATES:
                measure()
            if k == c9.EQUAL_UPDATES:
                break
    assert found.after == pytest.approx((train[-1], test[-1]), rel=1e-12)
    for level, update, value in zip(levels, found.updates, found.test, strict=True):
        at = next(i for i, loss in enumerate(train) if loss <= level)
        share = (train[at - 1] - level) / (train[at - 1] - train[at])
        assert update == pytest.approx(every * (at - 1 + share), rel=1e-9)
        assert value == pytest.approx(test[at - 1] + share * (test[at] - test[at - 1]), rel=1e-9)


@pytest.mark.usefixtures("few_tests")
def test_a_rate_too_large_never_arrives():
    found = c9.train(3.0, 64, 0, (0.1,))
    assert found.updates == [None]
    assert found.test == [None]
    assert None not in found.after
    with np.errstate(all="ignore"):  # the weights overflow, and the next forward pass refuses them
        assert c9.train(1e308, 64, 0, (0.1,)).after == (None, None)


@pytest.mark.usefixtures("few_tests")
def test_a_short_version():
    lines = []
    found = c9.run(seeds=(0, 1, 2), rates=(0.03, 0.3), sizes=(64,), levels=(0.4, 0.25), report=lines.append)
    assert lines[0] == "64 sequences, rate 0.03: 3 of 3 reach 0.25"
    for rate in (0.03, 0.3):
        later = np.array(c9.gaps(found, 64, rate, 0.25)) - c9.gaps(found, 64, rate, 0.4)
        assert (later > 0).all(), "who fits wrong labels better is further from the truth"
    assert c9.median_updates(found, 64, 0.03, 0.25) > 2 * c9.median_updates(found, 64, 0.3, 0.25)
    assert "Slow: holds; a small rate avoids overfitting: does not hold" in found["verdict"]


def made_up(gaps, updates=(100.0, 10.0)):
    """A result of three seeds and two rates with these gaps at the only level, 0.1."""
    return {"levels": [0.1], "rates": [0.01, 0.1], "seeds": [0, 1, 2], "equal_updates": 200, "sizes": {"64": {
        "after": [[[0.5, 0.7]] * 3, [[0.1, 1.3]] * 3],
        "test": [[[None if gap is None else gap + 0.1] for gap in row] for row in gaps],
        "updates": [[[number]] * 3 for number in updates],
    }}}


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (made_up([[0.5, 0.6, 0.7], [0.7, 0.81, 0.9]]),
         ["Slow: holds; a small rate avoids overfitting: does not hold; a large one overfits more at equal training "
          "loss: holds at the largest usable rate. ", "0.01 takes 10 times the updates of 0.1", "gap there is 0.60 (",
          "larger gap than 0.01 at 1 of 1 levels, by 0.20 on average", "After 200 updates each the gaps are 0.20 and"]),
        (made_up([[0.5, 0.6, 0.7], [0.4, 0.8, 0.7]]), ["training loss: does not hold", "at 0 of 1 levels, by 0.03"]),
        (made_up([[-0.1, 0.1, 0.0], [0.4, 0.5, 0.45]]), ["a small rate avoids overfitting: holds"]),
        (made_up([[0.5, 0.6, 0.7]] * 2, (10.0, 100.0)), ["Slow: does not hold"]),
        (made_up([[0.5, 0.6, 0.7], [0.5, None, 0.7]]), ["fewer than two rates reach 0.1"]),
    ],
)
def test_verdict(result, words):
    for word in words:
        assert word in c9.verdict(result)


def test_saved_result_is_what_the_code_gives():
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    assert found["verdict"] == c9.verdict(found)
    assert found["rates"] == list(c9.RATES)
    assert found["levels"] == list(c9.LEVELS)
    assert set(c9.SHOWN) <= set(c9.LEVELS)
    assert len(found["seeds"]) == 8
    again = c9.train(0.1, 64, 5)
    rows = found["sizes"]["64"]
    np.testing.assert_allclose(again.updates[:9], rows["updates"][3][5][:9], rtol=0.01)
    np.testing.assert_allclose(again.test[:9], rows["test"][3][5][:9], rtol=0.01)
