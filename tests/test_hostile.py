"""What a hostile user found once, and must not find again: silent wrong results and bare exceptions."""

import re

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
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
from rnn_from_scratch.data import (
    article_data,
    bucketed_batches,
    fading_sum_data,
    laugh_letters,
    minibatches,
    one_hot,
    recall_data,
)
from rnn_from_scratch.diagnosis import check_model
from rnn_from_scratch.layers import Bidirectional, Dense, Embedding, LayerNorm, Recurrent, Stacked
from rnn_from_scratch.losses import mean_squared_error, softmax_cross_entropy
from rnn_from_scratch.models import (
    Bridge,
    LanguageModel,
    SequenceClassifier,
    SequenceModel,
    TokenEncoder,
    truncated_bptt,
    windows,
)
from rnn_from_scratch.optim import (
    Adam,
    GradientDescent,
    Momentum,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
)
from rnn_from_scratch.training import fit
from rnn_from_scratch.validate import ArgumentError

RNG = np.random.default_rng(0)
CELL = RNNCell(2, 4)
LAYER = Recurrent(CELL)
MODEL = SequenceModel(LAYER, 3)
PARAMS = MODEL.init_params(rng=np.random.default_rng(1))
XS = RNG.standard_normal((5, 3, 2))
TARGETS = RNG.integers(0, 3, (5, 3))


def test_one_hot_targets_of_a_square_batch_are_cut_by_sequence():
    """(N, K) with N = T = K looks like (T, N): fit knows which it is, minibatches alone must not guess."""
    model = SequenceModel(Recurrent(RNNCell(2, 4)), 3, outputs="many-to-one")
    params = model.init_params(rng=np.random.default_rng(0))
    xs = np.random.default_rng(1).standard_normal((3, 3, 2))
    results = [
        fit(model, params, xs, targets, GradientDescent(0.5), epochs=20, batch_size=2, rng=np.random.default_rng(2))
        for targets in (np.eye(3), np.arange(3))
    ]
    assert results[0][1].losses == pytest.approx(results[1][1].losses, abs=1e-12)
    with pytest.raises(ArgumentError, match=r"one target a step or K numbers a sequence\. Say over_time=True"):
        minibatches(xs, np.eye(3))
    (batch,) = minibatches(xs, np.eye(3)[[0, 2, 1]], over_time=False)
    assert np.array_equal(batch.targets, np.eye(3)[[0, 2, 1]])


def test_fit_counts_the_targets_that_the_target_mask_counts():
    xs, targets, counted = recall_data(rng=np.random.default_rng(0), lag=3, N=7)
    model = SequenceModel(Recurrent(RNNCell(5, 6)), 4)
    params = model.init_params(rng=np.random.default_rng(1))
    _, history = fit(model, params, xs, targets, GradientDescent(1e-9), epochs=1, batch_size=3, target_mask=counted)
    whole = model.loss_and_grads(params, xs, targets, target_mask=counted)[0]
    assert history.epoch_losses[0] == pytest.approx(whole, abs=1e-7)
    other = counted.copy()
    other[-1, :4] = False
    weights = [batch.weight for batch in minibatches(xs, targets, 4, target_mask=other)]
    assert weights == [0.0, 1.0]


def test_an_initial_state_that_is_not_zero_is_no_gradient():
    class Ones(RNNCell):
        def initial_state(self, batch_size, dtype=np.float64):
            return (np.ones((batch_size, self.hidden_size), dtype),)

    model = SequenceModel(Recurrent(Ones(3, 4)), 2, outputs="many-to-one")
    assert check_model(model, rng=np.random.default_rng(0)).ok


