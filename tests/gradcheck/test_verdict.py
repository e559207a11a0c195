"""Verdicts where a naive comparison is wrong: small parts lost, rounding that hides, kinks, tiny and huge gradients."""

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import check_gradients, relative_error

A = np.random.default_rng(0).standard_normal(5)
REAL = ("central", "richardson", "forward")


def smooth_abs(p):
    """|p|³, which no complex argument survives."""
    return (np.abs(p) ** 3).sum()


ABS_SLOPE = 3 * np.abs(A) ** 2 * np.sign(A)


# What the complex step quietly drops.


@pytest.mark.parametrize("share", [1e-3, 1e-5, 1e-7, 3e-9])
def test_a_small_penalty_is_neither_lost_nor_refused(share):
    def loss(p):
        return (p * p).sum() + share * np.abs(p).sum()

    report = check_gradients(loss, A, 2 * A + share * np.sign(A))
    report.raise_if_wrong()
    assert report.notes  # it is said that the complex step loses something
    if share > 1e-6:
        assert not check_gradients(loss, A, 2 * A).ok


def test_every_array_has_its_own_guard():
    def loss(p):
        return 1e5 * (p["big"] ** 2).sum() + np.abs(p["small"]).sum()

    point = {"big": A, "small": A}
    report = check_gradients(loss, point, {"big": 2e5 * A, "small": np.sign(A)})
    report.raise_if_wrong()
    assert report.method == "complex and central"
    assert report.notes[0].startswith("central differences, not the complex step, for small: along one direction")
    wrong = check_gradients(loss, point, {"big": 2e5 * A, "small": 0 * A})
    assert wrong["big"].ok
    assert wrong["small"].verdict == "WRONG"


# Where rounding hides what a method would have to see.


@pytest.mark.parametrize("method", ["auto", "complex", *REAL])
@pytest.mark.parametrize("constant", [1e8, 1e12, 1e16])
def test_a_large_constant_hides_no_mistake(method, constant):
    def loss(p):
        return (p**3).sum() + constant

    check_gradients(loss, A, 3 * A**2, method).raise_if_wrong()
    for factor in (0.0, 0.99, 1.01, 2.0):
        assert not check_gradients(loss, A, factor * 3 * A**2, method).ok


@pytest.mark.parametrize("method", ["auto", "complex", *REAL])
@pytest.mark.parametrize("size", [1e-10, 1e-12])
def test_a_tiny_gradient_is_not_zero(method, size):
    def loss(p):
        return 1 + size * (p**3).sum()

    assert not check_gradients(loss, A, 0 * A, method).ok
    assert not check_gradients(loss, A, size * A**2, method).ok
    check_gradients(loss, A, 3 * size * A**2, method).raise_if_wrong()


@pytest.mark.parametrize("method", ["auto", *REAL])
def test_where_nothing_can_tell_it_says_so(method):
    def loss(p):
        return smooth_abs(p) + 1e13

    for factor in (1.0, 1.5):
        report = check_gradients(loss, A, factor * ABS_SLOPE, method)
        assert not report.ok
        assert report.rows[0].verdict == "cannot tell"
        assert "cannot tell (rounding " in str(report)
        assert str(report).splitlines()[-1].endswith(": 1 not certain")


@pytest.mark.parametrize("method", ["auto", "richardson"])
@pytest.mark.parametrize(("constant", "to"), [(1e6, 1e-6), (1e8, 1e-4)])
def test_what_rounding_leaves_is_certified_and_no_more(constant, to, method):
    def loss(p):
        return smooth_abs(p) + constant

    report = check_gradients(loss, A, ABS_SLOPE, method)
    report.raise_if_wrong()
    word, number = report.rows[0].verdict.rsplit(" ", 1)
    assert word == "right to"
    assert to / 10 < float(number) < to
    assert "(rounding " in str(report)
    assert not check_gradients(loss, A, (1 + 10 * to) * ABS_SLOPE, method).ok
    assert not check_gradients(loss, A, ABS_SLOPE, method, tolerance=to / 1000).ok  # more is asked than can be seen


