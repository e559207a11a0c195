r"""The linear recurrence h_t = a_t ⊙ h_{t−1} + b_t over time: step by step, or in parallel, and its backward.

Each step is a function of one number, h ↦ a h + b, and two such steps after each other are one of the same kind:

.. math:: a_2 (a_1 h + b_1) + b_2 = (a_2 a_1)\, h + (a_2 b_1 + b_2)

That is associative, so the steps may be put together in any order: a prefix scan. `scan_loop` takes one step after the
other, T short operations. `scan_blelloch` puts neighbours together, all pairs at once, which leaves half as many steps,
and so on: a few long operations for each of log₂ T levels, and 5 T multiplications and additions instead of 2 T. `scan`
takes the one that is faster for the shape.

Two shorter ways are not taken, because they are wrong for long sequences. Dividing by the cumulative product of a
divides by 0 as soon as that underflows. Its logarithm needs positive numbers and a sum of logarithms that grows with T,
and what such a sum loses is lost from h.

Source: Blelloch (1990), §1.2 and §1.4; Martin & Cundy (2018), §2; tests/test_scan.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from . import validate
from .arrays import Array

# Measured on one core (1 MiB of L2 cache, AVX-512, NumPy 2.4), medians of 31 interleaved rounds, the loop's time over
# the Blelloch scan's:
#
#   numbers a step           8    32    64   128   192   256   384   512
#   float64, T = 100       2.0   1.8   1.5   1.3   1.0   0.8   0.7   0.7
#   float64, T = 1000      5.7   3.4   2.2   1.5   1.2   1.0   0.7   0.7
#   float64, T = 8000      8.4   3.4   2.3   1.4   1.1   0.9   0.8   0.9
#   float32, T = 100       2.3   2.1   1.9   1.6   1.5   1.3   1.1   1.1
#   float32, T = 1000      9.2   6.0   4.3   2.6   2.0   1.6   1.1   1.1
#   float32, T = 8000     12.9   5.9   3.5   2.1   1.6   1.4   1.2   1.0
#
# The loop pays for every call (0.7 µs a step, whatever the step holds), the scan for 2.5 times the arithmetic and for
# sorting the steps. They cross where a step has about 1536 bytes: 192 numbers in float64, 384 in float32.
WIDEST_STEP = 1536
# Where at most twice so many steps are left, the loop over them takes less than pairing them further.
SHORTEST = 8
# A long sequence goes through the scan in blocks of about so many numbers, which the cache still holds when the scan
# comes back to them.
BLOCK = 65536

Scan = Callable[[Array, Array, Array, Array, bool], None]  # (a, b, h0, hs, backwards): fills hs; (T, M) each, h0 (M,)


def scan(a: Array, b: Array, h0: Array) -> Array:
    r"""Return all states of h_t = a_t ⊙ h_{t−1} + b_t, by `scan_loop` or by `scan_blelloch`.

    Which of the two depends on the shape and the dtype alone, so that a run repeats bit for bit. They differ in
    rounding.

    Parameters
    ----------
    a, b : (T, ...)
        The factor and what is added, at each step.
    h0 : (...)
        The state before the first step.

    Returns
    -------
    hs : (T, ...)
        hs[t-1] is h_t.

    Raises
    ------
    ShapeError, DtypeError
        If the shapes do not fit together, or float32 is beside float64.
    """
    return _filled("scan", _chosen, a, b, h0)


def scan_loop(a: Array, b: Array, h0: Array) -> Array:
    r"""Return all states of h_t = a_t ⊙ h_{t−1} + b_t, one step after the other.

    The reference, and the faster way where a step is long. Arguments and errors as in `scan`.
    """
    return _filled("scan_loop", _loop, a, b, h0)


def scan_blelloch(a: Array, b: Array, h0: Array) -> Array:
    r"""Return all states of h_t = a_t ⊙ h_{t−1} + b_t from pairs of steps, pairs of pairs, and so on.

    Arguments and errors as in `scan`; T need not be a power of two. On the way up neighbours become one step,

    .. math:: A_k = a_{2k} \odot a_{2k-1}, \qquad B_k = a_{2k} \odot b_{2k-1} + b_{2k},

    and so on until few are left, whose states a loop finds. On the way down each pair knows the state before it and
    after it, and gives its two steps what they lack: the state between them, a_{2k−1} ⊙ (the one before) + b_{2k−1}.
    Nothing is divided: products may underflow to 0, as they should.

    Source: Blelloch (1990), §1.2 and §1.4 (up-sweep and down-sweep).
    """
    return _filled("scan_blelloch", _blelloch, a, b, h0)


def scan_backward(
    a: Array, hs: Array, h0: Array, dhs: Array, dfinal: Array | None = None
) -> tuple[Array, Array, Array]:
    r"""Take ∂L/∂h_t back through the recurrence: the same recurrence, from the last step to the first.

    .. math::
        dh_T &= \text{dhs}_T + \text{dfinal}, \qquad dh_t = a_{t+1} \odot dh_{t+1} + \text{dhs}_t \\
        da_t &= dh_t \odot h_{t-1}, \qquad db_t = dh_t, \qquad dh_0 = a_1 \odot dh_1

    Parameters
    ----------
    a : (T, ...)
        As in `scan`.
    hs : (T, ...)
        The states that `scan` returned.
    h0 : (...)
        As in `scan`.
    dhs : (T, ...)
        dh_here: the gradient that each state gets from its own step.
    dfinal : (...), optional
        The gradient that the last state gets besides; default 0.

    Returns
    -------
    da, db : (T, ...)
    dh0 : (...)

    Raises
    ------
    ShapeError, DtypeError
        As in `scan`.
    """
    where = "scan_backward"
    shape, because = _checked(where, a, h0, hs=hs, dhs=dhs), "it is the gradient of the last state"
    if dfinal is not None:
        validate.shape(where, "dfinal", validate.float_array(where, "dfinal", dfinal), shape[1:], because)
    validate.same_dtype(where, a=a, hs=hs, h0=h0, dhs=dhs, dfinal=dfinal)
    a, hs, dhs = _rows(a), _rows(hs), _rows(dhs)  # (T, M)
    last = dhs[-1] if dfinal is None else dhs[-1] + dfinal.reshape(-1)  # (M,)
    db = np.empty(dhs.shape, np.result_type(a, last))  # (T, M), all of ∂L/∂h_t
    db[-1] = last
    _chosen(a[1:], dhs[:-1], last, db[:-1], backwards=True)  # the factor between t + 1 and t is a_{t+1}
    da = np.empty(db.shape, np.result_type(db, hs, h0))  # (T, M)
    np.multiply(db[0], h0.reshape(-1), out=da[0])
    np.multiply(db[1:], hs[:-1], out=da[1:])
    dh0 = db[0] * a[0]  # (M,)
    return da.reshape(shape), db.reshape(shape), dh0.reshape(shape[1:])


def _rows(array: Array) -> Array:
    """Return (T, ...) as (T, M): a view wherever memory allows."""
    return array.reshape(len(array), -1)


def _filled(where: str, way: Scan, a: Array, b: Array, h0: Array) -> Array:
    """Check the arguments and return new states, filled in that way."""
    shape = _checked(where, a, h0, b=b)
    validate.same_dtype(where, a=a, b=b, h0=h0)
    hs = np.empty(shape, np.result_type(a, b, h0))
    way(_rows(a), _rows(b), h0.reshape(-1), _rows(hs), False)
    return hs


def _checked(where: str, a: Any, h0: Any, **others: Any) -> tuple[int, ...]:
    """Return the shape (T, ...) that a and the others share."""
    shape = validate.float_array(where, "a", a).shape
    because = "time comes first, then the numbers of one step"
    refuse = partial(validate.fail, where, because=because, error=validate.ShapeError)
    if not shape or 0 in shape:
        refuse(f"a has shape {shape}", "(T, ...) with T ≥ 1 and at least one number a step")
    for name, array in others.items():
        if validate.float_array(where, name, array).shape != shape:
            refuse(f"{name} has shape {array.shape}", f"{shape}, the shape of a")
    if validate.float_array(where, "h0", h0).shape != shape[1:]:
        refuse(f"h0 has shape {h0.shape}", f"{shape[1:]}, the shape of a without its first axis")
    return shape


def _chosen(a: Array, b: Array, h0: Array, hs: Array, backwards: bool) -> None:
    """Fill hs in the way that is faster for its shape; `backwards` from the last row to the first."""
    way = _blelloch if hs.shape[1] * hs.itemsize <= WIDEST_STEP else _loop
    way(a, b, h0, hs, backwards)


def _loop(a: Array, b: Array, h0: Array, hs: Array, backwards: bool) -> None:
    """Fill hs step by step."""
    if backwards:
        a, b, hs = a[::-1], b[::-1], hs[::-1]
    multiply, add, h_prev = np.multiply, np.add, h0
    for a_t, b_t, h_t in zip(a, b, hs, strict=True):
        multiply(a_t, h_prev, h_t)
        add(h_t, b_t, h_t)
        h_prev = h_t


def _blelloch(a: Array, b: Array, h0: Array, hs: Array, backwards: bool) -> None:
    """Fill hs block by block."""
    T = len(hs)
    blocks = min(T, -(-hs.size // BLOCK))
    for k in reversed(range(blocks)) if backwards else range(blocks):
        start, stop = k * T // blocks, (k + 1) * T // blocks
        _sweeps(a[start:stop], b[start:stop], h0, hs[start:stop], backwards)
        h0 = hs[start] if backwards else hs[stop - 1]


class Tree(NamedTuple):
    """Where the steps stand while they are paired."""

    levels: int  # how often they are
    order: Array  # (R,), the step in each row, for the last few any; R is a multiple of 2^levels
    padding: Array  # the rows without a step of their own
    places: Array  # (T,), each step's row


@lru_cache(maxsize=16)
def _tree(T: int, backwards: bool) -> Tree:
    """Sort T steps so that at every level the first steps of all pairs are the upper half of the rows, the second the
    lower half: that is, by the bits of t, the lowest first. Each half is then contiguous, and one operation on it takes
    a third of the time that it takes on every other row.
    """
    levels = max(0, (T // SHORTEST).bit_length() - 1)
    order = np.arange(-(-T // 2**levels))
    for _ in range(levels):
        order = np.concatenate([2 * order, 2 * order + 1])
    padding, places = np.flatnonzero(order >= T), np.argsort(order)[:T]
    order = np.minimum(order, T - 1)
    if backwards:
        order, places = T - 1 - order, places[::-1].copy()
    return Tree(levels, order, padding, places)


def _sweeps(a: Array, b: Array, h0: Array, hs: Array, backwards: bool) -> None:
    """Fill hs by an up-sweep and a down-sweep."""
    levels, order, padding, places = _tree(len(hs), backwards)
    if levels == 0:
        _loop(a, b, h0, hs, backwards)
        return
    a, b = a.take(order, axis=0), b.take(order, axis=0)
    a[padding] = 0  # after the last step: nobody reads what comes out, but it must not overflow
    firsts = []
    for _ in range(levels):
        half = len(a) // 2
        second_a, second_b = a[half:], b[half:]
        firsts.append((a[:half], b[:half]))
        b = second_a * b[:half]
        b += second_b
        a = second_a * a[:half]

    # A pair has the state that its second step has. So at each level the pairs' rows are the lower half of the steps'
    # rows, and all levels share one array.
    R, left = len(order), len(a)
    after = np.empty((R, hs.shape[1]), hs.dtype)
    before = np.empty((max(left, R // 2), hs.shape[1]), hs.dtype)
    _loop(a, b, h0, after[R - left :], False)
    before[0], before[1:left] = h0, after[R - left : -1]
    for first_a, first_b in reversed(firsts):
        pairs = len(first_a)
        between = after[R - 2 * pairs : R - pairs]
        np.multiply(first_a, before[:pairs], between)
        between += first_b
        if 2 * pairs < R:  # the state before a pair is that before its first step; before its second is the one between
            before[pairs : 2 * pairs] = between
    after.take(places, axis=0, out=hs, mode="clip")  # straight into hs; mode "raise" takes a detour
