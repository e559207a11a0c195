"""What is timed on PyTorch's side: nn.RNN, nn.LSTM, nn.GRU, and their cells, with the very weights of ours.

Of several ways to say the same in PyTorch the quickest counts: inference_mode, which is at least as quick as no_grad;
gradients that are dropped before each step instead of being filled with zeros; and for a single step both the cell and
the layer called with T = 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.speed.sides import Problem, Side
from rnn_from_scratch.arrays import Array
from rnn_from_scratch.interop import to_torch
from rnn_from_scratch.layers import Recurrent

LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
STEPS = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}


def torch_sides(problem: Problem, what: str) -> dict[str, Side]:
    """Return PyTorch's ways by name: one for whole sequences, two for streaming."""
    module = torch_layer(problem)
    name = f"nn.{type(module).__name__}"
    xs = torch.from_numpy(problem.xs.copy())
    if what == "train":
        return {name: _train_side(problem, module, xs)}
    if what == "infer":
        return {name: _infer_side(module, xs)}
    cell = _loaded(STEPS[problem.kind], problem, ending="")
    return {f"{name}Cell": _cell_side(cell, xs), f"{name} with T = 1": _layer_steps_side(module, xs)}


def torch_layer(problem: Problem) -> torch.nn.Module:
    """Return the layer, its weights carried over by `interop`."""
    return _loaded(LAYERS[problem.kind], problem, ending="_l0")


def _loaded(make: Callable[..., torch.nn.Module], problem: Problem, ending: str) -> torch.nn.Module:
    H, D = problem.cell.hidden_size, problem.cell.input_size
    module = make(D, H, dtype=getattr(torch, str(problem.xs.dtype)))
    arrays = to_torch(Recurrent(problem.cell), problem.params)
    module.load_state_dict({key.removesuffix("_l0") + ending: torch.from_numpy(array) for key, array in arrays.items()})
    return module


def _train_side(problem: Problem, module: torch.nn.Module, xs: torch.Tensor) -> Side:
    xs.requires_grad_()
    leaves = [xs, *module.parameters()]

    def run() -> object:
        for leaf in leaves:
            leaf.grad = None
        loss = module(xs)[0].sum()
        loss.backward()
        return loss

    def values() -> dict[str, Array]:
        for leaf in leaves:
            leaf.grad = None
        hs = module(xs)[0]
        hs.backward(torch.from_numpy(problem.upstream))
        H = problem.cell.hidden_size
        # Two biases whose sum counts have the same gradient; only the GRU's third block has one of its own.
        grads: dict[str, Any] = {key: leaf.grad.numpy() for key, leaf in module.named_parameters()}
        own = {"b_hn": grads["bias_hh_l0"][2 * H :]} if problem.kind == "gru" else {}
        return {
            "hs": hs.detach().numpy(), "dxs": _grad(xs), "W_xh": grads["weight_ih_l0"].T,
            "W_hh": grads["weight_hh_l0"].T, "b_h": grads["bias_ih_l0"], **own,
        }  # fmt: skip

    return Side(run, values)


def _grad(leaf: torch.Tensor) -> Array:
    assert leaf.grad is not None
    return np.asarray(leaf.grad.numpy())


def _infer_side(module: torch.nn.Module, xs: torch.Tensor) -> Side:
    def run() -> Any:
        with torch.inference_mode():
            return module(xs)

    def values() -> dict[str, Array]:
        hs, final = run()
        parts = final if isinstance(final, tuple) else (final,)
        return {"hs": hs.numpy(), **{name: part[0].numpy() for name, part in zip("hc", parts, strict=False)}}

    return Side(run, values)


def _cell_side(cell: torch.nn.Module, xs: torch.Tensor) -> Side:
    steps = list(xs)
    first = torch.zeros(xs.shape[1], cell.hidden_size, dtype=xs.dtype)
    pair = isinstance(cell, torch.nn.LSTMCell)
    start = (first, first) if pair else first

    def run() -> Any:
        with torch.inference_mode():
            state = start
            for x in steps:
                state = cell(x, state)
        return state

    def values() -> dict[str, Array]:
        hs, state = [], start
        with torch.inference_mode():
            for x in steps:
                state = cell(x, state)
                hs.append((state[0] if pair else state).numpy())
        return {"hs": np.stack(hs)}

    return Side(run, values)


def _layer_steps_side(module: torch.nn.Module, xs: torch.Tensor) -> Side:
    steps = list(xs[:, None])  # (1, N, D) each: a sequence of one step

    def run() -> Any:
        with torch.inference_mode():
            out, state = module(steps[0])
            for x in steps[1:]:
                out, state = module(x, state)
        return out

    def values() -> dict[str, Array]:
        hs = []
        with torch.inference_mode():
            state = None
            for x in steps:
                out, state = module(x, state)
                hs.append(out[0].numpy())
        return {"hs": np.stack(hs)}

    return Side(run, values)
