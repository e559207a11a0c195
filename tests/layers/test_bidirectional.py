"""Both directions: two layers by hand, also on padded sequences; palindromes; both summaries; and every refusal."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.attention import AdditiveAttention
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Bidirectional, Recurrent, Stacked
from rnn_from_scratch.models import SequenceModel, truncated_bptt, window_loss_and_grads, windows
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, D = 5, 3, 2
AHEAD, BACK = Recurrent(LSTMCell(D, 3)), Recurrent(LSTMCell(D, 4))
LAYER = Bidirectional(AHEAD, BACK)
MASK = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1], [0, 1, 1], [0, 1, 0]], bool)  # padding last, inside, on both sides


def draw(layer=LAYER, seed=0):
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
def test_it_is_two_layers_each_over_one_sequence_and_its_reverse(mask):
    """Sequence by sequence, without any padding: one reads it as it stands, the other from its own end."""
    params, xs, state, dhs, dfinal = draw()
    batch = run(LAYER, params, xs, state, dhs, dfinal, mask)
    sums = tree_map(np.zeros_like, params)
    for n in range(N):
        here, one = np.ones(T, bool) if mask is None else mask[:, n], slice(n, n + 1)
        own_xs, own_dhs = xs[here, one], dhs[here, one]

        def half(parts, ahead, one=one):
            return tuple(part[one, :3] if ahead else part[one, 3:] for part in parts)

        ahead = run(AHEAD, params["ahead"], own_xs, half(state, True), own_dhs[..., :3], half(dfinal, True))
        back = run(BACK, params["back"], own_xs[::-1], half(state, False), own_dhs[::-1, :, 3:], half(dfinal, False))
        hs = np.concatenate([ahead["hs"], back["hs"][::-1]], axis=2)
        np.testing.assert_allclose(batch["hs"][here, one], hs, rtol=0, atol=1e-14)
        np.testing.assert_allclose(batch["dxs"][here, one], ahead["dxs"] + back["dxs"][::-1], rtol=0, atol=1e-13)
        for name in ("final", "dstate"):
            for together, left, right in zip(batch[name], ahead[name], back[name], strict=True):
                np.testing.assert_allclose(together[n], np.concatenate([left[0], right[0]]), rtol=0, atol=1e-13)
        assert not batch["hs"][~here, n].any()
        assert not batch["dxs"][~here, n].any()
        sums = tree_map(np.add, sums, {"ahead": ahead["grads"], "back": back["grads"]})
    same(batch["grads"], sums, atol=1e-13)


def test_every_output_knows_the_whole_sequence():
    params, xs, _, _, _ = draw(seed=1)
    hs, _, _ = LAYER.forward(params, xs)
    for t in range(T):
        changed = xs.copy()
        changed[t] += 1.0
        moved = np.abs(LAYER.forward(params, changed)[0] - hs).max(axis=1) > 1e-9  # (T, 7)
        for other in range(T):
            assert moved[other, :3].any() == (other >= t)  # ahead: from t on
            assert moved[other, 3:].any() == (other <= t)  # back: up to t


@pytest.mark.parametrize("mask", [None, [1, 1, 0, 1, 1]], ids=["whole", "padded"])
def test_a_palindrome_read_by_the_same_weights_has_mirrored_halves(mask):
    layer = Bidirectional(AHEAD, AHEAD)
    params, xs, state, _, _ = draw(layer, 2)
    params["back"] = params["ahead"]
    palindrome = np.concatenate([xs[:2], xs[2:3], xs[:2][::-1]])
    mask = mask if mask is None else np.repeat(np.array(mask, bool)[:, None], N, axis=1)
    state = tuple(np.tile(part[:, :3], 2) for part in state)
    hs, final, _ = layer.forward(params, palindrome, state, mask)
    np.testing.assert_array_equal(hs[..., :3], hs[::-1, :, 3:])
    for part in final:
        np.testing.assert_array_equal(part[:, :3], part[:, 3:])


def test_reading_the_reverse_swaps_the_halves():
    layer = Bidirectional(AHEAD, AHEAD)
    params, xs, _, _, _ = draw(layer, 3)
    swapped = {"ahead": params["back"], "back": params["ahead"]}
    hs, final, _ = layer.forward(params, xs, None, MASK)
    other, other_final, _ = layer.forward(swapped, xs[::-1], None, MASK[::-1])
    np.testing.assert_array_equal(other[::-1], np.roll(hs, 3, axis=2))
    for part, other_part in zip(final, other_final, strict=True):
        np.testing.assert_array_equal(other_part, np.roll(part, 3, axis=1))


def test_both_summaries_of_the_whole_sequence():
    """state[0] holds h after the last step read: at a sequence's own right end, and at its own left end."""
    params, xs, _, _, _ = draw(seed=4)
    hs, final, _ = LAYER.forward(params, xs, None, MASK)
    for n in range(N):
        first, last = np.flatnonzero(MASK[:, n])[[0, -1]]
        np.testing.assert_array_equal(final[0][n, :3], hs[last, n, :3])
        np.testing.assert_array_equal(final[0][n, 3:], hs[first, n, 3:])


