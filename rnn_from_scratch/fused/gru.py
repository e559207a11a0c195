"""The whole-sequence kernel of the GRU with its reset gate after the product. The equations stand in cells/gru.py."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from ..arrays import Array, Params, State
from .engine import FusedKernel
from .feature_major import FeatureMajorBackward, FeatureMajorForward, put
from .layout import Plan, transpose_into


class GRUForward(FeatureMajorForward):
    """One product gives r, z and q = h W_hn + b_hn. x W_xn + b_n stays out of it, since r multiplies q alone.

    So q's rows of the weights have zeros for x and b_hn for the 1, and n's part of the input is computed for a whole
    group. Ten calls a step.
    """

    def __init__(self, plan: Plan) -> None:
        S, N, D, H = plan.steps, plan.N, plan.D, plan.H
        super().__init__(plan, rows=3 * H, beside=H)
        self.states = (self.h,)
        self.gates = self.new(S, 3 * H, N)  # r, z, q
        self.rq, self.z_difference = self.new(H, N), self.new(H, N)
        if plan.projected:
            self.n = self.added[:, :H]  # what becomes n, and what is added to r, z, q
        else:
            self.weights[2 * H :, :D] = 0
            self.W_xn = self.new(H, D + 1)
            self.n = self.new(S, H, N)
        r, z, q, rz = (self.gates[:, part] for part in (slice(H), slice(H, 2 * H), slice(2 * H, None), slice(2 * H)))
        self.steps = list(zip(
            self.products(self.gates), self.each_added(H), self.gates, r, z, q, rz, self.n, self.h, self.h[1:],
            strict=False,
        ))

    def pack(self, params: Params) -> None:
        """For h the reference's own order, r, z, n; for x its columns go round by one gate: n, r, z."""
        H, D = self.plan.H, self.plan.D
        W_xh, W_hh, b, b_hn = params["W_xh"], params["W_hh"], params["b_h"], params["b_hn"]
        put(self.weights[:, -H:], W_hh)
        if self.plan.projected:
            for to, by in ((slice(H), slice(2 * H, None)), (slice(H, None), slice(2 * H))):
                self.W_x[:D, to], self.W_x[D, to] = W_xh[:, by], b[by]
            self.W_x[:, H:] *= self.half
            self.added[:, 3 * H :] = b_hn[:, None]
        else:
            put(self.weights[: 2 * H, :D], W_xh[:, : 2 * H])
            self.weights[: 2 * H, D], self.weights[2 * H :, D] = b[: 2 * H], b_hn
            transpose_into(self.W_xn[:, :D], W_xh[:, 2 * H :])
            self.W_xn[:, D] = b[2 * H :]
        self.weights[: 2 * H] *= self.half

    def load(self, first: int, xs: Array) -> None:
        """Beside what all kernels do: n's part of the inputs, into what becomes n."""
        super().load(first, xs)
        if not self.plan.projected:
            last = first + len(xs)
            np.matmul(self.W_xn, self.z[first:last, : self.plan.D + 1], self.n[first:last])

    def run(self, first: int, last: int, padded: list[Array | None] | None) -> None:
        """The loop, forwards."""
        tanh, multiply, add, subtract, copyto = np.tanh, np.multiply, np.add, np.subtract, np.copyto
        half, rq, difference = self.half, self.rq, self.z_difference
        for ((dot, x_1_h, out, more), added, gates, r, z, q, rz, n, h_prev, h), pad in zip(
            self.steps[first:last], padded or repeat(None), strict=False
        ):
            dot(x_1_h, out)
            for call, operand, out in more:
                call(operand, out)
            if added is not None:
                add(gates, added, gates)
            tanh(rz, rz)
            multiply(rz, half, rz)
            add(rz, half, rz)
            multiply(r, q, rq)
            add(n, rq, n)
            tanh(n, n)
            subtract(h_prev, n, difference)
            multiply(z, difference, difference)
            add(n, difference, h)
            if pad is not None:
                copyto(h, h_prev, where=pad)


