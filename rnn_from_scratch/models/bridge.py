"""The bridge: from what an encoder read to the state in which a decoder starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..activations import tanh_derivative
from ..arrays import Array, Params, State
from ..layers import Dense
from ..layers.dense import DenseCache
from ..layers.states import check_state


class BridgeCache(NamedTuple):
    """What the backward needs, for each part of the state."""

    denses: list[DenseCache]
    parts: list[Array]  # (N, ·), what came out


@dataclass(frozen=True)
class Bridge:
    r"""One affine map and a tanh for each part of the decoder's first state.

    .. math:: s_0 = \tanh(h^{enc}_{end} W_s + b_s)

    Parameters
    ----------
    input_size : int
        H of the encoder.
    sizes : tuple of int
        The widths of the state's parts: (H,) for an RNN, (H, H) for an LSTM.

    Its parameters are {"part0": {"W_hy", "b_y"}, …}.

    Source: Bahdanau, Cho & Bengio (2015), appendix A.2.2 (s_0); tests/models/test_encoder_decoder.py.
    """

    input_size: int
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        validate.sizes("Bridge", self, "input_size")
        if not isinstance(self.sizes, tuple) or not self.sizes:
            validate.fail(
                "Bridge", f"sizes is {self.sizes!r:.60}", "a tuple of sizes, at least one",
                "a state has one part or more", "For an RNN's state: (H,).", validate.DtypeError,
            )
        whole = tuple(validate.size("Bridge", f"sizes[{index}]", size) for index, size in enumerate(self.sizes))
        object.__setattr__(self, "sizes", whole)

    @property
    def denses(self) -> dict[str, Dense]:
        """The affine maps by name."""
        return {f"part{index}": Dense(self.input_size, size) for index, size in enumerate(self.sizes)}

    def param_shapes(self) -> Mapping[str, Any]:
        """Return {"part0": {…}, …}."""
        return {name: dense.param_shapes() for name, dense in self.denses.items()}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the affine maps' own starts."""
        return {name: dense.init_params(rng=rng, dtype=dtype) for name, dense in self.denses.items()}

    def forward(self, params: Params, summary: Array) -> tuple[State, BridgeCache]:
        """Take the encoder's summary (N, H) to the decoder's state; errors as in `Dense.forward`."""
        validate.params("Bridge.forward", params, self.param_shapes(), "There is one map for each part of the state.")
        caches, parts = [], []
        for name, dense in self.denses.items():
            a, cache = dense.forward(params[name], summary)
            caches.append(cache)
            parts.append(np.tanh(a))
        # Copies go out, so that a caller who writes into them cannot spoil the backward pass.
        return tuple(part.copy() for part in parts), BridgeCache(caches, parts)

    def backward(self, params: Params, dstate: State, cache: BridgeCache) -> tuple[Array, Params]:
        """Add up what comes back from every part; errors as in `Dense.backward`."""
        where = "Bridge.backward"
        validate.cache(where, cache, BridgeCache)
        validate.params(where, params, self.param_shapes(), "There is one map for each part of the state.")
        check_state(where, "dstate", dstate, tuple(cache.parts))
        validate.same_dtype(where, dstate=dstate, params=params)  # the product with a part would promote it
        grads: Params = {}
        dsummary = np.zeros((), dstate[0].dtype)
        for (name, dense), dpart, part, own in zip(
            self.denses.items(), dstate, cache.parts, cache.denses, strict=True
        ):
            delta = dpart * tanh_derivative(part)  # (N, ·)
            dread, grads[name] = dense.backward(params[name], delta, own)
            dsummary = dsummary + dread  # (N, H)
        return dsummary, grads
