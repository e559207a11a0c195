"""A cell that looks at a memory after each step (Luong et al. 2015), around any cell; its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..activations import tanh_derivative
from ..arrays import Array, Params, State
from ..attention import (
    Attention,
    AttentionCache,
    AttentionDelta,
    attend,
    attend_backward,
    attend_grads,
    stack_queries,
)
from .attending import as_rows, check_inner, projected_size
from .base import Cell


class LuongCache(NamedTuple):
    """What one backward step needs."""

    fed: Array  # (N, H), h̃_{t−1}
    inner: Any  # the inner cell's
    attention: AttentionCache
    memory: Array  # (S, N, M)
    joined: Array  # (N, M + H), [c_t; h_t]
    h_tilde: Array  # (N, H)


class LuongDelta(NamedTuple):
    """The deltas of the three parts."""

    tilde: Array  # (N, H), ∂L/∂(pre-activation) of h̃_t
    attention: AttentionDelta
    inner: Array  # (N, G), the inner cell's ∂L/∂x_proj


@dataclass(frozen=True)
class LuongCell:
    r"""A decoder's cell that steps and then chooses what to read (article §5 Q4, E-ATT).

    .. math::
        h_t &= \operatorname{cell}(x_t W_{xh} + \tilde h_{t-1} W_{feed} + b_h,\; h_{t-1}) \\
        c_t &= \sum_s \alpha_{ts} m_s, \qquad \alpha_t = \operatorname{softmax}(e(h_t, m_1), e(h_t, m_2), \dots) \\
        \tilde h_t &= \tanh([c_t; h_t]\, W_c)

    It puts out h̃_t, so that is state[0]; the inner cell's state stands after it. With `input_feeding` the next step
    sees what this one has read; without, the term with W_feed is absent. Inner cell, memory and its mask as in
    `BahdanauCell`: params {"cell": {…}, "attention": {…}, "W_c": (M + H, H), "W_feed": (H, G), "memory": (S, N, M)}.

    Source: Luong, Pham & Manning (2015), eqs 5 and 7, §3.3 (input feeding: h̃_{t−1} stands beside x_t, which is this
    sum); notebook 13; tests/cells/test_luong.py.
    """

    cell: Cell
    attention: Attention
    input_feeding: bool = True

    def __post_init__(self) -> None:
        check_inner("LuongCell", self.cell, self.attention)
        validate.option("LuongCell", "input_feeding", self.input_feeding, (True, False))

    @property
    def input_size(self) -> int:
        """D."""
        return self.cell.input_size

    @property
    def hidden_size(self) -> int:
        """H, of h and of h̃."""
        return self.cell.hidden_size

    def param_shapes(self) -> Mapping[str, Any]:
        """Return {"cell": {…}, "attention": {…}, "W_c": (M + H, H)} and, with input feeding, "W_feed" (H, G)."""
        H = self.hidden_size
        shapes: dict[str, Any] = {
            "cell": self.cell.param_shapes(), "attention": self.attention.param_shapes(),
            "W_c": (self.attention.memory_size + H, H),
        }
        if self.input_feeding:
            shapes["W_feed"] = (H, projected_size(self.cell))
        return shapes

    def memory_shapes(self, S: int, N: int) -> Mapping[str, tuple[int, ...]]:
        """Return {"memory": (S, N, M)}: what comes in through params beside the weights."""
        return {"memory": (S, N, self.attention.memory_size)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the parts' own starts, Glorot uniform W_c and W_feed."""
        shapes = self.param_shapes()
        own = [name for name in ("W_c", "W_feed") if name in shapes]
        return {
            "cell": self.cell.init_params(rng=rng, dtype=dtype),
            "attention": self.attention.init_params(rng=rng, dtype=dtype),
            **{name: initializers.glorot_uniform(shapes[name], rng=rng, dtype=dtype) for name in own},
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h̃_0, …the inner cell's) with h̃_0 = 0."""
        inner = self.cell.initial_state(batch_size, dtype)
        return np.zeros_like(inner[0]), *inner

    def project(self, params: Params, xs: Array) -> list[tuple[Array, Array]]:
        """Return (x_proj_t, keys) for each step: the keys wait for no step and are made once."""
        keys = self.attention.project_memory(params["attention"], params["memory"])
        return [(x_proj, keys) for x_proj in self.cell.project(params["cell"], xs)]

    def step(self, params: Params, x_proj: tuple[Array, Array], state: State) -> tuple[State, LuongCache]:
        """Advance by one time step: step, attend with the new h_t, join the two."""
        projected, keys = x_proj
        fed, *before = state
        if self.input_feeding:
            projected = projected + fed @ params["W_feed"]
        after, inner = self.cell.step(params["cell"], projected, tuple(before))
        context, attention_cache = attend(
            self.attention, params["attention"], after[0], keys, params["memory"], params.get("memory_mask")
        )
        joined = np.concatenate([context, after[0]], axis=1)
        h_tilde = np.tanh(joined @ params["W_c"])
        return (h_tilde, *after), LuongCache(fed, inner, attention_cache, params["memory"], joined, h_tilde)

    def step_backward(self, params: Params, dstate: State, cache: LuongCache) -> tuple[State, LuongDelta]:
        """Take ∂L/∂(h̃_t, h_t, …) back: h_t went into h̃_t directly, as the query, and into the next step."""
        dtilde, dh, *dothers = dstate
        tilde = dtilde * tanh_derivative(cache.h_tilde)  # (N, H)
        dcontext, dh_joined = np.split(tilde @ params["W_c"].T, [self.attention.memory_size], axis=1)  # (N, M), (N, H)
        dquery, delta = attend_backward(
            self.attention, params["attention"], dcontext, cache.memory, cache.attention
        )
        dinner = (dh + dh_joined + dquery, *dothers)
        before, inner = self.cell.step_backward(params["cell"], dinner, cache.inner)
        dfed = inner @ params["W_feed"].T if self.input_feeding else np.zeros_like(dtilde)  # (N, H)
        return (dfed, *before), LuongDelta(tilde, delta, inner)

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[LuongCache], deltas: Sequence[LuongDelta]
    ) -> tuple[Array, Params]:
        """Turn the deltas of all steps into dxs (T, N, D) and the gradients by name, among them the memory's."""
        inner = [delta.inner for delta in deltas]
        dxs, cell_grads = self.cell.param_grads(params["cell"], xs, [cache.inner for cache in caches], inner)
        cache, delta = stack_queries([c.attention for c in caches], [d.attention for d in deltas])
        dmemory, attention_grads = attend_grads(self.attention, params["attention"], caches[0].memory, cache, delta)
        joined, tilde = np.stack([c.joined for c in caches]), np.stack([d.tilde for d in deltas])
        grads = {
            "cell": cell_grads, "attention": attention_grads,
            "W_c": as_rows(joined).T @ as_rows(tilde),  # (M + H, H)
            "memory": dmemory,  # (S, N, M)
        }
        if self.input_feeding:
            fed = np.stack([c.fed for c in caches])
            grads["W_feed"] = as_rows(fed).T @ as_rows(np.stack(inner))  # (H, G)
        return dxs, grads
