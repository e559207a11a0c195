"""Missing values described, and the time since each feature was seen: by hand, and by a loop over single entries."""

import numpy as np
import pytest

from rnn_from_scratch.data import describe_missing, time_since_seen
from rnn_from_scratch.data.missing import observed_entries
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

NAN = np.nan
SERIES = np.array([[1.0, NAN], [NAN, NAN], [NAN, 4.0], [2.0, 5.0], [NAN, NAN]])  # (5, 2)


def test_describe_by_hand():
    found = describe_missing(SERIES, names=["tide", "wind"])
    assert found.names == ("tide", "wind")
    assert found.steps == 5
    assert found.missing.tolist() == [3, 3]
    np.testing.assert_allclose(found.by_feature, [0.6, 0.6])
    np.testing.assert_allclose(found.by_step, [0.5, 1.0, 0.5, 0.0, 1.0])
    assert found.longest.tolist() == [2, 2]
    assert found.patterns == ((("tide", "wind"), 2), ((), 1), (("wind",), 1), (("tide",), 1))
    assert (found.complete_steps, found.sequences, found.complete_sequences) == (1, 1, 0)
    assert str(found).splitlines() == [
        "feature  missing   share  longest run", "tide           3  60.0 %            2",
        "wind           3  60.0 %            2", "complete: 1 of 5 steps, 0 of 1 sequences",
        "missing together at 2 steps: tide, wind", "missing together at 1 step: nothing",
        "missing together at 1 step: wind", "missing together at 1 step: tide",
    ]


def test_padding_is_neither_seen_nor_missing():
    xs = np.stack([SERIES, SERIES + 1], axis=1)  # (5, 2, 2)
    mask = np.ones((5, 2), bool)
    mask[1, 1] = mask[4, 1] = False
    xs[1, 1], xs[4, 1] = np.inf, 7.0
    found = describe_missing(xs, mask=mask)
    assert (found.steps, found.missing.tolist(), found.longest.tolist()) == (8, [4, 4], [2, 2])
    np.testing.assert_allclose(found.by_step, [0.5, 1.0, 0.5, 0.0, 1.0])
    without = describe_missing(np.delete(xs[:, 1], [1, 4], axis=0))
    alone = describe_missing(xs[:, 1], mask=mask[:, 1])
    assert (alone.steps, alone.patterns, alone.longest.tolist()) == (
        without.steps, without.patterns, without.longest.tolist())
    padded = describe_missing(np.full((3, 1, 1), 2.0), mask=np.array([[True], [False], [True]]))
    assert np.isnan(padded.by_step[1])
    assert (padded.steps, padded.complete_sequences) == (2, 1)


def test_a_run_goes_on_over_padding():
    xs = np.array([[NAN], [0.0], [NAN], [NAN], [1.0]])
    assert describe_missing(xs, mask=np.array([1, 0, 1, 1, 1], bool)).longest.tolist() == [3]


def test_observed_stands_for_another_sign_of_a_missing_value():
    xs = np.where(np.isnan(SERIES), -999.0, SERIES)
    assert str(describe_missing(xs, observed=xs != -999.0)) == str(describe_missing(SERIES))
    entries = observed_entries("here", xs, xs != -999.0)
    np.testing.assert_array_equal(entries.values[:, 0], np.nan_to_num(SERIES))
    assert entries.single
    assert entries.values.shape == (5, 1, 2)


def by_loop(observed, times):
    """Che et al.'s recursion, one entry after the other."""
    delta = np.zeros(observed.shape)
    for d in range(observed.shape[1]):
        for t in range(1, len(observed)):
            delta[t, d] = times[t] - times[t - 1] + (0.0 if observed[t - 1, d] else delta[t - 1, d])
    return delta


def test_delta_by_hand():
    """Seen at steps 1 and 4: δ is the age of the last value before, whether or not there is a new one."""
    np.testing.assert_array_equal(time_since_seen(SERIES)[:, 0], [0, 1, 2, 3, 1])
    np.testing.assert_array_equal(time_since_seen(SERIES)[:, 1], [0, 1, 2, 1, 1])
    times = np.array([0.0, 0.1, 0.6, 1.6, 2.2])
    np.testing.assert_allclose(time_since_seen(SERIES, times=times)[:, 0], [0, 0.1, 0.6, 1.6, 0.6])
    np.testing.assert_allclose(time_since_seen(SERIES, times=times)[:, 1], [0, 0.1, 0.6, 1.0, 0.6])


