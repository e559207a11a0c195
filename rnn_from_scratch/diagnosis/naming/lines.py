"""Tier 8: each delta's line by itself, asked whether it holds between the student's *own* values.

A gate's delta is compared with what the line gives from the student's own ∂L/∂h and ∂L/∂c, so that two mistakes at once
are two lines, and neither hides the other.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...arrays import Array
from ...cells import GRUCell, LSTMCell
from .carries import carry_lines
from .dictionary import source_line
from .hypotheses import Hypothesis
from .labels import MATCH
from .own_losses import own_loss_line
from .own_values import Own, implied_dc, source
from .reference import Step, gates_of, off
from .suspects import Suspect, Where


def line_suspects(own: Own, hypotheses: Iterable[Hypothesis]) -> list[Suspect]:
    """Return a suspect for each line that does not hold between the student's own values."""
    steps = [h for h in hypotheses if h.change.step is not None]
    gates = gates_of(own.at.cell) or ("",)
    last = len(own.deltas) - 1
    bad = {gate: _times(own, k) for k, gate in enumerate(gates)}
    wrong_at_last = [gate for gate in gates if last in bad[gate]]
    if wrong_at_last:
        shared_dh = own_loss_line(own)
        if shared_dh is not None:
            return [shared_dh]
        named = {gate: _delta_line(own, gates, gate, bad[gate], steps) for gate in wrong_at_last}
        found = [suspect for suspect, _ in named.values()]
        if isinstance(own.at.cell, LSTMCell) and set("ifg") <= set(wrong_at_last):
            shared = _shared_line(own, steps)
            if shared is not None:
                found = [shared, *(suspect for gate, (suspect, _) in named.items() if gate == "o")]
        instead = {gate: step for gate, (_, step) in named.items() if step is not None}
        return [*found, *carry_lines(own, bad, wrong_at_last, instead)]
    return carry_lines(own, bad, [])


def _expected(own: Own, t: int) -> list[Array]:
    """Return the deltas of a step by gate, each given the student's own values of everything else."""
    at, cell = own.at, own.at.cell
    dstate = (own.dhs[t],) if own.dcs[t] is None else (own.dhs[t], own.dcs[t])
    _, delta = cell.step_backward(at.weights, dstate, at.caches[t])
    parts = np.split(delta, max(len(gates_of(cell)), 1), axis=1)
    if isinstance(cell, GRUCell):  # δ_r is written from δ_n
        cache, mine = at.caches[t], np.split(own.deltas[t], 3, axis=1)[2]
        W_hn = np.split(at.params["W_hh"], 3, axis=1)[2]
        product = mine if cell.reset_after else mine @ W_hn.T
        parts[0] = product * cache.gated * cache.r * (1.0 - cache.r)
    return parts


def _times(own: Own, k: int) -> set[int]:
    """Return the steps at which the line of one gate's delta does not hold."""
    count = max(len(gates_of(own.at.cell)), 1)
    return {
        t for t in range(len(own.deltas))
        if off(np.split(own.deltas[t], count, axis=1)[k], _expected(own, t)[k]) > MATCH
    }


def _delta_line(
    own: Own, gates: Iterable[str], gate: str, times: set[int], steps: list[Hypothesis]
) -> tuple[Suspect, Step | None]:
    """Name a gate's delta line by whatever gives the student's numbers from the student's own ∂L/∂h and ∂L/∂c.

    At every step, or at least at the last: there nothing that another line gets wrong has come back yet.
    """
    gates, T = list(gates), len(own.deltas)
    k = gates.index(gate)
    for at, when in ((range(T), "every step"), (range(T - 1, T), "the last step")):
        for hypothesis in steps:
            if all(_gives(own, hypothesis, t, [k], len(gates)) for t in at):
                line = source_line(hypothesis)
                where = hypothesis.where._replace(gate=hypothesis.where.gate or gate or None)
                return Suspect(
                    hypothesis.kind, where,
                    f"Given your own {_given(own)}, δ{f' of {gate}' if gate else ''} at {when} is what comes out "
                    f"where {hypothesis.says}.", hypothesis.hint,
                    ((line,) if line else ()) + own.lines_of(gate),
                ), hypothesis.change.step
    at_steps = "every step" if len(times) == len(own.deltas) else f"step {', '.join(str(t + 1) for t in sorted(times))}"
    return Suspect(
        "activation-derivative", Where(None, gate or None, at_steps),
        f"δ{f' of {gate}' if gate else ''} is wrong at {at_steps}, the last one included, where nothing has come back "
        "from later steps yet. Which wrong factor it is, no known line tells.",
        "The line of this delta, factor by factor.",
        own.lines_of(gate), certain=False,
    ), None


def _given(own: Own) -> str:
    return "∂L/∂h" if own.dcs[0] is None else "∂L/∂h and ∂L/∂c"


def _shared_line(own: Own, steps: list[Hypothesis]) -> Suspect | None:
    """An LSTM's ∂L/∂c: one line under i, f and g."""
    for hypothesis in steps:
        if all(_gives(own, hypothesis, t, [0, 1, 2], 4) for t in range(len(own.deltas))):
            line = source_line(hypothesis) or source(own, "dc", "")
            return Suspect(
                hypothesis.kind, hypothesis.where._replace(gate="c"), "Given your own ∂L/∂h, the deltas of i, f and g "
                f"are what comes out where {hypothesis.says}.", hypothesis.hint, (line,) if line else (),
            )
    implied = implied_dc(own, len(own.deltas) - 1)
    if implied is None:
        return None
    line = source(own, "dc", "another value")
    return Suspect(
        "activation-derivative", Where(None, "c"), "The deltas of i, f and g belong to one and the same ∂L/∂c at the "
        "last step, and that is wrong.", "The line of ∂L/∂c: dc_future + dh · o · (1 − tanh² c).",
        (line,) if line else (), certain=False,
    )


def _gives(own: Own, hypothesis: Hypothesis, t: int, which: list[int], count: int) -> bool:
    at = own.at
    dstate = (own.dhs[t],) if own.dcs[t] is None else (own.dhs[t], own.dcs[t])
    try:
        assert hypothesis.change.step is not None
        _, delta = hypothesis.change.step(at.cell, at.weights, dstate, at.caches[t])  # type: ignore[arg-type]
        parts, mine = np.split(delta, count, axis=1), np.split(own.deltas[t], count, axis=1)
    except Exception:  # an edit that cannot run is no explanation
        return False
    return all(parts[k].shape == mine[k].shape and off(parts[k], mine[k]) < MATCH for k in which)
