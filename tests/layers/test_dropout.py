"""Dropout: the mask's numbers, the exact identity at inference, the gradient with its own mask, and the refusals."""

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Dropout, dropout_mask
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, H = 6, 3, 4
RNG = np.random.default_rng(0)
XS, DYS = RNG.standard_normal((T, N, H)), RNG.standard_normal((T, N, H))


def seeded(seed=5):
    return np.random.default_rng(seed)


# The mask


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_a_mask_is_0_or_1_over_1_minus_rate_and_its_mean_is_1(rate):
    mask = dropout_mask((200, 500), rate, rng=seeded())
    kept = mask != 0
    assert (mask[kept] == 1.0 / (1.0 - rate)).all()
    share = 4 * np.sqrt(rate * (1 - rate) / mask.size)  # four standard deviations
    assert kept.mean() == pytest.approx(1 - rate, abs=share)
    assert mask.mean() == pytest.approx(1.0, abs=max(share / (1 - rate), 1e-12))


def test_entries_are_drawn_independently():
    mask = dropout_mask((4000, 3), 0.5, rng=seeded()) - 1.0  # each ±1, mean 0
    products = mask[:, [0, 0, 1]] * mask[:, [1, 2, 2]]
    assert (np.abs(products.mean(axis=0)) < 4 / np.sqrt(4000)).all()
    assert abs((mask[1:] * mask[:-1]).mean()) < 4 / np.sqrt(3 * 3999)


def test_one_seed_one_mask_in_both_dtypes():
    double, single = (dropout_mask((T, N, H), 0.3, rng=seeded(), dtype=dtype) for dtype in (np.float64, np.float32))
    assert np.array_equal(double, dropout_mask((T, N, H), 0.3, rng=seeded()))
    assert single.dtype == np.float32
    assert np.array_equal(double.astype(np.float32), single)
    assert not np.array_equal(double, dropout_mask((T, N, H), 0.3, rng=seeded(6)))
    rng = seeded()
    assert not np.array_equal(dropout_mask((T, N, H), 0.3, rng=rng), dropout_mask((T, N, H), 0.3, rng=rng))


# The layer


@pytest.mark.parametrize("layer", [Dropout(0.4), Dropout(0.4, over_time=True), Dropout(0.0)], ids=str)
def test_inference_is_exactly_the_identity_in_memory_of_its_own(layer):
    xs = XS.copy()
    xs[0, 0] = [-0.0, 5e-324, 1.7e308, -1e-310]
    ys, cache = layer.forward({}, xs)
    assert ys.tobytes() == xs.tobytes()
    dxs, grads = layer.backward({}, DYS, cache)
    assert dxs.tobytes() == DYS.tobytes()
    assert grads == {}
    assert not np.shares_memory(ys, xs)
    assert not np.shares_memory(dxs, DYS)


def test_rate_0_keeps_everything_in_training_too():
    ys, _ = Dropout(0.0).forward({}, XS, rng=seeded())
    assert ys.tobytes() == XS.tobytes()


@pytest.mark.parametrize("shape", [(T, N, H), (N, H), (H,), (2, 2, 3, 2)])
def test_training_by_hand(shape):
    """One uniform number an entry, in the order of the array; below the rate it is dropped."""
    xs, dys = seeded(1).standard_normal(shape), seeded(2).standard_normal(shape)
    ys, cache = Dropout(0.3).forward({}, xs, rng=seeded())
    dxs, _ = Dropout(0.3).backward({}, dys, cache)
    rng = seeded()
    for place in np.ndindex(*shape):
        factor = 0.0 if rng.random() < 0.3 else 1.0 / 0.7
        assert ys[place] == pytest.approx(xs[place] * factor, rel=1e-15)
        assert dxs[place] == pytest.approx(dys[place] * factor, rel=1e-15)


