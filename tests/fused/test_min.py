"""The kernels of minGRU and minLSTM: the reference's numbers over random shapes, masks, states, dtypes and chunks."""

import threading
import tracemalloc

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_copy
from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import MinGRUCell, MinLSTMCell
from rnn_from_scratch.fused import KERNELS, has_kernel, min_gru, min_lstm, scanned

KINDS = {MinGRUCell: min_gru, MinLSTMCell: min_lstm}
every_kind = pytest.mark.parametrize("kind", KINDS)
SHAPES = [
    (1, 1, 1, 1), (1, 3, 2, 4), (7, 1, 3, 2), (9, 2, 1, 3), (9, 2, 3, 1), (40, 1, 2, 1), (100, 3, 2, 5), (33, 2, 3, 70),
]


class Point:
    """Everything that goes into a sequence, with zeros on padding as the layer leaves them, and NaN in dhs there."""

    def __init__(self, kind, shape, seed=0, dtype=np.float64, masked=False, indices=False, final=True):
        T, N, D, H = shape
        rng = np.random.default_rng([seed, *shape])

        def draw(shape):
            return rng.standard_normal(shape).astype(dtype)

        self.cell, self.kernel = kind(D, H), KERNELS[kind]
        self.params = {name: draw(size) for name, size in self.cell.param_shapes().items()}
        self.mask = rng.random((T, N)) < 0.7 if masked else None
        self.xs = rng.integers(0, D, (T, N)).astype(np.intp) if indices else draw((T, N, D))
        self.state, self.dfinal = (draw((N, H)),), (draw((N, H)),) if final else None
        self.dhs = draw((T, N, H))
        if masked:
            self.xs[~self.mask] = 0
            self.dhs[~self.mask] = np.nan

    def stepwise(self):
        xs = np.eye(self.cell.input_size, dtype=self.dhs.dtype)[self.xs] if self.xs.ndim == 2 else self.xs
        if self.mask is not None:
            xs = xs * self.mask[..., None]
        hs, final, caches = unroll(self.cell, self.params, xs, self.state, self.mask)
        dstates, deltas = unroll_backward(self.cell, self.params, self.dhs, caches, self.dfinal, self.mask)
        dxs, grads = self.cell.param_grads(self.params, xs, caches, deltas)
        return {"hs": hs, "final": final, "dxs": None if self.xs.ndim == 2 else dxs, "dstate": dstates[0], **grads}

    def forward(self, keep=True):
        return self.kernel.forward(self.cell, self.params, self.xs, self.state, self.mask, keep=keep)

    def backward(self, saved, input_grad=True):
        return self.kernel.backward(self.cell, self.params, self.dhs, saved, self.dfinal, input_grad=input_grad)

    def fused(self):
        hs, final, saved = self.forward()
        dxs, dstate, grads = self.backward(saved)
        return {"hs": hs, "final": final, "dxs": dxs, "dstate": dstate, **grads}


def same(found, expected, tolerance=0.0):
    found, expected = dict(leaves(found)), dict(leaves(expected))
    assert list(found) == list(expected)
    for name, wanted in expected.items():
        got = found[name]
        if wanted is None:
            assert got is None
            continue
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype), name
        assert np.abs(got - wanted).max() <= tolerance * max(1.0, np.abs(wanted).max()), name


@every_kind
def test_they_are_registered(kind):
    assert KERNELS[kind] is KINDS[kind]
    assert has_kernel(kind(2, 3))


@pytest.mark.parametrize("final", [True, False], ids=["dfinal", ""])
@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@every_kind
def test_the_references_numbers(kind, shape, masked, final):
    for seed in range(3):
        point = Point(kind, shape, seed, masked=masked, final=final)
        same(point.fused(), point.stepwise(), 1e-12)
        point = Point(kind, shape, seed, np.float32, masked, final=final)
        same(point.fused(), point.stepwise(), 1e-5)


@every_kind
def test_many_random_shapes_and_chunks(kind, monkeypatch):
    rng = np.random.default_rng(0)
    for seed in range(100):
        shape = tuple(int(size) for size in (rng.integers(1, 60), *rng.integers(1, 7, 3)))
        monkeypatch.setattr(scanned, "CHUNK", int(rng.integers(1, 400)))
        point = Point(kind, shape, seed, masked=bool(rng.random() < 0.5), indices=bool(rng.random() < 0.3))
        same(point.fused(), point.stepwise(), 1e-12)


