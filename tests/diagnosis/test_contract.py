"""The suite looks twice (longer sequences, other shapes, defaults) and tells what the code under test raises."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_map
from rnn_from_scratch.cells.rnn import RNNCell
from rnn_from_scratch.diagnosis import check_cell, check_layer
from rnn_from_scratch.layers import Dense, Recurrent


def rng(seed=0):
    return np.random.default_rng(seed)


def wrong_rows(report):
    return {row.name.removesuffix(" (masked)") for row in report.rows if not row.ok}


# What a first look at five steps does not see.


class LastFive(RNNCell):
    """Sums the last five steps: exactly as many as the suite's own sequences have."""

    def param_grads(self, params, xs, caches, deltas):
        dxs, grads = super().param_grads(params, xs[-5:], caches[-5:], deltas[-5:])
        return np.concatenate([0 * xs[:-5], dxs]), grads


class ClearsDeltas(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        result = super().param_grads(params, xs, caches, deltas)
        deltas.clear()
        return result


class WritesDeltas(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        result = super().param_grads(params, xs, caches, deltas)
        deltas[0][...] = 0.0
        return result


class IgnoresDtype(RNNCell):
    def initial_state(self, batch_size, dtype=np.float64):
        return (np.zeros((batch_size, self.hidden_size)),)


class OtherShapes(RNNCell):
    def init_params(self, *, rng, dtype=np.float64):
        params = super().init_params(rng=rng, dtype=dtype)
        return {**params, "W_hh": params["W_hh"][:1]}


@pytest.mark.parametrize(
    ("cell", "finding"),
    [
        (LastFive, "the gradients are wrong over 12 steps"), (ClearsDeltas, "a list handed to param_grads changed"),
        (WritesDeltas, "an argument of param_grads changed during the call"),
        (IgnoresDtype, "initial_state ignores its dtype: asked for float32 it returns float64"),
        (OtherShapes, "init_params makes {'W_xh': (3, 4), 'W_hh': (1, 4)"),
    ],
)
def test_what_hides_from_a_first_look(cell, finding):
    report = check_cell(cell(3, 4), rng=rng())
    assert not report.ok
    assert any(finding in text for text in report.findings), report.findings


class DeltaInColumns(RNNCell):
    """Right, with a delta of its own: (H, N). The suite never looks inside delta."""

    def step_backward(self, params, dstate, cache):
        dstate_prev, delta = super().step_backward(params, dstate, cache)
        return dstate_prev, delta.T

    def param_grads(self, params, xs, caches, deltas):
        return super().param_grads(params, xs, caches, [delta.T for delta in deltas])


class DeltaMixesRows(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        dxs, grads = super().param_grads(params, xs, caches, deltas)
        return dxs[:, ::-1], grads


def test_delta_is_the_cells_own():
    check_cell(DeltaInColumns(3, 4), rng=rng()).raise_if_wrong()
    check_layer(Recurrent(DeltaInColumns(3, 4)), rng=rng()).raise_if_wrong()
    assert any("mixes the rows" in text for text in check_cell(DeltaMixesRows(3, 4), rng=rng()).findings)


class StartsFromOnes(Recurrent):
    def forward(self, params, xs, state=None, mask=None, *, rng=None):
        state = (np.ones((xs.shape[1], self.hidden_size)),) if state is None else state
        return super().forward(params, xs, state, mask)


class ForgetsEmpty(Recurrent):
    def backward(self, params, dhs, cache, dfinal_state=None):
        dxs, dstate, grads = super().backward(params, dhs, cache, dfinal_state)
        if cache.mask is not None:
            dstate = tuple(part * cache.mask.any(axis=0)[:, None] for part in dstate)
        return dxs, dstate, grads


class PaddingOfDhs(Recurrent):
    """Adds up dhs times the mask, which is NaN where dhs is."""

    def backward(self, params, dhs, cache, dfinal_state=None):
        dxs, dstate, grads = super().backward(params, dhs, cache, dfinal_state)
        if cache.mask is not None:
            grads = {**grads, "b_h": grads["b_h"] + 0.0 * (dhs * cache.mask[..., None]).sum(axis=(0, 1))}
        return dxs, dstate, grads


@pytest.mark.parametrize(
    ("layer", "finding"),
    [
        (StartsFromOnes, "forward without a state does not start from initial_state"),
        (ForgetsEmpty, "the gradients are wrong with a sequence that is all padding"),
        (PaddingOfDhs, "NaN in the padding of dhs changes a gradient"),
    ],
)
def test_layers_that_are_right_at_a_first_look(layer, finding):
    report = check_layer(layer(RNNCell(3, 4)), rng=rng())
    assert not wrong_rows(report)
    assert any(finding in text for text in report.findings), report.findings


class ReturnsIt(Recurrent):
    def backward(self, params, dhs, cache, dfinal_state=None, *, input_grad=True):
        return super().backward(params, dhs, cache, dfinal_state)


class HalvesTheOthers(Recurrent):
    def backward(self, params, dhs, cache, dfinal_state=None, *, input_grad=True):
        return super().backward(params, dhs if input_grad else dhs / 2, cache, dfinal_state, input_grad=input_grad)


@pytest.mark.parametrize(
    ("layer", "finding"),
    [
        (ReturnsIt, "backward with input_grad=False returns a gradient of the inputs"),
        (HalvesTheOthers, "backward with input_grad=False returns other gradients than with it"),
    ],
)
def test_the_inputs_gradient_is_left_out_and_nothing_else(layer, finding):
    report = check_layer(layer(RNNCell(3, 4)), rng=rng())
    assert not wrong_rows(report)
    assert report.findings == [finding]


class DenseFlat(Dense):
    def backward(self, params, dys, cache):
        dxs, grads = super().backward(params, dys, cache)
        return dxs, tree_map(lambda grad: (2.0 if dys.ndim == 2 else 1.0) * grad, grads)


def test_a_dense_layer_that_is_wrong_for_one_output_a_sequence():
    report = check_layer(DenseFlat(3, 4), rng=rng())
    assert not wrong_rows(report)
    assert any("wrong for xs of shape (N, ·)" in text for text in report.findings)


def test_a_gradient_that_is_zero_everywhere_is_noted():
    class Unused(Dense):
        def forward(self, params, xs, *, rng=None):
            ys, cache = super().forward({**params, "b_y": 0 * params["b_y"]}, xs)
            return ys, cache

        def backward(self, params, dys, cache):
            dxs, grads = super().backward(params, dys, cache)
            return dxs, {**grads, "b_y": 0 * grads["b_y"]}

    report = check_layer(Unused(3, 4), rng=rng())
    report.raise_if_wrong()
    assert report.notes == ["zero everywhere at this point, which proves little: b_y"]


# Whatever the code under test returns or raises is told, never raised.


class ReturnsNone(RNNCell):
    def step_backward(self, params, dstate, cache):
        return None


class ReturnsArray(RNNCell):
    def step_backward(self, params, dstate, cache):
        (dh_prev,), delta = super().step_backward(params, dstate, cache)
        return dh_prev, delta


class StepReturnsArray(RNNCell):
    def step(self, params, x_proj, state):
        (h,), cache = super().step(params, x_proj, state)
        return h, cache


class NotWritten(RNNCell):
    def step_backward(self, params, dstate, cache):
        raise NotImplementedError("to do")


class NoGrads(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        return super().param_grads(params, xs, caches, deltas)[0], None


class RaisesLater(RNNCell):
    def param_grads(self, params, xs, caches, deltas):
        if len(deltas) > 1:
            return {}["b_h"]
        return super().param_grads(params, xs, caches, deltas)


class RaisesAtInit(RNNCell):
    def init_params(self, *, rng, dtype=np.float64):
        return rng.no_such_thing()


class StateIsArray(RNNCell):
    def initial_state(self, batch_size, dtype=np.float64):
        return np.zeros((batch_size, self.hidden_size), dtype)


@pytest.mark.parametrize(
    ("cell", "finding"),
    [
        (ReturnsNone(3, 4), "step_backward must return ((dh_prev, …), delta), got NoneType"),
        (ReturnsArray(3, 4), "its first a tuple like the state, got an array of shape (2, 4)"),
        (StepReturnsArray(3, 4), "step must return ((h, …), cache), its first a tuple like the state, got an array"),
        (NotWritten(3, 4), "it raised NotImplementedError: to do (in step_backward, line"),
        (NoGrads(3, 4), "param_grads' grads must be a dictionary of arrays, got NoneType"),
        (RaisesLater(3, 4), "it raised KeyError: 'b_h' (in param_grads, line"),
        (RaisesAtInit(3, 4), "it raised AttributeError: 'numpy.random._generator.Generator' object has no attribute"),
        (StateIsArray(3, 4), "initial_state must return a tuple (h, …), got an array of shape (2, 4)"),
        (RNNCell, "RNNCell is a class, not a cell: make one, such as RNNCell(3, 4)"),
        (Recurrent(RNNCell(3, 4)), "Recurrent is no cell: it has no project, step"), (None, "NoneType is no cell"),
    ],
)
def test_a_cell_never_raises_through_the_check(cell, finding):
    report = check_cell(cell, rng=rng())
    assert not report.ok
    assert any(finding in text for text in report.findings), report.findings
    assert finding in str(report)


class TwoThings(Recurrent):
    def backward(self, params, dhs, cache, dfinal_state=None):
        return super().backward(params, dhs, cache, dfinal_state)[:2]


@pytest.mark.parametrize(
    ("layer", "finding"),
    [
        (TwoThings(RNNCell(3, 4)), "backward must return (dxs, dstate, grads), got a tuple of 2"),
        (RNNCell(3, 4), "RNNCell is no layer: it has no forward, backward"), (3, "int is no layer"),
    ],
)
def test_a_layer_never_raises_through_the_check(layer, finding):
    report = check_layer(layer, rng=rng())
    assert not report.ok
    assert any(finding in text for text in report.findings), report.findings


@pytest.mark.parametrize(
    "call", [lambda: check_cell(RNNCell(3, 4)), lambda: check_cell(RNNCell(3, 4), rng()), lambda: check_layer()]
)
def test_a_wrong_call_of_the_check_itself_is_no_finding(call):
    with pytest.raises(TypeError, match="argument"):
        call()