class GRUBackward(FeatureMajorBackward):
    r"""Every δ is dh = ∂L/∂h_t, over all paths, times a factor that does not depend on it; so is what h_{t−1} gets.

    .. math:: k_z = (h_{t-1} - n) \odot z (1 - z), \quad k_n = (1 - z) \odot (1 - n^2), \quad
              k_q = k_n \odot r, \quad k_r = k_n \odot q \odot r (1 - r), \quad dh_{t-1} = W_{hh} \delta + dh \odot z

    The factors are computed for a group at once, and lie one above the other: one multiplication for all five, and four
    calls a step. Order: n, r, z, q, so that the deltas of the product with x and those of the product with h are each
    contiguous; then the gate z itself.
    """

    def __init__(self, plan: Plan) -> None:
        steps, N, H = plan.group, plan.N, plan.H
        super().__init__(plan, 4 * H, h_rows=slice(H, 4 * H), x_rows=slice(0, 3 * H), parts=1, beside=1)
        self.work = self.new(steps, H, N)
        every = self.deltas.reshape(steps, 5, H * N)
        dh, dh_here = self.incoming.reshape(steps + 1, H * N), self.dhs.reshape(steps, H * N)
        self.steps = list(zip(self.products, dh[1:], dh_here, every, every[:, 4], dh, strict=False))

    def pack(self, params: Params) -> None:
        """As in the forward."""
        H, W_xh = self.plan.H, params["W_xh"]
        self.W_hh[...] = params["W_hh"]
        transpose_into(self.W_xh[:H], W_xh[:, 2 * H :])
        transpose_into(self.W_xh[H:], W_xh[:, : 2 * H])

    def derive(self, forward: GRUForward, start: int, stop: int, mask: Array | None) -> None:
        """The forward made z (h_{t−1} − n) = h_t − n, so k_z = (h_t − n) (1 − z)."""
        count, H = stop - start, self.plan.H
        multiply, subtract = np.multiply, np.subtract
        gates, n, h = forward.gates[start:stop], forward.n[start:stop], forward.h[start + 1 : stop + 1]
        r, z, q = gates[:, :H], gates[:, H : 2 * H], gates[:, 2 * H :]
        k_n, k_r, k_z, k_q, k_h = (self.deltas[:count, part * H : (part + 1) * H] for part in range(5))
        work = self.work[:count]
        subtract(1, gates[:, : 2 * H], self.deltas[:count, H : 3 * H])  # 1 − r and 1 − z
        multiply(n, n, k_n)
        subtract(1, k_n, k_n)
        multiply(k_n, k_z, k_n)
        subtract(h, n, work)
        multiply(k_z, work, k_z)
        multiply(k_n, r, k_q)
        multiply(k_r, k_q, k_r)
        multiply(k_r, q, k_r)
        k_h[...] = z
        if mask is not None:  # a padded step has no part in any gradient, and hands dh on
            here = mask[start:stop, None]
            self.deltas[:count] *= here
            np.copyto(k_h, 1, where=~here)

    def run(self, n: int, padded: list[Array | None] | None) -> None:
        """The recursion, from the group's last step to its first; padding is in the factors already."""
        multiply, add = np.multiply, np.add
        for (dot, delta, out, more), dh, dh_here, every, carried, dh_prev in self.steps[n - 1 :: -1]:
            add(dh, dh_here, dh)
            multiply(dh, every, every)
            dot(delta, out)
            for call, operand, out in more:
                call(operand, out)
            add(dh_prev, carried, dh_prev)

    def finish(self, forward: Any, mask: Array | None) -> tuple[State, Params]:
        """Return the initial state's gradient, and the gradients in the reference's order of gates."""
        H, dW_xh, db = self.plan.H, self.sums["W_xh"], self.sums["b_h"]
        return (self.incoming[0].T.copy(),), {
            "W_xh": np.concatenate([dW_xh[:, H:], dW_xh[:, :H]], axis=1),
            "W_hh": self.hand_over("W_hh"),
            "b_h": np.concatenate([db[H : 3 * H], db[:H]]),
            "b_hn": db[3 * H :].copy(),
        }


def choices(cell: Any) -> tuple[()] | None:
    """Before the product, the reset gate would cut it in two."""
    return () if cell.reset_after else None


GRU = FusedKernel("gru", GRUForward, GRUBackward, choices)
