r"""The teacher's side of a cell of one's own: every derivative by hand, as code and as the equations to mark paper by.

It lies in the same package as the exercise, and a student can read it. So let the derivation be handed in too, and
mark that; the code says that its numbers are right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..activations import sigmoid, sigmoid_derivative
from ..arrays import Array, Params, State
from .own_cells import OwnCell
from .own_parts import OwnForm
from .own_text import Equations, Sheet
from .suite import described


class OwnDerivative(NamedTuple):
    """f'(a) as a function of a and n = f(a), and how it reads."""

    function: Callable[[Array, Array], Array]
    text: str


OWN_DERIVATIVES = {
    "tanh": OwnDerivative(lambda _, n: 1.0 - n * n, "1 − n_t²"),
    "sigmoid": OwnDerivative(lambda _, n: n * (1.0 - n), "n_t ⊙ (1 − n_t)"),
    "softplus": OwnDerivative(lambda a, _: sigmoid(a), "σ(a_t)"),
    "sine": OwnDerivative(lambda a, _: np.cos(a), "cos(a_t)"),
    "arctan": OwnDerivative(lambda a, _: 1.0 / (1.0 + a * a), "1 / (1 + a_t²)"),
    "asinh": OwnDerivative(lambda a, _: 1.0 / np.sqrt(1.0 + a * a), "1 / √(1 + a_t²)"),
    "algebraic": OwnDerivative(lambda a, _: (1.0 + a * a) ** -1.5, "1 / √(1 + a_t²)³"),
    "rational": OwnDerivative(lambda a, _: (1.0 - a * a) / (1.0 + a * a) ** 2, "(1 − a_t²) / (1 + a_t²)²"),
    "gaussian": OwnDerivative(lambda a, n: -2.0 * a * n, "−2 · a_t ⊙ n_t"),
    "log-cosh": OwnDerivative(lambda a, _: np.tanh(a), "tanh(a_t)"),
    "sech": OwnDerivative(lambda a, n: -n * np.tanh(a), "−n_t ⊙ tanh(a_t)"),
    "swish": OwnDerivative(lambda a, n: n + sigmoid(a) * (1.0 - n), "n_t + σ(a_t) ⊙ (1 − n_t)"),
}


class OwnDelta(NamedTuple):
    """What the gradients of the parameters need of one step, each (N, H)."""

    a: Array  # δ_t = ∂L/∂a_t
    c: Array  # ∂L/∂c_t
    gate: Any = None  # δ^g_t = ∂L/∂(the gate's pre-activation), where there is a gate
    rate: Any = None  # ∂L/∂λ, row by row, where there is a leak


def own_cell_solution(cell: OwnCell) -> OwnCell:
    """Return the cell with its backward: `check_cell(own_cell_solution(cell), rng=rng)` proves it.

    Raises
    ------
    DtypeError
        If it is no OwnCell.

    Source: the chain rule, as in `cells/gru.py`; tests/diagnosis/test_own_cell.py.
    """
    form = _form_of("own_cell_solution", cell)
    return cell.with_backward(partial(_step_backward, form), partial(_param_grads, form))


def own_cell_derivation(cell: OwnCell) -> Sheet:
    """Return the sheet to mark paper by: the step, its backward and the gradients; print it or show it in a notebook.

    Raises
    ------
    DtypeError
        If it is no OwnCell.

    Source: the equations of `own_cell_solution`; tests/diagnosis/test_own_cell.py runs them as they are printed.
    """
    form = _form_of("own_cell_derivation", cell)
    blocks = [
        *cell.sheet.blocks, ("Back through one step", backward_equations(form)),
        ("Gradients; the sums run over time and batch", gradient_equations(form)),
    ]
    closing = "dh_t is all of ∂L/∂h_t, through y_t and through t + 1, and so on; δ is ∂L/∂(a pre-activation)."
    return Sheet(cell.sheet.heading, blocks, closing=closing)


