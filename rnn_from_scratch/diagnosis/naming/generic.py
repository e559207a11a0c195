"""The generic tiers' truth: differences of the student's own losses, for a forward pass that is not known."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import Array
from .labels import SIZES as LETTERS
from .labels import Bench
from .reference import STATES, Forward, Point, blocks, gates_of
from .student import Answer, BrokenAnswerError, Student

STEP = 1e-5
NOTHING = 1e-8  # of the largest derivative: what rounding makes of a zero


def numeric_bench(student: Student, point: Point, answer: Answer, cell: Any) -> Bench | None:
    """Return central differences of every loss with respect to every array that has a gradient, by step and sequence.

    One nudge of a parameter moves all losses at once, so the gradient of each step's and each sequence's own loss costs
    nothing more. None where the function fails beside the point.
    """
    parts = {name: array for name, array in zip(STATES, point.state, strict=False) if name in answer.grads}
    arrays = {**point.params, **({"xs": point.xs} if "xs" in answer.grads else {}), **parts}
    try:
        jacobians = {name: _jacobian(student, point, name, array, answer.losses) for name, array in arrays.items()}
    except BrokenAnswerError:
        return None
    largest = max(float(np.max(np.abs(j), initial=0.0)) for j in jacobians.values())
    for jacobian in jacobians.values():
        jacobian[np.abs(jacobian) < NOTHING * largest] = 0.0
    T, N, D = point.xs.shape
    axes = tuple(range(answer.losses.ndim))
    truth = {name: jacobian.sum(axis=axes) for name, jacobian in jacobians.items()}
    shares, sequences = {}, {}
    if answer.losses.ndim == 2:
        for name, jacobian in jacobians.items():
            steps = jacobian.sum(axis=1)
            shares[name] = np.zeros((T, *steps.shape))
            for t in range(T):  # whose loss, not which use: that is inside the student's code
                shares[name][t, t] = steps[t]
            sequences[name] = jacobian.sum(axis=0)
    else:
        sequences = {name: array[None] for name, array in truth.items()}
    H, K = point.params["W_hy"].shape
    at = Forward(cell, point.params, point.xs, point.state, [], np.zeros((T, N, H)), np.zeros((T, N, K)),
                 point.targets, answer.losses, np.zeros((T, N, K)))
    gates = gates_of(cell)
    return Bench(at, blocks(gates, truth), blocks(gates, shares), blocks(gates, sequences),
                 dict(zip(LETTERS, (T, N, K, H, D), strict=True)))


def _jacobian(student: Student, point: Point, name: str, array: Array, losses: Array) -> Array:
    found = np.zeros((*losses.shape, *array.shape))
    for index in np.ndindex(array.shape):
        step = STEP * max(1.0, abs(float(array[index])))
        ends = []
        for sign in (1.0, -1.0):
            moved = array.copy()
            moved[index] += sign * step
            ends.append(student(_with(point, name, moved)).losses)
        found[(..., *index)] = (ends[0] - ends[1]) / (2 * step)
    return found


def _with(point: Point, name: str, array: Array) -> Point:
    if name == "xs":
        return point._replace(xs=array)
    if name in STATES:
        number = STATES.index(name)
        return point._replace(state=tuple(array if k == number else part for k, part in enumerate(point.state)))
    return point._replace(params={**point.params, name: array})
