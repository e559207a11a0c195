"""The curated list, continued: wrong derivatives of squashing functions, at every place, in every scope."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .curated import TIMES, Hypothesis, at_times, from_part, to_carry, to_parameters
from .dictionary import READ
from .reference import Change
from .slopes import Sloped, other_biases, variants
from .suspects import Where

HINT = "The line with this derivative: of which function it is, and whether it is written from the output or the argument."


def slope_hypotheses(cell: Any) -> Iterator[Hypothesis]:
    """Yield wrong derivatives: everywhere, for the parameters or what goes back alone, at some steps, from dh or dc."""
    if type(cell) not in READ:
        return
    sloped = Sloped(cell)
    several = len(cell.initial_state(1)) > 1
    rules = list(variants(sloped))
    for sites, says, rule, odd in rules:
        gate = sites[0].gate if len(sites) == 1 else None
        step = sloped.step(rule)
        scopes = [("", step), (", for the parameters alone", to_parameters(step)),
                  (", on the way back in time alone", to_carry(step))]
        if several:
            scopes += [(", in what comes from dh", from_part(step, 0)), (", in what comes from dc", from_part(step, 1))]
        for scope, scoped in scopes:
            yield Hypothesis("activation-derivative", Where(None, gate), says + scope, HINT, Change(step=scoped),
                             odd=odd)
            for time, chosen in TIMES:
                change = Change(step=at_times(scoped, chosen))
                yield Hypothesis("activation-derivative", Where(None, gate, time), f"{says}{scope}, {time} only", HINT,
                                 change, odd=odd)
    for sites, says, rule in other_biases(cell, sloped):
        gate = "".join(site.name for site in sites)
        yield Hypothesis("wrong-gate", Where(None, gate), says,
                         "Where the gates are computed again in the backward: each with its own bias.",
                         Change(step=sloped.step(rule)))
