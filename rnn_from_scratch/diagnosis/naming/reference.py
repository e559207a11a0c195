"""The reference beside a student's function: one forward pass, and a backward pass in which any part can be exchanged.

Every hypothesis of `curated.py` and `dictionary.py` is one `Change` of the package's own backward pass. What the
student's gradients equal is then a matter of comparing numbers, not of guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...activations import softmax
from ...arrays import Array, Params, State, tree_map
from ...bptt import unroll, unroll_backward
from ...cells import GRUCell, LayerNormLSTMCell, LSTMCell

GATES: tuple[tuple[type, str], ...] = ((LSTMCell, "ifgo"), (LayerNormLSTMCell, "ifgo"), (GRUCell, "rzn"))
STATES = ("h0", "c0")

Gradients: TypeAlias = dict[str, Array]
Step: TypeAlias = Callable[[Any, Params, State, Any], tuple[State, Any]]
Collect: TypeAlias = Callable[[Any, Params, Array, Sequence[Any], Sequence[Any]], tuple[Array, Params]]
Loop: TypeAlias = Callable[..., tuple[list[State], list[Any]]]


class Point(NamedTuple):
    """What a student's function is called with."""

    params: Params  # the cell's, W_hy (H, K) and b_y (K,), flat
    xs: Array  # (T, N, D)
    targets: Array  # (T, N) int, or (T, N, K) where the loss is a squared error
    state: State  # (h0,) or (h0, c0), each (N, H)


class Forward(NamedTuple):
    """The reference's forward pass at a point."""

    cell: Any
    params: Params  # as in Point
    xs: Array
    state: State
    caches: list[Any]  # the cell's, each with .t, .last, .before, .wrapped and .after (see `neighbours`)
    hs: Array  # (T, N, H)
    logits: Array  # (T, N, K)
    targets: Array
    losses: Array  # (T, N)
    dlogits: Array  # (T, N, K)

    @property
    def weights(self) -> Params:
        """The cell's own parameters."""
        return {name: array for name, array in self.params.items() if name not in ("W_hy", "b_y")}

    @property
    def h_prev(self) -> Array:
        """h_{t−1} for every step, (T, N, H)."""
        return np.concatenate([self.state[0][None], self.hs[:-1]])


def cross_entropy(logits: Array, targets: Array) -> tuple[Array, Array]:
    """Return the loss of each step of each sequence (T, N), and p − y (T, N, K)."""
    p = softmax(logits)
    hot = np.eye(logits.shape[-1])[targets]
    shifted = logits - logits.max(axis=-1, keepdims=True)
    losses: Array = np.log(np.exp(shifted).sum(axis=-1)) - (hot * shifted).sum(axis=-1)
    return losses, p - hot


def forward(
    cell: Any, point: Point, loss: Callable[[Array, Array], tuple[Array, Array]] = cross_entropy,
    counted: Array | None = None,
) -> Forward:
    """Run the reference; `counted` (T,) weighs the steps whose loss counts (default all)."""
    weights = {name: array for name, array in point.params.items() if name not in ("W_hy", "b_y")}
    hs, final, caches = unroll(cell, weights, point.xs, point.state)
    logits = hs @ point.params["W_hy"] + point.params["b_y"]
    losses, dlogits = loss(logits, point.targets)
    if counted is not None:
        losses, dlogits = losses * counted[:, None], dlogits * counted[:, None, None]
    placed = neighbours(caches, final, point.xs)
    return Forward(
        cell, point.params, point.xs, point.state, placed, hs, logits, point.targets, losses, dlogits
    )


def neighbours(caches: Sequence[Any], final: State, xs: Array) -> list[Any]:
    """Give every cache its place in time, so that a hypothesis can reach for a value of another step.

    cache.before is the step before (before the first a cache of zeros that holds the initial state as h, c, tanh_c);
    cache.wrapped is caches[t − 1] as Python reads it (before the first the last one); cache.looped is that of a list
    with the initial state in front (before the first the final state); cache.after is the step after (after the last a
    cache of zeros that holds the final state as h_prev and c_prev). cache.x is the step's input.
    """
    kind = type(caches[0])
    if not hasattr(kind, "_fields"):  # a cell from elsewhere keeps what it likes
        return list(caches)
    placed: Any = type(kind.__name__, (kind,), {})
    steps = [placed(*cache) for cache in caches]
    zeros = placed(*(tree_map(np.zeros_like, part) for part in caches[0]))
    ends = {f"{name}_prev": part for name, part in zip("hc", final, strict=False)}
    first = caches[0]
    if "gated" in kind._fields and first.gated is first.h_prev:  # a GRU that resets before: another name for h_{t−1}
        ends["gated"] = final[0]
    starts = {"h": getattr(first, "h_prev", None), "c": getattr(first, "c_prev", None)}
    if starts["c"] is not None:
        starts["tanh_c"] = np.tanh(starts["c"])
    beyond = placed(*(ends.get(name, zero) for name, zero in zip(kind._fields, zeros, strict=True)))
    zeros.x = beyond.x = np.zeros_like(xs[0])
    start = placed(*(starts.get(name, zero) for name, zero in zip(kind._fields, zeros, strict=True)))
    start.x = zeros.x
    for t, step in enumerate(steps):
        step.x = xs[t]
        step.t, step.last = t, t == len(steps) - 1
        step.before, step.wrapped = (steps[t - 1] if t else start), steps[t - 1]
        step.looped = steps[t - 1] if t else beyond
        step.after = beyond if step.last else steps[t + 1]
    return steps


