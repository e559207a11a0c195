"""Depth: each layer on the one below by hand, the order of the state, dropout between layers, and every refusal."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.attention import AdditiveAttention
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Bidirectional, Dense, Recurrent, Stacked, dropout_mask
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, D = 5, 3, 2
BOTTOM, MIDDLE, TOP = Recurrent(LSTMCell(D, 3)), Recurrent(GRUCell(3, 4)), Recurrent(RNNCell(4, 2))
DEEP = Stacked((BOTTOM, MIDDLE, TOP))
MASK = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1], [0, 1, 1], [0, 1, 0]], bool)


def draw(layer=DEEP, seed=0):
    """Return params, xs, state, dhs, dfinal."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda array: rng.standard_normal(array.shape), layer.init_params(rng=rng))
    state, dfinal = (tuple(rng.standard_normal(part.shape) for part in layer.initial_state(N)) for _ in range(2))
    xs, dhs = rng.standard_normal((T, N, layer.input_size)), rng.standard_normal((T, N, layer.hidden_size))
    return params, xs, state, dhs, dfinal


def run(layer, params, xs, state, dhs, dfinal, mask=None, seed=None):
    rng = None if seed is None else np.random.default_rng(seed)
    hs, final, cache = layer.forward(params, xs, state, mask, rng=rng)
    dxs, dstate, grads = layer.backward(params, dhs, cache, dfinal)
    return {"hs": hs, "final": final, "dxs": dxs, "dstate": dstate, "grads": grads}


def same(found, expected, atol=0.0):
    found, expected = dict(leaves(found)), dict(leaves(expected))
    assert set(found) == set(expected)
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "padded"])
def test_each_layer_reads_the_one_below_and_the_state_has_the_top_first(mask):
    params, xs, state, dhs, dfinal = draw()
    top_state, middle_state, bottom_state = state[:1], state[1:2], state[2:]
    hs_1, final_1, cache_1 = BOTTOM.forward(params["layer0"], xs, bottom_state, mask)
    hs_2, final_2, cache_2 = MIDDLE.forward(params["layer1"], hs_1, middle_state, mask)
    hs_3, final_3, cache_3 = TOP.forward(params["layer2"], hs_2, top_state, mask)
    dhs_2, dtop, grads_3 = TOP.backward(params["layer2"], dhs, cache_3, dfinal[:1])
    dhs_1, dmiddle, grads_2 = MIDDLE.backward(params["layer1"], dhs_2, cache_2, dfinal[1:2])
    dxs, dbottom, grads_1 = BOTTOM.backward(params["layer0"], dhs_1, cache_1, dfinal[2:])
    same(run(DEEP, params, xs, state, dhs, dfinal, mask), {
        "hs": hs_3, "final": (*final_3, *final_2, *final_1), "dxs": dxs, "dstate": (*dtop, *dmiddle, *dbottom),
        "grads": {"layer0": grads_1, "layer1": grads_2, "layer2": grads_3},
    })


def test_the_state_counts_what_each_layer_carries():
    assert [part.shape for part in DEEP.initial_state(N)] == [(N, 2), (N, 4), (N, 3), (N, 3)]
    _, xs, state, _, _ = draw()
    by_layer = DEEP.layer_states(state)
    assert [len(parts) for parts in by_layer] == [2, 1, 1]  # from the bottom up
    assert by_layer[0][0] is state[2]
    assert by_layer[2][0] is state[0]
    hs, final, _ = DEEP.forward(draw()[0], xs)
    np.testing.assert_array_equal(hs[-1], final[0])  # state[0] is what the layer puts out


def test_without_a_state_it_starts_at_zero_and_without_dfinal_nothing_comes_from_there():
    params, xs, state, dhs, dfinal = draw(seed=1)
    zeros = tree_map(np.zeros_like, (state, dfinal))
    same(run(DEEP, params, xs, None, dhs, None, MASK), run(DEEP, params, xs, zeros[0], dhs, zeros[1], MASK))


@pytest.mark.parametrize(
    "layer", [BOTTOM, TOP, Bidirectional(BOTTOM, BOTTOM), Recurrent(GRUCell(D, 3), recurrent_dropout=0.5)],
    ids=["LSTM", "RNN", "both ways", "recurrent dropout"],
)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_stack_of_one_is_the_layer_itself(layer, dropout):
    params, xs, state, dhs, dfinal = draw(layer, 2)
    expected = run(layer, params, xs, state, dhs, dfinal, MASK, seed=3)
    found = run(Stacked((layer,), dropout), {"layer0": params}, xs, state, dhs, dfinal, MASK, seed=3)
    same(found, {**expected, "grads": {"layer0": expected["grads"]}})  # no dropout after the last layer


