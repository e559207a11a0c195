"""What the trainings share: options with defaults that a resumed run remembers, where a run is kept, its figure."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import validate
from ..training import load_checkpoint
from ..training.archive import write_whole
from .console import PROGRAM


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
    notes: dict[str, Any] | None  # what the checkpoint says already
    figure: Path

    def resumes(self) -> bool:
        """Whether there is something to go on from."""
        return self.notes is not None


def set_up(
    command: str, kind: str, options: argparse.Namespace, known: Mapping[str, Option], default: str
) -> Run:
    """Return the run: options as given, else as in the checkpoint that it goes on from, else their defaults."""
    path = Path(options.checkpoint or default)
    notes: dict[str, Any] | None = None
    if path.suffix != ".npz":
        because = "the format is NumPy's own"
        validate.fail(command, f"--checkpoint is {str(path)!r}", "a name that ends in .npz", because)
    if path.exists():
        if not options.resume:
            validate.fail(
                command, f"{str(path)!r} exists", "a new name", "a run that was kept is never overwritten by another",
                "--resume goes on from it; --checkpoint OTHER.npz begins another.",
            )
        notes = load_checkpoint(path).notes
        if not isinstance(notes, dict) or notes.get("kind") != kind or not isinstance(notes.get("options"), dict):
            validate.fail(command, f"{str(path)!r} is of another kind of run", f"one that `{command}` began")
    saved = {} if notes is None else notes["options"]
    chosen = {}
    for name, option in known.items():
        given = getattr(options, name)
        chosen[name] = saved.get(name, option.default) if given is None else given
        if name in saved and given is not None and given != saved[name]:
            validate.fail(
                command, f"--{name.replace('_', '-')} is {given!r}", f"{saved[name]!r}, as the run was begun with",
                "a run that goes on must be the same run", "Leave the option out, or begin another checkpoint.",
            )
    figure = path.with_suffix(".png") if notes is None else path.with_name(str(notes.get("figure", "figure.png")))
    return Run(path, chosen, notes, fresh_path(figure) if notes is None else figure)


def fresh_path(path: Path) -> Path:
    """Return the path, or where there is such a file already the first of name-2, name-3, … that there is not."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return candidate


def save_figure(path: Path, figure: Any) -> str:
    """Write a figure as PNG, whole or not at all; return the line that tells of it."""
    content = figure._repr_png_()
    write_whole(path, lambda file: _write(file, content))
    return f"figure: {path}"


def _write(file: Any, content: bytes) -> None:
    file.write(content)


def how_to_go_on(command: str, path: Path, file: str | None, default: str) -> str:
    """Return the command that goes on with a run."""
    words = [*command.split(), *([file] if file else []), "--resume"]
    if str(path) != default:
        words += ["--checkpoint", str(path)]
    return f"{PROGRAM} {shlex.join(words)}"
