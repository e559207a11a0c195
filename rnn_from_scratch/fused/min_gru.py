"""The minimal GRU over a whole sequence: products, element-wise functions, and a scan with a = 1 − z, b = z ⊙ n."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Array, Params, State
from ..cells.min_gru import MinGRUCell
from .scanned import Chunk, scan_chunks_backward, scan_forward

# σ(x) = (1 + tanh(x/2)) / 2: the block of z comes halved.
FACTORS = (0.5, 1.0)


class Kept(NamedTuple):
    """What `_deltas` needs of a chunk, (t·N, H) each."""

    a: Array  # 1 − z
    n: Array


def fits(cell: MinGRUCell) -> bool:
    """Tell whether the kernel computes this cell: it has no choices."""
    return isinstance(cell, MinGRUCell)


def forward(
    cell: MinGRUCell, params: Params, xs: Array, state: State, mask: Array | None, *, keep: bool
) -> tuple[Array, State, list[Chunk] | None]:
    """Run the cell over a whole sequence; the equations stand at `MinGRUCell`."""
    return scan_forward(cell, _gates, FACTORS, params, xs, state, mask, keep)


def backward(
    cell: MinGRUCell, params: Params, dhs: Array, saved: list[Chunk], dfinal_state: State | None, *, input_grad: bool
) -> tuple[Array | None, State, Params]:
    """Take ∂L/∂hs and ∂L/∂(final state) back."""
    return scan_chunks_backward(cell, _deltas, params, dhs, saved, dfinal_state, input_grad)


def _gates(x_proj: list[Array]) -> tuple[Array, Array, Kept]:
    """Return a = 1 − z, b = z ⊙ n, and what the deltas need."""
    half_x_z, n = x_proj
    z = np.tanh(half_x_z, out=half_x_z)
    z *= 0.5
    z += 0.5
    b = z * n
    a = np.subtract(1, z, out=z)
    return a, b, Kept(a, n)


def _deltas(da: Array, db: Array, kept: Kept, out: list[Array]) -> None:
    """Write δᶻ = (∂L/∂b ⊙ n − ∂L/∂a) ⊙ z(1 − z) and δⁿ = ∂L/∂b ⊙ z."""
    delta_z, delta_n = out
    a, n = kept
    z = 1 - a
    np.multiply(db, z, delta_n)
    dz = db * n - da
    np.multiply(dz, z * a, delta_z)
