"""Whole-sequence kernels for the cells: the same numbers as the stepwise engine, arranged for the machine.

A kernel keeps the contract of `kernel.py` and is registered here by its cell's type.

To read them: `rnn.py` is the plainest, its arrays lie like the layer's own. `passes.py` has what the kernels share,
`layout.py` how time is cut, and `engine.py` goes through a sequence with any of them. The gated cells lay their arrays
out anew, features first: `feature_major.py`, with the loops in `lstm.py` and `gru.py`.
"""

from __future__ import annotations

from ..cells.base import Cell
from ..cells.gru import GRUCell
from ..cells.lstm import LSTMCell
from ..cells.min_gru import MinGRUCell
from ..cells.min_lstm import MinLSTMCell
from ..cells.rnn import RNNCell
from . import min_gru, min_lstm
from .engine import FusedKernel
from .gru import GRU
from .kernel import Kernel
from .lstm import LSTM
from .rnn import RNN

KERNELS: dict[type, Kernel] = {
    RNNCell: RNN, LSTMCell: LSTM, GRUCell: GRU, MinGRUCell: min_gru, MinLSTMCell: min_lstm,
}


def kernel_for(cell: Cell) -> Kernel | None:
    """Return the kernel for this very type of cell (a subclass may compute something else), or None."""
    kernel = KERNELS.get(type(cell))
    return kernel if kernel is not None and kernel.fits(cell) else None


def has_kernel(cell: Cell) -> bool:
    """Tell whether the fused engine knows this cell."""
    return kernel_for(cell) is not None


__all__ = ["KERNELS", "FusedKernel", "Kernel", "has_kernel", "kernel_for"]
