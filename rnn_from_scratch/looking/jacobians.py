r"""Jacobians of the state, ∂s_t/∂s_{t−k}, by any cell's own `step_backward`, and their singular values."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, State
from ..bptt import unroll
from .running import checked


def step_jacobians(
    cell: Any, params: Params, xs: Array, state: State | None = None, mask: Array | None = None
) -> Array:
    r"""Return the Jacobian of the state for each step, J_t = ∂s_t/∂s_{t−1}.

    .. math:: (J_t)_{ij} = \frac{\partial s_{t,i}}{\partial s_{t-1,j}}, \qquad
              \text{for the RNN (E2.1a)} \quad J_t = \mathrm{diag}(f'(a_t))\, W_{hh}^\top

    Row i is what `step_backward` makes of the unit vector e_i: a backward pass is a product with the Jacobian from
    the left, so S of them give the whole matrix. A state of several parts is laid end to end: for an LSTM
    s = (h, c) and S = 2H.

    Parameters
    ----------
    cell : Cell
        One time step.
    params : dict
        The cell's parameters.
    xs : (T, N, D)
        The inputs.
    state : tuple of (N, ·), optional
        The state before the first step; default the cell's initial state.
    mask : (T, N) bool, optional
        On padding the state is carried, so J is the identity there.

    Returns
    -------
    jacobians : (T, N, S, S)
        jacobians[t-1] is J_t.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `Recurrent.forward`; indices are refused too.

    Source: Pascanu, Mikolov & Bengio (2013), eq. 5; article §4.5, C8, C12; notebook 17;
    tests/looking/test_jacobians.py.
    """
    params, xs, state, mask = checked("step_jacobians", cell, params, xs, state, mask)
    _, _, caches = unroll(cell, params, xs, state, mask)
    N, widths = len(state[0]), [part.shape[1] for part in state]
    S, cuts = sum(widths), np.cumsum(widths)[:-1]
    found = np.empty((len(caches), N, S, S), state[0].dtype)
    unit = np.eye(S, dtype=state[0].dtype)
    for t, cache in enumerate(caches):
        for i in range(S):
            dstate = tuple(np.split(np.tile(unit[i], (N, 1)), cuts, axis=1))
            before, _ = cell.step_backward(params, dstate, cache)
            found[t, :, i] = np.concatenate(before, axis=1)
    return found if mask is None else np.where(mask[:, :, None, None], found, unit)


def jacobian_products(jacobians: Array) -> Array:
    r"""Return how the last state depends on each earlier one, ∂s_T/∂s_t for t = 0 … T.

    .. math:: \frac{\partial s_T}{\partial s_t} = J_T\, J_{T-1} \cdots J_{t+1}

    Parameters
    ----------
    jacobians : (T, …, S, S)
        From `step_jacobians`.

    Returns
    -------
    products : (T + 1, …, S, S)
        products[t] is ∂s_T/∂s_t; the last one is the identity.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If the matrices are not square, or hold what is not finite.

    Source: Pascanu, Mikolov & Bengio (2013), eq. 5; notebook 17; tests/looking/test_jacobians.py.
    """
    jacobians = _matrices("jacobian_products", "jacobians", jacobians)
    if jacobians.ndim < 3 or jacobians.shape[-1] != jacobians.shape[-2]:
        validate.fail(
            "jacobian_products", f"jacobians has shape {jacobians.shape}", "(T, …, S, S)",
            "a step takes a state to a state", error=validate.ShapeError,
        )
    T, S = len(jacobians), jacobians.shape[-1]
    products = np.empty((T + 1, *jacobians.shape[1:]), jacobians.dtype)
    products[T] = np.eye(S)
    for t in reversed(range(T)):
        products[t] = products[t + 1] @ jacobians[t]
    return products


def singular_values(matrices: Array) -> Array:
    r"""Return the singular values of each matrix, descending: by how much it stretches, in its S directions.

    In floating point a singular value below S·ε·σ_max is rounding, in a product of many Jacobians most of all; it is
    given as 0, so that no picture shows noise for a number. The others are exact to about ε·σ_max.

    Parameters
    ----------
    matrices : (…, S, S)
        Such as `step_jacobians` or `jacobian_products` return.

    Returns
    -------
    values : (…, S)

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If there are no matrices, or they hold what is not finite.

    Source: notebook 17; tests/looking/test_jacobians.py.
    """
    matrices = _matrices("singular_values", "matrices", matrices)
    values: Array = np.linalg.svd(matrices, compute_uv=False)
    lost = values < max(matrices.shape[-2:]) * np.finfo(values.dtype).eps * values[..., :1]
    return np.where(lost, np.zeros((), values.dtype), values)


def _matrices(where: str, name: str, given: Any) -> Array:
    value: Array = validate.float_array(where, name, given, complex_ok=False)
    if value.ndim < 2 or value.size == 0:
        validate.fail(
            where, f"{name} has shape {value.shape}", "(…, S, S)", "the last two axes are a matrix",
            error=validate.ShapeError,
        )
    validate.finite(where, name, value)
    return value
