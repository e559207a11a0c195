"""Encoder–decoders on texts: built by kind, trained side by side, measured. For benchmarks/date_translation.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnn_from_scratch.arrays import Array, Params, leaves
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LuongCell
from rnn_from_scratch.data import PairBatch, Vocabulary, pair_batches
from rnn_from_scratch.layers import Bidirectional, Recurrent
from rnn_from_scratch.metrics import corpus_bleu, wilson_interval
from rnn_from_scratch.models import EncoderDecoder, attention_map, beam_search, greedy
from rnn_from_scratch.optim import Adam, clip_by_global_norm

KINDS = ("Luong", "Bahdanau", "no attention")
CHUNK = 250  # texts that are translated at once

Vocabularies = tuple[Vocabulary, Vocabulary]


def build(kind: str, H: int, E: int, vocabularies: Vocabularies) -> EncoderDecoder:
    """Return a GRU read both ways with H/2 units each, and a GRU of H units that writes; embeddings of E numbers."""
    writer = GRUCell(E, H)
    cell = {
        "Luong": lambda: LuongCell(writer, MultiplicativeAttention(H, H)),
        "Bahdanau": lambda: BahdanauCell(writer, AdditiveAttention(H, H, H)),
        "no attention": lambda: writer,
    }[kind]()
    reader = Bidirectional(Recurrent(GRUCell(E, H // 2)), Recurrent(GRUCell(E, H // 2)))
    return EncoderDecoder(reader, Recurrent(cell), len(vocabularies[0]), len(vocabularies[1]))


def count(params: Params) -> int:
    return sum(array.size for _, array in leaves(params))


# Training


class Plan(NamedTuple):
    """How one model is trained."""

    updates: int
    rate: float  # Adam's: constant for the first half of the updates, then falling to 0 in a straight line
    batch_size: int
    clip: float = 1.0  # of the gradient's global norm


class Progress(NamedTuple):
    """Where one training stands after an update."""

    updates: int
    seconds: float  # CPU seconds of this process for this update, its batch included
    loss: float  # of the batch, before the update
    params: Params


def training(model: EncoderDecoder, params: Params, batches: Iterator[PairBatch], plan: Plan) -> Iterator[Progress]:
    """Yield after every update. Batches come for ever: the plan says how many are used."""
    memory = Adam(plan.rate).init(params)
    for update in range(plan.updates):
        start = time.process_time()
        optimizer = Adam(plan.rate * min(1.0, 2.0 * (1.0 - update / plan.updates)))
        loss, grads, _ = model.loss_and_grads(params, *next(batches)[1:])
        params, memory = optimizer.update(params, clip_by_global_norm(grads, plan.clip)[0], memory)
        yield Progress(update + 1, time.process_time() - start, float(loss), params)


def epochs(sources: Sequence[str], targets: Sequence[str], vocabularies: Vocabularies, batch_size: int,
           rng: np.random.Generator) -> Iterator[PairBatch]:
    """Yield batches for ever, shuffled anew in each epoch."""
    while True:
        yield from pair_batches(sources, targets, vocabularies, batch_size, rng=rng)


def side_by_side(
    runs: Mapping[str, tuple[Iterator[Progress], int]], marks: Callable[[str], Collection[int]],
    measure: Callable[[str, Params], Mapping[str, Any]],
) -> dict[str, tuple[Params, list[dict[str, Any]]]]:
    """Train several models at once; measure each after the numbers of updates in `marks(name)` and at the end.

    The one with the smallest share of its updates behind it goes next, so that whatever slows the machine slows all
    alike. What measuring takes is not counted.

    Returns
    -------
    {name: (params, points)}
        A point has the `updates` and `seconds` so far, the batches' mean `loss` since the point before, and what
        `measure` returned.
    """
    done, seconds = dict.fromkeys(runs, 0), dict.fromkeys(runs, 0.0)
    losses: dict[str, list[float]] = {name: [] for name in runs}
    found: dict[str, tuple[Params, list[dict[str, Any]]]] = {name: ({}, []) for name in runs}
    active = list(runs)
    while active:
        name = min(active, key=lambda one: done[one] / runs[one][1])
        progress = next(runs[name][0])
        done[name] = progress.updates
        seconds[name] += progress.seconds
        losses[name].append(progress.loss)
        if progress.updates in marks(name) or progress.updates == runs[name][1]:
            point = {
                "updates": progress.updates, "seconds": round(seconds[name], 2),
                "loss": rounded(np.mean(losses[name])), **measure(name, progress.params),
            }
            found[name] = (progress.params, [*found[name][1], point])
            losses[name] = []
        if progress.updates == runs[name][1]:
            active.remove(name)
    return found


# Measuring


def columns(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return a curve's points as one list for each number."""
    return {key: [point[key] for point in points] for key in points[0]}


