"""Truncated BPTT (k1, k2): the windows' arithmetic, and every window against numbers with its state frozen."""

import math

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_add, tree_map
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import laugh
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel, Window, truncated_bptt, window_loss_and_grads, windows
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, N, D, H, K = 12, 3, 2, 4, 3
MASK = np.ones((T, N), bool)
MASK[9:, 0] = MASK[:4, 1] = MASK[5:7, 2] = False
PAIRS = [(5, 5), (2, 5), (1, T)]


def model_of(task="classification", activation="tanh"):
    return SequenceModel(Recurrent(RNNCell(D, H, activation)), K, task)


def draw(task="classification", seed=0):
    rng = np.random.default_rng(seed)
    params = tree_map(
        lambda array: 0.6 * rng.standard_normal(array.shape), model_of().init_params(rng=np.random.default_rng(0))
    )
    targets = rng.integers(0, K, (T, N)) if task == "classification" else rng.standard_normal((T, N, K))
    return params, rng.standard_normal((T, N, D)), targets, (rng.standard_normal((N, H)),)


def by_loops(params, xs, targets, h, first, new, last, mask, counted, activation="tanh"):
    """Run steps [first, last) from h; return the summed loss of the steps from `new` on, and the state at the end."""
    weights, output, total = params["recurrent"], params["output"], 0.0
    f = {"tanh": np.tanh, "sigmoid": lambda a: 1 / (1 + np.exp(-a))}[activation]
    for t in range(first, last):
        after = f(xs[t] @ weights["W_xh"] + weights["b_h"] + h @ weights["W_hh"])
        h = np.where(mask[t][:, None], after, h)
        y = np.where(mask[t][:, None], h, 0.0) @ output["W_hy"] + output["b_y"]
        if t < new:
            continue
        for n in np.flatnonzero(counted[t]):
            if targets.ndim == 2:
                total = total + np.log(np.exp(y[n]).sum()) - y[n, targets[t, n]]
            else:
                total = total + ((y[n] - targets[t, n]) ** 2).sum()
    return total, h


# Arithmetic


@pytest.mark.parametrize(("T", "k1", "k2", "expected"), [
    (4, 2, 2, [(0, 0, 2, 2), (2, 2, 4, 4)]),
    (12, 5, 5, [(0, 0, 5, 5), (5, 5, 10, 7), (7, 10, 12, 12)]),
    (6, 2, 5, [(0, 0, 2, 0), (0, 2, 4, 1), (1, 4, 6, 6)]),
    (3, 1, 3, [(0, 0, 1, 0), (0, 1, 2, 0), (0, 2, 3, 3)]),
    (3, 7, 9, [(0, 0, 3, 3)]),
    (1, 1, 1, [(0, 0, 1, 1)]),
])
def test_windows_by_hand(T, k1, k2, expected):
    assert windows(T, k1, k2) == [Window(*window) for window in expected]


@pytest.mark.parametrize("T", [1, 2, 5, 12, 13])
def test_windows_are_the_definition_for_every_k1_and_k2(T):
    for k1 in range(1, T + 2):
        for k2 in range(k1, T + 3):
            found = windows(T, k1, k2)
            assert len(found) == math.ceil(T / k1)
            for j, window in enumerate(found):
                end = min((j + 1) * k1, T)
                assert window[:3] == (max(0, end - k2), j * k1, end)
                assert window.start <= window.new < window.end  # each reaches back over its own new steps
            assert [step for window in found for step in range(window.new, window.end)] == list(range(T))
            assert [window.next_start for window in found] == [window.start for window in found[1:]] + [T]
            assert all(window.start <= window.next_start <= window.end for window in found)


def test_k1_above_k2_raises():
    with pytest.raises(ArgumentError) as caught:
        windows(12, 5, 2)
    assert str(caught.value) == (
        "windows: k1=5 with k2=2, expected k1 ≤ k2 because each window must reach back over all of its k1 new steps. "
        "Try k2=5, or more for longer memory."
    )
    with pytest.raises(ArgumentError, match=r"^windows: k1=5 with k2=2, expected k1 ≤ k2"):
        list(truncated_bptt(model_of(), *draw()[:3], 5, 2))


@pytest.mark.parametrize("value", [0, -1, 2.0, True, None])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_windows_are_cut_by_whole_numbers(place, value):
    arguments = [12, 2, 5]
    arguments[place] = value
    name = ("T", "k1", "k2")[place]
    with pytest.raises(ArgumentError, match=rf"^windows: {name} is {value!r}, expected a whole number of at least 1"):
        windows(*arguments)


