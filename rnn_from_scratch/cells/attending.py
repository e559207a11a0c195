"""What the two attention cells share: the checks of their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array


def check_inner(where: str, cell: Any, attention: Any) -> None:
    """Refuse a cell that cannot stand inside an attention cell, or an attention of other sizes."""
    if isinstance(cell, type) or not hasattr(cell, "step_backward") or hasattr(cell, "memory_shapes"):
        validate.fail(
            where, f"cell is {cell!r:.60}", "a cell without a memory, such as GRUCell(3, 4)",
            "the attention stands around a cell's step", error=validate.DtypeError,
        )
    if not _adds_inputs(cell):
        validate.fail(
            where, f"cell is {cell!r:.60}", "a cell whose delta is ∂L/∂x_proj, such as RNNCell, LSTMCell, GRUCell",
            "the context is added to x_proj, so its gradient must be known",
        )
    if isinstance(attention, type) or not hasattr(attention, "query_grad"):
        validate.fail(
            where, f"attention is {attention!r:.60}", "AdditiveAttention(…) or MultiplicativeAttention(…)",
            error=validate.DtypeError,
        )
    if attention.query_size != cell.hidden_size:
        validate.fail(
            where, f"attention.query_size is {attention.query_size}", f"{cell.hidden_size}",
            "the query is the cell's h, of hidden_size",
        )


def _adds_inputs(cell: Any) -> bool:
    """Take one step at zero to see whether delta has the form of x_proj (what `delta` holds is the cell's own)."""
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    x_proj = cell.project(params, np.zeros((1, 1, cell.input_size)))[0]
    state, cache = cell.step(params, x_proj, cell.initial_state(1))
    delta = cell.step_backward(params, state, cache)[1]
    return isinstance(delta, np.ndarray) and delta.shape == x_proj.shape


def projected_size(cell: Any) -> int:
    """Return G, the width of the cell's x_proj: H for an RNN, 4H for an LSTM, 3H for a GRU."""
    params = {name: np.zeros(shape) for name, shape in cell.param_shapes().items()}
    return int(cell.project(params, np.zeros((1, 1, cell.input_size))).shape[-1])


def as_rows(array: Array) -> Array:
    """Return (T, N, K) as T·N rows, (T·N, K)."""
    return array.reshape(-1, array.shape[-1])
