"""Every check that fails ends with a name for the mistake, in the words of the code under test."""

import html

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_map
from rnn_from_scratch.attention import MultiplicativeAttention
from rnn_from_scratch.cells import (
    CoupledLSTMCell,
    GRUCell,
    GRUDCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LowRankRNNCell,
    LSTMCell,
    LuongCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
)
from rnn_from_scratch.diagnosis import check_cell, check_layer, check_step, own_cell, own_cell_solution
from rnn_from_scratch.diagnosis.faults import FAULTS
from rnn_from_scratch.layers import Recurrent, Stacked

RIGHT = "with a loss at the outputs alone, and without a mask, its gradients are right"


def rng(seed=0):
    return np.random.default_rng(seed)


def title(report):
    """The line that names the mistake."""
    assert not report.ok, "it was accepted"
    assert str(report).endswith(report.explanation), "the diagnosis stands at the end"
    return next(line for line in report.explanation.splitlines() if line.startswith("Wrong: "))


# What is right


@pytest.mark.parametrize("cell", [RNNCell(3, 4), LSTMCell(3, 4, peepholes=True), GRUCell(3, 4), IndRNNCell(3, 4),
                                  CoupledLSTMCell(3, 4), LowRankRNNCell(3, 4, 2), LowRankLSTMCell(3, 4, 2),
                                  MinGRUCell(3, 4), MinLSTMCell(3, 4), GRUDCell(3, 4),
                                  own_cell_solution(own_cell("Ada Lovelace"))], ids=lambda cell: type(cell).__name__)
def test_what_is_right_gets_no_explanation(cell):
    for report in (check_cell(cell, rng=rng()), check_layer(Recurrent(cell), rng=rng())):
        assert report.ok
        assert report.explanation == ""
        assert "Diagnosis" not in str(report)
        assert "<pre>" not in report._repr_html_()


# Cells


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_is_called_by_its_own_name(kind):
    for report in (check_cell(FAULTS[kind](3, 4), rng=rng()),
                   check_layer(Recurrent(FAULTS[kind](3, 4), engine="stepwise"), rng=rng())):
        assert title(report).startswith(f"Wrong: {kind}")
        assert "compared with RNNCell(input_size=3, hidden_size=4, activation='tanh')" in report.explanation


class NoCellCarry(LSTMCell):
    def step_backward(self, params, dstate, cache):
        (dh, dc), delta = super().step_backward(params, dstate, cache)
        return (dh, 0 * dc), delta


class NoCarry:
    """The first part of the state is not carried back; any cell."""

    def step_backward(self, params, dstate, cache):
        (dh, *rest), delta = super().step_backward(params, dstate, cache)
        return (0 * dh, *rest), delta


class HalfUpdate(NoCarry, GRUCell):
    pass


class Normed(NoCarry, LayerNormLSTMCell):
    pass


class Independent(NoCarry, IndRNNCell):
    pass


class Thin(NoCarry, LowRankRNNCell):
    pass


class ThinGates(NoCarry, LowRankLSTMCell):
    pass


class Coupled(NoCarry, CoupledLSTMCell):
    pass


class Minimal(NoCarry, MinGRUCell):
    pass


class MinimalGates(NoCarry, MinLSTMCell):
    pass


@pytest.mark.parametrize(("cell", "kind", "reference"), [
    (NoCellCarry(3, 4), "cell-carry-dropped", "LSTMCell(input_size=3"),
    (HalfUpdate(3, 4), "carry-dropped", "GRUCell(input_size=3"),
    (Normed(3, 4), "carry-dropped", "LayerNormLSTMCell("),
    (Independent(3, 4), "carry-dropped", "IndRNNCell("),
    (Thin(3, 4, 2, "sigmoid"), "carry-dropped", "LowRankRNNCell(input_size=3, hidden_size=4, rank=2, activation='sig"),
    (ThinGates(3, 4, 2), "carry-dropped", "LowRankLSTMCell("), (Coupled(3, 4), "carry-dropped", "CoupledLSTMCell("),
    (Minimal(3, 4), "carry-dropped", "MinGRUCell("), (MinimalGates(3, 4), "carry-dropped", "MinLSTMCell("),
    (FAULTS["carry-dropped"](3, 4, "relu"), "carry-dropped", "activation='relu'"),
], ids=lambda value: value if isinstance(value, str) else type(value).__name__)
def test_a_subclass_is_compared_with_the_cell_that_it_computes(cell, kind, reference):
    report = check_cell(cell, rng=rng())
    assert title(report).startswith(f"Wrong: {kind}")
    assert reference in title(report)


