"""The conformance suite accepts what is right and rejects the classic mistakes, naming row or rule."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

from rnn_from_scratch.activations import ACTIVATIONS
from rnn_from_scratch.arrays import tree_map
from rnn_from_scratch.cells.rnn import RNNCache, RNNCell
from rnn_from_scratch.diagnosis import check_cell, check_layer
from rnn_from_scratch.layers import Dense, Recurrent
from rnn_from_scratch.validate import ArgumentError


def rng(seed=0):
    return np.random.default_rng(seed)


def wrong_rows(report):
    return {row.name.removesuffix(" (masked)") for row in report.rows if not row.ok}


# What is right passes.


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(3))
def test_right_cells_and_layers_pass(activation, seed):
    for sizes in ((3, 4), (1, 2), (5, 3)):
        cell = RNNCell(*sizes, activation)
        for report in (check_cell(cell, rng=rng(seed)), check_layer(Recurrent(cell), rng=rng(seed))):
            report.raise_if_wrong()
            assert report.method == "complex"
            assert report.worst < 1e-13
            assert {row.name for row in report.rows} == {
                f"{name}{case}" for name in ("W_xh", "W_hh", "b_h", "xs", "state[0]") for case in ("", " (masked)")
            }


def test_inputs_of_ones_own():
    report = check_cell(RNNCell(3, 4), rng=rng(), xs=rng(5).standard_normal((3, 2, 3)))
    report.raise_if_wrong()
    assert report["xs"].shape == (3, 2, 3)


def test_another_seed_draws_another_point():
    reports = [check_cell(RNNCell(3, 4), rng=rng(seed)) for seed in (0, 0, 1)]
    numbers = [[row.analytic for row in report.rows] for report in reports]
    assert numbers[0] == numbers[1]
    assert numbers[0] != numbers[2]


def test_right_dense_layers_pass():
    check_layer(Dense(3, 4), rng=rng()).raise_if_wrong()


# What proves nothing is refused.


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: check_cell(RNNCell(4, 4), rng=rng()), "check_cell: input_size = hidden_size = 4, expected two"),
        (lambda: check_layer(Recurrent(RNNCell(4, 4)), rng=rng()), "check_layer: input_size = hidden_size = 4"),
        (lambda: check_cell(RNNCell(3, 4), rng=rng(), xs=np.ones((2, 5, 3))), "xs has T = 2 and N = 5, expected T ≥ 3"),
        (lambda: check_cell(RNNCell(3, 4), rng=rng(), xs=np.ones((5, 1, 3))), "xs has T = 5 and N = 1, expected T ≥ 3"),
        (lambda: check_layer(Recurrent(RNNCell(3, 4)), rng=rng(), xs=np.ones((2, 2, 3))), "check_layer: xs has T = 2"),
        (lambda: check_cell(RNNCell(3, 4), rng=rng(), xs=np.ones((5, 2, 4))), "xs has shape (5, 2, 4), expected (T"),
        (lambda: check_cell(RNNCell(3, 4), rng=0), "check_cell: rng is 0"),
        (lambda: check_layer(Dense(3, 4), rng=None), "check_layer: rng is None"),
        (lambda: check_cell(RNNCell(3, 4), rng=rng(), xs=np.zeros((5, 3, 3))), "xs is 0 everywhere, expected inputs"),
        (lambda: check_cell(RNNCell(3, 4), rng=rng(), xs=np.full((5, 3, 3), np.nan)), "check_cell: xs[0, 0, 0] is nan"),
        (lambda: check_layer(Dense(3, 4), rng=rng(), xs=np.zeros((5, 3, 3))), "check_layer: xs is 0 everywhere"),
        (lambda: check_layer(Dense(3, 4), rng=rng(), xs="abc"), "check_layer: xs is a str"),
    ],
)
def test_what_proves_nothing_is_refused(check, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        check()


# Wrong cells. Each differs from RNNCell in one thing; W names the rows that must be wrong, and only those.

HIDDEN = {"W_xh", "W_hh", "b_h", "xs", "state[0]"}


class CarryDropped(RNNCell):
    def step_backward(self, params, dstate, cache):
        (dh_prev,), delta = super().step_backward(params, dstate, cache)
        return (0.0 * dh_prev,), delta


class NotTransposed(RNNCell):
    def step_backward(self, params, dstate, cache):
        delta = dstate[0] * (1.0 - cache.h**2)
        return (delta @ params["W_hh"],), delta


class PreviousSlope(RNNCell):
    def step_backward(self, params, dstate, cache):
        delta = dstate[0] * (1.0 - cache.h_prev**2)
        return (delta @ params["W_hh"].T,), delta


class WrongTimeIndex(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        return super().param_grads(params, xs, [RNNCache(cache.h, cache.h) for cache in caches], deltas)


class BiasNotSummed(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        dxs, grads = super().param_grads(params, xs, caches, deltas)
        return dxs, {**grads, "b_h": np.stack(deltas).sum(axis=0)}  # (N, H)


class BiasAveraged(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        dxs, grads = super().param_grads(params, xs, caches, deltas)
        return dxs, {**grads, "b_h": grads["b_h"] / xs.shape[1]}


class Averaged(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        dxs, grads = super().param_grads(params, xs, caches, deltas)
        return dxs, tree_map(lambda grad: grad / xs.shape[1], grads)


class LastStepOnly(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        dxs, _ = super().param_grads(params, xs, caches, deltas)
        return dxs, super().param_grads(params, xs[-1:], caches[-1:], deltas[-1:])[1]


class Regularised(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        dxs, grads = super().param_grads(params, xs, caches, deltas)
        return dxs, {**grads, "W_hh": grads["W_hh"] + 1e-4 * params["W_hh"]}


@pytest.mark.parametrize(
    ("cell", "rows"),
    [
        (CarryDropped, HIDDEN), (NotTransposed, HIDDEN), (PreviousSlope, HIDDEN), (WrongTimeIndex, {"W_hh"}),
        (BiasNotSummed, {"b_h"}), (BiasAveraged, {"b_h"}), (Averaged, {"W_xh", "W_hh", "b_h"}),
        (LastStepOnly, {"W_xh", "W_hh", "b_h"}), (Regularised, {"W_hh"}),
    ],
)
def test_wrong_gradients_are_named_by_their_row(cell, rows):
    for seed in range(3):
        checks = check_cell, check_layer
        if seed:  # without the diagnosis at the end, which the seed does not reach
            checks = [check.__wrapped__ for check in checks]
        for check, thing in zip(checks, (cell(3, 4), Recurrent(cell(3, 4))), strict=True):
            report = check(thing, rng=rng(seed))
            assert bool(report.explanation) == (seed == 0)
            assert not report.ok
            assert wrong_rows(report) == rows
    if cell is BiasNotSummed:
        assert "of shape (3, 4)" not in str(report["W_hh"])
        assert "ndarray of shape" in report["b_h"].verdict


# Wrong cells that a comparison of numbers alone may not find.


class WritesDelta(RNNCell):
    def step_backward(self, params, dstate, cache):
        (dh,) = dstate
        dh *= 1.0 - cache.h**2
        return (dh @ params["W_hh"].T,), dh


class WritesState(RNNCell):
    def step(self, params, x_proj, state):
        result = super().step(params, x_proj, state)
        x_proj *= 0.0
        return result


class WritesCache(RNNCell):
    """A gradient in place: the first answer is right, the second is not."""

    def param_grads(self, params, xs, caches, deltas):
        result = super().param_grads(params, xs, caches, deltas)
        caches[0].h_prev[:] *= 0.5
        return result


class WritesInput(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        result = super().param_grads(params, xs, caches, deltas)
        xs += 1.0
        return result


class WritesParams(RNNCell):
    def step_backward(self, params, dstate, cache):
        result = super().step_backward(params, dstate, cache)
        params["b_h"] += 1.0
        return result


@dataclass(frozen=True)
class SharedBuffer(RNNCell):
    """Keeps its states in one buffer: a second forward overwrites what the first one's backward needs."""

    buffer: tuple = ()

    def step(self, params, x_proj, state):
        (h,), _ = super().step(params, x_proj, state)
        if not np.iscomplexobj(h):
            self.buffer[0][: len(h)] = h
            h = self.buffer[0][: len(h)]
        return (h,), RNNCache(state[0], h)


