"""Principal components: known ellipses, the eigenvectors of the covariance, signs that repeat."""

import numpy as np
import pytest

from rnn_from_scratch.looking import principal_components
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

RNG = np.random.default_rng(0)
HS = RNG.standard_normal((6, 5, 4)) @ RNG.standard_normal((4, 4)) + 3.0


def test_a_line_in_the_plane():
    t = np.array([-2.0, -1.0, 0.0, 3.0])
    hs = np.array([1.0, 1.0]) + t[:, None] * np.array([0.6, -0.8])
    found = principal_components(hs, 2)
    np.testing.assert_allclose(found.mean, [1.0, 1.0])
    np.testing.assert_allclose(found.directions[0], [-0.6, 0.8], rtol=1e-14)  # the largest entry is positive
    np.testing.assert_allclose(found.shares, [1.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(found.project(hs)[:, 0], -t, atol=1e-14)


def test_they_are_the_eigenvectors_of_the_covariance():
    found = principal_components(HS, 4)
    covariance = np.cov(HS.reshape(-1, 4).T)
    values = np.sort(np.linalg.eigvalsh(covariance))[::-1]
    np.testing.assert_allclose(found.shares, values / values.sum(), rtol=1e-12)
    np.testing.assert_allclose(covariance @ found.directions.T, found.directions.T * values, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(4), atol=1e-14)
    coordinates = found.project(HS)
    assert coordinates.shape == (6, 5, 4)
    np.testing.assert_allclose(coordinates @ found.directions + found.mean, HS, rtol=1e-12)
    np.testing.assert_allclose(np.cov(coordinates.reshape(-1, 4).T), np.diag(values), atol=1e-12)


def test_states_that_do_not_count_are_left_out():
    mask = RNG.uniform(size=(6, 5)) < 0.6
    holey = np.where(mask[..., None], HS, np.nan)
    for found, expected in zip(principal_components(holey, 3, mask), principal_components(HS[mask], 3), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_picture_repeats_whatever_the_order():
    found = principal_components(HS.reshape(-1, 4))
    other = principal_components(HS.reshape(-1, 4)[::-1])
    np.testing.assert_allclose(found.directions, other.directions, rtol=1e-9)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: principal_components(HS[0, 0]), ShapeError, r"hs has shape \(4,\), expected \(…, H\)"),
    (lambda: principal_components(HS[0, :1]), ShapeError, "there are 1 states of 4 units for k = 2"),
    (lambda: principal_components(HS, 5), ShapeError, "for k = 5"),
    (lambda: principal_components(HS, 0), ArgumentError, "k is 0"),
    (lambda: principal_components(0 * HS + 0.1), ArgumentError, "the states are all equal"),
    (lambda: principal_components(HS * np.nan), ArgumentError, "is nan"),
    (lambda: principal_components(HS, 2, np.ones((6, 5))), DtypeError, "mask has dtype float64"),
    (lambda: principal_components(HS, 2, np.ones(6, bool)), ShapeError, "mask has shape"),
    (lambda: principal_components(HS.tolist()), DtypeError, "hs is a list"),
    (lambda: principal_components(HS).project(HS[..., :3]), ShapeError, r"expected \(…, 4\)"),
])
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
