"""What a hostile tester hands in: half precision, dust, hidden zeros, odd arrays, losses of every kind."""

import re

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import (
    check_along_directions,
    check_gradients,
    check_hessian_vector_product,
    check_symmetry,
    hessian_vector_product,
)
from rnn_from_scratch.gradcheck.verdict import TOLERANCES
from rnn_from_scratch.validate import ArgumentError, DtypeError

A = np.random.default_rng(0).standard_normal(5)
METHODS = ("auto", "central", "richardson", "forward")


def squares(w):
    return (w * w).sum()


# Losses


def float_buffer(w):
    buffer = np.zeros(w.shape)
    buffer[:] = w * w
    return buffer.sum()


LOSSES = {
    "abs": (lambda w: np.abs(w).sum(), np.sign(A)), "norm": (np.linalg.norm, A / np.linalg.norm(A)),
    "vdot": (lambda w: np.vdot(w, w), 2 * A), "conj": (lambda w: (w * w.conj()).sum(), 2 * A),
    "var": (np.var, 2 * (A - A.mean()) / 5), "std": (np.std, (A - A.mean()) / 5 / np.std(A)),
    "round": (lambda w: (np.round(w, 1) + w * w).sum(), 2 * A), "sign": (lambda w: (np.sign(w) * w).sum(), np.sign(A)),
    "float buffer": (float_buffer, 2 * A), "float()": (lambda w: float(squares(w)), 2 * A),
    "logaddexp": (lambda w: np.logaddexp(w, 0).sum(), 1 / (1 + np.exp(-A))),
    "hypot": (lambda w: np.hypot(w, 1).sum(), A / np.hypot(A, 1)), "max": (np.max, (np.max(A) == A).astype(float)),
    "sort": (lambda w: np.sort(w) @ np.arange(5.0), np.argsort(np.argsort(A)).astype(float)),
    "0-d": (lambda w: np.array(squares(w)), 2 * A), "long double": (lambda w: np.longdouble(squares(w.real)), 2 * A),
    "hinge": (lambda w: max(0, squares(w) - 9) if squares(w).real > 9 else 0, 0 * A),  # the whole number 0
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_every_kind(name, method):
    loss, gradient = LOSSES[name]
    check_gradients(loss, A, gradient, method).raise_if_wrong()
    assert not check_gradients(loss, A, gradient + 0.01 * (1 + np.arange(5)), method).ok
    one = gradient.copy()
    one[3] += 1e-3
    assert check_gradients(loss, A, one, method).rows[0].index == (3,)
    assert not check_gradients(loss, A, one, method).ok


def test_a_loss_that_counts_has_no_gradient():
    """int() makes steps: its slope is 0 nearly everywhere, which is not the gradient that was meant."""
    report = check_gradients(lambda w: int(100 * squares(w.real)), A, 200 * A)
    assert not report.ok
    assert any("the same value wherever" in note for note in report.notes)


def test_half_precision_is_refused():
    with pytest.raises(DtypeError, match=r"the loss is float16, expected float64 .* three digits"):
        check_gradients(lambda w: np.float16(squares(w.real)), A, 2 * A)


# float32


@pytest.mark.parametrize("method", METHODS)
def test_gradients_that_come_in_float32_are_no_false_alarm(method):
    """A backward pass in float32 has seven digits: more cannot be asked of it, nor certified."""
    params = {"w": A.astype(np.float32), "v": A.astype(np.float32)}

    def loss(p):
        return np.tanh(p["w"] * p["v"]).sum()

    d = 1 - np.tanh(params["w"] * params["v"]) ** 2
    grads = {"w": d * params["v"], "v": d * params["w"]}
    assert grads["w"].dtype == np.float32
    report = check_gradients(loss, params, grads, method)
    report.raise_if_wrong()
    assert 1e-9 < report.worst < 1e-6
    told = "came in float32: nothing below 1e-3 can be certified; use float64 to be sure"
    needed = report.worst >= TOLERANCES[report.method]  # else it is as right as a gradient in float64 has to be
    assert [note for note in report.notes if "float32" in note] == [f"the gradients of w, v {told}"] * needed
    rough = check_gradients(loss, params, {**grads, "w": np.float32(1 + 3e-4) * grads["w"]}, method)
    rough.raise_if_wrong()
    assert told in rough.notes[-1]
    wrong = {**grads, "v": np.float32(1.002) * grads["v"]}
    assert [row.name for row in check_gradients(loss, params, wrong, method).rows if not row.ok] == ["v"]
    mixed = check_gradients(loss, params, {**grads, "w": grads["w"].astype(np.float64) * (1 + 1e-5)}, "auto")
    assert [row.name for row in mixed.rows if not row.ok] == ["w"]  # what came in float64 is held to it
    assert not check_gradients(loss, params, grads, tolerance=1e-12).ok  # as asked


def test_directions_of_float32_gradients_are_no_false_alarm():
    """However little a direction's number is off itself: it was made of float32."""
    w = A.astype(np.float32)
    rough = np.float32(1 + 3e-4) * 3 * w**2
    check_along_directions(lambda w: (w**3).sum(), w, rough, rng=np.random.default_rng(0)).raise_if_wrong()
    for wrong in (np.float32(1.002) * rough, rough.astype(np.float64)):
        assert not check_along_directions(lambda w: (w**3).sum(), w, wrong, rng=np.random.default_rng(0)).ok


def test_dust_in_float32_cannot_be_told_from_zero():
    params = {"w": A, "b": A}
    grads = {"w": 2 * A, "b": (1e-8 * A).astype(np.float32)}
    assert check_gradients(lambda p: squares(p["w"]), params, grads)["b"].verdict == "cannot tell"
    assert check_gradients(lambda p: squares(p["w"]), params, {**grads, "b": 1e-8 * A})["b"].verdict == "WRONG"


def test_a_tolerance_that_float32_cannot_reach():
    def single(w):
        return np.float32(squares(w.real))

    assert check_gradients(single, A, 2 * A, tolerance=1e-6).rows[0].verdict == "cannot tell"
    assert check_gradients(single, A, 2 * A, tolerance=1e-2).ok


def test_second_derivatives_of_a_float32_backward():
    def gradient(w):
        return 4 * w.astype(np.float32) ** 3

    product = hessian_vector_product(gradient, A, A)
    np.testing.assert_allclose(product, 12 * A**3, rtol=0, atol=1e-3 * np.abs(12 * A**3).max())
    report = check_hessian_vector_product(gradient, A, A, 12 * A**3)
    report.raise_if_wrong()
    assert "float32" in report.notes[0]
    assert not check_hessian_vector_product(gradient, A, A, 12.2 * A**3).ok
    a = np.arange(1.0, 6.0)

    def coupled(w, factor=1.0):
        return (np.tanh(a @ w) * a * np.array([factor, 1, 1, 1, 1])).astype(np.float32)

    report = check_symmetry(coupled, 0.1 * A, rng=np.random.default_rng(0))
    report.raise_if_wrong()
    assert "float32" in report.notes[0]
    assert not check_symmetry(lambda w: coupled(w, 1.1), 0.1 * A, rng=np.random.default_rng(0)).ok


# Zeros


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_zero_that_rounding_hides_is_not_certified(method):
    def loss(p):  # no complex step, and a constant that hides slopes of 3
        return squares(p["w"].real) + (np.abs(p["b"]) ** 3).sum() + 1e13

    report = check_gradients(loss, {"w": A, "b": A}, {"w": 2 * A, "b": 0 * A}, method)
    assert report["b"].verdict == "cannot tell"
    alone = check_gradients(lambda w: (np.abs(w) ** 3).sum() + 1e13, A, 0 * A, method)
    assert alone.rows[0].verdict == "cannot tell"
    unused = check_gradients(lambda p: squares(p["w"].real) + 1e4, {"w": A, "b": A}, {"w": 2 * A, "b": 0 * A}, method)
    assert unused["b"].verdict == "zero, within rounding"
    idle = check_gradients(lambda w: 1e13 + 0 * w.real.sum(), A, 0 * A, method)
    assert idle.rows[0].verdict == "zero, within rounding"
    def wobbles(w):  # by rounding alone
        return 1e13 * np.exp(7 * w.real.sum()) * np.exp(-7 * w.real.sum())

    wobbling = check_gradients(wobbles, A, 0 * A, method)
    assert wobbling.rows[0].verdict == "zero, within rounding"
    rest = check_gradients(lambda w: (w.real**2).sum() + 1, 0 * A, 0 * A, method)  # at rest, not without effect
    assert rest.rows[0].verdict == "zero, within rounding"


@pytest.mark.parametrize("method", METHODS)
def test_dust_beside_an_exact_zero_is_zero(method):
    grads = {"w": 2 * A, "b": 1e-17 * A}
    report = check_gradients(lambda p: squares(p["w"]), {"w": A, "b": A}, grads, method)
    assert report["b"].verdict == "zero, within rounding"
    assert not check_gradients(lambda p: squares(p["w"]), {"w": A, "b": A}, {**grads, "b": 1e-12 * A}, method).ok
    both = {"w": 2e16 * A, "b": 2 * A}  # a true 1 beside 1e16 is no dust
    report = check_gradients(lambda p: 1e16 * squares(p["w"]) + squares(p["b"]), {"w": A, "b": A}, both)
    report.raise_if_wrong()
    assert not check_gradients(
        lambda p: 1e16 * squares(p["w"]) + squares(p["b"]), {"w": A, "b": A}, {**both, "b": 2.1 * A}
    ).ok


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1e-30, 1e30, 1e-290, 1e290])
def test_sizes(size, method):
    check_gradients(lambda w: size * (w**3).sum(), A, 3 * size * A**2, method).raise_if_wrong()
    assert not check_gradients(lambda w: size * (w**3).sum(), A, 3.003 * size * A**2, method).ok