def test_a_cell_of_one_s_own_has_the_generic_names():
    for name in ("Ada Lovelace", "Emmy Noether"):
        right = own_cell_solution(own_cell(name))

        def dropped(params, dstate, cache, right=right):
            (dh,), delta = right.step_backward(params, dstate, cache)
            return (0 * dh,), delta

        def negative(params, xs, caches, deltas, right=right):
            dxs, grads = right.param_grads(params, xs, caches, deltas)
            return dxs, {**grads, "W_hh": -grads["W_hh"]}

        report = check_cell(right.with_backward(dropped, right.param_grads), rng=rng())
        assert title(report) == (
            "Wrong: perhaps carry-dropped (from two steps on), compared with differences of its own losses.")
        report = check_cell(right.with_backward(right.step_backward, negative), rng=rng())
        assert title(report).startswith("Wrong: sign (W_hh), compared with differences of its own losses")


# Layers


class MyLayer:
    """A layer that shares nothing with the package's but the contract: h_t = tanh(x_t U + h_{t−1} V)."""

    input_size, hidden_size = 3, 4

    def __init__(self, mistake=None):
        self.mistake = mistake

    def init_params(self, *, rng, dtype=np.float64):
        return {"U": rng.standard_normal((3, 4)).astype(dtype), "V": rng.standard_normal((4, 4)).astype(dtype)}

    def initial_state(self, batch_size, dtype=np.float64):
        return (np.zeros((batch_size, 4), dtype),)

    def forward(self, params, xs, state=None, mask=None):
        dtype = np.result_type(xs, params["U"])
        mask = np.ones(xs.shape[:2], bool) if mask is None else mask
        xs = np.where(mask[:, :, None], xs, 0)
        (h,) = self.initial_state(xs.shape[1], dtype) if state is None else state
        hs, kept = [], []
        for x, keep in zip(xs, mask[:, :, None], strict=True):
            new = np.tanh(x @ params["U"] + h @ params["V"])
            kept.append((h, new))
            h = np.where(keep, new, h)
            hs.append(h)
        return np.stack(hs), (h,), (xs, mask, kept)

    def backward(self, params, dhs, cache, dfinal_state=None):
        xs, mask, kept = cache
        if self.mistake == "mask":
            mask = np.ones_like(mask)
        dh = np.zeros_like(dhs[0])
        if dfinal_state is not None and self.mistake != "final":
            dh = dh + dfinal_state[0]
        grads, dxs = {"U": 0, "V": 0}, np.zeros_like(xs)
        for t in reversed(range(len(xs))):
            h_prev, new = kept[t]
            dh = dh + dhs[t]
            da = np.where(mask[t][:, None], dh * (1 - new**2), 0)
            grads = {"U": grads["U"] + xs[t].T @ da, "V": grads["V"] + h_prev.T @ da}
            dxs[t] = da @ params["U"].T
            back = da @ (params["V"] if self.mistake == "straight" else params["V"].T)
            if self.mistake == "dropped":
                back = 0 * back
            dh = back + np.where(mask[t][:, None], 0, dh)
        if self.mistake == "sign":
            grads["V"] = -grads["V"]
        return dxs, (dh,), grads


def test_a_layer_of_one_s_own_is_right_first_of_all():
    check_layer(MyLayer(), rng=rng()).raise_if_wrong()


@pytest.mark.parametrize(("mistake", "name"), [
    ("dropped", "Wrong: perhaps carry-dropped (from two steps on)"), ("sign", "Wrong: sign (V)"),
    ("straight", "Wrong: perhaps carry-dropped (from two steps on)"),  # without a reference: the way back, no more
])
def test_a_layer_of_one_s_own_is_named(mistake, name):
    report = check_layer(MyLayer(mistake), rng=rng())
    assert title(report).startswith(name)
    assert "b_h" not in report.explanation, "it has none"


@pytest.mark.parametrize("mistake", ["mask", "final"])
def test_what_is_wrong_only_with_a_mask_or_a_final_gradient_is_told_so(mistake):
    report = check_layer(MyLayer(mistake), rng=rng())
    assert not report.ok
    assert RIGHT in report.explanation
    assert "a mask, a gradient of the final state" in report.explanation
    assert "Wrong: " not in report.explanation


class WrongWithMask(Recurrent):
    def backward(self, params, dhs, cache, dfinal_state=None):
        if cache.mask is not None:
            dhs = 2 * dhs
        return super().backward(params, dhs, cache, dfinal_state)


def test_a_subclass_of_the_package_s_layer_too():
    assert RIGHT in check_layer(WrongWithMask(GRUCell(3, 4)), rng=rng()).explanation


class Squeezed(Recurrent):
    """Its outputs are not (N, H): no output layer of ours fits on it."""

    def forward(self, params, xs, state=None, mask=None):
        hs, final, cache = super().forward(params, xs, state, mask)
        return hs[..., :2], final, cache

    def backward(self, params, dhs, cache, dfinal_state=None):
        whole = np.concatenate([dhs, 0 * dhs], axis=-1)
        return super().backward(params, -whole, cache, dfinal_state)


