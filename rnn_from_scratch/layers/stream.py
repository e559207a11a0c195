"""One input at a time, as they come: a recurrent layer in real time."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, State, leaves, tree_copy
from ..cells.base import Cell
from ..fused import FusedKernel
from ..fused.passes import ForwardPass
from .states import check_state

UNMOVED = "The state is as it was before."


class Stream:
    """A layer's state, and a call that takes it one step on: h = stream(x).

    Made by `Recurrent.stream`. It has its own copy of the parameters and of the state: changing either afterwards
    changes nothing here. An object with a state of its own: two threads that share one need a lock of theirs.

    Source: article §4.2 (faster inference in real time), claim C4; notebook 16; tests/layers/test_stream.py.
    """

    def __init__(self, cell: Cell, params: Params, state: State, kernel: FusedKernel | None) -> None:
        _refuse_complex("Recurrent.stream", {"params": params, "state": state})
        self.cell = cell
        self._params, self._start = tree_copy(params), tree_copy(state)
        self._kernel = kernel
        self._state: State = self._start  # for the stepwise engine
        self._passes: dict[bool, ForwardPass] = {}  # for inputs that are numbers, and for indices
        self._used: ForwardPass | None = None
        self._x_shape, self._out_shape = (len(state[0]), cell.input_size), (len(state[0]), cell.hidden_size)
        self._dtype = state[0].dtype
        self._finite = np.empty(self._x_shape, bool)

    def __call__(self, x: Array, out: Array | None = None) -> Array:
        """Take one step.

        Parameters
        ----------
        x : (N, D), or (N,) of integers
            The input at this step; integers are indices, as in `Recurrent.forward`.
        out : (N, H), optional
            Where to write h; no array is then allocated.

        Returns
        -------
        h : (N, H)
            `out`, or a new array: no later call changes it.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If x or out does not fit, or x is not finite; the state is then as before.
        """
        indexed = self._check(x)
        if out is not None:
            self._check_out(out)
        h = self._fused(x, indexed) if self._kernel is not None else self._stepwise(x, indexed)
        if out is None:
            return h.copy()
        out[...] = h
        return out

    @property
    def state(self) -> State:
        """A copy of the state after the steps so far."""
        if self._used is None:
            return tuple(part.copy() for part in self._state)
        return tuple(part.copy() for part in self._used.state_after(1))

    def reset(self, state: State | None = None) -> None:
        """Go back to the state that the stream was made with, or to a given one."""
        if state is not None:
            check_state("Stream.reset", "state", state, self._start)
            validate.same_dtype("Stream.reset", params=self._params, state=state)
            _refuse_complex("Stream.reset", {"state": state})
        self._state = tree_copy(self._start if state is None else state)
        self._used = None

    def _fused(self, x: Array, indexed: bool) -> Array:
        """One step of the kernel's own loop; return h (N, H), a view."""
        assert self._kernel is not None
        forward = self._passes.get(indexed)
        if forward is None:
            forward = self._kernel.one_step(self.cell, self._params, len(x), self._dtype, indexed)
            self._passes[indexed] = forward
        if forward is not self._used:
            forward.start(self.state)
        forward.load(0, (x.astype(np.intp) if indexed else x)[None])
        forward.run(0, 1, None)
        forward.go_on(1)
        self._used = forward
        h: Array = forward.states[0][1].T
        return h

    def _stepwise(self, x: Array, indexed: bool) -> Array:
        """One step of the cell."""
        if indexed:
            x = np.eye(self.cell.input_size, dtype=self._dtype)[x]
        state, _ = self.cell.step(self._params, self.cell.project(self._params, x[None])[0], self._state)
        self._state = state
        h: Array = state[0]
        return h

    def _check(self, x: Any) -> bool:
        """Refuse what does not fit; return whether x are indices."""
        if type(x) is np.ndarray and x.shape == self._x_shape and x.dtype == self._dtype:
            if not np.isfinite(x, self._finite).all():
                validate.finite("Stream", "x", x, hint=UNMOVED)
            return False
        N, D = self._x_shape
        where = "Stream"
        if isinstance(x, np.ndarray) and x.ndim == 1 and x.dtype.kind in "iu":
            validate.as_array(where, "x", x)
            validate.shape(where, "x", x, (N,), f"batch_size is {N}")
            validate.indices(where, "x", x, D)
            return True
        validate.float_array(where, "x", x)
        hint = "For a single sequence use x[None, :]." if x.ndim == 1 else ""
        validate.shape(where, "x", x, (N, D), f"batch_size is {N} and input_size {D}", hint)
        validate.same_dtype(where, params=self._params, x=x)
        if x.dtype != self._dtype:
            validate.fail(where, f"x has dtype {x.dtype}", f"{self._dtype}", error=validate.DtypeError)
        validate.finite(where, "x", x, hint=UNMOVED)
        return False

    def _check_out(self, out: Any) -> None:
        """Refuse what h cannot be written to, while the state is as it was."""
        fits = type(out) is np.ndarray and out.shape == self._out_shape and out.dtype == self._dtype
        if fits and out.flags.writeable:
            return
        where = "Stream"
        validate.float_array(where, "out", out, hint="Without out the answer is a new array.")
        validate.shape(where, "out", out, self._out_shape, "h is written there")
        if out.dtype != self._dtype:
            validate.fail(where, f"out has dtype {out.dtype}", f"{self._dtype}", error=validate.DtypeError)
        if not out.flags.writeable:
            validate.fail(where, "out is read-only", "an array to write to", "h is written there")


def _refuse_complex(where: str, given: Params) -> None:
    """Refuse complex numbers, whose imaginary parts a stream's real buffers would lose."""
    for name, array in leaves(given):
        if array.dtype.kind == "c":
            validate.fail(
                where, f"{name} has dtype {array.dtype}", "float64 (or float32)", "a stream keeps real numbers",
                "The complex step goes through forward.", validate.DtypeError,
            )
