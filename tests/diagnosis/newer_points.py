"""Points for the parts around a plain recurrent network: attention, normalisation, dropout, tokens, translation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from points import Gradients, Point, drawn_params, start

from rnn_from_scratch.arrays import tree_copy
from rnn_from_scratch.layers import AttentionLayer

Maker = Callable[[np.random.Generator], Any]  # draws the sizes of a layer or model


def sizes(rng: np.random.Generator, count: int) -> list[int]:
    return [int(size) for size in rng.integers(1, 5, count)]


def drawn_mask(rng: np.random.Generator, masked: bool, T: int, N: int) -> Any:
    return rng.random((T, N)) < 0.6 if masked else None


def padded(rng: np.random.Generator, array: Any, mask: Any) -> Any:
    """On padding NaN, or what is no token, every other time."""
    if mask is None or rng.random() < 0.5:
        return array
    return np.where(mask, array, -1) if array.ndim == 2 else np.where(mask[..., None], array, np.nan)


def seed_of(rng: np.random.Generator, training: bool) -> Callable[[], dict[str, Any]]:
    """In training every forward gets a new generator of one seed."""
    seed = int(rng.integers(1000))
    return lambda: {"rng": np.random.default_rng(seed)} if training else {}


def comparable(gradients: Any) -> list[Any]:
    """An index has no gradient; what is None there must stay None."""
    return [np.zeros(0) if part is None else part for part in gradients]


def layer_point(make: Maker, masked: bool, training: bool = False) -> Point:
    """For a layer over time or a model of one, of numbers or of tokens, also with a memory."""

    def point(rng: np.random.Generator) -> Gradients:
        layer, (T, N, S) = make(rng), sizes(rng, 3)
        mask, drawn = drawn_mask(rng, masked, T, N), seed_of(rng, training)
        tokens = hasattr(layer, "vocabulary_size")
        xs = rng.integers(0, layer.vocabulary_size, (T, N)) if tokens else rng.normal(size=(T, N, layer.input_size))
        xs, params = padded(rng, xs, mask), drawn_params(rng, layer)
        shapes = layer.memory_shapes(S, N) if hasattr(layer, "memory_shapes") else {}
        memory_mask = drawn_mask(rng, masked and bool(shapes), S, N)
        for name, shape in shapes.items():
            params[name] = padded(rng, rng.normal(size=shape), memory_mask)
        if memory_mask is not None:
            params["memory_mask"] = memory_mask
        state, dfinal = start(rng, layer, xs), start(rng, layer, xs)
        ys = layer.forward(params, xs, state, mask, **drawn())[0]
        dys = rng.normal(0.0, 0.7, ys.shape)
        if mask is not None and ys.ndim == 3 and not ys[~mask].any():
            dys = padded(rng, dys, mask)

        def gradients() -> Any:
            at = tree_copy(params)
            _, _, cache = layer.forward(at, xs.copy(), tree_copy(state), mask, **drawn())
            return [
                comparable(layer.backward(at, dys.copy(), cache, after)) for after in (tree_copy(dfinal), None)
            ]

        return gradients

    return point


def plain_point(make: Maker, training: bool = False) -> Point:
    """For a layer without a state, on (T, N, ·) and (N, ·); an embedding on (T, N) and (N,)."""

    def point(rng: np.random.Generator) -> Gradients:
        layer, leading, drawn = make(rng), sizes(rng, 2), seed_of(rng, training)
        if hasattr(layer, "vocabulary_size"):
            xs = rng.integers(0, layer.vocabulary_size, leading)
        else:
            xs = rng.normal(size=(*leading, getattr(layer, "input_size", 3)))
        params = drawn_params(rng, layer)
        given = [xs] if getattr(layer, "over_time", False) else [xs, xs[0]]
        dys = [rng.normal(0.0, 0.7, layer.forward(params, x, **drawn())[0].shape) for x in given]

        def gradients() -> Any:
            at = tree_copy(params)
            return [
                comparable(layer.backward(at, dy.copy(), layer.forward(at, x.copy(), **drawn())[1]))
                for x, dy in zip(given, dys, strict=True)
            ]

        return gradients

    return point


def attention_point(make: Maker, masked: bool) -> Point:
    def point(rng: np.random.Generator) -> Gradients:
        layer, (T, N, S) = AttentionLayer(make(rng)), sizes(rng, 3)
        masks = drawn_mask(rng, masked, T, N), drawn_mask(rng, masked, S, N)
        queries = padded(rng, rng.normal(size=(T, N, layer.attention.query_size)), masks[0])
        memory = padded(rng, rng.normal(size=(S, N, layer.attention.memory_size)), masks[1])
        params = drawn_params(rng, layer)
        dcontexts = padded(rng, rng.normal(size=(T, N, layer.attention.memory_size)), masks[0])

        def gradients() -> Any:
            at = tree_copy(params)
            _, cache = layer.forward(at, queries.copy(), memory.copy(), *masks)
            return layer.backward(at, dcontexts.copy(), cache)

        return gradients

    return point


def translation_point(make: Maker, masked: bool, training: bool = False) -> Point:
    def point(rng: np.random.Generator) -> Gradients:
        model, (T, N, S) = make(rng), sizes(rng, 3)
        masks, drawn = (drawn_mask(rng, masked, S, N), drawn_mask(rng, masked, T, N)), seed_of(rng, training)
        sources = padded(rng, rng.integers(0, model.source_size, (S, N)), masks[0])
        targets = padded(rng, rng.integers(0, model.target_size, (T, N)), masks[1])
        params, dlogits = drawn_params(rng, model), rng.normal(0.0, 0.7, (T, N, model.target_size))

        def gradients() -> Any:
            at = tree_copy(params)
            _, _, cache = model.forward(at, sources.copy(), targets.copy(), *masks, **drawn())
            return model.backward(at, dlogits.copy(), cache)

        return gradients

    return point
