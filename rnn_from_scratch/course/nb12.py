"""Exercises of notebook 12: find the bug in the gates."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..activations import sigmoid
from ..arrays import Array, Params, State
from ..diagnosis import OwnCell, OwnForm, check_cell, diagnose, own_cell, own_cell_solution
from ..diagnosis.probe import random_params
from ..gradcheck import GradientReport
from .gate_riddles import lstm_with, wrong_gates_back
from .marking import Exercise, partly, rows_right

# 1: a table of gates and steps

LINES = ("delta_i", "delta_f", "delta_g", "delta_o", "dc_here", "dc_prev", "dh_prev")
_ANSWERS = {"P": "dh_prev", "Q": "dc_here", "R": "dc_prev", "S": "delta_o"}
_SHOWS = {
    "delta_i": "i would be wrong at T = 1 already, alone",
    "delta_f": "f would be wrong at T = 1 already, alone",
    "delta_g": "g would be wrong at T = 1 already, alone",
    "delta_o": "o would be wrong at T = 1 already, alone",
    "dc_here": "i, f and g would be wrong at T = 1 already, and o right",
    "dc_prev": "all would be right at T = 1, and at T = 2 still o",
    "dh_prev": "all would be right at T = 1, and none at T = 2",
}


def _prove_table(answer: Any) -> str | None:
    if not isinstance(answer, Mapping) or set(answer) != set(_ANSWERS):
        return "Give a dictionary with a line for each of P, Q, R and S."
    for letter, right in _ANSWERS.items():
        line = str(answer[letter]).strip()
        if line not in LINES:
            return f"{letter}: {line!r} is no line of the list, which is {', '.join(LINES)}."
        if line != right:
            return f"{letter}: if {line} were wrong, {_SHOWS[line]}."
    return None


# 2: which slope

_F = 3 / 5
_USED = (_F, 1 - _F**2, 1.0, 1 - _F)


def _ratios() -> Array:
    """What the exercise gives: the wrong δ_f over the right one."""
    return np.array(_USED) / (_F * (1 - _F))


# 3: the pocket in another order


def _pocket(order: str) -> Callable[[], Array]:
    """(c_1, h_1) of the pocket whose four blocks ln 2, ln 3, ln 2, 0 are read in this order."""
    blocks = dict(zip(order, (np.log(2.0), np.log(3.0), np.log(2.0), 0.0), strict=True))

    def value() -> Array:
        i, f, o = (sigmoid(np.asarray(blocks[name])) for name in "ifo")
        c = f * 0.8 + i * np.tanh(blocks["g"])
        return np.array([c, o * np.tanh(c)])

    return value


# 4: mend what was printed

_LEFT = {
    "i": "δ_i: dc_future gets no slope i (1 − i). Both terms of dc go through the gate.",
    "f": "δ_f: dc_future gets no slope f (1 − f). Both terms of dc go through the gate.",
    "g": "δ_g as printed: brackets, one factor g too many, and g is a tanh already.",
    "g factor": "δ_g with the factor g that should not be there.",
    "g tanh": "δ_g with tanh²(g): g is a tanh already, and its slope is 1 − g².",
    "g outside": "δ_g with (1 − g)² in place of 1 − g².",
    "swapped": "δ_i and δ_g with their partners exchanged: i multiplied g, so i gets dc ⊙ g.",
    "no future": "dc without what comes from the future.",
    "no squash": "dc without 1 − tanh²(c) on the way from h to c.",
    "o slope": "δ_o with the slope of tanh: o is a sigmoid.",
    "no f": "dc_prev without f.",
    "here lost": "dc_prev from dc_future alone: what comes from here goes back through f too.",
}


def _step_values() -> list[Array]:
    """One step's values for `gates_back`, in its order, random and none of them zero."""
    rng = np.random.default_rng(12)
    dh, dc_future, c_prev, tanh_c = (rng.standard_normal((2, 3)) for _ in range(4))
    i, f, o = (sigmoid(rng.standard_normal((2, 3))) for _ in range(3))
    return [dh, dc_future, i, f, np.tanh(rng.standard_normal((2, 3))), o, c_prev, np.tanh(tanh_c)]


def _known_mistakes(found: Any) -> str | None:
    """Say which of the known mistakes, one or several of the printed ones together, gives these numbers."""
    several = [list(some) for k in (3, 2) for some in itertools.combinations("ifg", k)]
    for made in [*([name] for name in _LEFT), *several]:
        parts, kept = wrong_gates_back(made)(*_step_values())
        pairs = zip([*found[0], found[1]], [*parts, kept], strict=True)
        if all(np.allclose(own, wrong, rtol=0, atol=1e-10) for own, wrong in pairs):
            begin = "as printed" if len(made) > 1 else "right but for one"
            return f"That is {begin}: " + " ".join(_LEFT[mistake] for mistake in made)
    return None


