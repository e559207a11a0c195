"""Which hypotheses give the student's numbers: candidates, ranked by how much of what is wrong they explain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ...arrays import Array
from .curated import Hypothesis
from .dictionary import source_line
from .labels import MATCH, Bench, Label, labels, pattern_named
from .reference import Gradients, blocks, gates_of, gradients, off
from .suspects import SourceLine, Suspect, Where

RIGHT = 1e-7  # a block is right below this
FLOOR = 1e-10  # or where it differs by less than this share of the whole gradient
OUTER = ("W_hy", "b_y")
BESIDE = ("xs", "h0", "c0")


class Trial(NamedTuple):
    """The reference at one point beside what the student's function gave there, by block."""

    bench: Bench
    mine: dict[str, Array]  # the smallest block first
    wrong: frozenset[str]


def trial(bench: Bench, grads: Gradients) -> Trial:
    """Find the wrong blocks at one point (those of another shape are tier 3's)."""
    shaped = {name: array for name, array in grads.items() if _fits(bench, name, array)}
    mine = blocks(gates_of(bench.at.cell), shaped)
    size = float(np.sqrt(sum(np.vdot(a, a) for a in bench.truth.values())))
    wrong = frozenset(
        name for name, array in mine.items()
        if off(array, bench.truth[name]) > RIGHT and np.linalg.norm(array - bench.truth[name]) > FLOOR * size
    )
    return Trial(bench, dict(sorted(mine.items(), key=lambda item: item[1].size)), wrong)


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
    hypotheses: Iterable[Hypothesis], trials: list[Trial], wrong: frozenset[str], prior: float
) -> Iterator[Candidate]:
    """Yield the hypotheses whose gradients are the student's, at every point."""
    for number, hypothesis in enumerate(hypotheses):
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
    odd = ("another constant", "another key", "decide the condition", "drop the call", "drop an argument",
           "drop the index", "drop a bound", "the step wrapped", "another operator", "drop the statement")
    return (2.0 if hypothesis.kind == "unknown" else 0.0) + (1.0 if hypothesis.line.what in odd else 0.0)


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
        if distance < MATCH:
            if name in wrong:
                explained.add(name)
                gap = max(gap, distance)
        elif _quickly(theirs[name], one.bench.truth[name]) > RIGHT:  # it changes a block, and not to the student's
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
    evidence = f"The reference's {told(explained)} are yours, to {max(gap, 1e-16):.0e}, where {h.says}."
    if contradicted - explained:
        evidence += f" {told(contradicted - explained)}: wrong in another way besides."
    return Suspect(h.kind, h.where, evidence, h.hint, (line,) if line else ())


def told(names: Iterable[str]) -> str:
    """Name blocks for a reader: all gates of a parameter by the parameter alone."""
    parameters: dict[str, str] = {}
    for name in sorted(names, key=_order):
        parameter, _, gate = name.partition(":")
        parameters[parameter] = parameters.get(parameter, "") + gate
    return ", ".join(
        name if not gates or len(gates) >= 3 and set(gates) >= set(_all_gates(gates)) else f"{name} ({', '.join(gates)})"
        for name, gates in parameters.items()
    )


def _all_gates(gates: str) -> str:
    return "ifgo" if set(gates) & set("ifgo") else "rzn"


def _order(name: str) -> tuple[int, int]:
    known = ("W_xh", "W_hh", "b_h", "b_hn", "W_hy", "b_y", *BESIDE)
    parameter, _, gate = name.partition(":")
    return (known.index(parameter) if parameter in known else -1), "ifgorzn".find(gate) if gate else 0


# Labels


def from_labels(trials: list[Trial], wrong: frozenset[str], hidden: frozenset[str]) -> Iterator[Candidate]:
    """Yield what holds of wrong blocks by their numbers alone, at every point; blocks of one label together."""
    values: dict[str, dict[Label, list[float]]] = {}
    for name in wrong:
        found = [labels(one.bench, name, one.mine[name]) for one in trials if name in one.wrong]
        common = set(found[0]).intersection(*found[1:])
        values[name] = {label: [each[label] for each in found] for label in found[0] if label in common}
    groups: dict[Label, list[str]] = {}
    for name, held in values.items():
        best = [label for label in held if label.what == "factor"][:1]  # the simplest formula
        for label in held:
            if label.what != "factor" or label in best:
                groups.setdefault(label if label.what != "copy" else Label("copy"), []).append(name)
    for label, names in groups.items():
        if label.what == "multiple" and any(lab.what == "factor" for name in names for lab in values[name]):
            continue
        yield from _labelled(label, frozenset(names), values, trials, hidden)


