"""The LSTM: Graves (2013), eqs 7–11, by loops; each gate where it belongs; the pocket example; the additive path."""

import cmath
import itertools
import math

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import LSTMCell
from rnn_from_scratch.validate import ArgumentError

GATES = "ifgo"  # the order of the columns
T, N, D, H = 4, 2, 3, 2
SHUT, OPEN = -100.0, 100.0  # σ is 0 and 1 there, to the last bit


def sigma(a):
    return 1 / (1 + cmath.exp(-a))


def graves(params, x, state, offset):
    """Graves (2013), eqs 7–11, for one sequence, one number at a time."""
    h_prev, c_prev = state
    H = len(h_prev)

    def a(gate, j):
        column = GATES.index(gate) * H + j
        total = params["b_h"][column] + offset[column]
        for k in range(len(x)):
            total += params["W_xh"][k][column] * x[k]
        for k in range(H):
            total += params["W_hh"][k][column] * h_prev[k]
        return total

    def peep(gate, j, c):
        return params[f"w_c{gate}"][j] * c if f"w_c{gate}" in params else 0.0

    h, c = [], []
    for j in range(H):
        i = sigma(a("i", j) + peep("i", j, c_prev[j]))  # eq. 7
        f = sigma(a("f", j) + peep("f", j, c_prev[j]))  # eq. 8
        c.append(f * c_prev[j] + i * cmath.tanh(a("g", j)))  # eq. 9
        o = sigma(a("o", j) + peep("o", j, c[j]))  # eq. 10: the output gate sees the new cell
        h.append(o * cmath.tanh(c[j]))  # eq. 11
    return h, c


def draw(cell, seed=0):
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    state = (rng.standard_normal((N, cell.hidden_size)), rng.standard_normal((N, cell.hidden_size)))
    return params, rng.standard_normal((T, N, cell.input_size)), state, rng.standard_normal((T, N, cell.hidden_size))


def columns(gate, H=H):
    """The columns of one gate."""
    return slice(GATES.index(gate) * H, (GATES.index(gate) + 1) * H)


def with_bias(params, **biases):
    """Return the parameters with the biases of some gates replaced."""
    b_h = params["b_h"].copy()
    for gate, value in biases.items():
        b_h[columns(gate)] = value
    return {**params, "b_h": b_h}


@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_values_and_gradients_are_those_of_the_papers_equations_by_loops(peepholes, seed, same_as_loops):
    same_as_loops(LSTMCell(D, H, peepholes=peepholes), graves, seed)


# The pocket: i = 2/3, f = 3/4, o = 1/2, g = 3/5 and c_0 = 4/5, so c_1 = 3/4 · 4/5 + 2/3 · 3/5 = 1


def pocket(dh=1.0, dc=0.0):
    """One unit with weights 1, 2, 3, 4 from h to i, f, g, o."""
    cell = LSTMCell(1, 1)
    logs = [math.log(2), math.log(3), math.log(2), 0.0]  # i, f, g, o
    params = {"W_xh": np.array([logs]), "W_hh": np.array([[1.0, 2.0, 3.0, 4.0]]), "b_h": np.zeros(4)}
    state = (np.zeros((1, 1)), np.array([[0.8]]))
    (h, c), cache = cell.step(params, cell.project(params, np.ones((1, 1, 1)))[0], state)
    (dh_prev, dc_prev), delta = cell.step_backward(params, (np.array([[dh]]), np.array([[dc]])), cache)
    return cache, h.item(), c.item(), delta[0], dh_prev.item(), dc_prev.item()


def test_the_pocket_by_hand():
    cache, h, c, delta, dh_prev, dc_prev = pocket()
    assert [getattr(cache, gate).item() for gate in GATES] == pytest.approx([2 / 3, 3 / 4, 3 / 5, 1 / 2], rel=1e-15)
    assert (c, h) == pytest.approx((1.0, math.tanh(1) / 2), rel=1e-15)
    dc = (1 - math.tanh(1) ** 2) / 2
    by_hand = [dc * 3 / 5 * 2 / 9, dc * 4 / 5 * 3 / 16, dc * 2 / 3 * 16 / 25, math.tanh(1) / 4]
    np.testing.assert_allclose(delta, by_hand, rtol=1e-14)
    assert dc_prev == pytest.approx(dc * 3 / 4, rel=1e-14)
    assert dh_prev == pytest.approx(sum((k + 1) * by_hand[k] for k in range(4)), rel=1e-14)
    assert h == pytest.approx(0.380797, abs=5e-7)
    np.testing.assert_allclose([*delta, dc_prev], [0.027998, 0.031498, 0.089595, 0.190399, 0.157490], atol=5e-7)


