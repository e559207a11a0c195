"""The V curve: slopes of its branches, what is flat, whose V it is, and what a report keeps to draw it."""

import copy
import gc
import pickle
import re
import weakref

import numpy as np
import pytest

from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.diagnosis import check_cell, check_layer
from rnn_from_scratch.gradcheck import (
    GradientReport,
    StepCurve,
    check_along_directions,
    check_gradients,
    check_hessian_vector_product,
    check_symmetry,
    relative_error,
    step_curve,
)
from rnn_from_scratch.gradcheck.numerical import STEPS
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError

A = np.random.default_rng(0).standard_normal(7)


def smooth(w):
    return (np.exp(0.7 * w) + np.sin(w)).sum()


RIGHT = 0.7 * np.exp(0.7 * A) + np.cos(A)


@pytest.fixture(scope="module")
def right():
    return step_curve(smooth, A, RIGHT)


def test_the_slopes_of_the_branches(right):
    for method, truncation in (("forward", 1.0), ("central", 2.0)):
        left, rising = right.slopes(method)
        assert left == pytest.approx(-1.0, abs=0.1)
        assert rising == pytest.approx(truncation, abs=0.1)
    assert right.slopes("richardson")[0] == pytest.approx(-1.0, abs=0.1)
    left, rising = right.slopes("complex")
    assert np.isnan(left)  # nothing is subtracted
    assert rising == pytest.approx(2.0, abs=0.1)


def test_the_complex_step_has_no_left_branch():
    curve = step_curve(smooth, A, RIGHT, steps=10.0 ** -np.arange(8.0, 101.0), methods=["complex"])
    assert curve.steps.min() == pytest.approx(1e-100)
    assert curve.errors["complex"].max() < 1e-15
    assert list(curve.errors) == ["complex"]


def test_a_right_gradient_is_flat_nowhere(right):
    assert [right.flat(method) for method in right.errors] == [None] * 4
    assert "no curve is flat" in str(right)


@pytest.mark.parametrize("share", [1e-6, 1e-3, 1.0, 3.0, -2.0])
def test_a_wrong_gradient_is_flat_at_its_error(share):
    """Rounding rises to the left and truncation to the right; a wrong gradient is off by the same at every step."""
    wrong = RIGHT.copy()
    wrong[2] *= 1.0 + share
    curve = step_curve(smooth, A, wrong)
    error, _ = relative_error(wrong, RIGHT)
    for method in ("central", "richardson", "complex") + (("forward",) if abs(share) > 1e-6 else ()):
        assert curve.flat(method) == pytest.approx(error, rel=0.1)
    between = (curve.steps > 1e-8) & (curve.steps < 1e-4)
    np.testing.assert_allclose(curve.errors["central"][between], error, rtol=0.1)
    assert "the gradient is wrong, whatever the step" in str(curve)


def test_all_of_it_wrong():
    for wrong in (0.0 * RIGHT, 4.0 * RIGHT, -RIGHT):
        error, _ = relative_error(wrong, RIGHT)
        curve = step_curve(smooth, A, wrong)
        for method in curve.errors:
            assert curve.flat(method) == pytest.approx(error, rel=0.1)


def test_the_error_at_the_usual_step_is_the_rows_own():
    for method in ("forward", "central", "richardson"):
        report = check_gradients(smooth, A, RIGHT, method)
        curve = report.step_curve(methods=[method], steps=[STEPS[method]])
        assert curve.errors[method][0] == report.rows[0].error
        assert curve.defaults[method] == STEPS[method]


def test_steps_grow_with_the_weight_as_in_checks():
    w = np.array([1e3, 1.0])
    report = check_gradients(lambda w: (w**3).sum(), w, 3 * w**2, "central")
    assert report.step_curve(methods=["central"], steps=[1e-5]).errors["central"][0] == report.rows[0].error


def test_a_step_that_moves_nothing_misses_all_of_the_gradient():
    curve = step_curve(smooth, A, RIGHT, steps=[1e-40, 1e-5], methods=["central"])
    assert curve.errors["central"][0] == 1.0
    curve.plot()
    idle = step_curve(lambda p: smooth(p["w"]), {"w": A, "b": A}, {"w": RIGHT, "b": 0 * A}, "b", steps=[1e-5])
    assert idle.errors["central"].tolist() == [0.0]
    idle.plot()
    str(idle)


# Whose V


def test_a_lost_part_shows_in_the_complex_step_alone():
    def lossy(w):
        return (w * w).sum() + np.abs(w).sum()

    curve = step_curve(lossy, A, 2 * A + np.sign(A))
    assert curve.flat("complex") > 0.1
    assert curve.flat("central") is None
    assert "complex step flat at" in str(curve)