def test_many_to_one_reads_both_summaries():
    model = SequenceModel(LAYER, 2, "regression", "many-to-one")
    params, xs, state, _, _ = draw(seed=5)
    rng = np.random.default_rng(6)
    tree = {"recurrent": params, "output": {"W_hy": rng.standard_normal((7, 2)), "b_y": rng.standard_normal(2)}}
    logits, _, _ = model.forward(tree, xs, state, MASK)
    _, final, _ = LAYER.forward(params, xs, state, MASK)
    np.testing.assert_array_equal(logits, final[0] @ tree["output"]["W_hy"] + tree["output"]["b_y"])
    targets = rng.standard_normal((N, 2))
    _, grads, _ = model.loss_and_grads(tree, xs, targets, state, MASK)
    report = check_gradients(
        lambda at: model.loss_and_grads({**tree, "output": at["output"], "recurrent": {
            way: {**params[way], **at[way]} for way in ("ahead", "back")}}, xs, targets, state, MASK)[0],
        {"output": tree["output"], **{way: {"b_h": params[way]["b_h"]} for way in ("ahead", "back")}},
        {"output": grads["output"],
         **{way: {"b_h": grads["recurrent"][way]["b_h"]} for way in ("ahead", "back")}}, "complex",
    )
    report.raise_if_wrong()
    assert all(row.numeric for row in report.rows)


def test_without_a_state_it_starts_at_zero_and_without_dfinal_nothing_comes_from_there():
    params, xs, state, dhs, dfinal = draw(seed=7)
    zeros = tree_map(np.zeros_like, (state, dfinal))
    same(run(LAYER, params, xs, None, dhs, None, MASK), run(LAYER, params, xs, zeros[0], dhs, zeros[1], MASK))


@pytest.mark.parametrize(
    "layer",
    [
        Bidirectional(Recurrent(LSTMCell(1, 2)), Recurrent(LSTMCell(1, 1))),
        Bidirectional(Stacked((Recurrent(RNNCell(2, 1)), Recurrent(RNNCell(1, 2)))),
                      Stacked((Recurrent(RNNCell(2, 2)), Recurrent(RNNCell(2, 1))))),
    ],
    ids=["LSTM", "of stacks"],
)
def test_conformance(layer):
    rng = np.random.default_rng(0)
    report = check_layer(layer, rng=rng, xs=rng.standard_normal((4, 3, layer.input_size)))
    report.raise_if_wrong()
    names = {name for name, _ in leaves(layer.init_params(rng=rng))}
    assert names <= {row.name for row in report.rows}
    assert report.worst < 1e-12


def test_dropout_inside_draws_for_one_way_and_then_for_the_other():
    layer = Bidirectional(*(Recurrent(layer.cell, recurrent_dropout=0.5) for layer in (AHEAD, BACK)))
    params, xs, state, dhs, dfinal = draw(seed=8)
    found = run(layer, params, xs, state, dhs, dfinal, MASK, seed=9)
    rng = np.random.default_rng(9)
    ahead, back = layer.layer_states(state)
    hs_ahead, _, _ = layer.ahead.forward(params["ahead"], xs, ahead, MASK, rng=rng)
    hs_back, _, _ = layer.back.forward(params["back"], xs[::-1], back, MASK[::-1], rng=rng)
    np.testing.assert_array_equal(found["hs"], np.concatenate([hs_ahead, hs_back[::-1]], axis=2))
    same(run(layer, params, xs, state, dhs, dfinal, MASK), run(LAYER, params, xs, state, dhs, dfinal, MASK))


