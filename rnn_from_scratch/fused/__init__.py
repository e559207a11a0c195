"""Whole-sequence kernels for the cells: the same numbers as the stepwise engine, arranged for the machine.

A kernel is a module with the functions of `kernel.py`, registered here by its cell's type.
"""

from __future__ import annotations

from ..cells.base import Cell
from ..cells.min_gru import MinGRUCell
from ..cells.min_lstm import MinLSTMCell
from . import min_gru, min_lstm
from .kernel import Kernel

KERNELS: dict[type, Kernel] = {MinGRUCell: min_gru, MinLSTMCell: min_lstm}


def kernel_for(cell: Cell) -> Kernel | None:
    """Return the kernel for this very type of cell (a subclass may compute something else), or None."""
    kernel = KERNELS.get(type(cell))
    return kernel if kernel is not None and kernel.fits(cell) else None


def has_kernel(cell: Cell) -> bool:
    """Tell whether the fused engine knows this cell."""
    return kernel_for(cell) is not None


__all__ = ["KERNELS", "Kernel", "has_kernel", "kernel_for"]
