"""PyTorch's own state dicts give PyTorch's own values, come back as the same function, and say why they do not fit.

The values are PyTorch's (tests/reference/make_interop.py); nothing here needs PyTorch.
"""

import re
from collections import UserDict
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.cells import (
    CoupledLSTMCell,
    GRUCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LSTMCell,
    MinGRUCell,
    RNNCell,
)
from rnn_from_scratch.interop import from_torch, state_from_torch, state_to_torch, to_torch
from rnn_from_scratch.layers import Bidirectional, Dense, Dropout, Embedding, LayerNorm, Recurrent, Stacked
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

FILE = Path(__file__).parents[1] / "reference" / "interop_torch.npz"
with np.load(FILE) as saved:
    VALUES = {name: saved[name] for name in saved.files if not name.startswith("version/")}
NAMES = list(dict.fromkeys(name.split("/")[0] for name in VALUES))
RECURRENT = [name for name in NAMES if name.split(" ")[0] in ("RNN", "LSTM", "GRU")]
FLAT = {
    "Linear": Dense(4, 2), "Linear, no bias": Dense(4, 2), "Embedding": Embedding(6, 4), "LayerNorm": LayerNorm(4),
    "LayerNorm, no bias": LayerNorm(4),
}
D, H = 3, 4


def made(kind, depth=1, both=False, d=D, h=H, stacked=None):
    """A layer of this package: a cell's class or a function of (D, H), depth, one direction or both."""
    layers = []
    for k in range(depth):
        size = d if k == 0 else h * (1 + both)
        one, other = (Recurrent(kind(size, h)) for _ in range(2))
        layers.append(Bidirectional(one, other) if both else one)
    return layers[0] if depth == 1 and not stacked else Stacked(tuple(layers), dropout=0.5)


def layer_of(name):
    """The layer that a case's name tells."""
    if name in FLAT:
        return FLAT[name]
    kinds = {
        "RNN tanh": RNNCell, "RNN relu": lambda d, h: RNNCell(d, h, "relu"), "LSTM": LSTMCell, "GRU": GRUCell,
    }
    word = re.match(r"RNN \w+|LSTM|GRU", name).group()
    return made(kinds[word], int(re.search(r"(\d) layer", name).group(1)), "both ways" in name)


def state_of(name):
    start = f"{name}/weights/"
    return {key.removeprefix(start): array for key, array in VALUES.items() if key.startswith(start)}


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


ALL_LAYERS = {name: layer_of(name) for name in NAMES} | {
    "stack of one": made(GRUCell, 1, stacked=True), "stack of one, both ways": made(LSTMCell, 1, True, stacked=True),
}


# Values


