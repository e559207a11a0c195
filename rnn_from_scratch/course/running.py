"""Run a plan's cells in a process of its own, and go on where a cell ends that process.

A cell that takes too long, eats the memory or ends the process is left out: a fresh process runs the cells before it
again, without it, and goes on behind it. So it costs what it belongs to, and nothing else.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from .aligning import Step

START_SECONDS = 60.0  # for the interpreter and its imports


class Limits(NamedTuple):
    """What one cell may take, and one process."""

    seconds: float = 30.0
    mebibytes: int = 4096


class Place(NamedTuple):
    """Where a process works, and the folder that holds the package which it imports."""

    folder: Path
    package_root: Path


class Outcome(NamedTuple):
    """What became of a cell: `stopped` says in words why it was ended, "" if it ended by itself."""

    error: str = ""
    stopped: str = ""
    printed: str = ""
    verdicts: Mapping[str, Any] = {}


class Stopped(Exception):  # noqa: N818 - the worker's end is expected
    """The process has ended, or has been ended; the message says why."""


class Worker:
    """One process that runs cells."""

    def __init__(self, place: Place, limits: Limits, notebook: str = "") -> None:
        environment = {
            **os.environ, "PYTHONPATH": str(place.package_root), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "Agg", "IPYTHONDIR": str(place.folder / ".ipython"), "PYTHONIOENCODING": "utf-8",
        }
        environment.pop("NBGRADER_EXECUTION", None)
        self._limits = limits
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", str(limits.mebibytes), notebook],
            cwd=place.folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, encoding="utf-8", start_new_session=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.memory_limited = bool(self._answer(START_SECONDS)["limited"])

    def _read(self) -> None:
        assert self._process.stdout is not None
        with suppress(ValueError, OSError):  # the stream is closed while it is read
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put("")

    def _answer(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self.close()
            raise Stopped(f"it took more than {seconds:g} s") from None
        if not line:
            code = self._process.wait()
            self.close()
            raise Stopped("it ended the process" + (f" (signal {-code})" if code < 0 else f" (exit code {code})"))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def run(self, step: Step) -> Outcome:
        """Run a cell; raise Stopped if that ends the process."""
        assert self._process.stdin is not None
        request = {"source": step.source, "check": step.kind == "check"}
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:  # it has gone since the cell before
            self.close()
            raise Stopped("a cell before it ended the process") from None
        reply = self._answer(self._limits.seconds)
        if reply["memory"]:
            self.close()
            raise Stopped(f"it needed more than {self._limits.mebibytes} MiB of memory")
        return Outcome(reply["error"], "", reply["printed"], reply["verdicts"])

    def close(self) -> None:
        """End the process and what it has started."""
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def run_steps(steps: Sequence[Step], prepare: Callable[[], Place], limits: Limits) -> list[Outcome]:
    """Run the cells in order; return what became of each.

    Parameters
    ----------
    steps : sequence of Step
        From `align`.
    prepare : function without arguments
        Makes a place for each process: what one has written, the next does not find.
    limits : Limits
        For each cell, and each process.
    """
    outcomes: dict[int, Outcome] = {}
    notebook = next((step.exercise[:2] for step in steps if step.kind == "check"), "")
    worker = Worker(prepare(), limits, notebook)
    try:
        while len(outcomes) < len(steps):
            index = len(outcomes)
            try:
                outcomes[index] = worker.run(steps[index])
            except Stopped as stop:
                outcomes[index] = Outcome(stopped=str(stop))
                if len(outcomes) < len(steps):
                    worker = _again(steps, outcomes, prepare, limits, notebook)
    finally:
        worker.close()
    return [outcomes[index] for index in range(len(steps))]


def _again(
    steps: Sequence[Step], outcomes: dict[int, Outcome], prepare: Callable[[], Place], limits: Limits, notebook: str
) -> Worker:
    """Return a fresh process that has run the cells so far, without those that ended one; a check is not needed."""
    while True:
        worker = Worker(prepare(), limits, notebook)
        for index, outcome in sorted(outcomes.items()):
            if outcome.stopped or steps[index].kind == "check":
                continue
            try:
                worker.run(steps[index])
            except Stopped as stop:  # well the first time, and not now: out with it too
                outcomes[index] = outcome._replace(stopped=str(stop))
                break
        else:
            return worker
