"""Exercises of notebook 06: choose the learning rate."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..optim import Cosine, WarmUp
from .comparing import unchanged
from .marking import Exercise

_ETA, _ALPHA, _EPS = 0.1, 0.75, 0.5
_GRADIENTS = (np.array([4.0, -0.5, 0.0]), np.array([2.0, 0.5, -1.0]))


def _schedule(factor: Callable[[int, int, int, float], float]) -> Array:
    """Factors over updates on the way up, at the top, on the way down and past the end."""
    found = []
    for k in (0, 1, 3, 4, 6, 8, 12, 15):
        value = factor(k, 4, 12, 0.1)
        if value is None:
            raise AssertionError(f"It returns nothing for k = {k}. Is a return line missing?")
        found.append(float(value))
    return np.array(found)


def _right_schedule(k: int, warm: int, last: int, lowest: float) -> float:
    return WarmUp(warm, Cosine(last - warm, lowest), lowest)(k)


def _down(k: float, length: float, lowest: float) -> float:
    return float(lowest + (1 - lowest) / 2 * (1 + np.cos(np.pi * min(k / length, 1.0))))


def _up(k: int, warm: int, lowest: float) -> float:
    return lowest + (1 - lowest) * k / warm


def _rmsprop(step: Callable[..., Any]) -> Any:
    """Two updates from a running mean of zero; what is passed in must stay."""
    theta, s = np.array([1.0, -2.0, 3.0]), np.zeros(3)
    found = []
    for g in _GRADIENTS:
        given = theta.copy(), g.copy(), s.copy()
        answer = step(theta, g, s, _ETA, _ALPHA, _EPS)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise AssertionError("It should return two arrays: the new θ, and the new s for the next update.")
        theta_new, s_new = answer
        if np.array_equal(theta_new, (1 - _ALPHA) * g**2):
            raise AssertionError("It returns s before θ: return θ first")
        unchanged(theta=(theta, given[0]), g=(g, given[1]), s=(s, given[2]))
        theta, s = np.asarray(theta_new, dtype=float), np.asarray(s_new, dtype=float)
        found += [theta, s]
    return tuple(found)


def _step(
    theta: Array, g: Array, s: Array, eta: float, alpha: float, eps: float, *, kind: str = "right"
) -> tuple[Array, Array]:
    new = alpha * s + (1 - alpha) * g**2
    if kind == "swapped":
        new = (1 - alpha) * s + alpha * g**2
    if kind == "sum":
        new = s + g**2
    if kind == "not squared":
        new = alpha * s + (1 - alpha) * np.abs(g)
    divisors = {"inside": np.sqrt(new + eps), "no root": new + eps, "old": np.sqrt(s) + eps}
    root = divisors.get(kind, np.sqrt(new) + (0.0 if kind == "no epsilon" else eps))
    sign = 1.0 if kind == "up" else -1.0
    with np.errstate(invalid="ignore"):  # 0/0 without ε
        after = sign * eta * g / root + (0.0 if kind == "step" else theta)
    return after, new


def _kind(kind: str) -> Callable[[], Any]:
    return lambda: _rmsprop(lambda *given: _step(*given, kind=kind))


EXERCISES: dict[str, Exercise] = {
    "06-threshold": Exercise(
        title="The largest rate for three curvatures",
        expected=2 / 8,
        wrong={
            "2 divided by the smallest curvature, or 8 / 2: at that rate the steepest direction explodes.": 2 / 0.5,
            "2 divided by the middle curvature: the steepest direction explodes there.": 2 / 2,
            "1 divided by the smallest curvature: the steepest direction sets the limit.": 1 / 0.5,
            "1 divided by the largest curvature: that rate arrives in one step there; twice as much still converges.":
                1 / 8,
            "2 divided by the mean curvature: one direction that explodes is enough.": 2 / 3.5,
            "2 divided by the sum of the curvatures: directions do not add up.": 2 / 10.5,
            "twice the largest curvature (or the condition number): a steeper parabola needs a smaller rate.": 16.0,
            "1 divided by the mean curvature: the largest curvature sets the limit, and with a 2 above.": 1 / 3.5,
        },
        hint="Every direction must satisfy |1 − ηλ| < 1.",
    ),
    "06-factor": Exercise(
        title="Three updates above the best rate",
        expected=(1 - 2.5 * 0.72) ** 3,
        wrong={
            "the right size with the wrong sign: an odd number of updates, and each of them turns the sign.": 0.512,
            "the factor of a single update.": 1 - 2.5 * 0.72,
            "three times the factor: it is multiplied, not added.": 3 * (1 - 2.5 * 0.72),
            "(ηλ)³: what is left is 1 − ηλ of it.": 1.8**3,
            "−(ηλ)³: what is left is 1 − ηλ of it.": -(1.8**3),
            "the factor squared: there are three updates.": 0.64,
            "1 − 3ηλ: each update multiplies what the one before has left.": 1 - 3 * 1.8,
            "1 − (ηλ)³: the whole 1 − ηλ is multiplied three times.": 1 - 1.8**3,
            "(1 − η)³: the curvature belongs beside η.": (1 - 2.5) ** 3,
            "(1 − λ)³: the rate belongs beside λ.": 0.28**3,
        },
        hint="Each update multiplies what is left by 1 − ηλ.",
    ),
    "06-first": Exercise(
        title="The first update of five rules",
        points=2,
        expected=(-0.0075, -0.0075, -0.01425, -0.01, -0.01),
        wrong={
            "steps with the sign turned: a positive gradient pushes the weight down.":
                (0.0075, 0.0075, 0.01425, 0.01, 0.01),
            "momentum with (1 − μ)g: here, as in PyTorch, the velocity is a sum, not a mean.":
                (-0.0075, -0.00075, -0.01425, -0.01, -0.01),
            "Nesterov like plain momentum: its step is η(g + μv), and v is g after the first update.":
                (-0.0075, -0.0075, -0.0075, -0.01, -0.01),
            "Adam without its correction: m = 0.1·g and √v = 0.0316·g would give 3.16 times η.":
                (-0.0075, -0.0075, -0.01425, -0.01, -0.01 * 0.1 / np.sqrt(0.001)),
            "AdaGrad and Adam divided by g² where √(g²) belongs.":
                (-0.0075, -0.0075, -0.01425, -0.01 / 0.75, -0.01 / 0.75),
            "Nesterov's −ημv alone: the gradient itself comes on top.": (-0.0075, -0.0075, -0.00675, -0.01, -0.01),
            "momentum with Nesterov's step, and Nesterov with momentum's.": (-0.0075, -0.01425, -0.0075, -0.01, -0.01),
            "without η: a step is η times that.": (-0.75, -0.75, -1.425, -1.0, -1.0),
            "RMSprop's tenfold first step for Adam: Adam undoes the start at 0.":
                (-0.0075, -0.0075, -0.01425, -0.01, -0.1),
            "the adaptive rules with the gradient's size: their first step is η, whatever g is.":
                (-0.0075, -0.0075, -0.01425, -0.0075, -0.0075),
        },
        tolerance=1e-5,
        hint="Divided by its own size, g is a sign.",
    ),
    "06-schedule": Exercise(
        title="Warm up, then half a cosine",
        points=2,
        run=_schedule,
        expected=lambda: _schedule(_right_schedule),
        tolerance=1e-10,
        wrong={
            "the cosine counted from update 0: it begins where the warm-up ends.": lambda: _schedule(
                lambda k, W, K, low: _up(k, W, low) if k < W else _down(k, K, low)),
            "the cosine stretched over all K updates: it has K − W.": lambda: _schedule(
                lambda k, W, K, low: _up(k, W, low) if k < W else _down(k - W, K, low)),
            "a warm-up from 0: it begins at `lowest`.": lambda: _schedule(
                lambda k, W, K, low: k / W if k < W else _down(k - W, K - W, low)),
            "a warm-up that reaches 1 one update too early.": lambda: _schedule(
                lambda k, W, K, low: _up(k, W - 1, low) if k < W else _down(k - W, K - W, low)),
            "a cosine down to 0: it ends at `lowest`.": lambda: _schedule(
                lambda k, W, K, low: _up(k, W, low) if k < W else _down(k - W, K - W, 0.0)),
            "a cosine that rises again past the end: from K on it stays at `lowest`.": lambda: _schedule(
                lambda k, W, K, low: _up(k, W, low) if k < W
                else low + (1 - low) / 2 * (1 + np.cos(np.pi * (k - W) / (K - W)))),
            "a whole cosine, 2π: down and up again. Half of one goes down.": lambda: _schedule(
                lambda k, W, K, low: _up(k, W, low) if k < W
                else low + (1 - low) / 2 * (1 + np.cos(2 * np.pi * min((k - W) / (K - W), 1)))),
            "a cosine without π: half of one is cos from 0 to π.": lambda: _schedule(
                lambda k, W, K, low: _up(k, W, low) if k < W
                else low + (1 - low) / 2 * (1 + np.cos(min((k - W) / (K - W), 1)))),
            "a straight line down: half a cosine begins and ends level.": lambda: _schedule(
                lambda k, W, K, low: _up(k, W, low) if k < W else 1 - (1 - low) * min((k - W) / (K - W), 1)),
            "no warm-up.": lambda: _schedule(lambda k, W, K, low: 1.0 if k < W else _down(k - W, K - W, low)),
        },
        hint="At k = W the factor is 1, at k = K it is `lowest`. (Tried with W = 4, K = 12, lowest = 0.1.)",
    ),
    "06-rmsprop": Exercise(
        title="RMSprop, one update",
        points=3,
        run=_rmsprop,
        expected=_kind("right"),
        tolerance=1e-10,
        wrong={
            "ε inside the root: √(s + ε). Here it is added to the root.": _kind("inside"),
            "α and 1 − α exchanged: α is the share that is kept.": _kind("swapped"),
            "the sum of all squares: that is AdaGrad.": _kind("sum"),
            "without the root: the step would shrink where the gradient grows.": _kind("no root"),
            "the old running mean in the division: first renew it, then divide.": _kind("old"),
            "a step up the gradient.": _kind("up"),
            "the step in place of the new θ: add it to θ.": _kind("step"),
            "|g| in place of g² in the running mean.": _kind("not squared"),
            "without ε: where a gradient is 0 that is 0/0.": _kind("no epsilon"),
        },
        hint="First s, then θ. (Tried over two updates, with α = 0.75 and a large ε.)",
    ),
}
