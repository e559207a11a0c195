"""Where a function bends within the default step: right gradients pass, wrong ones do not, and neither by luck."""

from inspect import unwrap

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_map
from rnn_from_scratch.cells import LayerNormLSTMCell
from rnn_from_scratch.diagnosis import check_cell
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.gradcheck.direction import compare_along

A = np.random.default_rng(0).standard_normal(5)
STEEP_SEEDS = (1, 7, 9, 39, 46, 56)  # of the first 60: a gate's normaliser with H = 2 stands near 0 there


@pytest.mark.parametrize("seed", STEEP_SEEDS)
def test_a_normaliser_near_zero_is_no_false_alarm(seed):
    report = check_cell(LayerNormLSTMCell(1, 2), rng=np.random.default_rng(seed))
    report.raise_if_wrong()
    assert report.method == "complex"  # which has been confirmed, and is right to its last digits
    assert report.worst < 1e-11


class Wrong(LayerNormLSTMCell):
    """The backward of the layer-normalised LSTM, with one of its gradients off by `share`."""

    share, where = 0.0, "xs"

    def param_grads(self, params, xs, caches, deltas):
        dxs, grads = super().param_grads(params, xs, caches, deltas)
        if self.where == "xs":
            return (1.0 + self.share) * dxs, grads
        return dxs, {**grads, self.where: (1.0 + self.share) * grads[self.where]}


@pytest.mark.parametrize("share", [1e-8, 1e-7, 1e-6, 1e-3, -2.0])
@pytest.mark.parametrize(
    ("seed", "where"),
    [(1, "xs"), (7, "xs"), (9, "g_x"), (39, "g_h"), (46, "xs"), (56, "xs"), (56, "g_c")],
)  # Richardson with its usual step is off by 1e-7 in that g_c
def test_a_wrong_gradient_there_is_rejected(seed, where, share):
    cell = type("Off", (Wrong,), {"share": share, "where": where})(1, 2)
    report = unwrap(check_cell)(cell, rng=np.random.default_rng(seed))  # the verdict alone, without its diagnosis
    assert [row.name for row in report.rows if not row.ok] == [where, f"{where} (masked)"]
    assert {row.verdict for row in report.rows if not row.ok} == {"WRONG"}


# Functions that no complex argument survives, so that differences must tell, and that bend over `width`.


def smooth_abs(width):
    return lambda w: np.sqrt(np.abs(w) ** 2 + width**2).sum()


def slope(width, w):
    return w / np.sqrt(w**2 + width**2)


