"""Encoder–decoders: each pair by hand, PyTorch's values, attention maps, padding, dropout, training, every refusal."""

import itertools

import numpy as np
import pytest

from rnn_from_scratch.activations import softmax
from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LSTMCell, LuongCell, RNNCell
from rnn_from_scratch.diagnosis import check_encoder_decoder
from rnn_from_scratch.layers import Bidirectional, Recurrent, Stacked
from rnn_from_scratch.models import Bridge, EncoderDecoder, attention_map, greedy
from rnn_from_scratch.optim import Adam
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

S, T, N, V, K = 5, 4, 3, 4, 5
RNN = Recurrent(RNNCell(2, 3))
ADDITIVE, GENERAL, DOT = AdditiveAttention(2, 3, 1), MultiplicativeAttention(2, 3), MultiplicativeAttention(3, 3, "dot")
BOTH = Bidirectional(Recurrent(RNNCell(2, 1)), Recurrent(RNNCell(2, 2)))
MODELS = {
    "rnn": EncoderDecoder(RNN, Recurrent(RNNCell(1, 2)), V, K),
    "lstm": EncoderDecoder(Recurrent(LSTMCell(1, 2)), Recurrent(LSTMCell(2, 1)), V, K),
    "stacked": EncoderDecoder(
        Stacked((Recurrent(RNNCell(1, 1)), Recurrent(RNNCell(1, 2)))),
        Stacked((Recurrent(LSTMCell(2, 1)), Recurrent(RNNCell(1, 1)))), V, K),
    "bahdanau additive": EncoderDecoder(RNN, Recurrent(BahdanauCell(RNNCell(1, 2), ADDITIVE)), V, K),
    "bahdanau general": EncoderDecoder(RNN, Recurrent(BahdanauCell(GRUCell(1, 2), GENERAL)), V, K),
    "luong dot": EncoderDecoder(RNN, Recurrent(LuongCell(RNNCell(2, 3), DOT)), V, K),
    "luong dot, not fed": EncoderDecoder(RNN, Recurrent(LuongCell(RNNCell(2, 3), DOT, input_feeding=False)), V, K),
    "luong general": EncoderDecoder(RNN, Recurrent(LuongCell(GRUCell(1, 2), GENERAL)), V, K),
    "luong general, not fed": EncoderDecoder(
        RNN, Recurrent(LuongCell(RNNCell(1, 2), GENERAL, input_feeding=False)), V, K),
    "both ways": EncoderDecoder(BOTH, Recurrent(BahdanauCell(RNNCell(1, 2), ADDITIVE)), V, K),
}
ATTENDING = [name for name in MODELS if "bahdanau" in name or "luong" in name or name == "both ways"]
SOURCES = np.array([[0, 3, 1], [3, 1, 1], [2, 0, 3], [3, 3, 0], [0, 2, 1]])
TARGETS = np.array([[4, 3, 0], [3, 2, 4], [3, 0, 0], [2, 1, 2]])
SOURCE_MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1]], bool).T
TARGET_MASK = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 0, 1]], bool).T
BATCH = SOURCES, TARGETS, SOURCE_MASK, TARGET_MASK


def draw(model, seed=0):
    rng = np.random.default_rng(seed)
    return tree_map(lambda array: 0.8 * rng.standard_normal(array.shape), model.init_params(rng=rng))


@pytest.mark.parametrize("name", MODELS)
def test_conformance(name):
    report = check_encoder_decoder(MODELS[name], rng=np.random.default_rng(0))
    report.raise_if_wrong()
    assert report.worst < 1e-12
    zeros = [row.name for row in report.rows if row.numeric == 0.0]  # h̃_0 goes nowhere unless it is fed
    assert zeros == (["bridge.part0.W_hy", "bridge.part0.b_y"] if "not fed" in name else [])


