"""The contract of a cell: ONE time step, forward and directly below it backward.

A cell is a frozen dataclass that holds sizes and choices, never arrays. The time loop (`bptt.py`)
exists once and serves every cell that keeps this contract; `check_cell` proves that one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..arrays import Array, Params, State


class Cell(Protocol):
    """What the time loop needs of a cell. `rnn.py` beside this file is the example to copy.

    A state is a tuple of arrays (N, ·), also where there is only one; delta is ∂L/∂(pre-activation), an array or a
    NamedTuple that nobody but the cell looks into. "Linear, row by row" means that step_backward of a sum is the sum,
    and that row n of what comes out depends on row n of what goes in alone: masks rely on both.

    A cell that needs more than its weights, an attention's memory, says so by one more method,
    memory_shapes(S, N) -> {"memory": (S, N, M)}: such arrays come in through params and their gradients go out under
    the same keys. A mask of the memory is params["memory_mask"] (S, N), optional and without a gradient.
    """

    @property
    def input_size(self) -> int:
        """D, the numbers that come in at each step."""

    @property
    def hidden_size(self) -> int:
        """H, the numbers that the cell puts out at each step."""

    def param_shapes(self) -> Mapping[str, Any]:
        """Return the shape of every parameter by name; a cell made of parts nests them."""

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return new parameters."""

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return the state before the first step; state[0] is what the cell puts out."""

    def project(self, params: Params, xs: Array) -> Any:
        """Do what waits for no step, for all of them at once: (T, N, D) to (T, N, ·), one large product.

        A list of T things that `step` takes is allowed too.
        """

    def step(self, params: Params, x_proj: Any, state: State) -> tuple[State, Any]:
        """Advance by one step; return the new state and the cache that the backward needs."""

    def step_backward(self, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        """Take ∂L/∂(state after the step) to ∂L/∂(state before it) and delta; linear, row by row."""

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[Any], deltas: Sequence[Any]
    ) -> tuple[Array, Params]:
        """Turn the deltas of all steps into (dxs (T, N, D), grads by name), summed over time and batch."""
