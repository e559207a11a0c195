"""What the kernels share around their loops: the buffers of a forward and of a backward pass, and how they are filled.

A kernel's file has a subclass of each: it says how the weights are laid out (`pack`), and holds the loop (`run`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..arrays import Array, Params, State
from .layout import Plan, add_index_rows, aligned, transpose_into
from .products import Product, step_products


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
    """The inputs and states of a plan's steps.

    z (S + 1, D + 1 + H, N) holds [x; 1; h] of each step above each other, so that one product with [W_xh; b; W_hh]
    gives every gate, input and bias included, and h of the next step is written straight into its z. In a projected
    plan z is [h] alone, and x_parts (S, rows, N) is what is added to the product.
    """

    states: tuple[Array, ...]  # (S + 1, H, N) each: the state before the first step and after every one

    def __init__(self, plan: Plan, rows: int) -> None:
        super().__init__(plan)
        S, N, D, H = plan.steps, plan.N, plan.D, plan.H
        above = 0 if plan.projected else D + 1
        self.z = self.new(S + 1, above + H, N)
        self.h = self.z[:, above:]
        # For N = 1 a row times (K, rows), the reference's own orientation; else (rows, K) times columns.
        self.weights = self.new(above + H, rows).T if N == 1 else self.new(rows, above + H)
        self.W_x: Array | None = None
        self.x_parts: Array | None = None
        if plan.projected:
            self.W_x = self.new(D + 1, rows)  # its last row is b
            self.x_parts = self.new(S, rows, N)
        else:
            self.z[:, D] = 1

    def products(self, results: Iterable[Array]) -> list[list[Product]]:
        """Return each step's products of the weights with z, into results (S, rows, N)."""
        return step_products(self.weights, self.z, results, self.plan.dtype, self.plan.N)

    def put(self, W_xh: Array, b: Array, W_hh: Array, to: slice) -> None:
        """Copy some of the reference's columns to the weights' rows `to` (in W_x they are the columns `to`)."""
        D, H = self.plan.D, self.plan.H
        put(self.weights[to, -H:], W_hh)
        if self.W_x is None:
            put(self.weights[to, :D], W_xh)
            self.weights[to, D] = b
        else:
            self.W_x[:D, to] = W_xh
            self.W_x[D, to] = b

    def halve(self, rows: slice) -> None:
        """Halve the rows of sigmoid gates: σ(a) = (1 + tanh(a/2)) / 2, and one tanh serves all gates."""
        self.weights[rows] *= self.plan.dtype.type(0.5)
        if self.W_x is not None:
            self.W_x[:, rows] *= self.plan.dtype.type(0.5)

    def load(self, first: int, xs: Array) -> None:
        """Take in the inputs of the buffers' steps from `first` on: (t, N, D), or indices (t, N)."""
        last, D = first + len(xs), self.plan.D
        if self.W_x is None or self.x_parts is None:
            transpose_into(self.z[first:last, :D], xs)
            return
        if xs.ndim == 2:  # an index reads a row of W_xh: a one-hot product without the product
            transpose_into(self.x_parts[first:last], np.take(self.W_x[:D], xs, axis=0))
        elif self.plan.N == 1:
            np.dot(xs[:, 0], self.W_x[:D], self.x_parts[first:last].reshape(last - first, -1))
        else:
            transpose_into(self.x_parts[first:last], xs @ self.W_x[:D])
        self.x_parts[first:last] += self.W_x[D, :, None]

    def start(self, state: State) -> None:
        """Put the state before the first step in its place."""
        for states, part in zip(self.states, state, strict=True):
            states[0] = part.T

    def outputs(self, first: int, hs: Array) -> None:
        """Write h after the buffers' steps from `first` on to hs (t, N, H)."""
        transpose_into(hs, self.h[first + 1 : first + 1 + len(hs)])

    def pack(self, params: Params) -> None:
        """Lay the weights out for this call."""
        raise NotImplementedError

    def run(self, first: int, last: int, padded: list[Array | None] | None) -> None:
        """Take the buffers' steps `first` … `last` − 1."""
        raise NotImplementedError


