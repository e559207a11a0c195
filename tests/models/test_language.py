"""The language model: a loop in plain Python, PyTorch's values, tying, generation, dropout, training, every refusal."""

import math

import numpy as np
import pytest

from rnn_from_scratch.activations import softmax
from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.cells import (
    CoupledLSTMCell,
    GRUCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
)
from rnn_from_scratch.diagnosis import check_model
from rnn_from_scratch.layers import Bidirectional, Recurrent, Stacked
from rnn_from_scratch.metrics.text import perplexity
from rnn_from_scratch.models import LanguageModel
from rnn_from_scratch.optim import Adam
from rnn_from_scratch.training import fit
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, V, D, H = 5, 3, 4, 2, 3
XS = np.array([[1, 3, 0], [1, 1, 2], [0, 3, 3], [1, 2, 0], [2, 3, 1]])
TARGETS = np.array([[1, 1, 2], [0, 3, 3], [1, 2, 0], [2, 3, 1], [0, 0, 3]])
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1]], bool).T
MODEL = LanguageModel(Recurrent(RNNCell(D, H)), V)
TIED = LanguageModel(Recurrent(GRUCell(H, H)), V, tied=True)
TINY = {  # the parts' own tests take larger ones
    "rnn": Recurrent(RNNCell(1, 2)), "lstm": Recurrent(LSTMCell(1, 2)), "gru": Recurrent(GRUCell(1, 2)),
    "indrnn": Recurrent(IndRNNCell(1, 2)), "low rank": Recurrent(LowRankLSTMCell(1, 2, 1)),
    "coupled": Recurrent(CoupledLSTMCell(1, 2)), "minGRU": Recurrent(MinGRUCell(1, 2)),
    "minLSTM": Recurrent(MinLSTMCell(1, 2)),
    "stacked": Stacked((Recurrent(GRUCell(1, 1)), Recurrent(RNNCell(1, 2)))),
}


