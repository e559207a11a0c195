"""Claim C10's judgement: methods compared seed by seed, and what follows, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...validate import fail

#: Of Student's t, 97.5 %, for so many seeds; beyond ten the last.
T_QUANTILES = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}


def ratio_interval(ours: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Return the geometric mean of the paired ratios ours / other, and the 95 % interval around it.

    The logarithms' mean ± t · s/√n over the seeds; with one seed the interval is (0, ∞): it says nothing.

    Raises ArgumentError if the two have different lengths, or none.
    """
    if len(ours) != len(other) or not len(ours):
        fail("ratio_interval", f"{len(ours)} and {len(other)} errors", "as many of both, one or more", "they are pairs")
    logs = np.log(np.asarray(ours)) - np.log(np.asarray(other))
    middle, n = float(logs.mean()), len(logs)
    if n == 1:
        return math.exp(middle), 0.0, math.inf
    half = T_QUANTILES[min(n, 10)] * float(logs.std(ddof=1)) / math.sqrt(n)
    return math.exp(middle), math.exp(middle - half), math.exp(middle + half)


def judged(ours: Sequence[float], other: Sequence[float]) -> str:
    """Say "better", "worse", or "open" where the interval of the ratio has 1 in it."""
    _, low, high = ratio_interval(ours, other)
    return "better" if high < 1 else "worse" if low > 1 else "open"


def best_simple(rows: dict[str, list[Any]], index: int) -> str:
    """Return the simple filling with the lowest mean error at that share."""
    known = {name: np.mean(row[index]) for name, row in rows.items() if name != "model" and row[index] is not None}
    return min(known, key=lambda name: known[name])


def against_best(result: dict[str, Any], data: str, pattern: str) -> list[tuple[str, float, str]]:
    """Return at each share the best simple filling, the model's error divided by its, and whether that is better."""
    rows = result["filling"][data][pattern]
    found = []
    for index in range(len(result["missing"])):
        name = best_simple(rows, index)
        pair = rows["model"][index], rows[name][index]
        found.append((name, ratio_interval(*pair)[0], judged(*pair)))
    return found


def verdict(result: dict[str, Any]) -> str:
    """Say of each of the three sentences whether it holds, and where."""
    shares = result["missing"]
    pairs = [(data, pattern) for data, patterns in result["filling"].items() for pattern in patterns]
    cases = [(data, pattern, index) for data, pattern in pairs for index in range(len(shares))]
    return " ".join((_deletion(result, cases), _costs(result, cases), _model(result, pairs)))


def _holds(count: int, total: int) -> str:
    return "holds" if count == total else "does not hold" if count == 0 else "holds under a condition"


def _deletion(result: dict[str, Any], cases: list[tuple[str, str, int]]) -> str:
    """Deletion loses data: how much, and what a forecast trained on the rest is worth.

    It is compared with filling by the last value, which its test sequences get too.
    """
    means = [[float(np.mean(row)) for row in rows]
             for patterns in result["kept"].values() for rows in patterns.values()]
    left = [max(row[index] for row in means) for index in range(len(result["missing"]))]
    kept = ", ".join(
        f"{most:.1%} with {share:.0%} missing" for most, share in zip(left, result["missing"], strict=True)
    )
    lost = all(row[index] < 1 for row in means for index in range(len(row)))
    words = []
    for data, pattern, index in cases:
        rows = result["forecast"][data][pattern]
        deleted, held = (rows.get(name, [None] * (index + 1))[index] for name in ("delete sequences", "last value"))
        if deleted is not None and held is not None:
            words.append(judged(deleted, held))
    return (
        f"Deletion loses data: {'holds' if lost else 'does not hold'}. Of the sequences at most so many are complete: "
        f"{kept}. In {len(cases) - len(words)} of {len(cases)} cases some seed has nothing left to train on; in the "
        f"others a forecast after deleting is worse than after filling with the last value in {words.count('worse')}, "
        f"better in {words.count('better')}."
    )


def _costs(result: dict[str, Any], cases: list[tuple[str, str, int]]) -> str:
    """Filling with the mean costs accuracy: against complete data, and against what knows the neighbours."""
    against: dict[str, list[str]] = {"complete": [], "interpolation": []}
    for data, pattern, index in cases:
        rows = result["forecast"][data][pattern]
        for name, words in against.items():
            if name in rows:
                words.append(judged(rows["mean"][index], rows[name][index]))
    fillings = [judged(result["filling"][data][pattern]["mean"][index],
                       result["filling"][data][pattern]["interpolation"][index]) for data, pattern, index in cases]
    forecasts, lines = against["complete"], against["interpolation"]
    return (
        f"Mean filling costs accuracy: {_holds(forecasts.count('worse'), len(forecasts))}; its forecasts are worse "
        f"than from complete data in {forecasts.count('worse')} of {len(forecasts)} cases. Against interpolation it is "
        f"worse in {fillings.count('worse')} and better in {fillings.count('better')} as a filling, and worse in "
        f"{lines.count('worse')} and better in {lines.count('better')} for the forecast."
    )


def _model(result: dict[str, Any], pairs: list[tuple[str, str]]) -> str:
    """A model can predict them: where its filling is better than the best of the simple ones."""
    found = {f"{data} {pattern}": [word for *_, word in against_best(result, data, pattern)] for data, pattern in pairs}
    words = [word for row in found.values() for word in row]
    each = ", ".join(
        f"{name} {row.count('better')} of {len(row)}" + (f" (worse in {row.count('worse')})" if "worse" in row else "")
        for name, row in found.items()
    )
    better = _holds(words.count("better"), len(words))
    return (
        f"A model predicts missing values better than the best simple filling: {better}, in "
        f"{words.count('better')} of {len(words)} cases, worse in {words.count('worse')} ({each})."
    )
