"""check_layer in training mode: right dropout passes, a forgotten or misplaced mask is told, what proves nothing."""

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.layers import Bidirectional, Dense, Dropout, LayerNorm, Recurrent, Stacked
from rnn_from_scratch.layers.dropout import DropoutCache
from rnn_from_scratch.layers.stacked import StackedCache
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError

UNTRAINED = "with a generator the outputs are what they are without one: this says nothing of training"


def rng(seed=0):
    return np.random.default_rng(seed)


def xs_of(layer, steps=3):
    return rng(1).standard_normal((steps, 2, layer.input_size))


def wrong_rows(report):
    return {row.name.removesuffix(" (masked)") for row in report.rows if not row.ok}


RIGHT = {
    "recurrent": Recurrent(LSTMCell(1, 2), recurrent_dropout=0.4),
    "stacked": Stacked((Recurrent(RNNCell(1, 3)), Recurrent(RNNCell(3, 2))), dropout=0.4),
    "both ways": Bidirectional(*[Recurrent(GRUCell(1, 1), recurrent_dropout=0.4)] * 2),
    "model": SequenceModel(Recurrent(RNNCell(1, 2), recurrent_dropout=0.4), 3, "regression"),
}


@pytest.mark.parametrize("layer", RIGHT.values(), ids=RIGHT)
def test_right_dropout_passes(layer):
    report = check_layer(layer, rng=rng(5), xs=xs_of(layer), training=True)
    report.raise_if_wrong()
    assert report.method == "complex"
    assert report.worst < 1e-12
    assert not report.notes
    assert {"xs", "xs (masked)", "state[0]", "state[0] (masked)"} <= {row.name for row in report.rows}


@pytest.mark.parametrize("layer", [Dropout(0.4), Dropout(0.4, over_time=True)], ids=str)
def test_dropout_itself_on_the_inputs_given(layer):
    for training in (False, True):
        report = check_layer(layer, rng=rng(), xs=rng(1).standard_normal((4, 3, 2)), training=training)
        report.raise_if_wrong()
        assert [(row.name, row.shape) for row in report.rows] == [("xs", (4, 3, 2))]
        assert not report.notes


# Mistakes that no check at inference can see


class ForgetsMask(Stacked):
    """Its backward leaves out the dropout between the layers."""

    def backward(self, params, dhs, cache, dfinal_state=None):
        ones = [DropoutCache(np.ones_like(dropped.mask)) for dropped in cache.dropouts]
        return super().backward(params, dhs, StackedCache(cache.layers, ones), dfinal_state)


class ForgetsRows(Recurrent):
    """Multiplies with the thinned matrix, and gives the gradient of that matrix as the whole one's."""

    def backward(self, params, dhs, cache, dfinal_state=None):
        if cache.dropped is not None:
            params = {**params, "W_hh": params["W_hh"] * cache.dropped}
        return super().backward(params, dhs, cache._replace(dropped=None), dfinal_state)


class ForgetsMatrix(Recurrent):
    """Goes back through the whole matrix."""

    def backward(self, params, dhs, cache, dfinal_state=None):
        dropped = None if cache.dropped is None else np.ones_like(cache.dropped)
        return super().backward(params, dhs, cache._replace(dropped=dropped), dfinal_state)


class DrawsAnew(Dropout):
    """Its backward draws a mask of its own."""

    def backward(self, params, dys, cache):
        return self.forward({}, dys, rng=rng(9))[0] if (cache.mask != 1).any() else dys.copy(), {}


class KeepsMask(Dropout):
    """Keeps the mask beside the cache: the next forward overwrites it."""

    kept = None

    def forward(self, params, xs, *, rng=None):
        ys, cache = super().forward(params, xs, rng=rng)
        type(self).kept = cache
        return ys, cache

    def backward(self, params, dys, cache):
        return super().backward(params, dys, type(self).kept)