def test_sizes_side_by_side():
    def loss(p):
        return 1e-30 * (p["a"] ** 3).sum() + 1e30 * (p["b"] ** 3).sum()

    grads = {"a": 3e-30 * A**2, "b": 3e30 * A**2}
    check_gradients(loss, {"a": A, "b": A}, grads).raise_if_wrong()
    wrong = check_gradients(loss, {"a": A, "b": A}, {**grads, "a": 3.003e-30 * A**2})
    assert [row.name for row in wrong.rows if not row.ok] == ["a"]


# Places where the loss is not finite


def finite_within(reach):
    def loss(w):
        return np.where(np.abs(w.real - A) > reach, np.nan, w * w).sum()

    return loss


@pytest.mark.parametrize("method", METHODS)
def test_a_loss_that_is_finite_close_by(method):
    report = check_gradients(finite_within(2e-7), A, 2 * A, method)
    report.raise_if_wrong()
    assert not check_gradients(finite_within(2e-7), A, 2.002 * A, method).ok


@pytest.mark.parametrize("method", ["central", "richardson", "forward"])
def test_a_loss_that_is_finite_nowhere_else(method):
    for factor in (2.0, 3.0):
        assert check_gradients(finite_within(0.0), A, factor * A, method).rows[0].verdict == "cannot tell"
        single = check_gradients(lambda w: np.float32(finite_within(0.0)(w.real)), A, factor * A, method)
        assert single.rows[0].verdict == "cannot tell"


