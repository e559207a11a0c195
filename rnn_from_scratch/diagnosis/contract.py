"""The form of a cell's answers: one step forward and back, before any number is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..arrays import Array, State, Tree, leaves, tree_copy, tree_map
from ..bptt import unroll, unroll_backward
from .probe import Probe, random_like
from .rules import SAME, changed, distance
from .suite import BrokenError, array_of, described, returned, students

CELL = ("input_size", "hidden_size", "init_params", "initial_state", "project", "step", "step_backward", "param_grads")


def keeps_form(cell: Any, probe: Probe) -> None:
    """Raise BrokenError in plain words where an answer of a cell does not have the contract's form."""
    params, xs, state = probe.params, probe.xs, probe.state
    with students():
        if hasattr(cell, "param_shapes"):
            shapes = _flat(cell.param_shapes())
            made = {path: np.shape(array) for path, array in leaves(params) if path not in probe.memory_names}
            if made != shapes:
                raise BrokenError(f"init_params makes {made}, and param_shapes says {shapes}")
        for part in cell.initial_state(len(state[0]), np.float32):
            if np.issubdtype(part.dtype, np.floating) and part.dtype != np.float32:
                raise BrokenError(f"initial_state ignores its dtype: asked for float32 it returns {part.dtype}")
        x_proj = cell.project(params, xs)
        fits = x_proj.shape[:2] == xs.shape[:2] if isinstance(x_proj, np.ndarray) else _is_list(x_proj, len(xs))
        if not fits:
            raise BrokenError(f"project must return an array (T, N, ·) or a list of T, got {described(x_proj)}")
        after, cache = returned(cell.step(params, x_proj[0], state), "step", "((h, …), cache)", 2)
        _like_state(after, state, "step", "((h, …), cache)")
        back = cell.step_backward(params, random_like(state, np.random.default_rng(0)), cache)
        before, delta = returned(back, "step_backward", "((dh_prev, …), delta)", 2)
        _like_state(before, state, "step_backward", "((dh_prev, …), delta)")
        dxs, grads = returned(cell.param_grads(params, xs[:1], [cache], [delta]), "param_grads", "(dxs, grads)", 2)
        array_of(dxs, "param_grads' dxs", xs[:1].shape)
        if not isinstance(grads, dict):
            raise BrokenError(f"param_grads' grads must be a dictionary of arrays, got {described(grads)}")


def _flat(shapes: Mapping[str, Any], path: str = "") -> dict[str, tuple[int, ...]]:
    """Return nested shapes under the names that `leaves` gives: {"cell": {"b_h": (4,)}} as {"cell.b_h": (4,)}."""
    flat: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        flat |= _flat(shape, f"{path}{name}.") if isinstance(shape, Mapping) else {f"{path}{name}": tuple(shape)}
    return flat


def _is_list(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length


def _like_state(value: Any, state: State, what: str, expected: str) -> None:
    returned(value, what, f"{expected}, its first a tuple like the state", len(state))
    for index, (part, like) in enumerate(zip(value, state, strict=True)):
        array_of(part, f"entry {index} of {what}'s first result", like.shape)


def check_linear(cell: Any, probe: Probe, rng: np.random.Generator) -> list[str]:
    """One step writes into nothing it is handed; its backward is linear in dstate, each row of the batch on its own.

    Delta is the cell's own and never looked into: what comes of it is seen through param_grads.
    """
    findings: list[str] = []

    def unharmed(name: str, call: Callable[..., Any], *arguments: Any) -> Any:
        handed = [array for _, array in leaves(arguments) if isinstance(array, np.ndarray)]
        before, lengths = tree_copy(handed), [len(part) for part in arguments if isinstance(part, list)]
        result = call(*arguments)
        findings.extend(changed([handed], [before], [f"an argument of {name}"]))
        if lengths != [len(part) for part in arguments if isinstance(part, list)]:
            findings.append(f"a list handed to {name} changed its length: nothing passed in may be written to")
        return result

    params, xs, state = probe.params, probe.xs, probe.state
    x_proj = unharmed("project", cell.project, params, xs)
    _, cache = unharmed("step", cell.step, params, x_proj[0], state)
    first, second = random_like(state, rng), random_like(state, rng)

    def back(dstate: State) -> tuple[State, Array, Tree]:
        before, delta = unharmed("step_backward", cell.step_backward, params, tree_copy(dstate), cache)
        return before, *unharmed("param_grads", cell.param_grads, params, xs[:1], [cache], [delta])

    mixed = back(tree_map(lambda a, b: 2.0 * a - 3.0 * b, first, second))
    if distance(mixed, tree_map(lambda a, b: 2.0 * a - 3.0 * b, back(first), back(second))) > 1e-10:
        findings.append("step_backward is not linear in dstate: masks and the time loop rely on it")

    def without_row(array: Array) -> Array:
        return np.concatenate([np.zeros_like(array[:1]), array[1:]])

    before, dxs, _ = back(first)
    before_without, dxs_without, _ = back(tree_map(without_row, first))
    rows, rows_without = [before, dxs[0]], [before_without, dxs_without[0]]
    if distance(rows_without, tree_map(without_row, rows)) > SAME:
        findings.append("step_backward mixes the rows of the batch: row 0's gradient reaches other rows")

    hs, _, caches = unroll(cell, params, xs, state)
    _, deltas = unroll_backward(cell, params, random_like(hs, rng), caches)
    unharmed("param_grads", cell.param_grads, params, xs, caches, deltas)
    return findings
