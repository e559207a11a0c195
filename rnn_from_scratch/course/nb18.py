"""Exercises of notebook 18: a language model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array, Params
from ..cells import GRUCell
from ..layers import Recurrent
from ..models import LanguageModel, NGramModel
from .comparing import unchanged
from .marking import Exercise

# 1 and 2: numbers

_P, _Q = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 8]), np.array([1 / 8, 1 / 2, 1 / 4, 1 / 8])
_NATS, _V = 1.25, 98


def _cross(p: Array, q: Array, log: Callable[..., Array] = np.log2) -> float:
    return float(-np.sum(p * log(q)))


# 3: counts

_TEXT, _LETTERS = "hahaha!", "ha!"


def _after_a() -> Array:
    """p(h | a), p(a | a), p(! | a) by the package."""
    model = NGramModel(2, len(_LETTERS))
    counts = model.fit([_LETTERS.index(letter) for letter in _TEXT])
    return model.probabilities(counts, [_LETTERS.index("a")])


def _interpolated(followers: Array, below: Array, kinds: int = 2) -> Array:
    return np.asarray((followers + kinds * below) / (followers.sum() + kinds))


_FOLLOWERS, _SINGLE = np.array([2.0, 0.0, 1.0]), np.array([0.4, 0.4, 0.2])

# 4: temperature


def _tempered(function: Callable[..., Any]) -> list[Any]:
    found = []
    for temperature in (0.5, 1.0, 2.0):
        p = _P.copy()
        found.append(function(p, temperature))
        unchanged(p=(p, _P))
    return found


def _power(p: Array, exponent: float) -> Array:
    return np.asarray(p**exponent / np.sum(p**exponent))


# 5: the carried state

_MODEL = LanguageModel(Recurrent(GRUCell(2, 3)), 5)
_TOKENS = np.array([0, 3, 1, 1, 4, 2, 0, 3, 3, 2, 4, 1, 0])


def _params() -> Params:
    params = _MODEL.init_params(rng=np.random.default_rng(0))
    return {**params, "output": {name: 3.0 * array for name, array in params["output"].items()}}


def _measured(function: Callable[..., Any]) -> list[Any]:
    """What a student's function says for windows that divide twelve targets, and for some that do not."""
    found = []
    for steps in (4, 5, 12):
        tokens = _TOKENS.copy()
        found.append(function(_MODEL, _params(), tokens, steps))
        unchanged(tokens=(tokens, _TOKENS))
    return found


def _text_bits(
    model: LanguageModel, params: Params, tokens: Array, steps: int, *, carry: bool = True, weigh: bool = True,
    scale: float = 1.0 / np.log(2.0), count: int = 0, same: bool = False,
) -> float:
    """Bits of a character in windows; the choices make typical mistakes."""
    state, total, weights = None, 0.0, 0
    for first in range(0, len(tokens) - 1, steps):
        window = tokens[first : first + steps + 1]
        xs, targets = window[:-1, None], window[0 if same else 1 :, None][: len(window) - 1]
        logits, last, _ = model.forward(params, xs, state)
        state = last if carry else None
        weight = len(xs) if weigh else 1
        total += weight * float(model.loss(logits, targets)[0])
        weights += weight
    return total * scale / (weights + count)


def _by(**choices: Any) -> Callable[[], list[Any]]:
    return lambda: _measured(lambda *given: _text_bits(*given, **choices))