def test_the_reference_holds_what_it_should():
    assert len(RECURRENT) == 4 * 6
    assert set(NAMES) == {*RECURRENT, *FLAT}
    state = state_of("GRU 3 layers, both ways")
    assert len(state) == 3 * 2 * 4
    assert min(np.abs(array).min() for array in state.values()) > 0  # every bias counts
    assert {array.dtype for array in state_of("LSTM 2 layers, float32").values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", RECURRENT)
def test_values_of_recurrent_layers(name):
    """Outputs, and final states in PyTorch's layout, from an initial state in PyTorch's layout."""
    layer, state = layer_of(name), state_of(name)
    before = {key: array.copy() for key, array in state.items()}
    params = from_torch(layer, state)
    parts = [VALUES[f"{name}/{part}_0"] for part in ("hc" if "LSTM" in name else "h")]
    hs, final, _ = layer.forward(params, VALUES[f"{name}/xs"], state_from_torch(layer, *parts))
    tolerance = 1e-5 if hs.dtype == np.float32 else 1e-12
    assert hs.dtype == VALUES[f"{name}/output"].dtype
    np.testing.assert_allclose(hs, VALUES[f"{name}/output"], rtol=0, atol=tolerance)
    back = state_to_torch(layer, final)
    assert len(back) == len(parts)
    for part, array in zip("hc", back, strict=False):
        np.testing.assert_allclose(array, VALUES[f"{name}/{part}_n"], rtol=0, atol=tolerance, err_msg=part)
    for key, array in state.items():
        assert np.array_equal(array, before[key])
        assert not any(np.shares_memory(array, own) for _, own in leaves(params))


@pytest.mark.parametrize("name", FLAT)
def test_values_of_layers_without_time(name):
    layer = FLAT[name]
    ys, _ = layer.forward(from_torch(layer, state_of(name)), VALUES[f"{name}/xs"])
    np.testing.assert_allclose(ys, VALUES[f"{name}/output"], rtol=0, atol=1e-12)


# There and back


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ALL_LAYERS)
def test_ours_theirs_ours_is_exact(name, dtype):
    layer = ALL_LAYERS[name]
    params = drawn(layer, dtype=dtype)
    arrays = to_torch(layer, params)
    assert {array.dtype for array in arrays.values()} == {np.dtype(dtype)}
    assert all(array.flags.c_contiguous and array.flags.writeable for array in arrays.values())
    assert same_tree(from_torch(layer, arrays), params)
    assert same_tree(from_torch(layer, to_torch(layer, params, prefix="a.b."), prefix="a.b."), params)


@pytest.mark.parametrize("name", NAMES)
def test_theirs_ours_theirs_is_the_same_function(name):
    """Same keys in the same order, same matrices, the same sum of biases; the GRU's last block, both as they were."""
    layer, state = layer_of(name), state_of(name)
    params = from_torch(layer, state)
    arrays = to_torch(layer, params)
    without = "no bias" in name
    assert [key for key in arrays if not (without and "bias" in key)] == list(state)
    for key, array in arrays.items():
        if "weight" in key:
            assert np.array_equal(array, state[key]), key
        elif without:
            assert not array.any()
        elif "bias_ih" in key:
            other = key.replace("_ih_", "_hh_")
            assert np.array_equal(array + arrays[other], state[key] + state[other])
            if "GRU" in name:  # r stands between the two
                assert np.array_equal(array[2 * H :], state[key][2 * H :])
                assert np.array_equal(arrays[other][2 * H :], state[other][2 * H :])
                assert not arrays[other][: 2 * H].any()
            else:
                assert not arrays[other].any()
    assert same_tree(from_torch(layer, arrays), params)


def test_where_every_block_stands():
    """By hand: column j of block b is row b·H + j there, and layer and direction are in the name."""
    layer = made(LSTMCell, 2, both=True)
    params = drawn(layer)
    arrays = to_torch(layer, params)
    back = params["layer1"]["back"]
    for block, gate in enumerate("ifgo"):
        for unit in range(H):
            row = block * H + unit
            assert np.array_equal(arrays["weight_ih_l1_reverse"][row], back["W_xh"][:, row]), gate
            assert np.array_equal(arrays["weight_hh_l1_reverse"][row], back["W_hh"][:, row]), gate
            assert arrays["bias_ih_l1_reverse"][row] == back["b_h"][row]
    assert arrays["weight_ih_l1"].shape == (4 * H, 2 * H)


# States


@pytest.mark.parametrize("name", [name for name in ALL_LAYERS if name not in FLAT])
def test_states_there_and_back(name):
    layer = ALL_LAYERS[name]
    rng = np.random.default_rng(5)
    state = tuple(rng.standard_normal(part.shape) for part in layer.initial_state(2))
    there = state_to_torch(layer, state)
    back = state_from_torch(layer, *there)
    assert isinstance(back, tuple)
    assert same_tree(list(back), list(state))
    assert not any(np.shares_memory(one, other) for one in there for other in (*state, *back))


