"""Adapters: code in the shapes that students use is accepted where right, and named where wrong.

The functions here are written by hand, each in its own shape, and use nothing of the package.
"""

import copy
from functools import partial

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import diagnose
from rnn_from_scratch.diagnosis.adapters import (
    batch_first,
    concatenated,
    in_columns,
    last_step_only,
    mean_loss,
    one_hot_inputs,
    one_sequence,
    per_gate,
    squared_error,
)
from rnn_from_scratch.diagnosis.naming.problem import Problem, make_point
from rnn_from_scratch.validate import ArgumentError

BEFORE = GRUCell(17, 6, reset_after=False)
DROPPED, STRAIGHT, SLOPE = "carry-dropped", "recurrent-matrix", "activation-derivative"


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def cross_entropy(y, target):
    """Rows of outputs and one class each, to a loss each and its derivative."""
    p = np.exp(y - y.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, target])
    p[rows, target] -= 1
    return loss, p


def zeros(params):
    return {name: np.zeros_like(array) for name, array in params.items()}


def rnn(params, xs, targets, state, mistake=None, loss=cross_entropy, only_last=False):
    """Rows, as `diagnose` has them: losses of every step, gradients of their sum."""
    hs = [state[0]]
    for x in xs:
        hs.append(np.tanh(x @ params["W_xh"] + hs[-1] @ params["W_hh"] + params["b_h"]))
    grads, carry, losses = zeros(params), 0.0, []
    for t in reversed(range(len(xs))):
        h, h_prev = hs[t + 1], hs[t]
        dh = carry
        if not only_last or t == len(xs) - 1:
            each, dy = loss(h @ params["W_hy"] + params["b_y"], targets if only_last else targets[t])
            losses.insert(0, each)
            grads["W_hy"] += h.T @ dy
            grads["b_y"] += dy.sum(axis=0)
            dh = dy @ params["W_hy"].T + carry
        da = dh if mistake == SLOPE else dh * (1 - h**2)
        grads["W_xh"] += xs[t].T @ da
        grads["W_hh"] += h_prev.T @ da
        grads["b_h"] += da.sum(axis=0)
        carry = da @ (params["W_hh"] if mistake == STRAIGHT else params["W_hh"].T)
        if mistake == DROPPED:
            carry = 0.0
    return losses[0] if only_last else np.stack(losses), grads


def rnn_mean(params, xs, targets, state, mistake=None):
    losses, grads = rnn(params, xs, targets, state, mistake)
    return losses.mean(), {name: gradient / losses.size for name, gradient in grads.items()}


def rnn_squared(params, xs, targets, state, mistake=None, factor=0.5):
    def loss(y, target):
        return factor * ((y - target) ** 2).sum(axis=1), 2 * factor * (y - target)

    return rnn(params, xs, targets, state, mistake, loss)


def rnn_last(params, xs, targets, state, mistake=None):
    return rnn(params, xs, targets, state, mistake, only_last=True)


def rnn_last_mean(params, xs, targets, state, mistake=None):
    losses, grads = rnn_last(params, xs, targets, state, mistake)
    return losses.mean(), {name: gradient / len(losses) for name, gradient in grads.items()}


def rnn_last_squared(params, xs, targets, state, mistake=None):
    def loss(y, target):
        return ((y - target) ** 2).sum(axis=1), 2 * (y - target)

    return rnn(params, xs, targets, state, mistake, loss, only_last=True)


def rnn_tokens(params, xs, targets, state, mistake=None):
    """Indices in place of inputs: a row of W_xh is looked up."""
    assert xs.dtype.kind == "i"
    assert xs.ndim == 2
    return rnn(params, np.eye(len(params["W_xh"]))[xs], targets, state, mistake)


def turned(function):
    """A function of arrays (N, T, …) from one of (T, N, …)."""
    def by_sequence(params, xs, targets, state, mistake=None):
        assert len(xs) == len(state[0])
        by_time = targets.swapaxes(0, 1) if targets.ndim > 1 else targets
        losses, grads = function(params, xs.swapaxes(0, 1), by_time, state, mistake)
        return losses.T, grads

    return by_sequence


