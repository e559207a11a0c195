"""Keras' own weights give Keras' own values, come back as the same function, and say why when they do not fit.

The values are Keras' (tests/reference/make_interop.py); nothing here needs Keras.
"""

from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.cells import GRUCell, IndRNNCell, LowRankRNNCell, LSTMCell, MinLSTMCell, RNNCell
from rnn_from_scratch.interop import from_keras, to_keras
from rnn_from_scratch.layers import Bidirectional, Dense, Embedding, LayerNorm, Recurrent, Stacked
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

FILE = Path(__file__).parents[1] / "reference" / "interop_keras.npz"
with np.load(FILE) as saved:
    VALUES = {name: saved[name] for name in saved.files if not name.startswith("version/")}
NAMES = list(dict.fromkeys(name.split("/")[0] for name in VALUES))
D, H = 3, 4
FLAT = {
    "Dense": Dense(H, 2), "Dense, no bias": Dense(H, 2), "Embedding": Embedding(6, H),
    "LayerNormalization": LayerNorm(H, epsilon=1e-3), "LayerNormalization, no center": LayerNorm(H, epsilon=1e-3),
}
RECURRENT = [name for name in NAMES if name not in FLAT]
KINDS = {
    "SimpleRNN tanh": RNNCell, "SimpleRNN relu": lambda d, h: RNNCell(d, h, "relu"), "LSTM": LSTMCell,
    "SimpleRNN sigmoid": lambda d, h: RNNCell(d, h, "sigmoid"), "GRU after": GRUCell,
    "GRU before": lambda d, h: GRUCell(d, h, reset_after=False),
}


def layer_of(name):
    """The layer that a case's name tells."""
    if name in FLAT:
        return FLAT[name]
    kind, both = KINDS[name.split(",")[0]], "both ways" in name
    layers = []
    for k in range(2 if "2 layers" in name else 1):
        size = D if k == 0 else H * (1 + both)
        one, other = (Recurrent(kind(size, H)) for _ in range(2))
        layers.append(Bidirectional(one, other) if both else one)
    return Stacked(tuple(layers)) if len(layers) > 1 else layers[0]


def nested(name, part):
    """Return what is saved under name/part/…, as nested dictionaries."""
    tree = {}
    for key, array in VALUES.items():
        if key.startswith(f"{name}/{part}/"):
            *outer, last = key.split("/")[2:]
            inner = tree
            for step in outer:
                inner = inner.setdefault(step, {})
            inner[last] = array
    return tree


def ours_from_keras_state(name, part):
    """Keras keeps a state for each layer, in it first the forward direction's parts: put them where ours stand."""
    given, both = nested(name, part), "both ways" in name
    states = []
    for one in [given[key] for key in sorted(given)] if "2 layers" in name else [given]:
        parts = [one[str(index)] for index in range(len(one))]
        half = len(parts) // 2
        states.append([np.hstack(pair) for pair in zip(parts[:half], parts[half:], strict=True)] if both else parts)
    return tuple(array for state in states[::-1] for array in state)


def drawn(layer, seed=0, dtype=np.float64):
    """Parameters without a zero."""
    rng = np.random.default_rng(seed)
    params = layer.init_params(rng=rng, dtype=dtype)
    for _, array in leaves(params):
        array[...] = rng.standard_normal(array.shape)
    return params


def same_tree(one, other):
    left, right = list(leaves(one)), list(leaves(other))
    return [path for path, _ in left] == [path for path, _ in right] and all(
        a.dtype == b.dtype and np.array_equal(a, b) for (_, a), (_, b) in zip(left, right, strict=True))


# Values


def test_the_reference_holds_what_it_should():
    assert len(RECURRENT) == 19
    assert set(FLAT) < set(NAMES)
    assert nested("GRU after", "weights")["bias"].shape == (2, 3 * H)
    assert nested("GRU before", "weights")["bias"].shape == (3 * H,)
    assert {array.dtype.name for key, array in VALUES.items() if "float32" in key} == {"float32"}
    assert all(np.abs(array).min() > 0 for key, array in VALUES.items() if "/weights/" in key)  # every bias counts


