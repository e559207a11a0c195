"""Weights and states to and from PyTorch's layouts, as plain dictionaries of arrays. PyTorch itself is not needed.

nn.RNN, nn.LSTM and nn.GRU are one module for all layers and both directions; here they are a `Recurrent`, two in a
`Bidirectional`, or a `Stacked` of these. What stands where (k counts layers from the bottom, from 0):

    nn.RNN(D, H)                                    Recurrent(RNNCell(D, H))
    nn.GRU(D, H, bidirectional=True)                Bidirectional(Recurrent(GRUCell(D, H)), Recurrent(GRUCell(D, H)))
    nn.LSTM(D, H, num_layers=2)                     Stacked((Recurrent(LSTMCell(D, H)), Recurrent(LSTMCell(H, H))))
    weight_ih_l{k} (blocks·H, D), weight_hh_l{k}    W_xh (D, blocks·H), W_hh: transposed, the blocks in the same order
    bias_ih_l{k} + bias_hh_l{k}                     b_h, but for the GRU's third block: that of bias_hh_l{k} is b_hn
    …_l{k}_reverse                                  {"back": …} beside {"ahead": …}

A state dict does not tell everything. nn.RNN's nonlinearity, nn.LayerNorm's eps, dropout and batch_first (which turns
inputs and outputs, never h_n) are not in it, and a square matrix that somebody transposed looks as it should.

Source: PyTorch's documentation of nn.RNN, nn.LSTM and nn.GRU ("Attributes", "Outputs"), nn.Linear, nn.Embedding and
nn.LayerNorm; PyTorch's own values in tests/interop/test_torch.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, State
from ..cells.lstm import LSTMCell
from ..layers import Bidirectional, Stacked
from . import foreign
from .foreign import Slot
from .torch_layout import TABLES, check_extent, floors, hint_for_keys, places, slots


def to_torch(layer: Any, params: Params, *, prefix: str = "") -> dict[str, Array]:
    """Return a layer's weights under PyTorch's names and in its layout.

    Load them with `module.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})`.

    PyTorch has two biases where one would do. b_h goes into bias_ih and zeros into bias_hh; only a GRU's b_hn has its
    own place in bias_hh. `from_torch` gives back exactly what went in.

    Parameters
    ----------
    layer : Recurrent, Bidirectional, Stacked, Dense, Embedding or LayerNorm
        PyTorch has no recurrent dropout: a layer with one is the same function at inference only.
    params : dict
        The layer's parameters.
    prefix : str
        Put before every name, such as "rnn." for the attribute `rnn` of a larger module.

    Returns
    -------
    dict of new arrays, in the order of the module's own state dict.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If PyTorch has no such layer: peepholes, reset_after=False, a sigmoid RNN, several hidden sizes or kinds of
        cell; or if params does not fit the layer, is complex, mixes dtypes or is not finite.

    Source: PyTorch's documentation, see the top of this file; tests/interop/test_torch.py.
    """
    where = "to_torch"
    table = _table(layer)
    found = [] if table else places(where, layer)
    foreign.check_own(where, layer, params)
    _check_prefix(where, prefix)
    arrays = {prefix + key: _turned(params[own], turn) for own, (key, turn) in table.items()}
    for place in found:
        inner = params
        for name in place.path:
            inner = inner[name]
        bias_ih, bias_hh = foreign.two_biases(place.cell, inner)
        values = (_turned(inner["W_xh"]), _turned(inner["W_hh"]), bias_ih, bias_hh)
        arrays |= {slot.key: array for slot, array in zip(slots(place, prefix), values, strict=True)}
    return arrays


def from_torch(layer: Any, state_dict: Any, *, prefix: str = "") -> Params:
    """Return a layer's parameters from a PyTorch module's state dict.

    The two biases become their sum, the same function. So `to_torch` afterwards gives a state whose biases differ from
    the first one's, and whose outputs do not. A module made with bias=False has no biases in its state: zeros.

    Parameters
    ----------
    layer : Recurrent, Bidirectional, Stacked, Dense, Embedding or LayerNorm
        What the state is for. An nn.RNN's nonlinearity must be its cell's activation, an nn.LayerNorm's eps its
        epsilon.
    state_dict : mapping of arrays by name
        Anything that np.asarray takes: arrays, or a module's `state_dict()` itself, whose tensors carry no gradient.
        Float32 or float64 throughout.
    prefix : str
        Reads only what starts with it, such as "rnn." for the attribute `rnn` of a larger module.

    Returns
    -------
    params : dict of new arrays

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the key, if the state does not fit the layer: a key missing or unknown, another number of layers or
        directions, another kind of cell (4 blocks for a GRU's 3), another size, a transposed matrix, projections
        (proj_size), integers, complex numbers, half precision, float32 beside float64, NaN. And if PyTorch has no
        such layer, as in `to_torch`.

    Source: PyTorch's documentation, see the top of this file; tests/interop/test_torch.py.
    """
    where = "from_torch"
    table = _table(layer)
    found = [] if table else places(where, layer)
    _check_prefix(where, prefix)
    everything = foreign.entries(where, "state_dict", state_dict, "Try module.state_dict().")
    given = {key: value for key, value in everything.items() if key.startswith(prefix)}
    if found:
        check_extent(where, given, found, prefix)
    wanted = _flat_slots(layer, table, prefix) if table else [slot for each in found for slot in slots(each, prefix)]
    hint = hint_for_keys(everything, prefix, wanted[0].key.removeprefix(prefix))
    arrays = foreign.take(where, "state_dict", given, wanted, f"the layer given is {layer!s:.200}", hint)
    params: Params = {own: _turned(arrays[prefix + key], turn) for own, (key, turn) in table.items()}
    for place in found:
        inner = params
        for name in place.path:
            inner = inner.setdefault(name, {})
        weight_ih, weight_hh, bias_ih, bias_hh = (arrays[slot.key] for slot in slots(place, prefix))
        biases = foreign.one_bias(place.cell, bias_ih, bias_hh)
        inner |= {"W_xh": _turned(weight_ih), "W_hh": _turned(weight_hh), **biases}
    return params


def state_to_torch(layer: Any, state: State) -> tuple[Array, ...]:
    """Return a state as PyTorch's (h_n,), or (h_n, c_n) for an LSTM, each (layers·directions, N, H).

    Here the top layer comes first and the directions stand side by side, (N, 2H). There the bottom layer comes
    first, and in each layer the forward direction before the backward one. nn.RNN and nn.GRU take h_n alone, nn.LSTM
    the pair.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If PyTorch has no such layer, as in `to_torch`, or the state is not this layer's.

    Source: PyTorch's documentation of nn.LSTM, "Outputs: output, (h_n, c_n)"; tests/interop/test_torch.py.
    """
    where = "state_to_torch"
    places(where, layer)
    first = state[0] if isinstance(state, tuple) and state else None
    layer.check_state(where, "state", state, len(first) if isinstance(first, np.ndarray) and first.ndim else 1)
    for index, part in enumerate(state):
        foreign.real_array(where, f"state[{index}]", part)
    validate.same_dtype(where, state=state)
    by_floor = layer.layer_states(state) if isinstance(layer, Stacked) else [state]
    by_cell: list[State] = []
    for one, own in zip(floors(layer), by_floor, strict=True):
        by_cell += one.layer_states(own) if isinstance(one, Bidirectional) else [own]
    return tuple(np.stack(parts) for parts in zip(*by_cell, strict=True))


def state_from_torch(layer: Any, h_n: Any, c_n: Any = None) -> State:
    """Return a layer's state from PyTorch's h_n, and for an LSTM c_n, each (layers·directions, N, H).

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If PyTorch has no such layer, as in `to_torch`, if c_n is missing for an LSTM or given for another cell, or if
        a shape or a dtype does not fit.

    Source: PyTorch's documentation of nn.LSTM, "Outputs: output, (h_n, c_n)"; tests/interop/test_torch.py.
    """
    where = "state_from_torch"
    found = places(where, layer)
    cell, rows, depth = found[0].cell, len(found), len(floors(layer))
    if (c_n is None) == isinstance(cell, LSTMCell):
        got, expected = ("None", "an array") if c_n is None else (f"a {type(c_n).__name__}", "None")
        validate.fail(where, f"c_n is {got}", expected, f"the layer's cell is {cell}, and only an LSTM carries c")
    directions = rows // depth
    because = f"layers·directions = {depth}·{directions} come first, then the batch, also with batch_first=True"
    arrays: dict[str, Array] = {}
    for name, value in {"h_n": h_n, "c_n": c_n}.items():
        if value is not None:
            arrays[name] = foreign.real_array(where, name, value)
            N = "N" if name == "h_n" else arrays["h_n"].shape[1]
            hint = f"For a single sequence pass {name}[:, None]." if arrays[name].ndim == 2 else ""
            validate.shape(where, name, arrays[name], (rows, N, cell.hidden_size), because, hint)
    validate.same_dtype(where, **arrays)
    return tuple(
        np.concatenate(list(array[first : first + directions]), axis=1)  # (N, directions·H)
        for first in reversed(range(0, rows, directions)) for array in arrays.values()
    )


def _table(layer: Any) -> dict[str, tuple[str, bool]]:
    """Return {our name: (PyTorch's, whether it is transposed)} for a layer without time, {} for others."""
    return next((table for kind, table in TABLES.items() if isinstance(layer, kind)), {})


def _flat_slots(layer: Any, table: dict[str, tuple[str, bool]], prefix: str) -> list[Slot]:
    """Return what PyTorch keeps for a layer without time."""
    because = f"the layer given is {layer}" + (" and PyTorch keeps (out, in)" if "W_hy" in table else "")
    shapes = {own: layer.param_shapes()[own] for own in table}
    return [
        Slot(prefix + key, shapes[own][::-1] if turn else shapes[own], because, is_bias=key == "bias")
        for own, (key, turn) in table.items()
    ]


def _turned(array: Array, turn: bool = True) -> Array:
    """Return a new array, transposed or not."""
    return np.array(array.T if turn else array, order="C")


def _check_prefix(where: str, prefix: Any) -> None:
    if not isinstance(prefix, str):
        validate.fail(where, f"prefix is {prefix!r:.60}", "text such as 'rnn.'", error=validate.DtypeError)
