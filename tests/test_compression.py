"""Pruning and 8-bit weights: values by hand, which entries go, bounds on the rounding, and refusals."""

import math

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.cells import GRUCell, LSTMCell
from rnn_from_scratch.compression import (
    Quantized,
    count,
    dequantize,
    magnitude_mask,
    prune,
    quantize,
    size_in_bytes,
)
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

# Pruning


def test_the_mask_by_hand():
    array = np.array([[3.0, -1.0, 0.5], [-4.0, 2.0, -0.25]])
    assert magnitude_mask(array, 0.0).all()
    assert magnitude_mask(array, 0.5).tolist() == [[True, False, False], [True, True, False]]
    assert magnitude_mask(array, 5 / 6).tolist() == [[False, False, False], [True, False, False]]
    assert magnitude_mask(np.array([2.0, -2.0, 2.0]), 1 / 3).tolist() == [False, True, True]  # equals: the first goes


@pytest.mark.parametrize(("size", "sparsity", "gone"), [
    (10, 0.9, 9), (100, 0.29, 29), (7, 0.5, 4), (3, 0.1, 0), (5, 0.1, 1), (1, 0.49, 0), (1, 0.999, 1), (4, 0, 0),
])
def test_the_nearest_whole_number_of_entries_goes(size, sparsity, gone):
    for array in (np.random.default_rng(size).standard_normal(size), np.zeros(size), np.full((1, size), -3.0)):
        assert (~magnitude_mask(array, sparsity)).sum() == gone


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.9])
def test_whatever_stays_is_at_least_as_large_as_whatever_goes(sparsity):
    by_columns = np.asfortranarray(np.arange(-30.0, 30).reshape(6, 10))
    for array in (np.random.default_rng(0).standard_normal((20, 30)), by_columns):
        mask = magnitude_mask(array, sparsity)
        assert mask.shape == array.shape
        assert np.abs(array[mask]).min() >= np.abs(array[~mask]).max()


def test_every_matrix_loses_its_share_and_no_vector_does():
    rng = np.random.default_rng(0)
    params = {"recurrent": LSTMCell(5, 8).init_params(rng=rng), "output": {"W_hy": 1e-3 * rng.standard_normal((8, 5)),
                                                                           "b_y": np.array([0.1, 0, 0, 0, 2.0])}}
    smaller = prune(params, 0.9)
    for (path, array), (_, kept) in zip(leaves(params), leaves(smaller), strict=True):
        assert kept.dtype == array.dtype
        if array.ndim == 1:
            np.testing.assert_array_equal(kept, array)
        else:
            assert (kept == 0).sum() == round(0.9 * array.size), path
            np.testing.assert_array_equal(kept[kept != 0], array[kept != 0])
    for (_, array), (_, kept) in zip(leaves(params), leaves(prune(params, 0.0)), strict=True):
        np.testing.assert_array_equal(array, kept)
        assert not np.shares_memory(array, kept)
    assert prune({"W": np.ones((2, 2), np.float32)}, 0.5)["W"].dtype == np.float32


def test_a_pruned_network_runs_where_the_full_one_does():
    layer, rng = Recurrent(GRUCell(3, 4)), np.random.default_rng(0)
    params, xs = layer.init_params(rng=rng), rng.standard_normal((5, 2, 3))
    smaller = prune(params, 0.5)
    assert np.abs(layer.forward(smaller, xs)[0] - layer.forward(params, xs)[0]).max() > 1e-3
    assert count(smaller) == count(params) == 3 * 12 + 4 * 12 + 12 + 4


# Eight bits


def test_eight_bits_by_hand():
    array = np.array([[127.0, 0.5, 0.0], [-64.0, -1.0, 0.0], [0.4, 0.25, 0.0]])
    values, scale = quantize(array)
    assert values.dtype == np.int8
    assert values.tolist() == [[127, 64, 0], [-64, -127, 0], [0, 32, 0]]  # 63.5 goes to the even 64; 31.75 to 32
    assert scale.tolist() == [[1.0, 1 / 127, np.finfo(float).tiny]]
    back = dequantize(Quantized(values, scale))
    np.testing.assert_allclose(back, [[127.0, 64 / 127, 0], [-64, -1, 0], [0, 32 / 127, 0]], rtol=1e-15)
    rows, scale = quantize(array, axis=1)
    assert rows.tolist() == [[127, 0, 0], [-127, -2, 0], [127, 79, 0]]
    assert scale.shape == (3, 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1.0, 1e-3, 1e4, 1e-30, 1e30])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_no_entry_moves_by_more_than_half_a_step(dtype, size, axis):
    rng = np.random.default_rng(0)
    array = (size * rng.standard_normal((40, 30)) * np.exp(rng.standard_normal(30))).astype(dtype)
    quantized = quantize(array, axis)
    back, scale = dequantize(quantized), quantized.scale.astype(np.float64)
    assert back.dtype == scale.astype(dtype).dtype == dtype
    moved = np.abs(back.astype(np.float64) - array)
    assert (moved <= scale * (0.5 + 130 * np.finfo(dtype).eps)).all()  # w/s and q·s are rounded too, at up to 127
    assert moved.max() > 0.4 * scale.min()  # the bound is no empty one
    assert np.abs(quantized.values).max(axis=axis).min() == 127  # each column uses all there is
    np.testing.assert_array_equal(quantize(-array, axis).values, -quantized.values)
    again = quantize(back, axis)
    np.testing.assert_array_equal(again.values, quantized.values)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numbers_at_the_ends_of_the_range(dtype):
    info = np.finfo(dtype)
    for largest in (info.max / 2, info.tiny, info.smallest_subnormal, 100 * info.tiny):
        array = np.array([[largest], [-largest], [0.0], [largest / 3]], dtype)
        values, scale = quantize(array)
        assert np.isfinite(scale).all()
        assert (scale > 0).all()
        assert (np.abs(dequantize(Quantized(values, scale)).astype(np.longdouble) - array) <= 0.51 * scale).all()


