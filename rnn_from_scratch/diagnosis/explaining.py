"""What stands at the end of a check that failed: the diagnosis of the code under test, where one can be made.

A cell, a layer or a pair of step functions is put under an output layer and a loss of ours, which makes the function
that `diagnose` takes. Where its forward pass is that of a cell of this package, that cell is the reference; otherwise
the generic tiers are left.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..activations import ACTIVATIONS
from ..arrays import Array, Params, State
from ..bptt import unroll, unroll_backward
from ..cells import (
    CoupledLSTMCell,
    GRUCell,
    GRUDCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LowRankRNNCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
)
from .naming.problem import Problem
from .naming.recipe import case
from .naming.reference import STATES, cross_entropy
from .suite import returned

SAME = 1e-9
STEPS, BATCH = 3, 2

Forward = Callable[[Params, Array, State], tuple[Array, Any]]  # (weights, xs, state) -> hs, cache
Backward = Callable[[Params, Array, Any], tuple[Array, State, Params]]  # (weights, dhs, cache) -> dxs, dstate, grads


class _Sizes:
    """What `diagnose` needs to know of something that is no cell of the package."""

    def __init__(self, input_size: int, hidden_size: int, shapes: Mapping[str, Any], state: Callable[[int], State]):
        self.input_size, self.hidden_size, self._shapes, self.initial_state = input_size, hidden_size, shapes, state

    def param_shapes(self) -> Mapping[str, Any]:
        """Return the shapes of the parameters by name."""
        return self._shapes


def explain_cell(cell: Any, *_: Any, **__: Any) -> str:
    """Return the diagnosis of a cell that `check_cell` refused."""

    def forward(weights: Params, xs: Array, state: State) -> tuple[Array, Any]:
        hs, _, caches = unroll(cell, weights, xs, state)
        return hs, (xs, caches)

    def backward(weights: Params, dhs: Array, cache: Any) -> tuple[Array, State, Params]:
        xs, caches = cache
        dstates, deltas = unroll_backward(cell, weights, dhs, caches)
        dxs, grads = cell.param_grads(weights, xs, caches, deltas)
        return dxs, dstates[0], grads

    return _explained(_sizes_of(cell), forward, backward)


def explain_layer(layer: Any, *_: Any, training: bool = False, **__: Any) -> str:
    """Return the diagnosis of a layer over time that `check_layer` refused (none for dropout in training)."""
    if training or not all(hasattr(layer, name) for name in ("initial_state", "input_size", "hidden_size")):
        return ""

    def forward(weights: Params, xs: Array, state: State) -> tuple[Array, Any]:
        hs, _, cache = returned(layer.forward(weights, xs, state), "forward", "(outputs, final_state, cache)", 3)
        return hs, cache

    def backward(weights: Params, dhs: Array, cache: Any) -> tuple[Array, State, Params]:
        dxs, dstate, grads = returned(layer.backward(weights, dhs, cache), "backward", "(dxs, dstate, grads)", 3)
        return dxs, dstate, grads

    return _explained(_sizes_of(layer), forward, backward)


def explain_step(
    forward: Callable[..., Array], backward: Callable[..., Any], shapes: Mapping[str, tuple[int, ...]], *,
    input_size: int = 3, hidden_size: int = 4, **_: Any,
) -> str:
    """Return the diagnosis of two step functions that `check_step` refused: they are unrolled over time."""
    names = _names(shapes, input_size, hidden_size)

    def own(weights: Params) -> Params:
        return {name: weights[ours] for name, ours in names.items()}

    def unrolled(weights: Params, xs: Array, state: State) -> tuple[Array, Any]:
        h, hs = state[0], []
        for x in xs:
            h = forward(own(weights), x, h)
            hs.append(h)
        return np.stack(hs), (xs, [state[0], *hs[:-1]])

    def back(weights: Params, dhs: Array, cache: Any) -> tuple[Array, State, Params]:
        xs, before = cache
        carry, dxs = np.zeros_like(dhs[0]), []
        total = {ours: np.zeros_like(weights[ours]) for ours in names.values()}
        for x, h_prev, dh in zip(xs[::-1], before[::-1], dhs[::-1], strict=True):
            answer = backward(own(weights), x, h_prev, dh + carry)
            dx, carry, grads = returned(answer, "backward", "(dx, dh_prev, grads)", 3)
            dxs.append(dx)
            for name, ours in names.items():
                total[ours] = total[ours] + grads[name]
        return np.stack(dxs[::-1]), (carry,), total

    sizes = _Sizes(input_size, hidden_size, {ours: shapes[name] for name, ours in names.items()}, lambda N: (
        np.zeros((N, hidden_size)),))
    text = _explained(sizes, unrolled, back)
    other = [f"{ours} is your {name}" for name, ours in names.items() if name != ours]
    return text + (f"\n(Here {', '.join(other)}.)" if text and other else "")


def _names(shapes: Mapping[str, tuple[int, ...]], D: int, H: int) -> dict[str, str]:
    """Match a student's names with the package's by shape, where one cell's shapes are just these."""
    for cell in _candidates(D, H, 1):
        wanted = dict(cell.param_shapes())
        by_shape = {shape: name for name, shape in wanted.items()}
        if len(by_shape) == len(wanted) and sorted(map(tuple, shapes.values())) == sorted(by_shape):
            return {name: by_shape[tuple(shape)] for name, shape in shapes.items()}
    return {name: name for name in shapes}


