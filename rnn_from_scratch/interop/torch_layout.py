"""Which layers PyTorch has a module for, and under which name and in which shape that module keeps each array."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, NoReturn

from .. import validate
from ..cells.base import Cell
from ..cells.gru import GRUCell
from ..cells.lstm import LSTMCell
from ..cells.rnn import RNNCell
from ..layers import Bidirectional, Dense, Embedding, LayerNorm, Recurrent, Stacked
from . import foreign
from .foreign import Slot

ORDERS = {
    1: "(out, in)", 3: "(out, in), its 3 blocks r, z, n below each other",
    4: "(out, in), its 4 blocks i, f, g, o below each other",
}  # fmt: skip
TABLES = {  # a layer without time: our name, PyTorch's, whether the one is the other's transpose
    Dense: {"W_hy": ("weight", True), "b_y": ("bias", False)},
    Embedding: {"W_embed": ("weight", False)},
    LayerNorm: {"gain": ("weight", False), "bias": ("bias", False)},
}
RECURRENT_KEY = re.compile(r"(?:weight|bias)_(?:ih|hh|hr)_l(\d+)(_reverse)?")


class Place(NamedTuple):
    """One cell of a layer, and where its arrays stand."""

    path: tuple[str, ...]  # here: ("layer1", "back")
    ending: str  # in PyTorch's names: "_l1_reverse"
    cell: Cell


def floors(layer: Any) -> tuple[Any, ...]:
    """Return the layers that stand on each other, from the bottom up."""
    return layer.layers if isinstance(layer, Stacked) else (layer,)


def places(where: str, layer: Any) -> list[Place]:
    """Return every cell of a layer in PyTorch's order: from the bottom up, in each layer first forwards, then back.

    Raises
    ------
    ArgumentError
        If PyTorch has no module for the layer, with the reason.
    """
    found = []
    for k, one in enumerate(floors(layer)):
        name, outer = (f"layer.layers[{k}]", (f"layer{k}",)) if isinstance(layer, Stacked) else ("layer", ())
        if isinstance(one, Bidirectional):
            sides = [("ahead", one.ahead, ""), ("back", one.back, "_reverse")]
        else:
            sides = [("", one, "")]
        for side, inner, ending in sides:
            if not isinstance(inner, Recurrent):
                _refuse_layer(where, f"{name}.{side}" if side else name, inner, whole=inner is layer)
            _check_cell(where, inner.cell)
            found.append(Place((*outer, side) if side else outer, f"_l{k}{ending}", inner.cell))
    for place in found:
        if _kind(place.cell) != _kind(found[0].cell):
            validate.fail(
                where, f"layer has {found[0].cell} and {place.cell}", "one kind of cell and one hidden_size",
                "a PyTorch module has one for all its layers and directions", "Convert the layers one by one.",
            )
    if len({isinstance(one, Bidirectional) for one in floors(layer)}) > 1:
        validate.fail(
            where, "layer has layers with one direction and layers with both", "one of the two throughout",
            "bidirectional=True holds for all layers of a PyTorch module", "Convert the layers one by one.",
        )
    return found


def slots(place: Place, prefix: str) -> tuple[Slot, Slot, Slot, Slot]:
    """Return what PyTorch keeps for one cell: weight_ih, weight_hh, bias_ih, bias_hh."""
    D, H, G = place.cell.input_size, place.cell.hidden_size, foreign.blocks(place.cell)
    because = f"PyTorch keeps {foreign.KINDS[G]} of input_size={D} and hidden_size={H} as {ORDERS[G]}"
    return (
        Slot(f"{prefix}weight_ih{place.ending}", (G * H, D), because),
        Slot(f"{prefix}weight_hh{place.ending}", (G * H, H), because, is_recurrent=True),
        Slot(f"{prefix}bias_ih{place.ending}", (G * H,), because, is_bias=True),
        Slot(f"{prefix}bias_hh{place.ending}", (G * H,), because, is_bias=True),
    )


def check_extent(where: str, keys: Iterable[str], found: Sequence[Place], prefix: str) -> None:
    """Refuse a state with projections, with another number of layers, or with another number of directions.

    Without any recurrent key it says nothing: those are told as missing.
    """
    matches = [match for key in keys if (match := RECURRENT_KEY.fullmatch(key.removeprefix(prefix)))]
    for match in matches:
        if "_hr_" in match.group():
            validate.fail(
                where, f"state_dict has {prefix + match.group()!r}", "a state without projections",
                "proj_size makes h smaller than c, and LSTMCell has one hidden_size for both", "Train without it.",
            )
    if not matches:
        return
    depth = max(int(match.group(1)) for match in matches) + 1
    layers = len({place.ending.removesuffix("_reverse") for place in found})
    if depth != layers:
        names = f"{prefix}weight_ih_l0" + (f" … {prefix}weight_ih_l{depth - 1}" if depth > 1 else "")
        stack = f"a Stacked of {depth} layers" if depth > 1 else "one layer, Recurrent or Bidirectional"
        validate.fail(
            where, f"state_dict has the keys of {depth} layer{'s' * (depth > 1)} ({names})",
            f"those of {layers}", "that is the depth of the layer given", f"num_layers={depth} is {stack}.",
        )
    both, ours = any(match.group(2) for match in matches), len(found) > layers
    if both != ours:
        validate.fail(
            where, f"state_dict has the keys of {'both directions' if both else 'one direction'} "
            f"({'some end' if both else 'none ends'} in _reverse)", f"those of {'both' if ours else 'one'}",
            "that is what the layer given has", "bidirectional=True makes every layer a Bidirectional.",
        )


def hint_for_keys(everything: Iterable[str], prefix: str, key: str) -> str:
    """Say which prefix would find a key, or that the keys are those of a cell; "" if neither."""
    known = list(everything)
    prefixes = sorted(name.removesuffix(key) for name in known if name.endswith(f".{key}"))
    if prefixes and prefix not in prefixes:
        return "Try prefix=" + " or ".join(repr(each) for each in prefixes[:4]) + "."
    if f"{prefix}weight_ih" in known:
        return "These are the names of an nn.RNNCell, nn.LSTMCell or nn.GRUCell: add _l0 to each."
    return ""


def _kind(cell: Cell) -> tuple[type, int, str]:
    return type(cell), cell.hidden_size, getattr(cell, "activation", "")


def _refuse_layer(where: str, name: str, layer: Any, whole: bool) -> NoReturn:
    """Say what a layer must be made of."""
    if whole:
        expected = "a Recurrent, Bidirectional or Stacked layer, Dense, Embedding or LayerNorm"
        hint = "A cell goes in as Recurrent(cell); a model layer by layer, each with its prefix."
    else:
        expected = "a Recurrent layer"
        hint = "PyTorch's deep bidirectional module is a Stacked of Bidirectional layers, each of two Recurrent ones."
    because = "PyTorch's modules are made of these"
    validate.fail(where, f"{name} is a {type(layer).__name__}", expected, because, hint)


def _check_cell(where: str, cell: Cell) -> None:
    """Refuse a cell that PyTorch does not have, with the reason."""
    because, hint = "", ""
    if type(cell) not in (RNNCell, LSTMCell, GRUCell):  # a subclass may compute something else
        because = "nn.RNN, nn.LSTM and nn.GRU are all that PyTorch has"
    elif isinstance(cell, RNNCell) and cell.activation not in ("tanh", "relu"):
        because, hint = "nn.RNN's nonlinearity is 'tanh' or 'relu'", "Keras has others: to_keras, from_keras."
    elif isinstance(cell, LSTMCell) and cell.peepholes:
        because = "nn.LSTM has no peepholes: its gates never look at c"
    elif isinstance(cell, GRUCell) and not cell.reset_after:
        because = "nn.GRU applies the reset gate after the product: with the same weights another function"
        hint = "Keras has both: to_keras, from_keras."
    if because:
        validate.fail(where, f"the layer's cell is {cell}", "a cell that PyTorch has", because, hint)
