"""Judge one array's gradient: which numerical derivative to ask, how far it can be believed, and in what words."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, Tree, leaves
from .direction import SLACK, compare_along, rounding_floor
from .kink import at_kink, reach_of
from .ladder import derivative_at
from .metric import largest_entry, largest_gap, relative_error
from .numerical import STEPS, NotComplexError, NotFiniteError, default_step, derivative, numerical_gradient
from .report import CANNOT_TELL, RIGHT_TO, ZERO, GradientRow
from .steps import EPS32, EPS64, Checked, of_one_array

#: A correct gradient passes below the first number; above the second a gradient is wrong. Between the two
#: central differences cannot tell, and Richardson decides (float64).
TOLERANCES = {"forward": 1e-4, "central": 1e-7, "richardson": 1e-8, "complex": 1e-9}
CENTRAL_FAILS_ABOVE = 1e-5
#: A complex step that was confirmed along a direction may still be off by this much in some entries.
COMPLEX_FAILS_ABOVE = 1e-4
#: Where rounding hides more than this share of a gradient, nothing is certified.
MOST_HIDDEN = 1e-3
FINEST = {"forward": STEPS["forward"], "central": STEPS["central"], "richardson": STEPS["richardson"] / 4}


class Measured(NamedTuple):
    """A numerical gradient, what rounding may have done to it, and the relative error below which it agrees."""

    method: str
    numeric: Array
    floor: float
    limit: float

    def says(self, analytic: Array) -> str:
        """Return "right", "WRONG", or "hidden" where rounding could make the difference."""
        by_differences = self.method != "complex"
        if relative_error(analytic, self.numeric)[0] < self.limit and (analytic.any() or not by_differences):
            return "right"  # differences of 0 prove nothing of a gradient of 0: they may be too coarse to see it
        return "hidden" if largest_gap(analytic, self.numeric) <= SLACK * self.floor else "WRONG"


@dataclass
class _Judge:
    """What is the same for every array, and in `notes`, `methods`, `unsafe` and `bent` what the rows tell together."""

    loss: Callable[[Tree], Any]
    params: Tree
    value: float
    method: str
    tolerance: float | None
    rng: np.random.Generator
    largest: float  # entry of any gradient: 1e-14 of it is no more than rounding
    step: float | None = None
    eps: float = EPS64
    alone: bool = False  # ask no other method
    coarse: bool = False  # the gradient came in float32
    dtype: Any = np.float64  # of the loss's value
    notes: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    unsafe: dict[str, str] = field(default_factory=dict)
    bent: list[str] = field(default_factory=list)

    def row(self, name: str, analytic: Array) -> GradientRow:
        """Compare one array's gradient."""
        array = dict(leaves(self.params))[name]
        first = self._by_complex(name, array) if self.method in ("auto", "complex") else None
        if first is None:
            method = "central" if self.method in ("auto", "complex") else self.method
            first = self._measure(method, name, array)
        self.methods.append(first.method)
        best, says = self._settle(first, name, array, analytic)
        error, index = relative_error(analytic, best.numeric)
        if says != "WRONG":
            ok, verdict = self._in_words(best, says, name, array, analytic)
            best = first if verdict == ZERO else best
            error, index = 0.0 if verdict == ZERO else error, largest_entry(best.numeric)
        else:
            unknown = self._unknown(best, analytic, index)
            ok, verdict = False, CANNOT_TELL if unknown else "WRONG"
            if not unknown and not self.alone and array.size:
                verdict = self._kink(name, array, analytic, index) or verdict
        shown = (float(analytic[index]), float(best.numeric[index])) if array.size else (0.0, 0.0)
        return GradientRow(
            name, array.shape, error, index, *shown, best.floor, ok, verdict, analytic.copy(), best.numeric.copy(),
            best.method, Checked(self.loss, self.params, name, self.value, self.dtype, self.alone),
        )

    def told_notes(self) -> list[str]:
        """Return the notes; arrays that share a reason against the complex step are named together."""
        if self.bent:
            bent = ", ".join(name for name in self.bent if name)
            self.notes.append(
                f"by Richardson at several steps{bent and ', for '}{bent}: the function bends, or is not finite, "
                "within the usual one, or that cannot reach the tolerance"
            )
        if not self.unsafe:
            return self.notes
        names = [name for name in self.unsafe if name]
        everywhere = not names or len(names) == len(list(leaves(self.params)))
        which = "" if everywhere else f", for {', '.join(names)}"
        reason = next(iter(self.unsafe.values()))
        return [f"central differences, not the complex step{which}: {reason}", *self.notes]

    def _settle(self, first: Measured, name: str, array: Array, analytic: Array) -> tuple[Measured, str]:
        """Ask other methods where the first could not tell, and other steps where differences say WRONG."""
        best, says = self._ask(first, name, array, analytic)
        if says != "WRONG" or best.method == "complex" or self.alone:
            return best, says
        finer = self._refined(best, name, array, analytic)
        says = finer.says(analytic)
        if says != "WRONG":
            self.bent.append(name)
        return finer, says

    def _refined(self, found: Measured, name: str, array: Array, analytic: Array) -> Measured:
        """Measure disputed entries anew, each at the steps that suit the function there, as long as they agree.

        Truncation makes differences wrong where a function bends within a step. The worst entry comes first: where
        its numeric value was right, so that the gradient is wrong, that is all.
        """
        loss, numeric = self._loss_of(name, "central"), found.numeric.copy()
        limit = TOLERANCES["richardson"] if self.tolerance is None else self.tolerance
        size = np.max(np.abs(numeric), initial=0.0, where=np.isfinite(numeric))
        gaps = np.abs(analytic - numeric)
        order = np.argsort(-np.where(np.isnan(gaps), np.inf, gaps), axis=None, kind="stable")
        doubt, off = 0.0, False
        for index in (tuple(int(i) for i in np.unravel_index(place, array.shape)) for place in order):
            if gaps[index] <= 0.1 * limit * size:
                break
            estimate = derivative_at(loss, array, index, self.value)
            off = off or not abs(estimate.value - numeric[index]) <= 0.1 * gaps[index]
            numeric[index], doubt = estimate.value, max(doubt, estimate.doubt)
            if not off and np.isfinite(estimate.doubt) and abs(analytic[index] - estimate.value) > estimate.doubt:
                break
        return Measured("richardson", numeric, doubt / SLACK, limit)

    def _ask(self, first: Measured, name: str, array: Array, analytic: Array) -> tuple[Measured, str]:
        first, says = self._hear(first, name, array, analytic)
        error, _ = relative_error(analytic, first.numeric)
        if says == "right" or self.alone:
            return first, says
        if first.method == "complex":
            return self._doubt(first, says, name, array, analytic, error)
        between = self.tolerance is None and first.method == "central" and error <= CENTRAL_FAILS_ABOVE
        if says == "WRONG" and not between:
            return first, says
        best = first
        for method in ("richardson", "complex") if says == "WRONG" else ("complex", "richardson", "central"):
            if method == first.method or (method == "central" and first.method != "richardson"):
                continue
            other = self._by_complex(name, array) if method == "complex" else self._measure(method, name, array)
            if other is None:
                continue
            other, heard = self._hear(other, name, array, analytic)
            if method == "richardson" and says == "hidden" and heard == "WRONG" and (
                largest_gap(analytic, other.numeric) > 2 * SLACK * first.floor
            ):
                continue  # so much the smaller step would have seen too: the larger one crossed a kink
            if method == "central" and heard == "hidden":
                continue  # its rounding hides more; it was asked whether the larger step had jumped over something
            best, says = other, heard
            if says != "hidden":
                break
        return best, says

    def _doubt(
        self, first: Measured, says: str, name: str, array: Array, analytic: Array, error: float
    ) -> tuple[Measured, str]:
        """Doubt the complex step, not the gradient, where differences are sure that they agree with the gradient."""
        if says != "WRONG" or not error < COMPLEX_FAILS_ABOVE:
            return first, says
        _, index = relative_error(analytic, first.numeric)
        estimate = derivative_at(self._loss_of(name, "central"), array, index, self.value)
        off = abs(first.numeric[index] - estimate.value)
        if not (off > estimate.doubt and abs(analytic[index] - estimate.value) <= 0.1 * off):
            return first, says
        self.notes.append(
            f"{name or 'the array'}: by Richardson, since the complex step loses a small part "
            "(abs, a norm, var or round inside?)"
        )
        other = self._refined(first, name, array, analytic)
        return other, other.says(analytic)

    def _hear(self, found: Measured, name: str, array: Array, analytic: Array) -> tuple[Measured, str]:
        """Return what it says; a complex step that is off by next to nothing first has its own rounding measured.

        That is what the numeric gradient changes by when the point moves by 1e-12: a derivative hardly, noise much.
        Beside an exact zero it is the analytic gradient that has rounding, that of the others.
        """
        says = found.says(analytic)
        if found.method != "complex" or says != "WRONG":
            return found, says
        if not found.numeric.any() and not (np.abs(analytic) > 50 * EPS64 * self.largest).any():
            return found._replace(floor=float(np.max(np.abs(analytic))) / SLACK), "hidden"
        if not largest_gap(analytic, found.numeric) <= 1e-13 * max(1.0, abs(self.value)):
            return found, says
        size = float(np.max(np.abs(array))) or 1.0
        noise = 0.0
        for _ in range(3):
            moved = array + 1e-12 * size * self.rng.standard_normal(array.shape)
            other = numerical_gradient(self._loss_of(name, "complex"), moved, "complex")
            noise = max(noise, largest_gap(found.numeric, other))
        found = found._replace(floor=noise)
        return found, found.says(analytic)

    def _in_words(self, best: Measured, says: str, name: str, array: Array, analytic: Array) -> tuple[bool, str]:
        hides, most = SLACK * best.floor, float(np.max(np.abs(analytic), initial=0.0))
        if not analytic.size:
            return True, "no entries"
        if most <= 50 * self.eps * self.largest * (says == "hidden") or (best.method == "complex" and most <= hides):
            zero = says == "right" or self._is_zero(best, name, array, analytic)
            return zero, ZERO if zero else CANNOT_TELL
        if says == "right":
            return True, "right"
        share = hides / float(np.max(np.abs(best.numeric))) if best.numeric.any() else np.inf
        if share < (MOST_HIDDEN if self.tolerance is None else self.tolerance):
            return True, f"{RIGHT_TO}{share:.0e}"
        return False, CANNOT_TELL

    def _unknown(self, best: Measured, analytic: Array, index: tuple[int, ...]) -> bool:
        """Tell a gradient that nothing can be said of: no finite difference, or float32 beside much larger ones."""
        if not np.isfinite(analytic[index]):
            return False
        dust = 50 * EPS32 * self.largest
        return not np.isfinite(best.numeric[index]) or (
            self.coarse and bool((np.abs(analytic) <= dust).all() and (np.abs(best.numeric) <= dust).all())
        )

    def _measure(self, method: str, name: str, array: Array) -> Measured:
        numeric, loss = np.full(array.shape, np.nan), self._loss_of(name, method)
        for index in np.ndindex(array.shape):
            with suppress(NotFiniteError):  # a step away; where the gradient is asked for it is finite
                h = self.step or default_step(method, float(array[index]))
                numeric[index] = derivative("check_gradients", loss, array, index, h, method)
        limit = TOLERANCES[method] if self.tolerance is None else self.tolerance
        differs = method != "complex"  # the complex step subtracts nothing: no floor, but see _hear
        floor = rounding_floor(self.value, self.step or FINEST[method], self.eps) if differs else 0.0
        return Measured(method, numeric, floor, limit)

    def _by_complex(self, name: str, array: Array) -> Measured | None:
        """Measure by the complex step, if real differences along a random direction confirm it."""
        if name in self.unsafe:
            return None
        loss = self._loss_of(name, "complex")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                numeric = numerical_gradient(loss, array, "complex")
        except Exception as fault:  # whatever it is: a real fault of the loss shows in central differences too
            if self.method == "complex":  # it was asked for
                raise
            lines = str(fault).splitlines() or [""]
            self.unsafe[name] = f"the function does not take complex numbers ({type(fault).__name__}: {lines[0]})"
            if isinstance(fault, NotComplexError):
                self.unsafe[name] = "the loss comes back real (abs, a norm, .real, float() or a float buffer inside?)"
            return None
        found, certain = compare_along(self._loss_of(name, "central"), array, numeric, self.rng)
        if found is not None:
            self.unsafe[name] = (
                f"along one direction it gives {found.expected:.6g} where differences give {found.measured:.6g} "
                "(abs, a norm, var or round inside, or a kink?)"
            )
            return None
        if certain > MOST_HIDDEN:
            self.notes.append(f"{name or 'the array'}: rounding hides whether the complex step is right here")
        limit = TOLERANCES["complex"] if self.tolerance is None else self.tolerance
        return Measured("complex", numeric, 0.0, limit)

    def _loss_of(self, name: str, method: str) -> Callable[[Array], Any]:
        """The loss as a function of one array; for the complex step all of them are complex."""
        return of_one_array(self.loss, self.params, name, np.complex128 if method == "complex" else np.float64)

    def _kink(self, name: str, array: Array, analytic: Array, index: tuple[int, ...]) -> str | None:
        """Say so where the worst entry stands at a kink."""
        return at_kink(self._loss_of(name, "central"), array, analytic, index, self.value, self.eps)

    def _is_zero(self, best: Measured, name: str, array: Array, analytic: Array) -> bool:
        """Tell whether a gradient that rounding hides can be taken for zero.

        What is hidden must be little beside the other gradients, or beside how far this array moves the loss.
        """
        hides = SLACK * best.floor
        if best.method == "complex" or hides <= MOST_HIDDEN * self.largest:
            return True
        reach = reach_of(self._loss_of(name, "central"), array, self.value, self.eps, self.rng)
        return reach == 0.0 or hides <= MOST_HIDDEN * reach < np.inf
