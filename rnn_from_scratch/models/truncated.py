r"""Truncated backpropagation through time (k1, k2): the fair reading of the article's §2.4 (E2.4).

Every k1 steps the loss of the k1 new steps is propagated back through at most k2 steps; the state at the
start of that stretch is held constant. k2 ≥ T is full backpropagation.

Source: Williams & Peng (1990), BPTT(h; h′) with h = k2, h′ = k1; notebook 08; tests/models/test_truncated.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params, State, tree_copy
from ..layers.over_time import infer
from .sequence import SequenceModel


class Window(NamedTuple):
    """One stretch of time: the loss counts on [new, end), the gradient reaches back to start."""

    start: int
    new: int
    end: int
    next_start: int  # where the next window starts, so where the state is needed next


class WindowGradient(NamedTuple):
    """The loss of a window's new steps, its exact gradient with the state at `start` held constant."""

    window: Window
    loss: Any
    grads: Params
    start_state: State  # the constant
    next_state: State  # the state at the next window's start


def windows(T: int, k1: int, k2: int) -> list[Window]:
    """Cut T steps into windows: window j ends at min((j+1)·k1, T) and starts k2 steps before that, or at 0.

    Raises
    ------
    ArgumentError
        If T, k1 or k2 is no whole number of at least 1, or k1 > k2 (then some losses would not reach back even to
        their own step).
    """
    T = validate.size("windows", "T", T)
    k1, k2 = validate.size("windows", "k1", k1), validate.size("windows", "k2", k2)
    if k1 > k2:
        validate.fail(
            "windows", f"k1={k1} with k2={k2}", "k1 ≤ k2",
            "each window must reach back over all of its k1 new steps", f"Try k2={k1}, or more for longer memory.",
        )
    ends = [min(new + k1, T) for new in range(0, T, k1)]
    starts = [max(0, end - k2) for end in ends]
    return [
        Window(start, new, end, following)
        for start, new, end, following in zip(starts, range(0, T, k1), ends, [*starts[1:], T], strict=True)
    ]


def window_loss_and_grads(
    model: SequenceModel,
    params: Params,
    xs: Array,
    targets: Array,
    window: Window,
    state: State | None = None,
    mask: Array | None = None,
    target_mask: Array | None = None,
) -> WindowGradient:
    """Compute one window: the loss of its new steps and the exact gradient of that loss from `window.start` on.

    xs (T, N, D), targets and masks are the whole sequence's. The loss is divided by the number of targets counted
    in the whole sequence, so that each loss counts once and the windows' losses add up to the sequence's. `state`
    is the state at window.start, a constant. `next_state` is reached from it with these same parameters.

    Raises
    ------
    ArgumentError
        If the model is many-to-one (there is no loss before the last step), and for bad arrays as in
        `SequenceModel.loss_and_grads`.
    """
    where = "window_loss_and_grads"
    if model.outputs != "many-to-many":
        validate.fail(
            where, "a many-to-one model", "a many-to-many one",
            "a window's loss is that of its new steps, and many-to-one has a loss at the end alone",
            'Use outputs="many-to-many" with a target_mask that counts the last step only.',
        )
    if not getattr(model.recurrent, "causal", True):  # a layer of one's own need not say
        validate.fail(
            where, "a model that also reads backwards", "one that reads forwards only",
            "a window ends before the sequence does, and what comes after is not known yet", "Leave out Bidirectional.",
        )
    xs = validate.float_array(where, "xs", xs)
    validate.shape(where, "xs", xs, ("T", "N", "D"), "time comes first")
    steps = xs.shape[:2]
    if np.shape(targets)[:2] != steps:  # a slice of longer targets would fit, and be wrong
        validate.fail(
            where, f"targets has shape {np.shape(targets)}", f"({steps[0]}, {steps[1]}, …)",
            f"xs has {steps[0]} steps of {steps[1]} sequences", error=validate.ShapeError,
        )
    mask = validate.mask(where, "mask", mask, steps)
    counted = validate.mask(where, "target_mask", mask if target_mask is None else target_mask, steps)
    counted = np.ones(steps, bool) if counted is None else counted
    numbers = 1 if model.task == "classification" else model.output_size
    total = max(int(counted.sum()), 1) * numbers

    if not isinstance(window, tuple) or len(window) != 4:
        validate.fail(where, f"window is {window!r:.60}", "a Window", hint="windows(T, k1, k2) cuts them.")
    start, new, end, next_start = window
    if not (0 <= start <= new < end <= len(xs) and start <= next_start <= end):
        validate.fail(
            where, f"window is {tuple(window)}",
            f"0 ≤ start ≤ new < end ≤ {len(xs)} and start ≤ next_start ≤ end", f"xs has {len(xs)} steps",
            "windows(T, k1, k2) cuts them.",
        )
    fresh = counted[start:end] & (np.arange(start, end) >= new)[:, None]  # only the new steps' losses count
    here = None if mask is None else mask[start:end]
    loss, grads, final_state = model.loss_and_grads(
        params, xs[start:end], targets[start:end], state, here, fresh, divide_by=total
    )
    N, dtype = xs.shape[1], xs.real.dtype
    start_state = model.initial_state(N, dtype) if state is None else state
    if next_start == end:
        next_state = final_state
    elif next_start == start:
        next_state = start_state
    else:
        here = None if mask is None else mask[start:next_start]
        _, next_state = infer(model.recurrent, params["recurrent"], xs[start:next_start], start_state, here)
    # Copies, so that a caller who writes into one window's states cannot change the next window.
    return WindowGradient(window, loss, grads, tree_copy(start_state), tree_copy(next_state))


def truncated_bptt(
    model: SequenceModel,
    params: Params,
    xs: Array,
    targets: Array,
    k1: int,
    k2: int,
    state: State | None = None,
    mask: Array | None = None,
    target_mask: Array | None = None,
) -> Iterator[WindowGradient]:
    """Yield the windows of a sequence one by one, with constant parameters.

    The sum of their gradients is the truncated gradient, and for k2 ≥ T the full one. Where the parameters
    change between windows, loop over `windows` and call `window_loss_and_grads` with the current ones.
    Arguments and errors as in `window_loss_and_grads` and `windows`.
    """
    xs = validate.float_array("truncated_bptt", "xs", xs)
    sizes = validate.shape("truncated_bptt", "xs", xs, ("T", "N", "D"), "time comes first")
    cut = windows(sizes["T"], k1, k2)  # at the call, so that bad arguments are told there

    def run(state: State | None) -> Iterator[WindowGradient]:
        for window in cut:
            result = window_loss_and_grads(model, params, xs, targets, window, state, mask, target_mask)
            state = tree_copy(result.next_state)
            yield result

    return run(state)
