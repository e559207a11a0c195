"""Exercises of notebook 10: find the bug."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..arrays import Array, Params, State, tree_copy
from ..data import laugh
from ..diagnosis import diagnose
from ..diagnosis.adapters import LossAndGrads, in_columns, mean_loss, one_sequence
from ..diagnosis.probe import random_params
from ..diagnosis.rules import distance
from .marking import Exercise
from .rnn_riddles import column_rnn, network, slopes

_SHAPES = {"W_xh": (5, 4), "W_hh": (4, 4), "b_h": (4,), "W_hy": (4, 3), "b_y": (3,)}


def _point() -> tuple[Params, Array, Array, State]:
    rng = np.random.default_rng(10)
    params = random_params({name: np.empty(shape) for name, shape in _SHAPES.items()}, rng)
    return params, rng.standard_normal((5, 2, 5)), rng.integers(3, size=(5, 2)), (rng.standard_normal((2, 4)),)


def _answered(function: LossAndGrads) -> tuple[Any, Any]:
    """Call a student's function once, on arrays of its own."""
    if not callable(function):
        raise AssertionError("Give the function itself, without calling it")
    returned = function(*tree_copy(_point()))
    if not isinstance(returned, tuple | list) or len(returned) != 2 or not isinstance(returned[1], Mapping):
        raise AssertionError("Return two things in this order: the losses, and the dictionary of gradients")
    return returned[0], returned[1]


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two dictionaries hold the same gradients."""
    if set(one) != set(other) or any(np.shape(one[name]) != np.shape(other[name]) for name in other):
        return False
    return all(distance(np.asarray(one[name], dtype=float), other[name]) < 1e-9 for name in other)


def _told(function: LossAndGrads, seed: int) -> str | None:
    """What `diagnose` says about it at a point that no notebook uses: None, or its first suspect in two sentences."""
    found = diagnose(function, "rnn", rng=np.random.default_rng(seed))
    if found.ok:
        return None
    first = found.suspects[0]
    place = f" in {first.where}" if str(first.where) else ""
    return f"diagnose says: {first.kind}{place}. {first.evidence} Look at: {first.hint}".strip()


# 1: the fingerprints

_NAMES = {
    "A": "wrong-time-index", "B": "truncated", "C": "not-summed-over-batch", "D": "activation-derivative",
    "E": "recurrent-matrix", "F": "not-summed-over-time",
}


def _exchanged(one: str, other: str) -> dict[str, str]:
    return {**_NAMES, one: _NAMES[other], other: _NAMES[one]}


# 2: the ratio


_H, _H_PREV = np.array([[0.5, -0.2], [-0.2, 0.5]]), np.array([[-0.5, 0.7], [0.7, -0.5]])
#: h, h_prev and the slope used. In the first two one unit has |h| = |h_prev|, as every unit of the lamp has.
_CASES = {
    "case 1": (_H[0], _H_PREV[0], "1 - h_prev²"), "case 2": (_H[1], _H_PREV[1], "1 - h_prev²"),
    "case 3": (_H[0], _H_PREV[1], "1 - h²"), "case 4": (_H[1], _H_PREV[1], "1"),
    "case 5": (_H[0], _H_PREV[1], "1 - h"), "case 6": (_H[1], _H_PREV[0], "1 - tanh(h)²"),
    "case 7": (_H[0], _H_PREV[0], "h (1 - h)"), "case 8": (_H[0], _H_PREV[0], "none of these"),
}  # fmt: skip
_DELTA = np.array([0.7, -0.3])


def _ratio_test(which_slope: Callable[[Array, Array, Array, Array], Any]) -> dict[str, Any] | None:
    found = {}
    for case, (h, h_prev, name) in _CASES.items():
        used = slopes(h, h_prev).get(name, np.cos(h))
        found[case] = which_slope(_DELTA * used, _DELTA * (1 - h**2), h.copy(), h_prev.copy())
    return None if all(name is None for name in found.values()) else found


def _by_ratio(mistake: str = "") -> dict[str, str]:
    """The right test, or one with a typical mistake."""

    def which(delta_a: Array, delta_n: Array, h: Array, h_prev: Array) -> str:
        ratio = delta_n / delta_a if mistake == "inverse" else delta_a / delta_n
        right, other = ratio * (1 - h**2), ratio * (1 - h_prev**2)
        used = {"ratio": ratio, "delta": delta_a, "other slope": other}.get(mistake, right)
        for name, slope in slopes(h, h_prev).items():
            close = np.isclose(used, slope)
            if close[0] if mistake == "first unit" else close.any() if mistake == "any unit" else close.all():
                return name
        return "none of these"

    found = _ratio_test(which)
    assert found is not None
    return found


# 3: mend a function

_HALF_MENDED: dict[str, LossAndGrads] = {
    "the function as it was given: run diagnose on it, and read the first name": network("dh carried", "h_t"),
    "half of it: what W_hh was multiplied with is right now, and what goes back to the step before is not yet δ":
        network("dh carried"),
    "half of it: δ goes back now, and in ∂L/∂W_hh h_t still stands for h_{t−1}": network("h_t"),
    "mended, and W_hh is no longer transposed on the way back: it is square, so no error tells": network("matrix"),
    "without the way back through time: the line was to be mended, not taken out": network("no carry"),
    "mended, and the slope is 1 − h in place of 1 − h²: that line was right": network("slope"),
}


def _prove_mended(answer: LossAndGrads) -> str | None:
    losses, grads = _answered(answer)
    if np.shape(losses) != (5, 2):
        return f"The losses have the shape {np.shape(losses)} where T = 5 and N = 2. Leave the forward pass as it was."
    for says, wrong in _HALF_MENDED.items():
        if _alike(grads, wrong(*_point())[1]):
            return f"That is {says}"
    return _told(answer, 103)


# 4: an adapter

NAMES = {"W_xh": "Wxh", "W_hh": "Whh", "b_h": "bh", "W_hy": "Why", "b_y": "by"}


def _square_as_it_is(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
    """An adapter by hand in which W_hh, being square, was not turned on the way in."""
    turned = {**params, "W_hh": params["W_hh"].T.copy()}
    return one_sequence(mean_loss(in_columns(column_rnn, NAMES)))(turned, xs, targets, state)


def _the_last_one(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
    """An adapter by hand that keeps the last sequence's gradients."""
    losses, _ = network()(params, xs, targets, state)
    return losses.sum(), network()(params, xs[:, -1:], targets[:, -1:], (state[0][-1:],))[1]


