"""Exercises of notebook 13: attention and translation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..attention import MultiplicativeAttention, attend, masked_softmax
from ..layers import AttentionLayer
from ..metrics import sentence_bleu
from .comparing import unchanged
from .marking import Exercise

# 1: a context by hand

_QUERY = np.log([2.0, 3.0])
_MEMORY = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])


def _weights() -> Array:
    return attend(_dot(2), {}, _QUERY[None], _MEMORY[:, None], _MEMORY[:, None])[1].weights[:, 0]


def _mean(weights: Callable[[Array], Array]) -> Callable[[], Array]:
    """The memory's mean by weights made from the scores."""
    return lambda: weights(_MEMORY @ _QUERY) @ _MEMORY


def _dot(size: int) -> MultiplicativeAttention:
    return MultiplicativeAttention(size, size, "dot")


# 2: the gradient through the softmax

_ALPHA, _DALPHA = np.array([1 / 2, 1 / 3, 1 / 6]), np.array([6.0, -3.0, 12.0])


def _through_softmax() -> Array:
    """Return the package's: with unit vectors as memory the query is the scores and the context the weights."""
    layer, memory = AttentionLayer(_dot(3)), np.eye(3)[:, None]
    cache = layer.forward({}, np.log(_ALPHA)[None, None], memory)[1]
    dqueries, _, _ = layer.backward({}, _DALPHA[None, None], cache)
    de: Array = dqueries[0, 0]
    return de


# 3: a softmax with a mask

_MASKS: list[tuple[Array, Array]] = [
    (np.array([0.7, -0.4, 1.1, 0.2, -1.5]), np.array([True, True, True, False, False])),
    (np.array([0.3, 1.2, 0.6, -0.9]), np.array([True, False, True, True])),
    (np.array([0.3, 1.2, 0.6]), np.array([True, True, True])),
]


_SPECIAL: list[tuple[Array, Array, str]] = [
    (np.array([1000.0, 999.0, 0.0]), np.array([True, True, False]),
     "exp(1000) overflows: subtract the largest score first, which changes no weight."),
    (np.array([0.0, 1.0, 5000.0]), np.array([True, True, False]),
     "With a score of 5000 on padding it fails: the largest score to subtract is that of the real steps alone."),
]


def _prove_mask(function: Callable[[Array, Array], Any]) -> str | None:
    for scores, mask, says in [*((*case, "") for case in _MASKS), *_SPECIAL]:
        found = _called(function, scores, mask)
        if isinstance(found, str):
            return found
        if not np.allclose(found, masked_softmax(scores[:, None], mask[:, None])[:, 0], rtol=0, atol=1e-12):
            return says or _named(found, scores, mask)
    try:
        found = _called(function, np.array([0.5, 0.5]), np.array([False, False]))
    except Exception as error:
        kind = type(error).__name__
        raise AssertionError(f"Where all is padding it raises {kind} ({error}). Every weight should be 0.") from None
    if isinstance(found, str):
        return found
    if not np.isfinite(found).all():
        return "Where all is padding it returns NaN: 0 / 0. With nothing to attend to, every weight should be 0."
    if found.any():
        return "Where all is padding it shares weight out among the padding. Every weight should be 0."
    return None


def _called(function: Callable[[Array, Array], Any], scores: Array, mask: Array) -> Array | str:
    """Call a student's function on copies; return its weights, or what is wrong with their form."""
    given = scores.copy(), mask.copy()
    with np.errstate(all="ignore"):
        found = function(*given)
    unchanged(scores=(given[0], scores), mask=(given[1], mask))
    if found is None:
        return "Your function returned None. Is the return line missing?"
    array = np.asarray(found)
    if array.dtype.kind not in "iuf":
        return "It should return an array of numbers, the weights."
    if array.shape != scores.shape:
        return f"It returns {array.shape} for scores of {scores.shape}: padding keeps its place, with weight 0."
    return array.astype(float)


def _named(found: Array, scores: Array, mask: Array) -> str:
    if not np.isfinite(found).all():
        return "It returns NaN or infinity for ordinary scores."
    plain = np.exp(scores) / np.exp(scores).sum()
    zeroed, inverted = np.exp(scores * mask), np.exp(scores) * ~mask
    typical = {
        "the softmax without the mask: padding gets its share.": plain,
        "the softmax with padding's scores set to 0: e⁰ is 1, not 0.": zeroed / zeroed.sum(),
        "the softmax of all, with padding's weights set to 0 afterwards: the rest no longer sums to 1.": plain * mask,
        "the mask the wrong way round: True is where there is memory.": inverted / (inverted.sum() or 1.0),
        "the exponentials: divide by their sum.": np.exp(scores) * mask,
    }
    for says, wrong in typical.items():
        if np.allclose(found, wrong, rtol=0, atol=1e-10):
            return f"That is {says}"
    if found[~mask].any():
        return "Padding should weigh exactly 0."
    if abs(found.sum() - 1) > 1e-9:
        return f"The weights sum to {found.sum():.4g}, not to 1."
    return "Padding weighs 0 and the weights sum to 1, but they are not the softmax of the others."


