"""How often `diagnose` names the mistake: `python -m benchmarks.diagnosing [PART …]`, saved in results/diagnosing.json.

Parts, each replaced in the saved file when it is run:

museum      the exhibits, wrong and right, five seeds each
students    wrong, right and broken backward passes written in other styles before any rule was (tests/diagnosis)
heldout     a third of those, which nobody who wrote a rule had seen: scored once, when the rules stood
unseen      three more batches (first, second, third), each written by someone who had seen neither the rules nor the
            held-out third, and each answered by new rules afterwards. FIRST_SIGHT says how they fell before that.
mutants     single edits of the RNN's, the LSTM's and both GRUs' own backward passes that change a gradient: is the
            edited line among the suspects, is it the first? For every K-th of them once more with that very edit
            taken out of the dictionary, so that its line has to be found by other means.

`--seeds N` takes other than five seeds (the saved `unseen` has two), `--every N` every N-th mutant, `--left-out K`
another K than 7 (the saved one has 12).
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from benchmarks.machine import RESULTS, load_result, save_result
from rnn_from_scratch import bptt
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import Diagnosis, diagnose
from rnn_from_scratch.diagnosis.museum import EXHIBITS
from rnn_from_scratch.diagnosis.mutants import Mutant, mutants
from rnn_from_scratch.diagnosis.naming.dictionary import leaving_out
from rnn_from_scratch.diagnosis.naming.problem import HIDDEN, INPUTS
from rnn_from_scratch.diagnosis.naming.reference import Change, Point, forward, gradients, off

NAME = "diagnosing"
UNSEEN = ("unseen/first", "unseen/second", "unseen/third")
TESTS = Path(__file__).parents[1] / "tests" / "diagnosis"
REFERENCES: dict[str, Any] = {
    "rnn": "rnn", "lstm": "lstm", "gru": "gru", "gru-before": GRUCell(INPUTS, HIDDEN, reset_after=False)
}
CELLS = {
    "rnn": RNNCell(INPUTS, HIDDEN), "lstm": LSTMCell(INPUTS, HIDDEN), "gru": GRUCell(INPUTS, HIDDEN),
    "gru-before": GRUCell(INPUTS, HIDDEN, reset_after=False),
}
#: Named first, of so many wrong ones, one seed, before any rule had been written with the batch in view. The first
#: batch was stopped at its 44th case by an exception inside diagnose.
FIRST_SIGHT = {"first": (31, 43), "second": (27, 40), "third": (26, 30)}
CHANGED = 1e-6  # a mutant that moves no gradient by more, at either of two points, is no mistake


def timed(function: Callable[..., Any], reference: str, seed: int) -> tuple[Diagnosis, float]:
    """Diagnose; return the diagnosis and the seconds of processor time."""
    start = time.process_time()
    found = diagnose(function, REFERENCES[reference], rng=np.random.default_rng(seed))
    return found, time.process_time() - start


# Museum


def museum(seeds: int) -> dict[str, Any]:
    """Every exhibit: rejected, and its kind named first; the right one accepted."""
    rows = []
    for exhibit in EXHIBITS.values():
        wrong = [timed(exhibit.wrong, exhibit.reference, seed) for seed in range(seeds)]
        right = [timed(exhibit.right, exhibit.reference, seed)[0] for seed in range(seeds)]
        rows.append({
            "name": exhibit.name, "reference": exhibit.reference, "kind": exhibit.kind,
            "rejected": sum(not found.ok for found, _ in wrong),
            "named first": sum(bool(found.suspects) and found.suspects[0].kind == exhibit.kind for found, _ in wrong),
            "right accepted": sum(found.ok for found in right), "seconds": _round(max(s for _, s in wrong)),
        })
    return {"seeds": seeds, "seconds by reference": _worst(rows), "rows": rows,
            **_sums(rows, ("rejected", "named first", "right accepted"))}


# Students


def load_cases(folder: str) -> list[Any]:
    """Return the cases of tests/diagnosis/students, heldout or unseen, newly loaded."""
    if "student_case" not in sys.modules:
        spec = importlib.util.spec_from_file_location("student_case", TESTS / "student_case.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["student_case"] = module
        spec.loader.exec_module(module)
    read = sys.modules["student_case"]
    cases: list[Any] = []
    for name in UNSEEN if folder == "unseen" else (folder,):
        cases += read.load(TESTS / name / "index.py").CASES
    return cases


def students(folder: str, seeds: int) -> dict[str, Any]:
    """Every case of a folder: wrong ones named, right ones accepted, broken ones explained."""
    rows = [_student(case, seeds) for case in load_cases(folder)]
    by_sort = {sort: [row for row in rows if row["sort"] == sort] for sort in ("wrong", "right", "broken")}
    return {
        "seeds": seeds, "rows": rows, "seconds by reference": _worst(rows),
        **{sort: {"cases": len(some), **_sums(some, ("rejected", "named first", "certain and wrong"))}
           for sort, some in by_sort.items()},
    }


def _worst(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the longest diagnosis of each reference."""
    found: dict[str, float] = {}
    for row in rows:
        found[row["reference"]] = max(row["seconds"], found.get(row["reference"], 0.0))
    return found


