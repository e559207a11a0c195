"""The loss on a plane: known surfaces, and the cliff of Pascanu, Mikolov & Bengio (2013), fig. 6."""

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.looking import loss_surface
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

PARAMS = {"layer": {"W": np.array([[1.0, 2.0]]), "b": np.array([3.0])}}
FIRST = {"layer": {"W": np.array([[1.0, 0.0]]), "b": np.array([0.0])}}
SECOND = {"layer": {"W": np.array([[0.0, 0.0]]), "b": np.array([2.0])}}


def first_and_bias(params):
    return params["layer"]["W"][0, 0] + 10 * params["layer"]["b"][0]


def test_rows_follow_the_second_direction_and_columns_the_first():
    found = loss_surface(first_and_bias, PARAMS, FIRST, SECOND, [0.0, 1.0, 5.0], [0.0, -1.0])
    np.testing.assert_allclose(found, [[31.0, 32.0, 36.0], [11.0, 12.0, 16.0]])
    assert PARAMS["layer"]["W"][0, 0] == 1.0


def test_the_cliff():
    """One unit, 50 steps, no input: at w = 6 the loss jumps where b passes the edge, and is flat on both sides."""
    cell, xs, start = RNNCell(1, 1, "sigmoid"), np.zeros((50, 1, 1)), (np.array([[1 / (1 + np.exp(-0.5))]]),)

    def loss(params):
        return float((unroll(cell, params, xs, start)[0][-1].item() - 0.7) ** 2)

    params = {"W_xh": np.zeros((1, 1)), "W_hh": np.zeros((1, 1)), "b_h": np.zeros(1)}
    w, b = ({name: np.full_like(array, name == moved) for name, array in params.items()} for moved in ("W_hh", "b_h"))
    heights = loss_surface(loss, params, w, b, [6.0], np.linspace(-4.0, -3.0, 101))[:, 0]
    jumps = np.abs(np.diff(heights))
    assert jumps.max() > 0.2
    assert np.median(jumps) < 0.002
    assert np.isclose(loss({"W_xh": params["W_xh"], "W_hh": np.array([[6.0]]), "b_h": np.array([-4.0])}), heights[0])


def test_infinite_losses_are_heights_too():
    found = loss_surface(lambda p: np.inf if p["w"][0] > 0 else 1.0, {"w": np.zeros(1)}, {"w": np.ones(1)},
                         {"w": np.zeros(1)}, [-1.0, 1.0], [0.0])
    np.testing.assert_array_equal(found, [[1.0, np.inf]])


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"loss": 3.0}, DtypeError, "loss is a float, expected a function of params"),
    ({"loss": lambda p: p["layer"]["W"]}, DtypeError, "loss returned array.*expected one real number"),
    ({"loss": lambda p: 1j}, DtypeError, "expected one real number"),
    ({"first": {"layer": {"W": np.zeros((1, 2))}}}, ShapeError, "first has.*a direction has a number for each"),
    ({"second": {"layer": {"W": np.zeros((2, 1)), "b": np.zeros(1)}}}, ShapeError, "second has"),
    ({"second": {"layer": {"W": np.full((1, 2), np.nan), "b": np.zeros(1)}}}, ArgumentError, r"second.layer.W\[0, 0\]"),
    ({"along_first": []}, ShapeError, "along_first is empty, expected at least one number"),
    ({"along_first": [[1.0]]}, ShapeError, r"along_first has shape \(1, 1\), expected \(n,\)"),
    ({"along_second": [np.inf]}, ArgumentError, r"along_second\[0\] is inf"),
    ({"along_second": "ab"}, DtypeError, "along_second has dtype <U2"),
])
def test_bad_input_is_explained(change, error, message):
    arguments = {
        "loss": first_and_bias, "params": PARAMS, "first": FIRST, "second": SECOND, "along_first": [0.0],
        "along_second": [0.0], **change,
    }
    with pytest.raises(error, match=message):
        loss_surface(**arguments)
