"""The LSTM with coupled gates: its equations by loops, a pocket by hand, and the LSTM whose i is 1 − f."""

import cmath
import math

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import CoupledLSTMCell, LSTMCell
from rnn_from_scratch.validate import ArgumentError

T, N, D, H = 4, 2, 3, 2
SHUT, OPEN = -100.0, 100.0  # σ is 0 and 1 there, to the last bit


def draw(seed=0):
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in CoupledLSTMCell(D, H).param_shapes().items()}
    state = (rng.standard_normal((N, H)), rng.standard_normal((N, H)))
    return params, rng.standard_normal((T, N, D)), state, rng.standard_normal((T, N, H))


@pytest.mark.parametrize("seed", [0, 1])
def test_values_and_gradients_are_those_of_the_equations_by_loops(seed, same_as_loops):
    def greff(params, x, state, offset):
        """f = σ(·), i = 1 − f, g = tanh(·), o = σ(·), one number at a time."""
        (h_prev, c_prev), units = state, len(state[0])

        def a(gate, j):
            column = "fgo".index(gate) * units + j
            total = params["b_h"][column] + offset[column]
            for k in range(len(x)):
                total += params["W_xh"][k][column] * x[k]
            for k in range(units):
                total += params["W_hh"][k][column] * h_prev[k]
            return total

        h, c = [], []
        for j in range(units):
            f, o = (1 / (1 + cmath.exp(-a(gate, j))) for gate in "fo")
            i = 1 - f
            c.append(f * c_prev[j] + i * cmath.tanh(a("g", j)))
            h.append(o * cmath.tanh(c[j]))
        return h, c

    same_as_loops(CoupledLSTMCell(2, 3), greff, seed)
    same_as_loops(CoupledLSTMCell(3, 2), greff, seed)


def test_a_pocket_by_hand():
    """f = 3/4, g = 3/5, o = 1/2 and c_0 = 17/15, so c_1 = 3/4 · 17/15 + 1/4 · 3/5 = 1."""
    cell = CoupledLSTMCell(1, 1)
    params = {"W_xh": np.array([[math.log(3), math.log(2), 0.0]]), "W_hh": np.array([[1.0, 2.0, 3.0]]),
              "b_h": np.zeros(3)}
    state = (np.zeros((1, 1)), np.array([[17 / 15]]))
    (h, c), cache = cell.step(params, cell.project(params, np.ones((1, 1, 1)))[0], state)
    assert [cache.f.item(), cache.g.item(), cache.o.item()] == pytest.approx([3 / 4, 3 / 5, 1 / 2], rel=1e-15)
    assert (c.item(), h.item()) == pytest.approx((1.0, math.tanh(1) / 2), rel=1e-15)
    (dh_prev, dc_prev), delta = cell.step_backward(params, (np.ones((1, 1)), np.zeros((1, 1))), cache)
    dc = (1 - math.tanh(1) ** 2) / 2
    by_hand = [dc * (17 / 15 - 3 / 5) * 3 / 16, dc * 1 / 4 * 16 / 25, math.tanh(1) / 4]
    np.testing.assert_allclose(delta[0], by_hand, rtol=1e-14)
    assert dc_prev.item() == pytest.approx(dc * 3 / 4, rel=1e-14)
    assert dh_prev.item() == pytest.approx(by_hand[0] + 2 * by_hand[1] + 3 * by_hand[2], rel=1e-14)


def test_it_is_the_lstm_whose_input_gate_has_the_forget_gates_weights_with_the_other_sign():
    """1 − σ(a) = σ(−a): and then the gradient of f's weights is the LSTM's for f less its for i."""
    cell, full = CoupledLSTMCell(D, H), LSTMCell(D, H)
    params, xs, state, dhs = draw()
    four = {name: np.concatenate([-array[..., :H], array], axis=-1) for name, array in params.items()}
    answers = []
    for one, at in ((cell, params), (full, four)):
        hs, final, caches = unroll(one, at, xs, state)
        dstates, deltas = unroll_backward(one, at, dhs, caches)
        answers.append(([hs, *final, *dstates[0]], *one.param_grads(at, xs, caches, deltas)))
    (mine, dxs, grads), (other, dxs_full, grads_full) = answers
    for name, array in grads_full.items():
        joined = array[..., H:].copy()
        joined[..., :H] -= array[..., :H]
        np.testing.assert_allclose(grads[name], joined, rtol=1e-12, atol=1e-14, err_msg=name)
    for one, two in zip([*mine, dxs], [*other, dxs_full], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-14)
    assert 3 * sum(array.size for array in four.values()) == 4 * sum(array.size for array in params.values())


def test_it_writes_as_much_as_it_forgets():
    cell = CoupledLSTMCell(D, H)
    params, xs, state, _ = draw(1)

    def step(**biases):
        b_h = params["b_h"].copy()
        for gate, value in biases.items():
            b_h["fgo".index(gate) * H : ("fgo".index(gate) + 1) * H] = value
        at = {**params, "b_h": b_h}
        return cell.step(at, cell.project(at, xs)[0], state)

    (h, c), cache = step()
    (_, kept), _ = step(f=OPEN)
    np.testing.assert_array_equal(kept, state[1])  # nothing forgotten, nothing written
    (_, new), _ = step(f=SHUT)
    np.testing.assert_array_equal(new, cache.g)
    (hidden, c_hidden), _ = step(o=SHUT)
    assert not hidden.any()
    np.testing.assert_array_equal(c_hidden, c)
    assert np.abs(h).min() > 0.01


def test_it_cannot_count():
    """The LSTM with open gates adds g at each step; here c stays between −1 and 1 from any start there."""
    rng = np.random.default_rng(0)
    params = {name: 3 * rng.standard_normal(shape) for name, shape in CoupledLSTMCell(D, H).param_shapes().items()}
    xs, start = rng.standard_normal((200, N, D)), (np.zeros((N, H)), np.ones((N, H)))
    _, _, caches = unroll(CoupledLSTMCell(D, H), params, xs, start)
    assert max(np.abs(cache.c_prev).max() for cache in caches) <= 1.0
    full = {"W_xh": np.zeros((D, 4 * H)), "W_hh": np.zeros((H, 4 * H)), "b_h": np.full(4 * H, OPEN)}
    _, (_, c), _ = unroll(LSTMCell(D, H), full, xs, start)
    np.testing.assert_array_equal(c, 201.0)


def test_the_start():
    params = CoupledLSTMCell(20, 16, forget_bias=2.5).init_params(rng=np.random.default_rng(3))
    blocks = np.split(params["W_hh"], 3, axis=1)
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(16), atol=1e-13)
    assert np.abs(blocks[0] - blocks[1]).max() > 0.1
    limit = math.sqrt(6 / (20 + 16))
    for block in np.split(params["W_xh"], 3, axis=1):
        assert 0.97 * limit < np.abs(block).max() <= limit
    assert params["b_h"].tolist() == [2.5] * 16 + [0.0] * 32
    assert CoupledLSTMCell(3, 4) == CoupledLSTMCell(3, 4, forget_bias=1.0)
    with pytest.raises(ArgumentError, match=r"^CoupledLSTMCell: forget_bias is True, expected a finite number\.$"):
        CoupledLSTMCell(3, 4, forget_bias=True)
