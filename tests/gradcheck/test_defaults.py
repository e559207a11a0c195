"""The thresholds and defaults of the design: a test for each number, from both sides."""

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.gradcheck.numerical import STEPS
from rnn_from_scratch.gradcheck.verdict import _Judge

A = np.random.default_rng(0).standard_normal(6)


def flat(w):
    """Linear, so that no difference truncates; and no complex argument survives it."""
    return np.abs(w).sum()


def single(w):
    return np.float32(np.abs(w).sum())


def squares(w):
    return (w * w).sum()


@pytest.mark.parametrize(
    ("loss", "slope", "method", "passes"),
    [
        (flat, np.sign, "forward", 1e-4), (flat, np.sign, "central", 1e-7), (flat, np.sign, "richardson", 1e-8),
        (flat, np.sign, "auto", 1e-7), (squares, lambda w: 2 * w, "complex", 1e-9),
        (squares, lambda w: 2 * w, "auto", 1e-9), (single, np.sign, "auto", 1e-3), (single, np.sign, "central", 1e-3),
    ],
)
def test_a_gradient_passes_below_its_methods_tolerance(loss, slope, method, passes):
    """One entry of three is off, the largest: then the error is that entry's."""
    w = np.array([0.5, -0.25, 2.0])
    for share, ok in ((0.8 * passes, True), (-0.8 * passes, True), (1.25 * passes, False), (-1.25 * passes, False)):
        gradient = slope(w)
        gradient[-1] *= 1.0 + share
        report = check_gradients(loss, w, gradient, method)
        assert report.ok is ok
        assert report.rows[0].verdict == ("right" if ok else "WRONG")
        assert report.worst == pytest.approx(abs(share), rel=0.05)


def asked(monkeypatch, *arguments):
    """Return the methods that a check measured a whole array with, in order."""
    methods, measure = [], _Judge._measure

    def spy(judge, method, name, array):
        methods.append(method)
        return measure(judge, method, name, array)

    monkeypatch.setattr(_Judge, "_measure", spy)
    report = check_gradients(*arguments)
    monkeypatch.undo()
    return methods, report


@pytest.mark.parametrize("method", ["auto", "central"])
def test_between_its_two_numbers_central_asks_richardson(monkeypatch, method):
    for share, methods in (
        (0.8e-7, ["central"]), (1.25e-7, ["central", "richardson"]), (0.8e-5, ["central", "richardson"]),
        (1.25e-5, ["central"]),
    ):
        assert asked(monkeypatch, flat, A, (1.0 + share) * np.sign(A), method)[0] == methods


def test_richardsons_answer_is_taken(monkeypatch):
    """Central differences of exp(100w) are off by 1.7e-7, Richardson's by less than 1e-8."""
    w = np.array([0.01, 0.02])

    def steep(w):
        return np.exp(100 * w.real).sum() + 0 * np.abs(w).sum()

    right = 100 * np.exp(100 * w)
    methods, report = asked(monkeypatch, steep, w, right, "central")
    assert methods == ["central", "richardson"]
    report.raise_if_wrong()
    assert report.worst < 1e-8
    _, wrong = asked(monkeypatch, steep, w, (1 + 2e-8) * right, "central")
    assert wrong.rows[0].verdict == "WRONG"


def test_the_usual_steps():
    assert STEPS == {"forward": 1.5e-8, "central": 1e-5, "richardson": 1e-2, "complex": 1e-20}
