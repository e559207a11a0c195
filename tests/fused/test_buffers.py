"""The kernels' buffers outlive a call and nobody may notice: nothing returned is overwritten, nothing kept spoilt."""

import copy
import importlib.util
import itertools
import pickle
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_copy
from rnn_from_scratch.fused import kernel_for
from rnn_from_scratch.fused.pool import MOST_SETS, POOL
from rnn_from_scratch.layers import Recurrent

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
KINDS, Sequence, same = _module.KINDS, _module.Sequence, _module.same

every_kind = pytest.mark.parametrize("kind", KINDS)
alone_or_not = pytest.mark.parametrize("N", [1, 3])


@pytest.fixture(autouse=True)
def fresh_pool():
    POOL.clear()
    yield
    POOL.clear()


def sequences(kind, count, T=6, N=3, D=3, H=4, **choices):
    """Draw sequences of one shape, with other numbers each."""
    return [Sequence(KINDS[kind](D, H), T, N, np.random.default_rng(seed), **choices) for seed in range(count)]


def layer_of(sequence):
    return Recurrent(sequence.cell, "fused")


# Nothing returned is overwritten


@alone_or_not
@every_kind
def test_what_came_back_stays_as_it_is(kind, N):
    """While calls of the same and of other shapes follow, forwards and backwards, with and without a cache."""
    first, *others = sequences(kind, 6, N=N)
    others += [*sequences(kind, 2, N=N, mask="holes"), *sequences(kind, 2, T=9, N=2, H=5)]
    found = first.run()
    inferred = layer_of(first).infer(first.params, first.xs, first.state)
    kept = tree_copy([found, inferred])
    for other in others:
        other.run()
        layer_of(other).infer(other.params, other.xs, other.state, other.mask)
    same([found, inferred], kept)


@alone_or_not
@every_kind
def test_writing_into_what_came_back_spoils_nothing(kind, N):
    sequence = sequences(kind, 1, N=N, mask="holes")[0]
    expected = tree_copy(sequence.run())
    layer = layer_of(sequence)
    hs, final, cache = sequence.forward(layer)
    found = {"hs": hs, "final": final, **sequence.backward(layer, cache)}
    for _, array in leaves(found):
        array[...] = np.nan
    same(sequence.backward(layer, cache), {name: expected[name] for name in ("dxs", "dstate", "grads")})
    same(sequence.run(), expected)


@alone_or_not
@every_kind
def test_nothing_that_came_back_is_part_of_anything_else(kind, N):
    """Two calls share no memory, and neither do two of one call's arrays."""
    sequence = sequences(kind, 1, N=N)[0]
    arrays = [array for _ in range(2) for _, array in leaves(sequence.run())]
    for one, other in itertools.combinations(arrays, 2):
        assert not np.shares_memory(one, other)


@alone_or_not
@every_kind
def test_what_a_kernel_returns_is_the_callers_own_without_the_layers_copies(kind, N):
    sequence, other = sequences(kind, 2, N=N)
    kernel = kernel_for(sequence.cell)

    def run(one):
        hs, final, saved = kernel.forward(one.cell, one.params, one.xs, one.state, None, keep=True)
        return hs, final, kernel.backward(one.cell, one.params, one.dhs, saved, one.dfinal, input_grad=True)

    found = run(sequence)
    kept = tree_copy(found)
    run(other)
    same(found, kept)


# Caches