def test_a_stack_of_stacks_is_one_stack():
    params, xs, state, dhs, dfinal = draw(seed=3)
    nested = Stacked((Stacked((BOTTOM, MIDDLE)), TOP))
    names = {"layer0": {"layer0": params["layer0"], "layer1": params["layer1"]}, "layer1": params["layer2"]}
    found, expected = (run(layer, p, xs, state, dhs, dfinal, MASK) for layer, p in ((nested, names), (DEEP, params)))
    grads = found.pop("grads")
    same([grads["layer0"]["layer0"], grads["layer0"]["layer1"], grads["layer1"]], list(expected.pop("grads").values()))
    same(found, expected)


@pytest.mark.parametrize(
    "layer",
    [
        Stacked((Recurrent(LSTMCell(1, 1)), Recurrent(RNNCell(1, 3)))),
        Stacked((Bidirectional(Recurrent(RNNCell(2, 1)), Recurrent(RNNCell(2, 2))), Recurrent(GRUCell(3, 1))), 0.5),
    ],
    ids=["one way", "on both ways, dropout at rest"],
)
def test_conformance(layer):
    rng = np.random.default_rng(0)
    report = check_layer(layer, rng=rng, xs=rng.standard_normal((4, 3, layer.input_size)))
    report.raise_if_wrong()
    names = [name for name, _ in leaves({"": layer.init_params(rng=rng)})]
    assert {name.removeprefix(".") for name in names} <= {row.name for row in report.rows}
    assert report.worst < 1e-12


# Dropout between the layers


DROPPED = Stacked((BOTTOM, MIDDLE, TOP), dropout=0.4)


def test_dropout_stands_between_the_layers_and_nowhere_else():
    """By hand: a mask of its own after the first layer, and one after the second, drawn in this order."""
    params, xs, state, dhs, dfinal = draw(seed=4)
    rng = np.random.default_rng(5)
    first, second = (dropout_mask((T, N, H), 0.4, rng=rng) for H in (3, 4))
    hs_1, _, cache_1 = BOTTOM.forward(params["layer0"], xs, state[2:], MASK)
    hs_2, _, cache_2 = MIDDLE.forward(params["layer1"], first * hs_1, state[1:2], MASK)
    hs_3, _, cache_3 = TOP.forward(params["layer2"], second * hs_2, state[:1], MASK)
    dhs_2, _, _ = TOP.backward(params["layer2"], dhs, cache_3, dfinal[:1])
    dhs_1, _, _ = MIDDLE.backward(params["layer1"], second * dhs_2, cache_2, dfinal[1:2])
    dxs, _, grads = BOTTOM.backward(params["layer0"], first * dhs_1, cache_1, dfinal[2:])
    found = run(DROPPED, params, xs, state, dhs, dfinal, MASK, seed=5)
    same([found["hs"], found["dxs"], found["grads"]["layer0"]], [hs_3, dxs, grads])


def test_inference_is_without_dropout_and_one_seed_gives_one_mask():
    params, xs, state, dhs, dfinal = draw(seed=6)
    at_rest = run(DEEP, params, xs, state, dhs, dfinal, MASK)
    same(run(DROPPED, params, xs, state, dhs, dfinal, MASK), at_rest)
    same(run(DEEP, params, xs, state, dhs, dfinal, MASK, seed=7), at_rest)  # rate 0: a generator changes nothing
    trained = run(DROPPED, params, xs, state, dhs, dfinal, MASK, seed=7)
    same(run(DROPPED, params, xs, state, dhs, dfinal, MASK, seed=7), trained)
    for other in (at_rest, run(DROPPED, params, xs, state, dhs, dfinal, MASK, seed=8)):
        assert not np.allclose(trained["hs"], other["hs"])


def test_every_gradient_with_the_same_draws_at_each_call():
    layer = Stacked((Recurrent(RNNCell(D, 3), recurrent_dropout=0.3), Recurrent(RNNCell(3, 2))), dropout=0.4)
    params, xs, state, dhs, dfinal = draw(layer, 9)
    found = run(layer, params, xs, state, dhs, dfinal, MASK, seed=10)

    def loss(at):
        hs, final, _ = layer.forward(at["params"], at["xs"], at["state"], MASK, rng=np.random.default_rng(10))
        return (dhs * hs).sum() + sum((d * part).sum() for d, part in zip(dfinal, final, strict=True))

    gradients = {"params": found["grads"], "xs": found["dxs"], "state": found["dstate"]}
    report = check_gradients(loss, {"params": params, "xs": xs, "state": state}, gradients, "complex")
    report.raise_if_wrong()
    assert report.worst < 1e-12
    other = run(layer, params, xs, state, dhs, dfinal, MASK, seed=11)  # other masks are another function
    assert not np.allclose(other["dxs"], found["dxs"])


