"""A museum of wrong gradients: backward passes that were published wrong, each beside the right one.

`EXHIBITS` has them by name. Every one was read at its source before it was written anew, and tells there what was
seen; tests/diagnosis/test_museum.py proves each wrong and each right. `riddle` gives one to be solved.
"""

from .exhibit import KINDS, REFERENCES, Exhibit
from .riddles import Riddle, riddle
from .rooms import EXHIBITS

__all__ = ["EXHIBITS", "KINDS", "REFERENCES", "Exhibit", "Riddle", "riddle"]
