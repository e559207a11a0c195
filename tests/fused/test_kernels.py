"""The kernels of RNN, LSTM and GRU: the stepwise engine's numbers over random shapes, masks, states and chunks."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_map
from rnn_from_scratch.cells import GRUCell, LSTMCell
from rnn_from_scratch.fused import has_kernel, layout, passes, products
from rnn_from_scratch.fused.pool import POOL
from rnn_from_scratch.layers import Recurrent

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
KINDS, MASKS, Sequence, cut_time = _module.KINDS, _module.MASKS, _module.Sequence, _module.cut_time
same, worst = _module.same, _module.worst

TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=["float64", "float32"])
masked_or_not = pytest.mark.parametrize("mask", ["none", "holes"])


@pytest.fixture
def fresh_pool():
    """For tests that change what a plan's buffers depend on."""
    POOL.clear()
    yield
    POOL.clear()


@pytest.fixture
def cut(monkeypatch, fresh_pool):
    """Return a function that cuts a sequence's time into chunks and groups of so many steps."""

    def change(sequence, chunk, group):
        cut_time(monkeypatch, *sequence.dhs.shape[1:], chunk, group)

    return change


def agrees(sequence, label="", expected=None):
    """Compare the fused engine's numbers with the reference's; return them."""
    dtype = sequence.dhs.dtype.type
    found = sequence.run()
    difference, name = worst(found, sequence.stepwise() if expected is None else expected)
    assert difference <= TOLERANCE[dtype], f"{label} {dtype.__name__}: {name} differs by {difference:.1e}"
    return found


def drawn(kind, seed):
    """Draw a sequence of any small size, with or without everything that may be left out; return it and its label."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    T, N, H = (int(rng.choice(sizes)) for sizes in ([1, 2, 3, 5, 9, 12], [1, 1, 2, 3, 4, 5, 7], [1, 2, 3, 4, 7, 33]))
    D = int(rng.choice([1, 2, 3, 5, 15, 16, 17]))
    mask, indices = str(rng.choice(MASKS)), rng.random() < 0.25
    state, final = rng.random() < 0.7, rng.random() < 0.7
    sequence = Sequence(KINDS[kind](D, H), T, N, rng, mask, state=state, final=final, indices=indices)
    return sequence, f"seed {seed}, T={T} N={N} D={D} H={H} mask={mask} {state=} {final=} indices={bool(indices)}:"


# The reference's numbers


@every_kind
def test_the_references_numbers_at_sixty_random_shapes(kind):
    for seed in range(60):
        sequence, label = drawn(kind, seed)
        agrees(sequence, label)
        agrees(sequence.astype(np.float32), label)


@every_kind
def test_the_references_numbers_in_chunks_of_any_length(kind, cut):
    """Chunks of one to five steps, groups of one to all of those, and the last ones shorter."""
    for seed in range(60, 90):
        sequence, label = drawn(kind, seed)
        chunk = 1 + seed % 5
        group = 1 + seed // 5 % chunk
        cut(sequence, chunk, group)
        agrees(sequence, f"chunks of {chunk}, groups of {group}: {label}")


@every_kind
@masked_or_not
@pytest.mark.parametrize(("N", "D"), [(1, 3), (1, 17), (2, 3), (3, 17), (5, 17)])
def test_longer_than_a_chunk(kind, mask, N, D, monkeypatch, fresh_pool):
    """With the chunks that wide layers have, all of them full but the last."""
    monkeypatch.setattr(layout, "NARROW", 1)
    T = 2 * (layout.CHUNK_COLUMNS // N) + 7
    agrees(Sequence(KINDS[kind](D, 2), T, N, np.random.default_rng(D), mask))


@pytest.mark.parametrize("avx512", [False, True])
@every_dtype
@pytest.mark.parametrize(("N", "D", "H", "T"), [(128, 5, 256, 2), (150, 40, 130, 3), (64, 3, 600, 1)])
@pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])
def test_products_in_blocks_and_whole(kind, N, D, H, T, dtype, avx512, monkeypatch, fresh_pool):
    """With AVX-512 large products are cut by rows; without they stay whole."""
    monkeypatch.setattr(products, "AVX512", avx512)
    monkeypatch.setattr(products, "BLAS_THREADS", 1)
    agrees(Sequence(KINDS[kind](D, H), T, N, np.random.default_rng(1), "holes", dtype))


@pytest.mark.parametrize("size", [(4, 10, 3), (128, 133, 128), (1024, 262, 128), (2400, 604, 64), (256, 300, 700)])
def test_blocks_cover_a_product_once(size, monkeypatch):
    rows, K, N = size
    monkeypatch.setattr(products, "BLAS_THREADS", 1)
    for kind in (np.float32, np.float64, np.complex128):
        monkeypatch.setattr(products, "AVX512", True)
        cuts = products.row_blocks(rows, K, N, np.dtype(kind))
        assert [row for cut in cuts for row in range(cut.start, cut.stop)] == list(range(rows))
        assert len(cuts) == 1 or max(cut.stop - cut.start for cut in cuts) * K * N <= products.SMALL
        monkeypatch.setattr(products, "AVX512", False)
        assert products.row_blocks(rows, K, N, np.dtype(kind)) == [slice(0, rows)]


def test_large_products_are_cut(monkeypatch):
    """So that the sizes above do test it: those of an LSTM's step, forwards and backwards."""
    monkeypatch.setattr(products, "AVX512", True)
    monkeypatch.setattr(products, "BLAS_THREADS", 1)
    single = np.dtype(np.float32)
    assert len(products.row_blocks(1024, 262, 128, single)) > 1
    assert len(products.row_blocks(520, 171, 150, single)) > 1
    assert len(products.row_blocks(12, 20, 8, single)) == 1
    monkeypatch.setattr(products, "BLAS_THREADS", 2)  # which share a large product, and not small ones
    assert len(products.row_blocks(1024, 262, 128, single)) == 1