def test_float32_has_a_v_of_its_own():
    def single(w):
        return np.tanh(w.astype(np.float32)).sum()

    curve = check_gradients(single, A, 1 - np.tanh(A) ** 2).step_curve()
    assert 1e-6 < curve.errors["central"].min() < 1e-3
    assert curve.slopes("central")[0] == pytest.approx(-1.0, abs=0.25)  # noise of 24 bits, over three powers of ten
    assert curve.slopes("central")[1] == pytest.approx(2.0, abs=0.25)
    assert curve.defaults["central"] == 1e-2
    assert [curve.flat(method) for method in curve.errors] == [None] * len(curve.errors)
    assert "without the complex step" in curve.notes[0]
    assert (curve.errors["central"][curve.steps < 1e-7] > 0.5).all()  # hardly a step moves a float32
    wrong = check_gradients(single, A, 1.05 * (1 - np.tanh(A) ** 2)).step_curve()
    assert wrong.flat("central") == pytest.approx(0.05, rel=0.1)


def test_arrays_can_be_handed_in_float32():
    seen = set()

    def follows(w):
        seen.add(w.dtype)
        return np.tanh(w * w).sum()

    grads = 2 * A * (1 - np.tanh(A * A) ** 2)
    curve = step_curve(follows, A, grads, dtype=np.float32)
    assert 1e-6 < curve.errors["central"].min() < 1e-3
    assert np.dtype(np.float32) in seen
    assert step_curve(follows, A.astype(np.float32), grads).errors["central"].min() < 1e-7  # promoted, as in checks


def test_a_loss_that_is_not_finite_far_away_leaves_a_gap():
    def logarithm(w):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(w.real).sum()

    w = np.array([1e-4, 0.5])
    curve = step_curve(logarithm, w, 1 / w)
    assert np.isnan(curve.errors["central"][-1])
    assert np.nanmin(curve.errors["central"]) < 1e-6
    curve.plot()
    str(curve)


# Which array, which entries


def test_nested_params_and_the_worst_array():
    params = {"layer": {"W": A[:6].reshape(3, 2)}, "b": [A[:1], np.array(0.3)]}

    def loss(p):
        return (p["layer"]["W"] ** 3).sum() + (p["b"][0] ** 2).sum() + p["b"][1] ** 4

    grads = {"layer": {"W": 3 * params["layer"]["W"] ** 2}, "b": [2.01 * A[:1], np.array(4 * 0.3**3)]}
    curve = step_curve(loss, params, grads)
    assert curve.name == "b[0]"
    assert curve.flat("central") == pytest.approx(0.005, rel=0.01)
    for name, size in (("layer.W", 6), ("b[1]", 1)):
        one = step_curve(loss, params, grads, name)
        assert (one.name, one.entries, one.size, one.flat("central")) == (name, size, size, None)


def test_a_large_array_is_followed_in_its_worst_and_largest_entries():
    w = np.random.default_rng(1).standard_normal((20, 30))
    grads = 3 * w**2
    small = np.unravel_index(np.argmin(np.abs(w)), w.shape)
    grads[small] += 0.5
    calls = []

    def loss(w):
        calls.append(1)
        return (w**3).sum()

    curve = check_gradients(loss, w, grads).step_curve()
    assert curve.flat("central") == pytest.approx(0.5 / np.abs(grads).max(), rel=0.01)
    assert (curve.entries, curve.size) == (8, 600)
    calls.clear()
    check_gradients(loss, w, 3 * w**2).step_curve()
    assert len(calls) < 3000
    assert "8 of 600 entries" in str(curve)


# Any check


def titled(report, name):
    figure = report.plot_steps(name)
    return figure.axes[0].get_title(loc="left").splitlines()[0]


def test_a_cell_and_a_layer_draw_their_own():
    class Wrong(RNNCell):
        def param_grads(self, params, xs, caches, deltas):
            dxs, grads = super().param_grads(params, xs, caches, deltas)
            return dxs, {**grads, "W_hh": 1.01 * grads["W_hh"]}

    report = check_cell(Wrong(2, 3), rng=np.random.default_rng(0))
    curve = report.step_curve("W_hh (masked)")
    assert curve.name == "W_hh (masked)"
    assert curve.flat("central") == pytest.approx(0.01, rel=0.05)
    assert report.step_curve("W_xh").flat("central") is None
    assert titled(report, "xs (masked)") == "xs (masked): error against step size"
    report = check_layer(Recurrent(RNNCell(2, 3)), rng=np.random.default_rng(0))
    assert report.step_curve("state[0]").slopes("central")[1] == pytest.approx(2.0, abs=0.1)


def test_directions_and_hessians_draw_theirs():
    report = check_along_directions(smooth, A, RIGHT, rng=np.random.default_rng(1))
    assert report.step_curve().slopes("central")[1] == pytest.approx(2.0, abs=0.1)
    report = check_hessian_vector_product(lambda w: np.sin(w) * w.sum(), A, A, 0 * A)
    assert report.step_curve().flat("central") == pytest.approx(1.0, rel=0.1)
    with pytest.raises(ArgumentError, match="pair 0 has no loss to follow"):
        check_symmetry(np.sin, A, rng=np.random.default_rng(1)).step_curve()


