"""GRU-D, a GRU for inputs with missing values: what was seen decays. One time step, and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import relu, relu_derivative, sigmoid, sigmoid_derivative, tanh_derivative
from ..arrays import Array, Params, State


class GRUDCache(NamedTuple):
    """What one backward step needs."""

    h_prev: Array  # (N, H)
    decayed: Array  # (N, H), γ_h ⊙ h_{t−1}
    wear: Array  # (N, H), max(0, δ_t W_γh + b_γh), of which γ_h = exp(−wear)
    r: Array  # (N, H)
    z: Array  # (N, H)
    n: Array  # (N, H)


class Inputs(NamedTuple):
    """The three columns that come in, and what becomes of the values; all (T, N, F)."""

    values: Array  # x: seen now, or last
    m: Array
    delta: Array
    wear: Array  # max(0, w_γx ⊙ δ + b_γx)
    decay: Array  # γ_x = exp(−wear)
    mixed: Array  # x̂


@dataclass(frozen=True)
class GRUDCell:
    r"""The GRU with trained decays (GRU-D), for F features of which some are missing (article §5 Q3, claim C10).

    .. math::
        \gamma^x_t &= \exp(-\max(0,\; w_{\gamma x} \odot \delta_t + b_{\gamma x})), \qquad
        \gamma^h_t = \exp(-\max(0,\; \delta_t W_{\gamma h} + b_{\gamma h})) \\
        \hat x_t &= m_t \odot x_t + (1 - m_t) \odot \gamma^x_t \odot x_{t'}, \qquad
        \hat h_{t-1} = \gamma^h_t \odot h_{t-1} \\
        r_t &= \sigma(\hat x_t W_{xr} + m_t W_{mr} + \hat h_{t-1} W_{hr} + b_r) \\
        z_t &= \sigma(\hat x_t W_{xz} + m_t W_{mz} + \hat h_{t-1} W_{hz} + b_z) \\
        n_t &= \tanh(\hat x_t W_{xn} + m_t W_{mn} + (r_t \odot \hat h_{t-1}) W_{hn} + b_n) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot \hat h_{t-1}

    A missing value is replaced by the one last seen, x_{t'}, and the longer ago that was the closer to the mean it
    moves; what the state remembers fades likewise. How fast is learned, for each feature (w_γx is a vector: the paper
    keeps its matrix diagonal) and for each unit. A decay is never above 1, whatever its weights.

    The inputs have 3F columns, [x, m, δ]: the value seen now or else last, *relative to the training mean*; 1 where it
    was seen now and 0 where not; and the time since it was last seen before. `MaskAndTime(relative=True)` makes them.
    So the mean lives in the data's statistics, and here values decay towards 0. The paper writes
    γ x_{t'} + (1 − γ) x̃ with the mean x̃ in it; that is this plus x̃, and x̃ W is a part of the bias.

    The paper's z is 1 − ours: z = 1 keeps the state here, as in `GRUCell`. With every value seen and no decay it is
    `GRUCell(2F, H, reset_after=False)` over [x, m].

    One matrix holds all three gates, W_xh (F, 3H), W_mh (F, 3H), W_hh (H, 3H), b_h (3H,), its columns in the order
    r, z, n.

    Source: Che et al. (2018), "GRU-D: model with trainable decays"; notebook 15; tests/cells/test_gru_d.py.
    """

    input_size: int
    hidden_size: int

    def __post_init__(self) -> None:
        validate.sizes("GRUDCell", self, "input_size", "hidden_size")
        if self.input_size % 3:
            validate.fail(
                "GRUDCell", f"input_size is {self.input_size}", "a multiple of 3",
                "each of F features comes as three columns: value, mask, time since last seen",
                "For F features say GRUDCell(3 * F, H); MaskAndTime(relative=True) makes the inputs.",
            )

    @property
    def features(self) -> int:
        """F, a third of the inputs."""
        return self.input_size // 3

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shapes of the gates' W_xh, W_mh, W_hh, b_h and of the decays' w_γx, b_γx, W_γh, b_γh."""
        F, H = self.features, self.hidden_size
        return {
            "W_xh": (F, 3 * H), "W_mh": (F, 3 * H), "W_hh": (H, 3 * H), "b_h": (3 * H,),
            "w_gamma_x": (F,), "b_gamma_x": (F,), "W_gamma_h": (F, H), "b_gamma_h": (H,),
        }

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the gates of a GRU, and decays that are slow and alive.

        Below 0 the max passes no gradient, and δ is never negative: the decays' weights start positive, from U(0, 0.1),
        and their biases at 0.01, since δ = 0 at a sequence's first step and a bias of 0 would sit on the kink.
        """
        F, H = self.features, self.hidden_size
        dtype = validate.float_dtype("GRUDCell.init_params", dtype)
        slow = validate.generator("GRUDCell.init_params", rng).uniform
        return {
            "W_xh": np.hstack([initializers.glorot_uniform((F, H), rng=rng, dtype=dtype) for _ in range(3)]),
            "W_mh": np.hstack([initializers.glorot_uniform((F, H), rng=rng, dtype=dtype) for _ in range(3)]),
            "W_hh": np.hstack([initializers.orthogonal((H, H), rng=rng, dtype=dtype) for _ in range(3)]),
            "b_h": initializers.zeros((3 * H,), dtype=dtype),
            "w_gamma_x": slow(0.0, 0.1, F).astype(dtype), "b_gamma_x": np.full(F, 0.01, dtype),
            "W_gamma_h": slow(0.0, 0.1 / F, (F, H)).astype(dtype), "b_gamma_h": np.full(H, 0.01, dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0,) with h_0 = 0, shape (N, H)."""
        N = validate.size("GRUDCell.initial_state", "batch_size", batch_size)
        return (np.zeros((N, self.hidden_size), validate.float_dtype("GRUDCell.initial_state", dtype)),)

    def mixed_inputs(self, params: Params, xs: Array) -> Inputs:
        """Decay what was not seen: xs (T, N, 3F) to its columns, γ_x and x̂, each (T, N, F)."""
        values, m, delta = np.split(xs, 3, axis=-1)
        wear = relu(delta * params["w_gamma_x"] + params["b_gamma_x"])
        decay = np.exp(-wear)
        return Inputs(values, m, delta, wear, decay, (m + (1.0 - m) * decay) * values)

    def project(self, params: Params, xs: Array) -> Array:
        """Return what needs no state, for all steps at once: xs (T, N, 3F) to (T, N, 4H).

        Three blocks of the gates, x̂_t W_xh + m_t W_mh + b_h, and one of the state's decay, δ_t W_γh + b_γh.
        """
        inputs = self.mixed_inputs(params, xs)
        gates = inputs.mixed @ params["W_xh"] + inputs.m @ params["W_mh"] + params["b_h"]
        return np.concatenate([gates, inputs.delta @ params["W_gamma_h"] + params["b_gamma_h"]], axis=-1)

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, GRUDCache]:
        r"""Advance by one time step (Che et al. 2018; the equations stand at the class).

        Parameters
        ----------
        params : dict
            See `param_shapes`.
        x_proj : (N, 4H)
            From `project`.
        state : (h_prev,)
            h_prev (N, H).

        Returns
        -------
        state : (h,)
        cache : GRUDCache
        """
        (h_prev,) = state
        x_r, x_z, x_n, x_decay = np.split(x_proj, 4, axis=1)
        W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
        wear = relu(x_decay)
        decayed = np.exp(-wear) * h_prev
        r = sigmoid(x_r + decayed @ W_hr)
        z = sigmoid(x_z + decayed @ W_hz)
        n = np.tanh(x_n + (r * decayed) @ W_hn)
        h = (1.0 - z) * n + z * decayed
        return (h,), GRUDCache(h_prev, decayed, wear, r, z, n)

    def step_backward(self, params: Params, dstate: State, cache: GRUDCache) -> tuple[State, Array]:
        r"""Take ∂L/∂h_t back through one time step.

        .. math::
            \delta^z &= dh_t \odot (\hat h_{t-1} - n_t) \odot z_t (1 - z_t), \qquad
            \delta^n = dh_t \odot (1 - z_t) \odot (1 - n_t^2) \\
            \delta^r &= (\delta^n W_{hn}^\top) \odot \hat h_{t-1} \odot r_t (1 - r_t) \\
            d\hat h_{t-1} &= dh_t \odot z_t + \delta^r W_{hr}^\top + \delta^z W_{hz}^\top
                + (\delta^n W_{hn}^\top) \odot r_t \\
            dh_{t-1} &= d\hat h_{t-1} \odot \gamma^h_t, \qquad
            \delta^\gamma = -d\hat h_{t-1} \odot \gamma^h_t \odot h_{t-1} \text{ where the max is above 0}

        Parameters
        ----------
        params : dict
            As in `step`.
        dstate : (dh,)
            All of ∂L/∂h_t, (N, H).
        cache : GRUDCache
            From `step`.

        Returns
        -------
        dstate_prev : (dh_prev,)
        delta : (N, 4H)
            ∂L/∂(pre-activation) of r, z, n and of the decay, which is ∂L/∂x_proj.
        """
        (dh,) = dstate
        h_prev, decayed, wear, r, z, n = cache
        W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
        delta_z = dh * (decayed - n) * sigmoid_derivative(z)  # (N, H)
        delta_n = dh * (1.0 - z) * tanh_derivative(n)  # (N, H)
        dproduct = delta_n @ W_hn.T  # (N, H), the gradient of r ⊙ ĥ
        delta_r = dproduct * decayed * sigmoid_derivative(r)  # (N, H)
        ddecayed = dh * z + delta_r @ W_hr.T + delta_z @ W_hz.T + dproduct * r  # (N, H)
        dh_prev = ddecayed * np.exp(-wear)  # (N, H)
        delta_decay = -dh_prev * h_prev * relu_derivative(wear)  # (N, H)
        return (dh_prev,), np.concatenate([delta_r, delta_z, delta_n, delta_decay], axis=1)

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[GRUDCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        r"""Turn the deltas of all steps into the gradients: y = xW gives dW = xᵀ dy, dx = dy Wᵀ.

        xs is (T, N, 3F), caches and deltas are lists by step. Returns dxs (T, N, 3F), the columns of x, m and δ, and
        the gradients by name.
        """
        F, H = self.features, self.hidden_size
        values, m, delta, wear, decay, mixed = self.mixed_inputs(params, xs)  # (T, N, F) each
        rows = np.stack(deltas)  # (T, N, 4H)
        gates, fading = rows[..., : 3 * H], rows[..., 3 * H :]  # (T, N, 3H), (T, N, H)
        decayed = np.stack([cache.decayed for cache in caches]).reshape(-1, H)  # (T·N, H)
        r = np.stack([cache.r for cache in caches]).reshape(-1, H)  # (T·N, H)
        flat_gates, flat_fading = gates.reshape(-1, 3 * H), fading.reshape(-1, H)  # (T·N, ·)
        delta_r, delta_z, delta_n = np.split(flat_gates, 3, axis=1)  # (T·N, H) each
        dmixed = gates @ params["W_xh"].T  # (T, N, F)
        dwear = -dmixed * (1.0 - m) * decay * values * relu_derivative(wear)  # (T, N, F)
        dvalues = dmixed * (m + (1.0 - m) * decay)  # (T, N, F)
        dm = dmixed * (1.0 - decay) * values + gates @ params["W_mh"].T  # (T, N, F)
        dtime = dwear * params["w_gamma_x"] + fading @ params["W_gamma_h"].T  # (T, N, F)
        grads = {
            "W_xh": mixed.reshape(-1, F).T @ flat_gates,  # (F, 3H)
            "W_mh": m.reshape(-1, F).T @ flat_gates,  # (F, 3H)
            "W_hh": np.hstack([decayed.T @ delta_r, decayed.T @ delta_z, (r * decayed).T @ delta_n]),  # (H, 3H)
            "b_h": flat_gates.sum(axis=0),  # (3H,)
            "w_gamma_x": (dwear * delta).sum(axis=(0, 1)),  # (F,)
            "b_gamma_x": dwear.sum(axis=(0, 1)),  # (F,)
            "W_gamma_h": delta.reshape(-1, F).T @ flat_fading,  # (F, H)
            "b_gamma_h": flat_fading.sum(axis=0),  # (H,)
        }
        return np.concatenate([dvalues, dm, dtime], axis=-1), grads
