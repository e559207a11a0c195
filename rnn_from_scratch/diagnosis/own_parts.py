r"""The parts of a cell of one's own, and its equations: an activation, and a leak, a gate, a residual around it.

Every activation is complex-safe, as in `activations.py`: fed with z + iε it returns f(z) + iε·f'(z). Where one is
written by cases, the real part decides, and both cases agree at 0. The derivatives are in `own_solution.py`: to find
them is the exercise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..activations import sigmoid
from ..arrays import Array, Params
from .own_text import Equations


def _size(z: Array) -> Array:
    """Return z or −z, whichever has a real part of at least 0: |z|, analytic on either side."""
    return np.where(z.real < 0, -z, z)


def _softplus(z: Array) -> Array:
    """Return log(1 + e^z) as max(z, 0) + log(1 + e^{−|z|}), which cannot overflow."""
    return np.where(z.real < 0, np.zeros((), z.dtype), z) + np.log1p(np.exp(-_size(z)))


def _log_cosh(z: Array) -> Array:
    """Return log cosh z as |z| + log(1 + e^{−2|z|}) − log 2, which cannot overflow."""
    size = _size(z)
    value: Array = size + np.log1p(np.exp(-2.0 * size)) - float(np.log(2.0))
    return value


def _sech(z: Array) -> Array:
    """Return 1 / cosh z as 2e / (1 + e²) with e = e^{−|z|}, which cannot overflow."""
    e = np.exp(-_size(z))
    value: Array = 2.0 * e / (1.0 + e * e)
    return value


class OwnActivation(NamedTuple):
    """A function of one number, and how its equation reads."""

    function: Callable[[Array], Array]
    text: str


OWN_ACTIVATIONS = {
    "tanh": OwnActivation(np.tanh, "tanh(a_t)"),
    "sigmoid": OwnActivation(sigmoid, "σ(a_t)"),
    "softplus": OwnActivation(_softplus, "log(1 + exp(a_t))"),
    "sine": OwnActivation(np.sin, "sin(a_t)"),
    "arctan": OwnActivation(np.arctan, "arctan(a_t)"),
    "asinh": OwnActivation(np.arcsinh, "asinh(a_t)"),
    "algebraic": OwnActivation(lambda z: z / np.sqrt(1.0 + z * z), "a_t / √(1 + a_t²)"),
    "rational": OwnActivation(lambda z: z / (1.0 + z * z), "a_t / (1 + a_t²)"),
    "gaussian": OwnActivation(lambda z: np.exp(-z * z), "exp(−a_t²)"),
    "log-cosh": OwnActivation(_log_cosh, "log(cosh(a_t))"),
    "sech": OwnActivation(_sech, "1 / cosh(a_t)"),
    "swish": OwnActivation(lambda z: z * sigmoid(z), "a_t ⊙ σ(a_t)"),
}

RATES = (0.2, 0.3, 0.4, 0.6, 0.7, 0.8)  # no 0.5: there λ and 1 − λ are the same, and a swap would pass
GATES = ("input", "output", "reset")  # each is called by its first letter
RESIDUALS = {"state": "h_{t-1}", "weighted": "u ⊙ h_{t-1}", "input": "x_t W_res"}

#: What can be drawn: (activation, leak, gate, residual). At least two parts stand around the activation, so that nobody
#: gets the plain RNN, whose backward stands in cells/rnn.py, and everyone has about the same work.
KINDS = tuple(
    kind
    for kind in itertools.product(OWN_ACTIVATIONS, (None, "constant", "learned"), (None, *GATES), (None, *RESIDUALS))
    if kind.count(None) <= 1
)


@dataclass(frozen=True)
class OwnForm:
    r"""The parts of one cell, and its equations. With every part they read as below; a cell has one gate at most.

    .. math::
        g_t &= \sigma(x_t W_{xg} + h_{t-1} W_{hg} + b_g) && \text{the gate: } g \text{ is } i, o \text{ or } r \\
        a_t &= x_t W_{xh} + (r_t \odot h_{t-1}) W_{hh} + b_h, \quad n_t = f(a_t) && \text{reset gate, activation} \\
        c_t &= i_t \odot n_t + \{ h_{t-1},\; u \odot h_{t-1} \text{ or } x_t W_{res} \}
            && \text{input gate, residual} \\
        s_t &= (1 - \lambda) \odot h_{t-1} + \lambda \odot c_t
            && \text{leak: } \lambda \text{ is a constant or } \sigma(v) \\
        h_t &= o_t \odot s_t && \text{output gate}

    The leak is an average, and comes after the residual: so no state doubles at every step. Each matrix has a name of
    its own, as on paper, where `GRUCell` keeps all gates in one.

    Parameters
    ----------
    activation : str
        f, one of `OWN_ACTIVATIONS`.
    leak : float, "learned" or None
        λ itself, above 0 and below 1; or σ(v), one for each unit.
    gate : "input", "output", "reset" or None
    residual : "state", "weighted", "input" or None
        h_{t−1}, u ⊙ h_{t−1} or x_t W_res.

    Raises
    ------
    ArgumentError
        A part that there is not, or a λ that is no share.

    Source: COURSE's "a cell of their own"; tests/diagnosis/test_own_cell.py.
    """

    activation: str = "tanh"
    leak: float | str | None = None
    gate: str | None = None
    residual: str | None = None

    def __post_init__(self) -> None:
        validate.option("OwnForm", "activation", self.activation, OWN_ACTIVATIONS)
        validate.option("OwnForm", "gate", self.gate, (None, *GATES))
        validate.option("OwnForm", "residual", self.residual, (None, *RESIDUALS))
        if self.leak is not None and self.leak != "learned":
            rate = validate.number(
                "OwnForm", "leak", self.leak, above=0.0, below=1.0, because="it is the share of what is new in h_t",
                hint='Or "learned", or None.',
            )
            object.__setattr__(self, "leak", rate)

    def __str__(self) -> str:
        """Say the parts in words: "arctan, learned leak, input gate"."""
        leak = self.leak if self.leak in (None, "learned") else "constant"
        named = ((leak, "leak"), (self.gate, "gate"), (self.residual, "residual"))
        return ", ".join([self.activation, *(f"{kind} {part}" for kind, part in named if kind)])

    @property
    def letter(self) -> str:
        """The gate's letter: i, o or r; "" where there is none."""
        return self.gate[0] if self.gate else ""

    @property
    def mixed(self) -> str:
        """The symbol of the candidate after input gate and residual: c_t; n_t if it has neither, h_t if it is last."""
        if self.gate != "input" and self.residual is None:
            return "n_t"
        return "h_t" if self.leak is None and self.gate != "output" else "c_t"

    @property
    def leaked(self) -> str:
        """The symbol after the leak: s_t; h_t if it is last, `mixed` if there is no leak."""
        if self.leak is None:
            return self.mixed
        return "s_t" if self.gate == "output" else "h_t"

    @property
    def times(self) -> str:
        """How λ multiplies: entry by entry if it is a vector."""
        return "⊙" if self.leak == "learned" else "·"

    @property
    def rate(self) -> str:
        """What λ is, in text."""
        return "σ(v)" if self.leak == "learned" else str(self.leak)

    def leak_rate(self, params: Params) -> Any:
        """Return λ: a number, or σ(v) (H,)."""
        return sigmoid(params["v"]) if self.leak == "learned" else self.leak

    @cached_property
    def cache_fields(self) -> Mapping[str, str]:
        """The cache's fields, and the symbol that each is: h_{t−1}, and whatever is computed on the way to h_t."""
        symbols = [left for left, _ in self.equations if left not in ("λ", "h_t")]
        return {"h_prev": "h_{t-1}", **{symbol[0]: symbol for symbol in symbols}}

    @property
    def equations(self) -> Equations:
        """One step as (left, right) in plain text, in the order in which it is computed."""
        g = self.letter
        lines = [(f"{g}_t", f"σ(x_t W_x{g} + h_{{t-1}} W_h{g} + b_{g})")] if g else []
        seen = "(r_t ⊙ h_{t-1})" if self.gate == "reset" else "h_{t-1}"
        lines += [("a_t", f"x_t W_xh + {seen} W_hh + b_h"), ("n_t", OWN_ACTIVATIONS[self.activation].text)]
        if self.mixed != "n_t":
            added = f" + {RESIDUALS[self.residual]}" if self.residual else ""
            lines.append((self.mixed, ("i_t ⊙ n_t" if self.gate == "input" else "n_t") + added))
        if self.leak is not None:
            lines.append(("λ", self.rate))
            lines.append((self.leaked, f"(1 − λ) {self.times} h_{{t-1}} + λ {self.times} {self.mixed}"))
        if self.gate == "output":
            lines.append(("h_t", f"o_t ⊙ {self.leaked}"))
        return lines if lines[-1][0] == "h_t" else [*lines, ("h_t", "n_t")]
