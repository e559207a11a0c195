"""Exercises of notebook 03: check a gradient by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..activations import tanh
from ..arrays import Array, Params, leaves, tree_copy
from ..cells import RNNCell
from ..data import lamp
from ..diagnosis import check_step
from ..diagnosis.probe import random_params
from ..diagnosis.rules import distance
from ..gradcheck import numerical_gradient
from ..layers import Recurrent
from ..models import SequenceModel
from .comparing import unchanged
from .marking import Exercise, partly, rows_right

_X = np.array([[2.0, -1.0], [0.0, 3.0]])
_DY = np.array([[1.0, 4.0], [-2.0, 1.0]])


def _central(step: float) -> float:
    """The lamp's ∂L/∂W_hh by a central difference."""
    example = lamp()
    model = SequenceModel(Recurrent(RNNCell(1, 1)), 1, "regression")

    def loss(w: Array) -> Any:
        params = {**example.params, "recurrent": {**example.params["recurrent"], "W_hh": w}}
        return model.loss_and_grads(params, example.xs, example.targets, example.state)[0]

    return float(numerical_gradient(loss, example.params["recurrent"]["W_hh"], step=step).item())


def _lamp_gradient() -> Any:
    example = lamp()
    model = SequenceModel(Recurrent(RNNCell(1, 1)), 1, "regression")
    _, grads, _ = model.loss_and_grads(example.params, example.xs, example.targets, example.state)
    return grads["recurrent"]["W_hh"].item()


def _richardson(coarse: float, fine: float) -> Callable[[], float]:
    """The weighted sum of the central differences with steps 0.2 (coarse) and 0.1 (fine)."""
    return lambda: coarse * _central(0.2) + fine * _central(0.1)


_CASES = [(eps, p) for eps in (2.2e-16, 1.2e-7) for p in (1, 2, 4)]


def _steps(step: Callable[[float, int], Any]) -> Array | None:
    """The logarithms of the steps, so that small ones count as much as large ones; None if there are none."""
    steps = [step(eps, p) for eps, p in _CASES]
    return None if None in steps else np.log10(np.array(steps, dtype=float))


_VECTOR = np.array([0.6, -1.5, 2.0])


def _norm_gradient(norm: Callable[[Array], Any]) -> Array | None:
    """The norm itself, then its gradient by the complex step; None if the function returns nothing."""
    vectors = [_VECTOR, *(_VECTOR + 1e-20j * np.eye(3))]
    given = [vector.copy() for vector in vectors]
    values = [norm(vector) for vector in given]
    if any(value is None for value in values):
        return None
    if any(np.ndim(value) != 0 for value in values):
        shape = np.shape(values[0])
        raise AssertionError(f"Your function returned an array of shape {shape}, and a norm is one number")
    unchanged(z=(given, vectors))
    return np.array([float(np.real(values[0])), *(np.imag(values[1:]) / 1e-20)])


def _unsafe_norm() -> Array:
    return np.array([np.linalg.norm(_VECTOR), 0.0, 0.0, 0.0])


_SHAPES = {"W_xh": (3, 4), "W_hh": (4, 4), "b_h": (4,)}
Backward = Callable[[Params, Array, Array, Array], tuple[Array, Array, Params]]


def _leaky(params: Params, x: Array, h_prev: Array) -> Array:
    z = tanh(x @ params["W_xh"] + h_prev @ params["W_hh"] + params["b_h"])
    return np.asarray(0.7 * h_prev + 0.3 * z)


def _leaky_backward(
    leak: float = 0.3, direct: float = 0.7, *, slope_of_h: bool = False, transposed: bool = True, through: bool = True,
    slope: bool = True, own_state: bool = False,
) -> Backward:
    """The backward step of the leaky step; every argument changed makes a typical mistake."""

    def backward(params: Params, x: Array, h_prev: Array, dh: Array) -> tuple[Array, Array, Params]:
        h = _leaky(params, x, h_prev)
        z = h if slope_of_h else (h - 0.7 * h_prev) / 0.3
        delta = leak * dh * (1.0 - z * z if slope else 1.0)
        W_hh = params["W_hh"].T if transposed else params["W_hh"]
        dh_prev = (delta @ W_hh if through else 0.0) + direct * dh
        grads = {"W_xh": x.T @ delta, "W_hh": (h if own_state else h_prev).T @ delta, "b_h": delta.sum(axis=0)}
        return delta @ params["W_xh"].T, dh_prev, grads

    return backward


