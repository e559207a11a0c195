"""`diagnose` against functions that nobody would write on purpose: an explanation each, and never an exception."""

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell, IndRNNCell, LayerNormLSTMCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import diagnose
from rnn_from_scratch.diagnosis.naming.reference import Point, forward, gradients

RNN = RNNCell(17, 6)


def right(params, xs, targets, state, cell=RNN, beside=()):
    at = forward(cell, Point(params, xs, targets, state))
    found = gradients(at)
    return at.losses, {name: found[name] for name in (*params, *beside)}


def returning(change):
    """A function whose right answer is changed: (losses, grads, T) -> (losses, grads)."""
    def function(params, xs, targets, state):
        losses, grads = right(params, xs, targets, state)
        return change(losses, grads, len(xs))

    return function


def every(change):
    return returning(lambda losses, grads, T: (losses, {name: change(gradient) for name, gradient in grads.items()}))


def only(name, change):
    return returning(lambda losses, grads, T: (losses, {**grads, name: change(grads[name], T)}))


def frozen(array):
    array = np.asfortranarray(array)
    array.flags.writeable = False
    return array


class Raiser:
    """Stands for an array of another library: it has a dtype, which is none of NumPy's."""

    dtype = object()


# Odd, and right


@pytest.mark.parametrize("function", [
    every(frozen), every(lambda g: g.astype(np.longdouble)), every(lambda g: g[..., ::-1].copy()[..., ::-1]),
    every(lambda g: np.ma.masked_array(g, mask=g > 0)), every(lambda g: np.asmatrix(g) if g.ndim == 2 else g),
    returning(lambda losses, grads, T: (np.array(losses.sum()), grads)),
    returning(lambda losses, grads, T: (losses.sum() if T == 1 else losses, grads)),
    returning(lambda losses, grads, T: [losses, grads]),
    returning(lambda losses, grads, T: (losses, {**grads, 3: 1, None: "x", (1, 2): [], "cache": object()})),
    lambda params, xs, targets, state: right(params, xs, targets, state, beside=("xs", "h0") if len(xs) > 1 else ()),
], ids=["frozen", "longdouble", "negative strides", "masked array", "matrix", "0-d", "a total at T = 1", "a list",
        "other keys", "xs not always"])
def test_what_is_odd_but_right_is_accepted(function):
    found = diagnose(function)
    assert found.ok, str(found)
    assert "W_xh, W_hh, b_h, W_hy, b_y" in str(found)


# Answers that are none


