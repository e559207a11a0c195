"""Show an exhibit at work: a check refuses the wrong one, `diagnose` names it, a line is mended, the check passes."""

from __future__ import annotations

import difflib
import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ... import validate
from ...gradcheck import GradientReport
from ..naming import Diagnosis
from .checking import SIZES, checked, common_factor, diagnosed
from .exhibit import Exhibit
from .riddles import find, reference_of
from .rooms import EXHIBITS

WIDTH = 100
LISTED = ("name", "reference", "kind", "title")
CELLS = {
    "rnn": "of a vanilla RNN", "lstm": "of an LSTM", "gru": "of a GRU",
    "gru-before": "of a GRU, its reset gate before the product",
}


@dataclass(frozen=True)
class Shown:
    """What came of showing an exhibit.

    exhibit, seed : what was shown, and what drew the points.
    refused : the check of the wrong one; `call` is 2 where a first call was right and the same again is wrong, else 1.
    diagnosis : what `diagnose` says of the wrong one.
    accepted, cleared : the check of the right one, and what `diagnose` says of it.
    """

    exhibit: Exhibit
    seed: int
    refused: GradientReport
    call: int
    diagnosis: Diagnosis
    accepted: GradientReport
    cleared: Diagnosis

    @property
    def named(self) -> str:
        """The first name that `diagnose` gives, or "nothing"."""
        return self.diagnosis.suspects[0].kind if self.diagnosis.suspects else "nothing"

    @property
    def wrong(self) -> tuple[str, ...]:
        """The arrays that the check refuses in the wrong one."""
        return tuple(row.name for row in self.refused.rows if row.verdict.startswith("WRONG"))

    @property
    def surprises(self) -> tuple[str, ...]:
        """Where the exhibit does not behave as its label says; none if all is as told."""
        found = {
            "the check does not refuse the wrong one": bool(self.wrong),
            f"diagnose names {self.named} where the label has {self.exhibit.kind}": self.named == self.exhibit.kind,
            "the check does not pass the right one": self.accepted.ok,
            "diagnose finds something wrong with the right one": self.cleared.ok,
        }
        return tuple(text for text, as_told in found.items() if not as_told)

    @property
    def ok(self) -> bool:
        """True where everything is as told."""
        return not self.surprises

    def row(self) -> str:
        """Return one line: the name, what the check refuses, the name given, the label, and whether all is as told."""
        refused = " ".join(self.wrong) or "nothing"
        told = "as told" if self.ok else "NOT AS TOLD: " + "; ".join(self.surprises)
        return _columns((self.exhibit.name, refused, self.named, self.exhibit.kind, told))

    def as_object(self) -> dict[str, Any]:
        """Return the same for JSON."""
        texts = {
            field: getattr(self.exhibit, field)
            for field in (
                "name", "reference", "kind", "title", "provenance", "source", "confirmed", "wrong_for", "what", "where",
                "missed_by", "line_wrong", "line_right",
            )
        }
        return {
            **texts, "seed": self.seed, "refused": list(self.wrong), "call": self.call,
            "named": [suspect.kind for suspect in self.diagnosis.suspects], "accepted": self.accepted.ok,
            "cleared": self.cleared.ok, "surprises": list(self.surprises), "ok": self.ok,
        }

    def __str__(self) -> str:
        parts = [_label(self.exhibit), self._refused(), self._named(), self._mended(), self._accepted()]
        return "\n".join(line for part in parts for line in [*part, ""]) + f"\n{self._verdict()}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def _refused(self) -> list[str]:
        words = ("steps", "sequences", "inputs", "hidden units", "classes")
        sizes = ", ".join(f"{name}={size} {word}" for (name, size), word in zip(SIZES.items(), words, strict=True))
        text = (
            "Each gradient beside central differences of the function's own losses, summed, at a random point: "
            f"{sizes}; seed {self.seed}."
        )
        if self.call == 2:
            text += " What a first call returns passes. This is what a second call returns, from the same arguments:"
        lines = [
            *_heading(f"A gradient check {'refuses' if self.wrong else 'DOES NOT REFUSE'} it"), *_wrapped(text), "",
            str(self.refused),
        ]
        factor = common_factor(self.refused)
        return [*lines, f"Every wrong entry is {factor:.6g} times its numeric value."] if factor else lines

    def _named(self) -> list[str]:
        text = "diagnose is given the function and the cell that it should compute, and nothing else. "
        if self.named == self.exhibit.kind:
            text += "The first name that it gives is the one on the exhibit's label."
        else:
            text += f"THE EXHIBIT'S LABEL HAS ANOTHER NAME: {self.exhibit.kind}."
        perhaps = "perhaps " if any(not suspect.certain for suspect in self.diagnosis.suspects[:1]) else ""
        return [
            *_heading(f"diagnose names it: {perhaps}{self.named}"), *_wrapped(text), "", *_fitted(str(self.diagnosis)),
        ]

    def _mended(self) -> list[str]:
        both = (self.exhibit.line_wrong.splitlines(), self.exhibit.line_right.splitlines())
        _, _, _, *lines = difflib.unified_diff(*both, n=len(both[0]), lineterm="")  # its first three name files
        return [
            *_heading("Mended"), *(f"    {line[0]} {line[1:]}" for line in lines), "",
            f"Both functions whole: rnn_from_scratch/diagnosis/museum/{self.exhibit.name}.py",
        ]

    def _accepted(self) -> list[str]:
        passes = "passes" if self.accepted.ok else "DOES NOT PASS"
        nothing = "finds nothing wrong" if self.cleared.ok else "STILL FINDS SOMETHING"
        return [
            *_heading(f"The mended one {passes}, and diagnose {nothing}"), str(self.accepted), "",
            *_fitted(str(self.cleared)),
        ]

    def _verdict(self) -> str:
        if self.ok:
            return "As told: refused, named, mended."
        return "\n".join(_wrapped("NOT AS TOLD: " + "; ".join(self.surprises) + "."))


