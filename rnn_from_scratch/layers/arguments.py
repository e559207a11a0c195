"""What comes into a recurrent layer, checked once, before any engine runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, State, leaves
from ..bptt import without_padding


def checked_arguments(
    where: str, layer: Any, params: Any, xs: Any, state: Any, mask: Any
) -> tuple[Params, Array, State, Array | None]:
    """Check a whole sequence's arguments; return them with zeros on padding, indices as intp, and a state."""
    D = layer.input_size
    indexed = isinstance(xs, np.ndarray) and xs.ndim == 2 and xs.dtype.kind in "iu"
    if indexed:
        xs = validate.as_array(where, "xs", xs)
        sizes = validate.shape(where, "xs", xs, ("T", "N"), "time comes first")
    else:
        hint = "For a single sequence use xs[:, None, :]; from batch-first use xs.swapaxes(0, 1)."
        integers = "Try xs.astype(np.float64); indices go in as integers (T, N)."
        xs = validate.float_array(where, "xs", xs, hint=integers if isinstance(xs, np.ndarray) else "")
        sizes = validate.shape(where, "xs", xs, ("T", "N", D), f"time comes first and input_size={D}", hint)
    mask = validate.mask(where, "mask", mask, (sizes["T"], sizes["N"]))
    if indexed:
        validate.indices(where, "xs", xs, D, mask)
        xs = (xs if mask is None else np.where(mask, xs, 0)).astype(np.intp)
    else:
        validate.finite(where, "xs", xs, mask)
        xs = without_padding(xs, mask)
    params = checked_params(where, layer, params, sizes["N"])
    state = checked_state(where, layer, state, sizes["N"], params if indexed else xs)
    validate.same_dtype(where, params=params, xs=None if indexed else xs, state=state)
    return params, xs, state, mask


def checked_state(where: str, layer: Any, state: Any, batch_size: int, like: Any) -> State:
    """Check a state, or return the initial one in the dtype of `like`, an array or parameters."""
    if state is not None:
        layer.check_state(where, "state", state, batch_size)
        checked: State = state
        return checked
    first = like if isinstance(like, np.ndarray) else next(a for _, a in leaves(like) if a.dtype.kind != "b")
    initial: State = layer.initial_state(batch_size, first.real.dtype)
    return initial


def checked_params(where: str, layer: Any, params: Any, batch_size: int) -> Params:
    """Check the weights, and a memory if the cell takes one; return params with zeros on the memory's padding."""
    hint = f"This layer's cell is {layer.cell}."
    shapes = layer.param_shapes()
    expected = layer.memory_shapes(1, batch_size)
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


def same_arrays(params: Any, checked: Params) -> bool:
    """Tell whether params holds the very arrays that have been checked already, and no others."""
    return (
        isinstance(params, dict) and params.keys() == checked.keys()
        and all(isinstance(value, np.ndarray) and value is checked[name] for name, value in params.items())
    )
