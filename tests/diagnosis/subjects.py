"""The functions whose mutants are judged, with their points and the checks that must reject them.

These are the parts of a plain recurrent network; newer_subjects.py has the parts around them.
"""

from __future__ import annotations

from functools import partial
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from points import (
    MODELS,
    Point,
    activation_point,
    cell_point,
    dense_point,
    loss_point,
    model_loss_point,
    model_of,
    model_point,
    window_point,
)
from rejecting import Check, seeded

from rnn_from_scratch import activations, bptt, losses
from rnn_from_scratch.activations import ACTIVATIONS
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
    RNNCell,
    low_rank,
)
from rnn_from_scratch.diagnosis import (
    check_activation,
    check_cell,
    check_layer,
    check_loss,
    check_model,
    check_windows,
)
from rnn_from_scratch.layers import Dense, Recurrent
from rnn_from_scratch.models import SequenceModel, window_loss_and_grads

# The suite. Tiny configurations first: they reject most mutants at a tenth of the cost.


def xs(T: int, N: int) -> Any:
    return np.random.default_rng(3).normal(size=(T, N, 1))


ACTIVATION_CHECKS = {
    name: seeded(check_activation, getattr(activations, name), getattr(activations, f"{name}_derivative"))
    for name in ("tanh", "sigmoid", "relu", "identity", "softmax")
}
CELL_CHECKS = [
    seeded(check_cell, RNNCell(1, 2), xs=xs(3, 2)), *(seeded(check_cell, RNNCell(2, 3, name)) for name in ACTIVATIONS)
]
RECURRENT_CHECKS = [
    seeded(check_layer, Recurrent(RNNCell(1, 2), "stepwise"), xs=xs(3, 2)),
    *(seeded(check_layer, Recurrent(RNNCell(2, 3, name), "stepwise")) for name in ACTIVATIONS),
]
LSTMS = [partial(LSTMCell, peepholes=peepholes) for peepholes in (True, False)]
GRUS = [partial(GRUCell, reset_after=reset_after) for reset_after in (True, False)]
INDRNNS = [partial(IndRNNCell, activation=name) for name in ACTIVATIONS]
COUPLED = [CoupledLSTMCell]
LOW_RANK_RNNS = [partial(LowRankRNNCell, rank=1, activation=name) for name in ACTIVATIONS]
LOW_RANK_LSTMS = [partial(LowRankLSTMCell, rank=1)]
(
    LSTM_CHECKS, GRU_CHECKS, INDRNN_CHECKS, COUPLED_CHECKS, LOW_RANK_RNN_CHECKS, LOW_RANK_LSTM_CHECKS, MIN_GRU_CHECKS,
    MIN_LSTM_CHECKS,
) = (
    [
        *(seeded(check_cell, kind(1, 2), xs=xs(3, 2)) for kind in kinds),
        *(seeded(check_cell, kind(2, 3)) for kind in kinds),
    ]
    for kinds in (LSTMS, GRUS, INDRNNS, COUPLED, LOW_RANK_RNNS, LOW_RANK_LSTMS, [MinGRUCell], [MinLSTMCell])
)
GRU_D_CHECKS = [
    seeded(check_cell, GRUDCell(3, 2), xs=np.random.default_rng(3).normal(size=(3, 2, 3))),
    seeded(check_cell, GRUDCell(6, 4)),
]
DENSE_CHECKS = [seeded(check_layer, Dense(3, 4))]
MODEL_CHECKS = [
    *(seeded(check_layer, model_of(number, 1, 2, 3), xs=xs(3, 2)) for number in (1, 0)),
    *(seeded(check_model, model_of(number, 1, 2, 3), xs=xs(3, 2), fail_fast=True) for number in range(4)),
    *(seeded(check_model, model_of(number, 2, 3, 4), fail_fast=True) for number in range(len(MODELS))),
]
WINDOW_CHECKS = [
    seeded(check_windows, model_of(2, 1, 2, 2), 1, 2, xs=xs(4, 2), fail_fast=True),
    seeded(check_windows, model_of(0, 1, 2, 3), 2, 2, xs=xs(4, 2), fail_fast=True),
    *(
        seeded(check_windows, model_of(0, 2, 3, 4), *window, fail_fast=True)
        for window in ((2, 2), (5, 5), (1, 5), (2, 3))
    ),
    *(seeded(check_windows, model_of(number, 2, 3, 4), 2, 5, fail_fast=True) for number in range(0, len(MODELS), 2)),
]
_rng = np.random.default_rng(2)
_z, _classes, _numbers = _rng.normal(size=(3, 2, 4)), np.array([[0, 1], [2, 3], [3, 0]]), _rng.normal(size=(3, 2, 4))
_p = np.exp(_z) / np.exp(_z).sum(axis=-1, keepdims=True)
_hot = np.eye(4)[_classes]
ENTROPY_CHECKS = [
    seeded(check_loss, losses.softmax_cross_entropy, _z, targets, expected=-np.log(_p[_hot == 1]).mean())
    for targets in (_classes, _hot)
]
SQUARED_CHECKS = [
    seeded(check_loss, losses.mean_squared_error, _z, _numbers, expected=np.mean((_z - _numbers) ** 2))
]


class Subject(NamedTuple):
    """A function, where its mutants are judged, and the checks that must reject them."""

    function: FunctionType
    points: list[Point]  # unmasked and masked ones in turn
    checks: list[Check]
    at_least: int  # so that the maker cannot silently make none
    in_forward: bool = False  # whether the loss, too, runs it


