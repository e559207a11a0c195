"""From the textbook's LSTM to the fused kernel, one trick at a time: what each gains at three sizes.

Run as `python -m benchmarks.tricks` (about a minute); `--quick` takes few rounds and saves nothing. The ladder is
rnn_from_scratch/article/claims/c4_ladder.py; its result is saved as benchmarks/results/tricks.json. Every rung's
gradients are first compared with the textbook's at the very sizes that are timed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: CPU seconds are then one core's
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from typing import Any

from benchmarks.machine import save_result
from rnn_from_scratch.article.claims import c4_ladder as ladder

EQUAL = 1e-12
TIMES = "CPU time of one thread, pinned to one core; ratios within one run, all rungs in turns, medians of the rounds"


def table(result: dict[str, Any]) -> str:
    """Return a line for each rung: calls a step, and at each size the gain and how much faster than the textbook."""
    sizes = result["sizes"].values()
    heads = ", ".join(f"{name} (N, T, D, H = {', '.join(map(str, row['size']))})"
                      for name, row in result["sizes"].items())
    lines = [heads, f"{'':34s}{'calls':>6s}" + "".join(f"{name:>16s}" for name in result["sizes"])]
    for k, rung in enumerate(result["rungs"]):
        calls = result["calls"][k]
        found = "".join(f"{row['gains'][k]:8.2f}{1 / row['times'][k]:8.2f}" for row in sizes)
        lines.append(f"{rung:34s}{'–' if calls is None else calls:>6}{found}")
    return "\n".join(lines)


def largest_difference(size: ladder.Size) -> float:
    """Return how far any rung's outputs and gradients are from the textbook's, in float64."""
    given = ladder.problem(size, "float64")
    expected = ladder.LADDER[ladder.TEXTBOOK](*given)
    return max(ladder.difference(run(*given), expected) for run in ladder.LADDER.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds; the result is not saved")
    quick = parser.parse_args().quick
    if hasattr(os, "sched_setaffinity"):  # one core, so that its caches are not left behind
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sizes = {name: size for name, size in ladder.SIZES.items() if not quick or name != "large"}
    differences = {name: largest_difference(size) for name, size in sizes.items()}
    if not max(differences.values()) <= EQUAL:
        raise SystemExit(f"the rungs do not compute the same: {differences}")
    result = ladder.climb(sizes, rounds=3 if quick else 11, report=lambda line: print(line, flush=True))
    print(table(result))
    if not quick:
        print(save_result("tricks", {**result, "differences": differences, "times": TIMES}).name)


if __name__ == "__main__":
    main()
