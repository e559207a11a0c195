"""A whole sequence, piece by piece, with any kernel's two passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, Params, State
from .layout import Plan, make_plan, paddings, pieces, slab_by_slab
from .passes import BackwardPass, ForwardPass, Group
from .pool import POOL, Lease


class Saved(NamedTuple):
    """What the backward needs: the forward's buffers, and what came in."""

    lease: Lease
    xs: Array
    mask: Array | None


@dataclass(frozen=True)
class FusedKernel:
    """A kernel made of two passes; see `Kernel` for what its methods promise.

    choices(cell) is what the passes need to know of the cell beside its sizes, or None if they cannot compute it.
    """

    name: str
    forward_pass: Callable[[Plan], ForwardPass]
    backward_pass: Callable[[Plan], BackwardPass]
    choices: Callable[[Any], Any]

    def fits(self, cell: Any) -> bool:
        """Tell whether the passes compute this cell."""
        return self.choices(cell) is not None

    def forward(
        self, cell: Any, params: Params, xs: Array, state: State, mask: Array | None, *, keep: bool
    ) -> tuple[Array, State, Saved | None]:
        """As `Kernel.forward`."""
        dtype = np.result_type(*params.values(), *state, *([xs] if xs.ndim == 3 else []))
        plan = make_plan(self.name, self.choices(cell), cell, xs, dtype, keep)
        lease = POOL.take(plan, lambda: self.forward_pass(plan))
        forward: ForwardPass = lease.buffers
        forward.pack(params)
        forward.start(state)
        T, N = xs.shape[:2]
        hs = np.empty((T, N, plan.H), dtype)
        padded = paddings(mask)
        last = 0
        for start, stop in pieces(0, T, plan.group):
            if not keep:  # the buffers hold one group: the next starts where the last one ended
                forward.go_on(last)
            first = start if keep else 0
            last = first + stop - start
            forward.load(first, xs[start:stop])
            forward.run(first, last, None if padded is None else padded[start:stop])
            forward.outputs(first, hs[start:stop])
        if mask is not None:
            hs[~mask] = 0
        final_state = tuple(part.copy() for part in forward.state_after(last))
        return hs, final_state, Saved(lease, xs, mask) if keep else None

    def one_step(self, cell: Any, params: Params, N: int, dtype: Any, indexed: bool) -> ForwardPass:
        """Return the forward's buffers for a single step with the weights in place, for streaming."""
        sizes = N, cell.input_size, cell.hidden_size
        plan = Plan(self.name, self.choices(cell), 1, 1, 1, *sizes, np.dtype(dtype), projected=indexed)
        forward = self.forward_pass(plan)
        forward.pack(params)
        return forward

    def backward(
        self, cell: Any, params: Params, dhs: Array, saved: Saved, dfinal_state: State | None, *, input_grad: bool
    ) -> tuple[Array | None, State, Params]:
        """As `Kernel.backward`."""
        lease, xs, mask = saved
        forward: ForwardPass = lease.buffers
        plan = forward.plan._replace(dtype=np.result_type(forward.plan.dtype, dhs, *params.values()))
        own = POOL.take(("backward", plan), lambda: self.backward_pass(plan))
        backward: BackwardPass = own.buffers
        backward.pack(params)
        backward.start(dfinal_state)
        dxs = np.empty((len(dhs), plan.N, plan.D), plan.dtype) if input_grad and xs.ndim == 3 else None
        padded = paddings(mask)
        with slab_by_slab(backward.slab):
            for start, stop in reversed(pieces(0, len(dhs), plan.chunk)):
                for first, last in reversed(pieces(start, stop, plan.group)):
                    group = Group(first, last, place=first - start)
                    here = None if padded is None else padded[first:last]
                    backward.go_back(forward, group, xs[first:last], dhs[first:last], mask, here)
                backward.collect(forward, start, xs[start:stop], None if dxs is None else dxs[start:stop])
        dstate, grads = backward.finish(forward, mask)
        return dxs, dstate, grads