@pytest.mark.parametrize(
    "optimizer",
    [GradientDescent(np.float64(0.1)), Momentum(*np.array([0.1, 0.5])), Adam(*np.array([0.1, 0.9, 0.99, 1e-8]))],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_a_numpy_number_does_not_promote_float32(optimizer):
    params = {"w": np.ones(3, np.float32)}
    new, state = optimizer.update(params, params, optimizer.init(params))
    new, state = optimizer.update(new, params, state)
    assert new["w"].dtype == np.float32


@pytest.mark.parametrize("clip", [clip_by_value, clip_by_norm, clip_by_global_norm])
def test_a_numpy_threshold_does_not_promote_float32(clip):
    clipped, _ = clip({"w": np.full(3, 2.0, np.float32)}, np.float64(1.0))
    assert clipped["w"].dtype == np.float32


def test_windows_do_not_share_their_states_with_the_caller():
    results = []
    for spoil in (False, True):
        grads = []
        for found in truncated_bptt(MODEL, PARAMS, XS, TARGETS, 1, 3):
            grads.append(found.grads["recurrent"]["W_hh"])
            if spoil:
                found.next_state[0][:] = 99.0
        results.append(np.stack(grads))
    assert np.array_equal(*results)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64])
def test_a_size_of_numpy_is_that_size(kind):
    """np.int8(40) · 4 is −96, and beside np.int64(4) a bias (1,) was broadcast: no size, it passed for a name."""
    D, H = kind(3), kind(100)
    made = [
        *(cell(D, H) for cell in (RNNCell, LSTMCell, GRUCell, IndRNNCell, LayerNormLSTMCell, CoupledLSTMCell)),
        *(cell(D, H, kind(2)) for cell in (LowRankRNNCell, LowRankLSTMCell)), MinGRUCell(D, H), MinLSTMCell(D, H),
        GRUDCell(D, H), Dense(D, H),
        Embedding(D, H), LayerNorm(H), AdditiveAttention(D, H, H), MultiplicativeAttention(D, H), Bridge(D, (H, H)),
        SequenceModel(LAYER, H), TokenEncoder(LAYER, H), SequenceClassifier(LAYER, H, D),
        LanguageModel(LAYER, H),
        LuongCell(RNNCell(D, H), MultiplicativeAttention(H, H)),
        Bidirectional(Recurrent(RNNCell(D, H)), Recurrent(RNNCell(D, H))),
    ]
    for one in made:
        assert "np." not in repr(one)  # every size is Python's own
        if hasattr(one, "param_shapes"):
            assert all(size > 0 for _, size in leaves(dict(one.param_shapes())))
    assert LSTMCell(D, H).param_shapes()["W_xh"] == (3, 400)
    assert made[-1].hidden_size == 200
    _, grads = Embedding(D, H).backward({"W_embed": np.zeros((3, 100))}, *Embedding(D, H).forward(
        {"W_embed": np.ones((3, 100))}, np.array([2, 2])))
    assert grads["W_embed"].sum(axis=1).tolist() == [0.0, 0.0, 200.0]
    for layer, params, bias in (
        (Dense(kind(2), kind(4)), {"W_hy": np.ones((2, 4)), "b_y": np.ones(1)}, "b_y"),
        (LayerNorm(kind(2)), {"gain": np.ones(2), "bias": np.ones(1)}, "bias"),
        (Recurrent(RNNCell(kind(2), kind(4))), {**PARAMS["recurrent"], "b_h": np.ones(1)}, "b_h"),
    ):
        with pytest.raises(ArgumentError, match=rf"params\['{bias}'\] has shape \(1,\), expected"):
            layer.forward(params, XS)


def test_small_integers_of_numpy_do_not_overflow():
    small, rng = np.int8(100), np.random.default_rng(0)
    lengths = [len(batch) for batch in bucketed_batches(list(range(300)), small, rng=rng, pool=np.int8(20))]
    assert lengths == [100, 100, 100]  # 20 · np.int8(100) is −48: no batch at all
    assert recall_data(rng=rng, lag=small, N=2, at=small)[0].shape == (201, 2, 5)
    assert windows(300, small, small) == windows(300, 100, 100)