def test_the_order_of_states_by_hand():
    layer = made(LSTMCell, 3, both=True)
    h, c = (np.arange(6 * 2 * H, dtype=float).reshape(6, 2, H) + start for start in (0.0, 100.0))
    state = state_from_torch(layer, h, c)
    assert len(state) == 6
    for floor, part in ((2, 0), (1, 2), (0, 4)):  # the top layer first, its h and then its c
        assert np.array_equal(state[part], np.hstack([h[2 * floor], h[2 * floor + 1]]))
        assert np.array_equal(state[part + 1], np.hstack([c[2 * floor], c[2 * floor + 1]]))


@pytest.mark.parametrize(("layer", "arguments", "error", "message"), [
    (made(LSTMCell), [np.ones((1, 2, H))], ArgumentError, r"c_n is None, expected an array because .* only an LSTM"),
    (made(GRUCell), [np.ones((1, 2, H))] * 2, ArgumentError, r"c_n is a ndarray, expected None because .*GRUCell"),
    (made(GRUCell), [np.ones((1, H))], ShapeError, r"h_n has shape \(1, 4\), .*a single sequence pass h_n\[:, None\]"),
    (made(GRUCell, 2, True), [np.ones((2, 4, H))], ShapeError,
     r"\(2, 4, 4\), expected \(4, N, 4\) because layers·directions = 2·2 come first, .* also with batch_first=True"),
    (made(LSTMCell), [np.ones((1, 2, H)), np.ones((1, 3, H))], ShapeError, r"c_n has shape .* expected \(1, 2, 4\)"),
    (made(LSTMCell), [np.ones((1, 2, H)), np.ones((1, 2, H), np.float32)], DtypeError, "c_n is float32 beside h_n"),
    (made(RNNCell), [np.full((1, 2, H), np.nan)], ArgumentError, "h_n.* is nan"),
    (made(RNNCell), [np.ones((1, 2, H), int)], DtypeError, "h_n has dtype int64"),
    (Dense(2, 3), [np.ones((1, 2, H))], ArgumentError, "layer is a Dense, expected a Recurrent"),
])
def test_a_state_of_another_form(layer, arguments, error, message):
    with pytest.raises(error, match=r"^state_from_torch: .*" + message):
        state_from_torch(layer, *arguments)


@pytest.mark.parametrize(("state", "error", "message"), [
    (np.ones((2, H)), DtypeError, "state is of type ndarray, expected a tuple of 2 arrays"),
    ((), DtypeError, "state is a tuple of 0"),
    ((np.ones((2, H)), np.ones((2, 5))), ShapeError, r"state\[1\] has shape \(2, 5\), expected \(2, 4\)"),
    ((np.ones((2, H)), np.ones((2, H), np.float32)), DtypeError, r"state\[1\] is float32 beside state\[0\]"),
    ((np.ones((2, H)), np.ones((2, H), complex)), DtypeError, r"state\[1\] has dtype complex128"),
])
def test_a_state_of_ours_that_does_not_fit(state, error, message):
    with pytest.raises(error, match=message):
        state_to_torch(made(LSTMCell), state)


# What comes in


class Tensor:
    """What a tensor shows NumPy: an array, or the error that PyTorch raises."""

    def __init__(self, array, fault=None):
        self.array, self.fault = array, fault

    def __array__(self, dtype=None, copy=None):
        if self.fault:
            raise self.fault
        return self.array


def test_a_state_dict_may_be_any_mapping_of_what_numpy_reads(tmp_path):
    layer, state = layer_of("GRU 1 layer"), state_of("GRU 1 layer")
    expected = from_torch(layer, state)
    assert same_tree(from_torch(layer, UserDict(state)), expected)
    assert same_tree(from_torch(layer, {key: array.tolist() for key, array in state.items()}), expected)
    assert same_tree(from_torch(layer, {key: np.asfortranarray(array) for key, array in state.items()}), expected)
    assert same_tree(from_torch(layer, {key: Tensor(array) for key, array in state.items()}), expected)
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz") as file:
        assert same_tree(from_torch(layer, file), expected)


