"""Deletion: what is left, by hand, and (1 − p)^T of the sequences."""

import numpy as np
import pytest

from rnn_from_scratch.data import Deletion, hide, make_holes
from rnn_from_scratch.validate import ArgumentError, DtypeError

NAN = np.nan


def left(unit, xs, **given):
    method = Deletion(unit)
    return method.transform(method.fit(xs, **given), xs, **given)


def test_by_hand():
    xs = np.arange(12.0).reshape(3, 4, 1)
    xs[1, 0], xs[:, 2], xs[2, 3] = NAN, NAN, NAN
    whole = left("sequences", xs)
    np.testing.assert_array_equal(whole.xs, xs[:, [1]])
    assert (whole.sequences.tolist(), whole.kept, whole.of, whole.mask.all()) == ([1], 1, 4, True)
    assert str(whole) == "1 of 4 left (25.0 %)"
    steps = left("steps", xs)
    assert (steps.sequences.tolist(), steps.kept, steps.of) == ([0, 1, 3], 7, 12)
    np.testing.assert_array_equal(steps.xs[..., 0], [[0, 1, 3], [8, 5, 7], [0, 9, 0]])
    np.testing.assert_array_equal(steps.mask, [[1, 1, 1], [1, 1, 1], [0, 1, 0]])


def test_padding_is_no_gap():
    xs, mask = np.ones((3, 2, 2)), np.array([[1, 1], [0, 1], [1, 1]], bool)
    xs[1, 0], xs[2, 0], xs[0, 1, 1] = NAN, 5.0, NAN
    whole = left("sequences", xs, mask=mask)
    assert (whole.sequences.tolist(), whole.kept, whole.of) == ([0], 1, 2)
    np.testing.assert_array_equal(whole.xs[:, 0], [[1, 1], [5, 5]])
    assert left("steps", xs, mask=mask).kept == 4
    assert left("steps", xs, mask=mask).of == 5


def test_a_share_of_the_sequences_falls_with_their_length():
    T, N, p = 12, 4000, 0.1
    xs = np.ones((T, N, 3))
    xs = hide(xs, make_holes(xs, p, rng=np.random.default_rng(0), together=True))
    kept = left("sequences", xs)
    expected = (1 - p) ** T  # 0.2824
    assert kept.kept / kept.of == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / N))
    assert left("steps", xs).kept == round((1 - p) * T * N)


def test_refusals():
    for unit in ("rows", True, None):
        with pytest.raises(ArgumentError, match="Deletion: unit is"):
            Deletion(unit)
    xs = np.array([[1.0, NAN], [NAN, 2.0]])
    for unit, count in (("sequences", 1), ("steps", 2)):
        with pytest.raises(ArgumentError, match=f"each of the {count} {unit} lacks a value, .*Fill the values"):
            left(unit, xs)
    with pytest.raises(DtypeError, match=r"Deletion\.transform: statistics is a NoneType"):
        Deletion().transform(None, np.ones((3, 2)))
    with pytest.raises(DtypeError, match=r"Deletion\.fit: xs has dtype int64"):
        Deletion().fit(np.ones((3, 2), int))
