"""The students' backward passes are what their cases say, shown without any tool that names mistakes.

Right ones: central differences of their own losses, and the package's forward. Wrong ones: the arrays that come out
wrong are those that the case claims, no more and no fewer; those whose fault is no wrong array are caught at it.
"""

import copy
import importlib.util
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.losses import softmax_cross_entropy
from rnn_from_scratch.models import SequenceModel

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("student_case", HERE / "student_case.py")
student_case = importlib.util.module_from_spec(_spec)
sys.modules["student_case"] = student_case  # the folders' indexes import it
_spec.loader.exec_module(student_case)
point, differences, error = student_case.point, student_case.differences, student_case.error

CASES = {folder: student_case.load_cases(folder) for folder in student_case.FOLDERS}
EVERYONE = [case for cases in CASES.values() for case in cases]
CELLS = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell, "gru-before": lambda D, H: GRUCell(D, H, reset_after=False)}
HABITS = ("nondeterministic", "not-reset", "mutates-input", "forward-wrong")  # the arrays of a first call are right
SMALL, SINGLE, LEAST = (3, 2, 1, 2, 3), (1, 1, 2, 1, 2), (2, 1, 1, 1, 1)  # T, N, D, H, K
LONG = {1: (5, 3, 2, 3, 4), 2: (5, 2, 2, 2, 3)}  # by seed; a truncation after three steps shows
RIGHT, WRONG = 1e-6, 1e-4  # relative errors: below the one, above the other, nothing between


def select(*kinds):
    found = [case for case in EVERYONE if case.kind in kinds]
    return pytest.mark.parametrize("case", found, ids=lambda case: case.name)


def package_logits(reference, params, xs, state):
    D, (H, K) = xs.shape[2], params["W_hy"].shape
    output = {name: params[name] for name in ("W_hy", "b_y")}
    recurrent = {name: value for name, value in params.items() if name not in output}
    model = SequenceModel(Recurrent(CELLS[reference](D, H)), K)
    return model.forward({"recurrent": recurrent, "output": output}, xs, state)[0]


def package_losses(reference, params, xs, targets, state):
    """Return the loss of each step of each sequence, by the package's forward."""
    logits = package_logits(reference, params, xs, state)
    chosen = np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return np.log(np.exp(logits).sum(axis=-1)) - chosen


@cache
def truth(reference, seed):
    """Return a point of five steps, the package's losses there and their central differences."""
    arguments = params, xs, targets, state = point(reference, LONG[seed], seed)
    losses = package_losses(reference, *arguments)
    mean, _ = softmax_cross_entropy(package_logits(reference, params, xs, state), targets)
    assert losses.mean() == pytest.approx(mean, rel=1e-12)
    return arguments, losses, differences(lambda *moved: package_losses(reference, *moved), arguments)


def call(case, arguments):
    """Call with a copy of the arguments; the result is a copy too."""
    return copy.deepcopy(case.function(*copy.deepcopy(arguments)))


def same_losses(mine, losses):
    """Each of them, or their total."""
    expected = losses if np.ndim(mine) else losses.sum()
    return np.shape(mine) == np.shape(expected) and np.allclose(mine, expected, rtol=1e-11, atol=1e-12)


def off(case, grads, expected):
    """Return the blocks that differ, after making sure that each is clearly right or clearly wrong."""
    found = set()
    for name, gradient in grads.items():
        pairs = student_case.blocks(case.reference, name, expected[name])
        if gradient.shape != expected[name].shape:
            found |= set(pairs)
            continue
        for block, mine in student_case.blocks(case.reference, name, gradient).items():
            size = error(mine, pairs[block])
            assert size < RIGHT or size > WRONG, (block, size)
            if size > WRONG:
                found.add(block)
    return found


# The folders


def test_every_kind_has_its_cases_and_a_third_is_held_out():
    names = [case.name for case in EVERYONE]
    assert len(set(names)) == len(names)
    kinds = Counter(case.kind for case in EVERYONE)
    assert set(kinds) == {None, *student_case.KINDS}
    assert kinds["broken"] >= 8
    assert kinds[None] >= 20
    assert sum(kinds.values()) - kinds["broken"] - kinds[None] >= 60
    for is_right in (True, False):
        count = [sum((case.kind is None) == is_right for case in CASES[folder]) for folder in student_case.FOLDERS]
        assert abs(count[1] - sum(count) / 3) < 1


