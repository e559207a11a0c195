"""A museum of wrong gradients: backward passes that were published wrong, each beside the right one.

`EXHIBITS` has them by name. Every one was read at its source before it was written anew, and tells there what was
seen; tests/diagnosis/test_museum.py proves each wrong and each right. `show` runs one, `riddle` gives one to be solved.
"""

from .exhibit import KINDS, REFERENCES, Exhibit
from .riddles import Riddle, riddle
from .rooms import EXHIBITS
from .showing import Shown, catalogue, entries, heading, show, show_all, summary

__all__ = [
    "EXHIBITS", "KINDS", "REFERENCES", "Exhibit", "Riddle", "Shown", "catalogue", "entries", "heading", "riddle",
    "show", "show_all", "summary",
]