def _form_of(where: str, cell: Any) -> OwnForm:
    if not isinstance(cell, OwnCell):
        because, hint = "only its parts say what its backward is", 'Try own_cell("Ada Lovelace").'
        validate.fail(where, f"cell is {described(cell)}", "an OwnCell", because, hint, validate.DtypeError)
    return cell.form


# Code


def _step_backward(form: OwnForm, params: Params, dstate: State, cache: Any) -> tuple[State, OwnDelta]:
    r"""Take ∂L/∂h_t back through one step, part by part in the opposite order.

    .. math::
        ds_t &= dh_t \odot o_t, \quad do_t = dh_t \odot s_t && \text{output gate} \\
        dc_t &= \lambda \odot ds_t, \quad d\lambda_t = ds_t \odot (c_t - h_{t-1}) && \text{leak} \\
        dn_t &= dc_t \odot i_t, \quad di_t = dc_t \odot n_t && \text{input gate} \\
        \delta_t &= dn_t \odot f'(a_t) && \text{activation} \\
        dr_t &= (\delta_t W_{hh}^\top) \odot h_{t-1} && \text{reset gate} \\
        \delta^g_t &= dg_t \odot g_t \odot (1 - g_t) && \text{the gate: } g \text{ is } i, o \text{ or } r

    h_{t−1} is reached through every part that looks at it; its gradient is the sum.
    """
    (dh,) = dstate
    h_prev, a, n = cache.h_prev, cache.a, cache.n
    c = getattr(cache, "c", n)  # where c_t is n_t, or s_t is c_t, the cache holds it once
    s = getattr(cache, "s", c)
    gate: Any = getattr(cache, form.letter) if form.gate else None
    dgate: Any = None
    delta_gate, drate = None, None
    dh_prev = np.zeros_like(dh)  # (N, H)
    ds = dh  # (N, H)
    if form.gate == "output":
        dgate, ds = dh * s, dh * gate
    dc = ds  # (N, H)
    if form.leak is not None:
        rate = form.leak_rate(params)
        drate, dc = ds * (c - h_prev), rate * ds
        dh_prev = dh_prev + (1.0 - rate) * ds
    if form.residual == "state":
        dh_prev = dh_prev + dc
    if form.residual == "weighted":
        dh_prev = dh_prev + params["u"] * dc
    dn = dc  # (N, H)
    if form.gate == "input":
        dgate, dn = dc * n, dc * gate
    delta = dn * OWN_DERIVATIVES[form.activation].function(a, n)  # (N, H)
    dseen = delta @ params["W_hh"].T  # (N, H)
    if form.gate == "reset":
        dgate, dseen = dseen * h_prev, dseen * gate
    dh_prev = dh_prev + dseen
    if form.gate is not None:
        delta_gate = dgate * sigmoid_derivative(gate)  # (N, H)
        dh_prev = dh_prev + delta_gate @ params[f"W_h{form.letter}"].T
    return (dh_prev,), OwnDelta(delta, dc, delta_gate, drate)


def _param_grads(
    form: OwnForm, params: Params, xs: Array, caches: Sequence[Any], deltas: Sequence[OwnDelta]
) -> tuple[Array, Params]:
    """Turn the deltas of all steps into the gradients: y = xW gives dW = xᵀ dy; a vector's is a sum over its rows."""
    D, H = params["W_xh"].shape
    x = xs.reshape(-1, D)  # (T·N, D)

    def rows(arrays: Sequence[Array]) -> Array:
        return np.stack(arrays).reshape(-1, H)  # (T·N, H)

    h_prev, delta, dc = rows([c.h_prev for c in caches]), rows([d.a for d in deltas]), rows([d.c for d in deltas])
    seen = h_prev
    if form.gate == "reset":
        seen = rows([c.r for c in caches]) * h_prev
    dx = delta @ params["W_xh"].T  # (T·N, D)
    grads: Params = {"W_xh": x.T @ delta, "W_hh": seen.T @ delta, "b_h": delta.sum(axis=0)}
    if g := form.letter:
        delta_gate = rows([d.gate for d in deltas])
        dx = dx + delta_gate @ params[f"W_x{g}"].T
        grads |= {f"W_x{g}": x.T @ delta_gate, f"W_h{g}": h_prev.T @ delta_gate, f"b_{g}": delta_gate.sum(axis=0)}
    if form.residual == "weighted":
        grads["u"] = (dc * h_prev).sum(axis=0)
    if form.residual == "input":
        dx = dx + dc @ params["W_res"].T
        grads["W_res"] = x.T @ dc
    if form.leak == "learned":
        grads["v"] = rows([d.rate for d in deltas]).sum(axis=0) * sigmoid_derivative(form.leak_rate(params))
    return dx.reshape(xs.shape), grads