def show(exhibit: str | Exhibit, seed: int = 0) -> Shown:
    """Run an exhibit: check the wrong one, diagnose it, check and diagnose the right one.

    Parameters
    ----------
    exhibit : str or Exhibit
        A name in EXHIBITS, or the only beginning of one; or an exhibit.
    seed : int
        Draws the point of the check, and those that `diagnose` chooses.

    Returns
    -------
    Shown
        It prints as a page, and has all the parts.

    Raises
    ------
    ArgumentError
        No such name, or a seed that is no whole number of at least 0.

    Source: notebooks 10 and 12; tests/diagnosis/test_showing.py.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        validate.fail("museum", f"seed is {seed!r}", "a whole number of at least 0")
    shown = exhibit if isinstance(exhibit, Exhibit) else find("museum", exhibit)
    reference = reference_of(shown)
    refused, call = checked(shown.wrong, shown, seed)
    diagnosis = diagnosed(shown.wrong, reference, seed)
    accepted, _ = checked(shown.right, shown, seed)
    return Shown(shown, seed, refused, call, diagnosis, accepted, diagnosed(shown.right, reference, seed))


def show_all(seed: int = 0) -> Iterator[Shown]:
    """Run every exhibit, in the museum's order, one after another as they are asked for."""
    return (show(exhibit, seed) for exhibit in EXHIBITS.values())


def entries() -> list[dict[str, str]]:
    """Return what the list has of each exhibit: name, reference, kind, title."""
    return [{field: getattr(one, field) for field in LISTED} for one in EXHIBITS.values()]


def catalogue() -> str:
    """Return the list of all exhibits as a table."""
    rows = [LISTED, *(tuple(entry.values()) for entry in entries())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*map(str.ljust, row, widths), row[3]]) for row in rows]
    return "\n".join([
        *lines, "",
        f"{len(rows) - 1} backward passes that were published wrong. gru-before is the GRU whose reset gate comes "
        "before the product.",
        "One of them at work: python -m rnn_from_scratch museum NAME (the beginning of a name is enough); all: --all.",
    ])


def heading() -> str:
    """Return the line above the rows of `show_all`."""
    return _columns(("name", "the check refuses", "diagnose names", "label", ""))


def summary(done: Sequence[Shown]) -> str:
    """Return the line below them."""
    failed = sum(not shown.ok for shown in done)
    return f"{len(done)} exhibits: " + (f"{failed} NOT AS TOLD" if failed else "each refused, named first, and mended")


def _columns(cells: tuple[str, ...]) -> str:
    widths = (max(map(len, EXHIBITS)), 24, 21, 21, 0)
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _label(exhibit: Exhibit) -> list[str]:
    """Return the label beside an exhibit: the texts, each under its word."""
    texts = {
        "name": f"{exhibit.name}, {CELLS[exhibit.reference]}", "kind": exhibit.kind, "published": exhibit.provenance,
        "read it at": exhibit.source, "confirmed": exhibit.confirmed, "how long": exhibit.wrong_for,
        "the fault": exhibit.what, "shows in": exhibit.where, "missed by": exhibit.missed_by,
    }
    lines = _heading(exhibit.title, "=")
    for word, text in texts.items():
        lines += _wrapped(text, f"{word:<12}", " " * 12)
    return lines


def _heading(text: str, line: str = "-") -> list[str]:
    return [text, line * len(text)]


def _wrapped(text: str, first: str = "", others: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)


def _fitted(text: str) -> list[str]:
    """Wrap what is too long, but for what was wrapped already and for lines of code: these are indented."""
    lines = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        hanging = " " * (indent + (3 if line[:1].isdigit() else 2))  # under the text of "1. …"
        lines += [line] if len(line) <= WIDTH or indent >= 4 else _wrapped(line, others=hanging)
    return lines