def test_how_many_threads_the_products_have(monkeypatch):
    names = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    allowed = products.blas_threads()
    assert allowed >= 1
    for threads, name in enumerate(reversed(names), 3):  # the last one set comes first in OpenBLAS's own order
        monkeypatch.setenv(name, str(threads))
        assert products.blas_threads() == threads
    for unfit in ("", "0", "many", "-1"):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", unfit)
        assert products.blas_threads() == 4  # the next name's


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (17, 300), (40, 255), (40, 256), (25, 700), (7, 513), (2, 33, 1100)])
@every_dtype
def test_transposes_of_any_size(shape, dtype):
    """Those with long rows are taken by strips; what lies beside them is not touched."""
    array = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    wide = np.full((*shape[:-2], shape[-1] + 2, shape[-2]), 7, dtype)
    layout.transpose_into(wide[..., 1:-1, :], array)
    np.testing.assert_array_equal(wide[..., 1:-1, :], array.swapaxes(-1, -2))
    assert (wide[..., 0, :] == 7).all()
    assert (wide[..., -1, :] == 7).all()
    spread = np.repeat(array, 2, axis=-2)[..., ::2, :]
    out = np.empty((*shape[:-2], shape[-1], shape[-2]), dtype)
    layout.transpose_into(out, spread)
    np.testing.assert_array_equal(out, array.swapaxes(-1, -2))


@every_kind
def test_nothing_is_read_that_was_not_written(kind, cut, monkeypatch):
    """With new buffers full of NaN."""
    aligned = layout.aligned

    def full_of_nan(shape, dtype):
        array = aligned(shape, dtype)
        array[...] = np.nan
        return array

    monkeypatch.setattr(passes, "aligned", full_of_nan)
    for seed in range(110, 140):
        sequence, label = drawn(kind, seed)
        cut(sequence, 1 + seed % 4, 1 + seed % 3)
        agrees(sequence, label)


# Indices, input_grad, infer