def _softmax(scores: Array) -> Array:
    exponentials = np.exp(scores - scores.max())
    weights: Array = exponentials / exponentials.sum()
    return weights


def _in_place(scores: Array, mask: Array) -> Array:
    scores[~mask] = -np.inf
    return _softmax(scores)


def _no_shift(scores: Array, mask: Array) -> Array:
    exponentials: Array = np.exp(np.where(mask, scores, -np.inf))
    return exponentials / (exponentials.sum() or 1.0)


def _shift_by_all(scores: Array, mask: Array) -> Array:
    exponentials: Array = np.exp(scores - scores.max()) * mask
    return exponentials / (exponentials.sum() or 1.0)


# 4: the backward of attention


def _backward_point() -> tuple[Array, Array, Array, Array]:
    """dc, q, memory and weights of one sequence, four steps of three numbers."""
    rng = np.random.default_rng(13)
    dc, q, memory = rng.standard_normal(3), rng.standard_normal(3), rng.standard_normal((4, 3))
    return dc, q, memory, attend(_dot(3), {}, q[None], memory[:, None], memory[:, None])[1].weights[:, 0]


def _run_backward(function: Callable[..., Any]) -> Any:
    point = _backward_point()
    given = tuple(array.copy() for array in point)
    found = function(*given)
    unchanged(**{n: (after, was) for n, after, was in zip(("dc", "q", "m", "alpha"), given, point, strict=True)})
    return found


def _package_backward() -> tuple[Array, Array]:
    dc, q, memory, _ = _backward_point()
    layer = AttentionLayer(_dot(3))
    cache = layer.forward({}, q[None, None], memory[:, None])[1]
    dqueries, dmemory, _ = layer.backward({}, dc[None, None], cache)
    return dqueries[0, 0], dmemory[:, 0]


def _backward(mistake: str) -> Callable[[], tuple[Array, Array]]:
    def gradients() -> tuple[Array, Array]:
        dc, q, memory, alpha = _backward_point()
        dalpha = memory @ dc
        de = {
            "diagonal": alpha * (1 - alpha) * dalpha, "no softmax": dalpha, "no mean": alpha * dalpha,
            "plain mean": alpha * (dalpha - dalpha.mean()), "sign": alpha * (alpha @ dalpha - dalpha),
        }.get(mistake, alpha * (dalpha - alpha @ dalpha))
        value, key = np.outer(alpha, dc), np.outer(de, q)
        ways = {"value": value, "key": key, "exchanged": np.outer(alpha, q) + np.outer(de, dc)}
        return (alpha if mistake == "context" else de) @ memory, ways.get(mistake, value + key)

    return gradients


# 5: a BLEU by hand

_HYPOTHESIS, _REFERENCE = "the cat is on the the", "the cat is on the mat today"


def _bleu(matches: tuple[float, ...], totals: tuple[float, ...], penalty: float) -> float:
    return 100 * penalty * math.prod(m / n for m, n in zip(matches, totals, strict=True)) ** (1 / len(totals))


_MATCHES, _TOTALS, _PENALTY = (5, 4, 3, 2), (6, 5, 4, 3), math.exp(1 - 7 / 6)

