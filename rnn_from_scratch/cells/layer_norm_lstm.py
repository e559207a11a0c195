"""The LSTM with layer normalisation inside its step (Ba et al. 2016), and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import sigmoid, sigmoid_derivative, tanh_derivative
from ..arrays import Array, Params, State
from ..normalization import LayerNormCache, layer_norm, layer_norm_backward, layer_norm_param_grads
from .lstm import LSTMCell


class LayerNormLSTMCache(NamedTuple):
    """What one backward step needs."""

    h_prev: Array  # (N, H)
    c_prev: Array  # (N, H)
    i: Array  # (N, H)
    f: Array  # (N, H)
    g: Array  # (N, H)
    o: Array  # (N, H)
    tanh_c: Array  # (N, H), tanh of the normalised cell
    recurrent: LayerNormCache  # of h_{t−1} W_hh
    cell: LayerNormCache  # of c_t


class LayerNormLSTMDelta(NamedTuple):
    """Three places where the backward passes a normalisation or a bias."""

    gates: Array  # (N, 4H), ∂L/∂(pre-activation) of i, f, g, o
    recurrent: Array  # (N, 4H), ∂L/∂(h_{t−1} W_hh)
    cell: Array  # (N, H), ∂L/∂LN(c_t)


@dataclass(frozen=True)
class LayerNormLSTMCell:
    r"""An LSTM whose two products and whose cell are normalised over the units (article §4.4).

    .. math::
        a_t &= \mathrm{LN}(x_t W_{xh};\, g_x) + \mathrm{LN}(h_{t-1} W_{hh};\, g_h) + b_h \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad
        h_t = o_t \odot \tanh(\mathrm{LN}(c_t;\, g_c, b_c))

    i, f, o are σ and g is tanh of their blocks of a_t, in the order i, f, g, o, as in `LSTMCell`. A normalisation runs
    over all 4H columns of a product. The paper gives each of the two a bias and the gates a third; only their sum has
    an effect, so there is one b_h.

    Source: Ba, Kiros & Hinton (2016), eqs 20–22; notebook 11; tests/cells/test_layer_norm_lstm.py.
    """

    input_size: int
    hidden_size: int
    forget_bias: float = 1.0
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        validate.sizes("LayerNormLSTMCell", self, "input_size", "hidden_size")
        if self.hidden_size == 1:
            validate.fail(
                "LayerNormLSTMCell", "hidden_size is 1", "at least 2", "a single cell normalises to 0 whatever it holds"
            )
        validate.number("LayerNormLSTMCell", "forget_bias", self.forget_bias)
        because = "a row of equal numbers has variance 0, and only ε keeps it from being divided by 0, in float32 too"
        validate.number("LayerNormLSTMCell", "epsilon", self.epsilon, at_least=1e-30, because=because)

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh", "W_hh", "b_h"} as in `LSTMCell`, "g_x", "g_h" (4H,), "g_c", "b_c" (H,)."""
        D, H = self.input_size, self.hidden_size
        return {
            "W_xh": (D, 4 * H), "W_hh": (H, 4 * H), "b_h": (4 * H,),
            "g_x": (4 * H,), "g_h": (4 * H,), "g_c": (H,), "b_c": (H,),
        }

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the start of `LSTMCell`, gains of 1 and b_c = 0."""
        plain = LSTMCell(self.input_size, self.hidden_size, forget_bias=self.forget_bias)
        shapes = self.param_shapes()
        return {
            **plain.init_params(rng=rng, dtype=dtype),
            **{name: np.ones(shapes[name], dtype) for name in ("g_x", "g_h", "g_c")},
            "b_c": initializers.zeros(shapes["b_c"], dtype=dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0, c_0), both 0 and (N, H)."""
        return LSTMCell(self.input_size, self.hidden_size).initial_state(batch_size, dtype)

    def project(self, params: Params, xs: Array) -> Array:
        """Return LN(x_t W_xh; g_x) + b_h for all steps and gates at once: xs (T, N, D) to (T, N, 4H)."""
        projected, _ = layer_norm(xs @ params["W_xh"], params["g_x"], params["b_h"], self.epsilon)
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, LayerNormLSTMCache]:
        """Advance by one time step: x_proj (N, 4H) and (h_prev, c_prev) to (h, c) and the cache."""
        h_prev, c_prev = state
        recurrent, recurrent_cache = layer_norm(h_prev @ params["W_hh"], params["g_h"], 0.0, self.epsilon)
        a_i, a_f, a_g, a_o = np.split(x_proj + recurrent, 4, axis=1)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c = f * c_prev + i * g
        normalized, cell_cache = layer_norm(c, params["g_c"], params["b_c"], self.epsilon)
        tanh_c = np.tanh(normalized)
        h = o * tanh_c
        return (h, c), LayerNormLSTMCache(h_prev, c_prev, i, f, g, o, tanh_c, recurrent_cache, cell_cache)

    def step_backward(
        self, params: Params, dstate: State, cache: LayerNormLSTMCache
    ) -> tuple[State, LayerNormLSTMDelta]:
        """Take ∂L/∂(h_t, c_t) back as the LSTM does, through two normalisations on the way."""
        dh, dc_future = dstate
        _, c_prev, i, f, g, o, tanh_c, recurrent_cache, cell_cache = cache
        delta_o = dh * tanh_c * sigmoid_derivative(o)  # (N, H)
        dnormalized = dh * o * tanh_derivative(tanh_c)  # (N, H)
        dc = dc_future + layer_norm_backward(dnormalized, params["g_c"], cell_cache)  # (N, H)
        delta_i = dc * g * sigmoid_derivative(i)  # (N, H)
        delta_f = dc * c_prev * sigmoid_derivative(f)  # (N, H)
        delta_g = dc * i * tanh_derivative(g)  # (N, H)
        gates = np.concatenate([delta_i, delta_f, delta_g, delta_o], axis=1)  # (N, 4H)
        recurrent = layer_norm_backward(gates, params["g_h"], recurrent_cache)  # (N, 4H)
        dh_prev = recurrent @ params["W_hh"].T  # (N, H)
        return (dh_prev, dc * f), LayerNormLSTMDelta(gates, recurrent, dnormalized)

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[LayerNormLSTMCache], deltas: Sequence[LayerNormLSTMDelta]
    ) -> tuple[Array, Params]:
        """Turn the deltas of all steps into dxs (T, N, D) and the gradients by name; xs is (T, N, D)."""
        D, H = self.input_size, self.hidden_size
        gates = np.stack([delta.gates for delta in deltas])  # (T, N, 4H)
        recurrent = np.stack([delta.recurrent for delta in deltas])  # (T, N, 4H)
        dcell = np.stack([delta.cell for delta in deltas])  # (T, N, H)
        h_prev = np.stack([cache.h_prev for cache in caches])  # (T, N, H)
        # `project` keeps no cache; its normalisation is made again, all steps at once.
        _, input_cache = layer_norm(xs @ params["W_xh"], params["g_x"], params["b_h"], self.epsilon)
        dproduct = layer_norm_backward(gates, params["g_x"], input_cache)  # (T, N, 4H)
        dg_x, db_h = layer_norm_param_grads(gates, input_cache)  # (4H,)
        dg_h, _ = layer_norm_param_grads(gates, _stack([cache.recurrent for cache in caches]))  # (4H,)
        dg_c, db_c = layer_norm_param_grads(dcell, _stack([cache.cell for cache in caches]))  # (H,)
        dxs: Array = dproduct @ params["W_xh"].T  # (T, N, D)
        return dxs, {
            "W_xh": xs.reshape(-1, D).T @ dproduct.reshape(-1, 4 * H),  # (D, 4H)
            "W_hh": h_prev.reshape(-1, H).T @ recurrent.reshape(-1, 4 * H),  # (H, 4H)
            "b_h": db_h, "g_x": dg_x, "g_h": dg_h, "g_c": dg_c, "b_c": db_c,
        }


def _stack(caches: Sequence[LayerNormCache]) -> LayerNormCache:
    """Put the caches of all steps on a first axis."""
    return LayerNormCache(
        np.stack([cache.normalized for cache in caches]), np.stack([cache.deviation for cache in caches])
    )
