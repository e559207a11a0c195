"""Weight decay: whom it meets, what it does to two steps by hand, and how AdamW differs from Adam."""

import re

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_copy
from rnn_from_scratch.optim import AdaGrad, Adam, AdamW, GradientDescent, Momentum, Nesterov, RMSprop
from rnn_from_scratch.optim.decay import decay_rates, decayed
from rnn_from_scratch.validate import ArgumentError

KINDS = [GradientDescent, Momentum, Nesterov, AdaGrad, RMSprop, Adam, AdamW]
PARAMS = {"recurrent": {"W_hh": np.array([[2.0]]), "b_h": np.array([4.0])}, "norm": [{"gain": np.array([8.0])}]}
ZERO = {"recurrent": {"W_hh": np.zeros((1, 1)), "b_h": np.zeros(1)}, "norm": [{"gain": np.zeros(1)}]}


def values(params):
    return params["recurrent"]["W_hh"].item(), params["recurrent"]["b_h"].item(), params["norm"][0]["gain"].item()


def test_gradient_descent_shrinks_by_one_minus_rate_times_decay():
    rule = GradientDescent(0.5, weight_decay=0.1)
    assert values(rule.update(PARAMS, ZERO, rule.init(PARAMS))[0]) == pytest.approx((1.9, 3.8, 7.6), rel=1e-15)
    rule = GradientDescent(0.5, weight_decay=0.1, spare=("b_", "gain"))
    assert values(rule.update(PARAMS, ZERO, rule.init(PARAMS))[0]) == pytest.approx((1.9, 4.0, 8.0), rel=1e-15)


def test_the_rate_of_every_array_goes_by_its_own_name():
    rates = decay_rates(PARAMS, 0.1, ("b_", "gain"))
    assert rates == {"recurrent": {"W_hh": 0.1, "b_h": 0.0}, "norm": [{"gain": 0.0}]}
    assert decay_rates(PARAMS, 0.1, ("recurrent",)) == {
        "recurrent": {"W_hh": 0.1, "b_h": 0.1}, "norm": [{"gain": 0.1}]}, "a layer's name spares nothing"
    assert decay_rates(PARAMS, 0.1, ()) == decay_rates(PARAMS, 0.1, ("recurrent",))
    assert decayed(PARAMS, ZERO, 0.0, ()) is ZERO
    assert values(decayed(PARAMS, ZERO, 0.1, ("b_",))) == pytest.approx((0.2, 0.0, 0.8), rel=1e-15)


def test_adam_divides_the_decay_and_adamw_does_not():
    """One entry with gradients of 0: Adam's step is η whatever λ is; AdamW shrinks it by ηλ."""
    params, zero = {"w": np.array([2.0])}, {"w": np.zeros(1)}
    for decay in (0.01, 1.0):
        adam, adamw = Adam(0.1, weight_decay=decay), AdamW(0.1, weight_decay=decay)
        assert adam.update(params, zero, adam.init(params))[0]["w"][0] == pytest.approx(1.9, abs=1e-6)
        assert adamw.update(params, zero, adamw.init(params))[0]["w"][0] == pytest.approx(2 * (1 - 0.1 * decay))


@pytest.mark.parametrize("kind", KINDS)
def test_with_decay_nothing_passed_in_changes_and_float32_stays(kind):
    rule = kind(np.float64(0.1), weight_decay=np.float64(0.5), spare=["b"])
    params = {"W": np.ones((2, 2), np.float32), "b": np.ones(2, np.float32)}
    grads = {"W": np.full((2, 2), 0.5, np.float32), "b": np.array([0.5, -0.5], np.float32)}
    state = rule.init(params)
    before = tree_copy([params, grads, state])
    new, after = rule.update(params, grads, state)
    np.testing.assert_equal([params, grads, state], before)
    new, after = rule.update(new, grads, after)
    arrays = [*new.values(), *(array for part in after[1:] for array in part.values())]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    plain = kind(0.1, weight_decay=0.0)
    same, _ = plain.update(params, grads, plain.init(params))
    np.testing.assert_array_equal(rule.update(params, grads, state)[0]["b"], same["b"])
    assert (rule.update(params, grads, state)[0]["W"] <= same["W"]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("decay", [-0.1, np.nan, np.inf, "much", True, None])
def test_a_decay_that_is_none_is_refused(kind, decay):
    with pytest.raises(ArgumentError, match=f"{kind.__name__}: weight_decay is .*at least 0.0 because a negative one"):
        kind(0.1, weight_decay=decay)


@pytest.mark.parametrize("spare", ["b_", ("b_", ""), (1,), None, {"b_"}, (None,)])
def test_spare_is_a_tuple_of_texts(spare):
    with pytest.raises(ArgumentError, match=re.escape('Try spare=("b_", "gain", "bias")')):
        GradientDescent(0.1, spare=spare)
