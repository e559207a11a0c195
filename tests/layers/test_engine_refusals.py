"""What the engines refuse, in words: where, what came, what was expected, why, and what to try."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.attention import AdditiveAttention
from rnn_from_scratch.cells import BahdanauCell, CoupledLSTMCell, GRUCell, IndRNNCell, LSTMCell, RNNCell
from rnn_from_scratch.layers import Bidirectional, Recurrent, Stacked
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Sequence, same = _module.Sequence, _module.same

T, N, D, H = 5, 2, 3, 4
every_engine = pytest.mark.parametrize("engine", ["fused", "stepwise", None])


def refused(error, message, call, *arguments, **more):
    with pytest.raises(error) as caught:
        call(*arguments, **more)
    assert str(caught.value).startswith(message), str(caught.value)


# Choices


@every_engine
@pytest.mark.parametrize("wrong", [0, -1, True, False, 1.5, 2.0, "2", np.nan, np.float64(3), [2], np.ones(1)], ids=repr)
def test_recompute_every_is_a_whole_number(wrong, engine):
    message = f"Recurrent: recompute_every is {wrong!r}, expected a whole number of at least 1 because it counts"
    refused(ArgumentError, message, Recurrent, RNNCell(D, H), engine, recompute_every=wrong)


def test_a_number_of_numpys_is_that_number():
    layer = Recurrent(RNNCell(D, H), recompute_every=np.int8(2))
    assert "recompute_every=2" in repr(layer)
    assert layer == Recurrent(RNNCell(D, H), recompute_every=2)


@pytest.mark.parametrize("cell", [
    LSTMCell(D, H, peepholes=True), GRUCell(D, H, reset_after=False), IndRNNCell(D, H), CoupledLSTMCell(D, H),
    BahdanauCell(RNNCell(D, H), AdditiveAttention(H, 2, 3)),
], ids=repr)
@pytest.mark.parametrize("every", [None, 3])
def test_no_kernel_for_this_cell(cell, every):
    message = f"Recurrent: engine is 'fused' for {cell}, expected 'stepwise' or None because no fused kernel exists for"
    refused(ArgumentError, message, Recurrent, cell, "fused", recompute_every=every)
    assert Recurrent(cell, recompute_every=every).engine is None


@pytest.mark.parametrize("wrong", ["Fused", "", True, 0, b"fused", ("fused",), np.array(["fused"])], ids=repr)
def test_engines_have_names(wrong):
    message = f"Recurrent: engine is {wrong!r}, expected one of 'stepwise', 'fused', None."
    refused(ArgumentError, message, Recurrent, RNNCell(D, H), wrong)


# Indices

INDICES = np.array([[0, 1], [2, 2], [1, 0], [0, 0], [2, 1]])
MASK = np.ones((T, N), bool)
MASK[3:, 1] = False


def with_entry(value, dtype=np.int64):
    indices = INDICES.astype(dtype)
    indices[3, 1] = value
    return indices


REFUSED = {
    "too large": (with_entry(3), ArgumentError,
                  "xs[3, 1] is 3, expected 0 … 2 because input_size=3, counted from 0. Are they counted from 1?"),
    "negative": (with_entry(-1), ArgumentError,
                 "xs[3, 1] is -1, expected 0 … 2 because input_size=3, counted from 0. NumPy would read it from the "
                 "end. On padding any number will do."),
    "huge": (with_entry(2**64 - 1, np.uint64), ArgumentError, "xs[3, 1] is 18446744073709551615, expected 0 … 2"),
    "small and huge": (with_entry(-128, np.int8), ArgumentError, "xs[3, 1] is -128, expected 0 … 2"),
    "bools": (INDICES > 0, DtypeError, "xs has dtype bool, expected float64 (or float32) because gradients need real"),
    "floats": (INDICES.astype(np.float64), ShapeError,
               "xs has shape (5, 2), expected (T, N, 3) because time comes first and input_size=3. For a single "
               "sequence use xs[:, None, :]; from batch-first use xs.swapaxes(0, 1)."),
    "float32": (INDICES.astype(np.float32), ShapeError, "xs has shape (5, 2), expected (T, N, 3) because time comes"),
    "integers in three axes": (np.ones((T, N, D), int), DtypeError,
                               "xs has dtype int64, expected float64 (or float32) because gradients need real numbers. "
                               "Try xs.astype(np.float64); indices go in as integers (T, N)."),
    "one sequence": (INDICES[:, 0], DtypeError, "xs has dtype int64, expected float64 (or float32)"),
    "a list": (INDICES.tolist(), DtypeError, "xs is a list, expected a NumPy array because nothing is converted"),
    "objects": (INDICES.astype(object), DtypeError, "xs has dtype object, expected float64 (or float32)"),
    "masked": (np.ma.masked_array(INDICES, ~MASK), DtypeError, "xs is a MaskedArray, expected a plain NumPy array"),
    "no steps": (INDICES[:0], ShapeError, "xs has shape (0, 2), expected (T, N) with T ≥ 1 because with no time steps"),
    "no sequences": (INDICES[:, :0], ShapeError, "xs has shape (5, 0), expected (T, N) with N ≥ 1 because with no"),
}


@pytest.mark.parametrize("every", [None, 2])
@pytest.mark.parametrize("case", REFUSED)
@every_engine
def test_indices_that_are_none(case, engine, every):
    xs, error, message = REFUSED[case]
    layer = Recurrent(RNNCell(D, H), engine, recompute_every=every)
    params = layer.init_params(rng=np.random.default_rng(0))
    refused(error, f"Recurrent.forward: {message}", layer.forward, params, xs)
    refused(error, f"Recurrent.infer: {message}", layer.infer, params, xs)


@pytest.mark.parametrize("value", [-1, 3, 2**31])
@every_engine
def test_on_padding_any_index_will_do(engine, value):
    layer = Recurrent(GRUCell(D, H), engine)
    params = layer.init_params(rng=np.random.default_rng(0))
    wild = np.where(MASK, INDICES, value)
    found, expected = (layer.forward(params, xs, None, MASK)[:2] for xs in (wild, np.where(MASK, INDICES, 0)))
    same(found, expected)
    assert wild[3, 1] == value  # the caller's own array is as it was
    wild[0, 0] = value
    refused(ArgumentError, f"Recurrent.forward: xs[0, 0] is {value}, expected", layer.forward, params, wild, None, MASK)


@every_engine
def test_indices_say_nothing_of_the_dtype(engine):
    """It is the parameters'; a state of another is refused."""
    layer = Recurrent(LSTMCell(D, H), engine)
    for dtype, other in ((np.float32, np.float64), (np.float64, np.float32)):
        params = layer.init_params(rng=np.random.default_rng(0), dtype=dtype)
        hs, final, cache = layer.forward(params, INDICES)
        assert {hs.dtype, *(part.dtype for part in final)} == {np.dtype(dtype)}
        _, dstate, grads = layer.backward(params, hs, cache)
        assert {array.dtype for array in (*dstate, *grads.values())} == {np.dtype(dtype)}
        message = "float32 beside .* of float64, expected one dtype throughout"
        with pytest.raises(DtypeError, match=f"^Recurrent.forward: .* is {message}"):
            layer.forward(params, INDICES, layer.initial_state(N, other))
        with pytest.raises(DtypeError, match=f"^Recurrent.backward: .* is {message}"):
            layer.backward(params, hs.astype(other), cache)