def test_missing_biases_are_zeros_of_the_same_dtype():
    name = "GRU 2 layers, float32"
    state = {key: array for key, array in state_of(name).items() if "weight" in key}
    params = from_torch(layer_of(name), state)
    assert {array.dtype for _, array in leaves(params)} == {np.dtype(np.float32)}
    assert not params["layer1"]["b_h"].any()
    assert not params["layer1"]["b_hn"].any()
    without = {key: array for key, array in state_of("Linear").items() if key == "weight"}
    assert np.array_equal(from_torch(FLAT["Linear"], without)["b_y"], np.zeros(2))


def test_a_prefix_reads_one_module_of_several():
    rnn, out = layer_of("LSTM 2 layers"), FLAT["Linear"]
    module = {f"rnn.{key}": array for key, array in state_of("LSTM 2 layers").items()}
    module |= {f"out.{key}": array for key, array in state_of("Linear").items()}
    assert same_tree(from_torch(rnn, module, prefix="rnn."), from_torch(rnn, state_of("LSTM 2 layers")))
    assert same_tree(from_torch(out, module, prefix="out."), from_torch(out, state_of("Linear")))
    whole = to_torch(rnn, from_torch(rnn, module, prefix="rnn."), prefix="rnn.")
    assert list(whole) == [key for key in module if key.startswith("rnn.")]


# What does not fit: which key and why


def gru(**changes):
    """The state of nn.GRU(3, 4), with some arrays replaced, added, or (None) taken out."""
    state = state_of("GRU 1 layer") | changes
    return {key: array for key, array in state.items() if array is not None}


