"""Claim C4: the ladder from the textbook to the kernel, what a step of each rung calls, and what each rung gains.

Times are this process's own CPU time, in float32, all rungs in turns, as ratios to the textbook. Calls are counted, not
timed: every element-wise function, sum and product, however it is written (`a * b` is one; a slice or a copy is none).

Source: article §1.2, §4.1; notebook 16; benchmarks/tricks.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...arrays import Array, Params
from ...cells import LSTMCell
from . import c4_buffers, c4_columns, c4_rows
from .c2_times import Side, in_turns

Rung: TypeAlias = Callable[[Params, Array, Array], c4_rows.Found]
Size: TypeAlias = tuple[int, int, int, int]  # N, T, D, H

LADDER: Mapping[str, Rung] = {
    "textbook: gate by gate": c4_rows.textbook,
    "one matrix for all gates": c4_rows.one_matrix,
    "sums over time after the loop": c4_rows.out_of_the_loop,
    "features first, in place": c4_columns.columns,
    "[x; 1; h]: one product a step": c4_columns.one_product,
    "one tanh for all gates": c4_columns.one_tanh,
    "derivatives before the recursion": c4_columns.factors_first,
    "buffers and views kept": c4_buffers.buffers_kept,
    "groups that stay in the cache": c4_buffers.in_groups,
    "the package's kernel": c4_buffers.kernel,
}
TEXTBOOK, *_, KERNEL = LADDER

#: A single short sequence, where calls cost more than arithmetic; a usual batch; one where the products rule.
SIZES: Mapping[str, Size] = {"small": (1, 100, 10, 5), "middle": (32, 100, 64, 64), "large": (64, 50, 128, 256)}


class Problem(NamedTuple):
    """What every rung is given."""

    params: Params
    xs: Array  # (T, N, D)
    dhs: Array  # (T, N, H)


def problem(size: Size, dtype: str, seed: int = 0) -> Problem:
    """Draw weights uniform within ±1/√H, biases too, normal inputs and a normal gradient from above."""
    N, T, D, H = size
    rng = np.random.default_rng(seed)
    shapes = LSTMCell(D, H).param_shapes()
    params = {name: rng.uniform(-(H**-0.5), H**-0.5, shape).astype(dtype) for name, shape in shapes.items()}
    return Problem(params, *(rng.standard_normal((T, N, width), dtype=np.dtype(dtype).type) for width in (D, H)))


def difference(found: c4_rows.Found, expected: c4_rows.Found) -> float:
    """Return the largest difference of outputs and gradients, relative to the largest number of each array."""
    pairs = [(found.hs, expected.hs), (found.dxs, expected.dxs)]
    pairs += [(found.grads[name], array) for name, array in expected.grads.items()]
    return max(float(np.abs(one - other).max() / (np.abs(other).max() or 1.0)) for one, other in pairs)


def climb(
    sizes: Mapping[str, Size] = SIZES, rounds: int = 11, report: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Time all rungs at every size.

    Returns
    -------
    dict
        `rungs`, the names from the textbook on; `calls`, of one step in time, forward and backward (None for the
        kernel, whose arrays do not count); and by size: `size`, `seconds` of the textbook, `times` (each rung's as a
        ratio to it, the median of the rounds) and `gains` (how many times faster than the rung before).
    """
    result: dict[str, Any] = {"rungs": list(LADDER), "calls": calls(), "sizes": {}}
    for name, size in sizes.items():
        sides = {rung: _side(run, size) for rung, run in LADDER.items()}
        seconds, ratios = in_turns(sides, TEXTBOOK, rounds)
        times = [ratios[rung] for rung in LADDER]
        result["sizes"][name] = {"size": list(size), "seconds": seconds, "times": times, "gains": gains(times)}
        if report is not None:
            report(f"{name} {size}: " + ", ".join(f"{1 / ratio:.2f}" for ratio in times))
    return result


def gains(times: Sequence[float]) -> list[float]:
    """Return how many times faster each rung is than the one before it."""
    return [1.0, *(before / after for before, after in pairwise(times))]


def _side(run: Rung, size: Size) -> Side:
    """Return a maker of calls with arrays of their own."""
    given = problem(size, "float32")

    def fresh() -> Callable[[], object]:
        params, xs, dhs = deepcopy(given)
        return lambda: run(params, xs, dhs)

    return fresh


# Counting


class Counted(np.ndarray[Any, np.dtype[Any]]):
    """An array that counts the calls made with it, and with all that is made of it."""

    calls = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        Counted.calls += 1
        plain = [_plain(one) for one in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(_plain(one) for one in kwargs["out"])
        found = getattr(ufunc, method)(*plain, **kwargs)
        return found.view(Counted) if isinstance(found, np.ndarray) else found

    def dot(self, b: Any, out: Any = None) -> Any:
        """Count a product that is called as a method."""
        Counted.calls += 1
        return np.dot(_plain(self), _plain(b), _plain(out)).view(Counted)


def _plain(one: Any) -> Any:
    return one.view(np.ndarray) if isinstance(one, Counted) else one


@contextmanager
def counting() -> Iterator[Callable[[], int]]:
    """Yield a function that tells how many calls there were since."""
    before = Counted.calls
    yield lambda: Counted.calls - before


def count_calls(run: Rung, T: int) -> int:
    """Return how many calls a rung makes for a sequence of T steps."""
    params, xs, dhs = problem((2, T, 3, 4), "float64")
    with counting() as counted:
        run({name: array.view(Counted) for name, array in params.items()}, xs.view(Counted), dhs.view(Counted))
        return counted()


def calls() -> list[int | None]:
    """Return what one more step in time calls, by rung; None for the kernel."""
    return [None if rung == KERNEL else count_calls(run, 11) - count_calls(run, 10) for rung, run in LADDER.items()]
