"""The GRU cell, its reset gate after or before the matrix product: one time step, and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import sigmoid, sigmoid_derivative, tanh_derivative
from ..arrays import Array, Params, State


class GRUCache(NamedTuple):
    """What one backward step needs."""

    h_prev: Array  # (N, H)
    r: Array  # (N, H)
    z: Array  # (N, H)
    n: Array  # (N, H)
    gated: Array  # (N, H), what the reset gate multiplies: h_{t−1} W_hn + b_hn where it comes after, else h_{t−1}


@dataclass(frozen=True)
class GRUCell:
    r"""The gated recurrent unit (article §5 Q1, E-GRU).

    .. math::
        r_t &= \sigma(x_t W_{xr} + h_{t-1} W_{hr} + b_r) \\
        z_t &= \sigma(x_t W_{xz} + h_{t-1} W_{hz} + b_z) \\
        n_t &= \tanh(x_t W_{xn} + b_n + r_t \odot (h_{t-1} W_{hn} + b_{hn})) && \text{reset after (the default)} \\
        n_t &= \tanh(x_t W_{xn} + b_n + (r_t \odot h_{t-1}) W_{hn}) && \text{reset before} \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    The article speaks of an update gate and an *output* gate. They are the reset gate r and the update gate z; n is
    the candidate. With z = 1 nothing is updated: the names are the field's.

    The reset gate has been published twice. Cho et al. (2014), eqs 5–8, put it before the matrix product; the first
    version of their preprint had it after. PyTorch and Keras (`reset_after=True`) put it after, which lets one product
    serve all three blocks, and needs the bias b_hn inside the gate's reach. Same names, other function: weights do not
    carry over from the one to the other.

    One matrix holds all three, W_xh (D, 3H), W_hh (H, 3H), b_h (3H,), its columns in the order r, z, n.

    Source: Cho et al. (2014), eqs 5–8; PyTorch's nn.GRU; notebook 11; tests/cells/test_gru.py.
    """

    input_size: int
    hidden_size: int
    reset_after: bool = True

    def __post_init__(self) -> None:
        validate.sizes("GRUCell", self, "input_size", "hidden_size")
        validate.option("GRUCell", "reset_after", self.reset_after, (True, False))

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, 3H), "W_hh": (H, 3H), "b_h": (3H,)} and, with reset_after, "b_hn" (H,)."""
        D, H = self.input_size, self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"W_xh": (D, 3 * H), "W_hh": (H, 3 * H), "b_h": (3 * H,)}
        if self.reset_after:
            shapes["b_hn"] = (H,)
        return shapes

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return a Glorot uniform block and an orthogonal block for each gate, and zero biases."""
        D, H = self.input_size, self.hidden_size
        params = {
            "W_xh": np.hstack([initializers.glorot_uniform((D, H), rng=rng, dtype=dtype) for _ in range(3)]),
            "W_hh": np.hstack([initializers.orthogonal((H, H), rng=rng, dtype=dtype) for _ in range(3)]),
            "b_h": initializers.zeros((3 * H,), dtype=dtype),
        }
        if self.reset_after:
            params["b_hn"] = initializers.zeros((H,), dtype=dtype)
        return params

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0,) with h_0 = 0, shape (N, H)."""
        N = validate.size("GRUCell.initial_state", "batch_size", batch_size)
        return (np.zeros((N, self.hidden_size), validate.float_dtype("GRUCell.initial_state", dtype)),)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps and gates at once: xs (T, N, D) to (T, N, 3H)."""
        projected: Array = xs @ params["W_xh"] + params["b_h"]
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, GRUCache]:
        r"""Advance by one time step (article E-GRU; the equations stand at the class).

        Parameters
        ----------
        params : dict
            See `param_shapes`.
        x_proj : (N, 3H)
            The projected input x_t W_xh + b_h, from `project`.
        state : (h_prev,)
            h_prev (N, H).

        Returns
        -------
        state : (h,)
        cache : GRUCache
        """
        (h_prev,) = state
        x_r, x_z, x_n = np.split(x_proj, 3, axis=1)
        W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
        r = sigmoid(x_r + h_prev @ W_hr)
        z = sigmoid(x_z + h_prev @ W_hz)
        if self.reset_after:
            gated = h_prev @ W_hn + params["b_hn"]
            n = np.tanh(x_n + r * gated)
        else:
            gated = h_prev
            n = np.tanh(x_n + (r * gated) @ W_hn)
        h = (1.0 - z) * n + z * h_prev
        return (h,), GRUCache(h_prev, r, z, n, gated)

    def step_backward(self, params: Params, dstate: State, cache: GRUCache) -> tuple[State, Array]:
        r"""Take ∂L/∂h_t back through one time step (article E-GRU).

        .. math::
            \delta^z &= dh_t \odot (h_{t-1} - n_t) \odot z_t (1 - z_t), \qquad
            \delta^n = dh_t \odot (1 - z_t) \odot (1 - n_t^2) \\
            \text{after:}\quad \delta^r &= \delta^n \odot (h_{t-1} W_{hn} + b_{hn}) \odot r_t (1 - r_t) \\
            \text{before:}\quad \delta^r &= (\delta^n W_{hn}^\top) \odot h_{t-1} \odot r_t (1 - r_t) \\
            dh_{t-1} &= dh_t \odot z_t + \delta^r W_{hr}^\top + \delta^z W_{hz}^\top + \begin{cases}
                (\delta^n \odot r_t) W_{hn}^\top & \text{after} \\
                (\delta^n W_{hn}^\top) \odot r_t & \text{before} \end{cases}

        Parameters
        ----------
        params : dict
            As in `step`.
        dstate : (dh,)
            All of ∂L/∂h_t, (N, H).
        cache : GRUCache
            From `step`.

        Returns
        -------
        dstate_prev : (dh_prev,)
        delta : (N, 3H)
            ∂L/∂(pre-activation) of r, z, n, which is ∂L/∂x_proj.
        """
        (dh,) = dstate
        h_prev, r, z, n, gated = cache
        W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
        delta_z = dh * (h_prev - n) * sigmoid_derivative(z)  # (N, H)
        delta_n = dh * (1.0 - z) * tanh_derivative(n)  # (N, H)
        if self.reset_after:
            dproduct = delta_n  # (N, H), the gradient of r ⊙ gated
            through_n = (delta_n * r) @ W_hn.T  # (N, H)
        else:
            dproduct = delta_n @ W_hn.T  # (N, H)
            through_n = dproduct * r  # (N, H)
        delta_r = dproduct * gated * sigmoid_derivative(r)  # (N, H)
        dh_prev = dh * z + delta_r @ W_hr.T + delta_z @ W_hz.T + through_n  # (N, H)
        return (dh_prev,), np.concatenate([delta_r, delta_z, delta_n], axis=1)

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[GRUCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        r"""Turn the deltas of all steps into the gradients: y = xW gives dW = xᵀ dy.

        Only the block W_hn differs between the variants: after, its output was multiplied by r, so its delta is
        δⁿ ⊙ r; before, its input was, so that is r ⊙ h_{t−1}.
        xs is (T, N, D), caches and deltas are lists by step. Returns dxs (T, N, D) and the gradients by name.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, 3H)
        rows = delta.reshape(-1, 3 * H)  # (T·N, 3H)
        delta_r, delta_z, delta_n = np.split(rows, 3, axis=1)  # (T·N, H) each
        h_prev = np.stack([cache.h_prev for cache in caches]).reshape(-1, H)  # (T·N, H)
        r = np.stack([cache.r for cache in caches]).reshape(-1, H)  # (T·N, H)
        dW_hn = h_prev.T @ (delta_n * r) if self.reset_after else (r * h_prev).T @ delta_n  # (H, H)
        grads = {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, 3H)
            "W_hh": np.hstack([h_prev.T @ delta_r, h_prev.T @ delta_z, dW_hn]),  # (H, 3H)
            "b_h": rows.sum(axis=0),  # (3H,)
        }
        if self.reset_after:
            grads["b_hn"] = (delta_n * r).sum(axis=0)  # (H,)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, grads
