"""Tier 9, the dictionary: every single edit of the reference's own backward pass, made from its syntax tree.

It is made when it is asked for, from the source of the cells as they are, so it cannot fall out of step with them, and
each entry knows the line it changes. An entry also comes in part: for the parameters alone, for what goes back in time
alone, or at some steps alone.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from ... import bptt
from ...arrays import Array, Params
from ...cells import (
    CoupledLSTMCell,
    GRUCell,
    GRUDCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LowRankRNNCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
)
from ...cells.indrnn import IndRNNCell
from ...layers.dense import Dense, DenseCache
from ..mutants import Edits, Mutant, mutants
from .hypotheses import TIMES, Hypothesis, at_times, from_later, from_own_loss, to_carry, to_parameters
from .kinds import named
from .reference import Change, Forward, Step, gradients
from .suspects import SourceLine, Where

LATER = "from later steps"
#: Cells whose source the dictionary reads.
READ = (
    RNNCell, LSTMCell, GRUCell, IndRNNCell, LayerNormLSTMCell, CoupledLSTMCell, LowRankRNNCell, LowRankLSTMCell,
    MinGRUCell, MinLSTMCell, GRUDCell,
)
PREFIX = "rnn_from_scratch/"


class _Entry(NamedTuple):
    """An edit, the function with it, and what is said of it."""

    mutant: Mutant
    edited: Any
    kind: str
    where: Where
    hint: str
    edit: str


def dictionary(at: Forward) -> Iterator[Hypothesis]:
    """Yield every single edit of the cell's step_backward and param_grads, of the time loop and of the output layer."""
    cell = type(at.cell)
    if cell in READ:
        for entry in _entries(cell.step_backward, at):
            yield _hypothesis(entry, Change(step=entry.edited))
        for entry in _entries(cell.param_grads, at):
            yield _hypothesis(entry, Change(collect=entry.edited))
    for entry in _entries(bptt.unroll_backward, at):
        yield _hypothesis(entry, Change(loop=entry.edited))
    for entry in _dense_entries():
        yield _hypothesis(entry, Change(dense=_dense(entry.edited)))


def in_part(at: Forward) -> Iterator[Hypothesis]:
    """Yield the edits of step_backward that are in force in part: in scope, or in time."""
    cell = type(at.cell)
    if cell not in READ:
        return
    for entry in _entries(cell.step_backward, at):
        edited: Step = entry.edited
        yield _hypothesis(entry, Change(loop=from_later(edited)), "in what comes from later steps", LATER)
        yield _hypothesis(entry, Change(loop=from_own_loss(edited)), "in what comes from the step's own loss")
        for scope, scoped in (("", edited), ("for the parameters alone", to_parameters(edited)),
                              ("for what goes back in time alone", to_carry(edited))):
            if scope:
                yield _hypothesis(entry, Change(step=scoped), scope)
            for time, chosen in TIMES:
                part = f"{scope}, at {time} only".removeprefix(", ")
                yield _hypothesis(entry, Change(step=at_times(scoped, chosen)), part, time)


def _hypothesis(entry: _Entry, change: Change, part: str = "", time: str | None = None) -> Hypothesis:
    kind = entry.kind
    if entry.mutant.what == "drop a term":
        kind = {"every step but the last": "last-step-only", LATER: "carry-dropped"}.get(time or "", kind)
    where = entry.where._replace(time=time or entry.where.time)
    says = f"{entry.edit} ({entry.mutant.what}{f', {part}' if part else ''})"
    return Hypothesis(kind, where, says, entry.hint, change, entry.mutant, part)


def _short(node: ast.AST) -> str:
    text = "nothing" if isinstance(node, ast.Pass) else ast.unparse(node).splitlines()[0]
    text = _readable(text)
    return text if len(text) <= 60 else text[:59] + "…"


def source_line(hypothesis: Hypothesis) -> SourceLine | None:
    """Return the reference's line that a hypothesis changes, as it is and as it would be."""
    mutant = hypothesis.line
    if mutant is None:
        return None
    place = f"{PREFIX}{mutant.file}:{mutant.line}"
    part = f"  # {hypothesis.part}" if hypothesis.part else ""
    return SourceLine(place, mutant.before, _readable(mutant.after) + part)


def _readable(text: str) -> str:
    """Write a value of another step as one would: cache.after.f is f[t+1], and cache.after.h_prev is h itself."""
    text = re.sub(r"cache\.after\.(\w+)_prev\b", r"\1", text)
    text = re.sub(r"cache\.(?:before|wrapped|looped)\.(\w+)", r"\1[t-1]", text)
    return re.sub(r"cache\.after\.(\w+)", r"\1[t+1]", text)


