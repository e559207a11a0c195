"""Recomputation in segments, and inference without a cache, on the fused and on the stepwise engine."""

import gc
import importlib.util
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_copy
from rnn_from_scratch.cells import (
    CoupledLSTMCell,
    GRUCell,
    GRUDCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
)
from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.fused.pool import POOL
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.layers.engines import WITHOUT_CACHES
from rnn_from_scratch.validate import ArgumentError

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
MASKS, Sequence, same, worst = _module.MASKS, _module.Sequence, _module.same, _module.worst

D, H, T, N = 3, 4, 11, 3
CELLS = {
    "RNN": RNNCell(D, H), "LSTM": LSTMCell(D, H), "GRU": GRUCell(D, H), "minGRU": MinGRUCell(D, H),
    "minLSTM": MinLSTMCell(D, H), "peepholes": LSTMCell(D, H, peepholes=True),
    "reset before": GRUCell(D, H, reset_after=False), "layer norm": LayerNormLSTMCell(D, H),
    "IndRNN": IndRNNCell(D, H), "coupled": CoupledLSTMCell(D, H), "low rank": LowRankLSTMCell(D, H, 2),
    "GRU-D": GRUDCell(D, H),
}
FUSED = ("RNN", "LSTM", "GRU", "minGRU", "minLSTM")
ENGINES = [(name, engine) for name in CELLS for engine in ("fused", "stepwise") if name in FUSED or engine != "fused"]
every_engine = pytest.mark.parametrize(("name", "engine"), ENGINES)


def drawn(name, mask="none", seed=0, **choices):
    return Sequence(CELLS[name], T, N, np.random.default_rng(seed), mask, **choices)


def both(name, engine, every):
    """Return the layer that keeps everything, and the one that computes again."""
    return Recurrent(CELLS[name], engine), Recurrent(CELLS[name], engine, recompute_every=every)


# Recomputation


@every_engine
def test_the_whole_sequences_gradient(name, engine):
    for number, every in enumerate((1, 2, 4, T - 1, T, T + 5, np.int8(3))):
        whole, parts = both(name, engine, every)
        for mask in MASKS[number % 2 :: 2]:
            sequence = drawn(name, mask, seed=number, state=number % 3 > 0, final=number % 4 > 0)
            difference, array = worst(sequence.run(parts), sequence.run(whole))
            assert difference <= 1e-12, f"every {every}, {mask}: {array}"


@every_engine
def test_indices_and_no_inputs_gradient(name, engine):
    whole, parts = both(name, engine, 4)
    for indices in (False, True):
        sequence = drawn(name, "holes", indices=indices)
        found = sequence.run(parts)
        assert (found["dxs"] is None) is indices
        assert worst(found, sequence.run(whole))[0] <= 1e-12
        same(sequence.run(parts, input_grad=False), {**found, "dxs": None})


@pytest.mark.parametrize(("name", "engine"), [pair for pair in ENGINES if "W_hh" in CELLS[pair[0]].param_shapes()])
def test_recurrent_dropout_draws_one_mask_for_all_segments(name, engine):
    sequence, found = drawn(name, "holes"), []
    for every in (None, 4):
        layer = Recurrent(CELLS[name], engine, 0.5, every)
        hs, final, cache = layer.forward(
            sequence.params, sequence.xs, sequence.state, sequence.mask, rng=np.random.default_rng(3))
        found.append({"hs": hs, "final": final, **sequence.backward(layer, cache)})
        assert (cache.dropped == 0).any()
    assert worst(*found)[0] <= 1e-12


@pytest.mark.parametrize("engine", ["fused", "stepwise"])
def test_float32_stays_float32(engine):
    sequence = drawn("LSTM", "holes", dtype=np.float32)
    whole, parts = both("LSTM", engine, 3)
    assert worst(sequence.run(parts), sequence.run(whole))[0] <= 1e-5


@pytest.mark.parametrize(("name", "engine", "every"), [
    *((*pair, 2) for pair in ENGINES), ("RNN", "stepwise", 1), ("LSTM", "stepwise", 99), ("LSTM", "fused", 1),
])
def test_conformance(name, engine, every):
    report = check_layer(Recurrent(CELLS[name], engine, recompute_every=every), rng=np.random.default_rng(1))
    report.raise_if_wrong()
    assert report.worst < 1e-12


@pytest.mark.parametrize("every", [None, 4])
@every_engine
def test_backward_twice_and_what_came_back_is_the_callers(name, engine, every):
    for mask in ("none", "holes", "nothing"):
        sequence, layer = drawn(name, mask), Recurrent(CELLS[name], engine, recompute_every=every)
        before = tree_copy([sequence.state, sequence.dfinal])
        hs, final, cache = sequence.forward(layer)
        kept = tree_copy([hs, final])
        first = sequence.backward(layer, cache)
        gradients = tree_copy(first)
        same(sequence.backward(layer, cache), gradients)
        same([hs, final], kept)
        inferred = layer.infer(sequence.params, sequence.xs, sequence.state, sequence.mask)
        for _, array in leaves([hs, final, first, inferred]):
            array[...] = np.nan
        same(sequence.backward(layer, cache), gradients)
        same([sequence.state, sequence.dfinal], before)