@dataclass(frozen=True)
class Change:
    """What a hypothesis exchanges in the reference's backward pass; None leaves a part as it is.

    step, collect, loop
        For cell.step_backward, cell.param_grads and bptt.unroll_backward (the latter without dfinal_state and mask).
    hidden, output
        From the forward pass to ∂L/∂logits, as the hidden layer and as W_hy and b_y get it.
    states
        From the forward pass to what W_hy is multiplied with, (T, N, H).
    dense
        From the forward pass to (dh_here, {"W_hy", "b_y"}), in place of all three.
    dhs
        From dh_here (T, N, H) to what takes its place.
    after
        Last of all: from all gradients to all gradients.
    """

    step: Step | None = None
    collect: Collect | None = None
    loop: Loop | None = None
    hidden: Callable[[Forward], Array] | None = None
    output: Callable[[Forward], Array] | None = None
    states: Callable[[Forward], Array] | None = None
    dense: Callable[[Forward], tuple[Array, Params]] | None = None
    dhs: Callable[[Array, Forward], Array] | None = None
    after: Callable[[Gradients, Forward], Gradients] | None = None

    @property
    def moves_deltas(self) -> bool:
        """True where it changes the recursion: then no parameter of the cell stays as it is."""
        return self.step is not None or self.loop is not None or self.dhs is not None or self.hidden is not None


class _Edited:
    """A cell with another step_backward, for the time loop."""

    def __init__(self, cell: Any, step: Step | None) -> None:
        self.cell, self.step = cell, step

    def step_backward(self, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        """Call the one or the other."""
        if self.step is None:
            answer: tuple[State, Any] = self.cell.step_backward(params, dstate, cache)
            return answer
        return self.step(self.cell, params, dstate, cache)


def recursion(at: Forward, dhs: Array, step: Step | None = None, loop: Loop | None = None) -> tuple[Any, list[Any]]:
    """Run the loop back over time; return dstates and deltas as `unroll_backward` does."""
    zeros = tuple(np.zeros_like(part) for part in at.state)
    edited: Any = _Edited(at.cell, step)
    return (loop or unroll_backward)(edited, at.weights, dhs, at.caches, zeros)


def hidden_gradient(at: Forward, do: Change) -> Array:
    """Return dh_here (T, N, H), as a change without `dense` has it."""
    dhs: Array = (at.dlogits if do.hidden is None else do.hidden(at)) @ at.params["W_hy"].T
    return dhs if do.dhs is None else do.dhs(dhs, at)


def gradients(at: Forward, change: Change | None = None) -> Gradients:
    """Return the gradient of the total loss: of every parameter, of xs and of the initial state."""
    do = change or Change()
    if do.dense is not None:
        dhs, outer = do.dense(at)
        dhs = dhs if do.dhs is None else do.dhs(dhs, at)
    else:
        dlogits = at.dlogits if do.output is None else do.output(at)
        read = at.hs if do.states is None else do.states(at)
        rows = dlogits.reshape(-1, dlogits.shape[-1])
        outer = {"W_hy": read.reshape(-1, read.shape[-1]).T @ rows, "b_y": rows.sum(axis=0)}
        dhs = hidden_gradient(at, do)
    dstates, deltas = recursion(at, dhs, do.step, do.loop)
    collect = do.collect or type(at.cell).param_grads
    dxs, grads = collect(at.cell, at.weights, at.xs, at.caches, deltas)
    found: Gradients = {**outer, **grads, "xs": dxs, **dict(zip(STATES, dstates[0], strict=False))}
    return found if do.after is None else do.after(found, at)


def gates_of(cell: Any) -> str:
    """Return the gates of a cell, in the order of their columns: "ifgo", "rzn", or "" for none."""
    return next((gates for kind, gates in GATES if isinstance(cell, kind)), "")


def blocks(gates: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Cut every gated array by gates: {"W_hh:i": …, …}; what has no gates stays whole."""
    found = {}
    for name, array in arrays.items():
        if gates and name in ("W_xh", "W_hh", "b_h"):
            width = array.shape[-1] // len(gates)
            for k, gate in enumerate(gates):
                found[f"{name}:{gate}"] = array[..., k * width : (k + 1) * width]
        else:
            found[name] = array
    return found


def off(one: Array, other: Array) -> float:
    """Return ‖a − n‖ / (‖a‖ + ‖n‖); two zeros agree, and what is not finite is infinitely wrong."""
    size = float(np.linalg.norm(one) + np.linalg.norm(other))
    if size == 0.0:
        return 0.0
    gap = float(np.linalg.norm(one - other))
    return gap / size if np.isfinite(gap) and np.isfinite(size) else np.inf
