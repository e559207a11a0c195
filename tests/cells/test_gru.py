"""The GRU, both resets: Cho et al. (2014), eqs 5–8, and the later one by loops; which gate is which; what z keeps."""

import cmath
import itertools
import math

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import GRUCell
from rnn_from_scratch.validate import ArgumentError

GATES = "rzn"  # the order of the columns
T, N, D, H = 4, 2, 3, 2
SHUT, OPEN = -100.0, 100.0  # σ is 0 and 1 there, to the last bit
both_resets = pytest.mark.parametrize("reset_after", [True, False])


def sigma(a):
    return 1 / (1 + cmath.exp(-a))


def numbers(params, x, offset, H):
    """Return what a gate's unit gets from the input, and from any H numbers in the place of h_{t−1}."""
    def from_x(gate, j):
        column = GATES.index(gate) * H + j
        return sum((params["W_xh"][k][column] * x[k] for k in range(len(x))), params["b_h"][column] + offset[column])

    def from_h(gate, j, h):
        column = GATES.index(gate) * H + j
        return sum(params["W_hh"][k][column] * h[k] for k in range(H))

    return from_x, from_h


def cho(params, x, state, offset):
    """Cho et al. (2014), with the biases that they leave out: r multiplies h_{t−1}, then comes the matrix."""
    (h_prev,) = state
    H = len(h_prev)
    from_x, from_h = numbers(params, x, offset, H)
    r = [sigma(from_x("r", j) + from_h("r", j, h_prev)) for j in range(H)]  # eq. 5
    z = [sigma(from_x("z", j) + from_h("z", j, h_prev)) for j in range(H)]  # eq. 6
    reset = [r[k] * h_prev[k] for k in range(H)]
    candidate = [cmath.tanh(from_x("n", j) + from_h("n", j, reset)) for j in range(H)]  # eq. 8
    return ([z[j] * h_prev[j] + (1 - z[j]) * candidate[j] for j in range(H)],)  # eq. 7


def after(params, x, state, offset):
    """The other one, as in PyTorch: first the matrix and its bias, then r multiplies what came out."""
    (h_prev,) = state
    h = []
    for j in range(len(h_prev)):
        from_x, from_h = numbers(params, x, offset, len(h_prev))
        r = sigma(from_x("r", j) + from_h("r", j, h_prev))
        z = sigma(from_x("z", j) + from_h("z", j, h_prev))
        n = cmath.tanh(from_x("n", j) + r * (from_h("n", j, h_prev) + params["b_hn"][j]))
        h.append((1 - z) * n + z * h_prev[j])
    return (h,)


def draw(cell, seed=0):
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    return params, rng.standard_normal((T, N, D)), (rng.standard_normal((N, H)),), rng.standard_normal((T, N, H))


def columns(gate, H=H):
    """The columns of one gate."""
    return slice(GATES.index(gate) * H, (GATES.index(gate) + 1) * H)


def with_bias(params, **biases):
    """Return the parameters with the biases of some gates replaced."""
    b_h = params["b_h"].copy()
    for gate, value in biases.items():
        b_h[columns(gate)] = value
    return {**params, "b_h": b_h}


def run(cell, params, xs, state, dhs):
    hs, final, caches = unroll(cell, params, xs, state)
    dstates, deltas = unroll_backward(cell, params, dhs, caches)
    dxs, grads = cell.param_grads(params, xs, caches, deltas)
    return {"hs": hs, "final": final[0], "dxs": dxs, "dh_0": dstates[0][0], "delta": np.stack(deltas), **grads}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("reset_after", "step"), [(True, after), (False, cho)])
def test_values_and_gradients_are_those_of_the_papers_equations_by_loops(reset_after, step, seed, same_as_loops):
    same_as_loops(GRUCell(D, H, reset_after=reset_after), step, seed)


# The two resets


def test_the_two_resets_are_two_functions():
    """Same weights, b_hn = 0: they differ where the matrix mixes units, and agree where it does not."""
    later, earlier = GRUCell(D, H), GRUCell(D, H, reset_after=False)
    assert later == GRUCell(D, H, reset_after=True) != earlier
    params, xs, state, _ = draw(earlier)
    diagonal = params["W_hh"].copy()
    diagonal[:, columns("n")] *= np.eye(H)
    for W_hh, differ in ((params["W_hh"], True), (diagonal, False)):
        before = {**params, "W_hh": W_hh}
        gap = unroll(later, {**before, "b_hn": np.zeros(H)}, xs, state)[0] - unroll(earlier, before, xs, state)[0]
        assert (np.abs(gap).max() > 1e-2) if differ else (np.abs(gap).max() < 1e-14)


def test_the_two_resets_agree_where_r_is_1_and_b_hn_0():
    later, earlier = GRUCell(D, H), GRUCell(D, H, reset_after=False)
    params, xs, state, dhs = draw(earlier)
    params = with_bias(params, r=OPEN)
    one, other = run(earlier, params, xs, state, dhs), run(later, {**params, "b_hn": np.zeros(H)}, xs, state, dhs)
    assert set(other) - set(one) == {"b_hn"}
    for name, array in one.items():
        np.testing.assert_allclose(other[name], array, rtol=0, atol=1e-14, err_msg=name)
    shifted = run(later, {**params, "b_hn": np.full(H, 0.5)}, xs, state, dhs)
    assert np.abs(shifted["hs"] - one["hs"]).max() > 1e-2  # with a bias inside they would not


