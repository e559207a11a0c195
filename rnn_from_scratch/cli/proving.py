"""verify and museum: the article's equations proven, and published mistakes refused."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..article import Row, verify
from ..cells import RNNCell
from ..diagnosis import museum
from ..diagnosis.faults import FAULTS
from ..gradcheck.numerical import METHODS
from .console import as_json, counted, tell


def add_commands(commands: Any) -> None:
    """Add both."""
    check = commands.add_parser(
        "verify", help="prove the article's equations",
        description="Prove the article's equations: by finite differences, by the complex step, and by their own "
        "formulas. Exits with 1 if a row fails.",
    )
    check.add_argument("ids", nargs="*", metavar="ID", help="an id of the article, such as E2.1a; default all")
    check.add_argument(
        "--method", action="append", choices=METHODS,
        help="how to differentiate; may be repeated; default central and complex",
    )
    check.add_argument("--seed", type=int, default=0, help="draws the points to check at; default 0")
    check.add_argument("--json", action="store_true", help="print a list of objects instead of the table")
    check.add_argument(
        "--inject", choices=list(FAULTS), metavar="FAULT",
        help=f"use a cell with this wrong backward, and see the check fail: {', '.join(FAULTS)}",
    )
    check.set_defaults(run=_verify)

    rooms = commands.add_parser(
        "museum", help="see wrong gradients that were really published: refused, named, mended",
        description="List the exhibits, or show one at work: a gradient check refuses it, diagnose names it, a line is "
        "mended, the check passes. Exits with 1 if an exhibit does not behave as its label says.",
    )
    which = rooms.add_mutually_exclusive_group()
    which.add_argument("name", nargs="?", metavar="NAME", help="an exhibit, or the beginning of its name")
    which.add_argument("--all", action="store_true", help="every exhibit, a line each; about a minute")
    rooms.add_argument("--seed", type=int, default=0, help="draws the points to check at; default 0")
    rooms.add_argument("--json", action="store_true", help="print objects instead of text")
    rooms.set_defaults(run=_museum)


def _verify(options: argparse.Namespace) -> tuple[int, str]:
    """Return the exit code beside the text: the verdict holds whether or not anybody reads on."""
    methods = list(dict.fromkeys(options.method or ["central", "complex"]))
    cell_type = FAULTS[options.inject] if options.inject else RNNCell
    rows = verify(options.ids, methods, options.seed, cell_type)
    code = 0 if all(row.ok for row in rows) else 1
    if options.json:
        return code, as_json([_as_object(row) for row in rows])
    text = _table(rows, methods)
    if options.inject:
        text += f"\nInjected: {options.inject}. {FAULTS[options.inject].sentence}"
        if all(row.ok for row in rows):
            text += " None of these rows uses what it breaks; try E-BPTT."
    return code, text


def _as_object(row: Row) -> dict[str, Any]:
    """One row for --json; infinity (an array that is missing or NaN) is told as null, which JSON has."""
    errors = {method: error if np.isfinite(error) else None for method, error in row.errors.items()}
    return {
        "id": row.id, "equation": row.equation, "code": row.code.replace(":", "."),
        "central": errors.get("central"), "complex": errors.get("complex"),
        **{method: error for method, error in errors.items() if method not in ("central", "complex")},
        "measured": row.measured, "ok": row.ok,
    }


def _table(rows: Sequence[Row], methods: Sequence[str]) -> str:
    lines = [("id", "equation", "code", *methods, "verdict", "also measured")]
    for row in rows:
        errors = [f"{row.errors[method]:.1e}" if method in row.errors else "-" for method in methods]
        verdict = "proven" if row.ok else "WRONG"
        lines.append((row.id, row.equation, row.code.replace(":", "."), *errors, verdict, row.measured))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    failed = sum(not row.ok for row in rows)
    text.append(
        f"{counted(len(rows), 'row')} of {counted(len({row.id for row in rows}), 'id')}: "
        + (f"{failed} WRONG" if failed else "every one proven")
        + ". Columns central, complex…: largest relative error of a gradient."
    )
    return "\n".join(text)


def _museum(options: argparse.Namespace) -> tuple[int, str]:
    if options.name is not None:
        shown = museum.show(options.name, options.seed)
        return 0 if shown.ok else 1, as_json(shown.as_object()) if options.json else str(shown)
    if not options.all:
        return 0, as_json(museum.entries()) if options.json else museum.catalogue()
    done: list[museum.Shown] = []
    for shown in museum.show_all(options.seed):
        if not (done or options.json):
            tell(museum.heading())
        done.append(shown)
        if not options.json:
            tell(shown.row())
    code = 0 if all(shown.ok for shown in done) else 1
    return code, as_json([shown.as_object() for shown in done]) if options.json else museum.summary(done)