def columns(params, xs, targets, state, mistake=None):
    """Every vector a column: y = W x. xs is (T, D, N)."""
    Wx, Wh, bh, Wy, by = (params[name] for name in ("Wxh", "Whh", "bh", "Why", "by"))
    hs, losses, ps = [state[0]], [], []
    for t in range(len(xs)):
        hs.append(np.tanh(Wx @ xs[t] + Wh @ hs[t] + bh))
        each, p = cross_entropy((Wy @ hs[-1] + by).T, targets[t])
        losses.append(each)
        ps.append(p.T)
    grads, carry = zeros(params), np.zeros_like(state[0])
    dxs = np.zeros_like(xs)
    for t in range(len(xs) - 1, -1, -1):
        grads["Why"] += ps[t] @ hs[t + 1].T
        grads["by"] += ps[t].sum(axis=1, keepdims=True)
        da = Wy.T @ ps[t] + carry
        if mistake != SLOPE:
            da = da * (1 - hs[t + 1] ** 2)
        grads["Wxh"] += da @ xs[t].T
        grads["Whh"] += da @ hs[t].T
        grads["bh"] += da.sum(axis=1, keepdims=True)
        dxs[t] = Wx.T @ da
        carry = (Wh if mistake == STRAIGHT else Wh.T) @ da
        if mistake == DROPPED:
            carry = np.zeros_like(carry)
    return np.stack(losses), {**grads, "xs": dxs, "h0": carry}


THEIRS = {"W_xh": "Wxh", "W_hh": "Whh", "b_h": "bh", "W_hy": "Why", "b_y": "by"}


def columns_our_names(params, xs, targets, state, mistake=None):
    losses, grads = columns({own: params[name] for name, own in THEIRS.items()}, xs, targets, state, mistake)
    ours = {own: name for name, own in THEIRS.items()}
    return losses, {ours.get(name, name): gradient for name, gradient in grads.items()}


def columns_mean(params, xs, targets, state, mistake=None):
    """min-char-rnn's shape, one sequence, with the mean over its steps."""
    losses, grads = columns(params, xs, targets, state, mistake)
    assert losses.shape == (len(xs), 1)
    return float(losses.mean()), {name: gradient / len(xs) for name, gradient in grads.items()}


def alone(params, xs, targets, state, mistake=None):
    assert xs.shape[1] == 1
    losses, grads = rnn(params, xs, targets, state, mistake)
    return losses[:, 0], grads


def lstm(whole, params, xs, targets, state, mistake, split):
    """Over [h, x] whole: W (H + D, 4H) in the order i, f, g, o."""
    H = state[0].shape[1]
    W, b = whole
    (h, c), kept, losses, dys = state, [], [], []
    for t, x in enumerate(xs):
        z = np.hstack([h, x])
        a = z @ W + b
        i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 3 * H :])
        g = np.tanh(a[:, 2 * H : 3 * H])
        c_prev, c = c, f * c + i * g
        h = o * np.tanh(c)
        each, dy = cross_entropy(h @ params["W_hy"] + params["b_y"], targets[t])
        kept.append((z, i, f, g, o, c_prev, c, h))
        losses.append(each)
        dys.append(dy)
    dW, db = np.zeros_like(W), np.zeros_like(b)
    outer = {"W_hy": np.zeros_like(params["W_hy"]), "b_y": np.zeros_like(params["b_y"])}
    dh_next = dc_next = np.zeros_like(state[0])
    for (z, i, f, g, o, c_prev, c, h), dy in zip(reversed(kept), reversed(dys), strict=True):
        outer["W_hy"] += h.T @ dy
        outer["b_y"] += dy.sum(axis=0)
        dh = dy @ params["W_hy"].T + dh_next
        dc = dh * o * (1 - np.tanh(c) ** 2) + dc_next
        df = dc * c_prev if mistake == SLOPE else dc * c_prev * f * (1 - f)
        da = np.hstack([dc * g * i * (1 - i), df, dc * i * (1 - g**2), dh * np.tanh(c) * o * (1 - o)])
        dW += z.T @ da
        db += da.sum(axis=0)
        dh_next, dc_next = (da @ W.T)[:, :H], dc * f
        if mistake == "cell-carry-dropped":
            dc_next = 0 * dc_next
        if mistake == DROPPED:
            dh_next = 0 * dh_next
    return np.stack(losses), {**split(dW, db), **outer}


def lstm_hx(params, xs, targets, state, mistake=None):
    assert sorted(params) == ["W", "W_hy", "b", "b_y"]
    return lstm((params["W"], params["b"]), params, xs, targets, state, mistake, lambda W, b: {"W": W, "b": b})


