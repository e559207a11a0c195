"""Inference without a cache gives the forward's own numbers, in layers of layers and in models too."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.cells import GRUCell, IndRNNCell, LSTMCell, RNNCell
from rnn_from_scratch.layers import Bidirectional, Recurrent, Stacked
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError

D, H, N, T = 3, 4, 5, 6
BOTH = Bidirectional(Recurrent(GRUCell(D, H)), Recurrent(GRUCell(D, H)))
LAYERS = {
    "one": Recurrent(LSTMCell(D, H)), "stacked": Stacked((Recurrent(LSTMCell(D, 2)), Recurrent(LSTMCell(2, H))), 0.5),
    "both ways": BOTH, "both ways, stacked": Stacked((BOTH, Recurrent(RNNCell(2 * H, H)))),
    "without a kernel": Stacked((Recurrent(IndRNNCell(D, H)), Recurrent(GRUCell(H, H, reset_after=False)))),
}


class Plain(Recurrent):
    """A layer of one's own that knows of no inference."""

    infer = property()


LAYERS["of one's own"] = Stacked((Plain(RNNCell(D, H)), Recurrent(RNNCell(H, H))))


@pytest.mark.parametrize("given", [False, True], ids=["bare", "state and mask"])
@pytest.mark.parametrize("name", LAYERS)
def test_infer_is_forward_without_the_cache(name, given):
    layer, rng = LAYERS[name], np.random.default_rng(0)
    params, xs, state, mask = layer.init_params(rng=rng), rng.standard_normal((T, N, D)), None, None
    if given:
        state = tuple(rng.standard_normal(part.shape) for part in layer.initial_state(N))
        mask = np.arange(T)[:, None] < rng.integers(0, T + 1, N)
    hs, final, _ = layer.forward(params, xs, state, mask)
    inferred = layer.infer(params, xs, state, mask)
    assert len(inferred) == 2
    for (_, got), (_, wanted) in zip(leaves(inferred), leaves((hs, final)), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("outputs", ["many-to-many", "many-to-one"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_model_predicts_what_its_forward_says(name, outputs):
    rng = np.random.default_rng(0)
    model = SequenceModel(LAYERS[name], 2, "regression", outputs)
    params, xs = model.init_params(rng=rng), rng.standard_normal((T, N, D))
    np.testing.assert_array_equal(model.predict(params, xs), model.forward(params, xs)[0])


@pytest.mark.parametrize("name", ["stacked", "both ways"])
def test_infer_refuses_what_forward_refuses(name):
    layer = LAYERS[name]
    params = layer.init_params(rng=np.random.default_rng(0))
    bad = (
        (params, np.ones((T, N, D + 1))), (params, np.ones((T, D))), ({}, np.ones((T, N, D))),
        (params, np.ones((T, N, D)), (np.ones((N, H)),)), (params, np.ones((T, N, D)), None, np.ones((T, N))),
        (params, np.full((T, N, D), np.nan)),
    )
    for arguments in bad:
        with pytest.raises(ArgumentError) as from_forward:
            layer.forward(*arguments)
        with pytest.raises(ArgumentError) as from_infer:
            layer.infer(*arguments)
        assert str(from_infer.value) == str(from_forward.value).replace(".forward:", ".infer:")