# Gradients


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("task", "activation"), [
    ("classification", "tanh"), ("regression", "tanh"), ("classification", "sigmoid"),
])
@pytest.mark.parametrize(("k1", "k2"), PAIRS)
def test_every_window_is_exact_with_its_start_state_frozen(k1, k2, task, activation, masked):
    params, xs, targets, state = draw(task, 1)
    model = model_of(task, activation)
    full = np.ones((T, N), bool)
    mask = MASK if masked else full
    number = mask.sum() * (1 if task == "classification" else K)
    results = list(truncated_bptt(model, params, xs, targets, k1, k2, state, MASK if masked else None))
    assert [result.window for result in results] == windows(T, k1, k2)
    for result in results:
        start, new, end, next_start = result.window
        _, frozen = by_loops(params, xs, targets, state[0], 0, 0, start, mask, mask, activation)
        np.testing.assert_allclose(result.start_state[0], frozen, rtol=0, atol=1e-13)
        _, following = by_loops(params, xs, targets, state[0], 0, 0, next_start, mask, mask, activation)
        np.testing.assert_allclose(result.next_state[0], following, rtol=0, atol=1e-13)

        def loss(at, frozen=frozen, start=start, new=new, end=end):
            return by_loops(at, xs, targets, frozen, start, new, end, mask, mask, activation)[0] / number

        assert result.loss == pytest.approx(loss(params), rel=1e-13)
        for method, tolerance in (("complex", 1e-12), ("central", 1e-7)):
            if method == "central" and (masked or activation == "sigmoid"):
                continue  # the complex step sees more; once by differences is enough
            check_gradients(loss, params, result.grads, method, tolerance).raise_if_wrong()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize(("k1", "k2"), [(1, T), (5, T), (T, T), (4, T + 7), (20, 30)])
