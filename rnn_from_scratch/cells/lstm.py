"""The LSTM cell with a forget gate, with or without peepholes: one time step, and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import sigmoid, sigmoid_derivative, tanh_derivative
from ..arrays import Array, Params, State

PEEPHOLES = ("w_ci", "w_cf", "w_co")


class LSTMCache(NamedTuple):
    """What one backward step needs. Each gate is kept as it came out: every derivative is written from the output."""

    h_prev: Array  # (N, H), for ∂W_hh
    c_prev: Array  # (N, H)
    i: Array  # (N, H)
    f: Array  # (N, H)
    g: Array  # (N, H)
    o: Array  # (N, H)
    c: Array  # (N, H), for the output gate's peephole
    tanh_c: Array  # (N, H)


@dataclass(frozen=True)
class LSTMCell:
    r"""The long short-term memory (article §5 Q1, E-LSTM).

    .. math::
        i_t &= \sigma(x_t W_{xi} + h_{t-1} W_{hi} + c_{t-1} \odot w_{ci} + b_i) \\
        f_t &= \sigma(x_t W_{xf} + h_{t-1} W_{hf} + c_{t-1} \odot w_{cf} + b_f) \\
        g_t &= \tanh(x_t W_{xg} + h_{t-1} W_{hg} + b_g) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        o_t &= \sigma(x_t W_{xo} + h_{t-1} W_{ho} + c_t \odot w_{co} + b_o) \\
        h_t &= o_t \odot \tanh(c_t)

    The article counts four gates. They are three, input i, forget f and output o, and one candidate g. The three
    terms with a lower-case w are the peepholes, absent unless `peepholes` is True: the gates look at the cell c,
    the output gate at the new one.

    One matrix holds all four, W_xh (D, 4H), W_hh (H, 4H), b_h (4H,), its columns in the order i, f, g, o.

    Source: Hochreiter & Schmidhuber (1997); the forget gate, Gers, Schmidhuber & Cummins (2000); peepholes, Gers &
    Schmidhuber (2000), here as Graves (2013), eqs 7–11; notebook 11; tests/cells/test_lstm.py.
    """

    input_size: int
    hidden_size: int
    peepholes: bool = False
    forget_bias: float = 1.0

    def __post_init__(self) -> None:
        validate.sizes("LSTMCell", self, "input_size", "hidden_size")
        validate.option("LSTMCell", "peepholes", self.peepholes, (False, True))
        validate.number("LSTMCell", "forget_bias", self.forget_bias)

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, 4H), "W_hh": (H, 4H), "b_h": (4H,)} and, with peepholes, "w_ci", "w_cf", "w_co" (H,)."""
        D, H = self.input_size, self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"W_xh": (D, 4 * H), "W_hh": (H, 4 * H), "b_h": (4 * H,)}
        if self.peepholes:
            shapes |= {name: (H,) for name in PEEPHOLES}
        return shapes

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return a Glorot uniform block and an orthogonal block for each gate, zero biases but for the forget gate's.

        That one starts at `forget_bias`, 1 by default, so that f ≈ 0.73 and the cell remembers before it has learned
        what to forget (Gers et al. 2000, §4; Jozefowicz et al. 2015). PyTorch starts it near 0. Peepholes start at 0.
        """
        D, H = self.input_size, self.hidden_size
        bias = initializers.zeros((4 * H,), dtype=dtype)
        bias[H : 2 * H] = self.forget_bias
        params = {
            "W_xh": np.hstack([initializers.glorot_uniform((D, H), rng=rng, dtype=dtype) for _ in range(4)]),
            "W_hh": np.hstack([initializers.orthogonal((H, H), rng=rng, dtype=dtype) for _ in range(4)]),
            "b_h": bias,
        }
        if self.peepholes:
            params |= {name: initializers.zeros((H,), dtype=dtype) for name in PEEPHOLES}
        return params

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0, c_0), both 0 and (N, H)."""
        N = validate.size("LSTMCell.initial_state", "batch_size", batch_size)
        dtype = validate.float_dtype("LSTMCell.initial_state", dtype)
        return np.zeros((N, self.hidden_size), dtype), np.zeros((N, self.hidden_size), dtype)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps and gates at once: xs (T, N, D) to (T, N, 4H)."""
        projected: Array = xs @ params["W_xh"] + params["b_h"]
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, LSTMCache]:
        r"""Advance by one time step (article E-LSTM; the equations stand at the class).

        Parameters
        ----------
        params : dict
            See `param_shapes`.
        x_proj : (N, 4H)
            The projected input x_t W_xh + b_h, from `project`.
        state : (h_prev, c_prev)
            Each (N, H).

        Returns
        -------
        state : (h, c)
        cache : LSTMCache
        """
        h_prev, c_prev = state
        a_i, a_f, a_g, a_o = np.split(x_proj + h_prev @ params["W_hh"], 4, axis=1)
        if self.peepholes:
            a_i = a_i + c_prev * params["w_ci"]
            a_f = a_f + c_prev * params["w_cf"]
        i, f, g = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g)
        c = f * c_prev + i * g
        if self.peepholes:
            a_o = a_o + c * params["w_co"]
        o = sigmoid(a_o)
        tanh_c = np.tanh(c)
        h = o * tanh_c
        return (h, c), LSTMCache(h_prev, c_prev, i, f, g, o, c, tanh_c)

    def step_backward(self, params: Params, dstate: State, cache: LSTMCache) -> tuple[State, Array]:
        r"""Take ∂L/∂(h_t, c_t) back through one time step (article E-LSTM).

        .. math::
            \delta^o &= dh_t \odot \tanh(c_t) \odot o_t (1 - o_t) \\
            dc_t &\mathrel{+}= dh_t \odot o_t (1 - \tanh^2 c_t) + \delta^o \odot w_{co} \\
            \delta^i &= dc_t \odot g_t \odot i_t (1 - i_t), \quad
            \delta^f = dc_t \odot c_{t-1} \odot f_t (1 - f_t), \quad
            \delta^g = dc_t \odot i_t \odot (1 - g_t^2) \\
            dc_{t-1} &= dc_t \odot f_t + \delta^i \odot w_{ci} + \delta^f \odot w_{cf}, \qquad
            dh_{t-1} = \delta W_{hh}^\top

        The first term of dc_{t−1} is the additive path: no matrix, no squashing, only f. Where f ≈ 1 it carries the
        gradient over many steps.

        Parameters
        ----------
        params : dict
            As in `step`.
        dstate : (dh, dc)
            All of ∂L/∂h_t, and what reaches c_t from later steps; each (N, H).
        cache : LSTMCache
            From `step`.

        Returns
        -------
        dstate_prev : (dh_prev, dc_prev)
        delta : (N, 4H)
            ∂L/∂(pre-activation) of i, f, g, o, which is ∂L/∂x_proj.
        """
        dh, dc_future = dstate
        _, c_prev, i, f, g, o, _, tanh_c = cache
        delta_o = dh * tanh_c * sigmoid_derivative(o)  # (N, H)
        dc = dc_future + dh * o * tanh_derivative(tanh_c)  # (N, H)
        if self.peepholes:
            dc = dc + delta_o * params["w_co"]  # o looked at the new c
        delta_i = dc * g * sigmoid_derivative(i)  # (N, H)
        delta_f = dc * c_prev * sigmoid_derivative(f)  # (N, H)
        delta_g = dc * i * tanh_derivative(g)  # (N, H)
        dc_prev = dc * f  # (N, H)
        if self.peepholes:
            dc_prev = dc_prev + delta_i * params["w_ci"] + delta_f * params["w_cf"]
        delta = np.concatenate([delta_i, delta_f, delta_g, delta_o], axis=1)  # (N, 4H)
        dh_prev = delta @ params["W_hh"].T  # (N, H)
        return (dh_prev, dc_prev), delta

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[LSTMCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        r"""Turn the deltas of all steps into the gradients: y = xW gives dW = xᵀ dy, and w ⊙ c gives dw = Σ c ⊙ δ.

        xs is (T, N, D), caches and deltas are lists by step. Returns dxs (T, N, D) and the gradients by name.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, 4H)
        rows = delta.reshape(-1, 4 * H)  # (T·N, 4H)
        h_prev = np.stack([cache.h_prev for cache in caches]).reshape(-1, H)  # (T·N, H)
        grads = {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, 4H)
            "W_hh": h_prev.T @ rows,  # (H, 4H)
            "b_h": rows.sum(axis=0),  # (4H,)
        }
        if self.peepholes:
            c_prev = np.stack([cache.c_prev for cache in caches]).reshape(-1, H)  # (T·N, H)
            c = np.stack([cache.c for cache in caches]).reshape(-1, H)  # (T·N, H)
            delta_i, delta_f, _, delta_o = np.split(rows, 4, axis=1)  # (T·N, H) each
            grads["w_ci"] = (c_prev * delta_i).sum(axis=0)  # (H,)
            grads["w_cf"] = (c_prev * delta_f).sum(axis=0)  # (H,)
            grads["w_co"] = (c * delta_o).sum(axis=0)  # (H,)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, grads
