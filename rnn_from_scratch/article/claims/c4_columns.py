r"""Claim C4, the ladder's upper rungs: features first, so that each gate of a step is a slab of memory, (H, N).

Time stands outermost, and everything is written where it stays. The gates' order is o, i, f, g, so that the three with
a sigmoid are one slab. See c4_rows.py for what a rung is, and for those below; the last ones are in c4_buffers.py.

Source: article §1.2, §4.1; notebook 16; the whole-sequence kernels in fused/.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...arrays import Array, Params
from .c4_rows import Found


class Forward(NamedTuple):
    """What the backward pass needs of the forward pass."""

    gates: Array  # (T, 4H, N), after σ and tanh
    hs: Array  # (T + 1, H, N), from h_0 on
    cs: Array  # (T + 1, H, N)
    tanh_cs: Array  # (T, H, N)


# The forward pass, three ways


def columns(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 4: features first, functions in place, no new array in the loop."""
    T, N, _ = xs.shape
    H = dhs.shape[2]
    W_x, W_h, b = (first_to_last(params[name]).T for name in ("W_xh", "W_hh", "b_h"))
    gates = W_x @ xs.swapaxes(1, 2) + b[:, None]
    forward = empty_forward(gates, T, N, H)
    from_h = new(xs, 4 * H, N)
    for t, a in enumerate(gates):
        np.matmul(W_h, forward.hs[t], out=from_h)
        np.add(a, from_h, a)
        sigmoid_in_place(a[: 3 * H])
        np.tanh(a[3 * H :], a[3 * H :])
        advance(forward, t, from_h[:H])
    return collect(params, xs, forward, deltas_by_step(params, forward, dhs))


