"""Tier 9, the curated list: mistakes that people make and that no single edit of the reference gives.

They are written over the contract of a cell (`step_backward`, `param_grads`, the time loop), not over one cell's
equations, so that one list serves the vanilla cell, the LSTM, both GRUs and whatever else keeps the contract.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...activations import softmax
from ...arrays import Array, Params, State
from .reference import STATES, Change, Forward, Gradients, Step, gates_of, gradients, recursion
from .suspects import Where

PARTS = ("h", "c")


class Hypothesis(NamedTuple):
    """A mistake, and the reference's backward pass with it."""

    kind: str
    where: Where
    says: str
    hint: str
    change: Change
    line: Any = None  # the Mutant of the reference's source, where it is one
    odd: bool = False  # True for what fits now and then, and is seldom what somebody wrote


def original(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
    """Take the cell's own step back."""
    answer: tuple[State, Any] = cell.step_backward(params, dstate, cache)
    return answer


# Scopes: where and when a changed step is in force


def to_parameters(step: Step) -> Step:
    """Use the changed step for the parameters' gradients alone; what goes back in time is right."""
    return lambda cell, params, dstate, cache: (
        original(cell, params, dstate, cache)[0], step(cell, params, dstate, cache)[1])


def to_carry(step: Step) -> Step:
    """Use the changed step for what goes back in time alone."""
    return lambda cell, params, dstate, cache: (
        step(cell, params, dstate, cache)[0], original(cell, params, dstate, cache)[1])


def at_times(step: Step, chosen: Callable[[Any], bool]) -> Step:
    """Use the changed step where `chosen` says so of the cache."""
    return lambda cell, params, dstate, cache: (
        step if chosen(cache) else original)(cell, params, dstate, cache)


def from_part(step: Step, number: int) -> Step:
    """Use the changed step for what comes from one part of the state alone (a step back is linear in dstate)."""

    def mixed(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        one = tuple(part if k == number else np.zeros_like(part) for k, part in enumerate(dstate))
        rest = tuple(np.zeros_like(part) if k == number else part for k, part in enumerate(dstate))
        (first, delta), (second, other) = step(cell, params, one, cache), original(cell, params, rest, cache)
        return tuple(a + b for a, b in zip(first, second, strict=True)), delta + other

    return mixed


TIMES: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("every step but the last", lambda cache: not cache.last),
    ("the last step", lambda cache: bool(cache.last)),
    ("the first step", lambda cache: cache.t == 0),
)


# The list


def curated(cell: Any) -> Iterator[Hypothesis]:
    """Yield the curated hypotheses for a cell of the package."""
    yield from _dropped_parts(cell)
    yield from _matrices(cell)
    yield from _overwritten(cell)
    yield from _loops()
    yield from _collected(cell)
    yield from _outputs()
    yield from _second_backwards()
    yield from _initial_states(cell)


def _parts(cell: Any) -> int:
    return len(cell.initial_state(1))


def _dropped_parts(cell: Any) -> Iterator[Hypothesis]:
    """∂L/∂h or ∂L/∂c from the future, dropped or negative, always or at some steps."""
    for number in range(_parts(cell)) if _parts(cell) > 1 else ():
        name, gate = PARTS[number], "c" if number else None
        kind = "cell-carry-dropped" if number else "carry-dropped"
        for factor, what, named in (
            (0.0, "is not handed on", kind), (-1.0, "is subtracted where it is to be added", "sign"),
            (2.0, "is added twice", "scale"),
        ):

            def step(
                cell: Any, params: Params, dstate: State, cache: Any, number: int = number, factor: float = factor
            ) -> tuple[State, Any]:
                before, delta = original(cell, params, dstate, cache)
                return tuple(factor * part if k == number else part for k, part in enumerate(before)), delta

            hint = f"The variable that carries ∂L/∂{name} from one turn of the loop to the next."
            says = f"∂L/∂{name} from the step after {what}"
            yield Hypothesis(named, Where(None, gate, "every step but the last"), says, hint, Change(step=step))
            for time, chosen in (("the first step", lambda cache: cache.t == 1), ("from the last step", _is_last)):
                change = Change(step=at_times(step, chosen))
                yield Hypothesis(named, Where(None, gate, time), f"{says}, {time} only", hint, change)


def _is_last(cache: Any) -> bool:
    return bool(cache.last)


def _matrices(cell: Any) -> Iterator[Hypothesis]:
    """W_hh on the way back: its transpose forgotten, left out, another gate's block."""
    gates = gates_of(cell)
    count = max(len(gates), 1)
    hint = "The line that takes the deltas back to h at the step before: delta @ W_hh.T, with the matrix of its gate."

    def through(edit: Callable[[list[Array]], list[Array]]) -> Change:
        def step(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
            blocks = edit(np.split(params["W_hh"], count, axis=1))
            return original(cell, {**params, "W_hh": np.hstack(blocks)}, dstate, cache)

        return Change(step=to_carry(step))

    if "W_hh" not in cell.param_shapes():
        return
    edits: list[tuple[str, Callable[[Array], Array]]] = [
        ("goes back through W{}, not through its transpose", lambda block: block.T),
        ("goes back without W{}", lambda block: np.eye(len(block))),
        ("does not go back through W{} at all", np.zeros_like),
        ("goes back through −W{}", np.negative),
    ]
    for says, edit in edits:
        kind = {np.zeros_like: "carry-dropped", np.negative: "sign"}.get(edit, "recurrent-matrix")  # type: ignore[call-overload]
        yield Hypothesis(kind, Where(None, None, "every step but the last"),
                         "δ " + says.format("_hh"), hint, through(lambda blocks, edit=edit: [edit(b) for b in blocks]))
        for k, gate in enumerate(gates):
            change = through(lambda blocks, k=k, edit=edit: [edit(b) if j == k else b for j, b in enumerate(blocks)])
            yield Hypothesis(kind, Where(None, gate, "every step but the last"),
                             f"δ of {gate} " + says.format(f"_h{gate}"), hint, change)
    for j, k in itertools.permutations(range(len(gates)), 2):
        change = through(lambda blocks, j=j, k=k: [blocks[k] if i == j else b for i, b in enumerate(blocks)])
        yield Hypothesis("recurrent-matrix", Where(None, gates[j], "every step but the last"),
                         f"δ of {gates[j]} goes back through the matrix of {gates[k]}", hint, change)
    for order in itertools.permutations(range(len(gates))):
        if sum(a != b for a, b in enumerate(order)) > 1:
            change = through(lambda blocks, order=order: [blocks[k] for k in order])
            names = "".join(gates[k] for k in order)
            yield Hypothesis("recurrent-matrix", Where(None, None, "every step but the last"),
                             f"the deltas of {gates} go back through the matrices of {names}", hint, change)


def _overwritten(cell: Any) -> Iterator[Hypothesis]:
    """One name for two moments: ∂L/∂h_t is overwritten with ∂L/∂h_{t−1} before all of the step has used it."""
    count = _parts(cell)
    hint = "The order of the lines at the end of the loop: give ∂L/∂h_{t−1} a name of its own, and assign it last."
    for number in range(count):

        def late(cell: Any, params: Params, dstate: State, cache: Any, number: int = number) -> tuple[State, Any]:
            before, _ = original(cell, params, dstate, cache)
            mixed = tuple(before[k] if k == number else part for k, part in enumerate(dstate))
            return original(cell, params, mixed, cache)

        name = PARTS[number]
        users = ["δ for the parameters", *(f"∂L/∂{PARTS[k]} of the step before" for k in range(count) if k != number)]
        for user, says in enumerate(users):

            def step(
                cell: Any, params: Params, dstate: State, cache: Any, user: int = user, late: Step = late,
                number: int = number,
            ) -> tuple[State, Any]:
                (right, delta), (other, other_delta) = original(cell, params, dstate, cache), late(
                    cell, params, dstate, cache)
                if user == 0:
                    return right, other_delta
                return tuple(a if k == number else b for k, (a, b) in enumerate(zip(right, other, strict=True))), delta

            yield Hypothesis(
                "wrong-time-index", Where(None, "c" if number else None, None),
                f"{says} is computed from ∂L/∂{name} of the step before: it was overwritten too early", hint,
                Change(step=step))


def _loops() -> Iterator[Hypothesis]:
    """The loop over time: forwards, on caches of another step, with the loss of another step."""

    def forwards(cell: Any, params: Params, dhs: Array, caches: Sequence[Any], dstate: State) -> Any:
        dstates, deltas = [dstate], []
        for t, cache in enumerate(caches):
            dstate, delta = cell.step_backward(params, (dstate[0] + dhs[t], *dstate[1:]), cache)
            deltas.append(delta)
            dstates.append(dstate)
        return [dstates[-1], *dstates[:-1]], deltas

    def reversed_caches(cell: Any, params: Params, dhs: Array, caches: Sequence[Any], dstate: State) -> Any:
        from ...bptt import unroll_backward

        return unroll_backward(cell, params, dhs, list(caches)[::-1], dstate)

    hint = "The loop: for t in reversed(range(T)), and what it indexes with t."
    yield Hypothesis("wrong-time-index", Where(time="from two steps on"), "the loop back over time runs forwards", hint,
                     Change(loop=forwards))
    yield Hypothesis("wrong-time-index", Where(time="from two steps on"),
                     "the caches are read in the order of the forward pass while the loop goes back", hint,
                     Change(loop=reversed_caches))
    for says, edit in _shifts("dh_here"):
        yield Hypothesis("wrong-time-index", Where(time="from two steps on"), says, hint,
                         Change(dhs=lambda dhs, at, edit=edit: edit(dhs)))


def _shifts(name: str) -> list[tuple[str, Callable[[Array], Array]]]:
    """Ways to be off in time for a stack (T, …)."""

    def moved(by: int, wrap: bool) -> Callable[[Array], Array]:
        def shift(stack: Array) -> Array:
            rolled = np.roll(stack, by, axis=0)
            if not wrap:
                rolled[0 if by > 0 else -1] = 0.0
            return rolled

        return shift

    return [
        (f"{name} is that of the step before (at the first step zero)", moved(1, False)),
        (f"{name} is that of the step before (at the first step the last one's: index −1)", moved(1, True)),
        (f"{name} is that of the step after (at the last step zero)", moved(-1, False)),
        (f"{name} is that of the step after (at the last step the first one's)", moved(-1, True)),
        (f"{name} is in the reverse order of time", lambda stack: stack[::-1]),
        (f"{name} of the first step is used at every step", lambda stack: np.broadcast_to(stack[:1], stack.shape)),
        (f"{name} of the last step is used at every step", lambda stack: np.broadcast_to(stack[-1:], stack.shape)),
    ]


def _collected(cell: Any) -> Iterator[Hypothesis]:
    """The sums over time: what the deltas are multiplied with."""

    def inputs(edit: Callable[[Array], Array]) -> Change:
        return Change(collect=lambda cell, params, xs, caches, deltas: (
            type(cell).param_grads(cell, params, np.ascontiguousarray(edit(xs)), caches, deltas)))

    def shifted(edit: Callable[[Array], Array]) -> Change:
        return Change(collect=lambda cell, params, xs, caches, deltas: (
            type(cell).param_grads(cell, params, xs, caches, list(edit(np.stack(deltas))))))

    hint = "The line that adds up the gradient of W_xh: x_t beside the delta of the same step."
    for says, edit in _shifts("x"):
        yield Hypothesis("wrong-time-index", Where("W_xh"), says, hint, inputs(edit))
    for says, edit in _shifts("δ"):
        yield Hypothesis("wrong-time-index", Where(), says, "Where the deltas of all steps are put together.",
                         shifted(edit))
    hint = "The line that adds up the gradient of W_hh: h_{t−1}, the state that W_hh was multiplied with at this step."
    for says, value in _other_states():
        yield Hypothesis("wrong-time-index", Where("W_hh"), says, hint, Change(collect=_with_h_prev(value)))


def _other_states() -> list[tuple[str, Callable[[Any, Sequence[Any]], Array]]]:
    return [
        ("h_t stands for h_{t−1}", lambda cache, caches: cache.after.h_prev),
        ("h_{t−2} stands for h_{t−1} (at the first step zero)", lambda cache, caches: cache.before.h_prev),
        ("h_{t−2} stands for h_{t−1} (at the first step h_{T−1}: index −1)", lambda cache, caches: (
            cache.wrapped.h_prev)),
        ("at the first step h_T stands for h_0 (index −1)", lambda cache, caches: cache.wrapped.after.h_prev),
        ("at the first step zero stands for h_0", lambda cache, caches: cache.h_prev * (cache.t > 0)),
        ("at the first step h_1 stands for h_0", lambda cache, caches: (
            cache.h_prev if cache.t else cache.after.h_prev)),
        ("h_0 stands for h_{t−1} at every step", lambda cache, caches: caches[0].h_prev),
        ("h_T stands for h_{t−1} at every step", lambda cache, caches: caches[-1].after.h_prev),
        ("h_{T−1} stands for h_{t−1} at every step", lambda cache, caches: caches[-1].h_prev),
        ("the states stand in the reverse order of time", lambda cache, caches: caches[len(caches) - 1 - cache.t].h_prev),
        ("h_{t+1} stands for h_{t−1} (after the last step zero)", lambda cache, caches: (
            cache.after.after.h_prev if not cache.last else np.zeros_like(cache.h_prev))),
    ]  # fmt: skip


def _with_h_prev(value: Callable[[Any, Sequence[Any]], Array]) -> Any:
    def collect(cell: Any, params: Params, xs: Array, caches: Sequence[Any], deltas: Sequence[Any]) -> Any:
        changed = [cache._replace(h_prev=value(cache, caches)) for cache in caches]
        return type(cell).param_grads(cell, params, xs, changed, deltas)

    return collect


def _outputs() -> Iterator[Hypothesis]:
    """Between the loss and the hidden state."""
    hint = "The line that starts the backward pass: for softmax and cross-entropy ∂L/∂y = p − (1 at the target)."

    def p(at: Forward) -> Array:
        return softmax(at.logits)

    others: list[tuple[str, str, Callable[[Forward], Array]]] = [
        ("output-layer", "∂L/∂y is multiplied by p (1 − p) once more", lambda at: at.dlogits * p(at) * (1 - p(at))),
        ("output-layer", "∂L/∂y goes through the Jacobian of softmax once more", lambda at: p(at) * (
            at.dlogits - (at.dlogits * p(at)).sum(axis=-1, keepdims=True))),
        ("output-layer", "∂L/∂y is p alone: the 1 at the target is not subtracted", p),
        ("output-layer", "∂L/∂y is p + (1 at the target)", lambda at: 2 * p(at) - at.dlogits),
        ("output-layer", "∂L/∂y is −(1 at the target) alone", lambda at: at.dlogits - p(at)),
        ("output-layer", "∂L/∂y is −(1 at the target) / p: that is ∂L/∂p", lambda at: (at.dlogits - p(at)) / p(at)),
        ("output-layer", "∂L/∂y is p − 2·(1 at the target)", lambda at: 2 * at.dlogits - p(at)),
        ("output-layer", "∂L/∂y is y − (1 at the target): the logits are taken for p", lambda at: (
            at.dlogits - p(at) + at.logits)),
        ("sign", "∂L/∂y has the wrong sign", lambda at: -at.dlogits),
    ]
    for says, edit in _shifts("∂L/∂y"):
        others.append(("wrong-time-index", says, lambda at, edit=edit: np.ascontiguousarray(edit(at.dlogits))))
    for kind, says, dlogits in others:
        if kind != "sign":
            yield Hypothesis(kind, Where(), says, hint, Change(hidden=dlogits, output=dlogits))
        yield Hypothesis(kind, Where(), f"{says}, in what goes to the hidden layer", hint, Change(hidden=dlogits))
        if kind != "sign":
            yield Hypothesis("output-layer", Where("W_hy"), f"{says}, in W_hy and b_y", hint, Change(output=dlogits))
    hint = "The line that adds up the gradient of W_hy: h_t, the state that y_t was read from."
    yield Hypothesis("output-layer", Where("W_hy"), "h_{t−1} stands for h_t", hint, Change(states=lambda at: at.h_prev))
    for says, edit in _shifts("h"):
        yield Hypothesis("output-layer", Where("W_hy"), says, hint,
                         Change(states=lambda at, edit=edit: np.ascontiguousarray(edit(at.hs))))


def _second_backwards() -> Iterator[Hypothesis]:
    """What a second backward pass gives where the first one spoilt what it was given or had kept."""

    def only(names: Sequence[str], other: Change) -> Callable[[Gradients, Forward], Gradients]:
        def after(found: Gradients, at: Forward) -> Gradients:
            again = gradients(at, other)
            return {name: again[name] if name in names or not names else found[name] for name in found}

        return after

    def spoilt(at: Forward) -> Array:
        return 2 * at.dlogits - softmax(at.logits)

    def summed(dhs: Array, at: Forward) -> Array:
        dstates, _ = recursion(at, dhs)
        return np.stack([here + later[0] for here, later in zip(dhs, dstates[1:], strict=True)])

    for names in (("xs", "h0", "c0"), ("xs",), ("h0", "c0"), ()):
        what = "the gradients of " + " and ".join(names[:2]) if names else "every gradient of the hidden layer"
        if names:
            yield Hypothesis(
                "nondeterministic", Where(names[0]),
                f"{what} are those of a second backward pass, which finds p − (1 at the target) where it kept p: "
                "backward twice is not the same twice",
                "The loss's backward writes into the probabilities that its forward kept: take a copy before -=.",
                Change(after=only(names, Change(hidden=spoilt, output=spoilt))))
        yield Hypothesis(
            "mutates-input", Where(names[0] if names else None),
            f"{what} are computed from a dh that already holds what came from later steps: an earlier pass wrote "
            "into the array",
            "dh[t] += … or dh[t] = dh[t] + carry writes into the caller's array: use a new name for the sum.",
            Change(after=only(names, Change(dhs=summed))) if names else Change(dhs=summed))


def _initial_states(cell: Any) -> Iterator[Hypothesis]:
    """The gradient of the state before the first step."""
    for number, name in zip(range(_parts(cell)), STATES, strict=False):
        for says, value in (
            (f"∂L/∂{name} is that of the state after the first step, from later steps", False),
            (f"∂L/∂{name} is that of the state after the first step, its own loss included", True),
        ):

            def after(
                found: Gradients, at: Forward, number: int = number, name: str = name, here: bool = value
            ) -> Gradients:
                dhs = at.dlogits @ at.params["W_hy"].T
                dstates, _ = recursion(at, dhs)
                other = dstates[1][number] + (dhs[0] if here and number == 0 else 0.0)
                return {**found, name: other}

            hint = "The carry that is left after the loop has ended, not the one before its last turn."
            yield Hypothesis("wrong-time-index", Where(name), says, hint, Change(after=after))