@pytest.mark.parametrize("method", ["auto", "central", "richardson", "forward"])
@pytest.mark.parametrize("width", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_differences_find_the_step_that_suits_the_function(method, width):
    w = np.append(width * A, [0.7, -3.0])
    right = slope(width, w)
    check_gradients(smooth_abs(width), w, right, method).raise_if_wrong()
    for factor in (0.0, 1.0 + 1e-3, 1.0 - 1e-3, 2.0, -1.0):
        assert check_gradients(smooth_abs(width), w, factor * right, method).rows[0].verdict == "WRONG"
    one = right.copy()
    one[2] *= 1.01
    report = check_gradients(smooth_abs(width), w, one, method)
    assert (report.rows[0].verdict, report.rows[0].index) == ("WRONG", (2,))


def test_it_is_said_that_another_step_was_needed():
    w = 1e-5 * A
    report = check_gradients(smooth_abs(1e-5), w, slope(1e-5, w))
    assert any("at several steps" in note for note in report.notes)
    assert not any("at several steps" in note for note in check_gradients(smooth_abs(1.0), A, slope(1.0, A)).notes)


@pytest.mark.parametrize("method", ["auto", "central", "richardson"])
def test_a_feature_that_large_steps_jump_over_is_not_lost(method):
    """exp(−(w/s)²) is 0 a little further off: for a large step its slope is 0, without any rounding or truncation."""
    def bump(w):
        return np.exp(-((np.abs(w) / 1e-4) ** 2)).sum()

    w = 1e-4 * np.array([0.5, -0.8, 1.1])
    right = -2e4 * (w / 1e-4) * np.exp(-((w / 1e-4) ** 2))
    check_gradients(bump, w, right, method).raise_if_wrong()
    assert check_gradients(bump, w, 0.0 * right, method).rows[0].verdict == "WRONG"
    assert check_gradients(bump, w, 1.0001 * right, method).rows[0].verdict == "WRONG"


def test_what_bends_within_every_step_is_at_a_kink_or_cannot_be_told():
    w = np.array([3e-13, 0.5])
    for factor in (1.0, 0.5):
        assert not check_gradients(smooth_abs(1e-12), w, factor * slope(1e-12, w)).ok
    narrow = np.array([3e-10, 0.5])  # the shortest steps still see it, roughly
    check_gradients(smooth_abs(1e-9), narrow, slope(1e-9, narrow)).raise_if_wrong()
    assert not check_gradients(smooth_abs(1e-9), narrow, np.array([0.5, 1.0]) * slope(1e-9, narrow)).ok


def test_a_kink_within_the_default_step_is_no_false_alarm():
    def leaky(w):
        return np.where(np.abs(w + 3.0) > 3.0, w, 0.1 * w).sum() + np.abs(w + 50.0).sum()

    w = np.array([3e-6, -2e-6, 0.7])
    right = np.where(w > 0, 1.0, 0.1) + 1.0
    for method in ("auto", "central"):
        check_gradients(leaky, w, right, method).raise_if_wrong()
        assert check_gradients(leaky, w, np.array([2.0, 2.0, 2.0]), method).rows[0].verdict == "WRONG"
        assert check_gradients(leaky, w, np.array([1.55, 1.1, 2.0]), method).rows[0].verdict == "WRONG"


@pytest.mark.parametrize("method", ["central", "richardson"])
def test_a_loss_that_is_not_finite_one_step_away(method):
    def logarithm(w):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(w.real).sum()

    w = np.array([2e-6, 0.5])
    report = check_gradients(logarithm, w, 1 / w, method)
    report.raise_if_wrong()
    assert check_gradients(logarithm, w, 1.001 / w, method).rows[0].verdict == "WRONG"
    assert check_gradients(logarithm, w, np.array([1 / w[0], 2.1]), method).rows[0].verdict == "WRONG"


# The guard of the complex step.


def test_truncation_is_no_contradiction_and_a_lost_part_is_one():
    """Both disagree by a little at one step. At half the step truncation has shrunk, a lost part stays."""
    width, rng = 3e-3, np.random.default_rng
    w = width * A

    def safe(w):
        return np.sqrt(w * w + width**2).sum()

    for seed in range(20):
        assert compare_along(safe, w, slope(width, w), rng(seed)).fault is None
        for share in (1e-3, 1e-5):
            def lossy(w, share=share):
                return safe(w) + share * np.abs(w).sum()

            assert compare_along(lossy, w, slope(width, w), rng(seed)).fault is not None
            assert compare_along(lossy, w, slope(width, w) + share * np.sign(w), rng(seed)).fault is None


def test_the_complex_step_is_guarded_also_where_it_was_asked_for():
    def penalised(w):
        return (w * w).sum() + np.abs(w).sum()

    assert not check_gradients(penalised, A, 2 * A, "complex").ok  # it loses what abs contributes, as the code does
    report = check_gradients(penalised, A, 2 * A + np.sign(A), "complex")
    report.raise_if_wrong()
    assert report.method == "central"
    assert "along one direction it gives" in report.notes[0]


def test_scalars_reach_the_loss_as_arrays():
    """0-d arrays plus numbers are NumPy scalars, which are no arrays; a loss may insist on arrays."""
    def strict(p):
        assert all(isinstance(array, np.ndarray) for array in p.values())
        return p["a"] ** 2 + (p["b"] ** 2).sum()

    point = {"a": np.array(0.7), "b": A}
    check_gradients(strict, point, tree_map(lambda array: np.asarray(2 * array), point)).raise_if_wrong()
