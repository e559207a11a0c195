"""Running a network with its state changed on the way: the only look that tells what is used from what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, State
from .running import checked

Change = Callable[[int, State], State]


def unroll_changed(
    cell: Any, params: Params, xs: Array, change: Change, state: State | None = None, mask: Array | None = None
) -> tuple[Array, State]:
    """Run the cell over a sequence and put every new state through `change` before anything sees it.

    Both the output at t and the step t + 1 get the changed state. On padding nothing is changed.

    Parameters
    ----------
    cell : Cell
        One time step.
    params : dict
        Its parameters.
    xs : (T, N, D)
        The inputs.
    change : (t, state) -> state
        t counts steps from 1; it must return arrays of the same shapes, and write into none it is given.
        `remove_directions` and `clamp_units` make such functions; (lambda t, state: state) changes nothing.
    state : tuple of (N, ·), optional
        The state before the first step; it is not changed.
    mask : (T, N) bool, optional
        True where there is an input.

    Returns
    -------
    hs : (T, N, H)
        The outputs after the change; zero on padding.
    final_state : tuple of (N, ·)

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `Recurrent.forward`; if `change` returns anything but a state of finite numbers.

    Source: article §4.5, C12; notebook 17; tests/looking/test_changing.py.
    """
    where = "unroll_changed"
    if not callable(change):
        validate.fail(where, f"change is a {type(change).__name__}", "a function of (t, state)",
                      "it is called after each step", "Try remove_directions(…).", validate.DtypeError)
    params, xs, state, mask = checked(where, cell, params, xs, state, mask)
    x_proj = cell.project(params, xs)
    hs = []
    for t in range(len(xs)):
        after, _ = cell.step(params, x_proj[t], state)
        after = _checked_change(where, change(t + 1, tuple(part.copy() for part in after)), after, t + 1)
        here = np.ones((len(after[0]), 1), bool) if mask is None else mask[t][:, None]
        state = tuple(np.where(here, new, old) for new, old in zip(after, state, strict=True))
        hs.append(np.where(here, state[0], np.zeros((), state[0].dtype)))
    return np.stack(hs), tuple(part.copy() for part in state)


def remove_directions(directions: Array, mean: Array) -> Change:
    r"""Return a change that holds h at its mean along some directions and leaves all else as it is.

    .. math:: h \leftarrow m + (h - m)(I - Q Q^\top)

    Q is an orthonormal basis of the span of the directions, so they need neither have length 1 nor be orthogonal.

    Parameters
    ----------
    directions : (k, H)
        One a row, k < H.
    mean : (H,)
        Where h is held: its mean over what the network reads. At 0 it would be pushed to where it never is.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        For other shapes, numbers that are not finite, or directions that are all 0.

    Source: article §4.5, C12; Elazar et al. (2021); notebook 17; tests/looking/test_changing.py.
    """
    where = "remove_directions"
    directions = validate.float_array(where, "directions", directions, complex_ok=False)
    H = validate.shape(where, "directions", directions, ("k", "H"), "one direction a row")["H"]
    mean = validate.float_array(where, "mean", mean, complex_ok=False)
    validate.shape(where, "mean", mean, (H,), "the directions have as many numbers")
    validate.finite(where, "directions", directions)
    validate.finite(where, "mean", mean)
    _, sizes, rows = np.linalg.svd(directions, full_matrices=False)
    basis = rows[sizes > max(directions.shape) * np.finfo(sizes.dtype).eps * sizes.max(initial=0.0)]  # (k, H)
    if not len(basis) or not sizes.max(initial=0.0):
        validate.fail(where, "directions are all 0", "at least one of some length", "0 points nowhere")
    centre = mean.copy()

    def change(t: int, state: State) -> State:  # noqa: ARG001 - the same at every step
        h = state[0]
        return (h - ((h - centre) @ basis.T @ basis).astype(h.dtype), *state[1:])

    return change


def clamp_units(units: Any, values: Array) -> Change:
    """Return a change that holds some units of h at a value, whatever the network computes for them.

    In an LSTM without peepholes a cell c is seen through its h alone, so a unit clamped in h is gone altogether.

    Parameters
    ----------
    units : list of int
        Which, counted from 0.
    values : (H,)
        What each unit is held at, by its place: such as the mean of h.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        For units that are not there or stand twice, or values of another kind.

    Source: article §4.5, C12; Karpathy, Johnson & Fei-Fei (2016) show such units, without clamping them; notebook 17;
    tests/looking/test_changing.py.
    """
    where = "clamp_units"
    values = validate.float_array(where, "values", values, complex_ok=False)
    H = validate.shape(where, "values", values, ("H",), "each unit has one")["H"]
    validate.finite(where, "values", values)
    listed = validate.as_array(where, "units", units)
    if listed.ndim != 1 or not listed.size or listed.dtype.kind not in "iu":
        validate.fail(where, f"units is {units!r:.60}", "a list of whole numbers", "they name units", "Try [3].",
                      validate.DtypeError)
    validate.indices(where, "units", listed, H, counts="hidden_size", padding="there is none here")
    if len(set(listed.tolist())) < len(listed):
        validate.fail(where, f"units is {units!r:.60}", "each unit once", "it is held once")
    held = np.zeros(H, bool)
    held[listed] = True
    kept = values.copy()

    def change(t: int, state: State) -> State:  # noqa: ARG001 - the same at every step
        h = state[0]
        return (np.where(held, kept.astype(h.dtype), h), *state[1:])

    return change


def _checked_change(where: str, changed: Any, like: State, t: int) -> State:
    shapes = [part.shape for part in like]
    if not isinstance(changed, tuple) or [np.shape(part) for part in changed] != shapes:
        got = (
            f"shapes {[np.shape(part) for part in changed]}" if isinstance(changed, tuple)
            else f"a {type(changed).__name__}"
        )
        validate.fail(where, f"change returned {got} at t = {t}", f"a tuple of {shapes}", "it is a state again",
                      "A state is a tuple also where it has one part.", validate.ShapeError)
    for index, (part, old) in enumerate(zip(changed, like, strict=True)):
        if not isinstance(part, np.ndarray) or part.dtype != old.dtype:
            validate.fail(where, f"change returned {getattr(part, 'dtype', type(part).__name__)} at t = {t}",
                          f"an array of {old.dtype}", "the network computes with it", error=validate.DtypeError)
        validate.finite(where, f"what change returned at t = {t}, part {index}", part)
    return changed
