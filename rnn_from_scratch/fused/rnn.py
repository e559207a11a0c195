"""The whole-sequence kernel of the vanilla RNN. The equations stand in cells/rnn.py."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from ..arrays import Array, Params, State
from .engine import FusedKernel
from .layout import Plan, transpose_into
from .passes import BackwardPass, ForwardPass
from .products import adding, split


class RNNForward(ForwardPass):
    """Two calls a step: the product, and f, which writes h straight into the next step's z."""

    def __init__(self, plan: Plan) -> None:
        S, N, H = plan.steps, plan.N, plan.H
        super().__init__(plan, rows=H)
        self.activation = plan.choices
        self.states = (self.h,)
        self.a = self.new(H, N)
        self.half = np.array(0.5, plan.dtype)
        calls = self.products(repeat(self.a, S))
        if self.x_parts is not None:
            for products, x_part in zip(calls, self.x_parts, strict=True):
                products.append(adding(x_part, self.a))
        self.steps = list(zip(map(split, calls), self.h, self.h[1:], strict=False))

    def pack(self, params: Params) -> None:
        """One block; halved for the sigmoid."""
        every = slice(0, self.plan.H)
        self.put(params["W_xh"], params["b_h"], params["W_hh"], every)
        if self.activation == "sigmoid":
            self.halve(every)

    def run(self, first: int, last: int, padded: list[Array | None] | None) -> None:
        """The loop, forwards."""
        multiply, add, copyto, a, half = np.multiply, np.add, np.copyto, self.a, self.half
        f, squash = rectify if self.activation == "relu" else np.tanh, self.activation == "sigmoid"
        for ((dot, z, out, more), h_prev, h), pad in zip(self.steps[first:last], padded or repeat(None), strict=False):
            dot(z, out)
            for call, operand, out in more:
                call(operand, out)
            f(a, h)
            if squash:
                multiply(h, half, h)
                add(h, half, h)
            if pad is not None:
                copyto(h, h_prev, where=pad)


def rectify(a: Array, h: Array) -> None:
    """Write max(a, 0) to h; where numbers are complex the real part decides, as in `relu`."""
    if a.dtype.kind == "c":
        np.multiply(a, a.real > 0, h)
    else:
        np.maximum(a, 0, out=h)


class RNNBackward(BackwardPass):
    """δ_t = dh_t ⊙ k_t with k = f'(a), and dh_{t−1} = W_hh δ_t: three calls a step."""

    def __init__(self, plan: Plan) -> None:
        H = plan.H
        super().__init__(plan, H, slice(0, H), slice(0, H), parts=1)
        self.carried = self.new(H, plan.N)
        self.steps = list(zip(
            map(split, self.products), self.incoming[1:], self.dhs, self.deltas, self.incoming, strict=False
        ))

    def pack(self, params: Params) -> None:
        """The reference's own order."""
        self.W_hh[...] = params["W_hh"]
        transpose_into(self.W_xh, params["W_xh"])

    def derive(self, forward: RNNForward, start: int, stop: int, mask: Array | None) -> None:
        """Write f' from the output: 1 − h², h (1 − h), or 1 where h is positive."""
        h, k = forward.h[start + 1 : stop + 1], self.deltas[: stop - start]
        if forward.activation == "relu":
            k[...] = h.real > 0
        elif forward.activation == "tanh":
            np.multiply(h, h, k)
            np.subtract(1, k, k)
        else:
            np.multiply(h, h, k)
            np.subtract(h, k, k)
        if mask is not None:  # a padded step has no part in any gradient, and hands dh on
            k *= mask[start:stop, None]

    def run(self, n: int, padded: list[Array | None] | None) -> None:
        """The recursion, from the group's last step to its first."""
        multiply, add, carried = np.multiply, np.add, self.carried
        for ((dot, operand, out, more), dh, dh_here, delta, dh_prev), pad in zip(
            self.steps[n - 1 :: -1], padded[::-1] if padded else repeat(None), strict=False
        ):
            add(dh, dh_here, dh)
            multiply(dh, delta, delta)
            dot(operand, out)
            for call, operand, out in more:
                call(operand, out)
            if pad is not None:
                multiply(dh, pad, carried)
                add(dh_prev, carried, dh_prev)

    def finish(self, forward: Any, mask: Array | None) -> tuple[State, Params]:
        """Nothing was reordered."""
        return (self.incoming[0].T.copy(),), {"W_xh": self.dW_xh, "W_hh": self.dW_hh, "b_h": self.db}


def choices(cell: Any) -> str:
    """All three activations."""
    activation: str = cell.activation
    return activation


RNN = FusedKernel("rnn", RNNForward, RNNBackward, choices)
