"""Using an encoder–decoder: greedy decoding and beam search."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params, State
from .encoder import token_array
from .encoder_decoder import EncoderDecoder


class Hypothesis(NamedTuple):
    """One written sequence."""

    tokens: list[int]  # without start and end
    log_probability: float  # Σ log p of its tokens, the end's among them
    finished: bool  # False: max_length came before the end


def greedy(
    model: EncoderDecoder, params: Params, sources: Array, source_mask: Array | None = None, *, max_length: int
) -> list[Hypothesis]:
    """Write the most probable token at every step, for a whole batch at once.

    Parameters
    ----------
    model : EncoderDecoder
        The model.
    params : dict
        Its parameters.
    sources : (S, N) int
        The source tokens.
    source_mask : (S, N) bool, optional
        True where there is a source token.
    max_length : int
        Stop after this many tokens, the end's among them.

    Returns
    -------
    list of N Hypothesis
        Among equal probabilities the lowest token wins.

    Raises
    ------
    ArgumentError
        A max_length below 1; and as `Recurrent.forward`.

    Source: notebook 13; tests/models/test_decoding.py.
    """
    _check("greedy", model, sources, source_mask, max_length)
    decoder, state, _ = model.encode(params, sources, source_mask)
    N = sources.shape[1]
    written: list[list[int]] = [[] for _ in range(N)]
    totals, finished = np.zeros(N), np.zeros(N, bool)
    tokens = np.full(N, model.start)
    for _ in range(max_length):
        log_p, state = _next(model, params, decoder, tokens, state)
        tokens = log_p.argmax(axis=1)
        totals += np.where(finished, 0.0, log_p[np.arange(N), tokens])
        for n in np.flatnonzero(~finished & (tokens != model.end)):
            written[n].append(int(tokens[n]))
        finished |= tokens == model.end
        if finished.all():
            break
    return [
        Hypothesis(line, float(total), bool(done)) for line, total, done in zip(written, totals, finished, strict=True)
    ]


def beam_search(
    model: EncoderDecoder,
    params: Params,
    sources: Array,
    source_mask: Array | None = None,
    *,
    max_length: int,
    beam_width: int = 4,
    length_penalty: float = 0.0,
) -> list[list[Hypothesis]]:
    r"""Keep the `beam_width` best beginnings at every step, for each sequence on its own.

    A finished sequence stays among them as long as nothing better comes, and is remembered when something does: what
    is better now may end worse. With beam_width=1 it is `greedy`; with as many as there are sequences it finds the
    most probable one.

    Parameters
    ----------
    model, params, sources, source_mask, max_length
        As in `greedy`.
    beam_width : int
        How many to keep.
    length_penalty : float
        α ≥ 0: sequences are compared by :math:`\log p / \text{length}^\alpha`, where the length counts the end. With
        0, the probability itself, short ones are favoured; with 1 it is the mean over tokens.

    Returns
    -------
    list of N lists of Hypothesis
        The best first. Those that max_length cut off stand among them.

    Raises
    ------
    ArgumentError
        A max_length or beam_width below 1, a negative length_penalty; and as `Recurrent.forward`.

    Source: Graves (2012), §2.5; Wu et al. (2016), §7, for dividing by a power of the length (theirs is
    ((5 + length)/6)^α); notebook 13; tests/models/test_decoding.py.
    """
    where = "beam_search"
    _check(where, model, sources, source_mask, max_length)
    width = validate.size(where, "beam_width", beam_width)
    length_penalty = validate.number(where, "length_penalty", length_penalty, at_least=0.0)
    found = []
    for n in range(sources.shape[1]):
        mask = None if source_mask is None else source_mask[:, n : n + 1]
        found.append(_beam(model, params, sources[:, n : n + 1], mask, max_length, width, length_penalty))
    return found


def _check(where: str, model: Any, sources: Any, source_mask: Any, max_length: Any) -> None:
    """Refuse what cannot be decoded, before any sequence is cut from the batch."""
    if not isinstance(model, EncoderDecoder):
        validate.fail(where, f"model is {model!r:.60}", "an EncoderDecoder", error=validate.DtypeError)
    sources = token_array(where, "sources", sources)
    validate.mask(where, "source_mask", source_mask, sources.shape)
    validate.size(where, "max_length", max_length)


def _beam(
    model: EncoderDecoder, params: Params, source: Array, mask: Array | None, max_length: int, width: int,
    length_penalty: float,
) -> list[Hypothesis]:
    """Search for one source (S, 1); the beam is the decoder's batch."""
    decoder, state, _ = model.encode(params, source, mask)
    beam, ended = [Hypothesis([], 0.0, False)], []

    def score(hypothesis: Hypothesis) -> float:
        length = len(hypothesis.tokens) + hypothesis.finished
        return float(hypothesis.log_probability * max(length, 1) ** -length_penalty)

    for _ in range(max_length):
        growing = [hypothesis for hypothesis in beam if not hypothesis.finished]
        last = np.array([line.tokens[-1] if line.tokens else model.start for line in growing])
        log_p, after = _next(model, params, _repeated(decoder, len(growing)), last, state)
        # (score, hypothesis, the row of `after` that it goes on from); the finished go on from none
        candidates = [(score(line), line, -1) for line in beam if line.finished]
        for row, line in enumerate(growing):
            for token in np.argsort(-log_p[row], kind="stable")[:width]:
                done = bool(token == model.end)
                tokens = line.tokens if done else [*line.tokens, int(token)]
                longer = Hypothesis(tokens, line.log_probability + float(log_p[row, token]), done)
                candidates.append((score(longer), longer, row))
        candidates.sort(key=lambda candidate: -candidate[0])
        kept = candidates[:width]
        beam = [line for _, line, _ in kept]
        ended += [line for _, line, row in kept if line.finished and row >= 0]
        rows = [row for _, line, row in kept if not line.finished]
        if not rows:
            break
        state = tuple(part[rows] for part in after)
    found = [*ended, *(line for line in beam if not line.finished)]
    return sorted(found, key=score, reverse=True)[:width]


def _next(
    model: EncoderDecoder, params: Params, decoder: Params, tokens: Array, state: State
) -> tuple[Array, State]:
    """Return log p (N, K) of the token after each of `tokens` (N,), and the decoder's new state."""
    _, state, _ = model.writer.forward(decoder, tokens[None], state)
    logits, _ = model.output.forward(params["output"], state[0])
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_p, state


def _repeated(decoder: Params, times: int) -> Params:
    """Return the decoder's parameters with the one sequence's memory (and its mask) once for each line of the beam."""
    recurrent = decoder["recurrent"]
    here = [name for name in ("memory", "memory_mask") if name in recurrent]
    memories = {name: np.repeat(recurrent[name], times, axis=1) for name in here}
    return {**decoder, "recurrent": {**recurrent, **memories}}