@pytest.mark.parametrize("name", RECURRENT)
def test_values_of_recurrent_layers(name):
    layer, weights = layer_of(name), nested(name, "weights")
    params = from_keras(layer, weights)
    xs = VALUES[f"{name}/xs"].swapaxes(0, 1)
    hs, final, _ = layer.forward(params, xs, ours_from_keras_state(name, "initial"))
    tolerance = 1e-5 if "float32" in name else 1e-12
    assert hs.dtype == xs.dtype == ("float32" if "float32" in name else "float64")
    np.testing.assert_allclose(hs.swapaxes(0, 1), VALUES[f"{name}/output"], rtol=0, atol=tolerance)
    for index, (array, theirs) in enumerate(zip(final, ours_from_keras_state(name, "final"), strict=True)):
        np.testing.assert_allclose(array, theirs, rtol=0, atol=tolerance, err_msg=f"state[{index}]")
    assert not any(np.shares_memory(one, other) for _, one in leaves(weights) for _, other in leaves(params))


@pytest.mark.parametrize("name", FLAT)
def test_values_of_layers_without_time(name):
    ys, _ = FLAT[name].forward(from_keras(FLAT[name], nested(name, "weights")), VALUES[f"{name}/xs"])
    np.testing.assert_allclose(ys, VALUES[f"{name}/output"], rtol=0, atol=1e-12)


# There and back


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_ours_theirs_ours_is_exact(name, dtype):
    layer = layer_of(name)
    params = drawn(layer, dtype=dtype)
    weights = to_keras(layer, params)
    assert {array.dtype for _, array in leaves(weights)} == {np.dtype(dtype)}
    assert same_tree(from_keras(layer, weights), params)
    if isinstance(layer, Recurrent):  # a cell has its layer's weights
        assert same_tree(to_keras(layer.cell, params), weights)
        assert same_tree(from_keras(layer.cell, weights), params)


@pytest.mark.parametrize("name", NAMES)
def test_theirs_ours_theirs_is_the_same_function(name):
    """Same names in Keras' order, same matrices; of the two biases of a GRU the sum, in the last block both."""
    layer, weights = layer_of(name), nested(name, "weights")
    params = from_keras(layer, weights)
    again, before = dict(leaves(to_keras(layer, params))), dict(leaves(weights))
    assert [key for key in again if key in before] == list(before)
    for key, array in again.items():
        if key not in before:
            assert "no bias" in name or "no center" in name
            assert not array.any()
        elif array.shape == (2, 3 * H):
            assert np.array_equal(array.sum(axis=0), before[key].sum(axis=0))
            assert np.array_equal(array[:, 2 * H :], before[key][:, 2 * H :])
            assert not array[1, : 2 * H].any()
        else:
            assert np.array_equal(array, before[key]), key
    assert same_tree(from_keras(layer, to_keras(layer, params)), params)


def test_where_every_block_stands():
    """By hand: z, r, h there and r, z, n here; i, f, c, o in the same order."""
    params = drawn(Recurrent(GRUCell(D, H)))
    weights = to_keras(GRUCell(D, H), params)
    for theirs, ours in ((0, 1), (1, 0), (2, 2)):
        there, here = slice(theirs * H, theirs * H + H), slice(ours * H, ours * H + H)
        assert np.array_equal(weights["kernel"][:, there], params["W_xh"][:, here])
        assert np.array_equal(weights["recurrent_kernel"][:, there], params["W_hh"][:, here])
        assert np.array_equal(weights["bias"][0, there], params["b_h"][here])
    assert np.array_equal(weights["bias"][1], [0.0] * 2 * H + params["b_hn"].tolist())
    params = drawn(Recurrent(LSTMCell(D, H)))
    assert np.array_equal(to_keras(LSTMCell(D, H), params)["kernel"], params["W_xh"])


# What does not fit


