"""The LSTM with coupled gates, i = 1 − f: three blocks of weights instead of four. One step, and its backward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import sigmoid, sigmoid_derivative, tanh_derivative
from ..arrays import Array, Params, State


class CoupledLSTMCache(NamedTuple):
    """What one backward step needs. Each gate is kept as it came out: every derivative is written from the output."""

    h_prev: Array  # (N, H), for ∂W_hh
    c_prev: Array  # (N, H)
    f: Array  # (N, H)
    g: Array  # (N, H)
    o: Array  # (N, H)
    tanh_c: Array  # (N, H)


@dataclass(frozen=True)
class CoupledLSTMCell:
    r"""The LSTM with coupled input and forget gate (CIFG): it writes as much as it forgets.

    .. math::
        f_t &= \sigma(x_t W_{xf} + h_{t-1} W_{hf} + b_f) \\
        g_t &= \tanh(x_t W_{xg} + h_{t-1} W_{hg} + b_g) \\
        o_t &= \sigma(x_t W_{xo} + h_{t-1} W_{ho} + b_o) \\
        c_t &= f_t \odot c_{t-1} + (1 - f_t) \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)

    A quarter of the LSTM's weights is gone (article §1.2, §4.3). c is a weighted mean of c_{t−1} and g, so with
    |c_0| ≤ 1 it stays within −1 … 1: such a cell cannot count. The GRU's
    update gate couples its two in the same way.

    One matrix holds the three, W_xh (D, 3H), W_hh (H, 3H), b_h (3H,), its columns in the order f, g, o.

    Source: Greff et al. (2017), the variant CIFG, who write f = 1 − i and keep peepholes: the weights of i are those
    of f with the other sign, since 1 − σ(a) = σ(−a); tests/cells/test_coupled_lstm.py.
    """

    input_size: int
    hidden_size: int
    forget_bias: float = 1.0

    def __post_init__(self) -> None:
        validate.sizes("CoupledLSTMCell", self, "input_size", "hidden_size")
        validate.number("CoupledLSTMCell", "forget_bias", self.forget_bias)

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, 3H), "W_hh": (H, 3H), "b_h": (3H,)}."""
        D, H = self.input_size, self.hidden_size
        return {"W_xh": (D, 3 * H), "W_hh": (H, 3 * H), "b_h": (3 * H,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the start of `LSTMCell`: Glorot uniform and orthogonal blocks, `forget_bias` in the forget gate.

        With 1, the default, f ≈ 0.73, and so 1 − f ≈ 0.27: what makes it remember makes it slow to write.
        """
        D, H = self.input_size, self.hidden_size
        bias = initializers.zeros((3 * H,), dtype=dtype)
        bias[:H] = self.forget_bias
        return {
            "W_xh": np.hstack([initializers.glorot_uniform((D, H), rng=rng, dtype=dtype) for _ in range(3)]),
            "W_hh": np.hstack([initializers.orthogonal((H, H), rng=rng, dtype=dtype) for _ in range(3)]),
            "b_h": bias,
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0, c_0), both 0 and (N, H)."""
        N = validate.size("CoupledLSTMCell.initial_state", "batch_size", batch_size)
        dtype = validate.float_dtype("CoupledLSTMCell.initial_state", dtype)
        return np.zeros((N, self.hidden_size), dtype), np.zeros((N, self.hidden_size), dtype)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps and gates at once: xs (T, N, D) to (T, N, 3H)."""
        projected: Array = xs @ params["W_xh"] + params["b_h"]
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, CoupledLSTMCache]:
        """Advance by one time step: x_proj (N, 3H) and (h_prev, c_prev) to (h, c) and the cache."""
        h_prev, c_prev = state
        a_f, a_g, a_o = np.split(x_proj + h_prev @ params["W_hh"], 3, axis=1)
        f, g, o = sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c = f * c_prev + (1.0 - f) * g
        tanh_c = np.tanh(c)
        return (o * tanh_c, c), CoupledLSTMCache(h_prev, c_prev, f, g, o, tanh_c)

    def step_backward(self, params: Params, dstate: State, cache: CoupledLSTMCache) -> tuple[State, Array]:
        r"""Take ∂L/∂(h_t, c_t) back through one time step.

        .. math::
            \delta^o &= dh_t \odot \tanh(c_t) \odot o_t (1 - o_t), \qquad
            dc_t \mathrel{+}= dh_t \odot o_t (1 - \tanh^2 c_t) \\
            \delta^f &= dc_t \odot (c_{t-1} - g_t) \odot f_t (1 - f_t), \qquad
            \delta^g = dc_t \odot (1 - f_t) (1 - g_t^2) \\
            dc_{t-1} &= dc_t \odot f_t, \qquad dh_{t-1} = \delta W_{hh}^\top

        One gate, two uses: δ^f is the difference of what the LSTM's forget and input gate would get.

        Parameters
        ----------
        params : dict
            See `param_shapes`.
        dstate : (dh, dc)
            All of ∂L/∂h_t, and what reaches c_t from later steps; each (N, H).
        cache : CoupledLSTMCache
            From `step`.

        Returns
        -------
        dstate_prev : (dh_prev, dc_prev)
        delta : (N, 3H)
            ∂L/∂(pre-activation) of f, g, o, which is ∂L/∂x_proj.
        """
        dh, dc_future = dstate
        _, c_prev, f, g, o, tanh_c = cache
        delta_o = dh * tanh_c * sigmoid_derivative(o)  # (N, H)
        dc = dc_future + dh * o * tanh_derivative(tanh_c)  # (N, H)
        delta_f = dc * (c_prev - g) * sigmoid_derivative(f)  # (N, H)
        delta_g = dc * (1.0 - f) * tanh_derivative(g)  # (N, H)
        delta = np.concatenate([delta_f, delta_g, delta_o], axis=1)  # (N, 3H)
        dh_prev = delta @ params["W_hh"].T  # (N, H)
        return (dh_prev, dc * f), delta

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[CoupledLSTMCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        """Turn the deltas of all steps into the gradients: y = xW gives dW = xᵀ dy.

        xs is (T, N, D), caches and deltas are lists by step. Returns dxs (T, N, D) and the gradients by name.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, 3H)
        rows = delta.reshape(-1, 3 * H)  # (T·N, 3H)
        h_prev = np.stack([cache.h_prev for cache in caches]).reshape(-1, H)  # (T·N, H)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, 3H)
            "W_hh": h_prev.T @ rows,  # (H, 3H)
            "b_h": rows.sum(axis=0),  # (3H,)
        }