def by_hand(model, params, source, target):
    """Return log p of each token of one target, written one step after the other; no batch, no mask."""
    xs = params["encoder"]["embedding"]["W_embed"][source][:, None]
    memory, final, _ = model.encoder.forward(params["encoder"]["recurrent"], xs)
    bridge = [params["bridge"][f"part{index}"] for index in range(len(params["bridge"]))]
    state = tuple(np.tanh(final[0] @ dense["W_hy"] + dense["b_y"]) for dense in bridge)
    recurrent = params["decoder"]["recurrent"]
    if model.attends:
        recurrent = {**recurrent, "memory": memory}
    found, before = [], model.start
    for token in target:
        x = params["decoder"]["embedding"]["W_embed"][before]
        hs, state, _ = model.decoder.forward(recurrent, x[None, None], state)
        scores = hs[0, 0] @ params["output"]["W_hy"] + params["output"]["b_y"]
        found.append(scores[token] - np.log(np.exp(scores).sum()))
        before = token
    return found, state


@pytest.mark.parametrize("name", MODELS)
def test_each_pair_by_hand(name):
    model = MODELS[name]
    params = draw(model)
    spoilt = np.where(SOURCE_MASK, SOURCES, -3), np.where(TARGET_MASK, TARGETS, 66)
    loss, _, final = model.loss_and_grads(params, *spoilt, SOURCE_MASK, TARGET_MASK)
    total = 0.0
    for n in range(N):
        found, state = by_hand(model, params, SOURCES[SOURCE_MASK[:, n], n], TARGETS[TARGET_MASK[:, n], n])
        total -= sum(found)
        for part, own in zip(final, state, strict=True):
            np.testing.assert_allclose(part[n], own[0], rtol=0, atol=1e-14)
    assert loss == pytest.approx(total / TARGET_MASK.sum(), abs=1e-14)
    assert model.loss_and_grads(params, *spoilt, SOURCE_MASK, TARGET_MASK, divide_by=1.0)[0] == pytest.approx(
        total, abs=1e-13)


def test_pytorchs_values(torch_models):
    ref = torch_models["encoder–decoder"]
    model = EncoderDecoder(
        Bidirectional(Recurrent(RNNCell(2, 3)), Recurrent(RNNCell(2, 3))),
        Recurrent(LuongCell(LSTMCell(3, 4), MultiplicativeAttention(4, 6))), 6, 7,
    )
    batch = ref["sources"], ref["targets"], ref["source_mask"], ref["target_mask"]
    logits, _, _ = model.forward(ref["params"], batch[0], model.shifted(batch[1], batch[3]), *batch[2:])
    np.testing.assert_allclose(logits, ref["logits"], rtol=0, atol=1e-12)
    loss, grads, _ = model.loss_and_grads(ref["params"], *batch)
    assert loss == pytest.approx(float(ref["loss"]), abs=1e-12)
    ours, theirs = dict(leaves(grads)), dict(leaves(ref["grads"]))
    assert set(ours) == set(theirs) == {name for name, _ in leaves(model.init_params(rng=np.random.default_rng(0)))}
    for name, expected in theirs.items():
        np.testing.assert_allclose(ours[name], expected, rtol=0, atol=1e-12, err_msg=name)
        assert np.abs(expected).max() > 1e-4, name


def test_shifted_by_a_plain_loop():
    model = MODELS["rnn"]
    np.testing.assert_array_equal(model.shifted(TARGETS), np.concatenate([np.ones((1, N), int), TARGETS[:-1]]))
    inputs = model.shifted(np.where(TARGET_MASK, TARGETS, -1), TARGET_MASK)
    for n in range(N):
        own = TARGETS[TARGET_MASK[:, n], n]
        assert inputs[TARGET_MASK[:, n], n].tolist() == [1, *own[:-1]]
    assert inputs.min() >= 0
    assert EncoderDecoder(RNN, RNN, V, 300, start=299).shifted(TARGETS.astype(np.int8))[0].tolist() == [299] * N


