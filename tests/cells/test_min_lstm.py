"""The minimal LSTM: Feng et al. (2024), Algorithm 3, by loops; gates that add up to 1, shut ones included."""

import cmath
import itertools
import math

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import MinGRUCell, MinLSTMCell
from rnn_from_scratch.cells.min_lstm import normalized_gates
from rnn_from_scratch.gradcheck import numerical_gradient

GATES = "ifg"  # the order of the columns
T, N, D, H = 6, 2, 3, 4


def feng(params, x, state, offset):
    """One unit at a time: f' = f / (f + i), i' = i / (f + i), h = f' h + i' h̃."""
    (h_prev,) = state
    H, h = len(h_prev), []

    def pre_activation(gate, j):
        column = GATES.index(gate) * H + j
        return sum((params["W_xh"][k][column] * x[k] for k in range(len(x))), params["b_h"][column] + offset[column])

    for j in range(H):
        i, f = (1 / (1 + cmath.exp(-pre_activation(gate, j))) for gate in "if")
        h.append(f / (f + i) * h_prev[j] + i / (f + i) * pre_activation("g", j))
    return (h,)


def draw(cell, seed=0):
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    return params, rng.standard_normal((T, N, D)), (rng.standard_normal((N, H)),), rng.standard_normal((T, N, H))


def with_gates(params, i, f):
    """Return parameters whose gates have these pre-activations, whatever the input."""
    W_xh, b_h = params["W_xh"].copy(), params["b_h"].copy()
    W_xh[:, : 2 * H], b_h[:H], b_h[H : 2 * H] = 0.0, i, f
    return {"W_xh": W_xh, "b_h": b_h}


@pytest.mark.parametrize("seed", [0, 1])
def test_values_and_gradients_are_those_of_the_papers_equations_by_loops(seed, same_as_loops):
    same_as_loops(MinLSTMCell(D, 2), feng, seed)


# The normalised gates


def by_definition(x_i, x_f):
    i, f = (1 / (1 + np.exp(-x)) for x in (x_i, x_f))
    return i / (i + f), f / (i + f), i * f * (1 - i) / (i + f) ** 2, f * i * (1 - f) / (i + f) ** 2


def test_gates_and_slopes_are_those_of_the_definition():
    x_i, x_f = np.random.default_rng(0).uniform(-15, 15, (2, 1000))
    for found, expected in zip(normalized_gates(x_i, x_f), by_definition(x_i, x_f), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8)  # the definition's 1 − i loses digits where i is near 1
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gates_add_up_to_1_however_far_they_are_shut(dtype):
    """Where i and f underflow, i / (i + f) is 0/0. Its limit is e^{x_i} / (e^{x_i} + e^{x_f})."""
    far = np.array([-1e30, -1e5, -800.0, -104.0, -20.0, 0.0, 20.0, 104.0, 800.0, 1e5, 1e30], dtype)
    x_i, x_f = (axis.ravel() for axis in np.meshgrid(far, far))
    i, f, i_slope, f_slope = normalized_gates(x_i, x_f)
    for array in (i, f, i_slope, f_slope):
        assert array.dtype == dtype
        assert np.isfinite(array).all()
        assert (array >= 0).all()
    np.testing.assert_allclose(i + f, 1, rtol=4 * np.finfo(dtype).eps)
    shut = x_f < -100
    assert (i[shut & (x_i == x_f)] == 0.5).all()
    one = np.array([1.0], dtype)
    i, f, i_slope, f_slope = normalized_gates(-900 * one, -900 * one - dtype(math.log(3)))
    np.testing.assert_allclose([i[0], f[0]], [0.75, 0.25], rtol=1e-4)
    np.testing.assert_allclose([i_slope[0], f_slope[0]], [3 / 16, 3 / 16], rtol=1e-4)  # i' f' (1 − i) with i = 0
    i, f, i_slope, f_slope = normalized_gates(900 * one, 900 * one)  # both open for good: each gets half
    assert (i[0], f[0], i_slope[0], f_slope[0]) == (0.5, 0.5, 0.0, 0.0)


def test_slopes_hold_where_both_gates_are_shut():
    """By central differences, and by the complex step, where the definition has lost every digit."""
    x_i, x_f = -750.0 + np.random.default_rng(1).uniform(-2, 2, (2, 5))
    _, _, i_slope, f_slope = normalized_gates(x_i, x_f)
    # The usual step grows with |x|; these functions do not flatten as x does.
    for method, step, rtol in (("central", 2.0**-13, 1e-7), ("complex", None, 1e-12)):
        by_i = numerical_gradient(lambda x: normalized_gates(x, x_f).i.sum(), x_i, method, step=step)
        by_f = numerical_gradient(lambda x: normalized_gates(x_i, x).f.sum(), x_f, method, step=step)
        np.testing.assert_allclose(i_slope, by_i, rtol=rtol)
        np.testing.assert_allclose(f_slope, by_f, rtol=rtol)


