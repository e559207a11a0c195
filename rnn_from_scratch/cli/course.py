"""course: the students' notebooks, made from their sources and marked."""

from __future__ import annotations

import argparse
from typing import Any

from ..course import grade, hand_out, hand_out_solutions, release, write_pages
from ..validate import fail
from .console import counted, tell


def add_commands(commands: Any) -> None:
    """Add them."""
    course = commands.add_parser("course", help="make, hand out and mark the students' notebooks")
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
    _add_grade(actions)
    pages = actions.add_parser(
        "html", help="pages to read without Jupyter", usage="%(prog)s DIR [NAME ...] [options]",
        description="Write the notebooks with their outputs as HTML pages, every picture with its alternative text.",
    )
    pages.add_argument("words", nargs="+", metavar="DIR [NAME ...]", help="a folder, and notebooks; default all")
    pages.add_argument("--solutions", action="store_true", help="those with solutions")
    pages.set_defaults(run_action=_html)
    for parser in (make, solved, pages):
        parser.add_argument("--folder", default="notebooks", help="the folder that holds solutions/; default notebooks")
        parser.set_defaults(run=lambda options: options.run_action(options))


def _add_grade(actions: Any) -> None:
    marks = actions.add_parser(
        "grade", help="mark a folder of submissions",
        description="DIR holds a folder for each student, with notebooks anywhere in it. Each notebook runs in a "
        "process and a temporary copy of the course of its own; a cell that takes too long, needs too much memory or "
        "ends its process costs its own exercise alone. Written are STUDENT.md for each, and grades.csv. This is NO "
        "SANDBOX: a submission can read and write whatever you can, and go online. Mark strangers' code in a container "
        "that has nothing but the course and the submissions in it. The course's files are hashed before and after.",
    )
    marks.add_argument("submissions", metavar="DIR", help="the folder that holds a folder for each student")
    marks.add_argument("--to", metavar="FOLDER", help="where reports and marks go; default: beside DIR, DIR-graded")
    marks.add_argument("--seconds", type=float, default=30.0, help="what a cell may take; default 30")
    marks.add_argument("--memory", type=int, default=4096, metavar="MIB",
                       help="what a process may take, where the system has such a limit (Linux); default 4096")
    marks.add_argument("--variants", action="store_true",
                       help="each student was given a variant: draw it from the folder's name")
    marks.add_argument("--folder", default="notebooks", help="the folder that holds solutions/; default notebooks")
    marks.set_defaults(run=_grade)


def _grade(options: argparse.Namespace) -> tuple[int, str]:
    grades = grade(
        options.submissions, options.to, options.folder, seconds=options.seconds, mebibytes=options.memory,
        variants=options.variants, progress=tell,
    )
    lines = [f"{student.student}: {student.points:g} of {student.of} points" for student in grades.students]
    lines += [f"files of the course changed while {name}'s ran: {', '.join(files)}"
              for name, files in grades.changed.items()]
    return int(bool(grades.changed)), "\n".join(lines)


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


def _html(options: argparse.Namespace) -> tuple[int, str]:
    folder, names = _told_apart(options.words)
    if folder is None:
        fail("html", "DIR is missing", "a folder", hint="Try: html pages")
    written = write_pages(folder, options.folder, names or None, solutions=options.solutions, progress=tell)
    return 0, f"{counted(len(written), 'page')} written"


def _told_apart(words: list[str]) -> tuple[str | None, list[str]]:
    """Return (DIR, names): the first word is a folder unless it begins as notebooks do, with a digit."""
    if words and not words[0][:1].isdigit():
        return words[0], words[1:]
    return None, words