def lstm_xh(params, xs, targets, state, mistake=None):
    D = xs.shape[2]
    W = np.vstack([params["Wz"][D:], params["Wz"][:D]])
    return lstm((W, params["bz"]), params, xs, targets, state, mistake,
                lambda W, b: {"Wz": np.vstack([W[-D:], W[:-D]]), "bz": b})


def lstm_gates(params, xs, targets, state, mistake=None, letters="ifgo", order=None):
    H = state[0].shape[1]
    D = xs.shape[2]

    def whole(letter):
        if order is None:
            return np.vstack([params[f"W_h{letter}"], params[f"W_x{letter}"]])
        W = params[f"W_{letter}"]
        return W if order == "hx" else np.vstack([W[D:], W[:D]])

    def split(W, b):
        found = {}
        for letter, part, bias in zip(letters, np.split(W, 4, axis=1), np.split(b, 4), strict=True):
            found[f"b_{letter}"] = bias
            if order is None:
                found |= {f"W_h{letter}": part[:H], f"W_x{letter}": part[H:]}
            else:
                found[f"W_{letter}"] = part if order == "hx" else np.vstack([part[H:], part[:H]])
        return found

    W = np.hstack([whole(letter) for letter in letters])
    b = np.concatenate([params[f"b_{letter}"] for letter in letters])
    return lstm((W, b), params, xs, targets, state, mistake, split)


def gru_gates(params, xs, targets, state, mistake=None, letters="rzn"):
    """The reset gate before the matrix product; n is the candidate."""
    r_, z_, n_ = letters
    h, kept, losses = state[0], [], []
    for t, x in enumerate(xs):
        r = sigmoid(x @ params[f"W_x{r_}"] + h @ params[f"W_h{r_}"] + params[f"b_{r_}"])
        z = sigmoid(x @ params[f"W_x{z_}"] + h @ params[f"W_h{z_}"] + params[f"b_{z_}"])
        n = np.tanh(x @ params[f"W_x{n_}"] + (r * h) @ params[f"W_h{n_}"] + params[f"b_{n_}"])
        h_prev, h = h, (1 - z) * n + z * h
        each, dy = cross_entropy(h @ params["W_hy"] + params["b_y"], targets[t])
        losses.append(each)
        kept.append((x, h_prev, r, z, n, h, dy))
    grads, carry = zeros(params), 0.0
    for x, h_prev, r, z, n, h, dy in reversed(kept):
        grads["W_hy"] += h.T @ dy
        grads["b_y"] += dy.sum(axis=0)
        dh = dy @ params["W_hy"].T + carry
        dn = dh * (1 - z) * (1 - n**2)
        ds = dn @ params[f"W_h{n_}"].T
        dz = dh * (h_prev - n) * (1 if mistake == SLOPE else z * (1 - z))
        dr = ds * h_prev * r * (1 - r)
        for letter, da, seen in ((r_, dr, h_prev), (z_, dz, h_prev), (n_, dn, r * h_prev)):
            grads[f"W_x{letter}"] += x.T @ da
            grads[f"W_h{letter}"] += seen.T @ da
            grads[f"b_{letter}"] += da.sum(axis=0)
        carry = dh * z + ds * r + dz @ params[f"W_h{z_}"].T + dr @ params[f"W_h{r_}"].T
        if mistake == DROPPED:
            carry = 0.0
    return np.stack(losses), grads


