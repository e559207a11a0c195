"""Two recurrent layers, one that reads the sequence forwards and one that reads it backwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params, State
from .over_time import check_over_time, infer
from .states import check_state


class BidirectionalCache(NamedTuple):
    """The caches of the two layers."""

    ahead: Any
    back: Any


@dataclass(frozen=True)
class Bidirectional:
    """Both directions: at each step, what came before it and what comes after.

    Parameters
    ----------
    ahead, back : layers over time
        `ahead` reads from the first step to the last, `back` from the last to the first. Each has its own weights.

    Its parameters are {"ahead": {…}, "back": {…}}. The outputs stand side by side, hs (T, N, H_ahead + H_back), and so
    do the parts of the state: state[0] (N, H_ahead + H_back) is h after the last step read, at the right end for
    `ahead` and at the left end for `back`, each the summary of the whole sequence.

    Reading backwards is flipping xs and mask in time. Padding then comes first, and since it carries the state
    unchanged, `back` starts at each sequence's own last input.

    Source: Schuster & Paliwal (1997); notebook 13; tests/layers/test_bidirectional.py.
    """

    ahead: Any
    back: Any

    def __post_init__(self) -> None:
        for name in ("ahead", "back"):
            check_over_time("Bidirectional", name, getattr(self, name))
        if self.ahead.input_size != self.back.input_size:
            validate.fail(
                "Bidirectional", f"back.input_size is {self.back.input_size}", f"{self.ahead.input_size}",
                "both directions read the same xs",
            )
        if len(self.ahead.initial_state(1)) != len(self.back.initial_state(1)):
            validate.fail(
                "Bidirectional", "the two layers' states have different numbers of parts", "cells of one kind",
                "the parts of the two states stand side by side",
            )

    @property
    def input_size(self) -> int:
        """D."""
        size: int = self.ahead.input_size
        return size

    @property
    def hidden_size(self) -> int:
        """H_ahead + H_back."""
        size: int = self.ahead.hidden_size + self.back.hidden_size
        return size

    @property
    def causal(self) -> bool:
        """False: every output knows of later inputs."""
        return False

    def param_shapes(self) -> Mapping[str, Any]:
        """Return {"ahead": {…}, "back": {…}}."""
        return {"ahead": self.ahead.param_shapes(), "back": self.back.param_shapes()}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the two layers' own starts."""
        return {
            "ahead": self.ahead.init_params(rng=rng, dtype=dtype), "back": self.back.init_params(rng=rng, dtype=dtype),
        }

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return the two layers' initial states side by side."""
        return _joined(self.ahead.initial_state(batch_size, dtype), self.back.initial_state(batch_size, dtype))

    def check_state(self, where: str, name: str, state: Any, batch_size: int) -> None:
        """Compare a state with the initial one, part by part; raise if its form or a size differs."""
        check_state(where, name, state, self.initial_state(batch_size))

    def layer_states(self, state: State) -> tuple[State, State]:
        """Cut a state into that of `ahead` and that of `back`."""
        widths = [part.shape[1] for part in self.ahead.initial_state(1)]
        return (
            tuple(part[:, :width] for part, width in zip(state, widths, strict=True)),
            tuple(part[:, width:] for part, width in zip(state, widths, strict=True)),
        )

    def forward(
        self,
        params: Params,
        xs: Array,
        state: State | None = None,
        mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, BidirectionalCache]:
        """Read both ways; arguments, result and errors as in `Recurrent.forward`."""
        xs, mask, ahead, back = self._checked("Bidirectional.forward", params, xs, state, mask)
        hs_ahead, final_ahead, cache_ahead = self.ahead.forward(params["ahead"], xs, ahead, mask, rng=rng)
        hs_back, final_back, cache_back = self.back.forward(params["back"], xs[::-1], back, _flipped(mask), rng=rng)
        hs = np.concatenate([hs_ahead, hs_back[::-1]], axis=2)
        return hs, _joined(final_ahead, final_back), BidirectionalCache(cache_ahead, cache_back)

    def infer(
        self, params: Params, xs: Array, state: State | None = None, mask: Array | None = None
    ) -> tuple[Array, State]:
        """Read both ways and keep nothing for a backward; arguments, result and errors as in `Recurrent.infer`."""
        where = "Bidirectional.infer"
        xs, mask, ahead, back = self._checked(where, params, xs, state, mask)
        hs_ahead, final_ahead = infer(self.ahead, params["ahead"], xs, ahead, mask)
        hs_back, final_back = infer(self.back, params["back"], xs[::-1], back, _flipped(mask))
        return np.concatenate([hs_ahead, hs_back[::-1]], axis=2), _joined(final_ahead, final_back)

    def _checked(
        self, where: str, params: Params, xs: Array, state: State | None, mask: Array | None
    ) -> tuple[Array, Array | None, State | None, State | None]:
        """Check what has to be cut in two or flipped."""
        validate.params(where, params, self.param_shapes(), "It is nested by direction.")
        xs = validate.float_array(where, "xs", xs)
        T, N = validate.shape(where, "xs", xs, ("T", "N", self.input_size), "time comes first").values()
        mask = validate.mask(where, "mask", mask, (T, N))
        if state is None:
            return xs, mask, None, None
        self.check_state(where, "state", state, N)
        return xs, mask, *self.layer_states(state)

    def backward(
        self, params: Params, dhs: Array, cache: BidirectionalCache, dfinal_state: State | None = None
    ) -> tuple[Array, State, Params]:
        """Add what comes back from both directions; arguments, result and errors as in `Recurrent.backward`."""
        where = "Bidirectional.backward"
        validate.cache(where, cache, BidirectionalCache)
        validate.params(where, params, self.param_shapes(), "It is nested by direction.")
        dhs = validate.float_array(where, "dhs", dhs)
        N = validate.shape(where, "dhs", dhs, ("T", "N", self.hidden_size), "it is the gradient of hs")["N"]
        dahead, dback = None, None
        if dfinal_state is not None:
            self.check_state(where, "dfinal_state", dfinal_state, N)
            dahead, dback = self.layer_states(dfinal_state)
        H = self.ahead.hidden_size
        dxs_ahead, dstate_ahead, grads_ahead = self.ahead.backward(params["ahead"], dhs[..., :H], cache.ahead, dahead)
        dxs_back, dstate_back, grads_back = self.back.backward(params["back"], dhs[::-1, :, H:], cache.back, dback)
        dxs: Array = dxs_ahead + dxs_back[::-1]  # (T, N, D)
        return dxs, _joined(dstate_ahead, dstate_back), {"ahead": grads_ahead, "back": grads_back}


def _joined(ahead: State, back: State) -> State:
    """Put the parts of two states side by side."""
    return tuple(np.concatenate(pair, axis=1) for pair in zip(ahead, back, strict=True))


def _flipped(mask: Array | None) -> Array | None:
    return None if mask is None else mask[::-1]
