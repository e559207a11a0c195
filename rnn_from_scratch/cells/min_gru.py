"""The minimal GRU, whose gate does not look at the state: one time step, and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import sigmoid, sigmoid_derivative
from ..arrays import Array, Params, State


class MinGRUCache(NamedTuple):
    """What one backward step needs."""

    h_prev: Array  # (N, H)
    z: Array  # (N, H)
    n: Array  # (N, H)


@dataclass(frozen=True)
class MinGRUCell:
    r"""The minimal GRU (minGRU): a GRU without the reset gate, whose z and n are functions of the input alone.

    .. math::
        z_t &= \sigma(x_t W_{xz} + b_z) \\
        n_t &= x_t W_{xn} + b_n \\
        h_t &= (1 - z_t) \odot h_{t-1} + z_t \odot n_t

    Given the inputs, h_t is linear in h_{t−1}, so that a whole sequence is one scan (`scan.py`), which runs in parallel
    in time; what is not linear stands between the layers. There is no W_hh: units mix in the layer above.

    Beware of z: here z = 1 *takes* the candidate, as in the paper; in `GRUCell` z = 1 *keeps* the state, as in PyTorch.
    The paper writes h̃ for the candidate n.

    This is the paper's vanilla form: n has no activation and may be negative. Its log-space form instead passes n
    through g(n) = n + 1/2 (n ≥ 0) or σ(n) (n < 0), since a logarithm needs positive states: another function, with
    other weights. Here no logarithm is taken (`scan.py` says why), so none is needed.

    One matrix holds both, W_xh (D, 2H), b_h (2H,), its columns in the order z, n.

    Source: Feng et al. (2024), §3.1.3 and Algorithms 1 and 2 (appendix A.1.1; g in appendix B);
    tests/cells/test_min_gru.py.
    """

    input_size: int
    hidden_size: int

    def __post_init__(self) -> None:
        validate.sizes("MinGRUCell", self, "input_size", "hidden_size")

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, 2H), "b_h": (2H,)}."""
        D, H = self.input_size, self.hidden_size
        return {"W_xh": (D, 2 * H), "b_h": (2 * H,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return a Glorot uniform block for z and one for n, and zero biases: at first half of each state is kept."""
        D, H = self.input_size, self.hidden_size
        return {
            "W_xh": np.hstack([initializers.glorot_uniform((D, H), rng=rng, dtype=dtype) for _ in range(2)]),
            "b_h": initializers.zeros((2 * H,), dtype=dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0,) with h_0 = 0, shape (N, H)."""
        N = validate.size("MinGRUCell.initial_state", "batch_size", batch_size)
        return (np.zeros((N, self.hidden_size), validate.float_dtype("MinGRUCell.initial_state", dtype)),)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps at once: xs (T, N, D) to (T, N, 2H)."""
        projected: Array = xs @ params["W_xh"] + params["b_h"]
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, MinGRUCache]:
        r"""Advance by one time step (Feng et al., Algorithm 1; the equations stand at the class).

        Parameters
        ----------
        params : dict
            See `param_shapes`.
        x_proj : (N, 2H)
            The projected input x_t W_xh + b_h, from `project`.
        state : (h_prev,)
            h_prev (N, H).

        Returns
        -------
        state : (h,)
        cache : MinGRUCache
        """
        (h_prev,) = state
        x_z, n = np.split(x_proj, 2, axis=1)
        z = sigmoid(x_z)
        h = (1.0 - z) * h_prev + z * n
        return (h,), MinGRUCache(h_prev, z, n)

    def step_backward(self, params: Params, dstate: State, cache: MinGRUCache) -> tuple[State, Array]:
        r"""Take ∂L/∂h_t back through one time step.

        .. math::
            \delta^z = dh_t \odot (n_t - h_{t-1}) \odot z_t (1 - z_t), \qquad
            \delta^n = dh_t \odot z_t, \qquad dh_{t-1} = dh_t \odot (1 - z_t)

        Parameters
        ----------
        params : dict
            As in `step`.
        dstate : (dh,)
            All of ∂L/∂h_t, (N, H).
        cache : MinGRUCache
            From `step`.

        Returns
        -------
        dstate_prev : (dh_prev,)
        delta : (N, 2H)
            ∂L/∂(pre-activation) of z, n, which is ∂L/∂x_proj.
        """
        (dh,) = dstate
        h_prev, z, n = cache
        delta_z = dh * (n - h_prev) * sigmoid_derivative(z)  # (N, H)
        delta_n = dh * z  # (N, H)
        dh_prev = dh * (1.0 - z)  # (N, H)
        return (dh_prev,), np.concatenate([delta_z, delta_n], axis=1)

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[MinGRUCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        r"""Turn the deltas of all steps into the gradients: y = xW gives dW = xᵀ dy.

        xs is (T, N, D), caches and deltas are lists by step. Returns dxs (T, N, D) and the gradients by name.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, 2H)
        rows = delta.reshape(-1, 2 * H)  # (T·N, 2H)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, 2H)
            "b_h": rows.sum(axis=0),  # (2H,)
        }