@pytest.mark.parametrize("count", [2, 5])
@alone_or_not
@every_kind
def test_several_forwards_before_a_backward_in_any_order(kind, N, count):
    made = sequences(kind, count, N=N)
    expected = [sequence.run() for sequence in made]
    layer = layer_of(made[0])
    orders = list(itertools.permutations(range(count)))
    for order in orders[:: max(1, len(orders) // 6)]:
        caches = [sequence.forward(layer)[2] for sequence in made]
        for number in order:
            found = made[number].backward(layer, caches[number])
            same(found, {name: expected[number][name] for name in found})


@pytest.mark.parametrize("mask", ["none", "holes"])
@alone_or_not
@every_kind
def test_backward_twice_is_twice_the_same(kind, N, mask):
    sequence, other = sequences(kind, 2, N=N, mask=mask)
    layer = layer_of(sequence)
    cache = sequence.forward(layer)[2]
    first = sequence.backward(layer, cache)
    same(sequence.backward(layer, cache), first)
    other.run()
    same(sequence.backward(layer, cache), first)


@every_kind
def test_a_cache_kept_alive_while_others_come_and_go(kind):
    """More of them than the pool keeps."""
    sequence, other = sequences(kind, 2)
    expected, layer = sequence.run(), layer_of(sequence)
    cache = sequence.forward(layer)[2]
    many = [other.forward(layer)[2] for _ in range(MOST_SETS + 5)]
    del many
    for _ in range(3):
        other.run()
    found = sequence.backward(layer, cache)
    same(found, {name: expected[name] for name in found})


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@every_kind
def test_a_copy_of_a_cache_serves_as_the_cache(kind, copied):
    """Whichever of the two is gone first, the other keeps the buffers."""
    sequence, other = sequences(kind, 2, mask="holes")
    expected, layer = sequence.run(), layer_of(sequence)
    for first_gone in (0, 1):
        caches = [sequence.forward(layer)[2]]
        caches.append(copied(caches[0]))
        del caches[first_gone]
        other.run()
        found = sequence.backward(layer, caches[0])
        same(found, {name: expected[name] for name in found})


def test_a_cache_says_why_it_is_not_pickled():
    sequence = sequences("lstm", 1)[0]
    cache = sequence.forward(layer_of(sequence))[2]
    with pytest.raises(TypeError, match=r"cache holds buffers of this process: save params and inputs instead"):
        pickle.dumps(cache)


def test_changing_arguments_after_the_call_does_not_reach_the_weights_of_the_forward():
    """The backward reads the params that it is given; of the forward's it keeps nothing of the caller's but xs."""
    sequence = sequences("gru", 1)[0]
    expected, layer = sequence.run(), layer_of(sequence)
    params, state = tree_copy(sequence.params), tree_copy(sequence.state)
    cache = layer.forward(params, sequence.xs, state)[2]
    for array in (*params.values(), *state):
        array[...] = np.nan
    found = sequence.backward(layer, cache)
    same(found, {name: expected[name] for name in found})


# Threads


def in_threads(work):
    """Run each of these at once, switching often; raise what one of them raised."""
    failed, start = [], threading.Barrier(len(work))

    def run(one):
        try:
            start.wait()
            one()
        except BaseException as fault:
            failed.append(fault)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run, args=(one,)) for one in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    if failed:
        raise failed[0]


@pytest.mark.parametrize("shapes", ["same", "different"])
@every_kind
def test_eight_threads(kind, shapes):
    made = []
    for seed in range(8):
        T, N = (40, 3) if shapes == "same" else (30 + seed % 3, 1 + seed % 2)
        made.append(Sequence(KINDS[kind](3, 4), T, N, np.random.default_rng(seed), ("none", "holes")[seed % 2]))
    expected = [sequence.run() for sequence in made]

    def work(sequence, wanted):
        layer = layer_of(sequence)  # an equal one in each thread
        for _ in range(5):
            found = sequence.run(layer)
            same(found, wanted)
            same(layer.infer(sequence.params, sequence.xs, sequence.state, sequence.mask), [*list(found.values())[:2]])

    in_threads([partial(work, *pair) for pair in zip(made, expected, strict=True)])


@every_kind
def test_one_cache_in_several_threads_at_once(kind):
    sequence = Sequence(KINDS[kind](3, 4), 60, 2, np.random.default_rng(0), "holes")
    layer = layer_of(sequence)
    cache = sequence.forward(layer)[2]
    expected = sequence.backward(layer, cache)

    def work():
        for _ in range(8):
            same(sequence.backward(layer, cache), expected)

    in_threads([work] * 4)


def test_caches_that_die_in_another_thread():
    made = sequences("lstm", 4, T=20)
    expected, layer = [sequence.run() for sequence in made], layer_of(made[0])
    for _ in range(10):
        caches = [sequence.forward(layer)[2] for sequence in made]

        def work(number, caches=caches):
            cache, caches[number] = caches[number], None
            found = made[number].backward(layer, cache)
            same(found, {name: expected[number][name] for name in found})

        in_threads([partial(work, number) for number in range(4)])
