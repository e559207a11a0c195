"""Recurrent layers on top of each other, with dropout between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params, State
from .dropout import Dropout, DropoutCache
from .over_time import check_over_time, infer
from .states import check_state


class StackedCache(NamedTuple):
    """The layers' caches from the bottom up, and those of the dropout below each but the first."""

    layers: list[Any]
    dropouts: list[DropoutCache]


@dataclass(frozen=True)
class Stacked:
    """Depth (article §4.4): each layer reads the outputs of the one below.

    Parameters
    ----------
    layers : tuple of layers over time
        From the bottom up, such as (Recurrent(LSTMCell(3, 8)), Recurrent(LSTMCell(8, 8))); also Bidirectional.
    dropout : float
        The rate between the layers while training (`rng` given), not after the last: as PyTorch's nn.LSTM does.

    Its parameters are {"layer0": {…}, "layer1": {…}, …}, from the bottom up. Its state is one tuple with the *top*
    layer's parts first, then those of the layer below it, and so on, since state[0] is what a layer puts out.

    Source: Graves (2013), §2; tests/layers/test_stacked.py.
    """

    layers: tuple[Any, ...]
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.layers, tuple) or not self.layers:
            validate.fail(
                "Stacked", f"layers is {self.layers!r:.60}", "a tuple of at least one layer",
                hint="Try Stacked((Recurrent(RNNCell(3, 8)), Recurrent(RNNCell(8, 8)))).", error=validate.DtypeError,
            )
        for index, layer in enumerate(self.layers):
            check_over_time("Stacked", f"layers[{index}]", layer)
            below = self.layers[index - 1].hidden_size if index else layer.input_size
            if layer.input_size != below:
                validate.fail(
                    "Stacked", f"layers[{index}].input_size is {layer.input_size}", f"{below}",
                    f"it reads what layers[{index - 1}] puts out",
                )
        validate.number("Stacked", "dropout", self.dropout, at_least=0.0, below=1.0)

    @property
    def input_size(self) -> int:
        """D, of the bottom layer."""
        size: int = self.layers[0].input_size
        return size

    @property
    def hidden_size(self) -> int:
        """H, of the top layer."""
        size: int = self.layers[-1].hidden_size
        return size

    @property
    def causal(self) -> bool:
        """True if no output knows of a later input."""
        return all(layer.causal for layer in self.layers)

    def param_shapes(self) -> Mapping[str, Any]:
        """Return {"layer0": {…}, …}."""
        return {f"layer{index}": layer.param_shapes() for index, layer in enumerate(self.layers)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return every layer's own start."""
        return {f"layer{index}": layer.init_params(rng=rng, dtype=dtype) for index, layer in enumerate(self.layers)}

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return the layers' initial states, the top layer's first."""
        return tuple(part for layer in self.layers[::-1] for part in layer.initial_state(batch_size, dtype))

    def check_state(self, where: str, name: str, state: Any, batch_size: int) -> None:
        """Compare a state with the layers' own initial states; raise if its form or a size differs."""
        check_state(where, name, state, self.initial_state(batch_size))

    def layer_states(self, state: State) -> list[State]:
        """Cut a state into the layers' states, from the bottom up."""
        states, first = [], 0
        for layer in self.layers[::-1]:
            parts = len(layer.initial_state(1))
            states.append(state[first : first + parts])
            first += parts
        return states[::-1]

    def forward(
        self,
        params: Params,
        xs: Array,
        state: State | None = None,
        mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, StackedCache]:
        """Run the layers from the bottom up; arguments, result and errors as in `Recurrent.forward`."""
        states = self._checked_states("Stacked.forward", params, xs, state)
        caches, dropouts, finals = [], [], []
        for index, layer in enumerate(self.layers):
            if index:
                xs, dropped = self._dropout.forward({}, xs, rng=rng)
                dropouts.append(dropped)
            xs, final, cache = layer.forward(params[f"layer{index}"], xs, states[index], mask, rng=rng)
            caches.append(cache)
            finals.append(final)
        final_state = tuple(part for final in finals[::-1] for part in final)
        return xs, final_state, StackedCache(caches, dropouts)

    def _checked_states(self, where: str, params: Params, xs: Array, state: State | None) -> list[Any]:
        """Check what is nested by layer; return the layers' states, None for those that are not given."""
        validate.params(where, params, self.param_shapes(), "It is nested by layer.")
        xs = validate.float_array(where, "xs", xs)
        N = validate.shape(where, "xs", xs, ("T", "N", self.input_size), "time comes first")["N"]
        if state is None:
            return [None] * len(self.layers)
        self.check_state(where, "state", state, N)
        return list(self.layer_states(state))

    def infer(
        self, params: Params, xs: Array, state: State | None = None, mask: Array | None = None
    ) -> tuple[Array, State]:
        """Run the layers and keep nothing for a backward; arguments, result and errors as in `Recurrent.infer`."""
        states = self._checked_states("Stacked.infer", params, xs, state)
        finals = []
        for index, layer in enumerate(self.layers):
            xs, final = infer(layer, params[f"layer{index}"], xs, states[index], mask)
            finals.append(final)
        return xs, tuple(part for final in finals[::-1] for part in final)

    def backward(
        self, params: Params, dhs: Array, cache: StackedCache, dfinal_state: State | None = None
    ) -> tuple[Array, State, Params]:
        """Go through the layers from the top down; arguments, result and errors as in `Recurrent.backward`."""
        where = "Stacked.backward"
        validate.cache(where, cache, StackedCache)
        if len(cache.layers) != len(self.layers):
            validate.fail(
                where, f"cache holds {len(cache.layers)} layers", f"{len(self.layers)}",
                "backward needs what its own forward computed", "forward returns it last.",
            )
        validate.params(where, params, self.param_shapes(), "It is nested by layer.")
        dhs = validate.float_array(where, "dhs", dhs)
        N = validate.shape(where, "dhs", dhs, ("T", "N", self.hidden_size), "it is the gradient of hs")["N"]
        dfinals: list[Any] = [None] * len(self.layers)
        if dfinal_state is not None:
            self.check_state(where, "dfinal_state", dfinal_state, N)
            dfinals = self.layer_states(dfinal_state)
        dstates: list[State] = []
        grads: Params = {}
        for index in reversed(range(len(self.layers))):
            name = f"layer{index}"
            dhs, dstate, grads[name] = self.layers[index].backward(
                params[name], dhs, cache.layers[index], dfinals[index]
            )
            dstates.append(dstate)
            if index:
                dhs, _ = self._dropout.backward({}, dhs, cache.dropouts[index - 1])
        ordered = {name: grads[name] for name in params}
        return dhs, tuple(part for dstate in dstates for part in dstate), ordered

    @property
    def _dropout(self) -> Dropout:
        return Dropout(self.dropout)
