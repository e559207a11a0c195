"""The process in which one submission's cells run: a cell in, a line of JSON out.

`python -m rnn_from_scratch.course.worker MEBIBYTES NOTEBOOK`. The standard streams carry the protocol and are taken
away from the cells before the first one runs; what a cell prints is kept up to `KEPT` characters and dropped beyond. A
check in a cell is judged by this package's own code and told with its share of the points, whatever the cells before
have made of the name `check`. No sandbox: a cell can do whatever its user can.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import traceback
from typing import Any

from .marking import NotRight, exercises, find, judge

KEPT = 4000  # characters that a cell printed


class Capped(io.TextIOBase):
    """A stream that keeps its first characters."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        if len(self.text) < KEPT:
            self.text += str(text)[: KEPT - len(self.text)]
        return len(text)


class Recorder:
    """Stands for `check` in a check's cell: it remembers the verdict, and raises as under nbgrader."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, Any]] = {}

    def __call__(self, exercise_id: str, answer: Any) -> None:
        """Judge as `check` does."""
        verdict = judge(find(exercise_id), answer)
        self.seen[exercise_id] = {"right": verdict.right, "says": verdict.says, "share": verdict.share}
        if not verdict.right:
            raise NotRight(f"{exercise_id}: {verdict.says}")
        print(f"{exercise_id}: {verdict.says}")


def limit_memory(mebibytes: int) -> bool:
    """Bound this process's address space; say whether this system can."""
    try:
        resource = importlib.import_module("resource")
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))
    except (ImportError, ValueError, OSError):  # Windows has no such limits; macOS refuses this one
        return False
    return True


def run_cell(shell: Any, source: str, check: bool) -> dict[str, Any]:
    """Run one cell; return its error in words (or ""), whether memory ran out, what it printed, and its verdicts."""
    recorder, stream = Recorder(), Capped()
    if check:
        shell.user_ns["check"] = recorder
    sys.stdout = sys.stderr = stream
    error: BaseException | None
    try:
        result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as other:  # SystemExit in a magic, KeyboardInterrupt
        error = other
    finally:
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    says = ""
    if error is not None:
        says = str(error) if isinstance(error, NotRight) else "".join(traceback.format_exception_only(error)).strip()
    return {
        "error": says[:KEPT], "memory": isinstance(error, MemoryError), "printed": stream.text,
        "verdicts": recorder.seen,
    }


def main() -> None:
    """Read cells until there are none."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    interactive = importlib.import_module("IPython.core.interactiveshell")
    history = importlib.import_module("IPython.core.history")
    history.HistoryManager.enabled = False  # no file of the user's is written
    shell = interactive.InteractiveShell.instance()
    shell.ask_exit = sys.exit  # what `exit` calls
    exercises(sys.argv[2])  # read before any cell can write over its file
    limited = limit_memory(int(sys.argv[1]))
    print(json.dumps({"limited": limited}), file=answers, flush=True)
    for line in requests:
        request = json.loads(line)
        reply = run_cell(shell, request["source"], request["check"])
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
