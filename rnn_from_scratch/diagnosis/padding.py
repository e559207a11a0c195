"""Padding: what stands there reaches nothing, and a sequence in a padded batch is what it is alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array, Params, State, Tree, tree_map
from .probe import Probe, random_like
from .rules import SAME, contradicted, distance


def check_padding(layer: Any, probe: Probe, rng: np.random.Generator) -> list[str]:
    """NaN in padding changes nothing, and each padded sequence is what it is alone, also one without any input."""
    params, xs, state, mask = {**probe.params, **probe.beside(True)}, probe.xs, probe.state, probe.mask
    ys, final_state, cache = layer.forward(params, xs, state, mask)
    every_step = ys.ndim == 3  # or one output a sequence
    dys = random_like(ys, rng)
    if every_step:
        dys = np.where(mask[..., None], dys, 0.0)
    dfinal = random_like(final_state, rng)
    dxs, dstate, grads = _backward(layer, params, xs, dys, cache, dfinal)

    spoilt = np.where(mask, xs, -1) if probe.tokens else np.where(mask[..., None], xs, np.nan)
    spoilt_params = dict(params)
    for name in probe.memory_names:
        assert probe.memory_mask is not None
        spoilt_params[name] = np.where(probe.memory_mask[..., None], params[name], np.nan)
    ys_spoilt, final_spoilt, cache_spoilt = layer.forward(spoilt_params, spoilt, state, mask)
    findings = []
    backward_spoilt = _backward(layer, spoilt_params, xs, dys, cache_spoilt, dfinal)
    if distance([ys, final_state, dxs, dstate, grads], [ys_spoilt, final_spoilt, *backward_spoilt]) != 0:
        findings.append("NaN in padding changes an output or a gradient")

    if every_step and not ys[~mask].any():  # what puts out zeros on padding gets nothing back from there either
        dys_spoilt = np.where(mask[..., None], dys, np.nan)
        if distance([dxs, dstate, grads], list(_backward(layer, params, xs, dys_spoilt, cache, dfinal))) != 0:
            findings.append("NaN in the padding of dhs changes a gradient")
    findings += _check_empty(layer, probe, rng)

    sums: dict[str, Tree] = {how: tree_map(np.zeros_like, grads) for how in ("alone", "alone with its padding")}
    for n in range(mask.shape[1]):
        here, one = mask[:, n], slice(n, n + 1)
        own = _own_memory(params, probe, n)

        def pick_state(parts: State, one: slice = one) -> State:
            return tuple(part[one] for part in parts)

        # One sequence may take another way through a layer than several, with padding yet another.
        for steps, its_mask, how in ((here, None, "alone"), (slice(None), mask[:, one], "alone with its padding")):

            def pick(array: Array, over_time: bool = True, steps: Any = steps, one: slice = one) -> Array:
                return array[steps][:, one] if over_time else array[one]

            ys_alone, final_alone, cache_alone = layer.forward(own, pick(xs), pick_state(state), its_mask)
            dxs_alone, dstate_alone, grads_alone = _backward(
                layer, own, pick(xs), pick(dys, every_step), cache_alone, pick_state(dfinal)
            )
            together = (pick(ys, every_step), pick_state(final_state), pick(dxs), pick_state(dstate))
            if distance(together, (ys_alone, final_alone, dxs_alone, dstate_alone)) > SAME:
                findings.append(f"sequence {n} of a padded batch differs from the same sequence {how}")
            grads_alone = dict(grads_alone)
            for name in probe.memory_names:  # a memory is a sequence's own: in the batch it stands at its place
                grads_alone[name] = _in_batch(grads_alone[name], probe, n)
            sums[how] = tree_map(np.add, sums[how], grads_alone)
        if np.any(dxs[~here][:, n]):
            findings.append(f"the gradient of padding in sequence {n} is not zero")
    for how, total in sums.items():
        if distance(grads, total) > SAME:
            findings.append(f"the gradients of a padded batch are not the sum of its sequences' own, each {how}")
    return findings


def _backward(
    layer: Any, params: Params, xs: Array, dys: Array, cache: Any, dfinal: State
) -> tuple[Array, State, Params]:
    """Call backward; indices have no gradient, and zeros in its place compare as equal."""
    dxs, dstate, grads = layer.backward(params, dys, cache, dfinal)
    return (np.zeros(xs.shape) if dxs is None else dxs), dstate, grads


def _own_memory(params: Params, probe: Probe, n: int) -> Params:
    """Return params with the memory of sequence n alone, without its padding."""
    if probe.memory_mask is None:
        return params
    here = probe.memory_mask[:, n]
    own = {name: array for name, array in params.items() if name != "memory_mask"}
    return {**own, **{name: params[name][here, n : n + 1] for name in probe.memory_names}}


def _in_batch(dmemory: Array, probe: Probe, n: int) -> Array:
    """Put the gradient of one sequence's memory, (S_n, 1, M), at its place in the batch's, zeros elsewhere."""
    assert probe.memory_mask is not None
    whole = np.zeros((*probe.memory_mask.shape, dmemory.shape[-1]))
    whole[probe.memory_mask[:, n], n] = dmemory[:, 0]
    return whole


def _check_empty(layer: Any, probe: Probe, rng: np.random.Generator) -> list[str]:
    """A sequence that is padding throughout: its state goes through unchanged, forwards and backwards."""
    mask = probe.mask.copy()
    mask[:, -1] = False
    tree = probe.tree
    ys, final_state, cache = layer.forward(probe.params, probe.xs, probe.state, mask)
    findings = []
    if distance([part[-1] for part in final_state], [part[-1] for part in probe.state]) != 0:
        findings.append("the state of a sequence that is all padding is not carried unchanged")
    dys, dfinal = random_like(ys, rng), random_like(final_state, rng)
    if ys.ndim == 3:
        dys = np.where(mask[..., None], dys, 0.0)

    def loss(at: Tree) -> Any:
        ys, final_state, _ = layer.forward(at["params"], at.get("xs", probe.xs), at["state"], mask)
        return (dys * ys).sum() + sum((d * part).sum() for d, part in zip(dfinal, final_state, strict=True))

    dxs, dstate, grads = layer.backward(probe.params, dys, cache, dfinal)
    gradients = {"params": grads, "xs": dxs, "state": dstate}
    gradients = {name: gradients[name] for name in tree}
    return findings + contradicted(loss, tree, gradients, rng, "with a sequence that is all padding")
