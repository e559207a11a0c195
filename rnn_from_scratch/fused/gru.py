"""The whole-sequence kernel of the GRU with its reset gate after the product. The equations stand in cells/gru.py."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from ..arrays import Array, Params, State
from .engine import FusedKernel
from .layout import Plan, transpose_into
from .passes import BackwardPass, ForwardPass, put
from .products import adding, split


class GRUForward(ForwardPass):
    """One product gives r, z and q = h W_hn + b_hn. x W_xn + b_n stays out of it, since r multiplies q alone.

    So q's rows of the weights have zeros for x and b_hn for the 1, and n's part of the input is computed for a whole
    group. Ten calls a step.
    """

    def __init__(self, plan: Plan) -> None:
        S, N, D, H = plan.steps, plan.N, plan.D, plan.H
        super().__init__(plan, rows=3 * H)
        self.states = (self.h,)
        self.gates = self.new(S, 3 * H, N)  # r, z, q
        self.rq, self.z_difference = self.new(H, N), self.new(H, N)
        self.half = np.array(0.5, plan.dtype)
        rz, q = self.gates[:, : 2 * H], self.gates[:, 2 * H :]
        if self.x_parts is None:
            self.weights[2 * H :, :D] = 0
            self.W_xn = self.new(H, D + 1)
            self.n = self.new(S, H, N)
            calls = self.products(self.gates)
        else:
            self.b_hn = self.new(H, N)
            self.n = self.x_parts[:, 2 * H :]
            calls = self.products(self.gates)
            for products, gates, x_part, product in zip(calls, rz, self.x_parts[:, : 2 * H], q, strict=True):
                products += [adding(x_part, gates), adding(self.b_hn, product)]
        self.steps = list(zip(
            map(split, calls), rz, self.gates[:, :H], self.gates[:, H : 2 * H], q, self.n,
            self.h, self.h[1:], strict=False,
        ))

    def pack(self, params: Params) -> None:
        """The reference's own order, r, z, n."""
        H, D = self.plan.H, self.plan.D
        W_xh, W_hh, b, b_hn = params["W_xh"], params["W_hh"], params["b_h"], params["b_hn"]
        if self.x_parts is None:
            self.put(W_xh[:, : 2 * H], b[: 2 * H], W_hh[:, : 2 * H], slice(0, 2 * H))
            put(self.weights[2 * H :, D + 1 :], W_hh[:, 2 * H :])
            self.weights[2 * H :, D] = b_hn
            transpose_into(self.W_xn[:, :D], W_xh[:, 2 * H :])
            self.W_xn[:, D] = b[2 * H :]
        else:
            self.put(W_xh, b, W_hh, slice(0, 3 * H))
            self.b_hn[...] = b_hn[:, None]
        self.halve(slice(0, 2 * H))

    def load(self, first: int, xs: Array) -> None:
        """Beside what all kernels do: n's part of the inputs, into what becomes n."""
        super().load(first, xs)
        if self.x_parts is None:
            last = first + len(xs)
            np.matmul(self.W_xn, self.z[first:last, : self.plan.D + 1], self.n[first:last])

    def run(self, first: int, last: int, padded: list[Array | None] | None) -> None:
        """The loop, forwards."""
        tanh, multiply, add, subtract, copyto = np.tanh, np.multiply, np.add, np.subtract, np.copyto
        half, rq, difference = self.half, self.rq, self.z_difference
        for ((dot, x_1_h, out, more), rz, r, z, q, n, h_prev, h), pad in zip(
            self.steps[first:last], padded or repeat(None), strict=False
        ):
            dot(x_1_h, out)
            for call, operand, out in more:
                call(operand, out)
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


