"""The conformance suite for attention layers: two masks, every gradient, the memory's among them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Tree, leaves, tree_copy, tree_map
from ..gradcheck import GradientReport, check_gradients
from .probe import random_like, random_mask, random_params
from .rules import SAME, changed, differs_twice, distance, renamed
from .suite import Suite, array_of, lacking, returned, students, telling

NEEDED = ("attention", "init_params", "forward", "backward")


class Point(NamedTuple):
    """Where to check."""

    tree: Tree  # params, queries (T, N, Q), memory (S, N, M)
    mask: Array  # (T, N)
    memory_mask: Array  # (S, N)


class Case(NamedTuple):
    """One way to call `forward`."""

    name: str
    mask: Array | None
    memory_mask: Array | None


@telling
def check_attention(layer: Any, *, rng: np.random.Generator) -> GradientReport:
    """Check that an attention layer keeps the contract of `layers.AttentionLayer` and that its gradients are right.

    Parameters
    ----------
    layer : AttentionLayer
        Ours or anybody's with its methods. `layer.attention` has query_size Q and memory_size M; they must differ
        where there are weights (a dot product has none, and needs them equal).
    rng : Generator
        For the point, the upstream gradients and the masks.

    Returns
    -------
    GradientReport
        Rows for every parameter, the queries and the memory: without masks, with both, with a sequence whose memory
        is padding throughout. `findings` names every broken rule: the context is a weighted mean, so that of a memory
        with one vector at every step is this vector, and that of no memory is 0; NaN on padding changes nothing, and
        padding gets no gradient; each sequence of a padded batch is what it is alone; backward twice is the same
        twice; nothing passed in is changed. It never raises for a wrong layer: `report.raise_if_wrong()` does.

    Raises
    ------
    ArgumentError
        If Q = M and there are weights.

    Source: the contract, `layers.AttentionLayer`; tests/diagnosis/test_attention.py.
    """
    validate.generator("check_attention", rng)
    lacking(layer, "attention layer", NEEDED)
    point = _make_point(layer, rng)
    nothing = point.memory_mask.copy()
    nothing[:, 0] = False
    suite = Suite()
    for case in (
        Case("", None, None), Case(" (masked)", point.mask, point.memory_mask), Case(" (no memory)", None, nothing)
    ):
        with suite.attempt(case.name):
            _check_case(layer, point.tree, case, rng, suite)
    upstream = rng.standard_normal((*point.mask.shape, point.tree["memory"].shape[2]))
    for name, rules in (("padding", _check_padding), ("alone", _check_alone)):
        with suite.attempt(f" ({name})"):
            suite.findings += rules(layer, point, upstream)
    with suite.attempt(" (mean)"):
        suite.findings += _check_mean(layer, point, nothing)
    return suite.report()


def _make_point(layer: Any, rng: np.random.Generator) -> Point:
    """Draw a point; S, T and N differ from each other and from every size of the attention."""
    with students():
        Q, M = layer.attention.query_size, layer.attention.memory_size
        params = random_params(layer.init_params(rng=rng), rng)
    if Q == M and params:
        validate.fail(
            "check_attention", f"query_size = memory_size = {Q}", "two different sizes",
            "with equal sizes a transposed or swapped matrix still fits", "Check with query_size=3, memory_size=4.",
        )
    taken = {Q, M, *(size for _, array in leaves(params) for size in array.shape)}
    N = next(size for size in range(2, 20) if size not in taken)
    S, T = [size for size in range(4, 20) if size not in {N, *taken}][:2]
    tree = {"params": params, "queries": rng.standard_normal((T, N, Q)), "memory": rng.standard_normal((S, N, M))}
    return Point(tree, random_mask(T, N, rng), random_mask(S, N, rng))


def _forward(layer: Any, at: Tree, *masks: Array | None) -> tuple[Array, Any]:
    answer = layer.forward(at["params"], at["queries"], at["memory"], *masks)
    contexts, cache = returned(answer, "forward", "(contexts, cache)", 2)
    array_of(contexts, "forward's contexts", (*at["queries"].shape[:2], at["memory"].shape[2]))
    return contexts, cache


def _backward(layer: Any, at: Tree, dcontexts: Array, cache: Any) -> Tree:
    answer = layer.backward(at["params"], dcontexts, cache)
    dqueries, dmemory, grads = returned(answer, "backward", "(dqueries, dmemory, grads)", 3)
    return {"params": grads, "queries": dqueries, "memory": dmemory}


def _check_case(layer: Any, tree: Tree, case: Case, rng: np.random.Generator, suite: Suite) -> None:
    """Compare every gradient, and hold the rules beside."""

    def given() -> Tree:
        return tree_copy([tree, [mask.astype(int) for mask in case[1:] if mask is not None]])

    before = given()
    contexts, cache = _forward(layer, tree, *case[1:])
    first, upstream = contexts.copy(), random_like(contexts, rng)
    kept = upstream.copy()
    _forward(layer, tree_map(lambda array: 0.5 * array + 0.1, tree), *case[1:])  # another forward must not matter
    findings = differs_twice(lambda: _backward(layer, tree, upstream, cache))
    gradients = _backward(layer, tree, upstream, cache)
    findings += changed([given(), upstream], [before, kept], ["params, queries, memory or a mask", "dcontexts"])
    if distance(contexts, first) != 0:
        findings.append("an output was overwritten by a later call")
    suite.findings += [text + case.name for text in findings]
    report = check_gradients(
        lambda at: (upstream * _forward(layer, at, *case[1:])[0]).sum(), tree, gradients, rng=rng
    )
    suite.reports.append(renamed(report, lambda name: name.removeprefix("params.") + case.name))


def _check_padding(layer: Any, point: Point, dcontexts: Array) -> list[str]:
    """What stands on padding, NaN too, reaches nothing, and nothing comes back to it."""
    tree, mask, memory_mask = point
    contexts, cache = _forward(layer, tree, mask, memory_mask)
    gradients = _backward(layer, tree, dcontexts, cache)
    findings = [
        f"{what} on padding is not zero"
        for what, values, here in (
            ("a context", contexts, mask), ("a query's gradient", gradients["queries"], mask),
            ("the memory's gradient", gradients["memory"], memory_mask),
        )
        if values[~here].any()
    ]
    spoilt = {
        **tree, "queries": np.where(mask[..., None], tree["queries"], np.nan),
        "memory": np.where(memory_mask[..., None], tree["memory"], np.nan),
    }
    contexts_spoilt, cache_spoilt = _forward(layer, spoilt, mask, memory_mask)
    dspoilt = np.where(mask[..., None], dcontexts, np.nan)
    if distance([contexts, gradients], [contexts_spoilt, _backward(layer, spoilt, dspoilt, cache_spoilt)]) != 0:
        findings.append("NaN in padding changes a context or a gradient")
    return findings


def _check_alone(layer: Any, point: Point, dcontexts: Array) -> list[str]:
    """Each sequence of a padded batch is what it is alone."""
    tree, mask, memory_mask = point
    contexts, cache = _forward(layer, tree, mask, memory_mask)
    gradients = _backward(layer, tree, dcontexts, cache)
    findings = []
    sums: Tree = tree_map(np.zeros_like, gradients["params"])
    for n in range(mask.shape[1]):
        steps, read, one = mask[:, n], memory_mask[:, n], slice(n, n + 1)
        own = {**tree, "queries": tree["queries"][steps, one], "memory": tree["memory"][read, one]}
        alone, cache = _forward(layer, own)
        back = _backward(layer, own, dcontexts[steps, one], cache)
        together = [contexts[steps, one], gradients["queries"][steps, one], gradients["memory"][read, one]]
        if distance(together, [alone, back["queries"], back["memory"]]) > SAME:
            findings.append(f"sequence {n} of a padded batch differs from the same sequence alone")
        sums = tree_map(np.add, sums, back["params"])
    if distance(gradients["params"], sums) > SAME:
        findings.append("the gradients of a padded batch are not the sum of its sequences' own")
    return findings


def _check_mean(layer: Any, point: Point, nothing: Array) -> list[str]:
    """The weights add up to 1, whatever the scores, and to 0 where there is nothing to read."""
    tree = {**point.tree, "memory": np.broadcast_to(point.tree["memory"][:1], point.tree["memory"].shape).copy()}
    expected = np.broadcast_to(tree["memory"][0], (len(tree["queries"]), *tree["memory"].shape[1:]))
    findings = []
    for case, memory_mask in (("", None), (" (masked)", point.memory_mask)):
        if distance(_forward(layer, tree, None, memory_mask)[0], expected) > SAME:
            findings.append(f"with one vector at every step of the memory the context is another{case}")
    if _forward(layer, tree, None, nothing)[0][:, 0].any():
        findings.append("where the memory is padding throughout the context is not 0")
    return findings
