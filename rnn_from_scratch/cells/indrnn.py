"""The independently recurrent cell: each unit sees only its own past. One time step, and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import ACTIVATIONS
from ..arrays import Array, Params, State
from .rnn import RNNCache


@dataclass(frozen=True)
class IndRNNCell:
    r"""The independently recurrent network (IndRNN): W_hh is diagonal, so it is a vector u.

    .. math:: h_t = f(a_t), \qquad a_t = x_t W_{xh} + u \odot h_{t-1} + b_h

    H recurrent weights stand where the vanilla cell has H² (article §1.2: fewer parameters), and each unit's gradient
    over time is a product of its own numbers u_j f'(a): one sees from u_j alone whether it vanishes or explodes.
    Units mix in the layer above.

    Source: Li et al. (2018), eq. 2 (f is ReLU there); notebook 11; tests/cells/test_indrnn.py.
    """

    input_size: int
    hidden_size: int
    activation: str = "relu"

    def __post_init__(self) -> None:
        validate.sizes("IndRNNCell", self, "input_size", "hidden_size")
        validate.option("IndRNNCell", "activation", self.activation, ACTIVATIONS)

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, H), "u": (H,), "b_h": (H,)}."""
        D, H = self.input_size, self.hidden_size
        return {"W_xh": (D, H), "u": (H,), "b_h": (H,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return Glorot uniform W_xh, u from U(0, 1), zero b_h.

        U(0, 1) gives units of every memory from one step to very many, and none that explodes: the authors' own choice
        for ReLU. Where the last step alone is read, they start the last layer near 1.
        """
        shapes = self.param_shapes()
        return {
            "W_xh": initializers.glorot_uniform(shapes["W_xh"], rng=rng, dtype=dtype),
            "u": validate.generator("IndRNNCell.init_params", rng).uniform(0.0, 1.0, shapes["u"]).astype(dtype),
            "b_h": initializers.zeros(shapes["b_h"], dtype=dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0,) with h_0 = 0, shape (N, H)."""
        N = validate.size("IndRNNCell.initial_state", "batch_size", batch_size)
        return (np.zeros((N, self.hidden_size), validate.float_dtype("IndRNNCell.initial_state", dtype)),)

    def project(self, params: Params, xs: Array) -> Array:
        """Return x_t W_xh + b_h for all steps at once: xs (T, N, D) to (T, N, H)."""
        projected: Array = xs @ params["W_xh"] + params["b_h"]
        return projected

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, RNNCache]:
        """Advance by one time step: x_proj (N, H) and (h_prev,) to (h,) and the cache, as in `RNNCell.step`."""
        (h_prev,) = state
        h = ACTIVATIONS[self.activation].function(x_proj + params["u"] * h_prev)
        return (h,), RNNCache(h_prev, h)

    def step_backward(self, params: Params, dstate: State, cache: RNNCache) -> tuple[State, Array]:
        r"""Take ∂L/∂h_t back through one time step: δ_t = dh_t ⊙ f'(a_t), ∂L/∂h_{t−1} = u ⊙ δ_t. All (N, H)."""
        (dh,) = dstate
        delta = dh * ACTIVATIONS[self.activation].derivative(cache.h)  # (N, H)
        dh_prev = delta * params["u"]  # (N, H)
        return (dh_prev,), delta

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[RNNCache], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        r"""Turn the deltas of all steps into the gradients; ∂L/∂u = Σ_t h_{t−1} ⊙ δ_t, the diagonal of h_{t−1}ᵀ δ_t.

        xs is (T, N, D), caches and deltas are lists by step. Returns dxs (T, N, D) and the gradients by name.
        """
        D, H = self.input_size, self.hidden_size
        delta = np.stack(deltas)  # (T, N, H)
        rows = delta.reshape(-1, H)  # (T·N, H)
        h_prev = np.stack([cache.h_prev for cache in caches]).reshape(-1, H)  # (T·N, H)
        dxs: Array = delta @ params["W_xh"].T  # (T, N, D)
        return dxs, {
            "W_xh": xs.reshape(-1, D).T @ rows,  # (D, H)
            "u": (h_prev * rows).sum(axis=0),  # (H,)
            "b_h": rows.sum(axis=0),  # (H,)
        }
