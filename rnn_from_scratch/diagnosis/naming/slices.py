"""The reference's lines that a wrong block hangs on and the right ones do not: a slice of its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable
from typing import Any, NamedTuple

from ... import bptt
from ...layers.dense import Dense
from .dictionary import PREFIX, READ
from .reference import gates_of
from .suspects import SourceLine, Where

OUTER = ("W_hy", "b_y")
RETURNED = "return"


class _Line(NamedTuple):
    names: tuple[str, ...]  # what it gives
    used: frozenset[str]
    number: int
    text: str


def lines_about(
    cell: Any, kind: str, where: Where, wrong: Iterable[str], right: Iterable[str]
) -> tuple[SourceLine, ...]:
    """Return the lines that a suspect is about: by its kind and gate where all deltas are wrong, else by `lines_of`."""
    found = lines_of(cell, wrong, right)
    if found or type(cell) not in READ:
        return found
    gates = gates_of(cell)
    deltas = {f"delta_{gate}" for gate in gates} or {"delta"}
    step = type(cell).step_backward
    back = _sliced(step, {"dh_prev", "dc_prev", RETURNED}, deltas) + _sliced(bptt.unroll_backward, {"dstate"}, set())
    if where.gate == "c":
        return _sliced(step, {"dc_prev", "dc"}, {"dh_prev"} | {"delta_o"}) + back
    if kind in ("carry-dropped", "recurrent-matrix", "truncated", "last-step-only"):
        return back
    chosen = [gate for gate in gates if gate in (where.gate or "")]
    if chosen or not gates:
        own = {f"delta_{gate}" for gate in chosen} or {"delta"}
        return _sliced(step, own, deltas - own) + back
    return back


def lines_of(cell: Any, wrong: Iterable[str], right: Iterable[str]) -> tuple[SourceLine, ...]:
    """Return the lines on which the wrong blocks hang and the right ones do not, the nearest to the result first."""
    if type(cell) not in READ:
        return ()
    wrong, right = set(wrong), set(right)
    parameters = {name.partition(":")[0] for name in wrong}
    if parameters <= set(OUTER):
        return _sliced(Dense.backward, parameters, {name for name in right if name in OUTER})
    hidden = parameters - set(OUTER)
    if len(hidden) == 1:
        return _sliced(type(cell).param_grads, hidden, {name.partition(":")[0] for name in right} - hidden)
    gates = {name.partition(":")[2] for name in wrong} - {""}
    every = gates_of(cell)
    if not gates or gates == set(every):
        return ()
    return _sliced(type(cell).step_backward, {f"delta_{gate}" for gate in gates} | {RETURNED},
                   {f"delta_{gate}" for gate in every if gate not in gates})


def _sliced(function: Any, wanted: set[str], excluded: set[str]) -> tuple[SourceLine, ...]:
    lines = _lines(function)
    keep = [line for line in _slice(lines, wanted) if line not in _slice(lines, excluded)]
    keep.sort(key=lambda line: line.names == (RETURNED,))  # the return comes last
    file = function.__module__.partition(".")[2].replace(".", "/") + ".py"
    return tuple(SourceLine(f"{PREFIX}{file}:{line.number}", line.text, "") for line in keep)


def _slice(lines: list[_Line], wanted: set[str]) -> list[_Line]:
    """Return the lines that give these names, then those that give what they use, and so on."""
    found: list[_Line] = []
    names = set(wanted)
    direct = [line for line in lines if names & set(line.names)]
    while direct:
        found += [line for line in direct if line not in found]
        if RETURNED in names:  # the return uses everything: it is a place to look at, no way further
            direct = [line for line in direct if line.names != (RETURNED,)]
        used = set().union(*(line.used for line in direct)) if direct else set()
        direct = [line for line in lines if used & set(line.names) and line not in found]
        names = used
    return found


def _lines(function: Any) -> list[_Line]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    above = function.__code__.co_firstlineno - 1
    found: list[_Line] = []

    def add(names: Iterable[str], value: ast.AST, node: ast.AST, text: str) -> None:
        used = frozenset(part.id for part in ast.walk(value) if isinstance(part, ast.Name))
        found.append(_Line(tuple(names), used, node.lineno + above, text))  # type: ignore[attr-defined]

    def entries(whole: ast.Dict) -> None:
        for key, value in zip(whole.keys, whole.values, strict=True):
            if isinstance(key, ast.Constant):
                add([str(key.value)], value, value, f"{key.value!r}: {ast.unparse(value)}")

    for node in ast.walk(tree):
        match node:
            case ast.Assign([_], ast.Dict() as whole):
                entries(whole)
            case ast.Assign([ast.Subscript(_, ast.Constant(str(key)))], value):
                add([key], value, node, ast.unparse(node))
            case ast.Assign([target], value) | ast.AnnAssign(target, _, ast.expr() as value):
                names = [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]
                add(["xs" if name == "dxs" else name for name in names], value, node,
                    f"{ast.unparse(target)} = {ast.unparse(value)}")
            case ast.Return(ast.expr() as value):
                add([RETURNED], value, node, ast.unparse(node))
                for part in ast.walk(value):
                    if isinstance(part, ast.Dict):
                        entries(part)
            case _:
                pass
    return found
