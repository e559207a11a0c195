"""Where nothing gives the student's numbers exactly: what the pattern of right and wrong suggests, said as a guess."""

from __future__ import annotations

from typing import Any

from .matching import Trial, told
from .suspects import Suspect, Where


def guesses(trials: list[Trial], wrong: frozenset[str], cell: Any) -> list[Suspect]:
    """Return suspects that are not certain."""
    return [Suspect("unknown", Where(), f"{told(wrong)} wrong; nothing known gives these numbers.", "", certain=False)]