def test_delta_is_the_papers_recursion():
    rng = np.random.default_rng(0)
    xs = np.where(rng.random((12, 3, 4)) < 0.5, NAN, 1.0)
    times = np.cumsum(rng.exponential(size=(12, 3)), axis=0)
    delta, steps = time_since_seen(xs, times=times), time_since_seen(xs)
    for n in range(3):
        np.testing.assert_allclose(delta[:, n], by_loop(~np.isnan(xs[:, n]), times[:, n]), rtol=0, atol=1e-12)
        np.testing.assert_array_equal(steps[:, n], by_loop(~np.isnan(xs[:, n]), np.arange(12)))


@pytest.mark.parametrize("timed", [False, True])
def test_delta_of_a_padded_sequence_is_that_of_the_sequence_alone(timed):
    rng = np.random.default_rng(1)
    xs = np.where(rng.random((9, 2, 2)) < 0.5, NAN, 1.0)
    mask = np.ones((9, 2), bool)
    mask[[0, 1, 4, 8], 1] = False
    xs[~mask] = np.inf
    times = np.sort(rng.random((9, 2)), axis=0)
    times[~mask] = -5.0
    given = {"times": times} if timed else {}
    alone = {"times": times[mask[:, 1], 1]} if timed else {}
    delta = time_since_seen(xs, mask=mask, **given)
    np.testing.assert_allclose(delta[mask[:, 1], 1], time_since_seen(xs[mask[:, 1], 1], **alone), atol=1e-15)
    assert not delta[~mask].any()


def test_float32_stays():
    assert time_since_seen(SERIES.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(("xs", "error", "message"), [
    ([[1.0]], DtypeError, "xs is a list"), (np.ones((3, 2), int), DtypeError, r"dtype int64.*Integers have no NaN"),
    (np.ones(3), ShapeError, r"shape \(3,\).*xs\[:, None\]"), (np.ones((3, 0)), ShapeError, "at least one feature"),
    (np.ones((0, 2)), ShapeError, "T ≥ 1"), (np.array([[1.0], [np.inf]]), ArgumentError, r"xs\[1, 0\] is inf"),
    (np.array([["a"]]), DtypeError, "dtype <U1"), (np.ones((2, 2), complex), DtypeError, "complex128"),
    (np.ma.ones((3, 2)), DtypeError, "MaskedArray"),
])
def test_refusals_of_xs(xs, error, message):
    for call in (describe_missing, time_since_seen):
        with pytest.raises(error, match=rf"(?s)^{call.__name__}: .*{message}"):
            call(xs)


@pytest.mark.parametrize(("given", "error", "message"), [
    ({"observed": np.ones((5, 2))}, DtypeError, "observed has dtype float64"),
    ({"observed": [[True]]}, DtypeError, "observed has type list"),
    ({"observed": np.ones((5, 1), bool)}, ShapeError, r"observed has shape \(5, 1\)"),
    ({"observed": np.ones((5, 2), bool)}, ArgumentError, r"xs\[0, 1\] is nan .*A missing value is NaN, or False"),
    ({"mask": np.ones((5, 2), bool)}, ShapeError, r"mask has shape \(5, 2\)"),
    ({"mask": np.ones(5)}, DtypeError, "mask has dtype float64"),
])
def test_refusals_of_what_was_seen(given, error, message):
    with pytest.raises(error, match=f"describe_missing: {message}"):
        describe_missing(SERIES, **given)


def test_other_refusals():
    with pytest.raises(ArgumentError, match="False everywhere"):
        describe_missing(SERIES, mask=np.zeros(5, bool))
    for names in (["one"], "ab", [1, 2]):
        with pytest.raises(ArgumentError, match="names is"):
            describe_missing(SERIES, names=names)
    for times, message in (
        (np.array([0.0, 2.0, 1.0, 3.0, 4.0]), "times falls"), (np.arange(5), "dtype int64"),
        (np.arange(4.0), r"shape \(4,\)"), (np.array([0.0, NAN, 1, 2, 3]), "Time itself can't be missing"),
        (np.zeros((5, 1)), r"shape \(5, 1\)"),
    ):
        with pytest.raises(ArgumentError, match=f"time_since_seen: .*{message}"):
            time_since_seen(SERIES, times=times)