VANILLA = (DROPPED, STRAIGHT, SLOPE)
LONG = (DROPPED, "cell-carry-dropped", SLOPE)
SHAPES = {  # name: function(mistake=…), adapter, reference, mistakes
    "mean_loss": (rnn_mean, mean_loss, "rnn", VANILLA),
    "squared_error": (rnn_squared, squared_error, "rnn", VANILLA),
    "squared_error, factor 1": (partial(rnn_squared, factor=1.0), partial(squared_error, factor=1.0), "rnn", VANILLA),
    "last_step_only": (rnn_last, last_step_only, "rnn", VANILLA),
    "one_hot_inputs": (rnn_tokens, partial(one_hot_inputs, vocabulary=19), "rnn", VANILLA),
    "batch_first": (turned(rnn), batch_first, "rnn", VANILLA),
    "in_columns": (columns_our_names, in_columns, "rnn", VANILLA),
    "in_columns with names": (columns, partial(in_columns, names=THEIRS), "rnn", VANILLA),
    "one_sequence": (alone, one_sequence, "rnn", VANILLA),
    "concatenated hx": (lstm_hx, concatenated, "lstm", LONG),
    "concatenated xh": (lstm_xh, partial(concatenated, order="xh", name="Wz", bias="bz"), "lstm", LONG),
    "per_gate": (lstm_gates, partial(per_gate, gates="ifgo"), "lstm", LONG),
    "per_gate hx": (partial(lstm_gates, order="hx"), partial(per_gate, gates="ifgo", order="hx"), "lstm", LONG),
    "per_gate xh, letters": (
        partial(lstm_gates, order="xh", letters="abcd"), partial(per_gate, gates="ifgo", letters="abcd", order="xh"),
        "lstm", LONG),
    "per_gate of a GRU": (gru_gates, partial(per_gate, gates="rzn"), BEFORE, (DROPPED, SLOPE)),
    "per_gate, a candidate h": (  # its names are W_xh, W_hh and b_h: those of the package's whole matrices
        partial(gru_gates, letters="rzh"), partial(per_gate, gates="rzn", letters="rzh"), BEFORE, (DROPPED, SLOPE)),
    # nested
    "mean of one sequence in columns": (
        columns_mean, lambda f: one_sequence(mean_loss(in_columns(f, THEIRS))), "rnn", VANILLA),
    "mean, batch first": (turned(rnn_mean), lambda f: mean_loss(batch_first(f)), "rnn", VANILLA),
    "batch first, mean": (turned(rnn_mean), lambda f: batch_first(mean_loss(f)), "rnn", VANILLA),
    "mean of the last step": (rnn_last_mean, lambda f: mean_loss(last_step_only(f)), "rnn", VANILLA),
    "the last step's mean": (rnn_last_mean, lambda f: last_step_only(mean_loss(f)), "rnn", VANILLA),
    "last step, squared": (
        rnn_last_squared, lambda f: squared_error(last_step_only(f), factor=1.0), "rnn", VANILLA),
    "squared, last step, batch first": (
        turned(rnn_last), lambda f: last_step_only(batch_first(f)), "rnn", VANILLA),
    "one sequence, last step": (rnn_last, lambda f: one_sequence(last_step_only(f)), "rnn", VANILLA),
    "last step of one sequence, squared": (
        rnn_last_squared, lambda f: squared_error(last_step_only(one_sequence(f)), factor=1.0), "rnn", VANILLA),
    "tokens, batch first": (
        turned(rnn_tokens), lambda f: batch_first(one_hot_inputs(f, 19)), "rnn", (DROPPED,)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_right_function_in_its_own_shape_is_accepted(shape):
    function, adapter, reference, _ = SHAPES[shape]
    found = diagnose(adapter(function), reference)
    assert found.ok, str(found)
    assert "right, largest relative difference" in str(found)


@pytest.mark.parametrize(("shape", "mistake"), [
    (shape, wrong[number % len(wrong)]) for number, (shape, (*_, wrong)) in enumerate(SHAPES.items())])
def test_a_mistake_in_it_is_named(shape, mistake):
    function, adapter, reference, _ = SHAPES[shape]
    found = diagnose(adapter(partial(function, mistake=mistake)), reference)
    assert found.suspects, "it was accepted"
    suspect = found.suspects[0]
    assert (suspect.kind, suspect.certain) == (mistake, True), str(found)
    if mistake == SLOPE and reference != "rnn":
        assert suspect.where.gate == ("f" if reference == "lstm" else "z")


def test_tokens_in_columns_nest_either_way():
    def tokens(params, xs, targets, state):
        assert xs.shape == targets.shape
        one_hot = np.eye(params["Wxh"].shape[1])[xs].transpose(0, 2, 1)
        losses, grads = columns(params, one_hot, targets, state)
        del grads["xs"]
        return losses, grads

    assert diagnose(in_columns(one_hot_inputs(tokens, 19), THEIRS)).ok
    assert diagnose(one_hot_inputs(in_columns(tokens, THEIRS), 19)).ok


def test_the_gradients_of_inputs_and_states_come_back_turned_too():
    def wrong(name):
        def function(params, xs, targets, state):
            losses, grads = columns(params, xs, targets, state)
            return losses, {**grads, name: -grads[name]}

        return function

    for adapter in (partial(in_columns, names=THEIRS), lambda f: one_sequence(in_columns(f, THEIRS))):
        for name in ("xs", "h0"):
            suspect = diagnose(adapter(wrong(name))).suspects[0]
            assert (suspect.kind, suspect.where.parameter) == ("sign", name)


def test_a_mean_that_is_not_undone_is_told_as_one():
    found = diagnose(rnn_mean)
    assert "mean" in str(found)
    assert "1/(T·N)" in str(found)


def lacking(function, name):
    def without(*arguments):
        losses, grads = function(*arguments)
        return losses, {key: gradient for key, gradient in grads.items() if key != name}

    return without


@pytest.mark.parametrize(("shape", "name"), [
    ("mean_loss", "W_hh"), ("batch_first", "b_y"), ("in_columns", "W_xh"), ("in_columns with names", "Whh"),
    ("one_sequence", "b_h"), ("concatenated hx", "W"), ("concatenated xh", "bz"), ("per_gate", "W_hg"),
    ("per_gate xh, letters", "W_c"), ("per_gate, a candidate h", "W_hh"), ("per_gate of a GRU", "W_hy"),
])
def test_a_gradient_that_is_missing_is_named_as_the_student_names_it(shape, name):
    function, adapter, reference, _ = SHAPES[shape]
    found = diagnose(adapter(lacking(function, name)), reference)
    assert f"it lacks {name}" in found.suspects[0].evidence, str(found)


@pytest.mark.parametrize(("shape", "name"), [
    ("mean_loss", "W_hh"), ("batch_first", "b_y"), ("in_columns", "W_xh"), ("one_sequence", "b_h"),
    ("concatenated hx", "b"), ("per_gate", "b_f"),
])
def test_a_gradient_of_another_shape_is_named(shape, name):
    function, adapter, reference, _ = SHAPES[shape]

    def cut(*arguments):
        losses, grads = function(*arguments)
        return losses, {**grads, name: grads[name][:-1]}

    suspect = diagnose(adapter(cut), reference).suspects[0]
    assert suspect.kind == "shape"
    assert suspect.where.parameter == (name if name not in ("b", "b_f") else "b_h")
    assert "expected" in suspect.evidence


@pytest.mark.parametrize("shape", [s for s in SHAPES if s not in ("squared_error", "last_step_only")])
@pytest.mark.parametrize(("answer", "words"), [(None, "NoneType"), ((1.0, [1.0]), "list"), (3.5, "float")])
def test_what_is_no_answer_gets_an_explanation(shape, answer, words):
    _, adapter, reference, _ = SHAPES[shape]
    found = diagnose(adapter(lambda *_: answer), reference)
    assert words in found.suspects[0].evidence, str(found)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: squared_error(rnn, factor=0.0), "factor"),
    (lambda: squared_error(rnn, factor="half"), "factor"),
    (lambda: one_hot_inputs(rnn, 0), "vocabulary"),
    (lambda: one_hot_inputs(rnn, 2.5), "vocabulary"),
    (lambda: concatenated(rnn, order="hh"), "order"),
    (lambda: concatenated(rnn, name="b"), "two names"),
    (lambda: concatenated(rnn, name="W_hy"), "two names"),
    (lambda: per_gate(rnn, "ifog"), "gates"),
    (lambda: per_gate(rnn, "ifgo", order="xx"), "order"),
    (lambda: per_gate(rnn, "ifgo", letters="ifg"), "4 different letters"),
    (lambda: per_gate(rnn, "ifgo", letters="iffo"), "4 different letters"),
    (lambda: per_gate(rnn, "rzn", letters=3), "3 different letters"),
    (lambda: per_gate(rnn, "rzn", letters="rzy"), "other than y"),
])
def test_wrong_arguments_are_the_caller_s_errors(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_that_is_handed_in_changes_and_the_name_stays(shape):
    function, adapter, reference, _ = SHAPES[shape]

    def my_function(*arguments):
        """What mine does."""
        return function(*arguments)

    adapted = adapter(my_function)
    assert (adapted.__name__, adapted.__doc__) == ("my_function", "What mine does.")
    assert not hasattr(my_function, "problem"), "the student's function itself is left alone"
    problem = getattr(adapted, "problem", Problem())
    cell = {"rnn": RNNCell, "lstm": LSTMCell}[reference](19, 6) if isinstance(reference, str) else reference
    point = make_point(cell, problem, (3, 2), np.random.default_rng(0))
    before = copy.deepcopy(point)
    losses, grads = adapted(*point)
    assert np.sum(losses) > 0
    assert all(np.abs(grads[name]).max() > 0 for name in point.params)
    np.testing.assert_equal(point, before)


def test_a_student_s_own_attribute_called_problem_is_no_task():
    class Network:
        problem = "sentiment"

        def __call__(self, *arguments):
            return rnn_mean(*arguments)

    assert diagnose(mean_loss(Network())).ok