class KeepsRows(Recurrent):
    """The same mistake with the recurrent mask."""

    kept = None

    def forward(self, params, xs, state=None, mask=None, *, rng=None):
        answer = super().forward(params, xs, state, mask, rng=rng)
        type(self).kept = answer[2].dropped
        return answer

    def backward(self, params, dhs, cache, dfinal_state=None):
        return super().backward(params, dhs, cache._replace(dropped=type(self).kept), dfinal_state)


class ScalesAtInference(Dropout):
    """The paper's own way round, in training: no 1/(1 − rate) in the backward."""

    def backward(self, params, dys, cache):
        return dys * (cache.mask != 0), {}


@pytest.mark.parametrize(
    ("layer", "rows"),
    [
        (ForgetsMask((Recurrent(RNNCell(1, 3)), Recurrent(RNNCell(3, 2))), 0.4),
         {"layer0.W_xh", "layer0.W_hh", "layer0.b_h", "xs", "state[1]"}),
        (ForgetsRows(RNNCell(1, 2), recurrent_dropout=0.5), {"W_hh"}),
        (ForgetsMatrix(RNNCell(1, 2), recurrent_dropout=0.5), {"W_xh", "W_hh", "b_h", "xs", "state[0]"}),
        (KeepsRows(RNNCell(1, 3), recurrent_dropout=0.5), {"W_xh", "W_hh", "b_h", "xs", "state[0]"}),
    ],
    ids=["between the layers", "rows", "matrix", "kept"],
)
def test_a_forgotten_mask_is_told_by_its_rows(layer, rows):
    check_layer(layer, rng=rng(5), xs=xs_of(layer)).raise_if_wrong()  # at inference there is nothing to see
    report = check_layer(layer, rng=rng(5), xs=xs_of(layer), training=True)
    assert not report.ok
    assert wrong_rows(report) == rows


@pytest.mark.parametrize("kind", [DrawsAnew, KeepsMask, ScalesAtInference])
def test_a_dropout_with_another_mask_is_told(kind):
    layer = kind(0.4)
    xs = rng(1).standard_normal((4, 3, 2))
    check_layer(layer, rng=rng(), xs=xs).raise_if_wrong()
    assert wrong_rows(check_layer(layer, rng=rng(), xs=xs, training=True)) == {"xs"}


# What proves nothing, and what is refused


def test_a_layer_that_draws_nothing_is_noted():
    for layer, cases in ((Recurrent(RNNCell(1, 2)), ("", " (masked)")), (Dense(3, 2), ("",)), (LayerNorm(2), ("",))):
        report = check_layer(layer, rng=rng(), xs=xs_of(layer), training=True)
        report.raise_if_wrong()
        assert report.notes == [UNTRAINED + case for case in cases]
        assert UNTRAINED in str(report)
        assert not check_layer(layer, rng=rng(), xs=xs_of(layer)).notes


class Undrawn(Dense):
    def forward(self, params, xs):
        return super().forward(params, xs)


def test_a_forward_without_rng_has_no_training():
    report = check_layer(Undrawn(3, 2), rng=rng(), training=True)
    assert report.findings == ["forward takes no rng, which is what draws in training"]
    check_layer(Undrawn(3, 2), rng=rng()).raise_if_wrong()


@pytest.mark.parametrize("value", [1, None, "yes"])
def test_training_is_yes_or_no(value):
    with pytest.raises(ArgumentError) as caught:
        check_layer(Dropout(0.5), rng=rng(), training=value)
    assert str(caught.value) == f"check_layer: training is {value!r}, expected one of False, True."


def test_a_layer_without_a_size_needs_its_inputs():
    with pytest.raises(ArgumentError) as caught:
        check_layer(Dropout(0.5), rng=rng())
    because = "because Dropout has no input_size by which to draw them."
    assert str(caught.value) == f"check_layer: xs is None, expected inputs to check at {because}"


def test_one_seed_one_report():
    layer = Recurrent(RNNCell(1, 2), recurrent_dropout=0.4)
    reports = [check_layer(layer, rng=rng(seed), xs=xs_of(layer), training=True) for seed in (5, 5, 6)]
    numbers = [[row.analytic for row in report.rows] for report in reports]
    assert numbers[0] == numbers[1]
    assert numbers[0] != numbers[2]