@every_kind
@every_dtype
@masked_or_not
@pytest.mark.parametrize("N", [1, 4])
def test_indices_read_rows(kind, dtype, mask, N):
    """Equal indices add up; a row that nobody names gets nothing; what stands on padding is not looked at."""
    sequence = Sequence(KINDS[kind](7, 5), 20, N, np.random.default_rng(2), mask, dtype, indices=True)
    there = True if sequence.mask is None else sequence.mask
    sequence.xs[(sequence.xs == 3) & there] = 2
    found = agrees(sequence)
    assert found["dxs"] is None
    assert not found["grads"]["W_xh"][3].any()
    assert found["grads"]["W_xh"][2].any()
    if mask == "holes":
        sequence.xs[~there] = 0
        same(sequence.run(), found)


@every_kind
@pytest.mark.parametrize("kept", [np.int8, np.uint8, np.int32, np.uint64])
def test_indices_of_any_integer_type(kind, kept):
    sequence = Sequence(KINDS[kind](7, 5), 6, 3, np.random.default_rng(2), indices=True)
    expected = sequence.run()
    sequence.xs = sequence.xs.astype(kept)
    same(sequence.run(), expected)


@every_kind
@masked_or_not
@pytest.mark.parametrize("indices", [False, True], ids=["", "indices"])
def test_without_the_inputs_gradient_the_others_are_the_same(kind, mask, indices):
    sequence = Sequence(KINDS[kind](3, 4), 9, 2, np.random.default_rng(3), mask, indices=indices)
    same(sequence.run(input_grad=False), {**sequence.run(), "dxs": None})


@every_kind
def test_inference_has_the_forwards_very_bits(kind, cut):
    """Also where the forward keeps all steps and inference only those of a chunk."""
    for seed in range(90, 110):
        sequence, _ = drawn(kind, seed)
        cut(sequence, seed % 3 + 1, seed % 2 + 1)
        for dtype in TOLERANCE:
            sequence.astype(dtype)
            layer = Recurrent(sequence.cell)
            hs, final, _ = sequence.forward(layer)
            same(layer.infer(sequence.params, sequence.xs, sequence.state, sequence.mask), (hs, final))


@every_kind
@pytest.mark.parametrize("N", [1, 3])
def test_on_padding_the_state_is_carried_to_the_last_bit(kind, N, cut):
    sequence = Sequence(KINDS[kind](3, 4), 7, N, np.random.default_rng(4), "none")
    cut(sequence, 4, 2)
    sequence.mask = np.ones((7, N), bool)
    sequence.mask[3:, 0] = False
    found = sequence.run()
    np.testing.assert_array_equal(found["final"][0][0], found["hs"][2, 0])
    assert not found["hs"][~sequence.mask].any()
    assert not found["dxs"][~sequence.mask].any()
    sequence.mask[...] = False
    found = sequence.run()
    same(found["final"], sequence.state)
    same(found["dstate"], sequence.dfinal)
    assert not any(array.any() for array in (found["hs"], found["dxs"], *found["grads"].values()))


# Complex numbers, and which cells have a kernel


@every_kind
def test_complex_parameters_through_the_backward(kind, cut):
    """A gradient at complex parameters is how second derivatives are taken; real upstream gradients may meet it."""
    for mask in ("none", "holes"):
        for every in (None, 2):
            sequence = Sequence(KINDS[kind](3, 4), 5, 2, np.random.default_rng(6), mask)
            cut(sequence, 2, 1)
            rng = np.random.default_rng(7)
            sequence.params = tree_map(lambda w, rng=rng: w + 1e-3j * rng.standard_normal(w.shape), sequence.params)
            difference, name = worst(
                sequence.run(Recurrent(sequence.cell, "fused", recompute_every=every)), sequence.stepwise())
            assert difference <= 1e-12, name


def test_cells_with_choices_that_no_kernel_has():
    for cell, wanted in (
        (LSTMCell(3, 4), True), (LSTMCell(3, 4, peepholes=True), False), (GRUCell(3, 4), True),
        (GRUCell(3, 4, reset_after=False), False),
    ):
        assert has_kernel(cell) is wanted
        sequence = Sequence(cell, 5, 2, np.random.default_rng(8), "holes")
        assert worst(sequence.run(Recurrent(cell)), sequence.stepwise())[0] <= 1e-12  # engine=None runs every cell
