"""How a layer runs a sequence beside the fused kernels: step by step, or in segments that are computed twice."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, Params, State, leaves, tree_add, tree_copy
from ..bptt import unroll, unroll_backward
from ..fused import Kernel
from ..fused.layout import pieces

WITHOUT_CACHES = 64  # steps that the stepwise engine takes at a time where no cache is to be kept


class StepwiseSaved(NamedTuple):
    """What the stepwise engine's backward needs."""

    xs: Array
    mask: Array | None
    caches: list[Any]  # the cell's, one a step
    indexed: bool  # whether xs are one-hot rows, made of indices


class Stepwise:
    """The reference: the cell's own equations, one step after the other (`bptt.py`). As `Kernel` says."""

    def fits(self, cell: Any) -> bool:
        """Every cell."""
        return True

    def forward(
        self, cell: Any, params: Params, xs: Array, state: State, mask: Array | None, *, keep: bool
    ) -> tuple[Array, State, StepwiseSaved | None]:
        """As `Kernel.forward`; indices become one-hot rows."""
        indexed = xs.ndim == 2
        if indexed:
            xs = np.eye(cell.input_size, dtype=state[0].real.dtype)[xs]
        if keep:
            hs, final_state, caches = unroll(cell, params, xs, state, mask)
            # Copies go out, so that a caller who writes into them cannot spoil the backward pass.
            return hs, tree_copy(final_state), StepwiseSaved(xs, mask, caches, indexed)
        hs = _outputs(cell, params, xs, state)
        for part in _parts(len(xs), WITHOUT_CACHES):
            hs[part], state, _ = unroll(cell, params, xs[part], state, None if mask is None else mask[part])
        return hs, tree_copy(state), None

    def backward(
        self, cell: Any, params: Params, dhs: Array, saved: StepwiseSaved, dfinal_state: State | None, *,
        input_grad: bool,
    ) -> tuple[Array | None, State, Params]:
        """As `Kernel.backward`."""
        xs, mask, caches, indexed = saved
        dstates, deltas = unroll_backward(cell, params, dhs, caches, dfinal_state, mask)
        dxs, grads = cell.param_grads(params, xs, caches, deltas)
        return dxs if input_grad and not indexed else None, tree_copy(dstates[0]), grads


STEPWISE = Stepwise()


class SegmentsSaved(NamedTuple):
    """The inputs, and the state before each segment: all else is computed again."""

    xs: Array
    mask: Array | None
    starts: list[State]


class Segments:
    r"""Recomputation (gradient checkpointing): memory for one segment of `every` steps instead of for all T.

    The forward keeps the state before each segment. The backward goes through the segments from the last to the first:
    it runs one forwards again, from its state, then backwards; what comes out for that state goes into the segment
    before. The gradient is exact, for one more forward.

    Source: Chen, Xu, Zhang & Guestrin (2016), training deep nets with sublinear memory cost; tests/layers.
    """

    def __init__(self, engine: Kernel, every: int) -> None:
        self.engine, self.every = engine, every

    def fits(self, cell: Any) -> bool:
        """Where the engine does."""
        return self.engine.fits(cell)

    def forward(
        self, cell: Any, params: Params, xs: Array, state: State, mask: Array | None, *, keep: bool
    ) -> tuple[Array, State, SegmentsSaved | None]:
        """As `Kernel.forward`."""
        hs, starts = _outputs(cell, params, xs, state), []
        for part in _parts(len(xs), self.every):
            starts.append(state)
            here = None if mask is None else mask[part]
            hs[part], state, _ = self.engine.forward(cell, params, xs[part], state, here, keep=False)
        return hs, state, SegmentsSaved(xs, mask, starts) if keep else None

    def backward(
        self, cell: Any, params: Params, dhs: Array, saved: SegmentsSaved, dfinal_state: State | None, *,
        input_grad: bool,
    ) -> tuple[Array | None, State, Params]:
        """As `Kernel.backward`."""
        xs, mask, starts = saved
        grads: Params | None = None
        dxs: Array | None = None
        for part, state in zip(_parts(len(xs), self.every)[::-1], starts[::-1], strict=True):
            here = None if mask is None else mask[part]
            _, _, again = self.engine.forward(cell, params, xs[part], state, here, keep=True)
            dx, dfinal_state, more = self.engine.backward(
                cell, params, dhs[part], again, dfinal_state, input_grad=input_grad
            )
            del again  # its buffers serve the next segment
            if dx is not None:
                dxs = np.empty(xs.shape, dx.dtype) if dxs is None else dxs
                dxs[part] = dx
            grads = more if grads is None else tree_add(grads, more)
        assert grads is not None  # T ≥ 1
        assert dfinal_state is not None
        return dxs, dfinal_state, grads


def _parts(T: int, every: int) -> list[slice]:
    """Cut T steps into segments."""
    return [slice(start, stop) for start, stop in pieces(0, T, every)]


def _outputs(cell: Any, params: Params, xs: Array, state: State) -> Array:
    """Return where the outputs will stand, (T, N, H)."""
    numbers = [array for _, array in leaves(params) if array.dtype.kind in "fc"]
    dtype = np.result_type(*numbers, *state, *([xs] if xs.ndim == 3 else []))
    return np.empty((*xs.shape[:2], cell.hidden_size), dtype)
