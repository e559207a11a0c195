"""What is asked of an exhibit's two functions: a gradient check against their own losses, and a diagnosis."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ...arrays import Array, Params, State
from ...gradcheck import GradientReport, check_gradients
from ..naming import Diagnosis, diagnose
from ..probe import random_params
from .exhibit import Exhibit, LossAndGrads

SIZES = {"T": 5, "N": 3, "D": 4, "H": 2, "K": 7}  # all different, so that a factor or a shape tells where it is from
BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3, "gru-before": 3}


def _point(exhibit: Exhibit, seed: int) -> tuple[Params, Array, Array, State]:
    """Draw (params, xs, targets, state)."""
    T, N, D, H, K = SIZES.values()
    rng, columns = np.random.default_rng(seed), BLOCKS[exhibit.reference] * H
    shapes = {"W_xh": (D, columns), "W_hh": (H, columns), "b_h": (columns,), "W_hy": (H, K), "b_y": (K,)}
    params = random_params({name: np.empty(shape) for name, shape in shapes.items()}, rng)
    state = tuple(rng.standard_normal((N, H)) for _ in range(2 if exhibit.reference == "lstm" else 1))
    return params, rng.standard_normal((T, N, D)), rng.integers(K, size=(T, N)), state


def checked(function: LossAndGrads, exhibit: Exhibit, seed: int) -> tuple[GradientReport, int]:
    """Check the gradients of a first call, those of a second too where they are others; return the last check."""
    _forget(function)
    params, xs, targets, state = _point(exhibit, seed)
    arrays = {**params, "xs": xs, **dict(zip(("h0", "c0"), state, strict=False))}

    def loss(tree: Params) -> Any:
        full = {**arrays, **tree}
        inner = tuple(full[name] for name in ("h0", "c0") if name in full)
        return function({name: full[name] for name in params}, full["xs"], targets, inner)[0].sum()

    calls = [function(params, xs, targets, state)[1] for _ in range(2)]
    differ = any(not np.array_equal(calls[0][name], calls[1][name]) for name in calls[0])
    for number, grads in enumerate(calls, 1):
        tree = {name: array for name, array in arrays.items() if name in grads}
        report = check_gradients(loss, tree, grads, method="central")
        if not (report.ok and differ):
            return report, number
    return report, 2


def diagnosed(function: LossAndGrads, reference: Any, seed: int) -> Diagnosis:
    """Diagnose one of an exhibit's functions."""
    _forget(function)
    return diagnose(function, reference, rng=np.random.default_rng(seed))


def _forget(function: LossAndGrads) -> None:
    """Empty what an exhibit keeps between calls, so that showing it twice is the same twice."""
    vars(sys.modules[function.__module__]).get("KEPT", {}).clear()


def common_factor(report: GradientReport) -> float | None:
    """Return the one number, neither 0 nor 1, that every wrong gradient is the numeric one times; None if none is."""
    found = []
    for row in report.rows:
        if row.verdict.startswith("WRONG") and row.gradient is not None and row.measured is not None:
            size = float(np.vdot(row.measured, row.measured))
            factor = float(np.vdot(row.gradient, row.measured)) / size if size else 0.0
            if not factor or np.max(np.abs(row.gradient - factor * row.measured)) > 1e-6 * np.sqrt(size):
                return None
            found.append(factor)
    return found[0] if found and np.allclose(found, found[0], rtol=1e-6, atol=0) else None