def test_over_time_one_mask_serves_all_steps():
    layer = Dropout(0.5, over_time=True)
    ys, cache = layer.forward({}, XS, rng=seeded())
    mask = dropout_mask((1, N, H), 0.5, rng=seeded())
    assert 0 < (mask == 0).sum() < mask.size
    assert len({tuple(row) for row in mask[0]}) == N  # each sequence has its own
    assert np.array_equal(ys, XS * mask)
    assert np.array_equal(layer.backward({}, DYS, cache)[0], DYS * mask)
    assert np.array_equal(layer.forward({}, XS[:2], rng=seeded())[0], ys[:2])  # the number of steps draws nothing
    by_step, _ = Dropout(0.5).forward({}, np.ones((T, N, H)), rng=seeded())
    assert any(not np.array_equal(by_step[0], by_step[t]) for t in range(1, T))


@pytest.mark.parametrize("over_time", [False, True])
def test_the_mean_over_many_draws_is_the_input(over_time):
    layer, rng, draws = Dropout(0.4, over_time), seeded(), 4000
    mean = sum(layer.forward({}, XS, rng=rng)[0] for _ in range(draws)) / draws
    deviation = np.abs(XS) * np.sqrt(0.4 / 0.6 / draws)
    assert (np.abs(mean - XS) < 4.5 * deviation).all()


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("layer", [Dropout(0.4), Dropout(0.4, over_time=True), Dropout(0.0)], ids=str)
def test_gradient_with_the_same_draws_at_every_call(layer, method):
    _, cache = layer.forward({}, XS, rng=seeded())
    layer.forward({}, XS, rng=seeded(6))  # another forward in between must not matter
    dxs, _ = layer.backward({}, DYS, cache)

    def loss(at):
        return (DYS * layer.forward({}, at["xs"], rng=seeded())[0]).sum()

    report = check_gradients(loss, {"xs": XS}, {"xs": dxs}, method)
    report.raise_if_wrong()
    assert report.worst < {"complex": 1e-12, "central": 1e-7}[method]
    assert np.array_equal(dxs, layer.backward({}, DYS, cache)[0])
    _, other = layer.forward({}, XS, rng=seeded(6))  # the backward with another mask is another function's
    wrong = check_gradients(loss, {"xs": XS}, {"xs": layer.backward({}, DYS, other)[0]}, method)
    assert wrong.ok == (layer.rate == 0)


def test_the_cache_cannot_be_written():
    for layer in (Dropout(0.4), Dropout(0.4, over_time=True)):
        for rng in (None, seeded()):
            _, cache = layer.forward({}, XS, rng=rng)
            assert cache.mask.shape == XS.shape
            with pytest.raises(ValueError, match="read-only"):
                cache.mask[0, 0, 0] = 1.0


