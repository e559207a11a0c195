r"""Metrics of text: perplexity, bits per character, exact match, BLEU (article §5 Q5: "BLEU for translation").

A sentence is a str or its tokens (words or indices, `sequences.py`). BLEU follows sacreBLEU's conventions, so that a
score can be compared with published ones: 0 … 100, closest reference length, its smoothings and its tokenisations.

Source: Papineni, Roukos, Ward & Zhu (2002); Post (2018); Chen & Cherry (2014) for smoothing; notebook 13;
tests/metrics/test_text.py, against values from sacreBLEU (tests/reference/make_bleu.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import validate
from ..arrays import Array
from .bleu import BLEU, match, score
from .sequences import TOKENIZERS, Sentence, Tokens, list_of, same_kind, sequence

_LARGEST = math.log(math.nextafter(math.inf, 0.0))  # 709.78: exp of more is beyond float64
_SMOOTHINGS: dict[str, float | None] = {"exp": None, "floor": 0.1, "add-k": 1.0, "none": None}
_STREAMS = "sacreBLEU's layout, one list of all sentences for each annotator, is turned by list(zip(*streams))."
_WRAP = "Each hypothesis has a list of references, even of one: try [[reference], …]."


def perplexity(cross_entropy: float) -> float:
    r"""Return exp(L): among how many equally likely choices the model is left guessing.

    .. math:: \mathrm{PPL} = e^{L} = \prod_i p_i^{-1/n}, \qquad L = -\frac{1}{n} \sum_i \ln p_i

    Parameters
    ----------
    cross_entropy : float
        L, the *mean* in nats: what `losses.softmax_cross_entropy` returns. A uniform guess among K has L = ln K and
        perplexity K. Means of batches of unequal size are joined with their counts: Σ nᵢ Lᵢ / Σ nᵢ.

    Raises
    ------
    ArgumentError
        If L is no finite number of at least 0, or so large (above 709.78) that exp(L) is beyond float64.

    Source: Jelinek, Mercer, Bahl & Baker (1977); notebook 18; tests/metrics/test_text.py.
    """
    cross_entropy = _mean_nats("perplexity", cross_entropy)
    if cross_entropy > _LARGEST:
        validate.fail(
            "perplexity", f"cross_entropy is {cross_entropy}", f"at most {_LARGEST:.2f}",
            "exp of more is beyond float64", "Is it a sum? The mean belongs here. bits_per_character has no such end.",
        )
    return math.exp(cross_entropy)


def bits_per_character(cross_entropy: float) -> float:
    r"""Return L / ln 2: the mean cross-entropy in bits; 2 to this power is the perplexity.

    Per character where the targets are characters; otherwise per token, whatever a token is.

    Raises
    ------
    ArgumentError
        If L is no finite number of at least 0.

    Source: Shannon (1951) for the entropy of a letter; notebook 18; tests/metrics/test_text.py.
    """
    return _mean_nats("bits_per_character", cross_entropy) / math.log(2.0)


def _mean_nats(where: str, value: Any) -> float:
    because = "it is a mean of −ln p with p ≤ 1"
    hint = "Pass the loss itself: softmax_cross_entropy(logits, targets)[0]."
    return validate.number(where, "cross_entropy", value, at_least=0.0, because=because, hint=hint)


def exact_match(hypotheses: Sequence[Sentence] | Array, references: Sequence[Sentence] | Array) -> float:
    """Return the share, 0 … 1, of hypotheses identical to their reference, from the first token to the last.

    Parameters
    ----------
    hypotheses, references : one sequence each, in the same order
        str, or tokens (words or indices); (N, T) arrays of indices too. One reference each, not a list of them. A
        str is compared as it is, capitals and spaces included; padding is not removed: cut it off first.

    Raises
    ------
    ShapeError, DtypeError
        No sequences, not equally many, or kinds that cannot match: text beside tokens, words beside indices.

    Source: notebook 13; tests/metrics/test_text.py.
    """
    where = "exact_match"
    found = _sentences(where, "hypotheses", hypotheses, "Even one sequence goes in as a list: [hypothesis].")
    wanted = _sentences(where, "references", references, "Each hypothesis has one reference here, not a list of them.")
    _as_many(where, found, wanted, "each hypothesis has one reference")
    same_kind(where, [*_named("hypotheses", found), *_named("references", wanted)])
    return sum(one == other for one, other in zip(found, wanted, strict=True)) / len(found)


def corpus_bleu(
    hypotheses: Sequence[Sentence] | Array, references: Sequence[Sequence[Sentence] | Array] | Array, *,
    max_order: int = 4, smoothing: str = "exp", smoothing_value: float | None = None, tokenize: str | None = None,
    effective_order: bool = False,
) -> BLEU:
    r"""Return the BLEU score of a corpus (article §5 Q5): counts are summed over all sentences, then divided.

    .. math:: p_n = \frac{\sum_s \sum_{g} \min(\mathrm{count}_s(g), \max_j \mathrm{count}_{s,j}(g))}
              {\sum_s \sum_{g} \mathrm{count}_s(g)}, \qquad
              \mathrm{BP} = \begin{cases} 1 & c \ge r \\ e^{1 - r/c} & c < r \end{cases}, \qquad
              \mathrm{BLEU} = 100 \cdot \mathrm{BP} \cdot \exp\Bigl(\tfrac14 \sum_{n=1}^{4} \ln p_n\Bigr)

    g runs over the n-grams of hypothesis s; each counts at most as often as in *one* of its references j (clipping).
    c is the number of tokens in all hypotheses; r sums, for each, the length of the reference closest in length, the
    shorter of two equally close. So it is not the mean of sentence scores.

    Parameters
    ----------
    hypotheses : one sentence each
        str, or tokens: lists of words, lists or arrays of indices. Padding is not removed: cut it off first.
    references : for each hypothesis a *list* of its references
        references[s][j] is the j-th reference of hypothesis s; how many may differ from one to the next. sacreBLEU
        has it the other way round, streams[j][s], with None where one is missing: `list(zip(*streams))`, without the
        None. As many streams as sentences would go unnoticed.
    max_order : int
        Longest n-gram. 4 is BLEU; 1, 2 and 3 are reported as BLEU-1, BLEU-2 and BLEU-3.
    smoothing : "exp", "floor", "add-k" or "none"
        What to do with an order without a match, whose ln p would be −∞ and the score 0. "exp": the k-th such order
        counts 1/2ᵏ matches (NIST; Chen & Cherry's 3). "floor": it counts `smoothing_value` matches (0.1; their 1).
        "add-k": `smoothing_value` (1) is added to matches and n-grams of *every* order from 2 on (their 2), so an
        order longer than all hypotheses gets k/k = 100 %. No match at all scores 0 under each.
    smoothing_value : float, optional
        For "floor", above 0 and below 1; for "add-k", above 0.
    tokenize : "13a", "none" or "char", optional
        How a str becomes tokens: by mteval-v13a's rules (the default, see `tokenize_13a`), at white space, or each
        character (Chinese). Tokens are taken as they are. Letters keep their case: for "lc", pass text.lower().
    effective_order : bool
        Leave out the orders that no hypothesis is long enough for (but "add-k" adds to those too). Without it a
        corpus of sentences under four tokens scores 0, even against itself.

    Raises
    ------
    ShapeError
        No hypotheses, a hypothesis without a reference, not one list of references for each hypothesis.
    DtypeError
        A str where a list was meant; tokens that are no str or int; text beside tokens, words beside indices.
    ArgumentError
        An unknown or contradictory choice.

    Source: Papineni et al. (2002), §2.1.1 (p_n) and §2.3 (BP, BLEU); Post (2018); notebook 13;
    tests/metrics/test_text.py.
    """
    where = "corpus_bleu"
    hint = "For one sentence there is sentence_bleu(hypothesis, references)."
    found = _sentences(where, "hypotheses", hypotheses, hint)
    because = "each hypothesis has a list of its own"
    expected = "one list of references for each hypothesis"
    listed = list_of(where, "references", references, expected, because, f"{_WRAP} {_STREAMS}")
    _as_many(where, found, listed, because, _STREAMS)
    wanted = [_sentences(where, f"references[{s}]", own, _WRAP) for s, own in enumerate(listed)]
    named = _named("hypotheses", found)
    named += [pair for s, own in enumerate(wanted) for pair in _named(f"references[{s}]", own)]
    return _bleu(where, found, wanted, named, max_order, smoothing, smoothing_value, tokenize, effective_order)


def sentence_bleu(
    hypothesis: Sentence, references: Sequence[Sentence] | Array, *, max_order: int = 4, smoothing: str = "exp",
    smoothing_value: float | None = None, tokenize: str | None = None, effective_order: bool = True,
) -> BLEU:
    """Return the BLEU score of one sentence against a list of references.

    As `corpus_bleu` with one hypothesis, but with effective order, as in sacreBLEU: a sentence of two tokens is judged
    by words and pairs. BLEU was made for corpora; of one sentence it depends much on the smoothing.

    Parameters
    ----------
    hypothesis : sentence
        A str, or its tokens.
    references : list of sentences
        At least one; even one is a list: [reference].
    max_order, smoothing, smoothing_value, tokenize, effective_order
        See `corpus_bleu`.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `corpus_bleu`.

    Source: Post (2018); Chen & Cherry (2014); notebook 13; tests/metrics/test_text.py.
    """
    where = "sentence_bleu"
    found = sequence(where, "hypothesis", hypothesis)
    wanted = _sentences(where, "references", references, "Even one reference is a list: try [reference].")
    named = [("hypothesis", found), *_named("references", wanted)]
    return _bleu(where, [found], [wanted], named, max_order, smoothing, smoothing_value, tokenize, effective_order)


def _sentences(where: str, name: str, value: Any, hint: str) -> list[str | Tokens]:
    """Return a list of sentences, at least one."""
    because = "a str would be read letter by letter" if isinstance(value, str) else ""
    listed = list_of(where, name, value, "a list of sentences", because, hint)
    if not listed:
        validate.fail(
            where, f"{name} is empty", "at least one sentence", "there is nothing to compare", error=validate.ShapeError
        )
    return [sequence(where, f"{name}[{index}]", one, hint) for index, one in enumerate(listed)]


def _named(name: str, sentences: list[str | Tokens]) -> list[tuple[str, str | Tokens]]:
    return [(f"{name}[{index}]", one) for index, one in enumerate(sentences)]


def _as_many(where: str, hypotheses: list[Any], references: list[Any], because: str, hint: str = "") -> None:
    if len(hypotheses) != len(references):
        got, expected = f"references has {len(references)} entries", f"{len(hypotheses)}, as many as hypotheses"
        validate.fail(where, got, expected, because, hint, validate.ShapeError)


def _bleu(
    where: str, hypotheses: list[str | Tokens], references: list[list[str | Tokens]],
    named: list[tuple[str, str | Tokens]], max_order: int, smoothing: str, value: float | None, tokenize: str | None,
    effective_order: bool,
) -> BLEU:
    """Check the choices, then tokenise, count and score."""
    max_order = validate.size(where, "max_order", max_order, "it is the length of the longest n-gram")
    validate.option(where, "effective_order", effective_order, [True, False])
    value = _smoothing_value(where, smoothing, value)
    validate.option(where, "tokenize", tokenize, [*TOKENIZERS, None])
    text = same_kind(where, named, _WRAP if where == "corpus_bleu" else "Is a list missing around the reference?")
    if not text and tokenize not in (None, "none"):
        validate.fail(
            where, f"tokenize is {tokenize!r} and {named[0][0]} a list of tokens", "text to tokenise",
            "tokens are taken as they are", "Leave tokenize out, or pass the text.",
        )
    split = TOKENIZERS[tokenize or "13a"]
    pairs = []
    for hypothesis, own in zip(hypotheses, references, strict=True):
        tokens, *others = (split(one) if isinstance(one, str) else one for one in (hypothesis, *own))
        pairs.append((tokens, others))
    return score(match(pairs, max_order), smoothing, value, effective_order)


def _smoothing_value(where: str, smoothing: str, value: float | None) -> float:
    """Return the number a smoothing needs, its default or the caller's (0 where it needs none)."""
    validate.option(where, "smoothing", smoothing, _SMOOTHINGS)
    default = _SMOOTHINGS[smoothing]
    if value is None:
        return default or 0.0
    if default is None:
        got, expected = f"smoothing_value is {value!r}", f"None with smoothing={smoothing!r}"
        validate.fail(where, got, expected, "it has no number", "Did you mean smoothing='floor' or 'add-k'?")
    below, because = 1.0, "it stands for less than one match"
    if smoothing == "add-k":
        below, because = 1e6, "a larger one would swallow the counts it is added to"
    return validate.number(where, "smoothing_value", value, above=0.0, below=below, because=because)
