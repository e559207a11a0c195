"""The Wilson interval: its ends solve the equation they come from, published values, coverage counted, refusals."""

import math
import re

import numpy as np
import pytest

from rnn_from_scratch.metrics import mean_interval, wilson_interval
from rnn_from_scratch.validate import ArgumentError


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_newcombes_examples(successes, trials, low, high):
    """Newcombe (1998), table I, method 3."""
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (3, 10), (50, 100), (999, 1000), (1000, 1000)])
@pytest.mark.parametrize(("confidence", "z"), [(0.95, 1.959963984540054), (0.6826894921370859, 1.0)])
def test_the_ends_are_z_standard_errors_away(successes, trials, confidence, z):
    share = successes / trials
    low, high = wilson_interval(successes, trials, confidence)
    assert 0.0 <= low <= share <= high <= 1.0
    for end in (low, high):
        assert abs(share - end) == pytest.approx(z * math.sqrt(end * (1 - end) / trials), abs=1e-9)
    mirrored = wilson_interval(trials - successes, trials, confidence)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_none_and_all_reach_the_ends_exactly():
    assert wilson_interval(0, 7)[0] == 0.0
    assert wilson_interval(7, 7)[1] == 1.0
    assert wilson_interval(1000, 1000)[0] == pytest.approx(0.9962, abs=5e-5)  # as the docstring says


def test_it_holds_the_truth_about_as_often_as_it_says():
    """By the binomial distribution itself: over p the mean coverage is 95 %; that of p̂ ± 1.96·s is far below."""
    n, shares = 20, np.linspace(0.02, 0.98, 49)
    counts = np.array([math.comb(n, k) for k in range(n + 1)])
    probability = counts * shares[:, None] ** np.arange(n + 1) * (1 - shares[:, None]) ** np.arange(n, -1, -1)
    ends = np.array([wilson_interval(k, n) for k in range(n + 1)])
    inside = (ends[:, 0] <= shares[:, None]) & (shares[:, None] <= ends[:, 1])
    coverage = (probability * inside).sum(axis=1)
    assert 0.945 < coverage.mean() < 0.965
    assert coverage.min() > 0.85
    guess = np.arange(n + 1) / n
    half = 1.96 * np.sqrt(guess * (1 - guess) / n)
    plain = (probability * (np.abs(guess - shares[:, None]) <= half)).sum(axis=1)
    assert plain.mean() < 0.91


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0), "trials is 0, expected a whole number of at least 1"),
        ((1, 2.0), "trials is 2.0, expected a whole number of at least 1"),
        ((3, 2), "successes is 3, expected a whole number from 0 to 2"),
        ((-1, 2), "successes is -1, expected a whole number from 0 to 2"),
        ((0.5, 2), "successes is 0.5, expected a whole number from 0 to 2"),
        ((True, 2), "successes is True, expected a whole number from 0 to 2"),
        ((1, 2, 1.0), "confidence is 1.0, expected a finite number above 0.0 and below 1.0"),
        ((1, 2, 95), "confidence is 95, expected a finite number above 0.0 and below 1.0"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ArgumentError, match=re.escape(f"wilson_interval: {message}")):
        wilson_interval(*arguments)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64])
def test_counts_of_numpy_are_the_same_counts(kind):
    interval = wilson_interval(kind(100), 1000)  # np.int8(100) / 1000 is a float16
    assert interval == wilson_interval(100, 1000)
    assert {type(end) for end in interval} == {float}


# The mean's


@pytest.mark.parametrize(  # printed tables of Student's distribution, two-sided
    ("n", "confidence", "t"),
    [(2, 0.95, 12.706), (3, 0.95, 4.303), (8, 0.95, 2.365), (31, 0.95, 2.042), (8, 0.9, 1.895), (8, 0.99, 3.499),
     (3, 0.5, 0.816), (1001, 0.95, 1.962)],
)
def test_half_the_interval_is_t_standard_errors(n, confidence, t):
    values = np.random.default_rng(n).normal(5.0, 2.0, n)
    mean, low, high = mean_interval(values, confidence)
    assert mean == pytest.approx(values.mean(), rel=1e-14)
    assert mean - low == pytest.approx(high - mean, rel=1e-12)
    assert (high - mean) / (values.std(ddof=1) / math.sqrt(n)) == pytest.approx(t, abs=6e-4)


def test_it_holds_the_true_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 1.0, (4000, 5))
    held = [low <= 3.0 <= high for _, low, high in map(mean_interval, draws)]
    assert 0.94 < np.mean(held) < 0.96


def test_equal_values_have_no_width():
    assert mean_interval([2, 2, 2]) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("values", "confidence", "message"),
    [
        ([1.0], 0.95, "values has 1 entries, expected at least 2"),
        ([], 0.95, "values has"),
        (3.0, 0.95, "values has shape (), expected (n,)"),
        ([[1.0, 2.0]], 0.95, "values has shape (1, 2)"),
        ([1.0, np.nan], 0.95, "values[1] is nan"),
        ([1.0, None], 0.95, "values has dtype object, expected real numbers"),
        ([True, False], 0.95, "values has dtype bool"),
        (["1", "2"], 0.95, "expected real numbers"),
        ([1.0, 2.0], 1.0, "confidence is 1.0"),
        ([1.0, 2.0], 0.0, "confidence is 0.0"),
    ],
)
def test_values_without_a_mean_interval_are_refused(values, confidence, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        mean_interval(values, confidence)
