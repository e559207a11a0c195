"""The whole-sequence kernel of the LSTM. The equations stand in cells/lstm.py."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from ..arrays import Array, Params, State
from .engine import FusedKernel
from .feature_major import FeatureMajorBackward, FeatureMajorForward, put
from .layout import Plan, transpose_into


class LSTMForward(FeatureMajorForward):
    """Order of the gates: o, i, f, g, where the reference has i, f, g, o.

    So the three sigmoid gates are one slab; and c before the step stands below g, so that i ⊙ g and f ⊙ c are one
    multiplication of two slabs: eight calls a step instead of eleven.
    """

    def __init__(self, plan: Plan) -> None:
        S, N, H = plan.steps, plan.N, plan.H
        super().__init__(plan, rows=4 * H)
        self.gates = self.new(S + 1, 5 * H, N)  # o, i, f, g, c before the step
        self.tanh_c = self.new(S, H, N)
        self.c = self.gates[:, 4 * H :]
        self.states = (self.h, self.c)
        self.gates[S, 2 * H : 3 * H] = 1  # as if the step after the last forgot nothing: see `derive`
        both = self.new(2 * H, N)
        self.ig, self.fc, self.both = both[:H], both[H:], both
        activations = self.gates[:, : 4 * H]
        self.steps = list(zip(
            self.products(activations), self.each_added(), activations, self.gates[:, : 3 * H],
            self.gates[:, H : 3 * H], self.gates[:, 3 * H :], self.gates[:, :H], self.c, self.c[1:], self.tanh_c,
            self.h, self.h[1:], strict=False,
        ))

    def pack(self, params: Params) -> None:
        """The reference's columns go round by one gate."""
        D, H = self.plan.D, self.plan.H
        W_xh, W_hh, b = params["W_xh"], params["W_hh"], params["b_h"]
        for to, by in ((slice(0, H), slice(3 * H, 4 * H)), (slice(H, 4 * H), slice(0, 3 * H))):
            put(self.weights[to, -H:], W_hh[:, by])
            if self.plan.projected:
                self.W_x[:D, to], self.W_x[D, to] = W_xh[:, by], b[by]
            else:
                put(self.weights[to, :D], W_xh[:, by])
                self.weights[to, D] = b[by]
        self.weights[: 3 * H] *= self.half
        if self.plan.projected:
            self.W_x[:, : 3 * H] *= self.half

    def run(self, first: int, last: int, padded: list[Array | None] | None) -> None:
        """The loop, forwards."""
        tanh, multiply, add, copyto, half = np.tanh, np.multiply, np.add, np.copyto, self.half
        both, ig, fc = self.both, self.ig, self.fc
        for ((dot, z, out, more), added, gates, sigmoids, i_f, g_c, o, c_prev, c, tanh_c, h_prev, h), pad in zip(
            self.steps[first:last], padded or repeat(None), strict=False
        ):
            dot(z, out)
            for call, operand, out in more:
                call(operand, out)
            if added is not None:
                add(gates, added, gates)
            tanh(gates, gates)
            multiply(sigmoids, half, sigmoids)
            add(sigmoids, half, sigmoids)
            multiply(i_f, g_c, both)
            add(ig, fc, c)
            tanh(c, tanh_c)
            multiply(o, tanh_c, h)
            if pad is not None:
                copyto(h, h_prev, where=pad)
                copyto(c, c_prev, where=pad)


