"""`check_gradients`: right gradients pass, wrong ones don't, and the report says where."""

import re

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import check_gradients, relative_error
from rnn_from_scratch.validate import ArgumentError

W, B = np.array([[0.7, -1.3], [2.1, 0.4], [0.2, -0.6]]), np.array([0.3, -0.9])
X = np.array([[1.0, 0.5, -2.0], [0.3, -1.1, 0.8]])
PARAMS = {"layer": {"W": W}, "b": B}


def loss(params):
    return (np.tanh(X @ params["layer"]["W"] + params["b"]) ** 2).sum()


def gradients():
    y = np.tanh(X @ W + B)
    d = 2.0 * y * (1.0 - y * y)
    return {"layer": {"W": X.T @ d}, "b": d.sum(axis=0)}


@pytest.mark.parametrize(
    ("method", "bound"),
    [("auto", 1e-14), ("complex", 1e-14), ("central", 1e-9), ("richardson", 1e-10), ("forward", 1e-6)],
)
def test_right_gradients_pass(method, bound):
    report = check_gradients(loss, PARAMS, gradients(), method)
    report.raise_if_wrong()
    assert report.ok
    assert report.worst < bound
    assert [row.name for row in report.rows] == ["layer.W", "b"]
    assert [row.verdict for row in report.rows] == ["right", "right"]
    assert report.method == ("complex" if method == "auto" else method)
    assert report.notes == []


@pytest.mark.parametrize("method", ["auto", "central", "richardson", "forward"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda g: -g, lambda g: 1.001 * g, lambda g: g + 0.01, lambda g: 0.0 * g,
        lambda g: np.where(np.arange(g.size).reshape(g.shape) == 3, 1.01 * g, g),
    ],
)
def test_wrong_gradients_do_not(method, spoil):
    grads = gradients()
    grads["layer"]["W"] = spoil(grads["layer"]["W"])
    report = check_gradients(loss, PARAMS, grads, method)
    assert not report.ok
    assert not report["layer.W"].ok
    assert report["layer.W"].verdict == "WRONG"
    assert report["b"].ok


def test_the_row_shows_the_worst_entry():
    grads = gradients()
    grads["layer"]["W"][2, 0] += 0.5
    row = check_gradients(loss, PARAMS, grads)["layer.W"]
    assert row.index == (2, 0)
    assert row.analytic - row.numeric == pytest.approx(0.5, abs=1e-12)
    assert row.analytic == grads["layer"]["W"][2, 0]
    assert row.shape == (3, 2)


def test_relative_error_is_by_array_and_the_larger_of_two():
    n = np.array([3.0, 4.0, 1e-12])
    a = n + np.array([0.0, 0.0, 1e-9])
    error, index = relative_error(a, n)
    assert index == (2,)
    assert error == pytest.approx(1e-9 / 4.0)  # not 1000: that entry is nearly zero in a gradient that is right
    assert relative_error(2.0 * n, n)[0] == pytest.approx(1.0)
    assert relative_error(n, n)[0] == 0.0
    assert relative_error(n, np.zeros(3))[0] == np.inf
    assert relative_error(np.array([np.nan, 1.0]), np.ones(2)) == (np.inf, (0,))
    assert relative_error(np.zeros(0), np.zeros(0)) == (0.0, ())


