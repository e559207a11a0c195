"""GRU-D: Che et al. (2018) by loops, PyTorch's values from raw series with holes, and what the decays do."""

import cmath
import math
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import GRUCell, GRUDCell
from rnn_from_scratch.data import FillStatistics, MaskAndTime
from rnn_from_scratch.diagnosis import check_cell
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.validate import ArgumentError

with np.load(Path(__file__).parents[1] / "reference" / "gru_d.npz") as saved:
    VALUES = {name: saved[name] for name in saved.files if not name.startswith("version/")}
NAMES = sorted({name.split("/")[0] for name in VALUES})
F, H = 2, 4
NAN = np.nan


def che(params, x, state, offset):
    """One unit at a time, on numbers that may be complex."""
    (h_prev,) = state
    features, H = len(x) // 3, len(h_prev)
    values, m, delta = x[:features], x[features : 2 * features], x[2 * features :]

    def decay(wear):
        return cmath.exp(-wear) if complex(wear).real > 0 else 1.0

    x_hat = []
    for k in range(features):
        gamma = decay(params["w_gamma_x"][k] * delta[k] + params["b_gamma_x"][k])
        x_hat.append(m[k] * values[k] + (1 - m[k]) * gamma * values[k])
    h_hat = [
        decay(sum(params["W_gamma_h"][k][j] * delta[k] for k in range(features)) + params["b_gamma_h"][j]
              + offset[3 * H + j]) * h_prev[j]
        for j in range(H)
    ]

    def pre_activation(column, h):
        inputs = sum(params["W_xh"][k][column] * x_hat[k] + params["W_mh"][k][column] * m[k] for k in range(features))
        return inputs + sum(params["W_hh"][i][column] * h[i] for i in range(H)) + params["b_h"][column] + offset[column]

    def sigmoid(a):
        return 1 / (1 + cmath.exp(-a))

    r = [sigmoid(pre_activation(j, h_hat)) for j in range(H)]
    z = [sigmoid(pre_activation(H + j, h_hat)) for j in range(H)]
    reset = [r[i] * h_hat[i] for i in range(H)]
    return ([(1 - z[j]) * cmath.tanh(pre_activation(2 * H + j, reset)) + z[j] * h_hat[j] for j in range(H)],)


@pytest.mark.parametrize("seed", [0, 1])
def test_values_and_gradients_are_those_of_the_papers_equations_by_loops(seed, same_as_loops):
    same_as_loops(GRUDCell(6, 3), che, seed)


def test_the_reference_holds_what_it_should():
    assert NAMES == ["GRU-D", "GRU-D, long", "GRU-D, one feature", "GRU-D, padded"]
    assert not VALUES["GRU-D, padded/mask"].all()
    assert all(np.isnan(VALUES[f"{name}/raw"]).any() for name in NAMES)
    assert all(np.nanmax(np.abs(array)) > 0.01 for array in VALUES.values())


@pytest.mark.parametrize("name", NAMES)
def test_pytorchs_values_and_every_gradient_from_the_raw_series(name):
    """The inputs by `MaskAndTime`, the mean inside the paper's decay, its z the other way round: the same numbers."""
    ref = {key.split("/")[1]: array for key, array in VALUES.items() if key.split("/")[0] == name}
    mask = None if ref["mask"].all() else ref["mask"]
    statistics = FillStatistics(ref["mean"], np.ones(len(ref["mean"]), int))
    xs = MaskAndTime(relative=True).transform(statistics, ref["raw"], mask=mask, times=ref["times"])
    cell = GRUDCell(xs.shape[2], ref["h0"].shape[1])
    layer = Recurrent(cell)
    params = {key: ref[key] for key in cell.param_shapes()}
    hs, (final,), cache = layer.forward(params, xs, (ref["h0"],), mask)
    _, (dh0,), grads = layer.backward(params, ref["dhs"], cache, (ref["dfinal"],))
    ours = {"hs": hs, "final": final, "grad h0": dh0, **{f"grad {key}": grads[key] for key in grads}}
    assert set(ours) == {key for key in ref if key.startswith(("grad", "final", "hs"))}
    for key, array in ours.items():
        np.testing.assert_allclose(array, ref[key], rtol=0, atol=1e-12, err_msg=key)


