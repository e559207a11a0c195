"""The IndRNN: Li et al. (2018), eq. 2, by loops; units that do not see each other; what u says of the gradient."""

import cmath
import math

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import IndRNNCell, RNNCell
from rnn_from_scratch.validate import ArgumentError

T, N, D, H = 4, 2, 3, 4
ACTIVATIONS = {
    "relu": lambda a: a if a.real > 0 else 0 * a, "tanh": cmath.tanh, "sigmoid": lambda a: 1 / (1 + cmath.exp(-a)),
}


def draw(cell, seed=0):
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    return params, rng.standard_normal((T, N, D)), (rng.standard_normal((N, H)),), rng.standard_normal((T, N, H))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", [1, 2])
def test_values_and_gradients_are_those_of_the_papers_equation_by_loops(activation, seed, same_as_loops):
    def li(params, x, state, offset):
        """h_t = σ(W x_t + u ⊙ h_{t−1} + b), one unit at a time."""
        (h_prev,) = state
        h = []
        for j in range(len(h_prev)):
            a = params["b_h"][j] + offset[j] + params["u"][j] * h_prev[j]
            for k in range(len(x)):
                a += params["W_xh"][k][j] * x[k]
            h.append(ACTIVATIONS[activation](a))
        return (h,)

    same_as_loops(IndRNNCell(D, 3, activation), li, seed)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_is_a_vanilla_cell_with_a_diagonal_matrix(activation):
    cell, vanilla = IndRNNCell(D, H, activation), RNNCell(D, H, activation)
    params, xs, state, dhs = draw(cell)
    full = {"W_xh": params["W_xh"], "W_hh": np.diag(params["u"]), "b_h": params["b_h"]}
    answers = []
    for one, at in ((cell, params), (vanilla, full)):
        hs, _, caches = unroll(one, at, xs, state)
        dstates, deltas = unroll_backward(one, at, dhs, caches)
        answers.append((hs, dstates[0][0], *one.param_grads(at, xs, caches, deltas)))
    (hs, dh_0, dxs, grads), (hs_full, dh_0_full, dxs_full, grads_full) = answers
    for mine, other in ((hs, hs_full), (dh_0, dh_0_full), (dxs, dxs_full), (grads["u"], np.diag(grads_full["W_hh"])),
                        (grads["W_xh"], grads_full["W_xh"]), (grads["b_h"], grads_full["b_h"])):
        np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-14)
    assert sum(array.size for array in params.values()) == D * H + H + H  # H recurrent weights, not H²


def test_no_unit_sees_another():
    cell = IndRNNCell(D, H, "tanh")
    params, xs, (h_0,), dhs = draw(cell)
    for j in range(H):
        others = np.arange(H) != j
        h_moved, dhs_moved = h_0 + 0.5 * ~others, dhs + 0.5 * ~others
        answers = []
        for start, upstream in ((h_0, dhs), (h_moved, dhs_moved)):
            hs, _, caches = unroll(cell, params, xs, (start,))
            answers.append((hs, unroll_backward(cell, params, upstream, caches)[0][0][0]))
        for one, other in zip(*answers, strict=True):
            np.testing.assert_array_equal(one[..., others], other[..., others])
            assert (one[..., j] != other[..., j]).all()


def test_over_time_a_units_gradient_is_a_power_of_its_u():
    """ReLU units that stay on: |u| < 1 vanishes, u = 1 is carried for ever, u > 1 explodes, each at its own rate."""
    steps, u = 100, np.array([0.5, 0.9, 1.0, 1.1])
    cell, params = IndRNNCell(1, H), {"W_xh": np.ones((1, H)), "u": u, "b_h": np.zeros(H)}
    hs, _, caches = unroll(cell, params, np.full((steps, 1, 1), 0.1), (np.ones((1, H)),))
    assert (hs > 0).all()
    dstates, _ = unroll_backward(cell, params, np.zeros_like(hs), caches, (np.ones((1, H)),))
    np.testing.assert_allclose(dstates[0][0][0], u**steps, rtol=1e-12)
    assert dstates[0][0][0, 2] == 1.0


def test_the_start():
    """The authors' choice for ReLU: u from U(0, 1), so that units keep memories of every length."""
    D, H = 30, 4000
    params = IndRNNCell(D, H).init_params(rng=np.random.default_rng(0))
    u = np.sort(params["u"])
    assert 0 <= u[0] < 0.01
    assert 0.99 < u[-1] < 1
    assert np.abs(u - (np.arange(H) + 0.5) / H).max() < 1.63 / math.sqrt(H)  # Kolmogorov's distance, at 1 %
    limit = math.sqrt(6 / (D + H))
    assert 0.99 * limit < np.abs(params["W_xh"]).max() <= limit
    assert not params["b_h"].any()


def test_relu_is_the_default_and_activations_are_named():
    assert IndRNNCell(3, 4) == IndRNNCell(3, 4, activation="relu") != IndRNNCell(3, 4, "tanh")
    with pytest.raises(ArgumentError) as caught:
        IndRNNCell(3, 4, "gelu")
    assert str(caught.value) == "IndRNNCell: activation is 'gelu', expected one of 'tanh', 'sigmoid', 'relu'."