def _sizes_of(thing: Any) -> Any:
    """Return sizes and shapes of a cell or layer; None where its parameters are no flat dictionary."""
    if hasattr(thing, "memory_shapes") and thing.memory_shapes(2, 2):
        return None
    if hasattr(thing, "param_shapes"):
        shapes = dict(thing.param_shapes())
    else:
        shapes = {name: np.shape(array) for name, array in thing.init_params(rng=np.random.default_rng(0)).items()}
    if not all(isinstance(shape, tuple) for shape in shapes.values()):
        return None
    return _Sizes(thing.input_size, thing.hidden_size, shapes, thing.initial_state)


def _fits(sizes: Any, forward: Forward) -> bool:
    """True where states and outputs are (N, H), as the output layer and the points of `diagnose` need them."""
    if {"W_hy", "b_y"} & set(sizes.param_shapes()):
        return False
    H = sizes.hidden_size
    state = sizes.initial_state(BATCH)
    if not isinstance(state, tuple) or not 1 <= len(state) <= len(STATES) or any(
        np.shape(part) != (BATCH, H) for part in state
    ):
        return False
    zeros = {name: np.zeros(tuple(shape)) for name, shape in sizes.param_shapes().items()}
    return np.shape(forward(zeros, np.zeros((STEPS, BATCH, sizes.input_size)), state)[0]) == (STEPS, BATCH, H)


def _candidates(D: int, H: int, parts: int) -> list[Any]:
    """The package's cells of these sizes whose state has as many parts."""
    ranks = range(1, H + 1)
    cells: list[Any] = [
        *(kind(D, H, name) for kind, name in itertools.product((RNNCell, IndRNNCell), ACTIVATIONS)),
        *(LowRankRNNCell(D, H, rank, name) for rank, name in itertools.product(ranks, ACTIVATIONS)),
        *(LowRankLSTMCell(D, H, rank) for rank in ranks),
        GRUCell(D, H), GRUCell(D, H, reset_after=False), LSTMCell(D, H), LSTMCell(D, H, peepholes=True),
        CoupledLSTMCell(D, H), LayerNormLSTMCell(D, H), MinGRUCell(D, H), MinLSTMCell(D, H),
        *([GRUDCell(D, H)] if D % 3 == 0 else []),
    ]
    return [cell for cell in cells if len(cell.initial_state(1)) == parts]


def _explained(sizes: Any, forward: Forward, backward: Backward) -> str:
    try:
        if sizes is None or not _fits(sizes, forward):
            return ""
    except Exception:  # the check has told that already
        return ""

    def loss_and_grads(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
        weights = {name: array for name, array in params.items() if name not in ("W_hy", "b_y")}
        hs, cache = forward(weights, xs, state)
        losses, dlogits = cross_entropy(hs @ params["W_hy"] + params["b_y"], targets)
        dxs, dstate, grads = backward(weights, dlogits @ params["W_hy"].T, cache)
        rows = dlogits.reshape(-1, dlogits.shape[-1])
        outer = {"W_hy": hs.reshape(-1, hs.shape[-1]).T @ rows, "b_y": rows.sum(axis=0)}
        return losses, {**outer, **grads, "xs": dxs, **dict(zip(STATES, dstate, strict=False))}

    reference = _reference(sizes, forward)
    problem = Problem(input_size=sizes.input_size)
    found = case(loss_and_grads, sizes if reference is None else reference, problem, np.random.default_rng(0))
    if not found.ok:
        return f"Diagnosis, under an output layer and a cross-entropy of ours\n{found}"
    return (
        "Diagnosis: with a loss at the outputs alone, and without a mask, its gradients are right. Look at what the\n"
        "check above does besides: a mask, a gradient of the final state, a second backward, arrays written to."
    )


def _reference(sizes: Any, forward: Forward) -> Any:
    """Return the package's cell that computes the same outputs, or None."""
    rng = np.random.default_rng(1)
    shapes = {name: tuple(shape) for name, shape in sizes.param_shapes().items()}
    state = tuple(rng.standard_normal(part.shape) for part in sizes.initial_state(BATCH))
    weights = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    xs = rng.standard_normal((STEPS, BATCH, sizes.input_size))
    try:
        mine = forward(weights, xs, state)[0]
    except Exception:  # the check has told that already
        return None
    for cell in _candidates(sizes.input_size, sizes.hidden_size, len(state)):
        if dict(cell.param_shapes()) == shapes:
            hs, _, _ = unroll(cell, weights, xs, state)
            if np.shape(mine) == hs.shape and np.max(np.abs(hs - mine)) < SAME:
                return cell
    return None
