"""What holds for every gated cell: conformance, starts, float32, numbers far out, and refusals in plain words."""

from functools import partial, update_wrapper

import numpy as np
import pytest

from rnn_from_scratch.cells import (
    CoupledLSTMCell,
    GRUCell,
    GRUDCell,
    IndRNNCell,
    LowRankLSTMCell,
    LowRankRNNCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
)
from rnn_from_scratch.diagnosis import check_cell, check_layer
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.validate import ArgumentError, DtypeError

T, N = 4, 2
CONFIGURATIONS = [
    (LSTMCell, {}), (LSTMCell, {"peepholes": True}), (GRUCell, {}), (GRUCell, {"reset_after": False}),
    *((IndRNNCell, {"activation": name}) for name in ("relu", "tanh", "sigmoid")),
    (CoupledLSTMCell, {}), (LowRankLSTMCell, {"rank": 2}), (MinGRUCell, {}), (MinLSTMCell, {}), (GRUDCell, {}),
    *((LowRankRNNCell, {"rank": 2, "activation": name}) for name in ("relu", "tanh", "sigmoid")),
]
every_configuration = pytest.mark.parametrize(
    ("kind", "choices"), CONFIGURATIONS, ids=[" ".join(map(str, (k.__name__, *c.values()))) for k, c in CONFIGURATIONS]
)
LOW_RANK = [update_wrapper(partial(kind, rank=2), kind) for kind in (LowRankRNNCell, LowRankLSTMCell)]
every_kind = pytest.mark.parametrize(
    "kind", [LSTMCell, GRUCell, IndRNNCell, CoupledLSTMCell, MinGRUCell, MinLSTMCell, GRUDCell, *LOW_RANK])


@every_configuration
@pytest.mark.parametrize(("D", "H", "seed"), [(2, 3, 0), (3, 2, 1), (1, 2, 2)])
def test_conformance(kind, choices, D, H, seed):
    cell = kind(3 * D if kind is GRUDCell else D, H, **choices)  # its inputs come in threes
    state = [f"state[{index}]" for index in range(len(cell.initial_state(1)))]
    names = {*cell.param_shapes(), "xs", *state}
    for check, checked in ((check_cell, cell), (check_layer, Recurrent(cell))):
        report = check(checked, rng=np.random.default_rng(seed))
        report.raise_if_wrong()
        assert {row.name for row in report.rows} == names | {f"{name} (masked)" for name in names}
        assert report.worst < 1e-12


@every_configuration
def test_a_start_is_drawn_from_one_generator(kind, choices):
    cell = kind(3, 4, **choices)
    params, again, other = (cell.init_params(rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert {name: array.shape for name, array in params.items()} == dict(cell.param_shapes())
    for name, array in params.items():
        np.testing.assert_array_equal(array, again[name])
    assert not np.array_equal(params["W_xh"], other["W_xh"])
    for part in cell.initial_state(3):
        assert (part.dtype, part.tolist()) == (np.float64, [[0.0] * 4] * 3)


@every_configuration
def test_float32_stays_float32(kind, choices):
    cell, rng = kind(3, 4, **choices), np.random.default_rng(0)
    layer, params = Recurrent(cell), cell.init_params(rng=rng, dtype=np.float32)
    xs = rng.standard_normal((T, N, 3)).astype(np.float32)
    hs, final, cache = layer.forward(params, xs)
    dxs, dstate, grads = layer.backward(params, np.ones_like(hs), cache)
    every = [*params.values(), *cell.initial_state(N, np.float32), hs, *final, dxs, *dstate, *grads.values()]
    assert {array.dtype for array in every} == {np.dtype(np.float32)}
    wide = {name: array.astype(np.float64) for name, array in params.items()}
    hs_wide, _, cache = layer.forward(wide, xs.astype(np.float64))
    np.testing.assert_allclose(hs, hs_wide, atol=1e-6)
    np.testing.assert_allclose(dxs, layer.backward(wide, np.ones_like(hs_wide), cache)[0], atol=1e-5)


@every_configuration
def test_numbers_far_out_give_finite_gradients(kind, choices):
    cell, rng = kind(3, 4, **choices), np.random.default_rng(0)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    state = tuple(1e5 * rng.standard_normal(part.shape) for part in cell.initial_state(N))
    hs, final, cache = Recurrent(cell).forward(params, 1e5 * rng.standard_normal((T, N, 3)), state)
    dxs, dstate, grads = Recurrent(cell).backward(params, np.ones_like(hs), cache)
    assert all(np.isfinite(array).all() for array in (hs, *final, dxs, *dstate, *grads.values()))


@every_kind
@pytest.mark.parametrize("value", [0, -1, 3.0, True, "3"])
@pytest.mark.parametrize("name", ["input_size", "hidden_size"])
def test_sizes_are_whole_numbers(kind, name, value):
    with pytest.raises(ArgumentError) as caught:
        kind(**{"input_size": 3, "hidden_size": 4, name: value})
    because = "a whole number of at least 1 because it counts something."
    assert str(caught.value) == f"{kind.__name__}: {name} is {value!r}, expected {because}"


@every_kind
def test_bad_starts(kind):
    cell = kind(3, 4)
    with pytest.raises(DtypeError, match=r"rng is 0, expected a numpy\.random\.Generator"):
        cell.init_params(rng=0)
    for start in (lambda dtype: cell.init_params(rng=np.random.default_rng(0), dtype=dtype),
                  lambda dtype: cell.initial_state(2, dtype)):
        with pytest.raises(DtypeError, match="dtype is int64, expected float64 or float32"):
            start(np.int64)
    with pytest.raises(ArgumentError, match=rf"^{kind.__name__}.initial_state: batch_size is 0, expected a whole num"):
        cell.initial_state(0)


@every_kind
def test_a_state_of_another_cell_is_refused(kind):
    cell = kind(3, 4)
    params = cell.init_params(rng=np.random.default_rng(0))
    count = len(cell.initial_state(N))
    wrong = tuple(np.zeros((N, 4)) for _ in range(3 - count))  # (h, c) for one that has h alone, and the reverse
    with pytest.raises(DtypeError, match=rf"state is a tuple of {3 - count}, expected a tuple of {count} array"):
        Recurrent(cell).forward(params, np.zeros((T, N, 3)), wrong)


@every_kind
def test_a_cell_cannot_be_changed(kind):
    assert kind(3, 4) == kind(3, 4) != kind(3, 5)
    with pytest.raises(AttributeError, match="cannot assign"):
        kind(3, 4).hidden_size = 5
