"""A guard of the kernels' speed without a clock: how many calls a step takes, and what a call allocates."""

import ast
import gc
import importlib.util
import inspect
import textwrap
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.fused import layout
from rnn_from_scratch.fused.gru import GRUBackward, GRUForward
from rnn_from_scratch.fused.lstm import LSTMBackward, LSTMForward
from rnn_from_scratch.fused.pool import POOL
from rnn_from_scratch.fused.rnn import RNNBackward, RNNForward
from rnn_from_scratch.layers import Recurrent

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
KINDS, Sequence = _module.KINDS, _module.Sequence

# Calls

CALLS = {  # in every step; in loops over further products and sums; in branches: other activations, padding
    RNNForward: (2, 1, 4), RNNBackward: (3, 1, 2), LSTMForward: (8, 1, 3), LSTMBackward: (8, 1, 2),
    GRUForward: (10, 1, 2), GRUBackward: (4, 1, 0),
}
CHANGED = (
    "{name}.run makes {found} calls a step (always, in loops, in branches), and made {expected}. Each takes 0.2 to "
    "0.9 µs at every step, which rules the time of small layers. More of them: is the new one worth that, or can it be "
    "done for many steps at once (`derive`, `load`, `lay_rows`), or on several gates as one slab? Fewer: well done. "
    "Measure with `python -m benchmarks.run`, then change the number here."
)


def calls_in(statements):
    return sum(isinstance(node, ast.Call) for statement in statements for node in ast.walk(statement))


def calls_of(function):
    """Count the calls in the body of a function's loops over time: in every step, in loops inside, inside of an if."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    bodies = [statement.body for statement in definition.body if isinstance(statement, ast.For)]
    assert bodies, f"{function.__qualname__} has no loop"
    statements = [statement for body in bodies for statement in body]
    nodes = [node for statement in statements for node in ast.walk(statement)]
    loops = calls_in([inner for node in nodes if isinstance(node, ast.For) for inner in node.body])
    branches = calls_in([inner for node in nodes if isinstance(node, ast.If) for inner in node.body + node.orelse])
    return calls_in(statements) - loops - branches, loops, branches


@pytest.mark.parametrize("kernel", CALLS, ids=lambda kernel: kernel.__name__)
def test_calls_a_step(kernel):
    found, expected = calls_of(kernel.run), CALLS[kernel]
    assert found == expected, CHANGED.format(name=kernel.__name__, found=found, expected=expected)


@pytest.mark.parametrize("kernel", CALLS, ids=lambda kernel: kernel.__name__)
def test_a_step_makes_no_array_and_looks_nothing_up(kernel):
    """Every call writes where it is told to, by position; views and attributes are got before the loop."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(kernel.run))).body[0]
    for loop in (statement for statement in definition.body if isinstance(statement, ast.For)):
        for node in (node for statement in loop.body for node in ast.walk(statement)):
            text = f"{kernel.__name__}.run: {ast.unparse(node)}" if isinstance(node, ast.expr | ast.stmt) else ""
            assert not isinstance(node, ast.Subscript | ast.BinOp | ast.ListComp | ast.AugAssign | ast.Assign), text
            if isinstance(node, ast.Call):
                assert isinstance(node.func, ast.Name), text
                assert len(node.args) >= 2, text
            if isinstance(node, ast.Attribute):
                assert node.attr == "real", text


def test_the_counting_counts():
    def example(self):
        for step in self.steps:
            for dot in step:
                dot(1, 2)
            if self:
                add(1, add(2, 3))  # noqa: F821
            else:
                copy(1)  # noqa: F821
            copy(1)  # noqa: F821

    assert calls_of(example) == (1, 1, 3)


# Bytes

SIZES = [(400, 8, 20, 32), (2000, 1, 20, 32), (900, 3, 20, 32)]
SMALL_CHANGE = 30_000  # views, tuples, one step's arrays, gradients of biases; and lists of one entry a chunk
every_size = pytest.mark.parametrize(("T", "N", "D", "H"), SIZES)
gated_or_not = pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])
masked_or_not = pytest.mark.parametrize(("mask", "dtype"), [("none", np.float32), ("holes", np.float64)])


@pytest.fixture(autouse=True)
def fresh_pool():
    POOL.clear()
    yield
    POOL.clear()


