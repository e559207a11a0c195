"""Several claims' experiments, each in a process of its own: two at once, and alone where time is measured."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from .registry import CLAIMS, Claim

#: Matrices of the experiments' sizes gain nothing from a second thread, and two processes share two cores.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
AT_ONCE = 2


class Outcome(NamedTuple):
    """How one claim's experiment ended."""

    id: str
    verdict: str  # in words; empty if it failed
    seconds: float
    fault: str = ""  # what went wrong, if something did
    result: dict[str, Any] | None = None


def run_claims(
    claims: Sequence[Claim], *, quick: bool = False, verbose: bool = False,
    begun: Callable[[str], None] | None = None,
) -> Iterator[Outcome]:
    """Run experiments and yield each outcome when it is there.

    Those without a clock run first, two at once where there are two cores; then those that measure time, one by one. A
    failing experiment is an outcome with a fault; the others go on.
    """
    patient = [claim for claim in claims if not claim.clock]
    alone = [claim for claim in claims if claim.clock]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with _one_thread():
        for group, workers in ((patient, min(AT_ONCE, cores)), (alone, 1)):
            if group:
                yield from _run(group, workers, quick, verbose, begun)


def _run(
    group: Sequence[Claim], workers: int, quick: bool, verbose: bool, begun: Callable[[str], None] | None
) -> Iterator[Outcome]:
    with ThreadPoolExecutor(workers) as threads:
        waiting: dict[Future[Outcome], str] = {}
        for claim in group:
            if begun is not None:
                begun(claim.id)
            waiting[threads.submit(_in_its_process, claim.id, quick, verbose)] = claim.id
        try:
            for future in as_completed(waiting):
                fault = future.exception()
                yield future.result() if fault is None else Outcome(waiting[future], "", 0.0, repr(fault))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _in_its_process(name: str, quick: bool, verbose: bool) -> Outcome:
    """Run one experiment in a process of its own; one that kills that process takes no other with it."""
    spawn = multiprocessing.get_context("spawn")  # NumPy reads the number of threads when it is imported
    began = time.monotonic()
    try:
        # Ctrl-C reaches every process: this one tells of it, those of the experiments end without a word.
        with ProcessPoolExecutor(1, spawn, signal.signal, (signal.SIGINT, signal.SIG_DFL)) as pool:
            return pool.submit(_one, name, quick, verbose).result()
    except BrokenProcessPool:
        return Outcome(name, "", time.monotonic() - began, "its process was killed: is there enough memory?")


def _one(name: str, quick: bool, verbose: bool) -> Outcome:
    """Run one experiment in a process of its own."""
    began = time.monotonic()

    def report(line: str) -> None:
        with suppress(OSError):  # nobody reads it
            print(f"  {name}: {line}", file=sys.stderr, flush=True)

    try:
        result = CLAIMS[name].run(quick=quick, report=report if verbose else None)
    except Exception as fault:  # one experiment must not take the others with it; the caller is told
        return Outcome(name, "", time.monotonic() - began, f"{type(fault).__name__}: {fault}")
    return Outcome(name, str(result["verdict"]), time.monotonic() - began, "", result)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let the processes that are started meanwhile compute with one thread each."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
