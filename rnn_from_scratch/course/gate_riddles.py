"""The riddles of notebook 12: published backward passes by letter, and an LSTM around one step's backward.

Whoever reads on knows the answers.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from ..activations import softmax
from ..arrays import Array, Params, State
from ..bptt import unroll
from ..cells import LSTMCell
from ..diagnosis.museum import EXHIBITS, Exhibit, riddle
from ..diagnosis.museum.exhibit import LossAndGrads

GatesBack: TypeAlias = Callable[..., Any]

_ROOMS = {
    "A": "flag_forgotten", "B": "overwritten_too_early", "D": "cell_carry_left_out", "E": "bias_of_another_gate",
    "F": "carry_never_updated", "G": "gate_blocks_exchanged", "H": "loop_runs_forwards",
}
_ALL: dict[str, LossAndGrads] = {
    **{letter: EXHIBITS[name].wrong for letter, name in _ROOMS.items()}, "C": EXHIBITS[_ROOMS["B"]].right,
}
LSTMS = {letter: _ALL[letter] for letter in "ABCDEF"}
GRUS = {letter: _ALL[letter] for letter in "GH"}  # the reset gate before the product


def unmasked(letter: str) -> Exhibit:
    """Return the museum's exhibit behind a wrong suspect's letter."""
    return EXHIBITS[_ROOMS[letter]]


def loop_of(letter: str) -> str:
    """Return a wrong suspect's loop back over time, without its comments."""
    source = riddle(_ROOMS[letter]).source
    loops = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.For)]
    loop = next(node for node in loops if ast.unparse(node.target) == "t")
    return textwrap.dedent("\n".join(source.splitlines()[loop.lineno - 1 : loop.end_lineno]))


# An LSTM around one step's backward


def lstm_with(gates_back: GatesBack) -> LossAndGrads:
    """Return an LSTM whose backward step is `gates_back`, in the form that `diagnose` takes.

    Parameters
    ----------
    gates_back : (dh, dc_future, i, f, g, o, c_prev, tanh_c) -> (delta_i, delta_f, delta_g, delta_o), dc_prev
        All (N, H): ∂L/∂h_t, what reaches c_t from later steps, and the step's own values; then the deltas of the gates
        and what reaches c_{t−1}. The forward, the loop, the way through W_hh and the sums are the package's.
    """

    def loss_and_grads(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
        cell = LSTMCell(xs.shape[2], state[0].shape[1])
        weights = {name: params[name] for name in cell.param_shapes()}
        hs, _, caches = unroll(cell, weights, xs, state)
        ps = softmax(hs @ params["W_hy"] + params["b_y"])
        dys = ps - np.eye(ps.shape[2])[targets]
        dh, dc = np.zeros_like(state[0]), np.zeros_like(state[1])
        deltas: list[Array] = []
        for dy, cache in zip(dys[::-1], caches[::-1], strict=True):
            dh = dh + dy @ params["W_hy"].T
            parts, dc = gates_back(dh, dc, cache.i, cache.f, cache.g, cache.o, cache.c_prev, cache.tanh_c)
            deltas.append(np.concatenate(parts, axis=1))
            dh = deltas[-1] @ params["W_hh"].T
        _, grads = cell.param_grads(weights, xs, caches, deltas[::-1])
        losses = -np.log(np.take_along_axis(ps, targets[..., None], axis=2)[..., 0])
        return losses, {**grads, "W_hy": np.einsum("tnh,tnk->hk", hs, dys), "b_y": dys.sum(axis=(0, 1))}

    return loss_and_grads


def wrong_gates_back(mistakes: Iterable[str] = ()) -> GatesBack:
    """Return a `gates_back` with these mistakes: a line as it was printed ("i", "f", "g"), or another; () is right."""
    made = frozenset(mistakes)

    def back(
        dh: Array, dc_future: Array, i: Array, f: Array, g: Array, o: Array, c_prev: Array, tanh_c: Array
    ) -> tuple[tuple[Array, ...], Array]:
        here = dh * o * (1.0 if "no squash" in made else 1.0 - tanh_c**2)
        dc = here if "no future" in made else dc_future + here
        delta_i = dc_future * g + here * g * i * (1 - i) if "i" in made else dc * g * i * (1 - i)
        delta_f = dc_future * c_prev + here * c_prev * f * (1 - f) if "f" in made else dc * c_prev * f * (1 - f)
        delta_g = dc * i * (1 - g**2)
        if "g" in made:
            delta_g = dc_future * i + here * i * g * (1 - np.tanh(g) ** 2)
        if "g factor" in made:
            delta_g = dc * i * g * (1 - g**2)
        if "g tanh" in made:
            delta_g = dc * i * (1 - np.tanh(g) ** 2)
        if "g outside" in made:
            delta_g = dc * i * (1 - g) ** 2
        if "swapped" in made:
            delta_i, delta_g = dc * i * i * (1 - i), dc * g * (1 - g**2)
        delta_o = dh * tanh_c * ((1 - o**2) if "o slope" in made else o * (1 - o))
        kept = dc if "no f" in made else dc_future * f if "here lost" in made else dc * f
        return (delta_i, delta_f, delta_g, delta_o), kept

    return back


PUZZLES: dict[str, LossAndGrads] = {
    "P": EXHIBITS["slopes_left_out"].wrong, "Q": lstm_with(wrong_gates_back(["no squash"])),
    "R": lstm_with(wrong_gates_back(["no f"])), "S": lstm_with(wrong_gates_back(["o slope"])),
}
