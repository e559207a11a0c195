"""`diagnose`: the tiers of a diagnosis in their order, from how a function behaves to which line it gets wrong.

1 purity, 2 forward, 3 shape, 4 one factor, 5 structured residuals, 6 shares of the losses, 7 which parameters and from
which sizes on, 8 the deltas themselves, 9 hypotheses: a curated list, and every single edit of the reference's source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ... import validate
from .curated_cells import in_cells
from .curated_sums import in_sums
from .curated_time import in_time
from .dictionary import READ, dictionary, in_part
from .forwards import forward_suspects
from .generic import numeric_bench
from .guesses import guesses
from .labelled import from_labels
from .labels import bench
from .lines import line_suspects
from .matching import BESIDE, FROM_SOURCE, OUTER, Candidate, Trial, from_hypotheses, ranked, told, trial
from .own_values import recovered
from .problem import LEAST, SIZES, Problem, make_point, orthonormal_point, problem_of, sized
from .reference import Forward, gradients, off
from .shaped import shape_suspects
from .sieve import made
from .slices import lines_of
from .slopes import slope_hypotheses
from .student import Answer, BrokenAnswerError, Student, purity
from .suspects import Diagnosis, Suspect, Where


def diagnose(
    loss_and_grads: Callable[..., Any], reference: Any = "rnn", *, rng: np.random.Generator | None = None
) -> Diagnosis:
    """Say what is wrong with a backward pass.

    Parameters
    ----------
    loss_and_grads : (params, xs, targets, state) -> (losses, grads)
        params {"W_xh", "W_hh", "b_h", "W_hy", "b_y"}, shapes and gate order as in `cells` ("b_hn" too for "gru"); xs
        (T, N, D) float64; targets (T, N) int, softmax cross-entropy; state (h0,) or (h0, c0), each (N, H).
        losses (T, N), the loss of each step of each sequence, unreduced, or their sum as a scalar; grads the gradient
        of the sum, with the keys of params, and if you like also "xs", "h0", "c0".
        `adapters` turn other shapes of code into this one. It is called with several sizes, T = 1 and N = 1 among
        them, always on copies.
    reference : "rnn", "lstm", "gru", a cell such as GRUCell(16, 5, reset_after=False), or None
        What it should compute. A cell fixes D and H. With None, or with a cell that is not the package's, the losses
        are taken at their word and the gradient is compared with their differences.
    rng : Generator, optional
        Draws the points; default seed 0.

    Returns
    -------
    Diagnosis
        ok where nothing is wrong; else suspects, best first. A function that raises or returns nonsense is a finding.

    Raises
    ------
    ArgumentError
        A reference that is none, a function that cannot be called, an rng that is no Generator.

    Source: notebooks 10 and 12; tests/diagnosis/test_diagnose.py; benchmarks/diagnosing.py measures how often the
    first name is right.
    """
    if not callable(loss_and_grads):
        validate.fail(
            "diagnose", f"loss_and_grads is {loss_and_grads!r:.60}", "a function (params, xs, targets, state) -> "
            "(losses, grads)", "it is called at several points", error=validate.DtypeError,
        )
    rng = np.random.default_rng(0) if rng is None else validate.generator("diagnose", rng)
    problem = problem_of(loss_and_grads)
    cell = sized(reference, problem)
    return case(loss_and_grads, cell, problem, rng)


def case(function: Callable[..., Any], cell: Any, problem: Problem, rng: np.random.Generator) -> Diagnosis:
    """Diagnose a function whose reference and task are known (see `diagnose`)."""
    return _Case(function, cell, problem, rng).diagnosis()


class _Case:
    """One diagnosis in the making."""

    def __init__(self, function: Callable[..., Any], cell: Any, problem: Problem, rng: np.random.Generator) -> None:
        self.cell, self.problem, self.rng = cell, problem, rng
        self.known = type(cell) in READ
        self.student = Student(function, single=problem.last_step_only)
        self.points = {sizes: make_point(cell, problem, sizes, rng) for sizes in (*SIZES, *LEAST)}
        self.answers: dict[tuple[int, int], Answer] = {}
        self.measured: list[str] = []
        self.suspects: list[Suspect] = []
        self.reference = repr(cell) if self.known else "differences of its own losses"

    def diagnosis(self) -> Diagnosis:
        """Go through the tiers."""
        try:
            first, impure = purity(self.student, self.points[SIZES[0]])
        except BrokenAnswerError as broken:
            return Diagnosis((broken.suspect,), (), self.reference)
        if any(suspect.kind != "mutates-input" for suspect in impure):
            return Diagnosis(tuple(impure), (), self.reference)
        self.answers[SIZES[0]] = first
        self._ask_all()
        self.suspects = [*impure, *self.suspects]
        if first.single:
            self.measured.append("Your gradients are float32: nothing below 1e-5 can be told. Use float64 to be sure.")
        if self.known:
            self._against_the_reference()
        else:
            self._against_differences()
        return Diagnosis(tuple(_without_doubles(self.suspects)), tuple(self.measured), self.reference)

    def _ask_all(self) -> None:
        for sizes, point in self.points.items():
            if sizes in self.answers:
                continue
            try:
                self.answers[sizes] = self.student(point)
            except BrokenAnswerError as broken:
                told_before = {suspect.evidence.partition(";")[0] for suspect in self.suspects}
                if broken.suspect.evidence.partition(";")[0] not in told_before:
                    self.suspects.append(broken.suspect)

    def _against_the_reference(self) -> None:
        forwards = {sizes: self.problem.forward(self.cell, self.points[sizes]) for sizes in self.answers}
        wrong = forward_suspects(self.cell, self.problem, forwards, self.answers)
        if wrong:
            self.suspects += wrong
            if wrong[0].kind == "forward-wrong":
                self.measured.append("The losses differ from the reference's, so the gradient is compared with "
                                     "differences of your own losses.")
                self._against_differences(beside_forward=True)
            return
        self.measured.append(f"Losses: those of the reference at all {len(forwards)} points.")
        trials = [self._trial(forwards[sizes], self.answers[sizes]) for sizes in self.answers]
        self._compare(trials)

    def _trial(self, at: Forward, answer: Answer) -> Trial:
        return trial(bench(at, gradients(at)), answer.grads, answer.single)

    def _compare(self, trials: list[Trial]) -> None:
        """Tiers 3 to 9 against a reference that is known."""
        main = [one for one in trials if (one.bench.sizes["T"], one.bench.sizes["N"]) in SIZES]
        main = [one for one in main if one.wrong] or [one for one in trials if one.wrong] or main[:1]
        at = main[0].bench.at
        sizes = SIZES[0] if main[0].bench.sizes["T"] == SIZES[0][0] else SIZES[1]
        self.suspects += shape_suspects(self.points[sizes], self.answers[sizes].grads, main[0].bench,
                                        lambda: dictionary(at))
        wrong = frozenset().union(*(one.wrong for one in main))
        self._tell(trials, wrong)
        if wrong:
            self._name(main, trials, wrong)
        self._other_shapes(trials)

    def _other_shapes(self, trials: list[Trial]) -> None:
        """Add the shapes that are wrong at other sizes only."""
        known = {suspect.where.parameter for suspect in self.suspects if suspect.kind != "mutates-input"}
        for one in trials:
            T, N = one.bench.sizes["T"], one.bench.sizes["N"]
            for suspect in shape_suspects(self.points[T, N], self.answers[T, N].grads, one.bench):
                if suspect.where.parameter not in known:
                    known.add(suspect.where.parameter)
                    self.suspects.append(replace(suspect, evidence=f"With T = {T}, N = {N}: {suspect.evidence}"))
        compared = {(one.bench.sizes["T"], one.bench.sizes["N"]) for one in trials}
        for T, N in sorted(self.answers.keys() - compared):  # without a reference not every size has a truth
            for name, expected in self.points[T, N].params.items():
                shape = self.answers[T, N].grads[name].shape
                if name not in known and shape != expected.shape:
                    known.add(name)
                    evidence = f"With T = {T}, N = {N}: {name} has shape {shape}, expected {expected.shape}."
                    self.suspects.append(Suspect("shape", Where(name), evidence, "keepdims, squeeze or reshape."))

    def _name(self, main: list[Trial], trials: list[Trial], wrong: frozenset[str]) -> None:
        """Tiers 4 to 9: look for what gives the wrong numbers."""
        at = main[0].bench.at
        shared = [name for name in main[0].mine if name not in OUTER]
        hidden = frozenset(name for name in shared if name not in BESIDE)
        candidates = list(from_labels(main, wrong, hidden))
        sieve = made(trials, LEAST[3])
        rejects = None if sieve is None else sieve.rejects
        with np.errstate(all="ignore"):
            if not _explained(candidates, wrong):
                for prior, some in enumerate((in_time, in_sums, in_cells, slope_hypotheses)):
                    candidates += from_hypotheses(some(self.cell), main, wrong, 1 + prior, rejects)
            # The dictionary is asked in any case, for the lines that it knows.
            candidates += from_hypotheses(dictionary(at), main, wrong, FROM_SOURCE, rejects)
            lines: list[Suspect] = []
            if not _explained(candidates, wrong):
                lines = [] if "W_hy" in wrong and not self._outer_known(candidates, wrong) else self._by_lines()
                if not lines or not all(line.certain for line in lines):
                    for more in (slope_hypotheses(self.cell, timed=True), in_part(at)):
                        candidates += from_hypotheses(more, main, wrong, FROM_SOURCE + 1, rejects)
        found, left = ranked(candidates, wrong, frozenset(main[0].mine), self.cell)
        if lines and left:
            found, left = ([*lines, *found] if lines[0].certain else [*found, *lines]), frozenset()
        self._suspect(found, left, trials, self.cell)

    def _suspect(self, found: list[Suspect], left: frozenset[str], trials: list[Trial], cell: Any) -> None:
        """Add what was found, and a guess for what it leaves unexplained."""
        right = frozenset(trials[0].mine) - left
        others = frozenset().union(*(one.wrong for one in trials)) - left
        guess = guesses(trials, left, lines_of(cell, left, right), others) if left else []
        only_beside = all(suspect.where.parameter in BESIDE for suspect in found)
        self.suspects += [*guess, *found] if only_beside else [*found, *guess]

    @staticmethod
    def _outer_known(candidates: list[Candidate], wrong: frozenset[str]) -> bool:
        """True where a mistake of the output layer's own explains it, so that ∂L/∂y may be right for all else."""
        outer = wrong & set(OUTER)
        return any(outer <= candidate.explains <= set(OUTER) for candidate in candidates)

    def _by_lines(self) -> list[Suspect]:
        """Tier 8, where no hypothesis gives all of the numbers: line by line."""
        point = orthonormal_point(self.cell, self.problem, self.rng)
        if point is None:
            return []
        try:
            answer = self.student(point)
        except BrokenAnswerError:
            return []
        at = self.problem.forward(self.cell, point)
        own = recovered(at, answer.grads)
        if own is None or not own.consistent:
            return []
        with np.errstate(all="ignore"):
            return line_suspects(own, [*slope_hypotheses(self.cell), *dictionary(at)])

    def _tell(self, trials: list[Trial], wrong: frozenset[str]) -> None:
        """Tier 7: which parameters pass, and from which sizes on the others fail."""
        names = list(trials[0].mine)
        right = [name for name in names if name not in wrong]
        if not wrong:
            largest = max((off(a, one.bench.truth[k]) for one in trials for k, a in one.mine.items()), default=0.0)
            self.measured.append(f"Gradients: {told(names)} right, largest relative difference {largest:.1e}.")
            return
        largest = max(off(one.mine[name], one.bench.truth[name]) for one in trials for name in one.wrong)
        self.measured.append(f"Gradients: {told(wrong)} wrong (relative difference up to {largest:.2g}); "
                             f"{told(right) or 'none'} right.")
        for one in sorted(trials, key=lambda one: one.bench.sizes["T"] * one.bench.sizes["N"]):
            T, N = one.bench.sizes["T"], one.bench.sizes["N"]
            if (T, N) in LEAST:
                what = f"{told(one.wrong)} wrong" if one.wrong else "all right"
                self.measured.append(f"With T = {T}, N = {N}: {what}.")

    def _against_differences(self, beside_forward: bool = False) -> None:
        """Tiers 3 to 6 against differences of the student's own losses, for a forward pass that is not known."""
        made = [sizes for sizes in (SIZES[0], LEAST[0], LEAST[2]) if sizes in self.answers]
        trials = []
        for sizes in made:
            prepared = numeric_bench(self.student, self.points[sizes], self.answers[sizes], self.cell)
            if prepared is not None:
                trials.append(trial(prepared, self.answers[sizes].grads, self.answers[sizes].single))
        if not trials:
            if not beside_forward:
                self.suspects.append(Suspect(
                    "unknown", Where(), "With one number of an argument moved by 1e-5 it raises, or its losses are not "
                    "finite: nothing is left to compare the gradient with.",
                    "Whether it works for any numbers: a domain of log or sqrt, a table of known inputs, a counter.",
                ))
            return
        main = [one for one in trials[:1] if one.wrong] or [one for one in trials if one.wrong]
        shaped = shape_suspects(self.points[made[0]], self.answers[made[0]].grads, trials[0].bench)
        self.suspects += shaped
        wrong = frozenset().union(*(one.wrong for one in main)) if main else frozenset[str]()
        self._tell(trials, wrong)
        if wrong:
            hidden = frozenset(name for name in trials[0].mine if name not in (*OUTER, *BESIDE))
            candidates = list(from_labels(main, wrong, hidden))
            found, left = ranked(candidates, wrong, frozenset(main[0].mine), None)
            if beside_forward:  # the forward comes first: what follows may hang on it
                self.suspects += [suspect for suspect in found if suspect.certain]
            else:
                self._suspect(found, left, trials, None)
        elif beside_forward:
            self.measured.append("Your gradient is right for the losses that you compute.")
        self._other_shapes(trials)


def _explained(candidates: list[Candidate], wrong: frozenset[str]) -> bool:
    return any(candidate.explains == wrong and candidate.prior[0] == 0.0 for candidate in candidates)


def _without_doubles(suspects: list[Suspect]) -> list[Suspect]:
    seen: dict[tuple[str, Where, str], Suspect] = {}
    for suspect in suspects:
        seen.setdefault((suspect.kind, suspect.where, suspect.evidence), suspect)
    return list(seen.values())
