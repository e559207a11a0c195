"""Make compact.npz, PyTorch's values for the cells with fewer weights: `python tests/reference/make_compact.py`.

With `--check` it recomputes and compares. It needs a virtual environment of its own with torch==2.13.0 and numpy; the
tests read the file and need no torch. The versions that made it are saved in it.

PyTorch's own nn.RNN and nn.LSTM in float64 run on weights that are functions of ours, and autograd goes back through
those functions: W_hh = U V for the low rank, and for the coupled gates those of i are those of f with the other sign,
since 1 − σ(a) = σ(−a).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from writing import write_or_check

FILE = Path(__file__).with_name("compact.npz")

# name: T, N, D, H, the shapes of the weights
CELLS = {
    "low-rank rnn": (6, 3, 2, 5, {"W_xh": (2, 5), "U": (5, 3), "V": (3, 5), "b_h": (5,)}),
    "low-rank rnn, one": (30, 2, 3, 4, {"W_xh": (3, 4), "U": (4, 1), "V": (1, 4), "b_h": (4,)}),
    "low-rank lstm": (6, 3, 2, 5, {"W_xh": (2, 20), "U": (5, 3), "V": (3, 20), "b_h": (20,)}),
    "coupled lstm": (6, 3, 2, 5, {"W_xh": (2, 15), "W_hh": (5, 15), "b_h": (15,)}),
    "coupled lstm, long": (40, 2, 3, 4, {"W_xh": (3, 12), "W_hh": (4, 12), "b_h": (12,)}),
}


def four_blocks(array: torch.Tensor) -> torch.Tensor:
    """f, g, o to PyTorch's i, f, g, o with i = −f."""
    f, _, _ = array.tensor_split(3, dim=-1)
    return torch.cat([-f, array], dim=-1)


def cell_values(number: int, name: str) -> dict[str, np.ndarray]:
    T, N, D, H, shapes = CELLS[name]
    rng = np.random.default_rng([23, number])
    parts = 1 if "rnn" in name else 2
    given = {key: rng.standard_normal(shape) for key, shape in shapes.items()}
    given |= {"xs": rng.standard_normal((T, N, D)), "dhs": rng.standard_normal((T, N, H))}
    given |= {f"state{n}": rng.standard_normal((N, H)) for n in range(parts)}
    given |= {f"dfinal{n}": rng.standard_normal((N, H)) for n in range(parts)}
    at = {key: torch.tensor(array, requires_grad=not key.startswith("d")) for key, array in given.items()}
    weights = [at["W_xh"], at["U"] @ at["V"] if "low-rank" in name else at["W_hh"], at["b_h"]]
    if name.startswith("coupled"):
        weights = [four_blocks(array) for array in weights]
    net = (torch.nn.RNN if parts == 1 else torch.nn.LSTM)(D, H, dtype=torch.float64)
    set_to = {
        "weight_ih_l0": weights[0].T, "weight_hh_l0": weights[1].T, "bias_ih_l0": weights[2],
        "bias_hh_l0": torch.zeros_like(weights[2]),
    }
    start = tuple(at[f"state{n}"][None] for n in range(parts))
    hs, final = torch.func.functional_call(net, set_to, (at["xs"], start if parts == 2 else start[0]))
    final = final if parts == 2 else (final,)
    loss = (hs * at["dhs"]).sum() + sum((part[0] * at[f"dfinal{n}"]).sum() for n, part in enumerate(final))
    loss.backward()
    found = {"hs": hs.detach().numpy(), **{f"final{n}": part[0].detach().numpy() for n, part in enumerate(final)}}
    found |= {f"grad {key}": tensor.grad.numpy() for key, tensor in at.items() if tensor.requires_grad}
    return {f"{name}/{key}": array for key, array in {**given, **found}.items()}


def main() -> int:
    made: dict[str, np.ndarray] = {}
    for number, name in enumerate(CELLS):
        made |= cell_values(number, name)
    return write_or_check(FILE, made)


if __name__ == "__main__":
    sys.exit(main())