_LEAKY_WRONG: dict[str, Any] = {
    "right but for dh_prev, which lacks the direct way, 0.7·dh": _leaky_backward(direct=0.0),
    "right but for dh_prev, which lacks the way through z, delta W_hhᵀ": _leaky_backward(through=False),
    "the slope 1 − h² of the new state: tanh gave z, so the slope is 1 − z²": _leaky_backward(slope_of_h=True),
    "without the 0.3 that stands before z: it belongs into delta": _leaky_backward(leak=1.0),
    "right but for dh_prev, where W_hh stands for its transpose": _leaky_backward(transposed=False),
    "right but for ∂L/∂W_hh, which has h where h_prev met the matrix": _leaky_backward(own_state=True),
    "without the slope of tanh, 1 − z²": _leaky_backward(slope=False),
    "with the 0.3 and the 0.7 exchanged": _leaky_backward(leak=0.7, direct=0.3),
}


def _prove_leaky(answer: Backward) -> str | None:
    if not callable(answer):
        return "Give the function itself, without calling it."
    rng = np.random.default_rng(3)
    params = random_params({name: np.empty(shape) for name, shape in _SHAPES.items()}, rng)
    x, h_prev, dh = rng.standard_normal((2, 3)), rng.standard_normal((2, 4)), rng.standard_normal((2, 4))
    arguments = (tree_copy(params), x.copy(), h_prev.copy(), dh.copy())
    returned = answer(*arguments)
    if not isinstance(returned, tuple | list) or len(returned) != 3 or not isinstance(returned[2], dict):
        return "Return three things in this order: dx, dh_prev and the dictionary of gradients."
    before = {"params": params, "x": x, "h_prev": h_prev, "dh": dh}
    unchanged(**{name: (after, before[name]) for name, after in zip(before, arguments, strict=True)})
    given = list(returned)
    for says, wrong in _LEAKY_WRONG.items():
        known = wrong(params, x, h_prev, dh)
        if distance(given, list(known)) < 1e-10:
            right = dict(leaves(list(_leaky_backward()(params, x, h_prev, dh))))
            return partly(f"That is {says}", [bool(np.allclose(right[name], one)) for name, one in leaves(list(known))])
    report = check_step(_leaky, answer, _SHAPES, rng=rng)
    return None if report.ok else partly(f"check_step says:\n{report}", rows_right(report))


