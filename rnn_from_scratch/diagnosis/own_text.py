"""How a cell of one's own is written down: one set of equations, as plain text and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

Equations = list[tuple[str, str]]  # (left, right)

_SIGNS = {
    "⊙": r"\odot", "·": r"\cdot", "−": "-", "²": "^2", "³": "^3", "ᵀ": r"^\top", "Σ": r"\sum",
    "σ": r"\sigma", "δ": r"\delta", "λ": r"\lambda",
}
_FUNCTIONS = re.compile(r"\b(tanh|cosh|sin|cos|arctan|log|exp)\(")


class Sheet(NamedTuple):
    """A heading, blocks of equations under their titles, a table of (code, symbol, shape), and a last line."""

    heading: str
    blocks: Sequence[tuple[str, Equations]]
    table: Sequence[tuple[str, str, str]] = ()
    closing: str = ""

    def __str__(self) -> str:
        lines = [self.heading]
        for title, equations in self.blocks:
            width = max(len(left) for left, _ in equations)
            lines += [f"{title}:", *(f"  {left.ljust(width)} = {right}" for left, right in equations)]
        if self.table:
            wide, less = (max(len(row[column]) for row in self.table) for column in (0, 1))
            rows = [f"  {code.ljust(wide)}  {symbol.ljust(less)}  {shape}" for code, symbol, shape in self.table]
            lines += ["In code:", *rows]
        return "\n".join([*lines, self.closing] if self.closing else lines)

    def _repr_markdown_(self) -> str:
        """Show it in a notebook."""
        parts = [f"**{_escaped(self.heading)}**"]
        for title, equations in self.blocks:
            parts += [_escaped(f"{title}:"), f"$$\n{aligned(equations)}\n$$"]
        if self.table:
            rows = [f"| `{code}` | ${latex(symbol)}$ | {shape} |" for code, symbol, shape in self.table]
            parts.append("\n".join(["| code | symbol | shape |", "|---|---|---|", *rows]))
        return "\n\n".join([*parts, _escaped(self.closing)] if self.closing else parts)


def latex(text: str) -> str:
    r"""Return one side of an equation in LaTeX: "x_t W_xh ⊙ σ(v)" as r"x_t W_{xh} \odot \sigma(v)"."""
    text = re.sub(r"∂L/∂(\S+)", r"\\frac{\\partial L}{\\partial \1}", text)
    text = re.sub(r"√\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = _FUNCTIONS.sub(r"\\\1(", text).replace("asinh", r"\operatorname{asinh}")
    text = re.sub(r"_([A-Za-z]{2,})", r"_{\1}", text)
    return re.sub("|".join(_SIGNS), lambda match: _SIGNS[match[0]], text)


def aligned(equations: Equations) -> str:
    """Return equations as an aligned environment, for a notebook or a sheet of paper."""
    lines = [f"{latex(left)} &= {latex(right)}" for left, right in equations]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _escaped(text: str) -> str:
    """Return words that may be anybody's name, so that none of their characters is Markdown, HTML or mathematics."""
    return re.sub(r"([\\`*_\[\]<>&|#$~])", r"\\\1", text)
