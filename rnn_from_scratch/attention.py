r"""Attention: scores of a query against a memory, their softmax, and the weighted mean. Backward by hand.

.. math:: \alpha_{s} = \frac{\exp e_{s}}{\sum_{s'} \exp e_{s'}}, \qquad c = \sum_s \alpha_s m_s

A query q is one vector a sequence, (N, Q), or one at each of T steps, (T, N, Q). The memory m has S steps,
(S, N, M): an encoder's outputs. What is compared with the query are its *keys*, made from it once, not at every step.
Where `mask` (S, N) is False the weight is exactly 0; a sequence whose memory is all padding has the context 0.

The scores e differ: `AdditiveAttention` (Bahdanau et al. 2015) and `MultiplicativeAttention` (Luong et al. 2015).

Source: article §5 Q4, E-ATT; Bahdanau et al. (2015), eqs 5, 6; Luong et al. (2015), eq. 7 and the scores below it;
notebook 13; tests/test_attention.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from . import initializers, validate
from .activations import tanh_derivative
from .arrays import Array, Params


class AttentionCache(NamedTuple):
    """What the backward needs of one query, or of T stacked on a first axis."""

    query: Array  # (..., N, Q)
    keys: Array  # (S, N, ·)
    weights: Array  # (..., S, N), the attention map
    hidden: Array | None  # (..., S, N, A), the additive score's hidden layer


class AttentionDelta(NamedTuple):
    """What the sums over time need of the backward of one query, or of T stacked on a first axis."""

    dcontext: Array  # (..., N, M)
    dscores: Array  # (..., S, N)


class Attention(Protocol):
    """A way to score. Sizes: Q of the query, M of the memory."""

    @property
    def query_size(self) -> int:
        """Q."""

    @property
    def memory_size(self) -> int:
        """M."""

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of every parameter by name."""

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return new parameters."""

    def project_memory(self, params: Params, memory: Array) -> Array:
        """Return the keys: what does not wait for the query, (S, N, M) to (S, N, ·)."""

    def score(self, params: Params, query: Array, keys: Array) -> tuple[Array, Array | None]:
        """Return the scores (..., S, N), and a hidden layer if there is one."""

    def query_grad(self, params: Params, dscores: Array, cache: AttentionCache) -> Array:
        """Take ∂L/∂scores to ∂L/∂query (..., N, Q)."""

    def param_grads(
        self, params: Params, memory: Array, cache: AttentionCache, delta: AttentionDelta
    ) -> tuple[Array, Params]:
        """Return ∂L/∂memory through the keys, and the gradients by name; cache and delta hold T queries, stacked."""


@dataclass(frozen=True)
class AdditiveAttention:
    r"""Additive scores: a small network with one hidden layer of A units.

    .. math:: e_s = v^\top \tanh(q W_q + m_s W_m)

    Source: Bahdanau, Cho & Bengio (2015), appendix A.1.2 (there W_q is W_a, W_m is U_a, v is v_a).
    """

    query_size: int
    memory_size: int
    attention_size: int

    def __post_init__(self) -> None:
        validate.sizes("AdditiveAttention", self, "query_size", "memory_size", "attention_size")

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_q": (Q, A), "W_m": (M, A), "v": (A,)}."""
        A = self.attention_size
        return {"W_q": (self.query_size, A), "W_m": (self.memory_size, A), "v": (A,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return Glorot uniform W_q, W_m and v (as a matrix to one output)."""
        shapes = self.param_shapes()
        return {
            "W_q": initializers.glorot_uniform(shapes["W_q"], rng=rng, dtype=dtype),
            "W_m": initializers.glorot_uniform(shapes["W_m"], rng=rng, dtype=dtype),
            "v": initializers.glorot_uniform((self.attention_size, 1), rng=rng, dtype=dtype)[:, 0],
        }

    def project_memory(self, params: Params, memory: Array) -> Array:
        """Return m W_m for the whole memory: (S, N, M) to (S, N, A)."""
        keys: Array = memory @ params["W_m"]
        return keys

    def score(self, params: Params, query: Array, keys: Array) -> tuple[Array, Array]:
        """Return e (..., S, N), and the hidden layer tanh(…) (..., S, N, A)."""
        hidden = np.tanh((query @ params["W_q"])[..., None, :, :] + keys)
        scores: Array = hidden @ params["v"]
        return scores, hidden

    def _hidden_grad(self, params: Params, dscores: Array, cache: AttentionCache) -> Array:
        """Take ∂L/∂e to ∂L/∂(q W_q + m W_m): (..., S, N) to (..., S, N, A)."""
        assert cache.hidden is not None
        delta: Array = dscores[..., None] * params["v"] * tanh_derivative(cache.hidden)
        return delta

    def query_grad(self, params: Params, dscores: Array, cache: AttentionCache) -> Array:
        """Sum over the memory, which every step of it shares, then through W_q."""
        delta = self._hidden_grad(params, dscores, cache)  # (..., S, N, A)
        dquery: Array = delta.sum(axis=-3) @ params["W_q"].T  # (..., N, Q)
        return dquery

    def param_grads(
        self, params: Params, memory: Array, cache: AttentionCache, delta: AttentionDelta
    ) -> tuple[Array, Params]:
        """Sum over T queries: every product's gradient is input × delta."""
        A = self.attention_size
        assert cache.hidden is not None
        hidden_delta = self._hidden_grad(params, delta.dscores, cache)  # (T, S, N, A)
        dqueries = hidden_delta.sum(axis=1)  # (T, N, A), summed over the memory
        dkeys = hidden_delta.sum(axis=0)  # (S, N, A), summed over the queries
        grads = {
            "W_q": cache.query.reshape(-1, self.query_size).T @ dqueries.reshape(-1, A),  # (Q, A)
            "W_m": memory.reshape(-1, self.memory_size).T @ dkeys.reshape(-1, A),  # (M, A)
            "v": delta.dscores.reshape(-1) @ cache.hidden.reshape(-1, A),  # (A,)
        }
        dmemory: Array = dkeys @ params["W_m"].T  # (S, N, M)
        return dmemory, grads


@dataclass(frozen=True)
class MultiplicativeAttention:
    r"""Multiplicative scores, "general" or "dot".

    .. math:: e_s = q^\top W_m^\top m_s \quad\text{(general)}, \qquad e_s = q^\top m_s \quad\text{(dot)}

    "dot" has no parameters and needs Q = M. Luong's third, "concat", is the additive score.

    Source: Luong, Pham & Manning (2015), §3.1, the scores below eq. 7 (there W_m is W_a transposed).
    """

    query_size: int
    memory_size: int
    score_type: str = "general"

    def __post_init__(self) -> None:
        validate.sizes("MultiplicativeAttention", self, "query_size", "memory_size")
        validate.option("MultiplicativeAttention", "score_type", self.score_type, ("general", "dot"))
        if self.score_type == "dot" and self.query_size != self.memory_size:
            validate.fail(
                "MultiplicativeAttention", f"query_size={self.query_size} with memory_size={self.memory_size}",
                'equal sizes for score_type="dot"', "a dot product needs two vectors of one length",
                'score_type="general" puts a matrix between them.',
            )

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_m": (M, Q)}, or {} for "dot"."""
        return {"W_m": (self.memory_size, self.query_size)} if self.score_type == "general" else {}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return Glorot uniform W_m."""
        validate.generator("MultiplicativeAttention.init_params", rng)
        return {
            name: initializers.glorot_uniform(shape, rng=rng, dtype=dtype)
            for name, shape in self.param_shapes().items()
        }

    def project_memory(self, params: Params, memory: Array) -> Array:
        """Return m W_m for the whole memory, (S, N, M) to (S, N, Q); for "dot" the memory itself."""
        keys: Array = memory @ params["W_m"] if self.score_type == "general" else memory
        return keys

    def score(self, params: Params, query: Array, keys: Array) -> tuple[Array, None]:
        """Return e (..., S, N); there is no hidden layer."""
        scores: Array = (query[..., None, :, :] * keys).sum(axis=-1)
        return scores, None

    def query_grad(self, params: Params, dscores: Array, cache: AttentionCache) -> Array:
        """Since e = q·k, dq = Σ_s de_s k_s."""
        dquery: Array = (dscores[..., None] * cache.keys).sum(axis=-3)  # (..., N, Q)
        return dquery

    def param_grads(
        self, params: Params, memory: Array, cache: AttentionCache, delta: AttentionDelta
    ) -> tuple[Array, Params]:
        """Since e = q·k, dk = Σ_t de_t q_t; then through k = m W_m."""
        dkeys = np.einsum("tsn,tnq->snq", delta.dscores, cache.query)  # (S, N, Q)
        if self.score_type == "dot":
            return dkeys, {}
        grads = {"W_m": memory.reshape(-1, self.memory_size).T @ dkeys.reshape(-1, self.query_size)}  # (M, Q)
        dmemory: Array = dkeys @ params["W_m"].T  # (S, N, M)
        return dmemory, grads


def masked_softmax(scores: Array, mask: Array | None = None) -> Array:
    """Return the softmax over S (the last axis but one) of scores (..., S, N); exactly 0 where mask (S, N) is False."""
    if mask is None:
        mask = np.ones(scores.shape[-2:], bool)
    largest = np.where(mask, scores.real, -np.inf).max(axis=-2, keepdims=True)
    shift = np.where(np.isfinite(largest), largest, 0.0).astype(scores.real.dtype)  # nothing to attend to: no shift
    zero = np.zeros((), scores.dtype)
    exponentials = np.where(mask, np.exp(np.where(mask, scores - shift, zero)), zero)
    total = exponentials.sum(axis=-2, keepdims=True)
    weights: Array = exponentials / np.where(total == 0, np.ones((), scores.dtype), total)
    return weights


def attend(
    attention: Attention, params: Params, query: Array, keys: Array, memory: Array, mask: Array | None = None
) -> tuple[Array, AttentionCache]:
    """Score the query against the keys and return the context, the memory's mean by those weights.

    Parameters
    ----------
    attention : AdditiveAttention or MultiplicativeAttention
        The score.
    params : dict
        Its parameters.
    query : (..., N, Q)
        (N, Q), or (T, N, Q) for T queries at once.
    keys : (S, N, ·)
        From `attention.project_memory`.
    memory : (S, N, M)
        Finite also on padding.
    mask : (S, N) bool, optional
        True where there is memory.

    Returns
    -------
    context : (..., N, M)
    cache : AttentionCache
        Its `weights` (..., S, N) are the attention map.
    """
    scores, hidden = attention.score(params, query, keys)
    weights = masked_softmax(scores, mask)
    context: Array = (weights[..., None] * memory).sum(axis=-3)
    return context, AttentionCache(query, keys, weights, hidden)


def attend_backward(
    attention: Attention, params: Params, dcontext: Array, memory: Array, cache: AttentionCache
) -> tuple[Array, AttentionDelta]:
    r"""Take ∂L/∂c back to the query; linear in dcontext, sequence by sequence.

    .. math:: d\alpha_s = dc \cdot m_s, \qquad
              de_s = \alpha_s \Bigl(d\alpha_s - \sum_{s'} \alpha_{s'} d\alpha_{s'}\Bigr)

    Returns dquery (..., N, Q), and the delta from which `attend_grads` makes the sums over time.
    """
    weights = cache.weights
    dweights = (dcontext[..., None, :, :] * memory).sum(axis=-1)  # (..., S, N)
    dscores = weights * (dweights - (weights * dweights).sum(axis=-2, keepdims=True))  # (..., S, N)
    return attention.query_grad(params, dscores, cache), AttentionDelta(dcontext, dscores)


def attend_grads(
    attention: Attention, params: Params, memory: Array, cache: AttentionCache, delta: AttentionDelta
) -> tuple[Array, Params]:
    """Return ∂L/∂memory (S, N, M), directly and through the keys, and the gradients of the attention's parameters.

    The first axis of cache and delta is T, the queries' steps.
    """
    through_keys, grads = attention.param_grads(params, memory, cache, delta)
    direct = np.einsum("tsn,tnm->snm", cache.weights, delta.dcontext)  # c = Σ α m
    return direct + through_keys, grads


def stack_queries(
    caches: Sequence[AttentionCache], deltas: Sequence[AttentionDelta]
) -> tuple[AttentionCache, AttentionDelta]:
    """Put T single queries of one memory on a first axis, as if they had been asked at once."""
    hidden = [cache.hidden for cache in caches if cache.hidden is not None]
    cache = AttentionCache(
        np.stack([cache.query for cache in caches]), caches[0].keys, np.stack([cache.weights for cache in caches]),
        np.stack(hidden) if hidden else None,
    )
    return cache, AttentionDelta(
        np.stack([delta.dcontext for delta in deltas]), np.stack([delta.dscores for delta in deltas])
    )
