"""The chrono start: the memories it promises, in the gates where they belong."""

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell, chrono_params
from rnn_from_scratch.validate import ArgumentError


@pytest.mark.parametrize("cell", [LSTMCell(3, 500), GRUCell(3, 500), LSTMCell(3, 500, peepholes=True)])
def test_memories_are_uniform_from_two_steps_to_the_longest(cell):
    params = chrono_params(cell, rng=np.random.default_rng(0), longest=100)
    keeps = 1.0 / (1.0 + np.exp(-params["b_h"][500:1000]))  # f, or z
    steps = 1.0 / (1.0 - keeps)
    assert 2.0 <= steps.min() < 3.0
    assert 98.0 < steps.max() <= 100.0
    np.testing.assert_allclose(np.quantile(steps, [0.25, 0.5, 0.75]), [26.5, 51.0, 75.5], atol=5.0)


def test_an_undisturbed_lstm_forgets_as_its_bias_says():
    """Zero weights leave the biases alone: c_t = f c_{t−1} + (1 − f) tanh(b_g)."""
    cell = LSTMCell(2, 5)
    params = chrono_params(cell, rng=np.random.default_rng(1), longest=30)
    params = {"W_xh": 0 * params["W_xh"], "W_hh": 0 * params["W_hh"], "b_h": params["b_h"]}
    memory = 1.0 + np.exp(params["b_h"][5:10])
    state = (np.zeros((1, 5)), np.ones((1, 5)))
    for _ in range(7):
        state, _ = cell.step(params, params["b_h"][None, :], state)
    np.testing.assert_allclose(state[1][0], (1.0 - 1.0 / memory) ** 7, rtol=1e-13)


def test_an_undisturbed_gru_forgets_as_its_bias_says():
    cell = GRUCell(2, 5)
    params = chrono_params(cell, rng=np.random.default_rng(1), longest=30)
    params = {name: array if name == "b_h" else 0 * array for name, array in params.items()}
    memory = 1.0 + np.exp(params["b_h"][5:10])
    state = (np.ones((1, 5)),)
    for _ in range(7):
        state, _ = cell.step(params, params["b_h"][None, :], state)
    np.testing.assert_allclose(state[0][0], (1.0 - 1.0 / memory) ** 7, rtol=1e-13)


def test_all_else_is_the_cells_own_start():
    for cell, changed in ((LSTMCell(3, 4, forget_bias=7.0), slice(0, 8)), (GRUCell(3, 4), slice(4, 8))):
        own = cell.init_params(rng=np.random.default_rng(2))
        found = chrono_params(cell, rng=np.random.default_rng(2), longest=9)
        assert found.keys() == own.keys()
        for name in set(own) - {"b_h"}:
            np.testing.assert_array_equal(found[name], own[name])
        kept = np.delete(np.arange(len(own["b_h"])), changed)
        np.testing.assert_array_equal(found["b_h"][kept], own["b_h"][kept])
    lstm = chrono_params(LSTMCell(3, 4), rng=np.random.default_rng(2), longest=9)["b_h"]
    np.testing.assert_array_equal(lstm[:4], -lstm[4:8])


def test_float32_stays_float32_and_the_shortest_memory_is_a_bias_of_zero():
    params = chrono_params(LSTMCell(2, 3), rng=np.random.default_rng(0), longest=2, dtype=np.float32)
    assert {array.dtype for array in params.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(params["b_h"], 0.0)


def test_errors():
    rng = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match=r"(?s)chrono_params: cell is RNNCell.*LSTMCell or a GRUCell.*irnn_params"):
        chrono_params(RNNCell(2, 3), rng=rng, longest=10)
    with pytest.raises(ArgumentError, match=r"(?s)chrono_params: longest is 1\.5.*U\(1, longest − 1\)"):
        chrono_params(LSTMCell(2, 3), rng=rng, longest=1.5)
