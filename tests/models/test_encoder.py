"""Tokens through an embedding and a layer: values and gradients by hand, padding, dropout, every refusal."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Bidirectional, Recurrent, Stacked
from rnn_from_scratch.models import TokenEncoder
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, V, D, H = 5, 3, 4, 2, 3
TOKENS = np.array([[1, 3, 0], [1, 1, 2], [0, 3, 3], [1, 2, 0], [2, 3, 1]])
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1]], bool).T
ENCODER = TokenEncoder(Recurrent(RNNCell(D, H)), V)
LAYERS = {
    "rnn": Recurrent(RNNCell(D, H)), "lstm": Recurrent(LSTMCell(D, H)),
    "both ways": Bidirectional(Recurrent(GRUCell(D, 1)), Recurrent(GRUCell(D, H))),
    "stacked": Stacked((Recurrent(GRUCell(D, H)), Recurrent(GRUCell(H, D)))),
}


def draw(encoder=ENCODER, seed=0):
    """Return parameters and a state, none of them zero."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda array: 0.6 * rng.standard_normal(array.shape), encoder.init_params(rng=rng))
    return params, tuple(rng.standard_normal(part.shape) for part in encoder.recurrent.initial_state(N))


def weighed(encoder, tokens, state, mask, rng=None):
    """Return a loss that reads every output and the final state, and its gradient by hand-written backward."""
    made = np.random.default_rng(1)
    hs, final, _ = encoder.forward(draw(encoder)[0], tokens, state, mask)
    dhs, dfinal = made.standard_normal(hs.shape), tuple(made.standard_normal(part.shape) for part in final)

    def loss(params):
        seen, end, _ = encoder.forward(params, tokens, state, mask, rng=rng and np.random.default_rng(rng))
        return (dhs * seen).sum() + sum((d * part).sum() for d, part in zip(dfinal, end, strict=True))

    def gradient(params):
        cache = encoder.forward(params, tokens, state, mask, rng=rng and np.random.default_rng(rng))[2]
        return encoder.backward(params, dhs, cache, dfinal)

    return loss, gradient


def test_each_sequence_by_hand():
    params, (h0,) = draw()
    hs, (final,), _ = ENCODER.forward(params, TOKENS, (h0,), MASK)
    weights, table = params["recurrent"], params["embedding"]["W_embed"]
    for n in range(N):
        h = h0[n]
        for t in range(T):
            if MASK[t, n]:
                h = np.tanh(table[TOKENS[t, n]] @ weights["W_xh"] + h @ weights["W_hh"] + weights["b_h"])
            np.testing.assert_allclose(hs[t, n], h if MASK[t, n] else 0.0, rtol=0, atol=1e-15)
        np.testing.assert_allclose(final[n], h, rtol=0, atol=1e-15)


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("layer", LAYERS)
def test_gradients(layer, mask, slope):
    encoder = TokenEncoder(LAYERS[layer], V)
    params, state = draw(encoder)
    dxs, dstate, grads = weighed(encoder, TOKENS, state, mask)[1](params)
    assert dxs is None
    both = {"params": params, "state": state}
    expected, found = slope(
        lambda at: weighed(encoder, TOKENS, at["state"], mask)[0](at["params"]), both,
        {"params": grads, "state": dstate})
    assert found == pytest.approx(expected, rel=1e-12)


def test_gradients_entry_by_entry():
    params, state = draw()
    loss, gradient = weighed(ENCODER, TOKENS, state, MASK)
    check_gradients(loss, params, gradient(params)[2], "complex", 1e-12).raise_if_wrong()


