r"""The flow of the gradient, step by step and gate by gate: what comes from the loss here, what from the future."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params, State, Tree, leaves, tree_map
from ..bptt import unroll, unroll_backward, without_padding
from .running import checked

#: The blocks of a delta, in the order of the cell's columns.
GATES: dict[str, tuple[str, ...]] = {
    "RNNCell": ("a",), "IndRNNCell": ("a",), "LSTMCell": ("i", "f", "g", "o"), "GRUCell": ("r", "z", "n"),
}


class GradientFlow(NamedTuple):
    """The parts of ∂L/∂h_t and of δ_t; in each pair the two sum to the whole."""

    dh_here: Array  # (T, N, H), through the output at t
    dh_future: Array  # (T, N, H), through step t + 1
    others: tuple[Array, ...]  # (T, N, ·) each, the other parts of the state (an LSTM's dc): all from the future
    delta_here: Tree  # (T, N, ·) of the cell's own form
    delta_future: Tree  # the same


def gradient_flow(
    cell: Any, params: Params, xs: Array, dhs: Array, state: State | None = None, mask: Array | None = None,
    dfinal_state: State | None = None,
) -> GradientFlow:
    r"""Split the gradient of each step into its two sources (article E-BPTT).

    .. math:: dh_t = dh_t^{here} + dh_t^{future}, \qquad
              \delta_t = \delta_t^{here} + \delta_t^{future}

    `step_backward` is linear, so each source can be sent through it alone. An LSTM's dc_t comes from the future
    but for what passes from dh_t through o_t within the step: that is inside δ.

    Parameters
    ----------
    cell : Cell
        One time step.
    params : dict
        The cell's parameters.
    xs : (T, N, D)
        The inputs.
    dhs : (T, N, H)
        dh_here: ∂L/∂h_t through the output at t; ignored on padding.
    state : tuple of (N, ·), optional
        The state before the first step.
    mask : (T, N) bool, optional
        True where there is an input.
    dfinal_state : tuple of (N, ·), optional
        The gradient of the final state; it counts as future.

    Returns
    -------
    GradientFlow
        Index t − 1 belongs to step t. On padding all is zero.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `Recurrent.forward` and `Recurrent.backward`.

    Source: article E-BPTT, §4.5; Werbos (1990); notebooks 04, 17; tests/looking/test_flow.py.
    """
    where = "gradient_flow"
    params, xs, state, mask = checked(where, cell, params, xs, state, mask)
    hs, _, caches = unroll(cell, params, xs, state, mask)
    dhs = validate.float_array(where, "dhs", dhs)
    validate.shape(where, "dhs", dhs, hs.shape, "it is the gradient of hs")
    validate.finite(where, "dhs", dhs, mask)
    if dfinal_state is not None:
        _check_final(where, dfinal_state, state)
    validate.same_dtype(where, params=params, dhs=dhs, dfinal_state=dfinal_state)
    here = np.array(without_padding(dhs, mask))
    dstates, _ = unroll_backward(cell, params, here, caches, dfinal_state, mask)
    parts = [np.stack(part) for part in zip(*dstates[1:], strict=True)]
    if mask is not None:  # what is carried past a padded step takes no part in it
        parts = [without_padding(part, mask) for part in parts]
    deltas_here, deltas_future = [], []
    for t, cache in enumerate(caches):
        zeros = tuple(np.zeros_like(part[t]) for part in parts[1:])
        deltas_here.append(cell.step_backward(params, (here[t], *zeros), cache)[1])
        deltas_future.append(cell.step_backward(params, tuple(part[t] for part in parts), cache)[1])
    stacked = [tree_map(lambda *steps: np.stack(steps), first, *rest) for first, *rest in (deltas_here, deltas_future)]
    return GradientFlow(here, parts[0], tuple(parts[1:]), *stacked)


def split_gates(cell: Any, delta: Array, names: tuple[str, ...] | None = None) -> dict[str, Array]:
    """Return a delta's blocks by the gates' letters: {"i": (…, H), "f": …} for an LSTM.

    Parameters
    ----------
    cell : Cell
        RNN, IndRNN, LSTM or GRU; of another cell give `names`.
    delta : (…, k·H)
        Of all steps, from `gradient_flow`, or of one.
    names : k letters, optional
        In the order of the cell's columns.

    Returns
    -------
    dict of copies, (…, H) each

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If delta does not hold as many blocks of H as there are names, or nothing says the names.

    Source: article E-LSTM, E-GRU; notebook 17; tests/looking/test_flow.py.
    """
    where = "split_gates"
    kind = type(cell).__name__
    if names is None and kind not in GATES:
        validate.fail(
            where, f"cell is a {kind} and names is None", f"one of {', '.join(GATES)}, or names",
            "nothing else says which block is which gate", 'Try names=("i", "f", "g", "o").',
        )
    letters = GATES[kind] if names is None else tuple(names)
    if not isinstance(delta, np.ndarray):
        validate.fail(
            where, f"delta is a {type(delta).__name__}", "one array", "its last axis holds the blocks",
            "A delta of several arrays has its names already.", validate.DtypeError,
        )
    H = cell.hidden_size
    if delta.ndim < 1 or not letters or delta.shape[-1] != len(letters) * H:
        validate.fail(
            where, f"delta has shape {delta.shape}", f"(…, {len(letters)}·{H})",
            f"there are the blocks {', '.join(letters)} of hidden_size={H}", error=validate.ShapeError,
        )
    return {letter: block.copy() for letter, block in zip(letters, np.split(delta, len(letters), -1), strict=True)}


def _check_final(where: str, dfinal_state: Any, state: State) -> None:
    shapes = [part.shape for part in state]
    if not isinstance(dfinal_state, tuple) or [np.shape(part) for part in dfinal_state] != shapes:
        got = (
            f"shapes {[np.shape(part) for part in dfinal_state]}" if isinstance(dfinal_state, tuple)
            else f"type {type(dfinal_state).__name__}"
        )
        validate.fail(where, f"dfinal_state has {got}", f"a tuple of {shapes}", "it is the gradient of the final state",
                      error=validate.ShapeError)
    for path, part in leaves(dfinal_state):
        validate.float_array(where, f"dfinal_state{path}", part)
        validate.finite(where, f"dfinal_state{path}", part)