def _prove_mended(gates_back: Any) -> str | None:
    """Ask `diagnose`; what it finds is told in its words, a known mistake in ours."""
    if not callable(gates_back):
        return "Give the function itself, without calling it."
    values = _step_values()
    found = gates_back(*(value.copy() for value in values))  # NotImplementedError: not solved yet
    if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[0], tuple) or len(found[0]) != 4:
        return "It should return (delta_i, delta_f, delta_g, delta_o), dc_prev: a tuple of four, and one array."
    if any(np.shape(part) != (2, 3) for part in (*found[0], found[1])):
        return "Each delta, and dc_prev, should have the shape of dh."
    known = _known_mistakes(found)
    if known is not None:
        return known
    for seed in (1, 2):
        diagnosis = diagnose(lstm_with(gates_back), "lstm", rng=np.random.default_rng(seed))
        if not diagnosis.ok:
            first = diagnosis.suspects[0]
            place = f" in {first.where}" if str(first.where) else ""
            return f"diagnose says: {first.kind}{place}. {first.hint}"
    return None


# 5: a cell of one's own

_WORKED = "Ada Lovelace"


def _prove_own(cell: Any) -> str | None:
    """Let `check_cell` decide; if it finds something, say what is wrong at a single step already."""
    if not isinstance(cell, OwnCell):
        return "Give the cell: my_cell.with_backward(step_backward, param_grads)."
    if None in cell.backward:
        raise NotImplementedError
    if not cell.name or cell.form != own_cell(cell.name).form:
        return 'Draw the cell from a name: my_cell = own_cell("your name").'
    if cell.name.casefold() == _WORKED.casefold():
        return f"That is {_WORKED}'s cell, whose backward stands in the notebook. Put your own name."
    rng = np.random.default_rng(12)
    params, xs = random_params(cell.init_params(rng=rng), rng), rng.standard_normal((1, 2, cell.input_size))
    h_prev, dh = rng.standard_normal((2, 2, cell.hidden_size))
    _, cache = cell.step(params, cell.project(params, xs)[0], (h_prev,))
    taken = cell.step_backward(params, (dh.copy(),), cache)  # NotImplementedError: not solved yet
    if isinstance(taken, tuple) and len(taken) == 2:
        cell.param_grads(params, xs, [cache], [taken[1]])  # likewise
    report = check_cell(cell, rng=rng)
    if report.ok:
        return None
    return partly(_what_is_wrong(cell, report, (params, xs, cache, dh, taken)), rows_right(report))


def _what_is_wrong(cell: OwnCell, report: GradientReport, point: tuple[Any, ...]) -> str:
    """Say what of a cell's backward is wrong at a single step already."""
    if report.findings:
        return f"check_cell says: {report.findings[0]}."
    params, xs, cache, dh, taken = point
    right = own_cell_solution(cell)
    (dh_prev,), delta = right.step_backward(params, (dh,), cache)
    dxs, grads = right.param_grads(params, xs, [cache], [delta])
    own_dxs, own_grads = cell.param_grads(params, xs, [cache], [taken[1]])
    pairs = {name: (own_grads[name], grads[name]) for name in grads} | {"xs": (own_dxs, dxs)}
    wrong = [name for name, (own, other) in pairs.items() if not np.allclose(own, other, rtol=1e-9, atol=1e-12)]
    carried = np.allclose(taken[0][0], dh_prev, rtol=1e-9, atol=1e-12)
    if not wrong and carried:
        return "With one step everything is right, with several it is not: are the sums over all steps and sequences?"
    if not wrong:
        return "With one step the gradients are right and dh_prev is wrong: which way from h_{t−1} to h_t is left out?"
    if len(wrong) == len(pairs):
        return "With one step every gradient is wrong: begin where they all come from, at the first lines after dh."
    return f"With one step dh_prev is {'right' if carried else 'WRONG'}, and wrong are: {', '.join(wrong)}."


def _example(mistake: str = "", name: str = "Alan Turing") -> OwnCell:
    """A cell with its right backward, or with one mistake: what a student might hand in."""
    right = own_cell_solution(own_cell(name))

    def step_backward(params: Params, dstate: State, cache: Any) -> Any:
        (dh_prev,), delta = right.step_backward(params, dstate, cache)
        if mistake == "carry":
            dh_prev = dh_prev - delta.a @ params["W_hh"].T
        if mistake == "slope":
            delta = delta._replace(a=delta.a / (1 - cache.n**2))
        if mistake == "dc":
            delta = delta._replace(a=delta.a * 2, c=delta.c * 2, gate=delta.gate * 2)
        return (dh_prev,), delta

    def param_grads(params: Params, xs: Array, caches: Any, deltas: Any) -> Any:
        if mistake == "last":
            dxs, _ = right.param_grads(params, xs, caches, deltas)
            return dxs, right.param_grads(params, xs[-1:], caches[-1:], deltas[-1:])[1]
        return right.param_grads(params, xs, caches, deltas)

    return right.with_backward(step_backward, param_grads)


