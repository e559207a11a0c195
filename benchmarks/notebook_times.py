"""How long each notebook runs, solutions in place: seconds of the processor, and by the clock.

Run as `python -m benchmarks.notebook_times` (about five minutes). The first hardly depends on what else a machine does;
by the clock a notebook takes about as long on a machine that is idle, and a few seconds more for starting a kernel.
notebooks/TEACHING.md shows the table that `--table` prints, beside how long a person needs. That is an estimate from
the notebook's length (`minutes`), and was not measured on people.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import load_result, save_result
from rnn_from_scratch.course.release import execute_notebook

FOLDER = Path(__file__).parents[1] / "notebooks"
WORDS_A_MINUTE, MINUTES_A_CELL, MINUTES_A_POINT = 100, 1, 5


def spent() -> float:
    """Return the processor seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(path: Path) -> dict[str, float]:
    """Run one notebook; return its seconds."""
    notebook = importlib.import_module("nbformat").read(path, 4)
    processor, clock = spent(), time.perf_counter()
    execute_notebook(notebook, FOLDER, timeout=120, name=path.stem)
    return {"processor": round(spent() - processor, 1), "clock": round(time.perf_counter() - clock, 1)}


def points(notebook: Any) -> int:
    """Return the points of a notebook's exercises, those in words included."""
    graded = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    return sum(int(data["points"]) for data in graded if data.get("grade"))


def minutes(notebook: Any) -> int:
    """Estimate how long a person needs, to five minutes: for the words, the code cells and the exercises' points."""
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    cells = sum(cell.cell_type == "code" and not cell.metadata.get("nbgrader") for cell in notebook.cells)
    total = words / WORDS_A_MINUTE + cells * MINUTES_A_CELL + points(notebook) * MINUTES_A_POINT
    return 5 * round(total / 5)


def table(seconds: dict[str, dict[str, float]]) -> str:
    """Return the table of notebooks/TEACHING.md."""
    nbformat = importlib.import_module("nbformat")
    lines = ["| notebook | runs, s | a person, min | points |", "|---|---|---|---|"]
    for path in sorted((FOLDER / "solutions").glob("*.ipynb")):
        notebook = nbformat.read(path, 4)
        runs = f"{seconds[path.stem]['processor']:.0f}" if path.stem in seconds else "–"
        title = path.stem[3:].replace("_", " ")
        lines.append(f"| {path.stem[:2]} {title} | {runs} | {minutes(notebook)} | {points(notebook)} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and save, or print the table of what was saved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="print the table of the saved result")
    if parser.parse_args().table:
        print(table(load_result("notebook_times")["notebooks"]))
        return 0
    found = {}
    for path in sorted((FOLDER / "solutions").glob("*.ipynb")):
        found[path.stem] = measure(path)
        print(f"{path.stem}: {found[path.stem]}", flush=True)
    save_result("notebook_times", {"notebooks": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
