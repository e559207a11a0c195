"""A layer one step at a time: the forward's numbers, a state of its own, and refusals that leave it where it was."""

import gc
import importlib.util
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_copy
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import (
    BahdanauCell,
    CoupledLSTMCell,
    GRUCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankRNNCell,
    LSTMCell,
    LuongCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
)
from rnn_from_scratch.fused.pool import POOL
from rnn_from_scratch.layers import Recurrent

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Sequence, same, worst = _module.Sequence, _module.same, _module.worst

T, H = 6, 4
CELLS = {
    "tanh": RNNCell, "relu": lambda D, H: RNNCell(D, H, "relu"), "sigmoid": lambda D, H: RNNCell(D, H, "sigmoid"),
    "LSTM": LSTMCell, "GRU": GRUCell, "minGRU": MinGRUCell, "minLSTM": MinLSTMCell,
    "peepholes": lambda D, H: LSTMCell(D, H, peepholes=True),
    "reset before": lambda D, H: GRUCell(D, H, reset_after=False), "layer norm": LayerNormLSTMCell,
    "IndRNN": IndRNNCell, "coupled": CoupledLSTMCell, "low rank": lambda D, H: LowRankRNNCell(D, H, 2),
}
FUSED = ("tanh", "relu", "sigmoid", "LSTM", "GRU")
PAIRS = [(name, engine) for name in CELLS for engine in (None, "stepwise") if engine is None or name in FUSED]
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
every_pair = pytest.mark.parametrize(("name", "engine"), PAIRS)
two_engines = pytest.mark.parametrize("engine", ["fused", "stepwise"])


def made(name="GRU", engine="fused", N=2, D=3, dtype=np.float64, **choices):
    """Return a sequence, its layer, and a stream from its state."""
    sequence = Sequence(CELLS[name](D, H), T, N, np.random.default_rng(N + D), dtype=dtype, **choices)
    layer = Recurrent(sequence.cell, engine)
    return sequence, layer, layer.stream(sequence.params, N, sequence.state)


@pytest.mark.parametrize("indices", [False, True], ids=["", "indices"])
@every_pair
def test_every_step_is_the_forwards(name, engine, indices):
    for N, D in ((1, 3), (1, 17), (2, 17), (3, 2), (5, 17)):
        for dtype, tolerance in TOLERANCE.items():
            for state in (True, False):
                sequence, layer, stream = made(name, engine, N, D, dtype, state=state, indices=indices)
                hs, final, _ = sequence.forward(layer)
                for t, x in enumerate(sequence.xs):
                    assert worst(stream(x), hs[t])[0] <= tolerance, f"{N=} {D=} step {t}"
                assert worst(stream.state, final)[0] <= tolerance


@pytest.mark.parametrize("cell", [
    BahdanauCell(RNNCell(3, H), AdditiveAttention(H, 5, 2)),
    BahdanauCell(LSTMCell(3, H), MultiplicativeAttention(H, H, "dot")),
    LuongCell(GRUCell(3, H), MultiplicativeAttention(H, 5)),
], ids=["additive", "dot", "Luong"])
def test_a_cell_with_a_memory(cell):
    layer, rng = Recurrent(cell), np.random.default_rng(0)
    params = layer.init_params(rng=rng)
    shape = cell.memory_shapes(7, 2)["memory"]
    params |= {"memory": rng.standard_normal(shape), "memory_mask": rng.random(shape[:2]) < 0.7}
    params["memory_mask"][0] = True
    params["memory"][~params["memory_mask"]] = np.nan
    xs = rng.standard_normal((T, 2, 3))
    hs, final, _ = layer.forward(params, xs)
    stream = layer.stream(params, 2)
    assert worst([stream(x) for x in xs], list(hs))[0] <= 1e-12
    assert worst(stream.state, final)[0] <= 1e-12


@two_engines
def test_one_sequence_is_the_default(engine):
    sequence, layer, _ = made(engine=engine, N=1, state=False)
    stream = layer.stream(sequence.params)
    hs, _, _ = layer.forward(sequence.params, sequence.xs)
    assert worst([stream(x) for x in sequence.xs], list(hs))[0] <= 1e-12


# Its own state, its own parameters, its own outputs


@every_pair
def test_what_came_back_stays_as_it_is(name, engine):
    for N, D in ((1, 3), (3, 17)):
        sequence, _, stream = made(name, engine, N, D)
        outputs = [stream(sequence.xs[0]), stream(sequence.xs[1])]
        states = [stream.state]
        kept = tree_copy([outputs, states])
        for x in sequence.xs[2:]:
            stream(x)
        same([outputs, states], kept)
        for array in (*outputs, *states[0]):
            array[...] = np.nan  # and is the caller's to write on
        state = stream.state
        assert all(np.isfinite(part).all() for part in state)
        for part in state:
            part[...] = np.nan
        assert np.isfinite(stream(sequence.xs[0])).all()


