"""Layer normalisation step by step: values by loops, the derived backward, and what a cell relies on."""

import math

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.normalization import LayerNormCache, layer_norm, layer_norm_backward, layer_norm_param_grads

LEADING = [(), (3,), (4, 3), (2, 3, 2)]


def draw(leading=(4, 3), H=5, seed=0):
    rng = np.random.default_rng(seed)
    return (
        0.7 + 1.3 * rng.standard_normal((*leading, H)), rng.standard_normal(H), rng.standard_normal(H),
        rng.standard_normal((*leading, H)),
    )


@pytest.mark.parametrize("leading", LEADING)
def test_values_by_hand_in_python_floats(leading):
    z, gain, bias, _ = draw(leading)
    y, cache = layer_norm(z, gain, bias, 0.01)
    assert cache.deviation.shape == (*leading, 1)
    for place in np.ndindex(*leading):
        row = [float(entry) for entry in z[place]]
        mean = sum(row) / 5
        deviation = math.sqrt(sum((entry - mean) ** 2 for entry in row) / 5 + 0.01)
        assert cache.deviation[place][0] == pytest.approx(deviation, rel=1e-14)
        for i in range(5):
            normalized = (row[i] - mean) / deviation
            assert cache.normalized[place][i] == pytest.approx(normalized, rel=1e-13, abs=1e-14)
            assert y[place][i] == pytest.approx(gain[i] * normalized + bias[i], rel=1e-12, abs=1e-14)


def test_a_row_that_can_be_checked_on_paper():
    """Mean 2, variance (1 + 1 + 0 + 0)/4 = 1/2, not 2/3; with ε = 1/2 the deviation is 1."""
    y, cache = layer_norm(np.array([1.0, 3.0, 2.0, 2.0]), np.array([2.0, 2.0, 2.0, 2.0]), np.ones(4), 0.5)
    assert cache.deviation == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_allclose(y, [-1.0, 3.0, 1.0, 1.0], rtol=0, atol=1e-15)


def test_every_row_has_mean_0_and_variance_1_wherever_it_was():
    z, gain, bias, _ = draw()
    _, near = layer_norm(z, gain, bias, 1e-20)
    np.testing.assert_allclose(near.normalized.mean(axis=-1), 0.0, atol=1e-15)
    np.testing.assert_allclose(near.normalized.var(axis=-1), 1.0, rtol=1e-14)
    _, moved = layer_norm(1000.0 - 3.0 * z, gain, bias, 1e-20)  # shifted, stretched, turned over
    np.testing.assert_allclose(moved.normalized, -near.normalized, rtol=0, atol=1e-12)


def test_a_large_mean_costs_no_digits():
    """mean(z²) − mean(z)² would be lost in rounding: at 1e8 both are 1e16, where doubles are 2 apart."""
    row = np.array([1.0, 2.0, 4.0, 9.0])  # mean 4, variance 38/4
    _, cache = layer_norm(1e8 + row, np.ones(4), np.zeros(4), 1e-5)
    assert cache.deviation[0] == pytest.approx(math.sqrt(9.5 + 1e-5), rel=1e-14)


def test_equal_numbers_give_the_bias():
    _, gain, bias, dy = draw((2,))
    y, cache = layer_norm(np.full((2, 5), 0.75), gain, bias)
    assert np.array_equal(y, np.broadcast_to(bias, (2, 5)))
    assert np.isfinite(layer_norm_backward(dy, gain, cache)).all()


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("epsilon", [1e-5, 0.5])
@pytest.mark.parametrize("leading", LEADING)
def test_every_gradient(leading, epsilon, method):
    z, gain, bias, dy = draw(leading, seed=1)
    _, cache = layer_norm(z, gain, bias, epsilon)
    dgain, dbias = layer_norm_param_grads(dy, cache)
    report = check_gradients(
        lambda at: (dy * layer_norm(at["z"], at["gain"], at["bias"], epsilon)[0]).sum(),
        {"z": z, "gain": gain, "bias": bias},
        {"z": layer_norm_backward(dy, gain, cache), "gain": dgain, "bias": dbias},
        method,
    )
    report.raise_if_wrong()
    assert report.worst < {"complex": 1e-12, "central": 1e-7}[method]


def test_the_backward_is_the_derived_matrix():
    """dz = (I − 11ᵀ/H − ẑẑᵀ/H)/σ (g ⊙ dy), row by row; and that matrix is the one that differences give."""
    z, gain, bias, dy = draw((3,), seed=2)
    _, cache = layer_norm(z, gain, bias, 0.1)
    dz = layer_norm_backward(dy, gain, cache)
    for n in range(3):
        unit, deviation = cache.normalized[n], cache.deviation[n, 0]
        matrix = (np.eye(5) - np.ones((5, 5)) / 5 - np.outer(unit, unit) / 5) / deviation
        np.testing.assert_allclose(dz[n], matrix @ (gain * dy[n]), rtol=0, atol=1e-14)
        steps = layer_norm(z[n] + 1e-20j * np.eye(5), np.ones(5), np.zeros(5), 0.1)[0].imag / 1e-20
        np.testing.assert_allclose(matrix, steps, rtol=0, atol=1e-14)


def test_the_backward_is_linear_and_row_by_row():
    z, gain, bias, dy = draw(seed=3)
    other = draw(seed=4)[3]
    _, cache = layer_norm(z, gain, bias)
    both = layer_norm_backward(2.0 * dy - 3.0 * other, gain, cache)
    apart = 2.0 * layer_norm_backward(dy, gain, cache) - 3.0 * layer_norm_backward(other, gain, cache)
    np.testing.assert_allclose(both, apart, rtol=0, atol=1e-13)
    for t, n in np.ndindex(4, 3):
        y, alone = layer_norm(z[t, n], gain, bias)
        assert np.array_equal(y, layer_norm(z, gain, bias)[0][t, n])
        expected = layer_norm_backward(dy, gain, cache)[t, n]
        np.testing.assert_allclose(layer_norm_backward(dy[t, n], gain, alone), expected, rtol=0, atol=1e-15)


def test_a_cell_may_sum_after_the_loop():
    z, gain, bias, dy = draw(seed=5)
    caches = [layer_norm(z[t], gain, bias)[1] for t in range(4)]
    stacked = LayerNormCache(*(np.stack(arrays) for arrays in zip(*caches, strict=True)))
    dgain, dbias = layer_norm_param_grads(dy, stacked)
    by_step = [layer_norm_param_grads(dy[t], caches[t]) for t in range(4)]
    np.testing.assert_allclose(dgain, sum(step[0] for step in by_step), rtol=0, atol=1e-14)
    np.testing.assert_allclose(dbias, sum(step[1] for step in by_step), rtol=0, atol=1e-14)
    by_hand = [sum(dy[t, n, i] * stacked.normalized[t, n, i] for t, n in np.ndindex(4, 3)) for i in range(5)]
    np.testing.assert_allclose(dgain, by_hand, rtol=0, atol=1e-14)


@pytest.mark.parametrize("epsilon", [1e-5, np.float64(1e-5)])
def test_float32_stays_float32(epsilon):
    z, gain, bias, dy = draw(seed=6)
    exact = layer_norm(z, gain, bias)
    z, gain, bias, dy = (array.astype(np.float32) for array in (z, gain, bias, dy))
    y, cache = layer_norm(z, gain, bias, epsilon)
    results = [y, *cache, layer_norm_backward(dy, gain, cache), *layer_norm_param_grads(dy, cache)]
    assert {array.dtype for array in results} == {np.dtype(np.float32)}
    np.testing.assert_allclose(y, exact[0], rtol=0, atol=1e-5)
