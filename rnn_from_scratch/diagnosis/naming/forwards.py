"""Tier 2: losses that are not the reference's, and which other forward pass gives them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from ...activations import ACTIVATIONS, softmax
from ...arrays import Array, Params
from ...bptt import unroll
from ...cells import GRUCell, RNNCell
from ..mutants import Mutant, mutants
from .labels import read_factor
from .problem import SIZES, Problem
from .reference import Forward, Point, gates_of, gradients, off
from .student import Answer
from .suspects import SourceLine, Suspect, Where

SAME = 1e-7


class Other(NamedTuple):
    """Another forward pass."""

    says: str
    gate: str | None
    losses: Callable[[Forward, Problem], Array]  # (T, N)
    line: Mutant | None = None


def forward_suspects(
    cell: Any, problem: Problem, forwards: Mapping[tuple[int, int], Forward], answers: Mapping[tuple[int, int], Answer]
) -> list[Suspect]:
    """Compare the losses at every point; return nothing where they are the reference's."""
    gaps = {sizes: _gap(answers[sizes].losses, at.losses) for sizes, at in forwards.items()}
    if all(gap < SAME for gap in gaps.values()):
        return []
    factor = _factor(forwards, answers)
    if factor is not None:
        return [factor]
    main = [sizes for sizes in SIZES if sizes in forwards]
    found = [] if all(gaps[sizes] < SAME for sizes in main) else [
        other for other in others(cell, forwards[main[0]])
        if all(_explains(other, forwards[sizes], problem, answers[sizes].losses) for sizes in main)
    ]
    evidence, gate = _where_it_begins(gaps, forwards, answers), None
    lines = tuple(_line(other.line) for other in found if other.line is not None)
    if found:
        gate = found[0].gate
        evidence += f" They are those of a forward pass in which {found[0].says}."
    hint = (
        "The forward pass, before the backward: the order of the gates, what the output is read from, where the state "
        "starts, which steps are added up. If another function is meant: reference=None, or an adapter."
    )
    return [Suspect("forward-wrong", Where(None, gate), evidence, hint, lines)]


def _line(mutant: Mutant) -> SourceLine:
    return SourceLine(f"rnn_from_scratch/{mutant.file}:{mutant.line}", mutant.before, mutant.after)


def _gap(mine: Array, losses: Array) -> float:
    """How far losses are from the reference's: each, or each sequence's, or their total."""
    if mine.shape == losses.shape:
        return off(mine, losses)
    if mine.ndim == 1 and losses.ndim == 2:
        return off(mine, losses[-1])
    return off(mine, np.asarray(losses.sum()))


def _explains(other: Other, at: Forward, problem: Problem, mine: Array) -> bool:
    try:
        losses = other.losses(at, problem)
    except Exception:  # an edit that cannot run explains nothing
        return False
    return losses.shape == at.losses.shape and _gap(mine, losses) < SAME


def _factor(
    forwards: Mapping[tuple[int, int], Forward], answers: Mapping[tuple[int, int], Answer]
) -> Suspect | None:
    """Losses that are the reference's times one number, beside a gradient that is, or is not, that number too large."""
    factors = {}
    for sizes, at in forwards.items():
        mine = answers[sizes].losses
        right = at.losses if mine.shape == at.losses.shape else np.asarray(at.losses.sum())
        factor = float(np.vdot(right, mine)) / float(np.vdot(right, right))
        if mine.shape != right.shape or off(mine, factor * right) > SAME:
            return None
        factors[sizes] = factor
    formula = read_factor((factor, forwards[sizes]) for sizes, factor in factors.items())
    if formula is None and max(factors.values()) - min(factors.values()) > SAME * abs(max(factors.values())):
        return None  # any total is a multiple of another, at one point
    name = formula or f"{next(iter(factors.values())):.6g}"
    if abs(next(iter(factors.values())) * np.log(2.0) - 1.0) < SAME:
        name = "1/ln 2 (the logarithm is to base 2)"
    sizes = next(sizes for sizes in SIZES if sizes in forwards)
    truth = gradients(forwards[sizes])
    same = all(off(array, factors[sizes] * truth[key]) < SAME for key, array in answers[sizes].grads.items())
    undivided = all(off(array, truth[key]) < SAME for key, array in answers[sizes].grads.items())
    if same or not undivided:
        beside = "and so are the gradients" if same else "and the gradients are not the reference's either"
        return Suspect(
            "forward-wrong", Where(), f"The losses are the reference's times {name}, {beside}.",
            "The losses of all steps and sequences as they are, not their mean: the total is their sum. "
            "adapters.mean_loss undoes a mean over both.",
        )
    return Suspect(
        "scale", Where(), f"The losses are the reference's times {name}, the gradients are not: beside your losses "
        f"they are {1 / factors[sizes]:.4g} times too large (at T = {sizes[0]}, N = {sizes[1]}).",
        "The division (or the mean) in the loss: the gradient needs the same one.",
    )


