"""What each loss contributes through each use of a parameter, and the patterns in which students leave some out.

A parameter is used at every step τ, and the loss of every step t ≥ τ depends on that use: the gradient is the sum of a
triangle of shares (notebook 04 draws it). A dropped carry keeps the diagonal, a truncation a band, "last step only" a
row, = for += a column.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...arrays import Array
from .reference import STATES, Forward, Gradients, recursion


def triangle(at: Forward) -> Gradients:
    """Return the shares of every array, (T, T, *shape): first the step of the loss, then that of the use.

    xs has its own steps (the use of x_τ is at τ); the initial state is used at the first step.
    """
    T = len(at.xs)
    found: Gradients = {}

    def add(name: str, loss: int, use: int, share: Array) -> None:
        found.setdefault(name, np.zeros((T, T, *share.shape)))[loss, use] += share

    for loss in range(T):
        rows = at.dlogits[loss]
        add("W_hy", loss, loss, at.hs[loss].T @ rows)
        add("b_y", loss, loss, rows.sum(axis=0))
        dhs = np.zeros_like(at.hs)
        dhs[loss] = rows @ at.params["W_hy"].T
        dstates, deltas = recursion(at, dhs)
        for use in range(loss + 1):
            one = slice(use, use + 1)
            dx, grads = at.cell.param_grads(at.weights, at.xs[one], at.caches[one], deltas[one])
            for name, share in grads.items():
                add(name, loss, use, share)
            dxs = np.zeros_like(at.xs)
            dxs[use] = dx[0]
            add("xs", loss, use, dxs)
        for name, share in zip(STATES, dstates[0], strict=False):
            add(name, loss, 0, share)
    return found


def by_sequence(at: Forward) -> Gradients:
    """Return every array's gradient from each sequence alone, (N, *shape)."""
    from .reference import gradients

    parts = []
    for n in range(at.xs.shape[1]):
        alone = np.zeros_like(at.dlogits)
        alone[:, n] = at.dlogits[:, n]
        parts.append(gradients(at._replace(dlogits=alone)))
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


class Pattern(NamedTuple):
    """Weights of the shares, (T, T), and what a gradient that keeps just these is called."""

    name: str  # the same at every T
    kind: str
    alone: str  # the kind where a single parameter has it
    time: str
    says: str
    weights: Array


def patterns(T: int) -> Iterator[Pattern]:
    """Yield the patterns that make a difference for T steps, the likeliest first."""
    loss, use = np.arange(T)[:, None], np.arange(T)[None, :]
    lower = (use <= loss).astype(float)

    def made(name: str, kind: str, alone: str, time: str, says: str, keep: Array) -> Pattern:
        return Pattern(name, kind, alone, time, says, np.where(use <= loss, keep, 0.0))

    every = [
        made("diagonal", "carry-dropped", "carry-dropped", "every step but the last",
             "each loss reaches its own step alone: nothing comes from later steps", use == loss),
        made("last loss", "last-step-only", "last-step-only", "every step but the last",
             "the loss of the last step alone is in it", (loss == T - 1) & (use >= 0)),
        made("first loss", "last-step-only", "not-summed-over-time", "every step but the first",
             "the loss of the first step alone is in it", (loss == 0) & (use >= 0)),
        made("last use", "last-step-only", "not-summed-over-time", "every step but the last",
             "the use at the last step alone is in it", (use == T - 1) & (loss >= 0)),
        made("first use", "not-summed-over-time", "not-summed-over-time", "the first step",
             "the use at the first step alone is in it", (use == 0) & (loss >= 0)),
        made("no carry into the first", "carry-dropped", "carry-dropped", "the first step",
             "at the first step, and there alone, what comes from later steps is missing", (use > 0) | (loss == 0)),
        made("no carry from the last", "carry-dropped", "carry-dropped", "from the last step",
             "what the last step hands back is missing", (loss < T - 1) | (use == loss)),
        made("subtracted", "sign", "sign", "every step but the last",
             "what comes from the step after is subtracted, so that shares alternate in sign",
             (-1.0) ** (loss - use)),
        made("carry negative", "sign", "sign", "every step but the last",
             "every share from a later step has the wrong sign", np.where(use == loss, 1.0, -1.0)),
        made("first use missing", "not-summed-over-time", "not-summed-over-time", "the first step",
             "the use at the first step is missing: the loop ends one step too early", (use > 0) & (loss >= 0)),
        made("last use missing", "not-summed-over-time", "not-summed-over-time", "the last step",
             "the use at the last step is missing: the loop begins one step too early", (use < T - 1) & (loss >= 0)),
        made("last loss missing", "output-layer", "not-summed-over-time", "the last step",
             "the loss of the last step is missing", (loss < T - 1) & (use >= 0)),
        made("first loss missing", "output-layer", "not-summed-over-time", "the first step",
             "the loss of the first step is missing", (loss > 0) & (use >= 0)),
        made("again and again", "not-reset", "not-reset", "every step",
             "each step's share is added once more at every step that follows in the loop", (use + 1.0) + 0 * loss),
    ]
    every.append(made("cut in the middle", "truncated", "truncated", "across the middle",
                      "nothing goes back across the middle of the sequence", (loss < T // 2) | (use >= T // 2)))
    for width in range(1, T):
        every.append(made(f"cut after step {width}", "truncated", "truncated", f"across step {width}",
                          f"nothing goes back from step {width + 1} to step {width}", (loss < width) | (use >= width)))
    for width in range(2, T):
        steps = f"{width} steps"
        back = f"more than {width - 1} step{'s' * (width > 2)} back"
        every.append(made(f"window of {width}", "truncated", "truncated", back,
                          f"each loss goes back over {steps} and no further", loss - use < width))
        every.append(made(f"last {width} uses", "truncated", "truncated", f"all but the last {steps}",
                          f"the loop back ends after the last {steps}", (use >= T - width) & (loss >= 0)))
        every.append(made(f"last {width} losses", "truncated", "truncated", f"all but the last {steps}",
                          f"the losses of the last {steps} alone are in it", (loss >= T - width) & (use >= 0)))
        every.append(made(f"blocks of {width}", "truncated", "truncated", f"across borders of {steps}",
                          f"nothing goes back across the borders of windows of {steps}", loss // width == use // width))
        every.append(made(f"blocks of {width} from the end", "truncated", "truncated", f"across borders of {steps}",
                          f"nothing goes back across the borders of windows of {steps}, counted from the end",
                          (T - 1 - loss) // width == (T - 1 - use) // width))
    yield from (pattern for pattern in every if not np.array_equal(pattern.weights, lower))
