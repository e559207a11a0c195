"""An exhibit as a riddle: the wrong program to read and to run, without a word on what is wrong with it."""

from __future__ import annotations

import ast
import difflib
import inspect
import io
import sys
import textwrap
import tokenize
from dataclasses import dataclass
from types import ModuleType

from ... import validate
from ...cells import GRUCell
from .exhibit import Exhibit
from .rooms import EXHIBITS

NAME = "loss_and_grads"  # what the wrong function is called in a riddle


@dataclass(frozen=True)
class Riddle:
    """A wrong program, and what it should compute.

    source : a program of its own, imports included, that defines `loss_and_grads(params, xs, targets, state)`.
    reference : what `diagnose` takes for it: "rnn", "lstm", or a cell.
    """

    source: str
    reference: str | GRUCell

    def __str__(self) -> str:
        return self.source


def riddle(name: str) -> Riddle:
    """Return an exhibit to be solved: its wrong function, without comments, names or dates that tell.

    The helpers and the imports that the function uses come with it, so the source runs as it stands. Of docstrings
    the function's own is kept, which says whether a sequence is a row or a column. Written for notebooks 10 and 12.

    Raises
    ------
    ArgumentError
        No exhibit has that name, or several begin with it.
    """
    exhibit = find("riddle", name)
    return Riddle(_program(exhibit), reference_of(exhibit))


def reference_of(exhibit: Exhibit) -> str | GRUCell:
    """Return what `diagnose` takes for an exhibit's reference: "gru-before" has no name there."""
    return GRUCell(17, 6, reset_after=False) if exhibit.reference == "gru-before" else exhibit.reference


def find(where: str, name: str) -> Exhibit:
    """Return the exhibit of that name, or the only one whose name begins so.

    Raises
    ------
    ArgumentError
        No exhibit has that name (the nearest is told), or several begin with it.
    """
    if not isinstance(name, str):
        validate.fail(where, f"name is {name!r:.60}", "a string", error=validate.DtypeError)
    beginning = [known for known in EXHIBITS if known.startswith(name)]
    if name in EXHIBITS or len(beginning) == 1:
        return EXHIBITS.get(name) or EXHIBITS[beginning[0]]
    if name and beginning:
        validate.fail(where, f"NAME is {name!r}", f"one of those that begin so: {', '.join(beginning)}")
    near = difflib.get_close_matches(name, EXHIBITS, 1, 0.4)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    validate.fail(
        where, f"NAME is {name!r}", f"the name of an exhibit. {meant}`python -m rnn_from_scratch museum` lists all "
        f"{len(EXHIBITS)}",
    )


def _program(exhibit: Exhibit) -> str:
    """Return the wrong function with whatever it uses, as one program."""
    wrong = inspect.unwrap(exhibit.wrong)
    module = sys.modules[wrong.__module__]
    lines = inspect.getsource(module).splitlines()
    body = {}  # the module's own definitions by name, in their order
    for node in ast.parse("\n".join(lines)).body:
        for name in _defined(node):
            body[name] = node
    used, waiting = set(), {wrong.__name__}
    while waiting:
        name = waiting.pop()
        used.add(name)
        waiting |= {inner.id for inner in ast.walk(body[name]) if isinstance(inner, ast.Name)} & body.keys() - used
    parts, imports = [], {}
    for name, node in body.items():
        if name not in used:
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports[name] = node
        else:
            first = min([node.lineno, *(line.lineno for line in getattr(node, "decorator_list", []))])
            parts.append(_bare("\n".join(lines[first - 1 : node.end_lineno]), keep=wrong.__name__))
    text = "\n\n\n".join(["\n".join(_imports(module, imports)), *parts])
    return text.replace(f"def {wrong.__name__}(", f"def {NAME}(") + "\n"


def _defined(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _imports(module: ModuleType, nodes: dict[str, ast.Import | ast.ImportFrom]) -> list[str]:
    """Return import lines for these names, from absolute places."""
    found: dict[str, list[str]] = {}
    for name, node in nodes.items():
        alias = next(alias for alias in node.names if name == (alias.asname or alias.name))
        told = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        if isinstance(node, ast.Import):
            found[f"import {told}"] = []
            continue
        above = module.__name__.split(".")[: -node.level] if node.level else []
        place = ".".join([*above, *([node.module] if node.module else [])])
        found.setdefault(f"from {place} import ", []).append(told)
    return [_line(start, names) for start, names in found.items()]


def _line(start: str, names: list[str]) -> str:
    """Return one import, in brackets over several lines where one would be too long."""
    line = start + ", ".join(names)
    if len(line) <= 120:
        return line
    inner = textwrap.fill(", ".join(names) + ",", 116)
    return f"{start}(\n{textwrap.indent(inner, '    ')}\n)"


def _bare(source: str, keep: str) -> str:
    """Return a definition without comments, and without docstrings but that of the function `keep`."""
    lines = source.splitlines()
    gone: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name != keep and ast.get_docstring(node):
            gone |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
            if not lines[row - 1]:
                gone.add(row)
    return "\n".join(line for row, line in enumerate(lines, 1) if row not in gone)
