"""claims: the article's claims as experiments, with their verdicts."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..article.claims.registry import CLAIMS, Claim, chosen
from ..article.claims.running import Outcome, run_claims
from .console import as_json, counted


def add_commands(commands: Any) -> None:
    """Add it."""
    parser = commands.add_parser(
        "claims", help="test what the article claims: an experiment and a verdict each",
        description="Run the experiments on the article's claims and print their verdicts: holds, holds where …, or "
        "does not hold. All of them take about a quarter of an hour on two cores, with --quick under two minutes (then "
        "with one or two seeds: a look, no verdict to quote). Claims about time need a machine that does nothing else. "
        "Exits with 1 if an experiment fails to run, whatever the verdicts.",
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"one of {', '.join(CLAIMS)}; default all")
    parser.add_argument("--quick", action="store_true", help="short versions")
    parser.add_argument("--verbose", action="store_true", help="what each experiment reports meanwhile")
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of the table")
    parser.set_defaults(run=_claims)


def _claims(options: argparse.Namespace) -> tuple[int, str]:
    claims = chosen(options.ids)
    outcomes = collect(claims, quick=options.quick, verbose=options.verbose)
    code = 1 if any(outcome.fault for outcome in outcomes) else 0
    if options.json:
        return code, as_json([
            {"id": one.id, "claim": CLAIMS[one.id].claim, "verdict": one.verdict or None, "fault": one.fault or None,
             "seconds": round(one.seconds, 1)} for one in outcomes
        ])
    return code, table(claims, outcomes, options.quick)


def collect(claims: Sequence[Claim], *, quick: bool, verbose: bool = False) -> list[Outcome]:
    """Run claims with a progress bar (or a line each without a terminal); return their outcomes in order."""
    found: dict[str, Outcome] = {}
    with Bar(len(claims)) as advance:
        for outcome in run_claims(claims, quick=quick, verbose=verbose):
            found[outcome.id] = outcome
            advance(outcome)
    return [found[claim.id] for claim in claims]


class Bar:
    """tqdm's bar in a terminal; elsewhere a line for each experiment that has ended."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.bar = total, 0, None
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return
        if sys.stderr is not None and sys.stderr.isatty():
            self.bar = tqdm(total=total, unit="claim", leave=False)

    def __enter__(self) -> Callable[[Outcome], None]:
        """Return the function that counts."""
        return self.advance

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()

    def advance(self, outcome: Outcome) -> None:
        """Count one that has ended."""
        self.done += 1
        if self.bar is not None:
            self.bar.set_postfix_str(f"{outcome.id} done", refresh=False)
            self.bar.update()
        else:
            with suppress(OSError):  # nobody reads it: the table is what counts
                print(f"  {outcome.id} done, {self.done} of {self.total} ({outcome.seconds:.0f} s)", file=sys.stderr)


def table(claims: Sequence[Claim], outcomes: Sequence[Outcome], quick: bool) -> str:
    """Return a paragraph a claim: what the article says, and what was found."""
    width = min(shutil.get_terminal_size((110, 40)).columns, 120)
    lines = []
    for claim, outcome in zip(claims, outcomes, strict=True):
        told = f"(notebook {claim.notebook}, {outcome.seconds:.0f} s)"
        lines.append(f"{claim.id:<4}{claim.section}: {claim.claim} {told}")
        said = f"could not be tested: {outcome.fault}" if outcome.fault else outcome.verdict
        lines += textwrap.wrap(said, width, initial_indent="    ", subsequent_indent="    ")
    failed = sum(bool(outcome.fault) for outcome in outcomes)
    lines.append(
        f"{counted(len(outcomes), 'claim')} tested" + (f", {failed} of them FAILED to run" if failed else "")
        + (". Short versions: a look, no verdict to quote." if quick else ".")
    )
    return "\n".join(lines)


