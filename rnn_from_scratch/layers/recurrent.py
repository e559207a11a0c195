"""A whole sequence through a cell: validation once, the time loop, every gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params, State, tree_copy
from ..bptt import unroll, unroll_backward, without_padding
from ..cells.base import Cell
from ..fused import has_kernel
from .dropout import dropout_mask
from .states import check_state


class RecurrentCache(NamedTuple):
    """What the backward pass needs of the forward pass."""

    xs: Array  # (T, N, D), zeros on padding
    mask: Array | None  # (T, N)
    caches: list[Any]  # the cell's, one a step
    dropped: Array | None  # (H, 1), what recurrent dropout multiplied the rows of W_hh by
    cell: Cell  # which made the caches: those of a tanh would fit a ReLU, and give other derivatives


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer: one cell over T steps and N sequences (article E2.1a, E-BPTT).

    engine : "stepwise", "fused" or None
        "stepwise" runs the cell's own equations step by step (`bptt.py`): the reference. "fused" runs a
        whole-sequence kernel, where one exists. None takes the fused engine where there is a kernel.
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
        xs : (T, N, D)
            The inputs, time first. On padding (mask False) anything, NaN included.
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
        where = "Recurrent.forward"
        xs = validate.float_array(where, "xs", xs)
        D = self.cell.input_size
        hint = "For a single sequence use xs[:, None, :]; from batch-first use xs.swapaxes(0, 1)."
        sizes = validate.shape(where, "xs", xs, ("T", "N", D), f"time comes first and input_size={D}", hint)
        mask = validate.mask(where, "mask", mask, (sizes["T"], sizes["N"]))
        validate.finite(where, "xs", xs, mask)
        xs = without_padding(xs, mask)
        params = self._checked(where, params, sizes["N"])
        if state is None:
            state = self.cell.initial_state(sizes["N"], xs.real.dtype)
        else:
            self.check_state(where, "state", state, sizes["N"])
        validate.same_dtype(where, params=params, xs=xs, state=state)

        dropped = None
        if rng is not None and self.recurrent_dropout > 0:
            dropped = dropout_mask((self.hidden_size, 1), self.recurrent_dropout, rng=rng, dtype=xs.real.dtype)
        hs, final_state, caches = unroll(self.cell, _masked_rows(params, dropped), xs, state, mask)
        # Copies go out, so that a caller who writes into them cannot spoil the backward pass.
        return hs, tree_copy(final_state), RecurrentCache(xs, mask, caches, dropped, self.cell)

    def backward(
        self, params: Params, dhs: Array, cache: RecurrentCache, dfinal_state: State | None = None
    ) -> tuple[Array, State, Params]:
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

        Returns
        -------
        dxs : (T, N, D)
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
        validate.cache(where, cache, RecurrentCache)
        if cache.cell != self.cell:
            validate.fail(
                where, f"cache was made by {cache.cell!r:.120}", f"one that {self.cell!r:.120} made",
                "backward needs what its own forward computed", "forward returns it last.",
            )
        dhs = validate.float_array(where, "dhs", dhs)
        T, N, _ = cache.xs.shape
        params = self._checked(where, params, N)
        validate.shape(where, "dhs", dhs, (T, N, self.cell.hidden_size), "it is the gradient of hs")
        if dfinal_state is not None:
            self.check_state(where, "dfinal_state", dfinal_state, N)
        validate.same_dtype(where, params=params, dhs=dhs, dfinal_state=dfinal_state, xs=cache.xs)
        validate.finite(where, "dhs", dhs, cache.mask, "Did the loss diverge?")

        params = _masked_rows(params, cache.dropped)
        dstates, deltas = unroll_backward(self.cell, params, dhs, cache.caches, dfinal_state, cache.mask)
        dxs, grads = self.cell.param_grads(params, cache.xs, cache.caches, deltas)
        return dxs, tree_copy(dstates[0]), _masked_rows(grads, cache.dropped)

    def _checked(self, where: str, params: Any, batch_size: int) -> Params:
        """Check the weights, and a memory if the cell takes one; return params with zeros on the memory's padding."""
        hint = f"This layer's cell is {self.cell}."
        shapes = self.cell.param_shapes()
        expected = self.memory_shapes(1, batch_size)
        if not expected or not isinstance(params, dict):
            validate.params(where, params, shapes, hint)
            return dict(params)
        for name in expected:
            if name not in params:
                validate.fail(
                    where, f"params lacks {name!r}", f'{{**params, "{name}": an array (S, N, ·)}}',
                    "the attention reads it: an encoder's outputs, say", hint,
                )
        beside = {*expected, "memory_mask"}
        validate.params(where, {name: params[name] for name in params if name not in beside}, shapes, hint)
        checked = dict(params)
        for name, (_, N, size) in expected.items():
            array = validate.float_array(where, f"params[{name!r}]", params[name])
            because = f"xs has {N} sequences and the attention reads {size} numbers"
            steps = validate.shape(where, f"params[{name!r}]", array, ("S", N, size), because)["S"]
            mask = validate.mask(where, 'params["memory_mask"]', params.get("memory_mask"), (steps, N))
            validate.finite(where, f"params[{name!r}]", array, mask)
            checked[name] = without_padding(array, mask)
        return checked

    def check_state(self, where: str, name: str, state: Any, batch_size: int) -> None:
        """Compare a state with the cell's own initial state, part by part; raise if its form or a size differs."""
        check_state(where, name, state, self.cell.initial_state(batch_size))


def _masked_rows(params: Params, dropped: Array | None) -> Params:
    """Multiply the rows of W_hh, or of its gradient, by the recurrent dropout's mask."""
    return params if dropped is None else {**params, "W_hh": params["W_hh"] * dropped}
