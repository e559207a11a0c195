"""The vanilla recurrent cell: the article's E2.1a, one time step, and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import ACTIVATIONS
from ..arrays import Array, Params, State


class RNNCache(NamedTuple):
    """What one backward step needs: f' is written from h, and ∂W_hh needs h_prev."""

    h_prev: Array  # (N, H)
    h: Array  # (N, H)


@dataclass(frozen=True)
class RNNCell:
    r"""The vanilla RNN (article E2.1a), with f one of tanh, sigmoid, relu (§1.1).

    .. math:: h_t = f(a_t), \qquad a_t = x_t W_{xh} + h_{t-1} W_{hh} + b_h

    The article writes columns, W_hh h; here a batch stands in rows, h @ W_hh: the code's matrices are the
    article's transposed. W_hh is square, so no shape error ever catches the one for the other.

    Source: Elman (1990); notebooks 01 (forward) and 04 (backward); tests/cells/test_rnn.py.
    """

    input_size: int
    hidden_size: int
    activation: str = "tanh"

    def __post_init__(self) -> None:
        validate.sizes("RNNCell", self, "input_size", "hidden_size")
        validate.option("RNNCell", "activation", self.activation, ACTIVATIONS)

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}."""
        D, H = self.input_size, self.hidden_size
        return {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return Glorot uniform W_xh, orthogonal W_hh (keeps the length of h), zero b_h."""
        shapes = self.param_shapes()
        return {
            "W_xh": initializers.glorot_uniform(shapes["W_xh"], rng=rng, dtype=dtype),
            "W_hh": initializers.orthogonal(shapes["W_hh"], rng=rng, dtype=dtype),
            "b_h": initializers.zeros(shapes["b_h"], dtype=dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0,) with h_0 = 0, shape (N, H)."""
        N = validate.size("RNNCell.initial_state", "batch_size", batch_size)
        return (np.zeros((N, self.hidden_size), validate.float_dtype("RNNCell.initial_state", dtype)),)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps at once: the part of a_t that does not wait for h_{t−1}.

        xs is (T, N, D), the result (T, N, H).
        """
        projected: Array = xs @ params["W_xh"] + params["b_h"]
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, RNNCache]:
        r"""Advance by one time step (article E2.1a).

        .. math:: a_t = (x_t W_{xh} + b_h) + h_{t-1} W_{hh}, \qquad h_t = f(a_t)

        Parameters
        ----------
        params : {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}
            The weights.
        x_proj : (N, H)
            The projected input x_t W_xh + b_h, from `project`.
        state : (h_prev,)
            h_prev (N, H), the hidden state after the step before.

        Returns
        -------
        state : (h,)
            h (N, H).
        cache : RNNCache
            h_prev and h: what the backward needs, since every f' is written from its output.

        Raises
        ------
        Nothing itself: arguments are validated once, at `Recurrent.forward`.
        """
        (h_prev,) = state
        a = x_proj + h_prev @ params["W_hh"]
        h = ACTIVATIONS[self.activation].function(a)
        return (h,), RNNCache(h_prev, h)

    def step_backward(self, params: Params, dstate: State, cache: RNNCache) -> tuple[State, Array]:
        r"""Take ∂L/∂h_t back through one time step (article E-BPTT).

        .. math:: \delta_t = \frac{\partial L}{\partial a_t} = dh_t \odot f'(a_t), \qquad
                  \frac{\partial L}{\partial h_{t-1}} = \delta_t W_{hh}^\top

        Parameters
        ----------
        params : dict
            As in `step`.
        dstate : (dh,)
            dh (N, H): all of ∂L/∂h_t, through y_t and through t+1.
        cache : RNNCache
            From `step`.

        Returns
        -------
        dstate_prev : (dh_prev,)
            dh_prev (N, H): what reaches h_{t−1} through this step.
        delta : (N, H)
            ∂L/∂a_t.
        """
        (dh,) = dstate
        delta = dh * ACTIVATIONS[self.activation].derivative(cache.h)  # (N, H)
        dh_prev = delta @ params["W_hh"].T  # (N, H)
        return (dh_prev,), delta

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[RNNCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        r"""Turn the deltas of all steps into the gradients (article E-BPTT): y = xW gives dW = xᵀ dy.

        .. math:: \frac{\partial L}{\partial W_{xh}} = \sum_t x_t^\top \delta_t, \quad
                  \frac{\partial L}{\partial W_{hh}} = \sum_t h_{t-1}^\top \delta_t, \quad
                  \frac{\partial L}{\partial b_h} = \sum_t \delta_t, \quad
                  \frac{\partial L}{\partial x_t} = \delta_t W_{xh}^\top

        xs is (T, N, D), caches and deltas are lists by step. The T·N rows are stacked, so each sum over time
        and batch is one product. Returns dxs (T, N, D) and {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, H)
        rows = delta.reshape(-1, H)  # (T·N, H)
        h_prev = np.stack([cache.h_prev for cache in caches]).reshape(-1, H)  # (T·N, H)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, H)
            "W_hh": h_prev.T @ rows,  # (H, H)
            "b_h": rows.sum(axis=0),  # (H,)
        }


def irnn_params(
    cell: RNNCell, *, rng: np.random.Generator, gain: float = 1.0, dtype: npt.DTypeLike = np.float64
) -> Params:
    """Start a vanilla cell with ReLU as an IRNN: W_hh = gain·I, W_xh from N(0, 0.001²), b_h = 0.

    Each unit then copies itself, h_t = h_{t−1} + (a little of x_t), and the gradient goes back unchanged.

    Raises
    ------
    ArgumentError
        If the cell is no RNNCell with activation "relu".

    Source: Le, Jaitly & Hinton (2015); notebook 11; tests/cells/test_rnn.py.
    """
    if not isinstance(cell, RNNCell) or cell.activation != "relu":
        validate.fail(
            "irnn_params", f"cell is {cell!r:.60}", 'an RNNCell with activation="relu"',
            "the identity start keeps h as it is only where f does", "Try RNNCell(D, H, activation=\"relu\").",
        )
    normal = validate.generator("irnn_params", rng).standard_normal((cell.input_size, cell.hidden_size))
    return {
        "W_xh": (0.001 * normal).astype(validate.float_dtype("irnn_params", dtype)),
        "W_hh": initializers.identity((cell.hidden_size, cell.hidden_size), gain=gain, dtype=dtype),
        "b_h": initializers.zeros((cell.hidden_size,), dtype=dtype),
    }
