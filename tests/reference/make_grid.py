"""Make grid.npz and cells.npz from PyTorch: `python tests/reference/make_grid.py` writes, `--check` recomputes.

It needs a virtual environment of its own with torch==2.13.0 and numpy; the tests read the files and need no torch. The
versions that made them are saved in them.

- grid.npz: torch.nn.RNN (tanh, relu), torch.nn.LSTM and torch.nn.GRU in float64 on a CPU, of one to three layers, in
  one and both directions, padded (packed, lengths unsorted) or not, from zero or random states.
- cells.npz: cells that PyTorch does not have, written here in its operations so that autograd makes the gradients: the
  LSTM with peepholes, the GRU with its reset gate before the product, the LSTM with layer normalisation inside,
  attention before the step (Bahdanau) and after it (Luong); beside them its own scaled_dot_product_attention.

Everywhere outputs, final states and every gradient of one random linear function of both. All numbers of a file stand
in one array, and an index says where each begins: an array of its own for each would take more room for its name than
for its numbers. What goes in is a multiple of 1/64, so it is exact and packs well.
"""

from __future__ import annotations

import itertools
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FOLDER = Path(__file__).parent
Numbers: TypeAlias = dict[str, np.ndarray]
Tensors: TypeAlias = dict[str, torch.Tensor]
Step: TypeAlias = Callable[[Tensors, torch.Tensor, list[torch.Tensor]], list[torch.Tensor]]  # parameters, input, state

SIZES = [(5, 3, 2, 3), (4, 2, 3, 2), (3, 4, 4, 2), (6, 3, 1, 3)]  # T, N, D, H
KINDS = ("tanh", "relu", "lstm", "gru")
LENGTHS = {2: [1, 4], 3: [2, 5, 3], 4: [3, 1, 2, 2]}  # by N; unsorted, and with T = 6 the last step is nobody's
COMBINATIONS = [  # kind, layers, directions, padded, whether the states are random, sizes
    (kind, layers, directions, padded, bool(state), SIZES[(number + layers + directions + padded + state) % 4])
    for number, kind in enumerate(KINDS)
    for layers, directions, padded in itertools.product((1, 2, 3), (1, 2), (False, True))
    for state in ((0, 1) if layers == 1 else [(number + layers + directions + padded) % 2])
] + [(kind, 1, 1, False, True, (1, 1, 1, 1)) for kind in KINDS]


def draw(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.round(64 * rng.standard_normal(shape)) / 64


def name_of(kind: str, layers: int, directions: int, padded: bool, random: bool, sizes: tuple[int, ...]) -> str:
    parts = [kind, f"{layers} layers", ("one way", "both ways")[directions - 1], ("whole", "padded")[padded]]
    return ", ".join([*parts, ("zero state", "random state")[random], "×".join(map(str, sizes))])


def network(number: int, kind: str, layers: int, directions: int, padded: bool, random: bool, sizes: Any) -> Numbers:
    T, N, D, H = sizes
    rng = np.random.default_rng([25, number])
    options = {"num_layers": layers, "bidirectional": directions == 2, "dtype": torch.float64}
    net: Any
    if kind in ("lstm", "gru"):
        net = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](D, H, **options)
    else:
        net = torch.nn.RNN(D, H, nonlinearity=kind, **options)
    given = {
        name: draw(rng, *weight.shape) / 2 + (kind == "relu" and "bias" in name)  # or whole layers put out 0
        for name, weight in net.named_parameters()
    }
    states = ("h0", "c0") if kind == "lstm" else ("h0",)
    given |= {name: draw(rng, layers * directions, N, H) * random for name in states}
    given |= {"xs": draw(rng, T, N, D), "dhs": draw(rng, T, N, directions * H)}
    given |= {f"dfinal {name[0]}": draw(rng, layers * directions, N, H) for name in states}
    given["lengths"] = np.array(LENGTHS[N] if padded else [T] * N)

    with torch.no_grad():
        for name, weight in net.named_parameters():
            weight.copy_(torch.tensor(given[name]))
    leaves = {name: torch.tensor(given[name], requires_grad=True) for name in ("xs", *states)}
    start = tuple(leaves[name] for name in states)
    reading = leaves["xs"]
    if padded:
        reading = pack_padded_sequence(reading, given["lengths"].tolist(), enforce_sorted=False)
    hs, final = net(reading, start if kind == "lstm" else start[0])
    if padded:
        hs, _ = pad_packed_sequence(hs, total_length=T)
    finals = dict(zip((name[0] for name in states), final if kind == "lstm" else (final,), strict=True))
    loss = (hs * torch.tensor(given["dhs"])).sum()
    loss += sum((part * torch.tensor(given[f"dfinal {name}"])).sum() for name, part in finals.items())
    loss.backward()
    found = {"hs": hs, **{f"final {name}": part for name, part in finals.items()}}
    grads = {f"grad {name}": leaf.grad for name, leaf in [*leaves.items(), *net.named_parameters()]}
    return given | {name: part.detach().numpy() for name, part in {**found, **grads}.items()}


