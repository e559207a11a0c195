"""Tier 8: what each step's own loss brings to h, where every delta of a step agrees on one ∂L/∂h and that is wrong."""

from __future__ import annotations

import numpy as np

from ...arrays import Array
from ...cells import GRUCell, LSTMCell
from .labels import MATCH
from .own_values import Own, back_to_h, implied_dc, implied_dh
from .reference import off
from .suspects import Suspect, Where


def own_loss_line(own: Own) -> Suspect | None:
    """Return a suspect where ∂L/∂h is wrong at the last step already, as all deltas agree; None where they don't."""
    at, T = own.at, len(own.deltas)
    with np.errstate(all="ignore"):
        implied = _agreed(own)
    if implied is None:
        return None
    here = np.stack([
        implied[t] - (back_to_h(at, t + 1, implied[t + 1], own.deltas[t + 1]) if t + 1 < T else 0.0) for t in range(T)
    ])
    rest = here - at.dlogits @ at.params["W_hy"].T
    if off(here, here - rest) < MATCH:
        return None  # it is right: another line is not
    rate = float(np.vdot(at.hs, rest)) / float(np.vdot(at.hs, at.hs))
    if off(rest, rate * at.hs) < MATCH:
        return Suspect(
            "regulariser", Where(), f"In ∂L/∂h_t of every step there is {rate:.4g} · h_t too much: a penalty on the "
            "activity, which the loss does not have.", "The line that starts ∂L/∂h_t from ∂L/∂y_t.",
        )
    rows, wanted = at.dlogits.reshape(-1, at.dlogits.shape[-1]), here.reshape(-1, here.shape[-1])
    matrix, _, rank, _ = np.linalg.lstsq(rows, wanted, rcond=None)
    through_another = len(rows) > rank and off(rows @ matrix, wanted) < MATCH
    if through_another:
        return Suspect(
            "output-layer", Where(), "∂L/∂h_t comes from ∂L/∂y_t through one matrix at every step, and that is not the "
            "transpose of W_hy.", "The line dh = dy W_hyᵀ: transposed, not reshaped, and the right matrix.",
        )
    if not isinstance(at.cell, GRUCell | LSTMCell):
        return None  # with one delta a step it may as well be the derivative
    return Suspect(
        "output-layer", Where(), "All deltas of the last step agree on one ∂L/∂h, and that is wrong, before anything "
        "has come back from later steps.", "The lines from the loss to ∂L/∂h_t.", certain=False,
    )


def _agreed(own: Own) -> list[Array] | None:
    """Return the ∂L/∂h_t that all deltas of every step agree on."""
    cell, T = own.at.cell, len(own.deltas)
    if isinstance(cell, LSTMCell):
        last, dc = own.at.caches[-1], implied_dc(own, T - 1)
        dh = implied_dh(own, T - 1, "o")
        if dc is None or off(dc, dh * last.o * (1 - last.tanh_c**2)) > MATCH:
            return None
        return [implied_dh(own, t, "o") for t in range(T)]
    if isinstance(cell, GRUCell):
        found = [implied_dh(own, t, "z") for t in range(T)]
        agree = all(off(dh, implied_dh(own, t, "n")) < MATCH for t, dh in enumerate(found))
        return found if agree else None
    found = [implied_dh(own, t, "") for t in range(T)]
    return found if all(np.isfinite(dh).all() for dh in found) else None
