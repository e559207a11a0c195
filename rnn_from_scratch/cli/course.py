"""course: the students' notebooks, made from their sources."""

from __future__ import annotations

import argparse
from typing import Any

from ..course import hand_out, hand_out_solutions, release
from ..validate import fail
from .console import counted, tell


def add_commands(commands: Any) -> None:
    """Add them."""
    course = commands.add_parser("course", help="make and hand out the students' notebooks")
    actions = course.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser(
        "release", help="the students' notebooks, exercises unsolved", usage="%(prog)s [DIR] [NAME ...] [options]",
        description="With DIR: write the students' set there, without solutions, hidden tests and outputs, the saved "
        "results that it reads beside it. Without: run each source, make its release, run that, and write both "
        "(notebooks/solutions/*.ipynb -> notebooks/*.ipynb). What holds answers is kept as NN_name.answers-1.ipynb.",
    )
    make.add_argument("words", nargs="*", metavar="[DIR] [NAME ...]",
                      help='a folder, and notebooks such as "04" (default all); a folder that begins with a digit '
                      'is written "./2027"')
    make.add_argument("--variant", metavar="STUDENT", help="with DIR: draw the cells and numbers of this student")
    make.add_argument("--run", action="store_true", dest="execute", help="with DIR: run them, and keep their outputs")
    make.set_defaults(run_action=_release)
    solved = actions.add_parser(
        "solutions", help="the notebooks with solutions, for nbgrader's source or for after the deadline",
        usage="%(prog)s DIR [NAME ...] [options]", description="Write the sources, with solutions and hidden tests.",
    )
    solved.add_argument("words", nargs="+", metavar="DIR [NAME ...]", help="a folder, and notebooks; default all")
    solved.set_defaults(run_action=_solutions)
    for parser in (make, solved):
        parser.add_argument("--folder", default="notebooks", help="the folder that holds solutions/; default notebooks")
        parser.set_defaults(run=lambda options: options.run_action(options))


def _release(options: argparse.Namespace) -> tuple[int, str]:
    folder, names = _told_apart(options.words)
    if folder is None:
        for option, given in (("--variant STUDENT", options.variant), ("--run", options.execute)):
            if given:
                fail("release", f"{option} without DIR", "the folder of the students' set",
                     hint=f"Try: release for-students {option}")
        written = release(options.folder, names or None)
    else:
        written = hand_out(
            folder, options.folder, names or None, variant=options.variant, execute=options.run, progress=tell
        )
    return 0, f"{counted(len(written), 'notebook')} written"


def _solutions(options: argparse.Namespace) -> tuple[int, str]:
    folder, names = _told_apart(options.words)
    if folder is None:
        fail("solutions", "DIR is missing", "a folder", hint="Try: solutions for-me")
    written = hand_out_solutions(folder, options.folder, names or None, progress=tell)
    return 0, f"{counted(len(written), 'notebook')} written"


def _told_apart(words: list[str]) -> tuple[str | None, list[str]]:
    """Return (DIR, names): the first word is a folder unless it begins as notebooks do, with a digit."""
    if words and not words[0][:1].isdigit():
        return words[0], words[1:]
    return None, words