EXERCISES: dict[str, Exercise] = {
    "12-table": Exercise(
        title="which line?",
        points=2,
        prove=_prove_table,
        wrong={
            "R: if dh_prev were wrong, all would be right at T = 1, and none at T = 2": {**_ANSWERS, "R": "dh_prev"},
            "P: if dc_prev were wrong, all would be right at T = 1, and at T = 2 still o": {**_ANSWERS, "P": "dc_prev"},
            "Q: if delta_i were wrong, i would be wrong at T = 1 already, alone": {**_ANSWERS, "Q": "delta_i"},
            "S: if dh_prev were wrong, all would be right at T = 1": {**_ANSWERS, "S": "dh_prev"},
            "P: 'W_hh' is no line of the list": {**_ANSWERS, "P": "W_hh"},
            "a line for each of P, Q, R and S": ["dh_prev", "dc_here", "dc_prev", "delta_o"],
        },
        hint="Begin with the first column that is not right everywhere.",
    ),
    "12-slope": Exercise(
        title="which slope was used",
        expected=_USED,
        wrong={
            "the ratios themselves: they are the slope used over the right one.": _ratios,
            "the ratios divided by the right slope: the ratio already is a quotient, so multiply.":
                lambda: _ratios() / (_F * (1 - _F)),
            "the ratios times f: the right slope is f (1 − f).": lambda: _ratios() * _F,
            "one over the ratios.": lambda: 1 / _ratios(),
            "right over used: the ratio is the wrong δ over the right one.": lambda: (_F * (1 - _F)) / _ratios(),
            "with the slope of tanh, 1 − f², for the right one: f is a sigmoid.": lambda: _ratios() * (1 - _F**2),
        },
        hint="δ_f is dc ⊙ c_prev ⊙ slope, and only the slope differs.",
    ),
    "12-order": Exercise(
        title="the pocket in another order",
        expected=_pocket("ifog"),
        wrong={
            "the right order's, i, f, g, o.": _pocket("ifgo"),
            "of the order i, g, f, o, as in TensorFlow 1.": _pocket("igfo"),
            "of the order f, i, o, g.": _pocket("fiog"),
            "of the order i, o, f, g.": _pocket("iofg"),
            "right for c_1; for h_1 tanh is missing: h = o tanh(c).": lambda: np.array([0.6, 2 / 3 * 0.6]),
            "right for c_1; h_1 has the old o, 1/2: o is read from the third block now.":
                lambda: np.array([0.6, np.tanh(0.6) / 2]),
            "with g = σ(0): the candidate is a tanh.": lambda: np.array([14 / 15, 2 / 3 * np.tanh(14 / 15)]),
        },
        hint="The third block, ln 2, goes through σ now, and the fourth, 0, through tanh.",
    ),
    "12-mend": Exercise(
        title="mend what was printed",
        points=3,
        prove=_prove_mended,
        wrong={
            **{says: wrong_gates_back([mistake]) for mistake, says in _LEFT.items()},
            "That is as printed: " + " ".join(_LEFT[gate] for gate in "ifg"): wrong_gates_back("ifg"),
            "That is as printed: " + " ".join(_LEFT[gate] for gate in "if"): wrong_gates_back("if"),
            "a tuple of four, and one array": lambda *values: values[0],
            "the function itself": 1.0,
        },
        hint="First dc = dc_future + here. Then each gate: dc, its partner, its own slope.",
    ),
    "12-own": Exercise(
        title="a cell of your own",
        points=3,
        prove=_prove_own,
        wrong={
            "are the sums over all steps and sequences": _example("last"),
            "dh_prev is wrong: which way from h_{t−1} to h_t is left out": _example("carry"),
            "With one step dh_prev is right, and wrong are: W_xh, W_hh, b_h, xs": _example("slope"),
            "With one step every gradient is wrong": _example("dc"),
            "That is Ada Lovelace's cell": _example(name=_WORKED),
            "Draw the cell from a name": replace(_example(), form=OwnForm()),
            "my_cell.with_backward(step_backward, param_grads)": "my cell",
        },
        hint="Part by part, from the last equation of the sheet to the first.",
    ),
}
