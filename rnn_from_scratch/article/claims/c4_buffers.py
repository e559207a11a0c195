"""Claim C4, the ladder's last rungs: buffers that stay from call to call, work in pieces that stay in the cache.

See c4_rows.py for what a rung is, and c4_columns.py for the arithmetic.

Source: article §1.2, §4.1; notebook 16; fused/pool.py, fused/layout.py.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ...arrays import Array, Params
from ...cells import LSTMCell
from ...layers import Recurrent
from .c4_columns import collect_at_once, factors, first_to_last, new, quarters, stacked, with_inputs
from .c4_rows import Found

GROUP_NUMBERS = 32768  # of an array (steps, H, N): few enough that the next operation finds them in the cache


class Prepared:
    """Every array and every view of a step, made once for a shape, a dtype and a group of steps."""

    def __init__(self, T: int, N: int, D: int, H: int, dtype: Any, kind: Any, group: int) -> None:
        like: Array = np.empty(0, dtype).view(kind)
        self.z, self.forward = with_inputs(new(like, T, N, D), H)
        self.W, self.W_back = new(like, 4 * H, D + 1 + H), new(like, H, 4 * H)
        self.deltas, self.k_c, self.dh_here = new(like, T, 4 * H, N), new(like, group, H, N), new(like, group, H, N)
        self.dh, self.dc, self.work = (new(like, H, N) for _ in range(3))
        gates, _, cs, tanh_cs = self.forward
        o, i, f, g = (list(gates[:, block]) for block in quarters(4 * H))
        self.onwards = list(zip(
            self.z, gates, gates[:, : 3 * H], o, i, f, g, cs, cs[1:], tanh_cs, self.forward.hs[1:], strict=False,
        ))
        self.groups = [(first, min(first + group, T)) for first in range(0, T, group)][::-1]
        k_c, dh_here = ([array[t % group] for t in range(T)] for array in (self.k_c, self.dh_here))
        k = (list(self.deltas[:, block]) for block in quarters(4 * H))
        self.back = list(zip(self.deltas, *k, k_c, dh_here, f, strict=True))

    def __call__(self, params: Params, xs: Array, dhs: Array) -> Found:
        """Run the training step; what is returned are copies."""
        H = dhs.shape[2]
        self.W[...], self.W_back[...] = stacked(params), first_to_last(params["W_hh"])
        self.W[: 3 * H] *= 0.5
        self.z[:-1, : xs.shape[2]] = xs.swapaxes(1, 2)
        self.run_forward()
        self.dh[...] = self.dc[...] = 0
        for start, stop in self.groups:
            n = stop - start
            self.dh_here[:n] = dhs[start:stop].swapaxes(1, 2)
            factors(self.forward, start, stop, self.deltas[start:stop], self.k_c[:n])
            self.run_backward(start, stop)
        return collect_at_once(params, self.z, self.deltas)

    def run_forward(self) -> None:
        """The loop: nothing is made, nothing looked up."""
        product, tanh, multiply, add, work = self.W.dot, np.tanh, np.multiply, np.add, self.work
        for z, a, sigmoids, o, i, f, g, c_prev, c, tanh_c, h in self.onwards:
            product(z, a)
            tanh(a, a)
            multiply(sigmoids, 0.5, sigmoids)
            add(sigmoids, 0.5, sigmoids)
            multiply(f, c_prev, c)
            multiply(i, g, work)
            add(c, work, c)
            tanh(c, tanh_c)
            multiply(o, tanh_c, h)

    def run_backward(self, start: int, stop: int) -> None:
        """The recursion through some steps, the last first."""
        product, multiply, add = self.W_back.dot, np.multiply, np.add
        dh, dc, work = self.dh, self.dc, self.work
        for delta, d_o, d_i, d_f, d_g, k_c, dh_here, f in reversed(self.back[start:stop]):
            add(dh, dh_here, dh)
            multiply(dh, k_c, work)
            add(dc, work, dc)
            multiply(d_o, dh, d_o)
            multiply(d_i, dc, d_i)
            multiply(d_f, dc, d_f)
            multiply(d_g, dc, d_g)
            multiply(dc, f, dc)
            product(delta, dh)


@lru_cache(maxsize=8)
def prepared(T: int, N: int, D: int, H: int, dtype: Any, kind: Any, group: int) -> Prepared:
    """Return the buffers of this shape, made once."""
    return Prepared(T, N, D, H, dtype, kind, group)


def _for(xs: Array, dhs: Array, group: int) -> Prepared:
    kind: Any = type(xs)
    return prepared(*xs.shape, dhs.shape[2], xs.dtype, kind, group)


def buffers_kept(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 8: the same in buffers, and with views of them, that the last call of this shape has left."""
    return _for(xs, dhs, len(xs))(params, xs, dhs)


def in_groups(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 9: the factors of some steps at a time, so few that the recursion finds them in the cache."""
    group = min(len(xs), max(1, GROUP_NUMBERS // dhs[0].size))
    return _for(xs, dhs, group)(params, xs, dhs)


def kernel(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 10: the package's layer. Sums over time in chunks, products in blocks; and every argument checked."""
    layer = Recurrent(LSTMCell(xs.shape[2], dhs.shape[2]), "fused")
    hs, _, cache = layer.forward(params, xs)
    dxs, _, grads = layer.backward(params, dhs, cache)
    assert dxs is not None
    return Found(hs, dxs, grads)
