"""Fewer parameters (claim C2): size, loss and time of smaller cells and of smaller weights, in one table.

Run as `python -m benchmarks.compression` (about five minutes); `--quick` takes one seed, few updates and small
networks, and saves nothing. The experiment is rnn_from_scratch/article/claims/c2.py; its result is saved as
benchmarks/results/compression.json.

Times are ratios within one run: all sides of a group in turns, the median of the rounds' ratios, one thread, CPU time
of this process, pinned to one core. What else runs on the machine still takes its share of the caches.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: one thread, so that CPU seconds are one core's
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.machine import save_result
from rnn_from_scratch.article.claims import c2
from rnn_from_scratch.article.claims.registry import CLAIMS

TIMES = "CPU time of one thread, pinned to one core, on a machine that others used at the same time"
QUICK = CLAIMS["C2"].quick


def table(result: dict[str, Any]) -> str:
    """Return the result as one table: a line for each kind of network, each format, each counterexample."""
    points = result["points"]
    columns = [
        f"{what} {row['units']}/{row['sequences']}" for row in points for what in ("update", "pass") if what in row
    ]
    lines = [f"{'':34s}{'parameters':>11s}{'KiB':>8s}{'loss':>8s}{'difference (95 %)':>20s}"
             + "".join(f"{column:>15s}" for column in columns)]

    def line(name: str, row: dict[str, Any], ratios: Iterator[float | None]) -> str:
        mean, half = row["difference"]
        interval = f"{mean:+.4f}" + ("" if half is None else f" ± {half:.4f}")
        numbers = "".join(f"{'–' if ratio is None else f'{ratio:.2f}':>15s}" for ratio in ratios)
        size = f"{name:34s}{row['parameters']:11d}{row['bytes'] / 1024:8.0f}"
        return f"{size}{np.mean(row['losses']):8.4f}{interval:>20s}{numbers}"

    for kind, row in result["kinds"].items():
        ratios = (at[what][kind] for at in points for what in ("update", "pass") if what in at)
        lines.append(line(kind, row, ratios))
    for name, row in result["formats"].items():
        ratios = (at["formats"][name] if what == "pass" else None
                  for at in points for what in ("update", "pass") if what in at)
        lines.append(line(name, row, ratios))
    lines.append("")
    lines.append(f"{'classifiers with an LSTM':34s}{'parameters':>11s}{'update':>8s}{'pass':>8s}")
    lines += [f"{name:34s}{row['parameters']:11d}{row['update']:8.2f}{row['pass']:8.2f}"
              for name, row in result["counterexample"]["models"].items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a short version; the result is not saved")
    quick = parser.parse_args().quick
    if hasattr(os, "sched_setaffinity"):  # one core, so that its caches are not left behind
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    result = c2.run(**(QUICK if quick else {}), report=lambda line: print(line, flush=True))
    print(table(result))
    print(result["verdict"])
    if not quick:
        print(save_result("compression", {**result, "times": TIMES}).name)


if __name__ == "__main__":
    main()
