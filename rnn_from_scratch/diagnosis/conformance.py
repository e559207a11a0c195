"""The conformance suite: what every cell and layer must pass, ours and a student's alike.

Gradients are compared at the points of `probe.py`, by the complex step where the code allows it. Beside them:
nothing passed in is changed, backward twice is the same twice, two forwards before a backward are both valid,
step_backward is linear and row by row, padding may hold NaN, and a padded sequence is what it is alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, State, Tree, tree_copy, tree_map
from ..bptt import unroll, unroll_backward
from ..gradcheck import GradientReport, check_gradients
from .contract import CELL, check_linear, keeps_form
from .explaining import explain_cell, explain_layer
from .padding import check_padding
from .probe import Probe, make_probe, random_like, random_params
from .rules import SAME, changed, contradicted, differs_twice, distance, renamed
from .suite import BrokenError, Suite, ending_with, lacking, returned, students, telling

LAYER = ("init_params", "forward", "backward")
OVER_TIME = ("input_size", "hidden_size", "initial_state")
UNTRAINED = "with a generator the outputs are what they are without one: this says nothing of training"
LONG = 12  # steps: more than any sum or carry that was written for the probe's five


@ending_with(explain_cell)
@telling
def check_cell(cell: Any, *, rng: np.random.Generator, xs: Array | None = None) -> GradientReport:
    """Check that a cell keeps the contract of `cells.base.Cell` and that its gradients are right.

    Parameters
    ----------
    cell : Cell
        Ours or anybody's; input_size and hidden_size must differ.
    rng : Generator
        For the point, the upstream gradients and the mask.
    xs : (T, N, D), optional
        Inputs to check at, T ≥ 3 and N ≥ 2; default standard normal.

    Returns
    -------
    GradientReport
        Rows for every parameter, the inputs and the initial state, without and with a mask. `findings` names
        every broken rule, and what the cell raised itself. It never raises for a wrong cell:
        `report.raise_if_wrong()` does. A report that is not ok ends with a diagnosis, see `diagnose`.

    Raises
    ------
    ArgumentError
        If D = H, or xs is too small to prove anything.

    Source: the contract, `cells.base.Cell`; tests/diagnosis/test_conformance.py.
    """
    validate.generator("check_cell", rng)
    lacking(cell, "cell", CELL)
    probe = make_probe(cell, rng, xs, "check_cell")
    keeps_form(cell, probe)
    suite = Suite()
    for mask, case in ((None, ""), (probe.mask, " (masked)")):

        beside = probe.beside(mask is not None)

        def run(tree: Tree, mask: Array | None = mask, beside: Params = beside) -> tuple[Array, State, list[Any]]:
            return unroll(cell, {**tree["params"], **beside}, tree["xs"], tree["state"], mask)

        def backward(
            upstream: Any, tree: Tree, caches: Any, mask: Array | None = mask, beside: Params = beside
        ) -> Tree:
            dhs, dfinal = upstream
            params = {**tree["params"], **beside}
            dstates, deltas = unroll_backward(cell, params, dhs, caches, dfinal, mask)
            dxs, grads = cell.param_grads(params, tree["xs"], caches, deltas)
            return {"params": grads, "xs": dxs, "state": dstates[0]}

        with suite.attempt(case):
            _check_sequence(run, backward, probe, case, rng, suite)
        if mask is None and suite.fine:
            with suite.attempt(f" (T = {LONG})"):
                _check_long(run, backward, probe, rng, suite)
    with suite.attempt():
        suite.findings += check_linear(cell, probe, rng)
    return suite.report()


@ending_with(explain_layer)
@telling
def check_layer(
    layer: Any, *, rng: np.random.Generator, xs: Array | None = None, training: bool = False
) -> GradientReport:
    """Check that a layer or model keeps the contract and that its gradients are right.

    A layer with a state (`forward(params, xs, state, mask)`) is checked without and with a mask, and each padded
    sequence is compared with itself alone; one without a state is checked as it is, and one that also has no
    input_size (Dropout) at the xs given.

    With `training` every forward gets `rng`, a new generator of one fixed seed, so that each call draws the same
    dropout and differences of the loss are those of one function. A forward in between gets another seed: a mask
    belongs into the cache. Two comparisons are left out. A sequence alone draws other masks than in its batch, so
    there it is another function; and what defaults stand for is the same as at inference, where it is checked.

    Other arguments, result and errors as in `check_cell`.

    Source: the contract, `Recurrent.forward`; tests/diagnosis/test_conformance.py, test_training.py.
    """
    validate.generator("check_layer", rng)
    validate.option("check_layer", "training", training, (False, True))
    lacking(layer, "layer", LAYER)
    forward = inspect.signature(layer.forward).parameters
    if training and "rng" not in forward:
        raise BrokenError("forward takes no rng, which is what draws in training")
    seed = int(rng.integers(2**31)) if training else None
    if "state" not in forward:
        return _check_stateless(layer, rng, xs, seed)
    lacking(layer, "layer", OVER_TIME)
    probe = make_probe(layer, rng, xs, "check_layer")
    suite = Suite()
    for mask, case in ((None, ""), (probe.mask, " (masked)")):

        beside = probe.beside(mask is not None)

        def run(tree: Tree, mask: Array | None = mask, beside: Params = beside, seed: int | None = seed) -> Any:
            params, xs = {**tree["params"], **beside}, tree.get("xs", probe.xs)
            answer = layer.forward(params, xs, tree["state"], mask, **_drawn(seed))
            return returned(answer, "forward", "(outputs, final_state, cache)", 3)

        def backward(upstream: Any, tree: Tree, cache: Any, beside: Params = beside) -> Tree:
            dys, dfinal = upstream
            answer = layer.backward({**tree["params"], **beside}, dys, cache, dfinal)
            dxs, dstate, grads = returned(answer, "backward", "(dxs, dstate, grads)", 3)
            gradients = {"params": grads, "xs": dxs, "state": dstate}
            return {name: gradients[name] for name in tree}

        with suite.attempt(case):
            _check_sequence(run, backward, probe, case, rng, suite, between=partial(run, seed=_other(seed)))
            if training and distance(list(run(probe.tree)[:2]), list(run(probe.tree, seed=None)[:2])) == 0:
                suite.notes.append(UNTRAINED + case)
        if mask is None and suite.fine and not probe.tokens:
            with suite.attempt(f" (T = {LONG})"):
                _check_long(run, backward, probe, rng, suite)
    if training:
        return suite.report()
    with suite.attempt(" (padding)"):
        suite.findings += check_padding(layer, probe, rng)
    with suite.attempt(" (defaults)"):
        suite.findings += _check_defaults(layer, probe, rng)
    return suite.report()


def _drawn(seed: int | None) -> dict[str, Any]:
    """Return what forward gets beside: in training a new generator, so that every call draws the same."""
    return {} if seed is None else {"rng": np.random.default_rng(seed)}


def _other(seed: int | None) -> int | None:
    return None if seed is None else seed + 1


def _check_defaults(layer: Any, probe: Probe, rng: np.random.Generator) -> list[str]:
    """What nobody passes: the gradient of the final state counts as zero, the state starts from initial_state.

    And where the inputs' gradient is not asked for, there is none, and the others are the same.
    """
    findings = []
    ys, final_state, cache = layer.forward(probe.params, probe.xs, probe.state)
    dys = random_like(ys, rng)
    without = layer.backward(probe.params, dys, cache)
    with_zero = layer.backward(probe.params, dys, cache, tree_map(np.zeros_like, final_state))
    if distance(without, with_zero) > SAME:
        findings.append("backward without dfinal_state differs from backward with a dfinal_state of zeros")
    if "input_grad" in inspect.signature(layer.backward).parameters:
        dxs, *others = layer.backward(probe.params, dys, cache, input_grad=False)
        if dxs is not None:
            findings.append("backward with input_grad=False returns a gradient of the inputs")
        if distance(others, list(without[1:])) != 0:
            findings.append("backward with input_grad=False returns other gradients than with it")
    start = layer.initial_state(probe.xs.shape[1])
    default, given = layer.forward(probe.params, probe.xs), layer.forward(probe.params, probe.xs, start)
    if distance(list(default[:2]), list(given[:2])) > SAME:
        findings.append("forward without a state does not start from initial_state")
    return findings


def _check_sequence(
    run: Callable[[Tree], Any], backward: Callable[[Any, Tree, Any], Tree], probe: Probe, case: str,
    rng: np.random.Generator, suite: Suite, between: Callable[[Tree], Any] | None = None,
) -> None:
    """Compare gradients at a probe, and hold the rules that every forward and backward keeps."""
    tree = probe.tree
    original = tree_copy(tree)
    ys, final_state, cache = run(tree)
    first_output = tree_copy([ys, final_state])
    upstream = (random_like(ys, rng), random_like(final_state, rng))
    upstream_before = tree_copy(upstream)
    (between or run)(tree_map(lambda array: 0.5 * array + 0.1, tree))  # another forward in between must not matter
    gradients = backward(upstream, tree, cache)
    findings = [] if distance(gradients, backward(upstream, tree, cache)) == 0 else ["backward twice differs"]
    findings += changed([tree, upstream], [original, upstream_before], ["params, xs or state", "dhs or dfinal_state"])
    if distance([ys, final_state], first_output) != 0:
        findings.append("an output was overwritten by a later call")
    suite.findings += [text + case for text in findings]
    report = check_gradients(_weighed(run, upstream), tree, gradients, rng=rng)
    suite.reports.append(renamed(report, lambda name: name.removeprefix("params.") + case))


def _check_long(
    run: Callable[[Tree], Any], backward: Callable[[Any, Tree, Any], Tree], probe: Probe, rng: np.random.Generator,
    suite: Suite,
) -> None:
    """Compare the gradients of a longer sequence, all together along one direction."""
    tree = {
        "params": probe.params, "state": probe.state,
        "xs": rng.standard_normal((LONG, *probe.xs.shape[1:])),
    }
    ys, final_state, cache = run(tree)
    upstream = (random_like(ys, rng), random_like(final_state, rng))
    gradients = backward(upstream, tree, cache)
    suite.findings += contradicted(_weighed(run, upstream), tree, gradients, rng, f"over {LONG} steps")


def _weighed(run: Callable[[Tree], Any], upstream: Any) -> Callable[[Tree], Any]:
    """The loss whose gradient with respect to the outputs and the final state is `upstream`."""

    def loss(at: Tree) -> Any:
        ys, final_state, _ = run(at)
        parts = [(ys, upstream[0]), *zip(final_state, upstream[1], strict=True)]
        return sum((weight * part).sum() for part, weight in parts)

    return loss


def _check_stateless(
    layer: Any, rng: np.random.Generator, xs: Array | None, seed: int | None
) -> GradientReport:
    """Check a layer without a state, on (T, N, ·) and, along one direction, on (N, ·)."""
    sized = hasattr(layer, "input_size")
    if xs is None and not sized:
        because = f"{type(layer).__name__} has no input_size by which to draw them"
        validate.fail("check_layer", "xs is None", "inputs to check at", because)
    probe_xs = rng.standard_normal((5, 2, layer.input_size)) if xs is None else xs
    validate.float_array("check_layer", "xs", probe_xs)
    if not probe_xs.any():
        because = "the gradient of its weights is then 0, right or wrong"
        validate.fail("check_layer", "xs is 0 everywhere", "inputs that are not", because)
    with students():
        params = random_params(layer.init_params(rng=rng), rng)
    point: dict[str, Any] = {"params": params, "xs": probe_xs}
    original, suite = tree_copy(point), Suite()

    def run(tree: Tree, seed: int | None = seed) -> tuple[Array, Any]:
        answer = layer.forward(tree["params"], tree["xs"], **_drawn(seed))
        ys, cache = returned(answer, "forward", "(outputs, cache)", 2)
        return ys, cache

    def backward(at: Tree, upstream: Array, cache: Any) -> Tree:
        dxs, grads = returned(layer.backward(at["params"], upstream, cache), "backward", "(dxs, grads)", 2)
        return {"params": grads, "xs": dxs}

    with suite.attempt():
        ys, cache = run(point)
        upstream = random_like(ys, rng)
        upstream_before = tree_copy(upstream)
        run({**point, "xs": probe_xs + 1.0}, _other(seed))  # another forward in between must not matter
        suite.findings += differs_twice(lambda: backward(point, upstream, cache))
        gradients = backward(point, upstream, cache)
        report = check_gradients(lambda tree: (upstream * run(tree)[0]).sum(), point, gradients, rng=rng)
        suite.reports.append(renamed(report, lambda name: name.removeprefix("params.")))
        suite.findings += changed([point, upstream], [original, upstream_before], ["params or xs", "dys"])
        if seed is not None and distance(ys, run(point, None)[0]) == 0:
            suite.notes.append(UNTRAINED)
    if probe_xs.ndim == 3 and sized and suite.fine:
        with suite.attempt(" (xs (N, ·))"):
            flat = {**point, "xs": rng.standard_normal((4, layer.input_size))}
            ys, cache = run(flat)
            weights = random_like(ys, rng)
            gradients = backward(flat, weights, cache)
            suite.findings += contradicted(
                lambda tree: (weights * run(tree)[0]).sum(), flat, gradients, rng, "for xs of shape (N, ·)"
            )
    return suite.report()