# Cells by hand. Arguments as in the package, gradients by autograd.


def rnn(p: Tensors, projected: torch.Tensor, state: list[torch.Tensor]) -> list[torch.Tensor]:
    return [torch.tanh(projected + state[0] @ p["W_hh"])]


def lstm(p: Tensors, projected: torch.Tensor, state: list[torch.Tensor]) -> list[torch.Tensor]:
    h, c = state
    i, f, g, o = (projected + h @ p["W_hh"]).chunk(4, dim=1)
    if "w_ci" in p:
        i, f = i + c * p["w_ci"], f + c * p["w_cf"]
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    if "w_co" in p:
        o = o + c * p["w_co"]
    return [torch.sigmoid(o) * torch.tanh(c), c]


def gru_before(p: Tensors, projected: torch.Tensor, state: list[torch.Tensor]) -> list[torch.Tensor]:
    (h,) = state
    (x_r, x_z, x_n), (W_r, W_z, W_n) = projected.chunk(3, dim=1), p["W_hh"].chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h @ W_r), torch.sigmoid(x_z + h @ W_z)
    return [(1 - z) * torch.tanh(x_n + (r * h) @ W_n) + z * h]


def layer_norm_lstm(p: Tensors, x: torch.Tensor, state: list[torch.Tensor]) -> list[torch.Tensor]:
    norm = torch.nn.functional.layer_norm
    (h, c), wide, narrow = state, p["g_h"].shape, p["g_c"].shape
    gates = norm(h @ p["W_hh"], wide, p["g_h"]) + norm(x @ p["W_xh"], wide, p["g_x"]) + p["b_h"]
    i, f, g, o = gates.chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return [torch.sigmoid(o) * torch.tanh(norm(c, narrow, p["g_c"], p["b_c"])), c]


def plain(inner: Step) -> Step:
    return lambda p, x, state: inner(p, x @ p["W_xh"] + p["b_h"], state)


def read(p: Tensors, query: torch.Tensor) -> torch.Tensor:
    """The context: additive scores if there is a v, general ones if there is a W_m alone, else dot products."""
    memory, keys = p["memory"], p["memory"]
    if "attention.W_m" in p:
        keys = memory @ p["attention.W_m"]
    if "attention.v" in p:
        scores = torch.tanh(query @ p["attention.W_q"] + keys) @ p["attention.v"]
    else:
        scores = torch.einsum("nq,snq->sn", query, keys)
    weights = torch.softmax(scores.masked_fill(~p["memory_mask"], -torch.inf), dim=0)
    return torch.einsum("sn,snm->nm", weights, memory)


def inside(p: Tensors) -> Tensors:
    return {name.removeprefix("cell."): part for name, part in p.items() if name.startswith("cell.")}


def bahdanau(inner: Step) -> Step:
    def step(p: Tensors, x: torch.Tensor, state: list[torch.Tensor]) -> list[torch.Tensor]:
        projected = x @ p["cell.W_xh"] + p["cell.b_h"] + read(p, state[0]) @ p["W_ch"]
        return inner(inside(p), projected, state)

    return step