class Drifts(RNNCell):
    """Adds to a gradient that it keeps: the classic missing zero_grad."""

    kept = np.zeros(4)

    def param_grads(self, params, xs, caches, deltas):
        dxs, grads = super().param_grads(params, xs, caches, deltas)
        type(self).kept = self.kept + grads["b_h"]
        return dxs, {**grads, "b_h": self.kept}


class MixesRows(RNNCell):
    def step_backward(self, params, dstate, cache):
        (dh_prev,), delta = super().step_backward(params, dstate, cache)
        return (dh_prev[::-1] * 1.0,), delta


class Clips(RNNCell):
    def step_backward(self, params, dstate, cache):
        (dh_prev,), delta = super().step_backward(params, dstate, cache)
        return (np.clip(dh_prev, -0.1, 0.1),), np.clip(delta, -0.1, 0.1)


@pytest.mark.parametrize(
    ("cell", "finding"),
    [
        (WritesDelta(3, 4), "an argument of step_backward changed during the call"),
        (WritesState(3, 4), "an argument of step changed during the call"),
        (WritesCache(3, 4), "backward twice differs"),
        (WritesInput(3, 4), "params, xs or state changed during the call"),
        (WritesParams(3, 4), "params, xs or state changed during the call"),
        (SharedBuffer(3, 4, buffer=(np.zeros((9, 4)),)), "an output was overwritten by a later call"),
        (Drifts(3, 4), "backward twice differs"),
        (MixesRows(3, 4), "step_backward mixes the rows of the batch"),
        (Clips(3, 4), "step_backward is not linear in dstate"),
    ],
)
def test_broken_rules_are_named(cell, finding):
    report = check_cell(cell, rng=rng())
    assert not report.ok
    assert any(finding in text for text in report.findings), report.findings
    assert finding in str(report)