def one_product(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 5: [x; 1; h] above each other, and one product with [W_x b W_h] gives the gates, input and bias included."""
    W = stacked(params)
    z, forward = with_inputs(xs, dhs.shape[2])
    H = dhs.shape[2]
    work = new(xs, H, xs.shape[1])
    for t, a in enumerate(forward.gates):
        np.matmul(W, z[t], out=a)
        sigmoid_in_place(a[: 3 * H])
        np.tanh(a[3 * H :], a[3 * H :])
        advance(forward, t, work)
    return collect_at_once(params, z, deltas_by_step(params, forward, dhs))


def one_tanh(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 6: the sigmoids' rows halved, since σ(a) = (1 + tanh(a/2))/2. One tanh then serves all four gates."""
    forward, z = forward_by_one_tanh(params, xs, dhs.shape[2])
    return collect_at_once(params, z, deltas_by_step(params, forward, dhs))


def forward_by_one_tanh(params: Params, xs: Array, H: int) -> tuple[Forward, Array]:
    """Return what the backward pass needs, and z."""
    W = stacked(params)
    W[: 3 * H] *= 0.5
    z, forward = with_inputs(xs, H)
    work = new(xs, H, xs.shape[1])
    for t, a in enumerate(forward.gates):
        np.matmul(W, z[t], out=a)
        np.tanh(a, a)
        sigmoids = a[: 3 * H]
        np.multiply(sigmoids, 0.5, sigmoids)
        np.add(sigmoids, 0.5, sigmoids)
        advance(forward, t, work)
    return forward, z


# The backward pass, two ways


def deltas_by_step(params: Params, forward: Forward, dhs: Array) -> Array:
    """Return δ (T, 4H, N), every derivative computed at its step."""
    gates, _, cs, tanh_cs = forward
    W_back, H = first_to_last(params["W_hh"]), dhs.shape[2]
    deltas, dh_here = new(dhs, *gates.shape), dhs.swapaxes(1, 2)
    dh, dc, work = (new(dhs, H, dhs.shape[1]) for _ in range(3))
    dh[...] = dc[...] = 0
    for t in reversed(range(len(gates))):
        (o, i, f, g), (d_o, d_i, d_f, d_g) = blocks(gates[t]), blocks(deltas[t])
        np.add(dh, dh_here[t], dh)
        np.multiply(tanh_cs[t], tanh_cs[t], work)
        np.subtract(1, work, work)
        np.multiply(work, o, work)
        np.multiply(work, dh, work)
        np.add(dc, work, dc)
        np.subtract(1, gates[t, : 3 * H], deltas[t, : 3 * H])  # σ′ = σ (1 − σ)
        np.multiply(deltas[t, : 3 * H], gates[t, : 3 * H], deltas[t, : 3 * H])
        np.multiply(g, g, d_g)
        np.subtract(1, d_g, d_g)
        for delta, other, incoming in ((d_o, tanh_cs[t], dh), (d_i, g, dc), (d_f, cs[t], dc), (d_g, i, dc)):
            np.multiply(delta, other, delta)
            np.multiply(delta, incoming, delta)
        np.multiply(dc, f, dc)
        np.matmul(W_back, deltas[t], out=dh)
    return deltas


def factors_first(params: Params, xs: Array, dhs: Array) -> Found:
    """Rung 7: all that does not depend on what comes back is computed beforehand, for all steps at once."""
    forward, z = forward_by_one_tanh(params, xs, dhs.shape[2])
    deltas, k_c = new(dhs, *forward.gates.shape), new(dhs, *forward.tanh_cs.shape)
    factors(forward, 0, len(dhs), deltas, k_c)
    W_back, H = first_to_last(params["W_hh"]), dhs.shape[2]
    dh_here = dhs.swapaxes(1, 2)
    dh, dc, work = (new(dhs, H, dhs.shape[1]) for _ in range(3))
    dh[...] = dc[...] = 0
    for t in reversed(range(len(deltas))):
        d_o, d_i, d_f, d_g = blocks(deltas[t])
        np.add(dh, dh_here[t], dh)
        np.multiply(dh, k_c[t], work)
        np.add(dc, work, dc)
        np.multiply(d_o, dh, d_o)
        for delta in (d_i, d_f, d_g):
            np.multiply(delta, dc, delta)
        np.multiply(dc, forward.gates[t, 2 * H : 3 * H], dc)
        np.matmul(W_back, deltas[t], out=dh)
    return collect_at_once(params, z, deltas)


def factors(forward: Forward, start: int, stop: int, k: Array, k_c: Array) -> None:
    r"""Write k_o, k_i, k_f, k_g to k (·, 4H, N) and k_c (·, H, N) for some steps: δ = dh ⊙ k_o or dc ⊙ k.

    With P the product that the forward made, a sigmoid's factor P (1 − gate) is P − P·gate:

    .. math:: k_o = h - h\,o, \quad k_i = ig - ig\,i, \quad k_f = fc - fc\,f, \quad k_g = i - ig\,g

    and dc gets dh ⊙ k_c, where k_c = o − h tanh c.
    """
    steps = slice(start, stop)
    gates, h, tanh_c = forward.gates[steps], forward.hs[start + 1 : stop + 1], forward.tanh_cs[steps]
    o, i, f, g = (gates[:, block] for block in quarters(gates.shape[1]))
    k_o, k_i, k_f, k_g = (k[:, block] for block in quarters(k.shape[1]))
    np.subtract(o, h * tanh_c, k_c)
    np.subtract(h, h * o, k_o)
    np.multiply(i, g, k_i)
    np.subtract(i, k_i * g, k_g)
    np.subtract(k_i, k_i * i, k_i)
    np.multiply(f, forward.cs[steps], k_f)
    np.subtract(k_f, k_f * f, k_f)


# What the rungs share


def new(like: Array, *shape: int) -> Array:
    """Return an uninitialised array of this dtype."""
    array: Array = np.empty_like(like, shape=shape)
    return array


def quarters(rows: int) -> list[slice]:
    """Return the rows of o, i, f, g."""
    return [slice(k * rows // 4, (k + 1) * rows // 4) for k in range(4)]


def blocks(array: Array) -> list[Array]:
    """Return o, i, f, g of one step (4H, N)."""
    return [array[block] for block in quarters(len(array))]


def first_to_last(array: Array) -> Array:
    """Take the last axis from the order i, f, g, o to o, i, f, g."""
    first, last = slice(None, 3 * array.shape[-1] // 4), slice(3 * array.shape[-1] // 4, None)
    return np.concatenate([array[..., last], array[..., first]], axis=-1)


def last_to_first(array: Array) -> Array:
    """Take the last axis back to the order i, f, g, o."""
    return np.concatenate([array[..., array.shape[-1] // 4 :], array[..., : array.shape[-1] // 4]], axis=-1)


def stacked(params: Params) -> Array:
    """Return [W_x b W_h], (4H, D + 1 + H)."""
    above = [params["W_xh"], params["b_h"][None], params["W_hh"]]
    return np.ascontiguousarray(first_to_last(np.concatenate(above)).T)


def empty_forward(gates: Array, T: int, N: int, H: int) -> Forward:
    """Return the arrays of a forward pass, h_0 and c_0 zero."""
    hs, cs = new(gates, T + 1, H, N), new(gates, T + 1, H, N)
    hs[0] = cs[0] = 0
    return Forward(gates, hs, cs, new(gates, T, H, N))


def with_inputs(xs: Array, H: int) -> tuple[Array, Forward]:
    """Return z (T + 1, D + 1 + H, N), [x; 1; h] of each step, and a forward pass whose hs are z's last rows."""
    T, N, D = xs.shape
    z = new(xs, T + 1, D + 1 + H, N)
    z[:-1, :D], z[:, D], z[0, D + 1 :] = xs.swapaxes(1, 2), 1, 0
    return z, empty_forward(new(xs, T, 4 * H, N), T, N, H)._replace(hs=z[:, D + 1 :])


def sigmoid_in_place(a: Array) -> None:
    """Write σ(a) over a."""
    np.negative(a, a)
    np.exp(a, a)
    np.add(a, 1, a)
    np.reciprocal(a, a)


def advance(forward: Forward, t: int, work: Array) -> None:
    """Write c and h after step t from its gates."""
    o, i, f, g = blocks(forward.gates[t])
    c = forward.cs[t + 1]
    np.multiply(f, forward.cs[t], c)
    np.multiply(i, g, work)
    np.add(c, work, c)
    np.tanh(c, forward.tanh_cs[t])
    np.multiply(o, forward.tanh_cs[t], forward.hs[t + 1])


def rows(array: Array) -> Array:
    """Return (T, features, N) as (T·N, features)."""
    return array.swapaxes(1, 2).reshape(-1, array.shape[1])


def collect(params: Params, xs: Array, forward: Forward, deltas: Array) -> Found:
    """Turn δ into the gradients, each sum over time one product; h in rows again."""
    T, N, D = xs.shape
    delta, hs = rows(deltas), np.ascontiguousarray(forward.hs.swapaxes(1, 2))
    h_prevs = hs[:-1].reshape(T * N, -1)
    grads = {"W_xh": xs.reshape(-1, D).T @ delta, "W_hh": h_prevs.T @ delta, "b_h": delta.sum(axis=0)}
    dxs = (delta @ first_to_last(params["W_xh"]).T).reshape(T, N, D)
    return Found(hs[1:], dxs, {name: last_to_first(array) for name, array in grads.items()})


def collect_at_once(params: Params, z: Array, deltas: Array) -> Found:
    """Turn δ into the gradients: one product for all three, the ones in z summing δ for the bias."""
    T, _, N = deltas.shape
    D = len(params["W_xh"])
    delta, z_rows = rows(deltas), np.ascontiguousarray(z.swapaxes(1, 2))  # (T + 1, N, D + 1 + H)
    dW = last_to_first(z_rows[:-1].reshape(T * N, -1).T @ delta)
    dxs = (delta @ first_to_last(params["W_xh"]).T).reshape(T, N, D)
    return Found(z_rows[1:, :, D + 1 :].copy(), dxs, {"W_xh": dW[:D], "b_h": dW[D], "W_hh": dW[D + 1 :]})