# Arrays


def odd_arrays():
    locked = A.copy()
    locked.flags.writeable = False
    return {
        "Fortran": np.asfortranarray(np.arange(1.0, 7).reshape(2, 3)), "stride": np.arange(1.0, 20)[::2],
        "backwards": A[::-1], "broadcast": np.broadcast_to(np.array(2.0), (3, 2)), "locked": locked,
        "0-d": np.array(0.7), "transposed": np.arange(1.0, 7).reshape(2, 3).T, "four axes": np.ones((2, 1, 3, 1)),
    }


@pytest.mark.parametrize("name", odd_arrays())
def test_odd_arrays(name):
    w = odd_arrays()[name]
    gradient = np.asarray(3 * w**2)
    gradient.flags.writeable = False
    for method in METHODS:
        check_gradients(lambda w: (w**3).sum(), w, gradient, method).raise_if_wrong()
        assert not check_gradients(lambda w: (w**3).sum(), w, np.asarray(1.01 * gradient), method).ok
    check_along_directions(lambda w: (w**3).sum(), w, gradient, rng=np.random.default_rng(0)).raise_if_wrong()
    product = np.asarray(6 * w * w)
    np.testing.assert_allclose(hessian_vector_product(lambda at: np.asarray(3 * at**2), w, w), product, rtol=1e-7)


def test_empty_arrays():
    params = {"w": A, "none": np.zeros((0, 3))}
    report = check_gradients(lambda p: squares(p["w"]), params, {"w": 2 * A, "none": np.zeros((0, 3))})
    report.raise_if_wrong()
    assert report["none"].verdict == "no entries"
    rng = np.random.default_rng(0)
    check_along_directions(
        lambda p: squares(p["w"]), params, {"w": 2 * A, "none": np.zeros((0, 3))}, rng=rng
    ).raise_if_wrong()
    for check in (check_gradients, lambda *given: check_along_directions(*given, rng=rng)):
        with pytest.raises(ArgumentError, match="params has no entry, expected at least one"):
            check(lambda w: 0.0, np.zeros(0), np.zeros(0))


def test_a_gradient_of_the_wrong_kind_does_not_fill_the_page():
    report = check_gradients(squares, np.ones(500), list(np.ones(500)))
    assert len(report.findings) < 10
    assert "and 495 more" in " ".join(report.findings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_gradients(lambda w: w > 0, np.array(1.0), np.array(1.0)), "the loss is bool"),
        (lambda: check_gradients(lambda w: None, A, A), "the loss is NoneType"),
        (lambda: check_gradients(lambda w: np.array(3, dtype=object), A, A), "expected one real number"),
        (lambda: check_gradients(squares, A.astype(np.float16), A), "params has dtype float16, expected float64"),
        (lambda: check_gradients(squares, A.astype(">f8"), A), "params has dtype >f8, expected float64"),
        (lambda: check_gradients(squares, np.ma.array(A), A), "params is a MaskedArray, expected a plain NumPy array"),
        (lambda: check_gradients(squares, None, A), "params is a NoneType, expected a NumPy array"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()