def _student(case: Any, seeds: int) -> dict[str, Any]:
    sort = "right" if case.kind is None else "broken" if case.kind == "broken" else "wrong"
    allowed = {case.kind, *case.also}
    found = [timed(case.function, case.reference, seed) for seed in range(seeds)]
    first = [diagnosis.suspects[0] if diagnosis.suspects else None for diagnosis, _ in found]
    return {
        "name": case.name, "reference": case.reference, "sort": sort, "kind": case.kind, "also": list(case.also),
        "names": sorted({suspect.kind if suspect else "" for suspect in first}),
        "rejected": sum(suspect is not None for suspect in first),
        "named first": sum(suspect is not None and suspect.kind in allowed for suspect in first),
        "certain and wrong": sum(
            suspect is not None and suspect.certain and sort != "broken" and suspect.kind not in allowed
            for suspect in first),
        "seconds": _round(max(seconds for _, seconds in found)),
    }


# Mutants


def mutant_students(reference: str) -> Iterator[tuple[Mutant, Callable[..., Any]]]:
    """Yield the mutants of a cell's backward pass and of the time loop, each as a student's function."""
    cell: Any = CELLS[reference]
    kind = type(cell)
    point = _point(cell, 0)
    for function, part in ((kind.step_backward, "step"), (kind.param_grads, "collect"), (bptt.unroll_backward, "loop")):
        with np.errstate(all="ignore"):
            made = mutants(function, lambda: gradients(forward(cell, point)))
        for mutant in made:
            edited = FunctionType(mutant.code, sys.modules[function.__module__].__dict__)
            yield mutant, _as_student(cell, Change(**{part: edited}))


def _as_student(cell: Any, change: Change) -> Callable[..., Any]:
    def loss_and_grads(params: Any, xs: Any, targets: Any, state: Any) -> tuple[Any, Any]:
        at = forward(cell, Point(params, xs, targets, state))
        found = gradients(at, change)
        return at.losses, {name: found[name] for name in params}

    return loss_and_grads


def _point(cell: Any, seed: int) -> Point:
    rng = np.random.default_rng(seed)
    shapes = {**dict(cell.param_shapes()), "W_hy": (HIDDEN, 4), "b_y": (4,)}
    state = tuple(rng.standard_normal((3, HIDDEN)) for _ in cell.initial_state(3))
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return Point(params, rng.standard_normal((5, 3, INPUTS)), rng.integers(4, size=(5, 3)), state)