def test_where_r_is_0_the_past_is_out_of_the_candidate():
    """Reset before: n sees x alone. Reset after: b_hn is out too."""
    for cell in (GRUCell(D, H), GRUCell(D, H, reset_after=False)):
        params, xs, (h_prev,), _ = draw(cell)
        params = with_bias(params, r=SHUT)
        x_proj = cell.project(params, xs)[0]
        _, cache = cell.step(params, x_proj, (h_prev,))
        np.testing.assert_array_equal(cache.n, np.tanh(x_proj[:, columns("n")]))


# What z keeps


@both_resets
def test_with_z_at_1_the_state_and_its_gradient_stay_as_they_are(reset_after):
    cell, steps = GRUCell(D, H, reset_after), 100
    params, _, state, _ = draw(cell)
    params = with_bias(params, z=OPEN)
    xs, dfinal = np.random.default_rng(1).uniform(-1, 1, (steps, N, D)), np.random.default_rng(2).normal(size=(N, H))
    hs, _, caches = unroll(cell, params, xs, state)
    dstates, deltas = unroll_backward(cell, params, np.zeros_like(hs), caches, (dfinal,))
    for t in range(steps):
        np.testing.assert_array_equal(hs[t], state[0])
        np.testing.assert_array_equal(dstates[t][0], dfinal)
    assert not np.stack(deltas).any()  # and nothing is learned


@both_resets
def test_z_keeps_the_old_and_1_minus_z_takes_the_new(reset_after):
    """h = (1 − z) n + z h_{t−1}: with z = 0 the candidate, with z = 3/4 three quarters of the old state."""
    cell = GRUCell(D, H, reset_after)
    params, xs, (h_prev,), _ = draw(cell)
    at = with_bias(params, z=SHUT)
    (h,), cache = cell.step(at, cell.project(at, xs)[0], (h_prev,))
    np.testing.assert_array_equal(h, cache.n)
    at = with_bias(params, z=math.log(3))
    at["W_xh"][:, columns("z")] = at["W_hh"][:, columns("z")] = 0.0
    (h,), cache = cell.step(at, cell.project(at, xs)[0], (h_prev,))
    np.testing.assert_allclose(h, cache.n / 4 + 3 * h_prev / 4, rtol=1e-14)
    assert np.abs(cache.n - h_prev).min() > 0.01


@both_resets
def test_every_order_of_the_blocks_but_one_is_another_cell(reset_after):
    """Weights whose gates stand in another order than r, z, n have the right shapes, and other roles."""
    cell = GRUCell(D, H, reset_after)
    params, xs, (h_prev,), _ = draw(cell, seed=1)
    x_proj, results = cell.project(params, xs)[0], []
    for order in itertools.permutations(GATES):
        moved = {name: np.concatenate([array[..., columns(gate)] for gate in order], axis=-1)
                 for name, array in params.items() if name != "b_hn"}
        b_hn = {"b_hn": params["b_hn"]} if reset_after else {}
        (h,), _ = cell.step({**moved, **b_hn}, cell.project(moved, xs)[0], (h_prev,))
        x_r, x_z, x_n = (x_proj[:, columns(gate)] for gate in order)  # the gate that now stands where r belongs …
        W_r, W_z, W_n = (params["W_hh"][:, columns(gate)] for gate in order)
        r, z = (1 / (1 + np.exp(-a)) for a in (x_r + h_prev @ W_r, x_z + h_prev @ W_z))
        inner = r * (h_prev @ W_n + params["b_hn"]) if reset_after else (r * h_prev) @ W_n
        np.testing.assert_allclose(h, (1 - z) * np.tanh(x_n + inner) + z * h_prev, rtol=1e-12, atol=1e-14)
        results.append(h)
    for one, other in itertools.combinations(results, 2):
        assert np.abs(one - other).max() > 1e-3


# The start, and refusals


@both_resets
def test_each_gate_starts_as_a_matrix_of_its_own(reset_after):
    D, H = 20, 16
    params = GRUCell(D, H, reset_after).init_params(rng=np.random.default_rng(3))
    blocks = [params["W_hh"][:, columns(gate, H)] for gate in GATES]
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(H), atol=1e-13)
    for one, other in itertools.combinations(blocks, 2):
        assert np.abs(one - other).max() > 0.1
    limit = math.sqrt(6 / (D + H))  # of one gate; as one matrix (D, 3H) it would be √(6 / (D + 3H))
    for gate in GATES:
        assert 0.97 * limit < np.abs(params["W_xh"][:, columns(gate, H)]).max() <= limit
    assert params["b_h"].tolist() == [0.0] * 3 * H
    assert params.get("b_hn", np.empty(0)).tolist() == [0.0] * H * reset_after


@pytest.mark.parametrize("value", [1, 0, 1.0, None, "after", np.array(True)])
def test_the_reset_is_a_yes_or_no(value):
    with pytest.raises(ArgumentError) as caught:
        GRUCell(3, 4, value)
    assert str(caught.value) == f"GRUCell: reset_after is {value!r}, expected one of True, False."
