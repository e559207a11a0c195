"""The adaptive rules by hand, Adam against a plain loop and PyTorch's values (more: test_against_pytorch.py)."""

import math

import numpy as np
import pytest

from rnn_from_scratch.optim import AdaGrad, Adam, AdamW, RMSprop
from rnn_from_scratch.validate import ArgumentError


def test_the_first_step_has_the_length_of_the_rate():
    optimizer = Adam(0.01)
    params = {"w": np.zeros(3)}
    new, _ = optimizer.update(params, {"w": np.array([1e-3, -5.0, 1e4])}, optimizer.init(params))
    np.testing.assert_allclose(new["w"], [-0.01, 0.01, -0.01], rtol=2e-5)


def test_fifty_steps_are_the_plain_loop():
    rng = np.random.default_rng(4)
    start, gradients = rng.normal(size=3), rng.normal(size=(50, 3)) * [1.0, 100.0, 1e-4]
    optimizer = Adam(0.02, beta1=0.8, beta2=0.99, epsilon=1e-6)
    params = {"w": start}
    state = optimizer.init(params)
    theta, m, v = list(start), [0.0] * 3, [0.0] * 3
    for k, gradient in enumerate(gradients, start=1):
        params, state = optimizer.update(params, {"w": gradient}, state)
        for i, g in enumerate(gradient):
            m[i] = 0.8 * m[i] + 0.2 * g
            v[i] = 0.99 * v[i] + 0.01 * g**2
            theta[i] -= 0.02 * (m[i] / (1 - 0.8**k)) / (math.sqrt(v[i] / (1 - 0.99**k)) + 1e-6)
        np.testing.assert_allclose(params["w"], theta, rtol=0, atol=1e-13)
    assert state.updates == 50


def test_path_is_pytorchs(reference_path):
    ours, theirs = reference_path("adam", Adam(0.05))
    for k, (one, two) in enumerate(zip(ours, theirs, strict=True)):
        for name in one:
            np.testing.assert_allclose(one[name], two[name], rtol=0, atol=1e-12, err_msg=f"update {k + 1}, {name}")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"beta1": 1.0}, "beta1 is 1.0, expected a finite number at least 0.0 and below 1.0"),
        ({"beta2": -0.1}, "beta2 is -0.1"),
        ({"beta2": 1.5}, "beta2 is 1.5"),
        ({"epsilon": 0.0}, "epsilon is 0.0, expected a finite number above 0.0"),
    ],
)
def test_choices_that_break_the_rule_are_refused(choices, message):
    with pytest.raises(ArgumentError, match=message):
        Adam(0.1, **choices)


def steps(optimizer, gradients):
    """The steps of one weight that starts at 0."""
    params, seen = {"w": np.zeros(1)}, [0.0]
    state = optimizer.init(params)
    for gradient in gradients:
        params, state = optimizer.update(params, {"w": np.array([gradient])}, state)
        seen.append(params["w"].item())
    return np.diff(seen)


def test_adagrad_by_hand():
    """s = 9, 9 + 16 = 25, 25 + 144 = 169: steps −0.1 · 3/3, −0.1 · 4/5, −0.1 · 12/13."""
    np.testing.assert_allclose(steps(AdaGrad(0.1), (3.0, 4.0, 12.0)), [-0.1, -0.08, -1.2 / 13], rtol=1e-9)


def test_rmsprop_by_hand():
    """α = 0.75: s = 4, 3 + 1 = 4 for g = 4, 2; the first step is η/√(1 − α) = 2η."""
    np.testing.assert_allclose(steps(RMSprop(0.1, decay=0.75), (4.0, 2.0)), [-0.2, -0.1], rtol=1e-8)
    # with momentum 0.5: v = 2, then 1 + 1
    np.testing.assert_allclose(steps(RMSprop(0.1, decay=0.75, momentum=0.5), (4.0, 2.0)), [-0.2, -0.2], rtol=1e-8)
    # centred: m = 1, then 0.75 + 0.5 = 1.25; s − m² = 3, then 4 − 1.5625
    centred = steps(RMSprop(0.1, decay=0.75, centered=True), (4.0, 2.0))
    np.testing.assert_allclose(centred, [-0.4 / math.sqrt(3), -0.2 / math.sqrt(2.4375)], rtol=1e-7)


def test_rmsprop_keeps_no_memory_that_it_does_not_use():
    params, optimizer = {"w": np.ones(2)}, RMSprop(0.1)
    _, state = optimizer.update(params, {"w": np.array([3.0, -4.0])}, optimizer.init(params))
    assert not state.velocity["w"].any()
    assert not state.mean["w"].any()
    np.testing.assert_allclose(state.square["w"], [0.09, 0.16], rtol=1e-14)


def test_centred_rmsprop_survives_a_constant_gradient():
    """s − m² goes to 0, and rounding takes it below: no NaN."""
    for dtype in (np.float32, np.float64):
        optimizer, params = RMSprop(1e-9, decay=0.5, centered=True), {"w": np.zeros(3, dtype)}
        state = optimizer.init(params)
        for _ in range(200):
            params, state = optimizer.update(params, {"w": np.array([0.1, 0.3, 7.7], dtype)}, state)
            assert np.isfinite(params["w"]).all()
        assert (state.square["w"] - state.mean["w"] ** 2).min() <= 0.0, "the case that was meant"


@pytest.mark.parametrize("kind", [AdaGrad, RMSprop, Adam, AdamW])
def test_a_gradient_whose_square_overflows_is_refused(kind):
    optimizer, params = kind(0.1), {"w": np.zeros(2, np.float32)}
    message = rf"{kind.__name__}.update: grads w has an entry too large to square, expected entries below 2e\+19.*Clip"
    with pytest.raises(ArgumentError, match=message):
        optimizer.update(params, {"w": np.array([1.0, 1e20], np.float32)}, optimizer.init(params))
    new, _ = optimizer.update(params, {"w": np.array([1.0, 1e18], np.float32)}, optimizer.init(params))
    assert np.isfinite(new["w"]).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RMSprop(0.1, decay=1.0), "RMSprop: decay is 1.0"),
        (lambda: RMSprop(0.1, epsilon=-1.0), "RMSprop: epsilon is -1.0"),
        (lambda: RMSprop(0.1, centered=1), "RMSprop: centered is 1, expected one of True, False"),
        (lambda: AdaGrad(0.1, epsilon=0.0), "AdaGrad: epsilon is 0.0"),
        (lambda: AdamW(0.1, beta2=1.0), "AdamW: beta2 is 1.0"),
        (lambda: AdamW(0.1, epsilon="small"), "AdamW: epsilon is 'small'"),
    ],
)
def test_choices_of_the_others_are_checked_too(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
