"""Measure how fast the layers are: `python -m benchmarks.run --against torch`, and `--help` for the rest."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.machine import RESULTS, THREAD_VARIABLES, describe_machine
from benchmarks.speed import points as sizes
from benchmarks.speed.memory import PYTORCH, WAYS
from benchmarks.speed.points import CELLS, DTYPES, OPPONENTS, Part, parts, point_of
from benchmarks.speed.quiet import LOUD, TOO_LOUD, busy_cores
from benchmarks.speed.saving import Record, merge
from benchmarks.speed.tables import part_table, readme_table, saved_parts

ROOT = Path(__file__).parents[1]
NO_TORCH = (
    "--against torch and floor need PyTorch, which this project itself does not: python -m pip install torch (its CPU "
    "build is enough). The other comparisons run without it."
)
EPILOG = """\
what is compared (--against):
  torch      PyTorch's nn.RNN, nn.LSTM, nn.GRU and their cells, which it needs to be installed
  products   the bare matrix products that any implementation has to multiply: how near to the machine's limit
  floor      those products, in the quickest of three ways, against PyTorch: what a layer that makes them can't go below
  stepwise   our own engine that runs the equations step by step
  textbook   the program of benchmarks/speed/textbook.py, as tutorials write it
  gru        minGRU, whose recurrence is linear in the state, against our GRU

examples:
  python -m benchmarks.run --against torch --quick                       a first look, nothing saved
  python -m benchmarks.run --against torch --what train --dtype float32 --threads 1 --cells lstm
  python -m benchmarks.run --against torch --points 32,100,64,64 8,50,20,30 --folder mine
  python -m benchmarks.run --against torch products floor stepwise textbook gru    everything
  python -m benchmarks.run --show                                        the saved tables, measuring nothing

Each part (what, dtype, threads) is saved as soon as it is whole, beside the other parts; cells and points that a run
leaves out keep their figures. How it is measured stands in benchmarks/speed/__init__.py. Leave the machine alone
meanwhile: two-thread figures count seconds of the wall, and PyTorch's threads wait for each other. They are not saved
where other processes are seen to use more than half a core; every part's file says how much was seen ("busy").
"""


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure how fast the recurrent layers are, ratio by ratio.",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    found.add_argument("--against", nargs="+", choices=OPPONENTS, metavar="OTHER", help=f"of {', '.join(OPPONENTS)}")
    found.add_argument(
        "--what", nargs="+", choices=("train", "infer", "stream", "memory"),
        help="forward and backward; forward alone; one step at a time; memory of a long sequence. The last two are "
        "measured against torch alone. Default: all that the comparison has",
    )
    found.add_argument("--cells", nargs="+", choices=(*CELLS, "mingru"), help="default: all that the comparison has")
    found.add_argument("--dtype", nargs="+", choices=DTYPES, help="default: both against torch, else float32")
    found.add_argument("--threads", nargs="+", type=int, help="default: 1 and 2 against torch, else 1")
    found.add_argument(
        "--points", nargs="+", type=point_of, metavar="N,T,D,H",
        help="batch, steps, input size, hidden size; default: those of benchmarks/speed/points.py",
    )
    found.add_argument("--rounds", type=int, help="pairs of samples at each point, at least (default: 9)")
    found.add_argument("--seconds", type=float, help="of measuring at each point, at least (default: 2.5)")
    found.add_argument(
        "--quick", action="store_true",
        help="3 rounds and 0.1 seconds a point, a twentieth of the long sequence; saved only with --folder",
    )
    found.add_argument("--folder", type=Path, help="where the results are saved (default: benchmarks/results)")
    found.add_argument("--show", action="store_true", help="print the saved tables and measure nothing")
    found.add_argument("--readme", action="store_true", help="print the README's table of what is saved")
    found.add_argument("--figure", action="store_true", help="draw speed.png from what is saved against torch")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure or show what the command line asks for; return 1 if a point was refused."""
    commands = parser()
    options = commands.parse_args(arguments)
    folder = options.folder or RESULTS
    if not (options.against or options.show or options.readme or options.figure):
        commands.error("nothing to do: name what to measure --against, or --show, --readme, --figure")
    cores = describe_machine()["cores"]
    if max(options.threads or (1,)) > cores:
        commands.error(f"--threads {max(options.threads)}: this machine has {cores} core{'s' if cores > 1 else ''}")
    if options.against and {"torch", "floor"} & set(options.against) and importlib.util.find_spec("torch") is None:
        commands.error(NO_TORCH)
    jobs = plan(commands, options, cores) if options.against else []
    refused = measure_all(jobs, options, folder) if jobs else 0
    if options.show:
        for against in OPPONENTS:
            for part, records in saved_parts(against, folder):
                print(part_table(against, part, records) + "\n")
    if options.readme:
        print(readme_table(folder))
    if options.figure:
        from benchmarks.speed.figure import save_figure

        print(save_figure(folder))
    return 1 if refused else 0