def test_what_is_no_plain_cell_gets_no_diagnosis_and_no_crash():
    """Nested parameters, outputs of another width, and names that our output layer needs itself."""
    class Negative(Stacked):
        def backward(self, params, dhs, cache, dfinal_state=None):
            dxs, dstate, grads = super().backward(params, dhs, cache, dfinal_state)
            return dxs, dstate, tree_map(np.negative, grads)

    stacked = Negative((Recurrent(RNNCell(3, 4)), Recurrent(RNNCell(4, 5))))
    for layer in (stacked, Squeezed(RNNCell(3, 4))):
        report = check_layer(layer, rng=rng())
        assert not report.ok
        assert report.explanation == ""
        assert "WRONG" in str(report)


def test_a_cell_with_a_memory_gets_no_diagnosis_and_no_crash():
    class Negative(LuongCell):
        def param_grads(self, params, xs, caches, deltas):
            dxs, grads = super().param_grads(params, xs, caches, deltas)
            return -dxs, grads

    report = check_cell(Negative(RNNCell(3, 4), MultiplicativeAttention(4, 5)), rng=rng())
    assert "xs" in {row.name for row in report.rows if not row.ok}
    assert report.explanation == ""


# Two functions


SHAPES = {"Wx": (3, 4), "Wh": (4, 4), "b": (4,)}


def forward(params, x, h_prev):
    return np.tanh(x @ params["Wx"] + h_prev @ params["Wh"] + params["b"])


def backward(params, x, h_prev, dh, mistake=None):
    delta = dh * (1 - forward(params, x, h_prev) ** (1 if mistake == "slope" else 2))
    grads = {"Wx": x.T @ delta, "Wh": h_prev.T @ delta, "b": delta.sum(axis=0)}
    back = delta @ (params["Wh"] if mistake == "straight" else params["Wh"].T)
    if mistake == "bias":
        grads["b"] = delta.mean(axis=0)
    return delta @ params["Wx"].T, 0 * back if mistake == "dropped" else back, grads


@pytest.mark.parametrize(("mistake", "kind"), [
    ("slope", "activation-derivative"), ("straight", "recurrent-matrix"), ("dropped", "carry-dropped"),
    ("bias", "scale (b_h"),
])
def test_two_step_functions_are_named_in_their_own_words(mistake, kind):
    report = check_step(forward, lambda *arguments: backward(*arguments, mistake), SHAPES, rng=rng())
    assert title(report).startswith(f"Wrong: {kind}")
    assert report.explanation.endswith("(Here W_xh is your Wx, W_hh is your Wh, b_h is your b.)")


def test_the_package_s_names_need_no_translation():
    ours = {"Wx": "W_xh", "Wh": "W_hh", "b": "b_h"}

    def theirs(params):
        return {name: params[own] for name, own in ours.items()}

    def named_backward(params, x, h_prev, dh):
        dx, dh_prev, grads = backward(theirs(params), x, h_prev, dh, "dropped")
        return dx, dh_prev, {ours[name]: gradient for name, gradient in grads.items()}

    report = check_step(lambda params, *rest: forward(theirs(params), *rest), named_backward,
                        {ours[name]: shape for name, shape in SHAPES.items()}, rng=rng())
    assert title(report).startswith("Wrong: carry-dropped")
    assert "(Here " not in report.explanation


def test_right_step_functions_get_none():
    assert check_step(forward, backward, SHAPES, rng=rng()).explanation == ""


def test_a_parameter_called_as_the_output_layer_s_gets_no_diagnosis():
    shapes = {"W_hy": (4,)}

    def back(params, x, h_prev, dh):
        return 0 * x, -dh * params["W_hy"], {"W_hy": (dh * h_prev).sum(axis=0)}

    report = check_step(lambda params, x, h_prev: h_prev * params["W_hy"], back, shapes, rng=rng())
    assert not report.ok
    assert report.explanation == ""


# The page


def test_the_html_holds_it_escaped():
    def raising(params, x, h_prev, dh):
        if len(x) == 3:  # not at the check's own size
            raise ValueError("<b>bold & wrong</b>")
        return backward(params, x, h_prev, dh, "dropped")

    report = check_step(forward, raising, SHAPES, rng=rng())
    page = report._repr_html_()
    assert "<b>bold" in report.explanation
    assert "<b>bold" not in page
    assert f"<pre>{html.escape(report.explanation)}</pre>" in page


class Unfaded(GRUDCell):
    """The state's gradient does not pass the decay."""

    def step_backward(self, params, dstate, cache):
        (dh,), delta = super().step_backward(params, dstate, cache)
        return (dh / np.exp(-cache.wear),), delta


def test_a_cell_whose_inputs_come_in_threes_is_asked_with_as_many():
    report = check_cell(Unfaded(3, 4), rng=rng())
    assert title(report).startswith("Wrong: wrong-gate, compared with GRUDCell(input_size=3, hidden_size=4)")
    assert "dh_prev is changed to ddecayed" in report.explanation
