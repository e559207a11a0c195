"""The command line: verify, museum, train, course.

Exit codes: 0 all is well; 1 a check failed; 2 the call was wrong, or a file or the output could not be read or
written (one line says how); 130 stopped by Ctrl-C. A reader that stops reading (`verify | head`) changes none of them.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import numpy as np

from . import __version__, validate
from .article import Row, verify
from .cells import RNNCell
from .course import release
from .data import article_data, fading_sum_data
from .diagnosis import museum
from .diagnosis.faults import FAULTS
from .gradcheck.numerical import METHODS
from .layers import Recurrent
from .models import SequenceModel
from .optim import GradientDescent
from .training import fit

PROGRAM = "python -m rnn_from_scratch"


class Parser(argparse.ArgumentParser):
    """argparse with an error of one line."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with 2."""
        print(f"{self.prog}: {message} (try --help)", file=sys.stderr)
        raise SystemExit(2)


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

    train = commands.add_parser("train", help="train the article's program, repaired")
    programs = train.add_subparsers(dest="program", metavar="PROGRAM", required=True)
    article = programs.add_parser(
        "article", help="the program of the article's §3, repaired",
        description="Input 10, hidden 5, 2 classes, 32 sequences of 100 steps, gradient descent at 0.01: first with "
        "the article's random labels, then with labels that depend on the sequence.",
    )
    article.add_argument("--updates", type=int, default=2000, help="for each kind of labels; default 2000")
    article.add_argument("--seed", type=int, default=0, help="draws the data and the start; default 0")
    article.set_defaults(run=_train_article)

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
    return parser


def _verify(options: argparse.Namespace) -> tuple[int, str]:
    """Return the exit code beside the text: the verdict holds whether or not anybody reads on."""
    methods = list(dict.fromkeys(options.method or ["central", "complex"]))
    cell_type = FAULTS[options.inject] if options.inject else RNNCell
    rows = verify(options.ids, methods, options.seed, cell_type)
    code = 0 if all(row.ok for row in rows) else 1
    if options.json:
        return code, _as_json([_as_object(row) for row in rows])
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
        f"{_counted(len(rows), 'row')} of {_counted(len({row.id for row in rows}), 'id')}: "
        + (f"{failed} WRONG" if failed else "every one proven")
        + ". Columns central, complex…: largest relative error of a gradient."
    )
    return "\n".join(text)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _museum(options: argparse.Namespace) -> tuple[int, str]:
    if options.name is not None:
        shown = museum.show(options.name, options.seed)
        return 0 if shown.ok else 1, _as_json(shown.as_object()) if options.json else str(shown)
    if not options.all:
        return 0, _as_json(museum.entries()) if options.json else museum.catalogue()
    done: list[museum.Shown] = []
    for shown in museum.show_all(options.seed):
        if not (done or options.json):
            _tell(museum.heading())
        done.append(shown)
        if not options.json:
            _tell(shown.row())
    code = 0 if all(shown.ok for shown in done) else 1
    return code, _as_json([shown.as_object() for shown in done]) if options.json else museum.summary(done)


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _tell(line: str) -> None:
    """Print what is known already; a reader who has gone is noticed at the end."""
    with suppress(BrokenPipeError):
        print(line, flush=True)


def _train_article(options: argparse.Namespace) -> tuple[int, str]:
    validate.size("train article", "--updates", options.updates)
    if options.seed < 0:
        validate.fail("train article", f"--seed is {options.seed}", "a whole number of at least 0")
    model = SequenceModel(Recurrent(RNNCell(input_size=10, hidden_size=5)), output_size=2)
    print(
        "The article's program, repaired: input 10, hidden 5, 2 classes, 32 sequences of 100 steps, "
        f"gradient descent at 0.01, {options.updates} updates."
    )
    print(_train_on(model, article_data, "The article's labels, drawn without looking at the inputs", options))
    print(
        f"With these labels no model has an expected loss below ln 2 = {np.log(2):.4f} on fresh data: they are "
        "independent of\nthe inputs, so nothing beats the answer 1/2. What a training loss gains below it is memorised."
    )
    title = "Labels that depend on the sequence: is the fading sum of the first input positive?"
    return 0, _train_on(model, fading_sum_data, title, options)


def _train_on(model: SequenceModel, draw: Callable[..., Any], title: str, options: argparse.Namespace) -> str:
    rng = np.random.default_rng(options.seed)
    xs, targets = draw(rng=rng)
    fresh_xs, fresh_targets = draw(rng=rng, N=512)
    params = model.init_params(rng=rng)
    print(f"\n{title}")
    before = float(model.loss_and_grads(params, fresh_xs, fresh_targets)[0])
    with _progress(options.updates) as advance:
        params, history = fit(
            model, params, xs, targets, GradientDescent(0.01), epochs=options.updates, on_update=advance
        )
    after = float(model.loss_and_grads(params, fresh_xs, fresh_targets)[0])
    right = float((model.predict(params, fresh_xs).argmax(axis=-1) == fresh_targets).mean())
    marks = sorted({0, *(max(0, options.updates * quarter // 4 - 1) for quarter in (1, 2, 3, 4))})
    return "\n".join([
        "  update           " + "".join(f"{mark + 1:>9}" for mark in marks),
        "  training loss    " + "".join(f"{history.losses[mark]:>9.4f}" for mark in marks),
        f"  512 fresh sequences: loss {before:.4f} before, {after:.4f} after; {100 * right:.1f} % right",
    ])


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int, float], None]]:
    """Show a bar in a terminal; elsewhere, or without tqdm, a line every few seconds."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        tqdm = None
    if tqdm is not None and sys.stderr.isatty():
        with tqdm(total=total, unit="update", leave=False) as bar:

            def advance(_: int, loss: float) -> None:
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                bar.update()

            yield advance
        return
    last = time.monotonic()

    def tell(update: int, loss: float) -> None:
        nonlocal last
        if time.monotonic() - last > 1.0:
            print(f"  update {update} of {total}: loss {loss:.4f}", file=sys.stderr)
            last = time.monotonic()

    yield tell


def _release(options: argparse.Namespace) -> tuple[int, str]:
    written = release(options.folder, options.names or None)
    return 0, f"{_counted(len(written), 'notebook')} written"
