r"""Derivatives by nudging: forward, central, Richardson, and the complex step.

What each can reach, in float64 (worst error of a *correct* RNN gradient over 20 steps; notebook 03 measures it):
forward 6e-7, central 3e-10, Richardson 2e-12, complex step 3e-16.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array

METHODS = ("forward", "central", "richardson", "complex")

#: The step of each method, times max(1, |w|): where truncation and rounding balance.
STEPS = {"forward": 1.5e-8, "central": 1e-5, "richardson": 1e-2, "complex": 1e-20}


class NotFiniteError(validate.ArgumentError):
    """The loss is NaN or infinite where it was asked for."""


class NotComplexError(validate.ArgumentError):
    """The loss of a complex argument came back real."""


#: Richardson halves its step at every level; after more of these only rounding is left.
MOST_LEVELS = 8


def numerical_gradient(
    loss: Callable[[Array], Any],
    array: Array,
    method: str = "central",
    *,
    step: float | None = None,
    levels: int = 3,
) -> Array:
    r"""Return ∂loss/∂array, entry by entry, from values of the loss alone.

    .. math::
        \text{forward: } \frac{L(w+h) - L(w)}{h} \qquad
        \text{central: } \frac{L(w+h) - L(w-h)}{2h} \qquad
        \text{complex: } \frac{\operatorname{Im} L(w + ih)}{h}

    Richardson takes central differences at h, h/2, h/4, … and cancels the error terms h², h⁴, ….

    Parameters
    ----------
    loss : callable
        Takes an array of the same shape, gives one number. It is handed copies.
    array : any shape, float64 or float32
        Where to differentiate. Never changed. float32 is promoted to float64, for which the default steps are made.
        With a step of your own it stays float32, for a loss that computes in float32: then a step that is too small
        for float32 gives 0, the left end of its V curve.
    method : "forward", "central", "richardson" or "complex"
        "complex" needs a loss that is analytic: abs, norms, sorting and float buffers break it.
    step : float, optional
        h; by default that of the method, times max(1, |w|) (not for the complex step).
    levels : int
        Richardson's number of step sizes, at most 8.

    Returns
    -------
    gradient : the shape of array
        float64, for a float32 array too.

    Raises
    ------
    ArgumentError
        An unknown method, a step that is not above 0 or too small to move a float64 entry, more than 8 levels, an
        array that is no float, a loss that is no number, or, for the complex step, a loss that comes back real.

    Source: Squire & Trapp (1998) for the complex step; notebook 03; tests/gradcheck/test_numerical.py.
    """
    where = "numerical_gradient"
    validate.option(where, "method", method, METHODS)
    array = validate.float_array(where, "array", array, complex_ok=False)
    if step is not None:
        validate.number(where, "step", step, above=0.0)
    if validate.size(where, "levels", levels) > MOST_LEVELS:
        validate.fail(where, f"levels is {levels}", f"at most {MOST_LEVELS}", "smaller steps drown in rounding")
    if step is None:
        array = array.astype(np.float64)
    elif method != "complex" and array.dtype == np.float64:
        _check_step_moves(where, array, step / 2 ** (levels - 1) if method == "richardson" else step)
    gradient = np.zeros(array.shape, np.float64)
    for index in np.ndindex(array.shape):
        h = default_step(method, float(array[index])) if step is None else step
        gradient[index] = derivative(where, loss, array, index, h, method, levels)
    return gradient


def default_step(method: str, weight: float) -> float:
    """Return the step of a method at an entry of this value."""
    return STEPS[method] * (1.0 if method == "complex" else max(1.0, abs(weight)))


def derivative(
    where: str, loss: Callable[[Array], Any], array: Array, index: tuple[int, ...], h: float, method: str,
    levels: int = 3,
) -> float:
    """Return the derivative in one entry, with this step."""
    if method == "complex":
        return complex_value(where, loss(_nudged(array, index, 1j * h))).imag / h

    def at(offset: float) -> float:
        return real_value(where, loss(_nudged(array, index, offset)))

    if method == "forward":
        return (at(h) - at(0.0)) / h
    if method == "central":
        return (at(h) - at(-h)) / (2.0 * h)
    # Richardson: row k holds central differences with steps h, h/2, h/4 … freed of h², h⁴, … in turn.
    estimates = [(at(h / 2**k) - at(-h / 2**k)) / (2.0 * h / 2**k) for k in range(levels)]
    for order in range(1, levels):
        estimates = [
            (4**order * finer - coarser) / (4**order - 1)
            for coarser, finer in itertools.pairwise(estimates)
        ]
    return float(estimates[0])


def _check_step_moves(where: str, array: Array, smallest: float) -> None:
    stuck = array + smallest == array
    if stuck.any():
        validate.fail(
            where, f"a step of {smallest:.1e} leaves {array[stuck][0]} where it is", "a step that moves every entry",
            "float64 keeps 16 digits", "The default steps are chosen so that truncation and rounding balance.",
        )


def _nudged(array: Array, index: tuple[int, ...], offset: complex) -> Array:
    nudged = array.astype(np.complex128 if isinstance(offset, complex) else array.dtype)
    nudged[index] += offset
    return nudged


def real_value(where: str, value: Any) -> float:
    """Return a loss as a float, or say what came instead of a number."""
    if np.ndim(value) != 0 or np.iscomplexobj(value) or not np.issubdtype(np.asarray(value).dtype, np.number):
        validate.fail(
            where, f"the loss is {type(value).__name__} of shape {np.shape(value)}", "one real number",
            "a gradient belongs to a scalar", "Does your function return (loss, grads)? Pass lambda w: f(w)[0].",
        )
    if not np.isfinite(value):
        hint = "Check at a point where the loss is finite."
        validate.fail(where, f"the loss is {value}", "a finite number", hint=hint, error=NotFiniteError)
    return float(value)


def complex_value(where: str, value: Any) -> complex:
    """Return a complex loss, or say that the imaginary part was lost on the way."""
    if np.ndim(value) != 0 or not np.iscomplexobj(value):
        validate.fail(
            where, f"the loss is {type(value).__name__}, not complex", "a complex number",
            "the complex step reads the derivative from the imaginary part, and something dropped it "
            "(abs, a norm, .real, float(), a float buffer)", 'Make the code complex-safe, or use method="central".',
            NotComplexError,
        )
    return complex(value)
