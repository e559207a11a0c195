"""Numbers of one's own: what a student's name draws in an exercise, the same on every machine."""

from __future__ import annotations

import hashlib
import unicodedata
from fractions import Fraction

from ..diagnosis import own_cell

# r of tanh(ln r) = (r² − 1)/(r² + 1). Not 2, whose 3/5 is the lamp's own, and none so near 1 that h* is nearly 0.
_RATIOS = [Fraction(r) for r in ("4", "5", "3/2", "5/2", "7/2", "3", "4/3", "5/3", "7/3", "8/3", "5/4", "7/4")]


def own_fixed_point(name: str) -> Fraction:
    """Return the fixed point h* = tanh(ln r), a fraction, that belongs to whoever has this name.

    Parameters
    ----------
    name : str
        As for `diagnosis.own_cell`: spaces around it and capitals make no difference.

    Returns
    -------
    h : Fraction
        (r² − 1)/(r² + 1) for one of twelve r; 4/5 for "Alan Turing".

    Raises
    ------
    DtypeError, ArgumentError
        If the name is no string, or empty.

    Source: COURSE's "tanh(ln r) gives exact answers without end"; notebook 01, exercise 5; tests/course.
    """
    words = own_cell(name).name  # it refuses what is no name
    letters = unicodedata.ucd_3_2_0.normalize("NFC", words).casefold()  # as there: every Python keeps this form
    drawn = hashlib.sha256(f"fixed point of {letters}".encode("utf-8", "surrogatepass")).digest()
    return _fixed_point(_RATIOS[int.from_bytes(drawn, "big") % len(_RATIOS)])


def fixed_points() -> list[Fraction]:
    """Return every number that `own_fixed_point` can draw."""
    return [_fixed_point(r) for r in _RATIOS]


def _fixed_point(r: Fraction) -> Fraction:
    return (r * r - 1) / (r * r + 1)