def after(**changes):
    """The weights of Keras' GRU(4) on 3 inputs, with some arrays replaced, added, or (None) taken out."""
    weights = nested("GRU after", "weights") | changes
    return {key: array for key, array in weights.items() if array is not None}


AFTER = nested("GRU after", "weights")
KEPT = "because Keras keeps a GRU of input_size=3 and hidden_size=4 as"
WRONG = {
    "missing": (after(kernel=None), ArgumentError,
                "weights lacks 'kernel', expected 'kernel', 'recurrent_kernel', 'bias' because the layer given is"),
    "one too many": (after(gamma=np.ones(4)), ArgumentError, "weights has 'gamma' beside what is needed"),
    "a variable's path": ({f"gru/gru_cell/{key}:0": array for key, array in AFTER.items()}, ArgumentError,
                          "lacks 'kernel' and has 'gru/gru_cell/kernel:0', .*Of a name such as .* take 'kernel'"),
    "a list": (list(AFTER.values()), DtypeError,
               r"weights is a list, .*dict\(zip\(\('kernel', 'recurrent_kernel', 'bias'\), …\)\)"),
    "transposed": (after(kernel=AFTER["kernel"].T), ShapeError,
                   rf"weights\['kernel'\] has shape \(12, 3\), expected \(3, 12\) {KEPT} \(in, out\).*the transpose"),
    "an LSTM's": (nested("LSTM", "weights"), ShapeError,
                  rf"\['recurrent_kernel'\] has shape \(4, 16\), expected \(4, 12\) {KEPT}.*3 blocks z, r, h.*fit an "
                  "LSTM of hidden_size=4"),
    "another hidden size": (to_keras(GRUCell(D, 5), drawn(Recurrent(GRUCell(D, 5)))), ShapeError,
                            r"\(5, 15\), expected \(4, 12\) .*fit a GRU of hidden_size=5"),
    "another input size": (to_keras(GRUCell(7, H), drawn(Recurrent(GRUCell(7, H)))), ShapeError,
                           r"\['kernel'\] has shape \(7, 12\), expected \(3, 12\)"),
    "the other GRU's": (nested("GRU before", "weights"), ShapeError,
                        r"\['bias'\] has shape \(12,\), expected \(2, 12\) because reset_after is True; with False it "
                        r"is one row \(3H,\), and another function"),
    "integers": (after(kernel=np.ones((3, 12), int)), DtypeError, r"weights\['kernel'\] has dtype int64"),
    "complex": (after(kernel=AFTER["kernel"] + 0j), DtypeError, r"weights\['kernel'\] has dtype complex128"),
    "infinite": (after(kernel=AFTER["kernel"] * np.inf), ArgumentError, r"weights\['kernel'\]\[0, 0\] is -?inf"),
    "mixed": (after(bias=AFTER["bias"].astype(np.float32)), DtypeError,
              r"weights\['bias'\] is float32 beside weights\['recurrent_kernel'\] of float64"),
    "none": (AFTER | {"bias": None}, DtypeError, r"weights\['bias'\] has dtype object"),
}  # fmt: skip


@pytest.mark.parametrize("layer", [GRUCell(D, H), Recurrent(GRUCell(D, H))], ids=["cell", "layer"])
@pytest.mark.parametrize("kind", WRONG)
def test_weights_that_do_not_fit(kind, layer):
    weights, error, message = WRONG[kind]
    with pytest.raises(error, match="^from_keras: .*" + message) as caught:
        from_keras(layer, weights)
    assert type(caught.value) is error


def test_the_bias_of_the_other_gru_the_other_way_round():
    with pytest.raises(ShapeError, match=r"reset_after is False; with True it is two, \(2, 3H\), and another function"):
        from_keras(GRUCell(D, H, reset_after=False), AFTER)


