"""The layout of the gated cells' kernels: features first, so that every gate of a step is one piece of memory.

An array of one step is (features, N). The layer's arrays and the products over many steps have rows (N, features);
`load`, `outputs`, `take_in` and `lay_rows` go from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..arrays import Array, State
from .layout import Plan, transpose_into
from .passes import BackwardPass, ForwardPass, Group
from .products import split, step_products


class FeatureMajorForward(ForwardPass):
    """The inputs and states of a plan's steps.

    z (S + 1, D + 1 + H, N) holds [x; 1; h] of each step above each other, so that one product with [W_xh; b; W_hh]
    gives every gate, input and bias included, and h of the next step is written straight into its z. In a projected
    plan z is [h] alone, and x_parts (S, rows, N) is what is added to the product. There may be `beside` more rows below
    them, for the kernel's own use.
    """

    def __init__(self, plan: Plan, rows: int, beside: int = 0) -> None:
        super().__init__(plan)
        S, N, D, H = plan.steps, plan.N, plan.D, plan.H
        above = 0 if plan.projected else D + 1
        self.z = self.new(S + 1, above + H, N)
        self.h = self.z[:, above:]
        # For N = 1 a row times (K, rows), the reference's own orientation; else (rows, K) times columns.
        self.weights = self.new(above + H, rows).T if N == 1 else self.new(rows, above + H)
        self.half = np.array(0.5, plan.dtype)  # σ(a) = (1 + tanh(a/2)) / 2, and one tanh serves all gates
        if plan.projected:
            self.W_x = self.new(D + 1, rows)  # its last row is b
            self.added = self.new(S, rows + beside, N)
            self.x_parts = self.added[:, :rows]
        else:
            self.z[:, D] = 1

    def products(self, results: Iterable[Array]) -> Iterable[Any]:
        """Return each step's product of the weights with z, into results (S, rows, N), as `split` gives it."""
        return map(split, step_products(self.weights, self.z, results, self.plan.dtype, self.plan.N))

    def each_added(self, above: int = 0) -> Iterable[Array | None]:
        """Return for each step what is to be added to its product, the rows from `above` on; None where nothing is."""
        return self.added[:, above:] if self.plan.projected else [None] * self.plan.steps

    def load(self, first: int, xs: Array) -> None:
        """As `ForwardPass.load`."""
        last, D = first + len(xs), self.plan.D
        if not self.plan.projected:
            transpose_into(self.z[first:last, :D], xs)
            return
        W_xh, b, x_parts = self.W_x[:D], self.W_x[D], self.x_parts[first:last]
        if xs.ndim == 2:  # an index reads a row of W_xh: a one-hot product without the product
            transpose_into(x_parts, np.take(W_xh, xs, axis=0))
        elif self.plan.N == 1:
            np.matmul(xs[:, 0], W_xh, x_parts[:, :, 0])
        else:
            transpose_into(x_parts, xs @ W_xh)
        x_parts += b[:, None]

    def outputs(self, first: int, hs: Array) -> None:
        """As `ForwardPass.outputs`."""
        transpose_into(hs, self.h[first + 1 : first + 1 + len(hs)])