def draw(model=MODEL, seed=0):
    """Return parameters and a state, none of them zero."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda array: 0.6 * rng.standard_normal(array.shape), model.init_params(rng=rng))
    return params, tuple(rng.standard_normal(part.shape) for part in model.initial_state(N))


@pytest.mark.parametrize("name", TINY)
def test_conformance(name):
    few = None if name == "rnn" else np.array([[0, 2], [1, 1], [1, 2]])
    report = check_model(LanguageModel(TINY[name], 3), rng=np.random.default_rng(0), xs=few)
    report.raise_if_wrong()
    assert report.worst < 1e-12


@pytest.mark.parametrize("cell", [
    RNNCell(D, H, "relu"), LSTMCell(D, H, peepholes=True), GRUCell(D, H, reset_after=False), LayerNormLSTMCell(D, H),
])
def test_the_gradient_with_other_cells(cell, slope):
    model = LanguageModel(Recurrent(cell), V)
    params, state = draw(model)
    for mask in (None, MASK):
        _, grads, _ = model.loss_and_grads(params, XS, TARGETS, state, mask)

        def loss(at, mask=mask):
            return model.loss_and_grads(at, XS, TARGETS, state, mask)[0]

        claimed, found = slope(loss, params, grads)
        assert found == pytest.approx(claimed, rel=1e-12)


@pytest.mark.parametrize("layer", [
    Recurrent(LSTMCell(2, 2)), Stacked((Recurrent(RNNCell(2, 1)), Recurrent(RNNCell(1, 2)))),
])
def test_conformance_tied(layer):
    few = np.array([[0, 2], [1, 1], [1, 2], [0, 1]])
    report = check_model(LanguageModel(layer, 3, tied=True), rng=np.random.default_rng(0), xs=few)
    report.raise_if_wrong()
    assert report.worst < 1e-12
    assert not any("W_hy" in row.name for row in report.rows)


def test_the_loss_by_a_plain_loop():
    params, (h0,) = draw()
    cell, table, output = params["recurrent"], params["embedding"]["W_embed"], params["output"]
    total, counted = 0.0, 0
    for n in range(N):
        h = [float(number) for number in h0[n]]
        for t in range(T):
            if not MASK[t, n]:
                continue
            x = table[XS[t, n]]
            h = [
                math.tanh(
                    cell["b_h"][j] + sum(x[i] * cell["W_xh"][i, j] for i in range(D))
                    + sum(h[i] * cell["W_hh"][i, j] for i in range(H))
                )
                for j in range(H)
            ]
            scores = [output["b_y"][k] + sum(h[j] * output["W_hy"][j, k] for j in range(H)) for k in range(V)]
            total -= scores[TARGETS[t, n]] - math.log(sum(math.exp(score) for score in scores))
            counted += 1
    spoilt = np.where(MASK, XS, -7), np.where(MASK, TARGETS, 99)
    loss, _, _ = MODEL.loss_and_grads(params, *spoilt, (h0,), MASK)
    assert loss == pytest.approx(total / counted, abs=1e-14)
    assert MODEL.loss_and_grads(params, *spoilt, (h0,), MASK, divide_by=1.0)[0] == pytest.approx(total, abs=1e-13)


def test_pytorchs_values(torch_models):
    ref = torch_models["language model"]
    model = LanguageModel(Recurrent(LSTMCell(4, 4)), 5, tied=True)
    params = ref["params"]
    logits, _, _ = model.forward(params, ref["xs"], mask=ref["mask"])
    np.testing.assert_allclose(logits, ref["logits"], rtol=0, atol=1e-12)
    loss, grads, _ = model.loss_and_grads(params, ref["xs"], ref["targets"], mask=ref["mask"])
    assert loss == pytest.approx(float(ref["loss"]), abs=1e-12)
    assert [name for name, _ in leaves(grads)] == [name for name, _ in leaves(model.init_params(rng=rng()))]
    assert {name for name, _ in leaves(grads)} == {name for name, _ in leaves(ref["grads"])}
    for name, expected in leaves(ref["grads"]):
        np.testing.assert_allclose(dict(leaves(grads))[name], expected, rtol=0, atol=1e-12, err_msg=name)
        assert np.abs(expected).max() > 1e-3, name


def test_a_tied_matrix_gets_both_gradients():
    params, state = draw(TIED)
    loose = LanguageModel(TIED.recurrent, V)
    table = params["embedding"]["W_embed"]
    apart = {**params, "output": {"W_hy": table.T.copy(), **params["output"]}}
    loss, grads, final = TIED.loss_and_grads(params, XS, TARGETS, state, MASK)
    same_loss, two, same_final = loose.loss_and_grads(apart, XS, TARGETS, state, MASK)
    assert loss == same_loss
    np.testing.assert_array_equal(final, same_final)
    expected = two["embedding"]["W_embed"] + two["output"]["W_hy"].T
    np.testing.assert_allclose(grads["embedding"]["W_embed"], expected, rtol=0, atol=1e-15)
    assert set(grads["output"]) == {"b_y"}
    counts = [sum(array.size for _, array in leaves(model.init_params(rng=rng()))) for model in (loose, TIED)]
    assert counts[0] - counts[1] == V * H
    logits = TIED.forward(TIED.init_params(rng=rng()), XS)[0]
    assert np.abs(logits).max() < 1.0  # N(0, 1) rows, an embedding's own start, would make larger ones


def test_predict_is_the_softmax_and_what_comes_later_changes_nothing():
    params, state = draw()
    p = MODEL.predict(params, XS, state, MASK)
    np.testing.assert_array_equal(p, softmax(MODEL.forward(params, XS, state, MASK)[0]))
    other = XS.copy()
    other[3:] = (other[3:] + 1) % V
    np.testing.assert_array_equal(MODEL.predict(params, other, state)[:3], MODEL.predict(params, XS, state)[:3])
    nothing = tree_map(np.zeros_like, params)
    assert MODEL.loss_and_grads(nothing, XS, TARGETS)[0] == pytest.approx(math.log(V), abs=1e-15)


def test_the_state_goes_on_where_a_window_ended():
    params, state = draw()
    whole, final, _ = MODEL.forward(params, XS, state)
    first, between, _ = MODEL.forward(params, XS[:2], state)
    second, end, _ = MODEL.forward(params, XS[2:], between)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=0, atol=1e-15)
    np.testing.assert_allclose(end, final, rtol=0, atol=1e-15)


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("model", [MODEL, TIED])
def test_float32_stays_float32(model, mask):
    params, state = draw(model)
    single = tree_map(lambda array: array.astype(np.float32), [params, state])
    exact = model.loss_and_grads(params, XS, TARGETS, state, mask)
    rounded = model.loss_and_grads(single[0], XS, TARGETS, single[1], mask, rng=rng())
    for (name, got), (_, expected) in zip(leaves(rounded), leaves(exact), strict=True):
        assert got.dtype == np.float32, name
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5, err_msg=name)
    assert model.predict(single[0], XS, None, mask).dtype == np.float32
    made = model.init_params(rng=rng(), dtype=np.float32)
    assert {array.dtype for _, array in leaves(made)} == {np.dtype(np.float32)}


# Dropout


@pytest.mark.parametrize("tied", [False, True])
def test_dropout_in_training_alone_and_its_gradient_with_the_draws_frozen(tied, slope):
    layer = Stacked((Recurrent(GRUCell(H, D), recurrent_dropout=0.3), Recurrent(RNNCell(D, H))), dropout=0.4)
    model = LanguageModel(layer, V, tied, dropout=0.5)
    params, state = draw(model)
    plain = LanguageModel(Stacked((Recurrent(GRUCell(H, D)), Recurrent(RNNCell(D, H)))), V, tied)
    np.testing.assert_array_equal(model.predict(params, XS, state, MASK), plain.predict(params, XS, state, MASK))

    def train(at):
        return model.loss_and_grads(at, XS, TARGETS, state, MASK, rng=np.random.default_rng(4))

    loss, grads, _ = train(params)
    assert loss != plain.loss_and_grads(params, XS, TARGETS, state, MASK)[0]
    expected, found = slope(lambda at: train(at)[0], params, grads)
    assert found == pytest.approx(expected, rel=1e-12)
    assert loss != model.loss_and_grads(params, XS, TARGETS, state, MASK, rng=np.random.default_rng(5))[0]


def test_dropout_falls_on_the_embedded_tokens_and_on_the_outputs():
    model = LanguageModel(MODEL.recurrent, V, dropout=0.5)
    params, state = draw()
    draws = np.random.default_rng(6)
    below, above = (2.0 * (draws.random((T, N, size)) >= 0.5) for size in (D, H))
    xs = params["embedding"]["W_embed"][XS] * below
    hs, _, _ = MODEL.recurrent.forward(params["recurrent"], xs, state, MASK)
    expected = (hs * above) @ params["output"]["W_hy"] + params["output"]["b_y"]
    logits, _, _ = model.forward(params, XS, state, MASK, rng=np.random.default_rng(6))
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-14)


# Going on after a prompt


def rng(seed=0):
    return np.random.default_rng(seed)


def lively(model=MODEL):
    """Return parameters under which not every token is followed by the same one."""
    return tree_map(lambda array: 3.0 * array, draw(model, 10)[0])


@pytest.mark.parametrize("model", [MODEL, TIED])
def test_generate_without_a_generator_takes_the_most_probable(model):
    params = lively(model)
    prompt = [2, 0]
    made = model.generate(params, prompt, 8)
    assert made == model.generate(params, np.array(prompt), 8)
    assert made == model.generate(params, prompt, 8, rng=rng(), temperature=1e-3)
    text = list(prompt)
    for token in made:  # the whole text read anew for every token
        last = model.predict(params, np.array(text)[:, None])[-1, 0]
        assert token == last.argmax()
        text.append(token)
    assert prompt == [2, 0]
    assert len(set(made)) > 1


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [1e-3, 1e-40, 1e-300, 5e-324])
def test_a_temperature_near_0_is_the_argmax(temperature, kind):
    params = tree_map(lambda array: array.astype(kind), lively())
    cold = MODEL.generate(params, [2, 0], 8, rng=rng(), temperature=temperature)
    assert cold == MODEL.generate(params, [2, 0], 8)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_draws_have_the_models_probabilities(temperature):
    params, _ = draw(seed=3)
    logits = MODEL.forward(params, np.array([[2], [0]]))[0][-1, 0]
    p = softmax(logits / temperature)
    if temperature == 1.0:
        np.testing.assert_allclose(p, MODEL.predict(params, np.array([[2], [0]]))[-1, 0], rtol=1e-15)
    draws = 500
    generator = rng(1)
    counts = np.bincount(
        [MODEL.generate(params, [2, 0], 1, rng=generator, temperature=temperature)[0] for _ in range(draws)],
        minlength=V,
    )
    chi_squared = ((counts - draws * p) ** 2 / (draws * p)).sum()
    assert chi_squared < 16.3  # exceeded once in 1000 by 3 degrees of freedom
    for other in (np.full(V, 1 / V), softmax(logits / (1.5 - temperature))):
        assert ((counts - draws * other) ** 2 / (draws * other)).sum() > 16.3


class Plain:
    """A layer over time without its stream."""

    def __init__(self, layer):
        self.layer = layer

    def __getattr__(self, name):
        if name == "stream":
            raise AttributeError(name)
        return getattr(self.layer, name)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("layer", [
    Recurrent(RNNCell(D, H)), Recurrent(RNNCell(D, H), "stepwise"), Recurrent(LSTMCell(6, 8)),
    Recurrent(LSTMCell(6, 8, peepholes=True)), Recurrent(GRUCell(D, 5)), Recurrent(MinGRUCell(D, H)),
    Recurrent(MinLSTMCell(D, H)), Recurrent(LayerNormLSTMCell(D, H)), Recurrent(LSTMCell(6, 8), recompute_every=2),
], ids=str)
def test_a_stream_draws_what_whole_forwards_draw(layer, kind):
    """In 60 tokens: the state is carried, the prompt's last token is read once, every draw is the same."""
    model, plain = LanguageModel(layer, 9), LanguageModel(Plain(layer), 9)
    assert hasattr(model.recurrent, "stream")
    assert not hasattr(plain.recurrent, "stream")
    params = tree_map(lambda array: array.astype(kind), lively(model))
    kept = tree_map(np.copy, params)
    for prompt in ([4], [1, 0, 8, 8, 2]):
        assert model.generate(params, prompt, 60) == plain.generate(params, prompt, 60)
        drawn = model.generate(params, prompt, 60, rng=rng(3), temperature=1.5)
        assert drawn == plain.generate(params, prompt, 60, rng=rng(3), temperature=1.5)
        assert len(set(drawn)) > 1
    for (name, array), (_, before) in zip(leaves(params), leaves(kept), strict=True):
        np.testing.assert_array_equal(array, before, err_msg=name)