def test_float32_in_a_gradient_of_the_final_state_is_not_promoted():
    for model, xs in ((SequenceModel(LAYER, 3, outputs="many-to-one"), XS), (
            SequenceClassifier(LAYER, 5, 3), np.ones((5, 3), int))):
        params = model.init_params(rng=np.random.default_rng(0))
        logits, final, cache = model.forward(params, xs)
        with pytest.raises(ArgumentError, match=r"backward: dfinal_state\[0\] is float32 beside dlogits of float64"):
            model.backward(params, logits, cache, (final[0].astype(np.float32),))


@pytest.mark.parametrize("pair", [
    (RNNCell(2, 4), RNNCell(2, 4, activation="relu")), (RNNCell(2, 4), IndRNNCell(2, 4)),
    (RNNCell(2, 4), LowRankRNNCell(2, 4, 3)), (LSTMCell(2, 4), LowRankLSTMCell(2, 4, 3)),
    (LSTMCell(2, 4), CoupledLSTMCell(2, 4)), (LowRankRNNCell(2, 4, 3), LowRankRNNCell(2, 4, 2)),
    (GRUCell(2, 4), GRUCell(2, 4, reset_after=False)), (LSTMCell(2, 4), GRUCell(2, 4)), (RNNCell(2, 4), RNNCell(3, 4)),
    (MinGRUCell(2, 4), MinLSTMCell(2, 4)), (MinGRUCell(2, 4), GRUCell(2, 4)), (GRUDCell(3, 4), GRUCell(3, 4)),
])
def test_the_cache_of_another_cell_is_refused(pair):
    """Where the cells' caches look alike, the gradients came out as numbers, and wrong."""
    for made, own in (pair, pair[::-1]):
        layer, other = Recurrent(made), Recurrent(own)
        params = layer.init_params(rng=np.random.default_rng(0))
        hs, _, cache = layer.forward(params, np.ones((5, 3, made.input_size)))
        layer.backward(params, hs, cache)
        message = re.escape(f"Recurrent.backward: cache was made by {layer}"[:110])
        with pytest.raises(ArgumentError, match=message):
            other.backward(other.init_params(rng=np.random.default_rng(0)), hs, cache)


@pytest.mark.parametrize("depths", [(1, 2), (2, 1)])
def test_the_cache_of_another_depth_is_refused(depths):
    deep, other = (Stacked((Recurrent(RNNCell(2, 2)),) * depth) for depth in depths)
    hs, _, cache = deep.forward(deep.init_params(rng=np.random.default_rng(0)), XS)
    message = f"Stacked.backward: cache holds {depths[0]} layers, expected {depths[1]} because backward needs what its"
    with pytest.raises(ArgumentError, match=message):
        other.backward(other.init_params(rng=np.random.default_rng(0)), hs, cache)


def test_generators_refuse_at_the_call():
    with pytest.raises(ArgumentError):
        minibatches(XS, TARGETS, 99)
    with pytest.raises(ArgumentError):
        truncated_bptt(MODEL, PARAMS, XS, TARGETS, 3, 2)


HS, FINAL, CACHE = LAYER.forward(PARAMS["recurrent"], XS)
YS, DENSE_CACHE = Dense(4, 3).forward(PARAMS["output"], HS)
GRADS = {"w": np.ones(2)}