_MADE: dict[Any, list[_Entry]] = {}
_LEFT_OUT: list[Mutant] = []


@contextmanager
def leaving_out(mutant: Mutant) -> Iterator[None]:
    """Take one edit out of the dictionary: how well is its line found without it? (benchmarks/diagnosing.py)."""
    _LEFT_OUT.append(mutant)
    try:
        yield
    finally:
        _LEFT_OUT.pop()


def _entries(function: Any, at: Forward) -> list[_Entry]:
    """Return the edits of a function, made once for each configuration of a cell (its sizes do not matter)."""
    key = (function, _choices(at.cell))
    if key not in _MADE:
        with np.errstate(all="ignore"):
            made = mutants(function, lambda: gradients(at), _more(at.caches[0]._fields))
        _MADE[key] = [_entry(function, mutant) for mutant in made]
    gone = {(mutant.file, mutant.line, mutant.after) for mutant in _LEFT_OUT}
    return [e for e in _MADE[key] if (e.mutant.file, e.mutant.line, e.mutant.after) not in gone] if gone else _MADE[key]


def _entry(function: Any, mutant: Mutant) -> _Entry:
    edited = FunctionType(mutant.code, sys.modules[function.__module__].__dict__)
    edit = f"{_short(mutant.old)} is changed to {_short(mutant.new)}"
    return _Entry(mutant, edited, *named(function.__name__, mutant), edit)


def _choices(cell: Any) -> tuple[Any, ...]:
    return (type(cell), *(value for name, value in vars(cell).items() if not name.endswith("_size")))


def _more(fields: tuple[str, ...]) -> Edits:
    """Edits that a cell's cache allows: a value of the step before or after, one that the code leaves out, 1 − s."""

    def edits(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
        if isinstance(node, ast.Assign):
            yield from _without_brackets(node)
            return
        match node:
            case ast.Name(name, ast.Load()) if name.startswith("d") and name not in fields:
                for factor in fields:
                    yield "a factor too much", ast.BinOp(
                        node, ast.Mult(), ast.Attribute(ast.Name("cache", ast.Load()), factor, ast.Load()))
                return
            case ast.Name(name, ast.Load()) if name in fields:
                base: ast.expr = ast.Name("cache", ast.Load())
            case ast.BinOp(left, ast.Mult(), ast.BinOp(one, ast.Add() | ast.Sub() as sign, two)):
                yield "brackets dropped", ast.BinOp(ast.BinOp(left, ast.Mult(), one), sign, two)
                return
            case ast.Attribute(ast.Name("cache"), name, ast.Load()) if name in fields:
                base = ast.Name("cache", ast.Load())
            case _:
                return
        for step in ("before", "after", "wrapped", "looped"):
            yield f"the step {step}", ast.Attribute(ast.Attribute(base, step, ast.Load()), name, ast.Load())
        for other in fields:
            if other != name:
                yield "another value", ast.Attribute(base, other, ast.Load())
        yield "1 − s for s", ast.BinOp(ast.Constant(1.0), ast.Sub(), node)

    return edits


def _without_brackets(statement: ast.Assign) -> Iterator[tuple[str, ast.AST]]:
    """Yield the statement with one pair of brackets around a sum left out: dh * (1 − z) becomes dh * 1 − z."""
    for node in ast.walk(statement.value):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
            continue
        for side in ("left", "right"):
            inner = getattr(node, side)
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add | ast.Sub):
                setattr(node, side, ast.Name("_", ast.Load()))
                text = ast.unparse(statement)
                setattr(node, side, inner)
                yield "brackets dropped", ast.parse(re.sub(r"\b_\b", ast.unparse(inner), text, count=1)).body[0]


@lru_cache(maxsize=1)
def _dense_entries() -> list[_Entry]:
    rng = np.random.default_rng(0)
    layer = Dense(4, 3)
    params, hs, dys = layer.init_params(rng=rng), rng.standard_normal((3, 2, 4)), rng.standard_normal((3, 2, 3))
    backward: Any = Dense.backward
    made = mutants(backward, lambda: layer.backward(params, dys, DenseCache(hs)))
    return [_entry(backward, mutant) for mutant in made]


def _dense(backward: Callable[..., Any]) -> Callable[[Forward], tuple[Array, Params]]:
    def dense(at: Forward) -> tuple[Array, Params]:
        params = {"W_hy": at.params["W_hy"], "b_y": at.params["b_y"]}
        H, K = params["W_hy"].shape
        dhs, grads = backward(Dense(H, K), params, at.dlogits, DenseCache(at.hs))
        return dhs, grads

    return dense