def test_the_pockets_wrong_answer_without_the_derivative_of_tanh():
    """Who forgets 1 − tanh²c has dc = 1/2: .066667, .075, .213333. Here dc alone comes in, and is that 1/2."""
    _, _, _, delta, _, dc_prev = pocket(dh=0.0, dc=0.5)
    np.testing.assert_allclose(delta, [1 / 15, 3 / 40, 16 / 75, 0.0], rtol=1e-14)
    assert dc_prev == pytest.approx(3 / 8, rel=1e-14)


# Which columns are which gate


def test_a_gate_shut_or_open_does_what_its_name_says():
    cell = LSTMCell(D, H)
    params, xs, (h_prev, c_prev), _ = draw(cell)

    def step(**biases):
        at = with_bias(params, **biases)
        (h, c), cache = cell.step(at, cell.project(at, xs)[0], (h_prev, c_prev))
        return h, c, cache

    h, c, as_it_is = step()
    _, c_unwritten, _ = step(i=SHUT)
    np.testing.assert_array_equal(c_unwritten, as_it_is.f * c_prev)
    _, c_forgotten, _ = step(f=SHUT)
    np.testing.assert_array_equal(c_forgotten, as_it_is.i * as_it_is.g)
    for g, bias in ((-1.0, SHUT), (1.0, OPEN)):
        np.testing.assert_array_equal(step(g=bias)[1], as_it_is.f * c_prev + as_it_is.i * g)
    h_hidden, c_hidden, _ = step(o=SHUT)
    assert not h_hidden.any()
    np.testing.assert_array_equal(c_hidden, c)
    np.testing.assert_array_equal(step(o=OPEN)[0], np.tanh(c))
    _, c_kept, _ = step(i=SHUT, f=OPEN)
    np.testing.assert_array_equal(c_kept, c_prev)
    assert np.abs(h).min() > 0.01  # nothing above was 0 = 0


def test_every_order_of_the_blocks_but_one_is_another_cell():
    """Weights whose gates stand in another order than i, f, g, o have the right shapes, and other roles."""
    cell = LSTMCell(D, H)
    params, xs, (h_prev, c_prev), _ = draw(cell, seed=1)
    pre = cell.project(params, xs)[0] + h_prev @ params["W_hh"]
    results = []
    for order in itertools.permutations(GATES):
        moved = {name: np.concatenate([array[..., columns(gate)] for gate in order], axis=-1)
                 for name, array in params.items()}
        (h, c), _ = cell.step(moved, cell.project(moved, xs)[0], (h_prev, c_prev))
        i, f, g, o = (pre[:, columns(gate)] for gate in order)  # the gate that now stands where i belongs, and so on
        i, f, o = (1 / (1 + np.exp(-a)) for a in (i, f, o))
        np.testing.assert_allclose(c, f * c_prev + i * np.tanh(g), rtol=1e-13)
        np.testing.assert_allclose(h, o * np.tanh(c), rtol=1e-13)
        results.append(h)
    for one, other in itertools.combinations(results, 2):
        assert np.abs(one - other).max() > 1e-3


# Peepholes


def test_peepholes_at_zero_are_the_plain_lstm_to_the_last_bit():
    plain, peeping = LSTMCell(D, H), LSTMCell(D, H, peepholes=True)
    params, xs, state, dhs = draw(plain)
    more = {**params, **{name: np.zeros(H) for name in ("w_ci", "w_cf", "w_co")}}
    answers = []
    for cell, at in ((plain, params), (peeping, more)):
        hs, final, caches = unroll(cell, at, xs, state)
        dstates, deltas = unroll_backward(cell, at, dhs, caches)
        dxs, grads = cell.param_grads(at, xs, caches, deltas)
        answers.append(([hs, *final, *dstates[0], np.stack(deltas), dxs, *(grads[name] for name in params)], grads))
    (first, _), (second, grads) = answers
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert min(np.abs(grads[name]).min() for name in ("w_ci", "w_cf", "w_co")) > 1e-3  # zero weights learn all the same


# The additive path


def test_with_f_open_and_i_shut_the_cell_and_its_gradient_stay_as_they_are():
    cell, steps = LSTMCell(D, H), 100
    params, _, state, _ = draw(cell)
    at = with_bias(params, i=SHUT, f=OPEN)
    xs = np.random.default_rng(1).uniform(-1, 1, (steps, N, D))
    hs, (_, c), caches = unroll(cell, at, xs, state)
    np.testing.assert_array_equal(c, state[1])
    dc = np.random.default_rng(2).standard_normal((N, H))
    dstates, _ = unroll_backward(cell, at, np.zeros_like(hs), caches, (np.zeros((N, H)), dc))
    for _, dc_here in dstates:
        np.testing.assert_array_equal(dc_here, dc)


