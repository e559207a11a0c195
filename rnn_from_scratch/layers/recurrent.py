"""A whole sequence through a cell: validation once, the time loop, every gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params, State
from ..cells.base import Cell
from ..fused import FusedKernel, Kernel, has_kernel, kernel_for
from .arguments import checked_arguments, checked_params, checked_state, same_arrays
from .dropout import dropout_mask
from .engines import STEPWISE, Segments, StepwiseSaved
from .states import check_state
from .stream import Stream


class RecurrentCache(NamedTuple):
    """What the backward pass needs of the forward pass."""

    xs: Array  # (T, N, D), zeros on padding; or indices (T, N)
    mask: Array | None  # (T, N)
    saved: Any  # the engine's own
    dropped: Array | None  # (H, 1), what recurrent dropout multiplied the rows of W_hh by
    layer: Any  # which made it: what a tanh saved would fit a ReLU, and give other derivatives
    params: Params  # that it was made with

    @property
    def caches(self) -> list[Any]:
        """The cell's caches, one a step; the stepwise engine alone has them.

        Raises
        ------
        ArgumentError
            If another engine made the cache.
        """
        if not isinstance(self.saved, StepwiseSaved):
            validate.fail(
                "RecurrentCache.caches", f"the cache was made by {self.layer!r:.120}",
                "a layer that runs step by step and keeps everything",
                "a fused kernel keeps its own buffers, and recomputation the states between segments alone",
                'Try Recurrent(cell, engine="stepwise").',
            )
        steps: list[Any] = self.saved.caches
        return steps


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer: one cell over T steps and N sequences (article E2.1a, E-BPTT).

    engine : "stepwise", "fused" or None
        "stepwise" runs the cell's own equations step by step (`bptt.py`): the reference. "fused" runs a
        whole-sequence kernel (`fused/`), where one exists: the same numbers to 1e-12 in float64. None takes the fused
        engine where there is a kernel.
    recompute_every : int, optional
        Keep the state before every k-th step alone, and compute all else again in the backward: the exact gradient
        with memory for k steps instead of T, for one more forward pass.
    recurrent_dropout : float
        In training (`rng` given) each row of W_hh, that is each unit of h_{t−1}, is left out with this probability and
        the others are scaled by 1/(1 − rate). One mask serves the whole sequence and the whole batch, so that W_hh is
        masked once and any engine runs as it is. Gal & Ghahramani (2016) draw one mask for each *sequence*, constant
        over its steps; a mask drawn anew at each step would wipe the memory out.

    Source: notebook 04; tests/layers/test_recurrent.py.
    """

    cell: Cell
    engine: str | None = None
    recurrent_dropout: float = 0.0
    recompute_every: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.cell, type) or not hasattr(self.cell, "step_backward"):
            validate.fail(
                "Recurrent", f"cell is {self.cell!r:.60}", "a cell, such as RNNCell(3, 4)",
                "the layer repeats a cell's step over time", error=validate.DtypeError,
            )
        validate.option("Recurrent", "engine", self.engine, ("stepwise", "fused", None))
        if self.engine == "fused" and not has_kernel(self.cell):
            validate.fail(
                "Recurrent", f"engine is 'fused' for {self.cell}", "'stepwise' or None",
                "no fused kernel exists for this cell", "engine=None takes the fastest engine there is.",
            )
        if self.recompute_every is not None:
            validate.sizes("Recurrent", self, "recompute_every")
        validate.number("Recurrent", "recurrent_dropout", self.recurrent_dropout, at_least=0.0, below=1.0)
        if self.recurrent_dropout > 0 and "W_hh" not in self.cell.param_shapes():
            validate.fail(
                "Recurrent", f"recurrent_dropout is {self.recurrent_dropout} for {self.cell}",
                'a cell with a matrix "W_hh"', "the mask leaves out its rows",
            )

    @property
    def input_size(self) -> int:
        """D."""
        return self.cell.input_size

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.cell.hidden_size

    @property
    def causal(self) -> bool:
        """True: no output knows of a later input."""
        return True

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return the cell's initial state."""
        return self.cell.initial_state(batch_size, dtype)

    def param_shapes(self) -> Mapping[str, Any]:
        """Return the cell's parameters' shapes."""
        return self.cell.param_shapes()

    def memory_shapes(self, S: int, N: int) -> Mapping[str, tuple[int, ...]]:
        """Return what the cell takes through params beside its weights: {} for a cell without a memory."""
        return self.cell.memory_shapes(S, N) if hasattr(self.cell, "memory_shapes") else {}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the cell's own start."""
        return self.cell.init_params(rng=rng, dtype=dtype)

    def forward(
        self,
        params: Params,
        xs: Array,
        state: State | None = None,
        mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, RecurrentCache]:
        """Run the cell over the whole sequence.

        Parameters
        ----------
        params : dict
            The cell's parameters, see `param_shapes`; for a cell with a memory also "memory" (S, N, M) and, if some
            of it is padding, "memory_mask" (S, N) bool. There the memory may hold anything, NaN included.
        xs : (T, N, D), or (T, N) of integers
            The inputs, time first. On padding (mask False) anything, NaN included. Integers are indices, each the row
            of W_xh that it names: what one-hot rows would give, without the product.
        state : tuple of (N, ·), optional
            The state before the first step; default zeros.
        mask : (T, N) bool, optional
            True where there is an input. On padding the state is carried and the output is zero.
        rng : Generator, optional
            Draws the recurrent dropout; None is inference, without any.

        Returns
        -------
        hs : (T, N, H)
            hs[t-1] is h_t.
        final_state : tuple of (N, ·)
            The state after each sequence's own last step.
        cache : RecurrentCache
            It refers to xs, mask, state and memory: do not write into those before `backward`.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            For wrong keys, shapes, dtypes, a mixture of float32 and float64, an empty batch, T = 0, or numbers
            that are not finite.
        """
        params, xs, state, mask = checked_arguments("Recurrent.forward", self, params, xs, state, mask)
        dropped = None
        if rng is not None and self.recurrent_dropout > 0:
            dropped = dropout_mask((self.hidden_size, 1), self.recurrent_dropout, rng=rng, dtype=state[0].real.dtype)
        hs, final_state, saved = self._engine.forward(
            self.cell, _masked_rows(params, dropped), xs, state, mask, keep=True
        )
        return hs, final_state, RecurrentCache(xs, mask, saved, dropped, self, params)

    def infer(
        self, params: Params, xs: Array, state: State | None = None, mask: Array | None = None
    ) -> tuple[Array, State]:
        """Run the cell over the whole sequence and keep nothing for a backward pass.

        The memory it needs beside the outputs does not grow with T. Arguments, results and errors as in `forward`,
        without the cache; the numbers are the same.
        """
        params, xs, state, mask = checked_arguments("Recurrent.infer", self, params, xs, state, mask)
        hs, final_state, _ = self._engine.forward(self.cell, params, xs, state, mask, keep=False)
        return hs, final_state

    def stream(self, params: Params, batch_size: int = 1, state: State | None = None) -> Stream:
        """Return a function of one time step, for inputs that come one at a time.

        See `Stream`. Raises the errors of `forward` for params and state.
        """
        where = "Recurrent.stream"
        N = validate.size(where, "batch_size", batch_size)
        params = checked_params(where, self, params, N)
        state = checked_state(where, self, state, N, params)
        validate.same_dtype(where, params=params, state=state)
        kernel = None if self.engine == "stepwise" else kernel_for(self.cell)
        return Stream(self.cell, params, state, kernel if isinstance(kernel, FusedKernel) else None)

    def backward(
        self,
        params: Params,
        dhs: Array,
        cache: RecurrentCache,
        dfinal_state: State | None = None,
        *,
        input_grad: bool = True,
    ) -> tuple[Array | None, State, Params]:
        """Backpropagate through time (article E-BPTT).

        Parameters
        ----------
        params : dict
            As in `forward`.
        dhs : (T, N, H)
            dh_here: ∂L/∂h_t through the layer's own output at t. On padding it is ignored.
        cache : RecurrentCache
            From `forward`.
        dfinal_state : tuple of (N, ·), optional
            ∂L/∂(final state); default 0.
        input_grad : bool
            False leaves dxs out, where nobody wants it: the first layer of a network.

        Returns
        -------
        dxs : (T, N, D), or None
            None for indices, which have no gradient, and without input_grad.
        dstate : tuple of (N, ·)
            The gradient of the initial state.
        grads : dict
            With the keys of params.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If dhs or dfinal_state do not have the shapes and dtype of what `forward` gave.
        """
        where = "Recurrent.backward"
        validate.option(where, "input_grad", input_grad, (True, False))
        validate.cache(where, cache, RecurrentCache)
        if cache.layer is not self and cache.layer != self:
            validate.fail(
                where, f"cache was made by {cache.layer!r:.120}", f"one that {self!r:.120} made",
                "backward needs what its own forward computed", "forward returns it last.",
            )
        dhs = validate.float_array(where, "dhs", dhs)
        T, N = cache.xs.shape[:2]
        if not same_arrays(params, cache.params):  # those have been checked
            params = checked_params(where, self, params, N)
        validate.shape(where, "dhs", dhs, (T, N, self.cell.hidden_size), "it is the gradient of hs")
        if dfinal_state is not None:
            self.check_state(where, "dfinal_state", dfinal_state, N)
        xs = cache.xs if cache.xs.ndim == 3 else None
        validate.same_dtype(where, params=params, dhs=dhs, dfinal_state=dfinal_state, xs=xs)
        validate.finite(where, "dhs", dhs, cache.mask, "Did the loss diverge?")
        dxs, dstate, grads = self._engine.backward(
            self.cell, _masked_rows(params, cache.dropped), dhs, cache.saved, dfinal_state, input_grad=input_grad
        )
        return dxs, dstate, _masked_rows(grads, cache.dropped)

    @property
    def _engine(self) -> Kernel:
        """The kernel, or the stepwise engine; either in segments."""
        kernel = None if self.engine == "stepwise" else kernel_for(self.cell)
        engine: Kernel = STEPWISE if kernel is None else kernel
        return engine if self.recompute_every is None else Segments(engine, self.recompute_every)

    def check_state(self, where: str, name: str, state: Any, batch_size: int) -> None:
        """Compare a state with the cell's own initial state, part by part; raise if its form or a size differs."""
        check_state(where, name, state, self.cell.initial_state(batch_size))


def _masked_rows(params: Params, dropped: Array | None) -> Params:
    """Multiply the rows of W_hh, or of its gradient, by the recurrent dropout's mask."""
    return params if dropped is None else {**params, "W_hh": params["W_hh"] * dropped}
