"""Holes: how many, where they may be, and that they repeat."""

import numpy as np
import pytest

from rnn_from_scratch.data import describe_missing, hide, make_holes
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

NAN = np.nan


def gappy(seed=0, T=20, N=6, D=3):
    rng = np.random.default_rng(seed)
    xs = rng.standard_normal((T, N, D))
    xs[rng.random(xs.shape) < 0.2] = NAN
    mask = np.arange(T)[:, None] < rng.integers(12, T + 1, N)
    return xs, mask


@pytest.mark.parametrize("block", [1, 5])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.37, 0.6, 0.99])
def test_the_share_is_exact_and_nothing_missing_or_padded_is_touched(share, block):
    xs, mask = gappy()
    there = ~np.isnan(xs) & mask[..., None]
    hidden = make_holes(xs, share, rng=np.random.default_rng(1), block=block, mask=mask)
    assert hidden.sum() == round(share * there.sum())
    assert not (hidden & ~there).any()
    np.testing.assert_array_equal(
        hidden, make_holes(xs, share, rng=np.random.default_rng(1), block=block, mask=mask))
    if share not in (0.0, 0.99):
        other = make_holes(xs, share, rng=np.random.default_rng(2), block=block, mask=mask)
        assert not np.array_equal(hidden, other)


def test_observed_is_respected():
    xs, observed = np.ones((10, 2)), np.zeros((10, 2), bool)
    observed[:4] = True
    hidden = make_holes(xs, 0.5, rng=np.random.default_rng(0), observed=observed)
    assert hidden.shape == (10, 2)
    assert hidden.sum() == 4
    assert not hidden[4:].any()


def test_single_holes_fall_on_every_place_alike():
    counts = sum(make_holes(np.ones((5, 2, 2)), 0.25, rng=np.random.default_rng(s)) * 1 for s in range(2000))
    assert np.abs(counts / 2000 - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 2000)


def test_blocks_are_stretches_of_one_feature_and_fall_everywhere_alike():
    xs = np.ones((40, 3, 2))
    for seed in range(8):
        found = make_holes(xs, 6 / 240, rng=np.random.default_rng(seed), block=6)
        runs = describe_missing(hide(xs, found)).longest
        assert found.any(axis=0).sum() == 1 if runs.max() == 6 else found[[0, -1]].any()  # two if an end cut one short
    assert runs.max() == 6
    counts = sum(make_holes(np.ones((8, 1, 1)), 0.25, rng=np.random.default_rng(s), block=2) * 1 for s in range(3000))
    shares = counts[:, 0, 0] / 3000
    assert np.abs(shares - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 3000)  # the first and last steps too
    single = describe_missing(hide(xs, make_holes(xs, 0.2, rng=np.random.default_rng(0))))
    blocks = describe_missing(hide(xs, make_holes(xs, 0.2, rng=np.random.default_rng(0), block=8)))
    assert blocks.longest.max() >= 8 > single.longest.max()


@pytest.mark.parametrize("block", [1, 4])
def test_together_hides_whole_steps(block):
    xs, mask = gappy()
    hidden = make_holes(xs, 0.3, rng=np.random.default_rng(0), together=True, mask=mask, block=block)
    there = ~np.isnan(xs) & mask[..., None]
    steps = hidden.any(axis=-1)
    np.testing.assert_array_equal(hidden, there & steps[..., None])
    assert steps.sum() == round(0.3 * there.any(axis=-1).sum())


def test_hide_copies():
    xs = np.arange(6.0).reshape(3, 2).astype(np.float32)
    hidden = np.zeros((3, 2), bool)
    hidden[1, 0] = True
    gone = hide(xs, hidden)
    assert gone.dtype == np.float32
    assert np.isnan(gone[1, 0])
    np.testing.assert_array_equal(gone[~hidden], xs[~hidden])
    assert np.isfinite(xs).all()


@pytest.mark.parametrize(("choices", "message"), [
    ({"share": 1.0}, "share is 1.0"), ({"share": -0.1}, "share is -0.1"), ({"share": True}, "share is True"),
    ({"share": NAN}, "share is nan"), ({"share": "0.1"}, "share is '0.1'"), ({"rng": 0}, "rng is 0"),
    ({"block": 0}, "block is 0"), ({"block": 2.0}, "block is 2.0"), ({"block": True}, "block is True"),
    ({"together": 1}, "together is 1"), ({"mask": np.ones((3, 2))}, "mask has dtype"),
])
def test_refusals(choices, message):
    arguments = {"share": 0.5, "rng": np.random.default_rng(0), **choices}
    with pytest.raises(ArgumentError, match=f"^make_holes: {message}"):
        make_holes(np.ones((3, 2)), arguments.pop("share"), **arguments)


def test_hide_refuses():
    with pytest.raises(DtypeError, match="hidden has dtype float64"):
        hide(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(ShapeError, match=r"hidden has shape \(2, 3\)"):
        hide(np.ones((3, 2)), np.ones((2, 3), bool))
    with pytest.raises(DtypeError, match="hide: xs has dtype int64"):
        hide(np.ones((3, 2), int), np.ones((3, 2), bool))
