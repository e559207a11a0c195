"""What a diagnosis says: suspects, best first, each with its place, its figures and what to look at."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass, field
from typing import NamedTuple

#: Every name that a diagnosis can give, and what it means.
KINDS = {
    "nondeterministic": "The same computation gives another answer when it is done again.",
    "not-reset": "Something is kept from one call to the next.",
    "mutates-input": "An array that was handed in, or is needed again, is written to.",
    "forward-wrong": "The losses are not those of the reference: another function is computed.",
    "shape": "What comes back does not have the form of the parameters.",
    "not-summed-over-batch": "A parameter serves every sequence of the batch, so its gradient is a sum over them.",
    "not-summed-over-time": "A parameter serves every step, so its gradient is a sum over time.",
    "last-step-only": "The loss of every step counts, but only the last one's reaches the gradient.",
    "sign": "A term, or the whole gradient, has the wrong sign.",
    "scale": "The gradient is the right one times a number.",
    "clipped": "The gradient is limited before it is returned.",
    "regulariser": "The gradient has a term of weight decay that the loss does not have.",
    "zero": "The gradient is zero where it should not be.",
    "transposed": "A square matrix of gradients is transposed.",
    "swapped": "Two gradients stand in each other's place.",
    "activation-derivative": "The derivative of a squashing function is missing, or another one stands there.",
    "carry-dropped": "What reaches h from later steps is missing, wholly or in part.",
    "cell-carry-dropped": "What reaches the cell state c from later steps is missing.",
    "recurrent-matrix": "The way back to h at the step before does not go through the transpose of W_hh.",
    "wrong-time-index": "A value of another time step is used.",
    "wrong-gate": "A gate is taken for another, or a factor of a gate is missing or too much.",
    "truncated": "The gradient does not go all the way back.",
    "output-layer": "The mistake is between the loss and the hidden state: in W_hy, b_y or dh.",
    "unknown": "The gradient is wrong in a way that has no name here.",
}


MOST_LINES, WIDTH = 3, 84  # printed


class Where(NamedTuple):
    """A place in the backward pass; None where the mistake is in no single one."""

    parameter: str | None = None  # "W_hh", "xs", "h0", …
    gate: str | None = None  # "i", "f", "g", "o"; "r", "z", "n"; "c" for the cell state
    time: str | None = None  # such as "every step but the last"

    def __str__(self) -> str:
        gate = None
        if self.gate == "c":
            gate = "the cell state c"
        elif self.gate:
            several = f"gates {', '.join(self.gate[:-1])} and {self.gate[-1]}"
            gate = f"gate {self.gate}" if len(self.gate) == 1 else several
        return ", ".join(part for part in (self.parameter, gate, self.time) if part)


class SourceLine(NamedTuple):
    """A line of the package's own backward pass, as it is and as the student's code behaves."""

    place: str  # "rnn_from_scratch/cells/rnn.py:138, RNNCell.step_backward"
    right: str
    yours: str  # "" where only the place is known


@dataclass(frozen=True)
class Suspect:
    """One name for what is wrong.

    kind : one of KINDS.
    where : the parameter, the gate and the time steps.
    evidence : what was measured, with figures.
    hint : what to look at.
    lines : lines of the reference that, changed as shown, give the student's numbers, best first; or, where `yours`
        is "", the lines on which all that is wrong hangs, and nothing that is right.
    certain : True where the student's numbers equal those of the mistake; False where they only resemble it.
    """

    kind: str
    where: Where
    evidence: str
    hint: str
    lines: tuple[SourceLine, ...] = ()
    certain: bool = True

    def __str__(self) -> str:
        place = str(self.where)
        sure = "" if self.certain else "perhaps "
        text = [f"{sure}{self.kind}{f' ({place})' if place else ''}. {KINDS[self.kind]}"]
        text += _wrapped("measured", self.evidence) + _wrapped("look at", self.hint)
        edited = [line for line in self.lines if line.yours]
        for line in edited[:MOST_LINES]:
            text += [f"    the reference, {line.place}:", f"        {line.right}"]
            text += ["    behaves in yours like:", f"        {line.yours}"]
        if len(edited) > MOST_LINES:
            text.append(f"    and {len(edited) - MOST_LINES} more lines that would give the same numbers (see .lines)")
        if self.lines and not edited:
            text += [f"    the place in the reference, {self.lines[0].place}:", f"        {self.lines[0].right}"]
        return "\n".join(text)


def _wrapped(title: str, text: str) -> list[str]:
    first, *rest = textwrap.wrap(text, WIDTH) or [""]
    return [f"    {title}: {first}", *(f"    {' ' * len(title)}  {line}" for line in rest)]


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found.

    suspects : best first.
    measured : what was compared, a sentence each, whether or not it is wrong.
    reference : what the function was compared with, in words.
    """

    suspects: tuple[Suspect, ...]
    measured: tuple[str, ...] = field(default=())
    reference: str = ""

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return not self.suspects

    def __str__(self) -> str:
        lines = [self._title(), *(f"  {text}" for text in self.measured)]
        for number, suspect in enumerate(self.suspects, 1):
            lines += ["", f"{number}. {suspect}"]
        if self.suspects:
            lines += ["", "Mend the first, then run it again: one mistake can hide another."]
        return "\n".join(lines)

    def _title(self) -> str:
        beside = f", compared with {self.reference}" if self.reference else ""
        if self.ok:
            return f"Nothing is wrong{beside}."
        first = self.suspects[0]
        place = str(first.where)
        likely = "" if first.certain else "perhaps "
        return f"Wrong: {likely}{first.kind}{f' ({place})' if place else ''}{beside}."

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
