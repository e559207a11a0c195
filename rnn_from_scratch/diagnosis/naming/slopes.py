"""The curated list: derivatives of squashing functions as students get them wrong, wherever a cell's backward has one.

The places are found in the syntax tree of the cell's own step_backward: every call of …_derivative, or of .derivative.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...activations import sigmoid
from ...arrays import Array, Params, State
from .dictionary import READ
from .hypotheses import (
    TIMES,
    Hypothesis,
    at_times,
    from_later,
    from_own_loss,
    from_part,
    parts_of,
    to_carry,
    to_parameters,
)
from .reference import Change, Step, gates_of
from .suspects import Where

GATE_OF = {"h": None, "tanh_c": "c"}  # sites that are no gate
SYMBOLS = {"tanh": "tanh", "sigmoid": "σ", "relu": "ReLU"}
HINT = "The line with this derivative: of which function is it, and is it written from the output or the argument?"


class Site(NamedTuple):
    """A place where a derivative is taken."""

    name: str  # of the output that it is written from: "i", "tanh_c", "h"
    function: str  # "tanh", "sigmoid" or "relu"

    @property
    def gate(self) -> str | None:
        """The gate as a diagnosis names it."""
        return GATE_OF.get(self.name, self.name)


class Taken(NamedTuple):
    """A derivative that is being taken: what a wrong one can be made of."""

    site: Site
    s: Array  # the output
    derivative: Callable[[Array], Array]  # the right one, of the output
    cache: Any
    params: Params

    @property
    def right(self) -> Array:
        """The right value."""
        return self.derivative(self.s)

    @property
    def a(self) -> Array:
        """The pre-activation."""
        if self.site.function == "tanh":
            return np.arctanh(self.s)
        return np.log(self.s / (1.0 - self.s)) if self.site.function == "sigmoid" else self.s

    @property
    def before(self) -> Array:
        """The same output at the step before."""
        value: Array = getattr(self.cache.before, self.site.name)
        return value

    @property
    def after(self) -> Array:
        """The same output at the step after, zero after the last."""
        value: Array = getattr(self.cache.after, self.site.name)
        return value


Rule: TypeAlias = Callable[[Taken], Array]


class Sloped:
    """A cell's step_backward in which a rule decides what each derivative is."""

    def __init__(self, cell: Any) -> None:
        method = type(cell).step_backward
        finder = _Sites(getattr(cell, "activation", "tanh"))
        tree = ast.fix_missing_locations(finder.visit(ast.parse(textwrap.dedent(inspect.getsource(method)))))
        self.sites = list(dict.fromkeys(finder.sites))
        self._rule: Rule = lambda taken: taken.right
        self._params: Params = {}
        namespace = {**sys.modules[method.__module__].__dict__, "_slope": self._slope}
        exec(compile(tree, "<slopes>", "exec"), namespace)
        self._function = namespace[method.__name__]

    def _slope(self, name: str, function: str, s: Array, derivative: Callable[[Array], Array], cache: Any) -> Array:
        return self._rule(Taken(Site(name, function), s, derivative, cache, self._params))

    def step(self, rule: Rule) -> Step:
        """Return a step_backward that asks this rule."""

        def step_backward(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
            self._rule, self._params = rule, params
            answer: tuple[State, Any] = self._function(cell, params, dstate, cache)
            return answer

        return step_backward


class _Sites(ast.NodeTransformer):
    def __init__(self, activation: str) -> None:
        self.activation = activation
        self.sites: list[Site] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list, node.returns = [], None
        for argument in node.args.args:
            argument.annotation = None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = ast.unparse(node.func)
        if not called.endswith("derivative") or len(node.args) != 1:
            return node
        name = ast.unparse(node.args[0]).removeprefix("cache.")
        function = called.removesuffix("_derivative") if called.endswith("_derivative") else self.activation
        self.sites.append(Site(name, function))
        parts: list[ast.expr] = [ast.Constant(name), ast.Constant(function), node.args[0], node.func]
        return ast.Call(ast.Name("_slope", ast.Load()), [*parts, ast.Name("cache", ast.Load())], [])


class Variant(NamedTuple):
    """One wrong derivative."""

    says: str  # with {f} for the function
    value: Rule
    odd: bool = False


VARIANTS = (
    Variant("{f}′ is missing", lambda q: np.ones_like(q.s)),
    Variant("1 − s stands for {f}′", lambda q: 1.0 - q.s),
    Variant("the output s itself stands for {f}′", lambda q: q.s),
    Variant("s² stands for {f}′", lambda q: q.s * q.s),
    Variant("s (1 − s), a sigmoid's derivative, stands for {f}′", lambda q: q.s * (1.0 - q.s)),
    Variant("1 − s², the derivative of tanh, stands for {f}′", lambda q: 1.0 - q.s * q.s),
    Variant("−2 s stands for {f}′", lambda q: -2.0 * q.s),
    Variant("2 s stands for {f}′", lambda q: 2.0 * q.s),
    Variant("{f}′ is taken twice", lambda q: q.right**2),
    Variant("{f}′ is taken at the output as if that were the pre-activation", lambda q: (
        1.0 - np.tanh(q.s) ** 2 if q.site.function == "tanh" else sigmoid(q.s) * (1.0 - sigmoid(q.s)))),
    Variant("{f}′ is written from the pre-activation as if that were the output", lambda q: q.derivative(q.a)),
    Variant("tanh′ is taken at the output", lambda q: 1.0 - np.tanh(q.s) ** 2),
    Variant("σ′ is taken at the output", lambda q: sigmoid(q.s) * (1.0 - sigmoid(q.s))),
    Variant("{f}′ is that of the step before", lambda q: q.derivative(q.before)),
    Variant("{f}′ is that of the step after", lambda q: q.derivative(q.after)),
    Variant("the output of the step before stands for {f}′", lambda q: q.before),
    Variant("the output of the step after stands for {f}′", lambda q: q.after),
    Variant("the function itself, of its output, stands for {f}′", lambda q: (
        np.tanh(q.s) if q.site.function == "tanh" else sigmoid(q.s))),
    Variant("1 + s² stands for {f}′", lambda q: 1.0 + q.s * q.s, True),
    Variant("the pre-activation stands for {f}′", lambda q: q.a, True),
    Variant("s times {f}′ stands for {f}′", lambda q: q.s * q.right, True),
    Variant("s times tanh′(s) stands for {f}′", lambda q: q.s * (1.0 - np.tanh(q.s) ** 2), True),
    Variant("1 − |s| stands for {f}′", lambda q: 1.0 - np.abs(q.s), True),
    Variant("√(1 − s²) stands for {f}′", lambda q: np.sqrt(np.abs(1.0 - q.s * q.s)), True),
    Variant("it is divided by {f}′, not multiplied", lambda q: 1.0 / q.right, True),
)  # fmt: skip


def slope_hypotheses(cell: Any, timed: bool = False) -> Iterator[Hypothesis]:
    """Yield wrong derivatives: everywhere, for the parameters or what goes back alone, from dh or dc alone.

    With `timed`, instead the same at some steps alone.
    """
    if type(cell) not in READ:
        return
    sloped = Sloped(cell)
    for sites, variant in (*itertools.product(_groups(sloped.sites), VARIANTS), *_mixtures(sloped.sites)):
        functions = {site.function for site in sites}
        symbol = SYMBOLS.get(sites[0].function, "f") if len(functions) == 1 else "f"
        of = f" for {', '.join(site.name for site in sites)}" if len(sloped.sites) > 1 else ""
        says, gate = variant.says.format(f=symbol) + of, sites[0].gate if len(sites) == 1 else None
        step = sloped.step(_at(sites, variant.value))
        scopes = [("", step), (", for the parameters alone", to_parameters(step)),
                  (", on the way back in time alone", to_carry(step))]
        if parts_of(cell) > 1:
            scopes += [(", in what comes from dh", from_part(step, 0)), (", in what comes from dc", from_part(step, 1))]
        for scope, scoped in scopes:
            if not timed:
                yield Hypothesis("activation-derivative", Where(None, gate), says + scope, HINT, Change(step=scoped),
                                 odd=variant.odd)
                if not scope:
                    for part, split in (("later steps", from_later), ("the step's own loss", from_own_loss)):
                        told = f"{says}, in what comes from {part}"
                        yield Hypothesis("activation-derivative", Where(None, gate), told, HINT,
                                         Change(loop=split(step)), odd=variant.odd)
            for time, chosen in TIMES if timed else ():
                yield Hypothesis("activation-derivative", Where(None, gate, time), f"{says}{scope}, at {time} only",
                                 HINT, Change(step=at_times(scoped, chosen)), odd=variant.odd)
    if not timed:
        yield from _other_biases(gates_of(cell), sloped)


def _mixtures(sites: list[Site]) -> Iterator[tuple[tuple[Site, ...], Variant]]:
    """The product rule of one gate with another's output in half of it: i (1 − g)."""
    for site, other in itertools.permutations((site for site in sites if site.name != "tanh_c"), 2):
        yield (site,), Variant(f"{site.name} (1 − {other.name}) stands for {{f}}′", _one_minus(other.name))
        yield (site,), Variant(f"{other.name} (1 − {site.name}) stands for {{f}}′", _times_other(other.name))


    for site in sites:
        if site.name == "tanh_c" and site.function == "tanh":
            yield (site,), Variant("1 − h² stands for 1 − tanh² c", lambda q: 1.0 - (q.cache.o * q.s) ** 2)


def _one_minus(name: str) -> Rule:
    return lambda q: q.s * (1.0 - getattr(q.cache, name))


def _times_other(name: str) -> Rule:
    return lambda q: getattr(q.cache, name) * (1.0 - q.s)


def _groups(sites: list[Site]) -> list[tuple[Site, ...]]:
    """Each site alone, all of one function, all gates, all."""
    groups: list[tuple[Site, ...]] = [(site,) for site in sites]
    groups += [pair for pair in itertools.combinations(sites, 2) if pair[0].function == pair[1].function]
    for function in dict.fromkeys(site.function for site in sites):
        groups.append(tuple(site for site in sites if site.function == function))
    groups.append(tuple(site for site in sites if site.name != "tanh_c"))
    groups.append(tuple(sites))
    return list(dict.fromkeys(groups))


def _at(sites: tuple[Site, ...], value: Rule) -> Rule:
    return lambda q: value(q) if q.site in sites else q.right


def _other_biases(gates: str, sloped: Sloped) -> Iterator[Hypothesis]:
    """σ′ taken where gates would be with another gate's bias, or with none."""
    places = [site for site in sloped.sites if site.name in tuple(gates) and site.function == "sigmoid"]
    for chosen in itertools.product(*([site.name, *(g for g in gates if g != site.name), ""] for site in places)):
        swapped = {site.name: other for site, other in zip(places, chosen, strict=True) if other != site.name}
        if swapped:
            says = ", ".join(f"σ′ of {gate} is taken with {f'the bias of {other}' if other else 'no bias'}"
                             for gate, other in swapped.items())
            yield Hypothesis("wrong-gate", Where(None, "".join(swapped)), says,
                             "Where the gates are computed again in the backward: each with its own bias.",
                             Change(step=sloped.step(_biased(gates, swapped))))


def _biased(gates: str, swapped: Mapping[str, str]) -> Rule:
    def rule(q: Taken) -> Array:
        if q.site.name not in swapped:
            return q.right
        biases = dict(zip(gates, np.split(q.params["b_h"], len(gates)), strict=True))
        return q.derivative(sigmoid(q.a - biases[q.site.name] + biases.get(swapped[q.site.name], 0.0)))

    return rule
