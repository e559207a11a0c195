"""Cells whose recurrent matrix is a product of two thin ones: one time step each, and its backward by hand.

W_hh = U V has r·(H + G) numbers instead of H·G, G being H for the vanilla cell and 4H for the LSTM. A step multiplies
(h U) V and never makes U V, which would be as large, and as slow, as the matrix that it replaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import ACTIVATIONS
from ..arrays import Array, Params, State
from .lstm import LSTMCache, LSTMCell
from .rnn import RNNCache


def factor_grads(params: Params, h_prev: Array, rows: Array) -> Params:
    r"""Return ∂L/∂U and ∂L/∂V from h_{t−1} and δ_t of all steps, stacked as rows.

    .. math:: s_t = h_{t-1} U, \quad \frac{\partial L}{\partial V} = \sum_t s_t^\top \delta_t, \qquad
              ds_t = \delta_t V^\top, \quad \frac{\partial L}{\partial U} = \sum_t h_{t-1}^\top ds_t

    They are (∂L/∂W_hh) Vᵀ and Uᵀ (∂L/∂W_hh), taken in the order in which no product is as large as W_hh.

    Parameters
    ----------
    params : {"U": (H, r), "V": (r, G), …}
        The weights.
    h_prev : (T·N, H)
        The state before each step.
    rows : (T·N, G)
        The deltas.

    Returns
    -------
    {"U": (H, r), "V": (r, G)}
    """
    s = h_prev @ params["U"]  # (T·N, r)
    ds = rows @ params["V"].T  # (T·N, r)
    return {"U": h_prev.T @ ds, "V": s.T @ rows}


def _check_rank(where: str, cell: LowRankRNNCell | LowRankLSTMCell) -> None:
    """Refuse a rank above H."""
    if cell.rank > cell.hidden_size:
        validate.fail(
            where, f"rank is {cell.rank}", f"at most hidden_size={cell.hidden_size}",
            "h U has the rank H at most: more columns are more numbers, and no other function",
        )


def _start(H: int, r: int, blocks: int, rng: np.random.Generator, dtype: npt.DTypeLike) -> Params:
    """Return U with orthonormal columns and V = [Q_1 Uᵀ, Q_2 Uᵀ, …], each Q orthogonal (r, r).

    Each block U Q Uᵀ turns the r directions that U keeps and drops the others: its r eigenvalues that are not 0 have
    size 1, so that what is kept keeps its length, and for r = H it is the full cell's orthogonal start. (With U and V
    drawn apart they would be of size √(r/H), and h would fade from the first step on.)
    """
    U = initializers.orthogonal((H, r), rng=rng, dtype=dtype)
    V = np.hstack([initializers.orthogonal((r, r), rng=rng, dtype=dtype) @ U.T for _ in range(blocks)])
    return {"U": U, "V": V}


@dataclass(frozen=True)
class LowRankRNNCell:
    r"""The vanilla RNN (article E2.1a) with a recurrent matrix of rank r (article §1.2: fewer parameters).

    .. math:: h_t = f(a_t), \qquad a_t = x_t W_{xh} + (h_{t-1} U) V + b_h

    2Hr recurrent weights stand where the vanilla cell has H², fewer for r < H/2. All that h_{t−1} can say to the next
    step goes through r numbers.

    Source: Kuchaiev & Ginsburg (2017), where the factored matrix is an LSTM's, inputs included; article §1.2, §4.3;
    tests/cells/test_low_rank.py.
    """

    input_size: int
    hidden_size: int
    rank: int
    activation: str = "tanh"

    def __post_init__(self) -> None:
        validate.sizes("LowRankRNNCell", self, "input_size", "hidden_size", "rank")
        _check_rank("LowRankRNNCell", self)
        validate.option("LowRankRNNCell", "activation", self.activation, ACTIVATIONS)

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, H), "U": (H, r), "V": (r, H), "b_h": (H,)}."""
        D, H, r = self.input_size, self.hidden_size, self.rank
        return {"W_xh": (D, H), "U": (H, r), "V": (r, H), "b_h": (H,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return Glorot uniform W_xh, U with orthonormal columns, V = Q Uᵀ with an orthogonal Q, zero b_h.

        The r directions that U keeps start as an orthogonal matrix of their own; for r = H it is `RNNCell`'s start.
        """
        shapes = self.param_shapes()
        return {
            "W_xh": initializers.glorot_uniform(shapes["W_xh"], rng=rng, dtype=dtype),
            **_start(self.hidden_size, self.rank, 1, rng, dtype),
            "b_h": initializers.zeros(shapes["b_h"], dtype=dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0,) with h_0 = 0, shape (N, H)."""
        N = validate.size("LowRankRNNCell.initial_state", "batch_size", batch_size)
        return (np.zeros((N, self.hidden_size), validate.float_dtype("LowRankRNNCell.initial_state", dtype)),)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps at once: xs (T, N, D) to (T, N, H)."""
        projected: Array = xs @ params["W_xh"] + params["b_h"]
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, RNNCache]:
        """Advance by one time step: x_proj (N, H) and (h_prev,) to (h,) and the cache, as in `RNNCell.step`.

        (h U) V takes 2NHr multiplications where h W_hh takes NH². s = h U is not kept: `param_grads` makes it anew
        for all steps in one product.
        """
        (h_prev,) = state
        s = h_prev @ params["U"]  # (N, r)
        h = ACTIVATIONS[self.activation].function(x_proj + s @ params["V"])
        return (h,), RNNCache(h_prev, h)

    def step_backward(self, params: Params, dstate: State, cache: RNNCache) -> tuple[State, Array]:
        r"""Take ∂L/∂h_t back through one time step, to dh_prev (N, H) and delta (N, H).

        .. math:: \delta_t = dh_t \odot f'(a_t), \qquad ds_t = \delta_t V^\top, \qquad
                  \frac{\partial L}{\partial h_{t-1}} = ds_t U^\top
        """
        (dh,) = dstate
        delta = dh * ACTIVATIONS[self.activation].derivative(cache.h)  # (N, H)
        ds = delta @ params["V"].T  # (N, r)
        dh_prev = ds @ params["U"].T  # (N, H)
        return (dh_prev,), delta

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[RNNCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        """Turn the deltas of all steps into the gradients: U's and V's by `factor_grads`, the others as in `RNNCell`.

        xs is (T, N, D), caches and deltas are lists by step. Returns dxs (T, N, D) and the gradients by name.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, H)
        rows = delta.reshape(-1, H)  # (T·N, H)
        h_prev = np.stack([cache.h_prev for cache in caches]).reshape(-1, H)  # (T·N, H)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, H)
            **factor_grads(params, h_prev, rows),
            "b_h": rows.sum(axis=0),  # (H,)
        }