def _labelled(
    label: Label, names: frozenset[str], values: Mapping[str, Mapping[Label, list[float]]], trials: list[Trial],
    hidden: frozenset[str],
) -> Iterator[Candidate]:
    where, outer = _where(names, trials[0]), names <= set(OUTER)
    whose, numbers = told(names), [value for name in names for value in values[name].get(label, [])]

    def made(kind: str, prior: float, evidence: str, hint: str, at: Where = where) -> Candidate:
        return Candidate(Suspect(kind, at, evidence, hint), names, frozenset(), (0.0, prior, 0.0))

    if label.what == "zero":
        yield made("output-layer" if outer else "zero", 0.0, f"{whose}: yours is 0 everywhere.",
                   "Is the line that adds to it ever reached, and is it the array that is returned?")
    elif label.what == "factor" and label.which == "−1":
        yield made("sign", 0.1, f"{whose}: yours is the right one times −1.",
                   "The sign where it begins: ∂L/∂y = p − (1 at the target), not the other way round; += where it adds up.")
    elif label.what == "factor":
        yield made("scale", 0.2, f"{whose}: yours is the right one times {label.which} "
                   f"({numbers[0]:.4g} at T = 5, N = 3).", _scale_hint(label.which))
    elif label.what == "multiple":
        yield from _multiple(made, names, whose, numbers, trials)
    elif label.what == "transposed":
        sign = " with the wrong sign" if label.which else ""
        yield made("transposed", 0.3, f"{whose}: yours is the transpose of the right one{sign}.",
                   "dW = inputᵀ · delta, in rows; delta · inputᵀ in columns. No shape error tells for a square matrix.")
    elif label.what == "copy":
        yield from _copies(names, values, whose, where)
    elif label.what == "clip":
        limit = max(numbers)
        if all(abs(number - limit) < 1e-9 * limit for number in numbers):
            yield made("clipped", 0.25, f"{whose}: yours is the right one cut off at ±{limit:.4g}.",
                       "Clipping belongs to the update, after the gradient has been returned and checked.")
    elif label.what == "decay":
        rate = f"{min(numbers):.4g}" if max(numbers) - min(numbers) < 1e-6 * max(map(abs, numbers)) else (
            f"between {min(numbers):.4g} and {max(numbers):.4g}")
        yield made("regulariser", 0.35, f"{whose}: yours minus the right one is λ·{label.which}, λ = {rate}.",
                   "Weight decay belongs into the loss as well, or into the optimiser.")
    elif label.what == "sequence":
        yield made("not-summed-over-batch", 0.4, f"{whose}: yours is that of the {label.which} sequence alone.",
                   "Sum over the batch: delta.sum(axis=0), or the matrix product over all rows.")
    elif label.what == "steps":
        pattern = pattern_named(label.which, trials[0].bench.sizes["T"])
        whole = hidden <= names
        kind = pattern.kind if whole else "output-layer" if outer else pattern.alone
        yield made(kind, 0.5 if whole else 0.45, f"{whose}: {pattern.says}; with just these shares of the reference's "
                   "gradient, yours is met.", _steps_hint(kind), where._replace(time=pattern.time))
    elif label.what == "reordered":
        yield made("swapped", 0.9, f"{whose}: yours has the right numbers in other places.",
                   "A reshape or a transpose too much, or blocks put together in another order.")


