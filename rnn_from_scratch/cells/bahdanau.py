"""A cell that looks at a memory before each step (Bahdanau et al. 2015), around any cell; its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers
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


class BahdanauCache(NamedTuple):
    """What one backward step needs."""

    attention: AttentionCache
    context: Array  # (N, M)
    memory: Array  # (S, N, M)
    inner: Any  # the inner cell's


class BahdanauDelta(NamedTuple):
    """The deltas of the two parts."""

    attention: AttentionDelta
    inner: Array  # (N, G), the inner cell's ∂L/∂x_proj


@dataclass(frozen=True)
class BahdanauCell:
    r"""A decoder's cell that chooses what to read before it steps (article §5 Q4, E-ATT).

    .. math::
        c_t &= \sum_s \alpha_{ts} m_s, \qquad
               \alpha_t = \operatorname{softmax}(e(h_{t-1}, m_1), e(h_{t-1}, m_2), \dots) \\
        h_t &= \operatorname{cell}(x_t W_{xh} + c_t W_{ch} + b_h,\; h_{t-1})

    The inner cell is any whose delta is ∂L/∂x_proj: RNN, LSTM, GRU, IndRNN. The memory comes in through params,
    {"cell": {…}, "attention": {…}, "W_ch": (M, G), "memory": (S, N, M)}, and its gradient goes out under the same
    key. "memory_mask" (S, N), if it is there, is True where there is memory.

    Source: Bahdanau, Cho & Bengio (2015), §3.1 and appendix A.2.2 (there the cell is a GRU with its reset gate before
    the product, its z is our 1 − z, and W_ch is C_r, C_z, C); notebook 13; tests/cells/test_bahdanau.py.
    """

    cell: Cell
    attention: Attention

    def __post_init__(self) -> None:
        check_inner("BahdanauCell", self.cell, self.attention)

    @property
    def input_size(self) -> int:
        """D."""
        return self.cell.input_size

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.cell.hidden_size

    def param_shapes(self) -> Mapping[str, Any]:
        """Return {"cell": {…}, "attention": {…}, "W_ch": (M, G)}; G is the width of the cell's x_proj."""
        return {
            "cell": self.cell.param_shapes(), "attention": self.attention.param_shapes(),
            "W_ch": (self.attention.memory_size, projected_size(self.cell)),
        }

    def memory_shapes(self, S: int, N: int) -> Mapping[str, tuple[int, ...]]:
        """Return {"memory": (S, N, M)}: what comes in through params beside the weights."""
        return {"memory": (S, N, self.attention.memory_size)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the parts' own starts and Glorot uniform W_ch."""
        return {
            "cell": self.cell.init_params(rng=rng, dtype=dtype),
            "attention": self.attention.init_params(rng=rng, dtype=dtype),
            "W_ch": initializers.glorot_uniform(self.param_shapes()["W_ch"], rng=rng, dtype=dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return the inner cell's."""
        return self.cell.initial_state(batch_size, dtype)

    def project(self, params: Params, xs: Array) -> list[tuple[Array, Array]]:
        """Return (x_proj_t, keys) for each step: the keys wait for no step and are made once."""
        keys = self.attention.project_memory(params["attention"], params["memory"])
        return [(x_proj, keys) for x_proj in self.cell.project(params["cell"], xs)]

    def step(self, params: Params, x_proj: tuple[Array, Array], state: State) -> tuple[State, BahdanauCache]:
        """Advance by one time step: attend with h_{t−1}, then step with the context added to the projected input."""
        projected, keys = x_proj
        context, attention_cache = attend(
            self.attention, params["attention"], state[0], keys, params["memory"], params.get("memory_mask")
        )
        after, inner = self.cell.step(params["cell"], projected + context @ params["W_ch"], state)
        return after, BahdanauCache(attention_cache, context, params["memory"], inner)

    def step_backward(self, params: Params, dstate: State, cache: BahdanauCache) -> tuple[State, BahdanauDelta]:
        """Take ∂L/∂state back through the inner step, then through the attention to h_{t−1}, which was the query."""
        before, inner = self.cell.step_backward(params["cell"], dstate, cache.inner)
        dcontext = inner @ params["W_ch"].T  # (N, M)
        dquery, delta = attend_backward(
            self.attention, params["attention"], dcontext, cache.memory, cache.attention
        )
        return (before[0] + dquery, *before[1:]), BahdanauDelta(delta, inner)

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[BahdanauCache], deltas: Sequence[BahdanauDelta]
    ) -> tuple[Array, Params]:
        """Turn the deltas of all steps into dxs (T, N, D) and the gradients by name, among them the memory's."""
        inner = [delta.inner for delta in deltas]
        dxs, cell_grads = self.cell.param_grads(params["cell"], xs, [cache.inner for cache in caches], inner)
        contexts = np.stack([cache.context for cache in caches])  # (T, N, M)
        cache, delta = stack_queries([c.attention for c in caches], [d.attention for d in deltas])
        dmemory, attention_grads = attend_grads(self.attention, params["attention"], caches[0].memory, cache, delta)
        return dxs, {
            "cell": cell_grads, "attention": attention_grads,
            "W_ch": as_rows(contexts).T @ as_rows(np.stack(inner)),  # (M, G)
            "memory": dmemory,  # (S, N, M)
        }
