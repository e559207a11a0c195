"""Recurrent matrices of low rank: the equations by loops, the full cells with W_hh = U V, counts and starts."""

import cmath
import math

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import LowRankLSTMCell, LowRankRNNCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import check_cell
from rnn_from_scratch.validate import ArgumentError

T, N, D, H, R = 4, 2, 3, 5, 2
ACTIVATIONS = {
    "relu": lambda a: a if a.real > 0 else 0 * a, "tanh": cmath.tanh, "sigmoid": lambda a: 1 / (1 + cmath.exp(-a)),
}
PAIRS = {  # a cell of low rank beside the full one
    **{name: (LowRankRNNCell(D, H, R, name), RNNCell(D, H, name)) for name in ACTIVATIONS},
    "LSTM": (LowRankLSTMCell(D, H, R), LSTMCell(D, H)),
}


def sums(params, x, state, offset, columns):
    """x W_xh + (h U) V + b for one sequence, one number at a time."""
    s = [sum(state[k] * params["U"][k][m] for k in range(len(state))) for m in range(len(params["V"]))]
    a = []
    for j in range(columns):
        total = params["b_h"][j] + offset[j]
        for k in range(len(x)):
            total += params["W_xh"][k][j] * x[k]
        for m in range(len(s)):
            total += s[m] * params["V"][m][j]
        a.append(total)
    return a


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", [2, 3])
def test_the_rnns_values_and_gradients_are_those_of_its_equation_by_loops(activation, seed, same_as_loops):
    def step(params, x, state, offset):
        return ([ACTIVATIONS[activation](a) for a in sums(params, x, state[0], offset, 3)],)

    same_as_loops(LowRankRNNCell(2, 3, 1, activation), step, seed)
    same_as_loops(LowRankRNNCell(1, 3, 2, activation), step, seed)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_lstms_values_and_gradients_are_those_of_its_equations_by_loops(seed, same_as_loops):
    def step(params, x, state, offset):
        (h_prev, c_prev), units = state, len(state[0])
        a = sums(params, x, h_prev, offset, 4 * units)
        sigma = ACTIVATIONS["sigmoid"]
        h, c = [], []
        for j in range(units):
            i, f, g, o = (a[gate * units + j] for gate in range(4))
            c.append(sigma(f) * c_prev[j] + sigma(i) * cmath.tanh(g))
            h.append(sigma(o) * cmath.tanh(c[j]))
        return h, c

    same_as_loops(LowRankLSTMCell(2, 3, 1), step, seed)
    same_as_loops(LowRankLSTMCell(1, 3, 2), step, seed)