GRU = state_of("GRU 1 layer")
W_IH, W_HH = GRU["weight_ih_l0"], GRU["weight_hh_l0"]
KEPT = "because PyTorch keeps a GRU of input_size=3 and hidden_size=4 as"
WRONG = {
    "missing": (gru(weight_hh_l0=None), ArgumentError,
                r"state_dict lacks 'weight_hh_l0', expected 'weight_ih_l0', 'weight_hh_l0', .*the layer given is"),
    "renamed": (gru(weight_hh_l0=None, weight_hh=W_HH), ArgumentError,
                "lacks 'weight_hh_l0' and has 'weight_hh' instead"),
    "one too many": (gru(extra=W_HH), ArgumentError, "has 'extra' beside what is needed, expected 'weight_ih_l0'"),
    "one bias of two": (gru(bias_hh_l0=None), ArgumentError,
                        "lacks 'bias_hh_l0', .*because a layer has all its biases or none"),
    "transposed input": (gru(weight_ih_l0=W_IH.T), ShapeError,
                         rf"\['weight_ih_l0'\] has shape \(3, 12\), expected \(12, 3\) {KEPT}.*is the transpose: try"),
    "transposed recurrent": (gru(weight_hh_l0=W_HH.T), ShapeError,
                             r"\['weight_hh_l0'\] has shape \(4, 12\), .*That is the transpose: try \.T"),
    "an LSTM's": (state_of("LSTM 1 layer"), ShapeError,
                  rf"\['weight_hh_l0'\] has shape \(16, 4\), expected \(12, 4\) {KEPT}.*3 blocks r, z, n.*an LSTM of "
                  "hidden_size=4"),
    "an RNN's": (state_of("RNN tanh 1 layer"), ShapeError, r"\(4, 4\), expected \(12, 4\).*an RNN of hidden_size=4"),
    "another hidden size": (to_torch(made(GRUCell, h=5), drawn(made(GRUCell, h=5))), ShapeError,
                            r"\(15, 5\), expected \(12, 4\).*fit a GRU of hidden_size=5"),
    "another input size": (to_torch(made(GRUCell, d=7), drawn(made(GRUCell, d=7))), ShapeError,
                           r"\['weight_ih_l0'\] has shape \(12, 7\), expected \(12, 3\) because .* input_size=3"),
    "a matrix for a bias": (gru(bias_ih_l0=np.ones((1, 12))), ShapeError, r"\['bias_ih_l0'\] has shape \(1, 12\)"),
    "two layers": (state_of("GRU 2 layers, float32"), ArgumentError,
                   r"keys of 2 layers \(weight_ih_l0 … weight_ih_l1\), expected those of 1 .*is a Stacked of 2 layers"),
    "both directions": (state_of("GRU 1 layer, both ways"), ArgumentError,
                        r"both directions \(some end in _reverse\), expected those of one .*layer a Bidirectional"),
    "projections": (gru(weight_hr_l0=np.ones((2, 4))), ArgumentError,
                    "has 'weight_hr_l0', expected a state without projections because proj_size makes h smaller"),
    "no dictionary": (list(GRU.values()), DtypeError, r"state_dict is a list, .*Try module\.state_dict\(\)"),
    "numbers as keys": (dict(enumerate(GRU.values())), ArgumentError, "state_dict has the key 0, expected names"),
    "empty": ({}, ArgumentError, "lacks 'weight_ih_l0', expected"),
    "of a larger module": ({f"encoder.rnn.{key}": array for key, array in GRU.items()}, ArgumentError,
                           r"lacks 'weight_ih_l0' and has 'encoder\.rnn\..*Try prefix='encoder\.rnn\.'\."),
    "a cell's": ({key.removesuffix("_l0"): array for key, array in GRU.items()}, ArgumentError,
                 "the names of an nn.RNNCell, nn.LSTMCell or nn.GRUCell: add _l0 to each"),
    "integers": (gru(bias_ih_l0=np.arange(12)), DtypeError,
                 r"\['bias_ih_l0'\] has dtype int64, expected float64 \(or float32\)"),
    "complex": (gru(weight_hh_l0=W_HH + 0j), DtypeError, r"\['weight_hh_l0'\] has dtype complex128, .*pass \.real"),
    "half": (gru(weight_hh_l0=W_HH.astype(np.float16)), DtypeError, r"float16, .*Try \.astype\(np\.float32\)"),
    "text": (gru(weight_hh_l0="W"), DtypeError, r"\['weight_hh_l0'\] has dtype <U1"),
    "ragged": (gru(weight_hh_l0=[[1.0], [1.0, 2.0]]), DtypeError, r"\['weight_hh_l0'\] is a list that NumPy cannot"),
    "NaN": (gru(weight_hh_l0=np.where(np.eye(12, 4) > 0, np.nan, 1.0)), ArgumentError,
            r"\['weight_hh_l0'\]\[0, 0\] is nan \(4 of 48.*Did the training diverge"),
    "mixed": (gru(bias_hh_l0=GRU["bias_hh_l0"].astype(np.float32)), DtypeError,
              r"\['bias_hh_l0'\] is float32 beside state_dict\['weight_hh_l0'\] of float64"),
    "masked": (gru(bias_hh_l0=np.ma.ones(12)), DtypeError, r"\['bias_hh_l0'\] is a MaskedArray"),
    "with a gradient": (gru(weight_ih_l0=Tensor(W_IH, RuntimeError("Can't call numpy() on Tensor that requires grad"))),
                        DtypeError, r"\['weight_ih_l0'\] is a Tensor that NumPy cannot read \(Can't call .* pass "
                        r"state_dict\['weight_ih_l0'\]\.detach\(\)\.cpu\(\)\.numpy\(\), after \.float\(\)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_a_state_dict_that_does_not_fit(kind):
    state, error, message = WRONG[kind]
    with pytest.raises(error, match="^from_torch: .*" + message) as caught:
        from_torch(made(GRUCell), state)
    assert type(caught.value) is error


def test_too_few_layers_or_directions():
    with pytest.raises(ArgumentError, match=r"keys of 1 layer \(weight_ih_l0\), expected those of 3 .*is one layer"):
        from_torch(made(GRUCell, 3), GRU)
    with pytest.raises(ArgumentError, match=r"of one direction \(none ends in _reverse\), expected those of both"):
        from_torch(made(GRUCell, both=True), GRU)
    state = state_of("GRU 3 layers, both ways")
    del state["weight_hh_l2_reverse"]
    with pytest.raises(ArgumentError, match="lacks 'weight_hh_l2_reverse', expected"):
        from_torch(made(GRUCell, 3, both=True), state)


def test_a_prefix_that_does_not_fit():
    module = {f"rnn.{key}": array for key, array in GRU.items()} | {"out.weight": np.ones((2, 4)), "w": np.ones(1)}
    with pytest.raises(ArgumentError, match=r"state_dict lacks 'net\.weight_ih_l0', .*Try prefix='rnn\.'\."):
        from_torch(made(GRUCell), module, prefix="net.")
    with pytest.raises(ArgumentError, match=r"lacks 'rnnweight_ih_l0' and has 'rnn\..*Try prefix='rnn\.'\."):
        from_torch(made(GRUCell), module, prefix="rnn")
    with pytest.raises(ArgumentError, match=r"lacks 'weight' and has .*Try prefix='out\.'\."):
        from_torch(Dense(4, 2), module)
    with pytest.raises(DtypeError, match=r"from_torch: prefix is None, expected text such as 'rnn\.'"):
        from_torch(made(GRUCell), module, prefix=None)
    with pytest.raises(DtypeError, match="to_torch: prefix is 1"):
        to_torch(made(GRUCell), drawn(made(GRUCell)), prefix=1)
    with pytest.raises(ArgumentError, match=r"has 'rnn\.out\.weight' beside what is needed, .*\)\.$"):
        from_torch(made(GRUCell), module | {"rnn.out.weight": np.ones((2, 4))}, prefix="rnn.")
    wrong = {**module, "rnn.weight_ih_l0": W_IH.T}
    with pytest.raises(ShapeError, match=r"state_dict\['rnn\.weight_ih_l0'\] has shape"):
        from_torch(made(GRUCell), wrong, prefix="rnn.")


@pytest.mark.parametrize(("name", "changes", "message"), [
    ("Linear", {"weight": np.ones((4, 2))}, r"\(4, 2\), expected \(2, 4\) .* PyTorch keeps \(out, in\)\. .*transpose"),
    ("Linear", {"bias": np.ones(4)}, r"\['bias'\] has shape \(4,\), expected \(2,\) because the layer given is Dense"),
    ("Embedding", {"weight": np.ones((5, 4))}, r"\['weight'\] has shape \(5, 4\), expected \(6, 4\)"),
    ("Embedding", {"bias": np.ones(4)}, "has 'bias' beside what is needed, expected 'weight' because"),
    ("LayerNorm", {"weight": np.ones((4, 1))}, r"\['weight'\] has shape \(4, 1\), expected \(4,\)"),
])
def test_a_layer_without_time_that_does_not_fit(name, changes, message):
    with pytest.raises(ArgumentError, match=message):
        from_torch(FLAT[name], state_of(name) | changes)


# What PyTorch does not have


class Own(GRUCell):
    """It may compute anything."""


PEEPHOLES, BEFORE = Recurrent(LSTMCell(D, H, peepholes=True)), Recurrent(GRUCell(D, H, reset_after=False))
NOT_THERE = {
    "peepholes": (PEEPHOLES, r"LSTMCell\(.*expected a cell that PyTorch has because nn\.LSTM has no peepholes"),
    "reset before": (BEFORE, r"because nn\.GRU applies the reset gate after the product.*Keras has both"),
    "sigmoid": (Recurrent(RNNCell(D, H, "sigmoid")), r"because nn\.RNN's nonlinearity is 'tanh' or 'relu'"),
    "independent": (Recurrent(IndRNNCell(D, H)), r"IndRNNCell.* are all that PyTorch has"),
    "low rank": (Recurrent(LowRankLSTMCell(D, H, 1)), r"LowRankLSTMCell.* are all that PyTorch has"),
    "coupled": (Recurrent(CoupledLSTMCell(D, H)), r"CoupledLSTMCell.* are all that PyTorch has"),
    "minimal": (Recurrent(MinGRUCell(D, H)), r"MinGRUCell.* are all that PyTorch has"),
    "normalised": (Recurrent(LayerNormLSTMCell(D, H)), "LayerNormLSTMCell.* are all that PyTorch has"),
    "subclass": (Recurrent(Own(D, H)), "are all that PyTorch has"),
    "a cell": (GRUCell(D, H), r"layer is a GRUCell, expected a Recurrent, .*A cell goes in as Recurrent\(cell\)"),
    "a model": (SequenceModel(made(GRUCell), 2), r"layer is a SequenceModel, .*layer by layer, each with its prefix"),
    "no weights": (Dropout(0.5), "layer is a Dropout, expected a Recurrent"),
    "stacks both ways": (Bidirectional(made(GRUCell, 2), made(GRUCell, 2)),
                         r"layer\.ahead is a Stacked, expected a Recurrent layer .*is a Stacked of Bidirectional"),
    "stack of a stack": (Stacked((made(GRUCell, 2),)), r"layer\.layers\[0\] is a Stacked, expected a Recurrent layer"),
    "two kinds": (Stacked((Recurrent(GRUCell(D, H)), Recurrent(LSTMCell(H, H)))),
                  r"layer has GRUCell\(.* and LSTMCell\(.*expected one kind of cell and one hidden_size"),
    "two activations": (Bidirectional(Recurrent(RNNCell(D, H)), Recurrent(RNNCell(D, H, "relu"))), "one kind of cell"),
    "two sizes": (Stacked((Recurrent(GRUCell(D, H)), Recurrent(GRUCell(H, 5)))), "one kind of cell and one hidden"),
    "sizes of directions": (Bidirectional(Recurrent(GRUCell(D, H)), Recurrent(GRUCell(D, 5))), "one hidden_size"),
    "some both ways": (Stacked((made(GRUCell, both=True), Recurrent(GRUCell(2 * H, H)))),
                       "one direction and layers with both, expected one of the two throughout"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NOT_THERE)
def test_a_layer_that_pytorch_does_not_have(kind):
    layer, message = NOT_THERE[kind]
    for where, call in {
        "to_torch": lambda: to_torch(layer, {}), "from_torch": lambda: from_torch(layer, {}),
        "state_to_torch": lambda: state_to_torch(layer, ()), "state_from_torch": lambda: state_from_torch(layer, 0),
    }.items():
        with pytest.raises(ArgumentError, match=f"^{where}: .*{message}"):
            call()


@pytest.mark.parametrize(("changes", "error", "message"), [
    ({"b_hn": None}, ArgumentError, r"params has the keys \['W_hh', 'W_xh', 'b_h'\]"),
    ({"W_xh": np.ones((12, 3))}, ShapeError, r"params\['W_xh'\] has shape \(12, 3\), expected \(3, 12\)"),
    ({"b_hn": np.ones(4, complex)}, DtypeError, r"params\.b_hn has dtype complex128"),
    ({"b_hn": np.ones(4, np.float32)}, DtypeError, r"params\.b_hn is float32 beside params\.W_xh"),
    ({"b_hn": np.full(4, np.inf)}, ArgumentError, r"params\['b_hn'\]\[0\] is inf"),
])
def test_params_of_ours_that_do_not_fit(changes, error, message):
    layer = made(GRUCell)
    params = {key: array for key, array in (drawn(layer) | changes).items() if array is not None}
    with pytest.raises(error, match=r"^to_torch: .*" + message):
        to_torch(layer, params)