def test_zeros_stay_zeros():
    pruned = prune({"W": np.random.default_rng(0).standard_normal((30, 20))}, 0.7)["W"]
    assert not dequantize(quantize(pruned))[pruned == 0].any()
    assert not dequantize(quantize(np.zeros((3, 2)))).any()


def test_one_large_weight_costs_its_own_column_alone():
    array = np.random.default_rng(0).standard_normal((50, 4))
    array[0, 2] = 1000.0
    moved = np.abs(dequantize(quantize(array)) - array).max(axis=0)
    assert moved[2] > 1
    assert moved[[0, 1, 3]].max() < 0.02


def test_the_product_can_be_scaled_after():
    """What a machine with integer products would do, here exact: x q s, columns scaled last."""
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((3, 20)), rng.standard_normal((20, 5))
    values, scale = quantize(W)
    np.testing.assert_allclose((x @ values.astype(float)) * scale, x @ dequantize(Quantized(values, scale)), rtol=1e-12)


def test_the_bytes():
    W = np.zeros((100, 40), np.float32)
    assert size_in_bytes(W) == 16_000
    assert size_in_bytes(quantize(W)) == 4_000 + 160
    assert size_in_bytes({"a": [W, W.astype(float)], "b": (W,), "q": quantize(W.astype(float))}) == 68_320
    assert count({"a": [W, W], "b": np.zeros(3)}) == 8_003
    assert (count({}), size_in_bytes({})) == (0, 0)


# Refusals


@pytest.mark.parametrize("call", [lambda W: magnitude_mask(W, 0.5), quantize, lambda W: prune({"a": W}, 0.5)])
@pytest.mark.parametrize(("wrong", "error", "message"), [
    ([[1.0, 2.0]], DtypeError, "is a list, expected a NumPy array"),
    (np.ones((2, 2), int), DtypeError, "has dtype int64, expected float64"),
    (np.ones((2, 2), complex), DtypeError, "has dtype complex128, expected float64"),
    (np.array([[1.0, math.nan]]), ArgumentError, r"\[0, 1\] is nan"),
    (np.array([[math.inf, 1.0]]), ArgumentError, r"\[0, 0\] is inf"),
    (np.array([math.inf]), ArgumentError, r"\[0\] is inf"),
])
def test_weights_that_are_none(call, wrong, error, message):
    if isinstance(wrong, list) and call is not quantize:
        wrong = "W"
        message = "is a str, expected a NumPy array"
    with pytest.raises(error, match=message):
        call(wrong)


@pytest.mark.parametrize("sparsity", [1.0, 1, -0.1, 50, math.nan, True, "half", None])
def test_shares_that_are_none(sparsity):
    for call in (lambda: magnitude_mask(np.ones((2, 2)), sparsity), lambda: prune({"W": np.ones((2, 2))}, sparsity)):
        with pytest.raises(ArgumentError) as caught:
            call()
        because = "because it is the share of the entries to leave out."
        bounds = "expected a finite number at least 0.0 and below 1.0"
        assert str(caught.value) == f"magnitude_mask: sparsity is {sparsity!r}, {bounds} {because}"


@pytest.mark.parametrize("axis", [2, -3, 0.0, True, None])
def test_axes_that_are_none(axis):
    with pytest.raises(ShapeError, match=rf"^quantize: axis is {axis!r}, expected a whole number from -2 to 1 because"):
        quantize(np.ones((2, 2)), axis)
    with pytest.raises(ShapeError, match="the array has 0 axes"):
        quantize(np.array(1.0), 0)


def test_what_was_not_quantized():
    W = np.ones((2, 2))
    message = r"^dequantize: quantized is {}, expected the Quantized that quantize returned, values of int8"
    for wrong, name in (
        (W, "a ndarray"), ((W, W), "a tuple"), (None, "a NoneType"), (Quantized(W, W), "a Quantized of float64"),
    ):
        with pytest.raises(DtypeError, match=message.format(name)):
            dequantize(wrong)
    with pytest.raises(DtypeError, match="scale is a float"):
        dequantize(Quantized(W.astype(np.int8), 0.1))
