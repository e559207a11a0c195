"""The classifier of token sequences: each sequence by hand, both ways, empty ones, dropout, every refusal."""

import math

import numpy as np
import pytest

from rnn_from_scratch.activations import softmax
from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import check_model
from rnn_from_scratch.layers import Bidirectional, Recurrent, Stacked
from rnn_from_scratch.models import SequenceClassifier, SequenceModel
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, V, D, H, K = 5, 3, 4, 2, 3, 2
XS = np.array([[1, 3, 0], [1, 1, 2], [0, 3, 3], [1, 2, 0], [2, 3, 1]])
TARGETS = np.array([1, 0, 1])
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1]], bool).T
MODEL = SequenceClassifier(Recurrent(RNNCell(D, H)), V, K)
BOTH = SequenceClassifier(Bidirectional(Recurrent(RNNCell(D, H)), Recurrent(RNNCell(D, 2))), V, K)
TINY = {
    "rnn": Recurrent(RNNCell(1, 2)), "lstm": Recurrent(LSTMCell(1, 2)),
    "both ways": Bidirectional(Recurrent(RNNCell(1, 1)), Recurrent(RNNCell(1, 2))),
    "stacked": Stacked((Recurrent(RNNCell(1, 2)), Recurrent(RNNCell(2, 2)))),
}


