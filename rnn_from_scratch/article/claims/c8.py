r"""Claim C8 (article §5 Q1): gates cure vanishing and exploding gradients.

A loss that reads the last state alone sends a gradient back through random inputs. Measured at initialisation, before
any training: the norm of ∂L/∂(state) k steps before the end, relative to that of the last state. A state is h for the
RNN and the GRU, and h and c together for the LSTM; the norm runs over all units and all sequences.

The gradients are the `dstates` of the package's own backward loop, `unroll_backward`.

Source: article §5 Q1; Pascanu, Mikolov & Bengio (2013); notebook 11; benchmarks/claim_c8.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, Params, global_norm
from ...bptt import unroll, unroll_backward
from ...cells import GRUCell, LSTMCell, RNNCell
from ...cells.base import Cell
from ...validate import option
from .c7 import random_matrix

INPUTS, HIDDEN, SEQUENCES, STEPS, LAG = 8, 32, 16, 100, 50
KEPT = 0.01  # so much of the gradient must be left after LAG steps


class Start(NamedTuple):
    """A cell, and what is changed of its own start."""

    cell: Cell
    bias: float | None = None  # of the gate that keeps: f in the LSTM, z in the GRU
    radius: float | None = None  # W_hh random normal with this spectral radius, instead of orthogonal
    scale: float = 1.0  # of W_hh


_RNN, _LSTM, _GRU = RNNCell(INPUTS, HIDDEN), LSTMCell(INPUTS, HIDDEN), GRUCell(INPUTS, HIDDEN)
STARTS: dict[str, Start] = {
    "RNN, radius 0.8": Start(_RNN, radius=0.8),
    "RNN, orthogonal": Start(_RNN),
    "LSTM, forget bias 0": Start(_LSTM, bias=0.0),
    "LSTM, forget bias 1": Start(_LSTM, bias=1.0),
    "LSTM, forget bias 3": Start(_LSTM, bias=3.0),
    "GRU, update bias 0": Start(_GRU, bias=0.0),
    "GRU, update bias 3": Start(_GRU, bias=3.0),
    "RNN, orthogonal × 4": Start(_RNN, scale=4.0),
    "LSTM, forget bias 1, × 4": Start(_LSTM, bias=1.0, scale=4.0),
    "GRU, update bias 0, × 4": Start(_GRU, bias=0.0, scale=4.0),
}


def start_params(start: Start, *, rng: np.random.Generator) -> Params:
    """Return the cell's own start with the changes made."""
    H = start.cell.hidden_size
    params = start.cell.init_params(rng=rng)
    if start.radius is not None:
        params["W_hh"] = random_matrix(H, start.radius, rng=rng)
    if start.bias is not None:
        params["b_h"][H : 2 * H] = start.bias
    params["W_hh"] = start.scale * params["W_hh"]
    return params


def gradient_norms(name: str, seed: int, lag: int = LAG) -> tuple[Array, float | None]:
    """Return ‖∂L/∂state‖ by lag, 0 to `lag`, relative to lag 0; and the mean of f or z over those steps.

    The network has run for STEPS steps, 100, so that the last `lag` find it in its stride. `name` is one of `STARTS`.
    """
    option("claim C8", "name", name, STARTS)
    cell = STARTS[name].cell
    rng = np.random.default_rng(seed)
    params = start_params(STARTS[name], rng=rng)
    xs = rng.standard_normal((STEPS, SEQUENCES, INPUTS))
    hs, final_state, caches = unroll(cell, params, xs, cell.initial_state(SEQUENCES))
    dh = rng.standard_normal((SEQUENCES, HIDDEN))  # the gradient of L = Σ dh ⊙ h_T
    dfinal_state = (dh, *(np.zeros_like(part) for part in final_state[1:]))
    dstates, _ = unroll_backward(cell, params, np.zeros_like(hs), caches, dfinal_state)
    norms = np.array([global_norm(dstate) for dstate in dstates[: -lag - 2 : -1]])
    letter = {LSTMCell: "f", GRUCell: "z"}.get(type(cell))
    gate = None if letter is None else float(np.mean([getattr(cache, letter) for cache in caches[-lag:]]))
    relative: Array = norms / norms[0]
    return relative, gate


def run(
    *, seeds: Sequence[int] = tuple(range(10)), names: Sequence[str] = tuple(STARTS), lag: int = LAG,
    report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    seeds : list of int
        Each draws weights, inputs and the loss anew.
    names : list of str
        Of `STARTS`.
    lag : int
        How far back, below 100.
    report : callable, optional
        Called with a line after each start.

    Returns
    -------
    dict
        By start: `curve` (the relative norm by lag, 0 to `lag`, median over seeds), `lowest` and `highest` (over
        seeds), `last` (at `lag`, by seed), `gate` (mean of f or z, median over seeds; None for the RNN), `bias` and
        `scale`. And the verdict.
    """
    result: dict[str, Any] = {
        "claim": "C8", "lag": lag, "kept": KEPT, "seeds": list(seeds), "starts": {},
        "sizes": {"D": INPUTS, "H": HIDDEN, "N": SEQUENCES, "T": STEPS},
    }
    for name in names:
        found = [gradient_norms(name, seed, lag) for seed in seeds]
        norms = np.stack([norms for norms, _ in found])  # (seeds, lag + 1)
        gates = [gate for _, gate in found if gate is not None]
        rows = {
            "curve": np.median(norms, axis=0), "lowest": norms.min(axis=0), "highest": norms.max(axis=0),
            "last": norms[:, -1],
        }
        result["starts"][name] = {
            "bias": STARTS[name].bias, "scale": STARTS[name].scale,
            "gate": round(float(np.median(gates)), 4) if gates else None,
            **{key: [float(f"{value:.4g}") for value in row] for key, row in rows.items()},
        }
        if report is not None:
            report(f"{name}: {np.median(norms[:, -1]):.2g} left after {lag} steps")
    result["verdict"] = verdict(result)
    return result


def verdict(result: dict[str, Any]) -> str:
    """Say in words, apart, whether gates keep the gradient from vanishing, and whether they keep it from exploding."""
    left = {name: float(np.median(rows["last"])) for name, rows in result["starts"].items()}
    scaled = {name for name, rows in result["starts"].items() if rows["scale"] != 1}
    gated = {name: rows["gate"] for name, rows in result["starts"].items() if rows["gate"] is not None}
    kept = {name: gate for name, gate in gated.items() if name not in scaled and left[name] >= result["kept"]}
    lost = {name: gate for name, gate in gated.items() if name not in scaled and left[name] < result["kept"]}
    if not kept:
        vanishing = "does not hold"
    elif not lost:
        vanishing = "holds"
    elif min(kept.values()) > max(lost.values()):
        vanishing = f"holds where f (in the GRU z) is near 1, here {min(kept.values()):.2f} or more"
    else:
        vanishing = "holds in some cases"
    grown = [name for name in gated if name in scaled and left[name] > 1]
    explosion = "does not hold" if grown else "holds"

    def figures(names: Sequence[str]) -> str:
        return ", ".join(f"{left[name]:.2g} ({name})" for name in names)

    return (
        f"Vanishing: {vanishing}. Explosion: {explosion}. {result['lag']} steps before the last, of the "
        f"gradient there is left: {figures([name for name in left if name not in scaled])}; "
        f"with larger recurrent weights: {figures([name for name in left if name in scaled])}."
    )