UNSAFE = {
    "abs": (lambda w: np.abs(w).sum(), np.sign), "norm": (lambda w: np.linalg.norm(w), lambda w: w / np.linalg.norm(w)),
    "var": (lambda w: np.var(w), lambda w: 2.0 * (w - w.mean()) / w.size),
    "logaddexp": (lambda w: np.logaddexp(w, 0.0).sum(), lambda w: 1.0 / (1.0 + np.exp(-w))),
    "real": (lambda w: (w.real**3).sum(), lambda w: 3.0 * w**2),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_functions_that_are_not_complex_safe_fall_back_and_say_why(name):
    function, gradient = UNSAFE[name]
    w = np.array([0.7, -1.3, 2.1])
    report = check_gradients(function, w, gradient(w))
    report.raise_if_wrong()
    assert report.method == "central"
    assert len(report.notes) == 1
    assert report.notes[0].startswith("central differences, not the complex step: ")
    assert not check_gradients(function, w, 1.01 * gradient(w)).ok


def test_a_rounded_loss_falls_back_too():
    w = np.array([0.7, -1.3])
    report = check_gradients(lambda w: np.round(w, 1).sum() + (w.real**2).sum(), w, 2.0 * w)
    assert "central" in report.notes[0]


def test_a_float_buffer_falls_back():
    def function(w):
        buffer = np.zeros(w.shape)
        buffer[:] = w * w
        return buffer.sum()

    w = np.array([0.7, -1.3])
    report = check_gradients(function, w, 2.0 * w)
    report.raise_if_wrong()
    assert "ComplexWarning" in report.notes[0]


def test_a_kink_nearby_is_no_false_alarm():
    def relu(w):
        return np.where(w.real > 0, w, 0.0 * w).sum()

    w = np.array([3e-5, -3e-5, 1.0])
    for method in ("auto", "central"):
        check_gradients(relu, w, np.array([1.0, 0.0, 1.0]), method).raise_if_wrong()
        assert not check_gradients(relu, w, np.array([1.0, 1.0, 1.0]), method).ok


def test_where_central_cannot_tell_richardson_decides():
    def steep(w):
        return np.exp(60.0 * w).sum()  # central's truncation error is 6e-8 · … of the derivative

    w = np.array([0.1, 0.2])
    right = 60.0 * np.exp(60.0 * w)
    assert check_gradients(steep, w, right, "central").ok
    assert not check_gradients(steep, w, (1.0 + 1e-6) * right, "central").ok


@pytest.mark.parametrize("method", ["auto", "complex", "central", "richardson", "forward"])
def test_a_true_zero_passes_and_a_wrong_non_zero_does_not(method):
    def half(params):  # "b" plays no part
        return 1e3 + (params["w"] ** 2).sum()

    params = {"w": np.array([0.5, 1.5]), "b": np.array([0.1, 0.2])}
    good = {"w": 2.0 * params["w"], "b": np.zeros(2)}
    report = check_gradients(half, params, good, method)
    report.raise_if_wrong()
    assert report["b"].verdict == "zero, within rounding"
    assert report["b"].floor > 0 or report.method == "complex"  # which subtracts nothing
    assert report["b"].error == 0.0
    assert not check_gradients(half, params, {**good, "b": np.array([0.0, 1e-2])}, method).ok
    # The other way round: zeros where the gradient is none.
    assert not check_gradients(half, params, {**good, "w": np.zeros(2)}, method).ok


def test_float32_is_checked_in_float64_where_the_loss_allows():
    params = {name: value for name, value in (("w", np.array([0.5, -0.25], np.float32)),)}
    report = check_gradients(lambda p: (p["w"] ** 3).sum(), params, {"w": 3 * params["w"] ** 2})
    report.raise_if_wrong()
    assert report.notes == []


def test_a_loss_that_computes_in_float32_is_told_so():
    def single(w):
        return np.tanh(w.astype(np.float32)).sum()

    w = np.array([0.5, -0.25])
    right = 1.0 - np.tanh(w) ** 2
    report = check_gradients(single, w, right)
    report.raise_if_wrong()
    assert report.method == "central"
    assert "float32: nothing below 1e-3 can be certified" in report.notes[0]
    assert not check_gradients(single, w, 1.01 * right).ok


def test_float32_behind_float_is_told_too():
    def hidden(w):
        return float(np.tanh(w.astype(np.float32)).sum())

    w = np.array([0.5, -0.25])
    right = 1.0 - np.tanh(w) ** 2
    for method in ("auto", "central"):
        report = check_gradients(hidden, w, right, method)
        report.raise_if_wrong()
        assert "float32" in report.notes[0]
        assert not check_gradients(hidden, w, 1.01 * right, method).ok
    # A float64 loss whose value float32 happens to hold is none.
    assert check_gradients(lambda w: float((w.real * w.real).sum()), w, 2 * w).notes[0].startswith("central")
    assert not check_gradients(lambda w: (w * w).sum(), w, (2 + 1e-7) * w).ok


def test_a_whole_number_is_a_gradient():
    check_gradients(lambda w: w.sum(), np.ones(2), np.ones(2, int)).raise_if_wrong()
    check_gradients(lambda w: w * w, np.array(3.0), 6).raise_if_wrong()


def test_missing_and_extra_keys_are_findings():
    grads = gradients()
    report = check_gradients(loss, PARAMS, {"layer": grads["layer"]})
    assert report.findings == ["grads has no b"]
    assert not report.ok
    assert [row.name for row in report.rows] == ["layer.W"]
    report = check_gradients(loss, PARAMS, {**grads, "c": np.ones(1)})
    assert report.findings == ["grads has 'c', which is no parameter"]
    assert not report.ok
    assert "WRONG: grads has 'c'" in str(report)


@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        (np.ones((2, 3)), "ndarray of shape (2, 3)"), (np.ones(3), "ndarray of shape (3,)"), (None, "NoneType"),
        (1.5, "float of shape ()"), ("gradient", "str"), (np.ones(2, complex), "complex128"),
        (np.ones(2, np.float16), "float16"), (np.ones(2, bool), "bool"), (np.ones(2, object), "object"),
        (np.array(["a", "b"]), "<U1"),
    ],
)
def test_a_wrong_shape_is_a_wrong_row(wrong, got):
    report = check_gradients(loss, PARAMS, {"layer": gradients()["layer"], "b": wrong})
    assert not report.ok
    assert report["b"].verdict.startswith("WRONG")
    assert got in report["b"].verdict
    assert report["layer.W"].ok


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["auto", "central", "richardson"])
def test_a_gradient_that_is_not_finite_is_wrong(bad, method):
    grads = gradients()
    grads["b"][1] = bad
    row = check_gradients(loss, PARAMS, grads, method)["b"]
    assert not row.ok
    assert row.index == (1,)
    assert row.error == np.inf


