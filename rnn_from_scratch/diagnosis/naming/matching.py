"""Which hypotheses give the student's numbers: candidates, ranked by how much of what is wrong they explain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array
from .dictionary import source_line
from .hypotheses import Hypothesis
from .labels import MATCH, Bench
from .reference import Change, Gradients, blocks, gates_of, gradients, off
from .slices import lines_about
from .suspects import SourceLine, Suspect

RIGHT = 1e-7  # a block is right below this
FLOAT32 = 100.0  # times these limits, where gradients come as float32
FROM_SOURCE = 5  # the prior of the dictionary
FLOOR = 1e-10  # or where it differs by less than this share of the whole gradient
OUTER = ("W_hy", "b_y")
ODD = (  # edits that only a machine makes
    "another constant", "another key", "decide the condition", "drop the call", "drop an argument", "drop the index",
    "drop a bound", "the step wrapped", "the step looped", "another operator", "drop the statement",
    "a factor too much",
)  # fmt: skip
BESIDE = ("xs", "h0", "c0")


class Trial(NamedTuple):
    """The reference at one point beside what the student's function gave there, by block."""

    bench: Bench
    mine: dict[str, Array]  # the smallest block first
    wrong: frozenset[str]
    slack: float  # 1, or for float32 more: how many times the limits are widened


def trial(bench: Bench, grads: Gradients, single: bool = False) -> Trial:
    """Find the wrong blocks at one point (those of another shape are tier 3's); `single` tells of float32."""
    slack = FLOAT32 if single else 1.0
    shaped = {name: array for name, array in grads.items() if _fits(bench, name, array)}
    mine = blocks(gates_of(bench.at.cell), shaped)
    size = float(np.sqrt(sum(np.vdot(a, a) for a in bench.truth.values())))
    wrong = frozenset(
        name for name, array in mine.items()
        if off(array, bench.truth[name]) > RIGHT * slack
        and np.linalg.norm(array - bench.truth[name]) > FLOOR * slack * size
    )
    return Trial(bench, dict(sorted(mine.items(), key=lambda item: item[1].size)), wrong, slack)


def _fits(bench: Bench, name: str, array: Array) -> bool:
    arrays = {**bench.at.params, "xs": bench.at.xs, **dict(zip(("h0", "c0"), bench.at.state, strict=False))}
    return name in arrays and array.shape == arrays[name].shape


@dataclass(frozen=True)
class Candidate:
    """A suspect, and which wrong blocks it explains.

    explains : wrong blocks whose numbers it gives.
    contradicts : wrong blocks that it would make wrong in another way; all of one parameter.
    prior : smaller is likelier, among those that explain as much.
    """

    suspect: Suspect
    explains: frozenset[str]
    contradicts: frozenset[str]
    prior: tuple[float, ...]


def from_hypotheses(
    hypotheses: Iterable[Hypothesis], trials: list[Trial], wrong: frozenset[str], prior: int,
    rejects: Callable[[Change], bool] | None = None,
) -> Iterator[Candidate]:
    """Yield the hypotheses whose gradients are the student's, at every point; `rejects` is a sieve before that."""
    deltas_right = not any(name.partition(":")[0] == "b_h" for name in wrong)
    for number, hypothesis in enumerate(hypotheses):
        if hypothesis.change.moves_deltas and (deltas_right or (rejects and rejects(hypothesis.change))):
            continue  # b_h is the sum of the deltas
        explained, contradicted, gap = wrong, frozenset[str](), 0.0
        for one in trials:
            found = _compare(hypothesis, one, wrong)
            if found is None:
                break
            explained, contradicted, gap = explained & found[0], contradicted | found[1], max(gap, found[2])
        else:
            if explained and len({name.partition(":")[0] for name in contradicted}) < 2:
                yield Candidate(
                    _suspect(hypothesis, explained, contradicted, gap), explained, contradicted - explained,
                    (_weight(hypothesis), prior, number),
                )


def _weight(hypothesis: Hypothesis) -> float:
    """Edits that people make come before those that only a machine makes."""
    if hypothesis.line is None:
        return 1.0 if hypothesis.odd else 0.0
    return (2.0 if hypothesis.kind == "unknown" else 0.0) + (1.0 if hypothesis.line.what in ODD else 0.0)


def _compare(
    hypothesis: Hypothesis, one: Trial, wrong: frozenset[str]
) -> tuple[frozenset[str], frozenset[str], float] | None:
    """Return (explained, contradicted, largest gap) at one point, or None where it does not fit."""
    try:
        with np.errstate(all="ignore"):
            found = gradients(one.bench.at, hypothesis.change)
            theirs = blocks(gates_of(one.bench.at.cell), found)
            if any(theirs[name].shape != array.shape for name, array in one.mine.items()):
                return None
    except Exception:  # an edit that cannot run is no explanation of one that did
        return None
    explained, contradicted, gap = set(), set(), 0.0
    parameters: set[str] = set()
    for name, array in one.mine.items():
        distance = _quickly(array, theirs[name])
        if distance < MATCH * one.slack:
            if name in wrong:
                explained.add(name)
                gap = max(gap, distance)
        elif _quickly(theirs[name], one.bench.truth[name]) > RIGHT * one.slack:  # a change, but not this one
            parameters.add(name.partition(":")[0])
            if name not in wrong or len(parameters) > 1:
                return None
            contradicted.add(name)
    return (frozenset(explained), frozenset(contradicted), gap) if explained else None