@every_pair
def test_out_is_written_and_returned(name, engine):
    sequence, layer, stream = made(name, engine)
    other = layer.stream(sequence.params, 2, sequence.state)
    out = np.full((2, H), np.nan)
    for x in sequence.xs:
        assert stream(x, out) is out
        np.testing.assert_array_equal(out, other(x))
        out[...] = np.nan  # nothing of the stream's own was given away
    wide = np.full((2, 2 * H), np.nan)  # any array that h fits into
    assert worst(stream(sequence.xs[0], wide[:, ::2]), other(sequence.xs[0]))[0] == 0
    assert np.isnan(wide[:, 1::2]).all()


@two_engines
def test_the_input_may_be_the_output(engine):
    sequence, layer, stream = made(engine=engine, D=H)
    other = layer.stream(sequence.params, 2, sequence.state)
    x = sequence.xs[0].copy()
    for _ in range(4):
        expected = other(x.copy())
        np.testing.assert_array_equal(stream(x, x), expected)


@every_pair
def test_params_and_state_changed_afterwards_change_nothing(name, engine):
    sequence, layer, stream = made(name, engine)
    hs, _, _ = sequence.forward(layer)
    arrays = [*sequence.params.values(), *sequence.state]
    for number, x in enumerate(sequence.xs):
        assert worst(stream(x), hs[number])[0] <= 1e-12
        for array in arrays:
            array[...] = np.nan
    stream.reset()
    assert worst(stream(sequence.xs[0]), hs[0])[0] <= 1e-12


@every_pair
def test_reset(name, engine):
    sequence, layer, stream = made(name, engine)
    first = [stream(x) for x in sequence.xs]
    middle = stream.state
    for _ in range(2):
        stream.reset()
        same(stream.state, sequence.state)
        same([stream(x) for x in sequence.xs], first)
    stream.reset(middle)
    same(stream.state, middle)
    given = tree_copy(middle)
    stream.reset(given)
    for part in given:
        part[...] = np.nan
    after = layer.stream(sequence.params, 2, middle)
    same([stream(x) for x in sequence.xs], [after(x) for x in sequence.xs])
    stream.reset()
    same(stream.state, sequence.state)


@pytest.mark.parametrize("name", FUSED)
@two_engines
def test_indices_and_numbers_in_turn(name, engine):
    """They go different ways inside, and the state goes with them."""
    for N in (1, 2, 5):
        sequence, layer, stream = made(name, engine, N)
        rng = np.random.default_rng(1)
        indices = rng.integers(0, 3, (T, N))
        mixed = [indices[t] if t in (0, 2, 3) else sequence.xs[t] for t in range(T)]
        xs = np.stack([np.eye(3)[x] if x.ndim == 1 else x for x in mixed])
        hs, final, _ = layer.forward(sequence.params, xs, sequence.state)
        for _ in range(2):
            assert worst([stream(x) for x in mixed], list(hs))[0] <= 1e-12
            assert worst(stream.state, final)[0] <= 1e-12
            stream.reset()


@two_engines
@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_indices_of_any_integer_type(engine, kind):
    sequence, layer, stream = made("LSTM", engine, indices=True)
    other = layer.stream(sequence.params, 2, sequence.state)
    for x in sequence.xs:
        np.testing.assert_array_equal(stream(x.astype(kind)), other(x))


@two_engines
def test_streams_are_independent_of_each_other_and_of_the_layer(engine):
    sequence, layer, stream = made(engine=engine)
    expected = [stream(x) for x in sequence.xs]
    one, other = (layer.stream(sequence.params, 2, sequence.state) for _ in range(2))
    for t, x in enumerate(sequence.xs):
        np.testing.assert_array_equal(one(x), expected[t])
        sequence.run(layer)
        other(sequence.xs[-1 - t])


def test_inputs_that_are_not_contiguous():
    sequence, layer, stream = made(N=3)
    other = layer.stream(sequence.params, 3, sequence.state)
    for x in sequence.xs:
        turned, spread = np.asfortranarray(x), np.zeros((3, 6))[:, ::2]
        spread[...] = x
        expected = other(x)
        np.testing.assert_array_equal(stream(turned), expected)
        stream.reset(other.state)
        other.reset(stream.state)
        np.testing.assert_array_equal(stream(spread), other(x))


@pytest.mark.parametrize(("N", "D"), [(1, 8), (1, 300), (4, 8), (4, 40)])
@pytest.mark.parametrize("name", FUSED)
def test_with_out_no_array_is_allocated(name, N, D):
    cell = CELLS[name](D, 500)
    layer = Recurrent(cell)
    rng = np.random.default_rng(0)
    stream, x = layer.stream(layer.init_params(rng=rng), N), rng.standard_normal((N, D))
    out = np.empty((N, 500))
    for _ in range(3):
        stream(x, out)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        stream(x, out)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < out.nbytes / N, "more than one row of h"
    assert after - before < 1000


def test_a_streams_buffers_are_not_the_pools():
    POOL.clear()
    sequence, _, stream = made()
    stream(sequence.xs[0])
    assert POOL.idle_bytes() == 0
    del stream
    assert POOL.idle_bytes() == 0