def traced(call):
    """Return what a call returns, and by how many bytes it grew: at most meanwhile, and in the end."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = call()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return result, peak - before, after - before


def warmed_up(kind, T, N, D, H, mask="none", dtype=np.float64, every=None):
    """Return a sequence and a layer that has run it, so that its buffers lie in the pool."""
    sequence = Sequence(KINDS[kind](D, H), T, N, np.random.default_rng(0), mask, dtype)
    layer = Recurrent(sequence.cell, "fused", recompute_every=every)
    sequence.run(layer)
    layer.infer(sequence.params, sequence.xs, sequence.state, sequence.mask)
    return sequence, layer


def chunk_bytes(sequence):
    """The bytes of all gates, their deltas in rows, of the longest chunk: what may be made anew for each."""
    T, N = sequence.dhs.shape[:2]
    width = sequence.params["W_hh"].shape[1]
    columns = layout.CHUNK_COLUMNS * max(1, layout.NARROW // width)
    return min(T, columns // N) * N * width * sequence.dhs.itemsize


@masked_or_not
@every_size
@gated_or_not
def test_a_forward_allocates_its_outputs(kind, T, N, D, H, mask, dtype):
    """And for a mask a copy of the inputs, with zeros on padding. A chunk's x W_xh comes and goes."""
    sequence, layer = warmed_up(kind, T, N, D, H, mask, dtype)
    (hs, _, cache), peak, kept = traced(lambda: sequence.forward(layer))
    copied = 0 if mask == "none" else sequence.xs.nbytes
    assert kept <= hs.nbytes + copied + SMALL_CHANGE
    assert peak <= hs.nbytes + copied + 2 * sequence.xs.size + 60 * T + chunk_bytes(sequence) + SMALL_CHANGE
    del cache


@masked_or_not
@every_size
@gated_or_not
def test_a_backward_allocates_its_gradients(kind, T, N, D, H, mask, dtype):
    sequence, layer = warmed_up(kind, T, N, D, H, mask, dtype)
    cache = sequence.forward(layer)[2]
    weights = sum(array.nbytes for array in sequence.params.values())
    for input_grad in (True, False):
        found, peak, kept = traced(lambda wanted=input_grad: sequence.backward(layer, cache, wanted))
        inputs = found["dxs"].nbytes if input_grad else 0
        assert kept <= inputs + 3 * weights + SMALL_CHANGE
        assert peak <= inputs + 4 * weights + 2 * sequence.dhs.size + 60 * T + chunk_bytes(sequence) + SMALL_CHANGE


@gated_or_not
@pytest.mark.parametrize("N", [1, 3])
def test_inference_needs_no_more_than_its_outputs_however_long(kind, N):
    beside = {}
    for T in (1000, 2000, 4000):
        sequence, layer = warmed_up(kind, T, N, 8, 32)
        POOL.clear()  # so that the buffers count as well
        (hs, _), peak, _ = traced(partial(layer.infer, sequence.params, sequence.xs, sequence.state))
        beside[T] = peak - hs.nbytes
    assert beside[4000] <= 1.05 * beside[2000] <= 1.1 * beside[1000]


@gated_or_not
def test_buffers_do_not_grow_with_a_sequence_that_is_not_kept(kind):
    sizes = set()
    for T in (1000, 5000):
        sequence = Sequence(KINDS[kind](8, 32), T, 2, np.random.default_rng(0))
        POOL.clear()
        Recurrent(sequence.cell, "fused").infer(sequence.params, sequence.xs, sequence.state)
        sizes.add(POOL.idle_bytes())
    assert len(sizes) == 1


@gated_or_not
def test_recomputation_needs_memory_for_a_segment(kind):
    """Between forward and backward the states at the segments' starts, and then one segment's buffers."""
    T, N, D, H, every = 1500, 4, 8, 32, 50
    held, together = {}, {}
    for k in (None, every):
        sequence, layer = warmed_up(kind, T, N, D, H, every=k)
        POOL.clear()
        (hs, _, cache), _, kept = traced(lambda: (sequence.forward(layer), POOL.clear())[0])  # noqa: B023
        held[k] = kept - hs.nbytes
        found, peak, _ = traced(partial(sequence.backward, layer, cache))
        together[k] = held[k] + peak - found["dxs"].nbytes
        del cache
        POOL.clear()
    assert held[every] < held[None] / 8
    assert together[every] < together[None] / 3
    assert held[every] < 1.3 * len(sequence.state) * (T // every) * N * H * 8 + 20_000