def test_float32_stays_float32():
    exact = run(LAYER, *draw(seed=10), MASK)
    single = tree_map(lambda array: array.astype(np.float32), list(draw(seed=10)))
    for (name, got), (_, wanted) in zip(leaves(run(LAYER, *single, MASK)), leaves(exact), strict=True):
        assert got.dtype == np.float32, name
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4, err_msg=name)
    start = [LAYER.init_params(rng=np.random.default_rng(0), dtype=np.float32), LAYER.initial_state(2, np.float32)]
    assert {array.dtype for _, array in leaves(start)} == {np.dtype(np.float32)}


def test_sizes_and_starts():
    assert (LAYER.input_size, LAYER.hidden_size, LAYER.causal) == (D, 7, False)
    assert not Stacked((LAYER, Recurrent(RNNCell(7, 2)))).causal
    assert LAYER.param_shapes() == {"ahead": AHEAD.param_shapes(), "back": BACK.param_shapes()}
    assert [part.shape for part in LAYER.initial_state(N)] == [(N, 7), (N, 7)]
    rng = np.random.default_rng(0)
    expected = {"ahead": AHEAD.init_params(rng=rng), "back": BACK.init_params(rng=rng)}
    same(LAYER.init_params(rng=np.random.default_rng(0)), expected)


# Refusals


def refused(call):
    with pytest.raises(ArgumentError) as caught:
        call()
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("deep", [False, True], ids=["alone", "in a stack"])
def test_windows_of_truncated_bptt_know_no_later_input(deep):
    """A window ends before the sequence does: what the backward layer has read there is not known yet."""
    layer = Stacked((Recurrent(RNNCell(D, 3)), Bidirectional(*[Recurrent(RNNCell(3, 2))] * 2))) if deep else LAYER
    model, xs = SequenceModel(layer, 1, "regression"), draw()[1]
    params, targets = model.init_params(rng=np.random.default_rng(0)), np.zeros((T, N, 1))
    message = (
        "window_loss_and_grads: a model that also reads backwards, expected one that reads forwards only because a "
        "window ends before the sequence does, and what comes after is not known yet. Leave out Bidirectional."
    )
    call = refused(lambda: window_loss_and_grads(model, params, xs, targets, windows(T, 2, 2)[0]))
    assert call == (ArgumentError, message)
    assert refused(lambda: list(truncated_bptt(model, params, xs, targets, 2, 2)))[0] is ArgumentError


@pytest.mark.parametrize("name", ["ahead", "back"])
@pytest.mark.parametrize("wrong", [LSTMCell(D, 3), Recurrent, None], ids=["cell", "class", "None"])
def test_what_is_no_layer_over_time_is_refused(name, wrong):
    assert refused(lambda: Bidirectional(**{"ahead": AHEAD, "back": BACK, name: wrong})) == (DtypeError, (
        f"Bidirectional: {name} is {wrong!r:.60}, expected a layer over time: Recurrent, Stacked or Bidirectional "
        "because a cell is one time step, a layer is a whole sequence. Try Recurrent(cell)."
    ))


def test_layers_that_do_not_fit_are_refused():
    assert refused(lambda: Bidirectional(AHEAD, Recurrent(LSTMCell(3, 4)))) == (
        ArgumentError, "Bidirectional: back.input_size is 3, expected 2 because both directions read the same xs."
    )
    assert refused(lambda: Bidirectional(AHEAD, Recurrent(GRUCell(D, 3)))) == (ArgumentError, (
        "Bidirectional: the two layers' states have different numbers of parts, expected cells of one kind because the "
        "parts of the two states stand side by side."
    ))
    attentive = Recurrent(BahdanauCell(RNNCell(D, 3), AdditiveAttention(3, 2, 2)))
    message = refused(lambda: Bidirectional(attentive, attentive))[1]
    assert message.startswith(f"Bidirectional: ahead is {attentive!r:.60}, expected a layer without a memory because")