def test_a_token_counts_as_often_as_it_is_read():
    params, state = draw()
    hs, _, cache = ENCODER.forward(params, TOKENS, state, MASK)
    dhs = np.random.default_rng(2).standard_normal(hs.shape)
    _, _, grads = ENCODER.backward(params, dhs, cache)
    dxs = ENCODER.recurrent.backward(params["recurrent"], dhs, cache.recurrent)[0]
    expected = np.zeros((V, D))
    for t in range(T):
        for n in range(N):
            if MASK[t, n]:
                expected[TOKENS[t, n]] += dxs[t, n]
    np.testing.assert_allclose(grads["embedding"]["W_embed"], expected, rtol=0, atol=1e-14)
    assert (np.bincount(TOKENS[MASK], minlength=V) >= 2).any()


@pytest.mark.parametrize("pad", [-1, V + 5, np.iinfo(np.int64).min])
def test_any_number_may_stand_on_padding(pad):
    params, state = draw()
    hs, final, cache = ENCODER.forward(params, TOKENS, state, MASK)
    spoilt, spoilt_final, spoilt_cache = ENCODER.forward(params, np.where(MASK, TOKENS, pad), state, MASK)
    one, two = (ENCODER.backward(params, 2 * hs, which) for which in (cache, spoilt_cache))
    for got, expected in zip(leaves([spoilt, spoilt_final, two[1:]]), leaves([hs, final, one[1:]]), strict=True):
        np.testing.assert_array_equal(got[1], expected[1])


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint64])
def test_any_integers_are_tokens(kind):
    params, state = draw()
    expected = ENCODER.forward(params, TOKENS, state, MASK)[0]
    np.testing.assert_array_equal(ENCODER.forward(params, TOKENS.astype(kind), state, MASK)[0], expected)


def test_dropout_falls_on_the_embedded_tokens_in_training_alone(slope):
    encoder = TokenEncoder(LAYERS["rnn"], V, dropout=0.5)
    params, state = draw(encoder)
    plain = ENCODER.forward(params, TOKENS, state, MASK)[0]
    np.testing.assert_array_equal(encoder.forward(params, TOKENS, state, MASK)[0], plain)
    kept = np.random.default_rng(7).random((T, N, D)) >= 0.5
    xs = params["embedding"]["W_embed"][TOKENS] * kept / 0.5
    expected = encoder.recurrent.forward(params["recurrent"], xs, state, MASK)[0]
    seen = encoder.forward(params, TOKENS, state, MASK, rng=np.random.default_rng(7))[0]
    np.testing.assert_allclose(seen, expected, rtol=0, atol=1e-15)
    loss, gradient = weighed(encoder, TOKENS, state, MASK, rng=7)
    expected, found = slope(loss, params, gradient(params)[2])
    assert found == pytest.approx(expected, rel=1e-12)


def test_float32_stays_float32():
    params, state = draw()
    single = tree_map(lambda array: array.astype(np.float32), [params, state])
    hs, final, cache = ENCODER.forward(single[0], TOKENS, single[1], MASK)
    _, dstate, grads = ENCODER.backward(single[0], hs, cache, final)
    assert {array.dtype for _, array in leaves([hs, final, dstate, grads])} == {np.dtype(np.float32)}
    exact = ENCODER.forward(params, TOKENS, state, MASK)[0]
    np.testing.assert_allclose(hs, exact, rtol=1e-5, atol=1e-6)
    made = ENCODER.init_params(rng=np.random.default_rng(0), dtype=np.float32)
    assert {array.dtype for _, array in leaves(made)} == {np.dtype(np.float32)}


def test_init_params_have_the_shapes_told():
    for layer in LAYERS.values():
        encoder = TokenEncoder(layer, V)
        told, made = encoder.param_shapes(), encoder.init_params(rng=np.random.default_rng(0))
        assert tree_map(np.shape, made) == told


# Refusals

