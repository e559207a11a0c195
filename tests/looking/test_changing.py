"""A state changed on the way: nothing changed is `unroll`; what is removed is gone, and all else is as it was."""

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import laugh
from rnn_from_scratch.looking import clamp_units, remove_directions, unroll_changed
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

H = 5
MEAN = np.linspace(-0.2, 0.3, H)
DIRECTIONS = np.random.default_rng(3).standard_normal((2, H))


def same(t, state):
    return state


def test_changing_nothing_is_unroll(case):
    for mask in (None, case.mask):
        found, final = unroll_changed(case.cell, case.params, case.xs, same, case.state, mask)
        hs, expected, _ = unroll(case.cell, case.params, case.xs, case.state, mask)
        np.testing.assert_array_equal(found, hs)
        for part, other in zip(final, expected, strict=True):
            np.testing.assert_array_equal(part, other)


def test_a_change_at_one_step_reaches_its_output_and_all_later_ones(rnn):
    seen = []

    def change(t, state):
        seen.append(t)
        return (state[0] + 0.5,) if t == 2 else state

    found, _ = unroll_changed(rnn.cell, rnn.params, rnn.xs, change, rnn.state)
    hs, _, _ = unroll(rnn.cell, rnn.params, rnn.xs, rnn.state)
    assert seen == [1, 2, 3, 4]
    np.testing.assert_array_equal(found[0], hs[0])
    np.testing.assert_array_equal(found[1], hs[1] + 0.5)
    after = np.tanh(rnn.xs[2] @ rnn.params["W_xh"] + rnn.params["b_h"] + found[1] @ rnn.params["W_hh"])
    np.testing.assert_allclose(found[2], after, rtol=1e-13)


def test_on_padding_nothing_is_changed(rnn):
    found, final = unroll_changed(rnn.cell, rnn.params, rnn.xs, lambda t, s: (s[0] * 0 + t,), rnn.state, rnn.mask)
    np.testing.assert_array_equal(found[:, 0, 0], [1, 2, 0, 4])
    np.testing.assert_array_equal(found[:, 1, 0], [1, 0, 0, 4])
    np.testing.assert_array_equal(final[0], np.full((2, 5), 4.0))


def test_a_removed_direction_stays_at_the_mean_and_the_rest_is_kept():
    h = np.random.default_rng(0).standard_normal((7, H))
    (found,) = remove_directions(DIRECTIONS, MEAN)(1, (h,))
    basis = np.linalg.qr(DIRECTIONS.T)[0]
    np.testing.assert_allclose((found - MEAN) @ basis, 0, atol=1e-14)
    rest = np.eye(H) - basis @ basis.T
    np.testing.assert_allclose(found @ rest, h @ rest, rtol=1e-12, atol=1e-14)
    (again,) = remove_directions(DIRECTIONS, MEAN)(1, (found,))
    np.testing.assert_allclose(again, found, rtol=1e-12, atol=1e-14)


def test_only_the_span_of_the_directions_counts():
    h = np.random.default_rng(0).standard_normal((7, H))
    expected = remove_directions(DIRECTIONS, MEAN)(1, (h,))[0]
    mixed = np.array([[1e-3, 2e-3], [0.0, -30.0], [1.0, 1.0]]) @ DIRECTIONS  # scaled, mixed, one too many
    np.testing.assert_allclose(remove_directions(mixed, MEAN)(1, (h,))[0], expected, rtol=1e-9)
    by_hand = remove_directions(np.array([[0.0, 3.0]]), np.array([9.0, 0.25]))(1, (np.array([[0.5, 0.75]]),))[0]
    np.testing.assert_allclose(by_hand, [[0.5, 0.25]])


