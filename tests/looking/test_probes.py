"""Probes: the bottom of their losses, known answers, and class means that are gone once they are removed."""

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import numerical_gradient
from rnn_from_scratch.looking import class_directions, fit_classifier, fit_least_squares, remove_directions
from rnn_from_scratch.losses import softmax_cross_entropy
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

M, H, K = 60, 4, 3
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, K, M)
HS = RNG.standard_normal((M, H)) + 1.5 * np.eye(H)[LABELS] + 2.0
VALUES = HS @ RNG.standard_normal((H, 2)) + 0.3 * RNG.standard_normal((M, 2)) - 1.0


def test_a_line_is_found_exactly():
    W, b = np.array([[1.0], [-2.0], [0.5], [0.0]]), 3.0
    probe = fit_least_squares(HS, (HS @ W)[:, 0] + b)
    np.testing.assert_allclose(probe.W, W, atol=1e-12)
    np.testing.assert_allclose(probe.b, [b], atol=1e-12)
    np.testing.assert_allclose(probe.read(HS), HS @ W + b, atol=1e-12)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_least_squares_stands_at_the_bottom_of_its_loss(ridge):
    probe = fit_least_squares(HS, VALUES, ridge=ridge)

    def loss(W, b):
        return ((HS @ W + b - VALUES) ** 2).sum() + ridge * M * (W**2).sum()

    scale = loss(0 * probe.W, probe.b)
    slope = numerical_gradient(lambda W: loss(W, probe.b), probe.W, "complex")
    assert np.abs(slope).max() < 1e-12 * scale
    assert np.abs(numerical_gradient(lambda b: loss(probe.W, b), probe.b, "complex")).max() < 1e-12 * scale


def test_of_many_best_weights_the_shortest_are_taken():
    hs = np.repeat(HS[:, :1], 2, axis=1)  # one unit twice
    probe = fit_least_squares(hs, 3.0 * HS[:, 0])
    np.testing.assert_allclose(probe.W, [[1.5], [1.5]], rtol=1e-9)


def test_a_classifier_stands_at_the_bottom_of_its_loss():
    ridge = 0.01
    probe = fit_classifier(HS, LABELS, ridge=ridge)

    def loss(W, b):
        return softmax_cross_entropy(HS @ W + b, LABELS)[0] + 0.5 * ridge * (W**2).sum()

    assert np.abs(numerical_gradient(lambda W: loss(W, probe.b), probe.W, "complex")).max() < 1e-10
    assert np.abs(numerical_gradient(lambda b: loss(probe.W, b), probe.b, "complex")).max() < 1e-10
    assert loss(probe.W, probe.b) < loss(1.01 * probe.W, probe.b)
    assert np.mean(probe.classes(HS) == LABELS) > 0.7


def test_two_classes_by_hand():
    """h = ±1, each with three labels in four right: the logits differ by ln 3 either way, if nothing holds W back."""
    hs = np.array([[-1.0]] * 4 + [[1.0]] * 4)
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 0])
    probe = fit_classifier(hs, labels, ridge=1e-9)
    np.testing.assert_allclose(probe.W[0, 1] - probe.W[0, 0], np.log(3.0), rtol=1e-6)
    np.testing.assert_allclose(probe.b[1] - probe.b[0], 0.0, atol=1e-8)


def test_separable_classes_have_an_end_through_the_ridge():
    hs = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    sizes = [np.abs(fit_classifier(hs, np.array([0, 0, 1, 1]), ridge=ridge).W).max() for ridge in (1e-1, 1e-2, 1e-4)]
    assert sizes == sorted(sizes)
    assert np.isfinite(sizes[-1])


def test_classes_and_readings_keep_leading_axes():
    probe = fit_classifier(HS, LABELS)
    blocks = HS.reshape(5, 12, H)
    assert probe.classes(blocks).shape == (5, 12)
    np.testing.assert_array_equal(probe.classes(blocks).ravel(), probe.classes(HS))
    np.testing.assert_array_equal(probe.classes(HS), probe.read(HS).argmax(axis=1))


def test_directions_between_class_means():
    hs = np.array([[0.0, 1.0], [2.0, 1.0], [5.0, 4.0], [0.0, -1.0]])
    np.testing.assert_array_equal(class_directions(hs, np.array([0, 0, 1, 2])), [[4.0, 3.0], [-1.0, -2.0]])


def test_with_the_class_means_removed_least_squares_finds_nothing():
    directions = class_directions(HS, LABELS)
    (gone,) = remove_directions(directions, HS.mean(axis=0))(1, (HS,))
    before, after = (fit_least_squares(hs, np.eye(K)[LABELS]).W for hs in (HS, gone))
    assert np.abs(before).max() > 0.1
    assert np.abs(after).max() < 1e-12
    probe = fit_classifier(HS, LABELS)  # to remove what a probe reads with leaves the means apart: another reads on
    (left,) = remove_directions((probe.W[:, 1:] - probe.W[:, :1]).T, HS.mean(axis=0))(1, (HS,))
    assert np.abs(fit_least_squares(left, np.eye(K)[LABELS]).W).max() > 1e-3


def test_float32_stays():
    small = HS.astype(np.float32)
    assert fit_classifier(small, LABELS).W.dtype == np.float32
    assert fit_least_squares(small, VALUES.astype(np.float32)).b.dtype == np.float32
    assert class_directions(small, LABELS).dtype == np.float32


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: fit_least_squares(HS[0], VALUES), ShapeError, r"hs has shape \(4,\), expected \(M, H\).*reshape"),
    (lambda: fit_least_squares(HS, VALUES[1:]), ShapeError, r"values has shape \(59, 2\), expected \(60, K\)"),
    (lambda: fit_least_squares(HS, VALUES, ridge=-1.0), ArgumentError, "ridge is -1.0"),
    (lambda: fit_least_squares(HS * np.nan, VALUES), ArgumentError, r"hs\[0, 0\] is nan"),
    (lambda: fit_least_squares(HS, LABELS), DtypeError, "values has dtype int64"),
    (lambda: fit_least_squares(HS.astype(np.float32), VALUES), DtypeError, "float32 beside"),
    (lambda: fit_classifier(HS, LABELS.astype(float)), DtypeError, "labels has dtype float64, expected whole numbers"),
    (lambda: fit_classifier(HS, LABELS > 0), DtypeError, r"condition.astype\(int\)"),
    (lambda: fit_classifier(HS, LABELS[:5]), ShapeError, r"labels has shape \(5,\), expected \(60,\)"),
    (lambda: fit_classifier(HS, 0 * LABELS), ArgumentError, "labels has one class, expected each of 0 … 1"),
    (lambda: fit_classifier(HS, LABELS - 1), ArgumentError, r"labels\[\d+\] is -1"),
    (lambda: fit_classifier(HS, LABELS, 2), ArgumentError, "is 2, expected 0 … 1"),
    (lambda: fit_classifier(HS, LABELS, 5), ArgumentError, r"labels lacks the classes \[3, 4\]"),
    (lambda: fit_classifier(HS, LABELS, ridge=0.0), ArgumentError, "separable classes have no best W"),
    (lambda: fit_classifier(HS, LABELS, steps=1), ArgumentError, "after 1 steps the gradient is"),
    (lambda: class_directions(HS[:1], LABELS[:1]), ShapeError, "M ≥ 2"),
    (lambda: fit_classifier(HS, LABELS).read(HS[:, :2]), ShapeError, r"hs has shape \(60, 2\), expected \(…, 4\)"),
    (lambda: fit_classifier(HS, LABELS).classes([1.0]), DtypeError, "hs is a list"),
])
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