@pytest.mark.parametrize(("features", "hidden"), [(1, 2), (2, 3), (1, 4), (3, 2)])
def test_it_passes_the_conformance_suite_by_both_methods(features, hidden):
    """check_cell uses the complex step; central differences stay below 1e-7 beside it, under a mask too."""
    cell, rng = GRUDCell(3 * features, hidden), np.random.default_rng(features)
    report = check_cell(cell, rng=rng)
    report.raise_if_wrong()
    assert report.worst < 1e-12
    params = {name: 0.7 * rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    tree = {"params": params, "xs": rng.standard_normal((4, 3, 3 * features)), "h0": rng.standard_normal((3, hidden))}
    mask = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1], [1, 1, 0]], bool)
    weights = rng.standard_normal((4, 3, hidden))
    for here in (None, mask):
        _, _, cache = Recurrent(cell).forward(params, tree["xs"], (tree["h0"],), here)
        dxs, (dh0,), grads = Recurrent(cell).backward(params, weights, cache)

        def loss(at, here=here):
            return (weights * Recurrent(cell).forward(at["params"], at["xs"], (at["h0"],), here)[0]).sum()

        found = check_gradients(loss, tree, {"params": grads, "xs": dxs, "h0": dh0}, method="central")
        found.raise_if_wrong()
        assert found.worst < 1e-7


def draw(seed=0, N=2):
    rng = np.random.default_rng(seed)
    cell = GRUDCell(3 * F, H)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    return cell, params, rng.standard_normal((5, N, 3 * F)), (rng.standard_normal((N, H)),)


def test_with_all_seen_and_no_decay_it_is_the_gru_with_the_reset_before():
    cell, params, xs, state = draw()
    params |= {name: -np.ones_like(params[name]) for name in ("w_gamma_x", "b_gamma_x", "W_gamma_h", "b_gamma_h")}
    xs[..., F : 2 * F], xs[..., 2 * F :] = 1.0, np.abs(xs[..., 2 * F :])
    hs, _, _ = unroll(cell, params, xs, state)
    gru = {"W_xh": np.concatenate([params["W_xh"], params["W_mh"]]), "W_hh": params["W_hh"], "b_h": params["b_h"]}
    other, _, _ = unroll(GRUCell(2 * F, H, reset_after=False), gru, xs[..., : 2 * F], state)
    np.testing.assert_allclose(hs, other, rtol=0, atol=1e-14)


def test_the_decays_by_hand():
    """w = ln 2: half is left after a time of 1, an eighth after 3; what is seen now does not decay; none exceeds 1."""
    cell = GRUDCell(3, 1)
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    params["w_gamma_x"][:] = math.log(2)
    xs = np.array([[8.0, 1, 3], [8, 0, 1], [8, 0, 3], [8, 0, 0]])[:, None]
    inputs = cell.mixed_inputs(params, xs)
    np.testing.assert_allclose(inputs.mixed[:, 0, 0], [8, 4, 1, 8], rtol=1e-15)
    params["w_gamma_x"][:], params["b_gamma_x"][:] = -5.0, 0.0
    np.testing.assert_array_equal(cell.mixed_inputs(params, xs).decay, 1.0)
    # the state: with σ(0) = 1/2 and n = 0, h is half of what the decay left
    params["W_gamma_h"][:], params["b_gamma_h"][:] = math.log(2), math.log(2)
    (h,), _ = cell.step(params, cell.project(params, xs)[1], (np.array([[8.0]]),))
    np.testing.assert_allclose(h, [[0.5 * 8 / 4]], rtol=1e-15)


def test_below_zero_a_decay_passes_no_gradient():
    cell, params, xs, state = draw()
    names = ("w_gamma_x", "b_gamma_x", "W_gamma_h", "b_gamma_h")
    params |= {name: -np.abs(params[name]) for name in names}
    xs[..., 2 * F :] = np.abs(xs[..., 2 * F :])
    hs, _, caches = unroll(cell, params, xs, state)
    _, deltas = unroll_backward(cell, params, np.ones_like(hs), caches)
    dxs, grads = cell.param_grads(params, xs, caches, deltas)
    assert not any(grads[name].any() for name in names)
    assert not dxs[..., 2 * F :].any()


def test_the_start_is_alive_and_slow():
    cell = GRUDCell(3 * 5, 16)
    params = cell.init_params(rng=np.random.default_rng(3))
    assert 0 < params["w_gamma_x"].min() < params["w_gamma_x"].max() < 0.1
    assert 0 < params["W_gamma_h"].min() < params["W_gamma_h"].max() < 0.02
    xs = np.zeros((1, 1, 15))  # δ = 0: the first step of any sequence
    assert (cell.mixed_inputs(params, xs).wear > 0).all()
    assert (cell.project(params, xs)[..., -16:] > 0).all()
    limit = math.sqrt(6 / (5 + 16))
    for name in ("W_xh", "W_mh"):
        blocks = np.split(params[name], 3, axis=1)
        assert all(0.9 * limit < np.abs(block).max() <= limit for block in blocks)
    for block in np.split(params["W_hh"], 3, axis=1):
        np.testing.assert_allclose(block @ block.T, np.eye(16), atol=1e-12)
    assert not params["b_h"].any()


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_the_inputs_come_in_threes(size):
    with pytest.raises(ArgumentError, match=f"GRUDCell: input_size is {size}, expected a multiple of 3 .*MaskAndTime"):
        GRUDCell(size, 4)
    assert GRUDCell(12, 4).features == 4