class BackwardPass(Buffers):
    """One group of factors, which become the deltas where they stand, a chunk of deltas in rows, and the sums.

    deltas (g, rows, N): `h_rows` of them belong to the product with h, `x_rows` to the one with x.
    incoming (g + 1, parts·H, N): at t + 1 what comes back from later steps to the state after step t.
    delta_rows (c, N, rows), z_rows (c, N, D + 1 + H): for the products with all of a chunk's steps.
    """

    def __init__(self, plan: Plan, rows: int, h_rows: slice, x_rows: slice, parts: int) -> None:
        super().__init__(plan)
        g, N, D, H = plan.group, plan.N, plan.D, plan.H
        self.h_rows, self.x_rows = h_rows, x_rows
        self.deltas = self.new(g, rows, N)
        self.delta_rows = self.new(plan.chunk, N, rows)
        self.above = 0 if plan.projected else D + 1
        self.z_rows = self.new(plan.chunk, N, self.above + H)
        if not plan.projected:
            self.z_rows[:, :, D] = 1
        self.dhs = self.new(g, H, N)
        self.incoming = self.new(g + 1, parts * H, N)
        self.W_hh = self.new(H, h_rows.stop - h_rows.start)  # as in the reference, columns in the kernel's order
        self.W_xh = self.new(x_rows.stop - x_rows.start, D)  # transposed
        self.dW = self.new(D + 1 + H, rows)  # a chunk's part
        self.products = step_products(self.W_hh, self.deltas[:, h_rows], self.incoming[:, :H], plan.dtype, N)

    def start(self, dfinal_state: State | None) -> None:
        """Put ∂L/∂(final state) where the last chunk finds it, and set the sums to zero."""
        H, dtype = self.plan.H, self.plan.dtype
        for part in range(self.incoming.shape[1] // H):
            self.incoming[0, part * H : (part + 1) * H] = 0 if dfinal_state is None else dfinal_state[part].T
        self.dW_hh = np.zeros(self.W_hh.shape, dtype)
        self.dW_xh = np.zeros(self.W_xh.T.shape, dtype)
        self.db = np.zeros(self.deltas.shape[1], dtype)

    def take_in(self, dhs: Array, mask: Array | None) -> None:
        """Take in a group's dh_here (n, N, H), and what came back from the group after it."""
        n = len(dhs)
        transpose_into(self.dhs[:n], dhs)
        if mask is not None:
            np.copyto(self.dhs[:n], 0, where=~mask[:, None, :])
        self.incoming[n] = self.incoming[0]

    def lay_rows(self, place: int, forward: ForwardPass, start: int, xs: Array) -> None:
        """Lay the group's deltas, inputs and states out in rows, from `place` in the chunk on."""
        n, D = len(xs), self.plan.D
        here = slice(place, place + n)
        transpose_into(self.delta_rows[here], self.deltas[:n])
        transpose_into(self.z_rows[here, :, self.above :], forward.h[start : start + n])
        if not self.plan.projected:
            self.z_rows[here, :, :D] = xs

    def collect(self, xs: Array, dxs: Array | None) -> None:
        """Add a chunk's part of the weights' gradients, and write its dxs (n, N, D).

        From here on it is the reference again: one product over all steps and sequences for each matrix.
        """
        n, D = len(xs), self.plan.D
        rows = self.delta_rows[:n].reshape(-1, self.deltas.shape[1])  # (n·N, rows)
        h_rows, x_rows = rows[:, self.h_rows], rows[:, self.x_rows]
        z = self.z_rows[:n].reshape(len(rows), -1)  # (n·N, D + 1 + H); projected: (n·N, H)
        if self.plan.projected:
            self.dW_hh += z.T @ h_rows
            self.db += np.ones(len(rows), rows.dtype) @ rows  # half the time of a sum along the first axis
            if xs.ndim == 2:
                add_index_rows(self.dW_xh, xs, x_rows)
            else:
                self.dW_xh += xs.reshape(-1, D).T @ x_rows
        elif self.h_rows == self.x_rows:
            dW = np.dot(z.T, rows, self.dW)  # the ones in z sum the deltas
            self.dW_xh += dW[:D]
            self.db += dW[D]
            self.dW_hh += dW[D + 1 :]
        else:
            self.dW_xh += z[:, :D].T @ x_rows
            self.db += np.ones(len(rows), rows.dtype) @ rows
            self.dW_hh += z[:, D + 1 :].T @ h_rows
        if dxs is not None:
            (calls,) = step_products(x_rows, [self.W_xh], [dxs.reshape(-1, D)], self.plan.dtype, D)
            for dot, operand, out in calls:
                dot(operand, out)

    def pack(self, params: Params) -> None:
        """Lay the weights out for this call."""
        raise NotImplementedError

    def derive(self, forward: Any, start: int, stop: int, mask: Array | None) -> None:
        """Compute, for a group at once, all that the recursion multiplies with."""
        raise NotImplementedError

    def run(self, n: int, padded: list[Array | None] | None) -> None:
        """Take the recursion of δ back through a group's n steps."""
        raise NotImplementedError

    def finish(self, forward: Any, mask: Array | None) -> tuple[State, Params]:
        """Return the initial state's gradient and the gradients by name, each an array of its own."""
        raise NotImplementedError


def put(out: Array, columns: Array) -> None:
    """Copy (K, ·) to (·, K)."""
    if out.strides[-1] <= out.strides[0]:
        transpose_into(out, columns)
    else:  # N = 1: `out` is the transpose of rows that lie as the reference's do
        out.T[...] = columns