@pytest.mark.parametrize("name", ATTENDING)
def test_the_attention_map(name):
    model = MODELS[name]
    params = draw(model)
    _, _, cache = model.forward(params, SOURCES, model.shifted(*BATCH[1::2]), SOURCE_MASK, TARGET_MASK)
    weights = attention_map(cache)
    assert weights.shape == (T, S, N)
    sums = weights.sum(axis=1)
    np.testing.assert_allclose(sums, np.where(TARGET_MASK, 1.0, 0.0), rtol=0, atol=1e-15)
    assert (weights[:, ~SOURCE_MASK] == 0).all()
    for n in range(N):  # the same map as alone
        own = np.ix_(TARGET_MASK[:, n], SOURCE_MASK[:, n], [n])
        alone = SOURCES[SOURCE_MASK[:, n], n : n + 1], model.shifted(TARGETS[TARGET_MASK[:, n], n : n + 1])
        np.testing.assert_allclose(weights[own], attention_map(model.forward(params, *alone)[2]), rtol=0, atol=1e-15)


def test_the_attention_map_holds_the_softmax_of_the_scores():
    model = MODELS["bahdanau general"]
    params = draw(model)
    decoder, state, _ = model.encode(params, SOURCES)
    inputs = model.shifted(TARGETS)
    hs, _, _ = model.writer.forward(decoder, inputs, state)
    queries = np.concatenate([state[0][None], hs[:-1]])  # Bahdanau asks before the step
    W_m, memory = params["decoder"]["recurrent"]["attention"]["W_m"], decoder["recurrent"]["memory"]
    weights = attention_map(model.forward(params, SOURCES, inputs)[2])
    for t, n in itertools.product(range(T), range(N)):
        scores = np.array([queries[t, n] @ (memory[s, n] @ W_m) for s in range(S)])
        np.testing.assert_allclose(weights[t, :, n], softmax(scores), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", MODELS)
def test_a_source_that_is_all_padding_has_been_read_by_nobody(name):
    model = MODELS[name]
    params = draw(model)
    nothing = np.zeros((S, N), bool)
    loss, grads, _ = model.loss_and_grads(params, np.full((S, N), -1), TARGETS, nothing)
    parts = params["bridge"].values()
    state = tuple(np.tile(np.tanh(dense["b_y"]), (N, 1)) for dense in parts)  # the encoder's initial state is 0
    recurrent = params["decoder"]["recurrent"]
    if model.attends:  # a memory of zeros gives the context 0 too
        recurrent = {**recurrent, "memory": np.zeros((1, N, model.encoder.hidden_size))}
    xs = params["decoder"]["embedding"]["W_embed"][model.shifted(TARGETS)]
    hs, _, _ = model.decoder.forward(recurrent, xs, state)
    logits = hs @ params["output"]["W_hy"] + params["output"]["b_y"]
    assert loss == pytest.approx(model.loss(logits, TARGETS)[0], abs=1e-15)
    assert not any(array.any() for _, array in leaves(grads["encoder"]))
    assert any(array.any() for _, array in leaves(grads["bridge"]))


@pytest.mark.parametrize("name", MODELS)
def test_float32_stays_float32(name):
    model = MODELS[name]
    params = draw(model)
    single = tree_map(lambda array: array.astype(np.float32), params)
    for masks in ((None, None), BATCH[2:]):
        exact = model.loss_and_grads(params, SOURCES, TARGETS, *masks)
        rounded = model.loss_and_grads(single, SOURCES, TARGETS, *masks)
        for (path, got), (_, expected) in zip(leaves(rounded), leaves(exact), strict=True):
            assert got.dtype == np.float32, path
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5, err_msg=path)
    made = model.init_params(rng=np.random.default_rng(0), dtype=np.float32)
    assert {array.dtype for _, array in leaves(made)} == {np.dtype(np.float32)}
    assert tree_map(np.shape, made) == model.param_shapes()


