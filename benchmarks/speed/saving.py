"""The saved results: results/speed_torch.json and so on, each part beside the others, whole or not at all.

{"parts": {"train float32 1": {"machine": {…}, "clock": "processor", "busy": …, "records": [{"cell": "lstm",
"point": "N,T,D,H", "ratio": …, "low": …, "high": …, "against": name, "ours": seconds, "theirs": {name: seconds}, …},
…]}, …}, …}

low and high are the quartiles of the rounds' ratios, whose median is `ratio`: how far the rounds disagree.
`difference` is the largest between the two sides' values and gradients, relative to its array's largest number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.machine import load_result, save_result
from benchmarks.speed.memory import WAYS
from benchmarks.speed.points import CELLS, MEMORY_POINT, OPPONENTS, STREAM_POINTS, Part, point_of, text_of

Record = dict[str, Any]


def load(against: str, folder: Path) -> dict[str, Any]:
    """Return the saved parts of one comparison by their keys, {} where there are none."""
    name = f"speed_{against}"
    parts: dict[str, Any] = load_result(name, folder)["parts"] if (folder / f"{name}.json").exists() else {}
    return parts


def merge(
    against: str, part: Part, machine: dict[str, Any], records: list[Record], folder: Path, busy: float | None = None
) -> tuple[Path, int]:
    """Put a part's new records into the saved result and write it.

    Other parts stay as they are, and so do this part's records for other cells and points. But a table must not mix
    machines (nor two versions of a library), so records of this part that another made give way. `busy` is how many
    cores other processes used, the most that was seen for any record that is kept.

    Returns
    -------
    path
        Of the file written.
    dropped
        How many records of another machine gave way without being measured again.
    """
    parts = load(against, folder)  # now, not at the start: another part may have been saved meanwhile
    before = parts.get(part.key, {"machine": machine, "records": []})
    fresh = {identity(record) for record in records}
    others = [record for record in before["records"] if identity(record) not in fresh]
    kept = others if before["machine"] == machine else []
    seen = [cores for cores in (busy, before.get("busy") if kept else None) if cores is not None]
    parts[part.key] = {
        "machine": machine, "clock": "processor" if part.threads == 1 else "wall",
        "busy": round(max(seen), 2) if seen else None, "records": sorted(kept + records, key=_order(against)),
    }  # fmt: skip
    return save_result(f"speed_{against}", {"parts": parts}, folder), len(others) - len(kept)


def identity(record: Record) -> tuple[Any, ...]:
    """What a later measurement of the same replaces."""
    return record["cell"], record["point"], record.get("way")


def _order(against: str) -> Any:
    """Sort as the tables show it: by point as points.py lists them, then others of one's own; by cell; by way."""
    listed = [text_of(point) for point in (*OPPONENTS[against].points, *STREAM_POINTS, MEMORY_POINT)]
    cells = [*CELLS, "mingru"]

    def place(record: Record) -> tuple[Any, ...]:
        point = record["point"]
        at = listed.index(point) if point in listed else len(listed)
        way = WAYS.index(record["way"]) if "way" in record else 0
        return at, point_of(point), cells.index(record["cell"]), way

    return place