# Paper


def backward_equations(form: OwnForm) -> Equations:
    """Return `step_backward` as (left, right) in plain text, in the order in which it is computed; δ_t is ∂L/∂a_t."""
    g, times, slope = form.letter, form.times, OWN_DERIVATIVES[form.activation].text
    dgate, ds, dc = f"d{g}_t", f"d{form.leaked}", f"d{form.mixed}"
    lines: Equations = []
    to_h_prev = []  # what reaches h_{t−1}, part by part
    if form.gate == "output":
        lines += [(dgate, f"dh_t ⊙ {form.leaked}"), (ds, "dh_t ⊙ o_t")]
    elif form.leaked == "n_t":  # nothing stands around the activation's output
        lines.append((ds, "dh_t"))
    if form.leak is not None:
        lines.append((dc, f"λ {times} {ds}"))
        to_h_prev.append(f"(1 − λ) {times} {ds}")
    if form.leak == "learned":
        lines.append(("dλ_t", f"{ds} ⊙ ({form.mixed} − h_{{t-1}})"))
    if form.residual in ("state", "weighted"):
        to_h_prev.append(dc if form.residual == "state" else f"u ⊙ {dc}")
    dn = dc
    if form.gate == "input":
        dn = "dn_t"
        lines += [(dgate, f"{dc} ⊙ n_t"), (dn, f"{dc} ⊙ i_t")]
    lines.append(("δ_t", f"{dn} ⊙ {slope}" if re.fullmatch(r"\w+\(a_t\)", slope) else f"{dn} ⊙ ({slope})"))
    if form.gate == "reset":
        lines.append((dgate, "(δ_t W_hhᵀ) ⊙ h_{t-1}"))
    to_h_prev.append("(δ_t W_hhᵀ) ⊙ r_t" if form.gate == "reset" else "δ_t W_hhᵀ")
    if g:
        lines.append((f"δ^{g}_t", f"{dgate} ⊙ {g}_t ⊙ (1 − {g}_t)"))
        to_h_prev.append(f"δ^{g}_t W_h{g}ᵀ")
    return [*lines, ("dh_{t-1}", " + ".join(to_h_prev))]


def gradient_equations(form: OwnForm) -> Equations:
    """Return `param_grads` as (left, right) in plain text, in the symbols of `backward_equations`."""
    g, dc = form.letter, f"d{form.mixed}"
    seen = "(r_t ⊙ h_{t-1})ᵀ" if form.gate == "reset" else "h_{t-1}ᵀ"
    sums = {"W_xh": "x_tᵀ δ_t", "W_hh": f"{seen} δ_t", "b_h": "δ_t"}
    to_x = ["δ_t W_xhᵀ"]
    if g:
        sums |= {f"W_x{g}": f"x_tᵀ δ^{g}_t", f"W_h{g}": f"h_{{t-1}}ᵀ δ^{g}_t", f"b_{g}": f"δ^{g}_t"}
        to_x.append(f"δ^{g}_t W_x{g}ᵀ")
    if form.residual == "weighted":
        sums["u"] = f"{dc} ⊙ h_{{t-1}}"
    if form.residual == "input":
        sums["W_res"] = f"x_tᵀ {dc}"
        to_x.append(f"{dc} W_resᵀ")
    if form.leak == "learned":
        sums["v"] = "dλ_t ⊙ λ ⊙ (1 − λ)"
    return [*((f"∂L/∂{name}", f"Σ_t {term}") for name, term in sums.items()), ("∂L/∂x_t", " + ".join(to_x))]