@every_kind
def test_a_sequence_of_several_chunks(kind):
    point = Point(kind, (2100, 3, 2, 31), masked=True)
    assert len(point.forward()[2]) > 2
    same(point.fused(), point.stepwise(), 1e-12)


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@every_kind
def test_indices_read_rows(kind, masked):
    """Equal indices add up; a row that none names gets 0; there is no dxs."""
    point = Point(kind, (30, 4, 6, 5), masked=masked, indices=True)
    point.xs[point.xs == 3] = 2
    found = point.fused()
    same(found, point.stepwise(), 1e-12)
    assert not found["W_xh"][3].any()
    assert found["W_xh"][2].all()
    assert found["dxs"] is None
    point = Point(kind, (30, 4, 6, 5), dtype=np.float32, masked=masked, indices=True)
    same(point.fused(), point.stepwise(), 1e-5)


@pytest.mark.parametrize("part", ["params", "W_xh", "b_h", "xs", "state", "dhs", "dfinal"])
@every_kind
def test_the_complex_step_goes_through(kind, part):
    """Where any one of the arguments is complex."""
    point = Point(kind, (20, 2, 3, 4), masked=True)
    rng = np.random.default_rng(1)

    def nudged(array):
        return array + 1e-3j * rng.standard_normal(array.shape)

    if part == "params":
        point.params = {name: nudged(array) for name, array in point.params.items()}
    elif part in point.params:
        point.params = {**point.params, part: nudged(point.params[part])}
    elif part == "xs":
        point.xs = nudged(point.xs) * point.mask[..., None]
    elif part == "dhs":
        point.dhs = nudged(point.dhs)
    else:
        name = "state" if part == "state" else "dfinal"
        setattr(point, name, (nudged(getattr(point, name)[0]),))
    same(point.fused(), point.stepwise(), 1e-12)


@every_kind
def test_on_padding_the_state_is_carried_to_the_last_bit_and_outputs_are_zero(kind):
    point = Point(kind, (12, 3, 2, 4))
    point.mask = np.ones((12, 3), bool)
    point.mask[5:, 0] = point.mask[:, 1] = False
    hs, (final,), saved = point.forward()
    np.testing.assert_array_equal(final[0], hs[4, 0])
    np.testing.assert_array_equal(final[1], point.state[0][1])
    assert not hs[~point.mask].any()
    dxs, (dstate,), _ = point.backward(saved)
    np.testing.assert_array_equal(dstate[1], point.dfinal[0][1])
    assert not dxs[~point.mask].any()


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@every_kind
def test_what_is_not_asked_for_is_not_made(kind, masked):
    point = Point(kind, (40, 2, 3, 4), masked=masked)
    hs, final, saved = point.forward()
    hs_alone, final_alone, nothing = point.forward(keep=False)
    assert nothing is None
    same([hs_alone, final_alone], [hs, final])
    dxs, dstate, grads = point.backward(saved, input_grad=False)
    assert dxs is None
    same([dstate, grads], list(point.backward(saved)[1:]))


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@every_kind
def test_nothing_is_changed_and_nothing_overwritten(kind, masked):
    point, other = (Point(kind, (40, 2, 3, 4), seed, masked=masked) for seed in (0, 1))
    given = [point.params, point.xs, point.state, point.dhs, point.dfinal]
    before = tree_copy([given[:3], np.nan_to_num(point.dhs)])
    for _, array in leaves(given):
        array.flags.writeable = False
    first = point.forward()
    outputs = tree_copy(first[:2])
    gradients = point.backward(first[2])
    kept = tree_copy(gradients)
    other.fused()
    second = point.forward()
    for _, array in leaves([*second[:2], point.backward(second[2])]):
        array[...] = 99.0  # what came out is the caller's: scribbling on it reaches no cache
    same(first[:2], outputs)
    same(gradients, kept)
    for saved in (first[2], second[2]):
        same(point.backward(saved), kept)
    same([given[:3], np.nan_to_num(point.dhs)], before)


@every_kind
def test_threads_do_not_meet(kind):
    points = [Point(kind, (200, 2, 3, 4), seed) for seed in range(4)]
    expected, found = [point.fused() for point in points], [None] * len(points)

    def work(k):
        for _ in range(20):
            found[k] = points[k].fused()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(points))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(found, expected)


@every_kind
def test_without_keeping_memory_is_the_outputs_and_a_few_chunks(kind):
    point, peaks = Point(kind, (40000, 1, 2, 32)), {}
    output = point.dhs.nbytes
    for keep in (False, True):
        tracemalloc.start()
        point.forward(keep=keep)
        peaks[keep] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert output < peaks[False] < 2.5 * output < 4 * output < peaks[True]
