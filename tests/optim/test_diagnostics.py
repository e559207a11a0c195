"""The noise scale where it is known in closed form, and the ratio of update to weight by hand."""

import itertools
import math

import numpy as np
import pytest

from rnn_from_scratch.optim import Adam, gradient_noise_scale, update_ratios
from rnn_from_scratch.validate import ArgumentError


def as_tree(row):
    return {"W": row[:2].reshape(1, 2), "b": [row[2:]]}


def test_averaged_over_every_batch_there_is_the_estimates_are_exact():
    """Five gradients, and every one of their 5, 25 and 125 ordered batches with replacement: no chance is left."""
    rows = np.random.default_rng(0).normal(1.0, 2.0, (5, 3))
    G = rows.mean(axis=0)
    spread = ((rows - G) ** 2).sum() / 5

    def batches(B):
        return [as_tree(rows[list(chosen)].mean(axis=0)) for chosen in itertools.product(range(5), repeat=B)]

    for B_1, B_2 in ((1, 2), (1, 3), (2, 3)):
        found = gradient_noise_scale(batches(B_1), batches(B_2), small_batch=B_1, large_batch=B_2)
        assert found.noise == pytest.approx(spread, rel=1e-12)
        assert found.signal == pytest.approx(G @ G, rel=1e-12)
        assert found.scale == pytest.approx(spread / (G @ G), rel=1e-12)


def test_a_quadratic_with_known_noise():
    """L_i = ½‖θ − c_i‖² with c_i normal: G = θ − μ, Σ = diag(1, 4, 9); tr Σ / |G|² = 14 / 29."""
    rng = np.random.default_rng(1)
    mean_gradient, deviations = np.array([2.0, -3.0, 4.0]), np.array([1.0, 2.0, 3.0])

    def gradients(B, count):
        draws = mean_gradient + deviations * rng.standard_normal((count, B, 3))
        return [as_tree(row) for row in draws.mean(axis=1)]

    found = gradient_noise_scale(gradients(2, 4000), gradients(32, 1000), small_batch=2, large_batch=32)
    assert found.noise == pytest.approx(14.0, rel=0.05)
    assert found.signal == pytest.approx(29.0, rel=0.02)
    assert found.scale == pytest.approx(14 / 29, rel=0.06)


def test_by_hand():
    """‖g‖² = 25 at B = 1 and 10 at B = 4: tr Σ = 15 / (1 − 1/4) = 20, ‖G‖² = (40 − 25)/3 = 5, scale 4."""
    small, large = [{"w": np.array([3.0, 4.0])}], [{"w": np.array([1.0, 3.0])}]
    assert gradient_noise_scale(iter(small), iter(large), small_batch=1, large_batch=4) == pytest.approx((4, 20, 5))


def test_where_noise_hides_the_signal_there_is_no_scale():
    small, large = [{"w": np.array([3.0, 4.0])}], [{"w": np.array([1.0, 2.0])}]
    found = gradient_noise_scale(small, large, small_batch=1, large_batch=4)
    assert found.scale is None
    assert found.signal == pytest.approx((20 - 25) / 3)


ONE = {"w": np.ones(2)}


@pytest.mark.parametrize(
    ("small", "large", "sizes", "message"),
    [
        ([ONE], [ONE], (4, 4), "small_batch is 4 and large_batch 4, expected the first below the second"),
        ([ONE], [ONE], (8, 4), "small_batch is 8"),
        ([ONE], [ONE], (0, 4), "small_batch is 0"),
        ([ONE], [ONE], (1, True), "large_batch is True"),
        ([], [ONE], (1, 4), "small is empty"),
        ([ONE], [], (1, 4), "large is empty"),
        (ONE, [ONE], (1, 4), "small is a dict, expected a list of gradients"),
        ([ONE], np.ones(3), (1, 4), "large is a ndarray"),
        ([ONE], None, (1, 4), "large is a NoneType"),
        ([ONE], [{"v": np.ones(2)}], (1, 4), r"grads has \['v'\], expected \['w'\]"),
        ([ONE], [{"w": np.ones(3)}], (1, 4), r"grads w has shape \(3,\), expected \(2,\)"),
        ([ONE, {"w": np.array([1.0, np.nan])}], [ONE], (1, 4), r"grads w\[1\] is nan"),
        ([{"w": np.ones(2, int)}], [ONE], (1, 4), "dtype int64"),
    ],
)
def test_gradients_that_tell_nothing_are_refused(small, large, sizes, message):
    with pytest.raises(ArgumentError, match=f"gradient_noise_scale: .*{message}"):
        gradient_noise_scale(small, large, small_batch=sizes[0], large_batch=sizes[1])


def test_ratios_by_hand():
    before = {"layer": {"W": np.array([[3.0, 4.0]]), "b": np.zeros(2)}, "still": np.zeros(1)}
    after = {"layer": {"W": np.array([[3.0, 4.5]]), "b": np.array([0.0, 1e-3])}, "still": np.zeros(1)}
    assert update_ratios(before, after) == {"layer.W": pytest.approx(0.1), "layer.b": math.inf, "still": 0.0}


def test_adams_first_update_has_the_ratio_that_its_rule_says():
    """Each entry moves by η: ‖Δθ‖ = η√n, whatever the gradient."""
    params, rule = {"w": np.full((3, 4), 2.0, np.float32)}, Adam(0.01)
    grads = {"w": np.random.default_rng(0).normal(0, 100, (3, 4)).astype(np.float32)}
    after, _ = rule.update(params, grads, rule.init(params))
    assert update_ratios(params, after)["w"] == pytest.approx(0.005, rel=1e-4)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (ONE, {"v": np.ones(2)}, r"after has \['v'\], expected \['w'\]"),
        ({}, {}, r"after has \[\], expected arrays"),
        (ONE, {"w": np.ones((2, 1))}, r"after w has shape \(2, 1\)"),
        (ONE, {"w": np.array([1.0, np.inf])}, r"after w\[1\] is inf"),
        (ONE, {"w": [1.0, 2.0]}, r"after has \['w\[0\]', 'w\[1\]'\]"),
        (ONE, {"w": np.ones(2, np.float32)}, "float32 beside"),
        ({"w": 1.0}, {"w": 1.0}, "before w is a float, expected a NumPy array"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(before, after, message):
    with pytest.raises(ArgumentError, match=f"update_ratios: .*{message}"):
        update_ratios(before, after)
