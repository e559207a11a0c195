r"""Second derivatives: Hessian–vector products by differences of gradients, and the symmetry of the Hessian.

.. math:: H v = \frac{d}{ds} \nabla L(\theta + s v)\Big|_{s=0}

A gradient is the gradient of *some* function only if H is symmetric, uᵀ(Hv) = vᵀ(Hu). That can be asked of a backward
pass alone, without its loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Tree, global_norm, leaves, tree_copy, tree_map
from .compare import compared
from .purity import first_gradients
from .report import NOT_JUDGED, GradientReport, GradientRow

STEPS = {"central": 1e-5, "complex": 1e-20}
STEP32 = 5e-3  # the cube root of float32's rounding: where rounding and truncation balance for a central difference
FLOAT32_TOLERANCE = 1e-3


def hessian_vector_product(
    gradient: Callable[[Tree], Tree], params: Tree, vector: Tree, method: str = "central"
) -> Tree:
    r"""Return Hv from two gradients (central), or from one (complex step).

    .. math:: \text{central: } \frac{g(\theta + h v) - g(\theta - h v)}{2h} \qquad
              \text{complex: } \frac{\operatorname{Im} g(\theta + ihv)}{h}

    Parameters
    ----------
    gradient : callable
        Takes a tree like params, returns the gradients, the same tree. It is handed copies.
    params, vector : the same tree
        Where, and v. float32 is promoted to float64: a step of a difference is below its resolution. A gradient that
        comes back in float32 anyway gets a longer step, and its product has three digits.
    method : "central" or "complex"
        "complex" needs a backward pass that is complex-safe; its gradients must not drop the imaginary part. "central"
        is right to about 1e-9, and to less where the gradient bends within a step of 1e-5 (a normaliser near zero).

    Returns
    -------
    product : the same tree

    Raises
    ------
    ArgumentError
        An unknown method, trees that differ, arrays that are no floats, gradients that are no arrays of the params'
        shapes, or that come back real where complex ones were needed.

    Source: Pearlmutter (1994), on Hv by differences and exactly; tests/gradcheck/test_second_order.py.
    """
    where = "hessian_vector_product"
    validate.option(where, "method", method, tuple(STEPS))
    _check_same(where, params, vector)
    return _product(where, gradient, params, vector, method)


def _product(
    where: str, gradient: Callable[[Tree], Tree], params: Tree, vector: Tree, method: str = "central",
    share: float = 1.0,
) -> Tree:
    """Return Hv with this share of the usual step."""
    params, vector = (tree_map(lambda array: np.asarray(array, np.float64), tree) for tree in (params, vector))
    size = global_norm(vector)
    if size == 0.0:
        return tree_map(np.zeros_like, params)
    h = share * STEPS[method] / size  # a v of any length
    h *= max(1.0, global_norm(params)) if method == "central" else 1.0
    if method == "complex":
        found = gradient(tree_map(lambda array, v: np.asarray(array + 1j * h * v), params, vector))
        _check_gradient(where, found, params)
        for name, array in leaves(found):
            if not np.iscomplexobj(array):
                validate.fail(
                    where, f"the gradient {name or ''} came back real", "complex numbers",
                    "the complex step reads Hv from the imaginary part", 'Try method="central".',
                )
        return tree_map(lambda array: np.asarray(array.imag / h), found)
    sides: list[Tree] = []
    for sign in (1.0, -1.0):
        found = gradient(tree_map(lambda array, v, s=sign, h=h: np.asarray(array + s * h * v), params, vector))
        _check_gradient(where, found, params)
        if sign > 0 and _single(found) and share == 1.0:  # in float32 a difference over 1e-5 has two right digits
            return _product(where, gradient, params, vector, method, STEP32 / STEPS["central"])
        sides.append(tree_copy(found))  # the next call may write into the same arrays
    return tree_map(lambda up, down: np.asarray((up - down) / (2.0 * h)), *sides)


def check_hessian_vector_product(
    gradient: Callable[[Tree], Tree], params: Tree, vector: Tree, product: Tree, tolerance: float | None = None
) -> GradientReport:
    """Compare a Hessian–vector product of one's own with differences of gradients, array by array.

    Hv is itself a gradient, that of θ ↦ v·g(θ), so this is `check_gradients` with that function as the loss, and the
    report, its methods and verdicts are the same. `gradient` must be right: check it first.

    Parameters
    ----------
    gradient, params, vector
        As in `hessian_vector_product`.
    product : the same tree
        The Hv to check.
    tolerance : float, optional
        As in `check_gradients`.

    Returns
    -------
    GradientReport
        As that of `check_gradients`, its findings on `gradient` and `product`.

    Raises
    ------
    ArgumentError
        As `hessian_vector_product` and `check_gradients`.

    Source: Pearlmutter (1994); tests/gradcheck/test_second_order.py, test_impure.py.
    """
    where = "check_hessian_vector_product"
    _check_same(where, params, vector)

    def along(at: Tree) -> Any:
        found = gradient(at)
        total = sum(part for _, part in leaves(tree_map(lambda g, v: (g * v).sum(), found, vector)))
        return np.float32(total) if _single(found) else total  # as few digits as the gradient has

    return compared(where, along, params, product, tolerance=tolerance, called="the gradient", what="product")


def check_symmetry(
    gradient: Callable[[Tree], Tree], params: Tree, *, rng: np.random.Generator, directions: int = 3,
    tolerance: float = 1e-6,
) -> GradientReport:
    """Ask of a backward pass alone whether it can be the gradient of anything: uᵀ(Hv) = vᵀ(Hu).

    A wrong gradient nearly always fails. One that is the right gradient of another function (a loss scaled, a term
    left out of it) passes: so this stands beside a check against the loss, not in its place.

    Parameters
    ----------
    gradient, params
        As in `hessian_vector_product`.
    rng : Generator
        Draws the pairs (u, v).
    directions : int
        How many pairs.
    tolerance : float
        Pass where |uᵀHv − vᵀHu| is below this share of ‖Hv‖‖u‖ + ‖Hu‖‖v‖; at least 1e-3 for a gradient in float32.

    Returns
    -------
    GradientReport
        A row a pair: uᵀ(Hv) as analytic, vᵀ(Hu) as numeric. Its findings tell of a gradient that is random (then no
        pair is judged), writes into the params it is handed, or returns their memory or the same memory each time.

    Raises
    ------
    ArgumentError
        As `hessian_vector_product`; fewer than one direction, a tolerance not above 0, no params, no generator.

    Source: Schwarz's theorem on mixed derivatives; tests/gradcheck/test_second_order.py, test_impure.py.
    """
    where = "check_symmetry"
    validate.generator(where, rng)
    validate.size(where, "directions", directions)
    validate.number(where, "tolerance", tolerance, above=0.0)
    _check_same(where, params, params)
    singles: list[bool] = []

    def fits(found: Any) -> None:
        _check_gradient(where, found, params)
        singles.append(_single(found))

    findings, steady = first_gradients(gradient, params, fits)
    notes, shares = [], [1.0, 0.01]  # what a smaller step mends was truncation; what no function has, it has at any
    if any(singles):
        tolerance, shares = max(tolerance, FLOAT32_TOLERANCE), [1.0]
        notes.append("the gradient comes in float32: nothing below 1e-3 can be certified; use float64 to be sure")
    rows = []
    for number in range(directions):
        if not steady:
            rows.append(GradientRow(f"pair {number}", (), np.inf, (), np.nan, np.nan, 0.0, False, NOT_JUDGED))
            continue
        u, v = (tree_map(lambda array: rng.standard_normal(np.shape(array)), params) for _ in range(2))
        for share in shares:
            Hv, Hu = (_product(where, gradient, params, direction, share=share) for direction in (v, u))
            uHv, vHu = _dot(u, Hv), _dot(v, Hu)
            scale = global_norm(Hv) * global_norm(u) + global_norm(Hu) * global_norm(v)
            error = 0.0 if scale == 0 else abs(uHv - vHu) / scale
            ok = bool(error < tolerance)  # also where it is NaN: then not
            if ok:
                break
        verdict = "symmetric" if ok else "WRONG: no function has this gradient"
        rows.append(GradientRow(f"pair {number}", (), error, (), uHv, vHu, 0.0, ok, verdict))
    return GradientReport(rows, "central differences of gradients", findings, notes)


def _single(gradient: Tree) -> bool:
    """Tell a gradient with an array of float32."""
    return any(array.dtype == np.float32 for _, array in leaves(gradient))


def _dot(first: Tree, second: Tree) -> float:
    return float(sum(np.sum(part) for _, part in leaves(tree_map(np.multiply, first, second))))


def _check_gradient(where: str, gradient: Any, params: Tree) -> None:
    """Refuse what is not the same tree as params."""
    found, expected = dict(leaves(gradient)), dict(leaves(params))
    if set(found) != set(expected):
        validate.fail(
            where, f"gradient returned {sorted(found)}", f"{sorted(expected)}", "it has one array for each of params"
        )
    for name, array in found.items():
        told = f"the gradient {name}".strip()
        validate.shape(where, told, validate.float_array(where, told, array), expected[name].shape, "params has it")


def _check_same(where: str, params: Tree, vector: Tree) -> None:
    one, two = dict(leaves(params)), dict(leaves(vector))
    if not one:
        validate.fail(where, "params has no array", "at least one", "with nothing to check nothing is right")
    if set(one) != set(two):
        validate.fail(where, f"vector has {sorted(two)}", f"{sorted(one)}", "v is a direction in the parameters' space")
    for name, array in one.items():
        own = validate.float_array(where, name or "params", array, complex_ok=False)
        validate.finite(where, name or "params", own)
        other: Array = validate.float_array(where, f"vector {name}".strip(), two[name], complex_ok=False)
        validate.shape(where, f"vector {name}".strip(), other, own.shape, "v is a direction in the parameters' space")
