"""Filling by a trained model: where it beats the lines between values, where there is nothing to beat, and refusals."""

import dataclasses

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell
from rnn_from_scratch.data import InterpolationFilling, hide, make_holes
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import ImputationModel, ModelFilling, bidirectional_imputer, impute
from rnn_from_scratch.optim import GradientDescent
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

NAN = np.nan


def waves(T=60, N=12, seed=0):
    """Two features of one oscillation, a quarter of a period apart, of another phase in each sequence."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, N)
    angle = 2 * np.pi * np.arange(T)[:, None] / 9 + phase
    return np.stack([np.sin(angle), 3 * np.cos(angle) + 10], axis=2)


def score(filled, xs, hidden):
    return float(np.sqrt(np.mean(((filled - xs) / xs.std(axis=(0, 1)))[hidden] ** 2)))


def quick(features=2, **choices):
    return ModelFilling(bidirectional_imputer(features, 8), **{"updates": 60, "batch_size": 8, "window": 30, **choices})


def test_it_learns_what_a_line_cannot_know():
    """Fitted on some sequences, scored on others: half the error of interpolation, and what was seen is untouched."""
    train, test = waves(), waves(seed=1)
    rng = np.random.default_rng(2)
    holey, hidden = hide(train, make_holes(train, 0.3, rng=rng)), make_holes(test, 0.3, rng=rng)
    given = hide(test, hidden)
    method = quick()
    fitted = method.fit(holey, rng=np.random.default_rng(3))
    filled = method.transform(fitted, given)
    line = InterpolationFilling().transform(InterpolationFilling().fit(holey), given)
    assert score(filled, test, hidden) < 0.5 * score(line, test, hidden)
    np.testing.assert_array_equal(filled[~hidden], test[~hidden])
    assert np.mean(fitted.losses[-10:]) < 0.5 * np.mean(fitted.losses[:10])
    assert len(fitted.losses) == 60
    np.testing.assert_array_equal(filled, method.transform(method.fit(holey, rng=np.random.default_rng(3)), given))
    assert not np.array_equal(filled, method.transform(method.fit(holey, rng=np.random.default_rng(4)), given))


def test_one_long_series_by_windows():
    xs = waves(T=200, N=1)[:, 0]
    hidden = make_holes(xs, 0.3, rng=np.random.default_rng(0))
    given = hide(xs, hidden)
    filled = impute(given, rng=np.random.default_rng(1), hidden_size=8, updates=60, batch_size=8, window=30)
    line = InterpolationFilling().transform(InterpolationFilling().fit(given), given)
    assert filled.shape == xs.shape
    np.testing.assert_array_equal(filled[~hidden], xs[~hidden])
    assert score(filled[:, None], xs[:, None], hidden[:, None]) < 0.5 * score(line[:, None], xs[:, None],
                                                                             hidden[:, None])


def test_on_a_random_walk_it_stays_close_to_the_line():
    """Given its neighbours a random walk's value lies on the line between them, and there is nothing to add."""
    xs = np.cumsum(np.random.default_rng(0).standard_normal((50, 40, 1)), axis=0)
    hidden = make_holes(xs, 0.3, rng=np.random.default_rng(1))
    given = hide(xs, hidden)
    filled = impute(given, rng=np.random.default_rng(2), hidden_size=8, updates=60)
    line = InterpolationFilling().transform(InterpolationFilling().fit(given), given)
    assert 0.95 < score(filled, xs, hidden) / score(line, xs, hidden) < 1.1


