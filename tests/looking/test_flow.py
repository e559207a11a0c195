"""The two sources of the gradient, each by itself: by the lamp's table, and by finite differences of its own losses."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.cells import GRUCell, LayerNormLSTMCell, LSTMCell, MinLSTMCell, RNNCell
from rnn_from_scratch.data import lamp
from rnn_from_scratch.looking import gradient_flow, split_gates
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError


def losses_from(case, t, change_h=0.0, change_future=0.0, change_x=0.0):
    """The losses of step t and of all later ones, with h_t, the state handed on, or x_proj at t changed.

    ℓ_t = Σ sin(h_t) here, so that dh_here is cos(h_t). change_h reaches the loss at t alone, change_future the step
    t + 1 alone.
    """
    x_proj = case.cell.project(case.params, case.xs)
    state, here, later = case.state, 0.0, 0.0
    for k in range(len(case.xs)):
        at = x_proj[k] + change_x if k == t else x_proj[k]
        state, _ = case.cell.step(case.params, at, state)
        if k == t:
            here = np.sin(state[0] + change_h).sum()
            state = (state[0] + change_future, *state[1:])
        elif k > t:
            later = later + np.sin(state[0]).sum()
    return here, later


def slope(function, shape):
    """The derivative by the complex step, entry by entry."""
    found = np.zeros(shape)
    for index in np.ndindex(shape):
        moved = np.zeros(shape, complex)
        moved[index] = 1e-30j
        found[index] = np.imag(function(moved)) / 1e-30
    return found


def flow_of(case):
    hs, _, _ = unroll(case.cell, case.params, case.xs, case.state)
    return gradient_flow(case.cell, case.params, case.xs, np.cos(hs), case.state)


def test_each_source_by_its_own_losses(case):
    """dh_here and δ_here are the slopes of the loss at t, dh_future and δ_future those of the later ones."""
    flow = flow_of(case)
    for t in range(len(case.xs)):
        shape = flow.dh_here[t].shape
        pairs = [
            (flow.dh_here[t], slope(lambda by, t=t: losses_from(case, t, change_h=by)[0], shape)),
            (flow.dh_future[t], slope(lambda by, t=t: losses_from(case, t, change_future=by)[1], shape)),
        ]
        if not isinstance(case.cell, LayerNormLSTMCell):  # its delta stands behind the norm, and x_proj before it
            wide = flow.delta_here[t].shape
            pairs += [
                (flow.delta_here[t], slope(lambda by, t=t: losses_from(case, t, change_x=by)[0], wide)),
                (flow.delta_future[t], slope(lambda by, t=t: losses_from(case, t, change_x=by)[1], wide)),
            ]
        for found, expected in pairs:
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_the_two_sum_to_the_whole(case):
    for mask in (None, case.mask):
        dfinal = tuple(case.rng.standard_normal(part.shape) for part in case.state)
        flow = gradient_flow(case.cell, case.params, case.xs, case.dhs, case.state, mask, dfinal)
        _, _, caches = unroll(case.cell, case.params, case.xs, case.state, mask)
        dstates, deltas = unroll_backward(case.cell, case.params, case.dhs, caches, dfinal, mask)
        here, future = ([array for _, array in leaves(tree)] for tree in (flow.delta_here, flow.delta_future))
        whole = zip(*([array for _, array in leaves(delta)] for delta in deltas), strict=True)
        for a, b, steps in zip(here, future, whole, strict=True):
            np.testing.assert_allclose(a + b, np.stack(steps), rtol=1e-12, atol=1e-13)
        if mask is None:
            for index, part in enumerate((flow.dh_future, *flow.others)):
                np.testing.assert_array_equal(part, np.stack([dstate[index] for dstate in dstates[1:]]))
        else:
            for part in (flow.dh_here, flow.dh_future, *flow.others, *here, *future):
                assert not part[2, 0].any()
                assert not part[1:3, 1].any()
            assert flow.dh_future[3].any()


def test_the_lamps_table():
    params, xs, targets, state = lamp()
    hs, _, _ = unroll(RNNCell(1, 1), params["recurrent"], xs, state)
    dhs = 2 / 3 * (hs * 5 / 6 + 0.5 - targets) * 5 / 6
    flow = gradient_flow(RNNCell(1, 1), params["recurrent"], xs, dhs, state)
    np.testing.assert_allclose(flow.dh_here.ravel(), [0.416667, 0.208333, -0.416667], atol=6e-7)
    np.testing.assert_allclose(flow.dh_future.ravel(), [-0.073738, -0.308065, 0.0], atol=6e-7)
    np.testing.assert_allclose((flow.delta_here + flow.delta_future).ravel(), [0.219475, -0.063829, -4 / 15], atol=6e-7)
    np.testing.assert_allclose(flow.delta_here.ravel(), flow.dh_here.ravel() * 0.64, rtol=1e-13)
    assert flow.others == ()


def test_a_loss_at_the_end_alone_is_all_future_before_it(lstm):
    dhs = np.zeros_like(lstm.dhs)
    dhs[-1] = lstm.dhs[-1]
    flow = gradient_flow(lstm.cell, lstm.params, lstm.xs, dhs, lstm.state)
    assert not flow.dh_here[:-1].any()
    assert not flow.dh_future[-1].any()
    assert flow.dh_future[:-1].all()
    assert not flow.others[0][-1].any()
    assert flow.others[0][:-1].all()


def test_gates_by_their_letters():
    blocks = np.arange(24.0).reshape(2, 12)
    found = split_gates(LSTMCell(2, 3), blocks)
    assert list(found) == ["i", "f", "g", "o"]
    np.testing.assert_array_equal(found["g"], [[6, 7, 8], [18, 19, 20]])
    assert list(split_gates(GRUCell(2, 4), blocks)) == ["r", "z", "n"]
    assert list(split_gates(RNNCell(2, 12), blocks)) == ["a"]
    np.testing.assert_array_equal(split_gates(MinLSTMCell(2, 4), blocks, ("f", "i", "h"))["i"], blocks[:, 4:8])
    found["g"][:] = 0
    assert blocks.all() or blocks[0, 0] == 0.0
    assert blocks[0, 6] == 6.0


def test_what_is_passed_in_stays(lstm):
    before = lstm.dhs.copy()
    flow = gradient_flow(lstm.cell, lstm.params, lstm.xs, lstm.dhs, lstm.state)
    flow.dh_here[:] = 0
    np.testing.assert_array_equal(lstm.dhs, before)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda c: gradient_flow(c.cell, c.params, c.xs, c.dhs[1:]), ShapeError, r"dhs has shape \(3, 2, 5\)"),
    (lambda c: gradient_flow(c.cell, c.params, c.xs, c.dhs.tolist()), DtypeError, "dhs is a list"),
    (lambda c: gradient_flow(c.cell, c.params, c.xs, c.dhs / 0.0), ArgumentError, r"dhs\[0, 0, 0\] is -?inf"),
    (lambda c: gradient_flow(c.cell, c.params, c.xs, c.dhs.astype(np.float32)), DtypeError, "float32"),
    (lambda c: gradient_flow(c.cell, c.params, c.xs, c.dhs, dfinal_state=c.dhs[0]), ShapeError,
     r"dfinal_state has type ndarray, expected a tuple of \[\(2, 5\)\]"),
    (lambda c: gradient_flow(c.cell, c.params, c.xs, c.dhs, dfinal_state=(c.dhs,)), ShapeError, "dfinal_state has"),
    (lambda c: gradient_flow(c.cell, c.params, c.xs, c.dhs, dfinal_state=(c.dhs[0] * np.nan,)), ArgumentError,
     r"dfinal_state\[0\]\[0, 0\] is nan"),
    (lambda c: gradient_flow("rnn", c.params, c.xs, c.dhs), DtypeError, "cell is 'rnn'"),
    (lambda c: split_gates(MinLSTMCell(2, 4), np.ones(12)), ArgumentError, "cell is a MinLSTMCell and names is None"),
    (lambda c: split_gates(LSTMCell(2, 4), np.ones((3, 12))), ShapeError, r"shape \(3, 12\), expected \(…, 4·4"),
    (lambda c: split_gates(LSTMCell(2, 4), [1.0]), DtypeError, "delta is a list, expected one array"),
    (lambda c: split_gates(LSTMCell(2, 4), np.ones(16), ()), ShapeError, "delta has shape"),
])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_bad_input_is_explained(call, error, message, rnn):
    with pytest.raises(error, match=message):
        call(rnn)