def test_the_fields_of_every_case_say_something_that_exists():
    for case in EVERYONE:
        assert case.name.startswith(case.reference + "-")
        assert case.says
        params, _, _, state = point(case.reference, SMALL)
        arrays = {*params, "xs", *("h0", "c0")[: len(state)]}
        parameter, gate = case.where
        assert parameter is None or parameter in arrays, case.name
        assert gate is None or set(gate) <= {*student_case.GATES[case.reference], *"c"[: len(state) - 1]}, case.name
        assert {block.partition(":")[0] for block in student_case.wrong_blocks(case)} <= arrays, case.name
        assert set(case.also) <= set(student_case.KINDS) - {case.kind}, case.name
        assert bool(case.wrong) == (case.kind not in (None, "broken", *HABITS)), case.name


def test_the_implementations_import_nothing_of_the_package_or_of_each_other():
    paths = [path for folder in student_case.FOLDERS for path in (HERE / folder).glob("*.py")]
    functions = {case.function.__code__.co_filename for case in EVERYONE}
    assert functions == {str(path) for path in paths if path.stem != "index"}, "a file that no index names"
    for path in paths:
        names = set(re.findall(r"^\s*(?:import|from) ([\w.]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert names
        assert names <= ({"student_case"} if path.stem == "index" else {"numpy", "math"}), path.name


# Right ones


@select(None)
def test_right_ones_equal_the_differences_of_their_own_losses(case):
    for sizes in (SMALL, SINGLE, LEAST):
        arguments = point(case.reference, sizes)
        kept = copy.deepcopy(arguments)
        losses, grads = case.function(*arguments)
        assert same_losses(losses, package_losses(case.reference, *arguments))
        np.testing.assert_equal(arguments, kept)
        first = copy.deepcopy((losses, grads))
        np.testing.assert_equal(case.function(*arguments), first)
        np.testing.assert_equal((losses, grads), first, "a later call changed what an earlier one returned")
        assert set(arguments[0]) <= set(grads) <= {*arguments[0], "xs", "h0", "c0"}
        if sizes == LEAST:  # one class: its probability is 1, whatever the weights
            assert all(np.abs(g).max() < 1e-12 for g in grads.values())
            continue
        expected = differences(lambda *a: case.function(*a)[0], arguments, grads)
        for name, gradient in grads.items():
            assert gradient.shape == expected[name].shape
            assert error(gradient, expected[name]) < RIGHT, (name, sizes)


@select(None)
def test_right_ones_are_right_at_another_point_too(case):
    arguments, losses, expected = truth(case.reference, seed=1)
    mine, grads = call(case, arguments)
    assert same_losses(mine, losses)
    assert off(case, grads, expected) == set()


# Wrong ones


@select(*(kind for kind in student_case.KINDS if kind not in ("broken", *HABITS)))
def test_wrong_ones_are_wrong_in_the_arrays_claimed_and_nowhere_else(case):
    for seed in (1, 2):
        arguments, losses, expected = truth(case.reference, seed)
        kept = copy.deepcopy(arguments)
        mine, grads = case.function(*arguments)
        assert same_losses(mine, losses), "its forward should be right"
        assert set(arguments[0]) <= set(grads)
        assert off(case, grads, expected) == student_case.wrong_blocks(case)
        np.testing.assert_equal(case.function(*arguments), (mine, grads), "it should be the same twice")
        np.testing.assert_equal(arguments, kept, "it should change nothing")
        for name, gradient in grads.items():
            assert (gradient.shape == expected[name].shape) == (case.kind != "shape" or name != case.where[0])


@select("shape")
def test_a_wrong_shape_holds_the_right_numbers(case):
    turn = {
        "rnn-bias-keeps-row": np.ravel, "gru-wxh-returned-turned": np.transpose,
        "lstm-bias-per-sequence": lambda rows: rows.sum(axis=0),
    }  # fmt: skip
    arguments, _, expected = truth(case.reference, seed=1)
    name = case.where[0]
    assert error(turn[case.name](call(case, arguments)[1][name]), expected[name]) < RIGHT


@select(*(set(student_case.KINDS) - {"broken"}))
def test_wrong_ones_run_for_one_step_of_one_sequence(case):
    arguments = point(case.reference, SINGLE)
    losses, grads = call(case, arguments)
    assert np.all(np.isfinite(losses))
    assert all(np.all(np.isfinite(gradient)) for gradient in grads.values())


# Habits: nothing is wrong at first sight


@select("nondeterministic")
def test_chance_gives_another_gradient_each_time(case):
    arguments, losses, _ = truth(case.reference, seed=1)
    results = [call(case, arguments) for _ in range(8)]  # two random parts of a batch of three may well be equal
    sizes = [error(results[0][1]["W_hh"], grads["W_hh"]) for _, grads in results[1:]]
    assert max(sizes) > 1e-3
    assert all(same_losses(mine, losses) for mine, _ in results) == (case.name != "rnn-dropout-left-on")


@pytest.mark.parametrize("folder", student_case.FOLDERS)
def test_what_is_not_reset_is_right_once_and_wrong_after(folder):
    found = [case for case in student_case.load_cases(folder) if case.kind == "not-reset"]  # new modules, no past
    assert found
    for case in found:
        arguments, losses, expected = truth(case.reference, seed=1)
        mine, grads = call(case, arguments)
        assert same_losses(mine, losses), case.name
        assert off(case, grads, expected) == set(), case.name
        again, later = call(case, arguments)
        assert error(later["W_xh"], grads["W_xh"]) > 1e-3, case.name
        assert same_losses(again, losses) == (case.name != "gru-state-kept-between-calls")


@select("mutates-input")
def test_what_writes_into_its_input_is_right_on_a_copy(case):
    arguments, losses, expected = truth(case.reference, seed=1)
    own = copy.deepcopy(arguments)
    mine, grads = case.function(*own)
    assert same_losses(mine, losses)
    assert off(case, grads, expected) == set()
    named = [{**params, "xs": xs, "targets": targets, **dict(zip(("h0", "c0"), state, strict=False))}
             for params, xs, targets, state in (arguments, own)]
    changed = {name for name, before in named[0].items() if not np.array_equal(before, named[1][name])}
    assert changed == ({case.where[0]} if case.where[0] else set(arguments[0]))


@select("forward-wrong")
def test_another_forward_has_other_losses_and_the_gradient_of_its_own(case):
    for sizes in (SMALL, SINGLE):
        arguments = point(case.reference, sizes)
        mine, grads = call(case, arguments)
        losses = package_losses(case.reference, *arguments)
        if case.name != "rnn-mean-loss" or losses.size > 1:  # the mean of one is its sum
            assert error(np.sum(mine), losses.sum()) > WRONG
        expected = differences(lambda *a: case.function(*a)[0], arguments, grads)
        assert max(error(gradient, expected[name]) for name, gradient in grads.items()) < RIGHT


# Broken ones, each in its own way


def outcome(case, sizes):
    """Say what comes of a call: an exception's name, "None", or a word for each thing that is not as it should be."""
    arguments = point(case.reference, sizes)
    params = arguments[0]
    try:
        with np.errstate(all="ignore"):
            result = call(case, arguments)
    except Exception as raised:
        return type(raised).__name__
    if result is None:
        return "None"
    losses, grads = result
    if set(grads) != set(params):
        return "keys"
    if not all(isinstance(gradient, np.ndarray) for gradient in grads.values()):
        return "types"
    if any(grads[name].shape != params[name].shape for name in params):
        return "shapes"
    if not all(np.all(np.isfinite(gradient)) for gradient in grads.values()):
        return "not finite"
    assert same_losses(losses, package_losses(case.reference, *arguments))
    expected = differences(lambda *a: package_losses(case.reference, *a), arguments, params)
    sizes = [error(grads[name], expected[name]) for name in params]
    return "right" if max(sizes) < RIGHT else "all wrong" if min(sizes) > 0.3 else "some wrong"


@select("broken")
def test_broken_ones_break_as_they_say(case):
    several, one_step, one_sequence = {
        "rnn-raises": ("IndexError",) * 3, "rnn-nan": ("not finite",) * 3,
        "rnn-fails-for-one-step": ("right", "ValueError", "right"),
        "rnn-lists": ("types",) * 3,
        "lstm-other-keys": ("keys",) * 3,
        "lstm-returns-none": ("None",) * 3,
        "gru-fails-for-one-sequence": ("right", "right", "IndexError"),
        "gru-before-gradients-by-step": ("shapes",) * 3,
        "gru-before-noise": ("all wrong",) * 3,
    }[case.name]  # fmt: skip
    assert outcome(case, (3, 2, 3, 2, 4)) == several
    assert outcome(case, (1, 2, 3, 2, 4)) == one_step
    assert outcome(case, (3, 1, 3, 2, 4)) == one_sequence