def test_padding_and_another_sign_of_a_missing_value():
    xs = waves(T=30, N=5)
    mask = np.arange(30)[:, None] < np.array([30, 22, 30, 15, 9])
    hidden = make_holes(xs, 0.3, rng=np.random.default_rng(0), mask=mask)
    given = hide(xs, hidden)
    method = quick(updates=10, window=12)
    filled = method.transform(method.fit(given, mask=mask, rng=np.random.default_rng(1)), given, mask=mask)
    assert not filled[~mask].any()
    dirty = np.where(mask[..., None], np.nan_to_num(given, nan=-77.0), np.inf)
    observed = ~hidden & mask[..., None]
    fitted = method.fit(dirty, observed, mask, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(filled, method.transform(fitted, dirty, observed, mask))
    alone = method.transform(fitted, given[:15, 3])
    np.testing.assert_allclose(alone, filled[:15, 3], rtol=0, atol=1e-12)


def test_a_feature_that_a_test_part_never_shows_is_predicted_from_the_others():
    train, test = waves(), waves(seed=1)
    method = quick(share=(0.5, 0.9), block=30, updates=150)
    fitted = method.fit(train, rng=np.random.default_rng(0))
    given = test.copy()
    given[..., 1] = NAN
    filled = method.transform(fitted, given)
    assert np.abs(filled[10:-10, :, 1] - test[10:-10, :, 1]).mean() < 0.5 * np.abs(test[..., 1] - 10).mean()


def test_float32_stays():
    given = hide(waves(T=12, N=3), make_holes(waves(T=12, N=3), 0.3, rng=np.random.default_rng(0))).astype(np.float32)
    assert impute(given, rng=np.random.default_rng(0), updates=3).dtype == np.float32


def test_the_optimizer_the_schedule_and_the_clip_are_used():
    xs = waves(T=12, N=6)

    def last(**choices):
        method = quick(window=12, updates=3, **choices)
        return method.fit(xs, rng=np.random.default_rng(0)).params["output"]["b_y"]

    plain = last(optimizer=GradientDescent(0.1))
    assert not np.array_equal(plain, last())
    np.testing.assert_array_equal(last(optimizer=GradientDescent(0.2), schedule=lambda update: 0.5), plain)
    rates = []
    last(optimizer=GradientDescent(0.1), schedule=lambda update: rates.append(update) or 1.0)
    assert rates == [0, 1, 2]
    assert np.linalg.norm(last(optimizer=GradientDescent(1.0), clip=1e-6)) <= 3e-6
    start = quick(window=12, updates=1).model.init_params(rng=np.random.default_rng(0))
    assert not start["output"]["W_hy"].any()


@pytest.mark.parametrize(("choices", "message"), [
    ({"model": 3}, "model is 3.*bidirectional_imputer"), ({"updates": 0}, "updates is 0"),
    ({"updates": 2.0}, "updates is 2.0"), ({"batch_size": True}, "batch_size is True"), ({"block": -1}, "block is -1"),
    ({"window": "8"}, "window is '8'"), ({"share": 0.3}, r"share is 0.3.*\(0.3, 0.3\)"),
    ({"share": (0.5, 0.2)}, "share is .*the lowest share first"), ({"share": (0.0, 0.5)}, "share is 0.0"),
    ({"share": (0.5, 1.0)}, "share is 1.0"), ({"optimizer": 0.1}, "optimizer is 0.1"),
    ({"schedule": 0.5}, "schedule is 0.5"), ({"clip": 0.0}, "clip is 0.0"), ({"clip": NAN}, "clip is nan"),
])
def test_choices_are_checked(choices, message):
    with pytest.raises(ArgumentError, match=f"ModelFilling: {message}"):
        ModelFilling(**{"model": bidirectional_imputer(2), **choices})


@pytest.mark.parametrize(("xs", "error", "message"), [
    (np.array([[1.0, NAN]] * 5), ArgumentError, "every value of feature 1 is missing"),
    (np.array([[1.0, NAN]] * 4 + [[1.0, 2.0]]), ArgumentError, "feature 1 has 1 value seen, expected at least two"),
    (np.ones((2, 2)), ArgumentError, "xs has 2 steps, expected at least 3"),
    (np.ones((5, 3)), ShapeError, "xs has 3 features, expected 2"),
    (np.ones((5, 2), int), DtypeError, "xs has dtype int64"),
    (np.arange(10.0).reshape(5, 2) * 1e200, ArgumentError, "the values of feature 0 sum to inf"),
    (np.array([[1.0, np.inf]] * 5), ArgumentError, r"xs\[0, 1\] is inf"), ([1.0], DtypeError, "xs is a list"),
])
def test_too_little_or_bad_data(xs, error, message):
    with pytest.raises(error, match=rf"ModelFilling\.fit: {message}"):
        ModelFilling(bidirectional_imputer(2), updates=1).fit(xs, rng=np.random.default_rng(0))


def test_other_refusals():
    method, xs = ModelFilling(bidirectional_imputer(2), updates=1), waves(T=5, N=2)
    with pytest.raises(DtypeError, match=r"ModelFilling\.fit: rng is 0"):
        method.fit(xs, rng=0)
    with pytest.raises(ArgumentError, match=r"window is 9, expected 3 … 5"):
        dataclasses.replace(method, window=9).fit(xs, rng=np.random.default_rng(0))
    with pytest.raises(DtypeError, match=r"ModelFilling\.transform: statistics is a NoneType"):
        method.transform(None, xs)
    fitted = method.fit(xs, rng=np.random.default_rng(0))
    with pytest.raises(DtypeError, match="float32 beside"):
        method.transform(fitted, xs.astype(np.float32))
    with pytest.raises(ShapeError, match=r"ModelFilling\.transform: xs has 1 features"):
        method.transform(fitted, xs[..., :1])
    diverging = ModelFilling(bidirectional_imputer(2), updates=50, optimizer=GradientDescent(1e200), clip=1e200)
    with pytest.raises(ArgumentError, match="finite"), np.errstate(all="ignore"):
        diverging.fit(xs, rng=np.random.default_rng(0))
    one_way = ModelFilling(ImputationModel(Recurrent(GRUCell(8, 3)), "last value"), updates=2)
    assert np.isfinite(one_way.transform(one_way.fit(xs, rng=np.random.default_rng(0)), xs)).all()
