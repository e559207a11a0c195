"""The minimal GRU: Feng et al. (2024), Algorithm 1, by loops; what z takes; that h is linear in the state."""

import cmath
import math

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import GRUCell, MinGRUCell

T, N, D, H = 6, 2, 3, 4
SHUT, OPEN = -100.0, 100.0  # σ is 0 and 1 there, to the last bit


def feng(params, x, state, offset):
    """One unit at a time: z = σ(Linear(x)), h̃ = Linear(x), h = (1 − z) h + z h̃."""
    (h_prev,) = state
    H, h = len(h_prev), []

    def pre_activation(column):
        return sum((params["W_xh"][k][column] * x[k] for k in range(len(x))), params["b_h"][column] + offset[column])

    for j in range(H):
        z = 1 / (1 + cmath.exp(-pre_activation(j)))
        h.append((1 - z) * h_prev[j] + z * pre_activation(H + j))
    return (h,)


def draw(cell, seed=0):
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    return params, rng.standard_normal((T, N, D)), (rng.standard_normal((N, H)),), rng.standard_normal((T, N, H))


def with_gate(params, pre_activation):
    """Return parameters whose z is σ of that, whatever the input."""
    W_xh, b_h = params["W_xh"].copy(), params["b_h"].copy()
    W_xh[:, :H], b_h[:H] = 0.0, pre_activation
    return {"W_xh": W_xh, "b_h": b_h}


@pytest.mark.parametrize("seed", [0, 1])
def test_values_and_gradients_are_those_of_the_papers_equations_by_loops(seed, same_as_loops):
    same_as_loops(MinGRUCell(D, 2), feng, seed)


def test_z_takes_the_candidate():
    """z = 1 gives n, z = 0 keeps h, z = 3/4 mixes 3 to 1: the other way round than `GRUCell`'s."""
    cell = MinGRUCell(D, H)
    params, xs, (h_prev,), _ = draw(cell)
    n = xs[0] @ params["W_xh"][:, H:] + params["b_h"][H:]
    for pre_activation, expected in ((OPEN, n), (SHUT, h_prev), (math.log(3), 0.75 * n + 0.25 * h_prev)):
        at = with_gate(params, pre_activation)
        (h,), _ = cell.step(at, cell.project(at, xs)[0], (h_prev,))
        np.testing.assert_allclose(h, expected, rtol=1e-14, atol=1e-15)
    (h,), _ = GRUCell(D, H).step(
        {"W_hh": np.zeros((H, 3 * H)), "b_hn": np.zeros(H)}, np.full((N, 3 * H), OPEN), (h_prev,))
    np.testing.assert_array_equal(h, h_prev)


def test_the_candidate_may_be_negative_and_large():
    """The vanilla form: neither tanh nor the g of the log-space form."""
    cell = MinGRUCell(D, H)
    params, xs, state, _ = draw(cell)
    at = with_gate({**params, "b_h": np.full(2 * H, -50.0)}, OPEN)
    assert unroll(cell, at, xs, state)[0].max() < -30


def test_h_is_linear_in_the_state_before():
    """The gates do not see it: the way from h_0 to h_T is a product of 1 − z, one number for each unit."""
    cell = MinGRUCell(D, H)
    params, xs, (h_0,), _ = draw(cell)
    other = np.random.default_rng(7).standard_normal((N, H))
    final, moved = (unroll(cell, params, xs, (start,))[1][0] for start in (h_0, h_0 + other))
    z = 1 / (1 + np.exp(-(xs @ params["W_xh"][:, :H] + params["b_h"][:H])))
    np.testing.assert_allclose(moved - final, other * (1 - z).prod(axis=0), rtol=1e-12, atol=1e-14)


def test_a_shut_gate_keeps_state_and_gradient_for_ever():
    cell, steps = MinGRUCell(D, H), 300
    params, _, state, _ = draw(cell)
    xs, dfinal = np.random.default_rng(1).uniform(-1, 1, (steps, N, D)), np.random.default_rng(2).normal(size=(N, H))
    at = with_gate(params, SHUT)
    hs, _, caches = unroll(cell, at, xs, state)
    dstates, deltas = unroll_backward(cell, at, np.zeros_like(hs), caches, (dfinal,))
    np.testing.assert_array_equal(hs[-1], state[0])
    np.testing.assert_array_equal(dstates[0][0], dfinal)
    assert not np.stack(deltas).any()


def test_the_start():
    D, H = 20, 16
    params = MinGRUCell(D, H).init_params(rng=np.random.default_rng(3))
    limit = math.sqrt(6 / (D + H))  # of one block; as one matrix (D, 2H) it would be √(6 / (D + 2H))
    blocks = np.split(params["W_xh"], 2, axis=1)
    for block in blocks:
        assert 0.97 * limit < np.abs(block).max() <= limit
    assert np.abs(blocks[0] - blocks[1]).max() > 0.1
    assert params["b_h"].tolist() == [0.0] * 2 * H
    assert set(params) == {"W_xh", "b_h"}  # a sixth of the GRU's weights where D = H: no W_hh, no reset gate