def test_a_cache_without_caches_says_so():
    for layer in (Recurrent(CELLS["RNN"]), Recurrent(CELLS["RNN"], "stepwise", recompute_every=2)):
        cache = drawn("RNN").forward(layer)[2]
        with pytest.raises(ArgumentError) as caught:
            _ = cache.caches
        assert str(caught.value).startswith("RecurrentCache.caches: the cache was made by Recurrent(cell=RNNCell(")
        assert str(caught.value).endswith('Try Recurrent(cell, engine="stepwise").')
    assert len(drawn("RNN").forward(Recurrent(CELLS["RNN"], "stepwise"))[2].caches) == T


def peak_of(layer, long):
    """Return the most bytes that forward and backward take together, beside outputs and inputs' gradients."""
    gc.collect()
    POOL.clear()
    tracemalloc.start()
    try:
        hs, _, cache = long.forward(layer)
        found = long.backward(layer, cache)
        return tracemalloc.get_traced_memory()[1] - hs.nbytes - found["dxs"].nbytes
    finally:
        tracemalloc.stop()
        POOL.clear()


@pytest.mark.parametrize("mask", ["none", "prefix"])
@pytest.mark.parametrize(("name", "engine", "less"), [
    ("RNN", "fused", 2.5), ("LSTM", "fused", 5), ("GRU", "fused", 5), ("minLSTM", "fused", 4), ("RNN", "stepwise", 3),
    ("LSTM", "stepwise", 8),
])
def test_it_takes_a_fraction_of_the_memory(name, engine, less, mask):
    cell = type(CELLS[name])(4, 32)
    long = Sequence(cell, 1200, 4, np.random.default_rng(0), mask)
    if mask == "prefix":
        long.xs[~long.mask] = 0.0
    whole, parts = (peak_of(Recurrent(cell, engine, recompute_every=every), long) for every in (None, 30))
    assert parts < whole / less, f"{whole / parts:.1f} times less"


# Inference without a cache


@pytest.mark.parametrize("mask", ["none", "holes"])
@every_engine
def test_infer_has_the_forwards_numbers(name, engine, mask):
    """Bit for bit, also where the stepwise engine takes several parts."""
    steps = 2 * WITHOUT_CACHES + 5
    for state, indices in ((True, False), (False, True)):
        sequence = Sequence(
            CELLS[name], steps, N, np.random.default_rng(1), mask, state=state, indices=indices)
        for every in (None, 7):
            layer = Recurrent(CELLS[name], engine, recompute_every=every)
            hs, final, _ = sequence.forward(layer)
            found = layer.infer(sequence.params, sequence.xs, sequence.state, sequence.mask)
            if name.startswith("min"):  # chunks of a scan round as they are cut
                assert worst(found, (hs, final))[0] <= 1e-12
            else:
                same(found, (hs, final))


@pytest.mark.parametrize("engine", ["fused", "stepwise"])
def test_infer_takes_no_dropout(engine):
    sequence = drawn("GRU")
    plain, dropping = (Recurrent(CELLS["GRU"], engine, recurrent_dropout=rate) for rate in (0.0, 0.5))
    same(dropping.infer(sequence.params, sequence.xs), plain.infer(sequence.params, sequence.xs))


def test_stepwise_inference_needs_memory_for_some_steps_alone():
    beside = {}
    for steps in (600, 1800):
        long = Sequence(LSTMCell(4, 32), steps, 2, np.random.default_rng(0))
        layer = Recurrent(long.cell, "stepwise")
        gc.collect()
        tracemalloc.start()
        hs, _ = layer.infer(long.params, long.xs, long.state)
        beside[steps] = tracemalloc.get_traced_memory()[1] - hs.nbytes
        tracemalloc.stop()
    assert beside[1800] < 1.2 * beside[600]


@pytest.mark.parametrize("case", ["xs", "state", "mask", "params"])
def test_infer_refuses_what_forward_refuses(case):
    sequence, layer = drawn("RNN"), Recurrent(CELLS["RNN"])
    wrong = {
        "xs": {"xs": sequence.xs[0]}, "state": {"state": sequence.state[0]}, "mask": {"mask": np.ones((T, N))},
        "params": {"params": {}},
    }[case]
    given = {"params": sequence.params, "xs": sequence.xs, "state": sequence.state, **wrong}
    messages = []
    for call in (layer.forward, layer.infer):
        with pytest.raises(ArgumentError) as caught:
            call(**given)
        messages.append(str(caught.value))
    assert messages[0].startswith("Recurrent.forward: ")
    assert messages[1] == messages[0].replace("forward", "infer", 1)