def luong(inner: Step) -> Step:
    def step(p: Tensors, x: torch.Tensor, state: list[torch.Tensor]) -> list[torch.Tensor]:
        fed, *before = state
        projected = x @ p["cell.W_xh"] + p["cell.b_h"]
        if "W_feed" in p:
            projected = projected + fed @ p["W_feed"]
        after = inner(inside(p), projected, before)
        return [torch.tanh(torch.cat([read(p, after[0]), after[0]], dim=1) @ p["W_c"]), *after]

    return step


def parameters(inner: str, score: str = "", around: str = "", D: int = 2, H: int = 3, M: int = 4) -> dict[str, Any]:
    """The shapes of a cell's parameters, flat: "cell.W_xh"."""
    gates = {"rnn": 1, "lstm": 4, "peepholes": 4, "layer norm": 4, "gru before": 3}[inner] * H
    shapes: dict[str, tuple[int, ...]] = {"W_xh": (D, gates), "W_hh": (H, gates), "b_h": (gates,)}
    if inner == "peepholes":
        shapes |= {name: (H,) for name in ("w_ci", "w_cf", "w_co")}
    if inner == "layer norm":
        shapes |= {"g_x": (gates,), "g_h": (gates,), "g_c": (H,), "b_c": (H,)}
    if not around:
        return shapes
    M = H if score == "dot" else M
    shapes = {f"cell.{name}": shape for name, shape in shapes.items()}
    if score == "additive":
        shapes |= {"attention.W_q": (H, 5), "attention.W_m": (M, 5), "attention.v": (5,)}
    if score == "general":
        shapes |= {"attention.W_m": (M, H)}
    own = {"bahdanau": {"W_ch": (M, gates)}, "luong": {"W_c": (M + H, H)}}
    own["luong fed"] = {**own["luong"], "W_feed": (H, gates)}
    return {**shapes, **own[around], "memory": (5, 3, M)}


STEPS: dict[str, Step] = {"rnn": rnn, "lstm": lstm, "peepholes": lstm, "gru before": gru_before}
AROUND = {"": plain, "bahdanau": bahdanau, "luong": luong, "luong fed": luong}
CELLS = [  # inner cell, score, what stands around it
    ("peepholes", "", ""), ("gru before", "", ""), ("layer norm", "", ""),
    *((inner, score, "bahdanau") for inner, score in (
        ("gru before", "additive"), ("peepholes", "additive"), ("rnn", "general"), ("lstm", "dot"))),
    *(("lstm", score, around) for score in ("dot", "general") for around in ("luong", "luong fed")),
    ("gru before", "additive", "luong fed"), ("rnn", "general", "luong fed"),
]  # fmt: skip


def cell(number: int, inner: str, score: str, around: str, padded: bool) -> Numbers:
    T, N, D, H = 5, 3, 2, 3
    rng = np.random.default_rng([22, number])
    shapes = parameters(inner, score, around)
    parts = 1 + (inner in ("lstm", "peepholes", "layer norm")) + around.startswith("luong")
    given = {f"params.{name}": draw(rng, *shape) / 2 for name, shape in shapes.items()}
    given |= {"xs": draw(rng, T, N, D), **{f"state{part}": draw(rng, N, H) for part in range(parts)}}
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in given.items()}
    given |= {"dhs": draw(rng, T, N, H), **{f"dfinal{part}": draw(rng, N, H) for part in range(parts)}}
    given["mask"] = rng.random((T, N)) < 0.7 if padded else np.ones((T, N), bool)
    if around:
        given["memory_mask"] = np.ones((5, N), bool)
        if padded:
            given["memory_mask"][[3, 4, 4, 0], [0, 0, 1, 2]] = False

    p = {name.removeprefix("params."): leaf for name, leaf in leaves.items() if name.startswith("params.")}
    p |= {name: torch.tensor(given[name]) for name in given if name == "memory_mask"}
    step = layer_norm_lstm if inner == "layer norm" else AROUND[around](STEPS[inner])
    state, hs = [leaves[f"state{part}"] for part in range(parts)], []
    for t in range(T):
        here = torch.tensor(given["mask"][t])[:, None]
        after = step(p, leaves["xs"][t], state)
        state = [torch.where(here, new, old) for new, old in zip(after, state, strict=True)]
        hs.append(torch.where(here, state[0], 0.0))
    found = {"hs": torch.stack(hs), **{f"final{part}": array for part, array in enumerate(state)}}
    loss = (found["hs"] * torch.tensor(given["dhs"])).sum()
    loss += sum((state[part] * torch.tensor(given[f"dfinal{part}"])).sum() for part in range(parts))
    loss.backward()
    found |= {f"grad {name}": leaf.grad for name, leaf in leaves.items()}
    return given | {name: array.detach().numpy() for name, array in found.items()}


