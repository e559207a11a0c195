"""The rows for gates and attention can fail: for a wrong backward, and for a right one of another function."""

import numpy as np
import pytest

from rnn_from_scratch import activations, attention
from rnn_from_scratch.article import verify
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LSTMCell, LuongCell, lstm

IDS = ["E-LSTM", "E-GRU", "E-ATT"]


def failed(ids=IDS):
    """Return the ids and forms of the rows that fail."""
    return {(row.id, row.equation.split(",  ")[-1].split(", ")[-1]) for row in verify(ids, ["complex"]) if not row.ok}


LSTM_ROWS = {("E-LSTM", "no peepholes"), ("E-LSTM", "peepholes")}
GRU_AFTER, GRU_BEFORE = ("E-GRU", "n = tanh(… + r (W_hn h + b_hn))"), ("E-GRU", "n = tanh(… + W_hn (r h))")
ADDITIVE, GENERAL, DOT = (("E-ATT", f"e = {text}") for text in ("v·tanh(q W_q + m W_m)", "q·(m W_m)", "q·m"))
LUONG = {GENERAL, DOT}


def changed_backward(cell_type, change):
    """Return step_backward of a cell with its result changed."""
    original = cell_type.step_backward
    return lambda self, params, dstate, cache: change(self, params, dstate, cache, *original(
        self, params, dstate, cache))


def lstm_cell_path_dropped(self, params, dstate, cache, before, delta):
    return (before[0], before[1] - dstate[1] * cache.f), delta


def lstm_output_peephole_forgotten(self, params, dstate, cache, before, delta):
    if not self.peepholes:
        return before, delta
    return LSTMCell(4, 3).step_backward(params, dstate, cache)


def gru_copy_path_dropped(self, params, dstate, cache, before, delta):
    return (before[0] - dstate[0] * cache.z,), delta


def gru_reset_forgotten(self, params, dstate, cache, before, delta):
    if not self.reset_after:
        return before, delta
    delta_n = delta[:, 6:]
    return (before[0] + (delta_n - delta_n * cache.r) @ params["W_hh"][:, 6:].T,), delta


def query_forgotten(self, params, dstate, cache, before, delta):
    return self.cell.step_backward(params["cell"], dstate, cache.inner)[0], delta


def feeding_forgotten(self, params, dstate, cache, before, delta):
    return (np.zeros_like(before[0]), *before[1:]), delta


@pytest.mark.parametrize(
    ("cell_type", "change", "rows"),
    [
        (LSTMCell, lstm_cell_path_dropped, LSTM_ROWS | LUONG),
        (LSTMCell, lstm_output_peephole_forgotten, {("E-LSTM", "peepholes")}),
        (GRUCell, gru_copy_path_dropped, {GRU_AFTER, GRU_BEFORE, ADDITIVE}),
        (GRUCell, gru_reset_forgotten, {GRU_AFTER, ADDITIVE}),
        (BahdanauCell, query_forgotten, {ADDITIVE}),
        (LuongCell, feeding_forgotten, LUONG),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_backward_fails_the_rows_that_use_it_and_no_other(cell_type, change, rows, monkeypatch, same_forward):
    monkeypatch.setattr(cell_type, "step_backward", changed_backward(cell_type, change))
    assert failed() == rows


def test_another_function_with_a_right_gradient_fails(monkeypatch):
    """σ(2z) for σ(z), with its own derivative: every gradient is right, of a function that is not the one printed."""
    monkeypatch.setattr(lstm, "sigmoid", lambda z: activations.sigmoid(2.0 * z))
    monkeypatch.setattr(lstm, "sigmoid_derivative", lambda s: 2.0 * activations.sigmoid_derivative(s))
    for row in verify(["E-LSTM"], ["complex"]):
        assert row.errors["complex"] < 1e-12
        assert not row.ok


def test_weights_on_padding_fail(monkeypatch):
    softmax = attention.masked_softmax
    monkeypatch.setattr(attention, "masked_softmax", lambda scores, mask=None: softmax(scores))
    rows = verify(["E-ATT"], ["complex"])
    assert not any(row.ok for row in rows)
    assert all("padding WEIGHS" in row.measured for row in rows)


def test_a_softmax_jacobian_without_its_second_term_fails(monkeypatch, same_forward):
    original = attention.attend_backward

    def diagonal_only(kind, params, dcontext, memory, cache):
        dweights = (dcontext[..., None, :, :] * memory).sum(axis=-1)
        dscores = cache.weights * (1 - cache.weights) * dweights
        return kind.query_grad(params, dscores, cache), original(kind, params, dcontext, memory, cache)[1]

    for module in ("bahdanau", "luong"):
        monkeypatch.setattr(f"rnn_from_scratch.cells.{module}.attend_backward", diagonal_only)
    assert failed(["E-ATT"]) == {ADDITIVE, GENERAL, DOT}


def test_every_row_is_proven_at_another_point():
    assert all(row.ok for row in verify(IDS, ["central", "complex"], seed=3))
