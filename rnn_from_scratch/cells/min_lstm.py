"""The minimal LSTM, whose gates do not look at the state and add up to 1: one time step, and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..arrays import Array, Params, State


class NormalizedGates(NamedTuple):
    """i' and f', and their slopes; each in the shape of the pre-activations that they come from."""

    i: Array  # i' = i / (i + f)
    f: Array  # f' = f / (i + f) = 1 − i'
    i_slope: Array  # ∂i'/∂(pre-activation of i)
    f_slope: Array  # ∂f'/∂(pre-activation of f)


class MinLSTMCache(NamedTuple):
    """What one backward step needs."""

    h_prev: Array  # (N, H)
    gates: NormalizedGates  # (N, H) each
    g: Array  # (N, H)


def normalized_gates(x_i: Array, x_f: Array) -> NormalizedGates:
    r"""Return i' = i / (i + f) and f' = f / (i + f) for i = σ(x_i) and f = σ(x_f), and their slopes.

    Taken literally that is 0/0 where both gates are shut, in float32 from pre-activations of about −100. Since
    1/σ(x) = 1 + e^{−x}, multiplying through by 1/(i f) leaves sums of positive numbers,

    .. math:: i' = \frac{1 + e^{-x_f}}{S}, \qquad f' = \frac{1 + e^{-x_i}}{S}, \qquad S = 2 + e^{-x_i} + e^{-x_f},

    and e^m with m = min(0, x_i, x_f), multiplied into every term, keeps each of them at most 1 and S at least 1.
    The slopes are made of the same terms:

    .. math:: \frac{\partial i'}{\partial x_i} = i' f' (1 - i) = i' \frac{e^{-x_i}}{S}, \qquad
              \frac{\partial f'}{\partial x_f} = f' i' (1 - f) = f' \frac{e^{-x_f}}{S}

    and, since i' + f' = 1, ∂i'/∂x_f = −∂f'/∂x_f and ∂f'/∂x_i = −∂i'/∂x_i.

    Parameters
    ----------
    x_i, x_f : arrays of one shape
        The pre-activations. Where they are complex (the complex step), m comes from their real parts: it is real, so
        it cancels exactly.

    Returns
    -------
    NormalizedGates
    """
    m = np.minimum(np.minimum(x_i.real, x_f.real), np.zeros((), x_i.real.dtype))
    one, e_i, e_f = np.exp(m), np.exp(m - x_i), np.exp(m - x_f)
    open_i, open_f = one + e_f, one + e_i
    S = open_i + open_f
    i, f = open_i / S, open_f / S
    return NormalizedGates(i, f, i * e_i / S, f * e_f / S)


@dataclass(frozen=True)
class MinLSTMCell:
    r"""The minimal LSTM (minLSTM): an LSTM whose gates are functions of the input alone, without an output gate.

    .. math::
        i_t &= \sigma(x_t W_{xi} + b_i), \qquad f_t = \sigma(x_t W_{xf} + b_f) \\
        i'_t &= \frac{i_t}{i_t + f_t}, \qquad f'_t = \frac{f_t}{i_t + f_t} \\
        g_t &= x_t W_{xg} + b_g \\
        h_t &= f'_t \odot h_{t-1} + i'_t \odot g_t

    i' + f' = 1, so h is an average of candidates and of h_0: its scale does not depend on the length of the sequence
    (the paper's third step). Without an output gate and a tanh, the cell state and the hidden state are one. Given the
    inputs, h_t is linear in h_{t−1}, so that a whole sequence is one scan (`scan.py`), which runs in parallel in time.
    There is no W_hh: units mix in the layer above.

    This is the paper's vanilla form: the candidate has no activation and may be negative. (The paper writes h̃ for it;
    g is this package's and PyTorch's name for an LSTM's candidate.) The paper's log-space form instead passes it
    through a function, also called g, that is x + 1/2 (x ≥ 0) or σ(x) (x < 0), since a logarithm needs positive states:
    another function, with other weights. Here no logarithm is taken (`scan.py` says why), so none is needed.

    One matrix holds all three, W_xh (D, 3H), b_h (3H,), its columns in the order i, f, g, as in `LSTMCell`.

    Source: Feng et al. (2024), §3.2.4 and Algorithms 3 and 4 (appendix A.1.2; the function g in appendix B);
    tests/cells/test_min_lstm.py.
    """

    input_size: int
    hidden_size: int

    def __post_init__(self) -> None:
        validate.sizes("MinLSTMCell", self, "input_size", "hidden_size")

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, 3H), "b_h": (3H,)}."""
        D, H = self.input_size, self.hidden_size
        return {"W_xh": (D, 3 * H), "b_h": (3 * H,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return a Glorot uniform block for each of i, f, g, and zero biases: at first half of each state is kept."""
        D, H = self.input_size, self.hidden_size
        return {
            "W_xh": np.hstack([initializers.glorot_uniform((D, H), rng=rng, dtype=dtype) for _ in range(3)]),
            "b_h": initializers.zeros((3 * H,), dtype=dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0,) with h_0 = 0, shape (N, H)."""
        N = validate.size("MinLSTMCell.initial_state", "batch_size", batch_size)
        return (np.zeros((N, self.hidden_size), validate.float_dtype("MinLSTMCell.initial_state", dtype)),)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps at once: xs (T, N, D) to (T, N, 3H)."""
        projected: Array = xs @ params["W_xh"] + params["b_h"]
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, MinLSTMCache]:
        r"""Advance by one time step (Feng et al., Algorithm 3; the equations stand at the class).

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
        cache : MinLSTMCache
        """
        (h_prev,) = state
        x_i, x_f, g = np.split(x_proj, 3, axis=1)
        gates = normalized_gates(x_i, x_f)
        h = gates.f * h_prev + gates.i * g
        return (h,), MinLSTMCache(h_prev, gates, g)

    def step_backward(self, params: Params, dstate: State, cache: MinLSTMCache) -> tuple[State, Array]:
        r"""Take ∂L/∂h_t back through one time step; the slopes of i' and f' stand at `normalized_gates`.

        .. math::
            \delta^i &= dh_t \odot (g_t - h_{t-1}) \odot i'_t f'_t (1 - i_t), \qquad
            \delta^f = dh_t \odot (h_{t-1} - g_t) \odot f'_t i'_t (1 - f_t) \\
            \delta^g &= dh_t \odot i'_t, \qquad dh_{t-1} = dh_t \odot f'_t

        The differences come from i' + f' = 1: what opens one gate shuts the other.

        Parameters
        ----------
        params : dict
            As in `step`.
        dstate : (dh,)
            All of ∂L/∂h_t, (N, H).
        cache : MinLSTMCache
            From `step`.

        Returns
        -------
        dstate_prev : (dh_prev,)
        delta : (N, 3H)
            ∂L/∂(pre-activation) of i, f, g, which is ∂L/∂x_proj.
        """
        (dh,) = dstate
        h_prev, gates, g = cache
        delta_i = dh * (g - h_prev) * gates.i_slope  # (N, H)
        delta_f = dh * (h_prev - g) * gates.f_slope  # (N, H)
        delta_g = dh * gates.i  # (N, H)
        dh_prev = dh * gates.f  # (N, H)
        return (dh_prev,), np.concatenate([delta_i, delta_f, delta_g], axis=1)

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[MinLSTMCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        r"""Turn the deltas of all steps into the gradients: y = xW gives dW = xᵀ dy.

        xs is (T, N, D), caches and deltas are lists by step. Returns dxs (T, N, D) and the gradients by name.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, 3H)
        rows = delta.reshape(-1, 3 * H)  # (T·N, 3H)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, 3H)
            "b_h": rows.sum(axis=0),  # (3H,)
        }
