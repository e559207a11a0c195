"""The range test: what it tries, what it suggests on curves of each kind, and what it leaves alone."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_copy
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import minibatches, recall_data
from rnn_from_scratch.data.sources import Fresh, Sequences, Streams
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.optim import Adam, GradientDescent
from rnn_from_scratch.training.range_test import range_test, suggest
from rnn_from_scratch.validate import ArgumentError

MODEL = SequenceModel(Recurrent(RNNCell(5, 8)), 4, outputs="many-to-one")
PARAMS = MODEL.init_params(rng=np.random.default_rng(0))
XS, TARGETS, _ = recall_data(rng=np.random.default_rng(1), lag=3, N=96)
SOURCE = Sequences(XS, TARGETS[-1], 32)


@dataclass(frozen=True)
class Batch:
    """What a model of one weight needs: nothing."""

    number: int

    def arguments(self):
        return {"number": self.number}


class Parabola:
    """L = ½ λ θ²: a step of gradient descent multiplies θ by 1 − ηλ."""

    def __init__(self, curvature=4.0):
        self.curvature, self.seen, self.states = curvature, [], []

    def loss_and_grads(self, params, number, state=None, *, rng=None):
        self.seen.append(number)
        self.states.append(state)
        theta = params["w"]
        return 0.5 * self.curvature * float(theta @ theta), {"w": self.curvature * theta}, (state or 0) + 1


def test_every_rate_is_tried_once_and_means_what_it_says():
    """The losses of a parabola follow from the rates alone: θ is multiplied by 1 − ηλ each time."""
    model = Parabola(4.0)
    found = range_test(model, {"w": np.array([1.0])}, [Batch(k) for k in range(7)], GradientDescent(123.0),
                       lowest=1e-3, highest=0.4, updates=30)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-3, 0.4, 30), rtol=1e-14)
    theta = np.cumprod(np.r_[1.0, 1.0 - 4.0 * found.rates[:-1]])
    np.testing.assert_allclose(found.losses, 2.0 * theta**2, rtol=1e-12)
    assert model.seen == [k % 7 for k in range(30)], "a list begins anew when it ends"
    np.testing.assert_allclose(found.smoothed[:3], [found.losses[:2].mean(), found.losses[:3].mean(),
                                                    found.losses[1:4].mean()], rtol=1e-14)


def test_on_a_parabola_it_stops_soon_after_the_threshold():
    """Above 2/λ = 0.5 every step makes |θ| larger; the loss before that has fallen nearly to 0 and must climb back."""
    found = range_test(Parabola(4.0), {"w": np.array([1.0])}, [Batch(0)], GradientDescent(1.0), lowest=1e-3,
                       highest=100.0, updates=100)
    assert found.rates[-1] > 0.5
    assert len(found.rates) < 100
    over = [k for k in range(3, len(found.losses)) if found.losses[k - 2 : k + 1].mean() > 2 * found.losses[:3].mean()]
    assert over == [len(found.losses) - 1], "the first time that three losses are above twice the first three"
    assert 0.005 < found.suggestion < 0.5
    assert f"explodes at {found.rates[-1]:.2g}" in found.reason


def test_a_network_learns_at_the_rate_suggested():
    rng = np.random.default_rng(2)
    for optimizer in (GradientDescent(1.0), Adam(1.0)):
        found = range_test(MODEL, PARAMS, SOURCE, optimizer, rng=rng)
        kind = type(optimizer)
        params, rule = PARAMS, kind(found.suggestion)
        state = rule.init(params)
        for _ in range(100):
            _, grads, _ = MODEL.loss_and_grads(params, XS, TARGETS[-1])
            params, state = rule.update(params, grads, state)
        loss = float(MODEL.loss(MODEL.forward(params, XS)[0], TARGETS[-1])[0])
        assert loss < 0.3 < found.losses[0], f"{kind.__name__} at {found.suggestion}: {loss}"


def test_nothing_passed_in_changes_and_it_repeats():
    before = tree_copy(PARAMS)
    one, two = (range_test(MODEL, PARAMS, SOURCE, Adam(0.1), rng=np.random.default_rng(3), updates=40) for _ in "ab")
    np.testing.assert_equal(PARAMS, before)
    np.testing.assert_array_equal(one.losses, two.losses)
    assert one.reason == two.reason


def test_sources_of_each_kind():
    draw = Fresh(lambda rng: recall_data(rng=rng, lag=3, N=16))
    wide = SequenceModel(Recurrent(RNNCell(5, 8)), 4)
    assert len(range_test(wide, PARAMS, draw, Adam(0.1), rng=np.random.default_rng(0), highest=0.1).losses) == 100
    model = Parabola()

    class Windows:
        carries, updates = True, 3

        def epoch(self, rng, start=0):
            return iter([Batch(k) for k in range(3)])

    range_test(model, {"w": np.ones(1)}, Windows(), GradientDescent(1.0), highest=0.1, updates=20)
    assert model.states[:7] == [None, 1, 2, None, 1, 2, None], "the state is carried within an epoch"
    streams = Streams(XS, TARGETS, 2)
    assert len(range_test(wide, PARAMS, streams, Adam(0.1), highest=0.01, updates=30).losses) == 30
    batches = minibatches(XS, TARGETS[-1], 4)  # an iterator: 24 batches, once
    assert len(range_test(MODEL, PARAMS, batches, Adam(0.1), highest=0.1, updates=24).losses) == 24


def test_clipping_is_part_of_what_is_tested():
    start = {"w": np.array([1.0])}
    one = {"lowest": 0.01, "highest": 0.2, "updates": 20}
    plain = range_test(Parabola(), start, [Batch(0)], GradientDescent(1.0), **one)
    for clip in (0.5, lambda grads: ({"w": np.clip(grads["w"], -0.5, 0.5)}, 4.0)):
        clipped = range_test(Parabola(), start, [Batch(0)], GradientDescent(1.0), clip=clip, **one)
        theta = 1.0 - 0.5 * clipped.rates[0]
        assert clipped.losses[1] == pytest.approx(2.0 * theta**2, rel=1e-13)
        assert clipped.losses[-1] > plain.losses[-1]


# Curves without a suggestion

RATES = np.geomspace(1e-4, 1.0, 100)


def test_a_flat_curve_gives_none():
    noise = 0.1 * np.random.default_rng(0).standard_normal((200, 100))
    silent = sum(suggest(RATES, 0.7 + row, exploded=False)[1] is not None for row in noise)
    assert silent <= 4, "noise alone looks like a fall in at most 2 of 100"
    reason = suggest(RATES, 0.7 + noise[0], exploded=False)[2]
    assert reason.startswith("No suggestion: from 0.0001 to 1 the loss did not fall by more than its noise")
    assert "`highest`" in reason
    assert suggest(RATES, np.full(100, 0.7), exploded=False)[1] is None


def test_a_fall_through_noise_is_found_where_it_is():
    curve = 1.0 - 0.8 / (1.0 + np.exp(-(np.arange(100) - 60) / 4.0))
    smoothed, rate, _ = suggest(RATES, curve, exploded=False)
    at = list(RATES).index(rate)
    fall = smoothed[5] - smoothed.min()
    assert smoothed[at] <= smoothed[5] - 0.8 * fall < smoothed[at - 1]
    assert at in (66, 67), "a sigmoid of width 4 in the middle 60 has made 0.8 of its way at 60 + 4 ln 4"
    for seed in range(20):
        _, rate, reason = suggest(RATES, curve + 0.05 * np.random.default_rng(seed).standard_normal(100), False)
        assert RATES[60] < rate < RATES[72]
        assert f"{rate:.2g} is the first rate at which the smoothed loss has made four fifths of its fall" in reason
    still = suggest(RATES, curve - 0.002 * np.arange(100), exploded=False)
    assert "still falls" not in still[2]
    assert "still falls at the end" in suggest(RATES[:70], curve[:70], exploded=False)[2]


def test_where_all_rates_diverge_there_is_none():
    start = {"w": np.array([1.0])}
    found = range_test(Parabola(4.0), start, [Batch(0)], GradientDescent(1.0), lowest=5.0, highest=50.0)
    assert found.suggestion is None
    assert len(found.losses) == 4
    assert found.reason.startswith("No suggestion: the loss exploded at a rate of 5.4 and had not fallen before.")
    assert "lowest=0.005" in found.reason


def test_numbers_that_are_not_finite_end_it():
    for rate in (1e200, 1e308):
        found = range_test(MODEL, PARAMS, SOURCE, GradientDescent(1.0), lowest=rate, highest=1.5e308)
        assert found.suggestion is None
        assert np.isfinite(found.losses).all()
        assert "exploded" in found.reason


def test_the_picture_shows_the_test():
    found = range_test(MODEL, PARAMS, SOURCE, Adam(0.1), rng=np.random.default_rng(3), updates=40)
    axes = found.plot().axes[0]
    assert list(axes.lines[-1].get_xdata()) == [found.suggestion] * 2
    np.testing.assert_array_equal(axes.lines[-2].get_ydata(), found.smoothed)


# What is refused


def hole(at):
    batches = list(minibatches(XS, TARGETS[-1], 32))
    xs = batches[at].xs.copy()
    xs[0, 0, 0] = np.nan
    batches[at] = batches[at]._replace(xs=xs)
    return batches


@pytest.mark.parametrize("at", [0, 2])
def test_a_bad_batch_is_not_taken_for_a_bad_rate(at):
    with pytest.raises(ArgumentError, match=r"xs\[0, 0, 0\] is nan"):
        range_test(MODEL, PARAMS, hole(at), Adam(0.1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": 3}, "model is 3, expected an object with loss_and_grads()"),
        ({"model": SequenceModel}, "model is <class"),
        ({"optimizer": None}, "optimizer is None, expected an object with update()"),
        ({"optimizer": Adam}, "optimizer is <class"),
        ({"source": XS}, "source is a ndarray, expected a source such as Sequences, or a list of batches"),
        ({"source": 3}, "source is a int"),
        ({"source": Sequences}, "source is a type"),
        ({"source": [(XS, TARGETS)]}, "a batch is a tuple, expected a Batch"),
        ({"source": []}, "the batches ended after 0, expected 100, one for each update"),
        ({"source": minibatches(XS, TARGETS[-1], 32)}, "the batches ended after 3, expected 100"),
        ({"lowest": 0.0}, "lowest is 0.0, expected a finite number above 0.0"),
        ({"lowest": "low"}, "lowest is 'low'"),
        ({"highest": 1e-5}, "highest is 1e-05, expected a finite number above 1e-05 because the rates rise from"),
        ({"highest": np.inf}, "highest is inf"),
        ({"updates": 19}, "updates is 19, expected at least 20 because with fewer a fall cannot be told from noise"),
        ({"updates": 30.0}, "updates is 30.0"),
        ({"rng": 0}, "rng is 0, expected a numpy.random.Generator"),
        ({"clip": -1.0}, "clip is -1.0, expected a finite number above 0.0"),
        ({"clip": "norm"}, "clip is 'norm'"),
        ({"params": {}}, "params"),
    ],
)
def test_bad_arguments_are_refused(changes, message):
    arguments = {"model": MODEL, "params": PARAMS, "source": SOURCE, "optimizer": Adam(0.1), **changes}
    with pytest.raises(ArgumentError, match=re.escape(message)):
        range_test(**arguments)
