"""The whole-sequence kernel of the vanilla RNN. The equations stand in cells/rnn.py.

It has one block of units and no gates, so nothing is gained by another layout: every array has rows (N, ·) like the
layer's own, and none is transposed.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from ..arrays import Array, Params, State
from .engine import FusedKernel
from .layout import Plan, transpose_into
from .passes import BackwardPass, ForwardPass, Group
from .products import multiply_rows, row_products, split


class RNNForward(ForwardPass):
    """Two or three calls a step: the product, the sum with x W_xh + b (of a whole group, beforehand), and f.

    For a single sequence [x, 1, h] of a step is one row z, so that one product with [W_xh; b; W_hh] does without the
    sum. With more sequences h would not be one piece of memory there.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        S, N, D, H = plan.steps, plan.N, plan.D, plan.H
        self.activation = plan.choices
        self.joined = N == 1 and not plan.projected
        beside = D + 1 if self.joined else 0
        self.z, self.weights = self.new(S + 1, N, beside + H), self.new(beside + H, H)
        self.h, self.W_hh = self.z[..., beside:], self.weights[beside:]
        self.states = (self.h.swapaxes(1, 2),)
        self.a = self.new(N, H)
        self.half = np.array(0.5, plan.dtype)
        calls = row_products(self.z, self.weights, repeat(self.a, S), plan.dtype)
        if self.joined:
            self.W_xh, self.b = self.weights[:D], self.weights[D]
            self.z[..., D] = 1
        else:
            self.W_xh, self.b = self.new(D, H), self.new(N, H)
            self.x_parts = self.new(plan.group, N, H)
        x_parts = [None] * S if self.joined else [self.x_parts[t % plan.group] for t in range(S)]
        self.steps = list(zip(map(split, calls), x_parts, self.h, self.h[1:], strict=False))

    def pack(self, params: Params) -> None:
        """The reference's own; halved for the sigmoid: σ(a) = (1 + tanh(a/2)) / 2."""
        for own, name in ((self.W_xh, "W_xh"), (self.W_hh, "W_hh"), (self.b, "b_h")):
            own[...] = params[name]
            if self.activation == "sigmoid":
                own *= self.half

    def load(self, first: int, xs: Array) -> None:
        """As `ForwardPass.load`; a group's x W_xh + b go into the one buffer that all groups have."""
        if self.joined:
            self.z[first : first + len(xs), :, : self.plan.D] = xs
            return
        x_parts = self.x_parts[: len(xs)]
        if xs.ndim == 2:  # an index reads a row of W_xh: a one-hot product without the product
            x_parts[...] = self.W_xh[xs]
        else:
            multiply_rows(xs.reshape(-1, self.plan.D), self.W_xh, x_parts.reshape(-1, self.plan.H))
        x_parts += self.b

    def run(self, first: int, last: int, padded: list[Array | None] | None) -> None:
        """The loop, forwards."""
        multiply, add, copyto, a, half = np.multiply, np.add, np.copyto, self.a, self.half
        f, squash = rectify if self.activation == "relu" else np.tanh, self.activation == "sigmoid"
        for ((dot, W, out, more), x_part, h_prev, h), pad in zip(self.steps[first:last], columns(padded), strict=False):
            dot(W, out)
            for call, operand, out in more:
                call(operand, out)
            if x_part is not None:
                add(a, x_part, a)
            f(a, h)
            if squash:
                multiply(h, half, h)
                add(h, half, h)
            if pad is not None:
                copyto(h, h_prev, where=pad)

    def outputs(self, first: int, hs: Array) -> None:
        """As `ForwardPass.outputs`."""
        hs[...] = self.h[first + 1 : first + 1 + len(hs)]


def rectify(a: Array, h: Array) -> None:
    """Write max(a, 0) to h; where numbers are complex the real part decides, as in `relu`."""
    if a.dtype.kind == "c":
        np.multiply(a, a.real > 0, h)
    else:
        np.maximum(a, 0, out=h)