# Dropout


@pytest.mark.parametrize("name", ["lstm", "bahdanau additive", "luong general"])
def test_dropout_in_training_alone_and_its_gradient_with_the_draws_frozen(name, slope):
    plain = MODELS[name]
    model = EncoderDecoder(plain.encoder, plain.decoder, V, K, dropout=0.4)
    params = draw(model)
    inputs = model.shifted(TARGETS, TARGET_MASK)
    logits, _, _ = plain.forward(params, SOURCES, inputs, SOURCE_MASK, TARGET_MASK)
    np.testing.assert_array_equal(model.forward(params, SOURCES, inputs, SOURCE_MASK, TARGET_MASK)[0], logits)

    def train(at):
        return model.loss_and_grads(at, *BATCH, rng=np.random.default_rng(3))

    loss, grads, _ = train(params)
    assert abs(loss - plain.loss_and_grads(params, *BATCH)[0]) > 1e-6
    expected, found = slope(lambda at: train(at)[0], params, grads)
    assert found == pytest.approx(expected, rel=1e-12)


def test_dropout_falls_on_both_embeddings_and_on_the_decoders_outputs():
    model = EncoderDecoder(RNN, Recurrent(GRUCell(1, 2)), V, K, dropout=0.5)
    params = draw(model)
    draws = np.random.default_rng(9)
    source, target, above = (2.0 * (draws.random(shape) >= 0.5) for shape in ((S, N, 2), (T, N, 1), (T, N, 2)))
    xs = params["encoder"]["embedding"]["W_embed"][SOURCES] * source
    _, final, _ = RNN.forward(params["encoder"]["recurrent"], xs)
    state = np.tanh(final[0] @ params["bridge"]["part0"]["W_hy"] + params["bridge"]["part0"]["b_y"])
    xs = params["decoder"]["embedding"]["W_embed"][model.shifted(TARGETS)] * target
    hs, _, _ = model.decoder.forward(params["decoder"]["recurrent"], xs, (state,))
    expected = (hs * above) @ params["output"]["W_hy"] + params["output"]["b_y"]
    logits, _, _ = model.forward(params, SOURCES, model.shifted(TARGETS), rng=np.random.default_rng(9))
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-14)


# Training


def test_it_learns_to_write_backwards():
    strings = [np.array(string) for length in (1, 2, 3) for string in itertools.product((3, 4, 5), repeat=length)]
    sources, targets = np.zeros((3, len(strings)), int), np.zeros((4, len(strings)), int)
    for n, string in enumerate(strings):
        sources[: len(string), n] = string
        targets[: len(string) + 1, n] = [*string[::-1], 2]
    masks = sources > 0, targets > 0
    model = EncoderDecoder(
        Recurrent(GRUCell(6, 16)), Recurrent(LuongCell(GRUCell(6, 12), MultiplicativeAttention(12, 16))), 6, 6)
    params, optimizer = model.init_params(rng=np.random.default_rng(0)), Adam(0.02)
    state = optimizer.init(params)
    for _ in range(70):
        _, grads, _ = model.loss_and_grads(params, sources, targets, *masks)
        params, state = optimizer.update(params, grads, state)
    found = greedy(model, params, sources, masks[0], max_length=6)
    assert [hypothesis.tokens for hypothesis in found] == [string[::-1].tolist() for string in strings]
    assert all(hypothesis.finished for hypothesis in found)


# Refusals

