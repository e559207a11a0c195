"""Make min.npz, PyTorch's values for minGRU and minLSTM: `python tests/reference/make_min.py`.

With `--check` it recomputes and compares. It needs a virtual environment of its own with torch==2.13.0 and numpy; the
tests read the file and need no torch. The versions that made it are saved in it.

PyTorch has no such layers, so these are the paper's own lines (Feng et al. 2024, listings of appendix A.2, sequential
mode) in its operations and in float64, one torch.nn.functional.linear for each gate, f / (f + i) as it is printed, and
autograd goes back through them. Padded sequences are run alone, each to its own end.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import linear
from writing import write_or_check

FILE = Path(__file__).with_name("min.npz")

# name: T, N, D, H, lengths
CELLS = {
    "minGRU": (6, 3, 2, 4, None),
    "minGRU, one": (1, 1, 1, 1, None),
    "minGRU, long": (70, 2, 3, 5, None),
    "minGRU, padded": (6, 3, 2, 4, [6, 4, 1]),
    "minLSTM": (6, 3, 2, 4, None),
    "minLSTM, one": (1, 1, 1, 1, None),
    "minLSTM, long": (70, 2, 3, 5, None),
    "minLSTM, padded": (6, 3, 2, 4, [6, 4, 1]),
}


def min_gru(x_t: torch.Tensor, h_prev: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor]):
    """z, h̃"""
    z_t = torch.sigmoid(linear(x_t, weights[0], biases[0]))
    h_tilde = linear(x_t, weights[1], biases[1])
    return (1 - z_t) * h_prev + z_t * h_tilde


def min_lstm(x_t: torch.Tensor, h_prev: torch.Tensor, weights: list[torch.Tensor], biases: list[torch.Tensor]):
    """i, f, h̃"""
    i_t = torch.sigmoid(linear(x_t, weights[0], biases[0]))
    f_t = torch.sigmoid(linear(x_t, weights[1], biases[1]))
    h_tilde = linear(x_t, weights[2], biases[2])
    f_prime_t = f_t / (f_t + i_t)
    i_prime_t = i_t / (f_t + i_t)
    return f_prime_t * h_prev + i_prime_t * h_tilde


def cell_values(number: int, name: str) -> dict[str, np.ndarray]:
    T, N, D, H, lengths = CELLS[name]
    step, blocks = (min_gru, 2) if name.startswith("minGRU") else (min_lstm, 3)
    rng = np.random.default_rng([29, number])
    given = {
        "W_xh": rng.standard_normal((D, blocks * H)), "b_h": rng.standard_normal(blocks * H),
        "xs": rng.standard_normal((T, N, D)), "h0": rng.standard_normal((N, H)),
        "dhs": rng.standard_normal((T, N, H)), "dfinal": rng.standard_normal((N, H)),
    }
    mask = np.arange(T)[:, None] < np.array(lengths or [T] * N)
    at = {key: torch.tensor(array, requires_grad=not key.startswith("d")) for key, array in given.items()}
    weights = [block.T for block in at["W_xh"].tensor_split(blocks, dim=1)]
    biases = list(at["b_h"].tensor_split(blocks))
    loss, hs, final = torch.zeros((), dtype=torch.float64), np.zeros((T, N, H)), np.zeros((N, H))
    for n in range(N):
        h = at["h0"][n]
        for t in range(int(mask[:, n].sum())):
            h = step(at["xs"][t, n], h, weights, biases)
            hs[t, n] = h.detach().numpy()
            loss = loss + (h * at["dhs"][t, n]).sum()
        final[n] = h.detach().numpy()
        loss = loss + (h * at["dfinal"][n]).sum()
    loss.backward()
    found = {"mask": mask, "hs": hs, "final": final}
    found |= {f"grad {key}": tensor.grad.numpy() for key, tensor in at.items() if tensor.requires_grad}
    return {f"{name}/{key}": array for key, array in {**given, **found}.items()}


def main() -> int:
    made: dict[str, np.ndarray] = {}
    for number, name in enumerate(CELLS):
        made |= cell_values(number, name)
    return write_or_check(FILE, made)


if __name__ == "__main__":
    sys.exit(main())
