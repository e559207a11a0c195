"""What a layer over time must have to stand inside another."""

from __future__ import annotations

from typing import Any

from .. import validate
from ..arrays import Array, Params, State

NEEDED = ("input_size", "hidden_size", "causal", "initial_state", "param_shapes", "forward", "backward")


def check_over_time(where: str, name: str, layer: Any) -> None:
    """Refuse what is no layer over time, and one whose memory nobody could hand to it here."""
    if isinstance(layer, type) or any(not hasattr(layer, needed) for needed in NEEDED):
        validate.fail(
            where, f"{name} is {layer!r:.60}", "a layer over time: Recurrent, Stacked or Bidirectional",
            "a cell is one time step, a layer is a whole sequence", "Try Recurrent(cell).", validate.DtypeError,
        )
    if hasattr(layer, "memory_shapes") and layer.memory_shapes(1, 1):
        validate.fail(
            where, f"{name} is {layer!r:.60}", "a layer without a memory",
            "the attention's memory comes in through the params of its own layer",
            "Put the attention cell's layer on top of this one yourself.",
        )


def infer(layer: Any, params: Params, xs: Array, state: State | None, mask: Array | None) -> tuple[Array, State]:
    """Return hs and the final state without a cache, where the layer can do that (one of one's own need not)."""
    if hasattr(layer, "infer"):
        inferred: tuple[Array, State] = layer.infer(params, xs, state, mask)
        return inferred
    hs, final_state, _ = layer.forward(params, xs, state, mask)
    return hs, final_state
