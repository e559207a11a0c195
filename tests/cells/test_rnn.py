"""The vanilla cell: E2.1a entry by entry in the article's column form, and its gradients by loops."""

import math

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import GRUCell, RNNCell, irnn_params
from rnn_from_scratch.data import laugh
from rnn_from_scratch.diagnosis import check_cell
from rnn_from_scratch.losses import softmax_cross_entropy
from rnn_from_scratch.validate import ArgumentError, DtypeError

ACTIVATIONS = ("tanh", "sigmoid", "relu")
TEXTBOOK = {
    "tanh": (math.tanh, lambda h: 1 - h**2),
    "sigmoid": (lambda a: 1 / (1 + math.exp(-a)), lambda h: h * (1 - h)),
    "relu": (lambda a: max(a, 0.0), lambda h: 1.0 if h > 0 else 0.0),
}


def draw(D=3, H=4, N=2, seed=0):
    rng = np.random.default_rng(seed)
    params = {"W_xh": rng.standard_normal((D, H)), "W_hh": rng.standard_normal((H, H)), "b_h": rng.standard_normal(H)}
    return params, rng.standard_normal((N, D)), rng.standard_normal((N, H))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_step_is_the_articles_equation_entry_by_entry(activation):
    D, H, N = 3, 4, 2
    params, x, h_prev = draw(D, H, N)
    cell = RNNCell(D, H, activation)
    (h,), _ = cell.step(params, cell.project(params, x[None])[0], (h_prev,))
    A_xh, A_hh = params["W_xh"].T, params["W_hh"].T  # the article's matrices: A_xh is H × D, and A x a column
    f, _ = TEXTBOOK[activation]
    for n in range(N):
        for i in range(H):
            a = params["b_h"][i]
            for j in range(D):
                a += A_xh[i, j] * x[n, j]
            for j in range(H):
                a += A_hh[i, j] * h_prev[n, j]
            assert h[n, i] == pytest.approx(f(a), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_step_backward_is_the_chain_rule_entry_by_entry(activation):
    D, H, N = 3, 4, 2
    params, x, h_prev = draw(D, H, N, seed=1)
    cell = RNNCell(D, H, activation)
    (h,), cache = cell.step(params, cell.project(params, x[None])[0], (h_prev,))
    dh = np.random.default_rng(2).standard_normal((N, H))
    (dh_prev,), delta = cell.step_backward(params, (dh,), cache)
    _, derivative = TEXTBOOK[activation]
    for n in range(N):
        expected = [dh[n, i] * derivative(h[n, i]) for i in range(H)]
        np.testing.assert_allclose(delta[n], expected, rtol=1e-13)
        for j in range(H):  # h_prev[j] reaches every a_i through W_hh[j, i]
            total = sum(expected[i] * params["W_hh"][j, i] for i in range(H))
            assert dh_prev[n, j] == pytest.approx(total, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("D", "H"), [(3, 4), (4, 3), (1, 2), (5, 1)])
def test_conformance(activation, D, H):
    report = check_cell(RNNCell(D, H, activation), rng=np.random.default_rng(D * 10 + H))
    report.raise_if_wrong()
    names = {row.name.split(" ")[0] for row in report.rows}
    assert {"W_xh", "W_hh", "b_h", "xs", "state[0]"} <= names
    assert report.worst < 1e-12


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_on_inputs_far_out_stay_finite_and_right(activation):
    cell = RNNCell(2, 3, activation)
    params, _, _ = draw(2, 3)
    xs = np.array([1e4, -1e4, 0.3, -0.2, 50.0, -50.0, 0.1, 0.0]).reshape(4, 1, 2)
    hs, _, caches = unroll(cell, params, xs, cell.initial_state(1))
    _, deltas = unroll_backward(cell, params, np.ones_like(hs), caches)
    dxs, grads = cell.param_grads(params, xs, caches, deltas)
    assert all(np.isfinite(array).all() for array in (hs, dxs, *grads.values()))


def laugh_by_loops():
    """Forward and backward of the laugh, one number at a time, columns as in the article. Returns (L, gradients)."""
    params, xs, targets, (h_0,) = laugh()
    A = params["recurrent"]["W_xh"].T.tolist()
    U = params["recurrent"]["W_hh"].T.tolist()
    V = params["output"]["W_hy"].T.tolist()
    b, c = params["recurrent"]["b_h"].tolist(), params["output"]["b_y"].tolist()
    h = {0: h_0[0].tolist()}
    error, loss = {}, 0.0
    for t in (1, 2, 3, 4):
        x = xs[t - 1, 0]
        h[t] = [
            math.tanh(sum(A[i][j] * x[j] for j in range(3)) + sum(U[i][j] * h[t - 1][j] for j in range(2)) + b[i])
            for i in range(2)
        ]
        y = [sum(V[k][i] * h[t][i] for i in range(2)) + c[k] for k in range(3)]
        total = sum(math.exp(value) for value in y)
        right = int(targets[t - 1, 0])
        loss -= math.log(math.exp(y[right]) / total) / 4
        error[t] = [(math.exp(y[k]) / total - (k == right)) / 4 for k in range(3)]
    gA, gU, gb = [[0.0] * 3 for _ in range(2)], [[0.0] * 2 for _ in range(2)], [0.0] * 2
    future = [0.0, 0.0]
    for t in (4, 3, 2, 1):
        delta = [0.0, 0.0]
        for i in range(2):
            here = sum(V[k][i] * error[t][k] for k in range(3))
            delta[i] = (here + future[i]) * (1 - h[t][i] ** 2)
        for i in range(2):
            gb[i] += delta[i]
            for j in range(3):
                gA[i][j] += delta[i] * xs[t - 1, 0, j]
            for j in range(2):
                gU[i][j] += delta[i] * h[t - 1][j]
        future = [sum(U[i][j] * delta[i] for i in range(2)) for j in range(2)]
    return loss, {"W_xh": np.array(gA).T, "W_hh": np.array(gU).T, "b_h": np.array(gb), "h_0": np.array(future)}


def test_the_laughs_gradients_are_those_of_loops_by_hand():
    params, xs, targets, state = laugh()
    cell, weights = RNNCell(3, 2), params["recurrent"]
    hs, _, caches = unroll(cell, weights, xs, state)
    loss, dlogits = softmax_cross_entropy(hs @ params["output"]["W_hy"] + params["output"]["b_y"], targets)
    dstates, deltas = unroll_backward(cell, weights, dlogits @ params["output"]["W_hy"].T, caches)
    _, grads = cell.param_grads(weights, xs, caches, deltas)
    by_hand, expected = laugh_by_loops()
    assert loss == pytest.approx(by_hand, rel=1e-14)
    for name in ("W_xh", "W_hh", "b_h"):
        np.testing.assert_allclose(grads[name], expected[name], rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(dstates[0][0][0], expected["h_0"], rtol=1e-13)
    np.testing.assert_allclose(grads["W_hh"], [[-0.017375, -0.042962], [0.138160, -0.013110]], atol=6e-7)  # COURSE


def test_a_start_is_drawn_from_one_generator():
    cell = RNNCell(3, 4)
    params = cell.init_params(rng=np.random.default_rng(0))
    again = cell.init_params(rng=np.random.default_rng(0))
    for name, shape in cell.param_shapes().items():
        assert params[name].shape == shape
        np.testing.assert_array_equal(params[name], again[name])
    np.testing.assert_allclose(params["W_hh"] @ params["W_hh"].T, np.eye(4), atol=1e-14)
    assert 0.5 * math.sqrt(6 / 7) < np.abs(params["W_xh"]).max() <= math.sqrt(6 / 7)
    assert params["b_h"].tolist() == [0.0] * 4
    single = cell.init_params(rng=np.random.default_rng(0), dtype=np.float32)
    assert {array.dtype for array in single.values()} == {np.dtype(np.float32)}
    (h_0,) = cell.initial_state(2, np.float32)
    assert (h_0.dtype, h_0.tolist()) == (np.float32, [[0.0] * 4] * 2)


def test_a_cell_is_its_choices_and_nothing_else():
    assert RNNCell(3, 4) == RNNCell(3, 4, activation="tanh")
    assert RNNCell(3, 4) != RNNCell(3, 4, "relu")
    with pytest.raises(AttributeError, match="cannot assign"):
        RNNCell(3, 4).hidden_size = 5


@pytest.mark.parametrize("value", [0, -1, 3.0, True, "3"])
@pytest.mark.parametrize("name", ["input_size", "hidden_size"])
def test_sizes_are_whole_numbers(name, value):
    message = rf"^RNNCell: {name} is {value!r}, expected a whole number of at least 1 because"
    with pytest.raises(ArgumentError, match=message):
        RNNCell(**{"input_size": 3, "hidden_size": 4, name: value})


@pytest.mark.parametrize("activation", ["gelu", "Tanh", None, math.tanh])
def test_activations_are_named(activation):
    with pytest.raises(ArgumentError) as caught:
        RNNCell(3, 4, activation)
    assert str(caught.value) == (
        f"RNNCell: activation is {activation!r}, expected one of 'tanh', 'sigmoid', 'relu'."
    )


def test_bad_starts():
    with pytest.raises(DtypeError, match=r"rng is 0, expected a numpy\.random\.Generator"):
        RNNCell(3, 4).init_params(rng=0)
    with pytest.raises(DtypeError, match="dtype is int64, expected float64 or float32"):
        RNNCell(3, 4).init_params(rng=np.random.default_rng(0), dtype=np.int64)
    with pytest.raises(ArgumentError, match=r"RNNCell.initial_state: batch_size is 0, expected a whole number"):
        RNNCell(3, 4).initial_state(0)


# The IRNN (Le, Jaitly & Hinton 2015)


def test_an_irnn_starts_at_the_identity():
    D, H = 200, 300
    params, again = (irnn_params(RNNCell(D, H, "relu"), rng=np.random.default_rng(0)) for _ in range(2))
    assert {name: array.shape for name, array in params.items()} == dict(RNNCell(D, H).param_shapes())
    np.testing.assert_array_equal(params["W_hh"], np.eye(H))
    assert not params["b_h"].any()
    W_xh = params["W_xh"]
    np.testing.assert_array_equal(W_xh, again["W_xh"])
    assert W_xh.std() == pytest.approx(0.001, rel=4 / math.sqrt(2 * D * H))  # four standard errors
    assert abs(W_xh.mean()) < 4 * 0.001 / math.sqrt(D * H)
    assert np.mean(np.abs(W_xh) > 0.002) == pytest.approx(0.0455, abs=0.004)  # normal: a uniform draw has none there
    half = irnn_params(RNNCell(2, 3, "relu"), rng=np.random.default_rng(0), gain=0.5, dtype=np.float32)
    np.testing.assert_array_equal(half["W_hh"], np.diag([0.5, 0.5, 0.5]).astype(np.float32))
    assert {array.dtype for array in half.values()} == {np.dtype(np.float32)}


def test_an_irnn_copies_its_state_and_its_gradient():
    cell, steps = RNNCell(2, 3, "relu"), 100
    params = irnn_params(cell, rng=np.random.default_rng(1))
    h_0, dfinal = np.array([[0.5, 1.0, 2.0]]), np.array([[1.0, -2.0, 0.25]])
    hs, (h,), caches = unroll(cell, params, np.zeros((steps, 1, 2)), (h_0,))
    np.testing.assert_array_equal(h, h_0)
    dstates, _ = unroll_backward(cell, params, np.zeros_like(hs), caches, (dfinal,))
    np.testing.assert_array_equal(dstates[0][0], dfinal)
    xs = np.random.default_rng(2).uniform(-1, 1, (steps, 1, 2))  # inputs change it a little: what is kept is a sum
    _, (h,), _ = unroll(cell, params, xs, (h_0,))
    np.testing.assert_allclose(h, h_0 + xs.sum(axis=0) @ params["W_xh"], rtol=1e-12)


@pytest.mark.parametrize("cell", [RNNCell(3, 4), RNNCell(3, 4, "sigmoid"), GRUCell(3, 4), RNNCell, None])
def test_an_irnn_is_a_vanilla_cell_with_relu(cell):
    with pytest.raises(ArgumentError) as caught:
        irnn_params(cell, rng=np.random.default_rng(0))
    assert str(caught.value) == (
        f'irnn_params: cell is {cell!r:.60}, expected an RNNCell with activation="relu" because the identity start '
        'keeps h as it is only where f does. Try RNNCell(D, H, activation="relu").'
    )


def test_bad_irnn_starts():
    with pytest.raises(DtypeError, match=r"^irnn_params: rng is 0, expected a numpy\.random\.Generator"):
        irnn_params(RNNCell(3, 4, "relu"), rng=0)
    with pytest.raises(DtypeError, match=r"^irnn_params: dtype is int64, expected float64 or float32"):
        irnn_params(RNNCell(3, 4, "relu"), rng=np.random.default_rng(0), dtype=np.int64)
    with pytest.raises(ArgumentError, match="gain is nan, expected a finite number"):
        irnn_params(RNNCell(3, 4, "relu"), rng=np.random.default_rng(0), gain=math.nan)