def test_a_stream_of_a_tied_model_reads_the_embeddings_matrix():
    params = lively(TIED)
    plain = LanguageModel(Plain(TIED.recurrent), V, tied=True)
    assert TIED.generate(params, [1], 20, rng=rng(1)) == plain.generate(params, [1], 20, rng=rng(1))


def test_logits_that_are_not_finite_are_named_by_a_stream_too():
    model = LanguageModel(Recurrent(RNNCell(1, 1, "relu")), 2)
    params = {
        "embedding": {"W_embed": np.ones((2, 1))},
        "recurrent": {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 1e300), "b_h": np.zeros(1)},
        "output": {"W_hy": np.zeros((1, 2)), "b_y": np.zeros(2)},
    }
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ArgumentError) as caught:
        model.generate(params, [0], 5)
    assert str(caught.value).startswith("Dense.forward: xs[0, 0] is inf")


def test_each_draw_goes_in_as_the_next_token():
    params, _ = draw(seed=3)
    made = MODEL.generate(params, [1], 5, rng=rng(2))
    again, generator = [], rng(2)
    for t in range(5):
        p = MODEL.predict(params, np.array([[1], *[[token] for token in made[:t]]]))[-1, 0]
        again.append(int(generator.choice(V, p=p / p.sum())))
    assert made == again


