"""The pool that keeps the kernels' buffers between calls: what is lent comes back, and what lies idle is bounded."""

import gc
import importlib.util
import threading
import time
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.fused import kernel_for
from rnn_from_scratch.fused.pool import MOST_BYTES, MOST_SETS, POOL, Pool
from rnn_from_scratch.layers import Recurrent

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
KINDS, Sequence, same = _module.KINDS, _module.Sequence, _module.same


@pytest.fixture(autouse=True)
def fresh_pool():
    POOL.clear()
    yield
    POOL.clear()


def drawn(kind, T=6, N=3, D=3, H=4):
    return Sequence(KINDS[kind](D, H), T, N, np.random.default_rng(0))


def layer_of(sequence):
    return Recurrent(sequence.cell, "fused")


def sets():
    """Return how many sets of buffers lie idle."""
    return len(POOL._idle)


def test_a_caches_buffers_return_when_it_dies():
    sequence = drawn("lstm")
    layer = layer_of(sequence)
    cache = sequence.forward(layer)[2]
    assert (sets(), POOL.idle_bytes()) == (0, 0)
    sequence.backward(layer, cache)
    between = POOL.idle_bytes()  # the backward's own
    assert sets() == 1
    del cache
    assert sets() == 2
    assert POOL.idle_bytes() > between > 0
    other = sequence.forward(layer)[2]  # takes them up again
    assert (sets(), POOL.idle_bytes()) == (1, between)
    del other


def test_idle_bytes_are_those_of_the_arrays():
    sequence = drawn("lstm", T=50, N=4, D=5, H=16)
    tracemalloc.start()
    found = sequence.run()
    del found
    allocated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 0.5 * allocated < POOL.idle_bytes() < allocated


def test_a_thousand_shapes_leave_no_more_than_the_pool_keeps():
    rng = np.random.default_rng(0)
    shapes = [tuple(map(int, shape)) for shape in rng.permutation(list(np.ndindex(4, 10, 25))) + 1]

    def go(shapes):
        for T, N, H in shapes:
            sequence = Sequence(KINDS["tanh"](2, H), T, N, rng)
            layer = layer_of(sequence)
            hs, final, cache = sequence.forward(layer)
            layer.backward(sequence.params, sequence.dhs, cache)
            assert sets() <= MOST_SETS
            assert POOL.idle_bytes() <= MOST_BYTES
        del sequence, hs, final, cache
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    go(shapes[:1])
    tracemalloc.start()
    early = go(shapes[:40])
    late = go([*shapes[40:], *shapes[:40]])
    tracemalloc.stop()
    assert len(shapes) == 1000
    assert late < 1.05 * early + 20_000  # the last forty are the same forty


def test_the_pools_bounds_hold_for_layers(monkeypatch):
    made = [Sequence(KINDS["lstm"](3, 8), T, 4, np.random.default_rng(T)) for T in range(10, 22)]
    expected = [sequence.run() for sequence in made]
    POOL.clear()
    made[0].run()
    bound = 3 * POOL.idle_bytes()
    monkeypatch.setattr(POOL, "most_bytes", bound)
    for sequence, wanted in zip(made, expected, strict=True):
        same(sequence.run(), wanted)
        assert POOL.idle_bytes() <= bound
    POOL.clear()
    monkeypatch.setattr(POOL, "most_bytes", 0)  # keep nothing: slower, and right
    for sequence, wanted in zip(made, expected, strict=True):
        same(sequence.run(), wanted)
        assert sets() == 0


class Set:
    """What a pool lends, as far as the pool looks at it."""

    def __init__(self, nbytes=1):
        self.nbytes = nbytes


def test_a_pool_lends_what_is_free_and_makes_what_is_not():
    pool = Pool()
    first, second = pool.take("a", Set), pool.take("a", Set)
    assert first.buffers is not second.buffers
    one, two = first.buffers, second.buffers
    del first, second
    assert pool.take("b", Set).buffers not in (one, two)
    assert pool.take("a", Set).buffers is two  # used last, so likelier to be in the processor's cache still
    third, fourth = pool.take("a", Set), pool.take("a", Set)
    assert {id(third.buffers), id(fourth.buffers)} == {id(one), id(two)}


class Slow:
    """A key that takes its time to be compared, while which another thread may run."""

    def __eq__(self, other):
        time.sleep(0.01)
        return isinstance(other, Slow)

    def __hash__(self):
        return 0


def test_two_threads_never_get_the_same_set():
    pool, lent = Pool(), []
    pool.take(Slow(), Set)
    threads = [threading.Thread(target=lambda: lent.append(pool.take(Slow(), Set))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(lease.buffers) for lease in lent}) == 3


def test_the_set_that_was_idle_longest_goes_first():
    pool = Pool(most_sets=2)
    for key in "abc":
        pool.take(key, Set)  # and given back at once
    made = []

    def make():
        made.append(True)
        return Set()

    for key in "cb":
        pool.take(key, make)
    assert made == []
    pool.take("a", make)
    assert made == [True]


def test_a_pools_bytes_are_bounded():
    pool = Pool(most_bytes=10)
    leases = [pool.take(key, partial(Set, key)) for key in (4, 5, 3, 11)]
    for lease in leases[:3]:
        pool.give_back(lease._key, lease.buffers, lease._size)
    assert pool.idle_bytes() == 8
    pool.give_back(11, leases[3].buffers, 11)  # too large to keep at all, and no reason to drop the others
    assert pool.idle_bytes() == 8
    pool.clear()


def test_a_cycle_that_holds_a_cache_is_collected_in_the_midst_of_anything():
    """The garbage collector may return a set while another is being taken."""
    sequence = drawn("gru")
    expected, layer = sequence.run(), layer_of(sequence)
    for _ in range(50):
        cycle = [sequence.forward(layer)[2]]
        cycle.append(cycle)
    del cycle
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(5):
            same(sequence.run(), expected)
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert sets() <= MOST_SETS


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_inside_a_call_loses_nothing(kind):
    """The buffers come back, and what was left in them reaches no later call."""
    sequence = drawn(kind)
    expected, kernel, cell = sequence.run(), kernel_for(sequence.cell), sequence.cell
    wrong = {**sequence.params, "W_hh": np.full((9, 9), np.nan)}
    before = POOL.idle_bytes()

    def fail_forward():
        kernel.forward(cell, wrong, sequence.xs, sequence.state, None, keep=True)

    def fail_backward():
        layer = layer_of(sequence)
        cache = sequence.forward(layer)[2]
        kernel.backward(cell, wrong, sequence.dhs, cache.saved, None, input_grad=True)

    def fail_late():
        layer = layer_of(sequence)
        cache = sequence.forward(layer)[2]
        kernel.backward(cell, sequence.params, sequence.dhs[:, :, :2], cache.saved, None, input_grad=True)

    for call in (fail_forward, fail_backward, fail_late):
        with pytest.raises(ValueError, match=r"broadcast|shape"):
            call()
        gc.collect()
        assert POOL.idle_bytes() == before
        same(sequence.run(), expected)
