"""The Wilson interval: its ends solve the equation they come from, published values, coverage counted, refusals."""

import math
import re

import numpy as np
import pytest

from rnn_from_scratch.metrics import wilson_interval
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
