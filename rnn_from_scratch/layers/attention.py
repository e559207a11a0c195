"""Attention as a layer: T queries over one memory at once, validated, with its backward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params
from ..attention import Attention, AttentionCache, attend, attend_backward, attend_grads
from ..bptt import without_padding


class AttentionLayerCache(NamedTuple):
    """What the backward needs; `attention.weights` (T, S, N) is the attention map."""

    attention: AttentionCache
    memory: Array  # (S, N, M), zeros on padding
    mask: Array | None  # (T, N)


@dataclass(frozen=True)
class AttentionLayer:
    """Attention of whole sequences on whole sequences (article §5 Q4, E-ATT), for queries that are all known.

    A decoder whose query depends on what it has read before is a cell: `BahdanauCell`, `LuongCell`.

    Source: Luong, Pham & Manning (2015), §3.1; notebook 13; tests/layers/test_attention.py.
    """

    attention: Attention

    def __post_init__(self) -> None:
        if isinstance(self.attention, type) or not hasattr(self.attention, "query_grad"):
            validate.fail(
                "AttentionLayer", f"attention is {self.attention!r:.60}",
                "AdditiveAttention(…) or MultiplicativeAttention(…)", error=validate.DtypeError,
            )

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the attention's."""
        return self.attention.param_shapes()

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the attention's own start."""
        return self.attention.init_params(rng=rng, dtype=dtype)

    def forward(
        self,
        params: Params,
        queries: Array,
        memory: Array,
        mask: Array | None = None,
        memory_mask: Array | None = None,
    ) -> tuple[Array, AttentionLayerCache]:
        """Return the context of every query.

        Parameters
        ----------
        params : dict
            The attention's parameters, see `param_shapes`.
        queries : (T, N, Q)
            On padding anything, NaN included.
        memory : (S, N, M)
            The same.
        mask : (T, N) bool, optional
            True where there is a query; elsewhere the context is 0.
        memory_mask : (S, N) bool, optional
            True where there is memory; elsewhere the weight is 0.

        Returns
        -------
        contexts : (T, N, M)
        cache : AttentionLayerCache
            It refers to queries, memory and mask: do not write into those before `backward`.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            For wrong keys, shapes, dtypes, or numbers that are not finite.
        """
        where = "AttentionLayer.forward"
        validate.params(where, params, self.param_shapes(), f"The attention is {self.attention}.")
        queries = validate.float_array(where, "queries", queries)
        memory = validate.float_array(where, "memory", memory)
        sizes = validate.shape(where, "queries", queries, ("T", "N", self.attention.query_size), "time comes first")
        T, N = sizes["T"], sizes["N"]
        because = f"there are {N} sequences of queries"
        S = validate.shape(where, "memory", memory, ("S", N, self.attention.memory_size), because)["S"]
        mask = validate.mask(where, "mask", mask, (T, N))
        memory_mask = validate.mask(where, "memory_mask", memory_mask, (S, N))
        validate.finite(where, "queries", queries, mask)
        validate.finite(where, "memory", memory, memory_mask)
        validate.same_dtype(where, params=params, queries=queries, memory=memory)
        queries, memory = without_padding(queries, mask), without_padding(memory, memory_mask)
        keys = self.attention.project_memory(params, memory)
        contexts, cache = attend(self.attention, params, queries, keys, memory, memory_mask)
        return without_padding(contexts, mask), AttentionLayerCache(cache, memory, mask)

    def backward(self, params: Params, dcontexts: Array, cache: AttentionLayerCache) -> tuple[Array, Array, Params]:
        """Take ∂L/∂contexts (T, N, M) to dqueries (T, N, Q), dmemory (S, N, M) and the gradients by name.

        Raises ShapeError, DtypeError or ArgumentError if dcontexts do not have the form of what `forward` gave.
        """
        where = "AttentionLayer.backward"
        validate.cache(where, cache, AttentionLayerCache)
        validate.params(where, params, self.param_shapes(), f"The attention is {self.attention}.")
        dcontexts = validate.float_array(where, "dcontexts", dcontexts)
        expected = (*cache.attention.query.shape[:2], self.attention.memory_size)
        validate.shape(where, "dcontexts", dcontexts, expected, "it is the gradient of the contexts")
        validate.finite(where, "dcontexts", dcontexts, cache.mask, "Did the loss diverge?")
        validate.same_dtype(where, params=params, dcontexts=dcontexts, memory=cache.memory)
        dcontexts = without_padding(dcontexts, cache.mask)
        dqueries, delta = attend_backward(self.attention, params, dcontexts, cache.memory, cache.attention)
        dmemory, grads = attend_grads(self.attention, params, cache.memory, cache.attention, delta)
        return dqueries, dmemory, grads
