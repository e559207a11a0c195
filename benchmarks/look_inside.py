"""The two networks that notebook 17 looks into: claim C12's first seed, before and after training.

Run as `python -m benchmarks.look_inside` (half a minute); it writes results/look_inside_rnn.npz and _lstm.npz.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.machine import RESULTS
from rnn_from_scratch.article.claims import c12
from rnn_from_scratch.training import save_params

SEED = 0


def save_networks(folder: Path = RESULTS, updates: int = c12.UPDATES) -> list[Path]:
    """Train each cell of the claim and save its parameters, {"before": …, "after": …}."""
    paths = []
    for name in c12.CELLS:
        before, after = c12.train(name, SEED, updates)
        path = folder / f"look_inside_{name.lower()}.npz"
        save_params(path, {"before": before, "after": after})
        paths.append(path)
    return paths


if __name__ == "__main__":
    for path in save_networks():
        print(path.name)