def test_the_sum_over_windows_that_reach_the_start_is_the_full_gradient(k1, k2, task, masked):
    params, xs, targets, state = draw(task, 2)
    model, mask = model_of(task), MASK if masked else None
    loss, grads, final = model.loss_and_grads(params, xs, targets, state, mask)
    results = list(truncated_bptt(model, params, xs, targets, k1, k2, state, mask))
    assert sum(result.loss for result in results) == pytest.approx(loss, rel=1e-13)
    summed = tree_add(*(result.grads for result in results))
    for (name, got), (_, expected) in zip(leaves(summed), leaves(grads), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(results[-1].next_state[0], final[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("k1", "k2"), [*PAIRS, (3, 4), (1, 1)])
def test_each_loss_counts_once_whatever_the_windows(k1, k2, masked):
    params, xs, targets, state = draw(seed=3)
    model, mask = model_of(), MASK if masked else None
    counted = np.random.default_rng(0).random((T, N)) < 0.5
    for target_mask in (None, counted):
        loss, grads, _ = model.loss_and_grads(params, xs, targets, state, mask, target_mask)
        results = list(truncated_bptt(model, params, xs, targets, k1, k2, state, mask, target_mask))
        assert sum(result.loss for result in results) == pytest.approx(loss, rel=1e-13)
        output = tree_add(*(result.grads["output"] for result in results))  # no time passes in the output layer
        np.testing.assert_allclose(output["W_hy"], grads["output"]["W_hy"], rtol=0, atol=1e-13)


def test_truncation_is_felt():
    params, xs, targets, state = draw(seed=4)
    _, grads, _ = model_of().loss_and_grads(params, xs, targets, state)
    short = tree_add(*(result.grads for result in truncated_bptt(model_of(), params, xs, targets, 1, 1, state)))
    assert np.abs(short["recurrent"]["W_hh"] - grads["recurrent"]["W_hh"]).max() > 1e-3


def test_the_laugh_truncated_at_2_2():
    params, xs, targets, state = laugh()
    model = SequenceModel(Recurrent(RNNCell(3, 2)), 3)
    results = list(truncated_bptt(model, params, xs, targets, 2, 2, state))
    dW_hh = sum(result.grads["recurrent"]["W_hh"] for result in results)
    np.testing.assert_allclose(dW_hh, [[-0.013310, -0.010386], [0.158914, -0.043441]], atol=6e-7)
    np.testing.assert_allclose(results[0].next_state[0], [[-0.651470, -0.108002]], atol=6e-7)
    # A typical wrong answer: every window from h_0, so that the second forgets what the first has read.
    reset = [window_loss_and_grads(model, params, xs, targets, window, state) for window in windows(4, 2, 2)]
    dW_hh = sum(result.grads["recurrent"]["W_hh"] for result in reset)
    np.testing.assert_allclose(dW_hh, [[-0.069436, 0.030212], [0.208633, -0.060181]], atol=6e-7)


def test_nan_on_padding_changes_nothing():
    params, xs, targets, state = draw(seed=5)
    spoilt, bad_targets = np.where(MASK[..., None], xs, np.nan), np.where(MASK, targets, -1)
    clean = list(truncated_bptt(model_of(), params, xs, targets, 2, 5, state, MASK))
    same = list(truncated_bptt(model_of(), params, spoilt, bad_targets, 2, 5, state, MASK))
    for one, other in zip(clean, same, strict=True):
        assert one.loss == other.loss
        for (name, left), (_, right) in zip(leaves(one.grads), leaves(other.grads), strict=True):
            np.testing.assert_array_equal(left, right, err_msg=name)


@pytest.mark.parametrize(("k1", "k2"), PAIRS)
def test_parameters_may_change_between_windows(k1, k2):
    params, xs, targets, state = draw(seed=6)
    model, carried, h = model_of(), state, state[0]
    full = np.ones((T, N), bool)
    for window in windows(T, k1, k2):
        result = window_loss_and_grads(model, params, xs, targets, window, carried)
        np.testing.assert_array_equal(result.start_state[0], carried[0])

        def loss(at, frozen=h, window=window):
            total, _ = by_loops(at, xs, targets, frozen, window.start, window.new, window.end, full, full)
            return total / (T * N)

        check_gradients(loss, params, result.grads, "complex", 1e-12).raise_if_wrong()
        _, h = by_loops(params, xs, targets, h, window.start, T, window.next_start, full, full)
        carried = result.next_state
        np.testing.assert_allclose(carried[0], h, rtol=0, atol=1e-13)  # from start to next start, current parameters
        params = tree_map(lambda theta, g: theta - 0.5 * g, params, result.grads)


def test_without_a_state_the_first_window_starts_at_zero_and_float32_stays():
    params, xs, targets, _ = draw(seed=7)
    single = tree_map(lambda array: array.astype(np.float32), params)
    exact = list(truncated_bptt(model_of(), params, xs, targets, 2, 5, (np.zeros((N, H)),)))
    rounded = list(truncated_bptt(model_of(), single, xs.astype(np.float32), targets, 2, 5))
    assert not rounded[0].start_state[0].any()
    for one, other in zip(exact, rounded, strict=True):
        everything = [other.loss, other.grads, other.start_state, other.next_state]
        assert {array.dtype for _, array in leaves(everything)} == {np.dtype(np.float32)}
        np.testing.assert_allclose(other.grads["recurrent"]["W_hh"], one.grads["recurrent"]["W_hh"], atol=1e-5)


# Refusals

PARAMS, XS, TARGETS, STATE = draw()
REFUSED = {
    "longer targets": ({"targets": np.concatenate([TARGETS, TARGETS])}, ShapeError,
                       "window_loss_and_grads: targets has shape (24, 3), expected (12, 3, …) because xs has 12 steps "
                       "of 3 sequences."),
    "one a sequence": ({"targets": TARGETS[0]}, ShapeError, "window_loss_and_grads: targets has shape (3,), expected"),
    "rank": ({"xs": XS[:, 0]}, ShapeError, "truncated_bptt: xs has shape (12, 2), expected (T, N, D) because"),
    "list": ({"xs": XS.tolist()}, DtypeError, "truncated_bptt: xs is a list, expected a NumPy array because nothing"),
    "mask": ({"mask": MASK[:5]}, ShapeError, "window_loss_and_grads: mask has shape (5, 3), expected (12, 3) because"),
    "target mask": ({"target_mask": MASK.astype(int)}, DtypeError, "window_loss_and_grads: target_mask has dtype int"),
    "state": ({"state": STATE[0]}, DtypeError, "Recurrent.forward: state is of type ndarray, expected a tuple of 1"),
    "T = 0": ({"xs": XS[:0], "targets": TARGETS[:0]}, ShapeError, "truncated_bptt: xs has shape (0, 3, 2), expected"),
    "one output": ({"model": SequenceModel(Recurrent(RNNCell(D, H)), K, outputs="many-to-one")}, ArgumentError,
                   "window_loss_and_grads: a many-to-one model, expected a many-to-many one because a window's loss is "
                   "that of its new steps, and many-to-one has a loss at the end alone. Use outputs=\"many-to-many\" "
                   "with a target_mask that counts the last step only."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_truncated_bptt_refuses(case):
    changed, error, message = REFUSED[case]
    arguments = {"model": model_of(), "params": PARAMS, "xs": XS, "targets": TARGETS, "state": STATE, **changed}
    with pytest.raises(error) as caught:
        list(truncated_bptt(**arguments, k1=2, k2=5))
    assert str(caught.value).startswith(message)


def test_a_window_outside_the_sequence_is_refused():
    with pytest.raises(ArgumentError) as caught:
        window_loss_and_grads(model_of(), PARAMS, XS, TARGETS, Window(8, 10, 14, 14))
    assert str(caught.value) == (
        "window_loss_and_grads: window is (8, 10, 14, 14), expected 0 ≤ start ≤ new < end ≤ 12 and start ≤ next_start "
        "≤ end because xs has 12 steps. windows(T, k1, k2) cuts them."
    )


def test_a_layer_of_ones_own_need_not_say_that_it_reads_forwards_only():
    class Own:
        """What SequenceModel asks for, and no more: no `causal`."""

        def __init__(self, layer):
            names = ("input_size", "hidden_size", "init_params", "initial_state", "check_state", "forward", "backward")
            for name in names:
                setattr(self, name, getattr(layer, name))

    rng = np.random.default_rng(0)
    layer = Recurrent(RNNCell(3, 4))
    own, model = SequenceModel(Own(layer), 2), SequenceModel(layer, 2)
    params, xs, targets = model.init_params(rng=rng), rng.standard_normal((5, 2, 3)), rng.integers(0, 2, (5, 2))
    found, expected = (list(truncated_bptt(each, params, xs, targets, 2, 3)) for each in (own, model))
    assert [float(window.loss) for window in found] == [float(window.loss) for window in expected]
