"""Jacobians by `step_backward` against the complex step, and products against the backward pass."""

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import lamp, laugh
from rnn_from_scratch.looking import jacobian_products, singular_values, step_jacobians
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError


def by_complex_step(cell, params, xs, states, t):
    """∂s_{t+1}/∂s_t, (N, S, S), one column at a time."""
    flat = np.concatenate(states[t], axis=1)
    cuts = np.cumsum([part.shape[1] for part in states[t]])[:-1]
    columns = []
    for j in range(flat.shape[1]):
        moved = flat.astype(complex)
        moved[:, j] += 1e-30j
        after, _ = cell.step(params, cell.project(params, xs)[t], tuple(np.split(moved, cuts, axis=1)))
        columns.append(np.concatenate(after, axis=1).imag / 1e-30)
    return np.stack(columns, axis=2)


def test_each_step_against_the_complex_step(case):
    cell, params, xs, state = case.cell, case.params, case.xs, case.state
    found = step_jacobians(cell, params, xs, state)
    states = [state]
    for x_proj in cell.project(params, xs):
        states.append(cell.step(params, x_proj, states[-1])[0])
    for t in range(len(xs)):
        np.testing.assert_allclose(found[t], by_complex_step(cell, params, xs, states, t), rtol=1e-12, atol=1e-14)


def test_a_product_from_the_left_is_the_backward_pass(case):
    cell, params, xs, state = case.cell, case.params, case.xs, case.state
    products = jacobian_products(step_jacobians(cell, params, xs, state))
    hs, final, caches = unroll(cell, params, xs, state)
    dfinal = tuple(case.rng.standard_normal(part.shape) for part in final)
    dstates, _ = unroll_backward(cell, params, np.zeros_like(hs), caches, dfinal)
    for t in range(len(xs) + 1):
        expected = np.concatenate(dstates[t], axis=1)
        np.testing.assert_allclose(np.einsum("ns,nsk->nk", np.concatenate(dfinal, axis=1), products[t]), expected,
                                   rtol=1e-12, atol=1e-14)


def test_the_rnns_by_hand():
    """diag(1 − h²) W_hhᵀ: the laugh's second step."""
    params, xs, _, state = laugh()
    weights = params["recurrent"]
    h_2 = np.array([-0.651470, -0.108002])
    found = step_jacobians(RNNCell(3, 2), weights, xs, state)[1, 0]
    np.testing.assert_allclose(found, (1 - h_2**2)[:, None] * weights["W_hh"].T, atol=1e-6)
    assert abs(found[0, 1] - -0.7 * (1 - 0.651470**2)) < 1e-6  # how unit 1 moves h_2's unit 0: W_hh[1, 0]


def test_a_hold_of_the_lamp():
    params, _, _, _ = lamp()
    xs = np.full((101, 1, 1), 0.5)
    xs[0] = 1.5
    jacobians = step_jacobians(RNNCell(1, 1), params["recurrent"], xs, (np.array([[-0.6]]),))
    np.testing.assert_allclose(jacobians[1:].ravel(), 0.739357, atol=5e-7)
    np.testing.assert_allclose(jacobian_products(jacobians)[1].item(), 7.7e-14, rtol=0.01)


def test_on_padding_the_state_is_carried(rnn):
    rnn.xs[~rnn.mask] = np.nan
    found = step_jacobians(rnn.cell, rnn.params, rnn.xs, rnn.state, rnn.mask)
    np.testing.assert_array_equal(found[2, 0], np.eye(5))
    alone = step_jacobians(rnn.cell, rnn.params, rnn.xs[[0, 1, 3], :1], (rnn.state[0][:1],))
    np.testing.assert_allclose(found[[0, 1, 3], 0], alone[:, 0], rtol=1e-13)


def test_singular_values_stretch():
    found = singular_values(np.array([[[0.0, -3.0], [2.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]]))
    np.testing.assert_allclose(found, [[3.0, 2.0], [2.0, 0.0]], rtol=1e-14)
    assert found[1, 1] == 0.0  # rounding is not shown as a number
    assert singular_values(np.diag([1.0, 1e-17]))[1] == 0.0
    assert singular_values(np.diag([1.0, 1e-14]))[1] == 1e-14


def test_products_of_one_step_and_of_none_more():
    J = np.random.default_rng(0).standard_normal((3, 2, 4, 4))
    found = jacobian_products(J)
    np.testing.assert_array_equal(found[3], np.tile(np.eye(4), (2, 1, 1)))
    np.testing.assert_allclose(found[2], J[2])
    np.testing.assert_allclose(found[0], J[2] @ J[1] @ J[0])


def test_float32_stays(lstm):
    cell, params, xs, state = lstm.cell, lstm.params, lstm.xs, lstm.state
    small = {name: array.astype(np.float32) for name, array in params.items()}
    found = step_jacobians(cell, small, xs.astype(np.float32), tuple(part.astype(np.float32) for part in state))
    assert found.dtype == np.float32
    assert jacobian_products(found).dtype == singular_values(found).dtype == np.float32
    np.testing.assert_allclose(found, step_jacobians(cell, params, xs, state), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda c, x: step_jacobians(RNNCell, c.params, x), DtypeError, "cell is <class .*expected a cell"),
    (lambda c, x: step_jacobians(c.cell, c.params, x[0]), ShapeError, r"step_jacobians: xs has shape \(2, 3\)"),
    (lambda c, x: step_jacobians(c.cell, c.params, np.zeros((4, 2), int)), ShapeError, "a cell takes no indices"),
    (lambda c, x: step_jacobians(c.cell, c.params, x.astype(np.float32)), DtypeError, "float32 beside"),
    (lambda c, x: step_jacobians(c.cell, c.params, x * np.nan), ArgumentError, r"xs\[0, 0, 0\] is nan"),
    (lambda c, x: step_jacobians(c.cell, c.params, x, (np.zeros((2, 2)),)), ShapeError, "state"),
    (lambda c, x: step_jacobians(c.cell, c.params, x[:0]), ShapeError, "T ≥ 1"),
    (lambda c, x: jacobian_products(x), ShapeError, r"jacobians has shape \(4, 2, 3\), expected \(T, …, S, S\)"),
    (lambda c, x: jacobian_products(np.eye(3)), ShapeError, "jacobians has shape"),
    (lambda c, x: jacobian_products([np.eye(3)]), DtypeError, "jacobians is a list"),
    (lambda c, x: singular_values(np.full((2, 2), np.inf)), ArgumentError, "is inf"),
    (lambda c, x: singular_values(x[0, 0]), ShapeError, "the last two axes are a matrix"),
    (lambda c, x: singular_values(np.zeros((0, 2, 2))), ShapeError, "matrices has shape"),
    (lambda c, x: singular_values(np.eye(2, dtype=int)), DtypeError, "has dtype int64"),
])
def test_bad_input_is_explained(call, error, message, rnn):
    with pytest.raises(error, match=message):
        call(rnn, rnn.xs)
