"""What the trainings share: options with defaults that a resumed run remembers, where a run is kept, its figure."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import validate
from ..training import Checkpoint, load_checkpoint
from ..training.archive import write_whole
from .console import PROGRAM

LARGEST = 1_000_000_000_000  # of what an option counts


class Option(NamedTuple):
    """One option of a run: its default stands in the help, and is taken where neither user nor checkpoint says."""

    default: Any
    help: str
    choices: tuple[Any, ...] | None = None


def add_options(parser: argparse.ArgumentParser, options: Mapping[str, Option]) -> None:
    """Add `--name VALUE` for each, of the default's type."""
    for name, option in options.items():
        shown = "none" if option.default is None else option.default
        kind = str if option.default is None else type(option.default)
        parser.add_argument(
            f"--{name.replace('_', '-')}", dest=name, type=kind, choices=option.choices, metavar=_metavar(option),
            help=f"{option.help}; default {shown}",
        )


def _metavar(option: Option) -> str | None:
    if option.choices is not None:
        return None
    return {int: "N", float: "X"}.get(type(option.default), "TEXT")


def add_keeping(parser: argparse.ArgumentParser, default: str) -> None:
    """Add where the run is kept."""
    parser.add_argument(
        "--checkpoint", metavar="PATH", help=f"where the run is kept, an .npz file; default {default}; its figure is "
        "written beside it",
    )
    parser.add_argument(
        "--resume", action="store_true",
        help="go on from the checkpoint, bit for bit as if the run had never stopped; the options are those it was "
        "begun with",
    )


class Run(NamedTuple):
    """Where a run is kept, and how it was set up."""

    path: Path
    chosen: dict[str, Any]  # every option
    kept: Checkpoint | None  # what it goes on from, if there is something

    @property
    def notes(self) -> dict[str, Any] | None:
        """What the checkpoint says already."""
        return None if self.kept is None else self.kept.notes


def set_up(
    command: str, kind: str, options: argparse.Namespace, known: Mapping[str, Option], default: str
) -> Run:
    """Return the run: options as given, else as in the checkpoint that it goes on from, else their defaults."""
    path = Path(options.checkpoint or default)
    kept: Checkpoint | None = None
    if path.suffix != ".npz":
        because = "the format is NumPy's own"
        validate.fail(command, f"--checkpoint is {str(path)!r}", "a name that ends in .npz", because)
    if path.exists():
        if not options.resume:
            validate.fail(
                command, f"{str(path)!r} exists", "a new name", "a run that was kept is never overwritten by another",
                "--resume goes on from it; --checkpoint OTHER.npz begins another.",
            )
        kept = load_checkpoint(path)
        check_kind(command, kept, kind, known, str(path), f"one that `{command}` began")
    saved = {} if kept is None or kept.notes is None else kept.notes["options"]
    chosen = {}
    for name, option in known.items():
        given = getattr(options, name)
        chosen[name] = saved.get(name, option.default) if given is None else given
        if name in saved and given is not None and given != saved[name]:
            validate.fail(
                command, f"--{name.replace('_', '-')} is {given!r}", f"{saved[name]!r}, as the run was begun with",
                "a run that goes on must be the same run", "Leave the option out, or begin another checkpoint.",
            )
    return Run(path, chosen, kept)


def check_kind(
    where: str, kept: Checkpoint, kind: str, known: Mapping[str, Option], name: str, expected: str
) -> None:
    """Refuse a run of another kind, and notes that no run of this kind has: a file can say anything."""
    notes = kept.notes or {}
    texts = {"text": ("characters",), "series": ("target", "what")}[kind]
    if notes.get("kind") != kind or not isinstance(notes.get("options"), dict):
        validate.fail(where, f"{name!r} is of another kind of run", expected)
    for entry in texts:
        if not isinstance(notes.get(entry), str):
            validate.fail(where, f"{name!r}: its notes say no {entry}", expected)
    for option, value in notes["options"].items():
        if option in known and not _fits(known[option], value):
            validate.fail(where, f"{name!r}: its notes say {value!r:.60} for --{option}", expected)


def _fits(option: Option, value: Any) -> bool:
    if option.choices is not None and value is not None:
        return value in option.choices
    sort = {int: int, float: int | float, str: str}.get(type(option.default), str | None)
    return isinstance(value, sort) and not isinstance(value, bool)


def check_sizes(where: str, chosen: Mapping[str, Any], *names: str) -> None:
    """Refuse options that count something and are below 1, or above what any machine holds; and a seed below 0."""
    for name in names:
        if validate.size(where, f"--{name}", chosen[name]) > LARGEST:
            validate.fail(where, f"--{name} is {chosen[name]!s:.20}", f"at most {LARGEST}", "no machine holds more")
    if chosen["seed"] < 0:
        validate.fail(where, f"--seed is {chosen['seed']}", "a whole number of at least 0")


def save_figure(path: Path, draw: Callable[[], Any]) -> str:
    """Write a figure as PNG, whole or not at all; return the line that tells of it, or why there is none.

    Somebody's file of that name stays: it is then the first of name-2, name-3, … that is free, or holds it already.
    """
    free, number = path, 2
    try:
        content = draw()._repr_png_()
        while free.exists() and not (free.is_file() and free.read_bytes() == content):
            free = path.with_name(f"{path.stem}-{number}{path.suffix}")
            number += 1
        if not free.exists():
            write_whole(free, lambda file: _write(file, content))
    except (ImportError, OSError) as fault:  # the figures that are printed need none
        return f"no figure: {fault}"
    return f"figure: {free}"


def _write(file: Any, content: bytes) -> None:
    file.write(content)


def how_to_go_on(command: str, path: Path, file: str | None, default: str) -> str:
    """Return the command that goes on with a run."""
    named = [] if file is None else [f"./{file}" if file.startswith("-") else file]  # no option
    words = [*command.split(), *named, "--resume"]
    if str(path) != default:
        words += ["--checkpoint", str(path)]
    return f"{PROGRAM} {shlex.join(words)}"