# Training


def test_it_learns_a_text_by_heart():
    letters = sorted(set("hello, old world! "))
    text = np.array([letters.index(letter) for letter in "hello, old world! " * 2])
    model = LanguageModel(Recurrent(GRUCell(8, 16)), len(letters))
    xs, targets = text[:-1, None], text[1:, None]
    params, history = fit(model, model.init_params(rng=rng()), xs, targets, Adam(0.03), epochs=60)
    loss, _, _ = model.loss_and_grads(params, xs, targets)
    assert perplexity(history.losses[0]) > 8.0
    assert perplexity(loss) < 1.05
    written = model.generate(params, text[:1].tolist(), 30)
    assert "".join(letters[token] for token in written) == ("hello, old world! " * 2)[1:31]


# Refusals

PARAMS, STATE = draw()
REFUSED = {
    "floats": ({"xs": XS.astype(float)}, DtypeError,
               "TokenEncoder.forward: tokens is of dtype float64 and shape (5, 3), expected an integer array (T, N)"),
    "one-hot": ({"xs": np.eye(V)[XS]}, DtypeError,
                "TokenEncoder.forward: tokens is of dtype float64 and shape (5, 3, 4), expected an integer array"),
    "one sequence": ({"xs": XS[:, 0]}, ShapeError, "TokenEncoder.forward: tokens has shape (5,), expected (T, N)"),
    "batch first": ({"xs": XS.T, "mask": MASK}, ShapeError,
                    "TokenEncoder.forward: mask has shape (5, 3), expected (3, 5)"),
    "batch first, no mask": ({"xs": XS.T}, ShapeError,
                             "softmax_cross_entropy: targets has shape (5, 3), expected (3, 5)"),
    "too large": ({"xs": np.where(XS == 3, V, XS)}, ArgumentError,
                  "Embedding.forward: indices[0, 1] is 4, expected 0 … 3 because vocabulary_size=4"),
    "negative": ({"xs": -XS}, ArgumentError, "Embedding.forward: indices[0, 0] is -1, expected 0 … 3"),
    "target": ({"targets": TARGETS + 1}, ArgumentError, "softmax_cross_entropy: targets[1, 1] is 4, expected 0 … 3"),
    "short targets": ({"targets": TARGETS[1:]}, ShapeError, "softmax_cross_entropy: targets has shape (4, 3), exp"),
    "target mask": ({"target_mask": MASK[1:]}, ShapeError, "softmax_cross_entropy: mask has shape (4, 3), expected"),
    "flat": ({"params": {**PARAMS["embedding"], **PARAMS["recurrent"], **PARAMS["output"]}}, ArgumentError,
             "LanguageModel.forward: params has the keys ['W_embed', 'W_hh', 'W_hy', 'W_xh', 'b_h', 'b_y'], expected "
             "one dictionary each for embedding and recurrent and output because parameters are nested by layer."),
    "no output": ({"params": {name: PARAMS[name] for name in ("embedding", "recurrent")}}, ArgumentError,
                  "LanguageModel.forward: params has the keys ['embedding', 'recurrent'], expected one dict"),
    "table": ({"params": {**PARAMS, "embedding": {"W_embed": np.zeros((V + 1, D))}}}, ShapeError,
              "Embedding.forward: params['W_embed'] has shape (5, 2), expected (4, 2)."),
    "two dtypes": ({"params": {**PARAMS, "embedding": {"W_embed": np.zeros((V, D), np.float32)}}}, DtypeError,
                   "Recurrent.forward: xs is float32 beside params.W_xh of float64, expected one dtype throughout"),
    "state": ({"state": (np.zeros((N, H + 1)),)}, ShapeError, "Recurrent.forward: state[0] has shape (3, 4), expected"),
    "divide": ({"divide_by": 0.0}, ArgumentError, "softmax_cross_entropy: divide_by is 0.0, expected a finite number"),
    "seed": ({"rng": 3}, DtypeError, "Dropout.forward: rng is 3, expected a numpy.random.Generator"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_loss_and_grads_refuses(case):
    changed, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        MODEL.loss_and_grads(**{"params": PARAMS, "xs": XS, "targets": TARGETS, **changed})
    assert str(caught.value).startswith(message)


def test_tied_parameters_have_no_output_matrix():
    params, _ = draw(TIED)
    with pytest.raises(ArgumentError) as caught:
        TIED.forward({**params, "output": {"W_hy": np.zeros((H, V)), **params["output"]}}, XS)
    assert str(caught.value) == (
        "LanguageModel: params has the keys ['W_hy', 'b_y'], expected ['b_y'] because each parameter has its name in "
        "the equations. The matrix is tied."
    )


def test_backward_refuses_another_cache_and_a_wrong_gradient():
    logits, _, cache = MODEL.forward(PARAMS, XS)
    with pytest.raises(DtypeError, match=r"^LanguageModel.backward: cache is a TokenEncoderCache, expected the Lang"):
        MODEL.backward(PARAMS, logits, cache.encoder)
    with pytest.raises(ShapeError, match=r"^Dense.backward: dys has shape \(4, 3, 4\), expected \(5, 3, 4\)"):
        MODEL.backward(PARAMS, logits[1:], cache)
    with pytest.raises(ArgumentError, match=r"^LanguageModel.backward: params has the keys \['output'\], expected"):
        MODEL.backward({"output": PARAMS["output"]}, logits, cache)
    tied, _ = draw(TIED)
    logits, _, cache = TIED.forward(tied, XS)
    with pytest.raises(ArgumentError, match=r"^LanguageModel: params\['embedding'\] has the keys \[\], expected \['W_"):
        TIED.backward({**tied, "embedding": {}}, logits, cache)


GENERATE = {
    "empty": ({"prompt": []}, ArgumentError, "prompt is empty, expected at least one token because the model needs"),
    "outside": ({"prompt": [1, 4]}, ArgumentError, "prompt[1] is 4, expected 0 … 3 because vocabulary_size=4."),
    "negative": ({"prompt": [-1]}, ArgumentError, "prompt[0] is -1, expected 0 … 3 because vocabulary_size=4."),
    "text": ({"prompt": "ab"}, DtypeError, "prompt is 'ab', expected a list of tokens because a token is a whole"),
    "floats": ({"prompt": [0.0]}, DtypeError, "prompt is [0.0], expected a list of tokens"),
    "booleans": ({"prompt": [True]}, DtypeError, "prompt is [True], expected a list of tokens"),
    "batch": ({"prompt": [[1], [2]]}, DtypeError, "prompt is [[1], [2]], expected a list of tokens"),
    "unequal": ({"prompt": [[1], [1, 2]]}, ShapeError, "prompt is [[1], [1, 2]], expected an array, or a list of"),
    "one number": ({"prompt": 1}, DtypeError, "prompt is 1, expected a list of tokens"),
    "nothing": ({"prompt": None}, DtypeError, "prompt is None, expected a list of tokens"),
    "length": ({"length": 0}, ArgumentError, "length is 0, expected a whole number of at least 1"),
    "cold": ({"temperature": 0.0}, ArgumentError, "temperature is 0.0, expected a finite number above 0.0"),
    "below": ({"temperature": -1.0}, ArgumentError, "temperature is -1.0, expected a finite number above 0.0"),
    "hot": ({"temperature": math.inf}, ArgumentError, "temperature is inf, expected a finite number above 0.0"),
    "seed": ({"rng": 0}, DtypeError, "rng is 0, expected a numpy.random.Generator because there is no global seed"),
}


@pytest.mark.parametrize("case", GENERATE)
def test_generate_refuses(case):
    changed, error, message = GENERATE[case]
    with pytest.raises(error) as caught:
        MODEL.generate(**{"params": PARAMS, "prompt": [1], "length": 2, **changed})
    assert str(caught.value).startswith(f"LanguageModel.generate: {message}")


def test_bad_parts_are_refused():
    with pytest.raises(ArgumentError) as caught:
        LanguageModel(Bidirectional(Recurrent(RNNCell(D, H)), Recurrent(RNNCell(D, H))), V)
    assert str(caught.value) == (
        "LanguageModel: recurrent also reads backwards, expected a layer that reads forwards only because it would "
        "have read the token that it must predict. Leave out Bidirectional."
    )
    with pytest.raises(ArgumentError) as caught:
        LanguageModel(Recurrent(RNNCell(D, H)), V, tied=True)
    assert str(caught.value) == (
        "LanguageModel: tied=True with input_size=2 and hidden_size=3, expected equal sizes because the embedding's "
        "matrix (V, D), transposed, must take h (N, H)."
    )
    with pytest.raises(DtypeError, match=r"^TokenEncoder: recurrent is RNNCell\(input_size=2, hidden_size=3"):
        LanguageModel(RNNCell(D, H), V)
    with pytest.raises(ArgumentError, match=r"^LanguageModel: tied is 'yes', expected one of False, True\.$"):
        LanguageModel(MODEL.recurrent, V, tied="yes")
    with pytest.raises(ArgumentError, match=r"^TokenEncoder: vocabulary_size is 2.5, expected a whole number"):
        LanguageModel(MODEL.recurrent, 2.5)
