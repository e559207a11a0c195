"""The linear recurrence over time: loop and Blelloch scan are one, and the backward is proven three ways."""

import re

import numpy as np
import pytest

from rnn_from_scratch import scan as module
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.scan import scan, scan_backward, scan_blelloch, scan_loop
from rnn_from_scratch.validate import DtypeError, ShapeError

WAYS = {"scan": scan, "loop": scan_loop, "blelloch": scan_blelloch}
LENGTHS = [*range(1, 40), 63, 64, 65, 127, 128, 1000]  # all around the powers of two, and around SHORTEST
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def draw(T, step=(2, 3), dtype=np.float64, seed=0):
    rng = np.random.default_rng([seed, T, *step])
    a, b, h0 = rng.uniform(-1.1, 1.1, (T, *step)), rng.standard_normal((T, *step)), rng.standard_normal(step)
    return tuple(array.astype(dtype) for array in (a, b, h0))


def by_hand(a, b, h0):
    """One number after the other."""
    hs = np.empty(a.shape, np.result_type(a, b, h0))
    for index in np.ndindex(h0.shape):
        h = h0[index].item()
        for t in range(len(a)):
            h = a[(t, *index)].item() * h + b[(t, *index)].item()
            hs[(t, *index)] = h
    return hs


def same(found, expected, tolerance=1e-12):
    assert found.dtype == expected.dtype
    assert np.abs(found - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


# Forward


@every_way
@pytest.mark.parametrize("T", LENGTHS)
def test_every_length_gives_what_single_numbers_give(way, T):
    a, b, h0 = draw(T)
    same(way(a, b, h0), by_hand(a, b, h0))


@pytest.mark.parametrize("step", [(), (1,), (7,), (1, 1), (3, 2, 2), (40, 13)], ids=str)
@every_way
def test_every_shape_of_a_step(way, step):
    a, b, h0 = draw(45, step)
    found = way(a, b, h0)
    assert found.shape == (45, *step)
    same(found, by_hand(a, b, h0))


@every_way
def test_a_long_sequence_goes_through_in_blocks(way):
    """Several blocks, unequal ones among them; with factors near 1, so that each block needs what was before it."""
    a, b, h0 = draw(9001, (17,))
    assert a.size > 2 * module.BLOCK
    a = 1.0 - 0.001 * np.abs(a)
    same(way(a, b, h0), scan_loop(a, b, h0))


@pytest.mark.parametrize("kinds", [(np.float32,) * 3, (complex, complex, complex), (complex, float, float),
                                   (float, complex, float), (float, float, complex)], ids=str)
@every_way
def test_dtypes(way, kinds):
    """Single precision stays single; one complex argument, as the complex step has it, makes complex states."""
    rng = np.random.default_rng(0)
    given = [array.astype(kind) for array, kind in zip(draw(50), kinds, strict=True)]
    given = [array + 1j * rng.standard_normal(array.shape) if array.dtype == complex else array for array in given]
    same(way(*given), by_hand(*given).astype(np.result_type(*given)), 1e-5 if kinds[0] == np.float32 else 1e-12)


@every_way
def test_nothing_is_divided(way):
    """Products of 1,000 small factors underflow to 0, a factor 0 forgets everything, and both are harmless."""
    a, b, h0 = draw(1000, (3,))
    a[:, 0] *= 1e-3
    a[::7, 1] = 0.0
    hs = way(a, b, h0)
    same(hs, by_hand(a, b, h0))
    np.testing.assert_array_equal(hs[::7, 1], b[::7, 1])


@pytest.mark.parametrize("T", range(16, 70))
def test_the_steps_that_fill_the_last_pairs_up_do_not_overflow(T):
    """They are copies of the last step, whose factor would be multiplied with itself; NumPy would warn."""
    a, b, h0 = draw(T)
    a[-1] = 1e200
    same(scan_blelloch(a, b, h0), scan_loop(a, b, h0))


def test_factors_of_one_and_nothing_added_carry_to_the_last_bit():
    """What a mask makes of padding; the sums and products of a pair are exact there."""
    _, _, h0 = draw(100)
    for way in WAYS.values():
        np.testing.assert_array_equal(way(np.ones((100, 2, 3)), np.zeros((100, 2, 3)), h0), [h0] * 100)


@pytest.mark.parametrize(("numbers", "dtype", "chosen"), [
    (8, np.float64, scan_blelloch), (192, np.float64, scan_blelloch), (193, np.float64, scan_loop),
    (384, np.float32, scan_blelloch), (385, np.float32, scan_loop), (96, complex, scan_blelloch),
    (97, complex, scan_loop),
])
def test_the_shape_and_the_dtype_choose(numbers, dtype, chosen):
    """Bit for bit: the two ways round differently, so only one of them can agree."""
    a, b, h0 = draw(200, (1, numbers), dtype)
    other = scan_loop if chosen is scan_blelloch else scan_blelloch
    np.testing.assert_array_equal(scan(a, b, h0), chosen(a, b, h0))
    assert not np.array_equal(scan(a, b, h0), other(a, b, h0))


@every_way
def test_views_of_any_order_in_memory(way):
    a, b, h0 = draw(50, (3, 4))
    expected = way(a, b, h0)
    wide = np.zeros((50, 4, 3, 2))
    wide[..., 0] = a.swapaxes(1, 2)
    np.testing.assert_array_equal(way(wide[..., 0].swapaxes(1, 2), np.asfortranarray(b), h0), expected)
    np.testing.assert_array_equal(way(a[::-1].copy()[::-1], b, h0), expected)


# Backward


def draw_backward(T, step=(2, 3)):
    a, b, h0 = draw(T, step)
    rng = np.random.default_rng(1)
    return a, b, h0, rng.standard_normal(a.shape), rng.standard_normal(h0.shape)


@pytest.mark.parametrize("way", [scan_loop, scan_blelloch], ids=["loop", "blelloch"])
@pytest.mark.parametrize("method", ["central", "complex"])
@pytest.mark.parametrize("T", [1, 2, 3, 20, 37])
def test_every_gradient_by_finite_differences_and_by_the_complex_step(T, method, way):
    a, b, h0, dhs, dfinal = draw_backward(T)

    def loss(at):
        hs = way(at["a"], at["b"], at["h0"])
        return (dhs * hs).sum() + (dfinal * hs[-1]).sum()

    da, db, dh0 = scan_backward(a, way(a, b, h0), h0, dhs, dfinal)
    params, grads = {"a": a, "b": b, "h0": h0}, {"a": da, "b": db, "h0": dh0}
    report = check_gradients(loss, params, grads, method=method)
    report.raise_if_wrong()
    assert report.worst < (1e-12 if method == "complex" else 1e-6)


@pytest.mark.parametrize("step", [(), (1,), (2, 3), (40, 13)], ids=str)
@pytest.mark.parametrize("T", [1, 2, 17, 64, 301])
def test_the_backward_is_the_loop_backwards(T, step):
    """Short steps go through the scan, long ones through the loop."""
    a, b, h0, dhs, dfinal = draw_backward(T, step)
    hs = scan_loop(a, b, h0)
    da, db, dh0 = scan_backward(a, hs, h0, dhs, dfinal)
    dh = dfinal
    for t in reversed(range(T)):
        dh = dh + dhs[t]
        same(np.asarray(db[t]), np.asarray(dh))
        same(np.asarray(da[t]), np.asarray(dh * (hs[t - 1] if t else h0)))
        dh = dh * a[t]
    same(dh0, np.asarray(dh))
    assert (da.shape, db.shape, dh0.shape) == (a.shape, a.shape, h0.shape)


def test_a_long_sequence_goes_back_in_blocks():
    """Three of them, the last first; with factors near 1, so that each needs what came from the one after it."""
    a, b, h0, dhs, dfinal = draw_backward(9002, (17,))
    assert a[1:].size > 2 * module.BLOCK
    a = 1.0 - 0.001 * np.abs(a)
    found = scan_backward(a, b, h0, dhs, dfinal)[1]
    expected, dh = np.empty_like(dhs), dfinal
    for t in reversed(range(len(a))):
        expected[t] = dh = dhs[t] + dh
        dh = a[t] * dh
    same(found, expected)


def test_without_a_gradient_of_the_last_state_it_is_zero():
    a, b, h0, dhs, dfinal = draw_backward(30)
    hs = scan(a, b, h0)
    for one, other in zip(scan_backward(a, hs, h0, dhs), scan_backward(a, hs, h0, dhs, 0 * dfinal), strict=True):
        np.testing.assert_array_equal(one, other)


def test_single_precision_stays_single_on_the_way_back():
    a, b, h0 = draw(30, dtype=np.float32)
    found = scan_backward(a, scan(a, b, h0), h0, b, h0)
    wide = [array.astype(np.float64) for array in (a, b, h0)]
    expected = scan_backward(wide[0], scan(*wide), wide[2], wide[1], wide[2])
    for one, other in zip(found, expected, strict=True):
        same(one, other.astype(np.float32), 1e-5)


@pytest.mark.parametrize("which", ["a", "hs", "h0", "dhs", "dfinal", "none"])
@pytest.mark.parametrize("T", [1, 5, 40])
def test_the_backward_of_complex_numbers(T, which):
    """Any one of its arguments may be complex, and only what depends on it is complex then."""
    a, b, h0, dhs, dfinal = draw_backward(T)
    given = {"a": a, "hs": b, "h0": h0, "dhs": dhs, "dfinal": dfinal}
    if which != "none":
        given[which] = given[which] + 1j * np.random.default_rng(2).standard_normal(given[which].shape)
    da, db, dh0 = scan_backward(**given)
    kinds = [kind for kind, causes in (("da", given), ("db", ("a", "dhs", "dfinal")), ("dh0", ("a", "dhs", "dfinal")))
             if which in causes]
    assert [name for name, array in (("da", da), ("db", db), ("dh0", dh0)) if array.dtype == complex] == kinds
    dh = given["dfinal"].astype(complex)
    for t in reversed(range(T)):
        dh = dh + given["dhs"][t]
        same(db[t].astype(complex), dh)
        same(da[t].astype(complex), dh * (given["hs"][t - 1] if t else given["h0"]))
        dh = dh * given["a"][t]
    same(dh0.astype(complex), dh)


# What does not fit is refused


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"a": [1.0]}, DtypeError, "a is a list, expected a NumPy array"),
    ({"b": np.ones((5, 2), int)}, DtypeError, "b has dtype int64, expected float64 (or float32)"),
    ({"a": np.ones(())}, ShapeError, "a has shape (), expected (T, ...) with T ≥ 1 and at least one number a step"),
    ({"a": np.ones((0, 2))}, ShapeError, "a has shape (0, 2), expected (T, ...) with T ≥ 1"),
    ({"b": np.ones((4, 2))}, ShapeError, "b has shape (4, 2), expected (5, 2), the shape of a because time"),
    ({"b": np.ones((5, 1))}, ShapeError, "b has shape (5, 1), expected (5, 2)"),
    ({"h0": np.ones(1)}, ShapeError, "h0 has shape (1,), expected (2,), the shape of a without its first axis"),
    ({"h0": np.ones(3)}, ShapeError, "h0 has shape (3,), expected (2,)"),
    ({"h0": np.ones(2, np.float32)}, DtypeError, "h0 is float32 beside a of float64, expected one dtype throughout"),
])
def test_arguments_that_do_not_fit(change, error, message):
    given = {"a": np.ones((5, 2)), "b": np.ones((5, 2)), "h0": np.ones(2), **change}
    for name, way in (("scan", scan), ("scan_loop", scan_loop), ("scan_blelloch", scan_blelloch)):
        with pytest.raises(error, match=re.escape(f"{name}: {message}")):
            way(**given)


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"dhs": np.ones((5, 3))}, ShapeError, "dhs has shape (5, 3), expected (5, 2), the shape of a"),
    ({"hs": np.ones((6, 2))}, ShapeError, "hs has shape (6, 2), expected (5, 2), the shape of a"),
    ({"dfinal": np.ones(3)}, ShapeError, "dfinal has shape (3,), expected (2,) because it is the gradient of the"),
    ({"dfinal": 0.0}, DtypeError, "dfinal is a float, expected a NumPy array"),
    ({"dfinal": np.ones(2, np.float32)}, DtypeError, "dfinal is float32 beside a of float64"),
])
def test_arguments_of_the_backward_that_do_not_fit(change, error, message):
    ones = np.ones((5, 2))
    given = {"a": ones, "hs": ones, "h0": ones[0], "dhs": ones, "dfinal": ones[0], **change}
    with pytest.raises(error, match=re.escape(f"scan_backward: {message}")):
        scan_backward(**given)
