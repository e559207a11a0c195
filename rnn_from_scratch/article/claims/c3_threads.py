"""Claim C3: one and two threads of BLAS, and the processes that measure them.

How many threads BLAS has is settled when NumPy is loaded, so each number of them is a process of its own. Both stay
alive, and whichever is asked measures while the other waits: in turns, so that a busy moment meets both alike. Seconds
are those of the wall, since two threads use two seconds of the processor in one.

A process reads a line of JSON, [N, T, D, H], and answers with a line, the seconds of a call.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from .c4_ladder import Size, problem

VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS")
REST = 0.05  # seconds before a sample: OpenBLAS's waiting threads spin for some 25 ms before they sleep
SAMPLE = 0.05  # seconds


def compare(
    sizes: Sequence[Size], threads: Sequence[int] = (1, 2), rounds: int = 9, report: Callable[[str], None] | None = None
) -> list[dict[str, Any]]:
    """Return for each size the seconds of a training step with the first number of threads, and ratios to it.

    The step is the fused LSTM's, forward and backward, float32; a ratio is the median over the rounds.
    """
    found = []
    with ExitStack() as stack:
        workers = [stack.enter_context(start(count)) for count in threads]
        for size in sizes:
            times = [[ask(worker, size) for worker in workers] for _ in range(rounds + 1)][1:]  # the first prepares
            seconds = np.array(times)  # (rounds, threads)
            ratios = np.median(seconds / seconds[:, :1], axis=0)
            found.append({
                "size": list(size), "seconds": float(np.median(seconds[:, 0])),
                "times": {str(count): float(ratio) for count, ratio in zip(threads, ratios, strict=True)},
            })
            if report is not None:
                report(f"threads, N, T, D, H = {size}: " + ", ".join(f"{ratio:.2f}" for ratio in ratios))
    return found


def start(threads: int) -> subprocess.Popen[str]:
    """Start a process with so many threads of BLAS; leaving its `with` ends it."""
    environment = os.environ | dict.fromkeys(VARIABLES, str(threads))
    command = [sys.executable, "-m", __name__]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, encoding="utf-8", bufsize=1
    )


def ask(worker: subprocess.Popen[str], size: Size) -> float:
    """Let a process measure and return its seconds.

    Raises
    ------
    RuntimeError
        If it has ended: what went wrong it has said itself.
    """
    assert worker.stdin is not None
    assert worker.stdout is not None
    time.sleep(REST)
    worker.stdin.write(json.dumps(size) + "\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise RuntimeError(f"the process that measures {size} has ended without an answer")
    return float(json.loads(answer))


def main() -> None:
    """Answer until there are no more questions."""
    from .c4 import train

    for line in sys.stdin:
        given = problem(tuple(json.loads(line)), "float32")
        train("fused", given)
        began = time.perf_counter()
        calls = 0
        while calls == 0 or time.perf_counter() - began < SAMPLE:
            train("fused", given)
            calls += 1
        print(json.dumps((time.perf_counter() - began) / calls), flush=True)


if __name__ == "__main__":
    main()