REFUSED = {
    "masked array": (
        lambda: mean_squared_error(np.zeros((2, 1)), np.ma.masked_array(np.ones((2, 1)), [[True], [False]])),
        "targets is a MaskedArray, expected a plain NumPy array because .* Pass its data, and mask=~array.mask",
    ),
    "masked class targets": (
        lambda: softmax_cross_entropy(np.zeros((2, 3)), np.ma.masked_array([0, 1], [True, False])),
        "targets is a MaskedArray",
    ),
    "backward with wrong params": (
        lambda: LAYER.backward({**PARAMS["recurrent"], "W_xh": np.ones((1, 4))}, HS, CACHE),
        r"Recurrent.backward: params\['W_xh'\] has shape \(1, 4\), expected \(2, 4\)",
    ),
    "backward with another cache": (
        lambda: LAYER.backward(PARAMS["recurrent"], HS, None),
        "Recurrent.backward: cache is a NoneType, expected the RecurrentCache that forward returned",
    ),
    "dense backward with another cache": (
        lambda: Dense(4, 3).backward(PARAMS["output"], YS, CACHE), "Dense.backward: cache is a RecurrentCache",
    ),
    "dense backward with wrong params": (
        lambda: Dense(4, 3).backward({}, YS, DENSE_CACHE), r"Dense.backward: params has the keys \[\]",
    ),
    "model backward with another cache": (
        lambda: MODEL.backward(PARAMS, YS, CACHE), "SequenceModel.backward: cache is a RecurrentCache",
    ),
    "no cell": (lambda: Recurrent(None), r"Recurrent: cell is None, expected a cell, such as RNNCell\(3, 4\)"),
    "a layer without time": (lambda: SequenceModel(Dense(2, 3), 2), "SequenceModel: recurrent is Dense"),
    "integer params": (
        lambda: GradientDescent(0.1).update({"w": np.ones(2, int)}, GRADS, None), "params w has dtype int64",
    ),
    "memory of other parameters": (
        lambda: Adam().update(GRADS, GRADS, Adam().init({"w": np.ones((2, 2))})),
        r"Adam.update: state.mean has {'w': \(2, 2\)}, expected {'w': \(2,\)}",
    ),
    "memory of another optimiser": (
        lambda: Momentum(0.1).update(GRADS, GRADS, Adam().init(GRADS)),
        "Momentum.update: state is a AdamState, expected a MomentumState",
    ),
    "targets as a list": (lambda: minibatches(XS, TARGETS.tolist()), "targets is a list, expected a NumPy array"),
    "optimizer by name": (
        lambda: fit(MODEL, PARAMS, XS, TARGETS, "sgd", epochs=1), "fit: optimizer is 'sgd', expected an object with",
    ),
    "no model": (lambda: fit(None, PARAMS, XS, TARGETS, Adam(), epochs=1), "fit: model is None"),
    "a clip that is a word": (
        lambda: fit(MODEL, PARAMS, XS, TARGETS, Adam(), epochs=1, clip="norm"),
        "fit: clip is 'norm', expected a number C for the global norm, or a function",
    ),
    "a clip that returns the gradients alone": (
        lambda: fit(MODEL, PARAMS, XS, TARGETS, Adam(), epochs=1, clip=lambda grads: grads),
        "fit: clip returned a dict, expected grads, norm_before",
    ),
    "no steps": (lambda: article_data(rng=RNG, T=0), "article_data: T is 0"),
    "half a class": (lambda: article_data(rng=RNG, classes=1.5), "article_data: classes is 1.5"),
    "no inputs": (lambda: fading_sum_data(rng=RNG, D=0), "fading_sum_data: D is 0"),
    "no word": (lambda: laugh_letters(None), "laugh_letters: the word is None"),
    "a dtype that is none": (lambda: CELL.init_params(rng=RNG, dtype="abc"), "dtype is 'abc', expected float64"),
    "a state's dtype": (lambda: CELL.initial_state(2, int), "dtype is int64, expected float64 or float32"),
    "an index too large": (lambda: one_hot(np.array([0, 3]), 3), r"one_hot: indices\[1\] is 3, expected 0 … 2"),
    "no window": (lambda: list(truncated_bptt(MODEL, PARAMS, np.float64(1), TARGETS, 1, 1)), "xs is a float64"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_words(case):
    call, message = REFUSED[case]
    with pytest.raises(ArgumentError) as caught:
        call()
    assert re.search(message, str(caught.value)), str(caught.value)