# What a report keeps


class Model:
    """Something large that a loss closes over."""

    def __init__(self):
        self.data = A

    def loss(self, w):
        return (self.data * w * w).sum()


def test_a_report_keeps_its_loss_until_it_is_let_go():
    model = Model()
    report = check_gradients(lambda w, model=model: model.loss(w), A, 2 * A * A)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is not None
    assert isinstance(report.step_curve(), StepCurve)
    bare = report.without_losses()
    assert str(bare) == str(report)
    bare.plot()
    with pytest.raises(ArgumentError, match="the array has no loss to follow"):
        bare.step_curve()
    report = bare
    gc.collect()
    assert alive() is None
    assert report.ok


def test_a_file_holds_no_loss_and_copies_share_it():
    report = check_gradients(lambda w: (A * w * w).sum(), A, 2 * A * A)  # a lambda cannot be pickled
    again = pickle.loads(pickle.dumps(report))
    assert again == report
    assert str(again) == str(report)
    assert again.rows[0].check is None
    assert copy.deepcopy(report).step_curve().slopes("forward")[1] == pytest.approx(
        report.step_curve().slopes("forward")[1], nan_ok=True
    )


def test_a_loss_that_has_changed_since_is_refused():
    data = A.copy()
    report = check_gradients(lambda w: (data * w * w).sum(), A, 2 * A * A)
    data *= 2.0
    with pytest.raises(ArgumentError, match=r"the loss gives .* where the check had .* it has changed since"):
        report.step_curve()


# Errors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["magic"]}, "methods is 'magic', expected one of 'forward'"),
        ({"steps": [1e-3, 0.0]}, "steps is [0.001, 0.0], expected a list of numbers above 0"),
        ({"steps": [[1e-3]]}, "expected a list of numbers above 0"), ({"steps": "few"}, "steps is 'few'"),
        ({"dtype": int}, "dtype is int64, expected float64 or float32"),
        ({"grads": np.full(7, np.nan)}, "has no finite entry to follow"),
        ({"grads": np.ones(3)}, "has no loss to follow"),
        ({"loss": lambda w: w}, "step_curve: the loss is ndarray of shape (7,)"),
        ({"params": A.tolist()}, "step_curve: "),
        ({"loss": np.sum, "methods": ["complex"], "params": A, "grads": np.ones(7)}, None),
        ({"loss": lambda w: (w.real**2).sum(), "grads": 2 * A, "methods": ["complex"]}, "is float64, not complex"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {"loss": smooth, "params": A, "grads": RIGHT, **change}
    if message is None:
        step_curve(**arguments)
        return
    with pytest.raises(ArgumentError, match=re.escape(message)):
        step_curve(**arguments)


def test_a_random_loss_and_an_unknown_name():
    rng = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match="not judged"):
        step_curve(lambda w: smooth(w) * rng.uniform(), A, RIGHT)
    with pytest.raises(KeyError, match="no row 'W'"):
        step_curve(lambda p: smooth(p["w"]), {"w": A}, {"w": RIGHT}, "W")
    with pytest.raises(KeyError):
        GradientReport([], "central").step_curve()


# The picture


def test_the_picture_marks_the_usual_steps_and_the_slopes(right):
    axes = right.plot().axes[0]
    edged = {line.get_xdata()[0] for line in axes.get_lines() if line.get_markeredgecolor() == "#000000"}
    assert edged == {STEPS[method] for method in ("forward", "central", "richardson")}
    texts = {text.get_text() for text in axes.texts}
    assert {"slope −1: ε|L|/h", "slope 1", "slope 2"} <= texts
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any(name.startswith("complex") and "usual h = 1e−20 (further left)" in name for name in names)
    assert right.plot("mine").axes[0].get_title(loc="left") == "mine"
    wrong = step_curve(smooth, A, 1.001 * RIGHT).plot().axes[0]
    assert "flat at 1.0e-03: the gradient is wrong" in wrong.get_title(loc="left")
    assert "flat: neither rounding nor truncation" in {text.get_text() for text in wrong.texts}


def test_a_network():
    rng = np.random.default_rng(0)
    net = SequenceModel(Recurrent(RNNCell(3, 4)), 2)
    params = net.init_params(rng=rng)
    xs, targets = rng.standard_normal((20, 2, 3)), rng.integers(0, 2, (20, 2))
    grads = net.loss_and_grads(params, xs, targets)[1]
    curve = step_curve(lambda p: net.loss_and_grads(p, xs, targets)[0], params, grads, "recurrent.W_hh")
    assert curve.errors["complex"][curve.steps < 1e-9].max() < 1e-14
    assert curve.errors["central"].min() < 1e-9
    assert curve.slopes("forward") == pytest.approx((-1.0, 1.0), abs=0.1)
    assert curve.slopes("central") == pytest.approx((-1.0, 2.0), abs=0.1)
