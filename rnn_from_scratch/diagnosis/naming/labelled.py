"""Candidates from labels: blocks that hold the same label are one suspect, with the kind that the label means there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ...arrays import Array
from .labels import MATCH, Label, labels, pattern_named
from .matching import OUTER, Candidate, Trial, told
from .reference import gates_of, off
from .suspects import Suspect, Where


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
    yield from _rearranged(trials, wrong)
    for label, names in groups.items():
        if label.what == "multiple" and any(lab.what == "factor" for name in names for lab in values[name]):
            continue
        yield from _labelled(label, frozenset(names), values, trials, hidden)


def _rearranged(trials: list[Trial], wrong: frozenset[str]) -> Iterator[Candidate]:
    """The numbers of a whole array in other places: across its gates, where no block by itself shows it."""
    for parameter in dict.fromkeys(name.partition(":")[0] for name in wrong if ":" in name):
        blocks = [name for name in trials[0].mine if name.partition(":")[0] == parameter]
        if all(off(_sorted(one.mine, blocks), _sorted(one.bench.truth, blocks)) < MATCH for one in trials):
            names = frozenset(blocks) & wrong
            yield Candidate(Suspect(
                "swapped", Where(parameter), f"{parameter}: yours has the right numbers in other places.",
                "A reshape or a transpose too much, or blocks put together in another order.",
            ), names, frozenset(), (1.0, 0.9, 0.0))


def _sorted(arrays: Mapping[str, Array], names: list[str]) -> Array:
    return np.sort(np.concatenate([arrays[name] for name in names], axis=None))


def _labelled(
    label: Label, names: frozenset[str], values: Mapping[str, Mapping[Label, list[float]]], trials: list[Trial],
    hidden: frozenset[str],
) -> Iterator[Candidate]:
    where, outer = _where(names, trials[0]), names <= set(OUTER)
    whose, numbers = told(names), [value for name in names for value in values[name].get(label, [])]

    def made(kind: str, prior: float, evidence: str, hint: str, at: Where = where) -> Candidate:
        odd = 1.0 if label.what == "reordered" else 0.0  # it says less than others
        return Candidate(Suspect(kind, at, evidence, hint), names, frozenset(), (odd, prior, 0.0))

    if label.what == "zero":
        yield made("output-layer" if outer else "zero", 0.0, f"{whose}: yours is 0 everywhere.",
                   "Is the line that adds to it ever reached, and is it the array that is returned?")
    elif label.what == "factor" and label.which == "−1":
        yield made("sign", 0.1, f"{whose}: yours is the right one times −1.",
                   "The sign where it begins: ∂L/∂y = p − (1 at the target), not the other way round; += where it adds "
                   "up.")
    elif label.what == "factor":
        yield made("scale", 0.2, f"{whose}: yours is the right one times {label.which} "
                   f"({numbers[0]:.4g} at T = 5, N = 3).", _scale_hint(label.which))
    elif label.what == "multiple":
        yield from _multiple(made, whose, numbers, trials)
    elif label.what == "transposed":
        sign = " with the wrong sign" if label.which else ""
        yield made("transposed", 0.3, f"{whose}: yours is the transpose of the right one{sign}.",
                   "dW = inputᵀ · delta, in rows; delta · inputᵀ in columns. No shape error tells for a square matrix.")
    elif label.what == "copy":
        yield from _copies(names, values, where)
    elif label.what == "clip":
        limit = max(numbers)
        if all(abs(number - limit) < 1e-9 * limit for number in numbers):
            yield made("clipped", 0.25, f"{whose}: yours is the right one cut off at ±{limit:.4g}.",
                       "Clipping belongs to the update, after the gradient has been returned and checked.")
    elif label.what == "decay":
        constant = max(numbers) - min(numbers) < 1e-6 * max(map(abs, numbers))
        if not constant and all(trials[0].mine[name].size == 1 for name in names):
            return  # one number is a multiple of any other
        rate = f"{min(numbers):.4g}" if constant else f"between {min(numbers):.4g} and {max(numbers):.4g}"
        yield made("regulariser", 0.35, f"{whose}: yours minus the right one is λ·{label.which}, λ = {rate}.",
                   "Weight decay belongs into the loss as well, or into the optimiser.")
    elif label.what == "sequence":
        yield made("not-summed-over-batch", 0.4, f"{whose}: yours is that of the {label.which} sequence alone.",
                   "Sum over the batch: delta.sum(axis=0), or the matrix product over all rows.")
    elif label.what == "steps":
        pattern = pattern_named(label.which, trials[0].bench.sizes["T"])
        whole = hidden <= names
        kind = pattern.kind if whole else "output-layer" if outer else pattern.alone
        if kind == "output-layer" and set(OUTER) <= names:
            kind = pattern.alone
        yield made(kind, 0.5 if whole else 0.45, f"{whose}: {pattern.says}. The right gradient less what is missing so "
                   "is yours.", _steps_hint(kind), where._replace(time=pattern.time))
    elif label.what == "reordered":
        yield made("swapped", 0.9, f"{whose}: yours has the right numbers in other places.",
                   "A reshape or a transpose too much, or blocks put together in another order.")


def _multiple(made: Callable[..., Candidate], whose: str, numbers: list[float], trials: list[Trial]) -> Iterator[
    Candidate
]:
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
    names: frozenset[str], values: Mapping[str, Mapping[Label, list[float]]], where: Where
) -> Iterator[Candidate]:
    """Blocks that are another block's: exchanged with each other, or copied."""
    source = {name: next(label.which for label in values[name] if label.what == "copy") for name in names}
    mutual = len(names) > 1 and set(source.values()) == set(source)
    pairs = "; ".join(f"{told([a])}: yours is the right one of {told([b])}" for a, b in sorted(source.items()))
    if mutual:
        yield Candidate(Suspect("swapped", where, f"{pairs}.",
                                "The order in which the gates (or the gradients) are put together."),
                        names, frozenset(), (0.0, 0.3, 0.0))
    else:
        yield Candidate(Suspect("wrong-gate", where, f"{pairs}.",
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
        "output-layer": "The line that takes ∂L/∂y_t to W_hy, b_y and h_t: every step, +=.",
        "carry-dropped": "What goes from one turn of the backward loop to the next: it starts at zero and has to be "
        "assigned at the end of each turn.",
        "last-step-only": "∂L/∂y_t of every step reaches h_t: add W_hyᵀ dy_t inside the loop.",
        "not-summed-over-time": "+= inside the loop, not =; and zeros before it, not inside.",
        "truncated": "A range that ends early, or a bptt_truncate that is on by default.",
        "sign": "The line that puts dh together: dh_here + dh_future.",
        "wrong-time-index": "The bounds of the loop: range(T - 1, -1, -1) is every step.",
        "not-reset": "A line inside the loop that belongs after it, or one += too much.",
    }[kind]
