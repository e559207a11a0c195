"""The conformance suite for one time step that is written as two plain functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, Tree, tree_copy
from ..gradcheck import GradientReport, check_gradients
from .explaining import explain_step
from .probe import different_sizes, random_params
from .rules import changed, differs_twice, renamed
from .suite import BrokenError, Suite, array_of, described, ending_with, returned, telling


@ending_with(explain_step)
@telling
def check_step(
    forward: Callable[[Params, Array, Array], Array],
    backward: Callable[[Params, Array, Array, Array], tuple[Array, Array, Params]],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    rng: np.random.Generator,
    input_size: int = 3,
    hidden_size: int = 4,
    batch_size: int = 2,
) -> GradientReport:
    """Check one time step written as two plain functions.

    Parameters
    ----------
    forward : (params, x, h_prev) -> h
        x (N, D), h_prev and h (N, H).
    backward : (params, x, h_prev, dh) -> dx, dh_prev, grads
        dh (N, H) is ∂L/∂h; grads has the keys of params.
    shapes : {"W_xh": (3, 4), …}
        The shape of every parameter; the suite draws the values, so that no zero hides a mistake.
    rng : Generator
        For the point and the upstream gradient.
    input_size, hidden_size, batch_size : int
        D, H and N, all different; N at least 2.

    Returns
    -------
    GradientReport
        A row for x, h_prev and each parameter. What the functions raise or return wrongly is in `findings`. A report
        that is not ok ends with a diagnosis of the two functions unrolled over time, see `diagnose`.

    Raises
    ------
    ArgumentError
        Equal sizes, sizes too small, shapes that are none.

    Source: notebooks 03 and 04; tests/diagnosis/test_steps.py.
    """
    where = "check_step"
    validate.generator(where, rng)
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("batch_size", batch_size)):
        validate.size(where, name, size)
    different_sizes(where, input_size, hidden_size)
    if batch_size in (1, input_size, hidden_size):
        expected = f"a size other than {input_size} and {hidden_size}, at least 2"
        validate.fail(where, f"batch_size = {batch_size}", expected, "with one row a mean is as good as a sum")
    params = random_params({name: np.empty(shape) for name, shape in _checked(where, shapes).items()}, rng)
    point: dict[str, Any] = {
        "x": rng.standard_normal((batch_size, input_size)),
        "h_prev": rng.standard_normal((batch_size, hidden_size)),
        "params": params,
    }
    upstream = rng.standard_normal((batch_size, hidden_size))

    def step(tree: Tree) -> Array:
        h = forward(tree["params"], tree["x"], tree["h_prev"])
        array_of(h, "forward's h", upstream.shape)
        return h

    def gradients() -> Tree:
        answer = backward(params, point["x"], point["h_prev"], upstream)
        dx, dh_prev, grads = returned(answer, "backward", "(dx, dh_prev, grads)", 3)
        if not isinstance(grads, dict):
            raise BrokenError(f"backward's grads must be a dictionary of arrays, got {described(grads)}")
        return {"x": dx, "h_prev": dh_prev, "params": grads}

    suite, before = Suite(), tree_copy([point, upstream])
    with suite.attempt():
        step(point)
        suite.findings += changed([point], before[:1], ["an argument of forward"])
        before = tree_copy([point, upstream])
        suite.findings += differs_twice(gradients)
        report = check_gradients(lambda tree: (upstream * step(tree)).sum(), point, gradients(), rng=rng)
        suite.reports.append(renamed(report, lambda name: _short(name, params)))
        suite.findings += changed([point, upstream], before, ["the arguments", "dh"])
    return suite.report()


def _short(name: str, params: Params) -> str:
    """Drop "params." from a name, unless x or h_prev has it already."""
    short = name.removeprefix("params.")
    return name if short in ("x", "h_prev") and short in params else short


def _checked(where: str, shapes: Any) -> Mapping[str, tuple[int, ...]]:
    if not isinstance(shapes, Mapping) or not shapes:
        expected = "a dictionary such as {'W_xh': (3, 4)}"
        validate.fail(where, f"shapes is {shapes!r}", expected, error=validate.DtypeError)
    for name, shape in shapes.items():
        if not isinstance(shape, tuple):
            validate.fail(where, f"shapes[{name!r}] is {shape!r}", "a tuple of sizes", error=validate.DtypeError)
        for size in shape:
            validate.size(where, f"a size in shapes[{name!r}]", size)
    return shapes
