"""Every single-edit mutant of a function, made from its syntax tree.

An edit changes one place: a term or factor dropped, a sign flipped, a transpose added or dropped, operands
swapped, an index shifted, a constant changed, a name replaced by another, a condition decided, a statement dropped.
What stands inside a call of `validate` or `check_…` is left alone: it computes nothing.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import itertools
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .edits import edits_of

KEYS = ("W_xh", "W_hh", "b_h", "W_hy", "b_y")
MORE_KEYS = (  # those that a function has itself
    "b_hn", "w_ci", "w_cf", "w_co", "u", "g_x", "g_h", "g_c", "b_c", "gain", "bias", "W_embed", "W_q", "W_m", "v",
    "W_ch", "W_c", "W_feed", "memory", "cell", "attention", "ahead", "back", "embedding", "recurrent", "output",
    "encoder", "bridge", "decoder",
)
NO_VALUES = {"self", "where", "hint", "_"}

Edits: TypeAlias = Callable[[ast.AST], Iterable[tuple[str, ast.AST]]]


class Mutant(NamedTuple):
    """One edit of a function, and the code object of the whole function with it."""

    file: str  # the function's, within the package
    line: int  # of the statement in it; of a dictionary that is built up, the entry's own
    what: str  # the kind of edit: "drop a factor", …
    old: ast.AST  # the node that was replaced, and what took its place
    new: ast.AST
    before: str  # the statement (or the entry) as it stands, and with the edit
    after: str
    code: CodeType

    @property
    def label(self) -> str:
        """The edit in one line."""
        return f"line {self.line}, {self.what}: {_shown(self.old)} → {_shown(self.new)}"


def mutants(function: FunctionType, use: Callable[[], Any], more: Edits | None = None) -> list[Mutant]:
    """Return the mutants of a function, without duplicates.

    `use` calls the function, which shows each name's kind. `more` gives further edits of a node, as (what, node).
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    above = function.__code__.co_firstlineno - 1
    file = function.__module__.partition(".")[2].replace(".", "/") + ".py"
    _plain(definition)
    ast.fix_missing_locations(tree)
    known_from, kinds = _first_lines(definition), _kinds(function, use)
    keys = [*KEYS, *(key for key in MORE_KEYS if key in _strings(definition))]
    seen, made = {f"{number}: {ast.unparse(statement)}" for number, statement in enumerate(definition.body)}, []
    for place in list(_places(definition)):
        node, names = place.node, []
        if isinstance(node, ast.Name):
            earlier = [name for name, line in known_from.items() if line < node.lineno]
            names = [name for name in earlier if kinds.get(name, set()) & kinds.get(node.id, set())]
        before = _text(place, place.shown)
        for what, replacement in itertools.chain(edits_of(node, names, keys), more(node) if more else ()):
            ast.fix_missing_locations(ast.copy_location(replacement, node))
            _put(place, replacement)
            text = f"{place.number}: {ast.unparse(definition.body[place.number])}"  # an edit stays in one statement
            if text not in seen:
                seen.add(text)
                after = _text(place, replacement if node is place.shown else place.shown)
                line = node.lineno if place.key else place.shown.lineno
                code = _code(tree, function)
                made.append(Mutant(file, line + above, what, node, replacement, before, after, code))
            _put(place, node)
    return made


def _plain(definition: ast.FunctionDef) -> None:
    """Leave out what computes nothing: decorators, annotations, the docstring."""
    definition.decorator_list = []
    definition.returns = None
    for node in ast.walk(definition):
        if isinstance(node, ast.arg):
            node.annotation = None
        for field in ("body", "orelse"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                for i, statement in enumerate(statements):
                    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
                        statements[i] = ast.copy_location(ast.Assign([statement.target], statement.value), statement)
    if ast.get_docstring(definition) is not None:
        definition.body = definition.body[1:]


def _first_lines(definition: ast.FunctionDef) -> dict[str, int]:
    """Return the line from which each local name is known; another name is taken from these."""
    lines = {node.arg: 0 for node in ast.walk(definition) if isinstance(node, ast.arg)}
    for node in ast.walk(definition):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
    return {name: line for name, line in lines.items() if name not in NO_VALUES}


def _kinds(function: FunctionType, use: Callable[[], Any]) -> dict[str, set[str]]:
    """Run `use` and record what kinds of value each local name of the function holds: arrays, dicts, numbers …."""
    kinds: dict[str, set[str]] = {}

    def record(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code is not function.__code__:
            return None
        for name, value in frame.f_locals.items():
            if value is not None:
                number = isinstance(value, int | float | np.number)
                kinds.setdefault(name, set()).add("number" if number else type(value).__name__)
        return record

    before = sys.gettrace()
    sys.settrace(record)
    try:
        use()
    finally:
        sys.settrace(before)
    return kinds


class _Place(NamedTuple):
    """A node that an edit may replace, and where it stands."""

    number: int  # of the statement in the function's body
    shown: Any  # the innermost statement around the node, or the node itself; inside a dictionary the entry's value
    key: str  # of that entry, or ""
    owner: ast.AST
    field: str
    position: int | None  # in a field that is a list
    node: Any


def _places(definition: ast.FunctionDef) -> Iterator[_Place]:
    for number, statement in enumerate(definition.body):
        if not _is_check(statement):
            yield _Place(number, statement, "", definition, "body", number, statement)
            yield from _inside(number, statement, "", statement)


def _inside(number: int, shown: ast.AST, key: str, node: ast.AST) -> Iterator[_Place]:
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_check(child):
                continue
            innermost, name = (child, "") if isinstance(child, ast.stmt) else (shown, key)
            if isinstance(node, ast.Dict) and field == "values" and index is not None:
                entry = node.keys[index]
                innermost, name = child, "" if entry is None else ast.unparse(entry)
            if not isinstance(getattr(child, "ctx", None), ast.Store):
                yield _Place(number, innermost, name, node, field, index, child)
            yield from _inside(number, innermost, name, child)


def _text(place: _Place, node: ast.AST) -> str:
    """What to show of an edit: the statement, or the one entry of a dictionary."""
    text = "nothing" if isinstance(node, ast.Pass) else ast.unparse(node)
    return f"{place.key}: {text}" if place.key else text


def _strings(node: ast.AST) -> set[str]:
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def _is_check(node: ast.AST) -> bool:
    """Tell a call that only checks arguments."""
    if isinstance(node, ast.Expr):
        node = node.value
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    return called.startswith(("validate.", "check_")) or ".check_" in called or "._check" in called


def _put(place: _Place, node: ast.AST) -> None:
    if place.position is None:
        setattr(place.owner, place.field, node)
    else:
        getattr(place.owner, place.field)[place.position] = node


def _shown(node: ast.AST) -> str:
    text = "nothing" if isinstance(node, ast.Pass) else ast.unparse(node).splitlines()[0]
    return text if len(text) <= 70 else text[:67] + "…"


def _code(tree: ast.Module, function: FunctionType) -> CodeType:
    """Compile the changed function in its module's namespace and return its code."""
    namespace: dict[str, Any] = {}
    compiled = compile(tree, "<mutant>", "exec", __future__.annotations.compiler_flag)
    exec(compiled, sys.modules[function.__module__].__dict__, namespace)
    code: CodeType = namespace[function.__name__].__code__
    return code
