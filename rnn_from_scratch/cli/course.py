"""course: the students' notebooks, made from their sources."""

from __future__ import annotations

import argparse
from typing import Any

from ..course import release
from .console import counted


def add_commands(commands: Any) -> None:
    """Add it."""
    course = commands.add_parser("course", help="make the students' notebooks")
    actions = course.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser(
        "release", help="notebooks/solutions/*.ipynb -> notebooks/*.ipynb",
        description="Run each source notebook, make its release with exercises unsolved, run that, and write both. "
        "A release that holds answers is kept as NN_name.answers-1.ipynb.",
    )
    make.add_argument("names", nargs="*", metavar="NAME", help='a notebook, such as "04"; default all')
    make.add_argument("--folder", default="notebooks", help="the folder that holds solutions/; default notebooks")
    make.set_defaults(run=_release)


def _release(options: argparse.Namespace) -> tuple[int, str]:
    written = release(options.folder, options.names or None)
    return 0, f"{counted(len(written), 'notebook')} written"
