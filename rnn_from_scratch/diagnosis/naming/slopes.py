"""Derivatives of squashing functions as students get them wrong, at each place where the cell's backward takes one.

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
from .reference import Step, gates_of

Rule: TypeAlias = Callable[["Site", Array, Callable[[Array], Array], Any, Params], Array]
GATE_OF = {"h": None, "tanh_c": "c"}  # sites that are no gate


class Site(NamedTuple):
    """A place where a derivative is taken: of which value, by which function."""

    name: str  # of the output that it is written from: "i", "tanh_c", "h"
    function: str  # "tanh", "sigmoid" or "relu"

    @property
    def gate(self) -> str | None:
        """The gate as a diagnosis names it."""
        return GATE_OF.get(self.name, self.name)


class Sloped:
    """A cell's step_backward in which a rule decides what each derivative is."""

    def __init__(self, cell: Any) -> None:
        method = type(cell).step_backward
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
        finder = _Sites(getattr(cell, "activation", "tanh"))
        tree = ast.fix_missing_locations(finder.visit(tree))
        self.sites = list(dict.fromkeys(finder.sites))
        self._rule: Rule | None = None
        self._params: Params = {}
        namespace = {**sys.modules[method.__module__].__dict__, "_slope": self._slope}
        exec(compile(tree, "<slopes>", "exec"), namespace)
        self._function = namespace[method.__name__]

    def _slope(self, name: str, function: str, value: Array, derivative: Callable[[Array], Array], cache: Any) -> Array:
        assert self._rule is not None
        return self._rule(Site(name, function), value, derivative, cache, self._params)

    def step(self, rule: Rule) -> Step:
        """Return a step_backward that asks this rule."""

        def step_backward(cell: Any, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
            self._rule, self._params = rule, params
            answer: tuple[State, Any] = self._function(cell, params, dstate, cache)
            return answer

        return step_backward


class _Sites(ast.NodeTransformer):
    def __init__(self, activation: str) -> None:
        self.activation, self.sites = activation, []  # type: str, list[Site]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802 (ast's own name)
        node.decorator_list, node.returns = [], None
        for argument in node.args.args:
            argument.annotation = None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802
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
    """One wrong derivative; `value` gives it from (site, output, right derivative, cache)."""

    says: str  # with {f} for the function
    value: Callable[[Site, Array, Callable[[Array], Array], Any], Array]
    odd: bool = False


def _inverse(site: Site, value: Array) -> Array:
    """Return the pre-activation, from the output."""
    if site.function == "tanh":
        return np.arctanh(value)
    return np.log(value / (1.0 - value)) if site.function == "sigmoid" else value


def _before(site: Site, cache: Any) -> Array:
    """Return the same output at the step before; h_{t−1} is at hand by its own name, also before the first step."""
    value: Array = cache.h_prev if site.name == "h" else getattr(cache.before, site.name)
    return value


VARIANTS = (
    Variant("{f}′ is missing", lambda site, v, d, cache: np.ones_like(v)),
    Variant("1 − s stands for {f}′", lambda site, v, d, cache: 1.0 - v),
    Variant("the output s itself stands for {f}′", lambda site, v, d, cache: v),
    Variant("s² stands for {f}′", lambda site, v, d, cache: v * v),
    Variant("s (1 − s), a sigmoid's derivative, stands for {f}′", lambda site, v, d, cache: v * (1.0 - v)),
    Variant("1 − s², the derivative of tanh, stands for {f}′", lambda site, v, d, cache: 1.0 - v * v),
    Variant("1 + s² stands for {f}′", lambda site, v, d, cache: 1.0 + v * v, True),
    Variant("−2 s stands for {f}′", lambda site, v, d, cache: -2.0 * v),
    Variant("2 s stands for {f}′", lambda site, v, d, cache: 2.0 * v),
    Variant("{f}′ is taken twice", lambda site, v, d, cache: d(v) ** 2),
    Variant("{f}′ is taken at the output as if that were the pre-activation", lambda site, v, d, cache: (
        1.0 - np.tanh(v) ** 2 if site.function == "tanh" else sigmoid(v) * (1.0 - sigmoid(v)))),
    Variant("{f}′ is written from the pre-activation as if that were the output", lambda site, v, d, cache: (
        d(_inverse(site, v)))),
    Variant("tanh′ is taken at the output", lambda site, v, d, cache: 1.0 - np.tanh(v) ** 2),
    Variant("σ′ is taken at the output", lambda site, v, d, cache: sigmoid(v) * (1.0 - sigmoid(v))),
    Variant("the function itself, of its output, stands for {f}′", lambda site, v, d, cache: (
        np.tanh(v) if site.function == "tanh" else sigmoid(v))),
    Variant("the pre-activation stands for {f}′", lambda site, v, d, cache: _inverse(site, v), True),
    Variant("s {f}′ stands for {f}′", lambda site, v, d, cache: v * d(v), True),
    Variant("s tanh′(s) stands for {f}′", lambda site, v, d, cache: v * (1.0 - np.tanh(v) ** 2), True),
    Variant("1 − |s| stands for {f}′", lambda site, v, d, cache: 1.0 - np.abs(v), True),
    Variant("√(1 − s²) stands for {f}′", lambda site, v, d, cache: np.sqrt(np.abs(1.0 - v * v)), True),
    Variant("{f}′ is divided by instead of multiplied", lambda site, v, d, cache: 1.0 / d(v), True),
)  # fmt: skip
NEIGHBOURS = (
    Variant("{f}′ is that of the step before", lambda site, v, d, cache: d(_before(site, cache))),
    Variant("{f}′ is that of the step after", lambda site, v, d, cache: d(getattr(cache.after, site.name))),
    Variant("the output of the step before stands for {f}′", lambda site, v, d, cache: _before(site, cache)),
    Variant("the output of the step after stands for {f}′", lambda site, v, d, cache: getattr(cache.after, site.name)),
)  # fmt: skip
SYMBOLS = {"tanh": "tanh", "sigmoid": "σ", "relu": "ReLU"}


def variants(sloped: Sloped) -> Iterator[tuple[tuple[Site, ...], str, Rule, bool]]:
    """Yield (sites, what is wrong there, rule, odd): each site alone, all of one function, all of them."""
    sites = sloped.sites
    groups = [(site,) for site in sites]
    for function in dict.fromkeys(site.function for site in sites):
        groups.append(tuple(site for site in sites if site.function == function))
    groups.append(tuple(site for site in sites if site.name != "tanh_c"))
    groups.append(tuple(sites))
    for group in dict.fromkeys(groups):
        for variant in (*VARIANTS, *NEIGHBOURS):
            names = ", ".join(site.name for site in group)
            symbol = SYMBOLS.get(group[0].function, group[0].function) if len({s.function for s in group}) == 1 else "f"
            says = variant.says.format(f=symbol) + (f" of {names}" if len(sites) > 1 else "")

            def rule(
                site: Site, value: Array, derivative: Callable[[Array], Array], cache: Any, _: Params,
                group: tuple[Site, ...] = group, variant: Variant = variant,
            ) -> Array:
                return variant.value(site, value, derivative, cache) if site in group else derivative(value)

            yield group, says, rule, variant.odd


def other_biases(cell: Any, sloped: Sloped) -> Iterator[tuple[tuple[Site, ...], str, Rule]]:
    """Yield σ′ taken where gates would be with another gate's bias, or with none."""
    gates = gates_of(cell)
    places = [site for site in sloped.sites if site.name in gates and site.function == "sigmoid"]
    choices = [[site.name, *(gate for gate in gates if gate != site.name), "0"] for site in places]
    for chosen in itertools.product(*choices):
        swapped = {site.name: other for site, other in zip(places, chosen, strict=True) if other != site.name}
        if not swapped:
            continue

        def rule(
            site: Site, value: Array, derivative: Callable[[Array], Array], cache: Any, params: Params,
            swapped: Mapping[str, str] = swapped,
        ) -> Array:
            other = swapped.get(site.name)
            if other is None:
                return derivative(value)
            biases = dict(zip(gates, np.split(params["b_h"], len(gates)), strict=True))
            moved = _inverse(site, value) - biases[site.name] + biases.get(other, 0.0)
            return derivative(sigmoid(moved))

        says = ", ".join(f"σ′ of {gate} is taken with {f'the bias of {o}' if o != '0' else 'no bias'}"
                         for gate, o in swapped.items())
        yield tuple(site for site in places if site.name in swapped), says, rule