def run(cell, params, xs, state, dhs):
    hs, final, caches = unroll(cell, params, xs, state)
    dstates, deltas = unroll_backward(cell, params, dhs, caches)
    dxs, grads = cell.param_grads(params, xs, caches, deltas)
    return {"hs": hs, "dxs": dxs, "deltas": np.stack(deltas), **{f"final{n}": part for n, part in enumerate(final)},
            **{f"dstate{n}": part for n, part in enumerate(dstates[0])}}, grads


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_the_full_cell_with_the_product_for_its_matrix(name):
    cell, full = PAIRS[name]
    rng = np.random.default_rng(0)
    params = {key: rng.standard_normal(shape) for key, shape in cell.param_shapes().items()}
    whole = {"W_xh": params["W_xh"], "W_hh": params["U"] @ params["V"], "b_h": params["b_h"]}
    xs, dhs = rng.standard_normal((T, N, D)), rng.standard_normal((T, N, H))
    state = tuple(rng.standard_normal(part.shape) for part in cell.initial_state(N))
    mine, grads = run(cell, params, xs, state, dhs)
    other, whole_grads = run(full, whole, xs, state, dhs)
    G = whole_grads["W_hh"]
    mine |= {key: grads[key] for key in ("W_xh", "b_h", "U", "V")}
    other |= {"W_xh": whole_grads["W_xh"], "b_h": whole_grads["b_h"], "U": G @ params["V"].T, "V": params["U"].T @ G}
    for key, array in other.items():
        np.testing.assert_allclose(mine[key], array, rtol=1e-11, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", PAIRS)
def test_the_counts(name):
    cell, full = PAIRS[name]
    counts = [sum(math.prod(shape) for shape in one.param_shapes().values()) for one in (cell, full)]
    columns = full.param_shapes()["W_hh"][1]
    assert counts[1] - counts[0] == H * columns - R * (H + columns)
    assert (R < H / 2 or name == "LSTM") == (counts[0] < counts[1])  # 2 < 5/2; for the LSTM 2 < 4


@pytest.mark.parametrize("cell", [LowRankRNNCell(2, 7, 3), LowRankLSTMCell(2, 7, 3)], ids=str)
def test_no_step_makes_an_array_as_large_as_the_matrix(cell, monkeypatch):
    """What a step multiplies is thin: whoever formed U V would have the full cell's time back."""
    rng = np.random.default_rng(0)
    params = {key: rng.standard_normal(shape) for key, shape in cell.param_shapes().items()}

    class Thin(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
            plain = [np.asarray(array) for array in inputs]
            result = getattr(ufunc, method)(*plain, **kwargs)
            if ufunc is np.matmul:
                assert 7 not in result.shape[:1], "a product over h's units, not over the batch"
            return result

    thin = {key: array.view(Thin) for key, array in params.items()}
    x_proj, state = cell.project(params, np.ones((1, 4, 2)))[0], cell.initial_state(4)
    after, cache = cell.step(thin, x_proj, state)
    cell.step_backward(thin, after, cache)
    with pytest.raises(AssertionError, match="over h's units"):
        thin["U"] @ thin["V"]


@pytest.mark.parametrize("blocks", [1, 4])
@pytest.mark.parametrize(("units", "rank"), [(60, 15), (12, 12)])
def test_the_start_keeps_the_length_of_what_it_keeps(blocks, units, rank):
    cell = LowRankRNNCell(3, units, rank) if blocks == 1 else LowRankLSTMCell(3, units, rank)
    params = cell.init_params(rng=np.random.default_rng(0))
    for block in np.split(params["U"] @ params["V"], blocks, axis=1):
        singular = np.linalg.svd(block, compute_uv=False)
        np.testing.assert_allclose(singular[:rank], 1.0, rtol=1e-12)
        assert not (singular[rank:] > 1e-12).any()
        sizes = np.sort(np.abs(np.linalg.eigvals(block)))[::-1]
        np.testing.assert_allclose(sizes[:rank], 1.0, rtol=1e-10)
    # Drawn apart, thin factors of orthonormal rows and columns make an h that fades.
    rng = np.random.default_rng(1)
    apart = [np.linalg.qr(rng.standard_normal((units, rank)))[0] for _ in "UV"]
    faded = np.abs(np.linalg.eigvals(apart[0] @ apart[1].T)).max()
    assert abs(faded - math.sqrt(rank / units)) < 0.1


def test_the_lstms_start_is_the_full_cells_but_for_the_factors():
    params = LowRankLSTMCell(3, 4, 2, forget_bias=2.5).init_params(rng=np.random.default_rng(0))
    full = LSTMCell(3, 4, forget_bias=2.5).init_params(rng=np.random.default_rng(0))
    np.testing.assert_array_equal(params["W_xh"], full["W_xh"])
    np.testing.assert_array_equal(params["b_h"], full["b_h"])
    blocks = np.split(params["V"], 4, axis=1)
    assert min(np.abs(one - blocks[0]).max() for one in blocks[1:]) > 0.1


@pytest.mark.parametrize("kind", [LowRankRNNCell, LowRankLSTMCell])
@pytest.mark.parametrize("rank", [1, 5])
def test_conformance_at_the_smallest_and_the_largest_rank(kind, rank):
    report = check_cell(kind(2, 5, rank), rng=np.random.default_rng(rank))
    report.raise_if_wrong()
    assert report.worst < 1e-12


@pytest.mark.parametrize("kind", [LowRankRNNCell, LowRankLSTMCell])
def test_ranks_that_are_none(kind):
    with pytest.raises(ArgumentError) as caught:
        kind(3, 4, 5)
    because = "because h U has the rank H at most: more columns are more numbers, and no other function."
    assert str(caught.value) == f"{kind.__name__}: rank is 5, expected at most hidden_size=4 {because}"
    for rank in (0, -1, 2.0, True, None):
        with pytest.raises(ArgumentError, match=rf"^{kind.__name__}: rank is {rank!r}, expected a whole number"):
            kind(3, 4, rank)
    assert kind(3, 4, 2) != kind(3, 4, 3)


def test_the_choices():
    assert LowRankRNNCell(3, 4, 2) == LowRankRNNCell(3, 4, 2, activation="tanh")
    with pytest.raises(ArgumentError, match=r"^LowRankRNNCell: activation is 'gelu', expected one of 'tanh'"):
        LowRankRNNCell(3, 4, 2, "gelu")
    with pytest.raises(ArgumentError, match=r"^LowRankLSTMCell: forget_bias is nan, expected a finite number"):
        LowRankLSTMCell(3, 4, 2, forget_bias=math.nan)