def test_layers_of_layers_take_numbers_or_say_so():
    for layer in (
        Stacked((Recurrent(RNNCell(D, H)), Recurrent(RNNCell(H, H)))),
        Bidirectional(Recurrent(RNNCell(D, H)), Recurrent(RNNCell(D, H))),
    ):
        params = layer.init_params(rng=np.random.default_rng(0))
        name = type(layer).__name__
        with pytest.raises(DtypeError, match=rf"^{name}\.forward: xs has dtype int64, expected float64"):
            layer.forward(params, INDICES)


# Caches


@pytest.mark.parametrize("pair", [
    ({"engine": "fused"}, {"engine": "stepwise"}), ({"recompute_every": 2}, {}),
    ({"recompute_every": 2}, {"recompute_every": 3}),
    ({"engine": "stepwise", "recompute_every": 2}, {"engine": "stepwise"}),
    ({"engine": "fused", "recompute_every": 2}, {"engine": "fused"}),
], ids=repr)
def test_the_cache_of_another_engine_is_refused(pair):
    for made, own in (pair, pair[::-1]):
        sequence = Sequence(GRUCell(D, H), T, N, np.random.default_rng(0))
        layer, other = Recurrent(sequence.cell, **made), Recurrent(sequence.cell, **own)
        _, _, cache = sequence.forward(layer)
        sequence.backward(layer, cache)
        with pytest.raises(ArgumentError, match=re.escape(f"Recurrent.backward: cache was made by {layer}"[:120])):
            sequence.backward(other, cache)


@every_engine
def test_backward_refuses_what_does_not_fit_indices_too(engine):
    sequence = Sequence(GRUCell(D, H), T, N, np.random.default_rng(0), indices=True)
    layer = Recurrent(sequence.cell, engine)
    _, _, cache = sequence.forward(layer)
    for wrong, error, message in (
        (sequence.dhs[1:], ShapeError, "dhs has shape (4, 2, 4), expected (5, 2, 4)"),
        (sequence.dhs * np.nan, ArgumentError, "dhs[0, 0, 0] is nan"),
        (sequence.dhs.astype(np.float32), DtypeError, "dhs is float32 beside params.W_xh of float64"),
        (INDICES, DtypeError, "dhs has dtype int64, expected float64 (or float32)"),
    ):
        refused(error, f"Recurrent.backward: {message}", layer.backward, sequence.params, wrong, cache)
