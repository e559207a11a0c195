"""The curated list: mistakes beside the recursion, in the sums over time and between the loss and the hidden state."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from ...activations import softmax
from ...arrays import Array, Params
from .hypotheses import Hypothesis, parts_of, shifts
from .reference import STATES, Change, Forward, Gradients, gradients, recursion
from .suspects import Where

Edit: TypeAlias = Callable[[Array], Array]
Past: TypeAlias = Callable[[Any, Sequence[Any]], Array]  # (cache, all caches) -> what stands for h_{t−1}


def in_sums(cell: Any) -> Iterator[Hypothesis]:
    """Yield mistakes of the parameters' sums, of the output layer, of a second backward and of the initial state."""
    yield from _collected()
    yield from _outputs()
    yield from _second_backwards()
    for number in range(parts_of(cell)):
        yield from _initial_state(number)
    for says, edit in shifts("∂L/∂x"):
        yield Hypothesis("wrong-time-index", Where("xs"), says, "Where the gradients of the inputs are put in order.",
                         Change(after=_inputs_moved(edit)))


# What the deltas are multiplied with


def _collected() -> Iterator[Hypothesis]:
    for says, edit in shifts("x"):
        yield Hypothesis("wrong-time-index", Where("W_xh"), says,
                         "The line that adds up the gradient of W_xh: x_t beside the delta of the same step.",
                         Change(collect=_with_inputs(edit)))
    for says, edit in shifts("δ"):
        yield Hypothesis("wrong-time-index", Where(), says, "Where the deltas of all steps are put together.",
                         Change(collect=_with_deltas(edit)))
    hint = "The line that adds up the gradient of W_hh: h_{t−1}, the state that W_hh was multiplied with at this step."
    for says, past in PASTS:
        yield Hypothesis("wrong-time-index", Where("W_hh"), says, hint, Change(collect=_with_past(past)))


def _with_inputs(edit: Edit) -> Any:
    return lambda cell, params, xs, caches, deltas: type(cell).param_grads(cell, params, edit(xs), caches, deltas)


def _with_deltas(edit: Edit) -> Any:
    return lambda cell, params, xs, caches, deltas: (
        type(cell).param_grads(cell, params, xs, caches, list(edit(np.stack(deltas)))))


def _with_past(past: Past) -> Any:
    def collect(cell: Any, params: Params, xs: Array, caches: Sequence[Any], deltas: Sequence[Any]) -> Any:
        changed = [cache._replace(h_prev=past(cache, caches)) for cache in caches]
        return type(cell).param_grads(cell, params, xs, changed, deltas)

    return collect


PASTS: tuple[tuple[str, Past], ...] = (
    ("h_t stands for h_{t−1}", lambda cache, _: cache.after.h_prev),
    ("h_{t−2} stands for h_{t−1} (at the first step zero)", lambda cache, _: cache.before.h_prev),
    ("h_{t−2} stands for h_{t−1} (at the first step h_{T−1}: index −1)", lambda cache, _: cache.wrapped.h_prev),
    ("h_{t−2} stands for h_{t−1} (at the first step h_T: index −1)", lambda cache, _: cache.looped.h_prev),
    ("at the first step h_T stands for h_0 (index −1)", lambda cache, _: cache.wrapped.after.h_prev),
    ("at the first step zero stands for h_0", lambda cache, _: cache.h_prev * (cache.t > 0)),
    ("at the first step h_1 stands for h_0", lambda cache, _: cache.h_prev if cache.t else cache.after.h_prev),
    ("h_0 stands for h_{t−1} at every step", lambda _, caches: caches[0].h_prev),
    ("h_T stands for h_{t−1} at every step", lambda _, caches: caches[-1].after.h_prev),
    ("h_{T−1} stands for h_{t−1} at every step", lambda _, caches: caches[-1].h_prev),
    ("the states stand in the reverse order of time", lambda cache, caches: caches[len(caches) - 1 - cache.t].h_prev),
    ("h_{t+1} stands for h_{t−1} (after the last step zero)", lambda cache, _: (
        np.zeros_like(cache.h_prev) if cache.last else cache.after.after.h_prev)),
)  # fmt: skip


# Between the loss and the hidden state


def _p(at: Forward) -> Array:
    return softmax(at.logits)


def _through_softmax(at: Forward) -> Array:
    p = _p(at)
    through: Array = p * (at.dlogits - (at.dlogits * p).sum(axis=-1, keepdims=True))
    return through


def _whole_columns(at: Forward) -> Array:
    """p[:, targets] -= 1 in place of p[arange(N), targets] -= 1."""
    hit = (at.targets[:, :, None] == np.arange(at.logits.shape[-1])).any(axis=1, keepdims=True)
    spoilt: Array = _p(at) - hit
    return spoilt


def _other_targets(by: int, wrap: bool) -> Callable[[Forward], Array]:
    """p_t less the 1 at the target of another step; without `wrap` the step at the end keeps its own."""
    def dlogits(at: Forward) -> Array:
        hot = _p(at) - at.dlogits
        moved = np.roll(hot, by, axis=0)
        if not wrap:
            end = 0 if by > 0 else -1
            moved[end] = hot[end]
        found: Array = _p(at) - moved
        return found

    return dlogits


