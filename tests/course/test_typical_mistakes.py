"""Mistakes that a check names although no table of wrong values can hold them."""

import numpy as np
import pytest

from rnn_from_scratch.course.marking import find, judge

NAN = np.nan


def says(exercise_id, answer):
    verdict = judge(find(exercise_id), answer)
    assert not verdict.right
    return verdict.says


def test_a_wrong_answer_is_known_by_the_hole_it_leaves():
    assert "the last value is held there" in says("15-line", [3, 5, 7, 9, NAN])
    assert "[1] is not a number" in says("15-line", [3, NAN, 7, 9, 9])
    assert "left open" not in says("15-line", [3, 5, 7, 8, NAN])


def rmsprop(theta, g, s, eta, alpha, eps):
    s = alpha * s + (1 - alpha) * g**2
    return theta - eta * g / (np.sqrt(s) + eps), s


def test_rmsprop_gives_back_theta_then_s():
    assert judge(find("06-rmsprop"), rmsprop).right
    assert judge(find("06-rmsprop"), lambda *given: list(rmsprop(*given))).right
    assert "s before θ" in says("06-rmsprop", lambda *given: rmsprop(*given)[::-1])
    assert "should return two arrays" in says("06-rmsprop", lambda *given: rmsprop(*given)[0])
    assert "should return two arrays" in says("06-rmsprop", lambda *given: (*rmsprop(*given), 0))


def test_rmsprop_keeps_what_is_passed_in():
    def in_place(theta, g, s, eta, alpha, eps):
        s *= alpha
        s += (1 - alpha) * g**2
        return theta - eta * g / (np.sqrt(s) + eps), s

    assert "changed s" in says("06-rmsprop", in_place)


def test_a_nan_that_was_there_before_is_no_change():
    def without_epsilon(theta, g, s, eta, alpha, _eps):
        s = alpha * s + (1 - alpha) * g**2
        return theta - eta * g / np.sqrt(s), s

    assert "without ε" in says("06-rmsprop", without_epsilon)


def test_a_schedule_that_ends_without_a_return():
    def half(k, W, _K, lowest):
        if k < W:
            return lowest + (1 - lowest) * k / W

    assert "nothing for k = 4" in says("06-schedule", half)


def test_macro_f1_through_precision_and_recall():
    def macro(matrix):
        P, R = np.diagonal(matrix) / matrix.sum(axis=0), np.diagonal(matrix) / matrix.sum(axis=1)
        return np.mean(2 * P * R / (P + R))

    assert "never predicted: its precision is 0/0" in says("14-macro", macro)


def filled(xs, before, missing):
    xs = xs.copy()
    for t in range(len(xs)):
        for d in range(xs.shape[1]):
            if missing(xs[t, d]):
                xs[t, d] = xs[t - 1, d] if t else before[d]
    return xs


def test_holding_asks_isnan():
    assert judge(find("15-write"), lambda xs, before: filled(xs, before, np.isnan)).right
    assert "ask np.isnan" in says("15-write", lambda xs, before: filled(xs, before, lambda x: x == NAN))
    assert "should return an array" in says("15-write", lambda xs, before: filled(xs, before, np.isnan).tolist())


@pytest.mark.parametrize("exercise_id", [
    "06-threshold", "06-factor", "06-first", "06-schedule", "06-rmsprop", "14-by-hand", "14-macro", "14-threshold",
    "14-masked", "14-joined", "15-left", "15-line", "15-delta", "15-decay", "15-write", "18-entropy", "18-units",
    "18-ngram", "18-temperature", "18-carry",
])
def test_six_typical_wrong_answers_at_least(exercise_id):
    assert len(find(exercise_id).wrong) >= 6