class LSTMBackward(FeatureMajorBackward):
    r"""The recursion with its factors computed beforehand.

    With dh = ∂L/∂h_t and dc = ∂L/∂c_t, both over all paths,

    .. math:: dc = dh \odot k_c + dc_{t+1} \odot f_{t+1}, \quad \delta_o = dh \odot k_o, \quad
              \delta_{i,f,g} = dc \odot k_{i,f,g}, \quad dh_{t-1} = W_{hh} \delta

    where k_c = o (1 − tanh² c), k_o = tanh c · o (1 − o), k_i = g · i (1 − i), k_f = c_{t−1} · f (1 − f),
    k_g = i (1 − g²) do not depend on what comes back: they are computed for a group at once. Eight calls a step.
    """

    def __init__(self, plan: Plan) -> None:
        steps, N, H = plan.group, plan.N, plan.H
        super().__init__(plan, 4 * H, slice(0, 4 * H), slice(0, 4 * H), parts=2)
        self.k_cf = self.new(steps, 2 * H, N)  # k_c, and f of the step after
        self.work = self.new(steps, 2 * H, N)
        self.both = self.new(2 * H, N)
        self.carried = self.new(H, N)
        o, i, f, g = (self.deltas[:, gate * H : (gate + 1) * H] for gate in range(4))
        self.steps = list(zip(
            self.products, self.incoming[1:], self.incoming[1:, :H], self.dhs, self.k_cf,
            self.incoming[:, H:], o, i, f, g, self.incoming[:, :H], strict=False,
        ))

    def pack(self, params: Params) -> None:
        """The reference's columns go round by one gate."""
        H = self.plan.H
        W_xh, W_hh = params["W_xh"], params["W_hh"]
        self.W_hh[:, :H], self.W_hh[:, H:] = W_hh[:, 3 * H :], W_hh[:, : 3 * H]
        transpose_into(self.W_xh[:H], W_xh[:, 3 * H :])
        transpose_into(self.W_xh[H:], W_xh[:, : 3 * H])

    def derive(self, forward: LSTMForward, start: int, stop: int, mask: Array | None) -> None:
        """With P the product i·g, f·c or o·tanh c that the forward made, each factor is P − P·gate."""
        n, H = stop - start, self.plan.H
        gates, deltas, work, k_cf = forward.gates[start:stop], self.deltas[:n], self.work[:n], self.k_cf[:n]
        h, tanh_c = forward.h[start + 1 : stop + 1], forward.tanh_c[start:stop]
        o, i, i_f = gates[:, :H], gates[:, H : 2 * H], gates[:, H : 3 * H]
        g, g_c = gates[:, 3 * H : 4 * H], gates[:, 3 * H :]
        k_o, k_if, k_g = deltas[:, :H], deltas[:, H : 3 * H], deltas[:, 3 * H :]
        multiply, subtract = np.multiply, np.subtract
        multiply(i_f, g_c, k_if)
        multiply(k_if[:, :H], g, work[:, :H])
        subtract(i, work[:, :H], k_g)
        multiply(k_if, i_f, work)
        subtract(k_if, work, k_if)
        multiply(h, o, work[:, :H])
        subtract(h, work[:, :H], k_o)
        multiply(h, tanh_c, work[:, :H])
        subtract(o, work[:, :H], k_cf[:, :H])
        k_cf[:, H:] = forward.gates[start + 1 : stop + 1, 2 * H : 3 * H]
        if mask is not None:  # a padded step has no part in any gradient, and hands dh and dc on
            here = mask[start:stop, None]
            deltas *= here
            k_cf[:, :H] *= here
            after = mask[start + 1 : stop + 1, None]
            np.copyto(k_cf[: len(after), H:], 1, where=~after)

    def run(self, n: int, padded: list[Array | None] | None) -> None:
        """The recursion, from the group's last step to its first."""
        multiply, add, carried, both = np.multiply, np.add, self.carried, self.both
        from_h, from_c = both[: self.plan.H], both[self.plan.H :]
        for ((dot, delta, out, more), dh_dc, dh, dh_here, k_cf, dc, o, i, f, g, dh_prev), pad in zip(
            self.steps[n - 1 :: -1], padded[::-1] if padded else repeat(None), strict=False
        ):
            add(dh, dh_here, dh)
            multiply(dh_dc, k_cf, both)
            add(from_h, from_c, dc)
            multiply(dh, o, o)
            multiply(dc, i, i)
            multiply(dc, f, f)
            multiply(dc, g, g)
            dot(delta, out)
            for call, operand, out in more:
                call(operand, out)
            if pad is not None:
                multiply(dh, pad, carried)
                add(dh_prev, carried, dh_prev)

    def finish(self, forward: LSTMForward, mask: Array | None) -> tuple[State, Params]:
        """Return the initial state's gradient, and the gradients in the reference's order of gates."""
        H = self.plan.H
        f = forward.gates[0, 2 * H : 3 * H]
        dc = self.incoming[0, H:] * (f if mask is None else np.where(mask[0], f, 1))
        grads = {
            name: np.concatenate([self.sums[name][..., H:], self.sums[name][..., :H]], axis=-1)
            for name in ("W_xh", "W_hh", "b_h")
        }
        return (self.incoming[0, :H].T.copy(), dc.T.copy()), grads


def choices(cell: Any) -> tuple[()] | None:
    """Peepholes make the gates wait for c, which this arrangement does not allow."""
    return None if cell.peepholes else ()


LSTM = FusedKernel("lstm", LSTMForward, LSTMBackward, choices)
