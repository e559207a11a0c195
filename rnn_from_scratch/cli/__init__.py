"""The command line: verify, claims, museum, train, sample, range-test, course.

Exit codes: 0 all is well; 1 a check failed; 2 the call was wrong, or a file or the output could not be read or
written (one line says how); 130 stopped by Ctrl-C. A reader that stops reading (`verify | head`) changes none of them.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from .. import __version__, validate
from .article import add_command as add_article
from .claims import add_commands as add_claims
from .console import PROGRAM, Parser
from .course import add_commands as add_course
from .proving import add_commands as add_proving
from .ranges import add_command as add_range_test
from .sampling import add_command as add_sample
from .series import add_command as add_series
from .text import add_command as add_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell: `verify >&-`
            setattr(sys, name, io.StringIO())
    code = 0
    try:
        try:
            options = _parser().parse_args(arguments)
            run: Callable[[argparse.Namespace], tuple[int, str]] = options.run
            code, text = run(options)
            print(text)
        finally:
            sys.stdout.flush()  # a closed pipe or a full disk shows itself here, not at the interpreter's end
        return code
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # nobody reads on: that is no fault of ours, and changes no verdict
        _silence()
        return code
    except (validate.ArgumentError, OSError) as fault:
        _complain(str(fault))
        return 2
    except MemoryError as fault:
        _complain(f"there is not enough memory: {fault}")
        return 2


def _complain(message: str) -> None:
    with suppress(OSError):  # with nowhere to say it, the exit code must do
        print(f"{PROGRAM}: {message}", file=sys.stderr)
    _silence()


def _silence() -> None:
    """Send nowhere what a stream could not take: Python would try again at its end, and fail."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _parser() -> Parser:
    parser = Parser(prog=PROGRAM, description="Recurrent networks in pure NumPy, every gradient proven.")
    version = f"rnn_from_scratch {__version__}, NumPy {np.__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add_proving(commands)
    add_claims(commands)
    train = commands.add_parser("train", help="train the article's program, a language model, a forecast")
    programs = train.add_subparsers(dest="program", metavar="PROGRAM", required=True)
    for add in (add_article, add_text, add_series):
        add(programs)
    add_sample(commands)
    add_range_test(commands)
    add_course(commands)
    return parser