def _quickly(one: Array, other: Array) -> float:
    """Return ‖a − b‖ / √(‖a‖² + ‖b‖²), near enough to `off`; this is called a hundred thousand times."""
    a, b = one.ravel(), other.ravel()
    gap = a - b
    size = float(a @ a + b @ b)
    return float(gap @ gap / size) ** 0.5 if size else 0.0


def _suspect(h: Hypothesis, explained: frozenset[str], contradicted: frozenset[str], gap: float) -> Suspect:
    line = source_line(h)
    evidence = f"{_sentence(h.says)}. With that, the reference gives your {told(explained)}"
    evidence += f" (to {max(gap, 1e-16):.0e})."
    if contradicted - explained:
        evidence += f" {told(contradicted - explained)}: wrong in another way besides."
    return Suspect(h.kind, h.where, evidence, h.hint, (line,) if line else ())


def _sentence(text: str) -> str:
    """Begin a sentence; a symbol keeps its case."""
    first = text.partition(" ")[0]
    return text[0].upper() + text[1:] if first.isalpha() and first.isascii() and len(first) > 2 else text


def told(names: Iterable[str]) -> str:
    """Name blocks for a reader: all gates of a parameter by the parameter alone."""
    parameters: dict[str, str] = {}
    for name in sorted(names, key=_order):
        parameter, _, gate = name.partition(":")
        parameters[parameter] = parameters.get(parameter, "") + gate
    return ", ".join(
        name if gates in ("", "ifgo", "rzn") else f"{name} ({', '.join(gates)})" for name, gates in parameters.items()
    )


def _order(name: str) -> tuple[int, int]:
    known = ("W_xh", "W_hh", "b_h", "b_hn", "W_hy", "b_y", *BESIDE)
    parameter, _, gate = name.partition(":")
    return (known.index(parameter) if parameter in known else -1), "ifgorzn".find(gate) if gate else 0


# Ranking


def ranked(
    candidates: list[Candidate], wrong: frozenset[str], all_names: frozenset[str], cell: Any
) -> tuple[list[Suspect], frozenset[str]]:
    """Choose the candidate that leaves least unexplained, those equal to it, then one for what is left, and so on.

    Returns the suspects, and the wrong blocks that no candidate explains.
    """
    chosen: list[Suspect] = []
    left = wrong
    while left and candidates:
        useful = [c for c in candidates if c.explains & left]
        if not useful:
            break

        def rest(candidate: Candidate, left: frozenset[str] = left) -> int:
            return len(left - candidate.explains) + len(candidate.contradicts & left)

        least = min(map(rest, useful))
        group = sorted((c for c in useful if rest(c) == least), key=lambda c: c.prior)
        chosen += _merged(group, cell, all_names - wrong)
        left = left - group[0].explains
        candidates = [candidate for candidate in candidates if candidate not in group]
    return chosen, left


def _once(lines: list[SourceLine]) -> tuple[SourceLine, ...]:
    """Return one edit for each line of the reference: they give the same numbers."""
    by_place: dict[str, SourceLine] = {}
    for line in lines:
        known = by_place.setdefault(line.place, line)
        if len(line.yours) < len(known.yours):  # W for W.T.T
            by_place[line.place] = line
    return tuple(by_place.values())


def _merged(group: list[Candidate], cell: Any, right: frozenset[str]) -> list[Suspect]:
    """One suspect a kind and gate, the best first, with the lines of all that say the same.

    What only the dictionary says, where a likelier list has a name of another kind, is no suspect of its own: its lines
    give the same numbers and stand behind those of the first.
    """
    merged: dict[tuple[str, str | None], Suspect] = {}
    lines: dict[tuple[str, str | None], list[SourceLine]] = {}
    first = group[0]
    best = (first.suspect.kind, first.suspect.where.gate)
    for candidate in group:
        suspect = candidate.suspect
        key = (suspect.kind, suspect.where.gate)
        if key not in merged and suspect.kind in {kind for kind, _ in merged}:
            key = next(known for known in merged if known[0] == suspect.kind)
        less = candidate.prior[0] > first.prior[0] or candidate.prior[1] >= FROM_SOURCE > first.prior[1]
        if key not in merged and merged and less:
            key = best
        merged.setdefault(key, suspect)
        lines.setdefault(key, []).extend(suspect.lines)
    found = [replace(suspect, lines=_once(lines[key])) for key, suspect in merged.items()]
    if not any(suspect.lines for suspect in found):
        top = found[0]
        found[0] = replace(top, lines=lines_about(cell, top.kind, top.where, first.explains, right))
    return found
