"""The tables: one of each part, point by point, and the README's, one row of each part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.speed.memory import WAYS
from benchmarks.speed.points import CELLS, OPPONENTS, STREAM_POINTS, Part, point_of, text_of
from benchmarks.speed.saving import Record, load
from benchmarks.speed.timing import geometric_mean, worst

WHAT = {
    "train": "training (forward and backward)", "infer": "inference (forward alone)",
    "stream": "streaming (one step at a time)", "memory": "memory",
}  # fmt: skip
HEADINGS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "mingru": "minGRU"}


def part_table(against: str, part: Part, records: list[Record]) -> str:
    """Return one part point by point: the ratio of our time to the other's, the geometric mean and the worst."""
    if part.what == "memory":
        return memory_table(records)
    clock = "processor time" if part.threads == 1 else "wall time"
    cells = _cells(records)
    opponent = OPPONENTS[against]
    lines = [f"{title(part)}: {opponent.whose} time / {opponent.title} ({clock})", *head("N, T, D, H", cells)]
    for point in dict.fromkeys(record["point"] for record in records):
        here = {record["cell"]: record for record in records if record["point"] == point}
        N, _, _, H = point_of(point)
        name = f"{point} (N·H = {N * H})" if against == "products" else point
        lines.append(line(name, [_entry(here.get(cell)) for cell in cells]))
    columns = [ratios_of(records, cell) for cell in cells]
    lines.append(line("geometric mean", [number(geometric_mean(column)) if column else "" for column in columns]))
    lines.append(line("worst", [number(worst(column)) if column else "" for column in columns]))
    return "\n".join([*lines, *_notes(records)])


def title(part: Part) -> str:
    """Return what a part is, in words."""
    return f"{WHAT[part.what]}, {part.dtype}, {part.threads} thread{'s' if part.threads > 1 else ''}"


def memory_table(records: list[Record]) -> str:
    """Return MiB above the start and processor seconds, by cell and way."""
    tables = []
    for point in dict.fromkeys(record["point"] for record in records):
        N, T, D, H = point_of(point)
        ways = [way for way in WAYS if any(record["way"] == way for record in records)]
        sizes = f"T = {T}, N = {N}, D = {D}, H = {H}"
        lines = [f"memory, {sizes}, float32, 1 thread: MiB above the start, processor seconds", "", *head("", ways)]
        for cell in _cells(records):
            found = {r["way"]: r for r in records if r["cell"] == cell and r["point"] == point}
            entries = [f"{found[way]['peak']:.0f}, {found[way]['seconds']:.1f}" if way in found else "" for way in ways]
            lines.append(line(HEADINGS[cell], entries))
        kept = T * N * (H + D) * 4 / 2**20
        lines += ["", f"{kept:.0f} MiB of each are the outputs and the inputs' gradients alone."]
        tables.append("\n".join([*lines, *_notes(records)]))
    return "\n\n".join(tables)


def readme_table(folder: Path) -> str:
    """Return the README's measured tables from what is saved: the geometric mean of each part, and the worst point.

    A part that has not been measured has no row, and points of one's own are in no mean: what README says is of the
    points that points.py lists.
    """
    rows, notes = [], []
    for against, opponent in OPPONENTS.items():
        listed = {text_of(point) for point in (*opponent.points, *STREAM_POINTS)}
        for part, everything in saved_parts(against, folder):
            records = [record for record in everything if record["point"] in listed]
            if records and part.what != "memory":
                entries = [_mean_and_worst(ratios_of(records, cell)) for cell in CELLS]
                if against == "gru":  # one column of its own: the newcomer stands where the GRU does
                    entries = ["", "", _mean_and_worst(ratios_of(records, "mingru"))]
                whose = "" if opponent.whose == "our" else opponent.whose.removesuffix("s").removesuffix("'") + " / "
                rows.append(line(f"{whose}{opponent.title}, {title(part)}", entries))
                notes += _notes(records)
    tables = ["\n".join([*head("our time divided by", CELLS), *rows, *notes])] if rows else []
    tables += [memory_table(records) for part, records in saved_parts("torch", folder) if part.what == "memory"]
    return "\n\n".join(tables)


def saved_parts(against: str, folder: Path) -> Iterator[tuple[Part, list[Record]]]:
    """Yield the saved parts of a comparison in the order of the tables."""
    parts = load(against, folder)
    order = list(OPPONENTS[against].what)
    for key in sorted(parts, key=lambda key: (order.index(key.split()[0]), key.split()[2], key.split()[1])):
        what, dtype, threads = key.split()
        yield Part(what, dtype, int(threads)), parts[key]["records"]


def ratios_of(records: Iterable[Record], cell: str) -> list[float]:
    """Return a cell's ratios; a refused point has none."""
    return [record["ratio"] for record in records if record["cell"] == cell and "ratio" in record]


def number(ratio: float) -> str:
    """Write a ratio with two digits behind the point, as .35 and 1.07; below .10 with three."""
    return f"{ratio:.{3 if ratio < 0.0995 else 2}f}".removeprefix("0")


def head(first: str, columns: Iterable[str]) -> list[str]:
    """Return a table's first two lines."""
    names = [HEADINGS.get(column, column) for column in columns]
    return [line(first, names), "|" + "---|" * (len(names) + 1)]


def line(first: str, entries: Iterable[str]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join([first, *entries])} |"


def _cells(records: list[Record]) -> list[str]:
    return [cell for cell in HEADINGS if any(record["cell"] == cell for record in records)]


def _entry(record: Record | None) -> str:
    if record is None:
        return ""
    return "refused" if "refused" in record else number(record["ratio"])


def _mean_and_worst(ratios: list[float]) -> str:
    return f"{number(geometric_mean(ratios))} (worst {number(worst(ratios))})" if ratios else ""


def _notes(records: list[Any]) -> list[str]:
    """Say why a point has no figure."""
    return [
        f"refused: {HEADINGS[record['cell']]} at {record['point']}: {record['refused']}"
        for record in records if "refused" in record
    ]