def _where_it_begins(
    gaps: Mapping[tuple[int, int], float], forwards: Mapping[tuple[int, int], Forward],
    answers: Mapping[tuple[int, int], Answer],
) -> str:
    sizes = next(sizes for sizes in gaps if gaps[sizes] >= SAME)
    mine, right = answers[sizes].losses, forwards[sizes].losses
    text = f"The losses differ from the reference's by {max(gaps.values()):.2g} (relative)."
    if mine.shape == right.shape:
        apart = np.abs(mine - right) > SAME * np.max(np.abs(right))
        t, n = (int(i) for i in np.argwhere(apart)[0]) if apart.any() else (0, 0)
        text += f" First at step {t + 1} of sequence {n + 1}: yours {mine[t, n]:.6g}, right {right[t, n]:.6g}."
        if not apart[0].any():
            text += " The first step is right."
        elif apart.sum() < apart.size:
            text += f" {int(apart.sum())} of {apart.size} differ."
    fine = [f"T = {T}, N = {N}" for (T, N), gap in gaps.items() if gap < SAME]
    if fine:
        text += f" That is with T = {sizes[0]}, N = {sizes[1]}; they are right with {', and with '.join(fine)}."
    return text


# Other forward passes


def others(cell: Any, at: Forward) -> Iterator[Other]:
    """Yield other forward passes, the likeliest first."""
    yield from _states(cell)
    yield from _cells(cell)
    yield from _gate_orders(cell)
    yield from _readings()
    yield from _sources(cell, at)


def _run(at: Forward, problem: Problem, cell: Any = None, params: Params | None = None, state: Any = None) -> Array:
    point = Point(params or at.params, at.xs, at.targets, state if state is not None else at.state)
    return problem.forward(cell or at.cell, point).losses


def _without(at: Forward, problem: Problem, name: str) -> Array:
    return _run(at, problem, params={**at.params, name: np.zeros_like(at.params[name])})


def _other_target(at: Forward, problem: Problem, by: int) -> Array:
    return problem.loss(at.logits, np.roll(at.targets, -by, axis=0))[0]


def _alone(at: Forward, _: Problem, step: int) -> Array:
    losses: Array = np.zeros_like(at.losses)
    losses[step] = at.losses[step]
    return losses


def _states(cell: Any) -> Iterator[Other]:
    count = len(cell.initial_state(1))
    for chosen in itertools.product((False, True), repeat=count):
        if any(chosen):
            names = " and ".join(name for name, zero in zip(("h_0", "c_0"), chosen, strict=False) if zero)

            def losses(at: Forward, problem: Problem, chosen: tuple[bool, ...] = chosen) -> Array:
                state = tuple(p * 0 if zero else p for p, zero in zip(at.state, chosen, strict=True))
                return _run(at, problem, state=state)

            yield Other(f"{names} starts from zero, not from the state that is handed in", None, losses)

    def reset(at: Forward, problem: Problem) -> Array:
        steps = [slice(t, t + 1) for t in range(len(at.xs))]
        return np.concatenate([_run(at._replace(xs=at.xs[t], targets=at.targets[t]), problem) for t in steps])

    yield Other("every step starts from the initial state: nothing is handed on", None, reset)


def _cells(cell: Any) -> Iterator[Other]:
    D, H = cell.input_size, cell.hidden_size
    if isinstance(cell, GRUCell):

        def other_reset(at: Forward, problem: Problem) -> Array:
            params = dict(at.params)
            if cell.reset_after:
                params.pop("b_hn")
            else:
                params["b_hn"] = np.zeros(H)
            return _run(at, problem, GRUCell(D, H, reset_after=not cell.reset_after), params)

        place = "before" if cell.reset_after else "after"
        yield Other(f"the reset gate stands {place} the matrix product: the other of the two published variants", "r",
                    other_reset)
    if isinstance(cell, RNNCell):
        for name in ACTIVATIONS:
            if name != cell.activation:
                yield Other(f"f is {name}, not {cell.activation}", None, partial(_run, cell=RNNCell(D, H, name)))


