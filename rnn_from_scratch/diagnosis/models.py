"""The conformance suite for models with a loss, and for windows of truncated backpropagation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, State, Tree, tree_add, tree_copy
from ..gradcheck import GradientReport, check_gradients
from ..models import SequenceModel, WindowGradient, truncated_bptt
from .conformance import check_layer
from .probe import Probe, make_probe
from .rules import SAME, changed, differs_twice, distance, joined, renamed
from .suite import lacking, telling

MODEL = (
    "input_size", "hidden_size", "init_params", "initial_state", "forward", "backward", "loss", "loss_and_grads",
    "outputs", "task",
)


@telling
def check_model(
    model: SequenceModel, *, rng: np.random.Generator, xs: Array | None = None, fail_fast: bool = False
) -> GradientReport:
    """Check a model as `check_layer` does, and its `loss_and_grads` beside.

    The loss's gradients are compared without a mask, with one, with a sequence that is all padding, with a
    `target_mask` of its own and with `divide_by`; the loss itself with that of the model's own logits.
    With `fail_fast` it stops at the first thing that is wrong. Otherwise as `check_cell`.
    """
    lacking(model, "model", MODEL)
    probe = make_probe(model, rng, xs, "check_model")
    params, state = probe.params, probe.state
    targets = _targets(model, probe, rng)
    leading = targets.shape[: 2 if model.outputs == "many-to-many" else 1]
    own = rng.random(leading) < 0.5
    own.flat[0], own.flat[-1] = True, False
    empty = probe.mask.copy()
    empty[:, -1] = False  # a sequence without any input
    cases: list[tuple[str, Array | None, Array | None, float | None]] = [
        ("", None, None, None), (", masked", probe.mask, None, None), (", one sequence empty", empty, None, None),
        (", target mask", probe.mask, own, None), (", divided by 7", None, None, 7.0),
    ]
    findings: list[str] = []
    gradients: list[tuple[str, Callable[[Tree], Any], Params]] = []
    for case, mask, target_mask, divide_by in cases:

        def run(
            at: Tree, mask: Array | None = mask, target_mask: Array | None = target_mask,
            divide_by: float | None = divide_by, state: Any = state,
        ) -> Any:
            return model.loss_and_grads(at, probe.xs, targets, state, mask, target_mask, divide_by=divide_by)

        inputs = [params, probe.xs, targets, state]
        before = tree_copy(inputs)
        loss, grads, final_state = run(params)
        findings += [text + case for text in differs_twice(lambda run=run: run(params))]  # type: ignore[misc]
        logits, final, _ = model.forward(params, probe.xs, state, mask)
        counted: Array | None = target_mask
        if counted is None and mask is not None:
            counted = mask if model.outputs == "many-to-many" else np.asarray(mask.any(axis=0))
        if distance(loss, model.loss(logits, targets, counted, divide_by)[0]) > SAME:
            findings.append(f"the loss is not that of the model's own logits{case}")
        if distance(final_state, final) > SAME:
            findings.append(f"the final state is not forward's{case}")
        zeros = model.initial_state(probe.xs.shape[1])
        if distance(run(params, state=None), run(params, state=zeros)) > SAME:
            findings.append(f"without a state it does not start from initial_state{case}")
        findings += [text + case for text in changed(inputs, before, ["params", "xs", "targets", "state"])]

        def own_loss(
            at: Tree, mask: Array | None = mask, counted: Array | None = counted, divide_by: float | None = divide_by,
        ) -> Any:  # cheaper than run, which goes backwards too; the first finding above says where the two differ
            return model.loss(model.forward(at, probe.xs, state, mask)[0], targets, counted, divide_by)[0]

        gradients.append((f" (loss{case})", own_loss, grads))
    reports = _compare(gradients, params, rng, fail_fast, findings)
    if not fail_fast or not (findings or any(not report.ok for report in reports)):
        reports.insert(0, check_layer(model, rng=rng, xs=xs))
    return joined(reports, findings)


@telling
def check_windows(
    model: SequenceModel,
    k1: int,
    k2: int,
    *,
    rng: np.random.Generator,
    xs: Array | None = None,
    truncated: Callable[..., Iterator[WindowGradient]] = truncated_bptt,
    fail_fast: bool = False,
) -> GradientReport:
    """Check truncated backpropagation (k1, k2) window by window, the state at each window's start frozen.

    Parameters
    ----------
    model : SequenceModel
        A many-to-many one.
    k1, k2 : int
        New steps a window, and how far back its gradient reaches.
    rng : Generator
        For the point and the masks.
    xs : (T, N, D), optional
        Inputs to check at; default standard normal.
    truncated : callable
        What to check: yields a WindowGradient a window, called as `truncated_bptt` is.
    fail_fast : bool
        Stop at the first thing that is wrong.

    Returns
    -------
    GradientReport
        A row a window and parameter, without and with masks. In `findings`: a start state that is not the one a
        whole forward pass reaches, windows whose losses do not add up to the sequence's loss, and, for k2 ≥ T,
        gradients that do not add up to the full one.

    Source: Williams & Peng (1990); notebook 08; tests/diagnosis/test_models.py.
    """
    validate.generator("check_windows", rng)
    lacking(model, "model", MODEL)
    probe = make_probe(model, rng, xs, "check_windows")
    params, xs, state = probe.params, probe.xs, probe.state
    targets = _targets(model, probe, rng)
    own = probe.mask & (rng.random(probe.mask.shape) < 0.6)
    own[-1] = probe.mask[-1]
    single, none = np.zeros_like(own), np.zeros_like(own)
    single[-1, 0] = True
    zeros = model.initial_state(xs.shape[1])
    cases: list[tuple[str, Array | None, Array | None, State | None]] = [
        ("", None, None, state), (" (masked)", probe.mask, None, state), (" (target mask)", probe.mask, own, state),
        (" (loss mask, from zeros)", None, own, None), (" (one counted)", None, single, state),
        (" (none counted)", None, none, state),
    ]
    findings: list[str] = []
    gradients: list[tuple[str, Callable[[Tree], Any], Params]] = []
    for case, mask, target_mask, first in cases:
        counted = mask if target_mask is None else target_mask
        whole, whole_grads, _ = model.loss_and_grads(params, xs, targets, first, mask, counted)
        count = max(probe.mask.size if counted is None else int(counted.sum()), 1)
        total = count * (1 if model.task == "classification" else model.output_size)
        results = list(truncated(model, params, xs, targets, k1, k2, first, mask, target_mask))
        for j, result in enumerate(results):
            start, new, end, _ = result.window
            before = _state_after(model, probe, zeros if first is None else first, start, mask)
            if distance(before, result.start_state) > SAME:
                findings.append(f"the state at step {start} is not a whole forward pass's{case} in window {j}")
            fresh = np.arange(start, end)[:, None] >= np.full(xs.shape[1], new)
            if counted is not None:
                fresh = fresh & counted[start:end]

            def frozen(
                at: Tree, start: int = start, end: int = end, before: State = before, fresh: Array = fresh,
                mask: Array | None = mask, total: int = total,
            ) -> Any:
                inside = None if mask is None else mask[start:end]
                logits, _, _ = model.forward(at, probe.xs[start:end], before, inside)
                return model.loss(logits, targets[start:end], fresh, total)[0]

            gradients.append((f"{case} in window {j}", frozen, result.grads))
            if distance(result.loss, frozen(params)) > SAME:
                findings.append(f"the loss is not that of the new steps{case} in window {j}")
        if distance(sum(result.loss for result in results), whole) > SAME:
            findings.append(f"the windows' losses do not add up to the sequence's loss{case}")
        if k2 >= len(xs) and distance(tree_add(*(result.grads for result in results)), whole_grads) > SAME:
            findings.append(f"k2 ≥ T, but the windows' gradients do not add up to the full gradient{case}")
        if fail_fast and findings:
            break
    return joined(_compare(gradients, params, rng, fail_fast, findings), findings)


def _compare(
    gradients: list[tuple[str, Callable[[Tree], Any], Params]], params: Params, rng: np.random.Generator,
    fail_fast: bool, findings: list[str],
) -> list[GradientReport]:
    """Compare the gradients of every case; where the findings tell already, failing fast does without."""
    reports: list[GradientReport] = []
    for case, loss, grads in gradients:
        if fail_fast and (findings or any(not report.ok for report in reports)):
            break
        report = check_gradients(loss, params, grads, rng=rng)
        reports.append(renamed(report, lambda name, case=case: f"{name}{case}"))  # type: ignore[misc]
    return reports


def _state_after(model: SequenceModel, probe: Probe, first: State, steps: int, mask: Array | None) -> State:
    """Return the state after the first steps, reached from the very start."""
    if steps == 0:
        return first
    before = None if mask is None else mask[:steps]
    return model.forward(probe.params, probe.xs[:steps], first, before)[1]


def _targets(model: SequenceModel, probe: Probe, rng: np.random.Generator) -> Array:
    """Draw targets that fit the model: classes that all occur where there is room, or normal numbers."""
    logits, _, _ = model.forward(probe.params, probe.xs, probe.state)
    if model.task == "regression":
        return rng.standard_normal(logits.shape)
    count = int(np.prod(logits.shape[:-1]))
    return rng.permutation(np.arange(count) % logits.shape[-1]).reshape(logits.shape[:-1])
