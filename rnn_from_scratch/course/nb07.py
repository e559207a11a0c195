"""Exercises of notebook 07: clip the gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array, Params, global_norm, leaves, tree_map
from ..cells import RNNCell
from ..data import lamp
from ..layers import Recurrent
from ..models import SequenceModel
from ..optim import clip_as_printed, clip_by_global_norm, clip_by_norm, clip_by_value
from .marking import Exercise

_TWO = {"W": np.array([3.0, 4.0]), "b": np.array([12.0])}
_EDGE = np.array([0.5, -0.5, 0.6, -2.0])
_TURN = np.array([4.0, 3.0])


def _flat(tree: Any) -> Array:
    return np.concatenate([array.ravel() for _, array in leaves(tree)])


def _lamp_gradient() -> Params:
    example = lamp()
    model = SequenceModel(Recurrent(RNNCell(1, 1)), 1, task="regression")
    return model.loss_and_grads(example.params, example.xs, example.targets, example.state)[1]


def _cosine(after: Array) -> float:
    return float(_TURN @ after / (np.linalg.norm(_TURN) * np.linalg.norm(after)))


def _cases() -> list[tuple[Params, float]]:
    """Gradients above, below and exactly at C, and all zero."""
    first = {"W": np.array([[3.0, -4.0], [0.5, 2.0]]), "b": np.array([12.0, -1.0])}
    return [
        (first, 6.5), (first, 20.0), ({"W": np.array([3.0]), "b": np.array([4.0])}, 5.0),
        ({"W": np.zeros((2, 2)), "b": np.zeros(2)}, 1.0),
    ]


def _prove_clip(function: Callable[[Params, float], Any]) -> str | None:
    for grads, C in _cases():
        given = tree_map(np.copy, grads)
        with np.errstate(all="ignore"):
            returned = function(given, C)
        if not isinstance(returned, tuple) or len(returned) != 2 or not isinstance(returned[0], dict):
            return "It should return two things: a dictionary of arrays, and the norm before."
        clipped, norm = returned
        if set(clipped) != set(grads):
            return f"It returns the keys {sorted(clipped)}, and should return {sorted(grads)}."
        if set(given) != set(grads) or not all(np.array_equal(given[name], grads[name]) for name in grads):
            return "It changes what is passed in: the caller's gradient is spoilt. Return new arrays."
        clipped = {name: np.asarray(array) for name, array in clipped.items()}
        if any(clipped[name].shape != grads[name].shape for name in grads):
            return "An array comes back with another shape."
        if any(array.dtype.kind not in "iuf" for array in clipped.values()):
            return "The dictionary should hold arrays of numbers."
        if not all(np.isfinite(array).all() for array in clipped.values()):
            return "A gradient of zeros comes back as NaN: 0 / 0. Divide only where the norm is above C."
        expected, norm_before = clip_by_global_norm(grads, C)
        if not np.allclose(_flat(clipped), _flat(expected), rtol=1e-6, atol=0):  # PyTorch divides by ‖g‖ + 1e-6
            return _named(clipped, grads, C)
        if np.asarray(norm).dtype.kind not in "iuf":
            return "The gradients are right. The second thing returned should be a number, the norm before clipping."
        if np.size(norm) != 1 or not np.isclose(float(np.squeeze(norm)), norm_before, rtol=1e-6):
            return f"The gradients are right. The norm returned is {norm}, and should be the one before clipping."
    return None


def _named(clipped: Params, grads: Params, C: float) -> str:
    got, norm = _flat(clipped), global_norm(grads)
    flat = _flat(grads)
    sum_of_norms = sum(global_norm(array) for array in grads.values())
    typical = {
        "by norm for each array on its own: sum the squares over all arrays first.": _flat(clip_by_norm(grads, C)[0]),
        "by value, entry by entry.": _flat(clip_by_value(grads, C)[0]),
        "the article's formula as printed.": _flat(clip_as_printed(grads, C)[0]),
        "g / ‖g‖ without C: the clipped norm must be C, not 1.": flat / norm if norm > C else flat,
        "g scaled to C always: a gradient within C stays as it is.": flat * C / norm if norm else flat,
        "not clipped at all.": flat,
        "divided by ‖g‖²: the root is missing.": flat * C / norm**2 if norm**2 > C else flat,
        "scaled by the sum of the arrays' norms: sum their squares, and take one root.": flat * C / sum_of_norms
        if sum_of_norms > C else flat,
    }
    for says, wrong in typical.items():
        if np.allclose(got, wrong, rtol=1e-10, atol=0):
            return f"That is {says}"
    return f"With a norm of {norm:.4g} and C = {C:g} the clipped norm is {np.linalg.norm(got):.4g}."


def _without_c(grads: Params, C: float) -> tuple[Params, float]:
    norm = global_norm(grads)
    return tree_map(lambda g: g / norm if norm > C else np.array(g), grads), norm


def _always(grads: Params, C: float) -> tuple[Params, float]:
    norm = global_norm(grads)
    return tree_map(lambda g: g * C / norm if norm else np.array(g), grads), norm


def _in_place(grads: Params, C: float) -> tuple[Params, float]:
    norm = global_norm(grads)
    for g in grads.values():
        g *= min(1.0, C / max(norm, 1e-12))
    return grads, norm


def _zero_by_zero(grads: Params, C: float) -> tuple[Params, float]:
    norm = np.float64(global_norm(grads))
    return tree_map(lambda g: g * np.minimum(1.0, C / norm) if norm else g / norm, grads), float(norm)


def _norm_after(grads: Params, C: float) -> tuple[Params, float]:
    clipped, _ = clip_by_global_norm(grads, C)
    return clipped, global_norm(clipped)


def _unclipped(grads: Params, C: float) -> tuple[Params, float]:  # noqa: ARG001 - a student's signature
    return tree_map(np.array, grads), global_norm(grads)


EXERCISES: dict[str, Exercise] = {
    "07-lamp": Exercise(
        title="The lamp's gradient by value, C = 0.4",
        expected=lambda: _flat(clip_by_value(_lamp_gradient(), 0.4)[0]),
        wrong={
            "the formula as printed: ±1 where C·sign(g) belongs.":
                lambda: _flat(clip_as_printed(_lamp_gradient(), 0.4)[0]),
            "by norm: all entries scaled. By value each entry is asked on its own.":
                lambda: _flat(clip_by_global_norm(_lamp_gradient(), 0.4)[0]),
            "every entry set to ±C: an entry within C stays.": lambda: 0.4 * np.sign(_flat(_lamp_gradient())),
            "without the minus signs: clipping keeps them.":
                lambda: np.abs(_flat(clip_by_value(_lamp_gradient(), 0.4)[0])),
            "the gradient as it was: two of its entries are above 0.4 in size.": lambda: _flat(_lamp_gradient()),
            "clipped with C = 0.3: here it is 0.4.": lambda: _flat(clip_by_value(_lamp_gradient(), 0.3)[0]),
        },
        hint="An entry above C in size becomes C with its sign.",
    ),
    "07-global": Exercise(
        title="By global norm over two arrays",
        expected=lambda: clip_by_global_norm(_TWO, 6.5)[0]["b"],
        wrong={
            "b clipped on its own: the norm is that of all three numbers.": lambda: clip_by_norm(_TWO, 6.5)[0]["b"],
            "scaled to norm 1: C is 6.5.": 12 / 13,
            "divided by the norm of W alone.": 12 * 6.5 / 5,
            "not clipped: the norm of all three numbers is 13, above C.": 12.0,
            "the factor: multiply ∂L/∂b by it.": 0.5,
            "divided by the sum 3 + 4 + 12: a norm is the root of the sum of squares.": 12 * 6.5 / 19,
        },
        hint="There is one factor for both arrays.",
    ),
    "07-exactly": Exercise(
        title="As printed, exactly at C",
        expected=lambda: clip_as_printed({"w": _EDGE}, 0.5)[0]["w"],
        wrong={
            "C·sign(g): that is what the formula should say. As printed it is sign(g).":
                lambda: clip_by_value({"w": _EDGE}, 0.5)[0]["w"],
            "< in place of ≤: an entry of exactly C stays.": np.array([1.0, -1.0, 1.0, -1.0]),
            "without the minus signs.": np.array([0.5, 0.5, 1.0, 1.0]),
            "without the last minus sign: sign(−2) is −1.": np.array([0.5, -0.5, 1.0, 1.0]),
            "the clip by norm: here every entry is asked by itself.":
                lambda: clip_by_norm({"w": _EDGE}, 0.5)[0]["w"],
            "what was given: 0.6 and −2 are above C.": _EDGE,
            "with zero for what is too large: as printed it is sign(g).": np.array([0.5, -0.5, 0.0, 0.0]),
        },
        hint="Is 0.5 ≤ 0.5?",
    ),
    "07-turn": Exercise(
        title="The cosine after clipping by value",
        expected=lambda: _cosine(clip_by_value({"w": _TURN}, 3.0)[0]["w"]),
        wrong={
            "1, as if the direction were kept: that is the clip by norm.": 1.0,
            "the angle: asked for is its cosine.": lambda: np.arccos(_cosine(clip_by_value({"w": _TURN}, 3.0)[0]["w"])),
            "the product without its division by both norms.": 21.0,
            "divided by ‖g‖ alone.": 21 / 5,
            "divided by ‖g‖ twice: the clipped gradient has another norm.": 21 / 25,
            "the angle in degrees, not its cosine.": lambda: np.rad2deg(np.arccos(21 / (5 * np.hypot(3, 3)))),
        },
        hint="Before (4, 3), after (3, 3).",
    ),
    "07-write": Exercise(
        title="Clip by global norm",
        points=3,
        prove=_prove_clip,
        wrong={
            "by norm for each array on its own: sum the squares over all arrays first.": clip_by_norm,
            "by value, entry by entry.": clip_by_value,
            "the article's formula as printed.": clip_as_printed,
            "g / ‖g‖ without C: the clipped norm must be C, not 1.": _without_c,
            "g scaled to C always: a gradient within C stays as it is.": _always,
            "not clipped at all.": _unclipped,
            "It changes what is passed in": _in_place,
            "A gradient of zeros comes back as NaN": _zero_by_zero,
            "should be the one before clipping": _norm_after,
        },
    ),
}
