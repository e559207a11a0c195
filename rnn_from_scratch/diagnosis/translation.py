"""The conformance suite for encoder–decoders: teacher forcing, two masks, every gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params, Tree, tree_add, tree_copy, tree_map
from ..gradcheck import GradientReport, check_gradients
from .conformance import UNTRAINED, _drawn, _other
from .probe import random_like, random_mask, random_params, random_tokens
from .rules import SAME, changed, contradicted, distance, renamed
from .suite import Suite, lacking, returned, students, telling

NEEDED = (
    "encoder", "decoder", "source_size", "target_size", "start", "init_params", "forward", "backward", "loss",
    "loss_and_grads",
)


class Pairs(NamedTuple):
    """Where to check: random parameters, sources and targets in which tokens come twice, padding anywhere in both."""

    params: Params
    sources: Array  # (S, N)
    targets: Array  # (T, N)
    source_mask: Array  # (S, N)
    target_mask: Array  # (T, N)


class Case(NamedTuple):
    """One way to call `loss_and_grads`."""

    name: str
    source_mask: Array | None
    target_mask: Array | None
    divide_by: float | None


ONE_TOKEN = Case(" (one token each)", None, None, None)


@telling
def check_encoder_decoder(
    model: Any, *, rng: np.random.Generator, fail_fast: bool = False, training: bool = False
) -> GradientReport:
    """Check that an encoder–decoder reads, writes and learns as `models.EncoderDecoder` must.

    Parameters
    ----------
    model : EncoderDecoder
        Ours or anybody's with its methods. The input_size and hidden_size of each of its layers must differ.
    rng : Generator
        For the parameters, the tokens, the masks and the upstream gradients.
    fail_fast : bool
        Stop at the first thing that is wrong.
    training : bool
        Every forward and `loss_and_grads` gets `rng`, a new generator of one fixed seed, as in `check_layer`: it shows
        whether the backward knows of the dropout. What draws differently is not compared: a sequence alone with
        itself in its batch.

    Returns
    -------
    GradientReport
        A row for every parameter without masks. With masks, with an empty source and an empty target, with `divide_by`,
        and for sources and targets of one token the whole gradient is compared along one direction; where that is the
        first to contradict it, there are rows too. `findings` names every broken rule: the loss is that of teacher
        forcing (`start`, then each sequence's own token before); no step knows of a later one; what stands on padding
        changes nothing; each sequence of a padded batch has the summed loss and the gradients that it has alone;
        backward twice is the same twice; nothing passed in is changed.

    Raises
    ------
    ArgumentError
        If a layer's input_size equals its hidden_size.

    Source: the contract, `models.EncoderDecoder`; tests/diagnosis/test_translation.py.
    """
    where = "check_encoder_decoder"
    validate.generator(where, rng)
    validate.option(where, "training", training, (False, True))
    lacking(model, "encoder–decoder", NEEDED)
    pairs = _make_pairs(model, rng, where)
    suite, seed = Suite(), int(rng.integers(2**31)) if training else None
    for case in _cases(pairs):
        if not fail_fast or suite.fine:
            with suite.attempt(case.name):
                _check_case(model, pairs, case, rng, suite, fail_fast, seed)
    if not fail_fast or suite.fine:
        short = pairs._replace(sources=pairs.sources[:1], targets=pairs.targets[:1])
        with suite.attempt(ONE_TOKEN.name):
            _check_case(model, short, ONE_TOKEN, rng, suite, fail_fast, seed)
    for name, rules in (("padding", _check_padding), ("alone", _check_alone), ("order", _check_order)):
        if (not fail_fast or suite.fine) and not (training and name == "alone"):
            with suite.attempt(f" ({name})"):
                suite.findings += rules(model, pairs, seed)
    if training and suite.fine and _same_as_untrained(model, pairs, seed):
        suite.notes.append(UNTRAINED)
    return suite.report()


def _same_as_untrained(model: Any, pairs: Pairs, seed: int | None) -> bool:
    one, two = (model.forward(*pairs[:3], **_drawn(drawn))[0] for drawn in (seed, None))
    return distance(one, two) == 0


def _make_pairs(model: Any, rng: np.random.Generator, where: str) -> Pairs:
    """Draw a point; S, T and N differ from each other and from every size of the model."""
    with students():
        layers = {"encoder": model.encoder, "decoder": model.decoder}
        sizes = {name: (layer.input_size, layer.hidden_size) for name, layer in layers.items()}
    for name, (D, H) in sizes.items():
        if D == H:
            validate.fail(
                where, f"the {name}'s input_size = hidden_size = {H}", "two different sizes",
                "with equal sizes a transposed or swapped matrix still fits",
            )
    taken = {model.source_size, model.target_size, *sizes["encoder"], *sizes["decoder"]}
    N, S, T = [size for size in range(3, 12) if size not in taken][:3]
    with students():
        params = random_params(model.init_params(rng=rng), rng)
    return Pairs(
        params, random_tokens(model.source_size, S, N, rng), random_tokens(model.target_size, T, N, rng),
        random_mask(S, N, rng), random_mask(T, N, rng),
    )


def _cases(pairs: Pairs) -> Iterator[Case]:
    sources, targets = pairs.source_mask, pairs.target_mask
    yield Case("", None, None, None)
    yield Case(" (both masks)", sources, targets, None)
    yield Case(" (source mask)", sources, None, None)
    yield Case(" (target mask)", None, targets, None)
    yield Case(" (divided by 7)", sources, targets, 7.0)
    sources, targets = sources.copy(), targets.copy()
    sources[:, 0], targets[:, 1] = False, False
    yield Case(" (an empty source, an empty target)", sources, targets, None)


def _check_case(
    model: Any, pairs: Pairs, case: Case, rng: np.random.Generator, suite: Suite, fail_fast: bool, seed: int | None
) -> None:
    """Compare the loss and its gradients, and those of any other loss of the logits; hold the rules beside."""
    params, sources, targets = pairs[:3]
    masks = case.source_mask, case.target_mask
    findings: list[str] = []

    def given() -> Tree:
        return tree_copy([*pairs[:3], *(mask.astype(int) for mask in masks if mask is not None)])

    def both() -> tuple[Any, ...]:
        answer = model.loss_and_grads(params, sources, targets, *masks, divide_by=case.divide_by, **_drawn(seed))
        return returned(answer, "loss_and_grads", "(loss, grads, final_state)", 3)

    def run(at: Params, seed: int | None = seed) -> tuple[Any, ...]:
        answer = model.forward(at, sources, inputs, *masks, **_drawn(seed))
        return returned(answer, "forward", "(logits, final_state, cache)", 3)

    def mean(at: Params) -> Any:
        return model.loss(run(at)[0], targets, case.target_mask, case.divide_by)[0]

    before, inputs = given(), _one_behind(model.start, targets, case.target_mask)
    loss, grads, final_state = both()
    first = tree_copy([loss, grads, final_state])
    if distance(first, list(both())) != 0:
        findings.append("backward twice differs")
    logits, final, cache = run(params)
    if distance(loss, model.loss(logits, targets, case.target_mask, case.divide_by)[0]) > SAME:
        findings.append("the loss is not that of the model's own logits under teacher forcing")
    if distance(final_state, final) > SAME:
        findings.append("the final state is not forward's")
    findings += changed([given()], [before], ["params, tokens or a mask"])
    if findings and fail_fast:
        suite.findings += [text + case.name for text in findings]
        return
    wrong = contradicted(mean, params, grads, rng, "of the loss")
    named = any(not report.ok for report in suite.reports)
    if not suite.reports or (wrong and not named):  # array by array once; again only to name what is wrong
        report = check_gradients(mean, params, grads, rng=rng)
        suite.reports.append(renamed(report, lambda name: name + case.name))
        wrong = [] if not report.ok else wrong
    findings += wrong

    upstream = random_like(logits, rng)  # unlike the loss's own, its rows do not sum to 0
    kept = upstream.copy()
    run(tree_map(lambda array: 0.5 * array + 0.1, params), _other(seed))  # another forward in between must not matter
    gradients = model.backward(params, upstream, cache)
    once = tree_copy(gradients)
    if distance(once, model.backward(params, upstream, cache)) != 0:
        findings.append("backward twice differs")
    findings += contradicted(lambda at: (upstream * run(at)[0]).sum(), params, gradients, rng, "for random dlogits")
    if distance([loss, grads, final_state], first) != 0:
        findings.append("an output was overwritten by a later call")
    findings += changed([given(), upstream], [before, kept], ["params, tokens or a mask", "dlogits"])
    suite.findings += [text + case.name for text in dict.fromkeys(findings)]


def _one_behind(start: int, targets: Array, mask: Array | None) -> Array:
    """Return what teacher forcing reads, token by token: `start`, then each sequence's own token before."""
    inputs = np.empty_like(targets)
    for n in range(targets.shape[1]):
        before = start
        for t in range(len(targets)):
            inputs[t, n] = before
            if mask is None or mask[t, n]:
                before = targets[t, n]
    return inputs


def _check_padding(model: Any, pairs: Pairs, seed: int | None) -> list[str]:
    """Numbers that are no tokens on padding change nothing."""
    params, sources, targets, *masks = pairs
    whole = model.loss_and_grads(params, sources, targets, *masks, **_drawn(seed))
    findings = []
    for name, source_pad, target_pad in (
        ("-1", -1, -1), ("a number beyond the vocabulary", model.source_size + 5, model.target_size + 5),
    ):
        spoilt = np.where(masks[0], sources, source_pad), np.where(masks[1], targets, target_pad)
        if distance(list(whole), list(model.loss_and_grads(params, *spoilt, *masks, **_drawn(seed)))) != 0:
            findings.append(f"{name} on padding changes the loss, a gradient or the final state")
    return findings


def _check_alone(model: Any, pairs: Pairs, _: int | None) -> list[str]:
    """Each sequence of a padded batch has the summed loss and the gradients that it has without the others."""
    params, sources, targets, *masks = pairs
    loss, grads, final_state = model.loss_and_grads(params, sources, targets, *masks, divide_by=1)
    findings, losses, sums = [], [], []
    for n in range(sources.shape[1]):
        source, target = (array[mask[:, n], n : n + 1] for array, mask in zip(pairs[1:3], masks, strict=True))
        own, own_grads, own_final = model.loss_and_grads(params, source, target, divide_by=1)
        losses.append(own)
        sums.append(own_grads)
        if distance([part[n : n + 1] for part in final_state], list(own_final)) > SAME:
            findings.append(f"sequence {n} of a padded batch ends in another state than alone")
    if distance(loss, sum(losses)) > SAME:
        findings.append("the summed loss of a padded batch is not the sum of its sequences' own")
    if distance(grads, tree_add(*sums)) > SAME:
        findings.append("the gradients of a padded batch are not the sum of its sequences' own")
    return findings


def _check_order(model: Any, pairs: Pairs, seed: int | None) -> list[str]:
    """What is read at the last step changes no logits before it, and does change the final state."""
    params, sources, targets = pairs[:3]
    other = targets.copy()
    other[-1] = (other[-1] + 1) % model.target_size
    (one, end, _), (two, other_end, _) = (
        model.forward(params, sources, inputs, **_drawn(seed)) for inputs in (targets, other)
    )
    findings = []
    if distance(one[:-1], two[:-1]) != 0:
        findings.append("the logits of a step depend on what is read at a later one")
    if distance(end, other_end) == 0:
        findings.append("the final state does not know what was read last")
    return findings
