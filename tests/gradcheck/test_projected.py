"""Gradients along random directions: the same verdicts as entry by entry, for a few losses an array."""

import numpy as np
import pytest

from rnn_from_scratch.cells import LSTMCell
from rnn_from_scratch.gradcheck import check_along_directions
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError

MODEL = SequenceModel(Recurrent(LSTMCell(3, 6)), 5)


@pytest.fixture
def point():
    rng = np.random.default_rng(0)
    params = MODEL.init_params(rng=rng)
    xs, targets = rng.standard_normal((5, 2, 3)), rng.integers(0, 5, (5, 2))
    calls = []

    def loss(at):
        calls.append(1)
        return MODEL.loss_and_grads(at, xs, targets)[0]

    return params, MODEL.loss_and_grads(params, xs, targets)[1], loss, calls


def check(loss, params, grads, **options):
    return check_along_directions(loss, params, grads, rng=np.random.default_rng(1), **options)


def test_right_gradients_pass_for_far_fewer_losses_than_entries(point):
    params, grads, loss, calls = point
    report = check(loss, params, grads)
    assert report.ok
    assert report.worst < 1e-13
    assert report.rows[0].shape == (3, 24)
    assert len(calls) < 60 < sum(array.size for part in params.values() for array in part.values())
    assert "which array, not where" in report.notes[-1]


@pytest.mark.parametrize("method", ["central", "richardson", "complex", "forward"])
def test_every_method_has_the_same_say(point, method):
    params, grads, loss, _ = point
    assert check(loss, params, grads, method=method).ok
    grads["output"]["W_hy"][2, 3] *= 1.3
    report = check(loss, params, grads, method=method)
    assert [row.name for row in report.rows if not row.ok] == ["output.W_hy"]


def test_the_error_is_the_share_of_the_gradient_that_is_wrong(point):
    """The mean square over directions of the difference is ‖a − n‖²: so the error is about ‖a − n‖/(‖a‖ + ‖n‖)."""
    params, grads, loss, _ = point
    right = grads["recurrent"]["W_hh"].copy()
    grads["recurrent"]["W_hh"] = 1.1 * right
    row = check(loss, params, grads, directions=200)["recurrent.W_hh"]
    assert not row.ok
    assert row.error == pytest.approx(0.1, rel=0.01)  # max|a − n|/max|n| is exactly a tenth, by scale


def test_one_wrong_entry_among_many_is_found(point):
    params, grads, loss, _ = point
    grads["recurrent"]["W_hh"][5, 7] += 1e-6
    assert [row.name for row in check(loss, params, grads).rows if not row.ok] == ["recurrent.W_hh"]


def test_what_does_not_fit_is_told(point):
    params, grads, loss, _ = point
    grads["output"]["b_y"] = np.zeros(4)
    del grads["output"]["W_hy"]
    report = check(loss, params, grads)
    assert report.findings == ["grads has no output.W_hy"]
    assert report["output.b_y"].verdict == "WRONG: ndarray of shape (4,)"


def test_a_single_array_and_arrays_without_axes():
    w = np.array(0.7)
    assert check(lambda at: (at * at).sum(), w, 2 * w).ok
    assert not check(lambda at: (at * at).sum(), w, 2.1 * w).ok


def test_bad_arguments(point):
    params, grads, loss, _ = point
    with pytest.raises(ArgumentError, match="directions is 0, expected a whole number of at least 1"):
        check(loss, params, grads, directions=0)
    with pytest.raises(ArgumentError, match="rng is None"):
        check_along_directions(loss, params, grads, rng=None)
    twice = {"a.b": np.ones(2), "a": {"b": np.ones(2)}}
    with pytest.raises(ArgumentError, match=r"check_along_directions: params has two arrays called 'a.b', expected"):
        check(lambda at: at["a.b"].sum(), twice, twice)
    params["output"]["b_y"][1] = np.nan
    with pytest.raises(ArgumentError, match=r"output.b_y\[1\] is nan"):
        check(loss, params, grads)
