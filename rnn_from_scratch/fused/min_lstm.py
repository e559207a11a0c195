"""The minimal LSTM over a whole sequence: products, element-wise functions, and a scan with a = f', b = i' ⊙ g."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Array, Params, State
from ..cells.min_lstm import MinLSTMCell, NormalizedGates, normalized_gates
from .scanned import Chunk, scan_chunks_backward, scan_forward

FACTORS = (1.0, 1.0, 1.0)


class Kept(NamedTuple):
    """What `_deltas` needs of a chunk, (t·N, H) each."""

    gates: NormalizedGates
    g: Array


def fits(cell: MinLSTMCell) -> bool:
    """Tell whether the kernel computes this cell: it has no choices."""
    return isinstance(cell, MinLSTMCell)


def forward(
    cell: MinLSTMCell, params: Params, xs: Array, state: State, mask: Array | None, *, keep: bool
) -> tuple[Array, State, list[Chunk] | None]:
    """Run the cell over a whole sequence; the equations stand at `MinLSTMCell`."""
    return scan_forward(cell, _gates, FACTORS, params, xs, state, mask, keep)


def backward(
    cell: MinLSTMCell, params: Params, dhs: Array, saved: list[Chunk], dfinal_state: State | None, *, input_grad: bool
) -> tuple[Array | None, State, Params]:
    """Take ∂L/∂hs and ∂L/∂(final state) back."""
    return scan_chunks_backward(cell, _deltas, params, dhs, saved, dfinal_state, input_grad)


def _gates(x_proj: list[Array]) -> tuple[Array, Array, Kept]:
    """Return a = f', b = i' ⊙ g, and what the deltas need."""
    x_i, x_f, g = x_proj
    gates = normalized_gates(x_i, x_f)
    return gates.f, gates.i * g, Kept(gates, g)


def _deltas(da: Array, db: Array, kept: Kept, out: list[Array]) -> None:
    """Write δⁱ = ∂L/∂i' ⊙ ∂i'/∂x_i, δᶠ = −∂L/∂i' ⊙ ∂f'/∂x_f and δᵍ = ∂L/∂b ⊙ i', ∂L/∂i' being ∂L/∂b ⊙ g − ∂L/∂a."""
    delta_i, delta_f, delta_g = out
    (i, _, i_slope, f_slope), g = kept
    di = db * g - da  # f' = 1 − i': what i' gains, f' loses
    np.multiply(di, i_slope, delta_i)
    np.multiply(-di, f_slope, delta_f)
    np.multiply(db, i, delta_g)