PARAMS, XS, STATE, DHS, DFINAL = draw(seed=11)
NAN = XS.copy()
NAN[3, 1, 1] = np.nan
HALF = tuple(part[:, :3] for part in STATE)
REFUSED = {
    "rank": ({"xs": XS[:, 0]}, ShapeError, "Bidirectional.forward: xs has shape (5, 2), expected (T, N, 2) because"),
    "N = 0": ({"xs": XS[:, :0]}, ShapeError, "Bidirectional.forward: xs has shape (5, 0, 2), expected (T, N, 2) with"),
    "list": ({"xs": XS.tolist()}, DtypeError, "Bidirectional.forward: xs is a list, expected a NumPy array because"),
    "nan": ({"xs": NAN}, ArgumentError, "Recurrent.forward: xs[3, 1, 1] is nan (1 of 30 entries are not finite)"),
    "missing": ({"params": {"ahead": PARAMS["ahead"]}}, ArgumentError,
                "Bidirectional.forward: params has the keys ['ahead'], expected ['ahead', 'back'] because each "
                "parameter has its name in the equations. It is nested by direction."),
    "swapped": ({"params": {"ahead": PARAMS["back"], "back": PARAMS["ahead"]}}, ShapeError,
                "Bidirectional.forward: params['ahead']['W_xh'] has shape (2, 16), expected (2, 12)."),
    "state of one": ({"state": HALF}, ShapeError,
                     "Bidirectional.forward: state[0] has shape (3, 3), expected (3, 7) because there is one row a"),
    "four parts": ({"state": (*STATE, *STATE)}, DtypeError,
                   "Bidirectional.forward: state is a tuple of 4, expected a tuple of 2 arrays because state[0] is"),
    "mask": ({"mask": MASK.T}, ShapeError, "Bidirectional.forward: mask has shape (3, 5), expected (5, 3)"),
    "mask of ints": ({"mask": MASK.astype(int)}, DtypeError, "Bidirectional.forward: mask has dtype int64, expected a"),
    "mixed": ({"xs": XS.astype(np.float32)}, DtypeError, "Recurrent.forward: xs is float32 beside params.W_xh of"),
    "mixed ways": ({"params": {**PARAMS, "back": tree_map(lambda a: a.astype(np.float32), PARAMS["back"])}}, DtypeError,
                   "Recurrent.forward: params.W_xh is float32 beside xs of float64, expected one dtype throughout"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_forward_refuses(case):
    change, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        LAYER.forward(**{"params": PARAMS, "xs": XS, "state": STATE, "mask": None, **change})
    assert str(caught.value).startswith(message)


REFUSED_BACK = {
    "half": ({"dhs": DHS[..., :3]}, ShapeError,
             "Bidirectional.backward: dhs has shape (5, 3, 3), expected (T, N, 7) because it is the gradient of hs."),
    "steps": ({"dhs": DHS[1:]}, ShapeError, "Recurrent.backward: dhs has shape (4, 3, 3), expected (5, 3, 3) because"),
    "nan": ({"dhs": DHS * np.nan}, ArgumentError, "Recurrent.backward: dhs[0, 0, 0] is nan (45 of 45 entries are not"),
    "dfinal": ({"dfinal_state": HALF}, ShapeError,
               "Bidirectional.backward: dfinal_state[0] has shape (3, 3), expected (3, 7) because there is one row"),
    "params": ({"params": {}}, ArgumentError, "Bidirectional.backward: params has the keys [], expected ['ahead',"),
    "cache": ({"cache": None}, DtypeError, "Bidirectional.backward: cache is a NoneType, expected the Bidirectional"),
}


@pytest.mark.parametrize("case", REFUSED_BACK)
def test_backward_refuses(case):
    change, error, message = REFUSED_BACK[case]
    _, _, cache = LAYER.forward(PARAMS, XS, STATE)
    with pytest.raises(error) as caught:
        LAYER.backward(**{"params": PARAMS, "dhs": DHS, "cache": cache, "dfinal_state": DFINAL, **change})
    assert str(caught.value).startswith(message)