OUTPUTS: tuple[tuple[str, Callable[[Forward], Array]], ...] = (
    ("∂L/∂y is multiplied by p (1 − p) once more", lambda at: at.dlogits * _p(at) * (1 - _p(at))),
    ("∂L/∂y goes through the Jacobian of softmax once more", _through_softmax),
    ("∂L/∂y is p alone: the 1 at the target is not subtracted", _p),
    ("∂L/∂y is p + (1 at the target)", lambda at: 2 * _p(at) - at.dlogits),
    ("∂L/∂y is −(1 at the target) alone", lambda at: at.dlogits - _p(at)),
    ("∂L/∂y is −(1 at the target) / p: that is ∂L/∂p", lambda at: (at.dlogits - _p(at)) / _p(at)),
    ("∂L/∂y is p − 2·(1 at the target)", lambda at: 2 * at.dlogits - _p(at)),
    ("1 is subtracted in whole columns: p[:, targets] −= 1 for p[arange(N), targets] −= 1", _whole_columns),
    ("∂L/∂y is y − (1 at the target): the logits are taken for p", lambda at: at.dlogits - _p(at) + at.logits),
)  # fmt: skip


def _outputs() -> Iterator[Hypothesis]:
    hint = "The line that starts the backward pass: for softmax and cross-entropy ∂L/∂y = p − (1 at the target)."
    yield Hypothesis("output-layer", Where(), "∂L/∂h is ∂L/∂y through W_hy reshaped, not transposed", hint,
                     Change(dhs=lambda _, at: at.dlogits @ at.params["W_hy"].reshape(at.params["W_hy"].shape[::-1])))
    yield Hypothesis("sign", Where(), "∂L/∂y has the wrong sign in what goes to the hidden layer", hint,
                     Change(hidden=lambda at: -at.dlogits))
    moved = [("wrong-time-index", says, _moved(edit)) for says, edit in shifts("∂L/∂y")]
    for by, wrap in itertools.product((1, -1), (True, False)):
        which = f"the step {'before' if by > 0 else 'after'}{', index −1 at the end' if wrap else ''}"
        moved.append(("wrong-time-index", f"the 1 is subtracted at the target of {which}", _other_targets(by, wrap)))
    for kind, says, dlogits in (*(("output-layer", says, dlogits) for says, dlogits in OUTPUTS), *moved):
        yield Hypothesis(kind, Where(), says, hint, Change(hidden=dlogits, output=dlogits))
        yield Hypothesis(kind, Where(), f"{says}, in what goes to the hidden layer", hint, Change(hidden=dlogits))
        yield Hypothesis("output-layer", Where("W_hy"), f"{says}, in W_hy and b_y", hint, Change(output=dlogits))
    hint = "The line that adds up the gradient of W_hy: h_t, the state that y_t was read from."
    yield Hypothesis("output-layer", Where("W_hy"), "h_{t−1} stands for h_t", hint, Change(states=lambda at: at.h_prev))
    for says, edit in shifts("h"):
        yield Hypothesis("output-layer", Where("W_hy"), says, hint, Change(states=_read(edit)))


def _moved(edit: Edit) -> Callable[[Forward], Array]:
    return lambda at: edit(at.dlogits)


def _read(edit: Edit) -> Callable[[Forward], Array]:
    return lambda at: edit(at.hs)


# A second backward pass, on what the first one spoilt


def _second_backwards() -> Iterator[Hypothesis]:
    def spoilt(at: Forward) -> Array:
        return 2 * at.dlogits - softmax(at.logits)

    def summed(dhs: Array, at: Forward) -> Array:
        dstates, _ = recursion(at, dhs)
        return np.stack([here + later[0] for here, later in zip(dhs, dstates[1:], strict=True)])

    for names in (("xs", "h0", "c0"), ("xs",), ("h0", "c0")):
        what = "the gradients of " + " and ".join(names[:2])
        yield Hypothesis(
            "nondeterministic", Where(names[0]),
            f"{what} are those of a second backward pass, which finds p − (1 at the target) where it kept p: backward "
            "twice is not the same twice",
            "The loss's backward writes into the probabilities that its forward kept: take a copy before -=.",
            Change(after=_only(names, Change(hidden=spoilt, output=spoilt))))
        yield _written(names[0], what, Change(after=_only(names, Change(dhs=summed))))
    yield _written(None, "the gradients of the hidden layer", Change(dhs=summed))


def _written(name: str | None, what: str, change: Change) -> Hypothesis:
    return Hypothesis(
        "mutates-input", Where(name), f"{what} are computed from a dh that already holds what came from later steps: "
        "an earlier pass wrote into the array",
        "dh[t] += … or dh[t] = dh[t] + carry writes into the caller's array: use a new name for the sum.", change)


def _only(names: Sequence[str], other: Change) -> Callable[[Gradients, Forward], Gradients]:
    def after(found: Gradients, at: Forward) -> Gradients:
        again = gradients(at, other)
        return {name: again[name] if name in names else found[name] for name in found}

    return after


# The state before the first step


def _initial_state(number: int) -> Iterator[Hypothesis]:
    name, hint = STATES[number], "The carry that is left after the loop has ended, not the one before its last turn."
    for own, what in ((False, "from later steps"), (True, "its own loss included")):
        says = f"∂L/∂{name} is that of the state after the first step, {what}"
        yield Hypothesis("wrong-time-index", Where(name), says, hint, Change(after=_of_the_next(number, own)))


def _inputs_moved(edit: Edit) -> Callable[[Gradients, Forward], Gradients]:
    return lambda found, _: {**found, "xs": edit(found["xs"])}


def _of_the_next(number: int, with_own_loss: bool) -> Callable[[Gradients, Forward], Gradients]:
    def after(found: Gradients, at: Forward) -> Gradients:
        dhs = at.dlogits @ at.params["W_hy"].T
        dstates, _ = recursion(at, dhs)
        own = dhs[0] if with_own_loss and number == 0 else 0.0
        return {**found, STATES[number]: dstates[1][number] + own}

    return after