MASKS = (False, True)


def cell_points(*kinds: Any) -> list[Point]:
    return [cell_point(kind, masked) for kind in kinds for masked in MASKS]


def gru_d_points() -> list[Point]:
    return [cell_point(GRUDCell, masked, columns=3) for masked in MASKS]


RNNS = [partial(RNNCell, activation=name) for name in ACTIVATIONS]
MODEL_POINTS = [model_point(number, masked) for number in range(len(MODELS)) for masked in MASKS]
LOSS_POINTS = [model_loss_point(number, masked) for number in range(len(MODELS)) for masked in MASKS]
WINDOW_POINTS = [window_point(number, masked) for number in range(0, len(MODELS), 2) for masked in MASKS]
ENTROPY_POINTS = [
    loss_point(losses.softmax_cross_entropy, kind, masked) for kind in ("indices", "one-hot") for masked in MASKS
]
SQUARED_POINTS = [loss_point(losses.mean_squared_error, "numbers", masked) for masked in MASKS]
PLAIN = [
    *(
        Subject(
            getattr(activations, f"{name}_derivative"),
            [activation_point(getattr(activations, name), getattr(activations, f"{name}_derivative"))],
            [check], at_least,
        )
        for (name, check), at_least in zip(ACTIVATION_CHECKS.items(), (11, 12, 6, 1, 21), strict=True)
    ),
    Subject(RNNCell.step_backward, cell_points(*RNNS), CELL_CHECKS + RECURRENT_CHECKS, 27),
    Subject(RNNCell.param_grads, cell_points(*RNNS), CELL_CHECKS + RECURRENT_CHECKS, 100),
    Subject(LSTMCell.step_backward, cell_points(*LSTMS), LSTM_CHECKS, 450),
    Subject(LSTMCell.param_grads, cell_points(*LSTMS), LSTM_CHECKS, 270),
    Subject(GRUCell.step_backward, cell_points(*GRUS), GRU_CHECKS, 430),
    Subject(GRUCell.param_grads, cell_points(*GRUS), GRU_CHECKS, 300),
    Subject(IndRNNCell.step_backward, cell_points(*INDRNNS), INDRNN_CHECKS, 25),
    Subject(IndRNNCell.param_grads, cell_points(*INDRNNS), INDRNN_CHECKS, 110),
    Subject(CoupledLSTMCell.step_backward, cell_points(*COUPLED), COUPLED_CHECKS, 290),
    Subject(CoupledLSTMCell.param_grads, cell_points(*COUPLED), COUPLED_CHECKS, 120),
    Subject(LowRankRNNCell.step_backward, cell_points(*LOW_RANK_RNNS), LOW_RANK_RNN_CHECKS, 35),
    Subject(LowRankRNNCell.param_grads, cell_points(*LOW_RANK_RNNS), LOW_RANK_RNN_CHECKS, 105),
    Subject(LowRankLSTMCell.step_backward, cell_points(*LOW_RANK_LSTMS), LOW_RANK_LSTM_CHECKS, 32),
    Subject(LowRankLSTMCell.param_grads, cell_points(*LOW_RANK_LSTMS), LOW_RANK_LSTM_CHECKS, 115),
    Subject(low_rank.factor_grads, cell_points(*LOW_RANK_RNNS, *LOW_RANK_LSTMS),
            LOW_RANK_RNN_CHECKS + LOW_RANK_LSTM_CHECKS, 45),
    Subject(MinGRUCell.step_backward, cell_points(MinGRUCell), MIN_GRU_CHECKS, 90),
    Subject(MinGRUCell.param_grads, cell_points(MinGRUCell), MIN_GRU_CHECKS, 80),
    Subject(MinLSTMCell.step_backward, cell_points(MinLSTMCell), MIN_LSTM_CHECKS, 95),
    Subject(MinLSTMCell.param_grads, cell_points(MinLSTMCell), MIN_LSTM_CHECKS, 80),
    Subject(GRUDCell.step_backward, gru_d_points(), GRU_D_CHECKS, 200),
    Subject(GRUDCell.param_grads, gru_d_points(), GRU_D_CHECKS, 400),
    Subject(bptt.unroll_backward, cell_points(*RNNS), CELL_CHECKS + RECURRENT_CHECKS, 185),
    Subject(bptt.without_padding, cell_points(*RNNS), CELL_CHECKS + RECURRENT_CHECKS, 18, in_forward=True),
    Subject(Dense.backward, [dense_point], DENSE_CHECKS, 65),
    Subject(SequenceModel.backward, MODEL_POINTS, MODEL_CHECKS, 70),
    Subject(SequenceModel.loss_and_grads, LOSS_POINTS, MODEL_CHECKS[2:], 80, in_forward=True),
    Subject(losses.softmax_cross_entropy, ENTROPY_POINTS, ENTROPY_CHECKS, 160, in_forward=True),
    Subject(losses.mean_squared_error, SQUARED_POINTS, SQUARED_CHECKS, 75, in_forward=True),
    Subject(losses._reduce, ENTROPY_POINTS + SQUARED_POINTS, ENTROPY_CHECKS + SQUARED_CHECKS, 70, in_forward=True),
    Subject(window_loss_and_grads, WINDOW_POINTS, WINDOW_CHECKS, 420, in_forward=True),
]