@pytest.mark.parametrize(("function", "kind", "words"), [
    (every(lambda g: g.astype(object)), "shape", "of object, expected an array of real numbers"),
    (every(lambda g: g.astype(str)), "shape", "<U"),
    (every(lambda g: g > 0), "shape", "of bool"),
    (every(lambda g: Raiser()), "shape", "W_xh is Raiser"),
    (every(lambda g: np.array(1.0)), "shape", "W_xh has shape (), expected (17, 6)"),
    (every(lambda g: np.zeros((2, 0))), "shape", "W_xh has shape (2, 0)"),
    (lambda *_: (0.0, {}), "shape", "grads holds nothing; it lacks W_xh"),
    (lambda *_: (0.0, {3: 1, None: 2}), "shape", "grads holds 3, None; it lacks"),
    (lambda *_: (yield), "shape", "It returned generator"),
    (lambda *_: (None, None), "shape", "grads is NoneType"),
    (lambda *_: "ab", "shape", "It returned str"),
    (every(lambda g: g * 1e200), "unknown", "W_xh holds 102 of 102 entries that are larger than 1e+100"),
    (only("b_h", lambda g, T: g * 1e300), "unknown", "b_h holds 6 of 6 entries that are larger"),
    (returning(lambda losses, grads, T: (losses * 1e200, grads)), "unknown", "losses holds 15 of 15"),
    (every(lambda g: g.astype(np.longdouble) * np.longdouble("1e4000")), "unknown", "NaN or infinite"),
    (every(lambda g: g * 1e-310), "zero", "0 everywhere"),
    (only("b_h", lambda g, T: g * (np.nan if T == 1 else 1)), "unknown", "b_h holds 6 of 6"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_answer_is_told(function, kind, words):
    found = diagnose(function)
    assert found.suspects[0].kind == kind, str(found)
    assert words in found.suspects[0].evidence
    assert not found.ok


def test_gradients_that_share_memory_are_judged_by_their_numbers():
    def function(params, xs, targets, state):
        losses, grads = right(params, xs, targets, state)
        return losses, {**grads, "b_h": grads["W_hh"][0]}

    suspect = diagnose(function).suspects[0]
    assert (suspect.where.parameter, suspect.certain) == ("b_h", False)


def test_a_view_of_the_parameters_is_no_gradient():
    found = diagnose(lambda params, xs, targets, state: (right(params, xs, targets, state)[0], params))
    assert not found.ok
    assert "W_xh, W_hh, b_h, W_hy, b_y wrong" in str(found)


# What is raised


class Speechless(Exception):  # noqa: N818
    def __str__(self):
        raise ValueError("nothing to say")


@pytest.mark.parametrize(("fault", "words"), [
    (SystemExit(2), "SystemExit: 2"), (Speechless(), "it raised Speechless"), (StopIteration(), "StopIteration"),
    (MemoryError("much"), "MemoryError: much"), (AssertionError(), "AssertionError"),
], ids=lambda value: type(value).__name__)
def test_whatever_it_raises_is_a_finding(fault, words):
    def function(*_):
        raise fault

    assert words in diagnose(function).suspects[0].evidence


def test_an_interrupt_is_not_the_function_s():
    def function(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        diagnose(function)


# What it does to its surroundings


@pytest.mark.parametrize(("harm", "evidence"), [
    (lambda params: params.pop("b_h"), "b_h is gone"),
    (lambda params: params.update(cache=1), "cache is among the parameters"),
    (lambda params: params.update(b_h="x"), "b_h is str"),
    (lambda params: params.update(b_h=params["b_h"][None]), "b_h is an array of shape (1, 6)"),
    (lambda params: params["b_h"].fill(np.nan), "b_h holds NaN or infinite numbers"),
], ids=["pop", "add", "a string", "another shape", "nan"])
def test_parameters_that_are_exchanged_are_told(harm, evidence):
    def function(params, xs, targets, state):
        answer = right(params, xs, targets, state)
        harm(params)
        return answer

    found = diagnose(function)
    assert [suspect.kind for suspect in found.suspects] == ["mutates-input"], "and the rest is right"
    assert evidence in found.suspects[0].evidence


def test_settings_of_numpy_and_output_are_the_student_s_affair(capsys):
    def function(*arguments):
        np.seterr(all="raise")
        print("step")
        return right(*arguments)

    before = np.geterr()
    assert diagnose(function).ok
    assert np.geterr() == before
    assert set(capsys.readouterr().out.split()) == {"step"}


def alternating(one, other):
    calls = []

    def function(*arguments):
        calls.append(1)
        return (one if len(calls) % 2 else other)(*arguments)

    return function


@pytest.mark.parametrize("other", [
    returning(lambda losses, grads, T: (losses.sum(), grads)), only("b_h", lambda g, T: g[None]),
    lambda *arguments: right(*arguments, beside=("xs",)),
], ids=["losses", "a shape", "a key"])
def test_an_answer_whose_form_changes_is_not_the_same_twice(other):
    for function in (alternating(right, other), alternating(other, right)):
        suspect = diagnose(function).suspects[0]
        assert suspect.kind == "nondeterministic"
        assert "differ between two calls" in suspect.evidence


def test_an_attribute_called_problem_is_no_task():
    class Network:
        problem = "sentiment"

        def __call__(self, *arguments):
            return right(*arguments)

    assert diagnose(Network()).ok


# Right for some sizes


@pytest.mark.parametrize(("wrong_at", "words"), [
    (lambda T: T > 3, "That is with T = 5, N = 3; they are right with T = 1, N = 1"),
    (lambda T: T == 1, "That is with T = 1, N = 1; they are right with T = 5, N = 3"),
])
def test_a_forward_that_is_right_for_some_sizes_says_for_which(wrong_at, words):
    found = diagnose(returning(lambda losses, grads, T: (losses + 0.1 * wrong_at(T), grads)))
    suspect = found.suspects[0]
    assert suspect.kind == "forward-wrong"
    assert words in suspect.evidence
    assert "They are those of a forward pass" not in suspect.evidence, "nothing of the kind gives them"


@pytest.mark.parametrize(("length", "sizes"), [(5, "T = 5, N = 3"), (7, "T = 7, N = 2"), (1, "T = 1, N = 1")])
def test_an_exception_at_one_size_is_told_with_it(length, sizes):
    def function(params, xs, targets, state):
        if len(xs) == length:
            raise ValueError("not this one")
        return right(params, xs, targets, state)

    found = diagnose(function)
    assert f"Called with {sizes}, it raised ValueError: not this one" in found.suspects[0].evidence


@pytest.mark.parametrize(("length", "sizes", "reference"), [
    (7, "T = 7, N = 2", "rnn"), (1, "T = 1, N = 1", "rnn"), (7, "T = 7, N = 2", None),
])
def test_a_shape_that_is_wrong_at_one_size_is_no_right_gradient(length, sizes, reference):
    found = diagnose(only("b_h", lambda g, T: g[None] if length == T else g), reference)
    (suspect,) = found.suspects
    assert (suspect.kind, suspect.where.parameter) == ("shape", "b_h")
    assert f"With {sizes}: b_h has shape (1, 6), expected (6,)" in suspect.evidence


def test_without_a_reference_losses_that_fail_beside_the_point_prove_nothing():
    calls = []

    def function(*arguments):
        calls.append(1)
        losses, grads = right(*arguments)
        return losses * (1.0 if len(calls) < 9 else np.nan), grads

    suspect = diagnose(function, None).suspects[0]
    assert "nothing is left to compare the gradient with" in suspect.evidence


# References of every size


@pytest.mark.parametrize("cell", [
    RNNCell(1, 6), RNNCell(17, 1), RNNCell(1, 1), LSTMCell(1, 1), GRUCell(2, 1), LSTMCell(4, 2, peepholes=True),
    IndRNNCell(5, 4), LayerNormLSTMCell(3, 2), RNNCell(20, 64),
], ids=str)
def test_any_cell_can_be_the_reference(cell):
    def function(*arguments):
        return right(*arguments, cell=cell, beside=("xs", "h0"))

    def half(*arguments):
        losses, grads = function(*arguments)
        return losses, {**grads, "b_h": 0.5 * grads["b_h"]}

    assert diagnose(function, cell).ok
    (suspect,) = diagnose(half, cell).suspects
    assert (suspect.kind, suspect.where.parameter, suspect.certain) == ("scale", "b_h", True)
