"""Saliency: gradients against the complex step, attributions that sum up, inputs taken away one by one."""

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.data import lamp
from rnn_from_scratch.gradcheck import numerical_gradient
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.looking import input_gradient, integrated_gradients, occlusion
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, D, H, K = 5, 2, 3, 4, 2
RNG = np.random.default_rng(0)
XS = RNG.standard_normal((T, N, D))
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 1, 0]], bool).T
READOUT = np.array([1.0, -0.5])


def made(cell, outputs="many-to-many"):
    model = SequenceModel(Recurrent(cell), K, outputs=outputs)
    rng = np.random.default_rng(1)
    params = {
        layer: {name: 0.7 * rng.standard_normal(array.shape) for name, array in weights.items()}
        for layer, weights in model.init_params(rng=rng).items()
    }
    return model, params


def score(model, params, xs, at=-1, mask=None):
    logits = model.forward(params, xs, None, mask)[0]
    return (logits if logits.ndim == 2 else logits[at]) @ READOUT


@pytest.mark.parametrize("cell", [RNNCell(D, H), LSTMCell(D, H), GRUCell(D, H)], ids=["rnn", "lstm", "gru"])
@pytest.mark.parametrize(("at", "outputs"), [(-1, "many-to-many"), (2, "many-to-many"), (-1, "many-to-one")])
def test_gradient_by_finite_differences(cell, at, outputs):
    model, params = made(cell, outputs)
    for mask in (None, MASK):
        if mask is not None and outputs == "many-to-many":
            continue  # the second sequence's last output is padding
        found = input_gradient(model, params, XS, READOUT, at, mask=mask)
        expected = numerical_gradient(lambda xs, mask=mask: score(model, params, xs, at, mask).sum(), XS, "complex")
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
        central = numerical_gradient(lambda xs, mask=mask: score(model, params, xs, at, mask).sum(), XS, "central")
        np.testing.assert_allclose(found, central, rtol=1e-7, atol=1e-8)
        assert not found[at + 1 if at >= 0 else T :].any()  # the future is not looked at
        assert mask is None or not found[~mask].any()


def test_a_whole_number_reads_one_logit():
    model, params = made(RNNCell(D, H))
    found = [input_gradient(model, params, XS, k) for k in (0, 1)]
    np.testing.assert_allclose(input_gradient(model, params, XS, READOUT), found[0] - 0.5 * found[1], rtol=1e-13)


@pytest.mark.parametrize("baseline", [0.0, 0.3 * np.ones((T, 1, D))])
def test_integrated_gradients_leave_nothing_over(baseline):
    model, params = made(LSTMCell(D, H))
    found = integrated_gradients(model, params, XS, READOUT, baseline=baseline, points=200)
    whole = score(model, params, XS) - score(model, params, np.broadcast_to(baseline, XS.shape).copy())
    np.testing.assert_allclose(found.sum(axis=(0, 2)), whole, rtol=1e-4)
    coarse = integrated_gradients(model, params, XS, READOUT, baseline=baseline, points=20)
    errors = [np.abs(rough.sum(axis=(0, 2)) - whole).max() for rough in (coarse, found)]
    assert 50 < errors[0] / errors[1] < 200  # the midpoint rule: ten times the points, a hundredth of the error


def test_integrated_gradients_of_padding_are_none():
    model, params = made(RNNCell(D, H), "many-to-one")
    holey = np.where(MASK[..., None], XS, np.nan)
    found = integrated_gradients(model, params, holey, READOUT, mask=MASK)
    assert not found[~MASK].any()
    np.testing.assert_allclose(found[:, 1][MASK[:, 1]],
                               integrated_gradients(model, params, XS[MASK[:, 1], 1:], READOUT)[:, 0], rtol=1e-12)


def test_occlusion_is_the_difference_of_two_runs():
    model, params = made(GRUCell(D, H))
    found = occlusion(model, params, XS, READOUT, 3, fill=0.2)
    for t in range(T):
        changed = XS.copy()
        changed[t] = 0.2
        np.testing.assert_allclose(found[t], score(model, params, XS, 3) - score(model, params, changed, 3), rtol=1e-12)
    assert not found[4].any()
    assert occlusion(model, params, XS, READOUT, 3).shape == (T, N)