def _multiple(made: object, names: frozenset[str], whose: str, numbers: list[float], trials: list[Trial]) -> Iterator[
    Candidate
]:
    assert callable(made)
    norms = [float(np.sqrt(sum(np.vdot(a, a) for a in one.mine.values()))) for one in trials]
    if max(numbers) - min(numbers) < 1e-6 * max(map(abs, numbers)):
        yield made("scale", 0.6, f"{whose}: yours is the right one times {numbers[0]:.6g}.", "A constant factor.")
    elif len(norms) > 1 and max(norms) - min(norms) < 1e-6 * max(norms):
        yield made("clipped", 0.55, f"{whose}: your whole gradient has the norm {norms[0]:.4g} at every point.",
                   "Clipping by norm belongs to the update, after the gradient has been returned and checked.")
    else:
        told_numbers = ", ".join(f"{number:.4g}" for number in sorted(set(numbers))[:4])
        yield made("scale", 0.8, f"{whose}: yours is the right one times a number that differs: {told_numbers}.",
                   "A factor that depends on the data: a norm, a count, a mean.")


def _copies(
    names: frozenset[str], values: Mapping[str, Mapping[Label, list[float]]], whose: str, where: Where
) -> Iterator[Candidate]:
    """Blocks that are another block's: exchanged with each other, or copied."""
    source = {name: next(label.which for label in values[name] if label.what == "copy") for name in names}
    mutual = len(names) > 1 and set(source.values()) == set(source)
    pairs = "; ".join(f"yours in {one} is the right one of {other}" for one, other in sorted(source.items()))
    if mutual:
        yield Candidate(Suspect("swapped", where, f"{pairs}.".capitalize(),
                                "The order in which the gates (or the gradients) are put together."),
                        names, frozenset(), (0.0, 0.3, 0.0))
    else:
        yield Candidate(Suspect("wrong-gate", where, f"{pairs}.".capitalize(),
                                "A line copied from another gate, with one name not changed."),
                        names, frozenset(), (0.0, 0.35, 0.0))


def _where(names: frozenset[str], one: Trial) -> Where:
    parameters = {name.partition(":")[0] for name in names}
    gates = {name.partition(":")[2] for name in names} - {""}
    every = set(gates_of(one.bench.at.cell))
    gate = "".join(sorted(gates, key="ifgorzn".index)) if gates and gates != every else None
    return Where(parameters.pop() if len(parameters) == 1 else None, gate)


def _scale_hint(formula: str) -> str:
    if "/" in formula:
        return "A mean where a sum is meant: the total is the sum of the losses, undivided."
    return "A sum where there should be none, or a factor such as the 2 of a square left in."


def _steps_hint(kind: str) -> str:
    return {
        "carry-dropped": "What goes from one turn of the backward loop to the next: it starts at zero and has to be "
        "assigned at the end of each turn.",
        "last-step-only": "∂L/∂y_t of every step reaches h_t: add W_hyᵀ dy_t inside the loop.",
        "not-summed-over-time": "+= inside the loop, not =; and zeros before it, not inside.",
        "truncated": "A range that ends early, or a bptt_truncate that is on by default.",
        "output-layer": "The line that adds up this gradient: every step, +=.",
        "sign": "The line that puts dh together: dh_here + dh_future.",
        "wrong-time-index": "The bounds of the loop: range(T - 1, -1, -1) is every step.",
        "not-reset": "A line inside the loop that belongs after it, or one += too much.",
    }[kind]


# Ranking


def ranked(candidates: list[Candidate], wrong: frozenset[str]) -> list[Suspect]:
    """Choose suspects: the candidate that leaves least unexplained, those equal to it, then one for what is left."""
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
        chosen += _merged(group)
        left = left - group[0].explains - group[0].contradicts
    return chosen


def _merged(group: list[Candidate]) -> list[Suspect]:
    """One suspect a kind and gate, the best first, with the lines of all that say the same."""
    merged: dict[tuple[str, str | None], Suspect] = {}
    lines: dict[tuple[str, str | None], list[SourceLine]] = {}
    for candidate in group:
        suspect = candidate.suspect
        key = (suspect.kind, suspect.where.gate)
        if key not in merged and suspect.kind in {kind for kind, _ in merged}:
            key = next(known for known in merged if known[0] == suspect.kind)
        merged.setdefault(key, suspect)
        lines.setdefault(key, []).extend(suspect.lines)
    return [replace(suspect, lines=tuple(dict.fromkeys(lines[key]))) for key, suspect in merged.items()]