MODEL = MODELS["bahdanau general"]
PARAMS = draw(MODEL)
REFUSED = {
    "float sources": ({"sources": SOURCES.astype(float)}, DtypeError,
                      "EncoderDecoder.forward: sources is of dtype float64 and shape (5, 3), expected an integer array "
                      "(T, N) because a token is the number of a row of the embedding. Text goes through a Vocabulary"),
    "float targets": ({"targets": TARGETS.astype(float)}, DtypeError,
                      "EncoderDecoder.shifted: targets is of dtype float64 and shape (4, 3), expected an integer"),
    "one-hot sources": ({"sources": np.eye(V, dtype=int)[SOURCES]}, ShapeError,
                        "EncoderDecoder.forward: sources has shape (5, 3, 4), expected (T, N) because time comes "
                        "first, then the batch. From one-hot rows use sources.argmax(axis=-1)."),
    "one-hot targets": ({"targets": np.eye(K)[TARGETS]}, DtypeError,
                        "EncoderDecoder.shifted: targets is of dtype float64 and shape (4, 3, 5), expected an"),
    "list": ({"targets": TARGETS.tolist()}, DtypeError, "EncoderDecoder.shifted: targets is a list, expected an int"),
    "sources batch first": ({"sources": SOURCES.T}, ShapeError,
                            "EncoderDecoder.forward: sources has 5 sequences and the target 3, expected one target "
                            "for each source because both are (time, N)."),
    "targets batch first": ({"targets": TARGETS.T}, ShapeError,
                            "EncoderDecoder.forward: sources has 3 sequences and the target 4, expected one"),
    "a source more": ({"sources": np.zeros((S, N + 1), int)}, ShapeError,
                      "EncoderDecoder.forward: sources has 4 sequences and the target 3, expected one target"),
    "source too large": ({"sources": SOURCES + 1}, ArgumentError,
                         "Embedding.forward: indices[0, 1] is 4, expected 0 … 3 because vocabulary_size=4"),
    "source negative": ({"sources": SOURCES - 1}, ArgumentError, "Embedding.forward: indices[0, 0] is -1, expected 0"),
    "target too large": ({"targets": TARGETS + 1}, ArgumentError,
                         "EncoderDecoder.loss_and_grads: targets[0, 0] is 5, expected 0 … 4 because the logits have"),
    "last target": ({"targets": np.where(np.arange(T)[:, None] == 3, 5, TARGETS)}, ArgumentError,
                    "EncoderDecoder.loss_and_grads: targets[3, 0] is 5, expected 0 … 4 because the logits have 5"),
    "target negative": ({"targets": -TARGETS}, ArgumentError, "EncoderDecoder.loss_and_grads: targets[0, 0] is -4, "
                        "expected 0 … 4 because the logits have 5 classes, counted from 0."),
    "source mask": ({"source_mask": TARGET_MASK}, ShapeError,
                    "EncoderDecoder.encode: source_mask has shape (4, 3), expected (5, 3)"),
    "target mask": ({"target_mask": SOURCE_MASK}, ShapeError,
                    "EncoderDecoder.shifted: target_mask has shape (5, 3), expected (4, 3) because it has one entry "
                    "per time step and sequence, True where there is one."),
    "mask of numbers": ({"target_mask": TARGET_MASK.astype(int)}, DtypeError,
                        "EncoderDecoder.shifted: target_mask has dtype int64, expected a boolean array"),
    "part missing": ({"params": {name: PARAMS[name] for name in ("encoder", "decoder", "output")}}, ArgumentError,
                     "EncoderDecoder.encode: params has the keys ['decoder', 'encoder', 'output'], expected ['bridge', "
                     "'decoder', 'encoder', 'output'] because each parameter has its name in the equations. "
                     "init_params(rng=…) makes them."),
    "bridge": ({"params": {**PARAMS, "bridge": {}}}, ArgumentError,
               "EncoderDecoder.encode: params['bridge'] has the keys [], expected ['part0'] because"),
    "encoder": ({"params": {**PARAMS, "encoder": PARAMS["encoder"]["recurrent"]}}, ArgumentError,
                "EncoderDecoder.encode: params['encoder'] has the keys ['W_hh', 'W_xh', 'b_h'], expected ['embedding', "
                "'recurrent']"),
    "no dictionary": ({"params": [PARAMS]}, DtypeError, "EncoderDecoder.encode: params is a list, expected a dict"),
    "divide": ({"divide_by": -1.0}, ArgumentError, "softmax_cross_entropy: divide_by is -1.0, expected a finite"),
    "seed": ({"rng": 1}, DtypeError, "Dropout.forward: rng is 1, expected a numpy.random.Generator"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_loss_and_grads_refuses(case):
    changed, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        MODEL.loss_and_grads(**{"params": PARAMS, "sources": SOURCES, "targets": TARGETS, **changed})
    assert str(caught.value).startswith(message)


def test_forward_refuses_what_the_decoder_cannot_read():
    with pytest.raises(DtypeError, match=r"^EncoderDecoder.forward: inputs is of dtype float64 and shape \(4, 3\)"):
        MODEL.forward(PARAMS, SOURCES, TARGETS.astype(float))
    with pytest.raises(ShapeError, match=r"^EncoderDecoder.forward: sources has 3 sequences and the target 2, expect"):
        MODEL.forward(PARAMS, SOURCES, TARGETS[:, :2])


def test_float32_beside_float64_is_refused():
    mixed = {**PARAMS, "bridge": tree_map(lambda array: array.astype(np.float32), PARAMS["bridge"])}
    with pytest.raises(DtypeError, match=r"^Dense.forward: params\.W_hy is float32 beside xs of float64, expected one"):
        MODEL.loss_and_grads(mixed, SOURCES, TARGETS)


def test_backward_and_the_map_refuse_another_cache():
    logits, _, cache = MODEL.forward(PARAMS, SOURCES, TARGETS)
    with pytest.raises(DtypeError, match=r"^EncoderDecoder.backward: cache is a TokenEncoderCache, expected the Encod"):
        MODEL.backward(PARAMS, logits, cache.encoder)
    with pytest.raises(ArgumentError, match=r"^EncoderDecoder.backward: params has the keys \['bridge'\], expected"):
        MODEL.backward({"bridge": PARAMS["bridge"]}, logits, cache)
    with pytest.raises(ShapeError, match=r"^Dense.backward: dys has shape \(3, 3, 5\), expected \(4, 3, 5\)"):
        MODEL.backward(PARAMS, logits[1:], cache)
    with pytest.raises(DtypeError, match=r"^attention_map: cache is a TokenEncoderCache, expected the EncoderDecoderC"):
        attention_map(cache.encoder)
    for name in ("rnn", "lstm", "stacked"):
        _, _, cache = MODELS[name].forward(draw(MODELS[name]), SOURCES, TARGETS)
        with pytest.raises(ArgumentError) as caught:
            attention_map(cache)
        assert str(caught.value) == (
            "attention_map: the decoder has no attention, expected a decoder with BahdanauCell or LuongCell because "
            "without attention there are no weights to show."
        )


def test_the_bridge_refuses_another_cache_and_state():
    bridge = MODELS["lstm"].bridge
    params = bridge.init_params(rng=np.random.default_rng(0))
    state, cache = bridge.forward(params, np.ones((N, 2)))
    with pytest.raises(DtypeError, match=r"^Bridge.backward: cache is a DenseCache, expected the BridgeCache that"):
        bridge.backward(params, state, cache.denses[0])
    with pytest.raises(DtypeError, match=r"^Bridge.backward: dstate is a tuple of 1, expected a tuple of 2 arrays"):
        bridge.backward(params, state[:1], cache)
    with pytest.raises(ShapeError, match=r"^Bridge.backward: dstate\[1\] has shape \(1, 1\), expected \(3, 1\)"):
        bridge.backward(params, (state[0], state[1][:1]), cache)
    with pytest.raises(DtypeError, match=r"^Bridge.backward: dstate\[1\] is float32 beside dstate\[0\] of float64"):
        bridge.backward(params, (state[0], state[1].astype(np.float32)), cache)
    with pytest.raises(DtypeError, match=r"^Bridge.backward: dstate\[0\] is float32 beside params.part0.W_hy of"):
        bridge.backward(params, tuple(part.astype(np.float32) for part in state), cache)
    with pytest.raises(DtypeError, match=r"^Bridge: sizes is 5, expected a tuple of sizes, at least one because a st"):
        Bridge(4, 5)
    with pytest.raises(DtypeError, match=r"^Bridge: sizes is \(\), expected a tuple of sizes, at least one"):
        Bridge(4, ())
    with pytest.raises(ArgumentError, match=r"^Bridge: sizes\[1\] is 0, expected a whole number of at least 1"):
        Bridge(4, (3, 0))
    with pytest.raises(ArgumentError, match=r"^Bridge: input_size is 0, expected a whole number of at least 1"):
        Bridge(0, (3,))
    state[0][...] = 9.0  # the caller's to write on
    assert np.abs(cache.parts[0]).max() < 1.0


PARTS = {
    "backwards": (lambda: EncoderDecoder(RNN, BOTH, V, K), ArgumentError,
                  "EncoderDecoder: decoder also reads backwards, expected a layer that reads forwards only because it "
                  "writes one token after the other. Use Bidirectional for the encoder alone."),
    "memory": (lambda: EncoderDecoder(Recurrent(RNNCell(2, 4)), MODEL.decoder, V, K), ArgumentError,
               "EncoderDecoder: the attention's memory_size is 3, expected 4 because the memory is the encoder's "
               "outputs, of its hidden_size (both directions together)."),
    "start is end": (lambda: EncoderDecoder(RNN, RNN, V, K, start=2), ArgumentError,
                     "EncoderDecoder: start and end are both 2, expected two different tokens."),
    "end outside": (lambda: EncoderDecoder(RNN, RNN, V, K, end=5), ArgumentError,
                    "EncoderDecoder: end is 5, expected a token from 0 to 4."),
    "small vocabulary": (lambda: EncoderDecoder(RNN, RNN, V, 2), ArgumentError,
                         "EncoderDecoder: end is 2, expected a token from 0 to 1."),
    "start is no token": (lambda: EncoderDecoder(RNN, RNN, V, K, start="<s>"), ArgumentError,
                          "EncoderDecoder: start is '<s>', expected a token from 0 to 4."),
    "a cell reads": (lambda: EncoderDecoder(RNNCell(2, 3), RNN, V, K), DtypeError,
                     "EncoderDecoder: encoder is RNNCell(input_size=2, hidden_size=3, activation='tanh'), expected a "
                     "layer over time: Recurrent, Stacked or Bidirectional because a cell is one time step, a layer is "
                     "a whole sequence. Try Recurrent(cell)."),
    "a cell writes": (lambda: EncoderDecoder(RNN, RNNCell(2, 3), V, K), DtypeError,
                      "TokenEncoder: recurrent is RNNCell(input_size=2, hidden_size=3, activation='tanh'), expected a "
                      "layer over time because a cell is one time step, a layer is a whole sequence."),
    "an encoder attends": (lambda: EncoderDecoder(MODEL.decoder, RNN, V, K), ArgumentError,
                           "EncoderDecoder: encoder is Recurrent(cell=BahdanauCell("),
    "vocabulary": (lambda: EncoderDecoder(RNN, RNN, 0, K), ArgumentError,
                   "TokenEncoder: vocabulary_size is 0, expected a whole number of at least 1"),
    "dropout": (lambda: EncoderDecoder(RNN, RNN, V, K, dropout=1.0), ArgumentError,
                "TokenEncoder: dropout is 1.0, expected a finite number at least 0.0 and below 1.0."),
}


@pytest.mark.parametrize("case", PARTS)
def test_bad_parts_are_refused(case):
    make, error, message = PARTS[case]
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value).startswith(message)
