"""The checks behind `verify` for §5 Q5: each measure beside its definition, counted again one case at a time.

Definitions are computed with fractions and plain loops: nothing is rounded, and nothing is shared with the code. The
loss of Q5, cross-entropy and MSE, have checks with their gradients: E-CE and E-MSE (proofs.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from ..arrays import Array
from ..metrics import classification, regression, text
from .points import Context, Outcome

_LIMIT = 1e-13
Pairs = list[tuple[int, int]]  # (target, prediction), those that count


def classes(name: str) -> Callable[[Context], Outcome]:
    """Q5: "accuracy", "precision", "recall" or "f1" of every class and as means, of padded sequences."""

    def check(context: Context) -> Outcome:
        function, largest, cases = getattr(classification, name), 0.0, 0
        for K in (2, 3, 5) * 4:
            targets, predictions = context.rng.integers(0, K, (2, 7, 4))
            mask = np.arange(7)[:, None] < context.rng.integers(1, 8, 4)
            pairs = list(zip(targets[mask].tolist(), predictions[mask].tolist(), strict=True))
            if name == "accuracy":
                found = {"": function(targets, predictions, mask)}
                wanted = {"": [Fraction(sum(t == p for t, p in pairs), len(pairs))]}
            else:
                choices = {"labels": range(K), "zero_division": 0}
                found = {
                    str(average): function(targets, predictions, mask, average=average, **choices)
                    for average in (None, "macro", "weighted", "micro")
                }
                wanted = _by_definition(name, pairs, K)
            for average, value in found.items():
                gaps = np.abs(np.atleast_1d(value) - np.array([float(one) for one in wanted[average]]))
                largest, cases = max(largest, float(gaps.max())), cases + len(gaps)
        return Outcome({}, f"{cases} values, definition − code = {largest:.0e}", largest < _LIMIT)

    return check


def _by_definition(name: str, pairs: Pairs, K: int) -> dict[str, list[Fraction]]:
    """Count hits, false alarms and misses of each class, pair by pair."""
    hits = [sum(t == k and p == k for t, p in pairs) for k in range(K)]
    alarms = [sum(t != k and p == k for t, p in pairs) for k in range(K)]
    misses = [sum(t == k and p != k for t, p in pairs) for k in range(K)]

    def score(hit: int, alarm: int, miss: int) -> Fraction:
        P, R = (Fraction(hit, hit + other) if hit + other else Fraction(0) for other in (alarm, miss))
        harmonic = 2 * P * R / (P + R) if P + R else Fraction(0)
        return {"precision": P, "recall": R, "f1": harmonic}[name]

    each = [score(*counts) for counts in zip(hits, alarms, misses, strict=True)]
    weighted = sum((value * (hit + miss) for value, hit, miss in zip(each, hits, misses, strict=True)), Fraction(0))
    return {
        "None": each, "macro": [sum(each, Fraction(0)) / K], "weighted": [weighted / len(pairs)],
        "micro": [score(sum(hits), sum(alarms), sum(misses))],
    }


def absolute_error(context: Context) -> Outcome:
    """Q5: the MAE of padded sequences, with NaN on the padding."""
    largest = 0.0
    for _ in range(12):
        targets, predictions = context.rng.standard_normal((2, 7, 4, 3))
        mask = np.arange(7)[:, None] < context.rng.integers(1, 8, 4)
        exact = [
            abs(Fraction(y) - Fraction(t))
            for y, t in zip(predictions[mask].ravel().tolist(), targets[mask].ravel().tolist(), strict=True)
        ]
        wanted = float(sum(exact, Fraction(0)) / len(exact))
        predictions = np.where(mask[..., None], predictions, np.nan)
        largest = max(largest, abs(regression.mae(targets, predictions, mask) - wanted))
    return Outcome({}, f"12 values, definition − code = {largest:.0e}", largest < _LIMIT)


def bleu(context: Context) -> Outcome:
    """Q5: corpus BLEU without smoothing, of random tokens with two references each."""
    largest = 0.0
    scores: list[float] = []
    for _ in range(6):
        references = [[_tokens(context.rng), _tokens(context.rng)] for _ in range(4)]
        hypotheses = [_changed(own[0], context.rng) for own in references]
        wanted = _bleu_by_definition(hypotheses, references)
        found = text.corpus_bleu(hypotheses, references, smoothing="none").score
        largest = max(largest, abs(found - wanted))
        scores.append(wanted)
    ok = largest < 100 * _LIMIT and min(scores) > 0.0 and max(scores) < 100.0
    return Outcome({}, f"6 corpora, definition − code = {largest:.0e}", ok)


def _tokens(rng: np.random.Generator) -> list[int]:
    tokens: Array = rng.integers(0, 6, rng.integers(9, 16))
    return [int(token) for token in tokens]


def _changed(tokens: list[int], rng: np.random.Generator) -> list[int]:
    """Copy most of a sentence: its last token and one place in the middle differ, so that four-grams still match."""
    return [*tokens[:5], int(rng.integers(0, 6)), *tokens[6:-1]]


def _bleu_by_definition(hypotheses: list[list[int]], references: list[list[list[int]]]) -> float:
    """Papineni et al. (2002), §2: every n-gram is looked up by scanning."""

    def count(gram: list[int], tokens: list[int]) -> int:
        return sum(tokens[i : i + len(gram)] == gram for i in range(len(tokens) - len(gram) + 1))

    logs = 0.0
    for n in (1, 2, 3, 4):
        matched = total = 0
        for ours, own in zip(hypotheses, references, strict=True):
            grams = [ours[i : i + n] for i in range(len(ours) - n + 1)]
            for place, gram in enumerate(grams):
                earlier = grams[:place].count(gram)  # clipping: the k-th occurrence needs k in one reference
                matched += earlier < max(count(gram, other) for other in own)
                total += 1
        logs += math.log(Fraction(matched, total)) / 4 if matched else -math.inf
    c = sum(map(len, hypotheses))
    r = sum(min((abs(len(other) - len(ours)), len(other)) for other in own)[1]
            for ours, own in zip(hypotheses, references, strict=True))
    return 100.0 * math.exp(logs) * (1.0 if c >= r else math.exp(1 - Fraction(r, c)))
