"""What a gradient check found, as a table: a row an array."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array
from ..plots import heat_map
from .steps import Checked, StepCurve, measure_steps

#: Verdicts in which rounding plays a part begin with these; the table then shows the floor beside them.
ZERO, RIGHT_TO, CANNOT_TELL = "zero, within rounding", "right to ", "cannot tell"
NOT_JUDGED = "not judged"  # a finding says why


class GradientError(AssertionError):
    """A gradient is wrong; the message holds the report."""


@dataclass(frozen=True)
class GradientRow:
    """One array's gradient beside its numerical one.

    A wrong row shows the entry where the two differ most, any other row the entry whose numeric value is largest.
    """

    name: str
    shape: tuple[int, ...]
    error: float  # the larger of ‖a − n‖ / (‖a‖ + ‖n‖) and max|a − n| / max|n|
    index: tuple[int, ...]
    analytic: float
    numeric: float
    floor: float  # what rounding hides: the numeric derivative may be off by about this much
    ok: bool
    verdict: str
    gradient: Array | None = field(default=None, compare=False, repr=False)  # all of it, for `plot`
    measured: Array | None = field(default=None, compare=False, repr=False)  # the numerical one beside it
    method: str = field(default="", compare=False, repr=False)  # that gave it
    check: Checked | None = field(default=None, compare=False, repr=False)  # the loss and the point, for `step_curve`


@dataclass(frozen=True)
class GradientReport:
    """What a gradient check found: a row an array, in `findings` whatever else is wrong, in `explanation` its cause."""

    rows: list[GradientRow]
    method: str
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    explanation: str = ""  # a text under everything else; a check leaves it empty, a diagnosis fills it

    @property
    def ok(self) -> bool:
        """True where there are rows, every one is right, and nothing else was found."""
        return bool(self.rows) and not self.findings and all(row.ok for row in self.rows)

    @property
    def worst(self) -> float:
        """The largest relative error of any array that is not zero within rounding (0 if all are)."""
        return max((row.error for row in self.rows), default=0.0)

    def __getitem__(self, name: str) -> GradientRow:
        """Return the row of one array."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"the report has no row {name!r}; it has {', '.join(row.name for row in self.rows)}")

    def plot(self, name: str | None = None) -> Any:
        """Return a Figure of where one array's gradient is off: |a − n| / max|n| of every entry as a heat map.

        `name` is the array; default the worst. Rows and columns are the array's (a vector is one row; of an array
        with more axes the first ones are laid out as rows, each with its indices). NaN is an empty cell.

        Raises
        ------
        KeyError
            No such array.
        ArgumentError
            An array of which only part was compared, whose gradient had the wrong shape, or without a finite entry.
        """
        row = self._row(name)
        if row.gradient is None or row.measured is None or row.gradient.shape != row.shape:
            validate.fail(
                "GradientReport.plot", f"{row.name or 'the array'} was not compared entry by entry",
                "a row of check_gradients", "there is no error for each entry", "Its verdict: " + row.verdict,
            )
        size = float(np.max(np.abs(row.measured), initial=0.0, where=np.isfinite(row.measured))) or 1.0
        errors = np.maximum(np.abs(row.gradient - row.measured) / size, 1e-17)  # no logarithm shows an error of 0
        errors[~np.isfinite(errors)] = np.nan
        if not np.isfinite(errors).any():
            validate.fail(
                "GradientReport.plot", f"{row.name or 'the array'} has no finite entry", "at least one",
                "there is nothing to colour", "Its verdict: " + row.verdict,
            )
        title = f"{row.name or 'gradient'}: {row.verdict}, largest error {row.error:.1e} by {row.method or self.method}"
        matrix = errors.reshape(-1, errors.shape[-1]) if errors.ndim > 1 else errors.reshape(1, -1)
        places = [", ".join(map(str, place)) for place in np.ndindex(errors.shape[:-1])] if errors.ndim > 2 else None
        return heat_map(matrix, places, title=title, unit="|analytic − numeric| / max|numeric|", log=True, digits=1)

    def step_curve(
        self, name: str | None = None, *, methods: Sequence[str] | None = None, steps: Any = None,
        dtype: Any = np.float64,
    ) -> StepCurve:
        """Return the V curve of one array: its error against the step, as `gradcheck.step_curve` describes it.

        It works for the report of any check that has a loss, of a cell or a layer too. For this a report keeps the
        loss, and so whatever that closes over, as long as it lives; `without_losses` lets go of it, and a file never
        holds it. A loss that no longer gives what it gave in the check is refused.

        Raises
        ------
        KeyError
            No such array.
        ArgumentError
            As `gradcheck.step_curve`; a row without a loss, or a loss that has changed since.
        """
        row = self._row(name)
        if row.check is None or row.gradient is None:
            validate.fail(
                "GradientReport.step_curve", f"{row.name or 'the array'} has no loss to follow",
                "a row of a check that compared it with differences of a loss",
                "the report was read from a file, or its losses were let go, or nothing could be compared",
                "Its verdict: " + row.verdict,
            )
        return measure_steps(
            "GradientReport.step_curve", row.check, row.name, row.gradient, row.index, methods=methods, steps=steps,
            dtype=dtype,
        )

    def plot_steps(self, name: str | None = None) -> Any:
        """Return a Figure of the V curve of one array (default the worst): `step_curve(name).plot()`."""
        return self.step_curve(name).plot()

    def without_losses(self) -> GradientReport:
        """Return the same report without the losses that it keeps for `step_curve`, and what hangs on them."""
        return replace(self, rows=[replace(row, check=None) for row in self.rows])

    def _row(self, name: str | None) -> GradientRow:
        return max(self.rows, key=lambda row: row.error) if name is None and self.rows else self[name or ""]

    def raise_if_wrong(self) -> None:
        """Raise GradientError with the table in its message, unless everything is right."""
        if not self.ok:
            wrong = any(row.verdict.startswith("WRONG") for row in self.rows)
            raise GradientError(f"{'a gradient is wrong' if wrong else 'the check did not pass'}\n{self}")

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                row.name, "×".join(map(str, row.shape)) or "scalar", f"{row.error:.1e}",
                "[" + ", ".join(map(str, row.index)) + "]", f"{row.analytic:.6g}", f"{row.numeric:.6g}", _told(row),
            )
            for row in self.rows
        ]

    def __str__(self) -> str:
        table = [_HEADER, *self._cells()]
        widths = [max(len(line[column]) for line in table) for column in range(len(_HEADER))]
        padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in table]
        lines = ["  ".join(line).rstrip() for line in padded]
        lines += [f"WRONG: {finding}" for finding in self.findings]
        lines += [f"note: {note}" for note in self.notes]
        end = ["", self.explanation] if self.explanation else []
        return "\n".join([*lines, self._summary(), *end])

    def _summary(self) -> str:
        if not self.rows:
            return "no gradient could be checked"
        unsure = sum(not row.ok and not row.verdict.startswith("WRONG") for row in self.rows)
        wrong = sum(not row.ok for row in self.rows) - unsure + len(self.findings)
        parts = [f"{wrong} wrong"] * (wrong > 0) + [f"{unsure} not certain"] * (unsure > 0)
        right = f"all right, largest relative error {self.worst:.1e}"
        return f"{len(self.rows)} gradients checked by {self.method}: {', '.join(parts) or right}"

    def _repr_html_(self) -> str:
        """Show as a table in a notebook (the verdict is a word, not a colour alone)."""
        head = "".join(f'<th scope="col">{title}</th>' for title in _HEADER)
        body = ""
        for row, cells in zip(self.rows, self._cells(), strict=True):
            weight = "" if row.ok else ' style="font-weight:bold"'
            first, *others = (html.escape(cell) for cell in cells)
            cells_html = "".join(f"<td>{cell}</td>" for cell in others)
            body += f'<tr{weight}><th scope="row">{first}</th>{cells_html}</tr>'
        rest = "".join(f"<p><b>WRONG:</b> {html.escape(text)}</p>" for text in self.findings)
        rest += "".join(f"<p>note: {html.escape(text)}</p>" for text in self.notes)
        rest += f"<pre>{html.escape(self.explanation)}</pre>" if self.explanation else ""
        return (
            f"<table><caption>{html.escape(self._summary())}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>{rest}"
        )


_HEADER = ("array", "shape", "rel. error", "entry", "analytic", "numeric", "verdict")


def _told(row: GradientRow) -> str:
    """The verdict, with the floor where it decided."""
    by_floor = row.verdict.startswith((ZERO, RIGHT_TO, CANNOT_TELL))
    return f"{row.verdict} (rounding {row.floor:.1e})" if by_floor else row.verdict