def dot_attention(number: int) -> Numbers:
    """torch.nn.functional.scaled_dot_product_attention, unscaled: every query of a sequence at once."""
    T, N, S, M = 4, 3, 5, 2
    rng = np.random.default_rng([23, number])
    given = {"queries": draw(rng, T, N, M), "memory": draw(rng, S, N, M)}
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in given.items()}
    given |= {"dcontexts": draw(rng, T, N, M), "memory_mask": np.arange(S)[:, None] < np.array([5, 1, 3])}
    queries, memory = (leaves[name].transpose(0, 1) for name in ("queries", "memory"))  # (N, T, M)
    mask = torch.tensor(given["memory_mask"].T)[:, None, :]
    found = torch.nn.functional.scaled_dot_product_attention(queries, memory, memory, mask, scale=1.0).transpose(0, 1)
    (found * torch.tensor(given["dcontexts"])).sum().backward()
    grads = {f"grad {name}": leaf.grad.numpy() for name, leaf in leaves.items()}
    return given | {"contexts": found.detach().numpy(), **grads}


def grid() -> dict[str, Numbers]:
    return {name_of(*row): network(number, *row) for number, row in enumerate(COMBINATIONS)}


def cells() -> dict[str, Numbers]:
    made = {}
    for number, (row, padded) in enumerate(itertools.product(CELLS, (False, True))):
        made[", ".join([*filter(None, row), ("whole", "padded")[padded]])] = cell(number, *row, padded)
    return {**made, "scaled_dot_product_attention": dot_attention(0)}


def packed(made: dict[str, Numbers]) -> dict[str, Any]:
    """Return all numbers in one array, and the index: {name: {array: [where it begins, its shape]}}."""
    index: dict[str, dict[str, Any]] = {}
    flat: list[np.ndarray] = []
    begin = 0
    for name, numbers in made.items():
        index[name] = {}
        for key, array in numbers.items():
            index[name][key] = [begin, list(array.shape)]
            flat.append(array.astype(np.float64).ravel())
            begin += array.size
    versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
    return {
        "values": np.concatenate(flat), "index": np.frombuffer(json.dumps(index).encode(), np.uint8),
        **{f"version/{name}": np.array(version) for name, version in versions.items()},
    }


def main() -> int:
    torch.set_num_threads(1)
    code = 0
    for file, make in {"grid.npz": grid, "cells.npz": cells}.items():
        made = make()
        new = packed(made)
        if "--check" not in sys.argv:
            np.savez_compressed(FOLDER / file, **new)
            size = (FOLDER / file).stat().st_size
            print(f"{file}: {len(made)} cases, {new['values'].size} numbers, {size} bytes, torch {torch.__version__}")
            continue
        with np.load(FOLDER / file) as saved:
            same = np.array_equal(saved["index"], new["index"])
            gap = np.abs(saved["values"] - new["values"]).max() if same else np.inf
            print(f"{file}, made with torch {saved['version/torch']}: largest difference {gap:.1e}")
        code |= not gap < 1e-12
    return code


if __name__ == "__main__":
    sys.exit(main())