EXERCISES: dict[str, Exercise] = {
    "18-entropy": Exercise(
        title="the entropy of a distribution, and what a wrong model pays",
        expected=(_cross(_P, _P), _cross(_P, _Q)),
        wrong={
            "right, in nats: take the logarithm to base 2.": (_cross(_P, _P, np.log), _cross(_P, _Q, np.log)),
            "with the two exchanged: the entropy is what p itself has to pay, the lower one.":
                (_cross(_P, _Q), _cross(_P, _P)),
            "right but for the signs: −log₂ p is a cost, at least 0.": (-_cross(_P, _P), -_cross(_P, _Q)),
            "twice the entropy: in the second, q stands in the logarithm.": (_cross(_P, _P), _cross(_P, _P)),
            "with the weights of q in the second: the letters come with p.": (_cross(_P, _P), _cross(_Q, _P)),
            "two bits for both: four letters cost two bits each only where all are equally likely.": (2.0, 2.0),
            "log₂ 4 for the entropy: four letters cost two bits each only where all are equally likely.":
                (2.0, _cross(_P, _Q)),
            "the difference for the second, what the wrong model pays on top.":
                (_cross(_P, _P), _cross(_P, _Q) - _cross(_P, _P)),
        },
        hint="1/2, 1/4 and 1/8 cost 1, 2 and 3 bits. The first sum weighs them with p; so does the second.",
    ),
    "18-units": Exercise(
        title="bits, perplexity and the uniform guess",
        expected=(_NATS / np.log(2), np.exp(_NATS), np.log2(_V)),
        tolerance=1e-3,
        wrong={
            "with the bits multiplied by ln 2: a nat is more than a bit, so there are more bits.":
                (_NATS * np.log(2), np.exp(_NATS), np.log2(_V)),
            "with 2 to the power of the nats as perplexity: e to the nats, or 2 to the bits.":
                (_NATS / np.log(2), 2.0**_NATS, np.log2(_V)),
            "with e to the power of the bits as perplexity: e to the nats, or 2 to the bits.":
                (_NATS / np.log(2), np.exp(_NATS / np.log(2)), np.log2(_V)),
            "with ln 98 for the guess: that is in nats.": (_NATS / np.log(2), np.exp(_NATS), np.log(_V)),
            "with 98 for the guess: that is its perplexity.": (_NATS / np.log(2), np.exp(_NATS), float(_V)),
            "with 1/98 for the guess: that is the probability of each.": (_NATS / np.log(2), np.exp(_NATS), 1 / _V),
            "with the nats as bits: a nat is 1.4427 bits.": (_NATS, np.exp(_NATS), np.log2(_V)),
            "with 94, the characters that come: the model guesses among all 98.":
                (_NATS / np.log(2), np.exp(_NATS), np.log2(94)),
        },
        hint="One bit is ln 2 nats. A guess among V has p = 1/V each time.",
    ),
    "18-ngram": Exercise(
        title="a bigram by hand",
        points=2,
        expected=_after_a,
        wrong={
            "the plain shares, without what is left for unseen letters.": _FOLLOWERS / 3,
            "one added to each count: Witten and Bell add as much as there are kinds.": (_FOLLOWERS + 1) / 6,
            "the distribution of single letters: a was seen before, three times.": _SINGLE,
            "right but for the kinds: after a there were two, not three.":
                lambda: _interpolated(_FOLLOWERS, _SINGLE, 3),
            "with plain shares for single letters: they are mixed too, with 1/3 each.":
                lambda: _interpolated(_FOLLOWERS, np.array([3.0, 3.0, 1.0]) / 7),
            "mixed with 1/3 each at once: between them stand the single letters.":
                lambda: _interpolated(_FOLLOWERS, np.full(3, 1 / 3)),
            "what follows h: the question is what follows a.":
                lambda: _interpolated(np.array([0.0, 3.0, 0.0]), _SINGLE, 1),
            "right, in another order: h, a, !.": lambda: _after_a()[[0, 2, 1]],
        },
        hint="After a came h, h and !: three letters of two kinds. Single letters: (c + 3 · 1/3) / (7 + 3).",
    ),
    "18-temperature": Exercise(
        title="a distribution at a temperature",
        points=2,
        run=_tempered,
        expected=lambda: _tempered(lambda p, temperature: _power(p, 1 / temperature)),
        tolerance=1e-10,
        wrong={
            "p to the power of the temperature: it divides the logits, so it is 1/τ.":
                lambda: _tempered(lambda p, temperature: _power(p, temperature)),
            "not divided by its sum: at τ = 0.5 it does not sum to 1.":
                lambda: _tempered(lambda p, temperature: p ** (1 / temperature)),
            "a softmax of p / τ: the logits are ln p, not p.":
                lambda: _tempered(lambda p, temperature: _power(np.exp(p), 1 / temperature)),
            "p itself: the temperature was not used.": lambda: _tempered(lambda p, _: np.array(p)),
            "the logits ln p / τ: a softmax makes probabilities of them.":
                lambda: _tempered(lambda p, temperature: np.log(p) / temperature),
            "divided by the largest in place of the sum.":
                lambda: _tempered(lambda p, temperature: (p / p.max()) ** (1 / temperature)),
            "p / τ: the logits are divided, not the probabilities.":
                lambda: _tempered(lambda p, temperature: p / temperature),
        },
        hint="At τ = 0.5 the first letter has (1/4) / (11/32) = 8/11. (Tried with τ = 0.5, 1 and 2.)",
    ),
    "18-carry": Exercise(
        title="a text measured in windows",
        points=3,
        run=_measured,
        expected=_by(),
        tolerance=1e-9,
        wrong={
            "with the initial state in every window: give forward the final state of the one before.": _by(carry=False),
            "the plain mean of the windows: the last one may be shorter.": _by(weigh=False),
            "right, in nats: divide by ln 2.": _by(scale=1.0),
            "right but for ln 2: nats are divided by it.": _by(scale=np.log(2.0)),
            "divided by all tokens: the first one is no target.": _by(count=1),
            "the bits of each token given itself: targets are one step on.": _by(same=True),
            "both at once, the initial state in every window and nats.": _by(carry=False, scale=1.0),
        },
        hint="Twelve targets: windows of 5 leave one of 2. (Tried with steps = 4, 5 and 12.)",
    ),
}