class NotCarried(Recurrent):
    """A layer of its own that sets the state to zero on padding instead of carrying it."""

    def forward(self, params, xs, state=None, mask=None, *, rng=None):
        hs, final, cache = super().forward(params, xs, state, mask)
        if mask is not None:
            final = (np.where(mask[-1][:, None], final[0], 0.0 * final[0]),)
        return hs, final, cache

    def backward(self, params, dhs, cache, dfinal_state=None):
        if cache.mask is not None and dfinal_state is not None:  # consistent with that forward: gradients are right
            dfinal_state = (np.where(cache.mask[-1][:, None], dfinal_state[0], 0.0),)
        return super().backward(params, dhs, cache, dfinal_state)


class NaNLeaks(Recurrent):
    """Multiplies padding by zero instead of replacing it: NaN · 0 is NaN."""

    def forward(self, params, xs, state=None, mask=None, *, rng=None):
        clean = xs if mask is None else np.where(mask[..., None], xs, 0.0)
        hs, final, cache = super().forward(params, clean, state, mask)
        leaky = xs if mask is None else xs * mask[..., None]
        return hs, final, cache._replace(saved=cache.saved._replace(xs=leaky))


class WritesDhs(Recurrent):
    def backward(self, params, dhs, cache, dfinal_state=None):
        result = super().backward(params, dhs, cache, dfinal_state)
        dhs[0] += 1.0
        return result


class LosesDefault(Recurrent):
    def backward(self, params, dhs, cache, dfinal_state=None):
        return super().backward(params, dhs, cache, dfinal_state or (np.ones((dhs.shape[1], self.hidden_size)),))


class LosesOneWithPadding(Recurrent):
    """Another way for one sequence, as a fast kernel may have it, which forgets what padding hands on."""

    def backward(self, params, dhs, cache, dfinal_state=None):
        if dhs.shape[1] == 1 and cache.mask is not None and not cache.mask[-1, 0] and dfinal_state is not None:
            dfinal_state = (np.zeros_like(dfinal_state[0]),)
        return super().backward(params, dhs, cache, dfinal_state)


@pytest.mark.parametrize(
    ("layer", "finding"),
    [
        (LosesOneWithPadding, "of a padded batch differs from the same sequence alone with its padding"),
        (NotCarried, "of a padded batch differs from the same sequence alone"),
        (NaNLeaks, "NaN in padding changes an output or a gradient"),
        (WritesDhs, "dhs or dfinal_state changed during the call"),
        (LosesDefault, "backward without dfinal_state differs from backward with a dfinal_state of zeros"),
    ],
)
def test_layers_that_break_a_rule(layer, finding):
    report = check_layer(layer(RNNCell(3, 4), "stepwise"), rng=rng())
    assert not report.ok
    assert any(finding in text for text in report.findings), report.findings
    if layer is not WritesDhs:
        assert not wrong_rows(report)  # the numbers alone would let it through


class DenseNotSummed(Dense):
    def backward(self, params, dys, cache):
        dxs, grads = super().backward(params, dys, cache)
        return dxs, {**grads, "b_y": dys[0].sum(axis=0)}


class DenseWrites(Dense):
    def backward(self, params, dys, cache):
        result = super().backward(params, dys, cache)
        dys *= 2.0
        return result


def test_wrong_dense_layers_are_named():
    assert wrong_rows(check_layer(DenseNotSummed(3, 4), rng=rng())) == {"b_y"}
    report = check_layer(DenseWrites(3, 4), rng=rng())
    assert any("dys changed during the call" in text for text in report.findings)