def test_the_additive_path_shrinks_by_f_alone():
    """Half-open, f = 9/10 all the way: c_0 and its gradient are 0.9 ** 100 of what they were, whatever the matrices."""
    cell, steps = LSTMCell(D, H), 100
    params, _, state, _ = draw(cell)
    none = {name: np.where(np.arange(4 * H) // H == 1, 0.0, array) for name, array in params.items()}
    at = with_bias(none, i=SHUT, f=math.log(9))
    hs, (_, c), caches = unroll(cell, at, np.zeros((steps, N, D)), state)
    np.testing.assert_allclose(c, 0.9**steps * state[1], rtol=1e-12)
    dc = np.ones((N, H))
    dstates, _ = unroll_backward(cell, at, np.zeros_like(hs), caches, (np.zeros((N, H)), dc))
    np.testing.assert_allclose(dstates[0][1], 0.9**steps * dc, rtol=1e-12)


# The start


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -2.5, 3])
def test_the_forget_bias_is_the_forget_gates_start_and_nothing_else(forget_bias):
    cell, other = LSTMCell(D, H, forget_bias=forget_bias), LSTMCell(D, H, forget_bias=7.0)
    params = cell.init_params(rng=np.random.default_rng(0))
    for gate in GATES:
        assert params["b_h"][columns(gate)].tolist() == [forget_bias if gate == "f" else 0.0] * H
    for name in ("W_xh", "W_hh"):
        np.testing.assert_array_equal(params[name], other.init_params(rng=np.random.default_rng(0))[name])
    c_0 = np.array([[0.5, -2.0]])
    (_, c), cache = cell.step(params, cell.project(params, np.zeros((1, 1, D)))[0], (np.zeros((1, H)), c_0))
    np.testing.assert_allclose(c, c_0 / (1 + math.exp(-forget_bias)), rtol=1e-14)  # at x = h = 0, f c_0 and no more
    assert (cache.i.tolist(), cache.o.tolist(), cache.g.tolist()) == ([[0.5] * H], [[0.5] * H], [[0.0] * H])
    random, xs, state, _ = draw(cell)
    np.testing.assert_array_equal(unroll(cell, random, xs, state)[0], unroll(other, random, xs, state)[0])


@pytest.mark.parametrize("peepholes", [False, True])
def test_each_gate_starts_as_a_matrix_of_its_own(peepholes):
    D, H = 20, 16
    cell = LSTMCell(D, H, peepholes=peepholes)
    params = cell.init_params(rng=np.random.default_rng(3))
    blocks = [params["W_hh"][:, columns(gate, H)] for gate in GATES]
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(H), atol=1e-13)
    for one, other in itertools.combinations(blocks, 2):
        assert np.abs(one - other).max() > 0.1
    limit = math.sqrt(6 / (D + H))  # of one gate; as one matrix (D, 4H) it would be √(6 / (D + 4H))
    for gate in GATES:
        assert 0.97 * limit < np.abs(params["W_xh"][:, columns(gate, H)]).max() <= limit
    assert params["b_h"].tolist() == [0.0] * H + [1.0] * H + [0.0] * 2 * H
    assert all(params[name].tolist() == [0.0] * H for name in set(params) - {"W_xh", "W_hh", "b_h"})
    assert ("w_co" in params) == peepholes


# Choices and refusals


def test_the_defaults():
    assert LSTMCell(3, 4) == LSTMCell(3, 4, peepholes=False, forget_bias=1.0) != LSTMCell(3, 4, peepholes=True)


@pytest.mark.parametrize(("name", "value", "expected"), [
    ("peepholes", 1, "one of False, True."),
    ("peepholes", 1.0, "one of False, True."),  # a forget bias in the wrong place
    ("peepholes", None, "one of False, True."),
    ("peepholes", "yes", "one of False, True."),
    ("forget_bias", math.nan, "a finite number."),
    ("forget_bias", math.inf, "a finite number."),
    ("forget_bias", True, "a finite number."),
    ("forget_bias", None, "a finite number."),
])
def test_choices_that_are_none(name, value, expected):
    with pytest.raises(ArgumentError) as caught:
        LSTMCell(**{"input_size": 3, "hidden_size": 4, name: value})
    assert str(caught.value) == f"LSTMCell: {name} is {value!r}, expected {expected}"
