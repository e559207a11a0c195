"""The kind of a single edit of the reference: read off the statement it changes, and off what it exchanges."""

from __future__ import annotations

import ast
import re

from ..mutants import Mutant
from .suspects import Where

HINTS = {
    "activation-derivative": "The derivative at this place: which function, and of its output or of its argument?",
    "sign": "The sign of this term.",
    "scale": "The factor in this line.",
    "carry-dropped": "The line that puts ∂L/∂h from later steps together: every path from h_{t−1} belongs in it.",
    "cell-carry-dropped": "The line that puts ∂L/∂c together: what comes from the step after, and through h.",
    "recurrent-matrix": "The line that takes deltas back through W_hh: its transpose, and the block of the same gate.",
    "wrong-time-index": "The time index in this line: t, t − 1 or t + 1.",
    "wrong-gate": "The gates in this line: each factor is the derivative of a product with respect to another factor.",
    "swapped": "The order of the gates where they are put together.",
    "transposed": "The order of the two factors of the matrix product: dW = inputᵀ · delta.",
    "output-layer": "The output layer's line: dW_hy = hᵀ dy, db_y = Σ dy, dh = dy W_hyᵀ.",
    "not-summed-over-batch": "The sum over the batch in this line.",
    "not-summed-over-time": "The sum over time in this line.",
    "zero": "A line that is never reached, or a name that is assigned and not used.",
    "shape": "The axes in this line.",
    "unknown": "This line, factor by factor.",
}  # fmt: skip
OF_THE_PAST = {"h_prev", "c_prev"}
OF_NOW = {"h", "c", "tanh_c"}
GATED = {"i", "f", "g", "o", "r", "z", "n", "gated", *OF_THE_PAST, *OF_NOW}


def named(function: str, mutant: Mutant) -> tuple[str, Where, str]:
    """Return (kind, where, hint) of a mutant of step_backward, param_grads, unroll_backward or Dense.backward."""
    if function == "backward":
        kind, where = _of_output(mutant)
    elif function == "unroll_backward":
        kind, where = _of_loop(mutant), Where()
    elif function == "param_grads":
        kind, where = _of_sums(mutant)
    else:
        kind, where = _of_step(mutant)
    return kind, where, HINTS[kind]


def _words(node: ast.AST) -> set[str]:
    return set(re.findall(r"\w+", ast.unparse(node)))


def _derivatives(text: str) -> list[str]:
    return re.findall(r"\w*derivative\([^()]*\)", text)


def _target(text: str) -> str:
    return text.partition(" = ")[0] if " = " in text else ""


def _common(mutant: Mutant) -> str | None:
    """Kinds that do not depend on the function."""
    old, new = ast.unparse(mutant.old), ast.unparse(mutant.new)
    if _derivatives(mutant.before) != _derivatives(mutant.after):
        return "activation-derivative"
    if mutant.what == "flip the sign" or (
        mutant.what == "another operator" and isinstance(mutant.old, ast.BinOp)
        and isinstance(mutant.old.op, ast.Add | ast.Sub)
    ):
        return "sign"
    if re.search(r"cache\.(before|after|wrapped|looped)\.", new) or mutant.what == "shift an index":
        return "wrong-time-index"
    one, other = old.removeprefix("cache."), new.removeprefix("cache.")
    if {one, other} in ({"h_prev", "h"}, {"c_prev", "c"}):
        return "wrong-time-index"
    if mutant.what == "swap two entries" or mutant.what == "swap two targets":
        return "swapped"
    if mutant.what in ("a factor too much", "brackets dropped"):
        return "wrong-gate"
    if mutant.what == "another constant" and "axis" not in mutant.before:
        return "scale"
    return None


def _of_step(mutant: Mutant) -> tuple[str, Where]:
    target = _target(mutant.before)
    gate = target.removeprefix("delta_") if target.startswith("delta_") else None
    if target in ("dc", "dc_prev"):
        gate = "c"
    elif target in ("through_n", "dproduct"):
        gate = "n"
    where = Where(None, gate)
    kind = _common(mutant)
    if kind == "activation-derivative" and "tanh_c" in "".join(_derivatives(mutant.before)):
        where = Where(None, "c")
    if kind is not None:
        return kind, where
    old, new, lost = _words(mutant.old), _words(mutant.new), _words(mutant.old) - _words(mutant.new)
    matrix = {word for word in old ^ new if word.startswith("W_h")} or mutant.what in (
        "drop the transpose", "transpose", "swap the operands")
    going_back = target in ("dh_prev", "through_n", "dproduct") or "through_n" in target
    if going_back:
        if mutant.what == "drop a term":
            return "carry-dropped", where
        if matrix:
            return "recurrent-matrix", where
        if any(word.startswith("delta") for word in lost) and {"dh", "dc", "dc_future"} & new:
            return "activation-derivative", where
        return ("wrong-gate" if (old | new) & GATED or any(w.startswith("delta") for w in lost) else "carry-dropped",
                where)
    if target == "dc" and mutant.what in ("drop a term", "another name") and "dc_future" in lost:
        return "cell-carry-dropped", where
    if target == "dc_prev" and "dc" in lost:
        return "cell-carry-dropped", where
    if target == "" and "delta" in mutant.before and "W_hh" not in mutant.before:  # the deltas are put together
        return "wrong-gate", Where(None, _single(lost))
    return "wrong-gate" if old & GATED or any(word.startswith("delta") for word in old) else "unknown", where


def _single(words: set[str]) -> str | None:
    deltas = [word.removeprefix("delta_") for word in words if word.startswith("delta_")]
    return deltas[0] if len(deltas) == 1 else None


def _of_sums(mutant: Mutant) -> tuple[str, Where]:
    entry = re.match(r"""['"](\w+)['"]: """, mutant.before)
    target = _target(mutant.before)
    name = entry.group(1) if entry else {"dxs": "xs", "dW_hn": "W_hh"}.get(target)
    where = Where(name, "n" if target == "dW_hn" or name == "b_hn" else None)
    kind = _common(mutant)
    if kind is not None:
        return kind, where
    old, lost = _words(mutant.old), _words(mutant.old) - _words(mutant.new)
    if mutant.what in ("another key",):
        return "swapped", where
    if mutant.what in ("transpose", "drop the transpose", "swap the operands"):
        return "transposed", where
    if "mean" in _words(mutant.new) - old:
        return "scale", where
    if "sum" in lost:
        return "not-summed-over-batch", where
    if mutant.what == "decide the condition" or lost & GATED or any(word.startswith("delta_") for word in lost):
        return "wrong-gate", where
    return "unknown", where


def _of_loop(mutant: Mutant) -> str:
    kind = _common(mutant)
    if kind is not None:
        return kind
    lost = _words(mutant.old) - _words(mutant.new)
    if mutant.what == "drop a term":
        return "carry-dropped" if "dstate" in lost else "output-layer"
    if "reversed" in lost or mutant.what in ("drop a bound", "drop the index"):
        return "wrong-time-index"
    return "carry-dropped" if "dstate" in lost else "unknown"


def _of_output(mutant: Mutant) -> tuple[str, Where]:
    entry = re.match(r"""['"](\w+)['"]: """, mutant.before)
    where = Where(entry.group(1) if entry else None)
    kind = _common(mutant)
    return (kind if kind in ("sign", "scale") else "output-layer"), where
