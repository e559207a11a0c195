r"""A cell of one's own for each student: small, drawn from a name, to differentiate by hand; `check_cell` marks it.

A cell is an activation with at least two of a leak, a gate and a residual connection around it: 468 kinds
(`own_parts.KINDS`), and a constant leak draws its rate from six beside them. A student derives `step_backward` and
`param_grads` and hands them over with `with_backward`. The teacher's side, with every derivative, is `own_solution.py`.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..activations import sigmoid
from ..arrays import Array, Params, State
from .own_parts import KINDS, OWN_ACTIVATIONS, RATES, OwnForm
from .own_text import Sheet
from .probe import different_sizes, random_params
from .suite import BrokenError, described


class NotWrittenError(BrokenError, NotImplementedError):
    """The student's part is not there yet; in `check_cell` that is a finding, in these words."""


class Backward(NamedTuple):
    """What a student has written so far."""

    step_backward: Callable[..., Any] | None = None
    param_grads: Callable[..., Any] | None = None


@dataclass(frozen=True)
class OwnCell:
    """The forward half of a small cell; its backward is the exercise. Printed or shown, it tells its equations.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, which must differ: with D = H a transposed matrix still fits.
    form : OwnForm
        Its parts, and the equations that they make.
    name : str
        Whose it is.
    backward : Backward
        What its student has written; `with_backward` sets it.

    Raises
    ------
    ArgumentError
        If a size is no whole number of at least 1, D = H, or form is no OwnForm.

    Source: COURSE's "a cell of their own"; tests/diagnosis/test_own_cell.py.
    """

    input_size: int
    hidden_size: int
    form: OwnForm
    name: str = field(default="", compare=False)  # a label: two names may have drawn equal cells
    backward: Backward = field(default=Backward(), repr=False)

    def __post_init__(self) -> None:
        validate.sizes("OwnCell", self, "input_size", "hidden_size")
        different_sizes("OwnCell", self.input_size, self.hidden_size)
        if not isinstance(self.form, OwnForm):
            hint = 'Try OwnForm("sine", leak="learned", gate="reset").'
            validate.fail("OwnCell", f"form is {described(self.form)}", "an OwnForm", "it names the parts", hint)

    @property
    def sheet(self) -> Sheet:
        """The exercise: one step's equations, and what each symbol is called in code."""
        D, H = self.input_size, self.hidden_size
        whose = f"The cell of {self.name}" if self.name else "A cell"
        table = [(f'params["{name}"]', name, f"{shape}") for name, shape in self.param_shapes().items()]
        table += [("xs[t-1]", "x_t", f"(N, {D})"), ("dstate[0]", "∂L/∂h_t", f"(N, {H})")]
        table += [(f"cache.{name}", symbol, f"(N, {H})") for name, symbol in self.form.cache_fields.items()]
        missing = [_TO_WRITE[name] for name, function in self.backward._asdict().items() if function is None]
        closing = f"To write: {'; '.join(missing)}." if missing else ""
        return Sheet(f"{whose}: {self.form}; D = {D}, H = {H}", [("One step", self.form.equations)], table, closing)

    def __str__(self) -> str:
        return str(self.sheet)

    def _repr_markdown_(self) -> str:
        """Show the sheet in a notebook."""
        return self.sheet._repr_markdown_()

    # The forward half of the contract

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)} and what the parts add.

        A gate adds the same three under its letter (W_xi, W_hi, b_i); a residual u (H,) or W_res (D, H); a learned
        leak v (H,).
        """
        D, H, form = self.input_size, self.hidden_size, self.form
        shapes: dict[str, tuple[int, ...]] = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}
        if g := form.letter:
            shapes |= {f"W_x{g}": (D, H), f"W_h{g}": (H, H), f"b_{g}": (H,)}
        if form.residual == "weighted":
            shapes["u"] = (H,)
        if form.residual == "input":
            shapes["W_res"] = (D, H)
        if form.leak == "learned":
            shapes["v"] = (H,)
        return shapes

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return matrices from N(0, 1/fan_in) and vectors from N(0, 1/4).

        No bias starts at zero: the cell is there to be differentiated, and a zero hides a wrong backward.
        """
        validate.generator("OwnCell.init_params", rng)
        kind = validate.float_dtype("OwnCell.init_params", dtype)
        drawn = random_params({name: np.empty(shape) for name, shape in self.param_shapes().items()}, rng)
        return {name: array.astype(kind) for name, array in drawn.items()}

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return (h_0,) with h_0 = 0, shape (N, H)."""
        N = validate.size("OwnCell.initial_state", "batch_size", batch_size)
        return (np.zeros((N, self.hidden_size), validate.float_dtype("OwnCell.initial_state", dtype)),)

    def project(self, params: Params, xs: Array) -> Array:
        """Return all that comes from the inputs, side by side: xs (T, N, D) to (T, N, H), (T, N, 2H) or (T, N, 3H).

        First x_t W_xh + b_h, then the gate's x_t W_xg + b_g, then the residual's x_t W_res.
        """
        blocks = [xs @ params["W_xh"] + params["b_h"]]
        if g := self.form.letter:
            blocks.append(xs @ params[f"W_x{g}"] + params[f"b_{g}"])
        if self.form.residual == "input":
            blocks.append(xs @ params["W_res"])
        return np.concatenate(blocks, axis=-1)

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, Any]:
        """Advance by one time step: `OwnForm.equations`, in their order.

        Parameters
        ----------
        params : dict
            See `param_shapes`.
        x_proj : (N, H), (N, 2H) or (N, 3H)
            From `project`.
        state : (h_prev,)
            h_prev (N, H).

        Returns
        -------
        state : (h,)
        cache : a NamedTuple
            Its fields are `OwnForm.cache_fields`, each (N, H).
        """
        (h_prev,) = state
        form, seen = self.form, h_prev
        gate: Any = None
        H = self.hidden_size
        from_x = [x_proj[:, start : start + H] for start in range(0, x_proj.shape[1], H)]
        if g := form.letter:
            gate = sigmoid(from_x[1] + h_prev @ params[f"W_h{g}"])
        if form.gate == "reset":
            seen = gate * h_prev
        a = from_x[0] + seen @ params["W_hh"]
        n = OWN_ACTIVATIONS[form.activation].function(a)
        c = gate * n if form.gate == "input" else n
        if form.residual == "state":
            c = c + h_prev
        if form.residual == "weighted":
            c = c + params["u"] * h_prev
        if form.residual == "input":
            c = c + from_x[-1]
        s = c
        if form.leak is not None:
            rate = form.leak_rate(params)
            s = (1.0 - rate) * h_prev + rate * c
        h = gate * s if form.gate == "output" else s
        known = {"h_prev": h_prev, form.letter: gate, "a": a, "n": n, "c": c, "s": s}
        fields = tuple(form.cache_fields)
        return (h,), _cache_type(fields)(*(known[name] for name in fields))

    # The student's half

    def with_backward(
        self, step_backward: Callable[..., Any] | None = None, param_grads: Callable[..., Any] | None = None
    ) -> OwnCell:
        """Return this cell with a backward of one's own, for `check_cell` to mark.

        Parameters
        ----------
        step_backward : (params, dstate, cache) -> (dh_prev,), delta
            dstate is (dh,), (N, H). delta is whatever param_grads needs from this step.
        param_grads : (params, xs, caches, deltas) -> dxs, grads
            xs (T, N, D), caches and deltas are lists by step. dxs (T, N, D); grads has the keys of params.

        Raises
        ------
        ArgumentError
            If one of them is no function: what it returned, for example.
        """
        for name, function in (("step_backward", step_backward), ("param_grads", param_grads)):
            if function is not None and not callable(function):
                validate.fail(
                    "OwnCell.with_backward", f"{name} is {described(function)}", "a function",
                    "check_cell calls it at points of its own", f"Hand over {name} itself, without calling it.",
                )
        return replace(self, backward=Backward(step_backward, param_grads))

    def step_backward(self, params: Params, dstate: State, cache: Any) -> tuple[State, Any]:
        """Call what the student wrote; raise NotWrittenError if that is nothing yet."""
        if self.backward.step_backward is None:
            raise NotWrittenError(f"not written yet: {_TO_WRITE['step_backward']}. {_HOW}")
        answer: tuple[State, Any] = self.backward.step_backward(params, dstate, cache)
        return answer

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[Any], deltas: Sequence[Any]
    ) -> tuple[Array, Params]:
        """Call what the student wrote; raise NotWrittenError if that is nothing yet."""
        if self.backward.param_grads is None:
            raise NotWrittenError(f"not written yet: {_TO_WRITE['param_grads']}. {_HOW}")
        answer: tuple[Array, Params] = self.backward.param_grads(params, xs, caches, deltas)
        return answer


_TO_WRITE = {
    "step_backward": "step_backward(params, dstate, cache) -> (dh_prev,), delta",
    "param_grads": "param_grads(params, xs, caches, deltas) -> dxs, grads",
}
_HOW = "Hand it over: check_cell(cell.with_backward(step_backward, param_grads), rng=rng)"


@cache
def _cache_type(fields: tuple[str, ...]) -> Any:
    """Return the NamedTuple of these fields, the same one for every step: a cell's cache has what it needs alone."""
    return namedtuple("OwnCache", fields)