@pytest.mark.parametrize("method", ["auto", *REAL])
def test_nothing_is_certified_where_more_than_a_thousandth_is_hidden(method):
    for constant, verdict in ((2e8, "right to "), (1e10, "cannot tell")):
        report = check_gradients(lambda p, c=constant: smooth_abs(p) + c, A, ABS_SLOPE, method)
        assert report.rows[0].verdict.startswith(verdict)


@pytest.mark.parametrize("method", ["auto", "complex", *REAL])
def test_a_true_zero_that_is_not_computed_as_zero(method):
    def loss(p):  # adding p to all logits changes nothing
        z = np.array([0.3, -1.2, 0.7, 2.2]) + p["shift"] + np.array([1.0, 0.0, 0.0, 0.0]) * p["logit"]
        return np.log(np.exp(z).sum()) - z[2]

    shift, logit = np.array([0.7]), np.array([0.1])
    z = np.array([0.3, -1.2, 0.7, 2.2]) + shift + np.array([1.0, 0.0, 0.0, 0.0]) * logit
    softmax = np.exp(z) / np.exp(z).sum()
    grads = {"shift": np.array([softmax.sum() - 1.0 + 1e-17]), "logit": softmax[:1]}
    report = check_gradients(loss, {"shift": shift, "logit": logit}, grads, method)
    report.raise_if_wrong()
    assert report["shift"].verdict == "zero, within rounding"
    assert not check_gradients(loss, {"shift": shift, "logit": logit}, {**grads, "shift": 1e-8 + 0 * shift}, method).ok


# Sizes.


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-170, 1e160, 1e200, 1e300])
def test_tiny_and_huge_gradients(size):
    assert relative_error(size * A, size * A * (1 + 1e-15))[0] < 1e-14
    assert relative_error(size * A, 2 * size * A)[0] == pytest.approx(0.5)
    check_gradients(lambda p: (p * p).sum() * size, A, 2 * A * size * (1 + 1e-15)).raise_if_wrong()
    assert not check_gradients(lambda p: (p * p).sum() * size, A, 2 * A * size * 1.001).ok


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [(lambda p: (p**4).sum(), lambda p: 4 * p**3), (lambda p: np.sin(1e6 * p).sum(), lambda p: 1e6 * np.cos(1e6 * p))],
)
def test_weights_of_a_millionth(loss, gradient):
    p = 1e-6 * A
    report = check_gradients(loss, p, gradient(p))
    report.raise_if_wrong()
    assert report.method == "complex"
    assert not check_gradients(loss, p, 1.001 * gradient(p)).ok


# Kinks.


def relu(p):
    return np.where(p.real > 0, p, 0.0 * p).sum()


@pytest.mark.parametrize("method", ["auto", "central"])
@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_a_kink_is_named(method, slope):
    report = check_gradients(relu, np.array([0.0, 0.5]), np.array([slope, 1.0]), method)
    assert not report.ok
    assert report.rows[0].verdict == "at a kink: slope 0 below, 1 above"
    assert report.rows[0].index == (0,)
    outside = check_gradients(relu, np.array([0.0, 0.5]), np.array([3.0, 1.0]), method)
    assert outside.rows[0].verdict == "WRONG: at a kink: slope 0 below, 1 above"


def test_a_wrong_gradient_of_a_smooth_function_is_at_no_kink():
    for loss in (lambda p: (p**3).sum(), lambda p: np.exp(3 * p).sum(), lambda p: np.sin(1e5 * p).sum()):
        assert check_gradients(loss, A, 99 * np.ones(5), "central").rows[0].verdict == "WRONG"


# The entry that a row shows.


def test_a_right_row_shows_its_largest_entry_and_a_wrong_one_its_worst():
    right = 2 * A
    row = check_gradients(lambda p: (p * p).sum(), A, right).rows[0]
    assert row.index == (int(np.argmax(np.abs(A))),)
    wrong = right.copy()
    wrong[3] += 0.1
    assert check_gradients(lambda p: (p * p).sum(), A, wrong).rows[0].index == (3,)


def test_the_entry_does_not_hang_on_rounding():
    def loss(p):
        return np.array([1.0, -1.0 - 1e-9, 1.0 + 1e-9]) @ p

    assert check_gradients(loss, np.ones(3), np.array([1.0, -1.0 - 1e-9, 1.0 + 1e-9])).rows[0].index == (0,)
