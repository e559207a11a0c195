"""One process of a measurement, `python -m benchmarks.speed.worker TASK`: benchmarks/run.py starts it, threads set.

TASK is JSON. What comes out is a line of JSON for the machine, then one for each record, as soon as it is there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine
from benchmarks.speed import memory
from benchmarks.speed.points import text_of
from benchmarks.speed.products import product_sides, quickest_sides
from benchmarks.speed.sides import (
    STREAM_STEPS,
    TOLERANCE,
    Problem,
    Side,
    disagreement,
    layer_side,
    make_problem,
    textbook_side,
)  # fmt: skip
from benchmarks.speed.timing import AFTER_SPINNING, Race, race


def main() -> None:
    """Do the task given as the first argument."""
    task = json.loads(sys.argv[1])
    machine = describe_machine()  # before the process is pinned, which leaves it one core
    if task["threads"] == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if task["against"] in ("torch", "floor"):
        import torch

        torch.set_num_threads(task["threads"])
        machine["torch"] = torch.__version__
    print(json.dumps({"machine": machine}), flush=True)
    for record in records(task):
        print(json.dumps(record), flush=True)


def records(task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is found at one point for one cell, after another."""
    if task["what"] == "memory":
        yield rounded(memory.measure(task["cell"], task["way"], tuple(task["point"])))
        return
    for point in task["points"]:
        for kind in task["cells"]:
            yield rounded(measure(task, kind, tuple(point)))


def measure(task: dict[str, Any], kind: str, point: tuple[int, int, int, int]) -> dict[str, Any]:
    """Check that the sides compute the same, then let them race."""
    what, dtype = task["what"], task["dtype"]
    N, T, D, H = point
    steps = STREAM_STEPS if what == "stream" else 1  # in one call
    problem = make_problem(kind, (N, STREAM_STEPS if what == "stream" else T, D, H), dtype)
    if task["against"] == "floor":
        return {"cell": kind, "point": text_of(point), **measure_floor(task, problem)}
    ours = layer_side(problem, what)
    theirs = opponents(task["against"], problem, what)
    record: dict[str, Any] = {"cell": kind, "point": text_of(point)}
    # Bare products and another cell compute something else: there our layer must agree with its stepwise engine.
    other_thing = task["against"] in ("products", "gru")
    own, record["difference"] = ours.values(), 0.0
    for name, side in ({"stepwise": layer_side(problem, what, "stepwise")} if other_thing else theirs).items():
        difference, refusal = disagreement(own, side.values(), TOLERANCE[dtype])
        if refusal is not None:
            return record | {"difference": None, "refused": f"{name}: {refusal}"}
        record["difference"] = max(record["difference"], difference)
    del own  # as large as the caches; the race should have the memory to itself
    found = run_race(task, ours, theirs)
    low, high = found.quartiles[found.against]
    return record | {
        "ratio": found.ratio, "low": low, "high": high, "against": found.against,
        "ours": found.ours / steps, "theirs": {name: took / steps for name, took in found.theirs.items()},
        "rounds": found.rounds,
    }  # fmt: skip


def measure_floor(task: dict[str, Any], problem: Problem) -> dict[str, Any]:
    """Let the ways to multiply run against PyTorch's layer. The quickest counts, so that here it is PyTorch who starts.

    Products of other numbers are no result to compare: tests/benchmarks/test_speed.py counts their operations.
    """
    from benchmarks.speed.torch_sides import torch_sides

    ((name, theirs),) = torch_sides(problem, task["what"]).items()
    found = run_race(task, theirs, quickest_sides(problem, task["what"]))
    low, high = found.quartiles[found.against]
    return {
        "difference": 0.0, "ratio": 1 / found.ratio, "low": 1 / high, "high": 1 / low, "against": name,
        "quickest": found.against, "ours": found.theirs[found.against], "theirs": {name: found.ours},
        "rounds": found.rounds,
    }  # fmt: skip


def run_race(task: dict[str, Any], ours: Side, theirs: dict[str, Side]) -> Race:
    """Let the sides race for as long as the task says, by the clock that its threads need."""
    one = task["threads"] == 1
    return race(
        ours.run, {name: side.run for name, side in theirs.items()}, rounds=task["rounds"], seconds=task["seconds"],
        clock=time.process_time if one else time.perf_counter,
        rest=None if one else lambda: time.sleep(AFTER_SPINNING),
    )


def opponents(against: str, problem: Problem, what: str) -> dict[str, Side]:
    """Return whom our layer runs against, by name; of several ways to do the same the quickest will count."""
    if against == "torch":
        from benchmarks.speed.torch_sides import torch_sides

        return torch_sides(problem, what)
    if against == "products":
        return product_sides(problem, what)
    if against == "stepwise":
        return {"stepwise": layer_side(problem, what, "stepwise")}
    if against == "textbook":
        return {"textbook": textbook_side(problem, what)}
    N, T, D, H = *problem.xs.shape[1::-1], problem.xs.shape[2], problem.cell.hidden_size
    return {"GRU": layer_side(make_problem("gru", (N, T, D, H), str(problem.xs.dtype)), what)}


def rounded(found: Any) -> Any:
    """Round every float to four digits: the fifth changes from run to run."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return float(f"{found:.4g}") if isinstance(found, float | np.floating) else found


if __name__ == "__main__":
    main()