@dataclass(frozen=True)
class LowRankLSTMCell:
    r"""The LSTM with a recurrent matrix of rank r: all gates see h_{t−1} through the same r numbers s.

    .. math::
        s_t &= h_{t-1} U \\
        i_t, f_t, o_t &= \sigma(x_t W_{x\cdot} + s_t V_{\cdot} + b_{\cdot}), \qquad
        g_t = \tanh(x_t W_{xg} + s_t V_g + b_g) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)

    It is `LSTMCell` with s in the place of h_{t−1} and V in the place of W_hh, and its step is that cell's. 5Hr
    recurrent weights stand where the LSTM has 4H², fewer for r < 4H/5 (article §1.2, §4.3).

    V (r, 4H) has its columns in the order i, f, g, o, as W_xh and b_h have.

    Source: Kuchaiev & Ginsburg (2017): they factor the matrix of x and h together, here W_xh stays whole, since
    it waits for no step; tests/cells/test_low_rank.py.
    """

    input_size: int
    hidden_size: int
    rank: int
    forget_bias: float = 1.0

    def __post_init__(self) -> None:
        validate.sizes("LowRankLSTMCell", self, "input_size", "hidden_size", "rank")
        _check_rank("LowRankLSTMCell", self)
        validate.number("LowRankLSTMCell", "forget_bias", self.forget_bias)

    @cached_property
    def _full(self) -> LSTMCell:
        """The LSTM whose equations these are."""
        return LSTMCell(self.input_size, self.hidden_size, forget_bias=self.forget_bias)

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, 4H), "U": (H, r), "V": (r, 4H), "b_h": (4H,)}."""
        D, H, r = self.input_size, self.hidden_size, self.rank
        return {"W_xh": (D, 4 * H), "U": (H, r), "V": (r, 4 * H), "b_h": (4 * H,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return `LSTMCell`'s start, with W_hh's four blocks as U Q Uᵀ: orthogonal in the r directions that U keeps."""
        params = self._full.init_params(rng=rng, dtype=dtype)
        return {"W_xh": params["W_xh"], **_start(self.hidden_size, self.rank, 4, rng, dtype), "b_h": params["b_h"]}

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0, c_0), both 0 and (N, H)."""
        N = validate.size("LowRankLSTMCell.initial_state", "batch_size", batch_size)
        dtype = validate.float_dtype("LowRankLSTMCell.initial_state", dtype)
        return np.zeros((N, self.hidden_size), dtype), np.zeros((N, self.hidden_size), dtype)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps and gates at once: xs (T, N, D) to (T, N, 4H)."""
        return self._full.project(params, xs)

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, LSTMCache]:
        """Advance by one time step: x_proj (N, 4H) and (h_prev, c_prev) to (h, c) and the cache, as in `LSTMCell`."""
        h_prev, c_prev = state
        s = h_prev @ params["U"]  # (N, r)
        after, cache = self._full.step({"W_hh": params["V"]}, x_proj, (s, c_prev))
        return after, cache._replace(h_prev=h_prev)  # `param_grads` makes s anew, for all steps in one product

    def step_backward(self, params: Params, dstate: State, cache: LSTMCache) -> tuple[State, Array]:
        r"""Take ∂L/∂(h_t, c_t) back through one time step: `LSTMCell`'s own gives ds, and dh_{t−1} = ds Uᵀ.

        Each part of dstate and dstate_prev is (N, H); delta is (N, 4H).
        """
        (ds, dc_prev), delta = self._full.step_backward({"W_hh": params["V"]}, dstate, cache)  # ds (N, r)
        dh_prev = ds @ params["U"].T  # (N, H)
        return (dh_prev, dc_prev), delta

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[LSTMCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        """Turn the deltas of all steps into the gradients: U's and V's by `factor_grads`, the others as in `LSTMCell`.

        xs is (T, N, D), caches and deltas are lists by step. Returns dxs (T, N, D) and the gradients by name.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, 4H)
        rows = delta.reshape(-1, 4 * H)  # (T·N, 4H)
        h_prev = np.stack([cache.h_prev for cache in caches]).reshape(-1, H)  # (T·N, H)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, 4H)
            **factor_grads(params, h_prev, rows),
            "b_h": rows.sum(axis=0),  # (4H,)
        }