def _gate_orders(cell: Any) -> Iterator[Other]:
    gates = gates_of(cell)
    for order in itertools.permutations(range(len(gates))):
        names = "".join(gates[k] for k in order)
        if names == gates:
            continue

        def losses(at: Forward, problem: Problem, order: tuple[int, ...] = order) -> Array:
            params = dict(at.params)
            for name in ("W_xh", "W_hh", "b_h"):
                parts = np.split(params[name], len(order), axis=-1)
                params[name] = np.concatenate([parts[k] for k in order], axis=-1)
            return _run(at, problem, params=params)

        moved = "".join(a for a, b in zip(gates, names, strict=True) if a != b)
        yield Other(f"the blocks of columns are read in another order: {names} stand where {gates} are", moved, losses)
    if "W_hh" in cell.param_shapes():

        def transposed(at: Forward, problem: Problem) -> Array:
            parts = np.split(at.params["W_hh"], max(len(gates), 1), axis=1)
            return _run(at, problem, params={**at.params, "W_hh": np.hstack([part.T for part in parts])})

        yield Other("W_hh is transposed: rows and columns", None, transposed)
    for name in ("b_h", "b_y", "b_hn"):
        if name in cell.param_shapes() or name == "b_y":
            yield Other(f"{name} is left out", None, partial(_without, name=name))


def _readings() -> Iterator[Other]:
    """From the hidden states to the losses."""

    def from_before(at: Forward, problem: Problem) -> Array:
        return problem.loss(at.h_prev @ at.params["W_hy"] + at.params["b_y"], at.targets)[0]

    def from_last(at: Forward, problem: Problem) -> Array:
        logits = np.broadcast_to(at.logits[-1:], at.logits.shape)
        return problem.loss(logits, at.targets)[0]

    def twice(at: Forward, problem: Problem) -> Array:
        return problem.loss(softmax(at.logits), at.targets)[0]

    def squared(at: Forward, _: Problem) -> Array:
        error = softmax(at.logits) - np.eye(at.logits.shape[-1])[at.targets]
        losses: Array = (error * error).sum(axis=-1)
        return losses

    def binary(at: Forward, _: Problem) -> Array:
        losses: Array = at.losses / np.log(2.0)
        return losses

    yield Other("y_t is read from h_{t−1}, not from h_t", None, from_before)
    yield Other("every step's output is read from the last state", None, from_last)
    yield Other("softmax is applied twice", None, twice)
    yield Other("the loss is a squared error of the probabilities", None, squared)
    yield Other("half the squared error of the probabilities is the loss", None, lambda at, p: 0.5 * squared(at, p))
    yield Other("the logarithm is to base 2", None, binary)
    for by, which in ((1, "after"), (-1, "before")):
        yield Other(f"each output is compared with the target of the step {which}", None, partial(_other_target, by=by))
    for n, which in ((0, "first"), (-1, "last")):

        yield Other(f"the {which} step's loss alone counts", None, partial(_alone, step=n))


def _sources(cell: Any, at: Forward) -> Iterator[Other]:
    """Every single edit of the cell's own step and projection."""

    def run(method: Any, name: str, mutant: Mutant) -> Callable[[Forward, Problem], Array]:
        edited = FunctionType(mutant.code, sys.modules[method.__module__].__dict__)

        def losses(at: Forward, problem: Problem) -> Array:
            with np.errstate(all="ignore"):
                return _run(at, problem, _EditedForward(at.cell, name, edited))

        return losses

    weights = at.weights

    def use() -> Any:
        return unroll(cell, weights, at.xs, at.state)

    for name in ("step", "project"):
        method = getattr(type(cell), name)
        for mutant in mutants(method, use):
            target = mutant.before.partition(" = ")[0]
            gate = target if target in tuple(gates_of(cell)) else "c" if target in ("c", "tanh_c", "h") else None
            says = f"{mutant.before} reads {mutant.after}"
            yield Other(says, gate, run(method, name, mutant), mutant)


class _EditedForward:
    """A cell with another step or project."""

    def __init__(self, cell: Any, name: str, function: Callable[..., Any]) -> None:
        self._cell, self._name, self._function = cell, name, function

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            return lambda *arguments: self._function(self._cell, *arguments)
        return getattr(self._cell, name)
