r"""BLEU's arithmetic, on tokens: clipped counts, brevity penalty, smoothing. `text.py` checks and tokenises before it.

.. math:: \mathrm{BLEU} = 100 \cdot \mathrm{BP} \cdot \exp\Bigl(\tfrac1M \sum_{n=1}^{M} \ln p_n\Bigr), \quad M = 4

Source: Papineni, Roukos, Ward & Zhu (2002); smoothing: Chen & Cherry (2014); sacreBLEU's conventions: Post (2018);
notebook 13; tests/metrics/test_text.py.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class BLEU(NamedTuple):
    """A BLEU score and what it was made from; it prints as the line that sacreBLEU prints."""

    score: float  # 0 … 100
    precisions: tuple[float, ...]  # of orders 1 … max_order, in %, smoothed; all 0 if nothing matches
    brevity_penalty: float
    system_length: int  # c, tokens of all hypotheses
    reference_length: int  # r, tokens of the references closest in length
    counts: tuple[int, ...]  # clipped matches of each order, as counted: before smoothing
    totals: tuple[int, ...]  # n-grams of each order in the hypotheses

    def __str__(self) -> str:
        """Return `BLEU = 48.67 83.3/60.0/50.0/33.3 (BP = 0.847 ratio = 0.857 hyp_len = 6 ref_len = 7)`."""
        precisions = "/".join(f"{precision:.1f}" for precision in self.precisions)
        ratio = self.system_length / self.reference_length if self.reference_length else 0.0
        return (
            f"BLEU = {self.score:.2f} {precisions} (BP = {self.brevity_penalty:.3f} ratio = {ratio:.3f} "
            f"hyp_len = {self.system_length} ref_len = {self.reference_length})"
        )


class Matches(NamedTuple):
    """What is counted in a corpus, and all that its score depends on."""

    counts: tuple[int, ...]
    totals: tuple[int, ...]
    system_length: int
    reference_length: int


def match(pairs: Iterable[tuple[Sequence[Any], Sequence[Sequence[Any]]]], max_order: int) -> Matches:
    r"""Count the n-grams of every hypothesis, and those that its references have too, clipped.

    .. math:: \mathrm{Count_{clip}}(g) = \min\bigl(\mathrm{Count}(g), \max_j \mathrm{Count}_j(g)\bigr)

    Parameters
    ----------
    pairs : iterable
        For each hypothesis its tokens and a list of the tokens of its references.
    max_order : int
        Length of the longest n-gram.

    Source: Papineni et al. (2002), §2.1 and, for the closest reference length, §2.2.2.
    """
    counts, totals = [0] * max_order, [0] * max_order
    system_length = reference_length = 0
    for tokens, references in pairs:
        c = len(tokens)
        system_length += c
        reference_length += min((abs(len(other) - c), len(other)) for other in references)[1]  # a tie: the shorter
        for n in range(max_order):
            ours, most = _ngrams(tokens, n + 1), Counter[Any]()
            for other in references:
                most |= _ngrams(other, n + 1)  # | keeps the larger count, & the smaller
            counts[n] += (ours & most).total()
            totals[n] += ours.total()
    return Matches(tuple(counts), tuple(totals), system_length, reference_length)


def _ngrams(tokens: Sequence[Any], n: int) -> Counter[Any]:
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def score(matches: Matches, smoothing: str, value: float, effective_order: bool) -> BLEU:
    r"""Return the score of what was counted: the brevity penalty times the geometric mean of the precisions.

    .. math:: \mathrm{BP} = \begin{cases} 1 & c \ge r \\ e^{1 - r/c} & c < r \end{cases}

    Source: Papineni et al. (2002), §2.3.
    """
    counts, totals, c, r = matches
    penalty = 1.0
    if c < r:
        penalty = math.exp(1.0 - r / c) if c else 0.0
    precisions, orders = _precisions(counts, totals, smoothing, value, effective_order)
    used = precisions[:orders]
    mean = math.exp(sum(math.log(p / 100.0) for p in used) / orders) if all(used) else 0.0
    return BLEU(100.0 * penalty * mean, tuple(precisions), penalty, c, r, counts, totals)


def _precisions(
    counts: Sequence[int], totals: Sequence[int], smoothing: str, value: float, effective_order: bool
) -> tuple[list[float], int]:
    """Return the smoothed precision of each order in %, and over how many orders the mean goes."""
    precisions, without_match = [0.0] * len(counts), 0
    if not any(counts):
        return precisions, len(counts)  # nothing matched: no smoothing makes something of it
    for n, (matched, total) in enumerate(zip(counts, totals, strict=True)):
        added = value if smoothing == "add-k" and n > 0 else 0.0
        if total + added == 0.0:  # no hypothesis is long enough, for this order nor for a longer one
            return precisions, n if effective_order else len(counts)
        if matched == 0 and smoothing == "exp":
            without_match += 1
            precisions[n] = 100.0 * 0.5**without_match / total
        elif matched == 0 and smoothing == "floor":
            precisions[n] = 100.0 * value / total
        else:
            precisions[n] = 100.0 * (matched + added) / (total + added)
    return precisions, len(counts)