def test_weights_of_several_layers_that_do_not_fit():
    layer, weights = layer_of("GRU after, 2 layers, both ways"), nested("GRU after, 2 layers, both ways", "weights")
    with pytest.raises(ArgumentError, match=r"weights has the keys \['layer0'\], expected \['layer0', 'layer1'\]"):
        from_keras(layer, {"layer0": weights["layer0"]})
    with pytest.raises(ArgumentError, match=r"weights\['layer1'\] has the keys \['forward_layer'\], expected"):
        from_keras(layer, weights | {"layer1": {"forward_layer": weights["layer1"]["forward_layer"]}})
    with pytest.raises(DtypeError, match=r"weights\['layer1'\] is a list, .*nested, \{'forward_layer': \{…\}, "):
        from_keras(layer, weights | {"layer1": [1]})
    inner = weights["layer1"]["backward_layer"]
    wrong = {**weights, "layer1": {**weights["layer1"], "backward_layer": inner | {"kernel": inner["kernel"].T}}}
    with pytest.raises(ShapeError, match=r"weights\['layer1'\]\['backward_layer'\]\['kernel'\] has shape \(12, 8\)"):
        from_keras(layer, wrong)
    small = {key: {name: array.astype(np.float32) for name, array in part.items()}
             for key, part in weights["layer1"].items()}
    with pytest.raises(DtypeError, match=(
            r"weights\['layer1'\]\['forward_layer'\]\['kernel'\] is float32 beside weights\['layer0'\]\[")):
        from_keras(layer, {**weights, "layer1": small})


@pytest.mark.parametrize(("name", "changes", "message"), [
    ("Dense", {"kernel": np.ones((2, 4))}, r"\(2, 4\), expected \(4, 2\) .*the transpose"),
    ("Embedding", {"embeddings": np.ones((5, 4))}, r"\['embeddings'\] has shape \(5, 4\), expected \(6, 4\)"),
    ("LayerNormalization", {"gain": np.ones(4)}, "has 'gain' beside what is needed, expected 'gamma', 'beta'"),
])
def test_a_layer_without_time_that_does_not_fit(name, changes, message):
    with pytest.raises(ArgumentError, match=message):
        from_keras(FLAT[name], nested(name, "weights") | changes)


class Own(LSTMCell):
    """It may compute anything."""


@pytest.mark.parametrize(("layer", "message"), [
    (LSTMCell(D, H, peepholes=True), r"layer has the cell LSTMCell\(.*its LSTM has no peepholes"),
    (Recurrent(LSTMCell(D, H, peepholes=True)), r"layer has the cell LSTMCell\(.*its LSTM has no peepholes"),
    (Stacked((Recurrent(LSTMCell(D, H)), Recurrent(LSTMCell(H, H, peepholes=True)))), r"layer\.layer1 has the cell"),
    (Recurrent(IndRNNCell(D, H)), "layer is IndRNNCell.*because Keras has these"),
    (Recurrent(LowRankRNNCell(D, H, 1)), "layer is LowRankRNNCell.*because Keras has these"),
    (Recurrent(MinLSTMCell(D, H)), "layer is MinLSTMCell.*because Keras has these"),
    (Own(D, H), r"layer is Own\("),
    (SequenceModel(Recurrent(GRUCell(D, H)), 2), r"layer is SequenceModel.*A model goes in layer by layer"),
    (None, "layer is None, expected RNNCell"),
])
def test_a_layer_that_keras_does_not_have(layer, message):
    with pytest.raises(ArgumentError, match=f"^to_keras: .*{message}"):
        to_keras(layer, {})
    with pytest.raises(ArgumentError, match=f"^from_keras: .*{message}"):
        from_keras(layer, {})


def test_params_of_ours_that_do_not_fit():
    layer = Recurrent(GRUCell(D, H, reset_after=False))
    with pytest.raises(ArgumentError, match=r"^to_keras: params has the keys .*'b_hn'.*This layer is Recurrent"):
        to_keras(layer, drawn(Recurrent(GRUCell(D, H))))
    with pytest.raises(DtypeError, match=r"^to_keras: params\.b_h has dtype complex128"):
        to_keras(layer, drawn(layer) | {"b_h": np.ones(12, complex)})