# The cell


def test_only_the_difference_of_shut_gates_counts():
    """h is an average of the state and the candidate, weighted e^{x_f} to e^{x_i}, though both gates are 0."""
    cell = MinLSTMCell(D, H)
    params, xs, (h_prev,), _ = draw(cell)
    g = xs[0] @ params["W_xh"][:, 2 * H :] + params["b_h"][2 * H :]
    at = with_gates(params, -1000.0, -1000.0 + math.log(3))
    (h,), _ = cell.step(at, cell.project(at, xs)[0], (h_prev,))
    np.testing.assert_allclose(h, 0.25 * g + 0.75 * h_prev, rtol=1e-12)


def test_open_for_input_it_forgets_and_open_for_the_past_it_keeps():
    cell = MinLSTMCell(D, H)
    params, xs, (h_prev,), _ = draw(cell)
    g = xs[0] @ params["W_xh"][:, 2 * H :] + params["b_h"][2 * H :]
    for i, f, expected in ((50.0, -50.0, g), (-50.0, 50.0, h_prev), (50.0, 50.0, (g + h_prev) / 2)):
        at = with_gates(params, i, f)
        (h,), _ = cell.step(at, cell.project(at, xs)[0], (h_prev,))
        np.testing.assert_allclose(h, expected, rtol=1e-12, atol=1e-14)


def test_where_the_past_is_kept_so_is_its_gradient():
    cell, steps = MinLSTMCell(D, H), 300
    params, _, state, _ = draw(cell)
    xs, dfinal = np.random.default_rng(1).uniform(-1, 1, (steps, N, D)), np.random.default_rng(2).normal(size=(N, H))
    at = with_gates(params, -1000.0, 0.0)
    hs, _, caches = unroll(cell, at, xs, state)
    dstates, deltas = unroll_backward(cell, at, np.zeros_like(hs), caches, (dfinal,))
    np.testing.assert_array_equal(hs[-1], state[0])
    np.testing.assert_array_equal(dstates[0][0], dfinal)
    assert not np.stack(deltas).any()


def test_its_scale_does_not_depend_on_the_length():
    """An average of candidates: after 10,000 steps h is no larger than the largest of them (the paper's third step)."""
    cell = MinLSTMCell(1, H)
    params, xs = cell.init_params(rng=np.random.default_rng(0)), np.ones((10000, 1, 1))
    hs, _, _ = unroll(cell, params, xs, cell.initial_state(1))
    assert np.abs(hs).max() <= np.abs(params["W_xh"][:, 2 * H :]).max() * (1 + 1e-12)


def test_with_a_shut_gate_i_it_is_a_min_gru():
    """Where i → 0 and f → 0, i' = σ(x_i − x_f): one gate is enough, minGRU's z."""
    cell, simpler = MinLSTMCell(D, H), MinGRUCell(D, H)
    params, xs, state, _ = draw(cell)
    low = params["b_h"].copy()
    low[: 2 * H] -= 500.0
    W_i, W_f, W_g = np.split(params["W_xh"], 3, axis=1)
    b_i, b_f, b_g = np.split(params["b_h"], 3)
    same = {"W_xh": np.hstack([W_i - W_f, W_g]), "b_h": np.hstack([b_i - b_f, b_g])}
    hs, expected = unroll(cell, {**params, "b_h": low}, xs, state)[0], unroll(simpler, same, xs, state)[0]
    np.testing.assert_allclose(hs, expected, rtol=1e-10)


def test_every_order_of_the_blocks_but_one_is_another_cell():
    cell = MinLSTMCell(D, H)
    params, xs, state, _ = draw(cell)
    results = []
    for order in itertools.permutations(range(3)):
        moved = {name: np.concatenate([np.split(array, 3, axis=-1)[k] for k in order], axis=-1)
                 for name, array in params.items()}
        results.append(unroll(cell, moved, xs, state)[0])
    for one, other in itertools.combinations(results, 2):
        assert np.abs(one - other).max() > 1e-3


def test_the_start():
    D, H = 20, 16
    params = MinLSTMCell(D, H).init_params(rng=np.random.default_rng(3))
    limit = math.sqrt(6 / (D + H))  # of one block
    blocks = np.split(params["W_xh"], 3, axis=1)
    for block in blocks:
        assert 0.97 * limit < np.abs(block).max() <= limit
    for one, other in itertools.combinations(blocks, 2):
        assert np.abs(one - other).max() > 0.1
    assert params["b_h"].tolist() == [0.0] * 3 * H
    assert set(params) == {"W_xh", "b_h"}
