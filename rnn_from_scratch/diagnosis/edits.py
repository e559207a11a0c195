"""The single edits of a node of a syntax tree, as mistakes are made: what each is called, and what takes its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

FIELDS = {
    "h": ["h_prev"], "h_prev": ["h"], "c": ["c_prev"], "c_prev": ["c", "h_prev"], "r": ["z"],
    "sum": ["mean"], "any": ["all"], "max": ["min"],
    "keys": ["query"], "query": ["keys"], "weights": ["hidden"], "hidden": ["weights"], "dcontext": ["dscores"],
    "dscores": ["dcontext"], "context": ["memory"], "fed": ["h_tilde"], "h_tilde": ["fed"], "joined": ["h_tilde"],
    "tilde": ["inner"], "gates": ["recurrent"], "recurrent": ["gates", "cell"], "normalized": ["deviation"],
    "ahead": ["back"], "back": ["ahead"], "encoder": ["decoder"], "decoder": ["encoder"],
    "input_size": ["hidden_size"], "hidden_size": ["input_size"], "query_size": ["memory_size"],
    "memory_size": ["query_size"],
}


def edits_of(node: ast.AST, names: list[str], keys: list[str]) -> Iterator[tuple[str, ast.AST]]:
    """Yield (what, replacement): another of `names` for a name, another of `keys` for a key, and so on."""
    match node:
        case ast.BinOp(left, op, right):
            yield "flip the sign", ast.UnaryOp(ast.USub(), node)
            part = "term" if isinstance(op, ast.Add | ast.Sub) else "factor"
            yield f"drop a {part}", left
            yield f"drop a {part}", right
            yield from _operators(left, op, right)
        case ast.UnaryOp(ast.USub(), operand):
            yield "flip the sign", operand
        case ast.Attribute(value, "T"):
            yield "drop the transpose", value
        case ast.Attribute(value, attr) if attr in FIELDS:
            for other in FIELDS[attr]:
                yield "another field", ast.Attribute(value, other, ast.Load())
        case ast.Subscript(value, index):
            yield "drop the index", value
            for what, shifted in _shifts(index):
                yield what, ast.Subscript(value, shifted, ast.Load())
        case ast.Constant(str(text)) if text in keys:
            for key in keys:
                yield "another key", ast.Constant(key)
        case ast.Constant(int(number) | float(number)) if not isinstance(number, bool):
            for fresh in dict.fromkeys((number + 1, number - 1, 2 * number, -number, 0 * number)):
                yield "another constant", ast.Constant(fresh) if fresh >= 0 else ast.UnaryOp(
                    ast.USub(), ast.Constant(-fresh))
        case ast.Name(_, ast.Load()):
            for other in names:
                yield "another name", ast.Name(other, ast.Load())
        case ast.Call(func, arguments, keywords):
            yield from _calls(func, arguments, keywords)
        case ast.IfExp(_, body, orelse):
            yield "decide the condition", body
            yield "decide the condition", orelse
        case ast.Compare(left, [op], [right]):
            for comparison in (ast.IsNot, ast.Is, ast.NotEq, ast.Eq, ast.Gt, ast.GtE, ast.Lt, ast.LtE):
                same_kind = isinstance(op, ast.Is | ast.IsNot) == (comparison in (ast.Is, ast.IsNot))
                if same_kind:
                    yield "another comparison", ast.Compare(left, [comparison()], [right])
        case ast.BoolOp(op, values):
            yield "another condition", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for value in values:
                yield "drop a condition", value
        case ast.Dict(names_of, values) if len(values) > 1:
            for swapped in _swaps(values):
                yield "swap two entries", ast.Dict(names_of, swapped)
        case ast.List(parts, ctx) | ast.Tuple(parts, ctx):
            for swapped in _swaps(parts):
                yield "swap two entries", type(node)(swapped, ctx)
        case ast.If(_, body, orelse):
            yield "decide the condition", ast.If(ast.Constant(True), body, orelse)
            yield "decide the condition", ast.If(ast.Constant(False), body, orelse)
        case ast.Assign() | ast.Expr() | ast.AugAssign():
            yield "drop the statement", ast.Pass()
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                for swapped in _swaps(node.targets[0].elts):
                    yield "swap two targets", ast.Assign([ast.Tuple(swapped, ast.Store())], node.value)
        case _:
            pass


def _swaps(parts: list[Any]) -> Iterator[list[Any]]:
    """Swap two neighbours."""
    for i in range(len(parts) - 1):
        yield [*parts[:i], parts[i + 1], parts[i], *parts[i + 2 :]]


def _operators(left: ast.expr, op: ast.operator, right: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    others: dict[type[ast.operator], list[type[ast.operator]]] = {
        ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div, ast.Add], ast.Div: [ast.Mult],
        ast.MatMult: [ast.Mult], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
    }
    for other in others.get(type(op), []):
        yield "another operator", ast.BinOp(left, other(), right)
    if isinstance(op, ast.Sub | ast.Div | ast.MatMult):
        yield "swap the operands", ast.BinOp(right, op, left)
    if isinstance(op, ast.Sub):
        yield "drop a term", ast.UnaryOp(ast.USub(), right)
    if isinstance(op, ast.MatMult):
        yield "transpose", ast.BinOp(ast.Attribute(left, "T", ast.Load()), op, right)
        yield "transpose", ast.BinOp(left, op, ast.Attribute(right, "T", ast.Load()))


def _shifts(index: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Shift an index or a slice's bound by one, or drop a bound."""
    match index:
        case ast.Slice(lower, upper, step):
            for what, bound in (("lower", lower), ("upper", upper), ("step", step)):
                if bound is not None:
                    parts: dict[str, Any] = {"lower": lower, "upper": upper, "step": step}
                    for new in (None, *(shifted for _, shifted in _shifts(bound))):
                        yield "shift an index" if new else "drop a bound", ast.Slice(**{**parts, what: new})
        case ast.Tuple(places):
            for i, part in enumerate(places):
                for what, shifted in _shifts(part):
                    yield what, ast.Tuple([*places[:i], shifted, *places[i + 1 :]], ast.Load())
        case ast.Constant(str()) | ast.Constant(None) | ast.Constant(value=type()):
            pass
        case ast.Name() | ast.Constant(int()) | ast.UnaryOp():
            yield "shift an index", ast.BinOp(index, ast.Add(), ast.Constant(1))
            yield "shift an index", ast.BinOp(index, ast.Sub(), ast.Constant(1))


def _calls(
    func: ast.expr, arguments: list[ast.expr], keywords: list[ast.keyword]
) -> Iterator[tuple[str, ast.AST]]:
    name = ast.unparse(func)
    if name == "np.where" and len(arguments) == 3:
        test, yes, no = arguments
        yield "drop the mask", yes
        yield "drop the mask", no
        yield "swap the branches", ast.Call(func, [test, no, yes], keywords)
    elif len(arguments) == 1:
        yield "drop the call", arguments[0]
    if isinstance(func, ast.Attribute) and not name.startswith(("np.", "self.", "ACTIVATIONS", "model.")):
        yield "drop the call", func.value
    for i, argument in enumerate(arguments):
        if not isinstance(argument, ast.Starred) and len(arguments) > 1:
            none = [*arguments[:i], ast.Constant(None), *arguments[i + 1 :]]
            yield "drop an argument", ast.Call(func, none, keywords)
            yield "drop an argument", ast.Call(func, [*arguments[:i], *arguments[i + 1 :]], keywords)
    for i in range(len(keywords)):
        yield "drop an argument", ast.Call(func, arguments, [*keywords[:i], *keywords[i + 1 :]])