def test_float32_stays_float32():
    exact = run(DROPPED, *draw(seed=12), MASK, seed=13)
    single = tree_map(lambda array: array.astype(np.float32), list(draw(seed=12)))
    for (name, got), (_, wanted) in zip(leaves(run(DROPPED, *single, MASK, seed=13)), leaves(exact), strict=True):
        assert got.dtype == np.float32, name
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4, err_msg=name)
    start = [DEEP.init_params(rng=np.random.default_rng(0), dtype=np.float32), DEEP.initial_state(2, np.float32)]
    assert {array.dtype for _, array in leaves(start)} == {np.dtype(np.float32)}


def test_sizes_and_starts():
    assert (DEEP.input_size, DEEP.hidden_size, DEEP.causal) == (D, 2, True)
    assert DEEP.param_shapes() == {
        "layer0": BOTTOM.param_shapes(), "layer1": MIDDLE.param_shapes(), "layer2": TOP.param_shapes(),
    }
    params = DEEP.init_params(rng=np.random.default_rng(0))
    rng = np.random.default_rng(0)  # one generator, from the bottom up
    same(params, {f"layer{i}": layer.init_params(rng=rng) for i, layer in enumerate(DEEP.layers)})


# Refusals


def refused(call):
    with pytest.raises(ArgumentError) as caught:
        call()
    return type(caught.value), str(caught.value)


ATTENTIVE = Recurrent(BahdanauCell(RNNCell(D, 3), AdditiveAttention(3, 2, 2)))


@pytest.mark.parametrize("wrong", [[BOTTOM], BOTTOM, (), None], ids=["list", "layer", "empty", "None"])
def test_layers_are_a_tuple(wrong):
    assert refused(lambda: Stacked(wrong)) == (DtypeError, (
        f"Stacked: layers is {wrong!r:.60}, expected a tuple of at least one layer. "
        "Try Stacked((Recurrent(RNNCell(3, 8)), Recurrent(RNNCell(8, 8))))."
    ))


@pytest.mark.parametrize("wrong", [LSTMCell(3, 4), Recurrent, Dense(3, 4), "GRU"], ids=["cell", "class", "D", "word"])
def test_what_is_no_layer_over_time_is_refused(wrong):
    assert refused(lambda: Stacked((BOTTOM, wrong))) == (DtypeError, (
        f"Stacked: layers[1] is {wrong!r:.60}, expected a layer over time: Recurrent, Stacked or Bidirectional because "
        "a cell is one time step, a layer is a whole sequence. Try Recurrent(cell)."
    ))


def test_sizes_that_do_not_chain_are_refused():
    assert refused(lambda: Stacked((BOTTOM, TOP))) == (ArgumentError, (
        "Stacked: layers[1].input_size is 4, expected 3 because it reads what layers[0] puts out."
    ))
    message = "Stacked: layers[1].input_size is 3, expected 6 because it reads what layers[0] puts out."
    assert refused(lambda: Stacked((Bidirectional(BOTTOM, BOTTOM), MIDDLE)))[1] == message


def test_a_memory_has_no_way_in():
    assert refused(lambda: Stacked((ATTENTIVE,))) == (ArgumentError, (
        f"Stacked: layers[0] is {ATTENTIVE!r:.60}, expected a layer without a memory because the attention's memory "
        "comes in through the params of its own layer. Put the attention cell's layer on top of this one yourself."
    ))


@pytest.mark.parametrize("rate", [1.0, -0.1, np.nan, True, "half"])
def test_the_rate_is_in_0_to_1(rate):
    expected = f"Stacked: dropout is {rate!r}, expected a finite number at least 0.0 and below 1.0"
    assert refused(lambda: Stacked((BOTTOM, MIDDLE), rate))[1].startswith(expected)


