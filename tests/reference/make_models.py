"""Make models.npz from PyTorch: `python tests/reference/make_models.py` writes, `--check` recomputes.

It needs a virtual environment of its own with torch==2.13.0 and numpy; the tests read the file and need no torch. The
versions that made it are saved in it.

Two models, written here in torch's operations in float64 so that autograd makes the gradients, each with its loss, its
logits and the gradient of every parameter. Padding stands at the front, in the middle and at the end of what is read,
and at the end of what is written:

- "language model": an embedding, an LSTM, and the embedding's matrix again as the output's (tied);
- "encoder–decoder": a tanh RNN that reads the source both ways; an LSTM with general attention after the step and input
  feeding (Luong) that writes the target under teacher forcing.

All numbers stand in one array, and an index says where each begins. What goes in is a multiple of 1/64.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

FILE = Path(__file__).with_name("models.npz")
Numbers: TypeAlias = dict[str, np.ndarray]
Tensors: TypeAlias = dict[str, torch.Tensor]


def draw(rng: np.random.Generator, shapes: dict[str, tuple[int, ...]]) -> Numbers:
    return {name: np.round(64 * rng.standard_normal(shape)) / 64 for name, shape in shapes.items()}


def of(p: Tensors, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): part for name, part in p.items() if name.startswith(prefix)}


def lstm(p: Tensors, projected: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> list[torch.Tensor]:
    i, f, g, o = (projected + h @ p["W_hh"]).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return [torch.sigmoid(o) * torch.tanh(c), c]


def carried(mask: torch.Tensor, after: list[torch.Tensor], before: list[torch.Tensor]) -> list[torch.Tensor]:
    return [torch.where(mask[:, None], new, old) for new, old in zip(after, before, strict=True)]


def finished(given: Numbers, leaves: Tensors, logits: torch.Tensor, targets: np.ndarray, mask: np.ndarray) -> Numbers:
    """The mean loss over what the mask counts, and every gradient."""
    counted = torch.tensor(mask)
    loss = torch.nn.functional.cross_entropy(logits[counted], torch.tensor(targets)[counted])
    loss.backward()
    grads = {f"grad {name}": leaf.grad.numpy() for name, leaf in leaves.items()}
    return given | {"logits": logits.detach().numpy(), "loss": loss.detach().numpy()} | grads


def language_model() -> Numbers:
    T, N, V, H = 6, 3, 5, 4
    rng = np.random.default_rng(31)
    given = draw(rng, {
        "embedding.W_embed": (V, H), "recurrent.W_xh": (H, 4 * H), "recurrent.W_hh": (H, 4 * H),
        "recurrent.b_h": (4 * H,), "output.b_y": (V,),
    })
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in given.items()}
    xs, targets = rng.integers(0, V, (2, T, N))
    mask = np.ones((T, N), bool)
    mask[[4, 5, 2, 0], [0, 0, 1, 2]] = False
    table, p = leaves["embedding.W_embed"], of(leaves, "recurrent.")
    state, logits = [torch.zeros(N, H, dtype=torch.float64)] * 2, []
    for t in range(T):
        here = torch.tensor(mask[t])
        state = carried(here, lstm(p, table[torch.tensor(xs[t])] @ p["W_xh"] + p["b_h"], *state), state)
        logits.append(torch.where(here[:, None], state[0], 0.0) @ table.T + leaves["output.b_y"])
    return finished({**given, "xs": xs, "targets": targets, "mask": mask}, leaves, torch.stack(logits), targets, mask)


def encoder_decoder() -> Numbers:
    S, T, N, V, K = 5, 4, 3, 6, 7
    E, M, D, H = 2, 3, 3, 4  # the source's embedding, each direction, the target's embedding, the decoder
    rng = np.random.default_rng(32)
    shapes = {"encoder.embedding.W_embed": (V, E), "decoder.embedding.W_embed": (K, D)}
    for way in ("ahead", "back"):
        own = {"W_xh": (E, M), "W_hh": (M, M), "b_h": (M,)}
        shapes |= {f"encoder.recurrent.{way}.{name}": shape for name, shape in own.items()}
    for part in range(3):  # h̃, h and c
        shapes |= {f"bridge.part{part}.W_hy": (2 * M, H), f"bridge.part{part}.b_y": (H,)}
    cell = {"W_xh": (D, 4 * H), "W_hh": (H, 4 * H), "b_h": (4 * H,)}
    shapes |= {f"decoder.recurrent.cell.{name}": shape for name, shape in cell.items()}
    shapes |= {
        "decoder.recurrent.attention.W_m": (2 * M, H), "decoder.recurrent.W_c": (2 * M + H, H),
        "decoder.recurrent.W_feed": (H, 4 * H), "output.W_hy": (H, K), "output.b_y": (K,),
    }
    given = draw(rng, shapes)
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in given.items()}
    sources, targets = rng.integers(0, V, (S, N)), rng.integers(0, K, (T, N))
    source_mask, target_mask = np.ones((S, N), bool), np.ones((T, N), bool)
    source_mask[[3, 4, 0, 2], [0, 0, 1, 2]] = False
    target_mask[[2, 3, 3], [0, 0, 1]] = False

    read = leaves["encoder.embedding.W_embed"][torch.tensor(sources)]
    ways, ends = [], []
    for way, order in (("ahead", range(S)), ("back", reversed(range(S)))):
        p, h, hs = of(leaves, f"encoder.recurrent.{way}."), torch.zeros(N, M, dtype=torch.float64), {}
        for s in order:
            here = torch.tensor(source_mask[s])
            (h,) = carried(here, [torch.tanh(read[s] @ p["W_xh"] + h @ p["W_hh"] + p["b_h"])], [h])
            hs[s] = torch.where(here[:, None], h, 0.0)
        ways.append(torch.stack([hs[s] for s in range(S)]))
        ends.append(h)
    memory, summary = torch.cat(ways, dim=2), torch.cat(ends, dim=1)
    bridge = [of(leaves, f"bridge.part{part}.") for part in range(3)]
    state = [torch.tanh(summary @ p["W_hy"] + p["b_y"]) for p in bridge]

    p = of(leaves, "decoder.recurrent.")
    keys, table, logits = memory @ p["attention.W_m"], leaves["decoder.embedding.W_embed"], []
    tokens = torch.full((N,), 1)
    for t in range(T):
        here = torch.tensor(target_mask[t])
        projected = table[tokens] @ p["cell.W_xh"] + p["cell.b_h"] + state[0] @ p["W_feed"]
        after = lstm(of(p, "cell."), projected, *state[1:])
        scores = torch.einsum("nq,snq->sn", after[0], keys)
        weights = torch.softmax(scores.masked_fill(~torch.tensor(source_mask), -torch.inf), dim=0)
        context = torch.einsum("sn,snm->nm", weights, memory)
        h_tilde = torch.tanh(torch.cat([context, after[0]], dim=1) @ p["W_c"])
        state = carried(here, [h_tilde, *after], state)
        logits.append(torch.where(here[:, None], state[0], 0.0) @ leaves["output.W_hy"] + leaves["output.b_y"])
        tokens = torch.tensor(targets[t])
    masks = {"source_mask": source_mask, "target_mask": target_mask}
    given |= {"sources": sources, "targets": targets, **masks}
    return finished(given, leaves, torch.stack(logits), targets, target_mask)


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
    new = packed({"language model": language_model(), "encoder–decoder": encoder_decoder()})
    if "--check" not in sys.argv:
        np.savez_compressed(FILE, **new)
        print(f"{FILE.name}: {new['values'].size} numbers, {FILE.stat().st_size} bytes, torch {torch.__version__}")
        return 0
    with np.load(FILE) as saved:
        same = np.array_equal(saved["index"], new["index"])
        gap = np.abs(saved["values"] - new["values"]).max() if same else np.inf
        print(f"{FILE.name}, made with torch {saved['version/torch']}: largest difference {gap:.1e}")
    return int(not gap < 1e-12)


if __name__ == "__main__":
    sys.exit(main())