class GRUBackward(BackwardPass):
    r"""Every δ is dh = ∂L/∂h_t, over all paths, times a factor that does not depend on it.

    .. math:: k_z = (h_{t-1} - n) \odot z (1 - z), \quad k_n = (1 - z) \odot (1 - n^2), \quad
              k_q = k_n \odot r, \quad k_r = k_n \odot q \odot r (1 - r)

    The factors are computed for a group at once; eight calls a step remain.
    Order of the deltas: q, r, z, n, so that those of the product with h and those of the product with x are each
    contiguous.
    """

    def __init__(self, plan: Plan) -> None:
        steps, N, H = plan.group, plan.N, plan.H
        super().__init__(plan, 4 * H, slice(0, 3 * H), slice(H, 4 * H), parts=1)
        self.z = self.new(steps, H, N)  # 1 on padding, where h is handed on
        self.work = self.new(steps, H, N)
        self.carried = self.new(H, N)
        q, r, z, n = (self.deltas[:, gate * H : (gate + 1) * H] for gate in range(4))
        self.steps = list(zip(
            map(split, self.products), self.incoming[1:], self.dhs, q, r, z, n, self.z, self.incoming, strict=False
        ))

    def pack(self, params: Params) -> None:
        """For h the reference's columns go round by one gate; for x they are its own."""
        H, W_hh = self.plan.H, params["W_hh"]
        self.W_hh[:, :H], self.W_hh[:, H:] = W_hh[:, 2 * H :], W_hh[:, : 2 * H]
        transpose_into(self.W_xh, params["W_xh"])

    def derive(self, forward: GRUForward, start: int, stop: int, mask: Array | None) -> None:
        """The forward made z (h_{t−1} − n) = h_t − n, so k_z = (h_t − n) − (h_t − n) z."""
        count, H = stop - start, self.plan.H
        multiply, subtract = np.multiply, np.subtract
        gates, n, h = forward.gates[start:stop], forward.n[start:stop], forward.h[start + 1 : stop + 1]
        r, z, q = gates[:, :H], gates[:, H : 2 * H], gates[:, 2 * H :]
        k_q, k_r, k_z, k_n = (self.deltas[:count, gate * H : (gate + 1) * H] for gate in range(4))
        work = self.work[:count]
        subtract(h, n, k_z)
        multiply(k_z, z, work)
        subtract(k_z, work, k_z)
        multiply(n, n, k_n)
        subtract(1, k_n, k_n)
        multiply(k_n, z, work)
        subtract(k_n, work, k_n)
        multiply(k_n, r, k_q)
        multiply(k_q, q, k_r)
        multiply(k_r, r, work)
        subtract(k_r, work, k_r)
        self.z[:count] = z
        if mask is not None:  # a padded step has no part in any gradient, and hands dh on
            here = mask[start:stop, None]
            self.deltas[:count] *= here
            np.copyto(self.z[:count], 1, where=~here)

    def run(self, n: int, padded: list[Array | None] | None) -> None:
        """The recursion, from the group's last step to its first; padding is in the factors already."""
        multiply, add, carried = np.multiply, np.add, self.carried
        for (dot, delta, out, more), dh, dh_here, k_q, k_r, k_z, k_n, z, dh_prev in self.steps[n - 1 :: -1]:
            add(dh, dh_here, dh)
            multiply(dh, k_q, k_q)
            multiply(dh, k_r, k_r)
            multiply(dh, k_z, k_z)
            multiply(dh, k_n, k_n)
            multiply(dh, z, carried)
            dot(delta, out)
            for call, operand, out in more:
                call(operand, out)
            add(dh_prev, carried, dh_prev)

    def finish(self, forward: Any, mask: Array | None) -> tuple[State, Params]:
        """Return the initial state's gradient, and the gradients in the reference's order of gates."""
        H = self.plan.H
        return (self.incoming[0].T.copy(),), {
            "W_xh": self.dW_xh,
            "W_hh": np.concatenate([self.dW_hh[:, H:], self.dW_hh[:, :H]], axis=1),
            "b_h": self.db[H:].copy(),
            "b_hn": self.db[:H].copy(),
        }


def choices(cell: Any) -> tuple[()] | None:
    """Before the product, the reset gate would cut it in two."""
    return () if cell.reset_after else None


GRU = FusedKernel("gru", GRUForward, GRUBackward, choices)
