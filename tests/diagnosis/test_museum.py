"""Every exhibit proven: the right one by finite differences of its own losses, the wrong one wrong where it says so."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import museum
from rnn_from_scratch.diagnosis.museum import EXHIBITS, KINDS, REFERENCES, Exhibit

NAMES = sorted(EXHIBITS)
HIDDEN = {"W_xh", "W_hh", "b_h"}
ALL = HIDDEN | {"W_hy", "b_y"}
WRONG = {  # the arrays that come out wrong, and no others
    "bias_of_another_gate": HIDDEN,
    "biases_of_the_forget_gate": {"b_h"},
    "brackets_left_out": HIDDEN,
    "carry_never_updated": HIDDEN,
    "cell_carry_left_out": HIDDEN,
    "clipped_inside": ALL,
    "flag_forgotten": HIDDEN,
    "gate_blocks_exchanged": {"W_xh", "W_hh"},
    "gradients_never_reset": ALL,  # from the second call on
    "index_one_off": {"W_hy"},
    "inputs_of_the_last_step": {"W_xh"},
    "inputs_of_their_own_step": {"xs"},
    "loop_runs_forwards": HIDDEN,
    "mean_over_classes": {"losses"},
    "negative_index": {"W_hh"},
    "output_of_the_state_before": ALL | {"losses"},
    "output_weights_of_one_step": {"W_hy"},
    "overwritten_too_early": HIDDEN,
    "slopes_left_out": HIDDEN,
    "softmax_cache_spoilt": {"xs", "h0"},
    "state_for_derivative": HIDDEN,
    "tanh_of_tanh": HIDDEN,
    "truncation_option_ignored": HIDDEN,
    "upstream_changed_in_place": {"xs", "h0"},
    "whh_not_transposed": HIDDEN,
    "window_of_k_plus_one": HIDDEN,
    "zeros_never_filled": HIDDEN,
}
CELLS = {
    "rnn": (RNNCell(3, 2), 1), "lstm": (LSTMCell(3, 2), 4),
    "gru": (GRUCell(3, 2), 3), "gru-before": (GRUCell(3, 2, reset_after=False), 3),
}  # fmt: skip


def example(reference, T=4, N=2, D=3, H=2, K=5, seed=0, zero_state=False, zero_biases=False):
    """Return (params, xs, targets, state), random, all sizes different, biases and the start not zero."""
    rng = np.random.default_rng(seed)
    blocks = CELLS[reference][1]
    shapes = {"W_xh": (D, blocks * H), "W_hh": (H, blocks * H), "b_h": (blocks * H,), "W_hy": (H, K), "b_y": (K,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    if zero_biases:
        params["b_h"] = np.zeros(blocks * H)
    state = tuple((0.0 if zero_state else 1.0) * rng.standard_normal((N, H)) for _ in range(1 + (reference == "lstm")))
    return params, rng.standard_normal((T, N, D)), rng.integers(0, K, (T, N)), state


def differences(function, params, xs, targets, state, names):
    """Return the numerical gradient of the sum of the losses, by central differences, for each of these arrays."""
    arrays = {name: array.copy() for name, array in params.items()}
    arrays |= {"xs": xs.copy(), "h0": state[0].copy()}

    def total():
        inner = {name: arrays[name] for name in params}
        return function(inner, arrays["xs"], targets, (arrays["h0"], *state[1:]))[0].sum()

    found = {}
    for name in names:
        flat, found[name] = arrays[name].reshape(-1), np.empty(arrays[name].shape)
        for index in range(flat.size):
            value = flat[index]
            flat[index] = value + 1e-5
            above = total()
            flat[index] = value - 1e-5
            found[name].flat[index] = (above - total()) / 2e-5
            flat[index] = value
    return found


def error(one, other):
    """The normwise error; two zeros agree."""
    both = np.linalg.norm(one) + np.linalg.norm(other)
    return 0.0 if both == 0 else np.linalg.norm(one - other) / both


def answers(exhibit, *arguments):
    """Call the wrong one and the right one, as dictionaries; what is kept between calls shows in a second one."""
    found = []
    for function in (exhibit.wrong, exhibit.right):
        if exhibit.kind == "not-reset":
            function(*arguments)
        losses, grads = function(*arguments)
        found.append({"losses": losses, **grads})
    return found


def differing(one, other):
    assert set(one) == set(other)
    assert all(one[name].shape == other[name].shape for name in one)
    return {name for name in one if error(one[name], other[name]) > 1e-12}


# What is told


def test_the_museum_is_complete():
    beside = {"__init__", "exhibit", "styles", "rooms", "riddles", "checking", "showing"}
    rooms = {path.stem for path in Path(museum.__file__).parent.glob("*.py")} - beside
    assert rooms == set(EXHIBITS) == set(WRONG)
    assert len(EXHIBITS) >= 12
    assert {exhibit.reference for exhibit in EXHIBITS.values()} == {"rnn", "lstm", "gru-before"}


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_filled_in(name):
    exhibit = EXHIBITS[name]
    assert exhibit.name == name
    assert exhibit.wrong.__module__ == exhibit.right.__module__ == f"rnn_from_scratch.diagnosis.museum.{name}"
    for field in dataclasses.fields(Exhibit):
        value = getattr(exhibit, field.name)
        if field.name not in ("wrong", "right"):
            assert isinstance(value, str)
            assert value.strip() == value != "", f"{name}: {field.name} is empty"
    assert exhibit.kind in KINDS
    assert exhibit.reference in REFERENCES
    assert len(exhibit.what) > 80
    assert len(exhibit.missed_by) > 80
    assert "/" in exhibit.source, "owner/name of the repository"
    told = [name for name in (*ALL, "xs", "h0", "losses") if name in exhibit.where or "every" in exhibit.where]
    assert WRONG[name] <= set(told), "`where` names every array that comes out wrong"
    with pytest.raises(dataclasses.FrozenInstanceError):
        exhibit.kind = "unknown"


@pytest.mark.parametrize("name", NAMES)
def test_the_two_differ_in_the_lines_shown_and_nowhere_else(name):
    exhibit = EXHIBITS[name]
    wrong, right = (inspect.getsource(function) for function in (exhibit.wrong, exhibit.right))
    assert wrong.count("def wrong(") == right.count("def right(") == 1
    texts = wrong.replace("def wrong(", "def right("), right
    lines = [[line.strip() for line in text.splitlines()] for text in texts]
    shown = [exhibit.line_wrong.splitlines(), exhibit.line_right.splitlines()]
    for own, text in zip(shown, lines, strict=True):
        assert own, "something is shown"
        assert all(text.count(line) == 1 for line in own), f"{own} stands in the source, once"
    changes = [line for line in difflib.ndiff(*lines) if line[0] in "+-"]
    gone, come = ({line[2:] for line in changes if line[0] == sign} for sign in "-+")
    assert gone
    assert come
    assert gone <= set(shown[0])
    assert come <= set(shown[1])
    assert sum(line != "" for line in lines[0]) + len(shown[1]) - len(shown[0]) == sum(line != "" for line in lines[1])


def test_the_comparison_of_sources_compares():
    """A test of the test above: an exhibit that shows another line than the one that differs is refused."""
    shown = dataclasses.replace(EXHIBITS["whh_not_transposed"], line_wrong='grads["Whh"] += temp @ hs[t - 1].T')
    before, EXHIBITS["whh_not_transposed"] = EXHIBITS["whh_not_transposed"], shown
    try:
        with pytest.raises(AssertionError):
            test_the_two_differ_in_the_lines_shown_and_nowhere_else("whh_not_transposed")
    finally:
        EXHIBITS["whh_not_transposed"] = before


# What is computed


@pytest.mark.parametrize("name", NAMES)
def test_the_right_one_is_the_gradient_and_the_wrong_one_is_not(name):
    exhibit = EXHIBITS[name]
    arguments = example(exhibit.reference)
    wrong, right = answers(exhibit, *arguments)
    numerical = differences(exhibit.right, *arguments, right.keys() - {"losses"})
    for array, gradient in numerical.items():
        assert error(right[array], gradient) < 1e-6, f"{name}: {array}"
    assert differing(wrong, right) == WRONG[name]
    if "losses" not in WRONG[name]:  # then these are its own losses' differences
        assert all(error(wrong[array], numerical[array]) > 1e-3 for array in WRONG[name]), f"{name} is not so wrong"


@pytest.mark.parametrize(
    ("name", "arrays"), [("mean_over_classes", ALL), ("output_of_the_state_before", ALL - {"b_y"})]
)
def test_where_the_losses_differ_the_gradients_are_not_theirs_either(name, arrays):
    exhibit = EXHIBITS[name]
    arguments = example(exhibit.reference)
    wrong = exhibit.wrong(*arguments)[1]
    numerical = differences(exhibit.wrong, *arguments, ALL)
    assert {array for array in ALL if error(wrong[array], numerical[array]) > 1e-3} == arrays


@pytest.mark.parametrize("name", NAMES)
def test_the_right_one_has_the_package_s_losses(name):
    exhibit = EXHIBITS[name]
    params, xs, targets, state = example(exhibit.reference)
    hs, _, _ = unroll(CELLS[exhibit.reference][0], params, xs, state)
    logits = np.stack(hs) @ params["W_hy"] + params["b_y"]
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    expected = -np.take_along_axis(log_p, targets[..., None], axis=2)[..., 0]
    assert np.max(np.abs(exhibit.right(params, xs, targets, state)[0] - expected)) < 1e-12


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sizes", [(4, 2), (1, 1), (1, 3), (2, 1)], ids=str)
def test_nothing_passed_in_changes_and_twice_is_the_same_twice(name, sizes):
    exhibit = EXHIBITS[name]
    params, xs, targets, state = example(exhibit.reference, *sizes, seed=1)
    for array in (*params.values(), xs, targets, *state):
        array.flags.writeable = False  # whoever writes into one of these raises
    for function in (exhibit.wrong, exhibit.right):
        losses, grads = function(params, xs, targets, state)
        assert losses.shape == targets.shape
        kept = {array: gradient.copy() for array, gradient in grads.items()}
        again = function(params, xs, targets, state)[1]
        assert all(np.array_equal(grads[array], kept[array]) for array in kept), "a later call overwrote an earlier one"
        if not (exhibit.kind == "not-reset" and function is exhibit.wrong):
            assert all(np.array_equal(again[array], kept[array]) for array in kept)
        assert ALL <= set(kept) <= ALL | {"xs", "h0", "c0"}
        shapes = {**params, "xs": xs, "h0": state[0]}
        assert all(kept[array].shape == shapes[array].shape for array in kept)


# What the texts say of single exhibits


def only(name, T=4, **more):
    """Return what differs between the wrong one and the right one at T steps, and both."""
    exhibit = EXHIBITS[name]
    found = answers(exhibit, *example(exhibit.reference, T=T, **more))
    return differing(*found), *found


@pytest.mark.parametrize(("name", "steps"), [
    ("whh_not_transposed", 1), ("overwritten_too_early", 1), ("carry_never_updated", 1), ("cell_carry_left_out", 1),
    ("state_for_derivative", 1), ("slopes_left_out", 1), ("loop_runs_forwards", 1), ("inputs_of_the_last_step", 1),
    ("output_weights_of_one_step", 1), ("inputs_of_their_own_step", 1), ("window_of_k_plus_one", 2),
    ("truncation_option_ignored", 3),
])
def test_right_up_to_so_many_steps_and_wrong_at_one_more(name, steps):
    assert only(name, T=steps)[0] == set()
    assert only(name, T=steps + 1)[0] != set()


@pytest.mark.parametrize(
    "name", ["tanh_of_tanh", "negative_index", "index_one_off", "flag_forgotten", "bias_of_another_gate",
             "gate_blocks_exchanged"],
)
def test_wrong_at_one_step_already(name):
    assert only(name, T=1)[0] == WRONG[name]


@pytest.mark.parametrize(("name", "T", "blocks"), [
    ("biases_of_the_forget_gate", 4, "io"), ("flag_forgotten", 1, "f"), ("bias_of_another_gate", 1, "if"),
    ("brackets_left_out", 1, "g"), ("cell_carry_left_out", 2, "ifg"), ("overwritten_too_early", 2, "ifg"),
    ("overwritten_too_early", 3, "ifgo"), ("carry_never_updated", 2, "ifgo"), ("slopes_left_out", 2, "ifgo"),
    ("inputs_of_the_last_step", 4, "ifgo"), ("gate_blocks_exchanged", 4, "zn"),
])
def test_the_gates_that_are_wrong(name, T, blocks):
    differ, wrong, right = only(name, T=T)
    gates = "rzn" if EXHIBITS[name].reference == "gru-before" else "ifgo"
    for array in differ:
        pairs = zip(*(np.split(found[array], len(gates), axis=-1) for found in (wrong, right)), strict=True)
        assert {gate for gate, pair in zip(gates, pairs, strict=True) if error(*pair) > 1e-12} == set(blocks)


def test_hanbt_s_gradient_check_passes_all_four():
    """Two steps, a zero start, one recurrent matrix: the check that stood beside four mistakes and saw none."""
    for name in ("biases_of_the_forget_gate", "inputs_of_the_last_step", "cell_carry_left_out"):
        differ, wrong, right = only(name, T=2, zero_state=True)
        assert differ == WRONG[name] - ({"W_hh"} if name == "cell_carry_left_out" else set()), name
        assert error(wrong["W_hh"][:, 2:4], right["W_hh"][:, 2:4]) < 1e-12  # the forget gate's
    assert "W_hh" not in only("state_for_derivative", T=2, zero_state=True)[0]


def test_zero_biases_hide_another_gate_s_bias():
    assert only("bias_of_another_gate", zero_biases=True)[0] == set()


def test_what_the_wrong_ones_give_instead():
    _, wrong, right = only("zeros_never_filled")
    assert not any(wrong[array].any() for array in HIDDEN)

    _, wrong, right = only("clipped_inside")
    limit = museum.clipped_inside.LIMIT
    assert all(np.array_equal(wrong[array], np.clip(right[array], -limit, limit)) for array in ALL)

    _, wrong, right = only("mean_over_classes")
    assert np.allclose(wrong["losses"] * 5, right["losses"], rtol=1e-14, atol=0)  # K = 5

    _, wrong, right = only("gate_blocks_exchanged")
    assert np.allclose(wrong["W_hh"][:, [0, 1, 4, 5, 2, 3]], right["W_hh"], rtol=1e-13, atol=1e-15)

    assert only("biases_of_the_forget_gate")[1]["b_h"][[0, 1]].tolist() == only(
        "biases_of_the_forget_gate")[2]["b_h"][[2, 3]].tolist()


def test_one_index_off_pairs_every_error_with_the_state_before():
    """W_hy's gradient built from the package's own states, the initial one first and the last one left out."""
    params, xs, targets, state = example("lstm")
    _, wrong, _ = only("index_one_off")
    hs, _, _ = unroll(CELLS["lstm"][0], params, xs, state)
    logits = np.stack(hs) @ params["W_hy"] + params["b_y"]
    errors = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True) - np.eye(5)[targets]
    before = np.stack([state[0], *hs[:-1]])
    assert error(wrong["W_hy"], np.einsum("tnh,tnk->hk", before, errors)) < 1e-14


def test_the_second_gradient_is_the_sum_of_two():
    exhibit = EXHIBITS["gradients_never_reset"]
    arguments = example("lstm", D=7)  # sizes that no other test has used
    first, second, third = (exhibit.wrong(*arguments)[1] for _ in range(3))
    expected = exhibit.right(*arguments)[1]
    for array in ALL:
        assert error(first[array], expected[array]) < 1e-14
        assert error(second[array], 2 * first[array]) < 1e-14
        assert error(third[array], 3 * first[array]) < 1e-14


def test_the_second_backward_subtracts_the_target_twice():
    """What it gives for xs is the gradient from p − 2y: computed here from the right one, which is linear in it."""
    params, xs, targets, state = example("rnn", T=1)
    wrong, right = answers(EXHIBITS["softmax_cache_spoilt"], params, xs, targets, state)
    h = np.tanh(xs[0] @ params["W_xh"] + state[0] @ params["W_hh"] + params["b_h"])
    more = -(np.eye(5)[targets[0]] @ params["W_hy"].T) * (1 - h**2)
    assert np.allclose(wrong["xs"][0] - right["xs"][0], more @ params["W_xh"].T, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "steps"), [("window_of_k_plus_one", 2), ("truncation_option_ignored", 3)])
def test_the_window_has_so_many_steps(name, steps):
    """The truncated gradient, built from right ones: of every loss, with the state so many steps back held."""
    params, xs, targets, state = example("rnn", T=6)
    exhibit, hs = EXHIBITS[name], [state[0]]
    for x in xs:
        hs.append(np.tanh(x @ params["W_xh"] + hs[-1] @ params["W_hh"] + params["b_h"]))
    total = {array: np.zeros_like(params[array]) for array in HIDDEN}
    for t in range(6):
        start = max(0, t + 1 - steps)
        whole = exhibit.right(params, xs[start : t + 1], targets[start : t + 1], (hs[start],))[1]
        before = exhibit.right(params, xs[start:t], targets[start:t], (hs[start],))[1] if start < t else None
        for array in HIDDEN:
            total[array] += whole[array] - (before[array] if before else 0)
    wrong = exhibit.wrong(params, xs, targets, state)[1]
    assert all(error(wrong[array], total[array]) < 1e-14 for array in HIDDEN)


def test_the_order_matters_even_where_jacobians_commute():
    """One hidden unit: its Jacobians are numbers, but what the steps add is not the same both ways."""
    assert only("loop_runs_forwards", T=2, H=1)[0] == HIDDEN


@pytest.mark.parametrize(("carried", "dx", "da0", "dWf", "dWi"), [
    (False, [-0.00173313, 0.08287442, -0.30545663, -0.43281115], -0.095911501954, -0.0698198561274, 0.102371820249),
    (True, [0.00218254, 0.28205375, -0.48292508, -0.43281115], 0.312770310257, -0.0809802310938, 0.40512433093),
])
def test_the_expected_values_of_the_exercise(carried, dx, da0, dWf, dWi):
    """From the exercise's own seed: versions 2 and 3 print what comes without the carry, later copies with it."""
    room = museum.carry_never_updated
    rng = np.random.RandomState(1)
    xs, a = rng.randn(3, 10, 7), rng.randn(5, 10)
    p = {}
    for gate in "fioc":
        p["W" + gate], p["b" + gate] = rng.randn(5, 8), rng.randn(5, 1)
    p |= {"Wy": np.zeros((1, 5)), "by": np.zeros((1, 1))}
    steps, _ = room.lstm_forward(p, xs.transpose(2, 0, 1), a, np.zeros((5, 10)))
    da, da_prevt, dc_prevt = rng.randn(5, 10, 4), np.zeros((5, 10)), np.zeros((5, 10))
    found, total = np.zeros((3, 10, 4)), {gate: np.zeros((5, 8)) for gate in "fi"}
    for t in reversed(range(4)):
        da_prev, dc_prev, d = room._cell_backward(p, da[:, :, t] + da_prevt, dc_prevt, steps[t])
        found[:, :, t] = sum(p["W" + gate][:, 5:].T @ d[gate] for gate in "fioc")
        for gate in total:
            total[gate] += d[gate] @ steps[t].z.T
        if carried:
            da_prevt, dc_prevt = da_prev, dc_prev
    assert np.allclose(found[1, 2], dx, rtol=0, atol=5e-9)
    assert np.allclose([da_prev[2, 3], total["f"][3, 1], total["i"][1, 2]], [da0, dWf, dWi], rtol=0, atol=1e-12)