def test_trees_of_any_kind():
    a, b, c = np.array([0.3, 0.4]), np.array(0.7), np.array([[1.1]])

    def function(tree):
        return (tree["list"][0] ** 2).sum() + tree["list"][1] ** 3 + (tree["tuple"][0] * tree["list"][1]).sum()

    params = {"list": [a, b], "tuple": (c,)}
    grads = {"list": [2.0 * a, np.array(3.0 * b**2 + c.sum())], "tuple": (b * np.ones((1, 1)),)}
    report = check_gradients(function, params, grads)
    report.raise_if_wrong()
    assert [row.name for row in report.rows] == ["list[0]", "list[1]", "tuple[0]"]
    assert "scalar" in str(report)
    grads["list"][1] = np.float64(-1.0)
    assert not check_gradients(function, params, grads)["list[1]"].ok
    single = check_gradients(lambda w: (w * w).sum(), a, 2.0 * a)
    single.raise_if_wrong()
    assert [row.name for row in single.rows] == [""]


def test_nothing_passed_in_changes():
    params, grads = {"w": W.copy(), "b": B.copy()}, {"w": 2.0 * W, "b": 2.0 * B}

    def writes(handed):
        value = (handed["w"] * handed["w"]).sum() + (handed["b"] * handed["b"]).sum()
        handed["w"] *= 0.0
        handed["b"] *= 0.0
        return value

    for method in ("auto", "central", "complex", "richardson"):
        report = check_gradients(writes, params, grads, method)
        assert [row.verdict for row in report.rows] == ["right", "right"]
        assert len(report.findings) == 1  # that it writes: tests/gradcheck/test_impure.py
        np.testing.assert_equal([params, grads], [{"w": W, "b": B}, {"w": 2.0 * W, "b": 2.0 * B}])


def test_the_tolerance_can_be_chosen():
    g = (1.0 + 1e-4) * 2.0 * W
    assert not check_gradients(lambda w: (w * w).sum(), W, g).ok
    assert check_gradients(lambda w: (w * w).sum(), W, g, tolerance=1e-3).ok


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "magic"}, "method is 'magic', expected one of 'auto', 'forward'"),
        ({"tolerance": 0.0}, "tolerance is 0.0, expected a finite number above 0"),
        ({"tolerance": -1.0}, "tolerance is -1.0"),
        ({"params": {}}, "params has no array, expected at least one because with nothing to check nothing is right"),
        ({"params": {"a.b": W, "a": {"b": W}}}, "params has two arrays called 'a.b', expected a name for each"),
        ({"params": {0: W, "0": W}}, "params has two arrays called '0'"),
        ({"grads": {"w": W, 0: W, "0": W}}, "grads has two arrays called '0'"),
        ({"params": {"w": np.arange(2)}}, "w has dtype int64, expected float64"),
        ({"params": {"w": [1.0, 2.0]}}, "w[0] is a float, expected a NumPy array"),
        ({"params": {"w": np.array([np.nan, 1.0])}}, "w[0] is nan"),
        ({"loss": lambda p: p["w"]}, "the loss is ndarray of shape (2,), expected one real number"),
        ({"loss": lambda p: (1.0, {})}, "expected one real number"),
        ({"loss": lambda p: np.inf}, "the loss is inf, expected a finite number"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {
        "loss": lambda p: (p["w"] ** 2).sum(), "params": {"w": np.ones(2)}, "grads": {"w": 2 * np.ones(2)}, **change
    }
    with pytest.raises(ArgumentError, match=re.escape(message)):
        check_gradients(**arguments)