_ADAPTED_WRONG: dict[str, LossAndGrads] = {
    "the mean of the steps, not their sum: loss and gradients have to be multiplied by T":
        one_sequence(in_columns(column_rnn, NAMES)),
    "N times too large: mean_loss stands outside of one_sequence and takes the mean for one over the batch as well":
        mean_loss(one_sequence(in_columns(column_rnn, NAMES))),
    "the last sequence's gradients alone, beside the losses of all: add them up over the batch": _the_last_one,
    "another network: W_hh went in as it is, and in columns it stands on the other side, transposed": _square_as_it_is,
}


def _as_columns(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
    """An adapter by hand that leaves the matrices' gradients as they come out."""
    losses, grads = network()(params, xs, targets, state)
    return losses, {name: gradient.T for name, gradient in grads.items()}


def _mean_of_sequences(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
    """An adapter by hand that takes the mean over the batch."""
    losses, grads = network()(params, xs, targets, state)
    return losses.sum() / xs.shape[1], {name: gradient / xs.shape[1] for name, gradient in grads.items()}


_ADAPTED_WRONG |= {
    "right but for the matrices' gradients, which are still those of columns: turn them on the way out": _as_columns,
    "the mean over the sequences: losses and gradients are to be added up": _mean_of_sequences,
}
#: What cannot be compared by its values, and what the check says of it.
_ADAPTED_BROKEN: dict[str, LossAndGrads] = {
    "column_rnn has names of its own": one_sequence(mean_loss(in_columns(column_rnn))),
    "column_rnn got several sequences at once": mean_loss(in_columns(column_rnn, NAMES)),
}


def _prove_adapted(answer: LossAndGrads) -> str | None:
    try:
        losses, grads = _answered(answer)
    except KeyError as error:
        return f"It raised KeyError: {error}. column_rnn has names of its own: Wxh for W_xh, and so on."
    except ValueError as error:
        if "array of size 1" not in str(error):
            raise
        return "column_rnn got several sequences at once, and takes one: which adapter hands them over one by one?"
    for says, wrong in _ADAPTED_WRONG.items():
        theirs, given = wrong(*_point())
        if np.isclose(np.sum(losses), np.sum(theirs)) and _alike(grads, given):
            return f"That is {says}"
    return _told(answer, 104)


# 5: a bug of one's own


def _scaled(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    losses, grads = network()(params, xs, targets, state)
    return losses, {name: 1.1 * gradient for name, gradient in grads.items()}


def _other_loss(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    losses, grads = network("h_t")(params, xs, targets, state)
    return losses + 0.1, grads


def _without_b_y(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    losses, grads = network("h_t")(params, xs, targets, state)
    return losses, {name: gradient for name, gradient in grads.items() if name != "b_y"}


def _gradients_alone(params: Params, xs: Array, targets: Array, state: State) -> Any:
    return network("h_t")(params, xs, targets, state)[1]


_NO_BUGS: dict[str, LossAndGrads] = {
    "Its gradient is right: a bug has to be wrong": network(),
    "Its gradient points where the right one points: that is another learning rate, and no bug": _scaled,
    "Its losses are not those of the network: the bug has to be in the backward pass alone": _other_loss,
    "It does not train like the truth: after 500 updates at rate 0.5 the laugh's loss is 0.35": network("no carry"),
    "Return gradients with the names and shapes of the parameters": _without_b_y,
    "Return two things in this order: the losses, and the dictionary of gradients": _gradients_alone,
}


def _prove_bug(answer: LossAndGrads) -> str | None:
    losses, grads = _answered(answer)
    right_losses, right = network()(*_point())
    if np.shape(losses) != right_losses.shape or not np.allclose(losses, right_losses, rtol=1e-9):
        return "Its losses are not those of the network: the bug has to be in the backward pass alone."
    if set(grads) != set(right) or any(np.shape(grads[name]) != right[name].shape for name in right):
        return f"Return gradients with the names and shapes of the parameters: {', '.join(right)}."
    mine, truth = (np.concatenate([np.ravel(g[name]) for name in right]) for g in (grads, right))
    if np.linalg.norm(mine - truth) < 1e-6 * np.linalg.norm(truth):
        return "Its gradient is right: a bug has to be wrong."
    if mine @ truth > 0.999 * np.linalg.norm(mine) * np.linalg.norm(truth):
        return "Its gradient points where the right one points: that is another learning rate, and no bug."
    loss = trained(answer)
    if loss < 0.05:
        return None
    return f"It does not train like the truth: after 500 updates at rate 0.5 the laugh's loss is {loss:.2g}."


def trained(function: LossAndGrads, updates: int = 500, rate: float = 0.5) -> float:
    """Return the laugh's mean loss after gradient descent with this function's gradients."""
    word = laugh()
    params: Params = {**word.params["recurrent"], **word.params["output"]}
    for _ in range(updates):
        _, grads = function(tree_copy(params), word.xs, word.targets, word.state)
        params = {name: array - rate / 4 * np.asarray(grads[name]) for name, array in params.items()}
    return float(np.mean(network()(params, word.xs, word.targets, word.state)[0]))


EXERCISES: dict[str, Exercise] = {
    "10-fingerprints": Exercise(
        title="six mistakes by their fingerprints",
        points=2,
        expected=_NAMES,
        wrong={
            "right but for A and D: a wrong slope is in δ, and δ is in three gradients. Which of the two has three?":
                _exchanged("A", "D"),
            "right but for B and E: both spare T = 1. Which of them spares T = 2 as well?": _exchanged("B", "E"),
            "right but for C and F: one shows with a second sequence, the other with a second step.":
                _exchanged("C", "F"),
            "right but for A and F: both have one matrix wrong. Which of them is wrong at T = 1 already?":
                _exchanged("A", "F"),
            "right but for D and E: both have three gradients wrong. Which of them is right at T = 1?":
                _exchanged("D", "E"),
            "right but for A and C: both have one array wrong. Which of them needs a second sequence?":
                _exchanged("A", "C"),
            "right but for B and D: both have three gradients wrong. Which of them is right up to T = 2?":
                _exchanged("B", "D"),
        },
        hint="Ask of each: is it one gradient, or all that have a δ? And does it begin with one step, with two, with "
        "three, or with a second sequence?",
    ),
    "10-ratio": Exercise(
        title="which derivative was used",
        points=2,
        run=_ratio_test,
        expected={case: name for case, (_, _, name) in _CASES.items()},
        wrong={
            "δ_a/δ_n taken for the slope itself: it is the wrong slope over the right one. Multiply by 1 − h².":
                lambda: _by_ratio("ratio"),
            "the ratio upside down: δ_a is the one to be explained, so it stands above.": lambda: _by_ratio("inverse"),
            "decided by the first unit alone. In the first cases it has |h| = |h_prev|, like the lamp: ask all units.":
                lambda: _by_ratio("first unit"),
            "content with any one unit that fits: all of them have to.": lambda: _by_ratio("any unit"),
            "δ_a compared with the slopes: δ is ∂L/∂h times the slope, and δ_n knows ∂L/∂h.":
                lambda: _by_ratio("delta"),
            "the ratio times 1 − h_prev²: δ_n has the slope 1 − h².": lambda: _by_ratio("other slope"),
        },
        hint="δ_a = dh · (slope used), δ_n = dh · (1 − h²). Divide, and dh is gone.",
    ),
    "10-mend": Exercise(
        title="mend a function", points=3, prove=_prove_mended, wrong=_HALF_MENDED,
        hint="One mistake at a time: mend, and run diagnose again.",
    ),
    "10-adapter": Exercise(
        title="an adapter for a program in columns", points=3, prove=_prove_adapted,
        wrong={**_ADAPTED_WRONG, **_ADAPTED_BROKEN},
        hint="From the inside: columns, the mean of one sequence, then all sequences.",
    ),
    "10-own": Exercise(
        title="a bug that trains like the truth", points=3, prove=_prove_bug, wrong=_NO_BUGS,
        hint="Mistakes in one gradient of several, or far back in time, are good at it.",
    ),
}
