"""Make layers.npz, the layers' reference values from PyTorch: `python tests/reference/make_layers.py` writes them.

With `--check` it recomputes and compares. It needs a virtual environment of its own with torch==2.13.0 and numpy; the
tests read the file and need no torch. The versions that made it are saved in it.

- layer norm: torch.nn.LayerNorm in float64: outputs and every gradient of a random linear function of them, for
  several shapes, far from 0, with another ε, and for a row of equal numbers.
- embedding: torch.nn.Embedding in float64, with indices that repeat.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from writing import write_or_check

FILE = Path(__file__).with_name("layers.npz")

# name: shape, ε, shift, scale
NORMS = {
    "sequence": ((5, 2, 6), 1e-5, 0.0, 1.0),
    "batch": ((3, 7), 1e-5, 0.0, 1.0),
    "two units": ((4, 2), 1e-5, 0.0, 1.0),
    "far": ((3, 2, 5), 1e-5, 1000.0, 1.0),
    "small": ((3, 2, 5), 1e-5, 0.0, 1e-3),
    "large epsilon": ((3, 2, 5), 0.25, 0.5, 1.0),
    "equal row": ((3, 2, 5), 1e-5, 0.0, 1.0),
}


def layer_norms() -> dict[str, np.ndarray]:
    made = {}
    for number, (name, (shape, epsilon, shift, scale)) in enumerate(NORMS.items()):
        rng = np.random.default_rng([11, number])
        xs = shift + scale * rng.standard_normal(shape)
        if name == "equal row":
            xs[1, 0] = 0.75
        given = {
            "xs": xs, "gain": rng.standard_normal(shape[-1]), "bias": rng.standard_normal(shape[-1]),
            "dys": rng.standard_normal(shape), "epsilon": np.array(epsilon),
        }
        inputs = torch.tensor(xs, requires_grad=True)
        norm = torch.nn.LayerNorm(shape[-1], eps=epsilon, dtype=torch.float64)
        with torch.no_grad():
            norm.weight.copy_(torch.tensor(given["gain"]))
            norm.bias.copy_(torch.tensor(given["bias"]))
        ys = norm(inputs)
        (ys * torch.tensor(given["dys"])).sum().backward()
        found = {
            "ys": ys.detach().numpy(), "grad xs": inputs.grad.numpy(), "grad gain": norm.weight.grad.numpy(),
            "grad bias": norm.bias.grad.numpy(),
        }
        made |= {f"{name}/{key}": array for key, array in {**given, **found}.items()}
    return made


def embedding() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(12)
    given = {
        "indices": rng.integers(0, 4, (6, 3)),  # of 5 rows the last is never read
        "W_embed": rng.standard_normal((5, 2)), "dys": rng.standard_normal((6, 3, 2)),
    }
    layer = torch.nn.Embedding(5, 2, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(given["W_embed"]))
    ys = layer(torch.tensor(given["indices"]))
    (ys * torch.tensor(given["dys"])).sum().backward()
    found = {"ys": ys.detach().numpy(), "grad W_embed": layer.weight.grad.numpy()}
    return {f"embedding/{key}": array for key, array in {**given, **found}.items()}


def main() -> int:
    made = {**layer_norms(), **embedding()}
    return write_or_check(FILE, made)


if __name__ == "__main__":
    sys.exit(main())
