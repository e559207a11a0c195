"""Sequence models: a recurrent layer under an output layer, with loss and every gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..activations import softmax
from ..arrays import Array, Params, State
from ..layers import Dense, Recurrent
from ..layers.dense import DenseCache
from ..layers.over_time import infer
from ..layers.recurrent import RecurrentCache
from ..losses import mean_squared_error, softmax_cross_entropy


class SequenceCache(NamedTuple):
    """The caches of the two layers, and what many-to-one needs to go back to T steps."""

    recurrent: RecurrentCache
    output: DenseCache
    hs_shape: tuple[int, ...]  # (T, N, H)


@dataclass(frozen=True)
class SequenceModel:
    """The article's network (E2.1a, E2.1b) for classification or regression.

    Parameters
    ----------
    recurrent : Recurrent
        The hidden layer over time.
    output_size : int
        K: classes, or numbers to predict.
    task : "classification" or "regression"
        Softmax and cross-entropy (E-CE), or the identity and the mean squared error (E-MSE).
    outputs : "many-to-many" or "many-to-one"
        An output at every step, (T, N, K); or one a sequence, (N, K), read from the state after its own last
        step (on padding hs[-1] is zero; the final state is right).

    Its parameters are {"recurrent": {…}, "output": {"W_hy", "b_y"}}.

    Source: notebooks 01, 04, 09; tests/models/test_sequence.py.
    """

    recurrent: Recurrent
    output_size: int
    task: str = "classification"
    outputs: str = "many-to-many"

    def __post_init__(self) -> None:
        if not hasattr(self.recurrent, "forward") or not hasattr(self.recurrent, "initial_state"):
            validate.fail(
                "SequenceModel", f"recurrent is {self.recurrent!r}", "a recurrent layer",
                "a cell is one time step, a layer is a whole sequence", "Try Recurrent(cell).", validate.DtypeError,
            )
        validate.sizes("SequenceModel", self, "output_size")
        validate.option("SequenceModel", "task", self.task, ("classification", "regression"))
        validate.option("SequenceModel", "outputs", self.outputs, ("many-to-many", "many-to-one"))

    @property
    def output(self) -> Dense:
        """The output layer, E2.1b."""
        return Dense(self.recurrent.hidden_size, self.output_size)

    @property
    def input_size(self) -> int:
        """D."""
        return self.recurrent.input_size

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent.hidden_size

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return the recurrent layer's initial state."""
        return self.recurrent.initial_state(batch_size, dtype)

    @property
    def loss(self) -> Callable[..., tuple[Any, Array]]:
        """The loss that fits the task."""
        return softmax_cross_entropy if self.task == "classification" else mean_squared_error

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return new parameters of both layers."""
        return {
            "recurrent": self.recurrent.init_params(rng=rng, dtype=dtype),
            "output": self.output.init_params(rng=rng, dtype=dtype),
        }

    def forward(
        self,
        params: Params,
        xs: Array,
        state: State | None = None,
        mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, SequenceCache]:
        """Compute logits (article E2.1a, then E2.1b).

        Arguments as in `Recurrent.forward`. Returns logits (T, N, K) or (N, K), the final state and a cache.
        Raises the errors of `Recurrent.forward`, and ArgumentError if params lacks a layer.
        """
        check_layers("SequenceModel.forward", params, ("recurrent", "output"))
        hs, final_state, recurrent_cache = self.recurrent.forward(params["recurrent"], xs, state, mask, rng=rng)
        logits, output_cache = self.output.forward(params["output"], self._read(hs, final_state), rng=rng)
        return logits, final_state, SequenceCache(recurrent_cache, output_cache, hs.shape)

    def _read(self, hs: Array, final_state: State) -> Array:
        """What the output layer reads; a copy, so that who writes into the final state cannot spoil the backward."""
        return hs if self.outputs == "many-to-many" else final_state[0].copy()

    def backward(
        self,
        params: Params,
        dlogits: Array,
        cache: SequenceCache,
        dfinal_state: State | None = None,
        *,
        input_grad: bool = True,
    ) -> tuple[Array | None, State, Params]:
        """Take ∂L/∂logits to (dxs, dstate, grads); arguments and errors as in `Recurrent.backward`."""
        check_layers("SequenceModel.backward", params, ("recurrent", "output"))
        validate.cache("SequenceModel.backward", cache, SequenceCache)
        dread, output_grads = self.output.backward(params["output"], dlogits, cache.output)
        if self.outputs == "many-to-many":
            dhs = dread
        else:  # the loss reads the final state alone: no step has a dh_here of its own
            dhs = np.zeros(cache.hs_shape, dread.dtype)
            if dfinal_state is None:
                # Zeros in the shape of a state (a cell's initial state need not be zero).
                like = self.recurrent.initial_state(len(dread), dread.real.dtype)
                dfinal_state = tuple(np.zeros(part.shape, dread.dtype) for part in like)
            else:  # before the sum below, where a wrong shape could broadcast and float32 be promoted
                self.recurrent.check_state("SequenceModel.backward", "dfinal_state", dfinal_state, len(dread))
                validate.same_dtype("SequenceModel.backward", dfinal_state=dfinal_state, dlogits=dlogits)
            dfinal_state = (dfinal_state[0] + dread, *dfinal_state[1:])
        # Other layers over time, and layers of one's own, compute dxs in any case.
        spare = {} if input_grad or type(self.recurrent) is not Recurrent else {"input_grad": False}
        dxs, dstate, recurrent_grads = self.recurrent.backward(
            params["recurrent"], dhs, cache.recurrent, dfinal_state, **spare
        )
        return dxs, dstate, {"recurrent": recurrent_grads, "output": output_grads}

    def loss_and_grads(
        self,
        params: Params,
        xs: Array,
        targets: Array,
        state: State | None = None,
        mask: Array | None = None,
        target_mask: Array | None = None,
        *,
        divide_by: float | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Any, Params, State]:
        """Compute the loss, the gradient of every parameter, and the final state.

        Parameters
        ----------
        params : dict
            {"recurrent": {…}, "output": {"W_hy": (H, K), "b_y": (K,)}}.
        xs : (T, N, D)
            The inputs.
        targets : array
            Classification: int (T, N), many-to-one (N,); or one-hot with a last axis of K.
            Regression: float (T, N, K), many-to-one (N, K).
        state : tuple of (N, ·), optional
            The state before the first step.
        mask : (T, N) bool, optional
            True where there is an input.
        target_mask : (T, N) or (N,) bool, optional
            True where a loss counts; default: `mask`, for many-to-one the sequences with at least one input.
        divide_by : float, optional
            As in the losses: divide the sum by this instead of by the number of counted targets.
        rng : Generator, optional
            For layers with randomness; None is inference.

        Returns
        -------
        loss : scalar
        grads : dict
            With the keys of params.
        final_state : tuple of (N, ·)

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            From `Recurrent.forward` and the losses.
        """
        logits, final_state, cache = self.forward(params, xs, state, mask, rng=rng)
        if target_mask is None and mask is not None:
            target_mask = mask if self.outputs == "many-to-many" else np.any(mask, axis=0)
        loss, dlogits = self.loss(logits, targets, target_mask, divide_by)
        _, _, grads = self.backward(params, dlogits, cache, input_grad=False)
        return loss, grads, final_state

    def predict(self, params: Params, xs: Array, state: State | None = None, mask: Array | None = None) -> Array:
        """Return g(logits) (article E2.1b): class probabilities, or the numbers themselves for regression."""
        check_layers("SequenceModel.predict", params, ("recurrent", "output"))
        hs, final_state = infer(self.recurrent, params["recurrent"], xs, state, mask)
        logits, _ = self.output.forward(params["output"], self._read(hs, final_state))
        return softmax(logits) if self.task == "classification" else logits


def check_layers(where: str, params: Any, names: tuple[str, ...]) -> None:
    """Refuse parameters that do not hold exactly one dictionary a layer."""
    if not isinstance(params, dict) or set(params) != set(names):
        got = f"the keys {sorted(map(str, params))}" if isinstance(params, dict) else f"type {type(params).__name__}"
        validate.fail(
            where, f"params has {got}", f"one dictionary each for {' and '.join(names)}",
            "parameters are nested by layer", "init_params(rng=…) makes them.",
        )