def draw(model=MODEL, seed=0):
    """Return parameters and a state, none of them zero."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda array: 0.6 * rng.standard_normal(array.shape), model.init_params(rng=rng))
    return params, tuple(rng.standard_normal(part.shape) for part in model.initial_state(N))


@pytest.mark.parametrize("name", TINY)
def test_conformance(name):
    vocabulary_size = 4 if TINY[name].hidden_size == 3 else 3
    few = None if name == "rnn" else np.array([[0, 2], [1, 1], [1, 2], [0, 1]])
    report = check_model(SequenceClassifier(TINY[name], vocabulary_size, 2), rng=np.random.default_rng(0), xs=few)
    report.raise_if_wrong()
    assert report.worst < 1e-12


def test_conformance_both_ways_on_top_of_a_stack(slope):
    layer = Stacked((Recurrent(GRUCell(D, 2)), Bidirectional(Recurrent(LSTMCell(2, 1)), Recurrent(LSTMCell(2, 3)))))
    model = SequenceClassifier(layer, V, K)
    params, state = draw(model)
    _, grads, _ = model.loss_and_grads(params, XS, TARGETS, state, MASK)
    claimed, found = slope(lambda at: model.loss_and_grads(at, XS, TARGETS, state, MASK)[0], params, grads)
    assert found == pytest.approx(claimed, rel=1e-12)


def read(cell, table, tokens, h):
    """Run an RNN over tokens, one after the other, in plain Python."""
    for token in tokens:
        h = np.tanh(table[token] @ cell["W_xh"] + h @ cell["W_hh"] + cell["b_h"])
    return h


@pytest.mark.parametrize("model", [MODEL, BOTH])
def test_each_sequence_by_hand(model):
    params, state = draw(model)
    spoilt = np.where(MASK, XS, 55)
    logits, final, _ = model.forward(params, spoilt, state, MASK)
    p, total = model.predict(params, spoilt, state, MASK), 0.0
    cell, table = params["recurrent"], params["embedding"]["W_embed"]
    for n in range(N):
        own, h0 = XS[MASK[:, n], n], state[0][n]
        if model == MODEL:
            h = read(cell, table, own, h0)
        else:
            ahead, back = read(cell["ahead"], table, own, h0[:H]), read(cell["back"], table, own[::-1], h0[H:])
            h = np.concatenate([ahead, back])
        scores = h @ params["output"]["W_hy"] + params["output"]["b_y"]
        np.testing.assert_allclose(final[0][n], h, rtol=0, atol=1e-15)
        np.testing.assert_allclose(logits[n], scores, rtol=0, atol=1e-14)
        np.testing.assert_allclose(p[n], np.exp(scores) / np.exp(scores).sum(), rtol=1e-14)
        total -= math.log(p[n, TARGETS[n]])
    assert model.loss_and_grads(params, spoilt, TARGETS, state, MASK)[0] == pytest.approx(total / N, abs=1e-14)


def test_it_is_the_sequence_model_on_embedded_tokens():
    params, state = draw()
    loss, grads, final = MODEL.loss_and_grads(params, XS, TARGETS, state, MASK)
    same = SequenceModel(MODEL.recurrent, K, outputs="many-to-one")
    above = {name: params[name] for name in ("recurrent", "output")}
    xs = params["embedding"]["W_embed"][XS]
    expected, theirs, end = same.loss_and_grads(above, xs, TARGETS, state, MASK)
    assert loss == expected
    np.testing.assert_array_equal(final, end)
    for name in above:
        for (path, got), (_, want) in zip(leaves(grads[name]), leaves(theirs[name]), strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-15, err_msg=path)
    logits, _, cache = same.forward(above, xs, state, MASK)
    dxs, _, _ = same.backward(above, same.loss(logits, TARGETS)[1], cache)
    table = np.array([dxs[token == XS].sum(axis=0) for token in range(V)])
    np.testing.assert_allclose(grads["embedding"]["W_embed"], table, rtol=0, atol=1e-15)


@pytest.mark.parametrize("model", [MODEL, BOTH])
def test_an_empty_sequence_is_read_as_its_initial_state_and_not_counted(model):
    params, state = draw(model)
    mask = MASK.copy()
    mask[:, 1] = False
    loss, grads, final = model.loss_and_grads(params, XS, TARGETS, state, mask)
    np.testing.assert_array_equal(final[0][1], state[0][1])
    two = [0, 2]
    expected, others, _ = model.loss_and_grads(params, XS[:, two], TARGETS[two], (state[0][two],), mask[:, two])
    assert loss == pytest.approx(expected, abs=1e-15)
    for (name, got), (_, want) in zip(leaves(grads), leaves(others), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-15, err_msg=name)
    counted = model.loss_and_grads(params, XS, TARGETS, state, mask, np.ones(N, bool))[0]
    p = softmax(state[0][1] @ params["output"]["W_hy"] + params["output"]["b_y"])
    assert counted == pytest.approx((2 * loss - math.log(p[TARGETS[1]])) / 3, abs=1e-15)


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("model", [MODEL, BOTH])
def test_float32_stays_float32(model, mask):
    params, state = draw(model)
    single = tree_map(lambda array: array.astype(np.float32), [params, state])
    exact = model.loss_and_grads(params, XS, TARGETS, state, mask)
    rounded = model.loss_and_grads(single[0], XS, TARGETS, single[1], mask, rng=np.random.default_rng(0))
    for (name, got), (_, expected) in zip(leaves(rounded), leaves(exact), strict=True):
        assert got.dtype == np.float32, name
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5, err_msg=name)
    assert model.loss_and_grads(single[0], XS, TARGETS, None, mask)[0].dtype == np.float32
    assert model.predict(single[0], XS, None, mask).dtype == np.float32
    made = model.init_params(rng=np.random.default_rng(0), dtype=np.float32)
    assert {array.dtype for _, array in leaves(made)} == {np.dtype(np.float32)}


def test_dropout_falls_on_the_embedded_tokens_and_on_what_is_read(slope):
    model = SequenceClassifier(MODEL.recurrent, V, K, dropout=0.5)
    params, state = draw()
    np.testing.assert_array_equal(model.predict(params, XS, state), MODEL.predict(params, XS, state))
    draws = np.random.default_rng(6)
    below, above = (2.0 * (draws.random(shape) >= 0.5) for shape in ((T, N, D), (N, H)))
    xs = params["embedding"]["W_embed"][XS] * below
    _, final, _ = MODEL.recurrent.forward(params["recurrent"], xs, state, MASK)
    expected = (final[0] * above) @ params["output"]["W_hy"] + params["output"]["b_y"]

    def train(at):
        return model.loss_and_grads(at, XS, TARGETS, state, MASK, rng=np.random.default_rng(6))

    logits, seen, _ = model.forward(params, XS, state, MASK, rng=np.random.default_rng(6))
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(seen, final, rtol=0, atol=1e-15)  # the state itself goes on whole
    claimed, found = slope(lambda at: train(at)[0], params, train(params)[1])
    assert found == pytest.approx(claimed, rel=1e-12)


def test_the_final_state_is_the_callers_to_write_on():
    params, state = draw()
    logits, final, cache = MODEL.forward(params, XS, state)
    clean = MODEL.backward(params, np.ones_like(logits), cache)[2]["output"]["W_hy"]
    final[0][...] = 0.0
    np.testing.assert_array_equal(MODEL.backward(params, np.ones_like(logits), cache)[2]["output"]["W_hy"], clean)


# Refusals

PARAMS, STATE = draw()
REFUSED = {
    "floats": ({"xs": XS.astype(float)}, DtypeError,
               "TokenEncoder.forward: tokens is of dtype float64 and shape (5, 3), expected an integer array (T, N)"),
    "one-hot": ({"xs": np.eye(V, dtype=int)[XS]}, ShapeError,
                "TokenEncoder.forward: tokens has shape (5, 3, 4), expected (T, N) because time comes first"),
    "batch first": ({"xs": XS.T}, ShapeError, "softmax_cross_entropy: targets has shape (3,), expected (5,)"),
    "too large": ({"xs": np.where(XS == 3, V, XS)}, ArgumentError, "Embedding.forward: indices[0, 1] is 4, expected 0"),
    "negative": ({"xs": -XS}, ArgumentError, "Embedding.forward: indices[0, 0] is -1, expected 0 … 3"),
    "class": ({"targets": TARGETS + 1}, ArgumentError, "softmax_cross_entropy: targets[0] is 2, expected 0 … 1"),
    "a class a step": ({"targets": XS % 2}, ShapeError,
                       "softmax_cross_entropy: targets has shape (5, 3), expected (3,) because the logits have shape "
                       "(3, 2). Many-to-one takes one target a sequence (N,), many-to-many one a step (T, N)."),
    "target mask": ({"target_mask": MASK}, ShapeError, "softmax_cross_entropy: mask has shape (5, 3), expected (3,)"),
    "mask": ({"mask": MASK.T}, ShapeError, "TokenEncoder.forward: mask has shape (3, 5), expected (5, 3)"),
    "flat": ({"params": PARAMS["recurrent"]}, ArgumentError,
             "SequenceClassifier.forward: params has the keys ['W_hh', 'W_xh', 'b_h'], expected one dictionary each "
             "for embedding and recurrent and output because parameters are nested by layer. init_params(rng=…) makes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_loss_and_grads_refuses(case):
    changed, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        MODEL.loss_and_grads(**{"params": PARAMS, "xs": XS, "targets": TARGETS, **changed})
    assert str(caught.value).startswith(message)


def test_backward_refuses_what_could_broadcast():
    logits, _, cache = MODEL.forward(PARAMS, XS, STATE)
    with pytest.raises(ShapeError) as caught:
        MODEL.backward(PARAMS, logits, cache, (np.ones((1, H)),))
    assert str(caught.value) == (
        "SequenceClassifier.backward: dfinal_state[0] has shape (1, 3), expected (3, 3) because there is one row a "
        "sequence."
    )
    with pytest.raises(DtypeError, match=r"^SequenceClassifier.backward: cache is a TokenEncoderCache, expected the"):
        MODEL.backward(PARAMS, logits, cache.encoder)


def test_bad_parts_are_refused():
    with pytest.raises(DtypeError, match=r"^TokenEncoder: recurrent is RNNCell\(input_size=2, hidden_size=3"):
        SequenceClassifier(RNNCell(D, H), V, K)
    with pytest.raises(ArgumentError, match=r"^SequenceClassifier: classes is 0, expected a whole number"):
        SequenceClassifier(MODEL.recurrent, V, 0)
    with pytest.raises(ArgumentError, match=r"^TokenEncoder: vocabulary_size is True, expected a whole number"):
        SequenceClassifier(MODEL.recurrent, True, K)
    with pytest.raises(ArgumentError, match=r"^TokenEncoder: dropout is -0.1, expected a finite number at least 0.0"):
        SequenceClassifier(MODEL.recurrent, V, K, dropout=-0.1)
