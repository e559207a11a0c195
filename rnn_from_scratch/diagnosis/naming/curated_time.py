"""The curated list: mistakes on the way back in time.

They are written over the contract of a cell (`step_backward`, the time loop), not over one cell's equations, so that
one list serves the vanilla cell, the LSTM, both GRUs and whatever else keeps the contract.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...arrays import Array, Params, State
from ...bptt import unroll_backward
from .hypotheses import PARTS, Hypothesis, at_times, original, parts_of, shifts, to_carry
from .reference import Change, Step, gates_of
from .suspects import Where

BEFORE_THE_LAST = "every step but the last"


def in_time(cell: Any) -> Iterator[Hypothesis]:
    """Yield mistakes of the carries, of W_hh on the way back, of the order of lines and of the loop."""
    if parts_of(cell) > 1:  # with one part the shares of `shares.py` say it all
        for number in range(parts_of(cell)):
            yield from _dropped(number)
            yield from _cut(number)
    if "W_hh" in cell.param_shapes():
        yield from _matrices(gates_of(cell))
    for number in range(parts_of(cell)):
        yield from _overwritten(number, parts_of(cell))
    if parts_of(cell) > 1:
        yield from _peepholes()
    yield from _loops()
    yield from _across_the_batch()


def _dropped(number: int) -> Iterator[Hypothesis]:
    """∂L/∂h or ∂L/∂c from the future, dropped, subtracted or added twice, at all steps or at one."""
    name, gate = PARTS[number], "c" if number else None
    hint = f"The variable that carries ∂L/∂{name} from one turn of the loop to the next."
    for factor, what, kind in (
        (0.0, "is not handed on", "cell-carry-dropped" if number else "carry-dropped"),
        (-1.0, "is subtracted where it is to be added", "sign"), (2.0, "is added twice", "scale"),
    ):
        step, says = _scaled(number, factor), f"∂L/∂{name} from the step after {what}"
        yield Hypothesis(kind, Where(None, gate, BEFORE_THE_LAST), says, hint, Change(step=step))
        yield Hypothesis(kind, Where(None, gate, "the first step"), f"{says}, at the first step only", hint,
                         Change(step=at_times(step, lambda cache: bool(cache.t == 1))))
        yield Hypothesis(kind, Where(None, gate, "from the last step"), f"{says}, from the last step only", hint,
                         Change(step=at_times(step, lambda cache: bool(cache.last))))


def _cut(number: int) -> Iterator[Hypothesis]:
    """∂L/∂h or ∂L/∂c alone is cut at the borders of windows."""
    name = PARTS[number]
    for width in range(2, 5):
        step = at_times(_scaled(number, 0.0), lambda cache, width=width: cache.t % width == 0)  # type: ignore[misc]
        yield Hypothesis("truncated", Where(None, "c" if number else None, f"across borders of {width} steps"),
                         f"∂L/∂{name} is not handed on across the borders of windows of {width} steps",
                         "Where the sequence is cut into windows: which state is detached there.", Change(step=step))


def _scaled(number: int, factor: float) -> Step:
    def step(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        before, delta = original(cell, params, dstate, cache)
        return tuple(factor * part if k == number else part for k, part in enumerate(before)), delta

    return step


def _matrices(gates: str) -> Iterator[Hypothesis]:
    """W_hh on the way back: its transpose forgotten, left out, another gate's block."""
    hint = "The line that takes the deltas back to h at the step before: delta @ W_hh.T, with the matrix of its gate."
    count = max(len(gates), 1)

    def made(kind: str, gate: str | None, says: str, edit: Callable[[list[Array]], list[Array]]) -> Hypothesis:
        def step(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
            edited = np.hstack(edit(np.split(params["W_hh"], count, axis=1)))
            return original(cell, {**params, "W_hh": edited}, dstate, cache)

        return Hypothesis(kind, Where(None, gate, BEFORE_THE_LAST), says, hint, Change(step=to_carry(step)))

    def one(k: int, edit: Callable[[Array], Array]) -> Callable[[list[Array]], list[Array]]:
        return lambda blocks: [edit(block) if j == k else block for j, block in enumerate(blocks)]

    def every(edit: Callable[[Array], Array]) -> Callable[[list[Array]], list[Array]]:
        return lambda blocks: [edit(block) for block in blocks]

    def ordered(order: Sequence[int]) -> Callable[[list[Array]], list[Array]]:
        return lambda blocks: [blocks[k] for k in order]

    if gates:  # a square matrix reshaped is itself
        yield made("recurrent-matrix", None, "δ goes back through W_hh reshaped, not transposed", _reshaped)
    edits: tuple[tuple[str, str, Callable[[Array], Array]], ...] = (
        ("recurrent-matrix", "goes back through W{}, not through its transpose", np.transpose),
        ("recurrent-matrix", "goes back without W{}", lambda block: np.eye(len(block))),
        ("carry-dropped", "does not go back through W{} at all", np.zeros_like),
        ("sign", "goes back through −W{}", np.negative),
    )
    for kind, says, edit in edits:
        yield made(kind, None, "δ " + says.format("_hh"), every(edit))
        for k, gate in enumerate(gates):
            yield made(kind, gate, f"δ of {gate} " + says.format(f"_h{gate}"), one(k, edit))
    for j, k in itertools.permutations(range(len(gates)), 2):
        order = [k if i == j else i for i in range(len(gates))]
        yield made("recurrent-matrix", gates[j], f"δ of {gates[j]} goes back through the matrix of {gates[k]}",
                   ordered(order))
    for permuted in itertools.permutations(range(len(gates))):
        if sum(a != b for a, b in enumerate(permuted)) > 1:
            names = "".join(gates[k] for k in permuted)
            yield made("recurrent-matrix", None, f"the deltas of {gates} go back through the matrices of {names}",
                       ordered(permuted))


def _reshaped(blocks: list[Array]) -> list[Array]:
    """Return blocks whose transpose side by side is the whole matrix reshaped."""
    whole = np.hstack(blocks)
    return np.split(whole.reshape(whole.shape[::-1]).T, len(blocks), axis=1)


def _overwritten(number: int, count: int) -> Iterator[Hypothesis]:
    """One name for two moments: ∂L/∂h_t is overwritten with ∂L/∂h_{t−1} before all of the step has used it."""
    hint = "The order of the lines at the end of the loop: give ∂L/∂h_{t−1} a name of its own, and assign it last."
    users = ["δ for the parameters", *(f"∂L/∂{PARTS[k]} of the step before" for k in range(count) if k != number)]
    for user, what in enumerate(users):

        def step(cell: Any, params: Params, dstate: State, cache: Any, user: int = user) -> tuple[State, Any]:
            right, delta = original(cell, params, dstate, cache)
            mixed = tuple(right[k] if k == number else part for k, part in enumerate(dstate))
            late, late_delta = original(cell, params, mixed, cache)
            if user == 0:
                return right, late_delta
            return tuple(right[k] if k == number else part for k, part in enumerate(late)), delta

        says = f"{what} is computed from ∂L/∂{PARTS[number]} of the step before: it was overwritten too early"
        yield Hypothesis("wrong-time-index", Where(None, "c" if number else None), says, hint, Change(step=step))


def _peepholes() -> Iterator[Hypothesis]:
    """Terms of peepholes in ∂L/∂c, where the forward pass has none."""
    for chosen in ("if", "i", "f", "o", "ifo"):

        def step(cell: Any, params: Params, dstate: State, cache: Any, chosen: str = chosen) -> tuple[State, Any]:
            (dh, dc), delta = original(cell, params, dstate, cache)
            parts = dict(zip(gates_of(cell), np.split(delta, 4, axis=1), strict=True))
            return (dh, dc + sum(parts[gate] for gate in chosen)), delta

        yield Hypothesis(
            "wrong-gate", Where(None, "c", BEFORE_THE_LAST),
            f"δ of {' and '.join(chosen)} goes into ∂L/∂c of the step before, as with peepholes",
            "The line of ∂L/∂c: gates look at the cell state only in an LSTM with peepholes.", Change(step=step))


def _loops() -> Iterator[Hypothesis]:
    """The loop over time: forwards, on caches of another step, with the loss of another step."""
    hint = "The loop: for t in reversed(range(T)), and what it indexes with t."
    where = Where(time="from two steps on")
    yield Hypothesis("wrong-time-index", where, "the loop back over time runs forwards", hint, Change(loop=_forwards))
    yield Hypothesis("wrong-time-index", where, "the caches are read in the order of the forward pass while the loop "
                     "goes back", hint, Change(loop=_other_caches))
    for says, edit in shifts("dh_here"):
        yield Hypothesis("wrong-time-index", where, says, hint, Change(dhs=lambda dhs, _, edit=edit: edit(dhs)))  # type: ignore[misc]


def _across_the_batch() -> Iterator[Hypothesis]:
    """One sequence at a time, and the carry of one is left over for the next."""
    for order, what in ((1, "the one before it"), (-1, "the one after it")):

        def loop(
            cell: Any, params: Params, dhs: Array, caches: Sequence[Any], dstate: State, order: int = order
        ) -> tuple[Any, Any]:
            N = dhs.shape[1]
            carry = tuple(part[:1] for part in dstate)
            columns = {}
            for n in range(N)[::order]:
                one = slice(n, n + 1)
                alone = [type(cache)(*(part[one] for part in cache)) for cache in caches]
                columns[n] = unroll_backward(cell, params, dhs[:, one], alone, carry)
                carry = columns[n][0][0]
            parts = [columns[n] for n in range(N)]
            dstates = [tuple(np.concatenate(rows) for rows in zip(*(states[t] for states, _ in parts), strict=True))
                       for t in range(len(dhs) + 1)]
            return dstates, [np.concatenate([deltas[t] for _, deltas in parts]) for t in range(len(dhs))]

        yield Hypothesis("not-reset", Where(), f"the carry of a sequence starts from what {what} in the batch has left",
                         "The zeros from which the carry starts: inside the loop over sequences.", Change(loop=loop))


def _forwards(cell: Any, params: Params, dhs: Array, caches: Sequence[Any], dstate: State) -> tuple[Any, Any]:
    dstates, deltas = [dstate], []
    for dh, cache in zip(dhs, caches, strict=True):
        dstate, delta = cell.step_backward(params, (dstate[0] + dh, *dstate[1:]), cache)
        deltas.append(delta)
        dstates.append(dstate)
    return [dstates[-1], *dstates[:-1]], deltas


def _other_caches(cell: Any, params: Params, dhs: Array, caches: Sequence[Any], dstate: State) -> tuple[Any, Any]:
    return unroll_backward(cell, params, dhs, list(caches)[::-1], dstate)