def rounded(number: Any) -> float:
    """Return four significant digits."""
    return float(f"{float(number):.4g}")


def share(successes: int, trials: int) -> dict[str, Any]:
    """Return a share with its 95 % Wilson interval and what it was counted from."""
    low, high = wilson_interval(successes, trials)
    return {
        "share": round(successes / trials, 4), "interval": [round(low, 4), round(high, 4)],
        "right": successes, "of": trials,
    }


def percent(number: float) -> str:
    return f"{100 * number:.1f}"


def with_interval(found: Mapping[str, Any]) -> str:
    """Return what `share` found as text: 97.3 (95.2–98.5)."""
    low, high = (percent(end) for end in found["interval"])
    return f"{percent(found['share'])} ({low}–{high})"


def chunks(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield the texts' indices in pieces of about one length."""
    order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
    for first in range(0, len(order), CHUNK):
        yield order[first : first + CHUNK]


def mean_loss(model: EncoderDecoder, params: Params, sources: Sequence[str], targets: Sequence[str],
              vocabularies: Vocabularies) -> float:
    """Return the cross-entropy in nats a target token, under teacher forcing."""
    total, tokens = 0.0, 0
    for chosen in chunks(sources):
        xs, source_mask = vocabularies[0].encode_batch([sources[n] for n in chosen])
        ys, target_mask = vocabularies[1].encode_batch([targets[n] for n in chosen])
        logits = model.forward(params, xs, model.shifted(ys), source_mask, target_mask)[0]
        total += float(model.loss(logits, ys, target_mask, divide_by=1.0)[0])
        tokens += int(target_mask.sum())
    return total / tokens


def translate(model: EncoderDecoder, params: Params, sources: Sequence[str], vocabularies: Vocabularies,
              max_length: int) -> list[str]:
    """Translate greedily."""
    found = [""] * len(sources)
    for chosen in chunks(sources):
        xs, mask = vocabularies[0].encode_batch([sources[n] for n in chosen])
        for n, line in zip(chosen, greedy(model, params, xs, mask, max_length=max_length), strict=True):
            found[n] = vocabularies[1].decode(line.tokens)
    return found


def judge(found: Sequence[str], targets: Sequence[str]) -> dict[str, Any]:
    """Return the share of exact matches, and BLEU with characters as tokens."""
    right = sum(one == other for one, other in zip(found, targets, strict=True))
    bleu = corpus_bleu(found, [[target] for target in targets], tokenize="char", smoothing="none")
    return {"exact": share(right, len(targets)), "BLEU": round(bleu.score, 2)}


def beside_beam(model: EncoderDecoder, params: Params, sources: Sequence[str], targets: Sequence[str],
                vocabularies: Vocabularies, max_length: int, beam_width: int) -> dict[str, Any]:
    """Compare beam search with greedy decoding on the same sources; `in the beam`: the target is one of its lines."""
    counts = dict.fromkeys(
        ("greedy right", "beam right", "in the beam", "different", "beam more probable", "beam less probable"), 0
    )
    for chosen in chunks(sources):
        xs, mask = vocabularies[0].encode_batch([sources[n] for n in chosen])
        one = greedy(model, params, xs, mask, max_length=max_length)
        best = beam_search(model, params, xs, mask, max_length=max_length, beam_width=beam_width)
        for n, plain, beam in zip(chosen, one, best, strict=True):
            first, *others = (vocabularies[1].decode(line.tokens) for line in beam)
            counts["greedy right"] += vocabularies[1].decode(plain.tokens) == targets[n]
            counts["beam right"] += first == targets[n]
            counts["in the beam"] += targets[n] in (first, *others)
            if plain.tokens != beam[0].tokens:
                counts["different"] += 1
                better = beam[0].log_probability > plain.log_probability
                counts["beam more probable" if better else "beam less probable"] += 1
    return {"beam width": beam_width, "sources": len(sources), **counts}


# Attention


def weights_of(model: EncoderDecoder, params: Params, sources: Sequence[str], targets: Sequence[str],
               vocabularies: Vocabularies) -> Array:
    """Return the attention maps (T, S, N) under teacher forcing; each text's END has its row or column too."""
    xs, source_mask = vocabularies[0].encode_batch(sources)
    ys, target_mask = vocabularies[1].encode_batch(targets)
    return attention_map(model.forward(params, xs, model.shifted(ys), source_mask, target_mask)[2])
