"""Make gru_d.npz, PyTorch's values for GRU-D: `python tests/reference/make_gru_d.py`.

With `--check` it recomputes and compares. It needs a virtual environment of its own with torch==2.13.0 and numpy; the
tests read the file and need no torch. The versions that made it are saved in it.

PyTorch has no such layer, so these are the paper's equations (Che et al. 2018) in its operations and in float64, one
sequence and one step after the other, and autograd goes back through them. Nothing is prepared as the cell has it
prepared: raw values with holes go in, and the last value, the mask, δ, the mean x̃ inside the input's decay and the
paper's own z (which is 1 − ours, so that its weights are those here with the sign turned) are made here by loops.
Padded sequences are run alone, each to its own end.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import linear
from writing import write_or_check

FILE = Path(__file__).with_name("gru_d.npz")

# name: T, N, F, H, lengths
CELLS = {
    "GRU-D": (6, 3, 2, 4, None),
    "GRU-D, one feature": (5, 2, 1, 2, None),
    "GRU-D, long": (40, 2, 3, 5, None),
    "GRU-D, padded": (6, 3, 2, 4, [6, 4, 2]),
}


def decay(weights: torch.Tensor, delta: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return torch.exp(-torch.clamp(linear(delta, weights, bias), min=0.0))


def cell_values(number: int, name: str) -> dict[str, np.ndarray]:
    T, N, F, H, lengths = CELLS[name]
    rng = np.random.default_rng([31, number])
    raw = rng.standard_normal((T, N, F))
    raw[rng.random(raw.shape) < 0.4] = np.nan
    times = np.cumsum(rng.uniform(0.2, 1.0, T))
    given = {
        "W_xh": rng.standard_normal((F, 3 * H)), "W_mh": rng.standard_normal((F, 3 * H)),
        "W_hh": rng.standard_normal((H, 3 * H)), "b_h": rng.standard_normal(3 * H),
        "w_gamma_x": rng.standard_normal(F), "b_gamma_x": 0.5 * rng.standard_normal(F),
        "W_gamma_h": rng.standard_normal((F, H)), "b_gamma_h": 0.5 * rng.standard_normal(H),
        "h0": rng.standard_normal((N, H)), "dhs": rng.standard_normal((T, N, H)), "dfinal": rng.standard_normal((N, H)),
    }
    mean = rng.standard_normal(F)
    mask = np.arange(T)[:, None] < np.array(lengths or [T] * N)
    at = {key: torch.tensor(array, requires_grad=not key.startswith("dh") and key != "dfinal")
          for key, array in given.items()}
    x_mean = torch.tensor(mean)
    W_r, W_z, W_n = (block.T for block in at["W_xh"].tensor_split(3, dim=1))
    V_r, V_z, V_n = (block.T for block in at["W_mh"].tensor_split(3, dim=1))
    U_r, U_z, U_n = (block.T for block in at["W_hh"].tensor_split(3, dim=1))
    b_r, b_z, b_n = at["b_h"].tensor_split(3)
    loss, hs, final = torch.zeros((), dtype=torch.float64), np.zeros((T, N, H)), np.zeros((N, H))
    for n in range(N):
        h, x_last, delta = at["h0"][n], x_mean.clone(), np.zeros(F)
        for t in range(int(mask[:, n].sum())):
            if t > 0:
                gone = np.isnan(raw[t - 1, n])
                delta = times[t] - times[t - 1] + np.where(gone, delta, 0.0)
            m = torch.tensor((~np.isnan(raw[t, n])).astype(float))
            x = torch.tensor(np.nan_to_num(raw[t, n]))
            d = torch.tensor(delta)
            gamma_x = decay(torch.diag(at["w_gamma_x"]), d, at["b_gamma_x"])
            gamma_h = decay(at["W_gamma_h"].T, d, at["b_gamma_h"])
            x_hat = m * x + (1 - m) * (gamma_x * x_last + (1 - gamma_x) * x_mean)
            x_last = m * x + (1 - m) * x_last
            h = gamma_h * h
            r = torch.sigmoid(linear(x_hat - x_mean, W_r) + linear(h, U_r) + linear(m, V_r) + b_r)
            z = torch.sigmoid(-(linear(x_hat - x_mean, W_z) + linear(h, U_z) + linear(m, V_z) + b_z))
            h_tilde = torch.tanh(linear(x_hat - x_mean, W_n) + linear(r * h, U_n) + linear(m, V_n) + b_n)
            h = (1 - z) * h + z * h_tilde
            hs[t, n] = h.detach().numpy()
            loss = loss + (h * at["dhs"][t, n]).sum()
        final[n] = h.detach().numpy()
        loss = loss + (h * at["dfinal"][n]).sum()
    loss.backward()
    found = {"raw": raw, "times": times, "mean": mean, "mask": mask, "hs": hs, "final": final}
    found |= {f"grad {key}": tensor.grad.numpy() for key, tensor in at.items() if tensor.requires_grad}
    return {f"{name}/{key}": array for key, array in {**given, **found}.items()}


def main() -> int:
    made: dict[str, np.ndarray] = {}
    for number, name in enumerate(CELLS):
        made |= cell_values(number, name)
    return write_or_check(FILE, made)


if __name__ == "__main__":
    sys.exit(main())