def _effect(student: Callable[..., Any], cell: Any) -> str:
    """Return "none", "changed", or "raised"."""
    for seed in (1, 2):
        point = _point(cell, seed)
        right = gradients(forward(cell, point))
        try:
            with np.errstate(all="ignore"):
                grads = student(*point)[1]
            if any(grads[k].shape != right[k].shape or not off(grads[k], right[k]) < CHANGED for k in grads):
                return "changed"
        except Exception:
            return "raised"
    return "none"


def mutant_lines(every: int, left_out: int) -> dict[str, Any]:
    """Every mutant that changes a gradient: rejected, and the edited line among the suspects."""
    result: dict[str, Any] = {"every": every, "left out, every": left_out}
    for reference, cell in CELLS.items():
        rows: list[dict[str, Any]] = []
        for mutant, student in list(mutant_students(reference))[::every]:
            effect = _effect(student, cell)
            if effect == "none":
                continue
            row = {"edit": mutant.label, "raises": effect == "raised"}
            row |= _located(student, reference, mutant)
            rows.append(row)
            if effect != "raised" and sum(not r["raises"] for r in rows) % left_out == 0:
                with leaving_out(mutant):
                    row |= {f"{key}, left out": value for key, value in _located(student, reference, mutant).items()}
        result[reference] = _line_counts(rows)
        print(reference, {key: value for key, value in result[reference].items() if key != "missed"}, flush=True)
    return result


def _located(student: Callable[..., Any], reference: str, mutant: Mutant) -> dict[str, Any]:
    found, seconds = timed(student, reference, 0)
    place = f"{mutant.file}:{mutant.line}"
    lines = [line.place for suspect in found.suspects for line in suspect.lines]
    told = [line.endswith(place) for line in lines]
    certain = bool(found.suspects) and found.suspects[0].certain and bool(found.suspects[0].lines)
    return {
        "rejected": not found.ok, "among": any(told), "first": bool(told) and told[0],
        "certain elsewhere": certain and not any(told), "seconds": seconds, "lines": len(set(lines)),
    }


def _line_counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    ran = [row for row in rows if not row["raises"]]
    counted: dict[str, Any] = {
        "mutants": len(rows), "raise": len(rows) - len(ran), "rejected": sum(row["rejected"] for row in rows),
        "located": len(ran),
    }
    again = [row for row in ran if "among, left out" in row]
    counted["left out"] = len(again)
    for key in ("among", "first", "certain elsewhere"):
        counted[key] = sum(row[key] for row in ran)
        counted[f"{key}, left out"] = sum(row[f"{key}, left out"] for row in again)
    counted["lines, mean"] = _round(float(np.mean([row["lines"] for row in ran])))
    counted["seconds, worst"] = _round(max(row["seconds"] for row in rows))
    counted["missed"] = [row["edit"] for row in ran if not row["among"]]
    counted["missed, left out"] = [row["edit"] for row in again if not row["among, left out"]]
    return counted


# Together


def _sums(rows: list[dict[str, Any]], keys: tuple[str, ...]) -> dict[str, int]:
    return {key: sum(row[key] for row in rows if key in row) for key in keys}


def _round(number: float) -> float:
    return float(f"{number:.3g}")


def main() -> None:
    """Run the parts named, and save them beside the others."""
    parser = argparse.ArgumentParser(description="How often diagnose names the mistake.")
    parts = ("museum", "students", "heldout", "unseen", "mutants")
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*parts, []], help=f"of {', '.join(parts)}")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--left-out", type=int, default=7)
    options = parser.parse_args()
    for part in options.parts or parts:
        if part == "museum":
            found = museum(options.seeds)
        elif part == "mutants":
            found = mutant_lines(options.every, options.left_out)
        else:
            found = students(part, options.seeds)
            if part == "unseen":
                found["first sight"] = FIRST_SIGHT
        print(part, {key: value for key, value in found.items() if key != "rows"}, flush=True)
        saved = load_result(NAME) if (RESULTS / f"{NAME}.json").exists() else {}  # another part may have come meanwhile
        saved.pop("machine", None)
        save_result(NAME, {**saved, part: found})


if __name__ == "__main__":
    main()