def plan(
    commands: argparse.ArgumentParser, options: argparse.Namespace, cores: int
) -> list[tuple[str, Part, list[dict[str, Any]]]]:
    """Return for each part the tasks that measure it, each of them one process."""
    rounds, seconds = (3, 0.1) if options.quick else (9, 2.5)
    jobs = []
    for against in options.against:
        opponent = OPPONENTS[against]
        cells = [cell for cell in opponent.cells if options.cells is None or cell in options.cells]
        counts = options.threads or [count for count in opponent.threads if count <= cores]
        for part in parts(opponent, options.what, options.dtype, counts):
            task: dict[str, Any] = {
                "against": against, **part._asdict(), "cells": cells, "rounds": options.rounds or rounds,
                "seconds": options.seconds or seconds, "points": options.points or opponent.points,
            }  # fmt: skip
            if part.what == "stream" and not options.points:
                task["points"] = sizes.STREAM_POINTS
            elif part.what == "stream":
                task["points"] = [(N, 1, D, H) for N, _, D, H in options.points]
            tasks = [task]
            if part.what == "memory":
                at = options.points[0] if options.points else sizes.MEMORY_POINT
                at = sizes.QUICK_MEMORY_POINT if options.quick and not options.points else at
                repeats = 1 if options.quick else 3
                tasks = [task | {"cell": c, "way": w, "point": at} for c in cells for w in WAYS for _ in range(repeats)]
            if cells:
                jobs.append((against, part, tasks))
    if not jobs:
        commands.error("nothing is left to measure: no comparison named has such a --what, --cells, --dtype, --threads")
    return jobs


def measure_all(jobs: list[tuple[str, Part, list[dict[str, Any]]]], options: argparse.Namespace, folder: Path) -> int:
    """Measure part after part, print each one's table and save it; return how many points were refused."""
    refused = 0
    tasks_of_all = [task for _, _, tasks in jobs for task in tasks]
    total = sum(1 if "way" in task else len(task["points"]) * len(task["cells"]) for task in tasks_of_all)
    with tqdm(total=total, unit="point") as bar:
        for against, part, tasks in jobs:
            bar.set_description(f"{against}: {part.key}")
            records: list[Record] = []
            machine: dict[str, Any] = {}
            busy_before = busy_cores()
            for task in tasks:
                for found in run(task):
                    if "machine" in found:
                        machine = found["machine"]
                    else:
                        records.append(found)
                        bar.update()
            busy = max((cores for cores in (busy_before, busy_cores()) if cores is not None), default=None)
            if part.what == "memory":
                records = medians(records)
            refused += sum("refused" in record for record in records)
            bar.write("\n" + part_table(against, part, records), file=sys.stdout)
            if busy is not None and busy > LOUD:
                bar.write(f"not a quiet machine: other processes kept {busy:.1f} cores busy", file=sys.stdout)
            if part.threads > 1 and busy is not None and busy > TOO_LOUD:
                bar.write("not saved: seconds of the wall are not ours alone then", file=sys.stdout)
            elif options.folder or not options.quick:
                path, dropped = merge(against, part, machine, records, folder, busy)
                gone = f"; {dropped} records of another machine gave way" if dropped else ""
                bar.write(f"saved in {path.name}{gone}", file=sys.stdout)
    return refused


def run(task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Start a process for a task and yield what it prints.

    Raises
    ------
    CalledProcessError
        If it fails: what went wrong it has said itself.
    """
    # All of them: OpenBLAS, MKL, Accelerate and OpenMP read one each, when they are loaded.
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(task["threads"]))
    command = [sys.executable, "-m", "benchmarks.speed.worker", json.dumps(task)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, encoding="utf-8") as process:
        assert process.stdout is not None
        for text in process.stdout:
            yield json.loads(text)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command[:3])


def medians(records: list[Record]) -> list[Record]:
    """Join the repeats of each way: the median of memory and of time; refuse a whole gradient unlike PyTorch's."""
    joined: list[Record] = []
    for cell, way in dict.fromkeys((record["cell"], record["way"]) for record in records):
        same = [record for record in records if (record["cell"], record["way"]) == (cell, way)]
        middle = {key: sorted(record[key] for record in same)[len(same) // 2] for key in ("peak", "seconds", "norm")}
        joined.append(same[0] | middle | {"repeats": len(same)})
    norms = {record["cell"]: record["norm"] for record in joined if record["way"] == PYTORCH}
    for record in joined:
        norm = norms[record["cell"]]
        if "truncated" not in record["way"] and not abs(record["norm"] - norm) <= 1e-3 * norm:
            record["refused"] = f"{record['way']}: the gradient's norm is {record['norm']}, PyTorch's {norm}"
    return joined


if __name__ == "__main__":
    sys.exit(main())