EXERCISES: dict[str, Exercise] = {
    "13-context": Exercise(
        title="a context by hand",
        expected=lambda: _weights() @ _MEMORY,
        wrong={
            "the plain mean of the memory: the weights should follow the scores.":
                _mean(lambda e: np.full_like(e, 1 / 4)),
            "the mean by the raw scores: they go through exp first.": _mean(lambda e: e / e.sum()),
            "the sum without the division: the weights must sum to 1.": _mean(np.exp),
            "the memory with the largest score alone: a softmax leaves a share to each.": _mean(lambda e: e == e.max()),
            "the mean by powers of 2: exp has the base e, and e to ln 6 is 6.": _mean(lambda e: 2**e / (2**e).sum()),
            "right, with the two numbers exchanged.": lambda: (_weights() @ _MEMORY)[::-1],
            "the four weights: the context is the memory's mean by them.": _weights,
            "the scores: they have yet to become weights.": lambda: _MEMORY @ _QUERY,
        },
        hint="The scores are ln 3, ln 2, ln 6 and 0.",
    ),
    "13-softmax": Exercise(
        title="the gradient through the softmax",
        expected=_through_softmax,
        wrong={
            "α(1 − α) dα, the diagonal of the Jacobian alone: a score also moves the other weights.":
                _ALPHA * (1 - _ALPHA) * _DALPHA,
            "α dα: the weighted mean of the dα has yet to be subtracted.": _ALPHA * _DALPHA,
            "with the plain mean: the mean is weighted by α.": _ALPHA * (_DALPHA - _DALPHA.mean()),
            "with the sum of the dα in place of their weighted mean.": _ALPHA * (_DALPHA - _DALPHA.sum()),
            "dα minus the weighted mean: each difference has yet to be multiplied by its α.":
                _DALPHA - _ALPHA @ _DALPHA,
            "right, with the sign reversed.": _ALPHA * (_ALPHA @ _DALPHA - _DALPHA),
        },
        hint="First the weighted mean of the dα: 3 − 1 + 2. The three results sum to 0.",
    ),
    "13-mask": Exercise(
        title="a softmax with a mask",
        points=2,
        prove=_prove_mask,
        wrong={
            "the softmax without the mask: padding gets its share.": lambda scores, mask: _softmax(scores),  # noqa: ARG005
            "the softmax with padding's scores set to 0: e⁰ is 1, not 0.": lambda scores, mask: _softmax(scores * mask),
            "the softmax of all, with padding's weights set to 0 afterwards: the rest no longer sums to 1.":
                lambda scores, mask: _softmax(scores) * mask,
            "the mask the wrong way round: True is where there is memory.":
                lambda scores, mask: masked_softmax(scores[:, None], ~mask[:, None])[:, 0],
            "the exponentials: divide by their sum.": lambda scores, mask: np.exp(scores) * mask,
            "padding keeps its place, with weight 0": lambda scores, mask: _softmax(scores[mask]),
            "changed scores": _in_place,
            "exp(1000) overflows": _no_shift,
            "With a score of 5000 on padding it fails": _shift_by_all,
            "Where all is padding it raises ValueError":
                lambda scores, mask: _softmax(np.where(mask, scores - scores[mask].max(), -np.inf)),
            "Where all is padding it returns NaN": lambda scores, mask: _softmax(np.where(mask, scores, -np.inf)),
            "Where all is padding it shares weight out": lambda scores, mask: _softmax(np.where(mask, scores, -1e9)),
        },
    ),
    "13-backward": Exercise(
        title="the backward of attention",
        points=3,
        run=_run_backward,
        expected=_package_backward,
        tolerance=1e-10,
        wrong={
            "right for dq, with dm as a value alone: each memory is a key too, which adds de_s q.": _backward("value"),
            "right for dq, with dm as a key alone: each memory is a value too, which adds α_s dc.": _backward("key"),
            "right for dq, with q and dc exchanged in dm: the value way is α_s dc, the key way de_s q.":
                _backward("exchanged"),
            "de as α(1 − α) dα: the Jacobian's entries off the diagonal are missing.": _backward("diagonal"),
            "dα in place of de: the softmax is skipped.": _backward("no softmax"),
            "de as α dα: the weighted mean has yet to be subtracted.": _backward("no mean"),
            "de with the plain mean of the dα: weight it by α.": _backward("plain mean"),
            "de with its sign reversed.": _backward("sign"),
            "the context in place of dq: sum the keys with de, not with α.": _backward("context"),
        },
        hint="dα, then de, then q and the two ways of the memory.",
    ),
    "13-bleu": Exercise(
        title="a BLEU score by hand",
        points=2,
        expected=lambda: sentence_bleu(_HYPOTHESIS, [_REFERENCE]).score,
        wrong={
            "without clipping: the reference has only two “the”, so the third does not count.":
                _bleu((6, 4, 3, 2), _TOTALS, _PENALTY),
            "without the brevity penalty: six words are fewer than seven.": _bleu(_MATCHES, _TOTALS, 1.0),
            "with the brevity penalty the wrong way round: it is exp(1 − r/c), r of the reference.":
                _bleu(_MATCHES, _TOTALS, math.exp(1 - 6 / 7)),
            "with c/r as the brevity penalty: it is exp(1 − r/c).": _bleu(_MATCHES, _TOTALS, 6 / 7),
            "with the arithmetic mean of the four precisions: BLEU takes the geometric one.":
                25 * _PENALTY * (5 / 6 + 4 / 5 + 3 / 4 + 2 / 3),
            "with the product of the precisions: its fourth root is missing.": 100 * _PENALTY / 3,
            "of the words alone (BLEU-1): the mean runs over n-grams of one to four words.": 100 * _PENALTY * 5 / 6,
            "right as a share: BLEU is given from 0 to 100.": _bleu(_MATCHES, _TOTALS, _PENALTY) / 100,
            "hypothesis and reference exchanged: precision divides by the hypothesis's n-grams.":
                _bleu((5, 4, 3, 2), (7, 6, 5, 4), 1.0),
            "with counts of matches over the reference's n-grams: divide by the hypothesis's.":
                _bleu((5, 4, 3, 2), (7, 6, 5, 4), _PENALTY),
        },
        hint="The four precisions are fractions whose product is 1/3.",
    ),
}