EXERCISES: dict[str, Exercise] = {
    "03-matrix": Exercise(
        title="dW = xᵀ dy on paper",
        points=2,
        expected=lambda: _X.T @ _DY,
        wrong={
            "x dy: the sum must go over the rows n, so x has to be transposed.": lambda: _X @ _DY,
            "dyᵀ x: the transpose of the answer, with i and j exchanged.": lambda: _DY.T @ _X,
            "dy xᵀ: that sums over columns; dW sums over the rows of the batch.": lambda: _DY @ _X.T,
            "the product entry by entry: each W[i, j] is used in every row n.": lambda: _X * _DY,
            "the mean over the rows: a gradient of a sum is a sum.": lambda: _X.T @ _DY / 2,
            "the first row's part alone: W is used in both rows, and the parts add up.":
                lambda: np.outer(_X[0], _DY[0]),
            "(x dy)ᵀ: transpose x alone, before the product.": lambda: (_X @ _DY).T,
        },
        hint="Entry (i, j) is Σ_n x[n, i] · dy[n, j].",
    ),
    "03-richardson": Exercise(
        title="Richardson's value from two central differences",
        expected=_richardson(-1 / 3, 4 / 3),
        tolerance=2e-6,
        wrong={
            "(4·C(0.2) − C(0.1))/3: the smaller step is the better one and gets the weight 4/3.":
                _richardson(4 / 3, -1 / 3),
            "2·C(0.1) − C(0.2): that cancels an error in h, as forward differences have; here it is h².":
                _richardson(-1.0, 2.0),
            "the mean of the two: it cancels nothing.": _richardson(0.5, 0.5),
            "the gradient itself, or a value from smaller steps: from 0.2 and 0.1 one does not come as near.":
                lambda: float(_lamp_gradient()),
            "(16·C(0.1) − C(0.2))/15: that cancels an error in h⁴; here it is h².": _richardson(-1 / 15, 16 / 15),
            "4·C(0.1) − C(0.2): divide by 3, so that the weights sum to 1.": _richardson(-1.0, 4.0),
        },
        hint="(4·C(h/2) − C(h)) / 3 with h = 0.2.",
    ),
    "03-step": Exercise(
        title="the step that makes eps/h + h^p smallest",
        points=2,
        run=_steps,
        expected=lambda: _steps(lambda eps, p: (eps / p) ** (1 / (p + 1))),
        tolerance=1e-10,
        wrong={
            "ε^(1/(p+1)): the right order of magnitude; the derivative of h^p brings a factor p.":
                lambda: _steps(lambda eps, p: eps ** (1 / (p + 1))),
            "ε^(1/p): where h^p equals ε. It is the two terms' sum that should be smallest.":
                lambda: _steps(lambda eps, p: eps ** (1 / p)),
            "(pε)^(1/(p+1)): p stands on the wrong side. Which of the two terms did the derivative give it to?":
                lambda: _steps(lambda eps, p: (eps * p) ** (1 / (p + 1))),
            "√ε for every p: that is the forward difference's.": lambda: _steps(lambda eps, _: eps**0.5),
            "(ε/p)^(1/p): the derivative of ε/h is −ε/h², and brings one power of h more.":
                lambda: _steps(lambda eps, p: (eps / p) ** (1 / p)),
            "the smallest error, E(h): asked for is the h where it is.":
                lambda: _steps(lambda eps, p: eps / (eps / p) ** (1 / (p + 1)) + (eps / p) ** (p / (p + 1))),
        },
        hint="Set the derivative with respect to h to zero. (Shown are the logarithms, base 10, of your steps.)",
    ),
    "03-norm": Exercise(
        title="a norm that the complex step can read",
        points=2,
        run=_norm_gradient,
        expected=lambda: np.array([np.linalg.norm(_VECTOR), *(_VECTOR / np.linalg.norm(_VECTOR))]),
        tolerance=1e-10,
        wrong={
            "the norm with a gradient of zero: an absolute value (or np.linalg.norm, or z·conj(z)) dropped the "
            "imaginary part.": _unsafe_norm,
            "the sum of the absolute values, another norm, and an absolute value drops the imaginary part.":
                np.array([4.1, 0.0, 0.0, 0.0]),
            "the largest absolute value, another norm, and an absolute value drops the imaginary part.":
                np.array([2.0, 0.0, 0.0, 0.0]),
            "the sum of the roots: first the sum, then one root.": np.array([4.1, 1.0, -1.0, 1.0]),
            "the root of the mean: a norm has the sum.":
                lambda: np.array([np.linalg.norm(_VECTOR), *(_VECTOR / np.linalg.norm(_VECTOR))]) / np.sqrt(3),
            "the sum of squares: the root is missing.": lambda: np.array([_VECTOR @ _VECTOR, *(2 * _VECTOR)]),
        },
        hint="For a real vector |z|² and z·z are the same; for a complex one only z·z keeps the imaginary part.",
    ),
    "03-own": Exercise(
        title="the backward of a leaky step",
        points=3,
        prove=_prove_leaky,
        wrong=_LEAKY_WRONG,
        hint="h_prev reaches h through z and directly; add the two.",
    ),
}