def test_units_are_held_where_they_are_put(lstm):
    found, final = unroll_changed(lstm.cell, lstm.params, lstm.xs, clamp_units([1, 4], MEAN), lstm.state)
    hs, _, _ = unroll(lstm.cell, lstm.params, lstm.xs, lstm.state)
    np.testing.assert_array_equal(found[:, :, [1, 4]], np.broadcast_to(MEAN[[1, 4]], (4, 2, 2)))
    np.testing.assert_array_equal(found[0][:, [0, 2, 3]], hs[0][:, [0, 2, 3]])
    assert (found[1][:, [0, 2, 3]] != hs[1][:, [0, 2, 3]]).all()
    assert len(final) == 2


def test_a_clamped_unit_is_gone_for_the_others():
    """The laugh without its second unit is the network of the first alone, with the bias that the held one gives."""
    params, xs, _, state = laugh()
    w = params["recurrent"]
    found, _ = unroll_changed(RNNCell(3, 2), w, xs, clamp_units([1], np.array([0.0, 0.2])), state)
    h, held = 0.1, -0.5
    for t in range(4):
        h = np.tanh(xs[t, 0] @ w["W_xh"][:, 0] + w["b_h"][0] + h * w["W_hh"][0, 0] + held * w["W_hh"][1, 0])
        held = 0.2
        np.testing.assert_allclose(found[t, 0], [h, 0.2], rtol=1e-12)


def test_what_is_passed_in_is_neither_changed_nor_kept(lstm):
    mean = MEAN.copy()
    change = clamp_units([0], mean)
    mean[:] = 9.0
    assert change(1, (np.zeros((1, H)),))[0][0, 0] == MEAN[0]

    def spoil(t, state):
        state[0][:] = 7.0  # its own copy
        return state

    before = lstm.state[0].copy()
    unroll_changed(lstm.cell, lstm.params, lstm.xs, spoil, lstm.state)
    np.testing.assert_array_equal(lstm.state[0], before)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda c: unroll_changed(c.cell, c.params, c.xs, None), DtypeError, "change is a NoneType, expected a function"),
    (lambda c: unroll_changed(c.cell, c.params, c.xs, lambda t, s: s[0]), ShapeError, "change returned a ndarray at t"),
    (lambda c: unroll_changed(c.cell, c.params, c.xs, lambda t, s: (s[0][:1],)), ShapeError,
     r"change returned shapes \[\(1, 5\)\] at t = 1, expected a tuple of \[\(2, 5\)\]"),
    (lambda c: unroll_changed(c.cell, c.params, c.xs, lambda t, s: (s[0].astype(np.float32),)), DtypeError, "float32"),
    (lambda c: unroll_changed(c.cell, c.params, c.xs, lambda t, s: (s[0] * np.nan,)), ArgumentError, "t = 1.* is nan"),
    (lambda c: remove_directions(MEAN, MEAN), ShapeError, r"directions has shape \(5,\), expected \(k, H\)"),
    (lambda c: remove_directions(DIRECTIONS, MEAN[:2]), ShapeError, r"mean has shape \(2,\), expected \(5,\)"),
    (lambda c: remove_directions(DIRECTIONS * 0, MEAN), ArgumentError, "directions are all 0"),
    (lambda c: remove_directions(DIRECTIONS * np.inf, MEAN), ArgumentError, "is -?inf"),
    (lambda c: remove_directions([[1.0]], MEAN), DtypeError, "directions is a list"),
    (lambda c: clamp_units([5], MEAN), ArgumentError, r"units\[0\] is 5, expected 0 … 4"),
    (lambda c: clamp_units([-1], MEAN), ArgumentError, r"units\[0\] is -1"),
    (lambda c: clamp_units([1, 1], MEAN), ArgumentError, "each unit once"),
    (lambda c: clamp_units([], MEAN), DtypeError, "a list of whole numbers"),
    (lambda c: clamp_units([True], MEAN), DtypeError, "a list of whole numbers"),
    (lambda c: clamp_units([1], MEAN * np.nan), ArgumentError, "is nan"),
    (lambda c: clamp_units([1], 0.0), DtypeError, "values is a float"),
])
def test_bad_input_is_explained(call, error, message, rnn):
    with pytest.raises(error, match=message):
        call(rnn)
