"""What the layer asks of a kernel: a whole sequence forwards, and the same sequence backwards."""

from __future__ import annotations

from typing import Any, Protocol

from ..arrays import Array, Params, State


class Kernel(Protocol):
    """Two functions for one kind of cell, the same numbers as `bptt.py` gives with that cell's own steps.

    The layer has validated everything: shapes, dtypes, finite numbers, zeros on padding. xs is (T, N, D), or (T, N)
    intp where the inputs are indices, rows of W_xh. Nothing passed in is changed, what is returned is the caller's own,
    and `saved` stays as it is for as many backward passes as follow. Where there is padding (mask False) the state is
    carried unchanged and the output is zero.
    """

    def fits(self, cell: Any) -> bool:
        """Tell whether the kernel computes this very cell, with the choices that it has."""

    def forward(
        self, cell: Any, params: Params, xs: Array, state: State, mask: Array | None, *, keep: bool
    ) -> tuple[Array, State, Any]:
        """Return hs (T, N, H), the final state, and what `backward` needs; None for that unless `keep`."""

    def backward(
        self, cell: Any, params: Params, dhs: Array, saved: Any, dfinal_state: State | None, *, input_grad: bool
    ) -> tuple[Array | None, State, Params]:
        """Return dxs (T, N, D), the initial state's gradient, and the gradients by name.

        dhs is dh_here, on padding it may hold anything. dxs is None unless `input_grad`, and for indices.
        """
