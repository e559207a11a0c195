"""Where a mutant is judged without the suite: gradients at random points, sizes drawn anew (equal ones and 1 included).

A point is drawn once. What it returns computes every gradient there, forward pass and all, from copies of its own: a
mutant that writes where it should not spoils no later one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_from_scratch.activations import ACTIVATIONS
from rnn_from_scratch.arrays import leaves, tree_copy
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.layers import Dense, Recurrent
from rnn_from_scratch.models import SequenceModel, truncated_bptt

MODELS = list(itertools.product(ACTIVATIONS, ("classification", "regression"), ("many-to-many", "many-to-one")))
Gradients = Callable[[], Any]
Point = Callable[[np.random.Generator], Gradients]


def draw(rng: np.random.Generator, tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: draw(rng, child) for key, child in tree.items()}
    return rng.normal(0.0, 0.7, np.shape(tree))


def drawn_params(rng: np.random.Generator, thing: Any) -> Any:
    return draw(rng, thing.init_params(rng=rng))


def sequence(rng: np.random.Generator, masked: bool) -> tuple[int, int, Any, Any]:
    """Return D, H, inputs and a mask, under which they may be NaN."""
    T, N, D, H = (int(size) for size in rng.integers(1, 5, 4))
    xs = rng.normal(size=(T, N, D))
    mask = rng.random((T, N)) < 0.6 if masked else None
    if masked and rng.random() < 0.5:
        xs = np.where(mask[..., None], xs, np.nan)
    return D, H, xs, mask


def start(rng: np.random.Generator, thing: Any, xs: Any) -> Any:
    return tuple(rng.normal(size=part.shape) for part in thing.initial_state(xs.shape[1]))


def cell_point(kind: Callable[[int, int], Any], masked: bool, columns: int = 1) -> Point:
    """A point of a cell; `columns` for each of its D features (a GRU-D reads three)."""

    def point(rng: np.random.Generator) -> Gradients:
        D, H, xs, mask = sequence(rng, masked)
        xs = np.concatenate([xs, *(rng.normal(size=xs.shape) for _ in range(columns - 1))], axis=-1)
        layer = Recurrent(kind(columns * D, H), engine="stepwise")  # a kernel would run none of the cell's own lines
        params, state = drawn_params(rng, layer), start(rng, layer, xs)
        dhs, dfinal = rng.normal(0.0, 0.7, (*xs.shape[:2], H)), start(rng, layer, xs)

        def gradients() -> Any:
            at = tree_copy(params)
            _, _, cache = layer.forward(at, xs.copy(), tree_copy(state), mask)
            return [layer.backward(at, dhs.copy(), cache, tree_copy(dfinal)), layer.backward(at, dhs.copy(), cache)]

        return gradients

    return point


def dense_point(rng: np.random.Generator) -> Gradients:
    sizes = rng.integers(1, 6, 4)
    layer = Dense(int(sizes[2]), int(sizes[3]))
    params, xs, dys = drawn_params(rng, layer), rng.normal(size=sizes[:3]), rng.normal(size=(*sizes[:2], sizes[3]))

    def gradients() -> Any:
        at = tree_copy(params)
        return [layer.backward(at, d.copy(), layer.forward(at, x.copy())[1]) for x, d in ((xs, dys), (xs[0], dys[0]))]

    return gradients


def model_of(number: int, D: int, H: int, K: int, outputs: str | None = None) -> SequenceModel:
    activation, task, own_outputs = MODELS[number % len(MODELS)]
    return SequenceModel(Recurrent(RNNCell(D, H, activation)), K, task, outputs or own_outputs)


def leading_of(model: SequenceModel, xs: Any) -> Any:
    return xs.shape[:2] if model.outputs == "many-to-many" else xs.shape[1:2]


def drawn_targets(rng: np.random.Generator, model: SequenceModel, leading: Any) -> Any:
    K = model.output_size
    return rng.normal(size=(*leading, K)) if model.task == "regression" else rng.integers(0, K, leading)


def model_point(number: int, masked: bool) -> Point:
    def point(rng: np.random.Generator) -> Gradients:
        D, H, xs, mask = sequence(rng, masked)
        model = model_of(number, D, H, int(rng.integers(2, 5)))
        params, state, dfinal = drawn_params(rng, model), start(rng, model, xs), start(rng, model, xs)
        dlogits = rng.normal(0.0, 0.7, (*leading_of(model, xs), model.output_size))

        def gradients() -> Any:
            at = tree_copy(params)
            _, _, cache = model.forward(at, xs.copy(), tree_copy(state), mask)
            return [model.backward(at, dlogits.copy(), cache, after) for after in (None, tree_copy(dfinal))]

        return gradients

    return point


def model_loss_point(number: int, masked: bool) -> Point:
    def point(rng: np.random.Generator) -> Gradients:
        D, H, xs, mask = sequence(rng, masked)
        model = model_of(number, D, H, int(rng.integers(2, 5)))
        params, state, leading = drawn_params(rng, model), start(rng, model, xs), leading_of(model, xs)
        targets, own = drawn_targets(rng, model, leading), rng.random(leading) < 0.5

        def gradients() -> Any:
            at, x, h = tree_copy(params), xs.copy(), tree_copy(state)
            return [
                model.loss_and_grads(at, x, targets.copy(), h, mask)[1],
                model.loss_and_grads(at, x, targets.copy(), None, mask, own)[1],
                model.loss_and_grads(at, x, targets.copy(), h, mask, divide_by=3.0)[1],
            ]

        return gradients

    return point


def window_point(number: int, masked: bool) -> Point:
    def point(rng: np.random.Generator) -> Gradients:
        D, H, xs, mask = sequence(rng, masked)
        k1 = int(rng.integers(1, 4))
        model = model_of(number, D, H, int(rng.integers(2, 5)), "many-to-many")
        params, state, leading = drawn_params(rng, model), start(rng, model, xs), xs.shape[:2]
        targets, own = drawn_targets(rng, model, leading), rng.random(leading) < 0.5
        k2 = k1 + int(rng.integers(0, 3))
        more = [(state, mask), (state, mask, own), (None, mask)][rng.integers(3)]

        def gradients() -> Any:
            at, beside = tree_copy(params), [tree_copy(part) if part is not None else None for part in more]
            return [result.grads for result in truncated_bptt(model, at, xs.copy(), targets.copy(), k1, k2, *beside)]

        return gradients

    return point


def loss_point(loss: Any, kind: str, masked: bool) -> Point:
    def point(rng: np.random.Generator) -> Gradients:
        T, N, K = rng.integers(1, 5, 3)
        predictions = 2.0 * rng.normal(size=(T, N, K))
        mask = rng.random((T, N)) < 0.5 if masked else None
        if masked and rng.random() < 0.5:
            predictions = np.where(mask[..., None], predictions, np.nan)
        indices = rng.integers(0, K, (T, N))
        targets = {"indices": indices, "one-hot": np.eye(K)[indices], "numbers": rng.normal(size=(T, N, K))}[kind]
        return lambda: [loss(predictions.copy(), targets.copy(), mask, divisor)[1] for divisor in (None, 2.5)]

    return point


def activation_point(function: Any, derivative: Any) -> Point:
    def point(rng: np.random.Generator) -> Gradients:
        z = 2.0 * rng.normal(size=rng.integers(1, 6, 2))
        return lambda: derivative(function(z.copy()))

    return point


def same(first: Any, second: Any) -> bool:
    """Tell whether two trees of gradients agree, array by array."""
    one, two = dict(leaves(first)), dict(leaves(second))
    if set(one) != set(two):
        return False
    for name, wanted in one.items():
        got = two[name]
        if np.shape(got) != np.shape(wanted):
            return False
        if np.asarray(got).size and not np.max(np.abs(got - wanted)) <= 1e-9 * max(1.0, np.max(np.abs(wanted))):
            return False
    return True