def columns(padded: list[Array | None] | None) -> Any:
    """Return each step's padding as a column (N, 1), for rows of units; None, without end, where there is none."""
    return repeat(None) if padded is None else [pad if pad is None else pad[:, None] for pad in padded]


class RNNBackward(BackwardPass):
    """δ_t = dh_t ⊙ k_t with k = f'(a), and dh_{t−1} = δ_t W_hhᵀ: three calls a step."""

    def __init__(self, plan: Plan) -> None:
        N, H = plan.N, plan.H
        super().__init__(plan, H, slice(0, H), slice(0, H))
        self.dhs = self.new(plan.group, N, H)
        self.each_dh = list(self.dhs)
        self.dh, self.carried = self.new(N, H), self.new(N, H)
        # (H, H) transposed. For N = 1 in the reference's own orientation: there the product reads it as it lies.
        self.W_hh = self.new(H, H).T if N == 1 else self.new(H, H)
        products = row_products(self.delta_rows, self.W_hh, repeat(self.dh, plan.chunk), plan.dtype)
        self.steps = list(zip(map(split, products), self.delta_rows, strict=True))

    def pack(self, params: Params) -> None:
        """Both transposed."""
        if self.plan.N == 1:
            self.W_hh.T[...] = params["W_hh"]
        else:
            transpose_into(self.W_hh, params["W_hh"])
        transpose_into(self.W_xh, params["W_xh"])

    def start(self, dfinal_state: State | None) -> None:
        """As `BackwardPass.start`."""
        self.dh[...] = 0 if dfinal_state is None else dfinal_state[0]
        self.begun = False

    def go_back(
        self, forward: RNNForward, group: Group, xs: Array, dhs: Array, mask: Array | None,
        padded: list[Array | None] | None,
    ) -> None:
        """As `BackwardPass.go_back`."""
        self.dhs[: len(dhs)] = dhs
        if mask is not None:
            np.copyto(self.dhs[: len(dhs)], 0, where=~mask[group.first : group.last, :, None])
        self.derive(forward, group, mask)
        self.run(group, padded)

    def derive(self, forward: RNNForward, group: Group, mask: Array | None) -> None:
        """Write f' from the output: 1 − h², h (1 − h), or 1 where h is positive."""
        first, last, place = group
        h, k = forward.h[first + 1 : last + 1], self.delta_rows[place : place + last - first]
        if forward.activation == "relu":
            k[...] = h.real > 0
        elif forward.activation == "tanh":
            np.multiply(h, h, k)
            np.subtract(1, k, k)
        else:
            np.multiply(h, h, k)
            np.subtract(h, k, k)
        if mask is not None:  # a padded step has no part in any gradient, and hands dh on
            k *= mask[first:last, :, None]

    def run(self, group: Group, padded: list[Array | None] | None) -> None:
        """The recursion, from the group's last step to its first."""
        multiply, add, dh, carried = np.multiply, np.add, self.dh, self.carried
        first, last, place = group
        n = last - first
        for ((dot, W, out, more), delta), dh_here, pad in zip(
            self.steps[place : place + n][::-1], self.each_dh[:n][::-1], columns(padded and padded[::-1]), strict=False
        ):
            add(dh, dh_here, dh)
            multiply(dh, delta, delta)
            if pad is not None:
                multiply(dh, pad, carried)
            dot(W, out)
            for call, operand, out in more:
                call(operand, out)
            if pad is not None:
                add(dh, carried, dh)

    def h_before(self, forward: RNNForward, start: int, n: int) -> Array:
        """As `BackwardPass.h_before`."""
        return forward.h[start : start + n].reshape(-1, self.plan.H)

    def finish(self, forward: Any, mask: Array | None) -> tuple[State, Params]:
        """Nothing was reordered."""
        return (self.dh.copy(),), {name: self.hand_over(name) for name in ("W_xh", "W_hh", "b_h")}


def choices(cell: Any) -> str:
    """All three activations."""
    activation: str = cell.activation
    return activation


RNN = FusedKernel("rnn", RNNForward, RNNBackward, choices)
