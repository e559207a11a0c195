"""Holes for experiments: hide known values, at random or in blocks, so that a filling can be scored on what was hidden.

Source: claim C10; notebook 15; tests/data/test_holes.py.
"""

from __future__ import annotations

import numpy as np

from .. import validate
from ..arrays import Array
from .missing import observed_entries


def make_holes(
    xs: Array, share: float, *, rng: np.random.Generator, block: int = 1, together: bool = False,
    observed: Array | None = None, mask: Array | None = None,
) -> Array:
    """Choose values to hide: exactly round(share · how many are there), one by one or in blocks.

    Parameters
    ----------
    xs : (T, N, D) or (T, D)
        What is missing already is never chosen.
    share : float
        0 ≤ share < 1, of the values that were seen (with `together`: of the steps at which something was).
    rng : Generator
        Draws the places; the same generator gives the same holes.
    block : int
        1 hides single values, missing completely at random. L > 1 hides stretches of L steps of one feature in one
        sequence, as a sensor that fails does; stretches overlap and end at the sequence's end, and the last is cut so
        that the share comes out.
    together : bool
        True hides all features of a step at once.
    observed, mask
        As in `observed_entries`.

    Returns
    -------
    hidden : bool, as xs
        True where to hide. `hide(xs, hidden)` puts NaN there, `xs[hidden]` are the values to score on.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As in `observed_entries`; a share outside 0 … 1, a block that is no whole number of at least 1.

    Source: claim C10; notebook 15; tests/data/test_holes.py.
    """
    where = "make_holes"
    share = validate.number(where, "share", share, at_least=0.0, below=1.0, because="it is the part that is hidden")
    validate.generator(where, rng)
    block = validate.size(where, "block", block, "it counts the steps of a hole")
    validate.option(where, "together", together, (True, False))
    entries = observed_entries(where, xs, observed, mask)
    seen: Array = np.any(entries.seen, axis=-1, keepdims=True) if together else entries.seen
    T = len(seen)
    columns = seen.reshape(T, -1)  # (T, N·D): a column is one feature of one sequence
    wanted = round(share * int(columns.sum()))
    hidden = np.zeros(columns.shape, bool)
    if block == 1:
        chosen = rng.permutation(np.flatnonzero(columns))[:wanted]
        hidden.flat[chosen] = True
    else:
        # A stretch may begin before the first step, or the first steps would be hidden less often than the others.
        starts = rng.permutation((T + block - 1) * columns.shape[1])
        left = wanted
        for start in starts:
            if left == 0:
                break
            first, column = divmod(int(start), columns.shape[1])
            steps = np.arange(max(first - block + 1, 0), min(first + 1, T))
            steps = steps[columns[steps, column] & ~hidden[steps, column]][:left]
            hidden[steps, column] = True
            left -= len(steps)
    hidden = hidden.reshape(seen.shape) & entries.seen  # with together: all that was seen at the step
    return entries.shaped(hidden).copy()


def hide(xs: Array, hidden: Array) -> Array:
    """Return a copy of xs with NaN where `hidden` is True.

    Raises
    ------
    ShapeError, DtypeError
        If xs is no array of floats, or hidden is not boolean and of its shape.

    Source: notebook 15; tests/data/test_holes.py.
    """
    xs = validate.float_array("hide", "xs", xs, complex_ok=False)
    if not isinstance(hidden, np.ndarray) or hidden.dtype != np.bool_:
        got = f"dtype {hidden.dtype}" if isinstance(hidden, np.ndarray) else f"type {type(hidden).__name__}"
        validate.fail("hide", f"hidden has {got}", "a boolean array", "True hides", error=validate.DtypeError)
    validate.shape("hide", "hidden", hidden, xs.shape, "it says of each value whether to hide it")
    return np.where(hidden, np.full((), np.nan, xs.dtype), xs)