def test_where_a_net_is_linear_gradient_and_occlusion_agree():
    """A chain of small numbers: tanh is the identity there to 1e-9, and gradient times input is the whole answer."""
    model, params = made(RNNCell(D, H))
    params["recurrent"] = {**params["recurrent"], "b_h": np.zeros(H)}
    small = 1e-5 * XS
    gradient = (input_gradient(model, params, small, READOUT) * small).sum(axis=2)
    np.testing.assert_allclose(occlusion(model, params, small, READOUT), gradient, rtol=1e-4, atol=1e-14)


def test_the_lamp_hides_its_switch_from_the_gradient():
    """After a hundred holds the switch decides all, and its gradient is 8e-14."""
    params, _, _, state = lamp()
    model = SequenceModel(Recurrent(RNNCell(1, 1)), 1, task="regression")
    xs = np.full((101, 1, 1), 0.5)
    xs[0] = 1.5
    gradient = input_gradient(model, params, xs, 0, state=state)
    taken = occlusion(model, params, xs, 0, state=state, fill=-0.5)
    assert abs(gradient[0].item()) < 1e-12
    np.testing.assert_allclose(taken[0], 1.0, rtol=1e-9)  # y from 1 to 0


def test_nothing_is_changed_and_float32_stays():
    model, params = made(RNNCell(D, H))
    before = XS.copy()
    small = {layer: {name: w.astype(np.float32) for name, w in weights.items()} for layer, weights in params.items()}
    for function in (input_gradient, integrated_gradients, occlusion):
        assert function(model, small, XS.astype(np.float32), 0).dtype == np.float32
        function(model, params, XS, 0)
    np.testing.assert_array_equal(XS, before)


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"model": RNNCell(D, H)}, DtypeError, "model is RNNCell.*a model with forward and backward"),
    ({"xs": np.zeros((T, N), int)}, DtypeError, r"xs has dtype int64.*one_hot"),
    ({"xs": XS[0]}, ShapeError, r"xs has shape \(2, 3\)"),
    ({"xs": XS * np.nan}, ArgumentError, r"xs\[0, 0, 0\] is nan"),
    ({"readout": 2}, ArgumentError, "readout is 2, expected 0 … 1 because the model has 2 outputs"),
    ({"readout": -1}, ArgumentError, "readout is -1"),
    ({"readout": True}, DtypeError, "readout is True"),
    ({"readout": [1.0]}, ShapeError, r"readout has shape \(1,\), expected \(2,\)"),
    ({"readout": [1.0, np.nan]}, ArgumentError, r"readout\[1\] is nan"),
    ({"readout": "a"}, DtypeError, "readout is 'a'"),
    ({"at": 5}, ArgumentError, "at is 5, expected a step from -5 to 4"),
    ({"at": 1.0}, ArgumentError, "at is 1.0, expected a whole number"),
])
@pytest.mark.parametrize("function", [input_gradient, integrated_gradients, occlusion])
def test_bad_input_is_explained(function, change, error, message):
    model, params = made(RNNCell(D, H))
    arguments = {"model": model, "params": params, "xs": XS, "readout": READOUT, **change}
    with pytest.raises(error, match=message):
        function(**arguments)


def test_more_bad_input():
    model, params = made(RNNCell(D, H), "many-to-one")
    with pytest.raises(ArgumentError, match=r"at is 2, expected −1.*a many-to-one model puts out once"):
        input_gradient(model, params, XS, 0, 2)
    with pytest.raises(ShapeError, match=r"baseline has shape \(4,\), expected one that broadcasts to \(5, 2, 3\)"):
        integrated_gradients(model, params, XS, 0, baseline=np.zeros(4))
    with pytest.raises(ArgumentError, match="points is 0"):
        integrated_gradients(model, params, XS, 0, points=0)
    with pytest.raises(ArgumentError, match="fill is nan"):
        occlusion(model, params, XS, 0, fill=np.nan)
    with pytest.raises(DtypeError, match="fill has dtype <U1"):
        occlusion(model, params, XS, 0, fill="a")
    with pytest.raises(DtypeError, match="xs"):
        input_gradient(model, params, XS.astype(int), 0)
