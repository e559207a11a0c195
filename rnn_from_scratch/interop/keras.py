"""Weights to and from Keras' layouts, as plain dictionaries of arrays. Keras itself is not needed.

Keras keeps (in, out) as this package does. What stands where:

    SimpleRNN   kernel (D, H), recurrent_kernel (H, H), bias (H,)      W_xh, W_hh, b_h
    LSTM        the same with 4 blocks, i, f, c, o                     the same order: its c is our candidate g
    GRU         the same with 3 blocks, z, r, h                        ours are r, z, n: the first two change places
                reset_after=True (the default): bias (2, 3H)           b_h is the sum of its rows, but for the last
                                                                       block: that of the second row is b_hn
    Bidirectional: forward_layer, backward_layer                       {"ahead": {…}, "back": {…}}
    several layers, each of its own                                    {"layer0": {…}, …}, a Stacked

Its GRU computes h = z·h_prev + (1 − z)·ĥ: z means what it means here and in PyTorch. The state of one layer is h, or
h and c, each (N, H), as here; a Bidirectional takes and returns that of its forward layer, then that of its backward
layer. Keras puts the batch first: xs.swapaxes(0, 1).

Weights do not tell the activations. Keras' must be what they are here: a SimpleRNN's `activation` that of RNNCell, and
in the gated layers activation="tanh" and recurrent_activation="sigmoid", the defaults (before Keras 2.3 the latter was
"hard_sigmoid"). Nor do they tell LayerNormalization's epsilon: 1e-3 unless said otherwise, 1e-5 here.

Source: Keras 3's documentation of SimpleRNN, LSTM, GRU, Bidirectional, Dense, Embedding and LayerNormalization, and its
code for the order of the blocks, keras/src/layers/rnn/lstm.py and gru.py; Keras' values in tests/interop/test_keras.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params
from ..cells.base import Cell
from ..cells.gru import GRUCell
from ..cells.lstm import LSTMCell
from ..cells.rnn import RNNCell
from ..layers import Bidirectional, Dense, Embedding, LayerNorm, Recurrent, Stacked
from . import foreign
from .foreign import Slot

TABLES = {  # a layer without time: our name and Keras'
    Dense: {"W_hy": "kernel", "b_y": "bias"},
    Embedding: {"W_embed": "embeddings"},
    LayerNorm: {"gain": "gamma", "bias": "beta"},
}
SIDES = {"forward_layer": "ahead", "backward_layer": "back"}
ORDERS = {1: "", 3: ", its 3 blocks z, r, h beside each other", 4: ", its 4 blocks i, f, c, o beside each other"}


def to_keras(layer: Any, params: Params) -> dict[str, Any]:
    """Return a layer's weights under Keras' names and in its layout.

    Set them with `keras_layer.set_weights(list(weights.values()))`, once the layer is built: the order is Keras' own.
    `from_keras` gives back exactly what went in.

    Parameters
    ----------
    layer : a cell, Recurrent, Bidirectional, Stacked, Dense, Embedding or LayerNorm
        A cell and its Recurrent have the same weights, as LSTMCell and LSTM have in Keras. Dropout is not part of
        them: with it the two are the same function at inference only.
    params : dict
        The layer's parameters.

    Returns
    -------
    weights : {"kernel", "recurrent_kernel", "bias"} of new arrays
        For a Bidirectional {"forward_layer": {…}, "backward_layer": {…}}, for a Stacked {"layer0": {…}, …}. Dense has
        kernel and bias, Embedding embeddings, LayerNormalization gamma and beta.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If Keras has no such cell (peepholes), or if params does not fit the layer, is complex, mixes dtypes or is not
        finite.

    Source: Keras' documentation and code, see the top of this file; tests/interop/test_keras.py.
    """
    where = "to_keras"
    _check_layer(where, "layer", layer)
    foreign.check_own(where, layer, params)
    return _to_keras(layer, params)


def from_keras(layer: Any, weights: Any) -> Params:
    """Return a layer's parameters from a Keras layer's weights.

    A GRU's two biases (reset_after=True) become their sum where they are added, the same function. A layer made with
    use_bias=False has no bias: zeros.

    Parameters
    ----------
    layer : a cell, Recurrent, Bidirectional, Stacked, Dense, Embedding or LayerNorm
        What the weights are for. A SimpleRNN's activation must be the cell's, a GRU's reset_after too.
    weights : mapping of arrays by name, nested as `to_keras` does
        Anything that np.asarray takes. From one layer of Keras 3:
        `{variable.name: variable.numpy() for variable in keras_layer.weights}`.

    Returns
    -------
    params : dict of new arrays

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Naming the key, if the weights do not fit the layer: a key missing or unknown, another kind of cell, another
        size, a transposed matrix, the bias of the other kind of GRU, integers, complex numbers, half precision,
        float32 beside float64, NaN. And if Keras has no such cell, as in `to_keras`.

    Source: Keras' documentation and code, see the top of this file; tests/interop/test_keras.py.
    """
    where = "from_keras"
    _check_layer(where, "layer", layer)
    seen: dict[str, Array] = {}
    params = _from_keras(where, layer, weights, "weights", seen)
    validate.same_dtype(where, **seen)
    return params


def _to_keras(layer: Any, params: Params) -> dict[str, Any]:
    parts = _parts(layer)
    if parts:
        return {key: _to_keras(inner, params[own]) for key, (own, inner) in parts.items()}
    table = _table(layer)
    if table:
        return {key: np.array(params[own]) for own, key in table.items()}
    cell = _cell(layer)
    if not isinstance(cell, GRUCell):
        named = {"kernel": "W_xh", "recurrent_kernel": "W_hh", "bias": "b_h"}
        return {key: np.array(params[own]) for key, own in named.items()}
    bias = np.stack(foreign.two_biases(cell, params)) if cell.reset_after else params["b_h"]
    return {
        "kernel": _exchanged(params["W_xh"]), "recurrent_kernel": _exchanged(params["W_hh"]), "bias": _exchanged(bias),
    }


def _from_keras(where: str, layer: Any, weights: Any, name: str, seen: dict[str, Array]) -> Params:
    """Convert one layer; put its arrays into `seen` under the names that messages use."""
    parts = _parts(layer)
    if parts:
        given = foreign.entries(where, name, weights, f"It is nested, {{{': {…}, '.join(map(repr, parts))}: {{…}}}}.")
        if set(given) != set(parts):
            because = f"there is one for each part of {layer!s:.200}"
            validate.fail(where, f"{name} has the keys {sorted(given)}", f"{list(parts)}", because)
        return {
            own: _from_keras(where, inner, given[key], f"{name}[{key!r}]", seen) for key, (own, inner) in parts.items()
        }
    table, because = _table(layer), f"the layer given is {layer!s:.200}"
    if table:
        shapes = layer.param_shapes()
        slots = [Slot(key, shapes[own], because, is_bias=key in ("bias", "beta")) for own, key in table.items()]
    else:
        slots = _slots(_cell(layer))
    keys = tuple(slot.key for slot in slots)
    given = foreign.entries(where, name, weights, f"Of a list from get_weights() make dict(zip({keys}, …)).")
    hint = "Of a name such as 'lstm/lstm_cell/kernel:0' take 'kernel'." if any("/" in key for key in given) else ""
    found = foreign.take(where, name, given, slots, because, hint)
    seen |= {f"{name}[{key!r}]": array for key, array in found.items()}
    if table:
        return {own: np.array(found[key]) for own, key in table.items()}
    cell = _cell(layer)
    kernel, recurrent_kernel, bias = (found[key] for key in keys)
    if not isinstance(cell, GRUCell):
        return {"W_xh": np.array(kernel), "W_hh": np.array(recurrent_kernel), "b_h": np.array(bias)}
    bias = _exchanged(bias)
    biases = foreign.one_bias(cell, *bias) if cell.reset_after else {"b_h": bias}
    return {"W_xh": _exchanged(kernel), "W_hh": _exchanged(recurrent_kernel), **biases}


def _exchanged(array: Array) -> Array:
    """Return a new array with the first two of three blocks of columns exchanged: r, z, n ⇄ z, r, h."""
    first, second, third = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)


def _parts(layer: Any) -> dict[str, tuple[str, Any]]:
    """Return {key: (our name, layer)} for a layer made of layers, {} for others."""
    if isinstance(layer, Bidirectional):
        return {key: (own, getattr(layer, own)) for key, own in SIDES.items()}
    if isinstance(layer, Stacked):
        return {f"layer{index}": (f"layer{index}", one) for index, one in enumerate(layer.layers)}
    return {}


def _table(layer: Any) -> dict[str, str]:
    """Return {our name: Keras'} for a layer without time, {} for others."""
    return next((table for kind, table in TABLES.items() if isinstance(layer, kind)), {})


def _cell(layer: Any) -> Cell:
    cell: Cell = layer.cell if isinstance(layer, Recurrent) else layer
    return cell


def _check_layer(where: str, name: str, layer: Any) -> None:
    """Refuse a layer or a cell that Keras does not have, with the reason."""
    parts = _parts(layer)
    for own, inner in parts.values():
        _check_layer(where, f"{name}.{own}", inner)
    cell = _cell(layer)
    if parts or _table(layer):
        return
    if type(cell) not in (RNNCell, LSTMCell, GRUCell):  # a subclass may compute something else
        validate.fail(
            where, f"{name} is {cell!r:.60}", "RNNCell, LSTMCell, GRUCell, a Recurrent, Bidirectional or Stacked of "
            "them, Dense, Embedding or LayerNorm", "Keras has these", "A model goes in layer by layer.",
        )
    if isinstance(cell, LSTMCell) and cell.peepholes:
        validate.fail(
            where, f"{name} has the cell {cell}", "a cell that Keras has",
            "its LSTM has no peepholes: the gates never look at c",
        )


def _slots(cell: Cell) -> list[Slot]:
    """Return what Keras keeps for one cell: kernel, recurrent_kernel, bias."""
    D, H, G = cell.input_size, cell.hidden_size, foreign.blocks(cell)
    because = f"Keras keeps {foreign.KINDS[G]} of input_size={D} and hidden_size={H} as (in, out){ORDERS[G]}"
    bias: tuple[int, ...] = (G * H,)
    why = because
    if isinstance(cell, GRUCell):
        bias = (2, G * H) if cell.reset_after else (G * H,)
        other = "one row (3H,)" if cell.reset_after else "two, (2, 3H)"
        why = f"reset_after is {cell.reset_after}; with {not cell.reset_after} it is {other}, and another function"
    return [
        Slot("kernel", (D, G * H), because),
        Slot("recurrent_kernel", (H, G * H), because, is_recurrent=True),
        Slot("bias", bias, why, is_bias=True),
    ]