PARAMS, STATE = draw()
REFUSED = {
    "floats": ({"tokens": TOKENS.astype(float)}, DtypeError,
               "TokenEncoder.forward: tokens is of dtype float64 and shape (5, 3), expected an integer array (T, N) "
               "because a token is the number of a row of the embedding. Text goes through a Vocabulary first; one-hot "
               "rows through argmax(axis=-1)."),
    "one-hot": ({"tokens": np.eye(V, dtype=int)[TOKENS]}, ShapeError,
                "TokenEncoder.forward: tokens has shape (5, 3, 4), expected (T, N) because time comes first, then the "
                "batch. From one-hot rows use tokens.argmax(axis=-1)."),
    "one sequence": ({"tokens": TOKENS[:, 0]}, ShapeError,
                     "TokenEncoder.forward: tokens has shape (5,), expected (T, N) because time comes first, then the "
                     "batch. For a single sequence use tokens[:, None]; from batch-first use tokens.T."),
    "a list": ({"tokens": TOKENS.tolist()}, DtypeError, "TokenEncoder.forward: tokens is a list, expected an integer"),
    "masked array": ({"tokens": np.ma.array(TOKENS, mask=~MASK), "mask": MASK}, DtypeError,
                     "TokenEncoder.forward: tokens is a MaskedArray, expected an integer array"),
    "booleans": ({"tokens": MASK}, DtypeError, "TokenEncoder.forward: tokens is of dtype bool and shape (5, 3)"),
    "too large": ({"tokens": TOKENS + 1}, ArgumentError,
                  "Embedding.forward: indices[0, 1] is 4, expected 0 … 3 because vocabulary_size=4, counted from 0."),
    "negative": ({"tokens": np.where(MASK, TOKENS, -1)}, ArgumentError,
                 "Embedding.forward: indices[0, 1] is -1, expected 0 … 3"),
    "batch first": ({"tokens": TOKENS.T}, ShapeError,
                    "Recurrent.forward: state[0] has shape (3, 3), expected (5, 3) because there is one row a seq"),
    "no steps": ({"tokens": TOKENS[:0]}, ShapeError, "TokenEncoder.forward: tokens has shape (0, 3), expected (T, N)"),
    "mask": ({"mask": MASK[1:]}, ShapeError, "TokenEncoder.forward: mask has shape (4, 3), expected (5, 3) because it"),
    "no layer": ({"params": {"embedding": PARAMS["embedding"]}}, ArgumentError,
                 "TokenEncoder.forward: params has the keys ['embedding'], expected one dictionary each for embedding "
                 "and recurrent because parameters are nested by layer. init_params(rng=…) makes them."),
    "no parameters": ({"params": None}, ArgumentError, "TokenEncoder.forward: params has type NoneType, expected one"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_forward_refuses(case):
    changed, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        ENCODER.forward(**{"params": PARAMS, "tokens": TOKENS, "state": STATE, **changed})
    assert str(caught.value).startswith(message)


def test_backward_refuses_another_cache_and_other_parameters():
    hs, _, cache = ENCODER.forward(PARAMS, TOKENS, STATE)
    with pytest.raises(DtypeError, match=r"^TokenEncoder.backward: cache is a RecurrentCache, expected the TokenEnco"):
        ENCODER.backward(PARAMS, hs, cache.recurrent)
    with pytest.raises(ArgumentError, match=r"^TokenEncoder.backward: params has the keys \['recurrent'\]"):
        ENCODER.backward({"recurrent": PARAMS["recurrent"]}, hs, cache)


def test_bad_parts_are_refused():
    with pytest.raises(DtypeError) as caught:
        TokenEncoder(RNNCell(D, H), V)
    assert str(caught.value) == (
        "TokenEncoder: recurrent is RNNCell(input_size=2, hidden_size=3, activation='tanh'), expected a layer over "
        "time because a cell is one time step, a layer is a whole sequence. Try Recurrent(cell)."
    )
    with pytest.raises(ArgumentError, match=r"^TokenEncoder: vocabulary_size is 0, expected a whole number"):
        TokenEncoder(LAYERS["rnn"], 0)
    with pytest.raises(ArgumentError, match=r"^TokenEncoder: dropout is 1.0, expected a finite number at least 0.0"):
        TokenEncoder(LAYERS["rnn"], V, 1.0)
