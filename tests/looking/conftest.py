"""Cells and numbers that the tests of `looking` share."""

from types import SimpleNamespace

import numpy as np
import pytest

from rnn_from_scratch.cells import (
    CoupledLSTMCell,
    GRUCell,
    GRUDCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LSTMCell,
    MinGRUCell,
    RNNCell,
)

T, N, D, H = 4, 2, 3, 5
CELLS = {
    "rnn": RNNCell(D, H), "sigmoid": RNNCell(D, H, "sigmoid"), "lstm": LSTMCell(D, H),
    "peepholes": LSTMCell(D, H, peepholes=True), "gru": GRUCell(D, H), "gru before": GRUCell(D, H, reset_after=False),
    "coupled": CoupledLSTMCell(D, H), "layer norm": LayerNormLSTMCell(D, H), "min": MinGRUCell(D, H),
    "gru-d": GRUDCell(D, H), "low rank": LowRankLSTMCell(D, H, 2),
}


def make_case(cell, seed=0):
    """Params, inputs, a state and a gradient of the outputs, all away from 0."""
    rng = np.random.default_rng(seed)
    return SimpleNamespace(
        cell=cell, rng=rng,
        params={name: 0.6 * rng.standard_normal(shape) for name, shape in cell.param_shapes().items()},
        xs=rng.standard_normal((T, N, D)),
        state=tuple(0.5 * rng.standard_normal(part.shape) for part in cell.initial_state(N)),
        dhs=rng.standard_normal((T, N, H)), mask=np.array([[1, 1, 0, 1], [1, 0, 0, 1]], bool).T,
    )


@pytest.fixture(params=CELLS)
def case(request):
    """Each cell in turn."""
    return make_case(CELLS[request.param])


@pytest.fixture
def rnn():
    """The RNN alone."""
    return make_case(CELLS["rnn"])


@pytest.fixture
def lstm():
    """The LSTM alone."""
    return make_case(CELLS["lstm"])
