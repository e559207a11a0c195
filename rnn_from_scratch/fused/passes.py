"""What the kernels share around their loops: the buffers of a forward and of a backward pass, and the gradients' sums.

A kernel's file has a subclass of each: it says how the weights are laid out (`pack`), and holds the loop (`run`). The
RNN's lie in rows like the layer's own arrays; for the gated cells there is a layout between, see `feature_major.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, Params, State
from .layout import Plan, add_index_rows, aligned
from .products import multiply, multiply_rows

FEW = 64  # steps times sequences


class Group(NamedTuple):
    """Some steps that go through the backward pass together."""

    first: int
    last: int  # the first one that is not among them
    place: int  # of the first in the buffers of a chunk


class Buffers:
    """Arrays that are made once for a plan, and counted."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.nbytes = 0

    def new(self, *shape: int) -> Array:
        """Return a new array of the plan's dtype."""
        array = aligned(shape, self.plan.dtype)
        self.nbytes += array.nbytes
        return array


class ForwardPass(Buffers):
    """The inputs and states of a plan's steps."""

    states: tuple[Array, ...]  # (S + 1, H, N) each: the state before the first step and after every one; h is first

    def start(self, state: State) -> None:
        """Put the state before the first step in its place."""
        for states, part in zip(self.states, state, strict=True):
            states[0] = part.T

    def go_on(self, last: int) -> None:
        """Begin anew with the state after step `last`."""
        for states in self.states:
            states[0] = states[last]

    def state_after(self, step: int) -> State:
        """Return the state (N, ·) after so many steps, as views."""
        return tuple(states[step].T for states in self.states)

    def pack(self, params: Params) -> None:
        """Lay the weights out for this call."""
        raise NotImplementedError

    def load(self, first: int, xs: Array) -> None:
        """Take in the inputs of the buffers' steps from `first` on: (t, N, D), or indices (t, N)."""
        raise NotImplementedError

    def run(self, first: int, last: int, padded: list[Array | None] | None) -> None:
        """Take the buffers' steps `first` … `last` − 1."""
        raise NotImplementedError

    def outputs(self, first: int, hs: Array) -> None:
        """Write h after the buffers' steps from `first` on to hs (t, N, H)."""
        raise NotImplementedError


class BackwardPass(Buffers):
    """A chunk of deltas in rows, and the gradients of the weights, summed over the chunks.

    delta_rows (c, N, rows): `h_rows` of them belong to the product with h, `x_rows` to the one with x.
    """

    slab = 0  # the numbers of a slab, where the element-wise functions work on some slabs of many: see `slab_by_slab`

    def __init__(self, plan: Plan, rows: int, h_rows: slice, x_rows: slice) -> None:
        super().__init__(plan)
        self.h_rows, self.x_rows = h_rows, x_rows
        self.delta_rows = self.new(plan.chunk, plan.N, rows)
        # W_xh transposed; for few rows as it stands, since to transpose it would take longer than the product gains.
        width, few = x_rows.stop - x_rows.start, plan.steps * plan.N < FEW
        self.W_xh = self.new(plan.D, width).T if few else self.new(width, plan.D)
        self.sums, self.parts = self.new_sums(), self.new_sums()

    def new_sums(self) -> dict[str, Array]:
        """Return an array for each weight's gradient: for the sum, and for the part of one chunk."""
        D, H = self.plan.D, self.plan.H
        return {
            "W_xh": self.new(D, self.x_rows.stop - self.x_rows.start),
            "W_hh": self.new(H, self.h_rows.stop - self.h_rows.start),
            "b_h": self.new(self.delta_rows.shape[2]),
        }

    def add_product(self, name: str, left: Array, right: Array) -> None:
        """Add left @ right to a sum; the first chunk's begins it."""
        if self.begun:
            self.sums[name] += multiply(left, right, self.parts[name])
        else:
            multiply(left, right, self.sums[name])

    def hand_over(self, name: str) -> Array:
        """Return a sum itself, and have a new array in its place: that takes less time than a copy."""
        total = self.sums[name]
        self.sums[name] = np.empty_like(total)
        return total

    def collect(self, forward: Any, start: int, xs: Array, dxs: Array | None) -> None:
        """Add a chunk's part of the weights' gradients, and write its dxs (n, N, D).

        From here on it is the reference again: one product over all steps and sequences for each matrix.
        """
        n, D = len(xs), self.plan.D
        rows = self.delta_rows[:n].reshape(-1, self.delta_rows.shape[2])  # (n·N, rows)
        x_rows = rows[:, self.x_rows]
        self.add_weights(forward, start, xs, rows)
        self.begun = True
        if dxs is not None:
            multiply_rows(x_rows, self.W_xh, dxs.reshape(-1, D))

    def add_weights(self, forward: Any, start: int, xs: Array, rows: Array) -> None:
        """Add a chunk's part of every weight's gradient, `rows` (n·N, rows) being its deltas."""
        x_rows = rows[:, self.x_rows]
        self.add_product("W_hh", self.h_before(forward, start, len(xs)).T, rows[:, self.h_rows])
        self.add_product("b_h", np.ones(len(rows), rows.dtype), rows)  # half the time of a sum along the first axis
        if xs.ndim == 3:
            self.add_product("W_xh", xs.reshape(-1, self.plan.D).T, x_rows)
            return
        if not self.begun:
            self.sums["W_xh"][...] = 0
        add_index_rows(self.sums["W_xh"], xs, x_rows)

    def h_before(self, forward: Any, start: int, n: int) -> Array:
        """Return h before each of a chunk's n steps from `start` on, (n·N, H)."""
        raise NotImplementedError

    def pack(self, params: Params) -> None:
        """Lay the weights out for this call."""
        raise NotImplementedError

    def start(self, dfinal_state: State | None) -> None:
        """Put ∂L/∂(final state) where the last group finds it, and begin new sums."""
        raise NotImplementedError

    def go_back(
        self, forward: Any, group: Group, xs: Array, dhs: Array, mask: Array | None, padded: list[Array | None] | None
    ) -> None:
        """Take the recursion of δ back through a group, given its own xs, dhs and padding, and the whole mask."""
        raise NotImplementedError

    def finish(self, forward: Any, mask: Array | None) -> tuple[State, Params]:
        """Return the initial state's gradient and the gradients by name, each an array of its own."""
        raise NotImplementedError

