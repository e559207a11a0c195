"""Where nothing gives the student's numbers exactly: what the pattern of right and wrong suggests, said as a guess."""

from __future__ import annotations

from .matching import BESIDE, OUTER, Trial, told
from .suspects import SourceLine, Suspect, Where

SAID = "nothing that is known gives these numbers"


def guesses(
    trials: list[Trial], wrong: frozenset[str], lines: tuple[SourceLine, ...], others: frozenset[str] = frozenset()
) -> list[Suspect]:
    """Return one suspect that is not certain: tier 7, which parameters are wrong, and from which sizes on.

    `others` are wrong too, and have a suspect already.
    """
    parameters = {name.partition(":")[0] for name in wrong}
    by_size = {(one.bench.sizes["T"], one.bench.sizes["N"]): one.wrong - set(BESIDE) for one in trials}
    alone = Where(next(iter(parameters))) if len(parameters) == 1 else Where()

    def guess(kind: str, evidence: str, hint: str, where: Where = alone) -> list[Suspect]:
        return [Suspect(kind, where, f"{evidence}; {SAID}.", hint, lines, certain=False)]

    if parameters <= set(OUTER):
        return guess("output-layer", f"{told(wrong)} wrong, all else right, dh included",
                     "The lines that add up W_hy and b_y: h_t and ∂L/∂y_t of the same step, every step.")
    if parameters <= set(BESIDE):
        return guess("carry-dropped" if "xs" in parameters else "wrong-time-index",
                     f"{told(wrong)} wrong, every parameter right",
                     "The lines that fill it, inside the loop or after it.")
    bias = any(name.partition(":")[0] == "b_h" for one in trials for name in one.mine)  # a cell may have none
    if bias and "b_h" not in parameters and not parameters & set(OUTER):
        gates = {name.partition(":")[2] for name in wrong} - {""}
        beside = "b_h right, so the deltas are right" if not others else "and not by what is named above alone"
        return guess("wrong-gate" if len(gates) == 1 else "wrong-time-index",
                     f"{told(wrong)} wrong, {beside}",
                     "The line that adds up this gradient: what each delta is multiplied with, and the sum.")
    if parameters == {"b_h"}:
        return guess("unknown", f"{told(wrong)} wrong, the other parameters right, so the deltas are right",
                     "The line that adds up this gradient: the sum of the deltas.")
    if parameters & set(OUTER):
        return guess("output-layer", f"{told(wrong)} wrong, the output layer among them",
                     "The line that starts the backward pass: ∂L/∂y = p − (1 at the target).")
    if by_size.get((1, 3)) and not by_size.get((1, 1)) and not by_size.get((2, 1)):
        return guess("not-reset", "right for one sequence of any length, wrong for three of one step",
                     "What one sequence leaves behind for the next, and all that mixes or drops sequences.", Where())
    if by_size.get((1, 1)):
        return guess("activation-derivative", f"{told(by_size[1, 1])} wrong already at T = 1, N = 1",
                     "One step of one sequence: dh, and from there each delta. There the bias gradient is the delta.")
    if by_size.get((2, 1)):
        return guess("carry-dropped", f"right at T = 1, {told(by_size[2, 1])} wrong at T = 2",
                     "The way back from one step to the one before: what is handed on, and through which matrix.",
                     Where(time="from two steps on"))
    return guess("truncated", f"right up to the smallest sizes, {told(wrong)} wrong in longer sequences",
                 "How far each loss goes back.", Where(time="in longer sequences"))