PARAMS, XS, STATE, DHS, DFINAL = draw(seed=14)
NAN = XS.copy()
NAN[3, 1, 1] = np.nan
REFUSED = {
    "rank": ({"xs": XS[:, 0]}, ShapeError, "Stacked.forward: xs has shape (5, 2), expected (T, N, 2) because time"),
    "T = 0": ({"xs": XS[:0]}, ShapeError, "Stacked.forward: xs has shape (0, 3, 2), expected (T, N, 2) with T ≥ 1"),
    "N = 0": ({"xs": XS[:, :0]}, ShapeError, "Stacked.forward: xs has shape (5, 0, 2), expected (T, N, 2) with N ≥ 1"),
    "list": ({"xs": XS.tolist()}, DtypeError, "Stacked.forward: xs is a list, expected a NumPy array because nothing"),
    "nan": ({"xs": NAN}, ArgumentError, "Recurrent.forward: xs[3, 1, 1] is nan (1 of 30 entries are not finite)"),
    "missing": ({"params": {"layer0": PARAMS["layer0"]}}, ArgumentError,
                "Stacked.forward: params has the keys ['layer0'], expected ['layer0', 'layer1', 'layer2'] because each "
                "parameter has its name in the equations. It is nested by layer."),
    "inside": ({"params": {**PARAMS, "layer2": PARAMS["layer1"]}}, ArgumentError,
               "Stacked.forward: params['layer2'] has the keys ['W_hh', 'W_xh', 'b_h', 'b_hn'], expected"),
    "flat": ({"params": PARAMS["layer0"]["W_xh"]}, DtypeError, "Stacked.forward: params is a ndarray, expected a dict"),
    "state of the top": ({"state": STATE[:1]}, DtypeError,
                         "Stacked.forward: state is a tuple of 1, expected a tuple of 4 arrays because state[0] is "
                         "what the cell puts out, and some cells carry more. Try state=(h, part 1, part 2, part 3)."),
    "state upside down": ({"state": STATE[::-1]}, ShapeError,
                          "Stacked.forward: state[0] has shape (3, 3), expected (3, 2) because there is one row a seq"),
    "state nan": ({"state": tree_map(lambda part: part * np.nan, STATE)}, ArgumentError,
                  "Stacked.forward: state[0][0, 0] is nan (6 of 6 entries are not finite)"),
    "mask": ({"mask": MASK.T}, ShapeError, "Recurrent.forward: mask has shape (3, 5), expected (5, 3)"),
    "mixed": ({"xs": XS.astype(np.float32)}, DtypeError, "Recurrent.forward: xs is float32 beside params.W_xh of"),
    "mixed state": ({"state": tree_map(lambda part: part.astype(np.float32), STATE)}, DtypeError,
                    "Recurrent.forward: state[0] is float32 beside params.W_xh of float64, expected one dtype"),
    "rng": ({"rng": 7}, DtypeError, "Dropout.forward: rng is 7, expected a numpy.random.Generator because"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_forward_refuses(case):
    change, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        DROPPED.forward(**{"params": PARAMS, "xs": XS, "state": STATE, "mask": None, **change})
    assert str(caught.value).startswith(message)


REFUSED_BACK = {
    "shape": ({"dhs": DHS[..., :1]}, ShapeError,
              "Stacked.backward: dhs has shape (5, 3, 1), expected (T, N, 2) because it is the gradient of hs."),
    "steps": ({"dhs": DHS[1:]}, ShapeError, "Recurrent.backward: dhs has shape (4, 3, 2), expected (5, 3, 2) because"),
    "dfinal": ({"dfinal_state": DFINAL[0]}, DtypeError,
               "Stacked.backward: dfinal_state is of type ndarray, expected a tuple of 4 arrays because state[0] is"),
    "params": ({"params": {}}, ArgumentError, "Stacked.backward: params has the keys [], expected ['layer0', 'layer1'"),
    "cache": ({"cache": ()}, DtypeError, "Stacked.backward: cache is a tuple, expected the StackedCache that forward"),
}


@pytest.mark.parametrize("case", REFUSED_BACK)
def test_backward_refuses(case):
    change, error, message = REFUSED_BACK[case]
    _, _, cache = DEEP.forward(PARAMS, XS, STATE)
    with pytest.raises(error) as caught:
        DEEP.backward(**{"params": PARAMS, "dhs": DHS, "cache": cache, "dfinal_state": DFINAL, **change})
    assert str(caught.value).startswith(message)


def test_many_to_one_reads_the_top_layer():
    model = SequenceModel(DEEP, 1, "regression", "many-to-one")
    rng = np.random.default_rng(15)
    params = {"recurrent": PARAMS, "output": {"W_hy": rng.standard_normal((2, 1)), "b_y": rng.standard_normal(1)}}
    logits, final, _ = model.forward(params, XS, STATE, MASK)
    np.testing.assert_array_equal(logits, final[0] @ params["output"]["W_hy"] + params["output"]["b_y"])
    hs, _, _ = DEEP.forward(PARAMS, XS, STATE, MASK)
    for n in range(N):  # what the top layer put out at the sequence's own last step
        np.testing.assert_array_equal(final[0][n], hs[np.flatnonzero(MASK[:, n])[-1], n])
