r"""The linear recurrence h_t = a_t ⊙ h_{t−1} + b_t over time: step by step, or in parallel, and its backward.

Each step is a function of one number, h ↦ a h + b, and two such steps after each other are one of the same kind:

.. math:: a_2 (a_1 h + b_1) + b_2 = (a_2 a_1)\, h + (a_2 b_1 + b_2)

That is associative, so the steps may be put together in any order: a prefix scan. `scan_loop` takes one step after the
other, T short operations. `scan_blelloch` puts neighbours together, all pairs at once, which leaves half as many steps,
and so on: about 2 log₂ T long operations, and 5 T multiplications and additions instead of 2 T. `scan` takes the one
that is faster for the shape.

Two shorter ways are not taken, because they are wrong for long sequences. Dividing by the cumulative product of a
divides by 0 as soon as that underflows. Its logarithm needs positive numbers and a sum of logarithms that grows with T,
and what such a sum loses is lost from h.

Source: Blelloch (1990), §1.4; Martin & Cundy (2018), §2; tests/test_scan.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import validate
from .arrays import Array

# Measured on one core (2 MiB of L2 cache for two, AVX-512, NumPy 2.4), medians of interleaved rounds, the loop's time
# over the Blelloch scan's:
#
#   numbers a step           8    32    64   128   256   512
#   float64, T = 1000      5.5   3.6   2.4   1.5   0.8   0.4
#   float32, T = 1000      6.9   4.9   3.6   2.4   1.4   0.9
#
# The loop pays for every call (0.7 µs a step, whatever the step holds), the scan for 2.5 times the arithmetic. They
# cross where a step of 1024 bytes takes as long as calling for it: 128 numbers in float64, 256 in float32.
WIDEST_STEP = 1024
# Where so few steps are left, the loop over them takes as long as pairing them further.
SHORTEST = 16
# A long sequence goes through the scan in blocks of about so many numbers, which the cache still holds when the scan
# comes back to them. At T = 8000 that makes it 1.2 (32 numbers a step) to 1.6 (128) times as fast.
BLOCK = 65536

Scan = Callable[[Array, Array, Array, Array], None]  # (a, b, h0, hs): fills hs; (T, M) each, h0 (M,)


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

    whose states are h_2, h_4, …; on the way down each of them gives the state that follows it,
    h_{2k+1} = a_{2k+1} ⊙ h_{2k} + b_{2k+1}. Nothing is divided: products may underflow to 0, as they should.

    Source: Blelloch (1990), §1.2 and §1.4 (up-sweep and down-sweep), with the states instead of an exclusive scan.
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
    # The factor between t + 1 and t is a_{t+1}: T − 1 steps, the first of them with a_T. Views, read backwards.
    _chosen(a[:0:-1], dhs[-2::-1], last, db[-2::-1])
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
    way(_rows(a), _rows(b), h0.reshape(-1), _rows(hs))
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


def _chosen(a: Array, b: Array, h0: Array, hs: Array) -> None:
    """Fill hs in the way that is faster for its shape."""
    way = _blelloch if hs.shape[1] * hs.itemsize <= WIDEST_STEP else _loop
    way(a, b, h0, hs)


def _loop(a: Array, b: Array, h0: Array, hs: Array) -> None:
    """Fill hs step by step."""
    multiply, add, h_prev = np.multiply, np.add, h0
    for a_t, b_t, h_t in zip(a, b, hs, strict=True):
        multiply(a_t, h_prev, h_t)
        add(h_t, b_t, h_t)
        h_prev = h_t


def _blelloch(a: Array, b: Array, h0: Array, hs: Array) -> None:
    """Fill hs from pairs of steps, block by block."""
    T = len(hs)
    blocks = -(-hs.size // BLOCK)
    for k in range(blocks):
        start, stop = k * T // blocks, (k + 1) * T // blocks
        _pairs(a[start:stop], b[start:stop], hs[start - 1] if start else h0, hs[start:stop])


def _pairs(a: Array, b: Array, h0: Array, hs: Array) -> None:
    """Fill hs: steps 2, 4, … from a scan of half the length, then each other one from the state before it."""
    if len(hs) <= SHORTEST:
        _loop(a, b, h0, hs)
        return
    first_a, first_b = a[:-1:2], b[:-1:2]  # steps 1, 3, … that have a second one after them
    second_a, second_b = a[1::2], b[1::2]  # steps 2, 4, …
    pair_a = second_a * first_a
    pair_b = second_a * first_b
    pair_b += second_b
    after_pairs = hs[1::2]
    _pairs(pair_a, pair_b, h0, after_pairs)
    alone = hs[0]
    np.multiply(a[0], h0, alone)
    alone += b[0]
    between = hs[2::2]
    np.multiply(a[2::2], after_pairs[: len(between)], between)
    between += b[2::2]