def own_cell(name: str, *, input_size: int = 3, hidden_size: int = 4) -> OwnCell:
    """Return the cell of whoever has this name: the same one always, on every machine.

    Two students may draw the same kind: in a class of thirty it is more likely than not that some two do. `cell.form`
    tells. Put the course and the year before each name, and everybody draws anew.

    Parameters
    ----------
    name : str
        In any writing. Spaces around it, capitals, and whether é is one character or two make no difference.
    input_size, hidden_size : int
        D and H, which must differ. The form does not depend on them.

    Returns
    -------
    OwnCell
        Without a backward. Show it in a notebook, or print it.

    Raises
    ------
    DtypeError
        If the name is no string.
    ArgumentError
        If the name is empty, a size is no whole number of at least 1, or D = H.

    Source: COURSE's "a cell of their own"; tests/diagnosis/test_own_cell.py.
    """
    where, because, hint = "own_cell", "the cell is drawn from its letters", 'Try own_cell("Ada Lovelace").'
    if not isinstance(name, str):
        validate.fail(where, f"name is {described(name)}", "a string", because, hint, validate.DtypeError)
    words = " ".join(name.split())
    if not words:
        validate.fail(where, f"name is {name!r}", "a name", because, hint)
    D = validate.size(where, "input_size", input_size)
    H = validate.size(where, "hidden_size", hidden_size)
    different_sizes(where, D, H)
    # Python's own hash() differs from run to run. The normal form is that of Unicode 3.2, which every Python keeps.
    letters = unicodedata.ucd_3_2_0.normalize("NFC", words).casefold()
    digest = hashlib.sha256(letters.encode("utf-8", "surrogatepass")).digest()
    rest, number = divmod(int.from_bytes(digest, "big"), len(KINDS))
    activation, leak, gate, residual = KINDS[number]
    share = RATES[rest % len(RATES)] if leak == "constant" else leak
    return OwnCell(D, H, OwnForm(activation, share, gate, residual), words)