class FeatureMajorBackward(BackwardPass):
    """One group of factors, which become the deltas where they stand.

    deltas (g, rows + beside·H, N): below the rows `beside` more parts, for the kernel's own use.
    incoming (g + 1, parts·H, N): at t + 1 what comes back from later steps to the state after step t.
    z_rows (c, N, D + 1 + H): the forward's z in rows, for one product with all of a chunk's steps; h alone, (c, N, H),
    where several products are needed.
    """

    def __init__(self, plan: Plan, rows: int, h_rows: slice, x_rows: slice, parts: int, beside: int = 0) -> None:
        g, N, D, H = plan.group, plan.N, plan.D, plan.H
        self.together = not plan.projected and h_rows == x_rows  # one product gives every weight's gradient
        super().__init__(plan, rows, h_rows, x_rows)
        self.slab = H * N
        self.deltas = self.new(g, rows + beside * H, N)
        self.above = D + 1 if self.together else 0
        self.z_rows = self.new(plan.chunk, N, self.above + H)
        if self.together:
            self.z_rows[:, :, D] = 1
        self.dhs = self.new(g, H, N)
        self.incoming = self.new(g + 1, parts * H, N)
        self.W_hh = self.new(H, h_rows.stop - h_rows.start)  # as in the reference, columns in the kernel's order
        products = step_products(self.W_hh, self.deltas[:, h_rows], self.incoming[:, :H], plan.dtype, N)
        self.products = [split(calls) for calls in products]

    def new_sums(self) -> dict[str, Array]:
        """As `BackwardPass.new_sums`; with one product for all, its result and what parts of it mean."""
        if not self.together:
            return super().new_sums()
        D = self.plan.D
        dW = self.new(D + 1 + self.plan.H, self.delta_rows.shape[2])
        return {"all": dW, "W_xh": dW[:D], "b_h": dW[D], "W_hh": dW[D + 1 :]}  # the ones in z sum the deltas

    def start(self, dfinal_state: State | None) -> None:
        """As `BackwardPass.start`."""
        H = self.plan.H
        for part in range(self.incoming.shape[1] // H):
            self.incoming[0, part * H : (part + 1) * H] = 0 if dfinal_state is None else dfinal_state[part].T
        self.begun = False

    def go_back(
        self, forward: Any, group: Group, xs: Array, dhs: Array, mask: Array | None, padded: list[Array | None] | None
    ) -> None:
        """As `BackwardPass.go_back`."""
        self.take_in(dhs, None if mask is None else mask[group.first : group.last])
        self.derive(forward, group.first, group.last, mask)
        self.run(len(xs), padded)
        self.lay_rows(group.place, forward, group.first, xs)

    def take_in(self, dhs: Array, mask: Array | None) -> None:
        """Take in a group's dh_here (n, N, H), and what came back from the group after it."""
        n = len(dhs)
        transpose_into(self.dhs[:n], dhs)
        if mask is not None:
            np.copyto(self.dhs[:n], 0, where=~mask[:, None, :])
        self.incoming[n] = self.incoming[0]

    def lay_rows(self, place: int, forward: FeatureMajorForward, start: int, xs: Array) -> None:
        """Lay the group's deltas, inputs and states out in rows, from `place` in the chunk on."""
        n, D = len(xs), self.plan.D
        here = slice(place, place + n)
        transpose_into(self.delta_rows[here], self.deltas[:n, : self.delta_rows.shape[2]])
        transpose_into(self.z_rows[here, :, self.above :], forward.h[start : start + n])
        if self.together:
            self.z_rows[here, :, :D] = xs

    def add_weights(self, forward: Any, start: int, xs: Array, rows: Array) -> None:
        """As `BackwardPass.add_weights`."""
        if self.together:
            self.add_product("all", self.z_rows[: len(xs)].reshape(len(rows), -1).T, rows)
        else:
            BackwardPass.add_weights(self, forward, start, xs, rows)

    def h_before(self, forward: Any, start: int, n: int) -> Array:
        """As `BackwardPass.h_before`."""
        return self.z_rows[:n].reshape(n * self.plan.N, -1)

    def derive(self, forward: Any, start: int, stop: int, mask: Array | None) -> None:
        """Compute, for a group at once, all that the recursion multiplies with."""
        raise NotImplementedError

    def run(self, n: int, padded: list[Array | None] | None) -> None:
        """Take the recursion of δ back through a group's n steps."""
        raise NotImplementedError


def put(out: Array, columns: Array) -> None:
    """Copy (K, ·) to (·, K)."""
    if out.strides[-1] <= out.strides[0]:
        transpose_into(out, columns)
    else:  # N = 1: `out` is the transpose of rows that lie as the reference's do
        out.T[...] = columns
