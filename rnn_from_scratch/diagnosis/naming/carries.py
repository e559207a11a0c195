"""Tier 8: the lines that take the gradient back in time, each asked whether it holds between the student's own values.

What reaches h (and c) at a step is written as a sum of known terms from the step after: the coefficients that are not
as they should be name the mistake.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arrays import Array
from ...cells import GRUCell, LSTMCell, RNNCell
from .labels import MATCH
from .own_values import Own, implied_dc, implied_dh, paths, source
from .reference import Forward, Step, gates_of, off
from .slices import lines_about
from .suspects import Suspect, Where


def carry_lines(
    own: Own, bad: dict[str, set[int]], known: list[str], steps: dict[str, Step] | None = None
) -> list[Suspect]:
    """Fit what reaches h (and c) at a step from the values of the step after.

    `known` are gates whose own line is wrong, `steps` what their line is instead, where that is known.
    """
    at, T = own.at, len(own.deltas)
    reveal = {RNNCell: "", LSTMCell: "o", GRUCell: "z"}[type(at.cell)]
    instead = (steps or {}).get(reveal)
    if T < 3 or (reveal in known and instead is None):
        return []
    found = []
    implied = [implied_dh(own, t, reveal, instead) for t in range(T)]
    if not all(np.isfinite(dh).all() for dh in implied):  # a slope of zero hides it
        return []
    if bad[reveal]:
        found.append(_h_line(own, implied))
    if isinstance(at.cell, LSTMCell) and not set("ifg") & set(known) and bad["i"] | bad["f"] | bad["g"]:
        dcs = [implied_dc(own, t) for t in range(T)]
        if all(dc is not None for dc in dcs):
            line = _c_line(own, implied, dcs)  # type: ignore[arg-type]
            if line is not None:
                found.append(line)
    return [line for line in found if line is not None]


def _h_line(own: Own, implied: list[Array]) -> Suspect | None:
    at, T = own.at, len(own.deltas)
    here = at.dlogits @ at.params["W_hy"].T
    target = np.stack([implied[t] - here[t] for t in range(T - 1)])
    terms: dict[str, list[Array]] = {}
    for t in range(1, T):
        for name, array in _h_basis(at, t, implied[t], own.deltas[t]):
            terms.setdefault(name, []).append(array)
    right = {name for name, _ in paths(at, 1, implied[1], own.deltas[1])}
    whole = np.stack([sum(array for _, array in paths(at, t, implied[t], own.deltas[t])) for t in range(1, T)])
    limit = float(np.max(np.abs(target)))
    if limit < float(np.max(np.abs(whole))) and off(target, np.clip(whole, -limit, limit)) < MATCH:
        line = source(own, "dh_prev", f"clip(…, −{limit:.4g}, {limit:.4g})")
        return Suspect(
            "clipped", Where(None, None, "every step but the last"),
            f"What reaches h from the step after is cut off at ±{limit:.4g}.",
            "Clipping belongs to the update; inside the loop it changes the gradient itself.", (line,) if line else (),
        )
    return _fitted(own, target, terms, right, "h", "dh_prev")


def _h_basis(at: Forward, t: int, dh: Array, delta: Array) -> Iterator[tuple[str, Array]]:
    gates = gates_of(at.cell)
    yield from paths(at, t, dh, delta)
    matrices = np.split(at.params["W_hh"], max(len(gates), 1), axis=1)
    for gate, part, W in zip(gates or [""], np.split(delta, max(len(gates), 1), axis=1), matrices, strict=True):
        yield f"{gate} through W", part @ W
        yield f"{gate} alone", part
    yield "dh", dh


def _c_line(own: Own, implied: list[Array], dcs: list[Array]) -> Suspect | None:
    at, T = own.at, len(own.deltas)
    rest = [
        dcs[t] - implied[t] * at.caches[t].o * (1 - at.caches[t].tanh_c ** 2) for t in range(T - 1)
    ]
    terms: dict[str, list[Array]] = {}
    for t in range(1, T):
        cache, deltas = at.caches[t], np.split(own.deltas[t], 4, axis=1)
        for name, array in (
            ("dc ⊙ f", dcs[t] * cache.f), ("dc", dcs[t]), ("dc ⊙ i", dcs[t] * cache.i), ("dc ⊙ g", dcs[t] * cache.g),
            ("dc ⊙ o", dcs[t] * cache.o), ("dh", implied[t]),
            *((f"δ_{gate}", delta) for gate, delta in zip("ifgo", deltas, strict=True)),
        ):
            terms.setdefault(name, []).append(array)
    return _fitted(own, np.stack(rest), terms, {"dc ⊙ f"}, "c", "dc_prev")


def _fitted(
    own: Own, target: Array, terms: dict[str, list[Array]], right: set[str], what: str, name: str
) -> Suspect | None:
    """Write what was carried as a sum of known terms, and name the coefficients that are not as they should be."""
    columns = np.stack([np.stack(arrays).ravel() for arrays in terms.values()], axis=1)
    found, _, rank, _ = np.linalg.lstsq(columns, target.ravel(), rcond=None)
    gate = "c" if what == "c" else None
    line = source(own, name, "")
    around = lines_about(own.at.cell, "carry-dropped", Where(None, gate), (), ())
    if rank < columns.shape[1] or off(columns @ found, target.ravel()) > MATCH:
        return Suspect(
            "cell-carry-dropped" if what == "c" else "recurrent-matrix", Where(None, gate, "every step but the last"),
            f"At the last step every delta is right; what reaches {what} from the step after is not, and no sum of "
            "known terms gives it.", f"The line that takes the gradient back to {what} at the step before.",
            around, certain=False,
        )
    coefficients = dict(zip(terms, map(float, found), strict=True))
    odd = {term: c for term, c in coefficients.items() if abs(c - (1.0 if term in right else 0.0)) > MATCH}
    if not odd:
        return None
    kind, hint = _named_carry(odd, right, what)
    missing = [term for term in odd if term in right]
    gates = [term for term in missing if term in gates_of(own.at.cell)]
    if what == "h" and len(gates) == 1:
        gate = gates[0]
    whole = " + ".join(f"{c:.4g} · {_term(term)}" for term, c in coefficients.items() if abs(c) > MATCH)
    meant = " + ".join(_term(term) for term in terms if term in right)
    shown = (line._replace(yours=f"{name} = {whole or '0'}"),) if line else ()
    return Suspect(
        kind, Where(None, gate, "every step but the last"),
        f"Given your own deltas, what reaches {what} from the step after is {whole or '0'}; it should be {meant}.",
        hint, shown + around,
    )


def _term(name: str) -> str:
    """Write a term of the fit as a product."""
    if name in ("direct", "dh"):
        return "dh ⊙ z" if name == "direct" else "dh"
    if name.startswith(("δ_", "dc")):
        return name
    gate, _, how = name.partition(" ")
    delta, W = (f"δ_{gate}", f"W_h{gate}") if gate else ("δ", "W_hh")
    if how == "alone":
        return delta
    return f"{delta} {W}" if how else f"{delta} {W}ᵀ"


def _named_carry(odd: dict[str, float], right: set[str], what: str) -> tuple[str, str]:
    missing = [term for term in odd if term in right and abs(odd[term]) < MATCH]
    extra = [term for term in odd if term not in right]
    if any(term.endswith("through W") for term in extra):
        return "recurrent-matrix", "delta @ W_hh.T: the transpose."
    if missing and any(term.endswith("alone") for term in extra):
        return "recurrent-matrix", "delta @ W_hh.T: the product with the matrix."
    if missing and not extra:
        kind = "cell-carry-dropped" if what == "c" else "carry-dropped"
        return kind, f"Every path from {what} at the step before belongs in it."
    if not missing and not extra:
        negative = all(abs(value + 1.0) < MATCH for value in odd.values())
        return ("sign", "The signs in this line.") if negative else ("scale", "The factors in this line.")
    hint = "A term in this line belongs to another one."
    return ("wrong-gate" if what == "c" else "recurrent-matrix"), hint
