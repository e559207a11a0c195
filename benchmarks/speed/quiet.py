"""Is the machine left alone? What other processes use of it while this one sleeps."""

from __future__ import annotations

import time
from pathlib import Path

STAT = Path("/proc/stat")
LOUD = 0.15  # of a core; what an idle system does by itself is below
TOO_LOUD = 0.5  # then seconds of the wall tell nothing: threads of PyTorch that wait for each other wait far longer


def busy_cores(seconds: float = 0.3, stat: Path = STAT) -> float | None:
    """Sleep; return how many cores were at work meanwhile; None where the system does not tell: only Linux does."""
    if not stat.exists():
        return None
    before = _ticks(stat)
    time.sleep(seconds)
    after = _ticks(stat)
    idle, every = (later - earlier for later, earlier in zip(after, before, strict=True))
    cores = sum(line.startswith("cpu") for line in stat.read_text().splitlines()) - 1
    return cores * (1 - idle / every) if every else 0.0


def _ticks(stat: Path) -> tuple[int, int]:
    """Return the ticks of all cores that were idle (or waited for a disk), and all ticks, since the system started."""
    numbers = [int(word) for word in stat.read_text().splitlines()[0].split()[1:9]]  # guests are counted in the first
    return numbers[3] + numbers[4], sum(numbers)
