"""The course: exercises that a notebook checks, the students' notebooks made from the sources, and marks.

- `check("01-h1", answer)` says in one line whether an exercise is solved, and what a typical wrong
  answer means (marking.py, `Exercise`);
- nbNN.py holds the exercises of notebook NN, with their expected answers computed by the package;
- `release("notebooks")` runs the sources in notebooks/solutions/ and writes the notebooks without
  solutions (release.py; on the command line `python -m rnn_from_scratch course release`);
- `hand_out(folder)` and `hand_out_solutions(folder)` write a set that stands by itself (handing_out.py;
  `course release DIR`, `course solutions DIR`);
- `write_pages(folder)` writes pages to read without Jupyter (pages.py; `course html DIR`);
- `grade(folder)` marks a folder of submissions (grading.py; `course grade DIR`).

Importing this package needs NumPy alone; nbformat and nbclient are imported where a notebook is read.
"""

from .grading import grade
from .handing_out import hand_out, hand_out_solutions
from .marking import Exercise, NotRight, check
from .notebook_files import ReleaseError
from .own_numbers import own_fixed_point
from .pages import write_pages
from .release import release

__all__ = [
    "Exercise", "NotRight", "ReleaseError", "check", "grade", "hand_out", "hand_out_solutions", "own_fixed_point",
    "release", "write_pages",
]
