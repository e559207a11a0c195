"""Recurrent: conformance in every configuration, split runs, float32, engines, and every refusal."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.attention import AdditiveAttention
from rnn_from_scratch.cells import (
    BahdanauCell,
    GRUCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankRNNCell,
    LSTMCell,
    MinGRUCell,
    RNNCell,
)
from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Recurrent, dropout_mask
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, D, H = 6, 2, 3, 4
LAYER = Recurrent(RNNCell(D, H))
MASK = np.array([[1, 0, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], bool).T


class Renamed(RNNCell):
    """Not RNNCell itself: no kernel can know what a subclass computes."""


def draw(seed=0, D=D, H=H):
    rng = np.random.default_rng(seed)
    params = {
        "W_xh": rng.standard_normal((D, H)) / np.sqrt(D),
        "W_hh": rng.standard_normal((H, H)) / np.sqrt(H),
        "b_h": 0.5 * rng.standard_normal(H),
    }
    return params, rng.standard_normal((T, N, D)), (rng.standard_normal((N, H)),), rng.standard_normal((T, N, H)), rng


def run(layer, params, xs, state, mask, dhs, dfinal=None):
    hs, final, cache = layer.forward(params, xs, state, mask)
    dxs, dstate, grads = layer.backward(params, dhs, cache, dfinal)
    return {"hs": hs, "final": final, "dxs": dxs, "dstate": dstate, "grads": grads}


@pytest.mark.parametrize("engine", [None, "stepwise"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize(("D", "H"), [(3, 4), (4, 2)])
def test_conformance(activation, engine, D, H):
    report = check_layer(Recurrent(RNNCell(D, H, activation), engine), rng=np.random.default_rng(D))
    report.raise_if_wrong()
    names = {row.name for row in report.rows}
    assert {name + case for name in ("W_xh", "W_hh", "b_h", "xs", "state[0]") for case in ("", " (masked)")} <= names
    assert report.worst < 1e-12


@pytest.mark.parametrize("mask", [None, MASK])
def test_every_output_is_the_recursion_by_hand(mask):
    params, xs, state, _, _ = draw(1)
    hs, final, _ = LAYER.forward(params, xs, state, mask)
    for n in range(N):
        h = state[0][n]
        for t in range(T):
            if mask is None or mask[t, n]:
                h = np.tanh(xs[t, n] @ params["W_xh"] + h @ params["W_hh"] + params["b_h"])
                np.testing.assert_allclose(hs[t, n], h, rtol=0, atol=1e-14)
            else:
                assert not hs[t, n].any()
        np.testing.assert_allclose(final[0][n], h, rtol=0, atol=1e-14)


def test_without_a_state_it_starts_at_zero():
    params, xs, _, dhs, _ = draw(2)
    zero = (np.zeros((N, H)),)
    one, other = run(LAYER, params, xs, None, MASK, dhs), run(LAYER, params, xs, zero, MASK, dhs)
    for (name, left), (_, right) in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_array_equal(left, right, err_msg=name)


@pytest.mark.parametrize("cut", [1, 3, 5])
@pytest.mark.parametrize("mask", [None, MASK])
def test_the_final_state_passed_in_continues_the_sequence(cut, mask):
    params, xs, state, dhs, rng = draw(3)
    dfinal = (rng.standard_normal((N, H)),)
    whole = run(LAYER, params, xs, state, mask, dhs, dfinal)
    first_mask, second_mask = (None, None) if mask is None else (mask[:cut], mask[cut:])
    hs_1, middle, cache_1 = LAYER.forward(params, xs[:cut], state, first_mask)
    hs_2, final, cache_2 = LAYER.forward(params, xs[cut:], middle, second_mask)
    np.testing.assert_allclose(np.concatenate([hs_1, hs_2]), whole["hs"], rtol=0, atol=1e-14)
    np.testing.assert_allclose(final[0], whole["final"][0], rtol=0, atol=1e-14)
    dxs_2, dmiddle, grads_2 = LAYER.backward(params, dhs[cut:], cache_2, dfinal)
    dxs_1, dstate, grads_1 = LAYER.backward(params, dhs[:cut], cache_1, dmiddle)  # and its gradient goes back
    np.testing.assert_allclose(np.concatenate([dxs_1, dxs_2]), whole["dxs"], rtol=0, atol=1e-13)
    np.testing.assert_allclose(dstate[0], whole["dstate"][0], rtol=0, atol=1e-13)
    for name in params:
        np.testing.assert_allclose(grads_1[name] + grads_2[name], whole["grads"][name], rtol=0, atol=1e-13)


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_float32_stays_float32_and_agrees(activation, mask):
    layer = Recurrent(RNNCell(D, H, activation))
    params, xs, state, dhs, _ = draw(4)
    exact = run(layer, params, xs, state, mask, dhs)
    single = tree_map(lambda array: array.astype(np.float32), [params, xs, state, dhs])
    rounded = run(layer, *single[:3], mask, single[3])
    for (name, got), (_, expected) in zip(leaves(rounded), leaves(exact), strict=True):
        assert got.dtype == np.float32, name
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5, err_msg=name)
    no_state, _, _ = layer.forward(single[0], single[1])
    assert no_state.dtype == np.float32


def test_what_comes_back_is_the_callers_to_write_on():
    params, xs, state, dhs, _ = draw(5)
    clean = run(LAYER, params, xs, state, None, dhs)
    hs, final, cache = LAYER.forward(params, xs, state)
    hs[...] = np.nan
    final[0][...] = np.nan
    dxs, dstate, grads = LAYER.backward(params, dhs, cache)
    np.testing.assert_array_equal(grads["W_hh"], clean["grads"]["W_hh"])
    for array in (dxs, dstate[0], *grads.values()):
        array[...] = np.nan
    np.testing.assert_array_equal(LAYER.backward(params, dhs, cache)[2]["W_hh"], clean["grads"]["W_hh"])


def test_a_batch_of_padding_alone_gives_back_the_state_itself():
    params, xs, state, _, _ = draw(6)
    nothing = np.zeros((T, N), bool)
    _, final, cache = LAYER.forward(params, xs * np.nan, state, nothing)
    np.testing.assert_array_equal(final[0], state[0])
    dxs, dstate, grads = LAYER.backward(params, np.full((T, N, H), np.nan), cache, state)
    np.testing.assert_array_equal(dstate[0], state[0])
    assert not dxs.any()
    assert not any(array.any() for array in grads.values())


# Engines


@pytest.mark.parametrize("engine", ["fast", "Stepwise", 1])
def test_engines_are_named(engine):
    with pytest.raises(ArgumentError) as caught:
        Recurrent(RNNCell(D, H), engine)
    message = f"Recurrent: engine is {engine!r}, expected one of 'stepwise', 'fused', None."
    assert str(caught.value) == message


def test_no_kernel_for_a_subclass():
    with pytest.raises(ArgumentError) as caught:
        Recurrent(Renamed(D, H), engine="fused")
    message = str(caught.value)
    assert message.startswith("Recurrent: engine is 'fused' for Renamed(input_size=3, hidden_size=4, ")
    assert message.endswith(
        "expected 'stepwise' or None because no fused kernel exists for this cell. engine=None takes the fastest "
        "engine there is."
    )
    params, xs, _, _, _ = draw()
    np.testing.assert_array_equal(Recurrent(Renamed(D, H)).forward(params, xs)[0],
                                  Recurrent(RNNCell(D, H), "stepwise").forward(params, xs)[0])


# Recurrent dropout

CELLS = {
    "RNN": RNNCell(D, H), "LSTM": LSTMCell(D, H), "layer norm": LayerNormLSTMCell(D, H), "GRU": GRUCell(D, H),
    "reset before": GRUCell(D, H, reset_after=False),
}
every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
RATE, SEED = 0.5, 3  # drops units 0 and 1 of the four


def point(cell, seed=10):
    """Return params, xs, state, dhs and dfinal of any cell."""
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    state, dfinal = (tuple(rng.standard_normal(part.shape) for part in cell.initial_state(N)) for _ in range(2))
    return params, rng.standard_normal((T, N, D)), state, rng.standard_normal((T, N, H)), dfinal


def train(layer, params, xs, state, dhs, dfinal, seed=SEED):
    hs, final, cache = layer.forward(params, xs, state, MASK, rng=np.random.default_rng(seed))
    dxs, dstate, grads = layer.backward(params, dhs, cache, dfinal)
    return {"hs": hs, "final": final, "dxs": dxs, "dstate": dstate, "grads": grads}


@every_cell
def test_recurrent_dropout_is_a_layer_without_some_rows_of_its_matrix(cell):
    """One mask (H, 1) for all steps and sequences: whoever reads h_{t−1} through W_hh misses the same units."""
    params, xs, state, dhs, dfinal = point(cell)
    mask = dropout_mask((H, 1), RATE, rng=np.random.default_rng(SEED))
    kept = mask[:, 0] > 0
    assert kept.tolist() == [False, False, True, True]
    found = train(Recurrent(cell, recurrent_dropout=RATE), params, xs, state, dhs, dfinal)
    thinned = {**params, "W_hh": np.where(kept[:, None], 2.0 * params["W_hh"], 0.0)}  # 1/(1 − RATE) = 2
    expected = run(Recurrent(cell), thinned, xs, state, MASK, dhs, dfinal)
    expected["grads"]["W_hh"] = expected["grads"]["W_hh"] * np.where(kept, 2.0, 0.0)[:, None]
    assert not found["grads"]["W_hh"][~kept].any()  # a unit that was left out learns nothing here
    assert found["grads"]["W_hh"][kept].any(axis=1).all()
    for (name, got), (_, wanted) in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_array_equal(got, wanted, err_msg=name)


@every_cell
def test_gradients_under_recurrent_dropout_with_the_same_draw_at_every_call(cell):
    params, xs, state, dhs, dfinal = point(cell)
    layer = Recurrent(cell, recurrent_dropout=RATE)
    found = train(layer, params, xs, state, dhs, dfinal)

    def loss(at):
        everything = {**params, "W_hh": at["W_hh"]}
        hs, final, _ = layer.forward(everything, xs, (at["h"], *state[1:]), MASK, rng=np.random.default_rng(SEED))
        return (dhs * hs).sum() + sum((d * part).sum() for d, part in zip(dfinal, final, strict=True))

    gradients = {"W_hh": found["grads"]["W_hh"], "h": found["dstate"][0]}
    report = check_gradients(loss, {"W_hh": params["W_hh"], "h": state[0]}, gradients, "complex")
    report.raise_if_wrong()
    assert report.worst < 1e-12


def test_recurrent_dropout_is_for_training_alone_and_drawn_by_its_generator():
    cell = CELLS["GRU"]
    params, xs, state, dhs, dfinal = point(cell, 11)
    dropping, plain = Recurrent(cell, recurrent_dropout=RATE), Recurrent(cell)
    at_rest = run(plain, params, xs, state, MASK, dhs, dfinal)
    trained = train(dropping, params, xs, state, dhs, dfinal)
    for one, other in (
        (run(dropping, params, xs, state, MASK, dhs, dfinal), at_rest),  # no generator, no dropout
        (train(plain, params, xs, state, dhs, dfinal), at_rest),  # rate 0: a generator changes nothing
        (train(dropping, params, xs, state, dhs, dfinal), trained),
    ):
        for (name, got), (_, wanted) in zip(leaves(one), leaves(other), strict=True):
            np.testing.assert_array_equal(got, wanted, err_msg=name)
    for other in (at_rest, train(dropping, params, xs, state, dhs, dfinal, seed=4)):
        assert not np.allclose(trained["hs"], other["hs"])
    rng = np.random.default_rng(SEED)  # each call draws anew from it
    first, second = (dropping.forward(params, xs, state, MASK, rng=rng)[0] for _ in range(2))
    np.testing.assert_array_equal(first, trained["hs"])
    assert not np.array_equal(first, second)


def test_recurrent_dropout_keeps_float32():
    params, xs, state, dhs, dfinal = tree_map(lambda array: array.astype(np.float32), list(point(CELLS["LSTM"])))
    found = train(Recurrent(CELLS["LSTM"], recurrent_dropout=np.float64(RATE)), params, xs, state, dhs, dfinal)
    assert {array.dtype for _, array in leaves(found)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("rate", [1.0, -0.1, np.nan, True, "half"])
def test_the_rate_of_recurrent_dropout_is_in_0_to_1(rate):
    with pytest.raises(ArgumentError) as caught:
        Recurrent(CELLS["RNN"], recurrent_dropout=rate)
    message = f"Recurrent: recurrent_dropout is {rate!r}, expected a finite number at least 0.0 and below 1.0"
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("cell", [
    IndRNNCell(D, H), LowRankRNNCell(D, H, 1), MinGRUCell(D, H),
    BahdanauCell(RNNCell(D, H), AdditiveAttention(H, 2, 3)),
], ids=str)
def test_recurrent_dropout_needs_a_matrix_to_leave_rows_out_of(cell):
    with pytest.raises(ArgumentError) as caught:
        Recurrent(cell, recurrent_dropout=RATE)
    message = 'expected a cell with a matrix "W_hh" because the mask leaves out its rows.'
    assert str(caught.value) == f"Recurrent: recurrent_dropout is 0.5 for {cell}, {message}"
    with pytest.raises(DtypeError, match=r"^dropout_mask: rng is 7, expected a numpy\.random\.Generator"):
        Recurrent(CELLS["RNN"], recurrent_dropout=RATE).forward(*draw()[:3], rng=7)


@pytest.mark.parametrize("wrong", [RNNCell, "RNN", None], ids=["class", "word", "None"])
def test_what_is_no_cell_is_refused(wrong):
    with pytest.raises(DtypeError) as caught:
        Recurrent(wrong)
    expected = "expected a cell, such as RNNCell(3, 4) because the layer repeats a cell's step over time."
    assert str(caught.value) == f"Recurrent: cell is {wrong!r:.60}, {expected}"


# Refusals

PARAMS, XS, STATE, DHS, _ = draw(9)
NAN = XS.copy()
NAN[3, 1, 2] = np.nan
GOOD = {"params": PARAMS, "xs": XS, "state": STATE, "mask": MASK}
HINT = "For a single sequence use xs[:, None, :]; from batch-first use xs.swapaxes(0, 1)."
REFUSED = {
    "rank": ({"xs": XS[:, 0]}, ShapeError,
             "xs has shape (6, 3), expected (T, N, 3) because time comes first and input_size=3. " + HINT),
    "size": ({"xs": np.zeros((6, 2, 5))}, ShapeError, "xs has shape (6, 2, 5), expected (T, N, 3) because time comes"),
    "T = 0": ({"xs": XS[:0], "mask": None}, ShapeError,
              "xs has shape (0, 2, 3), expected (T, N, 3) with T ≥ 1 because with no time steps there is nothing to "
              "compute. Leave empty batches out before the call."),
    "N = 0": ({"xs": XS[:, :0], "mask": None}, ShapeError, "xs has shape (6, 0, 3), expected (T, N, 3) with N ≥ 1"),
    "list": ({"xs": XS.tolist()}, DtypeError,
             "xs is a list, expected a NumPy array because nothing is converted silently. "
             "Try np.asarray(xs, dtype=np.float64)."),
    "integers": ({"xs": np.ones((T, N, D), int)}, DtypeError,
                 "xs has dtype int64, expected float64 (or float32) because gradients need real numbers. "
                 "Try xs.astype(np.float64); indices go in as integers (T, N)."),
    "object": ({"xs": XS.astype(object)}, DtypeError, "xs has dtype object, expected float64 (or float32) because"),
    "mixed": ({"xs": XS.astype(np.float32)}, DtypeError,
              "xs is float32 beside params.W_xh of float64, expected one dtype throughout because a silent promotion"),
    "mixed state": ({"state": (STATE[0].astype(np.float32),)}, DtypeError, "state[0] is float32 beside params.W_xh"),
    "nan": ({"xs": NAN}, ArgumentError,
            "xs[3, 1, 2] is nan (1 of 36 entries are not finite), expected finite numbers because one NaN spreads to "
            "every parameter in a single update. Fill missing values first, or mark them as padding in the mask."),
    "inf": ({"xs": np.where(np.isnan(NAN), -np.inf, XS)}, ArgumentError, "xs[3, 1, 2] is -inf (1 of 36 entries"),
    "nan in params": ({"params": {**PARAMS, "W_hh": np.full((H, H), np.nan)}}, ArgumentError,
                      "params['W_hh'][0, 0] is nan (16 of 16 entries are not finite), expected finite numbers because "
                      "one NaN spreads to every parameter in a single update. Did an earlier update diverge? "
                      "Try a lower learning rate or clipping."),
    "missing": ({"params": {"W_xh": PARAMS["W_xh"], "b_h": PARAMS["b_h"]}}, ArgumentError,
                "params has the keys ['W_xh', 'b_h'], expected ['W_hh', 'W_xh', 'b_h'] because each parameter has its "
                "name in the equations. This layer's cell is RNNCell(input_size=3, hidden_size=4, activation='tanh')."),
    "extra": ({"params": {**PARAMS, "W_hy": PARAMS["W_hh"]}}, ArgumentError, "params has the keys ['W_hh', 'W_hy',"),
    "no dictionary": ({"params": list(PARAMS.values())}, DtypeError, "params is a list, expected a dictionary of"),
    "wrong matrix": ({"params": {**PARAMS, "W_xh": PARAMS["W_xh"].T}}, ShapeError,
                     "params['W_xh'] has shape (4, 3), expected (3, 4). This layer's cell is RNNCell("),
    "mask shape": ({"mask": MASK.T}, ShapeError,
                   "mask has shape (2, 6), expected (6, 2) because it has one entry per time step and sequence, True "
                   "where there is one."),
    "mask of ints": ({"mask": MASK.astype(int)}, DtypeError,
                     "mask has dtype int64, expected a boolean array because 0 and 1 would index instead of select. "
                     "Try np.asarray(mask, dtype=bool)."),
    "state no tuple": ({"state": STATE[0]}, DtypeError,
                       "state is of type ndarray, expected a tuple of 1 array because state[0] is what the cell puts "
                       "out, and some cells carry more. Try state=(h,)."),
    "state too long": ({"state": (*STATE, STATE[0])}, DtypeError, "state is a tuple of 2, expected a tuple of 1 array"),
    "state shape": ({"state": (STATE[0][:1],)}, ShapeError,
                    "state[0] has shape (1, 4), expected (2, 4) because there is one row a sequence."),
    "state nan": ({"state": (STATE[0] * np.nan,)}, ArgumentError, "state[0][0, 0] is nan (8 of 8 entries are not"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_forward_refuses(case):
    changed, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        LAYER.forward(**{**GOOD, **changed})
    assert str(caught.value).startswith(f"Recurrent.forward: {message}")


REFUSED_BACK = {
    "shape": (DHS[1:], None, ShapeError, "dhs has shape (5, 2, 4), expected (6, 2, 4) because it is the gradient of"),
    "list": (DHS.tolist(), None, DtypeError, "dhs is a list, expected a NumPy array because nothing is converted"),
    "mixed": (DHS.astype(np.float32), None, DtypeError, "dhs is float32 beside params.W_xh of float64, expected one"),
    "nan": (DHS * np.nan, None, ArgumentError, "dhs[0, 0, 0] is nan (36 of 48 entries are not finite), expected finite "
            "numbers because one NaN spreads to every parameter in a single update. Did the loss diverge?"),
    "dfinal": (DHS, STATE[0], DtypeError, "dfinal_state is of type ndarray, expected a tuple of 1 array"),
    "dfinal shape": (DHS, (STATE[0][:1],), ShapeError, "dfinal_state[0] has shape (1, 4), expected (2, 4) because"),
    "dfinal mixed": (DHS, (STATE[0].astype(np.float32),), DtypeError, "dfinal_state[0] is float32 beside params.W_xh"),
}


@pytest.mark.parametrize("case", REFUSED_BACK)
def test_backward_refuses(case):
    dhs, dfinal, error, message = REFUSED_BACK[case]
    _, _, cache = LAYER.forward(**GOOD)
    with pytest.raises(error) as caught:
        LAYER.backward(PARAMS, dhs, cache, dfinal)
    assert str(caught.value).startswith(f"Recurrent.backward: {message}")