@pytest.mark.parametrize("over_time", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_float32_stays_float32(over_time, training):
    layer = Dropout(np.float64(0.3), over_time)
    ys, cache = layer.forward({}, XS.astype(np.float32), rng=seeded() if training else None)
    dxs, _ = layer.backward({}, DYS.astype(np.float32), cache)
    assert ys.dtype == dxs.dtype == np.float32
    exact, _ = layer.forward({}, XS, rng=seeded() if training else None)
    np.testing.assert_allclose(ys, exact, rtol=1e-6)


def test_nothing_is_learnt_and_nothing_drawn_for_it():
    rng = seeded()
    assert Dropout(0.5).init_params(rng=rng) == {} == Dropout(0.5).param_shapes()
    assert rng.random() == seeded().random()
    with pytest.raises(DtypeError, match=r"^Dropout\.init_params: rng is 7, expected a numpy\.random\.Generator"):
        Dropout(0.5).init_params(rng=7)


# Refusals


RATES = [1, 1.0, -0.1, 1.5, np.nan, True, "half", None]


@pytest.mark.parametrize("rate", RATES)
def test_the_rate_is_in_0_to_1(rate):
    expected = (r": rate is .*, expected a finite number at least 0\.0 and below 1\.0 because it is the probability of "
                r"dropping an entry, and with 1 nothing would be kept\.$")
    with pytest.raises(ArgumentError, match="^Dropout" + expected):
        Dropout(rate)
    with pytest.raises(ArgumentError, match="^dropout_mask" + expected):
        dropout_mask((2, 3), rate, rng=seeded())


def test_over_time_is_yes_or_no():
    with pytest.raises(ArgumentError, match=r"^Dropout: over_time is 3, expected one of False, True"):
        Dropout(0.5, 3)


REFUSED_MASKS = {
    "a number": ({"shape": 3}, ShapeError, "shape is 3, expected a tuple of sizes because one number is drawn for"),
    "no entries": ({"shape": (3, 0)}, ArgumentError, "shape[1] is 0, expected a whole number of at least 1"),
    "a half": ({"shape": (3, 0.5)}, ArgumentError, "shape[1] is 0.5, expected a whole number of at least 1"),
    "a seed": ({"rng": 7}, DtypeError, "rng is 7, expected a numpy.random.Generator"),
    "integers": ({"dtype": int}, DtypeError, "dtype is int64, expected float64 or float32"),
}


@pytest.mark.parametrize("case", REFUSED_MASKS)
def test_dropout_mask_refuses(case):
    change, error, message = REFUSED_MASKS[case]
    arguments = {"shape": (2, 3), "rng": seeded(), **change}
    with pytest.raises(error) as caught:
        dropout_mask(arguments.pop("shape"), 0.5, **arguments)
    assert str(caught.value).startswith(f"dropout_mask: {message}")


NAN = XS.copy()
NAN[4, 1, 2] = np.nan
REFUSED = {
    "no time": (True, {}, XS[0], None, ShapeError, "xs has shape (3, 4), expected (T, N, H) because over_time=True "
                "shares one mask between the time steps."),
    "no sequences": (False, {}, XS[0, :0], None, ShapeError, "xs has shape (0, 4), expected (N, H) with N ≥ 1 because"),
    "a number": (False, {}, np.array(1.0), None, ShapeError, "xs has shape (), expected (H,)."),
    "integers": (False, {}, XS.astype(int), None, DtypeError, "xs has dtype int64, expected float64 (or float32)"),
    "nan": (False, {}, NAN, None, ArgumentError, "xs[4, 1, 2] is nan (1 of 72 entries are not finite), expected"),
    "a seed": (False, {}, XS, 7, DtypeError, "rng is 7, expected a numpy.random.Generator because there is no global"),
    "params": (False, {"W": XS}, XS, None, ArgumentError, "params has the keys ['W'], expected [] because each "
               "parameter has its name in the equations. Dropout(rate=0.5, over_time=False) has no parameters: pass"),
    "None": (False, None, XS, None, DtypeError, "params is a NoneType, expected a dictionary of arrays. Dropout("),
}


@pytest.mark.parametrize("case", REFUSED)
def test_forward_refuses(case):
    over_time, params, xs, rng, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        Dropout(0.5, over_time).forward(params, xs, rng=rng)
    assert str(caught.value).startswith(f"Dropout.forward: {message}")


REFUSED_BACK = {
    "shape": ({}, DYS[:1], ShapeError, "dys has shape (1, 3, 4), expected (6, 3, 4) because it is the gradient of the"),
    "mixed": ({}, DYS.astype(np.float32), DtypeError, "dys is float32 beside xs of float64, expected one dtype"),
    "nan": ({}, DYS * np.nan, ArgumentError, "dys[0, 0, 0] is nan (72 of 72 entries are not finite), expected finite "
            "numbers because one NaN spreads to every parameter in a single update. Did the loss diverge?"),
    "params": ({"W": XS}, DYS, ArgumentError, "params has the keys ['W'], expected [] because"),
}


@pytest.mark.parametrize("case", REFUSED_BACK)
@pytest.mark.parametrize("over_time", [False, True])
def test_backward_refuses(case, over_time):
    params, dys, error, message = REFUSED_BACK[case]
    layer = Dropout(0.5, over_time)
    _, cache = layer.forward({}, XS, rng=seeded())
    with pytest.raises(error) as caught:
        layer.backward(params, dys, cache)
    assert str(caught.value).startswith(f"Dropout.backward: {message}")
    with pytest.raises(DtypeError, match=r"^Dropout\.backward: cache is a ndarray, expected the DropoutCache that"):
        layer.backward({}, DYS, cache.mask)
