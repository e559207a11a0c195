"""Tokens through an embedding and a recurrent layer: what every model of text starts with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params, State
from ..layers import Dropout, Embedding
from ..layers.dropout import DropoutCache
from ..layers.embedding import EmbeddingCache
from .sequence import check_layers

PARTS = ("embedding", "recurrent")


class TokenEncoderCache(NamedTuple):
    """The caches of its three parts."""

    embedding: EmbeddingCache
    dropout: DropoutCache
    recurrent: Any


@dataclass(frozen=True)
class TokenEncoder:
    """An embedding under a layer over time: indices (T, N) to outputs (T, N, H).

    The embedding's size is the layer's input_size. `dropout` falls on the embedded tokens while training.
    Its parameters are {"embedding": {"W_embed": (V, D)}, "recurrent": {…}}.

    Source: tests/models/test_encoder.py.
    """

    recurrent: Any
    vocabulary_size: int
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not hasattr(self.recurrent, "forward") or not hasattr(self.recurrent, "initial_state"):
            validate.fail(
                "TokenEncoder", f"recurrent is {self.recurrent!r:.60}", "a layer over time",
                "a cell is one time step, a layer is a whole sequence", "Try Recurrent(cell).", validate.DtypeError,
            )
        validate.sizes("TokenEncoder", self, "vocabulary_size")
        validate.number("TokenEncoder", "dropout", self.dropout, at_least=0.0, below=1.0)

    @property
    def embedding(self) -> Embedding:
        """The embedding, V rows of D numbers."""
        return Embedding(self.vocabulary_size, self.recurrent.input_size)

    def param_shapes(self) -> Mapping[str, Any]:
        """Return {"embedding": {…}, "recurrent": {…}}."""
        return {"embedding": self.embedding.param_shapes(), "recurrent": self.recurrent.param_shapes()}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the parts' own starts."""
        return {
            "embedding": self.embedding.init_params(rng=rng, dtype=dtype),
            "recurrent": self.recurrent.init_params(rng=rng, dtype=dtype),
        }

    def forward(
        self,
        params: Params,
        tokens: Array,
        state: State | None = None,
        mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, TokenEncoderCache]:
        """Embed the tokens (T, N) and run the layer; on padding a token may be any number.

        Otherwise as `Recurrent.forward`.
        """
        where = "TokenEncoder.forward"
        check_layers(where, params, PARTS)
        tokens = token_array(where, "tokens", tokens)
        mask = validate.mask(where, "mask", mask, tokens.shape)
        counted = tokens if mask is None else np.where(mask, tokens, np.zeros((), tokens.dtype))
        xs, embedding_cache = self.embedding.forward(params["embedding"], counted)
        xs, dropout_cache = self._dropout.forward({}, xs, rng=rng)
        hs, final_state, cache = self.recurrent.forward(params["recurrent"], xs, state, mask, rng=rng)
        return hs, final_state, TokenEncoderCache(embedding_cache, dropout_cache, cache)

    def backward(
        self, params: Params, dhs: Array, cache: TokenEncoderCache, dfinal_state: State | None = None
    ) -> tuple[None, State, Params]:
        """Return None (an index has no gradient), dstate and the gradients; otherwise as `Recurrent.backward`."""
        where = "TokenEncoder.backward"
        check_layers(where, params, PARTS)
        validate.cache(where, cache, TokenEncoderCache)
        dxs, dstate, recurrent = self.recurrent.backward(params["recurrent"], dhs, cache.recurrent, dfinal_state)
        dxs, _ = self._dropout.backward({}, dxs, cache.dropout)
        _, embedding = self.embedding.backward(params["embedding"], dxs, cache.embedding)
        return None, dstate, {"embedding": embedding, "recurrent": recurrent}

    @property
    def _dropout(self) -> Dropout:
        return Dropout(self.dropout)


def token_array(where: str, name: str, tokens: Any) -> Array:
    """Refuse what is no (T, N) array of integers; which integers, the embedding checks."""
    plain = isinstance(tokens, np.ndarray) and not isinstance(tokens, np.ma.MaskedArray | np.matrix)
    if not plain or not np.issubdtype(tokens.dtype, np.integer):
        got = f"of dtype {tokens.dtype} and shape {tokens.shape}" if plain else f"a {type(tokens).__name__}"
        validate.fail(
            where, f"{name} is {got}", "an integer array (T, N)", "a token is the number of a row of the embedding",
            "Text goes through a Vocabulary first; one-hot rows through argmax(axis=-1).", validate.DtypeError,
        )
    hint = f"For a single sequence use {name}[:, None]; from batch-first use {name}.T."
    if tokens.ndim == 3:
        hint = f"From one-hot rows use {name}.argmax(axis=-1)."
    validate.shape(where, name, tokens, ("T", "N"), "time comes first, then the batch", hint)
    checked: Array = tokens
    return checked
